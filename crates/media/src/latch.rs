//! Whose sound is taken, and where ours goes: the SDP's address, or, behind a NAT, where sound really comes from.
//!
//!   Open ──sound from the SDP's address, or the first from elsewhere──► Locked ──address or direction changes──► Open

use std::net::SocketAddr;

/// One party's address, as told and as seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latch {
    /// From the SDP.
    told: Option<SocketAddr>,
    /// Where sound comes from; nothing else is taken.
    locked: Option<SocketAddr>,
}

impl Latch {
    /// The SDP says so; another address than before opens the latch.
    pub fn tell(&mut self, remote: Option<SocketAddr>) {
        let remote = remote.filter(|remote| remote.port() != 0 && !remote.ip().is_unspecified());
        if remote != self.told {
            self.told = remote;
            self.locked = None;
        }
    }

    pub fn open(&mut self) {
        self.locked = None;
    }

    /// Whether sound from there is taken. The first that comes locks the latch.
    pub fn admit(&mut self, from: SocketAddr) -> bool {
        *self.locked.get_or_insert(from) == from
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::host;

    #[test]
    fn sound_goes_where_the_sdp_says_until_some_comes_from_elsewhere() {
        let mut latch = Latch::default();
        latch.tell(Some(host(1, 4000)));
        let before = latch.target();

        let taken = latch.admit(host(9, 5000));

        assert_eq!((before, taken, latch.target()), (Some(host(1, 4000)), true, Some(host(9, 5000))));
    }

    #[test]
    fn a_locked_latch_takes_nothing_from_others() {
        let mut latch = Latch::default();
        latch.tell(Some(host(1, 4000)));

        assert!(latch.admit(host(1, 4000)));
        assert!(!latch.admit(host(9, 5000)));
        assert!(latch.admit(host(1, 4000)));
    }

    #[test]
    fn the_same_address_told_again_keeps_the_lock_and_another_opens_it() {
        let mut latch = Latch::default();
        latch.tell(Some(host(1, 4000)));
        latch.admit(host(9, 5000));

        latch.tell(Some(host(1, 4000)));
        let same = latch.target();
        latch.tell(Some(host(1, 4002)));

        assert_eq!((same, latch.target()), (Some(host(9, 5000)), Some(host(1, 4002))));
    }

    #[test]
    fn an_address_that_cannot_be_sent_to_is_none() {
        let mut latch = Latch::default();

        latch.tell(Some("0.0.0.0:4000".parse().unwrap()));
        assert_eq!(latch.target(), None);
        latch.tell(Some(host(1, 0)));
        assert_eq!(latch.target(), None);
    }
}
