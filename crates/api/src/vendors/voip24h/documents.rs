//! `/documents?voip=KEY` (1.16, readings 21): what the API is for the tenant of this key, with its addresses, limits, hooks
//! and samples to copy; as a page in Vietnamese or English, or as JSON.
//!
//! Whoever has the public key alone sees no key. The secret, or a native token of the tenant, shows it, and with the secret
//! the samples run as they are. What stands in a hook's query is never shown.

mod endpoints;
mod page;
mod samples;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Json};
use model::{Language, TenantEntry};
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::endpoints::{Both, ENDPOINTS, Endpoint};
use self::samples::{SAMPLES, Values, filled};
use super::sign_in::Client;
use super::translate::logged;
use super::wire::{FAILED, OK};
use crate::Faces;
use crate::actions::documents::{Described, describe};
use crate::base_url::BaseUrl;
use crate::keys::Voip24hKey;
use crate::vendors::given::Given;

/// Nothing is loaded from anywhere, and nobody puts the page into another.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
const STRANGERS_VOIP: &str = "YOUR_VOIP_KEY";
const STRANGERS_SECRET: &str = "YOUR_SECRET";

/// Who looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Visitor {
    /// Has the public key.
    Stranger,
    /// The same, with a secret that is not the key's.
    WrongSecret,
    /// Has the secret, or a native token of the tenant.
    SignedIn,
}

/// All that the page shows.
#[derive(Debug)]
struct Document {
    language: Language,
    visitor: Visitor,
    /// The server, as links name it.
    base: String,
    voip_shown: String,
    secret: Option<String>,
    addresses: Vec<Fact>,
    limits: Vec<Fact>,
    hooks: Vec<ShownHook>,
    samples: Vec<Sample>,
}

/// A value with its name.
#[derive(Debug)]
struct Fact {
    key: &'static str,
    name: Both,
    value: Value,
}

/// A hook as it may be seen.
#[derive(Serialize, Debug)]
struct ShownHook {
    kind: String,
    method: String,
    url: String,
}

/// A sample, ready to be copied.
#[derive(Serialize, Debug)]
struct Sample {
    name: &'static str,
    file: &'static str,
    text: String,
}

impl Document {
    fn secret_shown(&self) -> &str {
        if self.secret.is_some() { "•••" } else { STRANGERS_SECRET }
    }
}

