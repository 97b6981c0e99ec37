//! Every filter of records, alone and in pairs, finds and counts what looking at each record finds.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use common::history::{Dice, both, filters, found, told};
use common::{Database, ONE, Outsider, TWO, for_both, open, two_tenants};
use model::{Direction, Record, Status, TenantId, Timestamp, Told};
use store::{RecordCount, RecordFilter, RecordOrder, RecordRow, RecordState, Store};

/// The first moment of the history: a midnight, so that days of the tallies are cut in the middle by some filters.
const START: i64 = 1_767_225_600_000;
const DAY: i64 = 86_400_000;

for_both! {
    each_filter_alone_and_in_pairs_finds_and_counts_what_looking_at_every_record_does,
    pages_go_back_the_way_they_came,
    tallies_are_what_counting_says_after_any_history,
    a_search_for_next_to_nothing_looks_at_a_bounded_number_of_records_and_goes_on_from_there,
    a_stream_gives_every_record_once,
    what_one_index_has_far_behind_is_not_left_out_because_another_had_enough,
    two_busy_numbers_are_found_and_counted_as_looking_at_every_record_does,
    tallies_of_two_numbers_are_made_for_calls_of_a_database_that_had_none,
}

async fn each_filter_alone_and_in_pairs_finds_and_counts_what_looking_at_every_record_does(database: Database) {
    let store = two_tenants(&database).await;
    let all = history(&store, 1, 260).await;
    let alone = filters(&all[7].record);
    let mut asked: Vec<(String, RecordFilter)> =
        alone.iter().map(|(name, filter)| ((*name).to_owned(), filter.clone())).collect();
    for (nth, (one, first)) in alone.iter().enumerate() {
        for (other, second) in &alone[nth + 1..] {
            if let Some(filter) = both(first, second) {
                asked.push((format!("{one} and {other}"), filter));
            }
        }
    }

    for (name, filter) in &asked {
        let expected = found(&all, filter);
        assert_eq!(walk(&store, filter).await, expected, "{name}: {filter:?}");
        let counted = store.tenant(ONE).records().counted(filter).await.unwrap();
        assert_eq!(counted, RecordCount { records: expected.len() as u64, exact: true }, "{name}: {filter:?}");
    }
    assert!(asked.len() > 500, "{}", asked.len());
}

async fn pages_go_back_the_way_they_came(database: Database) {
    let store = two_tenants(&database).await;
    let all = history(&store, 2, 120).await;
    let one = |text: &str| Some(text.to_owned());
    let none = RecordFilter::default;

    for filter in [
        none(),
        RecordFilter { order: RecordOrder::Started, ..none() },
        RecordFilter { state: RecordState::Any, ..none() },
        RecordFilter { search: one("101"), order: RecordOrder::Started, ..none() },
        RecordFilter { extension: one("102"), trunk: one("carrier"), order: RecordOrder::Started, ..none() },
        RecordFilter {
            started_since: Some(moment(START + DAY)),
            started_before: Some(moment(START + 3 * DAY)),
            ..none()
        },
    ] {
        let expected = found(&all, &filter);
        let (tenant, size) = (store.tenant(ONE), 7);
        let mut page = tenant.records().list(&filter, None, size).await.unwrap();
        assert_eq!(page.prev, None);
        while let Some(next) = page.next {
            page = tenant.records().list(&filter, Some(next), size).await.unwrap();
        }
        let mut back: Vec<i64> = page.rows.iter().rev().map(|row| row.row).collect();
        while let Some(prev) = page.prev {
            page = tenant.records().list(&filter, Some(prev), size).await.unwrap();
            back.extend(page.rows.iter().rev().map(|row| row.row));
        }
        back.reverse();
        assert_eq!(back, expected, "{filter:?}");
    }
}

async fn tallies_are_what_counting_says_after_any_history(database: Database) {
    for seed in 0..4 {
        let database = database.another();
        let store = two_tenants(&database).await;
        let mut dice = Dice::new(seed);
        let mut batches = Vec::new();
        for count in 0..80 {
            let tenant = if dice.below(3) == 0 { TWO } else { ONE };
            let start = START + dice.below(6 * DAY as u64) as i64;
            batches.push(told(tenant, &mut dice, count, start));
        }
        // Calls run at once, some steps are stored together, and some of the calls come from elsewhere.
        while batches.iter().any(|call| !call.is_empty()) {
            let nth = dice.below(batches.len() as u64) as usize;
            let call = &mut batches[nth];
            if call.len() > 2 && dice.below(10) == 0 && call.last().is_some_and(is_over) {
                let last = call.drain(..).next_back().unwrap();
                store.import(last.tenant, &[*last.record.unwrap()]).await.unwrap();
                continue;
            }
            if !call.is_empty() {
                store.writer().push(Told::Batch(call.remove(0)));
            }
            if dice.below(5) == 0 {
                store.writer().flush().await;
            }
        }
        store.writer().flush().await;

        for tenant in [ONE, TWO] {
            let all = every(&store, tenant).await;
            for (name, filter) in filters(&all[0].record) {
                let expected = found(&all, &filter).len() as u64;
                let counted = store.tenant(tenant).records().count(&filter).await.unwrap();
                assert_eq!(counted, expected, "seed {seed}, {name}");
            }
        }
    }
}

