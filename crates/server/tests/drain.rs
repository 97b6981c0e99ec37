//! The end of a server that has calls: they may finish, then they are ended, and everything is stored.

mod common;
#[path = "common/registrar.rs"]
mod registrar;

use std::time::{Duration, Instant};

use common::{SOON, Server, TENANT, until};
use registrar::Registrar;
use testkit::phones::{Behaviour, Event, Phone, PhoneConfig};

#[test]
fn a_call_may_finish_while_the_server_drains_and_no_other_begins() {
    let mut server = Server::start(TENANT, &["--drain-seconds", "20"]);
    let (caller, callee) = talking(&server);

    server.signal(libc::SIGTERM);
    until(|| server.get("/readyz", None).0 == 503);
    caller.call("102").expect("it calls");
    let refused =
        caller.wait_for(|event| matches!(event, Event::Refused { .. } | Event::Ended { .. }), SOON).expect("an end");
    callee.hang_up().expect("it hangs up");

    assert!(format!("{refused:?}").contains("503"), "{refused:?}");
    let since = Instant::now();
    assert_eq!(server.wait().code(), Some(0));
    assert!(since.elapsed() < Duration::from_secs(10), "it waited for its whole time");
    assert_eq!(ends(&server), ["hung_up"]);
}

#[test]
fn a_call_that_does_not_finish_is_ended_with_a_bye_to_both() {
    let mut server = Server::start(TENANT, &["--drain-seconds", "1"]);
    let (caller, callee) = talking(&server);

    server.signal(libc::SIGTERM);

    caller.wait_idle(SOON).expect("it is ended");
    callee.wait_idle(SOON).expect("it is ended");
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(ends(&server), ["drained"]);
}

#[test]
fn a_second_signal_does_not_wait_for_calls() {
    let mut server = Server::start(TENANT, &["--drain-seconds", "600"]);
    let (caller, _callee) = talking(&server);

    server.signal(libc::SIGTERM);
    until(|| server.get("/readyz", None).0 == 503);
    server.signal(libc::SIGTERM);

    caller.wait_idle(SOON).expect("it is ended");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_carrier_hears_that_the_server_is_there_and_that_it_stops() {
    let registrar = Registrar::start();
    let yaml = TENANT.replace(
        "    numbers:",
        &format!(
            "    trunks:\n      - {{ name: carrier, address: \"{}\", username: demo, password: made-up, register: true }}\n    numbers:",
            registrar.address
        ),
    );
    let mut server = Server::start(&yaml, &[]);
    until(|| !registrar.granted().is_empty());
    let health = || server.get("/v1/trunks/carrier/health", Some("NATIVE_DEMO")).1;
    until(|| health().contains("\"registered\":true"));

    server.signal(libc::SIGTERM);

    assert_eq!(server.wait().code(), Some(0));
    let granted = registrar.granted();
    assert_eq!(granted.iter().map(|one| one.seconds).collect::<Vec<_>>(), [3_600, 0]);
    assert_eq!(granted[0].contact, granted[1].contact);
}

/// Two phones that talk to each other.
fn talking(server: &Server) -> (Phone, Phone) {
    let phone = |name: &str, behaviour| {
        let config = PhoneConfig::new(name, server.sip).login(name, &format!("pw-{name}")).tone(440).behaves(behaviour);
        let phone = Phone::start(config).expect("a phone");
        phone.wait_registered(SOON).expect("it signs in");
        phone
    };
    let (caller, callee) = (phone("101", Behaviour::by_hand()), phone("102", Behaviour::answers(Duration::ZERO)));
    caller.call("102").expect("it calls");
    caller.wait_answered(SOON).expect("an answer");
    caller.wait_heard(440, SOON).expect("sound");
    (caller, callee)
}

/// Why calls ended, in the order in which they began, as the next server tells it.
fn ends(server: &Server) -> Vec<String> {
    let next = Server::start_in(server.data.clone(), TENANT, &[]);
    let (status, body) = next.get("/v1/records", Some("NATIVE_DEMO"));
    assert_eq!(status, 200, "{body}");
    let page: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let mut records = page["items"].as_array().expect("records").clone();
    records.sort_by_key(|record| record["callid"].as_str().expect("an id").to_owned());
    assert!(records.iter().all(|record| !record["ended_at"].is_null()), "{body}");
    records.iter().map(|record| record["reason"].as_str().expect("a reason").to_owned()).collect()
}
