//! What a call reaches: routes, groups, queues, menus, places for parked calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Prompt;

/// A number that is written as text.
mod digits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Where calls are parked until somebody takes them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Parking {
    /// The number of the first place, `801`. It is dialled to take the call.
    #[serde(with = "digits")]
    pub first: u32,
    /// How many places there are.
    pub places: u32,
    /// After so long whoever parked a call is rung back.
    pub seconds: u32,
}

/// What a call reaches.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// One extension.
    Extension(String),
    /// A group.
    Group(String),
    /// A queue.
    Queue(String),
    /// A menu.
    Menu(String),
    /// What the CRM decides.
    Crm {
        /// Asked with `phone` and `did` added.
        url: String,
        /// How long the CRM may think.
        timeout_ms: u32,
        /// Without a usable answer.
        default: Box<Route>,
    },
    /// An extension's mailbox.
    Voicemail(String),
    /// A prompt, after which the call ends.
    Play(Prompt),
    /// A number outside.
    Outside(String),
    /// What the hours say.
    Hours {
        /// Their name.
        #[serde(rename = "name")]
        hours: String,
        /// While somebody is there.
        open: Box<Route>,
        /// Else.
        closed: Box<Route>,
        /// On holidays. None: as when closed.
        #[serde(default)]
        holiday: Option<Box<Route>>,
    },
}

/// How a group rings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Everybody at once.
    #[default]
    RingAll,
    /// In the order of the members.
    InOrder,
    /// Whoever was called longest ago first.
    LeastRecent,
    /// Queues: whoever has been idle longest.
    LongestIdle,
    /// Queues: in turn.
    RoundRobin,
}

/// Extensions that ring together or in order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Group {
    /// `600`
    pub number: String,
    /// For people.
    pub name: String,
    /// How it rings.
    pub strategy: Strategy,
    /// Extensions.
    pub members: Vec<String>,
    /// How long each rings.
    pub ring_seconds: u32,
    /// Where a caller goes whom nobody answers.
    #[serde(default)]
    pub overflow: Option<Route>,
}

/// Callers who wait for agents.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Queue {
    /// `700`
    pub number: String,
    /// For people.
    pub name: String,
    /// Who is offered a caller.
    pub strategy: Strategy,
    /// Extensions.
    pub members: Vec<String>,
    /// The longest wait.
    pub max_wait_seconds: u32,
    /// Whether callers hear their place.
    pub announce_position: bool,
    /// How long an agent rings.
    pub ring_seconds: u32,
    /// After so many misses an agent is paused.
    pub misses_before_pause: u32,
    /// Time after a call in which an agent is left alone.
    pub wrap_up_seconds: u32,
    /// The wait that counts as good service.
    pub service_level_seconds: Option<u32>,
    /// Whether the carrier is answered when the caller begins to wait, or when an agent answers.
    pub answer_at_once: bool,
    /// Where a caller goes who cannot wait.
    pub overflow: Option<Route>,
    /// Of callers in several queues the one of the higher priority is offered first.
    #[serde(default)]
    pub priority: u32,
    /// What an agent must be able to do, and how well, to be offered a caller.
    #[serde(default)]
    pub skills: BTreeMap<String, u32>,
    /// The most callers that wait. None: as many as come.
    #[serde(default)]
    pub max_waiting: Option<u32>,
    /// Whether callers wait although no agent is signed in.
    #[serde(default)]
    pub wait_when_empty: bool,
    /// Whether callers hear how long they will wait.
    #[serde(default)]
    pub announce_wait: bool,
    /// From one announcement to the next.
    #[serde(default = "a_minute")]
    pub announce_seconds: u32,
    /// What callers hear first.
    #[serde(default)]
    pub greeting: Option<Prompt>,
    /// What callers hear while they wait: a sound's name. None: the tenant's music.
    #[serde(default)]
    pub music: Option<String>,
}

fn a_minute() -> u32 {
    60
}

/// Words in both languages.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Spoken {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// Spoken choices answered by keys.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Menu {
    /// `main`
    pub name: String,
    /// What is said: `say` or `sound`.
    #[serde(flatten)]
    pub prompt: Prompt,
    /// Where each key leads.
    pub keys: BTreeMap<String, Route>,
    /// How long the caller may think.
    pub timeout_seconds: u32,
    /// How often it is said.
    pub tries: u32,
    /// Without a choice.
    pub default: Option<Route>,
}
