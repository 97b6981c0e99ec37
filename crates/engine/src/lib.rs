//! What happens to a call: lines, routing, ringing, bridging, limits. One state machine: packets, commands and the time
//! in; packets, media orders, events and timers out. No sockets, no clock, no locks.
//!
//! Start reading at [`edge`], then [`Engine`].

pub mod edge;

pub use edge::{Answer, Input, Now, Output, Question, Storage, Whose, Wire};
