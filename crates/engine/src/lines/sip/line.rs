//! One leg's dialog with a phone or a carrier, and its sound: turns SIP into news of the leg, and orders into SIP.
//!
//!   Invited ──answer──► Up ──BYE──► Over      the party called us
//!   Inviting ──2xx──► Up                      we call the party, on one branch a phone
//!
//! What happens before an answer to a call of ours stands in `inviting`, what happens within a dialog in `within`.

use media::{SessionId, WorkerId};
use model::{Codec, Reason, SoundOffer};
use sip::{
    Body, Flow, HeaderName, Headers, Incoming, Method, NextHop, Overload, Provisional, Request, Response, ServerId, Uri,
};

use super::branch::{Branch, branch_key};
use super::causes::{because, is_elsewhere};
use super::formats::sound_codec;
use super::keys::{self, Form, Presses};
use super::refer::Referral;
use super::sound::{Peer, Sound};
use super::state::{Heard, Invited, Rung, SipLine, State, Up};
use super::stub;
use super::within;
use crate::abilities::ACCEPT;
use crate::key::{LegKey, TrunkKey};
use crate::lines::{End, Gone, LegNews, LegOrder};
use crate::step::Step;
use crate::trunks::login;

/// What the SIP machine tells of a leg.
#[derive(Debug)]
pub enum SipNews {
    /// 101–199, in one of the early dialogs of a branch.
    Progress(u64, Response),
    /// 2xx, in one of the early dialogs of a branch.
    Answered(u64, Response),
    /// A final refusal.
    Refused(Response),
    /// No answer of any kind.
    Failed,
    /// The caller's CANCEL; or an answer has crossed ours.
    Cancelled(Option<Request>),
    /// The ACK to our 2xx.
    Acked(Request),
    /// There was no ACK to our 2xx.
    NeverAcked,
    /// BYE.
    Bye(Request),
    /// A request within the dialog, in one of the early dialogs of a branch.
    Request(u64, ServerId, Request),
    /// What became of a re-INVITE or UPDATE of ours.
    Changed(Result<Response, Response>),
    /// The session has to be refreshed with our present description.
    Refresh,
    /// The party did not refresh the session in time.
    Expired,
}

impl SipLine {
    /// Accepts an INVITE: the party that called us waits from here on. Without usable sound the leg can only be refused,
    /// for the reason given. `worker`: where the call's sound is, if it has a leg with sound. An error: there are too many calls, and the caller has been told so.
    pub fn accept(
        step: &mut Step<'_>,
        key: LegKey,
        worker: Option<WorkerId>,
        incoming: Incoming,
        peer: Peer,
    ) -> Result<(Self, Option<End>), Overload> {
        let flow = incoming.flow;
        let headers = &incoming.request.headers;
        // Our answer is a description of sound; whoever takes none cannot be answered (RFC 4475, 3.3.15).
        let offer = match headers.accepts("application/sdp") {
            true => within::description(headers, &incoming.request.body),
            false => Err(406),
        };
        let next_hop = if peer.is_carrier { NextHop::Route } else { NextHop::Flow };
        let dialog = step.endpoint.accept(step.now.mono, branch_key(key, 0), incoming, next_hop)?;
        let sound = offer.map_err(|status| End::new(Reason::NoCommonCodec, status)).and_then(|offer| {
            let mut sound = Sound::open(step, key, worker, flow, peer)?;
            match offer.map_or(Ok(()), |offer| sound.talk_mut().take_offer(&offer)) {
                Ok(()) => Ok(sound),
                Err(reason) => {
                    sound.close(step);
                    Err(End::from(reason))
                }
            }
        });
        let trouble = sound.as_ref().err().copied();
        let state = State::Invited(Invited { dialog, flow, rung: Rung::Nothing });
        Ok((Self { sound: sound.ok(), ..Self::of(key, state) }, trouble))
    }

    /// The party that called us is a trunk's: its challenges to what we ask within the call are answered.
    pub fn belongs_to(&mut self, step: &mut Step<'_>, trunk: &TrunkKey) {
        self.trunk = Some(trunk.clone());
        if let (State::Invited(invited), Some(login)) = (&self.state, step.trunks.settings(trunk).and_then(login)) {
            step.endpoint.set_login(invited.dialog, login);
        }
    }

    /// A leg whose phones are being rung.
    pub(super) fn inviting(key: LegKey, branches: Vec<Branch>, sound: Sound) -> Self {
        let state = State::Inviting { branches, heard: Heard::default() };
        Self { sound: Some(sound), ..Self::of(key, state) }
    }

