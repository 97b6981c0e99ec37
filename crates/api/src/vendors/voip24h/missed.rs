//! The body of the missed-call hook (readings 14): one for each inbound call that nobody answered, and for outbound calls
//! that came out as BUSY or NO ANSWER. Rendered from the call's last event, so that the record is stored before it is told.

use model::{CallEvent, Direction, Status, StoredEvent, TenantEntry, What};
use serde_json::{Map, Value};

use super::events::{recording_name, zone};
use super::translate::{did, direction_word, local_time, parties, status_word};

/// What the hook is sent; None where the call was not missed or is not over. All values are strings.
pub(crate) fn missed(stored: &StoredEvent, tenant: &TenantEntry) -> Option<Map<String, Value>> {
    let (What::Call(CallEvent::Ended { .. }), Some(record)) = (&stored.event.what, stored.record.as_deref()) else {
        return None;
    };
    match (record.direction, record.status) {
        (Direction::Inbound, Status::Missed) | (Direction::Outbound, Status::Busy | Status::NoAnswer) => {}
        _ => return None,
    }
    let (src, dst) = parties(record);
    let did = did(record, &tenant.country);
    let cnum = match record.direction {
        Direction::Outbound if !did.is_empty() => did.clone(),
        _ => src.to_owned(),
    };
    let status = status_word(record.status);
    let body = [
        ("calldate", local_time(record.started_at, &zone(tenant))),
        ("src", src.to_owned()),
        ("dst", dst.to_owned()),
        ("duration", record.duration_seconds().unwrap_or(0).to_string()),
        ("billsec", record.bill_seconds().unwrap_or(0).to_string()),
        ("disposition", status.to_owned()),
        ("cnum", cnum),
        ("direction", direction_word(record.direction).to_owned()),
        ("recordingfile", record.recording().map(|_| recording_name(record.callid)).unwrap_or_default()),
        ("did", did),
        ("note", String::new()),
        ("keypress", String::new()),
        ("status", status.to_owned()),
        ("linkedid", record.callid.to_string()),
    ];
    Some(body.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect())
}
