//! Finds keys in the sound itself, for parties that send none as events (ITU-T Q.24).
//!
//! Goertzel's filters at the eight frequencies, 13 ms at a time. A key is one row and one column that hold nearly all of
//! the sound's energy, twice in a row; it ends when that is not so twice in a row. A voice does not do that.

use std::f32::consts::TAU;

use super::tones::{COLUMNS, PAD, ROWS};

/// Samples that are looked at together.
const PIECE: usize = 102;

/// The least mean energy of a sample: about −36 dBm0.
const FLOOR: f32 = 350.0 * 350.0;

/// What both tones hold of all the energy.
const SHARE: f32 = 0.78;

/// How much louder a column may be than its row, and a row than its column: 8 and 6 dB.
const TWIST: f32 = 6.3;
const REVERSE_TWIST: f32 = 4.0;

/// How much louder a tone is than each other of its group: 8 dB.
const CLEAR: f32 = 6.3;

/// Finds keys in samples at 8 kHz.
#[derive(Clone, Debug)]
pub struct KeyDetector {
    factors: [f32; 8],
    states: [[f32; 2]; 8],
    energy: f32,
    filled: usize,
    last: Option<char>,
    key: Option<char>,
    missed: u8,
}

impl Default for KeyDetector {
    fn default() -> Self {
        let hertz: [u16; 8] = std::array::from_fn(|n| if n < 4 { ROWS[n] } else { COLUMNS[n - 4] });
        Self {
            factors: hertz.map(|hertz| 2.0 * (TAU * f32::from(hertz) / 8_000.0).cos()),
            states: [[0.0; 2]; 8],
            energy: 0.0,
            filled: 0,
            last: None,
            key: None,
            missed: 0,
        }
    }
}

impl KeyDetector {
    /// Takes sound; gives a key when its press begins.
    pub fn listen(&mut self, sound: &[i16]) -> Option<char> {
        let mut pressed = None;
        for &sample in sound {
            let sample = f32::from(sample);
            self.energy += sample * sample;
            for (state, factor) in self.states.iter_mut().zip(self.factors) {
                *state = [sample + factor * state[0] - state[1], state[0]];
            }
            self.filled += 1;
            if self.filled == PIECE {
                pressed = self.decide().or(pressed);
            }
        }
        pressed
    }

    /// The key that is down.
    pub fn key(&self) -> Option<char> {
        self.key
    }

    /// Some sound is missing here; a key that is down stays down.
    pub fn skip(&mut self) {
        self.begin();
        self.last = None;
    }

    fn decide(&mut self) -> Option<char> {
        let found = self.found();
        self.begin();
        let again = found.filter(|_| found == self.last);
        self.last = found;
        if found == self.key {
            self.missed = 0;
            return None;
        }
        if self.key.is_some() {
            self.missed += 1;
            if self.missed < 2 {
                return None;
            }
        }
        self.missed = 0;
        self.key = again;
        again
    }

    fn found(&self) -> Option<char> {
        if self.energy < FLOOR * PIECE as f32 {
            return None;
        }
        let mut powers = [0.0; 8];
        for ((power, [last, before]), factor) in powers.iter_mut().zip(self.states).zip(self.factors) {
            *power = last * last + before * before - factor * last * before;
        }
        let (rows, columns) = powers.split_at(4);
        let (row, row_power) = clearest(rows)?;
        let (column, column_power) = clearest(columns)?;
        let is_balanced = column_power < row_power * TWIST && row_power < column_power * REVERSE_TWIST;
        // A tone of energy E in n samples has the power E·n/2.
        let is_all = (row_power + column_power) * 2.0 / PIECE as f32 > SHARE * self.energy;
        (is_balanced && is_all).then(|| PAD[row][column])
    }

    fn begin(&mut self) {
        self.states = [[0.0; 2]; 8];
        self.energy = 0.0;
        self.filled = 0;
    }
}

/// The loudest of a group, if it is far louder than the others.
fn clearest(powers: &[f32]) -> Option<(usize, f32)> {
    let (index, &power) = powers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let is_clear = powers.iter().enumerate().all(|(other, &soft)| other == index || soft * CLEAR < power);
    is_clear.then_some((index, power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Law;
    use crate::fixture::{sine, speech};
    use crate::keys::KeyTone;
    use crate::noise::Noise;

    const ALL: &str = "1234567890*#ABCD";

    fn press(key: char, milliseconds: usize) -> Vec<i16> {
        let mut sound = vec![0; milliseconds * 8];
        KeyTone::new(key).unwrap().fill(&mut sound, true);
        sound
    }

    fn heard(sound: &[i16]) -> String {
        let mut detector = KeyDetector::default();
        sound.chunks(160).filter_map(|packet| detector.listen(packet)).collect()
    }

    #[test]
    fn every_key_is_told_once_a_press() {
        for milliseconds in [50, 70, 100, 1000] {
            let sound: Vec<i16> =
                ALL.chars().flat_map(|key| [press(key, milliseconds), vec![0; 400]].concat()).collect();

            assert_eq!(heard(&sound), ALL, "{milliseconds}");
        }
    }

    #[test]
    fn the_same_key_twice_is_two_presses() {
        let sound = [press('5', 60), vec![0; 8 * 45], press('5', 60), vec![0; 400]].concat();

        assert_eq!(heard(&sound), "55");
    }

    #[test]
    fn keys_are_found_in_noise_at_half_volume_in_either_law() {
        for law in [Law::A, Law::U] {
            let mut sound: Vec<i16> = ALL.chars().flat_map(|key| [press(key, 80), vec![0; 800]].concat()).collect();
            let mut noise = vec![0; sound.len()];
            Noise::default().fill(45, &mut noise);
            for (sample, noise) in sound.iter_mut().zip(noise) {
                *sample = law.decode(law.encode(*sample / 4 + noise));
            }

            assert_eq!(heard(&sound), ALL);
        }
    }

    #[test]
    fn a_lost_packet_does_not_make_two_presses_of_one() {
        for lost in 3..8 {
            let mut detector = KeyDetector::default();
            let mut keys = String::new();
            for (n, packet) in press('8', 200).chunks(160).enumerate() {
                if n == lost { detector.skip() } else { keys.extend(detector.listen(packet)) }
            }

            assert_eq!(keys, "8");
        }
    }

    #[test]
    fn nobody_presses_keys_by_talking() {
        assert_eq!(heard(&speech(8_000, 120)), "");
    }

    #[test]
    fn single_tones_and_other_pairs_are_no_keys() {
        for hertz in [425.0, 697.0, 1209.0, 1400.0, 2100.0] {
            assert_eq!(heard(&sine(8_000, hertz, 10_000, 8_000)), "");
        }
        for (low, high) in [(350.0, 440.0), (697.0, 770.0), (1209.0, 1477.0), (697.0, 1270.0), (480.0, 620.0)] {
            let pair: Vec<i16> = sine(8_000, low, 8_000, 8_000)
                .iter()
                .zip(sine(8_000, high, 8_000, 8_000))
                .map(|(a, b)| a + b)
                .collect();
            assert_eq!(heard(&pair), "", "{low} {high}");
        }
    }

    #[test]
    fn too_short_a_press_is_none() {
        let sound = [press('5', 20), vec![0; 800]].concat();

        assert_eq!(heard(&sound), "");
    }
}
