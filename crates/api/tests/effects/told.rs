//! What hooks are told, whatever their receivers do.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use api::{HookSettings, Hooks, Mail, Mailer, Pending};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use model::{Reason, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::receiver::{Reaction, Received, Receiver, answer, with_headers};
use crate::support::story::ToldCall;
use crate::support::{World, call, json as ask};

pub const SECRET: &str = "whsec_c2VjcmV0IG9mIHRoZSBkZW1v";

/// A world whose hooks are told things.
pub struct Telling {
    pub world: World,
    pub hooks: Option<Hooks>,
    /// In the order of the file.
    pub ids: Vec<String>,
}

impl Telling {
    /// Hooks of these kinds, URLs and methods; they try again soon.
    pub async fn start(hooks: &[(&str, &str, &str)]) -> Self {
        Self::start_with(hooks, |_| {}, None).await
    }

    pub async fn start_with(
        hooks: &[(&str, &str, &str)],
        change: impl FnOnce(&mut HookSettings),
        mailer: Option<Arc<dyn Mailer>>,
    ) -> Self {
        let world = World::start_with(|settings| {
            settings.hooks.pauses = vec![Duration::from_millis(30); 9];
            settings.hooks.timeout = Duration::from_secs(1);
            change(&mut settings.hooks);
        })
        .await;
        let mut telling = Self { world, hooks: None, ids: Vec::new() };
        telling.provision(hooks, true).await;
        telling.hooks = Some(Hooks::start(telling.world.app.clone(), mailer));
        telling
    }

    /// Gives the demo tenant these hooks too.
    pub async fn provision(&mut self, hooks: &[(&str, &str, &str)], private: bool) {
        let lines = hooks.iter().map(|(kind, url, method)| {
            format!("      - {{ kind: {kind}, url: '{url}', method: {method}, secret: {SECRET} }}\n")
        });
        let file = format!(
            "tenants:\n  - name: VPBX_DEMO\n    default: true\n    webhook_private_addresses: {private}\n    webhooks:\n{}\
             users:\n  - {{ email: owner@example.test, password: pw-of-the-owner, tenant: VPBX_DEMO, role: owner }}\n",
            lines.collect::<String>()
        );
        let provision = store::provision::parse(&file).expect("the file is right");
        self.world.store.settings().apply(provision, false).await.expect("it is applied");
        let directory = self.world.store.settings().load().await.expect("settings are read").directory;
        self.world.directory.send_replace(Arc::new(directory));
        let known = self.world.store.hooks().load().await.expect("hooks are read");
        self.ids = known.iter().map(|hook| hook.id.to_string()).collect();
    }

