//! Ways to and from the public network: trunks, outbound rules, numbers.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::{Codec, Route, Target};

/// How a carrier wants numbers dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DialFormat {
    /// `0900000001`
    #[default]
    National,
    /// `+84900000001`
    E164,
    /// `84900000001`
    International,
}

/// Where a carrier puts the number that was called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DidFrom {
    /// The user part of the request URI.
    #[default]
    RequestUri,
    /// The To header.
    To,
    /// P-Called-Party-ID.
    PCalledPartyId,
}

/// A source that a trunk's calls come from: `192.0.2.1`, `192.0.2.1:5060` or `192.0.2.0/24`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrunkAddress {
    /// Address or network.
    pub address: IpAddr,
    /// How many leading bits count.
    pub prefix: u8,
    /// The one port, if only one counts.
    pub port: Option<u16>,
}

impl TrunkAddress {
    /// Whether `source` is meant.
    pub fn contains(&self, source: SocketAddr) -> bool {
        if self.port.is_some_and(|port| port != source.port()) {
            return false;
        }
        match (self.address, source.ip()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let bits = u32::from(self.prefix.min(32));
                (net.to_bits() ^ ip.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let bits = u32::from(self.prefix.min(128));
                (net.to_bits() ^ ip.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// Where a carrier looks for the number that calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrunkIdentity {
    /// From.
    #[default]
    From,
    /// P-Asserted-Identity (RFC 3325); From names the account, where there is one.
    Pai,
}

/// Whose number a call shows that comes from outside and is passed on to the outside again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForwardedCaller {
    /// One of the tenant's own.
    #[default]
    Own,
    /// The caller's.
    Caller,
}

/// A connection to a carrier.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trunk {
    /// `carrier`
    pub name: String,
    /// Whether it is the operator's, shared by tenants. Its limits are counted once over all of them.
    #[serde(skip)]
    pub shared: bool,
    /// The user part of the Contact under which we register there: secret enough that a call to it is the carrier's,
    /// and the same after every start. Empty where we do not register.
    #[serde(skip)]
    pub contact: String,
    /// `host:port` as it was set.
    pub address: String,
    /// Where that is, sorted; found out before the snapshot is handed over and when what DNS said has run out.
    /// [`Target::in_turn`] gives the order to try them in. Empty: the name has no address, the trunk is unusable.
    #[serde(skip)]
    pub resolved: Vec<Target>,
    /// `udp`, `tcp`, `tls`, or `auto`: what DNS says (NAPTR, SRV). Each target has its own.
    pub transport: String,
    /// For digest towards the carrier.
    pub username: Option<String>,
    /// In the clear only in memory; sealed in the store.
    #[serde(skip)]
    pub password: Option<String>,
    /// Whether we register there.
    pub register: bool,
    /// Where its calls come from.
    pub accept_from: Vec<TrunkAddress>,
    /// Where the called number stands.
    pub did_from: DidFrom,
    /// `host:port` that requests are sent to instead.
    pub outbound_proxy: Option<String>,
    /// Where its sound may come from; empty: the SDP address.
    pub media_from: Vec<TrunkAddress>,
    /// `none`, `optional` or `required`.
    pub srtp: String,
    /// Whether its identity headers are believed.
    pub trusted: bool,
    /// The name of the SIP interface to use.
    pub via: Option<String>,
    /// Calls at once.
    pub max_calls: u32,
    /// Calls begun per second.
    pub max_calls_per_second: u32,
    /// Best first.
    pub codecs: Vec<Codec>,
    /// How it wants numbers.
    pub dial_format: DialFormat,
    /// Where it looks for the number that calls.
    #[serde(default)]
    pub identity: TrunkIdentity,
    /// Whose number it is shown when a call from outside is passed on.
    #[serde(default)]
    pub forwarded_caller: ForwardedCaller,
    /// How often it is asked whether it is there. None: every 30 s while an outbound rule names it; 0: never.
    #[serde(default)]
    pub health_seconds: Option<u32>,
}

/// A rule for calls to the public network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outbound {
    /// What the national form begins with.
    pub prefix: String,
    /// Names, in the order they are tried.
    pub trunks: Vec<String>,
    /// Digits taken off the front.
    pub strip: u32,
    /// Digits put in front, after that.
    pub prepend: String,
}

/// A public number of the tenant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NumberRoute {
    /// E.164 digits, or a service number.
    pub number: String,
    /// What it reaches.
    pub route: Route,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_trunk_address_is_an_address_a_port_or_a_network() {
        let one = TrunkAddress { address: [192, 0, 2, 1].into(), prefix: 32, port: None };
        let port = TrunkAddress { port: Some(5060), ..one };
        let net = TrunkAddress { prefix: 24, ..one };
        let all = TrunkAddress { prefix: 0, ..one };

        assert!(one.contains(source("192.0.2.1:9")) && !one.contains(source("192.0.2.2:9")));
        assert!(port.contains(source("192.0.2.1:5060")) && !port.contains(source("192.0.2.1:9")));
        assert!(net.contains(source("192.0.2.200:9")) && !net.contains(source("192.0.3.1:9")));
        assert!(all.contains(source("10.0.0.1:9")) && !all.contains(source("[::1]:9")));
    }
}
