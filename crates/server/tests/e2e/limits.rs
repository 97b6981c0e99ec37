//! What a company may use, where a hundred clients want it at once.

use std::thread;

use serde_json::{Value, json};
use testkit::phones::{Behaviour, PhoneConfig};

use crate::support::http;
use crate::support::office::Office;
use crate::support::people::{carrier, extension, signed_in};
use crate::support::tools::LIMIT;

const OWNER: &str = "Authorization: Bearer NATIVE_DEMO";

#[test]
fn of_a_hundred_originations_at_once_ten_begin_where_ten_may_and_each_other_is_told_why() {
    let carrier = carrier();
    let office = Office::start_with(carrier.address(), &["--requests-per-second", "0"]);
    let http = office.server.http;
    let admin = format!("Authorization: Bearer {}", office.server.admin_token());
    let tenant = http::get(http, "/v1/tenants", &[OWNER]).json()["items"][0]["name"].clone();
    let path = format!("/v1/tenants/{}", tenant.as_str().expect("a name"));
    let limits = json!({"limits": {"concurrent_calls": 10, "calls_per_second": 1000}});
    http::patch(http, &path, &[&admin], &limits).json();
    http::patch(http, "/v1/extensions/101", &[OWNER], &json!({"lines": 100})).json();
    // A phone without a line of its own left refuses, and a call that is over makes room for another.
    let phone = PhoneConfig { lines: 20, ..extension(office.sip(), "101", 440) };
    let agent = signed_in(phone.behaves(Behaviour::never_answers()));

    let clicks: Vec<_> = (0..100)
        .map(|_| {
            let order = json!({"from": "101", "to": "0900000001"});
            thread::spawn(move || http::post(http, "/v1/calls", &[OWNER], &order))
        })
        .collect();
    let answers: Vec<_> = clicks.into_iter().map(|click| click.join().expect("an answer")).collect();

    let (begun, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| (200..300).contains(&answer.status));
    assert_eq!((begun.len(), refused.len()), (10, 90), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    for answer in refused {
        let problem: Value = serde_json::from_str(&answer.text()).expect("a problem");
        assert_eq!((answer.status, &problem["code"]), (503, &json!("limit")), "{problem}");
    }
    let live = office.look().calls();
    assert_eq!(live.len(), 10);
    let told = office.look().events().into_iter();
    let told = told.filter(|event| event["type"] == "extension.refused" && event["reason"] == "limit").count();
    assert_eq!(told, 90);
    for call in live {
        let end = format!("/v1/calls/{}/hangup", call["id"].as_str().expect("an id"));
        http::post(http, &end, &[OWNER], &json!({})).json();
    }
    agent.wait_idle(LIMIT).expect("it is over");
    office.wait_clean();
}
