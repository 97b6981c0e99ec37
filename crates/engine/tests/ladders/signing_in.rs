//! Registrations, and who may ask for anything at all.

use model::DigestAlgorithm;
use sip::{Method, Transport};
use testkit::world::{World, check};

#[test]
fn a_phone_that_signs_in_is_challenged_first() {
    check(
        |world| {
            world.show_events();
            world.add_phone("102b", 1, "102", Transport::Udp);
            world.registers("102b");
        },
        "
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  401 Unauthorized to REGISTER
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  200 OK to REGISTER
        0.0s * extension.registered 102
        ",
    );
}

#[test]
fn a_refresh_is_no_news_and_signing_out_is() {
    check(
        |world| {
            world.show_events();
            world.registers("102");
            world.run(1.0);
            world.unregisters("102");
        },
        "
        0.0s 102 -> pbx  REGISTER
        0.0s pbx -> 102  200 OK to REGISTER
        1.0s 102 -> pbx  REGISTER to sign out
        1.0s pbx -> 102  200 OK to REGISTER
        1.0s * extension.unregistered 102
        ",
    );
}

#[test]
fn an_extension_that_is_taken_out_of_the_settings_is_signed_out_and_called_in_vain() {
    check(
        |world| {
            world.show_events();
            world.registers("102");
            world.run(1.0);
            world.settings(|settings| {
                settings.extensions.remove("102");
            });
            world.run(1.0);
            world.calls("101", "102");
        },
        "
        0.0s 102 -> pbx  REGISTER
        0.0s pbx -> 102  200 OK to REGISTER
        1.0s * extension.unregistered 102
        2.0s 101 -> pbx  INVITE 102
        2.0s pbx -> 101  100 Trying
        2.0s pbx -> 101  404 Not Found
        2.0s 101 -> pbx  ACK
        2.0s * call.started local by phone, 101 to 102
        2.0s * leg.started 101 as customer who calls
        2.0s * leg.ended 101 unknown_target 404 by switchboard
        2.0s * call.ended unknown_target 404 by switchboard
        ",
    );
}

#[test]
fn a_binding_that_is_not_refreshed_expires() {
    check(
        |world| {
            world.show_events();
            world.registers_for("102", 60);
            world.run(61.0);
            world.calls("101", "102");
        },
        "
        0.0s 102 -> pbx  REGISTER
        0.0s pbx -> 102  200 OK to REGISTER
        60.0s * extension.unregistered 102
        61.0s 101 -> pbx  INVITE 102
        61.0s pbx -> 101  100 Trying
        61.0s pbx -> 101  480 Temporarily Unavailable
        61.0s 101 -> pbx  ACK
        61.0s * call.started local by phone, 101 to 102
        61.0s * leg.started 101 as customer who calls
        61.0s * leg.ended 101 offline 480 by switchboard
        61.0s * call.ended offline 480 by switchboard
        ",
    );
}

#[test]
fn a_binding_that_is_too_brief_is_refused() {
    check(
        |world| world.registers_for("102", 10),
        "
        0.0s 102 -> pbx  REGISTER
        0.0s pbx -> 102  423 Interval Too Brief to REGISTER
        ",
    );
}

#[test]
fn a_wrong_password_is_challenged_again_and_again() {
    check(
        |world| {
            world.add_phone("102b", 1, "102", Transport::Udp);
            world.phone("102b").card.login.as_mut().unwrap().password = "wrong".into();
            world.registers("102b");
        },
        "
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  401 Unauthorized to REGISTER
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  401 Unauthorized to REGISTER
        ",
    );
}

#[test]
fn an_unknown_name_hears_the_same_as_a_wrong_password() {
    check(
        |world| {
            world.add_phone("199", 1, "199", Transport::Udp);
            world.registers("199");
        },
        "
        0.0s 199 -> pbx  REGISTER
        0.0s pbx -> 199  401 Unauthorized to REGISTER
        0.0s 199 -> pbx  REGISTER
        0.0s pbx -> 199  401 Unauthorized to REGISTER
        ",
    );
}

#[test]
fn nobody_signs_in_the_phone_of_another_extension() {
    check(
        |world| {
            world.show_events();
            world.add_phone("102b", 1, "102", Transport::Udp);
            world.phone("102b").card.login.as_mut().unwrap().username = "103".into();
            world.phone("102b").card.login.as_mut().unwrap().password = "pw-103".into();
            world.registers("102b");
        },
        "
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  401 Unauthorized to REGISTER
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  403 Forbidden to REGISTER
        0.0s * extension.refused 103 not_allowed
        ",
    );
}

