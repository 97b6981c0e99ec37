//! Hooks that nothing reaches for long: whose owners are to be warned, and told when it works again.
//!
//!   works ──attempt fails──► failing ──an hour──► warned ──something arrives──► to be told ──► works

use std::time::Duration;

use model::{Role, TenantId, Timestamp};

use super::{DOING, HookId, Hooks};
use crate::StoreError;
use crate::db::Sql;
use crate::settings::stored::User;

/// Spells that are looked at in one go.
const AT_ONCE: i64 = 100;

/// A hook that has failed for long, or has just begun to work again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spell {
    /// The hook.
    pub hook: HookId,
    /// Whose.
    pub tenant: TenantId,
    /// Since when nothing arrived; None: it works again.
    pub since: Option<Timestamp>,
    /// Why an attempt failed last.
    pub error: String,
}

impl Hooks {
    /// Hooks whose owners are to be told something: that it has failed for so long, or that it works again.
    pub async fn spells(&self, longer_than: Duration) -> Result<Vec<Spell>, StoreError> {
        let rows: Vec<(i64, i64, Option<i64>, Option<String>)> = self
            .db
            .fetch_all(Sql::new(SPELLS).with(before(longer_than)).with(AT_ONCE))
            .await
            .map_err(StoreError::while_doing("reading which hooks fail"))?;
        let spell = |(hook, tenant, since, error): (i64, i64, Option<i64>, Option<String>)| Spell {
            hook: HookId(hook),
            tenant: TenantId(tenant),
            since: since.map(|since| Timestamp::from_millisecond(since).unwrap_or(Timestamp::UNIX_EPOCH)),
            error: error.unwrap_or_default(),
        };
        Ok(rows.into_iter().map(spell).collect())
    }

    /// How many hooks have failed for so long.
    pub async fn failing(&self, longer_than: Duration) -> Result<u64, StoreError> {
        let sql = Sql::new("SELECT COUNT(*) FROM hook_states WHERE failing_since_ms <= $1").with(before(longer_than));
        let count: Option<i64> =
            self.db.fetch_scalar(sql).await.map_err(StoreError::while_doing("counting hooks that fail"))?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    /// The owners were told of a spell, or there is nobody to tell.
    pub async fn told(&self, spell: &Spell) -> Result<(), StoreError> {
        let sql = match spell.since {
            Some(_) => {
                Sql::new("UPDATE hook_states SET warned_ms = $1 WHERE hook = $2 AND failing_since_ms IS NOT NULL")
                    .with(Timestamp::now().as_millisecond())
                    .with(spell.hook.0)
            }
            None => Sql::new("UPDATE hook_states SET warned_ms = NULL WHERE hook = $1").with(spell.hook.0),
        };
        self.db.execute(sql).await.map(drop).map_err(StoreError::while_doing(DOING))
    }

    /// The addresses of a tenant's owners.
    pub async fn owners(&self, tenant: TenantId) -> Result<Vec<String>, StoreError> {
        let doing = || StoreError::while_doing("reading a tenant's owners");
        let sql = Sql::new("SELECT name FROM tenants WHERE id = $1").with(tenant.0);
        let Some(name) = self.db.fetch_scalar::<String>(sql).await.map_err(doing())? else { return Ok(Vec::new()) };
        let sql = Sql::new("SELECT body FROM settings WHERE tenant = $1 AND noun = 'user' ORDER BY id")
            .with(TenantId::SERVER.0);
        let users: Vec<String> = self.db.fetch_scalars(sql).await.map_err(doing())?;
        let mut owners = Vec::new();
        for body in users {
            let user: User = serde_json::from_str(&body).map_err(StoreError::unreadable("a user"))?;
            if user.role == Role::Owner && user.tenant.as_deref() == Some(name.as_str()) {
                owners.push(user.email);
            }
        }
        Ok(owners)
    }
}

fn before(longer_than: Duration) -> i64 {
    Timestamp::now().as_millisecond().saturating_sub(i64::try_from(longer_than.as_millis()).unwrap_or(i64::MAX))
}

const SPELLS: &str = "SELECT hook, tenant, failing_since_ms, error FROM hook_states
     WHERE (failing_since_ms <= $1 AND warned_ms IS NULL) OR (failing_since_ms IS NULL AND warned_ms IS NOT NULL)
     ORDER BY hook LIMIT $2";
