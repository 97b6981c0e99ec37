//! Claims: a client's hold on a key of its choice, so that one order is carried out once however often it comes.
//!
//!   (free) ──claim──► pending ──the call's first batch, or a refusal──► answered ──24 h──► (free)
//!                        └──released, or its engine died without a call──► (free)
//!
//! The writer answers a claim in the transaction that stores the call. Knows nothing of HTTP.

use std::time::Duration;

use model::{CallId, ClaimedKey, LegId, Problem, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::StoreError;
use crate::db::{Connection, Db, Sql};

/// How long a key is kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// Expired claims that go with each one that is made: more than one, so that they become fewer.
const SWEPT_AT_ONCE: i64 = 8;

/// A tenant's claims.
#[derive(Clone, Debug)]
pub struct Claims {
    pub(crate) tenant: TenantId,
    pub(crate) db: Db,
    pub(crate) changes: watch::Sender<()>,
}

/// How a key stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// It was free and is now pending for whoever asked.
    Made,
    /// The same order is under way.
    Pending,
    /// The same order came before, and this came of it.
    Answered(ClaimAnswer),
    /// The key belongs to another order.
    Taken,
}

/// What came of an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimAnswer {
    /// A call.
    Call {
        /// The call.
        call: CallId,
        /// Its first leg.
        leg: LegId,
    },
    /// No call.
    Refused(Problem),
    /// What was answered over HTTP, sealed ([`Store::seal`](crate::Store::seal)): it may hold a secret that is shown once.
    Http {
        /// Opens in the place that whoever sealed it knows.
        sealed: String,
    },
}

impl Claims {
    /// Claims a key for the order whose hash is `request`, or tells how it stands.
    pub async fn claim(&self, key: &ClaimedKey, request: &str) -> Result<Claim, StoreError> {
        self.claim_at(key, request, Timestamp::now()).await
    }

    /// An order was refused, and no call was begun: so it is answered from now on. A claim that is answered stays so.
    pub async fn refuse(&self, key: &ClaimedKey, problem: &Problem) -> Result<(), StoreError> {
        self.answer(key, &ClaimAnswer::Refused(problem.clone())).await
    }

    /// This came of an order that begins no call. A claim that is answered stays so.
    pub async fn answer(&self, key: &ClaimedKey, answer: &ClaimAnswer) -> Result<(), StoreError> {
        let answer = serde_json::to_string(answer).map_err(StoreError::unreadable("the answer of a claim"))?;
        let sql = Sql::new(ANSWER).with(answer).with(self.tenant.0).with(&key.owner).with(&key.key);
        self.db.execute(sql).await.map_err(StoreError::while_doing("answering a claim"))?;
        self.changes.send_replace(());
        Ok(())
    }

    /// Nothing came of an order, and it may come again. A claim that is answered stays so.
    pub async fn release(&self, key: &ClaimedKey) -> Result<(), StoreError> {
        let sql = Sql::new("DELETE FROM claims WHERE tenant = $1 AND owner = $2 AND key = $3 AND answer IS NULL")
            .with(self.tenant.0)
            .with(&key.owner)
            .with(&key.key);
        self.db.execute(sql).await.map_err(StoreError::while_doing("releasing a claim"))?;
        self.changes.send_replace(());
        Ok(())
    }

