//! How programs reach us and we reach them: API keys, hooks, own phones.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{KeyKind, Role, Timestamp};

use super::floor::Named;
use super::section::{Section, text_of};
use super::shown::shown;
use super::words::{digits, one_word, short_name, sources, url};
use super::yaml::{Node, Value};
use super::{DeviceDraft, HookDraft, Lined, Proof, ProvisionError, Reference, wrong};
use crate::secrets::{Secret, sha256_hex};
use crate::settings::stored::{Device, Hook, HookKind, HookMethod};

const VOIP24H: [&str; 7] =
    ["kind", "voip", "secret", "otp_requires_secret", "allowed_addresses", "socket_sessions", "hub"];
const VPBX: [&str; 3] = ["kind", "api_key", "api_secret"];
const CALLONE: [&str; 5] = ["kind", "secret_key", "monthly_quota", "expires_at", "enabled"];
const NATIVE: [&str; 3] = ["kind", "token", "role"];

/// One of `keys`; which keys it may have depends on its `kind`.
pub(super) fn key(node: Node) -> Result<Lined<KeyKind>, ProvisionError> {
    const KINDS: [(&str, &[&str]); 4] =
        [("voip24h", &VOIP24H), ("vpbx", &VPBX), ("callone", &CALLONE), ("native", &NATIVE)];
    let line = node.line;
    let kind = match &node.value {
        Value::Map(entries) => entries.iter().find(|(name, _, _)| name == "kind").map(|(_, _, node)| node.clone()),
        other => {
            return Err(wrong(line, format!("an API key must be a group of keys, not {}: write `kind`", other.kind())));
        }
    };
    let Some(kind) = kind else {
        return Err(wrong(line, "an API key needs `kind`: write voip24h, vpbx, callone or native"));
    };
    let known = match &kind.value {
        Value::Text(text) => KINDS.iter().find(|(name, _)| name == text),
        _ => None,
    };
    let Some((name, keys)) = known else {
        return Err(wrong(kind.line, "this is no kind of API key: write voip24h, vpbx, callone or native"));
    };
    let section = match *name {
        "voip24h" => Section::of(node, "a voip24h key", keys)?,
        "vpbx" => Section::of(node, "a vpbx key", keys)?,
        "callone" => Section::of(node, "a callone key", keys)?,
        _ => Section::of(node, "a native key", keys)?,
    };
    let line = section.line;
    let value = match *name {
        "voip24h" => voip24h(section)?,
        "vpbx" => vpbx(section)?,
        "callone" => callone(section)?,
        _ => native(section)?,
    };
    Ok(Lined { line, value })
}

fn voip24h(mut section: Section) -> Result<KeyKind, ProvisionError> {
    Ok(KeyKind::Voip24h {
        voip: word(&mut section, "voip")?,
        secret_hash: hashed(&mut section, "secret")?,
        otp_requires_secret: section.flag("otp_requires_secret", false)?,
        allowed_addresses: sources(&mut section, "allowed_addresses")?,
        socket_sessions: section.number("socket_sessions", 1..=100_000, 20)?,
        hub: section.flag("hub", false)?,
    })
}

fn vpbx(mut section: Section) -> Result<KeyKind, ProvisionError> {
    Ok(KeyKind::Vpbx { api_key: word(&mut section, "api_key")?, api_secret_hash: hashed(&mut section, "api_secret")? })
}

fn callone(mut section: Section) -> Result<KeyKind, ProvisionError> {
    // Null is a wish of its own here: no quota.
    let monthly_quota = if section.is_null("monthly_quota") {
        None
    } else {
        Some(section.number("monthly_quota", 0..=1_000_000_000, 10_000)?)
    };
    let expires_at = section.text("expires_at")?;
    if let Some(moment) = &expires_at
        && moment.value.parse::<Timestamp>().is_err()
    {
        let sentence = format!(
            "`{}` is no moment for `expires_at`: write one as in \"2030-12-31T23:59:59+07:00\", or null",
            shown(&moment.value)
        );
        return Err(wrong(moment.line, sentence));
    }
    Ok(KeyKind::Callone {
        secret_key_hash: hashed(&mut section, "secret_key")?,
        monthly_quota,
        expires_at: expires_at.map(|moment| moment.value),
        enabled: section.flag("enabled", true)?,
    })
}

fn native(mut section: Section) -> Result<KeyKind, ProvisionError> {
    const ROLES: [(&str, Role); 4] =
        [("owner", Role::Owner), ("supervisor", Role::Supervisor), ("agent", Role::Agent), ("reader", Role::Reader)];
    Ok(KeyKind::Native { token_hash: hashed(&mut section, "token")?, role: section.word("role", &ROLES, Role::Owner)? })
}

