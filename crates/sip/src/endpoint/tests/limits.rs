//! What happens when too much is going on, and that finished things take no memory.

use super::world::{ALICE, BOB, side};
use super::*;
use crate::{Method, Transport};

#[test]
fn a_call_beyond_the_limit_is_refused_with_503() {
    check(
        |world| {
            world.sides[BOB] = side("10.0.0.2:5060", "2", 1);
            world.invite();
            world.accept();
            world.lines.clear();
            let dialogs = world.sides.each_ref().map(|side| side.dialog);
            world.invite();
            world.accept();
            assert_eq!(world.latest_response(ALICE).headers.retry_after(), Ok(Some(10)));
            for (side, dialog) in world.sides.iter_mut().zip(dialogs) {
                side.dialog = dialog;
            }
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob * too many calls or requests are under way
        0s bob -> alice  503
        0s alice -> bob  ACK
        0s alice * refused 503
        ",
    );
}

#[test]
fn a_call_of_ours_beyond_the_limit_is_not_made() {
    check(
        |world| {
            world.sides[ALICE] = side("10.0.0.1:5060", "1", 1);
            world.invite();
            world.accept();
            world.lines.clear();
            world.invite();
            world.request(Method::Options);
        },
        "
        0s alice * too many calls or requests are under way
        0s alice * request failed: too many requests are under way
        ",
    );
}

#[test]
fn a_registration_beyond_the_limit_is_refused_with_503() {
    check(
        |world| {
            world.sides[BOB] = side("10.0.0.2:5060", "2", 1);
            world.invite();
            world.accept();
            world.lines.clear();
            world.request(Method::Register);
            world.open_and_respond(200);
        },
        "
        0s alice -> bob  REGISTER
        0s bob * incoming REGISTER
        0s bob * too many calls or requests are under way
        0s bob -> alice  503 REGISTER
        0s alice * response 503
        ",
    );
}

#[test]
fn answered_requests_count_no_longer_and_the_oldest_are_forgotten() {
    let mut world = World::new(Transport::Udp);
    world.sides[BOB] = side("10.0.0.2:5060", "2", 10);

    for _ in 0..200 {
        world.request(Method::Register);
        world.open_and_respond(200);
    }

    assert!(world.lines.iter().all(|line| !line.contains("503")));
    assert_eq!(world.sides[BOB].endpoint.load().transactions, 10);
    world.end_everything();
}

#[test]
fn a_flood_of_requests_in_one_dialog_is_refused() {
    let mut world = World::new(Transport::Udp);
    world.talk();

    for _ in 0..100 {
        world.request_in(ALICE, Method::Info);
    }

    let refused = world.lines.iter().filter(|line| line.ends_with("503 INFO")).count();
    assert_eq!(refused, 100 - 32);
    world.end_everything();
}

#[test]
fn hundreds_of_calls_leave_nothing() {
    let mut world = World::new(Transport::Udp);

    for _ in 0..300 {
        world.talk();
        world.hang_up(ALICE);
        world.sides[ALICE].dialog = None;
        world.sides.iter_mut().for_each(|side| side.got.clear());
        world.wait(100);
    }

    world.end_everything();
}
