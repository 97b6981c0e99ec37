//! What lies between phones and switchboard: time, and things that happen to packets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::chance::Chance;

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Which way it goes.
    pub way: Way,
    /// The message.
    pub bytes: Bytes,
    /// The connection it goes by; 0 for UDP.
    pub connection: u64,
    /// Where it seems to come from.
    pub from: SocketAddr,
}

/// Which way a message goes. Phones are named by their place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Way {
    /// From a phone.
    ToSwitchboard(usize),
    /// To a phone.
    ToPhone(usize),
}

/// What happens to messages by UDP that no rule names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Of a thousand messages so many are lost.
    pub lost: u32,
    /// Of a thousand messages so many come twice.
    pub doubled: u32,
    /// Of a thousand messages so many are late, by up to `late_by`.
    pub late: u32,
    /// The most a late message is late.
    pub late_by: Duration,
    /// What every message takes.
    pub latency: Duration,
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It comes.
    Comes,
    /// It never comes.
    Lost,
    /// It comes twice.
    Doubled,
    /// It comes so much later.
    Late(Duration),
}

/// A fate for messages of one kind.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Who sends it; anybody if None.
    pub from: Option<String>,
    /// How its line in the ladder begins.
    pub title: String,
    /// What becomes of it.
    pub fate: Fate,
    /// How many more of them.
    pub times: u32,
}

/// The network.
#[derive(Debug, Default)]
pub struct Network {
    /// What happens by chance.
    pub weather: Weather,
    rules: Vec<Rule>,
    under_way: BTreeMap<(Duration, u64), Parcel>,
    /// When the last message of a connection comes: streams keep their order.
    last: BTreeMap<(Way, u64), Duration>,
    count: u64,
}

impl Network {
    /// The next messages of a kind have this fate.
    pub fn rule(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Whether some kind of message has a fate of its own.
    pub fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Takes in a message that `from` sends, described by `title`; says what becomes of it.
    pub fn send(&mut self, now: Duration, chance: &mut Chance, from: &str, title: &str, parcel: Parcel) -> Fate {
        let is_stream = parcel.connection != 0;
        let fate = match self.rules.iter_mut().find(|rule| rule.names(from, title)) {
            Some(rule) => {
                rule.times -= 1;
                rule.fate
            }
            None if is_stream => Fate::Comes,
            None => self.weather.fate(chance),
        };
        self.rules.retain(|rule| rule.times > 0);
        let at = now + self.weather.latency;
        match fate {
            Fate::Lost => {}
            Fate::Comes => self.put(at, parcel),
            Fate::Doubled => {
                self.put(at, parcel.clone());
                self.put(at, parcel);
            }
            Fate::Late(by) => self.put(at + by, parcel),
        }
        fate
    }

    /// When the next message comes.
    pub fn poll(&self) -> Option<Duration> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next message that has come.
    pub fn take(&mut self, now: Duration) -> Option<Parcel> {
        let entry = self.under_way.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    /// Everything on its way by this connection is lost with it.
    pub fn cut(&mut self, connection: u64) {
        self.under_way.retain(|_, parcel| parcel.connection != connection);
    }

    fn put(&mut self, at: Duration, parcel: Parcel) {
        let at = if parcel.connection == 0 {
            at
        } else {
            let last = self.last.entry((parcel.way, parcel.connection)).or_default();
            *last = at.max(*last);
            *last
        };
        self.count += 1;
        self.under_way.insert((at, self.count), parcel);
    }
}

impl Weather {
    /// What becomes of one message or packet.
    pub(super) fn fate(&self, chance: &mut Chance) -> Fate {
        let [lost, doubled, late] = [self.lost, self.lost + self.doubled, self.lost + self.doubled + self.late];
        if late == 0 {
            return Fate::Comes;
        }
        match chance.below(1_000) {
            drawn if drawn < lost => Fate::Lost,
            drawn if drawn < doubled => Fate::Doubled,
            drawn if drawn < late => Fate::Late(chance.within(self.late_by)),
            _ => Fate::Comes,
        }
    }
}

impl Rule {
    fn names(&self, from: &str, title: &str) -> bool {
        self.times > 0 && self.from.as_ref().is_none_or(|own| own == from) && title.starts_with(&self.title)
    }
}
