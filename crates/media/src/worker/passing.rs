//! From one party to the other, and the pace of what we make ourselves.

use std::cmp::Reverse;

use super::{CATCH_UP, Worker};
use crate::clock::Ticks;
use crate::heard::{Heard, What};
use crate::listener::NARROW;
use crate::session::{Passed, Session};
use crate::{Output, Packet, Report};

impl Worker {
    /// What was heard of a party goes where it belongs: to reports, to its recording, to its partner.
    pub(super) fn pass(&mut self, at: Ticks, slot: u32, mut heard: Heard, buffer: &mut [u8]) -> Option<Packet> {
        let session = self.sessions[slot as usize].as_mut()?;
        let mut fresh = None;
        let mut press = None;
        if let What::Sound(codec) = heard.what
            && session.is_attended()
        {
            let mut narrow = [0; NARROW];
            let (report, pressed, piece) = session.attend_to(at, codec, &mut heard, buffer, &mut narrow);
            self.outputs.extend(report.map(Output::Report));
            press = pressed;
            if let Some(tap) = session.tap
                && (tap.alone || session.is_heard())
                && let Some(piece) = piece
            {
                self.recordings.hear(at, tap.recording, tap.side, &piece);
            }
        } else if heard.what == What::Key {
            fresh = session.key(at, &heard, buffer);
            let report = fresh.map(|key| Report::Key { session: session.id, key });
            self.outputs.extend(report.map(Output::Report));
        }
        if !session.heard_by.is_empty() {
            // First, because its partner's packet is made where this one lies.
            self.pass_to_hearers(at, slot, &heard, (fresh, press), buffer);
        }
        let partner = self.session(slot).partner?;
        let (session, to) = self.both(slot, partner)?;
        let wakes = press.is_some_and(|press| session.pass_press(at, press, to));
        let passed = match heard.what {
            What::Sound(codec) => session.pass_sound(at, codec, &heard, to, buffer),
            What::Key => session.pass_key(at, fresh, &heard, to, buffer),
            What::Noise => session.pass_noise(at, &heard, to, buffer),
            What::Other => session.pass_nothing(&heard, to),
        };
        let due = if wakes { Some(at) } else { None };
        match passed {
            Passed::Packet(packet) => return Some(packet),
            Passed::Due(at) => self.wake(partner, at),
            Passed::Nothing => due.into_iter().for_each(|at| self.wake(partner, at)),
        }
        None
    }

    /// The party in this slot pressed a key in its signalling.
    pub(super) fn press(&mut self, at: Ticks, slot: u32, key: char) {
        let session = self.session(slot);
        if !session.is_press(at, key) {
            return;
        }
        self.press_for_hearers(at, slot, key);
        let Some(partner) = self.session(slot).partner else { return };
        if let Some((session, to)) = self.both(slot, partner)
            && session.pass_pressed(key, to)
        {
            self.wake(partner, at);
        }
    }

    /// A key is pressed for the party in this slot.
    pub(super) fn press_for(&mut self, at: Ticks, slot: u32, key: char) {
        if self.session(slot).get_pressed(key) {
            self.wake(slot, at);
        }
    }

    /// Gets two who hear each other ready for each other's codecs.
    pub(super) fn connect(&mut self, slot: u32) {
        let Some(partner) = self.session(slot).partner else { return };
        if let Some((one, other)) = self.both(slot, partner) {
            one.connect(other);
            other.connect(one);
        }
    }

    /// Packets of our own are made for the party in this slot, from then on if none are yet.
    pub(super) fn wake(&mut self, slot: u32, at: Ticks) {
        if let Some(session) = &mut self.sessions[slot as usize]
            && session.wake(at)
        {
            self.paces.push(Reverse((at, slot, session.serial)));
        }
    }

    /// Forgets steps that are not to be taken any more, as far as they are next.
    pub(super) fn forget_paces(&mut self) {
        while let Some(&Reverse((due, slot, serial))) = self.paces.peek()
            && !self.is_due(due, slot, serial)
        {
            self.paces.pop();
        }
    }

    /// The next packet of sound or of keys of our own that is due.
    pub(super) fn make_packet(&mut self, buffer: &mut [u8]) -> Option<Packet> {
        while let Some(&Reverse((due, slot, serial))) = self.paces.peek()
            && due <= self.now
        {
            self.paces.pop();
            if !self.is_due(due, slot, serial) {
                continue;
            }
            // Who stood still for long goes on from now.
            let at = if self.now - due > CATCH_UP { self.now } else { due };
            let partner = self.session(slot).partner;
            let packet = match partner.and_then(|partner| self.both(slot, partner)) {
                Some((session, partner)) => session.make_from(at, partner, buffer),
                None => self.make_mixed(at, slot, buffer),
            };
            let session = self.session(slot);
            if let Some(say) = session.take_said() {
                let session = session.id;
                self.playing -= 1;
                self.outputs.push_back(Output::Report(Report::Said { session, say }));
            }
            if let Some(next) = self.session(slot).due() {
                self.paces.push(Reverse((next, slot, serial)));
            }
            if packet.is_some() {
                return packet;
            }
        }
        None
    }

    fn is_due(&self, due: Ticks, slot: u32, serial: u32) -> bool {
        let session = self.sessions[slot as usize].as_ref();
        session.is_some_and(|session| session.serial == serial && session.due() == Some(due))
    }

    /// Two sessions at once.
    fn both(&mut self, one: u32, other: u32) -> Option<(&mut Session, &mut Session)> {
        let [one, other] = self.sessions.get_disjoint_mut([one as usize, other as usize]).ok()?;
        one.as_mut().zip(other.as_mut())
    }
}
