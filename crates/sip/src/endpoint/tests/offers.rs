//! Re-INVITEs of both sides, and how they avoid each other (RFC 3261, 14).

use super::world::{ALICE, BOB};
use super::*;
use crate::{HeaderName, Headers, Method};

#[test]
fn a_reinvite_is_answered_and_acknowledged() {
    check(
        |world| {
            world.talk();
            world.reinvite(BOB);
            world.respond(ALICE, 200);
        },
        "
        0s bob -> alice  INVITE
        0s alice -> bob  100
        0s alice * request INVITE
        0s alice -> bob  200
        0s bob -> alice  ACK
        0s bob * re-INVITE granted 200
        0s alice * acked
        ",
    );
}

#[test]
fn a_refused_reinvite_leaves_the_call_as_it_was() {
    check(
        |world| {
            world.talk();
            world.reinvite(ALICE);
            world.respond(BOB, 488);
            world.hang_up(ALICE);
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  100
        0s bob * request INVITE
        0s bob -> alice  488
        0s alice -> bob  ACK
        0s alice * re-INVITE refused 488
        0s alice -> bob  BYE
        0s bob -> alice  200 BYE
        0s bob * bye
        ",
    );
}

#[test]
fn a_lost_answer_to_a_reinvite_is_sent_again_until_its_ack() {
    check(
        |world| {
            world.talk();
            world.reinvite(ALICE);
            world.lines.clear();
            world.lose_next("ACK");
            world.respond(BOB, 200);
            world.wait(5_000);
        },
        "
        0s bob -> alice  200
        0s alice -> bob  ACK (lost)
        0s alice * re-INVITE granted 200
        0.5s bob -> alice  200
        0.5s alice -> bob  ACK
        0.5s bob * acked
        ",
    );
}

#[test]
fn reinvites_that_meet_are_refused_and_tried_again_at_different_times() {
    check(
        |world| {
            world.talk();
            let now = world.now();
            for who in [ALICE, BOB] {
                let side = &mut world.sides[who];
                side.endpoint.reinvite(now, side.dialog.unwrap(), Headers::new(), Some(crate::Body::sdp("again")));
            }
            world.settle();
            world.wait(2_000);
            world.respond(ALICE, 200);
            world.wait(3_000);
            world.respond(BOB, 200);
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  INVITE
        0s bob -> alice  100
        0s bob -> alice  491
        0s alice -> bob  100
        0s alice -> bob  491
        0s alice -> bob  ACK
        0s bob -> alice  ACK
        0.21s bob -> alice  INVITE
        0.21s alice -> bob  100
        0.21s alice * request INVITE
        2s alice -> bob  200
        2s bob -> alice  ACK
        2s bob * re-INVITE granted 200
        2s alice * acked
        3.82s alice -> bob  INVITE
        3.82s bob -> alice  100
        3.82s bob * request INVITE
        5s bob -> alice  200
        5s alice -> bob  ACK
        5s alice * re-INVITE granted 200
        5s bob * acked
        ",
    );
}

#[test]
fn a_second_reinvite_of_theirs_has_to_wait() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.lines.clear();
            world.sends(&reinvite(1));
            world.sends(&reinvite(2));
            let retry_after = world.latest_response(BOB).headers.retry_after().unwrap().unwrap();
            assert!(retry_after <= 10);
            world.sends(&ack(2, "z9hG4bKre2"));
            world.respond(ALICE, 200);
            world.sends(&ack(1, "z9hG4bKack"));
        },
        "
        0s bob -> alice  INVITE
        0s alice -> bob  100
        0s alice * request INVITE
        0s bob -> alice  INVITE
        0s alice -> bob  100
        0s alice -> bob  500
        0s bob -> alice  ACK
        0s alice -> bob  200
        0s bob -> alice  ACK
        0s alice * acked
        ",
    );
}

