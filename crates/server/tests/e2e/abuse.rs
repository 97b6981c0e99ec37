//! What a hostile network sends: while it lasts a call keeps its sound, ends when it is told to, and memory stays small.
//!
//! Usually a tenth of what the server has to withstand, so that the test is short; `TONGDAI_ABUSE=whole` sends all of it:
//! 20 000 INVITEs that nobody acknowledges, a million datagrams of garbage, 2 000 half-open connections.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, park_timeout, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::http;
use crate::support::office::Office;
use crate::support::people::{CARRIER_TONE, TALKER, carrier, extension, hear_each_other, signed_in};
use crate::support::tools::{LIMIT, until};

/// The most memory that the server may have used, in kB.
const MEMORY: u64 = 200_000;

/// As fast as a loopback carries them: most find the server's socket full.
const AT_ONCE: Duration = Duration::from_micros(200);
/// Some thousands a second: all are taken in and judged.
const STEADILY: Duration = Duration::from_millis(20);

/// How much of everything is sent.
fn whole() -> u64 {
    if std::env::var("TONGDAI_ABUSE").is_ok_and(|how| how == "whole") { 10 } else { 1 }
}

#[test]
fn a_call_goes_on_while_everything_is_thrown_at_the_server() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let phone = signed_in(extension(office.sip(), "101", 440));
    phone.call(TALKER).expect("a call");
    hear_each_other(&phone, CARRIER_TONE, &carrier, 440);
    let before = memory(&office, "VmRSS");

    let floods = [
        Flood::of(office.sip(), sources(1, 20), 2_000 * whole(), invite, AT_ONCE),
        Flood::of(office.sip(), sources(2, 20), 2_000 * whole(), register, AT_ONCE),
        Flood::of(office.sip(), sources(3, 4), 100_000 * whole(), garbage, AT_ONCE),
    ];
    let half_open = half_open(office.sip(), 200 * whole());
    until("they are connected", || {
        metric(&office, "sip_connections").ends_with(&half_open.len().to_string()).then_some(())
    });
    floods.into_iter().for_each(Flood::wait);
    let floods = [(4, garbage as Packet), (5, invite)];
    let floods = floods.map(|(block, packet)| Flood::of(office.sip(), sources(block, 2), u64::MAX, packet, STEADILY));
    hear_each_other(&phone, CARRIER_TONE, &carrier, 440);
    let (heard, said) = (phone.count(), carrier.count());
    let asked = Instant::now();
    phone.hang_up().expect("it hangs up");
    phone.wait_idle(LIMIT).expect("it ends");
    carrier.wait_idle(LIMIT).expect("and the other side hears of it");
    let ended = asked.elapsed();
    floods.into_iter().for_each(Flood::stop);

    let peak = memory(&office, "VmHWM");
    eprintln!("{before} kB before, {peak} kB at most; the call ended within {ended:?}; {}", metric(&office, "sip_"));
    assert_eq!((heard.lost, said.lost), (0, 0), "no sound was lost");
    // Time for a BYE that found the socket full to be sent again.
    assert!(ended < Duration::from_secs(4), "the end of the call took {ended:?}");
    assert!(peak < MEMORY, "{peak} kB were used");
    drop(half_open);
    office.wait_clean();
}

#[test]
fn a_source_of_wrong_passwords_is_shut_out_listed_and_let_in_again() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let guest = |password: &str| {
        let mut config = extension(office.sip(), "102", 520).login("102", password);
        config.listen = "127.0.6.1:0".parse().expect("an address");
        testkit::phones::Phone::start(config).expect("a phone")
    };
    let bans = |method: &str, path: &str| admin(&office, method, path);

    let wrong = guest("wrong");
    until("the guest is banned", || {
        wrong.register();
        let listed = bans("GET", "/v1/bans").json();
        (listed["items"][0]["source"] == "127.0.6.1").then_some(())
    });
    wrong.stop();
    let right = guest("pw-102");
    right.wait_registered(Duration::from_millis(1_500)).expect_err("it is not heard");
    let lifted = bans("DELETE", "/v1/bans/127.0.6.1");
    right.register();

    right.wait_registered(LIMIT).expect("it signs in again");
    assert_eq!(lifted.status, 204);
    assert_eq!(bans("DELETE", "/v1/bans/127.0.6.1").status, 404);
    assert_eq!(bans("GET", "/v1/bans").json()["items"], Value::Array(Vec::new()));
    signed_in(extension(office.sip(), "101", 440));
}

