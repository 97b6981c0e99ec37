//! What is told is stored whole and in order, heard only afterwards, and never blocks who tells it.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use std::time::Duration;

use common::{Database, ONE, Outsider, TWO, TestCall, for_both, open, two_tenants};
use model::{
    Batch, ClaimedKey, Event, ExtensionEvent, Kept, KeptKind, Problem, Reply, Subject, TenantId, Text, Ticket, Told,
    What,
};
use store::{Claim, ClaimAnswer, SetAside, Store, WriterState};

for_both! {
    positions_of_a_tenant_grow_by_one_and_know_nothing_of_another,
    positions_go_on_after_a_restart,
    a_reply_comes_after_what_was_told_before_it_is_stored,
    who_waits_for_a_batch_hears_that_it_is_stored_or_that_the_database_refuses_it,
    only_the_last_record_of_a_call_stays_and_it_keeps_its_row,
    the_last_value_of_a_fact_wins_and_an_ended_one_is_gone,
    while_the_database_is_locked_the_writer_is_stalled_and_loses_nothing,
    more_than_ten_thousand_waiting_events_stall_the_writer,
    a_batch_that_is_refused_for_its_content_is_set_aside_and_blocks_nobody,
    events_of_no_call_are_stored_without_a_record,
    a_call_answers_its_claim_in_the_same_transaction_and_a_restart_keeps_the_answer,
    it_may_be_told_from_any_thread_without_a_runtime,
    closing_stores_all_that_was_told,
}

async fn positions_of_a_tenant_grow_by_one_and_know_nothing_of_another(database: Database) {
    let store = two_tenants(&database).await;

    for count in 0..3 {
        for told in TestCall::new(ONE, count).whole("101", "0900000001") {
            store.writer().push(told);
        }
    }
    for told in TestCall::new(TWO, 9).whole("101", "0900000001") {
        store.writer().push(told);
    }
    store.writer().flush().await;

    let positions = async |tenant| -> Vec<i64> {
        store.tenant(tenant).events().after(0, 1_000).await.unwrap().iter().map(|event| event.position).collect()
    };
    assert_eq!(positions(ONE).await, (1..=27).collect::<Vec<_>>());
    assert_eq!(positions(TWO).await, (1..=9).collect::<Vec<_>>());
    assert_eq!(store.feed().head(ONE), 27);
    assert_eq!(store.tenant(ONE).events().head().await.unwrap(), 27);
}

async fn positions_go_on_after_a_restart(database: Database) {
    let store = two_tenants(&database).await;
    tell(&store, TestCall::new(ONE, 0).whole("101", "0900000001")).await;
    store.close().await;

    let store = open(&database).await;
    assert_eq!(store.feed().head(ONE), 9);
    tell(&store, TestCall::new(ONE, 1).whole("101", "0900000001")).await;

    assert_eq!(store.feed().head(ONE), 18);
}

async fn a_reply_comes_after_what_was_told_before_it_is_stored(database: Database) {
    let store = two_tenants(&database).await;
    let mut replies = store.writer().replies().expect("nobody else asked");
    let mut call = TestCall::new(ONE, 0);

    store.writer().push(Told::Batch(call.started("101", "0900000001")));
    let reply = Reply::Originated { call: call.id, leg: call.agent };
    store.writer().push(Told::Reply { ticket: Ticket(7), reply: Ok(reply.clone()) });
    store.writer().push(Told::Reply { ticket: Ticket(8), reply: Err(Problem::Unavailable) });

    assert_eq!(replies.recv().await, Some((Ticket(7), Ok(reply))));
    assert!(store.tenant(ONE).records().get(call.id).await.unwrap().is_some());
    assert_eq!(replies.recv().await, Some((Ticket(8), Err(Problem::Unavailable))));
    assert!(store.writer().replies().is_none());
}

async fn who_waits_for_a_batch_hears_that_it_is_stored_or_that_the_database_refuses_it(database: Database) {
    let store = two_tenants(&database).await;
    let mut awaited = store.writer().awaited().expect("nobody else asked");
    let (mut call, mut nobodys) = (TestCall::new(ONE, 0), TestCall::new(TenantId(99), 1));

    store.writer().push(Told::Batch(Batch { awaited: Some(Ticket(7)), ..call.started("101", "0900000001") }));
    store.writer().push(Told::Batch(Batch { awaited: Some(Ticket(8)), ..nobodys.started("101", "0900000001") }));
    store.writer().push(Told::Batch(call.answered()));

    assert_eq!(awaited.recv().await, Some((Ticket(7), Ok(()))));
    assert!(store.tenant(ONE).records().get(call.id).await.unwrap().is_some());
    assert_eq!(awaited.recv().await, Some((Ticket(8), Err(SetAside))));
    store.writer().flush().await;
    assert!(awaited.try_recv().is_err(), "nobody waits for the third");
    assert!(store.writer().awaited().is_none());
}

