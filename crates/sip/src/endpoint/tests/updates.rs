//! UPDATEs of both sides, early and answered, and how offers avoid each other (RFC 3311, 5; RFC 6337, 2.3).

use super::world::{ALICE, BOB};
use super::*;
use crate::{Body, HeaderName, Headers, Method};

#[test]
fn an_update_offers_another_session_in_an_answered_call() {
    check(
        |world| {
            world.talk();
            world.update(BOB, Some("offer"));
            world.respond(ALICE, 200);
            world.update(ALICE, Some("offer"));
            world.respond(BOB, 488);
        },
        "
        0s bob -> alice  UPDATE
        0s alice * request UPDATE
        0s alice -> bob  200 UPDATE
        0s bob * UPDATE granted 200
        0s alice -> bob  UPDATE
        0s bob * request UPDATE
        0s bob -> alice  488 UPDATE
        0s alice * UPDATE refused 488
        ",
    );
}

#[test]
fn a_lost_update_is_sent_again_and_told_once() {
    check(
        |world| {
            world.talk();
            world.lose_next("UPDATE");
            world.lose_next("200 UPDATE");
            world.update(ALICE, None);
            world.wait(500);
            world.respond(BOB, 200);
            world.wait(5_000);
        },
        "
        0s alice -> bob  UPDATE (lost)
        0.5s alice -> bob  UPDATE
        0.5s bob * request UPDATE
        0.5s bob -> alice  200 UPDATE (lost)
        1.5s alice -> bob  UPDATE
        1.5s bob -> alice  200 UPDATE
        1.5s alice * UPDATE granted 200
        ",
    );
}

#[test]
fn an_update_nobody_answers_is_refused_with_408() {
    check(
        |world| {
            world.talk();
            world.lose_all("UPDATE");
            world.update(ALICE, None);
            world.wait(40_000);
            world.lines.retain(|line| line.contains('*'));
        },
        "
        32s alice * UPDATE refused 408
        ",
    );
}

#[test]
fn a_caller_may_offer_anew_before_the_answer_once_its_offer_is_answered() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.update(ALICE, Some("offer"));
            world.lines.clear();
            world.progress(183, Some("answer"));
            world.respond(BOB, 200);
        },
        "
        0s bob -> alice  183
        0s alice -> bob  PRACK
        0s alice * progress 183
        0s alice -> bob  UPDATE
        0s bob -> alice  200 PRACK
        0s bob * request UPDATE
        0s bob -> alice  200 UPDATE
        0s alice * UPDATE granted 200
        ",
    );
}

#[test]
fn the_called_side_may_offer_anew_before_its_answer_too() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.progress(183, Some("answer"));
            world.lines.clear();
            world.update(BOB, Some("offer"));
            world.respond(ALICE, 200);
        },
        "
        0s bob -> alice  UPDATE
        0s alice * request UPDATE
        0s alice -> bob  200 UPDATE
        0s bob * UPDATE granted 200
        ",
    );
}

#[test]
fn an_update_that_only_tells_something_may_go_while_it_rings() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.ring();
            world.lines.clear();
            world.update(BOB, None);
            world.respond(ALICE, 200);
            world.update(ALICE, None);
            world.respond(BOB, 200);
        },
        "
        0s bob -> alice  UPDATE
        0s alice * request UPDATE
        0s alice -> bob  200 UPDATE
        0s bob * UPDATE granted 200
        0s alice -> bob  UPDATE
        0s bob * request UPDATE
        0s bob -> alice  200 UPDATE
        0s alice * UPDATE granted 200
        ",
    );
}

#[test]
fn changes_asked_for_too_early_wait_for_the_answer() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.update(ALICE, Some("offer"));
            world.reinvite(ALICE);
            world.answer();
            world.respond(BOB, 200);
            world.respond(BOB, 200);
            world.lines.retain(|line| line.contains('*'));
        },
        "
        0s alice * answered 200
        0s bob * acked
        0s bob * request UPDATE
        0s alice * UPDATE granted 200
        0s bob * request INVITE
        0s alice * re-INVITE granted 200
        0s bob * acked
        ",
    );
}

#[test]
fn an_offer_that_meets_ours_is_refused_with_491() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.update(ALICE, Some("offer"));
            world.lines.clear();
            world.sends(&update(1, "offer"));
            world.sends(&update(2, ""));
            world.respond(ALICE, 200);
            world.sends(&update(3, "offer").replace("UPDATE", "INVITE"));
            world.sends(&update(3, "").replace("UPDATE", "ACK"));
            world.says("UPDATE", 200, "b", "");
        },
        "
        0s bob -> alice  UPDATE
        0s alice -> bob  491 UPDATE
        0s bob -> alice  UPDATE
        0s alice * request UPDATE
        0s alice -> bob  200 UPDATE
        0s bob -> alice  INVITE
        0s alice -> bob  100
        0s alice -> bob  491
        0s bob -> alice  ACK
        0s bob -> alice  200 UPDATE
        0s alice * UPDATE granted 200
        ",
    );
}

