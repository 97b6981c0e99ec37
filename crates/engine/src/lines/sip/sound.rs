//! One leg's sound: its session at a media worker, and the descriptions in which we and the party agree on it (RFC 3264).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use media::{Order, SessionId, Sources, Stream, WorkerId};
use model::{Codec, Reason, SoundOffer};
use sip::sdp::{self, Audio, AudioSection, Direction, Format, Owner, Profile, Sdp};
use sip::{Body, Flow};

use crate::key::LegKey;
use crate::step::Step;

/// The payload type under which we take keys in our own offers.
const KEYS: u8 = 101;

/// The clock of every codec that we speak.
const CLOCK: u32 = 8_000;

/// How long our own packets are when nobody says, in milliseconds.
const PACKET_MS: u16 = 20;

/// What a re-offer means for the other side of the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// As before.
    Same,
    /// The party does not listen any more.
    On,
    /// The party listens again.
    Off,
}

/// A leg's sound, from its first packet to its last.
#[derive(Debug)]
pub struct Sound {
    worker: WorkerId,
    session: SessionId,
    /// Where the party's signalling comes from.
    source: IpAddr,
    /// Where we listen, as it stands in our descriptions.
    ours: SocketAddr,
    /// Goes up by one with each change of our description.
    version: u64,
    /// What the party offered and is still to be answered, or was answered.
    offer: Option<(Sdp, Audio)>,
    /// Our answer to it: an early one and the final one are the same.
    answer: Option<Bytes>,
    /// The payload types under which we listen.
    listening: Vec<Format>,
    /// What we and the party agreed on.
    agreed: Option<Stream>,
    held: bool,
    closed: bool,
}

impl Sound {
    /// Takes an address out of the stock and opens a session there.
    pub fn open(step: &mut Step<'_>, leg: LegKey, worker: Option<WorkerId>, flow: Flow) -> Result<Self, Reason> {
        let signalling = step.endpoint.interfaces().get(usize::from(flow.interface));
        let beside = signalling.map(|interface| interface.bound.ip());
        let taken = step.sounds.take(worker, beside, flow.remote.ip());
        let (address, ours) = taken.ok_or(Reason::NoSoundAddress)?;
        let session = step.ids.session();
        step.media(address.worker, Order::Open { session, address: address.id, stream: None });
        step.sounds.opened(session, leg);
        Ok(Self {
            worker: address.worker,
            session,
            source: flow.remote.ip(),
            ours,
            version: 1,
            offer: None,
            answer: None,
            listening: Vec::new(),
            agreed: None,
            held: false,
            closed: false,
        })
    }

    /// Where it is.
    pub fn session(&self) -> (WorkerId, SessionId) {
        (self.worker, self.session)
    }

    /// What the party can speak, as far as it has said so.
    pub fn speaks(&self) -> SoundOffer {
        if let Some(agreed) = &self.agreed {
            return SoundOffer { codecs: vec![word(agreed.codec)], keys: agreed.keys.is_some() };
        }
        let Some((_, audio)) = &self.offer else { return SoundOffer::default() };
        SoundOffer { codecs: spoken(audio).map(|(codec, _)| word(codec)).collect(), keys: audio.keys(CLOCK).is_some() }
    }

    /// Ends the session.
    pub fn close(&mut self, step: &mut Step<'_>) {
        if !self.closed {
            self.closed = true;
            step.media(self.worker, Order::Close { session: self.session });
            step.sounds.closed(self.session);
        }
    }

    /// The party's signalling comes from there: the phone that has answered, or that has moved.
    pub fn set_source(&mut self, source: IpAddr) {
        self.source = source;
    }

    /// Our offer, with these codecs, best first.
    pub fn offer(&mut self, codecs: &[Codec]) -> Body {
        self.listening = codecs.iter().filter_map(|codec| sound_codec(*codec)).map(own_format).collect();
        self.listening.push(Format::keys(KEYS));
        self.offer_again()
    }

