//! One phone as the room's thread sees it: its sockets, and what is done with what comes out of its handset.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;
use mio::{Interest, Registry};
use sip::{Flow, Transport};

use super::connection::{Broken, Connection};
use super::sockets::Sockets;
use super::state::Shared;
use super::tokens::{Socket, Tokens};
use crate::sound::Output;

/// Datagrams taken from one socket before others have their turn.
const TURN: usize = 64;

/// Connections at a time.
const CONNECTIONS: usize = 256;

/// How long one who leaves waits for what the others say to it.
const GOODBYE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Desk {
    shared: Arc<Shared>,
    sockets: Sockets,
    connections: BTreeMap<u64, Connection>,
    last_connection: u64,
    /// When it goes, whatever is still open.
    leaves_at: Option<Instant>,
}

/// Whether a socket may have more to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Read {
    All,
    Some,
}

impl Desk {
    /// Registers all sockets.
    pub(super) fn open(
        mut sockets: Sockets,
        shared: Arc<Shared>,
        registry: &Registry,
        tokens: &mut Tokens<'_>,
    ) -> io::Result<Self> {
        registry.register(&mut sockets.udp, tokens.take(Socket::Udp), Interest::READABLE)?;
        registry.register(&mut sockets.tcp, tokens.take(Socket::Listener), Interest::READABLE)?;
        for (at, (_, socket)) in sockets.sound.iter_mut().enumerate() {
            registry.register(socket, tokens.take(Socket::Sound(at)), Interest::READABLE)?;
        }
        Ok(Self { shared, sockets, connections: BTreeMap::new(), last_connection: 0, leaves_at: None })
    }

    /// Reads from a socket, one turn.
    pub(super) fn receive(&mut self, socket: Socket, registry: &Registry, tokens: &mut Tokens<'_>) -> Read {
        match socket {
            Socket::Udp => self.receive_sip(),
            Socket::Sound(at) => self.receive_sound(at),
            Socket::Listener => self.accept(registry, tokens),
            Socket::Connection(number) => self.receive_stream(number, registry, tokens),
        }
    }

    /// Does what is due and sends what is to be sent. Gives when to come again.
    pub(super) fn settle(&mut self, registry: &Registry, tokens: &mut Tokens<'_>) -> Option<Instant> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        state.handset.handle_timeout(Instant::now());
        let mut told = false;
        while let Some(output) = state.handset.poll_output() {
            match output {
                Output::Event(event) => {
                    state.push(event);
                    told = true;
                }
                Output::Rtp { from, to, bytes } => {
                    if let Some((_, socket)) = self.sockets.sound.iter().find(|(address, _)| *address == from) {
                        // What a socket cannot take is lost, as on any network.
                        let _ = socket.send_to(&bytes, to);
                    }
                }
                Output::Sip { flow, bytes } if flow.transport == Transport::Udp => {
                    let _ = self.sockets.udp.send_to(&bytes, flow.remote);
                }
                Output::Sip { flow, bytes } => {
                    for lost in self.send_stream(flow, &bytes, registry, tokens) {
                        state.handset.handle_flow_lost(Instant::now(), lost);
                    }
                }
            }
        }
        if told {
            shared.notify();
        }
        state.handset.poll_timeout().into_iter().chain(self.leaves_at).min()
    }

    /// Hangs up, signs out, and goes once the others know, or soon.
    pub(super) fn leave(&mut self) {
        let now = Instant::now();
        self.leaves_at = Some(now + GOODBYE);
        let mut state = self.shared.lock();
        state.handset.order(now, |agent| {
            let calls: Vec<_> = agent.calls().collect();
            for call in calls {
                // A call that is over by itself meanwhile is over.
                let _ = agent.hang_up(now, call);
            }
            if agent.is_registered() {
                agent.unregister(now);
            }
        });
    }

    /// Whether it leaves, and nothing holds it any more.
    pub(super) fn is_done(&self) -> bool {
        let Some(leaves_at) = self.leaves_at else { return false };
        let state = self.shared.lock();
        let agent = state.handset.agent();
        let is_idle = agent.calls().next().is_none() && agent.load().dialogs == 0 && !agent.is_registered();
        is_idle || leaves_at <= Instant::now()
    }

    /// Closes all sockets.
    pub(super) fn close(mut self, registry: &Registry, tokens: &mut Tokens<'_>) {
        // A socket that is closed is not watched any more, whatever is said here.
        let _ = registry.deregister(&mut self.sockets.udp);
        let _ = registry.deregister(&mut self.sockets.tcp);
        for (_, socket) in &mut self.sockets.sound {
            let _ = registry.deregister(socket);
        }
        for connection in self.connections.values_mut() {
            let _ = registry.deregister(connection.stream());
        }
        tokens.forget_desk();
        // The ports are free before anybody hears of it.
        let Self { shared, sockets, connections, .. } = self;
        drop((sockets, connections));
        shared.lock().is_gone = true;
        shared.notify();
    }

