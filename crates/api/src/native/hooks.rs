//! `/v1/hooks/{id}/…`: how a hook stands, what was sent to it and what came back, and orders to send again. The settings of
//! hooks are `settings/`'s.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use store::{AttemptRow, DeliveryFilter, DeliveryRow, DeliveryState, HookId, HookStatus, Place, Whence};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Asked, Named, Sent};
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::{Page, moment};
use crate::Faces;
use crate::actions::{Refusal, hooks};

/// The rows of a page, unless asked otherwise, and at most.
const PAGE: usize = 100;
const MOST: usize = 1_000;

/// How a hook stands.
#[derive(Serialize, ToSchema)]
#[schema(as = HookStatus)]
pub(crate) struct HookStatusView {
    /// `on`, `failing` (the last attempts failed) or `off`.
    #[schema(example = "on")]
    state: &'static str,
    /// Since when it is off, where its receiver or a person switched it off.
    #[schema(required)]
    off_since: Option<String>,
    /// Why.
    #[schema(required)]
    off_why: Option<String>,
    /// Everything up to this position of the story has been made into deliveries, or is nothing that the hook is told.
    /// It comes level with the end of the story within seconds, also while the hook is told nothing.
    #[schema(example = 1042)]
    position: i64,
    /// Deliveries that are to be sent; 100 000 stands for more.
    pending: u64,
    /// Since when nothing has arrived.
    #[schema(required)]
    failing_since: Option<String>,
    /// When the owners were warned: nothing had arrived for an hour.
    #[schema(required)]
    warned_at: Option<String>,
    /// Why an attempt failed last.
    #[schema(required)]
    last_error: Option<String>,
    /// When that was.
    #[schema(required)]
    last_error_at: Option<String>,
    /// The part of the story that is being sent again.
    #[schema(required)]
    replaying: Option<RangeView>,
    /// Until when the secret before signs too.
    #[schema(required)]
    old_secret_until: Option<String>,
}

/// A part of the story.
#[derive(Serialize, ToSchema)]
#[schema(as = StoryRange)]
pub(crate) struct RangeView {
    /// Its first position.
    #[schema(example = 1000)]
    from: i64,
    /// Its last position. Less than `from`: there is nothing in it.
    #[schema(example = 1042)]
    to: i64,
}

/// Something that a hook is told.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryView {
    /// The `webhook-id` of the message, the same at every attempt.
    #[schema(example = "msg_7_1042_0")]
    id: String,
    /// `pending`, `delivered`, `failed` (all attempts did) or `cancelled` (the hook was switched off).
    state: &'static str,
    /// What it tells: `call.ended`, `hangup`, `missed`, `test`.
    event: String,
    /// The call it tells of, or another subject: `extension 101`.
    #[schema(example = "1700000000.1000101")]
    subject: String,
    /// The position of the event in the story; null for a test.
    #[schema(required)]
    position: Option<i64>,
    /// When it was made.
    made_at: String,
    /// When it is sent next; null while an earlier one of its call waits, and at its end.
    #[schema(required)]
    due_at: Option<String>,
    /// Whether it is being sent now.
    sending: bool,
    /// Attempts that were made.
    attempts: u32,
    /// When it came to its end.
    #[schema(required)]
    ended_at: Option<String>,
    /// What is sent, the same bytes at every attempt; by `get_query` and `post_form` its fields.
    body: String,
}

/// A delivery with its attempts.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryDetail)]
pub(crate) struct DeliveryDetailView {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// In order; the last thousand.
    tried: Vec<AttemptView>,
}

