//! What is asked of a phone: calls to it, their change and their end.

use std::time::Duration;

use bytes::Bytes;
use sip::digest::{Algorithm, Challenge};
use sip::sdp::Direction;
use sip::{HeaderName, Host, Method, NameAddr, Request, Response, Uri};

use super::outgoing::{is_within, key_of};
use super::sound::Sound;
use super::talk::{End, State, Talk};
use super::{Answered, AskKey, PATIENCE, Phone, T1, T2, Then, Todo};

impl Phone {
    pub(super) fn on_request(&mut self, request: Request) {
        let Some(key) = key_of(&request.headers) else { return };
        if request.method == Method::Ack {
            self.on_ack(&request);
            return;
        }
        if let Some(answered) = self.answered.get(&key).filter(|answered| self.now < answered.until) {
            self.out.push(answered.bytes.clone());
            return;
        }
        let signed = [HeaderName::Authorization, HeaderName::ProxyAuthorization];
        if self.challenges_within
            && is_within(&request)
            && request.method != Method::Cancel
            && !signed.iter().any(|name| request.headers.has(name))
        {
            let challenge = Challenge::new("carrier.test", "a-nonce", Algorithm::Md5);
            let response = request.response(407).with(HeaderName::ProxyAuthenticate, &challenge);
            self.give(&request, response, request.method == Method::Invite);
            return;
        }
        match request.method {
            Method::Invite if !is_within(&request) => self.on_invite(request),
            Method::Invite => self.on_reinvite(&request),
            Method::Cancel => self.on_cancel(&request),
            Method::Bye => {
                let status = match self.find(&request) {
                    Some(at) => {
                        self.talks[at].state = State::Gone(match self.talks[at].state {
                            State::Gone(end) => end,
                            _ => End::ByOther,
                        });
                        200
                    }
                    None => 481,
                };
                self.give(&request, request.response(status), false);
            }
            Method::Prack | Method::Update if is_within(&request) => match self.find(&request) {
                Some(at) if request.method == Method::Prack => self.on_prack(at, &request),
                Some(at) if self.talks[at].is_live() => self.on_update(at, &request),
                _ => self.give(&request, request.response(481), false),
            },
            Method::Options if !is_within(&request) => self.on_options(&request),
            Method::Register => self.on_register(&request),
            _ => self.give(&request, request.response(200), false),
        }
    }

    /// Answers a call to the phone.
    pub fn answer(&mut self, at: usize) {
        if self.talks[at].state != State::Called || self.answer_waits(at) {
            return;
        }
        let invite = self.talks[at].invite.clone();
        let offer = (!invite.body.is_empty()).then_some(&invite.body);
        if let Some(offer) = offer {
            self.agree(at, offer);
        }
        let body = self.describe(&self.talks[at].sound, Direction::SendRecv, offer);
        let mut response = self.own_response(at, 200);
        response.set_body("application/sdp", body);
        self.answer_session(at, &invite, &mut response);
        self.talks[at].state = State::Up;
        self.give(&invite, response, true);
        let manner = self.talks[at].manner.clone();
        if let Some(after) = manner.hangs_up_after {
            self.later(after, Todo::HangUp(at));
        }
    }

    /// Refuses a call to the phone.
    pub fn refuse(&mut self, at: usize, status: u16) {
        if self.talks[at].state != State::Called {
            return;
        }
        let invite = self.talks[at].invite.clone();
        let mut response = self.own_response(at, status);
        response.headers.extend(&self.refuses_with);
        self.talks[at].state = State::Gone(End::RefusedIt(status));
        self.give(&invite, response, self.is_lossy());
    }

    /// Asks for a call to the phone to go to another number.
    pub fn redirect(&mut self, at: usize, to: &str) {
        if self.talks[at].state != State::Called {
            return;
        }
        let invite = self.talks[at].invite.clone();
        let uri = Uri::sip(Host::Name(Bytes::from(self.card.domain.clone()))).with_user(to);
        let mut response = self.own_response(at, 302);
        response.headers.push(HeaderName::Contact, NameAddr::new(uri));
        self.talks[at].state = State::Gone(End::RefusedIt(302));
        self.give(&invite, response, self.is_lossy());
    }

