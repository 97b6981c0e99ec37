//! Click-to-call: the agent first, then the customer (readings 7).

use std::time::Duration;

use model::DialAnswer;
use sip::HeaderName;
use testkit::world::check;
use testkit::world::phone::Manner;

#[test]
fn the_agent_rings_first_and_the_customer_is_dialled_once_it_is_picked_up() {
    check(
        |world| {
            world.answers_after("101", 2.0);
            world.manner("carrier", Manner::answers(Duration::from_secs(4)));
            world.clicks("101", "0900000001");
            world.run(2.2);
            world.listen();
            world.run(4.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        2.0s 101 -> pbx  200 OK
        2.0s pbx -> 101  ACK
        2.0s pbx -> carrier  INVITE 0900000001
        2.0s carrier -> pbx  180 Ringing
        2.2s ~ 101 hears a tone
        6.0s carrier -> pbx  200 OK
        6.0s pbx -> carrier  ACK
        6.7s ~ 101 hears carrier, carrier hears 101
        7.2s carrier -> pbx  BYE
        7.2s pbx -> carrier  200 OK to BYE
        7.2s pbx -> 101  BYE
        7.2s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn the_whole_story_is_told_in_order() {
    check(
        |world| {
            world.show_events();
            world.settings(|settings| settings.extensions.get_mut("101").unwrap().record = true);
            world.answers_after("101", 1.0);
            world.answers_after("carrier", 1.0);
            world.clicks("101", "0900000001");
            world.run(5.0);
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s * call.started outbound by click, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent
        0.0s * leg.ringing 101
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000001
        1.0s carrier -> pbx  180 Ringing
        1.0s * leg.answered 101
        1.0s * leg.started +84900000001 as customer
        1.0s * leg.ringing +84900000001
        2.0s carrier -> pbx  200 OK
        2.0s pbx -> carrier  ACK
        2.0s * leg.answered +84900000001
        2.0s * call.connected 101 with +84900000001
        2.0s * recording.started
        5.0s 101 -> pbx  BYE
        5.0s pbx -> 101  200 OK to BYE
        5.0s pbx -> carrier  BYE
        5.0s carrier -> pbx  200 OK to BYE
        5.0s * leg.ended 101 hung_up 200 by agent
        5.0s * leg.ended +84900000001 hung_up 200 by switchboard
        5.0s * call.ended hung_up 200 by agent
        5.0s * recording.closed
        5.0s * sound.measured 101
        ",
    );
}

#[test]
fn early_sound_takes_the_place_of_our_ringing() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.manner("carrier", Manner::answers(Duration::from_secs(3)).with_early_sound());
            world.clicks("101", "0900000001");
            world.run(2.0);
            world.listen();
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000001
        1.0s carrier -> pbx  183 Session Progress
        2.0s ~ 101 hears carrier, carrier hears 101
        4.0s carrier -> pbx  200 OK
        4.0s pbx -> carrier  ACK
        4.5s ~ 101 hears carrier, carrier hears 101
        5.0s 101 -> pbx  BYE
        5.0s pbx -> 101  200 OK to BYE
        5.0s pbx -> carrier  BYE
        5.0s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn an_agent_who_is_busy_is_replied_at_once() {
    check(
        |world| {
            world.do_not_disturb("101");
            world.clicks("101", "0900000001");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  486 Busy Here
        0.0s pbx -> 101  ACK
        0.0s pbx -> crm  failed: busy 486
        ",
    );
}

#[test]
fn an_agent_who_refuses_after_ringing_has_been_replied_already() {
    check(
        |world| {
            world.clicks("101", "0900000001");
            world.run(3.0);
            world.refuses("101", 603);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        3.0s 101 -> pbx  603 Decline
        3.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn an_agent_who_does_not_pick_up_is_given_up() {
    check(
        |world| {
            world.clicks("101", "0900000001");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        30.0s pbx -> 101  CANCEL: It rang and nobody picked up
        30.0s 101 -> pbx  200 OK to CANCEL
        30.0s 101 -> pbx  487 Request Terminated
        30.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn a_phone_that_does_not_respond_within_five_seconds_is_offline_and_rings_no_more() {
    check(
        |world| {
            world.is_silent("101");
            world.clicks("101", "0900000001");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.5s pbx -> 101  INVITE 101
        1.5s pbx -> 101  INVITE 101
        3.5s pbx -> 101  INVITE 101
        5.0s pbx -> crm  failed: unreachable 408
        7.5s pbx -> 101  INVITE 101
        15.5s pbx -> 101  INVITE 101
        31.5s pbx -> 101  INVITE 101
        ",
    );
}

#[test]
fn a_phone_that_responds_after_its_five_seconds_is_cancelled() {
    check(
        |world| {
            world.manner("101", Manner { rings_after: Some(Duration::from_millis(5_200)), ..Manner::default() });
            world.clicks("101", "0900000001");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.5s pbx -> 101  INVITE 101
        1.5s pbx -> 101  INVITE 101
        3.5s pbx -> 101  INVITE 101
        5.0s pbx -> crm  failed: unreachable 408
        5.2s 101 -> pbx  180 Ringing
        5.2s pbx -> 101  CANCEL: The phone or carrier did not respond at all
        5.2s 101 -> pbx  200 OK to CANCEL
        5.2s 101 -> pbx  487 Request Terminated
        5.2s pbx -> 101  ACK
        ",
    );
}

#[test]
fn an_extension_without_a_phone_is_offline_before_anything_rings() {
    check(
        |world| {
            world.unregisters("101");
            world.run(1.0);
            world.begin();
            world.clicks("101", "0900000001");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> crm  failed: offline
        ",
    );
}

#[test]
fn what_is_known_to_be_impossible_is_refused_before_anything_rings() {
    check(
        |world| {
            world.clicks("199", "0900000001");
            world.clicks("101", "198");
            world.clicks("101", "101");
            world.clicks("101", "18001090");
            world.clicks("101", "700");
        },
        "
        0.0s crm -> pbx  dial 199 0900000001
        0.0s crm -> pbx  dial 101 198
        0.0s crm -> pbx  dial 101 101
        0.0s crm -> pbx  dial 101 18001090
        0.0s crm -> pbx  dial 101 700
        0.0s pbx -> crm  failed: extension 199 does not exist: use a number from `extensions`
        0.0s pbx -> crm  failed: unknown_target
        0.0s pbx -> crm  failed: extension 101 cannot call itself: name whom it is to be connected with
        0.0s pbx -> crm  failed: no_route
        0.0s pbx -> crm  failed: route_unavailable
        ",
    );
}

#[test]
fn an_agent_whose_lines_are_taken_is_busy() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("101").unwrap().lines = 1);
            world.calls("101", "102");
            world.run(1.0);
            world.clicks("101", "0900000001");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s crm -> pbx  dial 101 0900000001
        1.0s pbx -> crm  failed: lines_taken
        2.0s 101 -> pbx  CANCEL
        2.0s pbx -> 101  200 OK to CANCEL
        2.0s pbx -> 101  487 Request Terminated
        2.0s pbx -> 102  CANCEL
        2.0s 101 -> pbx  ACK
        2.0s 102 -> pbx  200 OK to CANCEL
        2.0s 102 -> pbx  487 Request Terminated
        2.0s pbx -> 102  ACK
        ",
    );
}

#[test]
fn a_customer_who_is_busy_is_heard_as_a_tone_before_the_bye() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.number("carrier", "0900000002", Manner::refuses(486));
            world.clicks("101", "0900000002");
            world.run(2.0);
            world.listen();
        },
        "
        0.0s crm -> pbx  dial 101 0900000002
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000002
        1.0s carrier -> pbx  486 Busy Here
        1.0s pbx -> carrier  ACK
        2.0s ~ 101 hears a tone
        4.0s pbx -> 101  BYE: The called party is busy
        4.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_customer_who_refuses_is_heard_as_a_tone_too() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.calls("102", "103");
            world.hangs_up("102");
            world.run(1.0);
            world.begin();
            world.number("carrier", "0900000004", Manner::refuses(603));
            world.clicks("101", "0900000004");
        },
        "
        0.0s crm -> pbx  dial 101 0900000004
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000004
        1.0s carrier -> pbx  603 Decline
        1.0s pbx -> carrier  ACK
        4.0s pbx -> 101  BYE: The called party refused the call
        4.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn an_agent_who_hangs_up_during_the_tone_ends_the_call() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.number("carrier", "0900000002", Manner::refuses(486));
            world.clicks("101", "0900000002");
            world.run(2.5);
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx  dial 101 0900000002
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000002
        1.0s carrier -> pbx  486 Busy Here
        1.0s pbx -> carrier  ACK
        2.5s 101 -> pbx  BYE
        2.5s pbx -> 101  200 OK to BYE
        ",
    );
}

#[test]
fn an_agent_who_hangs_up_while_the_customer_rings_cancels_the_customer() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.clicks("101", "0900000003");
            world.run(4.0);
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx  dial 101 0900000003
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000003
        1.0s carrier -> pbx  180 Ringing
        4.0s 101 -> pbx  BYE
        4.0s pbx -> 101  200 OK to BYE
        4.0s pbx -> carrier  CANCEL
        4.0s carrier -> pbx  200 OK to CANCEL
        4.0s carrier -> pbx  487 Request Terminated
        4.0s pbx -> carrier  ACK
        ",
    );
}

#[test]
fn a_customer_who_answers_as_the_agent_hangs_up_gets_a_bye() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.clicks("101", "0900000003");
            world.run(4.0);
            world.next_from("carrier", "200 OK", testkit::world::Fate::Late(Duration::from_millis(200)));
            world.answers("carrier");
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx  dial 101 0900000003
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000003
        1.0s carrier -> pbx  180 Ringing
        4.0s carrier -> pbx  200 OK (late by 0.2s)
        4.0s 101 -> pbx  BYE
        4.0s pbx -> 101  200 OK to BYE
        4.0s pbx -> carrier  CANCEL
        4.0s carrier -> pbx  200 OK to CANCEL
        4.2s pbx -> carrier  ACK
        4.2s pbx -> carrier  BYE
        4.2s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn the_customer_may_be_an_extension() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.answers_after("102", 1.0);
            world.clicks("101", "102");
            world.run(3.0);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s crm -> pbx  dial 101 102
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> 102  INVITE 102
        1.0s 102 -> pbx  180 Ringing
        2.0s 102 -> pbx  200 OK
        2.0s pbx -> 102  ACK
        3.0s ~ 101 hears 102, 102 hears 101
        3.5s 102 -> pbx  BYE
        3.5s pbx -> 102  200 OK to BYE
        3.5s pbx -> 101  BYE
        3.5s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn the_client_ends_the_call_while_the_agent_rings() {
    check(
        |world| {
            world.clicks("101", "0900000001");
            world.run(2.0);
            world.orders_hang_up();
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        2.0s crm -> pbx  hang up
        2.0s pbx -> 101  CANCEL: The call was ended by order
        2.0s 101 -> pbx  200 OK to CANCEL
        2.0s 101 -> pbx  487 Request Terminated
        2.0s pbx -> 101  ACK
        2.0s pbx -> crm  hung up
        ",
    );
}

#[test]
fn the_client_ends_the_call_while_the_customer_rings() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.clicks("101", "0900000003");
            world.run(3.0);
            world.orders_hang_up();
        },
        "
        0.0s crm -> pbx  dial 101 0900000003
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000003
        1.0s carrier -> pbx  180 Ringing
        3.0s crm -> pbx  hang up
        3.0s pbx -> 101  BYE: The call was ended by order
        3.0s pbx -> carrier  CANCEL: The call was ended by order
        3.0s 101 -> pbx  200 OK to BYE
        3.0s carrier -> pbx  200 OK to CANCEL
        3.0s carrier -> pbx  487 Request Terminated
        3.0s pbx -> carrier  ACK
        3.0s pbx -> crm  hung up
        ",
    );
}

#[test]
fn the_client_ends_the_conversation_and_cannot_end_it_twice() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.answers_after("carrier", 1.0);
            world.clicks("101", "0900000001");
            world.run(5.0);
            world.orders_hang_up();
            world.run(1.0);
            world.orders_hang_up();
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000001
        1.0s carrier -> pbx  180 Ringing
        2.0s carrier -> pbx  200 OK
        2.0s pbx -> carrier  ACK
        5.0s crm -> pbx  hang up
        5.0s pbx -> 101  BYE: The call was ended by order
        5.0s pbx -> carrier  BYE: The call was ended by order
        5.0s 101 -> pbx  200 OK to BYE
        5.0s carrier -> pbx  200 OK to BYE
        5.0s pbx -> crm  hung up
        6.0s crm -> pbx  hang up
        6.0s pbx -> crm  failed: call 1767225601.1000001 is not a live call of this tenant
        ",
    );
}

#[test]
fn a_client_of_another_company_ends_nothing() {
    check(
        |world| {
            world.answers_after("101", 1.0);
            world.answers_after("carrier", 1.0);
            world.clicks("101", "0900000001");
            world.run(5.0);
            let call = world.rows(1).unwrap().calls().last().unwrap();
            world.orders_hang_up_of(2, call);
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  200 OK
        1.0s pbx -> 101  ACK
        1.0s pbx -> carrier  INVITE 0900000001
        1.0s carrier -> pbx  180 Ringing
        2.0s carrier -> pbx  200 OK
        2.0s pbx -> carrier  ACK
        5.0s crm -> pbx  hang up
        5.0s pbx -> crm  failed: call 1767225601.1000001 is not a live call of this tenant
        6.0s 101 -> pbx  BYE
        6.0s pbx -> 101  200 OK to BYE
        6.0s pbx -> carrier  BYE
        6.0s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_client_may_be_replied_as_soon_as_the_call_is_accepted() {
    check(
        |world| {
            world.is_silent("101");
            world.show_events();
            world.orders_call(1, "101", "0900000001", DialAnswer::WhenAccepted);
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s * call.started outbound by click, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent
        0.0s pbx -> crm  accepted
        0.5s pbx -> 101  INVITE 101
        1.5s pbx -> 101  INVITE 101
        3.5s pbx -> 101  INVITE 101
        5.0s * leg.ended 101 unreachable 408 by switchboard
        5.0s * call.ended unreachable 408 by switchboard
        7.5s pbx -> 101  INVITE 101
        15.5s pbx -> 101  INVITE 101
        31.5s pbx -> 101  INVITE 101
        ",
    );
}

#[test]
fn a_reply_waits_until_what_it_tells_of_is_stored() {
    check(
        |world| {
            world.commits_take(0.5);
            world.clicks("101", "0900000001");
            world.run(3.0);
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx  dial 101 0900000001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        1.0s pbx -> crm  accepted
        3.0s 101 -> pbx  603 Decline
        3.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn the_agents_phone_shows_the_customer_and_is_told_the_call() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("101").unwrap().auto_answer = true);
            world.clicks("101", "+84 900 000 001");
            world.run(1.0);
            let call = world.rows(1).unwrap().calls().last().unwrap();
            let talk = world.phone("101").talks.last().unwrap();
            let header = |name: &'static str| {
                talk.invite.headers.get(&HeaderName::from_static(name)).map(|value| value.escape_ascii().to_string())
            };
            assert_eq!(talk.shown, "0900000001 0900000001");
            assert_eq!(header("X-Callid"), Some(call.to_string()));
            assert!(header("Call-Info").is_some_and(|value| value.contains("answer-after=0")));
            assert!(header("Alert-Info").is_some());
            world.hangs_up("101");
        },
        "
        0.0s crm -> pbx  dial 101 +84 900 000 001
        0.0s pbx -> 101  INVITE 101
        0.0s 101 -> pbx  180 Ringing
        0.0s pbx -> crm  accepted
        1.0s 101 -> pbx  603 Decline
        1.0s pbx -> 101  ACK
        ",
    );
}

#[test]
fn only_click_to_call_asks_a_phone_to_answer_by_itself() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("102").unwrap().auto_answer = true);
            world.calls("101", "102");
            world.run(1.0);
            let talk = world.phone("102").talks.last().unwrap();
            assert_eq!(talk.shown, "VPBX_DEMO desk 101 101");
            assert!(!talk.invite.headers.has(&HeaderName::CallInfo));
            assert!(talk.invite.headers.has(&HeaderName::from_static("X-Callid")));
            world.refuses("102", 486);
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  486 Busy Here
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  486 Busy Here
        1.0s 101 -> pbx  ACK
        ",
    );
}