/// The page.
pub(super) async fn documents(
    State(faces): State<Arc<Faces>>,
    from: Client,
    base: BaseUrl,
    headers: HeaderMap,
    given: Given,
) -> Response {
    let machine = given.get("format").is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let mut response = match try_document(&faces, from, &base, &headers, &given).await {
        Ok(document) if machine => Json(as_json(&document)).into_response(),
        Ok(document) => Html(page::page(&document)).into_response(),
        Err((status, sentence)) if machine => {
            (status, Json(json!({ "status": FAILED, "message": sentence }))).into_response()
        }
        Err((status, sentence)) => {
            let language = language(&given, Language::Vi);
            (status, Html(page::refusal(language, &sentence))).into_response()
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}

async fn try_document(
    faces: &Faces,
    from: Client,
    base: &BaseUrl,
    headers: &HeaderMap,
    given: &Given,
) -> Result<Document, (StatusCode, String)> {
    let not_found = |sentence: &str| (StatusCode::NOT_FOUND, sentence.to_owned());
    if let Some(why) = given.unread() {
        return Err((StatusCode::BAD_REQUEST, why.to_owned()));
    }
    let from = from.map(|Extension(peer)| peer.0);
    let too_many = |limit: crate::limits::TooMany| (StatusCode::TOO_MANY_REQUESTS, limit.to_string());
    let voip = given.get("voip").ok_or_else(|| not_found("voip is required"))?;
    let index = faces.keys.now();
    let Some((key, tenant)) = index.voip24h_public(voip).and_then(|key| {
        let tenant = index.tenant(key.tenant)?;
        Some((key, tenant))
    }) else {
        faces.limits.wrong_key(from).map_err(too_many)?;
        return Err(not_found("this key does not exist"));
    };
    let secret = given.get("secret").filter(|secret| index.voip24h(voip, secret).is_some());
    if given.get("secret").is_some() && secret.is_none() {
        faces.limits.wrong_key(from).map_err(too_many)?;
    }
    faces.limits.admit(&key.voip, secret.unwrap_or_default(), from).map_err(too_many)?;
    let native = bearer(headers).and_then(|token| index.native(token)).is_some_and(|asker| asker.tenant == key.tenant);
    let visitor = match (secret.is_some() || native, given.get("secret")) {
        (true, _) => Visitor::SignedIn,
        (false, Some(_)) => Visitor::WrongSecret,
        (false, None) => Visitor::Stranger,
    };
    let described = describe(&faces.app, key.tenant, &tenant.name)
        .await
        .map_err(|refusal| (StatusCode::INTERNAL_SERVER_ERROR, logged(refusal).to_string()))?;
    Ok(document(&key, tenant, &described, base.as_str(), visitor, secret, given, faces))
}

#[allow(clippy::too_many_arguments, reason = "everything that one page shows")]
fn document(
    key: &Voip24hKey,
    tenant: &TenantEntry,
    described: &Described,
    base: &str,
    visitor: Visitor,
    secret: Option<&str>,
    given: &Given,
    faces: &Faces,
) -> Document {
    let signed_in = visitor == Visitor::SignedIn;
    let values = Values {
        base,
        voip: if signed_in { &key.voip } else { STRANGERS_VOIP },
        secret: secret.unwrap_or(STRANGERS_SECRET),
        sip: described.extension.as_deref().filter(|_| signed_in).unwrap_or("101"),
        phone: "0900000001",
    };
    let sample =
        |(name, file, text): &(&'static str, &'static str, &str)| Sample { name, file, text: filled(text, &values) };
    Document {
        language: language(given, tenant.language),
        visitor,
        base: base.to_owned(),
        voip_shown: if signed_in { key.voip.clone() } else { masked(&key.voip) },
        secret: secret.map(str::to_owned),
        addresses: addresses(base),
        limits: limits(key, tenant, described, faces),
        hooks: described.hooks.iter().map(|hook| shown_hook(hook, signed_in)).collect(),
        samples: SAMPLES.iter().map(sample).collect(),
    }
}

fn addresses(base: &str) -> Vec<Fact> {
    let fact = |key, vi, en, value: String| Fact { key, name: Both { vi, en }, value: value.into() };
    vec![
        fact("base_url", "Máy chủ API", "API server", base.to_owned()),
        fact("socket_io", "Socket.IO (v2 và v4)", "Socket.IO (v2 and v4)", format!("{base}/socket.io/")),
        fact("example", "Trang thử Socket.IO", "Socket.IO, live", format!("{base}/example/example_io.html")),
    ]
}

fn limits(key: &Voip24hKey, tenant: &TenantEntry, described: &Described, faces: &Faces) -> Vec<Fact> {
    let fact = |key, vi, en, value: Value| Fact { key, name: Both { vi, en }, value };
    let of_tenant = |name: &str| described.tenant.get("limits").and_then(|limits| limits.get(name)).cloned();
    let days = faces.app.settings.link_lifetime.as_secs() / 86_400;
    let mut facts: Vec<Fact> = [
        ("concurrent_calls", "Cuộc gọi cùng lúc", "Calls at once"),
        ("calls_per_second", "Cuộc gọi mới mỗi giây", "New calls a second"),
        ("max_call_seconds", "Cuộc gọi dài nhất (giây)", "The longest call (seconds)"),
    ]
    .into_iter()
    .filter_map(|(name, vi, en)| Some(fact(name, vi, en, of_tenant(name)?)))
    .collect();
    facts.extend([
        fact(
            "requests_per_second",
            "Yêu cầu mỗi giây cho một khóa (0: không giới hạn)",
            "Requests a second for a key (0: any number)",
            faces.app.settings.requests_per_second.into(),
        ),
        fact(
            "socket_sessions",
            "Phiên Socket.IO cùng lúc",
            "Socket.IO sessions at once",
            if key.hub { 1.into() } else { key.socket_sessions.into() },
        ),
        fact("hub", "Chế độ hub: phiên mới thay phiên cũ", "Hub mode: a new session replaces the old", key.hub.into()),
        fact("page_rows", "Dòng một trang lịch sử", "Rows of a page of history", 25.into()),
        fact("page_rows_most", "Nhiều nhất (length)", "At most (length)", 100.into()),
        fact(
            "recording_link_days",
            "Đường dẫn ghi âm nghe được (ngày)",
            "Recording links play for (days)",
            days.into(),
        ),
        fact("timezone", "Múi giờ", "Time zone", tenant.timezone.as_str().into()),
        fact(
            "null_type_on_hangup",
            "type là null khi Hangup",
            "type is null at Hangup",
            tenant.switches.null_type_on_hangup.into(),
        ),
        fact(
            "lower_case_states",
            "Trạng thái viết thường",
            "States in lower case",
            tenant.switches.lower_case_states.into(),
        ),
    ]);
    facts
}

/// For machines: the same, with stable names.
fn as_json(document: &Document) -> Value {
    let object = |facts: &[Fact]| -> Map<String, Value> {
        facts.iter().map(|fact| (fact.key.to_owned(), fact.value.clone())).collect()
    };
    json!({
        "status": OK,
        "message": "success",
        "signed_in": document.visitor == Visitor::SignedIn,
        "voip": document.voip_shown,
        "addresses": object(&document.addresses),
        "limits": object(&document.limits),
        "endpoints": ENDPOINTS.iter().map(|endpoint| with_answer(endpoint, &document.base)).collect::<Vec<_>>(),
        "hooks": document.hooks,
        "samples": document.samples,
    })
}

fn with_answer(endpoint: &Endpoint, base: &str) -> Value {
    let mut shown = serde_json::to_value(endpoint).unwrap_or_default();
    if let Some(answer) = endpoint.answer(base).and_then(|answer| serde_json::from_str::<Value>(&answer).ok()) {
        shown["answer"] = answer;
    }
    shown
}

fn shown_hook(hook: &Map<String, Value>, signed_in: bool) -> ShownHook {
    let text = |name: &str| hook.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let url = text("url").parse::<reqwest::Url>().ok();
    let url = url.map_or_else(String::new, |url| {
        let host = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        if !signed_in {
            return format!("{host}{port}/…");
        }
        let names: Vec<String> = url.query_pairs().map(|(name, _)| format!("{name}=…")).collect();
        let query = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
        format!("{host}{port}{}{query}", url.path())
    });
    ShownHook { kind: text("kind"), method: text("method"), url }
}

fn language(given: &Given, otherwise: Language) -> Language {
    match given.get("lang").map(str::to_ascii_lowercase).as_deref() {
        Some("vi") => Language::Vi,
        Some("en") => Language::En,
        _ => otherwise,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// Enough of a key to tell it from another.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    match letters.as_slice() {
        [a, b, .., z] if letters.len() >= 8 => format!("{a}{b}•••{z}"),
        _ => "•••".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_shows_nothing_of_its_secrets() {
        let hook = json!({
            "kind": "events", "method": "post_json", "secret": "whsec_DEMO",
            "url": "https://user:pass@crm.example:8443/hook.php?secret_key=HIDDEN&name=x",
        });
        let hook = hook.as_object().expect("an object");

        let [stranger, own] = [shown_hook(hook, false), shown_hook(hook, true)];

        assert_eq!(stranger.url, "https://crm.example:8443/…");
        assert_eq!(own.url, "https://crm.example:8443/hook.php?secret_key=…&name=…");
    }

    #[test]
    fn a_masked_key_keeps_its_ends() {
        assert_eq!(masked("VOIPKEY_DEMO"), "VO•••O");
        assert_eq!(masked("SHORT"), "•••");
    }
}
