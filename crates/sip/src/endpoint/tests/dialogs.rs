//! Route sets, targets, and dialogs that outlive a restart.

use super::world::{ALICE, BOB, side};
use super::*;
use crate::{DialogSnapshot, HeaderName, Headers, Provisional, Transport};

#[test]
fn requests_of_a_caller_visit_the_recorded_routes_from_its_own_end() {
    let mut world = World::new(Transport::Udp);
    world.script_bob();
    world.invite();
    let routes = "Record-Route: <sip:far@10.0.0.9;lr>, <sip:middle@10.0.0.8;lr>
        Record-Route: <sip:near@10.0.0.7;lr>";
    world.says("INVITE", 200, "b", &format!("Contact: <sip:bob@10.0.0.2>\n{routes}"));

    world.hang_up(ALICE);

    for method in ["ACK", "BYE"] {
        let request = world.latest(BOB, method);
        let users: Vec<_> = request.headers.routes().unwrap().into_iter().map(|it| it.uri.user.unwrap()).collect();
        assert_eq!(users, ["near", "middle", "far"]);
        assert_eq!(request.uri.to_string(), "sip:bob@10.0.0.2");
    }
}

#[test]
fn requests_of_a_called_side_visit_the_recorded_routes_as_they_stand() {
    let mut world = World::new(Transport::Udp);
    world.invite_headers = Headers::new().with(HeaderName::RecordRoute, "<sip:one@10.0.0.9;lr>, <sip:two@10.0.0.8;lr>");
    world.talk();

    world.hang_up(BOB);

    let request = world.latest(ALICE, "BYE");
    let users: Vec<_> = request.headers.routes().unwrap().into_iter().map(|it| it.uri.user.unwrap()).collect();
    assert_eq!(users, ["one", "two"]);
    assert_eq!(request.uri.to_string(), "sip:alice@10.0.0.1:5060");
}

#[test]
fn answers_that_make_a_dialog_repeat_the_recorded_routes() {
    let mut world = World::new(Transport::Udp);
    world.invite_headers = Headers::new().with(HeaderName::RecordRoute, "<sip:one@10.0.0.9;lr>");
    world.invite();
    world.accept();
    world.ring();

    let ringing = world.latest_response(ALICE);

    assert_eq!(ringing.headers.get(&HeaderName::RecordRoute).unwrap(), "<sip:one@10.0.0.9;lr>");
    assert!(ringing.headers.has(&HeaderName::Contact));
}

#[test]
fn a_strict_router_finds_itself_in_the_request_line() {
    let mut world = World::new(Transport::Udp);
    world.script_bob();
    world.invite();
    let routes = "Record-Route: <sip:loose@10.0.0.9;lr>, <sip:strict@10.0.0.8>";
    world.says("INVITE", 200, "b", &format!("Contact: <sip:bob@10.0.0.2>\n{routes}"));

    let ack = world.latest(BOB, "ACK");

    assert_eq!(ack.uri.to_string(), "sip:strict@10.0.0.8");
    let routes: Vec<_> = ack.headers.routes().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(routes, ["<sip:loose@10.0.0.9;lr>", "<sip:bob@10.0.0.2>"]);
}

#[test]
fn a_refusal_is_acknowledged_where_the_invite_went_whatever_an_early_fork_said() {
    let mut world = World::new(Transport::Udp);
    world.script_bob();
    world.invite();
    world.says("INVITE", 183, "b", "Contact: <sip:early@10.0.0.9>\nRecord-Route: <sip:far@10.0.0.9;lr>");

    world.says("INVITE", 486, "b", "");

    let (invite, ack) = (world.latest(BOB, "INVITE"), world.latest(BOB, "ACK"));
    assert_eq!(ack.uri, invite.uri);
    assert_eq!(ack.headers.via().unwrap().branch(), invite.headers.via().unwrap().branch());
    assert!(!ack.headers.has(&HeaderName::Route));
}

#[test]
fn a_stored_dialog_is_ended_after_a_restart() {
    check(
        |world| {
            world.talk();
            let dialog = world.sides[ALICE].dialog.unwrap();
            let stored = world.sides[ALICE].endpoint.snapshot(dialog).unwrap();
            let address = "10.0.0.1:5060";
            world.sides[ALICE] = side(address, "3", 1_000);
            let now = world.now();
            let restored = world.sides[ALICE].endpoint.restore(now, 7, stored);
            world.sides[ALICE].dialog = Some(restored);
            world.hang_up(ALICE);
        },
        "
        0s alice -> bob  BYE
        0s bob -> alice  200 BYE
        0s bob * bye
        ",
    );
}

#[test]
fn a_stored_dialog_hears_its_bye_after_a_restart() {
    check(
        |world| {
            world.talk();
            let stored: DialogSnapshot = {
                let side = &world.sides[ALICE];
                side.endpoint.snapshot(side.dialog.unwrap()).unwrap()
            };
            world.sides[ALICE] = side("10.0.0.1:5060", "3", 1_000);
            let now = world.now();
            let restored = world.sides[ALICE].endpoint.restore(now, 7, stored);
            world.sides[ALICE].dialog = Some(restored);
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
fn an_unanswered_call_has_nothing_to_store() {
    let mut world = World::new(Transport::Udp);
    world.invite();
    world.accept();

    let stored = world.sides.each_ref().map(|side| side.endpoint.snapshot(side.dialog.unwrap()));

    assert_eq!(stored, [None, None]);
}

#[test]
fn progress_and_answer_say_what_the_asker_gives() {
    let mut world = World::new(Transport::Udp);
    world.invite();
    world.accept();
    world.step(BOB, |endpoint, now, dialog| {
        let body = Some(crate::Body::sdp("early"));
        endpoint.progress(now, dialog, Provisional { status: 183, headers: Headers::new(), body });
    });
    let early = world.latest_response(ALICE);

    world.step(BOB, |endpoint, now, dialog| {
        let headers = Headers::new().with(HeaderName::Contact, "<sip:here@10.0.0.2>").with(HeaderName::Allow, "BYE");
        endpoint.answer(now, dialog, headers, Some(crate::Body::sdp("late")));
    });

    let answer = world.latest_response(ALICE);
    assert_eq!((early.status, &early.body[..]), (183, &b"early"[..]));
    assert_eq!((answer.status, &answer.body[..]), (200, &b"late"[..]));
    assert_eq!(answer.headers.contact().unwrap().uri.to_string(), "sip:here@10.0.0.2");
    assert_eq!(answer.headers.all(&HeaderName::Contact).count(), 1);
    assert_eq!(answer.headers.get(&HeaderName::Allow).unwrap(), "BYE");
}
