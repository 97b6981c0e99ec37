//! How orders are carried out.

use std::cmp::Reverse;
use std::path::PathBuf;

use rand_chacha::rand_core::Rng;

use super::{Address, Worker};
use crate::clock::{MILLISECOND, Ticks};
use crate::recorder::Side;
use crate::rtcp::LONGEST;
use crate::session::{Seeds, Session, Tap};
use crate::{AddressId, Clip, Order, Output, RecordingKey, Report, SessionId, Sound, Stream, Trouble, control};

/// How long sound from an address's last owner is not taken for the next owner's.
const STRANGE_FOR: Ticks = 60_000 * MILLISECOND;

/// The most voices on one side of a recording.
const MOST_VOICES: usize = 64;

/// An address of a higher number is a mistake.
const MAX_ADDRESSES: u32 = 1 << 16;

impl Worker {
    pub(super) fn carry_out(&mut self, at: Ticks, order: Order) {
        match order {
            Order::Open { session, address, stream } => self.open(at, session, address, stream),
            Order::Change { session, stream } => self.change(at, session, stream),
            Order::Close { session } => self.close(at, session),
            Order::Join { a, b } => self.join(a, b),
            Order::Hear { session, hears } => self.hear(session, &hears),
            Order::Part { session } => self.with(session, |worker, slot| worker.part(slot)),
            Order::Play { session, sound } => self.with(session, |worker, slot| worker.play(at, slot, sound)),
            Order::Say { session, say, clips } => self.with(session, |worker, slot| worker.say(at, slot, say, clips)),
            Order::Stop { session } => self.with(session, |worker, slot| worker.stop(slot)),
            Order::Record { recording, file, customer, agent } => {
                self.record(at, recording, file, [&customer, &agent]);
            }
            Order::RecordSides { recording, customer, agent } => self.record_sides(recording, [&customer, &agent]),
            Order::PauseRecording { recording, paused } => self.recordings.pause(recording, paused),
            Order::StopRecording { recording } => self.stop_recording(at, recording),
            Order::Press { session, key } => self.with(session, |worker, slot| worker.press_for(at, slot, key)),
            Order::Key { session, key } => self.with(session, |worker, slot| worker.press(at, slot, key)),
            Order::Mute { session, muted } => self.with(session, |worker, slot| worker.session(slot).muted = muted),
        }
    }

