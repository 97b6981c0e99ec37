//! Which packets of a source have come: their numbers without wrapping (RFC 3711, appendix A), and each once (3.3.2).

/// Packets behind the newest that are still told apart. Older ones are refused.
const WINDOW: u64 = u128::BITS as u64;

/// The numbers of one source's packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    highest: u64,
    /// The newest, and those before it: bit n is `highest` − n.
    seen: u128,
}

impl Window {
    /// Begins with this packet.
    pub fn begin(index: u64) -> Self {
        Self { highest: index, seen: 1 }
    }

    /// The number without wrapping that lies nearest to the newest. None: before the beginning.
    pub fn index(&self, sequence: u16) -> Option<u64> {
        near(self.highest, sequence)
    }

    /// Whether it came before, or is too old to tell.
    pub fn has(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => false,
            Some(behind) => behind >= WINDOW || self.seen >> behind & 1 == 1,
        }
    }

    /// It has come, and authenticated. Gives whether it is the newest.
    pub fn mark(&mut self, index: u64) -> bool {
        if let Some(behind) = self.highest.checked_sub(index) {
            self.seen |= 1_u128.checked_shl(behind as u32).filter(|_| behind < WINDOW).unwrap_or(0);
            return false;
        }
        let ahead = index - self.highest;
        let seen = if ahead < WINDOW { self.seen << ahead } else { 0 };
        *self = Self { highest: index, seen: seen | 1 };
        true
    }
}

/// The 48-bit number near `highest` whose lower half is `sequence`. None: it would lie before zero.
pub(super) fn near(highest: u64, sequence: u16) -> Option<u64> {
    let step = sequence.wrapping_sub(highest as u16) as i16;
    highest.checked_add_signed(step.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_through_their_end_and_back() {
        assert_eq!(near(65_535, 0), Some(65_536));
        assert_eq!(near(65_536, 65_535), Some(65_535));
        assert_eq!(near(200_000, (200_010 % 65_536) as u16), Some(200_010));
        assert_eq!(near(3, 65_535), None);
    }

    #[test]
    fn each_packet_is_taken_once_and_old_ones_never() {
        let mut window = Window::begin(1000);

        let newest = [1001, 1003, 1002].map(|index| window.mark(index));

        assert_eq!(newest, [true, true, false]);
        assert!([1000, 1001, 1002, 1003, 1003 - WINDOW, 1].iter().all(|&index| window.has(index)));
        assert!([999, 1004 - WINDOW, 1004, 9000].iter().all(|&index| !window.has(index)));
    }

    #[test]
    fn a_great_step_forgets_what_was_before() {
        let mut window = Window::begin(1);

        window.mark(1 + 2 * WINDOW);

        assert!(window.has(1) && window.has(1 + 2 * WINDOW) && !window.has(2 * WINDOW));
    }
}
