//! Queues and agents of the simulated companies, and that nobody is offered two callers at once.

use std::collections::BTreeMap;

use model::{AgentAction, CallEvent, Command, Event, LegId, Queue, Route, Strategy, TenantSettings, Text, What};

use super::{EXTENSIONS, Simulation};

/// The numbers of the queues.
pub const QUEUES: [&str; 3] = ["700", "701", "702"];

/// Queues of every sort, whose agents are members of two; callers of the first two go over to the next one.
pub fn add_queues(settings: &mut TenantSettings) {
    let strategies = [Strategy::LongestIdle, Strategy::RingAll, Strategy::RoundRobin];
    let usual = settings.queues.get("700").cloned().expect("every company has a queue");
    for (at, (number, strategy)) in QUEUES.into_iter().zip(strategies).enumerate() {
        let queue = Queue {
            number: number.into(),
            strategy,
            members: EXTENSIONS[at..at + 3].iter().map(|member| (*member).to_owned()).collect(),
            max_wait_seconds: 20,
            ring_seconds: 4,
            wrap_up_seconds: 2,
            misses_before_pause: 4,
            priority: at as u32,
            max_waiting: Some(5),
            answer_at_once: at != 2,
            announce_position: at == 0,
            announce_seconds: 10,
            overflow: QUEUES.get(at + 1).map(|next| Route::Queue((*next).to_owned())),
            ..usual.clone()
        };
        settings.queues.insert(number.into(), queue);
    }
}

impl Simulation {
    /// A client of some company changes how one of its agents stands; mostly so that it takes calls.
    pub(super) fn client_orders_agent(&mut self) {
        let chance = &mut self.world.chance;
        let tenant = if chance.per_mille(500) { 1 } else { 2 };
        let extension = (*chance.one_of(&EXTENSIONS)).to_owned();
        let action = match chance.below(10) {
            0 => AgentAction::SignOut,
            1 => AgentAction::Pause { reason: Text::from("lunch") },
            2..5 => AgentAction::SignIn,
            _ => AgentAction::Resume,
        };
        self.world.command(tenant, Command::Agent { extension, action });
    }

    /// No agent was ever rung for two callers at once, and every caller who came to a queue left it.
    pub(super) fn judge_queues(&self) -> u32 {
        let mut stays = 0;
        for tenant in [1, 2] {
            let Some(rows) = self.world.rows(tenant) else { continue };
            judge_offers(&rows.events);
            for record in rows.records.values() {
                for stay in &record.queues {
                    let is_known = stay.left_at.is_some() || record.ended_at.is_some();
                    assert!(is_known, "{} of tenant {tenant} never left queue {}", record.callid, stay.queue);
                    stays += 1;
                }
            }
        }
        stays
    }
}

fn judge_offers(events: &[Event]) {
    let mut whose: BTreeMap<LegId, String> = BTreeMap::new();
    let mut offered: BTreeMap<String, LegId> = BTreeMap::new();
    for event in events {
        let What::Call(what) = &event.what else { continue };
        match what {
            CallEvent::LegStarted { leg, party, .. } => {
                whose.extend(party.extension().map(|extension| (*leg, extension.to_owned())));
            }
            CallEvent::Offered { leg, .. } => {
                let agent = whose.get(leg).expect("an offer is made to an extension");
                let other = offered.insert(agent.clone(), *leg);
                assert_eq!(other, None, "agent {agent} is offered a caller by leg {leg} and by another");
            }
            CallEvent::LegAnswered { leg } | CallEvent::LegEnded { leg, .. } => {
                if let Some(agent) = whose.get(leg) {
                    offered
                        .remove_entry(agent)
                        .filter(|(_, own)| own != leg)
                        .map(|(agent, own)| offered.insert(agent, own));
                }
            }
            _ => {}
        }
    }
}
