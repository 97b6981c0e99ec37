//! Reference packets, and what a network or a stranger does to packets.

use proptest::prelude::*;

use super::*;
use crate::SrtpSuite::{self, AesCm128HmacSha1_32, AesCm128HmacSha1_80};
use crate::rtp::Header;

/// The most bytes by which sealing makes a packet longer.
const OVERHEAD: usize = 14;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
}

fn key(suite: SrtpSuite, byte: u8) -> SrtpKey {
    SrtpKey { suite, key: std::array::from_fn(|n| byte.wrapping_add(n as u8)) }
}

/// Two who share keys.
fn pair(suite: SrtpSuite) -> (Secured, Secured) {
    let (ours, theirs) = (key(suite, 1), key(suite, 100));
    let other = Crypto { ours: theirs.clone(), theirs: ours.clone() };
    (Secured::new(Crypto { ours, theirs }), Secured::new(other))
}

fn sound(ssrc: u32, sequence: u16) -> Vec<u8> {
    let header = Header { marker: false, payload_type: 8, sequence, timestamp: 7, ssrc };
    [&header.print()[..], &[0xab; 160]].concat()
}

fn seal(by: &mut Secured, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + OVERHEAD, 0);
    let length = by.seal(&mut buffer, packet.len()).unwrap();
    buffer.truncate(length);
    buffer
}

fn open(by: &mut Secured, sealed: &[u8]) -> Option<Vec<u8>> {
    let mut packet = sealed.to_vec();
    let opened = by.open_sound(0, &mut packet)?;
    packet.truncate(opened.length);
    Some(packet)
}

/// The packets that libsrtp checks itself with.
#[test]
fn packets_are_those_of_the_reference() {
    let reference = SrtpKey {
        suite: AesCm128HmacSha1_80,
        key: bytes("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6").try_into().unwrap(),
    };
    let mut both = Secured::new(Crypto { ours: reference.clone(), theirs: reference });
    let plain = bytes("800f1234decafbadcafebabeabababababababababababababababab");
    let control = bytes("81c8000bcafebabeabababababababababababababababab");

    let sealed = seal(&mut both, &plain);
    let mut sealed_control = seal(&mut both, &control);

    assert_eq!(sealed, bytes("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"));
    let expected = "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798";
    assert_eq!(sealed_control, bytes(expected));
    assert_eq!(open(&mut both, &sealed), Some(plain));
    let length = both.open_control(0, &mut sealed_control).unwrap();
    assert_eq!(sealed_control[..length], control);
}

#[test]
fn tags_are_as_long_as_the_suite_says() {
    for (suite, sound_grows) in [(AesCm128HmacSha1_80, 10), (AesCm128HmacSha1_32, 4)] {
        let (mut ours, _) = pair(suite);
        let control = bytes("80c9000100000009");

        assert_eq!(seal(&mut ours, &sound(1, 1)).len(), 172 + sound_grows);
        assert_eq!(seal(&mut ours, &control).len(), 8 + 14);
    }
}

#[test]
fn numbers_go_on_through_their_end_with_loss_and_disorder() {
    let (mut ours, mut theirs) = pair(AesCm128HmacSha1_80);
    let sequence = |n: u32| sound(1, (32_000 + 100 * n) as u16);

    for n in (0..2000).step_by(2) {
        let late = seal(&mut ours, &sequence(n));
        let next = seal(&mut ours, &sequence(n + 1));
        // Ninety-nine of a hundred are lost, and the rest comes by twos in the wrong order.
        let opened = [open(&mut theirs, &next), open(&mut theirs, &late)];

        assert_eq!(opened, [n + 1, n].map(|n| Some(sequence(n))), "{n}");
    }
}

#[test]
fn a_packet_is_opened_once() {
    let (mut ours, mut theirs) = pair(AesCm128HmacSha1_32);
    let sealed: Vec<_> = (1..=300).map(|n| seal(&mut ours, &sound(1, n))).collect();

    assert!(sealed.iter().all(|packet| open(&mut theirs, packet).is_some()));
    assert!(sealed.iter().all(|packet| open(&mut theirs, packet).is_none()));
}

#[test]
fn a_party_met_after_its_numbers_ended_is_understood() {
    let (mut ours, mut theirs) = pair(AesCm128HmacSha1_80);
    seal(&mut ours, &sound(1, 65_535));

    let sealed = seal(&mut ours, &sound(1, 0));

    assert!(open(&mut theirs, &sealed).is_some());
}

