//! What happens to calls and their legs.

use serde::{Deserialize, Serialize};

use crate::{CallId, Direction, EndedBy, LegId, Party, Reason, RecordingId, Text, TransferMode};

/// Where a call comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An extension's phone dialled.
    Phone,
    /// It came from a trunk.
    Trunk,
    /// An API client ordered it (click-to-call): the agent's phone is rung first.
    Click,
    /// Somebody who transfers a call talks with the target first.
    Consultation,
}

/// Who decided whom a call reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutedBy {
    /// The customer's CRM, which was asked.
    Crm,
    /// The route for calls that the CRM did not decide.
    Default,
    /// The hours of the company.
    Hours,
    /// A key that the caller pressed in a menu, or none.
    Menu,
    /// A queue or group in which nobody took the call.
    Overflow,
    /// Somebody who has calls go elsewhere.
    Forward,
}

/// Which side of the conversation a leg is on. In a call between two extensions the one called is the agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The company's side.
    Agent,
    /// The other side.
    Customer,
}

impl Side {
    /// The one that it is not.
    pub fn other(self) -> Self {
        match self {
            Self::Agent => Self::Customer,
            Self::Customer => Self::Agent,
        }
    }
}

impl RoutedBy {
    /// Every word that [`RoutedBy::word`] gives.
    pub const WORDS: &'static [&'static str] = &["crm", "default", "hours", "menu", "overflow", "forward"];

    /// Who, in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Default => "default",
            Self::Hours => "hours",
            Self::Menu => "menu",
            Self::Overflow => "overflow",
            Self::Forward => "forward",
        }
    }
}

impl Unqueued {
    /// Every word that [`Unqueued::word`] gives.
    pub const WORDS: &'static [&'static str] = &["answered", "abandoned", "too_long", "full", "empty", "ended"];

    /// Why, in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Abandoned => "abandoned",
            Self::TooLong => "too_long",
            Self::Full => "full",
            Self::Empty => "empty",
            Self::Ended => "ended",
        }
    }
}

