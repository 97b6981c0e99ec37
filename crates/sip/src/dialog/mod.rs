//! What two user agents know of each other in a dialog (RFC 3261, 12), kept as the bytes later requests are made of.
//!
//! Knows the rules of tags, route sets, remote targets and CSeq. Leaves transactions, sending and what is said to others.

mod next_hop;
mod resending;
mod snapshot;

use std::borrow::Cow;

use bytes::Bytes;

use crate::{Flow, HeaderName, Headers, NameAddr, Response, Uri};

pub use next_hop::NextHop;
pub(crate) use next_hop::{Hop, may_follow};
pub(crate) use resending::{Resending, Resent};
pub use snapshot::DialogSnapshot;

/// One dialog, early or confirmed, or an INVITE that is about to make one.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    /// Where requests go.
    pub flow: Flow,
    /// Whether routes and the remote target have a say in that.
    pub next_hop: NextHop,
    pub call_id: Bytes,
    /// From of our requests.
    pub local: Bytes,
    pub local_tag: Bytes,
    /// Our Contact.
    pub contact: Bytes,
    pub remote: Remote,
    /// CSeq of our latest request.
    pub local_cseq: u32,
    /// CSeq of their latest request.
    pub remote_cseq: Option<u32>,
    /// True if the first INVITE, and so the Call-ID, is ours.
    pub is_caller: bool,
}

/// The other side, as we learnt of it.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// To of our requests.
    pub address: Bytes,
    /// None until it is known, and for a peer of RFC 2543 that has none.
    pub tag: Option<Bytes>,
    /// The remote target: a URI.
    pub target: Bytes,
    /// The route set, in the order in which a request of ours visits it.
    pub routes: Vec<Bytes>,
}

/// Where a request of ours is addressed to.
pub(crate) struct Addressed<'a> {
    pub uri: Cow<'a, [u8]>,
    pub routes: Cow<'a, [Bytes]>,
}

impl Dialog {
    /// The number of our next request.
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.local_cseq = (self.local_cseq + 1) & 0x7fff_ffff;
        self.local_cseq
    }

    /// Takes over a fresh Contact of theirs, if there is a readable one.
    pub(crate) fn refresh_target(&mut self, headers: &Headers) {
        self.remote.refresh_target(headers);
    }
}

impl Remote {
    /// The side that sent us an INVITE (RFC 3261, 12.1.1).
    pub(crate) fn of_caller(headers: &Headers, tag: Option<Bytes>) -> Self {
        let from = headers.get(&HeaderName::From).map(own).unwrap_or_default();
        let routes = record_routes(headers);
        Self { address: from, tag, target: target(headers).unwrap_or_default(), routes }
    }

    /// The side that answered an INVITE of ours (RFC 3261, 12.1.2). Without a Contact it stays where the INVITE went.
    pub(crate) fn of_callee(response: &Response, tag: Option<Bytes>, invited: &[u8]) -> Self {
        let address = response.headers.get(&HeaderName::To).map(own).unwrap_or_default();
        let mut routes = record_routes(&response.headers);
        routes.reverse();
        let target = target(&response.headers).unwrap_or_else(|| Bytes::copy_from_slice(invited));
        Self { address, tag, target, routes }
    }

    /// Takes over a fresh Contact of theirs, if there is a readable one.
    pub(crate) fn refresh_target(&mut self, headers: &Headers) {
        if let Some(target) = target(headers) {
            self.target = target;
        }
    }

    /// Request URI and Route of a request (RFC 3261, 12.2.1.1): a strict router expects its own URI as request URI.
    pub(crate) fn addressed(&self) -> Addressed<'_> {
        let loose = Addressed { uri: (&self.target[..]).into(), routes: (&self.routes[..]).into() };
        let Some((first, others)) = self.routes.split_first() else { return loose };
        match NameAddr::parse(first.clone()) {
            Ok(first) if !first.uri.params.has("lr") => {
                let last = [b"<", &self.target[..], b">"].concat();
                let routes = others.iter().cloned().chain([last.into()]).collect();
                Addressed { uri: first.uri.print().to_vec().into(), routes: Cow::Owned(routes) }
            }
            _ => loose,
        }
    }
}

/// A copy that does not keep the packet it stands in.
pub(crate) fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn target(headers: &Headers) -> Option<Bytes> {
    let contact = headers.contact().ok()?;
    // A request URI has no headers (RFC 3261, 19.1.1).
    Some(Uri { headers: None, ..contact.uri }.print())
}

fn record_routes(headers: &Headers) -> Vec<Bytes> {
    if !headers.has(&HeaderName::RecordRoute) {
        return Vec::new();
    }
    headers.record_routes().unwrap_or_default().iter().map(NameAddr::print).collect()
}
