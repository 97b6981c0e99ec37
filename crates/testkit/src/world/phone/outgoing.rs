//! What a phone asks of the switchboard: calls, changes of calls, their end; and what it does with the responses.

use std::time::Duration;

use bytes::Bytes;
use sip::sdp::Direction;
use sip::{CSeq, HeaderName, Headers, Method, NameAddr, RAck, Request, Response, Uri};

use super::sound::Sound;
use super::talk::{End, State, Talk};
use super::{AskKey, Manner, PATIENCE, Phone, T1, T2, Todo, tag_of};

/// A request that waits for its response.
#[derive(Debug)]
pub(super) struct Asked {
    request: Request,
    bytes: Bytes,
    talk: Option<usize>,
    /// None: it is not sent again.
    every: Option<Duration>,
    until: Duration,
    /// A CANCEL has followed it.
    is_cancelled: bool,
    /// How often a challenge was answered.
    signed: u32,
}

/// How a phone calls.
#[derive(Clone, Debug, Default)]
pub struct Calling {
    /// Who it says it is; else its own number.
    pub as_user: Option<String>,
    /// Whether it leaves the offer to the switchboard.
    pub without_offer: bool,
    /// Its offer from the first `m=` on, if not the usual; `{ip}` and `{port}` stand for where it listens.
    pub sound: Option<String>,
    /// What it says besides.
    pub headers: Headers,
    /// The request URI, where it is not the number at the switchboard.
    pub uri: Option<Uri>,
}

impl Phone {
    /// Calls a number; gives the call's place among the phone's.
    pub fn call(&mut self, number: &str, calling: &Calling) -> usize {
        let at = self.talks.len();
        let user = calling.as_user.clone().unwrap_or_else(|| self.card.user.clone());
        let mut local = self.own_address();
        local.uri = local.uri.with_user(&user);
        let host = match self.card.login {
            Some(_) => Uri::sip(sip::Host::Name(Bytes::from(self.card.domain.clone()))),
            None => Uri::of(self.switchboard),
        };
        let target = host.with_user(number);
        let remote = NameAddr::new(target.clone());
        let call_id = format!("{}@phones.test", self.fresh("call-"));
        let mut invite = self.request(Method::Invite, target.clone(), local.clone(), remote.clone(), &call_id, 1);
        let mut sound = Sound::new(at, self.card.hertz, &self.codecs);
        if self.abilities.secured == Some(true) {
            sound.secure();
        }
        if !calling.without_offer {
            let offer = match &calling.sound {
                Some(words) => self.described_as(&sound, words),
                None => self.describe(&sound, Direction::SendRecv, None),
            };
            invite.set_body("application/sdp", offer);
        }
        self.tell_abilities(&mut invite.headers, true);
        invite.headers.extend(&calling.headers);
        if let Some(uri) = &calling.uri {
            invite.uri = uri.clone();
        }
        self.sign(&mut invite);
        self.talks.push(Talk {
            call_id,
            caller: true,
            called: number.to_owned(),
            shown: String::new(),
            hops: None,
            state: State::Calling { proceeding: false },
            sound,
            invite: invite.clone(),
            local,
            remote,
            target,
            cseq: 1,
            manner: Manner::default(),
            began: self.now,
            rang: false,
            pracked: 0,
            give_up: false,
            acked: true,
            unheard: None,
            heard_of: false,
            answer_waits: false,
            session: None,
            bye_waits: false,
        });
        self.ask(invite, Some(at));
        at
    }

    /// Ends a call in the way that its state asks for.
    pub fn hang_up(&mut self, at: usize) {
        match self.talks[at].state {
            State::Calling { proceeding } => {
                let gave_up = std::mem::replace(&mut self.talks[at].give_up, true);
                if proceeding && !gave_up {
                    self.cancel(at);
                }
            }
            State::Called => self.refuse(at, 603),
            State::Up if !self.talks[at].acked => self.talks[at].bye_waits = true,
            State::Up => self.bye(at, End::HungUp),
            State::Gone(_) => {}
        }
    }

    /// Offers sound in another direction within a call: `SendOnly` holds the other side, `SendRecv` takes it back.
    pub fn reoffer(&mut self, at: usize, direction: Direction) {
        self.talks[at].sound.change(direction);
        self.offer_again(at);
    }

