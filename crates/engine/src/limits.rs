//! What is in use of what may be used. The check and the count are one step.
//!
//! A tenant's calls and lines are counted here; channels of trunks where the trunks are, once over all tenants.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::{Reason, TenantSettings, Trunk};

use crate::key::TrunkKey;
use crate::minutes::Minutes;

/// Calls, lines and starts per second of one tenant that are in use.
#[derive(Debug, Default)]
pub struct Limits {
    calls: u32,
    starts: Rate,
    lines: BTreeMap<String, u32>,
    /// How often a line was taken or given back.
    moves: u64,
    /// Minutes of calls to the public network.
    pub minutes: Minutes,
}

/// What one leg uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Uses {
    /// A line of an extension.
    Line(String),
    /// A channel of a trunk.
    Trunk(TrunkKey),
}

/// Who begins a call on a trunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begun {
    /// We do: it counts towards the trunk's starts per second.
    ByUs,
    /// The carrier does.
    ByCarrier,
}

/// Whether limits count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// They do.
    Usual,
    /// They are counted, and stop nobody: whoever calls needs help.
    Emergency,
}

/// What is in use of one trunk.
#[derive(Debug, Default)]
pub struct Channels {
    calls: u32,
    starts: Rate,
}

impl Limits {
    /// Counts a call that begins, if the tenant may begin one.
    pub fn start_call(&mut self, now: Instant, settings: &TenantSettings, urgency: Urgency) -> Result<(), Reason> {
        let allowed = &settings.limits;
        let within = self.calls < allowed.concurrent_calls && self.starts.take(now, allowed.calls_per_second);
        if !within && urgency == Urgency::Usual {
            return Err(Reason::Limit);
        }
        self.calls += 1;
        Ok(())
    }

    /// A call is over.
    pub fn end_call(&mut self) {
        self.calls = self.calls.saturating_sub(1);
    }

    /// Takes a line of an extension.
    pub fn take_line(&mut self, settings: &TenantSettings, extension: &str, urgency: Urgency) -> Result<(), Reason> {
        if urgency == Urgency::Usual && !self.has_line(settings, extension) {
            return Err(Reason::LinesTaken);
        }
        *self.lines.entry(extension.to_owned()).or_default() += 1;
        self.moves += 1;
        Ok(())
    }

    /// Gives a line back.
    pub fn free_line(&mut self, extension: &str) {
        self.moves += 1;
        if let Some(used) = self.lines.get_mut(extension) {
            *used = used.saturating_sub(1);
            if *used == 0 {
                self.lines.remove(extension);
            }
        }
    }

    /// Whether an extension has a line left.
    pub fn has_line(&self, settings: &TenantSettings, extension: &str) -> bool {
        let lines = settings.extensions.get(extension).map_or(0, |extension| extension.lines);
        self.lines.get(extension).copied().unwrap_or_default() < lines
    }

    /// How many lines of an extension are in use.
    pub fn lines_in_use(&self, extension: &str) -> u32 {
        self.lines.get(extension).copied().unwrap_or_default()
    }

    /// Another number than before: lines were taken or given back since.
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// Calls, lines and running minutes in use: zero when no call is live.
    pub fn in_use(&self) -> usize {
        (self.calls + self.lines.values().sum::<u32>()) as usize + self.minutes.live()
    }
}

impl Channels {
    /// Takes a channel.
    pub fn take(&mut self, now: Instant, trunk: &Trunk, begun: Begun, urgency: Urgency) -> Result<(), Reason> {
        let is_full = self.calls >= trunk.max_calls;
        let is_too_many = is_full || (begun == Begun::ByUs && !self.starts.take(now, trunk.max_calls_per_second));
        if is_too_many && urgency == Urgency::Usual {
            return Err(Reason::Limit);
        }
        self.calls += 1;
        Ok(())
    }

    /// Gives a channel back.
    pub fn free(&mut self) {
        self.calls = self.calls.saturating_sub(1);
    }

