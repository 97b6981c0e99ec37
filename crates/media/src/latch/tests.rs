//! Whose sound is taken: each rule, in a time of our own.

use std::net::IpAddr;
use std::sync::Arc;

use super::*;
use crate::SourceNet;
use crate::fixture::{anyone, host};

/// A moment at which the owners of ports are known.
const LATE: Ticks = UNKNOWN_OWNERS;

/// A latch, its clock, and senders with one number each for what they say.
struct Party {
    latch: Latch,
    at: Ticks,
    sequence: u16,
}

impl Party {
    /// Its SDP names `told`, its signalling comes from `signalling`.
    fn new(told: SocketAddr, signalling: IpAddr) -> Self {
        Self::with(told, Sources::Any { signalling: Some(signalling) })
    }

    fn with(told: SocketAddr, sources: Sources) -> Self {
        let mut latch = Latch::default();
        latch.tell(LATE, Some(told), &sources);
        Self { latch, at: LATE, sequence: 0 }
    }

    /// 20 ms later, a packet comes from there.
    fn hear(&mut self, from: SocketAddr) -> bool {
        self.hear_as(from, u32::from(from.port()))
    }

    fn hear_as(&mut self, from: SocketAddr, ssrc: u32) -> bool {
        self.at += 20 * MILLISECOND;
        self.sequence += 1;
        self.latch.admit(self.at, Sign { from, ssrc, sequence: self.sequence, proof: Proof::None })
    }

    fn prove(&mut self, from: SocketAddr, newest: bool) -> bool {
        self.latch.admit(self.at, Sign { from, ssrc: 1, sequence: 1, proof: Proof::Authentic { newest } })
    }

    fn tell(&mut self, told: SocketAddr) {
        let sources = self.latch.sources.clone();
        self.latch.tell(self.at, Some(told), &sources);
    }

    fn wait(&mut self) {
        self.at += PATIENCE;
    }
}

/// A phone at home: its SDP has a private address, its signalling and sound come from `host(1, _)`.
fn behind_nat() -> Party {
    Party::new("192.168.1.5:4000".parse().unwrap(), host(1, 0).ip())
}

#[test]
fn sound_goes_where_the_sdp_says_until_some_comes_from_elsewhere() {
    let mut party = behind_nat();
    let before = party.latch.target();

    let taken = party.hear(host(1, 40_123));

    assert_eq!(before, Some("192.168.1.5:4000".parse().unwrap()));
    assert_eq!((taken, party.latch.target()), (true, Some(host(1, 40_123))));
}

#[test]
fn a_locked_latch_takes_nothing_from_others() {
    let mut party = Party::new(host(1, 4000), host(1, 0).ip());

    let heard = [host(1, 4000), host(9, 5000), host(1, 4002), host(1, 4000)].map(|from| party.hear(from));

    assert_eq!(heard, [true, false, false, true]);
}

#[test]
fn the_address_in_the_sdp_wins_whenever_it_speaks() {
    let mut party = Party::new(host(1, 4000), host(1, 0).ip());
    party.hear(host(1, 4000));
    party.tell(host(1, 4002));

    let heard = [host(1, 4000), host(1, 4002), host(1, 4000)].map(|from| party.hear(from));

    assert_eq!(heard, [true, true, false]);
    assert_eq!(party.latch.target(), Some(host(1, 4002)));
}

#[test]
fn the_same_address_told_again_keeps_the_lock_and_another_opens_it() {
    let mut party = behind_nat();
    party.hear(host(1, 40_123));

    party.tell("192.168.1.5:4000".parse().unwrap());
    let same = party.latch.target();
    party.tell(host(1, 4002));

    assert_eq!((same, party.latch.target()), (Some(host(1, 40_123)), Some(host(1, 4002))));
}

#[test]
fn an_address_that_cannot_be_sent_to_is_none() {
    let mut latch = Latch::default();

    latch.tell(0, Some("0.0.0.0:4000".parse().unwrap()), &anyone());
    assert_eq!(latch.target(), None);
    latch.tell(0, Some(host(1, 0)), &anyone());
    assert_eq!(latch.target(), None);
}

#[test]
fn sound_from_a_third_address_is_taken_after_three_seconds_without_any_from_the_party() {
    let mut party = behind_nat();
    let early = party.hear(host(9, 5000));
    party.wait();

    let late = party.hear(host(9, 5000));

    assert_eq!((early, late, party.latch.target()), (false, true, Some(host(9, 5000))));
}

#[test]
fn in_a_worker_s_first_minute_a_third_address_is_never_taken() {
    let mut party = behind_nat();
    party.latch = Latch::default();
    party.latch.tell(0, Some(host(1, 4000)), &Sources::Any { signalling: Some(host(1, 0).ip()) });
    party.at = UNKNOWN_OWNERS - PATIENCE;

    let first_minute = party.hear(host(9, 5000));
    party.wait();

    assert_eq!((first_minute, party.hear(host(9, 5000))), (false, true));
}

#[test]
fn a_third_address_gives_way_to_the_host_of_signalling() {
    let mut party = behind_nat();
    party.wait();
    party.hear(host(9, 5000));

    let heard = [host(1, 40_123), host(9, 5000)].map(|from| party.hear(from));

    assert_eq!((heard, party.latch.target()), ([true, false], Some(host(1, 40_123))));
}

