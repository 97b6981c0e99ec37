//! One trunk as the engine holds it: its settings, its state, and the requests that are sent to it between calls.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::{Target, TenantId, Text, Trunk, TrunkEvent, TrunkHealth, TrunkState};
use sip::{Endpoint, Flow, HeaderName, Headers, Method, NameAddr, OutOfDialog, Params, Uri};

use super::health::Health;
use super::register::Registration;
use super::{domain, flow_to, login, routes, uri_of};
use crate::edge::Now;
use crate::key::{Key, TrunkKey};
use crate::limits::Channels;

/// How often a trunk that a rule names is asked whether it is there, unless its settings say otherwise.
const HEALTH_EVERY: Duration = Duration::from_secs(30);

/// One trunk.
#[derive(Debug)]
pub(super) struct Held {
    pub key: TrunkKey,
    /// As its settings are now.
    pub trunk: Trunk,
    /// The tenants whose settings have it; none: it is gone, and here only until its calls are over.
    pub seen_by: BTreeSet<TenantId>,
    /// Those of them that have a rule which names it.
    pub used_by: BTreeSet<TenantId>,
    pub channels: Channels,
    pub health: Health,
    pub registration: Option<Registration>,
    /// What was kept last.
    pub kept: Option<TrunkHealth>,
    /// The earliest wait that the engine has set for it.
    pub armed: Option<Instant>,
}

impl Held {
    /// One that nobody's settings have named, and of which nothing is known.
    pub fn new(now: Now, key: TrunkKey, trunk: Trunk) -> Self {
        Self {
            key,
            trunk,
            seen_by: BTreeSet::new(),
            used_by: BTreeSet::new(),
            channels: Channels::default(),
            health: Health::new(now),
            registration: None,
            kept: None,
            armed: None,
        }
    }

    /// How often it is asked whether it is there.
    pub fn asked_every(&self) -> Option<Duration> {
        match self.trunk.health_seconds {
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds.into())),
            None => (!self.used_by.is_empty()).then_some(HEALTH_EVERY),
        }
    }

    /// The question whether it is there. One place after the other, so that one which is gone does not stand for all.
    pub fn health_request(&self, endpoint: &Endpoint<Key>) -> Option<OutOfDialog> {
        let flow = self.flow(endpoint, self.health.place())?;
        let ours = Uri::of(endpoint.address_towards(flow));
        let uri = uri_of(&self.trunk, flow);
        Some(OutOfDialog {
            method: Method::Options,
            flow,
            from: NameAddr::new(domain(&self.trunk, flow, ours)),
            to: NameAddr::new(uri.clone()),
            uri,
            route: routes(&self.trunk, self.registration.as_ref().map_or(&[], Registration::service_route)),
            headers: Headers::new().with(HeaderName::Accept, "application/sdp"),
            body: None,
            credentials: login(&self.trunk),
            call_id: None,
        })
    }

    /// A REGISTER for so many seconds; zero ends the registration.
    pub fn register_request(
        &self,
        endpoint: &Endpoint<Key>,
        place: usize,
        seconds: u32,
        call_id: Bytes,
    ) -> Option<OutOfDialog> {
        let flow = self.flow(endpoint, place)?;
        let registrar = uri_of(&self.trunk, flow);
        let account = Uri { port: None, params: Params::new(), ..registrar.clone() };
        let account = NameAddr::new(account.with_user(self.trunk.username.as_deref().unwrap_or_default()));
        let mut contact = Uri::of(endpoint.address_towards(flow)).with_user(&self.trunk.contact);
        if let Some(transport) = flow.transport.uri_parameter() {
            contact = contact.with_param("transport", transport);
        }
        Some(OutOfDialog {
            method: Method::Register,
            flow,
            uri: registrar,
            from: account.clone(),
            to: account,
            route: routes(&self.trunk, &[]),
            headers: Headers::new()
                .with(HeaderName::Contact, NameAddr::new(contact))
                .with(HeaderName::Expires, seconds.to_string()),
            body: None,
            credentials: login(&self.trunk),
            call_id: Some(call_id),
        })
    }

    pub fn flow(&self, endpoint: &Endpoint<Key>, place: usize) -> Option<Flow> {
        flow_to(endpoint.interfaces(), &self.trunk, at_place(&self.trunk, place)?)
    }

    /// Puts what happened before whoever it concerns: the owner, or the tenants that call by a shared trunk.
    pub fn tell(&self, told: &mut VecDeque<(TenantId, String, TrunkEvent)>, event: TrunkEvent) {
        let one = self.key.owner;
        let all = self.used_by.iter().filter(|_| one.is_none());
        told.extend(one.iter().chain(all).map(|tenant| (*tenant, self.key.name.clone(), event.clone())));
    }

    /// How it stands as a whole.
    pub fn standing(&self, now: Now) -> Option<TrunkHealth> {
        let health = self.health.kept(now.mono);
        let registration = self.registration.as_ref().and_then(Registration::kept);
        match (health, registration) {
            (Some(health), registration) => Some(TrunkHealth { registration, ..health }),
            (None, Some(registration)) => Some(TrunkHealth {
                state: TrunkState::Unknown,
                since: registration.since,
                why: Text::default(),
                until: None,
                registration: Some(registration),
            }),
            (None, None) => None,
        }
    }
}

/// A trunk's places, one after the other and from the first again.
pub(super) fn at_place(trunk: &Trunk, place: usize) -> Option<&Target> {
    trunk.resolved.get(place.checked_rem(trunk.resolved.len())?)
}

/// Whether a registration under the one stands under the other too.
pub(super) fn same_account(a: &Trunk, b: &Trunk) -> bool {
    let account = |trunk: &Trunk| {
        let Trunk { address, transport, outbound_proxy, via, username, register, contact, .. } = trunk.clone();
        (address, transport, outbound_proxy, via, username, register, contact)
    };
    account(a) == account(b)
}
