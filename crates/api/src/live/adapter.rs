//! A way past socketioxide's `emit`, to one socket at a time.
//!
//! It writes packets that `emit` cannot write (the ERROR packet of Socket.IO 2.x), sends bytes that were rendered once to
//! many sockets, and tells which socket was full.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use socketioxide::SocketError;
use socketioxide::adapter::Emitter;
use socketioxide::socket::Sid;
use socketioxide_core::adapter::{BroadcastOptions, CoreAdapter, CoreLocalAdapter, DefinedAdapter, SocketEmitter};
use socketioxide_core::packet::Packet;
use socketioxide_core::{Str, Value};

/// The default namespace.
const ROOT: &str = "/";

/// The adapter of the one namespace there is. Keeps everything in memory, like socketioxide's own.
pub(crate) struct Direct {
    local: CoreLocalAdapter<Emitter>,
    wire: Wire,
}

/// Sends to sockets by their id.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<OnceLock<Weak<Direct>>>);

/// Why a packet was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotSent {
    /// So many packets wait for this socket already.
    Full,
    /// The socket is closed.
    Gone,
}

impl Wire {
    /// Sends an event whose array `["name", …]` is already text.
    pub fn event(&self, socket: Sid, array: &Str) -> Result<(), NotSent> {
        self.send(socket, Packet::event(ROOT, Value::Str(array.clone(), None)))
    }

    /// Sends an ERROR packet; Socket.IO 2.x clients hear it as `error` with `{"message": …}`.
    pub fn error(&self, socket: Sid, message: &str) -> Result<(), NotSent> {
        self.send(socket, Packet::connect_error(ROOT, message))
    }

    fn send(&self, socket: Sid, packet: Packet) -> Result<(), NotSent> {
        let direct = self.0.get().and_then(Weak::upgrade).ok_or(NotSent::Gone)?;
        direct.local.broadcast(packet, BroadcastOptions::new(socket)).map_err(|errors| {
            if errors.iter().any(|error| matches!(error, SocketError::InternalChannelFull)) {
                NotSent::Full
            } else {
                NotSent::Gone
            }
        })
    }
}

impl CoreAdapter<Emitter> for Direct {
    type Error = Infallible;
    type State = Wire;
    type AckStream = <Emitter as SocketEmitter>::AckStream;
    type InitRes = ();

    fn new(wire: &Wire, local: CoreLocalAdapter<Emitter>) -> Self {
        Self { local, wire: wire.clone() }
    }

    fn init(self: Arc<Self>, on_success: impl FnOnce() + Send + 'static) {
        // Set once: there is one namespace.
        let _ = self.wire.0.set(Arc::downgrade(&self));
        on_success();
    }

    async fn broadcast_with_ack(
        &self,
        packet: Packet,
        options: BroadcastOptions,
        timeout: Option<Duration>,
    ) -> Result<Self::AckStream, Infallible> {
        Ok(self.local.broadcast_with_ack(packet, options, timeout).0)
    }

    fn get_local(&self) -> &CoreLocalAdapter<Emitter> {
        &self.local
    }
}

impl DefinedAdapter for Direct {}
