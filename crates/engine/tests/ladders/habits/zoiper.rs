//! Zoiper 5, core 2.10.19.
//!
//! From the manual of Zoiper 5 ("Audio codecs") and a trace of version 2.10.19.5: `transport=UDP` in From and Contact,
//! Contact before To and From, more Supported than any other, `rtcp-mux` offered in the clear, `o=` with session 0,
//! GSM first, keys in the middle of the codecs, and no map for G.711.

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
        Max-Forwards: 70
        Contact: <sip:{from-user}@{address};rinstance=59defe5c8b2788ae;transport=UDP>
        To: <{to-uri};transport=UDP>
        From: <{from-uri};transport=UDP>;tag={from-tag}
        Call-ID: {call-id}
        CSeq: {cseq}
        Expires: {expires}
        Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE
        Supported: replaces, norefersub, extended-refer, timer, sec-agree, outbound, path, X-cisco-serviceuri
        User-Agent: Zoiper v2.10.19.5
        Authorization: {authorization}
        Allow-Events: presence, kpml, talk, as-feature-event
        Content-Length: 0",
    ),
    (
        "INVITE request",
        "INVITE {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        Contact: <sip:{from-user}@{address};transport=UDP>
        To: {to}
        From: <{from-uri};transport=UDP>;tag={from-tag}
        Call-ID: {call-id}
        CSeq: {cseq}
        Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE
        Content-Type: application/sdp
        Supported: replaces, norefersub, extended-refer, timer, sec-agree, outbound, path, X-cisco-serviceuri
        User-Agent: Zoiper v2.10.19.5
        Authorization: {authorization}
        Allow-Events: presence, kpml, talk, as-feature-event
        Content-Length: {length}

        v=0
        o=Z 0 19926760{version} IN IP4 {ip}
        s=Z
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 3 101 110 97 8 0
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=rtpmap:110 speex/8000
        a=rtpmap:97 iLBC/8000
        a=fmtp:97 mode=20
        a={direction}
        a=rtcp-mux",
    ),
    (
        "180",
        "SIP/2.0 180 Ringing
        Via: {via}
        Contact: <sip:101@{address};transport=UDP>
        To: {to}
        From: {from}
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: Zoiper v2.10.19.5
        Allow-Events: presence, kpml, talk, as-feature-event
        Content-Length: 0",
    ),
    (
        "200 INVITE",
        "SIP/2.0 200 OK
        Via: {via}
        Contact: <sip:101@{address};transport=UDP>
        To: {to}
        From: {from}
        Call-ID: {call-id}
        CSeq: {cseq}
        Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE
        Content-Type: application/sdp
        User-Agent: Zoiper v2.10.19.5
        Allow-Events: presence, kpml, talk, as-feature-event
        Content-Length: {length}

        v=0
        o=Z 0 1 IN IP4 {ip}
        s=Z
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP {formats}
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a={direction}",
    ),
    (
        "request",
        "{method} {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        Contact: <sip:{from-user}@{address};transport=UDP>
        To: {to}
        From: <{from-uri};transport=UDP>;tag={from-tag}
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: Zoiper v2.10.19.5
        Content-Length: 0",
    ),
    (
        "response",
        "SIP/2.0 {status} {reason}
        Via: {via}
        To: {to}
        From: {from}
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: Zoiper v2.10.19.5
        Content-Length: 0",
    ),
];

fn zoiper(message: &Message) -> Bytes {
    say(TEXTS, message)
}

#[test]
fn a_zoiper_calls_holds_and_hangs_up() {
    check(
        |world| {
            a_phone(world, zoiper);
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
fn a_zoiper_is_called() {
    check(
        |world| {
            a_phone(world, zoiper);
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
fn the_codecs_of_a_zoiper_that_need_no_map_are_known() {
    let mut world = World::new(1);
    a_phone(&mut world, zoiper);

    world.calls("101", "102");
    world.run(2.0);

    let lines = described(&mut world, "101");
    assert!(lines.contains(&"m=audio 20000 RTP/AVP 8 101".to_owned()), "{lines:#?}");
    assert!(lines.contains(&"a=rtcp-mux".to_owned()), "{lines:#?}");
}
