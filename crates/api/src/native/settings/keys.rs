//! What API keys, hooks and own phones look like in JSON.
#![allow(dead_code, reason = "the description of the API is made of these types; nothing else is")]

use utoipa::ToSchema;

/// What an API client signs in with. Its secret part is shown once, in the answer to the POST that made it; it is made
/// by the server where it is left out.
#[derive(ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum ApiKey {
    /// Opens the call-center API: `voip` and `secret`.
    Voip24h {
        /// What names it for ever.
        #[schema(example = "7")]
        id: String,
        /// What it is called in lists and in the audit log.
        #[schema(example = "voip24h VOIPKEY_DEMO")]
        name: String,
        /// The public part.
        #[schema(example = "VOIPKEY_NEW", min_length = 1, max_length = 256)]
        voip: String,
        /// The secret part. Shown once.
        #[schema(example = "SECRET_NEW", min_length = 1, max_length = 256)]
        secret: String,
        /// Whether an OTP needs the secret too.
        otp_requires_secret: bool,
        /// Where clients may be: addresses or networks. Empty: anywhere.
        #[schema(example = json!(["192.0.2.0/24"]))]
        allowed_addresses: Vec<String>,
        /// Socket.IO sessions at once.
        #[schema(example = 20, minimum = 1, maximum = 100000)]
        socket_sessions: u32,
        /// One session; a new one closes the old.
        hub: bool,
    },
    /// Opens `/rest/cdrs`: `api_key` and `api_secret`.
    Vpbx {
        /// What names it for ever.
        #[schema(example = "7")]
        id: String,
        /// What it is called in lists and in the audit log.
        #[schema(example = "vpbx APIKEY_DEMO")]
        name: String,
        /// The public part.
        #[schema(example = "APIKEY_NEW", min_length = 1, max_length = 256)]
        api_key: String,
        /// The secret part. Shown once.
        #[schema(example = "APISECRET_NEW", min_length = 1, max_length = 256)]
        api_secret: String,
    },
    /// Opens calls through own phones: `secret_key`.
    Callone {
        /// What names it for ever.
        #[schema(example = "7")]
        id: String,
        /// What it is called in lists and in the audit log.
        #[schema(example = "callone 0123456789abcdef")]
        name: String,
        /// The key. Shown once.
        #[schema(example = "GKEY_NEW", min_length = 1, max_length = 256)]
        secret_key: String,
        /// Accepted requests a month. Null: as many as come.
        #[schema(example = 10000, minimum = 0, maximum = 1000000000)]
        monthly_quota: Option<u32>,
        /// Until when it works (RFC 3339). Null: for ever.
        #[schema(example = "2030-12-31T23:59:59+07:00", format = "date-time")]
        expires_at: Option<String>,
        /// Whether it works.
        enabled: bool,
    },
    /// Opens this API: `Authorization: Bearer` and the token.
    Native {
        /// What names it for ever.
        #[schema(example = "7")]
        id: String,
        /// What it is called in lists and in the audit log.
        #[schema(example = "native 47813d58d31bce34")]
        name: String,
        /// The token. Shown once.
        #[schema(example = "NATIVE_NEW", min_length = 1, max_length = 256)]
        token: String,
        /// What it may do.
        role: KeyRole,
    },
}

/// What a key or a user of a tenant may do.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum KeyRole {
    Owner,
    Supervisor,
    Agent,
    Reader,
}

/// A URL that is told what happens.
#[derive(ToSchema)]
pub(super) struct Hook {
    /// What names it for ever.
    #[schema(example = "7")]
    id: String,
    /// What it is told of.
    kind: HookKind,
    /// Where it is.
    #[schema(example = "https://crm.example.test/hook", format = "uri")]
    url: String,
    /// How it is told; `get_query` for `feedback`, and only there fixed.
    method: HookMethod,
    /// What it is signed with: `whsec_` and up to 64 bytes in base64. Made by the server where it is left out. Null or
    /// left out in a change: it stays.
    #[schema(example = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")]
    secret: String,
    /// Whether it is told at all.
    #[schema(example = true)]
    enabled: bool,
}

/// What a hook is told of.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HookKind {
    Events,
    Missed,
    Autocall,
    Feedback,
    Native,
}

/// How a hook is told.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HookMethod {
    PostJson,
    GetJson,
    GetQuery,
    PostForm,
}

/// An own phone that places calls for a callone key.
#[derive(ToSchema)]
pub(super) struct Device {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// For people.
    #[schema(example = "Sales phone 2", min_length = 1, max_length = 1024)]
    name: String,
    /// The `secret_key` of the callone key that it belongs to. Never shown.
    #[schema(example = "GKEY_DEMO")]
    key: String,
    /// 4 to 12 digits that it is paired with; made where it is left out. Shown once, by the POST that made it.
    #[schema(example = "482914", pattern = "^[0-9]{4,12}$")]
    pairing_code: String,
    /// The SIM it calls with, from 1.
    #[schema(example = 1, minimum = 1, maximum = 8)]
    default_sim: u32,
    /// When it hangs up by itself. 0: never.
    #[schema(example = 0, minimum = 0, maximum = 86400)]
    hang_up_after_seconds: u32,
    /// A text that is sent after a call.
    #[schema(example = "Thank you for your call")]
    sms: Option<String>,
    /// A sound that is played.
    #[schema(example = "greeting.wav")]
    voice_file: Option<String>,
}