    /// Tells the caller that the phone rings.
    pub fn ring(&mut self, at: usize) {
        if self.talks[at].state != State::Called {
            return;
        }
        self.talks[at].rang = true;
        let invite = self.talks[at].invite.clone();
        let early = self.talks[at].manner.early_sound && !invite.body.is_empty();
        let mut response = self.own_response(at, if early { 183 } else { 180 });
        if early {
            self.agree(at, &invite.body);
            let body = self.describe(&self.talks[at].sound, Direction::SendRecv, Some(&invite.body));
            response.set_body("application/sdp", body);
        }
        self.give_early(at, response);
    }

    pub(super) fn do_then(&mut self, at: usize) {
        match self.talks[at].manner.then {
            Then::Wait => {}
            Then::Answer(_) => self.answer(at),
            Then::Refuse(status, _) => self.refuse(at, status),
        }
    }

    pub(super) fn answer_again(&mut self, key: AskKey) {
        let now = self.now;
        let Some(answered) = self.answered.get_mut(&key) else { return };
        let Some(every) = &mut answered.every else { return };
        if now < answered.until {
            *every = (*every * 2).min(T2);
            let wait = (*every).min(answered.until - now);
            self.out.push(answered.bytes.clone());
            self.later(wait, Todo::AnswerAgain(key));
            return;
        }
        answered.every = None;
        let unheard = self.talks.iter().position(|talk| {
            !talk.caller && talk.is_up() && !talk.acked && key_of(&talk.invite.headers).is_some_and(|own| own == key)
        });
        if let Some(at) = unheard {
            self.bye(at, End::NeverAcked);
        }
    }

    fn on_invite(&mut self, request: Request) {
        if self.mute_to_invites {
            return;
        }
        if self.challenges && !request.headers.has(&HeaderName::Authorization) {
            let challenge = Challenge::new("carrier.test", "a-nonce", Algorithm::Md5);
            let mut response = request.response(401).with(HeaderName::WwwAuthenticate, &challenge);
            // A parsed request has a To.
            let _ = response.set_to_tag(self.fresh("t"));
            self.give(&request, response, self.is_lossy());
            return;
        }
        let (Ok(from), Ok(call_id)) = (request.headers.from(), request.headers.call_id()) else { return };
        let call_id = String::from_utf8_lossy(call_id).into_owned();
        let known = |talk: &Talk| talk.invite.headers.via().ok() == request.headers.via().ok();
        if let Some(at) = self.talks.iter().position(|talk| !talk.caller && talk.is_live() && known(talk)) {
            // RFC 3261, 17.2.1: what was said last is said again.
            if self.talks[at].rang {
                self.ring(at);
            }
            return;
        }
        let at = self.talks.len();
        let called = user_of(&request);
        let local = match request.headers.to() {
            Ok(to) => to.with_tag(self.fresh("t")),
            Err(_) => return,
        };
        let target = request.headers.contact().map_or_else(|_| from.uri.clone(), |contact| contact.uri);
        let manner = self.manners.get(&called).unwrap_or(&self.manner).clone();
        self.talks.push(Talk {
            call_id,
            caller: false,
            called,
            shown: shown(&from),
            hops: request.headers.max_forwards().ok().flatten(),
            state: State::Called,
            sound: Sound::new(at, self.card.hertz, &self.codecs),
            invite: request,
            local,
            remote: from,
            target,
            cseq: 0,
            manner: manner.clone(),
            began: self.now,
            rang: false,
            pracked: 0,
            give_up: false,
            acked: false,
            unheard: None,
            heard_of: false,
            answer_waits: false,
            session: None,
            bye_waits: false,
        });
        if self.declines(&self.talks[at].invite) {
            self.refuse(at, 488);
            return;
        }
        if let Some(after) = manner.rings_after {
            self.now_or_later(after, Todo::Ring(at));
        }
        if let Then::Answer(after) | Then::Refuse(_, after) = manner.then {
            self.now_or_later(after, Todo::Then(at));
        }
    }

    fn on_reinvite(&mut self, request: &Request) {
        let Some(at) = self.find(request).filter(|at| self.talks[*at].is_up()) else {
            self.give(request, request.response(481), self.is_lossy());
            return;
        };
        let offer = (!request.body.is_empty()).then_some(&request.body);
        if let Some(offer) = offer {
            self.agree(at, offer);
        }
        let body = self.describe(&self.talks[at].sound, Direction::SendRecv, offer);
        let mut response = request.response(200);
        response.headers.push(HeaderName::Contact, self.contact());
        response.set_body("application/sdp", body);
        self.answer_session(at, request, &mut response);
        self.give(request, response, true);
    }

