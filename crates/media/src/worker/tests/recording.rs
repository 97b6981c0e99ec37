//! Recordings from the order to the last buffer.

use std::path::PathBuf;
use std::time::Duration;

use super::{Floor, to, voice};
use crate::fixture::host;
use crate::tone::{Tone, share};
use crate::{Codec, Order, Output, RecordingKey, RecordingStep, Report, SessionId, Sound, Stream, Trouble};

/// A call between a customer (1, A-law, 440 Hz) and an agent (2, µ-law, 1 000 Hz) that is recorded.
struct Studio {
    floor: Floor,
    tones: [Tone; 2],
    n: u32,
    steps: Vec<RecordingStep>,
    /// Buffers are given back at once.
    keeps_up: bool,
}

const CODECS: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

impl Studio {
    fn new() -> Self {
        let second = Stream { codec: Codec::Pcmu, payload_type: 0, receive_payload_type: 0, ..to(2) };
        let mut floor = Floor::joined(to(1), second);
        floor.order(record(1));
        let tones = [440, 1000].map(|hertz| Tone::new(Sound::Tone { hertz }));
        Self { floor, tones, n: 0, steps: Vec::new(), keeps_up: true }
    }

    fn talk(&mut self, packets: u32) {
        for _ in 0..packets {
            for party in 1..=2u8 {
                let index = usize::from(party) - 1;
                let mut sound = [0; 160];
                self.tones[index].fill(CODECS[index], &mut sound);
                let header = crate::rtp::Header {
                    payload_type: CODECS[index].static_payload_type().unwrap(),
                    ..voice(party, self.n)
                };
                self.floor.send(party, host(party, 4000), header, &sound);
            }
            self.n += 1;
            self.pass(20);
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        for (output, _) in self.floor.pass(milliseconds) {
            let Output::Recording(step) = output else { continue };
            if let RecordingStep::Sound { sound, .. } = &step
                && self.keeps_up
            {
                self.floor.worker.give_back(sound.clone());
            }
            self.steps.push(step);
        }
    }

    fn stop(&mut self) {
        self.floor.order(Order::StopRecording { recording: RecordingKey(1) });
        self.pass(0);
    }

    /// Left and right, as far as they have come.
    fn sides(&self) -> [Vec<i16>; 2] {
        let mut sides = [Vec::new(), Vec::new()];
        for step in &self.steps {
            let RecordingStep::Sound { sound, .. } = step else { continue };
            for moment in sound.chunks(4) {
                sides[0].push(i16::from_le_bytes([moment[0], moment[1]]));
                sides[1].push(i16::from_le_bytes([moment[2], moment[3]]));
            }
        }
        sides
    }
}

fn record(recording: u64) -> Order {
    let file = PathBuf::from("call.wav");
    Order::Record { recording: RecordingKey(recording), file, customer: vec![SessionId(1)], agent: vec![SessionId(2)] }
}

#[test]
fn the_customer_is_on_the_left_and_the_agent_on_the_right() {
    let mut studio = Studio::new();

    studio.talk(150);
    studio.stop();

    let recording = RecordingKey(1);
    assert_eq!(studio.steps[0], RecordingStep::Begin { recording, file: PathBuf::from("call.wav") });
    assert_eq!(studio.steps.last(), Some(&RecordingStep::End { recording, gap: Duration::ZERO }));
    let [left, right] = studio.sides();
    assert_eq!((left.len(), right.len()), (24_000, 24_000));
    assert!(share(&left, 440) > 0.99 && share(&right, 1000) > 0.99);
}

#[test]
fn sound_is_handed_out_while_the_call_goes_on() {
    let mut studio = Studio::new();

    studio.talk(100);

    assert!(studio.sides()[0].len() >= 16_000 - 8 * 560, "{}", studio.sides()[0].len());
}

#[test]
fn a_muted_party_is_not_recorded() {
    let mut studio = Studio::new();
    studio.floor.order(Order::Mute { session: SessionId(1), muted: true });

    studio.talk(50);
    studio.stop();

    let [left, right] = studio.sides();
    assert!(left.iter().all(|sample| sample.abs() <= 8));
    assert!(share(&right, 1000) > 0.99);
}

#[test]
fn a_party_whom_nobody_hears_is_not_recorded() {
    let mut studio = Studio::new();
    studio.floor.order(Order::Part { session: SessionId(1) });

    studio.talk(50);
    studio.stop();

    let sides = studio.sides();
    assert!(sides.iter().flatten().all(|sample| *sample == 0));
    assert_eq!(sides[0].len(), 8000);
}

#[test]
fn a_writer_that_stands_still_costs_recording_time_and_no_sound() {
    let mut studio = Studio::new();
    studio.keeps_up = false;

    studio.talk(500);
    let heard = studio.floor.say(1, studio.n);
    studio.stop();

    let Some(RecordingStep::End { gap, .. }) = studio.steps.last() else { panic!() };
    let kept = Duration::from_micros(studio.sides()[0].len() as u64 * 125);
    assert!(heard.is_some());
    assert_eq!((kept, *gap), (Duration::from_millis(32 * 160), Duration::from_millis(10_000 - 32 * 160)));
}

#[test]
fn a_recording_ends_with_both_of_its_sessions_and_not_with_one() {
    let mut studio = Studio::new();
    studio.talk(10);

    studio.floor.close(1);
    let recordings = studio.floor.worker.load().recordings;
    studio.floor.close(2);
    studio.pass(0);
    studio.stop();

    assert_eq!((recordings, studio.floor.worker.load().recordings), (1, 0));
    let ends = studio.steps.iter().filter(|step| matches!(step, RecordingStep::End { .. })).count();
    assert_eq!(ends, 1);
}

#[test]
fn a_session_can_be_recorded_again_after_the_end_of_its_recording() {
    let mut studio = Studio::new();
    studio.talk(10);
    studio.stop();

    studio.floor.order(record(2));
    studio.pass(100);

    assert!(matches!(studio.steps.last(), Some(RecordingStep::Begin { recording: RecordingKey(2), .. })));
}

#[test]
fn a_recording_goes_on_with_another_side_in_its_place() {
    let mut studio = Studio::new();
    studio.talk(50);

    studio.floor.close(2);
    studio.talk(25);
    studio.floor.open(3, to(3));
    studio.floor.order(Order::Join { a: SessionId(1), b: SessionId(3) });
    studio.floor.order(sides(1, 3));
    let mut third = Tone::new(Sound::Tone { hertz: 2000 });
    for n in 0..50 {
        let mut sound = [0; 160];
        third.fill(Codec::Pcma, &mut sound);
        studio.floor.send(3, host(3, 4000), voice(3, n), &sound);
        studio.talk(1);
    }
    studio.stop();

    let [left, right] = studio.sides();
    assert_eq!(left.len(), 125 * 160);
    assert!(share(&right[..8000], 1000) > 0.99);
    assert!(right[8000..12_000].iter().all(|sample| *sample == 0));
    assert!(share(&right[12_000..], 2000) > 0.99);
    // Nobody hears the customer while there is no other side, so nothing is recorded of it.
    assert!(share(&left[..8000], 440) > 0.99 && share(&left[12_000..], 440) > 0.99);
    assert!(left[8000..12_000].iter().all(|sample| *sample == 0));
}

#[test]
fn whoever_a_recording_has_let_go_may_be_recorded_by_another() {
    let mut studio = Studio::new();
    studio.floor.open(3, to(3));
    studio.floor.open(4, to(4));

    studio.floor.order(sides(1, 3));
    let file = PathBuf::from("other.wav");
    let second =
        Order::Record { recording: RecordingKey(2), file, customer: vec![SessionId(4)], agent: vec![SessionId(2)] };
    studio.floor.order(second);
    studio.floor.order(sides(1, 2));
    studio.floor.close(1);
    studio.floor.close(3);

    assert_eq!(
        studio.floor.reports().into_iter().find(|report| matches!(report, Report::RecordingFailed { .. })),
        None
    );
    // The first has lost both of its sides, the second none.
    assert_eq!(studio.floor.worker.load().recordings, 1);
}

#[test]
fn sides_that_cannot_be_recorded_are_reported_and_change_nothing() {
    let mut studio = Studio::new();

    studio.floor.order(sides(1, 1));
    studio.floor.order(sides(1, 9));
    let reports = studio.floor.reports();
    studio.floor.order(Order::RecordSides {
        recording: RecordingKey(9),
        customer: vec![SessionId(1)],
        agent: vec![SessionId(2)],
    });
    studio.talk(50);
    studio.stop();

    let failed = |session, why| Report::Failed { session: SessionId(session), why };
    assert_eq!(reports, [failed(1, Trouble::SameSession), failed(9, Trouble::NoSuchSession)]);
    assert!(share(&studio.sides()[1], 1000) > 0.99);
}

#[test]
fn a_pause_is_silence_of_its_length() {
    let mut studio = Studio::new();
    let pause = |paused| Order::PauseRecording { recording: RecordingKey(1), paused };

    studio.talk(50);
    studio.floor.order(pause(true));
    studio.talk(50);
    studio.floor.order(pause(false));
    studio.talk(50);
    studio.stop();

    let [left, right] = studio.sides();
    assert_eq!(left.len(), 150 * 160);
    for (side, hertz) in [(&left, 440), (&right, 1000)] {
        assert!(share(&side[..8000], hertz) > 0.99 && share(&side[16_160..], hertz) > 0.99);
        assert!(side[8000..16_000].iter().all(|sample| *sample == 0));
    }
}

fn sides(customer: u64, agent: u64) -> Order {
    Order::RecordSides {
        recording: RecordingKey(1),
        customer: vec![SessionId(customer)],
        agent: vec![SessionId(agent)],
    }
}

#[test]
fn what_cannot_be_recorded_is_reported() {
    let mut studio = Studio::new();
    studio.floor.open(3, to(3));
    let key = RecordingKey(5);
    let file = PathBuf::from("call.wav");
    let record = |customer, agent| Order::Record {
        recording: key,
        file: file.clone(),
        customer: vec![SessionId(customer)],
        agent: vec![SessionId(agent)],
    };

    studio.floor.order(record(3, 3));
    studio.floor.order(record(3, 9));
    studio.floor.order(record(3, 1));

    let whys = [Trouble::SameSession, Trouble::NoSuchSession, Trouble::AlreadyRecorded];
    assert_eq!(studio.floor.reports(), whys.map(|why| Report::RecordingFailed { recording: key, why }));
}

#[test]
fn all_recordings_end_when_the_worker_does() {
    let mut studio = Studio::new();
    studio.talk(10);

    studio.floor.worker.stop_recordings(studio.floor.now);
    studio.pass(0);

    assert!(matches!(studio.steps.last(), Some(RecordingStep::End { .. })));
    assert_eq!(studio.sides()[0].len(), 1600);
    assert_eq!(studio.floor.worker.load().recordings, 0);
}
