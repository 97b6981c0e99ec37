//! The store of the world: a writer that takes its time, and what it has committed.
//!
//! Judges every batch as it commits it: no gap in the numbers, one tenant a call, a record that is what the stored events
//! make of it, and a claim where one belongs, once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use engine::Answer;
use model::{
    Batch, CallEvent, CallId, ClaimedKey, Event, Kept, KeptKind, Origin, Problem, Record, Reply, Subject, TenantId,
    Ticket, Told, What,
};

/// Everything that was told.
#[derive(Debug, Default)]
pub struct Store {
    /// How long a commit takes.
    pub commit_takes: Duration,
    /// Commits do not end.
    pub stalled: bool,
    /// Calls that begin from here on are refused for what they say.
    pub refuses: bool,
    /// Calls that were refused: nothing of them is stored.
    refused: BTreeSet<CallId>,
    /// The calls that keys have had.
    claims: BTreeMap<(TenantId, ClaimedKey), CallId>,
    /// Calls of keys that a crash swallowed whole.
    swallowed: BTreeSet<CallId>,
    waiting: VecDeque<Told>,
    committing: Vec<Told>,
    done_at: Option<Duration>,
    tenants: BTreeMap<TenantId, Tenant>,
    kept: BTreeMap<(TenantId, KeptKind, String), Kept>,
    replies: BTreeMap<Ticket, Result<Reply, Problem>>,
    engines: u32,
}

/// What one tenant's rows are.
#[derive(Debug, Default)]
pub struct Tenant {
    /// In the order of commits.
    pub events: Vec<Event>,
    /// As they stand.
    pub records: BTreeMap<CallId, Record>,
    /// Events by call, recordings' included.
    by_call: BTreeMap<CallId, Vec<Event>>,
    seqs: BTreeMap<Subject, u32>,
    /// Subjects that have told something since the process died last.
    since_crash: BTreeSet<Subject>,
    crashed: bool,
}

impl Store {
    /// The next number of an engine.
    pub fn start_engine(&mut self) -> u32 {
        self.engines += 1;
        self.engines
    }

    /// Takes in what an engine told.
    pub fn push(&mut self, now: Duration, told: Told) {
        self.waiting.push_back(told);
        self.begin(now);
    }

    /// When a commit is done.
    pub fn poll(&self) -> Option<Duration> {
        self.done_at.filter(|_| !self.stalled)
    }

    /// Commits what is due. Gives the replies that may be heard from here on, and the events that may be told.
    pub fn commit(&mut self, now: Duration) -> Committed {
        let mut committed = Committed::default();
        if self.stalled || self.done_at.is_none_or(|at| at > now) {
            return committed;
        }
        for told in std::mem::take(&mut self.committing) {
            match told {
                Told::Batch(batch) if self.is_refused(&batch) => {
                    let refused = |ticket| (ticket, Answer::Failed("the store refuses it".into()));
                    committed.awaited.extend(batch.awaited.map(refused));
                }
                Told::Batch(batch) => {
                    self.answer_claim(&batch);
                    committed.awaited.extend(batch.awaited.map(|ticket| (ticket, Answer::Stored)));
                    let tenant = self.tenants.entry(batch.tenant).or_default();
                    for event in &batch.events {
                        tenant.add(event);
                    }
                    if let Some(record) = batch.record {
                        tenant.put(&batch.events, *record);
                    }
                    committed.events.extend(batch.events.into_iter().map(|event| (batch.tenant, event)));
                }
                Told::Keep(kept) => {
                    let key = (kept.tenant, kept.kind, kept.key.clone());
                    match kept.value {
                        Some(_) => self.kept.insert(key, kept),
                        None => self.kept.remove(&key),
                    };
                }
                Told::Reply { ticket, reply } => {
                    let before = self.replies.insert(ticket, reply.clone());
                    assert!(before.is_none(), "{ticket:?} was replied to twice: {before:?}, then {reply:?}");
                    committed.replies.push((ticket, reply));
                }
            }
        }
        self.done_at = None;
        self.begin(now);
        committed
    }

    /// The process dies: what was not committed never was.
    pub fn crash(&mut self) {
        for told in self.committing.iter().chain(&self.waiting) {
            if let Told::Batch(Batch { claim: Some(_), record: Some(record), .. }) = told {
                self.swallowed.insert(record.callid);
            }
        }
        self.waiting.clear();
        self.committing.clear();
        self.done_at = None;
        for tenant in self.tenants.values_mut() {
            tenant.since_crash.clear();
            tenant.crashed = true;
        }
    }