async fn only_the_last_record_of_a_call_stays_and_it_keeps_its_row(database: Database) {
    let store = two_tenants(&database).await;
    let mut call = TestCall::new(ONE, 0);

    tell(&store, [Told::Batch(call.started("101", "0900000001"))]).await;
    let live = store.tenant(ONE).records().get(call.id).await.unwrap().unwrap();
    tell(&store, [call.answered(), call.ended()].map(Told::Batch)).await;
    let ended = store.tenant(ONE).records().get(call.id).await.unwrap().unwrap();

    assert_eq!(live.record.ended_at, None);
    assert_eq!(Some(ended.record), call.record);
    assert_eq!(live.row, ended.row);
}

async fn the_last_value_of_a_fact_wins_and_an_ended_one_is_gone(database: Database) {
    let store = two_tenants(&database).await;
    let kept = |key: &str, value: Option<&str>, expires: Option<i64>| Kept {
        tenant: ONE,
        kind: KeptKind::Bindings,
        key: key.into(),
        value: value.map(str::to_owned),
        expires: expires.map(|seconds| model::Timestamp::now() + Duration::from_secs(seconds.unsigned_abs())),
    };
    let past = Kept { expires: Some(common::second(0)), ..kept("104", Some("old"), None) };

    tell(&store, [kept("101", Some("a"), None), kept("102", Some("b"), None)].map(Told::Keep)).await;
    let later = [
        kept("101", Some("c"), None),
        kept("101", Some("d"), Some(3_600)),
        kept("102", None, None),
        kept("103", Some("e"), None),
        kept("103", None, None),
        past,
    ];
    tell(&store, later.clone().map(Told::Keep)).await;
    store.close().await;
    let store = open(&database).await;

    let found = store.kept().await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].key.as_str(), found[0].value.as_deref()), ("101", Some("d")));
    assert_eq!(found[0].expires.map(|at| at.as_millisecond()), later[1].expires.map(|at| at.as_millisecond()));
}

async fn while_the_database_is_locked_the_writer_is_stalled_and_loses_nothing(database: Database) {
    let store = two_tenants(&database).await;
    let mut state = store.writer().state();
    let mut other = Outsider::connect(&database).await;
    other.lock().await;

    for told in TestCall::new(ONE, 0).whole("101", "0900000001") {
        store.writer().push(told);
    }
    let stalled = state.wait_for(|state| *state != WriterState::Flowing).await.unwrap().clone();
    assert_eq!(store.writer().waiting(), 9);
    assert_eq!(store.feed().head(ONE), 0);
    other.let_go().await;
    state.wait_for(|state| *state == WriterState::Flowing).await.unwrap();
    store.writer().flush().await;

    let WriterState::Stalled(sentence) = stalled else { panic!("it is stalled") };
    assert!(sentence.starts_with("records cannot be stored in"), "{sentence}");
    assert_eq!(store.writer().waiting(), 0);
    assert_eq!(store.tenant(ONE).events().after(0, 100).await.unwrap().len(), 9);
    assert!(store.writer().figures().failures >= 1);
}

async fn more_than_ten_thousand_waiting_events_stall_the_writer(database: Database) {
    let store = two_tenants(&database).await;
    let mut state = store.writer().state();
    let mut other = Outsider::connect(&database).await;
    other.lock().await;

    for count in 0..1_200 {
        for told in TestCall::new(ONE, count).whole("101", "0900000001") {
            store.writer().push(told);
        }
    }
    let at_once = state.borrow_and_update().clone();
    other.let_go().await;
    store.writer().flush().await;
    state.wait_for(|state| *state == WriterState::Flowing).await.unwrap();

    assert!(matches!(at_once, WriterState::Stalled(sentence) if sentence.starts_with("more than 10000 events wait")));
    assert_eq!(store.feed().head(ONE), 1_200 * 9);
}

