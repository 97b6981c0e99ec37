//! The program on PostgreSQL: a call through all layers, its end by a drain, and who may not have the database.

mod common;
#[path = "../../store/tests/common/database.rs"]
mod database;

use std::time::Duration;

use common::{SOON, Server, TENANT, error, run};
use database::Database;
use serde_json::Value;
use testkit::phones::{Behaviour, Phone, PhoneConfig};

#[test]
fn a_call_is_stored_told_and_there_after_a_drain() {
    let database = Database::postgres();
    let url = database.url().expect("a server");
    let arguments = ["--database", url.as_str(), "--drain-seconds", "1"];
    let data = database.folder().join("data");
    let mut server = Server::start_in(data.clone(), TENANT, &arguments);
    let (caller, callee) = (phone(&server, "101"), phone(&server, "102"));
    caller.call("102").expect("it calls");
    caller.wait_answered(SOON).expect("an answer");
    caller.wait_heard(440, SOON).expect("sound");
    let live = list(&server, "/v1/calls");

    server.signal(libc::SIGTERM);
    caller.wait_idle(SOON).expect("it is ended");
    callee.wait_idle(SOON).expect("it is ended");
    assert_eq!(server.wait().code(), Some(0));
    let next = Server::start_in(data.clone(), TENANT, &arguments);

    assert_eq!(live.len(), 1, "{live:#?}");
    let records = list(&next, "/v1/records");
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!((&records[0]["status"], &records[0]["reason"]), (&"answered".into(), &"drained".into()));
    let events = list(&next, "/v1/events?after=0&limit=1000");
    let positions: Vec<_> = events.iter().filter_map(|event| event["position"].as_i64()).collect();
    assert_eq!(positions, (1..=positions.len() as i64).collect::<Vec<_>>());
    assert_eq!(events.iter().filter(|event| event["type"] == "call.ended").count(), 1, "{events:#?}");
    assert!(!data.join("tongdai.db").exists(), "nothing of SQLite");
}

#[test]
fn a_second_server_on_the_database_is_refused_in_one_sentence() {
    let database = Database::postgres();
    let url = database.url().expect("a server");
    let _server = Server::start_in(database.folder().join("data"), TENANT, &["--database", &url]);
    let other = database.folder().join("other");
    let ports = common::rtp_ports();

    let output = run(&[
        "serve",
        "--http",
        "127.0.0.1:0",
        "--sip",
        "127.0.0.1:0",
        "--rtp-ports",
        &ports,
        "--database",
        &url,
        "--data-dir",
        other.to_str().expect("a path"),
    ]);

    assert_eq!(output.status.code(), Some(2));
    let said = error(&output);
    assert!(said.starts_with("tongdai: another server uses the database `postgres://***@127.0.0.1:"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

fn phone(server: &Server, name: &str) -> Phone {
    let config = PhoneConfig::new(name, server.sip).login(name, &format!("pw-{name}")).tone(440);
    let behaviour = if name == "102" { Behaviour::answers(Duration::ZERO) } else { Behaviour::by_hand() };
    let phone = Phone::start(config.behaves(behaviour)).expect("a phone");
    phone.wait_registered(SOON).expect("it signs in");
    phone
}

fn list(server: &Server, path: &str) -> Vec<Value> {
    let (status, body) = server.get(path, Some("NATIVE_DEMO"));
    assert_eq!(status, 200, "{body}");
    let page: Value = serde_json::from_str(&body).expect("JSON");
    page["items"].as_array().expect("items").clone()
}