/// What happens to a call or one of its legs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum CallEvent {
    /// The call was accepted; its record exists from here on.
    #[serde(rename = "call.started")]
    Started {
        /// Where it comes from.
        origin: Origin,
        /// Towards us, towards the public network, or between extensions.
        direction: Direction,
        /// Who calls. In a click-to-call the extension.
        from: Party,
        /// Who is called: whom the dialled number stands for.
        to: Party,
        /// The tenant's own public number that this call shows or came in on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        did: Option<Text>,
        /// The customer's call, where this is a consultation about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<CallId>,
    },
    /// It was decided whom the call reaches.
    #[serde(rename = "call.routed")]
    Routed {
        /// Whom.
        to: Party,
        /// Who decided.
        by: RoutedBy,
        /// Why the CRM's decision was not followed, where it was not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Text>,
    },
    /// A leg was begun: a phone called us, or we call one.
    #[serde(rename = "leg.started")]
    LegStarted {
        /// The leg.
        leg: LegId,
        /// Its side of the conversation.
        side: Side,
        /// Whose leg it is.
        #[serde(flatten)]
        party: Party,
        /// Whether this party called us (else we call it).
        caller: bool,
    },
    /// The trunk of a leg could not take the call; the next one of the route is tried.
    #[serde(rename = "leg.rerouted")]
    LegRerouted {
        /// The leg.
        leg: LegId,
        /// The trunk it runs over now.
        trunk: String,
        /// Why the one before did not take it.
        reason: Reason,
        /// The SIP status that said so; 408 when nothing came at all.
        sip: u16,
    },
    /// A leg we call is ringing.
    #[serde(rename = "leg.ringing")]
    LegRinging {
        /// The leg.
        leg: LegId,
        /// Whether it sends sound before the answer.
        early_sound: bool,
    },
    /// A leg we called was answered, or we answered the caller.
    #[serde(rename = "leg.answered")]
    LegAnswered {
        /// The leg.
        leg: LegId,
    },
    /// A party put the other on hold.
    #[serde(rename = "leg.held")]
    LegHeld {
        /// The leg whose party ordered it.
        leg: LegId,
    },
    /// A party took the other back from hold.
    #[serde(rename = "leg.resumed")]
    LegResumed {
        /// The leg whose party ordered it.
        leg: LegId,
    },
    /// What a party says is not heard any more.
    #[serde(rename = "leg.muted")]
    LegMuted {
        /// The leg.
        leg: LegId,
    },
    /// What a party says is heard again.
    #[serde(rename = "leg.unmuted")]
    LegUnmuted {
        /// The leg.
        leg: LegId,
    },
    /// A party pressed a key.
    #[serde(rename = "leg.key")]
    LegKey {
        /// The leg.
        leg: LegId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
    /// A leg is over. Once for each leg.
    #[serde(rename = "leg.ended")]
    LegEnded {
        /// The leg.
        leg: LegId,
        /// Why.
        reason: Reason,
        /// The SIP status that said so: 200 after an answer.
        sip: u16,
        /// The Q.850 cause that a party gave (RFC 6432): 16 is normal clearing. None: it gave none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<u8>,
        /// Who ended it.
        by: EndedBy,
    },
    /// Both sides are connected and hear each other.
    #[serde(rename = "call.connected")]
    Connected {
        /// The leg on the company's side.
        agent: LegId,
        /// The leg on the other side.
        customer: LegId,
    },
    /// A party is about to be given to somebody else.
    #[serde(rename = "call.transferring")]
    Transferring {
        /// The leg of whoever gives it away.
        leg: LegId,
        /// Whom to.
        to: Party,
        /// How.
        mode: TransferMode,
        /// The call in which the target is asked first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consultation: Option<CallId>,
    },
    /// The transfer is done: the other side talks with the target. Follows the `call.connected` of the two.
    #[serde(rename = "call.transferred")]
    Transferred {
        /// The leg that gave the other side away.
        leg: LegId,
        /// The leg of the target.
        target: LegId,
        /// How.
        mode: TransferMode,
    },
    /// The transfer came to nothing.
    #[serde(rename = "call.transfer_failed")]
    TransferFailed {
        /// The leg of whoever wanted it.
        leg: LegId,
        /// Why.
        reason: Reason,
        /// The SIP status that said so.
        sip: u16,
    },
    /// The caller has reached an end that is no person: a mailbox, or a prompt after which the call ends.
    #[serde(rename = "call.reached")]
    Reached {
        /// The caller's leg.
        leg: LegId,
        /// What.
        end: Party,
    },
    /// The caller of a menu pressed a key, or none in time.
    #[serde(rename = "call.menu_key")]
    MenuKey {
        /// The menu.
        menu: String,
        /// None: nothing in time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<char>,
        /// Whether it leads somewhere.
        valid: bool,
    },
    /// The caller waits in a queue.
    #[serde(rename = "call.queued")]
    Queued {
        /// The queue.
        queue: String,
        /// The caller's place, from 1.
        place: u32,
    },
    /// An agent's phone is rung for a caller who waits.
    #[serde(rename = "call.offered")]
    Offered {
        /// The queue.
        queue: String,
        /// The agent's leg.
        leg: LegId,
    },
    /// An agent did not take the caller.
    #[serde(rename = "call.offer_missed")]
    OfferMissed {
        /// The queue.
        queue: String,
        /// The agent's leg.
        leg: LegId,
        /// Why.
        reason: Reason,
    },
    /// The caller waits no more.
    #[serde(rename = "call.unqueued")]
    Unqueued {
        /// The queue.
        queue: String,
        /// Why.
        why: Unqueued,
    },
    /// Who was called has calls go elsewhere.
    #[serde(rename = "call.forwarded")]
    Forwarded {
        /// Who was called.
        from: Party,
        /// Where the call goes.
        to: Party,
        /// Why.
        why: Forwarding,
    },
    /// Somebody takes a call that rings elsewhere.
    #[serde(rename = "call.picked_up")]
    PickedUp {
        /// The leg of whoever takes it.
        leg: LegId,
        /// The leg that rang.
        from: LegId,
    },
    /// A party was parked.
    #[serde(rename = "call.parked")]
    Parked {
        /// The leg that waits.
        leg: LegId,
        /// The leg of whoever parked it.
        by: LegId,
        /// Where.
        place: u32,
    },
    /// A parked party is taken by somebody, or rings back.
    #[serde(rename = "call.unparked")]
    Unparked {
        /// The leg that waited.
        leg: LegId,
        /// Where.
        place: u32,
        /// The leg of whoever took it. None: nobody did in time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<LegId>,
    },
    /// Somebody more takes part in the conversation, or takes part otherwise than before.
    #[serde(rename = "call.joined")]
    Joined {
        /// The leg.
        leg: LegId,
        /// How.
        part: Part,
    },
    /// Somebody left a message.
    #[serde(rename = "call.message_left")]
    MessageLeft {
        /// Whose mailbox.
        mailbox: String,
        /// The message.
        recording: RecordingId,
        /// Its length.
        milliseconds: u64,
    },
    /// The call is over. Exactly once, and the call's last event.
    #[serde(rename = "call.ended")]
    Ended {
        /// Why.
        reason: Reason,
        /// The SIP status that decided it.
        sip: u16,
        /// The Q.850 cause that the deciding party gave. None: it gave none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<u8>,
        /// Who ended it.
        by: EndedBy,
        /// The customer's call that it became a part of, where this was a consultation that ended so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merged_into: Option<CallId>,
    },
}

/// Why a caller does not wait in a queue any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unqueued {
    /// An agent took the call.
    Answered,
    /// The caller gave up.
    Abandoned,
    /// The caller waited as long as the queue allows.
    TooLong,
    /// Too many wait already.
    Full,
    /// No agent is signed in.
    Empty,
    /// Somebody above ended the call.
    Ended,
}

/// Why a call goes elsewhere than to whom it was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forwarding {
    /// All calls do.
    Always,
    /// Who was called talks, or refused.
    Busy,
    /// It rang in vain.
    NoAnswer,
    /// No phone could be reached.
    Unreachable,
    /// Who was called is not to be disturbed.
    DoNotDisturb,
}

/// How somebody takes part in a conversation of more than two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Hears all and is heard by all.
    Conference,
    /// Hears all and is heard by nobody.
    Listen,
    /// Hears all and is heard by one extension.
    Whisper,
    /// Hears all and is heard by all, without having been asked.
    Barge,
}
