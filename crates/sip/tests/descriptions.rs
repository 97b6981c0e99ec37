//! Descriptions as equipment writes them, each with what a relay has to know of it; whole, cut short and changed.

use std::net::IpAddr;

use bytes::Bytes;
use sip::sdp::{AudioSection, Direction, Format, Owner, Profile, Sdp, parse};

/// Name, what is read of the section that counts, and the text; lines end in `\n` here and in CRLF when they are read.
const DESCRIPTIONS: &[(&str, &str, &str)] = &[
    (
        "a phone that holds in the old way, with packets of 30 ms",
        "0 Avp PCMU/8000 keys 101 no address 30 ms SendOnly",
        "v=0\no=- 173522214 173522215 IN IP4 192.0.2.8\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 16454 RTP/AVP 0 101\n\
         a=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:30\na=sendonly\n",
    ),
    (
        "one that wants keys, one and the same for both suites",
        "0 Savp PCMU/8000 G729a/8000 keys 101 192.0.2.8:16454 30 ms SendRecv 2 keys of SRTP",
        "v=0\no=- 173522214 173522214 IN IP4 192.0.2.8\ns=-\nc=IN IP4 192.0.2.8\nt=0 0\nm=audio 16454 RTP/SAVP 0 18 101\n\
         a=rtpmap:0 PCMU/8000\na=rtpmap:18 G729a/8000\na=rtpmap:101 telephone-event/8000\na=ptime:30\na=sendrecv\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\n\
         a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\n",
    ),
    (
        "one whose section names its own address, before its attributes",
        "0 Avp PCMU/8000 PCMA/8000 G722/8000 iLBC/8000 keys 101 192.0.2.10:20096 SendRecv",
        "v=0\no=Cisco-SIPUA 7221 0 IN IP4 192.0.2.10\ns=SIP Call\nt=0 0\nm=audio 20096 RTP/AVP 0 8 9 116 101\n\
         c=IN IP4 192.0.2.10\na=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\na=rtpmap:9 G722/8000\na=rtpmap:116 iLBC/8000\n\
         a=fmtp:116 mode=20\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=sendrecv\n",
    ),
    (
        "a soft phone with bandwidth and reports of its own",
        "0 Avp PCMA/8000 PCMU/8000 keys 101 192.0.2.45:4000 reports 192.0.2.45:4001 SendRecv",
        "v=0\no=- 3928575244 3928575244 IN IP4 192.0.2.45\ns=pjmedia\nb=AS:84\nt=0 0\na=X-nat:0\n\
         m=audio 4000 RTP/AVP 8 0 101\nc=IN IP4 192.0.2.45\nb=TIAS:64000\na=rtcp:4001 IN IP4 192.0.2.45\na=sendrecv\n\
         a=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\n\
         a=ssrc:82254684 cname:0f5c16a2550a2715\n",
    ),
    (
        "one with Opus, keys at three clocks, and video",
        "0 Avp opus/48000 speex/16000 PCMU/8000 PCMA/8000 keys 100 keys at 48000 101 192.0.2.46:7076 SendRecv",
        "v=0\no=101 3357 3332 IN IP4 192.0.2.46\ns=Talk\nc=IN IP4 192.0.2.46\nb=AS:380\nt=0 0\n\
         a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\n\
         m=audio 7076 RTP/AVP 96 97 0 8 101 99 100\na=rtpmap:96 opus/48000/2\na=fmtp:96 useinbandfec=1\n\
         a=rtpmap:97 speex/16000\na=fmtp:97 vbr=on\na=rtpmap:101 telephone-event/48000\n\
         a=rtpmap:99 telephone-event/16000\na=rtpmap:100 telephone-event/8000\nm=video 9078 RTP/AVP 96\n\
         a=rtpmap:96 VP8/90000\n",
    ),
    (
        "one that shares a port for reports and leaves maps out",
        "0 Avp GSM/8000 speex/8000 PCMA/8000 PCMU/8000 keys 101 192.0.2.47:61265 shared SendRecv",
        "v=0\no=Z 0 199267607 IN IP4 192.0.2.47\ns=Z\nc=IN IP4 192.0.2.47\nt=0 0\nm=audio 61265 RTP/AVP 3 101 110 8 0\n\
         a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\na=rtpmap:110 speex/8000\na=sendrecv\na=rtcp-mux\n",
    ),
    (
        "a switchboard that takes packets of up to 150 ms",
        "0 Avp PCMA/8000 PCMU/8000 G726-32/8000 keys 101 192.0.2.48:12752 20 ms SendRecv",
        "v=0\no=- 1429284841 1429284841 IN IP4 192.0.2.48\ns=Asterisk\nc=IN IP4 192.0.2.48\nt=0 0\n\
         m=audio 12752 RTP/AVP 8 0 111 101\na=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\na=rtpmap:111 G726-32/8000\n\
         a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\na=ptime:20\na=maxptime:150\na=sendrecv\n",
    ),
    (
        "a switchboard with comfort noise",
        "0 Avp opus/48000 PCMU/8000 keys 101 192.0.2.49:30316 20 ms SendRecv",
        "v=0\no=FreeSWITCH 1439391053 1439391054 IN IP4 192.0.2.49\ns=FreeSWITCH\nc=IN IP4 192.0.2.49\nt=0 0\n\
         m=audio 30316 RTP/AVP 102 0 101 13\na=rtpmap:102 opus/48000/2\n\
         a=fmtp:102 useinbandfec=1; usedtx=1; maxaveragebitrate=30000\na=rtpmap:0 PCMU/8000\n\
         a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\na=rtpmap:13 CN/8000\na=ptime:20\n",
    ),
    (
        "a border that writes codecs in lower case and no direction",
        "0 Avp pcma/8000 g729/8000 keys 96 192.0.2.50:7210 20 ms SendRecv",
        "v=0\no=AudiocodesGW 30221 87035 IN IP4 192.0.2.50\ns=Phone-Call\nc=IN IP4 192.0.2.50\nt=0 0\n\
         m=audio 7210 RTP/AVP 8 18 96\na=rtpmap:8 pcma/8000\na=ptime:20\na=rtpmap:18 g729/8000\n\
         a=rtpmap:96 telephone-event/8000\na=fmtp:96 0-15\n",
    ),
    (
        "one that may be secured, and is better so",
        "1 Savp PCMA/8000 keys 101 192.0.2.51:5006 SendRecv 1 keys of SRTP",
        "v=0\no=101 8000 8000 IN IP4 192.0.2.51\ns=SIP Call\nc=IN IP4 192.0.2.51\nt=0 0\nm=audio 5004 RTP/AVP 8 101\n\
         a=sendrecv\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\nm=audio 5006 RTP/SAVP 8 101\na=sendrecv\n\
         a=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\n\
         a=crypto:3 F8_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\n",
    ),
    (
        "a gateway that turns to fax",
        "nothing",
        "v=0\no=- 1 2 IN IP4 192.0.2.52\ns=-\nc=IN IP4 192.0.2.52\nt=0 0\n\
        m=audio 0 RTP/AVP 8\nm=image 5008 udptl t38\na=T38FaxVersion:0\na=T38MaxBitRate:14400\n",
    ),
];