#[test]
fn forged_packets_leave_nothing_behind() {
    let (mut ours, mut theirs) = pair(AesCm128HmacSha1_80);
    let true_one = seal(&mut ours, &sound(1, 1));
    open(&mut theirs, &true_one);

    for ssrc in 2..1000 {
        assert_eq!(open(&mut theirs, &[sound(ssrc, 9), vec![0; 10]].concat()), None);
        assert_eq!(open(&mut theirs, &[sound(1, ssrc as u16), vec![0; 10]].concat()), None);
    }

    assert_eq!(theirs.opener.spoke.windows.iter().flatten().count(), 1);
    let next = seal(&mut ours, &sound(1, 2));
    assert!(open(&mut theirs, &next).is_some());
}

#[test]
fn sources_take_turns_and_only_a_few_are_remembered() {
    let (mut ours, mut theirs) = pair(AesCm128HmacSha1_80);
    for ssrc in 1..=9 {
        // Each direction has one source of its own; so many senders share a key here only for the test.
        ours.sealer.highest = None;
        let sealed = seal(&mut ours, &sound(ssrc, 5));
        assert!(open(&mut theirs, &sealed).is_some());
    }

    assert_eq!(theirs.opener.spoke.windows.map(|entry| entry.unwrap().0), [9, 8, 7, 6]);
}

#[test]
fn rtcp_that_is_only_signed_or_comes_twice_is_refused() {
    let (mut ours, mut theirs) = pair(AesCm128HmacSha1_80);
    let sealed = seal(&mut ours, &bytes("80c9000100000009"));
    let mut in_clear = sealed.clone();
    in_clear[8] &= 0x7f;

    assert_eq!(theirs.open_control(0, &mut in_clear), None);
    assert_eq!(theirs.open_control(0, &mut sealed.clone()), Some(8));
    assert_eq!(theirs.open_control(0, &mut sealed.clone()), None);
}

#[test]
fn what_is_on_its_way_when_the_key_changes_is_taken_for_three_seconds() {
    let (mut ours, mut theirs) = pair(AesCm128HmacSha1_80);
    let (early, late) = (seal(&mut ours, &sound(1, 1)), seal(&mut ours, &sound(1, 2)));
    let fresh = key(AesCm128HmacSha1_80, 55);
    let keys = |secured: &Secured| secured.keys.clone();

    theirs.change(0, &Crypto { theirs: fresh.clone(), ..keys(&theirs) });
    ours.change(0, &Crypto { ours: fresh, ..keys(&ours) });
    let with_new = seal(&mut ours, &sound(1, 3));

    assert!(open(&mut theirs, &early).is_some() && open(&mut theirs, &with_new).is_some());
    assert_eq!(theirs.open_sound(OLD_KEY, &mut late.clone()), None);
}

#[test]
fn the_same_keys_again_go_on_with_their_numbers() {
    let (mut ours, mut theirs) = pair(AesCm128HmacSha1_80);
    let first = seal(&mut ours, &sound(1, 1));
    open(&mut theirs, &first);

    let keys = theirs.keys.clone();
    theirs.change(0, &keys);

    assert_eq!(open(&mut theirs, &first), None);
}

#[test]
fn a_packet_without_room_for_its_tag_is_not_sealed() {
    let (mut ours, _) = pair(AesCm128HmacSha1_80);
    let mut packet = sound(1, 1);

    assert_eq!(ours.seal(&mut packet, 172), None);
    assert_eq!(ours.seal(&mut packet, 999), None);
}

proptest! {
    #[test]
    fn any_bytes_are_survived(packet in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (mut ours, mut theirs) = pair(AesCm128HmacSha1_80);
        let mut buffer = packet.clone();
        buffer.resize(packet.len() + OVERHEAD, 0);

        prop_assert_eq!(theirs.open_sound(0, &mut packet.clone()), None);
        prop_assert_eq!(theirs.open_control(0, &mut packet.clone()), None);
        let _ = ours.seal(&mut buffer, packet.len());
    }

    #[test]
    fn one_changed_bit_is_noticed(at in 0usize..182, bit in 0u8..8) {
        let (mut ours, mut theirs) = pair(AesCm128HmacSha1_80);
        let mut sealed = seal(&mut ours, &sound(1, 1));

        sealed[at] ^= 1 << bit;

        prop_assert_eq!(theirs.open_sound(0, &mut sealed), None);
    }
}
