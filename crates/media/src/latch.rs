//! Whose sound is taken, and where ours goes: the SDP's address, or, behind a NAT, where sound really comes from.
//!
//!   Open ──sound from the SDP's address, or the first from elsewhere──► Locked ──address or direction changes──► Open
//!
//! The SDP's address wins whenever it speaks: a straggler from an old port or a stranger's packet never keeps it out.
//! A port may still get sound that was meant for whoever had it before: a phone that has not heard of the end of its
//! call, perhaps since before a restart. So "elsewhere" is only where the party's signalling comes from, if that is known.

use std::net::{IpAddr, SocketAddr};

use crate::Sources;

/// One party's address, as told and as seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latch {
    /// From the SDP.
    told: Option<SocketAddr>,
    /// Where the party's signalling comes from.
    source: Option<IpAddr>,
    /// Where sound comes from; nothing else is taken.
    locked: Option<SocketAddr>,
}

impl Latch {
    /// The SDP says so; another address than before opens the latch.
    pub fn tell(&mut self, remote: Option<SocketAddr>, sources: &Sources) {
        self.source = match sources {
            Sources::Any { signalling } => *signalling,
            Sources::Only(_) => None,
        };
        let remote = remote.filter(|remote| remote.port() != 0 && !remote.ip().is_unspecified());
        if remote != self.told {
            self.told = remote;
            self.locked = None;
        }
    }

    pub fn open(&mut self) {
        self.locked = None;
    }

    /// Whether sound from there is taken. The SDP's address locks the latch at any time, another that can be the party's
    /// while it is open.
    pub fn admit(&mut self, from: SocketAddr) -> bool {
        if self.locked == Some(from) {
            return true;
        }
        if self.is_told(from) || (self.locked.is_none() && self.believes(from.ip())) {
            self.locked = Some(from);
        }
        self.locked == Some(from)
    }

    /// Where sound comes from.
    pub fn locked(&self) -> Option<SocketAddr> {
        self.locked
    }

    /// The SDP's address.
    pub fn told(&self) -> Option<SocketAddr> {
        self.told
    }

    /// Where ours goes.
    pub fn target(&self) -> Option<SocketAddr> {
        self.locked.or(self.told)
    }

    fn is_told(&self, from: SocketAddr) -> bool {
        self.told.is_some_and(|told| told.port() == from.port() && told.ip().to_canonical() == from.ip().to_canonical())
    }

    fn believes(&self, from: IpAddr) -> bool {
        let from = from.to_canonical();
        let is_from = |known: IpAddr| known.to_canonical() == from;
        self.source.is_none_or(is_from) || self.told.is_some_and(|told| is_from(told.ip()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{anyone, host};

    #[test]
    fn sound_goes_where_the_sdp_says_until_some_comes_from_elsewhere() {
        let mut latch = Latch::default();
        latch.tell(Some(host(1, 4000)), &anyone());
        let before = latch.target();

        let taken = latch.admit(host(9, 5000));

        assert_eq!((before, taken, latch.target()), (Some(host(1, 4000)), true, Some(host(9, 5000))));
    }

    #[test]
    fn a_locked_latch_takes_nothing_from_others() {
        let mut latch = Latch::default();
        latch.tell(Some(host(1, 4000)), &anyone());

        assert!(latch.admit(host(1, 4000)));
        assert!(!latch.admit(host(9, 5000)));
        assert!(latch.admit(host(1, 4000)));
    }

    #[test]
    fn the_address_in_the_sdp_wins_whenever_it_speaks() {
        let mut latch = Latch::default();
        latch.tell(Some(host(1, 4000)), &anyone());
        latch.admit(host(1, 4000));
        latch.tell(Some(host(1, 4002)), &anyone());

        let straggler = latch.admit(host(1, 4000));
        let moved = latch.admit(host(1, 4002));
        let late_straggler = latch.admit(host(1, 4000));

        assert_eq!((straggler, moved, late_straggler), (true, true, false));
        assert_eq!(latch.target(), Some(host(1, 4002)));
    }

    #[test]
    fn the_same_address_told_again_keeps_the_lock_and_another_opens_it() {
        let mut latch = Latch::default();
        latch.tell(Some(host(1, 4000)), &anyone());
        latch.admit(host(9, 5000));

        latch.tell(Some(host(1, 4000)), &anyone());
        let same = latch.target();
        latch.tell(Some(host(1, 4002)), &anyone());

        assert_eq!((same, latch.target()), (Some(host(9, 5000)), Some(host(1, 4002))));
    }

    #[test]
    fn an_address_that_cannot_be_sent_to_is_none() {
        let mut latch = Latch::default();

        latch.tell(Some("0.0.0.0:4000".parse().unwrap()), &anyone());
        assert_eq!(latch.target(), None);
        latch.tell(Some(host(1, 0)), &anyone());
        assert_eq!(latch.target(), None);
    }

    #[test]
    fn a_stranger_never_locks_the_latch_where_the_source_of_signalling_is_known() {
        let mut latch = Latch::default();
        latch.tell(Some("192.168.1.5:4000".parse().unwrap()), &Sources::Any { signalling: Some(host(1, 0).ip()) });

        assert!(!latch.admit(host(9, 5000)));
        assert!(latch.admit(host(1, 40_123)));
        assert_eq!(latch.target(), Some(host(1, 40_123)));
    }

    #[test]
    fn sound_from_the_address_in_the_sdp_is_taken_wherever_signalling_comes_from() {
        let mut latch = Latch::default();
        latch.tell(Some(host(2, 4000)), &Sources::Any { signalling: Some(host(1, 0).ip()) });

        assert!(latch.admit(host(2, 4000)));
    }
}
