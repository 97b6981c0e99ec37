//! The parameters of a vendor's request, wherever they stand: GET takes the query, POST takes JSON, form and multipart
//! besides. Names are matched without case (readings 1).
//!
//! A body that arrived but cannot be understood gives nothing: where nothing is missed it does no harm, else whatever is
//! missed is missed with its sentence. On a body that did not arrive whole nothing may be done at all.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{Method, StatusCode, Uri, header};
use bytes::Bytes;
use serde_json::Value;

use crate::bodies::Late;

/// What a request gives, by the parameters' names in lower case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Given {
    values: BTreeMap<String, String>,
    trouble: Option<Trouble>,
}

/// What is wrong with a body, in a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Trouble {
    /// It did not arrive whole.
    Unread(String),
    /// It cannot be understood.
    Garbled(String),
}

type Pairs = Vec<(String, String)>;

impl Given {
    /// A parameter that is there and not empty, without the spaces around it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&name.to_ascii_lowercase()).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Why nothing may be done: the body did not arrive whole.
    pub fn unread(&self) -> Option<&str> {
        match &self.trouble {
            Some(Trouble::Unread(why)) => Some(why),
            _ => None,
        }
    }

    /// Why something may be missing: the body cannot be understood.
    pub fn garbled(&self) -> Option<&str> {
        match &self.trouble {
            Some(Trouble::Garbled(why)) => Some(why),
            _ => None,
        }
    }

    /// What an address gives.
    pub fn in_query(uri: &Uri) -> Self {
        let mut given = Self::default();
        given.take(form(uri.query().unwrap_or_default().as_bytes()));
        given
    }

