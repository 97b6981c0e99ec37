//! Sound with keys (RFC 3711), written a second time and plainly: packets of RTP, no report of any kind.

use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use ctr::Ctr128BE;
use hmac::{Hmac, KeyInit, Mac};
use media::rtp;
use sha1::Sha1;
use sip::sdp::{Crypto, Suite};

/// Both directions of a call.
#[derive(Debug)]
pub struct Secrecy {
    own: Keys,
    theirs: Keys,
}

/// One direction.
#[derive(Debug)]
struct Keys {
    crypto: Crypto,
    cipher: Vec<u8>,
    signing: Vec<u8>,
    salt: Vec<u8>,
    /// How often the numbers of packets have gone round, and the number that was seen last.
    rounds: u32,
    last: Option<u16>,
}

impl Secrecy {
    /// Keys as both descriptions name them.
    pub fn new(own: Crypto, theirs: Crypto) -> Self {
        Self { own: Keys::new(own), theirs: Keys::new(theirs) }
    }

    /// Whether these are the keys.
    pub fn is_of(&self, own: &Crypto, theirs: &Crypto) -> bool {
        self.own.crypto == *own && self.theirs.crypto == *theirs
    }

    /// Enciphers and signs a packet.
    pub fn seal(&mut self, packet: &mut Vec<u8>) {
        let Ok((header, start)) = rtp::head(packet) else { return };
        let rounds = self.own.round_of(header.sequence);
        self.own.saw(header.sequence, rounds);
        self.own.cipher(&header, rounds, &mut packet[start..]);
        let tag = self.own.tag(packet, rounds);
        packet.extend(tag);
    }

    /// The packet in the clear. None: it is not signed with their key.
    pub fn open(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let (header, start) = rtp::head(packet).ok()?;
        let (signed, tag) = packet.split_at_checked(packet.len().checked_sub(self.theirs.tag_length())?)?;
        let rounds = self.theirs.round_of(header.sequence);
        if self.theirs.tag(signed, rounds) != tag {
            return None;
        }
        self.theirs.saw(header.sequence, rounds);
        let mut clear = signed.to_vec();
        self.theirs.cipher(&header, rounds, clear.get_mut(start..)?);
        Some(clear)
    }
}

impl Keys {
    fn new(crypto: Crypto) -> Self {
        let [cipher, signing, salt] =
            [(0, 16), (1, 20), (2, 14)].map(|(label, length)| derived(&crypto, label, length));
        Self { crypto, cipher, signing, salt, rounds: 0, last: None }
    }

    /// RFC 3711, appendix A.
    fn round_of(&self, sequence: u16) -> u32 {
        match self.last {
            Some(last) if last < 0x8000 && sequence.wrapping_sub(last) >= 0x8000 && sequence > last => {
                self.rounds.wrapping_sub(1)
            }
            Some(last) if sequence < last && sequence.wrapping_sub(last) < 0x8000 => self.rounds + 1,
            _ => self.rounds,
        }
    }

    fn saw(&mut self, sequence: u16, rounds: u32) {
        let newer = self.last.is_none_or(|last| sequence.wrapping_sub(last) < 0x8000);
        if newer {
            self.rounds = rounds;
            self.last = Some(sequence);
        }
    }

    fn cipher(&self, header: &rtp::Header, rounds: u32, payload: &mut [u8]) {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        let number = header.ssrc.to_be_bytes().into_iter().chain(rounds.to_be_bytes());
        for (byte, mask) in iv[4..].iter_mut().zip(number.chain(header.sequence.to_be_bytes())) {
            *byte ^= mask;
        }
        keystream(&self.cipher, iv, payload);
    }

    fn tag(&self, packet: &[u8], rounds: u32) -> Vec<u8> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.signing).expect("HMAC takes keys of any length");
        mac.update(packet);
        mac.update(&rounds.to_be_bytes());
        mac.finalize().into_bytes()[..self.tag_length()].to_vec()
    }

    fn tag_length(&self) -> usize {
        match self.crypto.suite {
            Suite::AesCm128HmacSha1_80 => 10,
            Suite::AesCm128HmacSha1_32 => 4,
        }
    }
}

/// A session key (RFC 3711, 4.3.1).
fn derived(crypto: &Crypto, label: u8, length: usize) -> Vec<u8> {
    let (master, salt) = crypto.key.split_at(16);
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    iv[7] ^= label;
    let mut key = vec![0; length];
    keystream(master, iv, &mut key);
    key
}

fn keystream(key: &[u8], iv: [u8; 16], bytes: &mut [u8]) {
    let key: [u8; 16] = key.try_into().expect("a key has 16 octets");
    Ctr128BE::<Aes128>::new(&key.into(), &iv.into()).apply_keystream(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_on_the_other_side_when_the_numbers_go_round() {
        let crypto = |key| Crypto { tag: 1, suite: Suite::AesCm128HmacSha1_80, key: [key; 30] };
        let mut one = Secrecy::new(crypto(1), crypto(2));
        let mut other = Secrecy::new(crypto(2), crypto(1));
        let packet = |sequence| {
            let header = rtp::Header { marker: false, payload_type: 8, sequence, timestamp: 5, ssrc: 7 };
            [&header.print()[..], b"sound"].concat()
        };

        for sequence in [u16::MAX - 1, u16::MAX, 0, 1] {
            let mut sealed = packet(sequence);
            one.seal(&mut sealed);

            assert_ne!(sealed[12..17], *b"sound");
            assert_eq!(other.open(&sealed), Some(packet(sequence)));
        }
        assert_eq!(other.open(&packet(2)), None);
    }
}
