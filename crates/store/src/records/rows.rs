//! Rows of records that are over, many at once: taken in from elsewhere, and dropped when they are old.

use std::collections::{BTreeMap, HashSet};

use model::{Record, TenantId};

use super::facts::{Facts, KIND, Tally, TallyRow, tallies};
use super::{direction_name, status_name};
use crate::db::{Sql, Transaction};
use crate::{Store, StoreError};

/// Rows of one statement.
const ROWS: usize = 64;

/// The columns of a record's row.
const COLUMNS: &str = "tenant, callid, direction, customer, did, src, dst, extension, status, started_ms, answered_ms, \
                       ended_ms, record, kind, facts, dialled, dialler, seconds, bill_seconds, reason, trunk";

impl Store {
    /// Takes in records of calls that are over, as from another switchboard, in one transaction; how many were not there
    /// yet. Live ones and ones whose callid the tenant has already are left out. They have no events.
    pub async fn import(&self, tenant: TenantId, records: &[Record]) -> Result<u64, StoreError> {
        let failed = || StoreError::while_doing("taking in records");
        let over: Vec<&Record> = records.iter().filter(|record| record.ended_at.is_some()).collect();
        let mut statements = Vec::with_capacity(over.len() / ROWS + 1);
        for records in over.chunks(ROWS) {
            statements.push(insert(tenant, records)?);
        }
        let mut writing = self.db().begin().await.map_err(failed())?;
        let mut taken: HashSet<String> = HashSet::new();
        for sql in statements {
            taken.extend(writing.fetch_scalars::<String>(sql).await.map_err(failed())?);
        }
        let mut counted = Counted::default();
        for record in over.iter().filter(|record| taken.contains(&record.callid.to_string())) {
            counted.add(tenant, record, 1);
        }
        counted.store(&mut writing).await.map_err(failed())?;
        writing.commit().await.map_err(failed())?;
        Ok(taken.len() as u64)
    }
}

fn insert(tenant: TenantId, records: &[&Record]) -> Result<Sql, StoreError> {
    let mut sql = Sql::new("INSERT INTO records (").push(COLUMNS).push(") VALUES ");
    for (nth, record) in records.iter().enumerate() {
        let body = serde_json::to_string(record).map_err(StoreError::unreadable("a record"))?;
        let facts = Facts::of(record);
        sql = sql.push(if nth > 0 { ", (" } else { "(" }).bind(tenant.0);
        sql = sql.push(", ").bind(record.callid.to_string()).push(", ").bind(direction_name(record.direction));
        sql = sql.push(", ").bind(record.customer.as_str());
        sql = sql.push(", ").bind(record.did.as_ref().map(|did| did.as_str().to_owned()));
        sql = sql.push(", ").bind(record.from.number()).push(", ").bind(record.to.number());
        sql = sql.push(", ").bind(record.extension.clone()).push(", ").bind(status_name(record.status));
        sql = sql.push(", ").bind(record.started_at.as_millisecond());
        sql = sql.push(", ").bind(record.answered_at.map(|at| at.as_millisecond()));
        sql = sql.push(", ").bind(record.ended_at.map(|at| at.as_millisecond()));
        sql = sql.push(", ").bind(body);
        sql = sql.push(", ").bind(facts.facts & KIND).push(", ").bind(facts.facts);
        sql = sql.push(", ").bind(facts.dialled).push(", ").bind(facts.dialler);
        sql = sql.push(", ").bind(facts.seconds).push(", ").bind(facts.bill_seconds);
        sql = sql.push(", ").bind(facts.reason).push(", ").bind(facts.trunk).push(")");
    }
    Ok(sql.push(" ON CONFLICT (tenant, callid) DO NOTHING RETURNING callid"))
}

/// What a transaction adds to the tallies, or takes away.
#[derive(Debug, Default)]
pub(crate) struct Counted(BTreeMap<Tally, i64>);

impl Counted {
    /// Counts a record that is over.
    pub fn add(&mut self, tenant: TenantId, record: &Record, calls: i64) {
        let facts = Facts::of(record);
        let row = TallyRow {
            started_ms: record.started_at.as_millisecond(),
            facts: facts.facts,
            extension: record.extension.as_deref(),
            customer: Some(record.customer.as_str()),
            did: record.did.as_ref().map(|did| did.as_str()),
            dialled: facts.dialled.as_deref(),
        };
        self.add_row(tenant, &row, calls);
    }

    /// Counts a row.
    pub fn add_row(&mut self, tenant: TenantId, row: &TallyRow<'_>, calls: i64) {
        for tally in tallies(tenant, row) {
            *self.0.entry(tally).or_default() += calls;
        }
    }

    /// Each tally and what it changes by.
    pub fn tallies(self) -> Vec<(Tally, i64)> {
        self.0.into_iter().collect()
    }

    /// Changes the tallies.
    pub async fn store(self, writing: &mut Transaction) -> Result<(), sqlx::Error> {
        let tallies = self.tallies();
        for some in tallies.chunks(ROWS) {
            writing.execute(change(some)).await?;
        }
        // Where nothing is left to count no row is left either.
        let fewer: Vec<&Tally> = tallies.iter().filter(|(_, calls)| *calls < 0).map(|(tally, _)| tally).collect();
        for some in fewer.chunks(ROWS) {
            let mut sql = Sql::new("DELETE FROM tallies WHERE calls = 0 AND (");
            for (nth, tally) in some.iter().enumerate() {
                sql = sql.push(if nth > 0 { " OR (tenant = " } else { "(tenant = " }).bind(tally.tenant.0);
                sql = sql.push(" AND key = ").bind(&tally.key).push(" AND day = ").bind(tally.day);
                sql = sql.push(" AND facts = ").bind(tally.facts).push(")");
            }
            writing.execute(sql.push(")")).await?;
        }
        Ok(())
    }
}

/// The statement that changes some tallies.
pub(crate) fn change(tallies: &[(Tally, i64)]) -> Sql {
    let mut sql = Sql::new("INSERT INTO tallies (tenant, key, day, facts, calls) VALUES ");
    for (nth, (tally, calls)) in tallies.iter().enumerate() {
        sql = sql.push(if nth > 0 { ", (" } else { "(" }).bind(tally.tenant.0).push(", ").bind(&tally.key);
        sql = sql.push(", ").bind(tally.day).push(", ").bind(tally.facts).push(", ").bind(*calls).push(")");
    }
    sql.push(" ON CONFLICT (tenant, key, day, facts) DO UPDATE SET calls = tallies.calls + excluded.calls")
}
