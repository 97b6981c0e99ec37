//! What tenants and users look like in JSON.
#![allow(dead_code, reason = "the description of the API is made of these types; nothing else is")]

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::floor::{Prompt, Spoken};

/// A company: its own settings, without the lists of what belongs to it.
#[derive(ToSchema)]
pub(super) struct Tenant {
    /// What names it for ever: its name.
    #[schema(example = "VPBX_DEMO")]
    id: String,
    /// 3 to 32 of A-Z, 0-9 and `_`. Never changes: phones sign in with it.
    #[schema(example = "VPBX_NEW", pattern = "^[A-Z0-9_]{3,32}$")]
    name: String,
    /// For people; the name where it is left out.
    #[schema(example = "New company", min_length = 1, max_length = 1024)]
    display_name: String,
    /// An IANA zone.
    #[schema(example = "Asia/Ho_Chi_Minh")]
    timezone: String,
    /// For prompts, the console and mails.
    language: TenantLanguage,
    /// The country code of national numbers.
    #[schema(example = "84", pattern = "^[1-9][0-9]{0,2}$")]
    country: String,
    /// Whether requests that name no tenant are its. The operator's to say.
    #[schema(example = false)]
    default: bool,
    /// Domains in SIP addresses that mean this tenant. The operator's to say.
    #[schema(example = json!(["pbx.example.test"]))]
    sip_domains: Vec<String>,
    /// The challenges that a phone is given, in this order.
    #[schema(min_items = 1)]
    digest: Vec<TenantDigest>,
    /// The rating call.
    feedback: TenantFeedback,
    /// What it may use. The operator's to say.
    limits: TenantLimits,
    /// Readings that differ in the wild.
    switches: TenantSwitches,
    /// Whether hooks and the CRM may be at private addresses. The operator's to say.
    #[schema(example = false)]
    webhook_private_addresses: bool,
    /// Whether a caller who was given away and whom nobody took comes back to the phone that did it, once.
    #[schema(example = true)]
    transfer_ring_back: bool,
    /// For how many days what is stored is kept; what is left out is kept for ever.
    keep: TenantKeep,
    /// The name of the sound that is played to whoever waits. Null: the server's own music.
    #[schema(example = "jazz")]
    music: Option<String>,
    /// What both sides hear before a conversation is recorded. Null: nothing.
    announce_recording: Option<Prompt>,
    /// Where calls are parked. Null: nowhere.
    parking: Option<TenantParking>,
    /// What phones dial to order something. Empty: nothing does.
    #[schema(example = json!({"pick_up": "*8", "voicemail": "*97"}))]
    feature_codes: BTreeMap<String, String>,
}

/// Places where calls wait until somebody takes them.
#[derive(ToSchema)]
pub(super) struct TenantParking {
    /// The number of the first place.
    #[schema(example = "801", pattern = "^[1-9][0-9]{1,7}$")]
    first: String,
    /// How many there are.
    #[schema(example = 10, minimum = 1, maximum = 100)]
    places: u32,
    /// After so long whoever parked a call is rung back.
    #[schema(example = 120, minimum = 10, maximum = 3600)]
    seconds: u32,
}

/// Days.
#[derive(ToSchema)]
pub(super) struct TenantKeep {
    /// Records.
    #[schema(example = 365, minimum = 1)]
    records_days: Option<u32>,
    /// The sound of calls.
    #[schema(example = 90, minimum = 1)]
    recordings_days: Option<u32>,
    /// Events.
    #[schema(example = 90, minimum = 1)]
    events_days: Option<u32>,
}

/// Vietnamese or English.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TenantLanguage {
    Vi,
    En,
}

/// A digest algorithm.
#[derive(ToSchema)]
pub(super) enum TenantDigest {
    #[serde(rename = "md5")]
    Md5,
    #[serde(rename = "sha-256")]
    Sha256,
}

/// The call that asks for a rating.
#[derive(ToSchema)]
pub(super) struct TenantFeedback {
    /// What is said.
    ask: Spoken,
    /// The keys that count.
    #[schema(example = "12345")]
    keys: String,
}

/// What a tenant may use.
#[derive(ToSchema)]
pub(super) struct TenantLimits {
    /// Calls at once.
    #[schema(example = 100, minimum = 0, maximum = 1000000)]
    concurrent_calls: u32,
    /// Calls begun a second.
    #[schema(example = 20, minimum = 0, maximum = 100000)]
    calls_per_second: u32,
    /// Country codes, prefixes and classes (`mobile`, `landline`, `freephone`, `premium`, `short`) that may be dialled.
    #[schema(example = json!(["84"]))]
    destinations: Vec<String>,
    /// The longest call.
    #[schema(example = 14400, minimum = 1, maximum = 604800)]
    max_call_seconds: u32,
    /// A leg that should send and sends nothing for so long is ended.
    #[schema(example = 60, minimum = 1, maximum = 86400)]
    silence_seconds: u32,
    /// Minutes of calls to the public network in a day of its zone. Null: as many as there are.
    #[schema(example = 6000, minimum = 0, maximum = 100000000)]
    daily_minutes: Option<u32>,
}

/// Readings that differ in the wild.
#[derive(ToSchema)]
pub(super) struct TenantSwitches {
    /// Whether `type` is null at `Hangup`.
    #[schema(example = true)]
    null_type_on_hangup: bool,
    /// Whether states are in lower case.
    #[schema(example = false)]
    lower_case_states: bool,
    /// Whether FeedbackID is made with bars.
    #[schema(example = true)]
    feedback_md5_with_bars: bool,
}

/// Somebody who signs in to the console.
#[derive(ToSchema)]
pub(super) struct User {
    /// What names them for ever.
    #[schema(example = "7")]
    id: String,
    /// Their address, in lower case.
    #[schema(example = "new@example.test", format = "email", max_length = 254)]
    email: String,
    /// Never shown. Null or left out in a change: it stays.
    #[schema(example = "change-me-please", min_length = 1, max_length = 1024)]
    password: String,
    /// The tenant's name; where it is left out, the tenant of whoever makes the user. Null: an operator.
    #[schema(example = "VPBX_DEMO")]
    tenant: Option<String>,
    /// What they may do.
    role: UserRole,
}

/// What a user may do; `operator` is of the whole server.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum UserRole {
    Operator,
    Owner,
    Supervisor,
    Agent,
    Reader,
}
