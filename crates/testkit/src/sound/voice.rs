//! What a simulated phone says, sample by sample.

use std::f64::consts::TAU;

use media::Sound;
use media::tone::Tone;

/// Samples a second.
const RATE: u64 = 8_000;

/// What the other side of a call hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Voice {
    /// Packets without sound.
    #[default]
    Silence,
    /// One tone, in Hz.
    Tone(u16),
    /// A chime of this many Hz for 400 ms, then syllables with pauses, like somebody talking; over and over.
    Speech {
        /// The chime.
        chime: u16,
    },
    /// No packets at all, as from a phone whose sound is broken.
    Nothing,
}

/// A voice being heard.
#[derive(Clone, Debug)]
pub(crate) struct Talking {
    voice: Voice,
    tone: Tone,
    /// Samples made so far.
    position: u64,
}

impl Talking {
    pub(crate) fn new(voice: Voice) -> Self {
        let sound = match voice {
            Voice::Tone(hertz) | Voice::Speech { chime: hertz } => Sound::Tone { hertz },
            Voice::Silence | Voice::Nothing => Sound::Silence,
        };
        Self { voice, tone: Tone::new(sound), position: 0 }
    }

    pub(crate) fn voice(&self) -> Voice {
        self.voice
    }

    pub(crate) fn sample(&mut self) -> i16 {
        let within = self.position % PERIOD;
        self.position += 1;
        let tone = self.tone.sample();
        match self.voice {
            Voice::Speech { .. } if within >= CHIME => speech(within - CHIME),
            _ => tone,
        }
    }
}

const CHIME: u64 = RATE * 2 / 5;

const PERIOD: u64 = RATE * 4;

/// A syllable and the pause behind it.
const SYLLABLE: u64 = RATE * 9 / 40;

/// Pitch in Hz and the two lowest formants of the vowels that follow each other; a pitch of 0 is a pause.
const SYLLABLES: [(f64, f64, f64); 16] = [
    (150.0, 700.0, 1200.0),
    (165.0, 300.0, 2300.0),
    (140.0, 500.0, 1800.0),
    (0.0, 0.0, 0.0),
    (130.0, 450.0, 800.0),
    (145.0, 700.0, 1200.0),
    (160.0, 350.0, 700.0),
    (150.0, 500.0, 1800.0),
    (0.0, 0.0, 0.0),
    (170.0, 300.0, 2300.0),
    (150.0, 450.0, 800.0),
    (135.0, 700.0, 1200.0),
    (0.0, 0.0, 0.0),
    (140.0, 500.0, 1800.0),
    (125.0, 350.0, 700.0),
    (0.0, 0.0, 0.0),
];

/// A sum of the pitch's harmonics, louder near the formants, swelling and fading with each syllable.
fn speech(position: u64) -> i16 {
    let (pitch, first, second) = SYLLABLES[(position / SYLLABLE) as usize % SYLLABLES.len()];
    let within = (position % SYLLABLE) as f64 / SYLLABLE as f64;
    if pitch == 0.0 || within > 0.8 {
        return 0;
    }
    let swell = (within / 0.8 * TAU / 2.0).sin();
    let seconds = (position % SYLLABLE) as f64 / RATE as f64;
    let near = |hertz: f64, formant: f64| 1.0 / (1.0 + ((hertz - formant) / 150.0).powi(2));
    let sum: f64 = (1..=16)
        .map(f64::from)
        .map(|harmonic| {
            let hertz = pitch * harmonic;
            let loudness = near(hertz, first) + 0.5 * near(hertz, second) + 0.2 / harmonic;
            loudness * (TAU * hertz * seconds).sin()
        })
        .sum();
    (swell * sum * 8_000.0).clamp(-32_000.0, 32_000.0) as i16
}

#[cfg(test)]
mod tests {
    use media::tone::share;

    use super::*;

    #[test]
    fn a_speaker_chimes_first_and_then_talks() {
        let mut talking = Talking::new(Voice::Speech { chime: 880 });

        let samples: Vec<i16> = (0..PERIOD + CHIME).map(|_| talking.sample()).collect();

        let (chime, rest) = samples.split_at(CHIME as usize);
        let (words, again) = rest.split_at((PERIOD - CHIME) as usize);
        assert!(share(chime, 880) > 0.9);
        assert!(share(words, 880) < 0.1);
        assert!(words.iter().filter(|sample| sample.unsigned_abs() > 500).count() > words.len() / 5);
        assert!(share(again, 880) > 0.9);
    }

    #[test]
    fn a_tone_goes_on_and_silence_is_silent() {
        let [tone, silence] = [Voice::Tone(700), Voice::Silence].map(|voice| {
            let mut talking = Talking::new(voice);
            (0..RATE).map(|_| talking.sample()).collect::<Vec<i16>>()
        });

        assert!(share(&tone, 700) > 0.99);
        assert!(silence.iter().all(|sample| *sample == 0));
    }
}
