//! Hooks: what happens to a tenant is told to its URLs, each message until it has arrived or ten attempts have failed.
//!
//! ```text
//! story ─► reader: bodies ─► store: cursor and deliveries, one transaction ─► sender of the hook ─► receiver
//!                                      ▲                                           │
//!                                      └──────────── attempt and outcome ──────────┘
//! ```
//!
//! `reader.rs` follows the story, `bodies.rs` says what a hook is told of an event, `sender.rs` sends for one hook,
//! `message.rs` is one request and its answer, `signature.rs` what proves it, `schedule.rs` when it is sent again,
//! `warnings.rs` the mail to owners. A process that dies between any two steps sends nothing under another name.

mod bodies;
mod message;
mod reader;
mod schedule;
mod sender;
mod signature;
mod warnings;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

use crate::{App, Pending};

/// Requests under way for all hooks.
const AT_ONCE: usize = 512;

/// How hooks behave.
#[derive(Clone, Debug)]
pub struct HookSettings {
    /// How long a receiver may take to answer.
    pub timeout: Duration,
    /// The pauses after each failed attempt but the last.
    pub pauses: Vec<Duration>,
    /// The owners are warned of a hook to which nothing has come through for so long.
    pub warn_after: Duration,
    /// How often it is looked whether there is somebody to warn.
    pub look_every: Duration,
    /// Deliveries that wait for one hook; it reads on when they are fewer.
    pub backlog: i64,
}

impl Default for HookSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            pauses: schedule::PAUSES.to_vec(),
            warn_after: Duration::from_secs(3_600),
            look_every: Duration::from_secs(60),
            backlog: 10_000,
        }
    }
}

/// A letter to people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// Whom it goes to.
    pub to: Vec<String>,
    /// What it is about, in one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Whoever sends mail.
pub trait Mailer: Send + Sync + 'static {
    /// Sends it, or says why not.
    fn send(&self, mail: Mail) -> Pending<'_, Result<(), String>>;
}

/// The tasks that tell hooks.
#[derive(Debug)]
pub struct Hooks {
    stop: watch::Sender<bool>,
    reader: JoinHandle<()>,
    warnings: JoinHandle<()>,
}

impl Hooks {
    /// Starts telling hooks; call it within a Tokio runtime. Without a mailer, warnings stand in the log and the API.
    pub fn start(app: App, mailer: Option<Arc<dyn Mailer>>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let shared = Arc::new(Shared { app, room: Arc::new(Semaphore::new(AT_ONCE)), fewer: Notify::new() });
        let reader = tokio::spawn(reader::run(shared.clone(), stopping.clone()));
        let warnings = tokio::spawn(warnings::run(shared, mailer, stopping));
        Self { stop, reader, warnings }
    }

    /// Begins no further request, and waits until those under way have ended, or so long. What has not arrived by then is
    /// sent at the next start.
    pub async fn stop(self, within: Duration) {
        self.stop.send_replace(true);
        self.warnings.abort();
        let abort = self.reader.abort_handle();
        if tokio::time::timeout(within, self.reader).await.is_err() {
            abort.abort();
        }
    }
}

/// What all tasks have.
struct Shared {
    app: App,
    /// Places for requests of all hooks.
    room: Arc<Semaphore>,
    /// Rings when a hook that had too much waiting has room to read on.
    fewer: Notify,
}

/// Deliveries of a hook that wait, nearly: counted now and then, and kept in between.
#[derive(Debug, Default)]
struct Backlog(AtomicI64);

impl Backlog {
    fn set(&self, waiting: i64) {
        self.0.store(waiting, Ordering::Relaxed);
    }

    /// Returns how many there were before.
    fn add(&self, more: i64) -> i64 {
        self.0.fetch_add(more, Ordering::Relaxed)
    }

    fn waiting(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
