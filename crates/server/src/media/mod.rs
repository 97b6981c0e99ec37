//! Threads that carry sound: each with its own sockets and its own [`::media::Worker`], and the writer of recordings.
//!
//! Signalling gives orders and gets reports; neither side ever waits for the other. The rules of sound are the crate
//! `media`'s; here are sockets, time, threads and files.
//!
//!   signalling ──orders, bell──► worker ──buffers──► writer ──whole files──► sealer
//!        ▲                        │  ▲                │                        │
//!        │                        │  └─empty buffers──┤                        │
//!        └────────reports─────────┴───────────────────┴────────────────────────┘

mod poller;
mod priority;
mod recorder;
mod room;
mod sockets;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ::media::{Order, PACKET, Report, SoundAddress, Trouble, Worker, WorkerConfig, WorkerId};
use api::Metrics;

use poller::{Bell, Poller};
use room::Room;
use sockets::Stock;
use worker::{BELL, Desk, Figures, Post};

/// Sessions a worker may have; ports end sooner.
const MAX_SESSIONS: usize = 1 << 16;

/// Recordings a worker may write at a time.
const MAX_RECORDINGS: usize = 4096;

/// Orders that may wait with a worker. One that cannot wait is refused.
const MAX_ORDERS: usize = 1 << 16;

/// Where sound comes and goes, and where it is kept.
pub struct MediaConfig {
    /// Addresses of this machine; their index is [`::media::SoundAddress::interface`].
    pub addresses: Vec<IpAddr>,
    /// Ports to take on each of them.
    pub ports: RangeInclusive<u16>,
    /// The folder of recordings.
    pub recordings: PathBuf,
    /// Megabytes that should be free there; 0: nobody looks.
    pub min_free_mb: u32,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// How many threads and sockets are made ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Workers; at least one.
    pub workers: usize,
    /// Pairs of ports that each worker keeps ready on each address.
    pub stock: usize,
}

impl Default for Size {
    /// A worker for two processors, with as many pairs as signalling may use up before it reads its reports.
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self { workers: (processors / 2).max(1), stock: 512 }
    }
}

/// Why sound cannot be carried.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// All ports are taken, or the address is not this machine's.
    #[error("no pair of ports for sound is free on {ip} between {first} and {last}")]
    NoPorts {
        /// Where.
        ip: IpAddr,
        /// The first of the ports.
        first: u16,
        /// The last.
        last: u16,
    },
    /// The system refuses what it needs.
    #[error("starting the media workers")]
    System(#[from] io::Error),
}

/// The workers, for whoever gives orders. Clones give orders to the same workers.
#[derive(Clone)]
pub struct MediaHandle {
    workers: Arc<Workers>,
}

