//! Messages that are lost, doubled or late.

use std::time::Duration;

use testkit::world::phone::Manner;
use testkit::world::{Fate, check};

#[test]
fn a_lost_invite_is_sent_again() {
    check(
        |world| {
            world.do_not_disturb("102");
            world.next_from("pbx", "INVITE", Fate::Lost);
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102 (lost)
        0.5s pbx -> 102  INVITE 102
        0.5s 102 -> pbx  486 Busy Here
        0.5s pbx -> 102  ACK
        0.5s pbx -> 101  486 Busy Here
        0.5s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn an_invite_that_comes_twice_is_one_call() {
    check(
        |world| {
            world.do_not_disturb("102");
            world.double_next("INVITE");
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102 (twice)
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s 102 -> pbx  486 Busy Here
        0.0s pbx -> 102  ACK
        0.0s pbx -> 101  486 Busy Here
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_lost_refusal_is_sent_again() {
    check(
        |world| {
            world.do_not_disturb("102");
            world.next_from("pbx", "486", Fate::Lost);
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  486 Busy Here
        0.0s pbx -> 102  ACK
        0.0s pbx -> 101  486 Busy Here (lost)
        0.5s pbx -> 101  486 Busy Here
        0.5s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_lost_ack_of_a_refusal_is_given_again() {
    check(
        |world| {
            world.do_not_disturb("102");
            world.next_from("pbx", "ACK", Fate::Lost);
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  486 Busy Here
        0.0s pbx -> 102  ACK (lost)
        0.0s pbx -> 101  486 Busy Here
        0.0s 101 -> pbx  ACK
        0.5s 102 -> pbx  486 Busy Here
        0.5s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_lost_answer_is_sent_again_until_it_is_acknowledged() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.next_from("pbx", "200 OK", Fate::Lost);
            world.calls("101", "102");
            world.run(3.0);
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
        1.0s pbx -> 101  200 OK (lost)
        1.5s pbx -> 101  200 OK
        1.5s 101 -> pbx  ACK
        3.0s 101 -> pbx  BYE
        3.0s pbx -> 101  200 OK to BYE
        3.0s pbx -> 102  BYE
        3.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_lost_ack_of_an_answer_is_given_again() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.next_from("pbx", "ACK", Fate::Lost);
            world.calls("101", "102");
            world.run(3.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK (lost)
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        1.5s 102 -> pbx  200 OK
        1.5s pbx -> 102  ACK
        3.0s 101 -> pbx  BYE
        3.0s pbx -> 101  200 OK to BYE
        3.0s pbx -> 102  BYE
        3.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn an_answer_that_nobody_acknowledges_ends_the_call() {
    check(
        |world| {
            world.phone("101").never_acks = true;
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
        1.0s pbx -> 101  200 OK
        1.5s pbx -> 101  200 OK
        2.5s pbx -> 101  200 OK
        4.5s pbx -> 101  200 OK
        8.5s pbx -> 101  200 OK
        12.5s pbx -> 101  200 OK
        16.5s pbx -> 101  200 OK
        20.5s pbx -> 101  200 OK
        24.5s pbx -> 101  200 OK
        28.5s pbx -> 101  200 OK
        32.5s pbx -> 101  200 OK
        33.0s pbx -> 101  BYE
        33.0s pbx -> 102  BYE: The phone or carrier did not respond at all
        33.0s 101 -> pbx  200 OK to BYE
        33.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_bye_before_the_caller_has_the_answer_waits_for_its_ack() {
    check(
        |world| {
            world.manner("102", Manner::answers(Duration::from_secs(1)).hanging_up(Duration::from_millis(200)));
            world.next_from("pbx", "200 OK", Fate::Lost);
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
        1.0s pbx -> 101  200 OK (lost)
        1.2s 102 -> pbx  BYE
        1.2s pbx -> 102  200 OK to BYE
        1.5s pbx -> 101  200 OK
        1.5s 101 -> pbx  ACK
        1.5s pbx -> 101  BYE
        1.5s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_lost_bye_is_sent_again() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.next_from("pbx", "BYE", Fate::Lost);
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
        2.0s 101 -> pbx  BYE
        2.0s pbx -> 101  200 OK to BYE
        2.0s pbx -> 102  BYE (lost)
        2.5s pbx -> 102  BYE
        2.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_lost_answer_to_a_bye_is_given_again_and_ends_nothing_twice() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.show_events();
            world.next_from("pbx", "200 OK to BYE", Fate::Lost);
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
        2.0s 101 -> pbx  BYE
        2.0s pbx -> 101  200 OK to BYE (lost)
        2.0s pbx -> 102  BYE
        2.0s 102 -> pbx  200 OK to BYE
        2.0s * leg.ended 101 hung_up 200 by customer
        2.0s * leg.ended 102 hung_up 200 by switchboard
        2.0s * call.ended hung_up 200 by customer
        2.5s 101 -> pbx  BYE
        2.5s pbx -> 101  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_vanishes_in_a_call_gets_its_bye_until_it_is_given_up() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.unplug("102");
            world.hangs_up("101");
            world.run(20.0);
            world.plug_in("102");
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
        2.0s 101 -> pbx  BYE
        2.0s pbx -> 101  200 OK to BYE
        2.0s pbx -> 102  BYE (lost)
        2.5s pbx -> 102  BYE (lost)
        3.5s pbx -> 102  BYE (lost)
        5.5s pbx -> 102  BYE (lost)
        9.5s pbx -> 102  BYE (lost)
        13.5s pbx -> 102  BYE (lost)
        17.5s pbx -> 102  BYE (lost)
        21.5s pbx -> 102  BYE (lost)
        25.5s pbx -> 102  BYE
        25.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_says_nothing_is_called_until_its_time_is_over() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("102").unwrap().ring_seconds = 60);
            world.is_silent("102");
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.5s pbx -> 102  INVITE 102
        1.5s pbx -> 102  INVITE 102
        3.5s pbx -> 102  INVITE 102
        7.5s pbx -> 102  INVITE 102
        15.5s pbx -> 102  INVITE 102
        31.5s pbx -> 102  INVITE 102
        32.0s pbx -> 101  408 Request Timeout
        32.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    check(
        |world| {
            world.calls("101", "102");
            world.run(2.0);
            world.next_from("102", "200 OK", Fate::Late(Duration::from_millis(300)));
            world.answers("102");
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.0s 102 -> pbx  200 OK (late by 0.3s)
        2.0s 101 -> pbx  CANCEL
        2.0s pbx -> 101  200 OK to CANCEL
        2.0s pbx -> 101  487 Request Terminated
        2.0s pbx -> 102  CANCEL
        2.0s 101 -> pbx  ACK
        2.0s 102 -> pbx  200 OK to CANCEL
        2.3s pbx -> 102  ACK
        2.3s pbx -> 102  BYE
        2.3s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_cancel_that_comes_after_the_answer_changes_nothing() {
    check(
        |world| {
            world.calls("101", "102");
            world.run(2.0);
            world.next_from("101", "CANCEL", Fate::Late(Duration::from_millis(300)));
            world.hangs_up("101");
            world.answers("102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.0s 101 -> pbx  CANCEL (late by 0.3s)
        2.0s 102 -> pbx  200 OK
        2.0s pbx -> 102  ACK
        2.0s pbx -> 101  200 OK
        2.0s 101 -> pbx  ACK
        2.0s 101 -> pbx  BYE
        2.0s pbx -> 101  200 OK to BYE
        2.0s pbx -> 102  BYE
        2.0s 102 -> pbx  200 OK to BYE
        2.3s pbx -> 101  200 OK to CANCEL
        ",
    );
}

#[test]
fn ringing_that_comes_after_the_answer_changes_nothing() {
    check(
        |world| {
            world.next_from("102", "180", Fate::Late(Duration::from_secs(2)));
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(4.0);
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing (late by 2.0s)
        0.5s pbx -> 102  INVITE 102
        0.5s 102 -> pbx  180 Ringing
        0.5s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        4.0s 102 -> pbx  BYE
        4.0s pbx -> 102  200 OK to BYE
        4.0s pbx -> 101  BYE
        4.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn both_sides_hang_up_at_once() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.show_events();
            world.hangs_up("101");
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
        2.0s 101 -> pbx  BYE
        2.0s 102 -> pbx  BYE
        2.0s pbx -> 101  200 OK to BYE
        2.0s pbx -> 102  BYE
        2.0s pbx -> 102  200 OK to BYE
        2.0s 102 -> pbx  200 OK to BYE
        2.0s * leg.ended 101 hung_up 200 by customer
        2.0s * leg.ended 102 hung_up 200 by switchboard
        2.0s * call.ended hung_up 200 by customer
        ",
    );
}

#[test]
fn a_lost_cancel_is_sent_again() {
    check(
        |world| {
            world.calls("101", "102");
            world.run(1.0);
            world.next_from("pbx", "CANCEL", Fate::Lost);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 101 -> pbx  CANCEL
        1.0s pbx -> 101  200 OK to CANCEL
        1.0s pbx -> 101  487 Request Terminated
        1.0s pbx -> 102  CANCEL (lost)
        1.0s 101 -> pbx  ACK
        1.5s pbx -> 102  CANCEL
        1.5s 102 -> pbx  200 OK to CANCEL
        1.5s 102 -> pbx  487 Request Terminated
        1.5s pbx -> 102  ACK
        ",
    );
}
