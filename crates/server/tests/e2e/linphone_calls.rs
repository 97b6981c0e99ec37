//! Linphone, as it comes from Debian, calls and is called, in each codec that it shares with others and in one that it
//! does not.

use sip::Method;
use testkit::phones::Event;

use crate::support::linphone::Linphone;
use crate::support::office::Office;
use crate::support::people::{TALKER, carrier};
use crate::support::tools::LIMIT;

#[test]
fn it_calls_in_a_law_and_hangs_up() {
    it_calls("PCMA");
}

#[test]
fn it_calls_in_opus_and_the_carrier_hears_it_in_a_law() {
    it_calls("opus");
}

fn it_calls(codec: &str) {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let mut phone = Linphone::start("101", office.sip(), 440, codec);
    let software = office.wait_registered("101");

    phone.order(&format!("call sip:{TALKER}@{}", office.sip()));
    phone.wait("connected");
    carrier.wait_heard(440, LIMIT).expect("the phone's tone");
    phone.wait_heard(620);
    phone.order("terminate");
    carrier.wait_idle(LIMIT).expect("the end");

    assert!(software.starts_with("Linphone"), "{software}");
    assert_eq!(carrier.received_count(&Method::Bye), 1);
    let record = office.only_record();
    assert_eq!((&record["status"], &record["ended_by"]), (&"answered".into(), &"agent".into()));
    office.recording(&record).holds(620, 440);
    office.wait_clean();
}

#[test]
fn it_is_called_and_the_carrier_hangs_up() {
    let carrier = carrier();
    let office = Office::start(carrier.address());
    let mut phone = Linphone::start("101", office.sip(), 440, "PCMU");
    office.wait_registered("101");

    carrier.call(office.sip(), "02873088088", "0912345678").expect("a call");
    phone.wait("0912345678");
    carrier.wait_for(|event| matches!(event, Event::Ringing { .. }), LIMIT).expect("it rings");
    phone.order("answer");
    carrier.wait_answered(LIMIT).expect("an answer");
    carrier.wait_heard(440, LIMIT).expect("the phone's tone");
    phone.wait_heard(620);
    carrier.hang_up().expect("it hangs up");
    phone.wait("ended");
    carrier.wait_idle(LIMIT).expect("our BYE is answered");

    let record = office.only_record();
    assert_eq!((&record["status"], &record["ended_by"]), (&"answered".into(), &"customer".into()));
    office.recording(&record).holds(620, 440);
    office.wait_clean();
}
