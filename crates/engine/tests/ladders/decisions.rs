//! Calls from outside whose number asks the CRM whom they reach.

use model::Route;
use testkit::world::{World, check};

#[test]
fn the_crm_names_an_extension_which_is_rung_in_place_of_the_default() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to("102");
            world.crm_takes(0.5);
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(2.0);
            world.answers("102");
            world.run(1.0);
            world.hangs_up("102");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.0s * call.started inbound by trunk, +84900000009 over carrier to +842873088088 outside
        0.0s * leg.started +84900000009 as customer who calls
        0.5s crm -> pbx  `102`
        0.5s pbx -> 102  INVITE 102
        0.5s 102 -> pbx  180 Ringing
        0.5s pbx -> carrier  180 Ringing
        0.5s * call.routed to 102 by crm
        0.5s * leg.started 102 as agent
        0.5s * leg.ringing 102
        2.0s 102 -> pbx  200 OK
        2.0s pbx -> 102  ACK
        2.0s pbx -> carrier  200 OK
        2.0s carrier -> pbx  ACK
        2.0s * leg.answered 102
        2.0s * leg.answered +84900000009
        2.0s * call.connected 102 with +84900000009
        3.0s 102 -> pbx  BYE
        3.0s pbx -> 102  200 OK to BYE
        3.0s pbx -> carrier  BYE
        3.0s carrier -> pbx  200 OK to BYE
        3.0s * leg.ended 102 hung_up 200 by agent
        3.0s * leg.ended +84900000009 hung_up 200 by switchboard
        3.0s * call.ended hung_up 200 by agent
        ",
    );
}

#[test]
fn the_crm_names_a_group() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to(" 600 \r\n");
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.answers("103");
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.0s crm -> pbx  ` 600 \\r\\n`
        0.0s pbx -> 101  INVITE 101
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 101 -> pbx  180 Ringing
        0.0s 102 -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> carrier  180 Ringing
        1.0s 103 -> pbx  200 OK
        1.0s pbx -> 103  ACK
        1.0s pbx -> 101  CANCEL: Call completed elsewhere
        1.0s pbx -> 102  CANCEL: Call completed elsewhere
        1.0s pbx -> carrier  200 OK
        1.0s 101 -> pbx  200 OK to CANCEL
        1.0s 101 -> pbx  487 Request Terminated
        1.0s 102 -> pbx  200 OK to CANCEL
        1.0s 102 -> pbx  487 Request Terminated
        1.0s carrier -> pbx  ACK
        1.0s pbx -> 101  ACK
        1.0s pbx -> 102  ACK
        2.0s carrier -> pbx  BYE
        2.0s pbx -> carrier  200 OK to BYE
        2.0s pbx -> 103  BYE
        2.0s 103 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn without_an_answer_in_time_the_default_is_rung_and_a_late_one_changes_nothing() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to("102");
            world.crm_takes(3.5);
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(5.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.0s * call.started inbound by trunk, +84900000009 over carrier to +842873088088 outside
        0.0s * leg.started +84900000009 as customer who calls
        3.0s pbx -> 101  INVITE 101
        3.0s 101 -> pbx  180 Ringing
        3.0s pbx -> carrier  180 Ringing
        3.0s * call.routed to 101 by default: the CRM did not answer within 3000 ms
        3.0s * leg.started 101 as agent
        3.0s * leg.ringing 101
        3.5s crm -> pbx  `102`
        5.0s carrier -> pbx  CANCEL
        5.0s pbx -> carrier  200 OK to CANCEL
        5.0s pbx -> carrier  487 Request Terminated
        5.0s pbx -> 101  CANCEL
        5.0s carrier -> pbx  ACK
        5.0s 101 -> pbx  200 OK to CANCEL
        5.0s 101 -> pbx  487 Request Terminated
        5.0s pbx -> 101  ACK
        5.0s * leg.ended +84900000009 cancelled 487 by customer
        5.0s * leg.ended 101 cancelled 487 by switchboard
        5.0s * call.ended cancelled 487 by customer
        ",
    );
}

