//! How what one party says becomes what the other hears: passed on as it is where both speak one codec, else decoded,
//! held as long as the network is uneven, and encoded anew at our own pace. Keys go in the form that the other speaks.

use crate::clock::Ticks;
use crate::ear::Ear;
use crate::heard::Heard;
use crate::jitter::{Arrival, Kind};
use crate::keys::{Form, USUAL};
use crate::listener::{Listener, NARROW, Press};
use crate::recorder::{Piece, Voice};
use crate::speaker::is_relayed;
use crate::voice::Source;
use crate::{Channel, Clip, Codec, Packet, Report, Sound, noise};

use super::{Session, Tap};

/// A press of which nothing is heard for so long has ended, although its last packets did not come.
const FORGOTTEN: Ticks = 150 * crate::clock::MILLISECOND;

/// What becomes of the press that a party tells of in events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Pressed {
    /// Its packets are not passed on.
    #[default]
    Dropped,
    /// Its packets are passed on.
    Passed,
    /// The partner's speaker presses the key too, and lets it go when it is let go here.
    Followed {
        /// When the last packet came.
        heard: Ticks,
    },
}

impl Session {
    /// The recording that hears it from now on.
    pub fn record(&mut self, tap: Option<Tap>) {
        self.tap = tap;
        self.attend();
    }

    /// Gets ready to be listened to as its stream needs it.
    pub(super) fn attend(&mut self) {
        let Some(stream) = &self.stream else { return };
        let finds_keys = stream.receive_keys.is_none();
        let is_needed = finds_keys || (self.tap.is_some() && stream.codec.law().is_none());
        if !is_needed {
            self.listener = None;
        } else if !self.listener.as_ref().is_some_and(|listener| listener.is_for(stream.codec, finds_keys)) {
            self.listener = Listener::new(stream.codec, finds_keys).map(Box::new);
        }
    }

    /// Gets both ready for what `self` says to reach `to`.
    pub fn connect(&mut self, to: &mut Self) {
        let (Some(stream), Some(theirs)) = (&self.stream, &to.stream) else { return };
        if is_relayed(stream.codec, theirs.codec) {
            self.ear = None;
        } else {
            to.speaker.prepare(theirs.codec);
            self.listen(stream.codec);
        }
    }

    /// Nobody hears it any more.
    pub fn disconnect(&mut self) {
        self.cut();
        self.ear = None;
        self.pressed = Pressed::Dropped;
    }

    /// Begins to play to the party. Gives whether nothing was playing.
    pub fn play(&mut self, sound: Sound) -> bool {
        let is_new = !self.speaker.is_playing();
        self.speaker.play(self.stream.as_ref(), sound);
        is_new
    }

    /// Begins to say clips to the party. False: there is nothing to say.
    pub fn say(&mut self, say: u32, clips: Vec<Clip>) -> bool {
        self.speaker.say(self.stream.as_ref(), say, clips)
    }

    /// Whether anything is played to the party.
    pub fn is_playing(&self) -> bool {
        self.speaker.is_playing()
    }

    /// What has been said to its end since this was last asked.
    pub fn take_said(&mut self) -> Option<u32> {
        self.speaker.take_said()
    }

    /// Gives whether anything was playing.
    pub fn stop(&mut self) -> bool {
        let was_playing = self.speaker.stop();
        self.speaker.settle();
        was_playing
    }

    /// Nothing of our own is due any more, unless something is being made.
    pub fn settle(&mut self) {
        self.speaker.settle();
    }

    /// When the next packet of our own to the party is due.
    pub fn due(&self) -> Option<Ticks> {
        self.speaker.due()
    }

    /// The first packet of our own is due then, if none is due. Gives whether none was.
    pub fn wake(&mut self, at: Ticks) -> bool {
        self.speaker.wake(at)
    }

    /// Milliseconds of sound in a packet of our own to the party.
    pub fn packet_ms(&self) -> u16 {
        self.stream.as_ref().map_or(20, |stream| stream.codec.packet_ms(stream.packet_ms))
    }

    /// Whether its sound has to be looked at before it is passed on.
    pub fn is_attended(&self) -> bool {
        self.muted || self.tap.is_some() || self.listener.is_some()
    }

