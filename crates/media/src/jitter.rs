//! Packets that wait to be decoded: put in order, and held as long as the network is uneven.
//!
//! All times are ticks (8 kHz), whatever the codec's clock: *media* time is what the timestamps tell, and the *delay*
//! between a packet's media time and its arrival is what is learned from. The delay that is aimed at follows the worst
//! of the last seconds, between 20 and 200 ms. Who takes packets out decides when; see [`crate::ear`].

use crate::Codec;
use crate::clock::{MILLISECOND, Ticks};

/// The least and the most that packets are held.
const LEAST: i64 = 20 * MILLISECOND as i64;
pub(crate) const MOST: i64 = 200 * MILLISECOND as i64;

/// Added to the worst delay that was seen.
const MARGIN: i64 = 5 * MILLISECOND as i64;

/// Packets that may wait: 400 ms of the shortest.
const PACKETS: usize = 40;

/// Bytes of all that wait: 400 ms at 320 kbit/s.
const BYTES: usize = 16_384;

/// What is learned of the network fades to half in so much time.
const HALF_LIFE: f64 = 4_000.0 * MILLISECOND as f64;

/// How fast the sender's clock may run slower than ours.
const SLOWEST: f64 = 0.0005;

/// What a packet that waits holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Sound(Codec),
    /// Comfort noise (RFC 3389) of this level in −dBov.
    Noise(u8),
}

/// A packet as it comes.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub kind: Kind,
    /// The run of the sender's packets; another one has nothing to do with what came before.
    pub run: u32,
    pub timestamp: u32,
    pub payload: &'a [u8],
}

/// A packet that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub kind: Kind,
    pub media: i64,
    /// Bytes written before its own.
    written: u64,
    length: usize,
}

/// The packets of one party that wait.
pub(crate) struct JitterBuffer {
    /// Steps of the timestamp in a tick.
    scale: u32,
    /// By media time.
    waiting: Vec<Waiting>,
    bytes: Box<[u8; BYTES]>,
    /// Bytes ever written, those that were left free at the end of the ring included.
    written: u64,
    anchor: Option<Anchor>,
    delay: Delay,
}

/// What timestamps are counted from.
#[derive(Clone, Copy)]
struct Anchor {
    run: u32,
    timestamp: u32,
    /// In steps of the timestamp, without wrapping.
    media: i64,
}

/// What is known of the network.
#[derive(Clone, Copy)]
struct Delay {
    /// Arrival less media time of the fastest packets.
    base: f64,
    /// How much later than these the worst of the last seconds came.
    spread: f64,
    last: Ticks,
}

impl JitterBuffer {
    pub fn new(scale: u32) -> Self {
        Self {
            scale,
            waiting: Vec::with_capacity(PACKETS),
            bytes: Box::new([0; BYTES]),
            written: 0,
            anchor: None,
            delay: Delay { base: 0.0, spread: 0.0, last: 0 },
        }
    }

    /// Takes a packet; gives its media time, and whether it begins another run.
    pub fn put(&mut self, at: Ticks, arrival: &Arrival) -> (i64, bool) {
        let anew = self.anchor.is_none_or(|anchor| anchor.run != arrival.run);
        let scale = i64::from(self.scale);
        let steps = match self.anchor.filter(|_| !anew) {
            Some(anchor) => anchor.media + i64::from(arrival.timestamp.wrapping_sub(anchor.timestamp) as i32),
            None => at as i64 * scale,
        };
        // A packet that comes late may say what it likes; others are not counted from it.
        if anew || self.anchor.is_some_and(|anchor| steps > anchor.media) {
            self.anchor = Some(Anchor { run: arrival.run, timestamp: arrival.timestamp, media: steps });
        }
        let media = steps.div_euclid(scale);
        if anew {
            self.waiting.clear();
            self.delay = Delay { base: (at as i64 - media) as f64, spread: 0.0, last: at };
        }
        self.delay.learn(at, at as i64 - media);
        self.keep(media, arrival);
        (media, anew)
    }

    /// When sound of this media time is to be played.
    pub fn due(&self, media: i64) -> i64 {
        media + self.delay.base as i64 + self.held()
    }

    /// How much longer than the fastest packets are held.
    pub fn held(&self) -> i64 {
        (self.delay.spread as i64 + MARGIN).clamp(LEAST, MOST)
    }

    /// The oldest packet.
    pub fn first(&self) -> Option<&Waiting> {
        self.waiting.first()
    }

    /// Its payload.
    pub fn payload(&self, waiting: &Waiting) -> &[u8] {
        // What was overwritten was dropped then.
        let start = (waiting.written % BYTES as u64) as usize;
        &self.bytes[start..start + waiting.length]
    }

    /// Takes the oldest packet out.
    pub fn drop_first(&mut self) {
        if !self.waiting.is_empty() {
            self.waiting.remove(0);
        }
    }

    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    fn keep(&mut self, media: i64, arrival: &Arrival) {
        let length = arrival.payload.len();
        let place = self.waiting.partition_point(|waiting| waiting.media < media);
        if length > BYTES / 4 || self.waiting.get(place).is_some_and(|waiting| waiting.media == media) {
            return;
        }
        if self.waiting.len() == PACKETS {
            if place == 0 {
                return;
            }
            self.waiting.remove(0);
        }
        let left = BYTES - (self.written % BYTES as u64) as usize;
        if left < length {
            self.written += left as u64;
        }
        let written = self.written;
        let start = (written % BYTES as u64) as usize;
        self.bytes[start..start + length].copy_from_slice(arrival.payload);
        self.written += length as u64;
        let oldest = self.written.saturating_sub(BYTES as u64);
        self.waiting.retain(|waiting| waiting.written >= oldest);
        let place = self.waiting.partition_point(|waiting| waiting.media < media);
        self.waiting.insert(place, Waiting { kind: arrival.kind, media, written, length });
    }
}