    fn of(key: LegKey, state: State) -> Self {
        let (presses, referral) = (Presses::default(), Referral::default());
        Self { key, state, sound: None, presses, referral, tries: None, trunk: None }
    }

    /// Where its sound is.
    pub fn session(&self) -> Option<(WorkerId, SessionId)> {
        self.sound.as_ref().map(Sound::session)
    }

    /// What the party can speak, as far as it has said so.
    pub fn speaks(&self) -> SoundOffer {
        self.sound.as_ref().map(Sound::speaks).unwrap_or_default()
    }

    /// Whether the party has put the other aside.
    pub fn holds(&self) -> bool {
        self.sound.as_ref().is_some_and(|sound| sound.talk().is_held())
    }

    /// The refusal that speaks for those phones of the party that have refused, while others are still being rung.
    pub fn refusal(&self) -> Option<End> {
        self.best_refusal()
    }

    /// What a BYE to the party needs, once it is owed one.
    pub fn stub(&self, step: &Step<'_>) -> Option<String> {
        let State::Up(up) = &self.state else { return None };
        stub::write(step.endpoint.snapshot(up.dialog)?, self.trunk.clone())
    }

    /// The phone has opened a connection anew. If it is the one whose connection was lost in this leg, the leg goes on by it.
    pub fn reconnect(&mut self, step: &mut Step<'_>, contact: &Uri, flow: Flow) {
        if let State::Up(up) = &mut self.state
            && step.endpoint.is_adrift(up.dialog, contact)
        {
            step.endpoint.set_flow(step.now.mono, up.dialog, flow);
            up.flow = flow;
            if let Some(sound) = &mut self.sound {
                sound.set_source(flow.remote.ip());
            }
        }
    }

    /// Carries out an order.
    pub fn order(&mut self, step: &mut Step<'_>, order: LegOrder) -> Result<(), Reason> {
        match order {
            LegOrder::Ring { early } => self.ring(step, early)?,
            LegOrder::Answer { codec } => self.answer(step, codec)?,
            LegOrder::Refuse(end) | LegOrder::HangUp(end) => self.end(step, end),
            LegOrder::TransferFailed(end) => self.tell_referred(step, end),
            LegOrder::Key(key) => self.press(step, key),
            LegOrder::Speak(codec) => self.speak(step, sound_codec(codec)),
            LegOrder::Identify { number, name } => self.identify(step, &number, name.as_deref()),
        }
        Ok(())
    }

    /// Takes in what the SIP machine tells of one branch. None: the call need not know.
    pub fn on_news(&mut self, step: &mut Step<'_>, branch: u8, news: SipNews) -> Option<LegNews> {
        let at = usize::from(branch);
        // The leg is the phone that answered; how the others end is not its end.
        if matches!(&self.state, State::Up(up) if up.branch != at) {
            return None;
        }
        match news {
            SipNews::Progress(fork, response) => self.on_progress(step, at, fork, &response),
            SipNews::Answered(fork, response) => self.on_answered(step, at, fork, &response),
            SipNews::Refused(response) => self.on_refused(step, at, &response),
            SipNews::Failed => self.on_failed(step, at),
            SipNews::Cancelled(request) => {
                let headers = request.map(|request| request.headers).unwrap_or_default();
                let (cause, elsewhere) = (headers.q850_cause(), is_elsewhere(&headers));
                self.gone(step, End { cause, elsewhere, ..Reason::Cancelled.into() }, true)
            }
            SipNews::Acked(request) => self.on_acked(step, &request),
            SipNews::NeverAcked | SipNews::Expired => self.gone(step, Reason::Unreachable.into(), false),
            SipNews::Bye(request) => self.on_bye(step, &request),
            SipNews::Request(fork, server, request) => self.on_request(step, at, fork, server, &request),
            SipNews::Changed(result) => self.on_changed(step, result),
            SipNews::Refresh => {
                self.refresh(step, Headers::new());
                None
            }
        }
    }

    /// A key came with the party's sound. None: it is a press that was told already.
    pub fn on_key(&mut self, step: &Step<'_>, key: char) -> Option<LegNews> {
        self.presses.is_new(step.now.mono, key, Form::Sound).then_some(LegNews::Key(key))
    }

    /// Whether the party is a carrier.
    pub(super) fn is_carrier(&self) -> bool {
        self.sound.as_ref().is_some_and(|sound| sound.peer().is_carrier)
    }

