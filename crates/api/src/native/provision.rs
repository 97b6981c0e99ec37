//! `/v1/provision`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::StringRejection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Changes;
use utoipa::{IntoParams, ToSchema};

use super::extract::Asked;
use super::problem::ProblemBody;
use super::sign_in::Keeping;
use crate::Faces;
use crate::actions::provision;

/// How the file is applied.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct How {
    /// Whether what the file does not name is deleted.
    #[serde(default)]
    prune: bool,
}

/// What applying the file changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppliedBody {
    /// Things that were not there.
    created: u64,
    /// Things that were different.
    updated: u64,
    /// Things that are gone because the file does not name them.
    deleted: u64,
    /// Things that were as the file has them.
    unchanged: u64,
}

/// Makes the server match a provision file (YAML). Needs the admin token. Answers when the new settings are in force.
#[utoipa::path(post, path = "/v1/provision", operation_id = "apply_provision", tag = "settings", extensions(("x-role" = json!("operator"))), params(How),
    request_body(content = String, content_type = "application/yaml", description = "The file"),
    responses(
        (status = 200, description = "It matches", body = AppliedBody),
        (status = "default", description = "Nothing was changed", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn apply(
    State(faces): State<Arc<Faces>>,
    Keeping { keeper, .. }: Keeping,
    Asked(How { prune }): Asked<How>,
    yaml: Result<String, StringRejection>,
) -> Result<Json<AppliedBody>, ProblemBody> {
    let yaml = yaml.map_err(|rejection| ProblemBody::new(rejection.status(), "body", rejection.body_text()))?;
    let Changes { created, updated, deleted, unchanged } = provision::apply(&faces.app, &keeper, yaml, prune).await?;
    Ok(Json(AppliedBody { created, updated, deleted, unchanged }))
}

/// Whose settings.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// With the admin token: the tenant's name; left out: the whole server.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
}

/// All settings as a provision file (in JSON, which is YAML), without the secrets: they have to be put in before it can
/// be applied to another server.
#[utoipa::path(get, path = "/v1/provision", operation_id = "export_provision", tag = "settings", extensions(("x-role" = json!("owner"))), params(Whose),
    responses(
        (status = 200, description = "The file", body = HashMap<String, Value>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn export(
    State(faces): State<Arc<Faces>>,
    Keeping { keeper, .. }: Keeping,
    _whose: Asked<Whose>,
) -> Result<Json<Map<String, Value>>, ProblemBody> {
    Ok(Json(provision::export(&faces.app, &keeper).await?))
}
