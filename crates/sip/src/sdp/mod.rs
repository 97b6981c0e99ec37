//! Session descriptions (RFC 8866) as values: read, asked, built, printed.
//!
//! Lines nobody here knows are kept and printed again. What to offer and what to take of an offer (RFC 3264) is for
//! others to decide; the pieces they need are here.

mod audio;
mod body;
mod build;
mod crypto;
mod direction;
mod format;
mod parse;
mod profile;

pub use audio::Audio;
pub use body::{BodyTrouble, of_body};
pub use build::{AudioSection, Owner};
pub use crypto::{Crypto, Suite};
pub use direction::Direction;
pub use format::Format;
pub use parse::{SdpError, parse};
pub use profile::Profile;

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;

/// A session description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sdp {
    /// Whose it is, and which version of it.
    pub origin: Origin,
    /// `s=`; often a dash.
    pub name: Bytes,
    /// Where sound goes unless a section says otherwise.
    pub connection: Option<Connection>,
    /// All other lines before the first section.
    pub lines: Vec<Line>,
    /// The sections, in the order that offer and answer share.
    pub media: Vec<Media>,
}

/// `o=`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Who; often a dash.
    pub username: Bytes,
    /// A number, as written.
    pub session_id: Bytes,
    /// A number, as written; one more with each change.
    pub version: Bytes,
    /// The host it was made on.
    pub host: Connection,
}

/// `c=`: network, kind of address, address, as written: `IN IP4 192.0.2.1`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Connection(Bytes);

/// A line of one letter and a value. Its debug form keeps keys to itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// `a` for attributes.
    pub letter: u8,
    /// What stands behind the equals sign.
    pub value: Bytes,
}

/// `m=` and what belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Media {
    /// `audio`, `video` …
    pub kind: Bytes,
    /// Where to send; 0 means refused or not wanted.
    pub port: u16,
    /// How many ports in a row, when written.
    pub ports: Option<u16>,
    /// `RTP/AVP`, `UDP/TLS/RTP/SAVPF` …
    pub protocol: Bytes,
    /// Payload types, for RTP.
    pub formats: Vec<Bytes>,
    /// Where sound of this section goes.
    pub connection: Option<Connection>,
    /// All other lines.
    pub lines: Vec<Line>,
}

impl Sdp {
    /// The value of a session-wide attribute, empty for a flag; the first of that name.
    pub fn attribute(&self, name: &str) -> Option<&[u8]> {
        find_attribute(&self.lines, name)
    }

    /// Where the sound of a section goes: its own `c=`, else the session's.
    pub fn connection_of(&self, media: &Media) -> Option<IpAddr> {
        media.connection.as_ref().or(self.connection.as_ref()).and_then(Connection::address)
    }

    /// The direction of a section: its own, else the session's, else both ways.
    pub fn direction_of(&self, media: &Media) -> Direction {
        Direction::among(&media.lines).or_else(|| Direction::among(&self.lines)).unwrap_or(Direction::SendRecv)
    }

    /// The description as it goes on the wire.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(512);
        let origin = &self.origin;
        out.extend_from_slice(b"v=0\r\n");
        write(&mut out, b'o', &[&origin.username, &origin.session_id, &origin.version, &origin.host.0]);
        write(&mut out, b's', &[&self.name]);
        write_section(&mut out, self.connection.as_ref(), &self.lines);
        for media in &self.media {
            let port = match media.ports {
                Some(ports) => format!("{}/{ports}", media.port),
                None => media.port.to_string(),
            };
            let mut words = vec![media.kind.as_ref(), port.as_bytes(), &media.protocol];
            words.extend(media.formats.iter().map(Bytes::as_ref));
            write(&mut out, b'm', &words);
            write_section(&mut out, media.connection.as_ref(), &media.lines);
        }
        out.into()
    }
}

impl Media {
    /// The value of an attribute of this section, empty for a flag; the first of that name.
    pub fn attribute(&self, name: &str) -> Option<&[u8]> {
        find_attribute(&self.lines, name)
    }

