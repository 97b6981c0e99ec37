//! Two hundred click-to-calls, in the middle of which the server is killed again and again: afterwards events, records,
//! hooks and sockets tell the same story, and no phone rang twice for one order.
//!
//! `TONGDAI_CHAOS_SEED` draws other moments.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use model::{CallEvent, CallId, Direction, Reason, Record, Status, StoredEvent, Subject, What};
use serde_json::{Value, json};
use sip::HeaderName;
use store::{Durability, RecordFilter, Store, StoreOptions};
use testkit::phones::{Act, Behaviour, Carrier, CarrierConfig, Event, Phone, PhoneConfig};

use crate::common::Server;
use crate::support::office::Look;
use crate::support::people::{extension, signed_in};
use crate::support::receiver::{Message, Receiver};
use crate::support::socket::{KINDS, SocketClient};
use crate::support::tools::{LIMIT, until};

const CALLS: usize = 200;
const KILLS: usize = 8;
const EXTENSIONS: usize = 10;
/// Clients that order calls at the same time.
const CLIENTS: usize = 14;
/// How long one order may take, kills included.
const ORDER_WITHIN: Duration = Duration::from_secs(40);
const SEED: u64 = 20_260_104;

#[test]
fn two_hundred_calls_are_told_whole_once_and_alike_however_often_the_server_is_killed() {
    let seed = std::env::var("TONGDAI_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    println!("TONGDAI_CHAOS_SEED={seed}");
    let carrier = carrier();
    let hooks = Hooks { native: Receiver::start(seed), events: Receiver::start(seed), missed: Receiver::start(seed) };
    let folder = tempfile::tempdir().expect("a folder");
    let (data, yaml) = (folder.path().join("data"), provision(carrier.address(), &hooks));
    let mut server = Server::start_in(data.clone(), &yaml, &["--requests-per-second", "0"]);
    let (http, sip) = (server.http, server.sip.to_string());
    let phones: Vec<Phone> = (0..EXTENSIONS).map(|nth| signed_in(agent(&server, nth))).collect();
    let sockets = [KINDS[1], KINDS[3]].map(|kind| SocketClient::resuming(kind, http, "SECRET_DEMO"));
    sockets.iter().for_each(|socket| socket.wait_signed_in(1));

    let orders = Orders { http, next: AtomicUsize::new(0), answered: Mutex::default() };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (orders, draw) = (&orders, Draw(seed ^ client as u64));
            scope.spawn(move || orders.give(draw));
        }
        let mut draw = Draw(!seed);
        let mut moments: Vec<usize> = (0..KILLS).map(|_| draw.below(CALLS as u64 - 10) as usize + 5).collect();
        moments.sort_unstable();
        for moment in moments {
            until("orders are answered", || (orders.count() >= moment).then_some(()));
            pause(draw.below(300));
            server.signal(libc::SIGKILL);
            server.wait();
            let arguments = ["--http", &http.to_string(), "--requests-per-second", "0"];
            server = Server::start_at(&sip, data.clone(), &yaml, &arguments);
        }
    });
    let answered = orders.answered.into_inner().expect("no client panicked");
    let look = Look { server: &server, key: "DEMO" };
    look.wait_over();
    for (nth, callid) in &answered {
        assert_eq!(order(http, *nth), *callid, "order {nth} is answered as it was");
    }
    wait_told(look, &hooks, &sockets);
    server.signal(libc::SIGTERM);
    assert_eq!(server.wait().code(), Some(0));

    let story = Story::read(&data);
    story.is_whole();
    story.has_one_call_an_order(&answered);
    native_told_all(&story, &hooks.native.came());
    let states = events_told_each_state_and_one_end(&story, &hooks.events.came());
    for socket in &sockets {
        assert_eq!(socket_heard(&socket.heard()), states, "the socket heard what the hook was told");
    }
    missed_told_what_records_say(&story, &hooks.missed.came());
    nobody_rang_twice(&phones, &carrier, &answered);
}