/// One attempt to deliver.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub(crate) struct AttemptView {
    /// From 1.
    number: u32,
    /// When it was begun.
    at: String,
    /// The first line and the headers that were sent, without the values of the URL's query.
    request: String,
    /// The answer's status; null: there was no answer.
    #[schema(required)]
    status: Option<u16>,
    /// The answer's headers, one a line.
    headers: String,
    /// The first 4 096 bytes of the answer.
    answer: String,
    /// How long it took.
    milliseconds: i64,
    /// Why it failed; null: it arrived.
    #[schema(required)]
    error: Option<String>,
}

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// `pending`, `delivered`, `failed` or `cancelled`.
    #[param(example = "pending")]
    state: Option<String>,
    /// Only those that tell of this call.
    call: Option<String>,
    /// Rows of a page, 1 to 1 000 (100).
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
    /// With the admin token: whose.
    #[param(ignore)]
    #[allow(dead_code, reason = "read by whoever signs in")]
    tenant: Option<String>,
}

/// A part of the story that is to be told again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "from": 1 }))]
pub(crate) struct ReplayOrder {
    /// A position, or a moment (RFC 3339).
    from: PointOfStory,
    /// A position that is told too, or a moment before which it ends. Left out: as far as the hook has been told.
    to: Option<PointOfStory>,
}

/// A position, or a moment (RFC 3339).
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum PointOfStory {
    /// A position.
    #[schema(example = 1042)]
    Position(i64),
    /// A moment.
    #[schema(example = "2026-01-01T08:00:00+07:00")]
    Moment(String),
}

