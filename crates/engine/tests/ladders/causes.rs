//! Why calls end, as parties say it: causes of Q.850 pass between legs and stand in the record, and each end has its own.

use sip::Method;
use testkit::world::phone::{Manner, Words};
use testkit::world::{World, check};

#[test]
fn the_cause_of_a_bye_reaches_the_other_side_and_the_record() {
    check(
        |world| {
            world.answers_after("carrier", 1.0);
            world.calls("101", "0900000001");
            world.run(2.0);
            world.begin();
            world.show_events();
            world.requests("carrier", Method::Bye, Words::default().with(&[("Reason", "Q.850;cause=31")]));
        },
        "
        0.0s carrier -> pbx  BYE (cause 31)
        0.0s pbx -> carrier  200 OK to BYE
        0.0s pbx -> 101  BYE (cause 31)
        0.0s 101 -> pbx  200 OK to BYE
        0.0s * leg.ended +84900000001 hung_up 200 cause 31 by customer
        0.0s * leg.ended 101 hung_up 200 cause 31 by switchboard
        0.0s * call.ended hung_up 200 cause 31 by customer
        ",
    );
}

#[test]
fn the_cause_of_a_refusal_reaches_the_caller_and_the_record() {
    check(
        |world| {
            world.manner("carrier", Manner::silent());
            world.calls("101", "0900000001");
            world.run(0.5);
            world.begin();
            world.show_events();
            let reason = Words::default().with(&[("Reason", "Q.850 ;cause=1 ;text=\"Unallocated number\"")]);
            world.responds("carrier", 404, reason);
        },
        "
        0.0s carrier -> pbx  404 Not Found (cause 1)
        0.0s pbx -> carrier  ACK
        0.0s pbx -> 101  404 Not Found (cause 1)
        0.0s 101 -> pbx  ACK
        0.0s * leg.ended +84900000001 no_such_number 404 cause 1 by customer
        0.0s * leg.ended 101 no_such_number 404 cause 1 by switchboard
        0.0s * call.ended no_such_number 404 cause 1 by customer
        ",
    );
}

