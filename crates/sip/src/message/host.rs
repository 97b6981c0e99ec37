//! Where something is: a name or an address, as URIs and Via carry it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use super::SyntaxError;
use super::scan::write_line;

/// A host. Names are compared case-blind, addresses by what they mean.
#[derive(Clone, Debug)]
pub enum Host {
    /// A name, as written. Nothing here resolves it.
    Name(Bytes),
    /// An address; an IPv6 address is written in brackets.
    Address(IpAddr),
}

impl Host {
    /// Reads a name, an IPv4 address or an IPv6 address in brackets.
    pub fn parse(bytes: Bytes) -> Result<Self, SyntaxError> {
        if let [b'[', inside @ .., b']'] = bytes.as_ref() {
            let address = std::str::from_utf8(inside).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
            return address
                .map(|address| Host::Address(address.into()))
                .ok_or(SyntaxError("an IPv6 address is broken"));
        }
        if bytes.first().is_some_and(u8::is_ascii_digit)
            && let Some(address) = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse::<Ipv4Addr>().ok())
        {
            return Ok(Host::Address(address.into()));
        }
        // Underscores are no letters of a host name, and yet names have them.
        if bytes.is_empty()
            || !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        {
            return Err(SyntaxError("a host is neither a name nor an address"));
        }
        Ok(Host::Name(bytes))
    }

    /// The address, when it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Host::Address(address) => Some(*address),
            Host::Name(_) => None,
        }
    }

    /// Where a host and its port end that start at `from`.
    pub(crate) fn end(bytes: &[u8], from: usize) -> usize {
        if bytes.get(from) == Some(&b'[') {
            return bytes[from..].iter().position(|byte| *byte == b']').map_or(bytes.len(), |length| from + length + 1);
        }
        bytes[from..]
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')))
            .map_or(bytes.len(), |length| from + length)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Host::Name(name) => write_line(out, name),
            Host::Address(IpAddr::V4(address)) => out.extend_from_slice(address.to_string().as_bytes()),
            Host::Address(IpAddr::V6(address)) => out.extend_from_slice(format!("[{address}]").as_bytes()),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Host::Address(address)
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Host::Name(ours), Host::Name(theirs)) => ours.eq_ignore_ascii_case(theirs),
            (Host::Address(ours), Host::Address(theirs)) => ours == theirs,
            _ => false,
        }
    }
}

impl Eq for Host {}

impl Hash for Host {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Host::Name(name) => name.iter().for_each(|byte| state.write_u8(byte.to_ascii_lowercase())),
            Host::Address(address) => address.hash(state),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(&String::from_utf8_lossy(name)),
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}
