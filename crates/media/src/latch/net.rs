//! The networks of a trunk.

use std::net::SocketAddr;

use crate::SourceNet;

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
