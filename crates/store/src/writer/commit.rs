//! One group, one transaction: events with their positions, records, recordings, claims, facts.
//!
//! What the database refuses for its content is found by storing each batch under its own savepoint, and set aside whole.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use model::{Batch, Kept, TenantId, Timestamp};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Acquire, AssertSqlSafe, Connection, SqliteConnection};
use tokio::sync::Mutex;

use super::group::{Group, last_records, last_values, tenants};
use super::statements::{Script, Statements, Step};

const BEGIN: &str = "BEGIN IMMEDIATE";

/// A group up to this size goes as one script. Its shapes are few, so that all of them stay prepared.
const SMALL_EVENTS: usize = 8;
const SMALL_BATCHES: usize = 2;
const SMALL_KEEPS: usize = 2;

/// Stores groups over the one connection that writes.
pub(super) struct Scribe {
    connection: Arc<Mutex<SqliteConnection>>,
    options: SqliteConnectOptions,
    statements: Statements,
    /// The last position of each tenant seen so far, as committed.
    heads: HashMap<TenantId, i64>,
}

/// What became of a group.
pub(super) struct Stored {
    /// The position of the first event of each batch; None for a batch that was set aside.
    pub firsts: Vec<Option<i64>>,
    /// Batches and facts that were set aside.
    pub refused: u64,
}

/// Why something was not stored.
pub(super) enum Failure {
    /// The database refuses what it was given; it would refuse it again.
    Content(String),
    /// The database cannot store now.
    Database(sqlx::Error),
}

impl Scribe {
    pub fn new(connection: Arc<Mutex<SqliteConnection>>, options: SqliteConnectOptions) -> Self {
        Self { connection, options, statements: Statements::new(), heads: HashMap::new() }
    }

    /// Stores the whole group, or nothing and says why. May be called again with the same group.
    pub async fn store(&mut self, group: &Group) -> Result<Stored, sqlx::Error> {
        if !group.has_rows() {
            return Ok(Stored { firsts: Vec::new(), refused: 0 });
        }
        let connection = self.connection.clone();
        let mut connection = connection.lock().await;
        let stored = match self.store_at_once(&mut connection, group).await {
            Err(Failure::Content(why)) => {
                tracing::warn!(why, "the database refuses something in a group: storing each batch by itself");
                self.heads.clear();
                self.store_one_by_one(&mut connection, group).await
            }
            Err(Failure::Database(error)) => Err(error),
            Ok(stored) => Ok(stored),
        };
        if let Err(error) = &stored {
            // What was committed can only be known from the database itself.
            self.heads.clear();
            // Half a transaction may stand open on this connection, or be gone without its knowing: a full disk does that.
            if !is_locked(error) {
                *connection = SqliteConnection::connect_with(&self.options).await?;
            }
        }
        stored
    }

    async fn store_at_once(&mut self, connection: &mut SqliteConnection, group: &Group) -> Result<Stored, Failure> {
        let mut heads = self.read_heads(connection, &group.batches).await?;
        let small =
            group.batches.len() <= SMALL_BATCHES && group.keeps.len() <= SMALL_KEEPS && group.events() <= SMALL_EVENTS;
        let firsts = if small {
            let (firsts, script) = self.script(Script::whole(), &group.batches, &group.keeps, &mut heads)?;
            if let Err(failure) = execute(connection, script).await {
                roll_back(connection).await;
                return Err(failure);
            }
            firsts
        } else {
            let (firsts, script) = self.script(Script::steps(), &group.batches, &group.keeps, &mut heads)?;
            let mut transaction = connection.begin_with(BEGIN).await?;
            execute(&mut transaction, script).await?;
            transaction.commit().await?;
            firsts
        };
        self.heads.extend(heads);
        Ok(Stored { firsts: firsts.into_iter().map(Some).collect(), refused: 0 })
    }

    async fn store_one_by_one(
        &mut self,
        connection: &mut SqliteConnection,
        group: &Group,
    ) -> Result<Stored, sqlx::Error> {
        let mut transaction = connection.begin_with(BEGIN).await?;
        let mut heads = HashMap::new();
        let mut stored = Stored { firsts: Vec::with_capacity(group.batches.len()), refused: 0 };
        for batch in &group.batches {
            let mut savepoint = transaction.begin().await?;
            match self.store_alone(&mut savepoint, std::slice::from_ref(batch), &[], &mut heads).await {
                Ok(first) => {
                    savepoint.commit().await?;
                    stored.firsts.push(first);
                }
                Err(Failure::Content(why)) => {
                    savepoint.rollback().await?;
                    set_aside(&mut transaction, batch.tenant, &why, &describe_batch(batch)).await?;
                    stored.firsts.push(None);
                    stored.refused += 1;
                }
                Err(Failure::Database(error)) => return Err(error),
            }
        }
        for kept in &group.keeps {
            let mut savepoint = transaction.begin().await?;
            match self.store_alone(&mut savepoint, &[], std::slice::from_ref(kept), &mut heads).await {
                Ok(_) => savepoint.commit().await?,
                Err(Failure::Content(why)) => {
                    savepoint.rollback().await?;
                    set_aside(&mut transaction, kept.tenant, &why, &describe_kept(kept)).await?;
                    stored.refused += 1;
                }
                Err(Failure::Database(error)) => return Err(error),
            }
        }
        transaction.commit().await?;
        self.heads = heads;
        Ok(stored)
    }

