//! Calls to and from the public network.

use std::time::Duration;

use model::{DialFormat, Outbound};
use testkit::world::phone::Manner;
use testkit::world::{World, check};

#[test]
fn a_call_goes_out_by_the_trunk_that_the_rules_name() {
    check(
        |world| {
            magic_numbers(world);
            world.calls("101", "0900000001");
            world.run(3.0);
            world.listen();
        },
        "
        0.0s 101 -> pbx  INVITE 0900000001
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000001
        0.0s carrier -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.0s carrier -> pbx  200 OK
        2.0s pbx -> carrier  ACK
        2.0s pbx -> 101  200 OK
        2.0s 101 -> pbx  ACK
        3.0s ~ 101 hears carrier, carrier hears 101
        12.0s carrier -> pbx  BYE
        12.0s pbx -> carrier  200 OK to BYE
        12.0s pbx -> 101  BYE
        12.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_busy_number_is_heard_of_as_the_carrier_said_it() {
    check(
        |world| {
            magic_numbers(world);
            world.calls("101", "0900000002");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000002
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000002
        0.0s carrier -> pbx  486 Busy Here
        0.0s pbx -> carrier  ACK
        0.0s pbx -> 101  486 Busy Here
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_caller_who_gives_up_cancels_the_carriers_ringing() {
    check(
        |world| {
            magic_numbers(world);
            world.calls("101", "0900000003");
            world.run(20.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000003
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000003
        0.0s carrier -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        20.0s 101 -> pbx  CANCEL
        20.0s pbx -> 101  200 OK to CANCEL
        20.0s pbx -> 101  487 Request Terminated
        20.0s pbx -> carrier  CANCEL
        20.0s 101 -> pbx  ACK
        20.0s carrier -> pbx  200 OK to CANCEL
        20.0s carrier -> pbx  487 Request Terminated
        20.0s pbx -> carrier  ACK
        ",
    );
}

#[test]
fn a_number_that_rings_for_ever_is_given_up_after_three_minutes() {
    check(
        |world| {
            magic_numbers(world);
            world.calls("101", "0900000003");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000003
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000003
        0.0s carrier -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        60.0s pbx -> 101  180 Ringing
        120.0s pbx -> 101  180 Ringing
        180.0s pbx -> 101  180 Ringing
        185.0s pbx -> carrier  CANCEL: It rang and nobody picked up
        185.0s pbx -> 101  480 Temporarily Unavailable
        185.0s carrier -> pbx  200 OK to CANCEL
        185.0s carrier -> pbx  487 Request Terminated
        185.0s 101 -> pbx  ACK
        185.0s pbx -> carrier  ACK
        ",
    );
}

#[test]
fn a_number_that_refuses_is_heard_of_as_the_carrier_said_it() {
    check(
        |world| {
            magic_numbers(world);
            world.calls("101", "0900000004");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000004
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000004
        0.0s carrier -> pbx  603 Decline
        0.0s pbx -> carrier  ACK
        0.0s pbx -> 101  603 Decline
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_key_that_the_carrier_tells_of_is_told() {
    check(
        |world| {
            magic_numbers(world);
            world.show_events();
            world.calls("101", "0900000005");
            world.run(5.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000005
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000005
        0.0s carrier -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        0.0s * call.started outbound by phone, 101 to +84900000005 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.started +84900000005 as customer
        0.0s * leg.ringing +84900000005
        2.0s carrier -> pbx  200 OK
        2.0s pbx -> carrier  ACK
        2.0s pbx -> 101  200 OK
        2.0s carrier -> pbx  INFO
        2.0s 101 -> pbx  ACK
        2.0s pbx -> carrier  200 OK to INFO
        2.0s * leg.answered +84900000005
        2.0s * leg.answered 101
        2.0s * call.connected 101 with +84900000005
        2.0s * leg.key +84900000005 5
        5.0s 101 -> pbx  BYE
        5.0s pbx -> 101  200 OK to BYE
        5.0s pbx -> carrier  BYE
        5.0s carrier -> pbx  200 OK to BYE
        5.0s * leg.ended 101 hung_up 200 by agent
        5.0s * leg.ended +84900000005 hung_up 200 by switchboard
        5.0s * call.ended hung_up 200 by agent
        5.0s * sound.measured 101
        ",
    );
}

#[test]
fn sound_of_the_network_before_the_answer_reaches_the_caller() {
    check(
        |world| {
            world.number("carrier", "0900000006", Manner::answers(Duration::from_secs(3)).with_early_sound());
            world.calls("101", "0900000006");
            world.run(1.0);
            world.listen();
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000006
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000006
        0.0s carrier -> pbx  183 Session Progress
        0.0s pbx -> 101  183 Session Progress
        1.0s ~ 101 hears carrier, carrier hears 101
        3.0s carrier -> pbx  200 OK
        3.0s pbx -> carrier  ACK
        3.0s pbx -> 101  200 OK
        3.0s 101 -> pbx  ACK
        3.5s ~ 101 hears carrier, carrier hears 101
        4.0s 101 -> pbx  BYE
        4.0s pbx -> 101  200 OK to BYE
        4.0s pbx -> carrier  BYE
        4.0s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn every_way_to_dial_a_number_goes_out_as_the_trunk_wants_it() {
    check(
        |world| {
            world.settings(|settings| settings.trunks[0].dial_format = DialFormat::E164);
            world.manner("carrier", Manner::refuses(486));
            world.calls("101", "0900000002");
            world.run(1.0);
            world.calls("101", "+84900000002");
            world.run(1.0);
            world.calls("101", "84900000002");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000002
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE +84900000002
        0.0s carrier -> pbx  486 Busy Here
        0.0s pbx -> carrier  ACK
        0.0s pbx -> 101  486 Busy Here
        0.0s 101 -> pbx  ACK
        1.0s 101 -> pbx  INVITE +84900000002
        1.0s pbx -> 101  100 Trying
        1.0s pbx -> carrier  INVITE +84900000002
        1.0s carrier -> pbx  486 Busy Here
        1.0s pbx -> carrier  ACK
        1.0s pbx -> 101  486 Busy Here
        1.0s 101 -> pbx  ACK
        2.0s 101 -> pbx  INVITE 84900000002
        2.0s pbx -> 101  100 Trying
        2.0s pbx -> carrier  INVITE +84900000002
        2.0s carrier -> pbx  486 Busy Here
        2.0s pbx -> carrier  ACK
        2.0s pbx -> 101  486 Busy Here
        2.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_number_that_no_rule_takes_is_refused() {
    check(
        |world| {
            world.settings(|settings| {
                settings.outbound = vec![Outbound {
                    prefix: "09".into(),
                    trunks: vec!["carrier".into()],
                    strip: 0,
                    prepend: String::new(),
                }];
            });
            world.calls("101", "02473000000");
        },
        "
        0.0s 101 -> pbx  INVITE 02473000000
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  404 Not Found
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_carrier_that_does_not_respond_is_given_up() {
    check(
        |world| {
            world.unplug("carrier");
            world.calls("101", "0900000001");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000001
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000001 (lost)
        0.5s pbx -> carrier  INVITE 0900000001 (lost)
        1.5s pbx -> carrier  INVITE 0900000001 (lost)
        3.5s pbx -> carrier  INVITE 0900000001 (lost)
        4.0s pbx -> 101  408 Request Timeout
        4.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_carrier_that_asks_who_we_are_is_told() {
    check(
        |world| {
            world.settings(|settings| {
                settings.trunks[0].username = Some("demo".into());
                settings.trunks[0].password = Some("made-up".into());
            });
            world.phone("carrier").challenges = true;
            world.manner("carrier", Manner::refuses(486));
            world.calls("101", "0900000002");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000002
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000002
        0.0s carrier -> pbx  401 Unauthorized
        0.0s pbx -> carrier  ACK
        0.0s pbx -> carrier  INVITE 0900000002
        0.0s carrier -> pbx  486 Busy Here
        0.0s pbx -> carrier  ACK
        0.0s pbx -> 101  486 Busy Here
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_carrier_that_asks_in_vain_who_we_are_is_our_own_trouble() {
    check(
        |world| {
            world.phone("carrier").challenges = true;
            world.calls("101", "0900000002");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000002
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000002
        0.0s carrier -> pbx  401 Unauthorized
        0.0s pbx -> carrier  ACK
        0.0s pbx -> 101  500 Server Internal Error
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_call_from_outside_reaches_the_extension_of_its_number() {
    check(
        |world| {
            world.answers_after("101", 2.0);
            world.calls("carrier", "02873088088");
            world.run(3.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> carrier  100 Trying
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> carrier  180 Ringing
        2.0s 101 -> pbx  200 OK
        2.0s pbx -> 101  ACK
        2.0s pbx -> carrier  200 OK
        2.0s carrier -> pbx  ACK
        3.0s ~ 101 hears carrier, carrier hears 101
        3.5s carrier -> pbx  BYE
        3.5s pbx -> carrier  200 OK to BYE
        3.5s pbx -> 101  BYE
        3.5s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_caller_from_outside_who_gives_up_ends_the_ringing() {
    check(
        |world| {
            world.calls("carrier", "02873088088");
            world.run(5.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> carrier  100 Trying
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> carrier  180 Ringing
        5.0s carrier -> pbx  CANCEL
        5.0s pbx -> carrier  200 OK to CANCEL
        5.0s pbx -> carrier  487 Request Terminated
        5.0s pbx -> 101  CANCEL
        5.0s carrier -> pbx  ACK
        5.0s 101 -> pbx  200 OK to CANCEL
        5.0s 101 -> pbx  487 Request Terminated
        5.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn a_call_from_outside_that_nobody_picks_up_is_given_up() {
    check(
        |world| world.calls("carrier", "02873088088"),
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> carrier  100 Trying
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> carrier  180 Ringing
        30.0s pbx -> 101  CANCEL: It rang and nobody picked up
        30.0s pbx -> carrier  480 Temporarily Unavailable
        30.0s 101 -> pbx  200 OK to CANCEL
        30.0s 101 -> pbx  487 Request Terminated
        30.0s carrier -> pbx  ACK
        30.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn a_number_that_is_not_ours_is_not_the_trunks_to_call() {
    check(
        |world| world.calls("carrier", "02899999999"),
        "
        0.0s carrier -> pbx  INVITE 02899999999
        0.0s pbx -> carrier  401 Unauthorized
        0.0s carrier -> pbx  ACK
        ",
    );
}

#[test]
fn a_trunk_reaches_numbers_and_no_extensions() {
    check(
        |world| world.calls("carrier", "102"),
        "
        0.0s carrier -> pbx  INVITE 102
        0.0s pbx -> carrier  401 Unauthorized
        0.0s carrier -> pbx  ACK
        ",
    );
}

#[test]
fn a_trunk_does_not_call_in_the_name_of_an_extension() {
    check(
        |world| world.calls_as("carrier", "102", "02873088088"),
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> carrier  401 Unauthorized
        0.0s carrier -> pbx  ACK
        ",
    );
}

#[test]
fn a_trunk_does_not_call_another_companys_number() {
    check(
        |world| world.calls("carrier", "02873099099"),
        "
        0.0s carrier -> pbx  INVITE 02873099099
        0.0s pbx -> carrier  401 Unauthorized
        0.0s carrier -> pbx  ACK
        ",
    );
}

#[test]
fn a_trunk_has_as_many_channels_as_its_settings_say() {
    check(
        |world| {
            world.settings(|settings| settings.trunks[0].max_calls = 1);
            world.show_events();
            world.calls("101", "0900000003");
            world.run(1.0);
            world.calls("102", "0900000003");
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000003
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000003
        0.0s carrier -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        0.0s * call.started outbound by phone, 101 to +84900000003 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.started +84900000003 as customer
        0.0s * leg.ringing +84900000003
        1.0s 102 -> pbx  INVITE 0900000003
        1.0s carrier -> pbx  INVITE 02873088088
        1.0s pbx -> 102  100 Trying
        1.0s pbx -> 102  503 Service Unavailable
        1.0s pbx -> carrier  503 Service Unavailable
        1.0s 102 -> pbx  ACK
        1.0s carrier -> pbx  ACK
        1.0s * call.started outbound by phone, 102 to +84900000003 over carrier
        1.0s * leg.started 102 as agent who calls
        1.0s * leg.ended 102 limit 503 by switchboard
        1.0s * call.ended limit 503 by switchboard
        1.0s * trunk.refused carrier limit
        2.0s 101 -> pbx  CANCEL
        2.0s pbx -> 101  200 OK to CANCEL
        2.0s pbx -> 101  487 Request Terminated
        2.0s pbx -> carrier  CANCEL
        2.0s 101 -> pbx  ACK
        2.0s carrier -> pbx  200 OK to CANCEL
        2.0s carrier -> pbx  487 Request Terminated
        2.0s pbx -> carrier  ACK
        2.0s * leg.ended 101 cancelled 487 by agent
        2.0s * leg.ended +84900000003 cancelled 487 by switchboard
        2.0s * call.ended cancelled 487 by agent
        ",
    );
}

/// What the carrier of the demo does.
fn magic_numbers(world: &mut World) {
    let seconds = Duration::from_secs;
    world.number("carrier", "0900000001", Manner::answers(seconds(2)).hanging_up(seconds(10)));
    world.number("carrier", "0900000002", Manner::refuses(486));
    world.number("carrier", "0900000003", Manner::default());
    world.number("carrier", "0900000004", Manner::refuses(603));
    world.number("carrier", "0900000005", Manner::answers(seconds(2)).pressing('5'));
}