    /// What the API says of the first hook.
    pub async fn asked(&self, path: &str) -> Value {
        let (status, body) = ask(self.world.get(&format!("/v1/hooks/{}{path}", self.ids[0]))).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// What an order to the first hook comes to.
    pub async fn ordered(&self, path: &str) -> (u16, Value) {
        ask(self.world.with("NATIVE_DEMO", Method::POST, &format!("/v1/hooks/{}{path}", self.ids[0]))).await
    }

    /// Waits until the API says so of the first hook.
    pub async fn until(&self, path: &str, is: impl Fn(&Value) -> bool) -> Value {
        let give_up_at = Instant::now() + Duration::from_secs(20);
        loop {
            let body = self.asked(path).await;
            if is(&body) {
                return body;
            }
            assert!(Instant::now() < give_up_at, "{body}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn call(&self, nth: u32) -> ToldCall {
        ToldCall::new(&self.world.writer, self.world.demo, call(nth), Timestamp::now())
    }

    /// A call that nobody takes.
    pub fn missed(&self, nth: u32) {
        self.call(nth).inbound("0900000001").ringing(2).ended(Reason::Cancelled, 487);
    }
}

pub fn signature(secret: &str, received: &Received, content: &str) -> String {
    let key = BASE64.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    hmac.update(format!("{}.{}.{content}", received.id(), received.headers["webhook-timestamp"]).as_bytes());
    format!("v1,{}", BASE64.encode(hmac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_call_is_told_to_each_kind_of_hook_in_order_and_within_a_second() {
    let mut events = Receiver::content().await;
    let mut missed = Receiver::content().await;
    let mut native = Receiver::content().await;
    let hooks = [
        ("events", events.url.as_str(), "post_json"),
        ("missed", &missed.url, "get_json"),
        ("native", &native.url, "post_json"),
    ];
    let telling = Telling::start(&hooks).await;
    telling.until("/status", |status| status["state"] == "on").await;

    let told_at = Instant::now();
    telling.missed(1);
    let first = events.next().await;
    let took = told_at.elapsed();
    let mut of_events = vec![first];
    of_events.extend(events.some(2).await);
    let of_missed = missed.next().await;
    let of_native = native.some(7).await;

    assert!(took < Duration::from_secs(1), "{took:?}");
    let states: Vec<_> = of_events.iter().map(|one| one.json()["state"].clone()).collect();
    assert_eq!(states, ["Ring", "Hangup", "Cdr"]);
    assert!(of_events[0].line.starts_with("POST /hook?secret_key=SECRET_DEMO HTTP"), "{}", of_events[0].line);
    assert_eq!(of_missed.json()["disposition"], "MISSED");
    assert!(of_missed.line.starts_with("GET /hook?secret_key=SECRET_DEMO HTTP"), "{}", of_missed.line);
    let positions: Vec<_> = of_native.iter().map(|one| one.json()["position"].as_i64().expect("one")).collect();
    assert_eq!(positions, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(of_native[6].json()["type"], "call.ended");
    for one in of_events.iter().chain([&of_missed]).chain(&of_native) {
        assert_eq!(one.headers["webhook-signature"], signature(SECRET, one, &one.body));
        assert_eq!(one.headers["content-type"], "application/json");
    }
    let mut ids: Vec<_> = of_events.iter().chain([&of_missed]).chain(&of_native).map(Received::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 11, "names are used twice");
    assert!(events.rest().is_empty() && missed.rest().is_empty() && native.rest().is_empty());
}

#[tokio::test]
async fn what_did_not_arrive_comes_again_in_the_same_bytes_and_holds_up_its_own_call_only() {
    // The first call's first event fails three times.
    let first = call(1).to_string();
    let failing = first.clone();
    let mut receiver = Receiver::start(move |request, nth| {
        let fails = request.json()["callid"] == failing.as_str() && request.json()["state"] == "Ring" && nth < 3;
        if fails { answer(500) } else { answer(204) }
    })
    .await;
    let telling = Telling::start_with(
        &[("events", &receiver.url, "post_json")],
        |settings| {
            settings.pauses = vec![Duration::from_millis(300); 9];
        },
        None,
    )
    .await;

    telling.missed(1);
    let lost = receiver.next().await;
    telling.missed(2);
    let rest = receiver.some(6).await;

    let of_second: Vec<_> = rest.iter().filter(|one| one.json()["callid"] != first.as_str()).collect();
    let of_first: Vec<_> = rest.iter().filter(|one| one.json()["callid"] == first.as_str()).collect();
    let states = |of: &[&Received]| of.iter().map(|one| one.json()["state"].clone()).collect::<Vec<_>>();
    assert_eq!(states(&of_second), ["Ring", "Hangup", "Cdr"]);
    assert_eq!(states(&of_first), ["Ring", "Hangup", "Cdr"]);
    assert_eq!((of_first[0].id(), &of_first[0].body), (lost.id(), &lost.body));
    let last_of_second = rest.iter().rposition(|one| one.json()["callid"] != first.as_str());
    let first_again = rest.iter().position(|one| one.json()["callid"] == first.as_str());
    assert!(last_of_second < first_again, "the second call waited for the first");
}

#[tokio::test]
async fn a_dead_receiver_holds_up_no_other() {
    let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", dead.local_addr().expect("its address"));
    drop(dead);
    let silent = Receiver::start(|_, _| Reaction::Hangs).await;
    let mut alive = Receiver::content().await;
    let hooks = [
        ("native", url.as_str(), "post_json"),
        ("native", &silent.url, "post_json"),
        ("native", &alive.url, "post_json"),
    ];
    let telling = Telling::start_with(&hooks, |settings| settings.timeout = Duration::from_secs(30), None).await;

    let begun = Instant::now();
    for nth in 1..=30 {
        telling.missed(nth);
    }
    let told = alive.some(210).await;

    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(told.len(), 210);
    let status = telling.until("/status", |status| status["state"] == "failing").await;
    assert!(status["last_error"].as_str().is_some_and(|why| why.contains("refused")), "{status}");
}

#[tokio::test]
async fn each_kind_of_wrong_answer_is_a_failure_that_the_journal_explains() {
    let huge = format!("HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n{}", "x".repeat(100_000));
    let table: Vec<(Reaction, Value, &str)> = vec![
        (with_headers(302, "Location: http://127.0.0.1:1/\r\n"), json!(302), "answered 302"),
        (answer(404), json!(404), "answered 404"),
        (Reaction::Says("220 mail.example.test ESMTP\r\n".into()), Value::Null, ""),
        (Reaction::Closes, Value::Null, ""),
        (Reaction::Hangs, Value::Null, "no answer in time"),
    ];
    let reactions: Vec<_> = table.iter().map(|(reaction, ..)| reaction.clone()).collect();
    let receiver =
        Receiver::start(move |_, nth| reactions.get(nth).cloned().unwrap_or_else(|| Reaction::Says(huge.clone())))
            .await;
    let telling = Telling::start(&[("missed", &receiver.url, "post_form")]).await;

    telling.missed(1);
    let list = telling.until("/deliveries", |list| list["items"][0]["state"] == "delivered").await;
    let id = list["items"][0]["id"].as_str().expect("an id");
    let whole = telling.asked(&format!("/deliveries/{id}")).await;

    let tried = whole["tried"].as_array().expect("attempts");
    assert_eq!(tried.len(), table.len() + 1);
    for (attempt, (reaction, status, why)) in tried.iter().zip(&table) {
        assert_eq!(attempt["status"], *status, "{reaction:?}: {attempt}");
        assert!(attempt["error"].as_str().is_some_and(|text| text.contains(why)), "{reaction:?}: {attempt}");
    }
    let last = &tried[table.len()];
    assert_eq!((&last["status"], &last["error"]), (&json!(200), &Value::Null));
    assert_eq!(last["answer"].as_str().map(str::len), Some(4_096));
    let request = last["request"].as_str().expect("text");
    assert!(request.contains("webhook-id: msg_") && !request.contains("SECRET_DEMO"), "{request}");
}

#[tokio::test]
async fn after_ten_attempts_it_is_given_up_and_the_next_of_the_call_goes_on() {
    let mut receiver =
        Receiver::start(|request, _| if request.json()["state"] == "Ring" { answer(503) } else { answer(200) }).await;
    let telling = Telling::start_with(
        &[("events", &receiver.url, "post_json")],
        |settings| settings.pauses = vec![Duration::from_millis(1); 9],
        None,
    )
    .await;

    telling.missed(1);
    let told = receiver.some(12).await;

    assert!(told[..10].iter().all(|one| one.json()["state"] == "Ring" && one.id() == told[0].id()));
    assert_eq!((told[10].json()["state"].clone(), told[11].json()["state"].clone()), (json!("Hangup"), json!("Cdr")));
    let failed = telling.until("/deliveries?state=failed", |list| list["items"][0].is_object()).await;
    assert_eq!((&failed["items"][0]["id"], &failed["items"][0]["attempts"]), (&json!(told[0].id()), &json!(10)));
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_is_given_it() {
    let receiver = Receiver::start(|_, _| with_headers(429, "Retry-After: 7200\r\n")).await;
    let telling = Telling::start(&[("missed", &receiver.url, "post_json")]).await;

    telling.missed(1);
    let list = telling.until("/deliveries", |list| list["items"][0]["attempts"] == 1).await;

    let due: Timestamp = list["items"][0]["due_at"].as_str().expect("a moment").parse().expect("a moment");
    let wait = due.duration_since(Timestamp::now()).as_secs();
    assert!((7_190..=7_200).contains(&wait), "{wait} s");
}

#[tokio::test]
async fn a_private_address_is_not_connected_to_unless_the_operator_allows_it() {
    let mut receiver = Receiver::content().await;
    let mut telling = Telling::start(&[]).await;
    telling.provision(&[("missed", &receiver.url, "post_json")], false).await;

    telling.missed(1);
    let list = telling.until("/deliveries", |list| list["items"][0]["attempts"].as_i64() > Some(0)).await;
    let id = list["items"][0]["id"].as_str().expect("an id");
    let whole = telling.asked(&format!("/deliveries/{id}")).await;

    assert!(whole["tried"][0]["error"].as_str().is_some_and(|why| why.contains("private address")), "{whole}");
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn what_waits_when_the_server_stops_is_sent_at_the_next_start_under_its_name() {
    let mut receiver = Receiver::start(|_, nth| if nth < 1 { Reaction::Hangs } else { answer(200) }).await;
    let mut telling = Telling::start_with(
        &[("events", &receiver.url, "post_json")],
        |settings| settings.timeout = Duration::from_secs(60),
        None,
    )
    .await;
    telling.missed(1);
    let lost = receiver.next().await;

    let hooks = telling.hooks.take().expect("running");
    hooks.stop(Duration::from_millis(50)).await;
    telling.missed(2);
    telling.world.writer.flush().await;
    telling.hooks = Some(Hooks::start(telling.world.app.clone(), None));
    let told = receiver.some(6).await;

    let again = told.iter().find(|one| one.id() == lost.id()).expect("it comes again");
    assert_eq!(again.body, lost.body);
    let mut ids: Vec<_> = told.iter().map(Received::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6, "something came under two names, or twice");
}

#[tokio::test]
async fn owners_are_warned_once_of_a_hook_that_fails_and_told_when_it_works_again() {
    struct Box_(Mutex<Vec<Mail>>);
    impl Mailer for Box_ {
        fn send(&self, mail: Mail) -> Pending<'_, Result<(), String>> {
            self.0.lock().expect("no panic").push(mail);
            Box::pin(std::future::ready(Ok(())))
        }
    }
    let works = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mended = works.clone();
    let receiver =
        Receiver::start(move |_, _| answer(if mended.load(std::sync::atomic::Ordering::SeqCst) { 200 } else { 500 }))
            .await;
    let letters = Arc::new(Box_(Mutex::new(Vec::new())));
    let telling = Telling::start_with(
        &[("missed", &receiver.url, "post_json")],
        |settings| {
            settings.warn_after = Duration::from_millis(50);
            settings.look_every = Duration::from_millis(20);
            settings.pauses = vec![Duration::from_millis(200); 9];
        },
        Some(letters.clone()),
    )
    .await;

    telling.missed(1);
    telling.until("/status", |status| status["warned_at"].is_string()).await;
    telling.until("/deliveries", |list| list["items"][0]["attempts"].as_i64() >= Some(3)).await;
    works.store(true, std::sync::atomic::Ordering::SeqCst);
    telling.until("/status", |status| status["state"] == "on" && status["warned_at"].is_null()).await;

    let letters = letters.0.lock().expect("no panic").clone();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(letters.iter().all(|letter| letter.to == ["owner@example.test"]));
    assert!(letters[0].subject.contains("không nhận được tin"), "{}", letters[0].subject);
    assert!(letters[0].text.contains("the receiver answered 500") && !letters[0].text.contains("SECRET_DEMO"));
    assert!(letters[1].subject.contains("hoạt động trở lại"), "{}", letters[1].subject);
}

#[tokio::test]
async fn the_page_about_hooks_shows_how_a_message_is_proved_genuine() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hooks.md")).expect("the page");
    let code = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a sample");
    let mut receiver = Receiver::content().await;
    let telling = Telling::start(&[("missed", &receiver.url, "post_json")]).await;
    telling.missed(1);
    let told = receiver.next().await;

    for (body, is_genuine) in [(told.body.clone(), true), (told.body.replace("MISSED", "BUSY"), false)] {
        let mut python = tokio::process::Command::new("python3")
            .args([
                "-c",
                code,
                SECRET,
                told.id(),
                &told.headers["webhook-timestamp"],
                &told.headers["webhook-signature"],
            ])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("python3");
        let mut input = python.stdin.take().expect("a pipe");
        tokio::io::AsyncWriteExt::write_all(&mut input, body.as_bytes()).await.expect("written");
        drop(input);

        assert_eq!(python.wait().await.expect("it ends").success(), is_genuine, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_events_at_once_are_told_each_once_and_each_call_in_order() {
    let mut receiver = Receiver::content().await;
    let telling = Telling::start(&[("native", &receiver.url, "post_json")]).await;

    let begun = Instant::now();
    for nth in 1..=300 {
        telling.missed(nth);
    }
    let told = receiver.some(2_100).await;

    eprintln!("2 100 events told in {:?}", begun.elapsed());
    let mut ids: Vec<_> = told.iter().map(Received::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2_100);
    let mut last: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
    for one in &told {
        let body = one.json();
        let (call, position) = (body["callid"].to_string(), body["position"].as_i64().expect("one"));
        assert!(last.insert(call, position) < Some(position), "out of order");
    }
    telling.until("/status", |status| status["pending"] == 0).await;
    assert!(receiver.rest().is_empty());
}