    async fn store_alone(
        &self,
        connection: &mut SqliteConnection,
        batches: &[Batch],
        keeps: &[Kept],
        heads: &mut HashMap<TenantId, i64>,
    ) -> Result<Option<i64>, Failure> {
        for tenant in tenants(batches) {
            if let Entry::Vacant(head) = heads.entry(tenant) {
                head.insert(read_head(connection, tenant).await?);
            }
        }
        let mut grown = heads.clone();
        let (firsts, script) = self.script(Script::steps(), batches, keeps, &mut grown)?;
        execute(connection, script).await?;
        *heads = grown;
        Ok(firsts.first().copied())
    }

    async fn read_heads(
        &self,
        connection: &mut SqliteConnection,
        batches: &[Batch],
    ) -> Result<HashMap<TenantId, i64>, Failure> {
        let mut heads = HashMap::new();
        for tenant in tenants(batches) {
            let head = match self.heads.get(&tenant) {
                Some(head) => *head,
                None => read_head(connection, tenant).await?,
            };
            heads.insert(tenant, head);
        }
        Ok(heads)
    }

    /// Gives positions and makes the statements; `heads` holds every tenant of the batches and grows.
    fn script(
        &self,
        mut script: Script,
        batches: &[Batch],
        keeps: &[Kept],
        heads: &mut HashMap<TenantId, i64>,
    ) -> Result<(Vec<i64>, Vec<Step>), Failure> {
        let mut firsts = Vec::with_capacity(batches.len());
        let mut rows = Vec::new();
        for batch in batches {
            let head = heads.entry(batch.tenant).or_default();
            let last = *head + i64::try_from(batch.events.len()).unwrap_or(i64::MAX);
            firsts.push(*head + 1);
            rows.extend(batch.events.iter().zip(*head + 1..).map(|(event, at)| (batch.tenant, at, last, event)));
            *head = last;
        }
        let heads: Vec<(TenantId, i64)> = tenants(batches).into_iter().map(|tenant| (tenant, heads[&tenant])).collect();
        let records = last_records(batches);

        self.statements
            .events(&rows, &mut script)
            .and_then(|()| self.statements.records(&records, &mut script))
            .and_then(|()| self.statements.recordings(&records, &mut script))
            .and_then(|()| self.statements.heads(&heads, &mut script))
            .and_then(|()| self.statements.claims(batches, &mut script))
            .and_then(|()| self.statements.keeps(&last_values(keeps), &mut script))
            .map_err(|error| Failure::Content(error.to_string()))?;
        Ok((firsts, script.finish()))
    }
}

async fn execute(connection: &mut SqliteConnection, steps: Vec<Step>) -> Result<(), Failure> {
    for step in steps {
        sqlx::query_with(AssertSqlSafe(step.sql), step.values).execute(&mut *connection).await?;
    }
    Ok(())
}

// The script failed somewhere between its BEGIN and its COMMIT, or could not begin: then there is nothing to roll back.
async fn roll_back(connection: &mut SqliteConnection) {
    if let Err(error) = sqlx::query("ROLLBACK").execute(connection).await {
        tracing::debug!(%error, "nothing was rolled back");
    }
}

async fn read_head(connection: &mut SqliteConnection, tenant: TenantId) -> Result<i64, Failure> {
    let head: Option<(Option<i64>,)> = sqlx::query_as(
        "SELECT heads.position FROM tenants LEFT JOIN heads ON heads.tenant = tenants.id WHERE tenants.id = $1",
    )
    .bind(tenant.0)
    .fetch_optional(connection)
    .await?;
    match head {
        Some((position,)) => Ok(position.unwrap_or(0)),
        None => Err(Failure::Content(format!("there is no tenant {}", tenant.0))),
    }
}

async fn set_aside(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    why: &str,
    body: &str,
) -> Result<(), sqlx::Error> {
    tracing::error!(tenant = tenant.0, why, body, "the database refuses this for its content: set aside whole");
    let result = sqlx::query("INSERT INTO refused_batches (tenant, at_ms, why, body) VALUES ($1, $2, $3, $4)")
        .bind(tenant.0)
        .bind(Timestamp::now().as_millisecond())
        .bind(why)
        .bind(body)
        .execute(connection)
        .await;
    match result.map_err(Failure::from) {
        Ok(_) => Ok(()),
        // The log has it whole.
        Err(Failure::Content(why)) => {
            tracing::error!(why, "what was refused cannot be set aside either");
            Ok(())
        }
        Err(Failure::Database(error)) => Err(error),
    }
}

fn describe_batch(batch: &Batch) -> String {
    serde_json::json!({ "events": batch.events, "record": batch.record }).to_string()
}

fn describe_kept(kept: &Kept) -> String {
    serde_json::json!({ "kept": kept }).to_string()
}

/// SQLite's codes for a database that somebody else holds: BUSY and LOCKED.
const LOCKED: [i32; 2] = [5, 6];

/// Whether somebody else holds the database, and nothing is wrong with the connection.
fn is_locked(error: &sqlx::Error) -> bool {
    code_of(error).is_some_and(|code| LOCKED.contains(&code))
}

/// SQLite's code: the low byte; what stands above it only tells more.
fn code_of(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse::<i32>().ok().map(|code| code & 0xff)
}

/// SQLite's codes for what lies in the values: too big, constraint, mismatch. All others lie in the database.
const CONTENT: [i32; 3] = [18, 19, 20];

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match (&error, code_of(&error)) {
            (sqlx::Error::Encode(_), _) => Self::Content(error.to_string()),
            (_, Some(code)) if CONTENT.contains(&code) => Self::Content(error.to_string()),
            _ => Self::Database(error),
        }
    }
}
