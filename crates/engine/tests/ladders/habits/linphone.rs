//! Linphone for Android 4.0 (belle-sip 1.6.3).
//!
//! From the user guide of Linphone 4 and a trace in issue 493 of the Android client's project: To as a bare address,
//! CSeq before Call-ID, Contact behind the body's length with a `+sip.instance` and `transport=udp`, a reason phrase
//! of its own (`Ok`); its user's name and `Talk` in the description, bandwidth there, RTCP reports offered in
//! `rtcp-xr`, Opus first, keys at three clocks, and a section of video behind the sound.

use bytes::Bytes;
use sip::Message;
use testkit::world::phone::{Texts, say};
use testkit::world::{World, check};

use super::{a_phone, calls_and_holds, described, is_called};

const TEXTS: &Texts = &[
    (
        "REGISTER",
        "REGISTER {uri} SIP/2.0
        Via: {via}
        From: <{from-uri}>;tag={from-tag}
        To: {to-uri}
        CSeq: {cseq}
        Call-ID: {call-id}
        Max-Forwards: 70
        Supported: replaces, outbound, gruu
        Accept: application/sdp
        Accept: text/plain
        Accept: application/vnd.gsma.rcs-ft-http+xml
        Contact: <sip:{from-user}@{address};transport=udp>;+sip.instance=\"<urn:uuid:00000000-e9b0-405c-8a95-000000000001>\"
        Expires: {expires}
        User-Agent: LinphoneAndroid/4.0.1 (belle-sip/1.6.3)
        Authorization: {authorization}
        Content-Length: 0",
    ),
    (
        "INVITE request within",
        "INVITE {uri} SIP/2.0
        Via: {via}
        From: <{from-uri}>;tag={from-tag}
        To: {to}
        CSeq: {cseq}
        Call-ID: {call-id}
        Max-Forwards: 70
        Supported: replaces, outbound, gruu
        Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, PRACK, UPDATE
        Content-Type: application/sdp
        Content-Length: {length}
        Contact: <sip:{from-user}@{address};transport=udp>;+sip.instance=\"<urn:uuid:00000000-e9b0-405c-8a95-000000000001>\"
        User-Agent: LinphoneAndroid/4.0.1 (belle-sip/1.6.3)
        Authorization: {authorization}

        v=0
        o=101 3357 333{version} IN IP4 {ip}
        s=Talk
        c=IN IP4 {ip}
        b=AS:380
        t=0 0
        a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
        m=audio {port} RTP/AVP 96 97 98 0 8 18 101 99 100
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 useinbandfec=1
        a=rtpmap:97 speex/16000
        a=fmtp:97 vbr=on
        a=rtpmap:98 speex/8000
        a=fmtp:98 vbr=on
        a=fmtp:18 annexb=yes
        a=rtpmap:101 telephone-event/48000
        a=rtpmap:99 telephone-event/16000
        a=rtpmap:100 telephone-event/8000
        a={direction}
        m=video 9078 RTP/AVP 96 97
        a=rtpmap:96 VP8/90000
        a=rtpmap:97 H264/90000
        a=fmtp:97 profile-level-id=42801F",
    ),
    (
        "INVITE request",
        "INVITE {uri} SIP/2.0
        Via: {via}
        From: <{from-uri}>;tag={from-tag}
        To: {to-uri}
        CSeq: {cseq}
        Call-ID: {call-id}
        Max-Forwards: 70
        Supported: replaces, outbound, gruu
        Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, PRACK, UPDATE
        Content-Type: application/sdp
        Content-Length: {length}
        Contact: <sip:{from-user}@{address};transport=udp>;+sip.instance=\"<urn:uuid:00000000-e9b0-405c-8a95-000000000001>\"
        User-Agent: LinphoneAndroid/4.0.1 (belle-sip/1.6.3)
        Authorization: {authorization}

        v=0
        o=101 3357 333{version} IN IP4 {ip}
        s=Talk
        c=IN IP4 {ip}
        b=AS:380
        t=0 0
        a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
        m=audio {port} RTP/AVP 96 97 98 0 8 18 101 99 100
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 useinbandfec=1
        a=rtpmap:97 speex/16000
        a=fmtp:97 vbr=on
        a=rtpmap:98 speex/8000
        a=fmtp:98 vbr=on
        a=fmtp:18 annexb=yes
        a=rtpmap:101 telephone-event/48000
        a=rtpmap:99 telephone-event/16000
        a=rtpmap:100 telephone-event/8000
        a={direction}
        m=video 9078 RTP/AVP 96 97
        a=rtpmap:96 VP8/90000
        a=rtpmap:97 H264/90000
        a=fmtp:97 profile-level-id=42801F",
    ),
    (
        "180",
        "SIP/2.0 180 Ringing
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: LinphoneAndroid/4.0.1 (belle-sip/1.6.3)
        Supported: replaces, outbound, gruu
        Content-Length: 0",
    ),
    (
        "200 INVITE",
        "SIP/2.0 200 Ok
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: LinphoneAndroid/4.0.1 (belle-sip/1.6.3)
        Supported: replaces, outbound, gruu
        Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, PRACK, UPDATE
        Contact: <sip:101@{address};transport=udp>;+sip.instance=\"<urn:uuid:00000000-e9b0-405c-8a95-000000000001>\"
        Content-Type: application/sdp
        Content-Length: {length}

        v=0
        o=101 1786 2372 IN IP4 {ip}
        s=Talk
        c=IN IP4 {ip}
        b=AS:380
        t=0 0
        a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
        m=audio {port} RTP/AVP {formats}
        a=rtpmap:101 telephone-event/8000
        a={direction}",
    ),
    (
        "request",
        "{method} {uri} SIP/2.0
        Via: {via}
        From: <{from-uri}>;tag={from-tag}
        To: {to}
        CSeq: {cseq}
        Call-ID: {call-id}
        Max-Forwards: 70
        User-Agent: LinphoneAndroid/4.0.1 (belle-sip/1.6.3)
        Content-Length: 0",
    ),
    (
        "response",
        "SIP/2.0 {status} Ok
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: LinphoneAndroid/4.0.1 (belle-sip/1.6.3)
        Supported: replaces, outbound, gruu
        Content-Length: 0",
    ),
];

fn linphone(message: &Message) -> Bytes {
    say(TEXTS, message)
}

#[test]
fn a_linphone_calls_holds_and_hangs_up() {
    check(
        |world| {
            a_phone(world, linphone);
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
fn a_linphone_is_called() {
    check(
        |world| {
            a_phone(world, linphone);
            is_called(world);
        },
        "
        0.0s 102 -> pbx INVITE 101
        0.0s pbx -> 102 100 Trying
        0.0s pbx -> 101 INVITE 101
        0.0s 101 -> pbx 180 Ringing
        0.0s pbx -> 102 180 Ringing
        1.0s 101 -> pbx 200 Ok
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
fn the_video_of_a_linphone_is_refused_in_its_place() {
    let mut world = World::new(1);
    a_phone(&mut world, linphone);

    world.calls("101", "102");
    world.run(2.0);

    let lines = described(&mut world, "101");
    let sections: Vec<_> = lines.iter().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(sections, ["m=audio 20000 RTP/AVP 0 100", "m=video 0 RTP/AVP 96 97"], "{lines:#?}");
}
