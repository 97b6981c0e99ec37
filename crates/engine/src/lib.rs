//! What happens to a call: lines, routing, ringing, bridging, limits. One state machine: packets, commands and the time
//! in; packets, media orders, events and timers out. No sockets, no clock, no locks.
//!
//! Start reading at [`edge`], then [`Engine`]. [`door`] stands before it, [`recover`] comes before its first step.

mod abilities;
mod arrivals;
mod call;
mod caller;
mod closing;
mod commands;
pub mod door;
pub mod edge;
mod engine;
#[cfg(test)]
mod fixture;
mod floor;
mod ids;
mod key;
mod limits;
mod lines;
mod live;
mod locate;
mod minutes;
mod office;
mod questions;
mod recover;
mod registrar;
mod ring;
mod routing;
mod rung;
mod sounds;
mod step;
mod tenant;
mod trunks;

pub use edge::{Answer, Input, Now, Output, Question, SignIn, Storage, Whose, Wire, Wished};
pub use engine::{Engine, EngineConfig, EngineLoad};
pub use recover::recover;
