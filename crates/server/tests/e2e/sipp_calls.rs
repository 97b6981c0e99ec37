//! SIPp registers, calls and is called, as phone and as carrier.

use std::net::SocketAddr;

use serde_json::Value;

use crate::support::office::Office;
use crate::support::sipp::{Scenario, Sipp};
use crate::support::sound::{Ear, a_law_file};
use crate::support::tools::free_udp_address;

/// How long a caller talks, in milliseconds.
const TALK: u32 = 2_000;

#[test]
fn an_extension_calls_an_extension() {
    let office = Office::start(free_udp_address());
    let callee_at = free_udp_address();
    register(&office, "102", callee_at);
    let (mut caller_ear, mut callee_ear) = (Ear::with_tone(400), Ear::with_tone(850));
    let callee = Scenario::of("102", callee_ear.port).waits_for_call().rings().answers().hears_bye();
    let caller = Scenario::of("101", caller_ear.port).calls("102").hears_answer().hangs_up_after(TALK);

    let mut callee = Sipp::start_at(callee_at, office.sip(), callee, &[]);
    let mut caller = Sipp::start(office.sip(), caller);
    both_hear(&mut caller_ear, &caller, 850, &mut callee_ear, &callee, 400);
    caller.ends_well();
    callee.ends_well();

    let record = office.only_record();
    assert_eq!(summary(&record), "local 101 102 answered hung_up customer");
    office.recording(&record).holds(400, 850);
    office.wait_clean();
}

#[test]
fn an_extension_calls_a_number_whose_owner_hangs_up() {
    let carrier_at = free_udp_address();
    let office = Office::start(carrier_at);
    let (mut phone_ear, mut carrier_ear) = (Ear::with_tone(400), Ear::with_tone(850));
    let carrier =
        Scenario::of("carrier", carrier_ear.port).waits_for_call().rings().answers().answered_and_hangs_up_after(TALK);
    let phone = Scenario::of("101", phone_ear.port).calls("0912345678").hears_answer().hears_bye();

    let mut carrier = Sipp::start_at(carrier_at, office.sip(), carrier, &[]);
    let mut phone = Sipp::start(office.sip(), phone);
    both_hear(&mut phone_ear, &phone, 850, &mut carrier_ear, &carrier, 400);
    carrier.ends_well();
    phone.ends_well();

    let record = office.only_record();
    assert_eq!(summary(&record), "outbound 101 +84912345678 answered hung_up customer");
    office.recording(&record).holds(850, 400);
    office.wait_clean();
}

#[test]
fn an_extension_calls_over_tcp_and_hangs_up_on_a_number() {
    let carrier_at = free_udp_address();
    let office = Office::start(carrier_at);
    let (mut phone_ear, mut carrier_ear) = (Ear::with_tone(400), Ear::with_tone(850));
    let carrier = Scenario::of("carrier", carrier_ear.port).waits_for_call().rings().answers().hears_bye();
    let phone = Scenario::of("101", phone_ear.port).calls("0912345678").hears_answer().hangs_up_after(TALK);

    let mut carrier = Sipp::start_at(carrier_at, office.sip(), carrier, &[]);
    let mut phone = Sipp::start_over_tcp(office.sip(), phone);
    both_hear(&mut phone_ear, &phone, 850, &mut carrier_ear, &carrier, 400);
    phone.ends_well();
    carrier.ends_well();

    let record = office.only_record();
    assert_eq!(summary(&record), "outbound 101 +84912345678 answered hung_up agent");
    office.recording(&record).holds(850, 400);
    office.wait_clean();
}

