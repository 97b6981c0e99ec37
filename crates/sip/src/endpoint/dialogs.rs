//! The table of dialogs, and which of them a connection carries.

use std::collections::BTreeSet;
use std::time::Instant;

use super::held::Held;
use super::ids::DialogId;
use super::post::Post;
use super::table::Table;
use crate::Flow;

pub(crate) struct Dialogs<K> {
    table: Table<DialogId, Box<Held<K>>>,
    on_connections: BTreeSet<(Flow, DialogId)>,
    limit: usize,
}

impl<K> Dialogs<K> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { table: Table::new(), on_connections: BTreeSet::new(), limit }
    }

    /// Takes a dialog out, for good or for a step.
    pub(crate) fn take(&mut self, id: DialogId) -> Option<Box<Held<K>>> {
        let held = self.table.remove(&id)?;
        if held.dialog.flow.transport.is_reliable() {
            self.on_connections.remove(&(held.dialog.flow, id));
        }
        Some(held)
    }

    /// Ends the step.
    pub(crate) fn put(&mut self, now: Instant, mut held: Box<Held<K>>, post: &mut Post<K>) {
        if held.dialog.flow.transport.is_reliable() {
            self.on_connections.insert((held.dialog.flow, held.id));
        }
        held.armed = held.armed.filter(|at| *at > now);
        held.arm(now, post);
        self.table.insert(held.id, held);
    }

    /// To be looked at. Whoever changes its flow or its deadlines takes it.
    pub(crate) fn get_mut(&mut self, id: DialogId) -> Option<&mut Held<K>> {
        self.table.get_mut(&id).map(Box::as_mut)
    }

    pub(crate) fn get(&self, id: DialogId) -> Option<&Held<K>> {
        self.table.get(&id).map(Box::as_ref)
    }

    pub(crate) fn contains(&self, id: DialogId) -> bool {
        self.table.contains(&id)
    }

    /// Those whose requests go by a connection.
    pub(crate) fn on_connection(&self, flow: Flow) -> Vec<DialogId> {
        let range = (flow, DialogId(0))..=(flow, DialogId(u64::MAX));
        self.on_connections.range(range).map(|(_, id)| *id).collect()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.table.len() >= self.limit
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}