async fn a_search_for_next_to_nothing_looks_at_a_bounded_number_of_records_and_goes_on_from_there(database: Database) {
    let store = two_tenants(&database).await;
    let mut dice = Dice::new(5);
    let some: Vec<Record> = (0..200)
        .filter_map(|count| told(ONE, &mut dice, count, START + i64::from(count) * 1_000).pop())
        .filter(is_over)
        .map(|batch| *batch.record.unwrap())
        .collect();
    let mut records = Vec::new();
    for count in 0..9_000_u32 {
        let mut record = some[count as usize % some.len()].clone();
        let start = START + i64::from(count) * 5_000;
        record.callid = model::CallId::new(start / 1_000, model::EngineNumber(2), count);
        record.started_at = moment(start);
        record.ended_at = Some(moment(start + 4_000));
        record.extension = Some("101".into());
        for leg in &mut record.legs {
            if let model::Party::Outside { trunk, .. } = &mut leg.party {
                *trunk = Some(if count == 3 { "rare" } else { "carrier" }.to_owned());
            }
        }
        records.push(record);
    }
    let rare = records.iter().position(|record| trunks(record).any(|trunk| trunk == "rare"));
    assert_eq!(store.import(ONE, &records).await.unwrap(), 9_000);
    assert_eq!(store.import(ONE, &records[..10]).await.unwrap(), 0, "a call is taken in once");

    for filter in [
        RecordFilter { trunk: Some("rare".into()), order: RecordOrder::Started, ..RecordFilter::default() },
        RecordFilter { trunk: Some("rare".into()), ..RecordFilter::default() },
        RecordFilter {
            trunk: Some("rare".into()),
            extension: Some("101".into()),
            order: RecordOrder::Started,
            ..RecordFilter::default()
        },
    ] {
        let (mut rows, mut pages, mut cursor) = (Vec::new(), 0, None);
        loop {
            let page = store.tenant(ONE).records().list(&filter, cursor, 25).await.unwrap();
            pages += 1;
            rows.extend(page.rows);
            let Some(next) = page.next else { break };
            cursor = Some(next);
        }

        assert_eq!(rows.len(), usize::from(rare.is_some()), "{filter:?}");
        assert!((2..=9).contains(&pages), "{pages} pages: {filter:?}");
    }
}

async fn a_stream_gives_every_record_once(database: Database) {
    let store = two_tenants(&database).await;
    let all = history(&store, 3, 700).await;
    let filter = RecordFilter { order: RecordOrder::Started, ..RecordFilter::default() };

    let mut stream = store.tenant(ONE).records().stream(filter.clone());
    let mut rows = Vec::new();
    while let Some(piece) = stream.next().await.unwrap() {
        assert!(!piece.is_empty());
        rows.extend(piece.into_iter().map(|row| row.row));
    }

    assert_eq!(rows, found(&all, &filter));
}

async fn what_one_index_has_far_behind_is_not_left_out_because_another_had_enough(database: Database) {
    let store = two_tenants(&database).await;
    let mut dice = Dice::new(5);
    let some = (0..200).find_map(|count| {
        let batch = told(ONE, &mut dice, count, START).pop()?;
        is_over(&batch).then(|| *batch.record.unwrap())
    });
    // The oldest hundred are answered and long; then five long ones that were missed, then thousands that were short.
    let calls = (0..4_000_u32).map(|count| {
        let mut record = some.clone().unwrap();
        let start = START + i64::from(count) * 60_000;
        record.callid = model::CallId::new(start / 1_000, model::EngineNumber(2), count);
        record.direction = Direction::Inbound;
        record.status = if count < 100 { Status::Answered } else { Status::Missed };
        record.started_at = moment(start);
        record.ended_at = Some(moment(start + if count < 105 { 50_000 } else { 1_000 }));
        record
    });
    store.import(ONE, &calls.collect::<Vec<_>>()).await.unwrap();
    let all = every(&store, ONE).await;
    for order in [RecordOrder::Started, RecordOrder::Ended] {
        let filter = RecordFilter { duration_at_least: Some(40), order, ..RecordFilter::default() };

        assert_eq!(walk(&store, &filter).await, found(&all, &filter));
    }
}

async fn two_busy_numbers_are_found_and_counted_as_looking_at_every_record_does(database: Database) {
    let store = two_tenants(&database).await;
    let all = busy(&store).await;

    check_pairs(&store, &all).await;
}

async fn tallies_of_two_numbers_are_made_for_calls_of_a_database_that_had_none(database: Database) {
    let store = two_tenants(&database).await;
    let all = busy(&store).await;
    let mut outsider = Outsider::connect(&database).await;
    outsider.execute("DELETE FROM tallies WHERE key >= '0' AND key < 'a'").await;
    outsider.execute("INSERT INTO meta (name, value) VALUES ('pairs_tallied_to', '0')").await;
    store.close().await;

    let store = open(&database).await;

    check_pairs(&store, &all).await;
}

