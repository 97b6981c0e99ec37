//! Yealink SIP-T46G, firmware 28.82.0.20.
//!
//! From the "Administrator's Guide for SIP-T2 Series/T4 Series/T5 Series/CP920 IP Phones", whose appendix shows
//! messages of this firmware: Via without `rport` and no Supported beyond `replaces`, Contact and the body's type
//! before Allow, Max-Forwards late, Content-Length with blanks before it. G.722 stands first in its offers, `fmtp` of
//! keys before their `rtpmap`; it holds with `sendonly`; of the three suites it offers for SRTP the last is nobody
//! else's.

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
        From: \"101\" <{from-uri}>;tag={from-tag}
        To: \"101\" <{to-uri}>
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:{from-user}@{address}>
        Authorization: {authorization}
        Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE
        Max-Forwards: 70
        User-Agent: Yealink SIP-T46G 28.82.0.20
        Expires: {expires}
        Allow-Events: talk,hold,conference,refer,check-sync
        Content-Length: 0",
    ),
    (
        "INVITE request within",
        "INVITE {uri} SIP/2.0
        Via: {via}
        From: \"101\" <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:{from-user}@{address}>
        Authorization: {authorization}
        Content-Type: application/sdp
        Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE
        Max-Forwards: 70
        User-Agent: Yealink SIP-T46G 28.82.0.20
        Supported: replaces
        Allow-Events: talk,hold,conference,refer,check-sync
        Content-Length:   {length}

        v=0
        o=- 20000 2000{version} IN IP4 {ip}
        s=SDP data
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 0 101
        a=rtpmap:0 PCMU/8000
        a=fmtp:101 0-15
        a=rtpmap:101 telephone-event/8000
        a=ptime:20
        a={direction}",
    ),
    (
        "INVITE request",
        "INVITE {uri} SIP/2.0
        Via: {via}
        From: \"101\" <{from-uri}>;tag={from-tag}
        To: <{to-uri}>
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:{from-user}@{address}>
        Authorization: {authorization}
        Content-Type: application/sdp
        Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE
        Max-Forwards: 70
        User-Agent: Yealink SIP-T46G 28.82.0.20
        Supported: replaces
        Allow-Events: talk,hold,conference,refer,check-sync
        Content-Length:   {length}

        v=0
        o=- 20000 20000 IN IP4 {ip}
        s=SDP data
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 9 0 8 18 101
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:18 G729/8000
        a=fmtp:18 annexb=no
        a=fmtp:101 0-15
        a=rtpmap:101 telephone-event/8000
        a=ptime:20
        a=sendrecv",
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
        Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE
        User-Agent: Yealink SIP-T46G 28.82.0.20
        Allow-Events: talk,hold,conference,refer,check-sync
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
        Content-Type: application/sdp
        Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE
        User-Agent: Yealink SIP-T46G 28.82.0.20
        Supported: replaces
        Allow-Events: talk,hold,conference,refer,check-sync
        Content-Length:   {length}

        v=0
        o=- 20001 20001 IN IP4 {ip}
        s=SDP data
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP {formats}
        {maps}
        a=fmtp:101 0-15
        a=ptime:20
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
        Contact: <sip:{from-user}@{address}>
        Max-Forwards: 70
        User-Agent: Yealink SIP-T46G 28.82.0.20
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
        User-Agent: Yealink SIP-T46G 28.82.0.20
        Content-Length: 0",
    ),
];

fn yealink(message: &Message) -> Bytes {
    say(TEXTS, message)
}

#[test]
fn a_yealink_calls_holds_and_hangs_up() {
    check(
        |world| {
            a_phone(world, yealink);
            calls_and_holds(world);
        },
        "
        0.0s 101 -> pbx  INVITE 102
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> 102  INVITE 102
        0.0s 102 -> pbx  180 Ringing
        0.0s pbx -> 101  180 Ringing
        1.0s 102 -> pbx  200 OK
        1.0s pbx -> 102  ACK
        1.0s pbx -> 101  200 OK
        1.0s 101 -> pbx  ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 101 -> pbx  re-INVITE sendonly
        2.5s pbx -> 101  100 Trying
        2.5s pbx -> 101  200 OK recvonly
        2.5s 101 -> pbx  ACK
        3.5s ~ 102 hears music
        4.0s 101 -> pbx  re-INVITE
        4.0s pbx -> 101  100 Trying
        4.0s pbx -> 101  200 OK
        4.0s 101 -> pbx  ACK
        5.0s ~ 101 hears 102, 102 hears 101
        5.5s 101 -> pbx  BYE
        5.5s pbx -> 101  200 OK to BYE
        5.5s pbx -> 102  BYE
        5.5s 102 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_yealink_is_called() {
    check(
        |world| {
            a_phone(world, yealink);
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
fn a_yealink_is_answered_with_one_codec_and_keys() {
    let mut world = World::new(1);
    a_phone(&mut world, yealink);

    world.calls("101", "102");
    world.run(2.0);

    let lines = described(&mut world, "101");
    assert_eq!(
        lines[1..],
        [
            "s=-",
            "c=IN IP4 192.0.2.1",
            "t=0 0",
            "m=audio 20000 RTP/AVP 0 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-16",
            "a=ptime:20",
            "a=sendrecv"
        ]
    );
}

/// The same with "RTP Encryption (SRTP): Compulsory". The third of its suites is nobody else's.
fn yealink_secured(message: &Message) -> Bytes {
    secured(
        yealink(message),
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd|2^31\r\n\
         a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:HhwaGBYUEhAODAoIBgQCAAECAwQFBgcICQoLDA0O|2^31\r\n\
         a=crypto:3 F8_128_HMAC_SHA1_80 inline:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0e|2^31\r\n",
    )
}

#[test]
fn a_yealink_that_insists_on_keys_is_answered_with_the_first() {
    let mut world = World::new(1);
    a_phone(&mut world, yealink_secured);

    world.calls("101", "102");
    world.run(2.0);

    let lines = described(&mut world, "101");
    assert!(lines.contains(&"m=audio 20000 RTP/SAVP 0 101".to_owned()), "{lines:#?}");
    let keys: Vec<_> = lines.iter().filter(|line| line.starts_with("a=crypto:")).collect();
    assert!(keys.len() == 1 && keys[0].starts_with("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), "{lines:#?}");
}