    /// Offers sound as it stands.
    pub(super) fn offer_again(&mut self, at: usize) {
        let sound = &self.talks[at].sound;
        let offer = self.describe(sound, sound.wish(), None);
        let mut invite = self.request_within(at, Method::Invite);
        self.keep_session(at, &mut invite.headers);
        invite.set_body("application/sdp", offer);
        self.sign(&mut invite);
        self.ask(invite, Some(at));
    }

    /// Presses a key, told in an INFO.
    pub fn press(&mut self, at: usize, key: char) {
        let mut info = self.request_within(at, Method::Info);
        info.set_body("application/dtmf-relay", format!("Signal={key}\r\nDuration=160\r\n"));
        self.ask(info, Some(at));
    }

    /// Asks anything within a call.
    pub fn ask_within(&mut self, at: usize, method: Method) {
        let request = self.request_within(at, method);
        self.ask(request, Some(at));
    }

    /// Asks within a call for this number to be called in the phone's place.
    pub fn refer_to(&mut self, at: usize, number: &str) {
        let to = format!("<sip:{number}@{}>", self.card.domain);
        self.refer(at, &Headers::new().with(HeaderName::ReferTo, to));
    }

    /// Asks within a call for somebody to be called in the phone's place.
    pub fn refer(&mut self, at: usize, headers: &Headers) {
        let mut request = self.request_within(at, Method::Refer);
        request.headers.extend(headers);
        self.ask(request, Some(at));
    }

    pub(super) fn bye(&mut self, at: usize, end: End) {
        self.talks[at].state = State::Gone(end);
        let mut bye = self.request_within(at, Method::Bye);
        if let Some(cause) = self.cause {
            bye.headers.push(HeaderName::Reason, format!("Q.850;cause={cause}"));
        }
        self.ask(bye, Some(at));
    }

    fn cancel(&mut self, at: usize) {
        let invite = &self.talks[at].invite;
        let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
        copy(
            &mut cancel.headers,
            &invite.headers,
            &[HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId],
        );
        let number = self.talks[at].cseq;
        cancel.headers.push(HeaderName::CSeq, CSeq { number, method: Method::Cancel });
        cancel.headers.push(HeaderName::MaxForwards, "70");
        // RFC 3261, 9.1: without a final response to the INVITE in this time the call counts as cancelled.
        let until = self.now + PATIENCE;
        if let Some(key) = key_of(&self.talks[at].invite.headers)
            && let Some(asked) = self.asked.get_mut(&key)
        {
            asked.until = until;
            asked.is_cancelled = true;
            self.later(PATIENCE, Todo::AskAgain(key));
        }
        self.ask(cancel, Some(at));
    }

    pub(super) fn request_within(&mut self, at: usize, method: Method) -> Request {
        let talk = &mut self.talks[at];
        talk.cseq += 1;
        let (target, cseq) = (talk.target.clone(), talk.cseq);
        let (local, remote, call_id) = (talk.local.clone(), talk.remote.clone(), talk.call_id.clone());
        self.request(method, target, local, remote, &call_id, cseq)
    }

    pub(super) fn ask(&mut self, request: Request, talk: Option<usize>) {
        self.ask_signed(request, talk, 0);
    }

    fn ask_signed(&mut self, request: Request, talk: Option<usize>, signed: u32) {
        let Some(key) = key_of(&request.headers) else { return };
        let bytes = request.print();
        self.out.push(bytes.clone());
        let every = self.is_lossy().then_some(T1);
        self.later(every.unwrap_or(PATIENCE), Todo::AskAgain(key.clone()));
        let until = self.now + PATIENCE;
        self.asked.insert(key, Asked { request, bytes, talk, every, until, is_cancelled: false, signed });
    }

    pub(super) fn ask_again(&mut self, key: AskKey) {
        let now = self.now;
        let Some(asked) = self.asked.get_mut(&key) else { return };
        if now < asked.until {
            if let Some(every) = &mut asked.every {
                let is_invite = asked.request.method == Method::Invite;
                *every = if is_invite { *every * 2 } else { (*every * 2).min(T2) };
                let wait = (*every).min(asked.until - now);
                self.out.push(asked.bytes.clone());
                self.later(wait, Todo::AskAgain(key));
            }
            return;
        }
        let Some(asked) = self.asked.remove(&key) else { return };
        match asked.request.method {
            Method::Invite => {
                if let Some(talk) = asked.talk.map(|at| &mut self.talks[at])
                    && matches!(talk.state, State::Calling { .. })
                {
                    talk.state = State::Gone(End::Unheard);
                }
            }
            Method::Register => self.refused_with = Some(408),
            _ => {}
        }
    }

