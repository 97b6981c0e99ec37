//! What the server and the machine used over a window, and how delays are summed up.

use std::fmt::Write;

use crate::net::now;

/// The machine at one moment.
#[derive(Clone, Default)]
pub struct Snapshot {
    at: u64,
    /// CPU time of the server and of ourselves, in nanoseconds.
    server: u64,
    own: u64,
    /// The server's memory (Pss), in kB.
    memory: u64,
    /// Ticks of each core: name, busy, all.
    cores: Vec<(String, u64, u64)>,
    /// Datagrams that found no room, on the whole machine.
    drops: u64,
}

impl Snapshot {
    /// Looks now. Without a server's process id its figures are zero.
    pub fn take(server: Option<i32>) -> Self {
        Self {
            at: now(),
            server: server.map_or(0, cpu_time),
            own: cpu_time(std::process::id() as i32),
            memory: server.map_or(0, memory),
            cores: cores(),
            drops: drops(),
        }
    }

    pub fn at(&self) -> u64 {
        self.at
    }

    /// CPU time that the server used up to `end`, in milliseconds.
    pub fn server_ms_until(&self, end: &Self) -> f64 {
        end.server.saturating_sub(self.server) as f64 / 1e6
    }

    /// Members of a JSON object for the window from here to `end`.
    pub fn window(&self, end: &Self) -> String {
        let seconds = (end.at - self.at) as f64 / 1e9;
        let percent = |used: u64| used as f64 / 1e7 / seconds;
        let mut out = format!(
            "\"window_s\":{seconds:.2},\"server_cpu_pct\":{:.1},\"gen_cpu_pct\":{:.1},\"rss_kb\":{},\"udp_rcvbuf_drops\":{}",
            percent(end.server.saturating_sub(self.server)),
            percent(end.own.saturating_sub(self.own)),
            end.memory,
            end.drops.saturating_sub(self.drops),
        );
        for (before, after) in self.cores.iter().zip(&end.cores) {
            let busy = (after.1 - before.1) as f64 * 100.0 / (after.2 - before.2).max(1) as f64;
            let _ = write!(out, ",\"{}\":{{\"busy_pct\":{busy:.1}}}", before.0);
        }
        out
    }
}

/// A member of a JSON object that sums up delays given in nanoseconds, in microseconds; null without any.
pub fn percentiles(name: &str, mut delays: Vec<u64>) -> String {
    if delays.is_empty() {
        return format!("\"{name}\":null");
    }
    delays.sort_unstable();
    let at = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize] as f64 / 1e3;
    format!(
        "\"{name}\":{{\"n\":{},\"p50\":{:.1},\"p90\":{:.1},\"p99\":{:.1},\"max\":{:.1}}}",
        delays.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    )
}

/// The process's CPU clock: exact, where `/proc` counts ticks of 10 ms.
fn cpu_time(process: i32) -> u64 {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one clock id and one timespec to valid places.
    let failed =
        unsafe { libc::clock_getcpuclockid(process, &mut clock) != 0 || libc::clock_gettime(clock, &mut time) != 0 };
    if failed { 0 } else { time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64 }
}

fn memory(process: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let pss = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    pss.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn cores() -> Vec<(String, u64, u64)> {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let core = |line: &str| {
        let (name, rest) = line.split_once(' ').filter(|(name, _)| name.starts_with("cpu") && *name != "cpu")?;
        let ticks: Vec<u64> = rest.split_whitespace().take(8).filter_map(|field| field.parse().ok()).collect();
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        let all: u64 = ticks.iter().sum();
        Some((name.to_owned(), all - idle, all))
    };
    text.lines().filter_map(core).collect()
}

fn drops() -> u64 {
    let text = std::fs::read_to_string("/proc/net/snmp").unwrap_or_default();
    let mut udp = text.lines().filter(|line| line.starts_with("Udp:")).map(str::split_whitespace);
    let (Some(names), Some(values)) = (udp.next(), udp.next()) else { return 0 };
    names.zip(values).find(|(name, _)| *name == "RcvbufErrors").and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}
