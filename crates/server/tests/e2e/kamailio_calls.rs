//! A proxy that is not ours stands between the switchboard and its carrier, and stays in the way of every request.

use std::net::SocketAddr;
use std::time::Duration;

use sip::Method;
use testkit::phones::Carrier;

use crate::support::kamailio::{Kamailio, Routing};
use crate::support::office::Office;
use crate::support::people::{CARRIER_TONE, TALKER, carrier, extension, hear_each_other, signed_in};
use crate::support::tools::{LIMIT, free_udp_address};

struct Between {
    office: Office,
    carrier: Carrier,
    proxy: SocketAddr,
    _kamailio: Kamailio,
}

fn between(routing: Routing) -> Between {
    let carrier = carrier();
    let proxy = free_udp_address();
    let office = Office::start(proxy);
    let kamailio = Kamailio::start(proxy, office.sip(), carrier.address(), routing);
    Between { office, carrier, proxy, _kamailio: kamailio }
}

#[test]
fn a_call_out_and_its_hold_and_end_pass_a_loose_proxy() {
    calls_out(Routing::Loose);
}

#[test]
fn a_call_out_and_its_hold_and_end_pass_a_strict_proxy() {
    calls_out(Routing::Strict);
}

fn calls_out(routing: Routing) {
    let Between { office, carrier, proxy, .. } = &between(routing);
    let phone = signed_in(extension(office.sip(), "101", 440));

    phone.call(TALKER).expect("a call");
    phone.wait_answered(LIMIT).expect("an answer");
    hear_each_other(&phone, CARRIER_TONE, carrier, 440);
    carrier.hold().expect("it holds");
    phone.wait_music(LIMIT).expect("music");
    carrier.resume().expect("it goes on");
    hear_each_other(&phone, CARRIER_TONE, carrier, 440);
    phone.hang_up().expect("it hangs up");
    carrier.wait_received(&Method::Bye, 1, LIMIT).expect("our BYE");
    carrier.wait_idle(LIMIT).expect("the end");

    assert_eq!(came_through(carrier, &Method::Invite), Some(proxy.port()));
    assert_eq!(came_through(carrier, &Method::Ack), Some(proxy.port()));
    assert_eq!(came_through(carrier, &Method::Bye), Some(proxy.port()));
    office.recording(&office.only_record()).around_silence();
    office.wait_clean();
}

#[test]
fn a_call_in_and_our_end_of_it_pass_a_loose_proxy() {
    calls_in(Routing::Loose);
}

#[test]
fn a_call_in_and_our_end_of_it_pass_a_strict_proxy() {
    calls_in(Routing::Strict);
}

fn calls_in(routing: Routing) {
    let Between { office, carrier, proxy, .. } = &between(routing);
    let answers = testkit::phones::Behaviour::answers(Duration::ZERO);
    let phone = signed_in(extension(office.sip(), "101", 440).behaves(answers));

    carrier.call(*proxy, "02873088088", "0912345678").expect("a call");
    carrier.wait_answered(LIMIT).expect("an answer");
    hear_each_other(&phone, CARRIER_TONE, carrier, 440);
    phone.hang_up().expect("it hangs up");
    carrier.wait_received(&Method::Bye, 1, LIMIT).expect("our BYE");
    carrier.wait_idle(LIMIT).expect("the end");

    assert_eq!(came_through(carrier, &Method::Bye), Some(proxy.port()));
    office.recording(&office.only_record()).holds(620, 440);
    office.wait_clean();
}

/// The port from which the last request of a method came.
fn came_through(carrier: &Carrier, method: &Method) -> Option<u16> {
    let received = carrier.received();
    received.iter().rfind(|received| received.method == *method).map(|received| received.flow.remote.port())
}
