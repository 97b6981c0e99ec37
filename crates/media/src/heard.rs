//! A packet that was taken from a party, and what it holds.

use std::ops::Range;

use crate::reception::Place;
use crate::rtp::Header;
use crate::{Codec, Stream};

/// A packet that was taken from a party.
pub(crate) struct Heard {
    pub what: What,
    pub header: Header,
    /// Where its payload lies.
    pub payload: Range<usize>,
    pub place: Place,
    /// It is the first sound from this party.
    pub first: bool,
}

/// What a packet holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    Sound(Codec),
    /// A piece of a key (RFC 4733).
    Key,
    /// Comfort noise (RFC 3389).
    Noise,
    Other,
}

impl Stream {
    /// What a packet of this payload type is.
    pub(crate) fn what(&self, payload_type: u8) -> What {
        if payload_type == self.receive_payload_type {
            return What::Sound(self.codec);
        }
        if Some(payload_type) == self.receive_keys {
            return What::Key;
        }
        if Some(payload_type) == self.comfort {
            return What::Noise;
        }
        match payload_type {
            13 => What::Noise,
            8 => What::Sound(Codec::Pcma),
            0 => What::Sound(Codec::Pcmu),
            _ => What::Other,
        }
    }
}
