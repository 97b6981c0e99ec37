//! The Socket.IO dialogue (readings 11, 12, 15) with the real clients, 2.x and 4.x, over websocket and polling.

mod support;

use std::sync::Arc;
use std::time::Duration;

use api::Readiness;
use model::{Reason, Timestamp};
use serde_json::json;
use support::clients::{KINDS, Kind, SocketClient};
use support::story::ToldCall;
use support::{World, call};

const OLD: Kind = Kind { version: "2", transports: "websocket" };
const NEW: Kind = Kind { version: "4", transports: "websocket" };

#[tokio::test(flavor = "multi_thread")]
async fn every_client_is_greeted_signs_and_hears_a_call_once_and_in_order() {
    let world = World::start().await;
    for (nth, kind) in KINDS.into_iter().enumerate() {
        let mut client = SocketClient::connect(kind, &world.url(""), None);
        client.hears("connect").await;
        let connecting = client.hears("connecting").await;
        assert_eq!((&connecting["status"], &connecting["code"]), (&json!(1000), &json!("connecting")));
        client.emit("sign", json!(["VOIPKEY_DEMO"])).await;
        client.hears("signing").await;
        let connected = client.hears("connected").await;
        assert_eq!((&connected["status"], &connected["message"]), (&json!(1000), &json!("connected")));
        for words in ["message_vi", "message_en"] {
            assert!(connected[words].as_str().is_some_and(|words| words.ends_with('.')), "{connected}");
        }
        assert_eq!(client.hears("connection").await, connected, "both greetings have one body");
        client.hears("say").await;

        let id = call(nth as u32 + 1);
        click_to_call(&world, id);

        let ring = client.hears("response").await;
        assert_eq!(
            (&ring["extend"], &ring["state"], &ring["type"]),
            (&json!("101"), &json!("Ring"), &json!("outbound"))
        );
        assert_eq!((&ring["phone"], &ring["callid"]), (&json!("0900000001"), &json!(id.to_string())));
        assert_eq!(client.told().await, "101 Ringing");
        assert_eq!(client.told().await, "101 Up");
        let hangup = client.hears("response").await;
        assert_eq!((&hangup["state"], &hangup["type"]), (&json!("Hangup"), &json!(null)), "the switch of the document");
        client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_signs_in_its_connect_handler_is_heard() {
    let world = World::start().await;
    for kind in KINDS {
        let mut client = SocketClient::connect(kind, &world.url(""), Some("SECRET_DEMO"));

        for event in ["connect", "connecting", "signing", "connected", "connection", "say"] {
            client.hears(event).await;
        }
        client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_be_two_strings_or_an_object() {
    let world = World::start().await;
    for kind in [OLD, NEW] {
        for arguments in
            [json!(["VOIPKEY_DEMO", "SECRET_DEMO"]), json!([{ "voip": "VOIPKEY_DEMO", "secret": "SECRET_DEMO" }])]
        {
            let mut client = connected(kind, &world).await;
            client.emit("sign", arguments).await;

            client.hears("signing").await;
            client.hears("connected").await;
            client.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_an_error_in_each_clients_own_way() {
    let world = World::start().await;
    for kind in KINDS {
        for arguments in [json!(["WRONG"]), json!(["VOIPKEY_DEMO", "WRONG"]), json!([42])] {
            let mut client = connected(kind, &world).await;
            client.emit("sign", arguments).await;
            client.hears("signing").await;

            let error = client.hears("error").await;

            let words = [&error["status"], &error["code"], &error["message"]];
            assert_eq!(words, [&json!(2000), &json!("key_invalid"), &json!("key is invalid")], "{kind:?}");
            for words in ["message_vi", "message_en"] {
                assert!(error[words].as_str().is_some_and(|words| words.ends_with('.')), "{kind:?}: {error}");
            }
            if kind.is_old() {
                assert_eq!(client.hears("error").await, json!({ "message": "key is invalid" }), "the ERROR packet");
            }
            client.hears("disconnect").await;
            let error_packets = client.packets.iter().filter(|(packet, _)| *packet == 4).count();
            assert_eq!(error_packets, usize::from(kind.is_old()), "2.x hears an ERROR packet: {:?}", client.packets);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_keys_hears_of_none_but_those_that_it_has_used() {
    let world = World::start().await;
    let used = json!(["VOIPKEY_DEMO", "SECRET_DEMO"]);
    let mut client = connected(NEW, &world).await;
    client.emit("sign", used.clone()).await;
    client.hears("signing").await;
    client.hears("connected").await;
    // Whoever has sent so many wrong ones, and goes on, is taken for a guesser.
    let guess = world.get("/dial/history?voip=WRONG&secret=WRONG");
    let (sent, mut count) = tokio::sync::watch::channel(0);
    let guessing = tokio::spawn(async move {
        loop {
            guess.try_clone().expect("it has no body").send().await.expect("an answer");
            sent.send_modify(|sent| *sent += 1);
        }
    });
    count.wait_for(|sent| *sent > 3_300).await.expect("guesses");

    let mut guesser = connected(NEW, &world).await;
    guesser.emit("sign", json!(["VOIPKEY_DEMO"])).await;
    guesser.hears("signing").await;
    let refused = guesser.hears("Bandwidth").await;
    assert_eq!(refused["code"], json!("too_many_wrong_keys"), "though the key is right");
    let mut client = connected(NEW, &world).await;
    client.emit("sign", used).await;
    client.hears("signing").await;
    client.hears("connected").await;
    guessing.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_sign_is_told_and_closed() {
    let world = World::start_with(|settings| settings.live.sign_within = Duration::from_millis(50)).await;
    for kind in KINDS {
        let mut client = connected(kind, &world).await;

        assert_eq!(client.hears("connectTimeout").await["status"], 2000);
        client.hears("disconnect").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_asked_again_then_ended_and_a_hello_begins_anew() {
    let world = World::start_with(|settings| {
        settings.live.say_again_after = Duration::from_millis(300);
        settings.live.hello_within = Duration::from_secs(2);
    })
    .await;
    for kind in [OLD, NEW] {
        let mut client = SocketClient::signed(kind, &world.url(""), "VOIPKEY_DEMO").await;

        client.hears("say").await;
        client.emit("hello", json!(["a socket id"])).await;
        client.hears("say").await;
        let end = client.hears("connectEnd").await;

        assert_eq!(end["reason"], "silent", "{kind:?}");
        client.hears("disconnect").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_so_many_sessions_and_the_next_is_told_so() {
    let world = World::start().await;
    let first = SocketClient::signed(OLD, &world.url(""), "VOIPKEY_TWO").await;
    let second = SocketClient::signed(NEW, &world.url(""), "VOIPKEY_TWO").await;
    let mut third = connected(NEW, &world).await;

    third.emit("sign", json!(["VOIPKEY_TWO"])).await;
    third.hears("signing").await;
    let bandwidth = third.hears("Bandwidth").await;

    let figures = [&bandwidth["limit"], &bandwidth["current"], &bandwidth["retry_after"]];
    assert_eq!(figures, [&json!(2), &json!(2), &json!(30)]);
    assert_eq!(bandwidth["code"], "too_many_sessions");
    third.hears("disconnect").await;
    first.close().await;
    second.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_keys_new_session_closes_the_old() {
    let world = World::start().await;
    for kind in [OLD, NEW] {
        let mut old = SocketClient::signed(kind, &world.url(""), "VOIPKEY_HUB").await;

        let new = SocketClient::signed(kind, &world.url(""), "SECRET_HUB").await;

        assert_eq!(old.hears("connectEnd").await["reason"], "replaced");
        old.hears("disconnect").await;
        new.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_outside_the_allow_list_is_refused() {
    let world = World::start().await;
    for kind in [OLD, NEW] {
        let mut client = connected(kind, &world).await;
        client.emit("sign", json!(["VOIPKEY_HOME"])).await;
        client.hears("signing").await;

        assert_eq!(client.hears("connectionRefused").await["status"], 2000);
        client.hears("disconnect").await;
        SocketClient::signed(kind, &world.url(""), "VOIPKEY_HERE").await.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_says_farewell_and_takes_nobody_new() {
    for kind in [OLD, NEW] {
        let world = World::start().await;
        let mut present = SocketClient::signed(kind, &world.url(""), "VOIPKEY_DEMO").await;

        world.readiness.send_replace(Readiness::Draining);
        let mut late = connected(kind, &world).await;
        late.hears("disconnectedServer").await;
        late.hears("disconnect").await;
        click_to_call(&world, call(1));
        assert_eq!(present.told().await, "101 Ring", "present sessions hear how present calls end");
        for state in ["101 Ringing", "101 Up", "101 Hangup"] {
            assert_eq!(present.told().await, state);
        }

        world.readiness.send_replace(Readiness::Stopped);
        present.hears("disconnectedServer").await;
        present.hears("disconnect").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_taken_away_ends_its_sessions() {
    let world = World::start().await;
    let mut client = SocketClient::signed(NEW, &world.url(""), "VOIPKEY_DEMO").await;

    let mut directory = (**world.directory.borrow()).clone();
    directory.keys.clear();
    world.directory.send_replace(Arc::new(directory));

    client.hears("error").await;
    client.hears("disconnect").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_hears_its_own_calls_alone_in_its_own_way() {
    let world = World::start().await;
    let mut mine = SocketClient::signed(OLD, &world.url(""), "VOIPKEY_DEMO").await;
    let mut theirs = SocketClient::signed(NEW, &world.url(""), "VOIPKEY_OTHER").await;

    let mut call_of_theirs = ToldCall::new(&world.writer, world.other, call(1), Timestamp::now());
    call_of_theirs.click("0900000002").ringing(1).ended(Reason::Cancelled, 487);
    click_to_call(&world, call(2));

    assert_eq!(theirs.told().await, "101 ring");
    let hangup = theirs.hears("response").await;
    assert_eq!((&hangup["state"], &hangup["type"]), (&json!("hangup"), &json!("outbound")), "the other switches");
    assert_eq!(mine.hears("response").await["callid"], call(2).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_falls_behind_reads_on_and_misses_nothing() {
    const CALLS: u32 = 400;
    let world = World::start_with(|settings| {
        settings.live.buffer = 8;
        settings.live.behind_pause = Duration::from_millis(5);
    })
    .await;
    for (round, kind) in [Kind { version: "2", transports: "polling" }, NEW].into_iter().enumerate() {
        let mut client = SocketClient::signed(kind, &world.url(""), "VOIPKEY_DEMO").await;
        let first = 1 + round as u32 * CALLS;

        (first..first + CALLS).for_each(|nth| click_to_call(&world, call(nth)));

        for nth in first..first + CALLS {
            for state in ["Ring", "Ringing", "Up", "Hangup"] {
                let told = client.hears("response").await;
                assert_eq!(told["callid"], call(nth).to_string(), "{kind:?} {state}");
                assert_eq!(told["state"], state);
            }
        }
        client.close().await;
    }
    assert!(world.metrics.socket_behind.get() > 0, "a buffer of eight packets was full at least once");
}

async fn connected(kind: Kind, world: &World) -> SocketClient {
    let mut client = SocketClient::connect(kind, &world.url(""), None);
    client.hears("connect").await;
    client.hears("connecting").await;
    client
}

/// A click-to-call from 101 to 0900000001 that is answered and ends.
fn click_to_call(world: &World, id: model::CallId) {
    let phone = "0900000001";
    let mut call = ToldCall::new(&world.writer, world.demo, id, Timestamp::now());
    call.click(phone).after(10).ringing(1).after(10).dial(phone).after(10).ringing(2).after(10).connected(2, 1, 2);
    call.after(10).ended(Reason::HungUp, 200);
}
