//! Agents and queues as they stand, from what is stored: settings, kept facts, and the rows of calls. Nothing is asked of
//! the engine.

use std::collections::{BTreeMap, BTreeSet};

use model::{AgentStands, CallId, Extension, KeptKind, Queue, QueueRecord, Record, Text, Timestamp, Unqueued};
use serde::de::DeserializeOwned;

use crate::db::Sql;
use crate::records::parse;
use crate::{StoreError, TenantStore};

/// Rows of calls that are read at a time.
const AT_ONCE: i64 = 1_000;

/// The most calls of a day that are looked at.
const MOST: usize = 100_000;

/// A tenant's agents and queues.
#[derive(Clone, Copy, Debug)]
pub struct Floor<'a> {
    pub(crate) tenant: &'a TenantStore,
}

/// An agent.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentRow {
    /// Its extension.
    pub extension: String,
    /// For people.
    pub name: String,
    /// The queues it is a member of.
    pub queues: Vec<String>,
    /// Whether a phone is signed in as it.
    pub registered: bool,
    /// Whether its extension takes no calls.
    pub do_not_disturb: bool,
    /// How it stands. None: its phone was never signed in.
    pub stands: Option<AgentStands>,
    /// The call it takes part in.
    pub call: Option<AgentCall>,
}

/// A call of an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgentCall {
    /// The call.
    pub call: CallId,
    /// Whether its phone is only ringing.
    pub rings: bool,
    /// Since when.
    pub since: Timestamp,
}

/// A queue at this moment.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueRow {
    /// Its settings.
    pub queue: Queue,
    /// Who waits, in the order they came.
    pub waiting: Vec<WaitingRow>,
    /// Its agents, in the order of its members.
    pub agents: Vec<AgentRow>,
    /// What became of those who came since the given moment.
    pub since: QueueCounts,
}

/// A caller who waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingRow {
    /// The call.
    pub call: CallId,
    /// The other side's number.
    pub customer: Text,
    /// Since when.
    pub queued_at: Timestamp,
    /// Extensions that ring for it.
    pub offered_to: Vec<String>,
}

/// What became of callers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct QueueCounts {
    /// How many came.
    pub offered: u32,
    /// Whom an agent took.
    pub answered: u32,
    /// Who gave up.
    pub abandoned: u32,
    /// Who went elsewhere, or was turned away: too long a wait, too many callers, no agent.
    pub overflowed: u32,
    /// Whom an agent took within the time that counts as good service; of those who were taken where none is set.
    pub within_service_level: u32,
    /// The longest wait of anybody who waits no more, in milliseconds.
    pub longest_wait_ms: i64,
}

