//! What is only looked at: recordings, phones that are signed in, the catalogue of reasons.

use model::{Kept, KeptKind, Reason, TenantId, Timestamp, Told};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::story::{ToldCall, wav};
use crate::support::{World, call, json as answer};

pub const EFFECTS: &[(&str, fn())] = &[
    ("list_recordings", recordings_are_listed_in_pages_newest_first),
    ("get_recording", a_recording_is_looked_at_without_its_sound),
    ("list_registrations", phones_are_listed_as_the_engine_kept_them),
    ("list_reasons", every_reason_is_said_in_both_languages),
    ("get_call", a_call_shows_its_transfers_and_who_is_muted),
];

#[tokio::test]
async fn recordings_are_listed_in_pages_newest_first() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for nth in 1..=3 {
        recorded(&world, nth, nth != 3);
        ids.push(json!(call(nth).first_recording().to_string()));
    }
    world.writer.flush().await;

    let (status, first) = answer(world.get("/v1/recordings?limit=2")).await;
    let next = first["next"].as_str().expect("more");
    let (_, rest) = answer(world.get(&format!("/v1/recordings?limit=2&after={next}"))).await;
    let (_, of_call) = answer(world.get(&format!("/v1/recordings?callid={}", call(2)))).await;
    let (_, other) = answer(world.with("NATIVE_OTHER", Method::GET, "/v1/recordings")).await;

    assert_eq!(status, 200);
    assert_eq!((&first["items"][0]["id"], &first["items"][1]["id"]), (&ids[2], &ids[1]));
    assert_eq!((&first["items"][0]["milliseconds"], &first["items"][1]["milliseconds"]), (&json!(null), &json!(1_000)));
    assert_eq!((&rest["items"][0]["id"], &rest["next"]), (&ids[0], &Value::Null));
    assert_eq!((&of_call["items"][0]["id"], &of_call["items"][1]), (&ids[1], &Value::Null));
    assert_eq!(of_call["items"][0]["callid"], call(2).to_string());
    assert_eq!(other["items"], json!([]));
    for wrong in ["after=x", "callid=1", "limit=x", "colour=red"] {
        assert_eq!(answer(world.get(&format!("/v1/recordings?{wrong}"))).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_recording_is_looked_at_without_its_sound() {
    let world = World::start().await;
    let url = recorded(&world, 1, true);
    world.writer.flush().await;

    let looked = world.with("NATIVE_READER", Method::HEAD, &url).send().await.expect("an answer");

    assert_eq!(looked.status(), 200);
    assert_eq!(looked.headers()["content-length"], wav().len().to_string());
    assert_eq!(looked.headers()["accept-ranges"], "bytes");
    assert!(looked.bytes().await.expect("nothing").is_empty());
}

#[tokio::test]
async fn a_range_that_is_none_of_ours_is_as_if_it_were_not_there() {
    let world = World::start().await;
    let url = recorded(&world, 1, true);
    world.writer.flush().await;
    let ranged = async |range: &str| {
        let response = world.get(&url).header("range", range).send().await.expect("an answer");
        (response.status().as_u16(), response.bytes().await.expect("sound").len())
    };

    for part in ["bytes=0-9", "bytes=-10", "Bytes=10-19"] {
        assert_eq!(ranged(part).await, (206, 10), "{part}");
    }
    for ignored in ["seconds=0-9", "bytes=0-9,20-29", "bytes=9-0", "bytes=-", "bytes=a-b", "bytes", ""] {
        assert_eq!(ranged(ignored).await, (200, wav().len()), "{ignored}");
    }
    assert_eq!(ranged("bytes=99999-").await.0, 416);
}

#[tokio::test]
async fn phones_are_listed_as_the_engine_kept_them() {
    let world = World::start().await;
    let now = Timestamp::from_second(Timestamp::now().as_second()).expect("a moment");
    let binding = |remote: &str, agent: &str, left: i64| {
        let expires = now + jiff::SignedDuration::from_secs(left);
        json!({
            "contact": format!("sip:101@{remote}"), "cseq": 1, "call_id": "one", "user_agent": agent,
            "flow": { "transport": "udp", "interface": 0, "connection": 0, "remote": remote },
            "expires": expires, "since": now,
        })
    };
    keep(&world, world.demo, "101", &[binding("192.0.2.7:5060", "baresip", 60), binding("192.0.2.8:5060", "", -1)]);
    keep(&world, world.demo, "102", &[binding("192.0.2.9:5060", "", 60)]);
    keep(&world, world.other, "101", &[binding("192.0.2.10:5060", "", 60)]);
    world.writer.flush().await;

    let (status, page) = answer(world.get("/v1/registrations?limit=1")).await;
    let (_, rest) = answer(world.get("/v1/registrations?limit=1&after=101")).await;
    let (_, of_102) = answer(world.get("/v1/registrations?extension=102")).await;
    let (_, of_nobody) = answer(world.get("/v1/registrations?extension=999")).await;

    let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone");
    let shown = |at: Timestamp| json!(at.display_with_offset(zone.to_offset(at)).to_string());
    let expected = json!([{
        "extension": "101", "address": "192.0.2.7:5060", "transport": "udp", "contact": "sip:101@192.0.2.7:5060",
        "user_agent": "baresip", "since": shown(now), "expires_at": shown(now + jiff::SignedDuration::from_secs(60)),
    }]);
    assert_eq!((status, &page["items"], &page["next"]), (200, &expected, &json!("101")));
    assert_eq!((&rest["items"][0]["extension"], &rest["next"]), (&json!("102"), &Value::Null));
    assert_eq!(of_102["items"][0]["address"], "192.0.2.9:5060");
    assert_eq!(of_nobody["items"], json!([]));
}

#[tokio::test]
async fn every_reason_is_said_in_both_languages() {
    let world = World::start().await;

    let (status, page) = answer(world.with("NATIVE_READER", Method::GET, "/v1/reasons")).await;

    let reasons = page["items"].as_array().expect("reasons");
    assert_eq!((status, reasons.len()), (200, Reason::ALL.len()));
    let busy = reasons.iter().find(|reason| reason["code"] == "busy").expect("busy");
    assert_eq!((&busy["sip"], &busy["sentence"]["en"]), (&json!(486), &json!("The called party is busy.")));
    assert!(reasons.iter().all(|reason| reason["sentence"]["vi"].as_str().is_some_and(|said| !said.is_empty())));
}

#[tokio::test]
async fn a_call_shows_its_transfers_and_who_is_muted() {
    let world = World::start().await;
    let mut told = ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now());
    told.inbound("0900000001").ringing(2).connected(2, 2, 1).muted(2).transferring(2, "102");
    world.writer.flush().await;

    let (_, story) = answer(world.get(&format!("/v1/calls/{}", call(1)))).await;

    assert_eq!((&story["legs"][1]["muted"], &story["legs"][0]["muted"]), (&json!(true), &json!(false)));
    let transfer = &story["record"]["transfers"][0];
    assert_eq!(
        (&transfer["to"], &transfer["mode"], &transfer["target"]),
        (&json!("102"), &json!("blind"), &json!(null))
    );
    assert_eq!(story["transfers"], story["record"]["transfers"]);
    assert_eq!((&story["record"]["about"], &story["record"]["routed_by"]), (&json!(null), &json!(null)));
}

/// A call with a recording; where that plays.
fn recorded(world: &World, nth: u32, closed: bool) -> String {
    let file = format!("{nth}.wav");
    let mut told = ToldCall::new(&world.writer, world.demo, call(nth), Timestamp::now());
    told.inbound("0900000001").ringing(2).connected(2, 2, 1).recording(&file, closed);
    std::fs::write(world.recordings().join(file), wav()).expect("a recording");
    format!("/v1/recordings/{}", call(nth).first_recording())
}

fn keep(world: &World, tenant: TenantId, extension: &str, bindings: &[Value]) {
    let value = Some(json!(bindings).to_string());
    let kept = Kept { tenant, kind: KeptKind::Bindings, key: extension.into(), value, expires: None };
    world.writer.push(Told::Keep(kept));
}
