//! What each codec does to speech, and what it makes of nonsense.

use proptest::prelude::*;

use super::*;
use crate::fixture::{level, segmental_snr, sine, speech};

const ALL: [Codec; 4] = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];

/// Speech through encoder and decoder, in packets of this length.
fn there_and_back(codec: Codec, packet_ms: usize, sound: &[i16]) -> Vec<i16> {
    let (mut encoder, mut decoder) = (Encoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
    let mut payload = [0; 1500];
    let mut out = [0; LONGEST];
    let mut heard = Vec::new();
    for packet in sound.chunks_exact(packet_ms * codec.samples_per_ms()) {
        let length = encoder.encode(packet, &mut payload).unwrap();
        assert_eq!(decoder.duration(&payload[..length]), packet.len());
        let count = decoder.decode(&payload[..length], &mut out).unwrap();
        assert_eq!(count, packet.len());
        heard.extend_from_slice(&out[..count]);
    }
    heard
}

#[test]
fn speech_keeps_its_shape_through_every_codec() {
    for (codec, floor) in [(Codec::Pcma, 34.0), (Codec::Pcmu, 34.0), (Codec::G722, 18.0), (Codec::Opus, 9.0)] {
        let said = speech(codec.sample_rate(), 6);

        let (late, ratio) = segmental_snr(&said, &there_and_back(codec, 20, &said), codec.sample_rate(), 20);

        assert!(ratio > floor, "{codec:?}: {ratio} dB, {late} samples late");
    }
}

#[test]
fn packets_of_every_length_are_made() {
    for codec in ALL {
        for packet_ms in [10, 20, 30, 40, 60] {
            let length = codec.packet_ms(packet_ms).into();
            let said = sine(codec.sample_rate(), 440.0, 8_000, codec.sample_rate() as usize);

            let heard = there_and_back(codec, length, &said);

            let change = level(&heard[4000..]) - level(&said[4000..]);
            assert!(change.abs() < 1.5, "{codec:?} {length}: {change} dB");
        }
    }
    assert_eq!([5, 15, 30, 50, 200].map(|length| Codec::Opus.packet_ms(length)), [10, 10, 20, 40, 60]);
    assert_eq!([5, 15, 30, 50, 200].map(|length| Codec::Pcma.packet_ms(length)), [10, 10, 30, 50, 60]);
}

#[test]
fn a_muted_packet_is_silent_and_as_long_as_before() {
    for codec in ALL {
        for packet_ms in [10, 20, 40, 60] {
            let (mut encoder, mut decoder) = (Encoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
            let said = sine(codec.sample_rate(), 440.0, 8_000, codec.sample_rate() as usize * 2);
            let mut payload = [0; 1500];
            let mut out = [0; LONGEST];
            let mut heard = Vec::new();
            for (n, packet) in said.chunks_exact(packet_ms * codec.samples_per_ms()).enumerate() {
                let mut length = encoder.encode(packet, &mut payload).unwrap();
                if n * packet_ms >= 500 {
                    length = codec.silence(&mut payload[..length]);
                }
                let count = decoder.decode(&payload[..length], &mut out).unwrap();
                assert_eq!(count, packet.len(), "{codec:?} {packet_ms}");
                heard.extend_from_slice(&out[..count]);
            }

            let rest = level(&heard[heard.len() / 2..]);
            // G.722 has no code for nothing: at its softest it hums 55 dB below full scale.
            assert!(rest < 36.0, "{codec:?} {packet_ms}: {rest} dB");
        }
    }
}

#[test]
fn opus_makes_up_for_what_is_lost() {
    let (mut encoder, mut decoder) = (Encoder::new(Codec::Opus).unwrap(), Decoder::new(Codec::Opus).unwrap());
    let said = sine(16_000, 300.0, 8_000, 16_000);
    let mut payload = [0; 1500];
    let mut heard = Vec::new();
    for (n, packet) in said.chunks_exact(320).enumerate() {
        let mut out = [0; LONGEST];
        let length = encoder.encode(packet, &mut payload).unwrap();
        if n == 20 {
            assert!(decoder.conceal(None, &mut out[..320]));
        } else {
            decoder.decode(&payload[..length], &mut out).unwrap();
        }
        heard.extend_from_slice(&out[..320]);
    }

    assert!(level(&heard[6400..6720]) > level(&said) - 6.0);
}

#[test]
fn an_empty_packet_and_a_broken_one_are_nothing() {
    let mut out = [0; LONGEST];
    for codec in ALL {
        assert_eq!(Decoder::new(codec).unwrap().decode(&[], &mut out), None);
    }
    assert_eq!(Decoder::new(Codec::Opus).unwrap().decode(&[0xff, 0xff, 0xff], &mut out), None);
}

proptest! {
    #[test]
    fn nonsense_is_decoded_or_refused(packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 1..20)) {
        for codec in ALL {
            let mut decoder = Decoder::new(codec).unwrap();
            let mut out = [0; LONGEST];
            for packet in &packets {
                let _ = decoder.decode(packet, &mut out);
                let _ = decoder.duration(packet);
                let mut silent = packet.clone();
                prop_assert!(codec.silence(&mut silent) <= packet.len());
                let _ = decoder.conceal(Some(packet), &mut out[..320]);
            }
        }
    }

    #[test]
    fn any_samples_are_encoded(pieces in proptest::collection::vec(any::<[i16; 4]>(), 40)) {
        let sound = pieces.concat();
        for codec in ALL {
            let mut encoder = Encoder::new(codec).unwrap();
            for _ in 0..10 {
                prop_assert!(encoder.encode(&sound[..10 * codec.samples_per_ms()], &mut [0; 1500]).is_some());
            }
        }
    }
}
