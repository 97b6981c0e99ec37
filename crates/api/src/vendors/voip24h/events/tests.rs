//! The story of a call, batch by batch, and what each extension is told of it.

use std::sync::Arc;

use model::{
    EndedBy, EngineNumber, Event, Language, Party, Reason, RecordingEvent, Side, Subject, TenantId, Text, TransferMode,
};

use super::super::missed::missed;

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
fn a_phone_that_refuses_without_ringing_closes_nobodys_window() {
    let call = Call::inbound("0900000001");
    let batches = vec![
        vec![
            call.started(),
            call.leg(1, Side::Customer, outside("0900000001"), true),
            call.leg(2, Side::Agent, extension("101"), false),
        ],
        vec![call.over(2), call.leg(3, Side::Agent, extension("102"), false)],
        vec![call.ringing(3)],
        vec![call.over(1), call.over(3), call.ended()],
    ];
    check(
        batches,
        "
        102 Ring 0900000001 inbound callee
        102 Hangup 0900000001 - callee
        ",
    );

    let click = Call::click("101", outside("0900000001"));
    let started = vec![click.started(), click.leg(1, Side::Agent, extension("101"), false)];
    let refused = || vec![started.clone(), vec![click.over(1), click.ended()]];
    let crashed = vec![started.clone(), vec![click.ended()]];
    check(refused(), "");
    check(crashed, "");
    let bodies = hooks(refused(), &tenant(AS_DOCUMENTED), webhooks);
    assert_eq!(bodies.len(), 1, "only what it came to: {bodies:?}");
    assert_eq!(bodies[0]["state"], "Cdr");
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

#[test]
fn a_blind_transfer_tells_the_new_extension_and_lets_go_of_the_one_that_left() {
    let call = Call::inbound("0900000001");
    let mut batches = call.answered_by_101();
    batches.extend([
        vec![call.transferring(2, extension("102")), call.gave_away(2)],
        vec![call.leg(3, Side::Agent, extension("102"), false)],
        vec![call.ringing(3)],
        vec![call.answered(3), call.connected(3, 1), call.transferred(2, 3)],
        vec![call.over(1), call.over(3), call.ended()],
    ]);
    check(
        batches,
        "
        101 Ring 0900000001 inbound callee
        101 Up 0900000001 inbound callee
        102 Ring 0900000001 inbound callee
        102 Up 0900000001 inbound callee
        101 Hangup 0900000001 - callee
        102 Hangup 0900000001 - callee
        ",
    );
}

#[test]
fn a_phone_that_is_rung_back_goes_on_with_the_stay_it_had() {
    let call = Call::inbound("0900000001");
    for taken_back in [true, false] {
        let mut batches = call.answered_by_101();
        batches.extend([
            vec![call.transferring(2, extension("102")), call.gave_away(2)],
            vec![call.leg(3, Side::Agent, extension("102"), false)],
            vec![call.ringing(3)],
            vec![call.over(3), call.transfer_failed(2), call.leg(4, Side::Agent, extension("101"), false)],
            vec![call.ringing(4)],
        ]);
        if taken_back {
            batches.push(vec![call.answered(4), call.connected(4, 1)]);
        }
        batches.push(vec![call.over(1), call.over(4), call.ended()]);
        check(
            batches,
            "
            101 Ring 0900000001 inbound callee
            101 Up 0900000001 inbound callee
            102 Ring 0900000001 inbound callee
            102 Hangup 0900000001 - callee
            101 Hangup 0900000001 - callee
            ",
        );
    }
}

#[test]
fn a_transfer_that_the_customer_does_not_wait_for_hangs_up_once() {
    let call = Call::inbound("0900000001");
    let mut batches = call.answered_by_101();
    batches.extend([
        vec![call.transferring(2, extension("102")), call.gave_away(2)],
        vec![call.leg(3, Side::Agent, extension("102"), false)],
        vec![call.ringing(3)],
        vec![call.over(1), call.over(3), call.ended()],
    ]);
    check(
        batches,
        "
        101 Ring 0900000001 inbound callee
        101 Up 0900000001 inbound callee
        102 Ring 0900000001 inbound callee
        102 Hangup 0900000001 - callee
        101 Hangup 0900000001 - callee
        ",
    );
}

#[test]
fn an_attended_transfer_brings_the_target_in_when_it_is_done() {
    let call = Call::inbound("0900000001");
    for order in [[0, 1, 2], [1, 2, 0]] {
        let mut batches = call.answered_by_101();
        let done = [
            vec![call.gave_away(2)],
            vec![call.leg(3, Side::Agent, extension("102"), false), call.answered(3), call.connected(3, 1)],
            vec![call.transferred(2, 3)],
        ];
        batches.push(vec![call.transferring(2, extension("102"))]);
        batches.push(order.iter().flat_map(|nth: &usize| done[*nth].clone()).collect());
        batches.push(vec![call.over(1), call.over(3), call.ended()]);
        let mut lines = lines(batches);
        // The leg that leaves and the one that comes are told in the order of their events.
        lines[2..5].sort();
        assert_eq!(
            lines,
            [
                "101 Ring 0900000001 inbound callee",
                "101 Up 0900000001 inbound callee",
                "101 Hangup 0900000001 - callee",
                "102 Ring 0900000001 inbound callee",
                "102 Up 0900000001 inbound callee",
                "102 Hangup 0900000001 - callee",
            ],
            "{order:?}"
        );
    }
}

#[test]
fn after_a_transfer_that_failed_the_agent_hangs_up_as_ever() {
    let call = Call::inbound("0900000001");
    let mut batches = call.answered_by_101();
    batches.extend([
        vec![call.transferring(2, extension("102"))],
        vec![call.transfer_failed(2)],
        vec![call.connected(2, 1)],
        vec![call.over(2), call.over(1), call.ended()],
    ]);
    check(
        batches,
        "
        101 Ring 0900000001 inbound callee
        101 Up 0900000001 inbound callee
        101 Hangup 0900000001 - callee
        ",
    );
}

#[test]
fn an_extension_that_the_caller_comes_back_to_is_told_anew() {
    let call = Call::inbound("0900000001");
    let mut batches = call.answered_by_101();
    batches.extend([
        vec![call.transferring(2, extension("102")), call.gave_away(2)],
        vec![call.leg(3, Side::Agent, extension("102"), false), call.ringing(3)],
        vec![call.answered(3), call.connected(3, 1), call.transferred(2, 3)],
        vec![call.transferring(3, extension("101")), call.gave_away(3)],
        vec![call.leg(4, Side::Agent, extension("101"), false), call.ringing(4)],
        vec![call.answered(4), call.connected(4, 1), call.transferred(3, 4)],
        vec![call.over(1), call.over(4), call.ended()],
    ]);
    check(
        batches,
        "
        101 Ring 0900000001 inbound callee
        101 Up 0900000001 inbound callee
        102 Ring 0900000001 inbound callee
        102 Up 0900000001 inbound callee
        101 Hangup 0900000001 - callee
        101 Ring 0900000001 inbound callee
        101 Up 0900000001 inbound callee
        102 Hangup 0900000001 - callee
        101 Hangup 0900000001 - callee
        ",
    );
}

#[test]
fn a_consultation_is_a_local_call_of_its_own() {
    let call = Call::new(Origin::Consultation, Direction::Local, extension("101"), extension("102"));
    check(
        vec![
            vec![
                call.started(),
                call.leg(1, Side::Agent, extension("101"), true),
                call.leg(2, Side::Customer, extension("102"), false),
            ],
            vec![call.ringing(2)],
            vec![call.answered(2), call.answered(1), call.connected(1, 2)],
            vec![call.over(1), call.over(2), call.ended()],
        ],
        "
        101 Ring 102 local caller
        102 Ring 101 local callee
        101 Up 102 local caller
        102 Up 101 local callee
        101 Hangup 102 - caller
        102 Hangup 101 - callee
        ",
    );
}

#[test]
fn between_extensions_the_other_side_is_whoever_stays() {
    let call = Call::new(Origin::Phone, Direction::Local, extension("101"), extension("102"));
    let talking = || {
        vec![vec![
            call.started(),
            call.leg(1, Side::Customer, extension("101"), true),
            call.leg(2, Side::Agent, extension("102"), false),
            call.answered(2),
            call.answered(1),
            call.connected(2, 1),
        ]]
    };
    for (gives, side, other) in [(2, Side::Agent, "101"), (1, Side::Customer, "102")] {
        let (agent, customer) = if gives == 2 { (3, 1) } else { (2, 3) };
        let mut batches = talking();
        batches.extend([
            vec![call.transferring(gives, extension("103")), call.gave_away(gives)],
            vec![call.leg(3, side, extension("103"), false), call.ringing(3)],
            vec![call.answered(3), call.connected(agent, customer), call.transferred(gives, 3)],
        ]);

        let lines = lines(batches);

        let up = format!("103 Up {other} local callee");
        assert_eq!(lines.iter().filter(|line| line.contains(" Up ")).count(), 3, "nobody is told twice: {lines:?}");
        assert!(lines.contains(&up), "{lines:?}");
    }
}

#[test]
fn the_documented_bodies_of_event_hooks_are_sent_to_the_letter() {
    let inbound = Call::inbound("0900000001");
    let mut answered = inbound.answered_by_101();
    answered.push(vec![inbound.over(1), inbound.over(2), inbound.ended()]);
    let click = Call::click("101", outside("0900000001"));
    let unanswered = vec![
        vec![click.started(), click.leg(1, Side::Agent, extension("101"), false)],
        vec![click.ringing(1)],
        vec![click.answered(1), click.leg(2, Side::Customer, outside("0900000001"), false)],
        vec![click.ringing(2)],
        vec![click.over(2), click.over(1), click.ended_with(Reason::NoAnswer, 480)],
    ];

    for (batches, fixture) in [
        (answered, include_str!("../fixtures/hooks/events_inbound.json")),
        (unanswered, include_str!("../fixtures/hooks/events_click.json")),
    ] {
        assert_eq!(Value::from(hooks(batches, &tenant(AS_DOCUMENTED), webhooks)), bodies_of(fixture));
    }
}

#[test]
fn the_cdr_names_whoever_talked_and_the_tenants_number() {
    let unanswered = |call: &Call| {
        vec![vec![call.started(), call.leg(1, Side::Agent, extension("101"), false)], vec![call.over(1), call.ended()]]
    };
    for (call, source, destination) in [
        (Call::click("101", outside("0900000001")), "842873088088", "0900000001"),
        (Call::new(Origin::Phone, Direction::Local, extension("101"), extension("102")), "101", "102"),
        (Call::inbound("0900000001"), "0900000001", "842873088088"),
    ] {
        let bodies = hooks(unanswered(&call), &tenant(AS_CAPTURED), webhooks);

        let last = bodies.last().expect("a final event");
        let cdr = &last["cdr"];
        assert_eq!((&cdr["source"], &cdr["destination"]), (&source.into(), &destination.into()));
        assert_eq!((&cdr["answertime"], &cdr["billsec"]), (&"".into(), &"0".into()));
        assert_eq!(bodies.iter().filter(|body| body["state"] == "Cdr").count(), 1);
    }
}

#[test]
fn hooks_follow_the_switches() {
    let lower = Switches { lower_case_states: true, ..AS_CAPTURED };
    let call = Call::inbound("0900000001");
    let mut batches = call.answered_by_101();
    batches.push(vec![call.over(1), call.over(2), call.ended()]);

    let bodies = hooks(batches, &tenant(lower), webhooks);

    let words: Vec<_> = bodies.iter().map(|body| body["state"].as_str().unwrap_or_default()).collect();
    assert_eq!(words, ["ring", "up", "hangup", "cdr"]);
    assert!(bodies.iter().all(|body| body["type"] == "inbound"));
}

#[test]
fn a_call_that_nobody_took_is_missed_once() {
    let call = Call::inbound("0900000001");
    let batches = vec![
        vec![
            call.started(),
            call.leg(1, Side::Customer, outside("0900000001"), true),
            call.leg(2, Side::Agent, extension("101"), false),
        ],
        vec![call.ringing(2)],
        vec![call.over(2), call.over(1), call.ended_with(Reason::Cancelled, 487)],
    ];

    let bodies = hooks(batches, &tenant(AS_DOCUMENTED), |stored, tenant| missed(stored, tenant).into_iter().collect());

    assert_eq!(Value::from(bodies), bodies_of(include_str!("../fixtures/hooks/missed_inbound.json")));
}

#[test]
fn of_outbound_calls_busy_and_no_answer_are_missed_and_of_local_ones_none() {
    let click = Call::click("101", outside("0900000001"));
    let local = Call::new(Origin::Phone, Direction::Local, extension("101"), extension("102"));
    for (call, reason, sip, expected) in [
        (&click, Reason::Busy, 486, Some("BUSY")),
        (&click, Reason::NoAnswer, 480, Some("NO ANSWER")),
        (&click, Reason::Cancelled, 487, Some("NO ANSWER")),
        (&click, Reason::Failed, 500, None),
        (&click, Reason::Declined, 603, None),
        (&local, Reason::Busy, 486, None),
    ] {
        let batches = vec![
            vec![call.started(), call.leg(1, Side::Agent, extension("101"), false)],
            vec![call.answered(1), call.leg(2, Side::Customer, call.to.clone(), false)],
            vec![call.over(2), call.over(1), call.ended_with(reason, sip)],
        ];

        let body =
            hooks(batches, &tenant(AS_DOCUMENTED), |stored, tenant| missed(stored, tenant).into_iter().collect());

        let status = body.first().map(|body| body["status"].as_str().expect("a word"));
        assert_eq!(status, expected, "{reason:?}");
        if let Some(body) = body.first() {
            let found = (&body["src"], &body["dst"], &body["cnum"]);
            assert_eq!(found, (&"101".into(), &"0900000001".into(), &"842873088088".into()));
        }
    }
    let mut answered = Call::inbound("0900000001").answered_by_101();
    answered.push(vec![Call::inbound("0900000001").ended()]);
    let none = hooks(answered, &tenant(AS_DOCUMENTED), |stored, tenant| missed(stored, tenant).into_iter().collect());
    assert!(none.is_empty());
}

fn check(batches: Vec<Vec<CallEvent>>, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines(batches), expected);
}

