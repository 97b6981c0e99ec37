//! How soon hooks are told, and what it costs.
//!
//! ```text
//! hook_load receive                                          prints its address; measures until its input ends
//! hook_load serve URL HOOKS CALLS RATE [DATABASE]            tells CALLS calls, and ends when all of it was delivered
//! ```
//!
//! HOOKS tenants have a native hook each. RATE calls a second ring, are answered and end within two seconds, each step told
//! at its moment; 0: everything is told at once. A message says when its event happened, so that the time measured is that
//! from the switchboard's word to the receiver's ear. `bench/hooks.py` runs both, each on a core of its own.

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::routing::post;
use model::{CallId, EngineNumber, Reason, TenantId, Timestamp};
use support::World;
use support::story::ToldCall;
use tokio::net::TcpListener;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a call rings at the agent, at the customer, and is talked.
const STEPS: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_millis(500), Duration::from_millis(500)];
/// Nothing delivered for so long means that nothing more comes.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize| arguments.get(at).and_then(|text| text.parse::<u32>().ok()).ok_or("see the head of this file");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments.first().map(String::as_str) {
        Some("receive") => runtime.block_on(receive()),
        Some("serve") => {
            let url = arguments.get(1).ok_or("the receiver's URL is missing")?;
            runtime.block_on(serve(url, number(2)?, number(3)?, number(4)?, arguments.get(5).cloned()))
        }
        _ => Err("write receive or serve".into()),
    }
}

async fn serve(url: &str, hooks: u32, calls: u32, rate: u32, database: Option<String>) -> Result<(), Failure> {
    let world = World::start_on(database, |_| {}).await;
    let tenants = provision(&world, url, hooks).await?;
    let telling = api::Hooks::start(world.app.clone(), None);

    let (cpu, begun) = (cpu_seconds()?, Instant::now());
    for nth in 0..calls {
        // A call and its legs share a count of six digits, which begins anew with each second.
        let id = CallId::new(1_700_000_000 + i64::from(nth / 1_000), EngineNumber(1), nth % 1_000 * 100);
        let call = ToldCall::new(&world.writer, tenants[nth as usize % tenants.len()], id, Timestamp::now());
        if rate == 0 {
            tell(call, false).await;
        } else {
            tokio::time::sleep_until((begun + Duration::from_secs(1) * nth / rate).into()).await;
            tokio::spawn(tell(call, true));
        }
    }
    if rate > 0 {
        tokio::time::sleep(STEPS.iter().sum()).await;
    }
    world.writer.flush().await;
    let stored = begun.elapsed();
    let delivered = || world.metrics.hook_delivered.get();
    let (mut before, mut last) = (delivered(), Instant::now());
    while delivered() < world.writer.figures().events && last.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if delivered() > before {
            (before, last) = (delivered(), Instant::now());
        }
    }
    println!(
        "events {} delivered {} failed {} cpu {:.2} stored {:.2} wall {:.2}",
        world.writer.figures().events,
        delivered(),
        world.metrics.hook_attempts_failed.get(),
        cpu_seconds()? - cpu,
        stored.as_secs_f64(),
        begun.elapsed().as_secs_f64(),
    );
    telling.stop(Duration::from_secs(5)).await;
    Ok(())
}

/// A click-to-call that is answered, told step by step.
async fn tell(mut call: ToldCall, waits: bool) {
    for step in 0..=STEPS.len() {
        call.now();
        match step {
            0 => call.click("0900000001"),
            1 => call.ringing(1),
            2 => call.dial("0900000001").ringing(2),
            3 => call.connected(2, 1, 2),
            _ => call.ended(Reason::HungUp, 200),
        };
        if waits && let Some(pause) = STEPS.get(step) {
            tokio::time::sleep(*pause).await;
        }
    }
}

/// Tenants with a hook each, in the store and in the directory.
async fn provision(world: &World, url: &str, hooks: u32) -> Result<Vec<TenantId>, Failure> {
    let mut file = String::from("tenants:\n");
    for nth in 0..hooks {
        write!(
            file,
            "  - name: VPBX_{nth}\n    webhook_private_addresses: true\n    webhooks: [{{ kind: native, url: '{url}', method: post_json }}]\n    extensions: [{{ number: '101', name: Desk, password: pw-101 }}]\n"
        )?;
    }
    let settings = world.store.settings();
    settings.apply(store::provision::parse(&file)?, false).await?;
    let directory = settings.load().await?.directory;
    let ids = (0..hooks).filter_map(|nth| {
        let name = format!("VPBX_{nth}");
        directory.tenants.iter().find(|tenant| tenant.name == name).map(|tenant| tenant.id)
    });
    let ids = ids.collect();
    world.directory.send_replace(Arc::new(directory));
    Ok(ids)
}

/// What each message took, in milliseconds.
type Took = Arc<Mutex<Vec<f64>>>;

async fn receive() -> Result<(), Failure> {
    let took = Took::default();
    let router = axum::Router::new().route("/hook", post(take)).with_state(took.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/hook", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    server.abort();
    let mut took = std::mem::take(&mut *took.lock().unwrap_or_else(PoisonError::into_inner));
    took.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| took.get(((took.len() as f64 - 1.0) * share) as usize).copied().unwrap_or_default();
    println!("heard {} p50 {:.1} p95 {:.1} p99 {:.1} max {:.1}", took.len(), at(0.5), at(0.95), at(0.99), at(1.0));
    Ok(())
}

async fn take(State(took): State<Took>, body: String) {
    let now = Timestamp::now();
    let happened =
        body.split(r#""at":""#).nth(1).and_then(|rest| rest.split('"').next()).and_then(|at| at.parse().ok());
    if let Some(happened) = happened {
        let milliseconds = now.duration_since(happened).as_secs_f64() * 1e3;
        took.lock().unwrap_or_else(PoisonError::into_inner).push(milliseconds);
    }
}

fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).ok_or("no figure");
    // utime and stime, in hundredths of a second on Linux.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
