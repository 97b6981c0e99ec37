//! Members who ring one after the other: in their order, or whoever was rung longest ago first.

use std::time::Duration;

use model::Strategy;
use testkit::world::phone::Manner;
use testkit::world::{Fate, check};

use super::group;

#[test]
fn in_order_each_member_rings_for_a_while_until_nobody_is_left() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["103", "102"]);
            world.calls("101", "600");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 103  INVITE 103
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        30.0s pbx -> 103  CANCEL: It rang and nobody picked up
        30.0s pbx -> 102  INVITE 102
        30.0s 103 -> pbx  200 OK to CANCEL
        30.0s 103 -> pbx  487 Request Terminated
        30.0s 102 -> pbx  180 Ringing
        30.0s pbx -> 103  ACK
        60.0s pbx -> 101  180 Ringing
        60.0s pbx -> 102  CANCEL: It rang and nobody picked up
        60.0s pbx -> 101  480 Temporarily Unavailable
        60.0s 102 -> pbx  200 OK to CANCEL
        60.0s 102 -> pbx  487 Request Terminated
        60.0s 101 -> pbx  ACK
        60.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn in_order_whoever_is_busy_or_refuses_is_passed_over_at_once() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.do_not_disturb("102");
            world.calls("101", "600");
            world.run(2.0);
            world.answers("103");
            world.run(1.0);
            world.listen();
            world.hangs_up("103");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  486 Busy Here
        0.0s pbx -> 102  ACK
        0.0s pbx -> 103  INVITE 103
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.0s 103 -> pbx  200 OK
        2.0s pbx -> 103  ACK
        2.0s pbx -> 101  200 OK
        2.0s 101 -> pbx  ACK
        3.0s ~ 101 hears 103, 103 hears 101
        3.5s 103 -> pbx  BYE
        3.5s pbx -> 103  200 OK to BYE
        3.5s pbx -> 101  BYE
        3.5s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn in_order_a_phone_that_says_nothing_takes_its_time_and_no_more() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.settings(|settings| settings.groups.get_mut("600").unwrap().ring_seconds = 3);
            world.is_silent("102");
            world.answers_after("103", 1.0);
            world.calls("101", "600");
            world.run(6.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.5s pbx -> 102  INVITE 102
        1.5s pbx -> 102  INVITE 102
        3.0s pbx -> 103  INVITE 103
        3.0s 103 -> pbx  180 Ringing
        3.0s pbx -> 101  180 Ringing
        3.5s pbx -> 102  INVITE 102
        4.0s 103 -> pbx  200 OK
        4.0s pbx -> 103  ACK
        4.0s pbx -> 101  200 OK
        4.0s 101 -> pbx  ACK
        6.0s 101 -> pbx  BYE
        6.0s pbx -> 101  200 OK to BYE
        6.0s pbx -> 103  BYE
        6.0s 103 -> pbx  200 OK to BYE
        7.5s pbx -> 102  INVITE 102
        15.5s pbx -> 102  INVITE 102
        31.5s pbx -> 102  INVITE 102
        ",
    );
}

