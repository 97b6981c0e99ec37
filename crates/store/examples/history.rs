//! A long history, and how fast it is searched. `bench/history.sh` runs it on both databases.
//!
//! `cargo run --release -p store --example history -- FOLDER [--database URL] [--records N] [--fill | --measure]`: fills an
//! empty store with N calls (20 000) of two years, four fifths of them one tenant's, then measures searches; with `--fill`
//! or `--measure` it does one of the two.

use std::time::{Duration, Instant};

use model::{
    CallId, Direction, EndedBy, EngineNumber, Origin, Party, Reason, Record, RecordingRecord, Status, TenantId, Text,
    Timestamp,
};
use store::{Durability, RecordCursor, RecordFilter, RecordOrder, RecordState, Store, StoreOptions, provision};

const TENANTS: u64 = 11;
const EXTENSIONS: u64 = 200;
const DIDS: u64 = 20;
const GROUPS: u64 = 3;
const CUSTOMERS: u64 = 400_000;
const FIRST_SECOND: i64 = 1_700_000_000;
const SECONDS: i64 = 2 * 365 * 86_400;
/// Calls of one transaction.
const AT_ONCE: u64 = 8_000;
/// Searches of a kind that are measured.
const SEARCHES: u32 = 60;
const PAGE: u32 = 25;
/// How often each is repeated. The quickest counts: what a machine does besides, and what was on disk, is not the search's.
const TIMES: u32 = 4;

type Failed = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("the folder of the store is missing")?;
    let (mut database, mut records, mut fills, mut measures) = (None, 20_000, true, true);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--database" => database = arguments.next(),
            "--records" => records = arguments.next().ok_or("--records needs a number")?.parse()?,
            "--fill" => measures = false,
            "--measure" => fills = false,
            other => return Err(format!("{other} is no option").into()),
        }
    }
    let store = Store::open(StoreOptions {
        data_dir: folder.into(),
        database,
        realm: "tongdai".into(),
        durability: Durability::Process,
    })
    .await?;
    if fills {
        fill(&store, records).await?;
    }
    if measures {
        measure(&store).await?;
    }
    store.close().await;
    Ok(())
}

async fn fill(store: &Store, records: u64) -> Result<(), Failed> {
    let mut file = String::from("tenants:\n");
    for tenant in 1..=TENANTS {
        file.push_str(&format!("  - name: VPBX_{tenant}\n"));
    }
    store.settings().apply(provision::parse(&file)?, false).await?;
    let mut dice = Dice(7);
    for first in (0..records).step_by(AT_ONCE as usize) {
        let mut of_tenant: Vec<Vec<Record>> = vec![Vec::new(); TENANTS as usize];
        for nth in first..records.min(first + AT_ONCE) {
            let tenant = if dice.below(5) < 4 { 0 } else { 1 + dice.below(TENANTS - 1) };
            of_tenant[tenant as usize].push(call(nth, records, &mut dice)?);
        }
        for (tenant, calls) in (1..).zip(of_tenant) {
            store.import(TenantId(tenant), &calls).await?;
        }
    }
    Ok(())
}

/// The nth call: busier by day than by night, a few customers call often, one extension of ten talks a third of all.
fn call(nth: u64, of: u64, dice: &mut Dice) -> Result<Record, Failed> {
    let second = FIRST_SECOND + (SECONDS as u64 * nth / of) as i64;
    let start = Timestamp::from_millisecond(second * 1_000 + dice.below(1_000) as i64)?;
    let extension = extension(dice);
    let customer = customer(dice);
    let did = did(dice);
    let party = Party::Outside { number: Text::from(customer.clone()), shown: None, trunk: Some("carrier".into()) };
    let inside = Party::Extension { number: extension.clone() };
    let (direction, origin, from, to) = match dice.below(20) {
        0..3 => (Direction::Inbound, Origin::Trunk, party, Party::Group { number: group(dice) }),
        3..10 => (Direction::Inbound, Origin::Trunk, party, inside),
        10..19 => (Direction::Outbound, if dice.below(2) == 0 { Origin::Click } else { Origin::Phone }, inside, party),
        _ => (Direction::Local, Origin::Phone, Party::Extension { number: self::extension(dice) }, inside),
    };
    let (status, reason, sip) = match (dice.below(100), direction) {
        (0..62, _) => (Status::Answered, Reason::HungUp, 200),
        (_, Direction::Inbound) => (Status::Missed, Reason::NoAnswer, 480),
        (62..85, _) => (Status::NoAnswer, Reason::Cancelled, 487),
        (85..97, _) => (Status::Busy, Reason::Busy, 486),
        _ => (Status::Failed, Reason::NoSuchNumber, 404),
    };
    let ring = 3 + dice.below(20) as i64;
    let talk = if status == Status::Answered { 5 + (dice.below(40) * dice.below(40)) as i64 } else { 0 };
    let after = |seconds: i64| Timestamp::from_second(second + seconds);
    let callid = CallId::new(second, EngineNumber(1), u32::try_from(nth % 1_000_000)?);
    let recording = RecordingRecord {
        recording: callid.first_recording(),
        file: format!("{callid}.wav"),
        milliseconds: Some(talk.unsigned_abs() * 1_000),
        gap_milliseconds: 0,
        bytes: talk.unsigned_abs() * 32_000 + 44,
        sha256: String::new(),
        failed: false,
        paused: false,
        expired: false,
        seq: 2,
    };
    let recorded = status == Status::Answered && dice.below(20) == 0;
    Ok(Record {
        callid,
        origin,
        direction,
        customer: Text::from(if direction == Direction::Local { from.number().to_owned() } else { customer }),
        from,
        to,
        did: (direction != Direction::Local).then(|| Text::from(did)),
        extension: Some(extension),
        started_at: start,
        ringing_at: None,
        opened_at: None,
        answered_at: if talk > 0 { Some(after(ring)?) } else { None },
        ended_at: Some(after(ring + talk + 1)?),
        status,
        disposition: if status == Status::Missed { Status::NoAnswer } else { status },
        reason: Some(reason),
        sip: Some(sip),
        cause: None,
        ended_by: Some(EndedBy::Customer),
        about: None,
        merged_into: None,
        abandoned_in: None,
        routed_by: None,
        transfers: Vec::new(),
        queues: Vec::new(),
        legs: Vec::new(),
        recordings: if recorded { vec![recording] } else { Vec::new() },
        seq: 9,
    })
}

