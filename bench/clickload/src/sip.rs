//! As much of SIP and SDP as a well-behaved phone needs: reading, answering, digest. No state.

use std::fmt::Write;
use std::net::SocketAddrV4;

/// A message, borrowed from its bytes.
pub struct Message<'a> {
    start: &'a str,
    headers: Vec<(&'a str, &'a str)>,
}

/// Reads a message. What is not one is None.
pub fn parse(bytes: &[u8]) -> Option<Message<'_>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let start = lines.next()?;
    let headers = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (long(name.trim()), value.trim()));
    Some(Message { start, headers: headers.collect() })
}

impl<'a> Message<'a> {
    /// The status of an answer; None for a request.
    pub fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// The method of a request.
    pub fn method(&self) -> &'a str {
        self.start.split(' ').next().unwrap_or("")
    }

    /// The user part of the request URI.
    pub fn target(&self) -> &'a str {
        user(self.start.split(' ').nth(1).unwrap_or(""))
    }

    /// The first header of this name, or an empty text.
    pub fn get(&self, name: &str) -> &'a str {
        self.all(name).next().unwrap_or("")
    }

    /// Number and method.
    pub fn cseq(&self) -> (u32, &'a str) {
        let mut parts = self.get("CSeq").split_whitespace();
        (parts.next().and_then(|number| number.parse().ok()).unwrap_or(0), parts.next().unwrap_or(""))
    }

    /// Whether it belongs to a dialog.
    pub fn in_dialog(&self) -> bool {
        self.get("To").contains(";tag=")
    }

    /// The proxies that requests of the answering side have to pass, in order.
    pub fn routes(&self) -> Vec<String> {
        self.all("Record-Route").flat_map(|line| line.split(',')).map(|route| route.trim().to_owned()).collect()
    }

    /// The challenge that MD5 answers.
    pub fn challenge(&self) -> Option<&'a str> {
        let md5 = |header: &&str| parameter(header, "algorithm").is_none_or(|name| name.eq_ignore_ascii_case("MD5"));
        self.all("WWW-Authenticate").find(md5)
    }

    /// An answer up to its own headers; `tag` is set where the request has none.
    pub fn answer(&self, status: &str, tag: &str) -> String {
        let mut out = format!("SIP/2.0 {status}\r\n");
        for name in ["Via", "Record-Route"] {
            for value in self.all(name) {
                let _ = write!(out, "{name}: {value}\r\n");
            }
        }
        let to = self.get("To");
        let tag = if self.in_dialog() { String::new() } else { format!(";tag={tag}") };
        let (from, call_id, cseq) = (self.get("From"), self.get("Call-ID"), self.get("CSeq"));
        let _ = write!(out, "From: {from}\r\nTo: {to}{tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n");
        out
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// The URI of a name-addr or of a bare address.
pub fn uri(header: &str) -> &str {
    match header.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
        Some((uri, _)) => uri,
        None => header.split(';').next().unwrap_or(header).trim(),
    }
}

/// The user part of an address.
pub fn user(header: &str) -> &str {
    let uri = uri(header);
    let uri = uri.strip_prefix("sips:").or_else(|| uri.strip_prefix("sip:")).unwrap_or(uri);
    uri.split(['@', ';']).next().unwrap_or("")
}

/// Closes a message without a body.
pub fn without_body(mut head: String) -> Vec<u8> {
    head.push_str("Content-Length: 0\r\n\r\n");
    head.into_bytes()
}

/// Closes a message with our one sound description: G.711 and keys, at `sound`.
pub fn with_sound(mut head: String, sound: SocketAddrV4) -> Vec<u8> {
    let (ip, port) = (sound.ip(), sound.port());
    let body = format!(
        "v=0\r\no=- {port} 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 0 101\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n\
         a=ptime:20\r\na=sendrecv\r\n"
    );
    let _ = write!(head, "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    head.into_bytes()
}

/// The value of an Authorization header (RFC 2617, MD5).
pub fn authorization(challenge: &str, user: &str, password: &str, method: &str, uri: &str) -> String {
    let given = |name| parameter(challenge, name).unwrap_or_default();
    let (realm, nonce, opaque) = (given("realm"), given("nonce"), given("opaque"));
    let secret = hex(&format!("{user}:{realm}:{password}"));
    let request = hex(&format!("{method}:{uri}"));
    let mut out =
        format!("Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=MD5");
    if given("qop").is_empty() {
        let _ = write!(out, ", response=\"{}\"", hex(&format!("{secret}:{nonce}:{request}")));
    } else {
        let response = hex(&format!("{secret}:{nonce}:00000001:5eed5eed:auth:{request}"));
        let _ = write!(out, ", qop=auth, nc=00000001, cnonce=\"5eed5eed\", response=\"{response}\"");
    }
    if !opaque.is_empty() {
        let _ = write!(out, ", opaque=\"{opaque}\"");
    }
    out
}

/// The value of `name="…"` or `name=…` in a list with commas.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut places = header.match_indices(name).map(|(at, _)| at);
    places.find_map(|at| {
        let before = header[..at].chars().next_back();
        let value = header[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        if !before.is_none_or(|before| matches!(before, ' ' | ',' | '\t')) {
            return None;
        }
        match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value.split(',').next().map(str::trim),
        }
    })
}

fn hex(text: &str) -> String {
    format!("{:x}", md5::compute(text))
}

fn long(name: &str) -> &str {
    match name {
        "v" => "Via",
        "f" => "From",
        "t" => "To",
        "i" => "Call-ID",
        "m" => "Contact",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_answered_as_rfc_2617_says() {
        let challenge = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";

        let value = authorization(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html");

        assert!(value.ends_with(", response=\"670fd8c2df070c60b045671b8b24ff02\""), "{value}");
    }

    #[test]
    fn an_answer_repeats_the_request_and_gets_a_tag() {
        let request = b"INVITE sip:2000@127.0.0.1:5070 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n\
            Record-Route: <sip:a;lr>, <sip:b;lr>\r\nf: <sip:0900000001@127.0.0.1>;tag=1\r\nTo: <sip:2000@127.0.0.1>\r\n\
            Call-ID: c\r\nCSeq: 7 INVITE\r\n\r\n";
        let message = parse(request).expect("a message");

        let answer = message.answer("180 Ringing", "x");

        assert_eq!(
            (message.target(), user(message.get("From")), message.cseq()),
            ("2000", "0900000001", (7, "INVITE"))
        );
        assert_eq!(message.routes(), ["<sip:a;lr>", "<sip:b;lr>"]);
        assert!(answer.contains("Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n") && answer.contains(">;tag=x\r\n"));
    }
}
