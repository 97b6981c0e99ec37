//! Orders from clients: which call they begin, or which live call they are for.

use model::{Command, Problem, Reply, TenantId, Ticket};

use super::Engine;
use crate::call::orders::Order;
use crate::commands;
use crate::edge::Now;

impl Engine {
    /// Has an order carried out. It gets exactly one reply, maybe later.
    pub(super) fn command(&mut self, now: Now, ticket: Ticket, tenant: TenantId, command: Command) {
        match command {
            Command::Originate(order) => {
                let closed = self.closed();
                let live = match self.step(now, tenant) {
                    Some(mut step) => commands::originate(&mut step, closed, order, ticket),
                    None => Err(Problem::Unavailable),
                };
                match live {
                    Ok(live) => self.begin(now, tenant, live),
                    Err(problem) => self.reply(ticket, Err(problem)),
                }
            }
            Command::Agent { extension, action } => {
                let done = match self.step(now, tenant) {
                    Some(step) => step.office.floor.order(now, &extension, &action),
                    None => Err(Problem::Unavailable),
                };
                // What is told of the agent is stored before it is replied that it is so.
                self.settle_offices(now);
                self.reply(ticket, done.map(|()| Reply::AgentStands { extension }));
            }
            command => self.order(now, tenant, Order::new(ticket, command), ticket),
        }
    }

    fn order(&mut self, now: Now, tenant: TenantId, order: Order, ticket: Ticket) {
        let Some(call) = order.call() else { return self.reply(ticket, Err(Problem::Unavailable)) };
        let Some(owner) = self.tenants.get(&tenant) else { return self.reply(ticket, Err(Problem::Unavailable)) };
        let key = owner.key_of(call);
        // A call that goes on as its consultation is not to be found by the id of the customer's, which is over.
        if !owner.calls.get(&key).is_some_and(|live| live.is_named(call)) {
            return self.reply(ticket, Err(Problem::NoSuchCall { call }));
        }
        self.with_call(now, tenant, key, |live, step| live.on_order(step, order));
    }
}
