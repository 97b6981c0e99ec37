//! Voip24h's paths. Business failures answer HTTP 200 with the failure in the body, as its clients read it; a path that is
//! not there is a 404 in the words of the framework that the vendor used. Links to recordings are in `playing.rs`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Json, Router};
use jiff::tz::TimeZone;
use model::{ActingLeg, CallId, Direction, Timestamp, TransferMode};
use serde_json::json;
use store::RecordFilter;
use tower_http::catch_panic::CatchPanicLayer;

use super::search::{self, Search};
use super::translate::{self, Look, not_done, optional, required};
use super::wire::{DialAnswer, FAILED, ListAnswer};
use super::{documents, playing};
use crate::actions::{Asker, Refusal, calls, orders, records};
use crate::keys::Voip24hKey;
use crate::vendors::both;
use crate::vendors::given::Given;
use crate::{Faces, Peer, links};

/// The paths.
pub(crate) fn router() -> Router<Arc<Faces>> {
    let mut router = Router::new();
    for (path, methods) in [
        ("/dial", get(dial).post(dial).head(only_looks)),
        ("/calling", get(dial).post(dial).head(only_looks)),
        ("/dial/transfer", get(transfer).post(transfer).head(only_looks)),
        ("/dial/hangup", get(hang_up).post(hang_up).head(only_looks)),
        ("/dial/history", get(history).post(history)),
        ("/dial/searching", get(searching).post(searching)),
        ("/dial/search", get(search).post(search)),
        ("/documents", get(documents::documents).post(documents::documents)),
        ("/play", get(playing::link).post(playing::link)),
        ("/fdownload/recording", get(playing::play)),
        ("/fdownload/play", get(playing::play)),
        ("/fdownload/downloadFile", get(playing::download)),
    ] {
        router = both(router, path, methods.fallback(unknown));
    }
    router.route("/dial/{*unknown}", any(unknown)).layer(CatchPanicLayer::custom(|_| broken()))
}

/// What is asked for in another way than there is. Nobody depends on the words; that they are JSON, all do.
async fn unknown() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "status": false, "error": "Unknown method." }))).into_response()
}

