//! Agents and callers without phones: what is so is said, and what is offered is looked at.

use std::collections::BTreeMap;

use model::{EngineNumber, Strategy, Text};

use super::*;
use crate::fixture;

/// Agents 101, 102 and 103 in queue 700.
struct Shop {
    settings: Arc<TenantSettings>,
    floor: Floor,
    lines: BTreeMap<String, u32>,
    away: Vec<String>,
    now: Now,
    told: Vec<String>,
}

impl Shop {
    fn new(change: impl FnOnce(&mut TenantSettings)) -> Self {
        let mut settings = fixture::demo();
        let third = model::Extension { number: "103".into(), ..settings.extensions["101"].clone() };
        settings.extensions.insert("103".into(), third);
        settings.queues = [("700".to_owned(), fixture::queue("700", &["101", "102", "103"]))].into();
        change(&mut settings);
        let now = Now { mono: fixture::instant(), wall: "2026-11-20T05:00:00Z".parse().expect("a moment") };
        let mut shop = Self {
            settings: Arc::new(settings),
            floor: Floor::default(),
            lines: BTreeMap::new(),
            away: Vec::new(),
            now,
            told: Vec::new(),
        };
        shop.settle();
        shop.told.clear();
        shop
    }

    /// Whom each caller is offered to now.
    fn settle(&mut self) -> Vec<String> {
        let (lines, away) = (&self.lines, &self.away);
        let facts = |extension: &str| Facts {
            reachable: !away.iter().any(|one| one == extension),
            lines: lines.get(extension).copied().unwrap_or_default(),
        };
        self.floor.agents.refresh(self.now, &self.settings, facts);
        let wakes = self.floor.queues.offer(&self.settings, &mut self.floor.agents);
        let told = self.floor.agents.take_told();
        self.told.extend(told.into_iter().map(|(agent, what)| format!("{agent} {what:?}")));
        let offered = wakes.into_iter().map(|(call, wake)| match wake {
            Wake::Offer { agents } => format!("{} -> {}", name(call), agents.join(" ")),
            Wake::NobodyThere => format!("{} alone", name(call)),
        });
        offered.collect()
    }

    fn enters(&mut self, caller: u32, queue: &str) -> u32 {
        self.floor.enter(self.now.mono, id(caller), queue)
    }

    fn misses(&mut self, caller: u32, agent: &str) {
        self.floor.missed(self.now, id(caller), agent, 2);
    }

    /// The agent takes the caller, talks, and hangs up.
    fn serves(&mut self, caller: u32, agent: &str, wrap_up: u32) {
        self.lines.insert(agent.into(), 1);
        self.floor.answered(self.now.mono, id(caller), agent, wrap_up);
        self.settle();
        self.pass(1);
        self.lines.remove(agent);
    }

    fn order(&mut self, agent: &str, action: AgentAction) {
        self.floor.order(self.now, agent, &action).expect("an agent");
    }

    fn pass(&mut self, seconds: u64) {
        self.now.mono += Duration::from_secs(seconds);
        self.now.wall += jiff::SignedDuration::from_secs(seconds as i64);
    }
}

fn id(caller: u32) -> CallId {
    CallId::new(1_700_000_000, EngineNumber(1), caller)
}

fn name(call: CallId) -> String {
    (1..20).find(|caller| id(*caller) == call).map_or_else(String::new, |caller| caller.to_string())
}

#[test]
fn a_member_is_signed_in_as_soon_as_its_phone_is_there() {
    let mut shop = Shop::new(|_| {});
    shop.away = vec!["101".into()];
    let mut fresh = Shop { floor: Floor::default(), ..shop };

    fresh.settle();
    assert_eq!(fresh.told, ["102 SignedIn", "103 SignedIn"]);
    fresh.away.clear();
    fresh.settle();
    fresh.settle();

    assert_eq!(fresh.told[2..], ["101 SignedIn"]);
}

#[test]
fn whoever_has_been_idle_longest_is_offered_first() {
    let mut shop = Shop::new(|_| {});
    for (caller, agent) in [(1, "101"), (2, "103")] {
        shop.enters(caller, "700");
        shop.settle();
        shop.serves(caller, agent, 0);
        shop.settle();
    }

    shop.enters(3, "700");
    shop.enters(4, "700");
    let offers = shop.settle();

    assert_eq!(offers, ["3 -> 102", "4 -> 101"]);
}

#[test]
fn one_agent_is_offered_one_caller_at_a_time_over_all_its_queues() {
    let mut shop = Shop::new(|settings| {
        settings.queues.insert("701".into(), fixture::queue("701", &["101"]));
        settings.queues.insert("700".into(), fixture::queue("700", &["101"]));
    });

    shop.enters(1, "700");
    shop.enters(2, "701");

    assert_eq!(shop.settle(), ["1 -> 101"]);
    assert!(shop.settle().is_empty());
    shop.floor.leave(id(1));
    assert_eq!(shop.settle(), ["2 -> 101"]);
}

