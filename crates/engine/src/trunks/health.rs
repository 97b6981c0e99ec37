//! Whether calls go to a trunk: it answers when asked (OPTIONS), and has not asked to be left alone (503 with Retry-After).
//!
//!   Unknown ──answer──► Up ──three questions without an answer──► Down ──answer──► Up
//!
//! A trunk that answers calls and has never answered a question does not know OPTIONS; it is not down for that. One that
//! has just answered a call is not asked: it is there.

use std::time::{Duration, Instant};

use model::{Text, Timestamp, TrunkEvent, TrunkHealth, TrunkState};

use crate::edge::Now;

/// How long a trunk may think about a question; less where questions come faster.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// So many questions in a row without an answer, and no calls go there.
const FAILURES: u8 = 3;

/// The longest rest that a trunk is granted.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// One that an earlier engine found to be down is asked within this time.
const SOON_MS: u32 = 2_000;

/// The health of one trunk.
#[derive(Debug)]
pub struct Health {
    /// None: it is never asked.
    every: Option<Duration>,
    ask_at: Option<Instant>,
    /// By when the question that is open has to be answered.
    answer_by: Option<Instant>,
    failures: u8,
    /// How many of its places have not answered, one after the other.
    place: usize,
    down: bool,
    /// It has answered a question.
    answered: bool,
    /// It has answered a call.
    served: bool,
    rest: Option<Rest>,
    why: Text,
    since: Timestamp,
    /// That it is down was told, that it is up was not.
    told_down: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    at: Instant,
    wall: Timestamp,
}

impl Health {
    /// A trunk of which nothing is known.
    pub fn new(now: Now) -> Self {
        Self {
            every: None,
            ask_at: None,
            answer_by: None,
            failures: 0,
            place: 0,
            down: false,
            answered: false,
            served: false,
            rest: None,
            why: Text::default(),
            since: now.wall,
            told_down: false,
        }
    }

    /// How often it is asked from here on. `draw(most)` gives a random number from 0 to `most`.
    pub fn set_every(&mut self, now: Now, every: Option<Duration>, draw: impl FnOnce(u32) -> u32) {
        if self.every == every {
            return;
        }
        self.every = every;
        self.failures = 0;
        self.answer_by = None;
        // Nobody is kept from calling by not knowing, so there is no hurry; many trunks are not asked at one moment.
        let half = |every: Duration| u32::try_from(every.as_millis() / 2).unwrap_or(u32::MAX);
        self.ask_at = every.map(|every| now.mono + every / 2 + Duration::from_millis(draw(half(every)).into()));
        if every.is_none() && self.down {
            self.down = false;
            self.since = now.wall;
        }
    }

    /// How an earlier engine left it.
    pub fn take_back(&mut self, now: Now, kept: &TrunkHealth, draw: impl FnOnce(u32) -> u32) {
        self.since = kept.since;
        match kept.state {
            TrunkState::Down if self.every.is_some() => {
                self.down = true;
                self.ask_at = Some(now.mono + Duration::from_millis(draw(SOON_MS).into()));
            }
            TrunkState::Resting => {
                let left = kept.until.and_then(|until| Duration::try_from(until.duration_since(now.wall)).ok());
                self.rest = left.zip(kept.until).map(|(left, wall)| Rest { at: now.mono + left, wall });
            }
            _ => {}
        }
        self.answered = kept.state == TrunkState::Up;
        self.told_down = matches!(kept.state, TrunkState::Down | TrunkState::Resting);
        self.why = kept.why.clone();
    }

    /// Whether calls go there.
    pub fn takes_calls(&self, now: Instant) -> bool {
        !self.down && self.rest.is_none_or(|rest| rest.at <= now)
    }

    /// Does what is due. True: the question is to be sent.
    pub fn on_timeout(&mut self, now: Now, draw: impl FnOnce(u32) -> u32) -> bool {
        if self.answer_by.take_if(|at| *at <= now.mono).is_some() {
            self.failed(now, "it does not answer OPTIONS");
        }
        if self.rest.take_if(|rest| rest.at <= now.mono).is_some() {
            self.since = now.wall;
        }
        let Some(every) = self.every else { return false };
        if self.ask_at.take_if(|at| *at <= now.mono).is_none() {
            return false;
        }
        // A little earlier or later each time, so that many trunks do not come to be asked at one moment.
        let tenth = u32::try_from(every.as_millis() / 10).unwrap_or(u32::MAX);
        let shift = Duration::from_millis(draw(tenth).into());
        self.ask_at = Some(now.mono + every - every / 20 + shift);
        self.answer_by = Some(now.mono + ANSWER_WITHIN.min(every * 9 / 10));
        true
    }

