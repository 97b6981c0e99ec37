//! Calls between extensions.

use testkit::world::phone::Manner;
use testkit::world::{World, check};

#[test]
fn an_extension_calls_another_and_hangs_up() {
    check(
        |world| {
            world.answers_after("102", 2.0);
            world.calls("101", "102");
            world.run(3.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.0s 102 -> pbx  200 OK
        2.0s pbx -> 102  ACK
        2.0s pbx -> 101  200 OK
        2.0s 101 -> pbx  ACK
        3.0s ~ 101 hears 102, 102 hears 101
        3.5s 101 -> pbx  BYE
        3.5s pbx -> 101  200 OK to BYE
        3.5s pbx -> 102  BYE
        3.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn the_called_side_may_hang_up_too() {
    check(
        |world| {
            world.answers_after("102", 0.5);
            world.calls("101", "102");
            world.run(10.0);
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        0.5s 102 -> pbx  200 OK
        0.5s pbx -> 102  ACK
        0.5s pbx -> 101  200 OK
        0.5s 101 -> pbx  ACK
        10.0s 102 -> pbx  BYE
        10.0s pbx -> 102  200 OK to BYE
        10.0s pbx -> 101  BYE
        10.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_busy_phone_is_heard_of_as_it_said_it() {
    check(
        |world| {
            world.do_not_disturb("102");
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  486 Busy Here
        0.0s pbx -> 102  ACK
        0.0s pbx -> 101  486 Busy Here
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_refusal_while_it_rings_reaches_the_caller() {
    check(
        |world| {
            world.calls("101", "102");
            world.run(3.0);
            world.refuses("102", 603);
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        3.0s 102 -> pbx  603 Decline
        3.0s pbx -> 102  ACK
        3.0s pbx -> 101  603 Decline
        3.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn what_concerns_only_us_and_the_phone_is_not_passed_on() {
    check(
        |world| {
            world.manner("102", Manner::refuses(420));
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  420 Bad Extension
        0.0s pbx -> 102  ACK
        0.0s pbx -> 101  480 Temporarily Unavailable
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_phone_that_nobody_picks_up_rings_as_long_as_its_settings_say() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("102").unwrap().ring_seconds = 12);
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        12.0s pbx -> 102  CANCEL: It rang and nobody picked up
        12.0s pbx -> 101  480 Temporarily Unavailable
        12.0s 102 -> pbx  200 OK to CANCEL
        12.0s 102 -> pbx  487 Request Terminated
        12.0s 101 -> pbx  ACK
        12.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_caller_who_gives_up_ends_the_ringing() {
    check(
        |world| {
            world.calls("101", "102");
            world.run(4.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        4.0s 101 -> pbx  CANCEL
        4.0s pbx -> 101  200 OK to CANCEL
        4.0s pbx -> 101  487 Request Terminated
        4.0s pbx -> 102  CANCEL
        4.0s 101 -> pbx  ACK
        4.0s 102 -> pbx  200 OK to CANCEL
        4.0s 102 -> pbx  487 Request Terminated
        4.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_caller_who_gives_up_before_the_phone_has_said_anything_is_not_rung_for() {
    check(
        |world| {
            world.manner("102", Manner { rings_after: Some(std::time::Duration::from_secs(2)), ..Manner::default() });
            world.calls("101", "102");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.5s pbx -> 102  INVITE 102
        1.0s 101 -> pbx  CANCEL
        1.0s pbx -> 101  200 OK to CANCEL
        1.0s pbx -> 101  487 Request Terminated
        1.0s 101 -> pbx  ACK
        1.5s pbx -> 102  INVITE 102
        2.0s 102 -> pbx  180 Ringing
        2.0s pbx -> 102  CANCEL
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn an_extension_without_a_phone_is_offline() {
    check(
        |world| {
            world.unregisters("102");
            world.run(1.0);
            world.begin();
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  480 Temporarily Unavailable
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_number_that_nothing_has_is_not_found() {
    check(
        |world| world.calls("101", "199"),
        "
        0.0s 101 -> pbx  INVITE 199
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  404 Not Found
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_queue_whose_only_agent_calls_it_takes_nobody() {
    check(
        |world| world.calls("101", "700"),
        "
        0.0s 101 -> pbx  INVITE 700
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  200 OK
        0.0s 101 -> pbx  ACK
        300.0s pbx -> 101  BYE: The caller waited as long as the queue allows
        300.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_has_as_many_lines_as_its_settings_say() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("102").unwrap().lines = 1);
            world.calls("101", "102");
            world.run(1.0);
            world.calls("103", "102");
            world.run(1.0);
            world.refuses("102", 486);
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 103 -> pbx  INVITE 102
        1.0s pbx -> 103  100 Trying
        1.0s pbx -> 103  486 Busy Here
        1.0s 103 -> pbx  ACK
        2.0s 102 -> pbx  486 Busy Here
        2.0s pbx -> 102  ACK
        2.0s pbx -> 101  486 Busy Here
        2.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_phone_may_call_the_number_that_it_has_itself() {
    check(
        |world| {
            world.calls("101", "101");
            world.run(1.0);
            world.refuses("101", 486);
        },
        "
        0.0s 101 -> pbx  INVITE 101
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 101 -> pbx  486 Busy Here
        1.0s pbx -> 101  ACK
        1.0s pbx -> 101  486 Busy Here
        1.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn an_own_public_number_is_reached_inside() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.calls("102", "02873088088");
            world.run(2.0);
            world.hangs_up("102");
        },
        "
        0.0s 102 -> pbx  INVITE 02873088088
        0.0s pbx -> 102  100 Trying
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> 102  180 Ringing
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> 102  200 OK
        1.0s 102 -> pbx  ACK
        2.0s 102 -> pbx  BYE
        2.0s pbx -> 102  200 OK to BYE
        2.0s pbx -> 101  BYE
        2.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn two_companies_with_the_same_extensions_neither_hear_nor_reach_each_other() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.answers_after("o102", 1.0);
            world.calls("101", "102");
            world.calls("o101", "102");
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
            world.hangs_up("o102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s o101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> o101  100 Trying
        0.0s pbx -> o102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s o102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        0.0s pbx -> o101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s o102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s pbx -> o102  ACK
        1.0s pbx -> o101  200 OK
        1.0s 101 -> pbx  ACK
        1.0s o101 -> pbx  ACK
        2.0s ~ 101 hears 102, 102 hears 101, o101 hears o102, o102 hears o101
        2.5s 101 -> pbx  BYE
        2.5s o102 -> pbx  BYE
        2.5s pbx -> 101  200 OK to BYE
        2.5s pbx -> 102  BYE
        2.5s pbx -> o102  200 OK to BYE
        2.5s pbx -> o101  BYE
        2.5s 102 -> pbx  200 OK to BYE
        2.5s o101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_call_that_lasts_too_long_is_ended() {
    check(
        |world| {
            world.settings(|settings| settings.limits.max_call_seconds = 60);
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
        1.0s 101 -> pbx  ACK
        61.0s pbx -> 101  BYE: The call reached its longest allowed time
        61.0s pbx -> 102  BYE: The call reached its longest allowed time
        61.0s 101 -> pbx  200 OK to BYE
        61.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_call_may_go_through_one_switchboard_less_when_it_has_come_through_this_one() {
    let mut world = World::new(3);
    world.begin();

    world.calls("101", "102");
    world.run(1.0);
    let hops: Vec<Option<u8>> = world.phone("102").talks.iter().map(|talk| talk.hops).collect();

    assert_eq!(hops, [Some(69)]);
    world.hangs_up("101");
    world.end();
}
