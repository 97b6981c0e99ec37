//! A route with several trunks: which one is tried next, when none is, and what the caller hears.

use std::time::Duration;

use model::{Target, Transport};
use sip::HeaderName;
use testkit::world::phone::Manner;
use testkit::world::{World, check};

#[test]
fn the_next_trunk_is_tried_when_nothing_at_all_comes_from_the_first() {
    check(
        |world| {
            two_carriers(world);
            world.unplug("carrier");
            world.calls("101", "0900000002");
        },
        "
        0.0s 101 -> pbx INVITE 0900000002
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000002 (lost)
        0.5s pbx -> carrier INVITE 0900000002 (lost)
        1.5s pbx -> carrier INVITE 0900000002 (lost)
        3.5s pbx -> carrier INVITE 0900000002 (lost)
        4.0s pbx -> backup INVITE 0900000002
        4.0s backup -> pbx 486 Busy Here
        4.0s pbx -> backup ACK
        4.0s pbx -> 101 486 Busy Here
        4.0s 101 -> pbx ACK
        ",
    );
}

#[test]
fn the_next_trunk_is_tried_when_the_first_cannot_take_the_call() {
    for status in [408, 500, 502, 503, 504] {
        assert_eq!(tried_after(status), ["carrier", "backup"], "{status}");
    }
}

#[test]
fn the_next_trunk_is_not_tried_when_the_network_has_refused() {
    for status in [403, 404, 480, 486, 501, 600, 603] {
        assert_eq!(tried_after(status), ["carrier"], "{status}");
    }
}

