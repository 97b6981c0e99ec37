//! Blind transfers: what is said on the wire, and who hears whom before, during and after.

use std::time::Duration;

use testkit::world::phone::Manner;
use testkit::world::{World, check};

#[test]
fn the_customer_hears_ringing_and_then_whom_it_was_given_to() {
    check(
        |world| {
            connected(world);
            world.transfers(None, "102");
            world.run(0.1);
            world.listen();
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 180 Ringing
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> crm transferring
        0.1s ~ carrier hears a tone
        0.6s 102 -> pbx 200 OK
        0.6s pbx -> 102 ACK
        1.1s ~ 102 hears carrier, carrier hears 102
        1.6s carrier -> pbx BYE
        1.6s pbx -> carrier 200 OK to BYE
        1.6s pbx -> 102 BYE
        1.6s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn sound_of_the_target_before_its_answer_is_heard_in_place_of_ringing() {
    check(
        |world| {
            connected(world);
            world.manner("102", Manner::default().with_early_sound());
            world.transfers(None, "102");
            world.run(0.5);
            world.listen();
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 183 Session Progress
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> crm transferring
        0.5s ~ 102 hears carrier, carrier hears 102
        1.0s 102 -> pbx 200 OK
        1.0s pbx -> 102 ACK
        1.5s ~ 102 hears carrier, carrier hears 102
        2.0s 102 -> pbx BYE
        2.0s pbx -> 102 200 OK to BYE
        2.0s pbx -> carrier BYE
        2.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_stays_is_told_whom_it_talks_with() {
    check(
        |world| {
            inside(world);
            world.transfers(Some("102"), "103");
            world.run(0.5);
            world.answers("103");
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx transfer to 103 for 102
        0.0s pbx -> 103 INVITE 103
        0.0s pbx -> 102 BYE: The call was transferred
        0.0s 103 -> pbx 180 Ringing
        0.0s 102 -> pbx 200 OK to BYE
        0.0s pbx -> crm transferring
        0.5s 103 -> pbx 200 OK
        0.5s pbx -> 103 ACK
        0.5s pbx -> 101 re-INVITE
        0.5s 101 -> pbx 200 OK
        0.5s pbx -> 101 ACK
        1.0s ~ 101 hears 103, 103 hears 101
        1.5s 101 -> pbx BYE
        1.5s pbx -> 101 200 OK to BYE
        1.5s pbx -> 103 BYE
        1.5s 103 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_takes_update_is_told_so_whom_it_talks_with() {
    check(
        |world| {
            world.phone("101").abilities.updates = true;
            inside(world);
            world.transfers(Some("102"), "0900000001");
            world.run(0.5);
            world.answers("carrier");
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx transfer to 0900000001 for 102
        0.0s pbx -> carrier INVITE 0900000001
        0.0s pbx -> 102 BYE: The call was transferred
        0.0s carrier -> pbx 180 Ringing
        0.0s 102 -> pbx 200 OK to BYE
        0.0s pbx -> crm transferring
        0.5s carrier -> pbx 200 OK
        0.5s pbx -> carrier ACK
        0.5s pbx -> 101 UPDATE
        0.5s 101 -> pbx 200 OK to UPDATE
        1.0s ~ 101 hears carrier, carrier hears 101
        1.5s 101 -> pbx BYE
        1.5s pbx -> 101 200 OK to BYE
        1.5s pbx -> carrier BYE
        1.5s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_target_that_is_busy_rings_the_agent_back_and_the_two_talk_on() {
    check(
        |world| {
            connected(world);
            world.show_events();
            world.do_not_disturb("102");
            world.transfers(None, "102");
            world.run(0.1);
            world.listen();
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 486 Busy Here
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> 102 ACK
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 180 Ringing
        0.0s * call.transferring 102 by 101, blind
        0.0s * leg.started 102 as agent
        0.0s * leg.ended 101 transferred 200 by switchboard
        0.0s * leg.ended 102 busy 486 by agent
        0.0s * call.transfer_failed by 101, busy 486
        0.0s * leg.started 101 as agent
        0.0s * leg.ringing 101
        0.0s pbx -> crm transferring
        0.2s 101 -> pbx 200 OK
        0.2s pbx -> 101 ACK
        0.2s * leg.answered 101
        0.2s * call.connected 101 with +84900000009
        0.1s ~ 101 hears carrier, carrier hears 101
        1.1s ~ 101 hears carrier, carrier hears 101
        1.6s 101 -> pbx BYE
        1.6s pbx -> 101 200 OK to BYE
        1.6s pbx -> carrier BYE
        1.6s carrier -> pbx 200 OK to BYE
        1.6s * leg.ended 101 hung_up 200 by agent
        1.6s * leg.ended +84900000009 hung_up 200 by switchboard
        1.6s * call.ended hung_up 200 by agent
        1.6s * sound.measured +84900000009 101
        ",
    );
}

#[test]
fn a_customer_whom_nobody_takes_hears_so_before_the_end() {
    check(
        |world| {
            connected(world);
            world.do_not_disturb("101");
            world.do_not_disturb("102");
            world.transfers(None, "102");
            world.run(0.1);
            world.listen();
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 486 Busy Here
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> 102 ACK
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 486 Busy Here
        0.0s pbx -> 101 ACK
        0.0s pbx -> crm transferring
        0.1s ~ carrier hears a tone
        3.0s pbx -> carrier BYE: The called party is busy
        3.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_customer_who_hangs_up_ends_the_ringing_of_the_target() {
    check(
        |world| {
            connected(world);
            world.transfers(None, "102");
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 180 Ringing
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> crm transferring
        1.0s carrier -> pbx BYE
        1.0s pbx -> carrier 200 OK to BYE
        1.0s pbx -> 102 CANCEL
        1.0s 102 -> pbx 200 OK to CANCEL
        1.0s 102 -> pbx 487 Request Terminated
        1.0s pbx -> 102 ACK
        ",
    );
}

#[test]
fn an_answer_that_crosses_the_customers_end_is_ended() {
    check(
        |world| {
            connected(world);
            world.transfers(None, "102");
            world.run(1.0);
            world.delay_next("200 OK", 0.2);
            world.answers("102");
            world.hangs_up("carrier");
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 180 Ringing
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> crm transferring
        1.0s 102 -> pbx 200 OK (late by 0.2s)
        1.0s carrier -> pbx BYE
        1.0s pbx -> carrier 200 OK to BYE
        1.0s pbx -> 102 CANCEL
        1.0s 102 -> pbx 200 OK to CANCEL
        1.2s pbx -> 102 ACK
        1.2s pbx -> 102 BYE
        1.2s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_goodbye_to_the_agent_that_is_lost_is_said_again_and_holds_nobody_up() {
    check(
        |world| {
            connected(world);
            world.lose_next("BYE");
            world.transfers(None, "102");
            world.run(0.2);
            world.answers("102");
            world.run(1.0);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred (lost)
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> crm transferring
        0.2s 102 -> pbx 200 OK
        0.2s pbx -> 102 ACK
        0.5s pbx -> 101 BYE: The call was transferred
        0.5s 101 -> pbx 200 OK to BYE
        1.2s ~ 102 hears carrier, carrier hears 102
        1.7s 102 -> pbx BYE
        1.7s pbx -> 102 200 OK to BYE
        1.7s pbx -> carrier BYE
        1.7s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn an_agent_who_hangs_up_while_it_is_let_go_ends_nothing() {
    check(
        |world| {
            connected(world);
            world.delay_next("BYE", 0.3);
            world.transfers(None, "102");
            world.hangs_up("101");
            world.run(0.2);
            world.answers("102");
            world.run(1.0);
            world.hangs_up("102");
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred (late by 0.3s)
        0.0s 101 -> pbx BYE
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> 101 200 OK to BYE
        0.0s pbx -> crm transferring
        0.2s 102 -> pbx 200 OK
        0.2s pbx -> 102 ACK
        0.3s 101 -> pbx 200 OK to BYE
        1.2s 102 -> pbx BYE
        1.2s pbx -> 102 200 OK to BYE
        1.2s pbx -> carrier BYE
        1.2s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_target_of_another_law_is_translated_for() {
    check(
        |world| {
            world.speaks_only("carrier", &[(8, "PCMA")]);
            world.speaks_only("102", &[(0, "PCMU")]);
            connected(world);
            world.transfers(None, "102");
            world.run(0.2);
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 180 Ringing
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> crm transferring
        0.2s 102 -> pbx 200 OK
        0.2s pbx -> 102 ACK
        0.7s ~ 102 hears carrier, carrier hears 102
        1.2s 102 -> pbx BYE
        1.2s pbx -> 102 200 OK to BYE
        1.2s pbx -> carrier BYE
        1.2s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_customer_who_holds_meanwhile_hears_nothing_and_the_target_hears_music() {
    check(
        |world| {
            connected(world);
            world.transfers(None, "102");
            world.run(0.1);
            world.holds("carrier");
            world.run(0.1);
            world.listen();
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.resumes("carrier");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 180 Ringing
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> crm transferring
        0.1s carrier -> pbx re-INVITE sendonly
        0.1s pbx -> carrier 100 Trying
        0.1s pbx -> carrier 200 OK recvonly
        0.1s carrier -> pbx ACK
        0.2s ~ nobody hears anybody
        0.7s 102 -> pbx 200 OK
        0.7s pbx -> 102 ACK
        1.2s ~ 102 hears music
        1.7s carrier -> pbx re-INVITE
        1.7s pbx -> carrier 100 Trying
        1.7s pbx -> carrier 200 OK
        1.7s carrier -> pbx ACK
        2.2s ~ 102 hears carrier, carrier hears 102
        2.7s 102 -> pbx BYE
        2.7s pbx -> 102 200 OK to BYE
        2.7s pbx -> carrier BYE
        2.7s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn whoever_was_held_and_muted_by_a_client_is_heard_by_the_target() {
    check(
        |world| {
            connected(world);
            world.orders_hold(None);
            world.orders_mute(None, true);
            world.transfers(None, "102");
            world.run(0.2);
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s crm -> pbx hold
        0.0s crm -> pbx mute
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 180 Ringing
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> crm done
        0.0s pbx -> crm done
        0.0s pbx -> crm transferring
        0.2s 102 -> pbx 200 OK
        0.2s pbx -> 102 ACK
        0.7s ~ 102 hears carrier, carrier hears 102
        1.2s 102 -> pbx BYE
        1.2s pbx -> 102 200 OK to BYE
        1.2s pbx -> carrier BYE
        1.2s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_customer_is_given_on_and_on_and_always_hears_the_last() {
    check(
        |world| {
            connected(world);
            world.hush();
            for target in ["102", "103", "101"] {
                world.answers_after(target, 0.1);
                world.transfers(None, target);
                world.run(1.0);
            }
            world.begin();
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s ~ 101 hears carrier, carrier hears 101
        0.5s carrier -> pbx BYE
        0.5s pbx -> carrier 200 OK to BYE
        0.5s pbx -> 101 BYE
        0.5s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_crash_while_the_target_rings_says_goodbye_to_the_customer_alone() {
    check(
        |world| {
            connected(world);
            world.transfers(None, "102");
            world.run(1.0);
            world.crashes_for(1.0);
            world.run(1.0);
            world.refuses("102", 480);
        },
        "
        0.0s crm -> pbx transfer to 102
        0.0s pbx -> 102 INVITE 102
        0.0s pbx -> 101 BYE: The call was transferred
        0.0s 102 -> pbx 180 Ringing
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> crm transferring
        1.0s the switchboard dies
        2.0s the switchboard starts
        2.0s pbx -> carrier BYE: The server was restarted
        2.0s carrier -> pbx 200 OK to BYE
        3.0s 102 -> pbx 480 Temporarily Unavailable
        3.5s 102 -> pbx 480 Temporarily Unavailable
        4.5s 102 -> pbx 480 Temporarily Unavailable
        6.5s 102 -> pbx 480 Temporarily Unavailable
        10.5s 102 -> pbx 480 Temporarily Unavailable
        14.5s 102 -> pbx 480 Temporarily Unavailable
        18.5s 102 -> pbx 480 Temporarily Unavailable
        22.5s 102 -> pbx 480 Temporarily Unavailable
        26.5s 102 -> pbx 480 Temporarily Unavailable
        30.5s 102 -> pbx 480 Temporarily Unavailable
        34.5s 102 -> pbx 480 Temporarily Unavailable
        ",
    );
}

#[test]
fn the_target_sees_the_customers_number_and_so_does_the_agent_that_is_rung_back() {
    let mut world = World::new(1);
    connected(&mut world);
    world.do_not_disturb("102");

    world.transfers(None, "102");
    world.run(1.0);

    for phone in ["102", "101"] {
        let shown = &world.phone(phone).talks.last().expect("a call").shown;
        assert!(shown.contains("0900000009"), "{phone} shows {shown}");
    }
    world.hangs_up("carrier");
    world.end();
}

#[test]
fn a_customer_whom_an_agent_has_called_is_shown_to_the_target() {
    let mut world = World::new(1);
    world.answers_after("carrier", 0.5);
    world.calls("101", "0900000001");
    world.run(1.0);

    world.transfers(None, "102");
    world.run(0.5);

    let shown = &world.phone("102").talks.last().expect("a call").shown;
    assert!(shown.contains("0900000001"), "102 shows {shown}");
    world.hangs_up("carrier");
    world.end();
}

#[test]
fn a_target_outside_sees_the_own_number_of_whoever_transfers() {
    let mut world = World::new(1);
    world.settings(|settings| {
        let second = model::NumberRoute { number: "842873088077".into(), route: model::Route::Extension("101".into()) };
        settings.numbers.insert(second.number.clone(), second);
        settings.extensions.get_mut("101").expect("a desk").caller_id = Some("842873088088".into());
    });
    world.answers_after("carrier", 0.5);
    world.calls("101", "0900000001");
    world.run(1.0);

    world.transfers(None, "0900000002");
    world.run(0.5);

    let shown = &world.phone("carrier").talks.last().expect("a call").shown;
    assert!(shown.contains("02873088088"), "the target sees {shown}");
    world.hangs_up("carrier");
    world.end();
}

#[test]
fn the_recording_goes_on_with_whom_the_customer_was_given_to() {
    let mut world = World::new(1);
    world.settings(|settings| settings.extensions.get_mut("101").expect("a desk").record = true);
    connected(&mut world);
    world.talk_for(1);
    world.transfers(None, "102");
    world.run(0.5);
    world.answers("102");
    world.run(0.5);
    world.talk_for(1);

    world.hangs_up("carrier");
    world.settle();

    let both = vec!["101".to_owned(), "102".to_owned()];
    assert_eq!(world.on_the_recording(), (vec!["carrier".to_owned()], both));
    let record = world.rows(1).expect("a company").records.values().last().expect("a call").clone();
    assert_eq!(record.recordings.len(), 1);
    world.end();
}

#[test]
fn what_a_customer_says_while_the_target_rings_is_not_recorded() {
    let mut world = World::new(1);
    world.settings(|settings| settings.extensions.get_mut("101").expect("a desk").record = true);
    connected(&mut world);
    world.transfers(None, "102");
    world.run(0.2);
    world.talk_for(2);

    world.hangs_up("carrier");
    world.settle();

    assert_eq!(world.on_the_recording(), (vec![], vec![]));
    world.end();
}

#[test]
fn a_transfer_that_nobody_takes_lasts_as_long_as_phones_ring_and_no_longer() {
    let mut world = World::new(1);
    world.settings(|settings| {
        for extension in settings.extensions.values_mut() {
            extension.ring_seconds = 7;
        }
    });
    connected(&mut world);
    world.manner("101", Manner::default());
    let began = world.now();

    world.transfers(None, "102");
    world.settle();

    // Seven seconds the target, seven the agent, three the tone, and the rest of what is told afterwards.
    let lasted = world.now() - began;
    assert!((Duration::from_secs(17)..Duration::from_secs(60)).contains(&lasted), "{lasted:?}");
    world.end();
}

/// A customer talks with 101; the ladder begins there.
fn connected(world: &mut World) {
    world.answers_after("101", 0.2);
    world.calls("carrier", "02873088088");
    world.run(1.0);
    world.begin();
}

/// 101 talks with 102, whom it has called; the ladder begins there.
fn inside(world: &mut World) {
    world.answers_after("102", 0.2);
    world.calls("101", "102");
    world.run(1.0);
    world.manner("102", Manner::default());
    world.begin();
}
