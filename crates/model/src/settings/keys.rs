//! What API clients sign in with.

use serde::{Deserialize, Serialize};

use crate::{Role, TrunkAddress};

/// A key by the API it opens. Secrets are SHA-256 in lower-case hex.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KeyKind {
    /// Vendor V.
    Voip24h {
        /// The public part.
        voip: String,
        /// Hash of the secret part.
        secret_hash: String,
        /// Whether OTP needs the secret too.
        otp_requires_secret: bool,
        /// Empty: any.
        allowed_addresses: Vec<TrunkAddress>,
        /// Socket.IO sessions at once.
        socket_sessions: u32,
        /// One session, a new one closes the old.
        hub: bool,
    },
    /// Vendor C.
    Vpbx {
        /// The public part.
        api_key: String,
        /// Hash of the secret part.
        api_secret_hash: String,
    },
    /// Vendor G.
    Callone {
        /// Hash of the key.
        secret_key_hash: String,
        /// Accepted requests a month.
        monthly_quota: Option<u32>,
        /// RFC 3339.
        expires_at: Option<String>,
        /// Whether it works.
        enabled: bool,
    },
    /// The native API.
    Native {
        /// Hash of the token.
        token_hash: String,
        /// What it may do.
        role: Role,
    },
}
