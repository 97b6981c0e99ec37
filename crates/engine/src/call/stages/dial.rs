//! Somebody called, and the other side rings: until an answer, a refusal, the caller's giving up, or too long a time.

use std::time::Instant;

use model::{Codec, EndedBy, Reason};

use super::{Stage, Talk};
use crate::call::Call;
use crate::call::hunt::{Heard, Hunt};
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews, LegOrder};
use crate::step::Step;

/// A caller who waits for an answer.
#[derive(Debug)]
pub struct Dial {
    caller: LegIndex,
    /// Who is being rung.
    hunt: Hunt,
    /// The caller has been given sound of the called side, so that its own phone does not ring in its ear any more.
    hears: bool,
}

impl Dial {
    /// Waits for whoever is being rung, on behalf of `caller`.
    pub fn of(caller: LegIndex, hunt: Hunt) -> Self {
        Self { caller, hunt, hears: false }
    }

    /// A leg tells something.
    pub fn on_news(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        if leg == self.caller {
            return match news {
                LegNews::Gone(gone) => self.caller_gone(call, step, gone),
                _ => Stage::Dial(self),
            };
        }
        let heard = self.hunt.on_news(call, step, leg, news);
        self.heard(call, step, heard)
    }

    /// It rang long enough.
    pub fn on_timeout(mut self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        let heard = self.hunt.on_timeout(call, step);
        self.heard(call, step, heard)
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.hunt.poll_timeout()
    }

    fn heard(mut self, call: &mut Call, step: &mut Step<'_>, heard: Heard) -> Stage {
        match heard {
            Heard::Nothing => Stage::Dial(self),
            Heard::Rings { leg, early } => {
                self.ring(call, step, leg, early);
                Stage::Dial(self)
            }
            Heard::Answered { leg, codec } => self.answered(call, step, leg, codec),
            Heard::Failed(end, by) => {
                call.refuse_leg(step, self.caller, for_caller(end));
                call.finish(step, end, by);
                Stage::Over
            }
        }
    }

    fn answered(self, call: &mut Call, step: &mut Step<'_>, callee: LegIndex, codec: Codec) -> Stage {
        if let Err(reason) = call.order(step, self.caller, LegOrder::Answer { codec: Some(codec) }) {
            call.drop_leg(step, callee, reason.into());
            call.refuse_leg(step, self.caller, reason.into());
            call.finish(step, reason.into(), EndedBy::Switchboard);
            return Stage::Over;
        }
        if self.hears {
            call.stop_playing(step, self.caller);
        }
        call.leg_answered(step, self.caller);
        call.connect(step, self.caller, callee);
        Stage::Talk(Talk::of(call, step, self.caller, callee))
    }

    /// The called side rings, or is heard, or is not heard any more because somebody else rings.
    fn ring(&mut self, call: &mut Call, step: &mut Step<'_>, callee: LegIndex, early: Option<Codec>) {
        if self.hears {
            return call.let_hear(step, self.caller, callee, early);
        }
        match call.order(step, self.caller, LegOrder::Ring { early }) {
            Ok(()) if early.is_some() => {
                self.hears = true;
                call.join(step, self.caller, callee);
            }
            Ok(()) => {}
            // A caller that cannot hear the early sound still hears its own phone ring.
            Err(_) => drop(call.order(step, self.caller, LegOrder::Ring { early: None })),
        }
    }

    fn caller_gone(mut self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { call.leg(self.caller).ends_as() } else { EndedBy::Switchboard };
        call.leg_gone(step, self.caller, gone);
        self.hunt.stop(call, step, gone.end.with_sip(487));
        call.finish(step, gone.end, by);
        Stage::Over
    }
}

/// The status a caller gets for the one the other side gave. What concerns only us and the other side is not passed on.
fn for_caller(end: End) -> End {
    // What we found out ourselves on the way is said as it is.
    if matches!(end.reason, Reason::Diverted | Reason::Limit | Reason::NoSoundAddress | Reason::TrunksDown) {
        return end;
    }
    match end.sip {
        400 | 401 | 402 | 405..=407 | 420..=423 | 481..=483 | 487 | 491 | 493 => end.with_sip(480),
        300..=399 => end.with_sip(480),
        // That one carrier can take no more says nothing about us (RFC 3261, 16.7 step 6).
        503 => end.with_sip(500),
        _ => end,
    }
}