    /// Our description as it stands, as an offer.
    pub fn offer_again(&mut self) -> Body {
        if self.listening.is_empty() {
            return self.offer(&[Codec::Pcma, Codec::Pcmu]);
        }
        Body::sdp(Sdp::offer(self.owner(), &self.section(Direction::SendRecv, None)).print())
    }

    /// Reads the offer of a caller. Without one, ours goes out with the answer (RFC 3261, 13.2.1).
    pub fn take_offer(&mut self, body: &Bytes) -> Result<(), Reason> {
        if body.is_empty() {
            return Ok(());
        }
        let (sdp, audio) = read(body)?;
        spoken(&audio).next().ok_or(Reason::NoCommonCodec)?;
        self.offer = Some((sdp, audio));
        Ok(())
    }

    /// Our answer to the caller's offer, best with `codec`. An early answer is given again.
    pub fn answer(&mut self, step: &mut Step<'_>, codec: Option<Codec>) -> Result<Body, Reason> {
        if let Some(answer) = &self.answer {
            return Ok(Body::sdp(answer.clone()));
        }
        let Some((sdp, audio)) = self.offer.take() else {
            // What the other side speaks stands first, so that the party need not be translated for.
            let codecs = match codec {
                Some(Codec::Pcmu) => [Codec::Pcmu, Codec::Pcma],
                _ => [Codec::Pcma, Codec::Pcmu],
            };
            return Ok(self.offer(&codecs));
        };
        let answer = self.agree_to(step, &sdp, &audio, codec.and_then(sound_codec))?;
        self.answer = Some(answer.clone());
        Ok(Body::sdp(answer))
    }

    /// Reads the answer to our offer: an early one, or the final one.
    pub fn take_answer(&mut self, step: &mut Step<'_>, body: &Bytes) -> Result<Codec, Reason> {
        let (_, audio) = read(body)?;
        let (codec, theirs) =
            spoken(&audio).find(|(codec, _)| self.listens_to(*codec).is_some()).ok_or(Reason::NoCommonCodec)?;
        let ours = self.listens_to(codec).unwrap_or(theirs);
        let receive_keys = self.listening.iter().find(|format| format.is_keys()).map(|format| format.payload_type);
        let stream = Stream { receive_payload_type: ours, receive_keys, ..self.stream(&audio, codec, theirs) };
        self.agree(step, stream);
        Ok(word(codec))
    }

    /// Reads the answer in a 2xx; one without relies on the early answer.
    pub fn take_final_answer(&mut self, step: &mut Step<'_>, body: &Bytes) -> Result<Codec, Reason> {
        match &self.agreed {
            Some(agreed) if body.is_empty() => Ok(word(agreed.codec)),
            _ => self.take_answer(step, body),
        }
    }

    /// Reads the answer in an ACK, where the offer stood in our 2xx.
    pub fn take_late_answer(&mut self, step: &mut Step<'_>, body: &Bytes) {
        if !body.is_empty() {
            // Without a usable answer the leg stays as it was; its party hears nothing and hangs up.
            let _ = self.take_answer(step, body);
        }
    }

    /// Answers a new offer within the dialog. An error leaves everything as it was.
    pub fn reoffer(&mut self, step: &mut Step<'_>, body: &Bytes) -> Result<(Body, Held), Reason> {
        let (sdp, audio) = read(body)?;
        let prefer = self.agreed.as_ref().map(|agreed| agreed.codec);
        self.version += 1;
        let answer = match self.agree_to(step, &sdp, &audio, prefer) {
            Ok(answer) => answer,
            Err(reason) => {
                self.version -= 1;
                return Err(reason);
            }
        };
        let held = !audio.direction.receives();
        let change = match (self.held, held) {
            (false, true) => Held::On,
            (true, false) => Held::Off,
            _ => Held::Same,
        };
        self.held = held;
        Ok((Body::sdp(answer), change))
    }

