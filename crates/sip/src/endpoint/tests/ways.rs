//! Where requests of a dialog go: down the flow, or by routes and targets (RFC 3261, 12.2.1.1 and 16.12).

use super::world::{ALICE, BOB};
use super::*;
use crate::{Flow, Message, NextHop, Transport};

#[test]
fn a_phone_is_reached_by_its_flow_whatever_it_says() {
    let mut world = caller(NextHop::Flow);

    world.says("INVITE", 200, "b", "Contact: <sip:bob@203.0.113.9:5070>\nRecord-Route: <sip:203.0.113.7;lr>");
    world.hang_up(ALICE);

    assert_eq!(went(&world), ["INVITE UDP 10.0.0.2:5060", "ACK UDP 10.0.0.2:5060", "BYE UDP 10.0.0.2:5060"]);
    assert_eq!(world.latest(BOB, "BYE").uri.to_string(), "sip:bob@203.0.113.9:5070");
}

#[test]
fn a_carrier_is_reached_at_its_contact() {
    let mut world = caller(NextHop::Route);

    world.says("INVITE", 200, "b", "Contact: <sip:bob@203.0.113.9:5070>");
    world.hang_up(ALICE);

    assert_eq!(went(&world), ["INVITE UDP 10.0.0.2:5060", "ACK UDP 203.0.113.9:5070", "BYE UDP 203.0.113.9:5070"]);
}

#[test]
fn recorded_routes_are_visited_in_reverse_by_the_caller() {
    let mut world = caller(NextHop::Route);

    let routes = "Record-Route: <sip:203.0.113.8;lr>\nRecord-Route: <sip:203.0.113.7;lr>";
    world.says("INVITE", 200, "b", &format!("Contact: <sip:bob@203.0.113.9>\n{routes}"));

    let ack = world.latest(BOB, "ACK");
    let listed: Vec<_> = ack.headers.routes().unwrap().iter().map(|route| route.uri.to_string()).collect();
    assert_eq!(listed, ["sip:203.0.113.7;lr", "sip:203.0.113.8;lr"]);
    assert_eq!(ack.uri.to_string(), "sip:bob@203.0.113.9");
    assert_eq!(went(&world).last().unwrap(), "ACK UDP 203.0.113.7:5060");
}

#[test]
fn a_strict_router_finds_itself_in_the_request_line() {
    let mut world = caller(NextHop::Route);

    let routes = "Record-Route: <sip:203.0.113.8>\nRecord-Route: <sip:203.0.113.7>";
    world.says("INVITE", 200, "b", &format!("Contact: <sip:bob@203.0.113.9?Subject=x>\n{routes}"));

    let ack = world.latest(BOB, "ACK");
    let listed: Vec<_> = ack.headers.routes().unwrap().iter().map(|route| route.uri.to_string()).collect();
    assert_eq!(ack.uri.to_string(), "sip:203.0.113.7");
    assert_eq!(listed, ["sip:203.0.113.8", "sip:bob@203.0.113.9"]);
    assert_eq!(went(&world).last().unwrap(), "ACK UDP 203.0.113.7:5060");
}

#[test]
fn recorded_routes_are_visited_in_order_by_the_called_side() {
    let mut world = called("Record-Route: <sip:203.0.113.7;lr>, <sip:203.0.113.8;lr>");

    world.hang_up(ALICE);

    let bye = world.latest(BOB, "BYE");
    let listed: Vec<_> = bye.headers.routes().unwrap().iter().map(|route| route.uri.to_string()).collect();
    assert_eq!(listed, ["sip:203.0.113.7;lr", "sip:203.0.113.8;lr"]);
    assert_eq!(bye.uri.to_string(), "sip:bob@203.0.113.9");
    assert_eq!(went(&world).last().unwrap(), "BYE UDP 203.0.113.7:5060");
}

