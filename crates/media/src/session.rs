//! One party's sound: what comes from it, what goes to it. Whom it hears is the worker's business.

mod hearing;
mod passing;

use std::net::SocketAddr;
use std::ops::Range;

use crate::clock::{Clock, MILLISECOND, Ticks};
use crate::control::{Control, Told};
use crate::ear::Ear;
use crate::heard::{Heard, What};
use crate::keys::{Form, KeyReader, Presses};
use crate::latch::{Latch, Proof, Sign};
use crate::listener::Listener;
use crate::opinion::Journey;
use crate::outgoing::Outgoing;
use crate::reception::Reception;
use crate::recorder::Side;
use crate::rtcp::LONGEST;
use crate::rtp;
use crate::silence::Silence;
use crate::speaker::Speaker;
use crate::srtp::Secured;
use crate::voice::Voice;
pub(crate) use passing::Passed;
use passing::Pressed;

use crate::{AddressId, Channel, Packet, Quality, SessionId, Stream};

/// Silences in milliseconds that are told from one another; packets come every 10 to 60.
const SHORTEST_SILENCE: u128 = 1_000;
const LONGEST_SILENCE: u128 = 24 * 3_600_000;

/// One party.
pub(crate) struct Session {
    pub id: SessionId,
    pub address: AddressId,
    /// A number that no other session of this worker has had.
    pub serial: u32,
    /// The slot of whom it hears and who hears it.
    pub partner: Option<u32>,
    /// The slots of those it hears together, in place of a partner.
    pub hears: Vec<u32>,
    /// The slots of those who hear it among others.
    pub heard_by: Vec<u32>,
    /// There when anybody hears it among others.
    pub voice: Option<Box<Voice>>,
    /// Others hear silence in place of what it says.
    pub muted: bool,
    /// The recording that hears it.
    pub tap: Option<Tap>,
    stream: Option<Stream>,
    latch: Latch,
    reception: Reception,
    keys: KeyReader,
    /// What became of the press that `keys` heard last.
    pressed: Pressed,
    /// When a key in its sound was pressed.
    pressed_at: Ticks,
    /// The key that is down in its sound has come in its signalling before.
    echoed: bool,
    presses: Presses,
    /// There when its sound has to be decoded for its partner.
    ear: Option<Box<Ear>>,
    /// There when its sound has to be decoded for its recording, or keys are looked for in it.
    listener: Option<Box<Listener>>,
    speaker: Speaker,
    control: Control,
    /// None: in both directions in the clear.
    secured: Option<Box<Secured>>,
    silence: Silence,
    /// Sound has come from it.
    heard: bool,
    ignored: u64,
}

/// A recording that hears a party.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tap {
    /// Its slot.
    pub recording: u32,
    /// In which channel the party is heard.
    pub side: Side,
    /// It hears the party even when nobody else does.
    pub alone: bool,
}

/// Where a party that has ended spoke from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    /// Of its sound, of its SDP, of its RTCP.
    pub sources: [Option<SocketAddr>; 3],
    pub ssrc: Option<u32>,
}

/// Random numbers that a session begins with.
pub(crate) struct Seeds {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub name: u64,
}

impl Session {
    pub fn new(
        at: Ticks,
        id: SessionId,
        address: AddressId,
        serial: u32,
        stream: Option<Stream>,
        seeds: Seeds,
    ) -> Self {
        let mut latch = Latch::default();
        let mut silence = Silence::default();
        if let Some(stream) = &stream {
            latch.tell(at, stream.remote, &stream.sources);
            silence.expect(at, stream.expected());
        }
        let secured = stream.as_ref().and_then(|stream| stream.crypto.clone()).map(|keys| Box::new(Secured::new(keys)));
        let mut session = Self {
            id,
            address,
            serial,
            partner: None,
            hears: Vec::new(),
            heard_by: Vec::new(),
            voice: None,
            muted: false,
            tap: None,
            stream,
            latch,
            reception: Reception::default(),
            keys: KeyReader::default(),
            pressed: Pressed::default(),
            pressed_at: 0,
            echoed: false,
            presses: Presses::default(),
            ear: None,
            listener: None,
            speaker: Speaker::new(Outgoing::new(seeds.ssrc, seeds.sequence, seeds.timestamp)),
            control: Control::new(seeds.name),
            secured,
            silence,
            heard: false,
            ignored: 0,
        };
        session.adapt();
        session
    }

