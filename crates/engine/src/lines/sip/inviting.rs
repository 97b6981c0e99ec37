//! A party that is being called: a branch for each of its phones, the early dialogs of each, and how they are decided.
//!
//! Sound before the answer reaches the caller from one early dialog only. As soon as a second phone rings nobody could say
//! whose sound it should be: the caller hears our own ringback then, and the sound of whoever answers.

use model::Reason;
use sip::{Body, Request, Response, ServerId};

use super::branch::Branch;
use super::causes::{because, elsewhere};
use super::formats::word;
use super::identity;
use super::negotiation::Negotiation;
use super::state::{Heard, SipLine, State, Up};
use super::tries::Found;
use super::within;
use crate::lines::{End, LegNews};
use crate::step::Step;

impl SipLine {
    /// 101–199.
    pub(super) fn on_progress(
        &mut self,
        step: &mut Step<'_>,
        at: usize,
        fork: u64,
        response: &Response,
    ) -> Option<LegNews> {
        if let Some(tries) = &mut self.tries {
            tries.heard(step, response);
        }
        let State::Inviting { branches, heard } = &mut self.state else { return None };
        let branch = branches.get_mut(at)?;
        let offered = &branch.offered;
        let answer = within::description(&response.headers, &response.body).ok().flatten().unwrap_or_default();
        let mut talk = offered.clone();
        let is_usable = !answer.is_empty() && talk.take_answer(&answer).is_ok();
        let early = branch.early_mut(fork)?;
        // Announcements and ringing may come from different places, one after the other. What is only said again does not
        // undo what was agreed on by UPDATE meanwhile.
        let is_other = is_usable && early.said != answer;
        if is_other {
            early.talk = Some(talk);
            early.said = answer;
        }
        let (ringing, live) = (rings(branches), branches.iter().filter(|branch| branch.is_live()).count());
        let talk = branches.get(at).and_then(|branch| talk_of(branch, fork));
        let now = match (*heard, talk) {
            (Heard::Of(..) | Heard::Several, _) if ringing > 1 => Heard::Several,
            (Heard::Of(..) | Heard::Several, _) => *heard,
            (Heard::Nothing | Heard::Ringing, Some(_)) if live == 1 && ringing == 1 => Heard::Of(at, fork),
            (Heard::Nothing | Heard::Ringing, _) => Heard::Ringing,
        };
        if now == std::mem::replace(heard, now) {
            if let (true, Some(talk), Some(sound)) = (is_other && now == Heard::Of(at, fork), talk, &mut self.sound) {
                sound.settle(step, talk.clone());
            }
            return None;
        }
        match (now, talk.cloned(), &mut self.sound) {
            (Heard::Of(..), Some(talk), Some(sound)) => {
                sound.settle(step, talk);
                Some(LegNews::Ringing { early: sound.talk().codec().map(word) })
            }
            _ => Some(LegNews::Ringing { early: None }),
        }
    }

    /// 2xx: the leg is this phone from here on, and its description counts, whoever was heard before.
    pub(super) fn on_answered(
        &mut self,
        step: &mut Step<'_>,
        at: usize,
        fork: u64,
        response: &Response,
    ) -> Option<LegNews> {
        if let Some(tries) = &mut self.tries {
            tries.heard(step, response);
        }
        let State::Inviting { branches, .. } = &mut self.state else { return None };
        let branch = branches.get(at)?;
        let (dialog, flow) = (branch.dialog, branch.flow);
        let mut talk = talk_of(branch, fork).unwrap_or(&branch.offered).clone();
        for (other, branch) in branches.iter().enumerate() {
            if other != at && branch.is_live() {
                step.endpoint.cancel(step.now.mono, branch.dialog, elsewhere());
            }
        }
        self.state = State::Up(Up { dialog, flow, branch: at });
        let agreed = match within::description(&response.headers, &response.body) {
            Ok(Some(answer)) => talk.take_answer(&answer).map(drop),
            Ok(None) if talk.codec().is_some() => Ok(()),
            Ok(None) | Err(_) => Err(Reason::NoCommonCodec),
        };
        let codec = talk.codec().filter(|_| agreed.is_ok());
        let (Some(sound), Some(codec)) = (&mut self.sound, codec) else {
            let end = End::from(Reason::NoCommonCodec);
            step.endpoint.bye(step.now.mono, dialog, because(end));
            return self.gone(step, end, false);
        };
        sound.set_source(flow.remote.ip());
        sound.settle(step, talk);
        sound.answered(step);
        Some(LegNews::Answered { codec: word(codec) })
    }

