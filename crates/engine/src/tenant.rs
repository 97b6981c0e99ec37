//! One company in the engine: its settings, its calls, its phones, what it uses of its limits. Sees only itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use media::RecordingKey;
use model::{
    Batch, CallId, Event, ExtensionEvent, Kept, KeptKind, Keyed, Map, Subject, TenantSettings, Told, TrunkEvent, What,
};

use crate::call::story::Story;
use crate::edge::{Now, Output};
use crate::limits::Limits;
use crate::lines::sip::Registrar;
use crate::live::Live;

/// One company's live state.
#[derive(Debug)]
pub struct Tenant {
    /// The newest settings. A call keeps those it began with.
    pub settings: Arc<TenantSettings>,
    /// Calls by id. A call that takes a step is out of the table for so long.
    pub calls: Map<CallId, Live>,
    /// Stories of calls that are over, whose recording is still being closed.
    pub closing: Map<RecordingKey, Story>,
    /// Where phones are reached.
    pub registrar: Registrar,
    /// What is in use.
    pub limits: Limits,
    /// The last `seq` of each subject that lives longer than an engine.
    seqs: BTreeMap<Subject, u32>,
}

impl Tenant {
    /// A company without calls and phones.
    pub fn new(settings: Arc<TenantSettings>, keyed: Keyed) -> Self {
        Self {
            settings,
            calls: Map::with_hasher(keyed),
            closing: Map::with_hasher(keyed),
            registrar: Registrar::default(),
            limits: Limits::default(),
            seqs: BTreeMap::new(),
        }
    }

    /// Tells what happened to an extension.
    pub fn tell_extension(&mut self, now: Now, extension: &str, what: ExtensionEvent, out: &mut VecDeque<Output>) {
        self.tell(now, Subject::Extension(extension.to_owned()), What::Extension(what), out);
    }

    /// Tells what happened to a trunk.
    pub fn tell_trunk(&mut self, now: Now, trunk: &str, what: TrunkEvent, out: &mut VecDeque<Output>) {
        self.tell(now, Subject::Trunk(trunk.to_owned()), What::Trunk(what), out);
    }

    /// Takes back the last `seq` of a subject, as an earlier engine kept it.
    pub fn take_seq(&mut self, key: &str, value: &str) {
        let subject = match key.split_once(':') {
            Some(("extension", id)) => Subject::Extension(id.to_owned()),
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
        out.push_back(Output::Told(Told::Batch(Batch { tenant, events: vec![event], record: None })));
    }
}
