//! What happens to recordings, and what is found out about the sound of calls.

use serde::{Deserialize, Serialize};

use crate::{LegId, Text};

/// What happens to a recording.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum RecordingEvent {
    /// It is being written.
    #[serde(rename = "recording.started")]
    Started {
        /// The file's name within the recordings folder.
        file: String,
    },
    /// From here on silence is written in place of what is said.
    #[serde(rename = "recording.paused")]
    Paused,
    /// What is said is written again.
    #[serde(rename = "recording.resumed")]
    Resumed,
    /// It is whole; nothing is added any more.
    #[serde(rename = "recording.closed")]
    Closed {
        /// Length of sound in milliseconds.
        milliseconds: u64,
        /// Milliseconds of silence put in where sound was lost by us (a slow disk).
        gap_milliseconds: u64,
        /// Size of the file.
        bytes: u64,
        /// SHA-256 of the file, in hex.
        sha256: String,
    },
    /// Nothing usable was written.
    #[serde(rename = "recording.failed")]
    Failed {
        /// Why.
        why: Text,
    },
}

/// What is found out about the sound of a call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum SoundEvent {
    /// How well it travelled. Once a call, when the sound of its last leg has ended; never where no sound flowed.
    #[serde(rename = "sound.measured")]
    Measured {
        /// Each leg that had sound.
        legs: Vec<MeasuredLeg>,
    },
}

/// How well the sound of a leg travelled.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct MeasuredLeg {
    /// The leg.
    pub leg: LegId,
    /// How well.
    #[serde(flatten)]
    pub quality: LegQuality,
}

/// How well sound travelled between us and one party.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct LegQuality {
    /// Packets that came from the party and were taken.
    pub received: u64,
    /// Packets of the party that never came.
    pub lost: u64,
    /// How unevenly they came, in milliseconds (RFC 3550, 6.4.1).
    pub jitter_ms: u32,
    /// Packets that came and were not taken: from strangers, broken, or too early.
    pub ignored: u64,
    /// Packets we sent to the party.
    pub sent: u64,
    /// Packets of ours that did not reach the party, as its RTCP tells.
    pub far_lost: u64,
    /// How unevenly ours reached it, in milliseconds, as its RTCP tells.
    pub far_jitter_ms: u32,
    /// There and back in milliseconds, as its RTCP tells.
    pub round_trip_ms: Option<u32>,
    /// How the party sounded, 1.0 to 4.5 (mean opinion score, estimated by the E-model). None: too little came.
    pub mos: Option<f32>,
}
