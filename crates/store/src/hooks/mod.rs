//! Hooks: where each one reads in its tenant's story, what it is told, what came of it.
//!
//! ```text
//! reader ─make: cursor and deliveries move together─► deliveries ─claim─► sender ─settle: attempt and outcome─► deliveries
//! ```
//!
//! Knows no HTTP and no bodies: whoever reads the story gives the bytes, whoever sends says what came back. This file has
//! the hooks as they stand; `work.rs` what readers and senders write, many at a time; `orders.rs` what people ask for;
//! `journal.rs` what they look at; `spells.rs` hooks that fail for long; `sweep.rs` the end of what is old.

mod journal;
mod orders;
mod place;
mod spells;
mod sweep;
mod work;

use std::fmt;

use model::{TenantId, Timestamp};
use serde::Deserialize;
use tokio::sync::watch;

use crate::StoreError;
use crate::db::{Db, Sql, Transaction};
use crate::secrets::SecretKey;
use crate::settings::Noun;
use crate::settings::stored::{self, HookKind, HookMethod};

pub use journal::{AttemptRow, Deliveries, DeliveryFilter, DeliveryRow, HookStatus};
pub use orders::{HookOrderError, Whence};
pub use place::Place;
pub use spells::Spell;
pub(crate) use work::Worker;
pub use work::{Attempt, Claimed, Delivery, Draft, Made, Outcome, Settled};

const DOING: &str = "storing how hooks stand";

/// A hook: the id of its setting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HookId(pub i64);

impl fmt::Display for HookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryState {
    /// It is to be sent.
    Pending,
    /// The receiver has it.
    Delivered,
    /// All attempts failed.
    Failed,
    /// The hook was switched off before it was sent.
    Cancelled,
}

impl DeliveryState {
    /// `pending`
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`Self::word`] wrote.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Delivered, Self::Failed, Self::Cancelled].into_iter().find(|state| state.word() == word)
    }
}

/// A hook as it stands, with what its messages are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    /// The hook.
    pub id: HookId,
    /// Whose.
    pub tenant: TenantId,
    /// What it is told of.
    pub kind: HookKind,
    /// Where it is told.
    pub url: String,
    /// How it is told.
    pub method: HookMethod,
    /// Whether it is told anything.
    pub active: bool,
    /// `whsec_…`; the first is the present one. More than one for a day after a change.
    pub secrets: Vec<String>,
    /// All events up to here have their deliveries.
    pub position: i64,
    /// The part of the story that is being told again: after the first, up to the second position.
    pub replay: Option<(i64, i64)>,
    /// Whether nothing has arrived lately.
    pub failing: bool,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("id", &self.id).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// The hooks of all tenants, for who reads and sends. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hooks {
    pub(crate) db: Db,
    pub(crate) key: SecretKey,
    pub(crate) worker: Worker,
    /// Changes when somebody has asked for something.
    pub(crate) changes: watch::Sender<()>,
}

/// A setting, its state, and the head of its tenant's story.
type HookRow = (
    i64,
    i64,
    String,
    String,
    String,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<i64>,
);

impl Hooks {
    /// All hooks as they stand now. Settles what follows from changed settings: a hook that was switched off drops what
    /// was to be sent, and one that is on again goes on from the story's end.
    pub async fn load(&self) -> Result<Vec<Hook>, StoreError> {
        let now = Timestamp::now().as_millisecond();
        let mut transaction = self.db.begin().await.map_err(StoreError::while_doing(DOING))?;
        let rows: Vec<HookRow> =
            transaction.fetch_all(Sql::new(HOOKS)).await.map_err(StoreError::while_doing(DOING))?;
        let mut hooks = Vec::with_capacity(rows.len());
        for row in rows {
            match self.stand(&mut transaction, row, now).await {
                Ok(hook) => hooks.extend(hook),
                Err(error @ StoreError::Database { .. }) => return Err(error),
                // One that cannot be read must not silence the others.
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a hook is told nothing"),
            }
        }
        transaction.execute(Sql::new(FORGET)).await.map_err(StoreError::while_doing(DOING))?;
        transaction.commit().await.map_err(StoreError::while_doing(DOING))?;
        Ok(hooks)
    }

    /// Deliveries of a hook that are to be sent; 100 000 stands for more.
    pub async fn waiting(&self, hook: HookId) -> Result<u64, StoreError> {
        journal::waiting(&self.db, hook).await
    }

    /// Nobody is sending: what an earlier process was sending is due at once.
    pub async fn release(&self) -> Result<(), StoreError> {
        self.db
            .execute(Sql::new(RELEASE).with(Timestamp::now().as_millisecond()))
            .await
            .map(drop)
            .map_err(StoreError::while_doing(DOING))
    }