#[test]
fn an_offer_that_meets_their_own_is_refused_with_500_and_a_time() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.lines.clear();
            world.sends(&update(1, "offer"));
            world.sends(&update(2, "offer"));
            assert!(world.latest_response(BOB).headers.retry_after().unwrap().unwrap() <= 10);
            world.sends(&update(3, "offer").replace("UPDATE", "INVITE"));
            world.sends(&update(3, "").replace("UPDATE", "ACK"));
            world.respond(ALICE, 200);
            world.sends(&update(4, "offer"));
            world.respond(ALICE, 200);
        },
        "
        0s bob -> alice  UPDATE
        0s alice * request UPDATE
        0s bob -> alice  UPDATE
        0s alice -> bob  500 UPDATE
        0s bob -> alice  INVITE
        0s alice -> bob  100
        0s alice -> bob  500
        0s bob -> alice  ACK
        0s alice -> bob  200 UPDATE
        0s bob -> alice  UPDATE
        0s alice * request UPDATE
        0s alice -> bob  200 UPDATE
        ",
    );
}

#[test]
fn an_early_offer_meets_the_one_in_our_invite() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 180, "b", "Contact: <sip:bob@10.0.0.2>");
            world.lines.clear();
            world.sends(&update(1, "offer"));
            world.says("INVITE", 487, "b", "");
        },
        "
        0s bob -> alice  UPDATE
        0s alice -> bob  491 UPDATE
        0s bob -> alice  487
        0s alice -> bob  ACK
        0s alice * refused 487
        ",
    );
}

#[test]
fn updates_that_meet_are_tried_again_at_different_times() {
    check(
        |world| {
            world.talk();
            let now = world.now();
            for who in [ALICE, BOB] {
                let side = &mut world.sides[who];
                let body = Some(Body::sdp("again"));
                side.endpoint.update(now, side.dialog.unwrap(), Headers::new(), body);
            }
            world.settle();
            world.wait(2_050);
            world.respond(ALICE, 200);
            world.wait(3_000);
            world.respond(BOB, 200);
            world.lines.retain(|line| line.contains('*'));
            for line in &mut world.lines {
                line.replace_range(..=line.find(' ').unwrap(), "");
            }
        },
        "
        alice * request UPDATE
        bob * UPDATE granted 200
        bob * request UPDATE
        alice * UPDATE granted 200
        ",
    );
}

#[test]
fn a_change_that_is_told_when_to_come_again_does() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.update(ALICE, Some("offer"));
            world.lines.clear();
            world.says("UPDATE", 500, "b", "Retry-After: 3");
            world.wait(3_000);
            world.says("UPDATE", 500, "b", "");
        },
        "
        0s bob -> alice  500 UPDATE
        3s alice -> bob  UPDATE
        3s bob -> alice  500 UPDATE
        3s alice * UPDATE refused 500
        ",
    );
}

#[test]
fn a_side_that_always_refuses_is_given_up() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();
    world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
    world.update(ALICE, Some("offer"));

    let mut numbers = std::collections::BTreeSet::new();
    for _ in 0..10 {
        numbers.insert(world.latest(BOB, "UPDATE").headers.cseq().unwrap().number);
        world.says("UPDATE", 491, "b", "");
        world.wait(4_500);
    }

    let told = world.lines.iter().filter(|line| line.ends_with("UPDATE refused 491")).count();
    assert_eq!((numbers.len(), told), (6, 1));
}

#[test]
fn what_is_asked_for_later_takes_the_place_of_what_waits_of_its_kind() {
    check(
        |world| {
            world.talk();
            world.reinvite_with(ALICE, "first");
            world.reinvite_with(ALICE, "second");
            world.update(ALICE, None);
            world.reinvite_with(ALICE, "third");
            world.lines.clear();
            world.respond(BOB, 200);
            assert_eq!(world.latest(BOB, "INVITE").body, "third");
            world.respond(BOB, 200);
            world.respond(BOB, 200);
            world.lines.retain(|line| line.contains('*'));
        },
        "
        0s alice * re-INVITE granted 200
        0s bob * acked
        0s bob * request INVITE
        0s alice * re-INVITE granted 200
        0s bob * acked
        0s bob * request UPDATE
        0s alice * UPDATE granted 200
        ",
    );
}

