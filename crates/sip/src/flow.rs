//! How a peer is reached, and reached back.
//!
//! A flow is what a message came by: answers return on it, and requests to a phone take it in place of the name in
//! the phone's Contact. Opening, closing and naming connections belongs to whoever has the sockets.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What carries SIP between two hosts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Datagrams: may be lost, doubled or overtaken.
    Udp,
    /// A stream (RFC 3261, 18.3).
    Tcp,
    /// TLS on a TCP stream.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl Transport {
    /// True if it delivers in order or breaks: nothing is sent again on it (RFC 3261, 17).
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }

    /// Its name in a Via.
    pub fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
        }
    }

    /// Its value as `transport` parameter of a URI; UDP is what its absence means.
    pub fn uri_parameter(self) -> Option<&'static str> {
        match self {
            Transport::Udp => None,
            Transport::Tcp => Some("tcp"),
            Transport::Tls => Some("tls"),
            Transport::Ws | Transport::Wss => Some("ws"),
        }
    }
}

/// One way to one peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Flow {
    /// What carries it.
    pub transport: Transport,
    /// Which of our SIP interfaces it is on, an index into their list.
    pub interface: u16,
    /// The connection it is. 0 for UDP; on a stream transport 0 asks for a connection to `remote`, one that is open
    /// or a fresh one.
    pub connection: u64,
    /// The peer's address as the socket tells it.
    pub remote: SocketAddr,
}

impl Flow {
    /// A UDP flow.
    pub fn udp(interface: u16, remote: SocketAddr) -> Self {
        Self { transport: Transport::Udp, interface, connection: 0, remote }
    }

    /// The same peer when the connection is gone: a connection has to be opened, or another one found.
    pub fn unconnected(self) -> Self {
        Self { connection: 0, ..self }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport.via_name(), self.remote)?;
        if self.connection != 0 {
            write!(f, " #{}", self.connection)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_datagrams_are_unreliable() {
        let reliable =
            [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss].map(Transport::is_reliable);

        assert_eq!(reliable, [false, true, true, true, true]);
    }

    #[test]
    fn a_flow_shows_its_peer_and_connection() {
        let remote: SocketAddr = "192.0.2.7:5060".parse().unwrap();

        let tcp = Flow { transport: Transport::Tcp, interface: 0, connection: 9, remote };

        assert_eq!(tcp.to_string(), "TCP 192.0.2.7:5060 #9");
        assert_eq!(Flow::udp(0, remote).to_string(), "UDP 192.0.2.7:5060");
        assert_eq!(tcp.unconnected().connection, 0);
    }
}
