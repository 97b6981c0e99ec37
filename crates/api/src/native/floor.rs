//! `/v1/agents` and `/v1/queues/{id}/live`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::tz::TimeZone;
use model::{AgentAction, Timestamp};
use serde::{Deserialize, Serialize};
use store::{AgentRow, QueueRow, WaitingRow};
use utoipa::ToSchema;

use super::extract::SentOrNothing;
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::{Page, moment};
use crate::Faces;
use crate::actions::floor;

/// How an agent stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Agent)]
pub(crate) struct AgentView {
    /// The extension's number.
    #[schema(example = "101")]
    id: String,
    /// The same, by the name it has elsewhere.
    #[schema(example = "101")]
    extension: String,
    /// The extension's name.
    #[schema(example = "Desk 101")]
    name: String,
    /// `offline` (no phone is signed in), `signed_out`, `busy` (on any call), `ringing`, `paused`, `do_not_disturb`,
    /// `wrap_up`, or `ready`.
    #[schema(example = "ready")]
    state: &'static str,
    /// Whether it takes calls of its queues, pauses aside.
    signed_in: bool,
    /// Since when it is signed in or out (RFC 3339, in the tenant's zone); null: its phone was never signed in.
    #[schema(required)]
    since: Option<String>,
    /// Its pause; null: there is none.
    #[schema(required)]
    paused: Option<PauseView>,
    /// Until when it writes down what was talked about.
    #[schema(required)]
    wrap_up_until: Option<String>,
    /// Whether a phone is signed in as the extension.
    registered: bool,
    /// The call it takes part in.
    #[schema(required, example = "1700000000.1000101")]
    callid: Option<String>,
    /// The queues it is a member of.
    queues: Vec<String>,
}

/// A pause.
#[derive(Serialize, ToSchema)]
#[schema(as = AgentPause)]
pub(crate) struct PauseView {
    /// Why; `no answer`: it missed too many callers.
    #[schema(example = "lunch")]
    reason: String,
    /// Since when.
    since: String,
}

/// A queue at this moment.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveQueue)]
pub(crate) struct LiveQueueView {
    /// The queue's number.
    #[schema(example = "700")]
    id: String,
    /// Its name.
    name: String,
    /// Who waits, in the order they came.
    waiting: Vec<WaitingView>,
    /// Its agents, in the order of its members.
    agents: Vec<AgentView>,
    /// What became of those who came since midnight.
    today: TodayView,
}

/// A caller who waits.
#[derive(Serialize, ToSchema)]
#[schema(as = WaitingCaller)]
pub(crate) struct WaitingView {
    /// The call.
    #[schema(example = "1700000000.1000101")]
    callid: String,
    /// Who waits.
    customer: String,
    /// The place, from 1.
    place: usize,
    /// Since when.
    queued_at: String,
    /// For so many seconds.
    waited_seconds: i64,
    /// Extensions that ring for the caller.
    offered_to: Vec<String>,
}

/// What became of callers.
#[derive(Serialize, ToSchema)]
#[schema(as = QueueToday)]
pub(crate) struct TodayView {
    /// How many came, those who still wait included.
    offered: u32,
    /// Whom an agent took.
    answered: u32,
    /// Who gave up.
    abandoned: u32,
    /// Who waited too long, or found too many callers or no agent.
    overflowed: u32,
    /// Whom an agent took within `service_level_seconds`.
    within_service_level: u32,
    /// The wait that counts as good service; null: none is set, and all who were taken count.
    #[schema(required)]
    service_level_seconds: Option<u32>,
    /// The longest wait of anybody who waits no more, in seconds.
    longest_wait_seconds: i64,
}

/// Why somebody pauses.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "reason": "lunch" }))]
pub(crate) struct PauseOrder {
    /// In the agent's words, at most 100 letters.
    #[schema(max_length = 100)]
    reason: Option<String>,
}

/// Nothing more needs to be said.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({}))]
pub(crate) struct AgentOrder {}

