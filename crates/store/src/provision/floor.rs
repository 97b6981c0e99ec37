//! What a call reaches: routes, groups, queues, menus.

use std::collections::BTreeMap;

use model::{Group, Menu, Queue, Route, Strategy};

use super::prompts;
use super::section::{Section, text_of};
use super::shown::shown;
use super::words::{dialled, short_name, short_number, url};
use super::yaml::{Node, Value};
use super::{Lined, ProvisionError, Reference, wrong};

/// Where names are noted that have to stand for something.
pub(super) type Named = Vec<Lined<Reference>>;

const KEYS: &str = "0123456789*#";
const QUEUE: [&str; 20] = [
    "number",
    "name",
    "strategy",
    "members",
    "max_wait_seconds",
    "announce_position",
    "ring_seconds",
    "misses_before_pause",
    "wrap_up_seconds",
    "service_level_seconds",
    "answer",
    "overflow",
    "priority",
    "skills",
    "max_waiting",
    "wait_when_empty",
    "announce_wait",
    "announce_seconds",
    "greeting",
    "music",
];

/// Where a call goes: `{ extension: "101" }`.
pub(super) fn route(node: Node, key: &str, named: &mut Named) -> Result<Route, ProvisionError> {
    const WAYS: [&str; 9] = ["extension", "group", "queue", "menu", "crm", "voicemail", "play", "outside", "hours"];
    let line = node.line;
    let ways = match &node.value {
        Value::Map(entries) => entries.len(),
        other => {
            let sentence = format!(
                "`{key}` cannot be {}: write where it leads, as in `{key}: {{ extension: \"101\" }}`",
                other.kind()
            );
            return Err(wrong(line, sentence));
        }
    };
    let mut section = Section::of(node, "a route", &WAYS)?;
    if ways != 1 {
        let sentence =
            format!("`{key}` must lead to one thing: write {} with its value", super::section::one_of(&WAYS));
        return Err(wrong(line, sentence));
    }
    type Way = (fn(String) -> Route, fn(String) -> Reference);
    let plain: [(&str, Way); 5] = [
        ("extension", (Route::Extension, Reference::Extension)),
        ("group", (Route::Group, Reference::Group)),
        ("queue", (Route::Queue, Reference::Queue)),
        ("menu", (Route::Menu, Reference::Menu)),
        ("voicemail", (Route::Voicemail, Reference::Mailbox)),
    ];
    for (way, (route, reference)) in plain {
        if let Some(target) = section.text(way)? {
            named.push(Lined { line: target.line, value: reference(target.value.clone()) });
            return Ok(route(target.value));
        }
    }
    if let Some(node) = section.take("play") {
        return Ok(Route::Play(prompts::prompt(node, "play", named)?));
    }
    if let Some(number) = section.text("outside")? {
        dialled(&number, "outside")?;
        return Ok(Route::Outside(number.value));
    }
    if let Some(node) = section.take("hours") {
        return by_hours(node, named);
    }
    let crm = section.need("crm").map_err(|_| wrong(line, format!("`{key}` leads nowhere: write where it leads")))?;
    let mut crm = Section::of(crm, "a crm route", &["url", "timeout_ms", "default"])?;
    let address = crm.need_text("url")?;
    url(&address, "url")?;
    let timeout_ms = crm.number("timeout_ms", 100..=30_000, 3_000)?;
    let default = crm.need("default")?;
    let default_line = default.line;
    let default = self::route(default, "default", named)?;
    if matches!(default, Route::Crm { .. }) {
        let sentence = "the default of a crm route cannot ask a CRM again: write extension, group, queue or menu";
        return Err(wrong(default_line, sentence));
    }
    Ok(Route::Crm { url: address.value, timeout_ms, default: Box::new(default) })
}

/// `{ name: office, open: …, closed: … }`: where a call goes by the clock.
fn by_hours(node: Node, named: &mut Named) -> Result<Route, ProvisionError> {
    let mut section = Section::of(node, "a route by hours", &["name", "open", "closed", "holiday"])?;
    let name = section.need_text("name")?;
    named.push(Lined { line: name.line, value: Reference::Hours(name.value.clone()) });
    let mut way = |node: Node, key: &str| -> Result<Box<Route>, ProvisionError> {
        let line = node.line;
        match route(node, key, named)? {
            Route::Hours { .. } => {
                Err(wrong(line, format!("`{key}` cannot go by hours again: write where the call goes then")))
            }
            route => Ok(Box::new(route)),
        }
    };
    Ok(Route::Hours {
        open: way(section.need("open")?, "open")?,
        closed: way(section.need("closed")?, "closed")?,
        holiday: section.take("holiday").map(|node| way(node, "holiday")).transpose()?,
        hours: name.value,
    })
}

/// One of `groups`.
pub(super) fn group(node: Node, named: &mut Named) -> Result<Lined<Group>, ProvisionError> {
    const STRATEGIES: [(&str, Strategy); 3] =
        [("ring_all", Strategy::RingAll), ("in_order", Strategy::InOrder), ("least_recent", Strategy::LeastRecent)];
    const KEYS: [&str; 6] = ["number", "name", "strategy", "members", "ring_seconds", "overflow"];
    let mut section = Section::of(node, "a group", &KEYS)?;
    let number = section.need_text("number")?;
    short_number(&number, "a group")?;
    let group = Group {
        name: section.text("name")?.map_or_else(|| number.value.clone(), |name| name.value),
        strategy: section.word("strategy", &STRATEGIES, Strategy::RingAll)?,
        members: members(&mut section, named)?,
        ring_seconds: section.number("ring_seconds", 1..=600, 30)?,
        overflow: overflow(&mut section, Route::Group(number.value.clone()), named)?,
        number: number.value,
    };
    Ok(Lined { line: section.line, value: group })
}

