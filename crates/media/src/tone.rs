//! Tones made here, and a listener that finds a tone in sound.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::sine::{RATE, sine};
use crate::{Codec, Sound, music};

/// The frequency of call progress tones here.
const PROGRESS: u16 = 425;

/// A sound being made, sample by sample.
#[derive(Clone, Debug)]
pub struct Tone {
    sound: Sound,
    /// Samples made so far.
    position: u64,
}

impl Tone {
    /// Begins the sound.
    pub fn new(sound: Sound) -> Self {
        Self { sound, position: 0 }
    }

    /// Makes the next piece of the sound, one byte a sample.
    pub fn fill(&mut self, codec: Codec, piece: &mut [u8]) {
        for byte in piece {
            *byte = codec.encode(self.sample());
        }
    }

    /// Makes the next piece of the sound.
    pub fn fill_samples(&mut self, piece: &mut [i16]) {
        piece.iter_mut().for_each(|sample| *sample = self.sample());
    }

    /// The next sample.
    pub fn sample(&mut self) -> i16 {
        let position = self.position;
        self.position += 1;
        let within = |period: u64| (position % period) as u32;
        match &self.sound {
            Sound::Ringback if within(5 * u64::from(RATE)) < RATE => sine(position, PROGRESS),
            Sound::Busy if within(u64::from(RATE)) < RATE / 2 => sine(position, PROGRESS),
            Sound::Tone { hertz } => sine(position, *hertz),
            Sound::Music => music::sample(position),
            Sound::Clip(clip) => clip.looped(position),
            Sound::Ringback | Sound::Busy | Sound::Silence => 0,
        }
    }
}

/// How much of the energy of `samples` is at `hertz`: 0 none, 1 all (Goertzel's algorithm).
pub fn share(samples: &[i16], hertz: u16) -> f64 {
    let factor = 2.0 * (TAU * f64::from(hertz) / f64::from(RATE)).cos();
    let (mut before, mut last, mut energy) = (0.0, 0.0, 0.0);
    for &sample in samples {
        let sample = f64::from(sample);
        (before, last) = (last, sample + factor * last - before);
        energy += sample * sample;
    }
    if energy == 0.0 {
        return 0.0;
    }
    let power = before * before + last * last - factor * before * last;
    (2.0 * power / (samples.len() as f64 * energy)).min(1.0)
}

/// Listens for one tone in sound that comes in pieces of any length.
#[derive(Clone, Debug)]
pub struct ToneListener {
    hertz: u16,
    piece: [i16; PIECE],
    filled: usize,
    /// Pieces in which the tone was nearly all there was.
    heard: u32,
    pieces: u32,
}

/// 40 ms: long enough to tell tones apart that differ by 50 Hz.
const PIECE: usize = 320;

/// Quieter than this, on the average, is silence.
const FLOOR: i64 = 300;

impl ToneListener {
    /// Listens for a tone of this frequency.
    pub fn new(hertz: u16) -> Self {
        Self { hertz, piece: [0; PIECE], filled: 0, heard: 0, pieces: 0 }
    }

    /// Takes samples at 8 kHz.
    pub fn listen(&mut self, samples: impl IntoIterator<Item = i16>) {
        for sample in samples {
            self.piece[self.filled] = sample;
            self.filled += 1;
            if self.filled < PIECE {
                continue;
            }
            self.filled = 0;
            self.pieces += 1;
            let energy: i64 = self.piece.iter().map(|&sample| i64::from(sample) * i64::from(sample)).sum();
            let loud = energy / PIECE as i64 > FLOOR * FLOOR;
            self.heard += u32::from(loud && share(&self.piece, self.hertz) > 0.8);
        }
    }

    /// How long the tone has been heard.
    pub fn heard(&self) -> Duration {
        Duration::from_millis(40) * self.heard
    }

    /// How long has been listened, in whole pieces of 40 ms.
    pub fn listened(&self) -> Duration {
        Duration::from_millis(40) * self.pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(sound: Sound, codec: Codec, seconds: usize) -> Vec<i16> {
        let mut tone = Tone::new(sound);
        let mut bytes = vec![0; seconds * RATE as usize];
        bytes.chunks_mut(160).for_each(|piece| tone.fill(codec, piece));
        bytes.iter().map(|&byte| codec.decode(byte)).collect()
    }

    fn heard(samples: &[i16], hertz: u16) -> Duration {
        let mut listener = ToneListener::new(hertz);
        listener.listen(samples.iter().copied());
        listener.heard()
    }

    #[test]
    fn a_tone_is_found_at_its_frequency_and_nowhere_else() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            let samples = seconds(Sound::Tone { hertz: 700 }, codec, 2);

            assert_eq!(heard(&samples, 700), Duration::from_secs(2));
            assert_eq!(heard(&samples, 750), Duration::ZERO);
            assert!(share(&samples, 700) > 0.99);
        }
    }

    #[test]
    fn ringback_is_one_second_in_five() {
        let samples = seconds(Sound::Ringback, Codec::Pcma, 10);

        assert_eq!(heard(&samples[..8000], 425), Duration::from_secs(1));
        assert_eq!(heard(&samples[8000..40_000], 425), Duration::ZERO);
        assert_eq!(heard(&samples[40_000..48_000], 425), Duration::from_secs(1));
    }

    #[test]
    fn busy_is_half_a_second_in_one() {
        let samples = seconds(Sound::Busy, Codec::Pcmu, 2);

        let halves: Vec<bool> = samples.chunks(4000).map(|half| share(half, 425) > 0.9).collect();

        assert_eq!(halves, [true, false, true, false]);
    }

    #[test]
    fn silence_and_nothing_hold_no_tone() {
        let samples = seconds(Sound::Silence, Codec::Pcma, 1);

        assert_eq!(heard(&samples, 425), Duration::ZERO);
        assert_eq!(share(&[], 425), 0.0);
    }

    #[test]
    fn a_tone_runs_on_without_a_break_for_hours() {
        let mut tone = Tone { sound: Sound::Tone { hertz: 1234 }, position: 100 * 3600 * u64::from(RATE) - 160 };
        let samples: Vec<i16> = (0..320).map(|_| tone.sample()).collect();

        assert!(share(&samples, 1234) > 0.99);
    }
}