    fn open(&mut self, at: Ticks, id: SessionId, address: AddressId, stream: Option<Stream>) {
        let trouble = if self.by_id.contains_key(&id) {
            Some(Trouble::SessionExists)
        } else if self.by_id.len() >= self.max_sessions {
            Some(Trouble::Full)
        } else if address.0 >= MAX_ADDRESSES || !self.address(address).is_free() {
            Some(Trouble::AddressNotFree)
        } else {
            None
        };
        if let Some(why) = trouble {
            let is_free =
                why != Trouble::AddressNotFree && self.addresses.get(address.0 as usize).is_none_or(Address::is_free);
            self.fail(id, why);
            if is_free {
                self.outputs.push_back(Output::Freed(address));
            }
            return;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.sessions.push(None);
            self.sessions.len() as u32 - 1
        });
        self.serials = self.serials.wrapping_add(1);
        let seeds = Seeds {
            ssrc: self.random.next_u32(),
            // RFC 3711, section 3.3.1: whoever misses our first secured packets does not mistake how often this has come
            // through its end.
            sequence: self.random.next_u32() as u16 & 0x7fff,
            timestamp: self.random.next_u32(),
            name: self.random.next_u64(),
        };
        self.sessions[slot as usize] = Some(Session::new(at, id, address, self.serials, stream, seeds));
        self.by_id.insert(id, slot);
        self.address(address).slot = Some(slot);
        self.tellers.push(Reverse((control::next(at, self.random.next_u32()), slot, self.serials)));
        self.watch(slot);
    }

    fn change(&mut self, at: Ticks, session: SessionId, stream: Stream) {
        self.with(session, |worker, slot| {
            worker.session(slot).change(at, stream);
            worker.watch(slot);
            if let Some(partner) = worker.session(slot).partner {
                worker.session(partner).cut();
                worker.connect(slot);
            }
            worker.prepare_mixes(slot);
        });
    }

    fn close(&mut self, at: Ticks, session: SessionId) {
        self.with(session, |worker, slot| {
            worker.part(slot);
            worker.stop(slot);
            worker.by_id.remove(&session);
            worker.free.push(slot);
            let Some(mut session) = worker.sessions[slot as usize].take() else { return };
            let mut farewell = [0; LONGEST];
            if let Some(packet) = session.tell(at, &worker.clock, true, &mut farewell) {
                worker.farewells.push_back((packet, farewell));
            }
            if let Some(tap) = session.tap {
                worker.recordings.leave(at, tap.recording, &mut worker.outputs);
            }
            let last = Some((session.trace(), at + STRANGE_FOR));
            *worker.address(session.address) = Address { slot: None, last };
            let quality = session.quality();
            worker.outputs.push_back(Output::Report(Report::Quality { session: session.id, quality }));
            worker.outputs.push_back(Output::Freed(session.address));
        });
    }

    fn join(&mut self, a: SessionId, b: SessionId) {
        if a == b {
            return self.fail(a, Trouble::SameSession);
        }
        self.with(a, |worker, one| {
            worker.with(b, |worker, other| {
                if worker.session(one).partner == Some(other) {
                    return;
                }
                worker.part(one);
                worker.part(other);
                worker.session(one).partner = Some(other);
                worker.session(other).partner = Some(one);
                worker.connect(one);
            });
        });
    }

    fn part(&mut self, slot: u32) {
        self.unpair(slot);
        self.unhear(slot);
        self.set_hears(slot, Vec::new());
    }

    fn play(&mut self, at: Ticks, slot: u32, sound: Sound) {
        let session = self.session(slot);
        let first = at + Ticks::from(session.packet_ms()) * MILLISECOND;
        self.playing += usize::from(session.play(sound));
        self.wake(slot, first);
    }

    fn say(&mut self, at: Ticks, slot: u32, say: u32, clips: Vec<Clip>) {
        let session = self.session(slot);
        let first = at + Ticks::from(session.packet_ms()) * MILLISECOND;
        let was_playing = session.is_playing();
        let (id, is_playing) = (session.id, session.say(say, clips));
        self.playing = self.playing + usize::from(is_playing) - usize::from(was_playing);
        if is_playing {
            return self.wake(slot, first);
        }
        self.session(slot).settle();
        self.forget_paces();
        self.outputs.push_back(Output::Report(Report::Said { session: id, say }));
    }

    fn stop(&mut self, slot: u32) {
        self.playing -= usize::from(self.session(slot).stop());
        self.forget_paces();
    }

    fn record(&mut self, at: Ticks, recording: RecordingKey, file: PathBuf, sides: [&[SessionId]; 2]) {
        if let Err(why) = self.try_record(at, recording, file, sides) {
            self.outputs.push_back(Output::Report(Report::RecordingFailed { recording, why }));
        }
    }

    fn try_record(
        &mut self,
        at: Ticks,
        recording: RecordingKey,
        file: PathBuf,
        sides: [&[SessionId]; 2],
    ) -> Result<(), Trouble> {
        let sides = self.sides(sides, None).map_err(|(_, why)| why)?;
        if sides.iter().all(Vec::is_empty) {
            return Err(Trouble::NoSuchSession);
        }
        let index = self.recordings.start(at, recording, file, &mut self.outputs)?;
        self.tap(index, sides);
        Ok(())
    }

    /// The recording hears these from here on, left and right; whom it heard before and hears no more is let go.
    fn record_sides(&mut self, recording: RecordingKey, sides: [&[SessionId]; 2]) {
        let Some(index) = self.recordings.find(recording) else { return };
        match self.sides(sides, Some(index)) {
            // Without anybody it would never end by itself.
            Ok(sides) if sides.iter().all(Vec::is_empty) => {}
            Ok(sides) => {
                self.untap(index);
                self.tap(index, sides);
            }
            Err((session, why)) => self.fail(session, why),
        }
    }

    /// The slots of those who are to be heard by a recording. An error says whom it cannot hear, and why.
    fn sides(
        &mut self,
        sides: [&[SessionId]; 2],
        recording: Option<u32>,
    ) -> Result<[Vec<u32>; 2], (SessionId, Trouble)> {
        let mut found = [Vec::new(), Vec::new()];
        for (index, &session) in
            sides.iter().enumerate().flat_map(|(index, side)| side.iter().map(move |it| (index, it)))
        {
            let slot = *self.by_id.get(&session).ok_or((session, Trouble::NoSuchSession))?;
            if found.iter().flatten().any(|before| *before == slot) {
                return Err((session, Trouble::SameSession));
            }
            if found[index].len() >= MOST_VOICES {
                return Err((session, Trouble::Full));
            }
            if self.session(slot).tap.is_some_and(|tap| Some(tap.recording) != recording) {
                return Err((session, Trouble::AlreadyRecorded));
            }
            found[index].push(slot);
        }
        Ok(found)
    }

    /// The recording in this slot hears these.
    fn tap(&mut self, recording: u32, sides: [Vec<u32>; 2]) {
        let alone = sides.iter().any(Vec::is_empty);
        let mut serials = [Vec::new(), Vec::new()];
        for (side, (slots, serials)) in [Side::Left, Side::Right].into_iter().zip(sides.iter().zip(&mut serials)) {
            for &slot in slots {
                let session = self.session(slot);
                session.record(Some(Tap { recording, side, alone }));
                serials.push(session.serial);
            }
        }
        self.recordings.set_sides(recording, sides.concat(), &serials);
    }

    pub(super) fn stop_recording(&mut self, at: Ticks, recording: RecordingKey) {
        if let Some(index) = self.recordings.find(recording) {
            self.untap(index);
            self.recordings.stop(at, recording, &mut self.outputs);
        }
    }

    /// The recording in this slot hears nobody any more.
    fn untap(&mut self, recording: u32) {
        for slot in self.recordings.take_sides(recording) {
            // Another session may have come to the slot since.
            if let Some(session) = &mut self.sessions[slot as usize]
                && session.tap.is_some_and(|tap| tap.recording == recording)
            {
                session.record(None);
            }
        }
    }

    pub(super) fn with(&mut self, session: SessionId, carry_out: impl FnOnce(&mut Self, u32)) {
        match self.by_id.get(&session) {
            Some(&slot) => carry_out(self, slot),
            None => self.fail(session, Trouble::NoSuchSession),
        }
    }

    pub(super) fn fail(&mut self, session: SessionId, why: Trouble) {
        self.outputs.push_back(Output::Report(Report::Failed { session, why }));
    }

    /// The session in a slot that is known to be taken.
    pub(super) fn session(&mut self, slot: u32) -> &mut Session {
        self.sessions[slot as usize].as_mut().expect("a slot found by a session's name or partner is taken")
    }

    /// An address's entry; made when it is first heard of.
    fn address(&mut self, address: AddressId) -> &mut Address {
        let index = address.0 as usize;
        if index >= self.addresses.len() {
            self.addresses.resize(index + 1, Address::default());
        }
        &mut self.addresses[index]
    }
}
