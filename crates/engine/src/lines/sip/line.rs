//! One leg's dialog with a phone or a carrier, and its sound: turns SIP into news of the leg, and orders into SIP.
//!
//!   Invited ──answer──► Up ──BYE──► Over      the party called us
//!   Inviting ──2xx──► Up                      we call the party, on one branch a phone

use std::net::IpAddr;

use media::{SessionId, WorkerId};
use model::{Codec, Reason, SoundOffer};
use sip::{Body, DialogId, Headers, Incoming, Method, Overload, Provisional, Request, Response, ServerId};

use super::sound::{Held, Sound};
use super::{ALLOW, because, keys};
use crate::key::{Key, LegKey};
use crate::lines::{End, Gone, LegNews, LegOrder};
use crate::step::Step;

/// A leg over SIP.
#[derive(Debug)]
pub struct SipLine {
    pub(super) state: State,
    /// None where there is no sound to be had: the leg can only be refused.
    pub(super) sound: Option<Sound>,
}

#[derive(Debug)]
pub(super) enum State {
    /// The party called us and waits. `rung`: what it has been told so far.
    Invited { dialog: DialogId, rung: Rung },
    /// We call the party; a branch for each of its phones.
    Inviting { branches: Vec<Branch> },
    /// Answered, by the phone on this branch.
    Up { dialog: DialogId, branch: u8 },
    /// The dialog is ended, or being ended by the SIP machine.
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rung {
    Nothing,
    Rings,
    HearsSound,
}

/// One phone that is being rung for a leg.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) dialog: DialogId,
    /// Where it is.
    pub(super) source: IpAddr,
    /// Its final refusal, once there is one.
    pub(super) refusal: Option<u16>,
}

/// What the SIP machine tells of a leg.
#[derive(Debug)]
pub enum SipNews {
    /// 101–199.
    Progress(Response),
    /// 2xx.
    Answered(Response),
    /// A final refusal.
    Refused(Response),
    /// No answer of any kind.
    Failed,
    /// The caller's CANCEL.
    Cancelled,
    /// The ACK to our 2xx.
    Acked(Request),
    /// There was no ACK to our 2xx.
    NeverAcked,
    /// BYE.
    Bye,
    /// A request within the dialog.
    Request(ServerId, Request),
}

impl SipLine {
    /// Accepts an INVITE: the party that called us waits from here on. Without usable sound the leg can only be refused,
    /// for the reason given. An error: there are too many calls, and the caller has been told so.
    pub fn accept(step: &mut Step<'_>, key: LegKey, incoming: Incoming) -> Result<(Self, Option<Reason>), Overload> {
        let flow = incoming.flow;
        let offer = incoming.request.body.clone();
        let dialog = step.endpoint.accept(step.now.mono, branch_key(key, 0), incoming)?;
        let sound = Sound::open(step, key, None, flow).and_then(|mut sound| match sound.take_offer(&offer) {
            Ok(()) => Ok(sound),
            Err(reason) => {
                sound.close(step);
                Err(reason)
            }
        });
        let trouble = sound.as_ref().err().copied();
        let state = State::Invited { dialog, rung: Rung::Nothing };
        Ok((Self { state, sound: sound.ok() }, trouble))
    }

    /// Where its sound is.
    pub fn session(&self) -> Option<(WorkerId, SessionId)> {
        self.sound.as_ref().map(Sound::session)
    }

    /// What the party can speak, as far as it has said so.
    pub fn speaks(&self) -> SoundOffer {
        self.sound.as_ref().map(Sound::speaks).unwrap_or_default()
    }

    /// The refusal that speaks for those phones of the party that have refused, while others are still being rung.
    pub fn refusal(&self) -> Option<u16> {
        let State::Inviting { branches } = &self.state else { return None };
        let refusals: Vec<u16> = branches.iter().filter_map(|branch| branch.refusal).collect();
        (!refusals.is_empty()).then(|| best_refusal(&refusals))
    }

    /// What a BYE to the party needs, once it is owed one.
    pub fn stub(&self, step: &Step<'_>) -> Option<String> {
        let State::Up { dialog, .. } = self.state else { return None };
        serde_json::to_string(&step.endpoint.snapshot(dialog)?).ok()
    }

    /// Carries out an order.
    pub fn order(&mut self, step: &mut Step<'_>, order: LegOrder) -> Result<(), Reason> {
        match order {
            LegOrder::Ring { early } => self.ring(step, early),
            LegOrder::Answer { codec } => self.answer(step, codec),
            LegOrder::Refuse(end) | LegOrder::HangUp(end) => {
                self.end(step, end);
                Ok(())
            }
            LegOrder::Key(_) => Ok(()),
        }
    }

