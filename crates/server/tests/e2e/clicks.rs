//! A click in a CRM: `/dial` and its family, with baresip as the agent's phone and SIPp as the carrier.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sip::HeaderName;
use testkit::phones::{Behaviour, Event};

use crate::support::baresip::Baresip;
use crate::support::http;
use crate::support::office::Office;
use crate::support::people::{carrier, extension, hear_each_other, signed_in};
use crate::support::sipp::{Scenario, Sipp};
use crate::support::sound::{Ear, Recording};
use crate::support::tools::{LIMIT, free_udp_address};

#[test]
fn a_click_connects_the_agent_with_the_customer_and_leaves_a_recording_that_plays() {
    let carrier_at = free_udp_address();
    let office = Office::start(carrier_at);
    let mut agent = Baresip::start("101", office.sip(), "udp", 440);
    office.wait_registered("101");
    let mut ear = Ear::with_tone(850);
    let carrier = Scenario::of("carrier", ear.port).waits_for_call().rings().answers().hears_bye();
    let mut carrier = Sipp::start_at(carrier_at, office.sip(), carrier, &[]);

    let answer = office.vendor("/dial?sip=101&phone=0912345678");
    let shown = agent.wait("CALL_INCOMING", 1);
    agent.order("accept", "");
    ear.speak_to(carrier.sound_of_other_side());
    agent.wait_heard(850);
    ear.wait_heard(440);
    let hung_up = office.vendor("/dial/hangup?sip=101&phone=0912345678");
    carrier.ends_well();
    agent.wait("CALL_CLOSED", 1);

    let callid = answer["callid"].as_str().expect("a call");
    assert_eq!((&answer["call_status"], &answer["callstatus"]), (&json!("Success"), &json!("Success")), "{answer}");
    assert_eq!((&answer["events"][0]["phone"], &answer["events"][0]["callid"]), (&json!("0912345678"), &json!(callid)));
    assert!(shown["peeruri"].as_str().is_some_and(|uri| uri.contains("0912345678")), "{shown}");
    assert_eq!((&hung_up["call_status"], &hung_up["callid"]), (&json!("Success"), &json!(callid)));
    let record = office.only_record();
    assert_eq!((&record["reason"], &record["customer"]), (&json!("commanded"), &json!("+84912345678")));
    let row = only_row(&office.vendor("/dial/history"));
    assert_eq!(row, only_row(&office.vendor(&format!("/dial/searching?callid={callid}"))), "one call, one row");
    let words = ["callid", "src", "dst", "type", "status", "did"].map(|word| row[word].as_str().expect("text"));
    assert_eq!(words, [callid, "101", "0912345678", "outbound", "ANSWERED", "842873088088"]);
    plays_by_link(&row);
    office.wait_clean();
}

/// Each link plays without other credentials, whole and in part.
fn plays_by_link(row: &Value) {
    let link = |name: &str| row[name].as_str().expect("a link").to_owned();
    let whole = http::fetch(&link("download"), &[]);
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("audio/wav")), "{}", whole.head);
    Recording::read(&whole.body).holds(850, 440);
    for name in ["recording", "play", "eplay"] {
        assert_eq!(http::fetch(&link(name), &[]).body, whole.body, "{name}");
    }
    let part = http::fetch(&link("play"), &["Range: bytes=1000-1999"]);
    assert_eq!((part.status, part.body.as_slice()), (206, &whole.body[1000..2000]));
    let range = format!("bytes 1000-1999/{}", whole.body.len());
    assert_eq!(part.header("content-range"), Some(range.as_str()));
    let (path, token) =
        link("play").rsplit_once('=').map(|(path, token)| (path.to_owned(), token.to_owned())).expect("a token");
    let wrong: String = token.chars().rev().collect();
    assert_eq!(http::fetch(&format!("{path}={wrong}"), &[]).status, 404);
}

#[test]
fn the_agents_phone_shows_the_customer_and_the_call_and_hears_ringback_until_there_is_an_answer() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let agent = signed_in(extension(office.sip(), "101", 440).behaves(Behaviour::answers(Duration::ZERO)));

    let answer = office.vendor("/dial?sip=101&phone=0900000003");
    let incoming = agent.wait_for(|event| matches!(event, Event::IncomingCall { .. }), LIMIT).expect("a call");
    agent.wait_heard(425, LIMIT).expect("ringback");
    agent.hang_up().expect("it hangs up");
    carrier.wait_idle(LIMIT).expect("the ringing stops");

    let Event::IncomingCall { from, headers, .. } = incoming else { unreachable!("asked for") };
    let shown = headers.get(&HeaderName::Other("X-Callid".into())).map(|id| String::from_utf8_lossy(id).into_owned());
    assert_eq!((from.as_str(), shown.as_deref()), ("0900000003", answer["callid"].as_str()));
    let record = office.only_record();
    assert_eq!((&record["status"], &record["bill_seconds"]), (&json!("no_answer"), &json!(0)));
    office.wait_clean();
}

#[test]
fn a_phone_that_says_nothing_is_offline_after_five_seconds_and_never_rings_twice() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let agent = signed_in(extension(office.sip(), "101", 440).behaves(Behaviour::answers(Duration::ZERO)));
    let first = office.vendor("/dial?sip=101&phone=0900000009");
    hear_each_other(&agent, 620, &carrier, 440);
    agent.hang_up().expect("it hangs up");
    carrier.wait_idle(LIMIT).expect("the call is over");

    agent.vanish();
    let since = Instant::now();
    let second = office.vendor("/dial?sip=101&phone=0900000009");
    let waited = since.elapsed();

    assert_eq!(first["call_status"], "Success");
    assert_eq!((&second["call_status"], &second["status"]), (&json!("Offline"), &json!(2000)), "{second}");
    assert!((4_900..8_000).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(office.look().whole_records(2).len(), 2, "a call that was tried leaves a record");
    assert_eq!(carrier.received_count(&sip::Method::Invite), 1, "the customer is not called for nobody");
    office.look().wait_over();
}

#[test]
fn what_cannot_be_dialled_is_said_at_once_and_nobody_rings() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let agent = signed_in(extension(office.sip(), "101", 440).behaves(Behaviour::refuses(486, Duration::ZERO)));

    let words = ["sip=101&phone=0900000009", "sip=102&phone=0900000009", "sip=999&phone=0900000009", "sip=101&phone=x"]
        .map(|asked| office.vendor(&format!("/dial?{asked}"))["call_status"].as_str().map(str::to_owned));
    let stranger = http::get(office.server.http, "/dial?voip=VOIPKEY_DEMO&secret=WRONG&sip=101&phone=0900000009", &[]);

    assert_eq!(words.map(Option::unwrap_or_default), ["Busy", "Offline", "Failed", "Failed"]);
    assert_eq!(stranger.json()["call_status"], "Failed");
    assert_eq!(agent.received_count(&sip::Method::Invite), 1);
    assert_eq!(carrier.received_count(&sip::Method::Invite), 0);
    office.wait_clean();
}

fn only_row(page: &Value) -> Value {
    let result = &page["result"];
    assert_eq!(
        (&page["status"], &result["recordsTotalAll"], &result["recordsDisplay"]),
        (&json!(200), &json!(1), &json!(1))
    );
    result["data"][0].clone()
}