#[test]
fn a_private_contact_of_a_public_peer_is_passed_over() {
    let mut world = World::new(Transport::Udp);
    world.sides[BOB].address = "203.0.113.5:5060".parse().unwrap();
    world.next_hop = NextHop::Route;
    world.script_bob();
    world.invite();

    world.says("INVITE", 200, "b", "Contact: <sip:bob@192.168.1.5:5070>");

    assert_eq!(went(&world).last().unwrap(), "ACK UDP 203.0.113.5:5060");
    assert_eq!(world.latest(BOB, "ACK").uri.to_string(), "sip:bob@192.168.1.5:5070");
}

#[test]
fn a_name_is_asked_for_once_and_the_flow_serves_meanwhile() {
    let mut world = caller(NextHop::Route);

    world.says("INVITE", 200, "b", "Contact: <sip:bob@sbc.example.com>");
    world.reinvite(ALICE);
    world.says("INVITE", 200, "b", "Contact: <sip:bob@sbc.example.com>");
    let found = Flow::udp(0, "203.0.113.9:5060".parse().unwrap());
    world.step(ALICE, |endpoint, now, dialog| endpoint.set_flow(now, dialog, found));
    world.hang_up(ALICE);

    let asked: Vec<_> = world.lines.iter().filter(|line| line.contains("locate")).cloned().collect();
    assert_eq!(asked, ["0s alice * locate sip:bob@sbc.example.com"]);
    let flow = "UDP 10.0.0.2:5060";
    let expected = [("INVITE", flow), ("ACK", flow), ("INVITE", flow), ("ACK", flow), ("BYE", "UDP 203.0.113.9:5060")];
    assert_eq!(went(&world), expected.map(|(method, flow)| format!("{method} {flow}")));
}

#[test]
fn a_name_in_the_route_of_a_call_to_us_is_asked_for() {
    let world = called("Record-Route: <sip:edge.example.com;lr>");

    assert!(world.lines.iter().any(|line| line.ends_with("alice * locate sip:edge.example.com;lr")));
}

#[test]
fn a_moved_target_moves_the_way() {
    let mut world = caller(NextHop::Route);
    world.says("INVITE", 200, "b", "Contact: <sip:bob@203.0.113.9:5070>");

    world.sends(
        "INVITE sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKre
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>;tag={alice}
        Call-ID: {call}
        CSeq: 1 INVITE
        Contact: <sip:bob@203.0.113.10>",
    );
    world.hang_up(ALICE);

    assert_eq!(went(&world).last().unwrap(), "BYE UDP 203.0.113.10:5060");
}

#[test]
fn requests_from_elsewhere_do_not_move_a_carrier() {
    let mut world = caller(NextHop::Route);
    world.says("INVITE", 200, "b", "Contact: <sip:bob@203.0.113.9>");

    world.sends(
        "OPTIONS sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKopt
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>;tag={alice}
        Call-ID: {call}
        CSeq: 1 OPTIONS",
    );
    world.hang_up(ALICE);

    assert_eq!(went(&world).last().unwrap(), "BYE UDP 203.0.113.9:5060");
}

#[test]
fn each_early_dialog_has_its_own_way() {
    let mut world = caller(NextHop::Route);
    world.support(&["100rel"]);

    for (tag, contact) in [("one", "203.0.113.11"), ("two", "203.0.113.12"), ("one", "203.0.113.11")] {
        let rseq = world.lines.len();
        let rseq = if tag == "one" && rseq > 6 { 2 } else { 1 };
        world.says("INVITE", 183, tag, &format!("Require: 100rel\nRSeq: {rseq}\nContact: <sip:{tag}@{contact}>"));
    }
    world.says("INVITE", 200, "two", "Contact: <sip:two@203.0.113.12>");
    world.says("INVITE", 200, "one", "Contact: <sip:one@203.0.113.11>");
    world.says("INVITE", 200, "two", "Contact: <sip:two@203.0.113.12>");

    let (one, two) = ("UDP 203.0.113.11:5060", "UDP 203.0.113.12:5060");
    let expected = [
        ("INVITE", "UDP 10.0.0.2:5060"),
        ("PRACK", one),
        ("PRACK", two),
        ("PRACK", one),
        ("ACK", two),
        ("ACK", one),
        ("BYE", one),
        ("ACK", two),
    ];
    assert_eq!(went(&world), expected.map(|(method, flow)| format!("{method} {flow}")));
}

