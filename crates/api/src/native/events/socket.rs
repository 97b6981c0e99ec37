//! `/v1/events/socket`: the story as a WebSocket, one event a message, in the same words and with the same positions.
//!
//! A session is a position. A client that reads slowly is behind and reads on from where it is: nothing piles up for it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Counted;
use crate::Faces;
use crate::actions::events;
use crate::native::extract::Asked;
use crate::native::problem::ProblemBody;
use crate::native::sign_in::{SignedIn, bearer};
use crate::story::{Dialect, Story};

/// The subprotocol of this socket. A browser that shows its token as one offers both.
const PROTOCOL: &str = "tongdai.v1";
/// What a token is behind, as a subprotocol.
const TOKEN_PROTOCOL: &str = "token.";
/// How often an idle client is asked whether it is there. It answers by itself, and so keeps proxies from hanging up.
const PING_EVERY: Duration = Duration::from_secs(25);
/// Bytes of what a client may say. Nothing of it is needed.
const MOST_SAID: usize = 4_096;

/// From where.
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
    /// The token, for browsers, which cannot set headers.
    #[allow(dead_code, reason = "read where the asker signs in; named here so that it is known")]
    token: Option<String>,
}

/// The story from a position on, as a WebSocket: each message is one event in JSON.
///
/// A browser, which cannot set headers, gives its token as `?token=` or offers the subprotocols `tongdai.v1` and
/// `token.TOKEN`. The socket closes with 1008 when the key is taken away and with 1001 when the server stops.
#[utoipa::path(get, path = "/v1/events/socket", operation_id = "open_event_socket", tag = "events",
    extensions(("x-role" = json!("reader"))), params(Whence),
    responses(
        (status = 101, description = "The story follows"),
        (status = "default", description = "A problem; 426 where no WebSocket was asked for", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn open(
    State(faces): State<Arc<Faces>>,
    Entered(signed_in): Entered,
    Asked(Whence { after, .. }): Asked<Whence>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ProblemBody> {
    let position = events::whence(&faces.app, &signed_in.asker, after.unwrap_or(0))?;
    let upgrade = upgrade.map_err(|rejection| {
        let status = match rejection.status() {
            StatusCode::METHOD_NOT_ALLOWED => StatusCode::METHOD_NOT_ALLOWED,
            _ => StatusCode::UPGRADE_REQUIRED,
        };
        ProblemBody::new(status, "upgrade_required", format!("this is a WebSocket: {}", rejection.body_text()))
    })?;
    let session = upgrade.max_message_size(MOST_SAID).max_frame_size(MOST_SAID).protocols([PROTOCOL]);
    Ok(session.on_upgrade(move |socket| tell(faces, signed_in, position, socket)))
}

/// Somebody who may ask, and shows the token where a browser can.
pub(crate) struct Entered(SignedIn);

impl FromRequestParts<Arc<Faces>> for Entered {
    type Rejection = ProblemBody;

    async fn from_request_parts(parts: &mut Parts, faces: &Arc<Faces>) -> Result<Self, ProblemBody> {
        let token = bearer(parts).map(str::to_owned).or_else(|| in_protocols(parts)).or_else(|| in_query(parts));
        SignedIn::with_token(token.as_deref(), parts, faces).map(Self)
    }
}

fn in_protocols(parts: &Parts) -> Option<String> {
    let offered = parts.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let words = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    words.filter_map(|word| word.trim().strip_prefix(TOKEN_PROTOCOL)).find(|token| !token.is_empty()).map(str::to_owned)
}

fn in_query(parts: &Parts) -> Option<String> {
    let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).ok()?.0;
    query.into_iter().find_map(|(name, value)| (name == "token" && !value.is_empty()).then_some(value))
}

/// Why a session is over.
enum Over {
    /// The client is gone.
    Gone,
    /// The key was taken away.
    KeyTaken,
    /// The server stops.
    Stopped,
    /// The story cannot be read now.
    Unreadable,
}

async fn tell(faces: Arc<Faces>, signed_in: SignedIn, position: i64, socket: WebSocket) {
    let _counted = Counted::new(&faces.app.metrics.event_streams);
    let (mut sink, mut said) = socket.split();
    // What a client says is read, so that its pings are answered and its going is noticed.
    let gone = async { while let Some(Ok(_)) = said.next().await {} };
    let (story, _) = faces.stories.open(signed_in.asker.tenant, Dialect::Native);
    let over = tokio::select! {
        over = send(&story, position, &mut sink) => over,
        () = gone => Over::Gone,
        () = faces.app.stopped() => Over::Stopped,
        () = taken_away(&faces, &signed_in) => Over::KeyTaken,
    };
    let (code, reason) = match over {
        Over::Gone => return,
        Over::KeyTaken => (close_code::POLICY, "the key was taken away"),
        Over::Stopped => (close_code::AWAY, "the server stops"),
        Over::Unreadable => (close_code::AGAIN, "the story cannot be read now"),
    };
    let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    // A client that does not read will not read this either.
    let _ = tokio::time::timeout(Duration::from_secs(1), sink.send(close)).await;
}

/// Tells what is stored, and then each event as it is stored.
async fn send(story: &Story, mut position: i64, sink: &mut SplitSink<WebSocket, Message>) -> Over {
    loop {
        let (told, head) = match story.after(position).await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(%error, "reading events for a socket");
                return Over::Unreadable;
            }
        };
        for event in &told {
            for packet in &event.packets {
                if sink.send(Message::Text(packet.as_str().into())).await.is_err() {
                    return Over::Gone;
                }
            }
        }
        if head > position {
            position = head;
            continue;
        }
        while tokio::time::timeout(PING_EVERY, story.changed(position)).await.is_err() {
            if sink.send(Message::Ping(Default::default())).await.is_err() {
                return Over::Gone;
            }
        }
    }
}

/// Resolves when the token opens no longer what it opened.
async fn taken_away(faces: &Faces, signed_in: &SignedIn) {
    let mut directory = faces.app.directory.clone();
    while directory.changed().await.is_ok() {
        if !signed_in.still_valid(faces) {
            return;
        }
    }
}