#[test]
fn a_trunk_is_heard_from_its_sdp_and_its_networks_only() {
    let net = SourceNet { ip: host(64, 0).ip(), prefix: 26, port: None };
    let mut party = Party::with(host(1, 4000), Sources::Only(Arc::from([net])));
    party.wait();

    let heard = [host(9, 5000), host(1, 4002), host(65, 5000), host(1, 4000)].map(|from| party.hear(from));

    assert_eq!(heard, [false, false, true, true]);
}

#[test]
fn a_trunk_without_networks_is_heard_from_its_sdp_alone() {
    let mut party = Party::with(host(1, 4000), Sources::Only(Arc::from([])));
    party.wait();

    assert_eq!([host(1, 4002), host(9, 1), host(1, 4000)].map(|from| party.hear(from)), [false, false, true]);
    party.wait();
    assert!(!party.hear(host(1, 4002)));
}

#[test]
fn after_three_seconds_of_silence_the_same_address_may_speak_from_another_port() {
    let mut party = behind_nat();
    party.hear(host(1, 40_123));
    let at_once = party.hear(host(1, 50_000));
    party.wait();

    let others = party.hear(host(9, 50_000));
    let moved = party.hear(host(1, 50_000));

    assert_eq!((at_once, others, moved), (false, false, true));
    assert_eq!(party.latch.target(), Some(host(1, 50_000)));
}

#[test]
fn another_direction_opens_the_latch_and_sound_goes_where_it_went_meanwhile() {
    let mut party = behind_nat();
    party.hear(host(1, 40_123));

    party.latch.open(party.at);
    let held = party.latch.target();
    let moved = party.hear(host(1, 50_000));

    assert_eq!((held, moved), (Some(host(1, 40_123)), true));
    assert!(!party.hear(host(1, 40_123)));
}

#[test]
fn a_party_whose_signalling_comes_from_elsewhere_is_heard_from_there() {
    let mut party = behind_nat();
    party.hear(host(1, 40_123));

    let told = party.latch.told();
    party.latch.tell(party.at, told, &Sources::Any { signalling: Some(host(2, 0).ip()) });
    let heard = [host(1, 40_123), host(2, 41_000), host(1, 40_123)].map(|from| party.hear(from));

    assert_eq!((heard, party.latch.target()), ([true, true, false], Some(host(2, 41_000))));
}

#[test]
fn a_straggler_from_before_gives_way_to_another_port_of_the_party() {
    let mut party = behind_nat();
    party.hear(host(1, 40_123));
    party.latch.open(party.at);

    let heard = [host(1, 40_123), host(1, 50_000), host(1, 40_123)].map(|from| party.hear(from));

    assert_eq!(heard, [true, true, false]);
}

#[test]
fn three_packets_in_sequence_lock_the_ssrc() {
    let mut party = Party::new(host(1, 4000), host(1, 0).ip());
    for _ in 0..3 {
        party.hear_as(host(1, 4000), 7);
    }

    let spoofed = [8, 7, 8, 7, 8].map(|ssrc| party.hear_as(host(1, 4000), ssrc));

    assert_eq!(spoofed, [false, true, false, true, false]);
}

#[test]
fn before_it_is_locked_any_ssrc_is_heard() {
    let mut party = Party::new(host(1, 4000), host(1, 0).ip());

    assert_eq!([7, 7, 8, 8].map(|ssrc| party.hear_as(host(1, 4000), ssrc)), [true; 4]);
}

#[test]
fn another_ssrc_alone_is_heard_from_its_third_packet_on() {
    let mut party = Party::new(host(1, 4000), host(1, 0).ip());
    for _ in 0..3 {
        party.hear_as(host(1, 4000), 7);
    }

    let heard = [8, 8, 8, 8].map(|ssrc| party.hear_as(host(1, 4000), ssrc));

    assert_eq!(heard, [false, false, true, true]);
}

#[test]
fn after_a_bye_of_its_source_another_is_heard_at_once() {
    let mut party = Party::new(host(1, 4000), host(1, 0).ip());
    for _ in 0..3 {
        party.hear_as(host(1, 4000), 7);
    }

    party.latch.forget(7);

    assert!(party.hear_as(host(1, 4000), 8));
}

#[test]
fn what_authenticates_is_the_party_s_wherever_it_comes_from() {
    let mut party = Party::with(host(1, 4000), Sources::Only(Arc::from([])));
    party.hear(host(1, 4000));

    let moved = party.prove(host(9, 5000), true);
    let late = party.prove(host(1, 4000), false);

    assert_eq!((moved, late, party.latch.target()), (true, true, Some(host(9, 5000))));
}

#[test]
fn networks_hold_the_addresses_of_their_prefix() {
    let net = |ip: &str, prefix, port| SourceNet { ip: ip.parse().unwrap(), prefix, port };
    let is_in = |net: SourceNet, from: &str| net.contains(from.parse().unwrap());

    assert!(is_in(net("192.0.2.0", 24, None), "192.0.2.255:1"));
    assert!(!is_in(net("192.0.2.0", 25, None), "192.0.2.255:1"));
    assert!(is_in(net("192.0.2.7", 32, Some(4000)), "192.0.2.7:4000"));
    assert!(!is_in(net("192.0.2.7", 32, Some(4000)), "192.0.2.7:4002"));
    assert!(is_in(net("0.0.0.0", 0, None), "198.51.100.1:9"));
    assert!(!is_in(net("0.0.0.0", 0, None), "[2001:db8::1]:9"));
    assert!(is_in(net("2001:db8::", 32, None), "[2001:db8::1]:9"));
    assert!(is_in(net("192.0.2.7", 200, None), "[::ffff:192.0.2.7]:9"));
}
