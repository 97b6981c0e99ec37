//! `/v1/sounds/{id}/file`: the file of a sound that is not spoken.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::Asked;
use super::problem::ProblemBody;
use super::sign_in::Keeping;
use crate::Faces;
use crate::actions::{Refusal, sounds};
use crate::sound::{self, Disposition};

/// Whose sound.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// With the admin token: the tenant's name.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
}

/// A sound that was uploaded.
#[derive(Serialize, ToSchema)]
pub(crate) struct UploadedSound {
    /// How long it plays.
    #[schema(example = 12_480)]
    milliseconds: u64,
}

/// Uploads the file of a sound: WAV, or Ogg with Opus; up to 20 MB and 10 minutes. Answers when it is played.
#[utoipa::path(put, path = "/v1/sounds/{id}/file", operation_id = "upload_sound", tag = "settings",
    extensions(("x-role" = json!("supervisor"))), params(Whose,
        ("id" = String, Path, description = "Its name, or its id", example = "jazz")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "The file; its own head says what it is, whatever its `Content-Type`"),
    responses(
        (status = 200, description = "It is played", body = UploadedSound),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn upload(
    State(faces): State<Arc<Faces>>,
    Keeping { keeper, .. }: Keeping,
    Path(called): Path<String>,
    _whose: Asked<Whose>,
    request: Request,
) -> Result<Json<UploadedSound>, ProblemBody> {
    sounds::may_upload(&keeper)?;
    let file = Bytes::from_request(request, &faces)
        .await
        .map_err(|rejection| ProblemBody::new(rejection.status(), "body", rejection.body_text()))?;
    let milliseconds = sounds::upload(&faces.app, &keeper, &called, file).await?;
    Ok(Json(UploadedSound { milliseconds }))
}

/// The file of a sound, as it is played: a mono WAV with 8 000 samples a second.
///
/// Takes `Range` with one range of bytes; anything else in that header is as if it were not there. `HEAD` is answered.
#[utoipa::path(get, path = "/v1/sounds/{id}/file", operation_id = "get_sound_file", tag = "settings",
    extensions(("x-role" = json!("reader"))), params(Whose,
        ("id" = String, Path, description = "Its name, or its id", example = "jazz"),
        ("Range" = Option<String>, Header, description = "A part of the sound", example = "bytes=0-65535")),
    responses(
        (status = 200, description = "The sound", content_type = "audio/wav", body = Vec<u8>),
        (status = 206, description = "A part of it", content_type = "audio/wav", body = Vec<u8>),
        (status = 416, description = "The part lies behind the end"),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn file(
    State(faces): State<Arc<Faces>>,
    Keeping { keeper, .. }: Keeping,
    Path(called): Path<String>,
    _whose: Asked<Whose>,
    request: Request,
) -> Result<Response, ProblemBody> {
    let (file, name) = sounds::file(&faces.app, &keeper, &called).await?;
    let sound = sound::serve(&file, request, &name, Disposition::Inline).await;
    Ok(sound.ok_or_else(|| Refusal::not_found(format!("the file of sound {name}")))?)
}

/// Takes the file of a sound away. Whoever would have heard it hears what is usual.
#[utoipa::path(delete, path = "/v1/sounds/{id}/file", operation_id = "delete_sound_file", tag = "settings",
    extensions(("x-role" = json!("supervisor"))), params(Whose,
        ("id" = String, Path, description = "Its name, or its id", example = "jazz")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete(
    State(faces): State<Arc<Faces>>,
    Keeping { keeper, .. }: Keeping,
    Path(called): Path<String>,
    _whose: Asked<Whose>,
) -> Result<StatusCode, ProblemBody> {
    sounds::delete(&faces.app, &keeper, &called).await?;
    Ok(StatusCode::NO_CONTENT)
}
