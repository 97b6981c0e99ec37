//! A phone's sound: what it says about it in SDP, the tone it sends, and what it hears.

use std::net::SocketAddr;

use bytes::Bytes;
use media::tone::Tone;
use media::{Codec, rtp};
use sip::sdp::{self, Audio, Direction};

use super::Phone;

/// The first RTP port of a phone; each of its calls has one of its own.
const FIRST_PORT: u16 = 30_000;

/// The length of a packet, in samples.
const PACKET: usize = 160;

/// The sound of one call.
#[derive(Debug)]
pub struct Sound {
    /// Where the phone listens.
    pub port: u16,
    /// What it has heard since it was last asked, as samples.
    pub heard: Vec<i16>,
    /// What the switchboard has agreed to.
    agreed: Option<Agreed>,
    /// What the phone wants: sends and listens, or does not.
    wish: Direction,
    version: u32,
    tone: Tone,
    sequence: u16,
}

#[derive(Debug)]
struct Agreed {
    codec: Codec,
    payload_type: u8,
    remote: Option<SocketAddr>,
    /// As the phone sees it.
    direction: Direction,
}

impl Sound {
    /// Sound of the phone's call at this place among its calls.
    pub fn new(place: usize, hertz: u16) -> Self {
        Self {
            port: FIRST_PORT + 2 * u16::try_from(place % 10_000).unwrap_or_default(),
            heard: Vec::new(),
            agreed: None,
            wish: Direction::SendRecv,
            version: 1,
            tone: Tone::new(media::Sound::Tone { hertz }),
            sequence: 0,
        }
    }

    /// Offers another direction from here on.
    pub fn change(&mut self, direction: Direction) {
        self.version += 1;
        self.wish = direction;
    }

    /// Whether the phone may send, as agreed.
    pub fn sends(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.direction.sends())
    }

    /// The next 20 ms of the phone's tone, and where they go.
    pub fn speak(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        let agreed = self.agreed.as_ref().filter(|agreed| agreed.direction.sends())?;
        let remote = agreed.remote?;
        let header = rtp::Header {
            marker: self.sequence == 0,
            payload_type: agreed.payload_type,
            sequence: self.sequence,
            timestamp: u32::from(self.sequence) * PACKET as u32,
            ssrc: u32::from(self.port),
        };
        self.sequence = self.sequence.wrapping_add(1);
        let mut packet = header.print().to_vec();
        let start = packet.len();
        packet.resize(start + PACKET, 0);
        self.tone.fill(agreed.codec, &mut packet[start..]);
        Some((remote, packet))
    }

    /// Takes in a packet; what it understands is heard.
    pub fn hear(&mut self, packet: &[u8]) {
        let Some(agreed) = self.agreed.as_ref().filter(|agreed| agreed.direction.receives()) else { return };
        if let Ok((header, payload)) = rtp::parse(packet)
            && header.payload_type == agreed.payload_type
        {
            self.heard.extend(packet[payload].iter().map(|byte| agreed.codec.decode(*byte)));
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
                let both = theirs.codecs().find(|format| self.speaks(&format.name));
                both.map(|format| (format.payload_type, format.name.clone())).into_iter().collect()
            }
            None => self.codecs.clone(),
        };
        let ip = self.card.address.ip();
        let numbers: String = formats.iter().map(|(number, _)| format!(" {number}")).collect();
        let maps: String = formats.iter().map(|(number, name)| format!("a=rtpmap:{number} {name}/8000\r\n")).collect();
        format!(
            "v=0\r\no=- {port} {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP{numbers} 101\r\n{maps}a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n",
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
            self.speaks(&format.name).then_some((codec, format.payload_type))
        });
        let sound = &mut self.talks[at].sound;
        let direction = audio.direction.answer(sound.wish);
        sound.agreed = found.map(|(codec, payload_type)| Agreed { codec, payload_type, remote: audio.rtp, direction });
    }

    fn speaks(&self, name: &str) -> bool {
        self.codecs.iter().any(|(_, own)| own.eq_ignore_ascii_case(name))
    }
}

fn read(description: &Bytes) -> Option<Audio> {
    sdp::parse(description).ok()?.audio()
}
