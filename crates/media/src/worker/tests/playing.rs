//! Sounds that the worker makes.

use std::time::Duration;

use super::{Floor, to};
use crate::tone::{ToneListener, share};
use crate::{Codec, Order, SessionId, Sound, Stream};

#[test]
fn ringback_comes_in_even_packets_under_one_ssrc() {
    let mut floor = Floor::new();
    floor.open(1, to(1));
    floor.order(Order::Play { session: SessionId(1), sound: Sound::Ringback });

    let got = floor.played(10_000);

    assert_eq!(got.len(), 500);
    let first = got[0].header;
    assert!(first.marker);
    for (got, n) in got.iter().zip(0..) {
        assert_eq!((got.header.ssrc, got.header.payload_type, got.payload.len()), (first.ssrc, 8, 160));
        assert_eq!(got.header.sequence, first.sequence.wrapping_add(n));
        assert_eq!(got.header.timestamp, first.timestamp.wrapping_add(u32::from(n) * 160));
    }
    let mut listener = ToneListener::new(425);
    listener.listen(got.iter().flat_map(|got| got.payload.iter().map(|&byte| Codec::Pcma.decode(byte))));
    assert_eq!(listener.heard(), Duration::from_secs(2));
}

#[test]
fn packets_are_as_long_as_the_sdp_says() {
    for (packet_ms, packets, bytes) in [(10, 100, 80), (20, 50, 160), (30, 33, 240), (60, 16, 480)] {
        let mut floor = Floor::new();
        floor.open(1, Stream { packet_ms, ..to(1) });
        floor.order(Order::Play { session: SessionId(1), sound: Sound::Busy });

        let got = floor.played(1000);

        assert_eq!((got.len(), got[0].payload.len()), (packets, bytes));
    }
}

#[test]
fn the_partner_is_not_heard_while_a_sound_plays_and_follows_without_a_jump() {
    let mut floor = Floor::joined(to(1), to(2));
    let before = floor.say(1, 0).unwrap().header;
    floor.order(Order::Play { session: SessionId(2), sound: Sound::Tone { hertz: 700 } });
    let unheard = floor.say(1, 1);
    let played = floor.played(200);
    floor.order(Order::Stop { session: SessionId(2) });

    let after = floor.say(1, 10).unwrap().header;

    assert_eq!((unheard, played.len()), (None, 10));
    assert_eq!(played[0].header.sequence, before.sequence.wrapping_add(1));
    assert_eq!(after.sequence, before.sequence.wrapping_add(11));
    assert_eq!(after.timestamp, before.timestamp.wrapping_add(1760));
    let samples: Vec<i16> = played[0].payload.iter().map(|&byte| Codec::Pcma.decode(byte)).collect();
    assert!(share(&samples, 700) > 0.95);
}

#[test]
fn a_sound_is_sent_to_nobody_on_hold_and_to_no_unknown_address() {
    let mut floor = Floor::new();
    floor.open(1, Stream { send: false, ..to(1) });
    floor.open(2, Stream { remote: None, ..to(2) });
    for party in [1, 2] {
        floor.order(Order::Play { session: SessionId(party), sound: Sound::Ringback });
    }

    assert_eq!(floor.played(1000), []);
    floor.change(1, to(1));
    assert_eq!(floor.played(100).len(), 5);
}

#[test]
fn nothing_wakes_the_worker_when_nothing_plays() {
    let mut floor = Floor::new();
    floor.open(1, to(1));
    floor.order(Order::Play { session: SessionId(1), sound: Sound::Ringback });
    let soon = floor.worker.poll_timeout().unwrap() - floor.now;

    floor.order(Order::Stop { session: SessionId(1) });

    assert_eq!(soon, Duration::from_millis(20));
    assert!(floor.worker.poll_timeout().unwrap() - floor.now > Duration::from_secs(1));
    assert_eq!(floor.worker.load().playing, 0);
}

#[test]
fn a_worker_that_stood_still_does_not_send_all_it_missed() {
    let mut floor = Floor::new();
    floor.open(1, to(1));
    floor.order(Order::Play { session: SessionId(1), sound: Sound::Ringback });
    floor.now += Duration::from_secs(5);
    floor.worker.handle_timeout(floor.now);

    assert_eq!(floor.played(0).len(), 1);
    assert_eq!(floor.played(100).len(), 5);
}
