//! Who hears whom: codecs, early sound, hold and resume, keys, recordings.

use sip::Method;
use sip::sdp::Direction;
use testkit::world::check;
use testkit::world::phone::Manner;

#[test]
fn sound_before_the_answer_reaches_the_caller() {
    check(
        |world| {
            world.manner("102", Manner::default().with_early_sound());
            world.calls("101", "102");
            world.run(1.0);
            world.listen();
            world.answers("102");
            world.run(1.0);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  183 Session Progress
        0.0s pbx -> 101  183 Session Progress
        1.0s ~ 101 hears 102, 102 hears 101
        1.5s 102 -> pbx  200 OK
        1.5s pbx -> 102  ACK
        1.5s pbx -> 101  200 OK
        1.5s 101 -> pbx  ACK
        2.5s ~ 101 hears 102, 102 hears 101
        3.0s 102 -> pbx  BYE
        3.0s pbx -> 102  200 OK to BYE
        3.0s pbx -> 101  BYE
        3.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_held_party_is_not_heard_until_it_is_taken_back() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.holds("101");
            world.run(1.0);
            world.listen();
            world.resumes("101");
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s 101 -> pbx  re-INVITE sendonly
        2.0s pbx -> 101  100 Trying
        2.0s pbx -> 101  200 OK recvonly
        2.0s 101 -> pbx  ACK
        3.0s ~ 102 hears music
        3.5s 101 -> pbx  re-INVITE
        3.5s pbx -> 101  100 Trying
        3.5s pbx -> 101  200 OK
        3.5s 101 -> pbx  ACK
        4.5s ~ 101 hears 102, 102 hears 101
        5.0s 101 -> pbx  BYE
        5.0s pbx -> 101  200 OK to BYE
        5.0s pbx -> 102  BYE
        5.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn both_sides_may_hold_at_once() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.show_events();
            world.holds("101");
            world.holds("102");
            world.run(1.0);
            world.resumes("101");
            world.run(1.0);
            world.listen();
            world.resumes("102");
            world.run(1.0);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s 101 -> pbx  re-INVITE sendonly
        2.0s 102 -> pbx  re-INVITE sendonly
        2.0s pbx -> 101  100 Trying
        2.0s pbx -> 101  200 OK recvonly
        2.0s pbx -> 102  100 Trying
        2.0s pbx -> 102  200 OK recvonly
        2.0s 101 -> pbx  ACK
        2.0s 102 -> pbx  ACK
        2.0s * leg.held 101
        2.0s * leg.held 102
        3.0s 101 -> pbx  re-INVITE
        3.0s pbx -> 101  100 Trying
        3.0s pbx -> 101  200 OK
        3.0s 101 -> pbx  ACK
        3.0s * leg.resumed 101
        4.0s ~ 101 hears music
        4.5s 102 -> pbx  re-INVITE
        4.5s pbx -> 102  100 Trying
        4.5s pbx -> 102  200 OK
        4.5s 102 -> pbx  ACK
        4.5s * leg.resumed 102
        5.5s ~ 101 hears 102, 102 hears 101
        6.0s 102 -> pbx  BYE
        6.0s pbx -> 102  200 OK to BYE
        6.0s pbx -> 101  BYE
        6.0s 101 -> pbx  200 OK to BYE
        6.0s * leg.ended 102 hung_up 200 by agent
        6.0s * leg.ended 101 hung_up 200 by switchboard
        6.0s * call.ended hung_up 200 by agent
        6.0s * sound.measured 101 102
        ",
    );
}

#[test]
fn hold_may_be_asked_for_as_inactive() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.show_events();
            world.reoffers("102", Direction::Inactive);
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s 102 -> pbx  re-INVITE inactive
        2.0s pbx -> 102  100 Trying
        2.0s pbx -> 102  200 OK inactive
        2.0s 102 -> pbx  ACK
        2.0s * leg.held 102
        3.0s ~ 101 hears music
        3.5s 101 -> pbx  BYE
        3.5s pbx -> 101  200 OK to BYE
        3.5s pbx -> 102  BYE
        3.5s 102 -> pbx  200 OK to BYE
        3.5s * leg.ended 101 hung_up 200 by customer
        3.5s * leg.ended 102 hung_up 200 by switchboard
        3.5s * call.ended hung_up 200 by customer
        3.5s * sound.measured 101
        ",
    );
}

