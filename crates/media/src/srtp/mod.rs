//! Secured RTP and RTCP (RFC 3711) with keys from SDP (RFC 4568): AES in counter mode, tags by HMAC-SHA1.
//!
//! Packets are sealed and opened where they lie; nothing is allocated for one. A source's state is kept only once a packet
//! of it has authenticated, so that forged packets cost their tag and leave nothing behind. How keys are agreed is
//! signalling's business.

mod transform;
mod window;

use transform::{Transform, Use};
use window::{Window, near};

use crate::clock::{MILLISECOND, Ticks};
use crate::{Crypto, SrtpKey, rtp};

/// After a change of the party's key, what is still on its way with the old one is taken for so long.
const OLD_KEY: Ticks = 3_000 * MILLISECOND;

/// Sources whose numbers are remembered, for each use.
const SOURCES: usize = 4;

/// Set in the word behind an SRTCP packet when it is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// What of an SRTCP packet is not encrypted: its first header.
const CLEAR: usize = 8;

/// Both directions of one session.
pub(crate) struct Secured {
    keys: Crypto,
    sealer: Sealer,
    opener: Opener,
    /// Opens what was sealed before the party's key changed, until then.
    before: Option<(Opener, Ticks)>,
}

/// A packet that was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Opened {
    /// What is left of it.
    pub length: usize,
    /// No packet of its source is newer.
    pub newest: bool,
}

impl Secured {
    pub fn new(keys: Crypto) -> Self {
        Self { sealer: Sealer::new(&keys.ours), opener: Opener::new(&keys.theirs), keys, before: None }
    }

    /// Keys have been agreed on again. One that has not changed goes on with its numbers.
    pub fn change(&mut self, at: Ticks, keys: &Crypto) {
        if keys.ours != self.keys.ours {
            self.sealer = Sealer::new(&keys.ours);
        }
        if keys.theirs != self.keys.theirs {
            let before = std::mem::replace(&mut self.opener, Opener::new(&keys.theirs));
            self.before = Some((before, at + OLD_KEY));
        }
        self.keys = keys.clone();
    }

    /// Checks and decrypts an RTP packet. None: forged, too old, or here before.
    pub fn open_sound(&mut self, at: Ticks, packet: &mut [u8]) -> Option<Opened> {
        self.before.take_if(|(_, until)| *until <= at);
        let before = &mut self.before;
        self.opener.open_sound(packet).or_else(|| {
            let opened = before.as_mut()?.0.open_sound(packet)?;
            // What comes with the old key does not tell where the party is now.
            Some(Opened { newest: false, ..opened })
        })
    }

    /// Checks and decrypts an RTCP packet; gives what is left of it.
    pub fn open_control(&mut self, at: Ticks, packet: &mut [u8]) -> Option<usize> {
        self.before.take_if(|(_, until)| *until <= at);
        let before = &mut self.before;
        self.opener.open_control(packet).or_else(|| before.as_mut()?.0.open_control(packet))
    }

    /// Encrypts and signs the packet at the beginning of a buffer; gives its new length. None: there is no room.
    pub fn seal(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        if rtp::is_control(buffer.get(..length)?) {
            self.sealer.seal_control(buffer, length)
        } else {
            self.sealer.seal_sound(buffer, length)
        }
    }
}

/// What we send with.
struct Sealer {
    sound: Transform,
    control: Transform,
    /// The highest number sent, without wrapping. What we send has one SSRC.
    highest: Option<u64>,
    /// RTCP packets sent.
    statements: u32,
}

impl Sealer {
    fn new(key: &SrtpKey) -> Self {
        let (sound, control) = (Transform::new(key, Use::Sound), Transform::new(key, Use::Control));
        Self { sound, control, highest: None, statements: 0 }
    }

    fn seal_sound(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let (header, start) = rtp::head(&buffer[..length]).ok()?;
        let index = match self.highest {
            Some(highest) => near(highest, header.sequence)?,
            None => header.sequence.into(),
        };
        self.highest = self.highest.max(Some(index));
        let end = length + self.sound.tag();
        let (packet, tag) = buffer.get_mut(..end)?.split_at_mut(length);
        self.sound.apply(header.ssrc, index, packet.get_mut(start..)?);
        self.sound.sign([packet, &cycle(index)], tag);
        Some(end)
    }

