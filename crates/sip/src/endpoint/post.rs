//! Everything the endpoint needs to write, send and wait: what its tables lend to each step.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;

use super::draft::Draft;
use super::head::{Answer, Head};
use super::identity::Identity;
use super::ids::Timer;
use super::news::{News, Output};
use super::writing::{Own, write_address};
use crate::dialog::{Hop, NextHop, Remote};
use crate::{Flow, Interface, Method, NameAddr, Scheme, Transport, Uri, Wheel};

/// A longer request does not go by UDP (RFC 3261, 18.1.1).
const MAX_DATAGRAM: usize = 1_300;

pub(crate) struct Post<K> {
    pub interfaces: Vec<Interface>,
    pub own: Own,
    pub identity: Identity,
    pub wheel: Wheel<Timer>,
    pub out: VecDeque<Output<K>>,
}

impl<K> Post<K> {
    pub(crate) fn send(&mut self, flow: Flow, bytes: Bytes) {
        self.out.push_back(Output::Send { flow, bytes });
    }

    pub(crate) fn tell(&mut self, news: News<K>) {
        self.out.push_back(Output::News(news));
    }

    /// Wakes a machine at its deadline, unless it will be woken before that anyway.
    pub(crate) fn arm(&mut self, armed: &mut Option<Instant>, deadline: Option<Instant>, timer: Timer) {
        if let Some(deadline) = deadline
            && armed.is_none_or(|at| at > deadline)
        {
            self.wheel.set(deadline, timer);
            *armed = Some(deadline);
        }
    }

    /// The address of ours that belongs into messages for this peer.
    pub(crate) fn address_towards(&self, flow: Flow) -> SocketAddr {
        let interface = self.interfaces.get(usize::from(flow.interface)).or(self.interfaces.first());
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        interface.map_or(nowhere, |interface| interface.address_towards(flow.remote.ip()))
    }

    /// The Contact under which this peer reaches us, for a request to a URI of scheme `asked`: a secure one has to be
    /// answered by a secure one (RFC 3261, 8.1.1.8 and 12.1.1), which speaks for its transport (RFC 5630, 3.1.4).
    pub(crate) fn contact(&self, flow: Flow, address: &NameAddr, asked: &Scheme) -> Bytes {
        let is_secure = *asked == Scheme::Sips && matches!(flow.transport, Transport::Tls | Transport::Wss);
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(if is_secure { b"<sips:" } else { b"<sip:" });
        if let Some(user) = &address.uri.user {
            // From here it is a part of a URI of ours: what would end it has no place in it.
            out.extend(user.iter().filter(|byte| byte.is_ascii_graphic() && !b"<>\"@".contains(byte)));
            out.push(b'@');
        }
        write_address(&mut out, self.address_towards(flow));
        if let Some(transport) = flow.transport.uri_parameter()
            && !is_secure
        {
            out.extend_from_slice(b";transport=");
            out.extend_from_slice(transport.as_bytes());
        }
        out.push(b'>');
        out.into()
    }

    /// The way to the other side of a dialog that was reached by `flow` so far; and the name that stands there in place of
    /// an address, if one does.
    pub(crate) fn way(&self, next_hop: NextHop, flow: Flow, remote: &Remote) -> (Flow, Option<Uri>) {
        if next_hop == NextHop::Flow {
            return (flow, None);
        }
        match remote.hop(flow) {
            Hop::Stay => (flow, None),
            Hop::Ask(uri) => (flow, Some(uri)),
            Hop::Go(transport, remote) => {
                let current = self.interfaces.get(usize::from(flow.interface));
                let serves = |interface: &&Interface| interface.carries(transport) && interface.serves(remote.ip());
                let interface = match current.filter(serves) {
                    Some(_) => Some(flow.interface),
                    None => Interface::towards(&self.interfaces, None, transport, remote.ip()),
                };
                // What we cannot reach at all was perhaps written by somebody who thought of others.
                let Some(interface) = interface else { return (flow, None) };
                (Flow { transport, interface, connection: 0, remote }, None)
            }
        }
    }

    /// A request as it is sent, and where: what is too long for a datagram goes by TCP.
    pub(crate) fn request(&self, flow: Flow, draft: &Draft<'_>) -> (Flow, Bytes) {
        let bytes = self.datagram(flow, draft);
        if flow.transport != Transport::Udp || bytes.len() <= MAX_DATAGRAM {
            return (flow, bytes);
        }
        let flow = Flow { transport: Transport::Tcp, connection: 0, ..flow };
        (flow, self.datagram(flow, draft))
    }

    /// A request on just this flow, whatever its length.
    pub(crate) fn datagram(&self, flow: Flow, draft: &Draft<'_>) -> Bytes {
        draft.print(&self.identity, &self.own, flow.transport, self.address_towards(flow))
    }

    pub(crate) fn answer(&self, head: &Head, answer: &Answer<'_>) -> Bytes {
        head.print(&self.identity, &self.own, answer)
    }
}

/// Whether a request of this method, granted, tells each side where the other is reached from now on.
pub(crate) fn refreshes_target(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer)
}
