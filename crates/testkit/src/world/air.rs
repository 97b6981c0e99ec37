//! Sound between phones and switchboard. It comes at once, unless the weather is told: then packets are lost, doubled and
//! late, and overtake each other.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::chance::Chance;
use super::network::{Fate, Weather};

/// A packet of sound on its way.
#[derive(Clone, Debug)]
pub struct Flight {
    /// Whether it goes to the switchboard; else to a phone.
    pub inward: bool,
    /// Where it seems to come from.
    pub from: SocketAddr,
    /// Where it goes.
    pub to: SocketAddr,
    /// The packet.
    pub packet: Vec<u8>,
}

/// What lies between.
#[derive(Debug, Default)]
pub struct Air {
    /// What happens by chance. None: every packet is there at once.
    pub weather: Option<Weather>,
    under_way: BTreeMap<(Duration, u64), Flight>,
    count: u64,
}

impl Air {
    /// Takes in a packet. Gives it back when it is there at once.
    pub fn send(&mut self, now: Duration, chance: &mut Chance, flight: Flight) -> Option<Flight> {
        let Some(weather) = self.weather else { return Some(flight) };
        let at = now + weather.latency;
        match weather.fate(chance) {
            Fate::Lost => {}
            Fate::Comes => self.put(at, flight),
            Fate::Doubled => {
                self.put(at, flight.clone());
                self.put(at, flight);
            }
            Fate::Late(by) => self.put(at + by, flight),
        }
        None
    }

    /// When the next packet comes.
    pub fn poll(&self) -> Option<Duration> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next packet that has come.
    pub fn take(&mut self, now: Duration) -> Option<Flight> {
        let entry = self.under_way.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    fn put(&mut self, at: Duration, flight: Flight) {
        self.count += 1;
        self.under_way.insert((at, self.count), flight);
    }
}
