//! What a phone can do beyond RFC 3261, and what it asks of others: reliable provisional responses (RFC 3262), changes by
//! UPDATE (RFC 3311), sessions that are refreshed (RFC 4028), sound with keys (RFC 4568).

use std::time::Duration;

use sip::{HeaderName, Headers, Method, Request, Response};

use super::outgoing::is_within;
use super::talk::{End, Session, State, Unheard};
use super::{PATIENCE, Phone, T1, Todo};

/// What a phone can do. Unless told otherwise, nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Abilities {
    /// Provisional responses are to be acknowledged.
    pub reliably: Reliably,
    /// It takes UPDATE, and refreshes sessions by it.
    pub updates: bool,
    /// It wants its sessions refreshed.
    pub session: Option<Session>,
    /// It offers sound with keys and takes it. `Some(false)`: it refuses offers of it with 488; `None`: it takes it when
    /// it is offered.
    pub secured: Option<bool>,
}

/// How a phone stands to reliable provisional responses.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Reliably {
    /// It does not know them.
    #[default]
    Never,
    /// It sends them to whom takes them, and takes them.
    Can,
    /// It insists on them when it calls.
    Insists,
}

impl Phone {
    /// Says what the phone can do, in an INVITE or a 2xx.
    pub(super) fn tell_abilities(&self, headers: &mut Headers, is_request: bool) {
        let own = self.abilities;
        if own == Abilities::default() {
            return;
        }
        let update = if own.updates { ", UPDATE" } else { "" };
        headers.push(HeaderName::Allow, format!("INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK{update}"));
        let words = [(own.reliably != Reliably::Never).then_some("100rel"), own.session.map(|_| "timer")];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        if !words.is_empty() {
            headers.push(HeaderName::Supported, words.join(", "));
        }
        if is_request && own.reliably == Reliably::Insists {
            headers.push(HeaderName::Require, "100rel");
        }
        if is_request && let Some(session) = own.session {
            headers.push(HeaderName::SessionExpires, expires(session.seconds, session.by_phone));
            headers.push(HeaderName::MinSe, "90");
        }
    }

    /// Whether the phone refuses an offer for its keys.
    pub(super) fn declines(&self, request: &Request) -> bool {
        let offered = || sip::sdp::parse(&request.body).ok().and_then(|sdp| sdp.audio());
        self.abilities.secured == Some(false) && offered().is_some_and(|audio| audio.profile.is_secured())
    }

    /// Sends a provisional response, so that it surely comes where both can.
    pub(super) fn give_early(&mut self, at: usize, mut response: Response) {
        let invite = &self.talks[at].invite.headers;
        let asked = invite.has_token(&HeaderName::Require, "100rel");
        let knows = self.abilities.reliably != Reliably::Never;
        let both_can = knows && invite.has_token(&HeaderName::Supported, "100rel");
        if !(asked || both_can) {
            self.out.push(response.print());
            return;
        }
        let talk = &mut self.talks[at];
        match &talk.unheard {
            Some(unheard) => {
                self.out.push(unheard.bytes.clone());
                return;
            }
            None if talk.heard_of => return,
            None => {}
        }
        let rseq = 1 + u32::try_from(at).unwrap_or_default();
        response.headers.push(HeaderName::Require, "100rel");
        response.headers.push(HeaderName::RSeq, rseq.to_string());
        let bytes = response.print();
        self.out.push(bytes.clone());
        let described = !response.body.is_empty();
        talk.unheard = Some(Unheard { rseq, bytes, every: T1, until: self.now + PATIENCE, described });
        self.later(T1, Todo::RingAgain(at));
    }

    pub(super) fn ring_again(&mut self, at: usize) {
        let (now, live) = (self.now, self.talks[at].state == State::Called);
        let Some(unheard) = self.talks[at].unheard.as_mut().filter(|_| live) else { return };
        if now >= unheard.until {
            self.talks[at].unheard = None;
            self.refuse(at, 504);
            return;
        }
        unheard.every *= 2;
        let wait = unheard.every.min(unheard.until - now);
        self.out.push(unheard.bytes.clone());
        self.later(wait, Todo::RingAgain(at));
    }

