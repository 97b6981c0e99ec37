//! What one can order a user agent to do with calls.

use std::time::Instant;

use model::Number;
use sip::{Headers, Invite, NameAddr, NextHop, Provisional, Uri};

use super::call::{Call, Hold, Stage};
use super::key::Key;
use super::talk::Talk;
use super::{Act, Behaviour, CallNo, Dial, EndedBy, Event, OrderError, Output, UserAgent};

impl UserAgent {
    /// Calls a number, a user of our domain, or a whole `sip:` address.
    pub fn call(&mut self, now: Instant, target: &str) -> Result<CallNo, OrderError> {
        self.dial(now, Dial::to(target))
    }

    /// Places a call.
    pub fn dial(&mut self, now: Instant, dial: Dial) -> Result<CallNo, OrderError> {
        let uri = match dial.target.split_once(':') {
            Some(_) => Uri::parse(dial.target.clone().into()).map_err(|_| OrderError::BadTarget)?,
            None => self.target(&dial),
        };
        let local = self.free_addresses.pop_front().ok_or(OrderError::NoLine)?;
        let no = self.next_call();
        let mut talk = Talk::new(local, &self.config.codecs, no.0);
        let invite = Invite {
            flow: dial.flow.unwrap_or(self.config.server),
            from: NameAddr::new(self.uri(Some(dial.from.as_deref().unwrap_or(&self.config.name)))),
            to: NameAddr::new(uri.clone()),
            uri,
            route: Vec::new(),
            headers: dial.headers,
            body: Some(talk.offer()),
            credentials: self.config.login.clone(),
            answer_within: None,
            next_hop: NextHop::Flow,
        };
        let dialog = match self.endpoint.invite(now, Key::Call(no), invite) {
            Ok(dialog) => dialog,
            Err(_) => {
                self.free_addresses.push_front(local);
                return Err(OrderError::NoLine);
            }
        };
        let behaviour = dial.behaviour.unwrap_or_else(|| self.config.behaviour.clone());
        let stage = Stage::Calling { rang: false, heard: false };
        let steps = behaviour.once_calling.clone();
        self.calls.insert(no, Call { dialog, stage, talk, behaviour, holding: None, is_holding: false });
        self.plan(now, no, &steps);
        self.settle(now);
        Ok(no)
    }

    /// Tells the caller that it rings.
    pub fn ring(&mut self, now: Instant, call: CallNo) -> Result<(), OrderError> {
        let dialog = self.at(call, |stage| stage == Stage::Invited)?.dialog;
        self.endpoint.progress(now, dialog, Provisional::new(180));
        self.settle(now);
        Ok(())
    }

    /// Lets the caller hear us before the answer.
    pub fn early_media(&mut self, now: Instant, call: CallNo) -> Result<(), OrderError> {
        let ours = self.at(call, |stage| stage == Stage::Invited)?;
        let dialog = ours.dialog;
        // Without an offer there is nothing to answer before the 200.
        let body = ours.talk.has_offer().then(|| ours.talk.answer());
        self.endpoint.progress(now, dialog, Provisional { status: 183, headers: Headers::new(), body });
        self.tell_sound(call);
        self.settle(now);
        Ok(())
    }

    /// Answers.
    pub fn answer(&mut self, now: Instant, call: CallNo) -> Result<(), OrderError> {
        let ours = self.at(call, |stage| stage == Stage::Invited)?;
        ours.stage = Stage::Up;
        let (dialog, body) = (ours.dialog, ours.talk.answer());
        self.endpoint.answer(now, dialog, Headers::new(), Some(body));
        self.on_up(now, call);
        self.settle(now);
        Ok(())
    }

    /// Refuses a caller with a final status of 300 or more.
    pub fn refuse(&mut self, now: Instant, call: CallNo, status: u16) -> Result<(), OrderError> {
        let dialog = self.at(call, |stage| stage == Stage::Invited)?.dialog;
        let status = status.clamp(300, 699);
        self.endpoint.refuse(now, dialog, status, Headers::new());
        self.finish(Event::Declined { call, status });
        self.settle(now);
        Ok(())
    }

    /// Takes a call of ours back before it is answered. It ends with what the other side says to that.
    pub fn cancel(&mut self, now: Instant, call: CallNo) -> Result<(), OrderError> {
        let dialog = self.at(call, |stage| matches!(stage, Stage::Calling { .. }))?.dialog;
        self.endpoint.cancel(now, dialog, Headers::new());
        self.settle(now);
        Ok(())
    }

