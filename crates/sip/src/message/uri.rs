//! SIP, SIPS and tel URIs (RFC 3261, 19.1; RFC 3966). Other schemes are values too: they deserve a 416.
//!
//! Parts are kept as they were written, so that a remote target goes back to its owner letter by letter.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;

use super::scan::{parse_number, write_line};
use super::{Host, Params, SyntaxError};

/// What a URI begins with.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// Any other, as written.
    Other(Bytes),
}

/// A URI.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Uri {
    /// What follows is read by it.
    pub scheme: Scheme,
    /// The user as written, escapes included; the number of a `tel:`; everything behind the colon of other schemes.
    pub user: Option<Bytes>,
    /// What stands behind a colon in the user part. Nobody should send one.
    pub password: Option<Bytes>,
    /// `None` exactly for `tel:` and other schemes.
    pub host: Option<Host>,
    /// The port, when one is written.
    pub port: Option<u16>,
    /// `;transport=tcp;lr`
    pub params: Params,
    /// What stands behind `?`, as written.
    pub headers: Option<Bytes>,
}

impl Uri {
    /// `sip:host`
    pub fn sip(host: impl Into<Host>) -> Self {
        Uri {
            scheme: Scheme::Sip,
            user: None,
            password: None,
            host: Some(host.into()),
            port: None,
            params: Params::new(),
            headers: None,
        }
    }

    /// `sip:address:port`
    pub fn of(address: SocketAddr) -> Self {
        Uri::sip(address.ip()).with_port(address.port())
    }

    /// The same with a user, whose letters are escaped as needed; an empty one is none.
    pub fn with_user(mut self, user: impl AsRef<[u8]>) -> Self {
        self.user = Some(escape_user(user.as_ref())).filter(|user| !user.is_empty());
        self
    }

    /// The same with a port.
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// The same with a parameter.
    pub fn with_param(mut self, name: &'static str, value: impl Into<Bytes>) -> Self {
        self.params.set(name, value);
        self
    }