impl Delay {
    fn learn(&mut self, at: Ticks, delay: i64) {
        let delay = delay as f64;
        let passed = at.saturating_sub(self.last) as f64;
        self.last = self.last.max(at);
        // The fastest packets tell the sender's clock from the network; it may drift away from ours.
        self.base = (self.base + passed * SLOWEST).min(delay);
        let later = delay - self.base;
        let faded = self.spread * (-passed / HALF_LIFE).exp2();
        // A single straggler is believed by half.
        self.spread = if later > faded { faded + (later - faded) / 2.0 } else { faded };
        self.spread = self.spread.min(2.0 * MOST as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = MILLISECOND as i64;

    fn put(buffer: &mut JitterBuffer, at: Ticks, timestamp: u32) -> i64 {
        let payload = timestamp.to_be_bytes();
        buffer.put(at, &Arrival { kind: Kind::Sound(Codec::Pcma), run: 1, timestamp, payload: &payload }).0
    }

    fn drain(buffer: &mut JitterBuffer) -> Vec<u32> {
        let mut timestamps = Vec::new();
        while let Some(first) = buffer.first().copied() {
            timestamps.push(u32::from_be_bytes(buffer.payload(&first).try_into().unwrap()));
            buffer.drop_first();
        }
        timestamps
    }

    #[test]
    fn packets_come_out_in_order_and_once() {
        let mut buffer = JitterBuffer::new(1);
        for (at, timestamp) in [(1000, 0), (1160, 320), (1170, 160), (1180, 160), (1480, 480)] {
            put(&mut buffer, at, timestamp);
        }

        assert_eq!(drain(&mut buffer), [0, 160, 320, 480]);
    }

    #[test]
    fn timestamps_run_through_their_end_at_either_clock() {
        for scale in [1, 6] {
            let mut buffer = JitterBuffer::new(scale);
            let begin = u32::MAX - 100;

            let first = put(&mut buffer, 5000, begin);
            let second = put(&mut buffer, 5160, begin.wrapping_add(160 * scale));

            assert_eq!(second - first, 160);
        }
    }

    #[test]
    fn an_even_network_is_held_for_the_least_time() {
        let mut buffer = JitterBuffer::new(1);
        for n in 0..500u32 {
            put(&mut buffer, 1000 + u64::from(n) * 160, n * 160);
            drain(&mut buffer);
        }

        assert_eq!(buffer.held(), 20 * MS);
    }

    #[test]
    fn an_uneven_network_is_held_as_long_as_its_worst_and_less_when_it_calms_down() {
        let mut buffer = JitterBuffer::new(1);
        for n in 0..500u64 {
            put(&mut buffer, 1000 + n * 160 + (n * 7 % 11) * 40, n as u32 * 160);
            drain(&mut buffer);
        }
        let uneven = buffer.held();
        for n in 500..2500u64 {
            put(&mut buffer, 1000 + n * 160, n as u32 * 160);
            drain(&mut buffer);
        }

        assert!((48 * MS..=62 * MS).contains(&uneven), "{uneven}");
        assert_eq!(buffer.held(), 20 * MS);
    }

    #[test]
    fn a_sender_whose_clock_is_slower_or_faster_is_followed() {
        for drift in [-3i64, 3] {
            let mut buffer = JitterBuffer::new(1);
            let mut late = 0;
            for n in 0..90_000i64 {
                let at = 100_000 + n * 160 + n * drift / 100;
                let media = put(&mut buffer, at as u64, n as u32 * 160);
                drain(&mut buffer);
                late = buffer.due(media) - at;
            }

            assert!((15 * MS..=25 * MS).contains(&late), "{drift}: {late}");
        }
    }

    #[test]
    fn more_than_is_held_pushes_the_oldest_out() {
        let mut buffer = JitterBuffer::new(1);
        for n in 0..100u32 {
            put(&mut buffer, 1000, n * 160);
        }

        assert_eq!(drain(&mut buffer), (60..100).map(|n| n * 160).collect::<Vec<u32>>());
    }

    #[test]
    fn large_packets_never_overwrite_one_that_waits() {
        let mut buffer = JitterBuffer::new(1);
        for n in 0..200u32 {
            let payload = vec![n as u8; 700 + (n as usize * 37) % 800];
            let arrival = Arrival { kind: Kind::Sound(Codec::Opus), run: 1, timestamp: n * 160, payload: &payload };
            buffer.put(1000 + u64::from(n) * 160, &arrival);
            for waiting in &buffer.waiting {
                let payload = buffer.payload(waiting);
                assert!(payload.iter().all(|&byte| i64::from(byte) == (waiting.media - 1000) / 160 % 256));
            }
        }
        assert!(buffer.waiting.len() >= 10);
    }

    #[test]
    fn another_run_begins_anew() {
        let mut buffer = JitterBuffer::new(1);
        put(&mut buffer, 1000, 0);

        let payload = [9, 9, 9, 9];
        let (media, anew) =
            buffer.put(2000, &Arrival { kind: Kind::Sound(Codec::Pcma), run: 2, timestamp: 77, payload: &payload });

        assert!(anew);
        assert_eq!(media, 2000);
        assert_eq!(drain(&mut buffer).len(), 1);
    }
}
