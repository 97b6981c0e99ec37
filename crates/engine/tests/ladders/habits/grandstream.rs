//! Grandstream GXP2120, firmware 1.0.8.4.
//!
//! From the "GXP2120/GXP2110/GXP2100/GXP14xx User Manual", firmware 1.0.8.4 ("Session Expiration" 180 s, "Min-SE" 90
//! s, refreshed by UPDATE unless "Force INVITE"; "SRTP Mode: Enabled But Not Forced"), and a trace of a GXP2200
//! (1.0.3.27) with the same software: Privacy and P-Preferred-Identity in every call, Accept of keys in INFO, a
//! display name in Contact; `sendrecv` before everything else of the section, `ptime` between the maps, a version that
//! goes up by one.

use bytes::Bytes;
use sip::{Message, Method};
use testkit::world::phone::{Texts, say};
use testkit::world::{World, check};

use super::{a_phone, calls_and_holds, described, is_called};

const TEXTS: &Texts = &[
    (
        "REGISTER",
        "REGISTER {uri} SIP/2.0
        Via: {via}
        From: <{from-uri}>;tag={from-tag}
        To: <{to-uri}>
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:{from-user}@{address}>;reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000B82000001>\"
        Authorization: {authorization}
        X-Grandstream-PBX: true
        Max-Forwards: 70
        User-Agent: Grandstream GXP2120 1.0.8.4
        Supported: path
        Expires: {expires}
        Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE
        Content-Length: 0",
    ),
    (
        "INVITE request",
        "INVITE {uri} SIP/2.0
        Via: {via}
        From: \"Bàn 101\" <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: \"Bàn 101\" <sip:{from-user}@{address}>
        Authorization: {authorization}
        Max-Forwards: 70
        User-Agent: Grandstream GXP2120 1.0.8.4
        Privacy: none
        P-Preferred-Identity: \"Bàn 101\" <{from-uri}>
        Supported: replaces, path, timer, eventlist
        Session-Expires: 180
        Min-SE: 90
        Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE
        Content-Type: application/sdp
        Accept: application/sdp, application/dtmf-relay
        Content-Length:   {length}

        v=0
        o=101 8000 800{version} IN IP4 {ip}
        s=SIP Call
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 0 8 4 18 9 97 2 101
        a={direction}
        a=rtpmap:0 PCMU/8000
        a=ptime:20
        a=rtpmap:8 PCMA/8000
        a=rtpmap:4 G723/8000
        a=rtpmap:18 G729/8000
        a=fmtp:18 annexb=no
        a=rtpmap:9 G722/8000
        a=rtpmap:97 iLBC/8000
        a=fmtp:97 mode=20
        a=rtpmap:2 G726-32/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15",
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
        Supported: replaces, path, timer, eventlist
        User-Agent: Grandstream GXP2120 1.0.8.4
        Allow-Events: talk, hold
        Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE
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
        Supported: replaces, path, timer, eventlist
        User-Agent: Grandstream GXP2120 1.0.8.4
        Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE
        Content-Type: application/sdp
        Content-Length:   {length}

        v=0
        o=101 8000 8000 IN IP4 {ip}
        s=SIP Call
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP {formats}
        a={direction}
        {maps}
        a=ptime:20
        a=fmtp:101 0-15",
    ),
    (
        "INFO request",
        "INFO {uri} SIP/2.0
        Via: {via}
        From: \"Bàn 101\" <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: \"Bàn 101\" <sip:{from-user}@{address}>
        Max-Forwards: 70
        Supported: replaces, path, timer, eventlist
        User-Agent: Grandstream GXP2120 1.0.8.4
        Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE
        Content-Type: application/dtmf-relay
        Content-Length: {length}

        Signal=5
        Duration=160",
    ),
    (
        "request",
        "{method} {uri} SIP/2.0
        Via: {via}
        From: \"Bàn 101\" <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: \"Bàn 101\" <sip:{from-user}@{address}>
        Max-Forwards: 70
        Supported: replaces, path, timer, eventlist
        User-Agent: Grandstream GXP2120 1.0.8.4
        Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE
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
        Supported: replaces, path, timer, eventlist
        User-Agent: Grandstream GXP2120 1.0.8.4
        Content-Length: 0",
    ),
];

