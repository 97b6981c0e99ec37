//! Orders to live calls: what reaches the switchboard, and how it refuses.

use model::{
    ActingLeg, Command, Dialled, PlayedSound, Problem, RecordAction, Reply, Timestamp, Transfer, TransferMode,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::story::ToldCall;
use crate::support::{World, call, json as answer};

pub const EFFECTS: &[(&str, fn())] = &[
    ("transfer_call", a_blind_transfer_reaches_the_switchboard),
    ("transfer_call", an_attended_transfer_tells_the_consultation),
    ("hold_call", holding_and_taking_back_reach_the_switchboard),
    ("resume_call", holding_and_taking_back_reach_the_switchboard),
    ("mute_call", a_voice_is_silenced_and_heard_again),
    ("unmute_call", a_voice_is_silenced_and_heard_again),
    ("press_keys", keys_are_pressed_in_the_place_of_a_party),
    ("play_sound", a_sound_is_played_and_ended),
    ("record_call", a_recording_is_begun_paused_and_ended),
];

#[tokio::test]
async fn a_blind_transfer_reaches_the_switchboard() {
    let world = World::start().await;
    world.switchboard.will(Ok(Reply::Transferring { call: call(1), consultation: None }));

    let (status, body) = order(&world, "transfer", json!({ "to": "0900000002" })).await;

    let id = call(1).to_string();
    let expected = json!({ "id": id, "callid": id, "state": "transferring", "consultation": null });
    assert_eq!((status, body), (200, expected));
    let to = Dialled::parse("0900000002").expect("a number");
    let transfer = Transfer { call: call(1), leg: ActingLeg::OnlyExtension, to, mode: TransferMode::Blind };
    assert_eq!(only_command(&world), Command::Transfer(transfer));
}

#[tokio::test]
async fn an_attended_transfer_tells_the_consultation() {
    let world = World::start().await;
    world.switchboard.will(Ok(Reply::Transferring { call: call(1), consultation: Some(call(2)) }));

    let sent = json!({ "to": "102", "mode": "attended", "leg": "101" });
    let (status, body) = order(&world, "transfer", sent).await;

    assert_eq!((status, &body["consultation"]), (200, &json!(call(2).to_string())));
    let Command::Transfer(transfer) = only_command(&world) else { panic!("another order") };
    assert_eq!((transfer.mode, transfer.leg), (TransferMode::Attended, ActingLeg::Extension("101".into())));
}

#[tokio::test]
async fn holding_and_taking_back_reach_the_switchboard() {
    let world = World::start().await;
    let leg = call(1).first_leg();

    let held = carried_out(&world, "hold", json!({})).await;
    let with_leg = carried_out(&world, "hold", json!({ "leg": leg.to_string() })).await;
    let resumed = carried_out(&world, "resume", json!({ "leg": "101" })).await;

    assert_eq!(held, Command::Hold { call: call(1), leg: ActingLeg::OnlyExtension });
    assert_eq!(with_leg, Command::Hold { call: call(1), leg: ActingLeg::Leg(leg) });
    assert_eq!(resumed, Command::Resume { call: call(1), leg: ActingLeg::Extension("101".into()) });
}

#[tokio::test]
async fn an_order_that_needs_nothing_more_needs_no_body() {
    let world = World::start().await;
    for word in ["hold", "resume", "mute", "unmute"] {
        world.switchboard.will(Ok(Reply::Done { call: call(1) }));

        let (status, body) = answer(world.with("NATIVE_AGENT", Method::POST, &path(word))).await;

        assert_eq!((status, &body["done"]), (200, &json!(word)));
    }
    assert_eq!(world.switchboard.reached().len(), 4);
}

#[tokio::test]
async fn a_voice_is_silenced_and_heard_again() {
    let world = World::start().await;
    let mute = |muted| Command::Mute { call: call(1), leg: ActingLeg::OnlyExtension, muted };

    assert_eq!(carried_out(&world, "mute", json!({})).await, mute(true));
    assert_eq!(carried_out(&world, "mute", json!({ "muted": false })).await, mute(false));
    assert_eq!(carried_out(&world, "unmute", json!({})).await, mute(false));
}

#[tokio::test]
async fn keys_are_pressed_in_the_place_of_a_party() {
    let world = World::start().await;

    let pressed = carried_out(&world, "dtmf", json!({ "keys": "12#a", "leg": "101" })).await;

    let leg = ActingLeg::Extension("101".into());
    assert_eq!(pressed, Command::PressKeys { call: call(1), leg, keys: "12#A".into() });
    for keys in [String::new(), "1 2".into(), "E".into(), "１".into(), "1".repeat(65)] {
        assert_eq!(order(&world, "dtmf", json!({ "keys": keys })).await.0, 400, "{keys}");
    }
    assert!(world.switchboard.reached().is_empty());
}

#[tokio::test]
async fn a_sound_is_played_and_ended() {
    let world = World::start().await;

    let played = carried_out(&world, "play", json!({ "sound": "music", "seconds": 30, "leg": "101" })).await;
    let ended = carried_out(&world, "play", json!({ "sound": null })).await;

    let (leg, sound) = (Some(ActingLeg::Extension("101".into())), Some(PlayedSound::Music));
    assert_eq!(played, Command::Play { call: call(1), leg, sound, seconds: Some(30) });
    assert_eq!(ended, Command::Play { call: call(1), leg: None, sound: None, seconds: None });
    for wrong in [json!({}), json!({ "sound": "opera" }), json!({ "sound": "busy", "seconds": -1 })] {
        assert_eq!(order(&world, "play", wrong.clone()).await.0, 422, "{wrong}");
    }
    for seconds in [0, 3_601] {
        assert_eq!(order(&world, "play", json!({ "sound": "busy", "seconds": seconds })).await.0, 400);
    }
    assert!(world.switchboard.reached().is_empty());
}

#[tokio::test]
async fn a_recording_is_begun_paused_and_ended() {
    let world = World::start().await;
    for (word, action) in [
        ("start", RecordAction::Start),
        ("pause", RecordAction::Pause),
        ("resume", RecordAction::Resume),
        ("stop", RecordAction::Stop),
    ] {
        let ordered = carried_out(&world, "record", json!({ "action": word })).await;

        assert_eq!(ordered, Command::Record { call: call(1), action });
    }
    world.switchboard.will(Err(Problem::NotNow { call: call(1), detail: "it rings".into() }));
    order(&world, "record", json!({ "action": "start" })).await;
    let (_, log) = answer(world.get("/v1/audit?noun=recording")).await;
    let rows = log["items"].as_array().expect("rows");
    let done: Vec<_> = rows.iter().rev().map(|row| row["action"].as_str().expect("a verb")).collect();
    assert_eq!(done, ["start", "pause", "resume", "stop"], "who left what out is known");
    let by = (&rows[0]["actor"], &rows[0]["thing"]);
    assert_eq!(by, (&json!("key:native e7c230b6510f5ee4"), &json!(call(1).to_string())));
}

#[tokio::test]
async fn where_two_extensions_talk_the_problem_names_their_legs() {
    let world = World::start().await;
    let mut told = ToldCall::new(&world.writer, world.demo, call(1), Timestamp::now());
    told.inbound("0900000001").ringing(2);
    world.writer.flush().await;
    let candidates = vec![call(1).first_leg(), told.leg_of(2)];
    world.switchboard.will(Err(Problem::WhichLeg { call: call(1), candidates: candidates.clone() }));

    let (status, body) = order(&world, "hold", json!({})).await;

    assert_eq!((status, &body["code"]), (422, &json!("which_leg")));
    let expected = json!([
        { "leg": candidates[0].to_string(), "extension": null },
        { "leg": candidates[1].to_string(), "extension": "101" },
    ]);
    assert_eq!(body["candidates"], expected);
}

#[tokio::test]
async fn what_the_switchboard_cannot_do_now_is_a_conflict_and_an_unknown_leg_is_told() {
    let world = World::start().await;
    for (problem, status, code) in [
        (Problem::NotNow { call: call(1), detail: "it rings: hold once it is answered".into() }, 409, "not_now"),
        (Problem::NoSuchLeg { call: call(1), leg: "109".into() }, 422, "no_such_leg"),
        (Problem::NoSuchCall { call: call(1) }, 404, "no_such_call"),
    ] {
        world.switchboard.will(Err(problem));

        let (answered, body) = order(&world, "hold", json!({ "leg": "109" })).await;

        assert_eq!((answered, &body["code"]), (status, &json!(code)));
    }
}

#[tokio::test]
async fn what_an_order_cannot_mean_reaches_nobody() {
    let world = World::start().await;
    for (word, sent, status) in [
        ("transfer", json!({}), 422),
        ("transfer", json!({ "to": "102", "mode": "soft" }), 422),
        ("transfer", json!({ "to": "call me!" }), 422),
        ("hold", json!({ "leg": "" }), 400),
        ("hold", json!({ "legs": "101" }), 422),
        ("mute", json!({ "muted": "yes" }), 422),
        ("record", json!({ "action": "burn" }), 422),
    ] {
        let (answered, body) = order(&world, word, sent.clone()).await;

        assert_eq!(answered, status, "{word} {sent}: {body}");
    }
    assert!(world.switchboard.reached().is_empty());
}

async fn carried_out(world: &World, word: &str, sent: Value) -> Command {
    world.switchboard.will(Ok(Reply::Done { call: call(1) }));
    let (status, body) = order(world, word, sent).await;
    assert_eq!((status, &body["id"]), (200, &json!(call(1).to_string())), "{body}");
    only_command(world)
}

async fn order(world: &World, word: &str, sent: Value) -> (u16, Value) {
    answer(world.with("NATIVE_AGENT", Method::POST, &path(word)).json(&sent)).await
}

fn path(word: &str) -> String {
    format!("/v1/calls/{}/{word}", call(1))
}

fn only_command(world: &World) -> Command {
    let mut reached = world.switchboard.reached();
    assert_eq!(reached.len(), 1, "{reached:?}");
    let (tenant, actor, command) = reached.pop().expect("one");
    assert_eq!((tenant, actor.name.as_str()), (world.demo, "key:native"));
    command
}
