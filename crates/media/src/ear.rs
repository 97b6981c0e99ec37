//! Hears one party: its packets in, an even flow of samples out, at the pace of whoever takes them.
//!
//! Holds packets as long as the network is uneven ([`crate::jitter`]), decodes them in order, makes up for what is missing
//! and says a period of the voice twice or not at all where the delay has to change. Who hears nothing for a while is
//! idle, and begins again with the next packet.

use crate::Codec;
use crate::clock::{MILLISECOND, Ticks};
use crate::codec::resample::Up;
use crate::codec::{Decoder, LONGEST, Law};
use crate::conceal::Concealment;
use crate::jitter::{Arrival, JitterBuffer, Kind, MOST};
use crate::noise::Noise;

const MS: i64 = MILLISECOND as i64;

/// Samples that are decoded and not yet taken: the longest packet, and what was left before it.
const READY: usize = 2 * LONGEST;

/// What is missing is made up in pieces of this length.
const FILL: i64 = 10 * MS;

/// Packets closer than this to where they belong are where they belong: the shortest frame of Opus.
const CLOSE: i64 = 20;

/// The delay is changed when it is too short or too long by more than this, once in so much time, and at any time when it
/// is very wrong.
const SHORT: i64 = 3 * MS;
const LONG: i64 = -16 * MS;
const VERY_WRONG: i64 = 40 * MS;
const PATIENCE: Ticks = 60 * MILLISECOND;

/// What has waited so much too long is not played any more.
const STALE: i64 = 300 * MS;

/// Who is silent for so long is idle: usually, in a pause of Opus, in comfort noise.
const IDLE: Ticks = 400 * MILLISECOND;
const IDLE_PAUSE: Ticks = 1_500 * MILLISECOND;
const IDLE_NOISE: Ticks = 10_000 * MILLISECOND;

/// What one hears of a party.
pub(crate) struct Ear {
    decoder: Decoder,
    /// For a party that speaks G.711 although something at 16 kHz was agreed on.
    up: Up,
    per_ms: usize,
    buffer: JitterBuffer,
    concealment: Concealment,
    noise: Noise,
    /// Comfort noise is being made, of this level.
    noisy: Option<u8>,
    ready: Box<[i16; READY]>,
    /// How many of them there are.
    count: usize,
    /// The media time of what is decoded next. None: idle.
    cursor: Option<i64>,
    /// How much was made up since the last packet.
    filled: i64,
    /// How much was made up in all.
    #[cfg(test)]
    filled_ever: i64,
    heard: Ticks,
    /// The last packet said that a pause begins.
    pause: bool,
    adjust_at: Ticks,
    hushed_until: Ticks,
}

/// What was taken from an [`Ear`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    Sound,
    /// Noise that was made because a packet told so, of this level.
    Noise(u8),
    /// It is idle.
    Nothing,
}

impl Ear {
    /// For a party that has agreed to this codec. None: there is no memory for it.
    pub fn new(codec: Codec) -> Option<Self> {
        let per_ms = codec.samples_per_ms();
        Some(Self {
            decoder: Decoder::new(codec)?,
            up: Up::default(),
            per_ms,
            buffer: JitterBuffer::new(codec.clock_scale()),
            concealment: Concealment::new(per_ms),
            noise: Noise::default(),
            noisy: None,
            ready: Box::new([0; READY]),
            count: 0,
            cursor: None,
            filled: 0,
            #[cfg(test)]
            filled_ever: 0,
            heard: 0,
            pause: false,
            adjust_at: 0,
            hushed_until: 0,
        })
    }

    pub fn codec(&self) -> Codec {
        self.decoder.codec()
    }

    /// Samples in a millisecond of what it gives.
    pub fn samples_per_ms(&self) -> usize {
        self.per_ms
    }

