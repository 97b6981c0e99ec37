//! How fast the writer stores calls, and what processor time an event costs.
//!
//! `cargo run --release -p store --example writer_load [CALLS] [alone] [postgres]`: it is told as fast as it stores (with at most
//! 5 000 events waiting), or with `alone` each batch only when the one before is stored, which is what a quiet server does.
//! `postgres` takes a PostgreSQL of its own (Debian's package) instead of SQLite.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::{Database, ONE, TWO_TENANTS, TestCall, apply, open};
use model::{Kept, KeptKind, Told};

const MOST_WAITING: usize = 5_000;
/// Calls under way at once, so that their steps mix.
const AT_ONCE: usize = 200;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let calls: u32 = arguments.next().map_or(20_000, |text| text.parse().expect("a number of calls"));
    let ways: Vec<String> = arguments.collect();
    let asked = |way: &str| ways.iter().any(|given| given == way);
    let alone = asked("alone");
    let database = if asked("postgres") { Database::postgres() } else { Database::sqlite() };
    let store = open(&database).await;
    apply(&store, TWO_TENANTS).await;
    let steps = story(calls);
    let writer = store.writer();

    let (began, used) = (Instant::now(), processor_time());
    for told in steps {
        let is_batch = matches!(told, Told::Batch(_));
        writer.push(told);
        if alone && is_batch {
            writer.flush().await;
        }
        while writer.waiting() > MOST_WAITING {
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }
    writer.flush().await;
    let (took, used) = (began.elapsed(), processor_time() - used);

    let figures = writer.figures();
    let events = figures.events as f64;
    println!(
        "{calls} calls, {} events, {} commits ({:.1} events each) in {:.2} s: {:.0} events/s, {:.1} µs processor time an event, {:.0} µs a call, {:.0} µs a commit",
        figures.events,
        figures.commits,
        events / figures.commits as f64,
        took.as_secs_f64(),
        events / took.as_secs_f64(),
        used.as_secs_f64() * 1e6 / events,
        used.as_secs_f64() * 1e6 / f64::from(calls),
        used.as_secs_f64() * 1e6 / figures.commits as f64,
    );
    store.close().await;
}

/// Ten events a call (two batches with a leg's ringing would not change the picture) and what ends its two legs.
fn story(calls: u32) -> Vec<Told> {
    let mut all: Vec<Vec<Told>> = (0..calls)
        .map(|count| {
            let mut call = TestCall::new(ONE, count);
            let legs = [call.agent, call.customer];
            let keep = |leg: model::LegId, value: Option<String>| {
                Told::Keep(Kept { tenant: ONE, kind: KeptKind::Dialog, key: leg.to_string(), value, expires: None })
            };
            let dialog = "x".repeat(600);
            let mut told = vec![Told::Batch(call.started("101", "0900000001")), Told::Batch(call.answered())];
            told.extend(legs.map(|leg| keep(leg, Some(dialog.clone()))));
            told.push(Told::Batch(call.recording_started()));
            told.push(Told::Batch(call.ended()));
            told.extend(legs.map(|leg| keep(leg, None)));
            told.reverse();
            told
        })
        .collect();
    all.reverse();
    let mut live: Vec<Vec<Told>> = Vec::new();
    let mut steps = Vec::new();
    loop {
        while live.len() < AT_ONCE
            && let Some(call) = all.pop()
        {
            live.push(call);
        }
        if live.is_empty() {
            return steps;
        }
        for call in &mut live {
            steps.extend(call.pop());
        }
        live.retain(|call| !call.is_empty());
    }
}

fn processor_time() -> Duration {
    // SAFETY: a zeroed rusage is a valid one, and the call only writes into it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1_000);
    time(usage.ru_utime) + time(usage.ru_stime)
}
