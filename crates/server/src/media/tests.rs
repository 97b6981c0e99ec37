//! Real sockets, threads and files on the loopback: a call with a tone on each side, recorded.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use ::media::keys::KeyPress;
use ::media::rtp::{self, Header};
use ::media::tone::{Tone, ToneListener};
use ::media::{
    Codec, Order, RecordingKey, Report, SessionId, Sound, SoundAddress, Sources, Stream, Trouble, WavHeader, WorkerId,
};
use api::Metrics;
use sha2::{Digest, Sha256};

use super::{MediaConfig, MediaHandle, Size, StartError, start_sized};

const WORKER: WorkerId = WorkerId(0);
const PATIENCE: Duration = Duration::from_secs(5);

/// An address on the loopback that no other process uses, so that its ports are ours.
pub(super) fn loopback() -> IpAddr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | high & 63, middle, low).into()
}

/// Media workers under test, and what they tell.
struct Floor {
    media: MediaHandle,
    reports: Receiver<Report>,
    /// Reports that nobody has asked for.
    told: Vec<Report>,
    stock: Vec<SoundAddress>,
    folder: tempfile::TempDir,
    metrics: Arc<Metrics>,
}

impl Floor {
    fn start(ports: RangeInclusive<u16>) -> Self {
        Self::start_at(loopback(), ports)
    }

    fn start_at(ip: IpAddr, ports: RangeInclusive<u16>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Arc::new(Metrics::default());
        let (tell, reports) = mpsc::channel();
        let config = MediaConfig {
            addresses: vec![ip],
            ports,
            recordings: folder.path().into(),
            min_free_mb: 0,
            metrics: metrics.clone(),
        };
        let report = move |_, told| tell.send(told).unwrap();
        let media = start_sized(config, Size { workers: 1, stock: 4 }, report).unwrap();
        Self { media, reports, told: Vec::new(), stock: Vec::new(), folder, metrics }
    }

    fn order(&self, order: Order) {
        assert_eq!(self.media.order(WORKER, order), None);
    }

    /// Opens a session for this phone, with an address of the stock; gives the server's address.
    fn open(&mut self, session: u64, phone: &Phone) -> SocketAddr {
        while self.stock.is_empty() {
            self.hear();
        }
        let address = self.stock.remove(0);
        let stream = Some(phone.stream());
        self.order(Order::Open { session: SessionId(session), address: address.id, stream });
        SocketAddr::new(phone.socket.local_addr().unwrap().ip(), address.port)
    }

    /// What this finds in a report that has come or comes.
    fn report<T>(&mut self, find: impl Fn(&Report) -> Option<T>) -> T {
        loop {
            if let Some(found) = self.told.iter().find_map(&find) {
                return found;
            }
            self.hear();
        }
    }

    fn hear(&mut self) {
        match self.reports.recv_timeout(PATIENCE).expect("a report") {
            Report::Addresses(fresh) => self.stock.extend(fresh),
            report => self.told.push(report),
        }
    }

    fn stop(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.media.stop());
    }
}

/// One that sends a tone and listens.
struct Phone {
    socket: UdpSocket,
    codec: Codec,
    tone: Tone,
    listener: ToneListener,
    header: Header,
}

impl Phone {
    fn new(codec: Codec, sends: u16, hears: u16) -> Self {
        Self::at(loopback(), codec, sends, hears)
    }

    fn at(ip: IpAddr, codec: Codec, sends: u16, hears: u16) -> Self {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        let payload_type = codec.static_payload_type().unwrap();
        let header = Header { marker: true, payload_type, sequence: 1, timestamp: 1, ssrc: sends.into() };
        let tone = Tone::new(Sound::Tone { hertz: sends });
        Self { socket, codec, tone, listener: ToneListener::new(hears), header }
    }

