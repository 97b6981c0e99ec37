//! The sound of the world: real media workers without sockets or files. Packets go straight to whom they are for;
//! addresses rest before they are given out again; recordings are kept in memory.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use media::{
    AddressId, Channel, Order, Output, PACKET, RecordingKey, RecordingStep, Report, SessionId, SoundAddress, Trouble,
    WavHeader, Worker, WorkerConfig, WorkerId,
};

/// Workers.
const WORKERS: u16 = 2;
/// Addresses of each worker, at most.
const ADDRESSES: u32 = 200;
/// How long an address rests after its use.
const REST: Duration = Duration::from_secs(2);
/// The first port.
const FIRST_PORT: u16 = 20_000;

/// All workers.
pub struct Floor {
    ip: IpAddr,
    /// Addresses of each worker.
    each: u32,
    workers: Vec<Worker>,
    resting: BTreeMap<(Duration, u64), SoundAddress>,
    tapes: BTreeMap<(WorkerId, RecordingKey), Tape>,
    /// Recordings that are whole, or were when their writer died.
    shelf: BTreeMap<String, Vec<u8>>,
    buffer: Vec<u8>,
    count: u64,
}

#[derive(Debug)]
struct Tape {
    file: PathBuf,
    sound: Vec<u8>,
}

/// What a step has brought.
#[derive(Debug, Default)]
pub struct Brought {
    /// For the engine.
    pub reports: Vec<(WorkerId, Report)>,
    /// For phones: where it comes from, where it goes, what.
    pub packets: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
}

impl Floor {
    /// Workers at an address of ours.
    pub fn new(ip: IpAddr, started: Instant, wall: Duration, mut seed: impl FnMut() -> [u8; 32]) -> Self {
        let mut worker = || {
            let config = WorkerConfig { seed: seed(), started, wall, max_sessions: 10_000, max_recordings: 10_000 };
            Worker::new(&config)
        };
        Self {
            ip,
            each: ADDRESSES,
            workers: (0..WORKERS).map(|_| worker()).collect(),
            resting: BTreeMap::new(),
            tapes: BTreeMap::new(),
            shelf: BTreeMap::new(),
            buffer: vec![0; PACKET],
            count: 0,
        }
    }

    /// So many addresses a worker from the next start on.
    pub fn stock_only(&mut self, addresses: u32) {
        self.each = addresses.min(ADDRESSES);
    }

    /// Everything that is being recorded fails: the disk is full.
    pub fn fail_recordings(&mut self) -> Brought {
        let tapes = std::mem::take(&mut self.tapes);
        let why = Trouble::File("no space left on device".into());
        let failed = |(worker, recording)| (worker, Report::RecordingFailed { recording, why: why.clone() });
        Brought { reports: tapes.into_keys().map(failed).collect(), packets: Vec::new() }
    }

    /// A session that is open fails.
    pub fn fail_session(&self, worker: WorkerId, session: SessionId) -> Brought {
        let report = Report::Failed { session, why: Trouble::Full };
        Brought { reports: vec![(worker, report)], packets: Vec::new() }
    }

    /// All addresses, at the start.
    pub fn stock(&self) -> Vec<(WorkerId, Report)> {
        let addresses = |worker| (0..self.each).map(move |id| address(WorkerId(worker), AddressId(id))).collect();
        (0..WORKERS).map(|worker| (WorkerId(worker), Report::Addresses(addresses(worker)))).collect()
    }

    /// How many addresses there are.
    pub fn addresses(&self) -> usize {
        usize::from(WORKERS) * self.each as usize
    }

    /// How many sessions and recordings are open.
    pub fn open(&self) -> (usize, usize) {
        (self.workers.iter().map(|worker| worker.load().sessions).sum(), self.tapes.len())
    }

    /// Carries out an order.
    pub fn order(&mut self, now: Duration, mono: Instant, worker: WorkerId, order: Order) -> Brought {
        self.workers[usize::from(worker.0)].handle_order(mono, order);
        self.bring(now, worker)
    }

    /// When a worker wants to be woken, or an address has rested.
    pub fn poll(&self, mono: Instant, now: Duration) -> Option<Duration> {
        let workers = self.workers.iter().filter_map(Worker::poll_timeout);
        let next = workers.min().map(|at| now + at.saturating_duration_since(mono));
        let rested = self.resting.first_key_value().map(|((at, _), _)| *at);
        [next, rested].into_iter().flatten().min()
    }

    /// Lets time pass.
    pub fn wake(&mut self, now: Duration, mono: Instant) -> Brought {
        let mut brought = Brought::default();
        while let Some(entry) = self.resting.first_entry().filter(|entry| entry.key().0 <= now) {
            let address = entry.remove();
            brought.reports.push((address.worker, Report::Addresses(vec![address])));
        }
        for worker in 0..WORKERS {
            let machine = &mut self.workers[usize::from(worker)];
            if machine.poll_timeout().is_some_and(|at| at <= mono) {
                machine.handle_timeout(mono);
                brought.add(self.bring(now, WorkerId(worker)));
            }
        }
        brought
    }