impl Floor<'_> {
    /// All agents, in the order of their extensions.
    pub async fn agents(&self) -> Result<Vec<AgentRow>, StoreError> {
        let queues: Vec<Queue> = self.settings("queue").await?;
        let live = self.live().await?;
        self.rows(&queues, &live).await
    }

    /// One agent. None: the extension is a member of no queue.
    pub async fn agent(&self, extension: &str) -> Result<Option<AgentRow>, StoreError> {
        Ok(self.agents().await?.into_iter().find(|agent| agent.extension == extension))
    }

    /// A queue at this moment, and what became of those who came since another. None: there is no such queue.
    pub async fn queue(&self, number: &str, since: Timestamp) -> Result<Option<QueueRow>, StoreError> {
        let queues: Vec<Queue> = self.settings("queue").await?;
        let Some(queue) = queues.iter().find(|queue| queue.number == number).cloned() else { return Ok(None) };
        let live = self.live().await?;
        let mut agents = self.rows(&queues, &live).await?;
        agents.retain(|agent| queue.members.contains(&agent.extension));
        agents.sort_by_key(|agent| queue.members.iter().position(|member| *member == agent.extension));
        let mut waiting: Vec<WaitingRow> = live.iter().filter_map(|record| waits(record, number)).collect();
        waiting.sort_by_key(|waiting| (waiting.queued_at, waiting.call));
        let since = self.counts(&queue, since).await?;
        Ok(Some(QueueRow { queue, waiting, agents, since }))
    }

    async fn rows(&self, queues: &[Queue], live: &[Record]) -> Result<Vec<AgentRow>, StoreError> {
        let members: BTreeSet<&String> = queues.iter().flat_map(|queue| &queue.members).collect();
        let extensions: Vec<Extension> = self.settings("extension").await?;
        let kept = self.kept().await?;
        let registered = self.registered().await?;
        let agents = extensions.into_iter().filter(|extension| members.contains(&extension.number));
        let mut rows: Vec<AgentRow> = agents
            .map(|extension| AgentRow {
                queues: queues
                    .iter()
                    .filter(|queue| queue.members.contains(&extension.number))
                    .map(|queue| queue.number.clone())
                    .collect(),
                registered: registered.contains(&extension.number),
                do_not_disturb: extension.do_not_disturb,
                stands: kept.get(&extension.number).cloned(),
                call: call_of(live, &extension.number),
                extension: extension.number,
                name: extension.name,
            })
            .collect();
        rows.sort_by(|a, b| a.extension.cmp(&b.extension));
        Ok(rows)
    }

    async fn settings<T: DeserializeOwned>(&self, noun: &str) -> Result<Vec<T>, StoreError> {
        let sql = Sql::new("SELECT name, body FROM settings WHERE tenant = $1 AND noun = $2 ORDER BY place, name")
            .with(self.tenant.id.0)
            .with(noun);
        let rows: Vec<(String, String)> =
            self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading settings"))?;
        let read = |(name, body): (String, String)| {
            serde_json::from_str(&body).map_err(StoreError::unreadable(format!("{noun} {name}")))
        };
        rows.into_iter().map(read).collect()
    }

    async fn kept(&self) -> Result<BTreeMap<String, AgentStands>, StoreError> {
        let sql = Sql::new("SELECT key, value FROM kept WHERE tenant = $1 AND kind = $2")
            .with(self.tenant.id.0)
            .with(KeptKind::Agent.name());
        let rows: Vec<(String, String)> =
            self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading agents"))?;
        let read = |(agent, value): (String, String)| {
            let stands = serde_json::from_str(&value).map_err(StoreError::unreadable(format!("agent {agent}")))?;
            Ok((agent, stands))
        };
        rows.into_iter().map(read).collect()
    }

    async fn registered(&self) -> Result<BTreeSet<String>, StoreError> {
        let page = self.tenant.registrations(None, None, u32::MAX).await?;
        Ok(page.phones.into_iter().map(|phone| phone.extension).collect())
    }

    async fn live(&self) -> Result<Vec<Record>, StoreError> {
        let rows = self.tenant.calls().live().await?;
        Ok(rows.into_iter().map(|row| row.record).collect())
    }

    /// Goes through the calls of the day in which the queue is named, a part at a time.
    async fn counts(&self, queue: &Queue, since: Timestamp) -> Result<QueueCounts, StoreError> {
        let mut counts = QueueCounts::default();
        // A queue's number is digits: nothing in it means anything to LIKE.
        let named = format!("%\"queue\":\"{}\"%", queue.number);
        let (mut after, mut read) = ((since.as_millisecond(), 0_i64), 0);
        while read < MOST {
            let sql = Sql::new(
                "SELECT id, record FROM records WHERE tenant = $1 AND (started_ms, id) > ($2, $3) AND record LIKE $4
                 ORDER BY started_ms, id LIMIT $5",
            )
            .with(self.tenant.id.0)
            .with(after.0)
            .with(after.1)
            .with(named.as_str())
            .with(AT_ONCE);
            let rows: Vec<(i64, String)> =
                self.tenant.db.fetch_all(sql).await.map_err(StoreError::while_doing("counting callers"))?;
            let is_last = (rows.len() as i64) < AT_ONCE;
            read += rows.len();
            for row in rows {
                let row = parse(row)?;
                after = (row.record.started_at.as_millisecond(), row.row);
                row.record.queues.iter().filter(|stay| stay.queue == queue.number).for_each(|stay| {
                    counts.add(stay, queue.service_level_seconds);
                });
            }
            if is_last {
                break;
            }
        }
        Ok(counts)
    }
}

impl QueueCounts {
    fn add(&mut self, stay: &QueueRecord, service_level: Option<u32>) {
        self.offered += 1;
        let Some(left_at) = stay.left_at else { return };
        let waited = (left_at.as_millisecond() - stay.queued_at.as_millisecond()).max(0);
        self.longest_wait_ms = self.longest_wait_ms.max(waited);
        match stay.why {
            Some(Unqueued::Answered) => {
                self.answered += 1;
                let is_within = service_level.is_none_or(|seconds| waited <= i64::from(seconds) * 1_000);
                self.within_service_level += u32::from(is_within);
            }
            Some(Unqueued::Abandoned) => self.abandoned += 1,
            Some(Unqueued::TooLong | Unqueued::Full | Unqueued::Empty) => self.overflowed += 1,
            Some(Unqueued::Ended) | None => {}
        }
    }
}

fn waits(record: &Record, queue: &str) -> Option<WaitingRow> {
    let stay = record.queues.last().filter(|stay| stay.left_at.is_none() && stay.queue == queue)?;
    let ringing = record.legs.iter().filter(|leg| !leg.caller && leg.ended_at.is_none() && leg.answered_at.is_none());
    Some(WaitingRow {
        call: record.callid,
        customer: record.customer.clone(),
        queued_at: stay.queued_at,
        offered_to: ringing.filter_map(|leg| leg.party.extension()).map(str::to_owned).collect(),
    })
}

/// The call that an extension talks in, or else one that rings at it.
fn call_of(live: &[Record], extension: &str) -> Option<AgentCall> {
    let legs = live.iter().flat_map(|record| record.legs.iter().map(move |leg| (record, leg)));
    let own = legs.filter(|(_, leg)| leg.ended_at.is_none() && leg.party.extension() == Some(extension));
    let calls = own.map(|(record, leg)| AgentCall {
        call: record.callid,
        rings: !leg.caller && leg.answered_at.is_none(),
        since: leg.answered_at.unwrap_or(leg.started_at),
    });
    calls.min_by_key(|call| (call.rings, call.since))
}
