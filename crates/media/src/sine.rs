//! The one wave that every sound of ours is made of, at 8 kHz.

use std::f64::consts::TAU;
use std::sync::LazyLock;

/// Samples a second.
pub(crate) const RATE: u32 = 8_000;

/// The largest sample of a tone: about 10 dB below full scale, as loud as a voice.
pub(crate) const PEAK: f64 = 10_000.0;

/// One second of one cycle. A tone of any whole number of Hz steps through it without a break.
static SINE: LazyLock<[i16; RATE as usize]> =
    LazyLock::new(|| std::array::from_fn(|n| ((n as f64 * TAU / f64::from(RATE)).sin() * PEAK) as i16));

/// The sample at a position of a tone that began with the position 0.
pub(crate) fn sine(position: u64, hertz: u16) -> i16 {
    SINE[(position * u64::from(hertz) % u64::from(RATE)) as usize]
}
