//! What a simulated phone hears: tones, keys, packets and losses.
//!
//! Keeps the last seconds of sound, so that one may ask afterwards what was in them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::Codec;
use media::codec::{Decoder, LONGEST};
use media::keys::KeyReader;
use media::music::DRONE;
use media::rtp;
use media::tone::share;

use crate::ua::Sound;

/// Sound is kept for this long.
const KEPT: Duration = Duration::from_secs(10);

/// 40 ms: long enough to tell tones apart that differ by 50 Hz.
const PIECE: usize = 320;

/// Quieter than this, on the average, is silence.
const FLOOR: i64 = 300;

/// A tone that fills less of the time asked for than this was not heard.
const LEAST: Duration = Duration::from_millis(200);

/// Keys that are remembered.
const KEYS: usize = 256;

/// The hearing half of a call's sound.
#[derive(Debug, Default)]
pub struct Ear {
    pieces: VecDeque<Piece>,
    filling: Vec<i16>,
    decoder: Option<Decoder>,
    keys: KeyReader,
    pressed: String,
    count: Count,
    run: Option<Run>,
    /// Changes whenever the sender begins anew.
    runs: u32,
}

/// What came.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Count {
    /// Packets of sound and keys.
    pub received: u64,
    /// Packets that never came, by their numbers.
    pub lost: u64,
    /// Packets that came while we should have heard nothing.
    pub unwanted: u64,
    /// What was no RTP, or of a payload type that was not agreed.
    pub strange: u64,
}

#[derive(Debug)]
struct Piece {
    at: Instant,
    samples: Box<[i16]>,
}

/// The numbers of one sender.
#[derive(Clone, Copy, Debug)]
struct Run {
    ssrc: u32,
    highest: u16,
}

impl Ear {
    /// Takes a packet that came to our address. Gives the key if it begins a press.
    pub fn handle_packet(&mut self, now: Instant, sound: &Sound, packet: &[u8]) -> Option<char> {
        if rtp::is_control(packet) {
            return None;
        }
        let Ok((header, payload)) = rtp::parse(packet) else {
            self.count.strange += 1;
            return None;
        };
        let codec = sound.listening.iter().find(|(number, _)| *number == header.payload_type).map(|(_, codec)| *codec);
        let is_key = sound.listening_keys == Some(header.payload_type);
        if codec.is_none() && !is_key {
            self.count.strange += 1;
            return None;
        }
        self.count.received += 1;
        self.follow(header.ssrc, header.sequence);
        if !sound.receive {
            self.count.unwanted += 1;
            return None;
        }
        let payload = packet.get(payload)?;
        match codec {
            Some(codec) => {
                self.listen(now, codec, payload);
                None
            }
            None => {
                let key = self.keys.read(self.runs, header.timestamp, payload)?;
                if self.pressed.len() < KEYS {
                    self.pressed.push(key);
                }
                Some(key)
            }
        }
    }

    /// How long a tone was heard in the time before `now`.
    pub fn heard_for(&self, now: Instant, hertz: u16, within: Duration) -> Duration {
        let fresh = |piece: &&Piece| now.saturating_duration_since(piece.at) <= within;
        let heard = self.pieces.iter().rev().take_while(fresh).filter(|piece| piece.has(hertz)).count();
        Duration::from_millis(40) * u32::try_from(heard).unwrap_or(u32::MAX)
    }

    /// Whether a tone was heard in the time before `now`, at least for a fifth of a second.
    pub fn heard(&self, now: Instant, hertz: u16, within: Duration) -> bool {
        self.heard_for(now, hertz, within) >= LEAST.min(within)
    }

    /// Whether anything louder than silence was heard in the time before `now`.
    pub fn heard_anything(&self, now: Instant, within: Duration) -> bool {
        let fresh = |piece: &&Piece| now.saturating_duration_since(piece.at) <= within;
        self.pieces.iter().rev().take_while(fresh).any(Piece::is_loud)
    }

    /// Whether the switchboard's music was heard in the time before `now`, for a fifth of a second, and nothing else.
    pub fn heard_music(&self, now: Instant, within: Duration) -> bool {
        let fresh = |piece: &&Piece| now.saturating_duration_since(piece.at) <= within;
        let loud = || self.pieces.iter().rev().take_while(fresh).filter(|piece| piece.is_loud());
        let heard = Duration::from_millis(40) * u32::try_from(loud().count()).unwrap_or(u32::MAX);
        heard >= LEAST.min(within) && loud().all(Piece::is_music)
    }

    /// The keys that were pressed, in order.
    pub fn keys(&self) -> &str {
        &self.pressed
    }

    /// What came so far.
    pub fn count(&self) -> Count {
        self.count
    }

