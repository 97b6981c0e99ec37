//! Which address of ours packets to a network carry, as the kernel would choose it.

use std::io;
use std::net::IpAddr;

use sip::Route;

use super::netlink::{self, Address, KernelRoute};

/// Routes that are looked through for a peer, at most: each message asks. Of more the widest are kept.
const MOST: usize = 1_024;

/// What the kernel knows of networks, at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Networks {
    addresses: Vec<Address>,
    routes: Vec<KernelRoute>,
}

impl Networks {
    /// Asks the kernel.
    pub fn read() -> io::Result<Self> {
        let usable = |ip: IpAddr| !is_link_local(ip) && !ip.is_multicast();
        let mut addresses = netlink::addresses()?;
        addresses.retain(|address| usable(address.ip));
        let mut routes = netlink::routes()?;
        routes.retain(|route| usable(route.network));
        Ok(Self { addresses, routes })
    }

    /// Our addresses with the prefixes of their networks.
    pub fn attached(&self) -> Vec<(IpAddr, u8)> {
        self.addresses.iter().map(|address| (address.ip, address.prefix)).collect()
    }

    /// How peers are reached from a bound address: all routes of its family from the unspecified one, those of the
    /// device that has it from any other.
    pub fn routes_from(&self, bound: IpAddr) -> Vec<Route> {
        let devices: Vec<u32> =
            self.addresses.iter().filter(|address| address.ip == bound).map(|address| address.device).collect();
        let mut routes: Vec<Route> = self
            .routes
            .iter()
            .filter(|route| route.network.is_ipv4() == bound.is_ipv4())
            .filter_map(|route| {
                let ours = if bound.is_unspecified() { self.source_of(route)? } else { bound };
                let here = bound.is_unspecified() || devices.contains(&route.device);
                let route = Route { network: route.network, prefix: route.prefix, metric: route.metric, ours };
                here.then_some(route)
            })
            .collect();
        routes.sort_by_key(|route| (route.prefix, route.metric));
        if routes.len() > MOST {
            tracing::warn!(routes = routes.len(), "more routes than are looked at: the narrowest are left out");
            routes.truncate(MOST);
        }
        routes
    }

    /// Our address towards whoever no route leads to: any of the family, the loopback last.
    pub fn any(&self, unspecified: IpAddr) -> Option<IpAddr> {
        let alike = self.addresses.iter().filter(|address| address.ip.is_ipv4() == unspecified.is_ipv4());
        alike.min_by_key(|address| (address.ip.is_loopback(), !address.is_first_choice)).map(|address| address.ip)
    }

    /// The address that packets on a route carry when nobody has bound one.
    fn source_of(&self, route: &KernelRoute) -> Option<IpAddr> {
        if let Some(source) = route.source {
            return Some(source);
        }
        if route.is_local && is_whole(route.network, route.prefix) {
            return Some(route.network);
        }
        let next = route.gateway.filter(|gateway| !is_link_local(*gateway)).unwrap_or(route.network);
        let of_device = self
            .addresses
            .iter()
            .filter(|address| address.device == route.device && address.ip.is_ipv4() == route.network.is_ipv4());
        let nearest = of_device.max_by_key(|address| {
            let beside = common_bits(address.ip, next) >= address.prefix;
            (address.is_first_choice, beside, common_bits(address.ip, next), std::cmp::Reverse(address.ip))
        });
        // A device without an address of its own borrows one.
        nearest.map(|address| address.ip).or_else(|| self.any(route.network))
    }
}

