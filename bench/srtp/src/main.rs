//! What a relayed packet costs the media worker, in the clear and secured: nanoseconds a packet.
//!
//! 100 calls, 20 ms of A-law each time. Only the worker is timed: no sockets, and what the parties say is made before.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::rtp::Header;
use media::{
    AddressId, Codec, Crypto, Order, Output, PACKET, SessionId, Sources, SrtpKey, SrtpSuite, Stream, Worker,
    WorkerConfig,
};

const CALLS: u32 = 100;
const PACKETS: u32 = 1000;

fn main() {
    println!("{CALLS} calls, {PACKETS} packets each, 160 bytes of sound:");
    for (name, from, to) in [
        ("clear -> clear", false, false),
        ("clear -> secured", false, true),
        ("secured -> clear", true, false),
        ("secured -> secured", true, true),
    ] {
        let mut costs: Vec<_> = (0..7).map(|_| cost(from, to)).collect();
        costs.sort_by(f64::total_cmp);
        println!("{name:<20} {:5.0} ns", costs[3]);
    }
    println!("{:<20} {:5.0} ns", "forged, refused", forged());
}

/// Nanoseconds a packet.
fn cost(from_secured: bool, to_secured: bool) -> f64 {
    let started = Instant::now();
    let mut worker = calls(started, from_secured, to_secured);
    // What secured parties say is sealed by a worker that hears them in the clear.
    let mut phones = calls(started, false, from_secured);
    let mut said: Vec<Vec<(usize, [u8; 200])>> = Vec::new();
    let mut buffer = [0; PACKET];
    for call in 0..CALLS {
        let sealed = (0..PACKETS).map(|n| {
            let length = plain(call, n, &mut buffer);
            let now = started + Duration::from_millis(u64::from(n) * 20);
            let sent = phones.handle_sound(now, AddressId(2 * call), party(2 * call), length, &mut buffer).unwrap();
            let mut packet = [0; 200];
            packet[..sent.bytes.len()].copy_from_slice(&buffer[sent.bytes.clone()]);
            (sent.bytes.len(), packet)
        });
        said.push(sealed.collect());
    }
    let mut spent = Duration::ZERO;
    for n in 0..PACKETS {
        let now = started + Duration::from_millis(u64::from(n) * 20);
        let begin = cpu();
        for call in 0..CALLS {
            let (length, packet) = &said[call as usize][n as usize];
            buffer[..200].copy_from_slice(packet);
            let sent = worker.handle_sound(now, AddressId(2 * call), party(2 * call), *length, &mut buffer);
            assert!(sent.is_some());
        }
        spent += cpu() - begin;
    }
    spent.as_nanos() as f64 / f64::from(CALLS * PACKETS)
}

/// Nanoseconds for a packet that does not authenticate.
fn forged() -> f64 {
    let started = Instant::now();
    let mut worker = calls(started, true, false);
    let mut buffer = [0; PACKET];
    let begin = cpu();
    for n in 0..CALLS * PACKETS {
        let length = plain(n, n, &mut buffer) + 10;
        assert!(worker.handle_sound(started, AddressId(0), party(9), length, &mut buffer).is_none());
    }
    (cpu() - begin).as_nanos() as f64 / f64::from(CALLS * PACKETS)
}

/// A worker with calls between parties 2n and 2n + 1.
fn calls(started: Instant, first_secured: bool, second_secured: bool) -> Worker {
    let wall = Duration::from_secs(1_700_000_000);
    let mut worker = Worker::new(&WorkerConfig { seed: [1; 32], started, wall, max_sessions: 1000, max_recordings: 0 });
    for number in 0..2 * CALLS {
        let secured = if number % 2 == 0 { first_secured } else { second_secured };
        let (session, address) = (SessionId(number.into()), AddressId(number));
        worker.handle_order(started, Order::Open { session, address, stream: Some(stream(number, secured)) });
    }
    for call in 0..u64::from(CALLS) {
        worker.handle_order(started, Order::Join { a: SessionId(2 * call), b: SessionId(2 * call + 1) });
    }
    let mut buffer = [0; PACKET];
    while let Some(Output::Report(_)) = worker.poll_output(&mut buffer) {}
    worker
}

/// All share one key, so that what one worker seals another opens.
fn stream(number: u32, secured: bool) -> Stream {
    let key = SrtpKey { suite: SrtpSuite::AesCm128HmacSha1_80, key: std::array::from_fn(|n| n as u8) };
    Stream {
        codec: Codec::Pcma,
        payload_type: 8,
        receive_payload_type: 8,
        keys: Some(101),
        receive_keys: Some(101),
        keys_clock: 8_000,
        key_tones: false,
        remote: Some(party(number)),
        sources: Sources::Any { signalling: None },
        remote_rtcp: None,
        rtcp_mux: false,
        crypto: secured.then(|| Crypto { ours: key.clone(), theirs: key }),
        comfort: None,
        silence: None,
        send: true,
        receive: true,
        packet_ms: 20,
    }
}

/// Time this thread has had of a processor.
fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a whole timespec that lives through the call.
    let told = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(told, 0, "the system tells no time of threads");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn plain(ssrc: u32, n: u32, buffer: &mut [u8]) -> usize {
    let header = Header { marker: n == 0, payload_type: 8, sequence: n as u16, timestamp: n * 160, ssrc };
    buffer[..12].copy_from_slice(&header.print());
    buffer[12..172].fill(n as u8);
    172
}

fn party(number: u32) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 10_000 + 2 * number as u16))
}
