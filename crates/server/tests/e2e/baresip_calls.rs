//! baresip, as it comes from Debian, registers, calls, is called, holds and hangs up.

use std::time::Duration;

use sip::Method;
use testkit::phones::{EndedBy, Event};

use crate::support::baresip::Baresip;
use crate::support::office::Office;
use crate::support::people::{TALKER, carrier};
use crate::support::tools::{LIMIT, until};

#[test]
fn it_calls_over_udp_and_hangs_up() {
    it_calls("udp");
}

#[test]
fn it_calls_over_tcp_and_hangs_up() {
    it_calls("tcp");
}

fn it_calls(transport: &str) {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let mut phone = Baresip::start("101", office.sip(), transport, 440);
    let software = office.wait_registered("101");

    phone.order("dial", TALKER);
    phone.wait("CALL_ESTABLISHED", 1);
    carrier.wait_heard(440, LIMIT).expect("the phone's tone");
    phone.wait_heard(620);
    phone.order("hangup", "");

    carrier.wait_for(ended_by_them, LIMIT).expect("the end");
    assert!(software.starts_with("baresip"), "{software}");
    assert_eq!(carrier.received_count(&Method::Bye), 1);
    let record = office.only_record();
    assert_eq!((&record["status"], &record["ended_by"]), (&"answered".into(), &"agent".into()));
    office.recording(&record).holds(620, 440);
    office.wait_clean();
}

#[test]
fn it_is_called_over_udp_and_the_carrier_hangs_up() {
    it_is_called("udp");
}

#[test]
fn it_is_called_over_tcp_and_the_carrier_hangs_up() {
    it_is_called("tcp");
}

fn it_is_called(transport: &str) {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let mut phone = Baresip::start("101", office.sip(), transport, 440);
    office.wait_registered("101");

    carrier.call(office.sip(), "02873088088", "0912345678").expect("a call");
    let shown = phone.wait("CALL_INCOMING", 1);
    carrier.wait_for(|event| matches!(event, Event::Ringing { .. }), LIMIT).expect("it rings");
    phone.order("accept", "");
    carrier.wait_answered(LIMIT).expect("an answer");
    carrier.wait_heard(440, LIMIT).expect("the phone's tone");
    phone.wait_heard(620);
    carrier.hang_up().expect("it hangs up");
    phone.wait("CALL_CLOSED", 1);
    carrier.wait_idle(LIMIT).expect("our BYE is answered");

    assert!(shown["peeruri"].as_str().is_some_and(|uri| uri.contains("0912345678")), "{shown}");
    let record = office.only_record();
    assert_eq!((&record["status"], &record["ended_by"]), (&"answered".into(), &"customer".into()));
    office.recording(&record).holds(620, 440);
    office.wait_clean();
}

#[test]
fn while_it_holds_the_other_hears_music_and_then_both_hear_each_other_again() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let mut phone = Baresip::start("101", office.sip(), "udp", 440);
    office.wait_registered("101");
    phone.order("dial", TALKER);
    phone.wait("CALL_ESTABLISHED", 1);
    carrier.wait_heard(440, LIMIT).expect("the phone's tone");
    phone.wait_heard(620);

    phone.order("hold", "");
    until("the call is held", || is_held(&office).then_some(()));
    let heard_then = phone.packets_heard();
    // The carrier goes on talking all the while.
    carrier.wait_music(LIMIT).expect("music");
    let heard_in_between = phone.packets_heard() - heard_then;
    phone.order("resume", "");
    until("the call is taken back", || (!is_held(&office)).then_some(()));
    carrier.wait_heard(440, LIMIT).expect("the phone's tone again");
    until("the phone hears again", || (phone.packets_heard() > heard_then + 25).then_some(()));
    carrier.hang_up().expect("it hangs up");
    phone.wait("CALL_CLOSED", 1);

    // What was on its way when the hold was ordered may still come.
    assert!(heard_in_between <= 2, "{heard_in_between} packets came during the hold");
    let recording = office.recording(&office.only_record());
    let (before, held, after) = recording.around_silence();
    before.holds(620, 440);
    after.holds(620, 440);
    assert!(held >= Duration::from_millis(250), "only {held:?} of silence in the recording");
    office.wait_clean();
}

#[test]
fn it_gives_the_other_side_to_a_colleague_and_both_hear_each_other() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let mut phone = Baresip::start("101", office.sip(), "udp", 440);
    let mut colleague = Baresip::start("102", office.sip(), "udp", 1_020);
    office.wait_registered("101");
    office.wait_registered("102");
    phone.order("dial", TALKER);
    phone.wait("CALL_ESTABLISHED", 1);
    carrier.wait_heard(440, LIMIT).expect("the phone's tone");

    phone.order("transfer", &format!("sip:102@{}", office.sip()));
    colleague.wait("CALL_INCOMING", 1);
    colleague.order("accept", "");
    carrier.wait_heard(1_020, LIMIT).expect("the colleague's tone");
    colleague.wait_heard(620);
    phone.wait("CALL_CLOSED", 1);
    carrier.hang_up().expect("it hangs up");
    colleague.wait("CALL_CLOSED", 1);

    let record = office.only_record();
    assert_eq!((&record["status"], &record["ended_by"]), (&"answered".into(), &"customer".into()));
    assert_eq!(record["extension"], "102", "{record}");
    office.wait_clean();
}

#[test]
fn it_takes_a_call_that_rings_elsewhere() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let phone = Baresip::start("101", office.sip(), "udp", 440);
    let mut colleague = Baresip::start("102", office.sip(), "tcp", 1_020);
    office.wait_registered("101");
    office.wait_registered("102");
    carrier.call(office.sip(), "02873088088", "0912345678").expect("a call");
    phone.wait("CALL_INCOMING", 1);

    colleague.order("dial", "*8101");
    carrier.wait_answered(LIMIT).expect("an answer");
    carrier.wait_heard(1_020, LIMIT).expect("the colleague's tone");
    colleague.wait_heard(620);
    phone.wait("CALL_CLOSED", 1);
    colleague.order("hangup", "");

    carrier.wait_for(ended_by_them, LIMIT).expect("the end");
    let record = office.only_record();
    assert_eq!((&record["status"], &record["ended_by"]), (&"answered".into(), &"agent".into()));
    assert_eq!(record["extension"], "102", "{record}");
    office.wait_clean();
}

fn ended_by_them(event: &Event) -> bool {
    matches!(event, Event::Ended { by: EndedBy::Them, .. })
}

fn is_held(office: &Office) -> bool {
    let calls = office.look().calls();
    let legs = calls.iter().flat_map(|call| call["legs"].as_array().expect("legs"));
    legs.filter(|leg| leg["state"] == "held").count() > 0
}
