//! What is heard through networks of several kinds.

use super::*;
use crate::codec::{Encoder, Law};
use crate::fixture::{level, roughness, segmental_snr, speech};

/// A speaker, and one who takes 20 ms of what he says at a time.
struct Line {
    ear: Ear,
    codec: Codec,
    /// What comes and when, in order of coming.
    packets: Vec<(Ticks, u32, Vec<u8>)>,
    heard: Vec<i16>,
    taken: Vec<Taken>,
    due: Option<Ticks>,
}

/// When the first packet is sent.
const BEGIN: Ticks = 8_000;

impl Line {
    /// Packets of 20 ms, each as late as `late` says, in ticks; None is lost.
    fn new(codec: Codec, sound: &[i16], mut late: impl FnMut(u64) -> Option<u64>) -> Self {
        let mut encoder = Encoder::new(codec).unwrap();
        let packet = 20 * codec.samples_per_ms();
        let mut packets = Vec::new();
        for (n, sound) in (0u64..).zip(sound.chunks_exact(packet)) {
            let mut payload = [0; 1000];
            let length = encoder.encode(sound, &mut payload).unwrap();
            if let Some(late) = late(n) {
                let timestamp = 77 + n as u32 * 160 * codec.clock_scale();
                packets.push((BEGIN + n * 160 + late, timestamp, payload[..length].to_vec()));
            }
        }
        packets.sort_by_key(|(at, ..)| *at);
        let ear = Ear::new(codec).unwrap();
        Self { ear, codec, packets, heard: Vec::new(), taken: Vec::new(), due: None }
    }

    fn run(&mut self) {
        for (at, timestamp, payload) in std::mem::take(&mut self.packets) {
            self.take_until(at);
            let arrival = Arrival { kind: Kind::Sound(self.codec), run: 1, timestamp, payload: &payload };
            self.put(at, &arrival);
        }
    }

    fn put(&mut self, at: Ticks, arrival: &Arrival) {
        if let Some(due) = self.ear.put(at, arrival) {
            assert_eq!(self.due, None);
            self.due = Some(due);
        }
    }

    fn take_until(&mut self, until: Ticks) {
        while let Some(due) = self.due.filter(|due| *due <= until) {
            let mut sound = vec![0; 20 * self.ear.samples_per_ms()];
            let taken = self.ear.take(due, &mut sound);
            self.due = (taken != Taken::Nothing).then_some(due + 160);
            self.taken.push(taken);
            self.heard.extend_from_slice(&sound);
        }
    }

    /// How much later than the fastest packets sound is taken now.
    fn waits(&self) -> i64 {
        self.due.unwrap() as i64 - self.ear.cursor.unwrap() - self.ear.buffer.due(0) + self.ear.buffer.held()
    }

    /// How many milliseconds of what was heard were made up.
    fn filled_ms(&self) -> i64 {
        self.ear.filled_ever() / 8
    }
}

/// Numbers that look random, below `below`.
fn numbers(seed: u32) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u64::from(state >> 8) % below
    }
}

#[test]
fn on_an_even_network_every_sample_comes_as_it_was_said() {
    let said = speech(8_000, 5);
    let mut line = Line::new(Codec::Pcma, &said, |_| Some(400));

    line.run();

    let expected: Vec<i16> = said.iter().map(|&sample| Law::A.decode(Law::A.encode(sample))).collect();
    assert!(line.heard.len() > 7_500 * 5);
    assert!(line.heard[..] == expected[..line.heard.len()]);
    assert_eq!(line.filled_ms(), 0);
}

#[test]
fn a_lost_packet_is_made_up_for_and_nothing_moves() {
    for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
        let said = speech(codec.sample_rate(), 5);
        let mut line = Line::new(codec, &said, |n| (n % 20 != 7).then_some(0));

        line.run();

        let (_, ratio) = segmental_snr(&said, &line.heard, codec.sample_rate(), 20);
        assert!(ratio > 8.0, "{codec:?} {ratio}");
        assert!((220..=260).contains(&line.filled_ms()), "{}", line.filled_ms());
        assert!(roughness(&line.heard) < roughness(&said) * 1.5, "{codec:?}");
    }
}

#[test]
fn a_bad_network_costs_what_it_loses_and_clicks_nowhere() {
    for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
        let said = speech(codec.sample_rate(), 30);
        let mut number = numbers(5);
        // 5 % lost, up to 50 ms uneven: many come out of order.
        let mut line = Line::new(codec, &said, |_| (number(100) >= 5).then(|| number(400)));

        line.run();

        let lost_ms = 30_000 * 5 / 100;
        assert!(line.filled_ms() < lost_ms * 3 / 2, "{codec:?} {}", line.filled_ms());
        let mut even = Line::new(codec, &said, |_| Some(0));
        even.run();
        let (rough, smooth) = (roughness(&line.heard), roughness(&even.heard));
        assert!(rough < smooth * 1.3, "{codec:?}: {rough} {smooth} {}", roughness(&said));
        assert!((level(&line.heard) - level(&said)).abs() < 2.0, "{codec:?}");
        let late = 30_000 - line.heard.len() as i64 / codec.samples_per_ms() as i64;
        assert!(late < 200, "{codec:?} {late}");
    }
}

#[test]
fn a_network_that_becomes_slower_is_waited_for_and_one_that_becomes_faster_again_is_not() {
    let said = speech(8_000, 40);
    let mut line = Line::new(Codec::Pcma, &said, |n| Some(if (500..1000).contains(&n) { 800 } else { 0 }));

    line.run();

    // 100 ms were said twice or made up, and taken back later.
    assert!((20..=160).contains(&line.filled_ms()), "{}", line.filled_ms());
    let waits = line.waits();
    assert!((10 * MS..=40 * MS).contains(&waits), "{waits}");
    assert!(roughness(&line.heard) < roughness(&said) * 1.5);
}