    /// Listens to sound for the recording and for keys in it, and silences it if the party is muted. Gives a report, if
    /// there is one, and what the recording is to hear, if there is anything.
    pub fn attend_to<'a>(
        &mut self,
        at: Ticks,
        codec: Codec,
        heard: &mut Heard,
        packet: &'a mut [u8],
        narrow: &'a mut [i16; NARROW],
    ) -> (Option<Report>, Option<Press>, Option<Piece<'a>>) {
        let payload = &packet[heard.payload.clone()];
        let (count, press) =
            self.listener.as_mut().map_or((0, None), |listener| listener.hear(heard.place, codec, payload, narrow));
        let press = press.filter(|press| self.is_fresh(at, *press));
        if let Some(key) = self.listener.as_ref().and_then(|listener| listener.key())
            && !self.echoed
        {
            self.presses.sounds(at, key);
        }
        let report = match press {
            Some(Press::Down(key)) => {
                self.pressed_at = at;
                Some(Report::Key { session: self.id, key })
            }
            _ => None,
        };
        if self.muted {
            let silent = codec.silence(&mut packet[heard.payload.clone()]);
            heard.payload.end = heard.payload.start + silent;
        }
        let scale = codec.clock_scale();
        let voice = match codec.law() {
            Some(law) => Some(Voice::Law(law, &packet[heard.payload.clone()])),
            None => (!self.muted && count > 0).then_some(Voice::Samples(&narrow[..count])),
        };
        let piece = voice.filter(|_| self.tap.is_some()).map(|voice| Piece {
            session: self.serial,
            run: heard.place.run,
            timestamp: heard.header.timestamp,
            scale,
            voice,
        });
        (report, press, piece)
    }

    /// Whether what a key in the sound does is to be told: not if the press has come in signalling.
    fn is_fresh(&mut self, at: Ticks, press: Press) -> bool {
        match press {
            Press::Down(key) => {
                self.echoed = !self.presses.is_new(at, key, Form::Sound);
                !self.echoed
            }
            Press::Up => !std::mem::take(&mut self.echoed),
        }
    }

    /// The party's sound goes to `to`. Gives the packet to send at once, or when packets of our own have to be made.
    pub fn pass_sound(&mut self, at: Ticks, codec: Codec, heard: &Heard, to: &mut Self, buffer: &mut [u8]) -> Passed {
        if let Pressed::Followed { heard: last } = self.pressed
            && at.saturating_sub(last) > FORGOTTEN
        {
            to.speaker.release(self.press_length());
            self.pressed = Pressed::Dropped;
        }
        let (Some(stream), Some(theirs)) = (&self.stream, &to.stream) else { return Passed::Nothing };
        let is_told_keys = theirs.keys.is_some();
        // The partner is told of the key, or was when signalling told it, and is not to hear it besides.
        let is_pressed = (is_told_keys || self.echoed) && self.listener.as_ref().is_some_and(|it| it.key().is_some());
        if self.ear.is_none() && !is_relayed(codec, theirs.codec) {
            // It speaks another codec than was agreed on. That is got ready for once, and stays.
            to.speaker.prepare(theirs.codec);
            self.listen(stream.codec);
        }
        let Some(ear) = &mut self.ear else {
            if is_pressed {
                to.speaker.skip(self.serial, heard);
                return Passed::Nothing;
            }
            return to.speak(at, self.serial, heard, buffer);
        };
        if is_pressed {
            ear.hush(at);
        }
        let payload = &buffer[heard.payload.clone()];
        self.hold(at, Kind::Sound(codec), heard, payload, to)
    }

    /// The party pauses, and says how that sounds.
    pub fn pass_noise(&mut self, at: Ticks, heard: &Heard, to: &mut Self, buffer: &mut [u8]) -> Passed {
        if self.ear.is_none() {
            return to.speak(at, self.serial, heard, buffer);
        }
        let level = noise::level(&buffer[heard.payload.clone()]);
        self.hold(at, Kind::Noise(level), heard, &[], to)
    }

    /// What the party sends is not for `to`.
    pub fn pass_nothing(&mut self, heard: &Heard, to: &mut Self) -> Passed {
        to.speaker.skip(self.serial, heard);
        Passed::Nothing
    }

    /// The party's key goes to `to`. `fresh` is the key when the packet is the first of a press.
    pub fn pass_key(
        &mut self,
        at: Ticks,
        fresh: Option<char>,
        heard: &Heard,
        to: &mut Self,
        buffer: &mut [u8],
    ) -> Passed {
        let (Some(stream), Some(theirs)) = (&self.stream, &to.stream) else { return Passed::Nothing };
        if let Some(key) = fresh {
            let is_one_clock =
                stream.keys_clock == theirs.keys_clock && stream.codec.clock_rate() == theirs.codec.clock_rate();
            self.pressed = if self.ear.is_none() && theirs.keys.is_some() && is_one_clock && !to.speaker.is_making() {
                Pressed::Passed
            } else if to.speaker.press(theirs, key, None) {
                Pressed::Followed { heard: at }
            } else {
                Pressed::Dropped
            };
        }
        match &mut self.pressed {
            Pressed::Passed => to.speak(at, self.serial, heard, buffer),
            Pressed::Dropped => {
                to.speaker.skip(self.serial, heard);
                Passed::Nothing
            }
            Pressed::Followed { heard } => {
                *heard = at;
                if self.keys.last().is_some_and(|(ended, _)| ended) {
                    to.speaker.release(self.press_length());
                    self.pressed = Pressed::Dropped;
                }
                Passed::Due(at)
            }
        }
    }

    /// The party presses a key in its signalling, which `to` gets. Gives whether it does.
    pub fn pass_pressed(&self, key: char, to: &mut Self) -> bool {
        to.get_pressed(key)
    }

    /// A key is pressed for the party. Gives whether it gets it.
    pub fn get_pressed(&mut self, key: char) -> bool {
        let Some(stream) = &self.stream else { return false };
        self.speaker.press(stream, key, Some(USUAL))
    }

    /// The party presses or lets go a key in its sound, which `to` is told of if it takes events. Gives whether it does.
    pub fn pass_press(&self, at: Ticks, press: Press, to: &mut Self) -> bool {
        let Some(theirs) = to.stream.as_ref().filter(|theirs| theirs.keys.is_some()) else { return false };
        match press {
            Press::Down(key) => to.speaker.press(theirs, key, None),
            Press::Up => {
                to.speaker.release(at.saturating_sub(self.pressed_at));
                false
            }
        }
    }

    /// Makes the packet of our own that is due. `from` is the party's partner.
    pub fn make_from(&mut self, at: Ticks, from: &mut Self, buffer: &mut [u8]) -> Option<Packet> {
        let source = from.ear.as_deref_mut().map_or(Source::Nobody, Source::Ear);
        self.make(at, source, buffer)
    }

    /// Makes the packet of our own that is due, of what the party hears.
    pub fn make(&mut self, at: Ticks, source: Source<'_>, buffer: &mut [u8]) -> Option<Packet> {
        let Some((stream, to)) = self.stream.as_ref().zip(self.latch.target()) else {
            self.speaker.postpone(at);
            return None;
        };
        let bytes = self.speaker.step(at, stream, source, buffer)?;
        self.seal(to, Channel::Sound, bytes, buffer)
    }

    /// Makes a partner's packet ours, in place. `serial` is the partner's.
    fn speak(&mut self, at: Ticks, serial: u32, heard: &Heard, buffer: &mut [u8]) -> Passed {
        let Some((stream, to)) = self.stream.as_ref().zip(self.latch.target()) else { return Passed::Nothing };
        let Some(bytes) = self.speaker.relay(at, stream, serial, heard, buffer) else { return Passed::Nothing };
        self.seal(to, Channel::Sound, bytes, buffer).map_or(Passed::Nothing, Passed::Packet)
    }

    /// What the party says waits to be decoded for `to`.
    fn hold(&mut self, at: Ticks, kind: Kind, heard: &Heard, payload: &[u8], to: &mut Self) -> Passed {
        let Some(ear) = &mut self.ear else { return Passed::Nothing };
        let listens = to.stream.as_ref().is_some_and(|stream| stream.send) && to.latch.target().is_some();
        if !listens || to.speaker.is_playing() {
            ear.flush();
            return Passed::Nothing;
        }
        let arrival = Arrival { kind, run: heard.place.run, timestamp: heard.header.timestamp, payload };
        match ear.put(at, &arrival) {
            Some(due) => Passed::Due(due),
            None => Passed::Due(at),
        }
    }

    fn listen(&mut self, codec: Codec) {
        match &mut self.ear {
            Some(ear) if ear.codec() == codec => ear.flush(),
            ear => *ear = Ear::new(codec).map(Box::new),
        }
    }

    /// How long the party's last press was, in ticks.
    fn press_length(&self) -> Ticks {
        let clock = self.stream.as_ref().map_or(8_000, |stream| stream.keys_clock).max(8_000);
        self.keys.last().map_or(0, |(_, length)| Ticks::from(length) * 8_000 / Ticks::from(clock))
    }
}

/// What became of a packet.
#[derive(Debug)]
pub(crate) enum Passed {
    /// It goes on now.
    Packet(Packet),
    /// Packets of our own are to be made for the partner, from this moment on if none are yet.
    Due(Ticks),
    Nothing,
}