#[test]
fn a_trunk_that_has_rung_is_the_last_whatever_becomes_of_it() {
    check(
        |world| {
            two_carriers(world);
            world.manner("carrier", Manner::default());
            world.calls("101", "0900000001");
            world.run(3.0);
            world.refuses("carrier", 503);
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        3.0s carrier -> pbx 503 Service Unavailable
        3.0s pbx -> carrier ACK
        3.0s pbx -> 101 500 Server Internal Error
        3.0s 101 -> pbx ACK
        ",
    );
}

#[test]
fn each_try_is_told_and_the_record_names_the_trunk_that_took_the_call() {
    check(
        |world| {
            two_carriers(world);
            world.show_events();
            world.manner("carrier", Manner::refuses(500));
            world.manner("backup", Manner::answers(Duration::from_secs(1)));
            world.calls("101", "0900000001");
            world.run(3.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 500 Server Internal Error
        0.0s pbx -> carrier ACK
        0.0s pbx -> backup INVITE 0900000001
        0.0s backup -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        0.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.started +84900000001 as customer
        0.0s * leg.rerouted +84900000001 to backup after failed 500
        0.0s * leg.ringing +84900000001
        1.0s backup -> pbx 200 OK
        1.0s pbx -> backup ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        1.0s * leg.answered +84900000001
        1.0s * leg.answered 101
        1.0s * call.connected 101 with +84900000001
        3.0s 101 -> pbx BYE
        3.0s pbx -> 101 200 OK to BYE
        3.0s pbx -> backup BYE
        3.0s backup -> pbx 200 OK to BYE
        3.0s * leg.ended 101 hung_up 200 by agent
        3.0s * leg.ended +84900000001 hung_up 200 by switchboard
        3.0s * call.ended hung_up 200 by agent
        ",
    );
}

#[test]
fn an_answer_that_comes_after_the_next_trunk_was_tried_is_ended() {
    check(
        |world| {
            two_carriers(world);
            world.manner("carrier", Manner { rings_after: None, ..Manner::answers(Duration::from_secs(5)) });
            world.manner("backup", Manner::default());
            world.calls("101", "0900000001");
            world.run(8.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.5s pbx -> carrier INVITE 0900000001
        1.5s pbx -> carrier INVITE 0900000001
        3.5s pbx -> carrier INVITE 0900000001
        4.0s pbx -> backup INVITE 0900000001
        4.0s backup -> pbx 180 Ringing
        4.0s pbx -> 101 180 Ringing
        5.0s carrier -> pbx 200 OK
        5.0s pbx -> carrier ACK
        5.0s pbx -> carrier BYE
        5.0s carrier -> pbx 200 OK to BYE
        8.0s 101 -> pbx CANCEL
        8.0s pbx -> 101 200 OK to CANCEL
        8.0s pbx -> 101 487 Request Terminated
        8.0s pbx -> backup CANCEL
        8.0s 101 -> pbx ACK
        8.0s backup -> pbx 200 OK to CANCEL
        8.0s backup -> pbx 487 Request Terminated
        8.0s pbx -> backup ACK
        ",
    );
}

#[test]
fn a_caller_who_gives_up_while_the_second_trunk_is_tried_cancels_that_one() {
    check(
        |world| {
            two_carriers(world);
            world.unplug("carrier");
            world.manner("backup", Manner::default());
            world.calls("101", "0900000001");
            world.run(6.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001 (lost)
        0.5s pbx -> carrier INVITE 0900000001 (lost)
        1.5s pbx -> carrier INVITE 0900000001 (lost)
        3.5s pbx -> carrier INVITE 0900000001 (lost)
        4.0s pbx -> backup INVITE 0900000001
        4.0s backup -> pbx 180 Ringing
        4.0s pbx -> 101 180 Ringing
        6.0s 101 -> pbx CANCEL
        6.0s pbx -> 101 200 OK to CANCEL
        6.0s pbx -> 101 487 Request Terminated
        6.0s pbx -> backup CANCEL
        6.0s 101 -> pbx ACK
        6.0s backup -> pbx 200 OK to CANCEL
        6.0s backup -> pbx 487 Request Terminated
        6.0s pbx -> backup ACK
        ",
    );
}

#[test]
fn a_caller_who_gives_up_before_anything_came_is_not_called_back_by_another_trunk() {
    check(
        |world| {
            two_carriers(world);
            world.unplug("carrier");
            world.calls("101", "0900000001");
            world.run(3.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001 (lost)
        0.5s pbx -> carrier INVITE 0900000001 (lost)
        1.5s pbx -> carrier INVITE 0900000001 (lost)
        3.0s 101 -> pbx CANCEL
        3.0s pbx -> 101 200 OK to CANCEL
        3.0s pbx -> 101 487 Request Terminated
        3.0s 101 -> pbx ACK
        3.5s pbx -> carrier INVITE 0900000001 (lost)
        ",
    );
}

#[test]
fn another_address_of_the_same_trunk_is_tried_before_the_next_trunk() {
    check(
        |world| {
            two_carriers(world);
            world.settings(|settings| {
                let second = settings.trunks[1].resolved[0];
                let first = settings.trunks[0].resolved[0];
                settings.trunks[0].resolved = vec![first, Target { rank: 1, ..second }];
                settings.trunks.truncate(1);
                settings.outbound[0].trunks.truncate(1);
            });
            world.show_events();
            world.unplug("carrier");
            world.manner("backup", Manner::refuses(486));
            world.calls("101", "0900000001");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001 (lost)
        0.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.started +84900000001 as customer
        0.5s pbx -> carrier INVITE 0900000001 (lost)
        1.5s pbx -> carrier INVITE 0900000001 (lost)
        3.5s pbx -> carrier INVITE 0900000001 (lost)
        4.0s pbx -> backup INVITE 0900000001
        4.0s backup -> pbx 486 Busy Here
        4.0s pbx -> backup ACK
        4.0s pbx -> 101 486 Busy Here
        4.0s 101 -> pbx ACK
        4.0s * leg.rerouted +84900000001 to carrier after unreachable 408
        4.0s * leg.ended +84900000001 busy 486 by customer
        4.0s * leg.ended 101 busy 486 by switchboard
        4.0s * call.ended busy 486 by customer
        ",
    );
}

#[test]
fn the_next_trunk_is_tried_at_once_when_a_connection_is_refused() {
    check(
        |world| {
            two_carriers(world);
            world.settings(|settings| settings.trunks[0].resolved[0].transport = Transport::Tcp);
            world.phone("carrier").card.transport = sip::Transport::Tcp;
            world.calls("101", "0900000001");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001 (lost)
        0.0s pbx -> backup INVITE 0900000001
        0.0s backup -> pbx 486 Busy Here
        0.0s pbx -> backup ACK
        0.0s pbx -> 101 486 Busy Here
        0.0s 101 -> pbx ACK
        ",
    );
}

#[test]
fn twelve_seconds_are_all_that_a_caller_waits_for_a_trunk_to_be_found() {
    check(
        |world| {
            two_carriers(world);
            world.settings(|settings| {
                let places = (1..=6).map(|last| Target {
                    rank: last,
                    ..Target::only(([203, 0, 113, last as u8], 5060).into(), Transport::Udp)
                });
                settings.trunks[0].resolved = places.collect();
            });
            world.show_events();
            world.calls("101", "0900000001");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 203.0.113.1:5060 INVITE 0900000001 (lost)
        0.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.started +84900000001 as customer
        0.5s pbx -> 203.0.113.1:5060 INVITE 0900000001 (lost)
        1.5s pbx -> 203.0.113.1:5060 INVITE 0900000001 (lost)
        3.5s pbx -> 203.0.113.1:5060 INVITE 0900000001 (lost)
        4.0s pbx -> 203.0.113.2:5060 INVITE 0900000001 (lost)
        4.0s * leg.rerouted +84900000001 to carrier after unreachable 408
        4.5s pbx -> 203.0.113.2:5060 INVITE 0900000001 (lost)
        5.5s pbx -> 203.0.113.2:5060 INVITE 0900000001 (lost)
        7.5s pbx -> 203.0.113.2:5060 INVITE 0900000001 (lost)
        8.0s pbx -> 203.0.113.3:5060 INVITE 0900000001 (lost)
        8.0s * leg.rerouted +84900000001 to carrier after unreachable 408
        8.5s pbx -> 203.0.113.3:5060 INVITE 0900000001 (lost)
        9.5s pbx -> 203.0.113.3:5060 INVITE 0900000001 (lost)
        11.5s pbx -> 203.0.113.3:5060 INVITE 0900000001 (lost)
        12.0s pbx -> 101 408 Request Timeout
        12.0s 101 -> pbx ACK
        12.0s * leg.ended +84900000001 unreachable 408 by switchboard
        12.0s * leg.ended 101 unreachable 408 by switchboard
        12.0s * call.ended unreachable 408 by switchboard
        ",
    );
}

#[test]
fn a_full_trunk_is_passed_over() {
    check(
        |world| {
            two_carriers(world);
            world.settings(|settings| settings.trunks[0].max_calls = 1);
            world.manner("carrier", Manner::answers(Duration::ZERO));
            world.calls("101", "0900000001");
            world.run(1.0);
            world.begin();
            world.manner("backup", Manner::refuses(486));
            world.calls("102", "0900000002");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 102 -> pbx INVITE 0900000002
        0.0s pbx -> 102 100 Trying
        0.0s pbx -> backup INVITE 0900000002
        0.0s backup -> pbx 486 Busy Here
        0.0s pbx -> backup ACK
        0.0s pbx -> 102 486 Busy Here
        0.0s 102 -> pbx ACK
        1.0s 101 -> pbx BYE
        1.0s pbx -> 101 200 OK to BYE
        1.0s pbx -> carrier BYE
        1.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_trunk_that_asks_to_be_left_alone_is_left_alone_for_so_long() {
    check(
        |world| {
            two_carriers(world);
            world.show_events();
            world.manner("carrier", Manner::refuses(503));
            world.phone("carrier").refuses_with.push(HeaderName::RetryAfter, "20");
            world.manner("backup", Manner::refuses(486));
            world.calls("101", "0900000001");
            world.run(10.0);
            world.calls("101", "0900000001");
            world.run(11.0);
            world.manner("carrier", Manner::refuses(486));
            world.calls("101", "0900000001");
            world.run(1.0);
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 503 Service Unavailable
        0.0s pbx -> carrier ACK
        0.0s pbx -> backup INVITE 0900000001
        0.0s backup -> pbx 486 Busy Here
        0.0s pbx -> backup ACK
        0.0s pbx -> 101 486 Busy Here
        0.0s 101 -> pbx ACK
        0.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.started +84900000001 as customer
        0.0s * leg.rerouted +84900000001 to backup after failed 503
        0.0s * trunk.down carrier: it asked to be left alone for 20 s
        0.0s * leg.ended +84900000001 busy 486 by customer
        0.0s * leg.ended 101 busy 486 by switchboard
        0.0s * call.ended busy 486 by customer
        10.0s 101 -> pbx INVITE 0900000001
        10.0s pbx -> 101 100 Trying
        10.0s pbx -> backup INVITE 0900000001
        10.0s backup -> pbx 486 Busy Here
        10.0s pbx -> backup ACK
        10.0s pbx -> 101 486 Busy Here
        10.0s 101 -> pbx ACK
        10.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        10.0s * leg.started 101 as agent who calls
        10.0s * leg.started +84900000001 as customer
        10.0s * leg.ended +84900000001 busy 486 by customer
        10.0s * leg.ended 101 busy 486 by switchboard
        10.0s * call.ended busy 486 by customer
        20.0s * trunk.up carrier
        21.0s 101 -> pbx INVITE 0900000001
        21.0s pbx -> 101 100 Trying
        21.0s pbx -> carrier INVITE 0900000001
        21.0s carrier -> pbx 486 Busy Here
        21.0s pbx -> carrier ACK
        21.0s pbx -> 101 486 Busy Here
        21.0s 101 -> pbx ACK
        21.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        21.0s * leg.started 101 as agent who calls
        21.0s * leg.started +84900000001 as customer
        21.0s * leg.ended +84900000001 busy 486 by customer
        21.0s * leg.ended 101 busy 486 by switchboard
        21.0s * call.ended busy 486 by customer
        ",
    );
}

#[test]
fn without_any_trunk_left_the_caller_hears_that_there_is_none() {
    check(
        |world| {
            world.manner("carrier", Manner::refuses(503));
            world.phone("carrier").refuses_with.push(HeaderName::RetryAfter, "60");
            world.calls("101", "0900000001");
            world.run(10.0);
            world.begin();
            world.show_events();
            world.calls("101", "0900000001");
            world.run(100.0);
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 503 Service Unavailable
        0.0s 101 -> pbx ACK
        0.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.ended 101 trunks_down 503 by switchboard
        0.0s * call.ended trunks_down 503 by switchboard
        50.0s * trunk.up carrier
        ",
    );
}

#[test]
fn help_is_called_by_a_trunk_that_is_full_and_rests() {
    check(
        |world| {
            world.manner("carrier", Manner::refuses(503));
            world.phone("carrier").refuses_with.push(HeaderName::RetryAfter, "600");
            world.calls("101", "0900000001");
            world.run(1.0);
            world.settings(|settings| {
                settings.limits.concurrent_calls = 0;
                settings.limits.calls_per_second = 0;
                settings.limits.destinations.clear();
                settings.trunks[0].max_calls = 0;
                if let Some(desk) = settings.extensions.get_mut("101") {
                    desk.lines = 0;
                }
            });
            world.begin();
            world.manner("carrier", Manner::refuses(486));
            world.calls("101", "113");
            world.run(1.0);
            world.settings(|settings| settings.trunks[0].health_seconds = Some(0));
        },
        "
        0.0s 101 -> pbx INVITE 113
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 113
        0.0s carrier -> pbx 486 Busy Here
        0.0s pbx -> carrier ACK
        0.0s pbx -> 101 486 Busy Here
        0.0s 101 -> pbx ACK
        ",
    );
}

#[test]
fn the_operators_trunk_has_its_channels_once_for_all_tenants() {
    check(
        |world| {
            let mut shared = None;
            world.settings(|settings| {
                settings.trunks[0].shared = true;
                settings.trunks[0].max_calls = 1;
                shared = settings.trunks.first().cloned();
            });
            world.settings_of(2, |settings| {
                settings.trunks = shared.into_iter().collect();
                settings.outbound[0].trunks = vec!["carrier".into()];
            });
            world.manner("carrier", Manner::answers(Duration::ZERO));
            world.calls("101", "0900000001");
            world.run(1.0);
            world.begin();
            world.show_events();
            world.calls("o101", "0900000002");
            world.run(1.0);
            world.hangs_up("101");
            world.run(1.0);
            world.manner("carrier", Manner::refuses(486));
            world.calls("o101", "0900000002");
        },
        "
        0.0s o101 -> pbx INVITE 0900000002
        0.0s pbx -> o101 100 Trying
        0.0s pbx -> o101 503 Service Unavailable
        0.0s o101 -> pbx ACK
        0.0s * call.started outbound by phone, 101 to +84900000002 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.ended 101 limit 503 by switchboard
        0.0s * call.ended limit 503 by switchboard
        1.0s 101 -> pbx BYE
        1.0s pbx -> 101 200 OK to BYE
        1.0s pbx -> carrier BYE
        1.0s carrier -> pbx 200 OK to BYE
        1.0s * leg.ended 101 hung_up 200 by agent
        1.0s * leg.ended +84900000001 hung_up 200 by switchboard
        1.0s * call.ended hung_up 200 by agent
        2.0s o101 -> pbx INVITE 0900000002
        2.0s pbx -> o101 100 Trying
        2.0s pbx -> carrier INVITE 0900000002
        2.0s carrier -> pbx 486 Busy Here
        2.0s pbx -> carrier ACK
        2.0s pbx -> o101 486 Busy Here
        2.0s o101 -> pbx ACK
        2.0s * call.started outbound by phone, 101 to +84900000002 over carrier
        2.0s * leg.started 101 as agent who calls
        2.0s * leg.started +84900000002 as customer
        2.0s * leg.ended +84900000002 busy 486 by customer
        2.0s * leg.ended 101 busy 486 by switchboard
        2.0s * call.ended busy 486 by customer
        ",
    );
}

#[test]
fn a_crash_while_the_second_trunk_rings_leaves_a_whole_story() {
    check(
        |world| {
            two_carriers(world);
            world.unplug("carrier");
            world.manner("backup", Manner::default());
            world.calls("101", "0900000001");
            world.run(5.0);
            world.show_events();
            world.crashes_for(1.0);
            world.hangs_up("101");
            world.refuses("backup", 480);
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001 (lost)
        0.5s pbx -> carrier INVITE 0900000001 (lost)
        1.5s pbx -> carrier INVITE 0900000001 (lost)
        3.5s pbx -> carrier INVITE 0900000001 (lost)
        4.0s pbx -> backup INVITE 0900000001
        4.0s backup -> pbx 180 Ringing
        4.0s pbx -> 101 180 Ringing
        5.0s the switchboard dies
        6.0s the switchboard starts
        6.0s 101 -> pbx CANCEL
        6.0s backup -> pbx 480 Temporarily Unavailable
        6.0s pbx -> 101 481 Call/Transaction Does Not Exist to CANCEL
        6.0s * leg.ended 101 system_crash 500 by switchboard
        6.0s * leg.ended +84900000001 system_crash 500 by switchboard
        6.0s * call.ended system_crash 500 by switchboard
        6.5s backup -> pbx 480 Temporarily Unavailable
        7.5s backup -> pbx 480 Temporarily Unavailable
        9.5s backup -> pbx 480 Temporarily Unavailable
        13.5s backup -> pbx 480 Temporarily Unavailable
        17.5s backup -> pbx 480 Temporarily Unavailable
        21.5s backup -> pbx 480 Temporarily Unavailable
        25.5s backup -> pbx 480 Temporarily Unavailable
        29.5s backup -> pbx 480 Temporarily Unavailable
        33.5s backup -> pbx 480 Temporarily Unavailable
        37.5s backup -> pbx 480 Temporarily Unavailable
        ",
    );
}

#[test]
fn a_click_to_call_finds_the_second_trunk_while_the_agent_hears_our_ringing() {
    check(
        |world| {
            two_carriers(world);
            world.manner("carrier", Manner::refuses(503));
            world.manner("backup", Manner::answers(Duration::from_secs(1)));
            world.answers_after("101", 0.0);
            world.clicks("101", "0900000001");
            world.run(3.0);
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx dial 101 0900000001
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 180 Ringing
        0.0s 101 -> pbx 200 OK
        0.0s pbx -> 101 ACK
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 503 Service Unavailable
        0.0s pbx -> carrier ACK
        0.0s pbx -> backup INVITE 0900000001
        0.0s backup -> pbx 180 Ringing
        0.0s pbx -> crm accepted
        1.0s backup -> pbx 200 OK
        1.0s pbx -> backup ACK
        3.0s 101 -> pbx BYE
        3.0s pbx -> 101 200 OK to BYE
        3.0s pbx -> backup BYE
        3.0s backup -> pbx 200 OK to BYE
        ",
    );
}

/// A second carrier, which takes what the first cannot.
fn two_carriers(world: &mut World) {
    world.add_second_carrier("backup");
    world.manner("backup", Manner::refuses(486));
}

/// The carriers that are called when the first refuses with a status.
fn tried_after(status: u16) -> Vec<&'static str> {
    let mut world = World::new(1);
    two_carriers(&mut world);
    world.manner("carrier", Manner::refuses(status));
    world.calls("101", "0900000001");
    world.settle();
    let tried = ["carrier", "backup"].into_iter().filter(|name| !world.phone(name).talks.is_empty()).collect();
    world.end();
    tried
}
