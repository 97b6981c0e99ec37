//! A tenant: its own keys, and the lists that its neighbours read.

use model::{DigestAlgorithm, Language, Limits, Spoken, Switches};

use super::section::{Section, text_of};
use super::shown::shown;
use super::words::{digits, domain, tenant_name};
use super::yaml::{Node, Value};
use super::{Lined, ProvisionError, TenantDraft, floor, keys, lines, people, wrong};
use crate::settings::stored::{Feedback, Keep, TenantBody};

/// A tenant's own keys.
const OWN: [&str; 14] = [
    "name",
    "display_name",
    "timezone",
    "language",
    "country",
    "default",
    "sip_domains",
    "digest",
    "feedback",
    "limits",
    "switches",
    "webhook_private_addresses",
    "transfer_ring_back",
    "keep",
];
/// The lists of what belongs to it.
const LISTS: [&str; 10] =
    ["keys", "extensions", "trunks", "outbound", "numbers", "groups", "queues", "menus", "webhooks", "devices"];
/// A hundred years.
const MOST_DAYS: std::ops::RangeInclusive<u32> = 1..=36_500;
const CLASSES: [&str; 5] = ["mobile", "landline", "freephone", "premium", "short"];

/// One of `tenants`.
pub(super) fn tenant(node: Node) -> Result<Lined<TenantDraft>, ProvisionError> {
    let mut section = Section::of(node, "a tenant", &[&OWN[..], &LISTS[..]].concat())?;
    let (name, body) = own(&mut section)?;
    let country = body.country.clone();
    let mut named = Vec::new();
    let draft = TenantDraft {
        keys: all(&mut section, "keys", keys::key)?,
        extensions: all(&mut section, "extensions", |node| people::extension(node, &country, &mut named))?,
        trunks: all(&mut section, "trunks", lines::trunk)?,
        outbound: all(&mut section, "outbound", |node| lines::outbound(node, &mut named))?,
        numbers: all(&mut section, "numbers", |node| lines::number(node, &country, &mut named))?,
        groups: all(&mut section, "groups", |node| floor::group(node, &mut named))?,
        queues: all(&mut section, "queues", |node| floor::queue(node, &mut named))?,
        menus: all(&mut section, "menus", |node| floor::menu(node, &mut named))?,
        hooks: all(&mut section, "webhooks", keys::hook)?,
        devices: all(&mut section, "devices", |node| keys::device(node, &mut named))?,
        name,
        body,
        references: named,
    };
    Ok(Lined { line: section.line, value: draft })
}

/// A tenant's name and own keys, without the lists of what belongs to it.
pub(super) fn alone(node: Node) -> Result<(String, TenantBody), ProvisionError> {
    own(&mut Section::of(node, "a tenant", &OWN)?)
}

fn own(section: &mut Section) -> Result<(String, TenantBody), ProvisionError> {
    let name = section.need_text("name")?;
    tenant_name(&name)?;
    let body = body(section, &name.value)?;
    Ok((name.value, body))
}

fn body(section: &mut Section, name: &str) -> Result<TenantBody, ProvisionError> {
    let country = country(section)?;
    Ok(TenantBody {
        display_name: section.text("display_name")?.map_or_else(|| name.to_owned(), |text| text.value),
        timezone: timezone(section)?,
        language: section.word("language", &[("vi", Language::Vi), ("en", Language::En)], Language::Vi)?,
        default: section.flag("default", false)?,
        sip_domains: sip_domains(section)?,
        digest: section.words(
            "digest",
            &[("md5", DigestAlgorithm::Md5), ("sha-256", DigestAlgorithm::Sha256)],
            &[DigestAlgorithm::Md5],
        )?,
        feedback: feedback(section)?,
        limits: limits(section, &country)?,
        switches: switches(section)?,
        webhook_private_addresses: section.flag("webhook_private_addresses", false)?,
        transfer_ring_back: section.flag("transfer_ring_back", true)?,
        keep: keep(section)?,
        country,
    })
}

fn country(section: &mut Section) -> Result<String, ProvisionError> {
    let Some(country) = section.text("country")? else { return Ok("84".into()) };
    digits(&country, "country", 3)?;
    if country.value.starts_with('0') {
        return Err(wrong(country.line, "no country code begins with 0: write one as in \"84\""));
    }
    Ok(country.value)
}

