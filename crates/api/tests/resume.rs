//! Clients whose connection is cut again and again ask for what they missed (readings 15): each event is heard once, in
//! order, by every generation of clients.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::{Reason, Timestamp};
use serde_json::{Value, json};
use support::clients::{Kind, SocketClient};
use support::story::ToldCall;
use support::{World, call};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const STATES: [&str; 4] = ["Ring", "Ringing", "Up", "Hangup"];

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_connection_is_cut_hears_every_event_once_and_in_order() {
    const CALLS: u32 = 80;
    // A poll's answer is lost whole when it is cut: a few of them must get through.
    let (short, long) = (3_000, 15_000);
    let kinds = [
        (Kind { version: "2.2", transports: "websocket" }, short),
        (Kind { version: "2", transports: "websocket" }, short),
        (Kind { version: "2", transports: "polling" }, long),
        (Kind { version: "4", transports: "websocket" }, short),
        (Kind { version: "4", transports: "polling" }, long),
    ];
    for (kind, bytes) in kinds {
        let world = World::start().await;
        let server = world.url("").trim_start_matches("http://").parse().expect("an address");
        let proxy = CuttingProxy::start(server, bytes).await;
        let mut client = SocketClient::tenacious(kind, &format!("http://{}", proxy.address), "VOIPKEY_DEMO");
        while client.next().await["event"] != "connection" {}
        proxy.begins_to_cut();

        let mut numbers = Vec::new();
        for nth in 1..=CALLS {
            // Some at a time, so that they come over many connections.
            if nth % 8 == 1 {
                (nth..nth + 8).for_each(|nth| click_to_call(&world, nth));
            }
            for state in STATES {
                let told = response(&mut client).await;
                assert_eq!(
                    (&told["callid"], &told["state"]),
                    (&json!(call(nth).to_string()), &json!(state)),
                    "{kind:?}"
                );
                numbers.push(told["number"].as_str().expect("a number").to_owned());
            }
        }
        assert!(proxy.cuts() >= 3, "{kind:?}: only {} connections were cut", proxy.cuts());
        let told = numbers.len();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), told, "each number is given once");
        client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_after_a_long_time_is_told_from_the_database() {
    // More than stays in memory.
    const CALLS: u32 = 700;
    let world = World::start().await;
    let kind = Kind { version: "4", transports: "websocket" };
    let mut client = signed(kind, &world).await;
    let before = client.hears_greeting().await;
    client.client.close().await;
    (1..=CALLS).for_each(|nth| click_to_call(&world, nth));
    world.writer.flush().await;

    let mut client = signed(kind, &world).await;
    let _ = client.hears_greeting().await;
    client.client.emit("resume", json!([before])).await;

    assert_eq!(client.client.hears("resumed").await["code"], "resumed");
    for nth in 1..=CALLS {
        for state in STATES {
            let told = client.client.hears("response").await;
            assert_eq!((&told["callid"], &told["state"]), (&json!(call(nth).to_string()), &json!(state)));
        }
    }
    client.client.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_what_it_missed_hears_nothing_before_that_and_nothing_twice() {
    let world = World::start_with(|settings| settings.live.resume_within = Duration::from_secs(60)).await;
    for (version, missed, live) in [("2", 1, 2), ("4", 3, 4)] {
        let kind = Kind { version, transports: "websocket" };
        let mut client = signed(kind, &world).await;
        let before = client.hears_greeting().await;
        client.client.close().await;
        click_to_call(&world, missed);
        world.writer.flush().await;
        let mut witness = signed(kind, &world).await;
        let _ = witness.hears_greeting().await;
        witness.client.emit("hello", json!([])).await;
        let mut client = signed(kind, &world).await;
        let _ = client.hears_greeting().await;

        click_to_call(&world, live);
        let heard = response(&mut witness.client).await;
        client.client.emit("resume", json!([before])).await;

        assert_eq!(heard["callid"], call(live).to_string(), "who says hello hears the story at once");
        client.client.hears("resumed").await;
        for nth in [missed, live] {
            for state in STATES {
                let told = client.client.hears("response").await;
                assert_eq!(
                    (&told["callid"], &told["state"]),
                    (&json!(call(nth).to_string()), &json!(state)),
                    "{kind:?}"
                );
            }
        }
        client.client.close().await;
        witness.client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_late_hears_the_story_once_more_from_there_in_order() {
    let world = World::start_with(|settings| settings.live.resume_within = Duration::ZERO).await;
    let mut client = signed(Kind { version: "4", transports: "websocket" }, &world).await;
    let before = client.hears_greeting().await;
    let client = &mut client.client;
    click_to_call(&world, 1);
    for state in STATES {
        assert_eq!(client.hears("response").await["state"], state);
    }

    client.emit("resume", json!([before])).await;

    client.hears("resumed").await;
    for state in STATES {
        assert_eq!(client.hears("response").await["state"], state);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_number_changes_nothing_and_a_number_of_the_future_is_now() {
    let world = World::start().await;
    let mut client = signed(Kind { version: "2", transports: "websocket" }, &world).await;
    let _ = client.hears_greeting().await;
    let client = &mut client.client;

    for wrong in [json!(["x"]), json!([]), json!([-5]), json!([{ "number": [] }])] {
        client.emit("resume", wrong.clone()).await;
        let answer = client.hears("resumed").await;
        assert_eq!((&answer["status"], &answer["code"]), (&json!(2000), &json!("bad_number")), "{wrong}");
    }
    client.emit("resume", json!(["999999999.3"])).await;
    client.hears("resumed").await;
    click_to_call(&world, 1);

    assert_eq!(client.hears("response").await["state"], "Ring");
}

/// A signed client whose greetings were read up to `connected`.
struct Signed {
    client: SocketClient,
    number: Value,
}

impl Signed {
    /// Reads the rest of the greetings; gives the number in them.
    async fn hears_greeting(&mut self) -> Value {
        self.client.hears("connection").await;
        self.client.hears("say").await;
        self.number.clone()
    }
}

async fn signed(kind: Kind, world: &World) -> Signed {
    let mut client = SocketClient::connect(kind, &world.url(""), Some("VOIPKEY_DEMO"));
    loop {
        let heard = client.next().await;
        if heard["event"] == "connected" {
            return Signed { client, number: heard["args"][0]["number"].clone() };
        }
    }
}

/// The next `response`, whatever else is heard before it.
async fn response(client: &mut SocketClient) -> Value {
    loop {
        let heard = client.next().await;
        if heard["event"] == "response" {
            return heard["args"][0].clone();
        }
    }
}

fn click_to_call(world: &World, nth: u32) {
    let phone = "0900000001";
    let mut told = ToldCall::new(&world.writer, world.demo, call(nth), Timestamp::now());
    told.click(phone).after(10).ringing(1).after(10).dial(phone).after(10).ringing(2).after(10).connected(2, 1, 2);
    told.after(10).ended(Reason::HungUp, 200);
}

/// Passes TCP on, and once it is told to cuts a connection after some bytes from the server, never the same number twice
/// in a row.
struct CuttingProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    cutting: std::sync::atomic::AtomicBool,
    /// Bytes from the server since the last cut.
    passed: AtomicUsize,
    cuts: AtomicUsize,
}

impl CuttingProxy {
    async fn start(server: SocketAddr, bytes: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared::default());
        let all = shared.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, server, bytes, all.clone()));
            }
        });
        Self { address, shared }
    }

    fn begins_to_cut(&self) {
        self.shared.cutting.store(true, Ordering::Release);
    }

    fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::Acquire)
    }
}

async fn pass_on(client: TcpStream, server: SocketAddr, bytes: usize, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let down = async {
        let mut piece = [0; 512];
        while let Ok(read @ 1..) = from_server.read(&mut piece).await {
            // Enough for the greetings and a few events, and cut in the middle of a frame as often as between two. A client
            // that polls may take a new connection for each answer: what counts is what passed since the last cut.
            let most = bytes + shared.cuts.load(Ordering::Acquire) * 1_777 % bytes;
            let passed = shared.passed.fetch_add(read, Ordering::AcqRel);
            let cut = shared.cutting.load(Ordering::Acquire) && passed + read > most;
            let read = if cut { read.min(most.saturating_sub(passed)) } else { read };
            if to_client.write_all(&piece[..read]).await.is_err() {
                return;
            }
            if cut {
                shared.passed.store(0, Ordering::Release);
                shared.cuts.fetch_add(1, Ordering::AcqRel);
                return;
            }
        }
    };
    let up = tokio::io::copy(&mut from_client, &mut to_server);
    tokio::select! {
        () = down => {}
        _ = up => {}
    }
}
