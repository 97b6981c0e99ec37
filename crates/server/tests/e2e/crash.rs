//! The process is killed in the middle of ten calls.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sip::Method;
use testkit::phones::{Event, Phone, PhoneConfig};

use crate::common::Server;
use crate::support::office::{Company, Look, provision};
use crate::support::people::{TALKER, carrier, extension, hear_each_other, signed_in};
use crate::support::tools::{LIMIT, until};

const CALLS: usize = 10;

#[test]
fn ten_calls_that_a_kill_cuts_off_leave_ten_records_ten_ends_and_ten_recordings() {
    let carrier = carrier();
    let folder = tempfile::tempdir().expect("a folder");
    let (data, yaml) = (folder.path().join("data"), provision(&[Company::with_carrier(carrier.address())]));
    let mut first = Server::start_in(data.clone(), &yaml, &[]);
    let (agent, other) = (phone(&first, "101", 440), phone(&first, "102", 520));
    let mut begun = Vec::new();
    for _ in 0..CALLS {
        agent.call(TALKER).expect("a call");
        agent.wait_answered(LIMIT).expect("an answer");
        begun.push(Instant::now());
    }
    carrier.wait_heard(440, LIMIT).expect("the agent");
    agent.wait_heard(620, LIMIT).expect("the customer");
    // What is heard now has to be in the recordings later.
    until("the last call talks for two seconds", || (begun[CALLS - 1].elapsed().as_secs() >= 2).then_some(()));
    let look = Look { server: &first, key: "DEMO" };
    let (told_before, live) = (look.events(), look.calls());

    first.signal(libc::SIGKILL);
    let died = Instant::now();
    first.wait();
    let second = Server::start_at(&first.sip.to_string(), data, &yaml, &[]);
    carrier.wait_received(&Method::Bye, CALLS, Duration::from_secs(2)).expect("a BYE for each leg");
    agent.wait_idle(LIMIT).expect("its legs are ended too");
    carrier.wait_idle(LIMIT).expect("no leg is left");

    let look = Look { server: &second, key: "DEMO" };
    assert_eq!(live.len(), CALLS);
    let records = look.whole_records(CALLS);
    assert_eq!(records.len(), CALLS, "{records:#?}");
    for (record, begun) in records.iter().zip(&begun) {
        let words = ["status", "reason", "ended_by"].map(|word| record[word].as_str().unwrap_or("nothing"));
        assert_eq!(words, ["answered", "system_crash", "switchboard"], "{record:#}");
        let recording = look.recording(record);
        let (length, talked) = (recording.length(), died - *begun);
        assert!(length + Duration::from_secs(2) >= talked, "{length:?} of {talked:?}");
        assert!(length <= talked + Duration::from_secs(1), "{length:?} of {talked:?}");
        recording.last(Duration::from_secs(1)).holds(620, 440);
    }
    assert_each_ended_once(&told_before, &look.events());
    let reasons = carrier.received();
    let byes: Vec<_> = reasons.iter().filter(|request| request.method == Method::Bye).collect();
    assert!(byes.iter().all(|bye| !bye.reasons.is_empty()), "{byes:#?}");
    look.wait_clean();

    // Nobody has signed in again.
    agent.call("102").expect("a call");
    other.wait_for(|event| matches!(event, Event::IncomingCall { .. }), LIMIT).expect("it is called");
    other.answer().expect("it answers");
    hear_each_other(&agent, 520, &other, 440);
    agent.hang_up().expect("it hangs up");
    let records = look.whole_records(CALLS + 1);
    look.recording(&records[CALLS]).holds(440, 520);
    look.wait_clean();
}

/// What was told before the kill is told no other way after it, and each call ends exactly once, with its last word.
fn assert_each_ended_once(before: &[Value], after: &[Value]) {
    assert_eq!(&after[..before.len()], before, "the story so far");
    let mut calls: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in after.iter().filter(|event| event["subject"] == "call") {
        calls.entry(event["id"].as_str().expect("an id")).or_default().push(event);
    }
    assert_eq!(calls.len(), CALLS);
    for events in calls.values() {
        let ends: Vec<_> = events.iter().filter(|event| event["type"] == "call.ended").collect();
        assert_eq!(ends.len(), 1, "{events:#?}");
        assert_eq!(events.last().map(|event| &event["type"]), Some(&json!("call.ended")), "{events:#?}");
        let numbers: Vec<_> = events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    }
    assert!(!before.iter().any(|event| event["type"] == "call.ended"));
}

fn phone(server: &Server, name: &str, tone: u16) -> Phone {
    signed_in(PhoneConfig { lines: 20, ..extension(server.sip, name, tone) })
}
