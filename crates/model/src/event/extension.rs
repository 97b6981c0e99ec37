//! What happens to extensions.

use serde::{Deserialize, Serialize};

use crate::{Reason, Text};

/// What happens to an extension.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ExtensionEvent {
    /// A phone signed in from a place where none was.
    #[serde(rename = "extension.registered")]
    Registered {
        /// Where it can be reached: `udp 192.0.2.7:5060`.
        address: Text,
        /// What it calls itself.
        user_agent: Text,
        /// How long the binding lasts unless refreshed, in seconds.
        expires: u32,
    },
    /// A phone signed out, its binding expired, or its connection was closed.
    #[serde(rename = "extension.unregistered")]
    Unregistered {
        /// Where it was reached.
        address: Text,
        /// `signed_out`, `expired`, `connection_lost`, `deleted`: the extension was taken out of the settings, or
        /// `unanswered`: a phone behind NAT was asked three times whether it is there.
        why: Text,
    },
    /// A phone that signed in rightly, or a client on behalf of the extension, asked for something that is refused before it
    /// becomes a call.
    #[serde(rename = "extension.refused")]
    Refused {
        /// What it may not do.
        why: Text,
        /// The same by a code of the catalogue. None: an earlier version told it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
}