#[test]
fn the_higher_priority_comes_first_and_then_whoever_waits_longest() {
    let mut shop = Shop::new(|settings| {
        settings.queues.insert("700".into(), fixture::queue("700", &["101"]));
        let urgent = model::Queue { priority: 5, ..fixture::queue("701", &["101"]) };
        settings.queues.insert("701".into(), urgent);
    });

    shop.enters(1, "700");
    shop.enters(2, "700");
    shop.enters(3, "701");

    assert_eq!(shop.settle(), ["3 -> 101"]);
    shop.floor.leave(id(3));
    assert_eq!(shop.settle(), ["1 -> 101"]);
    assert_eq!([shop.floor.place(id(1)), shop.floor.place(id(2))], [Some(1), Some(2)]);
}

#[test]
fn whoever_cannot_do_what_is_asked_for_is_offered_nothing_and_the_better_comes_first() {
    let mut shop = Shop::new(|settings| {
        for (agent, level) in [("102", 2), ("103", 4)] {
            let extension = settings.extensions.get_mut(agent).expect("an agent");
            extension.skills.insert("english".into(), level);
        }
        let queue = settings.queues.get_mut("700").expect("the queue");
        queue.strategy = Strategy::LeastRecent;
        queue.skills.insert("english".into(), 2);
    });

    for caller in 1..=3 {
        shop.enters(caller, "700");
    }

    assert_eq!(shop.settle(), ["1 -> 103", "2 -> 102"]);
}

#[test]
fn a_queue_goes_round_or_in_order_or_rings_all() {
    let strategy = |strategy| {
        let mut shop = Shop::new(|settings| settings.queues.get_mut("700").expect("the queue").strategy = strategy);
        let mut offers = Vec::new();
        for caller in 1..=3 {
            shop.enters(caller, "700");
            offers.extend(shop.settle());
            shop.floor.leave(id(caller));
        }
        offers
    };

    assert_eq!(strategy(Strategy::RoundRobin), ["1 -> 101", "2 -> 102", "3 -> 103"]);
    assert_eq!(strategy(Strategy::InOrder), ["1 -> 101", "2 -> 101", "3 -> 101"]);
    assert_eq!(strategy(Strategy::LeastRecent), ["1 -> 101", "2 -> 102", "3 -> 103"]);
    assert_eq!(strategy(Strategy::RingAll), ["1 -> 101 102 103", "2 -> 101 102 103", "3 -> 101 102 103"]);
}

#[test]
fn whoever_does_not_answer_is_passed_over_and_paused_after_the_second_time() {
    let mut shop =
        Shop::new(|settings| settings.queues.get_mut("700").expect("the queue").strategy = Strategy::InOrder);
    shop.enters(1, "700");

    assert_eq!(shop.settle(), ["1 -> 101"]);
    shop.misses(1, "101");
    assert_eq!(shop.settle(), ["1 -> 102"]);
    shop.misses(1, "102");
    shop.pass(6);
    assert_eq!(shop.settle(), ["1 -> 103"], "though 101 is ready again");
    shop.misses(1, "103");
    assert_eq!(shop.settle(), ["1 -> 101"]);
    shop.misses(1, "101");

    assert_eq!(shop.settle(), ["1 -> 102"]);
    assert_eq!(shop.told, ["101 Paused { reason: Text(\"no answer\") }"]);
    shop.order("101", AgentAction::Resume);
    shop.settle();
    assert_eq!(shop.told[1..], ["101 Resumed"]);
}

#[test]
fn an_agent_has_time_to_write_after_a_call_of_a_queue_and_after_no_other() {
    let mut shop = Shop::new(|settings| settings.queues.get_mut("700").expect("the queue").members.truncate(1));
    shop.lines.insert("101".into(), 1);
    shop.settle();
    shop.lines.clear();
    shop.settle();
    assert!(shop.told.is_empty());
    shop.enters(1, "700");
    shop.settle();
    shop.serves(1, "101", 10);

    shop.enters(2, "700");
    assert!(shop.settle().is_empty());
    shop.pass(9);
    assert!(shop.settle().is_empty());
    assert_eq!(shop.floor.agents.poll_timeout(), Some(shop.now.mono + Duration::from_secs(1)));
    shop.pass(1);

    assert_eq!(shop.settle(), ["2 -> 101"]);
    assert_eq!(shop.told, ["101 WrapUp { seconds: 10 }", "101 Ready"]);
}