fn lines(batches: Vec<Vec<CallEvent>>) -> Vec<String> {
    told(batches, &AS_DOCUMENTED)
        .iter()
        .map(|told| format!("{} {} {} {} {}", told.extend, told.state, told.phone, told.kind.unwrap_or("-"), told.note))
        .collect()
}

fn told(batches: Vec<Vec<CallEvent>>, switches: &Switches) -> Vec<ResponseEvent> {
    stored(batches).iter().flat_map(|stored| render(stored, switches)).collect()
}

/// What a hook is sent of these batches.
fn hooks(
    batches: Vec<Vec<CallEvent>>,
    tenant: &TenantEntry,
    bodies: impl Fn(&StoredEvent, &TenantEntry) -> Vec<Map<String, Value>>,
) -> Vec<Map<String, Value>> {
    stored(batches).iter().flat_map(|stored| bodies(stored, tenant)).collect()
}

/// What a fixture says is sent.
fn bodies_of(fixture: &str) -> Value {
    serde_json::from_str::<Value>(fixture).expect("JSON")["bodies"].take()
}

fn tenant(switches: Switches) -> TenantEntry {
    TenantEntry {
        id: TenantId(1),
        name: "VPBX_DEMO".into(),
        default: true,
        sip_domains: vec![],
        timezone: "Asia/Ho_Chi_Minh".into(),
        language: Language::Vi,
        country: "84".into(),
        switches,
        private_urls: false,
    }
}

