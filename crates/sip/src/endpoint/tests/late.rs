//! INVITEs that are given up, and what comes back for them all the same.

use std::time::Duration;

use super::world::{ALICE, BOB};
use super::*;
use crate::Method;

#[test]
fn an_invite_that_nothing_answers_in_time_is_given_up_and_not_sent_again() {
    check(
        |world| {
            world.answer_within = Some(Duration::from_secs(4));
            world.lose_all("INVITE");
            world.invite();
            world.wait(60_000);
        },
        "
        0s alice -> bob  INVITE (lost)
        0.5s alice -> bob  INVITE (lost)
        1.5s alice -> bob  INVITE (lost)
        3.5s alice -> bob  INVITE (lost)
        4s alice * failed: nobody answered in time
        ",
    );
}

#[test]
fn whatever_comes_back_in_time_keeps_an_invite_alive() {
    check(
        |world| {
            world.answer_within = Some(Duration::from_secs(4));
            world.invite();
            world.accept();
            world.wait(90_000);
            world.refuse(486);
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100
        90s bob -> alice  486
        90s alice -> bob  ACK
        90s alice * refused 486
        ",
    );
}

#[test]
fn a_given_up_invite_is_cancelled_once_something_comes_back() {
    check(
        |world| {
            world.script_bob();
            world.answer_within = Some(Duration::from_secs(4));
            world.invite();
            world.wait(5_000);
            world.lines.clear();
            world.says("INVITE", 180, "b", "");
            world.says("INVITE", 180, "b", "");
            world.says("CANCEL", 200, "b", "");
            world.says("INVITE", 487, "b", "");
        },
        "
        5s bob -> alice  180
        5s alice -> bob  CANCEL
        5s bob -> alice  180
        5s bob -> alice  200 CANCEL
        5s bob -> alice  487
        5s alice -> bob  ACK
        ",
    );
}

#[test]
fn a_given_up_invite_that_is_answered_is_ended_in_silence() {
    check(
        |world| {
            world.script_bob();
            world.answer_within = Some(Duration::from_secs(4));
            world.invite();
            world.wait(5_000);
            world.lines.clear();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.says("BYE", 200, "b", "");
        },
        "
        5s bob -> alice  200
        5s alice -> bob  ACK
        5s alice -> bob  BYE
        5s bob -> alice  200
        5s alice -> bob  ACK
        5s bob -> alice  200 BYE
        ",
    );
}

#[test]
fn a_given_up_invite_that_is_refused_is_acknowledged_in_silence() {
    check(
        |world| {
            world.script_bob();
            world.answer_within = Some(Duration::from_secs(4));
            world.invite();
            world.wait(5_000);
            world.lines.clear();
            world.says("INVITE", 503, "b", "");
        },
        "
        5s bob -> alice  503
        5s alice -> bob  ACK
        ",
    );
}

#[test]
fn an_answer_to_an_invite_that_is_forgotten_is_acknowledged_and_ended() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.wait(100_000);
            world.lines.clear();
            world.says("INVITE", 200, "b", "Contact: <sip:there@10.0.0.9>\nRecord-Route: <sip:10.0.0.5;lr>");
            let (invite, ack, bye) = (world.latest(BOB, "INVITE"), world.latest(BOB, "ACK"), world.latest(BOB, "BYE"));
            assert_eq!([ack.uri.to_string(), bye.uri.to_string()], ["sip:there@10.0.0.9"; 2]);
            assert_eq!(bye.headers.routes().unwrap().len(), 1);
            assert_eq!(ack.headers.cseq().unwrap().number, invite.headers.cseq().unwrap().number);
            assert_eq!(bye.headers.from().unwrap(), invite.headers.from().unwrap());
            assert_eq!(bye.headers.to().unwrap().tag().unwrap(), "b");
            world.says("BYE", 200, "b", "");
        },
        "
        100s bob -> alice  200
        100s alice -> bob  ACK
        100s alice -> bob  BYE
        100s bob -> alice  200 BYE
        ",
    );
}

#[test]
fn a_forgotten_invite_whose_answer_is_sent_again_is_ended_once() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.wait(100_000);
            world.lines.clear();
            world.lose_next("ACK");
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.says("BYE", 481, "b", "");
        },
        "
        100s bob -> alice  200
        100s alice -> bob  ACK (lost)
        100s alice -> bob  BYE
        100s bob -> alice  200
        100s alice -> bob  ACK
        100s bob -> alice  481 BYE
        ",
    );
}

