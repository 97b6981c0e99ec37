//! Hash maps keyed by what a network sends: hashed with a secret, so that nobody outside can choose collisions.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use siphasher::sip::SipHasher13;

/// A hash map whose hasher is keyed from the engine's seed. Nothing that leaves an engine may depend on its order.
pub type Map<K, V> = HashMap<K, V, Keyed>;

/// A hash set, keyed like [`Map`].
pub type Set<K> = HashSet<K, Keyed>;

/// Builds hashers keyed from a seed.
#[derive(Clone, Copy)]
pub struct Keyed {
    k0: u64,
    k1: u64,
}

impl Keyed {
    /// A hasher keyed by the first sixteen bytes of `seed`.
    pub fn new(seed: &[u8; 32]) -> Self {
        let word = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&seed[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        Self { k0: word(0), k1: word(8) }
    }
}

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.k0, self.k1)
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyed")
    }
}
