//! The floor: agents, callers who wait for them, and whom each is offered to. Knows no call; calls are woken
//! ([`Wake`]) and do the ringing.

pub mod agents;
pub mod queues;

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{AgentAction, AgentEvent, CallId, Problem, Queue, TenantSettings};

use self::agents::{Agents, Facts};
use self::queues::Queues;
use crate::edge::Now;
use crate::limits::Limits;
use crate::registrar::Registrar;

/// What a call is woken for, by another one or by what the tenant's calls share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wake {
    /// These agents are to be rung for its caller; they are offered nobody else until that is decided.
    Offer {
        /// Extensions.
        agents: Vec<String>,
    },
    /// Nobody is there who could ever take its caller.
    NobodyThere,
}

/// Agents and callers of one tenant.
#[derive(Debug, Default)]
pub struct Floor {
    agents: Agents,
    queues: Queues,
    /// What was looked at last.
    seen: Option<Seen>,
    /// Something of its own has become different since.
    changed: bool,
    /// The entry in the engine's timers.
    armed: Option<Instant>,
}

#[derive(Debug)]
struct Seen {
    settings: Arc<TenantSettings>,
    lines: u64,
    phones: u64,
}

/// What has become of the floor.
#[derive(Debug, Default)]
pub struct Settled {
    /// What is to be told of agents.
    pub told: Vec<(String, AgentEvent)>,
    /// What is to be kept of agents, in JSON. None: nothing any more.
    pub kept: Vec<(String, Option<String>)>,
    /// Calls that are to be woken.
    pub wakes: Vec<(CallId, Wake)>,
    /// When a timer is to be set.
    pub wake_at: Option<Instant>,
}

impl Floor {
    /// Looks at what is different, and offers callers to agents. Does nothing where nothing is.
    pub fn settle(
        &mut self,
        now: Now,
        settings: &Arc<TenantSettings>,
        limits: &Limits,
        registrar: &Registrar,
    ) -> Settled {
        let seen = Seen { settings: Arc::clone(settings), lines: limits.moves(), phones: registrar.moves() };
        // An entry that is due for nothing any more has to be set anew for what comes next.
        self.changed |= self.armed.take_if(|at| *at <= now.mono).is_some();
        let is_due = self.agents.poll_timeout().is_some_and(|at| at <= now.mono);
        let is_same = self.seen.as_ref().is_some_and(|before| {
            Arc::ptr_eq(&before.settings, settings) && (before.lines, before.phones) == (seen.lines, seen.phones)
        });
        if is_same && !is_due && !self.changed {
            return Settled::default();
        }
        self.seen = Some(seen);
        self.changed = false;
        self.agents.refresh(now, settings, |extension| Facts {
            reachable: registrar.is_reachable(extension, now.mono),
            lines: limits.lines_in_use(extension),
        });
        self.queues.take_settings(settings);
        let wakes = self.queues.offer(settings, &mut self.agents);
        let next = self.agents.poll_timeout().filter(|at| self.armed.is_none_or(|armed| *at < armed));
        self.armed = next.or(self.armed);
        Settled { told: self.agents.take_told(), kept: self.agents.take_kept(), wakes, wake_at: next }
    }

    /// Takes back how an agent stood with an earlier engine.
    pub fn take_back(&mut self, now: Now, extension: &str, value: &str) {
        self.changed = true;
        self.agents.take_back(now, extension, value);
    }

    /// Changes how an agent stands.
    pub fn order(&mut self, now: Now, extension: &str, action: &AgentAction) -> Result<(), Problem> {
        self.changed = true;
        self.agents.order(now.wall, extension, action)
    }

    /// Whether nobody is there who could ever take a caller of this queue.
    pub fn has_nobody(&self, settings: &TenantSettings, queue: &Queue) -> bool {
        queues::has_nobody(settings, queue, &self.agents)
    }

    /// How many wait in a queue.
    pub fn waiting(&self, queue: &str) -> u32 {
        self.queues.len(queue)
    }

    /// How many wait anywhere.
    pub fn total_waiting(&self) -> usize {
        self.queues.total()
    }

    /// A caller begins to wait. Gives its place, from 1.
    pub fn enter(&mut self, now: Instant, call: CallId, queue: &str) -> u32 {
        self.changed = true;
        self.queues.enter(now, call, queue)
    }

    /// A caller does not wait any more, if it did.
    pub fn leave(&mut self, call: CallId) {
        let rung = self.queues.leave(call);
        self.release(call, &rung);
    }

    /// An agent took the caller, and will have so many seconds afterwards.
    pub fn answered(&mut self, now: Instant, call: CallId, agent: &str, wrap_up: u32) {
        let rung = self.queues.answered(now, call);
        self.release(call, &rung);
        self.agents.answered(agent, wrap_up);
        self.changed = true;
    }

    /// An agent did not take the caller; after `most` of them it is paused.
    pub fn missed(&mut self, now: Now, call: CallId, agent: &str, most: u32) {
        self.changed = true;
        self.queues.passed_over(call, agent);
        self.agents.missed(now, agent, most);
    }

    /// An agent's phone could not be rung.
    pub fn failed(&mut self, now: Instant, call: CallId, agent: &str) {
        self.changed = true;
        self.queues.passed_over(call, agent);
        self.agents.failed(now, agent);
    }

    /// Nobody is rung for this caller any more.
    pub fn exhaust(&mut self, call: CallId) {
        self.queues.exhaust(call);
    }

    /// The place of a caller in its queue, from 1.
    pub fn place(&self, call: CallId) -> Option<u32> {
        self.queues.place(call)
    }

    /// How long a caller will still wait, as far as one can tell.
    pub fn expected_wait(&self, now: Instant, call: CallId) -> Option<Duration> {
        self.queues.expected_wait(now, call)
    }

    fn release(&mut self, call: CallId, agents: &[String]) {
        self.changed |= !agents.is_empty();
        agents.iter().for_each(|agent| self.agents.release(agent, call));
    }
}

#[cfg(test)]
mod tests;
