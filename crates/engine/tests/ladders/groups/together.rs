//! Members who ring all at once.

use std::time::Duration;

use model::Strategy;
use sip::Transport;
use testkit::world::phone::Manner;
use testkit::world::{Company, Fate, World, check};

use super::group;

#[test]
fn all_members_ring_at_once_and_whoever_answers_first_has_the_call() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.show_events();
            world.calls("101", "600");
            world.run(2.0);
            world.answers("103");
            world.run(1.0);
            world.listen();
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
        0.0s * call.started local by phone, 101 to 600
        0.0s * leg.started 101 as customer who calls
        0.0s * leg.started 102 as agent
        0.0s * leg.started 103 as agent
        0.0s * leg.ringing 102
        0.0s * leg.ringing 103
        2.0s 103 -> pbx  200 OK
        2.0s pbx -> 103  ACK
        2.0s pbx -> 102  CANCEL: Call completed elsewhere
        2.0s pbx -> 101  200 OK
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s 101 -> pbx  ACK
        2.0s pbx -> 102  ACK
        2.0s * leg.answered 103
        2.0s * leg.ended 102 answered_elsewhere 487 by switchboard
        2.0s * leg.answered 101
        2.0s * call.connected 103 with 101
        3.0s ~ 101 hears 103, 103 hears 101
        3.5s 101 -> pbx  BYE
        3.5s pbx -> 101  200 OK to BYE
        3.5s pbx -> 103  BYE
        3.5s 103 -> pbx  200 OK to BYE
        3.5s * leg.ended 101 hung_up 200 by customer
        3.5s * leg.ended 103 hung_up 200 by switchboard
        3.5s * call.ended hung_up 200 by customer
        3.5s * sound.measured 101 103
        ",
    );
}

#[test]
fn of_two_who_answer_at_once_the_second_is_told_goodbye() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
            world.next_from("103", "200", Fate::Late(Duration::from_millis(300)));
            world.answers("103");
            world.answers("102");
            world.run(1.0);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 102 -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 103 -> pbx  200 OK (late by 0.3s)
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 103  CANCEL: Call completed elsewhere
        1.0s pbx -> 101  200 OK
        1.0s 103 -> pbx  200 OK to CANCEL
        1.0s 101 -> pbx  ACK
        1.3s pbx -> 103  ACK
        1.3s pbx -> 103  BYE: Call completed elsewhere
        1.3s 103 -> pbx  200 OK to BYE
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 102 -> pbx  BYE
        2.5s pbx -> 102  200 OK to BYE
        2.5s pbx -> 101  BYE
        2.5s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_group_rings_for_its_own_time_and_not_for_its_members() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.settings(|settings| {
                settings.groups.get_mut("600").unwrap().ring_seconds = 10;
                settings.extensions.get_mut("102").unwrap().ring_seconds = 5;
            });
            world.calls("101", "600");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 102 -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        10.0s pbx -> 102  CANCEL: It rang and nobody picked up
        10.0s pbx -> 103  CANCEL: It rang and nobody picked up
        10.0s pbx -> 101  480 Temporarily Unavailable
        10.0s 102 -> pbx  200 OK to CANCEL
        10.0s 102 -> pbx  487 Request Terminated
        10.0s 103 -> pbx  200 OK to CANCEL
        10.0s 103 -> pbx  487 Request Terminated
        10.0s 101 -> pbx  ACK
        10.0s pbx -> 102  ACK
        10.0s pbx -> 103  ACK
        ",
    );
}

#[test]
fn whoever_has_no_phone_signed_in_or_no_line_left_is_passed_over() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103", "101"]);
            world.settings(|settings| settings.extensions.get_mut("103").unwrap().lines = 0);
            world.unregisters("101");
            world.run(0.5);
            world.begin();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  INVITE 02873088088
        0.0s pbx -> carrier  100 Trying
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
fn one_who_refuses_everywhere_speaks_for_nobody_else() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
            world.refuses("102", 603);
            world.run(1.0);
            world.answers("103");
            world.run(1.0);
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
        1.0s 102 -> pbx  603 Decline
        1.0s pbx -> 102  ACK
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

#[test]
fn a_caller_who_gives_up_ends_all_that_rings() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
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
        1.0s 101 -> pbx  CANCEL
        1.0s pbx -> 101  200 OK to CANCEL
        1.0s pbx -> 101  487 Request Terminated
        1.0s pbx -> 102  CANCEL
        1.0s pbx -> 103  CANCEL
        1.0s 101 -> pbx  ACK
        1.0s 102 -> pbx  200 OK to CANCEL
        1.0s 102 -> pbx  487 Request Terminated
        1.0s 103 -> pbx  200 OK to CANCEL
        1.0s 103 -> pbx  487 Request Terminated
        1.0s pbx -> 102  ACK
        1.0s pbx -> 103  ACK
        ",
    );
}

