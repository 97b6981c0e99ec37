//! What a phone orders by a code: the order is carried out, and the caller hears what came of it.

use model::{AgentAction, CallEvent, EndedBy, Feature, Phrase, Reason, Text};

use super::{Play, Stage, Wish};
use crate::call::Call;
use crate::key::LegIndex;
use crate::lines::End;
use crate::routing::Lead;
use crate::step::Step;

/// Carries out what a caller dialled a code for; `rest` is what followed it.
pub fn order(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, feature: Feature, rest: String) -> Stage {
    if let Some(wished) = Wish::of(feature, &rest) {
        return Wish::begin(call, step, caller, (feature, rest), wished);
    }
    let action = match feature {
        Feature::SignIn => AgentAction::SignIn,
        Feature::SignOut => AgentAction::SignOut,
        Feature::Pause => AgentAction::Pause { reason: Text::from(rest.as_str()) },
        Feature::Resume => AgentAction::Resume,
        _ => return Stage::refuse(call, step, caller, Reason::RouteUnavailable.into()),
    };
    let Some(extension) = call.leg(caller).party.extension().map(str::to_owned) else {
        return Stage::refuse(call, step, caller, Reason::NotAllowed.into());
    };
    let is_off = action == AgentAction::SignOut;
    match step.office.floor.order(step.now, &extension, &action) {
        Ok(()) => {
            let phrase = if is_off { Phrase::Off } else { Phrase::Done };
            done(call, step, caller, Lead::Feature(feature, rest), phrase)
        }
        Err(_) => tell(call, step, caller, Phrase::NotDone, Reason::NotAllowed.into()),
    }
}

/// It is done: the caller has reached what was dialled, and hears so.
pub fn done(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, lead: Lead<'_>, phrase: Phrase) -> Stage {
    if let Err(reason) = call.answer_caller(step, caller) {
        return Stage::refuse(call, step, caller, reason.into());
    }
    if let Some(end) = lead.party() {
        let leg = call.leg(caller).id;
        call.story.tell(step.now.wall, CallEvent::Reached { leg, end });
    }
    tell(call, step, caller, phrase, Reason::FeatureDone.into())
}

/// The caller hears what came of it, and the call ends so.
pub fn tell(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, phrase: Phrase, end: End) -> Stage {
    if let Err(reason) = call.answer_caller(step, caller) {
        return Stage::refuse(call, step, caller, reason.into());
    }
    let clips = call.settings.phrase(phrase).cloned().into_iter().collect();
    Play::then_end(call, step, caller, clips, end, EndedBy::Switchboard)
}
