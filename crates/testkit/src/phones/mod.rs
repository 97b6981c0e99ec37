//! Simulated phones and carriers on real sockets, for tests, for load and for the demo.
//!
//! [`Phone`] and [`Carrier`] may be used from any thread. All of a process run on one thread of their own (`room`),
//! which ends with the last of them. What they do is [`crate::sound::Handset`]; here are sockets, the clock and waiting.

mod carrier;
mod config;
mod connection;
mod desk;
mod phone;
mod room;
mod sockets;
mod state;
#[cfg(test)]
mod tests;
mod tokens;

pub use carrier::{Carrier, CarrierConfig};
pub use config::PhoneConfig;
pub use phone::{Late, Phone};

pub use crate::sound::{Count, Voice};
pub use crate::ua::{Act, Behaviour, CallNo, Dial, EndedBy, Event, OrderError, Received, Step};