    /// Agrees to an offer of the party, and writes the answer.
    fn agree_to(
        &mut self,
        step: &mut Step<'_>,
        sdp: &Sdp,
        audio: &Audio,
        prefer: Option<media::Codec>,
    ) -> Result<Bytes, Reason> {
        let preferred = spoken(audio).find(|(codec, _)| Some(*codec) == prefer);
        let (codec, payload_type) = preferred.or_else(|| spoken(audio).next()).ok_or(Reason::NoCommonCodec)?;
        // In an answer we listen under the payload types that the offer gave (RFC 3264, 6.1).
        self.listening = vec![Format { payload_type, ..own_format(codec) }];
        self.listening.extend(audio.keys(CLOCK).map(Format::keys));
        let stream = self.stream(audio, codec, payload_type);
        self.agree(step, stream);
        let direction = audio.direction.answer(Direction::SendRecv);
        Ok(sdp.answer(self.owner(), audio.index, &self.section(direction, audio.packet_ms)).print())
    }

    fn agree(&mut self, step: &mut Step<'_>, stream: Stream) {
        if self.agreed.as_ref() != Some(&stream) {
            self.agreed = Some(stream.clone());
            step.media(self.worker, Order::Change { session: self.session, stream });
        }
    }

    fn listens_to(&self, codec: media::Codec) -> Option<u8> {
        self.listening.iter().find(|format| format.is(name(codec), CLOCK)).map(|format| format.payload_type)
    }

    /// How sound travels to and from a party whose description this is. Both directions use its payload types.
    fn stream(&self, audio: &Audio, codec: media::Codec, payload_type: u8) -> Stream {
        let keys = audio.keys(CLOCK);
        Stream {
            codec,
            payload_type,
            receive_payload_type: payload_type,
            keys,
            receive_keys: keys,
            keys_clock: CLOCK,
            key_tones: true,
            remote: audio.rtp,
            sources: Sources::Any { signalling: Some(self.source) },
            remote_rtcp: audio.rtcp,
            rtcp_mux: false,
            crypto: None,
            comfort: None,
            silence: None,
            send: audio.direction.receives(),
            receive: audio.direction.sends(),
            packet_ms: audio.packet_ms.unwrap_or(PACKET_MS),
        }
    }

    fn owner(&self) -> Owner {
        Owner { session_id: self.session.0, version: self.version, address: self.ours.ip() }
    }

    fn section(&self, direction: Direction, packet_ms: Option<u16>) -> AudioSection {
        AudioSection {
            address: self.ours,
            profile: Profile::Avp,
            crypto: None,
            rtcp_mux: false,
            formats: self.listening.clone(),
            direction,
            packet_ms: Some(packet_ms.unwrap_or(PACKET_MS)),
        }
    }
}

fn read(body: &Bytes) -> Result<(Sdp, Audio), Reason> {
    let sdp = sdp::parse(body).map_err(|_| Reason::NoCommonCodec)?;
    let audio = sdp.audio_over(Profile::Avp.as_str()).ok_or(Reason::NoCommonCodec)?;
    Ok((sdp, audio))
}

/// The codecs of a description that we speak too, in its order, with their payload types.
fn spoken(audio: &Audio) -> impl Iterator<Item = (media::Codec, u8)> {
    audio.codecs().filter(|format| format.channels == 1).filter_map(|format| {
        let codec =
            [media::Codec::Pcma, media::Codec::Pcmu].into_iter().find(|codec| format.is(name(*codec), CLOCK))?;
        Some((codec, format.payload_type))
    })
}

fn own_format(codec: media::Codec) -> Format {
    // Only codecs with a static payload type are offered.
    Format::new(codec.static_payload_type().unwrap_or(96), name(codec), CLOCK)
}

fn name(codec: media::Codec) -> &'static str {
    word(codec).name()
}

fn word(codec: media::Codec) -> Codec {
    match codec {
        media::Codec::Pcma => Codec::Pcma,
        media::Codec::Pcmu => Codec::Pcmu,
        media::Codec::G722 => Codec::G722,
        media::Codec::Opus => Codec::Opus,
    }
}

fn sound_codec(codec: Codec) -> Option<media::Codec> {
    match codec {
        Codec::Pcma => Some(media::Codec::Pcma),
        Codec::Pcmu => Some(media::Codec::Pcmu),
        Codec::G722 | Codec::Opus => None,
    }
}
