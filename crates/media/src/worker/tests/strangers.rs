//! Packets that are not what they should be: from elsewhere, from before, strange in form, twice, late, by the thousand.

use std::sync::Arc;
use std::time::Duration;

use super::{Floor, Got, got, to, voice};
use crate::fixture::host;
use crate::rtp::Header;
use crate::{AddressId, Order, SessionId, SourceNet, Sources, Stream};

/// A phone behind a NAT: its SDP has a private address, its signalling comes from `host(party, _)`.
fn behind_nat(party: u8) -> Stream {
    Stream {
        remote: Some(format!("192.168.1.{party}:4000").parse().unwrap()),
        sources: Sources::Any { signalling: Some(host(party, 0).ip()) },
        ..to(party)
    }
}

/// Whether party 1's packet from there, the `n`th of its kind, is heard by party 2.
fn is_heard(floor: &mut Floor, from: std::net::SocketAddr, ssrc: u32, n: u32) -> bool {
    floor.now += Duration::from_millis(20);
    floor.send(1, from, Header { ssrc, ..voice(1, n) }, &[1; 160]).is_some()
}

#[test]
fn a_phone_behind_a_nat_hears_and_is_heard_and_no_stranger_changes_that() {
    let mut floor = Floor::joined(behind_nat(1), to(2));

    let stranger = is_heard(&mut floor, host(66, 9), 5, 0);
    let phone = is_heard(&mut floor, host(1, 40_123), 1, 0);
    let flood = (0..5000).filter(|&n| is_heard(&mut floor, host(66, n as u16), n, n)).count();

    assert_eq!((stranger, phone, flood), (false, true, 0));
    assert!(is_heard(&mut floor, host(1, 40_123), 1, 1));
    assert_eq!(floor.say(2, 0).unwrap().packet.to, host(1, 40_123));
    assert_eq!(floor.worker.load().refused, 5001);
}

#[test]
fn sound_from_a_third_address_is_heard_when_the_party_is_silent_but_not_in_the_first_minute() {
    let mut floor = Floor::joined(behind_nat(1), to(2));
    floor.now += Duration::from_secs(50);
    let first_minute = is_heard(&mut floor, host(9, 7000), 5, 0);
    floor.now += Duration::from_secs(10);

    let later = is_heard(&mut floor, host(9, 7000), 5, 1);

    assert_eq!((first_minute, later), (false, true));
}

#[test]
fn a_phone_whose_nat_gives_it_another_port_is_heard_after_three_seconds() {
    let mut floor = Floor::joined(behind_nat(1), to(2));
    is_heard(&mut floor, host(1, 40_123), 1, 0);

    let heard: Vec<_> = (1..200).map(|n| is_heard(&mut floor, host(1, 50_000), 1, n)).collect();

    let silent = heard.iter().position(|heard| *heard).unwrap();
    assert!((145..155).contains(&silent), "{silent}");
    assert!(heard[silent..].iter().all(|heard| *heard));
    assert_eq!(floor.say(2, 0).unwrap().packet.to, host(1, 50_000));
}

#[test]
fn a_trunk_is_heard_from_its_sdp_and_its_networks_alone() {
    let net = SourceNet { ip: host(128, 0).ip(), prefix: 25, port: Some(6000) };
    let mut floor = Floor::joined(Stream { sources: Sources::Only(Arc::from([net])), ..to(1) }, to(2));
    floor.now += Duration::from_secs(100);

    let heard = [host(1, 4002), host(9, 6000), host(200, 6001), host(200, 6000), host(1, 4000), host(200, 6000)]
        .map(|from| is_heard(&mut floor, from, from.port().into(), 0));

    assert_eq!(heard, [false, false, false, true, true, false]);
}

#[test]
fn another_early_dialog_that_answers_is_heard_at_once() {
    let mut floor = Floor::joined(to(1), to(2));
    for n in 0..10 {
        is_heard(&mut floor, host(1, 4000), 1, n);
    }

    floor.change(1, Stream { remote: Some(host(7, 9000)), ..to(1) });
    let answered = is_heard(&mut floor, host(7, 9000), 77, 0);
    let ringing_still = is_heard(&mut floor, host(1, 4000), 1, 10);

    assert_eq!((answered, ringing_still), (true, false));
}

