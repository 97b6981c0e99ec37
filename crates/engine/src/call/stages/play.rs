//! The caller hears something to its end, and then the call is over.
//!
//! A number may lead to nothing but a prompt; whoever was answered hears in this way too that nobody is there.

use std::time::{Duration, Instant};

use model::{CallEvent, Clip, EndedBy, Phrase, Prompt, Reason};

use super::Stage;
use crate::call::Call;
use crate::call::leg::LegState;
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews};
use crate::routing::Lead;
use crate::step::Step;

/// What is said is taken to be over so long after it should be: sound may begin late, but not for ever.
const LATE: Duration = Duration::from_secs(10);

/// A caller who hears how it ends.
#[derive(Debug)]
pub struct Play {
    caller: LegIndex,
    end: End,
    by: EndedBy,
    /// Then it has been said.
    until: Instant,
}

impl Play {
    /// The caller hears a prompt, and has been served.
    pub fn prompt(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, prompt: Prompt) -> Stage {
        if let Err(reason) = call.answer_caller(step, caller) {
            return Stage::refuse(call, step, caller, reason.into());
        }
        let clips: Vec<Clip> = call.settings.clip(&prompt).cloned().into_iter().collect();
        if let Some(end) = Lead::Play(prompt).party() {
            let leg = call.leg(caller).id;
            call.story.tell(step.now.wall, CallEvent::Reached { leg, end });
        }
        Self::then_end(call, step, caller, clips, Reason::Served.into(), EndedBy::Switchboard)
    }

    /// A caller whom nobody takes hears so. None: it was not answered, and hears it from its own phone.
    pub fn sorry(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, end: End, by: EndedBy) -> Option<Stage> {
        if call.leg(caller).state != LegState::Answered {
            return None;
        }
        let clips = call.settings.phrase(Phrase::NobodyFree).cloned().into_iter().collect();
        Some(Self::then_end(call, step, caller, clips, end, by))
    }

    /// A caller who was answered hears this, and the call ends so.
    pub fn then_end(
        call: &mut Call,
        step: &mut Step<'_>,
        caller: LegIndex,
        clips: Vec<Clip>,
        end: End,
        by: EndedBy,
    ) -> Stage {
        let until = step.now.mono + how_long(&clips);
        let play = Self { caller, end, by, until };
        if clips.is_empty() {
            return play.over(call, step);
        }
        call.part(step, caller);
        call.say(step, caller, clips);
        Stage::Play(play)
    }

    /// A leg tells something.
    pub fn on_news(self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        match news {
            LegNews::Said if leg == self.caller => self.over(call, step),
            LegNews::Gone(gone) if leg == self.caller => caller_gone(call, step, leg, gone),
            _ => Stage::Play(self),
        }
    }

    /// It must have been said by now.
    pub fn on_timeout(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono < self.until { Stage::Play(self) } else { self.over(call, step) }
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        self.until
    }

    fn over(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        call.finish(step, self.end, self.by);
        Stage::Over
    }
}

/// How long it takes to say something, at most.
pub fn how_long(clips: &[Clip]) -> Duration {
    Duration::from_millis(clips.iter().map(Clip::milliseconds).sum()) + LATE
}

/// A caller who is alone in the call hangs up.
pub fn caller_gone(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, gone: Gone) -> Stage {
    let by = if gone.by_party { call.leg(caller).ends_as() } else { EndedBy::Switchboard };
    call.leg_gone(step, caller, gone);
    call.finish(step, gone.end, by);
    Stage::Over
}
