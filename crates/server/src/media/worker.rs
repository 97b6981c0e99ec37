//! One media worker: a thread that carries packets between its sockets and its machine.
//!
//! It never waits for anybody: reports are handed over, recorded sound goes to the writer as far as there is room, and
//! what a socket does not take is lost.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use ::media::{
    AddressId, Channel, Load, Order, Output, PACKET, Packet, RecordingStep, Report, SoundAddress, Trouble, Worker,
    WorkerId, music,
};
use api::Metrics;

use super::poller::{Bell, Poller};
use super::priority::{self, Priority};
use super::recorder::Step;
use super::sockets::{Stock, of_token};

/// The poller's token for the bell; no socket has it.
pub const BELL: u64 = u64::MAX;

/// Orders carried out between two looks at the sockets.
const ORDERS: usize = 256;

/// How soon the writer of recordings is tried again when it had no room.
const RETRY: Duration = Duration::from_millis(20);

/// What a worker's thread owns.
pub struct Desk<R> {
    pub id: WorkerId,
    pub machine: Worker,
    pub stock: Stock,
    pub poller: Poller,
    pub post: Arc<Post>,
    pub orders: Receiver<Order>,
    pub recorder: SyncSender<Step>,
    /// Recorded sound that the writer had no room for. Bounded by the machine's buffers.
    pub backlog: VecDeque<Step>,
    /// Buffers that come back from the writer.
    pub buffers: Receiver<Vec<u8>>,
    pub reports: R,
    pub metrics: Arc<Metrics>,
    pub figures: Figures,
    pub packet: Box<[u8; PACKET]>,
}

/// What others reach a worker by.
pub struct Post {
    pub bell: Bell,
    /// Orders that wait.
    pub waiting: AtomicUsize,
    pub stop: AtomicBool,
}

/// What the worker last told the metrics, and what it has yet to tell.
#[derive(Default)]
pub struct Figures {
    told: Load,
    told_addresses: usize,
    received: u64,
    sent: u64,
}

impl<R: Fn(WorkerId, Report)> Desk<R> {
    /// Runs until it is told to stop. `ready` are the addresses that have been made ready.
    pub fn run(mut self, ready: Vec<SoundAddress>) {
        match priority::ask() {
            Priority::Usual => tracing::warn!(worker = self.id.0, "sound gets no priority from the system"),
            granted => tracing::debug!(worker = self.id.0, ?granted, "priority of sound"),
        }
        music::prepare();
        self.report(Report::Addresses(ready));
        while !self.post.stop.load(Ordering::SeqCst) {
            let timeout = self.timeout(Instant::now());
            let told = match self.poller.wait(timeout) {
                Ok(told) => told,
                Err(error) => {
                    tracing::error!(%error, worker = self.id.0, "a media worker cannot wait for its sockets and ends");
                    break;
                }
            };
            let now = Instant::now();
            for index in 0..told {
                match self.poller.token(index) {
                    BELL => self.take_orders(now),
                    token => {
                        let (address, channel) = of_token(token);
                        self.receive(now, address, channel);
                    }
                }
            }
            self.step(now);
        }
        self.machine.stop_recordings(Instant::now());
        self.carry_out(Instant::now());
        for step in self.backlog.drain(..) {
            // Nobody is heard any more, so there is time to wait.
            let _ = self.recorder.send(step);
        }
    }

    /// What has to be done after every wait.
    fn step(&mut self, now: Instant) {
        while let Ok(buffer) = self.buffers.try_recv() {
            self.machine.give_back(buffer);
        }
        if self.machine.poll_timeout().is_some_and(|at| at <= now) {
            self.machine.handle_timeout(now);
        }
        self.carry_out(now);
        self.send_backlog();
        let fresh = self.stock.refill(now, &self.poller);
        if !fresh.is_empty() {
            self.report(Report::Addresses(fresh));
        }
        self.count();
    }

    fn take_orders(&mut self, now: Instant) {
        self.post.bell.hear();
        for _ in 0..ORDERS {
            let Ok(order) = self.orders.try_recv() else { return };
            self.post.waiting.fetch_sub(1, Ordering::Relaxed);
            if let Order::Open { session, address, .. } = order
                && !self.stock.open(address)
            {
                self.report(Report::Failed { session, why: Trouble::AddressNotFree });
                continue;
            }
            self.machine.handle_order(now, order);
            self.carry_out(now);
        }
        self.post.bell.ring();
    }

