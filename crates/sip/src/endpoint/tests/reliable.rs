//! Provisional answers that are acknowledged (RFC 3262), both ways.

use super::world::{ALICE, BOB};
use super::*;
use crate::{HeaderName, Headers, Method};

#[test]
fn a_reliable_answer_has_its_prack() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.progress(183, Some("answer"));
            let (response, prack) = (&world.sides[ALICE].got[1], world.latest(BOB, "PRACK"));
            let rseq = response.headers().rseq().unwrap().unwrap();
            assert!(response.headers().has_token(&HeaderName::Require, "100rel"));
            assert_eq!(prack.headers.get(&HeaderName::RAck).unwrap(), &format!("{rseq} 1 INVITE"));
            assert_eq!(prack.headers.cseq().unwrap().number, 2);
            world.answer();
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100
        0s bob -> alice  183
        0s alice -> bob  PRACK
        0s alice * progress 183
        0s bob -> alice  200 PRACK
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice * answered 200
        0s bob * acked
        ",
    );
}

#[test]
fn only_what_describes_a_session_is_reliable_for_those_who_merely_can() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.ring();
            assert!(!world.latest_response(ALICE).headers.has(&HeaderName::RSeq));
            world.lines.clear();
            world.progress(183, Some("answer"));
        },
        "
        0s bob -> alice  183
        0s alice -> bob  PRACK
        0s alice * progress 183
        0s bob -> alice  200 PRACK
        ",
    );
}

#[test]
fn everything_is_reliable_for_those_who_insist() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite_headers = Headers::new().with(HeaderName::Require, "100rel");
            world.invite();
            world.accept();
            world.lines.clear();
            world.ring();
        },
        "
        0s bob -> alice  180
        0s alice -> bob  PRACK
        0s alice * progress 180
        0s bob -> alice  200 PRACK
        ",
    );
}

#[test]
fn a_lost_reliable_answer_is_sent_again_at_growing_intervals() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.lines.clear();
            for _ in 0..3 {
                world.lose_next("183");
            }
            world.progress(183, Some("answer"));
            world.wait(10_000);
        },
        "
        0s bob -> alice  183 (lost)
        0.5s bob -> alice  183 (lost)
        1.5s bob -> alice  183 (lost)
        3.5s bob -> alice  183
        3.5s alice -> bob  PRACK
        3.5s alice * progress 183
        3.5s bob -> alice  200 PRACK
        ",
    );
}

#[test]
fn a_lost_prack_is_sent_again_and_copies_of_the_answer_are_swallowed() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("PRACK");
            world.progress(183, Some("answer"));
            world.wait(10_000);
        },
        "
        0s bob -> alice  183
        0s alice -> bob  PRACK (lost)
        0s alice * progress 183
        0.5s alice -> bob  PRACK
        0.5s bob -> alice  183
        0.5s bob -> alice  200 PRACK
        ",
    );
}

#[test]
fn a_lost_answer_to_a_prack_is_given_again() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("200 PRACK");
            world.progress(183, Some("answer"));
            world.wait(10_000);
        },
        "
        0s bob -> alice  183
        0s alice -> bob  PRACK
        0s alice * progress 183
        0s bob -> alice  200 PRACK (lost)
        0.5s alice -> bob  PRACK
        0.5s bob -> alice  200 PRACK
        ",
    );
}

#[test]
fn a_caller_who_never_sends_a_prack_is_refused() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.lose_all("PRACK");
            world.progress(183, Some("answer"));
            world.wait(31_700);
            world.lines.clear();
            world.wait(5_000);
        },
        "
        32s bob -> alice  504
        32s bob * never acked
        32s alice -> bob  ACK
        32s alice * refused 504
        ",
    );
}

#[test]
fn what_follows_waits_for_the_prack() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite_headers = Headers::new().with(HeaderName::Require, "100rel");
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("180");
            world.ring();
            world.progress(183, Some("answer"));
            world.wait(1_000);
        },
        "
        0s bob -> alice  180 (lost)
        0.5s bob -> alice  180
        0.5s alice -> bob  PRACK
        0.5s alice * progress 180
        0.5s bob -> alice  200 PRACK
        0.5s bob -> alice  183
        0.5s alice -> bob  PRACK
        0.5s alice * progress 183
        0.5s bob -> alice  200 PRACK
        ",
    );
}