    /// Changes whenever a claim, of any tenant, is no longer pending.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    async fn claim_at(&self, key: &ClaimedKey, request: &str, now: Timestamp) -> Result<Claim, StoreError> {
        let now = now.as_millisecond();
        let expired = now - i64::try_from(KEPT_FOR.as_millis()).unwrap_or(i64::MAX);
        // Reading does not wait for the writer, and most who come late only read.
        if let Some(claim) = self.look(key, request, expired).await? {
            return Ok(claim);
        }
        let sql =
            Sql::new(CLAIM).with(self.tenant.0).with(&key.owner).with(&key.key).with(request).with(now).with(expired);
        if self.db.execute(sql).await.map_err(StoreError::while_doing("claiming a key"))? > 0 {
            let sweep = Sql::new(SWEEP).with(expired).with(SWEPT_AT_ONCE);
            self.db.execute(sweep).await.map_err(StoreError::while_doing("removing expired claims"))?;
            return Ok(Claim::Made);
        }
        // Somebody else claimed it in between. If it was released since then, the next change says so.
        Ok(self.look(key, request, expired).await?.unwrap_or(Claim::Pending))
    }

    /// None if the key is free.
    async fn look(&self, key: &ClaimedKey, request: &str, expired: i64) -> Result<Option<Claim>, StoreError> {
        let sql = Sql::new(LOOK).with(self.tenant.0).with(&key.owner).with(&key.key).with(expired);
        let row: Option<(String, Option<String>)> =
            self.db.fetch_optional(sql).await.map_err(StoreError::while_doing("reading a claim"))?;
        Ok(match row {
            None => None,
            Some((claimed_for, _)) if claimed_for != request => Some(Claim::Taken),
            Some((_, None)) => Some(Claim::Pending),
            Some((_, Some(answer))) => {
                let answer = serde_json::from_str(&answer).map_err(StoreError::unreadable("the answer of a claim"))?;
                Some(Claim::Answered(answer))
            }
        })
    }
}

/// Removes what has expired; for the start of a store.
pub(crate) async fn drop_expired(connection: &mut Connection, now: Timestamp) -> Result<(), sqlx::Error> {
    let kept_for = i64::try_from(KEPT_FOR.as_millis()).unwrap_or(i64::MAX);
    let sql = Sql::new("DELETE FROM claims WHERE claimed_ms <= $1").with(now.as_millisecond() - kept_for);
    connection.execute(sql).await.map(drop)
}

// A claim is free again when it has expired, or when the engine that was to carry the order out is gone without a call.
const CLAIM: &str = "INSERT INTO claims (tenant, owner, key, request, claimed_ms, engine)
     VALUES ($1, $2, $3, $4, $5, COALESCE((SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'engine'), 0))
     ON CONFLICT (tenant, owner, key) DO UPDATE
     SET request = excluded.request, claimed_ms = excluded.claimed_ms, engine = excluded.engine, answer = NULL
     WHERE claims.claimed_ms <= $6 OR (claims.answer IS NULL AND claims.engine <> excluded.engine)";

const LOOK: &str = "SELECT request, answer FROM claims
     WHERE tenant = $1 AND owner = $2 AND key = $3 AND claimed_ms > $4 AND (answer IS NOT NULL
        OR engine = COALESCE((SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'engine'), 0))";

const SWEEP: &str =
    "DELETE FROM claims WHERE id IN (SELECT id FROM claims WHERE claimed_ms <= $1 ORDER BY claimed_ms LIMIT $2)";

/// Answers a claim that is pending.
const ANSWER: &str = "UPDATE claims SET answer = $1 WHERE tenant = $2 AND owner = $3 AND key = $4 AND answer IS NULL";

#[cfg(test)]
mod tests {
    use model::EngineNumber;

    use super::*;
    use crate::databases::{Database, for_both};
    use crate::{Durability, Store, StoreOptions};

    const TENANT: TenantId = TenantId(1);

    for_both! {
        one_claim_is_made_and_everybody_else_waits_for_its_answer,
        keys_of_other_owners_and_tenants_are_others,
        a_claim_that_was_released_may_be_made_again_but_not_one_that_was_answered,
        a_claim_that_an_earlier_engine_left_pending_is_free_and_an_answered_one_is_not,
        after_a_day_a_key_is_free_and_its_row_is_removed,
    }

    async fn open(database: &Database) -> Store {
        let options = StoreOptions {
            data_dir: database.folder().to_owned(),
            database: database.url(),
            realm: "tongdai".into(),
            durability: Durability::Process,
        };
        Store::open(options).await.expect("the store opens")
    }

    fn key(name: &str) -> ClaimedKey {
        ClaimedKey { owner: "admin".into(), key: name.into() }
    }

    fn refused() -> Problem {
        Problem::NoSuchExtension { extension: "999".into() }
    }