#[test]
fn what_counts_is_read_of_each() {
    for (name, wanted, text) in DESCRIPTIONS {
        let sdp = parse(&bytes(text)).unwrap();

        assert_eq!(told(&sdp), *wanted, "{name}");
        assert_eq!(parse(&sdp.print()).as_ref(), Ok(&sdp), "{name}");
    }
}

#[test]
fn no_description_cut_short_or_with_a_byte_changed_does_harm() {
    for (_, _, text) in DESCRIPTIONS {
        let text = bytes(text);
        for length in 0..text.len() {
            judge(&text.slice(..length));
        }
        for at in 0..text.len() {
            for byte in [0, b'\n', b' ', b':', b'9', 0xff] {
                let mut changed = text.to_vec();
                changed[at] = byte;
                judge(&changed.into());
            }
        }
    }
}

/// Reads, answers and prints; what is said must read the same.
fn judge(text: &Bytes) {
    let Ok(sdp) = parse(text) else { return };
    assert_eq!(parse(&sdp.print()).as_ref(), Ok(&sdp));
    let address = IpAddr::from([192, 0, 2, 1]);
    let owner = Owner { session_id: 1, version: 1, address };
    for audio in sdp.audios() {
        let section = AudioSection {
            address: (address, 4000).into(),
            profile: audio.profile,
            crypto: audio.cryptos.first().copied(),
            rtcp_mux: audio.rtcp_mux,
            formats: vec![Format::new(8, "PCMA", 8000)],
            direction: audio.direction.answer(Direction::SendRecv),
            packet_ms: audio.packet_ms,
        };
        let answer = sdp.answer(owner, audio.index, &section);
        assert_eq!(answer.media.len(), sdp.media.len());
        assert_eq!(answer.media.iter().filter(|media| media.port != 0).count(), 1);
        assert_eq!(parse(&answer.print()), Ok(answer));
    }
}

/// What a relay has to know, in a few words.
fn told(sdp: &Sdp) -> String {
    let Some(audio) = sdp.audio() else { return "nothing".into() };
    let mut words = vec![audio.index.to_string(), format!("{:?}", audio.profile)];
    words.extend(audio.codecs().map(|format| format!("{}/{}", format.name, format.clock_rate)));
    words.extend(audio.keys(8_000).map(|number| format!("keys {number}")));
    words.extend(audio.keys(48_000).map(|number| format!("keys at 48000 {number}")));
    words.push(audio.rtp.map_or("no address".into(), |rtp| rtp.to_string()));
    let is_named = sdp.media[audio.index].attribute("rtcp").is_some();
    words.extend(audio.rtcp.filter(|_| is_named).map(|rtcp| format!("reports {rtcp}")));
    words.extend(audio.rtcp_mux.then(|| "shared".to_owned()));
    words.extend(audio.packet_ms.map(|ms| format!("{ms} ms")));
    words.push(format!("{:?}", audio.direction));
    words.extend((!audio.cryptos.is_empty()).then(|| format!("{} keys of SRTP", audio.cryptos.len())));
    assert_eq!(audio.profile.is_secured(), audio.profile == Profile::Savp);
    words.join(" ")
}

fn bytes(text: &str) -> Bytes {
    text.replace('\n', "\r\n").into()
}
