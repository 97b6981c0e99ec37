//! Calls that somebody takes who is not rung: whose, who hears whom, and what becomes of those who are rung.

use testkit::world::{World, check};

#[test]
fn a_colleague_takes_a_call_that_rings_elsewhere() {
    check(
        |world| {
            rings(world, "101");
            world.calls("102", "*8101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 102 -> pbx  INVITE *8101
        0.0s pbx -> 102  100 Trying
        0.0s pbx -> 102  200 OK
        0.0s pbx -> 101  CANCEL: Call completed elsewhere
        0.0s pbx -> carrier  200 OK
        0.0s 102 -> pbx  ACK
        0.0s 101 -> pbx  200 OK to CANCEL
        0.0s 101 -> pbx  487 Request Terminated
        0.0s carrier -> pbx  ACK
        0.0s pbx -> 102  re-INVITE
        0.0s pbx -> 101  ACK
        0.0s 102 -> pbx  200 OK
        0.0s pbx -> 102  ACK
        0.5s ~ 102 hears carrier, carrier hears 102
        1.0s carrier -> pbx  BYE
        1.0s pbx -> carrier  200 OK to BYE
        1.0s pbx -> 102  BYE
        1.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn what_is_told_names_who_took_it_and_whom_it_rang() {
    check(
        |world| {
            world.show_events();
            rings(world, "101");
            world.calls("102", "*8101");
            world.run(0.5);
            world.hangs_up("102");
        },
        "
        0.0s 102 -> pbx  INVITE *8101
        0.0s pbx -> 102  100 Trying
        0.0s pbx -> 102  200 OK
        0.0s pbx -> 101  CANCEL: Call completed elsewhere
        0.0s pbx -> carrier  200 OK
        0.0s 102 -> pbx  ACK
        0.0s 101 -> pbx  200 OK to CANCEL
        0.0s 101 -> pbx  487 Request Terminated
        0.0s carrier -> pbx  ACK
        0.0s pbx -> 102  re-INVITE
        0.0s pbx -> 101  ACK
        0.0s 102 -> pbx  200 OK
        0.0s pbx -> 102  ACK
        0.0s * leg.started 102 as agent who calls
        0.0s * leg.answered 102
        0.0s * call.picked_up by 102 from 101
        0.0s * leg.ended 101 answered_elsewhere 487 by switchboard
        0.0s * leg.answered +84900000009
        0.0s * call.connected 102 with +84900000009
        0.5s 102 -> pbx  BYE
        0.5s pbx -> 102  200 OK to BYE
        0.5s pbx -> carrier  BYE
        0.5s carrier -> pbx  200 OK to BYE
        0.5s * leg.ended 102 hung_up 200 by agent
        0.5s * leg.ended +84900000009 hung_up 200 by switchboard
        0.5s * call.ended hung_up 200 by agent
        ",
    );
}

#[test]
fn the_oldest_call_of_the_own_group_is_taken() {
    check(
        |world| {
            in_one_group(world, &["101", "102"]);
            rings(world, "101");
            world.calls("103", "101");
            world.run(0.5);
            world.calls("102", "*8");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
            world.run(0.5);
            world.calls("102", "*8");
            world.run(0.5);
            world.listen();
            world.hangs_up("103");
        },
        "
        0.0s 103 -> pbx  INVITE 101
        0.0s pbx -> 103  100 Trying
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> 103  180 Ringing
        0.5s 102 -> pbx  INVITE *8
        0.5s pbx -> 102  100 Trying
        0.5s pbx -> 102  200 OK
        0.5s pbx -> 101  CANCEL: Call completed elsewhere
        0.5s pbx -> carrier  200 OK
        0.5s 102 -> pbx  ACK
        0.5s 101 -> pbx  200 OK to CANCEL
        0.5s 101 -> pbx  487 Request Terminated
        0.5s carrier -> pbx  ACK
        0.5s pbx -> 102  re-INVITE
        0.5s pbx -> 101  ACK
        0.5s 102 -> pbx  200 OK
        0.5s pbx -> 102  ACK
        1.0s ~ 102 hears carrier, carrier hears 102
        1.5s 102 -> pbx  BYE
        1.5s pbx -> 102  200 OK to BYE
        1.5s pbx -> carrier  BYE
        1.5s carrier -> pbx  200 OK to BYE
        2.0s 102 -> pbx  INVITE *8
        2.0s pbx -> 102  100 Trying
        2.0s pbx -> 102  200 OK
        2.0s pbx -> 101  CANCEL: Call completed elsewhere
        2.0s pbx -> 103  200 OK
        2.0s 102 -> pbx  ACK
        2.0s 101 -> pbx  200 OK to CANCEL
        2.0s 101 -> pbx  487 Request Terminated
        2.0s 103 -> pbx  ACK
        2.0s pbx -> 102  re-INVITE
        2.0s pbx -> 101  ACK
        2.0s 102 -> pbx  200 OK
        2.0s pbx -> 102  ACK
        2.5s ~ 102 hears 103, 103 hears 102
        3.0s 103 -> pbx  BYE
        3.0s pbx -> 103  200 OK to BYE
        3.0s pbx -> 102  BYE
        3.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_call_of_another_group_is_not_taken_without_being_named() {
    check(
        |world| {
            in_one_group(world, &["102", "103"]);
            rings(world, "101");
            world.calls("102", "*8");
            world.run(0.1);
            world.settings(|settings| settings.extensions.get_mut("102").expect("102").pickup_group = None);
            world.calls("102", "*8");
            world.run(0.1);
            world.hangs_up("carrier");
        },
        "
        0.0s 102 -> pbx  INVITE *8
        0.0s pbx -> 102  404 Not Found
        0.0s 102 -> pbx  ACK
        0.1s 102 -> pbx  INVITE *8
        0.1s pbx -> 102  404 Not Found
        0.1s 102 -> pbx  ACK
        0.2s carrier -> pbx  CANCEL
        0.2s pbx -> carrier  200 OK to CANCEL
        0.2s pbx -> carrier  487 Request Terminated
        0.2s pbx -> 101  CANCEL
        0.2s carrier -> pbx  ACK
        0.2s 101 -> pbx  200 OK to CANCEL
        0.2s 101 -> pbx  487 Request Terminated
        0.2s pbx -> 101  ACK
        ",
    );
}

#[test]
fn where_nothing_rings_there_is_nothing_to_be_taken_and_no_call() {
    let mut world = World::new(1);
    world.begin();

    world.calls("102", "*8101");
    world.run(0.5);

    assert_eq!(world.rows(1).map_or(0, |rows| rows.calls().count()), 0);
    assert!(world.ladder().contains("404 Not Found"), "{}", world.ladder());
    world.settle();
    world.end();
}

#[test]
fn of_two_who_take_a_call_at_once_one_has_it() {
    check(
        |world| {
            rings(world, "101");
            world.calls("102", "*8101");
            world.calls("103", "*8101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 102 -> pbx  INVITE *8101
        0.0s 103 -> pbx  INVITE *8101
        0.0s pbx -> 102  100 Trying
        0.0s pbx -> 102  200 OK
        0.0s pbx -> 101  CANCEL: Call completed elsewhere
        0.0s pbx -> carrier  200 OK
        0.0s pbx -> 103  404 Not Found
        0.0s 102 -> pbx  ACK
        0.0s 101 -> pbx  200 OK to CANCEL
        0.0s 101 -> pbx  487 Request Terminated
        0.0s carrier -> pbx  ACK
        0.0s 103 -> pbx  ACK
        0.0s pbx -> 102  re-INVITE
        0.0s pbx -> 101  ACK
        0.0s 102 -> pbx  200 OK
        0.0s pbx -> 102  ACK
        0.5s ~ 102 hears carrier, carrier hears 102
        1.0s carrier -> pbx  BYE
        1.0s pbx -> carrier  200 OK to BYE
        1.0s pbx -> 102  BYE
        1.0s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_call_that_is_answered_meanwhile_is_nobody_elses() {
    check(
        |world| {
            rings(world, "101");
            world.answers("101");
            world.calls("102", "*8101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  200 OK
        0.0s 102 -> pbx  INVITE *8101
        0.0s pbx -> 101  ACK
        0.0s pbx -> carrier  200 OK
        0.0s pbx -> 102  404 Not Found
        0.0s carrier -> pbx  ACK
        0.0s 102 -> pbx  ACK
        0.5s ~ 101 hears carrier, carrier hears 101
        1.0s carrier -> pbx  BYE
        1.0s pbx -> carrier  200 OK to BYE
        1.0s pbx -> 101  BYE
        1.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn an_answer_that_crosses_the_pick_up_is_ended() {
    check(
        |world| {
            rings(world, "101");
            world.delay_next("200 OK", 0.3);
            world.answers("101");
            world.run(0.1);
            world.calls("102", "*8101");
            world.run(1.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  200 OK (late by 0.3s)
        0.1s 102 -> pbx  INVITE *8101
        0.1s pbx -> 102  100 Trying
        0.1s pbx -> 102  200 OK
        0.1s pbx -> 101  CANCEL: Call completed elsewhere
        0.1s pbx -> carrier  200 OK
        0.1s 102 -> pbx  ACK
        0.1s 101 -> pbx  200 OK to CANCEL
        0.1s carrier -> pbx  ACK
        0.1s pbx -> 102  re-INVITE
        0.1s 102 -> pbx  200 OK
        0.1s pbx -> 102  ACK
        0.3s pbx -> 101  ACK
        0.3s pbx -> 101  BYE: Call completed elsewhere
        0.3s 101 -> pbx  200 OK to BYE
        1.1s ~ 102 hears carrier, carrier hears 102
        1.6s carrier -> pbx  BYE
        1.6s pbx -> carrier  200 OK to BYE
        1.6s pbx -> 102  BYE
        1.6s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_that_cannot_be_understood_takes_nothing_and_the_other_rings_on() {
    check(
        |world| {
            rings(world, "101");
            world.speaks_only("102", &[(3, "GSM")]);
            world.calls("102", "*8101");
            world.run(0.5);
            world.answers("101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 102 -> pbx  INVITE *8101
        0.0s pbx -> 102  100 Trying
        0.0s pbx -> 102  488 Not Acceptable Here
        0.0s 102 -> pbx  ACK
        0.5s 101 -> pbx  200 OK
        0.5s pbx -> 101  ACK
        0.5s pbx -> carrier  200 OK
        0.5s carrier -> pbx  ACK
        1.0s ~ 101 hears carrier, carrier hears 101
        1.5s carrier -> pbx  BYE
        1.5s pbx -> carrier  200 OK to BYE
        1.5s pbx -> 101  BYE
        1.5s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_call_that_rings_a_group_is_taken_from_all_of_it() {
    check(
        |world| {
            world.settings(|settings| {
                settings.groups.get_mut("600").expect("the group").members = vec!["101".into(), "102".into()];
            });
            world.number_reaches(model::Route::Group("600".into()));
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.begin();
            world.calls("103", "*8102");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 103 -> pbx  INVITE *8102
        0.0s pbx -> 103  100 Trying
        0.0s pbx -> 103  200 OK
        0.0s pbx -> 101  CANCEL: Call completed elsewhere
        0.0s pbx -> 102  CANCEL: Call completed elsewhere
        0.0s pbx -> carrier  200 OK
        0.0s 103 -> pbx  ACK
        0.0s 101 -> pbx  200 OK to CANCEL
        0.0s 101 -> pbx  487 Request Terminated
        0.0s 102 -> pbx  200 OK to CANCEL
        0.0s 102 -> pbx  487 Request Terminated
        0.0s carrier -> pbx  ACK
        0.0s pbx -> 103  re-INVITE
        0.0s pbx -> 101  ACK
        0.0s pbx -> 102  ACK
        0.0s 103 -> pbx  200 OK
        0.0s pbx -> 103  ACK
        0.5s ~ 103 hears carrier, carrier hears 103
        1.0s carrier -> pbx  BYE
        1.0s pbx -> carrier  200 OK to BYE
        1.0s pbx -> 103  BYE
        1.0s 103 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_customer_who_was_given_away_is_taken_while_the_target_rings() {
    check(
        |world| {
            world.answers_after("101", 0.2);
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.begin();
            world.refers("101", "102");
            world.run(0.5);
            world.calls("103", "*8102");
            world.run(0.5);
            world.listen();
            world.hangs_up("103");
        },
        "
        0.0s 101 -> pbx  REFER
        0.0s pbx -> 101  202 Accepted to REFER
        0.0s pbx -> 101  NOTIFY: 100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 101 -> pbx  200 OK to NOTIFY
        0.0s 102 -> pbx  180 Ringing
        0.5s 103 -> pbx  INVITE *8102
        0.5s pbx -> 103  100 Trying
        0.5s pbx -> 103  200 OK
        0.5s pbx -> 102  CANCEL: Call completed elsewhere
        0.5s pbx -> 101  NOTIFY: 200 OK, the last
        0.5s pbx -> 101  BYE: The call was transferred
        0.5s 103 -> pbx  ACK
        0.5s 102 -> pbx  200 OK to CANCEL
        0.5s 102 -> pbx  487 Request Terminated
        0.5s 101 -> pbx  200 OK to NOTIFY
        0.5s 101 -> pbx  200 OK to BYE
        0.5s pbx -> 103  re-INVITE
        0.5s pbx -> 102  ACK
        0.5s 103 -> pbx  200 OK
        0.5s pbx -> 103  ACK
        1.0s ~ 103 hears carrier, carrier hears 103
        1.5s 103 -> pbx  BYE
        1.5s pbx -> 103  200 OK to BYE
        1.5s pbx -> carrier  BYE
        1.5s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_without_a_free_line_takes_nothing() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("102").expect("102").lines = 1);
            world.answers_after("103", 0.2);
            world.calls("102", "103");
            rings(world, "101");
            world.calls("102", "*8101");
            world.run(0.5);
            world.hangs_up("carrier");
            world.hangs_up("103");
        },
        "
        0.0s 102 -> pbx  INVITE *8101
        0.0s pbx -> 102  486 Busy Here
        0.0s 102 -> pbx  ACK
        0.5s carrier -> pbx  CANCEL
        0.5s 103 -> pbx  BYE
        0.5s pbx -> carrier  200 OK to CANCEL
        0.5s pbx -> carrier  487 Request Terminated
        0.5s pbx -> 101  CANCEL
        0.5s pbx -> 103  200 OK to BYE
        0.5s pbx -> 102  BYE
        0.5s carrier -> pbx  ACK
        0.5s 101 -> pbx  200 OK to CANCEL
        0.5s 101 -> pbx  487 Request Terminated
        0.5s 102 -> pbx  200 OK to BYE
        0.5s pbx -> 101  ACK
        ",
    );
}

#[test]
fn another_companys_calls_are_not_there() {
    check(
        |world| {
            rings(world, "101");
            world.calls("o102", "*8101");
            world.run(0.5);
            world.hangs_up("carrier");
        },
        "
        0.0s o102 -> pbx  INVITE *8101
        0.0s pbx -> o102  404 Not Found
        0.0s o102 -> pbx  ACK
        0.5s carrier -> pbx  CANCEL
        0.5s pbx -> carrier  200 OK to CANCEL
        0.5s pbx -> carrier  487 Request Terminated
        0.5s pbx -> 101  CANCEL
        0.5s carrier -> pbx  ACK
        0.5s 101 -> pbx  200 OK to CANCEL
        0.5s 101 -> pbx  487 Request Terminated
        0.5s pbx -> 101  ACK
        ",
    );
}

#[test]
fn nothing_is_taken_while_the_switchboard_takes_no_calls() {
    check(
        |world| {
            rings(world, "101");
            world.drain_calls();
            world.calls("102", "*8101");
            world.run(0.5);
            world.answers("101");
            world.run(0.5);
            world.hangs_up("101");
        },
        "
        0.0s 102 -> pbx  INVITE *8101
        0.0s pbx -> 102  503 Service Unavailable
        0.0s 102 -> pbx  ACK
        0.5s 101 -> pbx  200 OK
        0.5s pbx -> 101  ACK
        0.5s pbx -> carrier  200 OK
        0.5s carrier -> pbx  ACK
        1.0s 101 -> pbx  BYE
        1.0s pbx -> 101  200 OK to BYE
        1.0s pbx -> carrier  BYE
        1.0s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_call_that_was_taken_can_be_given_on_and_taken_again() {
    check(
        |world| {
            rings(world, "101");
            world.calls("102", "*8101");
            world.run(0.5);
            world.refers("102", "101");
            world.run(0.5);
            world.calls("103", "*8101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 102 -> pbx  INVITE *8101
        0.0s pbx -> 102  100 Trying
        0.0s pbx -> 102  200 OK
        0.0s pbx -> 101  CANCEL: Call completed elsewhere
        0.0s pbx -> carrier  200 OK
        0.0s 102 -> pbx  ACK
        0.0s 101 -> pbx  200 OK to CANCEL
        0.0s 101 -> pbx  487 Request Terminated
        0.0s carrier -> pbx  ACK
        0.0s pbx -> 102  re-INVITE
        0.0s pbx -> 101  ACK
        0.0s 102 -> pbx  200 OK
        0.0s pbx -> 102  ACK
        0.5s 102 -> pbx  REFER
        0.5s pbx -> 102  202 Accepted to REFER
        0.5s pbx -> 102  NOTIFY: 100 Trying
        0.5s pbx -> 101  INVITE 101
        0.5s 102 -> pbx  200 OK to NOTIFY
        0.5s 101 -> pbx  180 Ringing
        1.0s 103 -> pbx  INVITE *8101
        1.0s pbx -> 103  100 Trying
        1.0s pbx -> 103  200 OK
        1.0s pbx -> 101  CANCEL: Call completed elsewhere
        1.0s pbx -> 102  NOTIFY: 200 OK, the last
        1.0s pbx -> 102  BYE: The call was transferred
        1.0s 103 -> pbx  ACK
        1.0s 101 -> pbx  200 OK to CANCEL
        1.0s 101 -> pbx  487 Request Terminated
        1.0s 102 -> pbx  200 OK to NOTIFY
        1.0s 102 -> pbx  200 OK to BYE
        1.0s pbx -> 103  re-INVITE
        1.0s pbx -> 101  ACK
        1.0s 103 -> pbx  200 OK
        1.0s pbx -> 103  ACK
        1.5s ~ 103 hears carrier, carrier hears 103
        2.0s carrier -> pbx  BYE
        2.0s pbx -> carrier  200 OK to BYE
        2.0s pbx -> 103  BYE
        2.0s 103 -> pbx  200 OK to BYE
        ",
    );
}

/// The carrier's customer has called, and an extension rings; the ladder begins there.
fn rings(world: &mut World, extension: &str) {
    world.number_reaches(model::Route::Extension(extension.to_owned()));
    world.calls("carrier", "02873088088");
    world.run(1.0);
    world.begin();
}

fn in_one_group(world: &mut World, extensions: &[&str]) {
    world.settings(|settings| {
        for extension in extensions {
            settings.extensions.get_mut(*extension).expect("a desk").pickup_group = Some("sales".into());
        }
    });
}
