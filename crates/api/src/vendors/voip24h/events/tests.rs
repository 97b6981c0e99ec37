//! The story of a call, batch by batch, and what each extension is told of it.

use std::sync::Arc;

use model::{CallId, EndedBy, EngineNumber, Event, Party, Reason, RecordingEvent, Subject, Text};

use super::*;

const AS_DOCUMENTED: Switches =
    Switches { null_type_on_hangup: true, lower_case_states: false, feedback_md5_with_bars: true };
const AS_CAPTURED: Switches = Switches { null_type_on_hangup: false, ..AS_DOCUMENTED };

#[test]
fn a_click_to_call_rings_the_agent_then_the_customer() {
    let call = Call::click("101", outside("0900000001"));
    check(
        vec![
            vec![call.started(), call.leg(1, Side::Agent, extension("101"), false)],
            vec![call.ringing(1)],
            vec![call.answered(1), call.leg(2, Side::Customer, outside("0900000001"), false)],
            vec![call.ringing(2)],
            vec![call.answered(2), call.connected(1, 2)],
            vec![call.over(2), call.over(1), call.ended()],
        ],
        "
        101 Ring 0900000001 outbound caller
        101 Ringing 0900000001 outbound caller
        101 Up 0900000001 outbound caller
        101 Hangup 0900000001 - caller
        ",
    );
}

#[test]
fn a_ring_group_tells_each_extension_for_itself() {
    let call = Call::inbound("0900000001");
    check(
        vec![
            vec![
                call.started(),
                call.leg(1, Side::Customer, outside("0900000001"), true),
                call.leg(2, Side::Agent, extension("101"), false),
                call.leg(3, Side::Agent, extension("102"), false),
            ],
            vec![call.ringing(2)],
            vec![call.ringing(3)],
            vec![call.answered(3), call.answered(1), call.connected(3, 1)],
            vec![call.over(2)],
            vec![call.over(1), call.over(3), call.ended()],
        ],
        "
        101 Ring 0900000001 inbound callee
        102 Ring 0900000001 inbound callee
        102 Up 0900000001 inbound callee
        101 Hangup 0900000001 - callee
        102 Hangup 0900000001 - callee
        ",
    );
}

#[test]
fn several_phones_of_one_extension_are_one() {
    let call = Call::inbound("0900000001");
    check(
        vec![
            vec![call.started(), call.leg(1, Side::Customer, outside("0900000001"), true)],
            vec![call.leg(2, Side::Agent, extension("101"), false), call.leg(3, Side::Agent, extension("101"), false)],
            vec![call.ringing(3), call.ringing(2)],
            vec![call.answered(2), call.answered(1), call.connected(2, 1), call.over(3)],
            vec![call.over(1), call.over(2), call.ended()],
        ],
        "
        101 Ring 0900000001 inbound callee
        101 Up 0900000001 inbound callee
        101 Hangup 0900000001 - callee
        ",
    );
}

#[test]
fn between_extensions_each_hears_of_the_other() {
    let call = Call::new(Origin::Phone, Direction::Local, extension("101"), extension("102"));
    check(
        vec![
            vec![
                call.started(),
                call.leg(1, Side::Customer, extension("101"), true),
                call.leg(2, Side::Agent, extension("102"), false),
            ],
            vec![call.ringing(2)],
            vec![call.answered(2), call.answered(1), call.connected(2, 1)],
            vec![call.over(1), call.over(2), call.ended()],
        ],
        "
        101 Ring 102 local caller
        102 Ring 101 local callee
        102 Up 101 local callee
        101 Up 102 local caller
        101 Hangup 102 - caller
        102 Hangup 101 - callee
        ",
    );
}

#[test]
fn an_extension_that_dials_out_hears_ring_at_once_and_nothing_of_the_customers_ringing() {
    let call = Call::new(Origin::Phone, Direction::Outbound, extension("101"), outside("0900000001"));
    check(
        vec![
            vec![call.started(), call.leg(1, Side::Agent, extension("101"), true)],
            vec![call.leg(2, Side::Customer, outside("0900000001"), false)],
            vec![call.ringing(2)],
            vec![call.over(2), call.over(1), call.ended()],
        ],
        "
        101 Ring 0900000001 outbound caller
        101 Hangup 0900000001 - caller
        ",
    );
}

