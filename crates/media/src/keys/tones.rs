//! Keys as tones in the sound itself (ITU-T Q.23): two at once, one of four rows and one of four columns.

use std::f64::consts::TAU;
use std::sync::LazyLock;

/// The frequencies of the rows in Hz.
pub(super) const ROWS: [u16; 4] = [697, 770, 852, 941];

/// The frequencies of the columns in Hz.
pub(super) const COLUMNS: [u16; 4] = [1209, 1336, 1477, 1633];

/// The keys where rows and columns meet.
pub(super) const PAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Samples a second.
const RATE: usize = 8_000;

/// Peaks of the lower and of the higher tone: −8 and −7 dBm0, in the middle of what Q.24 lets exchanges hear.
const LOW: i32 = 8_900;
const HIGH: i32 = 10_000;

/// Tones swell and fade in so many samples, so that they do not click.
const EDGE: u32 = 32;

/// One second of one cycle, in 2^-14.
static SINE: LazyLock<[i16; RATE]> =
    LazyLock::new(|| std::array::from_fn(|n| ((n as f64 * TAU / RATE as f64).sin() * 16_384.0) as i16));

/// A key being heard, sample by sample at 8 kHz.
#[derive(Clone, Copy, Debug)]
pub struct KeyTone {
    row: u16,
    column: u16,
    position: u32,
}

impl KeyTone {
    /// Begins the tones of a key. None: there is no such key.
    pub fn new(key: char) -> Option<Self> {
        let key = key.to_ascii_uppercase();
        let row = PAD.iter().position(|row| row.contains(&key))?;
        let column = PAD[row].iter().position(|&known| known == key)?;
        Some(Self { row: ROWS[row], column: COLUMNS[column], position: 0 })
    }

    /// The next piece of the tones; with `last`, they fade at its end.
    pub fn fill(&mut self, sound: &mut [i16], last: bool) {
        let length = sound.len() as u32;
        for (n, sample) in (0..length).zip(sound) {
            let swell = self.position.min(EDGE);
            let fade = if last { (length - n).min(EDGE) } else { EDGE };
            let loudness = swell.min(fade) as i32;
            let at = |hertz: u16| i32::from(SINE[(self.position as usize * usize::from(hertz)) % RATE]);
            *sample = (((at(self.row) * LOW + at(self.column) * HIGH) >> 14) * loudness / EDGE as i32) as i16;
            self.position = (self.position + 1) % (RATE as u32 * 60);
            if self.position == 0 {
                self.position = RATE as u32;
            }
        }
    }
}
