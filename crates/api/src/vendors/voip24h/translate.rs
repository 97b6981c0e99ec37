//! Voip24h's words and ours; the only file that knows both.

use jiff::tz::TimeZone;
use model::{CallId, Direction, LegId, Number, Problem, Reason, Record, Status, Timestamp};
use store::{RecordCursor, RecordFilter, RecordOrder, RecordPage, RecordRow, RecordState};

use super::wire::{DialAnswer, DialEvent, FAILED, ListAnswer, ListResult, OK, Row};
use crate::actions::Refusal;
use crate::actions::calls::Begun;
use crate::vendors::given::Given;

/// Rows of a page, unless a client asks for fewer or more, and at most.
const PAGE: u32 = 25;
const MOST: u32 = 100;
/// `/dial/history` goes back so far.
const HISTORY_SECONDS: i64 = 3_600;

/// What a search asks for.
pub(crate) struct Search {
    pub filter: RecordFilter,
    pub cursor: Option<RecordCursor>,
    pub size: u32,
}

/// How the tenant sees times and numbers, and what its links look like.
pub(crate) struct Look<'a> {
    pub zone: TimeZone,
    pub country: String,
    /// The four links of a call with a recording: `recording`, `play`, `downloadFile` in place of `{}`.
    pub link: &'a dyn Fn(&str, CallId) -> String,
}

/// A required parameter, or the sentence that misses it.
pub(crate) fn required<'a>(given: &'a Given, name: &str) -> Result<&'a str, String> {
    given.get(name).ok_or_else(|| format!("{name} is required"))
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
        events: Vec::new(),
    }
}

/// Why a click-to-call did not ring, in the vendor's words.
pub(crate) fn not_dialled(refusal: &Refusal, extension: &str) -> DialAnswer {
    match word(refusal) {
        "Busy" => not_done("Busy", format!("Extension {extension} is busy")),
        "Offline" => not_done("Offline", format!("Extension {extension} is offline")),
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

/// The search of `/dial/history`: what ended in the last hour.
pub(crate) fn history(given: &Given, now: Timestamp) -> Result<Search, String> {
    let hour_ago = Timestamp::from_second(now.as_second() - HISTORY_SECONDS).unwrap_or(Timestamp::MIN);
    let mut search = search(given)?;
    search.filter.ended_since = Some(hour_ago);
    Ok(search)
}

/// The search of `/dial/searching`: one call. What is no callid is the id of no call.
pub(crate) fn searching(given: &Given) -> Result<Option<CallId>, String> {
    Ok(required(given, "callid")?.parse().ok())
}

/// The filters that the history family shares.
fn search(given: &Given) -> Result<Search, String> {
    let text = |name: &str| given.get(name).map(str::to_owned);
    let filter = RecordFilter {
        state: RecordState::Ended,
        order: RecordOrder::Ended,
        started_since: given.get("date_start").map(|text| second("date_start", text)).transpose()?,
        started_before: given.get("date_end").map(|text| second("date_end", text)).transpose()?.map(next_second),
        callid: given
            .get("callid")
            .map(|text| text.parse().map_err(|_| format!("callid {text} is no callid")))
            .transpose()?,
        source: text("source"),
        destination: text("destination"),
        search: text("search"),
        direction: given.get("type").map(direction).transpose()?,
        status: given.get("status").map(status).transpose()?,
        ..RecordFilter::default()
    };
    let cursor = given
        .get("start")
        .map(|text| text.parse().map_err(|_| "start is no cursor of this list: begin again without it".to_owned()))
        .transpose()?;
    let size = match given.get("length") {
        Some(text) => text.parse::<u32>().map_err(|_| "length is a number".to_owned())?.clamp(1, MOST),
        None => PAGE,
    };
    Ok(Search { filter, cursor, size })
}

fn second(name: &str, text: &str) -> Result<Timestamp, String> {
    let second = text.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
    second.ok_or_else(|| format!("{name} is a time in unix seconds"))
}

fn next_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() + 1).unwrap_or(Timestamp::MAX)
}

fn direction(word: &str) -> Result<Direction, String> {
    [Direction::Inbound, Direction::Outbound, Direction::Local]
        .into_iter()
        .find(|direction| direction_word(*direction).eq_ignore_ascii_case(word))
        .ok_or_else(|| "type is inbound, outbound or local".to_owned())
}

fn status(word: &str) -> Result<Status, String> {
    let word = word.replace(['_', '+'], " ");
    [Status::Missed, Status::Answered, Status::NoAnswer, Status::Failed, Status::Busy]
        .into_iter()
        .find(|status| status_word(*status).eq_ignore_ascii_case(&word))
        .ok_or_else(|| "status is MISSED, ANSWERED, NO ANSWER, FAILED or BUSY".to_owned())
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
    fn times_are_the_tenants_without_a_mark() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone");

        assert_eq!(local_time("2023-11-14T22:13:20Z".parse().expect("a moment"), &zone), "2023-11-15 05:13:20");
    }

    #[test]
    fn statuses_are_read_as_clients_write_them() {
        for word in ["NO ANSWER", "no answer", "NO_ANSWER", "NO+ANSWER"] {
            assert_eq!(status(word), Ok(Status::NoAnswer), "{word}");
        }
        assert!(status("LOST").is_err());
    }
}
