//! One message from its bytes, judged.
//!
//! Lines end in CRLF; a lone LF is taken too, a lone CR is not. The headers that a message cannot do without are read
//! once here, so that whoever gets a [`Message`] can answer it. The first thing that is wrong decides; the rest is
//! still read as far as it can be, because the answer needs it.

use std::ops::Range;

use bytes::Bytes;
use memchr::memchr;

use super::scan::{is_space, is_whole_token, parse_number, skip_space, token_end, trim};
use super::{
    CSeq, HeaderError, HeaderName, Headers, Malformed, Message, Method, Request, Response, SyntaxError, Uri, limits,
};

/// Where a message's bytes come from, and so where its body ends (RFC 3261, 18.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// A datagram or WebSocket message: without a Content-Length the body runs to the end; what is too much is dropped.
    Datagram,
    /// A stream, cut by [`super::Framer`]: Content-Length is needed and exact.
    Stream,
}

/// Reads one message.
pub fn parse(bytes: Bytes, framing: Framing) -> Result<Message, Malformed> {
    if bytes.len() > limits::MESSAGE {
        return Err(Malformed { sentence: format!("a message of {} octets is too large", bytes.len()), reply: None });
    }
    // RFC 3261 section 7.5: empty lines before the start line are passed over.
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    // Most messages have fewer headers; growing step by step costs more than the room.
    let fields = Fields { headers: Headers::with_capacity(20), content_length: None };
    let mut draft = Draft { bytes, at: start, defect: None, fields };
    let Some(line) = draft.next_line() else {
        return Err(Malformed { sentence: "a message has no start line".into(), reply: None });
    };
    let line = draft.bytes.slice(line);
    let start_line = match read_start_line(&line) {
        Ok(start_line) => Some(start_line),
        Err(defect) => {
            draft.note(defect);
            None
        }
    };
    draft.read_headers();
    let body = draft.read_body(framing);
    draft.check(start_line.as_ref());
    match (start_line, draft.defect) {
        (Some(StartLine::Request(method, uri)), None) => {
            Ok(Message::Request(Request { method, uri, headers: draft.fields.headers, body }))
        }
        (Some(StartLine::Response(status, reason)), None) => {
            Ok(Message::Response(Response { status, reason, headers: draft.fields.headers, body }))
        }
        (_, defect) => {
            let defect = defect.unwrap_or(Defect::new(400, "a message cannot be read"));
            let asks = !line.starts_with(b"SIP/") && !line.starts_with(b"ACK ");
            let reply = asks.then(|| refusal(defect.status, draft.fields.headers)).flatten();
            Err(Malformed { sentence: defect.sentence, reply })
        }
    }
}

enum StartLine {
    Request(Method, Uri),
    Response(u16, Bytes),
}

struct Defect {
    status: u16,
    sentence: String,
}

impl Defect {
    fn new(status: u16, sentence: impl Into<String>) -> Self {
        Defect { status, sentence: sentence.into() }
    }
}

fn read_start_line(line: &Bytes) -> Result<StartLine, Defect> {
    if line.len() > limits::LINE {
        return Err(Defect::new(414, "the start line is too long"));
    }
    if line.contains(&b'\r') {
        return Err(Defect::new(400, "a carriage return stands alone"));
    }
    let first_blank = line.iter().position(|byte| is_space(*byte)).unwrap_or(line.len());
    if is_version(&line[..first_blank]) {
        return read_status_line(line, first_blank);
    }
    if !is_whole_token(&line[..first_blank]) {
        return Err(Defect::new(400, "the method is no token"));
    }
    let last_blank = line.iter().rposition(|byte| is_space(*byte)).unwrap_or(0);
    let version = &line[(last_blank + 1).min(line.len())..];
    if last_blank <= first_blank || !is_version(version) {
        return Err(Defect::new(400, "the start line does not end in a SIP version"));
    }
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(Defect::new(505, "the SIP version is not 2.0"));
    }
    if line[first_blank] != b' ' || line[last_blank] != b' ' {
        return Err(Defect::new(400, "the parts of the start line are not parted by single blanks"));
    }
    let uri = Uri::parse(line.slice(first_blank + 1..last_blank))
        .map_err(|why| Defect::new(400, format!("the Request-URI cannot be read: {why}")))?;
    // RFC 3261 table 1 and section 19.1.1: headers have no place in a Request-URI.
    if uri.headers.is_some() {
        return Err(Defect::new(400, "the Request-URI carries headers"));
    }
    Ok(StartLine::Request(Method::from_token(line.slice(..first_blank)), uri))
}