/// The receivers of the company's hooks.
struct Hooks {
    native: Receiver,
    events: Receiver,
    missed: Receiver,
}

/// Orders that clients give until none is left.
struct Orders {
    http: SocketAddr,
    next: AtomicUsize,
    answered: Mutex<BTreeMap<usize, String>>,
}

impl Orders {
    fn give(&self, mut draw: Draw) {
        loop {
            let nth = self.next.fetch_add(1, Ordering::SeqCst);
            if nth >= CALLS {
                return;
            }
            let callid = order(self.http, nth);
            self.answered.lock().expect("no client panicked").insert(nth, callid);
            // What the client's people do meanwhile.
            pause(300 + draw.below(900));
        }
    }

    fn count(&self) -> usize {
        self.answered.lock().expect("no client panicked").len()
    }
}

/// Orders a call under its key until there is an answer; gives the call.
fn order(http: SocketAddr, nth: usize) -> String {
    let since = Instant::now();
    loop {
        match try_order(http, nth) {
            Ok((201, body)) => return body["id"].as_str().expect("a call").to_owned(),
            Ok((status, body)) => assert!(status >= 500, "order {nth} is refused: {status} {body}"),
            // The server is dead, or died over it.
            Err(_) => {}
        }
        assert!(since.elapsed() < ORDER_WITHIN, "order {nth} is not answered");
        pause(20);
    }
}