    fn stream(&self) -> Stream {
        let payload_type = self.codec.static_payload_type().unwrap();
        Stream {
            codec: self.codec,
            payload_type,
            receive_payload_type: payload_type,
            keys: Some(101),
            receive_keys: Some(101),
            keys_clock: 8_000,
            key_tones: true,
            remote: Some(self.socket.local_addr().unwrap()),
            sources: Sources::Any { signalling: None },
            remote_rtcp: None,
            rtcp_mux: false,
            crypto: None,
            comfort: None,
            silence: None,
            send: true,
            receive: true,
            packet_ms: 20,
        }
    }

    fn say(&mut self, to: SocketAddr) {
        let mut payload = [0; 160];
        self.tone.fill(self.codec, &mut payload);
        let packet = [&self.header.print()[..], &payload].concat();
        self.socket.send_to(&packet, to).unwrap();
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(160);
    }

    /// Hears what comes until then.
    fn listen(&mut self, until: Instant) {
        let mut packet = [0; 2000];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.socket.set_read_timeout(Some(left)).unwrap();
            let Ok(length) = self.socket.recv(&mut packet) else { continue };
            let (_, payload) = rtp::parse(&packet[..length]).unwrap();
            self.listener.listen(packet[payload].iter().map(|&byte| self.codec.decode(byte)));
        }
    }
}

#[test]
fn a_call_is_heard_on_both_sides_and_in_both_channels_of_its_recording() {
    let mut floor = Floor::start(13_000..=13_099);
    let mut customer = Phone::new(Codec::Pcma, 440, 1000);
    let mut agent = Phone::new(Codec::Pcmu, 1000, 440);
    let to = [floor.open(1, &customer), floor.open(2, &agent)];
    floor.order(Order::Join { a: SessionId(1), b: SessionId(2) });
    let (recording, file) = (RecordingKey(9), PathBuf::from("2026/call.wav"));
    floor.order(Order::Record { recording, file, customer: vec![SessionId(1)], agent: vec![SessionId(2)] });
    let begin = Instant::now();

    for n in 1..=75 {
        customer.say(to[0]);
        agent.say(to[1]);
        let next = begin + Duration::from_millis(20) * n;
        customer.listen(next - Duration::from_millis(8));
        agent.listen(next);
    }
    floor.order(Order::StopRecording { recording });
    for session in [1, 2] {
        floor.order(Order::Close { session: SessionId(session) });
    }

    assert!(customer.listener.heard() > Duration::from_millis(1200), "{:?}", customer.listener.heard());
    assert!(agent.listener.heard() > Duration::from_millis(1200), "{:?}", agent.listener.heard());
    let quality = floor.report(|report| match report {
        Report::Quality { session: SessionId(1), quality } => Some(*quality),
        _ => None,
    });
    assert_eq!((quality.received, quality.lost, quality.ignored), (75, 0, 0));
    let (milliseconds, gap, bytes, sha256) = floor.report(|report| match *report {
        Report::RecordingClosed { recording: RecordingKey(9), milliseconds, gap_milliseconds, bytes, sha256 } => {
            Some((milliseconds, gap_milliseconds, bytes, sha256))
        }
        _ => None,
    });
    let file = std::fs::read(floor.folder.path().join("2026/call.wav")).unwrap();
    assert_eq!((gap, bytes, sha256), (0, file.len() as u64, Sha256::digest(&file).into()));
    assert!((1400..3000).contains(&milliseconds), "{milliseconds}");
    let heard = |at: usize, hertz| {
        let moments = file[WavHeader::LENGTH..].chunks(4);
        let mut listener = ToneListener::new(hertz);
        listener.listen(moments.map(|moment| i16::from_le_bytes([moment[at], moment[at + 1]])));
        listener.heard()
    };
    assert!(heard(0, 440) > Duration::from_millis(1000), "{:?}", heard(0, 440));
    assert!(heard(2, 1000) > Duration::from_millis(1000), "{:?}", heard(2, 1000));
    assert_eq!([heard(0, 1000), heard(2, 440)], [Duration::ZERO; 2]);
    floor.stop();
    assert_eq!(floor.metrics.rtp_received.get(), 150);
    assert_eq!((floor.metrics.sound_sessions.get(), floor.metrics.recordings_live.get()), (0, 0));
}