    fn receive(&mut self, now: Instant, address: AddressId, channel: Channel) {
        let Some(socket) = self.stock.socket(address, channel) else { return };
        let (length, from) = match socket.recv_from(&mut *self.packet) {
            Ok(received) => received,
            Err(error) => {
                let passes = [ErrorKind::WouldBlock, ErrorKind::Interrupted, ErrorKind::ConnectionRefused];
                if !passes.contains(&error.kind()) {
                    tracing::error!(%error, "a socket for sound is broken and is left alone");
                    let _ = self.poller.remove(socket);
                }
                return;
            }
        };
        if length == PACKET {
            return;
        }
        // On a socket for both families, peers of IPv4 have mapped addresses (RFC 4291, 2.5.5.2).
        let from = match from.ip().to_canonical() {
            IpAddr::V4(ip) => SocketAddr::new(ip.into(), from.port()),
            // A link-local address is nothing without its scope.
            IpAddr::V6(_) => from,
        };
        match channel {
            Channel::Sound => {
                self.figures.received += 1;
                let sent = self.machine.handle_sound(now, address, from, length, &mut *self.packet);
                if let Some(Packet { address, channel, to, bytes }) = sent {
                    self.send(address, channel, to, bytes);
                }
            }
            Channel::Control => self.machine.handle_control(now, address, from, &mut self.packet[..length]),
        }
    }

    fn send(&mut self, address: AddressId, channel: Channel, to: SocketAddr, bytes: Range<usize>) {
        let Some(socket) = self.stock.socket(address, channel) else { return };
        let to = self.stock.as_family_of(address, to);
        match socket.send_to(&self.packet[bytes], to) {
            Ok(_) => self.figures.sent += u64::from(channel == Channel::Sound),
            Err(error) => tracing::trace!(%error, %to, "a packet was not sent"),
        }
    }

    fn carry_out(&mut self, now: Instant) {
        while let Some(output) = self.machine.poll_output(&mut *self.packet) {
            match output {
                Output::Packet(Packet { address, channel, to, bytes }) => self.send(address, channel, to, bytes),
                Output::Report(report) => self.report(report),
                Output::Freed(address) => self.stock.rest(now, address),
                Output::Recording(step) => {
                    if let RecordingStep::End { gap, .. } = &step {
                        self.metrics.recording_gap_milliseconds.inc_by(gap.as_millis() as u64);
                    }
                    self.backlog.push_back(Step { worker: self.id, step });
                }
            }
        }
    }

    fn send_backlog(&mut self) {
        while let Some(step) = self.backlog.pop_front() {
            match self.recorder.try_send(step) {
                Ok(()) => {}
                Err(TrySendError::Full(step)) => return self.backlog.push_front(step),
                Err(TrySendError::Disconnected(Step { step, .. })) => {
                    let (RecordingStep::Begin { recording, .. }
                    | RecordingStep::Sound { recording, .. }
                    | RecordingStep::End { recording, .. }) = step;
                    if matches!(step, RecordingStep::Begin { .. }) {
                        let why = Trouble::File("the writer of recordings has ended".into());
                        self.report(Report::RecordingFailed { recording, why });
                    }
                }
            }
        }
    }

    fn report(&self, report: Report) {
        (self.reports)(self.id, report);
    }

    fn count(&mut self) {
        let Figures { told, told_addresses, received, sent } = &mut self.figures;
        let (load, addresses) = (self.machine.load(), self.stock.told());
        let change = |now: usize, before: usize| now as i64 - before as i64;
        if load != *told || addresses != *told_addresses {
            self.metrics.sound_sessions.inc_by(change(load.sessions, told.sessions));
            self.metrics.recordings_live.inc_by(change(load.recordings, told.recordings));
            self.metrics.rtp_refused.inc_by(load.refused - told.refused);
            self.metrics.sound_addresses_free.inc_by(change(addresses, *told_addresses));
            (*told, *told_addresses) = (load, addresses);
        }
        self.metrics.rtp_received.inc_by(std::mem::take(received));
        self.metrics.rtp_sent.inc_by(std::mem::take(sent));
    }

    fn timeout(&self, now: Instant) -> Option<Duration> {
        let machine = self.machine.poll_timeout().map(|at| at.saturating_duration_since(now));
        let backlog = (!self.backlog.is_empty()).then_some(RETRY);
        [machine, backlog, self.stock.wait(now)].into_iter().flatten().min()
    }
}
