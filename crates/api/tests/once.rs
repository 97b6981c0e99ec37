//! Orders with an `Idempotency-Key`: carried out once, however often they come.

mod support;

use model::{Problem, Reason, Reply};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use support::{ADMIN, World, call, json as answer};

#[tokio::test]
async fn the_same_key_gets_the_first_answer_again_and_rings_once() {
    let world = World::start().await;
    world.switchboard.will_ring(call(1));

    let first = answer(order(&world, "order-1")).await;
    // The same body, written otherwise.
    let again = world
        .with("NATIVE_DEMO", Method::POST, "/v1/calls")
        .header("idempotency-key", "order-1")
        .header("content-type", "application/json")
        .body(r#"{ "to": "0900000001",  "from": "101" }"#);
    let again = again.send().await.expect("an answer");

    assert_eq!((first.0, &first.1["id"]), (201, &json!(call(1).to_string())));
    assert_eq!(again.status(), 201);
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.headers()["location"], format!("/v1/calls/{}", call(1)));
    assert_eq!(again.json::<Value>().await.expect("JSON"), first.1);
    assert_eq!(world.switchboard.reached().len(), 1);
}

#[tokio::test]
async fn three_at_once_are_one_call() {
    let world = World::start().await;
    world.switchboard.will_ring(call(1));
    world.switchboard.holds();

    let asked = async || answer(order(&world, "order-1")).await;
    let goes_on = async {
        world.switchboard.waits_for(1).await;
        world.switchboard.goes_on();
    };
    let (one, two, three, ()) = tokio::join!(asked(), asked(), asked(), goes_on);

    assert_eq!(one.0, 201);
    assert!(one == two && two == three, "{one:?} {two:?} {three:?}");
    assert_eq!(world.switchboard.reached().len(), 1);
}

#[tokio::test]
async fn a_client_that_went_away_meanwhile_hears_of_its_call_when_it_comes_again() {
    let world = World::start().await;
    world.switchboard.will_ring(call(1));
    world.switchboard.holds();

    let gone = tokio::spawn(order(&world, "order-1").send());
    world.switchboard.waits_for(1).await;
    gone.abort();
    world.switchboard.goes_on();

    assert_eq!(answer(order(&world, "order-1")).await.1["id"], call(1).to_string());
    assert_eq!(world.switchboard.reached().len(), 1);
}

