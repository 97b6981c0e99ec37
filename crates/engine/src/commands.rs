//! Orders from API clients that begin a call. Orders to a live call are in [`crate::engine`].

use std::sync::Arc;

use model::{CallEvent, Direction, ExtensionEvent, Language, Origin, Originate, Party, Problem, Reason, Text, Ticket};

use crate::call::Call;
use crate::call::stages::{Claimed, Click, Stage};
use crate::caller::{Caller, Shown};
use crate::live::Live;
use crate::ring;
use crate::routing::{self, Destination, Lead};
use crate::step::Step;

/// Begins a click-to-call: what is known beforehand to be impossible is refused here, and no phone rings. The extension's
/// story tells of it, and why.
pub fn originate(
    step: &mut Step<'_>,
    closed: Option<Reason>,
    order: Originate,
    ticket: Ticket,
) -> Result<Live, Problem> {
    let from = order.from.clone();
    let begun = begin(step, closed, order, ticket);
    if let Err(Problem::CallFailed { reason, detail, .. }) = &begun
        && step.office.settings.extensions.contains_key(&from)
    {
        let what = ExtensionEvent::Refused { why: Text::from(detail.as_str()), reason: Some(*reason) };
        step.office.tell_extension(step.now, &from, what, step.out);
    }
    begun
}

fn begin(step: &mut Step<'_>, closed: Option<Reason>, mut order: Originate, ticket: Ticket) -> Result<Live, Problem> {
    if let Some(reason) = closed {
        return Err(refused(reason));
    }
    let settings = Arc::clone(&step.office.settings);
    let Some(extension) = settings.extensions.get(&order.from) else {
        return Err(Problem::NoSuchExtension { extension: order.from });
    };
    let destination = routing::lead::inside(&settings, step.now.wall, order.to.as_str()).and_then(Lead::rung);
    let destination = destination.map_err(|reason| {
        Problem::refused(reason, format!("{} cannot be called. {}", order.to, reason.sentence(Language::En)))
    })?;
    if let Destination::Extension(called) = &destination
        && called.number == extension.number
    {
        let detail = format!("extension {} cannot call itself: name whom it is to be connected with", called.number);
        return Err(Problem::BadNumber { detail });
    }
    if step.office.registrar.reachable(&extension.number, step.now.mono).is_empty() {
        return Err(Problem::refused(Reason::Offline, format!("Extension {} is offline", extension.number)));
    }
    if !step.office.limits.has_line(&settings, &extension.number) {
        return Err(refused(Reason::LinesTaken));
    }
    let urgency = routing::urgency(&settings, order.to.as_str());
    if let Destination::Outside(_) = &destination {
        step.office.limits.minutes.may_begin(step.now, &settings, urgency).map_err(refused)?;
    }
    step.office.limits.start_call(step.now.mono, &settings, urgency).map_err(refused)?;

    let direction = match &destination {
        Destination::Extension(_) | Destination::Group(_) => Direction::Local,
        Destination::Outside(_) => Direction::Outbound,
    };
    let did = (direction == Direction::Outbound)
        .then(|| ring::caller_id(&settings, Some(&extension.number)))
        .flatten()
        .map(|number| Text::from(number.international()));
    let mut call = Call::new(step.ids.call(step.now.wall), Arc::clone(&settings));
    let shown = Shown { number: extension.number.clone(), name: Some(extension.name.clone()), private: false };
    call.caller = Caller::new(shown, None);
    let from = Party::Extension { number: extension.number.clone() };
    let started =
        CallEvent::Started { origin: Origin::Click, direction, from, to: destination.party(), did, about: None };
    call.story.tell(step.now.wall, started);
    // Nothing of a call that could not ring its agent is told: the client hears why, and that is all.
    let begun = match order.claim.take() {
        Some(claim) => Claimed::wait(&mut call, step, claim, order, ticket).map(Stage::Claimed),
        None => ring::agent_of_click(&mut call, step, extension, &order)
            .map(|rung| Stage::Click(Click::of(&mut call, step, rung.leg, order, ticket, rung.patience))),
    };
    match begun {
        Ok(stage) => Ok(Live::new(call, stage)),
        Err(reason) => {
            step.office.limits.end_call();
            Err(refused(reason))
        }
    }
}

fn refused(reason: Reason) -> Problem {
    Problem::refused(reason, reason.sentence(Language::En))
}