    /// The question was answered with this status. Those that come from a place before the trunk count as none.
    pub fn on_answer(&mut self, now: Now, status: u16) {
        if is_of_others(status) {
            if self.answer_by.take().is_some() {
                self.failed(now, &format!("it answers OPTIONS with {status}"));
            }
            return;
        }
        self.answer_by = None;
        let first = !std::mem::replace(&mut self.answered, true);
        if first && !self.served {
            self.since = now.wall;
        }
        self.lives(now);
    }

    /// It has answered a call, whatever it said.
    pub fn on_service(&mut self, now: Now) {
        let first = !std::mem::replace(&mut self.served, true);
        if first && !self.answered {
            self.since = now.wall;
        }
        if let (Some(every), Some(at)) = (self.every, &mut self.ask_at) {
            *at = (*at).max(now.mono + every);
        }
        self.lives(now);
    }

    /// A call got no answer of any kind: what it did before says nothing any more.
    pub fn on_silence(&mut self) {
        self.served = false;
    }

    /// It has called, or answered something that is neither a call nor a question: it is there. One that was down all the
    /// same, and has never answered a question, does not know OPTIONS.
    pub fn on_sign(&mut self, now: Now) {
        self.served |= self.down;
        self.lives(now);
    }

    /// The question could not be sent, or was not answered at all.
    pub fn on_failure(&mut self, now: Now) {
        if self.answer_by.take().is_some() {
            self.failed(now, "it cannot be reached");
        }
    }

    /// It asks to be left alone.
    pub fn rest(&mut self, now: Now, how_long: Duration) {
        let how_long = how_long.min(LONGEST_REST);
        if how_long.is_zero() {
            return;
        }
        let Ok(wall) = now.wall.checked_add(how_long) else { return };
        if self.rest.is_none() {
            self.since = now.wall;
        }
        self.rest = Some(Rest { at: now.mono + how_long, wall });
        self.why = Text::from(format!("it asked to be left alone for {} s", how_long.as_secs()));
    }

    /// What has become different since the last time, to be told.
    pub fn change(&mut self, now: Instant) -> Option<TrunkEvent> {
        let is_down = !self.takes_calls(now);
        if is_down == self.told_down {
            return None;
        }
        self.told_down = is_down;
        if is_down {
            return Some(TrunkEvent::Down { why: self.why.clone() });
        }
        self.why = Text::default();
        Some(TrunkEvent::Up)
    }

    /// How many of its places have not answered, one after the other.
    pub fn place(&self) -> usize {
        self.place
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.ask_at, self.answer_by, self.rest.map(|rest| rest.at)].into_iter().flatten().min()
    }

    /// How it stands. None: nothing is known.
    pub fn kept(&self, now: Instant) -> Option<TrunkHealth> {
        let resting = self.rest.filter(|rest| rest.at > now);
        let state = match resting {
            _ if self.down => TrunkState::Down,
            Some(_) => TrunkState::Resting,
            None if self.answered || self.served => TrunkState::Up,
            None => TrunkState::Unknown,
        };
        if state == TrunkState::Unknown {
            return None;
        }
        Some(TrunkHealth {
            state,
            since: self.since,
            why: if self.takes_calls(now) { Text::default() } else { self.why.clone() },
            until: resting.filter(|_| !self.down).map(|rest| rest.wall),
            registration: None,
        })
    }

    fn lives(&mut self, now: Now) {
        self.failures = 0;
        if std::mem::take(&mut self.down) {
            self.since = now.wall;
        }
    }

    fn failed(&mut self, now: Now, why: &str) {
        self.place = self.place.wrapping_add(1);
        if self.served && !self.answered {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES && !self.down {
            self.down = true;
            self.since = now.wall;
            self.why = Text::from(why);
        }
    }
}

