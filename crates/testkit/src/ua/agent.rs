//! The user agent itself: what comes in, what goes out, and what it does in between.
//!
//! Orders to calls are in `orders`, news from the SIP machine in `news`, the registration in `registration`.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use media::Codec;
use sip::{Endpoint, EndpointConfig, Flow, Framing, HeaderName, Headers, Interface, Load, Message, Transport};

use super::call::Call;
use super::key::Key;
use super::registration::Registration;
use super::{Act, Behaviour, CallNo, Event, Output, Received, Step, UserAgentConfig};
use crate::sound::Voice;

/// Requests that are remembered.
const LOG: usize = 10_000;

/// A simulated phone or carrier: `sip::Endpoint`, and somebody who uses it.
pub struct UserAgent {
    pub(crate) config: UserAgentConfig,
    pub(crate) endpoint: Endpoint<Key>,
    pub(crate) registration: Registration,
    pub(crate) calls: BTreeMap<CallNo, Call>,
    pub(crate) last_call: u64,
    /// Addresses for sound that no call uses, the longest unused first.
    pub(crate) free_addresses: VecDeque<SocketAddr>,
    /// Steps to be taken; the number keeps those of the same moment in their order.
    steps: BTreeMap<(Instant, u64), (CallNo, Act)>,
    last_step: u64,
    log: VecDeque<Received>,
    pub(crate) out: VecDeque<Output>,
}

impl UserAgent {
    /// A user agent whose every name and number follows from `seed`.
    pub fn new(config: UserAgentConfig, seed: [u8; 32]) -> Self {
        let lines = config.sound_addresses.len();
        let interface = Interface::at(config.name.clone(), config.address);
        let mut endpoint = Endpoint::new(
            EndpointConfig {
                software: "tongdai-testkit".into(),
                mark: "phone".into(),
                interfaces: vec![interface],
                allow: String::new(),
                session: None,
                max_transactions: 64 + 16 * lines,
                max_dialogs: 16 + 4 * lines,
            },
            seed,
        );
        let registration = Registration::new(endpoint.new_call_id());
        Self {
            free_addresses: config.sound_addresses.iter().copied().collect(),
            config,
            endpoint,
            registration,
            calls: BTreeMap::new(),
            last_call: 0,
            steps: BTreeMap::new(),
            last_step: 0,
            log: VecDeque::new(),
            out: VecDeque::new(),
        }
    }

    /// Something came: one datagram, or one message out of a stream.
    pub fn handle_packet(&mut self, now: Instant, flow: Flow, bytes: Bytes) {
        let framing = match flow.transport {
            Transport::Tcp | Transport::Tls => Framing::Stream,
            Transport::Udp | Transport::Ws | Transport::Wss => Framing::Datagram,
        };
        match sip::parse(bytes, framing) {
            Ok(message) => {
                self.note(now, flow, &message);
                self.endpoint.handle_message(now, flow, message);
                self.settle(now);
            }
            Err(malformed) => {
                let reply = malformed.reply.map(|reply| Output::Send { flow, bytes: reply.print() });
                self.out.extend(reply);
            }
        }
    }

    /// A connection is gone, or could not be opened.
    pub fn handle_flow_lost(&mut self, now: Instant, flow: Flow) {
        self.endpoint.handle_flow_lost(now, flow);
        if flow.remote == self.config.server.remote {
            self.registration.on_flow_lost(now);
        }
        self.settle(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.settle(now);
        if self.registration.is_due(now) {
            self.register(now);
        }
        while let Some(entry) = self.steps.first_entry().filter(|entry| entry.key().0 <= now) {
            let (call, act) = entry.remove();
            // A step that makes no sense any more is passed over.
            let _ = self.act(now, call, act);
        }
    }

    /// What to send, to do and to know, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let step = self.steps.keys().next().map(|(at, _)| *at);
        [self.endpoint.poll_timeout(), step, self.registration.due()].into_iter().flatten().min()
    }

    /// How it was set up.
    pub fn config(&self) -> &UserAgentConfig {
        &self.config
    }

    /// Changes what it does by itself, for calls that begin from now on.
    pub fn set_behaviour(&mut self, behaviour: Behaviour) {
        self.config.behaviour = behaviour;
    }

    /// Changes what it does by itself when called by a number in national form, for calls that begin from now on.
    pub fn set_number(&mut self, number: &str, behaviour: Behaviour) {
        self.config.numbers.insert(number.to_owned(), behaviour);
    }

    /// Changes what it speaks, best first, for calls that begin from now on.
    pub fn set_codecs(&mut self, codecs: &[Codec]) {
        self.config.codecs = codecs.to_vec();
    }

    /// Sends requests to another server from now on.
    pub fn set_server(&mut self, server: Flow) {
        self.config.server = server;
    }

    /// The calls that are not over, in the order in which they began.
    pub fn calls(&self) -> impl DoubleEndedIterator<Item = CallNo> {
        self.calls.keys().copied()
    }

    /// What the other side of a call hears.
    pub fn voice_in(&self, call: CallNo) -> Voice {
        self.calls.get(&call).and_then(|call| call.behaviour.voice).unwrap_or(self.config.voice)
    }

    /// Whether the registrar knows us, as far as we know.
    pub fn is_registered(&self) -> bool {
        self.registration.is_registered()
    }

    /// The latest requests of others, oldest first, copies that were sent again included.
    pub fn received(&self) -> impl ExactSizeIterator<Item = &Received> {
        self.log.iter()
    }

    /// What the SIP machine keeps, for leak checks.
    pub fn load(&self) -> Load {
        self.endpoint.load()
    }

    /// Takes in all news and sends.
    pub(crate) fn settle(&mut self, now: Instant) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                sip::Output::Send { flow, bytes } => self.out.push_back(Output::Send { flow, bytes }),
                sip::Output::News(news) => self.on_news(now, news),
            }
        }
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    /// Tells how the sound of a call travels.
    pub(crate) fn tell_sound(&mut self, call: CallNo) {
        if let Some(sound) = self.calls.get(&call).and_then(|call| call.talk.sound()) {
            self.out.push_back(Output::Sound { call, sound: Some(sound) });
        }
    }

    pub(crate) fn plan(&mut self, now: Instant, call: CallNo, steps: &[Step]) {
        for step in steps {
            self.last_step += 1;
            self.steps.insert((now + step.after, self.last_step), (call, step.act));
        }
    }

    /// Forgets a call, and tells its last event.
    pub(crate) fn finish(&mut self, event: Event) {
        let Some(no) = event.call() else { return };
        let Some(call) = self.calls.remove(&no) else { return };
        self.steps.retain(|_, (step_of, _)| *step_of != no);
        self.free_addresses.push_back(call.talk.local());
        self.out.push_back(Output::Sound { call: no, sound: None });
        self.tell(event);
    }

    fn note(&mut self, now: Instant, flow: Flow, message: &Message) {
        let Message::Request(request) = message else { return };
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        let headers = &request.headers;
        self.log.push_back(Received {
            at: now,
            flow,
            method: request.method.clone(),
            user: text(&request.uri.user_text().unwrap_or_default()),
            call_id: headers.call_id().map(|id| text(id)).unwrap_or_default(),
            cseq: headers.cseq().map(|cseq| cseq.number).unwrap_or_default(),
            reasons: headers.all(&HeaderName::Reason).map(|reason| text(reason)).collect(),
        });
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What we understand, for refusals and OPTIONS.
pub(crate) fn allow() -> Headers {
    Headers::new().with(HeaderName::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE")
}

impl std::fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserAgent").field("name", &self.config.name).field("calls", &self.calls).finish_non_exhaustive()
    }
}
