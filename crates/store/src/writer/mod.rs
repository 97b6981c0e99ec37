//! The one way to write what an engine tells: a queue that never blocks, and behind it one task that commits.
//!
//! The task takes whatever has queued, stores it in one transaction, says so where an engine waits for it, lets the feed
//! tell it, then hands replies on.
//! There is no timer: while one group commits, the next one gathers.

mod commit;
mod group;
mod outcome;
mod postgres;
mod sqlite;
mod task;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Problem, Reply, Ticket, Told};
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use task::{Place, Remedy, start};

/// More waiting events than this, and new calls have to be refused.
const MOST_WAITING: usize = 10_000;

/// Replies to commands, each after everything told before it is stored.
pub type Replies = mpsc::UnboundedReceiver<(Ticket, Result<Reply, Problem>)>;

/// Whether batches that an engine waits for are stored, each once and as soon as that is known.
pub type Awaited = mpsc::UnboundedReceiver<(Ticket, Result<(), SetAside>)>;

/// The database refuses a batch for its content: it is set aside, and nothing of it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the database refuses it for its content, as the log says")]
pub struct SetAside;

/// Writes what an engine tells. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::UnboundedSender<Work>,
    shared: Arc<Shared>,
}

/// Whether records can be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WriterState {
    /// They are stored as they come.
    Flowing,
    /// They wait in memory. One sentence: why, and what to do.
    Stalled(String),
}

/// What the writer has done since it started, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WriterFigures {
    /// Transactions.
    pub commits: u64,
    /// Events stored.
    pub events: u64,
    /// Commits that failed and were tried again.
    pub failures: u64,
    /// Batches and facts that the database refused for their content.
    pub refused: u64,
}

#[derive(Debug)]
enum Work {
    Told(Told),
    /// Everything before it is stored.
    Mark(oneshot::Sender<()>),
    /// The last work there is.
    Close,
}

#[derive(Debug)]
struct Shared {
    /// Events told and not yet stored.
    waiting: AtomicUsize,
    state: watch::Sender<WriterState>,
    replies: Mutex<Option<Replies>>,
    awaited: Mutex<Option<Awaited>>,
    commits: AtomicU64,
    events: AtomicU64,
    failures: AtomicU64,
    refused: AtomicU64,
}

impl Writer {
    /// Takes what an engine tells. Never blocks; may be called from any thread.
    pub fn push(&self, told: Told) {
        let events = events_in(&told);
        if events > 0 && self.shared.waiting.fetch_add(events, Ordering::AcqRel) + events > MOST_WAITING {
            self.shared.stall_if_too_many_wait();
        }
        if self.queue.send(Work::Told(told)).is_err() {
            self.shared.waiting.fetch_sub(events, Ordering::AcqRel);
            tracing::error!(events, "told after the store was closed: this is lost");
        }
    }

    /// Waits until everything told so far is stored and told on.
    pub async fn flush(&self) {
        let (mark, stored) = oneshot::channel();
        if self.queue.send(Work::Mark(mark)).is_ok() {
            let _ = stored.await;
        }
    }

    /// Events told and not yet stored.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Acquire)
    }

    /// Whether records can be stored, now and at each change.
    pub fn state(&self) -> watch::Receiver<WriterState> {
        self.shared.state.subscribe()
    }

    /// The replies to commands, in order. Whoever asks first has them; None afterwards.
    pub fn replies(&self) -> Option<Replies> {
        self.shared.replies.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What became of batches that an engine waits for. Whoever asks first has it; None afterwards.
    pub fn awaited(&self) -> Option<Awaited> {
        self.shared.awaited.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What the writer has done since it started.
    pub fn figures(&self) -> WriterFigures {
        let shared = &self.shared;
        WriterFigures {
            commits: shared.commits.load(Ordering::Relaxed),
            events: shared.events.load(Ordering::Relaxed),
            failures: shared.failures.load(Ordering::Relaxed),
            refused: shared.refused.load(Ordering::Relaxed),
        }
    }

    pub(crate) async fn close(&self) {
        self.flush().await;
        let _ = self.queue.send(Work::Close);
        self.queue.closed().await;
    }
}

impl Shared {
    // Looks again under the channel's lock: the task may just have stored what was too much.
    fn stall_if_too_many_wait(&self) {
        self.state.send_if_modified(|state| {
            let stalls = *state == WriterState::Flowing && self.waiting.load(Ordering::Acquire) > MOST_WAITING;
            if stalls {
                *state = WriterState::Stalled(format!(
                    "more than {MOST_WAITING} events wait to be stored: look at the load and the speed of the disk"
                ));
            }
            stalls
        });
    }

    fn stall(&self, sentence: String) {
        self.state.send_if_modified(|state| {
            let stalled = WriterState::Stalled(sentence);
            let changed = *state != stalled;
            *state = stalled;
            changed
        });
    }

    fn flow_if_few_wait(&self) {
        self.state.send_if_modified(|state| {
            let flows = *state != WriterState::Flowing && self.waiting.load(Ordering::Acquire) <= MOST_WAITING / 2;
            if flows {
                *state = WriterState::Flowing;
            }
            flows
        });
    }
}

fn events_in(told: &Told) -> usize {
    match told {
        Told::Batch(batch) => batch.events.len(),
        Told::Keep(_) | Told::Reply { .. } => 0,
    }
}
