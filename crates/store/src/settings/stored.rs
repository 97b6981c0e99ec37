//! What a setting's row holds where `model` has no type for it.

use model::{DigestAlgorithm, FeatureCodes, Language, Limits, Parking, Prompt, Role, Spoken, Switches, Trunk};
use serde::{Deserialize, Serialize};

/// A tenant without what has rows of its own.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct TenantBody {
    pub display_name: String,
    pub timezone: String,
    pub language: Language,
    pub country: String,
    pub default: bool,
    pub sip_domains: Vec<String>,
    pub digest: Vec<DigestAlgorithm>,
    pub feedback: Feedback,
    pub limits: Limits,
    pub switches: Switches,
    pub webhook_private_addresses: bool,
    #[serde(default = "yes")]
    pub transfer_ring_back: bool,
    #[serde(default)]
    pub keep: Keep,
    #[serde(default)]
    pub music: Option<String>,
    #[serde(default)]
    pub announce_recording: Option<Prompt>,
    #[serde(default)]
    pub parking: Option<Parking>,
    #[serde(default)]
    pub feature_codes: FeatureCodes,
}

/// For how many days what is stored is kept. None: for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Keep {
    pub records_days: Option<u32>,
    pub recordings_days: Option<u32>,
    pub events_days: Option<u32>,
}

// What was stored without the key.
fn yes() -> bool {
    true
}

/// The rating call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Feedback {
    pub ask: Spoken,
    /// The keys that count.
    pub keys: String,
}

/// What a hook is told of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    /// What happens to calls, in the words of the call-center API.
    Events,
    /// Calls that nobody answered, in the words of the call-center API.
    Missed,
    /// What came of voice jobs.
    Autocall,
    /// Ratings.
    Feedback,
    /// The whole story, as the native API tells it.
    Native,
}

/// How a hook is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookMethod {
    /// POST, the body is JSON.
    PostJson,
    /// GET, with a body that is JSON.
    GetJson,
    /// GET, what is told stands in the query behind the URL's own.
    GetQuery,
    /// POST, the body is a form.
    PostForm,
}

/// A hook; its signing secret is sealed beside it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Hook {
    pub kind: HookKind,
    pub url: String,
    pub method: HookMethod,
    /// Hooks that were stored without the key are.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// An own phone; its pairing code is sealed beside it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Device {
    pub name: String,
    /// SHA-256 of the callone key it belongs to.
    pub key_hash: String,
    pub default_sim: u32,
    /// 0: never by itself.
    pub hang_up_after_seconds: u32,
    pub sms: Option<String>,
    pub voice_file: Option<String>,
}

/// Somebody who signs in to the console; the password's hash stands beside it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub email: String,
    pub role: Role,
    /// The tenant's name; None for operators.
    pub tenant: Option<String>,
}

/// A trunk; its password is sealed beside it.
pub(crate) type TrunkBody = Trunk;
