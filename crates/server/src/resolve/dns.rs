//! Questions to name servers: NAPTR, SRV, A and AAAA, each with the time for which its answer holds.
//!
//! Answers are kept as long as DNS allows. What they mean for SIP is `names.rs`'s.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use crate::unusable::Unusable;

/// How long one name server may think about one question; then it is asked once more, or the next one is.
const ANSWER_WITHIN: Duration = Duration::from_millis(1_500);
/// How long it may be believed that there is nothing.
const NOTHING_FOR: Duration = Duration::from_secs(30);
/// Answers that are kept.
const KEPT: u64 = 4_096;
/// Questions under way to one name server.
const AT_ONCE: usize = 1_024;
/// Records of one answer that are looked at.
const MOST: usize = 32;

/// What is asked of name servers. Clones share what is known.
#[derive(Clone)]
pub struct Dns(TokioResolver);

/// An answer that there is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known<T> {
    /// In no order that matters.
    pub records: Vec<T>,
    /// When to ask again.
    pub until: Instant,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unknown {
    /// There is none, and the name server knows.
    #[error("the name has no address")]
    Nothing,
    /// It could not be found out.
    #[error("the name server does not tell: {0}")]
    Failed(String),
}

/// A NAPTR record (RFC 3403).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Naptr {
    /// Lowest first.
    pub order: u16,
    /// Within an order, lowest first.
    pub preference: u16,
    /// In upper case: `S`.
    pub flags: String,
    /// In upper case: `SIP+D2U`.
    pub service: String,
    /// The name to go on with.
    pub replacement: String,
}

/// An SRV record (RFC 2782).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Srv {
    /// Lowest first.
    pub priority: u16,
    /// The share among those of the same priority.
    pub weight: u16,
    /// The host; `.` means that the service is not to be had.
    pub host: String,
    /// The port there.
    pub port: u16,
}

impl Dns {
    /// Asks the given name servers, or those of the system.
    pub fn new(servers: Option<&[SocketAddr]>) -> Result<Self, Unusable> {
        let wrong = |error: NetError| Unusable(format!("name servers: {error}: name one with --dns"));
        let mut builder = match servers {
            Some(servers) => {
                let servers = servers.iter().map(|server| {
                    let ways = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut way| {
                        way.port = server.port();
                        way
                    });
                    NameServerConfig::new(server.ip(), true, ways.into())
                });
                let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio().unwrap_or_else(|error| {
                tracing::warn!(%error, "no name server is known: name one with --dns, or trunks by their addresses");
                TokioResolver::builder_with_config(ResolverConfig::default(), TokioRuntimeProvider::default())
            }),
        };
        let options = builder.options_mut();
        options.timeout = ANSWER_WITHIN;
        options.attempts = 2;
        options.cache_size = KEPT;
        options.max_active_requests = AT_ONCE;
        options.negative_max_ttl = Some(NOTHING_FOR);
        options.ip_strategy = hickory_resolver::config::LookupIpStrategy::Ipv4AndIpv6;
        builder.build().map(Self).map_err(wrong)
    }

    /// The services of a domain.
    pub async fn naptr(&self, domain: &str) -> Result<Known<Naptr>, Unknown> {
        let read = |data: &RData| match data {
            RData::NAPTR(naptr) => Some(Naptr {
                order: naptr.order,
                preference: naptr.preference,
                flags: String::from_utf8_lossy(&naptr.flags).to_ascii_uppercase(),
                service: String::from_utf8_lossy(&naptr.services).to_ascii_uppercase(),
                replacement: naptr.replacement.to_ascii(),
            }),
            _ => None,
        };
        self.ask(domain, RecordType::NAPTR, read).await
    }

    /// Who offers a service: `_sip._udp.example.test`.
    pub async fn srv(&self, service: &str) -> Result<Known<Srv>, Unknown> {
        let read = |data: &RData| match data {
            RData::SRV(srv) => {
                Some(Srv { priority: srv.priority, weight: srv.weight, host: srv.target.to_ascii(), port: srv.port })
            }
            _ => None,
        };
        self.ask(service, RecordType::SRV, read).await
    }

    /// The addresses of a host, of the system's file of hosts too.
    pub async fn addresses(&self, host: &str) -> Result<Known<IpAddr>, Unknown> {
        let found = self.0.lookup_ip(name(host)?).await.map_err(unknown)?;
        let mut records: Vec<IpAddr> = found.iter().take(MOST).collect();
        records.sort();
        if records.is_empty() { Err(Unknown::Nothing) } else { Ok(Known { records, until: found.valid_until() }) }
    }

    async fn ask<T: Ord>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Known<T>, Unknown> {
        let found: Lookup = self.0.lookup(self::name(name)?, kind).await.map_err(unknown)?;
        let mut records: Vec<T> = found.answers().iter().filter_map(|record| read(&record.data)).take(MOST).collect();
        records.sort();
        if records.is_empty() { Err(Unknown::Nothing) } else { Ok(Known { records, until: found.valid_until() }) }
    }
}

/// A name with a dot in it is whole; one without is looked for in the system's domains too.
fn name(text: &str) -> Result<Name, Unknown> {
    let mut name = Name::from_ascii(text).map_err(|_| Unknown::Nothing)?;
    if text.contains('.') {
        name.set_fqdn(true);
    }
    Ok(name)
}

fn unknown(error: NetError) -> Unknown {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(_)) => Unknown::Nothing,
        error => Unknown::Failed(error.to_string()),
    }
}
