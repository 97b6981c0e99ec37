//! Voip24h's paths. Business failures answer HTTP 200 with the failure in the body, as its clients read it; a path that is
//! not there is a 404 in the words of the framework that the vendor used. Who asks is found out in `sign_in.rs`; links to
//! recordings are in `playing.rs`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use model::{ActingLeg, CallId, Direction, Timestamp, TransferMode};
use serde_json::json;
use store::RecordFilter;
use tower_http::catch_panic::CatchPanicLayer;

use super::look::look;
use super::search::{self, Search};
use super::sign_in::{Client, sign_in};
use super::translate::{self, logged, not_done, optional, required, said};
use super::wire::{DialAnswer, FAILED, ListAnswer};
use super::{documents, playing};
use crate::Faces;
use crate::actions::{Asker, calls, orders, records};
use crate::base_url::BaseUrl;
use crate::vendors::both;
use crate::vendors::given::Given;

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

/// The call that is meant: the newest live one of `sip` and `phone`, or the one that `callid` picks among theirs; where
/// neither is given, whichever has the id (readings 8).
async fn live_call(faces: &Faces, asker: &Asker, given: &Given) -> Result<CallId, String> {
    let Some(callid) = optional(given, "callid")? else {
        let (extension, phone) = (required(given, "sip")?, required(given, "phone")?);
        let live = calls::newest_live(&faces.app, asker, extension, phone).await.map_err(said)?;
        return Ok(live.ok_or_else(|| format!("No active call between {extension} and {phone}"))?.record.callid);
    };
    let call = callid.parse().map_err(|_| format!("No active call {callid}"))?;
    let (extension, phone) = (optional(given, "sip")?, optional(given, "phone")?);
    if extension.is_none() && phone.is_none() {
        return Ok(call);
    }
    let theirs = calls::is_live_with(&faces.app, asker, call, extension, phone).await.map_err(said)?;
    let whose: Vec<&str> = extension.into_iter().chain(phone).collect();
    theirs.then_some(call).ok_or_else(|| format!("No active call {callid} of {}", whose.join(" and ")))
}

async fn history(State(faces): State<Arc<Faces>>, from: Client, base: BaseUrl, given: Given) -> Json<ListAnswer> {
    let answer = try_list(&faces, from, &base, &given, |given| search::history(given, Timestamp::now()));
    Json(answer.await.unwrap_or_else(translate::no_list))
}

async fn search(State(faces): State<Arc<Faces>>, from: Client, base: BaseUrl, given: Given) -> Json<ListAnswer> {
    Json(try_list(&faces, from, &base, &given, search::search).await.unwrap_or_else(translate::no_list))
}

async fn try_list(
    faces: &Faces,
    from: Client,
    base: &BaseUrl,
    given: &Given,
    read: impl FnOnce(&Given) -> Result<Search, String>,
) -> Result<ListAnswer, String> {
    let asker = sign_in(faces, from, given)?;
    let Search { filter, cursor, size } = read(given)?;
    let page = records::list(&faces.app, &asker, &filter, cursor, size).await.map_err(said)?;
    let total = records::count(&faces.app, &asker, &filter).await.map_err(said)?;
    Ok(look(faces, &asker, base, |look| translate::list(&page, total, look)))
}

async fn searching(State(faces): State<Arc<Faces>>, from: Client, base: BaseUrl, given: Given) -> Json<ListAnswer> {
    Json(try_searching(&faces, from, &base, &given).await.unwrap_or_else(translate::no_list))
}

async fn try_searching(faces: &Faces, from: Client, base: &BaseUrl, given: &Given) -> Result<ListAnswer, String> {
    let asker = sign_in(faces, from, given)?;
    let page = match search::searching(given)? {
        Some(call) => {
            let filter = RecordFilter { callid: Some(call), ..RecordFilter::default() };
            records::list(&faces.app, &asker, &filter, None, 1).await.map_err(said)?
        }
        None => store::RecordPage { rows: Vec::new(), next: None, prev: None },
    };
    Ok(look(faces, &asker, base, |look| translate::list(&page, page.rows.len() as u64, look)))
}