    /// Takes a packet. When the ear was idle, gives when samples should be taken from now on.
    pub fn put(&mut self, at: Ticks, arrival: &Arrival) -> Option<Ticks> {
        let (media, anew) = self.buffer.put(at, arrival);
        self.heard = at;
        if anew {
            self.decoder.reset();
            self.noisy = None;
        }
        let latest = self.latest();
        let Some(cursor) = &mut self.cursor else {
            self.begin(media);
            return Some(at.max(self.buffer.due(media).max(0) as Ticks));
        };
        if anew {
            *cursor = media - self.buffer.held();
            self.filled = 0;
        } else if media < *cursor && media >= *cursor - self.filled && at as i64 - media <= latest {
            // It was thought lost, and was only late: everything is played later from now on.
            self.filled -= *cursor - media;
            *cursor = media;
        }
        None
    }

    /// Takes so many samples, at this moment.
    pub fn take(&mut self, at: Ticks, out: &mut [i16]) -> Taken {
        while self.count < out.len() && self.produce(at) {}
        if self.count == 0 {
            return Taken::Nothing;
        }
        let count = self.count.min(out.len());
        let (sound, rest) = out.split_at_mut(count);
        sound.copy_from_slice(&self.ready[..count]);
        rest.fill(0);
        self.ready.copy_within(count..self.count, 0);
        self.count -= count;
        if at < self.hushed_until {
            out.fill(0);
        }
        self.noisy.map_or(Taken::Sound, Taken::Noise)
    }

    /// Forgets what waits; it begins again with the next packet.
    pub fn flush(&mut self) {
        self.buffer.clear();
        self.cursor = None;
        self.count = 0;
        self.noisy = None;
    }

    /// Gives silence for what is heard now, as long as it may wait.
    pub fn hush(&mut self, at: Ticks) {
        self.hushed_until = self.latest_play(at);
    }

    /// Whether nothing is to be heard before another packet comes.
    pub fn is_idle(&self) -> bool {
        self.cursor.is_none() && self.count == 0
    }

    /// When what comes at this moment will have been heard.
    pub fn latest_play(&self, at: Ticks) -> Ticks {
        at + self.buffer.held() as Ticks + 60 * MILLISECOND
    }

    /// How much was made up because nothing came, in ticks.
    #[cfg(test)]
    pub fn filled_ever(&self) -> i64 {
        self.filled_ever
    }

    fn begin(&mut self, media: i64) {
        self.cursor = Some(media);
        self.filled = 0;
        self.count = 0;
    }

    /// How long after its media time a packet may be played at all.
    fn latest(&self) -> i64 {
        self.buffer.due(0) - self.buffer.held() + MOST
    }

    /// Decodes or makes up the next piece. False: nothing has come for long.
    fn produce(&mut self, at: Ticks) -> bool {
        let Some(cursor) = self.cursor else { return false };
        // Ahead of where it should be: packets have too little time to come. Behind: they wait too long.
        let ahead = self.buffer.due(cursor) - at as i64;
        let mut skipped = false;
        while let Some(first) = self.buffer.first() {
            let is_stale = at as i64 - self.buffer.due(first.media) > STALE;
            if !is_stale && first.media >= cursor - CLOSE {
                break;
            }
            skipped |= is_stale;
            self.buffer.drop_first();
        }
        if let Some(first) = self.buffer.first().filter(|_| skipped) {
            self.concealment.interrupt();
            self.cursor = Some(first.media);
        }
        let cursor = self.cursor.unwrap_or(cursor);
        let Some(first) = self.buffer.first().copied() else {
            let idle = match self.noisy {
                Some(_) => IDLE_NOISE,
                None if self.pause => IDLE_PAUSE,
                None => IDLE,
            };
            if at.saturating_sub(self.heard) > idle {
                self.cursor = None;
                self.noisy = None;
                return false;
            }
            self.fill(FILL, None);
            return true;
        };
        if first.media > cursor + CLOSE {
            self.fill(first.media - cursor, Some(first.media));
            return true;
        }
        match first.kind {
            Kind::Noise(level) => {
                self.buffer.drop_first();
                self.noisy = Some(level);
                self.fill(FILL, None);
            }
            Kind::Sound(codec) => {
                let count = self.decode(codec);
                self.buffer.drop_first();
                match count {
                    Some(count) => {
                        self.cursor = Some(first.media + (count / self.per_ms) as i64 * MS);
                        self.filled = 0;
                        self.noisy = None;
                        self.hear(at, ahead, count);
                    }
                    None => self.fill(FILL, None),
                }
            }
        }
        true
    }

