//! Voip24h's words and ours; the only file that knows both.

use jiff::tz::TimeZone;
use model::{CallId, Direction, LegId, Number, Problem, Reason, Record, Status, Timestamp, TransferMode};
use store::{RecordPage, RecordRow};

use super::wire::{DialAnswer, DialEvent, FAILED, ListAnswer, ListResult, OK, Row};
use crate::actions::Refusal;
use crate::actions::calls::Begun;
use crate::vendors::given::Given;

/// Characters of a parameter.
const LONGEST: usize = 512;

/// How the tenant sees times and numbers, and what its links look like.
pub(crate) struct Look<'a> {
    pub zone: TimeZone,
    pub country: String,
    /// The four links of a call with a recording: `recording`, `play`, `downloadFile` in place of `{}`.
    pub link: &'a dyn Fn(&str, CallId) -> String,
}

/// A required parameter, or the sentence that misses it: it may stand in a body that says nothing.
pub(crate) fn required<'a>(given: &'a Given, name: &str) -> Result<&'a str, String> {
    let missing = || given.garbled().map_or_else(|| format!("{name} is required"), str::to_owned);
    optional(given, name)?.ok_or_else(missing)
}

/// A parameter that need not be there.
pub(crate) fn optional<'a>(given: &'a Given, name: &str) -> Result<Option<&'a str>, String> {
    if let Some(why) = given.unread() {
        return Err(why.to_owned());
    }
    match given.get(name) {
        Some(text) if text.len() > LONGEST => Err(format!("{name} is too long")),
        found => Ok(found),
    }
}

/// `mode` of a transfer: an extra of ours.
pub(crate) fn transfer_mode(word: Option<&str>) -> Result<TransferMode, String> {
    match word {
        None => Ok(TransferMode::Blind),
        Some(word) if word.eq_ignore_ascii_case("blind") => Ok(TransferMode::Blind),
        Some(word) if word.eq_ignore_ascii_case("attended") => Ok(TransferMode::Attended),
        Some(_) => Err("mode is blind or attended".to_owned()),
    }
}

/// `/dial` went well: the extension's phone rings or was picked up.
pub(crate) fn dialled(begun: &Begun, direction: Direction, extension: &str, phone: &str) -> DialAnswer {
    let callid = begun.call.to_string();
    let event = DialEvent {
        id: "1".to_owned(),
        actionid: short(begun.leg),
        kind: direction_word(direction),
        extend: extension.to_owned(),
        phone: phone.to_owned(),
        state: "Ring",
        callid: callid.clone(),
        channel: channel(extension, begun.leg),
        channelstatedesc: "Ring",
        calleridnum: extension.to_owned(),
        calleridname: extension.to_owned(),
        connectedlinenum: phone.to_owned(),
        connectedlinename: String::new(),
        exten: phone.to_owned(),
        uniqueid: begun.leg.to_string(),
        linkedid: callid.clone(),
    };
    DialAnswer { events: vec![event], ..done(&callid) }
}

/// The order was carried out.
pub(crate) fn done(callid: &str) -> DialAnswer {
    DialAnswer {
        status: OK,
        call_status: "Success",
        callstatus: "Success",
        message: "success".to_owned(),
        callid: Some(callid.to_owned()),
        linkedid: Some(callid.to_owned()),
        consultation: None,
        events: Vec::new(),
    }
}

/// It was not: `word` is `Busy`, `Offline` or `Failed`.
pub(crate) fn not_done(word: &'static str, message: impl Into<String>) -> DialAnswer {
    DialAnswer {
        status: FAILED,
        call_status: word,
        callstatus: word,
        message: message.into(),
        callid: None,
        linkedid: None,
        consultation: None,
        events: Vec::new(),
    }
}

/// A refusal as the sentence that the vendor's body has room for.
pub(crate) fn said(refusal: Refusal) -> String {
    logged(refusal).to_string()
}

/// The cause of a refusal goes to the log: the body has room for a sentence only.
pub(crate) fn logged(refusal: Refusal) -> Refusal {
    if let Refusal::Store(error) = &refusal {
        tracing::error!(error = error as &dyn std::error::Error, "answering a request");
    }
    refusal
}

/// Why a click-to-call did not ring, in the vendor's words.
pub(crate) fn not_dialled(refusal: &Refusal, extension: &str) -> DialAnswer {
    match word(refusal) {
        "Busy" => not_done("Busy", format!("Extension {extension} is busy")),
        "Offline" => not_done("Offline", format!("Extension {extension} is offline")),
        word if matches!(refusal, Refusal::Problem(Problem::TimedOut)) => {
            let unknown = "whether its phone rings is not known: look at the phone before trying again";
            not_done(word, format!("Extension {extension}: no reply within the time limit, and {unknown}"))
        }
        word => not_done(word, refusal.to_string()),
    }
}

/// Readings 7: the phone's own status goes first, then what we knew beforehand.
fn word(refusal: &Refusal) -> &'static str {
    let Refusal::Problem(Problem::CallFailed { reason, sip, .. }) = refusal else { return "Failed" };
    match (sip, reason) {
        (Some(486 | 600), _) | (_, Reason::Busy | Reason::LinesTaken) => "Busy",
        (Some(480), _) | (_, Reason::Offline | Reason::Unreachable) => "Offline",
        _ => "Failed",
    }
}

