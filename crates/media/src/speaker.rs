//! What goes to one party: its partner's packets under our numbers, and packets of our own, made of tones, keys and of
//! sound that had to be decoded.
//!
//! Packets of our own are paced: while there are any, the speaker says when the next step is due. Its latch, its keys of
//! SRTP and its address are the session's.

use std::ops::Range;

use crate::clip::Saying;
use crate::clock::{MILLISECOND, Ticks};
use crate::ear::Taken;
use crate::heard::{Heard, What};
use crate::keys::{Keyer, Stroke};
use crate::mouth::{MOST, Mouth};
use crate::outgoing::Outgoing;
use crate::rtp::{HEADER, Header};
use crate::tone::Tone;
use crate::voice::{Mixed, Source};
use crate::{Clip, Codec, Sound, Stream};

/// How long a sound that plays waits for the party to listen.
const PATIENCE: Ticks = 20 * MILLISECOND;

/// What is played to a party.
enum Playing {
    /// Until it is stopped.
    Sound(Tone),
    /// Until its end.
    Said(Saying),
}

/// What goes to one party.
pub(crate) struct Speaker {
    outgoing: Outgoing,
    playing: Option<Playing>,
    /// What was said to its end, until it is told.
    said: Option<u32>,
    keyer: Keyer,
    /// There when sound has been made for the party.
    mouth: Option<Mouth>,
    /// The party was told that its partner pauses, and how loud the pause is.
    pausing: Option<u8>,
    /// When the next step is due. None: nothing of our own is to be sent.
    due: Option<Ticks>,
}

