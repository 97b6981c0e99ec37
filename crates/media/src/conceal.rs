//! Sound where none came, and sound made a little shorter or longer: by whole periods of the voice, joined without clicks.
//!
//! What is missing is filled by going on with the last period, softer and softer; silence is reached after 60 ms. The
//! same periods are cut out or said twice where a buffer holds too much or too little.

/// How much of what was played is remembered, in milliseconds: two of the longest periods and what they are compared by.
const PAST_MS: usize = 40;

/// The longest and the shortest period looked for, in eighths of a millisecond: 66 to 400 Hz.
const LONGEST: usize = 120;
const SHORTEST: usize = 20;

/// Two stretches are compared over so much, in eighths of a millisecond.
const COMPARED: usize = 60;

/// One sound becomes another over so much, in eighths of a millisecond.
const BLEND: usize = 40;

/// Sound that is made up is as loud as before for so long, and silent after so long, in eighths of a millisecond.
const LOUD: usize = 80;
const SILENT: usize = 480;

/// What was played last, and how it goes on where nothing came.
pub(crate) struct Concealment {
    /// Samples in an eighth of a millisecond.
    rate: usize,
    /// The newest last.
    past: Box<[i16]>,
    lost: Option<Lost>,
}

/// Sound that is being made up.
struct Lost {
    /// The period, as it was played last.
    period: [i16; LONGEST * 2],
    length: usize,
    /// Samples made up so far.
    position: usize,
    /// The step between what was played last and where the period begins.
    step: i32,
}

impl Concealment {
    /// For sound at 8 or 16 kHz.
    pub fn new(samples_per_ms: usize) -> Self {
        let past = vec![0; PAST_MS * samples_per_ms].into_boxed_slice();
        Self { rate: samples_per_ms / 8, past, lost: None }
    }

    /// Sound that came: joined to what was made up before, if anything was, and remembered.
    pub fn hear(&mut self, sound: &mut [i16]) {
        if let Some(mut lost) = self.lost.take() {
            let blend = (BLEND * self.rate).min(sound.len());
            for (n, sample) in sound[..blend].iter_mut().enumerate() {
                *sample = mix(lost.next(self.rate), *sample, n, blend);
            }
        }
        self.remember(sound);
    }

    /// Fills `sound`, for which nothing came.
    pub fn fill(&mut self, sound: &mut [i16]) {
        self.interrupt();
        let rate = self.rate;
        if let Some(lost) = &mut self.lost {
            sound.iter_mut().for_each(|sample| *sample = lost.next(rate));
        }
        self.remember(sound);
    }

    /// Sound that was not made here is played: by the codec for what is missing, or noise.
    pub fn remember(&mut self, sound: &[i16]) {
        let past = self.past.len();
        if sound.len() >= past {
            self.past.copy_from_slice(&sound[sound.len() - past..]);
        } else {
            self.past.copy_within(sound.len().., 0);
            self.past[past - sound.len()..].copy_from_slice(sound);
        }
    }

    /// Cuts a period out of `sound`, which has come and was not remembered yet. Gives how much is left.
    pub fn shorten(&self, sound: &mut [i16]) -> usize {
        let blend = BLEND * self.rate;
        let longest = (LONGEST * self.rate).min(sound.len().saturating_sub(blend));
        let Some((period, likeness)) = self.period(longest, |lag| (&sound[..blend], &sound[lag..lag + blend])) else {
            return sound.len();
        };
        if likeness < 0.5 && loudness(sound) > QUIET {
            return sound.len();
        }
        for n in 0..blend {
            sound[n] = mix(sound[n], sound[n + period], n, blend);
        }
        sound.copy_within(blend + period.., blend);
        sound.len() - period
    }

