//! Any session description: asked for its sound, printed, read again, answered.

#![no_main]

use std::net::IpAddr;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sip::sdp::{AudioSection, Direction, Format, Owner, Profile, parse};

fuzz_target!(|data: &[u8]| {
    let Ok(sdp) = parse(&Bytes::copy_from_slice(data)) else { return };
    if let Ok(again) = parse(&sdp.print()) {
        assert_eq!(again, sdp);
    } else {
        // Only a description at the very limit can grow beyond it.
        assert!(sdp.print().len() > 32_000);
    }
    let address = IpAddr::from([192, 0, 2, 1]);
    let section = AudioSection {
        address: (address, 4000).into(),
        profile: Profile::Avp,
        crypto: None,
        rtcp_mux: false,
        formats: vec![Format::new(8, "PCMA", 8000), Format::keys(101)],
        direction: Direction::SendRecv,
        packet_ms: Some(20),
    };
    let owner = Owner { session_id: 1, version: 1, address };
    let best = sdp.audio();
    assert_eq!(best.is_some(), sdp.audios().next().is_some());
    for audio in best.into_iter().chain(sdp.audio_over("UDP/TLS/RTP/SAVPF")).chain(sdp.audios()) {
        let _ = (audio.keys(8000), audio.keys(48_000), audio.codecs().count());
        assert!(audio.packet_ms.is_none_or(|ms| (10..=60).contains(&ms) && ms % 10 == 0));
        for format in &audio.formats {
            let _ = (format.parameter("useinbandfec"), format.is_noise());
        }
        let profile = if audio.cryptos.is_empty() { Profile::Avp } else { Profile::Savp };
        let section = AudioSection { profile, crypto: audio.cryptos.first().copied(), ..section.clone() };
        let answer = sdp.answer(owner, audio.index, &section);
        assert_eq!(answer.media.len(), sdp.media.len());
        let agreed = answer.audio().expect("our own section is usable");
        assert_eq!(agreed.cryptos.first(), audio.cryptos.first());
        assert_eq!(answer.offer_again(owner, audio.index, &section).media.len(), answer.media.len());
    }
});
