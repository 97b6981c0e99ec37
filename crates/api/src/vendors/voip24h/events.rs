//! Voip24h's live events: the `response` of its Socket.IO and the bodies of its event hooks, rendered from the stored story
//! alone. Who is told what is decided in `states.rs`.

use jiff::tz::TimeZone;
use model::{
    CallEvent, CallId, Direction, LegId, LegRecord, Origin, Record, StoredEvent, Switches, TenantEntry, Timestamp, What,
};
use serde_json::{Map, Value};

use super::number::Number;
use super::states::{State, Told, told};
use super::translate::{channel, did, direction_word, local_time, status_word};
use super::wire::{NumberedEvent, ResponseEvent};

/// What an event says to the extensions it concerns, in order.
pub(crate) fn render(stored: &StoredEvent, switches: &Switches) -> Vec<ResponseEvent> {
    let Some(record) = stored.record.as_deref() else { return Vec::new() };
    told(stored).into_iter().map(|told| response(record, told, switches)).collect()
}

/// The same as Socket.IO's clients hear it: each with its number.
pub(crate) fn numbered(stored: &StoredEvent, switches: &Switches) -> Vec<NumberedEvent> {
    let number = |part| Number { position: stored.position, part: Some(part) }.to_string();
    let all = render(stored, switches).into_iter().enumerate();
    all.map(|(part, event)| NumberedEvent { event, number: number(part) }).collect()
}

/// The bodies of the event hooks (readings 11 to 13): each state event, and with the call's end its one `Cdr`.
///
/// All values are strings; `type` is null at `Hangup` where the tenant's switch says so.
pub(crate) fn webhooks(stored: &StoredEvent, tenant: &TenantEntry) -> Vec<Map<String, Value>> {
    let Some(record) = stored.record.as_deref() else { return Vec::new() };
    let mut bodies: Vec<_> = render(stored, &tenant.switches).into_iter().map(body).collect();
    if let What::Call(CallEvent::Ended { .. }) = &stored.event.what {
        bodies.push(final_event(record, tenant));
    }
    bodies
}

fn response(record: &Record, (leg, state): Told<'_>, switches: &Switches) -> ResponseEvent {
    let quiet = state == State::Hangup && switches.null_type_on_hangup;
    let of_leg = (leg.party.extension().unwrap_or_default(), Some(leg.leg));
    ResponseEvent {
        state: cased(state.word(), switches),
        kind: (!quiet).then(|| direction_word(record.direction)),
        ..of(record, of_leg, other_side(record, leg), note(record, leg))
    }
}

/// What all events of a call have, with an empty state.
fn of(record: &Record, (extension, leg): (&str, Option<LegId>), phone: &str, note: &'static str) -> ResponseEvent {
    ResponseEvent {
        extend: extension.to_owned(),
        state: String::new(),
        phone: phone.to_owned(),
        callid: record.callid.to_string(),
        kind: Some(direction_word(record.direction)),
        uniqueid: leg.map_or_else(|| record.callid.to_string(), |leg| leg.to_string()),
        linkedid: record.callid.to_string(),
        channel: leg.map(|leg| channel(extension, leg)).unwrap_or_default(),
        note,
    }
}

fn cased(word: &str, switches: &Switches) -> String {
    if switches.lower_case_states { word.to_ascii_lowercase() } else { word.to_owned() }
}

/// The customer; between extensions whoever the leg's party talks with.
fn other_side<'a>(record: &'a Record, leg: &LegRecord) -> &'a str {
    match record.direction {
        Direction::Inbound | Direction::Outbound => record.customer_shown(),
        Direction::Local if leg.party == record.from => record.to.number(),
        Direction::Local if has_left(record, &record.from) && leg.party != record.to => record.to.number(),
        Direction::Local => record.from.number(),
    }
}

/// Whether this party gave the other one away.
fn has_left(record: &Record, party: &model::Party) -> bool {
    let by = |leg| record.legs.iter().find(|other| other.leg == leg).map(|leg| &leg.party);
    record.transfers.iter().any(|transfer| transfer.target.is_some() && by(transfer.leg) == Some(party))
}

/// `caller` on the leg whose party calls, or is rung first in a click-to-call: CRMs that open a window on `Ring` skip it.
fn note(record: &Record, leg: &LegRecord) -> &'static str {
    if leg.caller || (record.origin == Origin::Click && leg.party == record.from) { "caller" } else { "callee" }
}

fn body(event: ResponseEvent) -> Map<String, Value> {
    let mut body: Map<String, Value> = [
        ("uniqueid", event.uniqueid),
        ("linkedid", event.linkedid),
        ("callid", event.callid),
        ("channel", event.channel),
        ("extend", event.extend),
        ("state", event.state),
        ("phone", event.phone),
        ("note", event.note.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), Value::String(value)))
    .collect();
    body.insert("type".to_owned(), event.kind.map_or(Value::Null, Value::from));
    body
}

/// What a call came to, told once when it is over: of whoever talked, else of who was rung last.
fn final_event(record: &Record, tenant: &TenantEntry) -> Map<String, Value> {
    let extension = record.extension.as_deref().unwrap_or_default();
    let leg = record.legs.iter().rev().find(|leg| leg.party.extension() == Some(extension));
    let (phone, note) = match leg {
        Some(leg) => (other_side(record, leg), note(record, leg)),
        None => (record.customer_shown(), ""),
    };
    let of_leg = (extension, leg.map(|leg| leg.leg));
    let event = ResponseEvent { state: cased("Cdr", &tenant.switches), ..of(record, of_leg, phone, note) };
    let mut body = body(event);
    body.insert("cdr".to_owned(), Value::Object(cdr(record, tenant)));
    body
}

fn cdr(record: &Record, tenant: &TenantEntry) -> Map<String, Value> {
    let zone = zone(tenant);
    let time = |at: Option<Timestamp>| at.map(|at| local_time(at, &zone)).unwrap_or_default();
    let did = did(record, &tenant.country);
    let extension = record.extension.clone().unwrap_or_default();
    let (source, destination) = match record.direction {
        Direction::Inbound => (record.customer_shown().to_owned(), did),
        Direction::Outbound if did.is_empty() => (extension, record.customer_shown().to_owned()),
        Direction::Outbound => (did, record.customer_shown().to_owned()),
        Direction::Local => (record.from.number().to_owned(), record.to.number().to_owned()),
    };
    [
        ("source", source),
        ("destination", destination),
        ("starttime", time(Some(record.started_at))),
        ("answertime", time(record.answered_at)),
        ("endtime", time(record.ended_at)),
        ("duration", record.duration_seconds().unwrap_or(0).to_string()),
        ("billsec", record.bill_seconds().unwrap_or(0).to_string()),
        ("disposition", status_word(record.disposition).to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), Value::String(value)))
    .collect()
}

/// The tenant's zone, which was checked when it was set.
pub(super) fn zone(tenant: &TenantEntry) -> TimeZone {
    TimeZone::get(&tenant.timezone).unwrap_or(TimeZone::UTC)
}

/// The name of a call's recording, as its links have it.
pub(super) fn recording_name(call: CallId) -> String {
    format!("{call}.wav")
}

#[cfg(test)]
mod tests;