    /// A packet comes to one of our ports.
    pub fn hear(
        &mut self,
        now: Duration,
        mono: Instant,
        from: SocketAddr,
        to: SocketAddr,
        mut packet: Vec<u8>,
    ) -> Brought {
        let Some((worker, id)) = place_of(to.port()).filter(|_| to.ip() == self.ip) else { return Brought::default() };
        let length = packet.len();
        packet.resize(length.max(PACKET), 0);
        let relayed = self.workers[usize::from(worker.0)].handle_sound(mono, id, from, length, &mut packet);
        let mut brought = self.bring(now, worker);
        if let Some(relayed) = relayed {
            let source = SocketAddr::new(self.ip, address(worker, relayed.address).port);
            brought.packets.push((source, relayed.to, packet[relayed.bytes].to_vec()));
        }
        brought
    }

    /// The process dies: sessions are gone, recordings are what their files hold.
    pub fn crash(&mut self) {
        for (_, tape) in std::mem::take(&mut self.tapes) {
            self.shelf.insert(name(&tape.file), tape.sound);
        }
        self.resting.clear();
    }

    /// Workers begin anew, after a crash.
    pub fn restart(&mut self, started: Instant, wall: Duration, seed: impl FnMut() -> [u8; 32]) {
        let (shelf, each) = (std::mem::take(&mut self.shelf), self.each);
        *self = Self { shelf, each, ..Self::new(self.ip, started, wall, seed) };
    }

    /// The sound of a recording: left and right.
    pub fn recorded(&self, file: &str) -> Option<(Vec<i16>, Vec<i16>)> {
        let sound = self.shelf.get(file)?;
        let moments = sound.chunks_exact(4);
        let sample = |a: u8, b: u8| i16::from_le_bytes([a, b]);
        Some(moments.map(|m| (sample(m[0], m[1]), sample(m[2], m[3]))).unzip())
    }

    /// The length of a recording's sound in bytes.
    pub fn recorded_bytes(&self, file: &str) -> Option<u64> {
        self.shelf.get(file).map(|sound| sound.len() as u64)
    }

    fn bring(&mut self, now: Duration, worker: WorkerId) -> Brought {
        let mut brought = Brought::default();
        let machine = &mut self.workers[usize::from(worker.0)];
        while let Some(output) = machine.poll_output(&mut self.buffer) {
            match output {
                Output::Packet(packet) if packet.channel == Channel::Sound => {
                    let source = SocketAddr::new(self.ip, address(worker, packet.address).port);
                    brought.packets.push((source, packet.to, self.buffer[packet.bytes].to_vec()));
                }
                // Phones of the world take no RTCP.
                Output::Packet(_) => {}
                Output::Report(report) => brought.reports.push((worker, report)),
                Output::Freed(id) => {
                    self.count += 1;
                    self.resting.insert((now + REST, self.count), address(worker, id));
                }
                Output::Recording(RecordingStep::Begin { recording, file }) => {
                    self.tapes.insert((worker, recording), Tape { file, sound: Vec::new() });
                }
                Output::Recording(RecordingStep::Sound { recording, sound }) => {
                    if let Some(tape) = self.tapes.get_mut(&(worker, recording)) {
                        tape.sound.extend_from_slice(&sound);
                    }
                    machine.give_back(sound);
                }
                Output::Recording(RecordingStep::End { recording, gap }) => {
                    let Some(tape) = self.tapes.remove(&(worker, recording)) else { continue };
                    brought.reports.push((worker, closed(recording, tape.sound.len() as u64, gap)));
                    self.shelf.insert(name(&tape.file), tape.sound);
                }
            }
        }
        brought
    }
}

impl Brought {
    fn add(&mut self, more: Brought) {
        self.reports.extend(more.reports);
        self.packets.extend(more.packets);
    }
}

impl std::fmt::Debug for Floor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Floor").field("open", &self.open()).finish_non_exhaustive()
    }
}

fn closed(recording: RecordingKey, sound: u64, gap: Duration) -> Report {
    let mut sha256 = [0; 32];
    // The hash is the file writer's business; one that stands for this length will do.
    sha256[..8].copy_from_slice(&sound.to_be_bytes());
    Report::RecordingClosed {
        recording,
        milliseconds: WavHeader::milliseconds(sound),
        gap_milliseconds: u64::try_from(gap.as_millis()).unwrap_or(u64::MAX),
        bytes: sound + WavHeader::LENGTH as u64,
        sha256,
    }
}

fn address(worker: WorkerId, id: AddressId) -> SoundAddress {
    let place = u32::from(worker.0) * ADDRESSES + id.0;
    SoundAddress { worker, id, interface: 0, port: FIRST_PORT + 2 * u16::try_from(place).unwrap_or_default() }
}

fn place_of(port: u16) -> Option<(WorkerId, AddressId)> {
    let place = u32::from(port.checked_sub(FIRST_PORT)?) / 2;
    let worker = u16::try_from(place / ADDRESSES).ok().filter(|worker| *worker < WORKERS)?;
    port.is_multiple_of(2).then_some((WorkerId(worker), AddressId(place % ADDRESSES)))
}

fn name(file: &std::path::Path) -> String {
    file.to_string_lossy().into_owned()
}