#[test]
fn a_new_call_of_the_same_phone_is_heard_on_the_port_of_its_last_one() {
    let mut floor = Floor::joined(behind_nat(1), to(2));
    is_heard(&mut floor, host(1, 40_123), 1, 0);
    floor.close(1);
    let (session, address, stream) = (SessionId(7), AddressId(1), Some(behind_nat(1)));
    floor.order(Order::Open { session, address, stream });
    floor.join(7, 2);

    let old_call = is_heard(&mut floor, host(1, 40_123), 1, 1);
    let new_call = is_heard(&mut floor, host(1, 40_123), 2, 0);

    assert_eq!((old_call, new_call), (false, true));
}

#[test]
fn what_belongs_to_the_last_owner_is_dropped_for_a_minute() {
    let mut floor = Floor::joined(to(1), to(2));
    floor.say(1, 0);
    floor.close(1);
    let stream = Some(Stream { sources: Sources::Any { signalling: None }, ..to(7) });
    floor.order(Order::Open { session: SessionId(7), address: AddressId(1), stream });
    floor.join(7, 2);

    floor.now += Duration::from_millis(59_900);
    let within = is_heard(&mut floor, host(1, 4000), 1, 1);
    floor.now += Duration::from_millis(100);

    assert!(!within && is_heard(&mut floor, host(1, 4000), 1, 2));
}

#[test]
fn csrcs_extensions_and_padding_do_not_go_on() {
    let mut floor = Floor::joined(to(1), to(2));
    let mut packet = voice(1, 0).print().to_vec();
    packet[0] |= 0x20 | 0x10 | 2;
    packet.extend([7; 8]);
    packet.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
    packet.extend([9; 160]);
    packet.extend([0, 0, 0, 4]);

    let (sent, bytes) = floor.bring(1, host(1, 4000), &packet).unwrap();

    assert_eq!(bytes[sent.bytes.start], 0x80);
    assert_eq!(got(sent, &bytes).payload, [9; 160]);
}

#[test]
fn disorder_shows_through_and_copies_do_not() {
    let mut floor = Floor::joined(to(1), to(2));
    let base = floor.say(1, 0).unwrap().header;

    let order = [2, 1, 1, 2, 3, 5, 4, 5, 4, 6];
    let sent: Vec<_> = order.into_iter().filter_map(|n| floor.say(1, n)).collect();

    let steps = |got: &Got| got.header.sequence.wrapping_sub(base.sequence);
    assert_eq!(sent.iter().map(steps).collect::<Vec<_>>(), [2, 1, 3, 5, 4, 6]);
}

#[test]
fn one_ssrc_and_running_numbers_through_prompt_hold_and_transfer() {
    let mut floor = Floor::joined(to(1), to(2));
    floor.open(3, to(3));
    let mut sent = Vec::new();
    let talk = |floor: &mut Floor, party: u8, from: u32, sent: &mut Vec<Header>| {
        for n in from..from + 25 {
            sent.extend(floor.say(party, n).map(|got| got.header));
            floor.now += Duration::from_millis(20);
        }
    };
    let play = |floor: &mut Floor, sent: &mut Vec<Header>| {
        floor.order(Order::Play { session: SessionId(2), sound: crate::Sound::Busy });
        sent.extend(floor.played(1000).iter().map(|got| got.header));
        floor.order(Order::Stop { session: SessionId(2) });
    };

    talk(&mut floor, 1, 0, &mut sent);
    play(&mut floor, &mut sent);
    talk(&mut floor, 1, 75, &mut sent);
    floor.change(2, Stream { send: false, ..to(2) });
    talk(&mut floor, 1, 100, &mut sent);
    floor.change(2, to(2));
    talk(&mut floor, 1, 125, &mut sent);
    floor.order(Order::Part { session: SessionId(2) });
    play(&mut floor, &mut sent);
    floor.join(2, 3);
    talk(&mut floor, 3, 0, &mut sent);

    assert!(sent.len() > 190, "{}", sent.len());
    for (before, after) in sent.iter().zip(&sent[1..]) {
        assert_eq!((after.ssrc, after.sequence), (before.ssrc, before.sequence.wrapping_add(1)));
        let step = after.timestamp.wrapping_sub(before.timestamp);
        assert!((1..=10_000).contains(&step), "{step}");
    }
}
