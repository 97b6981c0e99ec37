//! What tests share.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Instant;

use crate::{Codec, Stream};

static START: LazyLock<Instant> = LazyLock::new(|| {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant can be had in no other way; all others are reckoned from it"
    )]
    Instant::now()
});

/// The moment at which all tests begin.
pub(crate) fn start() -> Instant {
    *START
}

/// A made-up address.
pub(crate) fn host(number: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], port))
}

/// A stream of A-law and keys to this party.
pub(crate) fn stream(remote: SocketAddr) -> Stream {
    Stream {
        codec: Codec::Pcma,
        payload_type: 8,
        receive_payload_type: 8,
        keys: Some(101),
        receive_keys: Some(101),
        remote: Some(remote),
        source: None,
        remote_rtcp: None,
        send: true,
        receive: true,
        packet_ms: 20,
    }
}
