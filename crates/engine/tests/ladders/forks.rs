//! Several phones of one extension.

use std::time::Duration;

use sip::Transport;
use testkit::world::phone::Manner;
use testkit::world::{Fate, World, check};

#[test]
fn all_phones_ring_and_the_one_that_answers_has_the_call() {
    check(
        |world| {
            second_phone_of_102(world);
            world.calls("101", "102");
            world.run(2.0);
            world.answers("102b");
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 102b  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s 102b -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.0s 102b -> pbx  200 OK
        2.0s pbx -> 102b  ACK
        2.0s pbx -> 102  CANCEL: Call completed elsewhere
        2.0s pbx -> 101  200 OK
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s 101 -> pbx  ACK
        2.0s pbx -> 102  ACK
        3.0s ~ 101 hears 102b, 102b hears 101
        3.5s 101 -> pbx  BYE
        3.5s pbx -> 101  200 OK to BYE
        3.5s pbx -> 102b  BYE
        3.5s 102b -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn one_phone_that_is_busy_leaves_the_others_ringing() {
    check(
        |world| {
            second_phone_of_102(world);
            world.do_not_disturb("102b");
            world.calls("101", "102");
            world.run(2.0);
            world.answers("102");
            world.run(1.0);
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 102b  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s 102b -> pbx  486 Busy Here
        0.0s pbx -> 101  180 Ringing
        0.0s pbx -> 102b  ACK
        2.0s 102 -> pbx  200 OK
        2.0s pbx -> 102  ACK
        2.0s pbx -> 101  200 OK
        2.0s 101 -> pbx  ACK
        3.0s 102 -> pbx  BYE
        3.0s pbx -> 102  200 OK to BYE
        3.0s pbx -> 101  BYE
        3.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn when_all_refuse_the_caller_hears_the_refusal_that_says_most() {
    check(
        |world| {
            second_phone_of_102(world);
            world.manner("102", Manner::refuses(480));
            world.calls("101", "102");
            world.run(2.0);
            world.refuses("102b", 486);
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 102b  INVITE 102
        0.0s 102 -> pbx  480 Temporarily Unavailable
        0.0s 102b -> pbx  180 Ringing
        0.0s pbx -> 102  ACK
        0.0s pbx -> 101  180 Ringing
        2.0s 102b -> pbx  486 Busy Here
        2.0s pbx -> 102b  ACK
        2.0s pbx -> 101  486 Busy Here
        2.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn two_phones_that_answer_at_once_leave_one_of_them_with_a_bye() {
    check(
        |world| {
            second_phone_of_102(world);
            world.calls("101", "102");
            world.run(2.0);
            world.next_from("102b", "200 OK", Fate::Late(Duration::from_millis(200)));
            world.answers("102b");
            world.answers("102");
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 102b  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s 102b -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.0s 102b -> pbx  200 OK (late by 0.2s)
        2.0s 102 -> pbx  200 OK
        2.0s pbx -> 102  ACK
        2.0s pbx -> 102b  CANCEL: Call completed elsewhere
        2.0s pbx -> 101  200 OK
        2.0s 102b -> pbx  200 OK to CANCEL
        2.0s 101 -> pbx  ACK
        2.2s pbx -> 102b  ACK
        2.2s pbx -> 102b  BYE: Call completed elsewhere
        2.2s 102b -> pbx  200 OK to BYE
        3.0s ~ 101 hears 102, 102 hears 101
        3.5s 101 -> pbx  BYE
        3.5s pbx -> 101  200 OK to BYE
        3.5s pbx -> 102  BYE
        3.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_caller_who_gives_up_ends_the_ringing_of_all() {
    check(
        |world| {
            second_phone_of_102(world);
            world.calls("101", "102");
            world.run(2.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 102b  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s 102b -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.0s 101 -> pbx  CANCEL
        2.0s pbx -> 101  200 OK to CANCEL
        2.0s pbx -> 101  487 Request Terminated
        2.0s pbx -> 102  CANCEL
        2.0s pbx -> 102b  CANCEL
        2.0s 101 -> pbx  ACK
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s 102b -> pbx  200 OK to CANCEL
        2.0s 102b -> pbx  487 Request Terminated
        2.0s pbx -> 102  ACK
        2.0s pbx -> 102b  ACK
        ",
    );
}

#[test]
fn early_sound_of_one_among_several_phones_is_not_passed_on() {
    check(
        |world| {
            second_phone_of_102(world);
            world.manner("102", Manner::default().with_early_sound());
            world.calls("101", "102");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 102b  INVITE 102
        0.0s 102 -> pbx  183 Session Progress
        0.0s 102b -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 101 -> pbx  CANCEL
        1.0s pbx -> 101  200 OK to CANCEL
        1.0s pbx -> 101  487 Request Terminated
        1.0s pbx -> 102  CANCEL
        1.0s pbx -> 102b  CANCEL
        1.0s 101 -> pbx  ACK
        1.0s 102 -> pbx  200 OK to CANCEL
        1.0s 102 -> pbx  487 Request Terminated
        1.0s 102b -> pbx  200 OK to CANCEL
        1.0s 102b -> pbx  487 Request Terminated
        1.0s pbx -> 102  ACK
        1.0s pbx -> 102b  ACK
        ",
    );
}

#[test]
fn a_phone_that_refuses_for_its_owner_ends_the_ringing_of_all() {
    check(
        |world| {
            second_phone_of_102(world);
            world.calls("101", "102");
            world.run(2.0);
            world.refuses("102b", 603);
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 102b  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s 102b -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        2.0s 102b -> pbx  603 Decline
        2.0s pbx -> 102b  ACK
        2.0s pbx -> 102  CANCEL: The called party refused the call
        2.0s pbx -> 101  603 Decline
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s 101 -> pbx  ACK
        2.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_click_whose_one_phone_is_busy_and_whose_other_is_dead_says_busy() {
    let mut world = World::new(7);
    world.begin();
    second_phone_of_102(&mut world);
    world.do_not_disturb("102");
    world.is_silent("102b");

    let ticket = world.clicks("102", "0900000001");
    world.run(6.0);

    let reply = world.reply(ticket);
    assert!(
        matches!(reply, Some(Err(model::Problem::CallFailed { reason: model::Reason::Busy, sip: Some(486), .. }))),
        "{reply:?}"
    );
    world.end();
}

fn second_phone_of_102(world: &mut World) {
    world.add_phone("102b", 1, "102", Transport::Udp);
    world.registers("102b");
    world.run(1.0);
    world.begin();
}
