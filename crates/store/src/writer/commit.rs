//! One group, one transaction: events with their positions, records, recordings, claims, facts.
//!
//! What the database refuses for its content is found by storing each batch under its own savepoint, and set aside whole.
//! A commit whose outcome is not known, because the connection was lost in it, is looked up by the stored heads before
//! anything is stored again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use model::{Batch, Kept, TenantId, Timestamp};

use super::group::{Group, tenants};
use super::outcome::{Failure, Heads, is_locked};
use super::{postgres, sqlite};
use crate::db::{Connection, Pen, Sql, Turn};

/// Stores groups over the one connection that writes.
pub(super) struct Scribe {
    pen: Arc<Pen>,
    sqlite: sqlite::Statements,
    postgres: postgres::Statements,
    heads: HashMap<TenantId, Head>,
    /// What the last commit would have stored, until it is known whether it did.
    doubt: Option<Doubt>,
}

/// The last position of a tenant's story, as far as it was told.
#[derive(Clone, Copy)]
struct Head {
    position: i64,
    /// Whether the database has it so; after a failure only it can tell.
    sure: bool,
}

struct Doubt {
    before: Heads,
    after: Heads,
    stored: Stored,
}

/// What became of a group.
#[derive(Clone, Default)]
pub(super) struct Stored {
    /// The position of the first event of each batch; None for a batch that was set aside.
    pub firsts: Vec<Option<i64>>,
    /// Batches and facts that were set aside.
    pub refused: u64,
}

impl Scribe {
    pub fn new(pen: Arc<Pen>) -> Self {
        Self {
            pen,
            sqlite: sqlite::Statements::new(),
            postgres: postgres::Statements::default(),
            heads: HashMap::new(),
            doubt: None,
        }
    }

    /// Stores the whole group, or nothing and says why. May be called again with the same group, and with no other
    /// until that one is stored.
    pub async fn store(&mut self, group: &Group) -> Result<Stored, sqlx::Error> {
        if !group.has_rows() {
            return Ok(Stored::default());
        }
        let mut turn = self.pen.take().await?;
        match self.store_in(&mut turn, group).await {
            Ok(stored) => {
                self.doubt = None;
                Ok(stored)
            }
            Err(error) => {
                self.heads.values_mut().for_each(|head| head.sure = false);
                // Half a transaction may stand open on this connection, or be gone without its knowing: a full disk
                // does that.
                if !is_locked(&error) {
                    turn.give_up();
                }
                Err(error)
            }
        }
    }

    async fn store_in(&mut self, turn: &mut Turn, group: &Group) -> Result<Stored, sqlx::Error> {
        if let Some(stored) = self.settle(turn).await? {
            return Ok(stored);
        }
        match self.store_at_once(turn, group).await {
            Ok(stored) => Ok(stored),
            Err(Failure::Database(error)) => Err(error),
            Err(Failure::Content(why)) => {
                tracing::warn!(why, "the database refuses something in a group: storing each batch by itself");
                turn.clean().await?;
                self.heads.values_mut().for_each(|head| head.sure = false);
                self.store_one_by_one(turn, group).await
            }
        }
    }

    /// Whether the commit in doubt happened: then what it stored.
    async fn settle(&mut self, turn: &mut Turn) -> Result<Option<Stored>, sqlx::Error> {
        let Some(doubt) = &self.doubt else { return Ok(None) };
        // What raised no head may be stored once more: it only says the same again.
        let raised = doubt.after.iter().find(|(tenant, after)| doubt.before.get(tenant) != Some(after));
        let Some((tenant, after)) = raised else { return Ok(None) };
        let sql = Sql::new("SELECT position FROM heads WHERE tenant = $1").with(tenant.0);
        let stored: Option<i64> = turn.connection().fetch_scalar(sql).await?;
        if stored.is_none_or(|stored| stored < *after) {
            return Ok(None);
        }
        tracing::info!("the last commit had happened, though its answer was lost");
        let Doubt { after, stored, .. } = self.doubt.take().expect("it was there a moment ago");
        self.remember(after);
        Ok(Some(stored))
    }

    async fn store_at_once(&mut self, turn: &mut Turn, group: &Group) -> Result<Stored, Failure> {
        let before = self.read_heads(turn, &group.batches).await?;
        let (firsts, after) = place(&group.batches, &before);
        let stored = Stored { firsts: firsts.iter().copied().map(Some).collect(), refused: 0 };
        self.doubt = Some(Doubt { before: before.clone(), after: after.clone(), stored: stored.clone() });
        if matches!(turn.connection(), Connection::Sqlite(_)) {
            self.sqlite.store_group(turn, group, &before).await?;
            self.remember(after);
            return Ok(stored);
        }
        let raised = self.postgres.store(turn.connection(), &group.batches, &group.keeps, &before).await?;
        if raised == after {
            self.remember(after);
            return Ok(stored);
        }
        tracing::error!("somebody else has told events in this database: positions go on after theirs");
        let grown = |tenant: &TenantId| after[tenant] - before[tenant];
        let (firsts, after) =
            place(&group.batches, &raised.iter().map(|(tenant, at)| (*tenant, at - grown(tenant))).collect());
        self.remember(after);
        Ok(Stored { firsts: firsts.into_iter().map(Some).collect(), refused: 0 })
    }