#[test]
fn a_2xx_waits_for_the_prack_of_an_answer_that_described_a_session() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("183");
            world.progress(183, Some("answer"));
            world.answer();
            world.wait(1_000);
        },
        "
        0s bob -> alice  183 (lost)
        0.5s bob -> alice  183
        0.5s alice -> bob  PRACK
        0.5s alice * progress 183
        0.5s bob -> alice  200 PRACK
        0.5s bob -> alice  200
        0.5s alice -> bob  ACK
        0.5s alice * answered 200
        0.5s bob * acked
        ",
    );
}

#[test]
fn an_answer_that_waits_is_stored_as_one() {
    let mut world = World::new(crate::Transport::Udp);
    world.support(&["100rel"]);
    world.lose_all("PRACK");
    world.invite();
    world.accept();
    world.progress(183, Some("answer"));
    let stored = |world: &World| world.sides[BOB].endpoint.snapshot(world.sides[BOB].dialog.unwrap()).is_some();
    let before = stored(&world);

    world.answer();

    assert_eq!((before, stored(&world)), (false, true));
}

#[test]
fn a_2xx_overtakes_what_only_rang_and_its_prack_is_still_welcome() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite_headers = Headers::new().with(HeaderName::Require, "100rel");
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("PRACK");
            world.ring();
            world.answer();
            world.wait(10_000);
        },
        "
        0s bob -> alice  180
        0s alice -> bob  PRACK (lost)
        0s alice * progress 180
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice * answered 200
        0s bob * acked
        0.5s alice -> bob  PRACK
        0.5s bob -> alice  200 PRACK
        ",
    );
}

#[test]
fn a_caller_who_cancels_while_the_2xx_waits_is_told_so() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_all("183");
            world.progress(183, Some("answer"));
            world.answer();
            world.cancel();
            world.wait(10_000);
        },
        "
        0s bob -> alice  183 (lost)
        0s alice -> bob  CANCEL
        0s bob -> alice  200 CANCEL
        0s bob -> alice  487
        0s bob * cancelled
        0s alice -> bob  ACK
        0s alice * refused 487
        ",
    );
}

#[test]
fn a_prack_for_nothing_is_refused() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.invite();
            world.accept();
            world.progress(183, Some("answer"));
            world.lines.clear();
            world.step(ALICE, |endpoint, now, dialog| {
                let headers = Headers::new().with(HeaderName::RAck, "1 1 INVITE");
                endpoint.request_in(now, dialog, Method::Prack, headers, None);
            });
        },
        "
        0s alice -> bob  PRACK
        0s bob -> alice  481 PRACK
        ",
    );
}

#[test]
fn reliable_answers_are_taken_in_order() {
    let mut world = World::new(crate::Transport::Udp);
    world.support(&["100rel"]);
    world.script_bob();
    world.invite();
    world.lines.clear();

    for rseq in [7, 9, 7, 8, 9] {
        world.says("INVITE", 180, "b", &format!("Require: 100rel\nRSeq: {rseq}\nContact: <sip:bob@10.0.0.2>"));
    }

    let told: Vec<_> = world.lines.iter().filter(|line| !line.contains("bob -> alice")).cloned().collect();
    let expected = ["0s alice -> bob  PRACK", "0s alice * progress 180"].repeat(3);
    assert_eq!(told, expected);
    assert_eq!(world.latest(BOB, "PRACK").headers.get(&HeaderName::RAck).unwrap(), "9 1 INVITE");
}

#[test]
fn each_fork_has_its_own_numbers_and_its_own_pracks() {
    let mut world = World::new(crate::Transport::Udp);
    world.support(&["100rel"]);
    world.script_bob();
    world.invite();
    world.lines.clear();
    let mut targets = Vec::new();

    for (tag, rseq) in [("one", 100), ("two", 5), ("one", 101), ("two", 6)] {
        let headers = format!("Require: 100rel\nRSeq: {rseq}\nContact: <sip:{tag}@10.0.0.2>");
        world.says("INVITE", 183, tag, &headers);
        let prack = world.latest(BOB, "PRACK");
        targets.push(format!("{} {}", prack.uri, prack.headers.to().unwrap().tag().unwrap().escape_ascii()));
        world.says("PRACK", 200, tag, "");
    }

    let (one, two) = ("sip:one@10.0.0.2 one", "sip:two@10.0.0.2 two");
    assert_eq!(targets, [one, two, one, two]);
    let told: Vec<_> = world.lines.iter().filter(|line| line.contains('*')).cloned().collect();
    let (first, second) = ("0s alice * progress 183", "0s alice * progress 183 of fork 1");
    assert_eq!(told, [first, second, first, second]);
}

