//! Tenants and what belongs to them: read as one snapshot, changed by a provision file or one at a time.

mod apply;
mod change;
mod changing;
mod export;
mod given;
mod house;
mod items;
mod list;
mod merge;
mod merged;
mod named;
mod noun;
mod order;
mod rows;
mod snapshot;
pub(crate) mod stored;
mod tell;
mod tenants;
mod thing;

use model::{Directory, TenantSettings};

use crate::StoreError;
use crate::db::Db;
use crate::provision::ProvisionError;
use crate::secrets::SecretKey;
pub use noun::Noun;
pub use thing::{Author, Change, ChangeError, Changed, Deed, Reach, Thing, ThingPage};

/// Tenants and what belongs to them.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) db: Db,
    pub(crate) key: SecretKey,
    pub(crate) realm: String,
}

/// All settings at one moment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Snapshot {
    /// For the door and the APIs.
    pub directory: Directory,
    /// For the engine; names of trunks are not resolved.
    pub tenants: Vec<TenantSettings>,
}

/// What a provision file changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Things that were not there.
    pub created: u64,
    /// Things that were different.
    pub updated: u64,
    /// Things that are gone because the file does not have them.
    pub deleted: u64,
    /// Things that were as the file has them.
    pub unchanged: u64,
}

impl Changes {
    /// Whether anything is different now.
    pub fn any(&self) -> bool {
        self.created + self.updated + self.deleted > 0
    }
}

impl std::fmt::Display for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { created, updated, deleted, unchanged } = self;
        write!(f, "{created} created, {updated} updated, {deleted} deleted, {unchanged} unchanged")
    }
}

/// Why a provision file was not applied. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file does not go together with what is stored.
    #[error(transparent)]
    Conflict(#[from] ProvisionError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
