//! One of our SIP interfaces, and which address of ours a peer should see.
//!
//! Knows no sockets: what is bound where, and which networks are attached, is handed in.

use std::net::{IpAddr, SocketAddr};

/// A bound SIP interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// Its name in settings and logs.
    pub name: String,
    /// What is bound; the address may be the unspecified one.
    pub bound: SocketAddr,
    /// What peers outside of `local_nets` should see in place of our own address.
    pub advertise: Option<SocketAddr>,
    /// Attached networks: an address of ours in each, with the length of the network's prefix.
    pub local_nets: Vec<(IpAddr, u8)>,
    /// Our address towards everybody else.
    pub default_address: IpAddr,
}

impl Interface {
    /// The address of ours that belongs into a Via, Contact or session description for this peer: the advertised one
    /// outside of the attached networks, else the bound one if it is specific, else ours in the peer's network, else
    /// the default.
    pub fn address_towards(&self, remote: IpAddr) -> SocketAddr {
        let remote = remote.to_canonical();
        let attached = self.local_nets.iter().find(|(ours, prefix)| shares_network(*ours, remote, *prefix));
        if attached.is_none()
            && !remote.is_loopback()
            && let Some(advertise) = self.advertise
        {
            return advertise;
        }
        if !self.bound.ip().is_unspecified() {
            return self.bound;
        }
        let ours = match attached {
            Some((ours, _)) => *ours,
            None if remote.is_loopback() => remote,
            None => self.default_address,
        };
        SocketAddr::new(ours, self.bound.port())
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
    fn a_peer_in_an_attached_network_sees_our_address_in_it() {
        let interface = interface("0.0.0.0:5060", None);

        let seen = towards(&interface, "10.0.0.77");

        assert_eq!(seen, "10.0.0.1:5060");
    }

    #[test]
    fn a_peer_elsewhere_sees_the_default_address() {
        let interface = interface("0.0.0.0:5060", None);

        let seen = towards(&interface, "203.0.113.5");

        assert_eq!(seen, "192.0.2.1:5060");
    }

    #[test]
    fn the_advertised_address_is_for_peers_outside_only() {
        let interface = interface("10.0.0.1:5060", Some("198.51.100.4:15060"));

        let seen = ["203.0.113.5", "10.0.0.77", "127.0.0.1"].map(|peer| towards(&interface, peer));

        assert_eq!(seen, ["198.51.100.4:15060", "10.0.0.1:5060", "10.0.0.1:5060"]);
    }

    #[test]
    fn a_peer_on_this_host_sees_the_loopback_address() {
        let interface = interface("0.0.0.0:5060", None);

        let seen = towards(&interface, "127.0.0.1");

        assert_eq!(seen, "127.0.0.1:5060");
    }

    #[test]
    fn prefixes_of_any_length_are_harmless() {
        let with = |prefix| Interface {
            local_nets: vec![("10.0.0.1".parse().unwrap(), prefix), ("2001:db8::1".parse().unwrap(), prefix)],
            ..interface("0.0.0.0:5060", None)
        };

        let seen = [0, 32, 128, 255].map(|prefix| towards(&with(prefix), "10.0.0.1"));
        let seen6 = [0, 128, 255].map(|prefix| towards(&with(prefix), "2001:db8::1"));

        assert_eq!(seen, ["10.0.0.1:5060"; 4]);
        assert_eq!(seen6, ["[2001:db8::1]:5060"; 3]);
    }

    fn interface(bound: &str, advertise: Option<&str>) -> Interface {
        Interface {
            name: "main".into(),
            bound: bound.parse().unwrap(),
            advertise: advertise.map(|address| address.parse().unwrap()),
            local_nets: vec![("10.0.0.1".parse().unwrap(), 24)],
            default_address: "192.0.2.1".parse().unwrap(),
        }
    }

    fn towards(interface: &Interface, peer: &str) -> String {
        interface.address_towards(peer.parse().unwrap()).to_string()
    }
}
