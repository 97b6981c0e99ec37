//! Sound as a test needs it: an ear and a mouth for peers that only speak SIP, and recordings looked at by frequency.

use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use media::tone::{Tone, ToneListener};
use media::{Codec, Sound};

use crate::support::tools::until;

/// Samples in a packet of 20 ms.
const PACKET: usize = 160;

/// The payload type of A-law (RFC 3551).
const PCMA: u8 = 8;

/// How long a tone has to be in a recording. Whoever hears half a second of it may hang up at once, and a recording
/// begins a little later than a call.
const ENOUGH: Duration = Duration::from_millis(300);

/// A socket for RTP that says a tone and keeps what it hears.
pub struct Ear {
    /// Where it listens.
    pub port: u16,
    socket: UdpSocket,
    tone: u16,
    heard: Arc<Mutex<Vec<i16>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Ear {
    /// Listens. It says nothing before [`Self::speak_to`].
    pub fn with_tone(tone: u16) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("set");
        let port = socket.local_addr().expect("bound").port();
        let (heard, stop) = (Arc::default(), Arc::default());
        let mut ear = Self { port, socket, tone, heard, stop, threads: Vec::new() };
        let (socket, heard, stop) = (ear.socket(), Arc::clone(&ear.heard), Arc::clone(&ear.stop));
        ear.threads.push(std::thread::spawn(move || listen(&socket, &heard, &stop)));
        ear
    }

    /// Says its tone from now on.
    pub fn speak_to(&mut self, other: SocketAddr) {
        let (socket, stop, tone) = (self.socket(), Arc::clone(&self.stop), self.tone);
        self.threads.push(std::thread::spawn(move || speak(&socket, other, tone, &stop)));
    }

    /// Waits until half a second of a tone was heard.
    pub fn wait_heard(&self, hertz: u16) {
        until(&format!("a tone of {hertz} Hz is heard"), || {
            let heard = self.heard.lock().expect("a listener that lives");
            (length_of(&heard, hertz) >= Duration::from_millis(500)).then_some(())
        });
    }

    fn socket(&self) -> UdpSocket {
        self.socket.try_clone().expect("another handle")
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn listen(socket: &UdpSocket, heard: &Mutex<Vec<i16>>, stop: &AtomicBool) {
    let mut buffer = [0; 2048];
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        // A header without extension, which is what everybody sends here.
        if length > 12 && buffer[1] & 0x7f == PCMA {
            let samples = buffer[12..length].iter().map(|byte| Codec::Pcma.decode(*byte));
            heard.lock().expect("readers do not panic").extend(samples);
        }
    }
}

fn speak(socket: &UdpSocket, other: SocketAddr, hertz: u16, stop: &AtomicBool) {
    let mut tone = Tone::new(Sound::Tone { hertz });
    let start = Instant::now();
    for number in 0_u32.. {
        let due = start + Duration::from_millis(20) * number;
        while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            std::thread::park_timeout(left);
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut packet = [0; 12 + PACKET];
        packet[0] = 0x80;
        packet[1] = PCMA;
        packet[2..4].copy_from_slice(&(number as u16).to_be_bytes());
        packet[4..8].copy_from_slice(&(number * PACKET as u32).to_be_bytes());
        packet[8..12].copy_from_slice(&u32::from(hertz).to_be_bytes());
        tone.fill(Codec::Pcma, &mut packet[12..]);
        let _ = socket.send_to(&packet, other);
    }
}

/// A file of A-law samples with one second of a tone, that may be played over and over.
pub fn a_law_file(folder: &std::path::Path, hertz: u16) -> std::path::PathBuf {
    let mut samples = vec![0; 8_000];
    Tone::new(Sound::Tone { hertz }).fill(Codec::Pcma, &mut samples);
    let file = folder.join(format!("{hertz}.alaw"));
    std::fs::write(&file, samples).expect("written");
    file
}

/// A WAV file of one channel with a tone of so many seconds.
pub fn tone_file(hertz: u16, seconds: u32) -> Vec<u8> {
    let mut tone = Tone::new(Sound::Tone { hertz });
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).expect("a file");
    (0..seconds * spec.sample_rate).for_each(|_| writer.write_sample(tone.sample()).expect("written"));
    writer.finalize().expect("whole");
    file.into_inner()
}

