//! Offers and answers within a call: what is refused, what changes, and what is said without any sound in it.

use sip::Method;
use testkit::world::phone::{Manner, Words};
use testkit::world::{World, check};

#[test]
fn a_fax_is_refused_and_the_call_lives() {
    check(
        |world| {
            talking(world);
            world.requests("101", Method::Invite, Words::sound("m=image {port} udptl t38"));
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  re-INVITE
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  488 Not Acceptable Here
        0.0s 101 -> pbx  ACK
        0.5s ~ 101 hears 102, 102 hears 101
        1.0s 101 -> pbx  BYE
        1.0s pbx -> 101  200 OK to BYE
        1.0s pbx -> 102  BYE
        1.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_body_that_is_no_description_is_refused_and_the_call_lives() {
    check(
        |world| {
            talking(world);
            let words = Words { content_type: "text/plain", body: "hello", ..Words::default() };
            world.requests("101", Method::Invite, words);
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  re-INVITE
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  415 Unsupported Media Type
        0.0s 101 -> pbx  ACK
        0.5s ~ 101 hears 102, 102 hears 101
        1.0s 101 -> pbx  BYE
        1.0s pbx -> 101  200 OK to BYE
        1.0s pbx -> 102  BYE
        1.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_call_that_says_something_else_than_sound_is_refused_and_told_what_would_be_taken() {
    fn in_letters(message: &sip::Message) -> bytes::Bytes {
        let text = String::from_utf8_lossy(&message.print()).replace("application/sdp", "text/plain");
        text.into()
    }
    check(
        |world| {
            world.dresses("101", in_letters);
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  415 Unsupported Media Type
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_description_among_several_parts_is_found() {
    check(
        |world| {
            talking(world);
            world.show_events();
            let body = "--x
                Content-Type: text/plain

                a picture of the caller
                --x
                Content-Type: application/sdp

                v=0
                o=- 1 2 IN IP4 {ip}
                s=-
                c=IN IP4 {ip}
                t=0 0
                m=audio {port} RTP/AVP 8
                a=sendonly
                --x--";
            let words = Words { content_type: "multipart/mixed;boundary=x", body, ..Words::default() };
            world.requests("101", Method::Invite, words);
            world.run(0.5);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  re-INVITE
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  200 OK recvonly
        0.0s 101 -> pbx  ACK
        0.0s * leg.held 101
        0.5s 101 -> pbx  BYE
        0.5s pbx -> 101  200 OK to BYE
        0.5s pbx -> 102  BYE
        0.5s 102 -> pbx  200 OK to BYE
        0.5s * leg.ended 101 hung_up 200 by customer
        0.5s * leg.ended 102 hung_up 200 by switchboard
        0.5s * call.ended hung_up 200 by customer
        0.5s * sound.measured 102
        ",
    );
}

#[test]
fn the_old_way_of_holding_and_update_are_understood() {
    check(
        |world| {
            talking(world);
            world.show_events();
            let old = "m=audio {port} RTP/AVP 8\nc=IN IP4 0.0.0.0";
            world.requests("102", Method::Update, Words::sound(old));
            world.run(0.5);
            world.listen();
            world.requests("102", Method::Update, Words::sound("m=audio {port} RTP/AVP 8"));
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 102 -> pbx  UPDATE
        0.0s pbx -> 102  200 OK to UPDATE
        0.0s * leg.held 102
        0.5s ~ 101 hears music
        1.0s 102 -> pbx  UPDATE
        1.0s pbx -> 102  200 OK to UPDATE
        1.0s * leg.resumed 102
        1.5s ~ 101 hears 102, 102 hears 101
        2.0s 101 -> pbx  BYE
        2.0s pbx -> 101  200 OK to BYE
        2.0s pbx -> 102  BYE
        2.0s 102 -> pbx  200 OK to BYE
        2.0s * leg.ended 101 hung_up 200 by customer
        2.0s * leg.ended 102 hung_up 200 by switchboard
        2.0s * call.ended hung_up 200 by customer
        2.0s * sound.measured 101 102
        ",
    );
}

#[test]
fn an_update_without_a_description_only_says_that_its_sender_is_there() {
    check(
        |world| {
            talking(world);
            world.requests("101", Method::Update, Words::default());
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  UPDATE
        0.0s pbx -> 101  200 OK to UPDATE
        0.5s ~ 101 hears 102, 102 hears 101
        1.0s 101 -> pbx  BYE
        1.0s pbx -> 101  200 OK to BYE
        1.0s pbx -> 102  BYE
        1.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_party_that_changes_its_codec_takes_the_other_along() {
    check(
        |world| {
            talking(world);
            world.requests("101", Method::Invite, Words::sound("m=audio {port} RTP/AVP 0"));
            world.run(0.5);
            assert!(world.last_description("101").contains("RTP/AVP 0\r\n"));
            assert!(world.last_description("102").contains("RTP/AVP 0 8"));
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  re-INVITE
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  200 OK
        0.0s pbx -> 102  re-INVITE
        0.0s 101 -> pbx  ACK
        0.0s 102 -> pbx  200 OK
        0.0s pbx -> 102  ACK
        0.5s ~ 101 hears 102, 102 hears 101
        1.0s 101 -> pbx  BYE
        1.0s pbx -> 101  200 OK to BYE
        1.0s pbx -> 102  BYE
        1.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_party_that_cannot_change_its_codec_is_translated_for() {
    check(
        |world| {
            world.speaks_only("102", &[(8, "PCMA")]);
            talking(world);
            world.requests("101", Method::Invite, Words::sound("m=audio {port} RTP/AVP 0"));
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  re-INVITE
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  200 OK
        0.0s pbx -> 102  re-INVITE
        0.0s 101 -> pbx  ACK
        0.0s 102 -> pbx  200 OK
        0.0s pbx -> 102  ACK
        0.5s ~ 101 hears 102, 102 hears 101
        1.0s 101 -> pbx  BYE
        1.0s pbx -> 101  200 OK to BYE
        1.0s pbx -> 102  BYE
        1.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn the_caller_is_answered_with_the_codec_of_the_called_side() {
    let mut world = World::new(1);
    world.speaks_only("102", &[(0, "PCMU")]);
    world.answers_after("102", 1.0);
    world.calls_offering("101", "102", "m=audio {port} RTP/AVP 9 8 0\na=rtpmap:9 G722/8000");
    world.run(2.0);

    assert!(world.last_description("101").contains("RTP/AVP 0\r\n"), "{}", world.last_description("101"));

    world.hangs_up("101");
    world.settle();
    world.end();
}

#[test]
fn what_the_caller_speaks_stands_first_in_the_offer_to_the_called_side() {
    let mut world = World::new(1);
    world.calls_offering("101", "102", "m=audio {port} RTP/AVP 9 0\na=rtpmap:9 G722/8000");
    world.run(1.0);

    let offer = world.last_description("102");

    assert!(offer.contains("RTP/AVP 9 0 8 96 101 102\r\n"), "{offer}");
    world.hangs_up("101");
    world.settle();
    world.end();
}

#[test]
fn our_version_goes_up_by_one_with_each_change_and_not_otherwise() {
    let mut world = World::new(1);
    world.answers_after("102", 1.0);
    world.calls("101", "102");
    world.run(2.0);
    let mut versions = vec![version(&mut world)];
    for direction in [sip::sdp::Direction::SendOnly, sip::sdp::Direction::SendOnly, sip::sdp::Direction::SendRecv] {
        world.reoffers("101", direction);
        world.run(0.5);
        versions.push(version(&mut world));
    }

    assert_eq!(versions, [1, 2, 2, 3]);
    world.hangs_up("101");
    world.settle();
    world.end();
}

#[test]
fn an_answer_that_never_comes_with_the_ack_ends_the_call() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.phone("101").acks_emptily = true;
            world.show_events();
            world.calls_without_offer("101", "102");
            world.run(2.0);
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        0.0s * call.started local by phone, 101 to 102
        0.0s * leg.started 101 as customer who calls
        0.0s * leg.started 102 as agent
        0.0s * leg.ringing 102
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        1.0s pbx -> 101  BYE: The two sides have no way of sound in common
        1.0s pbx -> 102  BYE: The two sides have no way of sound in common
        1.0s 101 -> pbx  200 OK to BYE
        1.0s 102 -> pbx  200 OK to BYE
        1.0s * leg.answered 102
        1.0s * leg.answered 101
        1.0s * call.connected 102 with 101
        1.0s * leg.ended 101 no_common_codec 488 by switchboard
        1.0s * leg.ended 102 no_common_codec 200 by switchboard
        1.0s * call.ended no_common_codec 488 by switchboard
        ",
    );
}

#[test]
fn what_is_said_to_somebody_on_hold_is_not_recorded() {
    let mut world = World::new(1);
    world.answers_after("102", 1.0);
    world.settings(|settings| settings.extensions.get_mut("102").expect("a desk").record = true);
    world.calls("101", "102");
    world.run(2.0);
    world.holds("102");
    world.run(0.5);
    world.who_hears_whom();
    world.resumes("102");
    world.run(0.5);
    world.hangs_up("101");
    world.settle();

    let (left, right) = world.on_the_recording();

    // Nobody spoke but while 102 did not listen.
    assert!(!left.contains(&"101".to_owned()), "{left:?} {right:?}");
    world.end();
}

#[test]
fn what_is_said_to_an_agent_who_has_put_the_ringing_aside_is_not_recorded() {
    let mut world = World::new(1);
    world.answers_after("101", 0.5);
    world.answers_after("carrier", 3.0);
    world.settings(|settings| settings.extensions.get_mut("101").expect("a desk").record = true);
    world.clicks("101", "0900000001");
    world.run(2.0);
    world.holds("101");
    world.run(3.0);
    world.who_hears_whom();
    world.hangs_up("101");
    world.settle();

    let (left, right) = world.on_the_recording();

    // The customer hears music, so what the agent says is said to nobody either.
    assert_eq!((left, right), (vec![], vec![]));
    world.end();
}

#[test]
fn sound_before_the_answer_is_offered_only_to_a_caller_who_offered_too() {
    check(
        |world| {
            world.manner("102", Manner::default().with_early_sound());
            world.calls_without_offer("101", "102");
            world.run(1.0);
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  183 Session Progress
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        1.5s ~ 101 hears 102, 102 hears 101
        2.0s 101 -> pbx  BYE
        2.0s pbx -> 101  200 OK to BYE
        2.0s pbx -> 102  BYE
        2.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

/// 101 talks with 102; the ladder begins here.
fn talking(world: &mut World) {
    world.answers_after("102", 1.0);
    world.calls("101", "102");
    world.run(2.0);
    world.begin();
}

fn version(world: &mut World) -> u32 {
    let description = world.last_description("101");
    let origin = description.lines().find_map(|line| line.strip_prefix("o=")).expect("a description has an origin");
    origin.split(' ').nth(2).and_then(|version| version.parse().ok()).expect("an origin has a version")
}
