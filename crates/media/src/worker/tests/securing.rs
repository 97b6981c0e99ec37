//! Secured parties: each leg has keys of its own or none, and what does not authenticate is nobody's.

use std::time::Duration;

use super::{Floor, Got, got, to, voice};
use crate::fixture::host;
use crate::srtp::Secured;
use crate::{AddressId, Channel, Crypto, Output, PACKET, Packet, Report, SrtpKey, SrtpSuite, Stream};

/// The keys of a party, as our side has them.
fn keys(party: u8) -> Crypto {
    let key =
        |first: u8| SrtpKey { suite: SrtpSuite::AesCm128HmacSha1_80, key: std::array::from_fn(|n| first + n as u8) };
    Crypto { ours: key(10 + party), theirs: key(100 + party) }
}

fn secured(party: u8) -> Stream {
    Stream { crypto: Some(keys(party)), ..to(party) }
}

/// The party's own end.
fn phone(party: u8) -> Secured {
    let Crypto { ours, theirs } = keys(party);
    Secured::new(Crypto { ours: theirs, theirs: ours })
}

/// What a phone sends as its `n`th packet.
fn sealed(phone: &mut Secured, party: u8, n: u32) -> Vec<u8> {
    let mut buffer = [&voice(party, n).print()[..], &[party; 160]].concat();
    buffer.resize(PACKET, 0);
    let length = phone.seal(&mut buffer, 172).unwrap();
    buffer.truncate(length);
    buffer
}

/// What a phone makes of a packet that it gets.
fn opened(phone: &mut Secured, (packet, mut buffer): (Packet, Vec<u8>)) -> Option<Got> {
    let opened = phone.open_sound(0, &mut buffer[packet.bytes.clone()])?;
    let bytes = packet.bytes.start..packet.bytes.start + opened.length;
    Some(got(Packet { bytes, ..packet }, &buffer))
}

#[test]
fn a_secured_party_and_one_in_the_clear_hear_each_other() {
    let mut floor = Floor::joined(secured(1), to(2));
    let mut phone = phone(1);

    let in_clear = floor.bring(1, host(1, 4000), &sealed(&mut phone, 1, 0)).map(|(sent, bytes)| got(sent, &bytes));
    let answer = floor.bring(2, host(2, 4000), &[&voice(2, 0).print()[..], &[2; 160]].concat()).unwrap();
    let length = answer.0.bytes.len();

    assert_eq!(in_clear.unwrap().payload, [1; 160]);
    assert_eq!(length, 172 + 10);
    assert_eq!(opened(&mut phone, answer).unwrap().payload, [2; 160]);
}

#[test]
fn two_secured_parties_have_keys_of_their_own() {
    let mut floor = Floor::joined(secured(1), secured(2));
    let (mut one, mut other) = (phone(1), phone(2));

    for n in 0..50 {
        let sent = floor.bring(1, host(1, 4000), &sealed(&mut one, 1, n)).unwrap();

        assert_eq!(opened(&mut other, sent).unwrap().payload, [1; 160]);
    }
}

#[test]
fn what_does_not_authenticate_is_counted_and_dropped() {
    let mut floor = Floor::joined(secured(1), to(2));
    let mut phone = phone(1);
    let true_one = sealed(&mut phone, 1, 0);

    let plain = floor.say(1, 0);
    let heard = floor.bring(1, host(1, 4000), &true_one).is_some();
    let again = floor.bring(1, host(1, 4000), &true_one);
    floor.close(1);

    assert_eq!((plain, heard, again.is_none()), (None, true, true));
    let reports = floor.reports();
    let quality = reports.iter().find_map(|report| match report {
        Report::Quality { quality, .. } => Some(*quality),
        _ => None,
    });
    assert_eq!(quality.map(|quality| (quality.received, quality.ignored)), Some((1, 2)));
}

