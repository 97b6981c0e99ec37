//! clickload: orders click-to-calls over HTTP and is the agents' phones, the carrier and the Socket.IO listener besides, in
//! one thread, so that every delay is taken on one clock: what we send is stamped just before it leaves, what arrives by the
//! kernel. Prints one JSON object. See ../README.md for what the server must be provisioned with.

mod http;
mod listener;
mod load;
mod measure;
mod net;
mod phones;
mod report;
mod sip;

use std::collections::HashMap;
use std::net::SocketAddrV4;

use load::{HangsUp, Load, Plan};
use measure::Snapshot;
use net::{MS, now};
use report::Report;

const HELP: &str =
    "clickload dial|events --http 127.0.0.1:PORT [--target 127.0.0.1:5060] [--server-pid N] [--key value …]
  dial     order -> INVITE at the agent, agent's 200 -> INVITE at the customer, the answer to the order, CPU a click
  events   the same calls with time between 180 and 200: SIP message -> event at the listener

  --rate 20  --secs 12  --warmup 2      clicks a second, for how long, and how much of it does not count
  --ring-ms 0 (events: 40)  --hold-ms 100  --hang-up in-turn|agent|customer
  --listeners 1                         Socket.IO clients
  --voip VOIPKEY_DEMO  --secret SECRET_DEMO
  --agents 100  --agent-base 2000  --password-prefix pw  --domain (the target's)
  --phones-port 5070  --carrier-port 5080  --sound-port 30000  --prefix 090  --first-number (of the clock)";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    if !matches!(mode.as_str(), "dial" | "events") {
        return eprintln!("{HELP}");
    }
    if let Err(why) = Options::read(arguments).and_then(|options| run(&mode, &options)) {
        println!("{{\"mode\":{mode:?},\"error\":{why:?}}}");
        std::process::exit(1);
    }
}

fn run(mode: &str, options: &Options) -> Result<(), String> {
    let server = options.get::<i32>("server-pid")?;
    let rate: f64 = options.get("rate")?.unwrap_or(20.0);
    let seconds: f64 = options.get("secs")?.unwrap_or(12.0);
    let warmup: f64 = options.get("warmup")?.unwrap_or(2.0);
    if !(0.1..=1_000.0).contains(&rate) || !(1.0..=300.0).contains(&seconds) || !(0.0..seconds).contains(&warmup) {
        return Err("rate is 0.1 to 1000, secs 1 to 300, warmup less than secs".to_owned());
    }
    let mut load = Load::start(plan(mode, options)?).map_err(|error| format!("cannot start: {error}"))?;
    if !load.step_until(5_000 * MS, |load| load.listeners.iter().all(|listener| listener.signed)) {
        return Err("a listener was not signed in".to_owned());
    }
    let refused = load.register_agents();
    if refused > 0 {
        let why = load.agents.iter().find_map(|agent| agent.refused).unwrap_or(408);
        return Err(format!("{refused} agents could not register; one was answered {why}"));
    }

    let start = now();
    let after = |seconds: f64| start + (seconds * 1e9) as u64;
    let (measure_at, end_at) = (after(warmup), after(seconds));
    let pause = (1e9 / rate) as u64;
    let (mut next, mut late, mut begin) = (start, 0, None);
    while now() < end_at {
        if begin.is_none() && now() >= measure_at {
            begin = Some(Snapshot::take(server));
        }
        while next <= now() {
            late = late.max(now() - next);
            load.order();
            next += pause;
        }
        load.step(next.min(end_at));
    }
    let end = Snapshot::take(server);
    load.step_until(12_000 * MS, |load| load.open == 0);
    // Events still under way; a second copy of one would come now, too.
    load.step_until(if load.listeners.is_empty() { 0 } else { 1_000 * MS }, |_| false);
    let begin = begin.unwrap_or_else(|| end.clone());
    println!("{}", Report { mode, rate, load: &load, begin, end, late_us: late / 1_000 }.print());
    Ok(())
}

fn plan(mode: &str, options: &Options) -> Result<Plan, String> {
    let sip: SocketAddrV4 = options.get("target")?.unwrap_or(SocketAddrV4::new([127, 0, 0, 1].into(), 5060));
    let http: SocketAddrV4 = options.get("http")?.ok_or("--http ADDR:PORT is missing")?;
    if !sip.ip().is_loopback() || !http.ip().is_loopback() {
        return Err("only loopback targets are loaded".to_owned());
    }
    let own = |name, port| options.get(name).map(|given| SocketAddrV4::new(*sip.ip(), given.unwrap_or(port)));
    let ms = |name, usual: f64| options.get(name).map(|given| (given.unwrap_or(usual) * MS as f64) as u64);
    let text = |name, usual: &str| options.text(name).unwrap_or(usual).to_owned();
    let domain = if sip.port() == 5060 { sip.ip().to_string() } else { sip.to_string() };
    Ok(Plan {
        sip,
        http,
        voip: text("voip", "VOIPKEY_DEMO"),
        secret: text("secret", "SECRET_DEMO"),
        phones: own("phones-port", 5070)?,
        carrier: own("carrier-port", 5080)?,
        sound: own("sound-port", 30_000)?,
        domain: text("domain", &domain),
        first_agent: options.get("agent-base")?.unwrap_or(2_000),
        agents: options.get("agents")?.unwrap_or(100u32).max(1),
        password_prefix: text("password-prefix", "pw"),
        prefix: text("prefix", "090"),
        first_number: options.get("first-number")?.unwrap_or(now() / MS % 90_000 * 100),
        ring: ms("ring-ms", if mode == "events" { 40.0 } else { 0.0 })?,
        hold: ms("hold-ms", 100.0)?,
        hangs_up: match options.text("hang-up").unwrap_or("in-turn") {
            "agent" => HangsUp::Agent,
            "customer" => HangsUp::Customer,
            "in-turn" => HangsUp::InTurn,
            other => return Err(format!("--hang-up {other}: in-turn, agent or customer")),
        },
        listeners: options.get("listeners")?.unwrap_or(1usize).min(20),
    })
}

/// What stands on the command line as `--key value`.
struct Options(HashMap<String, String>);

impl Options {
    const KNOWN: [&str; 21] = [
        "target",
        "http",
        "server-pid",
        "rate",
        "secs",
        "warmup",
        "ring-ms",
        "hold-ms",
        "hang-up",
        "listeners",
        "voip",
        "secret",
        "agents",
        "agent-base",
        "password-prefix",
        "domain",
        "phones-port",
        "carrier-port",
        "sound-port",
        "prefix",
        "first-number",
    ];

    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = HashMap::new();
        while let Some(key) = arguments.next() {
            let name = key.trim_start_matches("--");
            if !Self::KNOWN.contains(&name) {
                return Err(format!("{key} is no option"));
            }
            let value = arguments.next().ok_or_else(|| format!("{key} has no value"))?;
            options.insert(name.to_owned(), value);
        }
        Ok(Self(options))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn get<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        self.text(name).map(|text| text.parse().map_err(|_| format!("--{name} {text} cannot be read"))).transpose()
    }
}
