//! What can happen with a database that is a server of its own: it is cut off, refuses, is somebody else's.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use std::time::Duration;

use common::proxy::Proxy;
use common::{Database, ONE, Outsider, TWO, TWO_TENANTS, TestCall, apply, open, options, two_tenants};
use model::{Kept, KeptKind, Told};
use store::{OpenError, RecordFilter, Store, StoreOptions, WriterState};

#[tokio::test]
async fn a_second_server_on_the_same_database_is_refused_until_the_first_is_gone() {
    let database = Database::postgres();
    let store = two_tenants(&database).await;
    let (other_folder, key) = (tempfile::tempdir().unwrap(), "secret.key");
    std::fs::copy(database.folder().join(key), other_folder.path().join(key)).unwrap();
    let other = || StoreOptions { data_dir: other_folder.path().into(), ..options(&database) };

    let error = Store::open(other()).await.unwrap_err();

    assert!(matches!(error, OpenError::DatabaseInUse { .. }), "{error}");
    assert!(error.to_string().starts_with("another server uses the database `postgres://***@127.0.0.1:"), "{error}");
    store.close().await;
    Store::open(other()).await.unwrap();
}

#[tokio::test]
async fn no_message_shows_a_password() {
    let database = Database::postgres();
    let url = database.url().unwrap().replace("postgres@", "nobody-here:hunter2@");
    let nobody = format!("{url}?password=hunter3");

    for (url, expected) in [
        (nobody, "nobody-here"),
        ("postgres://me:hunter2@127.0.0.1:1/tongdai".into(), "onnection refused"),
        ("postgres://me:hunter2@127.0.0.1:port/tongdai".into(), "is no database this program can use"),
    ] {
        let error = Store::open(StoreOptions { database: Some(url), ..options(&database) }).await.unwrap_err();

        let said = format!("{error} {error:?}");
        assert!(error.to_string().contains("postgres://***@127.0.0.1:"), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_keep_every_letter_is_refused() {
    let database = Database::postgres();
    let narrow = format!("{}_narrow", database.url().unwrap());
    let name = narrow.rsplit_once('/').unwrap().1;
    let mut outsider = Outsider::connect(&database).await;
    outsider.execute(&format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0")).await;

    let opened = Store::open(StoreOptions { database: Some(narrow.clone()), ..options(&database) }).await;
    outsider.execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;

    let error = opened.unwrap_err();
    assert!(error.to_string().contains("keeps text as SQL_ASCII: make one with ENCODING 'UTF8'"), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_ended_again_and_again_costs_nothing() {
    let database = Database::postgres();
    let store = two_tenants(&database).await;
    let mut outsider = Outsider::connect(&database).await;
    let mut calls = 0;
    let mut tell_some = || {
        for count in calls..calls + 15 {
            let tenant = if count % 3 == 0 { TWO } else { ONE };
            for told in TestCall::new(tenant, count).whole("101", "0900000001") {
                store.writer().push(told);
            }
        }
        calls += 15;
    };

    let mut ended = 0;
    for _ in 0..15 {
        let head = store.feed().head(ONE);
        tell_some();
        tokio::time::timeout(Duration::from_secs(20), store.feed().changed(ONE, head)).await.unwrap();
        tell_some();
        let rows: Vec<(i64,)> = outsider
            .fetch_all(
                "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .await;
        ended += rows[0].0;
    }
    store.writer().flush().await;

    assert!(ended > 5, "{ended} connections were ended");
    assert!(store.writer().figures().failures > 0);
    check_story(&store, calls).await;
    store.close().await;
    check_story(&open(&database).await, calls).await;
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_neither_lost_nor_made_twice() {
    let database = Database::postgres();
    let (proxy, url) = Proxy::start(&database.url().unwrap()).await;
    let store = Store::open(StoreOptions { database: Some(url), ..options(&database) }).await.unwrap();
    apply(&store, TWO_TENANTS).await;
    let mut outsider = Outsider::connect(&database).await;
    let tell = |tenant, count| {
        for told in TestCall::new(tenant, count).whole("101", "0900000001") {
            store.writer().push(told);
        }
    };
    let rounds = 6;
    for round in 0..rounds {
        let tenant = if round % 2 == 0 { ONE } else { TWO };
        // The connection is a fresh one: the first call has its statements prepared.
        tell(tenant, 2 * round);
        store.writer().flush().await;
        let before = (heads(&mut outsider).await, store.writer().figures());

        proxy.mute();
        tell(tenant, 2 * round + 1);
        let committed = async {
            while heads(&mut outsider).await == before.0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), committed).await.expect("the server hears the commit");
        assert_eq!(store.writer().figures(), before.1, "the store cannot know yet");
        proxy.cut();
        store.writer().flush().await;
    }

    assert_eq!(store.writer().figures().failures, u64::from(rounds));
    check_story_of(&store, ONE, rounds).await;
    check_story_of(&store, TWO, rounds).await;
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_stalls_the_writer_until_it_can() {
    let database = Database::postgres();
    let (proxy, url) = Proxy::start(&database.url().unwrap()).await;
    let store = Store::open(StoreOptions { database: Some(url), ..options(&database) }).await.unwrap();
    apply(&store, TWO_TENANTS).await;
    let mut state = store.writer().state();

    proxy.shut();
    for told in TestCall::new(ONE, 1).whole("101", "0900000001") {
        store.writer().push(told);
    }
    let stalled = state.wait_for(|state| *state != WriterState::Flowing).await.unwrap().clone();
    assert!(store.tenant(ONE).events().after(0, 10).await.is_err());
    proxy.open();
    state.wait_for(|state| *state == WriterState::Flowing).await.unwrap();
    store.writer().flush().await;

    let WriterState::Stalled(sentence) = stalled else { panic!("it is stalled") };
    assert!(sentence.contains(&format!("`postgres://***@127.0.0.1:{}/", proxy.port())), "{sentence}");
    assert!(sentence.ends_with("look at PostgreSQL, its disk and the way to it"), "{sentence}");
    assert_eq!(store.tenant(ONE).events().after(0, 100).await.unwrap().len(), 9);
}

#[tokio::test]
async fn who_lost_the_database_to_another_server_writes_nothing_more() {
    let database = Database::postgres();
    let (proxy, url) = Proxy::start(&database.url().unwrap()).await;
    let store = Store::open(StoreOptions { database: Some(url), ..options(&database) }).await.unwrap();
    apply(&store, TWO_TENANTS).await;
    let mut state = store.writer().state();
    let (other_folder, key) = (tempfile::tempdir().unwrap(), "secret.key");
    std::fs::copy(database.folder().join(key), other_folder.path().join(key)).unwrap();

    proxy.shut();
    let other = StoreOptions { data_dir: other_folder.path().into(), ..options(&database) };
    let other = Store::open(other).await.expect("nobody has the database");
    for told in TestCall::new(ONE, 1).whole("101", "0900000001") {
        other.writer().push(told);
    }
    other.close().await;
    proxy.open();
    for told in TestCall::new(ONE, 2).whole("101", "0900000001") {
        store.writer().push(told);
    }

    let about_the_other = |state: &WriterState| matches!(state, WriterState::Stalled(sentence) if sentence.contains("another server has used this database"));
    tokio::time::timeout(Duration::from_secs(20), state.wait_for(about_the_other)).await.unwrap().unwrap();
    let mut outsider = Outsider::connect(&database).await;
    assert_eq!(heads(&mut outsider).await, [(1, 9)]);
    assert_eq!(store.writer().waiting(), 9);
}

#[tokio::test]
async fn a_database_that_takes_no_writing_stalls_the_writer_until_it_does() {
    let database = Database::postgres();
    let store = two_tenants(&database).await;
    let mut outsider = Outsider::connect(&database).await;
    let name = database.url().unwrap().rsplit_once('/').unwrap().1.to_owned();
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN RAISE EXCEPTION ''no space left on device'' USING ERRCODE = ''53100''; END'";
    outsider.execute(full).await;
    let troubles = [
        (
            "CREATE TRIGGER full_disk BEFORE INSERT ON events EXECUTE FUNCTION full_disk()".to_owned(),
            "DROP TRIGGER full_disk ON events".to_owned(),
            "no space left on device",
        ),
        (
            format!(
                "ALTER DATABASE {name} SET default_transaction_read_only = on;
                 SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ),
            format!(
                "SET default_transaction_read_only = off; ALTER DATABASE {name} RESET default_transaction_read_only"
            ),
            "read-only transaction",
        ),
    ];

    for (count, (begins, ends, said)) in (0..).zip(troubles) {
        let mut state = store.writer().state();
        outsider.execute(&begins).await;
        for told in TestCall::new(ONE, count).whole("101", "0900000001") {
            store.writer().push(told);
        }
        let about_it = |state: &WriterState| matches!(state, WriterState::Stalled(why) if why.contains(said));
        tokio::time::timeout(Duration::from_secs(20), state.wait_for(about_it)).await.expect(said).unwrap();
        outsider.execute(&ends).await;
        store.writer().flush().await;

        state.wait_for(|state| *state == WriterState::Flowing).await.unwrap();
        assert_eq!(store.feed().head(ONE), (i64::from(count) + 1) * 9, "{said}");
    }
    check_story_of(&store, ONE, 2).await;
}

#[tokio::test]
async fn what_the_server_cannot_keep_is_set_aside_and_blocks_nobody() {
    let database = Database::postgres();
    let store = two_tenants(&database).await;
    let kept = |key: &str, value: &str| {
        let (tenant, kind) = (ONE, KeptKind::Bindings);
        Told::Keep(Kept { tenant, kind, key: key.into(), value: Some(value.into()), expires: None })
    };

    store.writer().push(kept("101", "whole"));
    store.writer().push(kept("102", "a\0b"));
    for told in TestCall::new(ONE, 1).whole("101", "0900000001") {
        store.writer().push(told);
    }
    store.writer().flush().await;

    assert_eq!(store.writer().figures().refused, 1);
    assert_eq!(store.feed().head(ONE), 9);
    let found = store.kept().await.unwrap();
    assert_eq!(found.iter().map(|kept| kept.key.as_str()).collect::<Vec<_>>(), ["101"]);
    let refused: Vec<(String,)> =
        Outsider::connect(&database).await.fetch_all("SELECT body FROM refused_batches").await;
    assert!(refused[0].0.contains("a\\u0000b"), "{refused:?}");
}

async fn heads(outsider: &mut Outsider) -> Vec<(i64, i64)> {
    outsider.fetch_all("SELECT tenant, position FROM heads ORDER BY tenant").await
}

/// Every third call is the second tenant's.
async fn check_story(store: &Store, calls: u32) {
    let of_two = calls.div_ceil(3);
    check_story_of(store, ONE, calls - of_two).await;
    check_story_of(store, TWO, of_two).await;
}

/// Nothing is lost, doubled or out of order, in memory and in the database.
async fn check_story_of(store: &Store, tenant: model::TenantId, calls: u32) {
    let all = i64::from(calls) * 9;
    assert_eq!(store.feed().head(tenant), all);
    let mut position = 0;
    let mut last_callid = None;
    while position < all {
        let told = store.feed().after(tenant, position, 4_000).await.unwrap();
        let stored = store.tenant(tenant).events().after(position, told.len()).await.unwrap();
        assert_eq!(told.len(), stored.len());
        for (told, stored) in told.iter().zip(&stored) {
            position += 1;
            assert_eq!((told.position, stored.position), (position, position));
            assert_eq!(told.event, stored.event);
            let nth = u32::try_from((position - 1) % 9 + 1).unwrap();
            assert_eq!(told.event.seq, nth);
            if nth > 1 {
                assert_eq!(told.event.callid, last_callid);
            }
            last_callid = told.event.callid;
        }
    }
    assert_eq!(store.tenant(tenant).records().count(&RecordFilter::default()).await.unwrap(), u64::from(calls));
    assert_eq!(store.writer().figures().refused, 0);
}