#[test]
fn an_offer_in_the_answer_to_an_empty_reinvite_is_answered_in_the_ack() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.lines.clear();
            world.step(ALICE, |endpoint, now, dialog| endpoint.reinvite(now, dialog, Headers::new(), None));
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>\n\noffer");
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>\n\noffer");
            world.wait(600);
            let answer = Some(Body::sdp("our answer"));
            world.step(ALICE, |endpoint, now, dialog| endpoint.acknowledge(now, dialog, answer));
            assert_eq!(world.latest(BOB, "ACK").body, "our answer");
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>\n\noffer");
            assert_eq!(world.latest(BOB, "ACK").body, "our answer");
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  200
        0s alice * re-INVITE granted 200, offered
        0s bob -> alice  200
        0.6s alice -> bob  ACK
        0.6s bob -> alice  200
        0.6s alice -> bob  ACK
        ",
    );
}

#[test]
fn an_offer_nobody_answers_is_acknowledged_without_an_answer() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.lines.clear();
            world.step(ALICE, |endpoint, now, dialog| endpoint.reinvite(now, dialog, Headers::new(), None));
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>\n\noffer");
            world.update(ALICE, Some("offer"));
            world.wait(12_000);
            world.says("UPDATE", 200, "b", "");
            world.lines.truncate(5);
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  200
        0s alice * re-INVITE granted 200, offered
        10s alice -> bob  ACK
        10s alice -> bob  UPDATE
        ",
    );
}

#[test]
fn a_call_that_is_hung_up_while_an_offer_waits_is_acknowledged_first() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.step(ALICE, |endpoint, now, dialog| endpoint.reinvite(now, dialog, Headers::new(), None));
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>\n\noffer");
            world.lines.clear();
            world.hang_up(ALICE);
            world.says("BYE", 200, "b", "");
        },
        "
        0s alice -> bob  ACK
        0s alice -> bob  BYE
        0s bob -> alice  200 BYE
        ",
    );
}

#[test]
fn an_update_of_an_early_fork_moves_that_fork_alone() {
    let mut world = World::new(crate::Transport::Udp);
    world.support(&["100rel"]);
    world.script_bob();
    world.invite();
    for (tag, rseq) in [("b", 1), ("c", 1)] {
        let headers = format!("Require: 100rel\nRSeq: {rseq}\nContact: <sip:{tag}@10.0.0.2>\n\nanswer");
        world.says("INVITE", 183, tag, &headers);
        world.says("PRACK", 200, tag, "");
    }
    world.lines.clear();

    for (number, tag, target) in [(1, "b", "sip:moved@10.0.0.2"), (2, "c", "sip:c@10.0.0.2")] {
        let text = update(number, "offer").replace("tag=b", &format!("tag={tag}"));
        world.sends(&text.replace("<sip:bob@10.0.0.2>\nContent", &format!("<{target}>\nContent")));
        world.respond(ALICE, 200);
    }
    world.says("INVITE", 183, "c", "Require: 100rel\nRSeq: 2");
    let prack = world.latest(BOB, "PRACK");

    let told: Vec<_> = world.lines.iter().filter(|line| line.contains('*')).cloned().collect();
    let expected = ["request UPDATE", "request UPDATE of fork 1", "progress 183 of fork 1"];
    assert_eq!(told, expected.map(|text| format!("0s alice * {text}")));
    assert_eq!(prack.headers.to().unwrap().tag().unwrap(), "c");
}

#[test]
fn whether_the_other_side_takes_an_update_is_known_from_its_allow() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();
    let takes = |world: &World| world.sides[ALICE].endpoint.takes_update(world.sides[ALICE].dialog.unwrap());
    let mut seen = vec![takes(&world)];

    world.says("INVITE", 180, "b", "Allow: INVITE, ACK, UPDATE");
    seen.push(takes(&world));
    world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
    seen.push(takes(&world));
    world.sends(&update(1, "").replace("Content-Type: application/sdp", "Allow: INVITE"));
    seen.push(takes(&world));

    assert_eq!(seen, [false, true, true, false]);
}

#[test]
fn the_headers_of_a_change_are_sent() {
    let mut world = World::new(crate::Transport::Udp);
    world.talk();
    let party = Headers::new().with(HeaderName::PAssertedIdentity, "<sip:0900000001@10.0.0.1>");

    world.step(ALICE, |endpoint, now, dialog| endpoint.update(now, dialog, party.clone(), None));
    world.respond(BOB, 200);
    world.step(ALICE, |endpoint, now, dialog| endpoint.reinvite(now, dialog, party, Some(Body::sdp("offer"))));

    for method in [Method::Update, Method::Invite] {
        let request = world.latest(BOB, &method.to_string());
        assert!(request.headers.has(&HeaderName::PAssertedIdentity), "{method}");
        assert!(request.headers.has(&HeaderName::Contact), "{method}");
    }
}

fn update(number: u32, body: &str) -> String {
    format!(
        "UPDATE sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKup{number}
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>;tag={{alice}}
        Call-ID: {{call}}
        CSeq: {number} UPDATE
        Contact: <sip:bob@10.0.0.2>
        Content-Type: application/sdp

        {body}"
    )
}
