//! One of our SIP interfaces, and which address of ours a peer should see.
//!
//! Knows no sockets: what is bound where, which networks are attached and how others are reached is handed in.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::Transport;

/// A bound SIP interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// Its name in settings and logs.
    pub name: String,
    /// What is bound; the address may be the unspecified one.
    pub bound: SocketAddr,
    /// What it speaks.
    pub speaks: Speaks,
    /// What peers outside of `local_nets` should see in place of our own address.
    pub advertise: Option<SocketAddr>,
    /// Networks whose peers are told our own address: one address in each, with the length of the network's prefix.
    pub local_nets: Vec<(IpAddr, u8)>,
    /// How peers are reached through it. For a specific address: by the device that has it.
    pub routes: Vec<Route>,
    /// Our address towards whoever no route leads to.
    pub default_address: IpAddr,
    /// For the unspecified IPv6 address, where it is bound for IPv4 too: our address towards IPv4 peers whom no route
    /// leads to. None: peers of one family come here.
    pub ipv4: Option<Ipv4Addr>,
}

/// What a SIP interface speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Speaks {
    /// UDP and TCP.
    #[default]
    Plain,
    /// TLS.
    Tls,
}

/// How a network is reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Route {
    /// An address in the network.
    pub network: IpAddr,
    /// How many leading bits of it count. 0: everywhere else.
    pub prefix: u8,
    /// Of two routes to one network the one with less is taken.
    pub metric: u32,
    /// The address of ours that packets there carry.
    pub ours: IpAddr,
}

/// How directly a peer is reached through an interface: the greatest is the way packets take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reach(Option<(u8, Reverse<u32>)>);

impl Interface {
    /// One that knows no networks.
    pub fn at(name: impl Into<String>, bound: SocketAddr) -> Self {
        Self {
            name: name.into(),
            bound,
            speaks: Speaks::Plain,
            advertise: None,
            local_nets: Vec::new(),
            routes: Vec::new(),
            default_address: bound.ip(),
            ipv4: None,
        }
    }

    /// Whether peers of this address's family come here.
    pub fn serves(&self, remote: IpAddr) -> bool {
        let is_ipv4 = remote.to_canonical().is_ipv4();
        self.bound.is_ipv4() == is_ipv4 || (is_ipv4 && self.ipv4.is_some())
    }

    /// The address of ours that belongs into a Via, Contact or session description for this peer: the advertised one
    /// outside of the local networks, else the bound one if it is specific, else that of the longest route to the
    /// peer, else the default.
    pub fn address_towards(&self, remote: IpAddr) -> SocketAddr {
        let remote = remote.to_canonical();
        let is_local = || self.local_nets.iter().any(|(net, prefix)| shares_network(*net, remote, *prefix));
        if let Some(advertise) = self.advertise
            && advertise.is_ipv4() == remote.is_ipv4()
            && !remote.is_loopback()
            && !is_local()
        {
            return advertise;
        }
        if !self.bound.ip().is_unspecified() {
            return self.bound;
        }
        let ours = match self.route_to(remote) {
            Some(route) => route.ours,
            None if remote.is_loopback() => remote,
            None => match self.ipv4 {
                Some(ours) if remote.is_ipv4() => ours.into(),
                _ => self.default_address,
            },
        };
        SocketAddr::new(ours, self.bound.port())
    }

    /// How directly a peer is reached through it; None if it never is, being of the other address family.
    pub fn reach(&self, remote: IpAddr) -> Option<Reach> {
        let remote = remote.to_canonical();
        let reach = || Reach(self.route_to(remote).map(|route| (route.prefix, Reverse(route.metric))));
        self.serves(remote).then(reach)
    }

    /// Whether messages go by this transport here.
    pub fn carries(&self, transport: Transport) -> bool {
        match self.speaks {
            Speaks::Plain => matches!(transport, Transport::Udp | Transport::Tcp),
            Speaks::Tls => transport == Transport::Tls,
        }
    }

