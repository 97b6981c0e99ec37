//! Whatever comes from the network or is ordered, the worker goes on, and nothing it holds is lost track of.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::transcoding::in_codec;
use super::{Floor, to};
use crate::fixture::{anyone, host};
use crate::rtp::Header;
use crate::{
    AddressId, Clip, Codec, Crypto, Order, Output, PACKET, RecordingKey, RecordingStep, SessionId, Sound, Sources,
    SrtpKey, SrtpSuite, Stream,
};

#[derive(Clone, Debug)]
enum Happening {
    Order(Order),
    Sound { address: u8, from: u8, packet: Vec<u8> },
    Control { address: u8, from: u8, packet: Vec<u8> },
    Wait(u64),
}

fn sessions() -> impl Strategy<Value = Vec<SessionId>> {
    proptest::collection::vec(session(), 0..4)
}

fn session() -> impl Strategy<Value = SessionId> {
    (0..6u64).prop_map(SessionId)
}

fn a_stream() -> impl Strategy<Value = Stream> {
    let codec = prop_oneof![
        4 => Just((Codec::Pcma, 8)),
        1 => Just((Codec::Pcmu, 0)),
        1 => Just((Codec::G722, 9)),
        1 => Just((Codec::Opus, 111)),
    ];
    let directions = (any::<bool>(), any::<bool>());
    let keys = (any::<Option<u8>>(), any::<bool>());
    let rest = (
        proptest::option::weighted(0.2, any::<u8>()),
        proptest::option::of(0..30_000u64),
        any::<bool>(),
        any::<bool>(),
    );
    (0..6u8, codec, directions, 0u16..100, keys, rest).prop_map(
        |(
            party,
            (codec, payload_type),
            (send, receive),
            packet_ms,
            (keys, key_tones),
            (secret, silence, mux, only),
        )| {
            let key = |secret| SrtpKey { suite: SrtpSuite::AesCm128HmacSha1_80, key: [secret; 30] };
            Stream {
                codec,
                payload_type,
                receive_payload_type: payload_type,
                keys,
                key_tones,
                send,
                receive,
                packet_ms,
                crypto: secret.map(|secret| Crypto { ours: key(secret), theirs: key(secret) }),
                silence: silence.map(Duration::from_millis),
                rtcp_mux: mux,
                sources: if only { Sources::Only(Arc::from([])) } else { anyone() },
                ..to(party)
            }
        },
    )
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        4 => (session(), 0..6u32, proptest::option::of(a_stream())).prop_map(|(session, address, stream)| Order::Open {
            session,
            address: AddressId(address),
            stream
        }),
        1 => (session(), a_stream()).prop_map(|(session, stream)| Order::Change { session, stream }),
        1 => session().prop_map(|session| Order::Close { session }),
        3 => (session(), session()).prop_map(|(a, b)| Order::Join { a, b }),
        1 => session().prop_map(|session| Order::Part { session }),
        1 => session().prop_map(|session| Order::Play { session, sound: Sound::Busy }),
        1 => session().prop_map(|session| Order::Play { session, sound: Sound::Music }),
        1 => (session(), any::<u32>(), 0..500usize).prop_map(|(session, say, length)| Order::Say {
            session,
            say,
            clips: vec![Clip::new(vec![1000; length])]
        }),
        3 => (session(), sessions()).prop_map(|(session, hears)| Order::Hear { session, hears }),
        1 => session().prop_map(|session| Order::Stop { session }),
        2 => (sessions(), sessions(), 0..3u64).prop_map(|(customer, agent, key)| Order::Record {
            recording: RecordingKey(key),
            file: PathBuf::new(),
            customer,
            agent
        }),
        2 => (sessions(), sessions(), 0..3u64).prop_map(|(customer, agent, key)| Order::RecordSides {
            recording: RecordingKey(key),
            customer,
            agent
        }),
        1 => (0..3u64, any::<bool>()).prop_map(|(key, paused)| Order::PauseRecording {
            recording: RecordingKey(key),
            paused
        }),
        1 => (session(), any::<char>()).prop_map(|(session, key)| Order::Press { session, key }),
        1 => session().prop_map(|session| Order::Press { session, key: '4' }),
        1 => (0..3u64).prop_map(|key| Order::StopRecording { recording: RecordingKey(key) }),
        1 => (session(), any::<char>()).prop_map(|(session, key)| Order::Key { session, key }),
        1 => session().prop_map(|session| Order::Key { session, key: '7' }),
        1 => (session(), any::<bool>()).prop_map(|(session, muted)| Order::Mute { session, muted }),
    ]
}

