//! Takes connections in, one listener a task.

use std::io;
use std::time::Duration;

use sip::{Flow, Transport};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::connection::{self, Ends};
use super::{Numbers, Places, QUEUE};
use crate::inbox::{Inbox, StreamNews};

/// How long accepting rests when the machine is out of something.
const REST: Duration = Duration::from_millis(100);

/// Accepts until the engine thread is gone.
pub async fn listen(listener: std::net::TcpListener, interface: u16, numbers: Numbers, places: Places, inbox: Inbox) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "SIP over TCP is not listened for");
            return;
        }
    };
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                wait_out(&error).await;
                continue;
            }
        };
        let Some(place) = places.take(remote.ip()) else {
            tracing::debug!(%remote, "too many connections: closed");
            continue;
        };
        let flow = Flow { transport: Transport::Tcp, interface, connection: numbers.next(), remote };
        let (queue, waiting) = mpsc::channel(QUEUE);
        if !inbox.stream(StreamNews::Opened { flow, queue: queue.clone() }).await {
            return;
        }
        let ends = Ends { flow, queue: queue.downgrade(), waiting };
        tokio::spawn(connection::run(stream, ends, inbox.clone(), place));
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
