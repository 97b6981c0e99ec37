//! The story as a WebSocket, and pages that wait.

use std::sync::Arc;
use std::time::Duration;

use api::Readiness;
use futures_util::StreamExt;
use model::{Reason, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::story::ToldCall;
use crate::support::{World, call, json as answer};

pub const EFFECTS: &[(&str, fn())] = &[
    ("open_event_socket", a_socket_catches_up_then_tells_each_event),
    ("list_events", a_page_waits_for_its_first_event),
];

#[tokio::test]
async fn a_socket_catches_up_then_tells_each_event() {
    let world = World::start().await;
    let mut told = ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now());
    told.click("0900000001");
    world.writer.flush().await;

    let mut socket = Socket::open(&world, "?after=1", &[("authorization", "Bearer NATIVE_READER")]).await;
    assert_eq!(socket.next().await, Some((2, "leg.started".into())), "what was stored before");
    told.ringing(1);
    assert_eq!(socket.next().await, Some((3, "leg.ringing".into())), "what is stored from now on");

    told.ended(Reason::Cancelled, 487);
    let mut again = Socket::open(&world, "?after=3", &[("authorization", "Bearer NATIVE_READER")]).await;
    assert_eq!(again.next().await, Some((4, "leg.ended".into())), "another one goes on where the first was left");
    let mut last = Socket::open(&world, "?after=-1", &[("authorization", "Bearer NATIVE_READER")]).await;
    assert_eq!(last.next().await, Some((5, "call.ended".into())), "below zero: from so many before the last");
}

#[tokio::test]
async fn a_browser_shows_its_token_in_the_address_or_as_a_subprotocol() {
    let world = World::start().await;
    ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now()).click("0900000001");
    world.writer.flush().await;

    let mut by_query = Socket::open(&world, "?token=NATIVE_READER", &[]).await;
    let offered = [("sec-websocket-protocol", "tongdai.v1, token.NATIVE_READER")];
    let mut by_protocol = Socket::open(&world, "", &offered).await;

    assert_eq!(by_query.next().await, Some((1, "call.started".into())));
    assert_eq!(by_protocol.next().await, Some((1, "call.started".into())));
    assert_eq!(by_protocol.protocol.as_deref(), Some("tongdai.v1"), "the token is not said again");
}

#[tokio::test]
async fn a_socket_closes_when_its_key_is_taken_away_or_the_server_stops() {
    let world = World::start().await;
    let mut one = Socket::open(&world, "?token=NATIVE_DEMO", &[]).await;

    let mut directory = (**world.directory.borrow()).clone();
    directory.keys.retain(|key| matches!(&key.kind, model::KeyKind::Native { role: model::Role::Reader, .. }));
    world.directory.send_replace(Arc::new(directory));
    assert_eq!(one.next().await, None);
    assert_eq!(one.closed_with, Some(1008));

    let mut other = Socket::open(&world, "?token=NATIVE_READER", &[]).await;
    world.readiness.send_replace(Readiness::Stopped);
    assert_eq!(other.next().await, None);
    assert_eq!(other.closed_with, Some(1001));
}

#[tokio::test]
async fn another_tenants_story_is_not_told() {
    let world = World::start().await;
    ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now()).click("0900000001");
    let mut told = ToldCall::new(&world.writer, world.other, call(2), Timestamp::now());
    told.inbound("0900000002");
    world.writer.flush().await;

    let mut socket = Socket::open(&world, "?token=NATIVE_OTHER", &[]).await;

    let (_, event) = socket.next_whole().await.expect("an event");
    assert_eq!(event["callid"], call(2).to_string());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_behind_and_misses_nothing() {
    const CALLS: u32 = 2_000;
    let world = World::start().await;
    let mut slow = Socket::open(&world, "?token=NATIVE_DEMO", &[]).await;

    for nth in 1..=CALLS {
        let mut told = ToldCall::new(&world.writer, world.demo, call(nth), Timestamp::now());
        told.click("0900000001").ringing(1).ended(Reason::Cancelled, 487);
    }
    world.writer.flush().await;

    for position in 1..=i64::from(CALLS) * 5 {
        assert_eq!(slow.next().await.map(|(at, _)| at), Some(position));
    }
}

#[tokio::test]
async fn who_may_not_ask_gets_no_socket() {
    let world = World::start().await;
    for (query, status) in [("", 401), ("?token=WRONG", 401), ("?token=", 401), ("?token=NATIVE_DEMO&after=x", 400)] {
        assert_eq!(Socket::try_open(&world, query, &[]).await.err(), Some(status), "{query}");
    }

    let (status, body) = answer(world.get("/v1/events/socket")).await;
    assert_eq!((status, &body["code"]), (426, &json!("upgrade_required")));
}

#[tokio::test]
async fn a_page_waits_for_its_first_event() {
    let world = World::start().await;
    let asked = tokio::spawn(answer(world.get("/v1/events?wait=60")));
    let nothing = tokio::time::timeout(Duration::from_millis(20), answer(world.get("/v1/events?wait=60"))).await;
    assert!(nothing.is_err(), "it waits");

    ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now()).click("0900000001");

    let (status, page) = asked.await.expect("no panic");
    assert_eq!((status, &page["items"][0]["type"]), (200, &json!("call.started")));
    let (_, at_once) = answer(world.get("/v1/events?after=2")).await;
    assert_eq!(at_once["items"], json!([]));
}

#[tokio::test]
async fn a_position_below_zero_means_so_many_before_the_last() {
    let world = World::start().await;
    let mut told = ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now());
    told.click("0900000001").ringing(1).ended(Reason::Cancelled, 487);
    world.writer.flush().await;

    let (_, last) = answer(world.get("/v1/events?after=-2")).await;
    let (_, all) = answer(world.get("/v1/events?after=-100")).await;

    let positions = |page: &Value| -> Vec<_> {
        page["items"].as_array().expect("events").iter().map(|event| event["position"].as_i64()).collect()
    };
    assert_eq!(positions(&last), [Some(4), Some(5)]);
    assert_eq!(positions(&all).len(), 5);
}

/// A client of the socket.
#[derive(Debug)]
struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    protocol: Option<String>,
    closed_with: Option<u16>,
}

impl Socket {
    async fn open(world: &World, query: &str, headers: &[(&'static str, &str)]) -> Self {
        Self::try_open(world, query, headers).await.expect("a socket")
    }

    /// The status, where no socket was opened.
    async fn try_open(world: &World, query: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let url = format!("ws://{}/v1/events/socket{query}", world.address);
        let mut request = url.into_client_request().expect("an address");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a value"));
        }
        match connect_async(request).await {
            Ok((stream, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.map(|value| value.to_str().expect("text").to_owned());
                Ok(Self { stream, protocol, closed_with: None })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn next(&mut self) -> Option<(i64, String)> {
        let (position, event) = self.next_whole().await?;
        Some((position, event["type"].as_str().expect("a type").to_owned()))
    }

    async fn next_whole(&mut self) -> Option<(i64, Value)> {
        loop {
            match self.stream.next().await?.ok()? {
                Message::Text(text) => {
                    let event: Value = serde_json::from_str(&text).expect("JSON");
                    return Some((event["position"].as_i64().expect("a position"), event));
                }
                Message::Close(frame) => self.closed_with = frame.map(|frame| frame.code.into()),
                _ => {}
            }
        }
    }
}
