//! The end of what is old: deliveries that ended long ago, those beyond the newest of a hook, and all of a hook that is
//! gone. A little at a time, so that nobody waits for it.

use std::time::Duration;

use model::Timestamp;

use super::{DOING, HookId, Hooks};
use crate::StoreError;
use crate::db::Sql;

/// How long a delivery is kept after its end.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// Ended deliveries that a hook keeps.
const KEPT: i64 = 100_000;
/// Deliveries that go in one transaction.
const AT_ONCE: i64 = 500;

impl Hooks {
    /// Removes some of what is to go; whether there may be more.
    pub async fn sweep(&self) -> Result<bool, StoreError> {
        self.sweep_at(Timestamp::now(), KEPT).await
    }

    async fn sweep_at(&self, now: Timestamp, kept: i64) -> Result<bool, StoreError> {
        let doing = || StoreError::while_doing("reading which deliveries are old");
        let kept_for = i64::try_from(KEPT_FOR.as_millis()).unwrap_or(i64::MAX);
        let old = now.as_millisecond() - kept_for;
        let mut more = false;
        // Each hook by itself: its rows stand together in every index.
        let mut after = i64::MIN;
        loop {
            let sql = Sql::new("SELECT MIN(hook) FROM hook_deliveries WHERE hook > $1").with(after);
            let next: Option<Option<i64>> = self.db.fetch_scalar(sql).await.map_err(doing())?;
            let Some(hook) = next.flatten() else { return Ok(more) };
            after = hook;
            let sql = Sql::new("SELECT active FROM hook_states WHERE hook = $1").with(hook);
            let is_there = self.db.fetch_scalar::<i64>(sql).await.map_err(doing())?.is_some();
            let places: Vec<i64> = if is_there {
                let sql = Sql::new(BEYOND).with(hook).with(kept);
                let beyond: Option<i64> = self.db.fetch_scalar(sql).await.map_err(doing())?;
                let before = beyond.map_or(old, |beyond| beyond.max(old));
                let sql = Sql::new(OLD).with(hook).with(before).with(AT_ONCE);
                self.db.fetch_scalars(sql).await.map_err(doing())?
            } else {
                let sql = Sql::new(ALL).with(hook).with(AT_ONCE);
                self.db.fetch_scalars(sql).await.map_err(doing())?
            };
            more |= places.len() == usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
            self.remove(HookId(hook), &places, is_there).await?;
        }
    }

    async fn remove(&self, hook: HookId, places: &[i64], is_there: bool) -> Result<(), StoreError> {
        if places.is_empty() {
            return Ok(());
        }
        let doing = || StoreError::while_doing(DOING);
        let mut transaction = self.db.begin().await.map_err(doing())?;
        // One that was asked for again meanwhile stays.
        let and = if is_there { ") AND state <> 'pending'" } else { ")" };
        let sql = Sql::new("DELETE FROM hook_deliveries WHERE hook = ").bind(hook.0).push(" AND place IN (");
        transaction.execute(sql.bind_list(places.iter().copied()).push(and)).await.map_err(doing())?;
        let sql = Sql::new("DELETE FROM hook_attempts WHERE hook = ").bind(hook.0).push(" AND place IN (");
        let sql = sql.bind_list(places.iter().copied()).push(
            ") AND NOT EXISTS (SELECT 1 FROM hook_deliveries AS kept
               WHERE kept.hook = hook_attempts.hook AND kept.place = hook_attempts.place)",
        );
        transaction.execute(sql).await.map_err(doing())?;
        transaction.commit().await.map_err(doing())
    }
}

const BEYOND: &str = "SELECT ended_ms FROM hook_deliveries WHERE hook = $1 AND ended_ms IS NOT NULL
     ORDER BY ended_ms DESC LIMIT 1 OFFSET $2";

const OLD: &str = "SELECT place FROM hook_deliveries WHERE hook = $1 AND ended_ms IS NOT NULL AND ended_ms <= $2
     ORDER BY ended_ms LIMIT $3";

const ALL: &str = "SELECT place FROM hook_deliveries WHERE hook = $1 ORDER BY place LIMIT $2";