    fn seal_control(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let ssrc = rtp::ssrc(&buffer[..length])?;
        let end = length + 4 + self.control.tag();
        let (packet, tag) = buffer.get_mut(..end)?.split_at_mut(length + 4);
        self.statements = self.statements.wrapping_add(1) & !ENCRYPTED;
        self.control.apply(ssrc, self.statements.into(), packet.get_mut(CLEAR..length)?);
        packet[length..].copy_from_slice(&(ENCRYPTED | self.statements).to_be_bytes());
        self.control.sign([packet, &[]], tag);
        Some(end)
    }
}

/// What the party sends with.
struct Opener {
    sound: Transform,
    control: Transform,
    spoke: Sources,
    told: Sources,
}

impl Opener {
    fn new(key: &SrtpKey) -> Self {
        let (sound, control) = (Transform::new(key, Use::Sound), Transform::new(key, Use::Control));
        Self { sound, control, spoke: Sources::default(), told: Sources::default() }
    }

    fn open_sound(&mut self, packet: &mut [u8]) -> Option<Opened> {
        let length = packet.len().checked_sub(self.sound.tag())?;
        let (packet, tag) = packet.split_at_mut(length);
        let (header, start) = rtp::head(packet).ok()?;
        let verify = |index: u64| {
            let verified = self.sound.verify([packet, &cycle(index)], tag);
            verified.ok().map(|()| index)
        };
        let index = match self.spoke.get(header.ssrc) {
            Some(window) => window.index(header.sequence).filter(|index| !window.has(*index)).and_then(verify)?,
            // One that is met late may have come through its end once.
            None => verify(header.sequence.into()).or_else(|| verify(1 << 16 | u64::from(header.sequence)))?,
        };
        let newest = self.spoke.mark(header.ssrc, index);
        self.sound.apply(header.ssrc, index, &mut packet[start..]);
        Some(Opened { length, newest })
    }

    fn open_control(&mut self, packet: &mut [u8]) -> Option<usize> {
        let signed = packet.len().checked_sub(self.control.tag())?;
        let length = signed.checked_sub(4).filter(|length| *length >= CLEAR)?;
        let (packet, tag) = packet.split_at_mut(signed);
        let word = u32::from_be_bytes(*packet[length..].first_chunk()?);
        // What is only signed was not agreed on.
        if word & ENCRYPTED == 0 {
            return None;
        }
        let (ssrc, index) = (rtp::ssrc(packet)?, u64::from(word & !ENCRYPTED));
        if self.told.get(ssrc).is_some_and(|window| window.has(index)) {
            return None;
        }
        self.control.verify([packet, &[]], tag).ok()?;
        self.told.mark(ssrc, index);
        self.control.apply(ssrc, index, &mut packet[CLEAR..length]);
        Some(length)
    }
}

/// The windows of sources that have authenticated, the one that spoke last in front.
#[derive(Default)]
struct Sources {
    windows: [Option<(u32, Window)>; SOURCES],
}

impl Sources {
    fn get(&self, ssrc: u32) -> Option<&Window> {
        self.windows.iter().flatten().find(|(known, _)| *known == ssrc).map(|(_, window)| window)
    }

    /// A packet of this source has come. Gives whether it is its newest.
    fn mark(&mut self, ssrc: u32, index: u64) -> bool {
        let place = self.windows.iter().position(|entry| entry.is_some_and(|(known, _)| known == ssrc));
        // The one that has been silent longest makes room.
        self.windows[..=place.unwrap_or(SOURCES - 1)].rotate_right(1);
        match &mut self.windows[0] {
            Some((_, window)) if place.is_some() => window.mark(index),
            slot => {
                *slot = Some((ssrc, Window::begin(index)));
                true
            }
        }
    }
}

/// How often the sequence number has come through its end, as it is signed.
fn cycle(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

#[cfg(test)]
mod tests;
