//! A rate for each source, before anything of a message is read: a bucket for each IPv4 address or IPv6 /64.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use model::{Keyed, Map};

/// Messages a second that one source may send for long: an office of a thousand phones behind one address.
const PER_SECOND: u32 = 1_000;

/// What may come at once on top.
const BURST: u32 = 2_000;

/// Sources remembered at a time. When they are all in use, those that are full again make room.
const SOURCES: usize = 65_536;

/// How many sources are looked at to make room for one.
const LOOK: usize = 64;

#[derive(Debug)]
pub struct Buckets {
    sources: Map<IpAddr, Instant>,
}

impl Buckets {
    pub fn new(keyed: Keyed) -> Self {
        Self { sources: Map::with_hasher(keyed) }
    }

    /// Takes one message's worth. False: the source sends too much.
    pub fn take(&mut self, now: Instant, source: IpAddr) -> bool {
        let each = Duration::from_secs(1) / PER_SECOND;
        let source = network_of(source);
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&source) && !self.make_room(now) {
            return false;
        }
        let full_at = self.sources.entry(source).or_insert(now);
        let next = (*full_at).max(now) + each;
        if next > now + each * BURST {
            return false;
        }
        *full_at = next;
        true
    }

    fn make_room(&mut self, now: Instant) -> bool {
        let full: Vec<IpAddr> =
            self.sources.iter().take(LOOK).filter(|(_, at)| **at <= now).map(|(ip, _)| *ip).collect();
        for source in &full {
            self.sources.remove(source);
        }
        !full.is_empty()
    }
}

fn network_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::instant;

    #[test]
    fn a_source_has_its_burst_and_then_its_rate() {
        let mut buckets = Buckets::new(Keyed::new(&[1; 32]));
        let now = instant();
        let source = "192.0.2.1".parse().unwrap();

        let at_once = (0..10_000).filter(|_| buckets.take(now, source)).count();
        let a_second_later = (0..10_000).filter(|_| buckets.take(now + Duration::from_secs(1), source)).count();

        assert_eq!(at_once, BURST as usize);
        assert_eq!(a_second_later, PER_SECOND as usize);
    }

    #[test]
    fn the_table_of_sources_does_not_grow_without_bound() {
        let mut buckets = Buckets::new(Keyed::new(&[1; 32]));
        let now = instant();

        for n in 0..200_000_u32 {
            let _ = buckets.take(now + Duration::from_millis(n.into()), IpAddr::V4(n.into()));
        }

        assert!(buckets.sources.len() <= SOURCES);
    }
}
