//! Voip24h's API as its clients meet it: the documented examples replayed, links that play, strangers refused.

mod support;

use std::path::Path;

use model::{Command, DialAnswer, Problem, Reason, Reply, Timestamp};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use support::story::{ToldCall, wav};
use support::{World, call, json};

#[tokio::test]
async fn the_documented_examples_are_answered_to_the_letter() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vendors/voip24h/fixtures");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the fixtures").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a fixture");
        let fixture: Value = serde_json::from_str(&text).expect("JSON");
        let world = World::start().await;
        prepare(&world, &fixture).await;

        let (status, answer) = replay(&world, &fixture["request"]).await;

        assert_eq!(status, 200, "{}", file.display());
        let server = world.address.to_string();
        let answer = without_tokens(answer, &server);
        assert_eq!(answer, fixture["answer"], "{}: {answer:#}", file.display());
    }
}

#[tokio::test]
async fn a_click_reaches_the_switchboard_as_it_was_asked() {
    let world = World::start().await;
    world.switchboard.will_ring(call(1));

    json(world.bare(Method::GET, "/dial?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&phone=84%20900.000.001")).await;

    let (tenant, actor, command) = world.switchboard.reached().pop().expect("a command");
    let Command::Originate(order) = command else { panic!("{command:?}") };
    assert_eq!((tenant, actor.name.as_str()), (world.demo, "key:voip24h"));
    assert_eq!((order.from.as_str(), order.to.as_str()), ("101", "84 900.000.001"));
    assert_eq!(order.answer, DialAnswer::WhenPhoneResponds);
}

#[tokio::test]
async fn history_is_the_last_hour_newest_first_and_its_pages_follow_each_other() {
    let world = World::start().await;
    let now = Timestamp::now();
    let ago = |seconds| Timestamp::from_second(now.as_second() - seconds).expect("a moment");
    tell_answered(&world, 1, ago(4_000), 60);
    for nth in 2..=31 {
        tell_answered(&world, nth, ago(2_000 - i64::from(nth) * 10), 5);
    }
    world.writer.flush().await;
    let path = "/dial/history?voip=VOIPKEY_DEMO&secret=SECRET_DEMO";

    let (_, first) = json(world.bare(Method::GET, path)).await;
    let next = first["result"]["next"].as_str().expect("a second page");
    let (_, second) = json(world.bare(Method::GET, &format!("{path}&start={next}"))).await;

    let ids = |page: &Value| -> Vec<String> {
        let rows = page["result"]["data"].as_array().expect("rows");
        rows.iter().map(|row| row["callid"].as_str().expect("a callid").to_owned()).collect()
    };
    let mut heard = ids(&first);
    assert_eq!((heard.len(), &first["result"]["recordsTotalAll"]), (25, &30.into()));
    assert_eq!((&first["result"]["recordsDisplay"], &first["result"]["prev"]), (&25.into(), &Value::Null));
    heard.extend(ids(&second));
    let expected: Vec<String> = (2..=31).rev().map(|nth| call(nth).to_string()).collect();
    assert_eq!(heard, expected, "the call that ended before the hour is not there");
    assert_eq!(second["result"]["next"], Value::Null);
    assert!(second["result"]["prev"].is_string());
}

#[tokio::test]
async fn history_takes_the_filters_of_the_search() {
    let world = World::start().await;
    let now = Timestamp::now();
    tell_answered(&world, 1, Timestamp::from_second(now.as_second() - 100).expect("a moment"), 5);
    let mut missed = ToldCall::new(&world.writer, world.demo, call(2), now);
    missed.inbound("0900000002").ringing(2).ended(Reason::Cancelled, 487);
    world.writer.flush().await;

    for (filter, expected) in [
        ("", 2),
        ("&status=MISSED", 1),
        ("&type=OUTBOUND", 0),
        ("&search=84900000002", 1),
        ("&source=0900000001&type=inbound", 1),
        (&*format!("&date_start={}", now.as_second() - 10), 1),
        (&*format!("&date_end={}", now.as_second() - 50), 1),
        ("&length=1", 1),
    ] {
        let path = format!("/dial/history?voip=VOIPKEY_DEMO&secret=SECRET_DEMO{filter}");
        let (_, page) = json(world.bare(Method::GET, &path)).await;
        assert_eq!(page["result"]["recordsDisplay"], expected, "{filter}: {page:#}");
    }
    for filter in ["&status=LOST", "&type=sideways", "&date_start=yesterday", "&callid=1", "&length=many"] {
        let path = format!("/dial/history?voip=VOIPKEY_DEMO&secret=SECRET_DEMO{filter}");
        let (status, page) = json(world.bare(Method::GET, &path)).await;
        assert_eq!((status, &page["status"]), (200, &2000.into()), "{filter}");
    }
}

