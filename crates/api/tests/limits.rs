//! How often a key may ask, and how often a source may be wrong.

mod support;

use model::TrunkAddress;
use reqwest::Method;
use serde_json::{Value, json};
use support::World;

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_again() {
    let world = World::start_with(|settings| settings.requests_per_second = 1).await;

    let first = world.get("/v1/calls").send().await.expect("an answer");
    let second = world.get("/v1/records").send().await.expect("an answer");
    let third = world.get("/v1/calls").send().await.expect("an answer");

    let header = |response: &reqwest::Response, name: &str| -> u64 {
        response.headers()[name].to_str().expect("text").parse().expect("a number")
    };
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    assert_eq!((header(&first, "ratelimit-limit"), header(&first, "ratelimit-remaining")), (2, 1));
    assert!(header(&first, "ratelimit-reset") >= 1);
    assert_eq!((third.status().as_u16(), header(&third, "ratelimit-remaining")), (429, 0));
    assert_eq!(header(&third, "retry-after"), 1);
    assert_eq!(third.headers()["content-type"], "application/problem+json");
    let body: Value = third.json().await.expect("JSON");
    assert_eq!((&body["code"], &body["status"]), (&json!("too_many_requests"), &json!(429)));
}

#[tokio::test]
async fn each_key_has_its_own_requests_and_what_needs_no_key_is_not_counted() {
    let world = World::start_with(|settings| settings.requests_per_second = 1).await;
    for _ in 0..3 {
        world.get("/v1/calls").send().await.expect("an answer");
    }

    let other = world.with("NATIVE_OTHER", Method::GET, "/v1/calls").send().await.expect("an answer");
    let ready = world.bare(Method::GET, "/readyz").send().await.expect("an answer");

    assert_eq!((other.status().as_u16(), ready.status().as_u16()), (200, 200));
    assert!(!ready.headers().contains_key("ratelimit-limit"));
}

#[tokio::test]
async fn an_order_with_a_key_of_its_own_is_counted_once_and_a_refused_one_may_come_again() {
    let world = World::start_with(|settings| settings.requests_per_second = 1).await;
    let hold = || {
        let path = format!("/v1/calls/{}/hold", support::call(1));
        world.with("NATIVE_DEMO", Method::POST, &path).header("idempotency-key", "hold-1")
    };
    world.switchboard.will(Err(model::Problem::Unavailable));

    let first = hold().send().await.expect("an answer");
    world.get("/v1/calls").send().await.expect("an answer");
    let refused = hold().send().await.expect("an answer");

    assert_eq!(first.headers()["ratelimit-remaining"], "1");
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn sources_that_the_operator_named_are_not_counted() {
    let world = World::start_with(|settings| {
        settings.requests_per_second = 1;
        settings.unlimited_from = vec![TrunkAddress { address: [127, 0, 0, 0].into(), prefix: 8, port: None }];
    })
    .await;

    for _ in 0..5 {
        let response = world.get("/v1/calls").send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key("ratelimit-limit"));
    }
}

#[tokio::test]
async fn a_vendors_key_that_asks_too_often_is_refused_in_the_vendors_words() {
    let world = World::start_with(|settings| settings.requests_per_second = 1).await;
    let asked = async || {
        let path = "/dial/history?voip=VOIPKEY_DEMO&secret=SECRET_DEMO";
        world.bare(Method::GET, path).send().await.expect("an answer")
    };
    let dialled = async || {
        let path = "/dial?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&phone=0900000001";
        world.bare(Method::GET, path).send().await.expect("an answer")
    };

    let (first, _, third) = (asked().await, asked().await, dialled().await);

    assert_eq!(
        (first.status().as_u16(), &first.headers()["ratelimit-remaining"]),
        (200, &"1".parse().expect("a value"))
    );
    assert_eq!(third.status(), 429);
    assert!(third.headers().contains_key("retry-after"));
    let body: Value = third.json().await.expect("JSON");
    assert_eq!(body["call_status"], "Failed", "{body}");
    assert!(body["message"].as_str().is_some_and(|said| said.contains("too many requests")), "{body}");
    assert!(world.switchboard.reached().is_empty(), "no phone rings");
}

#[tokio::test]
async fn a_source_that_shows_too_many_wrong_keys_is_told_to_wait_and_those_with_right_ones_are_not() {
    let world = World::start().await;
    let wrong = async || {
        let asked = world.with("WRONG", Method::GET, "/v1/calls");
        asked.send().await.expect("an answer")
    };

    let mut statuses = Vec::new();
    let refused = loop {
        let response = wrong().await;
        if response.status() == 429 {
            break response;
        }
        statuses.push(response.status().as_u16());
        assert!(statuses.len() < 2_000, "nobody stops it");
    };

    assert!(statuses.iter().all(|status| *status == 401));
    assert!(statuses.len() >= 300, "{}", statuses.len());
    assert!(refused.headers().contains_key("retry-after"));
    let right = world.get("/v1/calls").send().await.expect("an answer");
    let vendors = world.bare(Method::GET, "/dial/history?voip=VOIPKEY_DEMO&secret=SECRET_DEMO");
    let vendors = vendors.send().await.expect("an answer");
    assert_eq!((right.status().as_u16(), vendors.status().as_u16()), (200, 200));
}

#[tokio::test]
async fn whoever_goes_on_guessing_hears_nothing_of_a_key_that_it_has_not_used() {
    let world = World::start().await;
    let used = async || world.get("/v1/calls").send().await.expect("an answer").status().as_u16();
    assert_eq!(used().await, 200);
    let guesses = 3_100;
    let wrong = |nth: usize| world.with(&format!("WRONG_{nth}"), Method::GET, "/v1/calls").send();

    // A few a second are let in again, so that a slow machine needs a few more.
    let mut heard = 0;
    for nth in 0..guesses {
        heard += usize::from(wrong(nth).await.expect("an answer").status() == 401);
    }
    let mut statuses = Vec::new();
    for nth in 0..1_000 {
        wrong(guesses + nth).await.expect("an answer");
        let unused = world.with("NATIVE_OTHER", Method::GET, "/v1/calls").send().await.expect("an answer");
        statuses.push(unused.status().as_u16());
        if statuses.contains(&429) {
            break;
        }
    }

    assert!(heard < guesses / 2, "{heard} of {guesses} heard that they are wrong");
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    assert_eq!(used().await, 200, "who was there before");
}
