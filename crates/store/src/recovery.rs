//! What a start needs of the time before it: live facts, calls that were open, recordings that were never closed.

use model::{CallId, Event, Kept, KeptKind, Record, RecordingId, TenantId, Timestamp};

use crate::db::Sql;
use crate::{Store, StoreError};

/// A call that was live when the server stopped.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenCall {
    /// Whose call.
    pub tenant: TenantId,
    /// All that is stored of it and its recordings, in order.
    pub events: Vec<Event>,
    /// Its record as stored.
    pub record: Record,
}

/// A recording that was being written when the server stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenRecording {
    /// Whose recording.
    pub tenant: TenantId,
    /// The recording.
    pub recording: RecordingId,
    /// Its call.
    pub callid: CallId,
    /// The file's name within the recordings folder.
    pub file: String,
}

impl Store {
    /// All live facts that have not expired.
    pub async fn kept(&self) -> Result<Vec<Kept>, StoreError> {
        let sql = Sql::new(
            "SELECT tenant, kind, key, value, expires_ms FROM kept
             WHERE expires_ms IS NULL OR expires_ms > $1 ORDER BY tenant, kind, key",
        )
        .with(Timestamp::now().as_millisecond());
        let rows: Vec<(i64, String, String, String, Option<i64>)> =
            self.db().fetch_all(sql).await.map_err(StoreError::while_doing("reading kept facts"))?;
        rows.into_iter()
            .map(|(tenant, kind, key, value, expires)| {
                let what = format!("the kept fact {kind} {key}");
                let expires = expires
                    .map(Timestamp::from_millisecond)
                    .transpose()
                    .map_err(StoreError::unreadable(what.as_str()))?;
                let kind = KeptKind::parse(&kind).ok_or("unknown kind").map_err(StoreError::unreadable(what))?;
                Ok(Kept { tenant: TenantId(tenant), kind, key, value: Some(value), expires })
            })
            .collect()
    }

    /// All calls without an end, of every tenant, oldest first.
    pub async fn open_calls(&self) -> Result<Vec<OpenCall>, StoreError> {
        let sql = Sql::new("SELECT tenant, callid, record FROM records WHERE ended_ms IS NULL ORDER BY id");
        let rows: Vec<(i64, String, String)> =
            self.db().fetch_all(sql).await.map_err(StoreError::while_doing("reading open calls"))?;
        let mut calls = Vec::with_capacity(rows.len());
        for (tenant, callid, record) in rows {
            let tenant = TenantId(tenant);
            let record = serde_json::from_str(&record).map_err(StoreError::unreadable(format!("call {callid}")))?;
            let events = self.tenant(tenant).events().stored_of_call(&callid).await?;
            calls.push(OpenCall { tenant, events: events.into_iter().map(|row| row.event).collect(), record });
        }
        Ok(calls)
    }

    /// All recordings that were neither closed nor given up, of every tenant.
    pub async fn open_recordings(&self) -> Result<Vec<OpenRecording>, StoreError> {
        let sql = Sql::new(
            "SELECT tenant, recording, callid, file FROM recordings
             WHERE milliseconds IS NULL AND failed = 0 ORDER BY tenant, recording",
        );
        let rows: Vec<(i64, String, String, String)> =
            self.db().fetch_all(sql).await.map_err(StoreError::while_doing("reading open recordings"))?;
        rows.into_iter()
            .map(|(tenant, recording, callid, file)| {
                let unreadable = || StoreError::unreadable(format!("recording {recording}"));
                Ok(OpenRecording {
                    tenant: TenantId(tenant),
                    recording: recording.parse().map_err(unreadable())?,
                    callid: callid.parse().map_err(unreadable())?,
                    file,
                })
            })
            .collect()
    }
}
