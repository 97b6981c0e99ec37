//! The music of those who wait: plucked notes of a pentatonic scale over a soft fifth that never stops.
//!
//! Made here, note by note, from the table that tones are made from; nothing of it is anybody else's. Each sample follows
//! from its position alone, so that a melody is no more state than a tone, and its end joins its beginning.

use std::sync::LazyLock;

use crate::sine::{PEAK, RATE, sine};

/// What sounds all the time: whoever has to find out whether there is music listens for it.
pub const DRONE: u16 = 147;

/// A fifth above it.
const FIFTH: u16 = 220;

/// Each is plucked half a second after the one before; 0 is a rest. Twenty-four seconds in all.
const MELODY: [u16; 48] = [
    294, 370, 440, 587, 494, 440, 370, 0, 330, 440, 494, 659, 587, 494, 440, 0, 294, 440, 587, 740, 659, 587, 494, 440,
    370, 440, 330, 370, 294, 0, 440, 0, 494, 587, 494, 440, 370, 330, 370, 0, 440, 370, 330, 294, 330, 370, 294, 0,
];

/// Samples from one note to the next.
const STEP: u64 = RATE as u64 / 2;

/// Steps in which a note dies away.
const RINGS: u64 = 3;

/// Samples in which a note becomes as loud as it gets: without them it would click.
const ATTACK: u64 = 80;

/// The loudness of the drone, of its fifth and of a note just plucked, in parts of a tone's; all together stay below one.
const LOUD: [i64; 3] = [15, 8, 25];
const PARTS: i64 = 100;

/// The melody from its end to its next, made once: hundreds may wait at a time.
static ROUND: LazyLock<Box<[i16]>> = LazyLock::new(|| {
    let length = STEP * MELODY.len() as u64;
    (length..2 * length).map(made).collect()
});

/// The sample at a position.
pub(crate) fn sample(position: u64) -> i16 {
    // The first notes of all have nothing that still rings before them.
    if position < RINGS * STEP { made(position) } else { ROUND[(position % ROUND.len() as u64) as usize] }
}

/// Makes the music now, so that nobody has to wait for it who hears it first.
pub fn prepare() {
    LazyLock::force(&ROUND);
}

/// A sample, as it is made.
fn made(position: u64) -> i16 {
    let part = |hertz: u16, loud: i64| i64::from(sine(position, hertz)) * loud / PARTS;
    let mut sum = part(DRONE, LOUD[0]) + part(FIFTH, LOUD[1]);
    let now = position / STEP;
    for back in 0..RINGS.min(now + 1) {
        let note = MELODY[((now - back) % MELODY.len() as u64) as usize];
        if note != 0 {
            sum += envelope(back * STEP + position % STEP, part(note, LOUD[2]));
        }
    }
    sum.clamp(-(PEAK as i64), PEAK as i64) as i16
}

/// A note so many samples after it was plucked.
fn envelope(age: u64, sample: i64) -> i64 {
    let length = (RINGS * STEP) as i64;
    let left = length - age as i64;
    let fading = sample * left / length * left / length;
    if age < ATTACK { fading * age as i64 / ATTACK as i64 } else { fading }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::share;

    fn seconds(from: u64, seconds: u64) -> Vec<i16> {
        let rate = u64::from(RATE);
        (from * rate..(from + seconds) * rate).map(sample).collect()
    }

    #[test]
    fn the_drone_is_heard_at_every_moment_and_no_tone_has_the_music_to_itself() {
        for piece in seconds(0, 60).chunks(320) {
            assert!(share(piece, DRONE) > 0.1, "the drone is lost");
            for hertz in [294, 425, 440, 494, 587, 600, 659, 675, 740, 750] {
                assert!(share(piece, hertz) < 0.75, "{hertz} Hz drowns the rest");
            }
        }
    }

    #[test]
    fn it_is_never_louder_than_a_voice_and_never_jumps() {
        let music = seconds(0, 30);

        assert!(music.iter().all(|sample| sample.unsigned_abs() < 8_000));
        assert!(music.windows(2).all(|two| (i32::from(two[1]) - i32::from(two[0])).abs() < 3_500));
    }

    #[test]
    fn what_is_made_once_is_what_is_made_each_time() {
        for position in (0..60 * u64::from(RATE)).step_by(97) {
            assert_eq!(sample(position), made(position));
        }
    }

    #[test]
    fn the_melody_begins_again_where_it_ends() {
        let length = u64::from(RATE) * 24;

        // The first notes of all have nothing that still rings before them.
        let two_seconds = u64::from(RATE) * 2;
        let first: Vec<i16> = (two_seconds..length).map(sample).collect();
        let again: Vec<i16> = (length + two_seconds..2 * length).map(sample).collect();

        assert!(first == again);
    }
}
