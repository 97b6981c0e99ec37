//! Minutes of calls to the public network in a day of the tenant's zone.
//!
//! Whole started minutes of legs that we began and a carrier answered. A leg counts as it goes, and one that is not
//! answered yet counts as a minute, so that however many calls begin at once, no more do than there are minutes left.
//! Whoever talks when the last minute is used up talks on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{Kept, KeptKind, LegId, Reason, TenantSettings, Timestamp};

use crate::edge::Now;
use crate::limits::Urgency;

/// How often what live legs have used is kept: after a crash no more than this of each is unknown.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What one tenant used today.
#[derive(Debug, Default)]
pub struct Minutes {
    /// Today, once something was counted.
    day: Option<Date>,
    /// Minutes of legs that are over.
    used: u32,
    live: BTreeMap<LegId, Talking>,
    /// What is kept may have become different.
    changed: bool,
    /// What was kept last.
    kept: Option<(Date, u32)>,
    /// When live legs are looked at.
    look_at: Option<Instant>,
}

/// A leg that is not over.
#[derive(Clone, Copy, Debug, Default)]
struct Talking {
    /// When it was answered.
    since: Option<Instant>,
    /// Its minutes that began on days before.
    before: u32,
}

impl Minutes {
    /// Whether a leg may begin.
    pub fn may_begin(&mut self, now: Now, settings: &TenantSettings, urgency: Urgency) -> Result<(), Reason> {
        let Some(allowed) = settings.limits.daily_minutes.filter(|_| urgency == Urgency::Usual) else { return Ok(()) };
        self.turn(now, &settings.zone);
        let live = self.live.values().fold(0, |sum: u32, leg| sum.saturating_add(leg.minutes(now.mono)));
        if self.used.saturating_add(live) >= allowed { Err(Reason::MinutesUsedUp) } else { Ok(()) }
    }

    /// A leg begins.
    pub fn begin(&mut self, leg: LegId) {
        self.live.insert(leg, Talking::default());
    }

    /// A leg is answered. Legs that never began here do not count.
    pub fn answered(&mut self, now: Now, zone: &TimeZone, leg: &LegId) {
        self.turn(now, zone);
        if let Some(leg) = self.live.get_mut(leg) {
            leg.since = Some(now.mono);
            self.changed = true;
        }
    }

    /// A leg is over.
    pub fn ended(&mut self, now: Now, zone: &TimeZone, leg: &LegId) {
        self.turn(now, zone);
        if let Some(leg) = self.live.remove(leg).filter(|leg| leg.since.is_some()) {
            self.used = self.used.saturating_add(leg.minutes(now.mono));
            self.changed = true;
        }
    }

    /// Takes back what an earlier engine counted.
    pub fn take_back(&mut self, now: Now, zone: &TimeZone, day: &str, used: &str) {
        self.turn(now, zone);
        if let (Ok(day), Ok(used)) = (day.parse::<Date>(), used.parse::<u32>())
            && self.day == Some(day)
        {
            self.used = self.used.saturating_add(used);
        }
    }

    /// What is to be kept after a step, and when to be asked again.
    pub fn settle(&mut self, now: Now, settings: &TenantSettings) -> (Option<Kept>, Option<Instant>) {
        let is_due = self.look_at.take_if(|at| *at <= now.mono).is_some();
        if !std::mem::take(&mut self.changed) && !is_due {
            return (None, None);
        }
        if settings.limits.daily_minutes.is_none() {
            return (None, None);
        }
        self.turn(now, &settings.zone);
        let talking = || self.live.values().filter(|leg| leg.since.is_some());
        let used = talking().fold(self.used, |sum, leg| sum.saturating_add(leg.minutes(now.mono)));
        let wake_at = (talking().next().is_some() && self.look_at.is_none()).then(|| now.mono + LOOK_EVERY);
        self.look_at = self.look_at.or(wake_at);
        let Some(day) = self.day.filter(|day| self.kept != Some((*day, used))) else { return (None, wake_at) };
        self.kept = Some((day, used));
        let kept = Kept {
            tenant: settings.id,
            kind: KeptKind::Minutes,
            key: day.to_string(),
            value: Some(used.to_string()),
            expires: day.tomorrow().ok().and_then(|tomorrow| midnight(tomorrow, &settings.zone)),
        };
        (Some(kept), wake_at)
    }

    /// Legs that are not over.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// Begins a new day if one has begun. A minute belongs to the day in which it began.
    fn turn(&mut self, now: Now, zone: &TimeZone) {
        let today = now.wall.to_zoned(zone.clone()).date();
        // A clock that is set back over midnight gives nobody a second day's minutes.
        if self.day.is_some_and(|day| today <= day) {
            return;
        }
        if self.day.replace(today).is_none() {
            return;
        }
        self.used = 0;
        let today_for =
            midnight(today, zone).and_then(|midnight| Duration::try_from(now.wall.duration_since(midnight)).ok());
        for leg in self.live.values_mut() {
            let Some(since) = leg.since else { continue };
            let before = now.mono.saturating_duration_since(since).saturating_sub(today_for.unwrap_or_default());
            leg.before = started(before);
        }
        self.changed = true;
    }
}

impl Talking {
    /// Its minutes of today; one that is not answered has one in reserve.
    fn minutes(&self, now: Instant) -> u32 {
        self.since.map_or(1, |since| started(now.saturating_duration_since(since)).saturating_sub(self.before))
    }
}

/// Whole started minutes: a leg that was answered has one at least.
fn started(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(60_000)).unwrap_or(u32::MAX).max(1)
}