/// A bug of ours.
fn broken() -> Response {
    let body = json!({ "status": FAILED, "message": "the server has a fault: its log says more" });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

/// A HEAD is sent by what looks at links, not by who means to call: it must not do what GET does here.
async fn only_looks() -> (StatusCode, [(header::HeaderName, &'static str); 1]) {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST, OPTIONS")])
}

/// The client's address, where the server tells it.
pub(super) type Client = Option<Extension<Peer>>;

async fn dial(State(faces): State<Arc<Faces>>, from: Client, given: Given) -> Json<DialAnswer> {
    Json(try_dial(&faces, from, &given).await.unwrap_or_else(|why| not_done("Failed", why)))
}

async fn try_dial(faces: &Faces, from: Client, given: &Given) -> Result<DialAnswer, String> {
    let asker = sign_in(faces, from, given)?;
    let (extension, phone) = (required(given, "sip")?, required(given, "phone")?);
    let answer = model::DialAnswer::WhenPhoneResponds;
    match calls::click_to_call(&faces.app, &asker, extension, phone, answer).await {
        Ok(begun) => {
            let record = calls::call(&faces.app, &asker, begun.call).await;
            let direction = record.map_or(Direction::Outbound, |row| row.record.direction);
            Ok(translate::dialled(&begun, direction, extension, phone))
        }
        Err(refusal) => Ok(translate::not_dialled(&logged(refusal), extension)),
    }
}

async fn hang_up(State(faces): State<Arc<Faces>>, from: Client, given: Given) -> Json<DialAnswer> {
    Json(try_hang_up(&faces, from, &given).await.unwrap_or_else(|why| not_done("Failed", why)))
}

async fn try_hang_up(faces: &Faces, from: Client, given: &Given) -> Result<DialAnswer, String> {
    let asker = sign_in(faces, from, given)?;
    let call = live_call(faces, &asker, given).await?;
    calls::hang_up(&faces.app, &asker, call).await.map_err(said)?;
    Ok(translate::done(&call.to_string()))
}

async fn transfer(State(faces): State<Arc<Faces>>, from: Client, given: Given) -> Json<DialAnswer> {
    Json(try_transfer(&faces, from, &given).await.unwrap_or_else(|why| not_done("Failed", why)))
}

async fn try_transfer(faces: &Faces, from: Client, given: &Given) -> Result<DialAnswer, String> {
    let asker = sign_in(faces, from, given)?;
    let (extension, target) = (required(given, "sip")?, required(given, "sip_transfer")?);
    let mode = translate::transfer_mode(optional(given, "mode")?)?;
    let call = live_call(faces, &asker, given).await?;
    let leg = ActingLeg::Extension(extension.to_owned());
    let under_way = orders::transfer(&faces.app, &asker, call, leg, target, mode).await.map_err(said)?;
    let consultation = under_way.consultation.filter(|_| mode == TransferMode::Attended);
    Ok(DialAnswer { consultation: consultation.map(|call| call.to_string()), ..translate::done(&call.to_string()) })
}

/// The call that is meant: by its id, else the newest live one of `sip` and `phone` (readings 8).
async fn live_call(faces: &Faces, asker: &Asker, given: &Given) -> Result<CallId, String> {
    if let Some(callid) = optional(given, "callid")? {
        return callid.parse().map_err(|_| format!("No active call {callid}"));
    }
    let (extension, phone) = (required(given, "sip")?, required(given, "phone")?);
    let live = calls::newest_live(&faces.app, asker, extension, phone).await.map_err(said)?;
    Ok(live.ok_or_else(|| format!("No active call between {extension} and {phone}"))?.record.callid)
}

async fn history(State(faces): State<Arc<Faces>>, from: Client, headers: HeaderMap, given: Given) -> Json<ListAnswer> {
    let answer = try_list(&faces, from, &headers, &given, |given| search::history(given, Timestamp::now()));
    Json(answer.await.unwrap_or_else(translate::no_list))
}

async fn search(State(faces): State<Arc<Faces>>, from: Client, headers: HeaderMap, given: Given) -> Json<ListAnswer> {
    Json(try_list(&faces, from, &headers, &given, search::search).await.unwrap_or_else(translate::no_list))
}

async fn try_list(
    faces: &Faces,
    from: Client,
    headers: &HeaderMap,
    given: &Given,
    read: impl FnOnce(&Given) -> Result<Search, String>,
) -> Result<ListAnswer, String> {
    let asker = sign_in(faces, from, given)?;
    let Search { filter, cursor, size } = read(given)?;
    let page = records::list(&faces.app, &asker, &filter, cursor, size).await.map_err(said)?;
    let total = records::count(&faces.app, &asker, &filter).await.map_err(said)?;
    Ok(look(faces, &asker, headers, |look| translate::list(&page, total, look)))
}

async fn searching(
    State(faces): State<Arc<Faces>>,
    from: Client,
    headers: HeaderMap,
    given: Given,
) -> Json<ListAnswer> {
    Json(try_searching(&faces, from, &headers, &given).await.unwrap_or_else(translate::no_list))
}

async fn try_searching(faces: &Faces, from: Client, headers: &HeaderMap, given: &Given) -> Result<ListAnswer, String> {
    let asker = sign_in(faces, from, given)?;
    let page = match search::searching(given)? {
        Some(call) => {
            let filter = RecordFilter { callid: Some(call), ..RecordFilter::default() };
            records::list(&faces.app, &asker, &filter, None, 1).await.map_err(said)?
        }
        None => store::RecordPage { rows: Vec::new(), next: None, prev: None },
    };
    Ok(look(faces, &asker, headers, |look| translate::list(&page, page.rows.len() as u64, look)))
}

/// Who asks. A wrong key and a key used from elsewhere than it may are told apart only by whoever has the key.
pub(super) fn sign_in(faces: &Faces, from: Client, given: &Given) -> Result<Asker, String> {
    let (voip, secret) = (required(given, "voip")?, required(given, "secret")?);
    admit(faces, from, faces.keys.now().voip24h(voip, secret))
}

/// Who asks with the public part of a key alone, where the key is for that.
pub(super) fn sign_in_without_secret(faces: &Faces, from: Client, given: &Given) -> Result<Asker, String> {
    let key = faces.keys.now().voip24h_public(required(given, "voip")?);
    if key.as_ref().is_some_and(|key| key.requires_secret && key.allowed_addresses.is_empty()) {
        return Err("secret is required".to_owned());
    }
    admit(faces, from, key)
}

fn admit(faces: &Faces, from: Client, key: Option<Voip24hKey>) -> Result<Asker, String> {
    let from = from.map(|Extension(peer)| peer.0);
    faces.limits.may_sign_in(from).map_err(|limit| limit.to_string())?;
    let Some(key) = key else {
        faces.limits.wrong_key(from);
        return Err("voip or secret is invalid".to_owned());
    };
    if !key.allows(from) {
        return Err("this address is not allowed to use the key".to_owned());
    }
    faces.limits.admit(&key.voip, from).map_err(|limit| limit.to_string())?;
    Ok(key.asker())
}

/// Renders with the tenant's zone and country and links that its recordings play by.
pub(super) fn look<T>(faces: &Faces, asker: &Asker, headers: &HeaderMap, render: impl FnOnce(&Look<'_>) -> T) -> T {
    let index = faces.keys.now();
    let tenant = index.tenant(asker.tenant);
    let settings = &faces.app.settings;
    let until = Timestamp::now().checked_add(settings.link_lifetime).unwrap_or(Timestamp::MAX);
    let base = base_url(faces, headers);
    let link = |kind: &str, call: CallId| {
        let token = links::token(&settings.link_key, asker.tenant, call, until);
        format!("{base}/fdownload/{kind}?pkeyID={call}.wav&xKey={token}")
    };
    render(&Look {
        zone: tenant.and_then(|tenant| TimeZone::get(&tenant.timezone).ok()).unwrap_or(TimeZone::UTC),
        country: tenant.map(|tenant| tenant.country.clone()).unwrap_or_default(),
        link: &link,
    })
}

/// What links begin with, without a slash at the end.
pub(super) fn base_url(faces: &Faces, headers: &HeaderMap) -> String {
    let base = faces.app.settings.public_url.clone().unwrap_or_else(|| asked_url(headers));
    base.trim_end_matches('/').to_owned()
}

/// The address that the client asked for; a proxy that speaks TLS for us says so.
fn asked_url(headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = match text(header::HeaderName::from_static("x-forwarded-proto")) {
        Some("https") => "https",
        _ => "http",
    };
    text(header::HOST).map(|host| format!("{scheme}://{host}")).unwrap_or_default()
}

pub(super) fn said(refusal: Refusal) -> String {
    logged(refusal).to_string()
}

/// The vendor's body has room for a sentence only; the cause goes to the log.
pub(super) fn logged(refusal: Refusal) -> Refusal {
    if let Refusal::Store(error) = &refusal {
        tracing::error!(error = error as &dyn std::error::Error, "answering a request");
    }
    refusal
}