    async fn one_claim_is_made_and_everybody_else_waits_for_its_answer(database: Database) {
        let claims = open(&database).await.claims(TENANT);
        let mut changes = claims.changes();

        let claim = async || claims.claim(&key("order-1"), "hash").await.expect("the store answers");
        let (one, two, three) = tokio::join!(claim(), claim(), claim());
        claims.refuse(&key("order-1"), &refused()).await.expect("the store answers");

        let made = [&one, &two, &three].into_iter().filter(|claim| **claim == Claim::Made).count();
        let pending = [&one, &two, &three].into_iter().filter(|claim| **claim == Claim::Pending).count();
        assert_eq!((made, pending), (1, 2));
        assert!(changes.has_changed().expect("the store lives"));
        changes.mark_unchanged();
        assert_eq!(claim().await, Claim::Answered(ClaimAnswer::Refused(refused())));
        assert_eq!(claims.claim(&key("order-1"), "another hash").await.expect("an answer"), Claim::Taken);
    }

    async fn keys_of_other_owners_and_tenants_are_others(database: Database) {
        let store = open(&database).await;

        for (tenant, owner) in [(1, "admin"), (1, "key:a"), (2, "admin")] {
            let key = ClaimedKey { owner: owner.into(), key: "order-1".into() };
            let claim = store.claims(TenantId(tenant)).claim(&key, "hash").await.expect("an answer");
            assert_eq!(claim, Claim::Made, "{tenant} {owner}");
        }
    }

    async fn a_claim_that_was_released_may_be_made_again_but_not_one_that_was_answered(database: Database) {
        let claims = open(&database).await.claims(TENANT);
        let claim = async || claims.claim(&key("order-1"), "hash").await.expect("the store answers");

        assert_eq!(claim().await, Claim::Made);
        claims.release(&key("order-1")).await.expect("released");
        assert_eq!(claim().await, Claim::Made);
        claims.refuse(&key("order-1"), &refused()).await.expect("answered");
        claims.release(&key("order-1")).await.expect("nothing happens");

        assert_eq!(claim().await, Claim::Answered(ClaimAnswer::Refused(refused())));
    }

    async fn a_claim_that_an_earlier_engine_left_pending_is_free_and_an_answered_one_is_not(database: Database) {
        let store = open(&database).await;
        store.start_engine().await.expect("a number");
        let claims = store.claims(TENANT);
        for name in ["pending", "answered"] {
            claims.claim(&key(name), "hash").await.expect("made");
        }
        claims.refuse(&key("answered"), &refused()).await.expect("answered");
        drop(claims);
        store.close().await;

        let store = open(&database).await;
        assert_eq!(store.start_engine().await.expect("a number"), EngineNumber(2));
        let claims = store.claims(TENANT);

        assert_eq!(claims.claim(&key("pending"), "another hash").await.expect("an answer"), Claim::Made);
        assert_eq!(claims.claim(&key("pending"), "another hash").await.expect("an answer"), Claim::Pending);
        let answered = claims.claim(&key("answered"), "hash").await.expect("an answer");
        assert_eq!(answered, Claim::Answered(ClaimAnswer::Refused(refused())));
    }

    async fn after_a_day_a_key_is_free_and_its_row_is_removed(database: Database) {
        let claims = open(&database).await.claims(TENANT);
        let begun = Timestamp::now();
        let at = |hours: i64| begun + jiff::SignedDuration::from_hours(hours);
        let claim = async |name: &str, hours| claims.claim_at(&key(name), "hash", at(hours)).await.expect("an answer");
        for nth in 0..20 {
            assert_eq!(claim(&format!("order-{nth}"), 0).await, Claim::Made);
        }

        assert_eq!(claim("order-0", 23).await, Claim::Pending);
        assert_eq!(claim("order-0", 24).await, Claim::Made);
        for nth in 20..23 {
            assert_eq!(claim(&format!("order-{nth}"), 24).await, Claim::Made);
        }

        let left = claims.db.fetch_scalar::<i64>(Sql::new("SELECT COUNT(*) FROM claims")).await;
        assert_eq!(left.expect("the database answers"), Some(4), "only those of the second day");
    }
}
