//! What tests share.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Instant;

use crate::{Codec, Sources, Stream};

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

/// Nothing is known of where a party is besides its SDP.
pub(crate) fn anyone() -> Sources {
    Sources::Any { signalling: None }
}

/// A stream of A-law and keys to this party.
pub(crate) fn stream(remote: SocketAddr) -> Stream {
    Stream {
        codec: Codec::Pcma,
        payload_type: 8,
        receive_payload_type: 8,
        keys: Some(101),
        receive_keys: Some(101),
        keys_clock: 8_000,
        key_tones: true,
        remote: Some(remote),
        sources: anyone(),
        remote_rtcp: None,
        rtcp_mux: false,
        crypto: None,
        comfort: None,
        silence: None,
        send: true,
        receive: true,
        packet_ms: 20,
    }
}
