//! Reading goes through a tenant, and memory and database tell the same.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use common::{Database, ONE, TWO, TestCall, for_both, open, second, two_tenants};
use model::{Batch, Direction, Party, Record, Status, StoredEvent, TenantId, Text, Told};
use sqlx::{AssertSqlSafe, Connection};
use store::{RecordCursor, RecordFilter, RecordOrder, RecordState, Store};

for_both! {
    what_belongs_to_another_tenant_does_not_exist,
    pages_go_back_and_forth_newest_end_first,
    a_cursor_survives_its_way_through_a_client_and_a_forged_one_is_refused,
    each_filter_finds_what_it_says,
    the_newest_live_call_is_found_by_its_two_sides,
    an_extension_whose_leg_is_over_is_no_part_of_the_call,
    memory_and_database_tell_the_same_story,
    a_reader_that_was_away_catches_up_over_the_edge_of_memory,
    a_waiting_reader_is_woken_by_its_own_tenant_only,
    what_was_open_at_the_stop_is_given_back_at_the_start,
}

async fn what_belongs_to_another_tenant_does_not_exist(database: Database) {
    let store = two_tenants(&database).await;
    let mut call = TestCall::new(ONE, 0);

    tell(&store, [call.started("101", "0900000001"), call.answered(), call.recording_started()]).await;

    let (one, two) = (store.tenant(ONE), store.tenant(TWO));
    assert!(one.records().get(call.id).await.unwrap().is_some());
    assert!(two.records().get(call.id).await.unwrap().is_none());
    assert!(two.calls().get(call.id).await.unwrap().is_none());
    assert_eq!((one.calls().live().await.unwrap().len(), two.calls().live().await.unwrap().len()), (1, 0));
    assert!(two.calls().newest_live("101", "0900000001").await.unwrap().is_none());
    assert!(two.events().after(0, 10).await.unwrap().is_empty());
    assert!(two.events().of_call(call.id).await.unwrap().is_empty());
    assert!(one.recordings().get(call.id.first_recording()).await.unwrap().is_some());
    assert!(two.recordings().get(call.id.first_recording()).await.unwrap().is_none());
    assert!(two.recordings().of_call(call.id).await.unwrap().is_empty());
    assert_eq!(two.records().count(&any()).await.unwrap(), 0);
}

async fn pages_go_back_and_forth_newest_end_first(database: Database) {
    let store = two_tenants(&database).await;
    for count in 0..7 {
        let mut call = TestCall::new(ONE, count);
        let started = call.started("101", "0900000001");
        // The later a call began, the earlier it ended; the last two end in the same millisecond.
        let mut call = call.at(second(100 - i64::from(count.min(5))));
        tell(&store, [started, call.ended()]).await;
    }
    let records = store.tenant(ONE);
    let filter = RecordFilter::default();
    let page = async |cursor| records.records().list(&filter, cursor, 3).await.unwrap();
    let rows = |page: &store::RecordPage| page.rows.iter().map(|row| row.row).collect::<Vec<_>>();

    let first = page(None).await;
    let middle = page(first.next).await;
    let last = page(middle.next).await;
    let back = page(last.prev).await;
    let start = page(back.prev).await;

    assert_eq!((rows(&first), rows(&middle), rows(&last)), (vec![1, 2, 3], vec![4, 5, 7], vec![6]));
    assert_eq!((rows(&back), rows(&start)), (rows(&middle), rows(&first)));
    assert_eq!((first.prev, last.next, start.prev), (None, None, None));
    assert!(start.next.is_some());
    assert_eq!(records.records().count(&filter).await.unwrap(), 7);
}

async fn a_cursor_survives_its_way_through_a_client_and_a_forged_one_is_refused(database: Database) {
    let store = two_tenants(&database).await;
    for count in 0..3 {
        let mut call = TestCall::new(ONE, count);
        tell(&store, [call.started("101", "0900000001"), call.ended()]).await;
    }

    let page = store.tenant(ONE).records().list(&RecordFilter::default(), None, 1).await.unwrap();
    let cursor = page.next.unwrap();

    assert_eq!(cursor.to_string().parse::<RecordCursor>(), Ok(cursor));
    for text in ["", "next", "bzE", "%%%", "\u{1f600}", "bjEuMi4z", "YQ", &"A".repeat(9_999)] {
        assert!(text.parse::<RecordCursor>().is_err(), "{text}");
    }
}

