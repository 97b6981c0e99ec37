//! What a tenant uses of what it may use. The check and the count are one step.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::{Reason, TenantSettings};

/// Calls, lines, trunk channels and starts per second that are in use.
#[derive(Debug, Default)]
pub struct Limits {
    calls: u32,
    starts: Rate,
    lines: BTreeMap<String, u32>,
    trunks: BTreeMap<String, Channels>,
}

/// What one leg uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Uses {
    /// A line of an extension.
    Line(String),
    /// A channel of a trunk.
    Trunk(String),
}

/// Who begins a call on a trunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begun {
    /// We do: it counts towards the trunk's starts per second.
    ByUs,
    /// The carrier does.
    ByCarrier,
}

#[derive(Debug, Default)]
struct Channels {
    calls: u32,
    starts: Rate,
}

impl Limits {
    /// Counts a call that begins, if the tenant may begin one.
    pub fn start_call(&mut self, now: Instant, settings: &TenantSettings) -> Result<(), Reason> {
        let allowed = &settings.limits;
        if self.calls >= allowed.concurrent_calls || !self.starts.take(now, allowed.calls_per_second) {
            return Err(Reason::Limit);
        }
        self.calls += 1;
        Ok(())
    }

    /// A call is over.
    pub fn end_call(&mut self) {
        self.calls = self.calls.saturating_sub(1);
    }

    /// Takes what a leg uses.
    pub fn take(&mut self, now: Instant, settings: &TenantSettings, uses: &Uses, begun: Begun) -> Result<(), Reason> {
        match uses {
            Uses::Line(extension) if self.has_line(settings, extension) => {
                *self.lines.entry(extension.clone()).or_default() += 1;
                Ok(())
            }
            Uses::Line(_) => Err(Reason::LinesTaken),
            Uses::Trunk(name) => {
                let trunk = settings.trunks.iter().find(|trunk| trunk.name == *name).ok_or(Reason::NoRoute)?;
                let used = self.trunks.entry(name.clone()).or_default();
                let full = used.calls >= trunk.max_calls;
                if full || (begun == Begun::ByUs && !used.starts.take(now, trunk.max_calls_per_second)) {
                    return Err(Reason::Limit);
                }
                used.calls += 1;
                Ok(())
            }
        }
    }

    /// Gives back what a leg used.
    pub fn free(&mut self, uses: &Uses) {
        match uses {
            Uses::Line(extension) => {
                if let Some(used) = self.lines.get_mut(extension) {
                    *used = used.saturating_sub(1);
                    if *used == 0 {
                        self.lines.remove(extension);
                    }
                }
            }
            Uses::Trunk(trunk) => {
                if let Some(used) = self.trunks.get_mut(trunk) {
                    used.calls = used.calls.saturating_sub(1);
                }
            }
        }
    }

    /// Whether an extension has a line left.
    pub fn has_line(&self, settings: &TenantSettings, extension: &str) -> bool {
        let lines = settings.extensions.get(extension).map_or(0, |extension| extension.lines);
        self.lines.get(extension).copied().unwrap_or_default() < lines
    }

    /// Calls, lines and channels in use: zero when no call is live.
    pub fn in_use(&self) -> usize {
        let channels: u32 = self.trunks.values().map(|trunk| trunk.calls).sum();
        (self.calls + self.lines.values().sum::<u32>() + channels) as usize
    }
}

/// Starts within a second, counted as a bucket that holds a second's worth and fills evenly.
#[derive(Debug, Default)]
struct Rate {
    /// When the bucket would be full; None: it is.
    full_at: Option<Instant>,
}

impl Rate {
    fn take(&mut self, now: Instant, per_second: u32) -> bool {
        let Some(each) = Duration::from_secs(1).checked_div(per_second) else { return false };
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + each;
        if full_at > now + Duration::from_secs(1) {
            return false;
        }
        self.full_at = Some(full_at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn carrier() -> Uses {
        Uses::Trunk("carrier".into())
    }

    #[test]
    fn no_more_calls_are_begun_at_once_than_allowed() {
        let mut settings = fixture::demo();
        settings.limits.concurrent_calls = 1;
        let mut limits = Limits::default();
        let now = fixture::instant();

        assert_eq!(limits.start_call(now, &settings), Ok(()));
        assert_eq!(limits.start_call(now, &settings), Err(Reason::Limit));
        limits.end_call();
        assert_eq!(limits.start_call(now, &settings), Ok(()));
    }

    #[test]
    fn starts_per_second_fill_up_evenly() {
        let mut settings = fixture::demo();
        settings.limits.calls_per_second = 2;
        let mut limits = Limits::default();
        let now = fixture::instant();
        let half_a_second_later = now + Duration::from_millis(500);

        assert!(limits.start_call(now, &settings).is_ok());
        assert!(limits.start_call(now, &settings).is_ok());
        assert!(limits.start_call(now, &settings).is_err());
        assert!(limits.start_call(half_a_second_later, &settings).is_ok());
        assert!(limits.start_call(half_a_second_later, &settings).is_err());
    }

    #[test]
    fn a_phone_has_only_its_lines() {
        let settings = fixture::demo();
        let mut limits = Limits::default();
        let now = fixture::instant();
        let line = Uses::Line("101".into());
        let nobody = Uses::Line("109".into());

        assert_eq!(limits.take(now, &settings, &line, Begun::ByUs), Ok(()));
        assert_eq!(limits.take(now, &settings, &line, Begun::ByUs), Ok(()));
        assert_eq!(limits.take(now, &settings, &line, Begun::ByUs), Err(Reason::LinesTaken));
        limits.free(&line);
        assert_eq!(limits.take(now, &settings, &line, Begun::ByUs), Ok(()));
        assert_eq!(limits.take(now, &settings, &nobody, Begun::ByUs), Err(Reason::LinesTaken));
    }

    #[test]
    fn a_trunk_has_only_its_channels() {
        let mut settings = fixture::demo();
        settings.trunks[0].max_calls = 1;
        let mut limits = Limits::default();
        let now = fixture::instant();

        assert_eq!(limits.take(now, &settings, &carrier(), Begun::ByUs), Ok(()));
        assert_eq!(limits.take(now, &settings, &carrier(), Begun::ByCarrier), Err(Reason::Limit));
        limits.free(&carrier());
        assert_eq!(limits.take(now, &settings, &carrier(), Begun::ByCarrier), Ok(()));
        assert_eq!(limits.in_use(), 1);
    }

    #[test]
    fn only_calls_that_we_begin_count_towards_a_trunks_rate() {
        let mut settings = fixture::demo();
        settings.trunks[0].max_calls_per_second = 1;
        let mut limits = Limits::default();
        let now = fixture::instant();

        assert_eq!(limits.take(now, &settings, &carrier(), Begun::ByUs), Ok(()));
        assert_eq!(limits.take(now, &settings, &carrier(), Begun::ByUs), Err(Reason::Limit));
        assert_eq!(limits.take(now, &settings, &carrier(), Begun::ByCarrier), Ok(()));
    }
}