fn try_order(http: SocketAddr, nth: usize) -> io::Result<(u16, Value)> {
    let body = json!({ "from": name(nth % EXTENSIONS), "to": number(nth) }).to_string();
    let mut stream = TcpStream::connect(http)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(
        stream,
        "POST /v1/calls HTTP/1.1\r\nHost: {http}\r\nAuthorization: Bearer NATIVE_DEMO\r\nIdempotency-Key: order-{nth}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    Ok((status, serde_json::from_str(body)?))
}

/// Waits until every hook was told the story to its end, and the sockets what the events' hook was told.
fn wait_told(look: Look<'_>, hooks: &Hooks, sockets: &[SocketClient]) {
    let items = |path: &str| look.get(path).json()["items"].as_array().expect("a list").clone();
    let ids: Vec<String> = items("/v1/hooks").iter().map(|hook| hook["id"].to_string()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    until("every hook is told everything", || {
        let status = |id: &String| look.get(&format!("/v1/hooks/{}/status", id.trim_matches('"'))).json();
        let standing: Vec<Value> = ids.iter().map(status).collect();
        let read = standing.iter().filter_map(|status| status["position"].as_i64()).min()?;
        let is_read = items(&format!("/v1/events?after={read}&limit=1")).is_empty();
        let is_sent = standing.iter().all(|status| status["pending"] == 0);
        (is_read && is_sent).then_some(())
    });
    let states = hooks.events.count() - CALLS;
    for socket in sockets {
        until("the socket hears everything", || (socket_heard(&socket.heard()).len() >= states).then_some(()));
    }
}

/// What the store has after it all.
struct Story {
    events: Vec<StoredEvent>,
    records: BTreeMap<CallId, Record>,
}

impl Story {
    fn read(data: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let options = StoreOptions {
                data_dir: data.to_owned(),
                database: None,
                realm: "tongdai".into(),
                durability: Durability::Process,
            };
            let store = Store::open(options).await.expect("the store opens");
            let settings = store.settings().load().await.expect("settings");
            let tenant = store.tenant(settings.directory.tenants[0].id);
            let mut events: Vec<StoredEvent> = Vec::new();
            loop {
                let position = events.last().map_or(0, |event| event.position);
                let further = tenant.events().after(position, 1_000).await.expect("events");
                if further.is_empty() {
                    break;
                }
                events.extend(further);
            }
            assert_eq!(tenant.events().head().await.expect("a head"), events.len() as i64);
            let mut records = BTreeMap::new();
            for callid in events.iter().filter_map(|event| event.event.callid) {
                if let std::collections::btree_map::Entry::Vacant(place) = records.entry(callid) {
                    let row = tenant.records().get(callid).await.expect("a record");
                    place.insert(row.unwrap_or_else(|| panic!("{callid} has no record")).record);
                }
            }
            let count = tenant.records().count(&RecordFilter::default()).await.expect("a count");
            assert_eq!(count, records.len() as u64, "a record for each call");
            assert!(tenant.calls().live().await.expect("calls").is_empty(), "a call never ended");
            store.close().await;
            Self { events, records }
        })
    }

    /// Without a gap, each call from its start to its one end, as its record says.
    fn is_whole(&self) {
        let positions: Vec<_> = self.events.iter().map(|event| event.position).collect();
        assert_eq!(positions, (1..=positions.len() as i64).collect::<Vec<_>>());
        for (callid, record) in &self.records {
            let events: Vec<_> = self.events.iter().filter(|stored| stored.event.callid == Some(*callid)).collect();
            let of_call: Vec<_> = events
                .iter()
                .map(|stored| &stored.event)
                .filter(|event| event.subject == Subject::Call(*callid))
                .collect();
            let numbers: Vec<_> = of_call.iter().map(|event| event.seq as usize).collect();
            assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "{callid}");
            let ends = of_call.iter().filter(|event| matches!(event.what, What::Call(CallEvent::Ended { .. }))).count();
            let last = of_call.last().map(|event| &event.what);
            assert_eq!(ends, 1, "{callid}: {of_call:#?}");
            assert!(matches!(last, Some(What::Call(CallEvent::Ended { .. }))), "{callid}: {of_call:#?}");
            let told = Record::of(events.iter().map(|stored| &stored.event));
            assert_eq!(told.as_ref(), Some(record), "{callid}: the record as its events tell it");
        }
    }

    fn has_one_call_an_order(&self, answered: &BTreeMap<usize, String>) {
        let cut_off = self.records.values().filter(|record| record.reason == Some(Reason::SystemCrash)).count();
        assert!((KILLS..CALLS).contains(&cut_off), "{cut_off} calls were under way when the server was killed");
        assert_eq!(answered.len(), CALLS);
        let calls: BTreeSet<_> = self.records.keys().map(CallId::to_string).collect();
        assert_eq!(calls, answered.values().cloned().collect(), "the calls are those that orders were answered with");
        for (nth, callid) in answered {
            let record = self.record(callid);
            let shown = (record.extension.as_deref(), record.customer.as_str());
            assert_eq!(shown, (Some(name(nth % EXTENSIONS).as_str()), format!("+84{}", &number(*nth)[1..]).as_str()));
        }
    }

    fn record(&self, callid: &str) -> &Record {
        &self.records[&callid.parse::<CallId>().expect("a call's id")]
    }
}

/// No agent's phone for one order, and no customer's. The agent's phone shows the customer, who has one order.
fn nobody_rang_twice(phones: &[Phone], carrier: &Carrier, answered: &BTreeMap<usize, String>) {
    let name = HeaderName::Other("X-Callid".into());
    let mut rang: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in phones.iter().flat_map(Phone::events) {
        let Event::IncomingCall { from, headers, .. } = event else { continue };
        let callid = String::from_utf8_lossy(headers.get(&name).expect("it names the call")).into_owned();
        rang.entry(from).or_default().push(callid);
    }
    assert!(!rang.is_empty());
    let stray: Vec<_> = (answered.iter().map(|(nth, callid)| (number(*nth), callid)))
        .filter_map(|(number, callid)| Some((rang.get(&number)?, number, callid)))
        .filter(|(rang, _, callid)| rang.len() > 1 || rang[0] != **callid)
        .map(|(rang, number, callid)| format!("{number}: answered with {callid}, rang as {rang:?}"))
        .collect();
    assert!(stray.is_empty(), "a phone rang for a call that is not the order's:\n{}", stray.join("\n"));
    let mut called = BTreeSet::new();
    for event in carrier.events() {
        let Event::IncomingCall { called: number, .. } = event else { continue };
        assert!(called.insert(number.clone()), "{number} rang twice");
    }
    assert!(!called.is_empty());
}