#[test]
fn the_crm_may_think_as_long_as_its_route_allows() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.settings(|settings| {
                for number in settings.numbers.values_mut() {
                    if let Route::Crm { timeout_ms, .. } = &mut number.route {
                        *timeout_ms = 500;
                    }
                }
            });
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.5s pbx -> 101  INVITE 101
        0.5s 101 -> pbx  180 Ringing
        0.5s pbx -> carrier  180 Ringing
        1.0s carrier -> pbx  CANCEL
        1.0s pbx -> carrier  200 OK to CANCEL
        1.0s pbx -> carrier  487 Request Terminated
        1.0s pbx -> 101  CANCEL
        1.0s carrier -> pbx  ACK
        1.0s 101 -> pbx  200 OK to CANCEL
        1.0s 101 -> pbx  487 Request Terminated
        1.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn a_crm_that_cannot_be_asked_costs_the_caller_no_time() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_fails("connection refused");
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.0s crm -> pbx  failed: connection refused
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> carrier  180 Ringing
        0.0s * call.started inbound by trunk, +84900000009 over carrier to +842873088088 outside
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * call.routed to 101 by default: the CRM gave no usable answer: connection refused
        0.0s * leg.started 101 as agent
        0.0s * leg.ringing 101
        1.0s carrier -> pbx  CANCEL
        1.0s pbx -> carrier  200 OK to CANCEL
        1.0s pbx -> carrier  487 Request Terminated
        1.0s pbx -> 101  CANCEL
        1.0s carrier -> pbx  ACK
        1.0s 101 -> pbx  200 OK to CANCEL
        1.0s 101 -> pbx  487 Request Terminated
        1.0s pbx -> 101  ACK
        1.0s * leg.ended +84900000009 cancelled 487 by customer
        1.0s * leg.ended 101 cancelled 487 by switchboard
        1.0s * call.ended cancelled 487 by customer
        ",
    );
}

#[test]
fn what_the_crm_may_not_name_leads_to_the_default_and_is_told() {
    for (named, why) in [
        ("", "the CRM named nobody"),
        ("   ", "the CRM named nobody"),
        ("199", "the CRM named `199`, which is no extension, no group and no queue"),
        ("0900000001", "the CRM named `0900000001`, which is no extension, no group and no queue"),
        ("02873088088", "the CRM named `02873088088`, which is no extension, no group and no queue"),
    ] {
        let mut world = World::new(1);
        world.number_asks_the_crm();
        world.crm_routes_to(named);
        world.show_events();

        world.calls("carrier", "02873088088");
        world.run(1.0);
        world.hangs_up("carrier");
        world.settle();

        let ladder = world.ladder();
        let told = ladder.lines().find(|line| line.contains("call.routed"));
        assert_eq!(told, Some(format!("0.0s * call.routed to 101 by default: {why}").as_str()));
        assert!(ladder.contains("pbx -> 101  INVITE 101"), "{ladder}");
        world.end();
    }
}

#[test]
fn whoever_the_crm_names_and_cannot_be_reached_was_missed() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.unregisters("102");
            world.run(0.5);
            world.begin();
            world.crm_routes_to("102");
            world.show_events();
            world.calls("carrier", "02873088088");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.0s crm -> pbx  `102`
        0.0s pbx -> carrier  480 Temporarily Unavailable
        0.0s carrier -> pbx  ACK
        0.0s * call.started inbound by trunk, +84900000009 over carrier to +842873088088 outside
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * call.routed to 102 by crm
        0.0s * leg.ended +84900000009 offline 480 by switchboard
        0.0s * call.ended offline 480 by switchboard
        ",
    );
}

#[test]
fn a_default_that_leads_nowhere_is_refused_with_its_reason() {
    check(
        |world| {
            world.number_reaches(Route::Voicemail("102".into()));
            world.number_asks_the_crm();
            world.crm_fails("connection refused");
            world.show_events();
            world.calls("carrier", "02873088088");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.0s crm -> pbx  failed: connection refused
        0.0s pbx -> carrier  404 Not Found
        0.0s carrier -> pbx  ACK
        0.0s * call.started inbound by trunk, +84900000009 over carrier to +842873088088 outside
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * call.routed to +842873088088 outside by default: the CRM gave no usable answer: connection refused
        0.0s * leg.ended +84900000009 unknown_target 404 by switchboard
        0.0s * call.ended unknown_target 404 by switchboard
        ",
    );
}

#[test]
fn a_caller_may_give_up_before_anybody_is_named() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to("102");
            world.crm_takes(2.0);
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.hangs_up("carrier");
            world.run(3.0);
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.0s * call.started inbound by trunk, +84900000009 over carrier to +842873088088 outside
        0.0s * leg.started +84900000009 as customer who calls
        1.0s carrier -> pbx  CANCEL
        1.0s pbx -> carrier  200 OK to CANCEL
        1.0s pbx -> carrier  487 Request Terminated
        1.0s carrier -> pbx  ACK
        1.0s * leg.ended +84900000009 cancelled 487 by customer
        1.0s * call.ended cancelled 487 by customer
        2.0s crm -> pbx  `102`
        ",
    );
}

