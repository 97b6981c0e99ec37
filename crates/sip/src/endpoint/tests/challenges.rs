//! Digest challenges to our requests.

use super::world::{ALICE, BOB};
use super::*;
use crate::digest::{Algorithm, Credentials, ha1, is_right};
use crate::{HeaderName, Login, Method, Request};

const FIRST: &str = "WWW-Authenticate: Digest realm=\"tongdai\", nonce=\"n1\", qop=\"auth\"";
const STALE: &str = "WWW-Authenticate: Digest realm=\"tongdai\", nonce=\"n2\", qop=\"auth\", stale=true";
const FRESH: &str = "WWW-Authenticate: Digest realm=\"tongdai\", nonce=\"n2\", qop=\"auth\"";

#[test]
fn a_challenged_invite_is_sent_once_more_with_an_answer() {
    check(
        |world| {
            call(world);
            world.says("INVITE", 407, "p", &FIRST.replace("WWW", "Proxy"));
            let invite = world.latest(BOB, "INVITE");
            let credentials = signed(&invite, HeaderName::ProxyAuthorization);
            assert_eq!((credentials.count(), credentials.nonce), (Some(1), "n1".into()));
            assert_eq!(invite.headers.cseq().unwrap().number, 2);
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            let ack = world.latest(BOB, "ACK");
            assert_eq!(
                ack.headers.get(&HeaderName::ProxyAuthorization),
                invite.headers.get(&HeaderName::ProxyAuthorization)
            );
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  407
        0s alice -> bob  ACK
        0s alice -> bob  INVITE
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice * answered 200
        ",
    );
}

#[test]
fn a_second_rejection_ends_it() {
    check(
        |world| {
            call(world);
            world.says("INVITE", 401, "b", FIRST);
            world.says("INVITE", 401, "b", FRESH);
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  401
        0s alice -> bob  ACK
        0s alice -> bob  INVITE
        0s bob -> alice  401
        0s alice -> bob  ACK
        0s alice * refused 401
        ",
    );
}

#[test]
fn a_nonce_that_was_only_too_old_is_replaced() {
    check(
        |world| {
            call(world);
            world.says("INVITE", 401, "b", FIRST);
            world.says("INVITE", 401, "b", STALE);
            assert_eq!(signed(&world.latest(BOB, "INVITE"), HeaderName::Authorization).nonce, "n2");
            world.says("INVITE", 486, "b", "");
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  401
        0s alice -> bob  ACK
        0s alice -> bob  INVITE
        0s bob -> alice  401
        0s alice -> bob  ACK
        0s alice -> bob  INVITE
        0s bob -> alice  486
        0s alice -> bob  ACK
        0s alice * refused 486
        ",
    );
}

#[test]
fn a_server_that_finds_every_nonce_too_old_is_left() {
    let mut world = World::new(crate::Transport::Udp);
    call(&mut world);

    for _ in 0..10 {
        world.says("INVITE", 401, "b", STALE);
    }

    let invites = world.lines.iter().filter(|line| line.ends_with("INVITE")).count();
    assert_eq!(invites, 4);
    assert!(world.lines.iter().any(|line| line.ends_with("refused 401")));
}

#[test]
fn a_changed_realm_ends_it() {
    check(
        |world| {
            call(world);
            world.says("INVITE", 401, "b", FIRST);
            world.lines.clear();
            world.says("INVITE", 401, "b", &STALE.replace("tongdai", "elsewhere"));
        },
        "
        0s bob -> alice  401
        0s alice -> bob  ACK
        0s alice * refused 401
        ",
    );
}

#[test]
fn without_a_login_a_challenge_is_a_refusal() {
    check(
        |world| {
            world.script_bob();
            world.request(Method::Options);
            world.says("OPTIONS", 401, "b", FIRST);
        },
        "
        0s alice -> bob  OPTIONS
        0s bob -> alice  401 OPTIONS
        0s alice * response 401
        ",
    );
}

#[test]
fn a_challenge_nobody_can_answer_is_a_refusal() {
    check(
        |world| {
            call(world);
            world.lines.clear();
            world.says("INVITE", 401, "b", &FIRST.replace("qop", "algorithm=SHA-512, qop"));
        },
        "
        0s bob -> alice  401
        0s alice -> bob  ACK
        0s alice * refused 401
        ",
    );
}

#[test]
fn the_first_algorithm_we_know_is_taken() {
    let mut world = World::new(crate::Transport::Udp);
    call(&mut world);
    let challenges = ["SHA-512", "SHA-256", "MD5"].map(|name| FIRST.replace("qop", &format!("algorithm={name}, qop")));

    world.says("INVITE", 401, "b", &challenges.join("\n"));

    let credentials = signed(&world.latest(BOB, "INVITE"), HeaderName::Authorization);
    assert_eq!(credentials.algorithm, Some(Algorithm::Sha256));
}

#[test]
fn a_challenge_of_rfc_2069_is_answered_without_counting() {
    let mut world = World::new(crate::Transport::Udp);
    call(&mut world);

    world.says("INVITE", 401, "b", "WWW-Authenticate: Digest realm=\"tongdai\", nonce=\"n1\"");

    let credentials = signed(&world.latest(BOB, "INVITE"), HeaderName::Authorization);
    assert_eq!((credentials.qop, credentials.nc, credentials.cnonce), (None, None, None));
}

#[test]
fn later_requests_of_the_dialog_use_the_nonce_again() {
    check(
        |world| {
            call(world);
            world.says("INVITE", 401, "b", FIRST);
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.lines.clear();
            world.hang_up(ALICE);
            let credentials = signed(&world.latest(BOB, "BYE"), HeaderName::Authorization);
            assert_eq!((credentials.count(), credentials.nonce), (Some(2), "n1".into()));
            world.says("BYE", 401, "b", FRESH);
            assert_eq!(signed(&world.latest(BOB, "BYE"), HeaderName::Authorization).nonce, "n2");
            world.says("BYE", 401, "b", FRESH);
        },
        "
        0s alice -> bob  BYE
        0s bob -> alice  401 BYE
        0s alice -> bob  BYE
        0s bob -> alice  401 BYE
        ",
    );
}

#[test]
fn a_challenged_reinvite_is_sent_once_more() {
    check(
        |world| {
            call(world);
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.lines.clear();
            world.reinvite(ALICE);
            world.says("INVITE", 401, "b", FIRST);
            signed(&world.latest(BOB, "INVITE"), HeaderName::Authorization);
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
        },
        "
        0s alice -> bob  INVITE
        0s bob -> alice  401
        0s alice -> bob  ACK
        0s alice -> bob  INVITE
        0s bob -> alice  200
        0s alice -> bob  ACK
        0s alice * re-INVITE granted 200
        ",
    );
}

#[test]
fn a_challenged_update_is_sent_once_more() {
    check(
        |world| {
            call(world);
            world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
            world.lines.clear();
            world.update(ALICE, Some("offer"));
            world.says("UPDATE", 407, "b", &FIRST.replace("WWW", "Proxy"));
            world.says("UPDATE", 407, "b", &STALE.replace("WWW", "Proxy"));
            let update = world.latest(BOB, "UPDATE");
            assert_eq!(signed(&update, HeaderName::ProxyAuthorization).nonce, "n2");
            assert_eq!(update.body, "offer");
            world.says("UPDATE", 200, "b", "");
        },
        "
        0s alice -> bob  UPDATE
        0s bob -> alice  407 UPDATE
        0s alice -> bob  UPDATE
        0s bob -> alice  407 UPDATE
        0s alice -> bob  UPDATE
        0s bob -> alice  200 UPDATE
        0s alice * UPDATE granted 200
        ",
    );
}

#[test]
fn a_proxy_and_the_peer_behind_it_are_both_answered() {
    let mut world = World::new(crate::Transport::Udp);
    call(&mut world);

    world.says("INVITE", 407, "p", &FIRST.replace("WWW", "Proxy").replace("n1", "p1"));
    world.says("INVITE", 401, "b", FIRST);
    let invite = world.latest(BOB, "INVITE");
    world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
    let ack = world.latest(BOB, "ACK");
    world.reinvite(ALICE);
    let again = world.latest(BOB, "INVITE");

    let (peer, proxy) = (HeaderName::Authorization, HeaderName::ProxyAuthorization);
    let counts = [&invite, &again].map(|request| {
        let (peer, proxy) = (signed(request, peer.clone()), signed(request, proxy.clone()));
        assert_eq!((&peer.nonce[..], &proxy.nonce[..]), (&b"n1"[..], &b"p1"[..]));
        (peer.count(), proxy.count())
    });
    assert_eq!(counts, [(Some(1), Some(2)), (Some(2), Some(3))]);
    assert_eq!(ack.headers.get(&peer), invite.headers.get(&peer));
    assert_eq!(ack.headers.get(&proxy), invite.headers.get(&proxy));
}

#[test]
fn a_bye_of_a_restored_dialog_answers_a_challenge() {
    let mut world = World::new(crate::Transport::Udp);
    call(&mut world);
    world.says("INVITE", 200, "b", "Contact: <sip:bob@10.0.0.2>");
    let stored = world.sides[ALICE].endpoint.snapshot(world.sides[ALICE].dialog.unwrap()).unwrap();
    world.sides[ALICE] = world::side("10.0.0.1:5060", "77", 1_000);
    let now = world.now();
    let dialog = world.sides[ALICE].endpoint.restore(now, 7, stored);
    world.sides[ALICE].endpoint.set_login(dialog, login());
    world.sides[ALICE].dialog = Some(dialog);
    world.hang_up(ALICE);
    world.lines.clear();

    world.says("BYE", 407, "b", &FIRST.replace("WWW", "Proxy"));
    signed(&world.latest(BOB, "BYE"), HeaderName::ProxyAuthorization);
    world.says("BYE", 200, "b", "");

    assert_eq!(world.lines, ["0s bob -> alice  407 BYE", "0s alice -> bob  BYE", "0s bob -> alice  200 BYE"]);
}

#[test]
fn a_challenged_registration_is_sent_once_more_with_the_same_call_id() {
    check(
        |world| {
            world.login = Some(login());
            world.script_bob();
            world.request(Method::Register);
            let first = world.latest(BOB, "REGISTER");
            world.says("REGISTER", 401, "b", FIRST);
            let second = world.latest(BOB, "REGISTER");
            signed(&second, HeaderName::Authorization);
            assert_eq!(first.headers.call_id().unwrap(), second.headers.call_id().unwrap());
            assert_eq!(first.headers.from().unwrap(), second.headers.from().unwrap());
            assert!(first.headers.cseq().unwrap().number < second.headers.cseq().unwrap().number);
            world.says("REGISTER", 200, "b", "");
        },
        "
        0s alice -> bob  REGISTER
        0s bob -> alice  401 REGISTER
        0s alice -> bob  REGISTER
        0s bob -> alice  200 REGISTER
        0s alice * response 200
        ",
    );
}

#[test]
fn a_cancelled_invite_is_not_sent_again() {
    check(
        |world| {
            call(world);
            world.says("INVITE", 100, "", "");
            world.cancel();
            world.says("CANCEL", 200, "b", "");
            world.lines.clear();
            world.says("INVITE", 401, "b", FIRST);
        },
        "
        0s bob -> alice  401
        0s alice -> bob  ACK
        0s alice * refused 401
        ",
    );
}

fn call(world: &mut World) {
    world.login = Some(login());
    world.script_bob();
    world.invite();
}

fn login() -> Login {
    Login { username: "101".into(), password: "secret-101".into() }
}

/// The answer in a request, which has to be right.
fn signed(request: &Request, header: HeaderName) -> Credentials {
    let credentials = Credentials::parse(request.headers.get(&header).unwrap()).unwrap().unwrap();
    let secret = ha1(&credentials.algorithm(), b"101", b"tongdai", b"secret-101").unwrap();
    assert!(is_right(&secret, &credentials, &request.method));
    assert_eq!(credentials.uri, request.uri.print());
    credentials
}
