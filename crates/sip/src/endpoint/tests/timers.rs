//! Every timer of RFC 3261, 17, and RFC 6026.

use super::world::{ALICE, BOB};
use super::*;
use crate::{Method, Transport};

#[test]
fn an_invite_nobody_hears_is_sent_again_and_given_up() {
    check(
        |world| {
            world.lose_all("INVITE");
            world.invite();
            world.wait(60_000);
        },
        "
        0s alice -> bob  INVITE (lost)
        0.5s alice -> bob  INVITE (lost)
        1.5s alice -> bob  INVITE (lost)
        3.5s alice -> bob  INVITE (lost)
        7.5s alice -> bob  INVITE (lost)
        15.5s alice -> bob  INVITE (lost)
        31.5s alice -> bob  INVITE (lost)
        32s alice * failed: nobody answered in time
        ",
    );
}

#[test]
fn an_invite_on_a_connection_is_sent_once_and_given_up() {
    check_over(
        Transport::Tls,
        |world| {
            world.lose_all("INVITE");
            world.invite();
            world.wait(60_000);
        },
        "
        0s alice -> bob  INVITE (lost)
        32s alice * failed: nobody answered in time
        ",
    );
}

#[test]
fn a_provisional_answer_ends_the_sending_of_the_invite() {
    check(
        |world| {
            world.lose_next("100");
            world.invite();
            world.accept();
            world.wait(50_000);
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100 (lost)
        0.5s alice -> bob  INVITE
        0.5s bob -> alice  100
        ",
    );
}

#[test]
fn an_invite_sent_again_hears_the_latest_provisional_answer() {
    check(
        |world| {
            world.lose_all("100");
            world.lose_next("180");
            world.invite();
            world.accept();
            world.ring();
            world.wait(2_000);
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100 (lost)
        0s bob -> alice  180 (lost)
        0.5s alice -> bob  INVITE
        0.5s bob -> alice  180
        0.5s alice * progress 180
        ",
    );
}

#[test]
fn ringing_is_told_again_each_minute() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.ring();
            world.lines.clear();
            world.wait(125_000);
        },
        "
        60s bob -> alice  180
        60s alice * progress 180
        120s bob -> alice  180
        120s alice * progress 180
        ",
    );
}

#[test]
fn a_lost_refusal_is_sent_again() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("486");
            world.lose_next("486");
            world.refuse(486);
            world.wait(10_000);
        },
        "
        0s bob -> alice  486 (lost)
        0.5s bob -> alice  486 (lost)
        1.5s bob -> alice  486
        1.5s alice -> bob  ACK
        1.5s alice * refused 486
        ",
    );
}

#[test]
fn a_refusal_without_ack_is_given_up() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_all("486");
            world.refuse(486);
            world.step(ALICE, |endpoint, now, dialog| endpoint.cancel(now, dialog, Default::default()));
            world.wait(100_000);
            world.lines.retain(|line| line.contains("486"));
        },
        "
        0s bob -> alice  486 (lost)
        0.5s bob -> alice  486 (lost)
        1.5s bob -> alice  486 (lost)
        3.5s bob -> alice  486 (lost)
        7.5s bob -> alice  486 (lost)
        11.5s bob -> alice  486 (lost)
        15.5s bob -> alice  486 (lost)
        19.5s bob -> alice  486 (lost)
        23.5s bob -> alice  486 (lost)
        27.5s bob -> alice  486 (lost)
        31.5s bob -> alice  486 (lost)
        ",
    );
}

#[test]
fn a_lost_ack_of_a_refusal_is_sent_again_for_each_refusal() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("ACK");
            world.refuse(486);
            world.wait(10_000);
        },
        "
        0s bob -> alice  486
        0s alice -> bob  ACK (lost)
        0s alice * refused 486
        0.5s bob -> alice  486
        0.5s alice -> bob  ACK
        ",
    );
}

#[test]
fn refusals_are_absorbed_for_32_seconds_and_acks_for_5() {
    let mut world = World::new(Transport::Udp);
    world.invite();
    world.accept();
    world.refuse(486);

    let transactions = [4_900, 200, 26_800, 200].map(|milliseconds| {
        world.wait(milliseconds);
        world.loads().map(|load| load.transactions)
    });

    assert_eq!(transactions, [[1, 1], [1, 0], [1, 0], [0, 0]]);
}

#[test]
fn on_a_connection_a_refused_call_leaves_nothing() {
    let mut world = World::new(Transport::Tcp);
    world.invite();
    world.accept();
    world.refuse(486);

    let loads = world.loads();

    assert_eq!(loads.map(|load| (load.transactions, load.dialogs)), [(0, 0), (0, 0)]);
}