/// One of `queues`.
pub(super) fn queue(node: Node, named: &mut Named) -> Result<Lined<Queue>, ProvisionError> {
    const STRATEGIES: [(&str, Strategy); 5] = [
        ("longest_idle", Strategy::LongestIdle),
        ("round_robin", Strategy::RoundRobin),
        ("ring_all", Strategy::RingAll),
        ("in_order", Strategy::InOrder),
        ("least_recent", Strategy::LeastRecent),
    ];
    let mut section = Section::of(node, "a queue", &QUEUE)?;
    let number = section.need_text("number")?;
    short_number(&number, "a queue")?;
    let queue = Queue {
        name: section.text("name")?.map_or_else(|| number.value.clone(), |name| name.value),
        strategy: section.word("strategy", &STRATEGIES, Strategy::LongestIdle)?,
        members: members(&mut section, named)?,
        max_wait_seconds: section.number("max_wait_seconds", 1..=86_400, 300)?,
        announce_position: section.flag("announce_position", true)?,
        ring_seconds: section.number("ring_seconds", 1..=600, 15)?,
        misses_before_pause: section.number("misses_before_pause", 0..=1_000, 2)?,
        wrap_up_seconds: section.number("wrap_up_seconds", 0..=3_600, 10)?,
        service_level_seconds: section.optional_number("service_level_seconds", 1..=86_400)?,
        answer_at_once: section.word("answer", &[("at_once", true), ("by_agent", false)], true)?,
        overflow: overflow(&mut section, Route::Queue(number.value.clone()), named)?,
        priority: section.number("priority", 0..=100, 0)?,
        skills: prompts::skills(&mut section)?,
        max_waiting: section.optional_number("max_waiting", 0..=10_000)?,
        wait_when_empty: section.flag("wait_when_empty", false)?,
        announce_wait: section.flag("announce_wait", false)?,
        announce_seconds: section.number("announce_seconds", 10..=3_600, 60)?,
        greeting: section.take("greeting").map(|node| prompts::prompt(node, "greeting", named)).transpose()?,
        music: prompts::sound(&mut section, "music", named)?,
        number: number.value,
    };
    Ok(Lined { line: section.line, value: queue })
}

/// One of `menus`.
pub(super) fn menu(node: Node, named: &mut Named) -> Result<Lined<Menu>, ProvisionError> {
    const KEYS: [&str; 7] = ["name", "say", "sound", "keys", "timeout_seconds", "tries", "default"];
    let mut section = Section::of(node, "a menu", &KEYS)?;
    let name = section.need_text("name")?;
    short_name(&name, "a menu")?;
    let prompt = match prompts::within(&mut section, named)? {
        Some(prompt) => prompt,
        None => return Err(wrong(section.line, "a menu needs `say`: add it, or `sound` with the name of one")),
    };
    let menu = Menu {
        name: name.value,
        prompt,
        keys: keys(&mut section, named)?,
        timeout_seconds: section.number("timeout_seconds", 1..=120, 5)?,
        tries: section.number("tries", 1..=20, 3)?,
        default: section.take("default").map(|node| route(node, "default", named)).transpose()?,
    };
    Ok(Lined { line: section.line, value: menu })
}

/// Where a caller goes whom nobody takes: anywhere but to the same again.
fn overflow(section: &mut Section, itself: Route, named: &mut Named) -> Result<Option<Route>, ProvisionError> {
    let line = section.line_of("overflow");
    let overflow = section.take("overflow").map(|node| route(node, "overflow", named)).transpose()?;
    if overflow.as_ref() == Some(&itself) {
        return Err(wrong(line, "`overflow` leads to the same again: name another target"));
    }
    Ok(overflow)
}

fn members(section: &mut Section, named: &mut Named) -> Result<Vec<String>, ProvisionError> {
    let members = section.texts("members")?;
    named.extend(members.iter().map(|one| Lined { line: one.line, value: Reference::Member(one.value.clone()) }));
    Ok(members.into_iter().map(|member| member.value).collect())
}

fn keys(section: &mut Section, named: &mut Named) -> Result<BTreeMap<String, Route>, ProvisionError> {
    let Some(node) = section.take("keys") else { return Ok(BTreeMap::new()) };
    let Value::Map(entries) = node.value else {
        return Err(wrong(
            node.line,
            "`keys` must lead keys to routes: write `keys: { \"1\": { extension: \"101\" } }`",
        ));
    };
    let mut keys = BTreeMap::new();
    for (key, line, node) in entries {
        if key.len() != 1 || !KEYS.contains(&key) {
            let sentence = format!("`{}` is no key of a phone: use one of 0-9, * and #, in quotes", shown(&key));
            return Err(wrong(line, sentence));
        }
        let route = route(node, "keys", named)?;
        keys.insert(key, route);
    }
    Ok(keys)
}

/// The keys that count in a rating call.
pub(super) fn rating_keys(node: Node) -> Result<String, ProvisionError> {
    let text = text_of(node, "keys")?;
    let sign = |c: char| c.is_ascii_digit();
    let twice = text.value.chars().enumerate().any(|(at, c)| text.value[..at].contains(c));
    if !text.value.chars().all(sign) || twice {
        return Err(wrong(
            text.line,
            "`keys` of feedback must be different digits in quotes: write them as in \"12345\"",
        ));
    }
    Ok(text.value)
}
