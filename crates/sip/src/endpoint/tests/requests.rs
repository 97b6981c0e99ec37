//! Requests in dialogs: those that belong to one, and those that do not.

use super::world::{ALICE, BOB};
use super::*;
use crate::{Method, Transport};

#[test]
fn a_request_is_answered_by_the_asker() {
    check(
        |world| {
            world.talk();
            world.request_in(BOB, Method::Info);
            world.wait(100);
            world.respond(ALICE, 200);
        },
        "
        0s bob -> alice  INFO
        0s alice * request INFO
        0.1s alice -> bob  200 INFO
        0.1s bob * response 200
        ",
    );
}

#[test]
fn a_request_in_a_dialog_nobody_knows_is_told_so() {
    check(
        |world| {
            call(world);
            world.sends(&info(1, "{alice}").replace("tag=b", "tag=other"));
            world.sends(&info(2, "{alice}").replace("{call}", "other"));
            world.sends(&info(3, "1.0123456789abcdef"));
            world.sends(&info(4, "other"));
        },
        "
        0s bob -> alice  INFO
        0s alice -> bob  481 INFO
        0s bob -> alice  INFO
        0s alice -> bob  481 INFO
        0s bob -> alice  INFO
        0s alice -> bob  481 INFO
        0s bob -> alice  INFO
        0s alice -> bob  481 INFO
        ",
    );
}

#[test]
fn an_ack_of_nothing_is_not_answered() {
    check(
        |world| {
            call(world);
            world.sends(&info(1, "other").replace("INFO", "ACK"));
            world.sends(&info(1, "{alice}").replace("INFO", "ACK"));
        },
        "
        0s bob -> alice  ACK
        0s bob -> alice  ACK
        ",
    );
}

#[test]
fn a_request_out_of_order_is_refused() {
    check(
        |world| {
            call(world);
            world.sends(&info(5, "{alice}"));
            world.sends(&info(4, "{alice}"));
            world.sends(&info(9, "{alice}"));
        },
        "
        0s bob -> alice  INFO
        0s alice * request INFO
        0s bob -> alice  INFO
        0s alice -> bob  500 INFO
        0s bob -> alice  INFO
        0s alice * request INFO
        ",
    );
}

#[test]
fn a_request_after_the_bye_is_told_there_is_no_call() {
    check(
        |world| {
            call(world);
            world.hang_up(ALICE);
            world.sends(&info(1, "{alice}"));
            world.says("BYE", 200, "b", "");
            world.sends(&info(2, "{alice}"));
        },
        "
        0s alice -> bob  BYE
        0s bob -> alice  INFO
        0s alice -> bob  481 INFO
        0s bob -> alice  200 BYE
        0s bob -> alice  INFO
        0s alice -> bob  481 INFO
        ",
    );
}

#[test]
fn an_answer_that_comes_twice_is_told_once() {
    check(
        |world| {
            call(world);
            world.request_in(ALICE, Method::Info);
            world.says("INFO", 200, "b", "");
            world.says("INFO", 200, "b", "");
        },
        "
        0s alice -> bob  INFO
        0s bob -> alice  200 INFO
        0s alice * response 200
        0s bob -> alice  200 INFO
        ",
    );
}

#[test]
fn a_response_to_what_we_never_asked_is_dropped() {
    check(
        |world| {
            world.sends(
                "SIP/2.0 200 OK
                Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1.0123456789abcdef
                From: <sip:alice@10.0.0.1>;tag=a
                To: <sip:bob@10.0.0.2>;tag=b
                Call-ID: nothing
                CSeq: 1 INVITE",
            );
        },
        "
        0s bob -> alice  200
        ",
    );
}

#[test]
fn a_respond_to_what_is_gone_does_nothing() {
    check(
        |world| {
            world.talk();
            world.request_in(BOB, Method::Info);
            world.hang_up(BOB);
            world.respond(ALICE, 200);
        },
        "
        0s bob -> alice  INFO
        0s alice * request INFO
        0s bob -> alice  BYE
        0s alice -> bob  200 BYE
        0s alice -> bob  487 INFO
        0s alice * bye
        ",
    );
}

#[test]
fn an_order_for_a_dialog_that_is_gone_does_nothing() {
    let mut world = World::new(Transport::Udp);
    world.talk();
    let dialog = world.sides[ALICE].dialog.unwrap();
    world.hang_up(BOB);
    world.wait(100_000);
    world.lines.clear();
    let (now, endpoint) = (world.now(), &mut world.sides[ALICE].endpoint);

    endpoint.bye(now, dialog, Default::default());
    endpoint.cancel(now, dialog, Default::default());
    endpoint.reinvite(now, dialog, crate::Headers::new(), Some(crate::Body::sdp("offer")));
    endpoint.request_in(now, dialog, Method::Info, Default::default(), None);
    endpoint.progress(now, dialog, crate::Provisional::new(180));
    endpoint.answer(now, dialog, Default::default(), None);
    endpoint.refuse(now, dialog, 486, Default::default());

    assert!(endpoint.poll_output().is_none());
    assert_eq!(endpoint.snapshot(dialog), None);
}

fn call(world: &mut World) {
    world.script_bob();
    world.invite();
    world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
    world.lines.clear();
}

fn info(number: u32, tag: &str) -> String {
    format!(
        "INFO sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKinfo{number}{}
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>;tag={tag}
        Call-ID: {{call}}
        CSeq: {number} INFO",
        tag.len()
    )
}
