//! A server of its own for a test: the real program, on free ports, in a folder that goes with it.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

/// How long anything here may take before the test fails.
pub const SOON: Duration = Duration::from_secs(20);

/// A running `tongdai serve`. Killed when dropped.
pub struct Server {
    /// Where HTTP is.
    pub http: SocketAddr,
    /// Where SIP is, UDP and TCP.
    pub sip: SocketAddr,
    /// The line it printed.
    pub ready: String,
    /// Its data folder.
    pub data: PathBuf,
    child: Child,
    _ports: UdpSocket,
    _folder: Option<tempfile::TempDir>,
}

/// The program with nothing of our environment in its settings.
pub fn tongdai() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tongdai"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TONGDAI_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).current_dir(std::env::temp_dir());
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Output {
    tongdai().args(arguments).output().expect("the program runs")
}

/// What the program said on standard error.
pub fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim_end().to_owned()
}

/// Ports for sound that nobody uses, until this process ends.
pub fn rtp_ports() -> String {
    static HELD: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    let (ports, flag) = hold_ports();
    HELD.lock().expect("nothing panics with it").push(flag);
    ports
}

/// Ports for sound that nobody uses, 198 of them, as long as the socket lives: whoever has a block's last port has the
/// block. Tests run side by side, a process each.
fn hold_ports() -> (String, UdpSocket) {
    const BLOCK: u16 = 200;
    const BLOCKS: u16 = 100;
    let begin = (std::process::id() % u32::from(BLOCKS)) as u16;
    for block in (0..BLOCKS).map(|n| (begin + n) % BLOCKS) {
        // Below the ports that the system gives to whoever asks for any.
        let first = 10_000 + block * BLOCK;
        let last = first + BLOCK - 1;
        let Ok(flag) = UdpSocket::bind(("127.0.0.1", last)) else { continue };
        if (first..last).all(|port| UdpSocket::bind(("127.0.0.1", port)).is_ok()) {
            return (format!("{first}-{}", last - 2), flag);
        }
    }
    panic!("no block of {BLOCK} ports is free for sound");
}

impl Server {
    /// Starts one in a new folder, provisioned with `yaml`, with further arguments.
    pub fn start(yaml: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Self::start_in(folder.path().join("data"), yaml, arguments);
        server._folder = Some(folder);
        server
    }

    /// Starts one in a folder that outlives it.
    pub fn start_in(data: PathBuf, yaml: &str, arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", data, yaml, arguments)
    }

    /// Starts one at a SIP address in a folder that outlives it.
    pub fn start_at(sip: &str, data: PathBuf, yaml: &str, arguments: &[&str]) -> Self {
        std::fs::create_dir_all(&data).expect("a folder");
        let file = data.join("provision.yaml");
        std::fs::write(&file, yaml).expect("written");
        let (ports, flag) = hold_ports();
        let mut command = tongdai();
        command
            .args(["serve", "--http", "127.0.0.1:0", "--sip", sip, "--rtp-ports", &ports])
            .arg("--data-dir")
            .arg(&data)
            .arg("--provision")
            .arg(&file)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the program starts");
        let ready = first_line(&mut child);
        let named = |name: &str| {
            let found = ready.split_whitespace().find_map(|word| word.strip_prefix(name));
            found.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("no {name} in `{ready}`"))
        };
        Self {
            http: named("http="),
            sip: named("sip="),
            ready: ready.clone(),
            data,
            child,
            _ports: flag,
            _folder: None,
        }
    }

    /// Where SIP over TLS is, if it was asked for.
    pub fn sips(&self) -> SocketAddr {
        let found = self.ready.split_whitespace().find_map(|word| word.strip_prefix("sips="));
        found.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("no sips= in `{}`", self.ready))
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: only numbers are passed; the child is ours and not waited for so far, so the id is its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return status;
            }
            assert!(since.elapsed() < SOON, "the server does not end");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Asks by HTTP; gives status and body.
    pub fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        let mut stream = TcpStream::connect(self.http).expect("connected");
        stream.set_read_timeout(Some(SOON)).expect("set");
        let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\n{bearer}Connection: close\r\n\r\n", self.http)
            .expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let status = answer.split_whitespace().nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        (status, body)
    }

    /// The token that opens everything.
    pub fn admin_token(&self) -> String {
        std::fs::read_to_string(self.data.join("admin.token")).expect("a token").trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns once something holds.
pub fn until(mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < SOON, "it never comes to hold");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The first line of a child's standard output.
pub fn first_line(child: &mut Child) -> String {
    let output = child.stdout.take().expect("piped");
    let (sender, line) = mpsc::channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(output);
        let mut line = String::new();
        let _ = reader.read_line(&mut line);
        let _ = sender.send(line);
        // Whoever prints on must not find a closed pipe.
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
    });
    line.recv_timeout(SOON).expect("a line in time").trim_end().to_owned()
}

/// An OPTIONS request.
pub fn options(transport: &str, local: SocketAddr, call: &str) -> String {
    format!(
        "OPTIONS sip:pbx.example.test SIP/2.0\r\nVia: SIP/2.0/{transport} {local};branch=z9hG4bK{call};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:probe@pbx.example.test>;tag=1\r\nTo: <sip:pbx.example.test>\r\n\
         Call-ID: {call}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Sends a datagram and gives the answer to it.
pub fn ask_by_udp(server: SocketAddr, request: impl Fn(SocketAddr) -> String) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(SOON)).expect("set");
    let request = request(socket.local_addr().expect("bound"));
    socket.send_to(request.as_bytes(), server).expect("sent");
    let mut buffer = [0; 65_536];
    let length = socket.recv(&mut buffer).expect("an answer");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// A tenant with two extensions and a number.
pub const TENANT: &str = r#"
tenants:
  - name: VPBX_DEMO
    default: true
    keys:
      - { kind: voip24h, voip: VOIPKEY_DEMO, secret: SECRET_DEMO }
      - { kind: native, token: NATIVE_DEMO, role: owner }
    extensions:
      - { number: "101", name: Sales desk, password: pw-101, record: true }
      - { number: "102", name: Support desk, password: pw-102, record: true }
    numbers:
      - { number: "02873088088", route: { extension: "101" } }
"#;
