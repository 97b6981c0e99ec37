//! Before the answer: whose sound the caller hears, when one called address turns out to be several phones.

use sip::Method;
use testkit::world::phone::{Manner, Words};
use testkit::world::{World, check};

/// What a carrier's far side sends sound with.
const SOUND: &str = "m=audio {port} RTP/AVP 8";

#[test]
fn the_first_of_several_forks_is_heard_until_a_second_one_rings() {
    check(
        |world| {
            calling_outside(world);
            world.responds("carrier", 183, Words::sound(SOUND).of_fork("one"));
            world.run(0.5);
            world.listen();
            world.responds("carrier", 180, Words::default().of_fork("two"));
            world.run(0.5);
            world.listen();
            world.responds("carrier", 200, Words::sound(SOUND).of_fork("two"));
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000001
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000001
        0.3s carrier -> pbx  183 Session Progress
        0.3s pbx -> 101  183 Session Progress
        0.8s ~ 101 hears carrier, carrier hears 101
        1.3s carrier -> pbx  180 Ringing
        1.8s ~ 101 hears a tone
        2.3s carrier -> pbx  200 OK
        2.3s pbx -> carrier  ACK
        2.3s pbx -> 101  200 OK
        2.3s 101 -> pbx  ACK
        2.8s ~ 101 hears carrier, carrier hears 101
        3.3s 101 -> pbx  BYE
        3.3s pbx -> 101  200 OK to BYE
        3.3s pbx -> carrier  BYE
        3.3s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn two_forks_that_both_send_sound_are_neither_heard() {
    check(
        |world| {
            calling_outside(world);
            world.responds("carrier", 180, Words::default().of_fork("one"));
            world.responds("carrier", 183, Words::sound(SOUND).of_fork("two"));
            world.run(0.5);
            world.listen();
            world.responds("carrier", 200, Words::sound(SOUND).of_fork("one"));
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000001
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000001
        0.3s carrier -> pbx  180 Ringing
        0.3s carrier -> pbx  183 Session Progress
        0.3s pbx -> 101  180 Ringing
        0.8s ~ nobody hears anybody
        1.3s carrier -> pbx  200 OK
        1.3s pbx -> carrier  ACK
        1.3s pbx -> 101  200 OK
        1.3s 101 -> pbx  ACK
        1.8s ~ 101 hears carrier, carrier hears 101
        2.3s 101 -> pbx  BYE
        2.3s pbx -> 101  200 OK to BYE
        2.3s pbx -> carrier  BYE
        2.3s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn sound_that_begins_after_the_ringing_reaches_the_caller() {
    check(
        |world| {
            calling_outside(world);
            world.responds("carrier", 180, Words::default());
            world.run(0.5);
            world.responds("carrier", 183, Words::sound(SOUND));
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000001
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000001
        0.3s carrier -> pbx  180 Ringing
        0.3s pbx -> 101  180 Ringing
        0.8s carrier -> pbx  183 Session Progress
        0.8s pbx -> 101  183 Session Progress
        1.3s ~ 101 hears carrier, carrier hears 101
        1.8s 101 -> pbx  CANCEL
        1.8s pbx -> 101  200 OK to CANCEL
        1.8s pbx -> 101  487 Request Terminated
        1.8s pbx -> carrier  CANCEL
        1.8s 101 -> pbx  ACK
        1.8s carrier -> pbx  200 OK to CANCEL
        1.8s carrier -> pbx  487 Request Terminated
        1.8s pbx -> carrier  ACK
        ",
    );
}

#[test]
fn sound_that_moves_before_the_answer_is_followed() {
    let mut world = World::new(1);
    calling_outside(&mut world);
    world.responds("carrier", 183, Words::sound("m=audio 39998 RTP/AVP 8"));
    world.run(0.5);
    assert!(world.who_hears_whom().iter().all(|(who, _)| who != "carrier"));

    world.responds("carrier", 183, Words::sound(SOUND));
    world.run(0.5);

    assert_eq!(world.who_hears_whom().len(), 2);
    world.hangs_up("101");
    world.settle();
    world.end();
}

#[test]
fn the_description_of_the_answer_counts_whatever_was_said_before() {
    let mut world = World::new(1);
    calling_outside(&mut world);
    world.responds("carrier", 183, Words::sound("m=audio 39998 RTP/AVP 8"));
    world.run(0.5);
    assert!(world.who_hears_whom().iter().all(|(who, _)| who != "carrier"));

    world.responds("carrier", 200, Words::sound(SOUND));
    world.run(0.5);

    assert_eq!(world.who_hears_whom().len(), 2);
    world.hangs_up("101");
    world.settle();
    world.end();
}

#[test]
fn an_update_before_the_answer_changes_what_is_heard() {
    check(
        |world| {
            calling_outside(world);
            let reliably = [("Require", "100rel"), ("RSeq", "1")];
            world.responds("carrier", 183, Words::sound(SOUND).of_fork("one").with(&reliably));
            world.run(0.5);
            world.requests("carrier", Method::Update, Words::sound("m=audio {port} RTP/AVP 8\na=sendonly"));
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000001
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000001
        0.3s carrier -> pbx  183 Session Progress
        0.3s pbx -> carrier  PRACK
        0.3s pbx -> 101  183 Session Progress
        0.3s carrier -> pbx  200 OK to PRACK
        0.8s carrier -> pbx  UPDATE
        0.8s pbx -> carrier  200 OK to UPDATE
        1.3s ~ 101 hears carrier
        1.8s 101 -> pbx  CANCEL
        1.8s pbx -> 101  200 OK to CANCEL
        1.8s pbx -> 101  487 Request Terminated
        1.8s pbx -> carrier  CANCEL
        1.8s 101 -> pbx  ACK
        1.8s carrier -> pbx  200 OK to CANCEL
        1.8s carrier -> pbx  487 Request Terminated
        1.8s pbx -> carrier  ACK
        ",
    );
}

#[test]
fn an_agent_hears_ringing_again_when_a_second_customer_phone_rings() {
    let mut world = World::new(1);
    world.answers_after("101", 1.0);
    world.manner("carrier", Manner::silent());
    world.clicks("101", "0900000001");
    world.run(1.2);
    let heard = |world: &mut World| {
        let all = world.who_hears_whom();
        all.into_iter().find(|(who, _)| who == "101").map(|(_, whom)| whom.join(" and ")).unwrap_or_default()
    };

    let before = heard(&mut world);
    world.responds("carrier", 183, Words::sound(SOUND).of_fork("one"));
    let first = heard(&mut world);
    world.responds("carrier", 183, Words::sound(SOUND).of_fork("two"));
    let second = heard(&mut world);

    assert_eq!([before.as_str(), &first, &second], ["a tone", "carrier", "a tone"]);
    world.hangs_up("101");
    world.settle();
    world.end();
}

/// 101 calls a number at a carrier that waits to be told what to say.
fn calling_outside(world: &mut World) {
    world.manner("carrier", Manner::silent());
    world.calls("101", "0900000001");
    world.run(0.3);
}