    /// The values of all attributes of a name, such as `rtpmap` or `candidate`.
    pub fn attributes<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.lines.iter().filter_map(move |line| line.attribute(name))
    }

    /// What the attributes of a name, such as `rtpmap` or `fmtp`, say of a payload type.
    pub fn attribute_of(&self, name: &str, payload_type: u8) -> Option<&[u8]> {
        let number = payload_type.to_string();
        self.attributes(name).find_map(|value| {
            let rest = value.strip_prefix(number.as_bytes())?;
            rest.first().is_some_and(|byte| *byte == b' ').then(|| rest.trim_ascii())
        })
    }

    /// The same section refused (RFC 3264, 6): port 0, nothing else said.
    pub fn refused(&self) -> Media {
        Media {
            kind: self.kind.clone(),
            port: 0,
            ports: None,
            protocol: self.protocol.clone(),
            formats: self.formats.clone(),
            connection: None,
            lines: Vec::new(),
        }
    }
}

impl Line {
    /// `a=name:value`
    pub fn value(name: &str, value: &str) -> Self {
        Line { letter: b'a', value: format!("{name}:{value}").into() }
    }

    /// `a=name`
    pub fn flag(name: &str) -> Self {
        Line { letter: b'a', value: Bytes::copy_from_slice(name.as_bytes()) }
    }

    /// The value, when this is an attribute of that name; empty for a flag.
    pub fn attribute(&self, name: &str) -> Option<&[u8]> {
        if self.letter != b'a' {
            return None;
        }
        match self.value.strip_prefix(name.as_bytes())? {
            [] => Some(&[]),
            [b':', value @ ..] => Some(value),
            _ => None,
        }
    }
}

impl Connection {
    /// The connection at an address.
    pub fn to(address: IpAddr) -> Self {
        let kind = if address.is_ipv4() { "IP4" } else { "IP6" };
        Connection(format!("IN {kind} {address}").into())
    }

    /// The address; `None` when it is a name or of a network we do not know. What follows a slash is passed over.
    pub fn address(&self) -> Option<IpAddr> {
        let mut words = std::str::from_utf8(&self.0).ok()?.split(' ');
        let (network, kind, address) = (words.next()?, words.next()?, words.next()?);
        let address: IpAddr = address.split('/').next()?.parse().ok()?;
        let agrees = network.eq_ignore_ascii_case("IN")
            && kind.eq_ignore_ascii_case(if address.is_ipv4() { "IP4" } else { "IP6" });
        agrees.then_some(address)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_key = self.letter == b'k' || self.attribute("crypto").is_some();
        let value = if is_key { "…".into() } else { String::from_utf8_lossy(&self.value) };
        write!(f, "{}={value}", char::from(self.letter))
    }
}

impl fmt::Display for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.print()))
    }
}

fn find_attribute<'a>(lines: &'a [Line], name: &str) -> Option<&'a [u8]> {
    lines.iter().find_map(|line| line.attribute(name))
}

/// The place that RFC 8866, 5 gives a line within its section: before, at or behind `c=`.
fn rank(letter: u8) -> u8 {
    match letter {
        b'i' | b'u' | b'e' | b'p' => 0,
        b'c' => 1,
        _ => 2,
    }
}

fn write_section(out: &mut Vec<u8>, connection: Option<&Connection>, lines: &[Line]) {
    for line in lines.iter().filter(|line| rank(line.letter) == 0) {
        write(out, line.letter, &[&line.value]);
    }
    if let Some(connection) = connection {
        write(out, b'c', &[&connection.0]);
    }
    for wanted in 1..=2 {
        for line in lines.iter().filter(|line| rank(line.letter) == wanted) {
            write(out, line.letter, &[&line.value]);
        }
    }
}

fn write(out: &mut Vec<u8>, letter: u8, words: &[&[u8]]) {
    out.extend_from_slice(&[letter, b'=']);
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        crate::message::write_line(out, word);
    }
    out.extend_from_slice(b"\r\n");
}