/// Whether this answer may come from a place before the trunk, so that it does not show that somebody is there.
pub fn is_of_others(status: u16) -> bool {
    matches!(status, 408 | 502 | 503 | 504)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const EVERY: Duration = Duration::from_secs(30);

    fn begin() -> (Now, Health) {
        let now = Now { mono: fixture::instant(), wall: Timestamp::UNIX_EPOCH };
        let mut health = Health::new(now);
        health.set_every(now, Some(EVERY), |_| 0);
        (now, health)
    }

    fn after(now: Now, seconds: u64) -> Now {
        let by = Duration::from_secs(seconds);
        Now { mono: now.mono + by, wall: now.wall + by }
    }

    /// Asks so many times in vain; gives the moment after the last.
    fn unanswered(health: &mut Health, mut now: Now, times: u32) -> Now {
        for _ in 0..times {
            now.mono = health.poll_timeout().expect("it is to be asked");
            assert!(health.on_timeout(now, |_| 0));
            now = after(now, 4);
            assert!(!health.on_timeout(now, |_| 0));
        }
        now
    }

    #[test]
    fn three_questions_without_an_answer_and_it_is_down_until_it_answers() {
        let (now, mut health) = begin();

        let now = unanswered(&mut health, now, 2);
        assert!(health.takes_calls(now.mono) && health.change(now.mono).is_none());
        let now = unanswered(&mut health, now, 1);

        assert!(!health.takes_calls(now.mono));
        assert!(matches!(health.change(now.mono), Some(TrunkEvent::Down { .. })));
        assert_eq!(health.change(now.mono), None);
        health.on_answer(now, 404);
        assert_eq!(health.change(now.mono), Some(TrunkEvent::Up));
    }

    #[test]
    fn an_answer_that_comes_late_counts() {
        let (now, mut health) = begin();

        let now = unanswered(&mut health, now, 2);
        health.on_answer(now, 200);
        let now = unanswered(&mut health, now, 2);

        assert!(health.takes_calls(now.mono));
    }

    #[test]
    fn one_that_is_asked_every_second_is_found_out_too() {
        let (now, mut health) = begin();
        health.set_every(now, Some(Duration::from_secs(1)), |_| 0);

        for _ in 0..6 {
            let at = health.poll_timeout().expect("it is asked");
            health.on_timeout(Now { mono: at, ..now }, |_| 0);
        }

        assert!(!health.takes_calls(now.mono + Duration::from_secs(6)));
    }

    #[test]
    fn one_that_has_just_answered_a_call_is_not_asked() {
        let (now, mut health) = begin();
        let later = after(now, 14);

        health.on_service(later);

        assert_eq!(health.poll_timeout(), Some(later.mono + EVERY));
    }

    #[test]
    fn one_that_takes_calls_and_knows_no_options_is_not_down() {
        let (now, mut health) = begin();

        health.on_service(now);
        let now = unanswered(&mut health, now, 9);

        assert!(health.takes_calls(now.mono));
    }

    #[test]
    fn one_that_took_calls_and_is_silent_now_is_down_after_three_questions() {
        let (now, mut health) = begin();
        health.on_service(now);
        let now = unanswered(&mut health, now, 9);

        health.on_silence();
        let now = unanswered(&mut health, now, 2);
        assert!(health.takes_calls(now.mono));
        let now = unanswered(&mut health, now, 1);

        assert!(!health.takes_calls(now.mono));
    }

    #[test]
    fn one_that_was_down_is_up_as_soon_as_it_shows_itself_and_is_not_asked_in_vain_again() {
        let (now, mut health) = begin();
        let now = unanswered(&mut health, now, 3);
        health.change(now.mono);

        health.on_sign(now);

        assert_eq!(health.change(now.mono), Some(TrunkEvent::Up));
        assert_eq!(health.kept(now.mono).map(|kept| kept.state), Some(TrunkState::Up));
        let now = unanswered(&mut health, now, 9);
        assert!(health.takes_calls(now.mono), "it does not know OPTIONS");
    }

    #[test]
    fn one_that_knows_options_goes_down_again_after_a_sign_when_it_answers_none() {
        let (now, mut health) = begin();
        health.on_answer(now, 200);
        let now = unanswered(&mut health, now, 2);

        health.on_sign(now);
        let now = unanswered(&mut health, now, 2);
        let still_up = health.takes_calls(now.mono);
        let now = unanswered(&mut health, now, 1);

        assert!(still_up && !health.takes_calls(now.mono));
    }

    #[test]
    fn it_rests_for_as_long_as_it_asked() {
        let (now, mut health) = begin();

        health.rest(now, Duration::from_secs(60));
        let later = after(now, 59);

        assert!(!health.takes_calls(later.mono) && health.takes_calls(after(now, 60).mono));
        assert!(matches!(health.change(now.mono), Some(TrunkEvent::Down { .. })));
        let kept = health.kept(now.mono).expect("it stands somehow");
        assert_eq!((kept.state, kept.until), (TrunkState::Resting, Some(after(now, 60).wall)));
    }

    #[test]
    fn it_is_as_an_earlier_engine_left_it() {
        let (now, mut before) = begin();
        let now = unanswered(&mut before, now, 3);
        before.change(now.mono);
        let kept = before.kept(now.mono).expect("it stands somehow");

        let (_, mut health) = begin();
        health.take_back(now, &kept, |_| 0);

        assert!(!health.takes_calls(now.mono) && health.change(now.mono).is_none());
        assert_eq!(health.kept(now.mono), Some(kept));
    }

    #[test]
    fn one_that_is_not_asked_any_more_is_given_another_chance() {
        let (now, mut health) = begin();
        let now = unanswered(&mut health, now, 3);
        health.change(now.mono);

        health.set_every(now, None, |_| 0);

        assert_eq!(health.change(now.mono), Some(TrunkEvent::Up));
        assert_eq!(health.poll_timeout(), None);
    }
}
