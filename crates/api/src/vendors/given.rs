//! The parameters of a vendor's request, wherever they stand: GET takes the query, POST takes JSON, form and multipart
//! besides. Names are matched without case (readings 1).

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::Json;
use axum::extract::{FromRequest, Multipart, RawForm, Request};
use axum::http::{Method, Uri, header};
use serde_json::Value;

/// What a request gives, by the parameters' names in lower case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Given(BTreeMap<String, String>);

impl Given {
    /// A parameter that is there and not empty, without the spaces around it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_ascii_lowercase()).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// What an address gives.
    pub fn in_query(uri: &Uri) -> Self {
        let mut given = Self::default();
        given.take(form(uri.query().unwrap_or_default().as_bytes()));
        given
    }

    /// What stands first counts.
    fn take(&mut self, pairs: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in pairs {
            self.0.entry(name.to_ascii_lowercase()).or_insert(value);
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Given {
    type Rejection = Infallible;

    /// A body that cannot be read gives nothing; the parameter that is missed then says so in the vendor's words.
    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let query = Self::in_query(request.uri());
        // Some clients send a body with GET; it says nothing.
        if request.method() != Method::POST {
            return Ok(query);
        }
        let mut given = Self::default();
        given.take(body(request, state).await);
        given.take(query.0);
        Ok(given)
    }
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Vec<(String, String)> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    if kind.starts_with("multipart/form-data") {
        return match Multipart::from_request(request, state).await {
            Ok(parts) => multipart(parts).await,
            Err(_) => Vec::new(),
        };
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        return match RawForm::from_request(request, state).await {
            Ok(RawForm(bytes)) => form(&bytes),
            Err(_) => Vec::new(),
        };
    }
    match bytes::Bytes::from_request(request, state).await {
        Ok(bytes) => json(&bytes),
        Err(_) => Vec::new(),
    }
}

fn json(bytes: &[u8]) -> Vec<(String, String)> {
    let Ok(Json(Value::Object(object))) = Json::<Value>::from_bytes(bytes) else { return Vec::new() };
    let text = |(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        Value::Bool(yes) => Some((name, yes.to_string())),
        _ => None,
    };
    object.into_iter().filter_map(text).collect()
}

/// Takes whatever comes: sloppy clients leave letters unencoded that should not be.
fn form(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

async fn multipart(mut parts: Multipart) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    while let Ok(Some(part)) = parts.next_field().await {
        let Some(name) = part.name().map(str::to_owned) else { continue };
        if let Ok(text) = part.text().await {
            pairs.push((name, text));
        }
    }
    pairs
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
}
