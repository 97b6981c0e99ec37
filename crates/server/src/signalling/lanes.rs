//! Packets that were received and wait for the door, in lanes: what belongs to something that lives goes first, then
//! INVITE, then REGISTER and the rest. A full lane refuses, so that a storm of one kind never drowns the others.

use std::collections::VecDeque;

use bytes::Bytes;
use sip::{Flow, Framing, HeaderName, Message, Method};

/// The lanes in the order they are served, and how many packets each holds.
const ROOM: [usize; 3] = [4_096, 1_024, 2_048];

/// Packets waiting, by urgency.
#[derive(Default)]
pub struct Lanes {
    lanes: [VecDeque<(Flow, Bytes)>; 3],
}

impl Lanes {
    /// Takes a packet in, or gives it back when its lane is full.
    pub fn push(&mut self, flow: Flow, packet: Bytes) -> Result<(), Bytes> {
        let at = lane(&packet);
        if self.lanes[at].len() >= ROOM[at] {
            return Err(packet);
        }
        self.lanes[at].push_back((flow, packet));
        Ok(())
    }

    /// The next packet to serve.
    pub fn pop(&mut self) -> Option<(Flow, Bytes)> {
        self.lanes.iter_mut().find_map(VecDeque::pop_front)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.lanes.iter().map(VecDeque::len).sum()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(VecDeque::is_empty)
    }
}

/// The 503 for a request that finds its lane full; None for what gets no answer.
pub fn come_back_later(packet: Bytes) -> Option<Bytes> {
    let Ok(Message::Request(request)) = sip::parse(packet, Framing::Datagram) else { return None };
    if request.method == Method::Ack {
        return None;
    }
    let mut response = request.response(503);
    response.headers.push(HeaderName::RetryAfter, Bytes::from_static(b"5"));
    Some(response.print())
}

/// Told by the first bytes alone. A re-INVITE rides with the INVITEs: its sender sends it again.
fn lane(packet: &[u8]) -> usize {
    let answers_or_ends: [&[u8]; 8] =
        [b"SIP/", b"ACK ", b"BYE ", b"CANCEL ", b"PRACK ", b"UPDATE ", b"INFO ", b"REFER "];
    if answers_or_ends.iter().any(|start| packet.starts_with(start)) {
        0
    } else if packet.starts_with(b"INVITE ") {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow::udp(0, "192.0.2.7:5060".parse().expect("an address"))
    }

    fn packet(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn what_lives_goes_before_calls_and_calls_before_registrations() {
        let mut lanes = Lanes::default();
        for text in ["REGISTER 1", "INVITE 1", "SIP/2.0 200 OK", "OPTIONS 1", "BYE 1", "INVITE 2"] {
            lanes.push(flow(), packet(text)).expect("room");
        }

        let served: Vec<_> = std::iter::from_fn(|| lanes.pop()).map(|(_, packet)| packet).collect();

        assert_eq!(served, ["SIP/2.0 200 OK", "BYE 1", "INVITE 1", "INVITE 2", "REGISTER 1", "OPTIONS 1"]);
        assert!(lanes.is_empty());
    }

    #[test]
    fn a_full_lane_gives_back_and_the_others_still_take() {
        let mut lanes = Lanes::default();
        for _ in 0..ROOM[2] {
            lanes.push(flow(), packet("REGISTER 1")).expect("room");
        }

        assert_eq!(lanes.push(flow(), packet("REGISTER 2")), Err(packet("REGISTER 2")));
        assert_eq!(lanes.push(flow(), packet("INVITE 1")), Ok(()));
        assert_eq!(lanes.len(), ROOM[2] + 1);
    }
}
