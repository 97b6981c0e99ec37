//! `/v1/records`: a page as JSON, or all that a filter meets as CSV or as JSON lines.

mod export;
mod search;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::RecordCursor;
use utoipa::ToSchema;

use super::extract::Asked;
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::RecordView;
use crate::Faces;
use crate::actions::{Refusal, records};
use export::Form;
use search::{Chosen, Search};

/// The rows of a page, unless asked otherwise, and at most.
const PAGE: u32 = 100;
const MOST: u32 = 1_000;

/// A page of records.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordsPage {
    /// The rows, newest first. There may be fewer than asked for, even none, while `next` is there: then the search looked
    /// through as much as one request may, and goes on from there.
    items: Vec<RecordView>,
    /// What to give as `after` for the next, older page; null after the last one.
    #[schema(required)]
    next: Option<String>,
    /// What to give as `after` for the page before, a newer one; null on the first.
    #[schema(required)]
    prev: Option<String>,
}

/// Records, newest first.
///
/// `Accept: text/csv` gives all of them as CSV, `Accept: application/x-ndjson` as a line of JSON each; `limit` and `after`
/// are of no effect then.
#[utoipa::path(get, path = "/v1/records", operation_id = "list_records", tag = "records", extensions(("x-role" = json!("reader"))), params(Search),
    responses(
        (status = 200, description = "A page", content(
            (RecordsPage = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"))),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    headers: HeaderMap,
    Asked(search): Asked<Search>,
) -> Result<Response, ProblemBody> {
    let Chosen { filter, after, limit } = search.chosen()?;
    if let Some(form) = wanted(&headers) {
        return Ok(export::body(records::stream(&faces.app, &asker, filter)?, form, zone));
    }
    let size = limit.unwrap_or(PAGE).clamp(1, MOST);
    let cursor = after
        .map(|text| text.parse::<RecordCursor>().map_err(|error| Refusal::wrong(format!("after: {error}"))))
        .transpose()?;
    let page = records::list(&faces.app, &asker, &filter, cursor, size).await?;
    let page = RecordsPage {
        items: page.rows.iter().map(|row| RecordView::of(&row.record, &zone)).collect(),
        next: page.next.map(|cursor| cursor.to_string()),
        prev: page.prev.map(|cursor| cursor.to_string()),
    };
    Ok(Json(page).into_response())
}

/// All records that the filter meets, as CSV.
///
/// The first row has the names of the columns. It comes as it is read, however long it is.
#[utoipa::path(get, path = "/v1/records.csv", operation_id = "export_records", tag = "records", extensions(("x-role" = json!("reader"))), params(Search),
    responses(
        (status = 200, description = "All of them, newest first", body = String, content_type = "text/csv"),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn export(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Asked(search): Asked<Search>,
) -> Result<Response, ProblemBody> {
    let Chosen { filter, .. } = search.chosen()?;
    Ok(export::body(records::stream(&faces.app, &asker, filter)?, Form::Csv, zone))
}

/// Another form than JSON, where the client names one.
fn wanted(headers: &HeaderMap) -> Option<Form> {
    let accept = headers.get(header::ACCEPT)?.to_str().ok()?;
    accept.split([',', ';']).find_map(|kind| match kind.trim().to_ascii_lowercase().as_str() {
        "text/csv" => Some(Some(Form::Csv)),
        "application/x-ndjson" | "application/jsonl" => Some(Some(Form::Lines)),
        "application/json" | "*/*" => Some(None),
        _ => None,
    })?
}
