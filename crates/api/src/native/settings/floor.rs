//! What extensions, groups, queues, menus and routes look like in JSON. Only described here: the store reads them by the
//! code that reads the provision file.
#![allow(dead_code, reason = "the description of the API is made of these types; nothing else is")]

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// A number inside that a person answers.
#[derive(ToSchema)]
pub(super) struct Extension {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// 2 to 8 digits. Another number needs `password` again: phones prove it together with the number.
    #[schema(example = "105", pattern = "^[0-9]{2,8}$")]
    number: String,
    /// For people; the number where it is left out.
    #[schema(example = "Sales desk", min_length = 1, max_length = 1024)]
    name: String,
    /// What the phone signs in with. Never shown: only what proves it is kept. Null or left out in a change: it stays.
    #[schema(example = "pw-105-long", min_length = 1, max_length = 1024)]
    password: String,
    /// Whether its calls are recorded.
    record: bool,
    /// The number that is shown outside, one of `numbers`. Null: the first of them.
    #[schema(example = "02873088088")]
    caller_id: Option<String>,
    /// How long it rings, in seconds.
    #[schema(example = 30, minimum = 1, maximum = 600)]
    ring_seconds: u32,
    /// Calls at once.
    #[schema(example = 2, minimum = 1, maximum = 100)]
    lines: u32,
    /// Whether a click-to-call asks the phone to answer by itself.
    auto_answer: bool,
}

/// Where a call goes: one way with its target. Another way in a change takes the place of the one that is there.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Route {
    /// The number of an extension.
    #[schema(example = "101")]
    Extension(String),
    /// The number of a group.
    #[schema(example = "600")]
    Group(String),
    /// The number of a queue.
    #[schema(example = "700")]
    Queue(String),
    /// The name of a menu.
    #[schema(example = "main")]
    Menu(String),
    /// What a CRM decides while the caller waits.
    Crm(CrmRoute),
}

/// A CRM that is asked where a call goes.
#[derive(ToSchema)]
pub(super) struct CrmRoute {
    /// Asked with `phone` and `did` added.
    #[schema(example = "http://crm.example.test/route", format = "uri")]
    url: String,
    /// How long it may think.
    #[schema(example = 3000, minimum = 100, maximum = 30000, required = false)]
    timeout_ms: u32,
    /// Where the call goes without a usable answer; not `crm`.
    #[schema(no_recursion)]
    default: Box<Route>,
}

/// Extensions that ring together or in order.
#[derive(ToSchema)]
pub(super) struct Group {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// 2 to 8 digits.
    #[schema(example = "601", pattern = "^[0-9]{2,8}$")]
    number: String,
    /// For people; the number where it is left out.
    #[schema(example = "Sales", min_length = 1, max_length = 1024)]
    name: String,
    /// How it rings.
    strategy: GroupStrategy,
    /// Numbers of extensions.
    #[schema(example = json!(["101"]))]
    members: Vec<String>,
    /// How long each rings, in seconds.
    #[schema(example = 30, minimum = 1, maximum = 600)]
    ring_seconds: u32,
}

/// How a group rings: all at once, one after the other, or whoever was rung longest ago first.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GroupStrategy {
    RingAll,
    InOrder,
    LeastRecent,
}

/// Callers who wait for agents.
#[derive(ToSchema)]
pub(super) struct Queue {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// 2 to 8 digits.
    #[schema(example = "701", pattern = "^[0-9]{2,8}$")]
    number: String,
    /// For people; the number where it is left out.
    #[schema(example = "Support", min_length = 1, max_length = 1024)]
    name: String,
    /// Who is offered a caller.
    strategy: QueueStrategy,
    /// Numbers of extensions.
    #[schema(example = json!(["101"]))]
    members: Vec<String>,
    /// The longest wait, in seconds.
    #[schema(example = 300, minimum = 1, maximum = 86400)]
    max_wait_seconds: u32,
    /// Whether callers hear their place.
    announce_position: bool,
    /// How long an agent rings, in seconds.
    #[schema(example = 15, minimum = 1, maximum = 600)]
    ring_seconds: u32,
    /// After so many misses an agent is paused.
    #[schema(example = 2, minimum = 0, maximum = 1000)]
    misses_before_pause: u32,
    /// Time after a call in which an agent is left alone.
    #[schema(example = 10, minimum = 0, maximum = 3600)]
    wrap_up_seconds: u32,
    /// The wait that counts as good service. Null: none does.
    #[schema(example = 20, minimum = 1, maximum = 86400)]
    service_level_seconds: Option<u32>,
    /// When the carrier is answered: as soon as the caller waits, or by an agent.
    answer: QueueAnswer,
    /// Where a caller goes who cannot wait. Null: nowhere.
    overflow: Option<Route>,
}

/// Who is offered a caller.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum QueueStrategy {
    LongestIdle,
    RoundRobin,
    RingAll,
    InOrder,
    LeastRecent,
}

/// When a waiting caller's carrier is answered.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum QueueAnswer {
    AtOnce,
    ByAgent,
}

/// Spoken choices, answered by keys.
#[derive(ToSchema)]
pub(super) struct Menu {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// Up to 64 letters, digits, `_`, `-` and `.`.
    #[schema(example = "evening", pattern = "^[A-Za-z0-9_.-]{1,64}$")]
    name: String,
    /// What is said.
    say: Spoken,
    /// Where each key of the phone (0-9, `*`, `#`) leads.
    #[schema(example = json!({"1": {"extension": "101"}}))]
    keys: BTreeMap<String, Route>,
    /// How long the caller may think, in seconds.
    #[schema(example = 5, minimum = 1, maximum = 120)]
    timeout_seconds: u32,
    /// How often it is said.
    #[schema(example = 3, minimum = 1, maximum = 20)]
    tries: u32,
    /// Where a caller goes who chooses nothing. Null: nowhere.
    default: Option<Route>,
}

/// Words in one or both languages; one stands for the other where that is left out.
#[derive(ToSchema)]
pub(super) struct Spoken {
    /// Vietnamese.
    #[schema(example = "Xin chào.", max_length = 4000)]
    vi: Option<String>,
    /// English.
    #[schema(example = "Welcome.", max_length = 4000)]
    en: Option<String>,
}
