//! One message: the request as its hook wants it, and what came back.

use std::time::Duration;

use model::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, Request, Response, Url};
use store::{Attempt, Hook, HookMethod, masked_url};
use tokio::time::{Instant, timeout, timeout_at};

use super::bodies::fields;
use super::schedule::retry_after;
use super::signature::sign;
use crate::outward::{Outward, why};

/// The beginning of an answer's body that is kept.
const ANSWER: usize = 4_096;
/// An answer's headers that are kept, in bytes.
const HEADERS: usize = 4_096;
/// How long the body of an answer may take that has arrived: it is only for the journal.
const BODY_WITHIN: Duration = Duration::from_secs(2);

/// What came of one attempt.
pub(super) struct Answered {
    pub attempt: Attempt,
    /// The receiver's wish to be left alone.
    pub retry_after: Option<Duration>,
}

/// Sends a message once.
pub(super) async fn send(
    outward: &Outward,
    private: bool,
    hook: &Hook,
    (name, body): (&str, &str),
    within: Duration,
) -> Answered {
    let (at, begun) = (Timestamp::now(), Instant::now());
    let mut attempt = Attempt {
        at,
        request: String::new(),
        status: None,
        headers: String::new(),
        answer: String::new(),
        milliseconds: 0,
        error: None,
    };
    let mut asked = None;
    match request(outward, private, hook, (name, body), at.as_second()) {
        Err(error) => attempt.error = Some(error),
        Ok(request) => {
            attempt.request = printed(&request);
            let until = begun + within;
            match timeout_at(until, outward.client(private).execute(request)).await {
                Err(_) => attempt.error = Some("no answer in time".into()),
                Ok(Err(error)) => attempt.error = Some(why(&error)),
                Ok(Ok(answer)) => {
                    let status = answer.status();
                    attempt.status = Some(status.as_u16());
                    attempt.headers = headers(answer.headers());
                    asked = answer
                        .headers()
                        .get(RETRY_AFTER)
                        .and_then(|value| value.to_str().ok())
                        .and_then(|text| retry_after(text, at));
                    if !status.is_success() {
                        attempt.error = Some(format!("the receiver answered {}", status.as_u16()));
                    }
                    attempt.answer = beginning(answer).await;
                }
            }
        }
    }
    attempt.milliseconds = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
    Answered { attempt, retry_after: asked }
}

fn request(
    outward: &Outward,
    private: bool,
    hook: &Hook,
    (name, body): (&str, &str),
    seconds: i64,
) -> Result<Request, String> {
    let mut url = Url::parse(&hook.url).map_err(|error| format!("the URL cannot be used: {error}"))?;
    outward.check(&url, private)?;
    let form = "application/x-www-form-urlencoded";
    let (method, kind, content) = match hook.method {
        HookMethod::PostJson => (Method::POST, Some("application/json"), Some(body.to_owned())),
        HookMethod::GetJson => (Method::GET, Some("application/json"), Some(body.to_owned())),
        HookMethod::PostForm => {
            let form_of = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields(body)).finish();
            (Method::POST, Some(form), Some(form_of))
        }
        HookMethod::GetQuery => {
            url.query_pairs_mut().extend_pairs(fields(body));
            (Method::GET, None, None)
        }
    };
    // Without a body the query is what is told.
    let signed = content.as_deref().unwrap_or_else(|| url.query().unwrap_or_default());
    let signature = sign(&hook.secrets, name, seconds, signed.as_bytes());
    let mut request = outward
        .client(private)
        .request(method, url)
        .header("webhook-id", name)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature);
    if let Some(kind) = kind {
        request = request.header(CONTENT_TYPE, kind);
    }
    if let Some(content) = content {
        request = request.body(content);
    }
    request.build().map_err(|error| why(&error))
}

/// Line and headers, without what the URL's query says: it may hold the owner's secrets.
fn printed(request: &Request) -> String {
    format!("{} {}\n{}", request.method(), masked_url(request.url().as_str()), headers(request.headers()))
}

fn headers(headers: &HeaderMap) -> String {
    let mut text = String::new();
    for (name, value) in headers {
        // A password in the URL goes as this header.
        let secret = *name == AUTHORIZATION;
        let value = if secret { "***".into() } else { String::from_utf8_lossy(value.as_bytes()) };
        let line = format!("{name}: {value}\n");
        if text.len() + line.len() > HEADERS {
            break;
        }
        text.push_str(&line);
    }
    storable(text)
}