fn extension(dice: &mut Dice) -> String {
    let nth = if dice.below(3) == 0 { dice.below(EXTENSIONS / 10) } else { dice.below(EXTENSIONS) };
    (101 + nth).to_string()
}

fn did(dice: &mut Dice) -> String {
    let nth = if dice.below(2) == 0 { 0 } else { dice.below(DIDS) };
    format!("8428730880{nth:02}")
}

fn group(dice: &mut Dice) -> String {
    (600 + dice.below(GROUPS)).to_string()
}

fn customer(dice: &mut Dice) -> String {
    match dice.below(100) {
        0 => "anonymous".to_owned(),
        1..20 => format!("+849000{:05}", dice.below(500)),
        _ => format!("+8490{:07}", dice.below(CUSTOMERS) * 13 % 10_000_000),
    }
}

/// A kind of search: its name, and one of it.
type Kind = (&'static str, fn(&mut Dice) -> RecordFilter);

const FILTERS: &[Kind] = &[
    ("all", |_| by_start()),
    ("date range", |dice| ranged(dice, by_start())),
    ("type", |dice| RecordFilter { direction: Some(direction(dice)), ..by_start() }),
    ("status", |dice| RecordFilter { status: Some(status(dice)), ..by_start() }),
    ("source, a customer", |dice| RecordFilter { source: Some(customer(dice)), ..by_start() }),
    ("source, an extension", |dice| RecordFilter { source: Some(extension(dice)), ..by_start() }),
    ("destination, a customer", |dice| RecordFilter { destination: Some(customer(dice)), ..by_start() }),
    ("destination, an extension", |dice| RecordFilter { destination: Some(extension(dice)), ..by_start() }),
    ("destination, a group", |dice| RecordFilter { destination: Some(group(dice)), ..by_start() }),
    ("search, a customer", |dice| RecordFilter { search: Some(customer(dice)), ..by_start() }),
    ("search, an extension", |dice| RecordFilter { search: Some(extension(dice)), ..by_start() }),
    ("search, a number of ours", |dice| RecordFilter { search: Some(did(dice)), ..by_start() }),
    ("search, nobody", |_| RecordFilter { search: Some("0911999999".into()), ..by_start() }),
];

const MORE: &[Kind] = &[
    ("extension", |dice| RecordFilter { extension: Some(extension(dice)), ..by_start() }),
    ("customer", |dice| RecordFilter { customer: Some(customer(dice)), ..by_start() }),
    ("did", |dice| RecordFilter { did: Some(did(dice)), ..by_start() }),
    ("recorded", |_| RecordFilter { recorded: Some(true), ..by_start() }),
    ("duration at least", |dice| RecordFilter { duration_at_least: Some(dice.below(900) as i64), ..by_start() }),
    ("talk at least half an hour", |_| RecordFilter { bill_at_least: Some(1_500), ..by_start() }),
    ("reason", |_| RecordFilter { reason: Some(Reason::NoSuchNumber), ..by_start() }),
    ("a trunk that is none", |_| RecordFilter { trunk: Some("other".into()), ..by_start() }),
    ("any state", |_| RecordFilter { state: RecordState::Any, ..by_start() }),
    ("ended in the last hour, by end", |_| RecordFilter {
        ended_since: Timestamp::from_second(FIRST_SECOND + SECONDS - 3_600).ok(),
        ..RecordFilter::default()
    }),
    ("extension + did", |dice| RecordFilter { extension: Some(extension(dice)), did: Some(did(dice)), ..by_start() }),
    ("extension + customer", |dice| RecordFilter {
        extension: Some(extension(dice)),
        customer: Some(customer(dice)),
        ..by_start()
    }),
    ("extension + reason", |dice| RecordFilter {
        extension: Some(extension(dice)),
        reason: Some(Reason::NoSuchNumber),
        ..by_start()
    }),
    ("did + duration", |dice| RecordFilter { did: Some(did(dice)), duration_at_least: Some(1_200), ..by_start() }),
];

async fn measure(store: &Store) -> Result<(), Failed> {
    println!("{} records of one tenant; milliseconds\n", store.tenant(TenantId(1)).records().count(&by_start()).await?);
    println!("| search | first page, p95 | tenth page, p95 | total, p95 | page and total, p50 / p95 / p99 | exact |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (name, filter) in FILTERS.iter().chain(MORE) {
        row(store, name, &[*filter]).await?;
    }
    for (nth, (one, first)) in FILTERS.iter().enumerate().skip(1) {
        for (other, second) in &FILTERS[nth + 1..] {
            if one.split(',').next() != other.split(',').next() {
                row(store, &format!("{one} + {other}"), &[*first, *second]).await?;
            }
        }
    }
    Ok(())
}

async fn row(store: &Store, name: &str, filters: &[fn(&mut Dice) -> RecordFilter]) -> Result<(), Failed> {
    let tenant = store.tenant(TenantId(1));
    let records = tenant.records();
    let mut dice = Dice(11);
    let (mut first, mut tenth, mut total, mut both) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut exact = 0;
    for _ in 0..SEARCHES {
        let filter = filters.iter().map(|filter| filter(&mut dice)).reduce(merge).ok_or("a search has a filter")?;
        let (page, listed) = quickest(|| records.list(&filter, None, PAGE)).await?;
        let (count, counted) = quickest(|| records.counted(&filter)).await?;
        first.push(listed);
        total.push(counted);
        both.push(listed + counted);
        exact += u32::from(count.exact);
        let mut cursor: Option<RecordCursor> = page.next;
        for _ in 0..8 {
            let Some(next) = cursor else { break };
            cursor = records.list(&filter, Some(next), PAGE).await?.next;
        }
        if cursor.is_some() {
            tenth.push(quickest(|| records.list(&filter, cursor, PAGE)).await?.1);
        }
    }
    println!(
        "| {name} | {} | {} | {} | {} / {} / {} | {} % |",
        at(&mut first, 95),
        at(&mut tenth, 95),
        at(&mut total, 95),
        at(&mut both, 50),
        at(&mut both, 95),
        at(&mut both, 99),
        exact * 100 / SEARCHES,
    );
    Ok(())
}

async fn quickest<T, F>(search: impl Fn() -> F) -> Result<(T, Duration), store::StoreError>
where
    F: Future<Output = Result<T, store::StoreError>>,
{
    let began = Instant::now();
    let mut found = search().await?;
    let mut quickest = began.elapsed();
    for _ in 1..TIMES {
        let began = Instant::now();
        found = search().await?;
        quickest = quickest.min(began.elapsed());
    }
    Ok((found, quickest))
}

fn at(times: &mut [Duration], percent: usize) -> String {
    times.sort_unstable();
    let nth = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(nth).map_or("–".to_owned(), |time| format!("{:.1}", time.as_secs_f64() * 1e3))
}

fn by_start() -> RecordFilter {
    RecordFilter { order: RecordOrder::Started, ..RecordFilter::default() }
}

/// From an hour to two years, anywhere.
fn ranged(dice: &mut Dice, filter: RecordFilter) -> RecordFilter {
    let length = *dice.one(&[3_600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400, SECONDS]);
    let begin = FIRST_SECOND + dice.below((SECONDS - length + 1) as u64) as i64;
    RecordFilter {
        started_since: Timestamp::from_second(begin).ok(),
        started_before: Timestamp::from_second(begin + length).ok(),
        ..filter
    }
}

fn direction(dice: &mut Dice) -> Direction {
    *dice.one(&[Direction::Inbound, Direction::Outbound, Direction::Local])
}

fn status(dice: &mut Dice) -> Status {
    *dice.one(&[Status::Answered, Status::NoAnswer, Status::Busy, Status::Failed, Status::Missed])
}

fn merge(one: RecordFilter, other: RecordFilter) -> RecordFilter {
    RecordFilter {
        started_since: one.started_since.or(other.started_since),
        started_before: one.started_before.or(other.started_before),
        source: one.source.or(other.source),
        destination: one.destination.or(other.destination),
        search: one.search.or(other.search),
        direction: one.direction.or(other.direction),
        status: one.status.or(other.status),
        ..by_start()
    }
}

/// Numbers from a seed; the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}