fn is_whole(network: IpAddr, prefix: u8) -> bool {
    prefix == if network.is_ipv4() { 32 } else { 128 }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

fn common_bits(a: IpAddr, b: IpAddr) -> u8 {
    let bits = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => 0,
    };
    u8::try_from(bits).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn address(text: &str, prefix: u8, device: u32) -> Address {
        Address { ip: ip(text), prefix, device, is_first_choice: true }
    }

    fn route(network: &str, prefix: u8, device: u32, gateway: Option<&str>) -> KernelRoute {
        let gateway = gateway.map(ip);
        KernelRoute { network: ip(network), prefix, device, gateway, source: None, metric: 0, is_local: false }
    }

    /// A machine between an office and the world, with a second address towards the office.
    fn two_sides() -> Networks {
        let second = Address { is_first_choice: false, ..address("10.0.0.2", 24, 2) };
        Networks {
            addresses: vec![
                address("127.0.0.1", 8, 1),
                second,
                address("10.0.0.1", 24, 2),
                address("192.0.2.7", 28, 3),
            ],
            routes: vec![
                route("0.0.0.0", 0, 3, Some("192.0.2.1")),
                route("10.0.0.0", 24, 2, None),
                route("10.9.0.0", 16, 2, Some("10.0.0.254")),
                route("192.0.2.0", 28, 3, None),
                KernelRoute { is_local: true, ..route("192.0.2.7", 32, 3, None) },
                KernelRoute { source: Some(ip("10.0.0.2")), ..route("172.16.0.0", 12, 2, Some("10.0.0.254")) },
            ],
        }
    }

    fn seen(networks: &Networks, bound: &str, peer: &str) -> String {
        let interface = sip::Interface {
            routes: networks.routes_from(ip(bound)),
            ..sip::Interface::at("main", (ip(bound), 5060).into())
        };
        interface.address_towards(ip(peer)).ip().to_string()
    }

    #[test]
    fn each_side_sees_the_address_on_its_side() {
        let networks = two_sides();
        let table = [
            ("10.0.0.77", "10.0.0.1"),
            ("10.9.9.9", "10.0.0.1"),
            ("203.0.113.5", "192.0.2.7"),
            ("192.0.2.7", "192.0.2.7"),
            ("172.16.5.5", "10.0.0.2"),
        ];
        for (peer, ours) in table {
            assert_eq!(seen(&networks, "0.0.0.0", peer), ours, "{peer}");
        }
    }

    #[test]
    fn a_bound_address_reaches_what_its_device_reaches() {
        let networks = two_sides();

        let office: Vec<_> = networks.routes_from(ip("10.0.0.2")).into_iter().map(|route| route.prefix).collect();
        let world: Vec<_> = networks.routes_from(ip("192.0.2.7")).into_iter().map(|route| route.prefix).collect();

        assert_eq!(office, [12, 16, 24]);
        assert_eq!(world, [0, 28, 32]);
        assert!(networks.routes_from(ip("198.51.100.1")).is_empty());
    }

    #[test]
    fn a_gateway_with_a_link_local_address_hides_nobody() {
        let networks = Networks {
            addresses: vec![address("fd00::2", 64, 2), address("2001:db8::2", 64, 2)],
            routes: vec![route("::", 0, 2, Some("fe80::1"))],
        };

        assert_eq!(seen(&networks, "::", "2001:db8:5::1"), "2001:db8::2");
    }

    #[test]
    fn of_too_many_routes_the_widest_are_kept() {
        let narrow = (0..2 * MOST as u32)
            .map(|n| KernelRoute { network: IpAddr::V4((0x0b00_0000 + n).into()), ..route("11.0.0.0", 32, 3, None) });
        let mut networks = two_sides();
        networks.routes.splice(0..0, narrow);

        let routes = networks.routes_from(ip("0.0.0.0"));

        assert_eq!(routes.len(), MOST);
        assert_eq!((routes[0].prefix, routes[0].ours), (0, ip("192.0.2.7")));
    }

    #[test]
    fn the_kernel_is_asked_and_answers() {
        let networks = Networks::read().expect("networks");

        assert!(networks.attached().contains(&(ip("127.0.0.1"), 8)));
        assert_eq!(seen(&networks, "0.0.0.0", "127.0.0.1"), "127.0.0.1");
    }
}
