//! What Socket.IO clients, 2.5 and 4.x over each transport, are told of real calls: everything once and in order.

use std::time::Duration;

use testkit::phones::{Behaviour, Event, Phone};

use crate::common::Server;
use crate::support::office::{Company, Office, provision};
use crate::support::people::{TALKER, carrier, extension, hear_each_other, signed_in};
use crate::support::socket::{KINDS, SocketClient};
use crate::support::tools::LIMIT;

#[test]
fn every_client_follows_a_click_a_call_from_outside_and_one_between_extensions() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let clients = KINDS.map(|kind| SocketClient::connect(kind, office.server.http, "VOIPKEY_DEMO"));
    clients.iter().for_each(|client| client.wait_signed_in(1));
    let (first, second) = (phone(&office.server, "101", 440), phone(&office.server, "102", 520));

    let clicked = office.vendor(&format!("/dial?sip=101&phone={TALKER}"));
    talk_until_hung_up(&first, 620, &carrier, 440);
    carrier.call(office.sip(), "02873088088", "0912345678").expect("a call");
    talk_until_hung_up(&first, 620, &carrier, 440);
    first.call("102").expect("a call");
    talk_until_hung_up(&first, 520, &second, 440);

    let told = [
        "101 Ring 0900000009 outbound",
        "101 Ringing 0900000009 outbound",
        "101 Up 0900000009 outbound",
        "101 Hangup 0900000009 null",
        "101 Ring 0912345678 inbound",
        "101 Up 0912345678 inbound",
        "101 Hangup 0912345678 null",
        "101 Ring 102 local",
        "102 Ring 101 local",
        "102 Up 101 local",
        "101 Up 102 local",
        "101 Hangup 102 null",
        "102 Hangup 101 null",
    ];
    for client in &clients {
        assert_eq!(client.wait_told(told.len()), told);
    }
    let callids: Vec<_> = clients[0].responses().iter().map(|body| body["callid"].clone()).collect();
    assert!(callids[..4].iter().all(|id| *id == clicked["callid"]), "{callids:?}");
    office.wait_clean();
    // Nothing came after the last word.
    assert!(clients.iter().all(|client| client.responses().len() == told.len()));
}

#[test]
fn clients_come_back_by_themselves_after_a_crash_and_hear_what_follows() {
    let carrier = carrier();
    let folder = tempfile::tempdir().expect("a folder");
    let (data, yaml) = (folder.path().join("data"), provision(&[Company::with_carrier(carrier.address())]));
    let mut first = Server::start_in(data.clone(), &yaml, &[]);
    let (http, sip) = (first.http, first.sip.to_string());
    let clients = KINDS.map(|kind| SocketClient::connect(kind, http, "SECRET_DEMO"));
    clients.iter().for_each(|client| client.wait_signed_in(1));
    let agent = phone(&first, "101", 440);

    first.signal(libc::SIGKILL);
    first.wait();
    let second = Server::start_at(&sip, data, &yaml, &["--http", &http.to_string()]);
    clients.iter().for_each(|client| client.wait_signed_in(2));
    // The phone never noticed.
    agent.call(TALKER).expect("a call");
    talk_until_hung_up(&agent, 620, &carrier, 440);

    for client in &clients {
        let told = ["101 Ring 0900000009 outbound", "101 Up 0900000009 outbound", "101 Hangup 0900000009 null"];
        assert_eq!(client.wait_told(told.len()), told);
    }
    Office::of(second, Company::with_carrier(carrier.address())).wait_clean();
}

/// Both hear each other; then the first hangs up.
fn talk_until_hung_up(one: &Phone, one_hears: u16, other: &Phone, other_hears: u16) {
    one.wait_for(|event| matches!(event, Event::Answered { .. }), LIMIT).expect("an answer");
    hear_each_other(one, one_hears, other, other_hears);
    one.hang_up().expect("it hangs up");
    one.wait_idle(LIMIT).expect("its call is over");
    other.wait_idle(LIMIT).expect("its call is over");
}

/// A phone that answers after a tenth of a second.
fn phone(server: &Server, name: &str, tone: u16) -> Phone {
    signed_in(extension(server.sip, name, tone).behaves(Behaviour::answers(Duration::from_millis(100))))
}
