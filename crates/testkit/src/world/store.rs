//! The store of the world: a writer that takes its time, and what it has committed.
//!
//! Judges every batch as it commits it: no gap in the numbers, one tenant a call, a record that is what the stored events
//! make of it, and a claim where one belongs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use model::{
    Batch, CallEvent, CallId, Event, Kept, KeptKind, Origin, Problem, Record, Reply, Subject, TenantId, Ticket, Told,
    What,
};

/// Everything that was told.
#[derive(Debug, Default)]
pub struct Store {
    /// How long a commit takes.
    pub commit_takes: Duration,
    /// Commits do not end.
    pub stalled: bool,
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
                Told::Batch(batch) => {
                    judge_claim(&batch);
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

    /// What came of a command, once it is committed.
    pub fn reply(&self, ticket: Ticket) -> Option<&Result<Reply, Problem>> {
        self.replies.get(&ticket)
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
}

/// Every client of the world gives its orders keys: the first batch of a call that one ordered says so, and no other.
fn judge_claim(batch: &Batch) {
    let ordered = |event: &Event| matches!(event.what, What::Call(CallEvent::Started { origin: Origin::Click, .. }));
    let begins = batch.events.iter().any(ordered);
    assert_eq!(batch.claim.is_some(), begins, "a claim stands in the first batch of an ordered call only: {batch:?}");
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
