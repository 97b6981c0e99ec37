//! Each `nc` of a nonce is good once.
//!
//! A nonce enters the table with its first right answer, so that challenges cost nothing. Answers may overtake each
//! other by up to 64. When the table is full, the nonce made first goes, and no nonce up to it is believed again.

use std::collections::BTreeMap;

use bytes::Bytes;

/// The counts that were seen, for each nonce of [`super::Nonces`] in use.
pub struct NcWindow {
    limit: usize,
    nonces: BTreeMap<Bytes, Counts>,
    /// The youngest nonce that had to go.
    forgotten: Bytes,
}

/// What a count is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Not seen before.
    New,
    /// Seen before, or too far behind to know.
    Again,
    /// The nonce had to make room; its owner is to be challenged as if it were stale.
    Forgotten,
}

struct Counts {
    highest: u32,
    /// Bit n: `highest - n` was seen.
    seen: u64,
}

impl NcWindow {
    /// An empty table for `limit` nonces.
    pub fn new(limit: usize) -> Self {
        NcWindow { limit: limit.max(1), nonces: BTreeMap::new(), forgotten: Bytes::new() }
    }

    /// Notes a count of a nonce that is ours and whose answer was right.
    pub fn note(&mut self, nonce: &Bytes, count: u32) -> Seen {
        if let Some(counts) = self.nonces.get_mut(nonce) {
            return counts.note(count);
        }
        if *nonce <= self.forgotten {
            return Seen::Forgotten;
        }
        // A slice of a message would keep the whole message in memory.
        self.nonces.insert(Bytes::copy_from_slice(nonce), Counts { highest: count, seen: 1 });
        if self.nonces.len() > self.limit
            && let Some((oldest, _)) = self.nonces.pop_first()
        {
            self.forgotten = oldest;
        }
        Seen::New
    }

    /// How many nonces are in use.
    pub fn len(&self) -> usize {
        self.nonces.len()
    }

    /// Whether none is in use.
    pub fn is_empty(&self) -> bool {
        self.nonces.is_empty()
    }
}

impl Counts {
    fn note(&mut self, count: u32) -> Seen {
        if count > self.highest {
            self.seen = self.seen.checked_shl(count - self.highest).unwrap_or(0) | 1;
            self.highest = count;
            return Seen::New;
        }
        let Some(bit) = 1_u64.checked_shl(self.highest - count) else { return Seen::Again };
        if self.seen & bit != 0 {
            return Seen::Again;
        }
        self.seen |= bit;
        Seen::New
    }
}
