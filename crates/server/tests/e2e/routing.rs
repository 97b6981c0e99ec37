//! Calls that the customer's CRM decides, and calls that it transfers and looks up: vendor V as a CRM meets it, with HTTP
//! servers in the part of the CRM, a carrier and phones.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::phones::{Behaviour, Carrier, Phone};

use crate::common::Server;
use crate::support::office::{Company, Office};
use crate::support::people::{carrier, extension, signed_in};
use crate::support::tools::{LIMIT, spawn, until};

const DID: &str = "02873088090";

#[test]
fn a_call_reaches_whom_the_crm_says_and_the_default_where_it_says_nothing() {
    let crm = Crm::start();
    let carrier = carrier();
    let url = format!("http://{}/route.php?action=GetRouting&secret_key=HIDDEN", crm.address);
    let office = office(&carrier, &url);
    let phones = ["101", "102"].map(|name| signed_in(extension(office.sip(), name, 440).behaves(Behaviour::by_hand())));

    for (from, reached, by) in [
        ("0900000001", &["102"][..], "crm"),
        ("0900000002", &["101", "102"], "crm"),
        ("0900000003", &["101"], "default"),
        ("0900000004", &["101"], "default"),
        ("0900000005", &["101"], "default"),
        ("0900000006", &["101"], "default"),
    ] {
        let before = phones.each_ref().map(invites);

        carrier.call(office.sip(), DID, from).expect("it calls");
        let ringing: Vec<&Phone> =
            ["101", "102"].iter().zip(&phones).filter(|(name, _)| reached.contains(name)).map(|(_, it)| it).collect();
        for phone in &ringing {
            until("it rings", || (!phone.calls().is_empty()).then_some(()));
            phone.ring().expect("it says so");
        }
        carrier.hang_up().expect("the caller gives up");
        for phone in &phones {
            phone.wait_idle(LIMIT).expect("the ringing ends");
        }
        office.look().wait_over();

        let rang: Vec<bool> = phones.iter().zip(before).map(|(phone, before)| invites(phone) > before).collect();
        let record = office.look().records().pop().expect("a record");
        assert_eq!(rang, ["101", "102"].map(|name| reached.contains(&name)), "{from}: {record:#}");
        assert_eq!(record["routed_by"], by, "{from}: {record:#}");
        let row = office.vendor(&format!("/dial/searching?callid={}", record["id"].as_str().expect("an id")));
        let row = &row["result"]["data"][0];
        assert_eq!(
            (&row["src"], &row["did"], &row["status"]),
            (&json!(from), &json!("842873088090"), &json!("MISSED"))
        );
    }

    let asked = crm.asked();
    assert_eq!(asked.len(), 6, "each call asks once: {asked:?}");
    assert_eq!(
        asked[0],
        "GET /route.php?action=GetRouting&secret_key=HIDDEN&phone=84900000001&did=842873088090 HTTP/1.1"
    );
    let events = serde_json::to_string(&office.look().events()).expect("JSON");
    assert!(!events.contains("HIDDEN") && events.contains("call.routed"), "the URL's secret is told to nobody");
}

#[test]
fn the_sample_crm_routes_a_known_caller_to_the_agent_who_then_transfers_him() {
    let (crm, hook) = (Php::start(), Crm::start());
    let carrier = carrier();
    let url = format!("http://{}/?action=GetRouting&secret_key=YOUR_OWN_SECRET", crm.address);
    let office = office_told_at(&carrier, &url, &format!("http://{}/hook", hook.address));
    let answering =
        |name, tone| signed_in(extension(office.sip(), name, tone).behaves(Behaviour::answers(Duration::ZERO)));
    let (agent, other) = (answering("101", 440), answering("102", 530));

    carrier.call(office.sip(), DID, "0900000001").expect("it calls");
    carrier.wait_heard(440, LIMIT).expect("the agent");
    let transferred = office.vendor("/dial/transfer?sip=101&sip_transfer=102&phone=0900000001");
    carrier.wait_heard(530, LIMIT).expect("the other agent");
    other.wait_heard(620, LIMIT).expect("the customer");
    agent.wait_idle(LIMIT).expect("the agent is out of the call");
    let nobody = office.vendor("/dial/transfer?sip=101&sip_transfer=102&phone=0900000009");
    let over = office.vendor("/dial/hangup?sip=102&phone=0900000001");
    carrier.wait_idle(LIMIT).expect("the call is over");

    let callid = &transferred["callid"];
    assert_eq!((&transferred["call_status"], &transferred["events"]), (&json!("Success"), &json!([])));
    assert_eq!((&over["call_status"], &over["callid"]), (&json!("Success"), callid));
    assert_eq!(nobody["message"], "No active call between 101 and 0900000009");
    let record = office.only_record();
    assert_eq!((&record["id"], &record["routed_by"]), (callid, &json!("crm")));
    let found = office.vendor(&format!("/dial/search?callid={}", callid.as_str().expect("an id")));
    let row = &found["result"]["data"][0];
    let words = ["src", "dst", "type", "status"].map(|name| row[name].as_str().expect("text"));
    assert_eq!(words, ["0900000001", "102", "inbound", "ANSWERED"]);
    let told = until("the call's end is told", || {
        let told = hook.told();
        told.iter().any(|event| event["state"] == "Cdr").then_some(told)
    });
    assert!(told.iter().all(|event| event["callid"] == *callid && event["phone"] == "0900000001"), "{told:#?}");
    let words = told.iter().map(|event| format!("{} {}", event["extend"], event["state"]).replace('"', ""));
    let expected = ["101 Ring", "101 Up", "102 Ring", "102 Up", "101 Hangup", "102 Hangup", "102 Cdr"];
    assert_eq!(words.collect::<Vec<_>>(), expected);
    office.wait_clean();
}

