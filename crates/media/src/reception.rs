//! What comes from one party: the order of its packets, what is missing, how unevenly they come (RFC 3550, A.1, A.3, A.8).
//!
//! A *run* is a stretch of packets whose sequence numbers and timestamps belong together. Another SSRC, or a sender
//! that begins to count anew, begins another run.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::clock::{Ticks, duration};
use crate::rtp::Header;

/// More packets than this cannot be missing between two; the sender counts anew.
const MOST_MISSING: u16 = 3000;

/// A packet this far behind the newest is late; further behind, the sender counts anew.
const MOST_LATE: u16 = 100;

/// A timestamp may run ahead of the clock by so much before it is taken for another count.
const MOST_AHEAD: i64 = 16_000;

/// A second: whoever is later has stopped in between.
const MOST_UNEVEN: u64 = 8_000;

/// One party's incoming packets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reception {
    /// Steps of the timestamp in a tick, where there are several.
    scale: Option<NonZeroU32>,
    run: Option<Run>,
    runs: u32,
    /// Sums of the runs before this one.
    received: u64,
    lost: u64,
    /// RFC 3550 A.8: sixteen times the jitter, in ticks.
    jitter: u32,
    /// What the jitter was at each packet, summed up, and how many these were.
    jitters: (u64, u64),
}

#[derive(Clone, Copy, Debug)]
struct Run {
    ssrc: u32,
    /// Sequence numbers without wrapping; the first of the run, and the highest.
    first: u64,
    highest: u64,
    received: u64,
    /// The newest packets that have come: bit n is `highest` − n.
    seen: u128,
    /// The sequence number that would prove that the sender counts anew.
    anew: Option<u16>,
    /// Of the newest sound: its timestamp and when it came.
    newest_sound: Option<(u32, Ticks)>,
    /// What the last report block said (RFC 3550, A.3).
    told_expected: u64,
    told_received: u64,
}

/// Where a packet stands in what came before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// Which run it belongs to.
    pub run: u32,
    /// Its sequence number without wrapping.
    pub extended: u64,
}

/// What a report block tells of a stream (RFC 3550, section 6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReceptionReport {
    pub ssrc: u32,
    pub fraction_lost: u8,
    pub lost: i32,
    pub highest: u32,
    pub jitter: u32,
}

impl Reception {
    /// So many steps of the timestamp make a tick from now on.
    pub fn set_scale(&mut self, scale: u32) {
        self.scale = NonZeroU32::new(scale);
    }

    /// Takes a packet. None: it came before, or stands alone with an unbelievable number.
    pub fn take(&mut self, at: Ticks, header: &Header, is_sound: bool) -> Option<Place> {
        let Some(run) = self.run.as_mut().filter(|run| run.ssrc == header.ssrc) else {
            return Some(self.begin(at, header, is_sound));
        };
        let ahead = header.sequence.wrapping_sub(run.highest as u16);
        if ahead == 0 {
            return None;
        }
        let behind = ahead.wrapping_neg();
        if ahead >= MOST_MISSING && behind > MOST_LATE {
            // RFC 3550 A.1: one wild packet is dropped, two in sequence are a sender that began anew.
            if run.anew == Some(header.sequence) {
                return Some(self.begin(at, header, is_sound));
            }
            run.anew = Some(header.sequence.wrapping_add(1));
            return None;
        }
        run.anew = None;
        if ahead >= MOST_MISSING {
            let extended = run.highest - u64::from(behind);
            let bit = 1_u128 << behind;
            if extended < run.first || run.seen & bit != 0 {
                return None;
            }
            run.seen |= bit;
            run.received += 1;
            return Some(Place { run: self.runs, extended });
        }
        if is_sound {
            if let Some((timestamp, came)) = run.newest_sound {
                let scale = self.scale.map_or(1, NonZeroU32::get);
                let step = i64::from(header.timestamp.wrapping_sub(timestamp) as i32) / i64::from(scale);
                let passed = (at - came) as i64;
                if step < 0 || step > passed + MOST_AHEAD {
                    return Some(self.begin(at, header, is_sound));
                }
                let difference = (passed - step).unsigned_abs();
                // A sender may stop its clock while it is silent; that is no unevenness of the way.
                if difference < MOST_UNEVEN && !header.marker {
                    self.jitter = self.jitter + difference as u32 - ((self.jitter + 8) >> 4);
                    self.jitters = (self.jitters.0 + u64::from(self.jitter >> 4), self.jitters.1 + 1);
                }
            }
            run.newest_sound = Some((header.timestamp, at));
        }
        run.highest += u64::from(ahead);
        run.seen = run.seen.checked_shl(ahead.into()).unwrap_or(0) | 1;
        run.received += 1;
        Some(Place { run: self.runs, extended: run.highest })
    }