impl AgentView {
    fn of(row: AgentRow, now: Timestamp, zone: &TimeZone) -> Self {
        let stands = row.stands.as_ref();
        let paused = stands.and_then(|stands| stands.paused.as_ref());
        let wrap_up = stands.and_then(|stands| stands.wrap_up_until).filter(|until| *until > now);
        let signed_in = stands.is_some_and(|stands| stands.signed_in);
        let state = match row.call {
            Some(call) if call.rings => "ringing",
            Some(_) => "busy",
            None if !row.registered => "offline",
            None if !signed_in => "signed_out",
            None if paused.is_some() => "paused",
            None if row.do_not_disturb => "do_not_disturb",
            None if wrap_up.is_some() => "wrap_up",
            None => "ready",
        };
        Self {
            state,
            signed_in,
            since: stands.map(|stands| moment(stands.since, zone)),
            paused: paused
                .map(|pause| PauseView { reason: pause.reason.to_string(), since: moment(pause.since, zone) }),
            wrap_up_until: wrap_up.map(|until| moment(until, zone)),
            registered: row.registered,
            callid: row.call.map(|call| call.call.to_string()),
            queues: row.queues,
            name: row.name,
            id: row.extension.clone(),
            extension: row.extension,
        }
    }
}

impl LiveQueueView {
    fn of(row: QueueRow, now: Timestamp, zone: &TimeZone) -> Self {
        let waiting = row.waiting.into_iter().enumerate();
        Self {
            waiting: waiting.map(|(at, caller)| WaitingView::of(caller, at + 1, now, zone)).collect(),
            agents: row.agents.into_iter().map(|agent| AgentView::of(agent, now, zone)).collect(),
            today: TodayView {
                offered: row.since.offered,
                answered: row.since.answered,
                abandoned: row.since.abandoned,
                overflowed: row.since.overflowed,
                within_service_level: row.since.within_service_level,
                service_level_seconds: row.queue.service_level_seconds,
                longest_wait_seconds: row.since.longest_wait_ms / 1_000,
            },
            id: row.queue.number,
            name: row.queue.name,
        }
    }
}

impl WaitingView {
    fn of(row: WaitingRow, place: usize, now: Timestamp, zone: &TimeZone) -> Self {
        Self {
            callid: row.call.to_string(),
            customer: row.customer.to_string(),
            place,
            queued_at: moment(row.queued_at, zone),
            waited_seconds: (now.as_second() - row.queued_at.as_second()).max(0),
            offered_to: row.offered_to,
        }
    }
}

/// All agents: the members of queues, by extension.
#[utoipa::path(get, path = "/v1/agents", operation_id = "list_agents", tag = "agents",
    extensions(("x-role" = json!("reader"))),
    responses(
        (status = 200, description = "All of them; there is one page", body = Page<AgentView>),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
) -> Result<Json<Page<AgentView>>, ProblemBody> {
    let (rows, now) = (floor::agents(&faces.app, &asker).await?, Timestamp::now());
    let items = rows.into_iter().map(|row| AgentView::of(row, now, &zone)).collect();
    Ok(Json(Page { items, next: None }))
}