/// One of `webhooks`.
pub(super) fn hook(node: Node) -> Result<Lined<HookDraft>, ProvisionError> {
    const KINDS: [(&str, HookKind); 5] = [
        ("events", HookKind::Events),
        ("missed", HookKind::Missed),
        ("autocall", HookKind::Autocall),
        ("feedback", HookKind::Feedback),
        ("native", HookKind::Native),
    ];
    const METHODS: [(&str, HookMethod); 4] = [
        ("post_json", HookMethod::PostJson),
        ("get_json", HookMethod::GetJson),
        ("get_query", HookMethod::GetQuery),
        ("post_form", HookMethod::PostForm),
    ];
    let mut section = Section::of(node, "a webhook", &["kind", "url", "method", "secret", "enabled"])?;
    let kind = section.need_word("kind", &KINDS)?;
    let address = section.need_text("url")?;
    url(&address, "url")?;
    let method_line = section.line_of("method");
    let method = section.optional_word("method", &METHODS)?;
    let method = match (kind.value, method) {
        (HookKind::Feedback, None | Some(HookMethod::GetQuery)) => HookMethod::GetQuery,
        (HookKind::Feedback, Some(_)) => {
            return Err(wrong(method_line, "a feedback webhook is always sent by GET: remove `method`"));
        }
        (_, method) => method.unwrap_or(HookMethod::PostJson),
    };
    let secret = section.text("secret")?;
    if let Some(secret) = &secret
        && !is_hook_secret(&secret.value)
    {
        let sentence = "`secret` of a webhook must be whsec_ and up to 64 bytes in base64: write null to have one made";
        return Err(wrong(secret.line, sentence));
    }
    let hook = Hook { kind: kind.value, url: address.value, method, enabled: section.flag("enabled", true)? };
    let secret = secret.map(|secret| Secret::new(secret.value));
    Ok(Lined { line: section.line, value: HookDraft { hook, secret } })
}

/// One of `devices`.
pub(super) fn device(node: Node, named: &mut Named) -> Result<Lined<DeviceDraft>, ProvisionError> {
    const KEYS: [&str; 7] =
        ["name", "key", "pairing_code", "default_sim", "hang_up_after_seconds", "sms", "voice_file"];
    let mut section = Section::of(node, "a device", &KEYS)?;
    let name = section.need_text("name")?;
    let key_line = section.line_of("key");
    let key_hash = hashed(&mut section, "key")?;
    named.push(Lined { line: key_line, value: Reference::CalloneKey(key_hash.clone()) });
    let pairing_code_line = section.line_of("pairing_code");
    let pairing_code = section.need_secret("pairing_code")?;
    if let Proof::Given(code) = &pairing_code {
        let code = Lined { line: pairing_code_line, value: code.reveal().to_owned() };
        digits(&code, "pairing_code", 12)?;
        if code.value.len() < 4 {
            return Err(wrong(code.line, "`pairing_code` is too short: write 4 to 12 digits in quotes"));
        }
    }
    let voice_file = section.text("voice_file")?;
    if let Some(file) = &voice_file {
        short_name(file, "a voice file")?;
    }
    let device = Device {
        name: name.value,
        key_hash,
        default_sim: section.number("default_sim", 1..=8, 1)?,
        hang_up_after_seconds: section.number("hang_up_after_seconds", 0..=86_400, 0)?,
        sms: section.text("sms")?.map(|sms| sms.value),
        voice_file: voice_file.map(|file| file.value),
    };
    Ok(Lined { line: section.line, value: DeviceDraft { device, pairing_code } })
}

fn word(section: &mut Section, key: &str) -> Result<String, ProvisionError> {
    let text = section.need_text(key)?;
    one_word(&text, key)?;
    Ok(text.value)
}

fn hashed(section: &mut Section, key: &str) -> Result<String, ProvisionError> {
    match section.need(key)? {
        Node { value: Value::Stored(hash), .. } => Ok(hash),
        node => {
            let text = text_of(node, key)?;
            one_word(&text, key)?;
            Ok(sha256_hex(&text.value))
        }
    }
}

fn is_hook_secret(text: &str) -> bool {
    let bytes = text.strip_prefix("whsec_").and_then(|text| BASE64.decode(text).ok());
    bytes.is_some_and(|bytes| (1..=64).contains(&bytes.len()))
}
