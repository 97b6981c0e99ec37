//! Where the next request of a dialog is sent (RFC 3261, 12.2.1.1 and 16.12).

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::Remote;
use crate::{Flow, Host, NameAddr, Scheme, Transport, Uri};

/// Where requests in a dialog are sent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NextHop {
    /// Down the flow by which the peer is known, whatever Contact and Record-Route say: phones (RFC 5626, 5.3).
    #[default]
    Flow,
    /// To the topmost Route, else to the remote target (RFC 3261, 12.2.1.1): carriers. An address is used at once, unless
    /// it is a private one of a peer that is not; for a name `News::Locate` asks once, and the flow serves meanwhile.
    Route,
}

/// What routes and target say about the way.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Hop {
    /// The way is good as it is.
    Stay,
    /// An address, and what is spoken there.
    Go(Transport, SocketAddr),
    /// A host by name.
    Ask(Uri),
}

impl Remote {
    /// Where the next request goes that has gone by `flow` so far.
    pub(crate) fn hop(&self, flow: Flow) -> Hop {
        let uri = match self.routes.first() {
            Some(route) => NameAddr::parse(route.clone()).ok().map(|route| route.uri),
            None => Uri::parse(self.target.clone()).ok(),
        };
        let Some(uri) = uri else { return Hop::Stay };
        let named = uri.params.get("maddr").and_then(|host| Host::parse(host.clone()).ok());
        let Some(host) = named.as_ref().or(uri.host.as_ref()) else { return Hop::Stay };
        let Some(address) = host.address() else { return Hop::Ask(uri) };
        let address = address.to_canonical();
        if address.is_unspecified() || is_private(address) && !is_private(flow.remote.ip().to_canonical()) {
            return Hop::Stay;
        }
        let transport = transport(&uri, flow.transport);
        let port = uri.port.unwrap_or(if transport == Transport::Tls { 5061 } else { 5060 });
        let remote = SocketAddr::new(address, port);
        if (transport, remote) == (flow.transport, flow.remote) {
            return Hop::Stay;
        }
        Hop::Go(transport, remote)
    }
}

/// What a URI wants to be spoken. One that does not say is reached as its peer was so far: RFC 3263, 4.1 says UDP for an
/// address, which whoever came by a secured connection cannot have meant.
fn transport(uri: &Uri, current: Transport) -> Transport {
    let named = uri.params.get("transport").map(|name| name.to_ascii_lowercase());
    match (&uri.scheme, named.as_deref()) {
        (Scheme::Sips, _) | (_, Some(b"tls")) => Transport::Tls,
        (_, Some(b"udp")) => Transport::Udp,
        (_, Some(b"tcp")) => match current {
            Transport::Tls => Transport::Tls,
            _ => Transport::Tcp,
        },
        _ => current,
    }
}

/// Whether requests that have gone by one flow may go by another from now on: never to an address that means something only
/// in a network which the peer is not in, and never in the clear where they were secured.
pub(crate) fn may_follow(before: Flow, after: Flow) -> bool {
    let (from, to) = (before.remote.ip().to_canonical(), after.remote.ip().to_canonical());
    let is_secured = |flow: Flow| matches!(flow.transport, Transport::Tls | Transport::Wss);
    !to.is_unspecified() && (!is_private(to) || is_private(from)) && (!is_secured(before) || is_secured(after))
}

