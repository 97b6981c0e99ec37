//! The four transaction machines of RFC 3261, 17, as RFC 6026 amends them.
//!
//! Each is told what came and what time it is, and says what to send. They own the bytes they may have to send again
//! and nothing else: they know no dialogs, no addresses, and not what is in a message.
//!
//! | timer | waits | for |
//! |---|---|---|
//! | A, E | T1, doubled; E at most T2 | a request to be sent again (unreliable transports) |
//! | B, F | 64 T1 | a request to be given up |
//! | D | 32 s | refusals of an INVITE that are sent again (unreliable transports) |
//! | G | T1, doubled, at most T2 | a refusal of an INVITE to be sent again (unreliable transports) |
//! | H | 64 T1 | the ACK of a refusal |
//! | I | T4 | ACKs that are sent again (unreliable transports) |
//! | J | 64 T1 | requests that are sent again (unreliable transports) |
//! | K | T4 | responses that are sent again (unreliable transports) |
//! | L, M | 64 T1 | INVITEs and 2xx that are sent again, and the 2xx of other forks |

mod client;
mod client_invite;
mod server;
mod server_invite;

use std::time::Duration;

pub(crate) use client::{ClientStep, PlainClient};
pub(crate) use client_invite::{Acknowledge, InviteClient, InviteStep};
pub(crate) use server::PlainServer;
pub(crate) use server_invite::InviteServer;

/// A guess of the round trip.
pub(crate) const T1: Duration = Duration::from_millis(500);
/// The longest wait between two sendings of a request other than INVITE, or of a response to an INVITE.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// How long a message stays in the network.
pub(crate) const T4: Duration = Duration::from_secs(5);
/// 64 T1: how long one side waits for the other.
pub(crate) const PATIENCE: Duration = Duration::from_secs(32);
