//! Recordings: the link to one by its call's id, and what a link plays.
//!
//! Players read HTTP statuses, so that a wrong link is a 404. Its token is its only credential (`links.rs`).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::{CallId, Timestamp};
use serde_json::json;

use super::look::look;
use super::sign_in::{Client, sign_in, sign_in_without_secret};
use super::translate::{logged, optional, required, said};
use super::wire::{FAILED, PlayAnswer};
use crate::actions::{Asker, recordings, records};
use crate::base_url::BaseUrl;
use crate::sound::{self, Disposition};
use crate::vendors::given::Given;
use crate::{Faces, links};

/// Where the recording of a call is. The documents ask for the public key alone; where the key needs its secret, so does this.
pub(super) async fn link(
    State(faces): State<Arc<Faces>>,
    from: Client,
    base: BaseUrl,
    given: Given,
) -> Json<PlayAnswer> {
    Json(match try_link(&faces, from, &base, &given).await {
        Ok(Some(link)) => PlayAnswer::found(link),
        Ok(None) => PlayAnswer::failed("not found"),
        Err(why) => PlayAnswer::failed(why),
    })
}

async fn try_link(faces: &Faces, from: Client, base: &BaseUrl, given: &Given) -> Result<Option<String>, String> {
    let asker = asker(faces, from, given)?;
    let Ok(call) = required(given, "callid")?.parse::<CallId>() else { return Ok(None) };
    let filter = store::RecordFilter { callid: Some(call), ..store::RecordFilter::default() };
    let page = records::list(&faces.app, &asker, &filter, None, 1).await.map_err(said)?;
    let recorded = page.rows.iter().any(|row| row.record.recording().is_some());
    Ok(recorded.then(|| look(faces, &asker, base, |look| (look.link)("play", call))))
}

fn asker(faces: &Faces, from: Client, given: &Given) -> Result<Asker, String> {
    match optional(given, "secret")? {
        Some(_) => sign_in(faces, from, given),
        None => sign_in_without_secret(faces, from, given),
    }
}

/// For a player in a page.
pub(super) async fn play(State(faces): State<Arc<Faces>>, request: Request) -> Response {
    recording(&faces, request, Disposition::Inline).await
}

/// For a file on a disk.
pub(super) async fn download(State(faces): State<Arc<Faces>>, request: Request) -> Response {
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
