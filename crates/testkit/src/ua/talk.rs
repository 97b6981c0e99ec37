//! Offers and answers of one call (RFC 3264): codecs, keys, hold and resume.

use std::net::SocketAddr;

use bytes::Bytes;
use media::Codec;
use sip::Body;
use sip::sdp::{self, Audio, AudioSection, Direction, Format, Owner, Profile, Sdp};

use super::Sound;

/// The payload type under which we take keys in our own offers.
const KEYS: u8 = 101;

/// The clock of the keys that we press.
const CLOCK: u32 = 8_000;

/// The payload type under which we take Opus in our own offers.
const OPUS: u8 = 96;

const PACKET_MS: u16 = 20;

/// Why a description cannot be met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoCommonSound;

/// What a new offer of theirs changed for us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    Same,
    Held,
    Resumed,
}

/// Our side of a call's session description.
#[derive(Debug)]
pub(crate) struct Talk {
    local: SocketAddr,
    codecs: Vec<Codec>,
    session_id: u64,
    version: u64,
    /// Their offer that waits for an answer.
    offer: Option<(Sdp, Audio)>,
    /// Our answer to their first offer: the early one and the final one are the same.
    answer: Option<Body>,
    listening: Vec<Format>,
    agreed: Option<Agreed>,
    /// We keep the other side on hold.
    holding: bool,
    /// The other side does not listen.
    held: bool,
}

#[derive(Clone, Copy, Debug)]
struct Agreed {
    remote: Option<SocketAddr>,
    codec: Codec,
    payload_type: u8,
    keys: Option<u8>,
    /// As seen by us.
    direction: Direction,
}

