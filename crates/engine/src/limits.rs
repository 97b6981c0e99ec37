//! What a tenant uses of what it may use. The check and the count are one step.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::{Limits as Allowed, Reason, TenantSettings};

/// Lines, trunk channels and starts per second that are in use.
#[derive(Debug, Default)]
pub struct Limits {
    lines: BTreeMap<String, u32>,
    trunks: BTreeMap<String, Channel>,
    starts: Rate,
}

#[derive(Debug, Default)]
struct Channel {
    calls: u32,
    starts: Rate,
}

impl Limits {
    /// Counts the start of a call, if the tenant may begin one while `live` others run.
    pub fn start_call(&mut self, now: Instant, allowed: &Allowed, live: usize) -> Result<(), Reason> {
        if live >= allowed.concurrent_calls as usize || !self.starts.take(now, allowed.calls_per_second) {
            return Err(Reason::Limit);
        }
        Ok(())
    }

    /// Takes a line of an extension.
    pub fn take_line(&mut self, settings: &TenantSettings, extension: &str) -> Result<(), Reason> {
        let lines = settings.extensions.get(extension).map_or(0, |extension| extension.lines);
        let used = self.lines.entry(extension.to_owned()).or_default();
        if *used >= lines {
            return Err(Reason::LinesTaken);
        }
        *used += 1;
        Ok(())
    }

    /// Whether an extension has a line left.
    pub fn has_line(&self, settings: &TenantSettings, extension: &str) -> bool {
        let lines = settings.extensions.get(extension).map_or(0, |extension| extension.lines);
        self.lines.get(extension).copied().unwrap_or_default() < lines
    }

    /// Gives a line back.
    pub fn free_line(&mut self, extension: &str) {
        if let Some(used) = self.lines.get_mut(extension) {
            *used = used.saturating_sub(1);
            if *used == 0 {
                self.lines.remove(extension);
            }
        }
    }

    /// Takes a channel of a trunk. `starts` tells whether we begin the call; what the carrier begins counts as a channel only.
    pub fn take_trunk(
        &mut self,
        now: Instant,
        settings: &TenantSettings,
        trunk: &str,
        starts: bool,
    ) -> Result<(), Reason> {
        let Some(set) = settings.trunks.iter().find(|set| set.name == trunk) else { return Err(Reason::NoRoute) };
        let channel = self.trunks.entry(trunk.to_owned()).or_default();
        if channel.calls >= set.max_calls || (starts && !channel.starts.take(now, set.max_calls_per_second)) {
            return Err(Reason::Limit);
        }
        channel.calls += 1;
        Ok(())
    }

    /// Gives a channel back.
    pub fn free_trunk(&mut self, trunk: &str) {
        if let Some(channel) = self.trunks.get_mut(trunk) {
            channel.calls = channel.calls.saturating_sub(1);
        }
    }

    /// Lines and channels in use: zero when no call is live.
    pub fn in_use(&self) -> usize {
        self.lines.values().sum::<u32>() as usize
            + self.trunks.values().map(|channel| channel.calls as usize).sum::<usize>()
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
        let allowed = Allowed { concurrent_calls: 2, ..fixture::demo().limits };
        let mut limits = Limits::default();
        let now = fixture::instant();

        assert_eq!(limits.start_call(now, &allowed, 1), Ok(()));
        assert_eq!(limits.start_call(now, &allowed, 2), Err(Reason::Limit));
    }

    #[test]
    fn starts_per_second_fill_up_evenly() {
        let allowed = Allowed { calls_per_second: 2, ..fixture::demo().limits };
        let mut limits = Limits::default();
        let now = fixture::instant();

        assert!(limits.start_call(now, &allowed, 0).is_ok());
        assert!(limits.start_call(now, &allowed, 0).is_ok());
        assert!(limits.start_call(now, &allowed, 0).is_err());
        assert!(limits.start_call(now + Duration::from_millis(500), &allowed, 0).is_ok());
        assert!(limits.start_call(now + Duration::from_millis(500), &allowed, 0).is_err());
    }

    #[test]
    fn a_phone_has_only_its_lines() {
        let settings = fixture::demo();
        let mut limits = Limits::default();

        assert_eq!(limits.take_line(&settings, "101"), Ok(()));
        assert_eq!(limits.take_line(&settings, "101"), Ok(()));
        assert_eq!(limits.take_line(&settings, "101"), Err(Reason::LinesTaken));
        limits.free_line("101");
        assert_eq!(limits.take_line(&settings, "101"), Ok(()));
        assert_eq!(limits.take_line(&settings, "109"), Err(Reason::LinesTaken));
    }

    #[test]
    fn a_trunk_has_only_its_channels() {
        let mut settings = fixture::demo();
        settings.trunks[0].max_calls = 1;
        let mut limits = Limits::default();
        let now = fixture::instant();

        assert_eq!(limits.take_trunk(now, &settings, "carrier", true), Ok(()));
        assert_eq!(limits.take_trunk(now, &settings, "carrier", true), Err(Reason::Limit));
        limits.free_trunk("carrier");
        assert_eq!(limits.take_trunk(now, &settings, "carrier", true), Ok(()));
        assert_eq!(limits.in_use(), 1);
    }
}
