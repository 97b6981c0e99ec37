//! Which of the senders at one address is heard: the SSRC that three packets in sequence have locked.

use super::Sign;

/// So many packets in sequence lock the SSRC, and so many of another in sequence change it.
const IN_SEQUENCE: u8 = 3;

/// The SSRC that is heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice {
    pub ssrc: u32,
    last: u16,
    in_sequence: u8,
    /// Another that was heard since: its SSRC, its last number, and how many of it came in sequence.
    rival: Option<(u32, u16, u8)>,
}

impl Voice {
    pub fn new(sign: &Sign) -> Self {
        Self { ssrc: sign.ssrc, last: sign.sequence, in_sequence: 1, rival: None }
    }

    /// The sender has ended: another is heard at once.
    pub fn forget(&mut self) {
        self.in_sequence = 0;
    }

    /// A packet from the address. `silent`: the locked sender has been silent for long. Gives whether it is heard.
    pub fn goes_on(&mut self, sign: &Sign, silent: bool) -> bool {
        let follows = |last: u16| sign.sequence == last.wrapping_add(1);
        if sign.ssrc == self.ssrc {
            self.rival = None;
            if self.in_sequence < IN_SEQUENCE {
                self.in_sequence = if follows(self.last) { self.in_sequence + 1 } else { 1 };
            }
            self.last = sign.sequence;
            return true;
        }
        if self.in_sequence < IN_SEQUENCE || silent {
            *self = Self::new(sign);
            return true;
        }
        // A sender that has changed its SSRC (another sound at the same gateway) is heard after a few packets, unless the
        // one that is locked still speaks: then it is somebody who says to be at this address.
        let count = match self.rival {
            Some((ssrc, last, count)) if ssrc == sign.ssrc && follows(last) => count + 1,
            _ => 1,
        };
        self.rival = Some((sign.ssrc, sign.sequence, count));
        if count < IN_SEQUENCE {
            return false;
        }
        *self = Self { in_sequence: IN_SEQUENCE, ..Self::new(sign) };
        true
    }
}
