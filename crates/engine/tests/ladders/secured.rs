//! Sound with keys in its description (RFC 4568): for whom it is offered, and that it never becomes plain by itself.

use sip::{Method, Transport};
use testkit::world::phone::{Manner, Words};
use testkit::world::{World, check, tell_record};

/// A section with a key: 30 octets of 1.
const SECURED: &str = "m=audio {port} RTP/SAVP 8
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

#[test]
fn a_phone_that_signed_in_over_tls_is_offered_secured_sound() {
    let mut world = World::new(1);
    phone_over_tls(&mut world);
    world.calls("101", "103");
    world.run(1.0);

    let offer = world.last_description("103t");
    world.responds("103t", 200, Words::sound(SECURED));
    world.run(1.0);

    assert!(offer.contains("RTP/SAVP 8 0 9 96 101 102\r\n"), "{offer}");
    assert_eq!(offer.matches("a=crypto:").count(), 1, "{offer}");
    assert!(world.last_description("101").contains("RTP/AVP 8"));
    world.hangs_up("101");
    world.settle();
    world.end();
}

#[test]
fn a_phone_that_knows_no_secured_sound_is_called_once_more_with_plain_sound() {
    check(
        |world| {
            phone_over_tls(world);
            world.begin();
            world.calls("101", "103");
            world.run(0.5);
            world.responds("103t", 488, Words::default());
            world.run(0.5);
            assert!(world.last_description("103t").contains("RTP/AVP"));
            world.manner("103t", Manner::default());
            world.responds("103t", 180, Words::default());
            world.run(0.5);
            world.answers("103t");
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 103
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 103t  INVITE 103
        0.5s 103t -> pbx  488 Not Acceptable Here
        0.5s pbx -> 103t  ACK
        0.5s pbx -> 103t  INVITE 103
        1.0s 103t -> pbx  180 Ringing
        1.0s pbx -> 101  180 Ringing
        1.5s 103t -> pbx  200 OK
        1.5s pbx -> 103t  ACK
        1.5s pbx -> 101  200 OK
        1.5s 101 -> pbx  ACK
        2.0s ~ 101 hears 103t, 103t hears 101
        2.5s 101 -> pbx  BYE
        2.5s pbx -> 101  200 OK to BYE
        2.5s pbx -> 103t  BYE
        2.5s 103t -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_refuses_plain_sound_too_has_refused() {
    check(
        |world| {
            phone_over_tls(world);
            world.begin();
            world.calls("101", "103");
            world.run(0.5);
            world.responds("103t", 488, Words::default());
            world.run(0.5);
            world.responds("103t", 488, Words::default());
            world.run(0.5);
        },
        "
        0.0s 101 -> pbx  INVITE 103
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 103t  INVITE 103
        0.5s 103t -> pbx  488 Not Acceptable Here
        0.5s pbx -> 103t  ACK
        0.5s pbx -> 103t  INVITE 103
        1.0s 103t -> pbx  488 Not Acceptable Here
        1.0s pbx -> 103t  ACK
        1.0s pbx -> 101  488 Not Acceptable Here
        1.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_caller_with_a_key_is_answered_with_ours_and_cannot_fall_back() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls_offering("101", "102", SECURED);
            world.run(2.0);
            let answer = world.last_description("101");
            assert!(answer.contains("RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), "{answer}");
            assert!(!answer.contains("AQEBAQEBAQEB"), "{answer}");
            world.begin();
            world.requests("101", Method::Invite, Words::sound("m=audio {port} RTP/AVP 8"));
            world.run(0.5);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  re-INVITE
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  488 Not Acceptable Here
        0.0s 101 -> pbx  ACK
        0.5s 101 -> pbx  BYE
        0.5s pbx -> 101  200 OK to BYE
        0.5s pbx -> 102  BYE
        0.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn each_phone_of_an_extension_is_offered_sound_in_its_own_way() {
    let mut world = World::new(1);
    phone_over_tls(&mut world);
    world.registers("103");
    world.run(1.0);
    world.calls("101", "103");
    world.run(0.3);
    world.responds("103t", 180, Words::default());
    world.run(0.2);

    let offers = [world.last_description("103t"), world.last_description("103")];

    assert!(offers[0].contains("RTP/SAVP") && offers[1].contains("RTP/AVP "), "{offers:?}");
    world.answers("103");
    world.run(0.5);
    let heard = world.who_hears_whom();
    assert_eq!(heard.len(), 2, "{heard:?}");
    world.hangs_up("101");
    world.settle();
    world.end();
}

#[test]
fn our_keys_differ_from_call_to_call_and_from_side_to_side() {
    let mut world = World::new(1);
    phone_over_tls(&mut world);
    let mut keys = Vec::new();
    for _ in 0..2 {
        world.calls_offering("101", "103", SECURED);
        world.run(0.5);
        keys.push(key(&world.last_description("103t")));
        world.responds("103t", 200, Words::sound(SECURED));
        world.run(0.5);
        keys.push(key(&world.last_description("101")));
        world.hangs_up("101");
        world.settle();
    }

    keys.sort();
    keys.dedup();

    assert_eq!(keys.len(), 4);
    world.end();
}

#[test]
fn a_trunk_that_requires_keys_is_called_and_answered_with_them_alone() {
    let mut world = World::new(1);
    srtp(&mut world, "required");
    world.manner("carrier", Manner::silent());
    world.calls("101", "0900000001");
    world.run(0.5);

    let offer = world.last_description("carrier");
    world.responds("carrier", 200, Words::sound("m=audio {port} RTP/AVP 8"));
    world.run(0.5);
    world.settle();
    world.calls("carrier", "02873088088");
    world.run(0.5);

    assert!(offer.contains("RTP/SAVP"), "{offer}");
    let records: Vec<String> =
        world.rows(1).into_iter().flat_map(|rows| rows.records.values()).map(tell_record).collect();
    assert_eq!(records.iter().filter(|record| record.contains("no_common_codec 488")).count(), 2, "{records:?}");
    world.settle();
    world.end();
}

#[test]
fn a_trunk_that_may_have_keys_is_offered_one_beside_plain_sound() {
    let mut world = World::new(1);
    srtp(&mut world, "optional");
    world.manner("carrier", Manner::silent());
    world.calls("101", "0900000001");
    world.run(0.5);

    let offer = world.last_description("carrier");
    world.responds("carrier", 200, Words::sound("m=audio {port} RTP/AVP 8"));
    world.run(0.5);

    assert!(offer.contains("RTP/AVP ") && offer.contains("a=crypto:1 "), "{offer}");
    assert_eq!(world.who_hears_whom().len(), 2);
    world.hangs_up("101");
    world.settle();
    world.end();
}

/// 103 has a phone that speaks over TLS and waits to be told what to say.
fn phone_over_tls(world: &mut World) {
    world.unregisters("103");
    world.add_phone("103t", 1, "103", Transport::Tls);
    world.registers("103t");
    world.run(1.0);
    world.manner("103t", Manner::silent());
}

fn srtp(world: &mut World, setting: &'static str) {
    world.settings(|settings| {
        for trunk in &mut settings.trunks {
            trunk.srtp = setting.into();
        }
    });
}

fn key(description: &str) -> String {
    let line = description.lines().find(|line| line.starts_with("a=crypto:")).expect("it has a key");
    line.split("inline:").nth(1).expect("a key is written out").to_owned()
}
