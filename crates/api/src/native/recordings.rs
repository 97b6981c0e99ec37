//! `/v1/recordings`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::Response;
use model::{CallId, RecordingId};
use serde::{Deserialize, Serialize};
use store::RecordingRow;
use utoipa::{IntoParams, ToSchema};

use super::extract::{Asked, Named};
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::Page;
use crate::Faces;
use crate::actions::{Refusal, recordings};
use crate::sound::{self, Disposition};

/// The rows of a page, unless asked otherwise, and at most.
const PAGE: u32 = 100;
const MOST: u32 = 1_000;

/// Which recordings.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// With the admin token: the tenant's name.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
    /// Only those of this call.
    callid: Option<String>,
    /// Rows of a page, 1 to 1 000 (100).
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A recording in the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedRecording {
    /// The recording's id.
    #[schema(example = "1700000000.1000103")]
    id: String,
    /// Its call.
    #[schema(example = "1700000000.1000101")]
    callid: String,
    /// Where it plays, with the same token.
    #[schema(example = "/v1/recordings/1700000000.1000103")]
    url: String,
    /// Length of sound; null while it is written.
    #[schema(required)]
    milliseconds: Option<u64>,
    /// Milliseconds lost by the server.
    gap_milliseconds: u64,
    /// Size of the file.
    bytes: u64,
    /// SHA-256 of the file in hex; empty while it is written.
    sha256: String,
    /// Whether nothing usable was written.
    failed: bool,
    /// Whether the sound was deleted because it was old.
    expired: bool,
}

impl ListedRecording {
    fn of(row: RecordingRow) -> Self {
        Self {
            id: row.recording.to_string(),
            callid: row.callid.to_string(),
            url: format!("/v1/recordings/{}", row.recording),
            milliseconds: row.milliseconds,
            gap_milliseconds: row.gap_milliseconds,
            bytes: row.bytes,
            sha256: row.sha256,
            failed: row.failed,
            expired: row.expired,
        }
    }
}

/// Recordings, newest first.
#[utoipa::path(get, path = "/v1/recordings", operation_id = "list_recordings", tag = "recordings",
    extensions(("x-role" = json!("reader"))), params(Which),
    responses(
        (status = 200, description = "A page", body = Page<ListedRecording>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Asked(Which { callid, limit, after, .. }): Asked<Which>,
) -> Result<Json<Page<ListedRecording>>, ProblemBody> {
    let size = limit.unwrap_or(PAGE).clamp(1, MOST);
    let callid = id::<CallId>("callid", callid)?;
    let after = id::<RecordingId>("after", after)?;
    // One more tells whether there is a next page.
    let mut rows = recordings::list(&faces.app, &asker, callid, after, size + 1).await?;
    let more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next = rows.last().filter(|_| more).map(|row| row.recording.to_string());
    Ok(Json(Page { items: rows.into_iter().map(ListedRecording::of).collect(), next }))
}

fn id<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str, text: Option<String>) -> Result<Option<T>, Refusal> {
    text.map(|text| text.parse().map_err(|error| Refusal::wrong(format!("{name}: {error}")))).transpose()
}

/// The sound of a recording: a stereo WAV, customer left, agent right.
///
/// Takes `Range` with one range of bytes; anything else in that header is as if it were not there. `HEAD` is answered.
#[utoipa::path(get, path = "/v1/recordings/{id}", operation_id = "get_recording", tag = "recordings",
    extensions(("x-role" = json!("reader"))),
    params(("id" = String, Path, description = "The recording's id", example = "1700000000.1000103"),
        ("Range" = Option<String>, Header, description = "A part of the sound", example = "bytes=0-65535")),
    responses(
        (status = 200, description = "The sound", content_type = "audio/wav", body = Vec<u8>),
        (status = 206, description = "A part of it", content_type = "audio/wav", body = Vec<u8>),
        (status = 416, description = "The part lies behind the end"),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn sound(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(id): Named<RecordingId>,
    request: Request,
) -> Result<Response, ProblemBody> {
    let file = recordings::file(&faces.app, &asker, id).await?;
    let sound = sound::serve(&file, request, &id.to_string(), Disposition::Inline).await;
    Ok(sound.ok_or_else(|| Refusal::not_found(format!("the sound of recording {id}")))?)
}
