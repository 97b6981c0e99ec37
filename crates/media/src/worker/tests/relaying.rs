//! What one party says reaches the other, and nobody else.

use super::{Floor, Got, to, voice};
use crate::fixture::host;
use crate::keys::{KeyEvent, KeyPress};
use crate::rtp::Header;
use crate::{AddressId, Channel, Codec, Order, Packet, Report, SessionId, Stream};

#[test]
fn what_one_says_goes_to_the_other_bit_by_bit() {
    let mut floor = Floor::joined(to(1), to(2));
    let sound: Vec<u8> = (0..160).collect();

    let there = floor.send(1, host(1, 4000), voice(1, 0), &sound).unwrap();
    let back = floor.say(2, 0).unwrap();

    let expected = Packet { address: AddressId(2), channel: Channel::Sound, to: host(2, 4000), bytes: 0..172 };
    assert_eq!((there.packet, there.payload), (expected, sound));
    assert_eq!(back.packet.to, host(1, 4000));
}

#[test]
fn nobody_hears_one_who_is_not_joined() {
    let mut floor = Floor::new();
    floor.open(1, to(1));
    floor.open(2, to(2));

    assert_eq!(floor.say(1, 0), None);
}

#[test]
fn payload_types_are_those_each_party_asked_for() {
    let first = Stream { receive_payload_type: 96, receive_keys: Some(97), ..to(1) };
    let second = Stream { payload_type: 110, keys: Some(111), ..to(2) };
    let mut floor = Floor::joined(first, second);

    let sound = floor.send(1, host(1, 4000), Header { payload_type: 96, ..voice(1, 0) }, &[1; 160]).unwrap();
    let key = floor.send(1, host(1, 4000), Header { payload_type: 97, ..voice(1, 1) }, &[5, 10, 0, 160]).unwrap();

    assert_eq!([sound.header.payload_type, key.header.payload_type], [110, 111]);
    assert_eq!(key.payload, [5, 10, 0, 160]);
}

#[test]
fn sound_is_transcoded_only_when_the_laws_differ() {
    let mut floor = Floor::joined(to(1), Stream { codec: Codec::Pcmu, payload_type: 0, ..to(2) });
    let tone = Codec::Pcma.encode(5000);

    let other = floor.send(1, host(1, 4000), voice(1, 0), &[tone; 160]).unwrap();
    let same = floor.send(1, host(1, 4000), Header { payload_type: 0, ..voice(1, 1) }, &[0x33; 160]).unwrap();

    assert!((Codec::Pcmu.decode(other.payload[0]) - 5000).abs() < 200);
    assert_eq!((other.header.payload_type, same.payload), (0, vec![0x33; 160]));
}

#[test]
fn a_longer_header_is_shortened_where_the_packet_lies() {
    let mut floor = Floor::joined(to(1), to(2));
    let mut packet = voice(1, 0).print().to_vec();
    packet[0] |= 0x10;
    packet.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
    packet.extend([9; 160]);

    let (sent, buffer) = floor.bring(1, host(1, 4000), &packet).unwrap();

    assert_eq!(sent.bytes, 8..180);
    assert_eq!(buffer[20..180], [9; 160]);
}

#[test]
fn each_party_gets_one_ssrc_and_running_numbers_whoever_speaks() {
    let mut floor = Floor::joined(to(1), to(2));
    floor.open(3, to(3));
    let first = floor.say(1, 0).unwrap().header;
    floor.now += std::time::Duration::from_millis(20);
    let second = floor.say(1, 1).unwrap().header;

    floor.join(3, 2);
    floor.now += std::time::Duration::from_millis(500);
    let third = floor.say(3, 77).unwrap().header;

    assert!([second.ssrc, third.ssrc] == [first.ssrc; 2] && first.ssrc != 1);
    assert_eq!([second.sequence, third.sequence], [1, 2].map(|step| first.sequence.wrapping_add(step)));
    assert_eq!([second.timestamp, third.timestamp], [160, 4160].map(|step: u32| first.timestamp.wrapping_add(step)));
    assert_eq!([first.marker, second.marker, third.marker], [true, false, true]);
    assert_eq!(floor.say(1, 2), None);
}

