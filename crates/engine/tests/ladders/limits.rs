//! What is limited, and what happens when records cannot be stored or the server stops.

use testkit::world::check;

#[test]
fn a_company_has_as_many_calls_as_its_settings_say() {
    check(
        |world| {
            world.settings(|settings| settings.limits.concurrent_calls = 1);
            world.show_events();
            world.calls("101", "102");
            world.run(1.0);
            world.calls("103", "102");
            world.clicks("103", "0900000001");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        0.0s * call.started local by phone, 101 to 102
        0.0s * leg.started 101 as customer who calls
        0.0s * leg.started 102 as agent
        0.0s * leg.ringing 102
        1.0s 103 -> pbx  INVITE 102
        1.0s crm -> pbx  dial 103 0900000001
        1.0s pbx -> 103  503 Service Unavailable
        1.0s 103 -> pbx  ACK
        1.0s * extension.refused 103 limit
        1.0s * extension.refused 103 limit
        1.0s pbx -> crm  failed: limit
        2.0s 101 -> pbx  CANCEL
        2.0s pbx -> 101  200 OK to CANCEL
        2.0s pbx -> 101  487 Request Terminated
        2.0s pbx -> 102  CANCEL
        2.0s 101 -> pbx  ACK
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s pbx -> 102  ACK
        2.0s * leg.ended 101 cancelled 487 by customer
        2.0s * leg.ended 102 cancelled 487 by switchboard
        2.0s * call.ended cancelled 487 by customer
        ",
    );
}

#[test]
fn a_company_begins_as_many_calls_a_second_as_its_settings_say() {
    check(
        |world| {
            world.settings(|settings| settings.limits.calls_per_second = 1);
            world.do_not_disturb("102");
            world.calls("101", "102");
            world.run(0.5);
            world.calls("101", "102");
            world.run(0.5);
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
        0.5s 101 -> pbx  INVITE 102
        0.5s pbx -> 101  503 Service Unavailable
        0.5s 101 -> pbx  ACK
        1.0s 101 -> pbx  INVITE 102
        1.0s pbx -> 101  100 Trying
        1.0s pbx -> 102  INVITE 102
        1.0s 102 -> pbx  486 Busy Here
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  486 Busy Here
        1.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn no_new_call_is_taken_while_the_server_drains_and_present_ones_go_on() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.drain_calls();
            world.calls("103", "102");
            world.clicks("103", "0900000001");
            world.calls("carrier", "02873088088");
            world.registers("103");
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
        2.0s 103 -> pbx  INVITE 102
        2.0s crm -> pbx  dial 103 0900000001
        2.0s carrier -> pbx  INVITE 02873088088
        2.0s 103 -> pbx  REGISTER
        2.0s pbx -> 103  503 Service Unavailable
        2.0s pbx -> carrier  503 Service Unavailable
        2.0s pbx -> 103  200 OK to REGISTER
        2.0s 103 -> pbx  ACK
        2.0s carrier -> pbx  ACK
        2.0s pbx -> crm  failed: drained
        3.0s ~ 101 hears 102, 102 hears 101
        3.5s 102 -> pbx  BYE
        3.5s pbx -> 102  200 OK to BYE
        3.5s pbx -> 101  BYE
        3.5s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn calls_that_are_left_when_draining_is_over_are_ended() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.calls("103", "0900000003");
            world.run(2.0);
            world.drain_calls();
            world.end_all();
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
        2.0s 103 -> pbx  INVITE 0900000003
        2.0s pbx -> 103  100 Trying
        2.0s pbx -> carrier  INVITE 0900000003
        2.0s carrier -> pbx  180 Ringing
        2.0s pbx -> 103  180 Ringing
        4.0s pbx -> 101  BYE: The server is stopping
        4.0s pbx -> 102  BYE: The server is stopping
        4.0s pbx -> 103  503 Service Unavailable
        4.0s pbx -> carrier  CANCEL: The server is stopping
        4.0s 101 -> pbx  200 OK to BYE
        4.0s 102 -> pbx  200 OK to BYE
        4.0s 103 -> pbx  ACK
        4.0s carrier -> pbx  200 OK to CANCEL
        4.0s carrier -> pbx  487 Request Terminated
        4.0s pbx -> carrier  ACK
        ",
    );
}

#[test]
fn no_new_call_is_taken_while_records_cannot_be_stored_and_present_ones_go_on() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.storage_stalls();
            world.calls("103", "102");
            world.run(1.0);
            world.listen();
            world.hangs_up("102");
            world.run(1.0);
            world.show_events();
            world.storage_flows();
            world.run(1.0);
            world.calls("103", "199");
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
        2.0s 103 -> pbx  INVITE 102
        2.0s pbx -> 103  503 Service Unavailable
        2.0s 103 -> pbx  ACK
        3.0s ~ 101 hears 102, 102 hears 101
        3.5s 102 -> pbx  BYE
        3.5s pbx -> 102  200 OK to BYE
        3.5s pbx -> 101  BYE
        3.5s 101 -> pbx  200 OK to BYE
        4.5s * extension.refused 103 storage_stalled
        4.5s * leg.ended 102 hung_up 200 by agent
        4.5s * leg.ended 101 hung_up 200 by switchboard
        4.5s * call.ended hung_up 200 by agent
        4.5s * sound.measured 101 102
        5.5s 103 -> pbx  INVITE 199
        5.5s pbx -> 103  100 Trying
        5.5s pbx -> 103  404 Not Found
        5.5s 103 -> pbx  ACK
        5.5s * call.started local by phone, 103 to 199
        5.5s * leg.started 103 as customer who calls
        5.5s * leg.ended 103 unknown_target 404 by switchboard
        5.5s * call.ended unknown_target 404 by switchboard
        ",
    );
}

