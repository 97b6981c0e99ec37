//! What a phone has heard: packets put in their order, each once, gaps silent.

use media::rtp;

/// The length of a packet, in samples.
const PACKET: usize = 160;

/// A gap of more than so many samples is no loss; there was nothing to be heard.
const LONGEST_GAP: u32 = 8_000;

/// What came since the ear was last emptied.
#[derive(Debug, Default)]
pub struct Ear {
    pieces: Vec<Piece>,
    /// Packets that came a second time.
    pub twice: u32,
    /// Packets that came behind a later one.
    pub overtaken: u32,
}

#[derive(Debug)]
struct Piece {
    ssrc: u32,
    timestamp: u32,
    samples: Vec<i16>,
}

impl Ear {
    /// Takes in a packet, decoded.
    pub fn hear(&mut self, header: &rtp::Header, samples: Vec<i16>) {
        let (ssrc, timestamp) = (header.ssrc, header.timestamp);
        let is_before = |piece: &Piece| piece.ssrc != ssrc || !is_later(piece.timestamp, timestamp);
        let place = self.pieces.iter().rposition(is_before).map_or(0, |place| place + 1);
        let before = place.checked_sub(1).and_then(|place| self.pieces.get(place));
        if before.is_some_and(|piece| piece.ssrc == ssrc && piece.timestamp == timestamp) {
            self.twice += 1;
            return;
        }
        self.overtaken += u32::from(place < self.pieces.len());
        self.pieces.insert(place, Piece { ssrc, timestamp, samples });
    }

    /// How many packets were heard.
    pub fn packets(&self) -> usize {
        self.pieces.len()
    }

    /// The sound, from the first packet to the last.
    pub fn sound(&self) -> Vec<i16> {
        let mut sound = Vec::with_capacity(self.pieces.len() * PACKET);
        let mut last: Option<&Piece> = None;
        for piece in &self.pieces {
            if let Some(last) = last.filter(|last| last.ssrc == piece.ssrc) {
                let length = u32::try_from(last.samples.len()).unwrap_or_default();
                let gap = piece.timestamp.wrapping_sub(last.timestamp).saturating_sub(length);
                if gap <= LONGEST_GAP {
                    sound.resize(sound.len() + gap as usize, 0);
                }
            }
            sound.extend_from_slice(&piece.samples);
            last = Some(piece);
        }
        sound
    }

    /// Forgets everything.
    pub fn empty(&mut self) {
        *self = Self::default();
    }
}

/// Whether `one` is later than `other`, on a clock that goes round.
fn is_later(one: u32, other: u32) -> bool {
    one != other && one.wrapping_sub(other) < u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_put_in_order_and_what_is_lost_between_them_is_silent() {
        let mut ear = Ear::default();
        let header = |timestamp| rtp::Header { marker: false, payload_type: 8, sequence: 0, timestamp, ssrc: 1 };

        for (timestamp, level) in [(u32::MAX - 159, 1), (320, 4), (0, 2), (320, 4)] {
            ear.hear(&header(timestamp), vec![level; PACKET]);
        }

        let sound: Vec<i16> = ear.sound().iter().step_by(PACKET).copied().collect();
        assert_eq!((sound, ear.packets(), ear.twice, ear.overtaken), (vec![1, 2, 0, 4], 3, 1, 1));
    }
}