    /// Reads a URI, without angle brackets or blanks round it.
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        if source.iter().any(|byte| *byte <= b' ' || *byte == 0x7f || matches!(byte, b'<' | b'>' | b'"')) {
            return Err(SyntaxError("a URI has a letter that must be escaped"));
        }
        let colon = source.iter().position(|byte| *byte == b':').ok_or(SyntaxError("a URI has no scheme"))?;
        let scheme = Scheme::parse(source.slice(..colon))?;
        match scheme {
            Scheme::Sip | Scheme::Sips => Self::parse_sip(scheme, &source, colon + 1),
            Scheme::Tel => Self::parse_tel(&source, colon + 1),
            Scheme::Other(_) if colon + 1 == source.len() => Err(SyntaxError("a URI ends behind its scheme")),
            Scheme::Other(_) => Ok(Self::hostless(scheme, source.slice(colon + 1..), Params::new())),
        }
    }

    fn parse_sip(scheme: Scheme, source: &Bytes, from: usize) -> Result<Self, SyntaxError> {
        let (mut user, mut password, mut at) = (None, None, from);
        if let Some(length) = source[from..].iter().position(|byte| *byte == b'@') {
            let end = from + length;
            let colon = source[from..end].iter().position(|byte| *byte == b':').map(|length| from + length);
            let user_end = colon.unwrap_or(end);
            if user_end == from {
                return Err(SyntaxError("the user of a URI is empty"));
            }
            user = Some(source.slice(from..user_end));
            password = colon.map(|colon| source.slice(colon + 1..end));
            at = end + 1;
        }
        let host_end = Host::end(source, at);
        let host = Host::parse(source.slice(at..host_end))?;
        at = host_end;
        let mut port = None;
        if source.get(at) == Some(&b':') {
            let end = source[at + 1..].iter().position(|byte| !byte.is_ascii_digit());
            let end = end.map_or(source.len(), |length| at + 1 + length);
            port = Some(parse_port(&source[at + 1..end])?);
            at = end;
        }
        let question = source[at..].iter().position(|byte| *byte == b'?').map(|length| at + length);
        let params = Params::parse_uri(source, at, question.unwrap_or(source.len()))?;
        let headers = question.map(|question| source.slice(question + 1..));
        Ok(Uri { scheme, user, password, host: Some(host), port, params, headers })
    }

    fn parse_tel(source: &Bytes, from: usize) -> Result<Self, SyntaxError> {
        let end = source[from..].iter().position(|byte| *byte == b';').map_or(source.len(), |length| from + length);
        let number = source.slice(from..end);
        let is_dialled = |byte: &u8| byte.is_ascii_hexdigit() || b"+-.()*#".contains(byte);
        if number.is_empty() || !number.iter().all(is_dialled) {
            return Err(SyntaxError("a tel URI has no number"));
        }
        let params = Params::parse_uri(source, end, source.len())?;
        Ok(Self::hostless(Scheme::Tel, number, params))
    }

    fn hostless(scheme: Scheme, user: Bytes, params: Params) -> Self {
        Uri { scheme, user: Some(user), password: None, host: None, port: None, params, headers: None }
    }

    /// The user with its escapes resolved.
    pub fn user_text(&self) -> Option<Cow<'_, [u8]>> {
        self.user.as_deref().map(unescape)
    }

    /// What a header behind the `?` says, escapes resolved; the first of that name.
    pub fn header(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let headers = self.headers.as_deref()?;
        headers.split(|byte| *byte == b'&').find_map(|field| {
            let equals = field.iter().position(|byte| *byte == b'=')?;
            unescape(&field[..equals]).eq_ignore_ascii_case(name.as_bytes()).then(|| unescape(&field[equals + 1..]))
        })
    }

    /// Whether both name the same thing (RFC 3261, 19.1.4): escapes resolved, parameters in any order.
    pub fn is_same_as(&self, other: &Uri) -> bool {
        const MUST_MATCH: [&[u8]; 5] = [b"user", b"ttl", b"method", b"maddr", b"transport"];
        let same_value = |ours: &Option<Bytes>, theirs: &Option<Bytes>| match (ours, theirs) {
            (Some(ours), Some(theirs)) => unescape(ours).eq_ignore_ascii_case(&unescape(theirs)),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        let agrees = |ours: &Params, theirs: &Params| {
            ours.iter().all(|param| match (ours.find(&param.name), theirs.find(&param.name)) {
                (Some(ours), Some(theirs)) => same_value(&ours.value, &theirs.value),
                _ => !MUST_MATCH.iter().any(|must| param.name.eq_ignore_ascii_case(must)),
            })
        };
        self.scheme == other.scheme
            && self.user_text() == other.user_text()
            && self.password.as_deref().map(unescape) == other.password.as_deref().map(unescape)
            && self.host == other.host
            && self.port == other.port
            && agrees(&self.params, &other.params)
            && agrees(&other.params, &self.params)
            && self.headers == other.headers
    }

    /// The URI as it goes on the wire, without angle brackets.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(64);
        self.write(&mut out);
        out.into()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        match &self.scheme {
            Scheme::Sip => out.extend_from_slice(b"sip:"),
            Scheme::Sips => out.extend_from_slice(b"sips:"),
            Scheme::Tel => out.extend_from_slice(b"tel:"),
            Scheme::Other(scheme) => {
                out.extend_from_slice(scheme);
                out.push(b':');
            }
        }
        if let Some(user) = &self.user {
            out.extend_from_slice(user);
        }
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend_from_slice(password);
        }
        if let Some(host) = &self.host {
            if self.user.is_some() {
                out.push(b'@');
            }
            host.write(out);
        }
        if let Some(port) = self.port {
            out.push(b':');
            out.extend_from_slice(port.to_string().as_bytes());
        }
        self.params.write(out);
        if let Some(headers) = &self.headers {
            out.push(b'?');
            write_line(out, headers);
        }
        // A part that was set by hand must not end the URI, or the line, that it stands in.
        for byte in &mut out[start..] {
            if *byte <= b' ' || *byte == 0x7f || matches!(*byte, b'<' | b'>' | b'"') {
                *byte = b'_';
            }
        }
    }
}