    /// Whether nothing waits.
    pub fn is_idle(&self) -> bool {
        self.done_at.is_none() && self.waiting.is_empty()
    }

    /// What the next engine gets back.
    pub fn kept(&self) -> impl Iterator<Item = &Kept> {
        self.kept.values()
    }

    /// The rows of a tenant.
    pub fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    /// All tenants that have rows.
    pub fn tenants(&self) -> impl Iterator<Item = (TenantId, &Tenant)> {
        self.tenants.iter().map(|(id, tenant)| (*id, tenant))
    }

    /// The call that a key has had.
    pub fn call_of(&self, tenant: TenantId, key: &ClaimedKey) -> Option<CallId> {
        self.claims.get(&(tenant, key.clone())).copied()
    }

    /// Whether a crash swallowed the call of a key: nobody knows of it, so nobody may have heard of it.
    pub fn has_swallowed(&self, call: CallId) -> bool {
        self.swallowed.contains(&call)
    }

    /// What came of a command, once it is committed.
    pub fn reply(&self, ticket: Ticket) -> Option<&Result<Reply, Problem>> {
        self.replies.get(&ticket)
    }

    fn is_refused(&mut self, batch: &Batch) -> bool {
        let Some(call) = batch.record.as_ref().map(|record| record.callid) else { return false };
        if self.refuses && batch.events.iter().any(|event| matches!(event.what, What::Call(CallEvent::Started { .. })))
        {
            self.refused.insert(call);
        }
        self.refused.contains(&call)
    }

    /// A claim stands in the first batch of an ordered call only, is awaited, and was not answered before.
    fn answer_claim(&mut self, batch: &Batch) {
        assert_eq!(batch.claim.is_some(), batch.awaited.is_some(), "what is awaited are claims: {batch:?}");
        let Some(claim) = batch.claim.clone() else { return };
        let ordered =
            |event: &Event| matches!(event.what, What::Call(CallEvent::Started { origin: Origin::Click, .. }));
        let record = batch.record.as_ref().filter(|_| batch.events.iter().any(ordered));
        let call = record.unwrap_or_else(|| panic!("a claim where no ordered call begins: {batch:?}")).callid;
        let before = self.claims.insert((batch.tenant, claim), call);
        assert_eq!(before, None, "a key has a second call: {batch:?}");
    }

    fn begin(&mut self, now: Duration) {
        if self.done_at.is_none() && !self.waiting.is_empty() {
            self.committing = self.waiting.drain(..).collect();
            self.done_at = Some(now + self.commit_takes);
        }
    }
}

/// What a commit has made public.
#[derive(Debug, Default)]
pub struct Committed {
    /// In order.
    pub events: Vec<(TenantId, Event)>,
    /// In order.
    pub replies: Vec<(Ticket, Result<Reply, Problem>)>,
    /// What became of the batches that the engine waits for.
    pub awaited: Vec<(Ticket, Answer)>,
}

impl Tenant {
    /// All events of one call, in order.
    pub fn of_call(&self, call: CallId) -> &[Event] {
        self.by_call.get(&call).map_or(&[], Vec::as_slice)
    }

    /// The calls that have events, in the order of their ids.
    pub fn calls(&self) -> impl Iterator<Item = CallId> {
        self.by_call.keys().copied()
    }

    fn add(&mut self, event: &Event) {
        let seq = self.seqs.entry(event.subject.clone()).or_default();
        // Numbers of what outlives an engine are kept before they are told: what a crash swallows between the two
        // leaves a gap, so that no number is ever given twice.
        let may_skip = self.crashed && event.callid.is_none() && self.since_crash.insert(event.subject.clone());
        let follows = event.seq == *seq + 1 || may_skip && event.seq > *seq;
        assert!(follows, "the numbers of {:?} have a gap or go back: {event:?} after {seq}", event.subject);
        *seq = event.seq;
        if let Some(call) = event.callid {
            let story = self.by_call.entry(call).or_default();
            let is_call = matches!(event.what, What::Call(_));
            let over = story.iter().any(|event| matches!(event.what, What::Call(CallEvent::Ended { .. })));
            assert!(!(is_call && over), "call {call} told something after its end: {event:?}");
            story.push(event.clone());
        }
        self.events.push(event.clone());
    }

    fn put(&mut self, events: &[Event], record: Record) {
        let call = record.callid;
        assert!(events.iter().all(|event| event.callid == Some(call)), "a batch of {call} holds another call's event");
        let of_events = Record::of(self.of_call(call));
        assert_eq!(of_events.as_ref(), Some(&record), "the record of {call} is not what its events say");
        self.records.insert(call, record);
    }
}
