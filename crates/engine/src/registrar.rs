//! Where the phones of a tenant's extensions are reached (RFC 3261, 10.3).
//!
//! Keeps bindings and tells what changed; reading REGISTER requests is left to `lines/sip/register.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use model::{Text, Timestamp};
use serde::{Deserialize, Serialize};
use sip::{Flow, Uri};

use crate::edge::Now;

/// The most phones that may be signed in as one extension; one more takes the place of the one that would go first.
pub const MAX_BINDINGS: usize = 10;

/// One phone of an extension.
#[derive(Clone, Debug)]
pub struct Binding {
    /// What the phone calls its own address; the request URI of what is sent to it.
    pub contact: Uri,
    /// How it came, and how it is reached.
    pub flow: Flow,
    /// What it calls itself.
    pub user_agent: Text,
    call_id: Text,
    cseq: u32,
    expires_at: Instant,
    expires: Timestamp,
}

impl Binding {
    /// Where it is reached, for people: `UDP 192.0.2.7:5060`.
    pub fn address(&self) -> Text {
        Text::from(self.flow.to_string())
    }

    /// Seconds until it ends.
    pub fn seconds_left(&self, now: Instant) -> u32 {
        u32::try_from(self.expires_at.saturating_duration_since(now).as_secs()).unwrap_or(u32::MAX)
    }
}

/// What a phone asks for with one Contact.
#[derive(Clone, Debug)]
pub struct Bind {
    /// Its address.
    pub contact: Uri,
    /// How the request came.
    pub flow: Flow,
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
}

#[derive(Debug, Default)]
struct Phones {
    bindings: Vec<Binding>,
    /// The entry in the engine's timers.
    armed: Option<Instant>,
    /// When the bindings were last written to the store, and until when what is written there holds.
    stored: Option<(Timestamp, Timestamp)>,
}

/// A binding as it is kept over a restart.
#[derive(Serialize, Deserialize)]
struct KeptBinding {
    contact: String,
    flow: Flow,
    user_agent: Text,
    call_id: Text,
    cseq: u32,
    expires: Timestamp,
}

impl Registrar {
    /// The phones that can be rung as `extension`, in the order they signed in.
    pub fn reachable(&self, extension: &str, now: Instant) -> Vec<Binding> {
        let phones = self.extensions.get(extension);
        phones.map_or_else(Vec::new, |phones| phones.live(now).cloned().collect())
    }

    /// How many phones are signed in.
    pub fn len(&self) -> usize {
        self.extensions.values().map(|phones| phones.bindings.len()).sum()
    }

    /// Carries out what one request asks for: all of it, or nothing.
    pub fn bind(&mut self, now: Now, extension: &str, binds: Vec<Bind>) -> Result<Vec<Change>, OutOfOrder> {
        let phones = self.extensions.entry(extension.to_owned()).or_default();
        let late = |bind: &Bind| {
            phones.find(&bind.contact).is_some_and(|at| {
                let known = &phones.bindings[at];
                known.call_id == bind.call_id && known.cseq >= bind.cseq
            })
        };
        if binds.iter().any(late) {
            return Err(OutOfOrder);
        }
        let changes = binds.into_iter().flat_map(|bind| phones.bind(now, bind)).collect();
        self.changed.insert(extension.to_owned());
        Ok(changes)
    }

    /// Ends all bindings of an extension.
    pub fn clear(&mut self, extension: &str) -> Vec<Change> {
        let phones = self.extensions.remove(extension).unwrap_or_default();
        phones.bindings.into_iter().map(Change::Removed).collect()
    }

    /// Ends the bindings whose time is over.
    pub fn expire(&mut self, now: Instant, extension: &str) -> Vec<Binding> {
        let Some(phones) = self.extensions.get_mut(extension) else { return Vec::new() };
        phones.armed = None;
        self.changed.insert(extension.to_owned());
        phones.bindings.extract_if(.., |binding| binding.expires_at <= now).collect()
    }

    /// Ends the bindings of a connection that was closed, and tells whose they were.
    pub fn flow_lost(&mut self, flow: Flow) -> Vec<(String, Binding)> {
        let mut lost = Vec::new();
        for (extension, phones) in &mut self.extensions {
            let gone = phones.bindings.extract_if(.., |binding| binding.flow == flow);
            lost.extend(gone.map(|binding| (extension.clone(), binding)));
        }
        lost
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
        let kept: Vec<KeptBinding> = serde_json::from_str(value).unwrap_or_default();
        let phones = self.extensions.entry(extension.to_owned()).or_default();
        phones.bindings = kept.into_iter().filter_map(|kept| kept.into_binding(now)).take(MAX_BINDINGS).collect();
        if let Some(until) = phones.bindings.iter().map(|binding| binding.expires).min() {
            phones.stored = Some((now.wall, until));
        }
        self.changed.insert(extension.to_owned());
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

    fn find(&self, contact: &Uri) -> Option<usize> {
        self.bindings.iter().position(|binding| binding.contact.is_same_as(contact))
    }

    fn bind(&mut self, now: Now, bind: Bind) -> Vec<Change> {
        let known = self.find(&bind.contact);
        if bind.expires.is_zero() {
            return known.map(|at| Change::Removed(self.bindings.remove(at))).into_iter().collect();
        }
        let seconds = SignedDuration::try_from(bind.expires).unwrap_or(SignedDuration::ZERO);
        let binding = Binding {
            contact: bind.contact,
            flow: bind.flow,
            user_agent: bind.user_agent,
            call_id: bind.call_id,
            cseq: bind.cseq,
            expires_at: now.mono + bind.expires,
            expires: now.wall.saturating_add(seconds).unwrap_or(now.wall),
        };
        if let Some(at) = known {
            if self.bindings[at].flow != binding.flow {
                // The store would send calls the old way.
                self.stored = None;
            }
            self.bindings[at] = binding;
            return vec![Change::Refreshed];
        }
        let mut changes = Vec::new();
        if self.bindings.len() >= MAX_BINDINGS
            && let Some(first) = (0..self.bindings.len()).min_by_key(|at| self.bindings[*at].expires_at)
        {
            changes.push(Change::Removed(self.bindings.remove(first)));
        }
        self.bindings.push(binding.clone());
        changes.push(Change::Added(binding));
        changes
    }
}

impl KeptBinding {
    fn of(binding: &Binding) -> Self {
        Self {
            contact: binding.contact.to_string(),
            flow: binding.flow,
            user_agent: binding.user_agent.clone(),
            call_id: binding.call_id.clone(),
            cseq: binding.cseq,
            expires: binding.expires,
        }
    }

    fn into_binding(self, now: Now) -> Option<Binding> {
        let left = Duration::try_from(self.expires.duration_since(now.wall)).ok()?;
        if self.flow.transport.is_reliable() || left.is_zero() {
            return None;
        }
        Some(Binding {
            contact: Uri::parse(self.contact.into()).ok()?,
            flow: self.flow,
            user_agent: self.user_agent,
            call_id: self.call_id,
            cseq: self.cseq,
            expires_at: now.mono + left,
            expires: self.expires,
        })
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
            flow: Flow::udp(0, "192.0.2.7:5060".parse().unwrap()),
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
}