#[test]
fn a_member_who_is_given_up_may_answer_too_late() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.settings(|settings| settings.groups.get_mut("600").unwrap().ring_seconds = 3);
            world.calls("101", "600");
            world.run(2.9);
            world.next_from("102", "200", Fate::Late(Duration::from_millis(300)));
            world.answers("102");
            world.run(1.0);
            world.answers("103");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.9s 102 -> pbx  200 OK (late by 0.3s)
        3.0s pbx -> 102  CANCEL: It rang and nobody picked up
        3.0s pbx -> 103  INVITE 103
        3.0s 102 -> pbx  200 OK to CANCEL
        3.0s 103 -> pbx  180 Ringing
        3.2s pbx -> 102  ACK
        3.2s pbx -> 102  BYE: It rang and nobody picked up
        3.2s 102 -> pbx  200 OK to BYE
        3.9s 103 -> pbx  200 OK
        3.9s pbx -> 103  ACK
        3.9s pbx -> 101  200 OK
        3.9s 101 -> pbx  ACK
        4.9s 101 -> pbx  BYE
        4.9s pbx -> 101  200 OK to BYE
        4.9s pbx -> 103  BYE
        4.9s 103 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn all_lines_taken_is_busy() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            for number in ["102", "103"] {
                world.settings(|settings| settings.extensions.get_mut(number).unwrap().lines = 0);
            }
            world.calls("101", "600");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  486 Busy Here
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn whoever_was_rung_longest_ago_is_rung_first() {
    check(
        |world| {
            group(world, Strategy::LeastRecent, &["102", "103"]);
            for _ in 0..3 {
                world.calls("101", "600");
                world.run(1.0);
                world.hangs_up("101");
                world.run(1.0);
            }
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 101 -> pbx  CANCEL
        1.0s pbx -> 101  200 OK to CANCEL
        1.0s pbx -> 101  487 Request Terminated
        1.0s pbx -> 102  CANCEL
        1.0s 101 -> pbx  ACK
        1.0s 102 -> pbx  200 OK to CANCEL
        1.0s 102 -> pbx  487 Request Terminated
        1.0s pbx -> 102  ACK
        2.0s 101 -> pbx  INVITE 600
        2.0s pbx -> 101  100 Trying
        2.0s pbx -> 103  INVITE 103
        2.0s 103 -> pbx  180 Ringing
        2.0s pbx -> 101  180 Ringing
        3.0s 101 -> pbx  CANCEL
        3.0s pbx -> 101  200 OK to CANCEL
        3.0s pbx -> 101  487 Request Terminated
        3.0s pbx -> 103  CANCEL
        3.0s 101 -> pbx  ACK
        3.0s 103 -> pbx  200 OK to CANCEL
        3.0s 103 -> pbx  487 Request Terminated
        3.0s pbx -> 103  ACK
        4.0s 101 -> pbx  INVITE 600
        4.0s pbx -> 101  100 Trying
        4.0s pbx -> 102  INVITE 102
        4.0s 102 -> pbx  180 Ringing
        4.0s pbx -> 101  180 Ringing
        5.0s 101 -> pbx  CANCEL
        5.0s pbx -> 101  200 OK to CANCEL
        5.0s pbx -> 101  487 Request Terminated
        5.0s pbx -> 102  CANCEL
        5.0s 101 -> pbx  ACK
        5.0s 102 -> pbx  200 OK to CANCEL
        5.0s 102 -> pbx  487 Request Terminated
        5.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_call_to_the_extension_itself_counts_as_being_rung() {
    check(
        |world| {
            group(world, Strategy::LeastRecent, &["102", "103"]);
            world.calls("101", "102");
            world.run(1.0);
            world.hangs_up("101");
            world.run(1.0);
            world.begin();
            world.calls("101", "600");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 103  INVITE 103
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 101 -> pbx  CANCEL
        1.0s pbx -> 101  200 OK to CANCEL
        1.0s pbx -> 101  487 Request Terminated
        1.0s pbx -> 103  CANCEL
        1.0s 101 -> pbx  ACK
        1.0s 103 -> pbx  200 OK to CANCEL
        1.0s 103 -> pbx  487 Request Terminated
        1.0s pbx -> 103  ACK
        ",
    );
}

#[test]
fn a_caller_who_gives_up_in_order_leaves_the_rest_in_peace() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
            world.hangs_up("101");
            world.run(60.0);
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 101 -> pbx  CANCEL
        1.0s pbx -> 101  200 OK to CANCEL
        1.0s pbx -> 101  487 Request Terminated
        1.0s pbx -> 102  CANCEL
        1.0s 101 -> pbx  ACK
        1.0s 102 -> pbx  200 OK to CANCEL
        1.0s 102 -> pbx  487 Request Terminated
        1.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn in_order_the_sound_of_one_gives_way_to_our_ringing_when_the_next_is_rung() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.settings(|settings| settings.groups.get_mut("600").unwrap().ring_seconds = 4);
            world.manner("102", Manner::default().with_early_sound());
            world.calls("101", "600");
            world.run(1.0);
            world.listen();
            world.run(3.0);
            world.listen();
            world.answers("103");
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  183 Session Progress
        0.0s pbx -> 101  183 Session Progress
        1.0s ~ 101 hears 102, 102 hears 101
        4.0s pbx -> 102  CANCEL: It rang and nobody picked up
        4.0s pbx -> 103  INVITE 103
        4.0s 102 -> pbx  200 OK to CANCEL
        4.0s 102 -> pbx  487 Request Terminated
        4.0s 103 -> pbx  180 Ringing
        4.0s pbx -> 102  ACK
        4.5s ~ 101 hears a tone
        5.0s 103 -> pbx  200 OK
        5.0s pbx -> 103  ACK
        5.0s pbx -> 101  200 OK
        5.0s 101 -> pbx  ACK
        6.0s ~ 101 hears 103, 103 hears 101
        6.5s 101 -> pbx  BYE
        6.5s pbx -> 101  200 OK to BYE
        6.5s pbx -> 103  BYE
        6.5s 103 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn in_order_the_next_may_send_sound_too() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.settings(|settings| settings.groups.get_mut("600").unwrap().ring_seconds = 4);
            world.manner("102", Manner::default().with_early_sound());
            world.manner("103", Manner::default().with_early_sound());
            world.calls("101", "600");
            world.run(5.0);
            world.listen();
            world.answers("103");
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  183 Session Progress
        0.0s pbx -> 101  183 Session Progress
        4.0s pbx -> 102  CANCEL: It rang and nobody picked up
        4.0s pbx -> 103  INVITE 103
        4.0s 102 -> pbx  200 OK to CANCEL
        4.0s 102 -> pbx  487 Request Terminated
        4.0s 103 -> pbx  183 Session Progress
        4.0s pbx -> 102  ACK
        5.0s ~ 101 hears 103, 103 hears 101
        5.5s 103 -> pbx  200 OK
        5.5s pbx -> 103  ACK
        5.5s pbx -> 101  200 OK
        5.5s 101 -> pbx  ACK
        6.5s ~ 101 hears 103, 103 hears 101
        7.0s 101 -> pbx  BYE
        7.0s pbx -> 101  200 OK to BYE
        7.0s pbx -> 103  BYE
        7.0s 103 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn in_order_the_next_is_rung_when_a_member_sends_the_call_elsewhere() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
            world.redirects("102", "0900000001");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  302 Moved Temporarily
        1.0s pbx -> 102  ACK
        1.0s pbx -> 103  INVITE 103
        1.0s 103 -> pbx  180 Ringing
        2.0s 101 -> pbx  CANCEL
        2.0s pbx -> 101  200 OK to CANCEL
        2.0s pbx -> 101  487 Request Terminated
        2.0s pbx -> 103  CANCEL
        2.0s 101 -> pbx  ACK
        2.0s 103 -> pbx  200 OK to CANCEL
        2.0s 103 -> pbx  487 Request Terminated
        2.0s pbx -> 103  ACK
        ",
    );
}

#[test]
fn who_signs_out_before_its_turn_is_passed_over() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
            world.unregisters("103");
            world.run(1.0);
            world.refuses("102", 486);
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 103 -> pbx  REGISTER to sign out
        1.0s pbx -> 103  200 OK to REGISTER
        2.0s 102 -> pbx  486 Busy Here
        2.0s pbx -> 102  ACK
        2.0s pbx -> 101  486 Busy Here
        2.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn who_signs_in_before_its_turn_is_rung() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.unregisters("103");
            world.run(0.5);
            world.begin();
            world.calls("101", "600");
            world.run(1.0);
            world.registers("103");
            world.run(1.0);
            world.refuses("102", 486);
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 103 -> pbx  REGISTER
        1.0s pbx -> 103  200 OK to REGISTER
        2.0s 102 -> pbx  486 Busy Here
        2.0s pbx -> 102  ACK
        2.0s pbx -> 103  INVITE 103
        2.0s 103 -> pbx  180 Ringing
        3.0s 101 -> pbx  CANCEL
        3.0s pbx -> 101  200 OK to CANCEL
        3.0s pbx -> 101  487 Request Terminated
        3.0s pbx -> 103  CANCEL
        3.0s 101 -> pbx  ACK
        3.0s 103 -> pbx  200 OK to CANCEL
        3.0s 103 -> pbx  487 Request Terminated
        3.0s pbx -> 103  ACK
        ",
    );
}

