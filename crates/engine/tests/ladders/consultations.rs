//! Attended transfers: the customer hears music while somebody is asked, in a call of its own.

use testkit::world::phone::Manner;
use testkit::world::{World, check};

#[test]
fn the_customer_hears_music_until_the_agent_hangs_up_and_then_the_target() {
    check(
        |world| {
            connected(world);
            world.transfers_attended(None, "102");
            world.run(0.1);
            world.listen();
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s crm -> pbx transfer to 102 attended
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> crm transferring
        0.1s ~ 101 hears a tone, carrier hears music
        0.6s 102 -> pbx 200 OK
        0.6s pbx -> 102 ACK
        1.1s ~ 101 hears 102, 102 hears 101, carrier hears music
        1.6s 101 -> pbx BYE
        1.6s pbx -> 101 200 OK to BYE
        1.6s pbx -> 102 re-INVITE
        1.6s 102 -> pbx 200 OK
        1.6s pbx -> 102 ACK
        2.1s ~ 102 hears carrier, carrier hears 102
        2.6s carrier -> pbx BYE
        2.6s pbx -> carrier 200 OK to BYE
        2.6s pbx -> 102 BYE
        2.6s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_target_that_declines_gives_the_customer_back() {
    check(
        |world| {
            connected(world);
            world.show_events();
            world.transfers_attended(None, "102");
            world.run(0.5);
            world.refuses("102", 603);
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx transfer to 102 attended
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s * call.started local by consultation, 101 to 102
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.answered 101
        0.0s * leg.started 102 as customer
        0.0s * call.transferring 102 by 101, attended
        0.0s * leg.ringing 102
        0.0s pbx -> crm transferring
        0.5s 102 -> pbx 603 Decline
        0.5s pbx -> 102 ACK
        0.5s * leg.ended 102 declined 603 by customer
        0.5s * leg.ended 101 declined 200 by switchboard
        0.5s * call.ended declined 603 by customer
        0.5s * call.transfer_failed by 101, declined 603
        1.0s ~ 101 hears carrier, carrier hears 101
        1.5s 101 -> pbx BYE
        1.5s pbx -> 101 200 OK to BYE
        1.5s pbx -> carrier BYE
        1.5s carrier -> pbx 200 OK to BYE
        1.5s * leg.ended 101 hung_up 200 by agent
        1.5s * leg.ended +84900000009 hung_up 200 by switchboard
        1.5s * call.ended hung_up 200 by agent
        1.5s * sound.measured +84900000009 101
        ",
    );
}

#[test]
fn a_target_that_hangs_up_gives_the_customer_back() {
    check(
        |world| {
            asked(world);
            world.hangs_up("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 102 -> pbx BYE
        0.0s pbx -> 102 200 OK to BYE
        0.5s ~ 101 hears carrier, carrier hears 101
        1.0s carrier -> pbx BYE
        1.0s pbx -> carrier 200 OK to BYE
        1.0s pbx -> 101 BYE
        1.0s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn an_agent_who_hangs_up_while_the_target_rings_leaves_the_customer_with_the_ringing() {
    check(
        |world| {
            connected(world);
            world.transfers_attended(None, "102");
            world.run(0.5);
            world.hangs_up("101");
            world.run(0.1);
            world.listen();
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s crm -> pbx transfer to 102 attended
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> crm transferring
        0.5s 101 -> pbx BYE
        0.5s pbx -> 101 200 OK to BYE
        0.6s ~ carrier hears a tone
        1.1s 102 -> pbx 200 OK
        1.1s pbx -> 102 ACK
        1.1s pbx -> 102 re-INVITE
        1.1s 102 -> pbx 200 OK
        1.1s pbx -> 102 ACK
        1.6s ~ 102 hears carrier, carrier hears 102
        2.1s 102 -> pbx BYE
        2.1s pbx -> 102 200 OK to BYE
        2.1s pbx -> carrier BYE
        2.1s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn sound_of_the_target_before_its_answer_is_heard_by_the_agent_alone() {
    check(
        |world| {
            connected(world);
            world.manner("102", Manner::default().with_early_sound());
            world.transfers_attended(None, "102");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s crm -> pbx transfer to 102 attended
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 183 Session Progress
        0.0s pbx -> crm transferring
        0.5s ~ 101 hears 102, 102 hears 101, carrier hears music
        1.0s carrier -> pbx BYE
        1.0s pbx -> carrier 200 OK to BYE
        1.0s pbx -> 102 CANCEL
        1.0s pbx -> 101 BYE
        1.0s 102 -> pbx 200 OK to CANCEL
        1.0s 102 -> pbx 487 Request Terminated
        1.0s 101 -> pbx 200 OK to BYE
        1.0s pbx -> 102 ACK
        ",
    );
}

#[test]
fn those_who_talk_go_on_when_the_customer_hangs_up() {
    check(
        |world| {
            asked(world);
            world.hangs_up("carrier");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s carrier -> pbx BYE
        0.0s pbx -> carrier 200 OK to BYE
        0.5s ~ 101 hears 102, 102 hears 101
        1.0s 102 -> pbx BYE
        1.0s pbx -> 102 200 OK to BYE
        1.0s pbx -> 101 BYE
        1.0s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn those_who_go_on_are_a_call_that_clients_find_by_the_consultations_id() {
    check(
        |world| {
            asked(world);
            world.hangs_up("carrier");
            world.run(0.5);
            world.hangs_up_consultation();
        },
        "
        0.0s carrier -> pbx BYE
        0.0s pbx -> carrier 200 OK to BYE
        0.5s crm -> pbx hang up the consultation
        0.5s pbx -> 101 BYE: The call was ended by order
        0.5s pbx -> 102 BYE: The call was ended by order
        0.5s 101 -> pbx 200 OK to BYE
        0.5s 102 -> pbx 200 OK to BYE
        0.5s pbx -> crm hung up
        ",
    );
}

#[test]
fn the_agent_takes_the_customer_back_by_a_client() {
    check(
        |world| {
            asked(world);
            world.orders_resume(Some("101"));
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx resume for 101
        0.0s pbx -> 102 BYE: The call was ended by order
        0.0s 102 -> pbx 200 OK to BYE
        0.0s pbx -> crm done
        0.5s ~ 101 hears carrier, carrier hears 101
        1.0s 101 -> pbx BYE
        1.0s pbx -> 101 200 OK to BYE
        1.0s pbx -> carrier BYE
        1.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn ending_the_consultation_gives_the_customer_back() {
    check(
        |world| {
            asked(world);
            world.hangs_up_consultation();
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx hang up the consultation
        0.0s pbx -> 102 BYE: The call was ended by order
        0.0s 102 -> pbx 200 OK to BYE
        0.0s pbx -> crm hung up
        0.5s ~ 101 hears carrier, carrier hears 101
        1.0s 101 -> pbx BYE
        1.0s pbx -> 101 200 OK to BYE
        1.0s pbx -> carrier BYE
        1.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn ending_the_customers_call_ends_all_three() {
    check(
        |world| {
            asked(world);
            world.orders_hang_up();
        },
        "
        0.0s crm -> pbx hang up
        0.0s pbx -> 102 BYE: The call was ended by order
        0.0s pbx -> carrier BYE: The call was ended by order
        0.0s pbx -> 101 BYE: The call was ended by order
        0.0s 102 -> pbx 200 OK to BYE
        0.0s carrier -> pbx 200 OK to BYE
        0.0s 101 -> pbx 200 OK to BYE
        0.0s pbx -> crm hung up
        ",
    );
}

#[test]
fn a_customer_who_holds_meanwhile_is_known_to_when_the_target_takes_over() {
    check(
        |world| {
            asked(world);
            world.holds("carrier");
            world.run(0.1);
            world.listen();
            world.hangs_up("101");
            world.run(0.5);
            world.listen();
            world.resumes("carrier");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx re-INVITE sendonly
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK recvonly
        0.0s carrier -> pbx ACK
        0.1s ~ 101 hears 102, 102 hears 101
        0.6s 101 -> pbx BYE
        0.6s pbx -> 101 200 OK to BYE
        0.6s pbx -> 102 re-INVITE
        0.6s 102 -> pbx 200 OK
        0.6s pbx -> 102 ACK
        1.1s ~ 102 hears music
        1.6s carrier -> pbx re-INVITE
        1.6s pbx -> carrier 100 Trying
        1.6s pbx -> carrier 200 OK
        1.6s carrier -> pbx ACK
        2.1s ~ 102 hears carrier, carrier hears 102
        2.6s carrier -> pbx BYE
        2.6s pbx -> carrier 200 OK to BYE
        2.6s pbx -> 102 BYE
        2.6s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn an_agent_whose_phone_holds_hears_the_target_once_it_has_resumed() {
    check(
        |world| {
            connected(world);
            world.holds("101");
            world.run(0.1);
            world.transfers_attended(None, "102");
            world.run(0.1);
            world.answers("102");
            world.run(0.1);
            world.listen();
            world.resumes("101");
            world.run(0.1);
            world.listen();
            world.hangs_up("101");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx re-INVITE sendonly
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 200 OK recvonly
        0.0s 101 -> pbx ACK
        0.1s crm -> pbx transfer to 102 attended
        0.1s pbx -> 102 INVITE 102
        0.1s 102 -> pbx 180 Ringing
        0.1s pbx -> crm transferring
        0.2s 102 -> pbx 200 OK
        0.2s pbx -> 102 ACK
        0.3s ~ 102 hears music, carrier hears music
        0.8s 101 -> pbx re-INVITE
        0.8s pbx -> 101 100 Trying
        0.8s pbx -> 101 200 OK
        0.8s 101 -> pbx ACK
        0.9s ~ 101 hears 102, 102 hears 101, carrier hears music
        1.4s 101 -> pbx BYE
        1.4s pbx -> 101 200 OK to BYE
        1.4s pbx -> 102 re-INVITE
        1.4s 102 -> pbx 200 OK
        1.4s pbx -> 102 ACK
        1.9s ~ 102 hears carrier, carrier hears 102
        2.4s 102 -> pbx BYE
        2.4s pbx -> 102 200 OK to BYE
        2.4s pbx -> carrier BYE
        2.4s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn keys_of_the_agent_go_to_the_target_and_to_nobody_else() {
    let mut world = World::new(1);
    asked(&mut world);

    world.dials_in_sound("101", "159#");
    world.talk_for(3);

    let keys = |world: &mut World, name| world.phone(name).talks.last().expect("a call").sound.keys.clone();
    assert_eq!((keys(&mut world, "102").as_str(), keys(&mut world, "carrier").as_str()), ("159#", ""));
    world.hangs_up("101");
    world.run(1.0);
    world.hangs_up("carrier");
    world.end();
}

#[test]
fn a_crash_while_somebody_is_asked_says_goodbye_to_all_three() {
    check(
        |world| {
            asked(world);
            world.crashes_for(1.0);
        },
        "
        0.0s the switchboard dies
        1.0s the switchboard starts
        1.0s pbx -> carrier BYE: The server was restarted
        1.0s pbx -> 101 BYE: The server was restarted
        1.0s pbx -> 102 BYE: The server was restarted
        1.0s carrier -> pbx 200 OK to BYE
        1.0s 101 -> pbx 200 OK to BYE
        1.0s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn both_phones_inside_are_told_whom_they_talk_with() {
    check(
        |world| {
            world.answers_after("102", 0.2);
            world.calls("101", "102");
            world.run(1.0);
            world.answers_after("103", 0.2);
            world.transfers_attended(Some("101"), "103");
            world.run(1.0);
            world.begin();
            world.hangs_up("101");
            world.run(0.5);
            world.listen();
            world.hangs_up("103");
        },
        "
        0.0s 101 -> pbx BYE
        0.0s pbx -> 101 200 OK to BYE
        0.0s pbx -> 102 re-INVITE
        0.0s pbx -> 103 re-INVITE
        0.0s 102 -> pbx 200 OK
        0.0s 103 -> pbx 200 OK
        0.0s pbx -> 102 ACK
        0.0s pbx -> 103 ACK
        0.5s ~ 102 hears 103, 103 hears 102
        1.0s 103 -> pbx BYE
        1.0s pbx -> 103 200 OK to BYE
        1.0s pbx -> 102 BYE
        1.0s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn what_the_agent_and_the_target_say_is_not_on_the_customers_recording() {
    let mut world = World::new(1);
    world.settings(|settings| settings.extensions.get_mut("101").expect("a desk").record = true);
    asked(&mut world);
    world.talk_for(2);
    world.hangs_up("102");
    world.run(0.2);
    let before = world.on_the_recording();

    world.hangs_up("101");
    world.settle();

    assert_eq!((before, world.on_the_recording()), ((vec![], vec![]), (vec![], vec![])));
    world.end();
}

#[test]
fn the_customers_recording_goes_on_with_the_target() {
    let mut world = World::new(1);
    world.settings(|settings| settings.extensions.get_mut("101").expect("a desk").record = true);
    asked(&mut world);
    world.talk_for(1);
    world.hangs_up("101");
    world.run(0.2);
    world.talk_for(1);

    world.hangs_up("carrier");
    world.settle();

    assert_eq!(world.on_the_recording(), (vec!["carrier".to_owned()], vec!["102".to_owned()]));
    world.end();
}

#[test]
fn the_target_is_called_for_the_consultation_under_the_agents_number() {
    let mut world = World::new(1);
    asked(&mut world);

    let consultation = world.rows(1).expect("a company").calls().last().expect("a consultation");
    let talk = world.phone("102").talks.last().expect("a call");
    let callid = talk.invite.headers.get(&sip::HeaderName::from_static("X-Callid")).expect("a phone is told the call");
    assert_eq!(String::from_utf8_lossy(callid), consultation.to_string());
    assert!(talk.shown.contains("101"), "102 shows {}", talk.shown);

    world.hangs_up("carrier");
    world.run(1.0);
    world.hangs_up("101");
    world.end();
}

/// A customer talks with 101; the ladder begins there.
fn connected(world: &mut World) {
    world.answers_after("101", 0.2);
    world.calls("carrier", "02873088088");
    world.run(1.0);
    world.begin();
}

/// 101 asks 102, who has answered; the ladder begins there.
fn asked(world: &mut World) {
    connected(world);
    world.answers_after("102", 0.2);
    world.transfers_attended(None, "102");
    world.run(1.0);
    world.begin();
}
