//! The clicks under way: orders and answers over HTTP, what the listeners are told, and the time. The phones' side of a
//! click is in `phones.rs`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;

use crate::http::{Answer, Connection, text_of};
use crate::listener::{Listener, Told};
use crate::net::{self, MS, Poll, now};
use crate::phones::{Agent, Leg};

/// A click that is not over by then has failed.
const PATIENCE: u64 = 10_000 * MS;
/// Connections opened beforehand, and at most.
const CONNECTIONS: usize = 8;
const MOST_CONNECTIONS: usize = 256;

const AGENTS: u64 = 0;
const CARRIER: u64 = 1;
const SOUND: u64 = 2;
const HTTP: u64 = 1_000;
const LISTENERS: u64 = 2_000;

/// Who hangs up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum HangsUp {
    Agent,
    Customer,
    /// One after the other.
    InTurn,
}

/// What to do, and with whom.
pub struct Plan {
    pub sip: SocketAddrV4,
    pub http: SocketAddrV4,
    pub voip: String,
    pub secret: String,
    /// The address that all agents' phones share, and the carrier's.
    pub phones: SocketAddrV4,
    pub carrier: SocketAddrV4,
    /// Where sound may be sent; it is thrown away.
    pub sound: SocketAddrV4,
    pub domain: String,
    pub first_agent: u32,
    pub agents: u32,
    pub password_prefix: String,
    /// Customers' numbers are this and seven digits, counted up from `first_number`.
    pub prefix: String,
    pub first_number: u64,
    /// Between 180 and 200, at the agent and at the customer; 0: at once.
    pub ring: u64,
    /// From the moment both sides are connected to the BYE.
    pub hold: u64,
    pub hangs_up: HangsUp,
    pub listeners: usize,
}

/// One click-to-call. Times are 0 until they have come.
pub struct Click {
    pub number: String,
    pub agent: u32,
    pub ordered_at: u64,
    pub replied_at: u64,
    pub callid: String,
    pub agent_leg: Option<usize>,
    pub customer_leg: Option<usize>,
    pub hung_up_at: u64,
    pub over_at: u64,
    pub failure: Option<String>,
    /// What each listener was told of it.
    pub told: Vec<Vec<Told>>,
}

/// What happens at a time.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub enum Timer {
    /// A phone that rang is picked up.
    PickUp(usize),
    /// A 200 whose ACK did not come, a BYE or a REGISTER without an answer are sent again; how often they were.
    Answer(usize, u32),
    Bye(usize, u32),
    Register(usize, u32),
    /// A click's talk is over.
    HangUp(usize),
    GiveUp(usize),
}

/// What went otherwise than it should.
#[derive(Default)]
pub struct Oddities {
    /// Messages that we sent again, and INVITEs that the server sent again.
    pub resent: u64,
    pub repeated: u64,
    pub reinvites: u64,
    /// `response` events of no click of ours.
    pub strange_events: u64,
    /// INVITEs of no click of ours.
    pub strange_invites: u64,
}

/// Everything under way.
pub struct Load {
    pub plan: Plan,
    pub clicks: Vec<Click>,
    pub legs: Vec<Leg>,
    pub agents: Vec<Agent>,
    pub listeners: Vec<Listener>,
    pub oddities: Oddities,
    /// Clicks that are neither over nor failed.
    pub open: usize,
    /// Distinguishes this run's Call-IDs and branches from those of others.
    pub run: u64,
    pub phones: UdpSocket,
    pub carrier: UdpSocket,
    pub leg_of: HashMap<String, usize>,
    sound: UdpSocket,
    click_of: HashMap<String, usize>,
    connections: Vec<Option<Connection>>,
    timers: BinaryHeap<Reverse<(u64, Timer)>>,
    poll: Poll,
    buffer: Vec<u8>,
}

