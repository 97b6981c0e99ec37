//! Where the phones of a tenant's extensions are reached (RFC 3261, 10.3).
//!
//! Keeps bindings and tells what changed; reading REGISTER requests is left to `lines/sip/register.rs`. A binding keeps the
//! flow that it came by (RFC 5626, 5.3), and ends with the flow's connection.

mod kept;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use model::{Text, Timestamp};
use serde::{Deserialize, Serialize};
use sip::{Flow, NameAddr, Uri};

use self::kept::KeptBinding;
use self::watch::Watches;
pub use self::watch::{First, Turn, WatchId};
use crate::edge::Now;

/// The most phones that may be signed in as one extension; one more takes the place of the one that would go first.
pub const MAX_BINDINGS: usize = 10;

/// One phone of an extension.
#[derive(Clone, Debug)]
pub struct Binding {
    /// What the phone calls its own address; the request URI of what is sent to it.
    pub contact: Uri,
    /// The proxies between, nearest first (RFC 3327): the Route of what is sent to it.
    pub path: Vec<NameAddr>,
    /// How it came, and how it is reached.
    pub flow: Flow,
    /// What it calls itself.
    pub user_agent: Text,
    /// Which of the phone's ways to us it is, where the phone has several.
    outbound: Option<Outbound>,
    /// It is asked whether it is there.
    watch: Option<WatchId>,
    call_id: Text,
    cseq: u32,
    expires_at: Instant,
    expires: Timestamp,
    /// When it signed in; refreshing does not change it.
    since: Timestamp,
}

/// Whom to ask whether he is there.
#[derive(Debug)]
pub enum Asked {
    /// This phone.
    Phone(Box<Binding>),
    /// Nobody: this extension's phone has not answered for too long, and its binding is over.
    Dead(String, Box<Binding>),
    /// Nobody: the binding is over, or has moved out of its NAT.
    Nobody,
}

impl Binding {
    /// Where it is reached, for people: `UDP 192.0.2.7:5060`.
    pub fn address(&self) -> Text {
        Text::from(self.flow.to_string())
    }

    /// Whether it is one of several ways to the same phone.
    fn is_same_phone(&self, other: &Binding) -> bool {
        let instance = |binding: &Binding| binding.outbound.as_ref().map(|outbound| outbound.instance.clone());
        instance(self).is_some_and(|own| instance(other) == Some(own))
    }

    /// Seconds until it ends.
    pub fn seconds_left(&self, now: Instant) -> u32 {
        u32::try_from(self.expires_at.saturating_duration_since(now).as_secs()).unwrap_or(u32::MAX)
    }
}

/// One of the ways to us that a phone has (RFC 5626, 4.2): another binding with the same pair takes its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outbound {
    /// The phone: `+sip.instance` as it is written.
    pub instance: Text,
    /// Which of its ways: `reg-id`.
    pub reg_id: u32,
}

/// What a phone asks for with one Contact.
#[derive(Clone, Debug)]
pub struct Bind {
    /// Its address.
    pub contact: Uri,
    /// The proxies between, nearest first.
    pub path: Vec<NameAddr>,
    /// How the request came.
    pub flow: Flow,
    /// Which of its ways to us it is.
    pub outbound: Option<Outbound>,
    /// Whether a NAT between would forget it unless something passes.
    pub behind_nat: bool,
    /// What it calls itself.
    pub user_agent: Text,
    /// The request's Call-ID.
    pub call_id: Text,
    /// The request's CSeq.
    pub cseq: u32,
    /// For how long; zero ends the binding.
    pub expires: Duration,
}

/// What a request changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// A phone is there that was not.
    Added(Binding),
    /// A phone is there for longer, perhaps by another flow.
    Refreshed,
    /// A phone is gone.
    Removed(Binding),
}

/// A request that came after a later one of the same phone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfOrder;

/// All bindings of a tenant.
#[derive(Debug, Default)]
pub struct Registrar {
    extensions: BTreeMap<String, Phones>,
    /// Extensions whose first end of a binding may have changed since timers were set.
    changed: BTreeSet<String>,
    /// Phones behind NAT.
    watches: Watches,
    /// Whose phones speak over a connection.
    on_connections: BTreeSet<(Flow, String)>,
    /// How often phones may have come or gone.
    moves: u64,
}

