//! Trunks: how each stands, our registrations at carriers, and how much of each is in use.
//!
//! Belongs to the engine, not to a tenant: the operator's trunks are shared, and their limits are counted once. Lent to
//! each step. What is to be told waits here until the engine lends the offices of the tenants that want to know.
//!
//! | file | holds |
//! |---|---|
//! | `held` | one trunk: its settings and state, what it is sent |
//! | `health` | whether calls go there |
//! | `register` | our registration there |
//! | `reach` | flow, addresses, routes, account |
//!
//! A call that goes over one trunk after the other is in `lines/sip/tries.rs`.

mod health;
mod held;
mod reach;
mod register;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use model::{Kept, Reason, Target, TenantId, TenantSettings, Text, Trunk, TrunkEvent, TrunkHealth};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sip::{Endpoint, Failure, Flow, NameAddr, Response};

use self::held::{Held, at_place, same_account};
pub use self::reach::{domain, flow_to, login, routes, uri_of};
use self::register::{Registration, Turn};
use crate::edge::Now;
use crate::key::{Ask, Key, TrunkKey};
use crate::limits::{Begun, Urgency};

/// Trunks of all tenants.
#[derive(Debug)]
pub struct Trunks {
    trunks: BTreeMap<u32, Held>,
    numbers: BTreeMap<TrunkKey, u32>,
    last: u32,
    random: ChaCha20Rng,
    draining: bool,
    /// Registrations that are being ended.
    leaving: usize,
    /// Those that something was done to, and that may have something to tell.
    touched: BTreeSet<u32>,
    told: VecDeque<(TenantId, String, TrunkEvent)>,
    keep: Vec<Kept>,
}

