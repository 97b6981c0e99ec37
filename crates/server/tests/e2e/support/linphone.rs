//! Linphone's phone for a terminal (from Debian), with files for mouth and ear.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::sound::{length_of, wav_samples};
use crate::support::tools::{self, LIMIT, free_udp_address, until};

/// How much its mouth can say before it begins anew.
const SAYS: Duration = Duration::from_secs(60);

/// A running linphonec. Killed when dropped.
pub struct Linphone {
    child: Child,
    input: ChildStdin,
    folder: tempfile::TempDir,
    said: Arc<Mutex<String>>,
    /// Its file holds so many samples for one at 8 kHz.
    finer: usize,
}

impl Linphone {
    /// Starts it as an extension of `server`, registered, with a tone to say and only one codec to say it in.
    pub fn start(extension: &str, server: SocketAddr, tone: u16, codec: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let own = free_udp_address();
        let sound = free_udp_address();
        let config = format!(
            "[sip]\nsip_port={}\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\ncontact=\"{extension}\" \
             <sip:{extension}@127.0.0.1>\ndefault_proxy=-1\nverify_server_certs=0\n\
             [rtp]\naudio_rtp_port={}\n[net]\nmtu=1300\n",
            own.port(),
            sound.port() & !1,
        );
        fs::write(folder.path().join("rc"), config).expect("written");
        fs::create_dir_all(folder.path().join(".local/share/linphone")).expect("made");
        fs::write(folder.path().join("says.wav"), spoken(tone)).expect("written");
        let mut command = Command::new("linphonec");
        command
            .arg("-c")
            .arg(folder.path().join("rc"))
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("errors")).expect("made"));
        let mut child = tools::spawn(&mut command, "linphone-cli");
        let input = child.stdin.take().expect("piped");
        let mut output = child.stdout.take().expect("piped");
        let said: Arc<Mutex<String>> = Arc::default();
        let kept = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                kept.lock().expect("readers do not panic").push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        // Opus is decoded at 48 kHz.
        let finer = if codec == "opus" { 6 } else { 1 };
        let mut phone = Self { child, input, folder, said, finer };
        let path = phone.folder.path().display().to_string();
        phone.order("soundcard use files");
        phone.wait("Using wav files");
        phone.order(&format!("play {path}/says.wav"));
        phone.order(&format!("record {path}/heard.wav"));
        phone.speak_only(codec);
        phone.order(&format!("register sip:{extension}@{server} sip:{server} pw-{extension}"));
        phone
    }

    /// Gives a command.
    pub fn order(&mut self, command: &str) {
        writeln!(self.input, "{command}").and_then(|()| self.input.flush()).expect("linphonec listens");
    }

    /// Waits until it has said something.
    pub fn wait(&self, text: &str) {
        let since = Instant::now();
        while !self.said().contains(text) {
            assert!(since.elapsed() < LIMIT, "linphonec does not say `{text}`:\n{}", self.said());
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Waits until half a second of a tone was heard.
    pub fn wait_heard(&self, hertz: u16) {
        until(&format!("linphonec hears {hertz} Hz"), || {
            (length_of(&self.heard(), hertz) >= Duration::from_millis(500)).then_some(())
        });
    }

    /// The codecs it has are numbered in its list.
    fn speak_only(&mut self, codec: &str) {
        self.order("codec list");
        self.wait("codec list");
        let lines = until("linphonec lists its codecs", || {
            let said = self.said();
            let lines: Vec<String> = said.lines().filter(|line| line.contains(" (")).map(str::to_owned).collect();
            lines.iter().any(|line| line.contains("L16 (44100)")).then_some(lines)
        });
        for line in lines {
            let Some((number, rest)) = line.trim().split_once(": ") else { continue };
            let switch = if rest.starts_with(codec) { "enable" } else { "disable" };
            self.order(&format!("codec {switch} {}", number.trim()));
        }
    }

    fn heard(&self) -> Vec<i16> {
        let samples = wav_samples(&fs::read(self.folder.path().join("heard.wav")).unwrap_or_default());
        samples.into_iter().step_by(self.finer).collect()
    }

    fn said(&self) -> String {
        self.said.lock().expect("readers do not panic").clone()
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file that says a tone.
fn spoken(tone: u16) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).expect("a header");
    for at in 0..SAYS.as_secs() as u32 * 8_000 {
        let turns = f64::from(tone) * f64::from(at) / 8_000.0;
        writer.write_sample((8_000.0 * (turns * std::f64::consts::TAU).sin()) as i16).expect("written");
    }
    writer.finalize().expect("whole");
    file.into_inner()
}