#[test]
fn a_phone_may_sign_in_with_its_companys_name() {
    check(
        |world| {
            world.add_phone("102b", 1, "102", Transport::Udp);
            world.phone("102b").card.login.as_mut().unwrap().username = "VPBX_DEMO_102".into();
            world.registers("102b");
            world.run(1.0);
            world.manner("102b", testkit::world::phone::Manner::refuses(486));
            world.do_not_disturb("102");
            world.calls("101", "102");
        },
        "
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  401 Unauthorized to REGISTER
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  200 OK to REGISTER
        1.0s 101 -> pbx  INVITE 102
        1.0s pbx -> 101  100 Trying
        1.0s pbx -> 102  INVITE 102
        1.0s pbx -> 102b  INVITE 102
        1.0s 102 -> pbx  486 Busy Here
        1.0s 102b -> pbx  486 Busy Here
        1.0s pbx -> 102  ACK
        1.0s pbx -> 102b  ACK
        1.0s pbx -> 101  486 Busy Here
        1.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn sha_256_is_offered_where_the_company_says_so() {
    check(
        |world| {
            world.settings(|settings| settings.digest = vec![DigestAlgorithm::Sha256]);
            world.add_phone("102b", 1, "102", Transport::Udp);
            world.registers("102b");
        },
        "
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  401 Unauthorized to REGISTER
        0.0s 102b -> pbx  REGISTER
        0.0s pbx -> 102b  200 OK to REGISTER
        ",
    );
}

#[test]
fn a_phone_over_tcp_is_called_on_its_connection() {
    check(
        |world| {
            phone_over_tcp(world);
            world.answers_after("104", 1.0);
            world.calls("101", "103");
            world.run(2.0);
            world.listen();
            world.hangs_up("104");
        },
        "
        0.0s 101 -> pbx  INVITE 103
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 104  INVITE 103
        0.0s 104 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 104 -> pbx  200 OK
        1.0s pbx -> 104  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s ~ 101 hears 104, 104 hears 101
        2.5s 104 -> pbx  BYE
        2.5s pbx -> 104  200 OK to BYE
        2.5s pbx -> 101  BYE
        2.5s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_phone_whose_connection_is_lost_is_offline() {
    check(
        |world| {
            phone_over_tcp(world);
            world.show_events();
            world.disconnects("104");
            world.run(1.0);
            world.calls("101", "103");
        },
        "
        0.0s * extension.unregistered 103
        1.0s 101 -> pbx  INVITE 103
        1.0s pbx -> 101  100 Trying
        1.0s pbx -> 101  480 Temporarily Unavailable
        1.0s 101 -> pbx  ACK
        1.0s * call.started local by phone, 101 to 103
        1.0s * leg.started 101 as customer who calls
        1.0s * leg.ended 101 offline 480 by switchboard
        1.0s * call.ended offline 480 by switchboard
        ",
    );
}

#[test]
fn a_phone_that_loses_its_connection_while_it_rings_is_called_no_more() {
    check(
        |world| {
            phone_over_tcp(world);
            world.calls("101", "103");
            world.run(1.0);
            world.disconnects("104");
            world.run(40.0);
            world.phone("104").talks.clear();
        },
        "
        0.0s 101 -> pbx  INVITE 103
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 104  INVITE 103
        0.0s 104 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s pbx -> 101  408 Request Timeout
        1.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_stranger_who_calls_is_challenged() {
    check(
        |world| {
            world.phone("101").card.login.as_mut().unwrap().password = "wrong".into();
            world.run(301.0);
            world.begin();
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  401 Unauthorized
        0.0s 101 -> pbx  ACK
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  401 Unauthorized
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_nonce_that_is_too_old_is_renewed_without_asking_anybody() {
    check(
        |world| {
            world.do_not_disturb("102");
            world.run(400.0);
            world.begin();
            world.calls("101", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  401 Unauthorized
        0.0s 101 -> pbx  ACK
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  486 Busy Here
        0.0s pbx -> 102  ACK
        0.0s pbx -> 101  486 Busy Here
        0.0s 101 -> pbx  ACK
        ",
    );
}

#[test]
fn a_phone_calls_only_as_the_extension_that_it_signed_in_as() {
    check(
        |world| {
            world.show_events();
            world.calls_as("101", "103", "102");
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  403 Forbidden
        0.0s 101 -> pbx  ACK
        0.0s * extension.refused 101 not_allowed
        ",
    );
}

#[test]
fn what_is_asked_outside_of_a_call_gets_the_answer_that_it_deserves() {
    check(
        |world| {
            world.asks("101", Method::Options, "102");
            world.run(1.0);
            world.asks("101", Method::Message, "102");
            world.run(1.0);
            world.asks("101", Method::Other("SCREAM".into()), "102");
            world.run(1.0);
            world.asks("101", Method::Bye, "102");
        },
        "
        0.0s 101 -> pbx  OPTIONS 102
        0.0s pbx -> 101  200 OK to OPTIONS
        1.0s 101 -> pbx  MESSAGE 102
        1.0s pbx -> 101  405 Method Not Allowed to MESSAGE
        2.0s 101 -> pbx  SCREAM
        2.0s pbx -> 101  501 Not Implemented to SCREAM
        3.0s 101 -> pbx  BYE
        3.0s pbx -> 101  481 Call/Transaction Does Not Exist to BYE
        ",
    );
}

/// 103 signs in over TCP from a phone that is called 104, and from nowhere else.
fn phone_over_tcp(world: &mut World) {
    world.unregisters("103");
    world.add_phone("104", 1, "103", Transport::Tcp);
    world.registers("104");
    world.run(1.0);
    world.begin();
}
