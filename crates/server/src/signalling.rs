//! The engine thread: waits for packets, errands and timers, gives them to the door and the engine one at a time, and
//! carries out what comes back. Never blocks but to sleep, and never sleeps past the engine's next timer.
//!
//! ```text
//! UDP, streams ─► door (admit) ─► lanes ─► door (read) ─► engine ─► Wire: UDP, streams, media workers, questions
//! inbox ─────────────────────────────────────────────────► engine ─► Told: the store's writer
//! ```

mod lanes;
mod udp;

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::Metrics;
use bytes::Bytes;
use engine::door::{Door, Knock, Urgency};
use engine::{Engine, Input, Now, Output, Wire};
use mio::{Events, Poll, Token, Waker};
use model::{Problem, Reply, Told};
use sip::{Flow, Transport};
use store::Writer;

use crate::inbox::{Errand, Inbox, StreamNews, Waiting};
use crate::media::MediaHandle;
use crate::panics;
use crate::resolve::Questions;
use crate::streams::Streams;
use lanes::Lanes;
use udp::Udp;

/// Things of one kind that are done before the next kind has its turn.
const TURN: usize = 64;
/// Datagrams that are taken in before the most urgent of them are read. In a flood most find no room, and what is left in
/// the socket is lost, however urgent it is.
const RECEIVED: usize = 1_024;
/// How long figures may be behind.
const FIGURES_EVERY: Duration = Duration::from_millis(250);

const WAKER: Token = Token(usize::MAX);

/// What the thread sleeps on, made first, because the inbox that wakes it is wanted by everything else.
pub struct Bed {
    poll: Poll,
    waiting: Waiting,
}

/// Everything that the engine thread owns.
pub struct Parts {
    /// The engine.
    pub engine: Engine,
    /// What stands before it.
    pub door: Door,
    /// SIP over UDP, one socket an interface, in their order.
    pub udp: Vec<std::net::UdpSocket>,
    /// SIP over TCP.
    pub streams: Streams,
    /// Whither orders about sound go.
    pub media: MediaHandle,
    /// Whither everything told goes.
    pub writer: Writer,
    /// Who answers what the engine asks.
    pub questions: Questions,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// The engine with everything it speaks through.
pub struct Signalling {
    poll: Poll,
    waiting: Waiting,
    engine: Engine,
    door: Door,
    udp: Udp,
    lanes: Lanes,
    streams: Streams,
    media: MediaHandle,
    writer: Writer,
    questions: Questions,
    metrics: Arc<Metrics>,
    /// Whether packets are taken: not before settings and live facts are known.
    open: bool,
    /// Inputs that carrying out an output has brought about, taken before anything else.
    echoes: VecDeque<Input>,
    /// When figures were last set, if something has happened since.
    figures_due: Option<Instant>,
}

impl Bed {
    /// A bed and the inbox that wakes whoever sleeps in it.
    pub fn new() -> io::Result<(Self, Inbox)> {
        let poll = Poll::new()?;
        let (inbox, waiting) = Inbox::new(Waker::new(poll.registry(), WAKER)?);
        Ok((Self { poll, waiting }, inbox))
    }
}

impl Signalling {
    /// Puts the parts together. Nothing runs until [`Signalling::spawn`].
    pub fn new(bed: Bed, parts: Parts) -> io::Result<Self> {
        let Bed { poll, waiting } = bed;
        let Parts { engine, door, udp, streams, media, writer, questions, metrics } = parts;
        let udp = Udp::new(udp, poll.registry())?;
        Ok(Self {
            poll,
            waiting,
            engine,
            door,
            udp,
            lanes: Lanes::default(),
            streams,
            media,
            writer,
            questions,
            metrics,
            open: false,
            echoes: VecDeque::new(),
            figures_due: None,
        })
    }

    /// Runs on a thread of its own until it is told to stop; with the priority of all others, because calls that are taken
    /// faster than their records can be written have to be refused in the end. A panic there ends the process: half an engine is worse
    /// than none, and the next start ends what was open.
    pub fn spawn(self) -> io::Result<std::thread::JoinHandle<()>> {
        std::thread::Builder::new().name("signalling".into()).spawn(move || {
            let run = AssertUnwindSafe(|| self.run());
            if catch_unwind(run).is_err() {
                eprintln!(
                    "tongdai: the engine thread failed: the process ends, and its next start ends the open calls"
                );
                std::process::exit(panics::STATUS);
            }
        })
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(64);
        loop {
            self.sleep(&mut events);
            self.look_at_timers();
            self.receive();
            if !self.take_in() {
                return;
            }
            self.set_figures();
        }
    }