    /// Packets taken.
    pub fn received(&self) -> u64 {
        self.received + self.run.map_or(0, |run| run.received)
    }

    /// Packets that never came.
    pub fn lost(&self) -> u64 {
        self.lost + self.run.map_or(0, |run| run.missing())
    }

    /// How unevenly packets come.
    pub fn jitter(&self) -> Duration {
        duration(u64::from(self.jitter >> 4))
    }

    /// How unevenly they came on the average.
    pub fn mean_jitter(&self) -> Duration {
        duration(self.jitters.0.checked_div(self.jitters.1).unwrap_or(0))
    }

    /// The next report block. None while nothing has come.
    pub fn report(&mut self) -> Option<ReceptionReport> {
        let run = self.run.as_mut()?;
        let expected = run.expected();
        let expected_since = expected - run.told_expected;
        let lost_since = expected_since.saturating_sub(run.received - run.told_received);
        (run.told_expected, run.told_received) = (expected, run.received);
        let fraction_lost = (lost_since * 256).checked_div(expected_since).unwrap_or(0).min(255) as u8;
        let lost = (expected as i64 - run.received as i64).clamp(-0x80_0000, 0x7f_ffff) as i32;
        // The counting of `highest` begins one cycle up, so that a late first packet cannot take it below zero.
        let highest = (run.highest - CYCLE) as u32;
        let jitter = (self.jitter >> 4).saturating_mul(self.scale.map_or(1, NonZeroU32::get));
        Some(ReceptionReport { ssrc: run.ssrc, fraction_lost, lost, highest, jitter })
    }

    fn begin(&mut self, at: Ticks, header: &Header, is_sound: bool) -> Place {
        (self.received, self.lost) = (self.received(), self.lost());
        self.runs = self.runs.wrapping_add(1);
        let first = CYCLE + u64::from(header.sequence);
        self.run = Some(Run {
            ssrc: header.ssrc,
            first,
            highest: first,
            received: 1,
            seen: 1,
            anew: None,
            newest_sound: is_sound.then_some((header.timestamp, at)),
            told_expected: 0,
            told_received: 0,
        });
        Place { run: self.runs, extended: first }
    }
}

const CYCLE: u64 = 1 << 16;

impl Run {
    fn expected(&self) -> u64 {
        self.highest - self.first + 1
    }