#[test]
fn a_reinvite_of_ours_waits_for_theirs() {
    check(
        |world| {
            world.talk();
            world.reinvite(BOB);
            world.lines.clear();
            world.reinvite(ALICE);
            world.lose_next("ACK");
            world.respond(ALICE, 200);
            world.wait(1_000);
            world.respond(BOB, 200);
        },
        "
        0s alice -> bob  200
        0s bob -> alice  ACK (lost)
        0s bob * re-INVITE granted 200
        0.5s alice -> bob  200
        0.5s bob -> alice  ACK
        0.5s alice * acked
        0.5s alice -> bob  INVITE
        0.5s bob -> alice  100
        0.5s bob * request INVITE
        1s bob -> alice  200
        1s alice -> bob  ACK
        1s alice * re-INVITE granted 200
        1s bob * acked
        ",
    );
}

#[test]
fn a_further_reinvite_of_ours_follows_with_the_latest_offer() {
    check(
        |world| {
            world.talk();
            for sdp in ["first", "second", "third"] {
                world.reinvite_with(ALICE, sdp);
            }
            assert_eq!(world.latest(BOB, "INVITE").body, "first");
            world.respond(BOB, 200);
            assert_eq!(world.latest(BOB, "INVITE").body, "third");
            world.respond(BOB, 200);
            world.lines.retain(|line| line.contains('*'));
        },
        "
        0s bob * request INVITE
        0s alice * re-INVITE granted 200
        0s bob * acked
        0s bob * request INVITE
        0s alice * re-INVITE granted 200
        0s bob * acked
        ",
    );
}

#[test]
fn a_reinvite_nobody_answers_is_refused_with_408() {
    check(
        |world| {
            world.talk();
            world.lose_all("INVITE");
            world.reinvite(ALICE);
            world.wait(40_000);
            world.lines.retain(|line| !line.contains("INVITE (lost)"));
        },
        "
        32s alice * re-INVITE refused 408
        ",
    );
}

#[test]
fn a_reinvite_of_theirs_can_be_cancelled() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.sends(&reinvite(1));
            world.lines.clear();
            world.sends(&reinvite(1).replace("INVITE", "CANCEL"));
            world.sends(&ack(1, "z9hG4bKre1"));
        },
        "
        0s bob -> alice  CANCEL
        0s alice -> bob  200 CANCEL
        0s alice -> bob  487
        0s bob -> alice  ACK
        ",
    );
}

#[test]
fn a_reinvite_moves_the_target_of_later_requests() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();
    world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
    world.sends(&reinvite(1).replace("<sip:bob@10.0.0.2>\n", "<sip:elsewhere@10.0.0.3>\n"));
    world.respond(ALICE, 200);
    world.sends(&ack(1, "z9hG4bKack"));

    world.hang_up(ALICE);

    assert_eq!(world.latest(BOB, "BYE").uri.to_string(), "sip:elsewhere@10.0.0.3");
}

#[test]
fn an_update_is_answered_with_our_contact() {
    let mut world = World::new(crate::Transport::Udp);
    world.talk();
    world.step(ALICE, |endpoint, now, dialog| {
        endpoint.request_in(now, dialog, Method::Update, Headers::new(), None);
    });

    world.respond(BOB, 200);

    let contact = world.latest_response(ALICE).headers.contact().unwrap();
    assert_eq!(contact.uri.to_string(), "sip:bob@10.0.0.2:5060");
    assert!(world.latest(BOB, "UPDATE").headers.has(&HeaderName::Contact));
}

fn reinvite(number: u32) -> String {
    format!(
        "INVITE sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKre{number}
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>;tag={{alice}}
        Call-ID: {{call}}
        CSeq: {number} INVITE
        Contact: <sip:bob@10.0.0.2>
        Max-Forwards: 70"
    )
}

fn ack(number: u32, branch: &str) -> String {
    format!(
        "ACK sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch={branch}
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>;tag={{alice}}
        Call-ID: {{call}}
        CSeq: {number} ACK"
    )
}