    /// Says the last period once more; gives its length. It goes before `sound`, which has come and was not remembered
    /// yet, and was played as far as `repeated` is long.
    pub fn lengthen(&mut self, sound: &[i16], repeated: &mut [i16]) -> usize {
        let blend = BLEND * self.rate;
        let past = self.past.len();
        let longest = (LONGEST * self.rate).min(repeated.len());
        if sound.len() < blend {
            return 0;
        }
        let compared = COMPARED * self.rate;
        let found =
            self.period(longest, |lag| (&self.past[past - compared..], &self.past[past - compared - lag..past - lag]));
        let Some((mut period, likeness)) = found else { return 0 };
        while period < blend {
            period *= 2;
        }
        if likeness < 0.5 && loudness(&self.past[past - compared..]) > QUIET {
            return 0;
        }
        repeated[..period].copy_from_slice(&self.past[past - period..]);
        for n in 0..blend {
            repeated[n] = mix(sound[n], repeated[n], n, blend);
        }
        self.remember(&repeated[..period]);
        period
    }

    /// What comes next does not go on where the last sound ended.
    pub fn interrupt(&mut self) {
        if self.lost.is_none() {
            self.lost = Some(self.lose());
        }
    }

    /// Forgets what was played.
    #[cfg(test)]
    pub fn reset(&mut self) {
        self.past.fill(0);
        self.lost = None;
    }

    fn lose(&self) -> Lost {
        let past = self.past.len();
        let compared = COMPARED * self.rate;
        let found = self.period(LONGEST * self.rate, |lag| {
            (&self.past[past - compared..], &self.past[past - compared - lag..past - lag])
        });
        let length = found.map_or(LONGEST * self.rate, |(period, _)| period);
        let mut period = [0; LONGEST * 2];
        period[..length].copy_from_slice(&self.past[past - length..]);
        let step = i32::from(self.past[past - 1]) - i32::from(self.past[past - length - 1]);
        Lost { period, length, position: 0, step }
    }

    /// The lag of at most `longest` samples at which two stretches are most alike, and how much: 1 is the same.
    fn period<'a>(&self, longest: usize, stretches: impl Fn(usize) -> (&'a [i16], &'a [i16])) -> Option<(usize, f32)> {
        let shortest = SHORTEST * self.rate;
        let likeness = |lag: usize| alike(stretches(lag));
        // First coarsely, then around the best.
        let better = |best: (usize, f32), lag| {
            let likeness = likeness(lag);
            if likeness > best.1 { (lag, likeness) } else { best }
        };
        if longest < shortest {
            return None;
        }
        let coarse = (shortest..=longest).step_by(2 * self.rate).fold((shortest, -2.0), better);
        let around = coarse.0.saturating_sub(2 * self.rate).max(shortest)..=(coarse.0 + 2 * self.rate).min(longest);
        Some(around.fold(coarse, better))
    }
}

/// Softer than this, nobody hears how two stretches are joined.
const QUIET: f32 = 60.0;

impl Lost {
    fn next(&mut self, rate: usize) -> i16 {
        let sample = i32::from(self.period[self.position % self.length]);
        let join = BLEND * rate;
        let step = if self.position < join { self.step * (join - self.position - 1) as i32 / join as i32 } else { 0 };
        let (loud, silent) = (LOUD * rate, SILENT * rate);
        let left = silent.saturating_sub(self.position.max(loud)) as i32;
        self.position = (self.position + 1).min(silent + self.length);
        let sample = (sample + step) * left / (silent - loud) as i32;
        sample.clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }
}

/// At `n` of `length` on the way from one sound to another.
fn mix(from: i16, to: i16, n: usize, length: usize) -> i16 {
    let to_share = (n + 1) as i32;
    let from_share = length as i32 + 1 - to_share;
    ((i32::from(from) * from_share + i32::from(to) * to_share) / (length as i32 + 1)) as i16
}

fn alike((one, other): (&[i16], &[i16])) -> f32 {
    let (mut product, mut ones, mut others) = (0.0f32, 1.0f32, 1.0f32);
    for (&a, &b) in one.iter().zip(other) {
        let (a, b) = (f32::from(a), f32::from(b));
        product += a * b;
        ones += a * a;
        others += b * b;
    }
    product / (ones * others).sqrt()
}

