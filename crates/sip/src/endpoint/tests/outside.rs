//! Requests outside of dialogs.

use super::world::{ALICE, BOB};
use super::*;
use crate::{HeaderName, Method, Output, Transport};

#[test]
fn a_request_is_answered_and_its_copy_gets_the_same_answer() {
    check(
        |world| {
            world.lose_next("200 OPTIONS");
            world.request(Method::Options);
            world.open_and_respond(200);
            world.wait(1_000);
        },
        "
        0s alice -> bob  OPTIONS
        0s bob * incoming OPTIONS
        0s bob -> alice  200 OPTIONS (lost)
        0.5s alice -> bob  OPTIONS
        0.5s bob -> alice  200 OPTIONS
        0.5s alice * response 200
        ",
    );
}

#[test]
fn a_stateless_answer_keeps_nothing_and_is_the_same_for_a_copy() {
    let mut world = World::new(Transport::Udp);
    world.lose_next("401 REGISTER");
    world.request(Method::Register);

    let tags = [0, 1_000].map(|wait| {
        world.wait(wait);
        let incoming = world.sides[BOB].incoming.take().unwrap();
        let response = incoming.request.response(401);
        world.sides[BOB].endpoint.answer_stateless(&incoming, response);
        let Some(Output::Send { bytes, .. }) = world.sides[BOB].endpoint.poll_output() else { panic!("no answer") };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.lines().find(|line| line.starts_with("To: ")).unwrap().to_owned()
    });

    assert_eq!(tags[0], tags[1]);
    assert!(tags[0].contains(";tag=2."));
    assert_eq!(world.sides[BOB].endpoint.load().transactions, 0);
}

#[test]
fn an_ack_of_a_stateless_refusal_is_nobodys_news() {
    check(
        |world| {
            world.invite();
            let incoming = world.sides[BOB].incoming.take().unwrap();
            let response = incoming.request.response(403);
            world.sides[BOB].endpoint.answer_stateless(&incoming, response);
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  403
        0s alice -> bob  ACK
        0s alice * refused 403
        ",
    );
}

#[test]
fn a_request_that_came_by_two_ways_is_refused_the_second_time() {
    check(
        |world| {
            world.sends(&options("z9hG4bKone", "", "OPTIONS"));
            world.sides.swap(ALICE, BOB);
            let now = world.now();
            let incoming = world.sides[BOB].incoming.take().unwrap();
            let server = world.sides[BOB].endpoint.open(now, incoming).unwrap();
            world.sides.swap(ALICE, BOB);
            world.sends(&options("z9hG4bKtwo", "", "OPTIONS"));
            let response = crate::Response::new(200);
            world.sides[ALICE].endpoint.respond(now, server, response);
        },
        "
        0s bob -> alice  OPTIONS
        0s alice * incoming OPTIONS
        0s bob -> alice  OPTIONS
        0s alice -> bob  482 OPTIONS
        0s alice -> bob  200 OPTIONS
        ",
    );
}

#[test]
fn a_request_at_the_end_of_its_hops_is_refused() {
    check(
        |world| world.sends(&options("z9hG4bKone", "Max-Forwards: 0", "INVITE")),
        "
        0s bob -> alice  INVITE
        0s alice -> bob  483
        ",
    );
}

#[test]
fn a_question_to_us_needs_no_further_hops() {
    check(
        |world| world.sends(&options("z9hG4bKone", "Max-Forwards: 0", "OPTIONS")),
        "
        0s bob -> alice  OPTIONS
        0s alice * incoming OPTIONS
        ",
    );
}

#[test]
fn a_request_that_requires_what_we_do_not_know_is_refused() {
    check(
        |world| {
            world.sides[ALICE].endpoint.support(&["timer"]);
            world.sends(&options("z9hG4bKone", "Require: timer", "OPTIONS"));
            world.sends(&options("z9hG4bKtwo", "Require: Timer, 100rel\nRequire: nonsense", "OPTIONS"));
            let unsupported = world.latest_response(BOB).headers.get(&HeaderName::Unsupported).cloned();
            assert_eq!(unsupported.unwrap(), "100rel, nonsense");
        },
        "
        0s bob -> alice  OPTIONS
        0s alice * incoming OPTIONS
        0s bob -> alice  OPTIONS
        0s alice -> bob  420 OPTIONS
        ",
    );
}

#[test]
fn a_request_that_needs_a_dialog_and_names_none_is_told_so() {
    check(
        |world| {
            for method in ["BYE", "INFO", "UPDATE", "PRACK"] {
                world.sends(&options(&format!("z9hG4bK{method}"), "", method));
            }
        },
        "
        0s bob -> alice  BYE
        0s alice -> bob  481 BYE
        0s bob -> alice  INFO
        0s alice -> bob  481 INFO
        0s bob -> alice  UPDATE
        0s alice -> bob  481 UPDATE
        0s bob -> alice  PRACK
        0s alice -> bob  481 PRACK
        ",
    );
}

#[test]
fn an_unknown_method_is_the_askers_to_answer() {
    check(
        |world| world.sends(&options("z9hG4bKone", "", "JUMP")),
        "
        0s bob -> alice  JUMP
        0s alice * incoming JUMP
        ",
    );
}

#[test]
fn an_invite_without_contact_is_refused() {
    check(
        |world| world.sends(&options("z9hG4bKone", "", "INVITE")),
        "
        0s bob -> alice  INVITE
        0s alice -> bob  400
        ",
    );
}

#[test]
fn answers_go_where_the_request_came_from_and_say_so() {
    let mut world = World::new(Transport::Udp);
    world.script_bob();
    world.sides[BOB].address = "192.0.2.9:40000".parse().unwrap();

    world.sends(&options("z9hG4bKone;rport", "", "BYE"));

    let via = world.latest_response(BOB).headers.via().unwrap();
    assert_eq!(via.received(), Some("192.0.2.9".parse().unwrap()));
    assert_eq!(via.rport(), crate::Rport::Port(40_000));
}

#[test]
fn a_peer_of_rfc_2543_without_branch_is_known_again() {
    check(
        |world| {
            let register = options("", "", "REGISTER").replace(";branch=", "");
            world.sends(&register);
            world.sides.swap(ALICE, BOB);
            world.open_and_respond(200);
            world.sides.swap(ALICE, BOB);
            world.sends(&register);
        },
        "
        0s bob -> alice  REGISTER
        0s alice * incoming REGISTER
        0s bob -> alice  200 REGISTER
        0s bob -> alice  REGISTER
        0s alice -> bob  200 REGISTER
        ",
    );
}

#[test]
fn each_request_has_a_higher_number_than_the_one_before() {
    let mut world = World::new(Transport::Udp);

    let numbers = [Method::Register, Method::Options, Method::Register].map(|method| {
        let name = method.to_string();
        world.request(method);
        world.latest(BOB, &name).headers.cseq().unwrap().number
    });

    assert!(numbers.is_sorted_by(|a, b| a < b));
}

fn options(branch: &str, more: &str, method: &str) -> String {
    let text = format!(
        "{method} sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch={branch}
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>
        Call-ID: from-bob
        CSeq: 1 {method}\n{more}"
    );
    text.trim_end().to_owned()
}