    /// Whether the answer has to wait until the caller has acknowledged what was described before it.
    pub(super) fn answer_waits(&mut self, at: usize) -> bool {
        let talk = &mut self.talks[at];
        talk.answer_waits = talk.unheard.as_ref().is_some_and(|unheard| unheard.described);
        talk.answer_waits
    }

    pub(super) fn on_prack(&mut self, at: usize, request: &Request) {
        let rack = request.headers.rack().ok().flatten().map(|rack| rack.rseq);
        let talk = &mut self.talks[at];
        let known = talk.unheard.take_if(|unheard| rack == Some(unheard.rseq)).is_some();
        talk.heard_of |= known;
        let goes_on = known && std::mem::take(&mut talk.answer_waits);
        // One to a response that a script has worded is welcome too.
        self.give(request, request.response(200), false);
        if goes_on {
            self.answer(at);
        }
    }

    /// A change by UPDATE, with or without an offer.
    pub(super) fn on_update(&mut self, at: usize, request: &Request) {
        let mut response = request.response(200);
        response.headers.push(HeaderName::Contact, self.contact());
        if !request.body.is_empty() {
            self.agree(at, &request.body);
            let sound = &self.talks[at].sound;
            let answer = self.describe(sound, sip::sdp::Direction::SendRecv, Some(&request.body));
            response.set_body("application/sdp", answer);
        }
        self.answer_session(at, request, &mut response);
        self.give(request, response, false);
    }

    /// Agrees to the session that a request asks for, in the 2xx to it.
    pub(super) fn answer_session(&mut self, at: usize, request: &Request, response: &mut Response) {
        self.tell_abilities(&mut response.headers, false);
        let Some(own) = self.abilities.session else { return };
        let Ok(Some(asked)) = request.headers.session_expires() else { return };
        let least = request.headers.min_se().ok().flatten().unwrap_or(90);
        let seconds = if is_within(request) { asked.seconds } else { asked.seconds.min(own.seconds.max(least)) };
        let by_us = asked.is_uas() || (!asked.is_uac() && own.by_phone && !is_within(request));
        response.headers.push(HeaderName::SessionExpires, expires(seconds, !by_us));
        response.headers.push(HeaderName::Require, "timer");
        self.begin_session(at, Session { seconds, by_phone: by_us });
    }

    /// Takes what a 2xx says of the session.
    pub(super) fn take_session(&mut self, at: usize, headers: &Headers) {
        if let (Some(_), Ok(Some(agreed))) = (self.abilities.session, headers.session_expires()) {
            self.begin_session(at, Session { seconds: agreed.seconds, by_phone: agreed.is_uac() });
        }
    }

    /// Says in a change of a call how its session goes on.
    pub(super) fn keep_session(&self, at: usize, headers: &mut Headers) {
        self.tell_abilities(headers, false);
        if let Some((session, _)) = self.talks[at].session {
            headers.push(HeaderName::SessionExpires, expires(session.seconds, session.by_phone));
        }
    }

    /// It is time to refresh a session, or its time is over.
    pub(super) fn on_session(&mut self, at: usize, round: u32) {
        let Some((session, _)) = self.talks[at].session.filter(|(_, own)| *own == round) else { return };
        if self.talks[at].state != State::Up {
            return;
        }
        if !session.by_phone {
            self.bye(at, End::Expired);
            return;
        }
        if self.abilities.updates {
            let mut update = self.request_within(at, Method::Update);
            self.keep_session(at, &mut update.headers);
            self.sign(&mut update);
            self.ask(update, Some(at));
        } else {
            self.offer_again(at);
        }
    }

    fn begin_session(&mut self, at: usize, session: Session) {
        let round = self.talks[at].session.map_or(0, |(_, round)| round + 1);
        self.talks[at].session = Some((session, round));
        let seconds = if session.by_phone { session.seconds / 2 } else { session.seconds };
        self.later(Duration::from_secs(seconds.into()), Todo::Session(at, round));
    }
}

fn expires(seconds: u32, by_sender: bool) -> String {
    format!("{seconds};refresher={}", if by_sender { "uac" } else { "uas" })
}
