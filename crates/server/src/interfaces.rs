//! Our addresses: what is bound for SIP, which networks are attached, and what a peer is told of it.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;

use sip::Interface;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::{Listen, Network, Settings};
use crate::unusable::Unusable;

/// Room for datagrams that arrive while the engine thread is busy or starting.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// One SIP interface with its sockets, UDP and TCP on the same port.
#[derive(Debug)]
pub struct Bound {
    /// What peers are told.
    pub interface: Interface,
    /// For datagrams.
    pub udp: UdpSocket,
    /// For connections.
    pub tcp: TcpListener,
}

/// Binds every SIP interface; port 0 takes one that is free for UDP and TCP.
pub fn bind_sip(settings: &Settings) -> Result<Vec<Bound>, Unusable> {
    let attached = attached()?;
    settings
        .sip
        .iter()
        .map(|listen| {
            let (udp, tcp, bound) = bind_both(listen.address).map_err(|error| cannot_bind("--sip", listen, &error))?;
            let interface = describe(listen, bound, &attached, settings, "--sip")?;
            Ok(Bound { interface, udp, tcp })
        })
        .collect()
}

/// Describes the addresses for sound. Their ports are chosen by the media workers.
pub fn for_sound(settings: &Settings) -> Result<Vec<Interface>, Unusable> {
    let attached = attached()?;
    let describe = |listen: &Listen| {
        // Nothing is bound here, but an address that is none of ours is a wrong setting, and better known now.
        UdpSocket::bind((listen.address.ip(), 0)).map_err(|error| cannot_bind("--rtp", listen, &error))?;
        describe(listen, listen.address, &attached, settings, "--rtp")
    };
    settings.rtp.iter().map(describe).collect()
}

/// Listens for HTTP.
pub fn bind_http(settings: &Settings) -> Result<Vec<TcpListener>, Unusable> {
    let bind = |address: &SocketAddr| {
        listen_tcp(*address)
            .map_err(|error| Unusable(format!("--http {address}: {error}: choose another address or stop who has it")))
    };
    settings.http.iter().map(bind).collect()
}

fn cannot_bind(flag: &str, listen: &Listen, error: &io::Error) -> Unusable {
    Unusable(format!("{flag} {}: {error}: choose another address or stop who has it", listen.address))
}

fn describe(
    listen: &Listen,
    bound: SocketAddr,
    attached: &[(IpAddr, u8)],
    settings: &Settings,
    flag: &str,
) -> Result<Interface, Unusable> {
    let local_nets = match (&settings.local_nets, listen.advertise) {
        (Some(nets), Some(_)) => ours_in(nets, bound.ip(), attached, flag)?,
        _ => attached.to_vec(),
    };
    let advertise = listen.advertise.map(|told| match told.port() {
        0 => SocketAddr::new(told.ip(), bound.port()),
        _ => told,
    });
    let default_address = match bound.ip() {
        ip if ip.is_unspecified() => towards_the_world(ip, attached),
        ip => ip,
    };
    let route = |(ours, prefix): &(IpAddr, u8)| sip::Route { network: *ours, prefix: *prefix, metric: 0, ours: *ours };
    let routes = attached.iter().map(route).filter(|route| bound.ip().is_unspecified() || bound.ip() == route.ours);
    Ok(Interface {
        advertise,
        routes: routes.collect(),
        local_nets,
        default_address,
        ..Interface::at(listen.name.clone(), bound)
    })
}

/// Our address in each of the named networks, which peers there are told.
fn ours_in(
    nets: &[Network],
    bound: IpAddr,
    attached: &[(IpAddr, u8)],
    flag: &str,
) -> Result<Vec<(IpAddr, u8)>, Unusable> {
    let ours = |net: &Network| {
        if !bound.is_unspecified() {
            return Ok((net.0, net.1));
        }
        let inside = |ours: &&(IpAddr, u8)| contains(net, ours.0);
        match attached.iter().find(inside) {
            Some((ours, _)) => Ok((*ours, net.1)),
            None => Err(Unusable(format!(
                "--local-nets {}/{}: this machine has no address in it: name our address towards it in {flag} instead of {bound}",
                net.0, net.1
            ))),
        }
    };
    nets.iter().map(ours).collect()
}

