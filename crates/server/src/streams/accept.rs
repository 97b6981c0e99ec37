//! Takes connections in, one listener a task.

use std::io;
use std::time::Duration;

use sip::{Flow, Transport};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Ends};
use super::places::Place;
use super::{Numbers, Places, QUEUE};
use crate::inbox::{Inbox, StreamNews};
use crate::interfaces::plain;

/// How long accepting rests when the machine is out of something.
const REST: Duration = Duration::from_millis(100);
/// How long a peer may take to agree on keys. Nobody hears of it before.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// Where connections come in.
#[derive(Clone)]
pub struct Entrance {
    /// Which of our interfaces it is.
    pub interface: u16,
    /// What speaks TLS with them; None: they come in the clear.
    pub tls: Option<TlsAcceptor>,
    /// What names them.
    pub numbers: Numbers,
    /// Who may come.
    pub places: Places,
    /// Who is told.
    pub inbox: Inbox,
}

/// Accepts until the engine thread is gone.
pub async fn listen(listener: std::net::TcpListener, entrance: Entrance) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "SIP over TCP is not listened for");
            return;
        }
    };
    while entrance.inbox.is_heard() {
        let (stream, remote) = match listener.accept().await {
            Ok((stream, remote)) => (stream, plain(remote)),
            Err(error) => {
                wait_out(&error).await;
                continue;
            }
        };
        let Some(place) = entrance.places.take(remote.ip()) else {
            tracing::debug!(%remote, "too many connections: closed");
            continue;
        };
        let transport = if entrance.tls.is_some() { Transport::Tls } else { Transport::Tcp };
        let connection = entrance.numbers.next();
        let flow = Flow { transport, interface: entrance.interface, connection, remote };
        tokio::spawn(take_in(stream, flow, entrance.clone(), place));
    }
}

async fn take_in(stream: TcpStream, flow: Flow, entrance: Entrance, place: Place) {
    let Entrance { tls, inbox, .. } = entrance;
    connection::prepare(&stream);
    let Some(tls) = tls else { return enter(stream, flow, inbox, place).await };
    // Boxed: what a handshake takes is given back after it, and a connection is large.
    match timeout(HANDSHAKE_WITHIN, Box::pin(tls.accept(stream))).await {
        Ok(Ok(stream)) => enter(Box::new(stream), flow, inbox, place).await,
        Ok(Err(error)) => tracing::debug!(%flow, %error, "no TLS"),
        Err(_) => tracing::debug!(%flow, "no TLS in time"),
    }
}

async fn enter(stream: impl connection::Stream, flow: Flow, inbox: Inbox, place: Place) {
    let (queue, waiting) = mpsc::channel(QUEUE);
    let ends = Ends { flow, queue: queue.downgrade(), waiting };
    // From here on the book alone holds the queue open.
    if inbox.stream(StreamNews::Opened { flow, queue }).await {
        connection::run(stream, ends, inbox, place).await;
    }
}

async fn wait_out(error: &io::Error) {
    let of_the_peer = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted];
    if of_the_peer.contains(&error.kind()) {
        return;
    }
    tracing::warn!(%error, "accepting SIP over TCP");
    tokio::time::sleep(REST).await;
}
