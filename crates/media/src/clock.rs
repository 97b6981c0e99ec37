//! The worker's time: samples since it started, and what RTCP calls the time.

use std::time::{Duration, Instant};

/// Moments, counted in samples at 8 kHz since the worker started.
pub(crate) type Ticks = u64;

/// Ticks in a millisecond.
pub(crate) const MILLISECOND: Ticks = 8;

/// Seconds from 1900, where NTP begins, to 1970.
const NTP_OFFSET: u64 = 2_208_988_800;

/// Turns the time that is handed in into the times that packets carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// Time since 1970 at `started`.
    wall: Duration,
}

impl Clock {
    pub fn new(started: Instant, wall: Duration) -> Self {
        Self { started, wall }
    }

    pub fn ticks(&self, now: Instant) -> Ticks {
        let since = now.saturating_duration_since(self.started);
        since.as_secs() * 8000 + Ticks::from(since.subsec_nanos() / 125_000)
    }

    pub fn instant(&self, at: Ticks) -> Instant {
        self.started + Duration::from_micros(at * 125)
    }

    /// The time as an NTP timestamp (RFC 3550, section 4): seconds in the upper half, their fraction in the lower.
    pub fn ntp(&self, at: Ticks) -> u64 {
        let wall = self.wall + Duration::from_micros(at * 125);
        let fraction = (u64::from(wall.subsec_nanos()) << 32) / 1_000_000_000;
        ((wall.as_secs() + NTP_OFFSET) << 32) | fraction
    }
}

/// So many ticks as a time.
pub(crate) fn duration(ticks: u64) -> Duration {
    Duration::from_micros(ticks * 125)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::start;

    #[test]
    fn ticks_and_instants_are_the_same_moments() {
        let clock = Clock::new(start(), Duration::ZERO);

        for at in [0, 1, 159, 8000, 123_456_789] {
            assert_eq!(clock.ticks(clock.instant(at)), at);
        }
    }

    #[test]
    fn a_moment_before_the_start_is_the_start() {
        let clock = Clock::new(start() + Duration::from_secs(5), Duration::ZERO);

        assert_eq!(clock.ticks(start()), 0);
    }

    #[test]
    fn ntp_time_counts_from_1900() {
        let clock = Clock::new(start(), Duration::from_millis(1_700_000_000_500));

        assert_eq!(clock.ntp(0), ((1_700_000_000 + 2_208_988_800) << 32) | 1 << 31);
        assert_eq!(clock.ntp(4000) - clock.ntp(0), 1 << 31);
    }
}
