//! Menus, prompts and forwarding: what callers hear is what was uploaded, keys count once, and codes change settings.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::phones::{Behaviour, Carrier};

use crate::common::Server;
use crate::support::http;
use crate::support::office::{Company, Office};
use crate::support::people::{carrier, extension, hear_each_other, signed_in};
use crate::support::sound::tone_file;
use crate::support::tools::{LIMIT, until};

/// The tone of the uploaded prompt.
const PROMPT: u16 = 1_300;

#[test]
fn a_caller_hears_the_prompt_that_was_uploaded_and_one_key_leads_to_one_phone() {
    let carrier = carrier();
    let office = office(&carrier);
    let agent = signed_in(extension(office.sip(), "102", 440).behaves(Behaviour::answers(Duration::ZERO)));
    upload(&office, "welcome", PROMPT);

    carrier.call(office.sip(), "02873088088", "0900000001").expect("it calls");
    carrier.wait_answered(LIMIT).expect("the menu answers");
    carrier.wait_heard(PROMPT, LIMIT).expect("the prompt");
    carrier.press('2').expect("a key");
    hear_each_other(&agent, 620, &carrier, 440);
    carrier.hang_up().expect("the caller goes");
    office.look().wait_over();

    let record = office.look().records().pop().expect("a record");
    assert_eq!((&record["status"], &record["routed_by"]), (&json!("answered"), &json!("menu")), "{record:#}");
    let keys = office.look().events().iter().filter(|event| event["type"] == "call.menu_key").count();
    assert_eq!(keys, 1, "one press is one key");
    office.wait_clean();
}

#[test]
fn a_number_that_only_says_something_says_it_and_hangs_up() {
    let carrier = carrier();
    let office = office(&carrier);
    upload(&office, "welcome", PROMPT);

    carrier.call(office.sip(), "02873088089", "0900000001").expect("it calls");
    carrier.wait_heard(PROMPT, LIMIT).expect("the prompt");
    carrier.wait_idle(LIMIT).expect("it ends");
    office.look().wait_over();

    let record = office.look().records().pop().expect("a record");
    assert_eq!((&record["status"], &record["reason"]), (&json!("answered"), &json!("served")), "{record:#}");
    office.wait_clean();
}

#[test]
fn a_phone_forwards_its_calls_by_a_code() {
    let carrier = carrier();
    let office = office(&carrier);
    let desk = signed_in(extension(office.sip(), "101", 440));
    let agent = signed_in(extension(office.sip(), "102", 850).behaves(Behaviour::answers(Duration::ZERO)));

    desk.call("*72102").expect("it dials");
    let forward = until("the setting is changed", || {
        let forward = setting(&office, "101")["forward"].clone();
        (forward["always"] == "102").then_some(forward)
    });
    desk.wait_idle(LIMIT).expect("the code is over");
    carrier.call(office.sip(), "02873088090", "0900000001").expect("it calls");
    hear_each_other(&agent, 620, &carrier, 850);
    carrier.hang_up().expect("the caller goes");
    office.look().wait_over();

    assert_eq!(forward["busy"], Value::Null);
    let forwarded = office.look().events().iter().filter(|event| event["type"] == "call.forwarded").count();
    assert_eq!(forwarded, 1);
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
      - {{ number: "102", name: Support desk, password: pw-102 }}
    trunks:
      - {{ name: carrier, address: "{carrier}", accept_from: ["{carrier}"], health_seconds: 0 }}
    sounds:
      - {{ name: welcome }}
    menus:
      - {{ name: main, sound: welcome, keys: {{ "2": {{ extension: "102" }} }} }}
    numbers:
      - {{ number: "02873088088", route: {{ menu: main }} }}
      - {{ number: "02873088089", route: {{ play: {{ sound: welcome }} }} }}
      - {{ number: "02873088090", route: {{ extension: "101" }} }}
"#
    );
    Office::of(Server::start(&provision, &[]), company)
}

/// Uploads a tone of two seconds as a sound.
fn upload(office: &Office, name: &str, hertz: u16) {
    let wav = tone_file(hertz, 2);
    let headers = ["Authorization: Bearer NATIVE_DEMO", "Content-Type: audio/wav"];
    let answer = http::put_bytes(office.server.http, &format!("/v1/sounds/{name}/file"), &headers, &wav);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn setting(office: &Office, extension: &str) -> Value {
    office.look().get(&format!("/v1/extensions/{extension}")).json()
}
