//! How Socket.IO carries many clients: memory a connection, and how long an event takes to each of them.
//!
//! ```text
//! live_load serve TENANTS BATCHES EVENTS SECONDS     prints its address; begins to tell at a line on its input
//! live_load listen ADDRESS TENANTS CLIENTS RATE      connects, signs, and measures until the server is gone
//! ```
//!
//! Each batch is one call that rings: EVENTS events are stored and one is told to each client of its tenant; BATCHES is
//! their number a second over all tenants. `bench/live.py` runs both, each on a core of its own, and reads their output.
//! RATE is how many clients come a second, 0: all of them at once. An event carries the moment at which it was handed to the store, so that the time measured contains the commit.

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use model::{CallId, EngineNumber, TenantId};
use support::World;
use support::story::ToldCall;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize| arguments.get(at).and_then(|text| text.parse::<u32>().ok()).ok_or("see the head of this file");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments.first().map(String::as_str) {
        Some("serve") => runtime.block_on(serve(number(1)?, number(2)?, number(3)?, number(4)?)),
        Some("listen") => {
            let address = arguments.get(1).ok_or("the address is missing")?.parse()?;
            runtime.block_on(listen(address, number(2)?, number(3)?, number(4)?))
        }
        _ => Err("write serve or listen".into()),
    }
}

async fn serve(tenants: u32, batches: u32, events: u32, seconds: u32) -> Result<(), Failure> {
    let world = World::start_with(|settings| settings.live.max_sessions = 50_000).await;
    let ids = provision(&world, tenants).await?;
    println!("address {}", world.address);
    println!("idle {}", resident_kilobytes()?);
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    println!("connected {} sessions {}", resident_kilobytes()?, world.metrics.socket_sessions.get());

    let cpu = cpu_seconds()?;
    let began = Instant::now();
    let every = Duration::from_secs(1) / batches.max(1);
    let mut late = Duration::ZERO;
    for nth in 0..batches * seconds {
        let due = began + every * nth;
        // The timer wakes by the millisecond: what is due within one goes together.
        if due > Instant::now() + Duration::from_millis(1) {
            tokio::time::sleep_until(due.into()).await;
        }
        late = late.max(due.elapsed());
        let tenant = ids[nth as usize % ids.len()];
        // A call and its legs share a count of six digits, which begins anew with each second.
        let id = CallId::new(1_700_000_000 + i64::from(nth / 1_000), EngineNumber(1), nth % 1_000 * 100);
        let mut call = ToldCall::new(&world.writer, tenant, id, model::Timestamp::now());
        call.click(&micros().to_string()).ringing(1);
        // A key is stored and told to nobody of this dialect.
        for _ in 3..events {
            call.key(1, '1');
        }
    }
    world.writer.flush().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let figures = world.writer.figures();
    println!(
        "told {} stored {} commits {} cpu {:.2} wall {:.2} late_ms {:.1} resident {} behind {}",
        batches * seconds,
        figures.events,
        figures.commits,
        cpu_seconds()? - cpu,
        began.elapsed().as_secs_f64(),
        late.as_secs_f64() * 1e3,
        resident_kilobytes()?,
        world.metrics.socket_behind.get(),
    );
    Ok(())
}

/// Tenants with a key each, in the store and in the directory.
async fn provision(world: &World, tenants: u32) -> Result<Vec<TenantId>, Failure> {
    let mut file = String::from("tenants:\n");
    for nth in 0..tenants {
        write!(
            file,
            "  - name: VPBX_{nth}\n    keys: [{{ kind: voip24h, voip: VOIPKEY_{nth}, secret: SECRET_{nth}, socket_sessions: 10000 }}]\n    extensions: [{{ number: '101', name: Desk, password: pw-101 }}]\n"
        )?;
    }
    let settings = world.store.settings();
    settings.apply(store::provision::parse(&file)?, false).await?;
    let directory = settings.load().await?.directory;
    let ids = (0..tenants).filter_map(|nth| {
        let name = format!("VPBX_{nth}");
        directory.tenants.iter().find(|tenant| tenant.name == name).map(|tenant| tenant.id)
    });
    let ids = ids.collect();
    world.directory.send_replace(Arc::new(directory));
    Ok(ids)
}

