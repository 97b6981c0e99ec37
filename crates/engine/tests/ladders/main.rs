//! Ladders: what is said on the wire, step by step, for every rule and timer of the engine.

mod carriers;
mod causes;
mod clicks;
mod consultations;
mod crashes;
mod decisions;
mod early;
mod forks;
mod groups;
mod habits;
mod identity;
mod inside;
mod keys;
mod limits;
mod lost;
mod networks;
mod offers;
mod orders;
mod reached;
mod rerouting;
mod secured;
mod signing_in;
mod sound;
mod torture;
mod transfers;
mod trunks;
