//! Extensions: the numbers inside that people answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Prompt;

/// A digest algorithm (RFC 7616, RFC 8760).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum DigestAlgorithm {
    /// MD5.
    #[serde(rename = "md5")]
    Md5,
    /// SHA-256.
    #[serde(rename = "sha-256")]
    Sha256,
}

/// What proves a password for one form of the authentication name, with one algorithm.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestSecret {
    /// `101`, `VPBX_DEMO_101` or `VPBX_DEMO101`.
    pub username: String,
    /// The algorithm.
    pub algorithm: DigestAlgorithm,
    /// HA1 of name, realm and password, in lower-case hex.
    pub ha1: String,
}

impl std::fmt::Debug for DigestSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DigestSecret({}, {:?})", self.username, self.algorithm)
    }
}

/// A number inside the tenant that a person answers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Extension {
    /// `101`
    pub number: String,
    /// For people.
    pub name: String,
    /// What proves its password, one for each name and algorithm.
    pub digests: Vec<DigestSecret>,
    /// Whether its calls are recorded.
    pub record: bool,
    /// The number shown outside, E.164 digits; one of the tenant's own. None: the first of `numbers`.
    pub caller_id: Option<String>,
    /// How long it rings before the caller hears that nobody answers.
    pub ring_seconds: u32,
    /// Calls at once.
    pub lines: u32,
    /// Whether click-to-call asks its phone to answer by itself.
    pub auto_answer: bool,
    /// Where its calls go instead.
    #[serde(default)]
    pub forward: Forward,
    /// Whether its calls go nowhere but where `forward.busy` says.
    #[serde(default)]
    pub do_not_disturb: bool,
    /// Where messages for it are left. None: it has no mailbox.
    #[serde(default)]
    pub voicemail: Option<Mailbox>,
    /// Extensions of one pick-up group may take each other's calls. None: it belongs to none.
    #[serde(default)]
    pub pickup_group: Option<String>,
    /// Whether it may listen to others' calls, whisper and barge in, by code and by API.
    #[serde(default)]
    pub supervisor: bool,
    /// What it can do, and how well: `{ english: 3 }`.
    #[serde(default)]
    pub skills: BTreeMap<String, u32>,
}

/// Where calls for an extension go instead: an extension, a group, a queue or a public number, as it would dial it, or
/// `voicemail`, its own mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Forward {
    /// All of them; its phones do not ring.
    pub always: Option<String>,
    /// When it talks, refuses, or is not to be disturbed.
    pub busy: Option<String>,
    /// When it rang for long enough.
    pub no_answer: Option<String>,
    /// When no phone is signed in or none responds.
    pub unreachable: Option<String>,
}

/// Where messages are left for an extension.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mailbox {
    /// Where each message is mailed to.
    pub mail: Option<String>,
    /// What callers hear. None: a sentence of ours.
    pub greeting: Option<Prompt>,
    /// The longest message.
    pub max_seconds: u32,
    /// The most messages that are kept; callers are then told that nobody is there.
    pub max_messages: u32,
}
