//! One press that comes in two forms: in signalling, and with the sound as an event or as a tone. It is the same press
//! whichever comes first; each press of one form stands for one of the other.

use std::collections::VecDeque;

use crate::clock::{MILLISECOND, Ticks};

/// The forms in which one press comes are no further apart than this.
const TOGETHER: Ticks = 1_000 * MILLISECOND;

/// The most presses that are remembered.
const REMEMBERED: usize = 16;

/// How a press came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// As an event (RFC 4733), or as a tone.
    Sound,
    /// In a message of signalling.
    Signalling,
}

/// A party's latest presses that have come in one form only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presses {
    latest: VecDeque<Press>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    key: char,
    form: Form,
    /// From then on the key in the other form is another press.
    until: Ticks,
}

impl Presses {
    /// Whether a key is a press that has not come in the other form.
    pub fn is_new(&mut self, at: Ticks, key: char, form: Form) -> bool {
        let key = key.to_ascii_uppercase();
        self.latest.retain(|press| at < press.until);
        if let Some(same) = self.latest.iter().position(|press| press.key == key && press.form != form) {
            self.latest.remove(same);
            return false;
        }
        if self.latest.len() == REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(Press { key, form, until: at + TOGETHER });
        true
    }

    /// The press that came last with the sound still sounds.
    pub fn sounds(&mut self, at: Ticks, key: char) {
        let last = self.latest.iter_mut().rfind(|press| press.form == Form::Sound && press.key == key);
        if let Some(press) = last.filter(|press| at < press.until) {
            press.until = at + TOGETHER;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Form::{Signalling, Sound};

    #[test]
    fn a_press_in_two_forms_is_one_whichever_comes_first() {
        let mut presses = Presses::default();

        let told = [(0, Sound), (100, Signalling), (500, Signalling), (600, Sound)]
            .map(|(at, form)| presses.is_new(at * MILLISECOND, '5', form));

        assert_eq!(told, [true, false, true, false]);
    }

    #[test]
    fn presses_that_come_fast_in_one_form_meet_as_many_in_the_other() {
        let mut presses = Presses::default();

        let signalled = ['1', '1', 'd'].map(|key| presses.is_new(0, key, Signalling));
        let heard = ['1', '1', 'D', '1'].map(|key| presses.is_new(800, key, Sound));

        assert_eq!((signalled, heard), ([true; 3], [false, false, false, true]));
    }

    #[test]
    fn a_tone_may_be_signalled_until_it_has_been_over_for_a_second() {
        let mut presses = Presses::default();
        presses.is_new(0, '5', Sound);
        for at in 0..150 {
            presses.sounds(at * 20 * MILLISECOND, '5');
        }

        let late = presses.clone().is_new(4_000 * MILLISECOND, '5', Signalling);
        let soon = presses.is_new(3_900 * MILLISECOND, '5', Signalling);

        assert!(late && !soon);
    }
}
