//! Sound in packets: RTP and RTCP, G.711, keys, tones, and the machine of a media worker with its recorder.
//!
//! Pure: packets, orders and the time come in; packets, reports and recorded sound go out. Threads, sockets and files
//! are the server's. Knows nothing of calls or SIP.

#[cfg(test)]
mod fixture;

mod clock;
mod g711;
mod latch;
mod order;
mod outgoing;
mod reception;
mod recorder;

pub mod keys;
pub mod rtcp;
pub mod rtp;
pub mod tone;
pub mod wav;

pub use order::*;
pub use wav::WavHeader;
