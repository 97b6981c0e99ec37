//! Via: the way a response goes back (RFC 3261, 20.42; RFC 3581).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::scan::{skip_space, token_end, write_line};
use super::uri::parse_port;
use super::{Host, Params, SyntaxError};

/// One hop.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Via {
    /// `UDP`, `TCP`, `TLS`, `WS`, `WSS` or something we do not speak.
    pub transport: Bytes,
    /// Where the sender says it is.
    pub host: Host,
    /// The port, when one is written.
    pub port: Option<u16>,
    /// `branch`, `received`, `rport` …
    pub params: Params,
}

/// What a Via says about the port to answer to (RFC 3581).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rport {
    /// Nothing.
    Absent,
    /// It asks for the port it sent from.
    Asked,
    /// That port, filled in.
    Port(u16),
}

impl Via {
    /// A hop of our own.
    pub fn new(transport: impl Into<Bytes>, sent_by: SocketAddr, branch: impl Into<Bytes>) -> Self {
        let mut params = Params::new();
        params.set("branch", branch);
        Via { transport: transport.into(), host: sent_by.ip().into(), port: Some(sent_by.port()), params }
    }

    /// Reads one hop; blanks may stand round the slashes and the colon.
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        let mut at = 0;
        let mut tokens = [(0, 0); 3];
        for (index, token) in tokens.iter_mut().enumerate() {
            let start = skip_space(&source, at);
            let end = token_end(&source, start);
            if end == start {
                return Err(SyntaxError("the protocol is not written as SIP/2.0/UDP"));
            }
            *token = (start, end);
            at = end;
            if index < 2 {
                at = skip_space(&source, at);
                if source.get(at) != Some(&b'/') {
                    return Err(SyntaxError("the protocol is not written as SIP/2.0/UDP"));
                }
                at += 1;
            }
        }
        let [protocol, version, transport] = tokens.map(|(start, end)| source.slice(start..end));
        if !protocol.eq_ignore_ascii_case(b"SIP") || version.as_ref() != b"2.0" {
            return Err(SyntaxError("the protocol is not SIP/2.0"));
        }
        let start = skip_space(&source, at);
        if start == at {
            return Err(SyntaxError("no host follows the protocol"));
        }
        let end = Host::end(&source, start);
        let host = Host::parse(source.slice(start..end))?;
        at = skip_space(&source, end);
        let mut port = None;
        if source.get(at) == Some(&b':') {
            let start = skip_space(&source, at + 1);
            at = source[start..]
                .iter()
                .position(|byte| !byte.is_ascii_digit())
                .map_or(source.len(), |length| start + length);
            port = Some(parse_port(&source[start..at])?);
        }
        let params = Params::parse_header(&source, at)?;
        Ok(Via { transport, host, port, params })
    }

    /// What names the transaction, when it says something.
    pub fn branch(&self) -> Option<&Bytes> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// The address it was really sent from, as who received it wrote down. Brackets round IPv6 are welcome (RFC 5118, 4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let value = std::str::from_utf8(self.params.get("received")?).ok()?;
        value.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// What it says about the port to answer to.
    pub fn rport(&self) -> Rport {
        match self.params.get("rport").map(|port| parse_port(port)) {
            Some(Ok(port)) => Rport::Port(port),
            _ if self.params.has("rport") => Rport::Asked,
            _ => Rport::Absent,
        }
    }

    /// Writes down where the request came from (RFC 3261, 18.2.1; RFC 3581, 4).
    ///
    /// What the sender itself put into `received` and `rport` is no evidence and goes.
    pub fn stamp(&mut self, source: SocketAddr) {
        let asked = self.params.has("rport");
        self.params.remove("received");
        if asked {
            self.params.set("rport", source.port().to_string());
        }
        if asked || self.host != Host::Address(source.ip()) {
            self.params.set("received", source.ip().to_string());
        }
    }

    /// The hop as it stands in a header.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(96);
        self.write(&mut out);
        out.into()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SIP/2.0/");
        write_line(out, &self.transport);
        out.push(b' ');
        self.host.write(out);
        if let Some(port) = self.port {
            out.push(b':');
            out.extend_from_slice(port.to_string().as_bytes());
        }
        self.params.write(out);
    }
}

impl From<&Via> for Bytes {
    fn from(via: &Via) -> Self {
        via.print()
    }
}

impl From<Via> for Bytes {
    fn from(via: Via) -> Self {
        via.print()
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.print()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_is_read_through_blanks() {
        let via = parse("SIP  / 2.0  / TCP     spindle.example.com : 4000  ;  branch  =   z9hG4bK9ikj8");

        assert_eq!(via.transport, "TCP");
        assert_eq!(via.port, Some(4000));
        assert_eq!(via.branch().map(Bytes::as_ref), Some(&b"z9hG4bK9ikj8"[..]));
        assert_eq!(via.print(), "SIP/2.0/TCP spindle.example.com:4000;branch=z9hG4bK9ikj8");
    }

    #[test]
    fn received_may_wear_brackets_or_not() {
        let address = Some("2001:db8::9:255".parse().unwrap());

        assert_eq!(parse("SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]").received(), address);
        assert_eq!(parse("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255").received(), address);
    }

    #[test]
    fn a_stamp_tells_where_it_came_from_and_trusts_nothing_the_sender_wrote() {
        let stamped = |text: &str| {
            let mut via = parse(text);
            via.stamp("192.0.2.9:40000".parse().unwrap());
            via.print()
        };

        assert_eq!(stamped("SIP/2.0/UDP 192.0.2.9;branch=1"), "SIP/2.0/UDP 192.0.2.9;branch=1");
        assert_eq!(stamped("SIP/2.0/UDP 10.0.0.1;branch=1"), "SIP/2.0/UDP 10.0.0.1;branch=1;received=192.0.2.9");
        assert_eq!(
            stamped("SIP/2.0/UDP 10.0.0.1;rport=1;received=192.0.2.200"),
            "SIP/2.0/UDP 10.0.0.1;rport=40000;received=192.0.2.9"
        );
        assert_eq!(stamped("SIP/2.0/UDP 192.0.2.9;rport"), "SIP/2.0/UDP 192.0.2.9;rport=40000;received=192.0.2.9");
    }

    fn parse(text: &str) -> Via {
        Via::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }
}
