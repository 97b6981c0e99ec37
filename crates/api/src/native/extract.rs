//! Paths, queries and bodies read into types; what cannot be read is a problem with a sentence.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::ProblemBody;
use crate::Faces;

/// The query, as a type.
pub(crate) struct Asked<T>(pub T);

/// A JSON body, as a type.
pub(crate) struct Sent<T>(pub T);

/// A JSON body, as a type; where there is none, what the type is without.
pub(crate) struct SentOrNothing<T>(pub T);

/// An id in the path. What is no id names nothing.
pub(crate) struct Named<T>(pub T);

/// The key that the client gave its order in `Idempotency-Key`.
pub(crate) struct OrderKey(pub Option<String>);

impl FromRequestParts<Arc<Faces>> for OrderKey {
    type Rejection = ProblemBody;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Faces>) -> Result<Self, ProblemBody> {
        Self::of(parts)
    }
}

impl OrderKey {
    /// The key that stands in the head of a request.
    pub fn of(parts: &Parts) -> Result<Self, ProblemBody> {
        let mut given = parts.headers.get_all("idempotency-key").iter();
        let Some(key) = given.next() else { return Ok(Self(None)) };
        match key.to_str() {
            Ok(key) if is_order_key(key) && given.next().is_none() => Ok(Self(Some(key.to_owned()))),
            _ => {
                let detail = "Idempotency-Key: one key of 1 to 255 visible ASCII characters without spaces";
                Err(ProblemBody::new(StatusCode::BAD_REQUEST, "idempotency_key", detail))
            }
        }
    }
}

fn is_order_key(key: &str) -> bool {
    (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

impl<T: DeserializeOwned> FromRequestParts<Arc<Faces>> for Asked<T> {
    type Rejection = ProblemBody;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Faces>) -> Result<Self, ProblemBody> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(query)| Self(query))
            .map_err(|rejection| ProblemBody::new(StatusCode::BAD_REQUEST, "bad_request", rejection.body_text()))
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Faces>> for Sent<T> {
    type Rejection = ProblemBody;

    async fn from_request(request: Request, faces: &Arc<Faces>) -> Result<Self, ProblemBody> {
        match Json::from_request(request, faces).await {
            Ok(Json(body)) => object(body).map(Self),
            Err(rejection) => {
                let code = match &rejection {
                    JsonRejection::MissingJsonContentType(_) => "media_type",
                    JsonRejection::BytesRejection(_) => "body",
                    _ => "bad_request",
                };
                Err(ProblemBody::new(rejection.status(), code, rejection.body_text()))
            }
        }
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Arc<Faces>> for SentOrNothing<T> {
    type Rejection = ProblemBody;

    async fn from_request(request: Request, faces: &Arc<Faces>) -> Result<Self, ProblemBody> {
        let body = Bytes::from_request(request, faces)
            .await
            .map_err(|rejection| ProblemBody::new(rejection.status(), "body", rejection.body_text()))?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        match serde_json::from_slice(&body).map_err(|error| unreadable(&error))? {
            Value::Null => Ok(Self(T::default())),
            body => object(body).map(Self),
        }
    }
}

/// Serde would take a list of the values for an object with the names.
fn object<T: DeserializeOwned>(body: Value) -> Result<T, ProblemBody> {
    if !body.is_object() {
        let detail = "the body is a JSON object: begin it with {";
        return Err(ProblemBody::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_request", detail));
    }
    serde_json::from_value(body).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> ProblemBody {
    ProblemBody::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_request", error.to_string())
}

impl<T: std::str::FromStr + Send> FromRequestParts<Arc<Faces>> for Named<T> {
    type Rejection = ProblemBody;

    async fn from_request_parts(parts: &mut Parts, faces: &Arc<Faces>) -> Result<Self, ProblemBody> {
        let text = Path::<String>::from_request_parts(parts, faces).await.map(|Path(text)| text);
        let id = text.ok().and_then(|text| text.parse().ok());
        id.map(Self).ok_or_else(|| ProblemBody::new(StatusCode::NOT_FOUND, "not_found", "nothing has this id"))
    }
}