/// A hook's new secret.
#[derive(Serialize, ToSchema)]
#[schema(as = HookSecret)]
pub(crate) struct SecretView {
    /// `whsec_` and 24 bytes in base64.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

/// How a hook stands: whether messages reach it, what waits.
#[utoipa::path(get, path = "/v1/hooks/{id}/status", operation_id = "hook_status", tag = "hooks",
    extensions(("x-role" = json!("reader"))),
    params(("id" = String, Path, description = "The hook's id", example = "7")),
    responses(
        (status = 200, description = "How it stands", body = HookStatusView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn status(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Named(id): Named<i64>,
) -> Result<Json<HookStatusView>, ProblemBody> {
    let status = hooks::status(&faces.app, &asker, HookId(id)).await?;
    Ok(Json(HookStatusView::of(status, &zone)))
}

/// What was sent to a hook, and what is to be: the newest first.
#[utoipa::path(get, path = "/v1/hooks/{id}/deliveries", operation_id = "list_deliveries", tag = "hooks",
    extensions(("x-role" = json!("reader"))),
    params(("id" = String, Path, description = "The hook's id", example = "7"), Which),
    responses(
        (status = 200, description = "A page", body = Page<DeliveryView>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn deliveries(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Named(id): Named<i64>,
    Asked(which): Asked<Which>,
) -> Result<Json<Page<DeliveryView>>, ProblemBody> {
    let hook = HookId(id);
    let state = which.state.as_deref().map(|word| {
        let sentence = "state: there are pending, delivered, failed and cancelled";
        DeliveryState::parse(word).ok_or_else(|| Refusal::wrong(sentence))
    });
    let below = which.after.as_deref().map(|name| {
        let sentence = "after: this is no `next` of a page of this hook's deliveries";
        Place::parse(hook, name).ok_or_else(|| Refusal::wrong(sentence))
    });
    let filter = DeliveryFilter { state: state.transpose()?, call: which.call };
    let size = which.limit.unwrap_or(PAGE).clamp(1, MOST - 1);
    let mut rows = hooks::deliveries(&faces.app, &asker, hook, &filter, below.transpose()?, size + 1).await?;
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(|row| row.place.name(hook).to_string());
    Ok(Json(Page { items: rows.into_iter().map(|row| DeliveryView::of(hook, row, &zone)).collect(), next }))
}

/// One delivery with every attempt: what was sent and what came back.
#[utoipa::path(get, path = "/v1/hooks/{id}/deliveries/{delivery}", operation_id = "delivery", tag = "hooks",
    extensions(("x-role" = json!("reader"))),
    params(("id" = String, Path, description = "The hook's id", example = "7"),
        ("delivery" = String, Path, description = "The delivery's id", example = "msg_7_1042_0")),
    responses(
        (status = 200, description = "The delivery", body = DeliveryDetailView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delivery(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Path((id, name)): Path<(String, String)>,
) -> Result<Json<DeliveryDetailView>, ProblemBody> {
    let hook = hook_id(&id)?;
    let (row, attempts) = hooks::delivery(&faces.app, &asker, hook, &name).await?;
    let tried = attempts.into_iter().map(|row| AttemptView::of(row, &zone)).collect();
    Ok(Json(DeliveryDetailView { delivery: DeliveryView::of(hook, row, &zone), tried }))
}

/// Sends a delivery again, under the same `webhook-id` and in the same bytes, with ten attempts before it.
#[utoipa::path(post, path = "/v1/hooks/{id}/deliveries/{delivery}/replay", operation_id = "replay_delivery", tag = "hooks",
    extensions(("x-role" = json!("owner"))),
    params(("id" = String, Path, description = "The hook's id", example = "7"),
        ("delivery" = String, Path, description = "The delivery's id", example = "msg_7_1042_0")),
    responses(
        (status = 202, description = "It is sent at once", body = DeliveryView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn replay(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, author, zone, .. }: SignedIn,
    Path((id, name)): Path<(String, String)>,
) -> Result<(StatusCode, Json<DeliveryView>), ProblemBody> {
    let hook = hook_id(&id)?;
    let row = hooks::replay(&faces.app, &asker, &author, hook, &name).await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryView::of(hook, row, &zone))))
}

/// Tells a part of the story again: what was told before under the same `webhook-id` and in the same bytes, and what the
/// hook was not told while it was off.
#[utoipa::path(post, path = "/v1/hooks/{id}/replay", operation_id = "replay_hook", tag = "hooks",
    extensions(("x-role" = json!("owner"))),
    params(("id" = String, Path, description = "The hook's id", example = "7")), request_body = ReplayOrder,
    responses(
        (status = 202, description = "The positions that are told again", body = RangeView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn replay_range(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, author, .. }: SignedIn,
    Named(id): Named<i64>,
    Sent(order): Sent<ReplayOrder>,
) -> Result<(StatusCode, Json<RangeView>), ProblemBody> {
    let from = order.from.read("from")?;
    let to = order.to.map(|to| to.read("to")).transpose()?;
    let (from, to) = hooks::replay_range(&faces.app, &asker, &author, HookId(id), (from, to)).await?;
    Ok((StatusCode::ACCEPTED, Json(RangeView { from, to })))
}

/// Sends a message that tells of nothing: `{"type":"test", …}`.
#[utoipa::path(post, path = "/v1/hooks/{id}/test", operation_id = "test_hook", tag = "hooks",
    extensions(("x-role" = json!("owner"))),
    params(("id" = String, Path, description = "The hook's id", example = "7")),
    responses(
        (status = 202, description = "It is sent at once", body = DeliveryView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn test(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, author, zone, .. }: SignedIn,
    Named(id): Named<i64>,
) -> Result<(StatusCode, Json<DeliveryView>), ProblemBody> {
    let row = hooks::test(&faces.app, &asker, &author, HookId(id)).await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryView::of(HookId(id), row, &zone))))
}

/// Gives a hook another secret. The one before it signs too, for 24 hours.
#[utoipa::path(post, path = "/v1/hooks/{id}/rotate", operation_id = "rotate_hook", tag = "hooks",
    extensions(("x-role" = json!("owner"))),
    params(("id" = String, Path, description = "The hook's id", example = "7")),
    responses(
        (status = 200, description = "The new secret", body = SecretView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn rotate(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, author, .. }: SignedIn,
    Named(id): Named<i64>,
) -> Result<Json<SecretView>, ProblemBody> {
    let secret = hooks::rotate(&faces.app, &asker, &author, HookId(id)).await?;
    Ok(Json(SecretView { secret }))
}

/// Switches a hook on that its receiver (410) or a person switched off. It goes on from the story's end; what happened
/// meanwhile can be sent by `replay`.
#[utoipa::path(post, path = "/v1/hooks/{id}/enable", operation_id = "enable_hook", tag = "hooks",
    extensions(("x-role" = json!("owner"))),
    params(("id" = String, Path, description = "The hook's id", example = "7")),
    responses(
        (status = 200, description = "How it stands", body = HookStatusView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn enable(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, author, zone, .. }: SignedIn,
    Named(id): Named<i64>,
) -> Result<Json<HookStatusView>, ProblemBody> {
    let status = hooks::enable(&faces.app, &asker, &author, HookId(id)).await?;
    Ok(Json(HookStatusView::of(status, &zone)))
}

/// Switches a hook off. What is to be sent is cancelled.
#[utoipa::path(post, path = "/v1/hooks/{id}/disable", operation_id = "disable_hook", tag = "hooks",
    extensions(("x-role" = json!("owner"))),
    params(("id" = String, Path, description = "The hook's id", example = "7")),
    responses(
        (status = 200, description = "How it stands", body = HookStatusView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn disable(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, author, zone, .. }: SignedIn,
    Named(id): Named<i64>,
) -> Result<Json<HookStatusView>, ProblemBody> {
    let status = hooks::disable(&faces.app, &asker, &author, HookId(id)).await?;
    Ok(Json(HookStatusView::of(status, &zone)))
}

fn hook_id(text: &str) -> Result<HookId, Refusal> {
    text.parse().map(HookId).map_err(|_| Refusal::not_found("the hook"))
}

impl PointOfStory {
    fn read(&self, name: &str) -> Result<Whence, Refusal> {
        match self {
            Self::Position(position) => Ok(Whence::Position(*position)),
            Self::Moment(text) => text.parse::<Timestamp>().map(Whence::Moment).map_err(|_| {
                Refusal::wrong(format!("{name}: write a position, or a moment as in 2026-01-01T08:00:00+07:00"))
            }),
        }
    }
}

impl HookStatusView {
    fn of(status: HookStatus, zone: &TimeZone) -> Self {
        let shown = |at: Timestamp| moment(at, zone);
        let (off_since, off_why) = status.off.unzip();
        let (last_error_at, last_error) = status.error.unzip();
        Self {
            state: match (status.active && off_since.is_none(), status.failing_since) {
                (false, _) => "off",
                (true, Some(_)) => "failing",
                (true, None) => "on",
            },
            off_since: off_since.map(shown),
            off_why,
            position: status.position,
            pending: status.pending,
            failing_since: status.failing_since.map(shown),
            warned_at: status.warned_at.map(shown),
            last_error,
            last_error_at: last_error_at.map(shown),
            replaying: status.replay.map(|(after, to)| RangeView { from: after + 1, to }),
            old_secret_until: status.old_secret_until.map(shown),
        }
    }
}

impl DeliveryView {
    fn of(hook: HookId, row: DeliveryRow, zone: &TimeZone) -> Self {
        Self {
            id: row.place.name(hook).to_string(),
            state: row.state.word(),
            event: row.event,
            subject: row.chain,
            position: row.place.position(),
            made_at: moment(row.made_at, zone),
            due_at: row.due_at.filter(|_| !row.sending).map(|at| moment(at, zone)),
            sending: row.sending,
            attempts: row.attempts,
            ended_at: row.ended_at.map(|at| moment(at, zone)),
            body: row.body,
        }
    }
}

impl AttemptView {
    fn of(AttemptRow { number, attempt }: AttemptRow, zone: &TimeZone) -> Self {
        Self {
            number,
            at: moment(attempt.at, zone),
            request: attempt.request,
            status: attempt.status,
            headers: attempt.headers,
            answer: attempt.answer,
            milliseconds: attempt.milliseconds,
            error: attempt.error,
        }
    }
}
