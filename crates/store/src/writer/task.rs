//! The writer's task: take what has queued, commit it, tell it, hand replies on; again.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::{Batch, Problem, Record, Reply, StoredEvent, TenantId, Ticket};
use tokio::sync::{mpsc, watch};

use super::commit::{Scribe, Stored};
use super::group::Group;
use super::{SetAside, Shared, Work, Writer, WriterState};
use crate::Feed;
use crate::db::Pen;
use crate::lock::FolderLock;

/// The most that is taken at once. More only makes a commit longer, hardly cheaper.
const GROUP: usize = 2_048;
/// A commit that takes longer is told of.
const SLOW: Duration = Duration::from_secs(2);
/// How long a commit that failed waits before it is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Where the writer writes.
pub(crate) struct Place {
    pub pen: Arc<Pen>,
    pub feed: Feed,
    /// Changes when a claim is no longer pending.
    pub claims: watch::Sender<()>,
    pub remedy: Remedy,
    /// The folder stays ours until the last commit.
    pub _lock: Arc<FolderLock>,
}

/// What people are told while records cannot be stored.
pub(crate) struct Remedy {
    /// Where they are stored.
    pub place: String,
    /// What to do.
    pub advice: &'static str,
}

struct Task {
    queue: mpsc::UnboundedReceiver<Work>,
    replies: mpsc::UnboundedSender<(Ticket, Result<Reply, Problem>)>,
    awaited: mpsc::UnboundedSender<(Ticket, Result<(), SetAside>)>,
    shared: Arc<Shared>,
    scribe: Scribe,
    place: Place,
}

/// Starts the task; it ends when it is told to or when nobody can tell it anything any more.
pub(crate) fn start(place: Place) -> Writer {
    let (queue, works) = mpsc::unbounded_channel();
    let (replies, receiver) = mpsc::unbounded_channel();
    let (awaited, outcomes) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        waiting: AtomicUsize::new(0),
        state: watch::Sender::new(WriterState::Flowing),
        replies: Mutex::new(Some(receiver)),
        awaited: Mutex::new(Some(outcomes)),
        commits: AtomicU64::new(0),
        events: AtomicU64::new(0),
        failures: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    let scribe = Scribe::new(place.pen.clone());
    tokio::spawn(Task { queue: works, replies, awaited, shared: shared.clone(), scribe, place }.run());
    Writer { queue, shared }
}

impl Task {
    async fn run(mut self) {
        let mut works = Vec::with_capacity(GROUP);
        while self.queue.recv_many(&mut works, GROUP).await > 0 {
            let group = Group::gather(works.drain(..));
            let stored = self.store(&group).await;
            if self.tell(group, stored) {
                return;
            }
        }
    }

    // Calls that run go on while the database fails; what they tell waits here in order.
    async fn store(&mut self, group: &Group) -> Stored {
        let mut pause = FIRST_PAUSE;
        loop {
            let Remedy { place, advice } = &self.place.remedy;
            let mut storing = pin!(self.scribe.store(group));
            let result = match tokio::time::timeout(SLOW, &mut storing).await {
                Ok(result) => result,
                Err(_) => {
                    let sentence = format!("`{place}` takes long to store records: {advice}");
                    tracing::warn!(sentence);
                    self.shared.stall(sentence);
                    storing.await
                }
            };
            let error = match result {
                Ok(stored) => return stored,
                Err(error) => error,
            };
            self.shared.failures.fetch_add(1, Ordering::Relaxed);
            let sentence = format!("records cannot be stored in `{place}` ({error}): {advice}");
            tracing::error!(error = %error, waiting = self.shared.waiting.load(Ordering::Relaxed), "a commit failed; it is tried again");
            self.shared.stall(sentence);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Tells what was stored; whether the store closes now.
    fn tell(&self, group: Group, stored: Stored) -> bool {
        let shared = &self.shared;
        let events = group.events();
        if group.has_rows() {
            shared.commits.fetch_add(1, Ordering::Relaxed);
            shared.events.fetch_add(events as u64, Ordering::Relaxed);
            shared.refused.fetch_add(stored.refused, Ordering::Relaxed);
            for (batch, first) in group.batches.iter().zip(&stored.firsts) {
                if let Some(ticket) = batch.awaited {
                    // Without a receiver there is no engine that waits.
                    let _ = self.awaited.send((ticket, first.map(drop).ok_or(SetAside)));
                }
            }
            if group.batches.iter().any(|batch| batch.claim.is_some()) {
                self.place.claims.send_replace(());
            }
            self.place.feed.publish(told(group.batches, &stored.firsts));
        }
        for reply in group.replies {
            // Without a receiver nobody waits for replies.
            let _ = self.replies.send(reply);
        }
        shared.waiting.fetch_sub(events, Ordering::AcqRel);
        shared.flow_if_few_wait();
        for mark in group.marks {
            let _ = mark.send(());
        }
        group.closes
    }
}

fn told(batches: Vec<Batch>, firsts: &[Option<i64>]) -> BTreeMap<TenantId, Vec<Arc<StoredEvent>>> {
    let mut told: BTreeMap<TenantId, Vec<Arc<StoredEvent>>> = BTreeMap::new();
    for (batch, first) in batches.into_iter().zip(firsts) {
        let Some(first) = *first else { continue };
        let record: Option<Arc<Record>> = batch.record.map(|record| Arc::new(*record));
        let events = told.entry(batch.tenant).or_default();
        for (event, position) in batch.events.into_iter().zip(first..) {
            let record = record.as_ref().filter(|record| event.callid == Some(record.callid)).cloned();
            events.push(Arc::new(StoredEvent { position, event, record }));
        }
    }
    told
}
