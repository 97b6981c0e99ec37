//! Orders to the engine. Each gets exactly one [`Reply`] or [`Problem`](crate::Problem).

use serde::{Deserialize, Serialize};

use crate::{CallId, Dialled, LegId, Source, Text};

/// What somebody signed in as may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Reader,
    /// Calls.
    Agent,
    /// Listens in, steers queues.
    Supervisor,
    /// Everything in the tenant.
    Owner,
    /// Everything in the server.
    Operator,
}

/// Who orders something, for permission and for the audit log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Actor {
    /// `key:voip24h`, `admin`: shown in logs, never a secret.
    pub name: Text,
    /// What they may do.
    pub role: Role,
}

/// An order to a tenant's engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Rings an extension, then dials a number and connects them (click-to-call).
    Originate(Originate),
    /// Ends a live call.
    HangUp {
        /// The call.
        call: CallId,
    },
}

/// A click-to-call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Originate {
    /// The extension to ring first.
    pub from: String,
    /// The number to dial once the extension has answered.
    pub to: Dialled,
    /// When the reply is due.
    pub answer: DialAnswer,
    /// The client's key for the order, where it gave one; claimed in the store before the order is given.
    pub claim: Option<ClaimedKey>,
}

/// A key that a client gave its order, so that the order is carried out once however often it comes (readings 18).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ClaimedKey {
    /// Whose keys it is one of: a name for what the client signed in with, never a secret.
    pub owner: String,
    /// As the client chose it.
    pub key: String,
}

/// When a click-to-call is replied to (readings 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DialAnswer {
    /// As soon as the call is accepted.
    WhenAccepted,
    /// At the phone's first response above 100: ringing, answer or refusal. After 5 s without any, the call is cancelled.
    WhenPhoneResponds,
}

/// What came of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// The click-to-call runs.
    Originated {
        /// The call.
        call: CallId,
        /// The leg towards the extension.
        leg: LegId,
    },
    /// The call was ended.
    HungUp {
        /// The call.
        call: CallId,
    },
    /// The source may sign in again.
    BanLifted {
        /// Who.
        source: Source,
    },
    /// The engine runs these settings.
    SettingsTaken {
        /// Their version.
        version: u64,
    },
}