#[test]
fn a_client_may_end_the_call_before_anybody_is_named() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_is_silent();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.orders_hang_up();
            world.run(1.0);
            world.crm_answers("102");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        1.0s crm -> pbx  hang up
        1.0s pbx -> carrier  487 Request Terminated
        1.0s carrier -> pbx  ACK
        1.0s pbx -> crm  hung up
        2.0s crm -> pbx  `102`
        ",
    );
}

#[test]
fn a_switchboard_that_drains_goes_on_asking_until_it_ends_all() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to("102");
            world.crm_takes(1.0);
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.drain_calls();
            world.run(1.0);
            world.crm_is_silent();
            world.end_all();
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        1.0s crm -> pbx  `102`
        1.0s pbx -> 102  INVITE 102
        1.0s 102 -> pbx  180 Ringing
        1.0s pbx -> carrier  180 Ringing
        1.5s pbx -> carrier  503 Service Unavailable
        1.5s pbx -> 102  CANCEL: The server is stopping
        1.5s carrier -> pbx  ACK
        1.5s 102 -> pbx  200 OK to CANCEL
        1.5s 102 -> pbx  487 Request Terminated
        1.5s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_switchboard_that_ends_all_waits_for_no_answer() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_is_silent();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.end_all();
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        1.0s pbx -> carrier  503 Service Unavailable
        1.0s carrier -> pbx  ACK
        ",
    );
}

#[test]
fn a_crash_while_it_is_asked_leaves_a_missed_call() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to("102");
            world.crm_takes(2.0);
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.show_events();
            world.crashes_for(2.0);
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        1.0s the switchboard dies
        3.0s the switchboard starts
        3.0s * leg.ended +84900000009 system_crash 500 by switchboard
        3.0s * call.ended system_crash 500 by switchboard
        4.0s carrier -> pbx  CANCEL
        4.0s pbx -> carrier  481 Call/Transaction Does Not Exist to CANCEL
        ",
    );
}

#[test]
fn a_call_keeps_the_settings_with_which_it_asked() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_is_silent();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.number_reaches(Route::Extension("103".into()));
            world.run(3.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        3.0s pbx -> 101  INVITE 101
        3.0s 101 -> pbx  180 Ringing
        3.0s pbx -> carrier  180 Ringing
        4.0s carrier -> pbx  CANCEL
        4.0s pbx -> carrier  200 OK to CANCEL
        4.0s pbx -> carrier  487 Request Terminated
        4.0s pbx -> 101  CANCEL
        4.0s carrier -> pbx  ACK
        4.0s 101 -> pbx  200 OK to CANCEL
        4.0s 101 -> pbx  487 Request Terminated
        4.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn a_group_that_was_removed_meanwhile_is_still_the_calls() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_is_silent();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.settings(|settings| settings.groups.clear());
            world.crm_answers("600");
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        1.0s crm -> pbx  `600`
        1.0s pbx -> 101  INVITE 101
        1.0s pbx -> 102  INVITE 102
        1.0s pbx -> 103  INVITE 103
        1.0s 101 -> pbx  180 Ringing
        1.0s 102 -> pbx  180 Ringing
        1.0s 103 -> pbx  180 Ringing
        1.0s pbx -> carrier  180 Ringing
        2.0s carrier -> pbx  CANCEL
        2.0s pbx -> carrier  200 OK to CANCEL
        2.0s pbx -> carrier  487 Request Terminated
        2.0s pbx -> 101  CANCEL
        2.0s pbx -> 102  CANCEL
        2.0s pbx -> 103  CANCEL
        2.0s carrier -> pbx  ACK
        2.0s 101 -> pbx  200 OK to CANCEL
        2.0s 101 -> pbx  487 Request Terminated
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s 103 -> pbx  200 OK to CANCEL
        2.0s 103 -> pbx  487 Request Terminated
        2.0s pbx -> 101  ACK
        2.0s pbx -> 102  ACK
        2.0s pbx -> 103  ACK
        ",
    );
}

