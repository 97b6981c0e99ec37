//! FreeSWITCH 1.4, as a trunk.
//!
//! From FreeSWITCH's documentation of `mod_sofia` (`enable-timer`, `send-display-update`) and a trace of version
//! 1.4.15 in issue 144 of rtpengine: `mod_sofia` as its user in Contact, Session-Expires with the refresher named
//! already in the request, Remote-Party-ID in place of P-Asserted-Identity, Content-Disposition, a header of its own
//! that tells which displays it can change, Opus first and comfort noise at 13 behind the keys, `silenceSupp`, and a
//! BYE with its cause spelled out. Called, it leaves the refreshing to the caller.

use bytes::Bytes;
use sip::Message;
use testkit::world::check;
use testkit::world::phone::{Texts, say};

use super::a_trunk;

const TEXTS: &Texts = &[
    (
        "INVITE request",
        "INVITE {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        From: \"Khách hàng\" <{from-uri}>;tag={from-tag}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:mod_sofia@{address}>
        User-Agent: FreeSWITCH-mod_sofia/1.4.15+git~20141229T185951Z~507a0f22c5~64bit
        Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REFER, NOTIFY, PUBLISH, SUBSCRIBE
        Supported: timer, path, replaces
        Allow-Events: talk, hold, conference, presence, as-feature-event, dialog, line-seize, call-info, sla, include-session-description, presence.winfo, message-summary, refer
        Session-Expires: 1800;refresher=uac
        Min-SE: 90
        Content-Type: application/sdp
        Content-Disposition: session
        Content-Length: {length}
        X-FS-Support: update_display,send_info
        Remote-Party-ID: \"Khách hàng\" <{from-uri}>;party=calling;screen=yes;privacy=off

        v=0
        o=FreeSWITCH 1439391053 1439391054 IN IP4 {ip}
        s=FreeSWITCH
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP 102 9 0 8 3 101 13
        a=rtpmap:102 opus/48000/2
        a=fmtp:102 useinbandfec=1; usedtx=1; maxaveragebitrate=30000
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:3 GSM/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=ptime:20
        a={direction}",
    ),
    (
        "183",
        "SIP/2.0 183 Session Progress
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:{to-user}@{address};transport=udp>
        User-Agent: FreeSWITCH-mod_sofia/1.4.15+git~20141229T185951Z~507a0f22c5~64bit
        Accept: application/sdp
        Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REFER, NOTIFY, PUBLISH, SUBSCRIBE
        Supported: timer, path, replaces
        Allow-Events: talk, hold, conference, presence, as-feature-event, dialog, line-seize, call-info, sla, include-session-description, presence.winfo, message-summary, refer
        Content-Type: application/sdp
        Content-Disposition: session
        Content-Length: {length}
        Remote-Party-ID: \"{to-user}\" <sip:{to-user}@carrier.test>;party=calling;privacy=off;screen=no

        v=0
        o=FreeSWITCH 1439391100 1439391101 IN IP4 {ip}
        s=FreeSWITCH
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP {formats}
        {maps}
        a=fmtp:101 0-16
        a=silenceSupp:off - - - -
        a=ptime:20
        a={direction}",
    ),
    (
        "200 INVITE",
        "SIP/2.0 200 OK
        Via: {via}
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:{to-user}@{address};transport=udp>
        User-Agent: FreeSWITCH-mod_sofia/1.4.15+git~20141229T185951Z~507a0f22c5~64bit
        Accept: application/sdp
        Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REFER, NOTIFY, PUBLISH, SUBSCRIBE
        Supported: timer, path, replaces
        Allow-Events: talk, hold, conference, presence, as-feature-event, dialog, line-seize, call-info, sla, include-session-description, presence.winfo, message-summary, refer
        Require: timer
        Session-Expires: 1800;refresher=uac
        Content-Type: application/sdp
        Content-Disposition: session
        Content-Length: {length}
        Remote-Party-ID: \"{to-user}\" <sip:{to-user}@carrier.test>;party=calling;privacy=off;screen=no

        v=0
        o=FreeSWITCH 1439391100 1439391101 IN IP4 {ip}
        s=FreeSWITCH
        c=IN IP4 {ip}
        t=0 0
        m=audio {port} RTP/AVP {formats}
        {maps}
        a=fmtp:101 0-16
        a=silenceSupp:off - - - -
        a=ptime:20
        a={direction}",
    ),
    (
        "BYE request",
        "BYE {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        User-Agent: FreeSWITCH-mod_sofia/1.4.15+git~20141229T185951Z~507a0f22c5~64bit
        Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REFER, NOTIFY, PUBLISH, SUBSCRIBE
        Supported: timer, path, replaces
        Reason: Q.850;cause=16;text=\"NORMAL_CLEARING\"
        Content-Length: 0",
    ),
    (
        "request",
        "{method} {uri} SIP/2.0
        Via: {via}
        Max-Forwards: 70
        From: {from}
        To: {to}
        Call-ID: {call-id}
        CSeq: {cseq}
        Contact: <sip:mod_sofia@{address}>
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
        User-Agent: FreeSWITCH-mod_sofia/1.4.15+git~20141229T185951Z~507a0f22c5~64bit
        Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REFER, NOTIFY, PUBLISH, SUBSCRIBE
        Supported: timer, path, replaces
        Content-Length: 0",
    ),
];

