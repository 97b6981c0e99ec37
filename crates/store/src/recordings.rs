//! A tenant's recordings, as rows; the sound itself lies in the recordings folder.

use model::{CallId, RecordingId};

use crate::db::Sql;
use crate::{StoreError, TenantStore};

/// A tenant's recordings.
#[derive(Clone, Copy, Debug)]
pub struct Recordings<'a> {
    pub(crate) tenant: &'a TenantStore,
}

/// What is known of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordingRow {
    /// The recording.
    pub recording: RecordingId,
    /// Its call.
    pub callid: CallId,
    /// The file's name within the recordings folder.
    pub file: String,
    /// Length of sound; None while it is written.
    pub milliseconds: Option<u64>,
    /// Milliseconds lost by us.
    pub gap_milliseconds: u64,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file in hex; empty while it is written.
    pub sha256: String,
    /// Whether nothing usable was written.
    pub failed: bool,
    /// Whether the file was deleted because it was old.
    pub expired: bool,
}

impl Recordings<'_> {
    /// One recording; None if the tenant has no such recording.
    pub async fn get(&self, id: RecordingId) -> Result<Option<RecordingRow>, StoreError> {
        let sql = Sql::new(
            "SELECT recording, callid, file, milliseconds, gap_milliseconds, bytes, sha256, failed, expired_ms
             FROM recordings WHERE tenant = $1 AND recording = $2",
        )
        .with(self.tenant.id.0)
        .with(id.to_string());
        let row = self.tenant.db.fetch_optional(sql).await.map_err(StoreError::while_doing("reading a recording"))?;
        row.map(parse).transpose()
    }

    /// Up to `limit` recordings, newest first, from behind `after`; of one call, where it is named.
    pub async fn list(
        &self,
        callid: Option<CallId>,
        after: Option<RecordingId>,
        limit: u32,
    ) -> Result<Vec<RecordingRow>, StoreError> {
        if let Some(callid) = callid {
            let mut rows = self.of_call(callid).await?;
            rows.reverse();
            let skip =
                after.and_then(|after| rows.iter().position(|row| row.recording == after)).map_or(0, |at| at + 1);
            return Ok(rows.into_iter().skip(skip).take(limit as usize).collect());
        }
        // Ids begin with the second in which they were made.
        let mut sql = Sql::new(
            "SELECT recording, callid, file, milliseconds, gap_milliseconds, bytes, sha256, failed, expired_ms
             FROM recordings WHERE tenant = ",
        )
        .bind(self.tenant.id.0);
        if let Some(after) = after {
            sql = sql.push(" AND recording < ").bind(after.to_string());
        }
        let sql = sql.push(" ORDER BY recording DESC LIMIT ").bind(i64::from(limit));
        let rows = self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading recordings"))?;
        rows.into_iter().map(parse).collect()
    }

    /// The recordings of a call, in the order they began.
    pub async fn of_call(&self, callid: CallId) -> Result<Vec<RecordingRow>, StoreError> {
        let Some(row) = self.tenant.records().get(callid).await? else { return Ok(Vec::new()) };
        let mut rows = Vec::with_capacity(row.record.recordings.len());
        for recording in &row.record.recordings {
            rows.extend(self.get(recording.recording).await?);
        }
        Ok(rows)
    }
}

type Columns = (String, String, String, Option<i64>, i64, i64, String, i64, Option<i64>);

fn parse(columns: Columns) -> Result<RecordingRow, StoreError> {
    let (recording, callid, file, milliseconds, gap_milliseconds, bytes, sha256, failed, expired_ms) = columns;
    let unreadable = || StoreError::unreadable(format!("recording {recording}"));
    Ok(RecordingRow {
        recording: recording.parse().map_err(unreadable())?,
        callid: callid.parse().map_err(unreadable())?,
        file,
        milliseconds: milliseconds.map(i64::unsigned_abs),
        gap_milliseconds: gap_milliseconds.unsigned_abs(),
        bytes: bytes.unsigned_abs(),
        sha256,
        failed: failed != 0,
        expired: expired_ms.is_some(),
    })
}
