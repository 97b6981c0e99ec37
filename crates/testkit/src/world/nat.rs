//! A router between a phone and the switchboard: the phone's own address is not known outside, and the router remembers
//! for a while only which of its ports stands for which of the phone's.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A port of which nothing was sent for so long stands for nobody. What comes in keeps it no longer.
const EXPIRES: Duration = Duration::from_secs(30);

/// The first port that is given away.
const FIRST_PORT: u16 = 40_000;

/// A router with address translation.
#[derive(Debug)]
pub struct Nat {
    outside: IpAddr,
    ports: Vec<Port>,
    given: u16,
}

#[derive(Debug)]
struct Port {
    inside: SocketAddr,
    outside: u16,
    used: Duration,
}

impl Nat {
    /// A router that is known by this address.
    pub fn new(outside: IpAddr) -> Self {
        Self { outside, ports: Vec::new(), given: 0 }
    }

    /// Whether packets to this address come to the router.
    pub fn is_at(&self, address: IpAddr) -> bool {
        self.outside == address
    }

    /// Where a packet seems to come from that the phone sends by UDP.
    pub fn out(&mut self, now: Duration, inside: SocketAddr) -> SocketAddr {
        self.ports.retain(|port| now < port.used + EXPIRES);
        let known = self.ports.iter_mut().find(|port| port.inside == inside);
        let outside = match known {
            Some(port) => {
                port.used = now;
                port.outside
            }
            None => {
                self.given += 1;
                let outside = FIRST_PORT + self.given;
                self.ports.push(Port { inside, outside, used: now });
                outside
            }
        };
        SocketAddr::new(self.outside, outside)
    }

    /// Where a connection of the phone seems to come from, for as long as it lives.
    pub fn connected(&self, inside: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.outside, inside.port())
    }

    /// Whom a packet reaches that comes by UDP. None: the port stands for nobody any more.
    pub fn inward(&self, now: Duration, outside: u16) -> Option<SocketAddr> {
        let live = self.ports.iter().filter(|port| now < port.used + EXPIRES);
        live.into_iter().find(|port| port.outside == outside).map(|port| port.inside)
    }

    /// The router is switched off and on: it remembers nothing.
    pub fn forget(&mut self) {
        self.ports.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_stands_for_the_phone_while_the_phone_sends_and_another_one_does_later() {
        let mut nat = Nat::new([203, 0, 113, 1].into());
        let phone = SocketAddr::from(([10, 0, 0, 1], 5060));
        let seconds = Duration::from_secs;

        let first = nat.out(seconds(0), phone);
        let kept = nat.out(seconds(25), phone);
        let reached = nat.inward(seconds(54), first.port());
        let expired = nat.inward(seconds(55), first.port());
        let second = nat.out(seconds(60), phone);

        assert_eq!((kept, reached, expired), (first, Some(phone), None));
        assert_ne!(second, first);
    }
}
