//! Orders of calls under keys: nothing rings before it is stored that the key has had its call (readings 18).

use model::DialAnswer;
use testkit::world::phone::Manner;
use testkit::world::{World, check, tell_record};

#[test]
fn the_phone_is_rung_once_the_call_is_stored() {
    check(
        |world| {
            world.commits_take(0.5);
            world.show_events();
            world.orders_once("101", "0900000001", "order-1");
            world.run(3.0);
            world.refuses("101", 603);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        0.5s * call.started outbound by click, 101 to +84900000001 over carrier
        0.5s pbx -> 101  INVITE 101
        0.5s 101 -> pbx  180 Ringing
        1.0s * leg.started 101 as agent
        1.5s * leg.ringing 101
        1.5s pbx -> crm  accepted
        3.0s 101 -> pbx  603 Decline
        3.0s pbx -> 101  ACK
        3.5s * leg.ended 101 declined 603 by agent
        3.5s * call.ended declined 603 by agent
        ",
    );
}

#[test]
fn an_order_without_a_key_waits_for_no_store() {
    check(
        |world| {
            world.commits_take(0.5);
            world.orders_call(1, "101", "0900000001", DialAnswer::WhenAccepted);
            world.run(3.0);
            world.refuses("101", 603);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        1.0s pbx -> crm  accepted
        3.0s 101 -> pbx  603 Decline
        3.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn a_store_that_is_late_ends_the_call_and_the_phone_never_rings() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("101").unwrap().lines = 1);
            world.commits_take(4.0);
            world.show_events();
            world.orders_once("101", "0900000001", "order-1");
            world.run(9.0);
            assert_eq!(
                told(world, "order-1"),
                "outbound failed (failed): agent 101, customer +84900000001, number 842873088088, storage_stalled 503 by switchboard, talked 0 of 3s, 0 legs"
            );
            world.commits_take(0.0);
            world.clicks("101", "0900000001");
            world.run(1.0);
            world.refuses("101", 486);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        4.0s * call.started outbound by click, 101 to +84900000001 over carrier
        8.0s * call.ended storage_stalled 503 by switchboard
        8.0s pbx -> crm  accepted
        9.0s crm -> pbx  dial 101 0900000001
        9.0s pbx -> 101  INVITE 101
        9.0s 101 -> pbx  180 Ringing
        9.0s * call.started outbound by click, 101 to +84900000001 over carrier
        9.0s * leg.started 101 as agent
        9.0s * leg.ringing 101
        9.0s pbx -> crm  accepted
        10.0s 101 -> pbx  486 Busy Here
        10.0s pbx -> 101  ACK
        10.0s * leg.ended 101 busy 486 by agent
        10.0s * call.ended busy 486 by agent
        ",
    );
}

#[test]
fn whoever_waits_for_the_phone_hears_that_the_store_was_late() {
    check(
        |world| {
            world.commits_take(4.0);
            world.orders_once_and("101", "0900000001", "order-1", DialAnswer::WhenPhoneResponds);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        8.0s pbx -> crm  failed: storage_stalled 503
        ",
    );
}

#[test]
fn whoever_waits_for_the_phone_hears_how_it_responds() {
    check(
        |world| {
            world.manner("101", Manner { rings_after: None, ..Manner::refuses(486) });
            world.orders_once_and("101", "0900000001", "order-1", DialAnswer::WhenPhoneResponds);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  486 Busy Here
        0.0s pbx -> 101  ACK
        0.0s pbx -> crm  failed: busy 486
        ",
    );
}

#[test]
fn an_order_that_the_database_refuses_is_refused_and_the_phone_never_rings() {
    check(
        |world| {
            world.storage_refuses();
            world.show_events();
            world.orders_once("101", "0900000001", "order-1");
            world.run(1.0);
            assert_eq!(world.call_of_key("order-1"), None);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        0.0s pbx -> crm  failed: internal
        ",
    );
}

#[test]
fn an_order_that_waits_holds_its_line_and_its_place_among_the_calls() {
    check(
        |world| {
            world.settings(|settings| {
                settings.extensions.get_mut("101").unwrap().lines = 1;
                settings.limits.concurrent_calls = 2;
            });
            world.commits_take(0.5);
            world.orders_once("101", "0900000001", "order-1");
            world.orders_once("101", "0900000002", "order-2");
            world.orders_once("102", "0900000003", "order-3");
            world.orders_once("103", "0900000004", "order-4");
            world.run(2.0);
            world.refuses("101", 603);
            world.refuses("102", 603);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        0.0s crm -> pbx  dial 101 0900000002 under order-2
        0.0s crm -> pbx  dial 102 0900000003 under order-3
        0.0s crm -> pbx  dial 103 0900000004 under order-4
        0.5s pbx -> crm  failed: lines_taken
        0.5s pbx -> crm  failed: limit
        0.5s pbx -> 101  INVITE 101
        0.5s pbx -> 102  INVITE 102
        0.5s 101 -> pbx  180 Ringing
        0.5s 102 -> pbx  180 Ringing
        1.5s pbx -> crm  accepted
        1.5s pbx -> crm  accepted
        2.0s 101 -> pbx  603 Decline
        2.0s 102 -> pbx  603 Decline
        2.0s pbx -> 101  ACK
        2.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_phone_that_signs_out_meanwhile_ends_a_call_that_was_accepted() {
    check(
        |world| {
            world.commits_take(0.5);
            world.orders_once("101", "0900000001", "order-1");
            world.unregisters("101");
            world.run(2.0);
            assert_eq!(
                told(world, "order-1"),
                "outbound no answer (no answer): agent 101, customer +84900000001, number 842873088088, offline 480 by switchboard, talked 0 of 0s, 0 legs"
            );
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        0.0s 101 -> pbx  REGISTER to sign out
        0.0s pbx -> 101  200 OK to REGISTER
        1.5s pbx -> crm  accepted
        ",
    );
}

#[test]
fn a_client_may_end_the_call_before_the_phone_rings() {
    check(
        |world| {
            world.commits_take(2.0);
            world.orders_once("101", "0900000001", "order-1");
            world.run(1.0);
            world.orders_hang_up_of(1, "1767225601.1000001".parse().unwrap());
            world.run(6.0);
            assert_eq!(
                told(world, "order-1"),
                "outbound no answer (no answer): agent 101, customer +84900000001, number 842873088088, commanded 487 by switchboard, talked 0 of 1s, 0 legs"
            );
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        1.0s crm -> pbx  hang up
        4.0s pbx -> crm  hung up
        4.0s pbx -> crm  accepted
        ",
    );
}

#[test]
fn a_server_that_stops_ends_the_call_before_the_phone_rings() {
    check(
        |world| {
            world.commits_take(0.5);
            world.orders_once_and("101", "0900000001", "order-1", DialAnswer::WhenPhoneResponds);
            world.end_all();
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        1.0s pbx -> crm  failed: drained 503
        ",
    );
}

#[test]
fn a_crash_before_the_call_is_stored_leaves_a_phone_that_has_not_rung_and_a_key_that_is_free() {
    check(
        |world| {
            world.commits_take(0.5);
            world.orders_once("101", "0900000001", "order-1");
            world.run(0.4);
            world.crashes_for(1.0);
            assert_eq!(world.call_of_key("order-1"), None);
            world.orders_once("101", "0900000001", "order-1");
            world.run(2.0);
            world.refuses("101", 603);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        0.4s the switchboard dies
        1.4s the switchboard starts
        1.4s crm -> pbx  dial 101 0900000001 under order-1
        2.4s pbx -> 101  INVITE 101
        2.4s 101 -> pbx  180 Ringing
        3.4s pbx -> crm  accepted
        3.4s 101 -> pbx  603 Decline
        3.4s pbx -> 101  ACK
        ",
    );
}

#[test]
fn a_crash_after_the_call_is_stored_leaves_a_key_that_has_had_its_call() {
    check(
        |world| {
            world.is_silent("101");
            world.commits_take(0.5);
            world.show_events();
            world.orders_once("101", "0900000001", "order-1");
            world.run(0.6);
            world.crashes_for(1.0);
            world.run(1.0);
            assert_eq!(
                told(world, "order-1"),
                "outbound failed (failed): agent 101, customer +84900000001, number 842873088088, system_crash 500 by switchboard, talked 0 of 0s, 0 legs"
            );
        },
        "
        0.0s crm -> pbx  dial 101 0900000001 under order-1
        0.5s * call.started outbound by click, 101 to +84900000001 over carrier
        0.5s pbx -> 101  INVITE 101
        0.6s the switchboard dies
        1.6s the switchboard starts
        2.1s * call.ended system_crash 500 by switchboard
        ",
    );
}

/// The record of the call that a key has had.
fn told(world: &World, key: &str) -> String {
    let call = world.call_of_key(key).expect("the key has had a call");
    tell_record(&world.rows(1).expect("rows").records[&call])
}
