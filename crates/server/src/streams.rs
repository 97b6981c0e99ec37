//! SIP over TCP and TLS: who is connected, and how a message gets to them.
//!
//! [`Streams`] is the engine thread's book of connections; it never blocks. Each connection has a task of its own that
//! reads, frames and writes (`streams/connection.rs`), each listener one that accepts (`streams/accept.rs`). Whole
//! messages and ends of connections come to the engine thread by its inbox.

mod accept;
mod connection;
mod places;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use model::{Keyed, Map};
use sip::{Flow, Transport};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

pub use accept::{Entrance, listen};
pub use places::Places;

use crate::inbox::Inbox;
use crate::tls::Peers;

/// Messages that may wait to be written to one peer. A peer that is further behind is closed.
const QUEUE: usize = 128;

/// Numbers for connections; shared by whoever accepts and whoever connects.
#[derive(Clone, Default)]
pub struct Numbers(Arc<AtomicU64>);

/// Open connections, as the engine thread knows them.
pub struct Streams {
    runtime: Handle,
    inbox: Inbox,
    numbers: Numbers,
    places: Places,
    /// Our address on each interface, whence connections are opened.
    local: Vec<SocketAddr>,
    /// Who is spoken to over TLS.
    peers: Peers,
    open: Map<u64, Connection>,
    by_remote: Map<Place, u64>,
}

/// What a connection is looked up by, where any to that peer will do.
type Place = (Transport, u16, SocketAddr);

struct Connection {
    flow: Flow,
    queue: mpsc::Sender<Bytes>,
}

/// Why a message was not taken. It is lost; the connection, if there was one, is being closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsent {
    /// The connection is closed.
    #[error("the connection is closed")]
    Gone,
    /// The peer does not read fast enough.
    #[error("the peer does not read")]
    Full,
    /// This transport, or a further connection, is not to be had.
    #[error("no connection can be opened")]
    NoWay,
}

impl Numbers {
    /// One that was never used. Never 0, which means that any connection will do.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Streams {
    /// None is open. `seed` keys the book, because peers choose what it is looked up by.
    pub fn new(
        runtime: Handle,
        inbox: Inbox,
        numbers: Numbers,
        places: Places,
        local: Vec<SocketAddr>,
        peers: Peers,
        seed: &[u8; 32],
    ) -> Self {
        let keyed = Keyed::new(seed);
        Self {
            runtime,
            inbox,
            numbers,
            places,
            local,
            peers,
            open: Map::with_hasher(keyed),
            by_remote: Map::with_hasher(keyed),
        }
    }

    /// Enters a connection that a peer has opened.
    pub fn opened(&mut self, flow: Flow, queue: mpsc::Sender<Bytes>) {
        self.by_remote.insert(place_of(flow), flow.connection);
        self.open.insert(flow.connection, Connection { flow, queue });
    }

    /// Hands a message to a connection; connection 0 is an open one to that peer, or one opened for it.
    pub fn send(&mut self, flow: Flow, bytes: Bytes) -> Result<(), Unsent> {
        let connection = match flow.connection {
            0 => self.connection_to(flow)?,
            number => number,
        };
        let Some(open) = self.open.get(&connection) else { return Err(Unsent::Gone) };
        match open.queue.try_send(bytes) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Unsent::Gone),
            Err(mpsc::error::TrySendError::Full(_)) => {
                let flow = open.flow;
                self.close(flow);
                Err(Unsent::Full)
            }
        }
    }

    /// Strikes out a connection, which closes it if it is open: its task ends when its queue's last sender is gone.
    pub fn close(&mut self, flow: Flow) {
        self.open.remove(&flow.connection);
        let place = place_of(flow);
        if self.by_remote.get(&place) == Some(&flow.connection) {
            self.by_remote.remove(&place);
        }
    }

    /// Whether a connection is open.
    pub fn is_open(&self, flow: Flow) -> bool {
        self.open.contains_key(&flow.connection)
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn connection_to(&mut self, flow: Flow) -> Result<u64, Unsent> {
        if let Some(number) = self.by_remote.get(&place_of(flow)) {
            return Ok(*number);
        }
        let local = *self.local.get(usize::from(flow.interface)).ok_or(Unsent::NoWay)?;
        let peers = match flow.transport {
            Transport::Tcp => None,
            Transport::Tls => Some(self.peers.clone()),
            _ => return Err(Unsent::NoWay),
        };
        let local = match (local.ip(), flow.remote.ip()) {
            // All of the machine's addresses means those of IPv4 too.
            (IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(_)) => Ipv4Addr::UNSPECIFIED.into(),
            (local, remote) if local.is_ipv4() == remote.is_ipv4() => local,
            _ => return Err(Unsent::NoWay),
        };
        let place = self.places.take(flow.remote.ip()).ok_or(Unsent::NoWay)?;
        let flow = Flow { connection: self.numbers.next(), ..flow };
        let (queue, waiting) = mpsc::channel(QUEUE);
        let ends = connection::Ends { flow, queue: queue.downgrade(), waiting };
        self.runtime.spawn(connection::open(local, peers, ends, self.inbox.clone(), place));
        self.opened(flow, queue);
        Ok(flow.connection)
    }
}

fn place_of(flow: Flow) -> Place {
    (flow.transport, flow.interface, flow.remote)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_tls;