#[test]
fn a_party_that_starts_anew_makes_no_jump_for_the_other() {
    let mut floor = Floor::joined(to(1), to(2));
    let before = floor.say(1, 0).unwrap().header;
    let anew = Header { ssrc: 99, sequence: 40_000, timestamp: 7, ..voice(1, 1) };

    let after = floor.send(1, host(1, 4000), anew, &[1; 160]).unwrap().header;

    assert_eq!((after.ssrc, after.sequence), (before.ssrc, before.sequence.wrapping_add(1)));
    assert!(after.marker);
}

#[test]
fn a_party_on_hold_gets_nothing_and_goes_on_without_a_jump() {
    let mut floor = Floor::joined(to(1), to(2));
    let before = floor.say(1, 0).unwrap().header;
    floor.change(2, Stream { send: false, ..to(2) });
    let during: Vec<_> = (1..50).map(|n| floor.say(1, n)).collect();
    floor.now += std::time::Duration::from_millis(1000);

    floor.change(2, to(2));
    let after = floor.say(1, 50).unwrap().header;

    assert!(during.iter().all(Option::is_none));
    assert_eq!(after.sequence, before.sequence.wrapping_add(1));
    assert_eq!(after.timestamp, before.timestamp.wrapping_add(8000));
}

#[test]
fn what_is_not_to_be_received_is_dropped() {
    let mut floor = Floor::joined(Stream { receive: false, ..to(1) }, to(2));

    assert_eq!(floor.say(1, 0), None);
    assert_eq!(floor.reports(), []);
}

#[test]
fn a_muted_party_is_heard_as_silence_and_its_keys_pass() {
    let mut floor = Floor::joined(to(1), to(2));
    floor.order(Order::Mute { session: SessionId(1), muted: true });

    let sound = floor.say(1, 0).unwrap();
    let key = floor.send(1, host(1, 4000), Header { payload_type: 101, ..voice(1, 1) }, &[5, 10, 0, 160]).unwrap();
    floor.order(Order::Mute { session: SessionId(1), muted: false });

    assert_eq!((sound.payload, key.payload), (vec![0xd5; 160], vec![5, 10, 0, 160]));
    assert_eq!(floor.say(1, 2).unwrap().payload, [1; 160]);
}

#[test]
fn a_key_is_told_once_and_its_packets_go_on() {
    let mut floor = Floor::joined(to(1), to(2));
    floor.say(1, 0);

    let went: Vec<_> = press(&mut floor, '5', 1).into_iter().flatten().collect();

    assert_eq!(went.len(), 7);
    assert!(went.iter().all(|got| got.header.payload_type == 101));
    assert!(went.iter().all(|got| got.header.timestamp == went[0].header.timestamp));
    assert_eq!(KeyEvent::parse(&went[6].payload).map(|event| (event.event, event.end)), Some((5, true)));
    let keys: Vec<_> = floor.reports().into_iter().filter(|report| matches!(report, Report::Key { .. })).collect();
    assert_eq!(keys, [Report::Key { session: SessionId(1), key: '5' }]);
}

#[test]
fn keys_do_not_go_to_one_who_takes_none_in_any_form_and_leave_no_gap() {
    let mut floor = Floor::joined(to(1), Stream { keys: None, key_tones: false, ..to(2) });
    let before = floor.say(1, 0).unwrap().header;

    let went = press(&mut floor, '#', 1);
    let after = floor.say(1, 8).unwrap().header;

    assert!(went.iter().all(Option::is_none));
    assert_eq!(after.sequence, before.sequence.wrapping_add(1));
    assert!(floor.reports().contains(&Report::Key { session: SessionId(1), key: '#' }));
}

