//! Nonces that need no table: each says when it was made and proves that we made it.
//!
//! A nonce is hexadecimal: 8 digits of seconds, 8 of a counter, 32 of an HMAC-SHA-256 over both and the source.
//! So nonces sort in the order in which they were made; [`super::NcWindow`] relies on it.

use std::net::IpAddr;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::hash::hex;

/// Makes nonces and knows them again.
pub struct Nonces {
    key: [u8; 32],
    /// Seconds for which a nonce is good.
    lifetime: u32,
    made: u32,
}

/// What a nonce is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Ours, for this source, and young enough.
    Fresh,
    /// Ours, for this source, but too old.
    Stale,
    /// Not ours, or made for another source.
    Forged,
}

impl Nonces {
    /// Nonces under a secret key, good for `lifetime` seconds.
    pub const fn new(key: [u8; 32], lifetime: u32) -> Self {
        Nonces { key, lifetime, made: 0 }
    }

    /// A nonce for a source. `now` is seconds since 1970.
    pub fn make(&mut self, now: u64, source: IpAddr) -> Bytes {
        self.made = self.made.wrapping_add(1);
        // Eight digits reach to the year 2106.
        let head = format!("{:08x}{:08x}", now as u32, self.made);
        let proof = self.proof(head.as_bytes(), source);
        (head + &proof).into()
    }

    /// What a nonce is worth that came back from a source.
    pub fn check(&self, nonce: &[u8], now: u64, source: IpAddr) -> Verdict {
        let Some((head, proof)) = nonce.split_at_checked(16) else { return Verdict::Forged };
        if !bool::from(self.proof(head, source).as_bytes().ct_eq(proof)) {
            return Verdict::Forged;
        }
        let made_at = std::str::from_utf8(&head[..8]).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(made_at) = made_at else { return Verdict::Forged };
        // A clock that was set back makes the age huge, and so the nonce stale.
        if (now as u32).wrapping_sub(made_at) <= self.lifetime { Verdict::Fresh } else { Verdict::Stale }
    }

    fn proof(&self, head: &[u8], source: IpAddr) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(head);
        match source {
            IpAddr::V4(address) => mac.update(&address.octets()),
            IpAddr::V6(address) => mac.update(&address.octets()),
        }
        hex(&mac.finalize().into_bytes()[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_time_and_source_only() {
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut nonces = Nonces::new([7; 32], 300);

        let nonce = nonces.make(1_000, here);

        assert_eq!(nonces.check(&nonce, 1_000, here), Verdict::Fresh);
        assert_eq!(nonces.check(&nonce, 1_300, here), Verdict::Fresh);
        assert_eq!(nonces.check(&nonce, 1_301, here), Verdict::Stale);
        assert_eq!(nonces.check(&nonce, 999, here), Verdict::Stale);
        assert_eq!(nonces.check(&nonce, 1_000, there), Verdict::Forged);
        assert_eq!(Nonces::new([8; 32], 300).check(&nonce, 1_000, here), Verdict::Forged);
    }

    #[test]
    fn a_changed_or_cut_nonce_is_forged() {
        let here = IpAddr::from([192, 0, 2, 1]);
        let mut nonces = Nonces::new([7; 32], 300);
        let nonce = nonces.make(1_000, here);

        for at in 0..nonce.len() {
            let mut changed = nonce.to_vec();
            changed[at] ^= 1;
            assert_eq!(nonces.check(&changed, 1_000, here), Verdict::Forged);
            assert_eq!(nonces.check(&nonce[..at], 1_000, here), Verdict::Forged);
        }
    }

    #[test]
    fn two_phones_in_one_second_get_two_nonces_in_order() {
        let here = IpAddr::from([192, 0, 2, 1]);
        let mut nonces = Nonces::new([7; 32], 300);

        let made: Vec<_> = [1_000, 1_000, 1_001].into_iter().map(|now| nonces.make(now, here)).collect();

        assert!(made.is_sorted_by(|earlier, later| earlier < later));
    }
}
