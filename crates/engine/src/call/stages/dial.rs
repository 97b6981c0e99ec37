//! Somebody called, and the other side rings: until an answer, a refusal, the caller's giving up, or too long a time.

use std::time::Instant;

use model::{Codec, EndedBy, Reason};

use super::{Stage, Talk};
use crate::call::Call;
use crate::call::hunt::{Heard, Hunt};
use crate::call::waiter::Waiter;
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews};
use crate::step::Step;

/// A caller who waits for an answer.
#[derive(Debug)]
pub struct Dial {
    waiter: Waiter,
    /// Who is being rung.
    hunt: Hunt,
}

impl Dial {
    /// Waits for whoever is being rung, on behalf of `caller`.
    pub fn of(waiter: Waiter, hunt: Hunt) -> Self {
        Self { waiter, hunt }
    }

    /// A leg tells something.
    pub fn on_news(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        if leg == self.waiter.leg {
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
                self.waiter.ring(call, step, leg, early);
                Stage::Dial(self)
            }
            Heard::Answered { leg, codec } => self.answered(call, step, leg, codec),
            Heard::Failed(end, by) => self.failed(call, step, end, by),
        }
    }

    fn answered(self, call: &mut Call, step: &mut Step<'_>, callee: LegIndex, codec: Codec) -> Stage {
        let caller = self.waiter.leg;
        if let Err(reason) = self.waiter.connect(call, step, callee, codec) {
            call.drop_leg(step, callee, reason.into());
            return Stage::refuse(call, step, caller, reason.into());
        }
        Stage::Talk(Talk::of(call, step, caller, callee))
    }

    /// Nobody was reached. Who was answered before hears that nobody is there.
    fn failed(self, call: &mut Call, step: &mut Step<'_>, end: End, by: EndedBy) -> Stage {
        call.refuse_leg(step, self.waiter.leg, for_caller(end));
        call.finish(step, end, by);
        Stage::Over
    }

    fn caller_gone(mut self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { call.leg(self.waiter.leg).ends_as() } else { EndedBy::Switchboard };
        call.leg_gone(step, self.waiter.leg, gone);
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
