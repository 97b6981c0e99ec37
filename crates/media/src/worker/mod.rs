//! A media worker: it owns sessions, carries out orders, and turns each packet that comes into the one that goes.
//!
//! Whoever drives it gives it packets, orders and the time, takes outputs until there are none, and sleeps until
//! [`Worker::poll_timeout`]. A relayed packet is rewritten where it lies and given back at once; on its way nothing is
//! allocated, looked up by name or locked: the address leads to a session's slot, the session to its partner's.

mod hearing;
mod orders;
mod passing;
mod recordings;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::clock::{Clock, MILLISECOND, Ticks};
use crate::rtcp::LONGEST;
use crate::session::{Session, Trace};
use crate::{AddressId, Order, Output, Packet, Report, SessionId, control, rtp};
use recordings::Recordings;

/// The least size of the buffers that packets are lent in. What is longer is not sound.
pub const PACKET: usize = 2048;

/// How a worker begins.
#[derive(Clone, Copy, Debug)]
pub struct WorkerConfig {
    /// Random: SSRCs, sequence numbers, timestamps and RTCP's times come from it.
    pub seed: [u8; 32],
    /// Now.
    pub started: Instant,
    /// Now, since 1970; what RTCP tells as the time.
    pub wall: Duration,
    /// More are refused.
    pub max_sessions: usize,
    /// More are refused.
    pub max_recordings: usize,
}

/// What a worker holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Open sessions.
    pub sessions: usize,
    /// Of these, those that are played to.
    pub playing: usize,
    /// Recordings under way.
    pub recordings: usize,
    /// Packets that were not taken: to an address without a session, from a stranger, broken, or held.
    pub refused: u64,
}

/// The machine of one media worker.
pub struct Worker {
    clock: Clock,
    random: ChaCha12Rng,
    max_sessions: usize,
    /// The latest time that was handed in.
    now: Ticks,
    sessions: Vec<Option<Session>>,
    free: Vec<u32>,
    by_id: BTreeMap<SessionId, u32>,
    serials: u32,
    addresses: Vec<Address>,
    /// Sessions that are played to.
    playing: usize,
    /// When the next packet of our own is due for whom: time, slot, serial. Others than a session's next are forgotten.
    paces: BinaryHeap<Reverse<(Ticks, u32, u32)>>,
    recordings: Recordings,
    /// When which session tells its party by RTCP: time, slot, serial. One entry a session; of ended ones until due.
    tellers: BinaryHeap<Reverse<(Ticks, u32, u32)>>,
    /// When to look whether which session is silent: time, slot, serial.
    watches: BinaryHeap<Reverse<(Ticks, u32, u32)>>,
    outputs: VecDeque<Output>,
    /// The last RTCP of ended sessions, to be sent before their addresses are freed.
    farewells: VecDeque<(Packet, [u8; LONGEST])>,
    refused: u64,
}

/// Who has an address.
#[derive(Clone, Copy, Default)]
struct Address {
    slot: Option<u32>,
    /// Where the last owner spoke from, and until when that is not taken for the next owner's.
    last: Option<(Trace, Ticks)>,
}

impl Address {
    fn is_free(&self) -> bool {
        self.slot.is_none()
    }
}

/// A sound that stood still for longer goes on from now.
const CATCH_UP: Ticks = 100 * MILLISECOND;

impl Worker {
    /// A worker without sessions.
    pub fn new(config: &WorkerConfig) -> Self {
        Self {
            clock: Clock::new(config.started, config.wall),
            random: ChaCha12Rng::from_seed(config.seed),
            max_sessions: config.max_sessions,
            now: 0,
            sessions: Vec::new(),
            free: Vec::new(),
            by_id: BTreeMap::new(),
            serials: 0,
            addresses: Vec::new(),
            playing: 0,
            paces: BinaryHeap::new(),
            recordings: Recordings::new(config.max_recordings),
            tellers: BinaryHeap::new(),
            watches: BinaryHeap::new(),
            outputs: VecDeque::new(),
            farewells: VecDeque::new(),
            refused: 0,
        }
    }

    /// Takes a packet that came to an RTP port: the first `length` bytes of a buffer of [`PACKET`]. Gives the one to send
    /// for it, made in the same buffer, where it may have become longer.
    pub fn handle_sound(
        &mut self,
        now: Instant,
        address: AddressId,
        from: SocketAddr,
        length: usize,
        buffer: &mut [u8],
    ) -> Option<Packet> {
        let at = self.advance(now);
        let packet = buffer.get_mut(..length)?;
        let slot = self.owner(at, address, from, packet)?;
        let session = self.sessions[slot as usize].as_mut()?;
        if rtp::is_control(packet) {
            session.hear_control(at, &self.clock, from, packet);
            return None;
        }
        let Some(heard) = session.hear(at, from, packet) else {
            self.refused += 1;
            return None;
        };
        if heard.first {
            self.outputs.push_back(Output::Report(Report::FirstPacket { session: session.id }));
        }
        self.pass(at, slot, heard, buffer)
    }

