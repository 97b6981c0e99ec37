//! What people ask of a hook: that something is sent again, a message to try it, another secret, that it is switched.

use std::time::Duration;

use model::{TenantId, Timestamp};
use serde_json::Value;

use super::work::Draft;
use super::{DOING, HookId, Hooks, Place, cancel, old_secret_place, secret_place};
use crate::StoreError;
use crate::db::{Sql, Transaction};
use crate::secrets::hook_secret;

/// How long the secret before still signs.
const OLD_SECRET_FOR: Duration = Duration::from_secs(24 * 3600);
/// Looks at the story that find a moment in it: it may be as long as positions go.
const LOOKS: u32 = 64;

/// A point of the story.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whence {
    /// The event at this position.
    Position(i64),
    /// The first event at or after this moment.
    Moment(Timestamp),
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum HookOrderError {
    /// The tenant has no such hook, or the hook no such delivery.
    #[error("there is nothing of this name")]
    NotThere,
    /// The hook is told nothing.
    #[error("the hook is switched off: switch it on first")]
    Off,
    /// A part of the story is being told again already.
    #[error("a part of the story is being sent again already: wait until that is done")]
    Replaying,
    /// It is being sent at this moment.
    #[error("it is being sent at this moment")]
    Sending,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Hooks {
    /// Sends a delivery again: the same name, the same bytes, with all its attempts before it.
    pub async fn replay(&self, tenant: TenantId, hook: HookId, place: Place) -> Result<(), HookOrderError> {
        let mut transaction = self.begin().await?;
        is_on(&mut transaction, tenant, hook).await?;
        let sql = Sql::new(STATE).with(hook.0).with(place.0);
        let found: Option<(i64,)> = transaction.fetch_optional(sql).await.map_err(failed)?;
        match found {
            None => return Err(HookOrderError::NotThere),
            Some((1,)) => return Err(HookOrderError::Sending),
            Some(_) => {}
        }
        let sql = Sql::new(REPLAY).with(now()).with(hook.0).with(place.0);
        transaction.execute(sql).await.map_err(failed)?;
        self.end(transaction).await
    }

    /// Tells a part of the story again, from one point up to and with another. Returns the positions it goes from and to.
    pub async fn replay_range(
        &self,
        tenant: TenantId,
        hook: HookId,
        from: Whence,
        to: Option<Whence>,
    ) -> Result<(i64, i64), HookOrderError> {
        let mut transaction = self.begin().await?;
        let position = is_on(&mut transaction, tenant, hook).await?;
        let from = match from {
            Whence::Position(position) => position.max(1),
            Whence::Moment(moment) => first_at(&mut transaction, tenant, moment).await?,
        };
        // What the hook has not read it will be told anyway.
        let to = match to {
            None => position,
            Some(Whence::Position(to)) => to.min(position),
            Some(Whence::Moment(moment)) => (first_at(&mut transaction, tenant, moment).await? - 1).min(position),
        };
        if from > to {
            return Ok((from, to));
        }
        let sql = Sql::new(REPLAY_RANGE).with(from - 1).with(to).with(hook.0);
        if transaction.execute(sql).await.map_err(failed)? == 0 {
            return Err(HookOrderError::Replaying);
        }
        self.end(transaction).await?;
        Ok((from, to))
    }

    /// Sends a message of no event; returns its place.
    pub async fn test(
        &self,
        tenant: TenantId,
        hook: HookId,
        body: impl FnOnce(Timestamp) -> String,
    ) -> Result<Place, HookOrderError> {
        let mut transaction = self.begin().await?;
        is_on(&mut transaction, tenant, hook).await?;
        let at = Timestamp::now();
        let place = Place::of_test(at.as_microsecond());
        let draft = Draft { place, chain: place.name(hook).to_string(), event: "test".into(), body: body(at) };
        let sql = Sql::new(TEST)
            .with(hook.0)
            .with(place.0)
            .with(draft.chain)
            .with(draft.event)
            .with(draft.body)
            .with(at.as_millisecond());
        transaction.execute(sql).await.map_err(failed)?;
        self.end(transaction).await?;
        Ok(place)
    }

    /// Switches a hook on that was switched off. It goes on from the story's end.
    pub async fn enable(&self, tenant: TenantId, hook: HookId) -> Result<(), HookOrderError> {
        let mut transaction = self.begin().await?;
        let Setting { body, .. } = setting(&mut transaction, tenant, hook).await?;
        transaction.execute(Sql::new(ENABLE).with(hook.0)).await.map_err(failed)?;
        if body["enabled"] != Value::Bool(false) {
            transaction.execute(Sql::new(GO_ON).with(tenant.0).with(hook.0)).await.map_err(failed)?;
        }
        self.end(transaction).await
    }

    /// Switches a hook off: it is told nothing, and what was to be sent is not.
    pub async fn disable(&self, tenant: TenantId, hook: HookId, why: &str) -> Result<(), HookOrderError> {
        let mut transaction = self.begin().await?;
        let Setting { body, .. } = setting(&mut transaction, tenant, hook).await?;
        let sql = Sql::new(DISABLE).with(now()).with(why).with(body["url"].as_str().unwrap_or_default()).with(hook.0);
        transaction.execute(sql).await.map_err(failed)?;
        cancel(&mut transaction, hook, now()).await?;
        self.end(transaction).await
    }

    /// Gives a hook another secret. The one before it signs too, for a day. Returns the new one.
    pub async fn rotate(&self, tenant: TenantId, hook: HookId) -> Result<String, HookOrderError> {
        let random = || StoreError::unreadable("the system's random numbers");
        let mut transaction = self.begin().await?;
        let Setting { name, mut secrets, .. } = setting(&mut transaction, tenant, hook).await?;
        let made = hook_secret().map_err(random())?;
        let old = secrets["secret"].as_str().and_then(|sealed| self.key.open(&secret_place(tenant, &name), sealed));
        if let Some(old) = old {
            let sealed = self.key.seal(&old_secret_place(hook), old.reveal()).map_err(random())?;
            let until = now() + i64::try_from(OLD_SECRET_FOR.as_millis()).unwrap_or(i64::MAX);
            let sql = Sql::new(KEEP_OLD).with(sealed).with(until).with(hook.0);
            transaction.execute(sql).await.map_err(failed)?;
        }
        let sealed = self.key.seal(&secret_place(tenant, &name), made.reveal()).map_err(random())?;
        secrets["secret"] = Value::String(sealed);
        let sql = Sql::new(NEW_SECRET).with(secrets.to_string()).with(hook.0);
        transaction.execute(sql).await.map_err(failed)?;
        self.end(transaction).await?;
        Ok(made.reveal().to_owned())
    }

    async fn begin(&self) -> Result<Transaction, HookOrderError> {
        Ok(self.db.begin().await.map_err(failed)?)
    }

    async fn end(&self, transaction: Transaction) -> Result<(), HookOrderError> {
        transaction.commit().await.map_err(failed)?;
        self.changes.send_replace(());
        Ok(())
    }
}

struct Setting {
    name: String,
    body: Value,
    secrets: Value,
}

async fn setting(transaction: &mut Transaction, tenant: TenantId, hook: HookId) -> Result<Setting, HookOrderError> {
    let sql = Sql::new(SETTING).with(hook.0).with(tenant.0);
    let found: Option<(String, String, String)> = transaction.fetch_optional(sql).await.map_err(failed)?;
    let (name, body, secrets) = found.ok_or(HookOrderError::NotThere)?;
    let read = |text: &str| serde_json::from_str(text).map_err(StoreError::unreadable(format!("hook {hook}")));
    Ok(Setting { name, body: read(&body)?, secrets: read(&secrets)? })
}

/// The position of a hook that is told something.
async fn is_on(transaction: &mut Transaction, tenant: TenantId, hook: HookId) -> Result<i64, HookOrderError> {
    let Setting { body, .. } = setting(transaction, tenant, hook).await?;
    let found: Option<(i64, i64)> =
        transaction.fetch_optional(Sql::new(POSITION).with(hook.0)).await.map_err(failed)?;
    match found {
        Some((position, 1)) if body["enabled"] != Value::Bool(false) => Ok(position),
        _ => Err(HookOrderError::Off),
    }
}

/// The position of the first event at or after a moment; one more than there are, if all are before it.
async fn first_at(transaction: &mut Transaction, tenant: TenantId, moment: Timestamp) -> Result<i64, HookOrderError> {
    let sql = Sql::new("SELECT COALESCE(MAX(position), 0) FROM events WHERE tenant = $1").with(tenant.0);
    let (mut low, mut high) = (1, transaction.fetch_one::<(i64,)>(sql).await.map_err(failed)?.0 + 1);
    // Moments grow with positions but for a hair, and the first position that is stored may be any.
    for _ in 0..LOOKS {
        if low >= high {
            break;
        }
        let middle = low + (high - low) / 2;
        let sql = Sql::new(NEXT_EVENT).with(tenant.0).with(middle);
        match transaction.fetch_optional::<(i64, i64)>(sql).await.map_err(failed)? {
            Some((position, at)) if at < moment.as_millisecond() => low = position + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn failed(source: sqlx::Error) -> StoreError {
    StoreError::while_doing(DOING)(source)
}

const SETTING: &str = "SELECT name, body, secrets FROM settings WHERE id = $1 AND tenant = $2 AND noun = 'webhook'";

const POSITION: &str = "SELECT position, active FROM hook_states WHERE hook = $1";

const STATE: &str = "SELECT claimed FROM hook_deliveries WHERE hook = $1 AND place = $2";

const REPLAY: &str = "UPDATE hook_deliveries SET state = 'pending', due_ms = $1, tries = 0, ended_ms = NULL
     WHERE hook = $2 AND place = $3";

const REPLAY_RANGE: &str =
    "UPDATE hook_states SET replay_after = $1, replay_to = $2 WHERE hook = $3 AND replay_after IS NULL";

const TEST: &str = "INSERT INTO hook_deliveries
        (hook, place, chain, event, body, made_ms, state, due_ms, claimed, attempts, tries)
     VALUES ($1, $2, $3, $4, $5, $6, 'pending', $6, 0, 0, 0) ON CONFLICT (hook, place) DO NOTHING";

const ENABLE: &str = "UPDATE hook_states SET off_ms = NULL, off_why = NULL, off_url = NULL WHERE hook = $1";

const GO_ON: &str = "UPDATE hook_states SET active = 1,
        position = COALESCE((SELECT position FROM heads WHERE tenant = $1), 0) WHERE hook = $2 AND active = 0";

const DISABLE: &str = "UPDATE hook_states SET active = 0, off_ms = $1, off_why = $2, off_url = $3,
        replay_after = NULL, replay_to = NULL, failing_since_ms = NULL, warned_ms = NULL WHERE hook = $4";

const KEEP_OLD: &str = "UPDATE hook_states SET old_secret = $1, old_until_ms = $2 WHERE hook = $3";

const NEW_SECRET: &str = "UPDATE settings SET secrets = $1 WHERE id = $2";

const NEXT_EVENT: &str =
    "SELECT position, at_ms FROM events WHERE tenant = $1 AND position >= $2 ORDER BY position LIMIT 1";