    pub(super) fn on_response(&mut self, response: Response) {
        let Some(key) = key_of(&response.headers) else { return };
        let is_invite = key.1 == Method::Invite.as_bytes();
        let Some(asked) = self.asked.get_mut(&key) else {
            // A final response that came again: its ACK was lost.
            if is_invite
                && !response.is_provisional()
                && let Some(ack) = self.acks.get(&key.0)
            {
                self.out.push(ack.clone());
            }
            return;
        };
        if response.is_provisional() {
            if is_invite {
                asked.every = None;
                // Whoever has given up waits no longer because a response to the call comes late.
                if !asked.is_cancelled {
                    asked.until = Duration::MAX;
                }
                if let Some(at) = asked.talk {
                    self.on_progress(at, &response);
                }
            }
            return;
        }
        let Some(asked) = self.asked.remove(&key) else { return };
        if is_invite {
            self.acknowledge(&asked, &response);
        }
        if matches!(response.status, 401 | 407) && self.try_again(&asked, &response) {
            return;
        }
        match (&asked.request.method, asked.talk) {
            (Method::Invite, Some(at)) => self.on_invite_answered(at, &asked.request, &response),
            (Method::Register, _) => self.on_signed_in(&response),
            (Method::Update, Some(at)) if response.is_success() => {
                self.take_session(at, &response.headers);
                if !response.body.is_empty() {
                    self.agree(at, &response.body);
                }
            }
            // The switchboard knows nothing of this call (any more).
            (Method::Cancel, Some(at)) if !response.is_success() => {
                if let State::Calling { .. } = self.talks[at].state {
                    self.talks[at].state = State::Gone(End::Unheard);
                }
            }
            (_, None) => self.refused_with = Some(response.status),
            _ => {}
        }
    }

    fn on_progress(&mut self, at: usize, response: &Response) {
        let talk = &mut self.talks[at];
        if let State::Calling { proceeding } = &mut talk.state {
            let first = !std::mem::replace(proceeding, true);
            if first && talk.give_up {
                self.cancel(at);
            }
        }
        if !response.body.is_empty() {
            self.agree(at, &response.body);
        }
        if response.headers.has_token(&HeaderName::Require, "100rel") {
            self.acknowledge_reliably(at, response);
        }
    }

    /// RFC 3262, 4: each reliable response gets its PRACK, within its early dialog; copies of it get none.
    fn acknowledge_reliably(&mut self, at: usize, response: &Response) {
        let headers = &response.headers;
        let (Ok(Some(rseq)), Ok(cseq), Ok(remote)) = (headers.rseq(), headers.cseq(), headers.to()) else { return };
        let talk = &mut self.talks[at];
        if rseq <= talk.pracked {
            return;
        }
        talk.pracked = rseq;
        talk.cseq += 1;
        let target = headers.contact().map_or_else(|_| talk.target.clone(), |contact| contact.uri);
        let (local, call_id, number) = (talk.local.clone(), talk.call_id.clone(), talk.cseq);
        let mut prack = self.request(Method::Prack, target, local, remote, &call_id, number);
        prack.headers.push(HeaderName::RAck, &RAck { rseq, cseq });
        self.ask(prack, Some(at));
    }

    fn on_invite_answered(&mut self, at: usize, request: &Request, response: &Response) {
        let talk = &mut self.talks[at];
        let first = matches!(talk.state, State::Calling { .. });
        if !response.is_success() {
            if first {
                talk.state = State::Gone(End::Refused(response.status));
            } else if response.status == 481 {
                talk.state = State::Gone(End::ByOther);
            }
            return;
        }
        if first {
            talk.state = State::Up;
            if let Ok(remote) = response.headers.to() {
                talk.remote = remote;
            }
            if let Ok(contact) = response.headers.contact() {
                talk.target = contact.uri;
            }
        }
        let gave_up = first && talk.give_up;
        self.take_session(at, &response.headers);
        let answers = !request.body.is_empty();
        if answers {
            self.agree(at, &response.body);
        }
        if gave_up {
            self.bye(at, End::HungUp);
        }
    }

