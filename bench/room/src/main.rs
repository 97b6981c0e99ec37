//! What it costs a media worker when three hear each other, and when many hear music: parts of a core.
//!
//! Ten seconds of packets of 20 ms. Only the worker is timed: no sockets, and what the parties say is made before.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::rtp::Header;
use media::tone::Tone;
use media::{
    AddressId, Clip, Codec, Order, Output, PACKET, SessionId, Sound, Sources, Stream, Worker, WorkerConfig,
};

const PACKETS: u32 = 500;
const ROOMS: u32 = 20;
const WAITING: u32 = 200;

fn main() {
    for codec in [Codec::Pcma, Codec::Pcmu] {
        let cost = median(|| conferences(codec)) / f64::from(ROOMS);
        println!("a conference of three in {codec:?}: {:.3} % of a core", 100.0 * cost);
    }
    for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
        for (name, sound) in [("our melody", Sound::Music), ("a clip", Sound::Clip(clip()))] {
            let cost = median(|| waiting(codec, &sound));
            println!("{WAITING} callers hearing {name} in {codec:?}: {:.1} % of a core", 100.0 * cost);
        }
    }
}

/// Conferences of three, of whom all speak.
fn conferences(codec: Codec) -> f64 {
    let started = Instant::now();
    let mut worker = worker(started, 3 * ROOMS, codec);
    for room in 0..ROOMS {
        for member in 0..3 {
            let others = (0..3).filter(|other| *other != member);
            let hears = others.map(|other| SessionId((3 * room + other).into())).collect();
            worker.handle_order(started, Order::Hear { session: SessionId((3 * room + member).into()), hears });
        }
    }
    let mut tones: Vec<Tone> = [500, 900, 1300].map(|hertz| Tone::new(Sound::Tone { hertz })).into();
    let mut buffer = [0; PACKET];
    let (mut spent, mut sent) = (Duration::ZERO, 0);
    for n in 0..PACKETS {
        let said: Vec<[u8; 160]> = tones
            .iter_mut()
            .map(|tone| {
                let mut sound = [0; 160];
                tone.fill(codec, &mut sound);
                sound
            })
            .collect();
        let now = started + Duration::from_millis(u64::from(n) * 20);
        let begin = cpu();
        for number in 0..3 * ROOMS {
            let payload_type = codec.static_payload_type().unwrap_or(96);
            let header =
                Header { marker: n == 0, payload_type, sequence: n as u16, timestamp: n * 160, ssrc: number };
            buffer[..12].copy_from_slice(&header.print());
            buffer[12..172].copy_from_slice(&said[number as usize % 3]);
            worker.handle_sound(now, AddressId(number), party(number), 172, &mut buffer);
        }
        sent += drive(&mut worker, now, &mut buffer);
        spent += cpu() - begin;
    }
    assert!(sent >= 3 * ROOMS * (PACKETS - 10), "{sent} packets");
    spent.as_secs_f64() / (f64::from(PACKETS) * 0.02)
}

/// Many who wait.
fn waiting(codec: Codec, sound: &Sound) -> f64 {
    media::music::prepare();
    let started = Instant::now();
    let mut worker = worker(started, WAITING, codec);
    for number in 0..WAITING {
        worker.handle_order(started, Order::Play { session: SessionId(number.into()), sound: sound.clone() });
    }
    let mut buffer = [0; PACKET];
    let mut sent = 0;
    let begin = cpu();
    for n in 0..PACKETS {
        sent += drive(&mut worker, started + Duration::from_millis(u64::from(n) * 20), &mut buffer);
    }
    let spent = cpu() - begin;
    assert!(sent >= WAITING * (PACKETS - 10), "{sent} packets");
    spent.as_secs_f64() / (f64::from(PACKETS) * 0.02)
}

/// Takes what is due; gives how many packets that were.
fn drive(worker: &mut Worker, now: Instant, buffer: &mut [u8]) -> u32 {
    worker.handle_timeout(now);
    let mut sent = 0;
    while let Some(output) = worker.poll_output(buffer) {
        sent += u32::from(matches!(output, Output::Packet(_)));
    }
    sent
}

fn worker(started: Instant, parties: u32, codec: Codec) -> Worker {
    let wall = Duration::from_secs(1_700_000_000);
    let mut worker = Worker::new(&WorkerConfig { seed: [1; 32], started, wall, max_sessions: 1000, max_recordings: 0 });
    for number in 0..parties {
        let (session, address) = (SessionId(number.into()), AddressId(number));
        worker.handle_order(started, Order::Open { session, address, stream: Some(stream(number, codec)) });
    }
    worker
}

fn stream(number: u32, codec: Codec) -> Stream {
    let payload_type = codec.static_payload_type().unwrap_or(96);
    Stream {
        codec,
        payload_type,
        receive_payload_type: payload_type,
        keys: Some(101),
        receive_keys: Some(101),
        keys_clock: 8_000,
        key_tones: false,
        remote: Some(party(number)),
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

/// Ten seconds of a tone.
fn clip() -> Clip {
    let mut samples = vec![0; 80_000];
    Tone::new(Sound::Tone { hertz: 440 }).fill_samples(&mut samples);
    Clip::new(samples)
}

fn median(mut cost: impl FnMut() -> f64) -> f64 {
    let mut costs: Vec<f64> = (0..5).map(|_| cost()).collect();
    costs.sort_by(f64::total_cmp);
    costs[2]
}

/// Time this thread has had of a processor.
fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a whole timespec that lives through the call.
    let told = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(told, 0, "the system tells no time of threads");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn party(number: u32) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 10_000 + 2 * number as u16))
}
