//! The Socket.IO server: who is connected, and what each client hears.
//!
//! socketioxide carries the packets; `adapter` reaches one socket at a time. `session` is one client's dialogue, `seats`
//! counts sessions, `head` is what is kept of a client's request; what they hear comes from `crate::story`, rendered once for
//! all sessions of a tenant. What an event says is the vendor's business (`vendors/voip24h/events.rs`).

mod adapter;
mod head;
mod seats;
mod session;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::Method;
use axum::middleware::map_request;
use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use socketioxide::extract::{Data, SocketRef};
use socketioxide::handler::ConnectHandler;
use socketioxide::socket::DisconnectReason;
use socketioxide::{ParserConfig, SocketIo};
use tokio::sync::{mpsc, watch};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use self::adapter::{Direct, Wire};
use self::seats::{Connection, Seats};
use self::session::{Heard, Session};
use crate::keys::Keys;
use crate::limits::Limits;
use crate::story::Stories;
use crate::vendors::voip24h::number::Number;
use crate::{App, Faces, Peer};

/// Where clients look for it.
const PATH: &str = "/socket.io";
/// Bytes of the largest thing a client may say.
const MAX_MESSAGE: usize = 100_000;
/// Bytes that are read of a client at once: it says little, and each client has its own buffer.
const READ_AT_ONCE: usize = 512;
/// What a client says that waits for its session. A flood of `hello` beyond it says nothing new.
const HEARD: usize = 16;
/// How long a 4.x client may take to join the default namespace.
const JOIN_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// What all sessions share.
#[derive(Clone)]
pub(crate) struct Live {
    app: App,
    keys: Keys,
    limits: Arc<Limits>,
    wire: Wire,
    seats: Seats,
    stories: Stories,
}

/// The path `/socket.io/`.
pub(crate) fn router(faces: &Faces) -> Router {
    let Faces { app, keys, stories, limits } = faces;
    let wire = Wire::default();
    let settings = &app.settings.live;
    let (service, io) = SocketIo::builder()
        .with_parser(ParserConfig::common())
        .req_path(PATH)
        .ping_interval(settings.ping_interval)
        .ping_timeout(settings.ping_timeout)
        .connect_timeout(JOIN_WITHIN)
        .max_payload(MAX_MESSAGE as u64)
        .ws_read_buffer_size(READ_AT_ONCE)
        .ws_max_message_size(MAX_MESSAGE)
        .ws_max_frame_size(MAX_MESSAGE)
        .max_buffer_size(settings.buffer)
        .with_adapter::<Direct>(wire.clone())
        .build_svc();
    let (app, keys, stories, limits) = (app.clone(), keys.clone(), stories.clone(), limits.clone());
    let live = Live { app, keys, limits, wire, seats: Seats::default(), stories };

    // A client may emit as soon as it hears that it is connected, so its handlers are there before that.
    let arriving = live.clone();
    let arrive = move |socket: SocketRef<Direct>| std::future::ready(arriving.arrive(&socket));
    let begin = move |socket: SocketRef<Direct>| {
        let arrived = socket.extensions.get::<Arrived>();
        let session = arrived.and_then(|arrived| arrived.take(&live, &socket));
        async move {
            if let Some(session) = session {
                session.run().await;
            }
        }
    };
    io.ns("/", begin.with(arrive));

    // Old browsers' clients poll with credentials, which `*` does not allow. No cookie is ever read here.
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .allow_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allow_credentials(true);
    Router::new()
        .route_service(PATH, service.clone())
        .route_service(&format!("{PATH}/"), service)
        .layer(map_request(head::copied))
        .layer(cors)
}

/// What waits for the session between the two steps of connecting.
#[derive(Clone)]
struct Arrived(Arc<Mutex<Option<Waiting>>>);

struct Waiting {
    heard: mpsc::Receiver<Heard>,
    gone: watch::Receiver<bool>,
    connection: Connection,
}

impl Arrived {
    fn take(&self, live: &Live, socket: &SocketRef<Direct>) -> Option<Session> {
        let Waiting { heard, gone, connection } = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let peer = socket.req_parts().extensions.get::<Peer>().map(|peer| peer.0);
        Some(Session { live: live.clone(), socket: socket.clone(), peer, heard, gone, _connection: connection })
    }
}

impl Live {
    fn arrive(&self, socket: &SocketRef<Direct>) -> Result<(), Crowded> {
        let connection = self.seats.connect(self.app.settings.live.max_sessions).ok_or(Crowded)?;
        let (say, heard) = mpsc::channel(HEARD);
        let (leave, gone) = watch::channel(false);
        let sign = say.clone();
        socket.on("sign", async move |Data(Arguments(arguments)): Data<Arguments>| {
            // Dropped only when so much waits that the client cannot mean it.
            let _ = sign.try_send(Heard::Sign(arguments));
        });
        let resume = say.clone();
        socket.on("resume", async move |Data(Arguments(arguments)): Data<Arguments>| {
            let _ = resume.try_send(Heard::Resume(Number::of(arguments.first())));
        });
        socket.on("hello", async move || {
            let _ = say.try_send(Heard::Hello);
        });
        socket.on_disconnect(async move |_: SocketRef<Direct>, _: DisconnectReason| {
            leave.send_replace(true);
        });
        let waiting = Waiting { heard, gone, connection };
        socket.extensions.insert(Arrived(Arc::new(Mutex::new(Some(waiting)))));
        Ok(())
    }
}

/// As many clients are connected as may be.
struct Crowded;

impl fmt::Display for Crowded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many clients are connected: try again in a minute")
    }
}

/// The first arguments of an event, however many it has.
struct Arguments(Vec<Value>);

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Vec<Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the arguments of an event")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut arguments: A) -> Result<Vec<Value>, A::Error> {
                let mut first = Vec::new();
                while first.len() < MOST_ARGUMENTS {
                    match arguments.next_element()? {
                        Some(argument) => first.push(argument),
                        None => return Ok(first),
                    }
                }
                while arguments.next_element::<IgnoredAny>()?.is_some() {}
                Ok(first)
            }
        }

        // socketioxide hands all arguments only to tuples.
        deserializer.deserialize_tuple(MOST_ARGUMENTS, All).map(Self)
    }
}

/// Nothing that a client says has more.
const MOST_ARGUMENTS: usize = 2;