#[test]
fn nobody_who_talks_pauses_or_is_not_to_be_disturbed_is_offered_a_caller() {
    let mut shop = Shop::new(|settings| {
        settings.extensions.get_mut("103").expect("103").do_not_disturb = true;
    });
    shop.lines.insert("101".into(), 1);
    shop.order("102", AgentAction::Pause { reason: Text::from("lunch") });
    shop.enters(1, "700");

    assert!(shop.settle().is_empty());
    shop.order("102", AgentAction::Resume);
    assert_eq!(shop.settle(), ["1 -> 102"]);
    assert_eq!(shop.told, ["102 Paused { reason: Text(\"lunch\") }", "102 Resumed"]);
}

#[test]
fn a_caller_is_left_alone_once_when_the_last_agent_signs_out() {
    let mut shop = Shop::new(|settings| settings.queues.get_mut("700").expect("the queue").members.truncate(2));
    shop.lines.insert("102".into(), 1);
    shop.lines.insert("101".into(), 1);
    shop.enters(1, "700");
    assert!(shop.settle().is_empty());

    shop.order("101", AgentAction::SignOut);
    assert!(shop.settle().is_empty());
    shop.away.push("102".into());

    assert_eq!(shop.settle(), ["1 alone"]);
    assert!(shop.settle().is_empty());
}

#[test]
fn callers_of_a_queue_that_is_gone_are_left_alone() {
    let mut shop = Shop::new(|_| {});
    shop.lines = ["101", "102", "103"].map(|agent| (agent.to_owned(), 1)).into();
    shop.enters(1, "700");
    shop.settle();
    let mut settings = TenantSettings::clone(&shop.settings);
    settings.queues.clear();
    shop.settings = Arc::new(settings);

    assert_eq!(shop.settle(), ["1 alone"]);
    assert_eq!(shop.told, ["101 SignedOut", "102 SignedOut", "103 SignedOut"]);
}

#[test]
fn the_wait_is_expected_to_be_as_it_was_for_those_before() {
    let mut shop = Shop::new(|_| {});
    shop.enters(1, "700");
    shop.enters(2, "700");
    assert_eq!(shop.floor.expected_wait(shop.now.mono, id(2)), None);
    shop.settle();
    shop.pass(40);
    shop.floor.answered(shop.now.mono, id(1), "101", 0);
    shop.enters(3, "700");
    shop.pass(10);

    assert_eq!(shop.floor.expected_wait(shop.now.mono, id(3)), Some(Duration::from_secs(30)));
    assert_eq!(shop.floor.expected_wait(shop.now.mono, id(2)), Some(Duration::ZERO));
}

#[test]
fn an_agent_stands_after_a_restart_as_before() {
    let mut shop = Shop::new(|_| {});
    shop.order("101", AgentAction::SignOut);
    shop.order("102", AgentAction::Pause { reason: Text::from("lunch") });
    shop.settle();
    let kept = shop.floor.agents.take_kept();
    let mut next = Shop { floor: Floor::default(), told: Vec::new(), ..shop };
    for (agent, value) in kept {
        next.floor.take_back(next.now, &agent, &value.expect("something is kept"));
    }

    next.enters(1, "700");
    next.enters(2, "700");

    assert_eq!(next.settle(), ["1 -> 103"]);
    assert!(next.told.is_empty());
}

#[test]
fn an_agent_may_sign_out_or_pause_before_its_phone_was_ever_there() {
    let mut shop = Shop::new(|_| {});
    shop.away = ["101", "102", "103"].map(String::from).to_vec();
    let mut fresh = Shop { floor: Floor::default(), ..shop };
    fresh.settle();

    fresh.order("101", AgentAction::SignOut);
    fresh.order("102", AgentAction::Pause { reason: Text::default() });
    fresh.order("103", AgentAction::Resume);
    fresh.away.clear();
    fresh.enters(1, "700");
    let offers = [fresh.settle(), fresh.settle()].concat();
    fresh.order("102", AgentAction::Resume);
    fresh.enters(2, "700");

    assert_eq!(offers, ["1 -> 103"]);
    assert_eq!(fresh.settle(), ["2 -> 102"]);
}

#[test]
fn an_order_for_what_is_so_already_is_done_and_told_to_nobody() {
    let mut shop = Shop::new(|_| {});

    shop.order("101", AgentAction::SignIn);
    shop.order("101", AgentAction::Resume);
    let nobody = shop.floor.order(shop.now, "109", &AgentAction::SignIn);
    shop.settle();

    assert!(shop.told.is_empty());
    assert_eq!(nobody, Err(Problem::NoSuchAgent { extension: "109".into() }));
}