#[test]
fn an_answer_to_what_an_earlier_life_of_ours_asked_is_ended_too() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();
    world.says("INVITE", 180, "b", "");
    world.sides[ALICE] = world::side("10.0.0.1:5060", "77", 1_000);
    world.lines.clear();

    world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");

    assert_eq!(world.lines, ["0s bob -> alice  200", "0s alice -> bob  ACK", "0s alice -> bob  BYE"]);
    let (invite, bye) = (world.latest(BOB, "INVITE"), world.latest(BOB, "BYE"));
    assert!(bye.headers.cseq().unwrap().number > invite.headers.cseq().unwrap().number + 100);
    assert_eq!(bye.headers.call_id().unwrap(), invite.headers.call_id().unwrap());
}

#[test]
fn answers_to_what_others_asked_are_nothing_to_us() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();
    world.sides[ALICE] = world::side("10.0.0.1:5060", "77", 1_000);
    let invite = world.latest(BOB, "INVITE");
    world.lines.clear();

    for (from, to) in [("tag=1.", "tag=9."), ("branch=z9hG4bK1.", "branch=z9hG4bK9."), ("Call-ID: 1.", "Call-ID: 9.")] {
        let mut response = invite.response(200);
        response.set_to_tag("b").unwrap();
        let text = String::from_utf8(response.print().to_vec()).unwrap();
        assert!(text.contains(from), "{text}");
        world.sends(&text.replace(from, to));
    }

    assert_eq!(world.lines, ["0s bob -> alice  200"; 3]);
}

#[test]
fn only_so_many_forgotten_calls_are_ended_at_a_time() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();
    world.wait(100_000);
    world.lines.clear();

    for number in 0..600 {
        world.says("INVITE", 200, &format!("fork{number}"), "Contact: <sip:bob@10.0.0.2>");
    }
    let sent = world.lines.iter().filter(|line| line.ends_with("BYE")).count();
    world.wait(33_000);
    world.lines.clear();
    world.says("INVITE", 200, "later", "Contact: <sip:bob@10.0.0.2>");

    assert_eq!(sent, 512);
    assert_eq!(world.lines.len(), 3);
}

#[test]
fn a_fork_that_answers_after_another_has_refused_for_all_is_ended() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 486, "one", "");
            world.lines.clear();
            world.says("INVITE", 200, "two", "Contact: <sip:two@10.0.0.22>");
            world.says("BYE", 200, "two", "");
        },
        "
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice -> bob  BYE
        0s bob -> alice  200 BYE
        ",
    );
}

#[test]
fn a_bye_that_crosses_our_reinvite_leaves_nothing_unacknowledged() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.reinvite(ALICE);
            world.says("INVITE", 100, "b", "");
            world.lines.clear();
            world.sends(
                "BYE sip:alice@10.0.0.1 SIP/2.0
                Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbye
                From: <sip:bob@10.0.0.2>;tag=b
                To: <sip:alice@10.0.0.1>;tag={alice}
                Call-ID: {call}
                CSeq: 1 BYE",
            );
            world.says("INVITE", 487, "b", "");
            world.says("INVITE", 487, "b", "");
        },
        "
        0s bob -> alice  BYE
        0s alice -> bob  200 BYE
        0s alice * bye
        0s bob -> alice  487
        0s alice -> bob  ACK
        0s bob -> alice  487
        0s alice -> bob  ACK
        ",
    );
}

#[test]
fn our_bye_that_crosses_our_reinvite_leaves_nothing_unacknowledged() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.reinvite(ALICE);
            world.says("INVITE", 100, "b", "");
            world.hang_up(ALICE);
            world.says("BYE", 200, "b", "");
            world.lines.clear();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
        },
        "
        0s bob -> alice  200
        0s alice -> bob  ACK
        ",
    );
}

#[test]
fn a_cancel_says_why() {
    let mut world = World::new(crate::Transport::Udp);
    world.invite();
    world.accept();
    let reason = "SIP;cause=200;text=\"Call completed elsewhere\"";
    let headers = crate::Headers::new().with(crate::HeaderName::Reason, reason);

    world.step(ALICE, |endpoint, now, dialog| endpoint.cancel(now, dialog, headers));

    let cancel = world.latest(BOB, "CANCEL");
    assert_eq!(cancel.method, Method::Cancel);
    assert_eq!(cancel.headers.get(&crate::HeaderName::Reason).unwrap(), reason);
}

#[test]
fn a_bye_that_follows_a_crossed_cancel_says_why_too() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();
    world.says("INVITE", 180, "b", "");
    let reason = "SIP;cause=200;text=\"Call completed elsewhere\"";
    let headers = crate::Headers::new().with(crate::HeaderName::Reason, reason);
    world.step(ALICE, |endpoint, now, dialog| endpoint.cancel(now, dialog, headers));

    world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");

    assert_eq!(world.latest(BOB, "BYE").headers.get(&crate::HeaderName::Reason).unwrap(), reason);
}
