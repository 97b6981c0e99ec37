//! Callers who wait, and which agent each is offered to next.
//!
//! Of all callers whoever waits longest in the queue of the highest priority comes first; the queue's strategy says which
//! of the agents who are ready and skilled enough. Ringing them is the waiting call's business.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use model::{CallId, Queue, Strategy, TenantSettings};

use super::Wake;
use super::agents::Agents;

/// From how many answered callers the expected wait of a queue is reckoned.
const REMEMBERED: usize = 20;

/// All callers of a tenant who wait.
#[derive(Debug, Default)]
pub struct Queues {
    /// In the order they came.
    waiting: Vec<Waiting>,
    /// How long the last callers of each queue waited who were answered.
    waits: BTreeMap<String, VecDeque<Duration>>,
    /// Who was offered a caller last, of queues that go round.
    turns: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Waiting {
    call: CallId,
    queue: String,
    since: Instant,
    /// Agents who are being rung for it.
    offered: Vec<String>,
    /// Agents who were rung in vain since all were.
    passed: BTreeSet<String>,
    /// It may ring nobody any more.
    exhausted: bool,
    /// It was told that nobody is there.
    left_alone: bool,
}

impl Queues {
    /// A caller begins to wait. Gives its place, from 1.
    pub fn enter(&mut self, now: Instant, call: CallId, queue: &str) -> u32 {
        self.waiting.push(Waiting {
            call,
            queue: queue.to_owned(),
            since: now,
            offered: Vec::new(),
            passed: BTreeSet::new(),
            exhausted: false,
            left_alone: false,
        });
        self.len(queue)
    }

    /// A caller does not wait any more. Gives the agents who were being rung for it.
    pub fn leave(&mut self, call: CallId) -> Vec<String> {
        let left = self.waiting.extract_if(.., |waiting| waiting.call == call);
        left.flat_map(|waiting| waiting.offered).collect()
    }

    /// An agent took the caller.
    pub fn answered(&mut self, now: Instant, call: CallId) -> Vec<String> {
        if let Some(waiting) = self.waiting.iter().find(|waiting| waiting.call == call) {
            let waits = self.waits.entry(waiting.queue.clone()).or_default();
            waits.push_back(now.saturating_duration_since(waiting.since));
            if waits.len() > REMEMBERED {
                waits.pop_front();
            }
        }
        self.leave(call)
    }

    /// An agent was rung in vain for this caller, or could not be rung.
    pub fn passed_over(&mut self, call: CallId, agent: &str) {
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.call == call) {
            waiting.offered.retain(|offered| offered != agent);
            waiting.passed.insert(agent.to_owned());
        }
    }