    fn on_signed_in(&mut self, response: &Response) {
        if !response.is_success() {
            self.refused_with = Some(response.status);
            self.signed_in_until = None;
            return;
        }
        let Some(sign_in) = &self.sign_in else { return };
        if sign_in.seconds == 0 {
            self.signed_in_until = None;
            return;
        }
        let seconds = Duration::from_secs(sign_in.seconds.into());
        self.signed_in_until = Some(self.now + seconds);
        if sign_in.kept_up {
            self.later(seconds * 4 / 5, Todo::SignIn);
        }
    }

    /// Answers a challenge. False: it cannot be answered, or was answered wrongly before.
    fn try_again(&mut self, asked: &Asked, response: &Response) -> bool {
        if asked.signed >= 2 || asked.talk.is_some_and(|at| self.talks[at].give_up) || self.card.login.is_none() {
            return false;
        }
        let challenges = response.headers.challenges().unwrap_or_default();
        let Some(challenge) = challenges.into_iter().find(|challenge| challenge.is_answerable()) else { return false };
        if asked.signed > 0 && !challenge.stale {
            return false;
        }
        self.challenge = Some((challenge, 0));
        let mut request = asked.request.clone();
        request.headers.set(HeaderName::Via, self.via());
        let number = request.headers.cseq().map_or(1, |cseq| cseq.number) + 1;
        request.headers.set(HeaderName::CSeq, CSeq { number, method: request.method.clone() });
        request.headers.remove(&HeaderName::Authorization);
        self.sign(&mut request);
        match (&request.method, asked.talk) {
            (Method::Invite, Some(at)) => {
                self.talks[at].cseq = number;
                self.talks[at].invite = request.clone();
            }
            (Method::Register, _) => {
                if let Some(sign_in) = &mut self.sign_in {
                    sign_in.cseq = number;
                }
            }
            _ => {}
        }
        self.ask_signed(request, asked.talk, asked.signed + 1);
        true
    }

    fn acknowledge(&mut self, asked: &Asked, response: &Response) {
        let Ok(branch) = asked.request.headers.via().map(|via| via.branch().cloned().unwrap_or_default()) else {
            return;
        };
        let number = asked.request.headers.cseq().map_or(1, |cseq| cseq.number);
        let mut ack = if response.is_success() {
            let target = response.headers.contact().map_or_else(|_| asked.request.uri.clone(), |contact| contact.uri);
            let mut ack = Request::new(Method::Ack, target);
            ack.headers.push(HeaderName::Via, self.via());
            ack
        } else {
            let mut ack = Request::new(Method::Ack, asked.request.uri.clone());
            copy(&mut ack.headers, &asked.request.headers, &[HeaderName::Via]);
            ack
        };
        copy(&mut ack.headers, &asked.request.headers, &[HeaderName::From]);
        copy(&mut ack.headers, &response.headers, &[HeaderName::To, HeaderName::CallId]);
        ack.headers.push(HeaderName::CSeq, CSeq { number, method: Method::Ack });
        ack.headers.push(HeaderName::MaxForwards, "70");
        if response.is_success()
            && asked.request.body.is_empty()
            && let Some(at) = asked.talk
        {
            self.agree(at, &response.body);
            let answer = self.describe(&self.talks[at].sound, Direction::SendRecv, Some(&response.body));
            if !self.acks_emptily {
                ack.set_body("application/sdp", answer);
            }
        }
        if response.is_success() && self.never_acks {
            return;
        }
        let bytes = ack.print();
        self.out.push(bytes.clone());
        self.acks.insert(branch, bytes);
    }
}

fn copy(into: &mut Headers, from: &Headers, names: &[HeaderName]) {
    for name in names {
        for value in from.all(name) {
            into.push(name.clone(), value.clone());
        }
    }
}

/// The transaction that a message belongs to: branch, and method as CSeq has it.
pub(super) fn key_of(headers: &Headers) -> Option<AskKey> {
    let branch = headers.via().ok()?.branch()?.clone();
    let method = headers.cseq().ok()?.method;
    Some((branch, Bytes::copy_from_slice(method.as_bytes())))
}

/// Whether a request is within a call: it has a To tag.
pub(super) fn is_within(request: &Request) -> bool {
    tag_of(request.headers.to()).is_some()
}