#[test]
fn comfort_noise_does_not_go_on_and_leaves_no_gap() {
    let mut floor = Floor::joined(to(1), to(2));
    let before = floor.say(1, 0).unwrap().header;

    let noise = floor.send(1, host(1, 4000), Header { payload_type: 13, ..voice(1, 1) }, &[60]);
    let after = floor.say(1, 2).unwrap().header;

    assert_eq!(noise, None);
    assert_eq!(after.sequence, before.sequence.wrapping_add(1));
}

#[test]
fn the_first_packet_is_reported_once() {
    let mut floor = Floor::joined(to(1), to(2));

    floor.say(1, 0);
    floor.say(1, 1);

    assert_eq!(floor.reports(), [Report::FirstPacket { session: SessionId(1) }]);
}

#[test]
fn a_party_behind_a_nat_is_answered_where_it_speaks_from_and_others_are_ignored() {
    let mut floor = Floor::joined(to(1), to(2));

    let heard = floor.send(1, host(9, 7000), voice(1, 0), &[1; 160]);
    let stranger = floor.send(1, host(66, 1), Header { ssrc: 5, ..voice(1, 1) }, &[1; 160]);

    assert!(heard.is_some() && stranger.is_none());
    assert_eq!(floor.say(2, 0).unwrap().packet.to, host(9, 7000));
}

#[test]
fn a_source_is_not_chosen_by_what_is_no_sound() {
    let mut floor = Floor::joined(to(1), to(2));

    floor.send(1, host(66, 1), Header { payload_type: 77, ..voice(1, 0) }, &[1; 160]);

    assert!(floor.say(1, 0).is_some());
    assert_eq!(floor.say(2, 0).unwrap().packet.to, host(1, 4000));
}

#[test]
fn another_address_in_the_sdp_opens_the_choice_of_source() {
    let mut floor = Floor::joined(to(1), to(2));
    floor.say(1, 0);

    floor.change(1, Stream { remote: Some(host(8, 5000)), ..to(1) });

    assert_eq!(floor.say(2, 0).unwrap().packet.to, host(8, 5000));
    assert!(floor.send(1, host(8, 5000), voice(1, 1), &[1; 160]).is_some());
    assert_eq!(floor.say(1, 2), None);
}

#[test]
fn before_the_sdp_is_known_what_comes_is_dropped_and_chooses_no_source() {
    let mut floor = Floor::new();
    floor.order(Order::Open { session: SessionId(1), address: AddressId(1), stream: None });
    floor.open(2, to(2));
    floor.join(1, 2);
    let early = floor.send(1, host(66, 1), voice(1, 0), &[1; 160]);

    floor.change(1, to(1));

    assert_eq!(early, None);
    assert!(floor.say(1, 1).is_some());
}

#[test]
fn an_address_s_last_owner_is_not_heard_by_the_next_unless_it_is_the_next() {
    let mut floor = Floor::joined(to(1), to(2));
    floor.say(1, 0);
    floor.close(1);
    floor.order(Order::Open { session: SessionId(7), address: AddressId(1), stream: Some(to(7)) });
    floor.join(7, 2);
    let ghost = floor.say(1, 1);

    floor.order(Order::Change { session: SessionId(7), stream: to(1) });
    let again = floor.say(1, 2);

    assert!(ghost.is_none() && again.is_some());
    assert_eq!(floor.worker.load().refused, 1);
}

/// Party 1 presses a key for 100 ms, its packets numbered from `n`.
fn press(floor: &mut Floor, key: char, n: u32) -> Vec<Option<Got>> {
    let begin = voice(1, n);
    let events: Vec<_> = KeyPress::new(key, 800).unwrap().collect();
    let packet = |(event, step): (KeyEvent, u16)| {
        let header = Header { marker: step == 0, payload_type: 101, sequence: begin.sequence + step, ..begin };
        floor.send(1, host(1, 4000), header, &event.print())
    };
    events.into_iter().zip(0..).map(packet).collect()
}
