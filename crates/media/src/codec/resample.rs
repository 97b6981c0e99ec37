//! From 8 to 16 kHz and back: half-band filters of telephone quality.
//!
//! Flat to 3.4 kHz, more than 50 dB down from 4.6 kHz on, 1.4 ms late. Pieces may have any length; what a filter needs of
//! the piece before, it keeps.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// Taps that are not zero beside the one in the middle.
const TAPS: usize = 24;

/// One is so much.
const ONE: i32 = 1 << 14;

/// Samples that are filtered in one go.
const PIECE: usize = 160;

/// The taps at odd distances from the middle of a half-band filter, which let through all of a constant.
static HALF: LazyLock<[i16; TAPS]> = LazyLock::new(|| {
    let taps: [f64; TAPS] = std::array::from_fn(|n| {
        let distance = 2.0 * n as f64 - (TAPS as f64 - 1.0);
        let place = distance / TAPS as f64;
        (distance * PI / 2.0).sin() / (distance * PI / 2.0) * bessel(6.0 * (1.0 - place * place).sqrt()) / bessel(6.0)
    });
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum * f64::from(ONE)).round() as i16)
});

/// The modified Bessel function of order 0, for the Kaiser window.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..30 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

/// From 8 to 16 kHz.
#[derive(Clone, Debug, Default)]
pub(crate) struct Up {
    past: [i16; TAPS - 1],
}

impl Up {
    /// Makes two samples of each. `out` is twice as long as `sound`.
    pub fn process(&mut self, sound: &[i16], out: &mut [i16]) {
        let taps = &*HALF;
        for (sound, out) in sound.chunks(PIECE).zip(out.chunks_mut(2 * PIECE)) {
            let mut line = [0; TAPS - 1 + PIECE];
            let line = &mut line[..TAPS - 1 + sound.len()];
            line[..TAPS - 1].copy_from_slice(&self.past);
            line[TAPS - 1..].copy_from_slice(sound);
            for (pair, window) in out.chunks_exact_mut(2).zip(line.windows(TAPS)) {
                // The middle tap is one: every second sample is the original, and between two lie twelve on each side.
                pair[0] = window[TAPS / 2 - 1];
                pair[1] = rounded(product(window, taps), ONE);
            }
            self.past.copy_from_slice(&line[sound.len()..]);
        }
    }
}

/// From 16 to 8 kHz.
#[derive(Clone, Debug, Default)]
pub(crate) struct Down {
    /// Every second sample: those under the odd taps, and those under the middle one.
    odd: [i16; TAPS - 1],
    even: [i16; TAPS / 2],
}

impl Down {
    /// Makes one sample of two. `sound` is twice as long as `out`.
    pub fn process(&mut self, sound: &[i16], out: &mut [i16]) {
        let taps = &*HALF;
        for (sound, out) in sound.chunks(2 * PIECE).zip(out.chunks_mut(PIECE)) {
            let count = sound.len() / 2;
            let mut odd = [0; TAPS - 1 + PIECE];
            let mut even = [0; TAPS / 2 + PIECE];
            odd[..TAPS - 1].copy_from_slice(&self.odd);
            even[..TAPS / 2].copy_from_slice(&self.even);
            for (n, pair) in sound.chunks_exact(2).enumerate() {
                even[TAPS / 2 + n] = pair[0];
                odd[TAPS - 1 + n] = pair[1];
            }
            for (n, sample) in out.iter_mut().take(count).enumerate() {
                let sides = product(&odd[n..n + TAPS], taps);
                *sample = rounded(sides.saturating_add(i32::from(even[n + 1]) * ONE), 2 * ONE);
            }
            self.odd.copy_from_slice(&odd[count..count + TAPS - 1]);
            self.even.copy_from_slice(&even[count..count + TAPS / 2]);
        }
    }
}

fn product(window: &[i16], taps: &[i16; TAPS]) -> i32 {
    window.iter().zip(taps).map(|(&sample, &tap)| i32::from(sample) * i32::from(tap)).sum()
}

fn rounded(sum: i32, one: i32) -> i16 {
    (sum.saturating_add(one / 2) / one).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{level, sine};

    /// A tone at `rate`, taken through the filter in pieces of uneven length.
    fn up(sound: &[i16]) -> Vec<i16> {
        let mut filter = Up::default();
        let mut out = vec![0; 2 * sound.len()];
        let mut done = 0;
        for length in [1, 7, 160, 333].into_iter().cycle() {
            let end = (done + length).min(sound.len());
            filter.process(&sound[done..end], &mut out[2 * done..2 * end]);
            done = end;
            if done == sound.len() {
                return out;
            }
        }
        out
    }

    fn down(sound: &[i16]) -> Vec<i16> {
        let mut filter = Down::default();
        let mut out = vec![0; sound.len() / 2];
        let mut done = 0;
        for length in [1, 7, 160, 333].into_iter().cycle() {
            let end = (done + length).min(out.len());
            filter.process(&sound[2 * done..2 * end], &mut out[done..end]);
            done = end;
            if done == out.len() {
                return out;
            }
        }
        out
    }

    #[test]
    fn speech_passes_up_and_down_as_loud_as_it_was() {
        for hertz in [300.0, 1000.0, 2500.0, 3400.0] {
            let sound = sine(8_000, hertz, 8_000, 16_000);

            let there = up(&sound);
            let back = down(&there);

            let change = level(&back[200..]) - level(&sound[200..]);
            assert!(change.abs() < 0.5, "{hertz}: {change} dB");
            let change = level(&there[200..]) - level(&sound[200..]);
            assert!(change.abs() < 0.3, "{hertz}: {change} dB up");
        }
    }

    #[test]
    fn what_eight_kilohertz_cannot_carry_is_taken_out() {
        for hertz in [4700.0, 5500.0, 7000.0] {
            let sound = sine(16_000, hertz, 16_000, 16_000);

            let rest = level(&down(&sound)[200..]) - level(&sound[200..]);

            assert!(rest < -45.0, "{hertz}: {rest} dB");
        }
    }

    #[test]
    fn no_mirror_stands_above_four_kilohertz() {
        let sound = sine(8_000, 1000.0, 8_000, 16_000);

        let there = up(&sound);

        // What is left when the tone itself is taken away.
        let clean = sine(16_000, 1000.0, 8_000, 16_000);
        let rest = (0..64)
            .map(|late| {
                let rest: Vec<i16> =
                    there[400..].iter().zip(&clean[400 - late..]).map(|(a, b)| a.wrapping_sub(*b)).collect();
                level(&rest[..8000]) - level(&sound)
            })
            .fold(0.0, f64::min);
        assert!(rest < -45.0, "{rest} dB");
    }

    #[test]
    fn the_loudest_sound_does_not_overflow() {
        let square: Vec<i16> = (0..4000).map(|n| if n / 3 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();

        let there = up(&square);

        assert_eq!(down(&there).len(), 4000);
    }
}
