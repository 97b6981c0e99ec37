//! One setting at a time: what is read of it, and what may be done to it.

use std::net::IpAddr;

use model::TenantId;
use serde_json::{Map, Value};

use super::noun::Noun;
use crate::StoreError;

/// How far somebody sees: one tenant's settings, and with `whole_server` the operator's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    /// The tenant. None: only what belongs to no tenant, and all users.
    pub tenant: Option<TenantId>,
    /// Whether all tenants, the operator's trunks and the operators themselves are within reach.
    pub whole_server: bool,
}

/// A setting as it is shown: in the provision file's own keys, without secrets but a hook's.
#[derive(Clone, PartialEq, Debug)]
pub struct Thing {
    /// What names it for ever.
    pub id: String,
    /// Its number or name.
    pub name: String,
    /// Another one after each change, secrets included.
    pub tag: String,
    /// Its keys.
    pub body: Map<String, Value>,
}

/// Some of a noun's settings, in their order.
#[derive(Clone, PartialEq, Debug)]
pub struct ThingPage {
    /// At most as many as were asked for.
    pub things: Vec<Thing>,
    /// Whence the next page goes on; None on the last one.
    pub next: Option<String>,
}

/// Who changes something, for the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Author {
    /// `admin`, `key:native 47813d58d31bce34`, `provision file`: never a secret.
    pub name: String,
    /// Where the order came from, if it came by the network.
    pub address: Option<IpAddr>,
}

/// One change of one setting.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// How far whoever changes it sees.
    pub reach: Reach,
    /// What sort of setting.
    pub noun: Noun,
    /// What is done.
    pub deed: Deed,
    /// The change is made only to a thing with one of these tags. None: whatever its tag.
    pub if_match: Option<Vec<String>>,
    /// Who does it.
    pub author: Author,
}

/// What is done to a setting.
#[derive(Clone, PartialEq, Debug)]
pub enum Deed {
    /// A new one, in the provision file's keys. Keys and tokens that are left out are made.
    Create(Map<String, Value>),
    /// Some keys are changed (RFC 7396). A secret that is left out or null stays.
    Update {
        /// The thing's number, name or id.
        called: String,
        /// The keys to change; null takes a key out.
        patch: Map<String, Value>,
    },
    /// It goes.
    Delete {
        /// The thing's number, name or id.
        called: String,
    },
}

/// What became of a change.
#[derive(Clone, PartialEq, Debug)]
pub struct Changed {
    /// The thing as it stands now, or stood last. A new key's secret is in it, this once.
    pub thing: Thing,
    /// Whether anything is different.
    pub different: bool,
}

/// Why a change was not made. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Nothing within reach is called so.
    #[error("{what} does not exist")]
    NotFound {
        /// `extension 101`
        what: String,
    },
    /// A value cannot be used.
    #[error("{sentence}")]
    Wrong {
        /// Which of the thing's keys, as in `route.crm.url`.
        field: Option<String>,
        /// What is wrong and what to do.
        sentence: String,
    },
    /// There is such a thing already.
    #[error("{sentence}")]
    Taken {
        /// What is taken and what to do.
        sentence: String,
    },
    /// Others name the thing.
    #[error("{sentence}")]
    InUse {
        /// Who names it and what to do.
        sentence: String,
    },
    /// It is another one than whoever changes it has seen.
    #[error("{what} has been changed meanwhile: read it again, then change it")]
    Stale {
        /// `extension 101`
        what: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChangeError {
    /// A value of this field cannot be used.
    pub(super) fn wrong(field: &str, sentence: impl Into<String>) -> Self {
        Self::Wrong { field: Some(field.into()), sentence: sentence.into() }
    }
}