impl Load {
    /// Binds the sockets, opens the connections and attaches the listeners.
    pub fn start(plan: Plan) -> io::Result<Self> {
        let poll = Poll::new()?;
        let [phones, carrier, sound] = [net::bind(plan.phones)?, net::bind(plan.carrier)?, net::bind(plan.sound)?];
        for (socket, token) in [(&phones, AGENTS), (&carrier, CARRIER), (&sound, SOUND)] {
            poll.add(socket.as_raw_fd(), token)?;
        }
        let mut load = Self {
            run: now() / MS % 100_000_000,
            plan,
            clicks: Vec::new(),
            legs: Vec::new(),
            agents: Vec::new(),
            listeners: Vec::new(),
            oddities: Oddities::default(),
            open: 0,
            phones,
            carrier,
            sound,
            leg_of: HashMap::new(),
            click_of: HashMap::new(),
            connections: Vec::new(),
            timers: BinaryHeap::new(),
            poll,
            buffer: vec![0; 65_536],
        };
        for _ in 0..CONNECTIONS {
            load.open_connection()?;
        }
        for token in 0..load.plan.listeners as u64 {
            let listener = Listener::connect(load.plan.http, &load.plan.voip)?;
            load.poll.add(listener.stream.as_raw_fd(), LISTENERS + token)?;
            load.listeners.push(listener);
        }
        Ok(load)
    }

    /// Orders the next click.
    pub fn order(&mut self) {
        let click = self.clicks.len();
        let number = format!("{}{:07}", self.plan.prefix, (self.plan.first_number + click as u64) % 10_000_000);
        let agent = self.plan.first_agent + click as u32 % self.plan.agents;
        self.click_of.insert(national(&number), click);
        self.open += 1;
        let Plan { voip, secret, .. } = &self.plan;
        let target = format!("/dial?voip={voip}&secret={secret}&sip={agent}&phone={number}");
        let mut new = Click {
            number,
            agent,
            ordered_at: 0,
            replied_at: 0,
            callid: String::new(),
            agent_leg: None,
            customer_leg: None,
            hung_up_at: 0,
            over_at: 0,
            failure: None,
            told: self.listeners.iter().map(|_| Vec::new()).collect(),
        };
        let host = self.plan.http;
        let connection = self.idle_connection();
        new.ordered_at = now();
        let sent = connection.and_then(|connection| connection.get(host, &target, click));
        self.set(new.ordered_at + PATIENCE, Timer::GiveUp(click));
        self.clicks.push(new);
        if let Err(error) = sent {
            self.fail(click, format!("the order was not sent: {error}"));
        }
    }

    /// Handles what comes and what is due, until `until` at the latest.
    pub fn step(&mut self, until: u64) {
        while let Some(Reverse((at, timer))) = self.timers.peek().copied().filter(|Reverse((at, _))| *at <= now()) {
            self.timers.pop();
            self.on_timer(at, timer);
        }
        let next = self.timers.peek().map_or(until, |Reverse((at, _))| until.min(*at));
        let mut buffer = std::mem::take(&mut self.buffer);
        for token in self.poll.wait(next) {
            match token {
                AGENTS | CARRIER => self.on_packets(token == CARRIER, &mut buffer),
                SOUND => while self.sound.recv(&mut buffer).is_ok() {},
                token if token >= LISTENERS => self.on_listener((token - LISTENERS) as usize, &mut buffer),
                token => self.on_http((token - HTTP) as usize, &mut buffer),
            }
        }
        self.buffer = buffer;
    }

    /// Steps until `done`, at most for `patience`. Whether it was done.
    pub fn step_until(&mut self, patience: u64, done: impl Fn(&Self) -> bool) -> bool {
        let deadline = now() + patience;
        while !done(self) {
            if now() >= deadline {
                return false;
            }
            self.step(now() + 10 * MS);
        }
        true
    }

    /// Something is to happen at a time.
    pub fn set(&mut self, at: u64, timer: Timer) {
        self.timers.push(Reverse((at, timer)));
    }

    /// The click of a customer's number, in whatever form.
    pub fn click(&self, number: &str) -> Option<usize> {
        self.click_of.get(&national(number)).copied()
    }

