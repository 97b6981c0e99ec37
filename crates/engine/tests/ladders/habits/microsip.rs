//! MicroSIP 3.19.27, which is PJSIP with a window.
//!
//! From the help page of MicroSIP and PJSIP's documentation of its account settings (`lock_codec`, `use_timer`), and a
//! trace of MicroSIP 3.19.27: after an answer it says once more which one codec it uses, by UPDATE where the peer
//! allows that and by re-INVITE where not. `ob` in its Contact, `c=` and bandwidth within the section, `rtcp` with its
//! address, an `ssrc` line, `X-nat` before the section; sessions of 1 800 s, `100rel`.

use std::time::Duration;

use bytes::Bytes;
use sip::Message;
use testkit::world::check;
use testkit::world::phone::{Manner, Texts, say};

use super::{a_phone, calls_and_holds, is_called};

const TEXTS: &Texts = &[
    (
        "REGISTER",
        "REGISTER {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        From: <{from-uri}>;tag={from-tag}
        To: <{to-uri}>
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: MicroSIP/3.19.27
        Contact: <sip:{from-user}@{address};ob>
        Expires: {expires}
        Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS
        Authorization: {authorization}
        Content-Length:  0",
    ),
    (
        "INVITE request within",
        "INVITE {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        From: <{from-uri}>;tag={from-tag}
        To: {to}
        Contact: <sip:{from-user}@{address};ob>
        Call-ID: {call-id}
        CSeq: {cseq}
        Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS
        Supported: replaces, 100rel, timer, norefersub
        Session-Expires: 1800;refresher=uac
        Min-SE: 90
        User-Agent: MicroSIP/3.19.27
        Authorization: {authorization}
        Content-Type: application/sdp
        Content-Length:   {length}

        v=0
        o=- 3928575244 392857524{version} IN IP4 {ip}
        s=pjmedia
        b=AS:84
        t=0 0
        a=X-nat:0
        m=audio {port} RTP/AVP 8 101
        c=IN IP4 {ip}
        b=TIAS:64000
        a=rtcp:4001 IN IP4 {ip}
        a={direction}
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=ssrc:82254684 cname:0f5c16a2550a2715",
    ),
    (
        "INVITE request",
        "INVITE {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        From: <{from-uri}>;tag={from-tag}
        To: {to}
        Contact: <sip:{from-user}@{address};ob>
        Call-ID: {call-id}
        CSeq: {cseq}
        Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS
        Supported: replaces, 100rel, timer, norefersub
        Session-Expires: 1800
        Min-SE: 90
        User-Agent: MicroSIP/3.19.27
        Authorization: {authorization}
        Content-Type: application/sdp
        Content-Length:   {length}

        v=0
        o=- 3928575244 3928575244 IN IP4 {ip}
        s=pjmedia
        b=AS:84
        t=0 0
        a=X-nat:0
        m=audio {port} RTP/AVP 8 0 101
        c=IN IP4 {ip}
        b=TIAS:64000
        a=rtcp:4001 IN IP4 {ip}
        a=sendrecv
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=ssrc:82254684 cname:0f5c16a2550a2715",
    ),
    (
        "UPDATE request",
        "UPDATE {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        From: <{from-uri}>;tag={from-tag}
        To: {to}
        Contact: <sip:{from-user}@{address};ob>
        Call-ID: {call-id}
        CSeq: {cseq}
        Supported: replaces, 100rel, timer, norefersub
        Session-Expires: 1800;refresher=uac
        Min-SE: 90
        User-Agent: MicroSIP/3.19.27
        Content-Type: application/sdp
        Content-Length:   {length}

        v=0
        o=- 3928575244 3928575245 IN IP4 {ip}
        s=pjmedia
        b=AS:84
        t=0 0
        a=X-nat:0
        m=audio {port} RTP/AVP 8 101
        c=IN IP4 {ip}
        b=TIAS:64000
        a=rtcp:4001 IN IP4 {ip}
        a=sendrecv
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=ssrc:82254684 cname:0f5c16a2550a2715",
    ),
    (
        "180",
        "SIP/2.0 180 Ringing
        Via: {via}
        Call-ID: {call-id}
        From: {from}
        To: {to}
        CSeq: {cseq}
        Contact: <sip:101@{address};ob>
        Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS
        Content-Length:  0",
    ),
    (
        "200 INVITE",
        "SIP/2.0 200 OK
        Via: {via}
        Call-ID: {call-id}
        From: {from}
        To: {to}
        CSeq: {cseq}
        Contact: <sip:101@{address};ob>
        Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS
        Supported: replaces, 100rel, timer, norefersub
        Content-Type: application/sdp
        Content-Length:   {length}

        v=0
        o=- 3928575244 3928575244 IN IP4 {ip}
        s=pjmedia
        b=AS:84
        t=0 0
        a=X-nat:0
        m=audio {port} RTP/AVP {formats}
        c=IN IP4 {ip}
        b=TIAS:64000
        a=rtcp:4001 IN IP4 {ip}
        a={direction}
        {maps}
        a=fmtp:101 0-16
        a=ssrc:82254685 cname:0f5c16a2550a2716",
    ),
    (
        "PRACK request",
        "PRACK {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        From: <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        RAck: {rack}
        Content-Length:  0",
    ),
    (
        "request",
        "{method} {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        From: <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: MicroSIP/3.19.27
        Content-Length:  0",
    ),
    (
        "response",
        "SIP/2.0 {status} {reason}
        Via: {via}
        Call-ID: {call-id}
        From: {from}
        To: {to}
        CSeq: {cseq}
        Content-Length:  0",
    ),
];

fn microsip(message: &Message) -> Bytes {
    say(TEXTS, message)
}

#[test]
fn a_microsip_calls_holds_and_hangs_up() {
    check(
        |world| {
            a_phone(world, microsip);
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
fn a_microsip_is_called() {
    check(
        |world| {
            a_phone(world, microsip);
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
fn a_microsip_locks_its_codec_by_update_right_after_the_answer() {
    check(
        |world| {
            a_phone(world, microsip);
            world.calls("101", "102");
            world.run(1.0);
            world.updates("101");
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
        1.0s 101 -> pbx UPDATE
        1.0s pbx -> 101 200 OK to UPDATE
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 101 -> pbx BYE
        2.5s pbx -> 101 200 OK to BYE
        2.5s pbx -> 102 BYE
        2.5s 102 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_microsip_locks_its_codec_by_reinvite_where_update_is_not_allowed() {
    check(
        |world| {
            a_phone(world, microsip);
            world.calls("101", "102");
            world.run(1.0);
            world.resumes("101");
            world.run(1.0);
            world.listen();
            world.hangs_up("102");
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
        1.0s 101 -> pbx re-INVITE
        1.0s pbx -> 101 100 Trying
        1.0s pbx -> 101 200 OK
        1.0s 101 -> pbx ACK
        2.0s ~ 101 hears 102, 102 hears 101
        2.5s 102 -> pbx BYE
        2.5s pbx -> 102 200 OK to BYE
        2.5s pbx -> 101 BYE
        2.5s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn a_microsip_acknowledges_the_sound_of_the_network_before_the_answer() {
    check(
        |world| {
            a_phone(world, microsip);
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
