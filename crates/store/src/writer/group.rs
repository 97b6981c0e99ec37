//! What is stored in one transaction, and what of it needs a row: the last record of a call, the last value of a fact.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::{
    Batch, CallEvent, CallId, Event, Kept, KeptKind, Problem, Record, Reply, Subject, TenantId, Ticket, Told, What,
};
use tokio::sync::oneshot;

use super::Work;
use crate::records::facts::Tally;
use crate::records::rows::Counted;

/// Everything that goes into one transaction, and what follows its commit.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub batches: Vec<Batch>,
    pub keeps: Vec<Kept>,
    pub replies: Vec<(Ticket, Result<Reply, Problem>)>,
    pub marks: Vec<oneshot::Sender<()>>,
    pub closes: bool,
}

impl Group {
    pub fn gather(works: impl IntoIterator<Item = Work>) -> Self {
        let mut group = Self::default();
        for work in works {
            match work {
                Work::Told(Told::Batch(batch)) => group.batches.push(batch),
                Work::Told(Told::Keep(kept)) => group.keeps.push(kept),
                Work::Told(Told::Reply { ticket, reply }) => group.replies.push((ticket, reply)),
                Work::Mark(mark) => group.marks.push(mark),
                Work::Close => group.closes = true,
            }
        }
        group
    }

    pub fn events(&self) -> usize {
        self.batches.iter().map(|batch| batch.events.len()).sum()
    }

    /// Whether there is anything for the database.
    pub fn has_rows(&self) -> bool {
        !self.batches.is_empty() || !self.keeps.is_empty()
    }
}

/// A record to be saved.
pub(super) struct Saved<'a> {
    pub tenant: TenantId,
    pub record: &'a Record,
    /// Whether its recordings changed too.
    pub with_recordings: bool,
    /// Whether its call ends in this group; it does so once.
    pub ends: bool,
}

impl Saved<'_> {
    /// Whether its call was over before: nothing that it is found by changes any more.
    pub fn is_late(&self) -> bool {
        self.record.ended_at.is_some() && !self.ends
    }
}

/// What the calls that end in this group add to the tallies.
pub(super) fn counted(records: &[Saved<'_>]) -> Vec<(Tally, i64)> {
    let mut counted = Counted::default();
    for saved in records.iter().filter(|saved| saved.ends) {
        counted.add(saved.tenant, saved.record, 1);
    }
    counted.tallies()
}

/// The last record of each call, in the order in which the calls first appear.
pub(super) fn last_records(batches: &[Batch]) -> Vec<Saved<'_>> {
    let mut places: HashMap<(TenantId, CallId), usize> = HashMap::new();
    let mut last: Vec<Saved<'_>> = Vec::new();
    for batch in batches {
        let Some(record) = &batch.record else { continue };
        let with_recordings = batch.events.iter().any(|event| matches!(event.subject, Subject::Recording(_)));
        let is_end = |event: &Event| {
            event.callid == Some(record.callid) && matches!(event.what, What::Call(CallEvent::Ended { .. }))
        };
        let place = *places.entry((batch.tenant, record.callid)).or_insert_with(|| {
            last.push(Saved { tenant: batch.tenant, record, with_recordings: false, ends: false });
            last.len() - 1
        });
        last[place].record = record;
        last[place].with_recordings |= with_recordings;
        last[place].ends |= batch.events.iter().any(is_end);
    }
    last
}

/// The last value of each fact.
pub(super) fn last_values(keeps: &[Kept]) -> Vec<&Kept> {
    let mut last: BTreeMap<(TenantId, KeptKind, &str), &Kept> = BTreeMap::new();
    for kept in keeps {
        last.insert((kept.tenant, kept.kind, &kept.key), kept);
    }
    last.into_values().collect()
}

/// The tenants that have a story in these batches.
pub(super) fn tenants(batches: &[Batch]) -> HashSet<TenantId> {
    batches.iter().filter(|batch| !batch.events.is_empty()).map(|batch| batch.tenant).collect()
}
