//! A server that is killed in the middle of calls: what the next start makes of it.

mod common;
#[path = "../../store/tests/common/database.rs"]
mod database;

use std::time::Duration;

use common::{SOON, Server, until};
use database::Database;
use serde_json::Value;
use sip::Method;
use testkit::phones::{Behaviour, Carrier, CarrierConfig, Event, Phone, PhoneConfig};

const CALLS: usize = 10;

#[test]
fn ten_calls_that_a_kill_cut_off_are_ended_told_and_recorded_by_the_next_start() {
    kill_in_ten_calls(&Database::sqlite());
}

#[test]
fn ten_calls_that_a_kill_cut_off_are_ended_told_and_recorded_by_the_next_start_on_postgres() {
    kill_in_ten_calls(&Database::postgres());
}

fn kill_in_ten_calls(database: &Database) {
    let url = database.url().unwrap_or_else(|| "sqlite".to_owned());
    let arguments = ["--database", url.as_str()];
    let number = "0900000009";
    let carrier = CarrierConfig::new("127.0.0.1:0".parse().expect("an address"));
    let carrier = Carrier::start_with(carrier.number(number, Behaviour::answers(Duration::ZERO))).expect("a carrier");
    let (data, yaml) = (database.folder().join("data"), tenant(&carrier));
    let mut first = Server::start_in(data.clone(), &yaml, &arguments);
    let (agent, other) = (phone(&first, "101"), phone(&first, "102"));
    for _ in 0..CALLS {
        agent.call(number).expect("it calls");
        agent.wait_answered(SOON).expect("an answer");
    }
    // Two seconds of sound in each call, of which the last half may be on its way to the file.
    let heard = agent.count().received;
    until(|| agent.count().received >= heard + 100 * CALLS as u64);

    first.signal(libc::SIGKILL);
    first.wait();
    let second = Server::start_at(&first.sip.to_string(), data.clone(), &yaml, &arguments);

    carrier.wait_received(&Method::Bye, CALLS, Duration::from_secs(2)).expect("a BYE for each leg");
    agent.wait_idle(SOON).expect("its calls are ended");
    agent.call("102").expect("it calls");
    other.wait_for(|event| matches!(event, Event::IncomingCall { .. }), SOON).expect("a call without signing in again");
    let records = list(&second, "/v1/records?limit=100");
    let cut: Vec<_> = records.iter().filter(|record| record["reason"] == "system_crash").collect();
    assert_eq!(cut.len(), CALLS, "{records:#?}");
    let events = list(&second, "/v1/events?after=0&limit=1000");
    for record in cut {
        let ends = events.iter().filter(|event| event["type"] == "call.ended" && event["callid"] == record["callid"]);
        assert_eq!(ends.count(), 1, "{}", record["callid"]);
        let begun = |event: &&Value| event["type"] == "recording.started" && event["callid"] == record["callid"];
        let file = events.iter().find(begun).and_then(|event| event["file"].as_str()).expect("a recording");
        plays(&data.join("recordings").join(file));
        assert!(record["recordings"][0]["milliseconds"].as_u64() > Some(1_000), "{record:#}");
    }
}

/// The header says what the file has, and there is sound in it.
fn plays(file: &std::path::Path) {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let length = u32::from_le_bytes(bytes[40..44].try_into().expect("four bytes")) as usize;
    assert!(bytes.starts_with(b"RIFF") && length + 44 == bytes.len(), "{}", file.display());
    assert!(bytes[44..].iter().any(|byte| *byte != 0), "only silence in {}", file.display());
}

fn phone(server: &Server, name: &str) -> Phone {
    let mut config = PhoneConfig::new(name, server.sip).login(name, &format!("pw-{name}")).tone(440);
    config.lines = 2 * CALLS as u16;
    let phone = Phone::start(config.behaves(Behaviour::by_hand())).expect("a phone");
    phone.wait_registered(SOON).expect("it signs in");
    phone
}

fn list(server: &Server, path: &str) -> Vec<Value> {
    let (status, body) = server.get(path, Some("NATIVE_DEMO"));
    assert_eq!(status, 200, "{body}");
    let page: Value = serde_json::from_str(&body).expect("JSON");
    page["items"].as_array().expect("items").clone()
}

fn tenant(carrier: &Carrier) -> String {
    let lines = 2 * CALLS;
    let address = carrier.address();
    format!(
        r#"
tenants:
  - name: VPBX_DEMO
    default: true
    keys:
      - {{ kind: native, token: NATIVE_DEMO, role: owner }}
    extensions:
      - {{ number: "101", name: Sales desk, password: pw-101, record: true, lines: {lines}, caller_id: "02873088088" }}
      - {{ number: "102", name: Support desk, password: pw-102, record: true }}
    trunks:
      - {{ name: carrier, address: "{address}", accept_from: ["{address}"] }}
    outbound:
      - {{ prefix: "0", trunks: [carrier] }}
    numbers:
      - {{ number: "02873088088", route: {{ extension: "101" }} }}
"#
    )
}
