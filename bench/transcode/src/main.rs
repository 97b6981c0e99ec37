//! What a call costs whose two parties speak different codecs: the share of a core that the media worker takes.
//!
//! Both parties talk all the time, in packets of 20 ms that come 3 ms uneven. Only the worker is timed; making what the
//! parties say, and the sockets, are not.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::codec::Encoder;
use media::{
    AddressId, Codec, Law, Order, Output, PACKET, SessionId, Sources, Stream, Worker, WorkerConfig,
};

const CALLS: u64 = 100;
const SECONDS: u64 = 20;

fn main() {
    use Codec::{G722, Opus, Pcma, Pcmu};
    println!("{CALLS} calls for {SECONDS} s, share of a core a call:");
    for (first, second) in [(Pcma, Pcma), (Pcma, Pcmu), (Opus, Opus), (G722, Pcma), (Opus, Pcma), (Opus, G722)] {
        println!("{:<12} {:.3} %", format!("{first:?}-{second:?}"), 100.0 * share([first, second]));
    }
}

fn share(codecs: [Codec; 2]) -> f64 {
    let started = Instant::now();
    let config =
        WorkerConfig { seed: [1; 32], started, wall: Duration::ZERO, max_sessions: 1000, max_recordings: 0 };
    let mut worker = Worker::new(&config);
    for party in 0..2 * CALLS {
        let session = SessionId(party);
        let stream = Some(stream(codecs[party as usize % 2], party));
        worker.handle_order(started, Order::Open { session, address: AddressId(party as u32), stream });
    }
    for call in 0..CALLS {
        worker.handle_order(started, Order::Join { a: SessionId(2 * call), b: SessionId(2 * call + 1) });
    }
    let said = codecs.map(packets);
    let mut buffer = vec![0; PACKET];
    let mut spent = Duration::ZERO;
    let mut sent = 0u64;
    for n in 0..SECONDS * 50 {
        let mut order: Vec<(u64, u64)> = (0..2 * CALLS).map(|party| ((party * 977 + n * 331) % 23, party)).collect();
        order.sort_unstable();
        let before = cpu();
        for (late, party) in order {
            let now = started + Duration::from_millis(n * 20 + late);
            let codec = codecs[party as usize % 2];
            let payload = &said[party as usize % 2][(n + party * 37) as usize % 500];
            let length = print(codec, party, n, payload, &mut buffer);
            let from = address(party);
            if worker.poll_timeout().is_some_and(|due| due <= now) {
                worker.handle_timeout(now);
            }
            sent += u64::from(worker.handle_sound(now, AddressId(party as u32), from, length, &mut buffer).is_some());
            while let Some(output) = worker.poll_output(&mut buffer) {
                sent += u64::from(matches!(output, Output::Packet(_)));
            }
        }
        spent += cpu() - before;
    }
    let expected = 2 * CALLS * SECONDS * 50;
    assert!(sent > expected * 95 / 100, "{sent} of {expected} packets");
    spent.as_secs_f64() / (CALLS * SECONDS) as f64
}

/// The time that this process has been running on a core.
fn cpu() -> Duration {
    let text = fs::read_to_string("/proc/self/schedstat").expect("Linux tells it");
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number comes first");
    Duration::from_nanos(nanoseconds)
}

fn address(party: u64) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 20_000 + 2 * party as u16))
}

fn payload_type(codec: Codec) -> u8 {
    codec.static_payload_type().unwrap_or(96)
}

fn stream(codec: Codec, party: u64) -> Stream {
    Stream {
        codec,
        payload_type: payload_type(codec),
        receive_payload_type: payload_type(codec),
        keys: Some(101),
        receive_keys: Some(101),
        keys_clock: 8_000,
        key_tones: true,
        remote: Some(address(party)),
        sources: Sources::Any { signalling: None },
        remote_rtcp: None,
        rtcp_mux: false,
        crypto: None,
        comfort: None,
        silence: None,
        send: true,
        receive: true,
        packet_ms: 20,
    }
}

fn print(codec: Codec, party: u64, n: u64, payload: &[u8], buffer: &mut [u8]) -> usize {
    let timestamp = (n * 160) as u32 * (codec.clock_rate() / 8_000);
    buffer[..2].copy_from_slice(&[0x80, payload_type(codec)]);
    buffer[2..4].copy_from_slice(&(n as u16).to_be_bytes());
    buffer[4..8].copy_from_slice(&timestamp.to_be_bytes());
    buffer[8..12].copy_from_slice(&(party as u32 + 1).to_be_bytes());
    buffer[12..12 + payload.len()].copy_from_slice(payload);
    12 + payload.len()
}

/// Ten seconds of speech in packets of 20 ms.
fn packets(codec: Codec) -> Vec<Vec<u8>> {
    let rate = codec.sample_rate();
    let mut encoder = Encoder::new(codec).expect("there is memory for an encoder");
    let sound: Vec<i16> = (0..rate * 10).map(|n| voice(n, rate)).collect();
    let encode = |piece: &[i16]| {
        let mut payload = vec![Law::A.encode(0); 1000];
        let length = encoder.encode(piece, &mut payload).expect("20 ms are a packet of every codec");
        payload.truncate(length);
        payload
    };
    sound.chunks_exact(rate as usize / 50).map(encode).collect()
}

/// A voice of many harmonics that rises and falls with its syllables.
fn voice(n: u32, rate: u32) -> i16 {
    let at = f64::from(n) / f64::from(rate);
    let pitch = 130.0 + 20.0 * (at * 2.0).sin();
    let swell = (at * 14.0).sin().max(0.0);
    let sum: f64 = (1..22)
        .map(f64::from)
        .map(|harmonic| (std::f64::consts::TAU * pitch * harmonic * at).sin() / (1.0 + (harmonic - 4.0).abs() / 2.0))
        .sum();
    (swell * sum * 4_000.0) as i16
}
