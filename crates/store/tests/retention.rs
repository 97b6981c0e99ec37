//! What is older than its tenant keeps it goes, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use std::io;
use std::sync::Mutex;

use common::history::{Dice, filters, found, told};
use common::{Database, ONE, Outsider, TWO, TestCall, apply, for_both, open, second};
use model::{Batch, Told};
use store::{RecordFilter, RecordState, Store, Swept};

const DAY: i64 = 86_400;

for_both! {
    sound_records_and_events_go_when_they_are_old_and_the_tallies_with_them,
    a_record_says_that_its_sound_has_expired,
    sound_that_cannot_be_deleted_keeps_its_record,
    a_live_call_loses_nothing_and_a_tenant_that_says_nothing_keeps_everything,
    events_wait_for_a_hook_that_has_not_read_them,
}

async fn sound_records_and_events_go_when_they_are_old_and_the_tallies_with_them(database: Database) {
    let store = keeping(&database, "{ records_days: 3, recordings_days: 2, events_days: 1 }").await;
    let mut dice = Dice::new(9);
    let begin = second(0).as_millisecond();
    for count in 0..150 {
        let start = begin + dice.below(6 * 24 * 60) as i64 * 60_000;
        let mut batches = told(ONE, &mut dice, count, start);
        // Every call is over.
        if batches.last().is_some_and(|batch| batch.record.as_ref().is_some_and(|record| record.ended_at.is_some())) {
            batches.drain(..).for_each(|batch| store.writer().push(Told::Batch(batch)));
        }
    }
    store.writer().flush().await;
    let before = every(&store).await;
    let now = second(6 * DAY);
    let cutoff = |days: i64| second((6 - days) * DAY);
    let removed = Mutex::new(Vec::new());

    let swept = store
        .sweep(now, |file| {
            removed.lock().unwrap().push(file.to_owned());
            Ok(())
        })
        .await
        .unwrap();

    let after = every(&store).await;
    let old = |days| before.iter().filter(move |row| row.record.ended_at.unwrap() < cutoff(days));
    assert!(old(3).count() > 20 && after.len() > 20);
    assert_eq!(after.len(), before.len() - old(3).count());
    assert!(after.iter().all(|row| row.record.ended_at.unwrap() >= cutoff(3)));
    let files: usize = old(2).map(|row| row.record.recordings.len()).sum();
    assert_eq!((removed.lock().unwrap().len(), swept.recordings), (files, files as u64));
    assert_eq!(swept.records, old(3).count() as u64);
    assert!(swept.events > 0);
    for (name, filter) in filters(&after[0].record) {
        let counted = store.tenant(ONE).records().count(&filter).await.unwrap();
        assert_eq!(counted, found(&after, &filter).len() as u64, "{name}");
    }
    let mut outsider = Outsider::connect(&database).await;
    let empty: Vec<(i64,)> = outsider.fetch_all("SELECT COUNT(*) FROM tallies WHERE calls <= 0").await;
    assert_eq!(empty, [(0,)]);
    assert_eq!(store.sweep(now, |_| Ok(())).await.unwrap(), Swept::default());
}

async fn a_record_says_that_its_sound_has_expired(database: Database) {
    let store = keeping(&database, "{ recordings_days: 1 }").await;
    let mut call = TestCall::new(ONE, 0);
    tell(&store, [call.started("101", "0900000001"), call.recording_started(), call.ended(), call.recording_closed()])
        .await;

    // The file is gone already: that is as good.
    let swept = store.sweep(second(2 * DAY), |_| Err(io::ErrorKind::NotFound.into())).await.unwrap();

    assert_eq!(swept, Swept { recordings: 1, records: 0, events: 0 });
    let row = store.tenant(ONE).records().get(call.id).await.unwrap().unwrap();
    assert!(row.record.recordings[0].expired);
    assert_eq!(row.record.recording(), None);
    let recording = store.tenant(ONE).recordings().get(call.id.first_recording()).await.unwrap().unwrap();
    assert!(recording.expired);
    let recorded = RecordFilter { recorded: Some(true), ..RecordFilter::default() };
    assert_eq!(store.tenant(ONE).records().count(&recorded).await.unwrap(), 1);
}

