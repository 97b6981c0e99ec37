//! A tenant's story as it is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{CallId, Event, Record, StoredEvent};

use crate::db::Sql;
use crate::{StoreError, TenantStore};

/// The most events that one reading gives.
const MOST: usize = 4_096;
/// Calls whose events are asked for in one query.
const CALLS_A_QUERY: usize = 200;

/// A tenant's story.
#[derive(Clone, Copy, Debug)]
pub struct Events<'a> {
    pub(crate) tenant: &'a TenantStore,
}

/// An event as its row has it.
pub(crate) struct EventRow {
    pub position: i64,
    /// The position of the last event that was stored with it.
    pub batch: i64,
    pub event: Event,
}

impl Events<'_> {
    /// Up to `limit` events after `position`, in order, each with its call's record as it stood then.
    pub async fn after(&self, position: i64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = Sql::new(
            "SELECT position, batch, body FROM events WHERE tenant = $1 AND position > $2 ORDER BY position LIMIT $3",
        )
        .with(self.tenant.id.0)
        .with(position)
        .with(i64::try_from(limit.min(MOST)).unwrap_or(i64::MAX));
        let rows: Vec<(i64, i64, String)> =
            self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading events"))?;
        self.with_records(rows.into_iter().map(parse).collect::<Result<_, _>>()?).await
    }

    /// All events of a call, its legs and its recordings, in order.
    pub async fn of_call(&self, callid: CallId) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = self.stored_of_call(&callid.to_string()).await?;
        let mut records = records_after_batches(rows.iter());
        Ok(rows.into_iter().map(|row| told(row, |_, batch| records.entry(batch).or_default().clone())).collect())
    }

    /// The position of the last event; 0 before the first.
    pub async fn head(&self) -> Result<i64, StoreError> {
        let sql = Sql::new("SELECT position FROM heads WHERE tenant = $1").with(self.tenant.id.0);
        let head: Option<i64> =
            self.tenant.db.fetch_scalar(sql).await.map_err(StoreError::while_doing("reading the last position"))?;
        Ok(head.unwrap_or(0))
    }

    pub(crate) async fn stored_of_call(&self, callid: &str) -> Result<Vec<EventRow>, StoreError> {
        let sql =
            Sql::new("SELECT position, batch, body FROM events WHERE tenant = $1 AND callid = $2 ORDER BY position")
                .with(self.tenant.id.0)
                .with(callid);
        let rows: Vec<(i64, i64, String)> =
            self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading the events of a call"))?;
        rows.into_iter().map(parse).collect()
    }

    // A record as it stood is not stored: the events of its call up to then make it again.
    async fn with_records(&self, rows: Vec<EventRow>) -> Result<Vec<StoredEvent>, StoreError> {
        let calls: BTreeSet<CallId> = rows.iter().filter_map(|row| row.event.callid).collect();
        let mut records = BTreeMap::new();
        for calls in calls.into_iter().collect::<Vec<_>>().chunks(CALLS_A_QUERY) {
            for (callid, rows) in self.of_calls(calls).await? {
                records.insert(callid, records_after_batches(rows.iter()));
            }
        }
        Ok(rows
            .into_iter()
            .map(|row| told(row, |callid, batch| records.get(&callid)?.get(&batch).cloned().flatten()))
            .collect())
    }

    async fn of_calls(&self, calls: &[CallId]) -> Result<BTreeMap<CallId, Vec<EventRow>>, StoreError> {
        let sql = Sql::new("SELECT position, batch, body FROM events WHERE callid IS NOT NULL AND tenant = ")
            .bind(self.tenant.id.0)
            .push(" AND callid IN (")
            .bind_list(calls.iter().map(CallId::to_string))
            .push(") ORDER BY position");
        let rows: Vec<(i64, i64, String)> =
            self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading the events of calls"))?;
        let mut of_calls: BTreeMap<CallId, Vec<EventRow>> = BTreeMap::new();
        for row in rows {
            let row = parse(row)?;
            if let Some(callid) = row.event.callid {
                of_calls.entry(callid).or_default().push(row);
            }
        }
        Ok(of_calls)
    }
}

fn parse((position, batch, body): (i64, i64, String)) -> Result<EventRow, StoreError> {
    let event = serde_json::from_str(&body).map_err(StoreError::unreadable(format!("event {position}")))?;
    Ok(EventRow { position, batch, event })
}

fn told(row: EventRow, mut record: impl FnMut(CallId, i64) -> Option<Arc<Record>>) -> StoredEvent {
    let record = row.event.callid.and_then(|callid| record(callid, row.batch));
    StoredEvent { position: row.position, event: row.event, record }
}

/// The record of one call as it stood after each batch, by the batch's last position. `rows`: all events of the call.
fn records_after_batches<'a>(rows: impl Iterator<Item = &'a EventRow>) -> BTreeMap<i64, Option<Arc<Record>>> {
    let mut records = BTreeMap::new();
    let mut rows = rows.peekable();
    let mut record: Option<Record> = None;
    while let Some(row) = rows.next() {
        match &mut record {
            Some(record) => record.apply(&row.event),
            None => record = Record::start(&row.event).ok(),
        }
        if rows.peek().is_none_or(|next| next.batch != row.batch) {
            records.insert(row.batch, record.clone().map(Arc::new));
        }
    }
    records
}
