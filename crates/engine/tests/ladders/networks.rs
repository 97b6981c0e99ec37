//! Phones in networks that translate addresses, forget, lose and delay: who hears whom, and that keys come once.

use std::time::Duration;

use sip::Transport;
use testkit::world::phone::Manner;
use testkit::world::{Weather, World, check};

#[test]
fn a_phone_behind_a_router_hears_and_is_heard_after_ten_idle_minutes_and_after_a_hold() {
    check(
        |world| {
            world.behind_a_router("102");
            world.registers("102");
            world.run(600.0);
            world.begin();
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(5.0);
            world.listen();
            world.run(35.0);
            world.holds("102");
            world.run(5.0);
            world.listen();
            world.resumes("102");
            world.run(1.0);
            world.listen();
            world.run(60.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 401 Unauthorized
        0.0s 101 -> pbx ACK
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s 102 -> pbx 200 OK
        1.0s pbx -> 102 ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        5.0s ~ 101 hears 102, 102 hears 101
        20.2s pbx -> 102 OPTIONS 102
        20.2s 102 -> pbx 200 OK to OPTIONS
        40.5s 102 -> pbx re-INVITE sendonly
        40.5s pbx -> 102 100 Trying
        40.5s pbx -> 102 200 OK recvonly
        40.5s 102 -> pbx ACK
        45.2s pbx -> 102 OPTIONS 102
        45.2s 102 -> pbx 200 OK to OPTIONS
        45.5s ~ 101 hears music
        46.0s 102 -> pbx re-INVITE
        46.0s pbx -> 102 100 Trying
        46.0s pbx -> 102 200 OK
        46.0s 102 -> pbx ACK
        47.0s ~ 101 hears 102, 102 hears 101
        70.2s pbx -> 102 OPTIONS 102
        70.2s 102 -> pbx 200 OK to OPTIONS
        95.2s pbx -> 102 OPTIONS 102
        95.2s 102 -> pbx 200 OK to OPTIONS
        107.5s ~ 101 hears 102, 102 hears 101
        108.0s 101 -> pbx BYE
        108.0s pbx -> 101 200 OK to BYE
        108.0s pbx -> 102 BYE
        108.0s 102 -> pbx 200 OK to BYE
        120.2s pbx -> 102 OPTIONS 102
        120.2s 102 -> pbx 200 OK to OPTIONS
        ",
    );
}

#[test]
fn two_phones_behind_routers_hear_each_other() {
    check(
        |world| {
            both_behind_routers(world);
            world.manner("102", Manner::default().with_early_sound());
            world.calls("101", "102");
            world.run(1.0);
            world.listen();
            world.answers("102");
            world.run(1.0);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 183 Session Progress
        0.0s pbx -> 101 183 Session Progress
        1.0s ~ 101 hears 102, 102 hears 101
        1.5s 102 -> pbx 200 OK
        1.5s pbx -> 102 ACK
        1.5s pbx -> 101 200 OK
        1.5s 101 -> pbx ACK
        2.5s ~ 101 hears 102, 102 hears 101
        3.0s 102 -> pbx BYE
        3.0s pbx -> 102 200 OK to BYE
        3.0s pbx -> 101 BYE
        3.0s 101 -> pbx 200 OK to BYE
        14.4s pbx -> 102 OPTIONS 102
        14.4s 102 -> pbx 200 OK to OPTIONS
        19.2s pbx -> 101 OPTIONS 101
        19.2s 101 -> pbx 200 OK to OPTIONS
        ",
    );
}

#[test]
fn after_its_router_was_restarted_a_phone_is_heard_again_within_three_seconds_by_its_sound_alone() {
    check(
        |world| {
            both_behind_routers(world);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.listen();
            world.restarts_router("102");
            world.listen();
            world.talk_for(3);
            world.listen();
            world.hangs_up("102");
            world.registers("102");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s 102 -> pbx 200 OK
        1.0s pbx -> 102 ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s ~ nobody hears anybody
        6.0s ~ 101 hears 102, 102 hears 101
        6.5s 102 -> pbx BYE
        6.5s 102 -> pbx REGISTER
        6.5s pbx -> 102 200 OK to BYE
        6.5s pbx -> 101 BYE
        6.5s pbx -> 102 200 OK to REGISTER
        6.5s 101 -> pbx 200 OK to BYE
        14.4s pbx -> 102 OPTIONS 102
        14.4s 102 -> pbx 200 OK to OPTIONS
        19.2s pbx -> 101 OPTIONS 101
        19.2s 101 -> pbx 200 OK to OPTIONS
        ",
    );
}

#[test]
fn after_its_router_was_restarted_a_phone_is_heard_at_once_when_it_holds_and_resumes_and_the_end_arrives() {
    check(
        |world| {
            both_behind_routers(world);
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.listen();
            world.restarts_router("102");
            world.holds("102");
            world.run(0.1);
            world.resumes("102");
            world.run(0.1);
            world.listen();
            world.registers("102");
            world.run(0.1);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s 102 -> pbx 200 OK
        1.0s pbx -> 102 ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 102 -> pbx re-INVITE sendonly
        2.5s pbx -> 102 100 Trying
        2.5s pbx -> 102 200 OK recvonly
        2.5s 102 -> pbx ACK
        2.6s 102 -> pbx re-INVITE
        2.6s pbx -> 102 100 Trying
        2.6s pbx -> 102 200 OK
        2.6s 102 -> pbx ACK
        2.7s ~ 101 hears 102, 102 hears 101
        3.2s 102 -> pbx REGISTER
        3.2s pbx -> 102 200 OK to REGISTER
        3.3s 101 -> pbx BYE
        3.3s pbx -> 101 200 OK to BYE
        3.3s pbx -> 102 BYE
        3.3s 102 -> pbx 200 OK to BYE
        14.4s pbx -> 102 OPTIONS 102
        14.4s 102 -> pbx 200 OK to OPTIONS
        19.2s pbx -> 101 OPTIONS 101
        19.2s 101 -> pbx 200 OK to OPTIONS
        ",
    );
}

#[test]
fn a_phone_that_moves_to_another_address_and_offers_its_sound_again_is_heard() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.listen();
            world.moves("102");
            world.listen();
            world.resumes("102");
            world.run(0.1);
            world.listen();
            world.moves("101");
            world.resumes("101");
            world.run(0.1);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s 102 -> pbx 200 OK
        1.0s pbx -> 102 ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s ~ nobody hears anybody
        3.0s 102 -> pbx re-INVITE
        3.0s pbx -> 102 100 Trying
        3.0s pbx -> 102 200 OK
        3.0s 102 -> pbx ACK
        3.1s ~ 101 hears 102, 102 hears 101
        3.6s 101 -> pbx re-INVITE
        3.6s pbx -> 101 100 Trying
        3.6s pbx -> 101 200 OK
        3.6s 101 -> pbx ACK
        3.7s ~ 101 hears 102, 102 hears 101
        4.2s 101 -> pbx BYE
        4.2s pbx -> 101 200 OK to BYE
        4.2s pbx -> 102 BYE
        4.2s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_moves_behind_a_router_is_heard_when_it_offers_its_sound_again() {
    check(
        |world| {
            world.answers_after("102", 1.0);
            world.calls("101", "102");
            world.run(2.0);
            world.behind_a_router("102");
            world.moves("102");
            world.resumes("102");
            world.run(0.1);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s 102 -> pbx 200 OK
        1.0s pbx -> 102 ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        2.0s 102 -> pbx re-INVITE
        2.0s pbx -> 102 100 Trying
        2.0s pbx -> 102 200 OK
        2.0s 102 -> pbx ACK
        2.1s ~ 101 hears 102, 102 hears 101
        2.6s 102 -> pbx BYE
        2.6s pbx -> 102 200 OK to BYE
        2.6s pbx -> 101 BYE
        2.6s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_with_keys_is_heard_at_once_wherever_its_sound_comes_from() {
    check(
        |world| {
            phone_with_keys(world);
            world.behind_a_router("103t");
            world.calls("101", "103");
            world.run(2.0);
            world.listen();
            world.restarts_router("103t");
            world.listen();
            world.holds("103t");
            world.run(0.1);
            world.resumes("103t");
            world.run(0.1);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 103
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 103t INVITE 103
        0.0s 103t -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s 103t -> pbx 200 OK
        1.0s pbx -> 103t ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        2.0s ~ 101 hears 103t, 103t hears 101
        2.5s ~ 101 hears 103t, 103t hears 101
        3.0s 103t -> pbx re-INVITE sendonly
        3.0s pbx -> 103t 100 Trying
        3.0s pbx -> 103t 200 OK recvonly
        3.0s 103t -> pbx ACK
        3.1s 103t -> pbx re-INVITE
        3.1s pbx -> 103t 100 Trying
        3.1s pbx -> 103t 200 OK
        3.1s 103t -> pbx ACK
        3.2s ~ 101 hears 103t, 103t hears 101
        3.7s 101 -> pbx BYE
        3.7s pbx -> 101 200 OK to BYE
        3.7s pbx -> 103t BYE
        3.7s 103t -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_calls_with_keys_is_heard_by_one_that_has_none() {
    check(
        |world| {
            phone_with_keys(world);
            world.speaks_only("101", &[(0, "PCMU")]);
            world.speaks_only("103t", &[(8, "PCMA")]);
            world.answers_after("101", 1.0);
            world.calls("103t", "101");
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 103t -> pbx INVITE 101
        0.0s pbx -> 103t 100 Trying
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 180 Ringing
        0.0s pbx -> 103t 180 Ringing
        1.0s 101 -> pbx 200 OK
        1.0s pbx -> 101 ACK
        1.0s pbx -> 103t 200 OK
        1.0s 103t -> pbx ACK
        2.0s ~ 101 hears 103t, 103t hears 101
        2.5s 101 -> pbx BYE
        2.5s pbx -> 101 200 OK to BYE
        2.5s pbx -> 103t BYE
        2.5s 103t -> pbx 200 OK to BYE
        ",
    );
}

/// 5 of 100 packets lost, the others up to 50 ms late, so that they overtake each other; signalling too.
const BAD: Weather =
    Weather { lost: 50, doubled: 0, late: 950, late_by: Duration::from_millis(50), latency: Duration::from_millis(20) };

#[test]
fn with_lost_late_and_overtaken_packets_both_are_heard_and_every_key_comes_once() {
    // Relayed, and turned from one law into the other.
    let ways = [((8, "PCMA"), false), ((0, "PCMU"), false), ((8, "PCMA"), true), ((0, "PCMU"), true)];
    for (codec, with_keys) in ways {
        for seed in 1..=2 {
            let mut world = World::new(seed);
            let (called, number) = if with_keys { ("103t", "103") } else { ("102", "102") };
            if with_keys {
                phone_with_keys(&mut world);
            }
            world.weather(BAD);
            world.sound_weather(BAD);
            world.speaks_only("101", &[(8, "PCMA")]);
            world.speaks_only(called, &[codec]);
            world.answers_after(called, 1.0);
            world.calls("101", number);
            world.run(8.0);

            world.talk_for(10);
            world.dials_in_sound("101", "1234567890*#");
            world.talk_for(10);
            world.holds(called);
            world.run(5.0);
            world.resumes(called);
            world.run(5.0);
            world.dials_in_sound(called, "A115");
            world.talk_for(40);
            world.run(1.0);

            let case = format!("{codec:?}, keys in SDP: {with_keys}, seed {seed}");
            for (hearer, speaker, keys) in [("101", called, "A115"), (called, "101", "1234567890*#")] {
                let mut share = world.heard_per_mille(hearer, speaker);
                if hearer == "101" {
                    // Whoever was held for five seconds has heard music besides, as badly as all else.
                    let sent = usize::try_from(world.phone(speaker).talks[0].sound.sent).expect("a few thousand");
                    share -= 5 * 50 * share / (sent + 5 * 50);
                }
                let heard = &world.phone(hearer).talks[0].sound;
                assert!((870..=960).contains(&share), "{hearer} has heard {share} of 1000: {case}");
                assert_eq!(heard.ear.twice, 0, "packets came twice to {hearer}: {case}");
                assert_eq!(heard.keys, keys, "keys told to {hearer}: {case}");
            }
            let heard = world.who_hears_whom();
            assert_eq!(heard, [("101".into(), vec![called.into()]), (called.into(), vec!["101".into()])], "{case}");
            world.hangs_up("101");
            world.end();
        }
    }
}

/// In the place of 103, a phone over TLS whose sound has keys.
fn phone_with_keys(world: &mut World) {
    world.unregisters("103");
    world.add_phone("103t", 1, "103", Transport::Tls);
    world.phone("103t").abilities.secured = Some(true);
    world.registers("103t");
    world.run(1.0);
    world.answers_after("103t", 1.0);
    world.begin();
}

fn both_behind_routers(world: &mut World) {
    for name in ["101", "102"] {
        world.behind_a_router(name);
        world.registers(name);
    }
    world.run(1.0);
    world.begin();
}