#[test]
fn a_call_that_was_taken_elsewhere_before_it_came_to_us_is_so_for_our_phones_too() {
    fn taken_elsewhere(message: &sip::Message) -> bytes::Bytes {
        let reason = "Max-Forwards: 70\r\nReason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n";
        match message {
            sip::Message::Request(request) if request.method == Method::Cancel => {
                String::from_utf8_lossy(&message.print()).replace("Max-Forwards: 70\r\n", reason).into()
            }
            _ => message.print(),
        }
    }
    check(
        |world| {
            world.dresses("carrier", taken_elsewhere);
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.begin();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  CANCEL: Call completed elsewhere
        0.0s pbx -> carrier  200 OK to CANCEL
        0.0s pbx -> carrier  487 Request Terminated
        0.0s pbx -> 101  CANCEL: Call completed elsewhere
        0.0s carrier -> pbx  ACK
        0.0s 101 -> pbx  200 OK to CANCEL
        0.0s 101 -> pbx  487 Request Terminated
        0.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn what_a_phone_does_not_know_is_not_said_to_be_missing_in_the_world() {
    check(
        |world| {
            world.manner("102", Manner::refuses(404));
            world.show_events();
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  404 Not Found
        0.0s pbx -> 102  ACK
        0.0s pbx -> 101  404 Not Found
        0.0s 101 -> pbx  ACK
        0.0s * call.started local by phone, 101 to 102
        0.0s * leg.started 101 as customer who calls
        0.0s * leg.started 102 as agent
        0.0s * leg.ended 102 failed 404 by agent
        0.0s * leg.ended 101 failed 404 by switchboard
        0.0s * call.ended failed 404 by agent
        ",
    );
}

#[test]
fn a_phone_that_can_take_no_more_does_not_say_so_of_us() {
    check(
        |world| {
            world.manner("102", Manner::refuses(503));
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  503 Service Unavailable
        0.0s pbx -> 102  ACK
        0.0s pbx -> 101  500 Server Internal Error
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_leg_that_should_send_and_is_silent_ends_the_call() {
    check(
        |world| {
            world.settings(|settings| settings.limits.silence_seconds = 20);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.begin();
            world.show_events();
            world.run(30.0);
        },
        "
        19.0s pbx -> 101  BYE: No sound came from one side for too long
        19.0s pbx -> 102  BYE: No sound came from one side for too long
        19.0s 101 -> pbx  200 OK to BYE
        19.0s 102 -> pbx  200 OK to BYE
        19.0s * leg.ended 101 silent 200 by switchboard
        19.0s * leg.ended 102 silent 200 by switchboard
        19.0s * call.ended silent 200 by switchboard
        ",
    );
}

#[test]
fn nobody_on_hold_is_ended_for_being_silent() {
    let mut world = World::new(1);
    world.settings(|settings| settings.limits.silence_seconds = 20);
    world.answers_after("102", 1.0);
    world.calls("101", "102");
    world.run(2.0);
    world.reoffers("101", sip::sdp::Direction::Inactive);
    world.reoffers("102", sip::sdp::Direction::Inactive);

    world.run(300.0);

    assert_eq!(world.load().calls, 1);
    world.hangs_up("101");
    world.settle();
    world.end();
}

#[test]
fn a_peer_that_is_to_refresh_the_session_and_does_not_is_given_up() {
    check(
        |world| {
            answered_with_a_session(world, "90;refresher=uas");
            world.unplug("102");
            world.run(120.0);
            world.plug_in("102");
            world.hangs_up("102");
        },
        "
        59.5s pbx -> 102  BYE: Session expired (lost)
        59.5s pbx -> 101  BYE: The phone or carrier did not respond at all
        59.5s 101 -> pbx  200 OK to BYE
        59.5s * leg.ended 102 unreachable 408 by switchboard
        59.5s * leg.ended 101 unreachable 200 by switchboard
        59.5s * call.ended unreachable 408 by switchboard
        60.0s pbx -> 102  BYE: Session expired (lost)
        61.0s pbx -> 102  BYE: Session expired (lost)
        63.0s pbx -> 102  BYE: Session expired (lost)
        67.0s pbx -> 102  BYE: Session expired (lost)
        71.0s pbx -> 102  BYE: Session expired (lost)
        75.0s pbx -> 102  BYE: Session expired (lost)
        79.0s pbx -> 102  BYE: Session expired (lost)
        83.0s pbx -> 102  BYE: Session expired (lost)
        87.0s pbx -> 102  BYE: Session expired (lost)
        91.0s pbx -> 102  BYE: Session expired (lost)
        120.0s 102 -> pbx  BYE
        120.0s pbx -> 102  481 Call/Transaction Does Not Exist to BYE
        ",
    );
}

#[test]
fn a_session_is_refreshed_with_our_description_as_it_stands() {
    check(
        |world| {
            answered_with_a_session(world, "90;refresher=uac");
            let before = world.last_description("102");
            world.run(50.0);
            assert_eq!(world.last_description("102"), before);
            world.listen();
            world.hangs_up("101");
        },
        "
        44.5s pbx -> 102  re-INVITE
        44.5s 102 -> pbx  200 OK
        44.5s pbx -> 102  ACK
        50.0s ~ 101 hears 102, 102 hears 101
        50.5s 101 -> pbx  BYE
        50.5s pbx -> 101  200 OK to BYE
        50.5s pbx -> 102  BYE
        50.5s 102 -> pbx  200 OK to BYE
        50.5s * leg.ended 101 hung_up 200 by customer
        50.5s * leg.ended 102 hung_up 200 by switchboard
        50.5s * call.ended hung_up 200 by customer
        50.5s * sound.measured 101 102
        ",
    );
}

/// 102 answers 101 with these words of a session (RFC 4028); the ladder begins there.
fn answered_with_a_session(world: &mut World, session: &str) {
    world.calls("101", "102");
    world.run(0.5);
    let words = Words::sound("m=audio {port} RTP/AVP 8\na=rtpmap:8 PCMA/8000");
    world.responds("102", 200, words.with(&[("Session-Expires", session), ("Require", "timer")]));
    world.run(0.5);
    world.begin();
    world.show_events();
}

#[test]
fn a_key_told_in_an_info_is_told_in_an_info_to_a_party_that_knows_nothing_else() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls_offering("101", "102", "m=audio {port} RTP/AVP 8");
            world.run(2.0);
            world.presses("101", '7');
            world.run(0.5);
            world.begin();
            world.presses("102", '5');
            world.run(0.5);
            world.hangs_up("101");
        },
        "
        0.0s 102 -> pbx  INFO
        0.0s pbx -> 102  200 OK to INFO
        0.0s pbx -> 101  INFO
        0.0s 101 -> pbx  200 OK to INFO
        0.5s 101 -> pbx  BYE
        0.5s pbx -> 101  200 OK to BYE
        0.5s pbx -> 102  BYE
        0.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn an_agent_whose_sound_never_comes_is_not_rung_for() {
    check(
        |world| {
            world.settings(|settings| settings.limits.silence_seconds = 20);
            world.answers_after("101", 1.0);
            world.manner("carrier", Manner::default());
            world.clicks("101", "0900000001");
            world.run(2.0);
            world.begin();
            world.show_events();
            world.run(30.0);
        },
        "
        19.0s pbx -> 101  BYE: No sound came from one side for too long
        19.0s pbx -> carrier  CANCEL: No sound came from one side for too long
        19.0s 101 -> pbx  200 OK to BYE
        19.0s carrier -> pbx  200 OK to CANCEL
        19.0s carrier -> pbx  487 Request Terminated
        19.0s pbx -> carrier  ACK
        19.0s * leg.ended 101 silent 200 by switchboard
        19.0s * leg.ended +84900000001 silent 408 by switchboard
        19.0s * call.ended silent 408 by switchboard
        19.0s * sound.measured 101
        ",
    );
}
