//! What trunks, outbound rules and numbers look like in JSON.
#![allow(dead_code, reason = "the description of the API is made of these types; nothing else is")]

use utoipa::ToSchema;

use super::floor::Route;

/// A connection to a carrier.
#[derive(ToSchema)]
pub(super) struct Trunk {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// Up to 64 letters, digits, `_`, `-` and `.`.
    #[schema(example = "carrier-2", pattern = "^[A-Za-z0-9_.-]{1,64}$")]
    name: String,
    /// Whether it is the operator's, shared by all tenants. Only the admin token may say true.
    #[schema(example = false)]
    shared: bool,
    /// Where calls go: `host:port`, or a name alone.
    #[schema(example = "sip.carrier.example:5060")]
    address: String,
    /// How: `auto` is what DNS says.
    transport: TrunkTransport,
    /// The account there, with `password`. Null: none.
    #[schema(example = "account-1")]
    username: Option<String>,
    /// Never shown. Null or left out in a change: it stays, as long as there is a `username`.
    #[schema(example = "pw-carrier-long")]
    password: Option<String>,
    /// Whether a password is stored.
    has_password: bool,
    /// Whether we register there.
    register: bool,
    /// Where its calls come from: addresses, `address:port` or networks.
    #[schema(example = json!(["192.0.2.0/24"]))]
    accept_from: Vec<String>,
    /// Where it says which number was called.
    did_from: TrunkDidFrom,
    /// `host:port` that requests are sent to instead.
    #[schema(example = "sbc.carrier.example:5060")]
    outbound_proxy: Option<String>,
    /// Where its sound may come from. Empty: the address that it names.
    #[schema(example = json!(["192.0.2.0/24"]))]
    media_from: Vec<String>,
    /// Whether sound is encrypted.
    srtp: TrunkSrtp,
    /// Whether what it says of callers is believed.
    trusted: bool,
    /// The name of the SIP interface to use.
    #[schema(example = "wan")]
    via: Option<String>,
    /// Calls at once.
    #[schema(example = 100, minimum = 1, maximum = 1000000)]
    max_calls: u32,
    /// Calls begun a second.
    #[schema(example = 20, minimum = 1, maximum = 100000)]
    max_calls_per_second: u32,
    /// Best first.
    codecs: Vec<TrunkCodec>,
    /// How it wants numbers.
    dial_format: TrunkDialFormat,
    /// Where it looks for the number that calls.
    identity: TrunkIdentity,
    /// Whose number it is shown when a call from outside is passed on.
    forwarded_caller: TrunkForwardedCaller,
    /// How often it is asked whether it is there. Null: every 30 s while a rule names it; 0: never.
    #[schema(example = 30, minimum = 0, maximum = 3600)]
    health_seconds: Option<u32>,
}

/// How requests travel to a trunk.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TrunkTransport {
    Udp,
    Tcp,
    Tls,
    Auto,
}

/// Where the called number stands.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum TrunkDidFrom {
    RequestUri,
    To,
    PCalledPartyId,
}

/// Whether sound is encrypted.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TrunkSrtp {
    None,
    Optional,
    Required,
}

/// A codec.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TrunkCodec {
    Pcma,
    Pcmu,
    G722,
    Opus,
}

/// `0…`, `+84…` or `84…`.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TrunkDialFormat {
    National,
    E164,
    International,
}

/// From, or P-Asserted-Identity.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TrunkIdentity {
    From,
    Pai,
}

/// One of the tenant's own numbers, or the caller's.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TrunkForwardedCaller {
    Own,
    Caller,
}

/// A rule for calls to the public network. The first that fits is taken.
#[derive(ToSchema)]
pub(super) struct OutboundRule {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// Where it stands among the others, from 1. Left out: last, or where it is.
    #[schema(example = 1, minimum = 1)]
    position: u32,
    /// What the number begins with, as it is dialled inside the country.
    #[schema(example = "09", max_length = 32, pattern = "^[0-9+*#]*$")]
    prefix: String,
    /// Names of trunks; the next is tried when one cannot take the call.
    #[schema(example = json!(["carrier"]), min_items = 1)]
    trunks: Vec<String>,
    /// Digits taken off the front.
    #[schema(example = 0, minimum = 0, maximum = 32)]
    strip: u32,
    /// Digits put in front, after that.
    #[schema(example = "", max_length = 32, pattern = "^[0-9+*#]*$")]
    prepend: String,
}

/// A public number of the tenant.
#[derive(ToSchema)]
pub(super) struct PublicNumber {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// In any form in a request, as it is dialled inside the country in an answer.
    #[schema(example = "02873088095")]
    number: String,
    /// What a call to it reaches.
    route: Route,
}
