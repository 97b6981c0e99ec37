//! Orders to the engine. Each gets exactly one [`Reply`] or [`Problem`](crate::Problem).

use serde::{Deserialize, Serialize};

use crate::{CallId, Dialled, LegId, Part, Source, Text};

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
    /// Gives the other side of a conversation to somebody else. Replied to once the target is being called.
    Transfer(Transfer),
    /// The other side is put aside and hears music. Replied to at once, like all that follow.
    Hold {
        /// The call.
        call: CallId,
        /// Who puts aside.
        leg: ActingLeg,
    },
    /// The other side is taken back.
    Resume {
        /// The call.
        call: CallId,
        /// Who put it aside.
        leg: ActingLeg,
    },
    /// What a party says is not heard, or is heard again.
    Mute {
        /// The call.
        call: CallId,
        /// Whose voice.
        leg: ActingLeg,
        /// Whether nobody is to hear it.
        muted: bool,
    },
    /// Keys pressed in the place of a party, for the other side.
    PressKeys {
        /// The call.
        call: CallId,
        /// In whose place.
        leg: ActingLeg,
        /// 1 to 64 of `0`–`9`, `*`, `#`, `A`–`D`.
        keys: String,
    },
    /// Plays a sound to a party in place of the other side, or ends what is played.
    Play {
        /// The call.
        call: CallId,
        /// Who hears it. None: everybody in the call.
        leg: Option<ActingLeg>,
        /// What. None: nothing any more.
        sound: Option<PlayedSound>,
        /// For how long, 1 to 3 600 seconds. None: until it is ended.
        seconds: Option<u32>,
    },
    /// Begins, pauses or ends the recording of a conversation.
    Record {
        /// The call.
        call: CallId,
        /// What to do.
        action: RecordAction,
    },
    /// All who take part in a consultation talk with each other.
    Conference {
        /// The call, or its consultation.
        call: CallId,
    },
    /// Somebody is rung who hears the conversation, and may be heard in it. One who does so already changes over.
    Supervise {
        /// The call.
        call: CallId,
        /// Whose phone is rung.
        by: String,
        /// How: not `conference`.
        part: Part,
    },
    /// The other side waits where anybody may take it.
    Park {
        /// The call.
        call: CallId,
        /// Who parks.
        leg: ActingLeg,
    },
    /// Changes how an agent stands. Replied to once it is so.
    Agent {
        /// The extension.
        extension: String,
        /// What.
        action: AgentAction,
    },
}

/// How an agent is to stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AgentAction {
    /// Takes calls of its queues.
    SignIn,
    /// Takes none.
    SignOut,
    /// Takes none for now.
    Pause {
        /// Why, in the agent's words; may be empty.
        reason: Text,
    },
    /// Takes calls again.
    Resume,
}

/// Which leg of a call an order is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ActingLeg {
    /// The call's only extension; where two talk, the order is refused with both ([`Problem::WhichLeg`](crate::Problem)).
    OnlyExtension,
    /// This one.
    Leg(LegId),
    /// The live leg of this extension.
    Extension(String),
}

/// How somebody is transferred.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferMode {
    /// The other side is given away at once, and hears the target ring.
    Blind,
    /// Whoever transfers talks with the target first, while the other side hears music; hanging up completes it.
    Attended,
}

/// An order to transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// The call.
    pub call: CallId,
    /// Who gives the other side away.
    pub leg: ActingLeg,
    /// Extension, group or public number.
    pub to: Dialled,
    /// How.
    pub mode: TransferMode,
}

/// A sound that an API client may have played.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayedSound {
    /// What callers on hold hear.
    Music,
    /// 425 Hz, one second on, four seconds off.
    Ringback,
    /// 425 Hz, half a second on, half a second off.
    Busy,
    /// Nothing.
    Silence,
}

/// What to do with the recording of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordAction {
    /// Begin one, where none is being written.
    Start,
    /// Write silence in place of what is said: card numbers.
    Pause,
    /// Go on after a pause.
    Resume,
    /// End it; it is kept.
    Stop,
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
    /// The target of a transfer is being called.
    Transferring {
        /// The customer's call, which keeps its id.
        call: CallId,
        /// The call between whoever transfers and the target, where the transfer is attended.
        consultation: Option<CallId>,
    },
    /// Somebody is being rung who is to take part in the conversation, or takes part otherwise now.
    Supervising {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
    },
    /// The other side waits.
    Parked {
        /// The call.
        call: CallId,
        /// Where it is taken: the number to dial.
        place: u32,
    },
    /// The agent stands so.
    AgentStands {
        /// The extension.
        extension: String,
    },
    /// An order to a live call was carried out.
    Done {
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
