//! A server with two sides: each side is shown the address on its side, in Via, Contact and session descriptions.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use bytes::Bytes;
use sip::{Framing, HeaderName, Message, Method, Request, Transport};
use testkit::phones::{Behaviour, Phone, PhoneConfig};

use crate::common::Server;
use crate::namespace::{Machine, Networks};
use crate::support::office::{Company, Look, provision};
use crate::support::people::{CARRIER_TONE, TALKER, carrier, extension, hear_each_other, signed_in};
use crate::support::tools::{LIMIT, until};

/// A carrier that writes down what it is asked, and is busy.
struct Scribe {
    socket: UdpSocket,
}

/// What an INVITE shows of the switchboard.
#[derive(PartialEq, Eq, Debug)]
struct Shown {
    via: String,
    contact: String,
    sound: String,
}

impl Scribe {
    fn on(machine: &Machine, address: &str) -> Self {
        let socket = machine.inside(|| UdpSocket::bind(address).expect("bound"));
        socket.set_read_timeout(Some(LIMIT)).expect("set");
        Self { socket }
    }

    /// Takes the next call and refuses it.
    fn takes_a_call(&self) -> Shown {
        let mut packet = [0; 65_536];
        loop {
            let (length, from) = self.socket.recv_from(&mut packet).expect("a call");
            let message = sip::parse(Bytes::copy_from_slice(&packet[..length]), Framing::Datagram).expect("SIP");
            let Message::Request(request) = message else { continue };
            if request.method == Method::Invite {
                self.socket.send_to(&request.response(486).print(), from).expect("sent");
                return Shown::by(&request);
            }
        }
    }
}

impl Shown {
    fn by(request: &Request) -> Self {
        let header = |name| String::from_utf8_lossy(request.headers.get(name).expect("there")).into_owned();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let host = |text: &str| text.trim_end_matches(['>', ';']).to_owned();
        let via = header(&HeaderName::Via);
        let contact = header(&HeaderName::Contact);
        let sound = body.lines().find_map(|line| line.strip_prefix("c=")).expect("an address").to_owned();
        Self {
            via: host(via.split([' ', ';']).nth(1).expect("a host")),
            contact: host(contact.split('@').next_back().expect("a host")),
            sound,
        }
    }

    fn on(address: &str, kind: &str) -> Self {
        let host: SocketAddr = address.parse().expect("an address");
        Self { via: address.into(), contact: address.into(), sound: format!("IN {kind} {}", host.ip()) }
    }
}

/// A server in the middle with a trunk on each side.
fn start(networks: &Networks, sip: &str, further: &[&str], lan: &str, wan: &str) -> Server {
    let trunk = |name, address| format!("      - {{ name: {name}, address: \"{address}\" }}\n");
    let rules = "      - { prefix: \"091\", trunks: [lan] }\n      - { prefix: \"092\", trunks: [wan] }\n";
    let yaml = provision(&[Company::with_carrier(([127, 0, 0, 1], 9).into())])
        .replace("    outbound:\n", &format!("{}{}    outbound:\n{rules}", trunk("lan", lan), trunk("wan", wan)));
    let folder = tempfile::tempdir().expect("a folder").keep();
    networks.pbx.inside(|| Server::start_at(sip, folder, &yaml, further))
}

fn phone(machine: &Machine, name: &str, listen: &str, server: &str, tone: u16) -> Phone {
    let server: SocketAddr = server.parse().expect("an address");
    let config = extension(server, name, tone).behaves(Behaviour::answers(Duration::ZERO));
    let config = PhoneConfig { listen: listen.parse().expect("an address"), ..config };
    machine.inside(|| signed_in(config))
}

fn talk(one: &Phone, other: &Phone, number: &str, one_hears: u16, other_hears: u16) {
    one.call(number).expect("a call");
    hear_each_other(one, one_hears, other, other_hears);
    one.hang_up().expect("it hangs up");
    other.wait_idle(LIMIT).expect("it is over");
}

fn leave(networks: &Networks, server: &Server) {
    networks.pbx.inside(|| Look { server, key: "DEMO" }.wait_clean());
    let _ = std::fs::remove_dir_all(&server.data);
}