#[tokio::test]
async fn the_links_of_a_row_play_and_show_nothing_of_the_inside() {
    let world = World::start().await;
    tell_answered(&world, 1, Timestamp::now(), 42);
    std::fs::create_dir(world.recordings().join("1")).expect("a folder");
    std::fs::write(world.recordings().join("1/secret-name.wav"), wav()).expect("a recording");
    world.writer.flush().await;
    let path = format!("/dial/searching?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&callid={}", call(1));
    let (_, page) = json(world.bare(Method::GET, &path)).await;
    let row = &page["result"]["data"][0];

    for (name, disposition) in
        [("recording", "inline"), ("play", "inline"), ("eplay", "inline"), ("download", "attachment")]
    {
        let link = row[name].as_str().expect("a link");
        let response = Client::new().get(link).send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{name}");
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], "audio/wav");
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert!(headers["content-disposition"].to_str().expect("text").starts_with(disposition), "{name}");
        assert_eq!(response.bytes().await.expect("sound"), wav());
        let shown = format!("{link} {headers:?}");
        assert!(!shown.contains("secret-name") && !shown.contains("VPBX"), "{shown}");
    }

    let part = Client::new().get(row["play"].as_str().expect("a link")).header("range", "bytes=0-3");
    let part = part.send().await.expect("an answer");
    assert_eq!(
        (part.status(), &part.headers()["content-range"]),
        (StatusCode::PARTIAL_CONTENT, &"bytes 0-3/16044".parse().expect("a value"))
    );
    assert_eq!(part.bytes().await.expect("sound"), "RIFF");
}

#[tokio::test]
async fn a_link_plays_no_other_call() {
    let world = World::start().await;
    tell_answered(&world, 1, Timestamp::now(), 42);
    std::fs::create_dir(world.recordings().join("1")).expect("a folder");
    std::fs::write(world.recordings().join("1/secret-name.wav"), wav()).expect("a recording");
    world.writer.flush().await;
    let path = format!("/dial/searching?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&callid={}", call(1));
    let (_, page) = json(world.bare(Method::GET, &path)).await;
    let link = page["result"]["data"][0]["play"].as_str().expect("a link").to_owned();
    let answer = async |link: &str| Client::new().get(link).send().await.expect("an answer").status().as_u16();

    let other = link.replace(&call(1).to_string(), &call(2).to_string());
    assert_eq!(answer(&other).await, 404);
    assert_eq!(answer(link.split('&').next().expect("an address")).await, 404);
    assert_eq!(answer(&link.replace("xKey=", "xKey=A")).await, 404);
    assert_eq!(answer(&link).await, 200);
}

#[tokio::test]
async fn another_tenant_and_a_stranger_reach_nothing() {
    let world = World::start().await;
    tell_answered(&world, 1, Timestamp::now(), 42);
    let mut live = ToldCall::new(&world.writer, world.demo, call(2), Timestamp::now());
    live.click("0900000001").ringing(1);
    world.writer.flush().await;
    let (other, wrong) = ("voip=VOIPKEY_OTHER&secret=SECRET_OTHER", "voip=VOIPKEY_OTHER&secret=SECRET_DEMO");

    for (path, answer) in [
        (format!("/dial/searching?callid={}&", call(1)), "success"),
        ("/dial/history?".to_owned(), "success"),
        ("/dial/hangup?sip=101&phone=0900000001&".to_owned(), "No active call between 101 and 0900000001"),
    ] {
        let (status, theirs) = json(world.bare(Method::GET, &format!("{path}{other}"))).await;
        assert_eq!((status, &theirs["message"]), (200, &answer.into()), "{path}");
        if answer == "success" {
            assert_eq!(theirs["result"]["data"], Value::Array(vec![]), "{path}");
        }
        let (_, strangers) = json(world.bare(Method::GET, &format!("{path}{wrong}"))).await;
        assert_eq!(strangers["message"], "voip or secret is invalid", "{path}");
        let (_, silent) = json(world.bare(Method::GET, &path)).await;
        assert_eq!(silent["message"], "voip is required", "{path}");
    }
    let (_, dialled) = json(world.bare(Method::GET, &format!("/dial?sip=101&phone=0900000001&{wrong}"))).await;
    assert_eq!(dialled["call_status"], "Failed");
    assert!(world.switchboard.reached().is_empty(), "nothing was ordered");

    let home = "/dial?voip=VOIPKEY_HOME&secret=SECRET_HOME&sip=101&phone=0900000001";
    let (_, elsewhere) = json(world.bare(Method::GET, home)).await;
    assert_eq!(elsewhere["message"], "this address is not allowed to use the key");
    let here = "/dial/history?voip=VOIPKEY_HERE&secret=SECRET_HERE";
    assert_eq!(json(world.bare(Method::GET, here)).await.1["status"], 200);
}

