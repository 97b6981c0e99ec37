//! Parties that should be heard and are not.

use std::time::Duration;

use super::{Floor, to};
use crate::fixture::host;
use crate::{Report, SessionId, Stream};

const ALLOWED: u64 = 20_000;

fn watched(party: u8) -> Stream {
    Stream { silence: Some(Duration::from_millis(ALLOWED)), ..to(party) }
}

/// Who was told of as silent, now.
fn silent(floor: &mut Floor) -> Vec<u64> {
    let silent = |report| match report {
        Report::Silent { session } => Some(session.0),
        _ => None,
    };
    floor.reports().into_iter().filter_map(silent).collect()
}

/// Time passes; gives who was told of as silent meanwhile.
fn pass(floor: &mut Floor, milliseconds: u64) -> Vec<u64> {
    let silent = |(output, _)| match output {
        crate::Output::Report(Report::Silent { session }) => Some(session.0),
        _ => None,
    };
    floor.pass(milliseconds).into_iter().filter_map(silent).collect()
}

#[test]
fn silence_is_told_after_each_whole_silence_and_anew_after_sound() {
    let mut floor = Floor::joined(watched(1), to(2));

    let before = pass(&mut floor, ALLOWED - 1);
    let at = pass(&mut floor, 1);
    let after = pass(&mut floor, 5 * ALLOWED / 2);
    floor.say(1, 0);
    let again = pass(&mut floor, ALLOWED);

    assert_eq!((before, at, after, again), (vec![], vec![1], vec![1, 1], vec![1]));
}

#[test]
fn rtcp_is_a_sign_of_life() {
    let mut floor = Floor::joined(watched(1), to(2));
    let report = [0x80, 201, 0, 1, 0, 0, 0, 9];

    for _ in 0..20 {
        assert_eq!(pass(&mut floor, ALLOWED / 2), []);
        floor.bring(1, host(1, 4000), &report);
    }
}

#[test]
fn strangers_and_broken_packets_are_no_sign_of_life() {
    let mut floor = Floor::joined(watched(1), to(2));
    floor.say(1, 0);

    for _ in 0..19 {
        pass(&mut floor, ALLOWED / 20);
        floor.bring(1, host(66, 9), &[0x80; 172]);
        floor.bring(1, host(66, 9), &[0x80, 201, 0, 1, 0, 0, 0, 9]);
        floor.bring(1, host(1, 4000), &[1, 2, 3]);
    }

    assert_eq!(pass(&mut floor, ALLOWED / 20), [1]);
}

#[test]
fn one_on_hold_may_be_silent_and_is_awaited_again_when_it_returns() {
    let mut floor = Floor::joined(watched(1), to(2));
    pass(&mut floor, ALLOWED / 2);

    floor.change(1, Stream { receive: false, ..watched(1) });
    let held = pass(&mut floor, 10 * ALLOWED);
    floor.change(1, watched(1));
    let early = pass(&mut floor, ALLOWED - 1);

    assert_eq!((held, early, pass(&mut floor, 1)), (vec![], vec![], vec![1]));
}

#[test]
fn nothing_is_told_of_sessions_that_have_ended_and_nothing_is_left_of_them() {
    let mut floor = Floor::new();
    for round in 0..100 {
        floor.open(1, watched(1));
        floor.change(1, Stream { silence: Some(Duration::from_millis(ALLOWED - round)), ..to(1) });
        floor.close(1);
    }
    floor.open(1, to(1));

    assert_eq!(pass(&mut floor, 2 * ALLOWED), []);
    assert!(floor.worker.watches.is_empty());
}

#[test]
fn looks_that_are_a_day_away_do_not_pile_up() {
    let mut floor = Floor::new();
    for _ in 0..10_000 {
        floor.open(1, Stream { silence: Some(Duration::from_secs(86_400)), ..to(1) });
        floor.close(1);
        floor.pass(0);
    }

    assert!(floor.worker.watches.len() < 1100, "{}", floor.worker.watches.len());
}

#[test]
fn a_silence_for_all_time_does_no_harm() {
    let mut floor = Floor::new();
    floor.open(1, Stream { silence: Some(Duration::MAX), ..to(1) });
    floor.open(2, Stream { silence: Some(Duration::ZERO), ..to(2) });

    assert_eq!(silent(&mut floor), []);
    assert_eq!(pass(&mut floor, 1000), [2]);
    floor.order(crate::Order::Close { session: SessionId(1) });
}
