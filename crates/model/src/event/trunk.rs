//! What happens to trunks.

use serde::{Deserialize, Serialize};

use crate::{Reason, Text};

/// What happens to a trunk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum TrunkEvent {
    /// A call from the carrier was refused before it became a call.
    #[serde(rename = "trunk.refused")]
    Refused {
        /// Why.
        reason: Reason,
        /// The number it was for.
        to: Text,
    },
    /// It takes no calls for now: it does not answer, or asked to be left alone.
    #[serde(rename = "trunk.down")]
    Down {
        /// Why.
        why: Text,
    },
    /// It takes calls again.
    #[serde(rename = "trunk.up")]
    Up,
    /// We are registered there. Not told again when it is merely made longer.
    #[serde(rename = "trunk.registered")]
    Registered {
        /// Where: `udp 198.51.100.1:5060`.
        address: Text,
        /// How long it lasts unless refreshed, in seconds.
        expires: u32,
    },
    /// We are not registered there any more, by our own doing.
    #[serde(rename = "trunk.unregistered")]
    Unregistered {
        /// `removed`, `changed` or `draining`.
        why: Text,
    },
    /// An attempt to register there failed.
    #[serde(rename = "trunk.registration_failed")]
    RegistrationFailed {
        /// What is wrong, in a sentence.
        why: Text,
        /// The status that the carrier gave. None: it gave none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sip: Option<u16>,
        /// When it is tried again, in seconds.
        retry: u32,
    },
}
