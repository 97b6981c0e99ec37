//! Sources that tried wrong passwords, and the bans that come of it: each longer than the one before.
//!
//! Only wrong answers to a challenge of ours count: whoever gives one has read what we sent to its address, so nobody
//! can have another banned by writing a false sender on packets.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use model::{Ban, Keyed, Map, Source};

use crate::edge::Now;

/// So many wrong answers within a [`WINDOW`] are a ban.
const WRONG: u32 = 10;
/// The same from where a phone has signed in rightly a while ago: an office whose one phone is set up wrongly is not
/// cut off for it.
const WRONG_AMONG_GOOD: u32 = 100;
/// How long a source counts as one from where phones sign in rightly.
const GOOD_FOR: Duration = Duration::from_secs(3_600);
/// The time in which wrong answers are counted, from the first.
const WINDOW: Duration = Duration::from_secs(300);
/// The first ban of a source.
const FIRST: Duration = Duration::from_secs(60);
/// Each ban is so many times as long as the one before,
const GROWTH: u32 = 4;
/// up to this,
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// and so long after a ban's end the next would be a first one again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// Sources remembered at a time. When they are too many, the least bad of some makes room.
const SOURCES: usize = 16_384;
/// How many are looked at for that.
const LOOK: usize = 32;

/// What is remembered of sources.
#[derive(Debug)]
pub struct Bans {
    sources: Map<Source, Known>,
    /// The same sources, in the order in which they are looked at to make room.
    turns: VecDeque<Source>,
    /// No ban ends later than this: while it lies in the past, nobody is banned.
    last_end: Option<Instant>,
    /// Sources whose bans were forgotten to make room.
    forgotten: Vec<Source>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// Wrong answers since `since`.
    wrong: u32,
    since: Instant,
    /// When somebody last signed in rightly from there.
    right_at: Option<Instant>,
    /// Bans in a row.
    times: u32,
    /// When the last of them ends or ended.
    until: Option<Instant>,
}

impl Bans {
    pub fn new(keyed: Keyed) -> Self {
        Self { sources: Map::with_hasher(keyed), turns: VecDeque::new(), last_end: None, forgotten: Vec::new() }
    }

    /// Somebody gave a wrong answer. Gives the ban, if it was one too many.
    pub fn wrong(&mut self, now: Now, source: Source) -> Option<Ban> {
        let known = self.known(now.mono, source, Worth::Wrong)?;
        known.tidy(now.mono);
        if known.is_banned(now.mono) {
            return None;
        }
        if now.mono >= known.since + WINDOW {
            (known.wrong, known.since) = (0, now.mono);
        }
        known.wrong += 1;
        let allowed = if known.is_good(now.mono) { WRONG_AMONG_GOOD } else { WRONG };
        if known.wrong < allowed {
            return None;
        }
        known.times = known.times.saturating_add(1);
        known.wrong = 0;
        let length = length_of(known.times);
        let end = now.mono + length;
        known.until = Some(end);
        let times = known.times;
        self.last_end = self.last_end.max(Some(end));
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::ZERO);
        let until = now.wall.saturating_add(length).unwrap_or(now.wall);
        Some(Ban { source, since: now.wall, until, times })
    }

    /// Somebody signed in rightly: everything is forgiven. True if there was a ban to forgive.
    pub fn right(&mut self, now: Instant, source: Source) -> bool {
        let Some(known) = self.known(now, source, Worth::Nothing) else { return false };
        let was_bad = known.times > 0;
        *known = Known { right_at: Some(now), ..Known::new(now) };
        was_bad
    }

    /// Whether nothing is taken from there.
    pub fn is_banned(&self, now: Instant, source: impl FnOnce() -> Source) -> bool {
        self.last_end.is_some_and(|end| now < end)
            && self.sources.get(&source()).is_some_and(|known| known.is_banned(now))
    }

    /// Forgets everything bad of a source. False: it was not banned.
    pub fn lift(&mut self, now: Instant, source: Source) -> bool {
        match self.sources.get_mut(&source) {
            Some(known) if known.is_banned(now) => {
                *known = Known::new(now);
                true
            }
            _ => false,
        }
    }

    /// Takes up a ban of an earlier start.
    pub fn take_back(&mut self, now: Now, ban: &Ban) {
        let Ok(left) = Duration::try_from(ban.until.duration_since(now.wall)) else { return };
        let end = now.mono + left.min(LONGEST);
        let Some(known) = self.known(now.mono, ban.source, Worth::Banned) else { return };
        (known.times, known.until) = (ban.times, Some(end));
        self.last_end = self.last_end.max(Some(end));
    }

    /// A source whose ban was forgotten to make room for a worse one.
    pub fn poll_forgotten(&mut self) -> Option<Source> {
        self.forgotten.pop()
    }

    /// How many are banned. Looks at all of them.
    pub fn len(&self, now: Instant) -> usize {
        if self.last_end.is_none_or(|end| end <= now) {
            return 0;
        }
        self.sources.values().filter(|known| known.is_banned(now)).count()
    }

    /// What is known of a source. None: it is not remembered, and worth less than those that are.
    fn known(&mut self, now: Instant, source: Source, worth: Worth) -> Option<&mut Known> {
        if !self.sources.contains_key(&source) {
            if self.sources.len() >= SOURCES && !self.make_room(now, worth) {
                return None;
            }
            self.turns.push_back(source);
            self.sources.insert(source, Known::new(now));
        }
        self.sources.get_mut(&source)
    }

    /// Makes room for one more that is worth remembering this much. False: those whose turn it is are worth more.
    fn make_room(&mut self, now: Instant, worth: Worth) -> bool {
        let looked_at: Vec<Source> = self.turns.drain(..LOOK.min(self.turns.len())).collect();
        let badness = |source: &Source| self.sources.get(source).map(|known| (known.worth(now), known.until));
        let least = looked_at.iter().copied().min_by_key(badness);
        let least = least.filter(|least| badness(least).is_none_or(|(known, _)| known <= worth));
        self.turns.extend(looked_at.into_iter().filter(|source| Some(*source) != least));
        let Some(least) = least else { return false };
        if self.sources.remove(&least).is_some_and(|known| known.times > 0) {
            self.forgotten.push(least);
        }
        true
    }
}

