//! The ways on which a group is reached, and how such calls end.

use model::Strategy;
use sip::Transport;
use testkit::world::phone::Manner;
use testkit::world::{World, check};

use super::group;

#[test]
fn nobody_signed_in_is_told_at_once() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.unregisters("102");
            world.unregisters("103");
            world.run(0.5);
            world.begin();
            world.show_events();
            world.calls("101", "600");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  480 Temporarily Unavailable
        0.0s 101 -> pbx  ACK
        0.0s * call.started local by phone, 101 to 600
        0.0s * leg.started 101 as customer who calls
        0.0s * leg.ended 101 offline 480 by switchboard
        0.0s * call.ended offline 480 by switchboard
        ",
    );
}

#[test]
fn of_several_refusals_the_one_that_says_most_is_passed_on() {
    for (refusals, heard) in [
        ([486, 486], "486 Busy Here"),
        ([480, 486], "486 Busy Here"),
        ([486, 480], "486 Busy Here"),
        ([486, 603], "603 Decline"),
        ([404, 500], "404 Not Found"),
        ([503, 480], "480 Temporarily Unavailable"),
        ([302, 302], "480 Temporarily Unavailable"),
        ([600, 486], "600 Busy Everywhere"),
    ] {
        for strategy in [Strategy::RingAll, Strategy::InOrder] {
            let mut world = World::new(1);
            group(&mut world, strategy, &["102", "103"]);
            world.manner("102", Manner::refuses(refusals[0]));
            world.manner("103", Manner::refuses(refusals[1]));

            world.calls("101", "600");
            world.settle();

            let last = world.ladder().lines().rfind(|line| line.contains("pbx -> 101")).map(str::to_owned);
            assert_eq!(last, Some(format!("0.0s pbx -> 101  {heard}")), "{strategy:?} {refusals:?}");
            world.end();
        }
    }
}

#[test]
fn a_member_who_calls_the_group_is_not_rung() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["101", "102", "103"]);
            world.calls("102", "600");
            world.run(1.0);
            world.hangs_up("102");
        },
        "
        0.0s 102 -> pbx  INVITE 600
        0.0s pbx -> 102  100 Trying
        0.0s pbx -> 101  INVITE 101
        0.0s pbx -> 103  INVITE 103
        0.0s 101 -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 102  180 Ringing
        1.0s 102 -> pbx  CANCEL
        1.0s pbx -> 102  200 OK to CANCEL
        1.0s pbx -> 102  487 Request Terminated
        1.0s pbx -> 101  CANCEL
        1.0s pbx -> 103  CANCEL
        1.0s 102 -> pbx  ACK
        1.0s 101 -> pbx  200 OK to CANCEL
        1.0s 101 -> pbx  487 Request Terminated
        1.0s 103 -> pbx  200 OK to CANCEL
        1.0s 103 -> pbx  487 Request Terminated
        1.0s pbx -> 101  ACK
        1.0s pbx -> 103  ACK
        ",
    );
}

#[test]
fn a_group_of_the_caller_alone_has_nobody_to_ring() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["101"]);
            world.calls("101", "600");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  480 Temporarily Unavailable
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn an_extension_may_send_a_call_on_to_a_group() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["101", "102", "103"]);
            world.calls("101", "102");
            world.run(1.0);
            world.redirects("102", "600");
            world.run(1.0);
            world.answers("103");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  302 Moved Temporarily
        1.0s pbx -> 102  ACK
        1.0s pbx -> 102  INVITE 102
        1.0s pbx -> 103  INVITE 103
        1.0s 102 -> pbx  180 Ringing
        1.0s 103 -> pbx  180 Ringing
        2.0s 103 -> pbx  200 OK
        2.0s pbx -> 103  ACK
        2.0s pbx -> 102  CANCEL: Call completed elsewhere
        2.0s pbx -> 101  200 OK
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s 101 -> pbx  ACK
        2.0s pbx -> 102  ACK
        3.0s 101 -> pbx  BYE
        3.0s pbx -> 101  200 OK to BYE
        3.0s pbx -> 103  BYE
        3.0s 103 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_public_number_may_lead_to_a_group() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(2.0);
            world.answers("102");
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> carrier  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 102 -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> carrier  180 Ringing
        0.0s * call.started inbound by trunk, +84900000009 over carrier to 600
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * leg.started 102 as agent
        0.0s * leg.started 103 as agent
        0.0s * leg.ringing 102
        0.0s * leg.ringing 103
        2.0s 102 -> pbx  200 OK
        2.0s pbx -> 102  ACK
        2.0s pbx -> 103  CANCEL: Call completed elsewhere
        2.0s pbx -> carrier  200 OK
        2.0s 103 -> pbx  200 OK to CANCEL
        2.0s 103 -> pbx  487 Request Terminated
        2.0s carrier -> pbx  ACK
        2.0s pbx -> 103  ACK
        2.0s * leg.answered 102
        2.0s * leg.ended 103 answered_elsewhere 487 by switchboard
        2.0s * leg.answered +84900000009
        2.0s * call.connected 102 with +84900000009
        3.0s carrier -> pbx  BYE
        3.0s pbx -> carrier  200 OK to BYE
        3.0s pbx -> 102  BYE
        3.0s 102 -> pbx  200 OK to BYE
        3.0s * leg.ended +84900000009 hung_up 200 by customer
        3.0s * leg.ended 102 hung_up 200 by switchboard
        3.0s * call.ended hung_up 200 by customer
        ",
    );
}