fn grandstream(message: &Message) -> Bytes {
    say(TEXTS, message)
}

#[test]
fn a_grandstream_calls_holds_and_hangs_up() {
    check(
        |world| {
            a_phone(world, grandstream);
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
fn a_grandstream_is_called() {
    check(
        |world| {
            a_phone(world, grandstream);
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
fn a_grandstream_refreshes_its_session_by_update() {
    check(
        |world| {
            a_phone(world, grandstream);
            world.calls("101", "102");
            world.run(91.0);
            world.asks_within("101", Method::Update);
            world.run(90.0);
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
        91.0s 101 -> pbx UPDATE
        91.0s pbx -> 101 200 OK to UPDATE
        181.0s ~ 101 hears 102, 102 hears 101
        181.5s 101 -> pbx BYE
        181.5s pbx -> 101 200 OK to BYE
        181.5s pbx -> 102 BYE
        181.5s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_grandstream_that_does_not_refresh_its_session_is_given_up() {
    check(
        |world| {
            a_phone(world, grandstream);
            world.calls("101", "102");
            world.run(200.0);
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
        149.0s pbx -> 101 BYE: Session expired
        149.0s pbx -> 102 BYE: The phone or carrier did not respond at all
        149.0s 101 -> pbx 200 OK to BYE
        149.0s 102 -> pbx 200 OK to BYE
        ",
    );
}

/// The same with "SRTP Mode: Enabled But Not Forced": two sections, the one in the clear first.
fn grandstream_either(message: &Message) -> Bytes {
    let said = grandstream(message);
    let text = String::from_utf8_lossy(&said);
    let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| !body.is_empty()) else { return said };
    let section = body.find("m=audio").map_or("", |at| &body[at..]).replace("RTP/AVP", "RTP/SAVP");
    let keys = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n\
                a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:HhwaGBYUEhAODAoIBgQCAAECAwQFBgcICQoLDA0O\r\n";
    let body = format!("{body}{section}{keys}");
    let lines = head.lines().filter(|line| !line.starts_with("Content-Length"));
    let head: String = lines.map(|line| format!("{line}\r\n")).collect();
    format!("{head}Content-Length:   {}\r\n\r\n{body}", body.len()).into()
}

#[test]
fn of_the_two_sections_of_a_grandstream_the_secured_one_is_taken() {
    let mut world = World::new(1);
    a_phone(&mut world, grandstream_either);

    world.calls("101", "102");
    world.run(2.0);

    let lines = described(&mut world, "101");
    let sections: Vec<_> = lines.iter().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(sections, ["m=audio 0 RTP/AVP 0 8 4 18 9 97 2 101", "m=audio 20000 RTP/SAVP 0 101"], "{lines:#?}");
}

#[test]
fn a_key_that_a_grandstream_tells_in_an_info_is_told() {
    check(
        |world| {
            a_phone(world, grandstream);
            world.calls("101", "0900000001");
            world.answers_after("carrier", 1.0);
            world.run(2.0);
            world.show_events();
            world.presses("101", '5');
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 180 Ringing
        0.0s pbx -> 101 180 Ringing
        1.0s carrier -> pbx 200 OK
        1.0s pbx -> carrier ACK
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        2.0s 101 -> pbx INFO
        2.0s pbx -> 101 200 OK to INFO
        2.0s * leg.key 101 5
        3.0s 101 -> pbx BYE
        3.0s pbx -> 101 200 OK to BYE
        3.0s pbx -> carrier BYE
        3.0s carrier -> pbx 200 OK to BYE
        3.0s * leg.ended 101 hung_up 200 by agent
        3.0s * leg.ended +84900000001 hung_up 200 by switchboard
        3.0s * call.ended hung_up 200 by agent
        3.0s * sound.measured +84900000001
        ",
    );
}
