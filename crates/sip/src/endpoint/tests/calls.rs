//! Calls that go well, and calls that do not come about.

use super::world::{ALICE, BOB};
use super::*;
use crate::{HeaderName, Headers, Method, Transport};

#[test]
fn a_call_from_invite_to_bye() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.ring();
            world.wait(3_000);
            world.answer();
            world.wait(60_000);
            world.hang_up(ALICE);
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100
        0s bob -> alice  180
        0s alice * progress 180
        3s bob -> alice  200
        3s alice -> bob  ACK
        3s alice * answered 200
        3s bob * acked
        63s alice -> bob  BYE
        63s bob -> alice  200 BYE
        63s bob * bye
        ",
    );
}

#[test]
fn the_called_side_hangs_up_as_well() {
    check(
        |world| {
            world.talk();
            world.hang_up(BOB);
        },
        "
        0s bob -> alice  BYE
        0s alice -> bob  200 BYE
        0s alice * bye
        ",
    );
}

#[test]
fn both_hang_up_at_once() {
    check(
        |world| {
            world.talk();
            let now = world.now();
            for who in [ALICE, BOB] {
                let side = &mut world.sides[who];
                side.endpoint.bye(now, side.dialog.unwrap(), Headers::new());
            }
        },
        "
        0s alice -> bob  BYE
        0s bob -> alice  BYE
        0s bob -> alice  200 BYE
        0s alice -> bob  200 BYE
        ",
    );
}

#[test]
fn a_refused_call_is_acknowledged_and_gone() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.refuse(486);
            assert_eq!(world.loads().map(|load| load.dialogs), [0, 0]);
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100
        0s bob -> alice  486
        0s alice -> bob  ACK
        0s alice * refused 486
        ",
    );
}

#[test]
fn hanging_up_an_unanswered_call_of_theirs_refuses_it() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.hang_up(BOB);
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100
        0s bob -> alice  480
        0s alice -> bob  ACK
        0s alice * refused 480
        ",
    );
}

#[test]
fn a_call_over_a_connection_sends_nothing_twice_but_an_unacknowledged_answer() {
    check_over(
        Transport::Tcp,
        |world| {
            world.lose_all("ACK");
            world.invite();
            world.wait(20_000);
            world.accept();
            world.ring();
            world.answer();
            world.wait(1_000);
            world.find_all();
            world.wait(2_000);
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        20s bob -> alice  100
        20s bob -> alice  180
        20s alice * progress 180
        20s bob -> alice  200
        20s alice -> bob  ACK (lost)
        20s alice * answered 200
        20.5s bob -> alice  200
        20.5s alice -> bob  ACK (lost)
        21.5s bob -> alice  200
        21.5s alice -> bob  ACK
        21.5s bob * acked
        ",
    );
}

#[test]
fn every_name_carries_the_mark() {
    let mut world = World::new(Transport::Udp);
    world.invite();
    world.accept();
    world.ring();

    let invite = world.latest(BOB, "INVITE");
    let ringing = world.latest_response(ALICE);

    let via = invite.headers.via().unwrap();
    let (from, to) = (invite.headers.from().unwrap(), ringing.headers.to().unwrap());
    let names = [via.branch().unwrap(), from.tag().unwrap(), invite.headers.call_id().unwrap(), to.tag().unwrap()];
    assert_eq!(names.map(|name| crate::mark_of(name).unwrap()), [b"1", b"1", b"1", b"2"]);
}

#[test]
fn requests_say_who_and_where_we_are() {
    let mut world = World::new(Transport::Tcp);
    world.invite_headers = Headers::new().with(HeaderName::MaxForwards, "12").with(HeaderName::Subject, "tea");
    world.invite();

    let invite = world.latest(BOB, "INVITE");

    let header = |name| String::from_utf8_lossy(invite.headers.get(&name).unwrap()).into_owned();
    assert_eq!(header(HeaderName::Contact), "<sip:alice@10.0.0.1:5060;transport=tcp>");
    assert_eq!(header(HeaderName::MaxForwards), "12");
    assert_eq!(header(HeaderName::Subject), "tea");
    assert_eq!(header(HeaderName::CSeq), "1 INVITE");
    assert_eq!(header(HeaderName::ContentType), "application/sdp");
    assert!(header(HeaderName::Via).starts_with("SIP/2.0/TCP 10.0.0.1:5060;"));
}

#[test]
fn an_info_in_an_early_dialog_reaches_the_other_side() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.ring();
            world.lines.clear();
            world.request_in(ALICE, Method::Info);
            world.respond(BOB, 200);
        },
        "
        0s alice -> bob  INFO
        0s bob * request INFO
        0s bob -> alice  200 INFO
        0s alice * response 200
        ",
    );
}
