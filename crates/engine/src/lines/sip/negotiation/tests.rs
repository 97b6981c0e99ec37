//! Offers and answers as text: what a party writes, and what we write back.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const KEY: [u8; 30] = [7; 30];
/// What a party sends with: 30 octets of 1, in base64.
const THEIRS: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

#[test]
fn one_section_of_sound_is_answered_and_all_others_are_refused() {
    let mut talk = caller(&offer(
        "m=video 5000 RTP/AVP 99\r\nm=audio 5002 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\nm=audio 5004 RTP/AVP 0\r\n",
    ));

    let answer = text(talk.answer(None).unwrap());

    assert_eq!(lines(&answer, "m="), ["video 0 RTP/AVP 99", "audio 4000 RTP/AVP 8 101", "audio 0 RTP/AVP 0"]);
}

#[test]
fn the_version_goes_up_by_one_when_something_changes_and_not_otherwise() {
    let mut talk = caller(&pcma(""));
    let (first, again) = (talk.answer(None).unwrap(), talk.answer(None).unwrap());
    let same = talk.reoffer(&pcma("")).unwrap().0;
    let held = talk.reoffer(&pcma("a=sendonly\r\n")).unwrap().0;
    let refused = talk.reoffer(&offer("m=image 5002 udptl t38\r\n"));
    let present = talk.present();

    assert_eq!((version(&first), version(&again), version(&same)), (1, 1, 1));
    assert_eq!((version(&held), version(&present)), (2, 2));
    assert_eq!(refused.unwrap_err(), Reason::NoCommonCodec);
}

#[test]
fn each_way_of_holding_is_answered_as_it_asks() {
    for (hold, answer) in [
        ("a=sendonly\r\n", "recvonly"),
        ("a=inactive\r\n", "inactive"),
        ("c=IN IP4 0.0.0.0\r\n", "recvonly"),
        ("c=IN IP4 0.0.0.0\r\na=inactive\r\n", "inactive"),
    ] {
        let mut talk = caller(&pcma(""));
        talk.answer(None).unwrap();

        let (body, change) = talk.reoffer(&pcma(hold)).unwrap();

        assert_eq!(change, Change::Held, "{hold}");
        assert!(text(body).contains(&format!("a={answer}\r\n")), "{hold}");
        assert!(!stream(&talk).send, "{hold}");
        assert_eq!(talk.reoffer(&pcma("")).unwrap().1, Change::Resumed, "{hold}");
    }
}

#[test]
fn nobody_on_hold_is_missed_for_being_silent() {
    let limit = Some(Duration::from_secs(30));
    let sources = Sources::Any { signalling: None };
    let mut talk = caller(&pcma(""));
    talk.answer(None).unwrap();

    assert_eq!(talk.stream(&sources, limit).unwrap().silence, limit);
    talk.reoffer(&pcma("a=sendonly\r\n")).unwrap();
    assert_eq!(talk.stream(&sources, limit).unwrap().silence, None);
}

#[test]
fn the_codec_of_the_other_side_is_answered_with_and_else_the_first() {
    let both = "m=audio 5002 RTP/AVP 9 0 8\r\n";

    assert_eq!(answered(both, Some(Codec::Pcma)), Some(Codec::Pcma));
    assert_eq!(answered(both, None), Some(Codec::G722));
    assert_eq!(answered("m=audio 5002 RTP/AVP 0\r\n", Some(Codec::Pcma)), Some(Codec::Pcmu));
}

#[test]
fn of_an_answer_the_codec_that_the_other_side_speaks_is_taken() {
    let mut talk = called(Secrecy::Welcome).with_codecs(vec![Codec::Pcma, Codec::G722], vec![Codec::Pcma]);
    talk.offer();

    talk.take_answer(&offer("m=audio 5002 RTP/AVP 9 8\r\n")).unwrap();

    assert_eq!(talk.codec(), Some(Codec::Pcma));
}

