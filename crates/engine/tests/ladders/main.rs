//! Ladders: what is said on the wire, step by step, for every rule and timer of the engine.

mod inside;
mod lost;
mod sound;
