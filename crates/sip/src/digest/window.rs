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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_is_good_once_in_any_order_nearby() {
        let mut window = NcWindow::new(8);
        let mut note = |count| window.note(&"n".into(), count);

        assert_eq!(
            [note(1), note(1), note(3), note(2), note(2)],
            [Seen::New, Seen::Again, Seen::New, Seen::New, Seen::Again]
        );
        assert_eq!([note(100), note(37), note(36), note(100)], [Seen::New, Seen::New, Seen::Again, Seen::Again]);
        assert_eq!([note(u32::MAX), note(101), note(u32::MAX)], [Seen::New, Seen::Again, Seen::Again]);
    }

    #[test]
    fn a_full_table_lets_the_first_made_go_and_does_not_believe_it_again() {
        let mut window = NcWindow::new(2);

        for nonce in ["1", "2", "3"] {
            assert_eq!(window.note(&nonce.into(), 1), Seen::New);
        }

        assert_eq!(window.len(), 2);
        assert_eq!(window.note(&"1".into(), 2), Seen::Forgotten);
        assert_eq!(window.note(&"0".into(), 1), Seen::Forgotten);
        assert_eq!(window.note(&"3".into(), 2), Seen::New);
    }
}
