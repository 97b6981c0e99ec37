//! What extensions, groups, queues, menus, hours, sounds and routes look like in JSON. Only described here: the store reads them by the
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
    /// Where its calls go instead.
    forward: Forward,
    /// Whether its calls go nowhere but where `forward.busy` says.
    #[schema(example = false)]
    do_not_disturb: bool,
    /// Where messages for it are left. Null: it has no mailbox.
    voicemail: Option<Mailbox>,
    /// Extensions of one pick-up group may take each other's calls. Null: it belongs to none.
    #[schema(example = "front", pattern = "^[A-Za-z0-9_.-]{1,64}$")]
    pickup_group: Option<String>,
    /// Whether it may listen to others' calls, whisper and barge in.
    #[schema(example = false)]
    supervisor: bool,
    /// What it can do, and how well, 0 to 100.
    #[schema(example = json!({"english": 3}))]
    skills: BTreeMap<String, u32>,
}

/// Where calls for an extension go instead: what it would dial, or `voicemail` for its own mailbox. Null: nowhere.
#[derive(ToSchema)]
pub(super) struct Forward {
    /// All of them; its phones do not ring.
    #[schema(example = "0900000001")]
    always: Option<String>,
    /// When it talks, refuses, or is not to be disturbed.
    #[schema(example = "102")]
    busy: Option<String>,
    /// When it rang for long enough.
    #[schema(example = "102")]
    no_answer: Option<String>,
    /// When no phone is signed in or none responds.
    #[schema(example = "0900000001")]
    unreachable: Option<String>,
}

/// Where messages are left.
#[derive(ToSchema)]
pub(super) struct Mailbox {
    /// Where each message is mailed to. Null: nowhere.
    #[schema(example = "owner@example.test", format = "email", max_length = 254)]
    mail: Option<String>,
    /// What callers hear. Null: a sentence of the server's.
    greeting: Option<Prompt>,
    /// The longest message, in seconds.
    #[schema(example = 180, minimum = 5, maximum = 3600)]
    max_seconds: u32,
    /// The most messages that are kept.
    #[schema(example = 100, minimum = 1, maximum = 1000)]
    max_messages: u32,
}

/// Something that is played: words that are spoken, or one of `sounds` by its name.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Prompt {
    /// Words.
    Say(Spoken),
    /// The name of a sound.
    #[schema(example = "welcome")]
    Sound(String),
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
    /// The number of an extension with a mailbox.
    #[schema(example = "101")]
    Voicemail(String),
    /// A prompt, after which the call ends.
    Play(Prompt),
    /// A number outside, as an extension would dial it.
    #[schema(example = "0900000001")]
    Outside(String),
    /// What the hours say.
    Hours(HoursRoute),
}

/// Where a call goes by the clock.
#[derive(ToSchema)]
pub(super) struct HoursRoute {
    /// The name of hours.
    #[schema(example = "office")]
    name: String,
    /// While somebody is there; not `hours`.
    #[schema(no_recursion)]
    open: Box<Route>,
    /// Else; not `hours`.
    #[schema(no_recursion)]
    closed: Box<Route>,
    /// On holidays; not `hours`. Null: as when closed.
    #[schema(no_recursion)]
    holiday: Option<Box<Route>>,
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
    /// Where a caller goes whom nobody answers. Null: nowhere.
    overflow: Option<Route>,
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
    /// Of callers in several queues the one of the higher priority is offered first.
    #[schema(example = 0, minimum = 0, maximum = 100)]
    priority: u32,
    /// What an agent must be able to do, and how well, to be offered a caller.
    #[schema(example = json!({"english": 2}))]
    skills: BTreeMap<String, u32>,
    /// The most callers that wait. Null: as many as come.
    #[schema(example = 20, minimum = 0, maximum = 10000)]
    max_waiting: Option<u32>,
    /// Whether callers wait although no agent is signed in.
    #[schema(example = false)]
    wait_when_empty: bool,
    /// Whether callers hear how long they will wait.
    #[schema(example = false)]
    announce_wait: bool,
    /// From one announcement to the next.
    #[schema(example = 60, minimum = 10, maximum = 3600)]
    announce_seconds: u32,
    /// What callers hear first.
    greeting: Option<Prompt>,
    /// The name of the sound that callers hear while they wait. Null: the tenant's music.
    #[schema(example = "jazz")]
    music: Option<String>,
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
    /// What is said. Null: `sound` is played.
    say: Option<Spoken>,
    /// The name of the sound that is played. Null: `say` is said.
    #[schema(example = "welcome")]
    sound: Option<String>,
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

/// When a company is open, in its own zone.
#[derive(ToSchema)]
pub(super) struct Hours {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// Up to 64 letters, digits, `_`, `-` and `.`.
    #[schema(example = "evenings", pattern = "^[A-Za-z0-9_.-]{1,64}$")]
    name: String,
    /// Days of the week and times. A time before the first one is on the next day.
    #[schema(example = json!(["mon-fri 08:00-17:30", "sat 09:00-12:00"]), max_items = 500)]
    open: Vec<String>,
    /// A day, days, or a day of each year.
    #[schema(example = json!(["2027-01-01", "2027-02-05..2027-02-11", "09-02"]), max_items = 500)]
    holidays: Vec<String>,
}

/// A sound of the tenant's own: words that are spoken, or a file that is uploaded.
#[derive(ToSchema)]
pub(super) struct NamedSound {
    /// What names it for ever.
    #[schema(example = "~7")]
    id: String,
    /// Up to 64 letters, digits, `_`, `-` and `.`.
    #[schema(example = "jazz", pattern = "^[A-Za-z0-9_.-]{1,64}$")]
    name: String,
    /// Words. Null: a file that is uploaded.
    say: Option<Spoken>,
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
