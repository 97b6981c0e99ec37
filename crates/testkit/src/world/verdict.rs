//! What must be true of every world in the end, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::EngineLoad;
use model::{
    CallEvent, CallId, KeptKind, Origin, Reason, Record, RecordingEvent, RecordingId, Subject, TenantId, What,
};

use super::World;
use super::phone::Talk;
use super::store::Tenant;

/// By then every timer of a call that is over has run out, and every address has rested.
const REST: Duration = Duration::from_secs(150);

impl World {
    /// Lets everything come to its end and judges it: every leg has ended, each call has one record and one last event,
    /// nothing is left allocated, nobody heard or saw another company, and nobody rang for an order that may come again.
    pub fn end(&mut self) {
        self.settle();
        self.run_until(self.now + REST);
        // A phone may just have signed in again.
        self.settle();
        self.judge_engine();
        self.judge_stories();
        self.judge_phones();
    }

    fn judge_engine(&self) {
        let load = self.load();
        let (sessions, recordings) = self.floor.open();
        let idle =
            EngineLoad { registrations: load.registrations, sounds: self.floor.addresses(), ..EngineLoad::default() };
        assert_eq!(load, idle, "the engine holds on to something");
        assert_eq!((sessions, recordings), (0, 0), "a media worker holds on to sessions or recordings");
        let dialogs: Vec<&str> =
            self.store.kept().filter(|kept| kept.kind == KeptKind::Dialog).map(|kept| kept.key.as_str()).collect();
        assert!(dialogs.is_empty(), "dialogs are kept of legs that are over: {dialogs:?}");
        assert!(self.unreplied.is_empty(), "orders that were never replied to: {:?}", self.unreplied);
    }

    fn judge_stories(&self) {
        let mut owners: BTreeMap<CallId, TenantId> = BTreeMap::new();
        for (id, tenant) in self.store.tenants() {
            for call in tenant.calls() {
                assert_eq!(owners.insert(call, id), None, "call {call} stands in the stories of two tenants");
                judge_call(tenant, call);
            }
            assert_eq!(tenant.calls().count(), tenant.records.len(), "calls and records are not one to one");
        }
    }

    fn judge_phones(&self) {
        for phone in &self.phones {
            let name = &phone.card.name;
            let live: Vec<&Talk> = phone.talks.iter().filter(|talk| talk.is_live()).collect();
            assert!(live.is_empty(), "{name} has calls left: {live:?}");
            let own = self.company(phone.card.tenant.0).settings.name.clone();
            for talk in phone.talks.iter().filter(|talk| !talk.caller) {
                let call = talk.named().filter(|call| self.store.has_swallowed(*call));
                assert_eq!(call, None, "{name} rang for an order with a key that nobody knows of, and may ring again");
                let foreign = self.companies.iter().map(|company| &company.settings.name);
                let seen = foreign.filter(|other| **other != own).find(|other| talk.shown.contains(other.as_str()));
                assert_eq!(seen, None, "{name} was called by another company: {}", talk.shown);
            }
        }
    }
}

fn judge_call(tenant: &Tenant, call: CallId) {
    let events = tenant.of_call(call);
    let told: Vec<&CallEvent> = events
        .iter()
        .filter_map(|event| match &event.what {
            What::Call(what) => Some(what),
            _ => None,
        })
        .collect();
    assert!(matches!(told.first(), Some(CallEvent::Started { .. })), "{call} does not begin with its start: {told:?}");
    let ends = told.iter().filter(|what| matches!(what, CallEvent::Ended { .. })).count();
    assert_eq!(ends, 1, "{call} has {ends} ends: {told:?}");
    assert!(matches!(told.last(), Some(CallEvent::Ended { .. })), "{call} goes on after its end: {told:?}");

    let record = tenant.records.get(&call).unwrap_or_else(|| panic!("{call} has no record"));
    assert_eq!(Record::of(events).as_ref(), Some(record), "the record of {call} is not what its events say");
    assert!(record.ended_at.is_some(), "{call} has not ended: {record:?}");
    assert_ne!(record.reason, Some(Reason::Internal), "a bug ended {call}: {told:?}");
    for leg in &record.legs {
        assert!(leg.ended_at.is_some(), "a leg of {call} has not ended: {leg:?}");
        let ended = told.iter().filter(|what| matches!(what, CallEvent::LegEnded { leg: own, .. } if *own == leg.leg));
        assert_eq!(ended.count(), 1, "a leg of {call} ended more than once: {told:?}");
    }

    let mut recordings: BTreeMap<RecordingId, Vec<&RecordingEvent>> = BTreeMap::new();
    for event in events {
        if let (Subject::Recording(id), What::Recording(what)) = (&event.subject, &event.what) {
            recordings.entry(*id).or_default().push(what);
        }
    }
    for (id, told) in recordings {
        let begins = matches!(told.first(), Some(RecordingEvent::Started { .. }));
        let is_end =
            |what: &&&RecordingEvent| matches!(what, RecordingEvent::Closed { .. } | RecordingEvent::Failed { .. });
        let ends = told.last().is_some_and(|last| is_end(&last)) && told.iter().filter(is_end).count() == 1;
        assert!(begins && ends, "the recording {id} of {call} does not begin and end once: {told:?}");
    }
    let files: BTreeSet<&str> = record.recordings.iter().map(|recording| recording.file.as_str()).collect();
    assert_eq!(files.len(), record.recordings.len(), "two recordings of {call} are one file: {record:?}");
    judge_consultation(tenant, record);
}

/// A consultation is about a call of the same tenant, and becomes a part of no other.
fn judge_consultation(tenant: &Tenant, record: &Record) {
    assert_eq!(record.about.is_some(), record.origin == Origin::Consultation, "about what? {record:?}");
    assert_eq!(record.merged_into.is_some(), record.reason == Some(Reason::Merged), "merged into what? {record:?}");
    if let Some(about) = record.about {
        let known = tenant.records.get(&about).unwrap_or_else(|| panic!("{about} has no record"));
        let named = known.transfers.iter().any(|transfer| transfer.consultation == Some(record.callid));
        // The process may have died between the two batches.
        let died = [known, record].into_iter().any(|record| record.reason == Some(Reason::SystemCrash));
        assert!(named || died, "{about} does not know of its consultation {}", record.callid);
        assert!(record.merged_into.is_none_or(|into| into == about), "merged into another call: {record:?}");
    }
    for transfer in &record.transfers {
        let decided = transfer.target.is_some() != transfer.failed.is_some();
        let died = record.reason == Some(Reason::SystemCrash);
        assert!(decided || died, "an attempt to transfer has no outcome, or two: {record:?}");
    }
}
