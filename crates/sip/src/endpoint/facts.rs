//! What a request is known by, read once.

use bytes::Bytes;

use super::identity::{COOKIE, Identity};
use super::news::ServerId;
use crate::{Method, Request, Via};

/// What the endpoint needs of a request's headers.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// Its transaction; for ACK and CANCEL that of the INVITE they belong to (RFC 3261, 17.2.3).
    pub server: ServerId,
    /// Equal for copies of one request that came by different ways (RFC 3261, 8.2.2.2).
    pub merged: u128,
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
        let host = via.host.to_string().to_ascii_lowercase();
        let port = via.port.unwrap_or(5060).to_be_bytes();
        let server = match via.branch() {
            Some(branch) if branch.starts_with(COOKIE) && branch.len() > COOKIE.len() => {
                identity.fingerprint([branch, method, host.as_bytes(), &port])
            }
            // A peer of RFC 2543, whose branch names nothing.
            branch => {
                let branch = branch.map(|branch| &branch[..]).unwrap_or_default();
                let uri = request.uri.print();
                identity.fingerprint([branch, method, host.as_bytes(), &port, &uri, from, call_id, &number])
            }
        };
        let merged = identity.fingerprint([method, from, call_id, &number]);
        Some(Self { server: ServerId(server), merged, cseq, from_tag, to_tag })
    }

    /// The number in the tag of an answer that nothing is kept of: the same for a request that is sent again.
    pub(crate) fn stateless_tag(&self) -> u64 {
        (self.server.0 >> 64) as u64
    }
}
