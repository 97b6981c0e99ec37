//! Phones call each other over loopback sockets.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{Method, Transport};

use super::{Act, Behaviour, Carrier, CarrierConfig, EndedBy, Event, Phone, PhoneConfig};

#[test]
fn two_phones_hear_each_other_over_udp() {
    both_hear(Transport::Udp);
}

#[test]
fn two_phones_hear_each_other_over_tcp() {
    both_hear(Transport::Tcp);
}

fn both_hear(transport: Transport) {
    let callee = Phone::start(PhoneConfig::new("102", nowhere()).tone(850).behaves(Behaviour::answers(ZERO))).unwrap();
    let config = PhoneConfig { transport, ..PhoneConfig::new("101", callee.address()).tone(400) };
    let caller = Phone::start(config).unwrap();

    caller.call("102").unwrap();
    caller.wait_answered(LIMIT).unwrap();
    callee.wait_heard(400, LIMIT).unwrap();
    caller.wait_heard(850, LIMIT).unwrap();
    let crossed = [callee.heard(850), caller.heard(400)];
    caller.hang_up().unwrap();

    assert_eq!(crossed, [false, false]);
    callee.wait_for(|event| matches!(event, Event::Ended { by: EndedBy::Them, .. }), LIMIT).unwrap();
    assert_eq!(callee.count().strange, 0);
    assert_eq!(callee.received_count(&Method::Bye), 1);
}

#[test]
fn sound_stops_on_hold_and_returns() {
    let callee = Phone::start(PhoneConfig::new("102", nowhere()).tone(850).behaves(Behaviour::answers(ZERO))).unwrap();
    let caller = Phone::start(PhoneConfig::new("101", callee.address()).tone(400)).unwrap();
    caller.call("102").unwrap();
    caller.wait_heard(850, LIMIT).unwrap();

    caller.hold().unwrap();
    callee.wait_for(|event| matches!(event, Event::HeldBy { .. }), LIMIT).unwrap();
    caller.wait_quiet(LIMIT).unwrap();
    callee.wait_quiet(LIMIT).unwrap();
    caller.wait_for(|event| matches!(event, Event::Held { .. }), LIMIT).unwrap();
    caller.resume().unwrap();

    caller.wait_heard(850, LIMIT).unwrap();
    callee.wait_heard(400, LIMIT).unwrap();
}

#[test]
fn the_carriers_numbers_do_what_they_are_known_for() {
    let carrier = Carrier::start(free()).unwrap();
    let phone = Phone::start(PhoneConfig::new("101", carrier.address()).tone(400)).unwrap();

    let refusals = ["84900000002", "+84900000004", "0911111111"].map(|number| {
        phone.call(number).unwrap();
        phone.wait_for(Event::is_last, LIMIT).unwrap()
    });
    let keys = phone.call("0900000005").unwrap();
    phone.wait_for(|event| matches!(event, Event::Key { key: '5', .. }), LIMIT).unwrap();
    carrier.wait_heard(400, LIMIT).unwrap();
    phone.wait_heard(620, LIMIT).unwrap();
    phone.hang_up().unwrap();
    phone.call("0900000003").unwrap();
    phone.wait_for(|event| matches!(event, Event::Ringing { .. }), LIMIT).unwrap();
    phone.hang_up().unwrap();
    let given_up = phone.wait_for(Event::is_last, LIMIT).unwrap();

    let statuses = refusals.iter().chain([&given_up]).map(|event| match event {
        Event::Refused { status, .. } => *status,
        _ => 0,
    });
    assert_eq!(statuses.collect::<Vec<_>>(), [486, 603, 404, 487]);
    assert_eq!(phone.keys(keys), "5");
}

#[test]
fn the_carrier_speaks_and_hangs_up() {
    let speaks = CarrierConfig::new(free()).numbers["0900000001"].clone();
    let at_ten = speaks.once_answered.clone();
    let soon = Behaviour { once_answered: Vec::new(), ..speaks }.then(Duration::from_secs(1), Act::HangUp);
    let carrier = Carrier::start_with(CarrierConfig::new(free()).number("0900000001", soon)).unwrap();
    let phone = Phone::start(PhoneConfig::new("101", carrier.address())).unwrap();

    phone.call("0900000001").unwrap();
    phone.wait_heard(620, LIMIT).unwrap();
    let last = phone.wait_for(Event::is_last, LIMIT).unwrap();

    assert!(matches!(last, Event::Ended { by: EndedBy::Them, .. }));
    assert_eq!(at_ten.iter().map(|step| (step.after.as_secs(), step.act)).collect::<Vec<_>>(), [(10, Act::HangUp)]);
}

#[test]
fn the_carrier_calls_in() {
    let phone = Phone::start(PhoneConfig::new("02873088088", nowhere()).tone(400).behaves(Behaviour::answers(ZERO)));
    let (phone, carrier) = (phone.unwrap(), Carrier::start(free()).unwrap());

    for transport in [Transport::Udp, Transport::Tcp] {
        carrier.call_over(transport, phone.address(), "02873088088", "0912345678").unwrap();
        let event = phone.wait_for(|event| matches!(event, Event::IncomingCall { .. }), LIMIT).unwrap();
        carrier.wait_heard(400, LIMIT).unwrap();
        phone.hang_up().unwrap();
        carrier.wait_idle(LIMIT).unwrap();

        let Event::IncomingCall { from, called, .. } = event else { panic!("{event:?}") };
        assert_eq!([from, called], ["0912345678", "02873088088"]);
    }
    carrier.wait_received(&Method::Bye, 2, LIMIT).unwrap();
}

#[test]
fn who_stops_hangs_up_first() {
    let callee = Phone::start(PhoneConfig::new("102", nowhere()).behaves(Behaviour::answers(ZERO))).unwrap();
    let caller = Phone::start(PhoneConfig::new("101", callee.address())).unwrap();
    caller.call("102").unwrap();
    caller.wait_answered(LIMIT).unwrap();

    caller.stop();

    callee.wait_for(|event| matches!(event, Event::Ended { by: EndedBy::Them, .. }), LIMIT).unwrap();
}

#[test]
fn who_vanishes_says_nothing_and_frees_its_port() {
    let callee = Phone::start(PhoneConfig::new("102", nowhere()).behaves(Behaviour::answers(ZERO))).unwrap();
    // An address of its own, so that nobody else takes the port in between.
    let listen = SocketAddr::from(([127, 0, 0, 41], 0));
    let caller = Phone::start(PhoneConfig { listen, ..PhoneConfig::new("101", callee.address()) }).unwrap();
    let address = caller.address();
    caller.call("102").unwrap();
    caller.wait_answered(LIMIT).unwrap();

    caller.vanish();

    assert_eq!(callee.received_count(&Method::Bye), 0);
    assert_eq!(callee.calls().len(), 1);
    let again = Carrier::start(address).unwrap();
    assert_eq!(again.address(), address);
}

#[test]
fn what_does_not_come_is_told_with_what_came() {
    let phone = Phone::start(PhoneConfig::new("101", nowhere())).unwrap();

    let late = phone.wait_registered(Duration::from_millis(10)).unwrap_err();

    assert_eq!(late.to_string(), "101 waited for a registration for 10ms; so far:");
}

const LIMIT: Duration = Duration::from_secs(5);

const ZERO: Duration = Duration::ZERO;

/// Where nobody listens.
fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
