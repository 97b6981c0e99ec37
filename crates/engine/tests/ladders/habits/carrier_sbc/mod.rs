//! A carrier's session border controller: AudioCodes Mediant 2000, software 4.20.
//!
//! From the "Mediant 2000 & TP-1610 & TP-260 SIP User's Manual" (LTRT-68805: its call flow on page 224, its "PRACK
//! Mode" and "Session-Expires Time"): codec names in lower case, `ptime` between the maps, keys at 96, `s=Phone-Call`,
//! `user=phone`. As carriers set such a border up: compact names for all headers that have one; sound before the
//! answer comes reliably (183 with Require: 100rel), in µ-law and from a media server at another address; the 200
//! changes both; every ten minutes it offers again what has not changed.

mod calls;

use bytes::Bytes;
use sip::Message;
use testkit::world::phone::{Texts, say};

const TEXTS: &Texts = &[
    (
        "INVITE request within",
        "INVITE {uri} SIP/2.0
        v: {via}
        Max-Forwards: 70
        f: {from}
        t: {to}
        i: {call-id}
        CSeq: {cseq}
        m: <sip:{from-user}@{address};user=phone>
        k: 100rel,timer,em
        x: 1200;refresher=uac
        Allow: REGISTER,OPTIONS,INVITE,ACK,CANCEL,BYE,NOTIFY,PRACK,REFER,INFO,UPDATE
        c: application/sdp
        l: {length}

        v=0
        o=AudiocodesGW 30221 87035 IN IP4 {ip}
        s=Phone-Call
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 8 96
        a=rtpmap:8 pcma/8000
        a=ptime:20
        a=rtpmap:96 telephone-event/8000
        a=fmtp:96 0-15
        a={direction}",
    ),
    (
        "INVITE request",
        "INVITE {uri};user=phone SIP/2.0
        v: {via}
        Max-Forwards: 70
        f: <{from-uri};user=phone>;tag={from-tag}
        t: {to}
        i: {call-id}
        CSeq: {cseq}
        m: <sip:{from-user}@{address};user=phone>
        k: 100rel,timer,em
        x: 1200
        P-Asserted-Identity: <{from-uri};user=phone>
        P-Asserted-Identity: <tel:{from-user}>
        Allow: REGISTER,OPTIONS,INVITE,ACK,CANCEL,BYE,NOTIFY,PRACK,REFER,INFO,UPDATE
        s: -
        c: application/sdp
        l: {length}

        v=0
        o=AudiocodesGW 30221 87035 IN IP4 {ip}
        s=Phone-Call
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 8 18 96
        a=rtpmap:8 pcma/8000
        a=rtpmap:18 g729/8000
        a=fmtp:18 annexb=no
        a=ptime:20
        a=rtpmap:96 telephone-event/8000
        a=fmtp:96 0-15",
    ),
    (
        "183",
        "SIP/2.0 183 Session Progress
        v: {via}
        f: {from}
        t: {to}
        i: {call-id}
        CSeq: {cseq}
        m: <sip:{to-user}@{address};user=phone>
        Server: Audiocodes-Sip-Gateway/TrunkPack 1610/v.4.20.299.412
        Require: 100rel
        RSeq: 18153
        Allow: REGISTER,OPTIONS,INVITE,ACK,CANCEL,BYE,NOTIFY,PRACK,REFER,INFO,UPDATE
        c: application/sdp
        l: {length}

        v=0
        o=AudiocodesGW 30221 87035 IN IP4 198.51.100.77
        s=Phone-Call
        c=IN IP4 198.51.100.77
        t=0 0
        m=audio 6020 RTP/AVP 0 96
        a=rtpmap:0 pcmu/8000
        a=ptime:20
        a=rtpmap:96 telephone-event/8000
        a=fmtp:96 0-15",
    ),
    (
        "200 INVITE",
        "SIP/2.0 200 OK
        v: {via}
        f: {from}
        t: {to}
        i: {call-id}
        CSeq: {cseq}
        m: <sip:{to-user}@{address};user=phone>
        Server: Audiocodes-Sip-Gateway/TrunkPack 1610/v.4.20.299.412
        k: 100rel,timer,em
        Allow: REGISTER,OPTIONS,INVITE,ACK,CANCEL,BYE,NOTIFY,PRACK,REFER,INFO,UPDATE
        c: application/sdp
        l: {length}

        v=0
        o=AudiocodesGW 30221 87036 IN IP4 {ip}
        s=Phone-Call
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 8 96
        a=rtpmap:8 pcma/8000
        a=ptime:20
        a=rtpmap:96 telephone-event/8000
        a=fmtp:96 0-15",
    ),
    (
        "INFO request",
        "INFO {uri} SIP/2.0
        v: {via}
        Max-Forwards: 70
        f: {from}
        t: {to}
        i: {call-id}
        CSeq: {cseq}
        c: application/dtmf-relay
        l: {length}

        Signal= 5
        Duration= 160",
    ),
    (
        "UPDATE request",
        "UPDATE {uri} SIP/2.0
        v: {via}
        Max-Forwards: 70
        f: {from}
        t: {to}
        i: {call-id}
        CSeq: {cseq}
        m: <sip:{from-user}@{address};user=phone>
        c: application/sdp
        l: {length}

        v=0
        o=AudiocodesGW 30221 87036 IN IP4 {ip}
        s=Phone-Call
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 8 96
        a=rtpmap:8 pcma/8000
        a=ptime:20
        a=rtpmap:96 telephone-event/8000
        a=fmtp:96 0-15",
    ),
    (
        "BYE request",
        "BYE {uri} SIP/2.0
        v: {via}
        Max-Forwards: 70
        f: {from}
        t: {to}
        i: {call-id}
        CSeq: {cseq}
        Reason: Q.850 ;cause=16 ;text=\"Normal call clearing\"
        l: 0",
    ),
    (
        "request",
        "{method} {uri} SIP/2.0
        v: {via}
        Max-Forwards: 70
        f: {from}
        t: {to}
        i: {call-id}
        CSeq: {cseq}
        l: 0",
    ),
    (
        "response",
        "SIP/2.0 {status} {reason}
        v: {via}
        f: {from}
        t: {to}
        i: {call-id}
        CSeq: {cseq}
        Server: Audiocodes-Sip-Gateway/TrunkPack 1610/v.4.20.299.412
        l: 0",
    ),
];

fn sbc(message: &Message) -> Bytes {
    say(TEXTS, message)
}
