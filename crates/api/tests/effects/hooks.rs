//! Orders to hooks, and what is shown of them.

use model::{Reason, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::receiver::{Receiver, answer};
use crate::support::story::ToldCall;
use crate::support::{call, json as ask};
use crate::told::Telling;

pub const EFFECTS: &[(&str, fn())] = &[
    ("hook_status", a_hook_that_answers_410_is_off_until_it_is_switched_on),
    ("list_deliveries", deliveries_are_found_by_state_and_call_in_pages),
    ("delivery", a_delivery_is_sent_again_under_its_name),
    ("replay_delivery", a_delivery_is_sent_again_under_its_name),
    ("replay_hook", what_a_hook_was_not_told_while_it_was_off_is_told_by_a_replay),
    ("test_hook", a_message_that_tells_of_nothing_tries_the_hook),
    ("rotate_hook", after_a_change_of_secrets_both_sign),
    ("enable_hook", a_hook_that_answers_410_is_off_until_it_is_switched_on),
    ("disable_hook", what_a_hook_was_not_told_while_it_was_off_is_told_by_a_replay),
];

#[tokio::test]
async fn a_hook_that_answers_410_is_off_until_it_is_switched_on() {
    let mut receiver = Receiver::start(|_, nth| if nth == 0 { answer(410) } else { answer(200) }).await;
    let telling = Telling::start(&[("events", &receiver.url, "post_json")]).await;

    telling.missed(1);
    receiver.next().await;
    let off = telling.until("/status", |status| status["state"] == "off").await;
    telling.missed(2);
    telling.world.writer.flush().await;
    let (enabled, on) = telling.ordered("/enable").await;
    telling.missed(3);
    let told = receiver.some(3).await;
    let cancelled = telling.asked("/deliveries?state=cancelled").await;

    assert!(off["off_why"].as_str().is_some_and(|why| why.contains("410")), "{off}");
    assert_eq!((enabled, &on["state"], &on["pending"]), (200, &json!("on"), &json!(0)));
    assert!(told.iter().all(|one| one.json()["callid"] == call(3).to_string()), "{told:?}");
    assert!(
        cancelled["items"]
            .as_array()
            .is_some_and(|items| items.iter().all(|one| one["subject"] == call(1).to_string()))
    );
}

#[tokio::test]
async fn deliveries_are_found_by_state_and_call_in_pages() {
    let mut receiver = Receiver::content().await;
    let telling = Telling::start(&[("events", &receiver.url, "post_json")]).await;
    telling.missed(1);
    telling.missed(2);
    receiver.some(6).await;
    telling.until("/deliveries?state=pending", |list| list["items"] == json!([])).await;

    let first = telling.asked("/deliveries?limit=4").await;
    let next = first["next"].as_str().expect("more");
    let rest = telling.asked(&format!("/deliveries?limit=4&after={next}")).await;
    let of_call = telling.asked(&format!("/deliveries?state=delivered&call={}", call(1))).await;

    let ids = |list: &Value| {
        list["items"].as_array().expect("a list").iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&first).len(), ids(&rest).len(), &rest["next"]), (4, 2, &Value::Null));
    assert!(ids(&first).iter().all(|id| !ids(&rest).contains(id)));
    let events: Vec<_> = of_call["items"].as_array().expect("a list").iter().map(|one| one["event"].clone()).collect();
    assert_eq!(events, ["cdr", "hangup", "ring"]);
    let path = format!("/v1/hooks/{}/deliveries", telling.ids[0]);
    for wrong in ["state=lost", "after=x", "limit=x", "colour=red"] {
        assert_eq!(ask(telling.world.get(&format!("{path}?{wrong}"))).await.0, 400, "{wrong}");
    }
    assert_eq!(ask(telling.world.with("NATIVE_OTHER", Method::GET, &path)).await.0, 404);
    assert_eq!(ask(telling.world.with("NATIVE_OTHER", Method::GET, &format!("{path}/{next}"))).await.0, 404);
    assert_eq!(ask(telling.world.with("NATIVE_READER", Method::GET, &path)).await.0, 200);
}

