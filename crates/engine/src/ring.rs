//! Begins the legs that a call rings: the limits are taken, the line is opened, the story told.

use std::time::Duration;

use model::{Codec, Extension, Number, Originate, Party, Reason, Side, SoundOffer, Trunk};

use crate::call::{Call, NewLeg};
use crate::key::LegIndex;
use crate::limits::{Begun, Uses};
use crate::lines::Line;
use crate::lines::sip::{CallPhone, CallTrunk, Shown, SipLine};
use crate::routing::{self, Destination, Outside};
use crate::step::Step;

/// A carrier ends what rings too long by itself; should it not, this does (longer than timer C of RFC 3261, 16.6).
const CARRIER_PATIENCE: Duration = Duration::from_secs(185);

/// What phones are offered, best first where nothing is known of the other side: what carriers speak comes first, so that
/// a call that goes outside later need not be translated for.
const PHONES_SPEAK: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

/// A leg that rings, and for how long it may.
#[derive(Clone, Copy, Debug)]
pub struct Ring {
    /// The leg.
    pub leg: LegIndex,
    /// How long it may ring.
    pub patience: Duration,
}

/// Rings whom a caller dialled. `shown` is what an extension's phone displays.
pub fn destination(
    call: &mut Call,
    step: &mut Step<'_>,
    caller: LegIndex,
    destination: &Destination<'_>,
    shown: Shown,
) -> Result<Ring, Reason> {
    let speaks = call.leg(caller).line.speaks();
    match destination {
        Destination::Extension(extension) => phone(call, step, extension, Side::Agent, shown, &speaks, false),
        Destination::Outside(outside) => {
            let from = call.leg(caller).party.extension().map(str::to_owned);
            carrier(call, step, from.as_deref(), outside, &speaks)
        }
    }
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
    let shown = Shown { name: Some(number.clone()), number };
    phone(call, step, extension, Side::Agent, shown, &SoundOffer::default(), extension.auto_answer)
}

/// Rings the customer of a click-to-call, whose agent has picked up.
pub fn customer_of_click(
    call: &mut Call,
    step: &mut Step<'_>,
    agent: LegIndex,
    order: &Originate,
) -> Result<Ring, Reason> {
    let settings = call.settings.clone();
    let speaks = call.leg(agent).line.speaks();
    match routing::from_inside(&settings, order.to.as_str())? {
        Destination::Extension(extension) => {
            let name = settings.extensions.get(&order.from).map(|from| from.name.clone());
            let shown = Shown { number: order.from.clone(), name };
            phone(call, step, extension, Side::Customer, shown, &speaks, false)
        }
        Destination::Outside(outside) => carrier(call, step, Some(&order.from), &outside, &speaks),
    }
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
    step.office.limits.take(step.now.mono, &call.settings, &uses, Begun::ByUs)?;
    let order = CallPhone {
        key,
        worker: call.worker(),
        extension: &extension.number,
        bindings,
        shown,
        hops_left: call.hops_left,
        callid: call.id,
        codecs: ordered(&PHONES_SPEAK, speaks),
        wanted: speaks.codecs.clone(),
        answer_by_itself,
    };
    let line = SipLine::call_phone(step, order).inspect_err(|_| step.office.limits.free(&uses))?;
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
    speaks: &SoundOffer,
) -> Result<Ring, Reason> {
    let key = call.next_leg()?;
    let settings = call.settings.clone();
    let mut last = Reason::NoRoute;
    let trunk = outside.trunks.iter().find(|trunk| {
        let uses = Uses::Trunk(trunk.name.clone());
        let taken = step.office.limits.take(step.now.mono, &settings, &uses, Begun::ByUs);
        last = taken.err().unwrap_or(last);
        taken.is_ok()
    });
    let trunk: &Trunk = trunk.ok_or(last)?;
    let uses = Uses::Trunk(trunk.name.clone());
    let caller_id =
        caller_id(&settings, from).map(|number| routing::formatted(&number, trunk.dial_format, &settings.country));
    let number = caller_id.unwrap_or_else(|| "anonymous".to_owned());
    let order = CallTrunk {
        key,
        worker: call.worker(),
        trunk,
        hops_left: call.hops_left,
        digits: routing::digits_for(trunk, outside, &settings.country),
        shown: Shown { number, name: None },
        codecs: ordered(&trunk.codecs, speaks),
        wanted: speaks.codecs.clone(),
    };
    let line = SipLine::call_trunk(step, order).inspect_err(|_| step.office.limits.free(&uses))?;
    let leg = call.begin_leg(
        step,
        NewLeg {
            side: Side::Customer,
            party: outside.party(Some(trunk.name.clone())),
            caller: false,
            uses,
            line: Line::Sip(line),
        },
    );
    Ok(Ring { leg, patience: CARRIER_PATIENCE })
}

/// The number that a call of this extension shows outside: its own, else the tenant's first.
pub fn caller_id(settings: &model::TenantSettings, extension: Option<&str>) -> Option<Number> {
    let own = extension.and_then(|number| settings.extensions.get(number)).and_then(|e| e.caller_id.as_deref());
    let digits = own.or_else(|| settings.numbers.keys().next().map(String::as_str))?;
    Some(Number::E164(digits.to_owned()))
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