    fn look_at_timers(&mut self) {
        let now = now();
        if self.engine.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.engine.handle_timeout(now);
            self.carry_out();
            // What timers let go of is shown too.
            self.figures_due.get_or_insert_with(|| now.mono + FIGURES_EVERY);
        }
    }

    fn sleep(&mut self, events: &mut Events) {
        let busy = (self.open && self.udp.is_readable()) || !self.lanes.is_empty() || !self.waiting.lie_down();
        let due = match (self.engine.poll_timeout(), self.figures_due) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let timeout =
            if busy { Some(Duration::ZERO) } else { due.map(|at| at.saturating_duration_since(Instant::now())) };
        if let Err(error) = self.poll.poll(events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            panic!("waiting for packets: {error}");
        }
        self.waiting.stand_up();
        for event in events.iter().filter(|event| event.token() != WAKER) {
            self.udp.has_more(event.token());
        }
    }

    /// Datagrams: more are taken in than served in a turn, so that urgent ones need not wait behind the others.
    fn receive(&mut self) {
        if !self.open {
            return;
        }
        for _ in 0..RECEIVED {
            let Some((flow, packet)) = self.udp.receive() else { break };
            self.admit(flow, packet);
        }
        for _ in 0..TURN {
            let Some((flow, packet)) = self.lanes.pop() else { break };
            // A phone that has closed its connection since cannot be reached by it: it would be signed in for nothing.
            if flow.transport == Transport::Udp || self.streams.is_open(flow) {
                self.read(flow, packet);
            }
        }
    }

    /// What may come in waits in its lane; what finds its lane full is told to come back.
    fn admit(&mut self, flow: Flow, packet: Bytes) {
        self.metrics.sip_received.inc();
        let Some(urgency) = self.door.admit(Instant::now(), flow, &packet) else {
            self.metrics.sip_dropped.inc();
            return;
        };
        // On a connection what comes before its end is not to be read behind it.
        if urgency == Urgency::Begun && flow.transport != Transport::Udp {
            return self.read(flow, packet);
        }
        if let Err(packet) = self.lanes.push(urgency, flow, packet) {
            match self.door.put_off(flow, packet) {
                Some(bytes) => self.send(flow, bytes),
                None => drop(self.metrics.sip_dropped.inc()),
            }
        }
    }

    /// Everything in the inbox, a turn of each kind; false if the thread is to end.
    fn take_in(&mut self) -> bool {
        for _ in 0..TURN {
            let Ok((worker, report)) = self.waiting.reports.try_recv() else { break };
            self.give(Input::Media { worker, report });
        }
        // Most of them only find their lane.
        for _ in 0..4 * TURN {
            match self.waiting.streams.try_recv() {
                Ok(StreamNews::Opened { flow, queue }) => self.streams.opened(flow, queue),
                Ok(StreamNews::Message { flow, bytes }) => self.admit(flow, bytes),
                Ok(StreamNews::Lost { flow, ours }) => self.lose(flow, ours),
                Err(_) => break,
            }
        }
        for _ in 0..TURN {
            let Ok(errand) = self.waiting.errands.try_recv() else { break };
            if !self.run_errand(errand) {
                return false;
            }
        }
        true
    }

    /// Does one errand; false if it was the last.
    fn run_errand(&mut self, errand: Errand) -> bool {
        match errand {
            Errand::Input(input) => {
                if let Input::Kept(kept) = &*input {
                    self.door.take_back(now(), kept);
                }
                self.give(*input);
            }
            Errand::LiftBan { ticket, source } => {
                let reply = match self.door.lift_ban(Instant::now(), source) {
                    true => Ok(Reply::BanLifted { source }),
                    false => Err(Problem::NoSuchBan { of: source }),
                };
                self.keep_bans();
                self.writer.push(Told::Reply { ticket, reply });
                self.figures_due.get_or_insert_with(|| Instant::now() + FIGURES_EVERY);
            }
            Errand::Directory(directory) => self.door.set_directory(directory),
            Errand::Open => self.open = true,
            // Whoever asked may have gone.
            Errand::Load(answer) => drop(answer.send(self.engine.load())),
            Errand::Stop => {
                while let Ok((worker, report)) = self.waiting.reports.try_recv() {
                    self.give(Input::Media { worker, report });
                }
                return false;
            }
        }
        true
    }

