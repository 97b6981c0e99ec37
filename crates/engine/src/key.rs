//! The engine's own names for what it asks of the SIP machine.

use model::{CallId, Kept, KeptKind, TenantId, TenantSettings, Trunk};
use serde::{Deserialize, Serialize};

use crate::registrar::WatchId;

/// A leg's place in its call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LegIndex(pub u16);

/// Finds a leg from anywhere in the engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LegKey {
    /// Whose call.
    pub tenant: TenantId,
    /// Which call.
    pub call: CallId,
    /// Which leg.
    pub leg: LegIndex,
}

/// Whom the SIP machine's news is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// One branch of a leg: a leg that rings several phones has one for each.
    Leg(LegKey, u8),
    /// A dialog of an engine that died, which is being ended.
    Orphan,
    /// A request of ours to a trunk, outside of calls. The number is the one that [`Trunks`](crate::step::Step::trunks) gave it.
    Trunk(u32, Ask),
    /// A phone behind NAT that is asked whether it is there.
    Phone(TenantId, WatchId),
}

/// What a trunk is asked outside of calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ask {
    /// Whether it is there.
    Health,
    /// To know where we are.
    Register,
    /// To forget where we are.
    Leave,
}

/// Finds a trunk from anywhere in the engine.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TrunkKey {
    /// Whose. None: the operator's, shared by tenants.
    pub owner: Option<TenantId>,
    /// `carrier`
    pub name: String,
}

impl TrunkKey {
    /// The key of a trunk in a tenant's settings.
    pub fn of(tenant: TenantId, trunk: &Trunk) -> Self {
        Self { owner: (!trunk.shared).then_some(tenant), name: trunk.name.clone() }
    }

    /// The key of the trunk that has this name in a tenant's settings.
    pub fn named(settings: &TenantSettings, name: &str) -> Self {
        let shared = settings.trunks.iter().any(|trunk| trunk.name == name && trunk.shared);
        Self { owner: (!shared).then_some(settings.id), name: name.to_owned() }
    }

    /// What is kept of the trunk.
    pub fn kept(&self, value: Option<String>) -> Kept {
        let tenant = self.owner.unwrap_or(TenantId::SERVER);
        Kept { tenant, kind: KeptKind::Trunk, key: self.name.clone(), value, expires: None }
    }
}
