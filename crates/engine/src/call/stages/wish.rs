//! A phone wishes its calls elsewhere, or none: by a code that changes a setting of its extension.
//!
//! The setting is changed where settings are kept, as a client of the API would change it; the caller hears what came of it.

use std::time::{Duration, Instant};

use model::{Feature, Forwarding, Phrase, Reason};

use super::play::caller_gone;
use super::{Stage, feature};
use crate::call::Call;
use crate::edge::{Answer, Question, Wished};
use crate::key::LegIndex;
use crate::lines::LegNews;
use crate::questions::Full;
use crate::routing::{Lead, lead};
use crate::step::Step;

/// How long a setting may take to be changed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A caller who waits to hear whether it is done.
#[derive(Debug)]
pub struct Wish {
    caller: LegIndex,
    feature: Feature,
    rest: String,
    until: Instant,
}

impl Wish {
    /// What a code wishes of an extension's settings; `rest` is what followed the code. None: another thing altogether.
    pub fn of(feature: Feature, rest: &str) -> Option<Wished> {
        let to = || Some(rest.to_owned()).filter(|rest| !rest.is_empty());
        Some(match feature {
            Feature::ForwardAlways => Wished::Forward(Forwarding::Always, to()),
            Feature::ForwardBusy => Wished::Forward(Forwarding::Busy, to()),
            Feature::ForwardNoAnswer => Wished::Forward(Forwarding::NoAnswer, to()),
            Feature::ForwardUnreachable => Wished::Forward(Forwarding::Unreachable, to()),
            Feature::ForwardOff => Wished::NoForward,
            Feature::DoNotDisturb => Wished::DoNotDisturb(true),
            Feature::DoNotDisturbOff => Wished::DoNotDisturb(false),
            _ => return None,
        })
    }

    /// Has the wish of the extension that calls carried out.
    pub fn begin(
        call: &mut Call,
        step: &mut Step<'_>,
        caller: LegIndex,
        (feature, rest): (Feature, String),
        wished: Wished,
    ) -> Stage {
        let Some(extension) = call.leg(caller).party.extension().map(str::to_owned) else {
            return Stage::refuse(call, step, caller, Reason::NotAllowed.into());
        };
        if let Wished::Forward(_, Some(to)) = &wished
            && let Err(reason) = may_go_to(call, step, &extension, to)
        {
            return feature::tell(call, step, caller, Phrase::NotDone, reason.into());
        }
        let ticket = step.ids.ticket();
        if let Err(Full) = step.questions.open(ticket, call.settings.id, call.id) {
            return feature::tell(call, step, caller, Phrase::NotDone, Reason::Limit.into());
        }
        step.ask(ticket, Question::Wish { extension, wished });
        Stage::Wish(Self { caller, feature, rest, until: step.now.mono + PATIENCE })
    }

    /// A leg tells something.
    pub fn on_news(self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        match news {
            LegNews::Gone(gone) if leg == self.caller => caller_gone(call, step, leg, gone),
            _ => Stage::Wish(self),
        }
    }

    /// It is done, or could not be.
    pub fn on_answer(self, call: &mut Call, step: &mut Step<'_>, answer: &Answer) -> Stage {
        if *answer != Answer::Done {
            return self.not_done(call, step);
        }
        let is_off = matches!(self.feature, Feature::ForwardOff | Feature::DoNotDisturbOff)
            || matches!(Self::of(self.feature, &self.rest), Some(Wished::Forward(_, None)));
        let phrase = if is_off { Phrase::Off } else { Phrase::Done };
        feature::done(call, step, self.caller, Lead::Feature(self.feature, self.rest), phrase)
    }

    /// Nobody knows what came of it.
    pub fn on_timeout(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono < self.until {
            return Stage::Wish(self);
        }
        step.questions.forget(call.settings.id, call.id);
        self.not_done(call, step)
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        self.until
    }

    fn not_done(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        feature::tell(call, step, self.caller, Phrase::NotDone, Reason::StorageStalled.into())
    }
}

/// Whether an extension may have its calls go there.
fn may_go_to(call: &Call, step: &Step<'_>, extension: &str, to: &str) -> Result<(), Reason> {
    if to == extension {
        return Err(Reason::Diverted);
    }
    match lead::inside(&call.settings, step.now.wall, to)? {
        Lead::Feature(..) | Lead::Parked(_) => Err(Reason::UnknownTarget),
        _ => Ok(()),
    }
}
