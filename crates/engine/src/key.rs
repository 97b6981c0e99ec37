//! The engine's own names for what it asks of the SIP machine.

use model::{CallId, TenantId};

/// A leg's place in its call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LegIndex(pub u8);

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
}
