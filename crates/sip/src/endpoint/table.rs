//! Maps whose keys are numbers nobody outside can choose: random ones, or keyed fingerprints. They need no hashing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Room that is kept when fewer entries are left.
const KEPT_ROOM: usize = 1_024;

/// Never walked through, so its order shows nowhere.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    map: HashMap<K, V, BuildHasherDefault<AsItIs>>,
}

impl<K: Eq + Hash, V> Table<K, V> {
    pub(crate) fn new() -> Self {
        Self { map: HashMap::default() }
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.map.insert(key, value)
    }

    /// Takes an entry out, and gives memory back once most of it is unused.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let value = self.map.remove(key)?;
        if self.map.capacity() > KEPT_ROOM && self.map.len() * 8 < self.map.capacity() {
            self.map.shrink_to(self.map.len() * 2);
        }
        Some(value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key)
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.map.contains_key(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }
}

#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }
}
