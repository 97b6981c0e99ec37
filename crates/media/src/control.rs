//! RTCP of one session: what we tell its party, and what the party tells of our sound.

use std::net::SocketAddr;
use std::time::Duration;

use crate::clock::{Clock, MILLISECOND, Ticks, duration};
use crate::latch::Latch;
use crate::outgoing::Outgoing;
use crate::reception::Reception;
use crate::rtcp::{self, Block, ControlPacket, Heard, LONGEST, SenderInfo, Statement};
use crate::{Channel, Stream};

/// How often a session tells of itself, on the average.
const INTERVAL: u64 = 5_000 * MILLISECOND;

/// One session's RTCP.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    /// Our canonical name, one a session (RFC 7022).
    name: [u8; 16],
    /// Where the party's RTCP comes from.
    seen: Option<SocketAddr>,
    /// The middle of the party's last NTP timestamp, and when it came.
    sender_report: Option<(u32, Ticks)>,
    /// Packets we had sent when we last told.
    told: u64,
    far: Far,
}

/// What the party tells of our sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Far {
    pub lost: u64,
    pub jitter: Duration,
    pub round_trip: Option<Duration>,
}

/// What a datagram was about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// How it goes.
    Report,
    /// One source has ended.
    Bye { ssrc: u32 },
}

impl Control {
    /// Begins with a random number to be named by.
    pub fn new(name: u64) -> Self {
        let hex = |digit: usize| b"0123456789abcdef"[(name >> (4 * digit)) as usize & 15];
        Self { name: std::array::from_fn(hex), seen: None, sender_report: None, told: 0, far: Far::default() }
    }

