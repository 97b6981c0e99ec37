//! How many connections there may be, in all and from one source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Network;

/// Connections at once.
const IN_ALL: usize = 20_000;
/// Connections at once from one address, or one IPv6 network of 64 bits: an office behind one address fits.
const FROM_ONE: usize = 1_000;

/// Counts connections. Clones count together.
#[derive(Clone)]
pub struct Places(Arc<Inner>);

struct Inner {
    unlimited_from: Vec<Network>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    in_all: usize,
    from: HashMap<IpAddr, usize>,
}

/// One taken place; free again when dropped.
pub struct Place {
    places: Places,
    source: IpAddr,
}

impl Places {
    /// All are free.
    pub fn new(unlimited_from: &[Network]) -> Self {
        Self(Arc::new(Inner { unlimited_from: unlimited_from.to_vec(), taken: Mutex::default() }))
    }

    /// A place for a connection with `peer`; None if there is none left.
    pub fn take(&self, peer: IpAddr) -> Option<Place> {
        let unlimited = self.0.unlimited_from.iter().any(|net| net.contains(peer));
        let source = source(peer);
        let mut taken = self.lock();
        let from = taken.from.get(&source).copied().unwrap_or(0);
        if taken.in_all >= IN_ALL || (from >= FROM_ONE && !unlimited) {
            return None;
        }
        taken.in_all += 1;
        taken.from.insert(source, from + 1);
        Some(Place { places: self.clone(), source })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.in_all = taken.in_all.saturating_sub(1);
        if let Some(from) = taken.from.get_mut(&self.source) {
            *from -= 1;
            if *from == 0 {
                taken.from.remove(&self.source);
            }
        }
    }
}

/// Who one source is: an IPv4 address, or the network that one IPv6 customer has.
fn source(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_source_cannot_take_all_places() {
        let places = Places::new(&[]);

        let held: Vec<_> = (0..FROM_ONE).map(|_| places.take(peer("192.0.2.7")).expect("room")).collect();

        assert!(places.take(peer("192.0.2.7")).is_none());
        assert!(places.take(peer("192.0.2.8")).is_some());
        drop(held);
        assert!(places.take(peer("192.0.2.7")).is_some());
        assert!(places.lock().from.is_empty());
    }

    #[test]
    fn an_unlimited_network_is_only_bound_by_the_whole() {
        let places = Places::new(&[Network::parse("192.0.2.0/24").expect("a network")]);

        let held: Vec<_> = std::iter::from_fn(|| places.take(peer("192.0.2.7"))).collect();

        assert_eq!(held.len(), IN_ALL);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_source() {
        assert_eq!(source(peer("2001:db8::1")), source(peer("2001:db8::ffff:1")));
        assert_ne!(source(peer("2001:db8::1")), source(peer("2001:db8:0:1::1")));
        assert_eq!(source(peer("::ffff:192.0.2.7")), peer("192.0.2.7"));
    }
}
