//! What is old goes: sound, records, events, as each tenant says (`keep` in the provision file; without it, for ever).
//!
//! In small transactions with a pause after each, so that the writer hardly waits. Files go before the rows that name
//! them: whatever is cut short is found again at the next sweep. Live calls stay whatever their age, and so do events that
//! a hook has not read.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::time::Duration;

use model::{Record, TenantId, Timestamp};

use crate::db::{Sql, Transaction};
use crate::records::facts::TallyRow;
use crate::records::rows::Counted;
use crate::settings::stored::{Keep, TenantBody};
use crate::{Store, StoreError};

/// Rows of one transaction, and the pause after it.
const ROWS: i64 = 250;
const PAUSE: Duration = Duration::from_millis(20);
/// While more events than these wait to be stored, a sweep waits, too.
const BUSY: usize = 500;
const DAY: i64 = 86_400_000;

/// What a sweep deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// Files of sound.
    pub recordings: u64,
    /// Records of calls.
    pub records: u64,
    /// Events.
    pub events: u64,
}

impl Store {
    /// Deletes what is older than its tenant keeps it. `remove` deletes a file of the recordings folder by the name it has
    /// there; one that is gone already is no error.
    pub async fn sweep(
        &self,
        now: Timestamp,
        remove: impl Fn(&str) -> io::Result<()> + Sync,
    ) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        for (tenant, keep) in self.keeps().await? {
            let sweep = Sweep { store: self, tenant, remove: &remove };
            let before = |days: Option<u32>| days.map(|days| now.as_millisecond() - i64::from(days) * DAY);
            // The sound of a record goes with it.
            let sound = [before(keep.recordings_days), before(keep.records_days)].into_iter().flatten().max();
            if let Some(before) = sound {
                swept.recordings += sweep.recordings(before, now).await?;
            }
            if let Some(before) = before(keep.records_days) {
                swept.records += sweep.records(before).await?;
            }
            if let Some(before) = before(keep.events_days) {
                swept.events += sweep.events(before).await?;
            }
        }
        Ok(swept)
    }

    async fn keeps(&self) -> Result<Vec<(TenantId, Keep)>, StoreError> {
        let sql = Sql::new("SELECT id, body FROM tenants WHERE deleted_ms IS NULL ORDER BY id");
        let rows: Vec<(i64, String)> =
            self.db().fetch_all(sql).await.map_err(StoreError::while_doing("reading tenants"))?;
        rows.into_iter()
            .map(|(id, body)| {
                let body: TenantBody =
                    serde_json::from_str(&body).map_err(StoreError::unreadable(format!("tenant {id}")))?;
                Ok((TenantId(id), body.keep))
            })
            .collect()
    }
}

/// A sweep through what one tenant has.
struct Sweep<'a, R> {
    store: &'a Store,
    tenant: TenantId,
    remove: &'a R,
}

