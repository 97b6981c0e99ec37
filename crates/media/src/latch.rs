//! Whose sound is taken, and where ours goes: the SDP's address, or, behind a NAT, where sound really comes from.
//!
//!   Open ──sound from where it may come──► Locked ──SDP: another address, port or direction──► Open
//!                                          Locked ──three seconds of silence──► the same address with another port
//!
//! How much an address is believed is its [`Rank`]. The SDP's own comes first and wins whenever it speaks, so that neither
//! a straggler from an old port nor a stranger's packet keeps it out; then come the party's own hosts, where its signalling
//! comes from and the networks of a trunk; all others come last, late, and only where the SDP says where a party hears and
//! nobody speaks. A packet that authenticates is the party's, wherever it comes from.

use std::net::SocketAddr;

use crate::clock::{MILLISECOND, Ticks};
use crate::{SourceNet, Sources};

/// How long the party's own hosts have to be silent before others are listened to.
const PATIENCE: Ticks = 3_000 * MILLISECOND;

/// After its start a worker does not know who had its ports before; so long, sound from a third address may be a phone that
/// has not heard of the end of its call.
const UNKNOWN_OWNERS: Ticks = 60_000 * MILLISECOND;

/// So many packets in sequence lock the SSRC, and so many of another in sequence change it.
const IN_SEQUENCE: u8 = 3;

/// One party's address, as told and as seen.
#[derive(Clone, Debug)]
pub(crate) struct Latch {
    /// From the SDP.
    told: Option<SocketAddr>,
    sources: Sources,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The next sound that may be the party's locks. `before`: where it came from until the latch opened.
    Open { since: Ticks, before: Option<SocketAddr> },
    /// Nothing else is taken.
    Locked(Lock),
}

#[derive(Clone, Copy, Debug)]
struct Lock {
    from: SocketAddr,
    rank: Rank,
    /// The last packet.
    heard: Ticks,
    /// The address was the party's before the latch opened, so this may be a straggler: another of the party's hosts and
    /// ports that speaks before this moment takes its place.
    doubted_until: Ticks,
    voice: Voice,
}

/// How much an address is believed to be the party's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    Stranger,
    Host,
    Told,
}

/// The SSRC that is heard.
#[derive(Clone, Copy, Debug)]
struct Voice {
    ssrc: u32,
    last: u16,
    in_sequence: u8,
    /// Another that was heard since: its SSRC, its last number, and how many of it came in sequence.
    rival: Option<(u32, u16, u8)>,
}

/// A packet as the latch looks at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sign {
    pub from: SocketAddr,
    pub ssrc: u32,
    pub sequence: u16,
    pub proof: Proof,
}

/// Whether a packet is known to be the party's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    None,
    /// It has authenticated; `newest`: and none that has is newer.
    Authentic {
        newest: bool,
    },
}

impl Default for Latch {
    fn default() -> Self {
        Self { told: None, sources: Sources::Any { signalling: None }, state: State::Open { since: 0, before: None } }
    }
}

impl Latch {
    /// The SDP says so; another address than before opens the latch.
    /// Signalling that comes from another host opens it too: the party has moved, perhaps to the same private address.
    pub fn tell(&mut self, at: Ticks, remote: Option<SocketAddr>, sources: &Sources) {
        if self.sources != *sources {
            self.sources = sources.clone();
            self.open(at);
        }
        let remote = remote.filter(|remote| remote.port() != 0 && !remote.ip().is_unspecified());
        if remote != self.told {
            self.told = remote;
            self.state = State::Open { since: at, before: None };
        }
    }

    /// The direction has changed. Until sound comes again, ours goes where it went.
    pub fn open(&mut self, at: Ticks) {
        if let State::Locked(Lock { from, .. }) = self.state {
            self.state = State::Open { since: at, before: Some(from) };
        }
    }

    /// Whether this packet is taken. What it tells of where the party is, is remembered.
    pub fn admit(&mut self, at: Ticks, sign: Sign) -> bool {
        if let Proof::Authentic { newest } = sign.proof {
            return self.admit_authentic(at, sign, newest);
        }
        if let State::Locked(lock) = &mut self.state
            && lock.from == sign.from
        {
            return lock.goes_on(at, &sign);
        }
        let rank = self.rank(sign.from);
        let lock = match &mut self.state {
            State::Locked(lock) => {
                let takes_over = rank > lock.rank
                    || rank == Rank::Told
                    || (rank == Rank::Host && at < lock.doubted_until)
                    || (at - lock.heard >= PATIENCE && lock.from.ip() == sign.from.ip());
                takes_over.then(|| Lock::new(at, sign, rank))
            }
            State::Open { since, before } => match before {
                Some(before) if *before == sign.from => {
                    Some(Lock { doubted_until: at + PATIENCE, ..Lock::new(at, sign, rank) })
                }
                _ => {
                    let waited = at - *since >= PATIENCE && at >= UNKNOWN_OWNERS;
                    (rank > Rank::Stranger || waited).then(|| Lock::new(at, sign, rank))
                }
            },
        };
        let Some(lock) = lock.filter(|_| self.allows(sign.from)) else { return false };
        self.state = State::Locked(lock);
        true
    }

