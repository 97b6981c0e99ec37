//! `/v1/records`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use model::{CallId, Direction, Status, Timestamp};
use serde::Deserialize;
use store::{RecordCursor, RecordFilter, RecordState};
use utoipa::IntoParams;

use super::extract::Asked;
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::{Page, RecordView};
use crate::Faces;
use crate::actions::{Refusal, records};

/// The rows of a page, unless asked otherwise, and at most.
const PAGE: u32 = 100;
const MOST: u32 = 1_000;

/// Which records. What is left out does not matter.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// With the admin token: the tenant's name.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
    /// Rows of a page, 1 to 1 000 (100).
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
    /// `ended` (as it is without), `live` or `any`.
    state: Option<String>,
    /// Started at this moment (RFC 3339) or later.
    started_since: Option<String>,
    /// Started before this moment.
    started_before: Option<String>,
    /// Ended at this moment or later.
    ended_since: Option<String>,
    /// Ended before this moment.
    ended_before: Option<String>,
    /// One call.
    callid: Option<String>,
    /// The company's side.
    extension: Option<String>,
    /// The other side, in any form of the number.
    customer: Option<String>,
    /// The tenant's number, in any form.
    did: Option<String>,
    /// Extension, customer or the tenant's number.
    search: Option<String>,
    /// `inbound`, `outbound` or `local`.
    direction: Option<String>,
    /// `answered`, `no_answer`, `busy`, `failed` or `missed`.
    status: Option<String>,
}

/// Records, newest first.
#[utoipa::path(get, path = "/v1/records", operation_id = "list_records", tag = "records", extensions(("x-role" = json!("reader"))), params(Search),
    responses(
        (status = 200, description = "A page", body = Page<RecordView>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Asked(search): Asked<Search>,
) -> Result<Json<Page<RecordView>>, ProblemBody> {
    let size = search.limit.unwrap_or(PAGE).clamp(1, MOST);
    let cursor = search
        .after
        .as_deref()
        .map(|text| text.parse::<RecordCursor>().map_err(|error| Refusal::wrong(format!("after: {error}"))))
        .transpose()?;
    let page = records::list(&faces.app, &asker, &filter(search)?, cursor, size).await?;
    Ok(Json(Page {
        items: page.rows.iter().map(|row| RecordView::of(&row.record, &zone)).collect(),
        next: page.next.map(|cursor| cursor.to_string()),
    }))
}

fn filter(search: Search) -> Result<RecordFilter, Refusal> {
    Ok(RecordFilter {
        state: match search.state.as_deref() {
            None | Some("ended") => RecordState::Ended,
            Some("live") => RecordState::Live,
            Some("any") => RecordState::Any,
            Some(_) => return Err(Refusal::wrong("state: ended, live or any")),
        },
        started_since: moment("started_since", search.started_since)?,
        started_before: moment("started_before", search.started_before)?,
        ended_since: moment("ended_since", search.ended_since)?,
        ended_before: moment("ended_before", search.ended_before)?,
        callid: search
            .callid
            .map(|text| text.parse::<CallId>().map_err(|error| Refusal::wrong(format!("callid: {error}"))))
            .transpose()?,
        extension: search.extension,
        customer: search.customer,
        did: search.did,
        search: search.search,
        direction: match search.direction.as_deref() {
            None => None,
            Some("inbound") => Some(Direction::Inbound),
            Some("outbound") => Some(Direction::Outbound),
            Some("local") => Some(Direction::Local),
            Some(_) => return Err(Refusal::wrong("direction: inbound, outbound or local")),
        },
        status: match search.status.as_deref() {
            None => None,
            Some("answered") => Some(Status::Answered),
            Some("no_answer") => Some(Status::NoAnswer),
            Some("busy") => Some(Status::Busy),
            Some("failed") => Some(Status::Failed),
            Some("missed") => Some(Status::Missed),
            Some(_) => return Err(Refusal::wrong("status: answered, no_answer, busy, failed or missed")),
        },
        ..RecordFilter::default()
    })
}

fn moment(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Refusal> {
    // In a query `+` stands for a space, also in `2026-01-01T00:00:00+07:00`.
    let parse = |text: String| text.replace(' ', "+").parse::<Timestamp>();
    text.map(parse)
        .transpose()
        .map_err(|_| Refusal::wrong(format!("{name}: a moment looks like 2026-01-31T08:00:00+07:00")))
}
