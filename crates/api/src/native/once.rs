//! `Idempotency-Key` on every POST: what was answered to a key is answered again, and the order is carried out once.
//!
//! The key is claimed in the store before the order is looked at. Answers are kept sealed for 24 hours, because one may
//! show a secret that is shown once. Those that ask to come again (429, 5xx) are not kept, nor are refusals to sign in.
//! `POST /v1/calls` is left to its action: there the engine answers the claim in the transaction that stores the call.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::ClaimedKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Claim, ClaimAnswer, Claims, Store};
use tokio::time::{Instant, timeout_at};

use super::extract::OrderKey;
use super::problem::ProblemBody;
use super::{MAX_BODY, MAX_PROVISION, sign_in};
use crate::actions::Refusal;
use crate::{Faces, actions, limits};

/// How long an order waits for the same one that came before.
const WAIT_LIMIT: Duration = Duration::from_secs(12);
/// The most bytes of an answer that are kept. No POST answers more.
const MOST_KEPT: usize = 256 * 1024;
/// What is kept of an answer's head.
const HEADERS: &[HeaderName] = &[header::CONTENT_TYPE, header::LOCATION, header::ETAG];
/// Says that an answer was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Carries out an order with a key once.
pub(super) async fn layer(State(faces): State<Arc<Faces>>, request: Request, next: Next) -> Response {
    let begins_a_call = request.extensions().get::<MatchedPath>().is_some_and(|path| path.as_str() == "/v1/calls");
    if request.method() != Method::POST || begins_a_call || !request.headers().contains_key("idempotency-key") {
        return next.run(request).await;
    }
    match once(faces, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn once(faces: Arc<Faces>, request: Request, next: Next) -> Result<Response, ProblemBody> {
    let (parts, body) = request.into_parts();
    let OrderKey(Some(key)) = OrderKey::of(&parts)? else {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    // Who may not ask is refused in the usual way, and claims nothing.
    let Some((owner, tenant)) = sign_in::owner(&parts, &faces) else {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let most = if parts.uri.path() == "/v1/provision" { MAX_PROVISION } else { MAX_BODY };
    let body = to_bytes(body, most).await.map_err(|_| {
        let detail = format!("the body has more than {most} bytes, or did not come whole");
        ProblemBody::new(StatusCode::PAYLOAD_TOO_LARGE, "body", detail)
    })?;
    let key = ClaimedKey { owner, key };
    let place = format!("{}/answer/{}/{}", tenant.0, key.owner, key.key);
    let claims = faces.app.store.claims(tenant);
    let request_hash = hash(&parts, &body);
    let wait_until = Instant::now() + WAIT_LIMIT;
    let mut changes = claims.changes();
    loop {
        match claims.claim(&key, &request_hash).await.map_err(Refusal::from)? {
            Claim::Made => break,
            Claim::Answered(ClaimAnswer::Http { sealed }) => {
                sign_in::counted(&parts, &faces)?;
                return Ok(again(&faces.app.store, &place, &sealed));
            }
            // The key was given to the order of a call, or to another one.
            Claim::Answered(_) | Claim::Taken => return Err(Refusal::KeyTaken.into()),
            Claim::Pending => {}
        }
        if !matches!(timeout_at(wait_until, changes.changed()).await, Ok(Ok(()))) {
            let detail = "the same order is still under way: ask again in a few seconds with the same key";
            return Err(ProblemBody::new(StatusCode::CONFLICT, "idempotency_key_pending", detail));
        }
    }
    let store = faces.app.store.clone();
    // In a task of its own: an order goes on, and its answer is kept, also when the client goes away meanwhile.
    let carried_out = tokio::spawn(limits::telling(async move {
        let response = next.run(Request::from_parts(parts, Body::from(body))).await;
        keep(&store, &claims, &key, &place, response).await
    }));
    carried_out.await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "an order was not carried to its end");
        ProblemBody::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed: look at the state first")
    })
}

/// Tells one order from another, however its JSON is written.
fn hash(parts: &Parts, body: &Bytes) -> String {
    let body = match serde_json::from_slice::<Value>(body) {
        Ok(json) => json.to_string(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    actions::once::hash(&["http", parts.method.as_str(), parts.uri.path(), parts.uri.query().unwrap_or(""), &body])
}

/// Keeps an answer, unless it asks to come again or could not be read; then the key is free.
async fn keep(store: &Store, claims: &Claims, key: &ClaimedKey, place: &str, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MOST_KEPT).await else {
        settle(claims.release(key).await);
        let detail = "the answer could not be read: look at the state before ordering again";
        return ProblemBody::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response();
    };
    let passes = parts.status.is_server_error()
        || matches!(parts.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    let text = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let answer = Answer {
        status: parts.status.as_u16(),
        headers: HEADERS.iter().filter_map(|name| Some((name.to_string(), text(name)?.to_owned()))).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let sealed = serde_json::to_string(&answer).ok().and_then(|answer| store.seal(place, &answer).ok());
    match sealed.filter(|_| !passes) {
        Some(sealed) => settle(claims.answer(key, &ClaimAnswer::Http { sealed }).await),
        None => settle(claims.release(key).await),
    }
    Response::from_parts(parts, Body::from(body))
}

/// The answer that was given before.
fn again(store: &Store, place: &str, sealed: &str) -> Response {
    let answer = store.unseal(place, sealed).and_then(|text| serde_json::from_str::<Answer>(&text).ok());
    let Some(Answer { status, headers, body }) = answer else {
        let detail = "what was answered to this key cannot be read any more: look at the state before ordering again";
        return ProblemBody::new(StatusCode::CONFLICT, "idempotency_key_lost", detail).into_response();
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, body).into_response();
    let kept = response.headers_mut();
    kept.remove(header::CONTENT_TYPE);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            kept.insert(name, value);
        }
    }
    kept.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn settle(settled: Result<(), store::StoreError>) {
    if let Err(error) = settled {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "what came of an order is not stored: its key is taken until the next start");
    }
}