/// Each event under one name, always the same bytes, and those of a call in order.
fn native_told_all(story: &Story, came: &[Message]) {
    let told = each_once(came);
    assert!(told.len() < came.len(), "nothing was sent again, so nothing failed");
    let mut positions = BTreeSet::new();
    for body in told.values() {
        let position = body["position"].as_i64().expect("a position");
        assert!(positions.insert(position), "{position} has two names");
        let event = &story.events[position as usize - 1].event;
        let known = serde_json::to_value(event).expect("an event");
        for word in ["subject", "id", "seq", "type"] {
            assert_eq!(body[word], known[word], "{body}");
        }
    }
    assert_eq!(positions.len(), story.events.len(), "every event is told");
    let mut latest: BTreeMap<String, i64> = BTreeMap::new();
    for body in came.iter().map(Message::json) {
        let Some(callid) = body["callid"].as_str() else { continue };
        let position = body["position"].as_i64().expect("a position");
        let before = latest.insert(callid.to_owned(), position).unwrap_or(0);
        assert!(before <= position, "{callid}: {position} came after {before}");
    }
}

/// A call's end is told once. Gives all else, each with its number.
fn events_told_each_state_and_one_end(story: &Story, came: &[Message]) -> BTreeMap<(i64, usize), [String; 3]> {
    let mut ends = BTreeMap::new();
    let mut states = BTreeMap::new();
    for (id, body) in each_once(came) {
        if body["state"] == "Cdr" {
            *ends.entry(word(&body, "callid")).or_insert(0) += 1;
        } else {
            let number = id.rsplit('_').next().zip(id.rsplit('_').nth(1));
            let number = number.and_then(|(part, position)| Some((position.parse().ok()?, part.parse().ok()?)));
            states.insert(number.unwrap_or_else(|| panic!("{id} names no place")), state(&body));
        }
    }
    assert_eq!(ends, story.records.keys().map(|callid| (callid.to_string(), 1)).collect(), "one end a call");
    states
}

/// What a socket heard, by its number. Each number comes once, and they grow, over all of its connections; a client that is
/// back hears nothing before `resumed`.
fn socket_heard(said: &[Value]) -> BTreeMap<(i64, usize), [String; 3]> {
    let mut heard = BTreeMap::new();
    let (mut connections, mut is_level) = (0, false);
    for said in said {
        match said["event"].as_str() {
            Some("connect") => {
                connections += 1;
                is_level = connections == 1;
            }
            Some("resumed") => is_level = true,
            Some("response") => {
                assert!(is_level, "a client that is back hears {said} before it has resumed");
                let body = &said["args"][0];
                let number = word(body, "number");
                let place = number
                    .split_once('.')
                    .and_then(|(position, part)| Some((position.parse().ok()?, part.parse().ok()?)));
                let place = place.unwrap_or_else(|| panic!("{number} is no number"));
                let last = heard.last_key_value().map(|(place, _)| *place);
                assert!(last < Some(place), "{place:?} came after {last:?}");
                heard.insert(place, state(body));
            }
            _ => {}
        }
    }
    heard
}

fn missed_told_what_records_say(story: &Story, came: &[Message]) {
    let is_missed = |record: &Record| match record.direction {
        Direction::Inbound => record.status == Status::Missed,
        Direction::Outbound => matches!(record.status, Status::Busy | Status::NoAnswer),
        Direction::Local => false,
    };
    let missed = story.records.values().filter(|record| is_missed(record));
    let mut missed: Vec<_> = missed.map(|record| record.callid.to_string()).collect();
    let mut told: Vec<_> = each_once(came).values().map(|body| word(body, "linkedid")).collect();

    missed.sort_unstable();
    told.sort_unstable();
    assert!(!missed.is_empty());
    assert_eq!(told, missed);
}