#[tokio::test]
async fn hanging_up_by_callid_orders_that_call_of_the_keys_own_tenant() {
    let world = World::start().await;
    world.switchboard.will(Err(Problem::NoSuchCall { call: call(9) }));

    let path =
        format!("/dial/hangup?voip=VOIPKEY_OTHER&secret=SECRET_OTHER&sip=101&phone=0900000001&callid={}", call(9));
    let (_, answer) = json(world.bare(Method::GET, &path)).await;

    assert_eq!(answer["call_status"], "Failed");
    let (tenant, _, command) = world.switchboard.reached().pop().expect("a command");
    assert_eq!((tenant, command), (world.other, Command::HangUp { call: call(9) }));
}

#[tokio::test]
async fn pages_of_any_origin_may_ask() {
    let world = World::start().await;
    for path in ["/dial", "/dial/", "/dial/history", "/dial/searching", "/dial/hangup/", "/fdownload/play"] {
        let asked = world
            .bare(Method::OPTIONS, path)
            .header("origin", "https://shop.example.test")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "content-type,authorization");
        let answer = asked.send().await.expect("an answer");

        assert!(answer.status().is_success(), "{path}");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{path}");
        let allowed = answer.headers()["access-control-allow-headers"].to_str().expect("text").to_ascii_lowercase();
        assert!(allowed.contains("content-type") && allowed.contains("authorization"), "{path}: {allowed}");
    }
}

#[tokio::test]
async fn a_head_places_and_ends_no_call() {
    let world = World::start().await;
    let mut live = ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now());
    live.click("0900000001").ringing(1);
    world.writer.flush().await;
    let asked = "voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&phone=0900000001";

    for path in ["/dial", "/dial/", "/calling", "/calling/", "/dial/hangup", "/dial/hangup/"] {
        let answer = world.bare(Method::HEAD, &format!("{path}?{asked}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 405, "{path}");
        assert_eq!(answer.headers()["allow"], "GET, POST, OPTIONS", "{path}");
    }

    assert!(world.switchboard.reached().is_empty(), "nothing was ordered");
    let history = world.bare(Method::HEAD, &format!("/dial/history?{asked}")).send().await.expect("an answer");
    assert_eq!(history.status(), 200);
}

/// What a fixture says of the world.
async fn prepare(world: &World, fixture: &Value) {
    let began = "2023-11-14T22:13:20Z".parse().expect("a moment");
    let mut told = ToldCall::new(&world.writer, world.demo, call(1), began);
    match fixture["story"].as_str() {
        None => {}
        Some("live click-to-call") => drop(told.click("0900000001").ringing(1)),
        Some("answered inbound call with a recording") => {
            told.inbound("0900000001").after(1_000).ringing(2).after(8_000).connected(2, 2, 1);
            told.recording("1/secret-name.wav", true).after(42_000).ended(Reason::HungUp, 200);
        }
        Some("missed inbound call") => {
            told.inbound("0900000001").ringing(2).after(30_000).ended(Reason::Cancelled, 487);
        }
        Some(other) => panic!("no story is called {other}"),
    }
    world.writer.flush().await;
    let switchboard = &fixture["switchboard"];
    let id = |value: &Value| value.as_str().map(|id| id.parse().expect("a callid"));
    if let Some(call) = id(&switchboard["rings"]) {
        world.switchboard.will_ring(call);
    }
    if let Some(call) = id(&switchboard["hangs_up"]) {
        world.switchboard.will(Ok(Reply::HungUp { call }));
    }
    if let Some(code) = switchboard["fails"].as_str() {
        let reason = *Reason::ALL.iter().find(|reason| reason.code() == code).expect("a reason");
        world.switchboard.will(Err(Problem::refused(reason, "why")));
    }
}

async fn replay(world: &World, request: &Value) -> (u16, Value) {
    let method = request["method"].as_str().expect("a method").parse().expect("a method");
    let mut asked = world.bare(method, request["path"].as_str().expect("a path"));
    if request["json"].is_object() {
        asked = asked.json(&request["json"]);
    }
    if let Some(form) = request["form"].as_str() {
        asked = asked.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    }
    json(asked).await
}

/// Tokens and the server's address differ from run to run.
fn without_tokens(answer: Value, server: &str) -> Value {
    match answer {
        Value::String(text) => {
            let text = text.replace(server, "SERVER");
            match text.split_once("xKey=") {
                Some((address, _)) => format!("{address}xKey=TOKEN").into(),
                None => text.into(),
            }
        }
        Value::Array(items) => items.into_iter().map(|item| without_tokens(item, server)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, without_tokens(value, server))).collect()
        }
        other => other,
    }
}

/// An inbound call that was answered, talked so long, and was recorded.
fn tell_answered(world: &World, nth: u32, began: Timestamp, seconds: i64) {
    let mut told = ToldCall::new(&world.writer, world.demo, call(nth), began);
    told.inbound("0900000001").ringing(2).connected(2, 2, 1).recording("1/secret-name.wav", true);
    told.after(seconds * 1_000).ended(Reason::HungUp, 200);
}
