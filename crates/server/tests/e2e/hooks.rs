//! Hooks of the real program: it is killed in the middle of telling them, and nothing is lost or told under another name.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;

use crate::common::Server;
use crate::support::office::{Company, Look, provision};
use crate::support::people::{TALKER, carrier, extension, signed_in};
use crate::support::tools::{LIMIT, until};

/// Calls before each kill.
const CALLS: usize = 4;
const KILLS: usize = 3;

#[test]
fn what_hooks_are_told_survives_kills_whole_in_order_and_under_its_names() {
    let (native, events) = (Receiver::start("native"), Receiver::start("events"));
    let carrier = carrier();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let yaml = provision(&[Company::with_carrier(carrier.address())]).replace(
        "    keys:\n",
        &format!(
            "    webhook_private_addresses: true\n    webhooks:\n      - {{ kind: native, url: 'http://{}/' }}\n      \
             - {{ kind: events, url: 'http://{}/' }}\n    keys:\n",
            native.address, events.address
        ),
    );
    let mut server = Server::start_in(data.clone(), &yaml, &[]);
    let agent = signed_in(extension(server.sip, "101", 440));
    for round in 1..=KILLS {
        for _ in 0..CALLS {
            agent.call(TALKER).expect("a call");
            agent.wait_answered(LIMIT).expect("an answer");
            agent.hang_up().expect("it hangs up");
            agent.wait_idle(LIMIT).expect("it is over");
        }
        let look = Look { server: &server, key: "DEMO" };
        until("the calls are stored", || (look.records().len() == round * CALLS).then_some(()));
        look.wait_over();
        // Some of it has been told, most of it not.
        until("the telling is under way", || (native.told().len() >= 3 * round).then_some(()));
        assert!(native.told().len() < look.events().len(), "all was told before the kill");
        server.signal(libc::SIGKILL);
        server.wait();
        server = Server::start_at(&server.sip.to_string(), data.clone(), &yaml, &[]);
    }
    native.hurry();
    events.hurry();
    let look = Look { server: &server, key: "DEMO" };
    look.whole_records(KILLS * CALLS);
    let story = until("everything is told", || {
        let story = look.events();
        let told = native.told();
        let is_told = |event: &Value| told.iter().any(|(_, body)| body["position"] == event["position"]);
        story.iter().all(is_told).then_some(story)
    });
    let cdrs = until("each call has its last word", || {
        let told = events.told();
        let cdrs: BTreeMap<String, Value> = told.into_iter().filter(|(_, body)| body["state"] == "Cdr").collect();
        (cdrs.len() >= KILLS * CALLS).then_some(cdrs)
    });

    let mut bodies: BTreeMap<String, Value> = BTreeMap::new();
    for (id, body) in native.told().into_iter().chain(events.told()) {
        let known = bodies.entry(id.clone()).or_insert_with(|| body.clone());
        assert_eq!(*known, body, "{id} was told in two ways");
    }
    for event in &story {
        let named: Vec<_> = bodies.iter().filter(|(_, body)| body["position"] == event["position"]).collect();
        assert_eq!(named.len(), 1, "one event, one name: {named:?}");
        assert_eq!(named[0].1, event, "the event as the API tells it");
    }
    let mut calls: Vec<_> = cdrs.values().map(|body| body["callid"].to_string()).collect();
    calls.sort_unstable();
    calls.dedup();
    assert_eq!((calls.len(), cdrs.len()), (KILLS * CALLS, KILLS * CALLS), "a call has one final event");
    let told = native.told();
    for call in look.records() {
        let of_call = told.iter().filter(|(_, body)| body["callid"] == call["id"]);
        let mut positions: Vec<_> = of_call.map(|(_, body)| body["position"].as_i64().expect("one")).collect();
        // What was under way when the server died may come twice, one after the other.
        positions.dedup();
        assert!(positions.is_sorted(), "{positions:?}");
    }
}

/// Takes its time over every message at first, and keeps each with its name.
struct Receiver {
    address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    told: Mutex<Vec<(String, Value)>>,
    hurries: std::sync::atomic::AtomicBool,
}

impl Receiver {
    fn start(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let inner = Arc::new(Inner::default());
        let kept = inner.clone();
        let accept = move || {
            while let Ok((stream, _)) = listener.accept() {
                let inner = kept.clone();
                std::thread::spawn(move || serve(stream, &inner));
            }
        };
        std::thread::Builder::new().name(name.into()).spawn(accept).expect("a thread");
        Self { address, inner }
    }

    fn told(&self) -> Vec<(String, Value)> {
        self.inner.kept().clone()
    }

    fn hurry(&self) {
        self.inner.hurries.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Vec<(String, Value)>> {
        self.told.lock().expect("no panic")
    }
}

/// One connection after another message; ends when the sender does.
fn serve(stream: TcpStream, inner: &Inner) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut id, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("webhook-id") => id = value.to_owned(),
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
                _ if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        inner.kept().push((id, serde_json::from_slice(&body).ok()?));
        if !inner.hurries.load(std::sync::atomic::Ordering::SeqCst) {
            // A slow receiver, so that the kill comes while most is still to be told.
            std::thread::park_timeout(Duration::from_millis(150));
        }
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").ok()?;
    }
}