#[test]
fn a_way_that_is_stored_is_taken_again() {
    let mut world = caller(NextHop::Route);
    world.says("INVITE", 200, "b", "Contact: <sip:bob@203.0.113.9:5070>");
    let stored = world.sides[ALICE].endpoint.snapshot(world.sides[ALICE].dialog.unwrap()).unwrap();
    world.sides[ALICE] = world::side("10.0.0.1:5060", "77", 1_000);

    let now = world.now();
    world.sides[ALICE].dialog = Some(world.sides[ALICE].endpoint.restore(now, 7, stored.clone()));
    world.hang_up(ALICE);

    assert_eq!(stored.next_hop, NextHop::Route);
    assert_eq!(went(&world).last().unwrap(), "BYE UDP 203.0.113.9:5070");
}

/// Alice has called somebody whom a script plays.
fn caller(next_hop: NextHop) -> World {
    let mut world = World::new(Transport::Udp);
    world.next_hop = next_hop;
    world.script_bob();
    world.invite();
    world
}

/// A carrier has called alice, who has answered.
fn called(more: &str) -> World {
    let mut world = World::new(Transport::Udp);
    world.script_bob();
    world.sends(&format!(
        "INVITE sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKin
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>
        Contact: <sip:bob@203.0.113.9>
        Call-ID: from-bob
        CSeq: 1 INVITE
        {more}"
    ));
    let now = world.now();
    let incoming = world.sides[ALICE].incoming.take().unwrap();
    let dialog = world.sides[ALICE].endpoint.accept(now, 8, incoming, NextHop::Route).unwrap();
    world.sides[ALICE].dialog = Some(dialog);
    world.step(ALICE, |endpoint, now, dialog| {
        endpoint.answer(now, dialog, crate::Headers::new(), Some(crate::Body::sdp("answer")));
    });
    let answer = world.latest_response(BOB);
    let tag = String::from_utf8_lossy(answer.headers.to().unwrap().tag().unwrap()).into_owned();
    world.sends(&format!(
        "ACK sip:alice@10.0.0.1 SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKack
        From: <sip:bob@10.0.0.2>;tag=b
        To: <sip:alice@10.0.0.1>;tag={tag}
        Call-ID: from-bob
        CSeq: 1 ACK"
    ));
    world
}

/// Alice's requests, and where they went.
fn went(world: &World) -> Vec<String> {
    let requests = world.sent.iter().filter_map(|(flow, message)| match message {
        Message::Request(request) => Some(format!("{} {flow}", request.method)),
        Message::Response(_) => None,
    });
    requests.collect()
}

#[test]
fn a_secure_request_shows_a_secure_contact() {
    let world = World::new(Transport::Tls);
    let (post, flow) = (&world.sides[ALICE].endpoint.post, world.flow_from(ALICE));
    let bob = crate::NameAddr::new(super::world::uri("sip:bob@example.test"));
    let shown = |flow, scheme| String::from_utf8(post.contact(flow, &bob, &scheme).to_vec()).unwrap();
    let over_udp = Flow { transport: Transport::Udp, ..flow };

    let seen = [
        shown(flow, crate::Scheme::Sips),
        shown(flow, crate::Scheme::Sip),
        // What came in the clear cannot be answered better than that.
        shown(over_udp, crate::Scheme::Sips),
    ];

    assert_eq!(seen, ["<sips:bob@10.0.0.1:5060>", "<sip:bob@10.0.0.1:5060;transport=tls>", "<sip:bob@10.0.0.1:5060>"]);
}