    /// Takes a packet that came to an RTCP port.
    pub fn handle_control(&mut self, now: Instant, address: AddressId, from: SocketAddr, packet: &mut [u8]) {
        let at = self.advance(now);
        let Some(slot) = self.owner(at, address, from, packet) else { return };
        if let Some(session) = &mut self.sessions[slot as usize] {
            session.hear_control(at, &self.clock, from, packet);
        }
    }

    /// Carries out an order.
    pub fn handle_order(&mut self, now: Instant, order: Order) {
        let at = self.advance(now);
        self.carry_out(at, order);
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        let at = self.advance(now);
        self.recordings.handle_timeout(at, &mut self.outputs);
        self.look_for_silence(at);
    }

    /// The writer of recordings is done with a buffer.
    pub fn give_back(&mut self, buffer: Vec<u8>) {
        self.recordings.give_back(buffer);
    }

    /// Ends all recordings, so that their files become whole before the program ends.
    pub fn stop_recordings(&mut self, now: Instant) {
        let at = self.advance(now);
        let keys: Vec<_> = self.recordings.keys().collect();
        for key in keys {
            self.stop_recording(at, key);
        }
    }

    /// The next output; a packet's bytes are written into `buffer`, of at least [`PACKET`] bytes.
    pub fn poll_output(&mut self, buffer: &mut [u8]) -> Option<Output> {
        if let Some((packet, bytes)) = self.farewells.pop_front() {
            buffer[..LONGEST].copy_from_slice(&bytes);
            return Some(Output::Packet(packet));
        }
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        // Making packets may have something to report.
        self.poll_packet(buffer).map(Output::Packet).or_else(|| self.outputs.pop_front())
    }

    /// When time has to pass next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let teller = self.tellers.peek().map(|Reverse((at, ..))| *at);
        let watch = self.watches.peek().map(|Reverse((at, ..))| *at);
        let pace = self.paces.peek().map(|Reverse((at, ..))| *at);
        let next = [pace, self.recordings.poll_timeout(), teller, watch].into_iter().flatten().min()?;
        Some(self.clock.instant(next))
    }

    /// What it holds.
    pub fn load(&self) -> Load {
        Load {
            sessions: self.by_id.len(),
            playing: self.playing,
            recordings: self.recordings.len(),
            refused: self.refused,
        }
    }

    /// Sees to it that a session's silence is looked at in time.
    fn watch(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        if let Some(at) = session.watch() {
            self.watches.push(Reverse((at, slot, session.serial)));
        }
        if self.watches.len() > 4 * self.by_id.len() + 1024 {
            // Most are of sessions that have ended long before their silence would have been looked at.
            let sessions = &self.sessions;
            let is_there = |slot: u32, serial| sessions[slot as usize].as_ref().is_some_and(|it| it.serial == serial);
            self.watches.retain(|Reverse((_, slot, serial))| is_there(*slot, *serial));
        }
    }

    fn look_for_silence(&mut self, at: Ticks) {
        while let Some(&Reverse((due, slot, serial))) = self.watches.peek()
            && due <= at
        {
            self.watches.pop();
            let session = self.sessions[slot as usize].as_mut().filter(|session| session.serial == serial);
            let Some(session) = session else { continue };
            if session.is_silent(at) {
                self.outputs.push_back(Output::Report(Report::Silent { session: session.id }));
            }
            self.watch(slot);
        }
    }

    fn advance(&mut self, now: Instant) -> Ticks {
        self.now = self.now.max(self.clock.ticks(now));
        self.now
    }

    /// The slot of the session that a packet is for.
    fn owner(&mut self, at: Ticks, address: AddressId, from: SocketAddr, packet: &[u8]) -> Option<u32> {
        let owner = self.addresses.get(address.0 as usize).and_then(|entry| {
            let slot = entry.slot?;
            let Some((last, _)) = entry.last.as_ref().filter(|(_, until)| at < *until) else { return Some(slot) };
            let session = self.sessions[slot as usize].as_ref()?;
            if session.is_secured() {
                // What was meant for another does not authenticate.
                return Some(slot);
            }
            (!last.sources.contains(&Some(from)) || session.is_not(last, from, rtp::ssrc(packet))).then_some(slot)
        });
        self.refused += u64::from(owner.is_none());
        owner
    }

    /// The next packet of our own that is due.
    fn poll_packet(&mut self, buffer: &mut [u8]) -> Option<Packet> {
        if let Some(packet) = self.make_packet(buffer) {
            return Some(packet);
        }
        while let Some(&Reverse((due, slot, serial))) = self.tellers.peek()
            && due <= self.now
        {
            self.tellers.pop();
            let session = self.sessions[slot as usize].as_mut().filter(|session| session.serial == serial);
            let Some(session) = session else { continue };
            self.tellers.push(Reverse((control::next(self.now, self.random.next_u32()), slot, serial)));
            let Some(head) = buffer.first_chunk_mut() else { continue };
            if let Some(packet) = session.tell(self.now, &self.clock, false, head) {
                return Some(packet);
            }
        }
        None
    }
}
