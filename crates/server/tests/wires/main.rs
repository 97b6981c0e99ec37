//! The server's wires: TLS, names, networks. The real program on real sockets.

#[path = "../common/mod.rs"]
mod common;
#[path = "../e2e/support/mod.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod support;

mod names;
mod nameserver;
mod namespace;
mod networks;
mod safe;