impl Trunks {
    /// No trunks. Random numbers come from `seed`.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            trunks: BTreeMap::new(),
            numbers: BTreeMap::new(),
            last: 0,
            random: ChaCha20Rng::from_seed(seed),
            draining: false,
            leaving: 0,
            touched: BTreeSet::new(),
            told: VecDeque::new(),
            keep: Vec::new(),
        }
    }

    /// A tenant's settings are these from now on.
    pub fn take_settings(&mut self, now: Now, endpoint: &mut Endpoint<Key>, settings: &TenantSettings) {
        let mut seen = BTreeSet::new();
        for trunk in &settings.trunks {
            let key = TrunkKey::of(settings.id, trunk);
            let number = match self.numbers.get(&key) {
                Some(number) => *number,
                None => self.add(now, key.clone(), trunk.clone()),
            };
            seen.insert(number);
            let is_used = settings.outbound.iter().any(|rule| rule.trunks.contains(&trunk.name));
            self.change(now, endpoint, number, trunk, (settings.id, is_used));
        }
        let unseen: Vec<u32> = self
            .trunks
            .iter()
            .filter(|(number, held)| held.seen_by.contains(&settings.id) && !seen.contains(number))
            .map(|(number, _)| *number)
            .collect();
        for number in unseen {
            self.remove(now, endpoint, number, settings.id);
        }
    }

    /// How an earlier engine left a trunk; or that there is no such trunk any more.
    pub fn take_back(&mut self, now: Now, kept: &Kept) {
        let owner = (kept.tenant != TenantId::SERVER).then_some(kept.tenant);
        let key = TrunkKey { owner, name: kept.key.clone() };
        let random = &mut self.random;
        let Some(held) = self.numbers.get(&key).and_then(|number| self.trunks.get_mut(number)) else {
            self.keep.push(Kept { value: None, ..kept.clone() });
            return;
        };
        let health = kept.value.as_deref().and_then(|value| serde_json::from_str::<TrunkHealth>(value).ok());
        if let Some(health) = health {
            held.health.take_back(now, &health, |most| draw(random, most));
            if let Some((registration, kept)) = held.registration.as_mut().zip(health.registration.as_ref()) {
                registration.take_back(now, kept);
            }
            held.kept = Some(health);
        }
        self.touch(&key);
    }

    /// No more calls come: carriers are told to bring them elsewhere.
    pub fn drain(&mut self, now: Now, endpoint: &mut Endpoint<Key>) {
        self.draining = true;
        let numbers: Vec<u32> = self.trunks.keys().copied().collect();
        for number in numbers {
            self.leave(now, endpoint, number, "draining");
        }
    }

    /// A connection is gone, or could not be opened.
    pub fn flow_lost(&mut self, now: Now, flow: Flow) {
        for (number, held) in &mut self.trunks {
            let is_there = |target: &Target| target.address == flow.remote && target.transport != model::Transport::Udp;
            if let Some(registration) = &mut held.registration
                && registration.stands()
                && held.trunk.resolved.iter().any(is_there)
            {
                registration.renew(now);
                self.touched.insert(*number);
            }
        }
    }

    /// Does what is due of one trunk.
    pub fn on_timeout(&mut self, now: Now, endpoint: &mut Endpoint<Key>, number: u32) {
        let Some(held) = self.trunks.get_mut(&number) else { return };
        held.armed = None;
        self.touched.insert(number);
        let random = &mut self.random;
        if held.health.on_timeout(now, |most| draw(random, most)) {
            match held.health_request(endpoint) {
                Some(request) => endpoint.request(now.mono, Key::Trunk(number, Ask::Health), request),
                None => held.health.on_failure(now),
            }
        }
        let turn = held.registration.as_mut().map_or(Turn::Wait, |registration| registration.on_timeout(now));
        self.turn(now, endpoint, number, turn);
    }

    /// A request of ours to a trunk was answered.
    pub fn on_response(&mut self, now: Now, endpoint: &mut Endpoint<Key>, number: u32, ask: Ask, response: &Response) {
        if ask == Ask::Leave {
            self.leaving = self.leaving.saturating_sub(1);
        }
        let Some(held) = self.trunks.get_mut(&number) else { return };
        self.touched.insert(number);
        match ask {
            Ask::Health => {
                held.health.on_answer(now, response.status);
                if let Some(wish) = rest_of(response) {
                    held.health.rest(now, wish);
                }
            }
            Ask::Register => {
                if !health::is_of_others(response.status) {
                    held.health.on_sign(now);
                }
                let random = &mut self.random;
                let turn = held.registration.as_mut().map_or(Turn::Wait, |registration| {
                    registration.on_response(now, &held.trunk.contact, response, |most| draw(random, most))
                });
                self.turn(now, endpoint, number, turn);
            }
            Ask::Leave => {}
        }
    }

    /// A request of ours to a trunk was not answered.
    pub fn on_failure(&mut self, now: Now, endpoint: &mut Endpoint<Key>, number: u32, ask: Ask, why: Failure) {
        if ask == Ask::Leave {
            self.leaving = self.leaving.saturating_sub(1);
        }
        let Some(held) = self.trunks.get_mut(&number) else { return };
        self.touched.insert(number);
        match ask {
            Ask::Health => held.health.on_failure(now),
            Ask::Register => {
                let random = &mut self.random;
                let places = held.trunk.resolved.len().max(1);
                let turn = held.registration.as_mut().map_or(Turn::Wait, |registration| {
                    let more = !(registration.place + 1).is_multiple_of(places);
                    registration.on_failure(now, why, more, |most| draw(random, most))
                });
                self.turn(now, endpoint, number, turn);
            }
            Ask::Leave => {}
        }
    }

    /// A trunk answered a call, whatever it said. One that asks to be left alone is.
    pub fn served(&mut self, now: Now, key: &TrunkKey, response: &Response) {
        let Some(held) = self.held(key) else { return };
        match rest_of(response) {
            Some(wish) => held.health.rest(now, wish),
            None => held.health.on_service(now),
        }
        self.touch(key);
    }

    /// A call got no answer of any kind from a trunk.
    pub fn silent(&mut self, key: &TrunkKey) {
        if let Some(held) = self.held(key) {
            held.health.on_silence();
        }
    }

    /// A call has come from a trunk: it is there.
    pub fn has_called(&mut self, now: Now, key: &TrunkKey) {
        let Some(held) = self.held(key) else { return };
        held.health.on_sign(now);
        self.touch(key);
    }

    /// Whether calls go to a trunk now.
    pub fn takes_calls(&mut self, now: Instant, key: &TrunkKey) -> bool {
        self.held(key).is_some_and(|held| held.health.takes_calls(now))
    }

    /// Takes a channel of a trunk.
    pub fn take(&mut self, now: Instant, key: &TrunkKey, begun: Begun, urgency: Urgency) -> Result<(), Reason> {
        let held = self.held(key).filter(|held| !held.seen_by.is_empty()).ok_or(Reason::NoRoute)?;
        held.channels.take(now, &held.trunk, begun, urgency)
    }

    /// Gives a channel back.
    pub fn free(&mut self, key: &TrunkKey) {
        let Some(held) = self.held(key) else { return };
        held.channels.free();
        if held.channels.in_use() == 0 && held.seen_by.is_empty() {
            self.forget(key);
        }
    }

    /// Registrations that are being ended.
    pub fn leaving(&self) -> usize {
        self.leaving
    }

    /// Channels in use.
    pub fn in_use(&self) -> usize {
        self.trunks.values().map(|held| held.channels.in_use()).sum::<u32>() as usize
    }

    /// The way that the carrier's registrar wants our requests to take.
    pub fn service_route(&mut self, key: &TrunkKey) -> Vec<NameAddr> {
        let registration = self.held(key).and_then(|held| held.registration.as_ref());
        registration.map(|registration| registration.service_route().to_vec()).unwrap_or_default()
    }

    /// A trunk's places in the order in which they are to be tried now.
    pub fn places(&mut self, key: &TrunkKey) -> VecDeque<Target> {
        let Some(held) = self.numbers.get(key).and_then(|number| self.trunks.get(number)) else {
            return VecDeque::new();
        };
        let random = &mut self.random;
        Target::in_turn(&held.trunk.resolved, |most| draw(random, most)).into()
    }

    /// Any order in which these are to be tried.
    pub fn in_turn(&mut self, targets: &[Target]) -> Vec<Target> {
        let random = &mut self.random;
        Target::in_turn(targets, |most| draw(random, most))
    }

    /// A trunk as it is set now.
    pub fn settings(&self, key: &TrunkKey) -> Option<&Trunk> {
        self.trunks.get(self.numbers.get(key)?).map(|held| &held.trunk)
    }

    /// Finds out what has become different since the last time: to be told, to be kept, and when to wake up.
    pub fn settle(&mut self, now: Now) -> Settled {
        let mut wake = Vec::new();
        for number in std::mem::take(&mut self.touched) {
            let Some(held) = self.trunks.get_mut(&number) else { continue };
            if let Some(event) = held.health.change(now.mono) {
                held.tell(&mut self.told, event);
            }
            let health = held.standing(now);
            if health != held.kept {
                let value = health.as_ref().and_then(|health| serde_json::to_string(health).ok());
                held.kept = health;
                self.keep.push(held.key.kept(value));
            }
            let due = [held.health.poll_timeout(), held.registration.as_ref().and_then(Registration::poll_timeout)];
            if let Some(at) = due.into_iter().flatten().min()
                && held.armed.is_none_or(|armed| at < armed)
            {
                held.armed = Some(at);
                wake.push((number, at));
            }
        }
        Settled { told: self.told.drain(..).collect(), keep: std::mem::take(&mut self.keep), wake }
    }

    fn add(&mut self, now: Now, key: TrunkKey, trunk: Trunk) -> u32 {
        self.last = self.last.wrapping_add(1);
        let held = Held::new(now, key.clone(), trunk);
        self.numbers.insert(key, self.last);
        self.trunks.insert(self.last, held);
        self.last
    }

    fn change(
        &mut self,
        now: Now,
        endpoint: &mut Endpoint<Key>,
        number: u32,
        trunk: &Trunk,
        (tenant, is_used): (TenantId, bool),
    ) {
        let Some(held) = self.trunks.get(&number) else { return };
        let moved = !same_account(&held.trunk, trunk);
        if moved {
            self.leave(now, endpoint, number, if trunk.register { "changed" } else { "removed" });
        }
        let Some(held) = self.trunks.get_mut(&number) else { return };
        // Names may have been looked up for one tenant's settings and not yet for another's.
        if let Some(registration) = &mut held.registration
            && let Some(there) = at_place(&held.trunk, registration.place)
            && !trunk.resolved.is_empty()
            && !trunk.resolved.contains(there)
        {
            registration.renew(now);
        }
        let resolved = if trunk.resolved.is_empty() { held.trunk.resolved.clone() } else { trunk.resolved.clone() };
        held.trunk = Trunk { resolved, ..trunk.clone() };
        held.seen_by.insert(tenant);
        if is_used {
            held.used_by.insert(tenant);
        } else {
            held.used_by.remove(&tenant);
        }
        let random = &mut self.random;
        held.health.set_every(now, held.asked_every(), |most| draw(random, most));
        if trunk.register && !self.draining {
            held.registration.get_or_insert_with(|| Registration::new(now, endpoint.new_call_id()));
        }
        self.touched.insert(number);
    }

    fn remove(&mut self, now: Now, endpoint: &mut Endpoint<Key>, number: u32, tenant: TenantId) {
        if self.trunks.get(&number).is_some_and(|held| held.seen_by.len() == 1) {
            self.leave(now, endpoint, number, "removed");
        }
        let Some(held) = self.trunks.get_mut(&number) else { return };
        held.seen_by.remove(&tenant);
        held.used_by.remove(&tenant);
        let random = &mut self.random;
        let every = held.asked_every().filter(|_| !held.seen_by.is_empty());
        held.health.set_every(now, every, |most| draw(random, most));
        self.touched.insert(number);
        if held.seen_by.is_empty() && held.channels.in_use() == 0 {
            let key = held.key.clone();
            self.forget(&key);
        }
    }

    fn forget(&mut self, key: &TrunkKey) {
        let Some(number) = self.numbers.remove(key) else { return };
        if self.trunks.remove(&number).is_some_and(|held| held.kept.is_some()) {
            self.keep.push(key.kept(None));
        }
    }

    /// Ends the registration, where there is one.
    fn leave(&mut self, now: Now, endpoint: &mut Endpoint<Key>, number: u32, why: &str) {
        let Some(held) = self.trunks.get_mut(&number) else { return };
        let Some(registration) = held.registration.take() else { return };
        self.touched.insert(number);
        if !registration.stands() {
            return;
        }
        let call_id = registration.call_id();
        if let Some(request) = held.register_request(endpoint, registration.place, 0, call_id) {
            self.leaving += 1;
            endpoint.request(now.mono, Key::Trunk(number, Ask::Leave), request);
        }
        held.tell(&mut self.told, TrunkEvent::Unregistered { why: Text::from(why) });
    }

    fn turn(&mut self, now: Now, endpoint: &mut Endpoint<Key>, number: u32, turn: Turn) {
        let Some(held) = self.trunks.get_mut(&number) else { return };
        let Some(registration) = &mut held.registration else { return };
        match turn {
            Turn::Wait => {}
            Turn::Tell(event) => held.tell(&mut self.told, event),
            Turn::Registered { expires } => {
                let flow = held.flow(endpoint, held.registration.as_ref().map_or(0, |own| own.place));
                let shown = |flow: Flow| format!("{} {}", flow.transport.via_name().to_lowercase(), flow.remote);
                let address = flow.map(shown);
                let event = TrunkEvent::Registered { address: Text::from(address.unwrap_or_default()), expires };
                held.tell(&mut self.told, event);
            }
            Turn::Ask => {
                let (place, wish, call_id) = (registration.place, registration.wish(), registration.call_id());
                match held.register_request(endpoint, place, wish, call_id) {
                    Some(request) => endpoint.request(now.mono, Key::Trunk(number, Ask::Register), request),
                    None => {
                        let random = &mut self.random;
                        let turn = held.registration.as_mut().map(|own| own.on_nowhere(now, |most| draw(random, most)));
                        if let Some(Turn::Tell(event)) = turn {
                            held.tell(&mut self.told, event);
                        }
                    }
                }
            }
        }
    }

    fn held(&mut self, key: &TrunkKey) -> Option<&mut Held> {
        self.trunks.get_mut(self.numbers.get(key)?)
    }

    fn touch(&mut self, key: &TrunkKey) {
        if let Some(number) = self.numbers.get(key) {
            self.touched.insert(*number);
        }
    }
}

/// What has become different of trunks.
#[derive(Debug, Default)]
pub struct Settled {
    /// To be told: to whom, of which trunk, what.
    pub told: Vec<(TenantId, String, TrunkEvent)>,
    /// To be kept.
    pub keep: Vec<Kept>,
    /// When to wake which.
    pub wake: Vec<(u32, Instant)>,
}

/// For how long a trunk asks to be left alone. A 503 that does not say is a mere failure (RFC 3261, 21.5.4).
fn rest_of(response: &Response) -> Option<Duration> {
    let seconds = response.headers.retry_after().ok().flatten().filter(|_| response.status == 503)?;
    Some(Duration::from_secs(seconds.into()))
}

/// Any number from 0 to `most`, both included.
fn draw(random: &mut ChaCha20Rng, most: u32) -> u32 {
    // The remainder's unevenness is nothing that anybody could notice.
    (random.next_u64() % (u64::from(most) + 1)) as u32
}
