//! Asterisk 16 with `chan_pjsip`, as a trunk.
//!
//! From the documentation of Asterisk 16 (`res_pjsip`: `timers`, `100rel`, `send_pai`, `send_connected_line`) and a
//! trace in issue 294 of FreePBX's tracker (Asterisk 16.15.1): PJSIP's order of headers, Call-ID before From in
//! responses, P-Asserted-Identity beside From, `s=Asterisk`, `maxptime:150` beside `ptime:20`, G.726 at 111, the same
//! number twice in `o=`. It refreshes sessions itself; a new connected line is told by UPDATE without a description.

use bytes::Bytes;
use sip::{Message, Method};
use testkit::world::check;
use testkit::world::phone::{Texts, say};

use super::a_trunk;

const TEXTS: &Texts = &[
    (
        "INVITE request",
        "INVITE {uri} SIP/2.0
        Via: {via}
        From: \"Khách hàng\" <{from-uri}>;tag={from-tag}
        To: {to}
        Contact: <sip:asterisk@{address}>
        Call-ID: {call-id}
        CSeq: {cseq}
        Allow: OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, PUBLISH, INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, MESSAGE, REFER
        Supported: 100rel, timer, replaces, norefersub, histinfo
        Session-Expires: 1800
        Min-SE: 90
        P-Asserted-Identity: \"Khách hàng\" <{from-uri}>
        Max-Forwards: 70
        User-Agent: Asterisk PBX 16.15.1
        Content-Type: application/sdp
        Content-Length:   {length}

        v=0
        o=- 1429284841 1429284841 IN IP4 {ip}
        s=Asterisk
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 8 0 111 9 3 101
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:111 G726-32/8000
        a=rtpmap:9 G722/8000
        a=rtpmap:3 GSM/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=ptime:20
        a=maxptime:150
        a={direction}",
    ),
    (
        "183",
        "SIP/2.0 183 Session Progress
        Via: {via}
        Call-ID: {call-id}
        From: {from}
        To: {to}
        CSeq: {cseq}
        Server: Asterisk PBX 16.15.1
        Contact: <sip:{address}>
        Allow: OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, PUBLISH, INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, MESSAGE, REFER
        P-Asserted-Identity: <sip:{to-user}@carrier.test>
        Content-Type: application/sdp
        Content-Length:   {length}

        v=0
        o=- 51 3 IN IP4 {ip}
        s=Asterisk
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP {formats}
        {maps}
        a=fmtp:101 0-16
        a=ptime:20
        a=maxptime:150
        a={direction}",
    ),
    (
        "200 INVITE",
        "SIP/2.0 200 OK
        Via: {via}
        Call-ID: {call-id}
        From: {from}
        To: {to}
        CSeq: {cseq}
        Server: Asterisk PBX 16.15.1
        Allow: OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, PUBLISH, INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, MESSAGE, REFER
        Contact: <sip:{address}>
        Supported: 100rel, timer, replaces, norefersub
        Session-Expires: 1800;refresher=uas
        Require: timer
        P-Asserted-Identity: <sip:{to-user}@carrier.test>
        Content-Type: application/sdp
        Content-Length:   {length}

        v=0
        o=- 51 3 IN IP4 {ip}
        s=Asterisk
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP {formats}
        {maps}
        a=fmtp:101 0-16
        a=ptime:20
        a=maxptime:150
        a={direction}",
    ),
    (
        "UPDATE request",
        "UPDATE {uri} SIP/2.0
        Via: {via}
        From: <{from-uri}>;tag={from-tag}
        To: {to}
        Contact: <sip:{address}>
        Call-ID: {call-id}
        CSeq: {cseq}
        P-Asserted-Identity: \"Tổng đài\" <sip:0900000008@carrier.test>
        Supported: 100rel, timer, replaces, norefersub
        Max-Forwards: 70
        User-Agent: Asterisk PBX 16.15.1
        Content-Length: 0",
    ),
    (
        "ACK sdp",
        "ACK {uri} SIP/2.0
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Max-Forwards: 70
        User-Agent: Asterisk PBX 16.15.1
        Content-Type: application/sdp
        Content-Length:   {length}

        v=0
        o=- 1429284841 1429284842 IN IP4 {ip}
        s=Asterisk
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP {formats}
        {maps}
        a=fmtp:101 0-16
        a=ptime:20
        a=maxptime:150
        a={direction}",
    ),
    (
        "BYE request",
        "BYE {uri} SIP/2.0
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Reason: Q.850;cause=16
        Max-Forwards: 70
        User-Agent: Asterisk PBX 16.15.1
        Content-Length: 0",
    ),
    (
        "request",
        "{method} {uri} SIP/2.0
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Max-Forwards: 70
        User-Agent: Asterisk PBX 16.15.1
        Content-Length: 0",
    ),
    (
        "response",
        "SIP/2.0 {status} {reason}
        Via: {via}
        Call-ID: {call-id}
        From: {from}
        To: {to}
        CSeq: {cseq}
        Server: Asterisk PBX 16.15.1
        Content-Length: 0",
    ),
];