#[test]
fn a_customer_whom_nobody_of_the_group_answers_was_missed() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.show_events();
            world.calls("carrier", "02873088088");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> carrier  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 102 -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> carrier  180 Ringing
        0.0s * call.started inbound by trunk, +84900000009 over carrier to 600
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * leg.started 102 as agent
        0.0s * leg.started 103 as agent
        0.0s * leg.ringing 102
        0.0s * leg.ringing 103
        30.0s pbx -> 102  CANCEL: It rang and nobody picked up
        30.0s pbx -> 103  CANCEL: It rang and nobody picked up
        30.0s pbx -> carrier  480 Temporarily Unavailable
        30.0s 102 -> pbx  200 OK to CANCEL
        30.0s 102 -> pbx  487 Request Terminated
        30.0s 103 -> pbx  200 OK to CANCEL
        30.0s 103 -> pbx  487 Request Terminated
        30.0s carrier -> pbx  ACK
        30.0s pbx -> 102  ACK
        30.0s pbx -> 103  ACK
        30.0s * leg.ended 102 no_answer 480 by switchboard
        30.0s * leg.ended 103 no_answer 480 by switchboard
        30.0s * leg.ended +84900000009 no_answer 480 by switchboard
        30.0s * call.ended no_answer 480 by switchboard
        ",
    );
}

#[test]
fn the_own_public_number_of_a_group_is_reached_inside() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.calls("101", "02873088088");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 02873088088
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
fn a_client_may_have_an_agent_call_a_group() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["101", "102", "103"]);
            world.clicks("101", "600");
            world.run(1.0);
            world.answers("101");
            world.run(1.0);
            world.listen();
            world.answers("103");
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx  dial 101 600
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> 102  INVITE 102
        1.0s pbx -> 103  INVITE 103
        1.0s 102 -> pbx  180 Ringing
        1.0s 103 -> pbx  180 Ringing
        2.0s ~ nobody hears anybody
        2.5s 103 -> pbx  200 OK
        2.5s pbx -> 103  ACK
        2.5s pbx -> 102  CANCEL: Call completed elsewhere
        2.5s 102 -> pbx  200 OK to CANCEL
        2.5s 102 -> pbx  487 Request Terminated
        2.5s pbx -> 102  ACK
        3.5s ~ 101 hears 103, 103 hears 101
        4.0s 101 -> pbx  BYE
        4.0s pbx -> 101  200 OK to BYE
        4.0s pbx -> 103  BYE
        4.0s 103 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn the_agent_of_a_click_hears_that_nobody_of_the_group_answers() {
    check(
        |world| {
            group(world, Strategy::InOrder, &["102", "103"]);
            world.do_not_disturb("102");
            world.do_not_disturb("103");
            world.clicks("101", "600");
            world.run(1.0);
            world.answers("101");
            world.run(1.0);
            world.listen();
        },
        "
        0.0s crm -> pbx  dial 101 600
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> 102  INVITE 102
        1.0s 102 -> pbx  486 Busy Here
        1.0s pbx -> 102  ACK
        1.0s pbx -> 103  INVITE 103
        1.0s 103 -> pbx  486 Busy Here
        1.0s pbx -> 103  ACK
        2.0s ~ 101 hears a tone
        4.0s pbx -> 101  BYE: The called party is busy
        4.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn the_client_ends_a_call_that_rings_a_group() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
            world.orders_hang_up();
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 102 -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s crm -> pbx  hang up
        1.0s pbx -> 101  487 Request Terminated
        1.0s pbx -> 102  CANCEL: The call was ended by order
        1.0s pbx -> 103  CANCEL: The call was ended by order
        1.0s 101 -> pbx  ACK
        1.0s 102 -> pbx  200 OK to CANCEL
        1.0s 102 -> pbx  487 Request Terminated
        1.0s 103 -> pbx  200 OK to CANCEL
        1.0s 103 -> pbx  487 Request Terminated
        1.0s pbx -> 102  ACK
        1.0s pbx -> 103  ACK
        1.0s pbx -> crm  hung up
        ",
    );
}