    /// Channels in use.
    pub fn in_use(&self) -> u32 {
        self.calls
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

    #[test]
    fn no_more_calls_are_begun_at_once_than_allowed() {
        let mut settings = fixture::demo();
        settings.limits.concurrent_calls = 1;
        let mut limits = Limits::default();
        let now = fixture::instant();

        assert_eq!(limits.start_call(now, &settings, Urgency::Usual), Ok(()));
        assert_eq!(limits.start_call(now, &settings, Urgency::Usual), Err(Reason::Limit));
        limits.end_call();
        assert_eq!(limits.start_call(now, &settings, Urgency::Usual), Ok(()));
    }

    #[test]
    fn starts_per_second_fill_up_evenly() {
        let mut settings = fixture::demo();
        settings.limits.calls_per_second = 2;
        let mut limits = Limits::default();
        let now = fixture::instant();
        let half_a_second_later = now + Duration::from_millis(500);

        assert!(limits.start_call(now, &settings, Urgency::Usual).is_ok());
        assert!(limits.start_call(now, &settings, Urgency::Usual).is_ok());
        assert!(limits.start_call(now, &settings, Urgency::Usual).is_err());
        assert!(limits.start_call(half_a_second_later, &settings, Urgency::Usual).is_ok());
        assert!(limits.start_call(half_a_second_later, &settings, Urgency::Usual).is_err());
    }

    #[test]
    fn a_phone_has_only_its_lines() {
        let settings = fixture::demo();
        let mut limits = Limits::default();
        let take = |limits: &mut Limits, extension| limits.take_line(&settings, extension, Urgency::Usual);

        assert_eq!(take(&mut limits, "101"), Ok(()));
        assert_eq!(take(&mut limits, "101"), Ok(()));
        assert_eq!(take(&mut limits, "101"), Err(Reason::LinesTaken));
        limits.free_line("101");
        assert_eq!(take(&mut limits, "101"), Ok(()));
        assert_eq!(take(&mut limits, "109"), Err(Reason::LinesTaken));
    }

    #[test]
    fn a_trunk_has_only_its_channels() {
        let trunk = Trunk { max_calls: 1, ..fixture::demo().trunks.remove(0) };
        let mut channels = Channels::default();
        let now = fixture::instant();

        assert_eq!(channels.take(now, &trunk, Begun::ByUs, Urgency::Usual), Ok(()));
        assert_eq!(channels.take(now, &trunk, Begun::ByCarrier, Urgency::Usual), Err(Reason::Limit));
        channels.free();
        assert_eq!(channels.take(now, &trunk, Begun::ByCarrier, Urgency::Usual), Ok(()));
        assert_eq!(channels.in_use(), 1);
    }

    #[test]
    fn only_calls_that_we_begin_count_towards_a_trunks_rate() {
        let trunk = Trunk { max_calls_per_second: 1, ..fixture::demo().trunks.remove(0) };
        let mut channels = Channels::default();
        let now = fixture::instant();

        assert_eq!(channels.take(now, &trunk, Begun::ByUs, Urgency::Usual), Ok(()));
        assert_eq!(channels.take(now, &trunk, Begun::ByUs, Urgency::Usual), Err(Reason::Limit));
        assert_eq!(channels.take(now, &trunk, Begun::ByCarrier, Urgency::Usual), Ok(()));
    }

    #[test]
    fn whoever_needs_help_is_stopped_by_nothing_and_counted() {
        let mut settings = fixture::demo();
        settings.limits.concurrent_calls = 0;
        let trunk = Trunk { max_calls: 0, ..settings.trunks[0].clone() };
        let (mut limits, mut channels) = (Limits::default(), Channels::default());
        let now = fixture::instant();

        assert_eq!(limits.start_call(now, &settings, Urgency::Emergency), Ok(()));
        assert_eq!(limits.take_line(&settings, "109", Urgency::Emergency), Ok(()));
        assert_eq!(channels.take(now, &trunk, Begun::ByUs, Urgency::Emergency), Ok(()));
        assert_eq!((limits.in_use(), channels.in_use()), (2, 1));
    }
}
