//! Agents: members of queues, and whether a caller may be offered to them.
//!
//! A member is signed in as soon as its phone is registered, until it signs out. Who talks, whoever with, is busy. Whom an
//! agent is offered is the queues' business.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use model::{AgentAction, AgentEvent, AgentPause, AgentStands, CallId, Problem, TenantSettings, Text, Timestamp};

use crate::edge::Now;

/// How long an agent who did not take a caller is left alone: a phone that refuses at once is not asked in circles.
const REST: Duration = Duration::from_secs(5);

/// Why an agent is paused who missed too many callers.
const NO_ANSWER: &str = "no answer";

/// All agents of a tenant.
#[derive(Debug, Default)]
pub struct Agents {
    agents: BTreeMap<String, Agent>,
    /// How many offers there were.
    offers: u64,
    /// What happened to them and was not told yet.
    told: Vec<(String, AgentEvent)>,
    /// Those of whom something else is to be kept than before.
    changed: BTreeSet<String>,
}

/// What of an agent stands elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Whether a phone of its can be rung.
    pub reachable: bool,
    /// How many of its lines are in use.
    pub lines: u32,
}

#[derive(Debug, Default)]
struct Agent {
    /// None: its phone was never signed in.
    stands: Option<AgentStands>,
    reachable: bool,
    undisturbed: bool,
    busy: bool,
    /// When it put the phone down, or signed in.
    idle_since: Option<Instant>,
    /// It writes down what was talked about.
    wrap_up_until: Option<Instant>,
    /// It did not take a caller.
    rest_until: Option<Instant>,
    /// The caller whom it is offered.
    offered: Option<CallId>,
    /// It talks with a caller of a queue, after which it has so many seconds.
    serving: Option<u32>,
    /// Callers missed since it took one.
    misses: u32,
    /// The number of the last offer. 0: none.
    last_offer: u64,
}

impl Agents {
    /// Takes in what has become different elsewhere, and lets pass what is over.
    pub fn refresh(&mut self, now: Now, settings: &TenantSettings, facts: impl Fn(&str) -> Facts) {
        let members: BTreeSet<&String> = settings.queues.values().flat_map(|queue| &queue.members).collect();
        self.forget_others(&members);
        for member in members {
            let Some(extension) = settings.extensions.get(member) else { continue };
            if !self.agents.contains_key(member) {
                self.agents.insert(member.clone(), Agent::default());
            }
            let Some(agent) = self.agents.get_mut(member) else { continue };
            agent.undisturbed = extension.do_not_disturb;
            let before = (agent.stands.clone(), self.told.len());
            agent.refresh(now, facts(member), |event| self.told.push((member.clone(), event)));
            if before != (agent.stands.clone(), self.told.len()) {
                self.changed.insert(member.clone());
            }
        }
    }

    /// Takes back how an agent stood with an earlier engine.
    pub fn take_back(&mut self, now: Now, extension: &str, value: &str) {
        let Ok(stands) = serde_json::from_str::<AgentStands>(value) else { return };
        let agent = self.agents.entry(extension.to_owned()).or_default();
        agent.wrap_up_until = stands.wrap_up_until.map(|until| {
            let left = Duration::try_from(until.duration_since(now.wall)).unwrap_or_default();
            now.mono + left
        });
        agent.stands = Some(stands);
    }

    /// Changes how an agent stands. What is so already is done.
    pub fn order(&mut self, at: Timestamp, extension: &str, action: &AgentAction) -> Result<(), Problem> {
        let no_such = || Problem::NoSuchAgent { extension: extension.to_owned() };
        let agent = self.agents.get_mut(extension).ok_or_else(no_such)?;
        let is_fresh = agent.stands.is_none();
        if is_fresh && *action == AgentAction::Resume {
            return Ok(());
        }
        // Whoever pauses before its phone was ever there is signed in when it comes.
        let is_pause = matches!(action, AgentAction::Pause { .. });
        if is_fresh && is_pause {
            self.told.push((extension.to_owned(), AgentEvent::SignedIn));
        }
        let signed_in = is_pause || *action == AgentAction::SignOut;
        let fresh = AgentStands { signed_in, since: at, paused: None, wrap_up_until: None };
        let stands = agent.stands.get_or_insert(fresh);
        let event = match action {
            AgentAction::SignIn if stands.signed_in => None,
            AgentAction::SignIn => {
                *stands = AgentStands { signed_in: true, since: at, paused: None, wrap_up_until: None };
                agent.misses = 0;
                Some(AgentEvent::SignedIn)
            }
            AgentAction::SignOut if !stands.signed_in => None,
            AgentAction::SignOut => {
                *stands = AgentStands { signed_in: false, since: at, paused: None, wrap_up_until: None };
                agent.wrap_up_until = None;
                Some(AgentEvent::SignedOut)
            }
            AgentAction::Pause { reason } if stands.paused.as_ref().is_some_and(|paused| paused.reason == *reason) => {
                None
            }
            AgentAction::Pause { reason } => {
                stands.paused = Some(AgentPause { reason: reason.clone(), since: at });
                Some(AgentEvent::Paused { reason: reason.clone() })
            }
            AgentAction::Resume => {
                agent.misses = 0;
                agent.rest_until = None;
                let wrapped_up = agent.wrap_up_until.take().is_some();
                stands.wrap_up_until = None;
                match stands.paused.take() {
                    Some(_) => Some(AgentEvent::Resumed),
                    None => wrapped_up.then_some(AgentEvent::Ready),
                }
            }
        };
        self.changed.insert(extension.to_owned());
        self.told.extend(event.map(|event| (extension.to_owned(), event)));
        Ok(())
    }