    /// Nobody is rung for this caller any more.
    pub fn exhaust(&mut self, call: CallId) {
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.call == call) {
            waiting.exhausted = true;
        }
    }

    /// How many wait in a queue.
    pub fn len(&self, queue: &str) -> u32 {
        let count = self.waiting.iter().filter(|waiting| waiting.queue == queue).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// How many wait anywhere.
    pub fn total(&self) -> usize {
        self.waiting.len()
    }

    /// The place of a caller in its queue, from 1.
    pub fn place(&self, call: CallId) -> Option<u32> {
        let at = self.waiting.iter().position(|waiting| waiting.call == call)?;
        let queue = &self.waiting[at].queue;
        let before = self.waiting[..at].iter().filter(|waiting| waiting.queue == *queue).count();
        u32::try_from(before + 1).ok()
    }

    /// How long a caller will still wait, as those did who were answered last. None: there was none.
    pub fn expected_wait(&self, now: Instant, call: CallId) -> Option<Duration> {
        let waiting = self.waiting.iter().find(|waiting| waiting.call == call)?;
        let waits = self.waits.get(&waiting.queue)?;
        let usual = waits.iter().sum::<Duration>() / u32::try_from(waits.len()).ok().filter(|count| *count > 0)?;
        Some(usual.saturating_sub(now.saturating_duration_since(waiting.since)))
    }

    /// Forgets what it knows of queues that are gone.
    pub fn take_settings(&mut self, settings: &TenantSettings) {
        self.waits.retain(|queue, _| settings.queues.contains_key(queue));
        self.turns.retain(|queue, _| settings.queues.contains_key(queue));
    }

    /// Offers callers to agents who are ready, and finds those for whom nobody is there.
    pub fn offer(&mut self, settings: &TenantSettings, agents: &mut Agents) -> Vec<(CallId, Wake)> {
        let priority = |waiting: &Waiting| settings.queues.get(&waiting.queue).map_or(0, |queue| queue.priority);
        let mut order: Vec<usize> = (0..self.waiting.len()).collect();
        order.sort_by_key(|at| Reverse(priority(&self.waiting[*at])));
        let mut wakes = Vec::new();
        for at in order {
            let waiting = &mut self.waiting[at];
            let Some(queue) = settings.queues.get(&waiting.queue) else {
                wakes.extend(waiting.leave_alone());
                continue;
            };
            let fit = fit(settings, queue);
            if is_deserted(queue, &fit, agents) && waiting.offered.is_empty() {
                wakes.extend(waiting.leave_alone());
                continue;
            }
            let together = queue.strategy == Strategy::RingAll;
            if waiting.exhausted || waiting.left_alone || (!together && !waiting.offered.is_empty()) {
                continue;
            }
            let mut ready: Vec<Fit<'_>> = fit.into_iter().filter(|fit| agents.is_ready(fit.extension)).collect();
            if ready.iter().all(|fit| waiting.passed.contains(fit.extension)) {
                waiting.passed.clear();
            }
            if !together {
                ready.retain(|fit| !waiting.passed.contains(fit.extension));
                let turn = self.turns.get(&queue.number).map(String::as_str);
                let best = ready.into_iter().min_by_key(|fit| fit.standing(queue, agents, turn));
                ready = best.into_iter().collect();
            }
            if ready.is_empty() {
                continue;
            }
            let chosen: Vec<String> = ready.iter().map(|fit| fit.extension.to_owned()).collect();
            for extension in &chosen {
                agents.offer(extension, waiting.call);
                self.turns.insert(queue.number.clone(), extension.clone());
            }
            waiting.offered.extend(chosen.iter().cloned());
            wakes.push((waiting.call, Wake::Offer { agents: chosen }));
        }
        wakes
    }
}

impl Waiting {
    /// Told once.
    fn leave_alone(&mut self) -> Option<(CallId, Wake)> {
        (!std::mem::replace(&mut self.left_alone, true)).then_some((self.call, Wake::NobodyThere))
    }
}

/// Whether a queue has nobody who could ever take a caller, and its callers are not to wait for somebody.
pub fn has_nobody(settings: &TenantSettings, queue: &Queue, agents: &Agents) -> bool {
    is_deserted(queue, &fit(settings, queue), agents)
}

fn is_deserted(queue: &Queue, fit: &[Fit<'_>], agents: &Agents) -> bool {
    !queue.wait_when_empty && !fit.iter().any(|fit| agents.is_there(fit.extension))
}

/// A member who can do what a queue asks for.
#[derive(Clone, Copy, Debug)]
struct Fit<'a> {
    extension: &'a str,
    /// Its place among the members.
    at: usize,
    /// How well it does what is asked for, all in all.
    skill: u32,
}

impl Fit<'_> {
    /// Less comes first.
    fn standing(&self, queue: &Queue, agents: &Agents, turn: Option<&str>) -> impl Ord + use<> {
        let standing = match queue.strategy {
            Strategy::LongestIdle => (agents.idle_since(self.extension), 0),
            Strategy::LeastRecent => (None, agents.last_offer(self.extension)),
            Strategy::RoundRobin => {
                let members = queue.members.len();
                let last = turn.and_then(|turn| queue.members.iter().position(|member| member == turn));
                let next = last.map_or(0, |last| last + 1);
                (None, ((self.at + members - next % members.max(1)) % members.max(1)) as u64)
            }
            Strategy::InOrder => (None, self.at as u64),
            Strategy::RingAll => (None, 0),
        };
        (standing, Reverse(self.skill), self.at)
    }
}

/// The members of a queue who can do what it asks for.
fn fit<'a>(settings: &'a TenantSettings, queue: &'a Queue) -> Vec<Fit<'a>> {
    let mut fit: Vec<Fit<'a>> = Vec::with_capacity(queue.members.len());
    for (at, member) in queue.members.iter().enumerate() {
        let Some(extension) = settings.extensions.get(member) else { continue };
        let level = |skill: &String| extension.skills.get(skill).copied().unwrap_or_default();
        let is_able = queue.skills.iter().all(|(skill, least)| level(skill) >= *least);
        if is_able && fit.iter().all(|known| known.extension != member) {
            let skill = queue.skills.keys().map(level).fold(0, u32::saturating_add);
            fit.push(Fit { extension: member, at, skill });
        }
    }
    fit
}
