//! `/v1/trunks`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::tz::TimeZone;
use model::{Timestamp, TrunkRegistration, TrunkState};
use serde::Serialize;
use store::TrunkRow;
use utoipa::ToSchema;

use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::moment;
use crate::Faces;
use crate::actions::trunks;

/// How a trunk stands.
#[derive(Serialize, ToSchema)]
#[schema(as = TrunkHealth)]
pub(crate) struct TrunkHealthView {
    /// The trunk's name.
    #[schema(example = "carrier")]
    id: String,
    /// Whether it is the operator's, shared by tenants.
    shared: bool,
    /// `unknown` (nobody has asked), `up`, `resting` (it asked to be left alone for a while) or `down` (it does not
    /// answer). Calls go to the first two.
    state: &'static str,
    /// Since when (RFC 3339, in the tenant's zone).
    #[schema(required)]
    since: Option<String>,
    /// Why it takes no calls; null while it does.
    #[schema(required)]
    why: Option<String>,
    /// When a trunk that rests is called again.
    #[schema(required)]
    until: Option<String>,
    /// Our registration there; null where we do not register.
    #[schema(required)]
    registration: Option<TrunkRegistrationView>,
}

/// Our registration at a carrier.
#[derive(Serialize, ToSchema)]
#[schema(as = TrunkRegistration)]
pub(crate) struct TrunkRegistrationView {
    /// Whether it stands.
    registered: bool,
    /// Since when it is so.
    since: String,
    /// Until when it was granted; it is refreshed before.
    #[schema(required)]
    expires_at: Option<String>,
    /// What is wrong; null while it stands.
    #[schema(required)]
    why: Option<String>,
    /// When it is tried again after a failure.
    #[schema(required)]
    retry_at: Option<String>,
}

impl TrunkHealthView {
    fn of(row: TrunkRow, zone: &TimeZone) -> Self {
        let health = row.health.as_ref();
        Self {
            id: row.name,
            shared: row.shared,
            state: health.map_or(TrunkState::Unknown, |health| health.state).name(),
            since: health.map(|health| moment(health.since, zone)),
            why: health.and_then(|health| said(health.why.as_str())),
            until: health.and_then(|health| health.until).map(|at| moment(at, zone)),
            registration: health
                .and_then(|health| health.registration.as_ref())
                .map(|registration| TrunkRegistrationView::of(registration, zone)),
        }
    }
}

impl TrunkRegistrationView {
    fn of(registration: &TrunkRegistration, zone: &TimeZone) -> Self {
        let shown = |at: Option<Timestamp>| at.map(|at| moment(at, zone));
        Self {
            registered: registration.registered,
            since: moment(registration.since, zone),
            expires_at: shown(registration.expires),
            why: said(registration.why.as_str()),
            retry_at: shown(registration.retry),
        }
    }
}

/// How a trunk stands: whether it takes calls, and our registration there.
#[utoipa::path(get, path = "/v1/trunks/{id}/health", operation_id = "get_trunk_health", tag = "trunks", extensions(("x-role" = json!("reader"))),
    params(("id" = String, Path, description = "The trunk's name", example = "carrier")),
    responses(
        (status = 200, description = "How it stands", body = TrunkHealthView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn health(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Path(name): Path<String>,
) -> Result<Json<TrunkHealthView>, ProblemBody> {
    let row = trunks::health(&faces.app, &asker, &name).await?;
    Ok(Json(TrunkHealthView::of(row, &zone)))
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
