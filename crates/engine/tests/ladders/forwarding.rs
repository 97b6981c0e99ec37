//! Calls that go elsewhere: forwarded by an extension, or over from a group in which nobody answered.

use testkit::world::check;

#[test]
fn a_forwarded_call_rings_outside_under_the_rules_of_the_company() {
    check(
        |world| {
            world.settings(|settings| {
                settings.extensions.get_mut("102").expect("102").forward.always = Some("0900000001".into());
            });
            world.show_events();
            world.calls("101", "102");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        0.0s * call.started local by phone, 101 to 102
        0.0s * leg.started 101 as customer who calls
        0.0s * call.forwarded from 102 to +84900000001 over carrier, always
        0.0s * leg.started +84900000001 as agent
        0.0s * leg.ringing +84900000001
        1.0s 101 -> pbx CANCEL
        1.0s pbx -> 101 200 OK to CANCEL
        1.0s pbx -> 101 487 Request Terminated
        1.0s pbx -> carrier CANCEL
        1.0s 101 -> pbx ACK
        1.0s carrier -> pbx 200 OK to CANCEL
        1.0s carrier -> pbx 487 Request Terminated
        1.0s pbx -> carrier ACK
        1.0s * leg.ended 101 cancelled 487 by customer
        1.0s * leg.ended +84900000001 cancelled 487 by switchboard
        1.0s * call.ended cancelled 487 by customer
        ",
    );
}

#[test]
fn a_caller_who_heard_early_sound_hears_ringing_after_the_forward() {
    check(
        |world| {
            world.settings(|settings| {
                settings.extensions.get_mut("102").expect("102").forward.no_answer = Some("103".into());
                settings.extensions.get_mut("102").expect("102").ring_seconds = 3;
            });
            world.phone("102").manner.early_sound = true;
            world.calls("101", "102");
            world.run(1.0);
            world.listen();
            world.run(2.0);
            world.listen();
            world.answers("103");
            world.run(0.5);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 102
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> 102 INVITE 102
        0.0s 102 -> pbx 183 Session Progress
        0.0s pbx -> 101 183 Session Progress
        1.0s ~ 101 hears 102, 102 hears 101
        3.0s pbx -> 102 CANCEL: It rang and nobody picked up
        3.0s pbx -> 103 INVITE 103
        3.0s 102 -> pbx 200 OK to CANCEL
        3.0s 102 -> pbx 487 Request Terminated
        3.0s 103 -> pbx 180 Ringing
        3.0s pbx -> 102 ACK
        3.5s ~ 101 hears a tone
        4.0s 103 -> pbx 200 OK
        4.0s pbx -> 103 ACK
        4.0s pbx -> 101 200 OK
        4.0s 101 -> pbx ACK
        4.5s ~ 101 hears 103, 103 hears 101
        5.0s 101 -> pbx BYE
        5.0s pbx -> 101 200 OK to BYE
        5.0s pbx -> 103 BYE
        5.0s 103 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_transfer_to_somebody_who_takes_no_calls_fails_and_the_two_go_on() {
    check(
        |world| {
            world.settings(|settings| settings.extensions.get_mut("103").expect("103").do_not_disturb = true);
            world.calls("101", "102");
            world.run(1.0);
            world.answers("102");
            world.run(1.0);
            world.transfers(Some("102"), "103");
            world.run(1.0);
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
        2.0s crm -> pbx transfer to 103 for 102
        2.0s pbx -> crm failed: do_not_disturb
        3.0s ~ 101 hears 102, 102 hears 101
        3.5s 101 -> pbx BYE
        3.5s pbx -> 101 200 OK to BYE
        3.5s pbx -> 102 BYE
        3.5s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_forwards_its_calls_by_a_code_and_hears_that_it_is_done() {
    check(
        |world| {
            world.makes_prompts();
            world.show_events();
            world.calls("102", "*72103");
            world.run(0.5);
            world.listen();
            world.run(2.0);
            world.calls("101", "102");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 102 -> pbx INVITE *72103
        0.0s pbx -> settings 102 wishes calls to go always to 103
        0.0s pbx -> 102 100 Trying
        0.0s pbx -> 102 200 OK
        0.0s 102 -> pbx ACK
        0.0s * call.started local by phone, 102 to forward_always103
        0.0s * leg.started 102 as customer who calls
        0.0s * leg.answered 102
        0.0s * call.reached forward_always103 by 102
        0.5s ~ 102 hears a prompt
        2.0s pbx -> 102 BYE: What the code ordered was done
        2.0s 102 -> pbx 200 OK to BYE
        2.0s * leg.ended 102 feature_done 200 by switchboard
        2.0s * call.ended feature_done 200 by switchboard
        2.0s * sound.measured 102
        3.0s 101 -> pbx INVITE 102
        3.0s pbx -> 101 100 Trying
        3.0s pbx -> 103 INVITE 103
        3.0s 103 -> pbx 180 Ringing
        3.0s pbx -> 101 180 Ringing
        3.0s * call.started local by phone, 101 to 102
        3.0s * leg.started 101 as customer who calls
        3.0s * call.forwarded from 102 to 103, always
        3.0s * leg.started 103 as agent
        3.0s * leg.ringing 103
        4.0s 101 -> pbx CANCEL
        4.0s pbx -> 101 200 OK to CANCEL
        4.0s pbx -> 101 487 Request Terminated
        4.0s pbx -> 103 CANCEL
        4.0s 101 -> pbx ACK
        4.0s 103 -> pbx 200 OK to CANCEL
        4.0s 103 -> pbx 487 Request Terminated
        4.0s pbx -> 103 ACK
        4.0s * leg.ended 101 cancelled 487 by customer
        4.0s * leg.ended 103 cancelled 487 by switchboard
        4.0s * call.ended cancelled 487 by customer
        ",
    );
}

#[test]
fn a_phone_takes_no_calls_by_a_code_and_takes_them_again() {
    check(
        |world| {
            world.calls("102", "*78");
            world.run(1.0);
            world.calls("101", "102");
            world.run(1.0);
            world.calls("102", "*79");
            world.run(1.0);
            world.calls("101", "102");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 102 -> pbx INVITE *78
        0.0s pbx -> settings 102 wishes no calls
        0.0s pbx -> 102 100 Trying
        0.0s pbx -> 102 200 OK
        0.0s 102 -> pbx ACK
        0.0s pbx -> 102 BYE: What the code ordered was done
        0.0s 102 -> pbx 200 OK to BYE
        1.0s 101 -> pbx INVITE 102
        1.0s pbx -> 101 100 Trying
        1.0s pbx -> 101 480 Temporarily Unavailable
        1.0s 101 -> pbx ACK
        2.0s 102 -> pbx INVITE *79
        2.0s pbx -> settings 102 wishes calls
        2.0s pbx -> 102 100 Trying
        2.0s pbx -> 102 200 OK
        2.0s 102 -> pbx ACK
        2.0s pbx -> 102 BYE: What the code ordered was done
        2.0s 102 -> pbx 200 OK to BYE
        3.0s 101 -> pbx INVITE 102
        3.0s pbx -> 101 100 Trying
        3.0s pbx -> 102 INVITE 102
        3.0s 102 -> pbx 180 Ringing
        3.0s pbx -> 101 180 Ringing
        4.0s 101 -> pbx CANCEL
        4.0s pbx -> 101 200 OK to CANCEL
        4.0s pbx -> 101 487 Request Terminated
        4.0s pbx -> 102 CANCEL
        4.0s 101 -> pbx ACK
        4.0s 102 -> pbx 200 OK to CANCEL
        4.0s 102 -> pbx 487 Request Terminated
        4.0s pbx -> 102 ACK
        ",
    );
}

#[test]
fn a_phone_hears_that_a_setting_could_not_be_changed() {
    check(
        |world| {
            world.makes_prompts();
            world.settings_stay();
            world.show_events();
            world.calls("102", "*74103");
            world.run(0.5);
            world.listen();
        },
        "
        0.0s 102 -> pbx INVITE *74103
        0.0s pbx -> settings 102 wishes calls to go busy to 103
        0.0s pbx -> 102 100 Trying
        0.0s pbx -> 102 200 OK
        0.0s 102 -> pbx ACK
        0.0s * call.started local by phone, 102 to forward_busy103
        0.0s * leg.started 102 as customer who calls
        0.0s * leg.answered 102
        0.5s ~ 102 hears a prompt
        2.0s pbx -> 102 BYE: Records cannot be stored now, so no call is taken
        2.0s 102 -> pbx 200 OK to BYE
        2.0s * leg.ended 102 storage_stalled 200 by switchboard
        2.0s * call.ended storage_stalled 503 by switchboard
        2.0s * sound.measured 102
        ",
    );
}

#[test]
fn nothing_is_forwarded_to_nobody() {
    check(
        |world| {
            world.show_events();
            world.calls("102", "*72199");
        },
        "
        0.0s 102 -> pbx INVITE *72199
        0.0s pbx -> 102 100 Trying
        0.0s pbx -> 102 200 OK
        0.0s 102 -> pbx ACK
        0.0s pbx -> 102 BYE: Nothing here has this number
        0.0s 102 -> pbx 200 OK to BYE
        0.0s * call.started local by phone, 102 to forward_always199
        0.0s * leg.started 102 as customer who calls
        0.0s * leg.answered 102
        0.0s * leg.ended 102 unknown_target 200 by switchboard
        0.0s * call.ended unknown_target 404 by switchboard
        ",
    );
}

#[test]
fn no_call_is_forwarded_any_more_after_the_code_for_that() {
    check(
        |world| {
            world.settings(|settings| {
                settings.extensions.get_mut("102").expect("102").forward.always = Some("103".into());
            });
            world.calls("102", "*73");
            world.run(1.0);
            world.calls("101", "102");
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 102 -> pbx INVITE *73
        0.0s pbx -> settings 102 wishes no call to go elsewhere
        0.0s pbx -> 102 100 Trying
        0.0s pbx -> 102 200 OK
        0.0s 102 -> pbx ACK
        0.0s pbx -> 102 BYE: What the code ordered was done
        0.0s 102 -> pbx 200 OK to BYE
        1.0s 101 -> pbx INVITE 102
        1.0s pbx -> 101 100 Trying
        1.0s pbx -> 102 INVITE 102
        1.0s 102 -> pbx 180 Ringing
        1.0s pbx -> 101 180 Ringing
        2.0s 101 -> pbx CANCEL
        2.0s pbx -> 101 200 OK to CANCEL
        2.0s pbx -> 101 487 Request Terminated
        2.0s pbx -> 102 CANCEL
        2.0s 101 -> pbx ACK
        2.0s 102 -> pbx 200 OK to CANCEL
        2.0s 102 -> pbx 487 Request Terminated
        2.0s pbx -> 102 ACK
        ",
    );
}
