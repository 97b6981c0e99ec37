//! Queues and agents: what callers hear while they wait, who is rung, and what agents order by code.

use model::{AgentAction, Route, Strategy, Text};
use testkit::world::{World, check};

/// The company's number reaches queue 700, of these agents.
fn queue(world: &mut World, agents: &[&str]) {
    world.queue("700", |queue| queue.members = agents.iter().map(|agent| (*agent).to_owned()).collect());
    world.number_reaches(Route::Queue("700".into()));
    world.run(0.5);
    world.begin();
}

#[test]
fn a_caller_hears_music_until_an_agent_answers() {
    check(
        |world| {
            queue(world, &["101"]);
            world.calls("carrier", "02873088088");
            world.run(2.0);
            world.listen();
            world.answers("101");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s pbx -> 101 INVITE 101
        0.0s carrier -> pbx ACK
        0.0s 101 -> pbx 180 Ringing
        2.0s ~ carrier hears music
        2.5s 101 -> pbx 200 OK
        2.5s pbx -> 101 ACK
        3.0s ~ 101 hears carrier, carrier hears 101
        3.5s carrier -> pbx BYE
        3.5s pbx -> carrier 200 OK to BYE
        3.5s pbx -> 101 BYE
        3.5s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_caller_of_a_queue_that_answers_with_its_agent_hears_its_own_phone_ring() {
    check(
        |world| {
            queue(world, &["101"]);
            world.queue("700", |queue| queue.answer_at_once = false);
            world.calls("carrier", "02873088088");
            world.run(2.0);
            world.answers("101");
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 180 Ringing
        0.0s pbx -> carrier 180 Ringing
        2.0s 101 -> pbx 200 OK
        2.0s pbx -> 101 ACK
        2.0s pbx -> carrier 200 OK
        2.0s carrier -> pbx ACK
        2.5s ~ 101 hears carrier, carrier hears 101
        3.0s 101 -> pbx BYE
        3.0s pbx -> 101 200 OK to BYE
        3.0s pbx -> carrier BYE
        3.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_caller_is_told_its_place_now_and_then_with_music_between() {
    check(
        |world| {
            queue(world, &["101"]);
            world.queue("700", |queue| {
                queue.announce_position = true;
                queue.announce_seconds = 10;
            });
            world.makes_prompts();
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.listen();
            world.run(3.0);
            world.listen();
            world.run(6.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s pbx -> 101 INVITE 101
        0.0s carrier -> pbx ACK
        0.0s 101 -> pbx 180 Ringing
        0.5s ~ carrier hears a prompt
        4.0s ~ carrier hears music
        11.0s ~ carrier hears a prompt
        11.5s carrier -> pbx BYE
        11.5s pbx -> carrier 200 OK to BYE
        11.5s pbx -> 101 CANCEL
        11.5s 101 -> pbx 200 OK to CANCEL
        11.5s 101 -> pbx 487 Request Terminated
        11.5s pbx -> 101 ACK
        ",
    );
}

#[test]
fn a_caller_for_whom_nobody_is_there_hears_so_if_it_was_answered() {
    check(
        |world| {
            queue(world, &["101"]);
            world.makes_prompts();
            world.queue("700", |queue| {
                queue.max_wait_seconds = 5;
                queue.ring_seconds = 30;
            });
            world.calls("carrier", "02873088088");
            world.run(5.5);
            world.listen();
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s pbx -> 101 INVITE 101
        0.0s carrier -> pbx ACK
        0.0s 101 -> pbx 180 Ringing
        5.0s pbx -> 101 CANCEL: The caller waited as long as the queue allows
        5.0s 101 -> pbx 200 OK to CANCEL
        5.0s 101 -> pbx 487 Request Terminated
        5.0s pbx -> 101 ACK
        5.5s ~ carrier hears a prompt
        7.0s pbx -> carrier BYE: The caller waited as long as the queue allows
        7.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn an_agent_who_signs_out_by_code_is_rung_no_more() {
    check(
        |world| {
            queue(world, &["101"]);
            world.show_events();
            world.makes_prompts();
            world.calls("101", "*12");
            world.run(3.0);
            world.calls("carrier", "02873088088");
        },
        "
        0.0s 101 -> pbx INVITE *12
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 200 OK
        0.0s 101 -> pbx ACK
        0.0s * call.started local by phone, 101 to sign_out
        0.0s * leg.started 101 as customer who calls
        0.0s * leg.answered 101
        0.0s * call.reached sign_out by 101
        0.0s * agent.signed_out 101
        2.0s pbx -> 101 BYE: What the code ordered was done
        2.0s 101 -> pbx 200 OK to BYE
        2.0s * leg.ended 101 feature_done 200 by switchboard
        2.0s * call.ended feature_done 200 by switchboard
        2.0s * sound.measured 101
        3.0s carrier -> pbx INVITE 02873088088
        3.0s pbx -> carrier 100 Trying
        3.0s pbx -> carrier 480 Temporarily Unavailable
        3.0s carrier -> pbx ACK
        3.0s * call.started inbound by trunk, +84900000009 over carrier to 700
        3.0s * leg.started +84900000009 as customer who calls
        3.0s * call.queued 700 at 1
        3.0s * call.unqueued 700 empty
        3.0s * leg.ended +84900000009 no_agents 480 by switchboard
        3.0s * call.ended no_agents 480 by switchboard
        ",
    );
}

#[test]
fn an_agent_pauses_and_resumes_by_code() {
    check(
        |world| {
            queue(world, &["101"]);
            world.show_events();
            world.calls("101", "*13");
            world.run(1.0);
            world.calls("101", "*14");
        },
        "
        0.0s 101 -> pbx INVITE *13
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 200 OK
        0.0s 101 -> pbx ACK
        0.0s pbx -> 101 BYE: What the code ordered was done
        0.0s 101 -> pbx 200 OK to BYE
        0.0s * call.started local by phone, 101 to pause
        0.0s * leg.started 101 as customer who calls
        0.0s * leg.answered 101
        0.0s * call.reached pause by 101
        0.0s * leg.ended 101 feature_done 200 by switchboard
        0.0s * call.ended feature_done 200 by switchboard
        0.0s * agent.paused 101:
        1.0s 101 -> pbx INVITE *14
        1.0s pbx -> 101 100 Trying
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        1.0s pbx -> 101 BYE: What the code ordered was done
        1.0s 101 -> pbx 200 OK to BYE
        1.0s * call.started local by phone, 101 to resume
        1.0s * leg.started 101 as customer who calls
        1.0s * leg.answered 101
        1.0s * call.reached resume by 101
        1.0s * leg.ended 101 feature_done 200 by switchboard
        1.0s * call.ended feature_done 200 by switchboard
        1.0s * agent.resumed 101
        ",
    );
}

#[test]
fn a_code_for_agents_is_not_for_those_who_are_none() {
    check(
        |world| {
            queue(world, &["101"]);
            world.show_events();
            world.makes_prompts();
            world.calls("102", "*11");
        },
        "
        0.0s 102 -> pbx INVITE *11
        0.0s pbx -> 102 100 Trying
        0.0s pbx -> 102 200 OK
        0.0s 102 -> pbx ACK
        0.0s * call.started local by phone, 102 to sign_in
        0.0s * leg.started 102 as customer who calls
        0.0s * leg.answered 102
        2.0s pbx -> 102 BYE: This call is not allowed
        2.0s 102 -> pbx 200 OK to BYE
        2.0s * leg.ended 102 not_allowed 200 by switchboard
        2.0s * call.ended not_allowed 403 by switchboard
        2.0s * sound.measured 102
        ",
    );
}

#[test]
fn an_agents_time_to_write_is_told_and_ends() {
    check(
        |world| {
            queue(world, &["101"]);
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.answers("101");
            world.run(1.0);
            world.hangs_up("carrier");
            world.run(20.0);
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s pbx -> 101 INVITE 101
        0.0s carrier -> pbx ACK
        0.0s 101 -> pbx 180 Ringing
        0.0s * call.started inbound by trunk, +84900000009 over carrier to 700
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * call.queued 700 at 1
        0.0s * leg.answered +84900000009
        0.0s * leg.started 101 as agent
        0.0s * call.offered 700 to 101
        0.0s * leg.ringing 101
        1.0s 101 -> pbx 200 OK
        1.0s pbx -> 101 ACK
        1.0s * leg.answered 101
        1.0s * call.connected 101 with +84900000009
        1.0s * call.unqueued 700 answered
        2.0s carrier -> pbx BYE
        2.0s pbx -> carrier 200 OK to BYE
        2.0s pbx -> 101 BYE
        2.0s 101 -> pbx 200 OK to BYE
        2.0s * leg.ended +84900000009 hung_up 200 by customer
        2.0s * leg.ended 101 hung_up 200 by switchboard
        2.0s * call.ended hung_up 200 by customer
        2.0s * agent.wrap_up 101 for 10s
        2.0s * sound.measured +84900000009
        12.0s * agent.ready 101
        ",
    );
}

#[test]
fn an_agent_who_misses_too_often_is_paused_and_told_so() {
    check(
        |world| {
            queue(world, &["101"]);
            world.queue("700", |queue| {
                queue.misses_before_pause = 2;
                queue.ring_seconds = 5;
                queue.max_wait_seconds = 20;
            });
            world.show_events();
            world.calls("carrier", "02873088088");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s pbx -> 101 INVITE 101
        0.0s carrier -> pbx ACK
        0.0s 101 -> pbx 180 Ringing
        0.0s * call.started inbound by trunk, +84900000009 over carrier to 700
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * call.queued 700 at 1
        0.0s * leg.answered +84900000009
        0.0s * leg.started 101 as agent
        0.0s * call.offered 700 to 101
        0.0s * leg.ringing 101
        5.0s pbx -> 101 CANCEL: It rang and nobody picked up
        5.0s 101 -> pbx 200 OK to CANCEL
        5.0s 101 -> pbx 487 Request Terminated
        5.0s pbx -> 101 ACK
        5.0s * leg.ended 101 no_answer 480 by switchboard
        5.0s * call.offer_missed 700 by 101, no_answer
        10.0s pbx -> 101 INVITE 101
        10.0s 101 -> pbx 180 Ringing
        10.0s * leg.started 101 as agent
        10.0s * call.offered 700 to 101
        10.0s * leg.ringing 101
        15.0s pbx -> 101 CANCEL: It rang and nobody picked up
        15.0s 101 -> pbx 200 OK to CANCEL
        15.0s 101 -> pbx 487 Request Terminated
        15.0s pbx -> 101 ACK
        15.0s * leg.ended 101 no_answer 480 by switchboard
        15.0s * call.offer_missed 700 by 101, no_answer
        15.0s * agent.paused 101: no answer
        20.0s pbx -> carrier BYE: The caller waited as long as the queue allows
        20.0s carrier -> pbx 200 OK to BYE
        20.0s * call.unqueued 700 too_long
        20.0s * leg.ended +84900000009 waited_too_long 200 by switchboard
        20.0s * call.ended waited_too_long 480 by switchboard
        20.0s * sound.measured +84900000009
        ",
    );
}

#[test]
fn an_agent_who_talks_otherwise_is_not_rung() {
    check(
        |world| {
            queue(world, &["101"]);
            world.calls("101", "102");
            world.run(0.5);
            world.answers("102");
            world.run(0.5);
            world.calls("carrier", "02873088088");
            world.run(3.0);
            world.hangs_up("102");
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        0.5s 102 -> pbx 200 OK
        0.5s pbx -> 102 ACK
        0.5s pbx -> 101 200 OK
        0.5s 101 -> pbx ACK
        1.0s carrier -> pbx INVITE 02873088088
        1.0s pbx -> carrier 100 Trying
        1.0s pbx -> carrier 200 OK
        1.0s carrier -> pbx ACK
        4.0s 102 -> pbx BYE
        4.0s pbx -> 102 200 OK to BYE
        4.0s pbx -> 101 BYE
        4.0s pbx -> 101 INVITE 101
        4.0s 101 -> pbx 200 OK to BYE
        4.0s 101 -> pbx 180 Ringing
        5.0s carrier -> pbx BYE
        5.0s pbx -> carrier 200 OK to BYE
        5.0s pbx -> 101 CANCEL
        5.0s 101 -> pbx 200 OK to CANCEL
        5.0s 101 -> pbx 487 Request Terminated
        5.0s pbx -> 101 ACK
        ",
    );
}

#[test]
fn an_agent_who_answers_when_the_caller_has_gone_is_hung_up_on() {
    check(
        |world| {
            queue(world, &["101"]);
            world.delay_next("CANCEL", 0.5);
            world.calls("carrier", "02873088088");
            world.run(2.0);
            world.hangs_up("carrier");
            world.run(0.1);
            world.answers("101");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s pbx -> 101 INVITE 101
        0.0s carrier -> pbx ACK
        0.0s 101 -> pbx 180 Ringing
        2.0s carrier -> pbx BYE
        2.0s pbx -> carrier 200 OK to BYE
        2.0s pbx -> 101 CANCEL (late by 0.5s)
        2.1s 101 -> pbx 200 OK
        2.1s pbx -> 101 ACK
        2.1s pbx -> 101 BYE
        2.1s 101 -> pbx 200 OK to BYE
        2.5s 101 -> pbx 200 OK to CANCEL
        ",
    );
}

#[test]
fn of_two_agents_who_answer_at_once_the_later_one_is_hung_up_on() {
    check(
        |world| {
            queue(world, &["101", "102"]);
            world.queue("700", |queue| queue.strategy = Strategy::RingAll);
            world.delay_next("CANCEL", 0.5);
            world.calls("carrier", "02873088088");
            world.run(2.0);
            world.answers("101");
            world.run(0.1);
            world.answers("102");
            world.run(1.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s pbx -> 101 INVITE 101
        0.0s pbx -> 102 INVITE 102
        0.0s carrier -> pbx ACK
        0.0s 101 -> pbx 180 Ringing
        0.0s 102 -> pbx 180 Ringing
        2.0s 101 -> pbx 200 OK
        2.0s pbx -> 101 ACK
        2.0s pbx -> 102 CANCEL: Call completed elsewhere (late by 0.5s)
        2.1s 102 -> pbx 200 OK
        2.1s pbx -> 102 ACK
        2.1s pbx -> 102 BYE: Call completed elsewhere
        2.1s 102 -> pbx 200 OK to BYE
        2.5s 102 -> pbx 200 OK to CANCEL
        3.1s ~ 101 hears carrier, carrier hears 101
        3.6s carrier -> pbx BYE
        3.6s pbx -> carrier 200 OK to BYE
        3.6s pbx -> 101 BYE
        3.6s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_queue_that_is_taken_out_lets_its_callers_go() {
    check(
        |world| {
            queue(world, &["101"]);
            world.queue("700", |queue| queue.wait_when_empty = true);
            world.unregisters("101");
            world.run(0.5);
            world.begin();
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.settings(|settings| {
                settings.queues.remove("700");
                settings.numbers.clear();
            });
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        0.0s * call.started inbound by trunk, +84900000009 over carrier to 700
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * call.queued 700 at 1
        0.0s * leg.answered +84900000009
        1.0s pbx -> carrier BYE: No agent is signed in to the queue
        1.0s carrier -> pbx 200 OK to BYE
        1.0s * agent.signed_out 101
        1.0s * call.unqueued 700 empty
        1.0s * leg.ended +84900000009 no_agents 200 by switchboard
        1.0s * call.ended no_agents 480 by switchboard
        1.0s * sound.measured +84900000009
        ",
    );
}

#[test]
fn an_agent_stands_after_a_crash_as_before() {
    check(
        |world| {
            queue(world, &["101"]);
            world.orders_agent("101", &AgentAction::Pause { reason: Text::from("lunch") });
            world.run(0.5);
            world.crash();
            world.restart();
            world.run(0.5);
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.orders_agent("101", &AgentAction::Resume);
            world.run(1.0);
            world.hangs_up("carrier");
        },
        "
        0.0s crm -> pbx pause 101
        0.0s pbx -> crm done
        0.5s the switchboard dies
        0.5s the switchboard starts
        1.0s carrier -> pbx INVITE 02873088088
        1.0s pbx -> carrier 100 Trying
        1.0s pbx -> carrier 200 OK
        1.0s carrier -> pbx ACK
        1.0s * call.started inbound by trunk, +84900000009 over carrier to 700
        1.0s * leg.started +84900000009 as customer who calls
        1.0s * call.queued 700 at 1
        1.0s * leg.answered +84900000009
        2.0s crm -> pbx resume 101
        2.0s pbx -> 101 INVITE 101
        2.0s 101 -> pbx 180 Ringing
        2.0s * agent.resumed 101
        2.0s * leg.started 101 as agent
        2.0s * call.offered 700 to 101
        2.0s * leg.ringing 101
        2.0s pbx -> crm done
        3.0s carrier -> pbx BYE
        3.0s pbx -> carrier 200 OK to BYE
        3.0s pbx -> 101 CANCEL
        3.0s 101 -> pbx 200 OK to CANCEL
        3.0s 101 -> pbx 487 Request Terminated
        3.0s pbx -> 101 ACK
        3.0s * leg.ended +84900000009 hung_up 200 by customer
        3.0s * leg.ended 101 hung_up 487 by switchboard
        3.0s * call.unqueued 700 abandoned
        3.0s * call.ended cancelled 200 by customer
        3.0s * sound.measured +84900000009
        ",
    );
}

#[test]
fn the_first_caller_after_a_crash_finds_the_agents_as_they_were() {
    let mut world = World::new(1);
    queue(&mut world, &["101", "102"]);
    world.orders_agent("102", &AgentAction::SignOut);
    world.run(0.5);
    world.crash();
    world.restart();
    world.show_events();
    world.calls("carrier", "02873088088");
    world.run(1.0);
    world.hangs_up("carrier");
    world.settle();

    let ladder = world.ladder();
    assert!(ladder.contains("call.offered 700 to 101") && !ladder.contains("INVITE 102"), "{ladder}");
    assert!(!ladder.contains("agent.signed_in"), "{ladder}");
    world.end();
}

#[test]
fn a_greeting_comes_first_and_once() {
    check(
        |world| {
            queue(world, &["101"]);
            world.queue("700", |queue| queue.greeting = Some(testkit::world::shape::floor::says("welcome")));
            world.makes_prompts();
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.listen();
            world.run(2.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s pbx -> 101 INVITE 101
        0.0s carrier -> pbx ACK
        0.0s 101 -> pbx 180 Ringing
        0.5s ~ carrier hears a prompt
        3.0s ~ carrier hears music
        3.5s carrier -> pbx BYE
        3.5s pbx -> carrier 200 OK to BYE
        3.5s pbx -> 101 CANCEL
        3.5s 101 -> pbx 200 OK to CANCEL
        3.5s 101 -> pbx 487 Request Terminated
        3.5s pbx -> 101 ACK
        ",
    );
}

#[test]
fn an_agent_who_always_refuses_is_offered_one_caller_so_often_and_no_more() {
    let mut world = World::new(1);
    queue(&mut world, &["101"]);
    world.queue("700", |queue| {
        queue.misses_before_pause = 0;
        queue.max_wait_seconds = 86_400;
    });
    world.calls("carrier", "02873088088");
    let mut refused = 0;
    for _ in 0..450 {
        world.run(6.0);
        let rung = world.ladder().matches("INVITE 101").count();
        if rung > refused {
            refused = rung;
            world.refuses("101", 486);
        }
    }

    assert_eq!(refused, 399);
    world.hangs_up("carrier");
    world.end();
}
