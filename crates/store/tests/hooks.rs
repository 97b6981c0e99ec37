//! Hooks: cursor and deliveries move together, one call's messages go in order, and nothing is lost or doubled.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use std::time::Duration;

use common::{Database, ONE, TWO, TestCall, apply, for_both, open, second, two_tenants};
use model::Timestamp;
use store::{
    Attempt, DeliveryFilter, DeliveryState, Draft, Hook, HookId, HookOrderError, Made, Outcome, Place, Store, Whence,
};

const TWO_HOOKS: &str = r#"
tenants:
  - name: VPBX_ONE
    webhooks:
      - { kind: native, url: "http://127.0.0.1:9000/one", secret: whsec_c2VjcmV0 }
      - { kind: events, url: "http://127.0.0.1:9000/two" }
users:
  - { email: owner@example.test, password: pw-of-owner, tenant: VPBX_ONE, role: owner }
  - { email: reader@example.test, password: pw-of-reader, tenant: VPBX_ONE, role: reader }
"#;

for_both! {
    a_hook_begins_at_the_end_of_the_story_when_it_is_stored,
    cursor_and_deliveries_move_together_or_not_at_all,
    the_next_of_a_call_is_due_when_the_one_before_has_ended_and_other_calls_do_not_wait,
    what_is_claimed_is_nobody_elses_until_its_claim_runs_out_or_a_new_process_begins,
    a_receiver_that_wants_nothing_switches_its_hook_off,
    a_hook_that_is_gone_or_another_tenants_does_not_exist,
    what_was_told_is_told_again_in_the_same_bytes,
    a_moment_leads_to_the_first_event_after_it,
    a_secret_and_the_one_before_it_both_open,
    a_hook_that_fails_for_long_is_told_of_once_and_once_when_it_works,
    what_ended_long_ago_is_removed_and_what_waits_is_not,
}

async fn with_hooks(database: &Database) -> (Store, Vec<Hook>) {
    let store = two_tenants(database).await;
    apply(&store, TWO_HOOKS).await;
    let hooks = store.hooks().load().await.unwrap();
    (store, hooks)
}

async fn tell(store: &Store, count: u32) {
    for told in TestCall::new(ONE, count).whole("101", "0900000001") {
        store.writer().push(told);
    }
    store.writer().flush().await;
}

fn draft(position: i64, chain: &str) -> Draft {
    let place = Place::new(position, 0).unwrap();
    Draft { place, chain: chain.into(), event: "call.started".into(), body: format!("body {position}") }
}

fn made(hook: HookId, after: i64, upto: i64, drafts: Vec<Draft>) -> Made {
    Made { hook, after, upto, again_to: None, drafts }
}

fn later() -> Timestamp {
    Timestamp::now() + jiff::SignedDuration::from_secs(600)
}

fn attempt(error: Option<&str>) -> Attempt {
    Attempt {
        at: second(0),
        request: "POST http://127.0.0.1:9000/one\n".into(),
        status: Some(if error.is_some() { 500 } else { 200 }),
        headers: "content-type: text/plain\n".into(),
        answer: "ok".into(),
        milliseconds: 7,
        error: error.map(str::to_owned),
    }
}

async fn claimed(store: &Store, hook: HookId) -> Vec<i64> {
    let claimed = store.hooks().claim(hook, 10, later()).await.unwrap();
    claimed.deliveries.iter().map(|one| one.place.position().unwrap()).collect()
}

async fn settle(store: &Store, hook: HookId, position: i64, outcome: Outcome) {
    let error = (outcome != Outcome::Delivered).then_some("the receiver answered 500");
    let place = Place::new(position, 0).unwrap();
    store.hooks().settle((hook, place), attempt(error), outcome).await.unwrap();
}

async fn states(store: &Store, hook: HookId) -> Vec<(i64, DeliveryState)> {
    let tenant = store.tenant(ONE);
    let rows = tenant.deliveries().list(hook, &DeliveryFilter::default(), None, 100).await.unwrap();
    rows.iter().rev().map(|row| (row.place.position().unwrap(), row.state)).collect()
}