#[test]
fn a_phone_that_answers_without_ringing_has_rung() {
    let call = Call::click("101", outside("0900000001"));
    check(
        vec![
            vec![call.started(), call.leg(1, Side::Agent, extension("101"), false)],
            vec![call.answered(1), call.leg(2, Side::Customer, outside("0900000001"), false)],
            vec![call.over(2), call.over(1), call.ended()],
        ],
        "
        101 Ring 0900000001 outbound caller
        101 Hangup 0900000001 - caller
        ",
    );
}

#[test]
fn a_carrier_that_rings_twice_is_told_once() {
    let call = Call::click("101", outside("0900000001"));
    check(
        vec![
            vec![call.started(), call.leg(1, Side::Agent, extension("101"), false)],
            vec![call.ringing(1), call.ringing_again(1)],
            vec![call.answered(1), call.leg(2, Side::Customer, outside("0900000001"), false)],
            vec![call.ringing(2)],
            vec![call.ringing_again(2)],
        ],
        "
        101 Ring 0900000001 outbound caller
        101 Ringing 0900000001 outbound caller
        ",
    );
}

#[test]
fn a_call_that_was_closed_after_a_crash_still_hangs_up() {
    let call = Call::inbound("0900000001");
    check(
        vec![
            vec![
                call.started(),
                call.leg(1, Side::Customer, outside("0900000001"), true),
                call.leg(2, Side::Agent, extension("101"), false),
            ],
            vec![call.ringing(2)],
            vec![call.ended()],
        ],
        "
        101 Ring 0900000001 inbound callee
        101 Hangup 0900000001 - callee
        ",
    );
}

#[test]
fn the_switches_change_type_and_states() {
    let call = Call::click("101", outside("0900000001"));
    let batches = || {
        vec![
            vec![call.started(), call.leg(1, Side::Agent, extension("101"), false)],
            vec![call.ringing(1)],
            vec![call.over(1), call.ended()],
        ]
    };

    let captured = told(batches(), &AS_CAPTURED);
    let lower = told(batches(), &Switches { lower_case_states: true, ..AS_DOCUMENTED });

    assert_eq!(captured.last().and_then(|event| event.kind), Some("outbound"));
    assert_eq!(lower.iter().map(|event| event.state.as_str()).collect::<Vec<_>>(), ["ring", "hangup"]);
}

#[test]
fn the_body_has_the_documented_names_and_ids_as_strings() {
    let call = Call::click("101", outside("0900000001"));
    let batches = vec![
        vec![call.started(), call.leg(1, Side::Agent, extension("101"), false)],
        vec![call.ringing(1)],
        vec![call.over(1), call.ended()],
    ];

    let bodies: Vec<_> =
        told(batches, &AS_DOCUMENTED).iter().map(|event| serde_json::to_string(event).expect("JSON")).collect();

    assert_eq!(
        bodies,
        [
            r#"{"extend":"101","state":"Ring","phone":"0900000001","callid":"1700000000.1000100","type":"outbound","uniqueid":"1700000000.1000101","linkedid":"1700000000.1000100","channel":"SIP/101-000f42a5","note":"caller"}"#,
            r#"{"extend":"101","state":"Hangup","phone":"0900000001","callid":"1700000000.1000100","type":null,"uniqueid":"1700000000.1000101","linkedid":"1700000000.1000100","channel":"SIP/101-000f42a5","note":"caller"}"#,
        ]
    );
}

#[test]
fn events_of_other_subjects_say_nothing() {
    let what = What::Recording(RecordingEvent::Failed { why: Text::from("disk full") });
    let id = CallId::new(1_700_000_000, EngineNumber(1), 100);
    let event = Event { subject: Subject::Recording(id.first_recording()), seq: 1, at: at(0), callid: Some(id), what };

    assert_eq!(render(&StoredEvent { position: 1, event, record: None }, &AS_DOCUMENTED), []);
}