#[test]
fn a_second_change_before_the_first_is_acknowledged_is_carried_out_too() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.lose_next("200");
            world.holds("101");
            world.resumes("101");
            world.run(2.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s 101 -> pbx  re-INVITE sendonly
        2.0s 101 -> pbx  re-INVITE
        2.0s pbx -> 101  100 Trying
        2.0s pbx -> 101  200 OK recvonly (lost)
        2.0s pbx -> 101  100 Trying
        2.0s pbx -> 101  200 OK
        2.0s 101 -> pbx  ACK
        2.5s pbx -> 101  200 OK recvonly
        2.5s 101 -> pbx  ACK
        4.0s 101 -> pbx  BYE
        4.0s pbx -> 101  200 OK to BYE
        4.0s pbx -> 102  BYE
        4.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn two_phones_without_a_common_codec_still_hear_each_other() {
    check(
        |world| {
            world.speaks_only("101", &[(8, "PCMA")]);
            world.speaks_only("102", &[(0, "PCMU")]);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 101 -> pbx  BYE
        2.5s pbx -> 101  200 OK to BYE
        2.5s pbx -> 102  BYE
        2.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_caller_with_no_codec_of_ours_is_refused() {
    check(
        |world| {
            world.speaks_only("101", &[(18, "G729")]);
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  488 Not Acceptable Here
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn an_answer_with_no_codec_of_ours_ends_the_call() {
    check(
        |world| {
            world.speaks_only("102", &[(18, "G729")]);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 102  BYE: The two sides have no way of sound in common
        1.0s pbx -> 101  488 Not Acceptable Here
        1.0s 102 -> pbx  200 OK to BYE
        1.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_caller_without_an_offer_gets_ours_with_the_answer() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls_without_offer("101", "102");
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 101 -> pbx  BYE
        2.5s pbx -> 101  200 OK to BYE
        2.5s pbx -> 102  BYE
        2.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_key_in_an_info_is_told() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.show_events();
            world.presses("102", '5');
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s 102 -> pbx  INFO
        2.0s pbx -> 102  200 OK to INFO
        2.0s * leg.key 102 5
        3.0s 101 -> pbx  BYE
        3.0s pbx -> 101  200 OK to BYE
        3.0s pbx -> 102  BYE
        3.0s 102 -> pbx  200 OK to BYE
        3.0s * leg.ended 101 hung_up 200 by customer
        3.0s * leg.ended 102 hung_up 200 by switchboard
        3.0s * call.ended hung_up 200 by customer
        3.0s * sound.measured 101
        ",
    );
}

#[test]
fn requests_within_a_call_get_the_answer_that_each_deserves() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.asks_within("101", Method::Options);
            world.asks_within("101", Method::Update);
            world.asks_within("101", Method::Refer);
            world.asks_within("101", Method::Other("SCREAM".into()));
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s 101 -> pbx  OPTIONS 102
        2.0s 101 -> pbx  UPDATE
        2.0s 101 -> pbx  REFER
        2.0s 101 -> pbx  SCREAM
        2.0s pbx -> 101  200 OK to OPTIONS
        2.0s pbx -> 101  200 OK to UPDATE
        2.0s pbx -> 101  400 Bad Request to REFER
        2.0s pbx -> 101  501 Not Implemented to SCREAM
        3.0s 101 -> pbx  BYE
        3.0s pbx -> 101  200 OK to BYE
        3.0s pbx -> 102  BYE
        3.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_recording_has_the_customer_left_and_the_agent_right() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("102").unwrap().record = true);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
            world.run(1.0);
            assert_eq!(world.on_the_recording(), (vec!["101".to_owned()], vec!["102".to_owned()]));
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 101 -> pbx  BYE
        2.5s pbx -> 101  200 OK to BYE
        2.5s pbx -> 102  BYE
        2.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_recording_that_cannot_be_written_fails_and_the_call_goes_on() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("102").unwrap().record = true);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.show_events();
            world.recordings_fail();
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s * recording.failed
        3.0s ~ 101 hears 102, 102 hears 101
        3.5s 101 -> pbx  BYE
        3.5s pbx -> 101  200 OK to BYE
        3.5s pbx -> 102  BYE
        3.5s 102 -> pbx  200 OK to BYE
        3.5s * leg.ended 101 hung_up 200 by customer
        3.5s * leg.ended 102 hung_up 200 by switchboard
        3.5s * call.ended hung_up 200 by customer
        3.5s * sound.measured 101 102
        ",
    );
}

#[test]
fn a_call_whose_sound_fails_is_ended() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.show_events();
            world.sound_fails();
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s pbx -> 101  BYE: The server has no free address for sound
        2.0s pbx -> 102  BYE: The server has no free address for sound
        2.0s 101 -> pbx  200 OK to BYE
        2.0s 102 -> pbx  200 OK to BYE
        2.0s * leg.ended 101 no_sound_address 200 by switchboard
        2.0s * leg.ended 102 no_sound_address 200 by switchboard
        2.0s * call.ended no_sound_address 200 by switchboard
        ",
    );
}
