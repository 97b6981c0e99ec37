//! The `response` events of Voip24h's Socket.IO (readings 11 and 12), rendered from the stored story alone.
//!
//! Which extension is told what:
//!
//! | stored | told |
//! |---|---|
//! | an extension dials out | `Ring` to it |
//! | an extension's first phone rings, or is answered without having rung | `Ring` to it |
//! | click-to-call: the customer's leg rings | `Ringing` to the agent's extension |
//! | both sides are connected | `Up` to each extension of the two |
//! | an extension's last leg is over | `Hangup` to it |
//!
//! Each stored event carries the record as it stood with it, so that nothing has to be remembered between events and a
//! reader may begin at any position.

use model::{CallEvent, Direction, LegId, LegRecord, Origin, Record, Side, StoredEvent, Switches, Timestamp, What};

use super::translate::{channel, direction_word};
use super::wire::ResponseEvent;

/// What an event says to the extensions it concerns, in order.
pub(crate) fn render(stored: &StoredEvent, switches: &Switches) -> Vec<ResponseEvent> {
    let (What::Call(event), Some(record)) = (&stored.event.what, stored.record.as_deref()) else { return Vec::new() };
    let told = match event {
        CallEvent::LegStarted { leg, caller: true, .. } => one(record, *leg, State::Ring),
        CallEvent::LegRinging { leg, .. } => ringing(record, *leg, stored.event.at),
        CallEvent::LegAnswered { leg } => answered(record, *leg),
        CallEvent::Connected { agent, customer } => {
            [one(record, *agent, State::Up), one(record, *customer, State::Up)].concat()
        }
        CallEvent::LegEnded { leg, .. } => leg_ended(record, *leg),
        CallEvent::Ended { .. } => never_ended(record),
        _ => Vec::new(),
    };
    told.into_iter().map(|(leg, state)| response(record, leg, state, switches)).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Ring,
    Ringing,
    Up,
    Hangup,
}

type Told<'a> = (&'a LegRecord, State);

/// The leg's extension is told, if it is one.
fn one(record: &Record, leg: LegId, state: State) -> Vec<Told<'_>> {
    find(record, leg).filter(|leg| leg.party.extension().is_some()).map(|leg| (leg, state)).into_iter().collect()
}

fn ringing(record: &Record, leg: LegId, at: Timestamp) -> Vec<Told<'_>> {
    // A carrier may say twice that it rings (180 after 183); only the first counts.
    let Some(leg) = find(record, leg).filter(|leg| leg.ringing_at == Some(at)) else { return Vec::new() };
    let first = |legs: &mut dyn Iterator<Item = &LegRecord>| {
        legs.filter_map(|leg| Some((leg.ringing_at?, leg.leg))).min().is_some_and(|(_, first)| first == leg.leg)
    };
    let mut told = Vec::new();
    // Several phones of one extension ring as one.
    if leg.party.extension().is_some() && first(&mut same_extension(record, leg)) {
        told.push((leg, State::Ring));
    }
    if record.origin == Origin::Click
        && leg.side == Side::Customer
        && first(&mut record.legs.iter().filter(|leg| leg.side == Side::Customer))
    {
        told.extend(agent(record).map(|agent| (agent, State::Ringing)));
    }
    told
}

/// A phone that answers by itself may never say that it rings.
fn answered(record: &Record, leg: LegId) -> Vec<Told<'_>> {
    match find(record, leg) {
        Some(leg)
            if leg.party.extension().is_some()
                && !leg.caller
                && same_extension(record, leg).all(|leg| leg.ringing_at.is_none())
                && same_extension(record, leg).all(|other| other.answered_at.is_none() || other.leg == leg.leg) =>
        {
            vec![(leg, State::Ring)]
        }
        _ => Vec::new(),
    }
}

/// Told with the last of the extension's legs. Legs that end at once count in the order they began.
fn leg_ended(record: &Record, leg: LegId) -> Vec<Told<'_>> {
    let Some(leg) = find(record, leg).filter(|leg| leg.party.extension().is_some()) else { return Vec::new() };
    let mut last = None;
    for other in same_extension(record, leg) {
        let Some(ended_at) = other.ended_at else { return Vec::new() };
        last = last.max(Some((ended_at, other.leg)));
    }
    if last.is_some_and(|(_, last)| last == leg.leg) { vec![(leg, State::Hangup)] } else { Vec::new() }
}

/// A call may be closed over legs whose end nobody saw (a crash): their extensions are told with the call's end.
fn never_ended(record: &Record) -> Vec<Told<'_>> {
    let mut told: Vec<Told<'_>> = Vec::new();
    for leg in record.legs.iter().filter(|leg| leg.ended_at.is_none() && leg.party.extension().is_some()) {
        if !told.iter().any(|(other, _)| other.party.extension() == leg.party.extension()) {
            told.push((leg, State::Hangup));
        }
    }
    told
}

fn find(record: &Record, leg: LegId) -> Option<&LegRecord> {
    record.legs.iter().find(|other| other.leg == leg)
}

fn same_extension<'a>(record: &'a Record, leg: &'a LegRecord) -> impl Iterator<Item = &'a LegRecord> {
    record.legs.iter().filter(|other| other.party.extension() == leg.party.extension())
}

/// The leg of the extension that a click-to-call rang first.
fn agent(record: &Record) -> Option<&LegRecord> {
    record.legs.iter().find(|leg| leg.side == Side::Agent && leg.party.extension().is_some())
}

fn response(record: &Record, leg: &LegRecord, state: State, switches: &Switches) -> ResponseEvent {
    let extension = leg.party.extension().unwrap_or_default();
    let word = match state {
        State::Ring => "Ring",
        State::Ringing => "Ringing",
        State::Up => "Up",
        State::Hangup => "Hangup",
    };
    let quiet = state == State::Hangup && switches.null_type_on_hangup;
    ResponseEvent {
        extend: extension.to_owned(),
        state: if switches.lower_case_states { word.to_ascii_lowercase() } else { word.to_owned() },
        phone: other_side(record, leg).to_owned(),
        callid: record.callid.to_string(),
        kind: (!quiet).then(|| direction_word(record.direction)),
        uniqueid: leg.leg.to_string(),
        linkedid: record.callid.to_string(),
        channel: channel(extension, leg.leg),
        note: note(record, leg),
    }
}

/// The customer; between extensions whoever the leg's party talks with.
fn other_side<'a>(record: &'a Record, leg: &LegRecord) -> &'a str {
    match record.direction {
        Direction::Inbound | Direction::Outbound => record.customer_shown(),
        Direction::Local if leg.party == record.from => record.to.number(),
        Direction::Local => record.from.number(),
    }
}

/// `caller` on the leg whose party calls, or is rung first in a click-to-call: CRMs that open a window on `Ring` skip it.
fn note(record: &Record, leg: &LegRecord) -> &'static str {
    if leg.caller || (record.origin == Origin::Click && leg.party == record.from) { "caller" } else { "callee" }
}

#[cfg(test)]
mod tests;