/// The beginning of the body. It breaking off or being slow changes nothing about the answer.
async fn beginning(mut answer: Response) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while bytes.len() < ANSWER
            && let Ok(Some(chunk)) = answer.chunk().await
        {
            bytes.extend_from_slice(&chunk);
        }
    };
    let _ = timeout(BODY_WITHIN, read).await;
    bytes.truncate(ANSWER);
    storable(String::from_utf8_lossy(&bytes).into_owned())
}

// A database cannot keep NUL in text.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[cfg(test)]
mod tests {
    use store::{HookId, HookKind};

    use super::*;

    fn hook(method: HookMethod) -> Hook {
        Hook {
            id: HookId(7),
            tenant: model::TenantId(1),
            kind: HookKind::Events,
            url: "https://crm.example.test/hook?action=Call%20in&secret_key=SECRET_DEMO".into(),
            method,
            active: true,
            secrets: vec!["whsec_c2VjcmV0".into()],
            position: 0,
            replay: None,
            failing: false,
        }
    }

    fn built(method: HookMethod) -> Request {
        let outward = Outward::new().expect("two clients");
        request(&outward, false, &hook(method), ("msg_7_1_0", r#"{"state":"Ring","note":"a b"}"#), 1_700_000_000)
            .expect("a request")
    }

    #[test]
    fn the_customers_own_query_is_kept_in_every_method() {
        for method in [HookMethod::PostJson, HookMethod::GetJson, HookMethod::PostForm, HookMethod::GetQuery] {
            let request = built(method);

            let query = request.url().query().expect("a query");
            assert!(query.starts_with("action=Call%20in&secret_key=SECRET_DEMO"), "{query}");
        }
    }

    #[test]
    fn each_method_carries_the_same_body_in_its_way() {
        let body = |request: &Request| request.body().and_then(|body| body.as_bytes()).map(<[u8]>::to_vec);
        let (json, get) = (built(HookMethod::PostJson), built(HookMethod::GetJson));
        let (form, query) = (built(HookMethod::PostForm), built(HookMethod::GetQuery));

        assert_eq!(
            (json.method(), get.method(), form.method(), query.method()),
            (&Method::POST, &Method::GET, &Method::POST, &Method::GET)
        );
        assert_eq!(body(&json).as_deref(), Some(br#"{"state":"Ring","note":"a b"}"#.as_slice()));
        assert_eq!(body(&get), body(&json));
        assert_eq!(body(&form).as_deref(), Some(b"note=a+b&state=Ring".as_slice()));
        assert_eq!(body(&query), None);
        assert!(query.url().query().is_some_and(|text| text.ends_with("&note=a+b&state=Ring")));
    }

    #[test]
    fn what_is_signed_is_what_is_sent() {
        let signature = |request: &Request| request.headers()["webhook-signature"].to_str().map(str::to_owned);
        let query = built(HookMethod::GetQuery);
        let of = |content: &str| sign(&["whsec_c2VjcmV0".into()], "msg_7_1_0", 1_700_000_000, content.as_bytes());

        assert_eq!(signature(&built(HookMethod::PostForm)).ok(), Some(of("note=a+b&state=Ring")));
        assert_eq!(signature(&query).ok(), Some(of(query.url().query().expect("a query"))));
        assert_eq!(query.headers()["webhook-id"], "msg_7_1_0");
        assert_eq!(query.headers()["webhook-timestamp"], "1700000000");
    }

    #[test]
    fn the_journal_does_not_show_the_secrets_of_a_url() {
        let shown = printed(&built(HookMethod::GetQuery));

        assert!(shown.starts_with("GET https://crm.example.test/hook?action=***&secret_key=***&note=***"), "{shown}");
        assert!(!shown.contains("SECRET_DEMO"), "{shown}");
    }

    #[test]
    fn the_journal_does_not_show_the_password_of_a_url() {
        let outward = Outward::new().expect("two clients");
        let hook = Hook { url: "https://crm:PASSWORD_DEMO@crm.example.test/hook".into(), ..hook(HookMethod::PostJson) };
        let request = request(&outward, false, &hook, ("msg_7_1_0", "{}"), 1_700_000_000).expect("a request");

        let shown = printed(&request);

        assert!(request.headers()[AUTHORIZATION].to_str().is_ok_and(|value| value.starts_with("Basic ")));
        assert!(shown.contains("authorization: ***\n") && !shown.contains("PASSWORD_DEMO"), "{shown}");
    }
}
