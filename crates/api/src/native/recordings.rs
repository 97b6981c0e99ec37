//! `/v1/recordings`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use model::RecordingId;

use super::extract::Named;
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use crate::Faces;
use crate::actions::{Refusal, recordings};
use crate::sound::{self, Disposition};

/// The sound of a recording: a stereo WAV, customer left, agent right. Takes `Range`.
#[utoipa::path(get, path = "/v1/recordings/{id}", operation_id = "get_recording", tag = "recordings", extensions(("x-role" = json!("reader"))), params(("id" = String, Path, description = "The recording's id")),
    responses(
        (status = 200, description = "The sound", content_type = "audio/wav", body = Vec<u8>),
        (status = 206, description = "A part of it", content_type = "audio/wav", body = Vec<u8>),
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