fn read_status_line(line: &Bytes, first_blank: usize) -> Result<StartLine, Defect> {
    if !line[..first_blank].eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(Defect::new(505, "the SIP version is not 2.0"));
    }
    let rest = &line[first_blank..];
    let [b' ', digits @ ..] = rest else { return Err(Defect::new(400, "a status line has no status")) };
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let status = if end == 3 { parse_number(&digits[..end]) } else { None };
    let Some(status @ 100..700) = status else { return Err(Defect::new(400, "the status is not in 100 to 699")) };
    match &digits[end..] {
        [] => Ok(StartLine::Response(status as u16, Bytes::new())),
        [b' ', phrase @ ..] => Ok(StartLine::Response(status as u16, line.slice_ref(phrase))),
        _ => Err(Defect::new(400, "a blank is missing behind the status")),
    }
}

fn is_version(word: &[u8]) -> bool {
    word.len() > 4 && word[..4].eq_ignore_ascii_case(b"SIP/")
}

/// What has been read, and the first thing that was wrong.
struct Draft {
    bytes: Bytes,
    at: usize,
    defect: Option<Defect>,
    fields: Fields,
}

impl Draft {
    fn note(&mut self, defect: Defect) {
        self.defect.get_or_insert(defect);
    }

    /// Where the next line stands, without its end, which is passed over.
    fn next_line(&mut self) -> Option<Range<usize>> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return None;
        }
        let start = self.at;
        let (end, next) = match memchr(b'\n', rest) {
            Some(length) if length > 0 && rest[length - 1] == b'\r' => (start + length - 1, start + length + 1),
            Some(length) => (start + length, start + length + 1),
            None => (self.bytes.len(), self.bytes.len()),
        };
        self.at = next;
        Some(start..end)
    }

    fn read_headers(&mut self) {
        let mut count = 0;
        loop {
            let Some(line) = self.next_line() else {
                return self.note(Defect::new(400, "the empty line behind the headers is missing"));
            };
            if line.is_empty() {
                return;
            }
            count += 1;
            if count > limits::HEADERS {
                return self.note(Defect::new(400, "there are too many headers"));
            }
            let goes_on = self.bytes.get(self.at).is_some_and(|byte| is_space(*byte));
            let read = if goes_on {
                let whole = self.unfold(line);
                self.fields.read(&whole, 0..whole.len())
            } else {
                self.fields.read(&self.bytes, line)
            };
            if let Err(sentence) = read {
                self.note(Defect::new(400, sentence));
            }
        }
    }

    /// Joins a line and those that continue it, each with a single blank (RFC 3261, 7.3.1).
    fn unfold(&mut self, line: Range<usize>) -> Bytes {
        let mut whole = self.bytes[line].trim_ascii_end().to_vec();
        while self.bytes.get(self.at).is_some_and(|byte| is_space(*byte)) {
            let Some(more) = self.next_line() else { break };
            // Beyond the limit the line is only long; nothing of it is kept.
            if whole.len() <= limits::LINE {
                whole.push(b' ');
                whole.extend_from_slice(trim(&self.bytes[more]));
            }
        }
        whole.into()
    }

    fn read_body(&mut self, framing: Framing) -> Bytes {
        let rest = self.bytes.slice(self.at..);
        match self.fields.content_length {
            Some(length) if length > rest.len() => {
                self.note(Defect::new(400, "the body is shorter than its Content-Length"));
                Bytes::new()
            }
            Some(length) if length < rest.len() && framing == Framing::Stream => {
                self.note(Defect::new(400, "the body is longer than its Content-Length"));
                Bytes::new()
            }
            Some(length) => rest.slice(..length),
            None if framing == Framing::Stream => {
                self.note(Defect::new(400, "a message on a stream has no Content-Length"));
                Bytes::new()
            }
            None => rest,
        }
    }

    /// Reads once what whoever gets the message will rely on.
    fn check(&mut self, start_line: Option<&StartLine>) {
        let (None, Some(start_line)) = (&self.defect, start_line) else { return };
        let headers = &self.fields.headers;
        let checked = match start_line {
            StartLine::Request(method, _) => check_request(method, headers),
            // A response is an answer to us: what we can do without is no reason not to hear it.
            StartLine::Response(..) => check_any(headers).map(|_| ()),
        };
        if let Err(why) = checked {
            self.note(Defect::new(400, why.to_string()));
        }
    }
}

