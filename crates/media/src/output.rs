//! What a worker puts out.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::{AddressId, RecordingKey, Report};

/// A packet to be sent; its bytes lie in the buffer that was lent for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// From which pair of ports.
    pub address: AddressId,
    /// From which of the two.
    pub channel: Channel,
    /// To whom.
    pub to: SocketAddr,
    /// Where in the buffer.
    pub bytes: Range<usize>,
}

/// One of the two ports of an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Channel {
    /// RTP.
    Sound,
    /// RTCP.
    Control,
}

/// What a worker puts out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// To the network.
    Packet(Packet),
    /// To signalling.
    Report(Report),
    /// To the writer of recordings, which has to get all of them, in order.
    Recording(RecordingStep),
    /// The address has no session any more, or got none because it could not be opened.
    Freed(AddressId),
}

/// What the writer of recordings has to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecordingStep {
    /// Begin this file.
    Begin {
        /// Which recording.
        recording: RecordingKey,
        /// As the order named it.
        file: PathBuf,
    },
    /// Append this sound: 16-bit samples, left and right by turns, lowest byte first. The buffer is given back with
    /// [`crate::Worker::give_back`].
    Sound {
        /// Which recording.
        recording: RecordingKey,
        /// Whole moments of 4 bytes.
        sound: Vec<u8>,
    },
    /// Nothing more comes.
    End {
        /// Which recording.
        recording: RecordingKey,
        /// Time that is missing because buffers did not come back soon enough.
        gap: Duration,
    },
}
