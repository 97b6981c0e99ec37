//! A phone's sound: what it says about it in SDP, the tone it sends, and what it hears.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use media::keys::{KeyEvent, KeyPress};
use media::tone::Tone;
use media::{Codec, rtp};
use sip::sdp::{self, Audio, Crypto, Direction, Suite};

use super::Phone;
use super::ear::Ear;
use super::secrecy::Secrecy;

/// The first RTP port of a phone; each of its calls has one of its own.
const FIRST_PORT: u16 = 30_000;

/// The length of a packet, in samples.
const PACKET: usize = 160;

/// How long a key is pressed, in samples.
const PRESSED: u16 = 800;

/// How long no key is pressed between two, in packets.
const RELEASED: u32 = 5;

/// The payload type that the phone names for keys.
const KEYS: u8 = 101;

/// The sound of one call.
#[derive(Debug)]
pub struct Sound {
    /// Payload type and name of what the phone can speak in this call, best first.
    pub codecs: Vec<(u8, String)>,
    /// Where the phone listens.
    pub port: u16,
    /// What it has heard since it was last asked.
    pub ear: Ear,
    /// The keys that it was told as telephone-events, each press once.
    pub keys: String,
    /// How many packets it has sent.
    pub sent: u32,
    /// What the switchboard has agreed to.
    agreed: Option<Agreed>,
    /// The phone's key, where sound has keys.
    secured: Option<Crypto>,
    /// The keys of both sides.
    secrecy: Option<Secrecy>,
    hertz: u16,
    /// What the phone wants: sends and listens, or does not.
    wish: Direction,
    version: u32,
    tone: Tone,
    sequence: u16,
    timestamp: u32,
    /// Keys that are going to be pressed.
    dialled: VecDeque<char>,
    press: Option<Press>,
    /// The timestamps of the presses that were told.
    told: Vec<u32>,
}

/// A key that is held down: when it was pressed, and the packets that are left.
#[derive(Debug)]
struct Press {
    timestamp: u32,
    packets: KeyPress,
    pause: u32,
}

#[derive(Debug)]
struct Agreed {
    codec: Codec,
    payload_type: u8,
    /// The payload type that the switchboard wants for keys.
    keys: Option<u8>,
    remote: Option<SocketAddr>,
    /// As the phone sees it.
    direction: Direction,
}

impl Sound {
    /// Sound of the phone's call at this place among its calls.
    pub fn new(place: usize, hertz: u16, codecs: &[(u8, String)]) -> Self {
        Self {
            codecs: codecs.to_vec(),
            port: FIRST_PORT + 2 * u16::try_from(place % 10_000).unwrap_or_default(),
            ear: Ear::default(),
            keys: String::new(),
            sent: 0,
            agreed: None,
            secured: None,
            secrecy: None,
            hertz,
            wish: Direction::SendRecv,
            version: 1,
            tone: Tone::new(media::Sound::Tone { hertz }),
            sequence: 0,
            timestamp: 0,
            dialled: VecDeque::new(),
            press: None,
            told: Vec::new(),
        }
    }

    /// For whoever reads why a test failed.
    pub fn about(&self) -> String {
        let (agreed, heard, sent) = (&self.agreed, self.ear.packets(), self.sent);
        format!("listens at {}, has sent {sent} and heard {heard} packets, {agreed:?}", self.port)
    }

    /// Presses keys, one after the other, from the next packet on, told as telephone-events (RFC 4733).
    pub fn dial(&mut self, keys: &str) {
        self.dialled.extend(keys.chars());
    }

    /// Offers another direction from here on.
    pub fn change(&mut self, direction: Direction) {
        self.version += 1;
        self.wish = direction;
    }

    fn speaks(&self, name: &str) -> bool {
        self.codecs.iter().any(|(_, own)| own.eq_ignore_ascii_case(name))
    }

    /// Sound with keys is offered from the beginning.
    pub(super) fn secure(&mut self) {
        let suite = Suite::AesCm128HmacSha1_80;
        self.secured = Some(self.key(&Crypto { tag: 1, suite, key: [0; 30] }));
    }

    /// The phone's own key, which no other call has, for the suite and tag of another.
    fn key(&self, other: &Crypto) -> Crypto {
        let seed = [self.hertz.to_be_bytes(), self.port.to_be_bytes()].concat();
        Crypto { key: std::array::from_fn(|place| seed[place % seed.len()]), ..*other }
    }

    /// What the phone wants.
    pub(super) fn wish(&self) -> Direction {
        self.wish
    }

    /// Whether the phone wants sound both ways, speaks what was agreed on, and presses no keys.
    pub fn is_open(&self) -> bool {
        let both = self.wish == Direction::SendRecv && self.press.is_none() && self.dialled.is_empty();
        both && self.agreed.as_ref().is_some_and(|agreed| agreed.direction == Direction::SendRecv)
    }

