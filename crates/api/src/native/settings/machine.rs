//! The handlers of all nouns: list, make, show, change, take away.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{Changed, Noun, Thing};
use utoipa_axum::router::UtoipaMethodRouter;

use super::{Page, describe};
use crate::Faces;
use crate::actions::{Refusal, settings};
use crate::native::extract::Asked;
use crate::native::problem::ProblemBody;
use crate::native::sign_in::Keeping;
use crate::native::views;

/// The rows of a page, unless asked otherwise, and at most.
const PAGE: u32 = 100;
const MOST: u32 = 1_000;

type Body = Result<Bytes, BytesRejection>;
type Called = Result<Path<String>, axum::extract::rejection::PathRejection>;

/// Which settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

/// What stands at `/v1/…` and at `/v1/…/{id}`.
pub(super) fn routes(page: &Page) -> (UtoipaMethodRouter<Arc<Faces>>, UtoipaMethodRouter<Arc<Faces>>) {
    let Page { noun, path, .. } = *page;
    let many: MethodRouter<Arc<Faces>> =
        get(move |State(faces): State<Arc<Faces>>, keeping: Keeping, Asked(which): Asked<Which>| {
            list(noun, faces, keeping, which)
        })
        .post(move |State(faces): State<Arc<Faces>>, keeping: Keeping, headers: HeaderMap, body: Body| {
            create(noun, path, faces, keeping, headers, body)
        });
    let single: MethodRouter<Arc<Faces>> =
        get(move |State(faces): State<Arc<Faces>>, keeping: Keeping, called: Called| {
            show(noun, faces, keeping, called)
        })
        .patch(
            move |State(faces): State<Arc<Faces>>, keeping: Keeping, called: Called, headers: HeaderMap, body: Body| {
                update(noun, faces, keeping, called, headers, body)
            },
        )
        .delete(
            move |State(faces): State<Arc<Faces>>, keeping: Keeping, called: Called, headers: HeaderMap| {
                delete(noun, faces, keeping, called, headers)
            },
        );
    let (list, one) = describe::paths(page);
    ((describe::schemas(page), list, many), (Vec::new(), one, single))
}

async fn list(
    noun: Noun,
    faces: Arc<Faces>,
    Keeping { keeper, .. }: Keeping,
    which: Which,
) -> Result<Json<views::Page<Map<String, Value>>>, ProblemBody> {
    let limit = which.limit.unwrap_or(PAGE).clamp(1, MOST);
    let after = which.after.as_deref().map(read_cursor).transpose()?;
    let page = settings::list(&faces.app, &keeper, noun, after.as_deref(), limit).await?;
    let next = page.next.map(|next| BASE64.encode(next));
    Ok(Json(views::Page { items: page.things.into_iter().map(|thing| thing.body).collect(), next }))
}

async fn show(
    noun: Noun,
    faces: Arc<Faces>,
    Keeping { keeper, .. }: Keeping,
    called: Called,
) -> Result<Response, ProblemBody> {
    let thing = settings::get(&faces.app, &keeper, noun, &name(called)?).await?;
    Ok(shown(StatusCode::OK, thing))
}

async fn create(
    noun: Noun,
    path: &'static str,
    faces: Arc<Faces>,
    Keeping { keeper, .. }: Keeping,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ProblemBody> {
    let given = object(&headers, body, &["application/json"])?;
    let Changed { thing, .. } = settings::create(&faces.app, &keeper, noun, given).await?;
    let location = format!("/v1/{path}/{}", thing.id);
    let mut response = shown(StatusCode::CREATED, thing);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn update(
    noun: Noun,
    faces: Arc<Faces>,
    Keeping { keeper, .. }: Keeping,
    called: Called,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ProblemBody> {
    let patch = object(&headers, body, &["application/merge-patch+json", "application/json"])?;
    let tags = tags(&headers);
    let Changed { thing, .. } = settings::update(&faces.app, &keeper, noun, &name(called)?, patch, tags).await?;
    Ok(shown(StatusCode::OK, thing))
}

async fn delete(
    noun: Noun,
    faces: Arc<Faces>,
    Keeping { keeper, .. }: Keeping,
    called: Called,
    headers: HeaderMap,
) -> Result<StatusCode, ProblemBody> {
    settings::delete(&faces.app, &keeper, noun, &name(called)?, tags(&headers)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(status: StatusCode, thing: Thing) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", thing.tag));
    let mut response = (status, Json(thing.body)).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    // Some show a secret.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn name(called: Called) -> Result<String, ProblemBody> {
    called
        .map(|Path(called)| called)
        .map_err(|_| ProblemBody::new(StatusCode::NOT_FOUND, "not_found", "nothing is called so"))
}

/// The body as an object, if it is sent as one of these types.
fn object(headers: &HeaderMap, body: Body, types: &[&str]) -> Result<Map<String, Value>, ProblemBody> {
    let body = body.map_err(|rejection| ProblemBody::new(rejection.status(), "body", rejection.body_text()))?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !types.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        let detail = format!("the body must be sent as {}", types.join(" or "));
        return Err(ProblemBody::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail));
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => {
            let detail = "the body must be one JSON object: write { … }";
            Err(ProblemBody::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_request", detail))
        }
        Err(error) => {
            let detail = format!("the body is not JSON: {error}");
            Err(ProblemBody::new(StatusCode::BAD_REQUEST, "bad_request", detail))
        }
    }
}

/// The tags of `If-Match`. `*`: any, as long as the thing is there, which is asked for anyway.
fn tags(headers: &HeaderMap) -> Option<Vec<String>> {
    let given: Vec<&str> = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    if given.is_empty() || given.iter().any(|tags| tags.trim() == "*") {
        return None;
    }
    let tags = given.iter().flat_map(|tags| tags.split(','));
    Some(tags.map(|tag| tag.trim().trim_matches('"').to_owned()).collect())
}

fn read_cursor(text: &str) -> Result<String, Refusal> {
    let read = BASE64.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    // What no database takes cannot have come from us.
    read.filter(|text| !text.contains('\0')).ok_or_else(|| Refusal::wrong("after: give `next` of the page before"))
}
