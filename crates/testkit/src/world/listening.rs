//! Who hears whom: everybody says a tone of their own for a while, and the tones are looked for.

use std::time::Duration;

use media::music::DRONE;
use media::tone::share;

use super::air::Flight;
use super::phone::Talk;
use super::prompts::VOICE;
use super::{Weather, World};

/// How long is listened.
const LISTEN: u32 = 25;
/// The length of a packet.
const PACKET: Duration = Duration::from_millis(20);
/// Less than so much of a tone may be a rest of what was before.
const ENOUGH: Duration = Duration::from_millis(120);
/// 40 ms, in which a low tone is told from its neighbours.
const PIECE: usize = 320;
/// How much of a piece is one voice, among four at most.
const PART: f64 = 0.15;
/// How much of it is what the switchboard plays: nobody else is heard meanwhile.
const WHOLE: f64 = 0.8;
/// What the switchboard itself plays.
const PROGRESS: u16 = 425;

impl World {
    /// Everybody with sound speaks for half a second. A line of the ladder tells who has heard whom.
    pub fn listen(&mut self) {
        let at = self.now;
        let heard = self.who_hears_whom();
        let line: Vec<String> = heard.iter().map(|(who, whom)| format!("{who} hears {}", whom.join(" and "))).collect();
        let line = if line.is_empty() { "nobody hears anybody".into() } else { line.join(", ") };
        self.ladder.note(at, &format!("~ {line}"));
    }

    /// Who hears whom, by name; a tone of the switchboard is called `a tone`, what it says `a prompt`, and what it plays to those who wait `music`.
    pub fn who_hears_whom(&mut self) -> Vec<(String, Vec<String>)> {
        for talk in self.phones.iter_mut().flat_map(|phone| &mut phone.talks) {
            talk.sound.ear.empty();
        }
        self.speak_for(LISTEN);
        let mut sources: Vec<(u16, String)> =
            self.phones.iter().map(|phone| (phone.card.hertz, phone.card.name.clone())).collect();
        sources.push((PROGRESS, "a tone".into()));
        sources.push((VOICE, "a prompt".into()));
        let mut heard: Vec<(String, Vec<String>)> = Vec::new();
        for phone in &self.phones {
            let samples: Vec<Vec<i16>> = phone.talks.iter().map(|talk| talk.sound.ear.sound()).collect();
            let names = sources.iter().filter(|(hertz, _)| samples.iter().any(|sound| has_tone(sound, *hertz)));
            let mut names: Vec<String> = names.map(|(_, name)| name.clone()).collect();
            if samples.iter().any(|sound| has_music(sound)) {
                names.push("music".into());
            }
            if !names.is_empty() {
                heard.push((phone.card.name.clone(), names));
            }
        }
        heard
    }

    /// Who is heard in a recording, left and right. The recording is the newest of the first company.
    pub fn on_the_recording(&self) -> (Vec<String>, Vec<String>) {
        let records = self.rows(1).into_iter().flat_map(|rows| rows.records.values());
        let file = records.filter_map(|record| record.recording()).next_back().map(|recording| recording.file.clone());
        let (left, right) = file.and_then(|file| self.floor.recorded(&file)).unwrap_or_default();
        let names = |sound: &[i16]| {
            let phones = self.phones.iter().filter(|phone| has_tone(sound, phone.card.hertz));
            phones.map(|phone| phone.card.name.clone()).collect()
        };
        (names(&left), names(&right))
    }

    /// What happens to packets of sound by chance, in each direction.
    pub fn sound_weather(&mut self, weather: Weather) {
        self.air.weather = Some(weather);
    }

    /// Everybody with sound speaks for so many seconds.
    pub fn talk_for(&mut self, seconds: u32) {
        self.speak_for(seconds * 50);
    }

    /// Everybody with sound says a word now and then from here on, so that nobody counts as silent.
    pub fn mutter_every(&mut self, seconds: f64) {
        let every = Duration::from_secs_f64(seconds);
        self.mutter = Some((every, self.now + every));
    }