impl Speaker {
    pub fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, playing: None, said: None, keyer: Keyer::default(), mouth: None, pausing: None, due: None }
    }

    /// The party speaks so from now on.
    pub fn change(&mut self, stream: &Stream) {
        self.outgoing.set_scale(stream.codec.clock_scale());
        self.mouth.take_if(|mouth| mouth.codec() != stream.codec);
        if self.is_making() {
            self.prepare(stream.codec);
        }
        self.cut();
    }

    /// What goes to the party next begins a segment.
    pub fn cut(&mut self) {
        self.outgoing.cut();
        self.pausing = None;
    }

    /// Gets ready to make sound in this codec, so that nothing has to be allocated when it is due.
    pub fn prepare(&mut self, codec: Codec) {
        if self.mouth.as_ref().is_none_or(|mouth| mouth.codec() != codec) {
            self.mouth = Mouth::new(codec);
        }
    }

    pub fn play(&mut self, stream: Option<&Stream>, sound: Sound) {
        self.begin(stream, Playing::Sound(Tone::new(sound)));
    }

    /// Begins to say clips. False: there is nothing to say, and nothing plays any more.
    pub fn say(&mut self, stream: Option<&Stream>, say: u32, clips: Vec<Clip>) -> bool {
        match Saying::new(say, clips) {
            Some(saying) => self.begin(stream, Playing::Said(saying)),
            None => drop(self.stop()),
        }
        self.is_playing()
    }

    fn begin(&mut self, stream: Option<&Stream>, playing: Playing) {
        self.playing = Some(playing);
        if let Some(stream) = stream {
            self.prepare(stream.codec);
        }
        self.cut();
    }

    /// Gives whether anything was playing.
    pub fn stop(&mut self) -> bool {
        self.cut();
        self.playing.take().is_some()
    }

    /// What has been said to its end since this was last asked.
    pub fn take_said(&mut self) -> Option<u32> {
        self.said.take()
    }

    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Presses a key for the party: for so long, or until it is let go. False: it takes none.
    pub fn press(&mut self, stream: &Stream, key: char, length: Option<Ticks>) -> bool {
        if !stream.send || self.is_playing() || (stream.keys.is_none() && !stream.key_tones) {
            return false;
        }
        if stream.keys.is_none() {
            self.prepare(stream.codec);
        }
        self.keyer.press(key, length);
        true
    }

    /// The key that was pressed last is let go.
    pub fn release(&mut self, length: Ticks) {
        self.keyer.release(length);
    }

    /// Whether packets of our own have the party to themselves.
    pub fn is_making(&self) -> bool {
        self.playing.is_some() || self.keyer.is_busy()
    }

    /// When the next step is due.
    pub fn due(&self) -> Option<Ticks> {
        self.due
    }

    /// A step is to be taken then, if none is due before. Gives whether that is new.
    pub fn wake(&mut self, at: Ticks) -> bool {
        let is_new = self.due.is_none();
        self.due.get_or_insert(at);
        is_new
    }

    /// Nothing of our own is due any more, unless something is being made.
    pub fn settle(&mut self) {
        if !self.is_making() {
            self.due = None;
        }
    }

    /// There is nowhere to send to.
    pub fn postpone(&mut self, at: Ticks) {
        self.keyer = Keyer::default();
        if let Some(Playing::Said(saying)) = &mut self.playing {
            // Whoever cannot hear now hears what is left when it can.
            if saying.is_over() {
                self.end_saying();
            } else {
                saying.pass(PATIENCE as usize);
            }
        }
        self.due = self.playing.as_ref().map(|_| at + PATIENCE);
    }

    pub fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// Makes a partner's packet ours, in place; gives where it lies. `serial` is the partner's. None: nothing goes to the
    /// party.
    pub fn relay(
        &mut self,
        at: Ticks,
        stream: &Stream,
        serial: u32,
        heard: &Heard,
        buffer: &mut [u8],
    ) -> Option<Range<usize>> {
        if !stream.send || self.is_making() {
            return None;
        }
        let payload_type = match heard.what {
            What::Sound(codec) => {
                if let (Some(from), Some(to)) = (codec.law(), stream.codec.law()) {
                    from.transcode(to, &mut buffer[heard.payload.clone()]);
                }
                is_relayed(codec, stream.codec).then_some(stream.payload_type)
            }
            What::Key => stream.keys,
            What::Noise => stream.comfort,
            What::Other => None,
        };
        let Some(payload_type) = payload_type else {
            self.skip(serial, heard);
            return None;
        };
        let (sequence, timestamp, marker) = self.outgoing.relay(at, serial, heard.place, &heard.header)?;
        // The payload stays where it is; its header, which may be shorter than the one that came, moves up to it.
        let start = heard.payload.start - HEADER;
        let header = Header { marker, payload_type, sequence, timestamp, ssrc: self.outgoing.ssrc() };
        buffer[start..heard.payload.start].copy_from_slice(&header.print());
        self.outgoing.count(heard.payload.len());
        Some(start..heard.payload.end)
    }

    /// The partner's packet does not go on to the party.
    pub fn skip(&mut self, serial: u32, heard: &Heard) {
        self.outgoing.skip(serial, heard.place);
    }

    /// Does what is due; gives where the packet to send lies, if there is one. `source` is
    /// what the party hears.
    pub fn step(
        &mut self,
        at: Ticks,
        stream: &Stream,
        mut source: Source<'_>,
        buffer: &mut [u8],
    ) -> Option<Range<usize>> {
        let packet_ms = stream.codec.packet_ms(stream.packet_ms);
        let length = Ticks::from(packet_ms) * MILLISECOND;
        if !stream.send {
            self.postpone(at);
            return None;
        }
        if let Some(keys) = stream.keys
            && self.keyer.is_busy()
        {
            match self.keyer.event(at) {
                Some(Stroke::Event { mut event, first, wait }) => {
                    self.due = Some(at + wait);
                    self.pausing = None;
                    source.discard(at, wait);
                    let (sequence, timestamp, marker) = self.outgoing.event(at, first);
                    event.duration *= (stream.keys_clock / 8_000).clamp(1, 6) as u16;
                    buffer[HEADER..HEADER + 4].copy_from_slice(&event.print());
                    return Some(self.finish(buffer, keys, (sequence, timestamp, marker), 4));
                }
                Some(Stroke::Rest(wait)) if matches!(source, Source::Nobody) && self.playing.is_none() => {
                    self.due = Some(at + wait);
                    return None;
                }
                Some(Stroke::Rest(_)) | None => {}
            }
        }
        let mut sound = [0; MOST];
        self.due = None;
        let made = self.make(at, stream, packet_ms, source, &mut sound)?;
        self.due = Some(at + length);
        let steps = length as u32 * stream.codec.clock_scale();
        match made {
            Made::Sound(sound, per_ms) => {
                self.pausing = None;
                let payload = self.mouth.as_mut()?.say(sound, per_ms, &mut buffer[HEADER..])?;
                let numbers = self.outgoing.own(at, steps);
                Some(self.finish(buffer, stream.payload_type, numbers, payload))
            }
            Made::Nothing => None,
            Made::Pause { level, .. } if self.pausing == Some(level) => None,
            Made::Pause { level, payload_type } => {
                buffer[HEADER] = level;
                let numbers = self.outgoing.own(at, steps);
                // Sound begins a segment when it comes again.
                self.cut();
                self.pausing = Some(level);
                Some(self.finish(buffer, payload_type, numbers, 1))
            }
        }
    }

    /// What the next packet says. None: nothing.
    fn make<'a>(
        &mut self,
        at: Ticks,
        stream: &Stream,
        packet_ms: u16,
        mut source: Source<'a>,
        sound: &'a mut [i16; MOST],
    ) -> Option<Made<'a>> {
        let milliseconds = usize::from(packet_ms);
        let narrow = milliseconds * 8;
        if stream.keys.is_none() && self.keyer.is_busy() {
            source.discard(at, narrow as Ticks);
            self.keyer.tones(at, &mut sound[..narrow]);
            return Some(Made::Sound(&sound[..narrow], 8));
        }
        if matches!(&self.playing, Some(Playing::Said(saying)) if saying.is_over()) {
            // Its last packet has had its time.
            self.end_saying();
        }
        match &mut self.playing {
            Some(Playing::Sound(tone)) => {
                tone.fill_samples(&mut sound[..narrow]);
                return Some(Made::Sound(&sound[..narrow], 8));
            }
            Some(Playing::Said(saying)) => {
                saying.fill_samples(&mut sound[..narrow]);
                return Some(Made::Sound(&sound[..narrow], 8));
            }
            None => {}
        }
        let ear = match source {
            Source::Ear(ear) => ear,
            Source::Mix(Mixed::Sound(sound, per_ms)) => return Some(Made::Sound(sound, per_ms)),
            Source::Mix(Mixed::Soon) => return Some(Made::Nothing),
            Source::Mix(Mixed::Silence) => {
                self.cut();
                return None;
            }
            Source::Nobody => return None,
        };
        let per_ms = ear.samples_per_ms();
        let sound = &mut sound[..milliseconds * per_ms];
        match (ear.take(at, sound), stream.comfort) {
            (Taken::Noise(level), Some(payload_type)) => Some(Made::Pause { level, payload_type }),
            (Taken::Sound | Taken::Noise(_), _) => Some(Made::Sound(sound, per_ms)),
            (Taken::Nothing, _) => {
                self.cut();
                None
            }
        }
    }

    /// All has been said.
    fn end_saying(&mut self) {
        if let Some(Playing::Said(saying)) = self.playing.take() {
            self.said = Some(saying.say);
            self.cut();
        }
    }

    fn finish(
        &mut self,
        buffer: &mut [u8],
        payload_type: u8,
        (sequence, timestamp, marker): (u16, u32, bool),
        payload: usize,
    ) -> Range<usize> {
        let header = Header { marker, payload_type, sequence, timestamp, ssrc: self.outgoing.ssrc() };
        buffer[..HEADER].copy_from_slice(&header.print());
        self.outgoing.count(payload);
        0..HEADER + payload
    }
}

/// What a packet of our own says.
enum Made<'a> {
    /// These samples, of which so many make a millisecond.
    Sound(&'a [i16], usize),
    /// The partner pauses; comfort noise of this level goes under this payload type.
    Pause { level: u8, payload_type: u8 },
    /// Nothing yet.
    Nothing,
}

/// Whether sound of one codec becomes sound of the other without decoding a whole packet.
pub(crate) fn is_relayed(from: Codec, to: Codec) -> bool {
    from == to || (from.law().is_some() && to.law().is_some())
}
