//! What happened, told in order about one subject. Everything that any API, hook, page or report shows comes from events.
//!
//! On the wire an event is flat JSON: `{"subject":"call","id":…,"seq":5,"at":…,"type":"call.ended","callid":…, …}`;
//! the store adds `position`.

mod agent;
mod call;
mod extension;
mod party;
mod sound;
mod trunk;

use serde::{Deserialize, Serialize};

pub use self::agent::AgentEvent;
pub use self::call::{CallEvent, Forwarding, Origin, Part, RoutedBy, Side, Unqueued};
pub use self::extension::ExtensionEvent;
pub use self::party::Party;
pub use self::sound::{LegQuality, MeasuredLeg, RecordingEvent, SoundEvent};
pub use self::trunk::TrunkEvent;
use crate::{CallId, RecordingId, Timestamp};

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
}
