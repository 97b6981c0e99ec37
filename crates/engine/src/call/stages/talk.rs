//! Two sides are connected. Ends when one of them does, or at the longest time that any call may take.

use std::time::{Duration, Instant};

use model::{CallEvent, EndedBy, Reason};

use super::Stage;
use crate::call::Call;
use crate::key::LegIndex;
use crate::lines::{End, LegNews, LegOrder};
use crate::step::Step;

/// A conversation of two legs.
#[derive(Debug)]
pub struct Talk {
    legs: [LegIndex; 2],
    /// No call is longer than the tenant allows.
    end_at: Instant,
    /// When a hold ended last.
    resumed_at: Option<Instant>,
}

impl Talk {
    /// The conversation of two legs that are connected already. One of them may have put the other aside before.
    pub fn of(call: &mut Call, step: &mut Step<'_>, a: LegIndex, b: LegIndex) -> Self {
        for (leg, other) in [(a, b), (b, a)] {
            if call.leg(leg).line.holds() {
                call.mute(step, other, true);
            }
        }
        let longest = Duration::from_secs(call.settings.limits.max_call_seconds.into());
        Self { legs: [a, b], end_at: step.now.mono + longest, resumed_at: None }
    }

    /// A leg tells something.
    pub fn on_news(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        let at = step.now.wall;
        let id = call.leg(leg).id;
        match news {
            LegNews::Gone(gone) => {
                let by = if gone.by_party { call.leg(leg).ends_as() } else { EndedBy::Switchboard };
                call.leg_gone(step, leg, gone);
                call.finish(step, gone.end, by);
                return Stage::Over;
            }
            // Whom nobody listens to is not recorded either: what is said while one waits is said to nobody.
            LegNews::Held => {
                call.leg_held(step, leg);
                call.mute(step, self.other(leg), true);
            }
            LegNews::Resumed => {
                call.leg_resumed(step, leg);
                call.mute(step, self.other(leg), false);
                self.resumed_at = Some(step.now.mono);
            }
            // A codec that both speak spares the translating; a party that does not change is translated for.
            LegNews::Speaks(codec) => drop(call.order(step, self.other(leg), LegOrder::Speak(codec))),
            LegNews::Key(key) => {
                call.story.tell(at, CallEvent::LegKey { leg: id, key });
                // A key that cannot be handed on is heard by nobody else; the call goes on.
                let _ = call.order(step, self.other(leg), LegOrder::Key(key));
            }
            LegNews::Silent if self.may_be_silent(call, step) => {}
            LegNews::Silent => return self.over(call, step, Reason::Silent.into()),
            LegNews::Ringing { .. } | LegNews::Answered { .. } => {}
            LegNews::Redirected { .. } | LegNews::Rerouted { .. } => {}
        }
        Stage::Talk(self)
    }

    /// The longest allowed time is over.
    pub fn on_timeout(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono < self.end_at {
            return Stage::Talk(self);
        }
        self.over(call, step, Reason::TooLong.into())
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        self.end_at
    }

    /// Whoever is held has nobody to speak to, and may need a while to begin again.
    fn may_be_silent(&self, call: &Call, step: &Step<'_>) -> bool {
        let patience = Duration::from_secs(call.settings.limits.silence_seconds.into());
        let just_resumed = self.resumed_at.is_some_and(|at| step.now.mono < at + patience);
        just_resumed || self.legs.into_iter().any(|leg| call.leg(leg).line.holds())
    }

    fn other(&self, leg: LegIndex) -> LegIndex {
        let [a, b] = self.legs;
        if leg == a { b } else { a }
    }

    fn over(self, call: &mut Call, step: &mut Step<'_>, end: End) -> Stage {
        for leg in self.legs {
            call.drop_leg(step, leg, end);
        }
        call.finish(step, end.with_sip(200), EndedBy::Switchboard);
        Stage::Over
    }
}
