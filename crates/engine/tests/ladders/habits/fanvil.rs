//! Fanvil X303, firmware 2.12.18.
//!
//! From the "Fanvil X303/X303P/X303G User Manual" (software 2.12) and a trace of an X303 with 2.12.18.9 signing in: a
//! display name without quotes in From and To, the phone's MAC in User-Agent and in a header of its own, Supported
//! before User-Agent and Allow, `100rel` among it. Its description says the direction once for the whole session and
//! leaves out the maps of payload types that need none.

use std::time::Duration;

use bytes::Bytes;
use sip::Message;
use testkit::world::phone::{Manner, Texts, say};
use testkit::world::{World, check};

use super::{a_phone, calls_and_holds, described, is_called};

const TEXTS: &Texts = &[
    (
        "REGISTER",
        "REGISTER {uri} SIP/2.0
        Via: {via}
        From: 101 <{from-uri}>;tag={from-tag}
        To: 101 <{to-uri}>
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:{from-user}@{address}>
        Authorization: {authorization}
        Max-Forwards: 70
        Expires: {expires}
        Supported: path
        User-Agent: Fanvil X303 2.12.18.9 0c383e000001
        Mac: 0c:38:3e:00:00:01
        Allow: INVITE, ACK, OPTIONS, BYE, CANCEL, REFER, NOTIFY, INFO, PRACK, UPDATE, MESSAGE
        Content-Length: 0",
    ),
    (
        "INVITE request",
        "INVITE {uri} SIP/2.0
        Via: {via}
        From: Quầy 101 <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:{from-user}@{address}>
        Authorization: {authorization}
        Max-Forwards: 70
        Supported: replaces, 100rel, timer
        User-Agent: Fanvil X303 2.12.18.9 0c383e000001
        Allow: INVITE, ACK, OPTIONS, BYE, CANCEL, REFER, NOTIFY, INFO, PRACK, UPDATE, MESSAGE
        Content-Type: application/sdp
        Content-Length: {length}

        v=0
        o=- {session} {version} IN IP4 {ip}
        s=-
        c=IN IP4 {ip}
        t=0 0
        a={direction}
        m=audio {port} RTP/AVP 8 0 18 9 101
        a=fmtp:18 annexb=no
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20",
    ),
    (
        "180",
        "SIP/2.0 180 Ringing
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:101@{address}>
        User-Agent: Fanvil X303 2.12.18.9 0c383e000001
        Allow: INVITE, ACK, OPTIONS, BYE, CANCEL, REFER, NOTIFY, INFO, PRACK, UPDATE, MESSAGE
        Content-Length: 0",
    ),
    (
        "200 INVITE",
        "SIP/2.0 200 OK
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:101@{address}>
        Supported: replaces, timer
        User-Agent: Fanvil X303 2.12.18.9 0c383e000001
        Allow: INVITE, ACK, OPTIONS, BYE, CANCEL, REFER, NOTIFY, INFO, PRACK, UPDATE, MESSAGE
        Content-Type: application/sdp
        Content-Length: {length}

        v=0
        o=- {session} {version} IN IP4 {ip}
        s=-
        c=IN IP4 {ip}
        t=0 0
        a={direction}
        m=audio {port} RTP/AVP {formats}
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20",
    ),
    (
        "PRACK request",
        "PRACK {uri} SIP/2.0
        Via: {via}
        From: Quầy 101 <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        RAck: {rack}
        Max-Forwards: 70
        User-Agent: Fanvil X303 2.12.18.9 0c383e000001
        Content-Length: 0",
    ),
    (
        "request",
        "{method} {uri} SIP/2.0
        Via: {via}
        From: Quầy 101 <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:{from-user}@{address}>
        Max-Forwards: 70
        User-Agent: Fanvil X303 2.12.18.9 0c383e000001
        Content-Length: 0",
    ),
    (
        "response",
        "SIP/2.0 {status} {reason}
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: Fanvil X303 2.12.18.9 0c383e000001
        Content-Length: 0",
    ),
];

fn fanvil(message: &Message) -> Bytes {
    say(TEXTS, message)
}

#[test]
fn a_fanvil_calls_holds_and_hangs_up() {
    check(
        |world| {
            a_phone(world, fanvil);
            calls_and_holds(world);
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
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 101 -> pbx re-INVITE sendonly
        2.5s pbx -> 101 100 Trying
        2.5s pbx -> 101 200 OK recvonly
        2.5s 101 -> pbx ACK
        3.5s ~ 102 hears music
        4.0s 101 -> pbx re-INVITE
        4.0s pbx -> 101 100 Trying
        4.0s pbx -> 101 200 OK
        4.0s 101 -> pbx ACK
        5.0s ~ 101 hears 102, 102 hears 101
        5.5s 101 -> pbx BYE
        5.5s pbx -> 101 200 OK to BYE
        5.5s pbx -> 102 BYE
        5.5s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_fanvil_is_called() {
    check(
        |world| {
            a_phone(world, fanvil);
            is_called(world);
        },
        "
        0.0s 102 -> pbx INVITE 101
        0.0s pbx -> 102 100 Trying
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 180 Ringing
        0.0s pbx -> 102 180 Ringing
        1.0s 101 -> pbx 200 OK
        1.0s pbx -> 101 ACK
        1.0s pbx -> 102 200 OK
        1.0s 102 -> pbx ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 101 -> pbx BYE
        2.5s pbx -> 101 200 OK to BYE
        2.5s pbx -> 102 BYE
        2.5s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_hold_that_a_fanvil_says_for_the_session_is_answered_for_the_section() {
    let mut world = World::new(1);
    a_phone(&mut world, fanvil);
    world.calls("101", "102");
    world.run(2.0);

    world.holds("101");
    world.run(1.0);

    let lines = described(&mut world, "101");
    assert_eq!(lines.last().map(String::as_str), Some("a=recvonly"), "{lines:#?}");
}

#[test]
fn a_fanvil_acknowledges_the_sound_of_the_network_before_the_answer() {
    check(
        |world| {
            a_phone(world, fanvil);
            world.manner("carrier", Manner::answers(Duration::from_secs(2)).with_early_sound());
            world.calls("101", "0900000001");
            world.run(1.0);
            world.listen();
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 183 Session Progress
        0.0s pbx -> 101 183 Session Progress
        0.0s 101 -> pbx PRACK
        0.0s pbx -> 101 200 OK to PRACK
        1.0s ~ 101 hears carrier, carrier hears 101
        2.0s carrier -> pbx 200 OK
        2.0s pbx -> carrier ACK
        2.0s pbx -> 101 200 OK
        2.0s 101 -> pbx ACK
        3.5s ~ 101 hears carrier, carrier hears 101
        4.0s 101 -> pbx BYE
        4.0s pbx -> 101 200 OK to BYE
        4.0s pbx -> carrier BYE
        4.0s carrier -> pbx 200 OK to BYE
        ",
    );
}