    /// Whether an agent is signed in and has a phone, whatever it does at the moment.
    pub fn is_there(&self, extension: &str) -> bool {
        self.agents.get(extension).is_some_and(|agent| agent.reachable && agent.is_signed_in())
    }

    /// Whether an agent may be offered a caller now.
    pub fn is_ready(&self, extension: &str) -> bool {
        self.agents.get(extension).is_some_and(Agent::is_ready)
    }

    /// Since when an agent has been idle: earlier comes first.
    pub fn idle_since(&self, extension: &str) -> Option<Instant> {
        self.agents.get(extension)?.idle_since
    }

    /// The number of an agent's last offer: more is later, and 0 is never.
    pub fn last_offer(&self, extension: &str) -> u64 {
        self.agents.get(extension).map_or(0, |agent| agent.last_offer)
    }

    /// An agent is offered a caller, and nobody else until that is decided.
    pub fn offer(&mut self, extension: &str, call: CallId) {
        self.offers += 1;
        if let Some(agent) = self.agents.get_mut(extension) {
            agent.offered = Some(call);
            agent.last_offer = self.offers;
        }
    }

    /// An agent is not offered a caller any more, through no doing of its own.
    pub fn release(&mut self, extension: &str, call: CallId) {
        if let Some(agent) = self.agents.get_mut(extension) {
            agent.offered.take_if(|offered| *offered == call);
        }
    }

    /// An agent's phone could not be rung.
    pub fn failed(&mut self, now: Instant, extension: &str) {
        if let Some(agent) = self.agents.get_mut(extension) {
            agent.offered = None;
            agent.rest_until = Some(now + REST);
        }
    }

    /// An agent did not take a caller; after `most` of them it is paused. 0: never.
    pub fn missed(&mut self, now: Now, extension: &str, most: u32) {
        self.failed(now.mono, extension);
        let Some(agent) = self.agents.get_mut(extension) else { return };
        agent.misses += 1;
        if most > 0
            && agent.misses >= most
            && let Some(stands) = agent.stands.as_mut().filter(|stands| stands.signed_in && stands.paused.is_none())
        {
            let reason = Text::from(NO_ANSWER);
            stands.paused = Some(AgentPause { reason: reason.clone(), since: now.wall });
            self.changed.insert(extension.to_owned());
            self.told.push((extension.to_owned(), AgentEvent::Paused { reason }));
        }
    }

    /// An agent took a caller, and will have so many seconds afterwards.
    pub fn answered(&mut self, extension: &str, wrap_up: u32) {
        if let Some(agent) = self.agents.get_mut(extension) {
            agent.offered = None;
            agent.misses = 0;
            agent.busy = true;
            agent.idle_since = None;
            agent.serving = Some(wrap_up);
        }
    }

    /// What happened and was not told yet.
    pub fn take_told(&mut self) -> Vec<(String, AgentEvent)> {
        std::mem::take(&mut self.told)
    }

    /// What is to be kept of agents: in JSON, or nothing any more.
    pub fn take_kept(&mut self) -> Vec<(String, Option<String>)> {
        let changed = std::mem::take(&mut self.changed);
        let value = |extension: &str| serde_json::to_string(self.agents.get(extension)?.stands.as_ref()?).ok();
        changed.into_iter().map(|extension| (value(&extension), extension)).map(|(value, of)| (of, value)).collect()
    }

    /// When something of an agent is over by itself.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.agents.values().flat_map(|agent| [agent.wrap_up_until, agent.rest_until]).flatten().min()
    }

    fn forget_others(&mut self, members: &BTreeSet<&String>) {
        let gone: Vec<String> = self.agents.keys().filter(|agent| !members.contains(agent)).cloned().collect();
        for extension in gone {
            let Some(agent) = self.agents.remove(&extension) else { continue };
            if agent.is_signed_in() {
                self.told.push((extension.clone(), AgentEvent::SignedOut));
            }
            self.changed.insert(extension);
        }
    }
}

impl Agent {
    fn refresh(&mut self, now: Now, facts: Facts, mut tell: impl FnMut(AgentEvent)) {
        self.reachable = facts.reachable;
        if self.reachable && self.stands.is_none() {
            self.stands = Some(AgentStands { signed_in: true, since: now.wall, paused: None, wrap_up_until: None });
            tell(AgentEvent::SignedIn);
        }
        self.rest_until.take_if(|until| *until <= now.mono);
        if self.wrap_up_until.take_if(|until| *until <= now.mono).is_some() {
            self.keep_wrap_up(None);
            tell(AgentEvent::Ready);
        }
        // The line on which it is offered a caller does not make it busy.
        self.busy = facts.lines > u32::from(self.offered.is_some());
        if self.busy {
            self.idle_since = None;
            return;
        }
        self.idle_since.get_or_insert(now.mono);
        if facts.lines > 0 {
            return;
        }
        if let Some(seconds) = self.serving.take().filter(|seconds| *seconds > 0)
            && self.is_signed_in()
        {
            let time = Duration::from_secs(seconds.into());
            self.wrap_up_until = Some(now.mono + time);
            self.keep_wrap_up(now.wall.checked_add(time).ok());
            tell(AgentEvent::WrapUp { seconds });
        }
    }

    fn keep_wrap_up(&mut self, until: Option<Timestamp>) {
        if let Some(stands) = &mut self.stands {
            stands.wrap_up_until = until;
        }
    }

    fn is_signed_in(&self) -> bool {
        self.stands.as_ref().is_some_and(|stands| stands.signed_in)
    }

    fn is_ready(&self) -> bool {
        let is_paused = self.undisturbed || self.stands.as_ref().is_some_and(|stands| stands.paused.is_some());
        let is_free = !self.busy && self.offered.is_none() && self.wrap_up_until.is_none() && self.rest_until.is_none();
        self.reachable && self.is_signed_in() && !is_paused && is_free
    }
}
