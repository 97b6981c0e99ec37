//! How orders are carried out.

use std::cmp::Reverse;
use std::path::PathBuf;

use rand_chacha::rand_core::Rng;

use super::{Address, Worker};
use crate::clock::{MILLISECOND, Ticks};
use crate::recorder::Side;
use crate::rtcp::LONGEST;
use crate::session::{Seeds, Session};
use crate::{AddressId, Clip, Order, Output, RecordingKey, Report, SessionId, Sound, Stream, Trouble, control};

/// How long sound from an address's last owner is not taken for the next owner's.
const STRANGE_FOR: Ticks = 60_000 * MILLISECOND;

/// An address of a higher number is a mistake.
const MAX_ADDRESSES: u32 = 1 << 16;

impl Worker {
    pub(super) fn carry_out(&mut self, at: Ticks, order: Order) {
        match order {
            Order::Open { session, address, stream } => self.open(at, session, address, stream),
            Order::Change { session, stream } => self.change(at, session, stream),
            Order::Close { session } => self.close(at, session),
            Order::Join { a, b } => self.join(a, b),
            Order::Part { session } => self.with(session, |worker, slot| worker.part(slot)),
            Order::Play { session, sound } => self.with(session, |worker, slot| worker.play(at, slot, sound)),
            Order::Say { session, say, clips } => self.with(session, |worker, slot| worker.say(at, slot, say, clips)),
            Order::Stop { session } => self.with(session, |worker, slot| worker.stop(slot)),
            Order::Record { recording, file, customer, agent } => self.record(at, recording, file, customer, agent),
            Order::RecordSides { recording, customer, agent } => self.record_sides(recording, [customer, agent]),
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
            if let Some((recording, _)) = session.tap {
                worker.recordings.leave(at, recording, &mut worker.outputs);
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
        let session = self.session(slot);
        session.disconnect();
        if let Some(partner) = session.partner.take() {
            let partner = self.session(partner);
            partner.disconnect();
            partner.partner = None;
        }
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

    fn record(&mut self, at: Ticks, recording: RecordingKey, file: PathBuf, customer: SessionId, agent: SessionId) {
        if let Err(why) = self.try_record(at, recording, file, customer, agent) {
            self.outputs.push_back(Output::Report(Report::RecordingFailed { recording, why }));
        }
    }

    fn try_record(
        &mut self,
        at: Ticks,
        recording: RecordingKey,
        file: PathBuf,
        customer: SessionId,
        agent: SessionId,
    ) -> Result<(), Trouble> {
        if customer == agent {
            return Err(Trouble::SameSession);
        }
        let slot = |session| self.by_id.get(&session).copied().ok_or(Trouble::NoSuchSession);
        let sides = [slot(customer)?, slot(agent)?];
        if sides.iter().any(|&slot| self.session(slot).tap.is_some()) {
            return Err(Trouble::AlreadyRecorded);
        }
        let index = self.recordings.start(at, recording, file, sides, &mut self.outputs)?;
        self.session(sides[0]).record(Some((index, Side::Left)));
        self.session(sides[1]).record(Some((index, Side::Right)));
        Ok(())
    }

    /// The recording hears these from here on, left and right; whom it heard before and hears no more is let go.
    fn record_sides(&mut self, recording: RecordingKey, sides: [SessionId; 2]) {
        let Some((index, before)) = self.recordings.find(recording) else { return };
        let [customer, agent] = sides;
        if customer == agent {
            return self.fail(customer, Trouble::SameSession);
        }
        let mut slots = [0; 2];
        for (slot, session) in slots.iter_mut().zip(sides) {
            let Some(&found) = self.by_id.get(&session) else { return self.fail(session, Trouble::NoSuchSession) };
            if self.session(found).tap.is_some_and(|(tap, _)| tap != index) {
                return self.fail(session, Trouble::AlreadyRecorded);
            }
            *slot = found;
        }
        for slot in before {
            self.untap(slot, index);
        }
        self.recordings.set_sides(index, slots);
        self.session(slots[0]).record(Some((index, Side::Left)));
        self.session(slots[1]).record(Some((index, Side::Right)));
    }

    pub(super) fn stop_recording(&mut self, at: Ticks, recording: RecordingKey) {
        let Some((index, sides)) = self.recordings.stop(at, recording, &mut self.outputs) else { return };
        for slot in sides {
            self.untap(slot, index);
        }
    }

    /// The session in this slot, if it is still the one, is not heard by the recording any more.
    fn untap(&mut self, slot: u32, index: u32) {
        if let Some(session) = &mut self.sessions[slot as usize]
            && session.tap.is_some_and(|(tap, _)| tap == index)
        {
            session.record(None);
        }
    }

    fn with(&mut self, session: SessionId, carry_out: impl FnOnce(&mut Self, u32)) {
        match self.by_id.get(&session) {
            Some(&slot) => carry_out(self, slot),
            None => self.fail(session, Trouble::NoSuchSession),
        }
    }

    fn fail(&mut self, session: SessionId, why: Trouble) {
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