    async fn store_one_by_one(&mut self, turn: &mut Turn, group: &Group) -> Result<Stored, sqlx::Error> {
        turn.begin().await?;
        let mut heads = Heads::new();
        let mut stored = Stored { firsts: Vec::with_capacity(group.batches.len()), refused: 0 };
        let mut before = Heads::new();
        for batch in &group.batches {
            match self.store_alone(turn, std::slice::from_ref(batch), &[], &mut heads, &mut before).await? {
                Ok(first) => stored.firsts.push(first),
                Err(why) => {
                    set_aside(turn, batch.tenant, &why, &describe_batch(batch)).await?;
                    stored.firsts.push(None);
                    stored.refused += 1;
                }
            }
        }
        for kept in &group.keeps {
            if let Err(why) = self.store_alone(turn, &[], std::slice::from_ref(kept), &mut heads, &mut before).await? {
                set_aside(turn, kept.tenant, &why, &describe_kept(kept)).await?;
                stored.refused += 1;
            }
        }
        self.doubt = Some(Doubt { before, after: heads.clone(), stored: stored.clone() });
        turn.commit().await?;
        self.remember(heads);
        Ok(stored)
    }

    /// Stores one batch or fact under a savepoint: the position of its first event, or why it is refused.
    async fn store_alone(
        &mut self,
        turn: &mut Turn,
        batches: &[Batch],
        keeps: &[Kept],
        heads: &mut Heads,
        before: &mut Heads,
    ) -> Result<Result<Option<i64>, String>, sqlx::Error> {
        turn.connection().order("SAVEPOINT alone").await?;
        match self.store_within(turn, batches, keeps, heads, before).await {
            Ok(first) => {
                turn.connection().order("RELEASE alone").await?;
                Ok(Ok(first))
            }
            Err(Failure::Content(why)) => {
                turn.connection().order("ROLLBACK TO alone; RELEASE alone").await?;
                Ok(Err(why))
            }
            Err(Failure::Database(error)) => Err(error),
        }
    }

    async fn store_within(
        &mut self,
        turn: &mut Turn,
        batches: &[Batch],
        keeps: &[Kept],
        heads: &mut Heads,
        before: &mut Heads,
    ) -> Result<Option<i64>, Failure> {
        for tenant in tenants(batches) {
            if let Entry::Vacant(vacant) = heads.entry(tenant) {
                let head = self.read_head(turn, tenant).await?;
                vacant.insert(head);
                before.insert(tenant, head);
            }
        }
        let standing: Heads = tenants(batches).into_iter().map(|tenant| (tenant, heads[&tenant])).collect();
        let (firsts, after) = place(batches, &standing);
        if matches!(turn.connection(), Connection::Sqlite(_)) {
            self.sqlite.store(turn, batches, keeps, &standing).await?;
        } else {
            self.postgres.store(turn.connection(), batches, keeps, &standing).await?;
        }
        heads.extend(after);
        Ok(firsts.first().copied())
    }

    async fn read_heads(&mut self, turn: &mut Turn, batches: &[Batch]) -> Result<Heads, Failure> {
        let mut heads = Heads::new();
        for tenant in tenants(batches) {
            let head = match self.heads.get(&tenant) {
                Some(head) if head.sure => head.position,
                _ => self.read_head(turn, tenant).await?,
            };
            heads.insert(tenant, head);
        }
        Ok(heads)
    }

    async fn read_head(&self, turn: &mut Turn, tenant: TenantId) -> Result<i64, Failure> {
        let sql = Sql::new(
            "SELECT heads.position FROM tenants LEFT JOIN heads ON heads.tenant = tenants.id WHERE tenants.id = $1",
        )
        .with(tenant.0);
        let Some(stored) = turn.connection().fetch_scalar::<Option<i64>>(sql).await? else {
            return Err(Failure::Content(format!("there is no tenant {}", tenant.0)));
        };
        let stored = stored.unwrap_or(0);
        let told = self.heads.get(&tenant).map_or(0, |head| head.position);
        if told > stored {
            tracing::error!(
                tenant = tenant.0,
                told,
                stored,
                "the database has lost events that were stored and told: their positions are not given again"
            );
        }
        Ok(stored.max(told))
    }

    fn remember(&mut self, heads: Heads) {
        self.heads.extend(heads.into_iter().map(|(tenant, position)| (tenant, Head { position, sure: true })));
    }
}

/// The position of each batch's first event, and the heads after the last; `before` has every tenant of the batches.
fn place(batches: &[Batch], before: &Heads) -> (Vec<i64>, Heads) {
    let mut heads = before.clone();
    let mut firsts = Vec::with_capacity(batches.len());
    for batch in batches {
        let head = heads.entry(batch.tenant).or_default();
        firsts.push(*head + 1);
        *head += i64::try_from(batch.events.len()).unwrap_or(i64::MAX);
    }
    heads.retain(|tenant, _| before.contains_key(tenant));
    (firsts, heads)
}

async fn set_aside(turn: &mut Turn, tenant: TenantId, why: &str, body: &str) -> Result<(), sqlx::Error> {
    tracing::error!(tenant = tenant.0, why, body, "the database refuses this for its content: set aside whole");
    let sql = Sql::new("INSERT INTO refused_batches (tenant, at_ms, why, body) VALUES ($1, $2, $3, $4)")
        .with(tenant.0)
        .with(Timestamp::now().as_millisecond())
        .with(why)
        .with(body);
    turn.connection().order("SAVEPOINT aside").await?;
    match turn.execute(sql).await.map_err(Failure::from) {
        Ok(_) => turn.connection().order("RELEASE aside").await,
        // The log has it whole.
        Err(Failure::Content(why)) => {
            tracing::error!(why, "what was refused cannot be set aside either");
            turn.connection().order("ROLLBACK TO aside; RELEASE aside").await
        }
        Err(Failure::Database(error)) => Err(error),
    }
}

// JSON writes what a database may not take, such as NUL, in letters that it takes.
fn describe_batch(batch: &Batch) -> String {
    serde_json::json!({ "events": batch.events, "record": batch.record }).to_string()
}

fn describe_kept(kept: &Kept) -> String {
    serde_json::json!({ "kept": kept }).to_string()
}
