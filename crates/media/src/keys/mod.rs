//! Keys pressed in a call: as telephone-events (RFC 4733), and as tones in the sound itself.
//!
//! A press is many packets that share a timestamp; [`KeyReader`] tells each press once. [`KeyDetector`] finds keys in
//! sound, [`KeyTone`] makes them; the keyer presses keys for a party in the form that it speaks.

mod detector;
mod keyer;
mod presses;
mod tones;

pub use detector::KeyDetector;
pub(crate) use keyer::{Keyer, Stroke, USUAL};
pub(crate) use presses::{Form, Presses};
pub use tones::KeyTone;

/// The payload of one telephone-event packet (RFC 4733, section 2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyEvent {
    /// Which key: 0 to 15 for `0`–`9`, `*`, `#`, `A`–`D`.
    pub event: u8,
    /// The key has been let go.
    pub end: bool,
    /// Loudness in −dBm0, 0 to 63.
    pub volume: u8,
    /// How long the key has been down, in units of the timestamp.
    pub duration: u16,
}

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

impl KeyEvent {
    /// Reads a payload. None: too short.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [event, flags, high, low, ..] = *payload else { return None };
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { event, end: flags & 0x80 != 0, volume: flags & 0x3f, duration })
    }

    /// The payload.
    pub fn print(&self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, u8::from(self.end) << 7 | self.volume & 0x3f, high, low]
    }

    /// The key, if the event is one.
    pub fn key(&self) -> Option<char> {
        KEYS.get(usize::from(self.event)).map(|&key| key.into())
    }
}

/// One press of a key, packet by packet: what a phone sends, one payload every 20 ms, the last three times.
#[derive(Clone, Debug)]
pub struct KeyPress {
    event: u8,
    duration: u16,
    sent: u16,
    ends: u8,
}

impl KeyPress {
    /// A press of `samples` samples at 8 kHz. None: there is no such key.
    pub fn new(key: char, samples: u16) -> Option<Self> {
        let event = KEYS.iter().position(|&known| char::from(known) == key.to_ascii_uppercase())?;
        Some(Self { event: event as u8, duration: samples.max(160), sent: 0, ends: 0 })
    }
}

impl Iterator for KeyPress {
    type Item = KeyEvent;

    fn next(&mut self) -> Option<KeyEvent> {
        if self.ends == 3 {
            return None;
        }
        self.sent = self.sent.saturating_add(160).min(self.duration);
        let end = self.sent == self.duration;
        self.ends += u8::from(end);
        Some(KeyEvent { event: self.event, end, volume: 10, duration: self.sent })
    }
}

/// Finds the presses in a stream of telephone-events.
#[derive(Clone, Debug, Default)]
pub struct KeyReader {
    last: Option<Press>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    run: u32,
    timestamp: u32,
    event: KeyEvent,
}

impl KeyReader {
    /// The press that was heard last: whether it has ended, and how long it was until then, in units of the timestamp.
    pub fn last(&self) -> Option<(bool, u16)> {
        self.last.map(|press| (press.event.end, press.event.duration))
    }

    /// Takes one packet; gives the key when it is the first of a press. `run` changes when the sender starts anew.
    pub fn read(&mut self, run: u32, timestamp: u32, payload: &[u8]) -> Option<char> {
        let event = KeyEvent::parse(payload)?;
        let key = event.key()?;
        if let Some(last) = &mut self.last
            && last.run == run
        {
            let later = timestamp.wrapping_sub(last.timestamp);
            if later == 0 {
                last.event.duration = last.event.duration.max(event.duration);
                last.event.end |= event.end;
                return None;
            }
            if later > u32::MAX / 2 {
                return None;
            }
            // RFC 4733 section 2.5.1.3: a long press is told in segments, each beginning where the one before ends.
            let goes_on = !last.event.end && last.event.event == event.event && later == last.event.duration.into();
            if goes_on {
                *last = Press { run, timestamp, event };
                return None;
            }
        }
        self.last = Some(Press { run, timestamp, event });
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn press(reader: &mut KeyReader, timestamp: u32, key: char) -> Vec<char> {
        KeyPress::new(key, 800).unwrap().filter_map(|event| reader.read(1, timestamp, &event.print())).collect()
    }

    #[test]
    fn a_press_of_many_packets_is_told_once() {
        let mut reader = KeyReader::default();

        assert_eq!(press(&mut reader, 1000, '5'), ['5']);
    }

    #[test]
    fn the_same_key_pressed_again_is_told_again() {
        let mut reader = KeyReader::default();

        let keys =
            [press(&mut reader, 1000, '#'), press(&mut reader, 5000, '#'), press(&mut reader, 9000, 'd')].concat();

        assert_eq!(keys, ['#', '#', 'D']);
    }

    #[test]
    fn the_same_key_is_told_again_when_the_ends_of_the_first_press_were_lost() {
        let mut reader = KeyReader::default();
        let down = KeyEvent { event: 7, end: false, volume: 10, duration: 320 };

        let keys = [reader.read(1, 1000, &down.print()), reader.read(1, 4000, &down.print())];

        assert_eq!(keys, [Some('7'), Some('7')]);
    }

    #[test]
    fn only_the_end_of_a_press_is_enough() {
        let mut reader = KeyReader::default();
        let up = KeyEvent { event: 0, end: true, volume: 10, duration: 800 };

        assert_eq!(reader.read(1, 1000, &up.print()), Some('0'));
    }

    #[test]
    fn a_long_press_in_segments_is_told_once() {
        let mut reader = KeyReader::default();
        let first = KeyEvent { event: 1, end: false, volume: 10, duration: 0xffff };
        let second = KeyEvent { event: 1, end: true, volume: 10, duration: 400 };

        let keys = [reader.read(1, 1000, &first.print()), reader.read(1, 1000 + 0xffff, &second.print())];

        assert_eq!(keys, [Some('1'), None]);
    }

    #[test]
    fn a_packet_of_an_earlier_press_that_comes_late_is_not_told() {
        let mut reader = KeyReader::default();
        let earlier = KeyEvent { event: 3, end: true, volume: 10, duration: 800 };
        press(&mut reader, 1000, '3');
        press(&mut reader, 5000, '4');

        assert_eq!(reader.read(1, 1000, &earlier.print()), None);
    }

    #[test]
    fn what_is_no_key_is_not_told() {
        let mut reader = KeyReader::default();
        let flash = KeyEvent { event: 16, end: false, volume: 0, duration: 160 };

        assert_eq!(reader.read(1, 1000, &flash.print()), None);
        assert_eq!(reader.read(1, 2000, &[1, 2, 3]), None);
        assert!(KeyPress::new('x', 800).is_none());
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(event: u8, end: bool, volume in 0u8..64, duration: u16) {
            let key = KeyEvent { event, end, volume, duration };

            prop_assert_eq!(KeyEvent::parse(&key.print()), Some(key));
        }
    }
}
