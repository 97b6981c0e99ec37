//! A worker's sockets: pairs for RTP and RTCP, bound before they are needed.
//!
//!   bound ──► told to signalling ──► open ──► resting ──► rested ──► told …
//!
//! A pair that a session has left is read on and what comes is dropped, so that no late packet meets the next session.
//! After its rest it is told again, longest unused first. When no port is left, resting pairs are told early.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use ::media::{AddressId, Channel, SoundAddress, WorkerId};
use socket2::{Domain, Protocol, Socket, Type};

use super::poller::Poller;

/// How long a pair rests.
const REST: Duration = Duration::from_secs(5);

/// How long it rests at least, when there is no other.
const SHORT_REST: Duration = Duration::from_millis(250);

/// Pairs told at once: enough to be worth a report, few enough to be bound between two packets.
const BATCH: usize = 32;

/// When every port that was tried is taken, others are left alone for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Expedited forwarding (RFC 3246), in the upper six bits of the type of service.
const EXPEDITED: u32 = 46 << 2;

/// The sockets of one worker.
pub struct Stock {
    worker: WorkerId,
    /// Told and not opened: as many as this for each interface.
    size: usize,
    /// Pairs bound altogether: files are opened by others too.
    most: usize,
    /// By [`AddressId`].
    pairs: Vec<Pair>,
    shelves: Vec<Shelf>,
    /// In the order in which they were left.
    resting: VecDeque<(Instant, AddressId)>,
}

/// One address of the machine.
struct Shelf {
    ip: IpAddr,
    /// Even ports that are not bound yet.
    ports: VecDeque<u16>,
    not_before: Option<Instant>,
    /// Longest unused first.
    rested: VecDeque<AddressId>,
    /// Pairs that signalling knows and has not opened.
    told: usize,
}

struct Pair {
    sound: UdpSocket,
    control: UdpSocket,
    shelf: u16,
    port: u16,
    is_ipv6: bool,
    is_told: bool,
}

impl Stock {
    /// Shelves for these addresses. Of so many workers, each takes every so-manieth pair of ports, and so do shelves
    /// that would take each other's.
    pub fn new(
        worker: WorkerId,
        workers: usize,
        size: usize,
        addresses: &[IpAddr],
        ports: &RangeInclusive<u16>,
    ) -> Self {
        let (first, last) = (u32::from(*ports.start()).next_multiple_of(2), u32::from(*ports.end()));
        let pairs = (first..last).step_by(2).map(|port| port as u16);
        let shares = if any_clash(addresses) { addresses.len() } else { 1 };
        let shelf = |(index, ip): (usize, &IpAddr)| {
            let first = usize::from(worker.0) + index % shares * workers;
            let ports = pairs.clone().skip(first).step_by(workers * shares).collect();
            Shelf { ip: *ip, ports, not_before: None, rested: VecDeque::new(), told: 0 }
        };
        let shelves = addresses.iter().enumerate().map(shelf).collect();
        let most = open_files() * 3 / 8 / workers;
        Self { worker, size: size.min(most), most, pairs: Vec::new(), shelves, resting: VecDeque::new() }
    }

    /// Makes more pairs ready, where some are missing, and gives those that signalling does not know yet.
    pub fn refill(&mut self, now: Instant, poller: &Poller) -> Vec<SoundAddress> {
        while let Some((_, id)) = self.resting.pop_front_if(|(left, _)| now - *left >= REST) {
            self.shelves[usize::from(self.pairs[id.0 as usize].shelf)].rested.push_back(id);
        }
        let mut told = Vec::new();
        for index in 0..self.shelves.len() {
            if self.shelves[index].told + self.batch() > self.size {
                continue;
            }
            for _ in 0..BATCH.min(self.size - self.shelves[index].told) {
                let Some(id) = self.ready(now, poller, index) else { break };
                let pair = &mut self.pairs[id.0 as usize];
                pair.is_told = true;
                self.shelves[index].told += 1;
                told.push(SoundAddress { worker: self.worker, id, interface: pair.shelf, port: pair.port });
            }
        }
        told
    }