#[test]
fn a_call_from_the_carrier_reaches_the_extension_of_its_number() {
    let (carrier_at, phone_at) = (free_udp_address(), free_udp_address());
    let office = Office::start(carrier_at);
    register(&office, "101", phone_at);
    let (mut phone_ear, mut carrier_ear) = (Ear::with_tone(400), Ear::with_tone(850));
    let phone =
        Scenario::of("101", phone_ear.port).waits_for_call().rings().answers().answered_and_hangs_up_after(TALK);
    let carrier =
        Scenario::of("0912345678", carrier_ear.port).calls_as_carrier("02873088088").hears_answer().hears_bye();

    let mut phone = Sipp::start_at(phone_at, office.sip(), phone, &[]);
    let mut carrier = Sipp::start_at(carrier_at, office.sip(), carrier, &[]);
    both_hear(&mut phone_ear, &phone, 850, &mut carrier_ear, &carrier, 400);
    phone.ends_well();
    carrier.ends_well();

    let record = office.only_record();
    assert_eq!(summary(&record), "inbound +84912345678 101 answered hung_up agent");
    office.recording(&record).holds(850, 400);
    office.wait_clean();
}

#[test]
fn what_sipp_plays_comes_back_from_a_sipp_that_echoes() {
    let carrier_at = free_udp_address();
    let office = Office::start(carrier_at);
    let folder = tempfile::tempdir().expect("a folder");
    let sound = a_law_file(folder.path(), 700);
    let echo = free_udp_address().port();
    let carrier = Scenario::of("carrier", echo).waits_for_call().answers().hears_bye();
    let phone =
        Scenario::of("101", 0).with_own_sound().calls("0912345678").hears_answer().plays(&sound).hangs_up_after(TALK);

    let mut carrier = Sipp::start_at(carrier_at, office.sip(), carrier, &["-rtp_echo", "-mp", &echo.to_string()]);
    let mut phone = Sipp::start(office.sip(), phone);
    phone.ends_well();
    carrier.ends_well();

    let record = office.only_record();
    office.recording(&record).echoes(700);
    office.wait_clean();
}

#[test]
fn a_busy_number_is_busy_for_the_caller() {
    let carrier_at = free_udp_address();
    let office = Office::start(carrier_at);

    let mut carrier =
        Sipp::start_at(carrier_at, office.sip(), Scenario::of("carrier", 9).waits_for_call().refuses(486), &[]);
    let mut phone = Sipp::start(office.sip(), Scenario::of("101", 9).calls("0912345678").hears_refusal(486));
    carrier.ends_well();
    phone.ends_well();

    assert_eq!(summary(&office.only_record()), "outbound 101 +84912345678 busy busy customer");
    office.wait_clean();
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing() {
    let carrier_at = free_udp_address();
    let office = Office::start(carrier_at);

    let mut carrier = Sipp::start_at(
        carrier_at,
        office.sip(),
        Scenario::of("carrier", 9).waits_for_call().rings().hears_cancel(),
        &[],
    );
    let mut phone = Sipp::start(office.sip(), Scenario::of("101", 9).calls("0912345678").cancels());
    carrier.ends_well();
    phone.ends_well();

    assert_eq!(summary(&office.only_record()), "outbound 101 +84912345678 no_answer cancelled agent");
    office.wait_clean();
}

#[test]
fn a_wrong_password_is_challenged_again_and_nobody_is_signed_in() {
    let office = Office::start(free_udp_address());

    let wrong = Scenario::of("101", 9).password("pw-wrong").registers(401);
    Sipp::start(office.sip(), wrong).ends_well();

    assert!(office.look().events().is_empty());
}

/// SIPp signs in from an address, where it is called later.
fn register(office: &Office, extension: &str, from: SocketAddr) {
    Sipp::start_at(from, office.sip(), Scenario::of(extension, 9).registers(200), &[]).ends_well();
    office.wait_registered(extension);
}

/// Both sides say their tone where their SDP was answered, and hear the other's.
fn both_hear(one: &mut Ear, one_sipp: &Sipp, one_hears: u16, other: &mut Ear, other_sipp: &Sipp, other_hears: u16) {
    one.speak_to(one_sipp.sound_of_other_side());
    other.speak_to(other_sipp.sound_of_other_side());
    one.wait_heard(one_hears);
    other.wait_heard(other_hears);
}

/// A record in a line.
fn summary(record: &Value) -> String {
    let words = ["direction", "from", "to", "status", "reason", "ended_by"];
    words.map(|word| record[word].as_str().unwrap_or("nothing").to_owned()).join(" ")
}
