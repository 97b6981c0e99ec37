//! Session timers (RFC 4028), as refresher and as refreshed.

use super::world::{ALICE, BOB};
use super::*;
use crate::{HeaderName, Headers};

#[test]
fn the_caller_refreshes_at_half_time_by_an_update() {
    check(
        |world| {
            world.refresh_sessions(ALICE, 1_800, 90);
            world.refresh_sessions(BOB, 1_800, 90);
            world.talk();
            let invite = world.latest(BOB, "INVITE");
            assert_eq!(invite.headers.get(&HeaderName::SessionExpires).unwrap(), "1800");
            assert_eq!(invite.headers.get(&HeaderName::MinSe).unwrap(), "90");
            assert!(invite.headers.has_token(&HeaderName::Supported, "timer"));
            let answer = world.latest_response(ALICE);
            assert_eq!(answer.headers.get(&HeaderName::SessionExpires).unwrap(), "1800;refresher=uac");
            assert!(answer.headers.has_token(&HeaderName::Require, "timer"));
            for _ in 0..2 {
                world.wait(900_000);
                let update = world.latest(BOB, "UPDATE");
                assert_eq!(update.headers.get(&HeaderName::SessionExpires).unwrap(), "1800;refresher=uac");
                world.respond(BOB, 200);
            }
        },
        "
        900s alice -> bob  UPDATE
        900s bob * request UPDATE
        900s bob -> alice  200 UPDATE
        1800s alice -> bob  UPDATE
        1800s bob * request UPDATE
        1800s bob -> alice  200 UPDATE
        ",
    );
}

#[test]
fn the_called_side_refreshes_if_the_caller_wants_it() {
    check(
        |world| {
            world.refresh_sessions(BOB, 1_800, 90);
            world.invite_headers = Headers::new()
                .with(HeaderName::Supported, "timer")
                .with(HeaderName::SessionExpires, "600;refresher=uas")
                .with(HeaderName::Allow, "INVITE, UPDATE");
            world.talk();
            let answer = world.latest_response(ALICE);
            assert_eq!(answer.headers.get(&HeaderName::SessionExpires).unwrap(), "600;refresher=uas");
            world.wait(300_000);
            world.respond(ALICE, 200);
        },
        "
        300s bob -> alice  UPDATE
        300s alice * request UPDATE
        300s alice -> bob  200 UPDATE
        ",
    );
}

#[test]
fn a_caller_that_knows_no_timers_is_refreshed_if_a_proxy_asks() {
    let mut world = World::new(crate::Transport::Udp);
    world.refresh_sessions(BOB, 1_800, 90);
    world.invite_headers = Headers::new().with(HeaderName::SessionExpires, "600;refresher=uac");

    world.talk();

    let answer = world.latest_response(ALICE);
    assert_eq!(answer.headers.get(&HeaderName::SessionExpires).unwrap(), "600;refresher=uas");
    assert!(!answer.headers.has(&HeaderName::Require));
}

#[test]
fn nobody_who_never_asked_gets_a_timer() {
    check(
        |world| {
            world.refresh_sessions(BOB, 1_800, 90);
            world.talk();
            assert!(!world.latest_response(ALICE).headers.has(&HeaderName::SessionExpires));
            world.wait(10_000_000);
        },
        "",
    );
}

#[test]
fn a_called_side_that_grants_nothing_is_not_refreshed() {
    check(
        |world| {
            world.refresh_sessions(ALICE, 1_800, 90);
            world.talk();
            world.wait(10_000_000);
        },
        "",
    );
}

#[test]
fn where_no_update_is_taken_the_asker_refreshes_by_a_reinvite() {
    check(
        |world| {
            world.refresh_sessions(ALICE, 1_800, 90);
            world.refresh_sessions(BOB, 1_800, 90);
            world.sides[BOB].endpoint.post.own.allow = "INVITE, ACK".into();
            world.talk();
            world.wait(900_000);
            world.reinvite(ALICE);
            world.respond(BOB, 200);
            world.wait(899_000);
        },
        "
        900s alice * refresh
        900s alice -> bob  INVITE
        900s bob -> alice  100
        900s bob * request INVITE
        900s bob -> alice  200
        900s alice -> bob  ACK
        900s alice * re-INVITE granted 200
        900s bob * acked
        ",
    );
}

#[test]
fn an_update_that_is_not_taken_after_all_gives_way_to_a_reinvite() {
    check(
        |world| {
            world.refresh_sessions(ALICE, 1_800, 90);
            world.refresh_sessions(BOB, 1_800, 90);
            world.talk();
            world.wait(900_000);
            world.respond(BOB, 405);
        },
        "
        900s alice -> bob  UPDATE
        900s bob * request UPDATE
        900s bob -> alice  405 UPDATE
        900s alice * refresh
        ",
    );
}

