//! Says a voice, and presses keys, as RTP packets of 20 ms.
//!
//! Knows no time: whoever drives it asks for a packet every 20 ms.

use std::collections::VecDeque;

use media::Codec;
use media::codec::Encoder;
use media::keys::{KeyEvent, KeyPress};
use media::rtp::{HEADER, Header};

use super::Voice;
use super::voice::Talking;
use crate::ua::Sound;

/// Samples in a packet at 8 kHz.
const SAMPLES: usize = 160;

/// More bytes than a packet of any codec has.
const LARGEST: usize = 1_000;

/// How long a key is down, in samples.
const PRESS: u16 = 800;

/// Packets between one key and the next.
const PAUSE: u8 = 5;

/// Keys that wait to be pressed, at most.
const WAITING: usize = 64;

/// The sending half of a call's sound.
#[derive(Debug)]
pub struct Mouth {
    talking: Talking,
    encoder: Option<Encoder>,
    header: Header,
    sent: u64,
    waiting: VecDeque<char>,
    pressing: Option<Pressing>,
    pause: u8,
}

#[derive(Debug)]
struct Pressing {
    /// All packets of a press share the timestamp of its beginning (RFC 4733, 2.5.1.2).
    timestamp: u32,
    first: bool,
    press: KeyPress,
}

impl Mouth {
    /// Begins to speak. `ssrc` tells it from others; numbers begin at what follows from it.
    pub fn new(voice: Voice, ssrc: u32) -> Self {
        let header =
            Header { marker: true, payload_type: 0, sequence: (ssrc >> 16) as u16 & 0x7fff, timestamp: ssrc, ssrc };
        Self {
            talking: Talking::new(voice),
            encoder: None,
            header,
            sent: 0,
            waiting: VecDeque::new(),
            pressing: None,
            pause: 0,
        }
    }

    /// Presses a key once those before it are let go. False: there is no such key, or too many wait.
    pub fn press(&mut self, key: char) -> bool {
        let known = KeyPress::new(key, PRESS).is_some() && self.waiting.len() < WAITING;
        if known {
            self.waiting.push_back(key);
        }
        known
    }

    /// How many packets have been made.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// The next 20 ms. None where nothing is to be sent; time goes on all the same.
    pub fn speak(&mut self, sound: &Sound) -> Option<Vec<u8>> {
        let timestamp = self.header.timestamp;
        self.header.timestamp = timestamp.wrapping_add(sound.codec.clock_rate() / 50);
        if !sound.send || sound.remote.is_none() {
            self.header.marker = true;
            return None;
        }
        if let Some((header, event)) = self.key(sound, timestamp) {
            return Some(self.packet(header, &event.print()));
        }
        if self.talking.voice() == Voice::Nothing {
            return None;
        }
        let mut payload = [0; LARGEST];
        let length = self.say(sound.codec, &mut payload)?;
        let header = Header { payload_type: sound.payload_type, timestamp, ..self.header };
        self.header.marker = false;
        Some(self.packet(header, &payload[..length]))
    }

    fn say(&mut self, codec: Codec, payload: &mut [u8]) -> Option<usize> {
        let mut samples = [0; 2 * SAMPLES];
        // Each sample is said twice where a codec takes twice as many.
        let times = codec.sample_rate() as usize / 8_000;
        for chunk in samples.chunks_exact_mut(times).take(SAMPLES) {
            chunk.fill(self.talking.sample());
        }
        self.encoder.take_if(|encoder| encoder.codec() != codec);
        let encoder = self.encoder.get_or_insert_with(|| Encoder::new(codec).expect("there is memory for an encoder"));
        encoder.encode(&samples[..times * SAMPLES], payload)
    }

    fn key(&mut self, sound: &Sound, timestamp: u32) -> Option<(Header, KeyEvent)> {
        let payload_type = sound.keys?;
        if self.pressing.is_none() {
            if self.pause > 0 {
                self.pause -= 1;
                return None;
            }
            let press = KeyPress::new(self.waiting.pop_front()?, PRESS)?;
            self.pressing = Some(Pressing { timestamp, first: true, press });
        }
        let pressing = self.pressing.as_mut()?;
        let Some(event) = pressing.press.next() else {
            self.pressing = None;
            self.pause = PAUSE;
            self.header.marker = true;
            return None;
        };
        let marker = std::mem::take(&mut pressing.first);
        Some((Header { marker, payload_type, timestamp: pressing.timestamp, ..self.header }, event))
    }

    fn packet(&mut self, header: Header, payload: &[u8]) -> Vec<u8> {
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.sent += 1;
        let mut packet = Vec::with_capacity(HEADER + payload.len());
        packet.extend_from_slice(&header.print());
        packet.extend_from_slice(payload);
        packet
    }
}

#[cfg(test)]
mod tests {
    use media::keys::KeyReader;
    use media::rtp;

    use super::*;

    #[test]
    fn packets_count_on_while_keys_are_pressed() {
        let (mut mouth, sound) = (Mouth::new(Voice::Tone(700), 7), sound());
        mouth.press('5');
        mouth.press('#');

        let packets: Vec<Vec<u8>> = (0..50).filter_map(|_| mouth.speak(&sound)).collect();

        let headers: Vec<Header> = packets.iter().map(|packet| rtp::parse(packet).unwrap().0).collect();
        assert_eq!(headers.len(), 50);
        assert!(headers.windows(2).all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1)));
        let mut reader = KeyReader::default();
        let keys: String = packets
            .iter()
            .filter_map(|packet| {
                let (header, payload) = rtp::parse(packet).unwrap();
                (header.payload_type == 101).then(|| reader.read(0, header.timestamp, &packet[payload]))?
            })
            .collect();
        assert_eq!(keys, "5#");
    }

    #[test]
    fn nothing_is_sent_while_nobody_listens() {
        let mut mouth = Mouth::new(Voice::Tone(700), 7);
        let held = Sound { send: false, ..sound() };

        let quiet = mouth.speak(&held);
        let loud = mouth.speak(&sound());

        assert_eq!(quiet, None);
        assert!(rtp::parse(&loud.unwrap()).unwrap().0.marker);
    }

    #[test]
    fn a_broken_phone_sends_keys_only() {
        let mut mouth = Mouth::new(Voice::Nothing, 7);

        let before = mouth.speak(&sound());
        mouth.press('1');
        let after = mouth.speak(&sound());

        assert_eq!(before, None);
        assert!(after.is_some());
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