fn contains(net: &Network, ip: IpAddr) -> bool {
    model::TrunkAddress { address: net.0, prefix: net.1, port: None }.contains(SocketAddr::new(ip, 0))
}

/// Our addresses with the prefixes of their networks, loopback last.
fn attached() -> Result<Vec<(IpAddr, u8)>, Unusable> {
    let interfaces =
        if_addrs::get_if_addrs().map_err(|error| Unusable(format!("the networks of this machine: {error}")))?;
    let mut attached: Vec<_> = interfaces
        .iter()
        .filter(|interface| !interface.is_link_local())
        .map(|interface| match &interface.addr {
            if_addrs::IfAddr::V4(v4) => (IpAddr::V4(v4.ip), v4.prefixlen),
            if_addrs::IfAddr::V6(v6) => (IpAddr::V6(v6.ip), v6.prefixlen),
        })
        .collect();
    attached.sort_by_key(|(ip, prefix)| (ip.is_loopback(), std::cmp::Reverse(*prefix)));
    Ok(attached)
}

/// Our address as hosts elsewhere see it. Connecting a datagram socket sends nothing, it only asks for the route.
fn towards_the_world(unspecified: IpAddr, attached: &[(IpAddr, u8)]) -> IpAddr {
    let far: SocketAddr = match unspecified {
        IpAddr::V4(_) => ([192, 0, 2, 1], 9).into(),
        IpAddr::V6(_) => ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9).into(),
    };
    let routed = UdpSocket::bind((unspecified, 0)).and_then(|socket| {
        socket.connect(far)?;
        socket.local_addr()
    });
    if let Ok(ours) = routed
        && !ours.ip().is_unspecified()
    {
        return ours.ip();
    }
    let same_kind = |(ip, _): &&(IpAddr, u8)| ip.is_ipv4() == unspecified.is_ipv4();
    let loopback =
        if unspecified.is_ipv4() { IpAddr::from([127, 0, 0, 1]) } else { std::net::Ipv6Addr::LOCALHOST.into() };
    attached.iter().find(same_kind).map_or(loopback, |(ip, _)| *ip)
}

fn bind_both(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener, SocketAddr)> {
    let mut tries = if address.port() == 0 { 64 } else { 1 };
    loop {
        tries -= 1;
        let tcp = listen_tcp(address)?;
        let bound = tcp.local_addr()?;
        match bind_udp(bound) {
            Ok(udp) => return Ok((udp, tcp, bound)),
            // The free TCP port may be somebody's UDP port: another one is tried.
            Err(error) if tries == 0 || error.kind() != io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => {}
        }
    }
}

fn listen_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for connections of the process before it to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
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
        let (udp, tcp, bound) = bind_both("127.0.0.1:0".parse().expect("an address")).expect("bound");

        assert_ne!(bound.port(), 0);
        assert_eq!(udp.local_addr().expect("bound"), bound);
        assert_eq!(tcp.local_addr().expect("bound"), bound);
    }

    #[test]
    fn a_taken_port_is_refused_with_the_flag() {
        let taken = UdpSocket::bind("127.0.0.1:0").expect("bound");
        let listen = Listen { address: taken.local_addr().expect("bound"), ..Listen::anywhere(0) };

        let error =
            bind_both(listen.address).map_err(|error| cannot_bind("--sip", &listen, &error)).expect_err("taken");

        assert!(error.0.starts_with(&format!("--sip {}: ", listen.address)), "{error}");
        assert!(error.0.ends_with("choose another address or stop who has it"), "{error}");
    }

    #[test]
    fn named_networks_get_our_address_in_them_or_the_setting_is_refused() {
        let attached = [("10.1.2.3".parse().expect("an address"), 16)];
        let net = |text| Network::parse(text).expect("a network");
        let any = "0.0.0.0".parse().expect("an address");

        let inside = ours_in(&[net("10.0.0.0/8")], any, &attached, "--sip");
        let outside = ours_in(&[net("172.16.0.0/12")], any, &attached, "--sip");
        let specific = ours_in(&[net("172.16.0.0/12")], attached[0].0, &attached, "--sip");

        assert_eq!(inside, Ok(vec![(attached[0].0, 8)]));
        assert!(outside.expect_err("no address there").0.contains("--sip"));
        assert_eq!(specific, Ok(vec![("172.16.0.0".parse().expect("an address"), 12)]));
    }
}
