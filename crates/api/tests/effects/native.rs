//! The native API: what it shows, who may ask, how it refuses.

use futures_util::StreamExt;
use model::{
    Ban, Command, DialAnswer, Kept, KeptKind, Problem, Reason, Reply, Source, TenantId, Timestamp, Told, TrunkHealth,
    TrunkRegistration, TrunkState,
};
use reqwest::Method;
use serde_json::{Value, json};

use api::Readiness;

use crate::support::story::{ToldCall, wav};
use crate::support::{ADMIN, World, call, json as answer};

pub const EFFECTS: &[(&str, fn())] = &[
    ("begin_call", a_call_is_begun_and_answered_as_soon_as_it_is_accepted),
    ("list_calls", live_calls_are_listed_and_one_call_has_legs_events_and_record),
    ("get_call", live_calls_are_listed_and_one_call_has_legs_events_and_record),
    ("hang_up_call", a_call_is_hung_up_by_order),
    ("list_records", records_are_filtered_and_paged),
    ("get_recording", a_recording_plays_whole_and_in_part),
    ("list_events", events_are_read_in_pages_and_are_flat),
    ("apply_provision", a_provision_file_is_applied_by_the_operator),
    ("get_trunk_health", a_trunks_health_is_what_the_engine_kept_of_it_last),
    ("list_bans", bans_are_listed_in_pages_and_lifted_by_the_operator),
    ("lift_ban", bans_are_listed_in_pages_and_lifted_by_the_operator),
];

#[tokio::test]
async fn a_call_is_begun_and_answered_as_soon_as_it_is_accepted() {
    let world = World::start().await;
    world.switchboard.will_ring(call(1));

    let asked =
        world.with("NATIVE_DEMO", Method::POST, "/v1/calls").json(&json!({ "from": "101", "to": "0900000001" }));
    let response = asked.send().await.expect("an answer");

    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["location"], format!("/v1/calls/{}", call(1)));
    let body: Value = response.json().await.expect("JSON");
    assert_eq!((&body["id"], &body["state"]), (&json!(call(1).to_string()), &json!("started")));
    let (tenant, actor, command) = world.switchboard.reached().pop().expect("a command");
    let Command::Originate(order) = command else { panic!("{command:?}") };
    assert_eq!((tenant, actor.name.as_str(), order.answer), (world.demo, "key:native", DialAnswer::WhenAccepted));
}

