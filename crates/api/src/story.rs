//! A tenant's story in a dialect's words: rendered once, read by every session of that tenant and dialect.
//!
//! One task follows the feed and renders; readers are positions in what it rendered. Only the newest of it stays in
//! memory. A reader that is further behind renders for itself what it missed, until it is level again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use model::{StoredEvent, TenantId};
use serde::Serialize;
use socketioxide_core::Str;
use store::{Feed, StoreError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::keys::Keys;
use crate::native::views::EventView;
use crate::vendors::voip24h;

/// Rendered events that stay in memory, for each tenant and dialect.
const KEPT: usize = 4_096;
/// Events that are read at once.
const PAGE: usize = 512;
/// How long after a failed reading the feed is asked again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// In whose words the story is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Dialect {
    /// Our own: each event as flat JSON.
    Native,
    /// `["response",{…}]` of Voip24h's Socket.IO.
    Voip24h,
}

/// The stories that are read at the moment.
#[derive(Clone)]
pub(crate) struct Stories {
    feed: Feed,
    keys: Keys,
    open: Arc<Mutex<Open>>,
}

type Open = HashMap<(TenantId, Dialect), Weak<Story>>;

/// One tenant's story. Its task ends with the last reader that holds it.
pub(crate) struct Story {
    tenant: TenantId,
    dialect: Dialect,
    feed: Feed,
    keys: Keys,
    rendered: Arc<Rendered>,
    task: JoinHandle<()>,
}

/// What one stored event says, ready to be sent.
#[derive(Debug)]
pub(crate) struct Told {
    /// The stored event's.
    pub position: i64,
    /// In order; never empty.
    pub packets: Vec<Str>,
}

struct Rendered {
    /// Up to where the story is rendered.
    head: watch::Sender<i64>,
    ring: Mutex<Ring>,
}

struct Ring {
    /// Everything told after this position is here.
    from: i64,
    told: VecDeque<Arc<Told>>,
}

impl Stories {
    pub fn new(feed: Feed, keys: Keys) -> Self {
        Self { feed, keys, open: Arc::default() }
    }

    /// The tenant's story and the position at which it stands now.
    pub fn open(&self, tenant: TenantId, dialect: Dialect) -> (Arc<Story>, i64) {
        let position = self.feed.head(tenant);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(story) = open.get(&(tenant, dialect)).and_then(Weak::upgrade) {
            return (story, position);
        }
        open.retain(|_, story| story.strong_count() > 0);
        let story = Arc::new(Story::start(tenant, dialect, position, self.feed.clone(), self.keys.clone()));
        open.insert((tenant, dialect), Arc::downgrade(&story));
        (story, position)
    }
}

impl Story {
    fn start(tenant: TenantId, dialect: Dialect, from: i64, feed: Feed, keys: Keys) -> Self {
        let ring = Mutex::new(Ring { from, told: VecDeque::new() });
        let rendered = Arc::new(Rendered { head: watch::Sender::new(from), ring });
        let task = tokio::spawn(follow(tenant, dialect, feed.clone(), keys.clone(), rendered.clone()));
        Self { tenant, dialect, feed, keys, rendered, task }
    }

    /// Up to where the story is rendered.
    pub fn head(&self) -> i64 {
        *self.rendered.head.borrow()
    }

    /// Resolves when something after `position` is rendered.
    pub async fn changed(&self, position: i64) {
        let mut head = self.rendered.head.subscribe();
        // The sender lives as long as this story.
        let _ = head.wait_for(|head| *head > position).await;
    }

    /// What is told after `position`, in order, and up to where that goes.
    pub async fn after(&self, position: i64) -> Result<(Vec<Arc<Told>>, i64), StoreError> {
        if let Some(ready) = self.remembered(position) {
            return Ok(ready);
        }
        let events = self.feed.after(self.tenant, position, PAGE).await?;
        let head = events.last().map_or(position, |event| event.position);
        Ok((render(&events, self.tenant, self.dialect, &self.keys), head))
    }

    /// None when memory does not reach back so far.
    fn remembered(&self, position: i64) -> Option<(Vec<Arc<Told>>, i64)> {
        let ring = self.rendered.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if position < ring.from {
            return None;
        }
        let first = ring.told.partition_point(|told| told.position <= position);
        let told: Vec<_> = ring.told.iter().skip(first).take(PAGE).cloned().collect();
        let all = first + told.len() == ring.told.len();
        let head = if all { *self.rendered.head.borrow() } else { told.last().map_or(position, |told| told.position) };
        Some((told, head.max(position)))
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(tenant: TenantId, dialect: Dialect, feed: Feed, keys: Keys, rendered: Arc<Rendered>) {
    let mut position = *rendered.head.borrow();
    loop {
        let events = match feed.after(tenant, position, PAGE).await {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(%error, "reading events for those who listen");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
        };
        let Some(last) = events.last() else {
            feed.changed(tenant, position).await;
            continue;
        };
        position = last.position;
        let told = render(&events, tenant, dialect, &keys);
        let mut ring = rendered.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.told.extend(told);
        while ring.told.len() > KEPT
            && let Some(oldest) = ring.told.pop_front()
        {
            ring.from = oldest.position;
        }
        // Told while the ring is held, so that a session never sees the one without the other.
        rendered.head.send_replace(position);
    }
}

fn render(events: &[Arc<StoredEvent>], tenant: TenantId, dialect: Dialect, keys: &Keys) -> Vec<Arc<Told>> {
    let index = keys.now();
    // A tenant that was deleted has no readers either.
    let Some(tenant) = index.tenant(tenant) else { return Vec::new() };
    let packets = |event: &StoredEvent| -> Vec<Str> {
        match dialect {
            Dialect::Native => vec![json(&EventView::of(event))],
            Dialect::Voip24h => voip24h::events::numbered(event, &tenant.switches)
                .iter()
                .map(|response| packet("response", response))
                .collect(),
        }
    };
    let tell = |event: &Arc<StoredEvent>| {
        let packets = packets(event);
        (!packets.is_empty()).then(|| Arc::new(Told { position: event.position, packets }))
    };
    events.iter().filter_map(tell).collect()
}

/// A Socket.IO event as socketioxide wants it: `["name",{…}]`.
pub(crate) fn packet(name: &str, body: &impl Serialize) -> Str {
    json(&(name, body))
}

fn json(body: &impl Serialize) -> Str {
    // Our own bodies have no keys that JSON cannot have.
    Str::from(serde_json::to_string(body).unwrap_or_default())
}
