//! What a call reaches: routes, groups, queues, menus; and words that are spoken.

use std::collections::BTreeMap;

use model::{Group, Menu, Queue, Route, Spoken, Strategy};

use super::section::{Section, long_text_of, text_of};
use super::shown::shown;
use super::words::{short_name, short_number, url};
use super::yaml::{Node, Value};
use super::{Lined, ProvisionError, Reference, wrong};

/// Where names are noted that have to stand for something.
pub(super) type Named = Vec<Lined<Reference>>;

/// The longest prompt, in bytes.
const MOST_SPOKEN: usize = 4_000;
const KEYS: &str = "0123456789*#";
const QUEUE: [&str; 12] = [
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
];

/// Where a call goes: `{ extension: "101" }`.
pub(super) fn route(node: Node, key: &str, named: &mut Named) -> Result<Route, ProvisionError> {
    const WAYS: [&str; 5] = ["extension", "group", "queue", "menu", "crm"];
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
            format!("`{key}` must lead to one thing: write extension, group, queue, menu or crm with its value");
        return Err(wrong(line, sentence));
    }
    type Way = (fn(String) -> Route, fn(String) -> Reference);
    let plain: [(&str, Way); 4] = [
        ("extension", (Route::Extension, Reference::Extension)),
        ("group", (Route::Group, Reference::Group)),
        ("queue", (Route::Queue, Reference::Queue)),
        ("menu", (Route::Menu, Reference::Menu)),
    ];
    for (way, (route, reference)) in plain {
        if let Some(target) = section.text(way)? {
            named.push(Lined { line: target.line, value: reference(target.value.clone()) });
            return Ok(route(target.value));
        }
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

/// One of `groups`.
pub(super) fn group(node: Node, named: &mut Named) -> Result<Lined<Group>, ProvisionError> {
    const STRATEGIES: [(&str, Strategy); 3] =
        [("ring_all", Strategy::RingAll), ("in_order", Strategy::InOrder), ("least_recent", Strategy::LeastRecent)];
    let mut section = Section::of(node, "a group", &["number", "name", "strategy", "members", "ring_seconds"])?;
    let number = section.need_text("number")?;
    short_number(&number, "a group")?;
    let group = Group {
        name: section.text("name")?.map_or_else(|| number.value.clone(), |name| name.value),
        strategy: section.word("strategy", &STRATEGIES, Strategy::RingAll)?,
        members: members(&mut section, named)?,
        ring_seconds: section.number("ring_seconds", 1..=600, 30)?,
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
    let overflow_line = section.line_of("overflow");
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
        overflow: section.take("overflow").map(|node| route(node, "overflow", named)).transpose()?,
        number: number.value,
    };
    if queue.overflow == Some(Route::Queue(queue.number.clone())) {
        let sentence = format!("queue {} overflows into itself: name another target", queue.number);
        return Err(wrong(overflow_line, sentence));
    }
    Ok(Lined { line: section.line, value: queue })
}

/// One of `menus`.
pub(super) fn menu(node: Node, named: &mut Named) -> Result<Lined<Menu>, ProvisionError> {
    let mut section = Section::of(node, "a menu", &["name", "say", "keys", "timeout_seconds", "tries", "default"])?;
    let name = section.need_text("name")?;
    short_name(&name, "a menu")?;
    let say = spoken(section.need("say")?, "say")?;
    let menu = Menu {
        name: name.value,
        say,
        keys: keys(&mut section, named)?,
        timeout_seconds: section.number("timeout_seconds", 1..=120, 5)?,
        tries: section.number("tries", 1..=20, 3)?,
        default: section.take("default").map(|node| route(node, "default", named)).transpose()?,
    };
    Ok(Lined { line: section.line, value: menu })
}

/// Words in one or both languages; one stands for the other where that is left out.
pub(super) fn spoken(node: Node, key: &str) -> Result<Spoken, ProvisionError> {
    let line = node.line;
    let mut section = Section::of(node, "what is spoken", &["vi", "en"])?;
    let mut language = |language: &str| -> Result<Option<String>, ProvisionError> {
        let text = section.take(language).map(|node| long_text_of(node, language, MOST_SPOKEN)).transpose()?;
        Ok(text.map(|text| text.value.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    let (vi, en) = (language("vi")?, language("en")?);
    match (vi.clone().or(en.clone()), en.or(vi)) {
        (Some(vi), Some(en)) => Ok(Spoken { vi, en }),
        _ => Err(wrong(line, format!("`{key}` says nothing: write `vi`, `en` or both"))),
    }
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