#[tokio::test]
async fn a_delivery_is_sent_again_under_its_name() {
    let mut receiver = Receiver::content().await;
    let telling = Telling::start(&[("missed", &receiver.url, "post_json")]).await;
    telling.missed(1);
    let told = receiver.next().await;
    telling.until("/deliveries?state=delivered", |list| list["items"][0].is_object()).await;
    let path = format!("/deliveries/{}", told.id());

    let (status, replayed) = telling.ordered(&format!("{path}/replay")).await;
    let again = receiver.next().await;
    let whole = telling.until(&path, |whole| whole["state"] == "delivered").await;

    assert_eq!((status, &replayed["id"]), (202, &json!(told.id())));
    assert_eq!((again.id(), &again.body), (told.id(), &told.body));
    assert_eq!(whole["tried"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&whole["attempts"], &whole["tried"][1]["number"], &whole["tried"][1]["status"]),
        (&json!(2), &json!(2), &json!(200))
    );
    let other = format!("/v1/hooks/{}{path}/replay", telling.ids[0]);
    assert_eq!(ask(telling.world.with("NATIVE_OTHER", Method::POST, &other)).await.0, 404);
    assert_eq!(ask(telling.world.with("NATIVE_SUPERVISOR", Method::POST, &other)).await.0, 403);
    assert_eq!(telling.ordered("/deliveries/msg_1_99_0/replay").await.0, 404);
}