#[derive(Debug, Default)]
struct Phones {
    bindings: Vec<Binding>,
    /// The entry in the engine's timers.
    armed: Option<Instant>,
    /// When the bindings were last written to the store, and until when what is written there holds.
    stored: Option<(Timestamp, Timestamp)>,
}

impl Registrar {
    /// The phones that can be rung as `extension`, in the order they signed in. Of a phone that has several ways to us the
    /// latest (RFC 5626, 5.3).
    pub fn reachable(&self, extension: &str, now: Instant) -> Vec<Binding> {
        let Some(phones) = self.extensions.get(extension) else { return Vec::new() };
        let live: Vec<&Binding> = phones.live(now).collect();
        let is_latest = |at: usize| live[at + 1..].iter().all(|later| !live[at].is_same_phone(later));
        (0..live.len()).filter(|at| is_latest(*at)).map(|at| live[at].clone()).collect()
    }

    /// All bindings of an extension, for whoever signs in as it.
    pub fn bindings(&self, extension: &str, now: Instant) -> impl Iterator<Item = &Binding> {
        self.extensions.get(extension).into_iter().flat_map(move |phones| phones.live(now))
    }

    /// Whether a phone can be rung as `extension`.
    pub fn is_reachable(&self, extension: &str, now: Instant) -> bool {
        self.bindings(extension, now).next().is_some()
    }

    /// Another number than before: phones may have come or gone since.
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// How many phones are signed in.
    pub fn len(&self) -> usize {
        self.extensions.values().map(|phones| phones.bindings.len()).sum()
    }

    /// Carries out what one request asks for: all of it, or nothing.
    pub fn bind(&mut self, now: Now, extension: &str, binds: Vec<Bind>) -> Result<Vec<Change>, OutOfOrder> {
        self.moves += 1;
        let phones = self.extensions.entry(extension.to_owned()).or_default();
        let late = |bind: &Bind| {
            phones.find(bind).is_some_and(|at| {
                let known = &phones.bindings[at];
                known.call_id == bind.call_id && known.cseq >= bind.cseq
            })
        };
        if binds.iter().any(late) {
            return Err(OutOfOrder);
        }
        let mut changes = Vec::with_capacity(binds.len());
        for bind in binds {
            if bind.flow.transport.is_reliable() && !bind.expires.is_zero() {
                self.on_connections.insert((bind.flow, extension.to_owned()));
            }
            phones.bind(now, extension, bind, &mut self.watches, &mut changes);
        }
        for change in &changes {
            if let Change::Removed(Binding { watch: Some(watch), .. }) = change {
                self.watches.end(*watch);
            }
        }
        self.changed.insert(extension.to_owned());
        Ok(changes)
    }

    /// Ends all bindings of an extension.
    pub fn clear(&mut self, extension: &str) -> Vec<Change> {
        self.moves += 1;
        let phones = self.extensions.remove(extension).unwrap_or_default();
        self.end_watches(&phones.bindings);
        phones.bindings.into_iter().map(Change::Removed).collect()
    }

    /// Ends the bindings of extensions that are not there any more, and tells whose they were.
    pub fn end_others(&mut self, is_there: impl Fn(&str) -> bool) -> Vec<(String, Binding)> {
        self.moves += 1;
        let gone: Vec<String> = self.extensions.keys().filter(|extension| !is_there(extension)).cloned().collect();
        let mut ended = Vec::new();
        for extension in gone {
            let phones = self.extensions.remove(&extension).unwrap_or_default();
            self.end_watches(&phones.bindings);
            ended.extend(phones.bindings.into_iter().map(|binding| (extension.clone(), binding)));
        }
        ended
    }

    /// Ends the bindings whose time is over.
    pub fn expire(&mut self, now: Instant, extension: &str) -> Vec<Binding> {
        self.moves += 1;
        let Some(phones) = self.extensions.get_mut(extension) else { return Vec::new() };
        phones.armed = None;
        self.changed.insert(extension.to_owned());
        let expired: Vec<Binding> = phones.bindings.extract_if(.., |binding| binding.expires_at <= now).collect();
        self.end_watches(&expired);
        expired
    }