#[test]
fn keys_travel_on_the_clock_of_opus_where_both_can() {
    let mut talk = called(Secrecy::Welcome).with_codecs(vec![Codec::Opus, Codec::Pcma], vec![]);
    let ours = text(talk.offer());
    let both = "m=audio 5002 RTP/AVP 111 110\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n";

    talk.take_answer(&offer(both)).unwrap();

    let stream = stream(&talk);
    assert_eq!(lines(&ours, "m="), ["audio 4000 RTP/AVP 96 8 101 102"]);
    assert_eq!((stream.payload_type, stream.receive_payload_type), (111, 96));
    assert_eq!((stream.keys, stream.receive_keys, stream.keys_clock), (Some(110), Some(102), 48_000));
}

#[test]
fn the_length_of_packets_is_the_one_they_ask_for() {
    for (asked, found) in [("a=ptime:10\r\n", 10), ("a=ptime:60\r\n", 60), ("a=ptime:30\r\n", 30), ("", 20)] {
        let mut talk = caller(&pcma(asked));
        let answer = text(talk.answer(None).unwrap());

        assert_eq!(stream(&talk).packet_ms, found);
        assert!(answer.contains(&format!("a=ptime:{found}\r\n")), "{answer}");
    }
}

#[test]
fn reports_go_where_they_are_wanted() {
    let mut apart = caller(&pcma("a=rtcp:5010\r\n"));
    let mut together = caller(&pcma("a=rtcp-mux\r\n"));

    assert!(!text(apart.answer(None).unwrap()).contains("rtcp-mux"));
    assert_eq!(stream(&apart).remote_rtcp.map(|at| at.port()), Some(5010));
    assert!(text(together.answer(None).unwrap()).contains("a=rtcp-mux\r\n"));
    assert!(stream(&together).rtcp_mux);
}

#[test]
fn a_secured_offer_gets_our_key_and_stays_secured() {
    let mut talk = caller(&savp());

    let answer = text(talk.answer(None).unwrap());

    assert_eq!(lines(&answer, "m="), ["audio 4000 RTP/SAVP 8"]);
    assert_eq!(lines(&answer, "a=crypto:").len(), 1);
    assert!(answer.contains("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:BwcH"), "{answer}");
    assert_eq!(stream(&talk).crypto.map(|crypto| (crypto.ours.key, crypto.theirs.key)), Some((KEY, [1; 30])));
    assert!(talk.reoffer(&pcma("")).is_err());
    assert!(stream(&talk).crypto.is_some());
}

#[test]
fn nobody_reads_our_key_where_things_are_shown() {
    let mut talk = caller(&savp());
    talk.answer(None).unwrap();

    let shown = format!("{talk:?}");

    assert!(!shown.contains("7, 7") && !shown.contains("BwcH") && !shown.contains("1, 1, 1"), "{shown}");
}