async fn a_hook_begins_at_the_end_of_the_story_when_it_is_stored(database: Database) {
    let store = two_tenants(&database).await;
    tell(&store, 0).await;
    let end = store.feed().head(ONE);

    apply(&store, TWO_HOOKS).await;
    tell(&store, 1).await;
    let hooks = store.hooks().load().await.unwrap();

    assert!(end > 0);
    assert_eq!(hooks.iter().map(|hook| (hook.position, hook.active)).collect::<Vec<_>>(), [(end, true), (end, true)]);
    assert_eq!(hooks[0].secrets, ["whsec_c2VjcmV0"]);
    assert!(hooks[1].secrets[0].starts_with("whsec_"));
    apply(&store, &TWO_HOOKS.replace("/one\"", "/one\", enabled: false")).await;
    assert!(!store.hooks().load().await.unwrap()[0].active);
    tell(&store, 2).await;
    apply(&store, TWO_HOOKS).await;
    let again = &store.hooks().load().await.unwrap()[0];
    assert_eq!((again.active, again.position, again.id), (true, store.feed().head(ONE), hooks[0].id));
}

async fn cursor_and_deliveries_move_together_or_not_at_all(database: Database) {
    let (store, hooks) = with_hooks(&database).await;
    let (hook, at) = (hooks[0].id, hooks[0].position);

    let first = store.hooks().make(made(hook, at, at + 2, vec![draft(at + 1, "c"), draft(at + 2, "c")])).await.unwrap();
    let twice = store.hooks().make(made(hook, at, at + 2, vec![draft(at + 1, "c"), draft(at + 2, "c")])).await.unwrap();
    let writing = store.hooks();
    let (one, two) = tokio::join!(
        writing.make(made(hook, at + 2, at + 3, vec![draft(at + 3, "d")])),
        writing.make(made(hooks[1].id, at, at + 9, vec![draft(at + 9, "d")])),
    );

    assert_eq!((first, twice, one.unwrap(), two.unwrap()), (true, false, true, true));
    assert_eq!(states(&store, hook).await.len(), 3);
    assert_eq!(store.hooks().waiting(hook).await.unwrap(), 3);
    store.close().await;
    let store = open(&database).await;
    let hooks = store.hooks().load().await.unwrap();
    assert_eq!((hooks[0].position, hooks[1].position), (at + 3, at + 9));
}

