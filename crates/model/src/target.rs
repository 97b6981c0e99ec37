//! Where a trunk is reached: what its name said when it was looked up (RFC 3263), and in which order to try it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What carries SIP to a trunk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// TLS on a stream.
    Tls,
}

/// One place where a trunk is reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Target {
    /// Lowest first: the order of NAPTR records and the priority of SRV records in one.
    pub rank: u16,
    /// The share of calls among those of the same rank that it asks for.
    pub weight: u16,
    /// Where.
    pub address: SocketAddr,
    /// By what.
    pub transport: Transport,
}

impl Target {
    /// The only place there is.
    pub fn only(address: SocketAddr, transport: Transport) -> Self {
        Self { rank: 0, weight: 0, address, transport }
    }

    /// Targets in the order they are to be tried now: lowest rank first, within a rank at random by weight (RFC 2782).
    /// `draw(most)` gives a random number from 0 to `most`, both included.
    pub fn in_turn(targets: &[Self], mut draw: impl FnMut(u32) -> u32) -> Vec<Self> {
        let mut left = targets.to_vec();
        // Those without weight stand first in their rank, where only a draw of 0 finds them.
        left.sort();
        let mut turn = Vec::with_capacity(left.len());
        while let Some(rank) = left.first().map(|target| target.rank) {
            let alike = left.iter().take_while(|target| target.rank == rank);
            let total = alike.clone().map(|target| u32::from(target.weight)).sum();
            // Without any weight all are alike.
            let at = if total == 0 {
                draw(alike.count() as u32 - 1) as usize
            } else {
                let drawn = draw(total);
                let mut sum = 0;
                let reached = |target: &Self| {
                    sum += u32::from(target.weight);
                    sum >= drawn
                };
                alike.clone().map(reached).position(|reached| reached).unwrap_or(0)
            };
            turn.push(left.remove(at.min(left.len() - 1)));
        }
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(rank: u16, weight: u16, last: u8) -> Target {
        Target { rank, weight, address: ([192, 0, 2, last], 5060).into(), transport: Transport::Udp }
    }

    fn tried(targets: &[Target], draw: impl FnMut(u32) -> u32) -> Vec<u8> {
        let last = |target: Target| match target.address.ip() {
            std::net::IpAddr::V4(ip) => ip.octets()[3],
            std::net::IpAddr::V6(_) => 0,
        };
        Target::in_turn(targets, draw).into_iter().map(last).collect()
    }

    #[test]
    fn a_lower_rank_is_tried_first_whatever_its_weight() {
        let targets = [target(2, 100, 3), target(1, 0, 2), target(0, 5, 1)];

        assert_eq!(tried(&targets, |most| most), [1, 2, 3]);
        assert_eq!(tried(&targets, |_| 0), [1, 2, 3]);
    }

    #[test]
    fn weights_share_the_first_place_among_one_rank() {
        let targets = [target(0, 30, 1), target(0, 70, 2)];
        let first = |drawn: u32| tried(&targets, |most| drawn.min(most))[0];

        let shares = (1..=100).filter(|drawn| first(*drawn) == 2).count();

        assert_eq!(shares, 70);
    }

    #[test]
    fn without_weights_all_have_the_same_chance() {
        let targets = [target(0, 0, 1), target(0, 0, 2), target(0, 0, 3)];

        let firsts: Vec<_> = (0..3).map(|drawn: u32| tried(&targets, |most| drawn.min(most))[0]).collect();

        assert_eq!(firsts, [1, 2, 3]);
    }

    #[test]
    fn any_number_drawn_gives_each_target_once() {
        let targets = [target(0, 0, 1), target(0, 9, 2), target(3, 65_535, 3), target(3, 65_535, 4)];

        for drawn in [0, 1, 9, 10, 65_535, 131_070, u32::MAX] {
            let mut turn = tried(&targets, |_| drawn);
            turn.sort_unstable();

            assert_eq!(turn, [1, 2, 3, 4], "{drawn}");
        }
    }
}
