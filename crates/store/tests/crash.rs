//! A server that dies loses what was not committed, never half a batch, and nothing that anybody heard of.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use common::{Database, ONE, TWO, TWO_TENANTS, TestCall, apply, for_both, open};
use model::{Record, TenantId};
use store::{Durability, RecordFilter, RecordState, Store, StoreOptions};

/// Where the child finds its folder, and the address of its database unless that lies in the folder.
const FOLDER: &str = "TONGDAI_TEST_CRASH_FOLDER";
const DATABASE: &str = "TONGDAI_TEST_CRASH_DATABASE";
/// Events of each of a test call's three batches.
const BATCH: usize = 3;

for_both! {
    after_a_kill_each_call_is_stored_up_to_the_end_of_a_batch_and_nothing_confirmed_is_lost,
}

async fn after_a_kill_each_call_is_stored_up_to_the_end_of_a_batch_and_nothing_confirmed_is_lost(database: Database) {
    for confirmed in [1, 400] {
        let database = database.another();

        let confirmed = kill_after(&database, confirmed);

        let store = open(&database).await;
        let (heads, ended) = check_whole(&store).await;
        assert!(ended >= confirmed, "{ended} calls ended, {confirmed} were confirmed");
        assert!(heads > 0);
        goes_on(&store).await;
    }
}

#[test]
fn after_a_runtime_is_dropped_in_the_middle_of_sqlite_each_call_is_stored_up_to_the_end_of_a_batch() {
    drop_a_runtime(&Database::sqlite());
}

#[test]
fn after_a_runtime_is_dropped_in_the_middle_of_postgres_each_call_is_stored_up_to_the_end_of_a_batch() {
    drop_a_runtime(&Database::postgres());
}

fn drop_a_runtime(database: &Database) {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let first = runtime();

    first.block_on(async {
        let store = open(database).await;
        apply(&store, TWO_TENANTS).await;
        for told in (0..3_000).flat_map(|count| TestCall::new(ONE, count).whole("101", "0900000001")) {
            store.writer().push(told);
        }
        store.feed().changed(ONE, 0).await;
    });
    first.shutdown_background();

    runtime().block_on(async {
        let store = open(database).await;
        let (heads, _) = check_whole(&store).await;
        assert!(heads > 0);
        goes_on(&store).await;
    });
}

/// Not a test by itself: the process that the first test kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child_tells_of_calls_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let options = StoreOptions {
        data_dir: folder.into(),
        database: std::env::var(DATABASE).ok(),
        realm: "tongdai".into(),
        durability: Durability::Process,
    };
    let store = Store::open(options).await.unwrap();
    apply(&store, TWO_TENANTS).await;
    for count in 0_u32.. {
        let tenant = if count % 3 == 0 { TWO } else { ONE };
        for told in TestCall::new(tenant, count).whole("101", "0900000001") {
            store.writer().push(told);
        }
        // Unconfirmed calls are always on their way when the kill comes.
        if count % 50 == 0 {
            let writer = store.writer();
            writer.flush().await;
            writeln!(std::io::stdout(), "stored {}", count + 1).unwrap();
        } else if count % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn kill_after(database: &Database, calls: u64) -> u64 {
    // It dies with this test, however that ends.
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "the_child_tells_of_calls_until_it_is_killed", "--nocapture"])
        .env(FOLDER, database.folder())
        .envs(database.url().map(|url| (DATABASE, url)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let confirmed = lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("stored ")?.parse::<u64>().ok())
        .find(|confirmed| *confirmed >= calls)
        .expect("the child tells how far it is");
    child.kill().unwrap();
    child.wait().unwrap();
    confirmed
}

/// Events of both tenants, and how many calls ended.
async fn check_whole(store: &Store) -> (i64, u64) {
    let mut all = (0, 0);
    for tenant in [ONE, TWO] {
        let (head, ended) = check_tenant(store, tenant).await;
        all = (all.0 + head, all.1 + ended);
    }
    all
}

async fn check_tenant(store: &Store, tenant: TenantId) -> (i64, u64) {
    let reader = store.tenant(tenant);
    let head = reader.events().head().await.unwrap();
    let mut position = 0;
    loop {
        let events = store.feed().after(tenant, position, 1_000).await.unwrap();
        if events.is_empty() {
            break;
        }
        for event in events {
            assert_eq!(event.position, position + 1);
            position = event.position;
        }
    }
    assert_eq!(position, head);

    let every = RecordFilter { state: RecordState::Any, ..RecordFilter::default() };
    let mut cursor = None;
    let mut events_of_calls = 0;
    loop {
        let page = reader.records().list(&every, cursor, 200).await.unwrap();
        for row in &page.rows {
            let events = reader.events().of_call(row.record.callid).await.unwrap();
            assert_eq!(events.len() % BATCH, 0, "half a batch of {}", row.record.callid);
            assert_eq!(Record::of(events.iter().map(|event| &event.event)).as_ref(), Some(&row.record));
            events_of_calls += events.len();
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(events_of_calls, usize::try_from(head).unwrap(), "no event is without its record");
    (head, reader.records().count(&RecordFilter::default()).await.unwrap())
}

async fn goes_on(store: &Store) {
    let head = store.feed().head(ONE);
    for told in TestCall::new(ONE, 900_000).whole("101", "0900000001") {
        store.writer().push(told);
    }
    store.writer().flush().await;
    assert_eq!(store.feed().head(ONE), head + 9);
}
