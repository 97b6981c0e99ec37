//! Begins the legs that a call rings: the limits are taken, the line is opened, the story told.

use std::time::Duration;

use model::{
    Codec, Direction, Extension, ForwardedCaller, Number, Originate, Party, Reason, Side, SoundOffer, TenantSettings,
    Timestamp, Trunk,
};

use crate::call::{Call, NewLeg};
use crate::caller::{Diversion, Presented, Shown};
use crate::key::{LegIndex, TrunkKey};
use crate::limits::{Begun, Urgency, Uses};
use crate::lines::Line;
use crate::lines::sip::{CallPhone, Errand, SipLine, TrunkPlan};
use crate::routing::{self, Destination, Outside};
use crate::step::Step;

/// A carrier ends what rings too long by itself; should it not, this does (longer than timer C of RFC 3261, 16.6).
const CARRIER_PATIENCE: Duration = Duration::from_secs(185);

/// What phones are offered, best first where nothing is known of the other side: what carriers speak comes first, so that
/// a call that goes outside later need not be translated for.
const PHONES_SPEAK: [Codec; 4] = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];

/// A leg that rings, and for how long it may.
#[derive(Clone, Copy, Debug)]
pub struct Ring {
    /// The leg.
    pub leg: LegIndex,
    /// How long it may ring.
    pub patience: Duration,
}

/// Rings an extension on behalf of somebody in the call, whose number its phones show. One that is not to be disturbed
/// does not ring.
pub fn extension(
    call: &mut Call,
    step: &mut Step<'_>,
    on_behalf_of: LegIndex,
    side: Side,
    extension: &Extension,
) -> Result<Ring, Reason> {
    if extension.do_not_disturb {
        return Err(Reason::DoNotDisturb);
    }
    let speaks = call.leg(on_behalf_of).line.speaks();
    let shown = call.shown(on_behalf_of);
    let ring = phone(call, step, extension, side, shown, &speaks, false)?;
    step.office.rung.note(&step.office.settings, &extension.number);
    Ok(ring)
}

/// Calls a public number on behalf of somebody in the call.
pub fn outside(
    call: &mut Call,
    step: &mut Step<'_>,
    on_behalf_of: LegIndex,
    side: Side,
    outside: &Outside<'_>,
) -> Result<Ring, Reason> {
    let speaks = call.leg(on_behalf_of).line.speaks();
    let from = call.leg(on_behalf_of).party.extension().map(str::to_owned);
    carrier(call, step, from.as_deref(), outside, side, &speaks)
}

/// Whom a called side wants to be called in its place, within the tenant's own rules. `by` is the side that wants it.
pub fn redirected<'a>(
    call: &mut Call,
    settings: &'a TenantSettings,
    at: Timestamp,
    by: LegIndex,
    to: &str,
) -> Result<Destination<'a>, Reason> {
    let why = if call.has_rung(by) { "deflection" } else { "unconditional" };
    let extension = call.leg(by).party.extension();
    let diversion = extension.and_then(|extension| diversion(call, settings, extension, why));
    call.caller.redirect(diversion)?;
    routing::lead::inside(settings, at, to)?.rung()
}

/// What is told of an extension of ours that passes a call on. None: it has no number that others know.
pub fn diversion(call: &Call, settings: &TenantSettings, extension: &str, why: &str) -> Option<Diversion> {
    let number = own_number(call, settings, Some(extension))?;
    Some(Diversion { number: number.e164(), why: why.to_owned(), ours: true })
}

/// Rings the extension of a click-to-call, whose phone shows the customer's number.
pub fn agent_of_click(
    call: &mut Call,
    step: &mut Step<'_>,
    extension: &Extension,
    order: &Originate,
) -> Result<Ring, Reason> {
    let number = Number::parse(order.to.as_str(), &call.settings.country);
    let number = number.map_or_else(|_| order.to.to_string(), |number| number.national(&call.settings.country));
    let shown = Shown { name: Some(number.clone()), number, private: false };
    phone(call, step, extension, Side::Agent, shown, &SoundOffer::default(), extension.auto_answer)
}

