//! A recorded call between two parties whose packets are anything: what goes on is RTP under one SSRC to the party it
//! is for, and everything ends.
//!
//! The input is a byte that says what the second party speaks and whether it is secured, and a row of packets: a byte that
//! says where one comes, a byte for its length, its bytes.

#![no_main]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use media::{
    AddressId, Codec, Crypto, Order, Output, PACKET, RecordingKey, RecordingStep, SessionId, Sources, SrtpKey,
    SrtpSuite, Stream, Worker, WorkerConfig, rtcp, rtp,
};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fuzz_target!(|data: &[u8]| {
    let Some((&kind, mut rest)) = data.split_first() else { return };
    let mut worker = call(kind);
    let mut now = *START;
    let mut ssrcs = [None; 2];
    while let [place, length, after @ ..] = rest {
        let (packet, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        now += Duration::from_millis(u64::from(place >> 4) * 7);
        let address = AddressId(u32::from(place & 1));
        let from = party(place >> 1 & 1);
        let mut buffer = packet.to_vec();
        if place & 8 != 0 {
            rtcp::parse(packet).count();
            worker.handle_control(now, address, from, &mut buffer);
        } else {
            buffer.resize(PACKET, 0);
            if let Some(sent) = worker.handle_sound(now, address, from, packet.len(), &mut buffer) {
                let (header, payload) = rtp::parse(&buffer[sent.bytes.clone()]).expect("what goes on is RTP");
                let ssrc = ssrcs[address.0 as usize].get_or_insert(header.ssrc);
                assert_eq!((sent.address.0, *ssrc), (1 - address.0, header.ssrc));
                assert_eq!(payload, rtp::HEADER..sent.bytes.len());
                assert!([0, 8, 9, 101, 111].contains(&header.payload_type));
            }
        }
        take(&mut worker, now);
    }
    for session in [0, 1] {
        worker.handle_order(now, Order::Close { session: SessionId(session) });
    }
    take(&mut worker, now);
    assert_eq!((worker.load().sessions, worker.load().recordings), (0, 0));
});

fn call(kind: u8) -> Worker {
    let wall = Duration::from_secs(1_700_000_000);
    let config = WorkerConfig { seed: [1; 32], started: *START, wall, max_sessions: 2, max_recordings: 1 };
    let mut worker = Worker::new(&config);
    let second = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus][usize::from(kind & 3)];
    for (number, codec) in [(0, Codec::Pcma), (1, second)] {
        let payload_type = codec.static_payload_type().unwrap_or(111);
        let key = |first: u8| SrtpKey { suite: SrtpSuite::AesCm128HmacSha1_80, key: [first; 30] };
        let is_secured = number == 1 && kind & 4 != 0;
        let stream = Stream {
            codec,
            payload_type,
            receive_payload_type: payload_type,
            keys: Some(101),
            receive_keys: Some(101),
            remote: Some(party(number)),
            keys_clock: 8_000,
            key_tones: kind & 8 != 0,
            sources: Sources::Any { signalling: None },
            remote_rtcp: None,
            rtcp_mux: kind & 16 != 0,
            crypto: is_secured.then(|| Crypto { ours: key(1), theirs: key(2) }),
            comfort: None,
            silence: Some(Duration::from_secs(1)),
            send: true,
            receive: true,
            packet_ms: 20,
        };
        let (session, address) = (SessionId(number.into()), AddressId(number.into()));
        worker.handle_order(*START, Order::Open { session, address, stream: Some(stream) });
    }
    let (a, b) = (SessionId(0), SessionId(1));
    worker.handle_order(*START, Order::Join { a, b });
    let recording = RecordingKey(1);
    worker.handle_order(*START, Order::Record { recording, file: PathBuf::new(), customer: vec![a], agent: vec![b] });
    worker
}

fn party(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 4000))
}

fn take(worker: &mut Worker, now: Instant) {
    worker.handle_timeout(now);
    let mut buffer = [0; PACKET];
    while let Some(output) = worker.poll_output(&mut buffer) {
        match output {
            Output::Packet(packet) => assert!(!packet.bytes.is_empty()),
            Output::Recording(RecordingStep::Sound { sound, .. }) => {
                assert_eq!(sound.len() % media::wav::MOMENT, 0);
                worker.give_back(sound);
            }
            Output::Recording(_) | Output::Report(_) | Output::Freed(_) => {}
        }
    }
}
