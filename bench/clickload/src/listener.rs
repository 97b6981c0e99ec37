//! A Socket.IO client (Engine.IO 4) on a raw WebSocket: signs, says hello when asked, and hands over `response` events.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;

use crate::http::{text_of, upgrade};
use crate::net::{self, Received};

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// One client.
pub struct Listener {
    pub stream: TcpStream,
    key: String,
    /// The session's id, which `hello` carries.
    sid: String,
    /// Whether the server took the key.
    pub signed: bool,
    /// Names of everything the server emitted, and how often.
    pub heard: BTreeMap<String, u64>,
    read: Vec<u8>,
    /// Pieces of a message that comes in several frames.
    pieces: Vec<u8>,
    frames: u32,
}

/// A `response` event and when it arrived.
pub struct Told {
    pub state: String,
    pub phone: String,
    pub callid: String,
    pub at: u64,
}

impl Listener {
    /// Connects; signing goes on as the server's packets are read.
    pub fn connect(server: SocketAddrV4, key: &str) -> io::Result<Self> {
        let headers =
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: Y2xpY2tsb2FkY2xpY2tsbw==\r\n";
        let (stream, read) = upgrade(server, "/socket.io/?EIO=4&transport=websocket", headers)?;
        let mut listener = Self {
            stream,
            key: key.to_owned(),
            sid: String::new(),
            signed: false,
            heard: BTreeMap::new(),
            read,
            pieces: Vec::new(),
            frames: 0,
        };
        // What came with the upgrade's answer is no event, so its time does not matter.
        listener.take_frames(net::now())?;
        Ok(listener)
    }

    /// Reads what has come. An error ends the session.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Vec<Told>> {
        match net::receive(self.stream.as_raw_fd(), buffer) {
            Received::Data { len, at, .. } if len > 0 => {
                self.read.extend_from_slice(&buffer[..len]);
                self.take_frames(at)
            }
            Received::Nothing => Ok(Vec::new()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn take_frames(&mut self, at: u64) -> io::Result<Vec<Told>> {
        let mut told = Vec::new();
        while let Some((last, kind, payload, used)) = frame(&self.read) {
            self.read.drain(..used);
            match kind {
                CLOSE => return Err(io::Error::other("the server closed the WebSocket")),
                PING => self.send(PONG, &payload)?,
                PONG => {}
                _ => {
                    self.pieces.extend_from_slice(&payload);
                    if last {
                        let message = String::from_utf8_lossy(&std::mem::take(&mut self.pieces)).into_owned();
                        told.extend(self.packet(&message, at)?);
                    }
                }
            }
        }
        Ok(told)
    }

    /// One Engine.IO packet: `0` open, `2` ping, `40` connected, `42` event.
    fn packet(&mut self, text: &str, at: u64) -> io::Result<Option<Told>> {
        if text.starts_with('0') {
            self.send(TEXT, b"40")?;
        } else if text.starts_with('2') {
            self.send(TEXT, b"3")?;
        } else if let Some(body) = text.strip_prefix("40") {
            self.sid = text_of(body, "sid").unwrap_or_default().to_owned();
            let sign = format!("42[\"sign\",\"{}\"]", self.key);
            self.send(TEXT, sign.as_bytes())?;
        } else if text.starts_with("41") || text.starts_with("44") {
            return Err(io::Error::other(format!("the server ended the session: {text}")));
        } else if let Some(event) = text.strip_prefix("42[\"") {
            return self.event(event, at);
        }
        Ok(None)
    }

    fn event(&mut self, event: &str, at: u64) -> io::Result<Option<Told>> {
        let name = event.split('"').next().unwrap_or("");
        *self.heard.entry(name.to_owned()).or_default() += 1;
        match name {
            "response" => {
                let text = |name| text_of(event, name).unwrap_or_default().to_owned();
                return Ok(Some(Told { state: text("state"), phone: text("phone"), callid: text("callid"), at }));
            }
            "connected" => self.signed = true,
            "say" => {
                let hello = format!("42[\"hello\",\"{}\"]", self.sid);
                self.send(TEXT, hello.as_bytes())?;
            }
            _ => {}
        }
        Ok(None)
    }

    /// Sends one masked frame (RFC 6455, 5.3). What we send is short, so the socket always has room.
    fn send(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        self.frames = self.frames.wrapping_add(0x9e37_79b9);
        let mask = self.frames.to_be_bytes();
        let mut frame = vec![0x80 | kind];
        match payload.len() {
            len @ 0..126 => frame.push(0x80 | len as u8),
            len => {
                let len = u16::try_from(len).map_err(|_| io::Error::other("a frame of ours is too long"))?;
                frame.push(0x80 | 126);
                frame.extend_from_slice(&len.to_be_bytes());
            }
        }
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&frame)
    }
}

/// The first whole frame: whether it ends its message, its kind, what it carries, and its length on the wire.
fn frame(bytes: &[u8]) -> Option<(bool, u8, Vec<u8>, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (len, begin) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        len => (u64::from(len), 2),
    };
    let end = usize::try_from(len).ok()?.checked_add(begin)?;
    let payload = bytes.get(begin..end)?.to_vec();
    Some((first & 0x80 != 0, first & 0x0f, payload, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        let mut bytes = vec![0x81, 126, 0, 200];
        bytes.extend([b'x'; 200]);
        bytes.extend([0x89, 0]);

        assert!(frame(&bytes[..203]).is_none());
        assert_eq!(frame(&bytes), Some((true, TEXT, vec![b'x'; 200], 204)));
        assert_eq!(frame(&bytes[204..]), Some((true, PING, Vec::new(), 2)));
    }

    #[test]
    fn a_frame_that_claims_to_be_endless_is_never_whole() {
        assert!(frame(&[0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255, 0]).is_none());
    }
}
