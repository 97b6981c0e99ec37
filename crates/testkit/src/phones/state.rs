//! What a phone's owner and the room's thread share, and how the owner waits.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::sound::Handset;
use crate::ua::Event;

/// Events that are kept.
const EVENTS: usize = 4_096;

/// How often one who waits for silence looks.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
pub(super) struct State {
    pub handset: Handset,
    events: VecDeque<Event>,
    /// Events that were kept once, and are not any more.
    dropped: usize,
    /// Events that whoever waits has passed.
    passed: usize,
    /// Its sockets are closed.
    pub is_gone: bool,
}

impl Shared {
    pub(super) fn new(handset: Handset) -> Self {
        let state = State { handset, events: VecDeque::new(), dropped: 0, passed: 0, is_gone: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened that somebody may wait for.
    pub(super) fn notify(&self) {
        self.changed.notify_all();
    }

    /// Waits until `look` finds something, at most for `limit`.
    pub(super) fn wait<T>(&self, limit: Duration, mut look: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let end = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&mut state) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            // Sound that stops tells nobody.
            let waited = self.changed.wait_timeout(state, left.min(LOOK)).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
        }
    }
}

impl State {
    pub(super) fn push(&mut self, event: Event) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.events.push_back(event);
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter()
    }

    /// The first event that was not passed and is wanted; those before it are passed with it.
    pub(super) fn pass(&mut self, wanted: impl Fn(&Event) -> bool) -> Option<Event> {
        let first = self.passed.saturating_sub(self.dropped);
        let found = self.events.iter().skip(first).position(wanted)? + first;
        self.passed = self.dropped + found + 1;
        self.events.get(found).cloned()
    }
}
