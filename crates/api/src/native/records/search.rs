//! What a query of records asks for.

use model::{CallId, Direction, Reason, Status, Timestamp};
use serde::Deserialize;
use store::{RecordFilter, RecordOrder, RecordState};
use utoipa::IntoParams;

use crate::actions::Refusal;

/// The longest number or name that is looked for, in bytes.
const LONGEST: usize = 128;

/// Which records. What is left out does not matter.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// With the admin token: the tenant's name.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
    /// Rows of a page, 1 to 1 000 (100).
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` or `prev` of another page of the same search.
    after: Option<String>,
    /// `ended` (as it is without), `live` or `any`.
    state: Option<String>,
    /// `started` or `ended`: what newest means. Without it `ended` where ends are asked for and starts are not, else
    /// `started`; live calls and ranges of starts always go by their start.
    order: Option<String>,
    /// Started at this moment (RFC 3339) or later.
    started_since: Option<String>,
    /// Started before this moment.
    started_before: Option<String>,
    /// Ended at this moment or later.
    ended_since: Option<String>,
    /// Ended before this moment.
    ended_before: Option<String>,
    /// One call.
    callid: Option<String>,
    /// The company's side.
    extension: Option<String>,
    /// The other side, in any form of the number.
    customer: Option<String>,
    /// The tenant's number, in any form.
    did: Option<String>,
    /// Who called, in any form of the number; of calls that were made also the extension that talked.
    source: Option<String>,
    /// Who was called, in any form of the number; of calls that came in also the extension that talked.
    destination: Option<String>,
    /// Extension, customer or the tenant's number.
    search: Option<String>,
    /// `inbound`, `outbound` or `local`.
    direction: Option<String>,
    /// `answered`, `no_answer`, `busy`, `failed` or `missed`.
    status: Option<String>,
    /// Whether sound was kept of it, whatever became of the file.
    has_recording: Option<bool>,
    /// Seconds from start to end, at least.
    #[param(minimum = 0)]
    min_duration: Option<u32>,
    /// Seconds from start to end, at most.
    #[param(minimum = 0)]
    max_duration: Option<u32>,
    /// Seconds of conversation, at least.
    #[param(minimum = 0)]
    min_billsec: Option<u32>,
    /// Seconds of conversation, at most.
    #[param(minimum = 0)]
    max_billsec: Option<u32>,
    /// Why it ended, by the code in `/v1/reasons`.
    reason: Option<String>,
    /// The last trunk it ran over, by name.
    trunk: Option<String>,
}

/// A query, understood.
pub(super) struct Chosen {
    pub filter: RecordFilter,
    pub after: Option<String>,
    pub limit: Option<u32>,
}

impl Search {
    /// What is asked for, or the sentence that says what cannot be.
    pub(super) fn chosen(self) -> Result<Chosen, Refusal> {
        let by_end = self.ended_since.is_some() || self.ended_before.is_some();
        let filter = RecordFilter {
            state: word("state", self.state, STATES)?.unwrap_or_default(),
            order: match word("order", self.order, ORDERS)? {
                Some(order) => order,
                None if by_end => RecordOrder::Ended,
                None => RecordOrder::Started,
            },
            started_since: moment("started_since", self.started_since)?,
            started_before: moment("started_before", self.started_before)?,
            ended_since: moment("ended_since", self.ended_since)?,
            ended_before: moment("ended_before", self.ended_before)?,
            callid: self
                .callid
                .map(|text| text.parse::<CallId>().map_err(|error| Refusal::wrong(format!("callid: {error}"))))
                .transpose()?,
            extension: text("extension", self.extension)?,
            customer: text("customer", self.customer)?,
            did: text("did", self.did)?,
            source: text("source", self.source)?,
            destination: text("destination", self.destination)?,
            search: text("search", self.search)?,
            direction: word("direction", self.direction, DIRECTIONS)?,
            status: word("status", self.status, STATUSES)?,
            recorded: self.has_recording,
            duration_at_least: self.min_duration.map(i64::from),
            duration_at_most: self.max_duration.map(i64::from),
            bill_at_least: self.min_billsec.map(i64::from),
            bill_at_most: self.max_billsec.map(i64::from),
            reason: self.reason.map(reason).transpose()?,
            trunk: text("trunk", self.trunk)?,
        };
        Ok(Chosen { filter, after: self.after, limit: self.limit })
    }
}

const STATES: &[(&str, RecordState)] =
    &[("ended", RecordState::Ended), ("live", RecordState::Live), ("any", RecordState::Any)];
const ORDERS: &[(&str, RecordOrder)] = &[("started", RecordOrder::Started), ("ended", RecordOrder::Ended)];
const DIRECTIONS: &[(&str, Direction)] =
    &[("inbound", Direction::Inbound), ("outbound", Direction::Outbound), ("local", Direction::Local)];
const STATUSES: &[(&str, Status)] = &[
    ("answered", Status::Answered),
    ("no_answer", Status::NoAnswer),
    ("busy", Status::Busy),
    ("failed", Status::Failed),
    ("missed", Status::Missed),
];

fn word<T: Copy>(name: &str, given: Option<String>, words: &[(&str, T)]) -> Result<Option<T>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    match words.iter().find(|(word, _)| *word == given) {
        Some((_, meaning)) => Ok(Some(*meaning)),
        None => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Err(Refusal::wrong(format!("{name}: one of {}", words.join(", "))))
        }
    }
}

fn reason(code: String) -> Result<Reason, Refusal> {
    let reason = Reason::ALL.iter().find(|reason| reason.code() == code);
    reason.copied().ok_or_else(|| Refusal::wrong("reason: a code of GET /v1/reasons"))
}

fn text(name: &str, given: Option<String>) -> Result<Option<String>, Refusal> {
    match given {
        Some(text) if text.len() > LONGEST || text.contains('\0') => {
            Err(Refusal::wrong(format!("{name}: text of at most {LONGEST} bytes without NUL")))
        }
        given => Ok(given),
    }
}

fn moment(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Refusal> {
    // In a query `+` stands for a space, also in `2026-01-01T00:00:00+07:00`.
    let parse = |text: String| text.replace(' ', "+").parse::<Timestamp>();
    text.map(parse)
        .transpose()
        .map_err(|_| Refusal::wrong(format!("{name}: a moment looks like 2026-01-31T08:00:00+07:00")))
}
