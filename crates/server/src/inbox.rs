//! What waits for the engine thread, and how it is woken.
//!
//! One bounded queue a kind, so that a storm of one kind never holds up the others. Senders never block; who can wait
//! (a connection that reads) waits for room, everybody else is told that there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use engine::{EngineLoad, Input};
use media::{Report, WorkerId};
use mio::Waker;
use model::{Directory, Source, Ticket};
use sip::Flow;
use tokio::sync::{mpsc, oneshot};

/// Orders, answers and settings that may wait.
const ERRANDS: usize = 8_192;
/// Messages and ends of stream connections that may wait; their readers wait beyond that.
const STREAM_NEWS: usize = 1_024;
/// Reports of media workers that may wait. Workers cannot wait, so this is generous: a report is small.
const REPORTS: usize = 65_536;

/// Something for the engine thread to do.
#[derive(Debug)]
pub enum Errand {
    /// An input for the engine.
    Input(Box<Input>),
    /// Lets a banned source sign in again. Gets a reply.
    LiftBan {
        /// Names the reply.
        ticket: Ticket,
        /// Who.
        source: Source,
    },
    /// What the door is to know from here on.
    Directory(Arc<Directory>),
    /// Packets are taken from here on.
    Open,
    /// Asks what the engine holds at this moment.
    Load(oneshot::Sender<EngineLoad>),
    /// The thread ends, once it has heard what media workers have told.
    Stop,
}

/// What a stream connection tells.
#[derive(Debug)]
pub enum StreamNews {
    /// A peer has connected. What is sent to it goes into the queue.
    Opened {
        /// The connection.
        flow: Flow,
        /// Whole messages to be written.
        queue: mpsc::Sender<Bytes>,
    },
    /// A whole message came.
    Message {
        /// By which connection.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// It is closed, or could not be opened.
    Lost {
        /// The connection.
        flow: Flow,
        /// Whether we opened it: then messages asked for a connection to its peer without naming it.
        ours: bool,
    },
}

/// The queue is full or the engine thread is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// The senders' end. Clones share the queues.
#[derive(Clone)]
pub struct Inbox {
    errands: mpsc::Sender<Errand>,
    streams: mpsc::Sender<StreamNews>,
    reports: mpsc::Sender<(WorkerId, Report)>,
    bell: Arc<Bell>,
}

/// The engine thread's end.
pub struct Waiting {
    /// Orders, answers, settings.
    pub errands: mpsc::Receiver<Errand>,
    /// From stream connections.
    pub streams: mpsc::Receiver<StreamNews>,
    /// From media workers.
    pub reports: mpsc::Receiver<(WorkerId, Report)>,
    bell: Arc<Bell>,
}

struct Bell {
    waker: Waker,
    /// Whether the engine thread sleeps or is about to: only then is it woken, which costs a system call.
    asleep: AtomicBool,
}

impl Errand {
    /// An input for the engine.
    pub fn input(input: Input) -> Self {
        Self::Input(Box::new(input))
    }
}

impl Inbox {
    /// Both ends. `waker` wakes the thread that takes.
    pub fn new(waker: Waker) -> (Self, Waiting) {
        let (errands, taken_errands) = mpsc::channel(ERRANDS);
        let (streams, taken_streams) = mpsc::channel(STREAM_NEWS);
        let (reports, taken_reports) = mpsc::channel(REPORTS);
        let bell = Arc::new(Bell { waker, asleep: AtomicBool::new(false) });
        let waiting =
            Waiting { errands: taken_errands, streams: taken_streams, reports: taken_reports, bell: bell.clone() };
        (Self { errands, streams, reports, bell }, waiting)
    }

    /// Hands over an errand.
    pub fn errand(&self, errand: Errand) -> Result<(), Full> {
        self.errands.try_send(errand).map_err(|_| Full)?;
        self.bell.ring();
        Ok(())
    }

    /// Hands over an errand once there is room; false if the engine thread is gone.
    pub async fn errand_in_turn(&self, errand: Errand) -> bool {
        let sent = self.errands.send(errand).await.is_ok();
        self.bell.ring();
        sent
    }

    /// Hands over an input.
    pub fn input(&self, input: Input) -> Result<(), Full> {
        self.errand(Errand::input(input))
    }

    /// Hands over what a connection tells, once there is room; false if the engine thread is gone.
    pub async fn stream(&self, news: StreamNews) -> bool {
        let sent = self.streams.send(news).await.is_ok();
        self.bell.ring();
        sent
    }

    /// Whether there is an engine thread.
    pub fn is_heard(&self) -> bool {
        !self.streams.is_closed()
    }

    /// Hands over a worker's report.
    pub fn report(&self, worker: WorkerId, report: Report) -> Result<(), Full> {
        self.reports.try_send((worker, report)).map_err(|_| Full)?;
        self.bell.ring();
        Ok(())
    }
}

impl Waiting {
    /// Says that the thread is about to sleep; false if something has come meanwhile and it should not.
    pub fn lie_down(&self) -> bool {
        self.bell.asleep.store(true, Ordering::SeqCst);
        if self.is_empty() {
            return true;
        }
        self.stand_up();
        false
    }

    /// Says that the thread is awake.
    pub fn stand_up(&self) {
        self.bell.asleep.store(false, Ordering::SeqCst);
    }

    /// How many things wait.
    pub fn len(&self) -> usize {
        self.errands.len() + self.streams.len() + self.reports.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Bell {
    fn ring(&self) {
        if self.asleep.swap(false, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "waking the engine thread");
        }
    }
}

#[cfg(test)]
mod tests {
    use mio::{Events, Poll, Token};

    use super::*;

    #[test]
    fn who_sleeps_is_woken_once_and_who_is_awake_never() {
        let mut poll = Poll::new().expect("a poll");
        let (inbox, waiting) = Inbox::new(Waker::new(poll.registry(), Token(0)).expect("a waker"));
        let mut events = Events::with_capacity(8);
        let mut woken = || {
            poll.poll(&mut events, Some(std::time::Duration::ZERO)).expect("polled");
            !events.is_empty()
        };

        inbox.errand(Errand::Stop).expect("room");
        assert!(!woken(), "nobody slept");
        assert!(!waiting.lie_down(), "something waits");

        let mut waiting = waiting;
        waiting.errands.try_recv().expect("the errand");
        assert!(waiting.lie_down(), "nothing waits");
        inbox.errand(Errand::Stop).expect("room");
        assert!(woken(), "somebody slept");
    }

    #[test]
    fn a_full_queue_says_so_and_leaves_the_others_alone() {
        let poll = Poll::new().expect("a poll");
        let (inbox, waiting) = Inbox::new(Waker::new(poll.registry(), Token(0)).expect("a waker"));

        for _ in 0..ERRANDS {
            inbox.errand(Errand::Stop).expect("room");
        }

        assert_eq!(inbox.errand(Errand::Stop), Err(Full));
        let key = Report::Key { session: media::SessionId(1), key: '5' };
        assert_eq!(inbox.report(WorkerId(0), key), Ok(()));
        assert_eq!(waiting.len(), ERRANDS + 1);
    }
}
