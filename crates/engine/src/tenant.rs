//! One company in the engine: its calls, and the office that they share. Sees only itself.

use std::sync::Arc;

use model::{CallId, Keyed, Map, TenantSettings};

use crate::closing::Closing;
use crate::live::Live;
use crate::office::Office;

/// One company's live state.
#[derive(Debug)]
pub struct Tenant {
    /// What its calls share.
    pub office: Office,
    /// Calls by their key, which is the id they began with. A call that takes a step is out of the table for so long.
    pub calls: Map<CallId, Live>,
    /// The keys of calls that clients know by another id too: their consultation's.
    pub names: Map<CallId, CallId>,
    /// Calls that are over, of which something is still to be told.
    pub closing: Map<CallId, Closing>,
}

impl Tenant {
    /// A company without calls and phones.
    pub fn new(settings: Arc<TenantSettings>, keyed: Keyed) -> Self {
        Self {
            office: Office::new(settings),
            calls: Map::with_hasher(keyed),
            names: Map::with_hasher(keyed),
            closing: Map::with_hasher(keyed),
        }
    }

    /// The key of the call that clients know by this id.
    pub fn key_of(&self, id: CallId) -> CallId {
        self.names.get(&id).copied().unwrap_or(id)
    }
}
