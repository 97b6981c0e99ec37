//! Cisco SPA303, firmware 7.5.6a.
//!
//! From the "Cisco Small Business SPA300 Series, SPA500 Series IP Phones Administration Guide" (firmware 7.5; "RTP
//! Packet Size" 0.030, "RFC 2543 Call Hold", "Secure Call Setup") and a trace of an SPA303 with 7.5.6a: packets of 30
//! ms, Content-Length in the middle of the headers and the body's type last, an Expires of 240 s on the call,
//! Remote-Party-ID, `G729a` for G.729, payload types from 96 on for G.726, responses that begin with To; one key for
//! both suites of SRTP; and hold in the old way, by the address 0.0.0.0.

use bytes::Bytes;
use sip::Message;
use testkit::world::phone::{Texts, say};
use testkit::world::{World, check};

use super::{a_phone, calls_and_holds, described, is_called, secured};

const TEXTS: &Texts = &[
    (
        "REGISTER",
        "REGISTER {uri} SIP/2.0
        Via: {via}
        From: \"101\" <{from-uri}>;tag={from-tag}o0
        To: \"101\" <{to-uri}>
        Call-ID: {call-id}
        CSeq: {cseq}
        Max-Forwards: 70
        Authorization: {authorization}
        Contact: \"101\" <sip:{from-user}@{address}>;expires={expires}
        User-Agent: Cisco/SPA303-7.5.6a
        Content-Length: 0
        Allow: ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, OPTIONS, REFER, UPDATE
        Supported: replaces",
    ),
    (
        "INVITE request within held",
        "INVITE {uri} SIP/2.0
        Via: {via}
        From: \"101\" <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Max-Forwards: 70
        Authorization: {authorization}
        Contact: \"101\" <sip:{from-user}@{address}>
        Expires: 30
        User-Agent: Cisco/SPA303-7.5.6a
        Content-Length: {length}
        Content-Type: application/sdp

        v=0
        o=- 173522214 173522215 IN IP4 {ip}
        s=-
        c=IN IP4 0.0.0.0
        t=0 0
        m=audio {port} RTP/AVP 0 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:30
        a=sendonly",
    ),
    (
        "INVITE request",
        "INVITE {uri} SIP/2.0
        Via: {via}
        From: \"101\" <{from-uri}>;tag={from-tag}
        To: {to}
        Remote-Party-ID: \"101\" <{from-uri}>;screen=yes;party=calling
        Call-ID: {call-id}
        CSeq: {cseq}
        Max-Forwards: 70
        Authorization: {authorization}
        Contact: \"101\" <sip:{from-user}@{address}>
        Expires: 240
        User-Agent: Cisco/SPA303-7.5.6a
        Content-Length: {length}
        Allow: ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, OPTIONS, REFER, UPDATE
        Supported: replaces
        Content-Type: application/sdp

        v=0
        o=- 173522214 17352221{version} IN IP4 {ip}
        s=-
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 0 2 8 9 18 96 97 98 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:2 G726-32/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:9 G722/8000
        a=rtpmap:18 G729a/8000
        a=rtpmap:96 G726-40/8000
        a=rtpmap:97 G726-24/8000
        a=rtpmap:98 G726-16/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:30
        a=sendrecv",
    ),
    (
        "180",
        "SIP/2.0 180 Ringing
        To: {to}
        From: {from}
        Call-ID: {call-id}
        CSeq: {cseq}
        Via: {via}
        Contact: \"101\" <sip:101@{address}>
        Server: Cisco/SPA303-7.5.6a
        Content-Length: 0
        Allow: ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, OPTIONS, REFER, UPDATE
        Supported: replaces",
    ),
    (
        "200 INVITE",
        "SIP/2.0 200 OK
        To: {to}
        From: {from}
        Call-ID: {call-id}
        CSeq: {cseq}
        Via: {via}
        Contact: \"101\" <sip:101@{address}>
        Server: Cisco/SPA303-7.5.6a
        Content-Length: {length}
        Allow: ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, OPTIONS, REFER, UPDATE
        Supported: replaces
        Content-Type: application/sdp

        v=0
        o=- 173522300 173522300 IN IP4 {ip}
        s=-
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP {formats}
        {maps}
        a=fmtp:101 0-15
        a=ptime:30
        a={direction}",
    ),
    (
        "request",
        "{method} {uri} SIP/2.0
        Via: {via}
        From: \"101\" <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Max-Forwards: 70
        User-Agent: Cisco/SPA303-7.5.6a
        Content-Length: 0",
    ),
    (
        "response",
        "SIP/2.0 {status} {reason}
        To: {to}
        From: {from}
        Call-ID: {call-id}
        CSeq: {cseq}
        Via: {via}
        Server: Cisco/SPA303-7.5.6a
        Content-Length: 0",
    ),
];

fn cisco_spa(message: &Message) -> Bytes {
    say(TEXTS, message)
}

#[test]
fn a_cisco_spa_calls_holds_and_hangs_up() {
    check(
        |world| {
            a_phone(world, cisco_spa);
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
fn a_cisco_spa_is_called() {
    check(
        |world| {
            a_phone(world, cisco_spa);
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
fn a_cisco_spa_is_answered_with_its_thirty_milliseconds() {
    let mut world = World::new(1);
    a_phone(&mut world, cisco_spa);

    world.calls("101", "102");
    world.run(2.0);

    let lines = described(&mut world, "101");
    assert!(lines.contains(&"a=ptime:30".to_owned()), "{lines:#?}");
}

#[test]
fn the_old_hold_of_a_cisco_spa_is_answered_with_recvonly() {
    let mut world = World::new(1);
    a_phone(&mut world, cisco_spa);
    world.calls("101", "102");
    world.run(2.0);

    world.holds("101");
    world.run(1.0);

    let lines = described(&mut world, "101");
    assert!(lines.contains(&"a=recvonly".to_owned()), "{lines:#?}");
}

/// The same with "Secure Call Setup": both keys are one.
fn cisco_spa_secured(message: &Message) -> Bytes {
    secured(
        cisco_spa(message),
        "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n\
         a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n",
    )
}

#[test]
fn a_cisco_spa_that_insists_on_keys_is_answered_with_one() {
    let mut world = World::new(1);
    a_phone(&mut world, cisco_spa_secured);

    world.calls("101", "102");
    world.run(2.0);

    let lines = described(&mut world, "101");
    assert!(lines.contains(&"m=audio 20000 RTP/SAVP 0 101".to_owned()), "{lines:#?}");
    let keys: Vec<_> = lines.iter().filter(|line| line.starts_with("a=crypto:")).collect();
    assert!(keys.len() == 1 && keys[0].starts_with("a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:"), "{lines:#?}");
}
