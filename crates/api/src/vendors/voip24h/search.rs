//! What `/dial/history`, `/dial/searching` and `/dial/search` ask for (readings 9).

use model::{CallId, Direction, Status, Timestamp};
use store::{RecordCursor, RecordFilter, RecordOrder, RecordState};

use super::translate::{direction_word, optional, required, status_word};
use crate::vendors::given::Given;

/// Rows of a page, unless a client asks for fewer or more, and at most.
const PAGE: u32 = 25;
const MOST: u32 = 100;
/// `/dial/history` goes back so far.
const HISTORY_SECONDS: i64 = 3_600;

/// A page of records.
pub(super) struct Search {
    pub filter: RecordFilter,
    pub cursor: Option<RecordCursor>,
    pub size: u32,
}

/// The search of `/dial/history`: what ended in the last hour.
pub(super) fn history(given: &Given, now: Timestamp) -> Result<Search, String> {
    let hour_ago = Timestamp::from_second(now.as_second() - HISTORY_SECONDS).unwrap_or(Timestamp::MIN);
    let mut search = filters(given, RecordOrder::Ended)?;
    search.filter.ended_since = Some(hour_ago);
    Ok(search)
}

/// The search of `/dial/search`: what began in a range of time, or one call.
pub(super) fn search(given: &Given) -> Result<Search, String> {
    if optional(given, "callid")?.is_none() {
        required(given, "date_start")?;
        required(given, "date_end")?;
    }
    filters(given, RecordOrder::Started)
}

/// The search of `/dial/searching`: one call. What is no callid is the id of no call.
pub(super) fn searching(given: &Given) -> Result<Option<CallId>, String> {
    Ok(required(given, "callid")?.parse().ok())
}

/// The filters that the history family shares.
fn filters(given: &Given, order: RecordOrder) -> Result<Search, String> {
    let text = |name: &str| Ok::<_, String>(optional(given, name)?.map(str::to_owned));
    let moment = |name: &str| optional(given, name)?.map(|text| second(name, text)).transpose();
    let (since, until) = (moment("date_start")?, moment("date_end")?);
    if let (Some(since), Some(until)) = (since, until)
        && until < since
    {
        return Err("date_end is before date_start".to_owned());
    }
    let filter = RecordFilter {
        state: RecordState::Ended,
        order,
        started_since: since,
        started_before: until.map(next_second),
        callid: optional(given, "callid")?
            .map(|text| text.parse().map_err(|_| format!("callid {text} is no callid")))
            .transpose()?,
        source: text("source")?,
        destination: text("destination")?,
        search: text("search")?,
        direction: optional(given, "type")?.map(direction).transpose()?,
        status: optional(given, "status")?.map(status).transpose()?,
        ..RecordFilter::default()
    };
    let cursor = optional(given, "start")?
        .map(|text| text.parse().map_err(|_| "start is no cursor of this list: begin again without it".to_owned()))
        .transpose()?;
    let size = match optional(given, "length")? {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_as_clients_write_them() {
        for word in ["NO ANSWER", "no answer", "NO_ANSWER", "NO+ANSWER"] {
            assert_eq!(status(word), Ok(Status::NoAnswer), "{word}");
        }
        assert!(status("LOST").is_err());
    }
}