/// Whether an address means something only in the network where it was written.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            // 100.64.0.0/10 is the space that carriers share among their customers (RFC 6598).
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn an_address_in_the_target_is_where_requests_go() {
        assert_eq!(hop("udp 203.0.113.5:5060", &[], "sip:b@203.0.113.9:5080"), "UDP 203.0.113.9:5080");
        assert_eq!(hop("udp 203.0.113.5:5060", &[], "sip:b@203.0.113.5"), "stay");
        assert_eq!(hop("udp 203.0.113.5:5060", &[], "sip:b@[2001:db8::1]"), "UDP [2001:db8::1]:5060");
    }

    #[test]
    fn a_place_that_was_asked_for_is_gone_to_unless_it_is_private_or_in_the_clear() {
        let flow = |transport, address: &str| Flow { transport, ..Flow::udp(0, address.parse().unwrap()) };
        let (public, private) = ("203.0.113.5:5060", "10.0.0.5:5060");
        let may = |before: (Transport, &str), after: (Transport, &str)| {
            may_follow(flow(before.0, before.1), flow(after.0, after.1))
        };

        assert!(may((Transport::Udp, public), (Transport::Tcp, "203.0.113.9:5060")));
        assert!(may((Transport::Udp, private), (Transport::Udp, "10.0.0.6:5060")));
        assert!(!may((Transport::Udp, public), (Transport::Udp, private)));
        assert!(!may((Transport::Udp, public), (Transport::Udp, "127.0.0.1:5060")));
        assert!(!may((Transport::Tls, public), (Transport::Udp, "203.0.113.9:5060")));
    }

    #[test]
    fn the_topmost_route_comes_before_the_target() {
        let routes = ["<sip:203.0.113.7;lr>", "<sip:203.0.113.8;lr>"];

        let gone = hop("udp 203.0.113.5:5060", &routes, "sip:b@203.0.113.9");

        assert_eq!(gone, "UDP 203.0.113.7:5060");
    }

    #[test]
    fn a_strict_router_is_visited_first_too() {
        let gone = hop("udp 203.0.113.5:5060", &["<sip:203.0.113.7>"], "sip:b@203.0.113.9");

        assert_eq!(gone, "UDP 203.0.113.7:5060");
    }

    #[test]
    fn a_name_is_asked_for() {
        assert_eq!(hop("udp 203.0.113.5:5060", &[], "sip:b@sbc.example.com"), "ask sip:b@sbc.example.com");
        assert_eq!(
            hop("udp 203.0.113.5:5060", &["<sip:edge.example.com;lr>"], "sip:b@203.0.113.9"),
            "ask sip:edge.example.com;lr"
        );
    }

    #[test]
    fn a_private_address_of_a_public_peer_leads_nowhere() {
        for private in ["10.0.0.1", "172.16.4.4", "192.168.1.10", "100.64.0.9", "127.0.0.1", "169.254.1.1", "[fd00::1]"]
        {
            assert_eq!(hop("udp 203.0.113.5:5060", &[], &format!("sip:b@{private}")), "stay", "{private}");
        }
        assert_eq!(hop("udp 192.168.1.10:5060", &[], "sip:b@192.168.1.20"), "UDP 192.168.1.20:5060");
        assert_eq!(hop("udp 192.168.1.10:5060", &[], "sip:b@0.0.0.0"), "stay");
    }

    #[test]
    fn a_connection_is_left_only_for_what_is_named() {
        assert_eq!(hop("tls 203.0.113.5:5061", &[], "sip:b@203.0.113.9"), "TLS 203.0.113.9:5061");
        assert_eq!(hop("tls 203.0.113.5:5061", &[], "sip:b@203.0.113.9;transport=tcp"), "TLS 203.0.113.9:5061");
        assert_eq!(hop("tcp 203.0.113.5:5060", &[], "sip:b@203.0.113.9;transport=UDP"), "UDP 203.0.113.9:5060");
        assert_eq!(hop("udp 203.0.113.5:5060", &[], "sips:b@203.0.113.9"), "TLS 203.0.113.9:5061");
    }

    #[test]
    fn an_address_that_stands_for_the_host_is_taken() {
        assert_eq!(hop("udp 203.0.113.5:5060", &[], "sip:b@example.com;maddr=203.0.113.9"), "UDP 203.0.113.9:5060");
    }

    #[test]
    fn what_is_no_address_of_sip_leads_nowhere() {
        assert_eq!(hop("udp 203.0.113.5:5060", &[], "tel:+84900000001"), "stay");
        assert_eq!(hop("udp 203.0.113.5:5060", &[], ""), "stay");
    }

    fn hop(flow: &str, routes: &[&str], target: &str) -> String {
        let (transport, remote) = flow.split_once(' ').unwrap();
        let transport = match transport {
            "tls" => Transport::Tls,
            "tcp" => Transport::Tcp,
            _ => Transport::Udp,
        };
        let remote_side = Remote {
            address: Bytes::new(),
            tag: None,
            target: target.to_owned().into(),
            routes: routes.iter().map(|route| Bytes::from((*route).to_owned())).collect(),
        };
        let flow = Flow { transport, interface: 0, connection: 0, remote: remote.parse().unwrap() };
        match remote_side.hop(flow) {
            Hop::Stay => "stay".into(),
            Hop::Go(transport, remote) => format!("{} {remote}", transport.via_name()),
            Hop::Ask(uri) => format!("ask {uri}"),
        }
    }
}
