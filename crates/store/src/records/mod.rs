//! A tenant's records: one by its callid, or pages of them, newest first, by what people search for; counted, and streamed.
//!
//! ```text
//! filter ─► plan (which index, what is left to look at) ─► page   keys out of the index, then the rows
//!                                                      └─► count  tallies of whole days, and the index at the edges
//! choose makes the plan; numbers finds where the numbers of a filter may stand, and the rarest of them
//! ```
//!
//! Nothing here walks through a history: a request looks at a bounded number of entries, and a page that found too few in
//! them is short, with a cursor to go on.

mod choose;
mod conditions;
mod count;
mod cursor;
mod export;
pub(crate) mod facts;
mod filter;
mod numbers;
mod old;
mod page;
mod plan;
pub(crate) mod rows;
mod tallied;

use model::{CallId, Direction, Record, Status};

pub use count::RecordCount;
pub use cursor::{BadCursor, RecordCursor};
pub use export::RecordStream;
pub use filter::{RecordFilter, RecordOrder, RecordState};
pub(crate) use old::fill_in;

use crate::db::Sql;
use crate::{StoreError, TenantStore};
use plan::Plan;

/// The most rows of a page.
const MOST: u32 = 1_000;

/// A tenant's records.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    pub(crate) tenant: &'a TenantStore,
}

/// A record with its row number.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordRow {
    /// A whole number for clients that want one; grows in the order in which calls were accepted.
    pub row: i64,
    /// The record.
    pub record: Record,
}

/// A page of records, newest first. It may hold fewer rows than asked for, even none, while `next` is there: then the
/// search looked through as much as one request may, and goes on from there.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordPage {
    /// The rows.
    pub rows: Vec<RecordRow>,
    /// Where the next, older page begins; None after the last.
    pub next: Option<RecordCursor>,
    /// Where the page before, a newer one, begins; None on the first.
    pub prev: Option<RecordCursor>,
}

impl<'a> Records<'a> {
    /// One record; None if the tenant has no such call.
    pub async fn get(&self, callid: CallId) -> Result<Option<RecordRow>, StoreError> {
        let sql = Sql::new("SELECT id, record FROM records WHERE tenant = $1 AND callid = $2")
            .with(self.tenant.id.0)
            .with(callid.to_string());
        let row: Option<(i64, String)> =
            self.tenant.db.fetch_optional(sql).await.map_err(StoreError::while_doing("reading a record"))?;
        row.map(parse).transpose()
    }

    /// A page of up to `size` records (at most 1 000), newest first. Without a cursor the first one.
    pub async fn list(
        &self,
        filter: &RecordFilter,
        cursor: Option<RecordCursor>,
        size: u32,
    ) -> Result<RecordPage, StoreError> {
        let failed = || StoreError::while_doing("reading records");
        let mut read = self.tenant.db.read().await.map_err(failed())?;
        let plan = Plan::of(filter, self.tenant, &mut read).await.map_err(failed())?;
        let page = page::read(&plan, cursor, size.clamp(1, MOST), &mut read).await?;
        read.rollback().await.map_err(failed())?;
        Ok(page)
    }

    /// How many records the filter meets, on all pages; as far as [`Records::counted`] counts.
    pub async fn count(&self, filter: &RecordFilter) -> Result<u64, StoreError> {
        Ok(self.counted(filter).await?.records)
    }

    /// How many records the filter meets, on all pages. Exact for time, callid, direction, status, recorded and one or two
    /// numbers with any of these; where something has to be looked at, exact up to some tens of thousands (docs/records.md).
    pub async fn counted(&self, filter: &RecordFilter) -> Result<RecordCount, StoreError> {
        let failed = || StoreError::while_doing("counting records");
        let mut read = self.tenant.db.read().await.map_err(failed())?;
        let plan = Plan::of(filter, self.tenant, &mut read).await.map_err(failed())?;
        let count = count::count(&plan, &mut read).await?;
        read.rollback().await.map_err(failed())?;
        Ok(count)
    }

    /// All records that the filter meets, newest first, a piece at a time. Between two pieces nothing is held.
    pub fn stream(&self, filter: RecordFilter) -> RecordStream {
        RecordStream::new(self.tenant.clone(), filter)
    }
}

pub(crate) fn parse((row, record): (i64, String)) -> Result<RecordRow, StoreError> {
    let record = serde_json::from_str(&record).map_err(StoreError::unreadable(format!("record {row}")))?;
    Ok(RecordRow { row, record })
}

/// The word for a direction in the store; the same as in JSON.
pub(crate) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Local => "local",
    }
}

/// The word for a status in the store; the same as in JSON.
pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Answered => "answered",
        Status::NoAnswer => "no_answer",
        Status::Busy => "busy",
        Status::Failed => "failed",
        Status::Missed => "missed",
    }
}