    /// The click is over as it should be.
    pub fn finish(&mut self, click: usize, at: u64) {
        let found = &mut self.clicks[click];
        if found.over_at == 0 && found.failure.is_none() {
            found.over_at = at;
            self.open -= 1;
        }
    }

    /// The click has failed; whatever stands of it is hung up.
    pub fn fail(&mut self, click: usize, why: String) {
        let found = &mut self.clicks[click];
        if found.over_at != 0 || found.failure.is_some() {
            return;
        }
        found.failure = Some(format!("{} from {}: {why}", found.number, found.agent));
        self.open -= 1;
        for leg in [found.agent_leg, found.customer_leg].into_iter().flatten() {
            self.bye(leg);
        }
    }

    fn on_timer(&mut self, at: u64, timer: Timer) {
        match timer {
            Timer::PickUp(leg) => self.pick_up(leg),
            Timer::Answer(leg, times) => self.answer_again(at, leg, times),
            Timer::Bye(leg, times) => self.bye_again(at, leg, times),
            Timer::Register(agent, times) => self.register_again(at, agent, times),
            Timer::HangUp(click) => self.hang_up(click),
            Timer::GiveUp(click) => self.fail(click, "not over in time".to_owned()),
        }
    }

    fn on_http(&mut self, index: usize, buffer: &mut [u8]) {
        let Some(connection) = &mut self.connections[index] else { return };
        let answer = connection.read(buffer);
        if let Answer::Partial = answer {
            return;
        }
        let click = connection.busy.take();
        match answer {
            Answer::Whole { status, body, at } => {
                let Some(click) = click else { return };
                let word = text_of(&body, "call_status").unwrap_or("");
                self.clicks[click].replied_at = at;
                self.clicks[click].callid = text_of(&body, "callid").unwrap_or("").to_owned();
                if status != 200 || word != "Success" {
                    let message = text_of(&body, "message").unwrap_or("");
                    self.fail(click, format!("answered {status} {word}: {message}"));
                } else {
                    self.finish_if_over(click, at);
                }
            }
            _ => {
                self.connections[index] = None;
                if let Some(click) = click {
                    self.fail(click, "the HTTP connection was lost".to_owned());
                }
            }
        }
    }

    fn on_listener(&mut self, index: usize, buffer: &mut [u8]) {
        let told = self.listeners[index].read(buffer).unwrap_or_else(|error| {
            eprintln!("listener {index}: {error}");
            std::process::exit(1);
        });
        for event in told {
            match self.click(&event.phone) {
                Some(click) => self.clicks[click].told[index].push(event),
                None => self.oddities.strange_events += 1,
            }
        }
    }

    fn idle_connection(&mut self) -> io::Result<&mut Connection> {
        let idle = |slot: &Option<Connection>| slot.as_ref().is_some_and(|connection| connection.busy.is_none());
        let index = match self.connections.iter().position(idle) {
            Some(index) => index,
            None => self.open_connection()?,
        };
        self.connections[index].as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Opens one in the first free place.
    fn open_connection(&mut self) -> io::Result<usize> {
        let index = self.connections.iter().position(Option::is_none).unwrap_or(self.connections.len());
        if index == MOST_CONNECTIONS {
            return Err(io::Error::other("too many HTTP requests wait for their answer"));
        }
        let connection = Connection::open(self.plan.http)?;
        self.poll.add(connection.stream.as_raw_fd(), HTTP + index as u64)?;
        if index == self.connections.len() {
            self.connections.push(Some(connection));
        } else {
            self.connections[index] = Some(connection);
        }
        Ok(index)
    }
}

/// A Vietnamese number in its national form.
fn national(number: &str) -> String {
    let digits = number.trim_start_matches('+');
    match digits.strip_prefix("84") {
        Some(rest) if rest.len() >= 9 => format!("0{rest}"),
        _ => digits.to_owned(),
    }
}