#[test]
fn a_lost_answer_is_sent_again_until_its_ack() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("200");
            world.lose_next("ACK");
            world.answer();
            world.wait(10_000);
        },
        "
        0s bob -> alice  200 (lost)
        0.5s bob -> alice  200
        0.5s alice -> bob  ACK (lost)
        0.5s alice * answered 200
        1.5s bob -> alice  200
        1.5s alice -> bob  ACK
        1.5s bob * acked
        ",
    );
}

#[test]
fn an_answer_without_ack_ends_in_a_bye() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_all("ACK");
            world.answer();
            world.wait(40_000);
            world.lines.retain(|line| !line.contains("ACK"));
        },
        "
        0s bob -> alice  200
        0s alice * answered 200
        0.5s bob -> alice  200
        1.5s bob -> alice  200
        3.5s bob -> alice  200
        7.5s bob -> alice  200
        11.5s bob -> alice  200
        15.5s bob -> alice  200
        19.5s bob -> alice  200
        23.5s bob -> alice  200
        27.5s bob -> alice  200
        31.5s bob -> alice  200
        32s bob * never acked
        32s bob -> alice  BYE
        32s alice -> bob  200 BYE
        32s alice * bye
        ",
    );
}

#[test]
fn an_invite_that_arrives_late_again_is_absorbed_by_the_answered_transaction() {
    check(
        |world| {
            world.talk();
            let copy = world.latest(BOB, "INVITE");
            let (now, flow) = (world.now(), world.flow_from(BOB));
            world.sides[BOB].endpoint.handle_message(now, flow, copy.into());
        },
        "",
    );
}

#[test]
fn a_bye_nobody_hears_is_sent_again_and_ends_silently() {
    check(
        |world| {
            world.talk();
            world.lose_all("BYE");
            world.hang_up(ALICE);
            world.wait(40_000);
            assert_eq!(world.sides[ALICE].endpoint.load().dialogs, 0);
        },
        "
        0s alice -> bob  BYE (lost)
        0.5s alice -> bob  BYE (lost)
        1.5s alice -> bob  BYE (lost)
        3.5s alice -> bob  BYE (lost)
        7.5s alice -> bob  BYE (lost)
        11.5s alice -> bob  BYE (lost)
        15.5s alice -> bob  BYE (lost)
        19.5s alice -> bob  BYE (lost)
        23.5s alice -> bob  BYE (lost)
        27.5s alice -> bob  BYE (lost)
        31.5s alice -> bob  BYE (lost)
        ",
    );
}

#[test]
fn a_lost_answer_to_a_bye_is_given_again() {
    check(
        |world| {
            world.talk();
            world.lose_next("200 BYE");
            world.hang_up(ALICE);
            world.wait(2_000);
        },
        "
        0s alice -> bob  BYE
        0s bob -> alice  200 BYE (lost)
        0s bob * bye
        0.5s alice -> bob  BYE
        0.5s bob -> alice  200 BYE
        ",
    );
}

#[test]
fn a_request_told_to_wait_is_sent_again_every_4_seconds_only() {
    check(
        |world| {
            world.script_bob();
            world.request(Method::Options);
            world.says("OPTIONS", 100, "", "");
            world.wait(10_000);
            world.says("OPTIONS", 200, "b", "");
            world.wait(10_000);
        },
        "
        0s alice -> bob  OPTIONS
        0s bob -> alice  100 OPTIONS
        0.5s alice -> bob  OPTIONS
        4.5s alice -> bob  OPTIONS
        8.5s alice -> bob  OPTIONS
        10s bob -> alice  200 OPTIONS
        10s alice * response 200
        ",
    );
}

#[test]
fn a_request_nobody_answers_fails_after_32_seconds() {
    check_over(
        Transport::Ws,
        |world| {
            world.lose_all("OPTIONS");
            world.request(Method::Options);
            world.wait(40_000);
        },
        "
        0s alice -> bob  OPTIONS (lost)
        32s alice * request failed: nobody answered in time
        ",
    );
}

#[test]
fn an_answered_request_is_remembered_for_32_seconds_and_its_answer_absorbed_for_5() {
    let mut world = World::new(Transport::Udp);
    world.request(Method::Register);
    world.open_and_respond(200);

    let transactions = [4_900, 200, 26_800, 200].map(|milliseconds| {
        world.wait(milliseconds);
        world.loads().map(|load| load.transactions)
    });

    assert_eq!(transactions, [[1, 1], [0, 1], [0, 1], [0, 0]]);
}
