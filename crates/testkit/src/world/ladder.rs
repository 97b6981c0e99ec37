//! What the world writes down of itself: one line for each message, and what else it was asked to show.

use std::time::Duration;

use bytes::Bytes;
use sip::{HeaderName, Headers, Message, Method, Request, Response, sdp};

use super::network::Fate;

/// The lines so far.
#[derive(Debug, Default)]
pub struct Ladder {
    lines: Vec<String>,
    /// Lines are written down.
    pub open: bool,
    /// Lines are printed as they come, and not written down: for whoever looks for a bug in a long simulation.
    pub aloud: bool,
    start: Duration,
}

impl Ladder {
    /// Forgets everything; the time begins here.
    pub fn begin(&mut self, now: Duration) {
        self.lines.clear();
        self.start = now;
        self.open = true;
    }

    /// Whether anybody reads it.
    pub fn is_wanted(&self) -> bool {
        self.open || self.aloud
    }

    /// Writes a line.
    pub fn note(&mut self, now: Duration, what: &str) {
        let at = now.saturating_sub(self.start).as_millis();
        if self.aloud {
            println!("{}.{:03}s {what}", at / 1_000, at % 1_000);
        } else if self.open {
            // Tenths of seconds, rounded down: what happens within one step shares its time.
            self.lines.push(format!("{}.{}s {what}", at / 1_000, at % 1_000 / 100));
        }
    }

    /// Writes a message's line.
    pub fn message(&mut self, now: Duration, from: &str, to: &str, title: &str, fate: Fate) {
        if !self.is_wanted() {
            return;
        }
        let fate = match fate {
            Fate::Comes => String::new(),
            Fate::Lost => " (lost)".into(),
            Fate::Doubled => " (twice)".into(),
            Fate::Late(by) => format!(" (late by {}.{}s)", by.as_secs(), by.subsec_millis() / 100),
        };
        self.note(now, &format!("{from} -> {to}  {title}{fate}"));
    }

    /// All lines.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// A message in a few words: `INVITE 102`, `re-INVITE sendonly`, `486 Busy Here`, `200 OK to BYE`.
pub fn title(message: &Message) -> String {
    match message {
        Message::Request(request) => request_title(request),
        Message::Response(response) => response_title(response),
    }
}

fn request_title(request: &Request) -> String {
    let method = String::from_utf8_lossy(request.method.as_bytes()).into_owned();
    let within = request.headers.to().is_ok_and(|to| to.tag().is_some());
    match request.method {
        Method::Invite if within => format!("re-INVITE{}", direction(&request.body)),
        Method::Invite | Method::Options | Method::Message => {
            let user = request.uri.user_text().map(|user| String::from_utf8_lossy(&user).into_owned());
            format!("{method} {}", user.unwrap_or_default()).trim_end().to_owned()
        }
        Method::Register => {
            let ends = request.headers.get(&HeaderName::Expires).is_some_and(|value| &value[..] == b"0");
            if ends { format!("{method} to sign out") } else { method }
        }
        Method::Notify => format!("{method}{}", told(request)),
        Method::Cancel | Method::Bye => format!("{method}{}{}", reason(request), cause(&request.headers)),
        _ => method,
    }
}

fn response_title(response: &Response) -> String {
    let phrase = String::from_utf8_lossy(&response.reason);
    let method = response.headers.cseq().map(|cseq| cseq.method).unwrap_or(Method::Invite);
    let described = if response.headers.to().is_ok() && method == Method::Invite {
        direction(&response.body)
    } else {
        String::new()
    };
    match method {
        Method::Invite => format!("{} {phrase}{described}{}", response.status, cause(&response.headers)),
        method => format!("{} {phrase} to {}", response.status, String::from_utf8_lossy(method.as_bytes())),
    }
}

/// The direction of sound, where it is not the usual one.
fn direction(body: &Bytes) -> String {
    let audio = sdp::parse(body).ok().and_then(|sdp| sdp.audio());
    match audio.map(|audio| audio.direction) {
        None | Some(sdp::Direction::SendRecv) => String::new(),
        Some(direction) => format!(" {}", direction.as_str()),
    }
}

/// What a NOTIFY tells of somebody who was to be called: `: 100 Trying`; and that it tells nothing more.
fn told(request: &Request) -> String {
    let status = request.body.strip_prefix(b"SIP/2.0 ").unwrap_or_default();
    let state = request.headers.get(&HeaderName::SubscriptionState).map_or(&b""[..], |state| state);
    let ends = if state.starts_with(b"terminated") { ", the last" } else { "" };
    format!(": {}{ends}", String::from_utf8_lossy(status).trim_end())
}

/// The Q.850 cause, where one is given.
fn cause(headers: &Headers) -> String {
    headers.q850_cause().map(|cause| format!(" (cause {cause})")).unwrap_or_default()
}

/// Why, where it says more than the method does: the call was taken elsewhere, the server failed, a limit.
fn reason(request: &Request) -> String {
    let Some(value) = request.headers.get(&HeaderName::Reason) else { return String::new() };
    let value = String::from_utf8_lossy(value);
    let text = value.split("text=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    match text {
        "" | "A party hung up." | "The caller gave up before anyone answered." => String::new(),
        text => format!(": {}", text.trim_end_matches('.')),
    }
}
