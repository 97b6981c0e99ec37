//! What tests share.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Instant;

use crate::{Codec, Sources, Stream};

static START: LazyLock<Instant> = LazyLock::new(|| {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant can be had in no other way; all others are reckoned from it"
    )]
    Instant::now()
});

/// The moment at which all tests begin.
pub(crate) fn start() -> Instant {
    *START
}

/// A made-up address.
pub(crate) fn host(number: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], port))
}

/// Nothing is known of where a party is besides its SDP.
pub(crate) fn anyone() -> Sources {
    Sources::Any { signalling: None }
}

/// A stream of A-law and keys to this party.
pub(crate) fn stream(remote: SocketAddr) -> Stream {
    Stream {
        codec: Codec::Pcma,
        payload_type: 8,
        receive_payload_type: 8,
        keys: Some(101),
        receive_keys: Some(101),
        keys_clock: 8_000,
        key_tones: true,
        remote: Some(remote),
        sources: anyone(),
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

/// A tone.
pub(crate) fn sine(rate: u32, hertz: f64, peak: i16, samples: usize) -> Vec<i16> {
    let step = std::f64::consts::TAU * hertz / f64::from(rate);
    (0..samples).map(|n| ((n as f64 * step).sin() * f64::from(peak)) as i16).collect()
}

/// How loud sound is, in dB over one step.
pub(crate) fn level(sound: &[i16]) -> f64 {
    let energy: f64 = sound.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    10.0 * (energy / sound.len() as f64 + 1e-9).log10()
}

/// The largest bend in sound: a click is a bend that nothing in it explains.
pub(crate) fn roughness(sound: &[i16]) -> f64 {
    let bend = |three: &[i16]| f64::from(three[0]) - 2.0 * f64::from(three[1]) + f64::from(three[2]);
    sound.windows(3).map(|three| bend(three).abs()).fold(0.0, f64::max)
}

/// Somebody talking: voiced syllables with a moving pitch and three formants, hisses, and pauses. Nothing above 3.4 kHz.
pub(crate) fn speech(rate: u32, seconds: u32) -> Vec<i16> {
    const VOWELS: [(f64, [f64; 3]); 6] = [
        (120.0, [700.0, 1200.0, 2500.0]),
        (150.0, [300.0, 2300.0, 3000.0]),
        (110.0, [500.0, 1800.0, 2500.0]),
        (170.0, [450.0, 800.0, 2600.0]),
        (135.0, [350.0, 700.0, 2400.0]),
        (190.0, [600.0, 1000.0, 2700.0]),
    ];
    let mut phase = 0.0;
    let mut hiss = 7u32;
    let mut filtered = [0.0; 2];
    let sample = |n: u32| {
        let at = f64::from(n) / f64::from(rate);
        let syllable = (at / 0.22) as usize;
        let within = at / 0.22 - syllable as f64;
        let (pitch, formants) = VOWELS[syllable % VOWELS.len()];
        phase = (phase + (pitch * (1.0 + 0.12 * (within * 5.0).sin())) / f64::from(rate)) % 1.0;
        if syllable % 5 == 4 {
            return 0.0;
        }
        if within < 0.2 {
            hiss = hiss.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = f64::from((hiss >> 16) as u16) / 32_768.0 - 1.0;
            // Around 2 kHz, the same at every rate.
            let turn = std::f64::consts::TAU * 2000.0 / f64::from(rate);
            let next = white * 300.0 + 2.0 * 0.9 * turn.cos() * filtered[0] - 0.81 * filtered[1];
            filtered = [next, filtered[0]];
            return next * (within / 0.2 * std::f64::consts::PI).sin();
        }
        let swell = ((within - 0.2) / 0.8 * std::f64::consts::PI).sin();
        let near = |hertz: f64, formant: f64| 1.0 / (1.0 + ((hertz - formant) / 120.0).powi(2));
        let harmonics = (3300.0 / pitch / 1.12) as u32;
        let voice: f64 = (1..=harmonics)
            .map(|harmonic| {
                let hertz = pitch * f64::from(harmonic);
                let [first, second, third] = formants;
                let loudness = near(hertz, first) + 0.5 * near(hertz, second) + 0.25 * near(hertz, third) + 0.02;
                loudness * (std::f64::consts::TAU * phase * f64::from(harmonic)).sin()
            })
            .sum();
        swell * voice * 5_000.0
    };
    (0..rate * seconds).map(sample).map(|sample| sample.clamp(-30_000.0, 30_000.0) as i16).collect()
}

/// How far `heard` follows `said`: how much later it comes, in samples, and the mean signal-to-noise ratio of all pieces of
/// 20 ms in which something is said, in dB.
pub(crate) fn segmental_snr(said: &[i16], heard: &[i16], rate: u32, latest_ms: usize) -> (usize, f64) {
    let piece = rate as usize / 50;
    let latest = latest_ms * rate as usize / 1000;
    let from = rate as usize;
    let likeness = |late: usize| -> f64 {
        let pairs = said[from..3 * from].iter().zip(&heard[from + late..]);
        pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let late = (0..latest).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b))).unwrap_or(0);
    let ratios: Vec<f64> = said[from..]
        .chunks_exact(piece)
        .zip(heard[from + late..].chunks_exact(piece))
        .filter(|(said, _)| level(said) > 40.0)
        .map(|(said, heard)| {
            let noise: Vec<i16> = said.iter().zip(heard).map(|(a, b)| a.saturating_sub(*b)).collect();
            (level(said) - level(&noise)).clamp(-10.0, 60.0)
        })
        .collect();
    (late, ratios.iter().sum::<f64>() / ratios.len() as f64)
}