    /// A phone presses keys in its newest call, told as telephone-events while it speaks.
    pub fn dials_in_sound(&mut self, name: &str, keys: &str) {
        self.with_talk(name, Talk::is_up, |phone, talk| phone.talks[talk].sound.dial(keys));
    }

    /// Of the packets that `speaker` has sent in its newest call, so many in a thousand were heard by `hearer`; from the
    /// beginning of the call, if nothing was listened to meanwhile.
    pub fn heard_per_mille(&self, hearer: &str, speaker: &str) -> usize {
        let newest = |name: &str| &self.phones[self.place(name)].talks.last().expect("a call").sound;
        newest(hearer).ear.packets() * 1_000 / newest(speaker).sent.max(1) as usize
    }

    fn speak_for(&mut self, packets: u32) {
        for _ in 0..packets {
            self.everybody_speaks();
            self.run_until(self.now + PACKET);
        }
    }

    pub(super) fn everybody_speaks(&mut self) {
        let mut packets = Vec::new();
        for (place, phone) in self.phones.iter_mut().enumerate().filter(|(_, phone)| !phone.unplugged) {
            let mut nat = self.nats.get_mut(&place);
            let ip = phone.card.address.ip();
            for talk in phone.talks.iter_mut().filter(|talk| talk.is_live()) {
                let inside = (ip, talk.sound.port).into();
                let from = nat.as_mut().map_or(inside, |nat| nat.out(self.now, inside));
                packets.extend(talk.sound.speak(self.now).map(|(to, packet)| (from, to, packet)));
            }
        }
        for (from, to, packet) in packets {
            self.fly(Flight { inward: true, from, to, packet });
        }
    }

    /// Sends a packet of sound on its way.
    pub(super) fn fly(&mut self, flight: Flight) {
        if let Some(there) = self.air.send(self.now, &mut self.chance, flight) {
            self.land(there);
        }
    }

    /// A packet of sound is there.
    pub(super) fn land(&mut self, flight: Flight) {
        let Flight { inward, from, to, packet } = flight;
        if inward {
            if self.switchboard.is_some() {
                let brought = self.floor.hear(self.now, self.mono(), from, to, packet);
                self.take_in(brought);
            }
            return;
        }
        let through = self.nats.values().find(|nat| nat.is_at(to.ip()));
        let Some(to) = through.map_or(Some(to), |nat| nat.inward(self.now, to.port())) else { return };
        let heard = self.phones.iter_mut().find(|phone| phone.card.address.ip() == to.ip() && !phone.unplugged);
        let talk = heard
            .and_then(|phone| phone.talks.iter_mut().rev().find(|talk| talk.sound.port == to.port() && talk.is_live()));
        if let Some(talk) = talk {
            talk.sound.hear(&packet);
        }
    }
}

/// What nobody else says is the one low tone that the music never stops.
fn has_music(sound: &[i16]) -> bool {
    let pieces = sound.chunks_exact(PIECE);
    let loud = |piece: &&[i16]| piece.iter().any(|sample| sample.unsigned_abs() > 500);
    let heard = pieces.filter(loud).filter(|piece| share(piece, DRONE) > 0.1).count();
    Duration::from_millis(40) * u32::try_from(heard).unwrap_or(u32::MAX) >= ENOUGH
}

/// Whether a tone is a good part of what is heard, alone or among the voices of others. The notes of music are nobody's.
fn has_tone(sound: &[i16], hertz: u16) -> bool {
    let part = if [PROGRESS, VOICE].contains(&hertz) { WHOLE } else { PART };
    let pieces = sound.chunks_exact(PIECE);
    let heard =
        pieces.filter(|piece| is_loud(piece) && share(piece, hertz) > part && share(piece, DRONE) < 0.1).count();
    Duration::from_millis(40) * u32::try_from(heard).unwrap_or(u32::MAX) >= ENOUGH
}

/// Whether a piece is more than noise.
fn is_loud(piece: &[i16]) -> bool {
    let energy: i64 = piece.iter().map(|sample| i64::from(*sample).pow(2)).sum();
    energy > 300 * 300 * PIECE as i64
}
