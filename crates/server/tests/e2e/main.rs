//! Calls end to end: the real program on real sockets, with peers that are not ours wherever there are any.
//!
//! One file a subject. Each call proves its sound in both directions by frequency, where it was heard and in the
//! recording, and that nothing of it stays behind. A peer that is missing fails the test.

#[path = "../common/mod.rs"]
mod common;
mod support;

mod abuse;
mod baresip_calls;
mod chaos;
mod clicks;
mod codecs;
mod crash;
mod demo;
mod described;
mod drain;
mod example_pages;
mod flags;
mod hooks;
mod kamailio_calls;
mod limits;
mod linphone_calls;
mod menus;
mod queues;
mod routing;
mod secured_calls;
mod settings;
mod shapes;
mod sipp_calls;
mod sockets;
mod tenants;
