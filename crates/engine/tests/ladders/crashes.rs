//! The process dies in the middle of calls, and starts again.

use testkit::world::phone::{End, Manner, State};
use testkit::world::{World, check, tell_record};

#[test]
fn both_sides_of_a_conversation_get_a_bye_and_the_record_its_end() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(5.0);
            world.show_events();
            world.crashes_for(2.0);
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
        5.0s the switchboard dies
        7.0s the switchboard starts
        7.0s pbx -> 101  BYE: The server was restarted
        7.0s pbx -> 102  BYE: The server was restarted
        7.0s 101 -> pbx  200 OK to BYE
        7.0s 102 -> pbx  200 OK to BYE
        7.0s * leg.ended 101 system_crash 500 by switchboard
        7.0s * leg.ended 102 system_crash 500 by switchboard
        7.0s * call.ended system_crash 500 by switchboard
        ",
    );
}

#[test]
fn a_carrier_does_not_go_on_billing() {
    check(
        |world| {
            world.answers_after("carrier", 1.0);
            world.calls("101", "0900000001");
            world.run(5.0);
            world.crashes_for(2.0);
            world.run(1.0);
            let rows = world.rows(1).unwrap();
            let record = rows.records.values().next().unwrap();
            assert_eq!(
                tell_record(record),
                "outbound answered (answered): agent 101, customer +84900000001, number 842873088088, system_crash 500 by switchboard, talked 4 of 5s, 2 legs"
            );
        },
        "
        0.0s 101 -> pbx  INVITE 0900000001
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000001
        0.0s carrier -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s carrier -> pbx  200 OK
        1.0s pbx -> carrier  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        5.0s the switchboard dies
        7.0s the switchboard starts
        7.0s pbx -> 101  BYE: The server was restarted
        7.0s pbx -> carrier  BYE: The server was restarted
        7.0s 101 -> pbx  200 OK to BYE
        7.0s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_call_that_rang_is_over_and_its_phones_are_on_their_own() {
    check(
        |world| {
            world.calls("101", "102");
            world.run(5.0);
            world.show_events();
            world.crashes_for(2.0);
            world.run(1.0);
            world.hangs_up("101");
            world.refuses("102", 603);
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        5.0s the switchboard dies
        7.0s the switchboard starts
        7.0s * leg.ended 101 system_crash 500 by switchboard
        7.0s * leg.ended 102 system_crash 500 by switchboard
        7.0s * call.ended system_crash 500 by switchboard
        8.0s 101 -> pbx  CANCEL
        8.0s 102 -> pbx  603 Decline
        8.0s pbx -> 101  481 Call/Transaction Does Not Exist to CANCEL
        8.5s 102 -> pbx  603 Decline
        9.5s 102 -> pbx  603 Decline
        11.5s 102 -> pbx  603 Decline
        15.5s 102 -> pbx  603 Decline
        19.5s 102 -> pbx  603 Decline
        23.5s 102 -> pbx  603 Decline
        27.5s 102 -> pbx  603 Decline
        31.5s 102 -> pbx  603 Decline
        35.5s 102 -> pbx  603 Decline
        39.5s 102 -> pbx  603 Decline
        ",
    );
}

#[test]
fn a_phone_that_was_signed_in_can_be_called_without_signing_in_again() {
    check(
        |world| {
            world.crashes_for(2.0);
            world.do_not_disturb("102");
            world.run(1.0);
            world.begin();
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  401 Unauthorized
        0.0s 101 -> pbx  ACK
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
fn a_recording_ends_at_the_moment_of_death() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("102").unwrap().record = true);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.listen();
            world.show_events();
            world.crashes_for(2.0);
            world.run(1.0);
            assert_eq!(world.on_the_recording(), (vec!["101".to_owned()], vec!["102".to_owned()]));
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
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s the switchboard dies
        4.5s the switchboard starts
        4.5s pbx -> 101  BYE: The server was restarted
        4.5s pbx -> 102  BYE: The server was restarted
        4.5s 101 -> pbx  200 OK to BYE
        4.5s 102 -> pbx  200 OK to BYE
        4.5s * leg.ended 101 system_crash 500 by switchboard
        4.5s * leg.ended 102 system_crash 500 by switchboard
        4.5s * call.ended system_crash 500 by switchboard
        4.5s * recording.closed
        ",
    );
}

#[test]
fn what_was_not_stored_when_it_died_never_was() {
    check(
        |world| {
            world.commits_take(60.0);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(5.0);
            world.show_events();
            world.crash();
            world.commits_take(0.0);
            world.run(2.0);
            world.restart();
            world.run(1.0);
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
        5.0s the switchboard dies
        7.0s the switchboard starts
        8.0s 101 -> pbx  BYE
        8.0s 102 -> pbx  BYE
        8.0s pbx -> 101  481 Call/Transaction Does Not Exist to BYE
        8.0s pbx -> 102  481 Call/Transaction Does Not Exist to BYE
        ",
    );
}

#[test]
fn an_orphaned_leg_whose_party_is_gone_is_given_up() {
    check(
        |world| {
            world.manner("102", Manner::answers(std::time::Duration::from_secs(1)));
            world.calls("101", "102");
            world.run(5.0);
            world.crash();
            world.unplug("102");
            world.run(2.0);
            world.restart();
            world.run(40.0);
            world.plug_in("102");
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
        5.0s the switchboard dies
        7.0s the switchboard starts
        7.0s pbx -> 101  BYE: The server was restarted
        7.0s pbx -> 102  BYE: The server was restarted (lost)
        7.0s 101 -> pbx  200 OK to BYE
        7.5s pbx -> 102  BYE: The server was restarted (lost)
        8.5s pbx -> 102  BYE: The server was restarted (lost)
        10.5s pbx -> 102  BYE: The server was restarted (lost)
        14.5s pbx -> 102  BYE: The server was restarted (lost)
        18.5s pbx -> 102  BYE: The server was restarted (lost)
        22.5s pbx -> 102  BYE: The server was restarted (lost)
        26.5s pbx -> 102  BYE: The server was restarted (lost)
        30.5s pbx -> 102  BYE: The server was restarted (lost)
        34.5s pbx -> 102  BYE: The server was restarted (lost)
        38.5s pbx -> 102  BYE: The server was restarted (lost)
        47.0s 102 -> pbx  BYE
        47.0s pbx -> 102  481 Call/Transaction Does Not Exist to BYE
        ",
    );
}

#[test]
fn a_second_crash_ends_nothing_twice() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(5.0);
            world.show_events();
            world.crashes_for(2.0);
            world.run(5.0);
            world.crashes_for(2.0);
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
        5.0s the switchboard dies
        7.0s the switchboard starts
        7.0s pbx -> 101  BYE: The server was restarted
        7.0s pbx -> 102  BYE: The server was restarted
        7.0s 101 -> pbx  200 OK to BYE
        7.0s 102 -> pbx  200 OK to BYE
        7.0s * leg.ended 101 system_crash 500 by switchboard
        7.0s * leg.ended 102 system_crash 500 by switchboard
        7.0s * call.ended system_crash 500 by switchboard
        12.0s the switchboard dies
        14.0s the switchboard starts
        ",
    );
}

#[test]
fn a_phone_that_has_given_up_is_done_even_if_a_late_180_comes_after_the_crash() {
    let mut world = World::new(1);
    world.delay_next("180", 4.0);
    world.calls("101", "102");
    world.run(1.0);
    world.lose_next("487");
    world.hangs_up("101");
    world.run(0.2);
    world.crashes_for(2.0);

    world.settle();

    assert_eq!(world.phone("101").talks[0].state, State::Gone(End::Unheard));
    world.end();
}
