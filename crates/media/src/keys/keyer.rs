//! Presses keys for one party, one after the other, as long as they are held: as events (RFC 4733), or as tones.

use super::{KEYS, KeyEvent, KeyTone};
use crate::clock::{MILLISECOND, Ticks};

/// A press is at least so long: what RFC 4733 recommends for tones at the far end is 40 ms, many want 70.
const SHORTEST: Ticks = 80 * MILLISECOND;

/// How long a press is that nobody says the length of.
pub(crate) const USUAL: Ticks = 100 * MILLISECOND;

/// A key that nobody lets go is let go after so long; at 48 kHz, the longest that one event can tell is 1.36 s.
const LONGEST: Ticks = 1_300 * MILLISECOND;

/// Between two presses.
const REST: Ticks = 60 * MILLISECOND;

/// Between two updates of an event (RFC 4733, section 2.5.1.2), and between its last packets.
const UPDATE: Ticks = 50 * MILLISECOND;
const END: Ticks = 20 * MILLISECOND;

/// Presses that may wait. Nobody types faster than they are sent for longer than that.
const WAITING: usize = 24;

/// One party's presses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keyer {
    waiting: std::collections::VecDeque<Press>,
    down: Option<Down>,
    /// After a press.
    rest_until: Option<Ticks>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    event: u8,
    /// How long it is. None: until it is let go.
    length: Option<Ticks>,
}

/// The press that is being told.
#[derive(Clone, Copy, Debug)]
struct Down {
    press: Press,
    since: Ticks,
    tone: Option<KeyTone>,
    /// The length that was told last.
    told: Ticks,
    /// Last packets sent.
    ends: u8,
}

/// What a keyer does at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stroke {
    /// An event is to be sent, and the next thing is to be done after so long.
    Event {
        /// How long the key has been down, in ticks, is its duration.
        event: KeyEvent,
        first: bool,
        wait: Ticks,
    },
    /// Nothing is to be sent for so long.
    Rest(Ticks),
}

impl Keyer {
    /// A key is pressed: for so long, or until it is let go.
    pub fn press(&mut self, key: char, length: Option<Ticks>) {
        let Some(event) = KEYS.iter().position(|&known| char::from(known) == key.to_ascii_uppercase()) else { return };
        if self.waiting.len() < WAITING {
            self.waiting.push_back(Press { event: event as u8, length });
        }
    }

    /// The key that was pressed last is let go, after so long a press.
    pub fn release(&mut self, length: Ticks) {
        let last = self.waiting.back_mut().or(self.down.as_mut().map(|down| &mut down.press));
        if let Some(press) = last {
            press.length.get_or_insert(length);
        }
    }

    /// Whether there is anything to do.
    pub fn is_busy(&self) -> bool {
        self.down.is_some() || !self.waiting.is_empty() || self.rest_until.is_some()
    }

    /// What to send now, where keys are events. None: nothing is left to do.
    pub fn event(&mut self, at: Ticks) -> Option<Stroke> {
        if let Some(rest) = self.rest(at) {
            return Some(rest);
        }
        let first = self.down.is_none();
        let down = self.down(at)?;
        let lasted = at - down.since;
        let length = down.press.length.unwrap_or(LONGEST).clamp(SHORTEST, LONGEST);
        let end = lasted >= length;
        down.ends += u8::from(end);
        // The first packet is sent at once and tells of the time until the next could be.
        let duration = if end { length } else { lasted.max(END) }.max(down.told);
        down.told = duration;
        let event = KeyEvent { event: down.press.event, end, volume: 10, duration: duration as u16 };
        let wait = if end { END } else { UPDATE.min(length - lasted) };
        if down.ends == 3 {
            self.down = None;
            self.rest_until = Some(at + REST);
        }
        Some(Stroke::Event { event, first, wait })
    }

    /// Fills `sound`, at 8 kHz, with the tones of what is pressed, where keys are tones. False: nothing is left to do.
    pub fn tones(&mut self, at: Ticks, sound: &mut [i16]) -> bool {
        sound.fill(0);
        let mut filled = 0;
        while filled < sound.len() {
            let now = at + filled as Ticks;
            let left = sound.len() - filled;
            if let Some(Stroke::Rest(wait)) = self.rest(now) {
                filled += left.min(wait as usize);
                continue;
            }
            let Some(down) = self.down(now) else { break };
            let length = down.press.length.unwrap_or(LONGEST).clamp(SHORTEST, LONGEST);
            let rest = length.saturating_sub(now - down.since) as usize;
            let piece = &mut sound[filled..filled + left.min(rest)];
            filled += piece.len();
            if let Some(tone) = &mut down.tone {
                tone.fill(piece, rest <= left);
            }
            if rest <= left {
                self.down = None;
                self.rest_until = Some(at + filled as Ticks + REST);
            }
        }
        filled > 0
    }

