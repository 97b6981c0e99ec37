//! One party as those hear it who hear several at once: an even flow of sound in pieces of 10 ms, which any number of
//! hearers take at a pace of their own, and the sum of several such flows.

use std::ops::Range;

use crate::Codec;
use crate::clock::{MILLISECOND, Ticks};
use crate::codec::resample::{Down, Up};
use crate::ear::{Ear, Taken};
use crate::jitter::Arrival;
use crate::mouth::MOST;

/// The length of a piece.
pub(crate) const PIECE: Ticks = 10 * MILLISECOND;

/// Milliseconds in a piece.
const MS: usize = 10;

/// Pieces that are kept: the longest packet, and as much as a hearer may be behind.
const RING: usize = 16;

/// A party's sound, for many.
pub(crate) struct Voice {
    ear: Ear,
    up: Up,
    down: Down,
    /// Whether anybody hears it at 8 kHz, and at 16.
    needs: [bool; 2],
    ring: Box<[Piece; RING]>,
    /// Everything before this piece has been taken from the ear, or never will be.
    next: u64,
    /// Nothing is taken from the ear before.
    begin: Ticks,
    /// What is heard until then is a key, which is told to those who take keys as events.
    hushed_until: Ticks,
}

#[derive(Clone, Copy)]
struct Piece {
    /// Its number, counted in its own length since the worker began. None: nothing was heard.
    number: Option<u64>,
    narrow: [i16; 8 * MS],
    wide: [i16; 16 * MS],
}

impl Voice {
    /// For a party that has agreed to this codec. None: there is no memory for it.
    pub fn new(codec: Codec) -> Option<Self> {
        let piece = Piece { number: None, narrow: [0; 8 * MS], wide: [0; 16 * MS] };
        Some(Self {
            ear: Ear::new(codec)?,
            up: Up::default(),
            down: Down::default(),
            needs: [false; 2],
            ring: Box::new([piece; RING]),
            next: 0,
            begin: 0,
            hushed_until: 0,
        })
    }

    pub fn codec(&self) -> Codec {
        self.ear.codec()
    }

    /// Somebody hears it with so many samples a millisecond, 8 or 16.
    pub fn need(&mut self, per_ms: usize) {
        self.needs[usize::from(per_ms == 16)] = true;
    }

    /// Takes a packet. Gives from when on its sound can be heard.
    pub fn put(&mut self, at: Ticks, arrival: &Arrival) -> Ticks {
        if let Some(due) = self.ear.put(at, arrival) {
            // What lies between was silence, and is not looked for.
            self.next = self.next.max(due / PIECE);
            self.begin = due;
        }
        self.begin.max(at)
    }

    /// What is heard now is a key.
    pub fn hush(&mut self, at: Ticks) {
        self.hushed_until = self.ear.latest_play(at) + 2 * PIECE;
    }

    /// Whether more of it is to come.
    fn is_awake(&self) -> bool {
        !self.ear.is_idle()
    }

    /// Takes from the ear what belongs before this piece.
    fn fill(&mut self, until: u64) {
        if until > self.next + RING as u64 {
            // Nobody took it while it could be heard.
            self.ear.flush();
            self.next = until - 1;
        }
        while self.next < until {
            let piece = &mut self.ring[self.next as usize % RING];
            let at = self.next * PIECE;
            piece.number = None;
            if at >= self.begin {
                let is_wide = self.ear.samples_per_ms() == 16;
                let out = if is_wide { &mut piece.wide[..] } else { &mut piece.narrow[..] };
                if self.ear.take(at, out) != Taken::Nothing {
                    piece.number = Some(self.next);
                }
                match (is_wide, self.needs) {
                    (true, [true, _]) => self.down.process(&piece.wide, &mut piece.narrow),
                    (false, [_, true]) => self.up.process(&piece.narrow, &mut piece.wide),
                    _ => {}
                }
            }
            self.next += 1;
        }
    }
}

/// What one hears of several.
pub(crate) struct Mix {
    sum: [i32; MOST],
    sound: [i16; MOST],
    per_ms: usize,
    pieces: Range<u64>,
    /// The hearer is told keys as events, and is not to hear them besides.
    told_keys: bool,
    heard: bool,
    awake: bool,
}

/// What there is to be heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mixed<'a> {
    /// These samples, of which so many make a millisecond.
    Sound(&'a [i16], usize),
    /// Nothing yet.
    Soon,
    /// Nothing.
    Silence,
}

impl Mix {
    /// What was said in the last so many milliseconds before a moment, with so many samples a millisecond.
    pub fn before(at: Ticks, milliseconds: u16, per_ms: usize, told_keys: bool) -> Self {
        let until = at / PIECE;
        let pieces = until.saturating_sub(u64::from(milliseconds) / MS as u64)..until;
        Self { sum: [0; MOST], sound: [0; MOST], per_ms, pieces, told_keys, heard: false, awake: false }
    }

    /// Adds what one party said.
    pub fn add(&mut self, voice: &mut Voice) {
        voice.fill(self.pieces.end);
        self.awake |= voice.is_awake();
        let length = MS * self.per_ms;
        for (number, sum) in self.pieces.clone().zip(self.sum.chunks_exact_mut(length)) {
            let piece = &voice.ring[number as usize % RING];
            if piece.number != Some(number) {
                continue;
            }
            self.heard = true;
            if self.told_keys && number * PIECE < voice.hushed_until {
                continue;
            }
            let sound = if self.per_ms == 16 { &piece.wide[..] } else { &piece.narrow[..] };
            sum.iter_mut().zip(sound).for_each(|(sum, sample)| *sum += i32::from(*sample));
        }
    }

    /// All that was added, no louder than sound can be.
    pub fn finish(&mut self) -> Mixed<'_> {
        if !self.heard {
            return if self.awake { Mixed::Soon } else { Mixed::Silence };
        }
        let count = (self.pieces.end - self.pieces.start) as usize * MS * self.per_ms;
        for (sample, sum) in self.sound.iter_mut().zip(&self.sum[..count]) {
            *sample = (*sum).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
        Mixed::Sound(&self.sound[..count], self.per_ms)
    }
}

/// Whom a packet of our own tells of.
pub(crate) enum Source<'a> {
    /// Of nobody.
    Nobody,
    /// Of one, whose sound has to be decoded.
    Ear(&'a mut Ear),
    /// Of several.
    Mix(Mixed<'a>),
}

impl Source<'_> {
    /// Lets so much of what is said pass unheard. What several say passes by itself.
    pub fn discard(&mut self, at: Ticks, length: Ticks) {
        if let Self::Ear(ear) = self {
            let samples = (length / MILLISECOND) as usize * ear.samples_per_ms();
            ear.take(at, &mut [0; MOST][..samples.min(MOST)]);
        }
    }
}