#[test]
fn phones_of_a_group_ring_through_a_crash_and_are_on_their_own() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
            world.show_events();
            world.crashes_for(1.0);
            world.run(1.0);
            world.refuses("102", 486);
            world.refuses("103", 486);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 102 -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s the switchboard dies
        2.0s the switchboard starts
        2.0s * leg.ended 101 system_crash 500 by switchboard
        2.0s * leg.ended 102 system_crash 500 by switchboard
        2.0s * leg.ended 103 system_crash 500 by switchboard
        2.0s * call.ended system_crash 500 by switchboard
        3.0s 102 -> pbx  486 Busy Here
        3.0s 103 -> pbx  486 Busy Here
        3.0s 101 -> pbx  CANCEL
        3.0s pbx -> 101  481 Call/Transaction Does Not Exist to CANCEL
        3.5s 102 -> pbx  486 Busy Here
        3.5s 103 -> pbx  486 Busy Here
        4.5s 102 -> pbx  486 Busy Here
        4.5s 103 -> pbx  486 Busy Here
        6.5s 102 -> pbx  486 Busy Here
        6.5s 103 -> pbx  486 Busy Here
        10.5s 102 -> pbx  486 Busy Here
        10.5s 103 -> pbx  486 Busy Here
        14.5s 102 -> pbx  486 Busy Here
        14.5s 103 -> pbx  486 Busy Here
        18.5s 102 -> pbx  486 Busy Here
        18.5s 103 -> pbx  486 Busy Here
        22.5s 102 -> pbx  486 Busy Here
        22.5s 103 -> pbx  486 Busy Here
        26.5s 102 -> pbx  486 Busy Here
        26.5s 103 -> pbx  486 Busy Here
        30.5s 102 -> pbx  486 Busy Here
        30.5s 103 -> pbx  486 Busy Here
        34.5s 102 -> pbx  486 Busy Here
        34.5s 103 -> pbx  486 Busy Here
        ",
    );
}

#[test]
fn only_whoever_answers_is_recorded() {
    let mut world = World::new(1);
    group(&mut world, Strategy::RingAll, &["102", "103"]);
    world.settings(|settings| settings.extensions.get_mut("102").unwrap().record = true);

    for who in ["102", "103"] {
        world.calls("101", "600");
        world.run(1.0);
        world.answers(who);
        world.run(1.0);
        world.hangs_up("101");
        world.run(1.0);
    }
    world.end();

    let records = world.rows(1).map(|rows| rows.records.values().map(|record| record.recordings.len()).collect());
    assert_eq!(records, Some(vec![1, 0]));
}

#[test]
fn a_call_to_a_group_is_one_call_and_takes_a_line_of_each_who_rings() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.settings(|settings| {
                settings.limits.concurrent_calls = 2;
                settings.extensions.get_mut("102").unwrap().lines = 1;
            });
            world.calls("101", "600");
            world.run(1.0);
            world.calls("101", "102");
            world.run(1.0);
            world.answers("103");
            world.run(1.0);
            world.calls("101", "102");
            world.run(1.0);
            world.hangs_up("101");
            world.hangs_up("103");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 102 -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 101 -> pbx  INVITE 102
        1.0s pbx -> 101  100 Trying
        1.0s pbx -> 101  486 Busy Here
        1.0s 101 -> pbx  ACK
        2.0s 103 -> pbx  200 OK
        2.0s pbx -> 103  ACK
        2.0s pbx -> 102  CANCEL: Call completed elsewhere
        2.0s pbx -> 101  200 OK
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s 101 -> pbx  ACK
        2.0s pbx -> 102  ACK
        3.0s 101 -> pbx  INVITE 102
        3.0s pbx -> 101  100 Trying
        3.0s pbx -> 102  INVITE 102
        3.0s 102 -> pbx  180 Ringing
        3.0s pbx -> 101  180 Ringing
        4.0s 101 -> pbx  CANCEL
        4.0s 103 -> pbx  BYE
        4.0s pbx -> 101  200 OK to CANCEL
        4.0s pbx -> 101  487 Request Terminated
        4.0s pbx -> 102  CANCEL
        4.0s pbx -> 103  200 OK to BYE
        4.0s pbx -> 101  BYE
        4.0s 101 -> pbx  ACK
        4.0s 102 -> pbx  200 OK to CANCEL
        4.0s 102 -> pbx  487 Request Terminated
        4.0s 101 -> pbx  200 OK to BYE
        4.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_member_whose_connection_is_lost_is_passed_over_at_once() {
    check(
        |world| {
            world.add_phone("102t", 1, "102", Transport::Tcp);
            world.unregisters("102");
            world.registers("102t");
            group(world, Strategy::InOrder, &["102", "103"]);
            world.run(0.5);
            world.begin();
            world.calls("101", "600");
            world.run(1.0);
            world.disconnects("102t");
            world.hangs_up("102t");
            world.run(1.0);
            world.answers("103");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102t  INVITE 102
        0.0s 102t -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s pbx -> 103  INVITE 103
        1.0s 103 -> pbx  180 Ringing
        2.0s 103 -> pbx  200 OK
        2.0s pbx -> 103  ACK
        2.0s pbx -> 101  200 OK
        2.0s 101 -> pbx  ACK
        3.0s 101 -> pbx  BYE
        3.0s pbx -> 101  200 OK to BYE
        3.0s pbx -> 103  BYE
        3.0s 103 -> pbx  200 OK to BYE
        ",
    );
}