fn freeswitch(message: &Message) -> Bytes {
    say(TEXTS, message)
}

#[test]
fn freeswitch_takes_a_call_from_us() {
    check(
        |world| {
            a_trunk(world, freeswitch);
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
        4.0s carrier -> pbx BYE: NORMAL_CLEARING (cause 16)
        4.0s pbx -> carrier 200 OK to BYE
        4.0s pbx -> 101 BYE (cause 16)
        4.0s 101 -> pbx 200 OK to BYE
        ",
    );
}

#[test]
fn freeswitch_brings_a_call() {
    check(
        |world| {
            a_trunk(world, freeswitch);
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
fn the_cause_that_freeswitch_gives_is_told() {
    check(
        |world| {
            a_trunk(world, freeswitch);
            world.show_events();
            world.calls("101", "0900000001");
            world.run(3.0);
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 183 Session Progress
        0.0s pbx -> 101 183 Session Progress
        0.0s * call.started outbound by phone, 101 to +84900000001 over carrier
        0.0s * leg.started 101 as agent who calls
        0.0s * leg.started +84900000001 as customer
        0.0s * leg.ringing +84900000001 with sound
        2.0s carrier -> pbx 200 OK
        2.0s pbx -> carrier ACK
        2.0s pbx -> 101 200 OK
        2.0s 101 -> pbx ACK
        2.0s * leg.answered +84900000001
        2.0s * leg.answered 101
        2.0s * call.connected 101 with +84900000001
        3.0s carrier -> pbx BYE: NORMAL_CLEARING (cause 16)
        3.0s pbx -> carrier 200 OK to BYE
        3.0s pbx -> 101 BYE (cause 16)
        3.0s 101 -> pbx 200 OK to BYE
        3.0s * leg.ended +84900000001 hung_up 200 cause 16 by customer
        3.0s * leg.ended 101 hung_up 200 cause 16 by switchboard
        3.0s * call.ended hung_up 200 cause 16 by customer
        ",
    );
}

#[test]
fn freeswitch_leaves_it_to_us_to_refresh_the_session() {
    check(
        |world| {
            a_trunk(world, freeswitch);
            world.calls("101", "0900000001");
            world.run(1_900.0);
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
        902.0s pbx -> carrier UPDATE
        902.0s carrier -> pbx 200 OK to UPDATE
        1802.0s pbx -> carrier UPDATE
        1802.0s carrier -> pbx 200 OK to UPDATE
        1900.0s ~ 101 hears carrier, carrier hears 101
        1900.5s 101 -> pbx BYE
        1900.5s pbx -> 101 200 OK to BYE
        1900.5s pbx -> carrier BYE
        1900.5s carrier -> pbx 200 OK to BYE
        ",
    );
}