async fn the_next_of_a_call_is_due_when_the_one_before_has_ended_and_other_calls_do_not_wait(database: Database) {
    let (store, hooks) = with_hooks(&database).await;
    let hook = hooks[0].id;
    let drafts = vec![draft(1, "a"), draft(2, "b"), draft(3, "a"), draft(4, "a"), draft(5, "b")];
    store.hooks().make(made(hook, 0, 5, drafts)).await.unwrap();

    assert_eq!(claimed(&store, hook).await, [1, 2]);
    settle(&store, hook, 1, Outcome::Again(later())).await;
    settle(&store, hook, 2, Outcome::Delivered).await;
    assert_eq!(claimed(&store, hook).await, [5]);
    settle(&store, hook, 5, Outcome::Delivered).await;
    let waits = store.hooks().claim(hook, 10, later()).await.unwrap();
    assert!(waits.deliveries.is_empty() && waits.next_due.is_some_and(|due| due > Timestamp::now()));
    settle(&store, hook, 1, Outcome::GivenUp).await;
    assert_eq!(claimed(&store, hook).await, [3]);
    settle(&store, hook, 3, Outcome::Delivered).await;
    assert_eq!(claimed(&store, hook).await, [4]);

    let expected = [DeliveryState::Failed, DeliveryState::Delivered, DeliveryState::Delivered, DeliveryState::Pending];
    assert_eq!(states(&store, hook).await[..4].iter().map(|(_, state)| *state).collect::<Vec<_>>(), expected);
    let tenant = store.tenant(ONE);
    let attempts = tenant.deliveries().attempts(hook, Place::new(1, 0).unwrap()).await.unwrap();
    assert_eq!(attempts.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(attempts[0].attempt, attempt(Some("the receiver answered 500")));
}

async fn what_is_claimed_is_nobody_elses_until_its_claim_runs_out_or_a_new_process_begins(database: Database) {
    let (store, hooks) = with_hooks(&database).await;
    let hook = hooks[0].id;
    store.hooks().make(made(hook, 0, 2, vec![draft(1, "a"), draft(2, "b")])).await.unwrap();

    let first = store.hooks().claim(hook, 1, Timestamp::now()).await.unwrap();
    assert_eq!(first.deliveries.len(), 1);
    // The first claim has run out.
    assert_eq!(claimed(&store, hook).await, [1, 2]);
    assert!(claimed(&store, hook).await.is_empty());
    store.close().await;
    let store = open(&database).await;
    assert!(claimed(&store, hook).await.is_empty());
    store.hooks().release().await.unwrap();

    assert_eq!(claimed(&store, hook).await, [1, 2]);
}

async fn a_receiver_that_wants_nothing_switches_its_hook_off(database: Database) {
    let (store, hooks) = with_hooks(&database).await;
    let hook = hooks[0].id;
    store.hooks().make(made(hook, 0, 2, vec![draft(1, "a"), draft(2, "b")])).await.unwrap();
    claimed(&store, hook).await;

    let url = hooks[0].url.clone();
    settle(&store, hook, 1, Outcome::Gone { url }).await;
    settle(&store, hook, 2, Outcome::Again(later())).await;

    assert_eq!(states(&store, hook).await, [(1, DeliveryState::Failed), (2, DeliveryState::Cancelled)]);
    assert!(!store.hooks().load().await.unwrap()[0].active);
    assert!(claimed(&store, hook).await.is_empty());
    assert!(!store.hooks().make(made(hook, 2, 3, vec![draft(3, "a")])).await.unwrap());
    let status = store.tenant(ONE).deliveries().status(hook).await.unwrap().unwrap();
    assert!(status.off.is_some_and(|(_, why)| why.contains("410")) && !status.active);
    let refused = store.hooks().test(ONE, hook, |_| "{}".into()).await;
    assert!(matches!(refused, Err(HookOrderError::Off)));
    tell(&store, 0).await;
    store.hooks().enable(ONE, hook).await.unwrap();
    let on = &store.hooks().load().await.unwrap()[0];
    assert_eq!((on.active, on.position), (true, store.feed().head(ONE)));
}

async fn a_hook_that_is_gone_or_another_tenants_does_not_exist(database: Database) {
    let (store, hooks) = with_hooks(&database).await;
    let (hook, place) = (hooks[0].id, Place::new(1, 0).unwrap());
    store.hooks().make(made(hook, 0, 1, vec![draft(1, "a")])).await.unwrap();
    let other = store.tenant(TWO);

    assert!(other.deliveries().status(hook).await.unwrap().is_none());
    assert!(other.deliveries().list(hook, &DeliveryFilter::default(), None, 10).await.unwrap().is_empty());
    assert!(other.deliveries().get(hook, place).await.unwrap().is_none());
    assert!(other.deliveries().attempts(hook, place).await.unwrap().is_empty());
    let orders = store.hooks();
    assert!(matches!(orders.replay(TWO, hook, place).await, Err(HookOrderError::NotThere)));
    assert!(matches!(orders.rotate(TWO, hook).await, Err(HookOrderError::NotThere)));
    assert!(matches!(orders.disable(TWO, hook, "why").await, Err(HookOrderError::NotThere)));
    assert!(matches!(orders.replay(ONE, hook, Place::new(9, 0).unwrap()).await, Err(HookOrderError::NotThere)));

    let provision = store::provision::parse("tenants:\n  - name: VPBX_ONE\n  - name: VPBX_TWO\n").unwrap();
    store.settings().apply(provision, true).await.unwrap();
    assert!(orders.load().await.unwrap().is_empty());
    while orders.sweep().await.unwrap() {}
    assert_eq!(orders.waiting(hook).await.unwrap(), 0);
}

async fn what_was_told_is_told_again_in_the_same_bytes(database: Database) {
    let (store, hooks) = with_hooks(&database).await;
    let (hook, orders) = (hooks[0].id, store.hooks());
    orders.make(made(hook, 0, 3, vec![draft(1, "a"), draft(3, "a")])).await.unwrap();
    for position in [1, 3] {
        claimed(&store, hook).await;
        settle(&store, hook, position, Outcome::Delivered).await;
    }

    orders.replay(ONE, hook, Place::new(3, 0).unwrap()).await.unwrap();
    assert_eq!(claimed(&store, hook).await, [3]);
    assert!(matches!(orders.replay(ONE, hook, Place::new(3, 0).unwrap()).await, Err(HookOrderError::Sending)));
    settle(&store, hook, 3, Outcome::Delivered).await;
    assert_eq!(orders.replay_range(ONE, hook, Whence::Position(1), Some(Whence::Position(99))).await.unwrap(), (1, 3));
    let twice = orders.replay_range(ONE, hook, Whence::Position(1), None).await;
    let replay = orders.load().await.unwrap()[0].replay;
    let other = |position| Draft { body: "other bytes".into(), ..draft(position, "a") };
    let again = Made { again_to: Some(3), ..made(hook, 0, 3, vec![other(1), other(2), other(3)]) };
    assert!(orders.make(again).await.unwrap());

    assert!(matches!(twice, Err(HookOrderError::Replaying)));
    assert_eq!((replay, orders.load().await.unwrap()[0].replay), (Some((0, 3)), None));
    let mut bodies = Vec::new();
    for position in 1..=3 {
        let due = orders.claim(hook, 10, later()).await.unwrap().deliveries;
        assert_eq!(due.iter().map(|one| one.place.position()).collect::<Vec<_>>(), [Some(position)]);
        bodies.push(due[0].body.clone());
        settle(&store, hook, position, Outcome::Delivered).await;
    }
    assert_eq!(bodies, ["body 1", "other bytes", "body 3"]);
}

async fn a_moment_leads_to_the_first_event_after_it(database: Database) {
    let (store, hooks) = with_hooks(&database).await;
    for count in 0..9 {
        tell(&store, count * 10).await;
    }
    let (hook, head) = (hooks[0].id, store.feed().head(ONE));
    store.hooks().make(made(hook, hooks[0].position, head, Vec::new())).await.unwrap();
    let each = head / 9;

    for (moment, first) in [(0, 1), (30, 3 * each + 1), (31, 4 * each + 1), (80, 8 * each + 1)] {
        let range = store.hooks().replay_range(ONE, hook, Whence::Moment(second(moment)), None).await.unwrap();
        assert_eq!(range, (first, head), "{moment}");
        let again = Made { again_to: Some(head), ..made(hook, first - 1, head, Vec::new()) };
        assert!(store.hooks().make(again).await.unwrap());
    }
    let none = store.hooks().replay_range(ONE, hook, Whence::Moment(second(81)), None).await.unwrap();
    assert_eq!(none, (head + 1, head));
}

async fn a_secret_and_the_one_before_it_both_open(database: Database) {
    let (store, hooks) = with_hooks(&database).await;

    let secret = store.hooks().rotate(ONE, hooks[0].id).await.unwrap();

    let known = &store.hooks().load().await.unwrap()[0].secrets;
    assert_eq!(known, &[secret.clone(), "whsec_c2VjcmV0".into()]);
    let third = store.hooks().rotate(ONE, hooks[0].id).await.unwrap();
    assert_eq!(store.hooks().load().await.unwrap()[0].secrets, [third, secret]);
}

async fn a_hook_that_fails_for_long_is_told_of_once_and_once_when_it_works(database: Database) {
    let (store, hooks) = with_hooks(&database).await;
    let (hook, orders) = (hooks[0].id, store.hooks());
    orders.make(made(hook, 0, 2, vec![draft(1, "a"), draft(2, "b")])).await.unwrap();
    claimed(&store, hook).await;
    settle(&store, hook, 1, Outcome::Again(later())).await;

    assert!(orders.spells(Duration::from_secs(3_600)).await.unwrap().is_empty());
    let spells = orders.spells(Duration::ZERO).await.unwrap();
    assert_eq!((spells.len(), spells[0].hook, spells[0].tenant), (1, hook, ONE));
    assert_eq!(spells[0].error, "the receiver answered 500");
    assert_eq!(orders.failing(Duration::ZERO).await.unwrap(), 1);
    orders.told(&spells[0]).await.unwrap();
    assert!(orders.spells(Duration::ZERO).await.unwrap().is_empty());
    settle(&store, hook, 2, Outcome::Delivered).await;
    let spells = orders.spells(Duration::from_secs(3_600)).await.unwrap();
    assert_eq!((spells.len(), spells[0].since), (1, None));
    orders.told(&spells[0]).await.unwrap();

    assert!(orders.spells(Duration::ZERO).await.unwrap().is_empty());
    assert_eq!(orders.owners(ONE).await.unwrap(), ["owner@example.test"]);
    assert!(orders.owners(TWO).await.unwrap().is_empty());
}

async fn what_ended_long_ago_is_removed_and_what_waits_is_not(database: Database) {
    let (store, hooks) = with_hooks(&database).await;
    let hook = hooks[0].id;
    store.hooks().make(made(hook, 0, 3, vec![draft(1, "a"), draft(2, "b"), draft(3, "c")])).await.unwrap();
    claimed(&store, hook).await;
    settle(&store, hook, 1, Outcome::Delivered).await;
    settle(&store, hook, 2, Outcome::GivenUp).await;
    assert!(!store.hooks().sweep().await.unwrap());
    assert_eq!(states(&store, hook).await.len(), 3);

    let month = 31_i64 * 24 * 3600 * 1000;
    let old = format!("UPDATE hook_deliveries SET ended_ms = ended_ms - {month}, made_ms = made_ms - {month}");
    common::Outsider::connect(&database).await.execute(&old).await;
    store.hooks().sweep().await.unwrap();

    assert_eq!(states(&store, hook).await, [(3, DeliveryState::Pending)]);
    let tenant = store.tenant(ONE);
    assert!(tenant.deliveries().attempts(hook, Place::new(1, 0).unwrap()).await.unwrap().is_empty());
}