    /// Takes a datagram of the party about what we send. None: there is nothing in it.
    pub fn hear(
        &mut self,
        at: Ticks,
        clock: &Clock,
        outgoing: &Outgoing,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Option<Told> {
        let mut told = None;
        for packet in rtcp::parse(datagram) {
            told.get_or_insert(Told::Report);
            let blocks = match packet {
                ControlPacket::SenderReport { sender, blocks, .. } => {
                    self.sender_report = Some(((sender.ntp >> 16) as u32, at));
                    blocks
                }
                ControlPacket::ReceiverReport { blocks, .. } => blocks,
                ControlPacket::Name { .. } => continue,
                ControlPacket::Bye { ssrc } => {
                    told = Some(Told::Bye { ssrc });
                    continue;
                }
            };
            self.seen = Some(from);
            if let Some(block) = blocks.iter().find(|block| block.ssrc == outgoing.ssrc()) {
                self.learn(clock.ntp(at), outgoing.scale(), &block);
            }
        }
        told
    }

    /// Writes what we have to tell; gives its length. None: there is nothing to tell yet.
    pub fn tell(
        &mut self,
        at: Ticks,
        clock: &Clock,
        outgoing: &Outgoing,
        reception: &mut Reception,
        bye: bool,
        into: &mut [u8; LONGEST],
    ) -> Option<usize> {
        let report = reception.report();
        if outgoing.packets() == 0 && report.is_none() {
            return None;
        }
        let sender = (outgoing.packets() > self.told).then(|| SenderInfo {
            ntp: clock.ntp(at),
            timestamp: outgoing.timestamp(at, 0),
            packets: outgoing.packets() as u32,
            octets: outgoing.octets() as u32,
        });
        self.told = outgoing.packets();
        let (last_report, since_last_report) = self.sender_report.map_or((0, 0), |(last_report, came)| {
            // Ticks are 8 000ths of a second, the block counts 65 536ths.
            (last_report, ((at - came) * 1024 / 125) as u32)
        });
        let heard = report.map(|report| Heard { report, last_report, since_last_report });
        Some(Statement { ssrc: outgoing.ssrc(), sender, heard, name: &self.name, bye }.print(into))
    }

    pub fn far(&self) -> Far {
        self.far
    }

    /// Where the party's RTCP comes from.
    pub fn seen(&self) -> Option<SocketAddr> {
        self.seen
    }

    /// Where our RTCP goes, and by which port of ours: as the SDP says, or, when sound comes from elsewhere, where the
    /// party's RTCP comes from.
    pub fn target(&self, latch: &Latch, stream: &Stream) -> Option<(SocketAddr, Channel)> {
        let target = latch.target()?;
        if stream.rtcp_mux {
            return Some((target, Channel::Sound));
        }
        let target = if latch.is_told(target) {
            stream.remote_rtcp.filter(|remote| remote.port() != 0).or_else(|| above(target))
        } else {
            self.seen.or_else(|| above(target))
        };
        target.map(|target| (target, Channel::Control))
    }

    /// Whether RTCP from there can be the party's.
    pub fn admits(latch: &Latch, stream: &Stream, from: SocketAddr) -> bool {
        let known = [latch.locked(), latch.told(), stream.remote_rtcp];
        known.into_iter().flatten().any(|known| known.ip().to_canonical() == from.ip().to_canonical())
    }

    fn learn(&mut self, ntp: u64, scale: u32, block: &Block) {
        self.far.lost = u64::try_from(block.lost).unwrap_or(0);
        self.far.jitter = duration(u64::from(block.jitter) / u64::from(scale.max(1)));
        if block.last_report != 0 {
            // RFC 3550 section 6.4.1: in 65 536ths of a second. A clock that runs unevenly can make it less than none.
            let round = ((ntp >> 16) as u32).wrapping_sub(block.last_report).wrapping_sub(block.since_last_report);
            if round < 60 << 16 {
                self.far.round_trip = Some(Duration::from_micros(u64::from(round) * 15_625 / 1024));
            }
        }
    }
}

/// When to tell next: evenly spread over half to one and a half intervals, so that sessions do not tell all at once.
pub(crate) fn next(at: Ticks, random: u32) -> Ticks {
    at + INTERVAL / 2 + u64::from(random) % INTERVAL
}

fn above(sound: SocketAddr) -> Option<SocketAddr> {
    sound.port().checked_add(1).map(|port| SocketAddr::new(sound.ip(), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{anyone, host, start, stream};
    use crate::latch::{Proof, Sign};
    use crate::rtp::Header;

    fn sign(from: SocketAddr) -> Sign {
        Sign { from, ssrc: 9, sequence: 1, proof: Proof::None }
    }

    fn clock() -> Clock {
        Clock::new(start(), Duration::from_secs(1_700_000_000))
    }

    /// What a party that has sent and heard something would tell.
    fn tell(control: &mut Control, at: Ticks, sent: u64, heard: u32) -> Option<Vec<u8>> {
        let mut outgoing = Outgoing::new(7, 0, 0);
        let mut reception = Reception::default();
        for n in 0..sent {
            outgoing.own(n * 160, 160);
            outgoing.count(160);
        }
        for n in 0..heard {
            let header = Header { marker: false, payload_type: 8, sequence: n as u16, timestamp: n * 160, ssrc: 9 };
            reception.take(u64::from(n) * 160, &header, true);
        }
        let mut datagram = [0; LONGEST];
        let length = control.tell(at, &clock(), &outgoing, &mut reception, false, &mut datagram)?;
        Some(datagram[..length].to_vec())
    }

    #[test]
    fn one_who_sent_tells_how_much_and_what_was_heard() {
        let mut control = Control::new(0x1234);

        let datagram = tell(&mut control, 8000, 50, 10).unwrap();

        let packets: Vec<_> = rtcp::parse(&datagram).collect();
        let ControlPacket::SenderReport { ssrc: 7, sender, blocks } = packets[0] else { panic!("{packets:?}") };
        assert_eq!((sender.packets, sender.octets, sender.timestamp), (50, 8000, 8000));
        assert_eq!(sender.ntp, clock().ntp(8000));
        assert_eq!(blocks.iter().map(|block| (block.ssrc, block.highest)).collect::<Vec<_>>(), [(9, 9)]);
        assert_eq!(packets[1], ControlPacket::Name { ssrc: 7, name: b"4321000000000000" });
    }

    #[test]
    fn one_who_sent_nothing_since_the_last_time_gives_a_receiver_report() {
        let mut control = Control::new(1);
        tell(&mut control, 8000, 50, 10);

        let datagram = tell(&mut control, 16_000, 50, 10).unwrap();

        assert!(matches!(rtcp::parse(&datagram).next(), Some(ControlPacket::ReceiverReport { .. })));
    }

    #[test]
    fn one_who_neither_sent_nor_heard_tells_nothing() {
        assert_eq!(tell(&mut Control::new(1), 8000, 0, 0), None);
    }

    #[test]
    fn loss_and_round_trip_are_learned_from_the_party() {
        let mut ours = Control::new(1);
        let mut theirs = Control::new(2);
        let report = tell(&mut ours, 8000, 50, 0).unwrap();
        theirs.hear(8400, &clock(), &Outgoing::new(9, 0, 0), host(1, 1), &report);
        let mut reception = Reception::default();
        for n in [1, 2, 5] {
            let header = Header { marker: false, payload_type: 8, sequence: n, timestamp: 0, ssrc: 7 };
            reception.take(0, &header, false);
        }
        let mut answer = [0; LONGEST];
        let length =
            theirs.tell(16_400, &clock(), &Outgoing::new(9, 0, 0), &mut reception, false, &mut answer).unwrap();

        ours.hear(16_800, &clock(), &Outgoing::new(7, 0, 0), host(1, 4001), &answer[..length]);

        let far = ours.far();
        assert_eq!(far.lost, 2);
        let round_trip = far.round_trip.unwrap().as_millis();
        assert!((99..=101).contains(&round_trip), "{round_trip}");
    }

    #[test]
    fn jitter_is_told_in_steps_of_the_codec_s_clock() {
        let mut ours = Control::new(1);
        let mut outgoing = Outgoing::new(7, 0, 0);
        outgoing.set_scale(6);
        let block = [7, 0, 0, 480, 0, 0_u32].iter().flat_map(|word| word.to_be_bytes());
        let report: Vec<u8> = [0x81, 201, 0, 7, 0, 0, 0, 9].into_iter().chain(block).collect();

        ours.hear(0, &clock(), &outgoing, host(1, 4001), &report);

        assert_eq!(ours.far().jitter, Duration::from_millis(10));
    }

    #[test]
    fn rtcp_goes_one_port_up_or_where_the_sdp_says() {
        let control = Control::new(1);
        let mut latch = Latch::default();
        latch.tell(0, Some(host(1, 4000)), &anyone());
        let plain = stream(host(1, 4000));
        let named = Stream { remote_rtcp: Some(host(2, 6000)), ..plain.clone() };

        assert_eq!(control.target(&latch, &plain), Some((host(1, 4001), Channel::Control)));
        assert_eq!(control.target(&latch, &named), Some((host(2, 6000), Channel::Control)));
    }

    #[test]
    fn muxed_rtcp_goes_where_sound_goes() {
        let mut latch = Latch::default();
        let stream = Stream { rtcp_mux: true, remote_rtcp: Some(host(2, 6000)), ..stream(host(1, 4000)) };
        latch.tell(0, stream.remote, &anyone());

        assert_eq!(Control::new(1).target(&latch, &stream), Some((host(1, 4000), Channel::Sound)));
    }

    #[test]
    fn behind_a_nat_rtcp_goes_where_it_comes_from() {
        let mut control = Control::new(1);
        let mut latch = Latch::default();
        let stream = stream(host(1, 4000));
        latch.tell(0, stream.remote, &anyone());
        latch.admit(0, sign(host(9, 5000)));
        let before = control.target(&latch, &stream);
        let report = tell(&mut Control::new(2), 8000, 50, 0).unwrap();

        control.hear(8000, &clock(), &Outgoing::new(7, 0, 0), host(9, 5777), &report);

        assert_eq!(before, Some((host(9, 5001), Channel::Control)));
        assert_eq!(control.target(&latch, &stream), Some((host(9, 5777), Channel::Control)));
    }

    #[test]
    fn only_the_hosts_of_the_party_are_believed() {
        let mut latch = Latch::default();
        let stream = stream(host(1, 4000));
        latch.tell(0, stream.remote, &anyone());
        latch.admit(0, sign(host(9, 5000)));

        assert!(Control::admits(&latch, &stream, host(1, 4001)));
        assert!(Control::admits(&latch, &stream, host(9, 77)));
        assert!(!Control::admits(&latch, &stream, host(3, 4001)));
    }

    #[test]
    fn telling_is_spread_over_half_to_one_and_a_half_intervals() {
        for random in [0, 1, 12_345, u32::MAX] {
            assert!((20_000..60_000).contains(&next(0, random)));
        }
    }
}
