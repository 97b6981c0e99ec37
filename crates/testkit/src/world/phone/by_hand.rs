//! What no phone would say: octets that leave a phone's place as they are, and what is said to them.

use bytes::Bytes;
use engine::{Output, Wire};

use crate::world::World;
use crate::world::switchboard::Switchboard;

impl World {
    /// Exactly these octets leave a phone.
    pub fn says(&mut self, name: &str, bytes: impl Into<Bytes>) {
        let place = self.place(name);
        let dress = self.phones[place].dress.take();
        self.phones[place].out.push(bytes.into());
        self.flush(place);
        self.phones[place].dress = dress;
    }

    /// What the switchboard says at once to these octets from a phone's place. The world does not go on from there:
    /// nothing of it reaches anybody.
    pub fn asks_by_hand(mut self, name: &str, bytes: impl Into<Bytes>) -> Vec<Bytes> {
        let flow = self.flow_of(self.place(name), 0);
        let now = self.moment();
        let Some(switchboard) = &mut self.switchboard else { return Vec::new() };
        let mut answers: Vec<Bytes> = switchboard.receive(now, flow, bytes.into()).into_iter().collect();
        while let Some(output) = Switchboard::take(switchboard) {
            if let Output::Wire(Wire::Send { bytes, .. }) = output {
                answers.push(bytes);
            }
        }
        answers
    }
}
