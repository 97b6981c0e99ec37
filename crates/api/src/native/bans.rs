//! `/v1/bans`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use model::{Ban, Source};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::Asked;
use super::problem::ProblemBody;
use super::sign_in::{Anybody, Keeping};
use super::views::{Page, moment};
use crate::Faces;
use crate::actions::{Refusal, bans};

/// The rows of a page, unless asked otherwise, and at most.
const PAGE: u32 = 100;
const MOST: u32 = 1_000;

/// Which bans.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Rows of a page, 1 to 1 000 (100).
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A source that may not sign in, because it tried too many wrong passwords.
#[derive(Serialize, ToSchema)]
#[schema(as = Ban)]
pub(crate) struct BanView {
    /// An IPv4 address, or an IPv6 network of 64 bits.
    #[schema(example = "192.0.2.7")]
    source: String,
    /// Since when (RFC 3339, UTC).
    since: String,
    /// Until when (RFC 3339, UTC).
    until: String,
    /// Which ban in a row it is, from 1: each is longer than the one before.
    times: u32,
}

impl BanView {
    fn of(ban: &Ban) -> Self {
        let moment = |at| moment(at, &TimeZone::UTC);
        Self { source: ban.source.to_string(), since: moment(ban.since), until: moment(ban.until), times: ban.times }
    }
}

/// Sources that may not sign in now. Needs the admin token.
#[utoipa::path(get, path = "/v1/bans", operation_id = "list_bans", tag = "bans", extensions(("x-role" = json!("operator"))), params(Which),
    responses(
        (status = 200, description = "A page", body = Page<BanView>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(faces): State<Arc<Faces>>,
    Anybody(actor): Anybody,
    Asked(which): Asked<Which>,
) -> Result<Json<Page<BanView>>, ProblemBody> {
    let size = which.limit.unwrap_or(PAGE).clamp(1, MOST);
    let after = which.after.as_deref().map(|text| source("after", text)).transpose()?;
    // One more tells whether there is a next page.
    let mut found = bans::list(&faces.app, &actor, after, size + 1).await?;
    let next = (found.len() > size as usize).then(|| {
        found.truncate(size as usize);
        found.last().map(|ban| ban.source.to_string())
    });
    Ok(Json(Page { items: found.iter().map(BanView::of).collect(), next: next.flatten() }))
}

/// Lets a source sign in again, and forgets that it was banned. Needs the admin token.
#[utoipa::path(delete, path = "/v1/bans/{source}", operation_id = "lift_ban", tag = "bans", extensions(("x-role" = json!("operator"))),
    params(("source" = String, Path, example = "192.0.2.7", description = "As it stands in the list; the `/` of an IPv6 network as `%2F`, or any address in it")),
    responses(
        (status = 204, description = "It is lifted"),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn lift(
    State(faces): State<Arc<Faces>>,
    Keeping { keeper, .. }: Keeping,
    Path(named): Path<String>,
) -> Result<StatusCode, ProblemBody> {
    let source = source("source", &named)?;
    bans::lift(&faces.app, &keeper, source).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn source(name: &str, text: &str) -> Result<Source, Refusal> {
    text.parse().map_err(|error| Refusal::wrong(format!("{name}: {error}")))
}