#[tokio::test]
async fn what_a_hook_was_not_told_while_it_was_off_is_told_by_a_replay() {
    let mut receiver = Receiver::content().await;
    let telling = Telling::start(&[("missed", &receiver.url, "post_json")]).await;
    telling.missed(1);
    let told = receiver.next().await;
    telling.until("/status", |status| status["pending"] == 0).await;

    let (_, off) = telling.ordered("/disable").await;
    telling.missed(2);
    telling.world.writer.flush().await;
    let refused = telling.ordered("/test").await;
    telling.ordered("/enable").await;
    let path = format!("/v1/hooks/{}/replay", telling.ids[0]);
    let order = |body: Value| telling.world.with("NATIVE_DEMO", Method::POST, &path).json(&body);
    let (status, range) = ask(order(json!({ "from": "2020-01-01T00:00:00Z" }))).await;
    let replayed = receiver.some(2).await;

    assert_eq!((&off["state"], refused.0, status), (&json!("off"), 409, 202));
    assert_eq!((&range["from"], &range["to"]), (&json!(1), &json!(14)));
    assert_eq!((replayed[0].id(), &replayed[0].body), (told.id(), &told.body));
    assert_eq!(replayed[1].json()["linkedid"], call(2).to_string());
    let done = telling.until("/status", |status| status["replaying"].is_null() && status["pending"] == 0).await;
    assert_eq!(done["state"], "on");
    let (_, empty) = ask(order(json!({ "from": "2999-01-01T00:00:00Z" }))).await;
    assert!(empty["to"].as_i64() < empty["from"].as_i64(), "{empty}");
    assert_eq!(ask(order(json!({ "from": "soon" }))).await.0, 400);
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn who_gave_a_hook_an_order_is_in_the_audit_log() {
    let mut receiver = Receiver::content().await;
    let telling = Telling::start(&[("missed", &receiver.url, "post_json")]).await;
    telling.missed(1);
    let told = receiver.next().await;
    telling.until("/deliveries?state=delivered", |list| list["items"][0].is_object()).await;

    telling.ordered(&format!("/deliveries/{}/replay", told.id())).await;
    telling.until("/deliveries?state=delivered", |list| list["items"][0].is_object()).await;
    let range = telling.world.with("NATIVE_DEMO", Method::POST, &format!("/v1/hooks/{}/replay", telling.ids[0]));
    assert_eq!(ask(range.json(&json!({ "from": 1, "to": 2 }))).await.0, 202);
    for order in ["/test", "/rotate", "/disable", "/enable"] {
        telling.ordered(order).await;
    }
    telling.ordered("/deliveries/msg_1_99_0/replay").await;
    let (_, log) = ask(telling.world.get("/v1/audit?actor=key:native%2047813d58d31bce34")).await;

    let rows = log["items"].as_array().expect("rows");
    let orders: Vec<_> = rows.iter().rev().map(|row| [&row["action"], &row["noun"], &row["thing"]]).collect();
    let hook = json!(telling.ids[0]);
    let [replay, test, rotate, disable, enable] = ["replay", "test", "rotate", "disable", "enable"].map(Value::from);
    let [of_hook, of_delivery, delivery] = ["hook", "delivery", told.id()].map(Value::from);
    let expected = [
        [&replay, &of_delivery, &delivery],
        [&replay, &of_hook, &hook],
        [&test, &of_hook, &hook],
        [&rotate, &of_hook, &hook],
        [&disable, &of_hook, &hook],
        [&enable, &of_hook, &hook],
    ];
    assert_eq!(orders, expected, "and none of what was refused");
    assert_eq!(rows[4]["after"], json!({ "from": 1, "to": 2 }));
    assert!(rows.iter().all(|row| row["address"] == "127.0.0.1" && row["at"].is_string()), "{log}");
}

#[tokio::test]
async fn a_message_that_tells_of_nothing_tries_the_hook() {
    let mut receiver = Receiver::content().await;
    let telling = Telling::start(&[("autocall", &receiver.url, "get_query")]).await;

    let (status, made) = telling.ordered("/test").await;
    let told = receiver.next().await;

    assert_eq!((status, &made["event"], &made["position"]), (202, &json!("test"), &Value::Null));
    assert_eq!(told.id(), made["id"]);
    assert!(told.line.starts_with("GET /hook?secret_key=SECRET_DEMO&at="), "{}", told.line);
    assert!(told.line.contains("&type=test"), "{}", told.line);
}

#[tokio::test]
async fn after_a_change_of_secrets_both_sign() {
    let mut receiver = Receiver::content().await;
    let telling = Telling::start(&[("missed", &receiver.url, "post_json")]).await;

    let (status, rotated) = telling.ordered("/rotate").await;
    telling.ordered("/test").await;
    let told = receiver.next().await;

    let secret = rotated["secret"].as_str().expect("a secret");
    let signatures: Vec<_> = told.headers["webhook-signature"].split(' ').collect();
    let expected = [secret, crate::told::SECRET].map(|secret| crate::told::signature(secret, &told, &told.body));
    assert_eq!((status, signatures), (200, expected.iter().map(String::as_str).collect()));
    let shown = telling.asked("/status").await;
    assert!(shown["old_secret_until"].is_string(), "{shown}");
    let path = format!("/v1/hooks/{}/rotate", telling.ids[0]);
    assert_eq!(ask(telling.world.with("NATIVE_READER", Method::POST, &path)).await.0, 403);
}

#[tokio::test]
async fn a_hook_that_is_told_nothing_comes_level_with_the_story() {
    let mut receiver = Receiver::content().await;
    let telling = Telling::start(&[("missed", &receiver.url, "post_json")]).await;
    let mut talked = ToldCall::new(&telling.world.writer, telling.world.demo, call(1), Timestamp::now());

    talked.click("0900000001").after(10).ringing(1).after(10).dial("0900000001").after(10).connected(2, 1, 2);
    talked.after(10).ended(Reason::HungUp, 200);
    telling.world.writer.flush().await;
    let head = telling.world.store.feed().head(telling.world.demo);

    telling.until("/status", |status| status["position"] == head).await;
    assert!(head > 0 && receiver.rest().is_empty());
}