#[test]
fn phones_of_both_address_families_hear_each_other_by_one_socket_for_both() {
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        // This machine has no IPv6 at all.
        return;
    }
    let mut floor = Floor::start_at(Ipv6Addr::UNSPECIFIED.into(), 13_700..=13_799);
    let mut four = Phone::new(Codec::Pcma, 440, 1000);
    let mut six = Phone::at(Ipv6Addr::LOCALHOST.into(), Codec::Pcma, 1000, 440);
    let to = [floor.open(1, &four), floor.open(2, &six)];
    floor.order(Order::Join { a: SessionId(1), b: SessionId(2) });
    let begin = Instant::now();

    for n in 1..=30 {
        four.say(to[0]);
        six.say(to[1]);
        let next = begin + Duration::from_millis(20) * n;
        four.listen(next - Duration::from_millis(8));
        six.listen(next);
    }

    for phone in [&four, &six] {
        assert!(phone.listener.heard() > Duration::from_millis(400), "{:?}", phone.listener.heard());
    }
    floor.stop();
}

#[test]
fn a_tone_is_played_to_a_phone_and_its_key_is_told() {
    let mut floor = Floor::start(13_100..=13_199);
    let mut phone = Phone::new(Codec::Pcma, 440, 425);
    let to = floor.open(1, &phone);
    floor.order(Order::Play { session: SessionId(1), sound: Sound::Ringback });

    phone.listen(Instant::now() + Duration::from_millis(500));
    for event in KeyPress::new('5', 800).unwrap() {
        let header = Header { payload_type: 101, ..phone.header };
        phone.socket.send_to(&[&header.print()[..], &event.print()].concat(), to).unwrap();
        phone.header.sequence += 1;
    }

    let key = floor.report(|report| match report {
        Report::Key { session, key } => Some((*session, *key)),
        _ => None,
    });
    assert_eq!(key, (SessionId(1), '5'));
    assert!(phone.listener.heard() > Duration::from_millis(350), "{:?}", phone.listener.heard());
    floor.stop();
}

#[test]
fn recordings_are_whole_when_the_workers_have_stopped() {
    let mut floor = Floor::start(13_200..=13_299);
    let phones = [Phone::new(Codec::Pcma, 440, 1), Phone::new(Codec::Pcma, 440, 1)];
    floor.open(1, &phones[0]);
    floor.open(2, &phones[1]);
    let (recording, file) = (RecordingKey(1), PathBuf::from("call.wav"));
    floor.order(Order::Record { recording, file, customer: vec![SessionId(1)], agent: vec![SessionId(2)] });
    // Answered after the order before it, so the recording has begun.
    floor.order(Order::Close { session: SessionId(77) });
    floor.report(|report| matches!(report, Report::Failed { .. }).then_some(()));

    floor.stop();

    floor.report(|report| matches!(report, Report::RecordingClosed { .. }).then_some(()));
    let file = std::fs::read(floor.folder.path().join("call.wav")).unwrap();
    assert_eq!(file[..WavHeader::LENGTH], WavHeader::print(file.len() as u64 - 44));
}

