//! Binds a phone's sockets.

use std::io;
use std::net::SocketAddr;

use mio::net::{TcpListener, UdpSocket};

/// Free ports are tried so often until one is free for UDP and TCP.
const TRIES: usize = 64;

/// All sockets of a phone.
#[derive(Debug)]
pub(super) struct Sockets {
    pub udp: UdpSocket,
    /// What is too long for UDP comes here.
    pub tcp: TcpListener,
    /// For sound, one a line.
    pub sound: Vec<(SocketAddr, UdpSocket)>,
}

impl Sockets {
    pub(super) fn bind(listen: SocketAddr, lines: u16) -> io::Result<Self> {
        let (udp, tcp) = bind_both(listen)?;
        let sound = (0..lines.max(1)).map(|_| bind_sound(listen)).collect::<io::Result<_>>()?;
        Ok(Self { udp, tcp, sound })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }
}

fn bind_both(listen: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut tries = if listen.port() == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        let udp = UdpSocket::bind(listen)?;
        match TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            Err(error) => return Err(error),
        }
    }
}

fn bind_sound(listen: SocketAddr) -> io::Result<(SocketAddr, UdpSocket)> {
    let socket = UdpSocket::bind(SocketAddr::new(listen.ip(), 0))?;
    Ok((socket.local_addr()?, socket))
}
