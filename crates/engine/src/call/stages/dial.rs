//! Somebody called, and the other side rings: until an answer, a refusal, the caller's giving up, or too long a time.

use std::time::Instant;

use model::{Codec, EndedBy, Forwarding};

use super::elsewhere::{self, Called};
use super::{Stage, Talk};
use crate::call::Call;
use crate::call::hunt::{Heard, Hunt};
use crate::call::waiter::Waiter;
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews};
use crate::routing::Destination;
use crate::step::Step;

/// A caller who waits for an answer.
#[derive(Debug)]
pub struct Dial {
    waiter: Waiter,
    /// Who is being rung.
    hunt: Hunt,
    /// Whom that is on behalf of.
    called: Called,
    /// How often the call had been passed on when it began to ring.
    passed_on: u32,
}

impl Dial {
    /// Rings somebody on behalf of `caller`, or whoever stands in for them.
    pub fn begin(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, to: &Destination<'_>) -> Stage {
        if let Destination::Extension(extension) = to
            && let Some(stage) = elsewhere::forward(call, step, caller, extension, Forwarding::Always)
        {
            return stage;
        }
        let called = Called::of(to);
        let side = call.leg(caller).side.other();
        match Hunt::start(call, step, caller, side, to) {
            Ok(hunt) => {
                let waiter = Waiter::of(call, step, caller);
                Stage::Dial(Self { waiter, hunt, called, passed_on: call.caller.passed_on() })
            }
            Err(reason) => {
                let otherwise = called.otherwise(call, step, caller, reason.into());
                otherwise.unwrap_or_else(|| Stage::refuse(call, step, caller, reason.into()))
            }
        }
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

    /// Those who are rung.
    pub fn ringing(&self) -> &Hunt {
        &self.hunt
    }

    /// Somebody takes the call in the place of one who is rung, and learns who calls.
    pub fn pick_up(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, from: LegIndex) -> Stage {
        let caller = self.waiter.leg;
        let heard = self.hunt.picked_up(call, step, leg, from);
        let stage = self.heard(call, step, heard);
        if call.is_live(leg) {
            call.identify(step, leg, caller);
        }
        stage
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

    fn heard(self, call: &mut Call, step: &mut Step<'_>, heard: Heard) -> Stage {
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

    /// Nobody was reached: the caller goes where the called side has calls go.
    fn failed(self, call: &mut Call, step: &mut Step<'_>, end: End, by: EndedBy) -> Stage {
        let caller = self.waiter.leg;
        // Where a phone passed the call on itself, how that went says nothing of the extension that was called.
        let otherwise = (self.passed_on == call.caller.passed_on())
            .then(|| self.called.otherwise(call, step, caller, end))
            .flatten();
        otherwise.unwrap_or_else(|| elsewhere::nobody(call, step, caller, end, by))
    }

    fn caller_gone(mut self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { call.leg(self.waiter.leg).ends_as() } else { EndedBy::Switchboard };
        call.leg_gone(step, self.waiter.leg, gone);
        self.hunt.stop(call, step, gone.end.with_sip(487));
        call.finish(step, gone.end, by);
        Stage::Over
    }
}
