//! What goes to one party: one SSRC, sequence numbers and timestamps that run on, whatever the sound is made of.
//!
//! A *segment* is a stretch from one source: a run of the partner's packets, or a sound of our own. Within a segment
//! the source's own gaps and delays show through; where segments meet, the next number follows the last, the timestamp
//! has moved on by the time that has passed, and the marker is set.

use crate::clock::Ticks;
use crate::reception::Place;
use crate::rtp::Header;

/// The least step of the timestamp between two segments: a packet of 20 ms.
const STEP: u64 = 160;

/// The stream to one party.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    ssrc: u32,
    /// The highest sent.
    sequence: u16,
    /// The newest timestamp sent, and when; before the first packet, the number to begin with.
    newest: (u32, Option<Ticks>),
    segment: Segment,
    /// Steps of the timestamp in a tick.
    scale: u32,
    packets: u64,
    octets: u64,
}

#[derive(Clone, Copy, Debug)]
enum Segment {
    /// The next packet begins a segment.
    None,
    Relayed {
        source: Source,
        floor: u64,
        sequence_offset: u16,
        timestamp_offset: u32,
    },
    Own {
        next: u32,
    },
    /// A key, whose packets share a timestamp.
    Key {
        timestamp: u32,
    },
}

/// Whose packets are relayed: a session, by a number of its own, and a run of its packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Source {
    pub session: u32,
    pub run: u32,
}

