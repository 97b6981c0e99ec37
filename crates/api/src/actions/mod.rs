//! What one may do, and who may: the one place where permission is decided, for every face.
//!
//! Each action takes who is asking first. What belongs to another tenant does not exist for it.

pub(crate) mod audit;
pub(crate) mod bans;
pub(crate) mod calls;
pub(crate) mod documents;
pub(crate) mod events;
pub(crate) mod floor;
pub(crate) mod hooks;
pub(crate) mod once;
pub(crate) mod orders;
pub(crate) mod provision;
pub(crate) mod reasons;
pub(crate) mod recordings;
pub(crate) mod records;
pub(crate) mod registrations;
pub(crate) mod settings;
pub(crate) mod sounds;
pub(crate) mod trunks;

use model::{Actor, Problem, Reply, Role, TenantId};
use store::{ChangeError, StoreError, TenantStore};

use crate::{App, NotApplied, NotUploaded};

/// Who asks, and for which tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Asker {
    pub tenant: TenantId,
    pub actor: Actor,
}

/// Why an action was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The asker's role may not.
    #[error("this needs the role {needs}: ask the tenant's owner for another key", needs = role_name(*needs))]
    NotAllowed { needs: Role },
    /// The tenant has no such thing.
    #[error("{what} does not exist")]
    NotFound { what: String },
    /// Something in the request cannot be used.
    #[error("{sentence}")]
    Wrong { sentence: String },
    /// It cannot be done as things stand.
    #[error("{sentence}")]
    Conflict { sentence: String },
    /// The key that was given to an order belongs to another order.
    #[error("this Idempotency-Key was given to another order: give each order a key of its own")]
    KeyTaken,
    /// The switchboard did not do it.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The provision file was not applied.
    #[error(transparent)]
    NotApplied(#[from] NotApplied),
    /// The file of a sound was not taken.
    #[error(transparent)]
    NotUploaded(#[from] NotUploaded),
    /// A setting was not changed.
    #[error(transparent)]
    NotChanged(ChangeError),
    /// The store failed.
    #[error("the server could not read its records: try again in a few seconds")]
    Store(#[from] StoreError),
}

impl Refusal {
    /// Something in the request cannot be used.
    pub fn wrong(sentence: impl Into<String>) -> Self {
        Self::Wrong { sentence: sentence.into() }
    }

    /// The tenant has no such thing.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }
}

/// Refuses whoever has less than this role.
pub(crate) fn need(actor: &Actor, role: Role) -> Result<(), Refusal> {
    if actor.role >= role { Ok(()) } else { Err(Refusal::NotAllowed { needs: role }) }
}

/// What an order comes to whose reply was another order's.
fn unexpected(reply: &Reply) -> Problem {
    tracing::error!(?reply, "the switchboard gave the reply of another order");
    Problem::Unavailable
}

impl Asker {
    fn needs(&self, role: Role) -> Result<(), Refusal> {
        need(&self.actor, role)
    }

    fn store(&self, app: &App) -> TenantStore {
        app.store.tenant(self.tenant)
    }
}

/// The role with this word.
pub(crate) fn role_named(word: &str) -> Option<Role> {
    let roles = [Role::Reader, Role::Agent, Role::Supervisor, Role::Owner, Role::Operator];
    roles.into_iter().find(|role| role_name(*role) == word)
}

/// The word for a role in settings and sentences.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::Owner => "owner",
        Role::Operator => "operator",
    }
}
