//! One recording: what two sides say, laid side by side in time; several voices on a side are added.
//!
//! Sound is put where its timestamps say, beginning at the moment its first packet came; what is missing stays silence.
//! A piece of time is handed out when packets for it can hardly come any more. When no buffer is free, because the
//! writer cannot keep up, that piece of time is left out of the recording for both sides, and counted.

use crate::clock::{MILLISECOND, Ticks};
use crate::codec::Law;
use crate::wav::MOMENT;

/// Which channel of a recording a party is heard in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The customer.
    Left = 0,
    /// The agent.
    Right = 1,
}

/// How much time is handed out in one piece.
pub(crate) const PIECE: u64 = 160 * MILLISECOND;

/// How long a moment is kept open for packets that come late.
const PATIENCE: u64 = 240 * MILLISECOND;

/// A side whose sound has come too late for so long is laid anew; what was held up on the way comes all at once.
const LATE_FOR: u64 = 300 * MILLISECOND;

/// Moments in memory; a power of two, more than a piece, the patience twice and the longest packet.
const RING: usize = 8192;

/// A recording under way.
pub(crate) struct Recorder {
    started: Ticks,
    /// Moments handed out or left out; all positions count from the start.
    done: u64,
    left_out: u64,
    ring: Box<[[i16; 2]; RING]>,
    /// One for each voice.
    tracks: Vec<Track>,
    /// How many voices there are on each side.
    voices: [usize; 2],
}

#[derive(Clone, Copy)]
struct Track {
    /// The session's number.
    session: u32,
    anchor: Option<Anchor>,
    /// Since when nothing has come in time.
    late_since: Option<Ticks>,
}

/// Where a run of packets lies in the recording.
#[derive(Clone, Copy)]
struct Anchor {
    run: u32,
    timestamp: u32,
    position: u64,
}

/// A packet's sound, with what tells where it belongs.
pub(crate) struct Piece<'a> {
    /// The session's number and the run of its packets: within them timestamps belong together.
    pub session: u32,
    pub run: u32,
    pub timestamp: u32,
    /// Steps of the timestamp in a tick.
    pub scale: u32,
    pub voice: Voice<'a>,
}

/// The sound itself, at 8 kHz.
#[derive(Clone, Copy)]
pub(crate) enum Voice<'a> {
    /// As it came.
    Law(Law, &'a [u8]),
    /// As it was decoded.
    Samples(&'a [i16]),
}

impl Recorder {
    pub fn start(at: Ticks) -> Self {
        Self { started: at, done: 0, left_out: 0, ring: Box::new([[0; 2]; RING]), tracks: Vec::new(), voices: [0; 2] }
    }

    /// These sessions are heard from here on, left and right.
    pub fn set_sides(&mut self, sides: &[Vec<u32>; 2]) {
        let heard = || sides.iter().flatten().copied();
        self.tracks.retain(|track| heard().any(|session| session == track.session));
        for session in heard() {
            if !self.tracks.iter().any(|track| track.session == session) {
                self.tracks.push(Track { session, anchor: None, late_since: None });
            }
        }
        self.voices = [sides[0].len(), sides[1].len()];
    }

    /// Lays a packet's sound.
    pub fn hear(&mut self, at: Ticks, side: Side, piece: &Piece) {
        let now = at - self.started;
        let Some(track) = self.tracks.iter_mut().find(|track| track.session == piece.session) else { return };
        let length = piece.voice.length() as u64;
        let mut position = track.position(piece).unwrap_or(now);
        if position + length <= self.done {
            if now - *track.late_since.get_or_insert(now) < LATE_FOR {
                return;
            }
            position = now;
        }
        if position > now + PATIENCE {
            position = now;
        }
        track.late_since = None;
        track.anchor = Some(Anchor { run: piece.run, timestamp: piece.timestamp, position });
        match piece.voice {
            Voice::Law(law, sound) => {
                let samples = law.samples();
                self.lay(position, side, sound.iter().map(|&byte| samples[usize::from(byte)]));
            }
            Voice::Samples(sound) => self.lay(position, side, sound.iter().copied()),
        }
    }

    /// Hands out the oldest piece of time if it is due, into `buffer` if there is one. Gives whether it was.
    pub fn hand_out(&mut self, at: Ticks, buffer: Option<&mut Vec<u8>>) -> bool {
        let due = self.is_due(at);
        if due {
            self.take(PIECE, buffer);
        }
        due
    }

    /// Whether a piece of time is due.
    pub fn is_due(&self, at: Ticks) -> bool {
        self.done + PIECE + PATIENCE <= at - self.started
    }

    /// Hands out what is left when the recording ends, piece by piece. Gives whether there was any.
    pub fn finish(&mut self, at: Ticks, buffer: Option<&mut Vec<u8>>) -> bool {
        let left = (at - self.started).saturating_sub(self.done).min(PIECE);
        if left > 0 {
            self.take(left, buffer);
        }
        left > 0
    }

    /// Moments left out because there was no buffer.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    fn lay(&mut self, position: u64, side: Side, sound: impl Iterator<Item = i16>) {
        let open = self.done..self.done + RING as u64;
        let is_alone = self.voices[side as usize] < 2;
        for (sample, moment) in sound.zip(position..) {
            if open.contains(&moment) {
                let laid = &mut self.ring[moment as usize % RING][side as usize];
                *laid = if is_alone { sample } else { laid.saturating_add(sample) };
            }
        }
    }

    fn take(&mut self, moments: u64, buffer: Option<&mut Vec<u8>>) {
        let begin = self.done as usize % RING;
        self.done += moments;
        let moments = moments as usize;
        // The ring is a whole number of patience and pieces only by chance: a piece may lie around its end.
        let first = moments.min(RING - begin);
        let (before, after) = (begin..begin + first, 0..moments - first);
        match buffer {
            Some(buffer) => {
                buffer.clear();
                buffer.reserve(moments * MOMENT);
                for range in [before.clone(), after.clone()] {
                    for [left, right] in &self.ring[range] {
                        let [a, b] = left.to_le_bytes();
                        let [c, d] = right.to_le_bytes();
                        buffer.extend_from_slice(&[a, b, c, d]);
                    }
                }
            }
            None => self.left_out += moments as u64,
        }
        for range in [before, after] {
            self.ring[range].fill([0; 2]);
        }
    }
}