/// A page of calls.
pub(crate) fn list(page: &RecordPage, total: u64, look: &Look<'_>) -> ListAnswer {
    let data: Vec<Row> = page.rows.iter().map(|found| row(found, look)).collect();
    ListAnswer {
        status: OK,
        message: "success".to_owned(),
        result: ListResult {
            recordsTotalAll: total,
            recordsDisplay: data.len(),
            prev: page.prev.map(|cursor| cursor.to_string()),
            next: page.next.map(|cursor| cursor.to_string()),
            data,
        },
    }
}

/// A list that was refused. `data` stays a list for clients that look before they check.
pub(crate) fn no_list(message: impl Into<String>) -> ListAnswer {
    ListAnswer { status: FAILED, message: message.into(), result: ListResult::default() }
}

fn row(found: &RecordRow, look: &Look<'_>) -> Row {
    let record = &found.record;
    let (src, dst) = parties(record);
    let duration = record.duration_seconds().unwrap_or(0);
    let link = |kind: &str| match record.recording() {
        Some(_) => (look.link)(kind, record.callid),
        None => String::new(),
    };
    let play = link("play");
    Row {
        id: found.row.to_string(),
        calldate: local_time(record.started_at, &look.zone),
        callid: record.callid.to_string(),
        did: did(record, &look.country),
        src: src.to_owned(),
        dst: dst.to_owned(),
        status: status_word(record.status),
        disposition: status_word(record.disposition),
        lastapp: "Dial",
        note: "",
        billsec: record.bill_seconds().unwrap_or(0),
        duration,
        duration_minutes: duration.unsigned_abs().div_ceil(60).to_string(),
        duration_seconds: duration.to_string(),
        kind: direction_word(record.direction),
        recording: link("recording"),
        eplay: play.clone(),
        play,
        download: link("downloadFile"),
    }
}

/// Who called and who was called: the customer and whoever talked with him, else whoever was rung last.
pub(crate) fn parties(record: &Record) -> (&str, &str) {
    let extension = record.extension.as_deref();
    match record.direction {
        Direction::Inbound => (record.customer_shown(), extension.unwrap_or(record.to.number())),
        Direction::Outbound => (extension.unwrap_or(record.from.number()), record.customer_shown()),
        Direction::Local => (record.from.number(), record.to.number()),
    }
}

/// The tenant's number as `84…`.
pub(crate) fn did(record: &Record, country: &str) -> String {
    let Some(did) = &record.did else { return String::new() };
    match Number::parse(did.as_str(), country) {
        Ok(number) => number.international().to_owned(),
        Err(_) => did.to_string(),
    }
}

/// `YYYY-MM-DD HH:MM:SS` in the tenant's zone, without a mark of it (readings 3).
pub(crate) fn local_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The word for a direction.
pub(crate) fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Local => "local",
    }
}

pub(crate) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Answered => "ANSWERED",
        Status::NoAnswer => "NO ANSWER",
        Status::Busy => "BUSY",
        Status::Failed => "FAILED",
        Status::Missed => "MISSED",
    }
}

/// A channel's name: opaque to clients, of the form they know.
pub(crate) fn channel(extension: &str, leg: LegId) -> String {
    format!("SIP/{extension}-{}", short(leg))
}

/// Eight hex digits of a leg's id.
fn short(leg: LegId) -> String {
    let id = leg.to_string();
    let digits = id.rsplit('.').next().unwrap_or_default();
    format!("{:08x}", digits.parse::<u64>().unwrap_or_default() & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: Reason, sip: Option<u16>) -> Refusal {
        Refusal::Problem(Problem::CallFailed { reason, sip, call: None, detail: "why".into() })
    }

    #[test]
    fn the_word_for_a_click_that_did_not_ring() {
        for (refusal, expected) in [
            (failed(Reason::Busy, Some(486)), "Busy"),
            (failed(Reason::Failed, Some(600)), "Busy"),
            (failed(Reason::LinesTaken, None), "Busy"),
            (failed(Reason::Offline, None), "Offline"),
            (failed(Reason::NoAnswer, Some(480)), "Offline"),
            (failed(Reason::Unreachable, None), "Offline"),
            (failed(Reason::Declined, Some(603)), "Failed"),
            (failed(Reason::NoRoute, None), "Failed"),
            (Refusal::Problem(Problem::NoSuchExtension { extension: "999".into() }), "Failed"),
            (Refusal::Problem(Problem::TimedOut), "Failed"),
        ] {
            let answer = not_dialled(&refusal, "101");

            assert_eq!(
                (answer.call_status, answer.callstatus, answer.status),
                (expected, expected, FAILED),
                "{refusal:?}"
            );
        }
    }

    #[test]
    fn a_click_without_a_reply_does_not_say_that_nothing_rings() {
        let answer = not_dialled(&Refusal::Problem(Problem::TimedOut), "101");

        let said = "Extension 101: no reply within the time limit, and whether its phone rings is not known: look at the \
                    phone before trying again";
        assert_eq!((answer.call_status, answer.message.as_str()), ("Failed", said));
    }

    #[test]
    fn times_are_the_tenants_without_a_mark() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone");

        assert_eq!(local_time("2023-11-14T22:13:20Z".parse().expect("a moment"), &zone), "2023-11-15 05:13:20");
    }
}
