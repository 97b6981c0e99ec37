//! What the two sides of a dialog agree on about sound (RFC 3264): our offers and their answers, their offers and ours.
//!
//! Descriptions go in and come out, and how sound travels then. Knows neither SIP messages nor media workers.

mod choice;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use media::{Codec, Sources, SrtpKey, SrtpSuite, Stream};
use model::Reason;
use sip::sdp::{self, Audio, AudioSection, Crypto, Direction, Format, Owner, Profile, Sdp, Suite};

use super::formats::{CLOCK, SPOKEN, codec_of, keys_beside, known, offered};

/// How long our own packets are when nobody says, in milliseconds.
const PACKET_MS: u16 = 20;

/// The tag of the key in our own offers.
const TAG: u32 = 1;

/// Whether sound is enciphered between us and a party (SRTP with keys in the description, RFC 4568).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secrecy {
    /// Never: neither offered nor taken.
    None,
    /// We offer plain sound, and take what the party wants.
    Welcome,
    /// We offer plain sound with a key, which the party may use; and take what it wants.
    Offered,
    /// Only with keys. A dialog that has agreed on keys stays so: nothing falls back to plain sound by itself.
    Required,
}

/// What a new description of the party means for the other side of the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing that it would notice.
    Same,
    /// The party does not listen any more.
    Held,
    /// The party listens again.
    Resumed,
}

/// Master key and salt. Shown without them.
#[derive(Clone)]
struct OwnKey([u8; 30]);

/// One dialog's sound, as far as it is agreed on.
#[derive(Clone, Debug)]
pub struct Negotiation {
    /// Where we listen, as it stands in our descriptions.
    here: SocketAddr,
    /// Names the session in our descriptions.
    session_id: u64,
    secrecy: Secrecy,
    /// What we send with, should sound be secured.
    key: OwnKey,
    /// What we would speak, best first.
    codecs: Vec<Codec>,
    /// The codecs of the other side of the call: of those that the party answers with, one of them is best.
    wanted: Vec<Codec>,
    /// Our latest description and the section in it that counts.
    ours: Option<(Sdp, usize)>,
    /// The latest that the party has not refused.
    settled: Option<(Sdp, usize)>,
    /// Goes up by one with each change of our description.
    version: u64,
    /// The party's offer, until it is answered.
    theirs: Option<Sdp>,
    /// Our offer waits for its answer.
    waits: bool,
    /// The payload types under which we listen.
    listening: Vec<Format>,
    /// Codecs that the party named last.
    speaks: Vec<Codec>,
    /// Those are all: an offer names whatever its sender speaks, an answer often only one of it.
    speaks_no_other: bool,
    agreed: Option<Agreed>,
}

/// What stands in both descriptions.
#[derive(Clone, Debug)]
struct Agreed {
    stream: Stream,
    profile: Profile,
    crypto: Option<Crypto>,
    rtcp_mux: bool,
    /// As seen by us.
    direction: Direction,
    /// Whether the party has put us aside.
    held: bool,
}

impl Negotiation {
    /// Nothing is agreed on. `key` is random and used for nothing else.
    pub fn new(here: SocketAddr, session_id: u64, secrecy: Secrecy, key: [u8; 30]) -> Self {
        Self {
            here,
            session_id,
            secrecy,
            key: OwnKey(key),
            codecs: SPOKEN.to_vec(),
            wanted: Vec::new(),
            ours: None,
            settled: None,
            version: 0,
            theirs: None,
            waits: false,
            listening: Vec::new(),
            speaks: Vec::new(),
            speaks_no_other: false,
            agreed: None,
        }
    }

    /// The same with other codecs, best first; those that the other side of the call speaks are `wanted`.
    pub fn with_codecs(mut self, codecs: Vec<Codec>, wanted: Vec<Codec>) -> Self {
        self.codecs = codecs;
        self.wanted = wanted;
        self
    }

    /// Another beginning with the same codecs.
    pub fn afresh(&self, secrecy: Secrecy, key: [u8; 30]) -> Self {
        let fresh = Self::new(self.here, self.session_id, secrecy, key);
        fresh.with_codecs(self.codecs.clone(), self.wanted.clone())
    }

