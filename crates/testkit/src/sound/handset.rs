//! A user agent with a mouth and an ear for each call: a whole phone but for its sockets and its clock.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use sip::Flow;

use super::{Count, Ear, Mouth};
use crate::ua::{CallNo, Event, Sound, UserAgent, UserAgentConfig};

/// How long a packet of sound lasts.
const PACKET: Duration = Duration::from_millis(20);

/// Whoever is woken later than this leaves the packets out that should have gone before.
const LATEST: Duration = Duration::from_millis(200);

/// Calls that are over and whose sound is remembered.
const REMEMBERED: usize = 16;

/// What comes out of a handset.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Send this SIP message.
    Sip {
        /// Where to, as in [`crate::ua::Output::Send`].
        flow: Flow,
        /// A whole message.
        bytes: Bytes,
    },
    /// Send this packet of sound.
    Rtp {
        /// Our address.
        from: SocketAddr,
        /// Theirs.
        to: SocketAddr,
        /// RTP.
        bytes: Vec<u8>,
    },
    /// Something happened.
    Event(Event),
}

/// A phone in pure form.
#[derive(Debug)]
pub struct Handset {
    agent: UserAgent,
    voices: BTreeMap<CallNo, Voices>,
    by_address: BTreeMap<SocketAddr, CallNo>,
    /// The ears of calls that are over, the latest last.
    past: VecDeque<(CallNo, Ear)>,
    /// When everybody says the next 20 ms.
    next_packet: Option<Instant>,
    random: ChaCha8Rng,
    out: VecDeque<Output>,
}

#[derive(Debug)]
struct Voices {
    sound: Sound,
    mouth: Mouth,
    ear: Ear,
}

impl Handset {
    /// A handset whose every name and number follows from `seed`.
    pub fn new(config: UserAgentConfig, seed: [u8; 32]) -> Self {
        Self {
            agent: UserAgent::new(config, seed),
            voices: BTreeMap::new(),
            by_address: BTreeMap::new(),
            past: VecDeque::new(),
            next_packet: None,
            random: ChaCha8Rng::from_seed(seed),
            out: VecDeque::new(),
        }
    }

    /// Does something with the user agent: `handset.order(now, |agent| agent.hold(now, call))`.
    pub fn order<T>(&mut self, now: Instant, order: impl FnOnce(&mut UserAgent) -> T) -> T {
        let done = order(&mut self.agent);
        self.settle(now);
        done
    }

    /// A SIP message came.
    pub fn handle_packet(&mut self, now: Instant, flow: Flow, bytes: Bytes) {
        self.order(now, |agent| agent.handle_packet(now, flow, bytes));
    }

    /// A packet came to one of our addresses for sound.
    pub fn handle_sound(&mut self, now: Instant, local: SocketAddr, packet: &[u8]) {
        let Some(call) = self.by_address.get(&local) else { return };
        let Some(voices) = self.voices.get_mut(call) else { return };
        if let Some(key) = voices.ear.handle_packet(now, &voices.sound, packet) {
            self.out.push_back(Output::Event(Event::Key { call: *call, key }));
        }
    }

    /// A connection is gone, or could not be opened.
    pub fn handle_flow_lost(&mut self, now: Instant, flow: Flow) {
        self.order(now, |agent| agent.handle_flow_lost(now, flow));
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.order(now, |agent| agent.handle_timeout(now));
        while let Some(at) = self.next_packet.filter(|at| *at <= now) {
            if now - at < LATEST {
                self.speak();
            }
            self.next_packet = Some(at + PACKET);
        }
    }

    /// What to send and to know, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.agent.poll_timeout().into_iter().chain(self.next_packet).min()
    }

    /// The user agent.
    pub fn agent(&self) -> &UserAgent {
        &self.agent
    }

    /// What was heard in a call; for some time also after its end.
    pub fn ear(&self, call: CallNo) -> Option<&Ear> {
        let past = || self.past.iter().rev().find(|(past, _)| *past == call).map(|(_, ear)| ear);
        self.voices.get(&call).map(|voices| &voices.ear).or_else(past)
    }

    /// Whether a tone is heard in any call, in the time before `now`.
    pub fn heard(&self, now: Instant, hertz: u16, within: Duration) -> bool {
        self.ears().any(|ear| ear.heard(now, hertz, within))
    }

    /// Whether the switchboard's music, and nothing else, is heard in some call, in the time before `now`.
    pub fn heard_music(&self, now: Instant, within: Duration) -> bool {
        self.ears().any(|ear| ear.heard_music(now, within))
    }

    /// Whether anything but silence is heard in any call, in the time before `now`.
    pub fn heard_anything(&self, now: Instant, within: Duration) -> bool {
        self.ears().any(|ear| ear.heard_anything(now, within))
    }

    /// What came in all calls that are remembered.
    pub fn count(&self) -> Count {
        self.ears().map(Ear::count).fold(Count::default(), |sum, count| Count {
            received: sum.received + count.received,
            lost: sum.lost + count.lost,
            unwanted: sum.unwanted + count.unwanted,
            strange: sum.strange + count.strange,
        })
    }

    fn ears(&self) -> impl Iterator<Item = &Ear> {
        self.voices.values().map(|voices| &voices.ear).chain(self.past.iter().map(|(_, ear)| ear))
    }

    fn speak(&mut self) {
        for Voices { sound, mouth, .. } in self.voices.values_mut() {
            if let Some(to) = sound.remote
                && let Some(bytes) = mouth.speak(sound)
            {
                self.out.push_back(Output::Rtp { from: sound.local, to, bytes });
            }
        }
    }

    fn settle(&mut self, now: Instant) {
        use crate::ua::Output as Told;
        while let Some(told) = self.agent.poll_output() {
            match told {
                Told::Send { flow, bytes } => self.out.push_back(Output::Sip { flow, bytes }),
                Told::Event(event) => self.out.push_back(Output::Event(event)),
                Told::Sound { call, sound: Some(sound) } => self.change(now, call, sound),
                Told::Sound { call, sound: None } => self.close(call),
                Told::Press { call, key } => {
                    if let Some(voices) = self.voices.get_mut(&call) {
                        voices.mouth.press(key);
                    }
                }
            }
        }
    }

    fn change(&mut self, now: Instant, call: CallNo, sound: Sound) {
        if let Some(voices) = self.voices.get_mut(&call) {
            voices.sound = sound;
            return;
        }
        let mouth = Mouth::new(self.agent.voice_in(call), self.random.next_u32());
        self.by_address.insert(sound.local, call);
        self.voices.insert(call, Voices { sound, mouth, ear: Ear::default() });
        self.next_packet = self.next_packet.or(Some(now));
    }

    fn close(&mut self, call: CallNo) {
        let Some(voices) = self.voices.remove(&call) else { return };
        self.by_address.remove(&voices.sound.local);
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back((call, voices.ear));
        if self.voices.is_empty() {
            self.next_packet = None;
        }
    }
}
