//! What a company has set up for callers who wait, and what its agents order.

use std::collections::BTreeMap;

use model::{AgentAction, Command, Queue, Strategy, Text, Ticket};

use super::play::{extension, route};
use crate::world::World;

/// What is set up of a queue; one that was not there is like 700 without agents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueSetup {
    /// `queue 700 has agents 101 102`
    Agents(String, Vec<String>),
    /// `queue 700 rings all`, `queue 700 goes round`, `queue 700 goes in order`, `queue 700 takes the least recent`
    Strategy(String, Strategy),
    /// `queue 700 keeps callers 30 seconds`, at most.
    Keeps(String, u32),
    /// `queue 700 rings each 10 seconds`
    Rings(String, u32),
    /// `queue 700 takes 1 callers`, at most.
    Takes(String, u32),
    /// `queue 700 answers by agent`: not before one does.
    ByAgent(String),
    /// `queue 700 waits for agents` though none is there.
    WaitsWhenEmpty(String),
    /// `queue 700 overflows to 102`
    Overflow(String, String),
    /// `queue 700 pauses after 1`
    Misses(String, u32),
    /// `queue 700 leaves 5 seconds` after a call.
    WrapUp(String, u32),
    /// `queue 700 has priority 5`
    Priority(String, u32),
    /// `queue 700 asks for english 2`
    Asks(String, String, u32),
    /// `queue 700 announces every 10 seconds` place and wait.
    Announces(String, u32),
    /// `102 knows english 3`
    Knows(String, String, u32),
}

/// Reads a line.
pub fn parse(words: &[&str]) -> Option<QueueSetup> {
    let own = |word: &str| word.to_owned();
    if let [who, "knows", skill, level] = words {
        return Some(QueueSetup::Knows(own(who), own(skill), level.parse().ok()?));
    }
    let ["queue", queue, rest @ ..] = words else { return None };
    let queue = own(queue);
    Some(match rest {
        ["has", "agents", agents @ ..] => QueueSetup::Agents(queue, agents.iter().map(|agent| own(agent)).collect()),
        ["rings", "all"] => QueueSetup::Strategy(queue, Strategy::RingAll),
        ["goes", "round"] => QueueSetup::Strategy(queue, Strategy::RoundRobin),
        ["goes", "in", "order"] => QueueSetup::Strategy(queue, Strategy::InOrder),
        ["takes", "the", "least", "recent"] => QueueSetup::Strategy(queue, Strategy::LeastRecent),
        ["keeps", "callers", seconds, "seconds"] => QueueSetup::Keeps(queue, seconds.parse().ok()?),
        ["rings", "each", seconds, "seconds"] => QueueSetup::Rings(queue, seconds.parse().ok()?),
        ["takes", count, "callers"] => QueueSetup::Takes(queue, count.parse().ok()?),
        ["answers", "by", "agent"] => QueueSetup::ByAgent(queue),
        ["waits", "for", "agents"] => QueueSetup::WaitsWhenEmpty(queue),
        ["overflows", "to", to] => QueueSetup::Overflow(queue, own(to)),
        ["pauses", "after", misses] => QueueSetup::Misses(queue, misses.parse().ok()?),
        ["leaves", seconds, "seconds"] => QueueSetup::WrapUp(queue, seconds.parse().ok()?),
        ["has", "priority", priority] => QueueSetup::Priority(queue, priority.parse().ok()?),
        ["asks", "for", skill, level] => QueueSetup::Asks(queue, own(skill), level.parse().ok()?),
        ["announces", "every", seconds, "seconds"] => QueueSetup::Announces(queue, seconds.parse().ok()?),
        _ => return None,
    })
}

/// Reads what a client orders of an agent: `signs in 101`, `signs out 101`, `pauses agent 101`, `resumes agent 101`.
pub fn parse_order(words: &[&str]) -> Option<(String, AgentAction)> {
    let (agent, action) = match words {
        ["signs", "in", agent] => (agent, AgentAction::SignIn),
        ["signs", "out", agent] => (agent, AgentAction::SignOut),
        ["pauses", "agent", agent] => (agent, AgentAction::Pause { reason: Text::from("lunch") }),
        ["resumes", "agent", agent] => (agent, AgentAction::Resume),
        _ => return None,
    };
    Some(((*agent).to_owned(), action))
}

impl World {
    pub(super) fn set_up_queue(&mut self, setup: &QueueSetup) {
        match setup {
            QueueSetup::Agents(queue, agents) => self.queue(queue, |queue| queue.members = agents.clone()),
            QueueSetup::Strategy(queue, strategy) => self.queue(queue, |queue| queue.strategy = *strategy),
            QueueSetup::Keeps(queue, seconds) => self.queue(queue, |queue| queue.max_wait_seconds = *seconds),
            QueueSetup::Rings(queue, seconds) => self.queue(queue, |queue| queue.ring_seconds = *seconds),
            QueueSetup::Takes(queue, count) => self.queue(queue, |queue| queue.max_waiting = Some(*count)),
            QueueSetup::ByAgent(queue) => self.queue(queue, |queue| queue.answer_at_once = false),
            QueueSetup::WaitsWhenEmpty(queue) => self.queue(queue, |queue| queue.wait_when_empty = true),
            QueueSetup::Overflow(queue, to) => self.queue(queue, |queue| queue.overflow = Some(route(to))),
            QueueSetup::Misses(queue, misses) => self.queue(queue, |queue| queue.misses_before_pause = *misses),
            QueueSetup::WrapUp(queue, seconds) => self.queue(queue, |queue| queue.wrap_up_seconds = *seconds),
            QueueSetup::Priority(queue, priority) => self.queue(queue, |queue| queue.priority = *priority),
            QueueSetup::Asks(queue, skill, level) => {
                self.queue(queue, |queue| {
                    queue.skills.insert(skill.clone(), *level);
                });
            }
            QueueSetup::Announces(queue, seconds) => {
                self.queue(queue, |queue| {
                    queue.announce_position = true;
                    queue.announce_wait = true;
                    queue.announce_seconds = *seconds;
                });
                self.makes_prompts();
            }
            QueueSetup::Knows(who, skill, level) => self.settings(|settings| {
                extension(settings, who).skills.insert(skill.clone(), *level);
            }),
        }
    }

    /// The first company has this queue, changed like this.
    pub fn queue(&mut self, number: &str, change: impl FnOnce(&mut Queue)) {
        self.settings(|settings| {
            let usual = settings.queues.get("700").cloned().expect("every company has a queue");
            let fresh = || Queue { number: number.to_owned(), members: Vec::new(), skills: BTreeMap::new(), ..usual };
            change(settings.queues.entry(number.to_owned()).or_insert_with(fresh));
        });
    }

    /// A client of the first company changes how an agent stands.
    pub fn orders_agent(&mut self, extension: &str, action: &AgentAction) -> Ticket {
        let word = match action {
            AgentAction::SignIn => "sign in",
            AgentAction::SignOut => "sign out",
            AgentAction::Pause { .. } => "pause",
            AgentAction::Resume => "resume",
        };
        let order = Command::Agent { extension: extension.to_owned(), action: action.clone() };
        self.orders(&format!("{word} {extension}"), order)
    }
}