async fn each_filter_finds_what_it_says(database: Database) {
    let store = two_tenants(&database).await;
    let outside =
        |number: &str| Party::Outside { number: Text::from(number), shown: None, trunk: Some("carrier".into()) };
    let inside = |number: &str| Party::Extension { number: number.into() };
    let mut out = TestCall::new(ONE, 10);
    let mut missed = TestCall::new(ONE, 20);
    let mut local = TestCall::new(ONE, 30);
    let mut live = TestCall::new(ONE, 40);
    tell(&store, [out.started("101", "0900000001"), out.answered(), out.ended()]).await;
    tell(&store, [missed.started_between(Direction::Inbound, outside("84900000002"), inside("102")), missed.ended()])
        .await;
    tell(&store, [local.started_between(Direction::Local, inside("101"), inside("102")), local.ended()]).await;
    tell(&store, [live.started("101", "0900000001")]).await;
    let found = async |filter: RecordFilter| {
        let page = store.tenant(ONE).records().list(&filter, None, 100).await.unwrap();
        assert_eq!(store.tenant(ONE).records().count(&filter).await.unwrap(), page.rows.len() as u64);
        page.rows.iter().map(|row| row.row).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    let ended = RecordFilter::default;

    assert_eq!(found(ended()).await, [3, 2, 1]);
    assert_eq!(found(any()).await, [4, 3, 2, 1]);
    assert_eq!(found(RecordFilter { state: RecordState::Live, ..ended() }).await, [4]);
    assert_eq!(found(RecordFilter { order: RecordOrder::Started, ..ended() }).await, [3, 2, 1]);
    assert_eq!(found(RecordFilter { callid: Some(missed.id), ..ended() }).await, [2]);
    assert_eq!(found(RecordFilter { extension: text("102"), ..ended() }).await, [3, 2]);
    assert_eq!(found(RecordFilter { direction: Some(Direction::Local), ..ended() }).await, [3]);
    assert_eq!(found(RecordFilter { status: Some(Status::Missed), ..ended() }).await, [2]);
    assert_eq!(found(RecordFilter { status: Some(Status::Answered), ..ended() }).await, [1]);
    assert_eq!(found(RecordFilter { ended_since: Some(second(20)), ..ended() }).await, [3, 2]);
    assert_eq!(found(RecordFilter { ended_before: Some(second(20)), ..ended() }).await, [1]);
    assert_eq!(found(RecordFilter { started_since: Some(second(30)), ..any() }).await, [4, 3]);
    assert_eq!(found(RecordFilter { started_before: Some(second(30)), ..any() }).await, [2, 1]);
    assert_eq!(found(RecordFilter { source: text("0900000002"), ..ended() }).await, [2]);
    assert_eq!(found(RecordFilter { destination: text("+84900000001"), ..ended() }).await, [1]);
    assert_eq!(found(RecordFilter { did: text("02873088088"), ..ended() }).await, [3, 2, 1]);
    for phone in ["0900000001", "84900000001", "+84900000001", "0084900000001", " 090 000 0001 "] {
        assert_eq!(found(RecordFilter { customer: text(phone), ..any() }).await, [4, 1], "{phone}");
        assert_eq!(found(RecordFilter { search: text(phone), ..any() }).await, [4, 1], "{phone}");
    }
    assert_eq!(found(RecordFilter { search: text("102"), ..ended() }).await, [3, 2]);
    assert_eq!(found(RecordFilter { search: text("0287 308 8088"), ..any() }).await, [4, 3, 2, 1]);
    assert_eq!(found(RecordFilter { search: text("x' OR '1'='1"), ..ended() }).await, [0_i64; 0]);
}

async fn the_newest_live_call_is_found_by_its_two_sides(database: Database) {
    let store = two_tenants(&database).await;
    let inside = |number: &str| Party::Extension { number: number.into() };
    let mut older = TestCall::new(ONE, 1);
    let mut newer = TestCall::new(ONE, 2);
    let mut over = TestCall::new(ONE, 3);
    let mut others = TestCall::new(ONE, 4);
    let mut local = TestCall::new(ONE, 5);
    tell(&store, [older.started("101", "0900000001"), newer.started("101", "0900000001")]).await;
    tell(&store, [over.started("101", "0900000001"), over.ended()]).await;
    tell(&store, [others.started("102", "0900000001")]).await;
    tell(&store, [local.started_between(Direction::Local, inside("103"), inside("104"))]).await;
    let newest = async |extension: &str, phone: &str| {
        store.tenant(ONE).calls().newest_live(extension, phone).await.unwrap().map(|row| row.record.callid)
    };

    assert_eq!(newest("101", "+84900000001").await, Some(newer.id));
    assert_eq!(newest("102", "84900000001").await, Some(others.id));
    assert_eq!(newest("103", "0900000001").await, None);
    assert_eq!(newest("101", "0900000009").await, None);
    assert_eq!(newest("103", "104").await, Some(local.id));
    assert_eq!(newest("104", "103").await, Some(local.id));
}

async fn an_extension_whose_leg_is_over_is_no_part_of_the_call(database: Database) {
    let store = two_tenants(&database).await;
    let mut call = TestCall::new(ONE, 1);
    let started = call.started("101", "0900000001");
    let leg_ended = {
        let ended = call.ended();
        Batch { events: ended.events[..1].to_vec(), ..ended }
    };
    let mut record = Record::of(&started.events).unwrap();
    record.apply(&leg_ended.events[0]);
    record.extension = Some("102".into());
    tell(&store, [started, Batch { record: Some(Box::new(record)), ..leg_ended }]).await;

    assert_eq!(store.tenant(ONE).calls().newest_live("101", "0900000001").await.unwrap(), None);
    assert!(store.tenant(ONE).calls().newest_live("102", "0900000001").await.unwrap().is_some());
}

async fn memory_and_database_tell_the_same_story(database: Database) {
    let store = two_tenants(&database).await;
    for count in 0..20 {
        let mut call = TestCall::new(ONE, count);
        let story = [
            call.started("101", "0900000001"),
            call.recording_started(),
            call.answered(),
            call.ended(),
            call.recording_closed(),
        ];
        for batch in story {
            store.writer().push(Told::Batch(batch));
        }
    }
    store.writer().flush().await;
    let from_memory = store.feed().after(ONE, 17, 50).await.unwrap();
    store.close().await;

    let store = open(&database).await;
    let from_database = store.feed().after(ONE, 17, 50).await.unwrap();

    assert_eq!(from_memory.len(), 50);
    assert_same(from_memory.iter().map(AsRef::as_ref), from_database.iter().map(AsRef::as_ref));
    let of_call = store.tenant(ONE).events().of_call(from_memory[20].event.callid.unwrap()).await.unwrap();
    assert_eq!(of_call.len(), 11);
    let same_call = from_memory.iter().filter(|event| event.event.callid == of_call[0].event.callid);
    assert_same(
        same_call.map(AsRef::as_ref),
        of_call.iter().filter(|event| from_memory.iter().any(|other| other.position == event.position)),
    );
}

async fn a_reader_that_was_away_catches_up_over_the_edge_of_memory(database: Database) {
    let store = two_tenants(&database).await;
    let calls = 600;
    for count in 0..calls {
        for told in TestCall::new(ONE, count).whole("101", "0900000001") {
            store.writer().push(told);
        }
    }
    store.writer().flush().await;

    let mut position = 0;
    let mut read = Vec::new();
    loop {
        let events = store.feed().after(ONE, position, 1_000).await.unwrap();
        let Some(last) = events.last() else { break };
        position = last.position;
        read.extend(events.iter().map(|event| event.position));
    }

    assert_eq!(read, (1..=i64::from(calls) * 9).collect::<Vec<_>>());
    assert_eq!(store.feed().after(ONE, position - 5_000, 10).await.unwrap()[0].position, position - 4_999);
}

async fn a_waiting_reader_is_woken_by_its_own_tenant_only(database: Database) {
    let store = two_tenants(&database).await;
    let feed = store.feed();
    let mut published = feed.published();
    let waiting = tokio::spawn({
        let feed = feed.clone();
        async move { feed.changed(ONE, 0).await }
    });

    tell(&store, [TestCall::new(TWO, 0).started("101", "0900000001")]).await;
    published.changed().await.unwrap();
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    tell(&store, [TestCall::new(ONE, 0).started("101", "0900000001")]).await;

    waiting.await.unwrap();
    assert_eq!((feed.head(ONE), feed.head(TWO), feed.head(TenantId(9))), (3, 3, 0));
    feed.changed(ONE, 2).await;
}

async fn what_was_open_at_the_stop_is_given_back_at_the_start(database: Database) {
    let store = two_tenants(&database).await;
    let mut open_call = TestCall::new(TWO, 1);
    let mut ended = TestCall::new(ONE, 2);
    tell(&store, [open_call.started("101", "0900000001"), open_call.recording_started(), open_call.answered()]).await;
    tell(
        &store,
        [ended.started("101", "0900000001"), ended.recording_started(), ended.ended(), ended.recording_closed()],
    )
    .await;
    store.close().await;

    let store = open(&database).await;
    let calls = store.open_calls().await.unwrap();
    let recordings = store.open_recordings().await.unwrap();

    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].tenant, Some(&calls[0].record)), (TWO, open_call.record.as_ref()));
    assert_eq!(Record::of(&calls[0].events).as_ref(), open_call.record.as_ref());
    assert_eq!(recordings.len(), 1);
    assert_eq!((recordings[0].tenant, recordings[0].callid), (TWO, open_call.id));
    assert_eq!(recordings[0].file, format!("{}.wav", open_call.id));
    let closed = store.tenant(ONE).recordings().get(ended.id.first_recording()).await.unwrap().unwrap();
    assert_eq!((closed.milliseconds, closed.bytes, closed.failed), (Some(5_000), 160_044, false));
}