impl Scheme {
    fn parse(name: Bytes) -> Result<Self, SyntaxError> {
        if name.eq_ignore_ascii_case(b"sip") {
            return Ok(Scheme::Sip);
        }
        if name.eq_ignore_ascii_case(b"sips") {
            return Ok(Scheme::Sips);
        }
        if name.eq_ignore_ascii_case(b"tel") {
            return Ok(Scheme::Tel);
        }
        let letters = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
        if !letters || !name.first().is_some_and(u8::is_ascii_alphabetic) {
            return Err(SyntaxError("a URI has no scheme"));
        }
        Ok(Scheme::Other(name))
    }
}

impl From<&Uri> for Bytes {
    fn from(uri: &Uri) -> Self {
        uri.print()
    }
}

impl From<Uri> for Bytes {
    fn from(uri: Uri) -> Self {
        uri.print()
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.print()))
    }
}

pub(crate) fn parse_port(digits: &[u8]) -> Result<u16, SyntaxError> {
    parse_number(digits).and_then(|port| u16::try_from(port).ok()).ok_or(SyntaxError("a port is no port number"))
}

fn unescape(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        if *byte == b'%'
            && let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2))
        {
            plain.push((high * 16 + low) as u8);
            at += 3;
        } else {
            plain.push(*byte);
            at += 1;
        }
    }
    Cow::Owned(plain)
}

fn escape_user(user: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(user.len());
    for byte in user {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sip_uri_comes_apart_into_its_parts() {
        let uri = parse("sips:alice:secret@[2001:db8::9]:5071;transport=tcp;lr?subject=hi%20there&x=y");

        assert_eq!(uri.scheme, Scheme::Sips);
        assert_eq!(uri.user.as_deref(), Some(&b"alice"[..]));
        assert_eq!(uri.password.as_deref(), Some(&b"secret"[..]));
        assert_eq!(uri.host, Some(Host::Address("2001:db8::9".parse().unwrap())));
        assert_eq!(uri.port, Some(5071));
        assert_eq!(uri.params.get("TRANSPORT").map(Bytes::as_ref), Some(&b"tcp"[..]));
        assert!(uri.params.has("lr"));
        assert_eq!(uri.header("Subject").as_deref(), Some(&b"hi there"[..]));
    }

    #[test]
    fn a_users_escapes_are_resolved_for_reading_and_kept_for_the_way_back() {
        let uri = parse("sip:sips%3Auser%40example.com@example.net");

        assert_eq!(uri.user_text().as_deref(), Some(&b"sips:user@example.com"[..]));
        assert_eq!(uri.print(), "sip:sips%3Auser%40example.com@example.net");
    }

    #[test]
    fn a_user_we_set_is_escaped() {
        let uri = Uri::of("192.0.2.1:5060".parse().unwrap()).with_user("a@b:c d\r\n#1");

        assert_eq!(uri.print(), "sip:a%40b%3Ac%20d%0D%0A%231@192.0.2.1:5060");
        assert_eq!(parse("sip:a%40b%3Ac%20d%0D%0A%231@192.0.2.1:5060"), uri);
    }

    #[test]
    fn tel_numbers_and_unknown_schemes_are_values() {
        let tel = parse("tel:+84-28-7308-8088;phone-context=example.com");
        let other = parse("nobodyKnowsThisScheme:totallyopaquecontent");

        assert_eq!((tel.user.as_deref(), tel.host.as_ref()), (Some(&b"+84-28-7308-8088"[..]), None));
        assert_eq!(tel.params.get("phone-context").map(Bytes::as_ref), Some(&b"example.com"[..]));
        assert_eq!(other.scheme, Scheme::Other("nobodyKnowsThisScheme".into()));
        assert_eq!(other.print(), "nobodyKnowsThisScheme:totallyopaquecontent");
    }

    #[test]
    fn uris_are_the_same_as_rfc_3261_says() {
        let same = [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            ("sip:a@b;x=1;y=2", "sip:a@b;y=2;x=1"),
            ("sip:a@b;x=1;x=2", "sip:a@b;x=1;x=2"),
        ];
        let different = [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtlanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ];

        for (one, other) in same {
            assert!(parse(one).is_same_as(&parse(other)), "{one} {other}");
        }
        for (one, other) in different {
            assert!(!parse(one).is_same_as(&parse(other)), "{one} {other}");
        }
    }

    fn parse(text: &str) -> Uri {
        Uri::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }
}