fn timezone(section: &mut Section) -> Result<String, ProvisionError> {
    let Some(zone) = section.text("timezone")? else { return Ok("Asia/Ho_Chi_Minh".into()) };
    match jiff::tz::TimeZone::get(&zone.value).ok().and_then(|zone| zone.iana_name().map(str::to_owned)) {
        Some(name) => Ok(name),
        None => {
            let sentence =
                format!("`{}` is no time zone: write an IANA name, as in Asia/Ho_Chi_Minh", shown(&zone.value));
            Err(wrong(zone.line, sentence))
        }
    }
}

fn sip_domains(section: &mut Section) -> Result<Vec<String>, ProvisionError> {
    let mut domains: Vec<String> = Vec::new();
    for node in section.list("sip_domains")? {
        let domain = domain(node, "sip_domains")?;
        if domains.contains(&domain.value) {
            let sentence = format!("`{}` stands in `sip_domains` twice: remove one of the two", domain.value);
            return Err(wrong(domain.line, sentence));
        }
        domains.push(domain.value);
    }
    Ok(domains)
}

fn feedback(section: &mut Section) -> Result<Feedback, ProvisionError> {
    let mut section = section.section("feedback", "feedback", &["ask", "keys"])?;
    let ask = match section.take("ask") {
        Some(node) => floor::spoken(node, "ask")?,
        None => Spoken {
            vi: "Mời bạn bấm từ một đến năm để đánh giá.".into(),
            en: "Please rate us from one to five.".into(),
        },
    };
    let keys = section.take("keys").map_or(Ok("12345".into()), floor::rating_keys)?;
    Ok(Feedback { ask, keys })
}

fn limits(section: &mut Section, country: &str) -> Result<Limits, ProvisionError> {
    const KEYS: [&str; 5] =
        ["concurrent_calls", "calls_per_second", "destinations", "max_call_seconds", "silence_seconds"];
    let mut section = section.section("limits", "limits", &KEYS)?;
    let destinations = match section.take("destinations") {
        None => vec![country.to_owned()],
        Some(node) => node.into_list("destinations")?.into_iter().map(destination).collect::<Result<_, _>>()?,
    };
    Ok(Limits {
        concurrent_calls: section.number("concurrent_calls", 0..=1_000_000, 100)?,
        calls_per_second: section.number("calls_per_second", 0..=100_000, 20)?,
        destinations,
        max_call_seconds: section.number("max_call_seconds", 1..=604_800, 14_400)?,
        silence_seconds: section.number("silence_seconds", 1..=86_400, 60)?,
    })
}

fn destination(node: Node) -> Result<String, ProvisionError> {
    if let Value::Whole(_) = node.value {
        return Err(wrong(node.line, "`destinations` must be text, not a number: put each in quotes, as in \"84\""));
    }
    let text = text_of(node, "destinations")?;
    let is_prefix = text.value.len() <= 15 && text.value.bytes().all(|b| b.is_ascii_digit());
    if is_prefix || CLASSES.contains(&text.value.as_str()) {
        return Ok(text.value);
    }
    let sentence = format!(
        "`{}` is no destination: write a country code, a prefix, mobile, landline, freephone, premium or short",
        shown(&text.value)
    );
    Err(wrong(text.line, sentence))
}

fn keep(section: &mut Section) -> Result<Keep, ProvisionError> {
    let mut section = section.section("keep", "keep", &["records_days", "recordings_days", "events_days"])?;
    Ok(Keep {
        records_days: section.optional_number("records_days", MOST_DAYS)?,
        recordings_days: section.optional_number("recordings_days", MOST_DAYS)?,
        events_days: section.optional_number("events_days", MOST_DAYS)?,
    })
}

fn switches(section: &mut Section) -> Result<Switches, ProvisionError> {
    const KEYS: [&str; 3] = ["null_type_on_hangup", "lower_case_states", "feedback_md5_with_bars"];
    let mut section = section.section("switches", "switches", &KEYS)?;
    Ok(Switches {
        null_type_on_hangup: section.flag("null_type_on_hangup", true)?,
        lower_case_states: section.flag("lower_case_states", false)?,
        feedback_md5_with_bars: section.flag("feedback_md5_with_bars", true)?,
    })
}

fn all<T>(
    section: &mut Section,
    key: &str,
    read: impl FnMut(Node) -> Result<T, ProvisionError>,
) -> Result<Vec<T>, ProvisionError> {
    section.list(key)?.into_iter().map(read).collect()
}