async fn a_batch_that_is_refused_for_its_content_is_set_aside_and_blocks_nobody(database: Database) {
    let store = two_tenants(&database).await;
    let mut call = TestCall::new(ONE, 0);
    let started = call.started("101", "0900000001");
    let stranger = Batch { tenant: TenantId(99), ..started.clone() };

    tell(&store, [Told::Batch(started.clone())]).await;
    // The same event once more, and a tenant that does not exist, among batches that are right.
    let told = [call.answered(), started, stranger, call.ended(), TestCall::new(TWO, 5).started("102", "0900000002")];
    tell(&store, told.map(Told::Batch)).await;

    let events = store.tenant(ONE).events().of_call(call.id).await.unwrap();
    assert_eq!(events.iter().map(|event| event.event.seq).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    assert_eq!(events.last().unwrap().position, 9);
    assert_eq!(store.feed().head(TWO), 3);
    assert_eq!(store.feed().after(ONE, 0, 100).await.unwrap().len(), 9);
    assert_eq!(Some(store.tenant(ONE).records().get(call.id).await.unwrap().unwrap().record), call.record);
    assert_eq!(store.writer().figures().refused, 2);
    let mut reader = Outsider::connect(&database).await;
    let refused: Vec<(i64, String, String)> =
        reader.fetch_all("SELECT tenant, why, body FROM refused_batches ORDER BY id").await;
    assert_eq!(refused.iter().map(|(tenant, ..)| *tenant).collect::<Vec<_>>(), [1, 99]);
    assert!(
        refused[0].1.to_lowercase().contains("unique") && refused[1].1.contains("there is no tenant 99"),
        "{refused:?}"
    );
    assert!(refused[0].2.contains("call.started") && refused[0].2.contains("\"record\":{"));
}

async fn events_of_no_call_are_stored_without_a_record(database: Database) {
    let store = two_tenants(&database).await;
    let event = Event {
        subject: Subject::Extension("101".into()),
        seq: 1,
        at: common::second(0),
        callid: None,
        what: What::Extension(ExtensionEvent::Refused { why: Text::from("not its own From"), reason: None }),
    };

    tell(
        &store,
        [Told::Batch(Batch { tenant: ONE, events: vec![event.clone()], record: None, claim: None, awaited: None })],
    )
    .await;

    let stored = store.tenant(ONE).events().after(0, 10).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!((&stored[0].event, &stored[0].record), (&event, &None));
}

async fn a_call_answers_its_claim_in_the_same_transaction_and_a_restart_keeps_the_answer(database: Database) {
    let store = two_tenants(&database).await;
    store.start_engine().await.unwrap();
    let key = |name: &str| ClaimedKey { owner: "admin".into(), key: name.into() };
    let claims = store.claims(ONE);
    let mut changes = claims.changes();
    let names = ["order-0", "order-1", "order-2"];
    for name in names {
        assert_eq!(claims.claim(&key(name), "hash").await.unwrap(), Claim::Made);
    }
    // One call alone goes as one script, several at once as statements.
    let mut calls = [0, 1, 2].map(|count| TestCall::new(ONE, count));
    let mut batches = Vec::new();
    for (call, name) in calls.iter_mut().zip(names) {
        batches.push(Batch { claim: Some(key(name)), ..call.started("101", "0900000001") });
    }

    tell(&store, [Told::Batch(batches.remove(0))]).await;
    changes.changed().await.unwrap();
    let events = TestCall::new(ONE, 9).whole("101", "0900000001");
    tell(&store, batches.into_iter().map(Told::Batch).chain(events)).await;
    drop(claims);
    store.close().await;

    let store = open(&database).await;
    store.start_engine().await.unwrap();
    for (call, name) in calls.iter().zip(names) {
        let answer = ClaimAnswer::Call { call: call.id, leg: call.agent };
        assert_eq!(store.claims(ONE).claim(&key(name), "hash").await.unwrap(), Claim::Answered(answer));
    }
    assert_eq!(store.claims(TWO).claim(&key("order-0"), "hash").await.unwrap(), Claim::Made);
}

async fn it_may_be_told_from_any_thread_without_a_runtime(database: Database) {
    let store = two_tenants(&database).await;
    let writer = store.writer();

    std::thread::spawn(move || {
        for told in TestCall::new(ONE, 0).whole("101", "0900000001") {
            writer.push(told);
        }
    })
    .join()
    .unwrap();
    store.writer().flush().await;

    assert_eq!(store.feed().head(ONE), 9);
}

async fn closing_stores_all_that_was_told(database: Database) {
    let store = two_tenants(&database).await;
    for count in 0..100 {
        for told in TestCall::new(ONE, count).whole("101", "0900000001") {
            store.writer().push(told);
        }
    }

    store.close().await;

    assert_eq!(open(&database).await.feed().head(ONE), 900);
}

async fn tell(store: &Store, told: impl IntoIterator<Item = Told>) {
    for told in told {
        store.writer().push(told);
    }
    store.writer().flush().await;
}
