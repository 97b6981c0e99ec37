//! Writes recordings to files: one thread that writes, and one that seals what is whole.
//!
//! Workers hand over buffers and never wait for this thread; when it is late, they run out of buffers and leave time
//! out. Sound that the disk does not take is silence in the file, and its time is told as missing. The header of each file is made true every second, so that a file plays up to the moment the program dies.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ::media::{RecordingKey, RecordingStep, Report, Trouble, WavHeader, WorkerId};
use sha2::{Digest, Sha256};

use super::room::Room;

/// Steps that may wait. More wait with the workers.
const STEPS: usize = 4096;

/// Files that may wait to be sealed. With more, writing waits, and recordings lose time.
const TO_SEAL: usize = 1024;

/// How often headers are made true.
const HEADERS: Duration = Duration::from_secs(1);

/// How often the room on the disk is looked at besides.
const LOOK: Duration = Duration::from_secs(30);

/// Writes to a file at a place.
type Write = fn(&File, &[u8], u64) -> io::Result<()>;

/// The threads; they end when the last sender is dropped and all files are whole.
pub struct Recorder {
    pub steps: SyncSender<Step>,
    pub writer: JoinHandle<()>,
    pub sealer: JoinHandle<()>,
}

/// What one worker asks for.
pub struct Step {
    pub worker: WorkerId,
    pub step: RecordingStep,
}

/// Starts the threads. `buffers` takes each worker's buffers back.
pub fn start<R>(folder: PathBuf, room: Room, buffers: Vec<Sender<Vec<u8>>>, reports: R) -> io::Result<Recorder>
where
    R: Fn(WorkerId, Report) + Clone + Send + 'static,
{
    start_writing(folder, room, buffers, reports, |file, bytes, at| file.write_all_at(bytes, at))
}

fn start_writing<R>(
    folder: PathBuf,
    room: Room,
    buffers: Vec<Sender<Vec<u8>>>,
    reports: R,
    write: Write,
) -> io::Result<Recorder>
where
    R: Fn(WorkerId, Report) + Clone + Send + 'static,
{
    let (steps, waiting) = sync_channel(STEPS);
    let (whole, to_seal) = sync_channel(TO_SEAL);
    let tell = reports.clone();
    let sealer = thread::Builder::new().name("recording-seal".into()).spawn(move || seal_all(&to_seal, &tell))?;
    let writer = Writer { folder, room, write, buffers, reports, whole, files: BTreeMap::new() };
    let writer = thread::Builder::new().name("recordings".into()).spawn(move || writer.run(&waiting))?;
    Ok(Recorder { steps, writer, sealer })
}

struct Writer<R> {
    folder: PathBuf,
    room: Room,
    write: Write,
    buffers: Vec<Sender<Vec<u8>>>,
    reports: R,
    whole: SyncSender<Whole>,
    files: BTreeMap<(WorkerId, RecordingKey), Growing>,
}

/// A file that is being written.
struct Growing {
    file: File,
    /// Bytes of sound in it.
    sound: u64,
    /// Those of them that could not be written: silence.
    lost: u64,
    /// Bytes of sound that its header tells of.
    told: u64,
}

/// A file to which nothing is added any more.
struct Whole {
    worker: WorkerId,
    recording: RecordingKey,
    file: File,
    sound: u64,
    gap: Duration,
}