fn check_request(method: &Method, headers: &Headers) -> Result<(), HeaderError> {
    let cseq = check_any(headers)?;
    headers.contacts()?;
    headers.routes()?;
    headers.record_routes()?;
    headers.max_forwards()?;
    headers.expires()?;
    if cseq.method != *method {
        let why = SyntaxError("it names another method than the start line");
        return Err(HeaderError::Malformed { header: HeaderName::CSeq, why });
    }
    Ok(())
}

fn check_any(headers: &Headers) -> Result<CSeq, HeaderError> {
    if headers.vias()?.is_empty() {
        return Err(HeaderError::Missing(HeaderName::Via));
    }
    headers.from()?;
    headers.to()?;
    headers.call_id()?;
    headers.cseq()
}

/// The header fields so far.
struct Fields {
    headers: Headers,
    content_length: Option<usize>,
}

impl Fields {
    fn read(&mut self, source: &Bytes, line: Range<usize>) -> Result<(), &'static str> {
        let (start, line) = (line.start, &source[line]);
        if line.len() > limits::LINE {
            return Err("a header line is too long");
        }
        if line.contains(&b'\r') {
            return Err("a carriage return stands alone");
        }
        let name_end = token_end(line, 0);
        let colon = skip_space(line, name_end);
        if name_end == 0 || line.get(colon) != Some(&b':') {
            return Err("a header line has no name and colon");
        }
        let name = HeaderName::known(&line[..name_end]);
        let value = trim(&line[colon + 1..]);
        if name == Some(HeaderName::ContentLength) {
            let length = parse_number(value).and_then(|length| usize::try_from(length).ok());
            let length = length.ok_or("the Content-Length is no length")?;
            return match self.content_length.replace(length) {
                Some(other) if other != length => Err("two Content-Lengths differ"),
                _ => Ok(()),
            };
        }
        let name = name.unwrap_or_else(|| HeaderName::Other(source.slice(start..start + name_end)));
        self.headers.push(name, source.slice_ref(value));
        Ok(())
    }
}