fn loudness(sound: &[i16]) -> f32 {
    let energy: f32 = sound.iter().map(|&sample| f32::from(sample) * f32::from(sample)).sum();
    (energy / sound.len().max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{level, roughness, sine, speech};

    #[test]
    fn a_lost_packet_of_a_tone_is_hardly_missed() {
        for (rate, per_ms) in [(8_000, 8), (16_000, 16)] {
            let mut sound = sine(rate, 200.0, 8_000, rate as usize / 5);
            let whole = sound.clone();
            let mut concealment = Concealment::new(per_ms);
            for (n, packet) in sound.chunks_mut(20 * per_ms).enumerate() {
                if n == 5 { concealment.fill(packet) } else { concealment.hear(packet) }
            }

            let rest: Vec<i16> = sound.iter().zip(&whole).map(|(a, b)| a.wrapping_sub(*b)).collect();

            assert!(level(&rest) < level(&whole) - 12.0, "{} {}", level(&rest), level(&whole));
            assert!(roughness(&sound) < roughness(&whole) * 1.6);
        }
    }

    #[test]
    fn what_goes_on_missing_becomes_silence_without_a_step() {
        let mut sound = sine(8_000, 440.0, 12_000, 1600);
        let mut concealment = Concealment::new(8);
        concealment.hear(&mut sound[..800]);

        concealment.fill(&mut sound[800..]);

        assert!(sound[800 + 480..].iter().all(|&sample| sample == 0));
        assert!(roughness(&sound) < roughness(&sine(8_000, 440.0, 12_000, 800)) * 1.5);
    }

    #[test]
    fn losses_in_speech_do_not_click() {
        let whole = speech(8_000, 3);
        let mut sound = whole.clone();
        let mut concealment = Concealment::new(8);
        for (n, packet) in sound.chunks_mut(160).enumerate() {
            if n % 13 == 5 { concealment.fill(packet) } else { concealment.hear(packet) }
        }

        assert!(roughness(&sound) < roughness(&whole) * 1.5, "{} {}", roughness(&sound), roughness(&whole));
    }

    #[test]
    fn a_period_more_or_less_leaves_speech_smooth() {
        for (rate, per_ms) in [(8_000, 8), (16_000, 16)] {
            let whole = speech(rate, 3);
            let mut concealment = Concealment::new(per_ms);
            let (mut shorter, mut longer) = (Vec::new(), Vec::new());
            for packet in whole.chunks(20 * per_ms) {
                let mut packet = packet.to_vec();
                let left = concealment.shorten(&mut packet);
                concealment.hear(&mut packet[..left]);
                shorter.extend_from_slice(&packet[..left]);
            }
            concealment.reset();
            for packet in whole.chunks(20 * per_ms) {
                let mut repeated = vec![0; 20 * per_ms];
                let more = concealment.lengthen(packet, &mut repeated);
                longer.extend_from_slice(&repeated[..more]);
                concealment.hear(&mut packet.to_vec());
                longer.extend_from_slice(packet);
            }

            assert!(shorter.len() < whole.len() * 9 / 10, "{} {}", shorter.len(), whole.len());
            assert!(longer.len() > whole.len() * 11 / 10, "{} {}", longer.len(), whole.len());
            assert!(roughness(&shorter) < roughness(&whole) * 1.5);
            assert!(roughness(&longer) < roughness(&whole) * 1.5);
        }
    }

    #[test]
    fn silence_and_full_scale_are_no_trouble() {
        for level in [0, i16::MIN, i16::MAX] {
            let mut concealment = Concealment::new(16);
            let mut sound = vec![level; 320];
            concealment.hear(&mut sound);
            concealment.fill(&mut sound);
            concealment.hear(&mut sound);
            let left = concealment.shorten(&mut sound);

            assert!(left <= 320);
        }
    }
}
