//! Which records are asked for, and in which order.

use model::{CallId, Direction, Reason, Status, Timestamp};

/// Which records are asked for. What is None does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecordFilter {
    /// Live ones, ended ones, or both.
    pub state: RecordState,
    /// What newest means.
    pub order: RecordOrder,
    /// Ended at this moment or later.
    pub ended_since: Option<Timestamp>,
    /// Ended before this moment.
    pub ended_before: Option<Timestamp>,
    /// Started at this moment or later.
    pub started_since: Option<Timestamp>,
    /// Started before this moment.
    pub started_before: Option<Timestamp>,
    /// This call.
    pub callid: Option<CallId>,
    /// The company's side.
    pub extension: Option<String>,
    /// The other side, in any form of the number.
    pub customer: Option<String>,
    /// The tenant's number, in any form.
    pub did: Option<String>,
    /// Who called, in any form of the number; in calls that we make also the extension that talked or rang last.
    pub source: Option<String>,
    /// Who was called, in any form of the number; in calls that we take also the extension that talked or rang last.
    pub destination: Option<String>,
    /// Extension, customer or the tenant's number, in any form.
    pub search: Option<String>,
    /// Which way.
    pub direction: Option<Direction>,
    /// How it came out.
    pub status: Option<Status>,
    /// Whether sound was kept of it, whatever became of the file.
    pub recorded: Option<bool>,
    /// Whole seconds from start to end, at least; live calls have none.
    pub duration_at_least: Option<i64>,
    /// Whole seconds from start to end, at most.
    pub duration_at_most: Option<i64>,
    /// Whole seconds of conversation, at least; live calls have none.
    pub bill_at_least: Option<i64>,
    /// Whole seconds of conversation, at most.
    pub bill_at_most: Option<i64>,
    /// Why it ended.
    pub reason: Option<Reason>,
    /// The last trunk it ran over, by name.
    pub trunk: Option<String>,
}

/// Whether calls that are not over count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RecordState {
    /// Calls that are over.
    #[default]
    Ended,
    /// Calls that are not.
    Live,
    /// All of them; always in the order of their start.
    Any,
}

/// What newest means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RecordOrder {
    /// The latest end. Live calls have none, and where a range of starts is asked for, too, records go by their start.
    #[default]
    Ended,
    /// The latest start.
    Started,
}

impl RecordFilter {
    /// What the list goes by.
    pub(super) fn goes_by(&self) -> RecordOrder {
        let by_start = self.state != RecordState::Ended
            || self.order == RecordOrder::Started
            || self.started_since.is_some()
            || self.started_before.is_some();
        if by_start { RecordOrder::Started } else { RecordOrder::Ended }
    }
}