    /// The interface by which a peer is called first, as an index: one that carries the transport and reaches the peer,
    /// the named one before all others, then the one that packets to the peer leave by. Without any for TLS a plain one
    /// lends its address: connections to others can be opened from there.
    pub fn towards(interfaces: &[Self], name: Option<&str>, transport: Transport, remote: IpAddr) -> Option<u16> {
        let best = (0_u16..)
            .zip(interfaces)
            .filter(|(_, interface)| interface.carries(transport) || transport == Transport::Tls)
            .filter_map(|(at, interface)| {
                let named = name.is_some_and(|name| interface.name == name);
                Some(((interface.carries(transport), named, interface.reach(remote)?, Reverse(at)), at))
            })
            .max_by_key(|(merit, _)| *merit)?;
        Some(best.1)
    }

    fn route_to(&self, remote: IpAddr) -> Option<&Route> {
        self.routes
            .iter()
            .filter(|route| shares_network(route.network, remote, route.prefix))
            .max_by_key(|route| (route.prefix, Reverse(route.metric)))
    }
}

fn shares_network(ours: IpAddr, theirs: IpAddr, prefix: u8) -> bool {
    match (ours, theirs) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let host_bits = 32 - u32::from(prefix.min(32));
            (u64::from(a.to_bits()) >> host_bits) == (u64::from(b.to_bits()) >> host_bits)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let host_bits = 128 - u32::from(prefix.min(128));
            a.to_bits().checked_shr(host_bits) == b.to_bits().checked_shr(host_bits)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_sees_the_address_of_the_longest_route_to_it() {
        let interface = with_routes("0.0.0.0:5060");

        let seen = ["10.0.0.77", "10.9.9.9", "203.0.113.5"].map(|peer| towards(&interface, peer));

        assert_eq!(seen, ["10.0.0.1:5060", "172.16.0.1:5060", "192.0.2.1:5060"]);
    }

    #[test]
    fn without_any_route_a_peer_sees_the_default_address() {
        let interface = Interface { default_address: ip("192.0.2.1"), ..Interface::at("main", at("0.0.0.0:5060")) };

        assert_eq!(towards(&interface, "203.0.113.5"), "192.0.2.1:5060");
        assert_eq!(towards(&interface, "127.0.0.1"), "127.0.0.1:5060");
    }

    #[test]
    fn of_two_routes_to_one_network_the_one_with_the_smaller_metric_counts() {
        let route = |metric, ours| Route { network: ip("0.0.0.0"), prefix: 0, metric, ours: ip(ours) };
        let interface = Interface {
            routes: vec![route(600, "192.0.2.6"), route(100, "192.0.2.1"), route(700, "192.0.2.7")],
            ..Interface::at("main", at("0.0.0.0:5060"))
        };

        assert_eq!(towards(&interface, "203.0.113.5"), "192.0.2.1:5060");
    }

    #[test]
    fn the_advertised_address_is_for_peers_outside_only() {
        let interface = Interface {
            advertise: Some(at("198.51.100.4:15060")),
            local_nets: vec![(ip("10.0.0.1"), 24)],
            ..Interface::at("main", at("10.0.0.1:5060"))
        };

        let seen = ["203.0.113.5", "10.0.0.77", "127.0.0.1"].map(|peer| towards(&interface, peer));

        assert_eq!(seen, ["198.51.100.4:15060", "10.0.0.1:5060", "10.0.0.1:5060"]);
    }

    #[test]
    fn prefixes_of_any_length_are_harmless() {
        let with = |network, prefix| Interface {
            routes: vec![Route { network: ip(network), prefix, metric: 0, ours: ip(network) }],
            ..Interface::at("main", at(if network.contains(':') { "[::]:5060" } else { "0.0.0.0:5060" }))
        };

        let seen = [0, 32, 128, 255].map(|prefix| towards(&with("10.0.0.1", prefix), "10.0.0.1"));
        let seen6 = [0, 128, 255].map(|prefix| towards(&with("2001:db8::1", prefix), "2001:db8::1"));

        assert_eq!(seen, ["10.0.0.1:5060"; 4]);
        assert_eq!(seen6, ["[2001:db8::1]:5060"; 3]);
    }

    #[test]
    fn a_peer_is_called_by_the_interface_that_packets_to_it_leave_by() {
        let route = |network, prefix, ours| Route { network: ip(network), prefix, metric: 0, ours: ip(ours) };
        let lan =
            Interface { routes: vec![route("10.0.0.0", 24, "10.0.0.1")], ..Interface::at("lan", at("10.0.0.1:5060")) };
        let wan =
            Interface { routes: vec![route("0.0.0.0", 0, "192.0.2.1")], ..Interface::at("wan", at("192.0.2.1:5060")) };
        let six =
            Interface { routes: vec![route("::", 0, "2001:db8::1")], ..Interface::at("six", at("[2001:db8::1]:5060")) };
        let safe = Interface { speaks: Speaks::Tls, ..Interface::at("safe", at("192.0.2.1:5061")) };
        let all = [lan, wan, six, safe];
        let by = |name, transport, peer| Interface::towards(&all, name, transport, ip(peer));

        assert_eq!(by(None, Transport::Udp, "10.0.0.77"), Some(0));
        assert_eq!(by(None, Transport::Tcp, "203.0.113.5"), Some(1));
        assert_eq!(by(None, Transport::Udp, "2001:db8::77"), Some(2));
        assert_eq!(by(Some("lan"), Transport::Udp, "203.0.113.5"), Some(0));
        assert_eq!(by(Some("lan"), Transport::Udp, "2001:db8::77"), Some(2), "the named one is of the other family");
        assert_eq!(by(None, Transport::Tls, "10.0.0.77"), Some(3));
        assert_eq!(by(None, Transport::Tls, "2001:db8::77"), Some(2), "a connection can be opened from anywhere");
        assert_eq!(by(None, Transport::Ws, "10.0.0.77"), None);
    }

    #[test]
    fn one_address_for_both_families_shows_each_peer_one_of_its_own() {
        let route = |network, ours| Route { network: ip(network), prefix: 64, metric: 0, ours: ip(ours) };
        let four = Route { prefix: 24, ..route("10.0.0.0", "10.0.0.1") };
        let both = Interface {
            ipv4: Some(Ipv4Addr::new(192, 0, 2, 1)),
            default_address: ip("2001:db8::1"),
            advertise: Some(at("[2001:db8::9]:5060")),
            local_nets: vec![(ip("2001:db8:1::"), 64)],
            routes: vec![route("2001:db8:1::", "2001:db8:1::1"), four],
            ..Interface::at("both", at("[::]:5060"))
        };
        let peers = ["10.0.0.77", "::ffff:10.0.0.77", "203.0.113.5", "127.0.0.1", "2001:db8:1::7", "2001:db8:2::7"];

        let seen = peers.map(|peer| towards(&both, peer));

        let four = ["10.0.0.1:5060", "10.0.0.1:5060", "192.0.2.1:5060", "127.0.0.1:5060"];
        assert_eq!(seen[..4], four);
        assert_eq!(seen[4..], ["[2001:db8:1::1]:5060", "[2001:db8::9]:5060"]);
        let only_six = Interface { ipv4: None, ..both.clone() };
        let all = [only_six, both];
        assert_eq!(Interface::towards(&all, None, Transport::Udp, ip("10.0.0.77")), Some(1));
        assert_eq!(Interface::towards(&all, None, Transport::Udp, ip("2001:db8:1::7")), Some(0));
    }

    fn with_routes(bound: &str) -> Interface {
        let route = |network, prefix, ours| Route { network: ip(network), prefix, metric: 0, ours: ip(ours) };
        Interface {
            routes: vec![
                route("0.0.0.0", 0, "192.0.2.1"),
                route("10.0.0.0", 24, "10.0.0.1"),
                route("10.0.0.0", 8, "172.16.0.1"),
            ],
            ..Interface::at("main", at(bound))
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn towards(interface: &Interface, peer: &str) -> String {
        interface.address_towards(ip(peer)).to_string()
    }
}
