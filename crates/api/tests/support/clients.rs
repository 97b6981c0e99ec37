//! Real Socket.IO clients in Node processes of their own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longer than anything takes; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client version and its transports.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// `2.2`, `2` (2.5) or `4`.
    pub version: &'static str,
    pub transports: &'static str,
}

/// Each version over each transport, and over polling that is then upgraded.
pub const KINDS: [Kind; 9] = [
    Kind { version: "2.2", transports: "websocket" },
    Kind { version: "2.2", transports: "polling" },
    Kind { version: "2.2", transports: "polling,websocket" },
    Kind { version: "2", transports: "websocket" },
    Kind { version: "2", transports: "polling" },
    Kind { version: "2", transports: "polling,websocket" },
    Kind { version: "4", transports: "websocket" },
    Kind { version: "4", transports: "polling" },
    Kind { version: "4", transports: "polling,websocket" },
];

impl Kind {
    /// Whether it speaks Engine.IO 3.
    pub fn is_old(&self) -> bool {
        self.version.starts_with('2')
    }
}

/// A client that runs.
pub struct SocketClient {
    pub kind: Kind,
    process: Child,
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it heard that is no event: packet type and data.
    pub packets: Vec<(u64, Value)>,
}

impl SocketClient {
    /// Connects; with a key it signs without waiting for anything.
    pub fn connect(kind: Kind, url: &str, key: Option<&str>) -> Self {
        Self::start(kind, url, key.as_slice())
    }

    /// Connects and signs; connects anew whenever the connection is lost, and asks for what it missed.
    pub fn tenacious(kind: Kind, url: &str, key: &str) -> Self {
        Self::start(kind, url, &[key, "resume"])
    }

    fn start(kind: Kind, url: &str, arguments: &[&str]) -> Self {
        let folder = folder();
        let installed = folder.join("node_modules/socket.io-client-4/package.json");
        assert!(installed.is_file(), "the Socket.IO clients are not installed: run `npm ci` in {}", folder.display());
        let mut process = Command::new("node")
            .arg(folder.join("client.js"))
            .args([kind.version, url, kind.transports])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Node.js runs: install `nodejs` and `npm`, then run `npm ci` in crates/api/tests/clients");
        let orders = process.stdin.take().expect("its input");
        let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        Self { kind, process, orders, lines, packets: Vec::new() }
    }

    /// Connects, signs, and reads the greetings up to the first `say`.
    pub async fn signed(kind: Kind, url: &str, key: &str) -> Self {
        let mut client = Self::connect(kind, url, None);
        client.hears("connect").await;
        client.hears("connecting").await;
        client.emit("sign", json!([key])).await;
        for event in ["signing", "connected", "connection", "say"] {
            client.hears(event).await;
        }
        client
    }

    pub async fn emit(&mut self, event: &str, arguments: Value) {
        self.order(json!({ "emit": event, "args": arguments })).await;
    }

    /// The next event has this name; its first argument.
    pub async fn hears(&mut self, event: &str) -> Value {
        let heard = self.next().await;
        assert_eq!(heard["event"], event, "{:?} heard {heard}", self.kind);
        heard["args"][0].clone()
    }

    /// The next event, whatever it is.
    pub async fn next(&mut self) -> Value {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("{:?} hears nothing", self.kind));
            let line = line.expect("its output").unwrap_or_else(|| panic!("{:?} is gone", self.kind));
            let heard: Value = serde_json::from_str(&line).expect("JSON");
            match heard["packet"].as_u64() {
                Some(packet) => self.packets.push((packet, heard["data"].clone())),
                None => return heard,
            }
        }
    }

    /// `extend state` of the next `response`.
    pub async fn told(&mut self) -> String {
        let body = self.hears("response").await;
        format!("{} {}", body["extend"].as_str().expect("extend"), body["state"].as_str().expect("state"))
    }

    /// Closes, and is gone.
    pub async fn close(mut self) {
        self.order(json!({ "close": true })).await;
        self.process.wait().await.expect("it ends");
    }

    async fn order(&mut self, order: Value) {
        let line = format!("{order}\n");
        self.orders.write_all(line.as_bytes()).await.expect("it listens");
        self.orders.flush().await.expect("it listens");
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}
