//! How many connections there may be, in all and from one source, and how much of unfinished messages they may hold.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::Source;

use crate::config::Network;

/// Connections at once.
const IN_ALL: usize = 20_000;
/// Connections at once from one address, or one IPv6 network of 64 bits: an office behind one address fits.
const FROM_ONE: usize = 1_000;

/// Octets of an unfinished message that every connection may hold: most requests fit.
const HALF: usize = 4 * 1024;
/// What all connections together may hold beyond that.
const HALVES: usize = 32 * 1024 * 1024;

/// Counts connections. Clones count together.
#[derive(Clone)]
pub struct Places(Arc<Inner>);

struct Inner {
    unlimited_from: Vec<Network>,
    taken: Mutex<Taken>,
    /// Octets of unfinished messages, beyond what every connection may hold.
    halves: AtomicUsize,
}

#[derive(Default)]
struct Taken {
    in_all: usize,
    from: HashMap<Source, usize>,
}

/// One taken place; free again when dropped.
pub struct Place {
    places: Places,
    source: Source,
    /// Its part of `halves`.
    held: usize,
}

impl Places {
    /// All are free.
    pub fn new(unlimited_from: &[Network]) -> Self {
        Self(Arc::new(Inner {
            unlimited_from: unlimited_from.to_vec(),
            taken: Mutex::default(),
            halves: AtomicUsize::new(0),
        }))
    }

    /// A place for a connection with `peer`; None if there is none left.
    pub fn take(&self, peer: IpAddr) -> Option<Place> {
        let unlimited = self.0.unlimited_from.iter().any(|net| net.contains(peer));
        let source = Source::of(peer);
        let mut taken = self.lock();
        let from = taken.from.get(&source).copied().unwrap_or(0);
        if taken.in_all >= IN_ALL || (from >= FROM_ONE && !unlimited) {
            return None;
        }
        taken.in_all += 1;
        taken.from.insert(source, from + 1);
        Some(Place { places: self.clone(), source, held: 0 })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Notes how many octets of an unfinished message the connection holds now. False: all connections together hold too
    /// much, and this one has to be closed.
    pub fn hold(&mut self, octets: usize) -> bool {
        let (before, now) = (self.held, octets.saturating_sub(HALF));
        self.held = now;
        let halves = &self.places.0.halves;
        if now <= before {
            halves.fetch_sub(before - now, Ordering::Relaxed);
            return true;
        }
        halves.fetch_add(now - before, Ordering::Relaxed) + now - before <= HALVES
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.0.halves.fetch_sub(self.held, Ordering::Relaxed);
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
    fn unfinished_messages_of_all_connections_are_bounded_and_short_ones_are_not_counted() {
        const LONG: usize = 64 * 1024;
        let places = Places::new(&[Network::parse("192.0.2.0/24").expect("a network")]);
        let mut held: Vec<_> = (0..2_000).map(|_| places.take(peer("192.0.2.7")).expect("room")).collect();

        let kept = held.iter_mut().map(|place| place.hold(LONG)).take_while(|kept| *kept).count();
        assert_eq!(kept, HALVES / (LONG - HALF));
        held.truncate(100);
        assert!(held.iter_mut().all(|place| place.hold(0) && place.hold(LONG)));
        held.clear();

        assert_eq!(places.0.halves.load(Ordering::Relaxed), 0);
        assert!(places.take(peer("192.0.2.7")).expect("room").hold(HALF));
    }
}
