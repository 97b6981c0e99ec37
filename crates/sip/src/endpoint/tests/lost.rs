//! Connections that go, and requests too long for a datagram.

use super::world::{ALICE, BOB};
use super::*;
use crate::{Flow, Method, Transport};

#[test]
fn an_invite_on_a_lost_connection_fails() {
    check_over(
        Transport::Tls,
        |world| {
            world.invite();
            world.accept();
            world.ring();
            world.lines.clear();
            lose(world, ALICE, 1);
        },
        "
        0s alice * failed: the connection is gone
        ",
    );
}

#[test]
fn a_registration_on_a_connection_that_cannot_be_opened_fails() {
    check_over(
        Transport::Tcp,
        |world| {
            world.lose_all("REGISTER");
            let flow = world.flow_from(ALICE).unconnected();
            let now = world.now();
            let order = crate::OutOfDialog {
                method: Method::Register,
                flow,
                uri: super::world::uri("sip:10.0.0.2"),
                from: crate::NameAddr::new(super::world::uri("sip:alice@10.0.0.2")),
                to: crate::NameAddr::new(super::world::uri("sip:alice@10.0.0.2")),
                route: Vec::new(),
                headers: crate::Headers::new(),
                body: None,
                credentials: None,
                call_id: None,
            };
            world.sides[ALICE].endpoint.request(now, 9, order);
            world.settle();
            lose(world, ALICE, 0);
        },
        "
        0s alice -> bob  REGISTER (lost)
        0s alice * request failed: the connection is gone
        ",
    );
}

#[test]
fn a_dialog_outlives_its_connection() {
    let mut world = World::new(Transport::Tcp);
    world.talk();
    lose(&mut world, ALICE, 1);
    let now = world.now();
    let side = &mut world.sides[ALICE];

    side.endpoint.bye(now, side.dialog.unwrap(), Default::default());

    let Some(crate::Output::Send { flow, .. }) = side.endpoint.poll_output() else { panic!("nothing is sent") };
    assert_eq!((flow.connection, flow.remote.to_string().as_str()), (0, "10.0.0.2:5060"));
}

#[test]
fn a_bye_whose_connection_is_lost_tries_another_one_once() {
    check_over(
        Transport::Tcp,
        |world| {
            world.talk();
            world.lose_all("BYE");
            world.hang_up(ALICE);
            lose(world, ALICE, 1);
            lose(world, ALICE, 0);
            assert_eq!(world.sides[ALICE].endpoint.load().dialogs, 0);
        },
        "
        0s alice -> bob  BYE (lost)
        0s alice -> bob  BYE (lost)
        ",
    );
}

#[test]
fn a_request_from_another_address_takes_the_dialog_along() {
    let mut world = World::new(Transport::Udp);
    world.talk();
    world.sides[ALICE].address = "10.0.0.1:40000".parse().unwrap();
    world.request_in(ALICE, Method::Info);
    world.respond(BOB, 200);
    let now = world.now();
    let side = &mut world.sides[BOB];

    side.endpoint.bye(now, side.dialog.unwrap(), Default::default());

    let Some(crate::Output::Send { flow, .. }) = side.endpoint.poll_output() else { panic!("nothing is sent") };
    assert_eq!(flow.remote.to_string(), "10.0.0.1:40000");
}

#[test]
fn a_request_too_long_for_a_datagram_goes_by_tcp() {
    check(
        |world| {
            world.big_offers = true;
            world.invite();
            let via = world.latest(BOB, "INVITE").headers.via().unwrap();
            assert_eq!(via.transport, "TCP");
            world.accept();
            world.answer();
            world.hang_up(ALICE);
        },
        "
        0s alice -> bob  INVITE [TCP]
        0s bob * incoming INVITE
        0s bob -> alice  100 [TCP]
        0s bob -> alice  200 [TCP]
        0s alice -> bob  ACK
        0s alice * answered 200
        0s bob * acked
        0s alice -> bob  BYE
        0s bob -> alice  200 BYE
        0s bob * bye
        ",
    );
}

#[test]
fn a_long_request_goes_by_udp_where_tcp_is_not_spoken() {
    check(
        |world| {
            world.big_offers = true;
            world.lose_all("INVITE [TCP]");
            world.invite();
            let flow = Flow { transport: Transport::Tcp, ..world.flow_from(ALICE) };
            let now = world.now();
            world.sides[ALICE].endpoint.handle_flow_lost(now, flow);
            world.settle();
            world.accept();
        },
        "
        0s alice -> bob  INVITE [TCP] (lost)
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100
        ",
    );
}

fn lose(world: &mut World, who: usize, connection: u64) {
    let flow = Flow { connection, ..world.flow_from(who) };
    let now = world.now();
    world.sides[who].endpoint.handle_flow_lost(now, flow);
    world.settle();
}
