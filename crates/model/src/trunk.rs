//! How a trunk stands: what the engine keeps of it, and what the API shows.

use serde::{Deserialize, Serialize};

use crate::{Text, Timestamp};

/// How a trunk stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrunkHealth {
    /// Whether calls go there.
    pub state: TrunkState,
    /// Since when.
    pub since: Timestamp,
    /// Why it takes none; empty while it does.
    #[serde(default)]
    pub why: Text,
    /// When a trunk that asked to be left alone is called again. None: once it answers.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Our registration there. None: we do not register.
    #[serde(default)]
    pub registration: Option<TrunkRegistration>,
}

/// Whether calls go to a trunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrunkState {
    /// They do; it has not been asked whether it is there, or has not answered so far.
    #[default]
    Unknown,
    /// They do, and it answers.
    Up,
    /// It asked to be left alone for a while (503 with Retry-After).
    Resting,
    /// It does not answer.
    Down,
}

impl TrunkState {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Resting => "resting",
            Self::Down => "down",
        }
    }
}

/// Our registration at a carrier.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrunkRegistration {
    /// Whether it stands.
    pub registered: bool,
    /// Since when it is so.
    pub since: Timestamp,
    /// Until when it was granted. None: it does not stand.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// What the carrier said last; empty while it stands.
    #[serde(default)]
    pub why: Text,
    /// When it is tried again after a failure.
    #[serde(default)]
    pub retry: Option<Timestamp>,
}