    /// Our whole offer: everything we would speak. What is agreed on stands first.
    pub fn offer(&mut self) -> Bytes {
        let mut codecs = self.codecs.clone();
        if let Some(codec) = self.codec() {
            codecs.retain(|own| *own != codec);
            codecs.insert(0, codec);
        }
        self.listening = self.formats_for(&codecs);
        self.waits = true;
        let secured = self.secrecy == Secrecy::Required;
        let crypto = match (&self.agreed, self.secrecy) {
            (Some(agreed), _) => agreed.crypto.map(|crypto| Crypto { tag: TAG, ..crypto }),
            (None, Secrecy::Offered | Secrecy::Required) => Some(self.crypto(TAG, Suite::AesCm128HmacSha1_80)),
            (None, Secrecy::None | Secrecy::Welcome) => None,
        };
        let plain = if secured { Profile::Savp } else { Profile::Avp };
        let section = AudioSection {
            address: self.here,
            profile: self.agreed.as_ref().map_or(plain, |agreed| agreed.profile),
            crypto,
            rtcp_mux: self.agreed.as_ref().is_some_and(|agreed| agreed.rtcp_mux),
            formats: self.listening.clone(),
            direction: Direction::SendRecv,
            packet_ms: Some(self.agreed.as_ref().map_or(PACKET_MS, |agreed| agreed.stream.packet_ms)),
        };
        self.offer_section(&section)
    }

    /// Our description as it stands, as an offer that changes nothing: for a peer that wants a sign of life.
    pub fn present(&mut self) -> Bytes {
        let Some((settled, _)) = &self.settled else { return self.offer() };
        let text = settled.print();
        self.waits = true;
        text
    }

    /// An offer of this codec before the agreed one, unless the party is known not to speak it.
    pub fn offer_of(&mut self, codec: Codec) -> Option<Bytes> {
        let agreed = self.agreed.as_ref()?;
        let cannot = self.speaks_no_other && !self.speaks.contains(&codec);
        if agreed.stream.codec == codec || cannot || !self.codecs.contains(&codec) {
            return None;
        }
        self.codecs.retain(|own| *own != codec);
        self.codecs.insert(0, codec);
        self.wanted = vec![codec];
        self.listening = self.formats_for(&self.codecs);
        self.waits = true;
        let section = AudioSection { formats: self.listening.clone(), ..self.section(self.agreed.as_ref()?) };
        Some(self.offer_section(&section))
    }

    /// Reads the offer of a caller; it is answered later, and maybe twice.
    pub fn take_offer(&mut self, body: &Bytes) -> Result<(), Reason> {
        let sdp = sdp::parse(body).map_err(|_| Reason::NoCommonCodec)?;
        let (audio, ..) = self.choose(&sdp, &[]).ok_or(Reason::NoCommonCodec)?;
        self.speaks = self.spoken(&audio).map(|(codec, _)| codec).collect();
        self.speaks_no_other = true;
        self.theirs = Some(sdp);
        Ok(())
    }

    /// Whether the party has offered something that is not answered.
    pub fn owes_answer(&self) -> bool {
        self.theirs.is_some()
    }

    /// Whether the party owes an answer to our offer.
    pub fn is_owed_answer(&self) -> bool {
        self.waits
    }

    /// Our answer to the caller's offer, best with `prefer`; given again while nothing has changed. Without an offer of
    /// theirs it is ours (RFC 3261, 13.2.1).
    pub fn answer(&mut self, prefer: Option<Codec>) -> Result<Bytes, Reason> {
        if let Some(theirs) = self.theirs.take() {
            self.wanted = prefer.into_iter().collect();
            return self.agree_to(&theirs, prefer.as_slice()).inspect_err(|_| self.theirs = Some(theirs));
        }
        if let (Some((ours, _)), Some(_)) = (&self.ours, &self.agreed) {
            return Ok(ours.print());
        }
        self.wanted = prefer.into_iter().collect();
        if let Some(codec) = prefer.filter(|codec| self.codecs.contains(codec)) {
            // What the other side speaks stands first, so that the party need not be translated for.
            self.codecs.retain(|own| *own != codec);
            self.codecs.insert(0, codec);
        }
        Ok(self.offer())
    }

    /// Reads the answer to our offer. An error leaves everything as it was before the offer.
    pub fn take_answer(&mut self, body: &Bytes) -> Result<Change, Reason> {
        let taken = self.read_answer(body);
        self.waits = false;
        self.ours = if taken.is_ok() { self.ours.take() } else { self.settled.clone() };
        self.settled = self.ours.clone();
        taken
    }