struct Workers {
    counters: Vec<Counter>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Where one worker's orders are handed in.
struct Counter {
    orders: Sender<Order>,
    post: Arc<Post>,
}

/// Starts as many workers as suit the machine. `reports` is called by their threads and must not wait.
pub fn start<R>(config: MediaConfig, reports: R) -> Result<MediaHandle, StartError>
where
    R: Fn(WorkerId, Report) + Clone + Send + 'static,
{
    start_sized(config, Size::default(), reports)
}

/// Starts so many workers.
pub fn start_sized<R>(config: MediaConfig, size: Size, reports: R) -> Result<MediaHandle, StartError>
where
    R: Fn(WorkerId, Report) + Clone + Send + 'static,
{
    let (give_back, buffers): (Vec<_>, Vec<_>) = (0..size.workers).map(|_| mpsc::channel()).unzip();
    let mut counters = Vec::new();
    let mut desks = Vec::new();
    let room = Room::of(&config.recordings, config.min_free_mb, config.metrics.clone());
    let recorder = recorder::start(config.recordings.clone(), room, give_back, reports.clone())?;
    for (buffers, number) in buffers.into_iter().zip(0..) {
        let id = WorkerId(number);
        let poller = Poller::new()?;
        let post = Arc::new(Post { bell: Bell::new()?, waiting: AtomicUsize::new(0), stop: AtomicBool::new(false) });
        poller.add(&post.bell, BELL)?;
        let mut stock = Stock::new(id, size.workers, size.stock, &config.addresses, &config.ports);
        let ready = first_addresses(&mut stock, &poller, &config)?;
        let (orders, receiver) = mpsc::channel();
        counters.push(Counter { orders, post: post.clone() });
        let desk = Desk {
            id,
            machine: Worker::new(&worker_config()?),
            stock,
            poller,
            post,
            orders: receiver,
            recorder: recorder.steps.clone(),
            backlog: VecDeque::new(),
            buffers,
            reports: reports.clone(),
            metrics: config.metrics.clone(),
            figures: Figures::default(),
            packet: Box::new([0; PACKET]),
        };
        desks.push((desk, ready));
    }
    // The writer ends when the last worker has, the sealer when the writer has.
    let threads = Mutex::new(vec![recorder.writer, recorder.sealer]);
    let workers = Workers { counters, threads };
    for (desk, ready) in desks {
        let name = format!("media-{}", desk.id.0);
        let thread = thread::Builder::new().name(name).spawn(move || desk.run(ready))?;
        workers.threads().push(thread);
    }
    Ok(MediaHandle { workers: Arc::new(workers) })
}

/// The addresses that signalling begins with; none on one of the machine's addresses is a wrong setting.
fn first_addresses(stock: &mut Stock, poller: &Poller, config: &MediaConfig) -> Result<Vec<SoundAddress>, StartError> {
    let ready = stock.refill(Instant::now(), poller);
    for (ip, interface) in config.addresses.iter().zip(0..) {
        if !ready.iter().any(|address| address.interface == interface) {
            return Err(StartError::NoPorts { ip: *ip, first: *config.ports.start(), last: *config.ports.end() });
        }
    }
    Ok(ready)
}

impl MediaHandle {
    /// Gives an order and wakes its worker. What comes back, if anything, is the report of an order that cannot be
    /// carried out; it has not gone to the worker.
    #[must_use]
    pub fn order(&self, worker: WorkerId, order: Order) -> Option<Report> {
        let refused = self.queue(worker, order);
        if let Some(counter) = self.workers.counters.get(usize::from(worker.0)) {
            counter.post.bell.ring();
        }
        refused
    }

    /// Gives an order without waking its worker, for one who gives several and rings then.
    #[must_use]
    pub fn queue(&self, worker: WorkerId, order: Order) -> Option<Report> {
        let Some(counter) = self.workers.counters.get(usize::from(worker.0)) else { return Some(refusal(order)) };
        if counter.post.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_ORDERS {
            counter.post.waiting.fetch_sub(1, Ordering::Relaxed);
            return Some(refusal(order));
        }
        counter.orders.send(order).err().map(|unsent| refusal(unsent.0))
    }

    /// Wakes all workers that have orders.
    pub fn ring(&self) {
        for counter in &self.workers.counters {
            if counter.post.waiting.load(Ordering::Relaxed) > 0 {
                counter.post.bell.ring();
            }
        }
    }

    /// How many workers there are; they are numbered from 0.
    pub fn workers(&self) -> usize {
        self.workers.counters.len()
    }

    /// Stops the workers and returns when all recordings are whole and reported.
    pub async fn stop(&self) {
        self.workers.tell_to_stop();
        let threads = std::mem::take(&mut *self.workers.threads());
        let join = move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a media thread has ended by a panic");
                }
            }
        };
        // It cannot fail otherwise than by a panic of the above.
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

impl Workers {
    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_to_stop(&self) {
        for counter in &self.counters {
            counter.post.stop.store(true, Ordering::SeqCst);
            counter.post.bell.ring();
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.tell_to_stop();
    }
}

fn worker_config() -> io::Result<WorkerConfig> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(WorkerConfig {
        seed,
        started: Instant::now(),
        wall: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        max_sessions: MAX_SESSIONS,
        max_recordings: MAX_RECORDINGS,
    })
}

/// What is reported of an order that does not reach its worker.
fn refusal(order: Order) -> Report {
    match order {
        Order::Record { recording, .. }
        | Order::RecordSides { recording, .. }
        | Order::PauseRecording { recording, .. }
        | Order::StopRecording { recording } => Report::RecordingFailed { recording, why: Trouble::Full },
        Order::Open { session, .. }
        | Order::Change { session, .. }
        | Order::Close { session }
        | Order::Join { a: session, .. }
        | Order::Hear { session, .. }
        | Order::Part { session }
        | Order::Play { session, .. }
        | Order::Say { session, .. }
        | Order::Stop { session }
        | Order::Key { session, .. }
        | Order::Press { session, .. }
        | Order::Mute { session, .. } => Report::Failed { session, why: Trouble::Full },
    }
}
