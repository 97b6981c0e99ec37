//! Voip24h's paths. Business failures answer HTTP 200 with the failure in the body, as its clients read it; links to
//! recordings answer real HTTP statuses, because players read those.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use jiff::tz::TimeZone;
use model::{CallId, Direction, Timestamp};
use serde_json::json;
use store::RecordFilter;

use super::translate::{self, Look, Search, not_done, required};
use super::wire::{DialAnswer, FAILED, ListAnswer};
use crate::actions::{Asker, Refusal, calls, recordings, records};
use crate::sound::{self, Disposition};
use crate::vendors::both;
use crate::vendors::given::Given;
use crate::{Faces, Peer, links};

/// The paths.
pub(crate) fn router() -> Router<Arc<Faces>> {
    let mut router = Router::new();
    for (path, methods) in [
        ("/dial", get(dial).post(dial).head(only_looks)),
        ("/calling", get(dial).post(dial).head(only_looks)),
        ("/dial/hangup", get(hang_up).post(hang_up).head(only_looks)),
        ("/dial/history", get(history).post(history)),
        ("/dial/searching", get(searching).post(searching)),
        ("/fdownload/recording", get(play)),
        ("/fdownload/play", get(play)),
        ("/fdownload/downloadFile", get(download)),
    ] {
        router = both(router, path, methods);
    }
    router
}

/// A HEAD is sent by what looks at links, not by who means to call: it must not do what GET does here.
async fn only_looks() -> (StatusCode, [(header::HeaderName, &'static str); 1]) {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST, OPTIONS")])
}

/// The client's address, where the server tells it.
type Client = Option<Extension<Peer>>;

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
    let call = match given.get("callid") {
        Some(callid) => callid.parse().map_err(|_| format!("No active call {callid}"))?,
        None => {
            let (extension, phone) = (required(given, "sip")?, required(given, "phone")?);
            let live = calls::newest_live(&faces.app, &asker, extension, phone).await.map_err(said)?;
            live.ok_or_else(|| format!("No active call between {extension} and {phone}"))?.record.callid
        }
    };
    calls::hang_up(&faces.app, &asker, call).await.map_err(said)?;
    Ok(translate::done(&call.to_string()))
}

async fn history(State(faces): State<Arc<Faces>>, from: Client, headers: HeaderMap, given: Given) -> Json<ListAnswer> {
    Json(try_history(&faces, from, &headers, &given).await.unwrap_or_else(translate::no_list))
}

async fn try_history(faces: &Faces, from: Client, headers: &HeaderMap, given: &Given) -> Result<ListAnswer, String> {
    let asker = sign_in(faces, from, given)?;
    let Search { filter, cursor, size } = translate::history(given, Timestamp::now())?;
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
    let page = match translate::searching(given)? {
        Some(call) => {
            let filter = RecordFilter { callid: Some(call), ..RecordFilter::default() };
            records::list(&faces.app, &asker, &filter, None, 1).await.map_err(said)?
        }
        None => store::RecordPage { rows: Vec::new(), next: None, prev: None },
    };
    Ok(look(faces, &asker, headers, |look| translate::list(&page, page.rows.len() as u64, look)))
}

async fn play(State(faces): State<Arc<Faces>>, request: Request) -> Response {
    recording(&faces, request, Disposition::Inline).await
}

async fn download(State(faces): State<Arc<Faces>>, request: Request) -> Response {
    recording(&faces, request, Disposition::Attachment).await
}

/// A wrong token and a recording that is not there look the same.
async fn recording(faces: &Faces, request: Request, disposition: Disposition) -> Response {
    let given = Given::in_query(request.uri());
    let sound = async {
        let call: CallId = given.get("pkeyid")?.strip_suffix(".wav")?.parse().ok()?;
        let tenant = links::open(&faces.app.settings.link_key, given.get("xkey")?, call, Timestamp::now())?;
        let file = recordings::file_of_link(&faces.app, tenant, call).await.map_err(logged).ok()?;
        sound::serve(&file, request, &call.to_string(), disposition).await
    };
    sound.await.unwrap_or_else(|| {
        let body = json!({ "status": FAILED, "message": "this recording does not exist or the link has expired" });
        (StatusCode::NOT_FOUND, Json(body)).into_response()
    })
}

/// Who asks. A wrong key and a key used from elsewhere than it may are told apart only by whoever has the key.
fn sign_in(faces: &Faces, from: Client, given: &Given) -> Result<Asker, String> {
    let (voip, secret) = (required(given, "voip")?, required(given, "secret")?);
    let key = faces.keys.now().voip24h(voip, secret).ok_or("voip or secret is invalid")?;
    if !key.allows(from.map(|Extension(peer)| peer.0)) {
        return Err("this address is not allowed to use the key".to_owned());
    }
    Ok(key.asker())
}

/// Renders with the tenant's zone and country and links that its recordings play by.
fn look<T>(faces: &Faces, asker: &Asker, headers: &HeaderMap, render: impl FnOnce(&Look<'_>) -> T) -> T {
    let index = faces.keys.now();
    let tenant = index.tenant(asker.tenant);
    let settings = &faces.app.settings;
    let until = Timestamp::now().checked_add(settings.link_lifetime).unwrap_or(Timestamp::MAX);
    let base = settings.public_url.clone().unwrap_or_else(|| asked_url(headers));
    let base = base.trim_end_matches('/');
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

/// The address that the client asked for; a proxy that speaks TLS for us says so.
fn asked_url(headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = match text(header::HeaderName::from_static("x-forwarded-proto")) {
        Some("https") => "https",
        _ => "http",
    };
    text(header::HOST).map(|host| format!("{scheme}://{host}")).unwrap_or_default()
}

fn said(refusal: Refusal) -> String {
    logged(refusal).to_string()
}

/// The vendor's body has room for a sentence only; the cause goes to the log.
fn logged(refusal: Refusal) -> Refusal {
    if let Refusal::Store(error) = &refusal {
        tracing::error!(error = error as &dyn std::error::Error, "answering a request");
    }
    refusal
}
