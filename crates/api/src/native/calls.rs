//! `/v1/calls`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use model::{CallId, ClaimedKey, DialAnswer};
use serde::{Deserialize, Serialize};
use store::RecordCursor;
use utoipa::{IntoParams, ToSchema};

use super::extract::{Asked, Named, OrderKey, Sent};
use super::once::REPLAYED;
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::{CallStoryView, CallView, EventView, Page, RecordView};
use crate::Faces;
use crate::actions::{Refusal, calls};

/// The rows of a page, unless asked otherwise, and at most.
const PAGE: u32 = 100;
const MOST: u32 = 1_000;

/// A click-to-call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeginCall {
    /// The extension to ring first.
    #[schema(example = "101", min_length = 1, max_length = 32)]
    from: String,
    /// The number to dial once the extension has answered.
    #[schema(example = "0900000001")]
    to: String,
}

/// A call that was accepted.
#[derive(Serialize, ToSchema)]
pub(crate) struct BegunCall {
    /// The call's id.
    #[schema(example = "1700000000.1000101")]
    id: String,
    /// The same, by the name it has in events.
    callid: String,
    /// `started`
    state: &'static str,
    /// The extension.
    from: String,
    /// As it was asked for.
    to: String,
    /// The leg of the extension.
    leg: String,
}

/// Begins a call: rings the extension, then dials the number and connects them.
///
/// Answers as soon as the call is accepted and stored; the events tell how it goes on. With an `Idempotency-Key` the order
/// is carried out once: the same key with the same body gets the first answer again, and no phone rings twice.
#[utoipa::path(post, path = "/v1/calls", operation_id = "begin_call", tag = "calls",
    extensions(("x-role" = json!("agent"))), request_body = BeginCall,
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "A key of the client's choice for this order: 1 to 255 visible ASCII characters, kept for 24 hours for the token that was shown. With another body it is refused (422). An answer 503 is not kept: the order may come again")),
    responses(
        (status = 201, description = "The call runs", body = BegunCall, headers(("location" = String, description = "Where the call can be looked at"))),
        (status = "default", description = "It does not", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn begin(
    State(faces): State<Arc<Faces>>,
    signed_in: SignedIn,
    OrderKey(key): OrderKey,
    Sent(BeginCall { from, to }): Sent<BeginCall>,
) -> Result<impl IntoResponse, ProblemBody> {
    let (app, asker, answer) = (&faces.app, &signed_in.asker, DialAnswer::WhenAccepted);
    let begun = match key {
        Some(key) => {
            let key = ClaimedKey { owner: signed_in.owner(), key };
            calls::click_to_call_once(app, asker, &from, &to, answer, key).await?
        }
        None => calls::click_to_call(app, asker, &from, &to, answer).await?,
    };
    let id = begun.call.to_string();
    let location = [(header::LOCATION, format!("/v1/calls/{id}"))];
    let replayed = begun.again.then_some([(REPLAYED, "true")]);
    let body = BegunCall { callid: id.clone(), id, state: "started", from, to, leg: begun.leg.to_string() };
    Ok((StatusCode::CREATED, location, AppendHeaders(replayed.into_iter().flatten()), Json(body)))
}

/// Which live calls.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// With the admin token: the tenant's name.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
    /// Rows of a page, 1 to 1 000 (100).
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Live calls, newest first.
#[utoipa::path(get, path = "/v1/calls", operation_id = "list_calls", tag = "calls",
    extensions(("x-role" = json!("reader"))), params(Which),
    responses(
        (status = 200, description = "A page", body = Page<CallView>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Asked(which): Asked<Which>,
) -> Result<Json<Page<CallView>>, ProblemBody> {
    let size = which.limit.unwrap_or(PAGE).clamp(1, MOST);
    let cursor = which
        .after
        .as_deref()
        .map(|text| text.parse::<RecordCursor>().map_err(|error| Refusal::wrong(format!("after: {error}"))))
        .transpose()?;
    let page = calls::live(&faces.app, &asker, cursor, size).await?;
    let items = page.rows.iter().map(|row| CallView::of(&row.record, &zone)).collect();
    Ok(Json(Page { items, next: page.next.map(|cursor| cursor.to_string()) }))
}

/// One call, live or over: its legs, events and record.
#[utoipa::path(get, path = "/v1/calls/{id}", operation_id = "get_call", tag = "calls", 
    extensions(("x-role" = json!("reader"))),
    params(("id" = String, Path, description = "The call's id", example = "1700000000.1000101")),
    responses(
        (status = 200, description = "The call", body = CallStoryView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn story(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Named(call): Named<CallId>,
) -> Result<Json<CallStoryView>, ProblemBody> {
    let story = calls::story(&faces.app, &asker, call).await?;
    Ok(Json(CallStoryView {
        call: CallView::of(&story.row.record, &zone),
        events: story.events.iter().map(EventView::of).collect(),
        record: RecordView::of(&story.row.record, &zone),
    }))
}
