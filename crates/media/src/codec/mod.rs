//! Codecs: bytes of a packet to samples and back.
//!
//! Samples are mono, 16 bit, at 8 kHz for G.711 and at 16 kHz for G.722 and Opus; [`Codec::sample_rate`] says which.
//! Opus at a higher rate or in stereo is understood and made 16 kHz and mono. What resampling is needed between two
//! parties is done by those who join them.

mod g711;
mod opus;
pub(crate) mod resample;

use std::fmt;

use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};

pub use self::g711::Law;
use self::opus::{OpusDecoder, OpusEncoder};
use crate::Codec;

/// The longest sound that one packet holds, in milliseconds (RFC 6716, section 2.1.4).
pub const LONGEST_MS: usize = 120;

/// The most samples that one packet holds.
pub const LONGEST: usize = LONGEST_MS * 16;

impl Codec {
    /// The rate of the samples that it is decoded to and encoded from, in Hz; of its timestamps,
    /// [`Codec::clock_rate`].
    pub fn sample_rate(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu => 8_000,
            Self::G722 | Self::Opus => 16_000,
        }
    }

    /// Samples in a millisecond.
    pub(crate) fn samples_per_ms(self) -> usize {
        self.sample_rate() as usize / 1000
    }

    /// Steps of its timestamps in an eighth of a millisecond, the unit of the worker's clock.
    pub(crate) fn clock_scale(self) -> u32 {
        self.clock_rate() / 8_000
    }

    /// The length of packets nearest to `packet_ms` that it can have, and no longer; 10 to 60 ms.
    pub(crate) fn packet_ms(self, packet_ms: u16) -> u16 {
        let packet_ms = packet_ms.clamp(10, 60);
        match self {
            // RFC 6716, section 2.1.4: frames of 10, 20, 40 and 60 ms; 60 in one packet is all we make.
            Self::Opus => match packet_ms {
                60.. => 60,
                40.. => 40,
                20.. => 20,
                _ => 10,
            },
            Self::Pcma | Self::Pcmu | Self::G722 => packet_ms / 10 * 10,
        }
    }

    /// Makes a packet's payload silent, in place; gives its length, which is never longer than it was.
    pub(crate) fn silence(self, payload: &mut [u8]) -> usize {
        match self {
            Self::Pcma => payload.fill(Law::A.silence()),
            Self::Pcmu => payload.fill(Law::U.silence()),
            Self::G722 => payload.fill(G722_SILENCE),
            Self::Opus => return opus::silence(payload),
        }
        payload.len()
    }
}

/// The smallest step in the lower band and in the upper: over and over, it decodes to nearly nothing.
const G722_SILENCE: u8 = 0xff;

/// Bytes to samples, packet by packet.
pub struct Decoder {
    codec: Codec,
    state: DecoderState,
}

enum DecoderState {
    Law(Law),
    G722(Box<G722Decoder>),
    Opus(OpusDecoder),
}

impl Decoder {
    /// A decoder that has heard nothing. None: there is no memory for it.
    pub fn new(codec: Codec) -> Option<Self> {
        let state = match codec {
            Codec::Pcma => DecoderState::Law(Law::A),
            Codec::Pcmu => DecoderState::Law(Law::U),
            Codec::G722 => DecoderState::G722(Box::default()),
            Codec::Opus => DecoderState::Opus(OpusDecoder::new()?),
        };
        Some(Self { codec, state })
    }

    /// Its codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Decodes a packet's payload; gives how many samples there are. None: it is broken. What goes beyond `out`, which
    /// should hold [`LONGEST`] samples, is left out.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Option<usize> {
        if payload.is_empty() {
            return None;
        }
        match &mut self.state {
            DecoderState::Law(law) => {
                let samples = law.samples();
                for (sample, &byte) in out.iter_mut().zip(payload) {
                    *sample = samples[usize::from(byte)];
                }
                Some(payload.len().min(out.len()))
            }
            DecoderState::G722(decoder) => {
                let payload = &payload[..payload.len().min(out.len() / 2)];
                decoder.decode_into(payload, out).ok()
            }
            DecoderState::Opus(decoder) => decoder.decode(payload, out),
        }
    }

    /// How many samples a payload holds, as far as can be told without decoding it.
    pub fn duration(&self, payload: &[u8]) -> usize {
        match &self.state {
            DecoderState::Law(_) => payload.len(),
            DecoderState::G722(_) => 2 * payload.len(),
            DecoderState::Opus(_) => opus::duration(payload),
        }
    }

    /// Makes up for a lost packet by what the codec knows: from the packet behind it, if that says so, else from what came
    /// before. Fills `out`, a whole number of 2.5 ms. False: this codec cannot.
    pub(crate) fn conceal(&mut self, next: Option<&[u8]>, out: &mut [i16]) -> bool {
        match &mut self.state {
            DecoderState::Law(_) | DecoderState::G722(_) => false,
            DecoderState::Opus(decoder) => decoder.conceal(next, out),
        }
    }

    /// What follows has nothing to do with what came before.
    pub(crate) fn reset(&mut self) {
        match &mut self.state {
            DecoderState::Law(_) => {}
            DecoderState::G722(decoder) => **decoder = G722Decoder::default(),
            DecoderState::Opus(decoder) => decoder.reset(),
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("codec", &self.codec).finish_non_exhaustive()
    }
}

/// Samples to bytes, packet by packet.
pub struct Encoder {
    codec: Codec,
    state: EncoderState,
}

enum EncoderState {
    Law(Law),
    G722(Box<G722Encoder>),
    Opus(OpusEncoder),
}

impl Encoder {
    /// An encoder that has said nothing. None: there is no memory for it.
    pub fn new(codec: Codec) -> Option<Self> {
        let state = match codec {
            Codec::Pcma => EncoderState::Law(Law::A),
            Codec::Pcmu => EncoderState::Law(Law::U),
            Codec::G722 => EncoderState::G722(Box::default()),
            Codec::Opus => EncoderState::Opus(OpusEncoder::new()?),
        };
        Some(Self { codec, state })
    }

    /// Its codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Encodes one packet's sound: for Opus 10, 20, 40 or 60 ms, for the others any even number of samples. Gives the
    /// length of the payload. None: `out` is too small, or the length is not one of the codec.
    pub fn encode(&mut self, sound: &[i16], out: &mut [u8]) -> Option<usize> {
        match &mut self.state {
            EncoderState::Law(law) => {
                let out = out.get_mut(..sound.len())?;
                for (byte, &sample) in out.iter_mut().zip(sound) {
                    *byte = law.encode(sample);
                }
                Some(sound.len())
            }
            EncoderState::G722(encoder) => encoder.encode_into(sound, out).ok(),
            EncoderState::Opus(encoder) => encoder.encode(sound, out),
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("codec", &self.codec).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