    /// Ends a call wherever it is: BYE, or before the answer CANCEL or 603.
    pub fn hang_up(&mut self, now: Instant, call: CallNo) -> Result<(), OrderError> {
        let ours = self.calls.get(&call).ok_or(OrderError::NoSuchCall)?;
        match ours.stage {
            Stage::Invited => self.refuse(now, call, 603),
            Stage::Calling { .. } => self.cancel(now, call),
            Stage::Up => {
                self.endpoint.bye(now, ours.dialog, Headers::new());
                self.finish(Event::Ended { call, by: EndedBy::Us, reason: None });
                self.settle(now);
                Ok(())
            }
        }
    }

    /// Puts the other side on hold.
    pub fn hold(&mut self, now: Instant, call: CallNo) -> Result<(), OrderError> {
        self.offer_hold(now, call, Hold::Hold)
    }

    /// Takes the other side back.
    pub fn resume(&mut self, now: Instant, call: CallNo) -> Result<(), OrderError> {
        self.offer_hold(now, call, Hold::Resume)
    }

    /// Presses a key.
    pub fn send_key(&mut self, call: CallNo, key: char) -> Result<(), OrderError> {
        let ours = self.calls.get(&call).ok_or(OrderError::NoSuchCall)?;
        let key = key.to_ascii_uppercase();
        if !ours.talk.takes_keys() || !"0123456789*#ABCD".contains(key) {
            return Err(OrderError::NoSuchKey);
        }
        self.out.push_back(Output::Press { call, key });
        Ok(())
    }

    /// Does one step of a behaviour.
    pub(crate) fn act(&mut self, now: Instant, call: CallNo, act: Act) -> Result<(), OrderError> {
        match act {
            Act::Ring => self.ring(now, call),
            Act::EarlyMedia => self.early_media(now, call),
            Act::Answer => self.answer(now, call),
            Act::Refuse(status) => self.refuse(now, call, status),
            Act::HangUp => self.hang_up(now, call),
            Act::Hold => self.hold(now, call),
            Act::Resume => self.resume(now, call),
            Act::Press(key) => self.send_key(call, key),
        }
    }

    /// A call is answered: sound, and what follows by itself.
    pub(crate) fn on_up(&mut self, now: Instant, call: CallNo) {
        let Some(ours) = self.calls.get(&call) else { return };
        let steps = ours.behaviour.once_answered.clone();
        self.tell_sound(call);
        self.tell(Event::Answered { call });
        self.plan(now, call, &steps);
    }

    pub(crate) fn next_call(&mut self) -> CallNo {
        self.last_call += 1;
        CallNo(self.last_call)
    }

    /// What is done by itself when `called` is called.
    pub(crate) fn behaviour_for(&self, called: &str) -> &Behaviour {
        let national = Number::parse(called, &self.config.country).map(|number| number.national(&self.config.country));
        let of_number = national.ok().and_then(|number| self.config.numbers.get(&number));
        of_number.unwrap_or(&self.config.behaviour)
    }

    fn target(&self, dial: &Dial) -> Uri {
        match dial.flow {
            // Elsewhere than our server, our domain means nothing.
            Some(flow) if flow.remote != self.config.server.remote => Uri::of(flow.remote).with_user(&dial.target),
            _ => self.uri(None).with_user(&dial.target),
        }
    }

    fn offer_hold(&mut self, now: Instant, call: CallNo, hold: Hold) -> Result<(), OrderError> {
        let ours = self.at(call, |stage| stage == Stage::Up)?;
        if ours.holding.is_some() || ours.is_holding == (hold == Hold::Hold) {
            return Err(OrderError::NotNow);
        }
        ours.holding = Some(hold);
        let (dialog, body) = (ours.dialog, ours.talk.offer_hold(hold == Hold::Hold));
        self.endpoint.reinvite(now, dialog, Headers::new(), Some(body));
        self.settle(now);
        Ok(())
    }

    fn at(&mut self, call: CallNo, may: impl Fn(Stage) -> bool) -> Result<&mut Call, OrderError> {
        let call = self.calls.get_mut(&call).ok_or(OrderError::NoSuchCall)?;
        if may(call.stage) { Ok(call) } else { Err(OrderError::NotNow) }
    }
}