    /// The source says that it has ended (BYE): another is heard at once.
    pub fn forget(&mut self, ssrc: u32) {
        if let State::Locked(lock) = &mut self.state
            && lock.voice.ssrc == ssrc
        {
            lock.voice.in_sequence = 0;
        }
    }

    /// Where sound comes from.
    pub fn locked(&self) -> Option<SocketAddr> {
        match self.state {
            State::Locked(lock) => Some(lock.from),
            State::Open { .. } => None,
        }
    }

    /// The SSRC that is heard, once it is known.
    pub fn ssrc(&self) -> Option<u32> {
        match self.state {
            State::Locked(lock) => Some(lock.voice.ssrc),
            State::Open { .. } => None,
        }
    }

    /// The SDP's address.
    pub fn told(&self) -> Option<SocketAddr> {
        self.told
    }

    /// Whether that is the SDP's address.
    pub fn is_told(&self, from: SocketAddr) -> bool {
        self.told.is_some_and(|told| told.port() == from.port() && told.ip().to_canonical() == from.ip().to_canonical())
    }

    /// Whether the party's signalling is known to come from that host.
    pub fn is_signalling(&self, from: SocketAddr) -> bool {
        matches!(self.sources, Sources::Any { signalling: Some(known) } if known.to_canonical() == from.ip().to_canonical())
    }

    /// Where ours goes.
    pub fn target(&self) -> Option<SocketAddr> {
        match self.state {
            State::Locked(lock) => Some(lock.from),
            State::Open { before, .. } => before.or(self.told),
        }
    }

    fn admit_authentic(&mut self, at: Ticks, sign: Sign, newest: bool) -> bool {
        match &mut self.state {
            State::Locked(lock) if lock.from == sign.from => {
                lock.heard = at;
                lock.voice = Voice::new(&sign);
            }
            // A late packet from where the party was is heard, and takes the lock nowhere.
            State::Locked(_) if !newest => {}
            _ => self.state = State::Locked(Lock::new(at, sign, self.rank(sign.from))),
        }
        true
    }

    fn rank(&self, from: SocketAddr) -> Rank {
        if self.is_told(from) {
            return Rank::Told;
        }
        let is_host = match &self.sources {
            Sources::Any { signalling: None } => true,
            Sources::Any { .. } => {
                let told = self.told.is_some_and(|told| told.ip().to_canonical() == from.ip().to_canonical());
                told || self.is_signalling(from)
            }
            Sources::Only(nets) => nets.iter().any(|net| net.contains(from)),
        };
        if is_host { Rank::Host } else { Rank::Stranger }
    }

    /// Whether sound may come from there at all.
    fn allows(&self, from: SocketAddr) -> bool {
        matches!(self.sources, Sources::Any { .. }) || self.rank(from) > Rank::Stranger
    }
}

impl Lock {
    fn new(at: Ticks, sign: Sign, rank: Rank) -> Self {
        Self { from: sign.from, rank, heard: at, doubted_until: 0, voice: Voice::new(&sign) }
    }

    /// A packet from the address that is locked.
    fn goes_on(&mut self, at: Ticks, sign: &Sign) -> bool {
        let silent = at - self.heard >= PATIENCE;
        let taken = self.voice.goes_on(sign, silent);
        if taken {
            self.heard = at;
        }
        taken
    }
}

impl Voice {
    fn new(sign: &Sign) -> Self {
        Self { ssrc: sign.ssrc, last: sign.sequence, in_sequence: 1, rival: None }
    }

    fn goes_on(&mut self, sign: &Sign, silent: bool) -> bool {
        let follows = |last: u16| sign.sequence == last.wrapping_add(1);
        if sign.ssrc == self.ssrc {
            self.rival = None;
            if self.in_sequence < IN_SEQUENCE {
                self.in_sequence = if follows(self.last) { self.in_sequence + 1 } else { 1 };
            }
            self.last = sign.sequence;
            return true;
        }
        if self.in_sequence < IN_SEQUENCE || silent {
            *self = Self::new(sign);
            return true;
        }
        // A sender that has changed its SSRC (another sound at the same gateway) is heard after a few packets, unless the
        // one that is locked still speaks: then it is somebody who says to be at this address.
        let count = match self.rival {
            Some((ssrc, last, count)) if ssrc == sign.ssrc && follows(last) => count + 1,
            _ => 1,
        };
        self.rival = Some((sign.ssrc, sign.sequence, count));
        if count < IN_SEQUENCE {
            return false;
        }
        *self = Self { in_sequence: IN_SEQUENCE, ..Self::new(sign) };
        true
    }
}

impl SourceNet {
    /// Whether an address lies in the network.
    pub fn contains(&self, from: SocketAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        if self.port.is_some_and(|port| port != from.port()) {
            return false;
        }
        match (self.ip.to_canonical(), from.ip().to_canonical()) {
            (V4(net), V4(ip)) => {
                let differ = net.to_bits() ^ ip.to_bits();
                differ.checked_shr(32_u32.saturating_sub(self.prefix.into())).unwrap_or(0) == 0
            }
            (V6(net), V6(ip)) => {
                let differ = net.to_bits() ^ ip.to_bits();
                differ.checked_shr(128_u32.saturating_sub(self.prefix.into())).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::*;
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
}
