//! What all readers of the story read: the newest events of each tenant from memory, older ones from the database.
//!
//! A reader is a position. It asks [`Feed::after`], and when there is nothing, waits with [`Feed::changed`].

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{StoredEvent, TenantId};
use tokio::sync::watch;

use crate::db::Db;
use crate::{StoreError, TenantStore};

/// Events of one tenant that stay in memory.
const OF_A_TENANT: usize = 4_096;
/// Events of all tenants that stay in memory; the tenant that was quiet longest gives its own up first.
const OF_ALL: usize = 65_536;

/// What all readers of the story read. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Feed {
    db: Db,
    memory: Arc<Mutex<Memory>>,
    published: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Memory {
    tenants: HashMap<TenantId, Newest>,
    /// Tenants that have events in memory, by when they last published.
    quiet: BTreeMap<u64, TenantId>,
    held: usize,
    publications: u64,
}

#[derive(Debug)]
struct Newest {
    /// Without a gap, the last one at `head`.
    events: VecDeque<Arc<StoredEvent>>,
    head: watch::Sender<i64>,
    published_at: u64,
}

impl Feed {
    pub(crate) fn new(db: Db, heads: Vec<(TenantId, i64)>) -> Self {
        let mut memory = Memory::default();
        for (tenant, head) in heads {
            memory.tenant(tenant).head.send_replace(head);
        }
        Self { db, memory: Arc::new(Mutex::new(memory)), published: watch::Sender::new(0) }
    }

    /// Up to `limit` events of the tenant after `position`, in order; at most 4 096.
    pub async fn after(
        &self,
        tenant: TenantId,
        position: i64,
        limit: usize,
    ) -> Result<Vec<Arc<StoredEvent>>, StoreError> {
        if let Some(events) = self.remembered(tenant, position, limit) {
            return Ok(events);
        }
        let store = TenantStore { id: tenant, db: self.db.clone() };
        let events = store.events().after(position, limit).await?;
        Ok(events.into_iter().map(Arc::new).collect())
    }

    /// Waits until the tenant has an event after `position`.
    pub async fn changed(&self, tenant: TenantId, position: i64) {
        let mut head = self.memory().tenant(tenant).head.subscribe();
        // The sender lives as long as this feed, so waiting ends only with an event.
        let _ = head.wait_for(|head| *head > position).await;
    }

    /// The position of the tenant's last event; 0 before the first.
    pub fn head(&self, tenant: TenantId) -> i64 {
        self.memory().tenants.get(&tenant).map_or(0, |newest| *newest.head.borrow())
    }

    /// Changes whenever any tenant has news; for readers that follow all of them.
    pub fn published(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    /// Makes committed events heard. Positions of a tenant grow by one from call to call.
    pub(crate) fn publish(&self, committed: impl IntoIterator<Item = (TenantId, Vec<Arc<StoredEvent>>)>) {
        let publications = {
            let mut memory = self.memory();
            for (tenant, events) in committed {
                memory.publish(tenant, events);
            }
            memory.publications
        };
        self.published.send_replace(publications);
    }

    // None when memory does not reach back far enough.
    fn remembered(&self, tenant: TenantId, position: i64, limit: usize) -> Option<Vec<Arc<StoredEvent>>> {
        let memory = self.memory();
        let newest = memory.tenants.get(&tenant)?;
        if position >= *newest.head.borrow() {
            return Some(Vec::new());
        }
        let oldest = newest.events.front()?.position;
        let skip = usize::try_from(position + 1 - oldest).ok()?;
        Some(newest.events.iter().skip(skip).take(limit).cloned().collect())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing that holds the lock can panic half-way through a change.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn publish(&mut self, tenant: TenantId, events: Vec<Arc<StoredEvent>>) {
        let Some(head) = events.last().map(|event| event.position) else { return };
        self.publications += 1;
        let now = self.publications;
        let newest = self.tenant(tenant);
        let before = newest.events.len();
        let was = std::mem::replace(&mut newest.published_at, now);
        newest.events.extend(events);
        let surplus = newest.events.len().saturating_sub(OF_A_TENANT);
        newest.events.drain(..surplus);
        let after = newest.events.len();
        newest.head.send_replace(head);
        self.held = self.held + after - before;
        self.quiet.remove(&was);
        self.quiet.insert(now, tenant);
        while self.held > OF_ALL
            && let Some((_, quietest)) = self.quiet.pop_first()
        {
            self.held -= std::mem::take(&mut self.tenant(quietest).events).len();
        }
    }

    fn tenant(&mut self, tenant: TenantId) -> &mut Newest {
        self.tenants.entry(tenant).or_insert_with(|| Newest {
            events: VecDeque::new(),
            head: watch::Sender::new(0),
            published_at: 0,
        })
    }
}
