//! The endpoint, told as ladders: what goes over the wire, and what the askers hear, at which time.

mod calls;
mod challenges;
mod dialogs;
mod ends;
mod forks;
mod late;
mod limits;
mod lost;
mod offers;
mod outside;
mod random;
mod reliable;
mod requests;
mod sessions;
mod timers;
mod updates;
mod ways;
mod world;

use world::{World, check, check_over};