impl Voice<'_> {
    fn length(&self) -> usize {
        match self {
            Self::Law(_, sound) => sound.len(),
            Self::Samples(sound) => sound.len(),
        }
    }
}

impl Track {
    /// Where the timestamps put a packet. None: it belongs to nothing that was heard before.
    fn position(&self, piece: &Piece) -> Option<u64> {
        let anchor = self.anchor.filter(|anchor| anchor.run == piece.run)?;
        let step = i64::from(piece.timestamp.wrapping_sub(anchor.timestamp) as i32) / i64::from(piece.scale);
        anchor.position.checked_add_signed(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Tone, share};
    use crate::{Codec, Sound};

    /// A recording with two speakers of one tone each, and what it has handed out.
    struct Studio {
        recorder: Recorder,
        tones: [Tone; 2],
        file: Vec<[i16; 2]>,
    }

    const SIDES: [Side; 2] = [Side::Left, Side::Right];

    impl Studio {
        fn new() -> Self {
            let tones = [440, 1000].map(|hertz| Tone::new(Sound::Tone { hertz }));
            let mut recorder = Recorder::start(1000);
            recorder.set_sides(&SIDES.map(|side| vec![side as u32]));
            Self { recorder, tones, file: Vec::new() }
        }

        /// The next 20 ms of this side's tone, with the timestamp of a clock of its own; none of it is heard yet.
        fn speak(&mut self, side: Side) -> [u8; 160] {
            let mut sound = [0; 160];
            self.tones[side as usize].fill(Codec::Pcma, &mut sound);
            sound
        }

        fn hear(&mut self, at: u64, side: Side, timestamp: u32, sound: &[u8]) {
            let piece = Piece { session: side as u32, run: 1, timestamp, scale: 1, voice: Voice::Law(Law::A, sound) };
            self.recorder.hear(1000 + at, side, &piece);
        }

        fn hand_out(&mut self, at: u64) {
            let mut buffer = Vec::new();
            while self.recorder.hand_out(1000 + at, Some(&mut buffer)) {
                self.keep(&buffer);
            }
        }

        fn finish(&mut self, at: u64) -> &[[i16; 2]] {
            let mut buffer = Vec::new();
            while self.recorder.finish(1000 + at, Some(&mut buffer)) {
                self.keep(&buffer);
            }
            &self.file
        }

        fn keep(&mut self, buffer: &[u8]) {
            let sample = |bytes: &[u8]| i16::from_le_bytes([bytes[0], bytes[1]]);
            self.file.extend(buffer.chunks(4).map(|moment| [sample(&moment[..2]), sample(&moment[2..])]));
        }

        fn side(&self, side: Side) -> Vec<i16> {
            self.file.iter().map(|moment| moment[side as usize]).collect()
        }
    }

    #[test]
    fn each_side_is_heard_in_its_own_channel() {
        let mut studio = Studio::new();
        for n in 0..100u64 {
            for side in SIDES {
                let sound = studio.speak(side);
                studio.hear(n * 160, side, n as u32 * 160, &sound);
            }
            studio.hand_out(n * 160);
        }

        studio.finish(16_000);

        assert_eq!(studio.file.len(), 16_000);
        assert!(share(&studio.side(Side::Left), 440) > 0.99);
        assert!(share(&studio.side(Side::Right), 1000) > 0.99);
    }

    #[test]
    fn a_side_that_begins_later_is_laid_where_it_begins() {
        let mut studio = Studio::new();
        for n in 0..50u64 {
            let sound = studio.speak(Side::Left);
            studio.hear(n * 160, Side::Left, n as u32 * 160, &sound);
            if n >= 25 {
                let sound = studio.speak(Side::Right);
                let timestamp = (n as u32 * 160).wrapping_sub(4080);
                studio.hear(n * 160 + 40, Side::Right, timestamp, &sound);
            }
            studio.hand_out(n * 160);
        }

        studio.finish(8000);

        let right = studio.side(Side::Right);
        assert!(right[..4040].iter().all(|&sample| sample == 0));
        assert!(share(&right[4040..], 1000) > 0.99);
    }

    #[test]
    fn uneven_and_swapped_packets_are_laid_by_their_timestamps() {
        let mut studio = Studio::new();
        let sounds: Vec<_> = (0..100).map(|_| studio.speak(Side::Left)).collect();
        for pair in 0..50u64 {
            for n in [pair * 2 + 1, pair * 2] {
                studio.hear(pair * 320 + 160, Side::Left, n as u32 * 160, &sounds[n as usize]);
            }
            studio.hand_out(pair * 320 + 160);
        }

        studio.finish(16_160);

        assert!(share(&studio.side(Side::Left)[..16_000], 440) > 0.99);
    }

    #[test]
    fn a_lost_packet_is_silence_of_its_length() {
        let mut studio = Studio::new();
        for n in 0..50u64 {
            let sound = studio.speak(Side::Left);
            if n != 20 {
                studio.hear(n * 160, Side::Left, n as u32 * 160, &sound);
            }
        }

        studio.finish(8000);

        let left = studio.side(Side::Left);
        assert!(left[3200..3360].iter().all(|&sample| sample == 0));
        assert!(share(&left[3360..], 440) > 0.99);
    }

    #[test]
    fn sound_that_comes_after_its_time_was_handed_out_is_dropped_and_what_follows_stays_in_place() {
        let mut studio = Studio::new();
        let sounds: Vec<_> = (0..200).map(|_| studio.speak(Side::Left)).collect();
        for n in 0..50u64 {
            studio.hear(n * 160, Side::Left, n as u32 * 160, &sounds[n as usize]);
        }
        studio.hand_out(120 * 160);
        for n in 50..200u64 {
            studio.hear(n.max(120) * 160, Side::Left, n as u32 * 160, &sounds[n as usize]);
            studio.hand_out(n.max(120) * 160);
        }

        studio.finish(200 * 160);

        let left = studio.side(Side::Left);
        let expected: Vec<i16> = sounds.concat().iter().map(|&byte| Codec::Pcma.decode(byte)).collect();
        assert!(left[..8000] == expected[..8000]);
        assert!(left[121 * 160..] == expected[121 * 160..]);
    }

    #[test]
    fn a_sender_whose_clock_is_far_behind_is_laid_anew() {
        let mut studio = Studio::new();
        let first = studio.speak(Side::Left);
        studio.hear(0, Side::Left, 0, &first);
        studio.hand_out(16_000);
        for n in 0..50u64 {
            let sound = studio.speak(Side::Left);
            studio.hear(16_000 + n * 160, Side::Left, 160 + n as u32 * 160, &sound);
            studio.hand_out(16_000 + n * 160);
        }

        studio.finish(24_000);

        assert!(share(&studio.side(Side::Left)[18_400..], 440) > 0.99);
    }

    #[test]
    fn a_sender_whose_clock_runs_ahead_is_laid_anew() {
        let mut studio = Studio::new();
        let sound = studio.speak(Side::Left);
        studio.hear(0, Side::Left, 0, &sound);

        studio.hear(160, Side::Left, 1_000_000, &sound);

        studio.finish(400);
        assert!(studio.side(Side::Left)[200..320].iter().any(|&sample| sample != 0));
    }

    #[test]
    fn time_without_a_buffer_is_left_out_and_counted() {
        let mut studio = Studio::new();
        for n in 0..50u64 {
            for side in SIDES {
                let sound = studio.speak(side);
                studio.hear(n * 160, side, n as u32 * 160, &sound);
            }
            if n == 28 {
                assert!(studio.recorder.hand_out(1000 + n * 160, None));
            }
            studio.hand_out(n * 160);
        }

        studio.finish(8000);

        assert_eq!(studio.recorder.left_out(), 1280);
        assert_eq!(studio.file.len(), 8000 - 1280);
    }

    #[test]
    fn silence_is_recorded_as_long_as_it_lasts() {
        let mut studio = Studio::new();
        studio.hand_out(80_000);

        assert_eq!(studio.finish(80_123).len(), 80_123);
    }
}
