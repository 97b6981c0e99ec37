//! Our addresses: what is bound for SIP, which networks are attached, and what a peer is told of it.
//!
//! What peers are told follows the kernel's tables: they are read at the start and again whenever they change.

mod netlink;
mod routes;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use engine::Input;
use sip::{Interface, Speaks};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use crate::config::{Listen, Network, Settings};
use crate::inbox::{Errand, Inbox};
use crate::unusable::Unusable;
use netlink::Changes;
use routes::Networks;

/// Room for datagrams that arrive while the engine thread is busy or starting.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Connections that may wait to be accepted: thousands of clients come back at once when a proxy or this server starts again.
const BACKLOG: i32 = 4_096;
/// Changes of addresses and routes come in bursts: how long after the first all of them are read.
const SETTLE: Duration = Duration::from_millis(100);

/// One SIP interface with its sockets.
#[derive(Debug)]
pub struct Bound {
    listen: Listen,
    speaks: Speaks,
    families: Families,
    /// Where it is.
    pub address: SocketAddr,
    /// For datagrams, on the same port; none where TLS is spoken.
    pub udp: Option<UdpSocket>,
    /// For connections.
    pub tcp: TcpListener,
}

/// All interfaces, and what is to be known to describe them again.
#[derive(Clone, Debug)]
pub struct Interfaces {
    sip: Vec<Known>,
    rtp: Vec<Listen>,
    local_nets: Option<Vec<Network>>,
}

/// One bound SIP interface without its sockets.
#[derive(Clone, Debug)]
struct Known {
    listen: Listen,
    address: SocketAddr,
    speaks: Speaks,
    families: Families,
}

/// Whose peers come to an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Families {
    /// Those of its own family.
    Own,
    /// IPv4 too: it is the unspecified one of IPv6.
    Both,
}

/// What peers are told by each interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// For SIP, in the order they were bound.
    pub sip: Vec<Interface>,
    /// For sound, in the order of the settings.
    pub rtp: Vec<Interface>,
}

/// Binds every SIP interface, those for TLS last; port 0 takes one that is free for UDP and TCP.
pub fn bind_sip(settings: &Settings) -> Result<Vec<Bound>, Unusable> {
    let plain = settings.sip.iter().map(|listen| {
        let families = families(settings, listen);
        let (udp, tcp, address) =
            bind_both(listen.address, families).map_err(|error| cannot_bind("--sip", listen, &error))?;
        Ok(Bound { listen: listen.clone(), speaks: Speaks::Plain, families, address, udp: Some(udp), tcp })
    });
    let safe = settings.sips.iter().map(|listen| {
        let families = families(settings, listen);
        let bind = || listen_tcp(listen.address, families).and_then(|tcp| Ok((tcp.local_addr()?, tcp)));
        let (address, tcp) = bind().map_err(|error| cannot_bind("--sips", listen, &error))?;
        Ok(Bound { listen: listen.clone(), speaks: Speaks::Tls, families, address, udp: None, tcp })
    });
    plain.chain(safe).collect()
}

impl Interfaces {
    /// Checks the addresses for sound; their ports are chosen by the media workers.
    pub fn new(settings: &Settings, sip: &[Bound]) -> Result<Self, Unusable> {
        for listen in &settings.rtp {
            // Nothing is bound here, but an address that is none of ours is a wrong setting, and better known now.
            UdpSocket::bind((listen.address.ip(), 0)).map_err(|error| cannot_bind("--rtp", listen, &error))?;
        }
        let sip = sip.iter().map(|bound| Known {
            listen: bound.listen.clone(),
            address: bound.address,
            speaks: bound.speaks,
            families: bound.families,
        });
        Ok(Self { sip: sip.collect(), rtp: settings.rtp.clone(), local_nets: settings.local_nets.clone() })
    }

    /// As the machine's networks are now.
    pub fn describe(&self) -> Result<Described, Unusable> {
        let networks = Networks::read();
        let networks = networks.map_err(|error| Unusable(format!("the networks of this machine: {error}")))?;
        Ok(self.described(&networks))
    }