/// The messages by their names; one that came again came with the same bytes.
fn each_once(came: &[Message]) -> BTreeMap<String, Value> {
    let mut bodies: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for Message { id, body } in came {
        assert_eq!(*bodies.entry(id).or_insert(body), body, "{id} was told in two ways");
    }
    came.iter().map(|message| (message.id.clone(), message.json())).collect()
}

fn state(body: &Value) -> [String; 3] {
    ["callid", "extend", "state"].map(|name| word(body, name))
}

fn word(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned()
}

/// Numbers that answer, of which some hang up, that are busy, refuse, and ring in vain.
fn carrier() -> Carrier {
    let ms = Duration::from_millis;
    let mut config = CarrierConfig::new("127.0.0.1:0".parse().expect("an address"));
    config.lines = 150;
    for nth in 0..CALLS {
        let behaviour = match nth % 7 {
            0..=2 => Behaviour::answers(ms(250)),
            3 => Behaviour::answers(ms(100)).then(ms(500), Act::HangUp),
            4 => Behaviour::refuses(486, ms(150)),
            5 => Behaviour::refuses(603, ms(50)),
            _ => Behaviour::never_answers(),
        };
        config = config.number(&number(nth), behaviour);
    }
    Carrier::start_with(config).expect("a carrier")
}

/// A phone that answers and hangs up a while later; the last one is busy.
fn agent(server: &Server, nth: usize) -> PhoneConfig {
    let talks = Duration::from_millis(900 + 100 * nth as u64);
    let behaviour = match nth {
        9 => Behaviour::refuses(486, Duration::from_millis(100)),
        _ => Behaviour::answers(Duration::from_millis(80)).then(talks, Act::HangUp),
    };
    PhoneConfig { lines: 20, ..extension(server.sip, &name(nth), 440).behaves(behaviour) }
}

fn name(nth: usize) -> String {
    (101 + nth).to_string()
}

/// Each order calls a number of its own, so that a call tells whose it is.
fn number(nth: usize) -> String {
    format!("0900001{nth:03}")
}

fn provision(carrier: SocketAddr, hooks: &Hooks) -> String {
    let extensions: String = (0..EXTENSIONS)
        .map(name)
        .map(|name| {
            format!(
                "      - {{ number: \"{name}\", name: Agent {name}, password: pw-{name}, record: true, \
                 caller_id: \"02873088088\", lines: 20 }}\n"
            )
        })
        .collect();
    let Hooks { native, events, missed } = hooks;
    format!(
        r#"tenants:
  - name: VPBX_DEMO
    webhook_private_addresses: true
    limits: {{ concurrent_calls: 1000, calls_per_second: 1000 }}
    webhooks:
      - {{ kind: native, url: "http://{}/" }}
      - {{ kind: events, url: "http://{}/" }}
      - {{ kind: missed, url: "http://{}/" }}
    keys:
      - {{ kind: voip24h, voip: VOIPKEY_DEMO, secret: SECRET_DEMO }}
      - {{ kind: native, token: NATIVE_DEMO, role: owner }}
    extensions:
{extensions}    trunks:
      - {{ name: carrier, address: "{carrier}", accept_from: ["{carrier}"], health_seconds: 0 }}
    outbound:
      - {{ prefix: "0", trunks: [carrier] }}
    numbers:
      - {{ number: "02873088088", route: {{ extension: "101" }} }}
"#,
        native.address, events.address, missed.address
    )
}

fn pause(milliseconds: u64) {
    let until = Instant::now() + Duration::from_millis(milliseconds);
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

/// SplitMix64: the same seed draws the same numbers.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}