#[tokio::test]
async fn another_body_with_the_same_key_is_refused() {
    let world = World::start().await;
    world.switchboard.will_ring(call(1));
    answer(order(&world, "order-1")).await;

    let other = keyed(&world, "NATIVE_DEMO", "order-1").json(&json!({ "from": "101", "to": "0900000002" }));
    let (status, problem) = answer(other).await;

    assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_taken")));
    assert_eq!(world.switchboard.reached().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_the_answer_too_unless_it_asks_to_come_again() {
    let world = World::start().await;
    let offline = Problem::refused(Reason::Offline, "extension 101 is offline");
    world.switchboard.will(Err(offline));
    world.switchboard.will(Err(Problem::Unavailable));
    world.switchboard.will(Err(Problem::refused(Reason::Limit, "too many calls")));
    world.switchboard.will_ring(call(1));

    let refused = answer(order(&world, "refused")).await;
    assert_eq!((refused.0, &refused.1["code"]), (409, &json!("offline")));
    assert_eq!(answer(order(&world, "refused")).await, refused);
    assert_eq!(world.switchboard.reached().len(), 1);

    let statuses = [answer(order(&world, "later")).await.0, answer(order(&world, "later")).await.0];
    assert_eq!(statuses, [503, 503]);
    assert_eq!(answer(order(&world, "later")).await.0, 201);
    assert_eq!(world.switchboard.reached().len(), 3);
}

#[tokio::test]
async fn keys_are_the_clients_own() {
    let world = World::start().await;
    let body = json!({ "from": "101", "to": "0900000001" });
    for nth in 1..=3 {
        world.switchboard.will_ring(call(nth));
    }

    let mut ids = Vec::new();
    for token in ["NATIVE_DEMO", "NATIVE_OTHER", ADMIN] {
        ids.push(answer(keyed(&world, token, "order-1").json(&body)).await.1["id"].clone());
    }

    assert_eq!(ids, [1, 2, 3].map(|nth| json!(call(nth).to_string())));
}

#[tokio::test]
async fn a_key_that_is_none_is_a_problem_and_nothing_is_ordered() {
    let world = World::start().await;
    let long = "k".repeat(256);

    for key in ["", " ", "two words", "tab\tbed", "kh\u{f3}a", &long] {
        let (status, problem) = answer(order(&world, key)).await;
        assert_eq!((status, &problem["code"]), (400, &json!("idempotency_key")), "{key:?}");
    }
    let (status, _) = answer(order(&world, "one").header("idempotency-key", "two")).await;
    assert_eq!(status, 400);
    let unread = keyed(&world, "NATIVE_READER", "order-1").json(&json!({ "from": "101", "to": "0900000001" }));
    assert_eq!(answer(unread).await.0, 403);

    assert!(world.switchboard.reached().is_empty());
    world.switchboard.will_ring(call(1));
    assert_eq!(answer(order(&world, &"k".repeat(255))).await.0, 201);
}

fn order(world: &World, key: &str) -> RequestBuilder {
    keyed(world, "NATIVE_DEMO", key).json(&json!({ "from": "101", "to": "0900000001" }))
}

fn keyed(world: &World, token: &str, key: &str) -> RequestBuilder {
    world.with(token, Method::POST, "/v1/calls").header("idempotency-key", key.as_bytes())
}

#[tokio::test]
async fn an_order_to_a_live_call_with_a_key_is_carried_out_once_too() {
    let world = World::start().await;
    world.switchboard.will(Ok(Reply::Done { call: call(1) }));

    let first = hold(&world, "hold-1").send().await.expect("an answer");
    let again = hold(&world, "hold-1").send().await.expect("an answer");

    assert!(!first.headers().contains_key("idempotency-replayed"));
    assert_eq!(
        (again.status().as_u16(), &again.headers()["idempotency-replayed"]),
        (200, &"true".parse().expect("a value"))
    );
    assert_eq!(again.headers()["content-type"], "application/json");
    let (first, again): (Value, Value) = (first.json().await.expect("JSON"), again.json().await.expect("JSON"));
    assert_eq!(first, again);
    assert_eq!(world.switchboard.reached().len(), 1);
}

#[tokio::test]
async fn the_same_key_with_another_path_query_or_body_is_refused() {
    let world = World::start().await;
    world.switchboard.will(Ok(Reply::Done { call: call(1) }));
    answer(hold(&world, "hold-1")).await;

    for (path, body) in [
        (format!("/v1/calls/{}/hold", call(2)), json!({ "leg": "101" })),
        (format!("/v1/calls/{}/resume", call(1)), json!({ "leg": "101" })),
        (format!("/v1/calls/{}/hold?tenant=VPBX_DEMO", call(1)), json!({ "leg": "101" })),
        (format!("/v1/calls/{}/hold", call(1)), json!({ "leg": "102" })),
        ("/v1/calls".to_owned(), json!({ "from": "101", "to": "0900000001" })),
    ] {
        let other = world.with("NATIVE_DEMO", Method::POST, &path).header("idempotency-key", "hold-1").json(&body);
        let (status, problem) = answer(other).await;
        assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_taken")), "{path} {body}");
    }

    assert_eq!(world.switchboard.reached().len(), 1);
}

#[tokio::test]
async fn orders_to_a_live_call_that_come_at_once_are_one() {
    let world = World::start().await;
    world.switchboard.will(Ok(Reply::Done { call: call(1) }));
    world.switchboard.holds();

    let goes_on = async {
        world.switchboard.waits_for(1).await;
        world.switchboard.goes_on();
    };
    let (one, two, ()) = tokio::join!(answer(hold(&world, "hold-1")), answer(hold(&world, "hold-1")), goes_on);

    assert_eq!(one.0, 200);
    assert_eq!(one, two);
    assert_eq!(world.switchboard.reached().len(), 1);
}

#[tokio::test]
async fn an_order_goes_on_and_its_answer_is_kept_when_the_client_goes_away() {
    let world = World::start().await;
    world.switchboard.will(Ok(Reply::Done { call: call(1) }));
    world.switchboard.holds();

    let gone = tokio::spawn(hold(&world, "hold-1").send());
    world.switchboard.waits_for(1).await;
    gone.abort();
    world.switchboard.goes_on();

    assert_eq!(answer(hold(&world, "hold-1")).await.0, 200);
    assert_eq!(world.switchboard.reached().len(), 1);
}

#[tokio::test]
async fn a_refusal_of_an_order_is_kept_unless_it_asks_to_come_again() {
    let world = World::start().await;
    world.switchboard.will(Err(Problem::NotNow { call: call(1), detail: "it rings".into() }));
    world.switchboard.will(Err(Problem::Unavailable));
    world.switchboard.will(Ok(Reply::Done { call: call(1) }));

    let refused = answer(hold(&world, "refused")).await;
    assert_eq!(refused.0, 409);
    assert_eq!(answer(hold(&world, "refused")).await, refused);

    assert_eq!(answer(hold(&world, "later")).await.0, 503);
    assert_eq!(answer(hold(&world, "later")).await.0, 200);
}

#[tokio::test]
async fn who_may_not_ask_claims_no_key() {
    let world = World::start().await;
    let as_who = |token: &str| {
        let path = format!("/v1/calls/{}/hold", call(1));
        world.with(token, Method::POST, &path).header("idempotency-key", "hold-1").json(&json!({ "leg": "101" }))
    };

    assert_eq!(answer(as_who("WRONG")).await.0, 401);
    assert_eq!(answer(as_who("NATIVE_READER")).await.0, 403);
    assert_eq!(answer(as_who("NATIVE_READER")).await.0, 403);
    assert!(world.switchboard.reached().is_empty());
}

fn hold(world: &World, key: &str) -> RequestBuilder {
    let path = format!("/v1/calls/{}/hold", call(1));
    world.with("NATIVE_DEMO", Method::POST, &path).header("idempotency-key", key).json(&json!({ "leg": "101" }))
}
