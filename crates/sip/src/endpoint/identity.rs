//! Names nobody can guess: branches, tags and Call-IDs, and the fingerprints by which requests are known again.
//!
//! A branch and a tag carry the number under which the thing they name is kept, so that a message finds it without a
//! look at texts; whoever finds it compares the whole text then.

use std::hash::Hasher;

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use siphasher::sip::SipHasher24;

/// What the branches of RFC 3261 begin with.
pub(crate) const COOKIE: &[u8] = b"z9hG4bK";
const DIGITS: usize = 16;

/// The mark in a Call-ID, tag or branch that an endpoint made: `12` in `12.0123456789abcdef`.
///
/// Others may write the like; what is said about a dialog or transaction is only true once it is found.
pub fn mark_of(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(COOKIE).unwrap_or(text);
    let dot = text.iter().rposition(|byte| *byte == b'.')?;
    let (mark, digits) = (&text[..dot], &text[dot + 1..]);
    let lengths = digits.len() == DIGITS || digits.len() == 2 * DIGITS;
    (lengths && digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))).then_some(mark)
}

/// The number in a tag or branch of ours.
pub(crate) fn number_in(text: &[u8]) -> Option<u64> {
    let text = text.strip_prefix(COOKIE).unwrap_or(text);
    let (_, digits) = text.split_at_checked(text.len().checked_sub(DIGITS)?)?;
    digits.iter().try_fold(0, |number: u64, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

pub(crate) struct Identity {
    mark: String,
    random: ChaCha12Rng,
    hasher: SipHasher24,
}

impl Identity {
    pub(crate) fn new(mark: &str, seed: [u8; 32]) -> Self {
        let mut random = ChaCha12Rng::from_seed(seed);
        let hasher = SipHasher24::new_with_keys(random.next_u64(), random.next_u64());
        let mark = mark.bytes().filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').map(char::from).collect();
        Self { mark, random, hasher }
    }

    /// A number nobody can guess, never 0.
    pub(crate) fn fresh(&mut self) -> u64 {
        self.random.next_u64().max(1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.random.next_u64() % limit.max(1)
    }

    pub(crate) fn call_id(&mut self) -> Bytes {
        let mut out = Vec::with_capacity(self.mark.len() + 1 + 2 * DIGITS);
        let (high, low) = (self.fresh(), self.fresh());
        self.write_tag(&mut out, high);
        write_digits(&mut out, low);
        out.into()
    }

    pub(crate) fn tag(&self, number: u64) -> Bytes {
        let mut out = Vec::with_capacity(self.mark.len() + 1 + DIGITS);
        self.write_tag(&mut out, number);
        out.into()
    }

    pub(crate) fn write_tag(&self, out: &mut Vec<u8>, number: u64) {
        out.extend_from_slice(self.mark.as_bytes());
        out.push(b'.');
        write_digits(out, number);
    }

    pub(crate) fn write_branch(&self, out: &mut Vec<u8>, number: u64) {
        out.extend_from_slice(COOKIE);
        self.write_tag(out, number);
    }

    /// Whether this is the branch made with `number`.
    pub(crate) fn is_branch(&self, branch: &[u8], number: u64) -> bool {
        branch
            .strip_prefix(COOKIE)
            .and_then(|rest| rest.strip_prefix(self.mark.as_bytes()))
            .is_some_and(|rest| rest.len() == 1 + DIGITS && rest[0] == b'.' && number_in(rest) == Some(number))
    }

    /// The same for the same parts. Nobody outside can choose others that agree; by chance one request in 10^13 is taken
    /// for another when a million are kept.
    pub(crate) fn fingerprint<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
        let mut hasher = self.hasher;
        for part in parts {
            hasher.write_u32(part.len() as u32);
            hasher.write(part);
        }
        hasher.finish()
    }
}

fn write_digits(out: &mut Vec<u8>, number: u64) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; DIGITS];
    for (index, digit) in digits.iter_mut().enumerate() {
        *digit = HEX[(number >> (60 - 4 * index)) as usize & 15];
    }
    out.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_made_here_carries_the_mark() {
        let mut identity = Identity::new("12", [7; 32]);
        let number = identity.fresh();
        let (tag, call_id, mut branch) = (identity.tag(number), identity.call_id(), Vec::new());
        identity.write_branch(&mut branch, number);

        let marks = [&tag[..], &call_id[..], &branch[..]].map(mark_of);

        assert_eq!(marks, [Some(&b"12"[..]); 3]);
        assert_eq!([number_in(&tag), number_in(&branch)], [Some(number); 2]);
        assert!(identity.is_branch(&branch, number));
    }

    #[test]
    fn texts_of_others_carry_no_mark() {
        let texts: [&[u8]; 6] =
            [b"", b"1928301774", b"a84b4c76e66710@pc33.atlanta.com", b"12.", b"12.xyz", b"z9hG4bK.5"];

        let marks = texts.map(mark_of);

        assert_eq!(marks, [None; 6]);
    }

    #[test]
    fn a_branch_of_another_endpoint_is_not_ours() {
        let (ours, theirs) = (Identity::new("12", [7; 32]), Identity::new("13", [7; 32]));
        let mut branch = Vec::new();
        theirs.write_branch(&mut branch, 5);

        let is_ours = ours.is_branch(&branch, 5);

        assert!(!is_ours);
    }

    #[test]
    fn fingerprints_tell_where_parts_end() {
        let identity = Identity::new("12", [7; 32]);

        let prints = [["ab", "c"], ["a", "bc"]].map(|parts| identity.fingerprint(parts.map(str::as_bytes)));

        assert_ne!(prints[0], prints[1]);
    }
}