#[test]
fn an_invite_that_comes_twice_asks_once() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to("102");
            world.crm_takes(1.0);
            world.lose_next("100");
            world.calls("carrier", "02873088088");
            world.run(1.5);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying (lost)
        0.5s carrier -> pbx  INVITE 02873088088
        0.5s pbx -> carrier  100 Trying
        1.0s crm -> pbx  `102`
        1.0s pbx -> 102  INVITE 102
        1.0s 102 -> pbx  180 Ringing
        1.0s pbx -> carrier  180 Ringing
        1.5s carrier -> pbx  CANCEL
        1.5s pbx -> carrier  200 OK to CANCEL
        1.5s pbx -> carrier  487 Request Terminated
        1.5s pbx -> 102  CANCEL
        1.5s carrier -> pbx  ACK
        1.5s 102 -> pbx  200 OK to CANCEL
        1.5s 102 -> pbx  487 Request Terminated
        1.5s pbx -> 102  ACK
        ",
    );
}

#[test]
fn the_crm_decides_for_customers_and_not_for_extensions() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to("103");
            world.calls("102", "02873088088");
            world.run(1.0);
            world.hangs_up("102");
        },
        "
        0.0s 102 -> pbx  INVITE 02873088088
        0.0s pbx -> 102  100 Trying
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> 102  180 Ringing
        1.0s 102 -> pbx  CANCEL
        1.0s pbx -> 102  200 OK to CANCEL
        1.0s pbx -> 102  487 Request Terminated
        1.0s pbx -> 101  CANCEL
        1.0s 102 -> pbx  ACK
        1.0s 101 -> pbx  200 OK to CANCEL
        1.0s 101 -> pbx  487 Request Terminated
        1.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn a_caller_without_usable_sound_is_refused_before_anybody_is_asked() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to("102");
            world.calls_offering("carrier", "02873088088", "m=audio 4000 RTP/AVP 18");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> carrier  100 Trying
        0.0s pbx -> carrier  488 Not Acceptable Here
        0.0s carrier -> pbx  ACK
        ",
    );
}

#[test]
fn the_crm_hears_who_calls_as_far_as_the_carrier_says() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_routes_to("102");
            world.calls_as("carrier", "anonymous", "02873088088");
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does anonymous reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.0s crm -> pbx  `102`
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> carrier  180 Ringing
        1.0s carrier -> pbx  CANCEL
        1.0s pbx -> carrier  200 OK to CANCEL
        1.0s pbx -> carrier  487 Request Terminated
        1.0s pbx -> 102  CANCEL
        1.0s carrier -> pbx  ACK
        1.0s 102 -> pbx  200 OK to CANCEL
        1.0s 102 -> pbx  487 Request Terminated
        1.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn two_callers_are_decided_each_by_its_own_answer() {
    check(
        |world| {
            world.number_asks_the_crm();
            world.crm_is_silent();
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.crm_answers("103");
            world.crm_answers("102");
            world.run(1.0);
            world.hangs_up("carrier");
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.0s pbx -> carrier  100 Trying
        0.5s carrier -> pbx  INVITE 02873088088
        0.5s pbx -> crm  whom does 84900000009 reach at 842873088088?
        0.5s pbx -> carrier  100 Trying
        1.0s crm -> pbx  `103`
        1.0s pbx -> 103  INVITE 103
        1.0s 103 -> pbx  180 Ringing
        1.0s pbx -> carrier  180 Ringing
        1.0s crm -> pbx  `102`
        1.0s pbx -> 102  INVITE 102
        1.0s 102 -> pbx  180 Ringing
        1.0s pbx -> carrier  180 Ringing
        2.0s carrier -> pbx  CANCEL
        2.0s pbx -> carrier  200 OK to CANCEL
        2.0s pbx -> carrier  487 Request Terminated
        2.0s pbx -> 102  CANCEL
        2.0s carrier -> pbx  ACK
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s pbx -> 102  ACK
        31.0s pbx -> 103  CANCEL: It rang and nobody picked up
        31.0s pbx -> carrier  480 Temporarily Unavailable
        31.0s 103 -> pbx  200 OK to CANCEL
        31.0s 103 -> pbx  487 Request Terminated
        31.0s carrier -> pbx  ACK
        31.0s pbx -> 103  ACK
        ",
    );
}