/// How an agent stands.
#[utoipa::path(get, path = "/v1/agents/{id}", operation_id = "get_agent", tag = "agents",
    extensions(("x-role" = json!("reader"))),
    params(("id" = String, Path, description = "The extension's number", example = "101")),
    responses(
        (status = 200, description = "How it stands", body = AgentView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Path(extension): Path<String>,
) -> Result<Json<AgentView>, ProblemBody> {
    let row = floor::agent(&faces.app, &asker, &extension).await?;
    Ok(Json(AgentView::of(row, Timestamp::now(), &zone)))
}

/// Signs an agent in: it takes calls of its queues. Done, too, where it is signed in already.
#[utoipa::path(post, path = "/v1/agents/{id}/sign-in", operation_id = "sign_agent_in", tag = "agents",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The extension's number", example = "101")),
    request_body = Option<AgentOrder>,
    responses(
        (status = 200, description = "How it stands now", body = AgentView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn sign_in(
    State(faces): State<Arc<Faces>>,
    signed_in: SignedIn,
    Path(extension): Path<String>,
    SentOrNothing(AgentOrder {}): SentOrNothing<AgentOrder>,
) -> Result<Json<AgentView>, ProblemBody> {
    order(&faces, &signed_in, &extension, AgentAction::SignIn).await
}

/// Signs an agent out: it takes no calls of its queues until it signs in.
#[utoipa::path(post, path = "/v1/agents/{id}/sign-out", operation_id = "sign_agent_out", tag = "agents",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The extension's number", example = "101")),
    request_body = Option<AgentOrder>,
    responses(
        (status = 200, description = "How it stands now", body = AgentView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn sign_out(
    State(faces): State<Arc<Faces>>,
    signed_in: SignedIn,
    Path(extension): Path<String>,
    SentOrNothing(AgentOrder {}): SentOrNothing<AgentOrder>,
) -> Result<Json<AgentView>, ProblemBody> {
    order(&faces, &signed_in, &extension, AgentAction::SignOut).await
}

/// Pauses an agent: it takes no calls of its queues for now.
#[utoipa::path(post, path = "/v1/agents/{id}/pause", operation_id = "pause_agent", tag = "agents",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The extension's number", example = "101")),
    request_body = Option<PauseOrder>,
    responses(
        (status = 200, description = "How it stands now", body = AgentView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn pause(
    State(faces): State<Arc<Faces>>,
    signed_in: SignedIn,
    Path(extension): Path<String>,
    SentOrNothing(PauseOrder { reason }): SentOrNothing<PauseOrder>,
) -> Result<Json<AgentView>, ProblemBody> {
    let reason = floor::reason(reason.as_deref())?;
    order(&faces, &signed_in, &extension, AgentAction::Pause { reason }).await
}

/// Ends an agent's pause, or the time it has after a call.
#[utoipa::path(post, path = "/v1/agents/{id}/resume", operation_id = "resume_agent", tag = "agents",
    extensions(("x-role" = json!("agent"))),
    params(("id" = String, Path, description = "The extension's number", example = "101")),
    request_body = Option<AgentOrder>,
    responses(
        (status = 200, description = "How it stands now", body = AgentView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn resume(
    State(faces): State<Arc<Faces>>,
    signed_in: SignedIn,
    Path(extension): Path<String>,
    SentOrNothing(AgentOrder {}): SentOrNothing<AgentOrder>,
) -> Result<Json<AgentView>, ProblemBody> {
    order(&faces, &signed_in, &extension, AgentAction::Resume).await
}

/// A queue at this moment: who waits, how its agents stand, and what became of those who came today.
#[utoipa::path(get, path = "/v1/queues/{id}/live", operation_id = "get_live_queue", tag = "agents",
    extensions(("x-role" = json!("reader"))),
    params(("id" = String, Path, description = "The queue's number", example = "700")),
    responses(
        (status = 200, description = "The queue", body = LiveQueueView),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn queue(
    State(faces): State<Arc<Faces>>,
    SignedIn { asker, zone, .. }: SignedIn,
    Path(number): Path<String>,
) -> Result<Json<LiveQueueView>, ProblemBody> {
    let row = floor::queue(&faces.app, &asker, &number, &zone).await?;
    Ok(Json(LiveQueueView::of(row, Timestamp::now(), &zone)))
}

async fn order(
    faces: &Faces,
    SignedIn { asker, zone, .. }: &SignedIn,
    extension: &str,
    action: AgentAction,
) -> Result<Json<AgentView>, ProblemBody> {
    let row = floor::order(&faces.app, asker, extension, action).await?;
    Ok(Json(AgentView::of(row, Timestamp::now(), zone)))
}
