//! Phones behind NAT, which forgets them unless something passes: each is asked every so often whether it is there.
//!
//! Only counts: when to ask and how is left to the engine and `lines/sip/keep_alive.rs`. A phone's turn comes again at the
//! same place in the period, and the places of many phones are spread over it.

use std::collections::BTreeMap;

/// So many questions in a row without any answer, and the phone is gone.
const UNANSWERED: u8 = 3;

/// Names a phone that is asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WatchId(pub u64);

/// All phones of a tenant that are asked.
#[derive(Debug, Default)]
pub struct Watches {
    watched: BTreeMap<WatchId, Watched>,
    /// Those whose first question has no time yet.
    fresh: Vec<First>,
    count: u64,
}

/// When a phone is asked first, as a part of the period.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct First {
    /// The phone.
    pub watch: WatchId,
    /// 0 to 1.
    pub part: f64,
}

#[derive(Debug)]
struct Watched {
    extension: String,
    /// Questions since the last answer.
    unanswered: u8,
}

/// What is to be done when it is a phone's turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Ask it.
    Ask {
        /// Whose phone it is.
        extension: String,
    },
    /// It has not answered for too long.
    Dead {
        /// Whose phone it was.
        extension: String,
    },
    /// It is not asked any more.
    Gone,
}

impl Watches {
    /// Begins to ask a phone: one that has just spoken in the second half of the period, one of before a restart, whose
    /// last words are unknown, at any time in it.
    pub fn begin(&mut self, extension: &str, has_spoken: bool) -> WatchId {
        self.count += 1;
        let watch = WatchId(self.count);
        self.watched.insert(watch, Watched { extension: extension.to_owned(), unanswered: 0 });
        // Multiples of the golden ratio fall into the largest gap that those before them have left.
        let part = (self.count as f64 * 0.618_033_988_749_895).fract();
        let part = if has_spoken { 0.5 + part / 2.0 } else { part };
        self.fresh.push(First { watch, part });
        watch
    }

    /// The phone is not asked any more.
    pub fn end(&mut self, watch: WatchId) {
        self.watched.remove(&watch);
    }

    /// The phone was heard.
    pub fn heard(&mut self, watch: WatchId) {
        if let Some(watched) = self.watched.get_mut(&watch) {
            watched.unanswered = 0;
        }
    }

    /// It is the phone's turn.
    pub fn turn(&mut self, watch: WatchId) -> Turn {
        let Some(watched) = self.watched.get_mut(&watch) else { return Turn::Gone };
        let extension = watched.extension.clone();
        if watched.unanswered >= UNANSWERED {
            self.watched.remove(&watch);
            return Turn::Dead { extension };
        }
        watched.unanswered += 1;
        Turn::Ask { extension }
    }

    /// Those whose first question has no time yet. They count as timed from here on.
    pub fn take_fresh(&mut self) -> Vec<First> {
        std::mem::take(&mut self.fresh)
    }

    /// How many are asked.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.watched.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_three_questions_without_an_answer_the_phone_is_dead() {
        let mut watches = Watches::default();
        let watch = watches.begin("101", true);
        let mut turn = |heard: bool| {
            let turn = watches.turn(watch);
            if heard {
                watches.heard(watch);
            }
            turn
        };

        let turns =
            [turn(false), turn(false), turn(true), turn(false), turn(false), turn(false), turn(false), turn(false)];

        let ask = Turn::Ask { extension: "101".into() };
        let dead = Turn::Dead { extension: "101".into() };
        assert_eq!(turns[..6], [const { &() }; 6].map(|()| ask.clone()));
        assert_eq!(turns[6..], [dead, Turn::Gone]);
    }

    #[test]
    fn the_first_questions_of_many_phones_are_spread() {
        let mut watches = Watches::default();
        for _ in 0..10_000 {
            watches.begin("101", false);
        }

        let mut tenths = [0_u32; 10];
        for first in watches.take_fresh() {
            tenths[(first.part * 10.0) as usize] += 1;
        }

        assert!(tenths.iter().all(|count| (990..=1_010).contains(count)), "{tenths:?}");
        assert!(watches.take_fresh().is_empty());
    }

    #[test]
    fn a_phone_that_has_just_spoken_is_left_alone_for_half_a_period() {
        let mut watches = Watches::default();
        for _ in 0..100 {
            watches.begin("101", true);
        }

        assert!(watches.take_fresh().iter().all(|first| (0.5..1.0).contains(&first.part)));
    }
}