    /// Changes when somebody has asked for something: that deliveries are sent again, that a hook is switched.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    async fn stand(&self, transaction: &mut Transaction, row: HookRow, now: i64) -> Result<Option<Hook>, StoreError> {
        let (id, tenant, name, body, secrets, position, active, replay_after, replay_to, failing, ..) = &row;
        let (_, _, _, _, _, _, _, _, _, _, off_url, head, old_secret, old_until) = &row;
        let (id, tenant, mut position) = (HookId(*id), TenantId(*tenant), *position);
        let hook: stored::Hook = serde_json::from_str(body).map_err(StoreError::unreadable(format!("hook {id}")))?;
        // A hook that was sent somewhere else is another one to whoever did not want it.
        let off = off_url.as_ref().is_some_and(|url| *url == hook.url);
        let (was, is) = (*active == Some(1), hook.enabled && !off);
        if was != is {
            let head = head.unwrap_or(0);
            let sql = Sql::new(SWITCH).with(i64::from(is)).with(head).with(id.0);
            transaction.execute(sql).await.map_err(StoreError::while_doing(DOING))?;
            position = head;
            if !is {
                cancel(transaction, id, now).await?;
            }
        }
        let Some(secret) = self.secret(tenant, id, name, secrets)? else { return Ok(None) };
        let mut secrets = vec![secret];
        if old_until.is_some_and(|until| until > now)
            && let Some(old) = old_secret.as_ref().and_then(|sealed| self.key.open(&old_secret_place(id), sealed))
        {
            secrets.push(old.reveal().to_owned());
        }
        Ok(Some(Hook {
            id,
            tenant,
            kind: hook.kind,
            url: hook.url,
            method: hook.method,
            active: is,
            secrets,
            position,
            replay: replay_after.zip(*replay_to).filter(|_| is),
            failing: failing.is_some(),
        }))
    }

    fn secret(&self, tenant: TenantId, id: HookId, name: &str, secrets: &str) -> Result<Option<String>, StoreError> {
        #[derive(Deserialize)]
        struct Secrets {
            secret: Option<String>,
        }
        let secrets: Secrets =
            serde_json::from_str(secrets).map_err(StoreError::unreadable(format!("the secret of hook {id}")))?;
        let Some(sealed) = secrets.secret else { return Ok(None) };
        let secret = self.key.open(&secret_place(tenant, name), &sealed);
        Ok(Some(secret.ok_or_else(|| StoreError::Sealed { what: format!("hook {id}") })?.reveal().to_owned()))
    }
}

/// Where the secret of a hook's setting is sealed.
fn secret_place(tenant: TenantId, name: &str) -> String {
    format!("{}/{}/{name}/secret", tenant.0, Noun::Hook.word())
}

/// Where the secret before it is sealed.
fn old_secret_place(hook: HookId) -> String {
    format!("hook/{hook}/old_secret")
}

async fn cancel(transaction: &mut Transaction, hook: HookId, now: i64) -> Result<(), StoreError> {
    let sql = Sql::new(CANCEL).with(now).with(hook.0);
    transaction.execute(sql).await.map(drop).map_err(StoreError::while_doing(DOING))
}

const HOOKS: &str = "SELECT settings.id, settings.tenant, settings.name, settings.body, settings.secrets,
        COALESCE(states.position, 0), states.active, states.replay_after, states.replay_to, states.failing_since_ms,
        states.off_url, heads.position, states.old_secret, states.old_until_ms
     FROM settings JOIN tenants ON tenants.id = settings.tenant AND tenants.deleted_ms IS NULL
     JOIN hook_states AS states ON states.hook = settings.id
     LEFT JOIN heads ON heads.tenant = settings.tenant
     WHERE settings.noun = 'webhook' ORDER BY settings.id";

const FORGET: &str = "DELETE FROM hook_states WHERE hook NOT IN (SELECT id FROM settings WHERE noun = 'webhook')";

const SWITCH: &str = "UPDATE hook_states SET active = $1, position = $2, replay_after = NULL, replay_to = NULL,
        failing_since_ms = NULL, warned_ms = NULL WHERE hook = $3";

const CANCEL: &str = "UPDATE hook_deliveries SET state = 'cancelled', due_ms = NULL, claimed = 0, ended_ms = $1
     WHERE hook = $2 AND state = 'pending'";

const RELEASE: &str = "UPDATE hook_deliveries SET due_ms = $1, claimed = 0 WHERE due_ms IS NOT NULL AND claimed = 1";