#[test]
fn a_session_that_the_other_side_does_not_refresh_is_ended_before_its_time() {
    check(
        |world| {
            world.refresh_sessions(BOB, 1_800, 90);
            world.invite_headers = Headers::new()
                .with(HeaderName::Supported, "timer")
                .with(HeaderName::SessionExpires, "1800;refresher=uac");
            world.talk();
            world.wait(1_800_000);
        },
        "
        1768s bob * expired
        1768s bob -> alice  BYE
        1768s alice -> bob  200 BYE
        1768s alice * bye
        ",
    );
}

#[test]
fn a_short_session_leaves_a_third_of_itself_to_be_ended_in() {
    check(
        |world| {
            world.refresh_sessions(BOB, 90, 90);
            world.invite_headers = Headers::new()
                .with(HeaderName::Supported, "timer")
                .with(HeaderName::SessionExpires, "90;refresher=uac");
            world.talk();
            world.wait(100_000);
            world.lines.truncate(1);
        },
        "
        60s bob * expired
        ",
    );
}

#[test]
fn a_refresh_that_nobody_answers_ends_the_call() {
    check(
        |world| {
            world.refresh_sessions(ALICE, 1_800, 90);
            world.refresh_sessions(BOB, 1_800, 90);
            world.talk();
            world.lose_all("UPDATE");
            world.wait(940_000);
            world.lines.retain(|line| !line.contains("UPDATE (lost)"));
        },
        "
        932s alice * expired
        932s alice -> bob  BYE
        932s bob -> alice  200 BYE
        932s bob * bye
        ",
    );
}

#[test]
fn a_refresh_of_a_call_the_other_side_knows_nothing_of_ends_it() {
    check(
        |world| {
            world.refresh_sessions(ALICE, 1_800, 90);
            world.refresh_sessions(BOB, 1_800, 90);
            world.talk();
            world.wait(900_000);
            world.respond(BOB, 481);
        },
        "
        900s alice -> bob  UPDATE
        900s bob * request UPDATE
        900s bob -> alice  481 UPDATE
        900s alice * expired
        900s alice -> bob  BYE
        900s bob -> alice  200 BYE
        900s bob * bye
        ",
    );
}

#[test]
fn their_reinvite_refreshes_as_well_as_an_update() {
    check(
        |world| {
            world.refresh_sessions(BOB, 1_800, 90);
            world.invite_headers = Headers::new()
                .with(HeaderName::Supported, "timer")
                .with(HeaderName::SessionExpires, "1800;refresher=uac");
            world.talk();
            world.wait(1_700_000);
            let headers = world.invite_headers.clone();
            let body = Some(crate::Body::sdp("offer"));
            world.step(ALICE, |endpoint, now, dialog| endpoint.reinvite(now, dialog, headers, body));
            world.respond(BOB, 200);
            world.lines.clear();
            world.wait(1_700_000);
        },
        "",
    );
}

