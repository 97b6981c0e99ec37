//! Where a caller goes whom an extension or a group does not take: where the extension has its calls go, or over to what
//! the group's settings name.
//!
//! Whoever is called alone has calls forwarded; a group rings its members and nobody in their place.

use model::{CallEvent, EndedBy, Extension, Forwarding, Party, Reason, RoutedBy, TenantSettings, Timestamp};

use super::{Play, Stage};
use crate::call::Call;
use crate::key::LegIndex;
use crate::lines::End;
use crate::ring;
use crate::routing::{Destination, Lead, lead};
use crate::step::Step;

/// Whom a caller was to reach, as far as that says where the caller goes otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Called {
    /// An extension, alone.
    Extension(String),
    /// A group.
    Group(String),
    /// Whom nobody stands in for.
    Outside,
}

impl Called {
    /// Who is called.
    pub fn of(to: &Destination<'_>) -> Self {
        match to {
            Destination::Extension(extension) => Self::Extension(extension.number.clone()),
            Destination::Group(group) => Self::Group(group.number.clone()),
            Destination::Outside(_) => Self::Outside,
        }
    }

    /// The stage of a caller whom they did not take. None: the caller goes nowhere else.
    pub fn otherwise(&self, call: &mut Call, step: &mut Step<'_>, caller: LegIndex, end: End) -> Option<Stage> {
        let settings = call.settings.clone();
        match self {
            Self::Extension(number) => {
                let extension = settings.extensions.get(number)?;
                let why = forwarding(end.reason)?;
                forward(call, step, caller, extension, why)
            }
            Self::Group(number) => {
                let overflow = settings.groups.get(number)?.overflow.as_ref()?;
                let lead = lead::settled(&settings, step.now.wall, overflow).ok()?;
                Some(overflow_to(call, step, caller, lead))
            }
            Self::Outside => None,
        }
    }
}

/// Nobody took a caller where the caller was, who goes over to this.
pub fn overflow_to(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, lead: Lead<'_>) -> Stage {
    if let Some(to) = lead.party() {
        call.story.tell(step.now.wall, CallEvent::Routed { to, by: RoutedBy::Overflow, why: None });
    }
    Stage::enter(call, step, caller, lead)
}

/// The stage of a caller whose call an extension has go elsewhere. None: it does not, for this reason.
pub fn forward(
    call: &mut Call,
    step: &mut Step<'_>,
    caller: LegIndex,
    extension: &Extension,
    why: Forwarding,
) -> Option<Stage> {
    let to = target(extension, why)?;
    let settings = call.settings.clone();
    let entered = passed_on(call, &settings, step.now.wall, extension, to, why);
    let lead = match entered {
        Ok(lead) => lead,
        Err(reason) => return Some(Stage::refuse(call, step, caller, reason.into())),
    };
    // Whoever is asked for a decision decides about customers' calls, not about what an extension has decided.
    let Some(party) = lead.party() else {
        return Some(Stage::refuse(call, step, caller, Reason::RouteUnavailable.into()));
    };
    let from = Party::Extension { number: extension.number.clone() };
    call.story.tell(step.now.wall, CallEvent::Forwarded { from, to: party, why });
    Some(Stage::enter(call, step, caller, lead))
}

/// Where the extension wants such calls to go.
fn target(extension: &Extension, why: Forwarding) -> Option<&str> {
    let forward = &extension.forward;
    let to = match why {
        Forwarding::Always => &forward.always,
        Forwarding::Busy | Forwarding::DoNotDisturb => &forward.busy,
        Forwarding::NoAnswer => &forward.no_answer,
        Forwarding::Unreachable => &forward.unreachable,
    };
    to.as_deref()
}

/// What the extension's wish leads to. Its own mailbox is the end of the way; anything else is one more hand.
fn passed_on<'a>(
    call: &mut Call,
    settings: &'a TenantSettings,
    at: Timestamp,
    extension: &Extension,
    to: &str,
    why: Forwarding,
) -> Result<Lead<'a>, Reason> {
    if to == OWN_MAILBOX {
        return lead::mailbox(settings, &extension.number).map(Lead::Voicemail).ok_or(Reason::UnknownTarget);
    }
    call.caller.redirect(ring::diversion(call, settings, &extension.number, said(why)))?;
    match lead::inside(settings, at, to)? {
        Lead::Feature(..) | Lead::Parked(_) => Err(Reason::RouteUnavailable),
        lead => Ok(lead),
    }
}

/// The word for one's own mailbox in `forward`.
const OWN_MAILBOX: &str = "voicemail";

/// Why a call is forwarded that ended so for the extension. None: it is not.
fn forwarding(reason: Reason) -> Option<Forwarding> {
    Some(match reason {
        Reason::Busy | Reason::LinesTaken | Reason::Declined => Forwarding::Busy,
        Reason::DoNotDisturb => Forwarding::DoNotDisturb,
        Reason::NoAnswer => Forwarding::NoAnswer,
        Reason::Offline | Reason::Unreachable | Reason::Unavailable => Forwarding::Unreachable,
        _ => return None,
    })
}

/// The word for others (RFC 5806).
fn said(why: Forwarding) -> &'static str {
    match why {
        Forwarding::Always => "unconditional",
        Forwarding::Busy => "user-busy",
        Forwarding::NoAnswer => "no-answer",
        Forwarding::Unreachable => "unavailable",
        Forwarding::DoNotDisturb => "do-not-disturb",
    }
}

/// Refuses a caller whom nobody took, and whom nobody takes instead. Who was answered before hears that nobody is there.
pub fn nobody(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, end: End, by: EndedBy) -> Stage {
    if let Some(sorry) = Play::sorry(call, step, caller, end, by) {
        return sorry;
    }
    call.refuse_leg(step, caller, for_caller(end));
    call.finish(step, end, by);
    Stage::Over
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
