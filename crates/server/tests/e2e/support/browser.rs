//! A live example page in Debian's browser, led by a Node process of its own. What the page shows is kept in order.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::tools::{self, LIMIT, until};

/// An open page. The browser ends when it is dropped.
pub struct Page {
    child: Child,
    orders: ChildStdin,
    told: Arc<Mutex<Vec<Value>>>,
    folder: tempfile::TempDir,
}

impl Page {
    /// Opens a page of the server, types the key and presses the button.
    pub fn open(server: SocketAddr, path: &str, key: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("node");
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/tests/clients/browser.js"))
            .args([&format!("http://{server}{path}"), key])
            .arg(folder.path().join("browser"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = tools::spawn(&mut command, "nodejs");
        let orders = child.stdin.take().expect("its input");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&told);
        std::thread::spawn(move || {
            for value in lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()) {
                kept.lock().expect("readers do not panic").push(value);
            }
        });
        Self { child, orders, told, folder }
    }

    /// Waits until the page says how things stand by a style of this name; what it says.
    pub fn wait_state(&self, kind: &str) -> String {
        let said = |told: &Value| (told["kind"] == kind).then(|| told["state"].as_str().map(str::to_owned));
        until(&format!("the page is {kind}: {:?}", self.told()), || self.told().iter().find_map(said)).expect("text")
    }

    /// Waits until the page has lost its connection; how it then says that things stand, by the name of a style.
    pub fn wait_left(&self) -> Value {
        let left = || self.told().iter().any(|told| told.get("left").is_some());
        until("the page has lost its connection", || left().then_some(()));
        self.told().iter().rev().find_map(|told| told.get("kind").cloned()).unwrap_or_default()
    }

    /// Waits for so many rows of the table, oldest first, each as its cells with spaces between.
    pub fn wait_rows(&self, count: usize) -> Vec<String> {
        let row = |told: &Value| {
            let cells = told["row"].as_array()?.iter().filter_map(Value::as_str);
            Some(cells.collect::<Vec<_>>().join(" "))
        };
        let rows = || self.told().iter().filter_map(row).collect::<Vec<_>>();
        until(&format!("the page shows {count} rows"), || Some(rows()).filter(|rows| rows.len() >= count))
    }

    /// A picture of the page, as PNG.
    pub fn screenshot(&mut self) -> Vec<u8> {
        let file = self.folder.path().join("page.png");
        writeln!(self.orders, "{}", json!({ "screenshot": file })).expect("it listens");
        until("the picture is taken", || self.told().iter().any(|told| told.get("screenshot").is_some()).then_some(()));
        std::fs::read(file).expect("a picture")
    }

    fn told(&self) -> Vec<Value> {
        let told = self.told.lock().expect("readers do not panic").clone();
        if let Some(failed) = told.iter().find_map(|told| told.get("failed")) {
            panic!("the browser: {failed}");
        }
        told
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = writeln!(self.orders, "{}", json!({ "close": true }));
        let since = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && since.elapsed() < LIMIT {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        // The browser ends with its pipe, which ends with Node.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