    /// Tells the engine whenever what peers are told has changed; returns when nobody listens any more.
    pub async fn follow(self, mut known: Described, inbox: Inbox) {
        // SAFETY: the socket is owned by what is registered, which keeps it open and never exchanges it.
        let register = |changes| unsafe { AsyncFd::register(changes) }.map_err(io::Error::from);
        let changes = match Changes::hear().and_then(register) {
            Ok(changes) => changes,
            Err(error) => {
                tracing::warn!(%error, "changes of addresses and routes are not noticed: restart after each");
                return;
            }
        };
        while inbox.is_heard() {
            if let Ok(Ok(now)) = tokio::task::spawn_blocking({
                let this = self.clone();
                move || this.describe()
            })
            .await
                && now != known
            {
                tracing::info!("addresses or routes have changed");
                known = now.clone();
                let Described { sip, rtp } = now;
                inbox.errand_in_turn(Errand::input(Input::Interfaces { sip, rtp })).await;
            }
            let Ok(mut ready) = changes.readable().await else { return };
            sleep(SETTLE).await;
            if changes.get_ref().drain().is_err() {
                return;
            }
            ready.clear_ready();
        }
    }

    fn described(&self, networks: &Networks) -> Described {
        let sip = self.sip.iter().map(|known| Interface {
            speaks: known.speaks,
            ..self.describe_one(&known.listen, known.address, known.families, networks)
        });
        // Beside an address of IPv4 the sockets on `[::]` hear IPv4 as well, and nobody is sent there for it.
        let has_ipv4 = self.rtp.iter().any(|listen| listen.address.is_ipv4());
        let families = |listen: &Listen| if has_ipv4 { Families::Own } else { Families::of(listen.address) };
        let rtp = self.rtp.iter().map(|listen| self.describe_one(listen, listen.address, families(listen), networks));
        Described { sip: sip.collect(), rtp: rtp.collect() }
    }

    fn describe_one(&self, listen: &Listen, bound: SocketAddr, families: Families, networks: &Networks) -> Interface {
        let attached = || networks.attached();
        let local_nets = self.local_nets.as_ref().map(|nets| nets.iter().map(|net| (net.0, net.1)).collect());
        let advertise = listen.advertise.map(|told| match told.port() {
            0 => SocketAddr::new(told.ip(), bound.port()),
            _ => told,
        });
        let any = |ip| networks.any(ip).unwrap_or(loopback(ip));
        let default_address = match bound.ip() {
            ip if ip.is_unspecified() => any(ip),
            ip => ip,
        };
        let mut routes = networks.routes_from(bound.ip());
        let mut ipv4 = None;
        if families == Families::Both {
            let everywhere = Ipv4Addr::UNSPECIFIED.into();
            routes.extend(networks.routes_from(everywhere));
            ipv4 = match any(everywhere) {
                IpAddr::V4(ip) => Some(ip),
                IpAddr::V6(_) => None,
            };
        }
        Interface {
            advertise,
            local_nets: local_nets.unwrap_or_else(attached),
            routes,
            default_address,
            ipv4,
            ..Interface::at(listen.name.clone(), bound)
        }
    }
}

impl Families {
    /// Of an address that is alone on its port.
    fn of(address: SocketAddr) -> Self {
        if address.is_ipv6() && address.ip().is_unspecified() { Self::Both } else { Self::Own }
    }

    fn is_one(self) -> bool {
        self == Self::Own
    }
}