#[test]
fn sound_of_one_among_several_before_an_answer_is_heard_by_nobody() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.manner("102", Manner::default().with_early_sound());
            world.calls("101", "600");
            world.run(1.0);
            world.listen();
            world.answers("102");
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 102 -> pbx  183 Session Progress
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s ~ nobody hears anybody
        1.5s 102 -> pbx  200 OK
        1.5s pbx -> 102  ACK
        1.5s pbx -> 103  CANCEL: Call completed elsewhere
        1.5s pbx -> 101  200 OK
        1.5s 103 -> pbx  200 OK to CANCEL
        1.5s 103 -> pbx  487 Request Terminated
        1.5s 101 -> pbx  ACK
        1.5s pbx -> 103  ACK
        2.5s ~ 101 hears 102, 102 hears 101
        3.0s 101 -> pbx  BYE
        3.0s pbx -> 101  200 OK to BYE
        3.0s pbx -> 102  BYE
        3.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_single_member_who_can_be_rung_is_heard_before_the_answer() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.unregisters("103");
            world.run(0.5);
            world.begin();
            world.manner("102", Manner::default().with_early_sound());
            world.calls("101", "600");
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
        1.5s 101 -> pbx  CANCEL
        1.5s pbx -> 101  200 OK to CANCEL
        1.5s pbx -> 101  487 Request Terminated
        1.5s pbx -> 102  CANCEL
        1.5s 101 -> pbx  ACK
        1.5s 102 -> pbx  200 OK to CANCEL
        1.5s 102 -> pbx  487 Request Terminated
        1.5s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_member_who_stands_there_twice_is_rung_once() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "102"]);
            world.calls("101", "600");
            world.run(1.0);
            world.hangs_up("101");
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
fn all_phones_of_a_member_ring() {
    check(
        |world| {
            world.add_phone("102b", 1, "102", Transport::Udp);
            world.registers("102b");
            group(world, Strategy::RingAll, &["102", "103"]);
            world.run(0.5);
            world.begin();
            world.calls("101", "600");
            world.run(1.0);
            world.answers("102b");
            world.run(1.0);
            world.hangs_up("102b");
        },
        "
        0.0s 101 -> pbx  INVITE 600
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 102b  INVITE 102
        0.0s pbx -> 103  INVITE 103
        0.0s 102 -> pbx  180 Ringing
        0.0s 102b -> pbx  180 Ringing
        0.0s 103 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102b -> pbx  200 OK
        1.0s pbx -> 102b  ACK
        1.0s pbx -> 102  CANCEL: Call completed elsewhere
        1.0s pbx -> 103  CANCEL: Call completed elsewhere
        1.0s pbx -> 101  200 OK
        1.0s 102 -> pbx  200 OK to CANCEL
        1.0s 102 -> pbx  487 Request Terminated
        1.0s 103 -> pbx  200 OK to CANCEL
        1.0s 103 -> pbx  487 Request Terminated
        1.0s 101 -> pbx  ACK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 103  ACK
        2.0s 102b -> pbx  BYE
        2.0s pbx -> 102b  200 OK to BYE
        2.0s pbx -> 101  BYE
        2.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_member_who_sends_calls_elsewhere_takes_none_of_the_group() {
    check(
        |world| {
            group(world, Strategy::RingAll, &["102", "103"]);
            world.calls("101", "600");
            world.run(1.0);
            world.redirects("102", "0900000001");
            world.run(1.0);
            world.answers("103");
            world.run(1.0);
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
        1.0s 102 -> pbx  302 Moved Temporarily
        1.0s pbx -> 102  ACK
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

#[test]
fn a_call_rings_all_members_of_a_large_group() {
    let numbers: Vec<String> = (200..280).map(|number| number.to_string()).collect();
    let names: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let carrier = ("carrier", ([198, 51, 100, 1], 5060).into());
    let mut world = World::empty(1);
    world.add_company(Company::new(1, "VPBX_DEMO", &names, "842873088088", carrier));
    world.start();
    for name in &names {
        world.add_phone(name, 1, name, Transport::Udp);
        world.registers(name);
    }
    world.run(1.0);
    world.begin();

    world.calls("200", "600");
    world.run(1.0);
    let rung = world.ladder().lines().filter(|line| line.contains("INVITE 2")).count();
    world.hangs_up("200");
    world.end();

    assert_eq!(rung, 79);
}
