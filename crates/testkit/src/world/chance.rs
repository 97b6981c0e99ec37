//! Random numbers from a seed: the same seed gives the same world.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Chance.
#[derive(Clone, Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The chance of this seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: u32) -> u32 {
        // The bias is a few in four thousand millions.
        self.0.next_u32() % end
    }

    /// Whether something happens that happens so often in a thousand times.
    pub fn per_mille(&mut self, often: u32) -> bool {
        self.below(1_000) < often
    }

    /// A time up to `most`, in whole milliseconds.
    pub fn within(&mut self, most: Duration) -> Duration {
        let milliseconds = u32::try_from(most.as_millis()).unwrap_or(u32::MAX - 1);
        Duration::from_millis(self.below(milliseconds + 1).into())
    }

    /// One of them; there is at least one.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        &all[self.below(count) as usize]
    }

    /// A seed for somebody else.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }
}