impl<R: Fn(WorkerId, Report)> Writer<R> {
    fn run(mut self, waiting: &Receiver<Step>) {
        let mut headers_at = Instant::now() + HEADERS;
        let mut look_at = Instant::now();
        loop {
            if Instant::now() >= look_at {
                // Only a recording that begins asks what came of it.
                let _ = self.room.look();
                look_at = Instant::now() + LOOK;
            }
            // Without files there are no headers to be kept.
            let wake_at = if self.files.is_empty() { look_at } else { headers_at.min(look_at) };
            match waiting.recv_timeout(wake_at.saturating_duration_since(Instant::now())) {
                Ok(step) => self.take(step),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= headers_at {
                self.keep_headers();
                headers_at = Instant::now() + HEADERS;
            }
        }
        self.keep_headers();
    }

    fn take(&mut self, Step { worker, step }: Step) {
        match step {
            RecordingStep::Begin { recording, file } => {
                let begun = self.room.look().map_err(io::Error::other).and_then(|()| begin(&self.folder, &file));
                if let Some(file) = self.kept(worker, recording, begun) {
                    self.files.insert((worker, recording), Growing { file, sound: 0, lost: 0, told: 0 });
                }
            }
            RecordingStep::Sound { recording, sound } => {
                if let Some(growing) = self.files.get_mut(&(worker, recording)) {
                    growing.append(self.write, &sound, recording);
                }
                if let Some(back) = self.buffers.get(usize::from(worker.0)) {
                    // A worker that has ended wants no buffers.
                    let _ = back.send(sound);
                }
            }
            RecordingStep::End { recording, gap } => {
                let Some(mut growing) = self.files.remove(&(worker, recording)) else { return };
                let ended = growing.end(self.write);
                if self.kept(worker, recording, ended).is_some() {
                    let Growing { file, sound, lost, .. } = growing;
                    let gap = gap + Duration::from_millis(WavHeader::milliseconds(lost));
                    // The sealer ends after this thread.
                    let _ = self.whole.send(Whole { worker, recording, file, sound, gap });
                }
            }
        }
    }

    fn keep_headers(&mut self) {
        for growing in self.files.values_mut() {
            // It is tried again in a second, and when the recording ends it has to be made.
            let _ = growing.keep_header(self.write);
        }
    }

    /// What was done, or None: it failed, and so has the recording.
    fn kept<T>(&mut self, worker: WorkerId, recording: RecordingKey, done: io::Result<T>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(error) => {
                tracing::error!(%error, recording = recording.0, "a recording cannot be written");
                let why = Trouble::File(error.to_string());
                (self.reports)(worker, Report::RecordingFailed { recording, why });
                None
            }
        }
    }
}

impl Growing {
    /// Adds sound. What the disk does not take is left out: a hole in a file reads as silence.
    fn append(&mut self, write: Write, sound: &[u8], recording: RecordingKey) {
        if let Err(error) = write(&self.file, sound, WavHeader::LENGTH as u64 + self.sound) {
            if self.lost == 0 {
                tracing::error!(%error, recording = recording.0, "sound of a recording cannot be written");
            }
            self.lost += sound.len() as u64;
        }
        self.sound += sound.len() as u64;
    }

    /// Nothing is added any more. An error: nothing of it is usable.
    fn end(&mut self, write: Write) -> io::Result<()> {
        if self.lost > 0 {
            if self.lost == self.sound {
                return Err(io::Error::other("nothing of its sound could be written"));
            }
            // What is missing at the end is a hole too.
            self.file.set_len(WavHeader::LENGTH as u64 + self.sound)?;
        }
        self.keep_header(write)
    }

    fn keep_header(&mut self, write: Write) -> io::Result<()> {
        if self.told != self.sound {
            write(&self.file, &WavHeader::print(self.sound), 0)?;
            self.told = self.sound;
        }
        Ok(())
    }
}

fn begin(folder: &Path, file: &Path) -> io::Result<File> {
    if file.components().any(|component| component == Component::ParentDir) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the file is outside the folder of recordings"));
    }
    let path = folder.join(file);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o640).open(path)?;
    file.write_all_at(&WavHeader::print(0), 0)?;
    Ok(file)
}

fn seal_all(to_seal: &Receiver<Whole>, reports: &impl Fn(WorkerId, Report)) {
    while let Ok(Whole { worker, recording, file, sound, gap }) = to_seal.recv() {
        let report = match digest(file) {
            Ok(sha256) => Report::RecordingClosed {
                recording,
                milliseconds: WavHeader::milliseconds(sound),
                gap_milliseconds: gap.as_millis() as u64,
                bytes: WavHeader::LENGTH as u64 + sound,
                sha256,
            },
            Err(error) => {
                tracing::error!(%error, recording = recording.0, "a recording cannot be read back");
                Report::RecordingFailed { recording, why: Trouble::File(error.to_string()) }
            }
        };
        reports(worker, report);
    }
}

