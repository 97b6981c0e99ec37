//! A simulated phone on real sockets, as its owner sees it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::Codec;
use sip::digest::Login;
use sip::{Flow, Method, Transport};

use super::config::PhoneConfig;

use super::room::Room;
use super::sockets::Sockets;
use super::state::Shared;
use super::tokens::DeskNo;
use crate::sound::{Count, Handset};
use crate::ua::{Behaviour, CallNo, Dial, Event, OrderError, Received, UserAgent, UserAgentConfig};

/// How long a tone has to be fresh to be heard now.
const NOW: Duration = Duration::from_secs(1);

/// How long nothing has to be heard to say that it is quiet.
const QUIET: Duration = Duration::from_millis(300);

/// How long [`Phone::stop`] waits.
const STOP: Duration = Duration::from_secs(2);

/// A simulated phone. Orders act at once; waits end at their limit. Dropped, it hangs up and signs out by itself.
///
/// Orders without a call act on the newest call that is not over.
#[derive(Debug)]
pub struct Phone {
    room: Arc<Room>,
    desk: DeskNo,
    shared: Arc<Shared>,
    address: SocketAddr,
    name: String,
}

/// What was waited for did not come in time.
#[derive(Clone, PartialEq, Debug)]
pub struct Late {
    /// The phone.
    pub name: String,
    /// What was waited for.
    pub wanted: String,
    /// For how long.
    pub waited: Duration,
    /// What happened to the phone so far, the latest last.
    pub events: Vec<Event>,
}

impl Phone {
    /// Binds its sockets and, if it has a password, registers.
    pub fn start(config: PhoneConfig) -> io::Result<Self> {
        let sockets = Sockets::bind(config.listen, config.lines)?;
        let address = sockets.address()?;
        let server = Flow { transport: config.transport, interface: 0, connection: 0, remote: config.server };
        let agent = UserAgentConfig {
            domain: config.domain.unwrap_or_else(|| config.server.to_string()),
            sound_addresses: sockets.sound.iter().map(|(address, _)| *address).collect(),
            login: config.password.map(|password| Login { username: config.user, password }),
            expires: config.expires,
            voice: config.voice,
            behaviour: config.behaviour,
            ..UserAgentConfig::new(&config.name, address, server, address)
        };
        let registers = config.registers && agent.login.is_some();
        let phone = Self::enter(agent, sockets)?;
        if registers {
            phone.register();
        }
        Ok(phone)
    }

    pub(super) fn enter(config: UserAgentConfig, sockets: Sockets) -> io::Result<Self> {
        let (address, name) = (config.address, config.name.clone());
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
        let shared = Arc::new(Shared::new(Handset::new(config, seed)));
        let room = Room::open()?;
        let desk = room.enter(sockets, Arc::clone(&shared))?;
        Ok(Self { room, desk, shared, address, name })
    }

    /// Where it listens for SIP, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Registers, and stays registered.
    pub fn register(&self) {
        self.agent(|agent, now| agent.register(now));
    }

    /// Signs out.
    pub fn unregister(&self) {
        self.agent(|agent, now| agent.unregister(now));
    }

    /// Calls a number.
    pub fn call(&self, number: &str) -> Result<CallNo, OrderError> {
        self.dial(Dial::to(number))
    }

    /// Places a call.
    pub fn dial(&self, dial: Dial) -> Result<CallNo, OrderError> {
        self.agent(|agent, now| agent.dial(now, dial))
    }

    /// Tells the caller that it rings.
    pub fn ring(&self) -> Result<(), OrderError> {
        self.newest(|agent, now, call| agent.ring(now, call))
    }

    /// Answers.
    pub fn answer(&self) -> Result<(), OrderError> {
        self.newest(|agent, now, call| agent.answer(now, call))
    }

    /// Refuses with a final status.
    pub fn refuse(&self, status: u16) -> Result<(), OrderError> {
        self.newest(|agent, now, call| agent.refuse(now, call, status))
    }

