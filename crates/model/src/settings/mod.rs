//! Settings as the engine and the door run them: snapshots, replaced whole.
//!
//! These types are also what the store keeps of each noun, as JSON. The provision file has its own types
//! (`store::provision`), because it speaks of passwords and line numbers, which nobody else may see.

mod directory;
mod floor;
mod keys;
mod lines;
mod people;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::directory::{Directory, DirectoryKey, TenantEntry, TrunkContact};
pub use self::floor::{Group, Menu, Parking, Queue, Route, Spoken, Strategy};
pub use self::keys::KeyKind;
pub use self::lines::{
    DialFormat, DidFrom, ForwardedCaller, NumberRoute, Outbound, Trunk, TrunkAddress, TrunkIdentity,
};
pub use self::people::{DigestAlgorithm, DigestSecret, Extension, Forward, Mailbox};
use crate::{Clips, FeatureCodes, Hours, NamedSound, Prompt, TenantId};

/// A language that people are spoken and written to in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

/// Everything the engine needs to know of a tenant. A call keeps the snapshot it began with.
#[derive(Clone, PartialEq, Debug)]
pub struct TenantSettings {
    /// The tenant.
    pub id: TenantId,
    /// Grows with each change of any setting of the tenant.
    pub version: u64,
    /// `VPBX_DEMO`
    pub name: String,
    /// For people.
    pub display_name: String,
    /// An IANA zone: `Asia/Ho_Chi_Minh`.
    pub timezone: String,
    /// The same, ready to be reckoned with.
    pub zone: jiff::tz::TimeZone,
    /// For prompts and sentences.
    pub language: Language,
    /// The country code that national numbers belong to, digits only.
    pub country: String,
    /// The challenges a phone is given, in this order.
    pub digest: Vec<DigestAlgorithm>,
    /// By number.
    pub extensions: BTreeMap<String, Extension>,
    /// The tenant's own, then the operator's shared ones.
    pub trunks: Vec<Trunk>,
    /// First match wins.
    pub outbound: Vec<Outbound>,
    /// Public numbers by their E.164 digits.
    pub numbers: BTreeMap<String, NumberRoute>,
    /// By number.
    pub groups: BTreeMap<String, Group>,
    /// By number.
    pub queues: BTreeMap<String, Queue>,
    /// By name.
    pub menus: BTreeMap<String, Menu>,
    /// By name.
    pub hours: BTreeMap<String, Hours>,
    /// By name.
    pub sounds: BTreeMap<String, NamedSound>,
    /// What is ready to be played; made and read before the snapshot is handed over.
    pub clips: Clips,
    /// The sound that is played to whoever waits. None: our own music.
    pub music: Option<String>,
    /// What both sides hear before a conversation is recorded. None: nothing.
    pub announce_recording: Option<Prompt>,
    /// Where calls are parked. None: nowhere.
    pub parking: Option<Parking>,
    /// What phones dial to order something.
    pub feature_codes: FeatureCodes,
    /// What the tenant may use.
    pub limits: Limits,
    /// Readings that differ in the wild.
    pub switches: Switches,
    /// Whether the phone that gave a caller away is rung once more when nobody takes the caller.
    pub transfer_ring_back: bool,
}

/// What a tenant may use.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Calls at once.
    pub concurrent_calls: u32,
    /// Calls begun per second.
    pub calls_per_second: u32,
    /// Country codes, prefixes and classes that may be dialled.
    pub destinations: Vec<String>,
    /// The longest call.
    pub max_call_seconds: u32,
    /// A leg that should send and sends nothing for so long is ended.
    pub silence_seconds: u32,
    /// Minutes of calls to the public network in a day of the tenant's zone. None: as many as there are.
    #[serde(default)]
    pub daily_minutes: Option<u32>,
}

/// Readings that differ in the wild.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Switches {
    /// Whether `type` is null at `Hangup`.
    pub null_type_on_hangup: bool,
    /// Whether states are in lower case.
    pub lower_case_states: bool,
    /// Whether FeedbackID is made with bars.
    pub feedback_md5_with_bars: bool,
}