    /// A final refusal of one phone.
    pub(super) fn on_refused(&mut self, step: &mut Step<'_>, at: usize, response: &Response) -> Option<LegNews> {
        let key = self.key;
        let State::Inviting { branches, .. } = &mut self.state else { return None };
        let branch = branches.get_mut(at).filter(|branch| branch.is_live())?;
        let status = response.status;
        // A phone that knows no secured sound says so in one of these ways.
        if matches!(status, 415 | 488 | 606) && branch.ring_plainly(step, key, at) {
            return None;
        }
        branch.elsewhere = identity::elsewhere(&response.headers).filter(|_| (300..400).contains(&status));
        let reason = reason_of(status, self.is_carrier());
        let end = End { cause: response.headers.q850_cause(), ..End::new(reason, status) };
        match self.tries {
            Some(_) => self.on_trunk_refused(step, at, end, Some(response)),
            None => self.refused(step, at, end),
        }
    }

    /// One phone gave no answer at all.
    pub(super) fn on_failed(&mut self, step: &mut Step<'_>, at: usize) -> Option<LegNews> {
        match self.tries {
            Some(_) => self.on_trunk_refused(step, at, Reason::Unreachable.into(), None),
            None => self.refused(step, at, Reason::Unreachable.into()),
        }
    }

    /// The trunk that is being called has refused, or has not answered at all.
    fn on_trunk_refused(
        &mut self,
        step: &mut Step<'_>,
        at: usize,
        end: End,
        response: Option<&Response>,
    ) -> Option<LegNews> {
        let State::Inviting { branches, heard } = &mut self.state else { return None };
        let branch = branches.get_mut(at).filter(|branch| branch.refusal.is_none())?;
        branch.refusal = Some(end);
        let tries = self.tries.as_mut()?;
        match response {
            Some(response) => tries.heard(step, response),
            None => tries.heard_nothing(step),
        }
        if tries.may_go_on(end.sip)
            && let Ok(Found { trunk, branch, sound }) = tries.next(step)
        {
            branches.push(branch);
            self.trunk = tries.has().cloned();
            *heard = Heard::default();
            if let Some(mut before) = self.sound.replace(sound) {
                before.close(step);
            }
            return Some(LegNews::Rerouted { trunk, end });
        }
        // Where a carrier would rather have the call is worth following only if the carrier is to be believed.
        let elsewhere = response.filter(|response| (300..400).contains(&response.status));
        let elsewhere = elsewhere.filter(|_| tries.trunk(step).is_some_and(|trunk| trunk.trusted));
        if let Some(to) = elsewhere.and_then(|response| identity::elsewhere(&response.headers)) {
            return self.redirected(step, to);
        }
        // Our own credentials or routes are nothing that a caller can mend, and nothing that the party decided.
        let ours = matches!(end.sip, 401 | 407);
        let end = if ours { end.with_sip(500) } else { end };
        self.gone(step, end, response.is_some() && !ours)
    }

    /// The refusal that speaks for those phones of the party that have refused, while others are still being rung.
    pub(super) fn best_refusal(&self) -> Option<End> {
        let State::Inviting { branches, .. } = &self.state else { return None };
        // Trunks that could not take the call have said nothing about whoever is rung by another.
        if self.tries.is_some() {
            return None;
        }
        let refusals: Vec<End> = branches.iter().filter_map(|branch| branch.refusal).collect();
        (!refusals.is_empty()).then(|| best(&refusals))
    }