async fn listen(server: SocketAddr, tenants: u32, clients: u32, rate: u32) -> Result<(), Failure> {
    let (tell, mut heard) = mpsc::unbounded_channel();
    let signed = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    for nth in 0..clients {
        let client = client(server, nth % tenants, signed.clone(), tell.clone());
        tokio::spawn(async move {
            if let Err((when, failure)) = client.await
                && when == Stage::Connecting
            {
                eprintln!("a client did not get in: {failure}");
            }
        });
        if rate > 0 {
            tokio::time::sleep_until((begun + Duration::from_secs(1) * (nth + 1) / rate).into()).await;
        }
    }
    drop(tell);
    let deadline = Instant::now() + Duration::from_secs(120);
    while signed.load(Ordering::Acquire) < clients as usize && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("signed {} seconds {:.2}", signed.load(Ordering::Acquire), begun.elapsed().as_secs_f64());

    let mut all = Vec::new();
    while let Some(micros) = heard.recv().await {
        all.push(micros);
    }
    all.sort_unstable();
    let at =
        |share: f64| all.get(((all.len() as f64 - 1.0) * share) as usize).copied().unwrap_or_default() as f64 / 1e3;
    println!("heard {} p50 {:.2} p95 {:.2} p99 {:.2} max {:.2}", all.len(), at(0.5), at(0.95), at(0.99), at(1.0));
    Ok(())
}

/// How far a client has got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Signed,
}

/// A 4.x client over WebSocket that signs, says `hello`, and tells how old each event is when it comes. Says how far it had
/// got when it ended.
async fn client(
    server: SocketAddr,
    tenant: u32,
    signed: Arc<AtomicUsize>,
    tell: mpsc::UnboundedSender<u64>,
) -> Result<(), (Stage, Failure)> {
    let mut stage = Stage::Connecting;
    talk(server, tenant, &mut stage, &signed, &tell).await.map_err(|failure| (stage, failure))
}

async fn talk(
    server: SocketAddr,
    tenant: u32,
    stage: &mut Stage,
    signed: &AtomicUsize,
    tell: &mpsc::UnboundedSender<u64>,
) -> Result<(), Failure> {
    let url = format!("ws://{server}/socket.io/?EIO=4&transport=websocket");
    // A client of its own: each has a small buffer, so that thousands fit beside the server.
    let config = WebSocketConfig::default().read_buffer_size(1_024);
    let (mut socket, _) = tokio_tungstenite::connect_async_with_config(url, Some(config), true).await?;
    let mut hello = tokio::time::interval(Duration::from_secs(10));
    loop {
        let message = tokio::select! {
            message = socket.next() => message.ok_or("closed")??,
            // Whoever says something before it has joined is sent away.
            _ = hello.tick(), if *stage == Stage::Signed => {
                socket.send(Message::text(r#"42["hello","id"]"#)).await?;
                continue;
            }
        };
        let Message::Text(text) = message else { continue };
        match text.as_str() {
            text if text.starts_with('0') => socket.send(Message::text("40")).await?,
            text if text.starts_with("40") => {
                socket.send(Message::text(format!(r#"42["sign","VOIPKEY_{tenant}"]"#))).await?;
            }
            "2" => socket.send(Message::text("3")).await?,
            text if text.starts_with(r#"42["connection""#) => {
                *stage = Stage::Signed;
                signed.fetch_add(1, Ordering::AcqRel);
            }
            text if text.starts_with(r#"42["response""#) && text.contains(r#""Ring""#) => {
                let told = text.split(r#""phone":""#).nth(1).and_then(|rest| rest.split('"').next());
                if let Some(told) = told.and_then(|told| told.parse::<u64>().ok()) {
                    let _ = tell.send(micros().saturating_sub(told));
                }
            }
            _ => {}
        }
    }
}

fn micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

fn resident_kilobytes() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
}

fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).ok_or("no figure");
    // utime and stime, in hundredths of a second on Linux.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
