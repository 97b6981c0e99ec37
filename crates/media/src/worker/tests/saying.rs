//! Clips that are said once, and played over and over.

use super::{Floor, Got, to};
use crate::tone::{Tone, share};
use crate::{Clip, Codec, Order, Output, Report, SessionId, Sound, Stream};

const PARTY: SessionId = SessionId(1);

/// So many milliseconds of a tone.
fn clip(hertz: u16, milliseconds: usize) -> Clip {
    let mut samples = vec![0; milliseconds * 8];
    Tone::new(Sound::Tone { hertz }).fill_samples(&mut samples);
    Clip::new(samples)
}

fn say(say: u32, clips: &[&Clip]) -> Order {
    Order::Say { session: PARTY, say, clips: clips.iter().map(|clip| (*clip).clone()).collect() }
}

fn sound(got: &[Got]) -> Vec<i16> {
    got.iter().flat_map(|got| got.payload.iter().map(|&byte| Codec::Pcma.decode(byte))).collect()
}

/// Lets time pass; gives when what was said was told, in milliseconds.
fn told(floor: &mut Floor, milliseconds: u64) -> Vec<(u64, u32)> {
    let mut told = Vec::new();
    for at in 1..=milliseconds {
        for (output, _) in floor.pass(1) {
            if let Output::Report(Report::Said { session: PARTY, say }) = output {
                told.push((at, say));
            }
        }
    }
    told
}

#[test]
fn clips_are_said_once_one_after_the_other_and_then_nothing() {
    let mut floor = Floor::new();
    floor.open(1, to(1));
    let (first, second) = (clip(700, 500), clip(1000, 250));

    floor.order(say(7, &[&first, &second]));
    let got = floor.played(2_000);

    let sound = sound(&got);
    assert_eq!(got.len(), 38);
    assert!(got.windows(2).all(|two| two[1].header.timestamp == two[0].header.timestamp.wrapping_add(160)));
    assert!(share(&sound[..4000], 700) > 0.99 && share(&sound[4000..6000], 1000) > 0.99);
    assert!(sound[6000..].iter().all(|sample| sample.abs() <= 8));
}

#[test]
fn its_end_is_told_once_when_its_last_packet_has_had_its_time() {
    for (packet_ms, at) in [(10, 110), (20, 120), (30, 150), (60, 180)] {
        let mut floor = Floor::new();
        floor.open(1, Stream { packet_ms, ..to(1) });

        floor.order(say(3, &[&clip(700, 100)]));

        assert_eq!(told(&mut floor, 2_000), [(at, 3)]);
        assert_eq!(floor.worker.load().playing, 0);
    }
}

#[test]
fn whoever_cannot_hear_is_told_of_by_time() {
    for stream in [Stream { send: false, ..to(1) }, Stream { remote: None, ..to(1) }] {
        let mut floor = Floor::new();
        floor.open(1, stream);

        floor.order(say(3, &[&clip(700, 1_000)]));

        assert_eq!(told(&mut floor, 3_000), [(1_020, 3)]);
    }
}

#[test]
fn whoever_comes_late_hears_what_is_left() {
    let mut floor = Floor::new();
    floor.open(1, Stream { send: false, ..to(1) });
    floor.order(say(3, &[&clip(700, 500), &clip(1000, 500)]));

    floor.pass(510);
    floor.change(1, to(1));
    let got = floor.played(2_000);

    assert_eq!(got.len(), 25);
    assert!(share(&sound(&got), 1000) > 0.99);
}

#[test]
fn nothing_to_say_has_been_said_at_once_and_ends_what_played() {
    let mut floor = Floor::new();
    floor.open(1, to(1));
    floor.order(Order::Play { session: PARTY, sound: Sound::Music });

    floor.order(say(4, &[]));
    let reports = floor.reports();
    floor.order(say(5, &[&Clip::new([])]));

    assert_eq!(reports, [Report::Said { session: PARTY, say: 4 }]);
    assert_eq!(floor.reports(), [Report::Said { session: PARTY, say: 5 }]);
    assert_eq!((floor.played(1_000).len(), floor.worker.load().playing), (0, 0));
}

#[test]
fn what_is_stopped_or_followed_by_another_sound_is_not_told() {
    let long = clip(700, 1_000);
    for end in [Order::Stop { session: PARTY }, Order::Play { session: PARTY, sound: Sound::Music }] {
        let mut floor = Floor::new();
        floor.open(1, to(1));
        floor.order(say(1, &[&long]));
        floor.pass(500);

        floor.order(end);

        assert_eq!(told(&mut floor, 3_000), []);
    }
}

#[test]
fn what_is_said_next_ends_what_was_said_before_and_only_that_is_told() {
    let mut floor = Floor::new();
    floor.open(1, to(1));
    floor.order(say(1, &[&clip(700, 1_000)]));
    floor.pass(500);

    floor.order(say(2, &[&clip(1000, 200)]));

    assert_eq!(told(&mut floor, 3_000), [(220, 2)]);
    assert_eq!(floor.worker.load().playing, 0);
}

#[test]
fn the_partner_is_heard_again_when_all_is_said() {
    let mut floor = Floor::joined(to(1), to(2));
    floor.say(2, 0);
    floor.order(say(1, &[&clip(700, 100)]));
    let during = floor.say(2, 1);

    let got = floor.played(140);
    let after = floor.say(2, 8).unwrap().header;

    assert_eq!((during, got.len()), (None, 5));
    assert_eq!(after.ssrc, got[0].header.ssrc);
    assert_eq!(after.sequence, got[4].header.sequence.wrapping_add(1));
}

#[test]
fn a_clip_that_is_played_begins_again_without_a_gap() {
    let mut floor = Floor::new();
    floor.open(1, to(1));

    floor.order(Order::Play { session: PARTY, sound: Sound::Clip(clip(1000, 250)) });
    let sound = sound(&floor.played(2_000));

    assert_eq!(sound.len(), 16_000);
    assert!(share(&sound, 1000) > 0.99);
    floor.order(Order::Play { session: PARTY, sound: Sound::Clip(Clip::new([])) });
    assert!(self::sound(&floor.played(200)).iter().all(|sample| sample.abs() <= 8));
}
