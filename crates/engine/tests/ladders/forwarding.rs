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
