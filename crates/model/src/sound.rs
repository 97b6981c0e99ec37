//! What sound a leg can speak, in words that both SIP and browsers understand.

use serde::{Deserialize, Serialize};

/// A codec for voice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 A-law, 8 kHz.
    Pcma,
    /// G.711 µ-law, 8 kHz.
    Pcmu,
    /// G.722, 16 kHz in an 8 kHz RTP clock.
    G722,
    /// Opus, 48 kHz.
    Opus,
}

impl Codec {
    /// The name in SDP and in the provision file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }
}

/// The codecs a leg can speak, best first, and whether it can send keys as telephone-events (RFC 4733).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SoundOffer {
    /// Best first, none twice.
    pub codecs: Vec<Codec>,
    /// Whether keys can travel as telephone-events.
    pub keys: bool,
}