    /// Ends the call wherever it is.
    pub fn hang_up(&self) -> Result<(), OrderError> {
        self.newest(|agent, now, call| agent.hang_up(now, call))
    }

    /// Puts the other side on hold.
    pub fn hold(&self) -> Result<(), OrderError> {
        self.newest(|agent, now, call| agent.hold(now, call))
    }

    /// Takes the other side back.
    pub fn resume(&self) -> Result<(), OrderError> {
        self.newest(|agent, now, call| agent.resume(now, call))
    }

    /// Presses a key.
    pub fn press(&self, key: char) -> Result<(), OrderError> {
        self.newest(|agent, _, call| agent.send_key(call, key))
    }

    /// Does anything with the user agent, in one step: orders to one of several calls, for example.
    pub fn agent<T>(&self, order: impl FnOnce(&mut UserAgent, Instant) -> T) -> T {
        let now = Instant::now();
        let done = self.shared.lock().handset.order(now, |agent| order(agent, now));
        self.room.look(self.desk);
        done
    }

    /// Changes what it does by itself, for calls that begin from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.agent(|agent, _| agent.set_behaviour(behaviour));
    }

    /// Changes what it speaks, best first, for calls that begin from now on.
    pub fn speak(&self, codecs: &[Codec]) {
        self.agent(|agent, _| agent.set_codecs(codecs));
    }

    /// Registers and calls at another address from now on.
    pub fn set_server(&self, transport: Transport, server: SocketAddr) {
        let flow = Flow { transport, interface: 0, connection: 0, remote: server };
        self.agent(|agent, _| agent.set_server(flow));
    }

    /// The calls that are not over, in the order in which they began.
    pub fn calls(&self) -> Vec<CallNo> {
        self.shared.lock().handset.agent().calls().collect()
    }

    /// All that happened so far, bounded.
    pub fn events(&self) -> Vec<Event> {
        self.shared.lock().events().cloned().collect()
    }

    /// Waits until the registrar knows it.
    pub fn wait_registered(&self, limit: Duration) -> Result<(), Late> {
        let found = self.shared.wait(limit, |state| state.handset.agent().is_registered().then_some(()));
        found.ok_or_else(|| self.late("a registration", limit))
    }

    /// Waits for an event, and gives it. Each event is given once, and what happened before it is passed with it.
    pub fn wait_for(&self, wanted: impl Fn(&Event) -> bool, limit: Duration) -> Result<Event, Late> {
        let found = self.shared.wait(limit, |state| state.pass(&wanted));
        found.ok_or_else(|| self.late("an event", limit))
    }

    /// Waits for a call that comes in, and gives it.
    pub fn wait_called(&self, limit: Duration) -> Result<CallNo, Late> {
        let event = self.wait_for(|event| matches!(event, Event::IncomingCall { .. }), limit)?;
        event.call().ok_or_else(|| self.late("a call", limit))
    }

    /// Waits until a call is answered, by either side.
    pub fn wait_answered(&self, limit: Duration) -> Result<CallNo, Late> {
        let event = self.wait_for(|event| matches!(event, Event::Answered { .. }), limit)?;
        event.call().ok_or_else(|| self.late("an answer", limit))
    }

    /// Waits until no call is left.
    pub fn wait_idle(&self, limit: Duration) -> Result<(), Late> {
        let found = self.shared.wait(limit, |state| state.handset.agent().calls().next().is_none().then_some(()));
        found.ok_or_else(|| self.late("the end of all calls", limit))
    }

    /// Whether a tone is heard now, in any call: for a fifth of the last second at least.
    pub fn heard(&self, hertz: u16) -> bool {
        self.shared.lock().handset.heard(Instant::now(), hertz, NOW)
    }

    /// Waits until a tone is heard.
    pub fn wait_heard(&self, hertz: u16, limit: Duration) -> Result<(), Late> {
        let found = self.shared.wait(limit, |state| state.handset.heard(Instant::now(), hertz, NOW).then_some(()));
        found.ok_or_else(|| self.late(&format!("a tone of {hertz} Hz"), limit))
    }

    /// Waits until the switchboard's music is heard, and nothing else any more.
    pub fn wait_music(&self, limit: Duration) -> Result<(), Late> {
        let began = Instant::now();
        let found = self.shared.wait(limit, |state| {
            let now = Instant::now();
            let long = now.saturating_duration_since(began) >= QUIET;
            (long && state.handset.heard_music(now, QUIET)).then_some(())
        });
        found.ok_or_else(|| self.late("music", limit))
    }

    /// Waits until nothing but silence is heard.
    pub fn wait_quiet(&self, limit: Duration) -> Result<(), Late> {
        let quiet = |now| Instant::now().saturating_duration_since(now) >= QUIET;
        let began = Instant::now();
        let found = self
            .shared
            .wait(limit, |state| (quiet(began) && !state.handset.heard_anything(Instant::now(), QUIET)).then_some(()));
        found.ok_or_else(|| self.late("silence", limit))
    }

    /// The keys that the other side of a call pressed.
    pub fn keys(&self, call: CallNo) -> String {
        self.shared.lock().handset.ear(call).map(|ear| ear.keys().to_owned()).unwrap_or_default()
    }

    /// What packets of sound came, in the latest calls.
    pub fn count(&self) -> Count {
        self.shared.lock().handset.count()
    }

    /// The requests that came, oldest first, bounded; copies that were sent again included.
    pub fn received(&self) -> Vec<Received> {
        self.shared.lock().handset.agent().received().cloned().collect()
    }

    /// How many requests of a method came; copies that were sent again count once.
    pub fn received_count(&self, method: &Method) -> usize {
        let state = self.shared.lock();
        count_of(state.handset.agent(), method)
    }

    /// Waits until so many requests of a method came.
    pub fn wait_received(&self, method: &Method, count: usize, limit: Duration) -> Result<(), Late> {
        let found = self.shared.wait(limit, |state| (count_of(state.handset.agent(), method) >= count).then_some(()));
        found.ok_or_else(|| self.late(&format!("{count} {}", String::from_utf8_lossy(method.as_bytes())), limit))
    }

    /// Hangs up, signs out, and is gone when this returns.
    pub fn stop(self) {
        self.room.leave(self.desk);
        self.shared.wait(STOP, |state| state.is_gone.then_some(()));
    }

    /// Is gone at once, without a word to anybody, like a phone whose plug is pulled.
    pub fn vanish(self) {
        self.room.vanish(self.desk);
        self.shared.wait(STOP, |state| state.is_gone.then_some(()));
    }

    fn newest<T>(
        &self,
        order: impl FnOnce(&mut UserAgent, Instant, CallNo) -> Result<T, OrderError>,
    ) -> Result<T, OrderError> {
        self.agent(|agent, now| {
            let call = agent.calls().next_back().ok_or(OrderError::NoSuchCall)?;
            order(agent, now, call)
        })
    }

    fn late(&self, wanted: &str, waited: Duration) -> Late {
        Late { name: self.name.clone(), wanted: wanted.into(), waited, events: self.events() }
    }
}

fn count_of(agent: &UserAgent, method: &Method) -> usize {
    let of_method = agent.received().filter(|received| received.method == *method);
    let mut requests: Vec<(&str, u32)> = of_method.map(|received| (&received.call_id[..], received.cseq)).collect();
    requests.sort_unstable();
    requests.dedup();
    requests.len()
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.room.leave(self.desk);
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} waited for {} for {:?}; so far:", self.name, self.wanted, self.waited)?;
        self.events.iter().try_for_each(|event| write!(f, "\n  {event:?}"))
    }
}

impl std::error::Error for Late {}
