//! Hears one party at 8 kHz as its packets come, for its recording and to find keys in its sound.
//!
//! Nothing is held back or made up here: who writes sound down puts it where its timestamps say.

use crate::Codec;
use crate::codec::resample::Down;
use crate::codec::{Decoder, LONGEST};
use crate::keys::KeyDetector;
use crate::reception::Place;

/// The most samples of one packet at 8 kHz.
pub(crate) const NARROW: usize = LONGEST / 2;

/// A key that begins or ends in the sound itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Press {
    Down(char),
    Up,
}

/// What is known of a party's sound.
pub(crate) struct Listener {
    decoder: Decoder,
    down: Down,
    /// The newest packet heard.
    newest: Option<Place>,
    /// There for a party that sends no keys as events.
    detector: Option<KeyDetector>,
}

impl Listener {
    /// For a party that has agreed to this codec. None: there is no memory for it.
    pub fn new(codec: Codec, finds_keys: bool) -> Option<Self> {
        let detector = finds_keys.then(KeyDetector::default);
        Some(Self { decoder: Decoder::new(codec)?, down: Down::default(), newest: None, detector })
    }

    /// Hears a packet's sound. Gives how many samples of `out` it is, none if it comes late, and whether a key begins or
    /// ends in it.
    pub fn hear(
        &mut self,
        place: Place,
        codec: Codec,
        payload: &[u8],
        out: &mut [i16; NARROW],
    ) -> (usize, Option<Press>) {
        let follows = self.newest.filter(|newest| newest.run == place.run);
        if follows.is_some_and(|newest| place.extended <= newest.extended) {
            return (0, None);
        }
        let is_next = follows.is_some_and(|newest| place.extended == newest.extended + 1);
        self.newest = Some(place);
        let count = self.decode(codec, payload, out);
        let Some(detector) = &mut self.detector else { return (count, None) };
        if !is_next {
            detector.skip();
        }
        let was_down = detector.key().is_some();
        let press = match detector.listen(&out[..count]) {
            Some(key) => Some(Press::Down(key)),
            None => (was_down && detector.key().is_none()).then_some(Press::Up),
        };
        (count, press)
    }

    /// The key that is down in the sound.
    pub fn key(&self) -> Option<char> {
        self.detector.as_ref()?.key()
    }

    /// Whether it is for a party of this kind.
    pub fn is_for(&self, codec: Codec, finds_keys: bool) -> bool {
        self.decoder.codec() == codec && self.detector.is_some() == finds_keys
    }

    fn decode(&mut self, codec: Codec, payload: &[u8], out: &mut [i16; NARROW]) -> usize {
        if let Some(law) = codec.law() {
            let samples = law.samples();
            for (sample, &byte) in out.iter_mut().zip(payload) {
                *sample = samples[usize::from(byte)];
            }
            return payload.len().min(NARROW);
        }
        let mut wide = [0; LONGEST];
        let count = self.decoder.decode(payload, &mut wide).unwrap_or(0) / 2;
        self.down.process(&wide[..2 * count], &mut out[..count]);
        count
    }
}
