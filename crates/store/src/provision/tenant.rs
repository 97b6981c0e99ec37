//! A tenant: its own keys, and the lists that its neighbours read.

use std::collections::BTreeMap;

use model::{DigestAlgorithm, Feature, FeatureCodes, Language, Limits, Parking, Spoken, Switches};

use super::section::{Section, text_of};
use super::shown::shown;
use super::words::{digits, domain, short_number, tenant_name};
use super::yaml::{Node, Value};
use super::{Lined, ProvisionError, TenantDraft, floor, keys, lines, people, prompts, wrong};
use crate::settings::stored::{Feedback, Keep, TenantBody};

/// A tenant's own keys.
const OWN: [&str; 18] = [
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
    "music",
    "announce_recording",
    "parking",
    "feature_codes",
];
/// The lists of what belongs to it.
const LISTS: [&str; 12] = [
    "keys",
    "extensions",
    "trunks",
    "outbound",
    "numbers",
    "groups",
    "queues",
    "menus",
    "hours",
    "sounds",
    "webhooks",
    "devices",
];
/// A hundred years.
const MOST_DAYS: std::ops::RangeInclusive<u32> = 1..=36_500;
const CLASSES: [&str; 5] = ["mobile", "landline", "freephone", "premium", "short"];

/// One of `tenants`.
pub(super) fn tenant(node: Node) -> Result<Lined<TenantDraft>, ProvisionError> {
    let mut section = Section::of(node, "a tenant", &[&OWN[..], &LISTS[..]].concat())?;
    let mut named = Vec::new();
    let (name, body) = own(&mut section, &mut named)?;
    let country = body.country.clone();
    let draft = TenantDraft {
        keys: all(&mut section, "keys", keys::key)?,
        extensions: all(&mut section, "extensions", |node| people::extension(node, &country, &mut named))?,
        trunks: all(&mut section, "trunks", lines::trunk)?,
        outbound: all(&mut section, "outbound", |node| lines::outbound(node, &mut named))?,
        numbers: all(&mut section, "numbers", |node| lines::number(node, &country, &mut named))?,
        groups: all(&mut section, "groups", |node| floor::group(node, &mut named))?,
        queues: all(&mut section, "queues", |node| floor::queue(node, &mut named))?,
        menus: all(&mut section, "menus", |node| floor::menu(node, &mut named))?,
        hours: all(&mut section, "hours", prompts::hours)?,
        sounds: all(&mut section, "sounds", prompts::named_sound)?,
        hooks: all(&mut section, "webhooks", keys::hook)?,
        devices: all(&mut section, "devices", |node| keys::device(node, &mut named))?,
        name,
        body,
        references: named,
    };
    Ok(Lined { line: section.line, value: draft })
}

/// A tenant's name and own keys, without the lists of what belongs to it.
pub(super) fn alone(node: Node, named: &mut floor::Named) -> Result<(String, TenantBody), ProvisionError> {
    own(&mut Section::of(node, "a tenant", &OWN)?, named)
}

fn own(section: &mut Section, named: &mut floor::Named) -> Result<(String, TenantBody), ProvisionError> {
    let name = section.need_text("name")?;
    tenant_name(&name)?;
    let body = body(section, &name.value, named)?;
    Ok((name.value, body))
}

fn body(section: &mut Section, name: &str, named: &mut floor::Named) -> Result<TenantBody, ProvisionError> {
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
        music: prompts::sound(section, "music", named)?,
        announce_recording: section
            .take("announce_recording")
            .map(|node| prompts::prompt(node, "announce_recording", named))
            .transpose()?,
        parking: section.take("parking").map(parking).transpose()?,
        feature_codes: feature_codes(section)?,
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
        Some(node) => prompts::spoken(node, "ask")?,
        None => Spoken {
            vi: "Mời bạn bấm từ một đến năm để đánh giá.".into(),
            en: "Please rate us from one to five.".into(),
        },
    };
    let keys = section.take("keys").map_or(Ok("12345".into()), floor::rating_keys)?;
    Ok(Feedback { ask, keys })
}

fn limits(section: &mut Section, country: &str) -> Result<Limits, ProvisionError> {
    const KEYS: [&str; 6] = [
        "concurrent_calls",
        "calls_per_second",
        "destinations",
        "max_call_seconds",
        "silence_seconds",
        "daily_minutes",
    ];
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
        daily_minutes: section.optional_number("daily_minutes", 0..=100_000_000)?,
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

fn parking(node: Node) -> Result<Parking, ProvisionError> {
    let mut section = Section::of(node, "parking", &["first", "places", "seconds"])?;
    let first = section.need_text("first")?;
    short_number(&first, "a place for parked calls")?;
    let places = section.number("places", 1..=100, 10)?;
    let parking = Parking {
        first: first.value.parse().unwrap_or_default(),
        places,
        seconds: section.number("seconds", 10..=3_600, 120)?,
    };
    let last = parking.first + parking.places - 1;
    if first.value.starts_with('0') || last.to_string().len() != first.value.len() {
        let sentence = "`first` and the places after it must have as many digits and begin with no 0: write \"801\"";
        return Err(wrong(first.line, sentence));
    }
    Ok(parking)
}

/// The usual codes but for those that are given; an empty code switches its feature off.
fn feature_codes(section: &mut Section) -> Result<FeatureCodes, ProvisionError> {
    let words: Vec<&str> = Feature::ALL.iter().map(|feature| feature.word()).collect();
    let mut section = section.section("feature_codes", "feature_codes", &words)?;
    let FeatureCodes(mut codes) = FeatureCodes::default();
    let mut lines = BTreeMap::new();
    for feature in Feature::ALL {
        let Some(node) = section.take(feature.word()) else { continue };
        lines.insert(*feature, node.line);
        let code = match node {
            Node { value: Value::Text(text), .. } if text.is_empty() => text,
            node => {
                let code = text_of(node, feature.word())?;
                let is_code = code.value.len() <= 6
                    && code.value.starts_with(['*', '#'])
                    && code.value.bytes().all(|b| b.is_ascii_digit() || b"*#".contains(&b));
                if !is_code {
                    let sentence = format!("`{}` is no code: write one as in \"*78\"", shown(&code.value));
                    return Err(wrong(code.line, sentence));
                }
                code.value
            }
        };
        codes.insert(*feature, code);
    }
    for (feature, line) in lines {
        let code = &codes[&feature];
        let other = codes.iter().find(|(other, same)| **other != feature && *same == code && !code.is_empty());
        if let Some((other, _)) = other {
            let sentence = format!("`{code}` is the code of {} too: choose another", other.word());
            return Err(wrong(line, sentence));
        }
    }
    Ok(FeatureCodes(codes))
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
