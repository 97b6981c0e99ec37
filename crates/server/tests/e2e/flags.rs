//! Addresses in each form that the settings know: several of them, named, and IPv6.

use std::net::SocketAddr;
use std::time::Duration;

use testkit::phones::{Behaviour, Phone};

use crate::common::Server;
use crate::support::http;
use crate::support::office::{Company, Look, provision};
use crate::support::people::{CARRIER_TONE, TALKER, carrier, carrier_at, extension, hear_each_other, signed_in};
use crate::support::tools::LIMIT;

#[test]
fn phones_on_two_interfaces_talk_and_the_trunk_takes_the_one_it_names() {
    let carrier = carrier();
    let company = Company { trunk: ", via: outside", ..Company::with_carrier(carrier.address()) };
    let server = Server::start(
        &provision(&[company]),
        &[
            "--sip",
            "outside=127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
            "--unlimited-from",
            "127.0.0.0/8",
            "--local-nets",
            "none",
        ],
    );
    let [inside, outside] = addresses(&server.ready, "sip=")[..] else { panic!("two in {}", server.ready) };
    let (first, second) = (phone("101", inside, 440), phone("102", outside, 520));

    first.call("102").expect("a call");
    hear_each_other(&first, 520, &second, 440);
    first.hang_up().expect("it hangs up");
    second.wait_idle(LIMIT).expect("it is over");
    first.call(TALKER).expect("a call");
    hear_each_other(&first, 620, &carrier, 440);
    first.hang_up().expect("it hangs up");
    carrier.wait_idle(LIMIT).expect("it is over");

    let invite = carrier.received().into_iter().find(|request| request.method == sip::Method::Invite).expect("a call");
    assert_eq!(invite.flow.remote, outside);
    let look = Look { server: &server, key: "DEMO" };
    let records = look.whole_records(2);
    look.recording(&records[0]).holds(440, 520);
    look.recording(&records[1]).holds(620, 440);
    for http in addresses(&server.ready, "http=") {
        assert_eq!(
            http::get(http, "/v1/records", &["Authorization: Bearer NATIVE_DEMO"]).json()["items"]
                .as_array()
                .map(Vec::len),
            Some(2)
        );
    }
    look.wait_clean();
}

#[test]
fn an_advertised_address_hinders_nobody_on_the_same_machine() {
    let carrier = carrier();
    let advertised = ["--sip", "nat=127.0.0.1:0,advertise=203.0.113.7:5062", "--local-nets", "10.0.0.0/8"];
    let server = Server::start(&provision(&[Company::with_carrier(carrier.address())]), &advertised);
    let sip = addresses(&server.ready, "sip=")[1];
    let (caller, callee) = (phone("101", sip, 440), phone("102", sip, 520));

    caller.call("102").expect("a call");
    hear_each_other(&caller, 520, &callee, 440);
    callee.hang_up().expect("it hangs up");
    caller.wait_idle(LIMIT).expect("it is over");

    let look = Look { server: &server, key: "DEMO" };
    look.recording(&look.whole_records(1)[0]).holds(440, 520);
    look.wait_clean();
}

#[test]
fn a_trunk_is_spoken_to_over_tcp_where_it_says_so() {
    let carrier = carrier();
    let company = Company { trunk: ", transport: tcp", ..Company::with_carrier(carrier.address()) };
    let server = Server::start(&provision(&[company]), &[]);
    let agent = phone("101", server.sip, 440);

    agent.call(TALKER).expect("a call");
    hear_each_other(&agent, 620, &carrier, 440);
    agent.hang_up().expect("it hangs up");
    carrier.wait_idle(LIMIT).expect("it is over");

    assert!(carrier.received().iter().all(|request| request.flow.transport == sip::Transport::Tcp));
    let look = Look { server: &server, key: "DEMO" };
    look.recording(&look.whole_records(1)[0]).holds(620, 440);
    look.wait_clean();
}

#[test]
fn calls_and_requests_go_over_ipv6() {
    if let Err(error) = std::net::UdpSocket::bind("[::1]:0") {
        println!("this machine has no IPv6, so nothing can be shown: {error}");
        return;
    }
    let carrier = carrier_at("[::1]:0", CARRIER_TONE);
    let server = Server::start(
        &provision(&[Company::with_carrier(carrier.address())]),
        &["--sip", "six=[::1]:0", "--http", "[::1]:0"],
    );
    let (sip, http) = (addresses(&server.ready, "sip=")[1], addresses(&server.ready, "http=")[1]);
    assert!(sip.is_ipv6() && http.is_ipv6(), "{}", server.ready);
    let agent = phone("101", sip, 440);

    let clicked = http::get(http, "/dial?voip=VOIPKEY_DEMO&secret=SECRET_DEMO&sip=101&phone=0900000009", &[]).json();
    hear_each_other(&agent, 620, &carrier, 440);
    agent.hang_up().expect("it hangs up");
    carrier.wait_idle(LIMIT).expect("it is over");

    assert_eq!(clicked["call_status"], "Success", "{clicked}");
    let look = Look { server: &server, key: "DEMO" };
    look.recording(&look.whole_records(1)[0]).holds(620, 440);
    look.wait_clean();
}

fn addresses(ready: &str, name: &str) -> Vec<SocketAddr> {
    ready.split(' ').filter_map(|word| word.strip_prefix(name)).map(|text| text.parse().expect("an address")).collect()
}

fn phone(name: &str, server: SocketAddr, tone: u16) -> Phone {
    signed_in(extension(server, name, tone).behaves(Behaviour::answers(Duration::ZERO)))
}
