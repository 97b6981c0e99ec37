//! Ladders: what is said on the wire, step by step, for every rule and timer of the engine.

mod carriers;
mod clicks;
mod crashes;
mod forks;
mod habits;
mod identity;
mod inside;
mod limits;
mod lost;
mod reached;
mod rerouting;
mod signing_in;
mod sound;
mod torture;
mod trunks;