/// Enough calls that those of two numbers are counted by the tallies, over two months.
async fn busy(store: &Store) -> Vec<RecordRow> {
    let mut dice = Dice::new(9);
    let calls: Vec<Record> = (0..5_200)
        .filter_map(|count| told(ONE, &mut dice, count, START + i64::from(count) * 16 * 60_000).pop())
        .filter(is_over)
        .map(|batch| *batch.record.unwrap())
        .collect();
    store.import(ONE, &calls).await.unwrap();
    every(store, ONE).await
}

async fn check_pairs(store: &Store, all: &[RecordRow]) {
    let range = |from: i64, to: i64| RecordFilter {
        started_since: Some(moment(START + from)),
        started_before: Some(moment(START + to)),
        ..RecordFilter::default()
    };
    let ranges = [
        RecordFilter { order: RecordOrder::Started, ..RecordFilter::default() },
        RecordFilter { state: RecordState::Any, direction: Some(Direction::Inbound), ..RecordFilter::default() },
        RecordFilter { status: Some(Status::Answered), ..range(3 * DAY + 7, 40 * DAY + 11) },
        range(DAY, 9 * DAY),
        range(20 * DAY, 900 * DAY),
        RecordFilter { recorded: Some(true), duration_at_least: Some(20), ..range(0, 50 * DAY) },
    ];
    let one = |number: &str| Some(number.to_owned());
    let none = RecordFilter::default;
    let mut found_some = 0;
    for (first, second) in [
        (RecordFilter { source: one("101"), ..none() }, RecordFilter { destination: one("102"), ..none() }),
        (RecordFilter { source: one("101"), ..none() }, RecordFilter { search: one("101"), ..none() }),
        (RecordFilter { source: one("103"), ..none() }, RecordFilter { search: one("02873088088"), ..none() }),
        (RecordFilter { source: one("anonymous"), ..none() }, RecordFilter { search: one("02873088089"), ..none() }),
        (RecordFilter { source: one("anonymous"), ..none() }, RecordFilter { destination: one("600"), ..none() }),
        (RecordFilter { destination: one("600"), ..none() }, RecordFilter { search: one("102"), ..none() }),
        (RecordFilter { destination: one("600"), ..none() }, RecordFilter { search: one("02873088088"), ..none() }),
        (RecordFilter { destination: one("104"), ..none() }, RecordFilter { search: one("02873088088"), ..none() }),
        (RecordFilter { extension: one("101"), ..none() }, RecordFilter { did: one("02873088088"), ..none() }),
        (RecordFilter { customer: one("0900000002"), ..none() }, RecordFilter { did: one("02873088089"), ..none() }),
        (
            RecordFilter { source: one("0900000001"), destination: one("101"), ..none() },
            RecordFilter { search: one("02873088088"), ..none() },
        ),
    ] {
        let numbers = both(&first, &second).unwrap();
        for range in &ranges {
            let filter = both(&numbers, range).unwrap();
            let expected = found(all, &filter);

            assert_eq!(walk(store, &filter).await, expected, "{filter:?}");
            let counted = store.tenant(ONE).records().counted(&filter).await.unwrap();
            assert_eq!(counted, RecordCount { records: expected.len() as u64, exact: true }, "{filter:?}");
            found_some += usize::from(!expected.is_empty());
        }
    }
    assert!(found_some > 50, "{found_some}");
}

fn trunks(record: &Record) -> impl Iterator<Item = &str> {
    record.legs.iter().filter_map(|leg| match &leg.party {
        model::Party::Outside { trunk, .. } => trunk.as_deref(),
        _ => None,
    })
}

fn is_over(batch: &model::Batch) -> bool {
    batch.record.as_ref().is_some_and(|record| record.ended_at.is_some())
}

fn moment(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap()
}

/// Calls of six days, some of another tenant between them; all rows of the first.
async fn history(store: &Store, seed: u64, calls: u32) -> Vec<RecordRow> {
    let mut dice = Dice::new(seed);
    for count in 0..calls {
        let tenant = if dice.below(8) == 0 { TWO } else { ONE };
        // Some begin in the same millisecond.
        let start = START + dice.below(6 * 24 * 60) as i64 * 60_000;
        for batch in told(tenant, &mut dice, count, start) {
            store.writer().push(Told::Batch(batch));
        }
    }
    store.writer().flush().await;
    every(store, ONE).await
}

async fn every(store: &Store, tenant: TenantId) -> Vec<RecordRow> {
    let filter = RecordFilter { state: RecordState::Any, ..RecordFilter::default() };
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.tenant(tenant).records().list(&filter, cursor, 1_000).await.unwrap();
        all.extend(page.rows);
        let Some(next) = page.next else { return all };
        cursor = Some(next);
    }
}

async fn walk(store: &Store, filter: &RecordFilter) -> Vec<i64> {
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.tenant(ONE).records().list(filter, cursor, 60).await.unwrap();
        rows.extend(page.rows.iter().map(|row| row.row));
        let Some(next) = page.next else { return rows };
        cursor = Some(next);
    }
}