#[test]
fn one_file_holds_a_conversation_a_pause_and_whoever_took_over() {
    let mut floor = Floor::start(13_800..=13_899);
    let mut customer = Phone::new(Codec::Pcma, 440, 1);
    let mut agents = [Phone::new(Codec::Pcma, 1000, 1), Phone::new(Codec::Pcma, 2000, 1)];
    let to = [floor.open(1, &customer), floor.open(2, &agents[0]), floor.open(3, &agents[1])];
    let (recording, file) = (RecordingKey(4), PathBuf::from("call.wav"));
    floor.order(Order::Join { a: SessionId(1), b: SessionId(2) });
    floor.order(Order::Record { recording, file, customer: vec![SessionId(1)], agent: vec![SessionId(2)] });
    let mut talk = |packets: u32| {
        let begin = Instant::now();
        for n in 1..=packets {
            customer.say(to[0]);
            agents[0].say(to[1]);
            agents[1].say(to[2]);
            customer.listen(begin + Duration::from_millis(20) * n);
        }
    };

    talk(40);
    floor.order(Order::PauseRecording { recording, paused: true });
    talk(40);
    floor.order(Order::Close { session: SessionId(2) });
    floor.order(Order::Join { a: SessionId(1), b: SessionId(3) });
    floor.order(Order::RecordSides { recording, customer: vec![SessionId(1)], agent: vec![SessionId(3)] });
    floor.order(Order::PauseRecording { recording, paused: false });
    talk(40);
    floor.order(Order::StopRecording { recording });

    let milliseconds = floor.report(|report| match *report {
        Report::RecordingClosed { recording: RecordingKey(4), milliseconds, .. } => Some(milliseconds),
        _ => None,
    });
    let file = std::fs::read(floor.folder.path().join("call.wav")).unwrap();
    let heard = |at: usize, hertz| {
        let mut listener = ToneListener::new(hertz);
        let moments = file[WavHeader::LENGTH..].chunks(4);
        listener.listen(moments.map(|moment| i16::from_le_bytes([moment[at], moment[at + 1]])));
        listener.heard().as_millis()
    };
    // A busy machine may lose a packet or two; each spoke for 800 ms before and after the pause.
    assert!((2_200..4_000).contains(&milliseconds), "{milliseconds}");
    assert!((1_200..1_640).contains(&heard(0, 440)), "{}", heard(0, 440));
    assert!((600..840).contains(&heard(2, 1000)), "{}", heard(2, 1000));
    assert!((600..840).contains(&heard(2, 2000)), "{}", heard(2, 2000));
    floor.stop();
}

#[test]
fn an_address_that_was_not_told_is_not_opened() {
    let mut floor = Floor::start(13_300..=13_399);
    let phone = Phone::new(Codec::Pcma, 440, 1);
    let address = ::media::AddressId(4000);
    floor.order(Order::Open { session: SessionId(5), address, stream: Some(phone.stream()) });

    let failed = floor.report(|report| matches!(report, Report::Failed { .. }).then(|| report.clone()));

    assert_eq!(failed, Report::Failed { session: SessionId(5), why: Trouble::AddressNotFree });
    floor.stop();
}

#[test]
fn addresses_that_were_used_up_are_made_up_for() {
    let mut floor = Floor::start(13_400..=13_499);
    let phone = Phone::new(Codec::Pcma, 440, 1);

    let ports: std::collections::BTreeSet<_> = (1..=20).map(|session| floor.open(session, &phone).port()).collect();

    assert_eq!(ports.len(), 20);
    floor.stop();
}

#[test]
fn orders_to_a_worker_that_has_stopped_are_refused() {
    let floor = Floor::start(13_500..=13_599);
    floor.stop();

    let refused = floor.media.order(WORKER, Order::Part { session: SessionId(1) });

    assert_eq!(refused, Some(Report::Failed { session: SessionId(1), why: Trouble::Full }));
    assert!(floor.media.order(WorkerId(7), Order::Part { session: SessionId(1) }).is_some());
}

#[test]
fn an_address_without_a_free_port_is_told_at_the_start() {
    let taken: Vec<_> = (13_600..13_604).map(|port| UdpSocket::bind((loopback(), port)).unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    let config = MediaConfig {
        addresses: vec![loopback()],
        ports: 13_600..=13_603,
        recordings: folder.path().into(),
        min_free_mb: 0,
        metrics: Arc::default(),
    };

    let error = start_sized(config, Size { workers: 1, stock: 4 }, |_, _| {}).err().unwrap();

    assert!(matches!(error, StartError::NoPorts { first: 13_600, .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!("no pair of ports for sound is free on {} between 13600 and 13603", loopback())
    );
    drop(taken);
}
