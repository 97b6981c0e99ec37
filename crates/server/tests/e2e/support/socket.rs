//! Socket.IO clients, 2.5 and 4.x from npm, in Node processes of their own. What they hear is kept in order.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::tools::{self, until};

/// A client's version and how it connects.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// 2 or 4.
    pub version: u8,
    /// As the client's option has it.
    pub transports: &'static str,
}

/// Both versions over each transport, and over polling that is then upgraded.
pub const KINDS: [Kind; 6] = [
    Kind { version: 2, transports: "websocket" },
    Kind { version: 2, transports: "polling" },
    Kind { version: 2, transports: "polling,websocket" },
    Kind { version: 4, transports: "websocket" },
    Kind { version: 4, transports: "polling" },
    Kind { version: 4, transports: "polling,websocket" },
];

/// A running client. Killed when dropped.
pub struct SocketClient {
    kind: Kind,
    child: Child,
    _orders: ChildStdin,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl SocketClient {
    /// Connects, signs in with the key at each connection, and goes on connecting whenever the server is gone.
    pub fn connect(kind: Kind, server: SocketAddr, key: &str) -> Self {
        Self::start(kind, server, key, "again")
    }

    /// The same, which at each further connection asks for what it missed.
    pub fn resuming(kind: Kind, server: SocketAddr, key: &str) -> Self {
        Self::start(kind, server, key, "resume")
    }

    fn start(kind: Kind, server: SocketAddr, key: &str, how: &str) -> Self {
        let folder = folder();
        let mut command = Command::new("node");
        command
            .arg(folder.join("client.js"))
            .args([&kind.version.to_string(), &format!("http://{server}"), kind.transports, key, how])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = tools::spawn(&mut command, "nodejs");
        let orders = child.stdin.take().expect("its input");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for value in lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()) {
                kept.lock().expect("readers do not panic").push(value);
            }
        });
        Self { kind, child, _orders: orders, heard }
    }

    /// Waits until it has been signed in so many times.
    pub fn wait_signed_in(&self, times: usize) {
        until(&format!("{:?} is signed in", self.kind), || (self.count("connected") >= times).then_some(()));
    }

    /// The bodies of the `response` events so far.
    pub fn responses(&self) -> Vec<Value> {
        let heard = self.heard.lock().expect("readers do not panic");
        heard.iter().filter(|said| said["event"] == "response").map(|said| said["args"][0].clone()).collect()
    }

    /// Everything heard so far, as the client writes it.
    pub fn heard(&self) -> Vec<Value> {
        self.heard.lock().expect("readers do not panic").clone()
    }

    /// Waits for so many `response` events; gives each as `extend state phone type`.
    pub fn wait_told(&self, count: usize) -> Vec<String> {
        until(&format!("{:?} is told {count} things", self.kind), || (self.responses().len() >= count).then_some(()));
        self.responses().iter().map(told).collect()
    }

    fn count(&self, event: &str) -> usize {
        self.heard.lock().expect("readers do not panic").iter().filter(|said| said["event"] == event).count()
    }
}

impl Drop for SocketClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn told(body: &Value) -> String {
    let word = |name: &str| body[name].as_str().unwrap_or("null").to_owned();
    ["extend", "state", "phone", "type"].map(word).join(" ")
}

/// Where the clients are installed: beside the tests of Socket.IO itself.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/tests/clients");
    let installed = folder.join("node_modules/socket.io-client-4/package.json");
    assert!(installed.is_file(), "the Socket.IO clients are not installed: run `npm ci` in {}", folder.display());
    folder
}