/// The samples of a WAV file of one channel that is still being written: its lengths are true only when it is whole, and
/// some programs write its head last.
pub fn wav_samples(bytes: &[u8]) -> Vec<i16> {
    const HEAD: usize = 44;
    let sound = bytes.windows(4).position(|four| four == b"data").map_or(HEAD, |at| at + 8);
    let samples = bytes.get(sound..).unwrap_or_default().chunks_exact(2);
    samples.map(|sample| i16::from_le_bytes([sample[0], sample[1]])).collect()
}

/// How long a tone is heard in samples at 8 kHz.
pub fn length_of(samples: &[i16], hertz: u16) -> Duration {
    let mut listener = ToneListener::new(hertz);
    listener.listen(samples.iter().copied());
    listener.heard()
}

/// A recording, read by a reader of WAV files that is not ours.
pub struct Recording {
    /// The left channel.
    pub customer: Vec<i16>,
    /// The right channel.
    pub agent: Vec<i16>,
}

impl Recording {
    /// Reads a whole file.
    pub fn read(bytes: &[u8]) -> Self {
        let mut reader = hound::WavReader::new(Cursor::new(bytes)).expect("a WAV file");
        let spec = reader.spec();
        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 8_000, 16));
        let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>().expect("whole samples");
        let channel = |n: usize| samples.iter().skip(n).step_by(2).copied().collect();
        Self { customer: channel(0), agent: channel(1) }
    }

    /// How long it plays.
    pub fn length(&self) -> Duration {
        length(self.customer.len())
    }

    /// The customer's tone is left, the agent's right, each for a while, and neither is on the other side.
    pub fn holds(&self, customer: u16, agent: u16) {
        let whole = self.length();
        let found =
            [(&self.customer, customer), (&self.agent, agent), (&self.customer, agent), (&self.agent, customer)]
                .map(|(channel, hertz)| length_of(channel, hertz));
        assert!(
            found[0] >= ENOUGH && found[1] >= ENOUGH && found[2..] == [Duration::ZERO; 2],
            "of {whole:?}: customer {customer} Hz left for {:?}, right for {:?}; agent {agent} Hz right for {:?}, left for {:?}",
            found[0],
            found[3],
            found[1],
            found[2]
        );
    }

    /// The end of it.
    pub fn last(&self, time: Duration) -> Self {
        let from = self.customer.len().saturating_sub((time.as_millis() * 8) as usize);
        Self { customer: self.customer[from..].to_vec(), agent: self.agent[from..].to_vec() }
    }

    /// One tone is in both channels, as when the customer's side sends back what it hears.
    pub fn echoes(&self, hertz: u16) {
        for (side, channel) in [("customer", &self.customer), ("agent", &self.agent)] {
            let found = length_of(channel, hertz);
            assert!(found >= ENOUGH, "{side}: {hertz} Hz for {found:?} of {:?}", self.length());
        }
    }

    /// Cuts it where the agent was silent for longest: what was before, how long that was, what came after.
    pub fn around_silence(&self) -> (Self, Duration, Self) {
        const LOUD: u16 = 300;
        let (mut longest, mut since) = (0..0, 0);
        for (at, sample) in self.agent.iter().enumerate() {
            if sample.unsigned_abs() > LOUD {
                since = at + 1;
            } else if at + 1 - since > longest.len() {
                longest = since..at + 1;
            }
        }
        let part = |range: Range<usize>| Self {
            customer: self.customer[range.clone()].to_vec(),
            agent: self.agent[range].to_vec(),
        };
        (part(0..longest.start), length(longest.len()), part(longest.end..self.customer.len()))
    }
}

/// How long so many samples play.
fn length(samples: usize) -> Duration {
    Duration::from_secs(samples as u64) / 8_000
}
