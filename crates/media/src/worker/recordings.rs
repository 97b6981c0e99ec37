//! The recordings of a worker: their clock, and the buffers that carry sound to the writer.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use crate::clock::{Ticks, duration};
use crate::recorder::{PIECE, Piece, Recorder, Side};
use crate::{Output, RecordingKey, RecordingStep, Trouble};

/// Buffers that may be on their way for each recording: five seconds of a disk that stands still.
const BUFFERS_EACH: usize = 32;

/// All recordings of a worker. Those under way are found by their slot.
pub(super) struct Recordings {
    slots: Vec<Option<Recording>>,
    by_key: BTreeMap<RecordingKey, u32>,
    most: usize,
    spare: Vec<Vec<u8>>,
    /// Buffers on their way to the writer and back.
    out: usize,
    /// When sound is handed out next, for all at once. None while nothing is recorded.
    tick: Option<Ticks>,
}

struct Recording {
    key: RecordingKey,
    recorder: Recorder,
    /// The slots of its sessions. Another session may have come to a slot since.
    sides: Vec<u32>,
    /// Of these, how many are still there.
    present: usize,
    /// What is said is not heard.
    paused: bool,
}

impl Recordings {
    pub fn new(most: usize) -> Self {
        Self { slots: Vec::new(), by_key: BTreeMap::new(), most, spare: Vec::new(), out: 0, tick: None }
    }

    /// Begins one, which hears nobody yet; gives its slot.
    pub fn start(
        &mut self,
        at: Ticks,
        recording: RecordingKey,
        file: PathBuf,
        outputs: &mut VecDeque<Output>,
    ) -> Result<u32, Trouble> {
        if self.by_key.contains_key(&recording) {
            return Err(Trouble::AlreadyRecorded);
        }
        if self.by_key.len() >= self.most {
            return Err(Trouble::Full);
        }
        let free = self.slots.iter().position(Option::is_none);
        let slot = free.unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(Recording {
            key: recording,
            recorder: Recorder::start(at),
            sides: Vec::new(),
            present: 0,
            paused: false,
        });
        self.by_key.insert(recording, slot as u32);
        self.tick.get_or_insert((at / PIECE + 1) * PIECE);
        outputs.push_back(Output::Recording(RecordingStep::Begin { recording, file }));
        Ok(slot as u32)
    }

    pub fn hear(&mut self, at: Ticks, slot: u32, side: Side, piece: &Piece) {
        if let Some(Some(recording)) = self.slots.get_mut(slot as usize)
            && !recording.paused
        {
            recording.recorder.hear(at, side, piece);
        }
    }

    /// The slot of a recording.
    pub fn find(&self, key: RecordingKey) -> Option<u32> {
        self.by_key.get(&key).copied()
    }

    /// The slots of those who were heard, and are not any more.
    pub fn take_sides(&mut self, slot: u32) -> Vec<u32> {
        let recording = self.slots.get_mut(slot as usize).and_then(Option::as_mut);
        recording.map(|recording| std::mem::take(&mut recording.sides)).unwrap_or_default()
    }

    /// These are heard from here on: their slots, and their numbers left and right.
    pub fn set_sides(&mut self, slot: u32, sides: Vec<u32>, serials: &[Vec<u32>; 2]) {
        if let Some(Some(recording)) = self.slots.get_mut(slot as usize) {
            recording.present = sides.len();
            recording.sides = sides;
            recording.recorder.set_sides(serials);
        }
    }

    /// Whether what is said is written.
    pub fn pause(&mut self, key: RecordingKey, paused: bool) {
        let slot = self.by_key.get(&key).map(|slot| *slot as usize);
        if let Some(Some(recording)) = slot.and_then(|slot| self.slots.get_mut(slot)) {
            recording.paused = paused;
        }
    }

    /// One of the sessions has ended; without the others, the recording has too.
    pub fn leave(&mut self, at: Ticks, slot: u32, outputs: &mut VecDeque<Output>) {
        let Some(Some(recording)) = self.slots.get_mut(slot as usize) else { return };
        recording.present = recording.present.saturating_sub(1);
        if recording.present == 0 {
            let key = recording.key;
            self.stop(at, key, outputs);
        }
    }

    /// Ends one.
    pub fn stop(&mut self, at: Ticks, key: RecordingKey, outputs: &mut VecDeque<Output>) {
        let Some(slot) = self.by_key.get(&key) else { return };
        let Some(mut recording) = self.slots[*slot as usize].take() else { return };
        loop {
            let mut buffer = self.buffer();
            if !recording.recorder.finish(at, buffer.as_mut()) {
                self.spare.extend(buffer);
                break;
            }
            self.send(key, buffer, outputs);
        }
        self.by_key.remove(&key);
        if self.by_key.is_empty() {
            self.tick = None;
        }
        let gap = duration(recording.recorder.left_out());
        outputs.push_back(Output::Recording(RecordingStep::End { recording: key, gap }));
    }

    pub fn handle_timeout(&mut self, at: Ticks, outputs: &mut VecDeque<Output>) {
        let Some(tick) = self.tick.filter(|tick| *tick <= at) else { return };
        self.tick = Some(tick.max(at / PIECE * PIECE) + PIECE);
        for slot in 0..self.slots.len() {
            // The recording is out of its slot for the step, so that the buffers can be reached.
            let Some(mut recording) = self.slots[slot].take() else { continue };
            while recording.recorder.is_due(at) {
                let mut buffer = self.buffer();
                recording.recorder.hand_out(at, buffer.as_mut());
                self.send(recording.key, buffer, outputs);
            }
            self.slots[slot] = Some(recording);
        }
    }

    pub fn poll_timeout(&self) -> Option<Ticks> {
        self.tick
    }

    /// The writer is done with a buffer.
    pub fn give_back(&mut self, buffer: Vec<u8>) {
        self.out = self.out.saturating_sub(1);
        if self.out + self.spare.len() < self.limit() {
            self.spare.push(buffer);
        }
    }

    pub fn keys(&self) -> impl Iterator<Item = RecordingKey> {
        self.by_key.keys().copied()
    }

    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    fn send(&mut self, recording: RecordingKey, buffer: Option<Vec<u8>>, outputs: &mut VecDeque<Output>) {
        if let Some(sound) = buffer {
            self.out += 1;
            outputs.push_back(Output::Recording(RecordingStep::Sound { recording, sound }));
        }
    }

    /// A buffer to fill. None: the writer has them all.
    fn buffer(&mut self) -> Option<Vec<u8>> {
        self.spare.pop().or_else(|| (self.out < self.limit()).then(Vec::new))
    }

    fn limit(&self) -> usize {
        BUFFERS_EACH * self.by_key.len()
    }
}
