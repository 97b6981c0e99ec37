//! Where a host of SIP is (RFC 3263): transport by NAPTR, port and hosts by SRV, then addresses.
//!
//! | named | asked |
//! |---|---|
//! | an address | nothing |
//! | a port | A, AAAA |
//! | a transport | SRV, then A, AAAA |
//! | neither | NAPTR, then SRV of each transport, then A, AAAA |

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use model::{Target, Transport};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::dns::{Dns, Known, Srv, Unknown};

/// How long all questions about one name may take together.
const WITHIN: Duration = Duration::from_secs(5);
/// Targets of one name, at most: more would not be tried in a caller's patience.
const MOST: usize = 32;
/// Ranks that one service may take: two families for each of its offers.
const RANKS: u16 = 128;
/// Names that are looked up at once; others wait for their turn.
const AT_ONCE: usize = 32;
/// How soon a name is asked for again whose answer is not known, or only in part.
const AGAIN: Duration = Duration::from_secs(30);
/// How long an address stays true.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// A host as settings or a URI name it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// Name or address, the latter without brackets.
    pub host: String,
    /// The port, where one is named.
    pub port: Option<u16>,
    /// The transport, where one is named.
    pub transport: Option<Transport>,
    /// Whether nothing but TLS will do.
    pub secure: bool,
}

/// What became of a look-up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Located {
    /// Sorted. Empty: the host cannot be reached, and `trouble` says why.
    pub targets: Vec<Target>,
    /// When to ask again.
    pub until: Instant,
    /// What could not be found out. With targets: they may not be the right ones.
    pub trouble: Option<Unknown>,
}

/// Looks hosts up. Clones share what is known.
#[derive(Clone)]
pub struct Names {
    dns: Dns,
    /// Whether we have an interface of each family: others cannot be reached.
    ipv4: bool,
    ipv6: bool,
    room: Arc<Semaphore>,
}

/// What has been found so far.
struct Search {
    found: BTreeSet<Target>,
    until: Instant,
    trouble: Option<Unknown>,
}

impl Place {
    /// Reads `host`, `host:port`, `address`, `[address]:port`.
    pub fn parse(text: &str, transport: Option<Transport>) -> Self {
        let of = |host: &str, port| Self { host: host.to_owned(), port, transport, secure: false };
        if let Ok(address) = text.parse::<SocketAddr>() {
            return of(&address.ip().to_string(), Some(address.port()));
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        match bare.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => of(host, port.parse().ok()),
            _ => of(bare, None),
        }
    }

    /// Its address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// The transport for which no name server is asked.
    fn usual_transport(&self) -> Transport {
        match self.transport {
            _ if self.secure => Transport::Tls,
            Some(transport) => transport,
            None => Transport::Udp,
        }
    }
}

