//! Who of a group is rung, and in which order.
//!
//! A member is passed over who has no phone signed in, no line free, or takes part in the call already.

use std::collections::VecDeque;
use std::time::Duration;

use model::{Group, Reason, Side, Strategy};

use crate::call::Call;
use crate::key::LegIndex;
use crate::lines::End;
use crate::ring::{self, Ring};
use crate::step::Step;

/// The members of a group that are to be rung.
#[derive(Debug)]
pub struct Members {
    /// In their order.
    next: VecDeque<String>,
    /// How long each rings.
    each: Duration,
    /// Whether all ring at once.
    together: bool,
    /// How many were rung at once.
    at_once: usize,
}

impl Members {
    /// The members of a group, in the order in which they are rung.
    pub fn of(step: &Step<'_>, group: &Group) -> Self {
        let mut next: Vec<String> = Vec::with_capacity(group.members.len());
        for member in &group.members {
            if !next.contains(member) {
                next.push(member.clone());
            }
        }
        match group.strategy {
            Strategy::RingAll | Strategy::InOrder => {}
            // What queues know of agents nobody knows of a group's members: whoever was rung longest ago is the best guess.
            Strategy::LeastRecent | Strategy::LongestIdle | Strategy::RoundRobin => {
                next.sort_by_key(|member| step.office.rung.last(member));
            }
        }
        Self {
            next: next.into(),
            each: Duration::from_secs(group.ring_seconds.into()),
            together: group.strategy == Strategy::RingAll,
            at_once: 0,
        }
    }

    /// Whether no two are ever rung at once.
    pub fn is_one_after_the_other(&self) -> bool {
        self.at_once <= 1
    }

    /// Rings those that are rung first. An error says why none can be.
    pub fn begin(
        &mut self,
        call: &mut Call,
        step: &mut Step<'_>,
        on_behalf_of: LegIndex,
        side: Side,
    ) -> Result<Vec<Ring>, Reason> {
        let mut rung = Vec::new();
        let mut why = None;
        while self.together || rung.is_empty() {
            match self.one(call, step, on_behalf_of, side) {
                Some(Ok(ring)) => rung.push(ring),
                Some(Err(reason)) => why = Some(why.map_or(reason, |before| telling(before, reason))),
                None => break,
            }
        }
        self.at_once = rung.len();
        if rung.is_empty() { Err(why.unwrap_or(Reason::Offline)) } else { Ok(rung) }
    }

    /// Rings the next one that can be rung.
    pub fn next(&mut self, call: &mut Call, step: &mut Step<'_>, on_behalf_of: LegIndex, side: Side) -> Option<Ring> {
        loop {
            if let Ok(ring) = self.one(call, step, on_behalf_of, side)? {
                return Some(ring);
            }
        }
    }

    /// Rings the next one. None: there is nobody.
    fn one(
        &mut self,
        call: &mut Call,
        step: &mut Step<'_>,
        on_behalf_of: LegIndex,
        side: Side,
    ) -> Option<Result<Ring, Reason>> {
        let settings = call.settings.clone();
        let extension = loop {
            let member = self.next.pop_front()?;
            let extension = settings.extensions.get(&member).filter(|_| !call.has(&member));
            if let Some(extension) = extension {
                break extension;
            }
        };
        let ring = ring::extension(call, step, on_behalf_of, side, extension);
        Some(ring.map(|ring| Ring { patience: self.each, ..ring }))
    }
}

/// The reason of two that says more to whoever calls.
fn telling(one: Reason, other: Reason) -> Reason {
    if End::from(other).rank() < End::from(one).rank() { other } else { one }
}
