//! A rate for each source, before anything of a message is read: for what has begun, and apart from it for all else, so
//! that whoever floods us does not cut off the calls that its own office has.

use std::time::{Duration, Instant};

use model::{Keyed, Map, Source};

use super::Urgency;

/// Messages a second that one source may send for long: an office of a thousand phones behind one address.
const PER_SECOND: u32 = 1_000;

/// The same for what has begun: a call has some ten messages.
const PER_SECOND_BEGUN: u32 = 4_000;

/// What may come at once on top, in seconds' worth.
const BURST: u32 = 2;

/// Sources remembered at a time. When they are all in use, those that are full again make room.
const SOURCES: usize = 65_536;

/// How many sources are looked at to make room for one.
const LOOK: usize = 64;

#[derive(Debug)]
pub struct Buckets {
    sources: Map<Source, Full>,
}

/// When the buckets of a source are full again.
#[derive(Clone, Copy, Debug)]
struct Full {
    begun: Instant,
    rest: Instant,
}

impl Buckets {
    pub fn new(keyed: Keyed) -> Self {
        Self { sources: Map::with_hasher(keyed) }
    }

    /// Takes one message's worth. False: the source sends too much.
    pub fn take(&mut self, now: Instant, source: Source, urgency: Urgency) -> bool {
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&source) && !self.make_room(now) {
            return false;
        }
        let full = self.sources.entry(source).or_insert(Full { begun: now, rest: now });
        let (full_at, rate) = match urgency {
            Urgency::Begun => (&mut full.begun, PER_SECOND_BEGUN),
            Urgency::Call | Urgency::Rest => (&mut full.rest, PER_SECOND),
        };
        let each = Duration::from_secs(1) / rate;
        let next = (*full_at).max(now) + each;
        if next > now + each * rate * BURST {
            return false;
        }
        *full_at = next;
        true
    }

    fn make_room(&mut self, now: Instant) -> bool {
        let is_full = |full: &Full| full.begun <= now && full.rest <= now;
        let full: Vec<Source> =
            self.sources.iter().take(LOOK).filter(|(_, full)| is_full(full)).map(|(source, _)| *source).collect();
        for source in &full {
            self.sources.remove(source);
        }
        !full.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::fixture::instant;

    #[test]
    fn a_source_has_its_burst_and_then_its_rate() {
        let mut buckets = Buckets::new(Keyed::new(&[1; 32]));
        let now = instant();
        let source = "192.0.2.1".parse().unwrap();

        let mut taken = |now, urgency| (0..20_000).filter(|_| buckets.take(now, source, urgency)).count() as u32;

        assert_eq!(taken(now, Urgency::Rest), PER_SECOND * BURST);
        assert_eq!(taken(now + Duration::from_secs(1), Urgency::Call), PER_SECOND);
    }

    #[test]
    fn a_source_that_floods_keeps_the_calls_it_has() {
        let mut buckets = Buckets::new(Keyed::new(&[1; 32]));
        let now = instant();
        let source = "192.0.2.1".parse().unwrap();

        while buckets.take(now, source, Urgency::Rest) {}

        assert!(!buckets.take(now, source, Urgency::Call));
        assert!(buckets.take(now, source, Urgency::Begun));
    }

    #[test]
    fn the_table_of_sources_does_not_grow_without_bound() {
        let mut buckets = Buckets::new(Keyed::new(&[1; 32]));
        let now = instant();

        for n in 0..200_000_u32 {
            let source = Source::of(IpAddr::V4(n.into()));
            let _ = buckets.take(now + Duration::from_millis(n.into()), source, Urgency::Rest);
        }

        assert!(buckets.sources.len() <= SOURCES);
    }
}