    fn read(&mut self, flow: Flow, packet: Bytes) {
        match self.door.read(flow, packet) {
            Knock::Pass(whose, message) => self.give(Input::Message { flow, whose, message }),
            Knock::Answer(bytes) => {
                self.metrics.sip_answered_at_door.inc();
                self.send(flow, bytes);
            }
            Knock::Drop => {
                self.metrics.sip_dropped.inc();
            }
        }
    }

    fn keep_bans(&mut self) {
        while let Some(kept) = self.door.poll_kept() {
            self.writer.push(Told::Keep(kept));
        }
    }

    fn lose(&mut self, flow: Flow, ours: bool) {
        self.streams.close(flow);
        self.give(Input::FlowLost(flow));
        if ours {
            self.give(Input::FlowLost(flow.unconnected()));
        }
    }

    fn give(&mut self, input: Input) {
        self.engine.handle_input(now(), input);
        self.carry_out();
        while let Some(echo) = self.echoes.pop_front() {
            self.engine.handle_input(now(), echo);
            self.carry_out();
        }
        self.figures_due.get_or_insert_with(|| Instant::now() + FIGURES_EVERY);
    }

    fn carry_out(&mut self) {
        let mut orders = false;
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Told(told) => self.writer.push(told),
                Output::Wire(Wire::Send { flow, bytes }) => self.send(flow, bytes),
                Output::Wire(Wire::Close(flow)) => self.streams.close(flow),
                Output::Wire(Wire::Media { worker, order }) => {
                    orders = true;
                    if let Some(report) = self.media.queue(worker, order) {
                        self.echoes.push_back(Input::Media { worker, report });
                    }
                }
                Output::Wire(Wire::SignIn(sign_in)) => {
                    self.door.note_sign_in(now(), sign_in);
                    self.keep_bans();
                }
                Output::Wire(Wire::Ask { ticket, tenant, question }) => {
                    if let Some(answer) = self.questions.ask(ticket, tenant, question) {
                        self.echoes.push_back(Input::Answer { ticket, answer });
                    }
                }
            }
        }
        if orders {
            self.media.ring();
        }
    }

    fn send(&mut self, flow: Flow, bytes: Bytes) {
        let sent = match flow.transport {
            Transport::Udp => self.udp.send(flow, &bytes),
            _ => self.streams.send(flow, bytes).map_err(|error| {
                tracing::debug!(%flow, %error, "not sent");
                if flow.connection == 0 {
                    self.echoes.push_back(Input::FlowLost(flow));
                }
            }),
        };
        match sent {
            Ok(()) => self.metrics.sip_sent.inc(),
            Err(()) => self.metrics.sip_unsent.inc(),
        };
    }

    fn set_figures(&mut self) {
        if self.figures_due.take_if(|due| *due <= Instant::now()).is_none() {
            return;
        }
        let load = self.engine.load();
        let fresh = self.engine.started() - self.metrics.calls_started.get();
        self.metrics.calls_started.inc_by(fresh);
        let as_gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.calls_live.set(as_gauge(load.calls));
        self.metrics.legs_live.set(as_gauge(load.legs));
        self.metrics.registrations.set(as_gauge(load.registrations));
        self.metrics.sip_transactions.set(as_gauge(load.transactions));
        self.metrics.sip_dialogs.set(as_gauge(load.dialogs));
        self.metrics.sip_connections.set(as_gauge(self.streams.len()));
        let counts = self.door.counts();
        let metrics = &self.metrics;
        for (counter, count) in [
            (&metrics.sip_over_rate, counts.limited),
            (&metrics.sip_from_banned, counts.banned),
            (&metrics.sip_put_off, counts.put_off),
            (&metrics.sip_wrong_sign_ins, counts.wrong_sign_ins),
            (&metrics.bans_made, counts.bans_made),
        ] {
            counter.inc_by(count - counter.get());
        }
        self.metrics.bans_live.set(as_gauge(self.door.banned(Instant::now())));
        self.metrics.engine_queue.set(as_gauge(self.waiting.len() + self.lanes.len()));
        self.metrics.writer_queue.set(as_gauge(self.writer.waiting()));
    }
}

fn now() -> Now {
    Now { mono: Instant::now(), wall: model::Timestamp::now() }
}
