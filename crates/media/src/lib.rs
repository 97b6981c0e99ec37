//! Sound in packets: RTP and RTCP, codecs, keys, tones, and the machine of a media worker with its recorder.
//!
//! Pure: packets, orders and the time come in; packets, reports and recorded sound go out. Threads, sockets and files
//! are the server's. Knows nothing of calls or SIP. Start reading at [`Order`], then [`Worker`].

mod clip;
mod clock;
mod conceal;
mod control;
mod ear;
#[cfg(test)]
mod fixture;
mod heard;
mod jitter;
mod latch;
mod listener;
mod mouth;
pub mod music;
mod noise;
mod opinion;
mod order;
mod outgoing;
mod output;
mod reception;
mod recorder;
mod session;
mod silence;
mod sine;
mod speaker;
mod srtp;
mod voice;
mod worker;

pub mod codec;
pub mod keys;
pub mod rtcp;
pub mod rtp;
pub mod tone;
pub mod wav;

pub use clip::Clip;
pub use codec::Law;
pub use order::*;
pub use output::{Channel, Output, Packet, RecordingStep};
pub use wav::WavHeader;
pub use worker::{Load, PACKET, Worker, WorkerConfig};
