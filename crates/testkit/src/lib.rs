//! A world we control: for tests, for load, and for the demo.
//!
//! - [`ua`]: a simulated phone or carrier in pure form.
//! - [`sound`]: what it says and hears, in pure form.
//! - [`speech`]: a service that speaks, on a socket.
//! - [`phones`]: the same on real sockets.
//! - [`world`]: the real door and engine with a network that loses, in virtual time.

pub mod phones;
pub mod sound;
pub mod speech;
pub mod ua;
pub mod world;
