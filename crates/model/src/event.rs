//! What happened, told in order about one subject. Everything that any API, hook, page or report shows comes from events.
//!
//! On the wire an event is flat JSON: `{"subject":"call","id":…,"seq":5,"at":…,"type":"call.ended","callid":…, …}`;
//! the store adds `position`.

use serde::{Deserialize, Serialize};

use crate::{CallId, Direction, EndedBy, LegId, Number, Reason, RecordingId, Text, Timestamp, TransferMode};

/// One thing that happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// Its place among the subject's events, from 1, without a gap.
    pub seq: u32,
    /// When it happened.
    pub at: Timestamp,
    /// The call it belongs to: of every event of a call, its legs and its recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callid: Option<CallId>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What an event is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "subject", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A call with its legs.
    Call(CallId),
    /// A recording.
    Recording(RecordingId),
    /// How well the sound of a call travelled.
    Sound(CallId),
    /// An extension's phones coming and going.
    Extension(String),
    /// An extension as a member of queues.
    Agent(String),
    /// A trunk's health and refusals.
    Trunk(String),
}

impl Subject {
    /// The word for the kind of subject: `call`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Recording(_) => "recording",
            Self::Sound(_) => "sound",
            Self::Extension(_) => "extension",
            Self::Agent(_) => "agent",
            Self::Trunk(_) => "trunk",
        }
    }

    /// The id within the kind.
    pub fn id(&self) -> String {
        match self {
            Self::Call(id) | Self::Sound(id) => id.to_string(),
            Self::Recording(id) => id.to_string(),
            Self::Extension(id) | Self::Agent(id) | Self::Trunk(id) => id.clone(),
        }
    }
}

/// What happened, an enum a subject.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum What {
    /// To a call or one of its legs.
    Call(CallEvent),
    /// To a recording.
    Recording(RecordingEvent),
    /// To the sound of a call.
    Sound(SoundEvent),
    /// To an extension.
    Extension(ExtensionEvent),
    /// To an agent.
    Agent(AgentEvent),
    /// To a trunk.
    Trunk(TrunkEvent),
}

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

/// Somebody who takes part in a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "party", rename_all = "snake_case")]
pub enum Party {
    /// Somebody of the tenant.
    Extension {
        /// `101`
        number: String,
    },
    /// Extensions that ring together or in order.
    Group {
        /// `600`
        number: String,
    },
    /// Callers who wait for agents.
    Queue {
        /// `700`
        number: String,
    },
    /// Spoken choices.
    Menu {
        /// Its name.
        number: String,
    },
    /// Where messages are left for an extension.
    Voicemail {
        /// The extension.
        number: String,
    },
    /// A prompt after which the call ends.
    Prompt {
        /// The sound's name; empty where the words stand in the route.
        number: String,
    },
    /// A place where calls are parked.
    Parking {
        /// `801`; empty before there is one.
        number: String,
    },
    /// What a code orders.
    Feature {
        /// What was dialled.
        number: String,
    },
    /// Somebody in the public network, or who claims to be.
    Outside {
        /// In E.164 where it has such a form, else as the trunk gave it or as it was dialled.
        number: Text,
        /// As the trunk gave it or as it was dialled, where `number` has it otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<Text>,
        /// The trunk the leg runs over, where one was chosen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trunk: Option<String>,
    },
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

impl Party {
    /// Somebody in the public network, whose number was written like this.
    pub fn outside(number: &Number, written: &str, trunk: Option<String>) -> Self {
        let e164 = number.e164();
        let shown = (e164 != written).then(|| Text::from(written));
        Self::Outside { number: Text::from(e164), shown, trunk }
    }

    /// Every word that [`Party::word`] gives.
    pub const WORDS: &'static [&'static str] =
        &["extension", "group", "queue", "menu", "voicemail", "prompt", "parking", "feature", "outside"];