    /// Ends the bindings of a connection that was closed, and tells whose they were.
    pub fn flow_lost(&mut self, flow: Flow) -> Vec<(String, Binding)> {
        self.moves += 1;
        let on_it = (flow, String::new())..;
        let extensions: Vec<String> =
            self.on_connections.range(on_it).take_while(|(on, _)| *on == flow).map(|(_, of)| of.clone()).collect();
        let mut lost = Vec::new();
        for extension in extensions {
            self.on_connections.remove(&(flow, extension.clone()));
            let Some(phones) = self.extensions.get_mut(&extension) else { continue };
            let gone = phones.bindings.extract_if(.., |binding| binding.flow == flow);
            lost.extend(gone.map(|binding| (extension.clone(), binding)));
        }
        lost
    }

    /// It is the turn of a phone behind NAT: the phone, if it is to be asked.
    pub fn turn(&mut self, now: Instant, watch: WatchId) -> Asked {
        let is_it = |binding: &Binding| binding.watch == Some(watch);
        match self.watches.turn(watch) {
            Turn::Gone => Asked::Nobody,
            Turn::Ask { extension } => {
                let found = self.bindings(&extension, now).find(|binding| is_it(binding)).cloned();
                found.map_or(Asked::Nobody, |binding| Asked::Phone(Box::new(binding)))
            }
            Turn::Dead { extension } => {
                self.moves += 1;
                let phones = self.extensions.get_mut(&extension);
                let dead = phones.and_then(|phones| phones.bindings.extract_if(.., |binding| is_it(binding)).next());
                self.changed.insert(extension.clone());
                dead.map_or(Asked::Nobody, |binding| Asked::Dead(extension, Box::new(binding)))
            }
        }
    }

    /// A phone behind NAT was heard.
    pub fn heard(&mut self, watch: WatchId) {
        self.watches.heard(watch);
    }

    /// Phones behind NAT whose first turn has no timer. They count as having one from here on.
    pub fn take_unwatched(&mut self) -> Vec<First> {
        self.watches.take_fresh()
    }

    /// How many phones are behind NAT.
    #[cfg(test)]
    fn watched(&self) -> usize {
        self.watches.len()
    }

    /// The timers that must be set for extensions whose bindings changed. They count as set from here on.
    pub fn take_unarmed(&mut self) -> Vec<(String, Instant)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().filter_map(|extension| self.arm(&extension).map(|at| (extension, at))).collect()
    }

    /// What to write to the store after `changes`: nothing for a mere refresh while what is stored holds long enough.
    /// `Some(None)`: there is nothing left to keep.
    pub fn refresh_kept(&mut self, now: Now, extension: &str, mere_refresh: bool) -> Option<Option<String>> {
        let Some(phones) = self.extensions.get_mut(extension).filter(|phones| !phones.bindings.is_empty()) else {
            self.extensions.remove(extension);
            return Some(None);
        };
        if mere_refresh
            && let Some((since, until)) = phones.stored
            && now.wall.duration_since(since) < until.duration_since(since) / 2
        {
            return None;
        }
        let until = phones.bindings.iter().map(|binding| binding.expires).min()?;
        phones.stored = Some((now.wall, until));
        let kept: Vec<KeptBinding> = phones.bindings.iter().map(KeptBinding::of).collect();
        serde_json::to_string(&kept).ok().map(Some)
    }

    /// Takes back what an earlier engine kept. Phones on connections are gone with their connections.
    pub fn take_back(&mut self, now: Now, extension: &str, value: &str) {
        self.moves += 1;
        let kept: Vec<KeptBinding> = serde_json::from_str(value).unwrap_or_default();
        let phones = self.extensions.entry(extension.to_owned()).or_default();
        let watches = &mut self.watches;
        let kept = kept.into_iter().filter_map(|kept| kept.into_binding(now)).take(MAX_BINDINGS);
        phones.bindings = kept
            .map(|(binding, behind_nat)| Binding {
                watch: behind_nat.then(|| watches.begin(extension, false)),
                ..binding
            })
            .collect();
        if let Some(until) = phones.bindings.iter().map(|binding| binding.expires).min() {
            phones.stored = Some((now.wall, until));
        }
        self.changed.insert(extension.to_owned());
    }

    fn end_watches(&mut self, bindings: &[Binding]) {
        bindings.iter().filter_map(|binding| binding.watch).for_each(|watch| self.watches.end(watch));
    }

    fn arm(&mut self, extension: &str) -> Option<Instant> {
        let phones = self.extensions.get_mut(extension)?;
        let next = phones.bindings.iter().map(|binding| binding.expires_at).min()?;
        if phones.armed.is_some_and(|armed| armed <= next) {
            return None;
        }
        phones.armed = Some(next);
        Some(next)
    }
}

