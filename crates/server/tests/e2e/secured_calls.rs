//! baresip over TLS and with secured sound, insisting on it or not.

use std::net::SocketAddr;

use serde_json::Value;
use sip::Method;

use crate::support::baresip::Baresip;
use crate::support::office::Office;
use crate::support::people::{TALKER, carrier, extension, signed_in};
use crate::support::tools::LIMIT;

#[test]
fn it_calls_over_tls_with_sound_that_has_to_be_secured() {
    it_calls("tls", "srtp-mand");
}

#[test]
fn it_calls_over_tls_with_sound_that_may_be_secured() {
    it_calls("tls", "srtp");
}

#[test]
fn it_calls_over_udp_with_sound_that_has_to_be_secured() {
    it_calls("udp", "srtp-mand");
}

fn it_calls(transport: &str, secured: &str) {
    let carrier = carrier();
    let office = Office::start_with(carrier.address(), &["--sips", "127.0.0.1:0"]);
    let mut phone = Baresip::start_secured("101", entrance(&office, transport), transport, 440, secured);
    office.wait_registered("101");

    phone.order("dial", TALKER);
    phone.wait("CALL_ESTABLISHED", 1);
    carrier.wait_heard(440, LIMIT).expect("the phone's tone");
    phone.wait_heard(620);
    phone.order("hangup", "");
    carrier.wait_idle(LIMIT).expect("the end");

    assert_eq!(carrier.received_count(&Method::Bye), 1);
    office.recording(&is_whole(office.only_record())).holds(620, 440);
    office.wait_clean();
}

#[test]
fn a_phone_that_insists_on_secured_sound_is_called_over_tls() {
    is_called("srtp-mand");
}

#[test]
fn a_phone_over_tls_that_knows_nothing_of_secured_sound_is_called_all_the_same() {
    is_called("");
}

fn is_called(secured: &str) {
    let carrier = carrier();
    let office = Office::start_with(carrier.address(), &["--sips", "127.0.0.1:0"]);
    let entrance = entrance(&office, "tls");
    let mut phone = match secured {
        "" => Baresip::start("101", entrance, "tls", 440),
        secured => Baresip::start_secured("101", entrance, "tls", 440, secured),
    };
    office.wait_registered("101");

    carrier.call(office.sip(), "02873088088", "0912345678").expect("a call");
    phone.wait("CALL_INCOMING", 1);
    phone.order("accept", "");
    carrier.wait_answered(LIMIT).expect("an answer");
    carrier.wait_heard(440, LIMIT).expect("the phone's tone");
    phone.wait_heard(620);
    carrier.hang_up().expect("it hangs up");
    phone.wait("CALL_CLOSED", 1);
    carrier.wait_idle(LIMIT).expect("our BYE is answered");

    office.recording(&is_whole(office.only_record())).holds(620, 440);
    office.wait_clean();
}

#[test]
fn a_secured_phone_and_a_plain_one_hear_each_other() {
    let office = Office::start_with(carrier().address(), &["--sips", "127.0.0.1:0"]);
    let mut secured = Baresip::start_secured("101", entrance(&office, "tls"), "tls", 440, "srtp-mand");
    office.wait_registered("101");
    let answers = testkit::phones::Behaviour::answers(std::time::Duration::ZERO);
    let plain = signed_in(extension(office.sip(), "102", 520).behaves(answers));

    secured.order("dial", "102");
    secured.wait("CALL_ESTABLISHED", 1);
    plain.wait_heard(440, LIMIT).expect("the secured phone");
    secured.wait_heard(520);
    plain.hang_up().expect("it hangs up");
    secured.wait("CALL_CLOSED", 1);
    plain.wait_idle(LIMIT).expect("the end");

    office.recording(&is_whole(office.only_record())).holds(440, 520);
    office.wait_clean();
}

/// Where phones speak by this transport.
fn entrance(office: &Office, transport: &str) -> SocketAddr {
    if transport == "tls" { office.server.sips() } else { office.sip() }
}

/// A record whose legs have all lost nothing.
fn is_whole(record: Value) -> Value {
    for leg in record["legs"].as_array().expect("legs") {
        assert_eq!(leg["quality"]["lost"], 0, "{leg:#}");
    }
    record
}