    /// Whether the phone may send, as agreed.
    pub fn sends(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.direction.sends())
    }

    /// The next 20 ms of the phone's tone, and where they go. The clock of its packets goes on while it says nothing.
    pub fn speak(&mut self, at: Duration) -> Option<(SocketAddr, Vec<u8>)> {
        let agreed = self.agreed.as_ref().filter(|agreed| agreed.direction.sends())?;
        let remote = agreed.remote?;
        let (codec, sound, keys) = (agreed.codec, agreed.payload_type, agreed.keys);
        let clock = u32::try_from(at.as_millis() * 8).unwrap_or_default();
        let paused = self.sequence == 0 || clock.saturating_sub(self.timestamp) > 2 * PACKET as u32;
        if paused && self.press.is_none() {
            self.timestamp = clock;
        }
        let now = self.timestamp;
        let event = keys.and_then(|keys| Some((keys, self.next_event(now)?)));
        let (payload_type, timestamp, marker) = match &event {
            Some((keys, (begun, event))) => (*keys, *begun, event.duration == PACKET as u16),
            None => (sound, now, paused),
        };
        let sequence = self.sequence;
        let header = rtp::Header { marker, payload_type, sequence, timestamp, ssrc: u32::from(self.port) };
        self.sequence = sequence.wrapping_add(1);
        self.timestamp = now.wrapping_add(PACKET as u32);
        self.sent += 1;
        let mut packet = header.print().to_vec();
        match event {
            Some((_, (_, event))) => packet.extend(event.print()),
            None => {
                let start = packet.len();
                packet.resize(start + PACKET, 0);
                self.tone.fill(codec, &mut packet[start..]);
            }
        }
        if let Some(secrecy) = &mut self.secrecy {
            secrecy.seal(&mut packet);
        }
        Some((remote, packet))
    }

    /// What is told in this packet of the key that is pressed, and when its press began. None: sound goes on.
    fn next_event(&mut self, now: u32) -> Option<(u32, KeyEvent)> {
        let press = match &mut self.press {
            Some(press) => press,
            None => {
                let packets = KeyPress::new(self.dialled.pop_front()?, PRESSED)?;
                self.press.insert(Press { timestamp: now, packets, pause: RELEASED })
            }
        };
        let event = press.packets.next().map(|event| (press.timestamp, event));
        if event.is_none() {
            press.pause -= 1;
            if press.pause == 0 {
                self.press = None;
            }
        }
        event
    }

    /// Takes in a packet; what it understands is heard.
    pub fn hear(&mut self, packet: &[u8]) {
        let Some(agreed) = self.agreed.as_ref().filter(|agreed| agreed.direction.receives()) else { return };
        let opened = match &mut self.secrecy {
            Some(secrecy) => secrecy.open(packet),
            None => Some(packet.to_vec()),
        };
        let Some(packet) = opened else { return };
        let Ok((header, payload)) = rtp::parse(&packet) else { return };
        if header.payload_type == agreed.payload_type {
            let sound = packet[payload].iter().map(|byte| agreed.codec.decode(*byte));
            self.ear.hear(&header, sound.collect());
        } else if header.payload_type == KEYS
            && !self.told.contains(&header.timestamp)
            && let Some(key) = KeyEvent::parse(&packet[payload]).and_then(|event| event.key())
        {
            self.told.push(header.timestamp);
            self.keys.push(key);
        }
    }
}

impl Phone {
    /// The phone's description of its sound, as an offer, or as the answer to theirs.
    pub(super) fn describe(&self, sound: &Sound, direction: Direction, offer: Option<&Bytes>) -> String {
        let direction = if offer.is_some() { sound.wish } else { direction };
        let theirs = offer.and_then(read);
        let direction = match &theirs {
            Some(theirs) => theirs.direction.answer(direction),
            None => direction,
        };
        let formats: Vec<(u8, String)> = match &theirs {
            Some(theirs) => {
                let both = theirs.codecs().find(|format| sound.speaks(&format.name));
                both.map(|format| (format.payload_type, format.name.clone())).into_iter().collect()
            }
            None => sound.codecs.clone(),
        };
        let ip = self.card.address.ip();
        let secured = match &theirs {
            Some(theirs) if theirs.profile.is_secured() => theirs.cryptos.first().map(|theirs| sound.key(theirs)),
            Some(_) => None,
            None => sound.secured,
        };
        let (profile, key) = match secured {
            Some(crypto) => ("RTP/SAVP", format!("a=crypto:{}\r\n", crypto.print())),
            None => ("RTP/AVP", String::new()),
        };
        let numbers: String = formats.iter().map(|(number, _)| format!(" {number}")).collect();
        let maps: String = formats.iter().map(|(number, name)| format!("a=rtpmap:{number} {name}/8000\r\n")).collect();
        format!(
            "v=0\r\no=- {port} {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
             m=audio {port} {profile}{numbers} {KEYS}\r\n{key}{maps}a=rtpmap:{KEYS} telephone-event/8000\r\na={direction}\r\n",
            port = sound.port,
            version = sound.version,
            direction = direction.as_str(),
        )
    }

    /// Reads the switchboard's description, offer or answer, and goes by it.
    pub(super) fn agree(&mut self, at: usize, theirs: &Bytes) {
        let Some(audio) = read(theirs) else { return };
        let found = audio.codecs().find_map(|format| {
            let codec = match format.name.to_ascii_uppercase().as_str() {
                "PCMA" => Codec::Pcma,
                "PCMU" => Codec::Pcmu,
                _ => return None,
            };
            self.talks[at].sound.speaks(&format.name).then_some((codec, format.payload_type))
        });
        let sound = &mut self.talks[at].sound;
        let theirs = audio.cryptos.first().filter(|_| audio.profile.is_secured());
        sound.secured = theirs.map(|theirs| sound.key(theirs));
        sound.secrecy = match (sound.secrecy.take(), sound.secured.as_ref().zip(theirs)) {
            (Some(kept), Some((own, theirs))) if kept.is_of(own, theirs) => Some(kept),
            (_, keys) => keys.map(|(own, theirs)| Secrecy::new(*own, *theirs)),
        };
        let direction = audio.direction.answer(sound.wish);
        let keys = audio.keys(8_000);
        sound.agreed =
            found.map(|(codec, payload_type)| Agreed { codec, payload_type, keys, remote: audio.rtp, direction });
    }
}

fn read(description: &Bytes) -> Option<Audio> {
    sdp::parse(description).ok()?.audio()
}
