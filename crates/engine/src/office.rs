//! What a tenant's calls share: its settings, where its phones are reached, what is in use of its limits, and the stories
//! of what lives longer than a call.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use model::{
    AgentEvent, Batch, CallId, Event, ExtensionEvent, Kept, KeptKind, Subject, TenantSettings, Told, TrunkEvent, What,
};

use crate::edge::{Now, Output};
use crate::floor::{Floor, Settled, Wake};
use crate::limits::Limits;
use crate::registrar::{Binding, Registrar};
use crate::rung::Rung;

/// What a step of any call may use of its tenant. Holds no call.
#[derive(Debug)]
pub struct Office {
    /// The newest settings. A call keeps those it began with.
    pub settings: Arc<TenantSettings>,
    /// Where phones are reached.
    pub registrar: Registrar,
    /// What is in use.
    pub limits: Limits,
    /// Who was rung when.
    pub rung: Rung,
    /// Phones that have come by a connection in this step: calls whose connection was lost may go on by it.
    pub reconnected: Vec<(String, Binding)>,
    /// Agents, and callers who wait for them.
    pub floor: Floor,
    /// Calls that are to be woken after this step, by their keys.
    pub wakes: Vec<(CallId, Wake)>,
    /// The last `seq` of each subject that lives longer than an engine.
    seqs: BTreeMap<Subject, u32>,
}

impl Office {
    /// An office without phones, of which nothing is in use.
    pub fn new(settings: Arc<TenantSettings>) -> Self {
        Self {
            settings,
            registrar: Registrar::default(),
            limits: Limits::default(),
            rung: Rung::default(),
            reconnected: Vec::new(),
            floor: Floor::default(),
            wakes: Vec::new(),
            seqs: BTreeMap::new(),
        }
    }

    /// Tells what happened to an extension.
    pub fn tell_extension(&mut self, now: Now, extension: &str, what: ExtensionEvent, out: &mut VecDeque<Output>) {
        self.tell(now, Subject::Extension(extension.to_owned()), What::Extension(what), out);
    }

    /// Tells what happened to an agent.
    pub fn tell_agent(&mut self, now: Now, agent: &str, what: AgentEvent, out: &mut VecDeque<Output>) {
        self.tell(now, Subject::Agent(agent.to_owned()), What::Agent(what), out);
    }

    /// Looks after agents and those who wait for them. Gives when a timer is to be set.
    pub fn settle_floor(&mut self, now: Now, out: &mut VecDeque<Output>) -> Option<Instant> {
        let Settled { told, kept, wakes, wake_at } =
            self.floor.settle(now, &self.settings, &self.limits, &self.registrar);
        for (agent, what) in told {
            self.tell_agent(now, &agent, what, out);
        }
        let tenant = self.settings.id;
        out.extend(kept.into_iter().map(|(key, value)| {
            Output::Told(Told::Keep(Kept { tenant, kind: KeptKind::Agent, key, value, expires: None }))
        }));
        self.wakes.extend(wakes);
        wake_at
    }

    /// Tells what happened to a trunk.
    pub fn tell_trunk(&mut self, now: Now, trunk: &str, what: TrunkEvent, out: &mut VecDeque<Output>) {
        self.tell(now, Subject::Trunk(trunk.to_owned()), What::Trunk(what), out);
    }

    /// Takes back the last `seq` of a subject, as an earlier engine kept it.
    pub fn take_seq(&mut self, key: &str, value: &str) {
        let subject = match key.split_once(':') {
            Some(("extension", id)) => Subject::Extension(id.to_owned()),
            Some(("agent", id)) => Subject::Agent(id.to_owned()),
            Some(("trunk", id)) => Subject::Trunk(id.to_owned()),
            _ => return,
        };
        if let Ok(seq) = value.parse() {
            self.seqs.insert(subject, seq);
        }
    }

    fn tell(&mut self, now: Now, subject: Subject, what: What, out: &mut VecDeque<Output>) {
        let tenant = self.settings.id;
        let seq = self.seqs.entry(subject.clone()).or_default();
        *seq += 1;
        let key = format!("{}:{}", subject.kind(), subject.id());
        let kept = Kept { tenant, kind: KeptKind::Seq, key, value: Some(seq.to_string()), expires: None };
        let event = Event { subject, seq: *seq, at: now.wall, callid: None, what };
        // The number is kept before the event is told, so that no later engine gives it again.
        out.push_back(Output::Told(Told::Keep(kept)));
        out.push_back(Output::Told(Told::Batch(Batch {
            tenant,
            events: vec![event],
            record: None,
            claim: None,
            awaited: None,
        })));
    }
}