#[test]
fn a_key_beside_plain_sound_is_taken() {
    let mut talk = caller(&pcma(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{THEIRS}\r\n")));

    let answer = text(talk.answer(None).unwrap());

    assert_eq!(lines(&answer, "m="), ["audio 4000 RTP/AVP 8"]);
    assert_eq!(stream(&talk).crypto.map(|crypto| crypto.ours.suite), Some(SrtpSuite::AesCm128HmacSha1_32));
}

#[test]
fn a_trunk_is_secured_as_its_setting_says() {
    let secured = |secrecy| {
        let mut talk = called(secrecy);
        let offer = text(talk.offer());
        (lines(&offer, "m=")[0].contains("SAVP"), offer.contains("a=crypto"))
    };
    let takes = |secrecy, body: &Bytes| called(secrecy).take_offer(body).is_ok();

    assert_eq!(secured(Secrecy::None), (false, false));
    assert_eq!(secured(Secrecy::Offered), (false, true));
    assert_eq!(secured(Secrecy::Required), (true, true));
    assert_eq!((takes(Secrecy::None, &pcma("")), takes(Secrecy::None, &savp())), (true, false));
    assert_eq!((takes(Secrecy::Offered, &pcma("")), takes(Secrecy::Offered, &savp())), (true, true));
    assert_eq!((takes(Secrecy::Required, &pcma("")), takes(Secrecy::Required, &savp())), (false, true));
}

#[test]
fn a_secured_offer_is_not_answered_in_the_clear() {
    let mut talk = called(Secrecy::Required);
    talk.offer();

    assert_eq!(talk.take_answer(&pcma("")), Err(Reason::NoCommonCodec));
    assert!(talk.codec().is_none());
}

#[test]
fn a_key_beside_plain_sound_is_not_given_up_later() {
    let mut talk = called(Secrecy::Offered);
    talk.offer();
    talk.take_answer(&pcma(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{THEIRS}\r\n"))).unwrap();
    talk.present();

    let later = talk.take_answer(&pcma(""));

    assert_eq!(later, Err(Reason::NoCommonCodec));
    assert!(stream(&talk).crypto.is_some());
}

#[test]
fn what_is_agreed_on_keeps_its_numbers_in_a_later_offer_of_ours() {
    let opus = "m=audio 5002 RTP/AVP 101 8 102\r\na=rtpmap:101 opus/48000/2\r\na=rtpmap:102 telephone-event/48000\r\n";
    let mut talk = caller(&offer(opus));
    talk.answer(None).unwrap();

    let again = text(talk.offer());

    // 101 means Opus here, so that keys at 8 kHz need another number.
    assert_eq!(lines(&again, "m="), ["audio 4000 RTP/AVP 101 8 0 9 96 102"]);
    assert!(again.contains("a=rtpmap:96 telephone-event/8000\r\n"), "{again}");
}

#[test]
fn a_session_outlives_an_answer_that_cannot_be_used() {
    let mut talk = caller(&pcma(""));
    talk.answer(None).unwrap();
    talk.offer();

    assert!(talk.take_answer(&Bytes::new()).is_err());
    assert_eq!(talk.codec(), Some(Codec::Pcma));
    assert!(!talk.is_owed_answer());
}

#[test]
fn a_party_goes_over_to_a_codec_only_where_it_has_named_it() {
    let mut talk = caller(&offer("m=audio 5002 RTP/AVP 8 0\r\n"));
    talk.answer(Some(Codec::Pcma)).unwrap();

    assert!(talk.offer_of(Codec::Pcma).is_none());
    assert!(talk.offer_of(Codec::G722).is_none());
    let offer = text(talk.offer_of(Codec::Pcmu).unwrap());
    assert!(lines(&offer, "m=")[0].starts_with("audio 4000 RTP/AVP 0 8"), "{offer}");
}

/// What may happen in a dialog, in any order.
#[derive(Clone, Debug)]
enum Happening {
    TheyOffer(usize),
    TheyAnswer(usize),
    WeOffer,
    WeRepeat,
    WeGoOver(Codec),
    TheyRefuse,
}

fn happening() -> impl Strategy<Value = Happening> {
    let body = 0..bodies().len();
    let codec = prop_oneof![Just(Codec::Pcma), Just(Codec::Pcmu), Just(Codec::G722), Just(Codec::Opus)];
    prop_oneof![
        body.clone().prop_map(Happening::TheyOffer),
        body.prop_map(Happening::TheyAnswer),
        Just(Happening::WeOffer),
        Just(Happening::WeRepeat),
        codec.prop_map(Happening::WeGoOver),
        Just(Happening::TheyRefuse),
    ]
}

fn bodies() -> Vec<Bytes> {
    let key = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{THEIRS}\r\n");
    let opus = "m=audio 5002 RTP/AVP 101 96\r\na=rtpmap:101 opus/48000/2\r\na=rtpmap:96 telephone-event/8000\r\n";
    vec![
        pcma(""),
        pcma("a=sendonly\r\n"),
        pcma("a=inactive\r\n"),
        pcma("a=rtcp-mux\r\n"),
        pcma(&key),
        savp(),
        offer(&format!("m=audio 5002 RTP/AVP 0 13\r\nm=audio 5004 RTP/SAVP 9\r\n{key}")),
        offer(opus),
        offer("m=audio 0 RTP/AVP 8\r\n"),
        offer("m=image 5002 udptl t38\r\n"),
        offer("m=video 5002 RTP/AVP 99\r\nm=audio 5004 RTP/AVP 9 0\r\n"),
        offer(""),
        Bytes::new(),
        Bytes::from_static(b"hello"),
    ]
}

proptest! {
    #[test]
    fn whatever_is_said_keys_are_kept_versions_count_changes_and_answers_fit_their_offers(
        secrecy in prop_oneof![Just(Secrecy::None), Just(Secrecy::Welcome), Just(Secrecy::Offered), Just(Secrecy::Required)],
        happenings in prop::collection::vec(happening(), 0..24),
    ) {
        let mut talk = called(secrecy);
        let bodies = bodies();
        let mut said: BTreeMap<u32, Bytes> = BTreeMap::new();
        let mut secured = false;
        for happening in happenings {
            let ours = match happening {
                Happening::TheyOffer(at) => {
                    let answer = talk.reoffer(&bodies[at]).ok().map(|(answer, _)| answer);
                    if let Some(answer) = &answer {
                        let sections = |body: &Bytes| sdp::parse(body).unwrap().media.len();
                        prop_assert_eq!(sections(answer), sections(&bodies[at]));
                    }
                    answer
                }
                Happening::TheyAnswer(at) => {
                    if talk.is_owed_answer() {
                        let _ = talk.take_answer(&bodies[at]);
                    }
                    None
                }
                Happening::WeOffer => Some(talk.offer()),
                Happening::WeRepeat => Some(talk.present()),
                Happening::WeGoOver(codec) => talk.offer_of(codec),
                Happening::TheyRefuse => {
                    talk.forget_offer();
                    None
                }
            };
            if let Some(ours) = ours {
                let last = said.keys().next_back().copied().unwrap_or_default();
                let version = version(&ours);
                prop_assert!(version <= last + 1, "{version} after {last}");
                let same = said.entry(version).or_insert_with(|| ours.clone());
                prop_assert_eq!(&*same, &ours);
                prop_assert!(sdp::parse(&ours).is_ok());
            }
            if let Some(stream) = talk.stream(&Sources::Any { signalling: None }, None) {
                prop_assert!(stream.crypto.is_some() || !secured, "keys were given up");
                prop_assert!(stream.crypto.is_none() || secrecy != Secrecy::None);
                prop_assert!(stream.crypto.is_some() || secrecy != Secrecy::Required);
                secured |= stream.crypto.is_some();
            }
        }
    }
}

fn called(secrecy: Secrecy) -> Negotiation {
    let all = vec![Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];
    Negotiation::new("192.0.2.1:4000".parse().unwrap(), 9, secrecy, KEY).with_codecs(all, Vec::new())
}

/// Somebody who called us with this offer.
fn caller(offer: &Bytes) -> Negotiation {
    let mut talk = called(Secrecy::Welcome);
    talk.take_offer(offer).unwrap();
    talk
}

fn answered(media: &str, prefer: Option<Codec>) -> Option<Codec> {
    let mut talk = caller(&offer(media));
    talk.answer(prefer).unwrap();
    talk.codec()
}

fn stream(talk: &Negotiation) -> Stream {
    talk.stream(&Sources::Any { signalling: None }, None).unwrap()
}

fn offer(media: &str) -> Bytes {
    Bytes::from(format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}"))
}

fn pcma(attributes: &str) -> Bytes {
    offer(&format!("m=audio 5002 RTP/AVP 8\r\n{attributes}"))
}

fn savp() -> Bytes {
    let unknown = "a=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA";
    offer(&format!(
        "m=audio 5002 RTP/SAVP 8\r\n{unknown}\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{THEIRS}|2^31\r\n"
    ))
}

fn text(body: Bytes) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.strip_prefix(start)).collect()
}

fn version(body: &Bytes) -> u32 {
    let text = std::str::from_utf8(body).unwrap();
    lines(text, "o=")[0].split(' ').nth(2).unwrap().parse().unwrap()
}
