//! A simulated phone's sound, in pure form: what it says as packets, what it hears in packets.
//!
//! [`Handset`] joins both to a [`UserAgent`](crate::ua::UserAgent); sockets and the clock are left to others.

mod ear;
mod handset;
mod mouth;
#[cfg(test)]
mod tests;
mod voice;

pub use ear::{Count, Ear};
pub use handset::{Handset, Output};
pub use mouth::Mouth;
pub use voice::Voice;
