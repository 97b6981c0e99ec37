//! What a party is to those who hear it among others, and what it needs to hear several itself.

use crate::clock::Ticks;
use crate::heard::Heard;
use crate::jitter::{Arrival, Kind};
use crate::voice::Voice;

use super::Session;

impl Session {
    /// Whether anybody hears the party, or would if it were not alone.
    pub fn is_heard(&self) -> bool {
        self.partner.is_some() || !self.heard_by.is_empty()
    }

    /// The party in this slot does not hear it any more.
    pub fn unheard_by(&mut self, slot: u32) {
        self.heard_by.retain(|hearer| *hearer != slot);
        if self.heard_by.is_empty() {
            self.voice = None;
        }
    }

    /// Gets ready to hear several. Gives how many samples a millisecond that has. None: its stream is not known.
    pub fn prepare_mix(&mut self) -> Option<usize> {
        let codec = self.stream.as_ref()?.codec;
        self.speaker.prepare(codec);
        Some(codec.samples_per_ms())
    }

    /// Somebody hears it among others, with so many samples a millisecond.
    pub fn need_voice(&mut self, per_ms: usize) {
        let Some(stream) = &self.stream else { return };
        if self.voice.as_ref().is_none_or(|voice| voice.codec() != stream.codec) {
            self.voice = Voice::new(stream.codec).map(Box::new);
        }
        if let Some(voice) = &mut self.voice {
            voice.need(per_ms);
        }
    }

    /// Takes sound, or how a pause sounds, for those who hear it among others. Gives from when on it can be heard.
    pub fn voice_hears(&mut self, at: Ticks, kind: Kind, heard: &Heard, payload: &[u8]) -> Option<Ticks> {
        let is_key = self.echoed || self.listener.as_ref().is_some_and(|listener| listener.key().is_some());
        let voice = self.voice.as_mut()?;
        if is_key {
            voice.hush(at);
        }
        let arrival = Arrival { kind, run: heard.place.run, timestamp: heard.header.timestamp, payload };
        Some(voice.put(at, &arrival))
    }

    /// Whether the party takes keys as events.
    pub fn is_told_keys(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.keys.is_some())
    }

    /// Whether what is made for the party reaches it.
    pub fn listens(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.send) && self.latch.target().is_some()
    }

    /// How a mix for the party is made: milliseconds in a packet, samples in a millisecond, whether without keys. None: it
    /// hears no mix now.
    pub fn mix_form(&self) -> Option<(u16, usize, bool)> {
        let stream = self.stream.as_ref().filter(|_| !self.is_playing() && self.listens())?;
        Some((self.packet_ms(), stream.codec.samples_per_ms(), stream.keys.is_some()))
    }
}
