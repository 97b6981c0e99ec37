//! Who hears several at once, and what.
//!
//! A party hears its partner, packet by packet, or the sum of a list of others: never both. Who is heard by lists is
//! decoded once, for all who hear it.

use super::Worker;
use crate::clock::{MILLISECOND, Ticks};
use crate::heard::{Heard, What};
use crate::jitter::Kind;
use crate::listener::Press;
use crate::noise;
use crate::voice::{Mix, Source};
use crate::{Packet, SessionId, Trouble};

/// The most that one party may hear at once.
const MOST_HEARD: usize = 64;

impl Worker {
    /// From here on the party hears the sum of these. Its partner goes on hearing it.
    pub(super) fn hear(&mut self, session: SessionId, hears: &[SessionId]) {
        if hears.contains(&session) {
            return self.fail(session, Trouble::SameSession);
        }
        if hears.len() > MOST_HEARD {
            return self.fail(session, Trouble::Full);
        }
        let mut slots = Vec::with_capacity(hears.len());
        for heard in hears {
            match self.by_id.get(heard) {
                Some(slot) if slots.contains(slot) => {}
                Some(&slot) => slots.push(slot),
                None => return self.fail(*heard, Trouble::NoSuchSession),
            }
        }
        self.with(session, |worker, slot| {
            if let Some(partner) = worker.unpair(slot) {
                worker.set_hears(partner, vec![slot]);
            }
            worker.set_hears(slot, slots);
        });
    }

    /// Two do not hear each other as partners any more. Gives the other one.
    pub(super) fn unpair(&mut self, slot: u32) -> Option<u32> {
        let session = self.session(slot);
        session.disconnect();
        let partner = session.partner.take()?;
        let other = self.session(partner);
        other.disconnect();
        other.partner = None;
        Some(partner)
    }

    /// The party in this slot hears these and nobody else.
    pub(super) fn set_hears(&mut self, slot: u32, hears: Vec<u32>) {
        let before = std::mem::replace(&mut self.session(slot).hears, hears.clone());
        for &heard in &hears {
            let heard_by = &mut self.session(heard).heard_by;
            if !heard_by.contains(&slot) {
                heard_by.push(slot);
            }
        }
        for heard in before.iter().filter(|heard| !hears.contains(heard)) {
            self.session(*heard).unheard_by(slot);
        }
        if before.is_empty() || hears.is_empty() {
            self.session(slot).cut();
        }
        if hears.is_empty() {
            self.session(slot).settle();
            self.forget_paces();
        }
        self.prepare_mix(slot);
    }

    /// Nobody hears the party in this slot any more.
    pub(super) fn unhear(&mut self, slot: u32) {
        for hearer in std::mem::take(&mut self.session(slot).heard_by) {
            self.session(hearer).hears.retain(|heard| *heard != slot);
        }
        self.session(slot).voice = None;
    }

    /// Gets everybody ready whom a change of the party in this slot concerns.
    pub(super) fn prepare_mixes(&mut self, slot: u32) {
        self.prepare_mix(slot);
        for index in 0..self.session(slot).heard_by.len() {
            let hearer = self.session(slot).heard_by[index];
            self.prepare_mix(hearer);
        }
    }

    /// Gets the party in this slot ready to hear those it hears.
    fn prepare_mix(&mut self, slot: u32) {
        if self.session(slot).hears.is_empty() {
            return;
        }
        let Some(per_ms) = self.session(slot).prepare_mix() else { return };
        for index in 0..self.session(slot).hears.len() {
            let heard = self.session(slot).hears[index];
            self.session(heard).need_voice(per_ms);
        }
    }

    /// What was heard of a party goes to those who hear it among others.
    pub(super) fn pass_to_hearers(
        &mut self,
        at: Ticks,
        slot: u32,
        heard: &Heard,
        (fresh, press): (Option<char>, Option<Press>),
        packet: &[u8],
    ) {
        let payload = &packet[heard.payload.clone()];
        let due = match heard.what {
            What::Sound(codec) => self.session(slot).voice_hears(at, Kind::Sound(codec), heard, payload),
            What::Noise => self.session(slot).voice_hears(at, Kind::Noise(noise::level(payload)), heard, &[]),
            What::Key | What::Other => None,
        };
        let down = match press {
            Some(Press::Down(key)) => Some(key),
            Some(Press::Up) | None => None,
        };
        for index in 0..self.session(slot).heard_by.len() {
            let hearer = self.session(slot).heard_by[index];
            let party = self.session(hearer);
            // A key in the sound is heard by whoever takes none as events.
            let key = fresh.or_else(|| down.filter(|_| party.is_told_keys()));
            if key.is_some_and(|key| party.get_pressed(key)) {
                self.wake(hearer, at);
            } else if let Some(due) = due.filter(|_| party.listens()) {
                let length = Ticks::from(party.packet_ms()) * MILLISECOND;
                self.wake(hearer, due + length);
            }
        }
    }

    /// A key that the party in this slot pressed in its signalling goes to those who hear it among others.
    pub(super) fn press_for_hearers(&mut self, at: Ticks, slot: u32, key: char) {
        for index in 0..self.session(slot).heard_by.len() {
            let hearer = self.session(slot).heard_by[index];
            if self.session(hearer).get_pressed(key) {
                self.wake(hearer, at);
            }
        }
    }

    /// Makes the packet that is due for a party that hears no partner.
    pub(super) fn make_mixed(&mut self, at: Ticks, slot: u32, buffer: &mut [u8]) -> Option<Packet> {
        let session = self.session(slot);
        let form = session.mix_form().filter(|_| !session.hears.is_empty());
        let Some((milliseconds, per_ms, told_keys)) = form else { return session.make(at, Source::Nobody, buffer) };
        let mut mix = Mix::before(at, milliseconds, per_ms, told_keys);
        for index in 0..self.session(slot).hears.len() {
            let heard = self.session(slot).hears[index];
            if let Some(voice) = &mut self.session(heard).voice {
                mix.add(voice);
            }
        }
        self.session(slot).make(at, Source::Mix(mix.finish()), buffer)
    }
}