fn phone(
    call: &mut Call,
    step: &mut Step<'_>,
    extension: &Extension,
    side: Side,
    shown: Shown,
    speaks: &SoundOffer,
    answer_by_itself: bool,
) -> Result<Ring, Reason> {
    let key = call.next_leg()?;
    let bindings = step.office.registrar.reachable(&extension.number, step.now.mono);
    if bindings.is_empty() {
        return Err(Reason::Offline);
    }
    let uses = Uses::Line(extension.number.clone());
    step.take(&uses, Begun::ByUs, Urgency::Usual)?;
    let order = CallPhone {
        key,
        worker: call.worker(),
        extension: &extension.number,
        bindings,
        shown,
        // Whoever has somebody back has not given it to itself.
        referred_by: call.transferred_by.clone().filter(|by| *by != extension.number),
        hops_left: call.hops_left,
        callid: call.told_as(),
        codecs: ordered(&PHONES_SPEAK, speaks),
        wanted: speaks.codecs.clone(),
        answer_by_itself,
    };
    let line = SipLine::call_phone(step, order).inspect_err(|_| step.free(&uses))?;
    let leg = call.begin_leg(
        step,
        NewLeg {
            side,
            party: Party::Extension { number: extension.number.clone() },
            caller: false,
            uses,
            line: Line::Sip(line),
        },
    );
    Ok(Ring { leg, patience: Duration::from_secs(extension.ring_seconds.into()) })
}

fn carrier(
    call: &mut Call,
    step: &mut Step<'_>,
    from: Option<&str>,
    outside: &Outside<'_>,
    side: Side,
    speaks: &SoundOffer,
) -> Result<Ring, Reason> {
    let key = call.next_leg()?;
    let office = &mut *step.office;
    office.limits.minutes.may_begin(step.now, &office.settings, outside.urgency)?;
    let settings = call.settings.clone();
    let own = own_number(call, &settings, from.or(call.transferred_by.as_deref()));
    let plan = |trunk: &&Trunk| TrunkPlan {
        key: TrunkKey::of(settings.id, trunk),
        digits: routing::digits_for(trunk, outside, &settings.country),
        presented: match (from, trunk.forwarded_caller) {
            (None, ForwardedCaller::Own) => Presented { number: own.clone(), private: false },
            (None, ForwardedCaller::Caller) => {
                Presented { number: call.caller.number.clone(), private: call.caller.shown.private }
            }
            (Some(_), _) => Presented { number: own.clone(), private: call.caller.shown.private },
        },
        codecs: ordered(&trunk.codecs, speaks),
    };
    let plans = outside.trunks.iter().map(plan).collect();
    let errand = Errand {
        key,
        worker: call.worker(),
        hops_left: call.hops_left,
        diversions: call.caller.diversions.clone(),
        country: settings.country.clone(),
        wanted: speaks.codecs.clone(),
        urgency: outside.urgency,
    };
    let (line, trunk) = SipLine::call_trunk(step, errand, plans)?;
    let party = outside.party(Some(trunk.name.clone()));
    let new = NewLeg { side, party, caller: false, uses: Uses::Trunk(trunk), line: Line::Sip(line) };
    let leg = call.begin_leg(step, new);
    step.office.limits.minutes.begin(call.leg(leg).id);
    Ok(Ring { leg, patience: CARRIER_PATIENCE })
}

/// The number of the tenant that a call shows: that of the extension which calls, else the one on which the call came in.
fn own_number(call: &Call, settings: &TenantSettings, extension: Option<&str>) -> Option<Number> {
    let came_in_on = || {
        let record = call.story.record().filter(|record| record.direction == Direction::Inbound)?;
        record.did.as_ref().filter(|did| settings.numbers.contains_key(did.as_str()))
    };
    match came_in_on() {
        Some(did) => Some(Number::of_digits(did.as_str(), &settings.country)),
        None => caller_id(settings, extension),
    }
}

/// The number that a call of this extension shows outside: its own, else the tenant's first. Never one that is not the
/// tenant's.
pub fn caller_id(settings: &TenantSettings, extension: Option<&str>) -> Option<Number> {
    let own = extension.and_then(|number| settings.extensions.get(number)).and_then(|e| e.caller_id.as_deref());
    let own = own.filter(|own| settings.numbers.contains_key(*own));
    let digits = own.or_else(|| settings.numbers.keys().next().map(String::as_str))?;
    Some(Number::of_digits(digits, &settings.country))
}

/// Our codecs, those the other side speaks first and in its order: what both speak is relayed as it is.
fn ordered(ours: &[Codec], theirs: &SoundOffer) -> Vec<Codec> {
    let common = theirs.codecs.iter().filter(|codec| ours.contains(codec));
    let rest = ours.iter().filter(|codec| !theirs.codecs.contains(codec));
    common.chain(rest).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_sides_speak_comes_first_in_the_order_of_the_caller() {
        let theirs = SoundOffer { codecs: vec![Codec::G722, Codec::Pcmu, Codec::Pcma], keys: true };

        assert_eq!(ordered(&[Codec::Pcma, Codec::Pcmu], &theirs), [Codec::Pcmu, Codec::Pcma]);
        assert_eq!(ordered(&[Codec::Pcma, Codec::Pcmu], &SoundOffer::default()), [Codec::Pcma, Codec::Pcmu]);
    }
}