/// The nth packet from an address.
type Packet = fn(u64, SocketAddr) -> Vec<u8>;

/// Packets of one kind that are sent from some sources.
struct Flood {
    stop: Arc<AtomicBool>,
    done: JoinHandle<()>,
}

impl Flood {
    /// Sends so many packets, the sources taking turns, with a pause after each 64.
    fn of(server: SocketAddr, sources: Vec<IpAddr>, count: u64, packet: Packet, pause: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let done = spawn(move || {
            let sockets: Vec<_> = sources.iter().map(|ip| UdpSocket::bind((*ip, 0)).expect("a port")).collect();
            for (n, socket) in (0..count).zip(sockets.iter().cycle()) {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                let from = socket.local_addr().expect("bound");
                // What the kernel does not take was not sent: nobody counts here.
                let _ = socket.send_to(&packet(n, from), server);
                if n.is_multiple_of(64) {
                    park_timeout(pause);
                }
            }
        });
        Self { stop, done }
    }

    /// Returns when all is sent.
    fn wait(self) {
        self.done.join().expect("it sends");
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wait();
    }
}

/// Loopback addresses that nobody else here sends from.
fn sources(block: u8, count: u8) -> Vec<IpAddr> {
    (1..=count).map(|last| Ipv4Addr::new(127, 0, block, last).into()).collect()
}

fn invite(n: u64, from: SocketAddr) -> Vec<u8> {
    request("INVITE", "sip:102@pbx.example", n, from)
}

fn register(n: u64, from: SocketAddr) -> Vec<u8> {
    request("REGISTER", "sip:pbx.example", n, from)
}

fn request(method: &str, uri: &str, n: u64, from: SocketAddr) -> Vec<u8> {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKa{n};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:101@pbx.example>;tag=a{n}\r\nTo: <sip:101@pbx.example>\r\nCall-ID: abuse-{n}@{from}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:101@{from}>\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// Something that is no SIP, and no two alike.
fn garbage(n: u64, _: SocketAddr) -> Vec<u8> {
    let seed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..40 + n % 500).map(|at| (seed.rotate_left(at as u32 % 61) ^ at) as u8).collect()
}

/// Connections that say nothing, or half a message; from as many sources as one may not have them all.
fn half_open(server: SocketAddr, count: u64) -> Vec<TcpStream> {
    let sources = sources(7, 4);
    let open = |n: u64| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(sources[n as usize % sources.len()], 0).into())?;
        socket.connect(&server.into())?;
        let mut stream = TcpStream::from(socket);
        if n.is_multiple_of(2) {
            stream.write_all(b"INVITE sip:102@pbx.example SIP/2.0\r\nSubject: ")?;
        }
        std::io::Result::Ok(stream)
    };
    (0..count).map(open).collect::<Result<_, _>>().expect("connections")
}

/// Asks as the operator.
fn admin(office: &Office, method: &str, path: &str) -> http::Answer {
    let header = format!("Authorization: Bearer {}", office.server.admin_token());
    match method {
        "DELETE" => http::delete(office.server.http, path, &[&header]),
        _ => http::get(office.server.http, path, &[&header]),
    }
}

/// A line of the server's status, in kB.
fn memory(office: &Office, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", office.server.pid())).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("Linux tells memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The server's figures whose names begin so.
fn metric(office: &Office, name: &str) -> String {
    let text = http::get(office.server.http, "/metrics", &[]).text();
    let lines = text.lines().filter_map(|line| line.strip_prefix("tongdai_")).filter(|line| line.starts_with(name));
    lines.collect::<Vec<_>>().join(", ")
}
