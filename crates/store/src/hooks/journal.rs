//! What was sent to a tenant's hooks and what came back, for people to look at.

use model::Timestamp;

use super::{DeliveryState, HookId, Place};
use crate::db::{Db, Sql};
use crate::{StoreError, TenantStore};

/// Rows of one page, at most.
const MOST: usize = 1_000;
/// Waiting deliveries that are counted, at most.
const COUNTED: i64 = 100_000;

/// What was sent to a tenant's hooks.
#[derive(Clone, Copy, Debug)]
pub struct Deliveries<'a> {
    pub(crate) tenant: &'a TenantStore,
}

/// How a hook stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HookStatus {
    /// Whether it is told anything.
    pub active: bool,
    /// Since when and why not, where it was switched off.
    pub off: Option<(Timestamp, String)>,
    /// All events up to here have their deliveries.
    pub position: i64,
    /// The part of the story that is being told again: after the first, up to the second position.
    pub replay: Option<(i64, i64)>,
    /// Deliveries that are to be sent; 100 000 stands for more.
    pub pending: u64,
    /// Since when nothing has arrived.
    pub failing_since: Option<Timestamp>,
    /// When the owners were warned of that.
    pub warned_at: Option<Timestamp>,
    /// When and why an attempt failed last.
    pub error: Option<(Timestamp, String)>,
    /// Until when the secret before signs too.
    pub old_secret_until: Option<Timestamp>,
}

/// Which deliveries are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeliveryFilter {
    /// Only those that stand so.
    pub state: Option<DeliveryState>,
    /// Only those that tell of this call.
    pub call: Option<String>,
}

/// A delivery as its row has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRow {
    /// Its place; the name of the message comes from it.
    pub place: Place,
    /// The call it tells of, or another subject: `extension 101`.
    pub chain: String,
    /// `call.ended`
    pub event: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// How it stands.
    pub state: DeliveryState,
    /// When it is sent next. None while one before it in its chain waits, and at its end.
    pub due_at: Option<Timestamp>,
    /// Whether it is being sent now; `due_at` is then when that is given up.
    pub sending: bool,
    /// Attempts that were made.
    pub attempts: u32,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
    /// The bytes.
    pub body: String,
}

/// An attempt as its row has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptRow {
    /// From 1.
    pub number: u32,
    /// What was sent and what came back.
    pub attempt: super::Attempt,
}

type Row = (i64, String, String, i64, String, Option<i64>, i64, i64, Option<i64>, String);