fn digest(mut file: File) -> io::Result<[u8; 32]> {
    file.rewind()?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(&piece[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use super::*;

    const KEY: RecordingKey = RecordingKey(3);
    const WORKER: WorkerId = WorkerId(0);

    struct Desk {
        folder: tempfile::TempDir,
        recorder: Option<Recorder>,
        reports: Receiver<Report>,
        buffers: Receiver<Vec<u8>>,
    }

    impl Desk {
        fn new() -> Self {
            Self::with(600, |file, bytes, at| file.write_all_at(bytes, at))
        }

        fn with(free_mb: u64, write: Write) -> Self {
            let room = Room::new(Box::new(move || Ok(free_mb * 1_000_000)), 500, Arc::default());
            let folder = tempfile::tempdir().unwrap();
            let (report, reports) = mpsc::channel();
            let (give_back, buffers) = mpsc::channel();
            let tell = move |_, told| report.send(told).unwrap();
            let recorder = start_writing(folder.path().join("deep"), room, vec![give_back], tell, write).unwrap();
            Self { folder, recorder: Some(recorder), reports, buffers }
        }

        fn send(&self, step: RecordingStep) {
            self.recorder.as_ref().unwrap().steps.send(Step { worker: WORKER, step }).unwrap();
        }

        fn begin(&self, file: &str) {
            self.send(RecordingStep::Begin { recording: KEY, file: file.into() });
        }

        fn sound(&self, sound: Vec<u8>) {
            self.send(RecordingStep::Sound { recording: KEY, sound });
        }

        fn end(&mut self) {
            let Recorder { steps, writer, sealer } = self.recorder.take().unwrap();
            drop(steps);
            writer.join().unwrap();
            sealer.join().unwrap();
        }

        fn file(&self) -> Vec<u8> {
            fs::read(self.folder.path().join("deep/a/call.wav")).unwrap()
        }
    }

    #[test]
    fn a_recording_becomes_a_whole_file_and_its_report_tells_of_it() {
        let mut desk = Desk::new();
        desk.begin("a/call.wav");
        desk.sound(vec![1; 5120]);
        desk.sound(vec![2; 2880]);
        desk.send(RecordingStep::End { recording: KEY, gap: Duration::from_millis(320) });

        desk.end();

        let file = desk.file();
        let sha256 = Sha256::digest(&file).into();
        let closed =
            Report::RecordingClosed { recording: KEY, milliseconds: 250, gap_milliseconds: 320, bytes: 8044, sha256 };
        assert_eq!(file, [&WavHeader::print(8000)[..], &[1; 5120], &[2; 2880]].concat());
        assert_eq!(desk.reports.try_iter().collect::<Vec<_>>(), [closed]);
        assert_eq!(desk.buffers.try_iter().count(), 2);
    }

    #[test]
    fn the_header_is_true_every_second_while_the_call_goes_on() {
        let desk = Desk::new();
        desk.begin("a/call.wav");
        desk.sound(vec![1; 5120]);
        desk.buffers.recv().unwrap();

        let deadline = Instant::now() + HEADERS * 5;
        while desk.file()[..44] != WavHeader::print(5120) {
            assert!(Instant::now() < deadline, "the header does not become true");
            thread::yield_now();
        }
    }

    #[test]
    fn a_file_that_is_there_is_not_overwritten() {
        let mut desk = Desk::new();
        fs::create_dir_all(desk.folder.path().join("deep/a")).unwrap();
        fs::write(desk.folder.path().join("deep/a/call.wav"), b"precious").unwrap();

        desk.begin("a/call.wav");
        desk.sound(vec![1; 5120]);
        desk.send(RecordingStep::End { recording: KEY, gap: Duration::ZERO });
        desk.end();

        assert_eq!(desk.file(), b"precious");
        let reports: Vec<_> = desk.reports.try_iter().collect();
        assert!(matches!(reports[..], [Report::RecordingFailed { recording: KEY, why: Trouble::File(_) }]));
        assert_eq!(desk.buffers.try_iter().count(), 1);
    }

    /// A disk that takes no sound but that of ones.
    fn full(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        let takes = at == 0 || bytes.first() == Some(&1);
        if takes { file.write_all_at(bytes, at) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    #[test]
    fn what_a_full_disk_does_not_take_is_silence_and_told_as_missing() {
        let mut desk = Desk::with(600, full);
        desk.begin("a/call.wav");
        desk.sound(vec![1; 3200]);
        desk.sound(vec![2; 3200]);
        desk.sound(vec![1; 3200]);
        desk.sound(vec![2; 6400]);
        desk.send(RecordingStep::End { recording: KEY, gap: Duration::from_millis(20) });

        desk.end();

        let file = desk.file();
        let sha256 = Sha256::digest(&file).into();
        let closed =
            Report::RecordingClosed { recording: KEY, milliseconds: 500, gap_milliseconds: 320, bytes: 16_044, sha256 };
        assert_eq!(file, [&WavHeader::print(16_000)[..], &[1; 3200], &[0; 3200], &[1; 3200], &[0; 6400]].concat());
        assert_eq!(desk.reports.try_iter().collect::<Vec<_>>(), [closed]);
        assert_eq!(desk.buffers.try_iter().count(), 4, "every buffer comes back: no sound waits for the disk");
    }

    #[test]
    fn a_recording_of_which_nothing_was_written_has_failed() {
        let mut desk = Desk::with(600, full);
        desk.begin("a/call.wav");
        desk.sound(vec![2; 3200]);
        desk.send(RecordingStep::End { recording: KEY, gap: Duration::ZERO });

        desk.end();

        let reports: Vec<_> = desk.reports.try_iter().collect();
        assert!(matches!(reports[..], [Report::RecordingFailed { recording: KEY, .. }]), "{reports:?}");
    }

    #[test]
    fn none_begins_where_there_is_no_room_and_the_reason_says_so() {
        let mut desk = Desk::with(99, full);
        desk.begin("a/call.wav");
        desk.sound(vec![1; 3200]);
        desk.send(RecordingStep::End { recording: KEY, gap: Duration::ZERO });

        desk.end();

        let why = "only 99 MB are free where recordings are kept, and none begins with less than 100 MB".to_owned();
        let failed = Report::RecordingFailed { recording: KEY, why: Trouble::File(why) };
        assert_eq!(desk.reports.try_iter().collect::<Vec<_>>(), [failed]);
        assert_eq!(desk.buffers.try_iter().count(), 1);
        assert!(!desk.folder.path().join("deep/a/call.wav").exists());
    }

    #[test]
    fn a_file_outside_the_folder_is_refused() {
        let mut desk = Desk::new();

        desk.begin("../call.wav");
        desk.end();

        assert!(matches!(desk.reports.try_recv(), Ok(Report::RecordingFailed { .. })));
        assert!(!desk.folder.path().join("call.wav").exists());
    }

    #[test]
    fn a_disk_that_takes_no_more_fails_the_recording_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        fs::write(&path, b"").unwrap();
        let (told, reports) = mpsc::channel();
        let (whole, _to_seal) = sync_channel(1);
        // A file that can only be read refuses as a full disk does.
        let growing = Growing { file: File::open(path).unwrap(), sound: 0, lost: 0, told: 0 };
        let mut writer = Writer {
            folder: folder.path().into(),
            room: Room::new(Box::new(|| Ok(0)), 0, Arc::default()),
            write: |file, bytes, at| file.write_all_at(bytes, at),
            buffers: Vec::new(),
            reports: move |_, report| told.send(report).unwrap(),
            whole,
            files: BTreeMap::from([((WORKER, KEY), growing)]),
        };

        for _ in 0..2 {
            writer.take(Step { worker: WORKER, step: RecordingStep::Sound { recording: KEY, sound: vec![1; 4] } });
        }
        writer.take(Step { worker: WORKER, step: RecordingStep::End { recording: KEY, gap: Duration::ZERO } });

        assert_eq!(reports.try_iter().count(), 1);
    }
}