    fn missing(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 8, sequence, timestamp, ssrc: 1 }
    }

    /// Takes sound packets that come exactly on time; gives the place of each.
    fn take(reception: &mut Reception, sequences: impl IntoIterator<Item = u16>) -> Vec<Option<u64>> {
        let taken = sequences.into_iter().map(|sequence| {
            let at = u64::from(sequence) * 160;
            reception.take(at, &header(sequence, at as u32), true).map(|place| place.extended - CYCLE)
        });
        taken.collect()
    }

    #[test]
    fn missing_packets_are_counted_until_they_come_late() {
        let mut reception = Reception::default();

        take(&mut reception, [1, 2, 5]);
        let lost = reception.lost();
        let late = take(&mut reception, [3, 4]);

        assert_eq!((lost, late), (2, vec![Some(3), Some(4)]));
        assert_eq!((reception.lost(), reception.received()), (0, 5));
    }

    #[test]
    fn a_packet_that_comes_twice_in_a_row_is_taken_once() {
        let mut reception = Reception::default();

        assert_eq!(take(&mut reception, [7, 7]), [Some(7), None]);
    }

    #[test]
    fn a_late_packet_that_comes_twice_is_taken_once() {
        let mut reception = Reception::default();

        let taken = take(&mut reception, [1, 2, 4, 3, 3, 2, 1, 5]);

        assert_eq!(taken, [Some(1), Some(2), Some(4), Some(3), None, None, None, Some(5)]);
        assert_eq!((reception.received(), reception.lost()), (5, 0));
    }

    #[test]
    fn a_sender_that_stops_its_clock_is_not_uneven() {
        let mut reception = Reception::default();
        reception.take(0, &header(1, 0), true);

        reception.take(80_000, &header(2, 160), true);

        assert_eq!((reception.jitter(), reception.mean_jitter()), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn sequence_numbers_go_on_through_their_end() {
        let mut reception = Reception::default();
        for n in 65_530..65_550u64 {
            let place = reception.take(n * 160, &header(n as u16, n as u32 * 160), true).unwrap();

            assert_eq!((place.run, place.extended), (1, n + CYCLE));
        }
        assert_eq!(reception.report().unwrap().highest, 65_549);
    }

    #[test]
    fn another_ssrc_begins_another_run_and_keeps_the_sums() {
        let mut reception = Reception::default();
        take(&mut reception, [1, 4]);

        let place = reception.take(800, &Header { ssrc: 2, ..header(60_000, 9) }, true).unwrap();

        assert_eq!((place.run, reception.received(), reception.lost()), (2, 3, 2));
    }

    #[test]
    fn one_wild_packet_is_dropped_and_two_in_sequence_begin_a_run() {
        let mut reception = Reception::default();
        take(&mut reception, [1]);

        let wild = reception.take(200, &header(20_000, 0), true);
        let next = reception.take(360, &header(20_001, 160), true).unwrap();

        assert_eq!((wild, next.run), (None, 2));
    }

    #[test]
    fn a_timestamp_that_goes_back_begins_a_run() {
        let mut reception = Reception::default();
        reception.take(0, &header(1, 50_000), true);

        assert_eq!(reception.take(160, &header(2, 160), true).unwrap().run, 2);
    }

    #[test]
    fn the_timestamp_of_a_key_does_not_begin_a_run() {
        let mut reception = Reception::default();
        reception.take(0, &header(1, 50_000), true);
        reception.take(160, &header(2, 50_160), true);
        reception.take(320, &header(3, 50_000), false);

        assert_eq!(reception.take(480, &header(4, 50_480), true).unwrap().run, 1);
    }

    #[test]
    fn a_silence_of_the_sender_is_no_new_run() {
        let mut reception = Reception::default();
        reception.take(0, &header(1, 0), true);

        assert_eq!(reception.take(80_000, &header(2, 80_000), true).unwrap().run, 1);
    }

    #[test]
    fn jitter_grows_with_uneven_arrival_and_is_zero_without() {
        let mut even = Reception::default();
        let mut uneven = Reception::default();
        for n in 0..500u16 {
            let at = u64::from(n) * 160;
            even.take(at, &header(n, at as u32), true);
            uneven.take(at + u64::from(n % 2) * 80, &header(n, at as u32), true);
        }

        assert_eq!(even.jitter(), Duration::ZERO);
        assert!((9..=10).contains(&uneven.jitter().as_millis()), "{:?}", uneven.jitter());
    }

    #[test]
    fn jitter_of_a_faster_clock_is_told_in_its_own_steps() {
        let mut reception = Reception::default();
        reception.set_scale(6);
        for n in 0..500u16 {
            reception.take(u64::from(n) * 160 + u64::from(n % 2) * 80, &header(n, u32::from(n) * 960), true);
        }

        assert!((9..=10).contains(&reception.jitter().as_millis()));
        assert!((430..=480).contains(&reception.report().unwrap().jitter));
    }

    #[test]
    fn a_report_tells_the_fraction_lost_since_the_last() {
        let mut reception = Reception::default();
        take(&mut reception, 0..8);
        let first = reception.report().unwrap();
        take(&mut reception, [8, 10, 12, 14]);
        let second = reception.report().unwrap();

        assert_eq!((first.fraction_lost, first.lost, first.highest), (0, 0, 7));
        assert_eq!((second.fraction_lost, second.lost, second.highest), (109, 3, 14));
        assert_eq!(Reception::default().report(), None);
    }
}
