//! How a trunk is reached and addressed: the flow, the request URI's host, the routes, the account.

use bytes::Bytes;
use model::{Target, Trunk};
use sip::{Flow, Interface, Login, NameAddr, Scheme, Transport, Uri};

/// The flow to one of a trunk's places: on the interface that the trunk names, else on the one by which it is reached.
pub fn flow_to(interfaces: &[Interface], trunk: &Trunk, target: &Target) -> Option<Flow> {
    let transport = match target.transport {
        model::Transport::Udp => Transport::Udp,
        model::Transport::Tcp => Transport::Tcp,
        model::Transport::Tls => Transport::Tls,
    };
    let remote = target.address;
    let interface = Interface::towards(interfaces, trunk.via.as_deref(), transport, remote.ip())?;
    Some(Flow { transport, interface, connection: 0, remote })
}

/// The trunk itself as a request URI: its host as it was set, whatever stands before it.
pub fn uri_of(trunk: &Trunk, flow: Flow) -> Uri {
    let written = uri(&trunk.address).unwrap_or_else(|| Uri::of(flow.remote));
    match flow.transport.uri_parameter() {
        Some(transport) => written.with_param("transport", transport),
        None => written,
    }
}

/// The host of our addresses there: the carrier's where it gave us an account, else our own.
pub fn domain(trunk: &Trunk, flow: Flow, ours: Uri) -> Uri {
    match &trunk.username {
        Some(_) => uri(&trunk.address).map(|uri| Uri { port: None, ..uri }).unwrap_or_else(|| Uri::of(flow.remote)),
        None => ours,
    }
}

/// The way that requests take: the proxy that was set, then what the carrier's registrar asked for (RFC 3608, 6.1).
pub fn routes(trunk: &Trunk, service_route: &[NameAddr]) -> Vec<NameAddr> {
    let proxy = trunk.outbound_proxy.as_deref().and_then(uri).map(|uri| {
        let mut uri = uri;
        uri.params.set_flag("lr");
        NameAddr::new(uri)
    });
    // A registrar that names the proxy first means the same proxy.
    let named = |proxy: &NameAddr| {
        let first = service_route.first();
        first.is_some_and(|first| first.uri.host == proxy.uri.host && first.uri.port == proxy.uri.port)
    };
    proxy.filter(|proxy| !named(proxy)).into_iter().chain(service_route.iter().cloned()).collect()
}

/// What its challenges are answered with.
pub fn login(trunk: &Trunk) -> Option<Login> {
    let (username, password) = (trunk.username.clone()?, trunk.password.clone()?);
    Some(Login { username, password })
}

fn uri(address: &str) -> Option<Uri> {
    // An IPv6 address without brackets has more than one colon.
    let bracketed = address.parse::<std::net::Ipv6Addr>().map(|ip| format!("[{ip}]"));
    let text = format!("sip:{}", bracketed.as_deref().unwrap_or(address));
    let uri = Uri::parse(Bytes::from(text)).ok()?;
    (uri.scheme == Scheme::Sip && uri.user.is_none()).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn trunk() -> Trunk {
        Trunk { address: "sip.carrier.example:5070".into(), ..fixture::demo().trunks.remove(0) }
    }

    fn route(text: &str) -> NameAddr {
        NameAddr::parse(Bytes::copy_from_slice(text.as_bytes())).expect("a route")
    }

    fn shown(routes: &[NameAddr]) -> Vec<String> {
        routes.iter().map(NameAddr::to_string).collect()
    }

    #[test]
    fn a_request_names_the_trunk_as_it_was_set_wherever_it_is_sent() {
        let flow = Flow { transport: Transport::Tcp, ..Flow::udp(0, ([198, 51, 100, 1], 5060).into()) };

        assert_eq!(uri_of(&trunk(), flow).to_string(), "sip:sip.carrier.example:5070;transport=tcp");
        let six = Trunk { address: "2001:db8::1".into(), ..trunk() };
        assert_eq!(uri_of(&six, Flow::udp(0, flow.remote)).to_string(), "sip:[2001:db8::1]");
    }

    #[test]
    fn the_proxy_comes_before_what_the_registrar_asks_for_and_once() {
        let proxied = Trunk { outbound_proxy: Some("proxy.example:5060".into()), ..trunk() };
        let edge = [route("<sip:edge.example;lr>")];
        let same = [route("<sip:proxy.example:5060;lr>"), route("<sip:core.example;lr>")];

        assert_eq!(shown(&routes(&proxied, &edge)), ["<sip:proxy.example:5060;lr>", "<sip:edge.example;lr>"]);
        assert_eq!(shown(&routes(&proxied, &same)), ["<sip:proxy.example:5060;lr>", "<sip:core.example;lr>"]);
        assert_eq!(shown(&routes(&trunk(), &edge)), ["<sip:edge.example;lr>"]);
        assert!(routes(&trunk(), &[]).is_empty());
    }
}