/// Every batch a second after the one before; each event with the record as it stood after its batch.
fn stored(batches: Vec<Vec<CallEvent>>) -> Vec<StoredEvent> {
    let id = CallId::new(1_700_000_000, EngineNumber(1), 100);
    let (mut record, mut seq, mut stored) = (None::<Record>, 0, Vec::new());
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
        stored.extend(events.into_iter().map(|event| {
            let position = i64::from(event.seq);
            StoredEvent { position, event, record: record.clone() }
        }));
    }
    stored
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

    /// An inbound call that 101 has answered with leg 2.
    fn answered_by_101(&self) -> Vec<Vec<CallEvent>> {
        vec![
            vec![
                self.started(),
                self.leg(1, Side::Customer, outside("0900000001"), true),
                self.leg(2, Side::Agent, extension("101"), false),
            ],
            vec![self.ringing(2)],
            vec![self.answered(2), self.answered(1), self.connected(2, 1)],
        ]
    }

    fn transferring(&self, leg: u32, to: Party) -> CallEvent {
        CallEvent::Transferring { leg: id(leg), to, mode: TransferMode::Blind, consultation: None }
    }

    fn transferred(&self, leg: u32, target: u32) -> CallEvent {
        CallEvent::Transferred { leg: id(leg), target: id(target), mode: TransferMode::Blind }
    }

    fn transfer_failed(&self, leg: u32) -> CallEvent {
        CallEvent::TransferFailed { leg: id(leg), reason: Reason::NoAnswer, sip: 480 }
    }

    /// The leg is over because its party gave the other one away.
    fn gave_away(&self, leg: u32) -> CallEvent {
        let (reason, by) = (Reason::Transferred, EndedBy::Switchboard);
        CallEvent::LegEnded { leg: id(leg), reason, sip: 200, cause: None, by }
    }

    fn over(&self, leg: u32) -> CallEvent {
        CallEvent::LegEnded { leg: id(leg), reason: Reason::HungUp, sip: 200, cause: None, by: EndedBy::Customer }
    }

    fn ended(&self) -> CallEvent {
        self.ended_with(Reason::HungUp, 200)
    }

    fn ended_with(&self, reason: Reason, sip: u16) -> CallEvent {
        CallEvent::Ended { reason, sip, cause: None, by: EndedBy::Customer, merged_into: None }
    }
}

fn id(leg: u32) -> LegId {
    LegId::new(1_700_000_000, EngineNumber(1), 100 + leg)
}
