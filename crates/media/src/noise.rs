//! Comfort noise (RFC 3389): what a pause sounds like where the sender tells only how loud it is.

/// How loud noise is when a packet tells nothing, in −dBov.
const USUAL: u8 = 65;

/// The level that a packet tells, in −dBov; its spectrum is not followed.
pub(crate) fn level(payload: &[u8]) -> u8 {
    payload.first().map_or(USUAL, |first| first & 0x7f)
}

/// Noise being made.
#[derive(Clone, Debug)]
pub(crate) struct Noise {
    state: u32,
    last: i32,
}

impl Default for Noise {
    fn default() -> Self {
        Self { state: 0x1234_5678, last: 0 }
    }
}

impl Noise {
    /// Fills `sound` with noise of this level in −dBov. 0 dBov is a square wave of full scale.
    pub fn fill(&mut self, level: u8, sound: &mut [i16]) {
        // Quieter than −78 dBov is less than one step.
        let loudness = 32_768.0 * 10f32.powf(-f32::from(level.min(78)) / 20.0);
        // Even noise of one peak is a root of three quieter than that; the sum of two neighbours a root of two louder.
        let peak = loudness * 3f32.sqrt() / 2f32.sqrt();
        for sample in sound {
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let even = ((self.state >> 16) as i32 - 32_768) as f32 / 32_768.0;
            let next = (even * peak).round() as i32;
            *sample = (next + self.last).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            self.last = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_as_loud_as_was_told() {
        for level in [20u8, 40, 60] {
            let mut sound = vec![0; 16_000];

            Noise::default().fill(level, &mut sound);

            let heard = crate::fixture::level(&sound) - 20.0 * 32_768f64.log10();
            assert!((heard + f64::from(level)).abs() < 1.5, "{heard} {level}");
        }
    }

    #[test]
    fn a_packet_without_a_level_is_quiet() {
        assert_eq!((level(&[]), level(&[0xff, 3]), level(&[40])), (USUAL, 127, 40));
    }
}
