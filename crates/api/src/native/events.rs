//! `/v1/events`: the story from a point on, as a page of JSON or as an event-stream that goes on; in [`socket`] as a
//! WebSocket.

pub(super) mod socket;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use prometheus_client::metrics::gauge::Gauge;
use serde::Deserialize;
use utoipa::IntoParams;

use super::extract::Asked;
use super::problem::ProblemBody;
use super::sign_in::SignedIn;
use super::views::{EventBody, EventView, Page};
use crate::Faces;
use crate::actions::{Refusal, events};
use crate::story::Dialect;

/// The events of a page, unless asked otherwise, and at most.
const PAGE: usize = 100;
const MOST: usize = 1_000;
/// How often an idle stream says that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The longest that a page waits for its first event.
const LONGEST_WAIT: u64 = 60;

/// From where, and how much.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whence {
    /// With the admin token: the tenant's name.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    tenant: Option<String>,
    /// The position after which the story is wanted (0: all of it). `-20`: the last 20 events, then on from there.
    #[param(example = 0)]
    after: Option<i64>,
    /// Events of a page, 1 to 1 000 (100). An event-stream has no pages.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Seconds that a page waits for an event where there is none, 0 to 60 (0).
    #[param(minimum = 0, maximum = 60)]
    wait: Option<u64>,
}

/// What happened after a position, in order.
///
/// With `Accept: text/event-stream` the answer goes on: it catches up, then tells each event as it is stored. Each has
/// its position as its id, and `Last-Event-ID` goes before `after`. The same as a WebSocket is at `/v1/events/socket`;
/// `/v1/asyncapi.json` describes each event.
#[utoipa::path(get, path = "/v1/events", operation_id = "list_events", tag = "events",
    extensions(("x-role" = json!("reader"))),
    params(Whence, ("Last-Event-ID" = Option<i64>, Header, description = "Where an event-stream goes on")),
    responses(
        (status = 200, description = "The events", content(
            (Page<EventBody> = "application/json"),
            (EventBody = "text/event-stream"),
        )),
        (status = "default", description = "A problem", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn after(
    State(faces): State<Arc<Faces>>,
    signed_in: SignedIn,
    Asked(Whence { after, limit, wait, .. }): Asked<Whence>,
    headers: HeaderMap,
) -> Result<Response, ProblemBody> {
    let asker = &signed_in.asker;
    let wants_stream = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/event-stream"));
    if wants_stream {
        let position = match headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty()) {
            Some(id) => id.parse().map_err(|_| Refusal::wrong("Last-Event-ID: a position is a whole number"))?,
            None => after.unwrap_or(0),
        };
        // Permission is asked before the stream begins, so that a refusal is an HTTP status.
        let position = events::whence(&faces.app, asker, position)?;
        let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
        return Ok(Sse::new(stream(faces, signed_in, position)).keep_alive(keep_alive).into_response());
    }
    let limit = limit.unwrap_or(PAGE).clamp(1, MOST);
    let position = events::whence(&faces.app, asker, after.unwrap_or(0))?;
    let mut found = events::after(&faces.app, asker, position, limit + 1).await?;
    let wait = wait.unwrap_or(0).min(LONGEST_WAIT);
    if found.is_empty() && wait > 0 {
        tokio::select! {
            () = events::changed(&faces.app, asker, position) => {}
            () = faces.app.stopped() => {}
            () = tokio::time::sleep(Duration::from_secs(wait)) => {}
        }
        found = events::after(&faces.app, asker, position, limit + 1).await?;
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.position.to_string());
    Ok(Json(Page { items: found.iter().map(|event| EventView::of(event)).collect(), next }).into_response())
}

/// Ends when the server stops, the token is taken away or the store fails; a client comes back with `Last-Event-ID`.
fn stream(faces: Arc<Faces>, signed_in: SignedIn, mut position: i64) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        let _counted = Counted::new(&faces.app.metrics.event_streams);
        let mut directory = faces.app.directory.clone();
        let (story, _) = faces.stories.open(signed_in.asker.tenant, Dialect::Native);
        loop {
            let (told, head) = match story.after(position).await {
                Ok(read) => read,
                Err(error) => {
                    tracing::warn!(%error, "reading events for a stream");
                    return;
                }
            };
            for event in told {
                for packet in &event.packets {
                    yield Ok(Event::default().id(event.position.to_string()).data(packet.as_str()));
                }
            }
            if head > position {
                position = head;
                continue;
            }
            tokio::select! {
                () = story.changed(position) => {}
                () = faces.app.stopped() => return,
                changed = directory.changed() => {
                    if changed.is_err() || !signed_in.still_valid(&faces) {
                        return;
                    }
                }
            }
        }
    }
}

/// Counted while it lives.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
