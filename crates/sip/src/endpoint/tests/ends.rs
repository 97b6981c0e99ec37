//! CANCEL and BYE, and whatever crosses them.

use super::world::{ALICE, BOB};
use super::*;
use crate::{Headers, Transport};

#[test]
fn a_ringing_call_is_cancelled() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.ring();
            world.lines.clear();
            world.cancel();
        },
        "
        0s alice -> bob  CANCEL
        0s bob -> alice  200 CANCEL
        0s bob -> alice  487
        0s bob * cancelled
        0s alice -> bob  ACK
        0s alice * refused 487
        ",
    );
}

#[test]
fn a_cancel_waits_until_something_has_come_back() {
    check(
        |world| {
            world.lose_next("100");
            world.invite();
            world.accept();
            world.cancel();
            world.wait(1_000);
        },
        "
        0s alice -> bob  INVITE
        0s bob * incoming INVITE
        0s bob -> alice  100 (lost)
        0.5s alice -> bob  INVITE
        0.5s bob -> alice  100
        0.5s alice -> bob  CANCEL
        0.5s bob -> alice  200 CANCEL
        0.5s bob -> alice  487
        0.5s bob * cancelled
        0.5s alice -> bob  ACK
        0.5s alice * refused 487
        ",
    );
}

#[test]
fn a_cancelled_invite_nobody_heard_fails() {
    check(
        |world| {
            world.lose_all("INVITE");
            world.invite();
            world.cancel();
            world.wait(40_000);
            world.lines.retain(|line| !line.contains("INVITE"));
        },
        "
        32s alice * failed: nobody answered in time
        ",
    );
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.ring();
            world.lines.clear();
            let now = world.now();
            let [alice, bob] = &mut world.sides;
            bob.endpoint.answer(now, bob.dialog.unwrap(), Headers::new(), None);
            alice.endpoint.cancel(now, alice.dialog.unwrap(), Headers::new());
        },
        "
        0s alice -> bob  CANCEL
        0s bob -> alice  200
        0s bob -> alice  200 CANCEL
        0s alice -> bob  ACK
        0s alice -> bob  BYE
        0s alice * cancelled
        0s bob * acked
        0s bob -> alice  200 BYE
        0s bob * bye
        ",
    );
}

#[test]
fn an_answer_before_anything_else_meets_a_cancel_that_waits() {
    check(
        |world| {
            world.lose_next("100");
            world.invite();
            world.accept();
            world.cancel();
            world.lines.clear();
            world.answer();
        },
        "
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice -> bob  BYE
        0s alice * cancelled
        0s bob * acked
        0s bob -> alice  200 BYE
        0s bob * bye
        ",
    );
}

#[test]
fn a_lost_cancel_is_sent_again() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("CANCEL");
            world.lose_next("200 CANCEL");
            world.cancel();
            world.wait(5_000);
        },
        "
        0s alice -> bob  CANCEL (lost)
        0.5s alice -> bob  CANCEL
        0.5s bob -> alice  200 CANCEL (lost)
        0.5s bob -> alice  487
        0.5s bob * cancelled
        0.5s alice -> bob  ACK
        0.5s alice * refused 487
        1.5s alice -> bob  CANCEL
        1.5s bob -> alice  200 CANCEL
        ",
    );
}

#[test]
fn a_cancelled_invite_without_final_answer_fails_after_32_seconds() {
    check_over(
        Transport::Tcp,
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 180, "b", "");
            world.wait(100_000);
            world.cancel();
            world.says("CANCEL", 200, "b", "");
            world.wait(40_000);
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  180
        0s alice * progress 180
        100s alice -> bob  CANCEL
        100s bob -> alice  200 CANCEL
        132s alice * failed: nobody answered in time
        ",
    );
}

#[test]
fn a_cancel_of_nothing_is_told_so() {
    check(
        |world| {
            world.sends(
                "CANCEL sip:alice@10.0.0.1 SIP/2.0
                Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKnothing
                From: <sip:bob@10.0.0.2>;tag=b
                To: <sip:alice@10.0.0.1>
                Call-ID: nothing
                CSeq: 1 CANCEL",
            );
        },
        "
        0s bob -> alice  CANCEL
        0s alice -> bob  481 CANCEL
        ",
    );
}

#[test]
fn a_cancel_that_comes_too_late_changes_nothing() {
    check(
        |world| {
            world.talk();
            let mut cancel = world.latest(BOB, "INVITE");
            cancel.method = crate::Method::Cancel;
            cancel.headers.set(crate::HeaderName::CSeq, "1 CANCEL");
            let (now, flow) = (world.now(), world.flow_from(BOB));
            world.sides[BOB].endpoint.handle_message(now, flow, cancel.into());
        },
        "
        0s bob -> alice  200 CANCEL
        ",
    );
}