/// A company whose number is routed by its CRM; the default is 101.
fn office(carrier: &Carrier, url: &str) -> Office {
    office_told_at(carrier, url, "")
}

/// The same with an event hook.
fn office_told_at(carrier: &Carrier, url: &str, hook: &str) -> Office {
    let hooks = if hook.is_empty() {
        String::new()
    } else {
        format!("    webhooks:\n      - {{ kind: events, url: \"{hook}\" }}\n")
    };
    let company = Company::with_carrier(carrier.address());
    let provision = format!(
        r#"tenants:
  - name: VPBX_DEMO
    webhook_private_addresses: true
    keys:
      - {{ kind: voip24h, voip: VOIPKEY_DEMO, secret: SECRET_DEMO }}
      - {{ kind: native, token: NATIVE_DEMO, role: owner }}
    extensions:
      - {{ number: "101", name: Sales desk, password: pw-101 }}
      - {{ number: "102", name: Support desk, password: pw-102 }}
    groups:
      - {{ number: "600", name: Everybody, members: ["101", "102"] }}
    trunks:
      - {{ name: carrier, address: "{carrier}", accept_from: ["{carrier}"], health_seconds: 0 }}
    numbers:
      - number: "{DID}"
        route: {{ crm: {{ url: "{url}", timeout_ms: 500, default: {{ extension: "101" }} }} }}
{hooks}"#,
        carrier = carrier.address()
    );
    Office::of(Server::start(&provision, &[]), company)
}

fn invites(phone: &Phone) -> usize {
    phone.received_count(&sip::Method::Invite)
}

/// A CRM that answers each caller in another way.
struct Crm {
    address: SocketAddr,
    /// The request line and the body of each request.
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Crm {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let asked = Arc::<Mutex<Vec<(String, String)>>>::default();
        let all = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let all = all.clone();
                std::thread::spawn(move || Self::answer(stream, &all));
            }
        });
        Self { address, asked }
    }

    /// One connection may ask several times.
    fn answer(mut stream: TcpStream, all: &Mutex<Vec<(String, String)>>) {
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut asked = String::new();
        while reader.read_line(&mut asked).is_ok_and(|read| read > 0) {
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let request = (std::mem::take(&mut asked).trim_end().to_owned(), String::from_utf8(body).expect("text"));
            let caller = request.0.split(['?', '&']).find_map(|pair| pair.strip_prefix("phone=")).unwrap_or_default();
            let caller = caller.to_owned();
            all.lock().expect("no panic").push(request);
            let (status, body) = match caller.as_str() {
                "84900000001" => ("200 OK", "\u{feff}102\r\n"),
                "84900000002" => ("200 OK", r#"{"group":"600"}"#),
                // Says nothing, for as long as the other side waits.
                "84900000003" => {
                    let _ = stream.read_to_end(&mut Vec::new());
                    return;
                }
                "84900000004" => ("200 OK", "<html><body>Fatal error</body></html>"),
                "84900000005" => ("500 Internal Server Error", "102"),
                _ => ("200 OK", "999"),
            };
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Type: image/png\r\nContent-Length: {length}\r\n\r\n{body}");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").iter().map(|(line, _)| line.clone()).collect()
    }

    /// What it was told as a hook.
    fn told(&self) -> Vec<Value> {
        let asked = self.asked.lock().expect("no panic");
        asked.iter().map(|(_, body)| serde_json::from_str(body).expect("JSON")).collect()
    }
}

/// The sample of the documents page in PHP's own server. Killed when dropped.
struct Php {
    address: SocketAddr,
    child: Child,
}

impl Php {
    fn start() -> Self {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src/vendors/voip24h/samples/crm.php");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = free.local_addr().expect("bound");
        drop(free);
        let mut php = Command::new("php");
        php.arg("-S").arg(address.to_string()).arg(sample).stdout(Stdio::null()).stderr(Stdio::null());
        let child = spawn(&mut php, "php-cli");
        until("PHP listens", || TcpStream::connect(address).ok());
        Self { address, child }
    }
}

impl Drop for Php {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
