//! Sound in packets: RTP and RTCP, G.711, keys, tones, and the machine of a media worker with its recorder.
//!
//! Pure: packets, orders and the time come in; packets, reports and recorded sound go out. Threads, sockets and files
//! are the server's. Knows nothing of calls or SIP. Start reading at [`Order`], then [`Worker`].

mod clock;
mod control;
#[cfg(test)]
mod fixture;
mod g711;
mod latch;
mod order;
mod outgoing;
mod output;
mod reception;
mod recorder;
mod session;
mod silence;
mod srtp;
mod worker;

pub mod keys;
pub mod rtcp;
pub mod rtp;
pub mod tone;
pub mod wav;

pub use order::*;
pub use output::{Channel, Output, Packet, RecordingStep};
pub use wav::WavHeader;
pub use worker::{Load, PACKET, Worker, WorkerConfig};
