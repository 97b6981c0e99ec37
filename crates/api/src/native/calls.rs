//! `/v1/calls`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use model::{CallId, ClaimedKey, DialAnswer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Named, OrderKey, Sent};
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::{CallStoryView, CallView, EventView, Page, RecordView};
use crate::Faces;
use crate::actions::calls;

/// A click-to-call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeginCall {
    /// The extension to ring first.
    #[schema(example = "101")]
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

/// A call that was ended by order.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndedCall {
    /// The call's id.
    id: String,
    /// The same, by the name it has in events.
    callid: String,
    /// `ended`
    state: &'static str,
}

/// Begins a call: rings the extension, then dials the number and connects them.
///
/// Answers as soon as the call is accepted and stored; the events tell how it goes on. With an `Idempotency-Key` the order
/// is carried out once: the same key with the same body gets the first answer again, and no phone rings twice.
#[utoipa::path(post, path = "/v1/calls", operation_id = "begin_call", tag = "calls", request_body = BeginCall,
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
    let body = BegunCall { callid: id.clone(), id, state: "started", from, to, leg: begun.leg.to_string() };
    Ok((StatusCode::CREATED, location, Json(body)))
}

/// Live calls, newest first.
#[utoipa::path(get, path = "/v1/calls", operation_id = "list_calls", tag = "calls",
    responses(
        (status = 200, description = "All of them", body = Page<CallView>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
) -> Result<Json<Page<CallView>>, ProblemBody> {
    let rows = calls::live(&faces.app, &asker).await?;
    let items = rows.iter().map(|row| CallView::of(&row.record, &zone)).collect();
    Ok(Json(Page { items, next: None }))
}

/// One call, live or over: its legs, events and record.
#[utoipa::path(get, path = "/v1/calls/{id}", operation_id = "get_call", tag = "calls", params(("id" = String, Path, description = "The call's id")),
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

/// Ends a live call.
#[utoipa::path(post, path = "/v1/calls/{id}/hangup", operation_id = "hang_up_call", tag = "calls", params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 200, description = "It is ended", body = EndedCall),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn hang_up(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, .. }: SignedIn,
    Named(call): Named<CallId>,
) -> Result<Json<EndedCall>, ProblemBody> {
    calls::hang_up(&faces.app, &asker, call).await?;
    Ok(Json(EndedCall { id: call.to_string(), callid: call.to_string(), state: "ended" }))
}
