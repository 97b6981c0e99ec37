//! Settings that are changed by the API are in force when the answer comes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::phones::{Behaviour, Event, Phone};

use crate::support::http::{self, Answer};
use crate::support::office::Office;
use crate::support::people::{carrier, extension, signed_in};
use crate::support::tools::LIMIT;

const OWNER: &str = "Authorization: Bearer NATIVE_DEMO";

#[test]
fn what_is_changed_counts_from_the_answer_on() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let http = office.server.http;
    let post = |path: &str, given: Value| http::post(http, path, &[OWNER], &given).json();
    let status = |answer: Answer| answer.status;

    post("/v1/extensions", json!({"number": "105", "password": "pw-105"}));
    let made = phone(&office, "105");
    let caller = phone(&office, "101");
    caller.call("105").expect("a call");
    made.wait_answered(LIMIT).expect("the new extension is called");
    caller.hang_up().expect("it hangs up");
    made.wait_idle(LIMIT).expect("it is over");

    let patch = json!({"limits": {"concurrent_calls": 0}});
    let admin = format!("Authorization: Bearer {}", office.server.admin_token());
    let tenant = post_name(&office);
    let path = format!("/v1/tenants/{tenant}");
    assert_eq!(status(http::patch(http, &path, &[OWNER], &patch)), 403, "limits are the operator's");
    http::patch(http, &path, &[&admin], &patch).json();
    let refused = |number: &str| {
        let call = caller.call(number).expect("a call");
        let over = caller.wait_for(|event| matches!(event, Event::Refused { call: of, .. } if *of == call), LIMIT);
        match over.expect("a refusal") {
            Event::Refused { status, .. } => status,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused("105"), 503, "the very next call meets the new limit");
    http::patch(http, &path, &[&admin], &json!({"limits": {"concurrent_calls": 10}})).json();

    assert_eq!(status(http::delete(http, "/v1/extensions/105", &[OWNER])), 204);
    assert_eq!(refused("105"), 404, "nobody has the number");
    let gone = office.look().events().into_iter().find(|event| event["type"] == "extension.unregistered");
    assert_eq!(gone.expect("its registration has ended")["why"], "deleted");
}

#[test]
fn a_key_opens_from_the_answer_on_until_it_is_taken_away() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let http = office.server.http;

    let key = http::post(http, "/v1/keys", &[OWNER], &json!({"kind": "native", "role": "reader"})).json();
    let bearer = format!("Authorization: Bearer {}", key["token"].as_str().expect("a token"));
    assert_eq!(http::get(http, "/v1/calls", &[&bearer]).status, 200);
    let mut stream = TcpStream::connect(http).expect("connected");
    stream.set_read_timeout(Some(LIMIT)).expect("set");
    write!(
        stream,
        "GET /v1/events HTTP/1.1\r\nHost: pbx\r\nAccept: text/event-stream\r\n{bearer}\r\nConnection: close\r\n\r\n"
    )
    .expect("asked");
    let mut first = [0; 64];
    assert!(stream.read(&mut first).expect("a head") > 0);

    let path = format!("/v1/keys/{}", key["id"].as_str().expect("an id"));
    assert_eq!(http::delete(http, &path, &[OWNER]).status, 204);

    assert_eq!(http::get(http, "/v1/calls", &[&bearer]).status, 401);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the open stream ends with the key");
    let log = http::get(http, "/v1/audit?noun=key&action=delete", &[OWNER]).json();
    assert_eq!(log["items"][0]["name"], key["name"]);
}

fn phone(office: &Office, name: &str) -> Phone {
    let config = extension(office.sip(), name, 440);
    signed_in(config.behaves(Behaviour::answers(Duration::ZERO)))
}

fn post_name(office: &Office) -> String {
    let list = http::get(office.server.http, "/v1/tenants", &[OWNER]).json();
    list["items"][0]["name"].as_str().expect("a name").to_owned()
}
