//! Settings as the engine and the door run them: snapshots, replaced whole.
//!
//! These types are also what the store keeps of each noun, as JSON. The provision file has its own types
//! (`store::provision`), because it speaks of passwords and line numbers, which nobody else may see.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::{Clips, Codec, FeatureCodes, Hours, NamedSound, Prompt, Role, Target, TenantId};

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

/// How a carrier wants numbers dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DialFormat {
    /// `0900000001`
    #[default]
    National,
    /// `+84900000001`
    E164,
    /// `84900000001`
    International,
}

/// Where a carrier puts the number that was called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DidFrom {
    /// The user part of the request URI.
    #[default]
    RequestUri,
    /// The To header.
    To,
    /// P-Called-Party-ID.
    PCalledPartyId,
}

/// A source that a trunk's calls come from: `192.0.2.1`, `192.0.2.1:5060` or `192.0.2.0/24`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrunkAddress {
    /// Address or network.
    pub address: IpAddr,
    /// How many leading bits count.
    pub prefix: u8,
    /// The one port, if only one counts.
    pub port: Option<u16>,
}

impl TrunkAddress {
    /// Whether `source` is meant.
    pub fn contains(&self, source: SocketAddr) -> bool {
        if self.port.is_some_and(|port| port != source.port()) {
            return false;
        }
        match (self.address, source.ip()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let bits = u32::from(self.prefix.min(32));
                (net.to_bits() ^ ip.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let bits = u32::from(self.prefix.min(128));
                (net.to_bits() ^ ip.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// Where a carrier looks for the number that calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrunkIdentity {
    /// From.
    #[default]
    From,
    /// P-Asserted-Identity (RFC 3325); From names the account, where there is one.
    Pai,
}

/// Whose number a call shows that comes from outside and is passed on to the outside again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForwardedCaller {
    /// One of the tenant's own.
    #[default]
    Own,
    /// The caller's.
    Caller,
}

/// A connection to a carrier.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trunk {
    /// `carrier`
    pub name: String,
    /// Whether it is the operator's, shared by tenants. Its limits are counted once over all of them.
    #[serde(skip)]
    pub shared: bool,
    /// The user part of the Contact under which we register there: secret enough that a call to it is the carrier's,
    /// and the same after every start. Empty where we do not register.
    #[serde(skip)]
    pub contact: String,
    /// `host:port` as it was set.
    pub address: String,
    /// Where that is, sorted; found out before the snapshot is handed over and when what DNS said has run out.
    /// [`Target::in_turn`] gives the order to try them in. Empty: the name has no address, the trunk is unusable.
    #[serde(skip)]
    pub resolved: Vec<Target>,
    /// `udp`, `tcp`, `tls`, or `auto`: what DNS says (NAPTR, SRV). Each target has its own.
    pub transport: String,
    /// For digest towards the carrier.
    pub username: Option<String>,
    /// In the clear only in memory; sealed in the store.
    #[serde(skip)]
    pub password: Option<String>,
    /// Whether we register there.
    pub register: bool,
    /// Where its calls come from.
    pub accept_from: Vec<TrunkAddress>,
    /// Where the called number stands.
    pub did_from: DidFrom,
    /// `host:port` that requests are sent to instead.
    pub outbound_proxy: Option<String>,
    /// Where its sound may come from; empty: the SDP address.
    pub media_from: Vec<TrunkAddress>,
    /// `none`, `optional` or `required`.
    pub srtp: String,
    /// Whether its identity headers are believed.
    pub trusted: bool,
    /// The name of the SIP interface to use.
    pub via: Option<String>,
    /// Calls at once.
    pub max_calls: u32,
    /// Calls begun per second.
    pub max_calls_per_second: u32,
    /// Best first.
    pub codecs: Vec<Codec>,
    /// How it wants numbers.
    pub dial_format: DialFormat,
    /// Where it looks for the number that calls.
    #[serde(default)]
    pub identity: TrunkIdentity,
    /// Whose number it is shown when a call from outside is passed on.
    #[serde(default)]
    pub forwarded_caller: ForwardedCaller,
    /// How often it is asked whether it is there. None: every 30 s while an outbound rule names it; 0: never.
    #[serde(default)]
    pub health_seconds: Option<u32>,
}

/// A rule for calls to the public network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outbound {
    /// What the national form begins with.
    pub prefix: String,
    /// Names, in the order they are tried.
    pub trunks: Vec<String>,
    /// Digits taken off the front.
    pub strip: u32,
    /// Digits put in front, after that.
    pub prepend: String,
}

/// A public number of the tenant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NumberRoute {
    /// E.164 digits, or a service number.
    pub number: String,
    /// What it reaches.
    pub route: Route,
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

/// What the door and the APIs know of all tenants. Replaced whole.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Directory {
    /// Grows with each change of any setting.
    pub version: u64,
    /// All tenants.
    pub tenants: Vec<TenantEntry>,
    /// The tenants that have each extension, in the order of their ids. A bare extension that one tenant has means that tenant.
    pub extensions: BTreeMap<String, Vec<TenantId>>,
    /// The tenant of each public number, by E.164 digits.
    pub numbers: BTreeMap<String, TenantId>,
    /// Where trunks' calls come from: the source, how it says the called number, the owner (None: the operator's) and the name.
    pub trunks: Vec<(TrunkAddress, DidFrom, Option<TenantId>, String)>,
    /// The trunks where we register, by the user part of our Contact there.
    pub contacts: BTreeMap<String, TrunkContact>,
    /// What API clients sign in with.
    pub keys: Vec<DirectoryKey>,
}

/// The trunk behind a Contact of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkContact {
    /// Whose. None: the operator's.
    pub owner: Option<TenantId>,
    /// `carrier`
    pub trunk: String,
    /// Where it says the called number; the request URI is our Contact, so that To and the account come after it.
    pub did_from: DidFrom,
    /// The name of the account, which is the called number where a carrier gives one account a number.
    pub account: String,
}

/// A tenant as the door knows it.
#[derive(Clone, PartialEq, Debug)]
pub struct TenantEntry {
    /// The tenant.
    pub id: TenantId,
    /// `VPBX_DEMO`
    pub name: String,
    /// Whether requests that name no tenant are its.
    pub default: bool,
    /// Domains that mean this tenant, in lower case.
    pub sip_domains: Vec<String>,
    /// An IANA zone.
    pub timezone: String,
    /// For sentences.
    pub language: Language,
    /// The country code of national numbers.
    pub country: String,
    /// Readings that differ in the wild.
    pub switches: Switches,
    /// Whether hooks and the CRM may be at private addresses.
    pub private_urls: bool,
}

/// What an API client signs in with.
#[derive(Clone, PartialEq, Debug)]
pub struct DirectoryKey {
    /// Whose.
    pub tenant: TenantId,
    /// Of which API.
    pub kind: KeyKind,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_trunk_address_is_an_address_a_port_or_a_network() {
        let one = TrunkAddress { address: [192, 0, 2, 1].into(), prefix: 32, port: None };
        let port = TrunkAddress { port: Some(5060), ..one };
        let net = TrunkAddress { prefix: 24, ..one };
        let all = TrunkAddress { prefix: 0, ..one };

        assert!(one.contains(source("192.0.2.1:9")) && !one.contains(source("192.0.2.2:9")));
        assert!(port.contains(source("192.0.2.1:5060")) && !port.contains(source("192.0.2.1:9")));
        assert!(net.contains(source("192.0.2.200:9")) && !net.contains(source("192.0.3.1:9")));
        assert!(all.contains(source("10.0.0.1:9")) && !all.contains(source("[::1]:9")));
    }
}
