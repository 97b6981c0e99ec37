//! Speaks to one party: samples in, payloads of its codec out.

use crate::Codec;
use crate::codec::Encoder;
use crate::codec::resample::{Down, Up};

/// Samples of the longest packet that we make, at 16 kHz.
pub(crate) const MOST: usize = 60 * 16;

/// What one party hears of what we make.
pub(crate) struct Mouth {
    encoder: Encoder,
    up: Up,
    down: Down,
}

impl Mouth {
    /// None: there is no memory for it.
    pub fn new(codec: Codec) -> Option<Self> {
        Some(Self { encoder: Encoder::new(codec)?, up: Up::default(), down: Down::default() })
    }

    pub fn codec(&self) -> Codec {
        self.encoder.codec()
    }

    /// Encodes one packet of sound that has so many samples a millisecond, 8 or 16; gives the payload's length.
    pub fn say(&mut self, sound: &[i16], per_ms: usize, payload: &mut [u8]) -> Option<usize> {
        let mut other = [0; MOST];
        let sound = match (per_ms, self.codec().samples_per_ms()) {
            (8, 16) => {
                let sound = &sound[..sound.len().min(MOST / 2)];
                let other = &mut other[..2 * sound.len()];
                self.up.process(sound, other);
                other
            }
            (16, 8) => {
                let other = &mut other[..sound.len() / 2];
                self.down.process(sound, other);
                other
            }
            _ => sound,
        };
        self.encoder.encode(sound, payload)
    }
}
