//! Menus and prompts: what callers hear, which keys count, and what the carrier is told.

use testkit::world::prompts::{VOICE, clip};
use testkit::world::{World, check};

fn menu_on_the_number(world: &mut World) {
    world.menu("main", |menu| {
        menu.keys.insert("1".into(), model::Route::Extension("102".into()));
    });
    world.number_reaches(model::Route::Menu("main".into()));
}

#[test]
fn a_caller_hears_the_menu_then_ringing_then_whoever_answers() {
    check(
        |world| {
            menu_on_the_number(world);
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.listen();
            world.presses("carrier", '1');
            world.run(0.5);
            world.listen();
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        0.5s ~ carrier hears a prompt
        1.0s carrier -> pbx INFO
        1.0s pbx -> carrier 200 OK to INFO
        1.0s pbx -> 102 INVITE 102
        1.0s 102 -> pbx 180 Ringing
        1.5s ~ carrier hears a tone
        2.0s 102 -> pbx 200 OK
        2.0s pbx -> 102 ACK
        2.5s ~ 102 hears carrier, carrier hears 102
        3.0s carrier -> pbx BYE
        3.0s pbx -> carrier 200 OK to BYE
        3.0s pbx -> 102 BYE
        3.0s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_key_cuts_the_menu() {
    check(
        |world| {
            world.menu("more", |_| {});
            world.settings(|settings| {
                let words: Vec<String> = settings.words().into_iter().collect();
                for word in words {
                    settings.clips.words.insert(word, clip(VOICE, 60));
                }
            });
            world.menu("main", |menu| {
                menu.keys.insert("1".into(), model::Route::Extension("102".into()));
            });
            world.number_reaches(model::Route::Menu("main".into()));
            world.is_silent("102");
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.presses("carrier", '1');
            world.run(0.5);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        0.5s carrier -> pbx INFO
        0.5s pbx -> carrier 200 OK to INFO
        0.5s pbx -> 102 INVITE 102
        1.0s pbx -> 102 INVITE 102
        1.0s ~ carrier hears a tone
        1.5s carrier -> pbx BYE
        1.5s pbx -> carrier 200 OK to BYE
        2.0s pbx -> 102 INVITE 102
        4.0s pbx -> 102 INVITE 102
        8.0s pbx -> 102 INVITE 102
        16.0s pbx -> 102 INVITE 102
        32.0s pbx -> 102 INVITE 102
        ",
    );
}

#[test]
fn a_key_with_the_sound_counts_once() {
    check(
        |world| {
            menu_on_the_number(world);
            world.menu("main", |menu| {
                menu.keys.insert("2".into(), model::Route::Menu("main".into()));
            });
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.dials_in_sound("carrier", "2");
            world.talk_for(1);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        0.0s * call.started inbound by trunk, +84900000009 over carrier to main
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * leg.answered +84900000009
        0.5s * call.menu_key main 2
        0.5s * call.routed to main by menu
        1.5s carrier -> pbx BYE
        1.5s pbx -> carrier 200 OK to BYE
        1.5s * leg.ended +84900000009 hung_up 200 by customer
        1.5s * call.ended hung_up 200 by customer
        1.5s * sound.measured +84900000009
        ",
    );
}

#[test]
fn two_keys_with_the_sound_pass_two_menus() {
    check(
        |world| {
            menu_on_the_number(world);
            world.menu("main", |menu| {
                menu.keys.insert("2".into(), model::Route::Menu("more".into()));
            });
            world.menu("more", |menu| {
                menu.keys.insert("3".into(), model::Route::Extension("103".into()));
            });
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.dials_in_sound("carrier", "23");
            world.talk_for(2);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        0.0s * call.started inbound by trunk, +84900000009 over carrier to main
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * leg.answered +84900000009
        0.5s * call.menu_key main 2
        0.5s * call.routed to more by menu
        0.7s pbx -> 103 INVITE 103
        0.7s 103 -> pbx 180 Ringing
        0.7s * call.menu_key more 3
        0.7s * call.routed to 103 by menu
        0.7s * leg.started 103 as agent
        0.7s * leg.ringing 103
        2.5s carrier -> pbx BYE
        2.5s pbx -> carrier 200 OK to BYE
        2.5s pbx -> 103 CANCEL
        2.5s 103 -> pbx 200 OK to CANCEL
        2.5s 103 -> pbx 487 Request Terminated
        2.5s pbx -> 103 ACK
        2.5s * leg.ended +84900000009 hung_up 200 by customer
        2.5s * leg.ended 103 hung_up 487 by switchboard
        2.5s * call.ended hung_up 200 by customer
        2.5s * sound.measured +84900000009
        ",
    );
}

#[test]
fn a_menu_is_said_again_when_nothing_is_chosen_and_then_says_that_nobody_is_there() {
    check(
        |world| {
            menu_on_the_number(world);
            world.menu("main", |menu| menu.tries = 2);
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(7.5);
            world.listen();
            world.run(7.0);
            world.listen();
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        0.0s * call.started inbound by trunk, +84900000009 over carrier to main
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * leg.answered +84900000009
        7.0s * call.menu_key main none in vain
        7.5s ~ carrier hears a prompt
        14.0s * call.menu_key main none in vain
        15.0s ~ carrier hears a prompt
        16.0s pbx -> carrier BYE: The caller chose nothing in the menu
        16.0s carrier -> pbx 200 OK to BYE
        16.0s * leg.ended +84900000009 no_choice 200 by switchboard
        16.0s * call.ended no_choice 480 by switchboard
        16.0s * sound.measured +84900000009
        ",
    );
}

#[test]
fn an_extension_that_calls_a_menu_is_answered_too() {
    check(
        |world| {
            menu_on_the_number(world);
            world.calls("101", "02873088088");
            world.run(0.5);
            world.presses("101", '1');
            world.run(1.0);
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("102");
        },
        "
        0.0s 101 -> pbx INVITE 02873088088
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 200 OK
        0.0s 101 -> pbx ACK
        0.5s 101 -> pbx INFO
        0.5s pbx -> 101 200 OK to INFO
        0.5s pbx -> 102 INVITE 102
        0.5s 102 -> pbx 180 Ringing
        1.5s 102 -> pbx 200 OK
        1.5s pbx -> 102 ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 102 -> pbx BYE
        2.5s pbx -> 102 200 OK to BYE
        2.5s pbx -> 101 BYE
        2.5s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn whoever_holds_a_menu_hears_the_rest_of_it_later() {
    check(
        |world| {
            menu_on_the_number(world);
            world.calls("101", "02873088088");
            world.run(0.5);
            world.holds("101");
            world.run(1.0);
            world.resumes("101");
            world.run(0.5);
            world.presses("101", '1');
            world.run(0.5);
            world.answers("102");
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 02873088088
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 101 200 OK
        0.0s 101 -> pbx ACK
        0.5s 101 -> pbx re-INVITE sendonly
        0.5s pbx -> 101 100 Trying
        0.5s pbx -> 101 200 OK recvonly
        0.5s 101 -> pbx ACK
        1.5s 101 -> pbx re-INVITE
        1.5s pbx -> 101 100 Trying
        1.5s pbx -> 101 200 OK
        1.5s 101 -> pbx ACK
        2.0s 101 -> pbx INFO
        2.0s pbx -> 101 200 OK to INFO
        2.0s pbx -> 102 INVITE 102
        2.0s 102 -> pbx 180 Ringing
        2.5s 102 -> pbx 200 OK
        2.5s pbx -> 102 ACK
        3.0s ~ 101 hears 102, 102 hears 101
        3.5s 101 -> pbx BYE
        3.5s pbx -> 101 200 OK to BYE
        3.5s pbx -> 102 BYE
        3.5s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_caller_who_does_not_speak_to_a_menu_is_not_taken_for_gone() {
    check(
        |world| {
            world.settings(|settings| settings.limits.silence_seconds = 3);
            menu_on_the_number(world);
            world.show_events();
            world.calls("carrier", "02873088088");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        0.0s * call.started inbound by trunk, +84900000009 over carrier to main
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * leg.answered +84900000009
        7.0s * call.menu_key main none in vain
        14.0s * call.menu_key main none in vain
        21.0s * call.menu_key main none in vain
        23.0s pbx -> carrier BYE: The caller chose nothing in the menu
        23.0s carrier -> pbx 200 OK to BYE
        23.0s * leg.ended +84900000009 no_choice 200 by switchboard
        23.0s * call.ended no_choice 480 by switchboard
        23.0s * sound.measured +84900000009
        ",
    );
}

#[test]
fn a_prompt_is_heard_to_its_end() {
    check(
        |world| {
            world.number_reaches(model::Route::Play(testkit::world::shape::floor::says("closed")));
            world.makes_prompts();
            world.show_events();
            world.calls("carrier", "02873088088");
            world.run(0.5);
            world.listen();
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        0.0s * call.started inbound by trunk, +84900000009 over carrier to a prompt
        0.0s * leg.started +84900000009 as customer who calls
        0.0s * leg.answered +84900000009
        0.0s * call.reached a prompt by +84900000009
        0.5s ~ carrier hears a prompt
        2.0s pbx -> carrier BYE: The caller was told everything there was to tell
        2.0s carrier -> pbx 200 OK to BYE
        2.0s * leg.ended +84900000009 served 200 by switchboard
        2.0s * call.ended served 200 by switchboard
        2.0s * sound.measured +84900000009
        ",
    );
}

#[test]
fn a_prompt_that_cannot_be_answered_for_is_refused() {
    check(
        |world| {
            world.number_reaches(model::Route::Play(testkit::world::shape::floor::says("closed")));
            world.speaks_only("carrier", &[(3, "GSM")]);
            world.calls("carrier", "02873088088");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 488 Not Acceptable Here
        0.0s carrier -> pbx ACK
        ",
    );
}

#[test]
fn a_call_that_is_ended_by_order_leaves_the_menu() {
    check(
        |world| {
            menu_on_the_number(world);
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.orders_hang_up();
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        1.0s crm -> pbx hang up
        1.0s pbx -> carrier BYE: The call was ended by order
        1.0s carrier -> pbx 200 OK to BYE
        1.0s pbx -> crm hung up
        ",
    );
}

#[test]
fn keys_that_come_while_the_choice_rings_change_nothing() {
    check(
        |world| {
            menu_on_the_number(world);
            world.calls("carrier", "02873088088");
            world.run(1.0);
            world.presses("carrier", '1');
            world.run(1.0);
            world.presses("carrier", '1');
            world.run(0.5);
            world.answers("102");
            world.run(0.5);
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> carrier 200 OK
        0.0s carrier -> pbx ACK
        1.0s carrier -> pbx INFO
        1.0s pbx -> carrier 200 OK to INFO
        1.0s pbx -> 102 INVITE 102
        1.0s 102 -> pbx 180 Ringing
        2.0s carrier -> pbx INFO
        2.0s pbx -> carrier 200 OK to INFO
        2.5s 102 -> pbx 200 OK
        2.5s pbx -> 102 ACK
        3.0s carrier -> pbx BYE
        3.0s pbx -> carrier 200 OK to BYE
        3.0s pbx -> 102 BYE
        3.0s 102 -> pbx 200 OK to BYE
        ",
    );
}