impl Outgoing {
    /// Begins a stream with these random numbers (RFC 3550, section 5.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self { ssrc, sequence, newest: (timestamp, None), segment: Segment::None, scale: 1, packets: 0, octets: 0 }
    }

    /// So many steps of the timestamp make a tick from now on.
    pub fn set_scale(&mut self, scale: u32) {
        self.scale = scale;
    }

    /// The header under which a partner's packet goes on. None: it is older than its segment.
    pub fn relay(&mut self, at: Ticks, session: u32, place: Place, header: &Header) -> Option<(u16, u32, bool)> {
        let source = Source { session, run: place.run };
        let (floor, sequence_offset, timestamp_offset, begins) = match self.segment {
            Segment::Relayed { source: current, floor, sequence_offset, timestamp_offset } if current == source => {
                (floor, sequence_offset, timestamp_offset, false)
            }
            _ => {
                let sequence_offset = self.sequence.wrapping_add(1).wrapping_sub(header.sequence);
                let timestamp_offset = self.timestamp(at, STEP).wrapping_sub(header.timestamp);
                let floor = place.extended;
                self.segment = Segment::Relayed { source, floor, sequence_offset, timestamp_offset };
                (floor, sequence_offset, timestamp_offset, true)
            }
        };
        if place.extended < floor {
            return None;
        }
        let sequence = header.sequence.wrapping_add(sequence_offset);
        let timestamp = header.timestamp.wrapping_add(timestamp_offset);
        if sequence.wrapping_sub(self.sequence) < 1 << 15 {
            self.sequence = sequence;
        }
        self.pass(at, timestamp);
        Some((sequence, timestamp, header.marker || begins))
    }

    /// The partner's packet does not go on to this party; the numbers close over it if it is the next.
    pub fn skip(&mut self, session: u32, place: Place) {
        if let Segment::Relayed { source, floor, sequence_offset, .. } = &mut self.segment
            && *source == (Source { session, run: place.run })
            && place.extended >= *floor
            && (place.extended as u16).wrapping_add(*sequence_offset) == self.sequence.wrapping_add(1)
        {
            *sequence_offset = sequence_offset.wrapping_sub(1);
            // What comes late from before would meet numbers that are used.
            *floor = place.extended + 1;
        }
    }

    /// The header for the next packet of a sound of our own, which lasts so many steps of the timestamp.
    pub fn own(&mut self, at: Ticks, steps: u32) -> (u16, u32, bool) {
        let (timestamp, begins) = match self.segment {
            Segment::Own { next } => (next, false),
            _ => (self.timestamp(at, STEP), true),
        };
        self.segment = Segment::Own { next: timestamp.wrapping_add(steps) };
        self.sequence = self.sequence.wrapping_add(1);
        self.pass(at, timestamp);
        (self.sequence, timestamp, begins)
    }

    /// The header for the next packet of a key that we press; its `first` packet stands where the press begins.
    pub fn event(&mut self, at: Ticks, first: bool) -> (u16, u32, bool) {
        let timestamp = match self.segment {
            Segment::Key { timestamp } if !first => timestamp,
            Segment::Own { next } => next,
            _ => self.timestamp(at, STEP),
        };
        self.segment = Segment::Key { timestamp };
        self.sequence = self.sequence.wrapping_add(1);
        self.pass(at, timestamp);
        (self.sequence, timestamp, first)
    }

    /// Ends the segment. A key that is being told keeps its timestamp until it has ended (RFC 4733, section 2.5.1);
    /// whatever else follows it begins a segment anyhow.
    pub fn cut(&mut self) {
        if !matches!(self.segment, Segment::Key { .. }) {
            self.segment = Segment::None;
        }
    }

    /// A packet with so many bytes of payload has gone.
    pub fn count(&mut self, payload: usize) {
        self.packets += 1;
        self.octets += payload as u64;
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Steps of the timestamp in a tick.
    pub fn scale(&self) -> u32 {
        self.scale
    }

    pub fn packets(&self) -> u64 {
        self.packets
    }

    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// The timestamp of this moment, at least so many ticks after the last that was sent.
    pub fn timestamp(&self, at: Ticks, least: u64) -> u32 {
        let (timestamp, sent) = self.newest;
        let passed = sent.map_or(0, |sent| at.saturating_sub(sent).max(least));
        timestamp.wrapping_add((passed as u32).wrapping_mul(self.scale))
    }

    fn pass(&mut self, at: Ticks, timestamp: u32) {
        let (newest, sent) = self.newest;
        let step = timestamp.wrapping_sub(newest);
        if sent.is_none() || (step != 0 && step < 1 << 31) {
            self.newest = (timestamp, Some(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing() -> Outgoing {
        Outgoing::new(77, 65_534, u32::MAX - 100)
    }

    fn relay(
        outgoing: &mut Outgoing,
        at: Ticks,
        session: u32,
        sequence: u16,
        timestamp: u32,
    ) -> Option<(u16, u32, bool)> {
        let place = Place { run: 1, extended: sequence.into() };
        outgoing.relay(at, session, place, &Header { marker: false, payload_type: 8, sequence, timestamp, ssrc: 1 })
    }

    #[test]
    fn numbers_run_on_through_their_end() {
        let mut outgoing = outgoing();

        let sent: Vec<_> = (0..3u16)
            .map(|n| relay(&mut outgoing, u64::from(n) * 160, 1, 500 + n, 9000 + u32::from(n) * 160).unwrap())
            .collect();

        let first = u32::MAX - 100;
        assert_eq!(
            sent,
            [(65_535, first, true), (0, first.wrapping_add(160), false), (1, first.wrapping_add(320), false)]
        );
    }

    #[test]
    fn another_source_follows_with_the_next_number_the_time_passed_and_a_marker() {
        let mut outgoing = outgoing();
        let (sequence, timestamp, _) = relay(&mut outgoing, 0, 1, 500, 9000).unwrap();

        let next = relay(&mut outgoing, 4000, 2, 30_000, 1).unwrap();

        assert_eq!(next, (sequence.wrapping_add(1), timestamp.wrapping_add(4000), true));
    }

    #[test]
    fn sources_that_follow_at_once_are_a_packet_apart() {
        let mut outgoing = outgoing();
        let (_, timestamp, _) = relay(&mut outgoing, 0, 1, 500, 9000).unwrap();

        assert_eq!(relay(&mut outgoing, 3, 2, 30_000, 1).unwrap().1, timestamp.wrapping_add(160));
    }

    #[test]
    fn a_gap_and_a_late_packet_of_the_source_show_through() {
        let mut outgoing = outgoing();
        let (sequence, timestamp, _) = relay(&mut outgoing, 0, 1, 500, 9000).unwrap();
        let ahead = relay(&mut outgoing, 160, 1, 503, 9480).unwrap();
        let late = relay(&mut outgoing, 170, 1, 502, 9320).unwrap();

        assert_eq!(ahead, (sequence.wrapping_add(3), timestamp.wrapping_add(480), false));
        assert_eq!(late, (sequence.wrapping_add(2), timestamp.wrapping_add(320), false));
    }

    #[test]
    fn a_packet_from_before_its_segment_does_not_reuse_a_number() {
        let mut outgoing = outgoing();
        relay(&mut outgoing, 0, 2, 10, 0);
        relay(&mut outgoing, 0, 1, 500, 9000);

        assert_eq!(relay(&mut outgoing, 5, 1, 499, 8840), None);
    }

    #[test]
    fn numbers_close_over_a_packet_that_does_not_go_on() {
        let mut outgoing = outgoing();
        let (sequence, ..) = relay(&mut outgoing, 0, 1, 500, 9000).unwrap();

        outgoing.skip(1, Place { run: 1, extended: 501 });

        assert_eq!(relay(&mut outgoing, 320, 1, 502, 9320).unwrap().0, sequence.wrapping_add(1));
    }

    #[test]
    fn numbers_in_use_stay_when_a_late_packet_does_not_go_on() {
        let mut outgoing = outgoing();
        relay(&mut outgoing, 0, 1, 500, 9000);
        let (sequence, ..) = relay(&mut outgoing, 320, 1, 502, 9320).unwrap();

        outgoing.skip(1, Place { run: 1, extended: 501 });

        assert_eq!(relay(&mut outgoing, 480, 1, 503, 9480).unwrap().0, sequence.wrapping_add(1));
    }

    #[test]
    fn a_sound_of_our_own_keeps_its_pace_whenever_its_packets_leave() {
        let mut outgoing = outgoing();
        relay(&mut outgoing, 0, 1, 500, 9000);

        let sent = [outgoing.own(1000, 160), outgoing.own(1163, 160), outgoing.own(1319, 160)];

        let begin = (u32::MAX - 100).wrapping_add(1000);
        assert_eq!(sent, [(0, begin, true), (1, begin + 160, false), (2, begin + 320, false)]);
    }

    #[test]
    fn a_key_s_packets_share_the_timestamp_at_which_it_was_pressed_and_sound_goes_on_behind_it() {
        let mut outgoing = outgoing();
        outgoing.set_scale(6);
        let (_, begin, _) = outgoing.own(0, 960);

        let sent = [outgoing.event(160, true), outgoing.event(560, false), outgoing.own(1000, 960)];

        let timestamps = [960, 960, 6000].map(|step| begin.wrapping_add(step));
        assert_eq!(sent.map(|(_, timestamp, _)| timestamp), timestamps);
        assert_eq!(sent.map(|(.., marker)| marker), [true, false, true]);
    }

    #[test]
    fn a_key_keeps_its_timestamp_through_a_cut() {
        let mut outgoing = outgoing();
        let (_, pressed, _) = outgoing.event(0, true);

        outgoing.cut();
        let held = outgoing.event(400, false);
        outgoing.cut();
        let next = outgoing.event(2000, true);

        assert_eq!([held.1, next.1].map(|timestamp| timestamp.wrapping_sub(pressed)), [0, 2000]);
    }

    #[test]
    fn after_a_cut_the_same_source_follows_without_a_jump() {
        let mut outgoing = outgoing();
        let (sequence, timestamp, _) = relay(&mut outgoing, 0, 1, 500, 9000).unwrap();

        outgoing.cut();
        let next = relay(&mut outgoing, 80_000, 1, 1000, 89_000).unwrap();

        assert_eq!(next, (sequence.wrapping_add(1), timestamp.wrapping_add(80_000), true));
    }
}
