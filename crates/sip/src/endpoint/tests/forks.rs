//! INVITEs that several phones answer.

use super::*;

#[test]
fn every_2xx_of_a_fork_is_acknowledged_and_the_unwanted_one_ended() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 180, "one", "Contact: <sip:one@10.0.0.21>");
            world.says("INVITE", 180, "two", "Contact: <sip:two@10.0.0.22>");
            world.says("INVITE", 200, "two", "Contact: <sip:two@10.0.0.22>");
            world.says("INVITE", 200, "one", "Contact: <sip:one@10.0.0.21>");
            let (ack, bye) = (world.latest(1, "ACK"), world.latest(1, "BYE"));
            assert_eq!([ack.uri.to_string(), bye.uri.to_string()], ["sip:one@10.0.0.21"; 2]);
            assert_eq!(bye.headers.to().unwrap().tag().unwrap(), "one");
            assert_eq!(bye.headers.cseq().unwrap().number, 2);
            world.says("BYE", 200, "one", "");
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  180
        0s alice * progress 180
        0s bob -> alice  180
        0s alice * progress 180 of fork 1
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice * answered 200 of fork 1
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice -> bob  BYE
        0s bob -> alice  200 BYE
        ",
    );
}

#[test]
fn a_2xx_sent_again_by_either_fork_gets_its_own_ack_again() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            for tag in ["one", "two"] {
                world.says("INVITE", 200, tag, &format!("Contact: <sip:{tag}@10.0.0.21>"));
            }
            world.says("BYE", 200, "two", "");
            world.lines.clear();
            for tag in ["one", "two"] {
                world.says("INVITE", 200, tag, &format!("Contact: <sip:{tag}@10.0.0.21>"));
                assert_eq!(world.latest(1, "ACK").headers.to().unwrap().tag().unwrap(), tag);
            }
        },
        "
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s bob -> alice  200
        0s alice -> bob  ACK
        ",
    );
}

#[test]
fn a_fork_that_answers_after_the_call_is_over_is_ended_too() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 200, "one", "Contact: <sip:one@10.0.0.21>");
            world.hang_up(0);
            world.says("BYE", 200, "one", "");
            world.lines.clear();
            world.wait(20_000);
            world.says("INVITE", 200, "two", "Contact: <sip:two@10.0.0.22>");
            world.says("BYE", 200, "two", "");
            assert_eq!(world.sides[0].endpoint.load().dialogs, 0);
        },
        "
        20s bob -> alice  200
        20s alice -> bob  ACK
        20s alice -> bob  BYE
        20s bob -> alice  200 BYE
        ",
    );
}

#[test]
fn forks_that_cross_a_cancel_are_all_ended_and_one_end_is_told() {
    check(
        |world| {
            world.script_bob();
            world.invite();
            world.says("INVITE", 180, "one", "");
            world.cancel();
            world.says("CANCEL", 200, "one", "");
            world.lines.clear();
            for tag in ["one", "two"] {
                world.says("INVITE", 200, tag, &format!("Contact: <sip:{tag}@10.0.0.21>"));
                world.says("BYE", 200, tag, "");
            }
        },
        "
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice -> bob  BYE
        0s alice * cancelled
        0s bob -> alice  200 BYE
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice -> bob  BYE
        0s bob -> alice  200 BYE
        ",
    );
}

#[test]
fn a_fork_without_contact_is_ended_under_the_called_address() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();
    world.says("INVITE", 200, "one", "Contact: <sip:one@10.0.0.21>");

    world.says("INVITE", 200, "two", "");

    let (ack, bye) = (world.latest(1, "ACK"), world.latest(1, "BYE"));
    assert_eq!([ack.uri.to_string(), bye.uri.to_string()], ["sip:bob@10.0.0.2"; 2]);
}

#[test]
fn a_flood_of_forks_is_not_listened_to() {
    let mut world = World::new(crate::Transport::Udp);
    world.script_bob();
    world.invite();

    for number in 0..100 {
        world.says("INVITE", 200, &format!("fork{number}"), "Contact: <sip:one@10.0.0.21>");
    }

    let acks = world.lines.iter().filter(|line| line.ends_with("ACK")).count();
    assert_eq!(acks, 8);
}