/// The answer to a request that cannot be read, of the headers that could be.
fn refusal(status: u16, headers: Headers) -> Option<Response> {
    const COPIED: [HeaderName; 5] =
        [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];
    headers.get(&HeaderName::Via).filter(|via| !via.is_empty())?;
    let mut response = Response::new(status);
    response.headers = headers
        .iter()
        .filter(|(name, _)| COPIED.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=1\r\nFrom: <sip:a@b>;tag=1\r\n\
        To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";

    #[test]
    fn a_datagram_without_a_length_ends_the_body() {
        let message = datagram(&format!("{HEAD}\r\nv=0\r\n")).unwrap();

        assert_eq!(message.body(), "v=0\r\n");
    }

    #[test]
    fn a_datagram_may_be_longer_than_its_length_and_a_stream_message_may_not() {
        let text = format!("{HEAD}Content-Length: 2\r\n\r\nabc");

        assert_eq!(datagram(&text).unwrap().body(), "ab");
        assert!(parse(text.into(), Framing::Stream).is_err());
    }

    #[test]
    fn a_byte_that_is_no_utf_8_costs_no_other_header() {
        let mut bytes = HEAD.as_bytes().to_vec();
        bytes.extend_from_slice(b"Subject: \xff\xfe\r\nUser-Agent: x\r\n\r\n");

        let message = parse(bytes.into(), Framing::Datagram).unwrap();

        assert_eq!(message.headers().get(&HeaderName::Subject).map(Bytes::as_ref), Some(&b"\xff\xfe"[..]));
        assert!(message.headers().has(&HeaderName::UserAgent));
    }

    #[test]
    fn folded_lines_are_one_value() {
        let message = datagram(&format!("{HEAD}Subject: one\r\n  two  \r\n\tthree\r\n\r\n")).unwrap();

        assert_eq!(message.headers().get(&HeaderName::Subject).map(Bytes::as_ref), Some(&b"one two three"[..]));
    }

    #[test]
    fn what_is_too_much_is_refused_with_an_answer() {
        let cases = [
            ("headers", "a: b\r\n".repeat(252) + "\r\n"),
            ("folds", format!("Subject: x\r\n{}\r\n", " y\r\n".repeat(15_000))),
            ("line", format!("Subject: {}\r\n\r\n", "x".repeat(limits::LINE))),
            ("params", format!("Contact: <sip:a@b>{}\r\n\r\n", ";p=1".repeat(1_500))),
            ("vias", format!("{}\r\n", "Via: SIP/2.0/UDP h,SIP/2.0/UDP h,SIP/2.0/UDP h\r\n".repeat(60))),
        ];

        for (what, tail) in cases {
            let malformed = datagram(&format!("{HEAD}{tail}")).unwrap_err();
            assert_eq!(malformed.reply.map(|reply| reply.status), Some(400), "{what}");
        }
        let long_uri = HEAD.replace("sip:a@b SIP", &format!("sip:{}@b SIP", "a".repeat(limits::LINE)));
        assert_eq!(datagram(&format!("{long_uri}\r\n")).unwrap_err().reply.map(|reply| reply.status), Some(414));
        assert_eq!(datagram(&format!("{HEAD}\r\n{}", "x".repeat(limits::MESSAGE))).unwrap_err().reply, None);
    }

    #[test]
    fn exactly_the_limits_are_taken() {
        let headers = "a: b\r\n".repeat(limits::HEADERS - 5);
        let line = format!("Subject: {}\r\n", "x".repeat(limits::LINE - 9));

        assert!(datagram(&format!("{HEAD}{headers}\r\n")).is_ok());
        assert!(datagram(&format!("{HEAD}{line}\r\n")).is_ok());
    }

    #[test]
    fn a_refusal_carries_what_could_be_read() {
        let malformed = datagram(&format!("{HEAD}Contact: <sip:a@b\r\n\r\n")).unwrap_err();

        let reply = malformed.reply.unwrap();

        assert_eq!(malformed.sentence, "Contact cannot be read: an angle bracket is not closed");
        assert_eq!(
            reply.print(),
            "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP h;branch=1\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_response_is_heard_whatever_its_contact_looks_like() {
        let response = HEAD.replace("OPTIONS sip:a@b SIP/2.0", "SIP/2.0 302 Moved Temporarily");

        let message = datagram(&format!("{response}Contact: <>\r\nExpires: soon\r\n\r\n")).unwrap();

        assert!(message.headers().contact().is_err());
    }

    fn datagram(text: &str) -> Result<Message, Malformed> {
        parse(Bytes::copy_from_slice(text.as_bytes()), Framing::Datagram)
    }
}