#[test]
fn half_an_hour_of_a_clock_that_drifts_stays_within_a_packet() {
    for drift in [-40i64, 0, 40] {
        let said = speech(8_000, 2);
        let payloads: Vec<Vec<u8>> =
            said.chunks_exact(160).map(|packet| packet.iter().map(|&sample| Law::U.encode(sample)).collect()).collect();
        let mut ear = Ear::new(Codec::Pcmu).unwrap();
        let mut due = None;
        let mut taken = 0i64;
        let packets = 30 * 60 * 50i64;
        let mut moment = 0;
        for n in 0..packets {
            // The sender's clock is wrong by so many millionths.
            moment = (BEGIN as i64 + n * 160 + n * 160 * drift / 1_000_000) as u64;
            while let Some(at) = due.filter(|at| *at <= moment) {
                let mut sound = [0; 160];
                assert_eq!(ear.take(at, &mut sound), Taken::Sound);
                taken += 160;
                due = Some(at + 160);
            }
            let payload = &payloads[n as usize % payloads.len()];
            let arrival = Arrival { kind: Kind::Sound(Codec::Pcmu), run: 1, timestamp: n as u32 * 160, payload };
            if let Some(begin) = ear.put(moment, &arrival) {
                due = Some(begin);
            }
        }

        let waits = ear.buffer.due(ear.cursor.unwrap()) - moment as i64;
        assert!((0..=45 * 8).contains(&waits), "{drift}: {waits}");
        assert_eq!(ear.filled_ever(), 0, "{drift}");
        assert!((taken - (moment - BEGIN) as i64).abs() <= 320);
    }
}

#[test]
fn who_says_nothing_is_idle_and_begins_again_in_time() {
    let said = speech(8_000, 4);
    let mut line = Line::new(Codec::Pcma, &said, |n| (!(50..150).contains(&n)).then_some(0));

    line.run();

    let idle = line.taken.iter().filter(|taken| **taken == Taken::Nothing).count();
    assert_eq!(idle, 1);
    assert!(line.filled_ms() <= 420);
    let spoken = line.heard.len() as i64 - line.filled_ms() * 8 - 160;
    assert!((spoken - 100 * 160).abs() <= 480, "{spoken}");
}

#[test]
fn comfort_noise_lasts_until_somebody_speaks_again() {
    let said = speech(8_000, 1);
    let mut line = Line::new(Codec::Pcma, &said, |_| Some(0));
    line.run();
    let at = BEGIN + 8_000;
    let timestamp = 77 + 8_000;
    line.put(at, &Arrival { kind: Kind::Noise(40), run: 1, timestamp, payload: &[] });
    line.take_until(at + 8_000 * 3);

    let noise = &line.heard[line.heard.len() - 16_000..];
    let told = 20.0 * 32_768f64.log10() - 40.0;
    assert!((level(noise) - told).abs() < 2.0, "{}", level(noise));
    assert_eq!(line.taken.last(), Some(&Taken::Noise(40)));

    line.put(
        at + 24_000,
        &Arrival { kind: Kind::Sound(Codec::Pcma), run: 1, timestamp: timestamp + 24_000, payload: &[0; 160] },
    );
    line.take_until(at + 24_400);
    assert_eq!(line.taken.last(), Some(&Taken::Sound));
}

#[test]
fn another_run_goes_on_where_the_first_ended() {
    let said = speech(8_000, 2);
    let mut line = Line::new(Codec::Pcma, &said, |_| Some(0));
    line.run();
    for n in 0..50u32 {
        let at = BEGIN + 16_000 + u64::from(n) * 160;
        line.take_until(at);
        let timestamp = 4_000_000_000u32.wrapping_add(n * 160);
        line.put(at, &Arrival { kind: Kind::Sound(Codec::Pcma), run: 2, timestamp, payload: &[0x2a; 160] });
    }

    assert_eq!(line.taken.iter().filter(|taken| **taken == Taken::Nothing).count(), 0);
    assert!(line.filled_ms() <= 60, "{}", line.filled_ms());
    assert!(line.heard.ends_with(&[Law::A.decode(0x2a); 160]));
}

#[test]
fn what_was_held_up_for_long_is_not_all_played() {
    let said = speech(8_000, 10);
    // Two seconds are held up and come at once.
    let mut line = Line::new(Codec::Pcma, &said, |n| Some(if (200..300).contains(&n) { (300 - n) * 160 } else { 0 }));

    line.run();

    let late = said.len() as i64 - line.heard.len() as i64;
    assert!(late < 16_000 + 8 * 100, "{late}");
    let tail = &line.heard[line.heard.len() - 16_000..];
    assert!((level(tail) - level(&said[64_000..])).abs() < 3.0);
}

#[test]
fn g711_is_understood_where_a_wide_codec_was_agreed_on() {
    let mut ear = Ear::new(Codec::Opus).unwrap();
    let said = speech(8_000, 2);
    let mut heard = Vec::new();
    for (n, packet) in (0u64..).zip(said.chunks_exact(160)) {
        let payload: Vec<u8> = packet.iter().map(|&sample| Law::A.encode(sample)).collect();
        let arrival = Arrival { kind: Kind::Sound(Codec::Pcma), run: 1, timestamp: n as u32 * 960, payload: &payload };
        ear.put(BEGIN + n * 160, &arrival);
        if n >= 2 {
            let mut sound = [0; 320];
            ear.take(BEGIN + n * 160, &mut sound);
            heard.extend_from_slice(&sound);
        }
    }

    assert!((level(&heard) - level(&said)).abs() < 1.0);
}
