//! The missing last events of calls that were open when an engine died, made by the same code that tells live ones.

use std::collections::VecDeque;

use model::{CallEvent, EndedBy, Reason, Record, RecordingEvent, RecordingId, TenantId, Timestamp, Told};

use crate::call::story::Story;
use crate::edge::Output;

/// Ends the story of a call that an earlier engine left open: its legs, itself, and its recordings as they were found.
///
/// `record` is the record as it was stored last. `repaired` is what became of those of its recordings that were being
/// written. `died_at` is when the engine died, as well as that can be known.
pub fn recover(
    tenant: TenantId,
    record: Record,
    repaired: Vec<(RecordingId, RecordingEvent)>,
    died_at: Timestamp,
) -> Vec<Told> {
    let is_known = |recording: RecordingId| record.recordings.iter().any(|known| known.recording == recording);
    let repaired: Vec<_> = repaired.into_iter().filter(|(recording, _)| is_known(*recording)).collect();
    let legs: Vec<_> = record.legs.iter().filter(|leg| leg.ended_at.is_none()).map(|leg| leg.leg).collect();
    let is_open = record.ended_at.is_none();
    let at = died_at.max(record.started_at);
    let mut story = Story::resume(record);
    let reason = Reason::SystemCrash;
    if is_open {
        for leg in legs {
            story.tell(
                at,
                CallEvent::LegEnded { leg, reason, sip: reason.sip(), cause: None, by: EndedBy::Switchboard },
            );
        }
        let by = EndedBy::Switchboard;
        story.tell(at, CallEvent::Ended { reason, sip: reason.sip(), cause: None, by, merged_into: None });
    }
    for (recording, what) in repaired {
        story.tell_recording(at, recording, what);
    }
    let mut out = VecDeque::new();
    story.flush(tenant, &mut out);
    out.into_iter()
        .filter_map(|output| match output {
            Output::Told(told) => Some(told),
            Output::Wire(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{CallId, Direction, EngineNumber, Event, Origin, Party, Side, Status, Subject, What};

    fn open_call() -> Record {
        let id = CallId::new(1_767_225_600, EngineNumber(3), 1);
        let at = |second: i64| Timestamp::from_second(1_767_225_600 + second).unwrap();
        let event =
            |seq, second, what| Event { subject: Subject::Call(id), seq, at: at(second), callid: Some(id), what };
        let other = model::LegId::new(1_767_225_600, EngineNumber(3), 2);
        let events = [
            event(
                1,
                0,
                What::Call(CallEvent::Started {
                    origin: Origin::Phone,
                    direction: Direction::Local,
                    from: Party::Extension { number: "101".into() },
                    to: Party::Extension { number: "102".into() },
                    did: None,
                    about: None,
                }),
            ),
            event(
                2,
                0,
                What::Call(CallEvent::LegStarted {
                    leg: id.first_leg(),
                    side: Side::Customer,
                    party: Party::Extension { number: "101".into() },
                    caller: true,
                }),
            ),
            event(
                3,
                0,
                What::Call(CallEvent::LegStarted {
                    leg: other,
                    side: Side::Agent,
                    party: Party::Extension { number: "102".into() },
                    caller: false,
                }),
            ),
            event(4, 5, What::Call(CallEvent::Connected { agent: other, customer: id.first_leg() })),
        ];
        Record::of(&events).unwrap()
    }

    #[test]
    fn a_call_that_was_open_gets_its_missing_last_events() {
        let record = open_call();
        let died_at = Timestamp::from_second(1_767_225_665).unwrap();

        let told = recover(TenantId(1), record, Vec::new(), died_at);

        let [Told::Batch(batch)] = &told[..] else { panic!("one batch: {told:?}") };
        let seqs: Vec<u32> = batch.events.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, [5, 6, 7]);
        let record = batch.record.as_ref().unwrap();
        assert_eq!(record.status, Status::Answered);
        assert_eq!(record.reason, Some(Reason::SystemCrash));
        assert_eq!(record.bill_seconds(), Some(60));
        assert!(record.legs.iter().all(|leg| leg.ended_at.is_some()));
    }
}
