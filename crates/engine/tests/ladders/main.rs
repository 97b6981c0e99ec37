//! Ladders: what is said on the wire, step by step, for every rule and timer of the engine.

mod clicks;
mod crashes;
mod forks;
mod habits;
mod inside;
mod limits;
mod lost;
mod signing_in;
mod sound;
mod torture;
mod trunks;