    /// The leg is over; its dialog is ended already.
    pub(super) fn gone(&mut self, step: &mut Step<'_>, end: End, by_party: bool) -> Option<LegNews> {
        self.state = State::Over;
        self.close_sound(step);
        Some(LegNews::Gone(Gone { end, by_party }))
    }

    /// The leg is over, and its party wants to be called elsewhere.
    pub(super) fn redirected(&mut self, step: &mut Step<'_>, to: String) -> Option<LegNews> {
        self.state = State::Over;
        self.close_sound(step);
        Some(LegNews::Redirected { to })
    }

    fn ring(&mut self, step: &mut Step<'_>, early: Option<Codec>) -> Result<(), Reason> {
        let State::Invited(invited) = &mut self.state else { return Ok(()) };
        let body = match (&mut self.sound, early) {
            // A caller that leaves the offer to us gets it with the answer alone (RFC 3261, 13.2.1).
            (Some(sound), Some(codec)) if invited.rung < Rung::HearsSound && sound.talk().owes_answer() => {
                let body = sound.talk_mut().answer(Some(sound_codec(codec)))?;
                sound.tell(step);
                Some(Body::sdp(body))
            }
            _ => None,
        };
        let (status, now_rung) = match &body {
            Some(_) => (183, Rung::HearsSound),
            None => (180, Rung::Rings),
        };
        if now_rung > invited.rung {
            invited.rung = now_rung;
            let provisional = Provisional { status, headers: Headers::new(), body };
            step.endpoint.progress(step.now.mono, invited.dialog, provisional);
        }
        Ok(())
    }

    fn answer(&mut self, step: &mut Step<'_>, codec: Option<Codec>) -> Result<(), Reason> {
        let State::Invited(Invited { dialog, flow, .. }) = self.state else { return Ok(()) };
        let sound = self.sound.as_mut().ok_or(Reason::NoCommonCodec)?;
        let body = sound.talk_mut().answer(codec.map(sound_codec))?;
        sound.answered(step);
        step.endpoint.answer(step.now.mono, dialog, Headers::new(), Some(Body::sdp(body)));
        self.state = State::Up(Up { dialog, flow, branch: 0 });
        Ok(())
    }

    /// Tells the party a key that the other one pressed, if it tells its own in signalling and takes none with its sound.
    fn press(&mut self, step: &mut Step<'_>, key: char) {
        let State::Up(up) = &self.state else { return };
        let takes_keys = self.sound.as_ref().is_some_and(|sound| sound.talk().takes_keys());
        if self.presses.signals && !takes_keys {
            let (now, dialog) = (step.now.mono, up.dialog);
            step.endpoint.request_in(now, dialog, Method::Info, Headers::new(), Some(keys::to_info(key)));
        }
    }

    /// Ends the dialog in the way that its state asks for. From here on the SIP machine goes on alone.
    fn end(&mut self, step: &mut Step<'_>, end: End) {
        // Nothing more is said in a dialog once it is being ended.
        self.tell_referred(step, end);
        let now = step.now.mono;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Invited(Invited { dialog, .. }) => {
                let status = if end.sip < 300 { 480 } else { end.sip };
                let mut headers = because(end);
                match status {
                    503 => headers.push(HeaderName::RetryAfter, "10"),
                    415 => headers.push(HeaderName::Accept, ACCEPT),
                    _ => {}
                }
                step.endpoint.refuse(now, dialog, status, headers);
            }
            State::Inviting { branches, .. } => {
                for branch in branches.iter().filter(|branch| branch.refusal.is_none()) {
                    step.endpoint.cancel(now, branch.dialog, because(end));
                }
            }
            State::Up(up) => step.endpoint.bye(now, up.dialog, because(end)),
            State::Over => {}
        }
        self.close_sound(step);
    }

    fn on_bye(&mut self, step: &mut Step<'_>, request: &Request) -> Option<LegNews> {
        // A caller may give up by BYE too, once it has heard from us (RFC 3261, 15).
        let reason = if matches!(self.state, State::Invited(_)) { Reason::Cancelled } else { Reason::HungUp };
        let cause = request.headers.q850_cause();
        self.gone(step, End { cause, ..reason.into() }, true)
    }

    fn close_sound(&mut self, step: &mut Step<'_>) {
        if let Some(sound) = &mut self.sound {
            sound.close(step);
        }
    }
}

#[cfg(test)]
mod tests;