impl Names {
    /// Asks `dns`, for addresses of the families that we can reach.
    pub fn new(dns: Dns, ours: &[IpAddr]) -> Self {
        let (ipv4, ipv6) = (ours.iter().any(IpAddr::is_ipv4), ours.iter().any(IpAddr::is_ipv6));
        Self { dns, ipv4, ipv6, room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Where the host is.
    pub async fn locate(&self, place: &Place) -> Located {
        if let Some(ip) = place.ip() {
            let transport = place.usual_transport();
            let address = SocketAddr::new(ip, place.port.unwrap_or(usual_port(transport)));
            let until = Instant::now() + FOREVER;
            return Located { targets: vec![Target::only(address, transport)], until, trouble: None };
        }
        let _room = self.room.acquire().await;
        match timeout(WITHIN, self.search(place)).await {
            Ok(search) => search.end(),
            Err(_) => Located {
                targets: Vec::new(),
                until: Instant::now() + AGAIN,
                trouble: Some(Unknown::Failed("it took too long".into())),
            },
        }
    }

    async fn search(&self, place: &Place) -> Search {
        let mut search = Search { found: BTreeSet::new(), until: Instant::now() + FOREVER, trouble: None };
        if let Some(port) = place.port {
            self.find_host(&mut search, &place.host, port, place.usual_transport()).await;
            return search;
        }
        let mut is_offered = false;
        for (rank, (transport, service)) in self.services(&mut search, place).await.into_iter().enumerate() {
            let known = self.dns.srv(&service).await;
            if let Some(offers) = search.note(known) {
                is_offered = true;
                self.find_offers(&mut search, &offers, rank as u16 * RANKS, transport).await;
            }
        }
        if !is_offered {
            let transport = place.usual_transport();
            self.find_host(&mut search, &place.host, usual_port(transport), transport).await;
        } else if !search.found.is_empty() && search.trouble.take().is_some() {
            // Somebody takes the call; what a part of the name servers kept to itself is asked for again soon.
            search.until = search.until.min(Instant::now() + AGAIN);
        }
        search
    }

    /// The SRV names to ask for, best first.
    async fn services(&self, search: &mut Search, place: &Place) -> Vec<(Transport, String)> {
        let of = |transport: Transport| (transport, format!("{}.{}", prefix(transport), place.host));
        if place.secure {
            return vec![of(Transport::Tls)];
        }
        if let Some(transport) = place.transport {
            return vec![of(transport)];
        }
        let known = self.dns.naptr(&place.host).await;
        let services: Vec<_> = search.note(known).unwrap_or_default();
        let usable = services.iter().filter(|record| record.flags == "S").filter_map(|record| {
            let transport = match record.service.as_str() {
                "SIP+D2U" => Transport::Udp,
                "SIP+D2T" => Transport::Tcp,
                "SIPS+D2T" => Transport::Tls,
                _ => return None,
            };
            Some((transport, record.replacement.clone()))
        });
        let usable: Vec<_> = usable.collect();
        if usable.is_empty() { [Transport::Udp, Transport::Tcp, Transport::Tls].map(of).into() } else { usable }
    }

    async fn find_offers(&self, search: &mut Search, offers: &[Srv], rank: u16, transport: Transport) {
        let hosts = offers.iter().map(|offer| async {
            if is_declined(&offer.host) { Err(Unknown::Nothing) } else { self.dns.addresses(&offer.host).await }
        });
        let hosts = join_all(hosts).await;
        let mut priorities: Vec<u16> = offers.iter().map(|offer| offer.priority).collect();
        priorities.dedup();
        for (offer, known) in offers.iter().zip(hosts) {
            let at = priorities.iter().position(|priority| *priority == offer.priority).unwrap_or(0) as u16;
            if let Some(ips) = search.note(known) {
                self.put(search, &ips, rank + 2 * at, offer.weight, offer.port, transport);
            }
        }
    }

    async fn find_host(&self, search: &mut Search, host: &str, port: u16, transport: Transport) {
        let known = self.dns.addresses(host).await;
        if let Some(ips) = search.note(known) {
            self.put(search, &ips, 0, 0, port, transport);
        }
    }

    /// Addresses of one host share its weight; IPv6 is tried after IPv4 of the same rank.
    fn put(&self, search: &mut Search, ips: &[IpAddr], rank: u16, weight: u16, port: u16, transport: Transport) {
        let reached = |ip: &&IpAddr| if ip.is_ipv4() { self.ipv4 } else { self.ipv6 };
        let reached: Vec<_> = ips.iter().filter(reached).collect();
        for ip in &reached {
            let alike = reached.iter().filter(|other| other.is_ipv4() == ip.is_ipv4()).count();
            let weight = if weight == 0 { 0 } else { (weight / alike as u16).max(1) };
            let rank = rank + u16::from(ip.is_ipv6());
            search.found.insert(Target { rank, weight, address: SocketAddr::new(**ip, port), transport });
        }
    }
}

impl Search {
    /// Takes an answer in: how long it holds, and what went wrong.
    fn note<T>(&mut self, known: Result<Known<T>, Unknown>) -> Option<Vec<T>> {
        match known {
            Ok(Known { records, until }) => {
                self.until = self.until.min(until);
                Some(records)
            }
            Err(Unknown::Nothing) => None,
            Err(failed) => {
                self.trouble.get_or_insert(failed);
                None
            }
        }
    }

    fn end(self) -> Located {
        let mut places = BTreeSet::new();
        let mut targets: Vec<_> =
            self.found.into_iter().filter(|target| places.insert((target.address, target.transport))).collect();
        targets.truncate(MOST);
        let mut trouble = self.trouble;
        if targets.is_empty() {
            trouble.get_or_insert(Unknown::Nothing);
        }
        let until = if trouble.is_some() { self.until.min(Instant::now() + AGAIN) } else { self.until };
        Located { targets, until, trouble }
    }
}

/// RFC 2782: a target of `.` says that the service is decidedly not there.
fn is_declined(host: &str) -> bool {
    host == "."
}

fn usual_port(transport: Transport) -> u16 {
    if transport == Transport::Tls { 5061 } else { 5060 }
}

fn prefix(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_perhaps_a_port() {
        let table = [
            ("127.0.0.1:5090", "127.0.0.1", Some(5090)),
            ("192.0.2.1", "192.0.2.1", None),
            ("sip.example.test:5070", "sip.example.test", Some(5070)),
            ("sip.example.test", "sip.example.test", None),
            ("[2001:db8::1]:5070", "2001:db8::1", Some(5070)),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("2001:db8::1", "2001:db8::1", None),
        ];
        for (text, host, port) in table {
            let place = Place::parse(text, None);

            assert_eq!((place.host.as_str(), place.port), (host, port), "{text}");
        }
    }
}