fn asterisk(message: &Message) -> Bytes {
    say(TEXTS, message)
}

#[test]
fn asterisk_takes_a_call_from_us() {
    check(
        |world| {
            a_trunk(world, asterisk);
            world.calls("101", "0900000001");
            world.run(1.0);
            world.listen();
            world.run(2.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 183 Session Progress
        0.0s pbx -> 101 183 Session Progress
        1.0s ~ 101 hears carrier, carrier hears 101
        2.0s carrier -> pbx 200 OK
        2.0s pbx -> carrier ACK
        2.0s pbx -> 101 200 OK
        2.0s 101 -> pbx ACK
        3.5s ~ 101 hears carrier, carrier hears 101
        4.0s carrier -> pbx BYE (cause 16)
        4.0s pbx -> carrier 200 OK to BYE
        4.0s pbx -> 101 BYE (cause 16)
        4.0s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn asterisk_brings_a_call() {
    check(
        |world| {
            a_trunk(world, asterisk);
            world.answers_after("101", 1.0);
            world.calls("carrier", "02873088088");
            world.run(2.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 180 Ringing
        0.0s pbx -> carrier 180 Ringing
        1.0s 101 -> pbx 200 OK
        1.0s pbx -> 101 ACK
        1.0s pbx -> carrier 200 OK
        1.0s carrier -> pbx ACK
        2.0s ~ 101 hears carrier, carrier hears 101
        2.5s 101 -> pbx BYE
        2.5s pbx -> 101 200 OK to BYE
        2.5s pbx -> carrier BYE
        2.5s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_new_connected_line_behind_asterisk_changes_nothing_for_the_call() {
    check(
        |world| {
            a_trunk(world, asterisk);
            world.calls("101", "0900000001");
            world.run(3.0);
            world.asks_within("carrier", Method::Update);
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 183 Session Progress
        0.0s pbx -> 101 183 Session Progress
        2.0s carrier -> pbx 200 OK
        2.0s pbx -> carrier ACK
        2.0s pbx -> 101 200 OK
        2.0s 101 -> pbx ACK
        3.0s carrier -> pbx UPDATE
        3.0s pbx -> carrier 200 OK to UPDATE
        4.0s ~ 101 hears carrier, carrier hears 101
        4.5s 101 -> pbx BYE
        4.5s pbx -> 101 200 OK to BYE
        4.5s pbx -> carrier BYE
        4.5s carrier -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn asterisk_refreshes_the_session_itself() {
    check(
        |world| {
            a_trunk(world, asterisk);
            world.calls("101", "0900000001");
            for _ in 0..3 {
                world.run(900.0);
                world.asks_within("carrier", Method::Update);
            }
            world.run(1.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 183 Session Progress
        0.0s pbx -> 101 183 Session Progress
        2.0s carrier -> pbx 200 OK
        2.0s pbx -> carrier ACK
        2.0s pbx -> 101 200 OK
        2.0s 101 -> pbx ACK
        900.0s carrier -> pbx UPDATE
        900.0s pbx -> carrier 200 OK to UPDATE
        1800.0s carrier -> pbx UPDATE
        1800.0s pbx -> carrier 200 OK to UPDATE
        2700.0s carrier -> pbx UPDATE
        2700.0s pbx -> carrier 200 OK to UPDATE
        2701.0s ~ 101 hears carrier, carrier hears 101
        2701.5s carrier -> pbx BYE (cause 16)
        2701.5s pbx -> carrier 200 OK to BYE
        2701.5s pbx -> 101 BYE (cause 16)
        2701.5s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn asterisk_leaves_the_offer_to_us_and_answers_in_its_ack() {
    check(
        |world| {
            a_trunk(world, asterisk);
            world.answers_after("101", 1.0);
            world.calls_without_offer("carrier", "02873088088");
            world.run(2.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s carrier -> pbx INVITE 02873088088
        0.0s pbx -> carrier 100 Trying
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 180 Ringing
        0.0s pbx -> carrier 180 Ringing
        1.0s 101 -> pbx 200 OK
        1.0s pbx -> 101 ACK
        1.0s pbx -> carrier 200 OK
        1.0s carrier -> pbx ACK
        2.0s ~ 101 hears carrier, carrier hears 101
        2.5s carrier -> pbx BYE (cause 16)
        2.5s pbx -> carrier 200 OK to BYE
        2.5s pbx -> 101 BYE (cause 16)
        2.5s 101 -> pbx 200 OK to BYE
        ",
    );
}
