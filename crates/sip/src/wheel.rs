//! A timer wheel: thousands of waits, each set, dropped and found due in constant time.
//!
//! Six rings of 64 slots. The first ring's slots are a millisecond wide, those of each further ring 64 times as wide as
//! those of the ring before. A wait far away moves inwards as its time comes nearer. Waits are rounded up to the next
//! millisecond; those of the same millisecond come out in the order they were set. Knows no clock: it begins a day before the
//! first moment it is told.

use std::time::{Duration, Instant};

const RINGS: usize = 6;
const SLOTS: usize = 64;
const BITS: u32 = SLOTS.trailing_zeros();
/// About two years, the furthest a wait can lie ahead; what lies further is due then.
const HORIZON: u64 = (1 << (BITS * RINGS as u32)) - 1;
/// How long before the first wait that is set the wheel begins; what lies before that is due.
const BEFORE: Duration = Duration::from_secs(86_400);
/// Room for this many waits is kept when fewer are waiting.
const KEPT_ROOM: usize = 1_024;
const NONE: u32 = u32::MAX;

/// Waits, each with something to be handed back when it is over.
#[derive(Debug)]
pub struct Wheel<T> {
    /// The moment of tick 0.
    origin: Option<Instant>,
    /// Everything up to and including this tick has been moved to `due`.
    elapsed: u64,
    rings: [Ring; RINGS],
    /// Waits that are over and have not been taken.
    due: List,
    nodes: Vec<Node<T>>,
    /// First of the unused nodes, linked by `next`.
    unused: u32,
    /// Given to the next wait, so that an id of one that is over never names another.
    generation: u32,
    len: usize,
}

/// One wait, for taking it back. Stays harmless when the wait is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerId {
    node: u32,
    generation: u32,
}

#[derive(Clone, Copy, Debug)]
struct Ring {
    /// A bit for each slot that is not empty.
    occupied: u64,
    slots: [List; SLOTS],
}

#[derive(Clone, Copy, Debug)]
struct List {
    first: u32,
    last: u32,
}

#[derive(Debug)]
struct Node<T> {
    tick: u64,
    previous: u32,
    next: u32,
    place: Place,
    generation: u32,
    item: Option<T>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Unused,
    Due,
    Slot { ring: u8, slot: u8 },
}

