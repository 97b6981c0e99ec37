//! Agents and queues: how they stand, as it is stored, and the orders that reach the switchboard.

use model::{
    AgentAction, AgentPause, AgentStands, Command, Kept, KeptKind, Problem, Reason, Reply, Timestamp, Told, Unqueued,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::story::ToldCall;
use crate::support::{World, call, json as answer};

pub const EFFECTS: &[(&str, fn())] = &[
    ("list_agents", agents_are_listed_as_they_stand),
    ("get_agent", agents_are_listed_as_they_stand),
    ("sign_agent_in", orders_to_agents_reach_the_switchboard),
    ("sign_agent_out", orders_to_agents_reach_the_switchboard),
    ("pause_agent", orders_to_agents_reach_the_switchboard),
    ("resume_agent", orders_to_agents_reach_the_switchboard),
    ("get_live_queue", a_queue_shows_who_waits_and_what_became_of_others),
];

#[tokio::test]
async fn agents_are_listed_as_they_stand() {
    let world = with_a_queue().await;
    let since = Timestamp::from_second(Timestamp::now().as_second()).expect("a moment");
    let pause = AgentPause { reason: "lunch".into(), since };
    keep(&world, "101", &AgentStands { signed_in: true, since, paused: Some(pause), wrap_up_until: None });
    binding(&world, "101");
    world.writer.flush().await;

    let (status, page) = answer(world.get("/v1/agents")).await;
    let (_, second) = answer(world.get("/v1/agents/102")).await;
    let (unknown, nobody) = answer(world.get("/v1/agents/109")).await;
    let (_, others) = answer(world.with("NATIVE_OTHER", Method::GET, "/v1/agents")).await;

    assert_eq!((status, page["items"].as_array().map(Vec::len)), (200, Some(2)));
    let first = &page["items"][0];
    assert_eq!((&first["state"], &first["paused"]["reason"]), (&json!("paused"), &json!("lunch")));
    assert_eq!((&first["signed_in"], &first["queues"]), (&json!(true), &json!(["700"])));
    assert_eq!(
        (&second["state"], &second["signed_in"], &second["since"]),
        (&json!("offline"), &json!(false), &Value::Null)
    );
    assert_eq!((unknown, &nobody["code"]), (404, &json!("no_such_agent")));
    assert_eq!(others["items"], json!([]));
}

#[tokio::test]
async fn an_agent_that_rings_talks_or_writes_is_shown_so() {
    let world = with_a_queue().await;
    let now = Timestamp::now();
    let until = now + jiff::SignedDuration::from_secs(60);
    binding(&world, "101");
    keep(&world, "101", &AgentStands { signed_in: true, since: now, paused: None, wrap_up_until: Some(until) });
    let state = async |world: &World| {
        world.writer.flush().await;
        answer(world.get("/v1/agents/101")).await.1["state"].clone()
    };

    let writes = state(&world).await;
    let mut told = ToldCall::new(&world.writer, world.demo, call(1), now);
    told.inbound("0900000001").ringing(2);
    let rings = state(&world).await;
    told.connected(2, 2, 1);
    let talks = state(&world).await;

    assert_eq!([writes, rings, talks], ["wrap_up", "ringing", "busy"]);
}

#[tokio::test]
async fn a_queue_shows_who_waits_and_what_became_of_others() {
    let world = with_a_queue().await;
    let midnight = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone"));
    let begin = midnight.start_of_day().expect("a day").timestamp() + jiff::SignedDuration::from_secs(1);
    let told = |nth| ToldCall::new(&world.writer, world.demo, call(nth), begin);
    told(1).inbound("0900000001").queued("700", 1).after(5_000).unqueued("700", Unqueued::Answered).connected(2, 2, 1);
    told(2).inbound("0900000002").queued("700", 1).after(30_000).unqueued("700", Unqueued::Answered);
    let mut abandoned = told(3);
    abandoned.inbound("0900000003").queued("700", 1).after(41_000).unqueued("700", Unqueued::Abandoned);
    abandoned.ended(Reason::Cancelled, 487);
    told(4).inbound("0900000004").queued("700", 3).unqueued("700", Unqueued::Full);
    told(5).inbound("0900000005").queued("700", 1).ringing(2);
    told(6).inbound("0900000006").queued("701", 1);
    let yesterday = begin - jiff::SignedDuration::from_hours(2);
    ToldCall::new(&world.writer, world.demo, call(7), yesterday)
        .inbound("0900000007")
        .queued("700", 1)
        .unqueued("700", Unqueued::Abandoned);
    world.writer.flush().await;

    let (status, queue) = answer(world.get("/v1/queues/700/live")).await;
    let (unknown, _) = answer(world.get("/v1/queues/709/live")).await;
    let (others, _) = answer(world.with("NATIVE_OTHER", Method::GET, "/v1/queues/700/live")).await;

    assert_eq!((status, unknown, others), (200, 404, 404));
    let waiting = &queue["waiting"];
    assert_eq!(waiting.as_array().map(Vec::len), Some(1), "{waiting}");
    assert_eq!((&waiting[0]["callid"], &waiting[0]["place"]), (&json!(call(5).to_string()), &json!(1)));
    assert_eq!(waiting[0]["offered_to"], json!(["101"]));
    let expected = json!({
        "offered": 5, "answered": 2, "abandoned": 1, "overflowed": 1, "within_service_level": 1,
        "service_level_seconds": 20, "longest_wait_seconds": 41,
    });
    assert_eq!(queue["today"], expected);
    assert_eq!((&queue["agents"][0]["id"], &queue["agents"][1]["id"]), (&json!("102"), &json!("101")));
}

#[tokio::test]
async fn orders_to_agents_reach_the_switchboard() {
    let world = with_a_queue().await;
    let stands = || Ok(Reply::AgentStands { extension: "101".into() });
    let lunch = AgentAction::Pause { reason: "lunch".into() };

    for (word, sent, action) in [
        ("sign-in", json!({}), AgentAction::SignIn),
        ("sign-out", json!({}), AgentAction::SignOut),
        ("pause", json!({ "reason": "lunch" }), lunch),
        ("pause", json!({}), AgentAction::Pause { reason: "".into() }),
        ("resume", json!({}), AgentAction::Resume),
    ] {
        world.switchboard.will(stands());
        let path = format!("/v1/agents/101/{word}");
        let (status, body) = answer(world.with("NATIVE_AGENT", Method::POST, &path).json(&sent)).await;

        assert_eq!((status, &body["extension"]), (200, &json!("101")), "{body}");
        let (tenant, _, command) = world.switchboard.reached().pop().expect("an order");
        assert_eq!(tenant, world.demo);
        assert_eq!(command, Command::Agent { extension: "101".into(), action });
    }
}

#[tokio::test]
async fn an_order_to_nobody_or_with_an_endless_reason_is_refused() {
    let world = with_a_queue().await;
    world.switchboard.will(Err(Problem::NoSuchAgent { extension: "109".into() }));

    let (nobody, body) = answer(world.with("NATIVE_AGENT", Method::POST, "/v1/agents/109/sign-in")).await;
    let long = json!({ "reason": "x".repeat(101) });
    let (endless, _) = answer(world.with("NATIVE_AGENT", Method::POST, "/v1/agents/101/pause").json(&long)).await;
    let (reader, _) = answer(world.with("NATIVE_READER", Method::POST, "/v1/agents/101/pause")).await;

    assert_eq!((nobody, &body["code"]), (404, &json!("no_such_agent")));
    assert_eq!((endless, reader), (400, 403));
}

/// A world with queue 700, of agents 102 and 101.
async fn with_a_queue() -> World {
    let world = World::start().await;
    let queue = json!({ "number": "700", "name": "Support", "members": ["102", "101"], "service_level_seconds": 20 });
    let (status, made) = answer(world.with("NATIVE_DEMO", Method::POST, "/v1/queues").json(&queue)).await;
    assert_eq!(status, 201, "{made}");
    world
}

fn keep(world: &World, agent: &str, stands: &AgentStands) {
    let value = Some(json!(stands).to_string());
    let kept = Kept { tenant: world.demo, kind: KeptKind::Agent, key: agent.into(), value, expires: None };
    world.writer.push(Told::Keep(kept));
}

fn binding(world: &World, extension: &str) {
    let expires = Timestamp::now() + jiff::SignedDuration::from_secs(60);
    let binding = json!([{
        "contact": "sip:101@192.0.2.7", "flow": { "transport": "udp", "remote": "192.0.2.7:5060" }, "expires": expires,
    }]);
    let value = Some(binding.to_string());
    let kept = Kept { tenant: world.demo, kind: KeptKind::Bindings, key: extension.into(), value, expires: None };
    world.writer.push(Told::Keep(kept));
}