impl Bound {
    /// The addresses whose families peers here are of.
    pub fn families(&self) -> impl Iterator<Item = IpAddr> {
        let further = (self.families == Families::Both).then_some(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        std::iter::once(self.address.ip()).chain(further)
    }
}

/// The unspecified address of IPv6 is for IPv4 too, unless that has a listener of its own on the same port.
fn families(settings: &Settings, listen: &Listen) -> Families {
    let mut others = settings.sip.iter().chain(&settings.sips);
    if others.any(|other| other.address.is_ipv4() && other.address.port() == listen.address.port()) {
        return Families::Own;
    }
    Families::of(listen.address)
}

/// A peer's address with the family that it has: an IPv4 peer of an IPv6 socket has a mapped one there.
pub fn plain(peer: SocketAddr) -> SocketAddr {
    match peer.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), peer.port()),
        // With its scope, which a link-local address is nothing without.
        IpAddr::V6(_) => peer,
    }
}

fn loopback(alike: IpAddr) -> IpAddr {
    if alike.is_ipv4() { IpAddr::from([127, 0, 0, 1]) } else { std::net::Ipv6Addr::LOCALHOST.into() }
}

/// Listens for HTTP: in the clear, and over TLS.
pub fn bind_http(settings: &Settings) -> Result<(Vec<TcpListener>, Vec<TcpListener>), Unusable> {
    let bind = |flag: &str, addresses: &[SocketAddr]| -> Result<Vec<TcpListener>, Unusable> {
        let listen = |address: &SocketAddr| {
            listen_tcp(*address, Families::Own).map_err(|error| {
                Unusable(format!("{flag} {address}: {error}: choose another address or stop who has it"))
            })
        };
        addresses.iter().map(listen).collect()
    };
    Ok((bind("--http", &settings.http)?, bind("--https", &settings.https)?))
}

fn cannot_bind(flag: &str, listen: &Listen, error: &io::Error) -> Unusable {
    Unusable(format!("{flag} {}: {error}: choose another address or stop who has it", listen.address))
}

fn bind_both(address: SocketAddr, families: Families) -> io::Result<(UdpSocket, TcpListener, SocketAddr)> {
    let mut tries = if address.port() == 0 { 64 } else { 1 };
    loop {
        tries -= 1;
        let tcp = listen_tcp(address, families)?;
        let bound = tcp.local_addr()?;
        match bind_udp(bound, families) {
            Ok(udp) => return Ok((udp, tcp, bound)),
            // The free TCP port may be somebody's UDP port: another one is tried.
            Err(error) if tries == 0 || error.kind() != io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => {}
        }
    }
}

fn listen_tcp(address: SocketAddr, families: Families) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(families.is_one())?;
    }
    // A restart must not wait for connections of the process before it to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind_udp(address: SocketAddr, families: Families) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(families.is_one())?;
    }
    socket.set_nonblocking(true)?;
    grow_receive_buffer(&socket);
    socket.set_send_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// As much as was asked for where we may, else as much as the machine allows everybody.
fn grow_receive_buffer(socket: &Socket) {
    let size = RECEIVE_BUFFER as libc::c_int;
    // SAFETY: the descriptor is open while `socket` lives, and the value is a c_int of the length given.
    let forced = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            (&raw const size).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if forced != 0
        && let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER)
    {
        tracing::warn!(%error, "the receive buffer for SIP stays small");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_zero_takes_one_port_for_udp_and_tcp() {
        let (udp, tcp, bound) = bind_both("127.0.0.1:0".parse().expect("an address"), Families::Own).expect("bound");

        assert_ne!(bound.port(), 0);
        assert_eq!(udp.local_addr().expect("bound"), bound);
        assert_eq!(tcp.local_addr().expect("bound"), bound);
    }

    #[test]
    fn a_taken_port_is_refused_with_the_flag() {
        let taken = UdpSocket::bind("127.0.0.1:0").expect("bound");
        let listen = Listen { address: taken.local_addr().expect("bound"), ..Listen::anywhere(0) };

        let error = bind_both(listen.address, Families::Own)
            .map_err(|error| cannot_bind("--sip", &listen, &error))
            .expect_err("taken");

        assert!(error.0.starts_with(&format!("--sip {}: ", listen.address)), "{error}");
        assert!(error.0.ends_with("choose another address or stop who has it"), "{error}");
    }
}