impl Talk {
    pub(crate) fn new(local: SocketAddr, codecs: &[Codec], session_id: u64) -> Self {
        Self {
            local,
            codecs: codecs.to_vec(),
            session_id,
            version: 1,
            offer: None,
            answer: None,
            listening: Vec::new(),
            agreed: None,
            holding: false,
            held: false,
        }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn takes_keys(&self) -> bool {
        self.agreed.is_some_and(|agreed| agreed.keys.is_some())
    }

    /// Whether an offer of theirs waits, or has been answered.
    pub(crate) fn has_offer(&self) -> bool {
        self.offer.is_some() || self.answer.is_some()
    }

    /// Reads the offer in an INVITE. Without one, ours goes out with the answer.
    pub(crate) fn take_offer(&mut self, body: &Bytes) -> Result<(), NoCommonSound> {
        if !body.is_empty() {
            let (sdp, audio) = read(body)?;
            self.choose(&audio).ok_or(NoCommonSound)?;
            self.offer = Some((sdp, audio));
        }
        Ok(())
    }

    /// Our answer to the offer of an INVITE, or our offer where there was none.
    pub(crate) fn answer(&mut self) -> Body {
        if let Some(answer) = &self.answer {
            return answer.clone();
        }
        match self.offer.take().and_then(|(sdp, audio)| self.agree_to(&sdp, &audio)) {
            Some(answer) => {
                self.answer = Some(answer.clone());
                answer
            }
            None => self.offer(),
        }
    }

    /// Our offer as things stand.
    pub(crate) fn offer(&mut self) -> Body {
        if self.listening.is_empty() {
            let own = |codec: &Codec| format(*codec, codec.static_payload_type().unwrap_or(OPUS));
            self.listening = self.codecs.iter().map(own).chain([Format::keys(KEYS)]).collect();
        }
        Body::sdp(Sdp::offer(self.owner(), &self.section(self.wish(), PACKET_MS)).print())
    }

    /// Our offer that holds the other side, or takes it back.
    pub(crate) fn offer_hold(&mut self, holding: bool) -> Body {
        self.holding = holding;
        self.version += 1;
        self.offer()
    }

    /// The other side did not agree to [`offer_hold`](Self::offer_hold).
    pub(crate) fn withdraw_hold(&mut self) {
        self.holding = !self.holding;
        self.version += 1;
    }

    /// Reads the answer to our offer.
    pub(crate) fn take_answer(&mut self, body: &Bytes) -> Result<(), NoCommonSound> {
        if body.is_empty() {
            return if self.agreed.is_some() { Ok(()) } else { Err(NoCommonSound) };
        }
        let (_, audio) = read(body)?;
        let (codec, payload_type) = self.choose(&audio).ok_or(NoCommonSound)?;
        self.agree(&audio, codec, payload_type, audio.direction.reversed());
        Ok(())
    }

    /// Answers a new offer within the dialog; an empty one asks for ours. An error leaves everything as it was.
    pub(crate) fn reoffer(&mut self, body: &Bytes) -> Result<(Body, Change), NoCommonSound> {
        self.version += 1;
        if body.is_empty() {
            return Ok((self.offer(), Change::Same));
        }
        let (sdp, audio) = read(body)?;
        let answer = self.agree_to(&sdp, &audio).ok_or(NoCommonSound)?;
        let held = !audio.direction.receives();
        let change = match (self.held, held) {
            (false, true) => Change::Held,
            (true, false) => Change::Resumed,
            _ => Change::Same,
        };
        self.held = held;
        Ok((answer, change))
    }

    /// How sound travels, once that is agreed.
    pub(crate) fn sound(&self) -> Option<Sound> {
        let agreed = self.agreed?;
        let codec_of = |format: &Format| {
            let codec = self.codecs.iter().find(|codec| is(format, **codec))?;
            Some((format.payload_type, *codec))
        };
        Some(Sound {
            local: self.local,
            remote: agreed.remote,
            codec: agreed.codec,
            payload_type: agreed.payload_type,
            keys: agreed.keys,
            listening: self.listening.iter().filter_map(codec_of).collect(),
            listening_keys: self.listening.iter().find(|format| format.is_keys()).map(|format| format.payload_type),
            // Who holds has put the receiver down.
            send: agreed.direction.sends() && !self.holding,
            receive: agreed.direction.receives() && !self.holding,
        })
    }

    fn agree_to(&mut self, sdp: &Sdp, audio: &Audio) -> Option<Body> {
        let (codec, payload_type) = self.choose(audio)?;
        // In an answer we listen under the payload types that the offer gave (RFC 3264, 6.1).
        self.listening = vec![format(codec, payload_type)];
        self.listening.extend(audio.keys(CLOCK).map(Format::keys));
        let direction = audio.direction.answer(self.wish());
        self.agree(audio, codec, payload_type, direction);
        let section = self.section(direction, audio.packet_ms.unwrap_or(PACKET_MS));
        Some(Body::sdp(sdp.answer(self.owner(), audio.index, &section).print()))
    }

    fn agree(&mut self, audio: &Audio, codec: Codec, payload_type: u8, direction: Direction) {
        let keys = audio.keys(CLOCK);
        self.agreed = Some(Agreed { remote: audio.rtp, codec, payload_type, keys, direction });
    }

    /// The first of their codecs that we speak, and its payload type.
    fn choose(&self, audio: &Audio) -> Option<(Codec, u8)> {
        audio.codecs().find_map(|format| {
            let codec = self.codecs.iter().find(|codec| is(format, **codec))?;
            Some((*codec, format.payload_type))
        })
    }

    fn wish(&self) -> Direction {
        if self.holding { Direction::SendOnly } else { Direction::SendRecv }
    }

    fn owner(&self) -> Owner {
        Owner { session_id: self.session_id, version: self.version, address: self.local.ip() }
    }

    fn section(&self, direction: Direction, packet_ms: u16) -> AudioSection {
        AudioSection {
            address: self.local,
            profile: Profile::Avp,
            crypto: None,
            rtcp_mux: false,
            formats: self.listening.clone(),
            direction,
            packet_ms: Some(packet_ms),
        }
    }
}

fn read(body: &Bytes) -> Result<(Sdp, Audio), NoCommonSound> {
    let sdp = sdp::parse(body).map_err(|_| NoCommonSound)?;
    let audio = sdp.audio_over(Profile::Avp.as_str()).ok_or(NoCommonSound)?;
    Ok((sdp, audio))
}

fn format(codec: Codec, payload_type: u8) -> Format {
    match codec {
        Codec::Opus => Format::opus(payload_type, None),
        Codec::Pcma | Codec::Pcmu | Codec::G722 => Format::new(payload_type, name(codec), codec.clock_rate()),
    }
}

fn is(format: &Format, codec: Codec) -> bool {
    let channels = if codec == Codec::Opus { 2 } else { 1 };
    format.channels == channels && format.is(name(codec), codec.clock_rate())
}

fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcma => "PCMA",
        Codec::Pcmu => "PCMU",
        Codec::G722 => "G722",
        Codec::Opus => "opus",
    }
}