#[test]
fn what_wants_no_prack_of_those_who_never_said_they_can_gets_none() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();
    world.lines.clear();

    world.says("INVITE", 180, "b", "Require: 100rel\nRSeq: 7\nContact: <sip:bob@10.0.0.2>");

    assert_eq!(world.lines, ["0s bob -> alice  180", "0s alice * progress 180"]);
}

#[test]
fn a_challenged_prack_is_sent_again_with_an_answer() {
    let mut world = World::new(crate::Transport::Udp);
    world.support(&["100rel"]);
    world.login = Some(crate::Login { username: "tongdai".into(), password: "secret".into() });
    world.script_bob();
    world.invite();
    world.says("INVITE", 183, "b", "Require: 100rel\nRSeq: 7\nContact: <sip:bob@10.0.0.2>");
    world.lines.clear();

    world.says("PRACK", 407, "b", "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\"");
    world.says("PRACK", 200, "b", "");

    assert_eq!(world.lines, ["0s bob -> alice  407 PRACK", "0s alice -> bob  PRACK", "0s bob -> alice  200 PRACK"]);
    let prack = world.latest(BOB, "PRACK");
    assert_eq!(prack.headers.get(&HeaderName::RAck).unwrap(), "7 1 INVITE");
    assert_eq!(prack.headers.credentials().unwrap().len(), 1);
    assert_eq!(prack.headers.cseq().unwrap().number, 3);
}

#[test]
fn a_prack_that_offers_is_answered_by_the_asker() {
    check(
        |world| {
            world.support(&["100rel"]);
            world.lose_all("PRACK");
            world.invite();
            world.accept();
            world.lines.clear();
            world.progress(183, Some("answer"));
            let rseq = world.latest_response(ALICE).headers.rseq().unwrap().unwrap();
            world.find_all();
            let headers = Headers::new().with(HeaderName::RAck, format!("{rseq} 1 INVITE"));
            world.step(ALICE, |endpoint, now, dialog| {
                endpoint.request_in(now, dialog, Method::Prack, headers, Some(crate::Body::sdp("offer")));
            });
            world.answer();
            world.respond(BOB, 200);
        },
        "
        0s bob -> alice  183
        0s alice -> bob  PRACK (lost)
        0s alice * progress 183
        0s alice -> bob  PRACK
        0s bob * request PRACK
        0s bob -> alice  200 PRACK
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice * answered 200
        0s bob * acked
        ",
    );
}

#[test]
fn an_offer_in_a_reliable_answer_is_answered_in_the_prack() {
    let mut world = World::new(crate::Transport::Udp);
    world.support(&["100rel"]);
    world.script_bob();
    world.sends(
        "INVITE sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKin
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>
        Contact: <sip:bob@10.0.0.2>
        Call-ID: from-bob
        Supported: 100rel
        CSeq: 1 INVITE",
    );
    let now = world.now();
    let incoming = world.sides[ALICE].incoming.take().unwrap();
    let dialog = world.sides[ALICE].endpoint.accept(now, 8, incoming, crate::NextHop::Flow).unwrap();
    world.sides[ALICE].dialog = Some(dialog);
    let body = Some(crate::Body::sdp("our offer"));
    let provisional = crate::Provisional { status: 183, headers: Headers::new(), body };
    world.step(ALICE, |endpoint, now, dialog| endpoint.progress(now, dialog, provisional));
    let response = world.latest_response(BOB);
    let rseq = response.headers.rseq().unwrap().unwrap();
    let tag = String::from_utf8_lossy(response.headers.to().unwrap().tag().unwrap()).into_owned();
    world.lines.clear();

    world.sends(&format!(
        "PRACK sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKprack
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>;tag={tag}
        Call-ID: from-bob
        RAck: {rseq} 1 INVITE
        Content-Type: application/sdp
        CSeq: 2 PRACK

        their answer"
    ));

    assert_eq!(world.lines, ["0s bob -> alice  PRACK", "0s alice -> bob  200 PRACK", "0s alice * acked"]);
}
