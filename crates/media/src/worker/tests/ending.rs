//! RTCP, quality, ends, and orders that cannot be carried out.

use std::time::Duration;

use super::{Floor, to, voice};
use crate::fixture::host;
use crate::rtcp::{self, ControlPacket};
use crate::{AddressId, Channel, Order, Output, Report, SessionId, Trouble};

#[test]
fn a_session_tells_of_itself_about_every_five_seconds() {
    let mut floor = Floor::joined(to(1), to(2));
    let mut told = Vec::new();
    for n in 0..3000 {
        floor.say(1, n);
        told.extend(floor.pass(20).into_iter().filter_map(|(output, bytes)| match output {
            Output::Packet(packet) => Some((packet, bytes)),
            _ => None,
        }));
    }

    let to_two: Vec<_> = told.iter().filter(|(packet, _)| packet.to == host(2, 4001)).collect();
    assert!((9..=15).contains(&to_two.len()), "{}", to_two.len());
    assert!(told.iter().all(|(packet, _)| packet.channel == Channel::Control));
    assert!(matches!(rtcp::parse(&to_two[0].1).next(), Some(ControlPacket::SenderReport { .. })));
    let to_one = told.iter().find(|(packet, _)| packet.to == host(1, 4001)).unwrap();
    assert!(matches!(rtcp::parse(&to_one.1).next(), Some(ControlPacket::ReceiverReport { .. })));
}

#[test]
fn a_closed_session_says_bye_tells_its_quality_and_frees_its_address() {
    let mut floor = Floor::joined(to(1), to(2));
    for n in [0, 1, 4] {
        floor.say(1, n);
    }
    floor.send(1, host(66, 1), voice(6, 0), &[0; 160]);
    floor.reports();

    floor.close(1);
    let outputs = floor.pass(0);

    let (Output::Packet(packet), bytes) = &outputs[0] else { panic!("{outputs:?}") };
    assert_eq!((packet.to, packet.channel), (host(1, 4001), Channel::Control));
    assert!(matches!(rtcp::parse(bytes).last(), Some(ControlPacket::Bye { .. })));
    let Output::Report(Report::Quality { session: SessionId(1), quality }) = outputs[1].0 else {
        panic!("{outputs:?}")
    };
    assert_eq!((quality.received, quality.lost, quality.ignored, quality.sent), (3, 2, 1, 0));
    assert_eq!(outputs[2].0, Output::Freed(AddressId(1)));
    assert_eq!(floor.say(2, 0), None);
}

#[test]
fn a_leg_s_sound_has_a_score_once_there_is_enough_of_it() {
    let score = |packets: u32, lost_each: u32| {
        let mut floor = Floor::joined(to(1), to(2));
        for n in (0..packets).filter(|n| n % lost_each != lost_each - 1) {
            floor.say(1, n);
            floor.now += Duration::from_millis(20);
        }
        floor.close(1);
        floor.reports().into_iter().find_map(|report| match report {
            Report::Quality { quality, .. } => quality.mos_hundredths,
            _ => None,
        })
    };

    assert_eq!((score(40, u32::MAX), score(500, u32::MAX)), (None, Some(440)));
    assert!((340..360).contains(&score(500, 10).unwrap()), "{:?}", score(500, 10));
}

#[test]
fn one_who_never_spoke_nor_heard_leaves_without_a_word() {
    let mut floor = Floor::new();
    floor.open(1, to(1));

    floor.close(1);

    assert!(!floor.pass(0).iter().any(|(output, _)| matches!(output, Output::Packet(_))));
}

#[test]
fn nothing_is_left_of_sessions_that_have_ended() {
    let mut floor = Floor::new();
    for round in 0..100u8 {
        floor.open(1, to(1));
        floor.open(2, to(2));
        floor.join(1, 2);
        floor.say(1, round.into());
        floor.close(1);
        floor.close(2);
    }
    floor.pass(10_000);

    assert_eq!((floor.worker.load().sessions, floor.worker.sessions.len()), (0, 2));
    assert_eq!(floor.worker.poll_timeout(), None);
}

#[test]
fn orders_that_cannot_be_carried_out_are_reported() {
    let mut floor = Floor::new();
    floor.open(1, to(1));
    let (session, address, stream) = (SessionId(1), AddressId(1), Some(to(1)));

    floor.order(Order::Open { session, address: AddressId(5), stream: stream.clone() });
    floor.order(Order::Open { session: SessionId(2), address, stream: stream.clone() });
    floor.order(Order::Open { session: SessionId(3), address: AddressId(u32::MAX), stream });
    floor.join(1, 1);
    floor.join(1, 9);
    floor.close(9);

    let failed: Vec<_> = floor.reports();
    assert_eq!(
        failed,
        [
            (1, Trouble::SessionExists),
            (2, Trouble::AddressNotFree),
            (3, Trouble::AddressNotFree),
            (1, Trouble::SameSession),
            (9, Trouble::NoSuchSession),
            (9, Trouble::NoSuchSession),
        ]
        .map(|(session, why)| Report::Failed { session: SessionId(session), why })
    );
}

#[test]
fn a_full_worker_refuses_and_goes_on() {
    let mut floor = Floor::new();
    for party in 1..=21 {
        floor.open(party, to(party));
    }

    let refused = Report::Failed { session: SessionId(21), why: Trouble::Full };
    let outputs: Vec<_> = floor.pass(0).into_iter().map(|(output, _)| output).collect();
    assert_eq!(outputs, [Output::Report(refused), Output::Freed(AddressId(21))]);
    assert_eq!(floor.worker.load().sessions, 20);
}

#[test]
fn rtcp_on_either_port_tells_how_far_the_party_is() {
    let mut floor = Floor::joined(to(1), to(2));
    let mut report = None;
    for n in 0..500 {
        floor.say(1, n);
        for (output, bytes) in floor.pass(20) {
            if let Output::Packet(packet) = output
                && packet.to == host(2, 4001)
            {
                report.get_or_insert((bytes, floor.now));
            }
        }
    }
    let (report, sent) = report.unwrap();
    let Some(ControlPacket::SenderReport { ssrc, sender, .. }) = rtcp::parse(&report).next() else { panic!() };
    let since = ((floor.now - sent).as_micros() * 65_536 / 1_000_000) as u32 - 6554;
    let block = [ssrc, 7, 500, 16, (sender.ntp >> 16) as u32, since];
    let mut answer = vec![0x81, 201, 0, 7, 0, 0, 0, 9];
    answer.extend(block.iter().flat_map(|word| word.to_be_bytes()));

    floor.worker.handle_control(floor.now, AddressId(2), host(66, 4001), &mut answer.clone());
    floor.bring(2, host(2, 4000), &answer);
    floor.close(2);

    let reports = floor.reports();
    let Some(Report::Quality { quality, .. }) = reports.last() else { panic!("{reports:?}") };
    assert_eq!((quality.far_lost, quality.far_jitter, quality.ignored), (7, Duration::from_millis(2), 1));
    assert!((99..=121).contains(&quality.round_trip.unwrap().as_millis()), "{:?}", quality.round_trip);
}