    /// What sort of party it is, in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Extension { .. } => "extension",
            Self::Group { .. } => "group",
            Self::Queue { .. } => "queue",
            Self::Menu { .. } => "menu",
            Self::Voicemail { .. } => "voicemail",
            Self::Prompt { .. } => "prompt",
            Self::Parking { .. } => "parking",
            Self::Feature { .. } => "feature",
            Self::Outside { .. } => "outside",
        }
    }

    /// The number of whoever it is.
    pub fn number(&self) -> &str {
        match self {
            Self::Extension { number }
            | Self::Group { number }
            | Self::Queue { number }
            | Self::Menu { number }
            | Self::Voicemail { number }
            | Self::Prompt { number }
            | Self::Parking { number }
            | Self::Feature { number } => number,
            Self::Outside { number, .. } => number.as_str(),
        }
    }

    /// The number in the form in which it was dialled or came in (readings 2).
    pub fn shown(&self) -> &str {
        match self {
            Self::Extension { number }
            | Self::Group { number }
            | Self::Queue { number }
            | Self::Menu { number }
            | Self::Voicemail { number }
            | Self::Prompt { number }
            | Self::Parking { number }
            | Self::Feature { number } => number,
            Self::Outside { number, shown, .. } => shown.as_ref().unwrap_or(number).as_str(),
        }
    }

    /// The extension, if it is one.
    pub fn extension(&self) -> Option<&str> {
        match self {
            Self::Extension { number } => Some(number),
            _ => None,
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

/// What happens to an extension as a member of queues.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum AgentEvent {
    /// Takes calls of its queues from now on.
    #[serde(rename = "agent.signed_in")]
    SignedIn,
    /// Takes none any more.
    #[serde(rename = "agent.signed_out")]
    SignedOut,
    /// Takes none for now.
    #[serde(rename = "agent.paused")]
    Paused {
        /// Why, in the agent's words; `no answer` where it missed too many.
        reason: Text,
    },
    /// Takes calls again after a pause.
    #[serde(rename = "agent.resumed")]
    Resumed,
    /// Has time to write down what was talked about.
    #[serde(rename = "agent.wrap_up")]
    WrapUp {
        /// For how long.
        seconds: u32,
    },
    /// The time for writing down is over.
    #[serde(rename = "agent.ready")]
    Ready,
}

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
    /// A phone that signed in rightly asked for something it may not do.
    #[serde(rename = "extension.refused")]
    Refused {
        /// What it may not do.
        why: Text,
    },
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineNumber;

    #[test]
    fn an_event_is_flat_json_and_comes_back_the_same() {
        let id = CallId::new(1_700_000_000, EngineNumber(1), 101);
        let event = Event {
            subject: Subject::Call(id),
            seq: 2,
            at: "2026-01-01T00:00:00.5Z".parse().expect("a moment"),
            callid: Some(id),
            what: What::Call(CallEvent::LegStarted {
                leg: id.first_leg(),
                side: Side::Agent,
                party: Party::Extension { number: "101".into() },
                caller: false,
            }),
        };

        let json = serde_json::to_string(&event).expect("an event prints");

        assert_eq!(
            json,
            r#"{"subject":"call","id":"1700000000.1000101","seq":2,"at":"2026-01-01T00:00:00.5Z","callid":"1700000000.1000101","type":"leg.started","leg":"1700000000.1000101","side":"agent","party":"extension","number":"101","caller":false}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&json).expect("and parses"), event);
    }

    #[test]
    fn a_number_is_shown_as_it_was_written() {
        let number = Number::parse("0900000001", "84").expect("a number");

        let [dialled, in_full] = ["0900000001", "+84900000001"].map(|text| Party::outside(&number, text, None));

        assert_eq!((dialled.number(), dialled.shown()), ("+84900000001", "0900000001"));
        assert_eq!((in_full.number(), in_full.shown()), ("+84900000001", "+84900000001"));
    }
}