#[test]
fn a_caller_that_hangs_up_before_the_answer_cancels() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.hang_up(ALICE);
        },
        "
        0s alice -> bob  CANCEL
        0s bob -> alice  200 CANCEL
        0s bob -> alice  487
        0s bob * cancelled
        0s alice -> bob  ACK
        0s alice * refused 487
        ",
    );
}

#[test]
fn a_callers_bye_in_an_early_dialog_ends_it() {
    check(
        |world| {
            world.sends(INVITE);
            world.sides.swap(ALICE, BOB);
            world.accept();
            world.ring();
            world.sides.swap(ALICE, BOB);
            let ringing = world.latest_response(BOB);
            world.lines.clear();
            let to = String::from_utf8_lossy(ringing.headers.get(&crate::HeaderName::To).unwrap()).into_owned();
            world.sends(&format!(
                "BYE sip:alice@10.0.0.1 SIP/2.0
                Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbye
                From: <sip:bob@10.0.0.2>;tag=b
                To: {to}
                Call-ID: from-bob
                CSeq: 2 BYE"
            ));
        },
        "
        0s bob -> alice  BYE
        0s alice -> bob  200 BYE
        0s alice -> bob  487
        0s alice * bye
        ",
    );
}

#[test]
fn a_bye_waits_for_the_ack_of_our_answer() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_next("ACK");
            world.answer();
            world.hang_up(BOB);
            world.wait(2_000);
        },
        "
        0s bob -> alice  200
        0s alice -> bob  ACK (lost)
        0s alice * answered 200
        0.5s bob -> alice  200
        0.5s alice -> bob  ACK
        0.5s bob -> alice  BYE
        0.5s alice -> bob  200 BYE
        0.5s alice * bye
        ",
    );
}

#[test]
fn a_bye_that_waits_for_an_ack_goes_out_after_32_seconds() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lose_all("ACK");
            world.answer();
            world.hang_up(BOB);
            world.wait(40_000);
            world.lines.retain(|line| line.contains("BYE") || line.contains("bob *"));
        },
        "
        0s bob * incoming INVITE
        32s bob -> alice  BYE
        32s alice -> bob  200 BYE
        ",
    );
}

#[test]
fn a_bye_instead_of_an_ack_ends_the_sending_of_the_answer() {
    check(
        |world| {
            world.invite();
            world.accept();
            world.lines.clear();
            world.lose_all("ACK");
            world.answer();
            world.hang_up(ALICE);
            world.wait(10_000);
        },
        "
        0s bob -> alice  200
        0s alice -> bob  ACK (lost)
        0s alice * answered 200
        0s alice -> bob  BYE
        0s bob -> alice  200 BYE
        0s bob * bye
        ",
    );
}

#[test]
fn a_bye_answers_whatever_was_asked_before_it() {
    check(
        |world| {
            world.talk();
            world.reinvite(BOB);
            world.lines.clear();
            world.hang_up(ALICE);
        },
        "
        0s alice -> bob  487
        0s alice -> bob  BYE
        0s bob -> alice  ACK
        0s bob * re-INVITE refused 487
        0s bob -> alice  200 BYE
        0s bob * bye
        ",
    );
}

#[test]
fn a_called_side_that_says_bye_before_it_answers_is_cancelled() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 180, "b", "Contact: <sip:bob@10.0.0.2>");
            world.lines.clear();
            world.sends(
                "BYE sip:alice@10.0.0.1 SIP/2.0
                Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbye
                From: <sip:bob@10.0.0.2>;tag=b
                To: <sip:alice@10.0.0.1>;tag={alice}
                Call-ID: {call}
                CSeq: 1 BYE",
            );
            world.says("CANCEL", 200, "b", "");
            world.says("INVITE", 487, "b", "");
        },
        "
        0s bob -> alice  BYE
        0s alice -> bob  200 BYE
        0s alice -> bob  CANCEL
        0s bob -> alice  200 CANCEL
        0s bob -> alice  487
        0s alice -> bob  ACK
        0s alice * refused 487
        ",
    );
}

const INVITE: &str = "INVITE sip:alice@10.0.0.1 SIP/2.0
    Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKinvite
    From: <sip:bob@10.0.0.2>;tag=b
    To: <sip:alice@10.0.0.1>
    Call-ID: from-bob
    CSeq: 1 INVITE
    Contact: <sip:bob@10.0.0.2:5060>
    Max-Forwards: 70";
