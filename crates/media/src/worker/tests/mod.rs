//! A worker with parties that speak to it, in a time of our own.

mod ending;
mod hearing;
mod keys;
mod playing;
mod recording;
mod relaying;
mod saying;
mod securing;
mod silence;
mod strangers;
mod survival;
mod transcoding;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Worker, WorkerConfig};
use crate::fixture::{host, start, stream};
use crate::rtp::{self, Header};
use crate::{AddressId, Channel, Order, Output, PACKET, Packet, Report, SessionId, Stream};

/// A worker, and the time.
pub(super) struct Floor {
    pub worker: Worker,
    pub now: Instant,
    buffer: Vec<u8>,
}

/// A packet as a party gets it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Got {
    pub packet: Packet,
    pub header: Header,
    pub payload: Vec<u8>,
}

impl Floor {
    pub fn new() -> Self {
        let wall = Duration::from_secs(1_700_000_000);
        let config = WorkerConfig { seed: [7; 32], started: start(), wall, max_sessions: 20, max_recordings: 4 };
        Self { worker: Worker::new(&config), now: start(), buffer: vec![0; PACKET] }
    }

    /// Two parties who hear each other: session 1 and session 2.
    pub fn joined(first: Stream, second: Stream) -> Self {
        let mut floor = Self::new();
        floor.open(1, first);
        floor.open(2, second);
        floor.join(1, 2);
        floor
    }

    pub fn order(&mut self, order: Order) {
        self.worker.handle_order(self.now, order);
    }

    pub fn open(&mut self, party: u8, stream: Stream) {
        let (session, address) = (SessionId(party.into()), AddressId(party.into()));
        self.order(Order::Open { session, address, stream: Some(stream) });
    }

    pub fn change(&mut self, party: u8, stream: Stream) {
        self.order(Order::Change { session: SessionId(party.into()), stream });
    }

    pub fn close(&mut self, party: u8) {
        self.order(Order::Close { session: SessionId(party.into()) });
    }

    pub fn join(&mut self, a: u8, b: u8) {
        self.order(Order::Join { a: SessionId(a.into()), b: SessionId(b.into()) });
    }

    /// A packet comes to this party's address; gives what goes on for it.
    pub fn send(&mut self, party: u8, from: SocketAddr, header: Header, payload: &[u8]) -> Option<Got> {
        let packet = [&header.print()[..], payload].concat();
        let (sent, bytes) = self.bring(party, from, &packet)?;
        Some(got(sent, &bytes))
    }

    /// These bytes come to this party's address; gives the packet that goes on for them, and its buffer.
    pub fn bring(&mut self, party: u8, from: SocketAddr, packet: &[u8]) -> Option<(Packet, Vec<u8>)> {
        let mut buffer = packet.to_vec();
        buffer.resize(PACKET, 0xee);
        let address = AddressId(party.into());
        let sent = self.worker.handle_sound(self.now, address, from, packet.len(), &mut buffer)?;
        Some((sent, buffer))
    }

    /// The party says its `n`th 20 ms of A-law, with numbers of its own.
    pub fn say(&mut self, party: u8, n: u32) -> Option<Got> {
        self.send(party, host(party, 4000), voice(party, n), &[party; 160])
    }

    /// Time passes; gives what was put out.
    pub fn pass(&mut self, milliseconds: u64) -> Vec<(Output, Vec<u8>)> {
        let mut outputs = Vec::new();
        let until = self.now + Duration::from_millis(milliseconds);
        loop {
            while let Some(output) = self.worker.poll_output(&mut self.buffer) {
                let bytes = match &output {
                    Output::Packet(packet) => self.buffer[packet.bytes.clone()].to_vec(),
                    _ => Vec::new(),
                };
                outputs.push((output, bytes));
            }
            match self.worker.poll_timeout().filter(|next| *next <= until) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
            self.worker.handle_timeout(self.now);
        }
        self.now = until;
        outputs
    }

    /// Time passes; gives the sound that we made.
    pub fn played(&mut self, milliseconds: u64) -> Vec<Got> {
        let sound = |(output, bytes): (Output, Vec<u8>)| match output {
            Output::Packet(packet) if packet.channel == Channel::Sound => {
                Some(got(Packet { bytes: 0..bytes.len(), ..packet }, &bytes))
            }
            _ => None,
        };
        self.pass(milliseconds).into_iter().filter_map(sound).collect()
    }

    /// What has been reported by now.
    pub fn reports(&mut self) -> Vec<Report> {
        let report = |(output, _)| match output {
            Output::Report(report) => Some(report),
            _ => None,
        };
        self.pass(0).into_iter().filter_map(report).collect()
    }
}

/// The header of a party's `n`th packet.
pub(super) fn voice(party: u8, n: u32) -> Header {
    let begin = u32::from(party) * 1000;
    Header {
        marker: n == 0,
        payload_type: 8,
        sequence: (begin + n) as u16,
        timestamp: begin + n * 160,
        ssrc: party.into(),
    }
}

/// A stream to this party's usual address.
pub(super) fn to(party: u8) -> Stream {
    stream(host(party, 4000))
}

pub(super) fn got(packet: Packet, buffer: &[u8]) -> Got {
    let bytes = &buffer[packet.bytes.clone()];
    let (header, payload) = rtp::parse(bytes).unwrap();
    Got { packet, header, payload: bytes[payload].to_vec() }
}
