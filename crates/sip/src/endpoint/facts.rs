//! What a request is known by, read once.

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::Bytes;

use super::identity::{COOKIE, Identity};
use super::ids::ServerId;
use crate::{Host, Method, Request, Via};

/// What the endpoint needs of a request's headers.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// Its transaction; for ACK and CANCEL that of the INVITE they belong to (RFC 3261, 17.2.3).
    pub server: ServerId,
    /// Equal for copies of one request that came by different ways (RFC 3261, 8.2.2.2).
    pub merged: u64,
    pub cseq: u32,
    pub from_tag: Option<Bytes>,
    pub to_tag: Option<Bytes>,
}

impl Facts {
    /// None if a header it needs cannot be read; a parsed message has them all.
    pub(crate) fn read(identity: &Identity, request: &Request, via: &Via) -> Option<Self> {
        let headers = &request.headers;
        let call_id = headers.call_id().ok()?;
        let cseq = headers.cseq().ok()?.number;
        let from_tag = headers.from().ok()?.tag().cloned();
        let to_tag = headers.to().ok()?.tag().cloned();
        let method = match &request.method {
            Method::Ack | Method::Cancel => b"INVITE",
            method => method.as_bytes(),
        };
        let (from, number) = (from_tag.as_deref().unwrap_or_default(), cseq.to_be_bytes());
        let host = HostBytes::of(&via.host);
        let host = host.as_bytes();
        let port = via.port.unwrap_or(5060).to_be_bytes();
        let server = match via.branch() {
            Some(branch) if branch.starts_with(COOKIE) && branch.len() > COOKIE.len() => {
                identity.fingerprint([branch, method, host, &port])
            }
            // A peer of RFC 2543, whose branch names nothing.
            branch => {
                let branch = branch.map(|branch| &branch[..]).unwrap_or_default();
                let uri = request.uri.print();
                identity.fingerprint([branch, method, host, &port, &uri, from, call_id, &number])
            }
        };
        let merged = identity.fingerprint([method, from, call_id, &number]);
        Some(Self { server: ServerId(server), merged, cseq, from_tag, to_tag })
    }

    /// The number in the tag of an answer that nothing is kept of: the same for a request that is sent again.
    pub(crate) fn stateless_tag(&self) -> u64 {
        self.merged
    }
}

/// A host as it is compared: an address by what it means, a name case-blind.
enum HostBytes<'a> {
    V4([u8; 4]),
    V6([u8; 16]),
    Name(Cow<'a, [u8]>),
}

impl<'a> HostBytes<'a> {
    fn of(host: &'a Host) -> Self {
        match host {
            Host::Address(IpAddr::V4(address)) => HostBytes::V4(address.octets()),
            Host::Address(IpAddr::V6(address)) => HostBytes::V6(address.octets()),
            Host::Name(name) if name.iter().any(u8::is_ascii_uppercase) => {
                HostBytes::Name(name.to_ascii_lowercase().into())
            }
            Host::Name(name) => HostBytes::Name(Cow::Borrowed(name)),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            HostBytes::V4(octets) => octets,
            HostBytes::V6(octets) => octets,
            HostBytes::Name(name) => name,
        }
    }
}