/// When a day begins.
fn midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    day.to_zoned(zone.clone()).ok().map(|midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const MINUTE: Duration = Duration::from_secs(60);

    struct Desk {
        minutes: Minutes,
        settings: TenantSettings,
        now: Now,
    }

    impl Desk {
        fn new(daily_minutes: u32) -> Self {
            let mut settings = fixture::demo();
            settings.limits.daily_minutes = Some(daily_minutes);
            let now = Now { mono: fixture::instant(), wall: "2026-11-20T23:00:00+07:00".parse().expect("a moment") };
            Self { minutes: Minutes::default(), settings, now }
        }

        fn pass(&mut self, time: Duration) {
            self.now.mono += time;
            self.now.wall += jiff::SignedDuration::try_from(time).expect("a span");
        }

        fn begins(&mut self, leg: u8) -> bool {
            let allowed = self.minutes.may_begin(self.now, &self.settings, Urgency::Usual).is_ok();
            if allowed {
                self.minutes.begin(id(leg));
            }
            allowed
        }

        fn answered(&mut self, leg: u8) {
            self.minutes.answered(self.now, &self.settings.zone, &id(leg));
        }

        fn ended(&mut self, leg: u8) {
            self.minutes.ended(self.now, &self.settings.zone, &id(leg));
        }

        fn kept(&mut self) -> Option<(String, String)> {
            let (kept, _) = self.minutes.settle(self.now, &self.settings);
            kept.and_then(|kept| Some((kept.key, kept.value?)))
        }

        fn talks(&mut self, leg: u8, time: Duration) {
            assert!(self.begins(leg), "minutes are left");
            self.answered(leg);
            self.pass(time);
            self.ended(leg);
        }
    }

    fn id(leg: u8) -> LegId {
        LegId::new(1_800_000_000, model::EngineNumber(1), u32::from(leg))
    }

    #[test]
    fn started_minutes_are_used_and_then_no_call_begins() {
        let mut desk = Desk::new(4);

        desk.talks(1, Duration::from_secs(1));
        desk.talks(2, MINUTE);
        desk.talks(3, MINUTE + Duration::from_secs(1));

        assert!(!desk.begins(4));
        desk.settings.limits.daily_minutes = Some(5);
        assert!(desk.begins(4));
    }

    #[test]
    fn a_call_that_nobody_answers_uses_nothing() {
        let mut desk = Desk::new(1);

        assert!(desk.begins(1));
        assert!(!desk.begins(2), "the minute is the first's as long as it may be answered");
        desk.ended(1);

        assert!(desk.begins(2));
    }

    #[test]
    fn of_a_hundred_calls_at_once_as_many_begin_as_there_are_minutes() {
        let mut desk = Desk::new(10);

        let begun = (0..100).filter(|leg| desk.begins(*leg)).count();

        assert_eq!((begun, desk.minutes.live()), (10, 10));
    }

    #[test]
    fn live_calls_count_as_they_go() {
        let mut desk = Desk::new(3);
        assert!(desk.begins(1));
        desk.answered(1);

        desk.pass(2 * MINUTE);
        assert!(desk.begins(2));
        desk.ended(2);
        desk.pass(Duration::from_secs(1));

        assert!(!desk.begins(3));
    }

    #[test]
    fn at_local_midnight_the_day_is_new_and_only_minutes_that_begin_in_it_count() {
        let mut desk = Desk::new(60);
        assert!(desk.begins(1));
        desk.answered(1);

        desk.pass(60 * MINUTE - Duration::from_secs(30));
        assert!(!desk.begins(2), "sixty have begun by 23:59:30");
        desk.pass(61 * MINUTE);
        desk.ended(1);

        // It began at 23:00:00: since 00:00:00 the minutes 61 to 121 have begun.
        assert_eq!(desk.kept(), Some(("2026-11-21".into(), "61".into())));
        assert!(!desk.begins(2));
        desk.pass(24 * 60 * MINUTE);
        assert!(desk.begins(2));
    }

    #[test]
    fn what_was_used_is_kept_as_it_grows_and_taken_back_on_its_day_alone() {
        let mut desk = Desk::new(5);
        assert!(desk.begins(1));
        assert_eq!(desk.kept(), None);
        desk.answered(1);
        assert_eq!(desk.kept(), Some(("2026-11-20".into(), "1".into())));
        desk.pass(MINUTE);
        assert_eq!(desk.kept(), None, "it is the first minute still");
        desk.pass(MINUTE);
        assert_eq!(desk.kept(), Some(("2026-11-20".into(), "2".into())));
        desk.pass(3 * MINUTE);

        let mut next = Desk::new(5);
        next.minutes.take_back(next.now, &next.settings.zone, "2026-11-20", "5");
        assert!(!next.begins(1));
        next.pass(60 * MINUTE);
        assert!(next.begins(1), "a new day");

        let mut tomorrow = Desk::new(5);
        tomorrow.minutes.take_back(tomorrow.now, &tomorrow.settings.zone, "2026-11-19", "5");
        assert!(tomorrow.begins(1));
    }

    #[test]
    fn whoever_needs_help_is_not_stopped() {
        let mut desk = Desk::new(0);

        assert!(!desk.begins(1));
        assert_eq!(desk.minutes.may_begin(desk.now, &desk.settings, Urgency::Emergency), Ok(()));
    }

    #[test]
    fn a_clock_set_back_gives_no_second_day() {
        let mut desk = Desk::new(1);
        desk.pass(61 * MINUTE);
        desk.talks(1, MINUTE);

        desk.now.wall -= jiff::SignedDuration::from_hours(2);

        assert!(!desk.begins(2));
    }
}
