//! Where sound is: the stock of addresses, bound ahead by the media workers so that SDP is written without a round trip,
//! and whose leg each open session is.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use media::{RecordingKey, SessionId, SoundAddress, WorkerId};
use model::{CallId, Keyed, Map, TenantId};
use sip::Interface;

use crate::key::LegKey;

/// Ready addresses, open sessions and recordings under way.
#[derive(Debug)]
pub struct Sounds {
    interfaces: Vec<Interface>,
    /// By worker and interface, longest unused first.
    ready: BTreeMap<(WorkerId, u16), VecDeque<SoundAddress>>,
    legs: Map<SessionId, LegKey>,
    recordings: Map<RecordingKey, (TenantId, CallId)>,
}

impl Sounds {
    /// An empty stock for these interfaces.
    pub fn new(interfaces: Vec<Interface>, keyed: Keyed) -> Self {
        Self { interfaces, ready: BTreeMap::new(), legs: Map::with_hasher(keyed), recordings: Map::with_hasher(keyed) }
    }

    /// Takes in addresses that a worker has bound, or has let rest.
    pub fn put(&mut self, addresses: Vec<SoundAddress>) {
        for address in addresses {
            self.ready.entry((address.worker, address.interface)).or_default().push_back(address);
        }
    }

    /// Takes an address by which `remote` reaches us, on `worker` if the call has one already, else on the one with most left.
    /// Gives it with the address that stands in SDP. None: the stock is empty.
    pub fn take(&mut self, worker: Option<WorkerId>, remote: IpAddr) -> Option<(SoundAddress, SocketAddr)> {
        let interfaces = &self.interfaces;
        let (key, ready) = self
            .ready
            .iter_mut()
            .filter(|((owner, _), ready)| !ready.is_empty() && worker.is_none_or(|worker| worker == *owner))
            .filter(|((_, interface), _)| interface_of(interfaces, *interface).is_some_and(|own| reaches(own, remote)))
            .max_by_key(|((owner, interface), ready)| (ready.len(), std::cmp::Reverse((*owner, *interface))))?;
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
    }

    /// A session was closed.
    pub fn closed(&mut self, session: SessionId) {
        self.legs.remove(&session);
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
    pub fn recording(&mut self, recording: RecordingKey, tenant: TenantId, call: CallId) {
        self.recordings.insert(recording, (tenant, call));
    }

    /// A recording is whole, or has failed. Gives whose it is.
    pub fn recording_done(&mut self, recording: RecordingKey) -> Option<(TenantId, CallId)> {
        self.recordings.remove(&recording)
    }
}

fn interface_of(interfaces: &[Interface], index: u16) -> Option<&Interface> {
    interfaces.get(usize::from(index))
}

/// Whether a peer of that address family can be reached through an interface.
fn reaches(interface: &Interface, remote: IpAddr) -> bool {
    interface.bound.ip().is_ipv4() == remote.to_canonical().is_ipv4()
}