/// Bytes that are often nearly RTP.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let head = (
        any::<u8>(),
        prop_oneof![Just(8u8), Just(0), Just(9), Just(13), Just(101), Just(111), Just(0x88), any::<u8>()],
        any::<u16>(),
    );
    let tail = proptest::collection::vec(any::<u8>(), 0..300);
    (head, any::<[u8; 8]>(), tail, any::<bool>()).prop_map(|((first, second, sequence), numbers, tail, plain)| {
        let mut packet = vec![if plain { 0x80 } else { first }, second];
        packet.extend(if plain { sequence % 8 } else { sequence }.to_be_bytes());
        packet.extend(if plain { [0; 8] } else { numbers });
        packet.extend(tail);
        packet
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    let from_network = || (0..8u8, 0..6u8, packet());
    prop_oneof![
        2 => order().prop_map(Happening::Order),
        4 => from_network().prop_map(|(address, from, packet)| Happening::Sound { address, from, packet }),
        1 => from_network().prop_map(|(address, from, packet)| Happening::Control { address, from, packet }),
        1 => (0..1000u64).prop_map(Happening::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_sound_stays_in_its_buffer_and_nothing_is_left_in_the_end(
        happenings in proptest::collection::vec(happening(), 0..120),
    ) {
        let mut floor = Floor::new();
        let (mut begun, mut ended) = (0, 0);
        let mut count = |outputs: Vec<(Output, Vec<u8>)>, floor: &mut Floor| {
            for (output, _) in outputs {
                match output {
                    Output::Recording(RecordingStep::Begin { .. }) => begun += 1,
                    Output::Recording(RecordingStep::End { .. }) => ended += 1,
                    Output::Recording(RecordingStep::Sound { sound, .. }) => floor.worker.give_back(sound),
                    Output::Packet(_) | Output::Report(_) | Output::Freed(_) => {}
                }
            }
        };

        for happening in happenings {
            match happening {
                Happening::Order(order) => floor.order(order),
                Happening::Sound { address, from, packet } => {
                    let sent = floor.bring(address, host(from, 4000), &packet);
                    prop_assert!(sent.is_none_or(|(sent, _)| sent.bytes.start < sent.bytes.end && sent.bytes.end <= PACKET));
                }
                Happening::Control { address, from, mut packet } => {
                    let address = AddressId(address.into());
                    floor.worker.handle_control(floor.now, address, host(from, 4001), &mut packet);
                }
                Happening::Wait(milliseconds) => {
                    let outputs = floor.pass(milliseconds);
                    count(outputs, &mut floor);
                }
            }
        }
        for session in 0..6 {
            floor.order(Order::Close { session: SessionId(session) });
        }
        let outputs = floor.pass(Duration::from_secs(60).as_millis() as u64);
        count(outputs, &mut floor);

        let load = floor.worker.load();
        prop_assert_eq!((load.sessions, load.playing, load.recordings), (0, 0, 0));
        prop_assert_eq!(begun, ended);
        prop_assert_eq!(floor.worker.poll_timeout(), None);
    }
}

#[test]
fn nonsense_between_any_two_codecs_harms_nobody() {
    let codecs = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];
    for (number, first) in codecs.into_iter().enumerate() {
        for second in codecs {
            let bare = |stream| Stream { keys: None, receive_keys: None, ..stream };
            let mut floor = Floor::joined(in_codec(1, first), bare(in_codec(2, second)));
            let mut random = ChaCha12Rng::from_seed([number as u8; 32]);
            let mut payload = [0; 700];
            for n in 0..2_000u32 {
                let party = 1 + (random.next_u32() % 2) as u8;
                random.fill_bytes(&mut payload);
                let wild = random.next_u32().is_multiple_of(7);
                let header = Header {
                    payload_type: [8, 0, 9, 13, 97, 98, 101][random.next_u32() as usize % 7],
                    sequence: if wild { random.next_u32() as u16 } else { n as u16 },
                    timestamp: if wild { random.next_u32() } else { n.wrapping_mul(480) },
                    marker: wild,
                    ssrc: 1 + u32::from(random.next_u32().is_multiple_of(50)),
                };
                let length = random.next_u32() as usize % payload.len();
                floor.send(party, host(party, 4000), header, &payload[..length]);
                floor.pass(u64::from(random.next_u32() % 12));
            }

            assert_eq!(floor.worker.load().sessions, 2);
        }
    }
}