#[test]
fn a_call_keeps_the_settings_that_it_began_with_and_limits_are_the_newest() {
    check(
        |world| {
            world.settings(|settings| settings.limits.max_call_seconds = 30);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.settings(|settings| {
                settings.limits.max_call_seconds = 600;
                settings.limits.concurrent_calls = 1;
            });
            world.calls("103", "102");
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
        2.0s 103 -> pbx  INVITE 102
        2.0s pbx -> 103  503 Service Unavailable
        2.0s 103 -> pbx  ACK
        31.0s pbx -> 101  BYE: The call reached its longest allowed time
        31.0s pbx -> 102  BYE: The call reached its longest allowed time
        31.0s 101 -> pbx  200 OK to BYE
        31.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn without_an_address_for_sound_a_call_is_refused_with_a_reason() {
    check(
        |world| {
            world.has_addresses(1);
            world.crashes_for(1.0);
            world.run(1.0);
            world.begin();
            world.show_events();
            world.calls("101", "102");
            world.run(1.0);
            world.clicks("103", "0900000001");
            world.clicks("102", "0900000001");
            world.run(1.0);
            world.hangs_up("103");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  401 Unauthorized
        0.0s 101 -> pbx  ACK
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  503 Service Unavailable
        0.0s 101 -> pbx  ACK
        0.0s * call.started local by phone, 101 to 102
        0.0s * leg.started 101 as customer who calls
        0.0s * leg.ended 101 no_sound_address 503 by switchboard
        0.0s * call.ended no_sound_address 503 by switchboard
        1.0s crm -> pbx  dial 103 0900000001
        1.0s pbx -> 103  INVITE 103
        1.0s crm -> pbx  dial 102 0900000001
        1.0s 103 -> pbx  180 Ringing
        1.0s * call.started outbound by click, 103 to +84900000001 over carrier
        1.0s * leg.started 103 as agent
        1.0s * extension.refused 102 no_sound_address
        1.0s * leg.ringing 103
        1.0s pbx -> crm  failed: no_sound_address
        1.0s pbx -> crm  accepted
        2.0s 103 -> pbx  603 Decline
        2.0s pbx -> 103  ACK
        2.0s * leg.ended 103 declined 603 by agent
        2.0s * call.ended declined 603 by agent
        ",
    );
}

#[test]
fn no_more_calls_go_outside_than_there_are_minutes_left_today() {
    check(
        |world| {
            world.settings(|settings| settings.limits.daily_minutes = Some(1));
            world.show_events();
            world.calls("101", "0900000001");
            world.run(1.0);
            world.calls("103", "0900000002");
            world.clicks("102", "0900000002");
            world.run(1.0);
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        0.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.started +84900000001 as customer
        0.0s * leg.ringing +84900000001
        1.0s 103 -> pbx INVITE 0900000002
        1.0s crm -> pbx dial 102 0900000002
        1.0s pbx -> 103 100 Trying
        1.0s pbx -> 103 403 Forbidden
        1.0s 103 -> pbx ACK
        1.0s * extension.refused 102 minutes_used_up
        1.0s * call.started outbound by phone, 103 to +84900000002 over carrier
        1.0s * leg.started 103 as agent who calls
        1.0s * leg.ended 103 minutes_used_up 403 by switchboard
        1.0s * call.ended minutes_used_up 403 by switchboard
        1.0s pbx -> crm failed: minutes_used_up
        60.0s pbx -> 101 180 Ringing
        120.0s pbx -> 101 180 Ringing
        180.0s pbx -> 101 180 Ringing
        185.0s pbx -> carrier CANCEL: It rang and nobody picked up
        185.0s pbx -> 101 480 Temporarily Unavailable
        185.0s carrier -> pbx 200 OK to CANCEL
        185.0s carrier -> pbx 487 Request Terminated
        185.0s 101 -> pbx ACK
        185.0s pbx -> carrier ACK
        185.0s * leg.ended +84900000001 no_answer 480 by switchboard
        185.0s * leg.ended 101 no_answer 480 by switchboard
        185.0s * call.ended no_answer 480 by switchboard
        ",
    );
}

#[test]
fn minutes_that_are_used_up_stay_so_over_a_crash_until_midnight() {
    check(
        |world| {
            world.settings(|settings| settings.limits.daily_minutes = Some(1));
            world.calls("101", "0900000001");
            world.run(1.0);
            world.answers("carrier");
            world.run(10.0);
            world.hangs_up("101");
            world.run(5.0);
            world.crashes_for(1.0);
            world.begin();
            world.calls("101", "0900000001");
            world.run(1.0);
            world.run(17.0 * 3600.0);
            world.calls("101", "0900000001");
            world.run(1.0);
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 401 Unauthorized
        0.0s 101 -> pbx ACK
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 403 Forbidden
        0.0s 101 -> pbx ACK
        61201.0s 101 -> pbx INVITE 0900000001
        61201.0s pbx -> 101 401 Unauthorized
        61201.0s 101 -> pbx ACK
        61201.0s 101 -> pbx INVITE 0900000001
        61201.0s pbx -> 101 100 Trying
        61201.0s pbx -> carrier INVITE 0900000001
        61201.0s carrier -> pbx 180 Ringing
        61201.0s pbx -> 101 180 Ringing
        61261.0s pbx -> 101 180 Ringing
        61321.0s pbx -> 101 180 Ringing
        61381.0s pbx -> 101 180 Ringing
        61386.0s pbx -> carrier CANCEL: It rang and nobody picked up
        61386.0s pbx -> 101 480 Temporarily Unavailable
        61386.0s carrier -> pbx 200 OK to CANCEL
        61386.0s carrier -> pbx 487 Request Terminated
        61386.0s 101 -> pbx ACK
        61386.0s pbx -> carrier ACK
        ",
    );
}

#[test]
fn what_costs_more_than_a_call_is_refused_unless_it_is_named() {
    check(
        |world| {
            world.settings(|settings| settings.outbound[0].prefix = String::new());
            world.show_events();
            world.calls("101", "19001234");
            world.run(1.0);
            world.clicks("101", "+12025550123");
            world.run(1.0);
        },
        "
        0.0s 101 -> pbx INVITE 19001234
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 403 Forbidden
        0.0s 101 -> pbx ACK
        0.0s * call.started outbound by phone, 101 to 19001234 outside
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.ended 101 destination_closed 403 by switchboard
        0.0s * call.ended destination_closed 403 by switchboard
        1.0s crm -> pbx dial 101 +12025550123
        1.0s * extension.refused 101 destination_closed
        1.0s pbx -> crm failed: destination_closed
        ",
    );
}

#[test]
fn of_a_hundred_calls_at_once_ten_begin_where_ten_may() {
    check(
        |world| {
            world.settings(|settings| {
                settings.limits.concurrent_calls = 10;
                settings.limits.calls_per_second = 1000;
                settings.extensions.get_mut("101").expect("101").lines = 200;
            });
            world.do_not_disturb("101");
            for _ in 0..100 {
                world.clicks("101", "0900000001");
            }
            assert_eq!(world.load().calls, 10);
            world.run(5.0);
            assert_eq!(world.load().calls, 0);
            world.begin();
        },
        "",
    );
}
