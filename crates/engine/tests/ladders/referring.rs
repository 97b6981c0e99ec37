//! Transfers that a phone asks for by REFER: what it is told, who hears whom, and who has the customer when nobody answers.

use sip::{HeaderName, Method};
use testkit::world::phone::Manner;
use testkit::world::{World, check};

#[test]
fn a_phone_gives_its_customer_away_and_hears_when_somebody_has_answered() {
    check(
        |world| {
            connected(world);
            world.holds("101");
            world.run(0.5);
            world.refers("101", "102");
            world.run(0.5);
            world.listen();
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  re-INVITE sendonly
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  200 OK recvonly
        0.0s 101 -> pbx  ACK
        0.5s 101 -> pbx  REFER
        0.5s pbx -> 101  202 Accepted to REFER
        0.5s pbx -> 101  NOTIFY: 100 Trying
        0.5s pbx -> 102  INVITE 102
        0.5s 101 -> pbx  200 OK to NOTIFY
        0.5s 102 -> pbx  180 Ringing
        1.0s ~ carrier hears a tone
        1.5s 102 -> pbx  200 OK
        1.5s pbx -> 102  ACK
        1.5s pbx -> 101  NOTIFY: 200 OK, the last
        1.5s pbx -> 101  BYE: The call was transferred
        1.5s 101 -> pbx  200 OK to NOTIFY
        1.5s 101 -> pbx  200 OK to BYE
        2.0s ~ 102 hears carrier, carrier hears 102
        2.5s carrier -> pbx  BYE
        2.5s pbx -> carrier  200 OK to BYE
        2.5s pbx -> 102  BYE
        2.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_may_hang_up_while_the_target_rings() {
    check(
        |world| {
            connected(world);
            world.refers("101", "102");
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
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  180 Ringing
        0.5s 101 -> pbx  BYE
        0.5s pbx -> 101  200 OK to BYE
        0.6s ~ carrier hears a tone
        1.1s 102 -> pbx  200 OK
        1.1s pbx -> 102  ACK
        1.6s ~ 102 hears carrier, carrier hears 102
        2.1s 102 -> pbx  BYE
        2.1s pbx -> 102  200 OK to BYE
        2.1s pbx -> carrier  BYE
        2.1s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_stays_has_the_customer_back_from_a_target_that_is_busy() {
    check(
        |world| {
            connected(world);
            world.do_not_disturb("102");
            world.refers("101", "102");
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  486 Busy Here
        0.0s pbx -> 102  ACK
        0.0s pbx -> 101  NOTIFY: 486 Busy Here, the last
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.5s ~ 101 hears carrier, carrier hears 101
        1.0s 101 -> pbx  BYE
        1.0s pbx -> 101  200 OK to BYE
        1.0s pbx -> carrier  BYE
        1.0s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_held_the_customer_takes_it_back_by_itself() {
    check(
        |world| {
            connected(world);
            world.holds("101");
            world.run(0.5);
            world.do_not_disturb("102");
            world.refers("101", "102");
            world.run(0.5);
            world.listen();
            world.resumes("101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  re-INVITE sendonly
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 101  200 OK recvonly
        0.0s 101 -> pbx  ACK
        0.5s 101 -> pbx  REFER
        0.5s pbx -> 101  202 Accepted to REFER
        0.5s pbx -> 101  NOTIFY: 100 Trying
        0.5s pbx -> 102  INVITE 102
        0.5s 101 -> pbx  200 OK to NOTIFY
        0.5s 102 -> pbx  486 Busy Here
        0.5s pbx -> 102  ACK
        0.5s pbx -> 101  NOTIFY: 486 Busy Here, the last
        0.5s 101 -> pbx  200 OK to NOTIFY
        1.0s ~ carrier hears music
        1.5s 101 -> pbx  re-INVITE
        1.5s pbx -> 101  100 Trying
        1.5s pbx -> 101  200 OK
        1.5s 101 -> pbx  ACK
        2.0s ~ 101 hears carrier, carrier hears 101
        2.5s carrier -> pbx  BYE
        2.5s pbx -> carrier  200 OK to BYE
        2.5s pbx -> 101  BYE
        2.5s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_has_hung_up_is_rung_back_when_nobody_answers() {
    check(
        |world| {
            connected(world);
            world.refers("101", "102");
            world.run(0.5);
            world.hangs_up("101");
            world.run(0.5);
            world.refuses("102", 486);
            world.run(0.1);
            world.listen();
            world.answers("101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  180 Ringing
        0.5s 101 -> pbx  BYE
        0.5s pbx -> 101  200 OK to BYE
        1.0s 102 -> pbx  486 Busy Here
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  INVITE 101
        1.0s 101 -> pbx  180 Ringing
        1.1s ~ nobody hears anybody
        1.6s 101 -> pbx  200 OK
        1.6s pbx -> 101  ACK
        2.1s ~ 101 hears carrier, carrier hears 101
        2.6s carrier -> pbx  BYE
        2.6s pbx -> carrier  200 OK to BYE
        2.6s pbx -> 101  BYE
        2.6s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_customer_who_does_not_wait_is_told_of_to_the_phone_before_its_call_ends() {
    check(
        |world| {
            connected(world);
            world.refers("101", "102");
            world.run(0.5);
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  180 Ringing
        0.5s carrier -> pbx  BYE
        0.5s pbx -> carrier  200 OK to BYE
        0.5s pbx -> 102  CANCEL
        0.5s pbx -> 101  NOTIFY: 487 Request Terminated, the last
        0.5s pbx -> 101  BYE
        0.5s 102 -> pbx  200 OK to CANCEL
        0.5s 102 -> pbx  487 Request Terminated
        0.5s 101 -> pbx  200 OK to NOTIFY
        0.5s 101 -> pbx  200 OK to BYE
        0.5s pbx -> 102  ACK
        ",
    );
}

#[test]
fn what_leads_nowhere_is_said_at_once_and_the_two_talk_on() {
    check(
        |world| {
            connected(world);
            world.refers("101", "199");
            world.refers("101", "101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 101  NOTIFY: 404 Not Found, the last
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 101  NOTIFY: 403 Forbidden, the last
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.5s ~ 101 hears carrier, carrier hears 101
        1.0s carrier -> pbx  BYE
        1.0s pbx -> carrier  200 OK to BYE
        1.0s pbx -> 101  BYE
        1.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_wants_to_hear_nothing_is_told_nothing() {
    check(
        |world| {
            connected(world);
            let to = (HeaderName::ReferTo, "<sip:102@demo.example>");
            world.refers_saying("101", &[to, (HeaderName::from_static("Refer-Sub"), "false")]);
            world.run(0.5);
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.5s 102 -> pbx  200 OK
        0.5s pbx -> 102  ACK
        0.5s pbx -> 101  BYE: The call was transferred
        0.5s 101 -> pbx  200 OK to BYE
        1.0s ~ 102 hears carrier, carrier hears 102
        1.5s carrier -> pbx  BYE
        1.5s pbx -> carrier  200 OK to BYE
        1.5s pbx -> 102  BYE
        1.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_second_wish_waits_for_the_first() {
    check(
        |world| {
            connected(world);
            world.refers("101", "102");
            world.refers("101", "0900000001");
            world.run(0.5);
            world.refuses("102", 486);
            world.run(0.5);
            world.refers("101", "0900000001");
            world.run(0.5);
            world.answers("carrier");
            world.run(0.5);
            world.hangs_up("101");
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s pbx -> 101  491 Request Pending to REFER
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  180 Ringing
        0.5s 102 -> pbx  486 Busy Here
        0.5s pbx -> 102  ACK
        0.5s pbx -> 101  NOTIFY: 486 Busy Here, the last
        0.5s 101 -> pbx  200 OK to NOTIFY
        1.0s 101 -> pbx  REFER
        1.0s pbx -> 101  202 Accepted to REFER
        1.0s pbx -> 101  NOTIFY: 100 Trying
        1.0s pbx -> carrier  INVITE 0900000001
        1.0s 101 -> pbx  200 OK to NOTIFY
        1.0s carrier -> pbx  180 Ringing
        1.5s carrier -> pbx  200 OK
        1.5s pbx -> carrier  ACK
        1.5s pbx -> 101  NOTIFY: 200 OK, the last
        1.5s pbx -> 101  BYE: The call was transferred
        1.5s 101 -> pbx  200 OK to NOTIFY
        1.5s 101 -> pbx  200 OK to BYE
        2.0s carrier -> pbx  BYE
        2.0s pbx -> carrier  200 OK to BYE
        2.0s pbx -> carrier  BYE
        2.0s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn an_address_that_cannot_be_called_is_refused() {
    check(
        |world| {
            connected(world);
            for to in ["<mailto:an@demo.example>", "<sip:102@demo.example;method=BYE>", "nobody at all"] {
                world.refers_saying("101", &[(HeaderName::ReferTo, to)]);
                world.run(0.1);
            }
            let to = (HeaderName::ReferTo, "<sip:102@demo.example>");
            world.refers_saying("101", &[to.clone(), to]);
            world.run(0.1);
            world.refers_saying("101", &[(HeaderName::ReferTo, "<tel:102>")]);
            world.run(0.1);
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  416 Unsupported URI Scheme to REFER
        0.1s 101 -> pbx  REFER
        0.1s pbx -> 101  403 Forbidden to REFER
        0.2s 101 -> pbx  REFER
        0.2s pbx -> 101  400 Bad Request to REFER
        0.3s 101 -> pbx  REFER
        0.3s pbx -> 101  400 Bad Request to REFER
        0.4s 101 -> pbx  REFER
        0.4s pbx -> 101  202 Accepted to REFER
        0.4s pbx -> 101  NOTIFY: 100 Trying
        0.4s pbx -> 102  INVITE 102
        0.4s 101 -> pbx  200 OK to NOTIFY
        0.4s 102 -> pbx  180 Ringing
        0.5s carrier -> pbx  BYE
        0.5s pbx -> carrier  200 OK to BYE
        0.5s pbx -> 102  CANCEL
        0.5s pbx -> 101  NOTIFY: 487 Request Terminated, the last
        0.5s pbx -> 101  BYE
        0.5s 102 -> pbx  200 OK to CANCEL
        0.5s 102 -> pbx  487 Request Terminated
        0.5s 101 -> pbx  200 OK to NOTIFY
        0.5s 101 -> pbx  200 OK to BYE
        0.5s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_carrier_gives_nobody_away_and_nobody_does_outside_of_a_call() {
    check(
        |world| {
            connected(world);
            world.refers("carrier", "102");
            world.run(0.1);
            world.asks("102", Method::Refer, "101");
            world.run(0.1);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx  REFER
        0.0s pbx -> carrier  403 Forbidden to REFER
        0.1s 102 -> pbx  REFER
        0.1s pbx -> 102  405 Method Not Allowed to REFER
        0.2s ~ 101 hears carrier, carrier hears 101
        0.7s carrier -> pbx  BYE
        0.7s pbx -> carrier  200 OK to BYE
        0.7s pbx -> 101  BYE
        0.7s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn two_inside_may_both_want_to_give_the_other_away_and_one_does() {
    check(
        |world| {
            world.answers_after("102", 0.2);
            world.calls("101", "102");
            world.run(1.0);
            world.begin();
            world.refers("101", "103");
            world.refers("102", "0900000001");
            world.run(0.5);
            world.answers("103");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s 102 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 103  INVITE 103
        0.0s pbx -> 102  202 Accepted to REFER
        0.0s pbx -> 102  NOTIFY: 100 Trying
        0.0s pbx -> 102  NOTIFY: 403 Forbidden, the last
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 103 -> pbx  180 Ringing
        0.0s 102 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  200 OK to NOTIFY
        0.5s 103 -> pbx  200 OK
        0.5s pbx -> 103  ACK
        0.5s pbx -> 101  NOTIFY: 200 OK, the last
        0.5s pbx -> 101  BYE: The call was transferred
        0.5s pbx -> 102  re-INVITE
        0.5s 101 -> pbx  200 OK to NOTIFY
        0.5s 101 -> pbx  200 OK to BYE
        0.5s 102 -> pbx  200 OK
        0.5s pbx -> 102  ACK
        1.0s ~ 102 hears 103, 103 hears 102
        1.5s 102 -> pbx  BYE
        1.5s pbx -> 102  200 OK to BYE
        1.5s pbx -> 103  BYE
        1.5s 103 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn the_last_word_reaches_a_phone_whose_first_copy_of_it_was_lost() {
    check(
        |world| {
            connected(world);
            world.refers("101", "102");
            world.run(0.5);
            world.lose_next("NOTIFY: 200");
            world.answers("102");
            world.run(2.0);
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  180 Ringing
        0.5s 102 -> pbx  200 OK
        0.5s pbx -> 102  ACK
        0.5s pbx -> 101  NOTIFY: 200 OK, the last (lost)
        0.5s pbx -> 101  BYE: The call was transferred
        0.5s 101 -> pbx  200 OK to BYE
        1.0s pbx -> 101  NOTIFY: 200 OK, the last
        1.0s 101 -> pbx  200 OK to NOTIFY
        2.5s carrier -> pbx  BYE
        2.5s pbx -> carrier  200 OK to BYE
        2.5s pbx -> 102  BYE
        2.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_asked_for_a_transfer_vanishes_with_nobody_the_worse_for_it() {
    check(
        |world| {
            connected(world);
            world.refers("101", "102");
            world.run(0.5);
            world.unplug("101");
            world.answers("102");
            world.run(1.0);
            world.listen();
            world.hush();
            world.run(40.0);
            world.plug_in("101");
            world.hangs_up("101");
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  180 Ringing
        0.5s 102 -> pbx  200 OK
        0.5s pbx -> 102  ACK
        0.5s pbx -> 101  NOTIFY: 200 OK, the last (lost)
        0.5s pbx -> 101  BYE: The call was transferred (lost)
        1.0s pbx -> 101  NOTIFY: 200 OK, the last (lost)
        1.0s pbx -> 101  BYE: The call was transferred (lost)
        2.0s pbx -> 101  NOTIFY: 200 OK, the last (lost)
        2.0s pbx -> 101  BYE: The call was transferred (lost)
        1.5s ~ 102 hears carrier, carrier hears 102
        ",
    );
}

#[test]
fn the_switchboard_ends_a_transfer_and_says_so_to_the_phone_that_waits() {
    check(
        |world| {
            connected(world);
            world.refers("101", "102");
            world.run(0.5);
            world.orders_hang_up();
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  180 Ringing
        0.5s crm -> pbx  hang up
        0.5s pbx -> 102  CANCEL: The call was ended by order
        0.5s pbx -> carrier  BYE: The call was ended by order
        0.5s pbx -> 101  NOTIFY: 487 Request Terminated, the last
        0.5s pbx -> 101  BYE: The call was ended by order
        0.5s 102 -> pbx  200 OK to CANCEL
        0.5s 102 -> pbx  487 Request Terminated
        0.5s carrier -> pbx  200 OK to BYE
        0.5s 101 -> pbx  200 OK to NOTIFY
        0.5s 101 -> pbx  200 OK to BYE
        0.5s pbx -> 102  ACK
        0.5s pbx -> crm  hung up
        ",
    );
}

#[test]
fn a_target_inside_is_told_who_gave_the_caller_away_and_a_carrier_is_not() {
    let mut world = World::new(1);
    connected(&mut world);
    let referrer = |world: &mut World, name: &str| {
        let talk = world.phone(name).talks.last().expect("it was called");
        let by = talk.invite.headers.referred_by().expect("one address at most")?;
        by.uri.user_text().map(|user| String::from_utf8_lossy(&user).into_owned())
    };

    world.refers("101", "102");
    world.run(0.5);
    world.answers("102");
    world.run(0.5);
    world.refers("102", "0900000001");
    world.run(0.5);

    assert_eq!(referrer(&mut world, "102").as_deref(), Some("101"));
    assert_eq!(referrer(&mut world, "carrier"), None);
    world.hangs_up("102");
    world.settle();
    world.hangs_up("carrier");
    world.settle();
    world.end();
}

/// The carrier's customer talks with 101; the ladder begins there.
fn connected(world: &mut World) {
    world.answers_after("101", 0.2);
    world.calls("carrier", "02873088088");
    world.run(1.0);
    world.manner("101", Manner::default());
    world.begin();
}