fn check(batches: Vec<Vec<CallEvent>>, expected: &str) {
    let lines: Vec<String> = told(batches, &AS_DOCUMENTED)
        .iter()
        .map(|told| format!("{} {} {} {} {}", told.extend, told.state, told.phone, told.kind.unwrap_or("-"), told.note))
        .collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected);
}

/// Every batch a second after the one before; each event with the record as it stood after its batch.
fn told(batches: Vec<Vec<CallEvent>>, switches: &Switches) -> Vec<ResponseEvent> {
    let id = CallId::new(1_700_000_000, EngineNumber(1), 100);
    let (mut record, mut seq, mut told) = (None::<Record>, 0, Vec::new());
    for (second, batch) in batches.into_iter().enumerate() {
        let mut events = Vec::new();
        for (nth, what) in batch.into_iter().enumerate() {
            seq += 1;
            // What a carrier says a second time comes later.
            let again = matches!(what, CallEvent::LegRinging { early_sound: true, .. });
            let at = at(second as i64 * 1_000 + if again { nth as i64 } else { 0 });
            let event = Event { subject: Subject::Call(id), seq, at, callid: Some(id), what: What::Call(what) };
            match &mut record {
                Some(record) => record.apply(&event),
                None => record = Record::start(&event).ok(),
            }
            events.push(event);
        }
        let record = record.clone().map(Arc::new);
        for event in events {
            let position = i64::from(event.seq);
            told.extend(render(&StoredEvent { position, event, record: record.clone() }, switches));
        }
    }
    told
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + milliseconds).expect("a moment")
}

fn extension(number: &str) -> Party {
    Party::Extension { number: number.into() }
}

fn outside(number: &str) -> Party {
    Party::Outside { number: number.into(), shown: None, trunk: Some("carrier".into()) }
}

struct Call {
    origin: Origin,
    direction: Direction,
    from: Party,
    to: Party,
}

impl Call {
    fn new(origin: Origin, direction: Direction, from: Party, to: Party) -> Self {
        Self { origin, direction, from, to }
    }

    fn click(from: &str, to: Party) -> Self {
        Self::new(Origin::Click, Direction::Outbound, extension(from), to)
    }

    fn inbound(from: &str) -> Self {
        Self::new(Origin::Trunk, Direction::Inbound, outside(from), outside("842873088088"))
    }

    fn started(&self) -> CallEvent {
        CallEvent::Started {
            origin: self.origin,
            direction: self.direction,
            from: self.from.clone(),
            to: self.to.clone(),
            did: Some("842873088088".into()),
            about: None,
        }
    }

    fn leg(&self, leg: u32, side: Side, party: Party, caller: bool) -> CallEvent {
        CallEvent::LegStarted { leg: id(leg), side, party, caller }
    }

    fn ringing(&self, leg: u32) -> CallEvent {
        CallEvent::LegRinging { leg: id(leg), early_sound: false }
    }

    fn ringing_again(&self, leg: u32) -> CallEvent {
        CallEvent::LegRinging { leg: id(leg), early_sound: true }
    }

    fn answered(&self, leg: u32) -> CallEvent {
        CallEvent::LegAnswered { leg: id(leg) }
    }

    fn connected(&self, agent: u32, customer: u32) -> CallEvent {
        CallEvent::Connected { agent: id(agent), customer: id(customer) }
    }

    fn over(&self, leg: u32) -> CallEvent {
        CallEvent::LegEnded { leg: id(leg), reason: Reason::HungUp, sip: 200, cause: None, by: EndedBy::Customer }
    }

    fn ended(&self) -> CallEvent {
        CallEvent::Ended { reason: Reason::HungUp, sip: 200, cause: None, by: EndedBy::Customer, merged_into: None }
    }
}

fn id(leg: u32) -> LegId {
    LegId::new(1_700_000_000, EngineNumber(1), 100 + leg)
}
