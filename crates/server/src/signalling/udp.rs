//! The UDP sockets of SIP. Knows bytes and flows, no SIP.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use sip::Flow;

use crate::interfaces::plain;

/// The largest datagram there is.
const LARGEST: usize = 65_536;

/// All sockets, read in turns.
pub struct Udp {
    sockets: Vec<Socket>,
    buffer: Box<[u8]>,
    /// Whose turn it is to be read.
    turn: usize,
}

struct Socket {
    socket: UdpSocket,
    /// Peers of IPv4 that come here have mapped addresses.
    is_ipv6: bool,
    /// Whether something may be there to read. The poller tells once, until everything is read.
    readable: bool,
}

impl Udp {
    /// Takes bound sockets and has the poller tell of them: the token is the index.
    pub fn new(sockets: Vec<std::net::UdpSocket>, registry: &Registry) -> io::Result<Self> {
        let mut registered = Vec::new();
        for (at, socket) in sockets.into_iter().enumerate() {
            let mut socket = UdpSocket::from_std(socket);
            let is_ipv6 = socket.local_addr()?.is_ipv6();
            registry.register(&mut socket, Token(at), Interest::READABLE)?;
            registered.push(Socket { socket, is_ipv6, readable: true });
        }
        Ok(Self { sockets: registered, buffer: vec![0; LARGEST].into_boxed_slice(), turn: 0 })
    }

    /// The poller says that there is something to read.
    pub fn has_more(&mut self, token: Token) {
        if let Some(socket) = self.sockets.get_mut(token.0) {
            socket.readable = true;
        }
    }

    /// Whether something may be there to read.
    pub fn is_readable(&self) -> bool {
        self.sockets.iter().any(|socket| socket.readable)
    }

    /// The next datagram, of each socket in turn; None when all are empty.
    pub fn receive(&mut self) -> Option<(Flow, Bytes)> {
        for _ in 0..self.sockets.len() {
            self.turn = (self.turn + 1) % self.sockets.len();
            let socket = &mut self.sockets[self.turn];
            while socket.readable {
                match socket.socket.recv_from(&mut self.buffer) {
                    Ok((length, remote)) => {
                        // What the engine keeps of a message keeps these bytes: they are as many as the message has.
                        let packet = Bytes::copy_from_slice(&self.buffer[..length]);
                        return Some((Flow::udp(self.turn as u16, plain(remote)), packet));
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.readable = false,
                    Err(error) => {
                        tracing::debug!(%error, "receiving SIP");
                        socket.readable = false;
                    }
                }
            }
        }
        None
    }

    /// Sends a datagram, or drops it: SIP sends again.
    pub fn send(&self, flow: Flow, bytes: &[u8]) -> Result<(), ()> {
        let Some(socket) = self.sockets.get(usize::from(flow.interface)) else { return Err(()) };
        match socket.socket.send_to(bytes, socket.as_its_family(flow.remote)) {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::debug!(%flow, %error, "not sent");
                Err(())
            }
        }
    }
}

impl Socket {
    /// A peer's address as this socket wants it.
    fn as_its_family(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(ip) if self.is_ipv6 => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            _ => to,
        }
    }
}
