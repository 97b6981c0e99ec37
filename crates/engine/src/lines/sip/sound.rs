//! One leg's sound: its session at a media worker, which is told what the leg's dialogs agree on.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use media::{Order, SessionId, SourceNet, Sources, Stream, WorkerId};
use model::{Codec, Reason, SoundOffer, Trunk, TrunkAddress};
use sip::Flow;

use super::formats::{SPOKEN, sound_codec, word};
use super::negotiation::{Negotiation, Secrecy};
use crate::key::LegKey;
use crate::step::Step;

/// What is known of a party before it says a word.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where its sound may come from.
    pub sources: Sources,
    /// Whether sound is enciphered.
    pub secrecy: Secrecy,
    /// What it may speak, best first.
    pub codecs: Vec<Codec>,
    /// Whether it is a carrier.
    pub is_carrier: bool,
}

impl Peer {
    /// A phone whose signalling comes from there.
    pub fn phone(source: IpAddr) -> Self {
        Self {
            sources: Sources::Any { signalling: Some(source) },
            secrecy: Secrecy::Welcome,
            codecs: SPOKEN.map(word).to_vec(),
            is_carrier: false,
        }
    }

    /// A carrier's trunk.
    pub fn trunk(trunk: &Trunk) -> Self {
        let net = |from: &TrunkAddress| SourceNet { ip: from.address, prefix: from.prefix, port: from.port };
        Self {
            sources: Sources::Only(trunk.media_from.iter().map(net).collect::<Arc<[_]>>()),
            secrecy: match trunk.srtp.as_str() {
                "required" => Secrecy::Required,
                "optional" => Secrecy::Offered,
                _ => Secrecy::None,
            },
            // What a carrier offers beside what its setting says is no reason to refuse its call.
            codecs: best_first(&trunk.codecs),
            is_carrier: true,
        }
    }
}

/// All codecs that we speak, these first.
fn best_first(codecs: &[Codec]) -> Vec<Codec> {
    let ours = SPOKEN.map(word);
    let mut all: Vec<Codec> = codecs.iter().copied().filter(|codec| ours.contains(codec)).collect();
    let rest: Vec<Codec> = ours.into_iter().filter(|codec| !all.contains(codec)).collect();
    all.extend(rest);
    all
}

/// A leg's sound, from its first packet to its last.
#[derive(Debug)]
pub struct Sound {
    worker: WorkerId,
    session: SessionId,
    /// Where we listen, as it stands in our descriptions.
    here: SocketAddr,
    peer: Peer,
    /// What the dialog that the worker serves has agreed on.
    talk: Negotiation,
    /// How long the party may be silent while it should send; from the answer on.
    silence: Option<Duration>,
    /// Keys are told to the party in signalling, and not played to it.
    keys_in_signalling: bool,
    /// What the worker was told last.
    given: Option<Stream>,
    closed: bool,
}

impl Sound {
    /// Takes an address out of the stock and opens a session there.
    pub fn open(
        step: &mut Step<'_>,
        leg: LegKey,
        worker: Option<WorkerId>,
        flow: Flow,
        peer: Peer,
    ) -> Result<Self, Reason> {
        let beside = step.endpoint.interfaces().get(usize::from(flow.interface)).map(|own| own.bound.ip());
        let taken = step.sounds.take(worker, beside, flow.remote.ip());
        let (address, here) = taken.ok_or(Reason::NoSoundAddress)?;
        let session = step.ids.session();
        step.media(address.worker, Order::Open { session, address: address.id, stream: None });
        step.sounds.opened(session, leg);
        let codecs = peer.codecs.iter().map(|codec| sound_codec(*codec)).collect();
        let talk =
            Negotiation::new(here, session.0, peer.secrecy, step.ids.sound_key()).with_codecs(codecs, Vec::new());
        Ok(Self {
            worker: address.worker,
            session,
            here,
            peer,
            talk,
            silence: None,
            keys_in_signalling: false,
            given: None,
            closed: false,
        })
    }

    /// Where it is.
    pub fn session(&self) -> (WorkerId, SessionId) {
        (self.worker, self.session)
    }

    /// Who the party is.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What the party can speak, as far as it has said so: what is agreed on first.
    pub fn speaks(&self) -> SoundOffer {
        let mut codecs: Vec<Codec> = self.talk.codec().map(word).into_iter().collect();
        for codec in self.talk.speaks().iter().copied().map(word) {
            if !codecs.contains(&codec) {
                codecs.push(codec);
            }
        }
        SoundOffer { codecs, keys: self.talk.takes_keys() }
    }

    /// What is agreed on, and what may be.
    pub fn talk(&self) -> &Negotiation {
        &self.talk
    }

    /// The same, to be gone on with; [`Sound::tell`] follows.
    pub fn talk_mut(&mut self) -> &mut Negotiation {
        &mut self.talk
    }

    /// The beginning of a dialog for the same session, in which nothing is agreed on: one phone of several.
    pub fn draft(&self, step: &mut Step<'_>, codecs: &[Codec], wanted: &[Codec], secrecy: Secrecy) -> Negotiation {
        let in_sound = |codecs: &[Codec]| {
            codecs.iter().map(|codec| sound_codec(*codec)).filter(|codec| SPOKEN.contains(codec)).collect()
        };
        Negotiation::new(self.here, self.session.0, secrecy, step.ids.sound_key())
            .with_codecs(in_sound(codecs), in_sound(wanted))
    }

    /// This dialog has the sound from here on.
    pub fn settle(&mut self, step: &mut Step<'_>, talk: Negotiation) {
        self.talk = talk;
        self.tell(step);
    }

    /// The party's signalling comes from there: the phone that has answered, or that has moved.
    pub fn set_source(&mut self, source: IpAddr) {
        if let Sources::Any { signalling } = &mut self.peer.sources {
            *signalling = Some(source);
        }
    }

    /// Both sides have answered: from here on the party may not be silent for ever.
    pub fn answered(&mut self, step: &mut Step<'_>) {
        let seconds = step.office.settings.limits.silence_seconds;
        self.silence = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
        self.tell(step);
    }

    /// Keys are told to the party in signalling, and not played to it as tones.
    pub fn tell_keys_in_signalling(&mut self, step: &mut Step<'_>) {
        self.keys_in_signalling = true;
        self.tell(step);
    }

    /// The party pressed a key in its signalling.
    pub fn key(&self, step: &mut Step<'_>, key: char) {
        step.media(self.worker, Order::Key { session: self.session, key });
    }

    /// Tells the worker how sound travels, if that has changed.
    pub fn tell(&mut self, step: &mut Step<'_>) {
        let Some(stream) = self.talk.stream(&self.peer.sources, self.silence) else { return };
        let stream = Stream { key_tones: !self.keys_in_signalling, ..stream };
        if self.given.as_ref() != Some(&stream) && !self.closed {
            self.given = Some(stream.clone());
            step.media(self.worker, Order::Change { session: self.session, stream });
        }
    }

    /// Ends the session.
    pub fn close(&mut self, step: &mut Step<'_>) {
        if !self.closed {
            self.closed = true;
            step.media(self.worker, Order::Close { session: self.session });
            step.sounds.closed(self.session);
        }
    }
}