async fn sound_that_cannot_be_deleted_keeps_its_record(database: Database) {
    let store = keeping(&database, "{ records_days: 1 }").await;
    let mut call = TestCall::new(ONE, 0);
    tell(&store, [call.started("101", "0900000001"), call.recording_started(), call.ended(), call.recording_closed()])
        .await;

    let refused = store.sweep(second(2 * DAY), |_| Err(io::ErrorKind::PermissionDenied.into())).await.unwrap();
    let kept = store.tenant(ONE).records().get(call.id).await.unwrap();
    let swept = store.sweep(second(2 * DAY), |_| Ok(())).await.unwrap();

    assert_eq!(refused, Swept::default());
    assert!(kept.is_some_and(|row| row.record.recording().is_some()));
    assert_eq!(swept, Swept { recordings: 1, records: 1, events: 0 });
    assert_eq!(store.tenant(ONE).records().get(call.id).await.unwrap(), None);
    assert_eq!(store.tenant(ONE).recordings().get(call.id.first_recording()).await.unwrap(), None);
}

async fn a_live_call_loses_nothing_and_a_tenant_that_says_nothing_keeps_everything(database: Database) {
    let store = keeping(&database, "{ records_days: 1, recordings_days: 1, events_days: 1 }").await;
    let mut live = TestCall::new(ONE, 0);
    let mut other = TestCall::new(TWO, 1);
    tell(&store, [live.started("101", "0900000001"), live.recording_started()]).await;
    tell(
        &store,
        [other.started("101", "0900000001"), other.recording_started(), other.ended(), other.recording_closed()],
    )
    .await;

    let swept = store.sweep(second(400 * DAY), |_| Ok(())).await.unwrap();

    assert_eq!(swept, Swept::default());
    assert_eq!(store.tenant(ONE).events().of_call(live.id).await.unwrap().len(), 4);
    assert!(store.tenant(TWO).records().get(other.id).await.unwrap().is_some());
}

async fn events_wait_for_a_hook_that_has_not_read_them(database: Database) {
    let hook = "{ events_days: 1 }\n    webhook_private_addresses: true\n    webhooks: [{ kind: events, url: \"http://127.0.0.1:9/\" }]";
    let store = keeping(&database, hook).await;
    let mut call = TestCall::new(ONE, 0);
    tell(&store, [call.started("101", "0900000001"), call.ended()]).await;

    let unread = store.sweep(second(2 * DAY), |_| Ok(())).await.unwrap();
    let mut outsider = Outsider::connect(&database).await;
    outsider.execute("UPDATE hook_states SET position = 6").await;
    let read = store.sweep(second(2 * DAY), |_| Ok(())).await.unwrap();

    assert_eq!(unread, Swept::default());
    assert_eq!(read, Swept { recordings: 0, records: 0, events: 6 });
}

/// Two tenants, the first of which keeps what is written here.
async fn keeping(database: &Database, keep: &str) -> Store {
    let store = open(database).await;
    let file = format!("tenants:\n  - name: VPBX_ONE\n    keep: {keep}\n  - name: VPBX_TWO\n");
    apply(&store, &file).await;
    store
}

async fn every(store: &Store) -> Vec<store::RecordRow> {
    let filter = RecordFilter { state: RecordState::Any, ..RecordFilter::default() };
    store.tenant(ONE).records().list(&filter, None, 1_000).await.unwrap().rows
}

async fn tell(store: &Store, batches: impl IntoIterator<Item = Batch>) {
    for batch in batches {
        store.writer().push(Told::Batch(batch));
    }
    store.writer().flush().await;
}
