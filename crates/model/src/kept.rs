//! Live facts that outlive the engine: registrations, and what ends an answered leg.
//!
//! The last value of a key wins and nobody waits for it. They come back to the engine before its first traffic.

use serde::{Deserialize, Serialize};

use crate::{TenantId, Text, Timestamp};

/// What sort of fact is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptKind {
    /// Where an extension's phones are reached. Key: the extension.
    Bindings,
    /// What a BYE to an answered leg needs. Key: the leg.
    Dialog,
    /// The last `seq` of a subject that lives longer than an engine. Key: `extension:101`.
    Seq,
    /// A ban. Key: the source. Belongs to no tenant: [`TenantId::SERVER`]; the door's fact, not the engine's.
    Ban,
    /// How an agent stands. Key: the extension.
    Agent,
    /// Minutes of calls that were used up. Key: the day.
    Minutes,
    /// What a phone is told of (RFC 6665). Key: the subscription.
    Subscription,
    /// How a trunk stands ([`TrunkHealth`](crate::TrunkHealth)). Key: its name. The operator's belong to [`TenantId::SERVER`].
    Trunk,
}

impl KeptKind {
    const ALL: [Self; 8] = [
        Self::Bindings,
        Self::Dialog,
        Self::Seq,
        Self::Ban,
        Self::Agent,
        Self::Minutes,
        Self::Subscription,
        Self::Trunk,
    ];

    /// The word in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bindings => "bindings",
            Self::Dialog => "dialog",
            Self::Seq => "seq",
            Self::Ban => "ban",
            Self::Agent => "agent",
            Self::Minutes => "minutes",
            Self::Subscription => "subscription",
            Self::Trunk => "trunk",
        }
    }

    /// Reads the word in the store.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One live fact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Whose fact it is.
    pub tenant: TenantId,
    /// What sort.
    pub kind: KeptKind,
    /// Which one of its sort.
    pub key: String,
    /// What the engine wants back, in JSON of its own. None: the fact is over.
    pub value: Option<String>,
    /// After this it need not come back. None: until it is over.
    pub expires: Option<Timestamp>,
}

/// How an agent stands: the value of [`KeptKind::Agent`], in JSON. An agent whose phone was never signed in has none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentStands {
    /// Whether it takes calls of its queues, pauses aside.
    pub signed_in: bool,
    /// Since when it does, or does not.
    pub since: Timestamp,
    /// Why it takes none for now. None: it is not paused.
    #[serde(default)]
    pub paused: Option<AgentPause>,
    /// Until when it writes down what was talked about. None: it does not.
    #[serde(default)]
    pub wrap_up_until: Option<Timestamp>,
}

/// A pause of an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentPause {
    /// Why, in the agent's words; may be empty.
    pub reason: Text,
    /// Since when.
    pub since: Timestamp,
}