#[tokio::test]
async fn what_the_switchboard_refuses_is_a_problem_with_a_sentence() {
    let world = World::start().await;
    let failed = |reason: Reason| Problem::refused(reason, "why, and what to do");
    for (problem, status, code) in [
        (Problem::NoSuchExtension { extension: "999".into() }, 422, "no_such_extension"),
        (failed(Reason::NoRoute), 422, "no_route"),
        (failed(Reason::NotAllowed), 403, "not_allowed"),
        (failed(Reason::Offline), 409, "offline"),
        (failed(Reason::Limit), 503, "limit"),
        (failed(Reason::StorageStalled), 503, "storage_stalled"),
        (Problem::Unavailable, 503, "unavailable"),
        (Problem::TimedOut, 504, "timed_out"),
    ] {
        world.switchboard.will(Err(problem));

        let asked =
            world.with("NATIVE_DEMO", Method::POST, "/v1/calls").json(&json!({ "from": "101", "to": "0900000001" }));
        let response = asked.send().await.expect("an answer");

        assert_eq!(response.status(), status, "{code}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body: Value = response.json().await.expect("JSON");
        assert_eq!((&body["code"], &body["status"]), (&json!(code), &json!(status)));
        assert_eq!(body["type"], format!("urn:tongdai:problem:{code}"));
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
}

#[tokio::test]
async fn live_calls_are_listed_and_one_call_has_legs_events_and_record() {
    let world = World::start().await;
    let began = "2026-01-31T01:00:00.5Z".parse().expect("a moment");
    let mut live = ToldCall::new(&world.writer, world.demo, call(1), began);
    live.click("0900000001").ringing(1).dial("0900000001").connected(2, 1, 2);
    world.writer.flush().await;

    let (_, list) = answer(world.get("/v1/calls")).await;
    let (_, story) = answer(world.get(&format!("/v1/calls/{}", call(1)))).await;

    assert_eq!((list["items"].as_array().map(Vec::len), &list["next"]), (Some(1), &Value::Null));
    let row = &list["items"][0];
    assert_eq!(
        (&row["id"], &row["state"], &row["from"]),
        (&json!(call(1).to_string()), &json!("connected"), &json!("101"))
    );
    assert_eq!(row["started_at"], "2026-01-31T08:00:00.5+07:00", "the tenant's zone, with its offset");
    assert_eq!(story["legs"].as_array().map(Vec::len), Some(2));
    assert_eq!((&story["legs"][1]["trunk"], &story["legs"][1]["state"]), (&json!("carrier"), &json!("answered")));
    let types: Vec<_> = story["events"].as_array().expect("events").iter().map(|event| &event["type"]).collect();
    assert_eq!(types[0], "call.started");
    assert_eq!(types.last(), Some(&&json!("call.connected")));
    assert_eq!((&story["record"]["status"], &story["record"]["ended_at"]), (&json!("answered"), &Value::Null));

    live.after(5_000).ended(Reason::HungUp, 200);
    world.writer.flush().await;
    let (_, list) = answer(world.get("/v1/calls")).await;
    let (_, story) = answer(world.get(&format!("/v1/calls/{}", call(1)))).await;
    assert_eq!(list["items"], json!([]));
    assert_eq!((&story["state"], &story["record"]["bill_seconds"]), (&json!("ended"), &json!(5)));
}

#[tokio::test]
async fn a_call_is_hung_up_by_order() {
    let world = World::start().await;
    world.switchboard.will(Ok(Reply::HungUp { call: call(1) }));
    world.switchboard.will(Err(Problem::NoSuchCall { call: call(2) }));
    let path = |nth| format!("/v1/calls/{}/hangup", call(nth));

    let (status, body) = answer(world.with("NATIVE_DEMO", Method::POST, &path(1))).await;
    assert_eq!((status, &body["state"]), (200, &json!("ended")));
    let (status, body) = answer(world.with("NATIVE_DEMO", Method::POST, &path(2))).await;
    assert_eq!((status, &body["code"]), (404, &json!("no_such_call")));
}

#[tokio::test]
async fn records_are_filtered_and_paged() {
    let world = World::start().await;
    let began = Timestamp::from_second(1_700_000_000).expect("a moment");
    for nth in 1..=5 {
        let mut told = ToldCall::new(&world.writer, world.demo, call(nth), began);
        told.after(i64::from(nth) * 60_000).inbound("0900000001").ringing(2);
        if nth % 2 == 0 {
            told.connected(2, 2, 1);
        }
        told.after(1_000).ended(Reason::HungUp, 200);
    }
    world.writer.flush().await;
    let callids = |page: &Value| -> Vec<String> {
        let rows = page["items"].as_array().expect("rows");
        rows.iter().map(|row| row["callid"].as_str().expect("a callid").to_owned()).collect()
    };

    let (mut after, mut all) = (String::new(), Vec::new());
    loop {
        let (status, page) = answer(world.get(&format!("/v1/records?limit=2{after}"))).await;
        assert_eq!(status, 200);
        all.extend(callids(&page));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(all, (1..=5).rev().map(|nth| call(nth).to_string()).collect::<Vec<_>>());

    for (filter, expected) in [
        ("status=answered", 2),
        ("status=missed&direction=inbound", 3),
        ("extension=101&customer=%2B84900000001", 5),
        ("extension=102", 0),
        ("started_since=2023-11-15T05:15:20%2B07:00", 4),
        ("started_since=2023-11-15T05:15:20+07:00", 4),
        ("ended_before=2023-11-14T22:15:00Z", 1),
        (&*format!("callid={}", call(3)), 1),
        ("state=live", 0),
        ("state=any&search=02873088088", 5),
    ] {
        let (status, page) = answer(world.get(&format!("/v1/records?{filter}"))).await;
        assert_eq!((status, callids(&page).len()), (200, expected), "{filter}: {page}");
    }
    for wrong in [
        "after=xyz",
        "status=lost",
        "direction=up",
        "started_since=today",
        "callid=1",
        "state=old",
        "colour=red",
        "limit=x",
    ] {
        let (status, page) = answer(world.get(&format!("/v1/records?{wrong}"))).await;
        assert_eq!((status, &page["code"]), (400, &json!("bad_request")), "{wrong}");
    }
}

#[tokio::test]
async fn a_recording_plays_whole_and_in_part() {
    let world = World::start().await;
    let mut told = ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now());
    told.inbound("0900000001").ringing(2).connected(2, 2, 1).recording("a.wav", false);
    std::fs::write(world.recordings().join("a.wav"), wav()).expect("a recording");
    world.writer.flush().await;
    let (_, story) = answer(world.get(&format!("/v1/calls/{}", call(1)))).await;
    let url = story["record"]["recordings"][0]["url"].as_str().expect("its address").to_owned();

    let whole = world.get(&url).send().await.expect("an answer");
    let part = world.get(&url).header("range", "bytes=-4").send().await.expect("an answer");
    let beyond = world.get(&url).header("range", "bytes=99999-").send().await.expect("an answer");

    assert_eq!(
        (whole.status().as_u16(), &whole.headers()["content-type"]),
        (200, &"audio/wav".parse().expect("a value"))
    );
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    assert_eq!(whole.bytes().await.expect("sound"), wav());
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.expect("sound").len(), 4);
    assert_eq!(beyond.status(), 416);
    let (status, _) = answer(world.get("/v1/recordings/1700000000.1999999")).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn events_are_read_in_pages_and_are_flat() {
    let world = World::start().await;
    let began = "2026-01-31T01:00:00Z".parse().expect("a moment");
    ToldCall::new(&world.writer, world.demo, call(1), began).click("0900000001").ringing(1);
    world.writer.flush().await;

    let (_, first) = answer(world.get("/v1/events?limit=2")).await;
    let next = first["next"].as_str().expect("more");
    let (_, rest) = answer(world.get(&format!("/v1/events?limit=2&after={next}"))).await;

    let started = json!({
        "position": 1, "subject": "call", "id": call(1).to_string(), "seq": 1, "at": "2026-01-31T01:00:00Z",
        "callid": call(1).to_string(), "type": "call.started", "origin": "click", "direction": "outbound",
        "from": { "party": "extension", "number": "101" },
        "to": { "party": "outside", "number": "0900000001", "trunk": "carrier" },
        "did": "842873088088",
    });
    assert_eq!(first["items"][0], started);
    assert_eq!((&rest["items"][0]["type"], &rest["items"][0]["position"]), (&json!("leg.ringing"), &json!(3)));
    assert_eq!(rest["next"], Value::Null);
}

#[tokio::test]
async fn an_event_stream_catches_up_then_tells_each_event_and_goes_on_where_it_was_left() {
    let world = World::start().await;
    let mut told = ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now());
    told.click("0900000001");
    world.writer.flush().await;

    let mut stream = Lines::open(world.get("/v1/events?after=1")).await;
    assert_eq!(stream.next_event().await, (2, "leg.started".to_owned()), "what was stored before");
    told.ringing(1);
    assert_eq!(stream.next_event().await, (3, "leg.ringing".to_owned()), "what is stored from now on");

    told.ended(Reason::Cancelled, 487);
    let mut again = Lines::open(world.get("/v1/events?after=0").header("last-event-id", "3")).await;
    assert_eq!(again.next_event().await, (4, "leg.ended".to_owned()), "Last-Event-ID goes before `after`");
    assert_eq!(again.next_event().await, (5, "call.ended".to_owned()));

    world.readiness.send_replace(Readiness::Stopped);
    assert!(again.ends().await, "a stopping server ends its streams");
}

#[tokio::test]
async fn an_event_stream_ends_when_its_token_is_taken_away() {
    let world = World::start().await;
    ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now()).click("0900000001");
    let mut stream = Lines::open(world.get("/v1/events")).await;
    stream.next_event().await;
    stream.next_event().await;

    let mut directory = (**world.directory.borrow()).clone();
    directory.keys.clear();
    world.directory.send_replace(std::sync::Arc::new(directory));

    assert!(stream.ends().await);
}