/// How much it matters to remember a source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Worth {
    Nothing,
    Wrong,
    Bad,
    Banned,
}

impl Known {
    fn new(now: Instant) -> Self {
        Self { wrong: 0, since: now, right_at: None, times: 0, until: None }
    }

    fn is_banned(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    fn is_good(&self, now: Instant) -> bool {
        self.right_at.is_some_and(|at| now < at + GOOD_FOR)
    }

    fn tidy(&mut self, now: Instant) {
        if self.until.is_some_and(|until| now >= until + FORGOTTEN_AFTER) {
            (self.times, self.until) = (0, None);
        }
    }

    fn worth(&self, now: Instant) -> Worth {
        match self.until {
            Some(until) if now < until => Worth::Banned,
            Some(until) if now < until + FORGOTTEN_AFTER => Worth::Bad,
            _ if self.wrong > 0 && now < self.since + WINDOW => Worth::Wrong,
            _ => Worth::Nothing,
        }
    }
}

fn length_of(times: u32) -> Duration {
    let grown = GROWTH.checked_pow(times.saturating_sub(1)).and_then(|grown| FIRST.checked_mul(grown));
    grown.map_or(LONGEST, |length| length.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::instant;

    const MINUTE: Duration = Duration::from_secs(60);

    struct Desk {
        bans: Bans,
        now: Now,
    }

    impl Desk {
        fn new() -> Self {
            let now = Now { mono: instant(), wall: "2026-01-01T00:00:00Z".parse().unwrap() };
            Self { bans: Bans::new(Keyed::new(&[1; 32])), now }
        }

        fn pass(&mut self, time: Duration) {
            self.now.mono += time;
            self.now.wall += SignedDuration::try_from(time).unwrap();
        }

        fn wrong(&mut self, times: u32) -> Option<Ban> {
            (0..times).find_map(|_| self.bans.wrong(self.now, source()))
        }

        fn is_banned(&self) -> bool {
            self.bans.is_banned(self.now.mono, source)
        }
    }

    fn source() -> Source {
        "192.0.2.7".parse().unwrap()
    }

    #[test]
    fn the_tenth_wrong_password_within_five_minutes_is_a_ban_of_one() {
        let mut desk = Desk::new();

        assert_eq!(desk.wrong(9), None);
        assert!(!desk.is_banned());
        let ban = desk.wrong(1).expect("a ban");

        assert_eq!(ban.until.to_string(), "2026-01-01T00:01:00Z");
        assert_eq!((desk.is_banned(), desk.bans.len(desk.now.mono)), (true, 1));
        desk.pass(MINUTE);
        assert_eq!((desk.is_banned(), desk.bans.len(desk.now.mono)), (false, 0));
    }

    #[test]
    fn wrong_passwords_now_and_then_are_no_ban() {
        let mut desk = Desk::new();

        for _ in 0..20 {
            assert_eq!(desk.wrong(9), None);
            desk.pass(WINDOW);
        }

        assert!(!desk.is_banned());
    }

    #[test]
    fn each_ban_is_longer_than_the_one_before_up_to_a_day() {
        let mut desk = Desk::new();

        let minutes: Vec<i64> = (0..9)
            .map(|_| {
                let ban = desk.wrong(10).expect("a ban");
                desk.pass(Duration::try_from(ban.until.duration_since(ban.since)).unwrap());
                ban.until.duration_since(ban.since).as_mins()
            })
            .collect();

        assert_eq!(minutes, [1, 4, 16, 64, 256, 1_024, 1_440, 1_440, 1_440]);
    }

    #[test]
    fn a_day_after_its_end_a_ban_is_forgotten() {
        let mut desk = Desk::new();
        desk.wrong(10).expect("a ban");
        desk.pass(MINUTE + FORGOTTEN_AFTER);

        let ban = desk.wrong(10).expect("a ban");

        assert_eq!(ban.times, 1);
    }

    #[test]
    fn a_success_forgives() {
        let mut desk = Desk::new();
        desk.wrong(10).expect("a ban");
        desk.pass(MINUTE);

        assert!(desk.bans.right(desk.now.mono, source()), "there was a ban to forgive");
        assert!(!desk.bans.right(desk.now.mono, source()), "and now there is none");

        desk.pass(GOOD_FOR);
        assert_eq!(desk.wrong(10).expect("a ban").times, 1);
    }

    #[test]
    fn an_office_is_not_cut_off_for_one_phone_that_is_set_up_wrongly() {
        let mut desk = Desk::new();
        desk.bans.right(desk.now.mono, source());

        for _ in 0..12 {
            assert_eq!(desk.wrong(60), None);
            desk.pass(WINDOW - Duration::from_secs(1));
            desk.bans.right(desk.now.mono, source());
        }

        assert!(desk.wrong(100).is_some(), "but there is an end to it");
    }

    #[test]
    fn a_lifted_ban_is_gone_with_its_growth_and_nobody_else_can_be_lifted() {
        let mut desk = Desk::new();
        desk.wrong(10).expect("a ban");

        let lifted = [desk.bans.lift(desk.now.mono, source()), desk.bans.lift(desk.now.mono, source())];

        assert_eq!(lifted, [true, false]);
        assert!(!desk.is_banned());
        assert_eq!(desk.wrong(10).expect("a ban").times, 1);
    }

    #[test]
    fn a_ban_outlives_a_restart_and_grows_on() {
        let mut desk = Desk::new();
        desk.wrong(10).expect("a ban");
        desk.pass(MINUTE);
        let ban = desk.wrong(10).expect("a ban");

        desk.bans = Bans::new(Keyed::new(&[2; 32]));
        desk.pass(MINUTE);
        desk.bans.take_back(desk.now, &ban);

        assert!(desk.is_banned());
        desk.pass(3 * MINUTE);
        assert!(!desk.is_banned());
        assert_eq!(desk.wrong(10).expect("a ban").times, 3);
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_worst() {
        let mut desk = Desk::new();
        for n in 0..200_u32 {
            let bad = Source::of(std::net::IpAddr::V4((0x0a00_0000 + n).into()));
            for _ in 0..10 {
                let _ = desk.bans.wrong(desk.now, bad);
            }
        }

        for n in 0..20_000_u32 {
            let once = Source::of(std::net::IpAddr::V4((0x0b00_0000 + n).into()));
            desk.bans.wrong(desk.now, once);
            desk.bans.right(desk.now.mono, Source::of(std::net::IpAddr::V4((0x0c00_0000 + n).into())));
        }

        assert!(desk.bans.sources.len() <= SOURCES && desk.bans.turns.len() <= SOURCES);
        assert_eq!(desk.bans.len(desk.now.mono), 200);
        assert_eq!(desk.bans.poll_forgotten(), None);
    }
}
