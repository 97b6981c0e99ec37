//! Carriers between calls: whether they are there, and our registrations with them.

use std::time::Duration;

use sip::{HeaderName, NameAddr};
use testkit::world::phone::Manner;
use testkit::world::{World, check, same};

#[test]
fn a_trunk_that_does_not_answer_three_times_is_down_until_it_answers() {
    check(
        |world| {
            world.show_events();
            world.phone("carrier").counter.options = None;
            asks_every(world, 10);
            world.run(40.0);
            world.begin();
            world.calls("101", "0900000001");
            world.run(1.0);
            world.phone("carrier").counter.options = Some(200);
            world.run(12.0);
            world.manner("carrier", Manner::refuses(486));
            world.calls("101", "0900000001");
            asks_every(world, 0);
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 503 Service Unavailable
        0.0s 101 -> pbx ACK
        0.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.ended 101 trunks_down 503 by switchboard
        0.0s * call.ended trunks_down 503 by switchboard
        0.2s pbx -> carrier OPTIONS
        0.3s pbx -> carrier OPTIONS
        2.6s pbx -> carrier OPTIONS
        2.6s carrier -> pbx 200 OK to OPTIONS
        2.6s * trunk.up carrier
        4.2s pbx -> carrier OPTIONS
        4.2s carrier -> pbx 200 OK to OPTIONS
        4.3s pbx -> carrier OPTIONS
        4.3s carrier -> pbx 200 OK to OPTIONS
        6.4s pbx -> carrier OPTIONS
        6.4s carrier -> pbx 200 OK to OPTIONS
        13.0s 101 -> pbx INVITE 0900000001
        13.0s pbx -> 101 100 Trying
        13.0s pbx -> carrier INVITE 0900000001
        13.0s carrier -> pbx 486 Busy Here
        13.0s pbx -> carrier ACK
        13.0s pbx -> 101 486 Busy Here
        13.0s 101 -> pbx ACK
        13.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        13.0s * leg.started 101 as agent who calls
        13.0s * leg.started +84900000001 as customer
        13.0s * leg.ended +84900000001 busy 486 by customer
        13.0s * leg.ended 101 busy 486 by switchboard
        13.0s * call.ended busy 486 by customer
        ",
    );
}

#[test]
fn a_carrier_that_takes_our_registration_is_there_and_gets_calls_at_once() {
    check(
        |world| {
            is_down(world);
            world.manner("carrier", Manner::refuses(486));
            registers_with(world);
            world.run(0.1);
            world.calls("101", "0900000001");
            world.run(1.0);
            stops_registering(world);
            world.phone("carrier").counter.options = Some(200);
            asks_every(world, 0);
        },
        "
        0.0s pbx -> carrier REGISTER
        0.0s carrier -> pbx 200 OK to REGISTER
        0.0s * trunk.registered carrier at udp 198.51.100.1:5060 for 3600s
        0.0s * trunk.up carrier
        0.1s 101 -> pbx INVITE 0900000001
        0.1s pbx -> 101 100 Trying
        0.1s pbx -> carrier INVITE 0900000001
        0.1s carrier -> pbx 486 Busy Here
        0.1s pbx -> carrier ACK
        0.1s pbx -> 101 486 Busy Here
        0.1s 101 -> pbx ACK
        0.1s * call.started outbound by phone, 101 to +84900000001 over carrier
        0.1s * leg.started 101 as agent who calls
        0.1s * leg.started +84900000001 as customer
        0.1s * leg.ended +84900000001 busy 486 by customer
        0.1s * leg.ended 101 busy 486 by switchboard
        0.1s * call.ended busy 486 by customer
        1.1s pbx -> carrier REGISTER to sign out
        1.1s carrier -> pbx 200 OK to REGISTER
        1.1s * trunk.unregistered carrier: removed
        1.5s pbx -> carrier OPTIONS
        1.5s carrier -> pbx 200 OK to OPTIONS
        ",
    );
}

#[test]
fn a_carrier_whose_call_comes_is_there() {
    check(
        |world| {
            is_down(world);
            world.manner("101", Manner::refuses(486));
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.phone("carrier").counter.options = Some(200);
            asks_every(world, 0);
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 486 Busy Here
        0.0s pbx -> 101 ACK
        0.0s pbx -> carrier 486 Busy Here
        0.0s carrier -> pbx ACK
        0.0s * call.started inbound by trunk, +84900000009 over carrier to 101
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * leg.started 101 as agent
        0.0s * trunk.up carrier
        0.0s * leg.ended 101 busy 486 by agent
        0.0s * leg.ended +84900000009 busy 486 by switchboard
        0.0s * call.ended busy 486 by agent
        1.5s pbx -> carrier OPTIONS
        1.5s carrier -> pbx 200 OK to OPTIONS
        ",
    );
}

#[test]
fn a_trunk_is_asked_by_and_by_and_any_answer_of_its_own_counts() {
    check(
        |world| {
            world.show_events();
            world.phone("carrier").counter.options = Some(404);
            asks_every(world, 30);
            world.run(60.0);
            asks_every(world, 0);
        },
        "
        16.1s pbx -> carrier OPTIONS
        16.1s carrier -> pbx 404 Not Found to OPTIONS
        46.9s pbx -> carrier OPTIONS
        46.9s carrier -> pbx 404 Not Found to OPTIONS
        ",
    );
}

#[test]
fn a_trunk_that_is_down_stays_so_over_a_crash_and_is_told_once() {
    check(
        |world| {
            world.phone("carrier").counter.options = None;
            asks_every(world, 10);
            world.run(40.0);
            world.begin();
            world.show_events();
            world.crashes_for(1.0);
            world.calls("101", "0900000001");
            world.run(1.0);
            world.phone("carrier").counter.options = Some(200);
            world.run(4.0);
            asks_every(world, 0);
        },
        "
        0.0s the switchboard dies
        1.0s the switchboard starts
        1.0s 101 -> pbx INVITE 0900000001
        1.0s pbx -> 101 401 Unauthorized
        1.0s 101 -> pbx ACK
        1.0s 101 -> pbx INVITE 0900000001
        1.0s pbx -> 101 100 Trying
        1.0s pbx -> 101 503 Service Unavailable
        1.0s 101 -> pbx ACK
        1.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        1.0s * leg.started 101 as agent who calls
        1.0s * leg.ended 101 trunks_down 503 by switchboard
        1.0s * call.ended trunks_down 503 by switchboard
        1.0s pbx -> carrier OPTIONS
        1.5s pbx -> carrier OPTIONS
        2.5s pbx -> carrier OPTIONS
        2.5s carrier -> pbx 200 OK to OPTIONS
        2.5s * trunk.up carrier
        ",
    );
}

#[test]
fn a_registration_is_made_when_the_settings_ask_for_it_and_refreshed_at_85_percent() {
    check(
        |world| {
            world.show_events();
            world.phone("carrier").counter.most = 100;
            registers_with(world);
            world.run(200.0);
            stops_registering(world);
        },
        "
        0.0s pbx -> carrier REGISTER
        0.0s carrier -> pbx 200 OK to REGISTER
        0.0s * trunk.registered carrier at udp 198.51.100.1:5060 for 100s
        85.0s pbx -> carrier REGISTER
        85.0s carrier -> pbx 200 OK to REGISTER
        170.0s pbx -> carrier REGISTER
        170.0s carrier -> pbx 200 OK to REGISTER
        200.0s pbx -> carrier REGISTER to sign out
        200.0s carrier -> pbx 200 OK to REGISTER
        200.0s * trunk.unregistered carrier: removed
        ",
    );
}

#[test]
fn a_carrier_that_challenges_and_wants_more_time_has_its_way() {
    check(
        |world| {
            world.phone("carrier").counter.challenges = true;
            world.phone("carrier").counter.least = 7_200;
            world.phone("carrier").counter.most = 7_200;
            registers_with(world);
            world.run(1.0);
            world.phone("carrier").counter.nonce = "another-nonce".into();
            world.run(6_130.0);
            stops_registering(world);
        },
        "
        0.0s pbx -> carrier REGISTER
        0.0s carrier -> pbx 401 Unauthorized to REGISTER
        0.0s pbx -> carrier REGISTER
        0.0s carrier -> pbx 423 Interval Too Brief to REGISTER
        0.0s pbx -> carrier REGISTER
        0.0s carrier -> pbx 401 Unauthorized to REGISTER
        0.0s pbx -> carrier REGISTER
        0.0s carrier -> pbx 200 OK to REGISTER
        6120.0s pbx -> carrier REGISTER
        6120.0s carrier -> pbx 401 Unauthorized to REGISTER
        6120.0s pbx -> carrier REGISTER
        6120.0s carrier -> pbx 200 OK to REGISTER
        6131.0s pbx -> carrier REGISTER to sign out
        6131.0s carrier -> pbx 401 Unauthorized to REGISTER
        6131.0s pbx -> carrier REGISTER to sign out
        6131.0s carrier -> pbx 200 OK to REGISTER
        ",
    );
}

#[test]
fn a_wrong_password_is_told_in_words_and_tried_again_ever_more_seldom() {
    check(
        |world| {
            world.show_events();
            world.phone("carrier").counter.register = Some(403);
            registers_with(world);
            world.run(120.0);
            world.phone("carrier").counter.register = Some(200);
            world.run(110.0);
            stops_registering(world);
        },
        "
        0.0s pbx -> carrier REGISTER
        0.0s carrier -> pbx 403 Forbidden to REGISTER
        0.0s * trunk.registration_failed carrier: it forbids us to register: ask it whether the account is open and our address is allowed (403), again in 31s
        31.2s pbx -> carrier REGISTER
        31.2s carrier -> pbx 403 Forbidden to REGISTER
        31.2s * trunk.registration_failed carrier: it forbids us to register: ask it whether the account is open and our address is allowed (403), again in 64s
        95.6s pbx -> carrier REGISTER
        95.6s carrier -> pbx 403 Forbidden to REGISTER
        95.6s * trunk.registration_failed carrier: it forbids us to register: ask it whether the account is open and our address is allowed (403), again in 128s
        223.7s pbx -> carrier REGISTER
        223.7s carrier -> pbx 200 OK to REGISTER
        223.7s * trunk.registered carrier at udp 198.51.100.1:5060 for 3600s
        230.0s pbx -> carrier REGISTER to sign out
        230.0s carrier -> pbx 200 OK to REGISTER
        230.0s * trunk.unregistered carrier: removed
        ",
    );
}

#[test]
fn a_carrier_that_is_gone_is_asked_again() {
    check(
        |world| {
            world.show_events();
            world.phone("carrier").counter.register = None;
            registers_with(world);
            world.run(40.0);
            world.phone("carrier").counter.register = Some(200);
            world.run(32.0);
            stops_registering(world);
        },
        "
        0.0s pbx -> carrier REGISTER
        0.5s pbx -> carrier REGISTER
        1.5s pbx -> carrier REGISTER
        3.5s pbx -> carrier REGISTER
        7.5s pbx -> carrier REGISTER
        11.5s pbx -> carrier REGISTER
        15.5s pbx -> carrier REGISTER
        19.5s pbx -> carrier REGISTER
        23.5s pbx -> carrier REGISTER
        27.5s pbx -> carrier REGISTER
        31.5s pbx -> carrier REGISTER
        32.0s * trunk.registration_failed carrier: it does not answer, again in 31s
        63.2s pbx -> carrier REGISTER
        63.2s carrier -> pbx 200 OK to REGISTER
        63.2s * trunk.registered carrier at udp 198.51.100.1:5060 for 3600s
        72.0s pbx -> carrier REGISTER to sign out
        72.0s carrier -> pbx 200 OK to REGISTER
        72.0s * trunk.unregistered carrier: removed
        ",
    );
}

#[test]
fn a_call_to_our_contact_is_the_carriers_wherever_it_comes_from() {
    check(
        |world| {
            registers_with(world);
            world.settings(|settings| settings.trunks[0].accept_from.clear());
            world.run(1.0);
            world.begin();
            world.answers_after("101", 1.0);
            world.calls("carrier", "02873088088");
            world.calls_contact("carrier", "02873088088");
            world.run(2.0);
            world.hangs_up("101");
            world.run(1.0);
            stops_registering(world);
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s carrier -> pbx INVITE contact-carrier
        0.0s pbx -> carrier 401 Unauthorized
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> 101 INVITE 101
        0.0s carrier -> pbx ACK
        0.0s 101 -> pbx 180 Ringing
        0.0s pbx -> carrier 180 Ringing
        1.0s 101 -> pbx 200 OK
        1.0s pbx -> 101 ACK
        1.0s pbx -> carrier 200 OK
        1.0s carrier -> pbx ACK
        2.0s 101 -> pbx BYE
        2.0s pbx -> 101 200 OK to BYE
        2.0s pbx -> carrier BYE
        2.0s carrier -> pbx 200 OK to BYE
        3.0s pbx -> carrier REGISTER to sign out
        3.0s carrier -> pbx 200 OK to REGISTER
        ",
    );
}

#[test]
fn the_way_that_the_registrar_asks_for_is_taken() {
    let mut world = World::new(1);
    world.phone("carrier").counter.headers.push(HeaderName::ServiceRoute, "<sip:edge.carrier.test;lr>");
    world.manner("carrier", Manner::refuses(486));
    registers_with(&mut world);
    world.run(1.0);
    world.calls("101", "0900000001");
    world.run(1.0);
    stops_registering(&mut world);
    world.settle();

    let invite = &world.phone("carrier").talks[0].invite;
    let routes: Vec<_> = invite.headers.routes().unwrap_or_default().iter().map(NameAddr::to_string).collect();

    assert_eq!(routes, ["<sip:edge.carrier.test;lr>"]);
    assert_eq!(invite.uri.to_string(), "sip:0900000001@198.51.100.1:5060");
    world.end();
}

#[test]
fn a_server_that_stops_tells_its_carriers_first() {
    check(
        |world| {
            registers_with(world);
            world.run(1.0);
            world.begin();
            world.show_events();
            world.drain_calls();
        },
        "
        0.0s pbx -> carrier REGISTER to sign out
        0.0s carrier -> pbx 200 OK to REGISTER
        0.0s * trunk.unregistered carrier: draining
        ",
    );
}

#[test]
fn after_a_crash_the_carrier_hears_of_us_at_once_under_the_same_contact() {
    let mut world = World::new(1);
    registers_with(&mut world);
    world.run(1.0);
    let before = world.phone("carrier").counter.registered.clone();
    world.begin();
    world.show_events();

    world.crashes_for(60.0);
    world.run(1.0);
    same(
        "
        0.0s the switchboard dies
        60.0s the switchboard starts
        60.0s pbx -> carrier REGISTER
        60.0s carrier -> pbx 200 OK to REGISTER
        ",
        &world.ladder(),
    );
    let after = world.phone("carrier").counter.registered.clone();
    stops_registering(&mut world);
    world.settle();

    let user = |registered: &Option<(NameAddr, Duration)>| registered.clone().and_then(|(contact, _)| contact.uri.user);
    assert_eq!(user(&before), user(&after));
    assert!(user(&after).is_some() && before.map(|(_, until)| until) < after.map(|(_, until)| until));
    world.end();
}

#[test]
fn a_connection_that_is_lost_takes_the_registration_with_it_and_it_is_made_anew() {
    let mut world = World::new(1);
    world.settings(|settings| {
        for target in &mut settings.trunks[0].resolved {
            target.transport = model::Transport::Tcp;
        }
    });
    let phone = world.phone("carrier");
    phone.card.transport = sip::Transport::Tcp;
    world.connects("carrier");
    registers_with(&mut world);
    world.run(1.0);
    let before = world.phone("carrier").counter.registered.clone().map(|(_, until)| until);

    world.disconnects("carrier");
    world.connects("carrier");
    world.run(1.0);
    let after = world.phone("carrier").counter.registered.clone().map(|(_, until)| until);
    stops_registering(&mut world);
    world.settle();

    assert!(before.is_some() && before < after, "{before:?} {after:?}");
    world.end();
}

#[test]
fn a_carrier_that_asks_who_hangs_up_is_told_whoever_called() {
    check(
        |world| {
            has_account(world);
            world.phone("carrier").challenges_within = true;
            world.answers_after("101", 0.0);
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.hangs_up("101");
            world.run(1.0);
            world.answers_after("carrier", 0.0);
            world.calls("101", "0900000001");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 180 Ringing
        0.0s 101 -> pbx 200 OK
        0.0s pbx -> carrier 180 Ringing
        0.0s pbx -> 101 ACK
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        1.0s 101 -> pbx BYE
        1.0s pbx -> 101 200 OK to BYE
        1.0s pbx -> carrier BYE
        1.0s carrier -> pbx 407 Proxy Authentication Required to BYE
        1.0s pbx -> carrier BYE
        1.0s carrier -> pbx 200 OK to BYE
        2.0s 101 -> pbx INVITE 0900000001
        2.0s pbx -> 101 100 Trying
        2.0s pbx -> carrier INVITE 0900000001
        2.0s carrier -> pbx 180 Ringing
        2.0s carrier -> pbx 200 OK
        2.0s pbx -> 101 180 Ringing
        2.0s pbx -> carrier ACK
        2.0s pbx -> 101 200 OK
        2.0s 101 -> pbx ACK
        3.0s 101 -> pbx BYE
        3.0s pbx -> 101 200 OK to BYE
        3.0s pbx -> carrier BYE
        3.0s carrier -> pbx 407 Proxy Authentication Required to BYE
        3.0s pbx -> carrier BYE
        3.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_carrier_that_asks_who_hangs_up_after_a_crash_is_told() {
    check(
        |world| {
            has_account(world);
            world.phone("carrier").challenges_within = true;
            world.answers_after("carrier", 0.0);
            world.calls("101", "0900000001");
            world.run(1.0);
            world.begin();
            world.crashes_for(1.0);
        },
        "
        0.0s the switchboard dies
        1.0s the switchboard starts
        1.0s pbx -> 101 BYE: The server was restarted
        1.0s pbx -> carrier BYE: The server was restarted
        1.0s 101 -> pbx 200 OK to BYE
        1.0s carrier -> pbx 407 Proxy Authentication Required to BYE
        1.0s pbx -> carrier BYE: The server was restarted
        1.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

/// The first company's trunk has not answered three questions.
fn is_down(world: &mut World) {
    world.phone("carrier").counter.options = None;
    asks_every(world, 30);
    world.run(110.0);
    world.begin();
    world.show_events();
}

/// The first company's trunk is asked so often whether it is there; 0: never.
fn asks_every(world: &mut World, seconds: u32) {
    world.settings(|settings| settings.trunks[0].health_seconds = Some(seconds));
}

/// The first company registers with its carrier.
fn registers_with(world: &mut World) {
    has_account(world);
    world.settings(|settings| settings.trunks[0].register = true);
}

/// The first company has an account with its carrier.
fn has_account(world: &mut World) {
    world.settings(|settings| {
        settings.trunks[0].username = Some("demo".into());
        settings.trunks[0].password = Some("made-up".into());
    });
}

fn stops_registering(world: &mut World) {
    world.settings(|settings| settings.trunks[0].register = false);
}
