//! Sources that may not sign in for some time, because somebody there tried wrong passwords.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Who one source of messages is taken to be: an IPv4 address, or the IPv6 network of 64 bits that one customer has.
/// Written `192.0.2.7`, `2001:db8:0:1::/64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Source(IpAddr);

/// A source that may not sign in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ban {
    /// Who.
    pub source: Source,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Which ban of this source in a row it is, from 1; each is longer than the one before.
    pub times: u32,
}

/// Text that names no source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a source is an IPv4 address, or an IPv6 network of 64 bits: 192.0.2.7, 2001:db8:0:1::/64")]
pub struct ParseSourceError;

impl Source {
    /// The source that sends from an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self(IpAddr::V6(network(v6))),
            v4 => Self(v4),
        }
    }

    /// The IPv4 address, or the first address of the network.
    pub fn address(self) -> IpAddr {
        self.0
    }
}

fn network(address: Ipv6Addr) -> Ipv6Addr {
    (address.to_bits() & !u128::from(u64::MAX)).into()
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

impl FromStr for Source {
    type Err = ParseSourceError;

    fn from_str(text: &str) -> Result<Self, ParseSourceError> {
        let address = text.strip_suffix("/64").filter(|text| text.contains(':')).unwrap_or(text);
        address.parse().map(Self::of).map_err(|_| ParseSourceError)
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_customer_are_one_source() {
        let source = |text: &str| text.parse::<IpAddr>().map(Source::of).expect("an address");

        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.7"), source("192.0.2.7"));
        assert_ne!(source("192.0.2.8"), source("192.0.2.7"));
    }

    #[test]
    fn a_source_is_read_as_it_is_written() {
        for text in ["192.0.2.7", "2001:db8:0:1::/64", "::/64"] {
            assert_eq!(text.parse::<Source>().map(|source| source.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(
            "2001:db8:0:1::7".parse::<Source>().map(|source| source.to_string()),
            Ok("2001:db8:0:1::/64".into())
        );
        for text in ["", "192.0.2.7/64", "192.0.2", "2001:db8::/48", "pbx.example"] {
            assert_eq!(text.parse::<Source>(), Err(ParseSourceError), "{text}");
        }
    }
}