    /// Takes in what the SIP machine tells of one branch. None: the call need not know.
    pub fn on_news(&mut self, step: &mut Step<'_>, branch: u8, news: SipNews) -> Option<LegNews> {
        // The leg is the phone that answered; how the others end is not its end.
        if let State::Up { branch: own, .. } = self.state
            && own != branch
        {
            return None;
        }
        match news {
            SipNews::Progress(response) => self.on_progress(step, &response),
            SipNews::Answered(response) => self.on_answered(step, branch, &response),
            SipNews::Refused(response) => self.on_refused(step, branch, response.status),
            SipNews::Failed => self.on_refused(step, branch, 408),
            SipNews::Cancelled => self.gone(step, Reason::Cancelled, 487, true),
            SipNews::Acked(request) => {
                if let Some(sound) = &mut self.sound {
                    sound.take_late_answer(step, &request.body);
                }
                None
            }
            SipNews::NeverAcked => self.gone(step, Reason::Unreachable, 408, false),
            // A caller may give up by BYE too, once it has heard from us (RFC 3261, 15).
            SipNews::Bye if matches!(self.state, State::Invited { .. }) => {
                self.gone(step, Reason::Cancelled, 487, true)
            }
            SipNews::Bye => self.gone(step, Reason::HungUp, 200, true),
            SipNews::Request(server, request) => self.on_request(step, server, &request),
        }
    }

    fn ring(&mut self, step: &mut Step<'_>, early: Option<Codec>) -> Result<(), Reason> {
        let State::Invited { dialog, rung } = &mut self.state else { return Ok(()) };
        let body = match (&mut self.sound, early) {
            (Some(sound), Some(codec)) if *rung < Rung::HearsSound => Some(sound.answer(step, Some(codec))?),
            _ => None,
        };
        let (status, now_rung) = match &body {
            Some(_) => (183, Rung::HearsSound),
            None => (180, Rung::Rings),
        };
        if now_rung > *rung {
            *rung = now_rung;
            step.endpoint.progress(step.now.mono, *dialog, Provisional { status, headers: Headers::new(), body });
        }
        Ok(())
    }

    fn answer(&mut self, step: &mut Step<'_>, codec: Option<Codec>) -> Result<(), Reason> {
        let State::Invited { dialog, .. } = self.state else { return Ok(()) };
        let sound = self.sound.as_mut().ok_or(Reason::NoCommonCodec)?;
        let body = sound.answer(step, codec)?;
        step.endpoint.answer(step.now.mono, dialog, Headers::new(), Some(body));
        self.state = State::Up { dialog, branch: 0 };
        Ok(())
    }