#[test]
fn a_secured_party_is_followed_wherever_it_goes() {
    let mut floor = Floor::joined(secured(1), to(2));
    let mut phone = phone(1);
    let packets: Vec<_> = (0..4).map(|n| sealed(&mut phone, 1, n)).collect();
    floor.bring(1, host(1, 4000), &packets[0]);

    floor.bring(1, host(9, 5000), &packets[2]);
    let late = floor.bring(1, host(1, 4000), &packets[1]).is_some();
    let target = floor.say(2, 0).unwrap_sealed();
    let replayed = floor.bring(1, host(66, 1), &packets[2]);

    assert_eq!((late, target, replayed.is_none()), (true, host(9, 5000), true));
    assert_eq!(floor.say(2, 1).unwrap_sealed(), host(9, 5000));
}

#[test]
fn muxed_rtcp_is_secured_too() {
    let mut floor = Floor::joined(Stream { rtcp_mux: true, ..secured(1) }, to(2));
    let mut phone = phone(1);
    for n in 0..500 {
        let sent = floor.bring(1, host(1, 4000), &sealed(&mut phone, 1, n));
        assert!(sent.is_some());
        for (output, mut bytes) in floor.pass(20) {
            if let Output::Packet(packet) = output
                && packet.to == host(1, 4000)
            {
                assert_eq!(packet.channel, Channel::Sound);
                assert!(phone.open_control(0, &mut bytes).is_some());
                return;
            }
        }
    }
    panic!("nothing was told in ten seconds");
}

#[test]
fn the_count_of_a_held_party_s_packets_goes_on() {
    let mut floor = Floor::joined(secured(1), to(2));
    let mut phone = phone(1);
    let mut say = |floor: &mut Floor, n| floor.bring(1, host(1, 4000), &sealed(&mut phone, 1, n));
    say(&mut floor, 0);

    floor.change(1, Stream { receive: false, ..secured(1) });
    let held = (1..80_000).step_by(100).filter_map(|n| say(&mut floor, n)).count();
    floor.change(1, secured(1));

    assert_eq!(held, 0);
    // Its numbers have moved on so far that the first alone is not believed.
    assert!([80_000, 80_001].into_iter().filter_map(|n| say(&mut floor, n)).count() == 1);
}

#[test]
fn a_flood_of_forged_packets_leaves_nothing_behind() {
    let mut floor = Floor::joined(secured(1), to(2));
    let mut phone = phone(1);
    floor.bring(1, host(1, 4000), &sealed(&mut phone, 1, 0));
    for n in 0..5000_u32 {
        let mut forged = [&voice(1, 1).print()[..], &[0; 170]].concat();
        forged[8..12].copy_from_slice(&n.to_be_bytes());
        assert!(floor.bring(1, host(66, (n % 60_000) as u16), &forged).is_none());
    }

    floor.now += Duration::from_millis(20);

    assert!(floor.bring(1, host(1, 4000), &sealed(&mut phone, 1, 1)).is_some());
    assert_eq!(floor.worker.load().refused, 5000);
}

#[test]
fn the_last_owner_of_a_port_does_not_authenticate() {
    let mut floor = Floor::joined(secured(1), to(2));
    let mut before = phone(1);
    floor.bring(1, host(1, 4000), &sealed(&mut before, 1, 0));
    floor.close(1);
    let address = AddressId(1);
    let next = Stream { remote: Some(host(1, 4000)), ..secured(3) };
    floor.order(crate::Order::Open { session: crate::SessionId(7), address, stream: Some(next) });
    floor.join(7, 2);

    assert!(floor.bring(1, host(1, 4000), &sealed(&mut before, 1, 1)).is_none());
    assert!(floor.bring(1, host(1, 4000), &sealed(&mut phone(3), 3, 0)).is_some());
}

trait Sent {
    fn unwrap_sealed(self) -> std::net::SocketAddr;
}

impl Sent for Option<Got> {
    /// Where a packet goes, whatever is in it.
    fn unwrap_sealed(self) -> std::net::SocketAddr {
        self.unwrap().packet.to
    }
}