#[test]
fn each_side_of_one_listener_sees_its_own_address() {
    let Some(networks) = Networks::build("one") else { return };
    let (lan, wan) = (Scribe::on(&networks.lan, "10.77.1.2:5090"), Scribe::on(&networks.wan, "10.99.0.2:5090"));
    let server = start(&networks, "0.0.0.0:5060", &[], "10.77.1.2:5090", "10.99.0.2:5090");
    let inside = phone(&networks.lan, "101", "10.77.1.2:0", "10.77.1.1:5060", 440);
    let outside = phone(&networks.wan, "102", "10.99.0.2:0", "10.77.2.1:5060", 520);

    talk(&inside, &outside, "102", 520, 440);
    talk(&outside, &inside, "101", 440, 520);
    let mut shown = Vec::new();
    for (number, scribe) in [("0910000001", &lan), ("0920000001", &wan)] {
        inside.call(number).expect("a call");
        shown.push(scribe.takes_a_call());
        inside.wait_idle(LIMIT).expect("it is over");
    }

    assert_eq!(shown, [Shown::on("10.77.1.1:5060", "IP4"), Shown::on("10.77.2.1:5060", "IP4")]);
    leave(&networks, &server);
}

#[test]
fn two_listeners_each_serve_their_side() {
    let Some(networks) = Networks::build("two") else { return };
    let (lan, wan) = (Scribe::on(&networks.lan, "10.77.1.2:5090"), Scribe::on(&networks.wan, "10.99.0.2:5090"));
    let server =
        start(&networks, "lan=10.77.1.1:5060", &["--sip", "wan=10.77.2.1:5070"], "10.77.1.2:5090", "10.99.0.2:5090");
    let inside = phone(&networks.lan, "101", "10.77.1.2:0", "10.77.1.1:5060", 440);
    let outside = phone(&networks.wan, "102", "10.77.2.2:0", "10.77.2.1:5070", 520);

    talk(&inside, &outside, "102", 520, 440);
    talk(&outside, &inside, "101", 440, 520);
    let mut shown = Vec::new();
    for (number, scribe) in [("0910000001", &lan), ("0920000001", &wan)] {
        outside.call(number).expect("a call");
        shown.push(scribe.takes_a_call());
        outside.wait_idle(LIMIT).expect("it is over");
    }

    assert_eq!(shown, [Shown::on("10.77.1.1:5060", "IP4"), Shown::on("10.77.2.1:5070", "IP4")]);
    leave(&networks, &server);
}

#[test]
fn the_advertised_address_is_for_those_behind_a_gateway() {
    let Some(networks) = Networks::build("adv") else { return };
    let (lan, wan) = (Scribe::on(&networks.lan, "10.77.1.2:5090"), Scribe::on(&networks.wan, "10.99.0.2:5090"));
    let advertised = ["--rtp", "0.0.0.0,advertise=203.0.113.9"];
    let server =
        start(&networks, "0.0.0.0:5060,advertise=203.0.113.7:5062", &advertised, "10.77.1.2:5090", "10.99.0.2:5090");
    let inside = phone(&networks.lan, "101", "10.77.1.2:0", "10.77.1.1:5060", 440);
    let mut shown = Vec::new();

    for (number, scribe) in [("0910000001", &lan), ("0920000001", &wan)] {
        inside.call(number).expect("a call");
        shown.push(scribe.takes_a_call());
        inside.wait_idle(LIMIT).expect("it is over");
    }

    let told = "203.0.113.7:5062".to_owned();
    let outside = Shown { via: told.clone(), contact: told, sound: "IN IP4 203.0.113.9".into() };
    assert_eq!(shown, [Shown::on("10.77.1.1:5060", "IP4"), outside]);
    leave(&networks, &server);
}

#[test]
fn an_address_that_comes_later_is_shown_without_a_restart() {
    let Some(networks) = Networks::build("later") else { return };
    let server = start(&networks, "0.0.0.0:5060", &[], "10.77.3.2:5090", "10.99.0.2:5090");
    let inside = phone(&networks.lan, "101", "10.77.1.2:0", "10.77.1.1:5060", 440);
    networks.lan.ip("addr add 10.77.3.2/24 dev eth0").expect("added");
    let later = Scribe::on(&networks.lan, "10.77.3.2:5090");

    networks.pbx.ip("addr add 10.77.3.1/24 dev side1").expect("added");

    until("the new address is shown", || {
        inside.call("0910000001").expect("a call");
        let shown = later.takes_a_call();
        inside.wait_idle(LIMIT).expect("it is over");
        (shown == Shown::on("10.77.3.1:5060", "IP4")).then_some(())
    });
    leave(&networks, &server);
}

#[test]
fn both_families_have_sides_and_talk_to_each_other() {
    let Some(networks) = Networks::build("six") else { return };
    let wan = Scribe::on(&networks.wan, "[fd77:2::2]:5090");
    let server =
        start(&networks, "four=0.0.0.0:5060", &["--sip", "six=[::]:5060"], "10.77.1.2:5090", "[fd77:2::2]:5090");
    let inside = phone(&networks.lan, "101", "10.77.1.2:0", "10.77.1.1:5060", 440);
    let outside = phone(&networks.wan, "102", "[fd77:2::2]:0", "[fd77:2::1]:5060", 520);

    talk(&inside, &outside, "102", 520, 440);
    talk(&outside, &inside, "101", 440, 520);
    inside.call("0920000001").expect("a call");
    let shown = wan.takes_a_call();
    inside.wait_idle(LIMIT).expect("it is over");

    assert_eq!(shown, Shown::on("[fd77:2::1]:5060", "IP6"));
    leave(&networks, &server);
}

