//! baresip (from Debian) as a phone without a head: told what to do over its control port, with a tone for a mouth and
//! a file for an ear.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::sound::{length_of, wav_samples};
use crate::support::tools::{self, LIMIT, until};

/// A running baresip with one account. Killed when dropped.
pub struct Baresip {
    child: Child,
    folder: tempfile::TempDir,
    orders: TcpStream,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Baresip {
    /// Starts it as an extension of `server`; it registers by itself and says a tone. `transport` is `udp`, `tcp` or `tls`.
    pub fn start(extension: &str, server: SocketAddr, transport: &str, tone: u16) -> Self {
        Self::start_with(extension, server, transport, tone, "")
    }

    /// The same with secured sound: `srtp` where the other side wants it, `srtp-mand` or no call.
    pub fn start_secured(extension: &str, server: SocketAddr, transport: &str, tone: u16, secured: &str) -> Self {
        Self::start_with(extension, server, transport, tone, &format!(";mediaenc={secured}"))
    }

    fn start_with(extension: &str, server: SocketAddr, transport: &str, tone: u16, further: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let control = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let path = folder.path().display();
        // The tone is made in one form only, 48 kHz in stereo. Nobody has to hear: the bridge's other end is loose.
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:0\ncall_max_calls 4\naudio_buffer 20-160\n\
             audio_source ausine,{tone}\nausrc_srate 48000\nausrc_channels 2\n\
             audio_player aubridge,ear\naudio_alert aubridge,bell\njitter_buffer_delay 1-2\nsnd_path {path}\n\
             module_path {}\nmodule g711.so\nmodule srtp.so\nmodule ausine.so\nmodule aubridge.so\nmodule sndfile.so\n\
             module_tmp account.so\nmodule_app ctrl_tcp.so\nmodule_app menu.so\nmodule_app debug_cmd.so\n\
             ctrl_tcp_listen {control}\nredial_attempts 0\n",
            modules().display()
        );
        let account = format!(
            "<sip:{extension}@{server};transport={transport}>;auth_user={extension};auth_pass=pw-{extension};regint=300{further}\n"
        );
        fs::write(folder.path().join("config"), config).expect("written");
        fs::write(folder.path().join("accounts"), account).expect("written");
        let said = File::create(folder.path().join("said")).expect("made");
        let mut command = Command::new("baresip");
        command
            .args(["-f", &path.to_string()])
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("another handle"))
            .stderr(said);
        let child = tools::spawn(&mut command, "baresip-core");
        let orders = until("baresip takes orders", || TcpStream::connect(control).ok());
        let events = Arc::default();
        let (reader, kept) = (orders.try_clone().expect("another handle"), Arc::clone(&events));
        std::thread::spawn(move || keep_events(reader, &kept));
        Self { child, folder, orders, events }
    }

    /// Gives a command of its menu, like `dial` with a number, and waits until it has been taken; gives what it says.
    pub fn order(&mut self, command: &str, parameter: &str) -> String {
        let answers = self.count(|said| said["response"] == true);
        let order = json!({ "command": command, "params": parameter }).to_string();
        write!(self.orders, "{}:{order},", order.len()).expect("baresip listens");
        until(&format!("baresip answers {command}"), || {
            (self.count(|said| said["response"] == true) > answers).then_some(())
        });
        let events = self.events.lock().expect("readers do not panic");
        let answer = events.iter().rfind(|said| said["response"] == true).expect("counted");
        assert_eq!(answer["ok"], true, "{command}: {answer}\n{}", self.said());
        answer["data"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until it has told so many events of a kind, like `CALL_ESTABLISHED`; gives the latest.
    pub fn wait(&self, kind: &str, count: usize) -> Value {
        let since = Instant::now();
        while self.count(|said| said["type"] == kind) < count {
            assert!(since.elapsed() < LIMIT, "baresip tells no {kind}:\n{}", self.said());
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let events = self.events.lock().expect("readers do not panic");
        events.iter().rfind(|said| said["type"] == kind).expect("counted").clone()
    }

    /// How many packets of sound have come in its call.
    pub fn packets_heard(&mut self) -> u64 {
        let told = self.order("audio_debug", "");
        let count = told.split("rcvd=").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        count.unwrap_or_else(|| panic!("no count in {told}"))
    }

    /// Waits until half a second of a tone was heard. Its file is not written on after a hold.
    pub fn wait_heard(&self, hertz: u16) {
        until(&format!("baresip hears {hertz} Hz"), || {
            (length_of(&self.heard(), hertz) >= Duration::from_millis(500)).then_some(())
        });
    }

    /// What it heard so far in its newest call.
    fn heard(&self) -> Vec<i16> {
        let files = fs::read_dir(self.folder.path()).expect("its folder").filter_map(Result::ok);
        let mut ears: Vec<PathBuf> = files.map(|file| file.path()).filter(|file| is_ear(file)).collect();
        ears.sort();
        let bytes = ears.last().and_then(|file| fs::read(file).ok()).unwrap_or_default();
        wav_samples(&bytes)
    }

    fn count(&self, wanted: impl Fn(&Value) -> bool) -> usize {
        self.events.lock().expect("readers do not panic").iter().filter(|said| wanted(said)).count()
    }

    fn said(&self) -> String {
        let bytes = fs::read(self.folder.path().join("said")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the distribution has its modules: beside the libraries, or beside those of the machine's kind.
fn modules() -> PathBuf {
    let libraries = PathBuf::from("/usr/lib");
    let kinds = fs::read_dir(&libraries).expect("libraries").filter_map(Result::ok).map(|entry| entry.path());
    let found = std::iter::once(libraries.clone()).chain(kinds).map(|folder| folder.join("baresip/modules"));
    let mut found = found.filter(|folder| folder.join("ctrl_tcp.so").is_file());
    found.next().expect("baresip's modules are missing: install the Debian package baresip-core")
}

fn is_ear(file: &std::path::Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-dec.wav"))
}

/// Reads netstrings of JSON until baresip is gone.
fn keep_events(stream: TcpStream, events: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream);
    while let Some(length) = read_length(&mut reader) {
        let mut text = vec![0; length + 1];
        if reader.read_exact(&mut text).is_err() {
            return;
        }
        if let Ok(value) = serde_json::from_slice(&text[..length]) {
            events.lock().expect("readers do not panic").push(value);
        }
    }
}

fn read_length(reader: &mut impl Read) -> Option<usize> {
    let mut length = 0;
    loop {
        let mut byte = [0];
        reader.read_exact(&mut byte).ok()?;
        match byte[0] {
            b':' => return Some(length),
            digit => length = length * 10 + usize::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?),
        }
    }
}
