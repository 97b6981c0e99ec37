//! Messages that were admitted and wait to be read, in lanes: what belongs to something that lives goes first, then
//! INVITE, then REGISTER and the rest. A full lane refuses, so that a storm of one kind never drowns the others.

use std::collections::VecDeque;

use bytes::Bytes;
use engine::door::Urgency;
use sip::Flow;

/// Messages waiting, by urgency.
#[derive(Default)]
pub struct Lanes {
    begun: VecDeque<(Flow, Bytes)>,
    calls: VecDeque<(Flow, Bytes)>,
    rest: VecDeque<(Flow, Bytes)>,
}

/// How many messages of an urgency may wait.
const fn room(urgency: Urgency) -> usize {
    match urgency {
        Urgency::Begun => 4_096,
        Urgency::Call => 1_024,
        Urgency::Rest => 2_048,
    }
}

impl Lanes {
    /// Takes a message in, or gives it back when its lane is full.
    pub fn push(&mut self, urgency: Urgency, flow: Flow, packet: Bytes) -> Result<(), Bytes> {
        let lane = self.lane(urgency);
        if lane.len() >= room(urgency) {
            return Err(packet);
        }
        lane.push_back((flow, packet));
        Ok(())
    }

    /// The next message to read.
    pub fn pop(&mut self) -> Option<(Flow, Bytes)> {
        Urgency::ALL.into_iter().find_map(|urgency| self.lane(urgency).pop_front())
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.begun.len() + self.calls.len() + self.rest.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lane(&mut self, urgency: Urgency) -> &mut VecDeque<(Flow, Bytes)> {
        match urgency {
            Urgency::Begun => &mut self.begun,
            Urgency::Call => &mut self.calls,
            Urgency::Rest => &mut self.rest,
        }
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
        let came = [
            (Urgency::Rest, "REGISTER 1"),
            (Urgency::Call, "INVITE 1"),
            (Urgency::Begun, "200 OK"),
            (Urgency::Rest, "OPTIONS 1"),
            (Urgency::Begun, "BYE 1"),
            (Urgency::Call, "INVITE 2"),
        ];
        for (urgency, text) in came {
            lanes.push(urgency, flow(), packet(text)).expect("room");
        }

        let read: Vec<_> = std::iter::from_fn(|| lanes.pop()).map(|(_, packet)| packet).collect();

        assert_eq!(read, ["200 OK", "BYE 1", "INVITE 1", "INVITE 2", "REGISTER 1", "OPTIONS 1"]);
        assert!(lanes.is_empty());
    }

    #[test]
    fn a_full_lane_gives_back_and_the_others_still_take() {
        let mut lanes = Lanes::default();
        for _ in 0..room(Urgency::Rest) {
            lanes.push(Urgency::Rest, flow(), packet("REGISTER 1")).expect("room");
        }

        assert_eq!(lanes.push(Urgency::Rest, flow(), packet("REGISTER 2")), Err(packet("REGISTER 2")));
        assert_eq!(lanes.push(Urgency::Call, flow(), packet("INVITE 1")), Ok(()));
        assert_eq!(lanes.len(), room(Urgency::Rest) + 1);
    }
}