    fn on_cancel(&mut self, request: &Request) {
        let branch = |request: &Request| request.headers.via().ok().and_then(|via| via.branch().cloned());
        let theirs = branch(request);
        let found = self.talks.iter().position(|talk| !talk.caller && branch(&talk.invite) == theirs);
        let Some(at) = found else {
            self.give(request, request.response(481), false);
            return;
        };
        let mut response = request.response(200);
        let tag = self.talks[at].local.tag().cloned().unwrap_or_default();
        // A parsed request has a To.
        let _ = response.set_to_tag(tag);
        self.give(request, response, false);
        if self.talks[at].state == State::Called {
            let invite = self.talks[at].invite.clone();
            let response = self.own_response(at, 487);
            self.talks[at].state = State::Gone(End::Cancelled);
            self.give(&invite, response, self.is_lossy());
        }
    }

    fn on_ack(&mut self, request: &Request) {
        let branch = request.headers.via().ok().and_then(|via| via.branch().cloned()).unwrap_or_default();
        let invite = Bytes::copy_from_slice(Method::Invite.as_bytes());
        if let Some(refused) = self.answered.get_mut(&(branch, invite)) {
            refused.every = None;
            return;
        }
        let Some(at) = self.find(request) else { return };
        let number = request.headers.cseq().map_or(0, |cseq| cseq.number);
        let call_id = self.talks[at].call_id.as_bytes();
        for answered in self.answered.values_mut().filter(|answered| answered.every.is_some()) {
            if answered.of.0 == call_id && answered.of.1 == number {
                answered.every = None;
            }
        }
        if !request.body.is_empty() {
            self.agree(at, &request.body);
        }
        self.talks[at].acked = true;
        if self.talks[at].is_up() {
            if self.talks[at].bye_waits {
                self.bye(at, End::HungUp);
            } else if let Some(key) = self.talks[at].manner.presses.take() {
                self.press(at, key);
            }
        }
    }

    fn find(&self, request: &Request) -> Option<usize> {
        let call_id = request.headers.call_id().ok()?;
        self.talks.iter().position(|talk| talk.call_id.as_bytes() == &call_id[..])
    }

    /// A response to the INVITE of a call, with the phone's tag and Contact.
    pub(super) fn own_response(&self, at: usize, status: u16) -> Response {
        let talk = &self.talks[at];
        let mut response = talk.invite.response(status);
        let tag = talk.local.tag().cloned().unwrap_or_default();
        // A parsed request has a To.
        let _ = response.set_to_tag(tag);
        if status < 300 {
            response.headers.push(HeaderName::Contact, self.contact());
        } else if let Some(cause) = self.cause {
            response.headers.push(HeaderName::Reason, format!("Q.850;cause={cause}"));
        }
        response
    }

    /// Sends a final response, and again when its request comes again; `until_acked`: again by itself.
    pub(super) fn give(&mut self, request: &Request, response: Response, until_acked: bool) {
        let Some(key) = key_of(&request.headers) else { return };
        let bytes = response.print();
        self.out.push(bytes.clone());
        let every = until_acked.then_some(T1);
        if until_acked {
            self.later(T1, Todo::AnswerAgain(key.clone()));
        }
        let number = request.headers.cseq().map_or(0, |cseq| cseq.number);
        let of = (request.headers.call_id().cloned().unwrap_or_default(), number);
        let now = self.now;
        self.answered.retain(|_, answered| now <= answered.until);
        self.answered.insert(key, Answered { bytes, until: now + PATIENCE, every, of });
    }

    fn now_or_later(&mut self, after: Duration, todo: Todo) {
        match todo {
            Todo::Ring(at) if after.is_zero() => self.ring(at),
            Todo::Then(at) if after.is_zero() => self.do_then(at),
            todo => self.later(after, todo),
        }
    }
}

fn user_of(request: &Request) -> String {
    request.uri.user_text().map(|user| String::from_utf8_lossy(&user).into_owned()).unwrap_or_default()
}

fn shown(from: &NameAddr) -> String {
    let number = from.uri.user_text().map(|user| String::from_utf8_lossy(&user).into_owned()).unwrap_or_default();
    match &from.display {
        Some(name) => format!("{} {number}", String::from_utf8_lossy(name)),
        None => number,
    }
}