#[tokio::test]
async fn a_call_is_looked_up_and_no_history_is_walked_through() {
    let database = Database::sqlite();
    let _store = two_tenants(&database).await;
    let mut reader = sqlx::SqliteConnection::connect(&format!("sqlite:{}", database.file().display())).await.unwrap();

    for (query, expected) in [
        (
            "SELECT id, record FROM records WHERE tenant = 1 AND ended_ms IS NULL ORDER BY started_ms DESC",
            "records_live",
        ),
        ("SELECT tenant, record FROM records WHERE ended_ms IS NULL ORDER BY id", "records_live"),
        ("SELECT body FROM events WHERE tenant = 1 AND callid = 'a' ORDER BY position", "events_by_call"),
        (
            "DELETE FROM kept WHERE (tenant = 1 AND kind = 'a' AND key = 'b') OR (tenant = 1 AND kind = 'a' AND key = 'c')",
            "PRIMARY KEY (tenant=? AND kind=? AND key=?)",
        ),
    ] {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"))).fetch_all(&mut reader).await.unwrap();
        assert!(plan.iter().any(|(.., step)| step.contains(expected)), "{query}: {plan:?}");
    }
}

fn any() -> RecordFilter {
    RecordFilter { state: RecordState::Any, ..RecordFilter::default() }
}

async fn tell(store: &Store, batches: impl IntoIterator<Item = Batch>) {
    for batch in batches {
        store.writer().push(Told::Batch(batch));
    }
    store.writer().flush().await;
}

fn assert_same<'a>(left: impl Iterator<Item = &'a StoredEvent>, right: impl Iterator<Item = &'a StoredEvent>) {
    let (left, right): (Vec<_>, Vec<_>) = (left.collect(), right.collect());
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        assert_eq!((left.position, &left.event, &left.record), (right.position, &right.event, &right.record));
    }
}