    /// The SDP has changed.
    pub fn change(&mut self, at: Ticks, stream: Stream) {
        self.latch.tell(at, stream.remote, &stream.sources);
        let directions = |stream: &Stream| (stream.send, stream.receive);
        if self.stream.as_ref().map(directions) != Some(directions(&stream)) {
            self.latch.open(at);
        }
        self.silence.expect(at, stream.expected());
        match (&mut self.secured, &stream.crypto) {
            (Some(secured), Some(keys)) => secured.change(at, keys),
            (secured, keys) => *secured = keys.clone().map(|keys| Box::new(Secured::new(keys))),
        }
        self.stream = Some(stream);
        self.adapt();
    }

    /// What goes to the party next begins a segment.
    pub fn cut(&mut self) {
        self.speaker.cut();
    }

    /// Whatever depends on the stream becomes as it needs.
    fn adapt(&mut self) {
        if let Some(stream) = &self.stream {
            self.reception.set_scale(stream.codec.clock_scale());
            self.speaker.change(stream);
        }
        self.attend();
    }

    /// Takes a packet from the network. None: it is not the party's, or cannot be used.
    pub fn hear(&mut self, at: Ticks, from: SocketAddr, packet: &mut [u8]) -> Option<Heard> {
        let heard = self.take(at, from, packet);
        self.ignored += u64::from(heard.is_none());
        heard
    }

    fn take(&mut self, at: Ticks, from: SocketAddr, packet: &mut [u8]) -> Option<Heard> {
        let (packet, proof) = match &mut self.secured {
            Some(secured) => {
                let opened = secured.open_sound(at, packet)?;
                (&packet[..opened.length], Proof::Authentic { newest: opened.newest })
            }
            None => (&*packet, Proof::None),
        };
        let stream = self.stream.as_ref().filter(|stream| stream.receive)?;
        let (header, payload) = rtp::parse(packet).ok()?;
        let what = stream.what(header.payload_type);
        if matches!(what, What::Noise | What::Other) && self.latch.locked().is_none() {
            return None;
        }
        let sign = Sign { from, ssrc: header.ssrc, sequence: header.sequence, proof };
        if !self.latch.admit(at, sign) {
            return None;
        }
        self.silence.end(at);
        let is_sound = matches!(what, What::Sound(_));
        let place = self.reception.take(at, &header, is_sound)?;
        let first = is_sound && !self.heard;
        self.heard |= is_sound;
        Some(Heard { what, header, payload, place, first })
    }

    /// The key that a taken packet tells of, if it is the first of a press that its signalling has not told.
    pub fn key(&mut self, at: Ticks, heard: &Heard, packet: &[u8]) -> Option<char> {
        let key = self.keys.read(heard.place.run, heard.header.timestamp, &packet[heard.payload.clone()])?;
        if self.presses.is_new(at, key, Form::Sound) {
            return Some(key);
        }
        self.pressed = Pressed::Dropped;
        None
    }

    /// A key has come in the party's signalling. Gives whether that is a press that its sound has not told.
    pub fn is_press(&mut self, at: Ticks, key: char) -> bool {
        self.presses.is_new(at, key, Form::Signalling)
    }

    /// Takes RTCP from the network.
    pub fn hear_control(&mut self, at: Ticks, clock: &Clock, from: SocketAddr, datagram: &mut [u8]) {
        if self.take_control(at, clock, from, datagram).is_none() {
            self.ignored += 1;
        }
    }

