//! A call's story: its events in order, and the record they make. What a step tells is stored as one batch.

use std::collections::{BTreeMap, VecDeque};

use model::{
    Batch, CallEvent, CallId, ClaimedKey, Event, MeasuredLeg, Problem, Record, RecordingEvent, RecordingId, Reply,
    SoundEvent, Subject, TenantId, Ticket, Timestamp, Told, What,
};

use crate::edge::Output;

/// Events and record of one call.
#[derive(Clone, Debug)]
pub struct Story {
    callid: CallId,
    seq: u32,
    /// The last `seq` of each of its recordings.
    recordings: BTreeMap<RecordingId, u32>,
    record: Option<Record>,
    /// The claim that the call answers, until it is put out with the first batch.
    claim: Option<ClaimedKey>,
    /// The name under which the engine waits for that batch.
    awaited: Option<Ticket>,
    /// Told in this step, not put out.
    events: Vec<Event>,
    /// Replies that must not reach their askers before the events of this step are stored.
    replies: Vec<(Ticket, Result<Reply, Problem>)>,
}

impl Story {
    /// The story of a call that has told nothing.
    pub fn new(callid: CallId) -> Self {
        Self {
            callid,
            seq: 0,
            recordings: BTreeMap::new(),
            record: None,
            claim: None,
            awaited: None,
            events: Vec::new(),
            replies: Vec::new(),
        }
    }

    /// Goes on with the story of a call that an earlier engine began.
    pub fn resume(record: Record) -> Self {
        let callid = record.callid;
        let recordings = record.recordings.iter().map(|recording| (recording.recording, recording.seq)).collect();
        Self { seq: record.seq, recordings, record: Some(record), ..Self::new(callid) }
    }

    /// Whose story it is.
    pub fn callid(&self) -> CallId {
        self.callid
    }

    /// Tells what happened to the call or a leg.
    pub fn tell(&mut self, at: Timestamp, what: CallEvent) {
        self.seq += 1;
        self.add(Event {
            subject: Subject::Call(self.callid),
            seq: self.seq,
            at,
            callid: Some(self.callid),
            what: What::Call(what),
        });
    }

    /// Tells what happened to one of the call's recordings.
    pub fn tell_recording(&mut self, at: Timestamp, id: RecordingId, what: RecordingEvent) {
        let seq = self.recordings.entry(id).or_default();
        *seq += 1;
        let seq = *seq;
        self.add(Event {
            subject: Subject::Recording(id),
            seq,
            at,
            callid: Some(self.callid),
            what: What::Recording(what),
        });
    }

    /// Tells how well the call's sound travelled. Once.
    pub fn tell_sound(&mut self, at: Timestamp, legs: Vec<MeasuredLeg>) {
        self.add(Event {
            subject: Subject::Sound(self.callid),
            seq: 1,
            at,
            callid: Some(self.callid),
            what: What::Sound(SoundEvent::Measured { legs }),
        });
    }

    /// The call is the answer to this claim; its first batch says so, and is awaited under this name.
    pub fn answers(&mut self, claim: ClaimedKey, awaited: Ticket) {
        self.claim = Some(claim);
        self.awaited = Some(awaited);
    }

    /// Replies to a command after what this step tells is stored.
    pub fn reply(&mut self, ticket: Ticket, reply: Result<Reply, Problem>) {
        self.replies.push((ticket, reply));
    }

    /// The record as it stands. None before the call's first event.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Puts out what was told in this step.
    pub fn flush(&mut self, tenant: TenantId, out: &mut VecDeque<Output>) {
        if !self.events.is_empty() {
            let batch = Batch {
                tenant,
                events: std::mem::take(&mut self.events),
                record: self.record.clone().map(Box::new),
                claim: self.claim.take(),
                awaited: self.awaited.take(),
            };
            out.push_back(Output::Told(Told::Batch(batch)));
        }
        for (ticket, reply) in self.replies.drain(..) {
            out.push_back(Output::Told(Told::Reply { ticket, reply }));
        }
    }

    fn add(&mut self, event: Event) {
        match &mut self.record {
            Some(record) => record.apply(&event),
            None => self.record = Record::start(&event).ok(),
        }
        self.events.push(event);
    }
}

#[cfg(test)]
mod tests {
    use model::{Direction, EngineNumber, Origin, Party};

    use super::*;

    #[test]
    fn a_claim_stands_in_the_first_batch_only() {
        let id = CallId::new(1_700_000_000, EngineNumber(1), 0);
        let claim = ClaimedKey { owner: "admin".into(), key: "order-1".into() };
        let (mut story, mut out) = (Story::new(id), VecDeque::new());
        let party = |number: &str| Party::Extension { number: number.into() };
        let started = CallEvent::Started {
            origin: Origin::Click,
            direction: Direction::Local,
            from: party("101"),
            to: party("102"),
            did: None,
            about: None,
        };

        story.answers(claim.clone(), Ticket(7));
        story.tell(Timestamp::UNIX_EPOCH, started);
        story.flush(TenantId(1), &mut out);
        story.tell(Timestamp::UNIX_EPOCH, CallEvent::LegRinging { leg: id.first_leg(), early_sound: false });
        story.flush(TenantId(1), &mut out);

        let claims: Vec<_> = out
            .into_iter()
            .filter_map(|output| match output {
                Output::Told(Told::Batch(batch)) => Some((batch.claim, batch.awaited)),
                _ => None,
            })
            .collect();
        assert_eq!(claims, [(Some(claim), Some(Ticket(7))), (None, None)]);
    }
}
