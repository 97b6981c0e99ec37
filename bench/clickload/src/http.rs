//! HTTP/1.1 over connections that stay open, one request at a time on each.

use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use crate::net::{self, Received};

/// What opening a connection may take on loopback.
const PATIENCE: Duration = Duration::from_secs(3);
/// More of an answer is not read.
const LARGEST: usize = 1 << 20;

/// One connection.
pub struct Connection {
    pub stream: TcpStream,
    /// Which call's order is under way.
    pub busy: Option<usize>,
    read: Vec<u8>,
}

/// What came of reading.
pub enum Answer {
    /// A whole answer, which arrived `at`.
    Whole { status: u16, body: String, at: u64 },
    /// Not all of it yet.
    Partial,
    /// The server hung up, or spoke no HTTP that we read.
    Lost,
}

impl Connection {
    pub fn open(server: SocketAddrV4) -> io::Result<Self> {
        Ok(Self { stream: connect(server)?, busy: None, read: Vec::new() })
    }

    /// Sends a GET on behalf of a call.
    pub fn get(&mut self, host: SocketAddrV4, target: &str, call: usize) -> io::Result<()> {
        self.busy = Some(call);
        self.read.clear();
        self.stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())
    }

    /// Reads what has come.
    pub fn read(&mut self, buffer: &mut [u8]) -> Answer {
        match net::receive(self.stream.as_raw_fd(), buffer) {
            Received::Data { len, at, .. } if len > 0 && self.read.len() < LARGEST => {
                self.read.extend_from_slice(&buffer[..len]);
                self.whole(at)
            }
            Received::Nothing => Answer::Partial,
            _ => Answer::Lost,
        }
    }

    fn whole(&self, at: u64) -> Answer {
        let Some((head, end)) = head(&self.read) else { return Answer::Partial };
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let Some(length) = length.and_then(|(_, value)| value.trim().parse::<usize>().ok()) else {
            return Answer::Lost;
        };
        let Some(body) = self.read.get(end..end.saturating_add(length)) else { return Answer::Partial };
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Answer::Whole { status, body: String::from_utf8_lossy(body).into_owned(), at }
    }
}

/// A connected stream that never blocks and whose arrivals are stamped.
pub fn connect(server: SocketAddrV4) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&server.into(), PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    net::stamp_arrivals(stream.as_raw_fd())?;
    Ok(stream)
}

/// Asks for another protocol and waits for the 101. Gives the stream and what already followed the answer.
pub fn upgrade(server: SocketAddrV4, target: &str, headers: &str) -> io::Result<(TcpStream, Vec<u8>)> {
    let mut stream = connect(server)?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(
        format!("GET {target} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\n{headers}\r\n").as_bytes(),
    )?;
    let mut read = Vec::new();
    let mut buffer = [0; 4_096];
    let end = loop {
        let len = stream.read(&mut buffer)?;
        read.extend_from_slice(&buffer[..len]);
        match head(&read) {
            Some((head, end)) if head.starts_with("HTTP/1.1 101") => break end,
            Some((head, _)) => return Err(io::Error::other(head.lines().next().unwrap_or("no answer").to_owned())),
            None if len == 0 || read.len() > LARGEST => return Err(io::ErrorKind::UnexpectedEof.into()),
            None => {}
        }
    };
    stream.set_nonblocking(true)?;
    Ok((stream, read.split_off(end)))
}

/// The text before the first empty line, and where the body begins.
fn head(bytes: &[u8]) -> Option<(&str, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, end + 4))
}

/// The text member `name` of a JSON object, as long as it holds no escapes.
pub fn text_of<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let quoted = format!("\"{name}\"");
    json.match_indices(&quoted).find_map(|(at, _)| {
        let value = json[at + quoted.len()..].trim_start().strip_prefix(':')?.trim_start();
        value.strip_prefix('"')?.split('"').next()
    })
}

#[cfg(test)]
mod tests {
    use super::text_of;

    #[test]
    fn a_member_is_found_by_its_whole_name() {
        let body = r#"{"x_callid":"wrong","status":200, "call_status" : "Success","callid":"1700000000.101"}"#;

        assert_eq!(text_of(body, "call_status"), Some("Success"));
        assert_eq!(text_of(body, "callid"), Some("1700000000.101"));
        assert_eq!(text_of(body, "status"), None);
    }
}