    fn receive_sip(&mut self) -> Read {
        let mut buffer = vec![0; 65_535];
        for _ in 0..TURN {
            let (length, remote) = match self.sockets.udp.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::All,
                // What a peer's closed port answered to something sent before.
                Err(_) => continue,
            };
            let bytes = Bytes::copy_from_slice(&buffer[..length]);
            self.shared.lock().handset.handle_packet(Instant::now(), Flow::udp(0, remote), bytes);
        }
        Read::Some
    }

    fn receive_sound(&mut self, at: usize) -> Read {
        let Some((local, socket)) = self.sockets.sound.get(at) else { return Read::All };
        let mut buffer = [0; 2_048];
        for _ in 0..TURN {
            let length = match socket.recv_from(&mut buffer) {
                Ok((length, _)) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::All,
                Err(_) => continue,
            };
            self.shared.lock().handset.handle_sound(Instant::now(), *local, &buffer[..length]);
            self.shared.notify();
        }
        Read::Some
    }

    fn accept(&mut self, registry: &Registry, tokens: &mut Tokens<'_>) -> Read {
        for _ in 0..TURN {
            match self.sockets.tcp.accept() {
                Ok((stream, remote)) => {
                    let number = self.adopt(stream, remote, Adopted::Theirs, registry, tokens);
                    tracing::trace!(%remote, ?number, "a connection came in");
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::All,
                Err(_) => {}
            }
        }
        Read::Some
    }

    fn receive_stream(&mut self, number: u64, registry: &Registry, tokens: &mut Tokens<'_>) -> Read {
        for _ in 0..TURN {
            let Some(connection) = self.connections.get_mut(&number) else { return Read::All };
            let received = connection.flush().and_then(|()| connection.receive());
            let flow = connection.flow;
            match received {
                Ok(None) => return Read::All,
                Ok(Some(messages)) => {
                    let mut state = self.shared.lock();
                    for message in messages {
                        state.handset.handle_packet(Instant::now(), flow, message);
                    }
                }
                Err(Broken) => {
                    let lost = self.drop_connection(number, registry, tokens);
                    let mut state = self.shared.lock();
                    for flow in lost {
                        state.handset.handle_flow_lost(Instant::now(), flow);
                    }
                    return Read::All;
                }
            }
        }
        Read::Some
    }

    /// Sends on a stream, one that is open or a fresh one. Gives the flows that are lost by that.
    fn send_stream(&mut self, flow: Flow, bytes: &[u8], registry: &Registry, tokens: &mut Tokens<'_>) -> Vec<Flow> {
        let known = |connection: &&Connection| connection.flow.remote == flow.remote;
        let number = match flow.connection {
            0 => self.connections.values().find(known).map(|connection| connection.flow.connection),
            number => Some(number),
        };
        let number = number.or_else(|| {
            let stream = TcpStream::connect(flow.remote).ok()?;
            self.adopt(stream, flow.remote, Adopted::Ours, registry, tokens)
        });
        let Some(number) = number else { return vec![flow] };
        match self.connections.get_mut(&number).map(|connection| connection.send(bytes)) {
            Some(Ok(())) => Vec::new(),
            Some(Err(Broken)) => self.drop_connection(number, registry, tokens),
            None => vec![flow],
        }
    }

    fn adopt(
        &mut self,
        mut stream: TcpStream,
        remote: SocketAddr,
        whose: Adopted,
        registry: &Registry,
        tokens: &mut Tokens<'_>,
    ) -> Option<u64> {
        if self.connections.len() >= CONNECTIONS {
            return None;
        }
        self.last_connection += 1;
        let number = self.last_connection;
        let token = tokens.take(Socket::Connection(number));
        if registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE).is_err() {
            tokens.forget(token);
            return None;
        }
        let is_ours = matches!(whose, Adopted::Ours);
        self.connections.insert(number, Connection::new(stream, remote, number, token, is_ours));
        Some(number)
    }

    fn drop_connection(&mut self, number: u64, registry: &Registry, tokens: &mut Tokens<'_>) -> Vec<Flow> {
        let Some(mut connection) = self.connections.remove(&number) else { return Vec::new() };
        let _ = registry.deregister(connection.stream());
        tokens.forget(connection.token);
        let flow = connection.flow;
        // What was sent without naming a connection went by this one, if it is ours.
        if connection.is_ours { vec![flow, flow.unconnected()] } else { vec![flow] }
    }
}

#[derive(Clone, Copy, Debug)]
enum Adopted {
    Ours,
    Theirs,
}