    /// When [`Self::refill`] may find something to do. None: not before a pair is opened.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let wait = |shelf: &Shelf| {
            if shelf.told + self.batch() > self.size {
                return None;
            }
            let can_bind = !shelf.ports.is_empty() && shelf.not_before.is_none_or(|until| until <= now);
            Some(if can_bind || !shelf.rested.is_empty() { Duration::ZERO } else { SHORT_REST })
        };
        self.shelves.iter().filter_map(wait).min()
    }

    /// Signalling opens this one. False: it was not told, or is open.
    pub fn open(&mut self, id: AddressId) -> bool {
        let Some(pair) = self.pairs.get_mut(id.0 as usize).filter(|pair| pair.is_told) else { return false };
        pair.is_told = false;
        self.shelves[usize::from(pair.shelf)].told -= 1;
        true
    }

    /// Its session has left it.
    pub fn rest(&mut self, now: Instant, id: AddressId) {
        self.resting.push_back((now, id));
    }

    /// One of a pair's sockets.
    pub fn socket(&self, id: AddressId, channel: Channel) -> Option<&UdpSocket> {
        let pair = self.pairs.get(id.0 as usize)?;
        Some(match channel {
            Channel::Sound => &pair.sound,
            Channel::Control => &pair.control,
        })
    }

    /// A peer's address as a pair's sockets want it: on one for both families, those of IPv4 are mapped.
    pub fn as_family_of(&self, id: AddressId, to: SocketAddr) -> SocketAddr {
        match (self.pairs.get(id.0 as usize), to.ip()) {
            (Some(Pair { is_ipv6: true, .. }), IpAddr::V4(ip)) => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), to.port())
            }
            _ => to,
        }
    }

    /// Pairs that signalling may open now.
    pub fn told(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.told).sum()
    }

    /// How many have to be missing for a report to be worth it.
    fn batch(&self) -> usize {
        BATCH.min(self.size.div_ceil(2))
    }

    /// A pair that nobody uses: one that has rested, else a port not used before, else the one that has rested longest.
    fn ready(&mut self, now: Instant, poller: &Poller, index: usize) -> Option<AddressId> {
        if let Some(id) = self.shelves[index].rested.pop_front() {
            return Some(id);
        }
        if let Some(id) = self.bind(now, poller, index) {
            return Some(id);
        }
        let is_here = |(left, id): &(Instant, AddressId)| {
            usize::from(self.pairs[id.0 as usize].shelf) == index && now - *left >= SHORT_REST
        };
        let position = self.resting.iter().position(is_here)?;
        self.resting.remove(position).map(|(_, id)| id)
    }

    /// Binds the next free pair of ports.
    fn bind(&mut self, now: Instant, poller: &Poller, index: usize) -> Option<AddressId> {
        let shelf = &mut self.shelves[index];
        if shelf.not_before.is_some_and(|until| until > now) {
            return None;
        }
        if self.pairs.len() >= self.most {
            shelf.not_before = Some(now + PAUSE);
            return None;
        }
        // Before the first pair there is time: another server may have a thousand ports at the range's beginning.
        let is_first = self.pairs.iter().all(|pair| usize::from(pair.shelf) != index);
        let tries = if is_first { shelf.ports.len() } else { BATCH.min(shelf.ports.len()) };
        for _ in 0..tries {
            let port = shelf.ports.pop_front()?;
            let id = self.pairs.len() as u32;
            match bind_pair(shelf.ip, port, poller, id) {
                Ok((sound, control)) => {
                    let is_ipv6 = shelf.ip.is_ipv6();
                    self.pairs.push(Pair { sound, control, shelf: index as u16, port, is_ipv6, is_told: false });
                    return Some(AddressId(id));
                }
                // Somebody else has it; perhaps not for ever.
                Err(error) => {
                    tracing::debug!(%error, ip = %shelf.ip, port, "a pair of ports could not be bound");
                    shelf.ports.push_back(port);
                }
            }
        }
        shelf.not_before = Some(now + PAUSE);
        None
    }
}

/// Whether two of the addresses cannot both have a port: they are the same, or one is all of the machine's.
fn any_clash(addresses: &[IpAddr]) -> bool {
    let clash = |one: &IpAddr, other: &IpAddr| one == other || one.is_unspecified() || other.is_unspecified();
    addresses.iter().enumerate().any(|(index, one)| addresses[..index].iter().any(|other| clash(one, other)))
}

/// The poller's token for one of a pair's sockets.
pub fn token(id: AddressId, channel: Channel) -> u64 {
    u64::from(id.0) << 1 | u64::from(channel == Channel::Control)
}

/// Whose socket a token means.
pub fn of_token(token: u64) -> (AddressId, Channel) {
    let channel = if token & 1 == 0 { Channel::Sound } else { Channel::Control };
    (AddressId((token >> 1) as u32), channel)
}

/// How many files this process may have open.
fn open_files() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a whole rlimit that lives through the call.
    let told = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0;
    if told { usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX / 3).min(1 << 20) } else { 1024 }
}

fn bind_pair(ip: IpAddr, port: u16, poller: &Poller, id: u32) -> io::Result<(UdpSocket, UdpSocket)> {
    let bind = |port| -> io::Result<UdpSocket> {
        let domain = if ip.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        if ip.is_ipv6() {
            // All of the machine's addresses means those of IPv4 too.
            socket.set_only_v6(!ip.is_unspecified())?;
            let _ = socket.set_tclass_v6(EXPEDITED);
        }
        // Networks that do not know it, or systems that do not allow it, carry sound all the same.
        let _ = socket.set_tos_v4(EXPEDITED);
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::new(ip, port).into())?;
        Ok(socket.into())
    };
    let (sound, control) = (bind(port)?, bind(port + 1)?);
    poller.add(&sound, token(AddressId(id), Channel::Sound))?;
    poller.add(&control, token(AddressId(id), Channel::Control))?;
    Ok((sound, control))
}

#[cfg(test)]
mod tests {
    use super::super::tests::loopback;
    use super::*;