impl Deliveries<'_> {
    /// How a hook stands; None if the tenant has no such hook.
    pub async fn status(&self, hook: HookId) -> Result<Option<HookStatus>, StoreError> {
        type State = (
            i64,
            i64,
            Option<i64>,
            Option<i64>,
            Option<i64>,
            Option<String>,
            Option<String>,
            Option<i64>,
            Option<i64>,
            Option<String>,
            Option<i64>,
            Option<i64>,
            String,
        );
        let doing = || StoreError::while_doing("reading how a hook stands");
        let sql = Sql::new(STATUS).with(hook.0).with(self.tenant.id.0);
        let found: Option<State> = self.tenant.db.fetch_optional(sql).await.map_err(doing())?;
        let Some((
            active,
            position,
            replay_after,
            replay_to,
            off_at,
            off_why,
            off_url,
            failing,
            warned,
            error,
            error_at,
            until,
            body,
        )) = found
        else {
            return Ok(None);
        };
        let pending = waiting(&self.tenant.db, hook).await?;
        let body: crate::settings::stored::Hook =
            serde_json::from_str(&body).map_err(StoreError::unreadable(format!("hook {hook}")))?;
        let now = Timestamp::now();
        Ok(Some(HookStatus {
            active: active == 1 && body.enabled,
            off: off_at.map(moment).zip(off_why).filter(|_| off_url.as_deref() == Some(body.url.as_str())),
            position,
            replay: replay_after.zip(replay_to),
            pending,
            failing_since: failing.map(moment),
            warned_at: warned.map(moment),
            error: error_at.map(moment).zip(error),
            old_secret_until: until.map(moment).filter(|until| *until > now),
        }))
    }

    /// Deliveries of a hook, the newest first, from below a place.
    pub async fn list(
        &self,
        hook: HookId,
        filter: &DeliveryFilter,
        below: Option<Place>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let mut sql = Sql::new(ROWS).push(" FROM hook_deliveries WHERE hook = ").bind(hook.0).push(OF_TENANT);
        sql = sql.bind(self.tenant.id.0).push(")");
        if let Some(state) = filter.state {
            sql = sql.push(" AND state = ").bind(state.word());
        }
        if let Some(call) = &filter.call {
            sql = sql.push(" AND chain = ").bind(call);
        }
        if let Some(Place(below)) = below {
            sql = sql.push(" AND place < ").bind(below);
        }
        let limit = i64::try_from(limit.min(MOST)).unwrap_or(i64::MAX);
        sql = sql.push(" ORDER BY place DESC LIMIT ").bind(limit);
        let rows: Vec<Row> =
            self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading deliveries"))?;
        rows.into_iter().map(row).collect()
    }

    /// One delivery.
    pub async fn get(&self, hook: HookId, place: Place) -> Result<Option<DeliveryRow>, StoreError> {
        let sql = Sql::new(ROWS).push(" FROM hook_deliveries WHERE hook = ").bind(hook.0).push(OF_TENANT);
        let sql = sql.bind(self.tenant.id.0).push(") AND place = ").bind(place.0);
        let found: Option<Row> =
            self.tenant.db.fetch_optional(sql).await.map_err(StoreError::while_doing("reading a delivery"))?;
        found.map(row).transpose()
    }

    /// The last thousand attempts at a delivery, in order.
    pub async fn attempts(&self, hook: HookId, place: Place) -> Result<Vec<AttemptRow>, StoreError> {
        type Row = (i64, i64, String, Option<i64>, String, String, i64, Option<String>);
        let sql = Sql::new(ATTEMPTS).bind(hook.0).push(" AND place = ").bind(place.0).push(OF_TENANT);
        let sql = sql.bind(self.tenant.id.0).push(") ORDER BY attempt DESC LIMIT 1000");
        let rows: Vec<Row> =
            self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading attempts"))?;
        let attempt = |(number, at, request, status, headers, answer, milliseconds, error): Row| AttemptRow {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            attempt: super::Attempt {
                at: moment(at),
                request,
                status: status.and_then(|status| u16::try_from(status).ok()),
                headers,
                answer,
                milliseconds,
                error,
            },
        };
        Ok(rows.into_iter().rev().map(attempt).collect())
    }
}

/// Deliveries of a hook that are to be sent.
pub(super) async fn waiting(db: &Db, hook: HookId) -> Result<u64, StoreError> {
    let sql = Sql::new(PENDING).with(hook.0).with(COUNTED);
    let pending: Option<i64> =
        db.fetch_scalar(sql).await.map_err(StoreError::while_doing("counting what waits for a hook"))?;
    Ok(pending.unwrap_or(0).unsigned_abs())
}

fn row(row: Row) -> Result<DeliveryRow, StoreError> {
    let (place, chain, event, made, state, due, claimed, attempts, ended, body) = row;
    let state = DeliveryState::parse(&state).ok_or("an unknown state");
    Ok(DeliveryRow {
        place: Place(place),
        chain,
        event,
        made_at: moment(made),
        state: state.map_err(StoreError::unreadable(format!("delivery {place}")))?,
        due_at: due.map(moment),
        sending: claimed == 1,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        ended_at: ended.map(moment),
        body,
    })
}

fn moment(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH)
}

const STATUS: &str = "SELECT states.active, states.position, states.replay_after, states.replay_to, states.off_ms,
        states.off_why, states.off_url, states.failing_since_ms, states.warned_ms, states.error, states.error_ms,
        states.old_until_ms, settings.body
     FROM hook_states AS states JOIN settings ON settings.id = states.hook
     WHERE states.hook = $1 AND states.tenant = $2";

const PENDING: &str = "SELECT COUNT(*) FROM
        (SELECT 1 FROM hook_deliveries WHERE hook = $1 AND state = 'pending' LIMIT $2) AS pending";

const ROWS: &str = "SELECT place, chain, event, made_ms, state, due_ms, claimed, attempts, ended_ms, body";

const OF_TENANT: &str = " AND hook IN (SELECT hook FROM hook_states WHERE tenant = ";

const ATTEMPTS: &str = "SELECT attempt, at_ms, request, status, headers, answer, milliseconds, error
     FROM hook_attempts WHERE hook = ";
