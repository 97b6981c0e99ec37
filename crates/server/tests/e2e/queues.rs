//! A queue: the music that was uploaded is heard until an agent takes the caller, and what is shown meanwhile is true.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::phones::{Behaviour, Carrier};

use crate::common::Server;
use crate::support::http;
use crate::support::office::{Company, Office};
use crate::support::people::{carrier, extension, hear_each_other, signed_in};
use crate::support::sound::tone_file;
use crate::support::tools::{LIMIT, until};

/// The tone of the uploaded music.
const MUSIC: u16 = 1_300;

const HEADERS: [&str; 1] = ["Authorization: Bearer NATIVE_DEMO"];

#[test]
fn a_caller_hears_the_queues_music_until_an_agent_resumes_and_takes_the_call() {
    let carrier = carrier();
    let office = office(&carrier);
    let agent = signed_in(extension(office.sip(), "101", 440).behaves(Behaviour::answers(Duration::ZERO)));
    upload(&office, "waltz", MUSIC);
    until("the agent is signed in", || (shown(&office, "/v1/agents/101")["state"] == "ready").then_some(()));
    let paused = order(&office, "pause", json!({ "reason": "lunch" }));

    carrier.call(office.sip(), "02873088088", "0900000001").expect("it calls");
    carrier.wait_answered(LIMIT).expect("the queue answers");
    carrier.wait_heard(MUSIC, LIMIT).expect("the music");
    let waiting = shown(&office, "/v1/queues/700/live");
    order(&office, "resume", json!({}));
    hear_each_other(&agent, 620, &carrier, 440);
    let talking = shown(&office, "/v1/agents/101");
    carrier.hang_up().expect("the caller goes");
    office.look().wait_over();

    assert_eq!((&paused["state"], &paused["paused"]["reason"]), (&json!("paused"), &json!("lunch")));
    assert_eq!((&waiting["waiting"][0]["place"], &waiting["agents"][0]["state"]), (&json!(1), &json!("paused")));
    assert_eq!(talking["state"], "busy");
    let record = office.look().records().pop().expect("a record");
    assert_eq!(record["status"], "answered", "{record:#}");
    let left = office.look().events().into_iter().find(|event| event["type"] == "call.unqueued");
    assert_eq!(left.expect("the caller leaves the queue")["why"], "answered");
    let after = until("the agent writes", || {
        let agent = shown(&office, "/v1/agents/101");
        (agent["state"] == "wrap_up").then_some(agent)
    });
    assert_eq!(after["callid"], Value::Null);
    let today = shown(&office, "/v1/queues/700/live")["today"].clone();
    assert_eq!((&today["offered"], &today["answered"], &today["abandoned"]), (&json!(1), &json!(1), &json!(0)));
    office.wait_clean();
}

fn office(carrier: &Carrier) -> Office {
    let company = Company::with_carrier(carrier.address());
    let carrier = carrier.address();
    let provision = format!(
        r#"tenants:
  - name: VPBX_DEMO
    keys:
      - {{ kind: voip24h, voip: VOIPKEY_DEMO, secret: SECRET_DEMO }}
      - {{ kind: native, token: NATIVE_DEMO, role: owner }}
    extensions:
      - {{ number: "101", name: Sales desk, password: pw-101 }}
    trunks:
      - {{ name: carrier, address: "{carrier}", accept_from: ["{carrier}"], health_seconds: 0 }}
    sounds:
      - {{ name: waltz }}
    queues:
      - {{ number: "700", name: Support, members: ["101"], music: waltz, wrap_up_seconds: 600 }}
    numbers:
      - {{ number: "02873088088", route: {{ queue: "700" }} }}
"#
    );
    Office::of(Server::start(&provision, &[]), company)
}

/// Uploads a tone of two seconds as a sound.
fn upload(office: &Office, name: &str, hertz: u16) {
    let wav = tone_file(hertz, 2);
    let headers = [HEADERS[0], "Content-Type: audio/wav"];
    let answer = http::put_bytes(office.server.http, &format!("/v1/sounds/{name}/file"), &headers, &wav);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn order(office: &Office, word: &str, sent: Value) -> Value {
    let answer = http::post(office.server.http, &format!("/v1/agents/101/{word}"), &HEADERS, &sent);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn shown(office: &Office, path: &str) -> Value {
    office.look().get(path).json()
}
