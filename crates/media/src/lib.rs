//! Sound in packets: RTP and RTCP, G.711, keys, tones, and the machine of a media worker with its recorder.
//!
//! Pure: packets, orders and the time come in; packets, reports and recorded sound go out. Threads, sockets and files
//! are the server's. Knows nothing of calls or SIP.

mod order;

pub use order::*;
