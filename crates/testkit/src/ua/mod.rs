//! A simulated SIP phone or carrier, in pure form: messages, orders and the time come in; messages, events and media
//! decisions go out.
//!
//! [`UserAgent`] stands on the same `sip::Endpoint` as the switchboard and adds what a person and a phone would do.
//! Sound itself is in [`crate::sound`], sockets are in [`crate::phones`].

mod agent;
mod behaviour;
mod call;
mod config;
mod event;
mod key;
mod news;
mod orders;
mod registration;
mod talk;
#[cfg(test)]
mod tests;

pub use agent::UserAgent;
pub use behaviour::{Act, Behaviour, Step};
pub use config::{Dial, UserAgentConfig};
pub use event::{CallNo, EndedBy, Event, OrderError, Output, Received, Sound};
