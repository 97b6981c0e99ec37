//! The transforms of RFC 3711: AES in counter mode, tags by HMAC-SHA1, and the session keys they take.

use aes::Aes128;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::{SrtpKey, SrtpSuite};

/// What of the master keys a session key is for: RTP or RTCP (RFC 3711, section 4.3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    Sound,
    Control,
}

/// The session keys of one direction and one use, ready to work with.
pub(super) struct Transform {
    cipher: Aes128,
    salt: [u8; 14],
    mac: Hmac<Sha1>,
    tag: usize,
}

/// The packet does not authenticate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Forged;

impl Transform {
    pub fn new(key: &SrtpKey, use_of: Use) -> Self {
        let first_label = match use_of {
            Use::Sound => 0,
            Use::Control => 3,
        };
        let tag = match (key.suite, use_of) {
            (SrtpSuite::AesCm128HmacSha1_32, Use::Sound) => 4,
            _ => 10,
        };
        let cipher: [u8; 16] = derive(key, first_label);
        let mac: [u8; 20] = derive(key, first_label + 1);
        Self {
            cipher: Aes128::new(&cipher.into()),
            salt: derive(key, first_label + 2),
            mac: Hmac::new_from_slice(&mac).expect("HMAC takes keys of any length"),
            tag,
        }
    }

    /// How many bytes a tag has.
    pub fn tag(&self) -> usize {
        self.tag
    }

    /// Encrypts or decrypts what the packet of this number carries.
    pub fn apply(&self, ssrc: u32, index: u64, payload: &mut [u8]) {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        for (byte, mask) in iv[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= mask;
        }
        for (byte, mask) in iv[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= mask;
        }
        keystream(&self.cipher, iv, payload);
    }

    /// Writes the tag over the parts of a packet.
    pub fn sign(&self, parts: [&[u8]; 2], tag: &mut [u8]) {
        let whole = self.over(parts).finalize().into_bytes();
        tag.copy_from_slice(&whole[..tag.len()]);
    }

    /// Compares a tag in constant time.
    pub fn verify(&self, parts: [&[u8]; 2], tag: &[u8]) -> Result<(), Forged> {
        self.over(parts).verify_truncated_left(tag).map_err(|_| Forged)
    }

    fn over(&self, parts: [&[u8]; 2]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// A session key (RFC 3711, section 4.3.1); the key derivation rate is always 0.
fn derive<const N: usize>(key: &SrtpKey, label: u8) -> [u8; N] {
    let (master, salt) = key.key.split_first_chunk::<16>().expect("30 bytes are more than 16");
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    iv[7] ^= label;
    let mut derived = [0; N];
    keystream(&Aes128::new(&(*master).into()), iv, &mut derived);
    derived
}

fn keystream(cipher: &Aes128, iv: [u8; 16], bytes: &mut [u8]) {
    let core = CtrCore::<&Aes128, Ctr128BE>::inner_iv_init(cipher, &iv.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        std::array::from_fn(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap())
    }

    /// RFC 3711, appendix B.3.
    #[test]
    fn session_keys_are_those_of_the_rfc() {
        let key = SrtpKey {
            suite: SrtpSuite::AesCm128HmacSha1_80,
            key: bytes("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6"),
        };

        assert_eq!(derive::<16>(&key, 0), bytes("c61e7a93744f39ee10734afe3ff7a087"));
        assert_eq!(derive::<14>(&key, 2), bytes("30cbbc08863d8c85d49db34a9ae1"));
        assert_eq!(derive::<20>(&key, 1), bytes("cebe321f6ff7716b6fd4ab49af256a156d38baa4"));
    }

    /// RFC 3711, appendix B.2.
    #[test]
    fn the_keystream_is_that_of_the_rfc() {
        let cipher = Aes128::new(&bytes("2b7e151628aed2a6abf7158809cf4f3c").into());
        let mut stream = [0; 48];

        keystream(&cipher, bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"), &mut stream);

        assert_eq!(stream[..16], bytes::<16>("e03ead0935c95e80e166b16dd92b4eb4"));
        assert_eq!(stream[16..32], bytes::<16>("d23513162b02d0f72a43a2fe4a5f97ab"));
        assert_eq!(stream[32..], bytes::<16>("41e95b3bb0a2e8dd477901e4fca894c0"));
    }
}