    /// Ends the dialog in the way that its state asks for. From here on the SIP machine goes on alone.
    fn end(&mut self, step: &mut Step<'_>, end: End) {
        let now = step.now.mono;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Invited { dialog, .. } => {
                let status = if end.sip < 300 { 480 } else { end.sip };
                let mut headers = because(end.reason);
                if status == 503 {
                    headers.push(sip::HeaderName::RetryAfter, "10");
                }
                step.endpoint.refuse(now, dialog, status, headers);
            }
            State::Inviting { branches } => {
                for branch in branches.iter().filter(|branch| branch.refusal.is_none()) {
                    step.endpoint.cancel(now, branch.dialog, because(end.reason));
                }
            }
            State::Up { dialog, .. } => step.endpoint.bye(now, dialog, because(end.reason)),
            State::Over => {}
        }
        self.close_sound(step);
    }

    fn gone(&mut self, step: &mut Step<'_>, reason: Reason, sip: u16, by_party: bool) -> Option<LegNews> {
        self.state = State::Over;
        self.close_sound(step);
        Some(LegNews::Gone(Gone { end: End::new(reason, sip), by_party }))
    }

    fn close_sound(&mut self, step: &mut Step<'_>) {
        if let Some(sound) = &mut self.sound {
            sound.close(step);
        }
    }

    fn on_progress(&mut self, step: &mut Step<'_>, response: &Response) -> Option<LegNews> {
        let State::Inviting { branches } = &self.state else { return None };
        // Several phones that ring: whose sound would it be? The caller hears its own ringing.
        let early = match &mut self.sound {
            Some(sound) if branches.len() == 1 && !response.body.is_empty() => {
                sound.take_answer(step, &response.body).ok()
            }
            _ => None,
        };
        Some(LegNews::Ringing { early })
    }

    fn on_answered(&mut self, step: &mut Step<'_>, branch: u8, response: &Response) -> Option<LegNews> {
        let State::Inviting { branches } = &self.state else { return None };
        let Branch { dialog: winner, source, .. } = *branches.get(usize::from(branch))?;
        for (at, other) in branches.iter().enumerate() {
            if at != usize::from(branch) && other.refusal.is_none() {
                let elsewhere =
                    Headers::new().with(sip::HeaderName::Reason, "SIP;cause=200;text=\"Call completed elsewhere\"");
                step.endpoint.cancel(step.now.mono, other.dialog, elsewhere);
            }
        }
        self.state = State::Up { dialog: winner, branch };
        let agreed = match &mut self.sound {
            Some(sound) => {
                sound.set_source(source);
                sound.take_final_answer(step, &response.body)
            }
            None => Err(Reason::NoCommonCodec),
        };
        match agreed {
            Ok(codec) => Some(LegNews::Answered { codec }),
            Err(reason) => {
                step.endpoint.bye(step.now.mono, winner, because(reason));
                self.gone(step, reason, 488, false)
            }
        }
    }

    fn on_refused(&mut self, step: &mut Step<'_>, branch: u8, status: u16) -> Option<LegNews> {
        let State::Inviting { branches } = &mut self.state else { return None };
        branches.get_mut(usize::from(branch))?.refusal = Some(status);
        // A 6xx speaks for all phones of the party (RFC 3261, 16.7 step 5).
        let final_for_all = status >= 600 || branches.iter().all(|branch| branch.refusal.is_some());
        if !final_for_all {
            return None;
        }
        for other in branches.iter().filter(|branch| branch.refusal.is_none()) {
            step.endpoint.cancel(step.now.mono, other.dialog, because(Reason::of_refusal(status)));
        }
        let mut status = self.refusal().unwrap_or(status);
        // Our own credentials or routes are nothing that a caller can mend.
        if matches!(status, 401 | 407) {
            status = 500;
        }
        let by_party = matches!(status, 480 | 486 | 600 | 603);
        self.gone(step, Reason::of_refusal(status), status, by_party)
    }

    fn on_request(&mut self, step: &mut Step<'_>, server: ServerId, request: &Request) -> Option<LegNews> {
        match request.method {
            Method::Invite | Method::Update => self.on_reoffer(step, server, request),
            Method::Info => {
                let key = keys::in_info(request);
                let status = if key.is_some() { 200 } else { 415 };
                step.endpoint.respond(step.now.mono, server, request.response(status));
                key.map(LegNews::Key)
            }
            Method::Options => {
                let response = request.response(200).with(sip::HeaderName::Allow, ALLOW);
                step.endpoint.respond(step.now.mono, server, response);
                None
            }
            _ => {
                let status = if matches!(request.method, Method::Other(_)) { 501 } else { 405 };
                let response = request.response(status).with(sip::HeaderName::Allow, ALLOW);
                step.endpoint.respond(step.now.mono, server, response);
                None
            }
        }
    }

    fn on_reoffer(&mut self, step: &mut Step<'_>, server: ServerId, request: &Request) -> Option<LegNews> {
        if let (Some(sound), Some(source)) = (&mut self.sound, source_of(request)) {
            sound.set_source(source);
        }
        let (answer, held) = match &mut self.sound {
            Some(sound) if !request.body.is_empty() => match sound.reoffer(step, &request.body) {
                Ok((body, held)) => (Ok(Some(body)), held),
                Err(reason) => (Err(reason), Held::Same),
            },
            // Without an offer an INVITE asks for ours (RFC 3261, 14.2); an UPDATE only says that its sender is there.
            Some(sound) if request.method == Method::Invite => (Ok(Some(sound.offer_again())), Held::Same),
            _ => (Ok(None), Held::Same),
        };
        let mut response = match &answer {
            Ok(_) => request.response(200).with(sip::HeaderName::Allow, ALLOW),
            Err(_) => request.response(488),
        };
        if let Ok(Some(Body { content_type, bytes })) = answer {
            response.set_body(content_type, bytes);
        }
        step.endpoint.respond(step.now.mono, server, response);
        match held {
            Held::Same => None,
            Held::On => Some(LegNews::Held),
            Held::Off => Some(LegNews::Resumed),
        }
    }
}

/// Where a request came from, as it was written into its Via (RFC 3581).
fn source_of(request: &Request) -> Option<IpAddr> {
    request.headers.via().ok()?.received()
}

/// The refusal that speaks for all branches (RFC 3261, 16.7 step 6): a 6xx, else the lowest class, the telling ones first.
fn best_refusal(statuses: &[u16]) -> u16 {
    let rank = |status: &u16| match *status {
        600..=699 => (0, 0),
        486 => (1, 0),
        401 | 407 | 415 | 420 | 484 => (1, 1),
        408 => (5, 0),
        487 => (6, 0),
        status @ 400..=499 => (2, status),
        status => (3, status),
    };
    statuses.iter().copied().min_by_key(rank).unwrap_or(480)
}

/// Which branch of which leg.
pub(super) fn branch_key(key: LegKey, branch: usize) -> Key {
    Key::Leg(key, u8::try_from(branch).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_that_says_most_speaks_for_all_phones() {
        assert_eq!(best_refusal(&[480, 486, 408]), 486);
        assert_eq!(best_refusal(&[486, 603]), 603);
        assert_eq!(best_refusal(&[408, 480]), 480);
        assert_eq!(best_refusal(&[503, 404]), 404);
    }
}