impl Phones {
    fn live(&self, now: Instant) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| binding.expires_at > now)
    }

    /// The binding whose place this one takes: that of the same way of the same phone, else that of the same address.
    fn find(&self, bind: &Bind) -> Option<usize> {
        let is_same_way = |binding: &Binding| binding.outbound.is_some() && binding.outbound == bind.outbound;
        let has_other_way = |binding: &Binding| binding.outbound.is_some() && bind.outbound.is_some();
        self.bindings.iter().position(is_same_way).or_else(|| {
            let is_same = |binding: &Binding| !has_other_way(binding) && binding.contact.is_same_as(&bind.contact);
            self.bindings.iter().position(is_same)
        })
    }

    fn bind(&mut self, now: Now, extension: &str, bind: Bind, watches: &mut Watches, changes: &mut Vec<Change>) {
        let known = self.find(&bind);
        if bind.expires.is_zero() {
            changes.extend(known.map(|at| Change::Removed(self.bindings.remove(at))));
            return;
        }
        let watch = match (bind.behind_nat, known.and_then(|at| self.bindings[at].watch)) {
            (true, Some(watch)) => {
                watches.heard(watch);
                Some(watch)
            }
            (true, None) => Some(watches.begin(extension, true)),
            (false, watch) => {
                watch.into_iter().for_each(|watch| watches.end(watch));
                None
            }
        };
        let seconds = SignedDuration::try_from(bind.expires).unwrap_or(SignedDuration::ZERO);
        let binding = Binding {
            contact: bind.contact,
            path: bind.path,
            flow: bind.flow,
            user_agent: bind.user_agent,
            outbound: bind.outbound,
            watch,
            call_id: bind.call_id,
            cseq: bind.cseq,
            expires_at: now.mono + bind.expires,
            expires: now.wall.saturating_add(seconds).unwrap_or(now.wall),
            since: known.map_or(now.wall, |at| self.bindings[at].since),
        };
        let is_moved = known.is_none_or(|at| self.bindings[at].flow != binding.flow);
        if is_moved {
            // The store would send calls the old way.
            self.stored = None;
        }
        match known {
            Some(at) if self.bindings[at].outbound.is_none() => {
                self.bindings[at] = binding;
                changes.push(Change::Refreshed);
            }
            // The latest way of a phone is the last in the list.
            Some(at) => {
                self.bindings.remove(at);
                self.bindings.push(binding);
                changes.push(Change::Refreshed);
            }
            None => {
                if self.bindings.len() >= MAX_BINDINGS
                    && let Some(first) = (0..self.bindings.len()).min_by_key(|at| self.bindings[*at].expires_at)
                {
                    changes.push(Change::Removed(self.bindings.remove(first)));
                }
                self.bindings.push(binding.clone());
                changes.push(Change::Added(binding));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn now() -> Now {
        Now { mono: fixture::instant(), wall: "2026-01-01T00:00:00Z".parse().unwrap() }
    }

    fn later(now: Now, seconds: u64) -> Now {
        Now {
            mono: now.mono + Duration::from_secs(seconds),
            wall: now.wall + SignedDuration::from_secs(seconds as i64),
        }
    }

    fn bind(contact: &str, cseq: u32, seconds: u64) -> Bind {
        Bind {
            contact: Uri::parse(contact.to_owned().into()).unwrap(),
            path: Vec::new(),
            flow: Flow::udp(0, "192.0.2.7:5060".parse().unwrap()),
            outbound: None,
            behind_nat: false,
            user_agent: Text::default(),
            call_id: Text::from("one"),
            cseq,
            expires: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn a_phone_is_reachable_until_its_binding_expires() {
        let mut registrar = Registrar::default();
        let now = now();

        let changes = registrar.bind(now, "101", vec![bind("sip:101@192.0.2.7", 1, 60)]).unwrap();

        assert!(matches!(changes[..], [Change::Added(_)]));
        assert_eq!(registrar.reachable("101", now.mono).len(), 1);
        assert_eq!(registrar.reachable("101", later(now, 60).mono).len(), 0);
        assert_eq!(registrar.take_unarmed(), [("101".to_owned(), later(now, 60).mono)]);
        assert_eq!(registrar.take_unarmed(), []);
        assert_eq!(registrar.expire(later(now, 60).mono, "101").len(), 1);
        assert_eq!(registrar.len(), 0);
    }

    #[test]
    fn a_late_request_of_the_same_phone_changes_nothing() {
        let mut registrar = Registrar::default();
        let now = now();

        registrar.bind(now, "101", vec![bind("sip:101@192.0.2.7", 2, 60)]).unwrap();

        assert_eq!(registrar.bind(now, "101", vec![bind("sip:101@192.0.2.7", 1, 0)]).unwrap_err(), OutOfOrder);
        assert_eq!(registrar.reachable("101", now.mono).len(), 1);
    }

    #[test]
    fn the_eleventh_phone_takes_the_place_of_the_one_that_would_go_first() {
        let mut registrar = Registrar::default();
        let now = now();
        for phone in 0..MAX_BINDINGS as u64 {
            registrar.bind(now, "101", vec![bind(&format!("sip:p{phone}@192.0.2.7"), 1, 60 + phone)]).unwrap();
        }

        let changes = registrar.bind(now, "101", vec![bind("sip:last@192.0.2.7", 1, 60)]).unwrap();

        assert!(
            matches!(&changes[..], [Change::Removed(gone), Change::Added(_)] if gone.contact.to_string() == "sip:p0@192.0.2.7")
        );
        assert_eq!(registrar.len(), MAX_BINDINGS);
    }

    #[test]
    fn a_mere_refresh_is_written_when_half_of_what_is_stored_is_gone() {
        let mut registrar = Registrar::default();
        let now = now();
        registrar.bind(now, "101", vec![bind("sip:101@192.0.2.7", 1, 100)]).unwrap();
        assert!(registrar.refresh_kept(now, "101", false).is_some());

        registrar.bind(later(now, 49), "101", vec![bind("sip:101@192.0.2.7", 2, 100)]).unwrap();
        assert_eq!(registrar.refresh_kept(later(now, 49), "101", true), None);
        registrar.bind(later(now, 50), "101", vec![bind("sip:101@192.0.2.7", 3, 100)]).unwrap();
        assert!(registrar.refresh_kept(later(now, 50), "101", true).is_some());
    }

    #[test]
    fn bindings_come_back_after_a_restart_and_those_on_connections_do_not() {
        let mut registrar = Registrar::default();
        let now = now();
        let mut tcp = bind("sip:102@192.0.2.7;transport=tcp", 1, 100);
        tcp.flow.transport = sip::Transport::Tcp;
        registrar.bind(now, "101", vec![bind("sip:101@192.0.2.7", 1, 100), tcp]).unwrap();
        let kept = registrar.refresh_kept(now, "101", false).unwrap().unwrap();

        let mut next = Registrar::default();
        next.take_back(later(now, 10), "101", &kept);

        let back = next.reachable("101", later(now, 10).mono);
        assert_eq!(back.len(), 1);
        assert_eq!(back[0].contact.to_string(), "sip:101@192.0.2.7");
        assert_eq!(back[0].seconds_left(later(now, 10).mono), 90);
    }

    fn way(contact: &str, reg_id: u32, port: u16) -> Bind {
        let outbound = Some(Outbound { instance: Text::from("\"<urn:uuid:0001>\""), reg_id });
        let flow = Flow { connection: port.into(), transport: sip::Transport::Tcp, ..bind(contact, 1, 60).flow };
        Bind { outbound, flow, call_id: Text::from(port.to_string()), ..bind(contact, 1, 60) }
    }

    #[test]
    fn a_phone_with_two_ways_to_us_is_rung_by_the_latest_and_by_the_other_once_that_is_closed() {
        let mut registrar = Registrar::default();
        let now = now();
        registrar.bind(now, "101", vec![way("sip:101@192.0.2.7:1111;transport=tcp;ob", 1, 1_111)]).unwrap();
        let latest = way("sip:101@192.0.2.7:2222;transport=tcp;ob", 2, 2_222);
        registrar.bind(now, "101", vec![latest.clone()]).unwrap();

        let rung = |registrar: &Registrar| {
            registrar.reachable("101", now.mono).iter().map(|b| b.flow.connection).collect::<Vec<_>>()
        };

        assert_eq!((registrar.len(), rung(&registrar)), (2, vec![2_222]));
        let lost = registrar.flow_lost(latest.flow);
        assert_eq!((lost.len(), rung(&registrar)), (1, vec![1_111]));
        assert!(registrar.flow_lost(latest.flow).is_empty());
    }

    #[test]
    fn the_same_way_of_a_phone_takes_the_place_of_its_binding_whatever_its_address() {
        let mut registrar = Registrar::default();
        let now = now();
        registrar.bind(now, "101", vec![way("sip:101@192.0.2.7:1111;transport=tcp;ob", 1, 1_111)]).unwrap();

        let changes =
            registrar.bind(now, "101", vec![way("sip:101@192.0.2.7:2222;transport=tcp;ob", 1, 2_222)]).unwrap();

        assert!(matches!(changes[..], [Change::Refreshed]));
        assert_eq!(registrar.reachable("101", now.mono)[0].flow.connection, 2_222);
        assert_eq!(registrar.len(), 1);
    }

    fn natted(cseq: u32) -> Bind {
        Bind { behind_nat: true, ..bind("sip:101@10.0.0.7", cseq, 600) }
    }

    #[test]
    fn a_phone_behind_nat_that_does_not_answer_three_times_is_gone() {
        let mut registrar = Registrar::default();
        let now = now();
        registrar.bind(now, "101", vec![natted(1)]).unwrap();
        let [First { watch, .. }] = registrar.take_unwatched()[..] else { panic!("one phone to ask") };

        for _ in 0..3 {
            assert!(matches!(registrar.turn(now.mono, watch), Asked::Phone(_)));
        }
        registrar.bind(now, "101", vec![natted(2)]).unwrap();
        assert!(registrar.take_unwatched().is_empty(), "it keeps its turn");
        for _ in 0..3 {
            assert!(matches!(registrar.turn(now.mono, watch), Asked::Phone(_)));
        }

        assert!(matches!(registrar.turn(now.mono, watch), Asked::Dead(extension, _) if extension == "101"));
        assert!(matches!(registrar.turn(now.mono, watch), Asked::Nobody));
        assert_eq!((registrar.len(), registrar.watched()), (0, 0));
    }

    #[test]
    fn nobody_is_asked_whose_binding_is_over() {
        let mut registrar = Registrar::default();
        let now = now();
        for extension in ["101", "102", "103", "104"] {
            registrar.bind(now, extension, vec![natted(1)]).unwrap();
        }
        let watches = registrar.take_unwatched();

        registrar.bind(now, "101", vec![Bind { expires: Duration::ZERO, ..natted(2) }]).unwrap();
        registrar.bind(now, "102", vec![Bind { behind_nat: false, ..natted(2) }]).unwrap();
        registrar.clear("103");
        registrar.expire(later(now, 600).mono, "104");

        assert_eq!(registrar.watched(), 0);
        assert!(watches.iter().all(|first| matches!(registrar.turn(now.mono, first.watch), Asked::Nobody)));
    }

    #[test]
    fn phones_behind_nat_are_asked_after_a_restart_too_and_keep_their_path() {
        let mut registrar = Registrar::default();
        let now = now();
        let path = vec![NameAddr::parse("<sip:edge.example;lr;ob>".into()).unwrap()];
        registrar.bind(now, "101", vec![Bind { path: path.clone(), ..natted(1) }]).unwrap();
        let kept = registrar.refresh_kept(now, "101", false).unwrap().unwrap();

        let mut next = Registrar::default();
        next.take_back(now, "101", &kept);

        assert_eq!((next.watched(), next.take_unwatched().len()), (1, 1));
        assert_eq!(next.reachable("101", now.mono)[0].path[0].print(), path[0].print());
    }

    #[test]
    fn a_phone_is_signed_in_since_it_first_signed_in_also_for_the_next_engine() {
        let mut registrar = Registrar::default();
        let (first, second) = (now(), later(now(), 1_000));
        registrar.bind(first, "101", vec![bind("sip:101@192.0.2.7", 1, 3_600)]).unwrap();
        registrar.bind(second, "101", vec![bind("sip:101@192.0.2.7", 2, 3_600)]).unwrap();
        let kept = registrar.refresh_kept(second, "101", false).unwrap().unwrap();

        let mut next = Registrar::default();
        next.take_back(later(second, 10), "101", &kept);

        assert_eq!(next.reachable("101", second.mono)[0].since, first.wall);
    }
}
