//! What an engine tells: through the store's one writer, in the order it was put out, and to others only after the commit.

use std::sync::Arc;

use crate::{ClaimedKey, Event, Kept, Problem, Record, Reply, TenantId, Ticket};

/// One thing for the store's writer.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    /// Events and the record as it then stands.
    Batch(Batch),
    /// A live fact.
    Keep(Kept),
    /// What came of a command; reaches the asker after all that was told before it is stored.
    Reply {
        /// Whose command.
        ticket: Ticket,
        /// What came of it.
        reply: Result<Reply, Problem>,
    },
}

/// Events of one step, stored in one transaction with what they change.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    /// Whose story.
    pub tenant: TenantId,
    /// In the order they happened.
    pub events: Vec<Event>,
    /// The call's record with these events applied; None for events of no call.
    pub record: Option<Box<Record>>,
    /// The claim that this call is the answer to. Stands in the call's first batch only.
    pub claim: Option<ClaimedKey>,
    /// The engine goes on once it knows whether this batch is stored, and is told so under this name.
    pub awaited: Option<Ticket>,
}

/// An event with its place in the tenant's story.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// From 1, growing, in the order of commits.
    pub position: i64,
    /// The event.
    pub event: Event,
    /// The call's record as it stood with this event's batch, for readers that render from it.
    pub record: Option<Arc<Record>>,
}