#[test]
fn one_listener_serves_both_families_and_shows_each_its_own_address() {
    let Some(networks) = Networks::build("both") else { return };
    let (lan, wan) = (Scribe::on(&networks.lan, "10.77.1.2:5090"), Scribe::on(&networks.wan, "[fd77:2::2]:5090"));
    let server = start(&networks, "[::]:5060", &[], "10.77.1.2:5090", "[fd77:2::2]:5090");
    let inside = phone(&networks.lan, "101", "10.77.1.2:0", "10.77.1.1:5060", 440);
    let outside = phone(&networks.wan, "102", "[fd77:2::2]:0", "[fd77:2::1]:5060", 520);

    talk(&inside, &outside, "102", 520, 440);
    talk(&outside, &inside, "101", 440, 520);
    let mut shown = Vec::new();
    for (number, scribe) in [("0910000001", &lan), ("0920000001", &wan)] {
        outside.call(number).expect("a call");
        shown.push(scribe.takes_a_call());
        outside.wait_idle(LIMIT).expect("it is over");
    }

    assert_eq!(shown, [Shown::on("10.77.1.1:5060", "IP4"), Shown::on("[fd77:2::1]:5060", "IP6")]);
    leave(&networks, &server);
}

#[test]
fn on_one_listener_ipv4_and_ipv6_talk_to_each_other_whatever_carries_them() {
    if let Err(error) = UdpSocket::bind("[::1]:0") {
        println!("this machine has no IPv6, so nothing can be shown: {error}");
        return;
    }
    for (fours, sixes) in [(Transport::Udp, Transport::Tcp), (Transport::Tcp, Transport::Udp)] {
        both_families_on_one_listener(fours, sixes);
    }
}

fn both_families_on_one_listener(fours: Transport, sixes: Transport) {
    let folder = tempfile::tempdir().expect("a folder");
    let carrier = carrier();
    let to_carrier = if fours == Transport::Tcp { ", transport: tcp" } else { "" };
    let company = Company { trunk: to_carrier, ..Company::with_carrier(carrier.address()) };
    let server = Server::start_at("[::]:0", folder.path().join("data"), &provision(&[company]), &["--sips", "[::]:0"]);
    let safe = server.ready.split(' ').find_map(|word| word.strip_prefix("sips="));
    let safe: SocketAddr = safe.and_then(|text| text.parse().ok()).expect("an address");
    let here = |name, ip: &str, transport, tone| {
        let at = SocketAddr::new(ip.parse().expect("an address"), server.sip.port());
        let config = extension(at, name, tone).behaves(Behaviour::answers(Duration::ZERO));
        signed_in(PhoneConfig { transport, ..config })
    };
    let (four, six) = (here("101", "127.0.0.1", fours, 440), here("102", "::1", sixes, 520));

    talk(&four, &six, "102", 520, 440);
    talk(&six, &four, "101", 440, 520);
    six.call(TALKER).expect("a call");
    hear_each_other(&six, CARRIER_TONE, &carrier, 520);
    six.hang_up().expect("it hangs up");
    carrier.wait_idle(LIMIT).expect("it is over");
    let sure = std::net::TcpStream::connect(("127.0.0.1", safe.port()));

    assert!(sure.is_ok(), "TLS is listened for on IPv4 too: {sure:?}");
    assert!(carrier.received().iter().all(|request| request.flow.transport == fours));
    Look { server: &server, key: "DEMO" }.wait_clean();
}

#[test]
fn on_one_machine_ipv4_and_ipv6_talk_to_each_other() {
    if let Err(error) = UdpSocket::bind("[::1]:0") {
        println!("this machine has no IPv6, so nothing can be shown: {error}");
        return;
    }
    let server =
        Server::start(&provision(&[Company::with_carrier(([127, 0, 0, 1], 9).into())]), &["--sip", "six=[::1]:0"]);
    let six: SocketAddr = server.ready.rsplit("sip=").next().and_then(|text| text.trim().parse().ok()).expect("six");
    let here =
        |server, name, tone| signed_in(extension(server, name, tone).behaves(Behaviour::answers(Duration::ZERO)));
    let (four, six) = (here(server.sip, "101", 440), here(six, "102", 520));

    talk(&four, &six, "102", 520, 440);
    talk(&six, &four, "101", 440, 520);

    Look { server: &server, key: "DEMO" }.wait_clean();
}