const EMPTY: List = List { first: NONE, last: NONE };

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Wheel<T> {
    /// A wheel without any waits.
    pub fn new() -> Self {
        Self {
            origin: None,
            elapsed: 0,
            rings: [Ring { occupied: 0, slots: [EMPTY; SLOTS] }; RINGS],
            due: EMPTY,
            nodes: Vec::new(),
            unused: NONE,
            generation: 0,
            len: 0,
        }
    }

    /// Hands `item` back at `at`, or as soon as asked if that is over.
    pub fn set(&mut self, at: Instant, item: T) -> TimerId {
        let tick = self.tick_at_or_after(at);
        let node = self.take_node(tick, item);
        self.place(node);
        self.len += 1;
        TimerId { node, generation: self.nodes[node as usize].generation }
    }

    /// Takes a wait back. None if it is over.
    pub fn cancel(&mut self, timer: TimerId) -> Option<T> {
        let node = self.nodes.get(timer.node as usize)?;
        if node.generation != timer.generation || matches!(node.place, Place::Unused) {
            return None;
        }
        self.unlink(timer.node);
        self.give_back(timer.node)
    }

    /// The next one that is over at `now`, in the order of their times.
    pub fn pop_due(&mut self, now: Instant) -> Option<T> {
        if self.due.first == NONE {
            self.advance(self.tick_at_or_before(now));
        }
        let first = self.due.first;
        if first == NONE {
            return None;
        }
        self.unlink(first);
        self.give_back(first)
    }

    /// When to ask again: never after the next wait ends, at most a few times before it.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let origin = self.origin?;
        let tick = match self.due.first {
            NONE => self.next_slot()?.2,
            first => self.nodes[first as usize].tick,
        };
        Some(origin + Duration::from_millis(tick))
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Moves everything up to `target` to `due`.
    fn advance(&mut self, target: u64) {
        while let Some((ring, slot, start)) = self.next_slot() {
            if start > target {
                break;
            }
            self.elapsed = self.elapsed.max(start);
            let mut node = std::mem::replace(&mut self.rings[ring].slots[slot], EMPTY).first;
            self.rings[ring].occupied &= !(1 << slot);
            while node != NONE {
                let next = self.nodes[node as usize].next;
                self.place(node);
                node = next;
            }
        }
        self.elapsed = self.elapsed.max(target);
    }

    /// The first slot that is not empty, and the tick at which it begins.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        self.rings.iter().enumerate().find(|(_, ring)| ring.occupied != 0).map(|(index, ring)| {
            let shift = BITS * index as u32;
            let slot = ring.occupied.trailing_zeros();
            // Everything in a ring shares the digits of `elapsed` above it, so slots never wrap round.
            let above = self.elapsed >> shift >> BITS << BITS << shift;
            (index, slot as usize, above | (u64::from(slot) << shift))
        })
    }

    /// Puts a node where its tick belongs: the ring of the highest digit in which it differs from `elapsed`.
    fn place(&mut self, node: u32) {
        let tick = self.nodes[node as usize].tick;
        let place = if tick <= self.elapsed {
            Place::Due
        } else {
            let ring = (63 - (tick ^ self.elapsed).leading_zeros()) / BITS;
            let slot = (tick >> (BITS * ring)) & (SLOTS as u64 - 1);
            Place::Slot { ring: ring as u8, slot: slot as u8 }
        };
        let list = match place {
            Place::Slot { ring, slot } => {
                let ring = &mut self.rings[usize::from(ring)];
                ring.occupied |= 1 << slot;
                &mut ring.slots[usize::from(slot)]
            }
            _ => &mut self.due,
        };
        let last = std::mem::replace(&mut list.last, node);
        if last == NONE {
            list.first = node;
        } else {
            self.nodes[last as usize].next = node;
        }
        let node = &mut self.nodes[node as usize];
        (node.previous, node.next, node.place) = (last, NONE, place);
    }

    fn unlink(&mut self, index: u32) {
        let Node { previous, next, place, .. } = self.nodes[index as usize];
        if previous != NONE {
            self.nodes[previous as usize].next = next;
        }
        if next != NONE {
            self.nodes[next as usize].previous = previous;
        }
        let list = match place {
            Place::Slot { ring, slot } => &mut self.rings[usize::from(ring)].slots[usize::from(slot)],
            _ => &mut self.due,
        };
        if list.first == index {
            list.first = next;
        }
        if list.last == index {
            list.last = previous;
        }
        if list.first == NONE
            && let Place::Slot { ring, slot } = place
        {
            self.rings[usize::from(ring)].occupied &= !(1 << slot);
        }
    }

    fn take_node(&mut self, tick: u64, item: T) -> u32 {
        let generation = self.generation;
        self.generation = generation.wrapping_add(1);
        let node = Node { tick, previous: NONE, next: NONE, place: Place::Due, generation, item: Some(item) };
        let index = self.unused;
        if index == NONE {
            self.nodes.push(node);
            return self.nodes.len() as u32 - 1;
        }
        let slot = &mut self.nodes[index as usize];
        self.unused = slot.next;
        *slot = node;
        index
    }

    fn give_back(&mut self, index: u32) -> Option<T> {
        let node = &mut self.nodes[index as usize];
        let item = node.item.take();
        node.place = Place::Unused;
        node.next = std::mem::replace(&mut self.unused, index);
        self.len -= 1;
        if self.len == 0 && self.nodes.len() > KEPT_ROOM {
            self.nodes = Vec::new();
            self.unused = NONE;
        }
        item
    }

    /// Begins earlier: the first wait that was set lay further ahead than the wheel reaches back.
    fn begin_before(&mut self, at: Instant) {
        let (Some(origin), Some(earlier)) = (self.origin, at.checked_sub(BEFORE)) else { return };
        let shift = (origin.saturating_duration_since(earlier).as_nanos() / 1_000_000) as u64;
        self.origin = Some(origin - Duration::from_millis(shift));
        self.rings = [Ring { occupied: 0, slots: [EMPTY; SLOTS] }; RINGS];
        self.due = EMPTY;
        for node in 0..self.nodes.len() {
            if !matches!(self.nodes[node].place, Place::Unused) {
                self.nodes[node].tick = (self.nodes[node].tick + shift).min(HORIZON);
                self.place(node as u32);
            }
        }
    }

    fn tick_at_or_after(&mut self, at: Instant) -> u64 {
        let origin = *self.origin.get_or_insert_with(|| at.checked_sub(BEFORE).unwrap_or(at));
        if self.elapsed == 0 && at < origin {
            self.begin_before(at);
        }
        let origin = self.origin.unwrap_or(origin);
        let ahead = at.saturating_duration_since(origin);
        (ahead.as_nanos().div_ceil(1_000_000) as u64).min(self.elapsed | HORIZON)
    }

    fn tick_at_or_before(&self, now: Instant) -> u64 {
        self.origin.map_or(0, |origin| now.saturating_duration_since(origin).as_millis() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn waits_end_in_the_order_of_their_times() {
        let (mut wheel, start) = (Wheel::new(), start());
        for (at, name) in [(32_000, "B"), (500, "A"), (4_000, "T2"), (90_000_000, "day"), (500, "A again")] {
            wheel.set(start + ms(at), name);
        }

        let ended = run(&mut wheel, start, 100_000_000);

        assert_eq!(ended, [(500, "A"), (500, "A again"), (4_000, "T2"), (32_000, "B"), (90_000_000, "day")]);
        assert!(wheel.is_empty());
    }

    #[test]
    fn a_wait_taken_back_never_ends() {
        let (mut wheel, start) = (Wheel::new(), start());
        let first = wheel.set(start + ms(10), 1);
        let second = wheel.set(start + ms(10), 2);
        wheel.set(start + ms(10), 3);

        let taken = [wheel.cancel(second), wheel.cancel(second), wheel.cancel(first)];

        assert_eq!(taken, [Some(2), None, Some(1)]);
        assert_eq!(run(&mut wheel, start, 100), [(10, 3)]);
    }

    #[test]
    fn an_id_of_a_wait_that_is_over_names_no_other() {
        let (mut wheel, start) = (Wheel::new(), start());
        let over = wheel.set(start + ms(1), 1);
        run(&mut wheel, start, 2);
        wheel.set(start + ms(3), 2);

        let taken = wheel.cancel(over);

        assert_eq!(taken, None);
        assert_eq!(wheel.len(), 1);
    }

    #[test]
    fn a_wait_that_is_over_when_set_ends_at_once() {
        let (mut wheel, start) = (Wheel::new(), start());
        wheel.set(start + ms(100), "later");
        assert_eq!(wheel.pop_due(start + ms(50)), None);
        wheel.set(start + ms(20), "over");

        let ended = wheel.pop_due(start + ms(50));

        assert_eq!(ended, Some("over"));
        assert_eq!(wheel.pop_due(start + ms(99)), None);
        assert_eq!(wheel.pop_due(start + ms(100)), Some("later"));
    }

    #[test]
    fn nothing_ends_before_its_time() {
        let (mut wheel, start) = (Wheel::new(), start());
        wheel.set(start, "first");
        wheel.set(start + Duration::from_micros(1_500), "second");

        let ended = [0, 1_499, 1_999, 2_000].map(|at| wheel.pop_due(start + Duration::from_micros(at)));

        assert_eq!(ended, [Some("first"), None, None, Some("second")]);
    }

    #[test]
    fn a_wait_of_a_hundred_years_is_harmless() {
        let (mut wheel, start) = (Wheel::new(), start());
        wheel.set(start + Duration::from_secs(3_155_760_000), "century");
        wheel.set(start + ms(5), "soon");

        let ended = run(&mut wheel, start, 1_000);

        assert_eq!(ended, [(5, "soon")]);
        assert!(wheel.poll_timeout().is_some());
    }

    #[test]
    fn any_mixture_ends_as_a_sorted_list_would() {
        let (mut wheel, start) = (Wheel::new(), start());
        let (mut sorted, mut timers) = (BTreeMap::new(), Vec::new());
        let mut random = random();
        let mut at = 0;
        for item in 0..20_000 {
            let reach = [60, 4_000, 300_000, 20_000_000][random(4)];
            let due = at + random(reach) as u64;
            timers.push(((due, item), wheel.set(start + ms(due), item)));
            sorted.insert((due, item), item);
            if random(3) == 0 {
                let (key, timer) = timers.swap_remove(random(timers.len()));
                assert_eq!(wheel.cancel(timer), sorted.remove(&key));
            }
            if random(5) == 0 {
                at += random(3_000) as u64;
                while let Some(entry) = sorted.first_entry().filter(|entry| entry.key().0 <= at) {
                    assert_eq!(wheel.pop_due(start + ms(at)), Some(entry.remove()));
                }
                assert_eq!(wheel.pop_due(start + ms(at)), None);
            }
        }

        let rest = run(&mut wheel, start + ms(at), 40_000_000);

        assert!(rest.into_iter().map(|(_, item)| item).eq(sorted.into_values()));
        assert!(wheel.is_empty());
    }

    fn random() -> impl FnMut(usize) -> usize {
        let mut state = 7_u64;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        }
    }

    fn start() -> Instant {
        crate::testing::start()
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Sleeps as it is told to; gives what ended, and when.
    fn run<T>(wheel: &mut Wheel<T>, start: Instant, until: u64) -> Vec<(u64, T)> {
        let mut ended = Vec::new();
        while let Some(at) = wheel.poll_timeout().filter(|at| *at <= start + ms(until)) {
            let now = at.max(start);
            while let Some(item) = wheel.pop_due(now) {
                ended.push(((now - start).as_millis() as u64, item));
            }
        }
        ended
    }
}