    fn take_control(&mut self, at: Ticks, clock: &Clock, from: SocketAddr, datagram: &mut [u8]) -> Option<()> {
        let stream = self.stream.as_ref()?;
        let datagram = match &mut self.secured {
            Some(secured) => {
                let length = secured.open_control(at, datagram)?;
                &datagram[..length]
            }
            None => Control::admits(&self.latch, stream, from).then_some(&*datagram)?,
        };
        let told = self.control.hear(at, clock, self.speaker.outgoing(), from, datagram)?;
        self.silence.end(at);
        if let Told::Bye { ssrc } = told {
            self.latch.forget(ssrc);
        }
        Some(())
    }

    /// Writes RTCP to the party; with `bye`, for the last time.
    pub fn tell(&mut self, at: Ticks, clock: &Clock, bye: bool, into: &mut [u8; LONGEST]) -> Option<Packet> {
        let (to, channel) = self.control.target(&self.latch, self.stream.as_ref()?)?;
        let length = self.control.tell(at, clock, self.speaker.outgoing(), &mut self.reception, bye, into)?;
        self.seal(to, channel, 0..length, into)
    }

    /// A finished packet in a buffer, ready to leave. Everything that goes to the party passes here.
    fn seal(&mut self, to: SocketAddr, channel: Channel, bytes: Range<usize>, buffer: &mut [u8]) -> Option<Packet> {
        let bytes = match &mut self.secured {
            Some(secured) => bytes.start..bytes.start + secured.seal(buffer.get_mut(bytes.start..)?, bytes.len())?,
            None => bytes,
        };
        Some(Packet { address: self.address, channel, to, bytes })
    }

    /// When its silence has to be looked at, if that has not been asked for yet.
    pub fn watch(&mut self) -> Option<Ticks> {
        self.silence.watch()
    }

    /// The moment to look at its silence has come. Gives whether it is to be told of.
    pub fn is_silent(&mut self, at: Ticks) -> bool {
        self.silence.look(at)
    }

    /// Whether its packets authenticate.
    pub fn is_secured(&self) -> bool {
        self.secured.is_some()
    }

    /// What is to be remembered of it when it ends.
    pub fn trace(&self) -> Trace {
        let sources = [self.latch.locked(), self.latch.told(), self.control.seen()];
        Trace { sources, ssrc: self.latch.ssrc() }
    }

    /// Whether a packet may be this party's although one that had the port before spoke from there: it is where the SDP
    /// says, or a new stream from the host of signalling.
    pub fn is_not(&self, last: &Trace, from: SocketAddr, ssrc: Option<u32>) -> bool {
        self.latch.is_told(from) || (self.latch.is_signalling(from) && last.ssrc.is_some() && ssrc != last.ssrc)
    }

    pub fn quality(&self) -> Quality {
        let far = self.control.far();
        let journey = Journey {
            received: self.reception.received(),
            lost: self.reception.lost(),
            jitter: self.reception.mean_jitter(),
            round_trip: far.round_trip,
            packet_ms: self.stream.as_ref().map_or(20, |stream| stream.packet_ms),
        };
        Quality {
            received: self.reception.received(),
            lost: self.reception.lost(),
            jitter: self.reception.jitter(),
            ignored: self.ignored,
            sent: self.speaker.outgoing().packets(),
            far_lost: far.lost,
            far_jitter: far.jitter,
            round_trip: far.round_trip,
            mos_hundredths: journey.mos_hundredths(),
        }
    }
}

impl Stream {
    /// How long the party may be silent, if it should send.
    fn expected(&self) -> Option<Ticks> {
        let silence = self.silence.filter(|_| self.receive)?;
        let milliseconds = silence.as_millis().clamp(SHORTEST_SILENCE, LONGEST_SILENCE);
        Some(milliseconds as Ticks * MILLISECOND)
    }
}