#[test]
fn a_session_that_is_too_brief_is_refused_without_a_trace() {
    check(
        |world| {
            world.refresh_sessions(BOB, 1_800, 300);
            world.invite_headers =
                Headers::new().with(HeaderName::Supported, "timer").with(HeaderName::SessionExpires, "299");
            world.invite();
            assert_eq!(world.latest_response(ALICE).headers.get(&HeaderName::MinSe).unwrap(), "300");
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  422
        0s alice -> bob  ACK
        0s alice * refused 422
        ",
    );
}

#[test]
fn a_wish_for_longer_sessions_is_followed() {
    check(
        |world| {
            world.refresh_sessions(ALICE, 600, 90);
            world.refresh_sessions(BOB, 3_600, 1_000);
            world.invite();
            let invite = world.latest(BOB, "INVITE");
            assert_eq!(invite.headers.get(&HeaderName::SessionExpires).unwrap(), "1000");
            assert_eq!(invite.headers.get(&HeaderName::MinSe).unwrap(), "1000");
            world.accept();
            world.answer();
            let answer = world.latest_response(ALICE);
            assert_eq!(answer.headers.get(&HeaderName::SessionExpires).unwrap(), "1000;refresher=uac");
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  422
        0s alice -> bob  ACK
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice * answered 200
        0s bob * acked
        ",
    );
}

#[test]
fn a_wish_that_makes_no_sense_is_a_refusal() {
    for wish in ["", "Min-SE: 90", "Min-SE: 4000000000"] {
        let mut world = World::new(crate::Transport::Udp);
        world.refresh_sessions(ALICE, 600, 90);
        world.script_bob();
        world.invite();

        world.says("INVITE", 422, "b", wish);

        assert_eq!(world.lines.last().unwrap(), "0s alice * refused 422", "{wish}");
    }
}

#[test]
fn a_side_that_always_wants_longer_sessions_is_given_up() {
    let mut world = World::new(crate::Transport::Udp);
    world.refresh_sessions(ALICE, 600, 90);
    world.script_bob();
    world.invite();

    for longer in 0..5 {
        world.says("INVITE", 422, "b", &format!("Min-SE: {}", 700 + longer));
    }

    assert_eq!(world.lines.iter().filter(|line| line.ends_with("INVITE")).count(), 4);
}

#[test]
fn a_brief_session_in_a_reinvite_is_refused_and_the_call_lives() {
    check(
        |world| {
            world.refresh_sessions(BOB, 1_800, 90);
            world.talk();
            let headers = Headers::new().with(HeaderName::Supported, "timer").with(HeaderName::SessionExpires, "30");
            let body = Some(crate::Body::sdp("offer"));
            world.step(ALICE, |endpoint, now, dialog| endpoint.reinvite(now, dialog, headers, body));
            assert_eq!(world.latest_response(ALICE).headers.get(&HeaderName::MinSe).unwrap(), "90");
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  100
        0s bob -> alice  422
        0s alice -> bob  ACK
        0s alice * re-INVITE refused 422
        ",
    );
}

#[test]
fn a_side_that_forgets_the_timer_later_is_refreshed_by_us() {
    check(
        |world| {
            world.refresh_sessions(BOB, 1_800, 90);
            world.invite_headers = Headers::new()
                .with(HeaderName::Supported, "timer")
                .with(HeaderName::Allow, "UPDATE")
                .with(HeaderName::SessionExpires, "1800;refresher=uac");
            world.talk();
            world.wait(600_000);
            world.reinvite(ALICE);
            world.respond(BOB, 200);
            let answer = world.latest_response(ALICE);
            assert_eq!(answer.headers.get(&HeaderName::SessionExpires).unwrap(), "1800;refresher=uas");
            assert!(!answer.headers.has(&HeaderName::Require));
            world.lines.clear();
            for _ in 0..2 {
                world.wait(900_000);
                world.respond(ALICE, 200);
            }
        },
        "
        1500s bob -> alice  UPDATE
        1500s alice * request UPDATE
        1500s alice -> bob  200 UPDATE
        2400s bob -> alice  UPDATE
        2400s alice * request UPDATE
        2400s alice -> bob  200 UPDATE
        ",
    );
}

#[test]
fn an_offer_that_waits_for_its_answer_does_not_outlive_the_session() {
    check(
        |world| {
            world.refresh_sessions(ALICE, 90, 90);
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>\nSession-Expires: 90;refresher=uas");
            world.wait(55_000);
            world.step(ALICE, |endpoint, now, dialog| endpoint.reinvite(now, dialog, Headers::new(), None));
            world.lines.clear();
            let answer = "Contact: <sip:bob@10.0.0.2>\nSession-Expires: 90;refresher=uas\n\noffer";
            world.says("INVITE", 200, "b", answer);
            world.lines.truncate(2);
            world.hang_up(ALICE);
            world.says("BYE", 200, "b", "");
        },
        "
        55s bob -> alice  200
        55s alice * re-INVITE granted 200, offered
        55s alice -> bob  ACK
        55s alice -> bob  BYE
        55s bob -> alice  200 BYE
        ",
    );
}

#[test]
fn a_request_in_a_call_that_requires_what_we_do_not_know_is_refused() {
    check(
        |world| {
            world.refresh_sessions(BOB, 1_800, 90);
            world.talk();
            let headers = Headers::new().with(HeaderName::Require, "timer, precondition");
            world.step(ALICE, |endpoint, now, dialog| endpoint.update(now, dialog, headers, None));
            assert_eq!(world.latest_response(ALICE).headers.get(&HeaderName::Unsupported).unwrap(), "precondition");
        },
        "
        0s alice -> bob  UPDATE
        0s bob -> alice  420 UPDATE
        0s alice * UPDATE refused 420
        ",
    );
}

#[test]
fn a_call_that_is_over_is_not_refreshed() {
    check(
        |world| {
            world.refresh_sessions(ALICE, 1_800, 90);
            world.refresh_sessions(BOB, 1_800, 90);
            world.talk();
            world.wait(100_000);
            world.hang_up(BOB);
            world.wait(10_000_000);
        },
        "
        100s bob -> alice  BYE
        100s alice -> bob  200 BYE
        100s alice * bye
        ",
    );
}
