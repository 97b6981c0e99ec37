//! What a phone says that it would not say by itself: any response to a call, from any fork of it, and any request within
//! one, with the headers and the body that a script gives.

use sip::{Headers, Method, Response};

use super::sound::Sound;
use super::{Phone, State, Talk};
use crate::world::World;

/// Words of a script. In the body, `{ip}` and `{port}` stand for where the phone listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words<'a> {
    /// The To tag of a response: which fork speaks. Empty: the phone itself.
    pub tag: &'a str,
    /// Name and value of each header.
    pub headers: &'a [(&'static str, &'a str)],
    /// The Content-Type; empty for a session description.
    pub content_type: &'a str,
    /// The body; empty for none.
    pub body: &'a str,
}

impl<'a> Words<'a> {
    /// A session description, from its first `m=` on.
    pub fn sound(body: &'a str) -> Self {
        Self { body, ..Self::default() }
    }

    /// The same from a fork.
    pub fn of_fork(self, tag: &'a str) -> Self {
        Self { tag, ..self }
    }

    /// The same with headers.
    pub fn with(self, headers: &'a [(&'static str, &'a str)]) -> Self {
        Self { headers, ..self }
    }
}

impl World {
    /// The phone responds to the call that comes in there. A final response decides it.
    pub fn responds(&mut self, name: &str, status: u16, words: Words<'_>) {
        self.with_talk(name, |talk| talk.state == State::Called, |phone, talk| phone.respond(talk, status, words));
    }

    /// The phone asks something within its call, which may not be answered yet.
    pub fn requests(&mut self, name: &str, method: Method, words: Words<'_>) {
        self.with_talk(name, Talk::is_live, |phone, talk| phone.request_freely(talk, method, words));
    }
}

impl Phone {
    fn respond(&mut self, at: usize, status: u16, words: Words<'_>) {
        let invite = self.talks[at].invite.clone();
        if !words.tag.is_empty() {
            self.talks[at].local = self.talks[at].local.clone().with_tag(words.tag.to_owned());
        }
        let offer = invite.body.clone();
        if status < 300 && !words.body.is_empty() {
            self.agree(at, &offer);
        }
        let mut response: Response = self.own_response(at, status);
        add(&mut response.headers, words.headers);
        if let Some((content_type, body)) = self.body_of(at, words) {
            response.set_body(content_type, body);
        }
        match status {
            100..=199 => {
                self.talks[at].rang = true;
                let bytes = response.print();
                self.out.push(bytes);
            }
            200..=299 => {
                self.talks[at].state = State::Up;
                self.give(&invite, response, true);
            }
            _ => {
                self.talks[at].state = State::Gone(super::End::RefusedIt(status));
                let until_acked = self.is_lossy();
                self.give(&invite, response, until_acked);
            }
        }
    }

    fn request_freely(&mut self, at: usize, method: Method, words: Words<'_>) {
        if method == Method::Bye {
            self.talks[at].state = State::Gone(super::End::HungUp);
        }
        let body = self.body_of(at, words);
        let mut request = self.request_within(at, method);
        add(&mut request.headers, words.headers);
        if let Some((content_type, body)) = body {
            request.set_body(content_type, body);
        }
        self.sign(&mut request);
        self.ask(request, Some(at));
    }

    fn body_of(&self, at: usize, words: Words<'_>) -> Option<(String, String)> {
        if words.body.is_empty() {
            return None;
        }
        let sound = &self.talks[at].sound;
        if words.content_type.is_empty() {
            return Some(("application/sdp".to_owned(), self.described_as(sound, words.body)));
        }
        Some((words.content_type.to_owned(), self.filled(sound, words.body)))
    }

    /// A session description with these words from its first `m=` on.
    pub(super) fn described_as(&self, sound: &Sound, words: &str) -> String {
        let head = "v=0\no=- {port} 1 IN IP4 {ip}\ns=-\nc=IN IP4 {ip}\nt=0 0\n";
        self.filled(sound, &format!("{head}{words}"))
    }

    fn filled(&self, sound: &Sound, words: &str) -> String {
        let (ip, port) = (self.card.address.ip().to_string(), sound.port.to_string());
        let lines = words.lines().map(|line| format!("{}\r\n", line.trim()));
        lines.collect::<String>().replace("{ip}", &ip).replace("{port}", &port)
    }
}

fn add(headers: &mut Headers, more: &[(&'static str, &str)]) {
    for (name, value) in more {
        headers.push(sip::HeaderName::from_static(name), (*value).to_owned());
    }
}
