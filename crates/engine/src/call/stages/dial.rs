//! Somebody called, and the other side rings: until an answer, a refusal, the caller's giving up, or too long a time.

use std::time::{Duration, Instant};

use media::Sound;
use model::{Codec, EndedBy, Reason};

use super::{Stage, Talk};
use crate::call::Call;
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews, LegOrder};
use crate::ring::{self, Ring};
use crate::step::Step;

/// A caller who waits for an answer.
#[derive(Debug)]
pub struct Dial {
    caller: LegIndex,
    callee: LegIndex,
    /// How long it may ring.
    give_up_at: Instant,
    /// The caller has been given sound of the called side, so that its own phone does not ring in its ear any more.
    hears: bool,
}

impl Dial {
    /// Waits for `callee`, who is being called, on behalf of `caller`.
    pub fn of(step: &Step<'_>, caller: LegIndex, callee: LegIndex, patience: Duration) -> Self {
        Self { caller, callee, give_up_at: step.now.mono + patience, hears: false }
    }

    /// A leg tells something.
    pub fn on_news(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        match news {
            LegNews::Gone(gone) if leg == self.caller => self.caller_gone(call, step, gone),
            LegNews::Gone(gone) => self.callee_gone(call, step, gone),
            LegNews::Ringing { early } if leg == self.callee => {
                call.leg_rings(step, leg, early.is_some());
                self.ring(call, step, early);
                Stage::Dial(self)
            }
            LegNews::Answered { codec } if leg == self.callee => {
                if let Err(reason) = call.order(step, self.caller, LegOrder::Answer { codec: Some(codec) }) {
                    call.drop_leg(step, self.callee, reason.into());
                    call.refuse_leg(step, self.caller, reason.into());
                    call.finish(step, reason.into(), EndedBy::Switchboard);
                    return Stage::Over;
                }
                if self.hears {
                    call.stop_playing(step, self.caller);
                }
                call.leg_answered(step, self.callee);
                call.leg_answered(step, self.caller);
                call.connect(step, self.caller, self.callee);
                Stage::Talk(Talk::of(call, step, self.caller, self.callee))
            }
            LegNews::Redirected { to } if leg == self.callee => self.redirected(call, step, &to),
            LegNews::Rerouted { trunk, end } if leg == self.callee => {
                call.leg_rerouted(step, leg, trunk, end);
                Stage::Dial(self)
            }
            _ => Stage::Dial(self),
        }
    }

    /// It rang long enough.
    pub fn on_timeout(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono < self.give_up_at {
            return Stage::Dial(self);
        }
        let end = call.unanswered(self.callee, Reason::NoAnswer);
        call.drop_leg(step, self.callee, end);
        call.refuse_leg(step, self.caller, for_caller(end));
        call.finish(step, end, EndedBy::Switchboard);
        Stage::Over
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        self.give_up_at
    }

    /// The called side rings, or is heard, or is not heard any more because somebody else rings too.
    fn ring(&mut self, call: &mut Call, step: &mut Step<'_>, early: Option<Codec>) {
        if early.is_none() && self.hears {
            call.part(step, self.caller);
            return call.play(step, self.caller, Sound::Ringback);
        }
        match call.order(step, self.caller, LegOrder::Ring { early }) {
            Ok(()) if early.is_some() => {
                self.hears = true;
                call.join(step, self.caller, self.callee);
            }
            Ok(()) => {}
            // A caller that cannot hear the early sound still hears its own phone ring.
            Err(_) => drop(call.order(step, self.caller, LegOrder::Ring { early: None })),
        }
    }

    /// The called side is left, and whom it names is rung in its place.
    fn redirected(self, call: &mut Call, step: &mut Step<'_>, to: &str) -> Stage {
        call.leg_gone(step, self.callee, Gone { end: Reason::Redirected.into(), by_party: true });
        match ring::redirected(call, step, self.caller, self.callee, to) {
            Ok(Ring { leg, patience }) => {
                Stage::Dial(Self { callee: leg, give_up_at: step.now.mono + patience, ..self })
            }
            Err(reason) => {
                call.refuse_leg(step, self.caller, reason.into());
                call.finish(step, reason.into(), EndedBy::Switchboard);
                Stage::Over
            }
        }
    }

    fn caller_gone(self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { call.leg(self.caller).ends_as() } else { EndedBy::Switchboard };
        call.leg_gone(step, self.caller, gone);
        call.drop_leg(step, self.callee, gone.end.with_sip(487));
        call.finish(step, gone.end, by);
        Stage::Over
    }

    fn callee_gone(self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { call.leg(self.callee).ends_as() } else { EndedBy::Switchboard };
        call.leg_gone(step, self.callee, gone);
        call.refuse_leg(step, self.caller, for_caller(gone.end));
        call.finish(step, gone.end, by);
        Stage::Over
    }
}

/// The status a caller gets for the one the other side gave. What concerns only us and the other side is not passed on.
fn for_caller(end: End) -> End {
    match end.sip {
        400 | 401 | 402 | 405..=407 | 420..=423 | 481..=483 | 487 | 491 | 493 => end.with_sip(480),
        300..=399 => end.with_sip(480),
        // That one carrier can take no more says nothing about us (RFC 3261, 16.7 step 6).
        503 => end.with_sip(500),
        _ => end,
    }
}