#[test]
fn a_call_keeps_the_group_as_it_was_when_it_began() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
            world.settings(|settings| settings.groups.clear());
            world.refuses("102", 486);
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  486 Busy Here
        1.0s pbx -> 102  ACK
        1.0s pbx -> 103  INVITE 103
        1.0s 103 -> pbx  180 Ringing
        2.0s 101 -> pbx  CANCEL
        2.0s pbx -> 101  200 OK to CANCEL
        2.0s pbx -> 101  487 Request Terminated
        2.0s pbx -> 103  CANCEL
        2.0s 101 -> pbx  ACK
        2.0s 103 -> pbx  200 OK to CANCEL
        2.0s 103 -> pbx  487 Request Terminated
        2.0s pbx -> 103  ACK
        ",
    );
}

#[test]
fn a_member_whose_phone_shares_no_codec_is_passed_over() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.speaks_only("102", &[(18, "G729")]);
            world.calls("101", "600");
            world.run(1.0);
            world.answers("102");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 102  BYE: The two sides have no way of sound in common
        1.0s pbx -> 103  INVITE 103
        1.0s 102 -> pbx  200 OK to BYE
        1.0s 103 -> pbx  180 Ringing
        2.0s 101 -> pbx  CANCEL
        2.0s pbx -> 101  200 OK to CANCEL
        2.0s pbx -> 101  487 Request Terminated
        2.0s pbx -> 103  CANCEL
        2.0s 101 -> pbx  ACK
        2.0s 103 -> pbx  200 OK to CANCEL
        2.0s 103 -> pbx  487 Request Terminated
        2.0s pbx -> 103  ACK
        ",
    );
}
