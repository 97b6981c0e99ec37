//! Voip24h's API as its clients meet it: the documented examples replayed, links that play, strangers refused.

mod support;

use std::path::Path;

use api::Readiness;
use model::{ActingLeg, Command, DialAnswer, Problem, Reason, Reply, Timestamp, TransferMode};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use support::story::{ToldCall, wav};
use support::{World, call, json};

#[tokio::test]
async fn the_documented_examples_are_answered_to_the_letter() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vendors/voip24h/fixtures");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the fixtures").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a fixture");
        let fixture: Value = serde_json::from_str(&text).expect("JSON");
        let world = World::start().await;
        prepare(&world, &fixture).await;

        let (status, answer) = replay(&world, &fixture["request"]).await;

        let answer = without_tokens(answer, &world.address.to_string());
        let expected = (fixture["status"].as_u64().unwrap_or(200), &fixture["answer"]);
        if (u64::from(status), &answer) != expected {
            wrong.push(format!("{}: {status} {answer:#}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
async fn a_transfer_reaches_the_switchboard_as_it_was_asked() {
    for (extra, mode) in [("", TransferMode::Blind), ("&Mode=ATTENDED", TransferMode::Attended)] {
        let world = World::start().await;
        let mut told = ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now());
        told.inbound("0900000001").ringing(2).connected(2, 2, 1);
        world.writer.flush().await;

        let asked = "voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&sip_transfer=0900%20000%20002&phone=84900000001";
        json(world.bare(Method::GET, &format!("/dial/transfer?{asked}{extra}"))).await;

        let (tenant, actor, command) = world.switchboard.reached().pop().expect("a command");
        let Command::Transfer(order) = command else { panic!("{command:?}") };
        assert_eq!((tenant, actor.name.as_str(), order.call), (world.demo, "key:voip24h", call(1)));
        assert_eq!((order.leg, order.mode), (ActingLeg::Extension("101".into()), mode));
        assert_eq!(order.to.as_str(), "0900 000 002");
    }
}

#[tokio::test]
async fn a_search_pages_there_and_back_and_never_slips() {
    let world = World::start().await;
    for nth in 1..=60 {
        tell_answered(&world, nth, Timestamp::from_second(1_700_000_000 + i64::from(nth)).expect("a moment"), 5);
    }
    world.writer.flush().await;
    let path =
        "/dial/search?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&date_start=1700000002&date_end=1700000059&type=inbound";
    let page = async |start: &Value| {
        let start = start.as_str().map(|start| format!("&start={start}")).unwrap_or_default();
        json(world.bare(Method::GET, &format!("{path}{start}"))).await.1["result"].clone()
    };
    let ids = |page: &Value| -> Vec<String> {
        let rows = page["data"].as_array().expect("rows");
        rows.iter().map(|row| row["callid"].as_str().expect("a callid").to_owned()).collect()
    };

    let (mut pages, mut start) = (Vec::new(), Value::Null);
    loop {
        let found = page(&start).await;
        start = found["next"].clone();
        pages.push(found);
        if start.is_null() {
            break;
        }
    }

    let all: Vec<String> = pages.iter().flat_map(&ids).collect();
    assert_eq!(all, (2..=59).rev().map(|nth| call(nth).to_string()).collect::<Vec<_>>(), "both ends count");
    assert_eq!(pages.iter().map(|page| page["recordsDisplay"].clone()).collect::<Vec<_>>(), [25, 25, 8]);
    assert!(pages.iter().all(|page| page["recordsTotalAll"] == 58));
    let back = page(&pages[2]["prev"]).await;
    assert_eq!(ids(&back), ids(&pages[1]));
    let first = page(&back["prev"]).await;
    assert_eq!((ids(&first), &first["prev"]), (ids(&pages[0]), &Value::Null));
}

#[tokio::test]
async fn every_parameter_that_is_required_is_missed_by_name_and_none_is_too_long() {
    let world = World::start().await;
    let given = |name: &str| match name {
        "voip" => "VOIPKEY_DEMO",
        "secret" => "SECRET_DEMO",
        "sip" => "101",
        "sip_transfer" => "102",
        "phone" => "0900000001",
        "callid" => "1700000000.1000100",
        "date_start" => "1700000000",
        "date_end" => "1700000001",
        other => panic!("nobody asks for {other}"),
    };
    for (path, names) in [
        ("/dial", &["voip", "secret", "sip", "phone"][..]),
        ("/calling", &["voip", "secret", "sip", "phone"]),
        ("/dial/transfer", &["voip", "secret", "sip", "sip_transfer", "phone"]),
        ("/dial/hangup", &["voip", "secret", "sip", "phone"]),
        ("/dial/history", &["voip", "secret"]),
        ("/dial/searching", &["voip", "secret", "callid"]),
        ("/dial/search", &["voip", "secret", "date_start", "date_end"]),
        ("/play", &["voip", "callid"]),
    ] {
        for missed in names {
            for (value, sentence) in [
                (None, format!("{missed} is required")),
                (Some(String::new()), format!("{missed} is required")),
                (Some("%20".to_owned()), format!("{missed} is required")),
                (Some("1".repeat(513)), format!("{missed} is too long")),
            ] {
                let others = names.iter().filter(|name| *name != missed).map(|name| format!("{name}={}", given(name)));
                let query: Vec<String> = others.chain(value.map(|value| format!("{missed}={value}"))).collect();

                let (status, answer) = json(world.bare(Method::GET, &format!("{path}?{}", query.join("&")))).await;

                let message = if path == "/play" { &answer["message"]["message"] } else { &answer["message"] };
                assert_eq!((status, message), (200, &Value::from(sentence)), "{path} without {missed}");
            }
        }
    }
    assert!(world.switchboard.reached().is_empty(), "nothing was ordered");
}

#[tokio::test]
async fn names_are_read_in_every_spelling_of_case_from_query_json_form_and_multipart() {
    let world = World::start().await;
    let pairs = [("voip", "VOIPKEY_DEMO"), ("secret", "SECRET_DEMO"), ("callid", "1700000000.1000100")];
    tell_answered(&world, 1, Timestamp::from_second(1_700_000_000).expect("a moment"), 5);
    world.writer.flush().await;
    let title = |name: &str| name[..1].to_uppercase() + &name[1..];
    for spell in [&str::to_lowercase as &dyn Fn(&str) -> String, &str::to_uppercase, &title] {
        let spelled: Vec<(String, &str)> = pairs.iter().map(|(name, value)| (spell(name), *value)).collect();
        let object: serde_json::Map<String, Value> =
            spelled.iter().map(|(name, value)| (name.clone(), Value::from(*value))).collect();
        let parts: String = spelled
            .iter()
            .map(|(name, value)| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"))
            .collect();
        let multipart = format!("{parts}--x--\r\n");

        for path in ["/dial/searching", "/dial/searching/"] {
            let post = || world.bare(Method::POST, path);
            for request in [
                world.bare(Method::GET, path).query(&spelled),
                world.bare(Method::GET, path).query(&spelled).json(&serde_json::json!({ "callid": "1.1" })),
                post().query(&spelled),
                post().json(&object),
                post().form(&spelled),
                post().header("content-type", "multipart/form-data; boundary=x").body(multipart.clone()),
            ] {
                let (_, answer) = json(request).await;
                assert_eq!(answer["result"]["recordsDisplay"], 1, "{path}: {spelled:?}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn what_goes_wrong_inside_is_said_in_json_too() {
    let world = World::start().await;
    world.store.clone().close().await;
    let key = "voip=VOIPKEY_DEMO&secret=SECRET_DEMO";

    for (path, marker) in [
        (format!("/dial/history?{key}"), "status"),
        (format!("/dial/search?{key}&date_start=1&date_end=2"), "status"),
        (format!("/dial/searching?{key}&callid={}", call(1)), "status"),
        (format!("/dial/hangup?{key}&sip=101&phone=0900000001"), "status"),
        (format!("/dial/transfer?{key}&sip=101&sip_transfer=102&phone=0900000001"), "status"),
    ] {
        let (status, answer) = json(world.bare(Method::GET, &path)).await;
        let sentence = "the server could not read its records: try again in a few seconds";
        assert_eq!((status, &answer[marker], &answer["message"]), (200, &2000.into(), &sentence.into()), "{path}");
    }
}

#[tokio::test]
async fn a_recordings_link_asks_for_the_secret_where_the_key_does() {
    let world = World::start().await;
    tell_answered(&world, 1, Timestamp::now(), 42);
    world.writer.flush().await;
    let said = async |query: &str| {
        let (_, answer) = json(world.bare(Method::GET, &format!("/play?callid={}&{query}", call(1)))).await;
        answer["message"]["message"].as_str().expect("a word").to_owned()
    };

    assert_eq!(said("voip=VOIPKEY_DEMO").await, "successful");
    assert_eq!(said("voip=VOIPKEY_DEMO&secret=WRONG").await, "voip or secret is invalid");
    assert_eq!(said("voip=VOIPKEY_STRICT").await, "secret is required");
    assert_eq!(said("voip=VOIPKEY_STRICT&secret=SECRET_STRICT").await, "successful");
    assert_eq!(said("voip=VOIPKEY_OTHER").await, "not found");
    assert_eq!(said("voip=VOIPKEY_HOME").await, "this address is not allowed to use the key");
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

    let path = format!("/dial/hangup?voip=VOIPKEY_OTHER&secret=SECRET_OTHER&callid={}", call(9));
    let (_, answer) = json(world.bare(Method::GET, &path)).await;

    assert_eq!(answer["call_status"], "Failed");
    let (tenant, _, command) = world.switchboard.reached().pop().expect("a command");
    assert_eq!((tenant, command), (world.other, Command::HangUp { call: call(9) }));
}

#[tokio::test]
async fn a_callid_picks_among_the_live_calls_of_the_extension_and_the_phone_that_are_given() {
    let world = World::start().await;
    let told = |nth, phone: &str| {
        let mut told = ToldCall::new(&world.writer, world.demo, call(nth), Timestamp::now());
        told.click(phone).ringing(1).after(1_000).dial(phone).ringing(2).connected(2, 1, 2);
        told
    };
    let (mut earlier, _newer) = (told(1, "0900000001"), told(2, "0900000001"));
    world.writer.flush().await;
    let theirs = call(1).to_string();

    for given in ["sip=102&phone=0900000001", "sip=101&phone=0900000777", "sip=102", "phone=0900000777"] {
        for path in ["/dial/hangup", "/dial/transfer"] {
            let path = format!("{path}?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip_transfer=102&callid={theirs}&{given}");
            let (_, answer) = json(world.bare(Method::GET, &path)).await;
            assert_eq!(answer["call_status"], "Failed", "{path}: {answer}");
        }
    }
    assert!(world.switchboard.reached().is_empty(), "nothing was ordered");

    for given in ["sip=101&phone=0900000001", "sip=101&phone=%2B84900000001", "sip=101", "phone=84900000001", "x=1"] {
        world.switchboard.will(Ok(Reply::HungUp { call: call(1) }));
        let path = format!("/dial/hangup?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&callid={theirs}&{given}");
        let (_, answer) = json(world.bare(Method::GET, &path)).await;
        assert_eq!(
            (&answer["call_status"], &answer["callid"]),
            (&"Success".into(), &theirs.as_str().into()),
            "{given}"
        );
        let (_, _, command) = world.switchboard.reached().pop().expect("a command");
        assert_eq!(command, Command::HangUp { call: call(1) }, "not the newest one");
    }

    earlier.ended(Reason::HungUp, 200);
    world.writer.flush().await;
    let path = format!("/dial/hangup?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&callid={theirs}&sip=101&phone=0900000001");
    let (_, over) = json(world.bare(Method::GET, &path)).await;
    assert_eq!(over["message"], format!("No active call {theirs} of 101 and 0900000001"));
}

#[tokio::test]
async fn a_body_that_is_no_json_is_said_to_be_none_where_something_is_missing() {
    let world = World::start().await;
    let post = |path: &str, body: &'static str| {
        world.bare(Method::POST, path).header("content-type", "application/json").body(body)
    };

    for path in ["/dial", "/dial/hangup", "/dial/search", "/play"] {
        let (status, answer) = json(post(path, "{\"voip\":\"VOIPKEY_DEMO\",")).await;
        let message = answer["message"]["message"].as_str().or(answer["message"].as_str()).expect("a sentence");
        assert!(status == 200 && message.starts_with("the body is not JSON (EOF while parsing"), "{path}: {answer}");
    }
    let (_, array) = json(post("/dial", "[\"101\"]")).await;
    assert_eq!(array["message"], "the body is JSON but no object: send an object, as in {\"sip\":\"101\"}");
    let long = Box::leak(format!("{{\"phone\":\"{}\"}}", "0".repeat(70_000)).into_boxed_str());
    let (_, long) = json(post("/dial?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&phone=0900000001", long)).await;
    assert_eq!((&long["status"], &long["events"]), (&2000.into(), &Value::Array(vec![])));
    assert_eq!(long["message"], "the body is too long: send 64 kB at most");
    assert!(world.switchboard.reached().is_empty(), "nothing was ordered");

    // Some clients name JSON and send none, with everything in the address.
    for body in ["", "null"] {
        let (_, page) = json(post("/dial/history?voip=VOIPKEY_DEMO&secret=SECRET_DEMO", body)).await;
        assert_eq!(page["status"], 200, "{page}");
    }
}

#[tokio::test]
async fn while_records_cannot_be_stored_no_phone_rings_and_nothing_of_the_database_is_told() {
    let world = World::start().await;
    world.readiness.send_replace(Readiness::Stalled);

    let dial = "/dial?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&phone=0900000001";
    let (_, answer) = json(world.bare(Method::GET, dial)).await;

    assert_eq!((&answer["status"], &answer["call_status"]), (&2000.into(), &"Failed".into()));
    let sentence =
        "records cannot be stored now, so no call is taken: try again in a minute; the server's log says why";
    assert_eq!(answer["message"], sentence);
    assert!(world.switchboard.reached().is_empty(), "nothing was ordered");
}

#[tokio::test]
async fn links_begin_with_the_public_url_or_the_host_that_the_client_named_and_with_no_hostile_one() {
    let own = World::start().await;
    let public = World::start_with(|settings| settings.public_url = Some("https://pbx.example.test/".into())).await;
    for (world, host, forwarded, base) in [
        (&own, "crm.example.test:8080", "", "http://crm.example.test:8080"),
        (&own, "crm.example.test", "https", "http://crm.example.test"),
        (&own, "a@evil.example.test", "", ""),
        (&own, "evil.example.test/x?", "", ""),
        (&own, "\"><script>alert(1)</script>", "", ""),
        (&public, "evil.example.test", "http", "https://pbx.example.test"),
    ] {
        tell_answered(world, 1, Timestamp::now(), 42);
        world.writer.flush().await;
        let path = format!("/dial/searching?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&callid={}", call(1));
        let ask =
            |path: &str| world.bare(Method::GET, path).header("host", host).header("x-forwarded-proto", forwarded);

        let (_, page) = json(ask(&path)).await;
        let shown = ask("/documents?voip=VOIPKEY_DEMO").send().await.expect("an answer").text().await.expect("text");

        let link = page["result"]["data"][0]["play"].as_str().expect("a link");
        assert!(link.starts_with(&format!("{base}/fdownload/play?pkeyID=")), "{host}: {link}");
        let repeated = base.is_empty() && (shown.contains("evil") || shown.contains("alert"));
        assert!(!repeated, "{host} is not repeated");
    }
}

#[tokio::test]
async fn pages_of_any_origin_may_ask() {
    let world = World::start().await;
    for path in [
        "/dial",
        "/dial/",
        "/dial/history",
        "/dial/searching",
        "/dial/hangup/",
        "/fdownload/play",
        "/dial/search",
        "/dial/x",
    ] {
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

    for path in ["/dial", "/dial/", "/calling", "/dial/hangup", "/dial/hangup/", "/dial/transfer", "/dial/transfer/"] {
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
        Some("talking inbound call") => drop(told.inbound("0900000001").ringing(2).after(8_000).connected(2, 2, 1)),
        Some("answered outbound call") => {
            told.click("0900000001").ringing(1).dial("0900000001").ringing(2).after(12_000).connected(2, 1, 2);
            told.after(30_000).ended(Reason::HungUp, 200);
        }
        Some("busy outbound call") => {
            told.click("0900000001").ringing(1).dial("0900000001").after(3_000).ended(Reason::Busy, 486);
        }
        Some("answered local call") => {
            told.local("102").ringing(2).after(1_000).connected(2, 2, 1).after(61_000).ended(Reason::HungUp, 200);
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
    if let Some(call) = id(&switchboard["transfers"]) {
        let consultation = id(&switchboard["consultation"]);
        world.switchboard.will(Ok(Reply::Transferring { call, consultation }));
    }
    if let Some(detail) = switchboard["not_now"].as_str() {
        world.switchboard.will(Err(Problem::NotNow { call: call(1), detail: detail.to_owned() }));
    }
    if let Some(call) = id(&switchboard["no_such_call"]) {
        world.switchboard.will(Err(Problem::NoSuchCall { call }));
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