#[tokio::test]
async fn a_stranger_gets_401_and_a_role_that_may_not_403() {
    let world = World::start().await;
    let id = call(1);
    for (method, path) in [
        (Method::POST, "/v1/calls".to_owned()),
        (Method::GET, "/v1/calls".to_owned()),
        (Method::GET, format!("/v1/calls/{id}")),
        (Method::POST, format!("/v1/calls/{id}/hangup")),
        (Method::GET, "/v1/records".to_owned()),
        (Method::GET, format!("/v1/recordings/{id}")),
        (Method::GET, "/v1/events".to_owned()),
        (Method::POST, "/v1/provision".to_owned()),
        (Method::GET, "/v1/bans".to_owned()),
        (Method::GET, "/v1/trunks/carrier/health".to_owned()),
        (Method::DELETE, "/v1/bans/192.0.2.7".to_owned()),
    ] {
        for token in [None, Some("WRONG"), Some(""), Some("SECRET_DEMO")] {
            let asked = match token {
                None => world.bare(method.clone(), &path),
                Some(token) => world.with(token, method.clone(), &path),
            };
            let response = asked.send().await.expect("an answer");
            assert_eq!(response.status(), 401, "{method} {path} {token:?}");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
        }
    }
    let order = json!({ "from": "101", "to": "0900000001" });
    let (status, body) = answer(world.with("NATIVE_READER", Method::POST, "/v1/calls").json(&order)).await;
    assert_eq!((status, &body["code"]), (403, &json!("role")));
    let hang_up = format!("/v1/calls/{id}/hangup");
    assert_eq!(answer(world.with("NATIVE_READER", Method::POST, &hang_up)).await.0, 403);
    assert_eq!(answer(world.with("NATIVE_DEMO", Method::POST, "/v1/provision").body("tenants: []")).await.0, 403);
    assert_eq!(answer(world.with("NATIVE_DEMO", Method::GET, "/v1/bans")).await.0, 403);
    assert_eq!(answer(world.with("NATIVE_DEMO", Method::DELETE, "/v1/bans/192.0.2.7")).await.0, 403);
    assert!(world.switchboard.lifted.lock().expect("no panic").is_empty());
    assert!(world.switchboard.reached().is_empty() && world.provisioner.applied.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn another_tenants_things_do_not_exist() {
    let world = World::start().await;
    let mut told = ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now());
    told.inbound("0900000001").ringing(2).connected(2, 2, 1).recording("a.wav", true);
    std::fs::write(world.recordings().join("a.wav"), wav()).expect("a recording");
    world.writer.flush().await;
    let theirs = |path: &str| world.with("NATIVE_OTHER", Method::GET, path);
    let id = call(1);

    assert_eq!(answer(theirs(&format!("/v1/calls/{id}"))).await.0, 404);
    assert_eq!(answer(theirs(&format!("/v1/recordings/{id}"))).await.0, 404);
    assert_eq!(answer(theirs("/v1/calls?tenant=VPBX_DEMO")).await.0, 404);
    for path in ["/v1/calls", "/v1/records?state=any", "/v1/events"] {
        let (status, list) = answer(theirs(path)).await;
        assert_eq!((status, &list["items"], &list["next"]), (200, &json!([]), &Value::Null), "{path}");
    }
    world.switchboard.will(Err(Problem::NoSuchCall { call: id }));
    let hang_up = world.with("NATIVE_OTHER", Method::POST, &format!("/v1/calls/{id}/hangup"));
    assert_eq!(answer(hang_up).await.0, 404);
    assert_eq!(world.switchboard.reached()[0].0, world.other, "the order went to the asker's own tenant");
}

#[tokio::test]
async fn the_admin_token_chooses_a_tenant() {
    let world = World::start().await;
    let mut told = ToldCall::new(&world.writer, world.other, call(1), Timestamp::now());
    told.inbound("0900000001");
    world.writer.flush().await;
    let admin = |path: &str| world.with(ADMIN, Method::GET, path);

    assert_eq!(answer(admin("/v1/calls")).await.1["items"], json!([]), "without a name it is the default tenant");
    assert_eq!(answer(admin("/v1/calls?tenant=VPBX_OTHER")).await.1["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer(admin("/v1/calls?tenant=VPBX_NOBODY")).await.0, 404);
    assert_eq!(
        answer(admin("/v1/records?tenant=VPBX_OTHER&state=any")).await.1["items"].as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn a_provision_file_is_applied_by_the_operator() {
    let world = World::start().await;
    let post = |path: &str, body: &'static str| world.with(ADMIN, Method::POST, path).body(body);

    let (status, body) = answer(post("/v1/provision?prune=true", "tenants: []")).await;
    assert_eq!((status, &body["created"]), (200, &json!(2)));
    assert_eq!(*world.provisioner.applied.lock().expect("no panic"), [("tenants: []".to_owned(), true)]);

    let (status, body) = answer(post("/v1/provision", "wrong")).await;
    assert_eq!(
        (status, &body["line"], &body["detail"]),
        (422, &json!(3), &json!("line 3: this is wrong, write it right"))
    );
}

#[tokio::test]
async fn a_trunks_health_is_what_the_engine_kept_of_it_last() {
    let world = World::start().await;
    let file = "
        trunks: [{ name: shared, address: '192.0.2.2:5060' }]
        tenants:
          - name: VPBX_DEMO
            trunks: [{ name: carrier, address: '192.0.2.1:5060' }]
        ";
    let provision = store::provision::parse(file).expect("it is right");
    world.store.settings().apply(provision, false).await.expect("it is applied");
    let since: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a moment");
    let registration = TrunkRegistration {
        registered: false,
        since,
        expires: None,
        why: "it refuses our username or password".into(),
        retry: Some(since + jiff::SignedDuration::from_secs(30)),
    };
    let down = TrunkHealth {
        state: TrunkState::Down,
        since,
        why: "it does not answer OPTIONS".into(),
        until: None,
        registration: Some(registration),
    };
    for (tenant, name, health) in [
        (world.demo, "carrier", &down),
        (
            TenantId::SERVER,
            "shared",
            &TrunkHealth { state: TrunkState::Up, why: "".into(), registration: None, ..down.clone() },
        ),
    ] {
        let value = serde_json::to_string(health).ok();
        world.writer.push(Told::Keep(Kept { tenant, kind: KeptKind::Trunk, key: name.into(), value, expires: None }));
    }
    world.writer.flush().await;
    let health = |token: &'static str, name: &str| world.with(token, Method::GET, &format!("/v1/trunks/{name}/health"));

    let (status, own) = answer(health("NATIVE_READER", "carrier")).await;
    let (_, shared) = answer(health("NATIVE_OTHER", "shared")).await;

    let expected = json!({
        "id": "carrier", "shared": false, "state": "down", "since": "2026-01-01T07:00:00+07:00",
        "why": "it does not answer OPTIONS", "until": null,
        "registration": {
            "registered": false, "since": "2026-01-01T07:00:00+07:00", "expires_at": null,
            "why": "it refuses our username or password", "retry_at": "2026-01-01T07:00:30+07:00",
        },
    });
    assert_eq!((status, own), (200, expected));
    assert_eq!((&shared["state"], &shared["shared"], &shared["why"]), (&json!("up"), &json!(true), &json!(null)));
    assert_eq!(answer(health("NATIVE_OTHER", "carrier")).await.0, 404, "another tenant's trunk does not exist");
    assert_eq!(answer(health("NATIVE_DEMO", "nobody")).await.0, 404);
}

#[tokio::test]
async fn bans_are_listed_in_pages_and_lifted_by_the_operator() {
    let world = World::start().await;
    let since = Timestamp::now();
    for source in ["192.0.2.7", "192.0.2.8", "2001:db8::/64"] {
        let source: Source = source.parse().expect("a source");
        let ban = Ban { source, since, until: since + jiff::SignedDuration::from_mins(4), times: 2 };
        let value = serde_json::to_string(&ban).ok();
        let (tenant, kind, key) = (TenantId::SERVER, KeptKind::Ban, source.to_string());
        world.writer.push(Told::Keep(Kept { tenant, kind, key, value, expires: Some(ban.until) }));
    }
    world.writer.flush().await;
    let admin = |method, path: &str| world.with(ADMIN, method, path);

    let (status, first) = answer(admin(Method::GET, "/v1/bans?limit=2")).await;
    assert_eq!((status, &first["next"]), (200, &json!("192.0.2.8")));
    assert_eq!((&first["items"][0]["source"], &first["items"][0]["times"]), (&json!("192.0.2.7"), &json!(2)));
    let (_, rest) = answer(admin(Method::GET, "/v1/bans?limit=2&after=192.0.2.8")).await;
    assert_eq!((&rest["items"][0]["source"], &rest["next"]), (&json!("2001:db8::/64"), &json!(null)));

    let source: Source = "2001:db8::/64".parse().expect("a source");
    world.switchboard.will(Ok(Reply::BanLifted { source }));
    let lifted = admin(Method::DELETE, "/v1/bans/2001:db8::%2F64").send().await.expect("an answer");
    assert_eq!(lifted.status(), 204);
    world.switchboard.will(Err(Problem::NoSuchBan { of: source }));
    let (status, body) = answer(admin(Method::DELETE, "/v1/bans/2001:db8::9")).await;
    assert_eq!((status, &body["code"]), (404, &json!("no_such_ban")));
    assert_eq!(*world.switchboard.lifted.lock().expect("no panic"), [source, source]);
    assert_eq!(answer(admin(Method::DELETE, "/v1/bans/office")).await.0, 400);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem_too() {
    let world = World::start().await;
    let post = |body: String| {
        world.with("NATIVE_DEMO", Method::POST, "/v1/calls").header("content-type", "application/json").body(body)
    };

    for (asked, status) in [
        (post("{".into()), 400),
        (post(json!({ "from": "101" }).to_string()), 422),
        (post(json!({ "from": "101", "to": "0900000001", "colour": "red" }).to_string()), 422),
        (post(json!({ "from": "101", "to": "call me!" }).to_string()), 422),
        (post(json!({ "from": "1".repeat(100_000), "to": "0900000001" }).to_string()), 413),
        (world.with("NATIVE_DEMO", Method::POST, "/v1/calls").body("from=101"), 415),
        (world.get("/v1/calls/not-an-id"), 404),
        (world.get("/v1/events?after=x"), 400),
        (world.get("/v1/events").header("accept", "text/event-stream").header("last-event-id", "x"), 400),
        (world.get("/v1/nothing"), 404),
        (world.with("NATIVE_DEMO", Method::DELETE, "/v1/calls"), 405),
    ] {
        let response = asked.send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body: Value = response.json().await.expect("JSON");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{body}");
    }
    assert!(world.switchboard.reached().is_empty());
}

#[tokio::test]
async fn readiness_is_told_with_its_reason_and_metrics_count() {
    let world = World::start().await;
    let get = async |path: &str| {
        let response = world.bare(Method::GET, path).send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("text"))
    };

    assert_eq!(get("/livez").await.0, 200);
    assert_eq!(get("/readyz").await.0, 200);
    for (readiness, reason) in [
        (Readiness::Starting, "starting"),
        (Readiness::Stalled, "records cannot be stored"),
        (Readiness::Draining, "no new calls"),
    ] {
        world.readiness.send_replace(readiness);
        let (status, body) = get("/readyz").await;
        assert!(status == 503 && body.contains(reason), "{body}");
        assert_eq!(get("/livez").await.0, 200);
    }
    world.metrics.calls_live.set(4);
    let (_, text) = get("/metrics").await;
    assert!(text.contains("tongdai_calls_live 4\n"), "{text}");
    assert!(text.contains("tongdai_http_requests_total{route=\"/readyz\",status=\"503\"} 3\n"), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

/// An event-stream, read event by event.
struct Lines {
    body: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    read: String,
}

impl Lines {
    async fn open(asked: reqwest::RequestBuilder) -> Self {
        let response = asked.header("accept", "text/event-stream").send().await.expect("an answer");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: Box::pin(response.bytes_stream()), read: String::new() }
    }

    /// Position and type of the next event.
    async fn next_event(&mut self) -> (i64, String) {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let line =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).expect("the line").trim();
                let id = line("id:").parse().expect("a position");
                let data: Value = serde_json::from_str(line("data:")).expect("JSON");
                assert_eq!(data["position"], id);
                let heard = (id, data["type"].as_str().expect("a type").to_owned());
                self.read = rest.to_owned();
                return heard;
            }
            let more = self.body.next().await.expect("more").expect("text");
            self.read.push_str(std::str::from_utf8(&more).expect("text"));
        }
    }

    async fn ends(&mut self) -> bool {
        self.body.next().await.is_none_or(|more| more.is_err())
    }
}