    /// Decodes the oldest packet behind what is ready. None: it is broken.
    fn decode(&mut self, codec: Codec) -> Option<usize> {
        let first = self.buffer.first()?;
        let payload = self.buffer.payload(first);
        let out = &mut self.ready[self.count..];
        self.pause = codec == Codec::Opus && payload.len() <= 2;
        match codec.law() {
            Some(law) if codec != self.decoder.codec() => {
                Some(decode_law(law, payload, (self.per_ms == 16).then_some(&mut self.up), out))
            }
            _ => self.decoder.decode(payload, out),
        }
    }

    /// So many samples were decoded: joins them to what was played, and corrects the delay.
    fn hear(&mut self, at: Ticks, ahead: i64, mut count: usize) {
        let begin = self.count;
        let sound = &mut self.ready[begin..begin + count];
        if !(LONG..=SHORT).contains(&ahead) && (at >= self.adjust_at || ahead.abs() > VERY_WRONG) {
            self.adjust_at = at + PATIENCE;
            if ahead < 0 {
                count = self.concealment.shorten(sound);
            } else {
                let mut repeated = [0; 480];
                let more = self.concealment.lengthen(sound, &mut repeated);
                if begin + count + more <= READY {
                    self.ready.copy_within(begin..begin + count, begin + more);
                    self.ready[begin..begin + more].copy_from_slice(&repeated[..more]);
                    self.count += more;
                }
            }
        }
        let begin = self.count;
        self.concealment.hear(&mut self.ready[begin..begin + count]);
        self.count += count;
    }

    /// Makes up what is missing, up to the packet at `next` if there is one.
    fn fill(&mut self, missing: i64, next: Option<i64>) {
        let Some(cursor) = &mut self.cursor else { return };
        // Opus may tell in a packet what was in the one before.
        let is_told = next.is_some() && missing <= 60 * MS && self.filled == 0;
        let length = if is_told { missing } else { missing.min(FILL) } / CLOSE * CLOSE;
        let length = length.max(CLOSE);
        *cursor += length;
        self.filled += length;
        #[cfg(test)]
        {
            self.filled_ever += length;
        }
        let count = (length as usize * self.per_ms / MS as usize).min(READY - self.count);
        let out = &mut self.ready[self.count..self.count + count];
        self.count += count;
        if let Some(level) = self.noisy {
            self.noise.fill(level, out);
            self.concealment.remember(out);
            return;
        }
        let told = self.buffer.first().filter(|_| is_told).map(|first| self.buffer.payload(first));
        if self.decoder.conceal(told, out) {
            self.concealment.remember(out);
        } else {
            self.concealment.fill(out);
        }
    }
}

/// Decodes G.711, to 16 kHz if there is a filter for it.
fn decode_law(law: Law, payload: &[u8], up: Option<&mut Up>, out: &mut [i16]) -> usize {
    let mut narrow = [0; LONGEST / 2];
    let count = payload.len().min(narrow.len());
    let samples = law.samples();
    for (sample, &byte) in narrow.iter_mut().zip(payload) {
        *sample = samples[usize::from(byte)];
    }
    match up {
        Some(up) => {
            up.process(&narrow[..count], &mut out[..2 * count]);
            2 * count
        }
        None => {
            out[..count].copy_from_slice(&narrow[..count]);
            count
        }
    }
}

#[cfg(test)]
mod tests;
