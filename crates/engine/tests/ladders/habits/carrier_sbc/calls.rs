//! Calls with a carrier's border: sound before the answer, changes of it within the call, keys, a fax.

use bytes::Bytes;
use sip::{Message, Method};
use testkit::world::check;
use testkit::world::phone::{Manner, Words, say};

use super::super::a_trunk;
use super::{TEXTS, sbc};

#[test]
fn a_border_takes_a_call_from_us() {
    check(
        |world| {
            a_trunk(world, sbc);
            world.calls("101", "0900000001");
            world.run(1.0);
            world.listen();
            world.run(2.0);
            world.listen();
            world.hangs_up("carrier");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000001
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000001
        0.0s carrier -> pbx  183 Session Progress
        0.0s pbx -> carrier  PRACK
        0.0s pbx -> 101  183 Session Progress
        0.0s carrier -> pbx  200 OK to PRACK
        1.0s ~ nobody hears anybody
        2.0s carrier -> pbx  200 OK
        2.0s pbx -> carrier  ACK
        2.0s pbx -> 101  200 OK
        2.0s 101 -> pbx  ACK
        3.5s ~ 101 hears carrier, carrier hears 101
        4.0s carrier -> pbx  BYE: Normal call clearing (cause 16)
        4.0s pbx -> carrier  200 OK to BYE
        4.0s pbx -> 101  BYE (cause 16)
        4.0s 101 -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_border_brings_a_call() {
    check(
        |world| {
            a_trunk(world, sbc);
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
fn a_border_offers_again_every_ten_minutes_what_has_not_changed() {
    check(
        |world| {
            a_trunk(world, sbc);
            world.calls("101", "0900000001");
            for _ in 0..2 {
                world.run(600.0);
                world.resumes("carrier");
            }
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx  INVITE 0900000001
        0.0s pbx -> 101  100 Trying
        0.0s pbx -> carrier  INVITE 0900000001
        0.0s carrier -> pbx  183 Session Progress
        0.0s pbx -> carrier  PRACK
        0.0s pbx -> 101  183 Session Progress
        0.0s carrier -> pbx  200 OK to PRACK
        2.0s carrier -> pbx  200 OK
        2.0s pbx -> carrier  ACK
        2.0s pbx -> 101  200 OK
        2.0s 101 -> pbx  ACK
        600.0s carrier -> pbx  re-INVITE
        600.0s pbx -> carrier  100 Trying
        600.0s pbx -> carrier  200 OK
        600.0s carrier -> pbx  ACK
        1200.0s carrier -> pbx  re-INVITE
        1200.0s pbx -> carrier  100 Trying
        1200.0s pbx -> carrier  200 OK
        1200.0s carrier -> pbx  ACK
        1201.0s ~ 101 hears carrier, carrier hears 101
        1201.5s 101 -> pbx  BYE
        1201.5s pbx -> 101  200 OK to BYE
        1201.5s pbx -> carrier  BYE
        1201.5s carrier -> pbx  200 OK to BYE
        ",
    );
}

#[test]
fn a_key_that_a_border_tells_with_blanks_is_told() {
    check(
        |world| {
            a_trunk(world, sbc);
            world.calls("101", "0900000001");
            world.run(3.0);
            world.show_events();
            world.presses("carrier", '5');
            world.run(1.0);
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 183 Session Progress
        0.0s pbx -> carrier PRACK
        0.0s pbx -> 101 183 Session Progress
        0.0s carrier -> pbx 200 OK to PRACK
        2.0s carrier -> pbx 200 OK
        2.0s pbx -> carrier ACK
        2.0s pbx -> 101 200 OK
        2.0s 101 -> pbx ACK
        3.0s carrier -> pbx INFO
        3.0s pbx -> carrier 200 OK to INFO
        3.0s * leg.key +84900000001 5
        4.0s 101 -> pbx BYE
        4.0s pbx -> 101 200 OK to BYE
        4.0s pbx -> carrier BYE
        4.0s carrier -> pbx 200 OK to BYE
        4.0s * leg.ended 101 hung_up 200 by agent
        4.0s * leg.ended +84900000001 hung_up 200 by switchboard
        4.0s * call.ended hung_up 200 by agent
        4.0s * sound.measured 101
        ",
    );
}

/// The same, set up to agree on sound before the answer: its 200 says nothing more about it.
fn sbc_that_agrees_early(message: &Message) -> Bytes {
    let text = match message {
        Message::Response(response) if response.status == 200 => SILENT_ANSWER,
        _ => EARLY_ANSWER,
    };
    say(&[text].iter().chain(TEXTS).copied().collect::<Vec<_>>(), message)
}

const EARLY_ANSWER: (&str, &str) = (
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
    o=AudiocodesGW 30221 87035 IN IP4 {ip}
    s=Phone-Call
    c=IN IP4 {ip}
    t=0 0
    m=audio {port} RTP/AVP 8 96
    a=rtpmap:8 pcma/8000
    a=ptime:20
    a=rtpmap:96 telephone-event/8000
    a=fmtp:96 0-15",
);

const SILENT_ANSWER: (&str, &str) = (
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
    l: 0",
);

#[test]
fn what_a_border_agreed_on_before_the_answer_holds_after_it() {
    check(
        |world| {
            a_trunk(world, sbc_that_agrees_early);
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
        0.0s pbx -> carrier PRACK
        0.0s pbx -> 101 183 Session Progress
        0.0s carrier -> pbx 200 OK to PRACK
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

#[test]
fn a_border_that_moves_its_sound_before_the_answer_is_followed() {
    check(
        |world| {
            a_trunk(world, sbc);
            world.manner("carrier", Manner::default().with_early_sound());
            world.calls("101", "0900000001");
            world.run(1.0);
            world.requests("carrier", Method::Update, Words::sound("m=audio {port} RTP/AVP 8\na=sendrecv"));
            world.run(1.0);
            world.listen();
            world.answers("carrier");
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 183 Session Progress
        0.0s pbx -> carrier PRACK
        0.0s pbx -> 101 183 Session Progress
        0.0s carrier -> pbx 200 OK to PRACK
        1.0s carrier -> pbx UPDATE
        1.0s pbx -> carrier 200 OK to UPDATE
        2.0s ~ 101 hears carrier, carrier hears 101
        2.5s carrier -> pbx 200 OK
        2.5s pbx -> carrier ACK
        2.5s pbx -> 101 200 OK
        2.5s 101 -> pbx ACK
        3.5s ~ 101 hears carrier, carrier hears 101
        4.0s 101 -> pbx BYE
        4.0s pbx -> 101 200 OK to BYE
        4.0s pbx -> carrier BYE
        4.0s carrier -> pbx 200 OK to BYE
        ",
    );
}

/// The same, hearing a fax machine: it offers to send pictures in place of sound.
fn sbc_that_hears_a_fax(message: &Message) -> Bytes {
    const FAX: (&str, &str) = (
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
        c: application/sdp
        l: {length}

        v=0
        o=AudiocodesGW 30221 87037 IN IP4 {ip}
        s=Phone-Call
        c=IN IP4 {ip}
        t=0 0
        m=image 6022 udptl t38
        a=T38FaxVersion:0
        a=T38MaxBitRate:14400
        a=T38FaxMaxBuffer:1024
        a=T38FaxRateManagement:transferredTCF
        a=T38FaxUdpEC:t38UDPRedundancy",
    );
    say(&[FAX].iter().chain(TEXTS).copied().collect::<Vec<_>>(), message)
}

#[test]
fn a_border_that_hears_a_fax_is_refused_and_the_call_lives() {
    check(
        |world| {
            a_trunk(world, sbc);
            world.calls("101", "0900000001");
            world.run(3.0);
            world.dresses("carrier", sbc_that_hears_a_fax);
            world.resumes("carrier");
            world.run(1.0);
            world.listen();
            world.hangs_up("101");
        },
        "
        0.0s 101 -> pbx INVITE 0900000001
        0.0s pbx -> 101 100 Trying
        0.0s pbx -> carrier INVITE 0900000001
        0.0s carrier -> pbx 183 Session Progress
        0.0s pbx -> carrier PRACK
        0.0s pbx -> 101 183 Session Progress
        0.0s carrier -> pbx 200 OK to PRACK
        2.0s carrier -> pbx 200 OK
        2.0s pbx -> carrier ACK
        2.0s pbx -> 101 200 OK
        2.0s 101 -> pbx ACK
        3.0s carrier -> pbx re-INVITE
        3.0s pbx -> carrier 100 Trying
        3.0s pbx -> carrier 488 Not Acceptable Here
        3.0s carrier -> pbx ACK
        4.0s ~ 101 hears carrier, carrier hears 101
        4.5s 101 -> pbx BYE
        4.5s pbx -> 101 200 OK to BYE
        4.5s pbx -> carrier BYE
        4.5s carrier -> pbx 200 OK to BYE
        ",
    );
}