    fn stock(size: usize, ports: RangeInclusive<u16>) -> (Stock, Poller, Instant) {
        (Stock::new(WorkerId(0), 1, size, &[loopback()], &ports), Poller::new().unwrap(), Instant::now())
    }

    fn opened(stock: &mut Stock, addresses: &[SoundAddress]) -> Vec<AddressId> {
        let ids: Vec<_> = addresses.iter().map(|address| address.id).collect();
        assert!(ids.iter().all(|&id| stock.open(id)));
        ids
    }

    #[test]
    fn two_interfaces_on_one_address_share_its_ports() {
        let (poller, now) = (Poller::new().unwrap(), Instant::now());
        let mut stock = Stock::new(WorkerId(0), 1, 4, &[loopback(), loopback()], &(12_900..=12_939));

        let told = stock.refill(now, &poller);

        let of = |interface| told.iter().filter(|address| address.interface == interface).count();
        assert_eq!((of(0), of(1)), (4, 4));
    }

    #[test]
    fn pairs_are_even_rtp_ports_with_rtcp_above() {
        let (mut stock, poller, now) = stock(4, 12_001..=12_020);

        let told = stock.refill(now, &poller);

        assert_eq!(told.len(), 4);
        for address in told {
            assert!(address.port % 2 == 0 && (12_002..12_020).contains(&address.port));
            let port = |channel| stock.socket(address.id, channel).unwrap().local_addr().unwrap().port();
            assert_eq!((port(Channel::Sound), port(Channel::Control)), (address.port, address.port + 1));
        }
    }

    #[test]
    fn ports_that_others_have_are_passed_over() {
        let (mut stock, poller, now) = stock(2, 12_030..=12_039);
        let _taken = UdpSocket::bind((loopback(), 12_033)).unwrap();

        let ports: Vec<_> = stock.refill(now, &poller).iter().map(|address| address.port).collect();

        assert_eq!(ports, [12_030, 12_034]);
    }

    #[test]
    fn a_range_whose_beginning_another_server_has_is_looked_through_to_its_end() {
        let (mut stock, poller, now) = stock(2, 12_200..=12_399);
        let _others: Vec<_> = (12_200..12_390).map(|port| UdpSocket::bind((loopback(), port)).unwrap()).collect();

        let ports: Vec<_> = stock.refill(now, &poller).iter().map(|address| address.port).collect();

        assert_eq!(ports, [12_390, 12_392]);
    }

    #[test]
    fn workers_share_the_ports() {
        let poller = Poller::new().unwrap();
        let ports = |worker| -> Vec<u16> {
            let mut stock = Stock::new(WorkerId(worker), 2, 9, &[loopback()], &(12_040..=12_047));
            stock.refill(Instant::now(), &poller).iter().map(|address| address.port).collect()
        };

        assert_eq!((ports(0), ports(1)), (vec![12_040, 12_044], vec![12_042, 12_046]));
    }

    #[test]
    fn what_was_opened_is_made_up_for_and_nothing_is_opened_twice() {
        let (mut stock, poller, now) = stock(2, 12_050..=12_069);
        let told = stock.refill(now, &poller);
        let nothing = stock.refill(now, &poller);

        let ids = opened(&mut stock, &told);
        let more = stock.refill(now, &poller);

        assert_eq!((nothing.len(), more.len(), stock.told()), (0, 2, 2));
        assert!(!stock.open(ids[0]) && !stock.open(AddressId(99)));
    }

    #[test]
    fn a_pair_that_was_left_rests_and_is_told_again_longest_unused_first() {
        let (mut stock, poller, now) = stock(2, 12_070..=12_073);
        let told = stock.refill(now, &poller);
        let ids = opened(&mut stock, &told);
        stock.rest(now, ids[1]);
        stock.rest(now, ids[0]);

        let at_once = stock.refill(now + SHORT_REST / 2, &poller);
        let rested: Vec<_> = stock.refill(now + REST, &poller).iter().map(|address| address.id).collect();

        assert_eq!(at_once, []);
        assert_eq!(rested, [ids[1], ids[0]]);
    }

    #[test]
    fn when_no_port_is_left_pairs_rest_less() {
        let (mut stock, poller, now) = stock(1, 12_080..=12_083);
        let told = [stock.refill(now, &poller), Vec::new()].concat();
        let first = opened(&mut stock, &told)[0];
        stock.rest(now, first);

        let fresh = stock.refill(now + SHORT_REST, &poller);
        opened(&mut stock, &fresh);
        let early = stock.refill(now + SHORT_REST + PAUSE, &poller);

        assert_ne!(fresh[0].id, first);
        assert_eq!(early[0].id, first);
    }

    #[test]
    fn files_are_left_for_others() {
        let (mut stock, poller, now) = stock(4, 12_090..=12_099);
        stock.most = 2;

        assert_eq!(stock.refill(now, &poller).len(), 2);
        assert_eq!(stock.wait(now), Some(SHORT_REST));
    }

    #[test]
    fn tokens_lead_back_to_sockets() {
        for channel in [Channel::Sound, Channel::Control] {
            assert_eq!(of_token(token(AddressId(u32::MAX), channel)), (AddressId(u32::MAX), channel));
        }
    }
}