    /// A re-offer of a phone that has not picked up yet (RFC 3311).
    pub(super) fn on_early_request(
        &mut self,
        step: &mut Step<'_>,
        at: usize,
        fork: u64,
        server: ServerId,
        request: &Request,
    ) {
        let State::Inviting { branches, heard } = &mut self.state else { return };
        let early = branches.get_mut(at).and_then(|branch| branch.early_mut(fork));
        let talk = early.and_then(|early| early.talk.as_mut());
        let answer = match (within::description(&request.headers, &request.body), talk) {
            (Ok(None), _) => Ok(None),
            // Our offer is still open: theirs has to wait (RFC 3311, 5.2).
            (Ok(Some(_)), None) => Err(500),
            (Ok(Some(offer)), Some(talk)) => match talk.reoffer(&offer) {
                Ok((answer, _)) => {
                    if let (true, Some(sound)) = (*heard == Heard::Of(at, fork), &mut self.sound) {
                        sound.settle(step, talk.clone());
                    }
                    Ok(Some(answer))
                }
                Err(_) => Err(488),
            },
            (Err(status), _) => Err(status),
        };
        within::respond(step, server, request, answer.map(|answer| answer.map(Body::sdp)));
    }

    fn refused(&mut self, step: &mut Step<'_>, at: usize, refusal: End) -> Option<LegNews> {
        let State::Inviting { branches, heard } = &mut self.state else { return None };
        let has_rung = *heard != Heard::Nothing;
        branches.get_mut(at)?.refusal = Some(refusal);
        // A 6xx speaks for all phones of the party (RFC 3261, 16.7 step 5).
        let is_final = refusal.sip >= 600 || branches.iter().all(|branch| !branch.is_live());
        if !is_final {
            return None;
        }
        for other in branches.iter().filter(|branch| branch.is_live()) {
            step.endpoint.cancel(step.now.mono, other.dialog, because(refusal));
        }
        let elsewhere = branches.iter_mut().find_map(|branch| branch.elsewhere.take());
        if let Some(to) = elsewhere.filter(|_| refusal.sip < 600) {
            return self.redirected(step, to);
        }
        let mut end = self.best_refusal().unwrap_or(refusal);
        // Our own credentials or routes are nothing that a caller can mend, and nothing that the party decided.
        let by_party = !matches!(end.sip, 401 | 407) && end != Reason::Unreachable.into();
        if matches!(end.sip, 401 | 407) {
            end = end.with_sip(500);
        }
        // Nobody can say that it rang in vain where nothing has rung.
        if end.reason == Reason::NoAnswer && !has_rung {
            end.reason = Reason::Unavailable;
        }
        self.gone(step, end, by_party)
    }
}

/// How many early dialogs there are among phones that have not refused.
fn rings(branches: &[Branch]) -> usize {
    branches.iter().filter(|branch| branch.is_live()).map(|branch| branch.early.len()).sum()
}

fn talk_of(branch: &Branch, fork: u64) -> Option<&Negotiation> {
    branch.early.iter().find(|early| early.fork == fork)?.talk.as_ref()
}

/// What a refusal means. Whether a number exists in the world only a carrier can say.
fn reason_of(status: u16, is_carrier: bool) -> Reason {
    match Reason::of_refusal(status) {
        Reason::NoSuchNumber if !is_carrier => Reason::Failed,
        reason => reason,
    }
}

/// The refusal that speaks for all branches.
fn best(refusals: &[End]) -> End {
    refusals.iter().copied().min_by_key(End::rank).unwrap_or(Reason::NoAnswer.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_that_says_most_speaks_for_all_phones() {
        assert_eq!(best_of(&[480, 486, 408]), 486);
        assert_eq!(best_of(&[486, 603]), 603);
        assert_eq!(best_of(&[408, 480]), 480);
        assert_eq!(best_of(&[503, 404]), 404);
    }

    #[test]
    fn a_phone_cannot_say_that_a_number_does_not_exist() {
        assert_eq!(reason_of(404, true), Reason::NoSuchNumber);
        assert_eq!(reason_of(404, false), Reason::Failed);
        assert_eq!(reason_of(486, false), Reason::Busy);
    }

    fn best_of(statuses: &[u16]) -> u16 {
        let refusals: Vec<End> = statuses.iter().map(|status| End::new(Reason::of_refusal(*status), *status)).collect();
        best(&refusals).sip
    }
}
