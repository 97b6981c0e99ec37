//! Where sound is: the stock of addresses, bound ahead by the media workers so that SDP is written without a round trip,
//! and whose leg each open session is.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use media::{RecordingKey, SessionId, SoundAddress, WorkerId};
use model::{CallId, Keyed, Map, RecordingId, TenantId};
use sip::Interface;

use crate::key::LegKey;

/// Ready addresses, open sessions and recordings under way.
#[derive(Debug)]
pub struct Sounds {
    interfaces: Vec<Interface>,
    /// By worker and interface, longest unused first.
    ready: BTreeMap<(WorkerId, u16), VecDeque<SoundAddress>>,
    legs: Map<SessionId, LegKey>,
    /// Sessions that are closed and have not told how well their sound travelled.
    closed: Map<SessionId, LegKey>,
    /// How many sessions of a call have not told that.
    unmeasured: Map<(TenantId, CallId), u32>,
    recordings: Map<RecordingKey, (TenantId, CallId, RecordingId)>,
}

impl Sounds {
    /// An empty stock for these interfaces.
    pub fn new(interfaces: Vec<Interface>, keyed: Keyed) -> Self {
        Self {
            interfaces,
            ready: BTreeMap::new(),
            legs: Map::with_hasher(keyed),
            closed: Map::with_hasher(keyed),
            unmeasured: Map::with_hasher(keyed),
            recordings: Map::with_hasher(keyed),
        }
    }

    /// What the interfaces are from here on: as many as before, in the same order.
    pub fn set_interfaces(&mut self, interfaces: Vec<Interface>) {
        self.interfaces = interfaces;
    }

    /// Takes in addresses that a worker has bound, or has let rest.
    pub fn put(&mut self, addresses: Vec<SoundAddress>) {
        for address in addresses {
            self.ready.entry((address.worker, address.interface)).or_default().push_back(address);
        }
    }

    /// Takes an address by which `remote` reaches us: where signalling with it is (`beside`, the address bound there), else
    /// where packets to it leave; on `worker` if the call has one already, else on the one with most left. Gives it with
    /// the address that stands in SDP. None: the stock is empty.
    pub fn take(
        &mut self,
        worker: Option<WorkerId>,
        beside: Option<IpAddr>,
        remote: IpAddr,
    ) -> Option<(SoundAddress, SocketAddr)> {
        let interfaces = &self.interfaces;
        let (_, key, ready) = self
            .ready
            .iter_mut()
            .filter(|((owner, _), ready)| !ready.is_empty() && worker.is_none_or(|worker| worker == *owner))
            .filter_map(|(key, ready)| {
                let interface = interface_of(interfaces, key.1)?;
                let way = (beside == Some(interface.bound.ip()), interface.reach(remote)?);
                Some(((way, ready.len(), std::cmp::Reverse(*key)), *key, ready))
            })
            .max_by_key(|(merit, ..)| *merit)?;
        let interface = interface_of(interfaces, key.1)?;
        let address = ready.pop_front()?;
        let mut ours = interface.address_towards(remote);
        ours.set_port(address.port);
        Some((address, ours))
    }

    /// How many addresses are ready.
    pub fn len(&self) -> usize {
        self.ready.values().map(VecDeque::len).sum()
    }

    /// A session was opened for a leg.
    pub fn opened(&mut self, session: SessionId, leg: LegKey) {
        self.legs.insert(session, leg);
        *self.unmeasured.entry((leg.tenant, leg.call)).or_default() += 1;
    }

    /// A session was closed. It still tells how well its sound travelled.
    pub fn closed(&mut self, session: SessionId) {
        if let Some(leg) = self.legs.remove(&session) {
            self.closed.insert(session, leg);
        }
    }

    /// A session has told how well its sound travelled, or never will. Gives whose it was, unless nobody asks any more.
    pub fn measured(&mut self, session: SessionId) -> Option<LegKey> {
        let leg = self.closed.remove(&session)?;
        if let Some(left) = self.unmeasured.get_mut(&(leg.tenant, leg.call)) {
            *left = left.saturating_sub(1);
        }
        Some(leg)
    }

    /// How many sessions of a call have not told how well their sound travelled.
    pub fn unmeasured(&self, tenant: TenantId, call: CallId) -> u32 {
        self.unmeasured.get(&(tenant, call)).copied().unwrap_or_default()
    }

    /// Nobody asks any more how well the sound of a call travelled.
    pub fn forget(&mut self, tenant: TenantId, call: CallId) {
        if self.unmeasured.remove(&(tenant, call)).is_some_and(|left| left > 0) {
            self.closed.retain(|_, leg| (leg.tenant, leg.call) != (tenant, call));
        }
    }

    /// Whose session it is.
    pub fn leg_of(&self, session: SessionId) -> Option<LegKey> {
        self.legs.get(&session).copied()
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.legs.len()
    }

    /// A recording was begun for a call.
    pub fn recording(&mut self, recording: RecordingKey, tenant: TenantId, call: CallId, id: RecordingId) {
        self.recordings.insert(recording, (tenant, call, id));
    }

    /// A recording is whole, or has failed. Gives whose it is.
    pub fn recording_done(&mut self, recording: RecordingKey) -> Option<(TenantId, CallId, RecordingId)> {
        self.recordings.remove(&recording)
    }
}

fn interface_of(interfaces: &[Interface], index: u16) -> Option<&Interface> {
    interfaces.get(usize::from(index))
}