    fn read_answer(&mut self, body: &Bytes) -> Result<Change, Reason> {
        let sdp = sdp::parse(body).map_err(|_| Reason::NoCommonCodec)?;
        let (audio, crypto, mux) = self.answered_section(&sdp).ok_or(Reason::NoCommonCodec)?;
        let listens = |codec: Codec| self.listening.iter().find(|format| codec_of(format) == Some(codec));
        let both: Vec<(Codec, u8, u8)> = known(&audio)
            .filter_map(|(codec, format)| Some((codec, format.payload_type, listens(codec)?.payload_type)))
            .collect();
        let best = both.iter().find(|(codec, ..)| self.wanted.contains(codec)).or_else(|| both.first());
        let (codec, theirs, ours) = *best.ok_or(Reason::NoCommonCodec)?;
        let stream = stream(&audio, codec, theirs);
        let keys = self.listening.iter().find(|format| format.is_keys() && format.clock_rate == stream.keys_clock);
        let receive_keys = keys.map(|format| format.payload_type);
        let rtcp_mux = stream.rtcp_mux && mux;
        let stream = Stream { receive_payload_type: ours, receive_keys, rtcp_mux, ..stream };
        self.speaks = both.iter().map(|(codec, ..)| *codec).collect();
        self.speaks_no_other = false;
        let crypto = crypto.map(|theirs| (self.crypto(TAG, theirs.suite), theirs));
        Ok(self.agree(stream, &audio, crypto))
    }

    /// Our offer was refused: everything stays as it was.
    pub fn forget_offer(&mut self) {
        self.waits = false;
        self.ours = self.settled.clone();
    }

    /// Answers a new offer within the dialog. An error leaves everything as it was.
    pub fn reoffer(&mut self, body: &Bytes) -> Result<(Bytes, Change), Reason> {
        let sdp = sdp::parse(body).map_err(|_| Reason::NoCommonCodec)?;
        let before = self.is_held();
        // The codec of now first, then that of the other side: both spare the translating.
        let mut prefer: Vec<Codec> = self.codec().into_iter().collect();
        prefer.extend(&self.wanted);
        let answer = self.agree_to(&sdp, &prefer)?;
        Ok((answer, change(before, self.is_held())))
    }

    /// How sound travels. `silence`: how long the party may be silent while it should send.
    pub fn stream(&self, sources: &Sources, silence: Option<Duration>) -> Option<Stream> {
        let agreed = self.agreed.as_ref()?;
        let silence = silence.filter(|_| agreed.stream.receive && !agreed.held);
        Some(Stream { sources: sources.clone(), silence, ..agreed.stream.clone() })
    }

    /// The codec that is agreed on.
    pub fn codec(&self) -> Option<Codec> {
        self.agreed.as_ref().map(|agreed| agreed.stream.codec)
    }

    /// Whether the party takes keys in its sound.
    pub fn takes_keys(&self) -> bool {
        match (&self.agreed, &self.theirs) {
            (Some(agreed), _) => agreed.stream.keys.is_some(),
            (None, Some(theirs)) => theirs.audios().any(|audio| audio.formats.iter().any(Format::is_keys)),
            (None, None) => false,
        }
    }

    /// Codecs that the party named last, in its order.
    pub fn speaks(&self) -> &[Codec] {
        &self.speaks
    }

