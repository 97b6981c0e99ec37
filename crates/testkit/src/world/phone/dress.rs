//! The words of real equipment: what a phone of this world says, put into the texts that such a phone writes.
//!
//! A phone does what it always does, and each message it sends is worded anew before it leaves: in the equipment's
//! order of headers, with its names, its SDP, its oddities. A text is written down as it stands on the wire, with
//! `{names}` in the places that differ from call to call; see [`say`].

use bytes::Bytes;
use sip::sdp::{self, Sdp};
use sip::{Framing, HeaderName, Headers, Message};

use super::Phone;
use crate::world::World;

/// Words a message anew.
pub type Dress = fn(&Message) -> Bytes;

/// Texts of some equipment, each with the words that say when it is meant; see [`say`].
pub type Texts = [(&'static str, &'static str)];

impl Phone {
    /// The message as the phone words it.
    pub(super) fn worded(&self, bytes: Bytes) -> Bytes {
        let Some(dress) = self.dress else { return bytes };
        match sip::parse(bytes.clone(), Framing::Datagram) {
            Ok(message) => dress(&message),
            // Said by hand, and wrong on purpose.
            Err(_) => bytes,
        }
    }
}

impl World {
    /// A phone words its messages so from here on.
    pub fn dresses(&mut self, name: &str, dress: Dress) {
        self.phone(name).dress = Some(dress);
    }

    /// What the switchboard has said last to a phone about sound; empty if nothing.
    pub fn last_description(&mut self, name: &str) -> String {
        self.phone(name).described.as_ref().map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default()
    }
}

/// Says a message in the first text whose words all hold for it, or as it stands when there is none.
///
/// The words: `request` or `response`, the method, the status; `within` for requests of a dialog; `sdp`, and `held`
/// when its direction is not both ways.
///
/// Lines are given their CRLF, and lose the blanks before them. What follows an empty line is the body, said when the
/// message has one. A header line with a `{name}` that the message has nothing for is left out. Names: `method`,
/// `uri`, `status`, `reason`, `via`, `branch`, `from`, `from-uri`, `from-user`, `from-tag`, `to`, `to-uri`, `to-user`,
/// `to-tag`, `call-id`, `cseq`, `contact`, `address` (the contact's host and port), `authorization`, `expires`,
/// `rack`, `length`; of the description `ip`, `port`, `session`, `version`, `direction`, `formats`, and `maps`, which
/// is a line for each format.
pub fn say(texts: &Texts, message: &Message) -> Bytes {
    let words = words(message);
    let fits = |text: &&(&str, &str)| text.0.split(' ').all(|word| words.iter().any(|own| own == word));
    match texts.iter().find(fits) {
        Some((_, text)) => fill(text, message),
        None => message.print(),
    }
}

fn words(message: &Message) -> Vec<String> {
    let headers = message.headers();
    let mut words = match message {
        Message::Request(_) => vec!["request".to_owned()],
        Message::Response(response) => vec!["response".to_owned(), response.status.to_string()],
    };
    words.extend(headers.cseq().map(|cseq| cseq.method.to_string()));
    if matches!(message, Message::Request(_)) && headers.to().is_ok_and(|to| to.tag().is_some()) {
        words.push("within".into());
    }
    if let Some(audio) = description(message).and_then(|sdp| sdp.audio()) {
        words.push("sdp".into());
        if audio.direction != sdp::Direction::SendRecv {
            words.push("held".into());
        }
    }
    words
}

fn fill(text: &str, message: &Message) -> Bytes {
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    let (head, body) = match lines.iter().position(|line| line.is_empty()) {
        Some(gap) => (&lines[..gap], &lines[gap + 1..]),
        None => (&lines[..], &[][..]),
    };
    let body: String = if message.body().is_empty() {
        String::new()
    } else {
        body.iter().filter_map(|line| fill_line(line, message, 0)).map(|line| format!("{line}\r\n")).collect()
    };
    let said_by_bodies = |line: &str| {
        let name = line.split(':').next().unwrap_or_default();
        ["Content-Type", "c", "Content-Disposition"].iter().any(|it| it.eq_ignore_ascii_case(name.trim()))
    };
    let head: String = head
        .iter()
        .filter(|line| !body.is_empty() || !said_by_bodies(line))
        .filter_map(|line| fill_line(line, message, body.len()))
        .map(|line| format!("{line}\r\n"))
        .collect();
    format!("{head}\r\n{body}").into()
}

/// The line with its names replaced; `None` when there is nothing for one of them.
fn fill_line(line: &str, message: &Message, length: usize) -> Option<String> {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(&if name == "length" { length.to_string() } else { value(name, message)? });
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

fn value(name: &str, message: &Message) -> Option<String> {
    let headers = message.headers();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let header = |name: HeaderName| headers.get(&name).map(|value| text(value));
    let (from, to) = (headers.from().ok()?, headers.to().ok()?);
    match name {
        "uri" => match message {
            Message::Request(request) => Some(request.uri.to_string()),
            Message::Response(_) => None,
        },
        "method" => headers.cseq().ok().map(|cseq| cseq.method.to_string()),
        "status" | "reason" => match message {
            Message::Response(response) if name == "status" => Some(response.status.to_string()),
            Message::Response(response) => Some(text(&response.reason)),
            Message::Request(_) => None,
        },
        "via" => header(HeaderName::Via),
        "branch" => headers.via().ok()?.branch().map(|branch| text(branch)),
        "from" => header(HeaderName::From),
        "from-uri" => Some(from.uri.to_string()),
        "from-user" => from.uri.user_text().map(|user| text(&user)),
        "from-tag" => from.tag().map(|tag| text(tag)),
        "to" => header(HeaderName::To),
        "to-uri" => Some(to.uri.to_string()),
        "to-user" => to.uri.user_text().map(|user| text(&user)),
        "to-tag" => to.tag().map(|tag| text(tag)),
        "call-id" => header(HeaderName::CallId),
        "cseq" => header(HeaderName::CSeq),
        "contact" => header(HeaderName::Contact),
        "address" => address(headers),
        "authorization" => header(HeaderName::Authorization),
        "expires" => header(HeaderName::Expires),
        "rack" => header(HeaderName::RAck),
        _ => described(name, &description(message)?),
    }
}

/// Host and port of the sender: of its Contact, else of its Via when it is a request.
fn address(headers: &Headers) -> Option<String> {
    let uri = headers.contact().ok()?.uri.to_string();
    let behind = uri.split_once('@').map_or(uri.as_str(), |(_, behind)| behind);
    behind.split(';').next().map(str::to_owned)
}

fn described(name: &str, sdp: &Sdp) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let media = sdp.media.first()?;
    match name {
        "ip" => sdp.connection_of(media).map(|address| address.to_string()),
        "port" => Some(media.port.to_string()),
        "session" => Some(text(&sdp.origin.session_id)),
        "version" => Some(text(&sdp.origin.version)),
        "direction" => Some(sdp.direction_of(media).as_str().to_owned()),
        "formats" => Some(media.formats.iter().map(|format| text(format)).collect::<Vec<_>>().join(" ")),
        "maps" => {
            let maps: Vec<String> = media.attributes("rtpmap").map(|map| format!("a=rtpmap:{}", text(map))).collect();
            Some(maps.join("\r\n"))
        }
        _ => panic!("a text names {{{name}}}, which nothing is called"),
    }
}

fn description(message: &Message) -> Option<Sdp> {
    sdp::parse(message.body()).ok()
}