    fn listen(&mut self, now: Instant, codec: Codec, payload: &[u8]) {
        self.decoder.take_if(|decoder| decoder.codec() != codec);
        let decoder = self.decoder.get_or_insert_with(|| Decoder::new(codec).expect("there is memory for a decoder"));
        let mut samples = [0; LONGEST];
        let count = decoder.decode(payload, &mut samples).unwrap_or(0);
        // The tones that are listened for lie so low that half of the samples will do.
        let step = codec.sample_rate() as usize / 8_000;
        for sample in samples[..count].iter().step_by(step) {
            self.filling.push(*sample);
            if self.filling.len() == PIECE {
                let samples = std::mem::take(&mut self.filling).into_boxed_slice();
                self.pieces.push_back(Piece { at: now, samples });
            }
        }
        while self.pieces.front().is_some_and(|piece| now.saturating_duration_since(piece.at) > KEPT)
            || self.pieces.len() > (KEPT.as_millis() / 40) as usize
        {
            self.pieces.pop_front();
        }
    }

    fn follow(&mut self, ssrc: u32, sequence: u16) {
        let Some(run) = self.run.as_mut().filter(|run| run.ssrc == ssrc) else {
            self.run = Some(Run { ssrc, highest: sequence });
            self.runs = self.runs.wrapping_add(1);
            return;
        };
        match sequence.wrapping_sub(run.highest) {
            // Doubled.
            0 => {}
            ahead @ 1..0x8000 => {
                self.count.lost += u64::from(ahead) - 1;
                run.highest = sequence;
            }
            // Late: it had been taken for lost.
            _ => self.count.lost = self.count.lost.saturating_sub(1),
        }
    }
}

impl Piece {
    fn is_loud(&self) -> bool {
        let energy: i64 = self.samples.iter().map(|&sample| i64::from(sample) * i64::from(sample)).sum();
        energy / PIECE as i64 > FLOOR * FLOOR
    }

    /// The one tone that never stops is in it, among others.
    fn is_music(&self) -> bool {
        share(&self.samples, DRONE) > 0.1
    }

    fn has(&self, hertz: u16) -> bool {
        self.is_loud() && share(&self.samples, hertz) > 0.8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::{Mouth, Voice};

    #[test]
    fn a_tone_is_heard_at_its_frequency_only_and_not_for_ever() {
        let (start, sound) = (Instant::now(), sound());
        let mut mouth = Mouth::new(Voice::Tone(700), 5);
        let mut ear = Ear::default();

        let end = (1..=50).fold(start, |_, n| {
            let now = start + Duration::from_millis(20) * n;
            ear.handle_packet(now, &sound, &mouth.speak(&sound).unwrap());
            now
        });

        assert!(ear.heard(end, 700, Duration::from_secs(1)));
        assert!(!ear.heard(end, 750, Duration::from_secs(1)));
        assert!(!ear.heard(end + Duration::from_secs(2), 700, Duration::from_secs(1)));
        assert_eq!(ear.heard_for(end, 700, Duration::from_secs(5)), Duration::from_secs(1));
    }

    #[test]
    fn losses_are_counted_and_late_packets_make_up_for_them() {
        let (now, sound) = (Instant::now(), sound());
        let mut mouth = Mouth::new(Voice::Silence, 5);
        let packets: Vec<Vec<u8>> = (0..10).filter_map(|_| mouth.speak(&sound)).collect();
        let mut ear = Ear::default();

        for n in [0, 1, 4, 3, 5, 5, 9] {
            ear.handle_packet(now, &sound, &packets[n]);
        }

        assert_eq!(ear.count().lost, 4);
        assert_eq!(ear.count().received, 7);
    }

    #[test]
    fn keys_are_told_once_each() {
        let (now, sound) = (Instant::now(), sound());
        let mut mouth = Mouth::new(Voice::Silence, 5);
        let mut ear = Ear::default();
        "12*".chars().for_each(|key| assert!(mouth.press(key)));

        let told: String =
            (0..60).filter_map(|_| ear.handle_packet(now, &sound, &mouth.speak(&sound).unwrap())).collect();

        assert_eq!(told, "12*");
        assert_eq!(ear.keys(), "12*");
    }

    #[test]
    fn what_was_not_agreed_is_strange_and_what_comes_on_hold_unwanted() {
        let (now, agreed) = (Instant::now(), sound());
        let mut ear = Ear::default();
        let other = Sound { payload_type: 0, ..sound() };

        ear.handle_packet(now, &agreed, &[1, 2, 3]);
        ear.handle_packet(now, &agreed, &Mouth::new(Voice::Silence, 5).speak(&other).unwrap());
        let held = Sound { receive: false, ..sound() };
        ear.handle_packet(now, &held, &Mouth::new(Voice::Silence, 5).speak(&agreed).unwrap());

        assert_eq!(ear.count(), Count { received: 1, lost: 0, unwanted: 1, strange: 2 });
        assert!(!ear.heard_anything(now, Duration::from_secs(1)));
    }

    fn sound() -> Sound {
        Sound {
            local: "127.0.0.1:4000".parse().unwrap(),
            remote: Some("127.0.0.1:5000".parse().unwrap()),
            codec: Codec::Pcma,
            payload_type: 8,
            keys: Some(101),
            listening: vec![(8, Codec::Pcma)],
            listening_keys: Some(101),
            send: true,
            receive: true,
        }
    }
}