impl<R: Fn(&str) -> io::Result<()> + Sync> Sweep<'_, R> {
    /// Deletes the sound of calls that ended before a moment. What cannot be deleted is passed over, and tried again at
    /// the next sweep.
    async fn recordings(&self, before: i64, now: Timestamp) -> Result<u64, StoreError> {
        let failed = || StoreError::while_doing("deleting old recordings");
        let mut after = String::new();
        let mut deleted = 0;
        loop {
            // An id begins with the second in which its call began.
            let sql = Sql::new(
                "SELECT recording, callid, file FROM recordings AS one WHERE tenant = $1 AND expired_ms IS NULL \
                 AND recording > $2 AND recording < $3 AND NOT EXISTS (SELECT 1 FROM records WHERE tenant = $1 \
                 AND callid = one.callid AND (ended_ms IS NULL OR ended_ms >= $4)) ORDER BY recording LIMIT $5",
            );
            let sql = sql.with(self.tenant.0).with(&after).with(second(before));
            let old: Vec<(String, String, String)> =
                self.store.db().fetch_all(sql.with(before).with(ROWS)).await.map_err(failed())?;
            let Some((last, ..)) = old.last() else { return Ok(deleted) };
            after = last.clone();

            let mut gone: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (recording, call, file) in &old {
                if self.removed(file) {
                    gone.entry(call).or_default().push(recording);
                    deleted += 1;
                }
            }
            let mut writing = self.store.db().begin().await.map_err(failed())?;
            for (call, recordings) in gone {
                self.expire(call, &recordings, now, &mut writing).await?;
            }
            writing.commit().await.map_err(failed())?;
            self.breathe().await;
        }
    }

    async fn expire(
        &self,
        call: &str,
        recordings: &[&str],
        now: Timestamp,
        writing: &mut Transaction,
    ) -> Result<(), StoreError> {
        let failed = || StoreError::while_doing("deleting old recordings");
        let sql = Sql::new("UPDATE recordings SET expired_ms = ").bind(now.as_millisecond());
        let sql = sql.push(" WHERE tenant = ").bind(self.tenant.0).push(" AND recording IN (");
        writing.execute(sql.bind_list(recordings.iter().copied()).push(")")).await.map_err(failed())?;

        let sql = Sql::new("SELECT id, record FROM records WHERE tenant = $1 AND callid = $2").with(self.tenant.0);
        let Some((row, body)) = writing.fetch_optional::<(i64, String)>(sql.with(call)).await.map_err(failed())? else {
            return Ok(());
        };
        let mut record: Record =
            serde_json::from_str(&body).map_err(StoreError::unreadable(format!("record {row}")))?;
        for recording in &mut record.recordings {
            recording.expired |= recordings.contains(&recording.recording.to_string().as_str());
        }
        let body = serde_json::to_string(&record).map_err(StoreError::unreadable("a record"))?;
        let sql = Sql::new("UPDATE records SET record = $1 WHERE id = $2").with(body).with(row);
        writing.execute(sql).await.map_err(failed())?;
        Ok(())
    }

    /// Deletes records of calls that ended before a moment, and takes them out of the tallies.
    async fn records(&self, before: i64) -> Result<u64, StoreError> {
        let failed = || StoreError::while_doing("deleting old records");
        if self.sound_is_left(before).await.map_err(failed())? {
            tracing::warn!(
                tenant = self.tenant.0,
                "old records stay until the recordings that belong to them can be deleted"
            );
            return Ok(0);
        }
        let mut deleted = 0;
        loop {
            let sql = Sql::new(
                "SELECT id, started_ms, facts, extension, customer, did, dialled, record FROM records \
                 WHERE tenant = $1 AND ended_ms IS NOT NULL AND ended_ms < $2 ORDER BY ended_ms, id LIMIT $3",
            );
            let sql = sql.with(self.tenant.0).with(before).with(ROWS);
            let old: Vec<OldRow> = self.store.db().fetch_all(sql).await.map_err(failed())?;
            if old.is_empty() {
                return Ok(deleted);
            }
            let mut writing = self.store.db().begin().await.map_err(failed())?;
            self.drop_rows(&old, &mut writing).await.map_err(failed())?;
            writing.commit().await.map_err(failed())?;
            deleted += old.len() as u64;
            self.breathe().await;
        }
    }

    /// Whether a file could not be deleted of a call that ended before a moment: its record says where it is.
    async fn sound_is_left(&self, before: i64) -> Result<bool, sqlx::Error> {
        let sql = Sql::new(
            "SELECT CAST(1 AS BIGINT) FROM recordings AS one WHERE tenant = $1 AND expired_ms IS NULL AND recording < $2 \
             AND NOT EXISTS (SELECT 1 FROM records WHERE tenant = $1 AND callid = one.callid \
             AND (ended_ms IS NULL OR ended_ms >= $3)) LIMIT 1",
        );
        let sql = sql.with(self.tenant.0).with(second(before)).with(before);
        Ok(self.store.db().fetch_scalar::<i64>(sql).await?.is_some())
    }

    async fn drop_rows(&self, old: &[OldRow], writing: &mut Transaction) -> Result<(), sqlx::Error> {
        let mut counted = Counted::default();
        let mut recordings: Vec<String> = Vec::new();
        for (_, started_ms, facts, extension, customer, did, dialled, record) in old {
            let row = TallyRow {
                started_ms: *started_ms,
                facts: facts.unwrap_or_default(),
                extension: extension.as_deref(),
                customer: Some(customer),
                did: did.as_deref(),
                dialled: dialled.as_deref(),
            };
            counted.add_row(self.tenant, &row, -1);
            if let Ok(record) = serde_json::from_str::<Record>(record) {
                recordings.extend(record.recordings.iter().map(|recording| recording.recording.to_string()));
            }
        }
        counted.store(writing).await?;
        writing
            .execute(Sql::new("DELETE FROM records WHERE id IN (").bind_list(old.iter().map(|row| row.0)).push(")"))
            .await?;
        for some in recordings.chunks(1_000) {
            let sql =
                Sql::new("DELETE FROM recordings WHERE tenant = ").bind(self.tenant.0).push(" AND recording IN (");
            writing.execute(sql.bind_list(some).push(")")).await?;
        }
        Ok(())
    }

    /// Deletes the events of calls that ended before a moment, and those of nobody's call that are as old. Stops at the
    /// first that has to stay, so that a story has no holes.
    async fn events(&self, before: i64) -> Result<u64, StoreError> {
        let failed = || StoreError::while_doing("deleting old events");
        let mut deleted = 0;
        loop {
            let read_by_all = self.read_by_all_hooks().await?;
            let sql =
                Sql::new("SELECT position, at_ms, callid FROM events WHERE tenant = $1 ORDER BY position LIMIT $2");
            let sql = sql.with(self.tenant.0).with(ROWS);
            let oldest: Vec<(i64, i64, Option<String>)> = self.store.db().fetch_all(sql).await.map_err(failed())?;
            let calls: HashSet<&String> = oldest.iter().filter_map(|(_, _, call)| call.as_ref()).collect();
            let mut staying: HashSet<String> = HashSet::new();
            if !calls.is_empty() {
                let sql = Sql::new("SELECT callid FROM records WHERE tenant = ").bind(self.tenant.0);
                let sql = sql.push(" AND (ended_ms IS NULL OR ended_ms >= ").bind(before).push(") AND callid IN (");
                let sql = sql.bind_list(calls.into_iter().map(String::as_str)).push(")");
                staying.extend(self.store.db().fetch_scalars::<String>(sql).await.map_err(failed())?);
            }
            let goes = |(position, at, call): &&(i64, i64, Option<String>)| {
                *at < before
                    && read_by_all.is_none_or(|read| *position <= read)
                    && call.as_ref().is_none_or(|call| !staying.contains(call))
            };
            let count = oldest.iter().take_while(goes).count();
            let Some((last, ..)) = count.checked_sub(1).and_then(|last| oldest.get(last)) else { return Ok(deleted) };
            let sql =
                Sql::new("DELETE FROM events WHERE tenant = $1 AND position <= $2").with(self.tenant.0).with(*last);
            deleted += self.store.db().execute(sql).await.map_err(failed())?;
            if count < oldest.len() {
                return Ok(deleted);
            }
            self.breathe().await;
        }
    }

    /// The last event that every hook of the tenant has read; None: it has no hook that reads.
    async fn read_by_all_hooks(&self) -> Result<Option<i64>, StoreError> {
        let sql = Sql::new(
            "SELECT MIN(CASE WHEN replay_after < position THEN replay_after ELSE position END) FROM hook_states \
             WHERE tenant = $1 AND active = 1 AND off_ms IS NULL",
        );
        let least = self.store.db().fetch_scalar::<Option<i64>>(sql.with(self.tenant.0)).await;
        Ok(least.map_err(StoreError::while_doing("reading where hooks are"))?.flatten())
    }

    fn removed(&self, file: &str) -> bool {
        match (self.remove)(file) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => {
                tracing::warn!(%error, file, "an old recording cannot be deleted: look at the rights of its folder");
                false
            }
        }
    }

    /// Lets the writer go first.
    async fn breathe(&self) {
        tokio::time::sleep(PAUSE).await;
        while self.store.writer().waiting() > BUSY {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// How the ids of what began in a moment's second begin.
fn second(moment: i64) -> String {
    format!("{:010}", moment.div_euclid(1_000))
}

/// id, started_ms, facts, extension, customer, did, dialled, record
type OldRow = (i64, i64, Option<i64>, Option<String>, String, Option<String>, Option<String>, String);