    /// What stands first counts.
    fn take(&mut self, pairs: Pairs) {
        for (name, value) in pairs {
            self.values.entry(name.to_ascii_lowercase()).or_insert(value);
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Given {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let query = Self::in_query(request.uri());
        // Some clients send a body with GET; it says nothing.
        if request.method() != Method::POST {
            return Ok(query);
        }
        let mut given = Self::default();
        match body(request, state).await {
            Ok(pairs) => given.take(pairs),
            Err(trouble) => given.trouble = Some(trouble),
        }
        given.take(query.values.into_iter().collect());
        Ok(given)
    }
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Pairs, Trouble> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let late = Late::of(request.extensions());
    if kind.starts_with("multipart/form-data") {
        return match Multipart::from_request(request, state).await {
            Ok(parts) => multipart(parts).await.map_err(|(status, text)| cut(late.as_ref(), status, &text)),
            Err(_) => Err(Trouble::Garbled("the body is no multipart form: its type names no boundary".to_owned())),
        };
    }
    let bytes = Bytes::from_request(request, state).await;
    let bytes = bytes.map_err(|rejection| match cut(late.as_ref(), rejection.status(), &rejection.body_text()) {
        // Of a body without parts something is always missing where not all of it came.
        Trouble::Garbled(why) | Trouble::Unread(why) => Trouble::Unread(why),
    })?;
    if kind.starts_with("application/x-www-form-urlencoded") { Ok(form(&bytes)) } else { json(&bytes) }
}

/// Why a body ended too early.
fn cut(late: Option<&Late>, status: StatusCode, text: &str) -> Trouble {
    if let Some(late) = late.filter(|late| late.is_so()) {
        return Trouble::Unread(late.sentence());
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Trouble::Unread(format!("the body is too long: send {} kB at most", super::MAX_BODY / 1024));
    }
    Trouble::Garbled(format!("the body cannot be read ({text})"))
}

/// An object's members. No body is an empty one.
fn json(bytes: &[u8]) -> Result<Pairs, Trouble> {
    const EXAMPLE: &str = "send an object, as in {\"sip\":\"101\"}";
    if bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let object = match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return Err(Trouble::Garbled(format!("the body is JSON but no object: {EXAMPLE}"))),
        Err(error) => return Err(Trouble::Garbled(format!("the body is not JSON ({error}): {EXAMPLE}"))),
    };
    let text = |(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        Value::Bool(yes) => Some((name, yes.to_string())),
        _ => None,
    };
    Ok(object.into_iter().filter_map(text).collect())
}

/// Takes whatever comes: sloppy clients leave letters unencoded that should not be.
fn form(bytes: &[u8]) -> Pairs {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

async fn multipart(mut parts: Multipart) -> Result<Pairs, (StatusCode, String)> {
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|error| (error.status(), error.body_text()))? {
        let Some(name) = part.name().map(str::to_owned) else { continue };
        pairs.push((name, part.text().await.map_err(|error| (error.status(), error.body_text()))?));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn given(request: axum::http::request::Builder, body: &'static str) -> Given {
        let request = request.body(Body::from(body)).expect("a request");
        Given::from_request(request, &()).await.unwrap_or_else(|never| match never {})
    }

    fn post(kind: &str) -> axum::http::request::Builder {
        Request::post("/dial?SIP=101").header("content-type", kind)
    }

    #[tokio::test]
    async fn names_have_no_case_and_spaces_do_not_count() {
        let given = given(Request::get("/dial?Voip=VOIPKEY_DEMO&phone=+0900000001%20&empty="), "").await;

        assert_eq!(given.get("voip"), Some("VOIPKEY_DEMO"));
        assert_eq!(given.get("PHONE"), Some("0900000001"));
        assert_eq!(given.get("empty"), None);
    }

    #[tokio::test]
    async fn a_post_gives_json_form_or_multipart() {
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"Phone\"\r\n\r\n0900000001\r\n--x--\r\n";
        for (kind, body) in [
            ("application/json", r#"{"Phone":"0900000001","n":{"x":1}}"#),
            ("application/x-www-form-urlencoded", "Phone=0900000001"),
            ("multipart/form-data; boundary=x", multipart),
            ("text/plain", r#"{"phone":"0900000001"}"#),
            ("application/x-www-form-urlencoded; charset=utf-8", "name=<Nguyễn>|{x}&Phone=0900000001"),
        ] {
            let given = given(post(kind), body).await;

            assert_eq!((given.get("phone"), given.get("sip")), (Some("0900000001"), Some("101")), "{kind}");
        }
    }

    #[tokio::test]
    async fn a_body_with_get_and_a_broken_one_say_nothing() {
        let get = Request::get("/dial?sip=101").header("content-type", "application/json");

        assert_eq!(given(get, r#"{"sip":"102"}"#).await.get("sip"), Some("101"));
        assert_eq!(given(post("application/json"), "{").await.get("sip"), Some("101"));
        assert_eq!(given(post("multipart/form-data"), "x").await.get("sip"), Some("101"));
    }

    #[tokio::test]
    async fn a_body_that_cannot_be_understood_says_what_is_wrong_with_it() {
        for (kind, body, sentence) in [
            ("application/json", "{\"sip\":", "the body is not JSON (EOF while parsing a value at line 1 column 7)"),
            ("application/json", "[\"101\"]", "the body is JSON but no object"),
            ("", "sip=101", "the body is not JSON"),
            ("multipart/form-data", "x", "the body is no multipart form"),
            ("multipart/form-data; boundary=x", "--y", "the body cannot be read"),
        ] {
            let given = given(post(kind), body).await;

            assert!(given.garbled().is_some_and(|why| why.starts_with(sentence)), "{kind} {body}: {given:?}");
            assert_eq!(given.unread(), None);
        }
        assert_eq!(given(post("application/json"), " ").await.garbled(), None, "no body is no wrong one");
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_stands_in_the_way_of_everything() {
        let long = format!("{{\"phone\":\"{}\"}}", "0".repeat(3 * 1024 * 1024));
        for kind in ["application/json", "application/x-www-form-urlencoded"] {
            let request = post(kind).body(Body::from(long.clone())).expect("a request");
            let given = Given::from_request(request, &()).await.unwrap_or_else(|never| match never {});

            assert_eq!(given.unread(), Some("the body is too long: send 64 kB at most"));
        }
    }
}
