//! Two sides are connected. Ends when one of them does, or at the longest time that any call may take.

use std::time::{Duration, Instant};

use model::{CallEvent, EndedBy, Reason};

use super::Stage;
use crate::call::Call;
use crate::key::LegIndex;
use crate::lines::LegNews;
use crate::step::Step;

/// A conversation of two legs.
#[derive(Debug)]
pub struct Talk {
    legs: [LegIndex; 2],
    /// No call is longer than the tenant allows.
    end_at: Instant,
}

impl Talk {
    /// The conversation of two legs that are connected already.
    pub fn of(call: &Call, step: &Step<'_>, a: LegIndex, b: LegIndex) -> Self {
        let longest = Duration::from_secs(call.settings.limits.max_call_seconds.into());
        Self { legs: [a, b], end_at: step.now.mono + longest }
    }

    /// A leg tells something.
    pub fn on_news(self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        let at = step.now.wall;
        let id = call.leg(leg).id;
        match news {
            LegNews::Gone(gone) => {
                let by = if gone.by_party { call.leg(leg).ends_as() } else { EndedBy::Switchboard };
                call.leg_gone(step, leg, gone);
                call.finish(step, gone.reason, gone.sip, by);
                return Stage::Over;
            }
            LegNews::Held => call.leg_held(step, leg),
            LegNews::Resumed => call.leg_resumed(step, leg),
            LegNews::Key(key) => call.story.tell(at, CallEvent::LegKey { leg: id, key }),
            LegNews::Ringing { .. } | LegNews::Answered { .. } => {}
        }
        Stage::Talk(self)
    }

    /// The longest allowed time is over.
    pub fn on_timeout(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono < self.end_at {
            return Stage::Talk(self);
        }
        for leg in self.legs {
            call.drop_leg(step, leg, Reason::TooLong, 200);
        }
        call.finish(step, Reason::TooLong, 200, EndedBy::Switchboard);
        Stage::Over
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        self.end_at
    }
}