    /// Whether the party has put us aside.
    pub fn is_held(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.held)
    }

    /// Agrees to an offer of the party, and writes the answer.
    fn agree_to(&mut self, sdp: &Sdp, prefer: &[Codec]) -> Result<Bytes, Reason> {
        let (audio, codec, crypto) = self.choose(sdp, prefer).ok_or(Reason::NoCommonCodec)?;
        let format = known(&audio).find(|(known, _)| *known == codec).map(|(_, format)| format.clone());
        let format = format.ok_or(Reason::NoCommonCodec)?;
        let payload_type = format.payload_type;
        // In an answer we listen under the payload types that the offer gave (RFC 3264, 6.1).
        self.listening = vec![Format { parameters: own_parameters(codec), ..format }];
        let keys = keys_beside(codec, &audio.formats);
        self.listening.extend(keys.map(|(payload_type, clock)| Format::keys_at(payload_type, clock)));
        let noise = audio.formats.iter().find(|format| format.is_noise() && format.clock_rate == CLOCK);
        let noise = noise.filter(|_| codec.clock_rate() == CLOCK).cloned();
        let comfort = noise.as_ref().map(|noise| noise.payload_type);
        self.listening.extend(noise);
        let stream = Stream {
            receive_payload_type: payload_type,
            receive_keys: keys.map(|(payload_type, _)| payload_type),
            comfort,
            ..stream(&audio, codec, payload_type)
        };
        self.speaks = self.spoken(&audio).map(|(codec, _)| codec).collect();
        self.speaks_no_other = true;
        let crypto = crypto.map(|theirs| (self.crypto(theirs.tag, theirs.suite), theirs));
        self.agree(stream, &audio, crypto);
        self.waits = false;
        self.theirs = None;
        let Some(agreed) = &self.agreed else { return Err(Reason::NoCommonCodec) };
        let (section, index) = (self.section(agreed), audio.index);
        let answer = self.publish(index, |owner| sdp.answer(owner, index, &section));
        self.settled = self.ours.clone();
        Ok(answer)
    }

    fn agree(&mut self, mut stream: Stream, audio: &Audio, crypto: Option<(Crypto, Crypto)>) -> Change {
        let before = self.is_held();
        let held = !audio.direction.receives();
        stream.crypto = crypto.map(|(ours, theirs)| media::Crypto { ours: key(&ours), theirs: key(&theirs) });
        if crypto.is_some() {
            self.secrecy = Secrecy::Required;
        }
        self.agreed = Some(Agreed {
            profile: audio.profile,
            crypto: crypto.map(|(ours, _)| ours),
            rtcp_mux: stream.rtcp_mux,
            direction: audio.direction.answer(Direction::SendRecv),
            held,
            stream,
        });
        change(before, held)
    }

    /// What stands in an offer of these codecs. A number that has a meaning keeps it for the whole session (RFC 3264,
    /// 8.3.2).
    fn formats_for(&self, codecs: &[Codec]) -> Vec<Format> {
        let mut formats: Vec<Format> = Vec::new();
        for format in offered(codecs) {
            if let Some(known) = self.listening.iter().find(|known| known.is(&format.name, format.clock_rate)) {
                formats.push(known.clone());
                continue;
            }
            let taken = |number: u8| {
                let has = |format: &Format| format.payload_type == number;
                self.listening.iter().any(has) || formats.iter().any(has)
            };
            let number = Some(format.payload_type).filter(|number| !taken(*number));
            let Some(payload_type) = number.or_else(|| (96..=127).find(|number| !taken(*number))) else { continue };
            formats.push(Format { payload_type, ..format });
        }
        formats
    }

    fn crypto(&self, tag: u32, suite: Suite) -> Crypto {
        Crypto { tag, suite, key: self.key.0 }
    }

    /// Our side of what is agreed on.
    fn section(&self, agreed: &Agreed) -> AudioSection {
        AudioSection {
            address: self.here,
            profile: agreed.profile,
            crypto: agreed.crypto,
            rtcp_mux: agreed.rtcp_mux,
            formats: self.listening.clone(),
            direction: agreed.direction,
            packet_ms: Some(agreed.stream.packet_ms),
        }
    }

    fn offer_section(&mut self, section: &AudioSection) -> Bytes {
        match self.ours.clone() {
            Some((before, index)) => self.publish(index, |owner| before.offer_again(owner, index, section)),
            None => self.publish(0, |owner| Sdp::offer(owner, section)),
        }
    }

    /// Our description, with a new version if it says something new.
    fn publish(&mut self, index: usize, describe: impl Fn(Owner) -> Sdp) -> Bytes {
        let owner = |version| Owner { session_id: self.session_id, version, address: self.here.ip() };
        let mut sdp = describe(owner(self.version));
        if self.ours.as_ref().is_none_or(|(before, _)| *before != sdp) {
            self.version += 1;
            sdp = describe(Owner { session_id: self.session_id, version: self.version, address: self.here.ip() });
        }
        let text = sdp.print();
        self.ours = Some((sdp, index));
        text
    }
}

impl std::fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnKey(…)")
    }
}

/// How sound travels to and from a party whose description this is; both directions under its payload types.
fn stream(audio: &Audio, codec: Codec, payload_type: u8) -> Stream {
    let keys = keys_beside(codec, &audio.formats);
    Stream {
        codec,
        payload_type,
        receive_payload_type: payload_type,
        keys: keys.map(|(payload_type, _)| payload_type),
        keys_clock: keys.map_or(CLOCK, |(_, clock)| clock),
        key_tones: true,
        receive_keys: None,
        remote: audio.rtp,
        sources: Sources::Any { signalling: None },
        remote_rtcp: audio.rtcp,
        rtcp_mux: audio.rtcp_mux,
        crypto: None,
        comfort: None,
        silence: None,
        send: audio.direction.receives(),
        receive: audio.direction.sends(),
        packet_ms: audio.packet_ms.unwrap_or(PACKET_MS),
    }
}

fn own_parameters(codec: Codec) -> Option<Bytes> {
    (codec == Codec::Opus).then_some(Bytes::from_static(b"useinbandfec=1"))
}

fn change(before: bool, now: bool) -> Change {
    match (before, now) {
        (false, true) => Change::Held,
        (true, false) => Change::Resumed,
        _ => Change::Same,
    }
}

fn key(crypto: &Crypto) -> SrtpKey {
    let suite = match crypto.suite {
        Suite::AesCm128HmacSha1_80 => SrtpSuite::AesCm128HmacSha1_80,
        Suite::AesCm128HmacSha1_32 => SrtpSuite::AesCm128HmacSha1_32,
    };
    SrtpKey { suite, key: crypto.key }
}

#[cfg(test)]
mod tests;
