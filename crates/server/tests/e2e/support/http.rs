//! HTTP as a client without a library sees it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::support::tools::LIMIT;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// 200.
    pub status: u16,
    /// Status line and headers, as they came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; anything but a success fails the test.
    pub fn json(&self) -> Value {
        assert!((200..300).contains(&self.status), "{}\n{}", self.head, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then(|| value.trim()))
    }
}

/// Asks for a path; `headers` are whole lines.
pub fn get(server: SocketAddr, path: &str, headers: &[&str]) -> Answer {
    ask(server, &format!("GET {path}"), headers, "")
}

/// Sends JSON.
pub fn post(server: SocketAddr, path: &str, headers: &[&str], body: &Value) -> Answer {
    let headers = [headers, &["Content-Type: application/json"]].concat();
    ask(server, &format!("POST {path}"), &headers, &body.to_string())
}

/// Sends a change in JSON.
pub fn patch(server: SocketAddr, path: &str, headers: &[&str], body: &Value) -> Answer {
    let headers = [headers, &["Content-Type: application/merge-patch+json"]].concat();
    ask(server, &format!("PATCH {path}"), &headers, &body.to_string())
}

/// Puts a file there; `headers` say of what sort it is.
pub fn put_bytes(server: SocketAddr, path: &str, headers: &[&str], body: &[u8]) -> Answer {
    ask_with(server, &format!("PUT {path}"), headers, body)
}

/// Asks that what lies at a path be taken away.
pub fn delete(server: SocketAddr, path: &str, headers: &[&str]) -> Answer {
    ask(server, &format!("DELETE {path}"), headers, "")
}

/// Asks for a whole URL.
pub fn fetch(url: &str, headers: &[&str]) -> Answer {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL");
    get(host.parse().expect("an address"), &format!("/{path}"), headers)
}

fn ask(server: SocketAddr, what: &str, headers: &[&str], body: &str) -> Answer {
    ask_with(server, what, headers, body.as_bytes())
}

fn ask_with(server: SocketAddr, what: &str, headers: &[&str], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(server).expect("connected");
    stream.set_read_timeout(Some(LIMIT)).expect("set");
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    write!(
        stream,
        "{what} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    )
    .expect("asked");
    stream.write_all(body).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer).expect("text");
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "pieces are not read here: {head}");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head, body }
}