    fn rest(&mut self, at: Ticks) -> Option<Stroke> {
        self.rest_until.take_if(|until| *until <= at);
        self.rest_until.map(|until| Stroke::Rest(until - at))
    }

    /// The press that is being told; the next one begins if none is.
    fn down(&mut self, at: Ticks) -> Option<&mut Down> {
        if self.down.is_none() {
            let press = self.waiting.pop_front()?;
            let tone = KeyTone::new(KEYS[usize::from(press.event)].into());
            self.down = Some(Down { press, since: at, tone, told: 0, ends: 0 });
        }
        self.down.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyDetector;

    /// All events with the moments they are sent at, in milliseconds.
    fn events(keyer: &mut Keyer, mut release: impl FnMut(u64, &mut Keyer)) -> Vec<(u64, KeyEvent)> {
        let mut sent = Vec::new();
        let mut at = 0;
        loop {
            release(at / 8, keyer);
            match keyer.event(at) {
                Some(Stroke::Event { event, wait, .. }) => {
                    sent.push((at / 8, event));
                    at += wait;
                }
                Some(Stroke::Rest(wait)) => at += wait,
                None => return sent,
            }
        }
    }

    #[test]
    fn a_press_is_updated_every_fifty_milliseconds_and_ended_three_times() {
        let mut keyer = Keyer::default();
        keyer.press('5', Some(USUAL));

        let sent = events(&mut keyer, |_, _| {});

        let told: Vec<_> = sent.iter().map(|(at, event)| (*at, event.event, event.end, event.duration)).collect();
        let expected =
            [(0, 5, false, 160), (50, 5, false, 400), (100, 5, true, 800), (120, 5, true, 800), (140, 5, true, 800)];
        assert_eq!(told, expected);
        assert!(!keyer.is_busy());
    }

    #[test]
    fn a_press_is_never_shorter_than_eighty_milliseconds() {
        let mut keyer = Keyer::default();
        keyer.press('#', Some(10));

        let sent = events(&mut keyer, |_, _| {});

        assert_eq!(sent.last().map(|(_, event)| (event.duration, event.end)), Some((640, true)));
    }

    #[test]
    fn a_key_is_down_until_it_is_let_go_and_not_for_ever() {
        let mut keyer = Keyer::default();
        keyer.press('1', None);
        let sent = events(&mut keyer, |at, keyer| {
            if at == 300 {
                keyer.release(300 * MILLISECOND);
            }
        });
        assert_eq!(sent.last().map(|(_, event)| event.duration), Some(2400));

        keyer.press('1', None);
        let sent = events(&mut keyer, |_, _| {});
        assert_eq!(sent.last().map(|(_, event)| event.duration), Some(10_400));
    }

    #[test]
    fn a_key_that_turns_out_to_have_been_let_go_earlier_is_not_told_shorter() {
        let mut keyer = Keyer::default();
        keyer.press('1', None);

        let sent = events(&mut keyer, |at, keyer| {
            if at == 200 {
                keyer.release(100 * MILLISECOND);
            }
        });

        assert!(sent.windows(2).all(|two| two[0].1.duration <= two[1].1.duration));
        assert_eq!(sent.last().map(|(_, event)| (event.end, event.duration)), Some((true, 1200)));
    }

    #[test]
    fn presses_follow_each_other_with_a_pause() {
        let mut keyer = Keyer::default();
        "12".chars().for_each(|key| keyer.press(key, Some(USUAL)));

        let sent = events(&mut keyer, |_, _| {});

        assert_eq!(sent.len(), 10);
        assert_eq!(sent[5], (200, KeyEvent { event: 2, end: false, volume: 10, duration: 160 }));
    }

    #[test]
    fn tones_say_the_same_keys_in_any_pieces() {
        for piece in [80, 160, 240, 480] {
            let mut keyer = Keyer::default();
            "19*D".chars().for_each(|key| keyer.press(key, Some(USUAL)));
            let mut detector = KeyDetector::default();
            let mut keys = String::new();
            let mut at = 0;
            let mut sound = vec![0; piece];
            while keyer.is_busy() {
                keyer.tones(at, &mut sound);
                keys.extend(detector.listen(&sound));
                at += piece as Ticks;
            }

            assert_eq!(keys, "19*D");
            assert!((600 * 8..=700 * 8).contains(&at), "{at}");
        }
    }

    #[test]
    fn no_more_keys_wait_than_there_is_room_for() {
        let mut keyer = Keyer::default();
        (0..1000).for_each(|_| keyer.press('0', Some(USUAL)));

        assert_eq!(events(&mut keyer, |_, _| {}).len(), WAITING * 5);
        keyer.press('x', None);
        assert!(!keyer.is_busy());
    }
}
