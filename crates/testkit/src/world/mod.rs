//! A world we control: the real door and engine, and round them everything that the server has outside: a network that
//! loses, phones, carriers, media workers, a writer that takes its time, and a process that may die.
//!
//! Time is virtual and chance has a seed: the same seed gives the same world, and an hour takes milliseconds.
//! [`check`] is where most tests begin: a script in the words of [`World`], and the ladder that it must give.

mod air;
mod chance;
mod check;
mod company;
mod crash;
mod crm;
mod floor;
mod ladder;
mod listening;
mod nat;
mod network;
mod orders;
pub mod phone;
pub mod prompts;
pub mod shape;
pub mod simulation;
mod store;
mod story;
mod switchboard;
mod verbs;
mod verdict;
mod wishes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use engine::{EngineLoad, Input, Now, Output, Question, SignIn, Wire};
use jiff::SignedDuration;
use media::{Order, SessionId, WorkerId};
use model::{Event, TenantId, Ticket, Timestamp, Told};
use sip::{Flow, Framing, Transport};

pub use chance::Chance;
pub use check::{check, same};
pub use company::{Company, password};
pub use network::{Fate, Rule, Weather};
pub use store::Tenant as Rows;
pub use story::{tell_event, tell_record};

use air::{Air, Flight};
use crm::Crm;
use floor::{Brought, Floor};
use ladder::Ladder;
use nat::Nat;
use network::{Network, Parcel, Way};
use phone::{Card, Phone};
use store::Store;
use switchboard::{ADDRESS, Switchboard};

/// When the world begins, on the wall.
const BEGINNING: i64 = 1_767_225_600;

/// So many steps at one moment mean that time stands still.
const STILL: u32 = 100_000;

/// A world.
#[derive(Debug)]
pub struct World {
    base: Instant,
    now: Duration,
    chance: Chance,
    network: Network,
    air: Air,
    /// How often everybody with sound says a word, and when next.
    mutter: Option<(Duration, Duration)>,
    ladder: Ladder,
    store: Store,
    floor: Floor,
    crm: Crm,
    /// The session that was opened last.
    /// No setting can be changed.
    settings_stay: bool,
    last_session: Option<(WorkerId, SessionId)>,
    companies: Vec<Company>,
    switchboard: Option<Switchboard>,
    /// When it died last.
    died_at: Timestamp,
    phones: Vec<Phone>,
    /// The routers that stand before some phones.
    nats: BTreeMap<usize, Nat>,
    /// The connection of each phone that speaks over a stream.
    connections: BTreeMap<usize, u64>,
    last_connection: u64,
    echoes: VecDeque<Input>,
    tickets: u64,
    /// Commands of clients, by what the ladder calls the client.
    commands: BTreeMap<Ticket, String>,
    /// Orders that have had no reply; those that a crash swallowed are forgotten.
    unreplied: BTreeSet<Ticket>,
    show_events: bool,
    steps_now: u32,
}

impl World {
    /// Two companies that have the same extensions 101 and 102, a phone for each extension, and a carrier for each
    /// company; everybody has signed in, and nothing has been called.
    pub fn new(seed: u64) -> Self {
        let mut world = Self::empty(seed);
        let carrier = (198, 51, 100);
        let at = |last: u8| SocketAddr::from(([carrier.0, carrier.1, carrier.2, last], 5060));
        world.add_company(Company::new(1, "VPBX_DEMO", &["101", "102", "103"], "842873088088", ("carrier", at(1))));
        world.add_company(Company::new(2, "VPBX_OTHER", &["101", "102"], "842873099099", ("ocarrier", at(2))));
        world.start();
        for (name, tenant, extension) in
            [("101", 1, "101"), ("102", 1, "102"), ("103", 1, "103"), ("o101", 2, "101"), ("o102", 2, "102")]
        {
            world.add_phone(name, tenant, extension, Transport::Udp);
            world.registers(name);
        }
        world.add_carrier("carrier", 1, at(1));
        world.add_carrier("ocarrier", 2, at(2));
        world.run(1.0);
        world.ladder.begin(world.now);
        world
    }

    /// A world without companies and phones, whose switchboard has not started.
    #[allow(
        clippy::disallowed_methods,
        reason = "an Instant can only be had from the clock; only differences to it count"
    )]
    pub fn empty(seed: u64) -> Self {
        let base = Instant::now();
        let mut chance = Chance::new(seed);
        let ip = ADDRESS.parse::<SocketAddr>().expect("an address").ip();
        let floor = Floor::new(ip, base, Duration::from_secs(BEGINNING.unsigned_abs()), || chance.seed());
        Self {
            base,
            now: Duration::ZERO,
            chance,
            network: Network::default(),
            air: Air::default(),
            mutter: None,
            ladder: Ladder::default(),
            store: Store::default(),
            floor,
            crm: Crm::default(),
            settings_stay: false,
            last_session: None,
            companies: Vec::new(),
            switchboard: None,
            died_at: beginning(),
            phones: Vec::new(),
            nats: BTreeMap::new(),
            connections: BTreeMap::new(),
            last_connection: 0,
            echoes: VecDeque::new(),
            tickets: 0,
            commands: BTreeMap::new(),
            unreplied: BTreeSet::new(),
            show_events: false,
            steps_now: 0,
        }
    }

    /// One more company, before the switchboard starts.
    pub fn add_company(&mut self, company: Company) {
        self.companies.push(company);
    }

    /// One more phone of an extension.
    pub fn add_phone(&mut self, name: &str, tenant: i64, extension: &str, transport: Transport) {
        let company = self.company(tenant);
        let place = self.phones.len();
        let octet = |n: usize| u8::try_from(n % 250).unwrap_or_default();
        let login = sip::digest::Login { username: extension.into(), password: password(extension) };
        let card = Card {
            name: name.into(),
            tenant: TenantId(tenant),
            user: extension.into(),
            login: Some(login),
            domain: company.domain.clone(),
            address: SocketAddr::from(([10, 0, octet(place / 250), octet(place) + 1], 5060)),
            transport,
            hertz: tone_of(place),
        };
        self.put_phone(card);
        if transport != Transport::Udp {
            self.connects(name);
        }
    }

    fn add_carrier(&mut self, name: &str, tenant: i64, address: SocketAddr) {
        let card = Card {
            name: name.into(),
            tenant: TenantId(tenant),
            user: "0900000009".into(),
            login: None,
            domain: "carrier.test".into(),
            address,
            transport: Transport::Udp,
            hertz: tone_of(self.phones.len()),
        };
        self.put_phone(card);
    }

    fn put_phone(&mut self, card: Card) {
        let mut phone = Phone::new(card, ADDRESS.parse().expect("an address"));
        phone.set_now(self.now);
        self.phones.push(phone);
    }

    /// The time since the world began.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Lets seconds pass.
    pub fn run(&mut self, seconds: f64) {
        self.run_until(self.now + Duration::from_secs_f64(seconds));
    }

    /// Lets time pass until a moment.
    pub fn run_until(&mut self, until: Duration) {
        while self.step(until) {}
        self.now = self.now.max(until);
        self.set_phones();
    }

    /// Lets time pass until nothing is under way: no call, no message, no resending, no recording to be closed.
    pub fn settle(&mut self) {
        let limit = self.now + Duration::from_secs(6 * 3_600);
        while !self.is_quiet() {
            assert!(self.step(limit), "the world does not come to rest:\n{}", self.state());
        }
    }

    /// How much the engine holds; nothing while it is down.
    pub fn load(&self) -> EngineLoad {
        self.switchboard.as_ref().map(Switchboard::load).unwrap_or_default()
    }

    /// What a tenant has stored.
    pub fn rows(&self, tenant: i64) -> Option<&Rows> {
        self.store.tenant(TenantId(tenant))
    }

    /// The ladder so far.
    pub fn ladder(&self) -> String {
        self.ladder.text()
    }

    fn is_quiet(&self) -> bool {
        let load = self.load();
        let idle = EngineLoad { registrations: load.registrations, sounds: load.sounds, ..EngineLoad::default() };
        load == idle
            && self.network.poll().is_none()
            && self.air.poll().is_none()
            && self.crm.poll().is_none()
            && self.store.is_idle()
            && self.echoes.is_empty()
            && !self.phones.iter().any(|phone| phone.is_busy() || phone.talks.iter().any(phone::Talk::is_live))
    }

    /// For whoever reads why a test failed.
    fn state(&self) -> String {
        let talks = self.phones.iter().flat_map(|phone| {
            let live = phone.talks.iter().filter(|talk| talk.is_live());
            live.map(move |talk| format!("{}: a call with {} is {:?}", phone.card.name, talk.called, talk.state))
        });
        let talks: Vec<String> = talks.collect();
        format!("{:?} at {:?}\n{}\n{}", self.load(), self.now, talks.join("\n"), self.ladder.text())
    }

    /// Does the next thing that is due until then. False: there is nothing.
    fn step(&mut self, until: Duration) -> bool {
        if let Some(echo) = self.echoes.pop_front() {
            self.give(echo);
            return true;
        }
        let Some(next) = self.poll().filter(|next| *next <= until) else { return false };
        if next > self.now {
            self.now = next;
            self.steps_now = 0;
            self.set_phones();
        }
        self.steps_now += 1;
        assert!(self.steps_now < STILL, "time stands still:\n{}", self.state());
        if let Some(parcel) = self.network.take(self.now) {
            self.deliver(parcel);
        } else if let Some(flight) = self.air.take(self.now) {
            self.land(flight);
        } else if let Some((answer, said)) = self.crm.take(self.now) {
            self.crm_says(answer, &said);
        } else if let Some((every, _)) = self.mutter.filter(|(_, next)| *next <= self.now) {
            self.mutter = Some((every, self.now + every));
            self.everybody_speaks();
        } else if self.switchboard_due().is_some_and(|at| at <= self.now) {
            let now = self.moment();
            if let Some(switchboard) = &mut self.switchboard {
                switchboard.wake(now);
            }
            self.drain();
        } else if self.floor.poll(self.mono(), self.now).is_some_and(|at| at <= self.now) {
            let brought = self.floor.wake(self.now, self.mono());
            self.take_in(brought);
        } else if self.store.poll().is_some_and(|at| at <= self.now) {
            self.commit();
        } else {
            for place in 0..self.phones.len() {
                if self.phones[place].poll_wake().is_some_and(|at| at <= self.now) {
                    self.phones[place].wake();
                    self.flush(place);
                }
            }
        }
        true
    }

    fn poll(&self) -> Option<Duration> {
        let phones = self.phones.iter().filter_map(Phone::poll_wake).min();
        let floor = self.floor.poll(self.mono(), self.now);
        let mutter = self.mutter.map(|(_, next)| next);
        let sound = [self.air.poll(), mutter];
        let rest = [self.network.poll(), self.switchboard_due(), floor, self.store.poll(), phones, self.crm.poll()];
        sound.into_iter().chain(rest).flatten().min()
    }

    fn switchboard_due(&self) -> Option<Duration> {
        Some(self.switchboard.as_ref()?.poll()?.saturating_duration_since(self.base))
    }

    fn deliver(&mut self, parcel: Parcel) {
        match parcel.way {
            Way::ToSwitchboard(place) => {
                let flow = Flow { remote: parcel.from, ..self.flow_of(place, parcel.connection) };
                let now = self.moment();
                let Some(switchboard) = &mut self.switchboard else { return };
                let answer = switchboard.receive(now, flow, parcel.bytes);
                if let Some(bytes) = answer {
                    self.send_to_phone(flow, bytes);
                }
                self.drain();
            }
            Way::ToPhone(place) => {
                if self.phones[place].unplugged {
                    return;
                }
                let message = match sip::parse(parcel.bytes.clone(), Framing::Datagram) {
                    Ok(message) => message,
                    Err(error) => panic!("no SIP came out: {error:?}\n{}", String::from_utf8_lossy(&parcel.bytes)),
                };
                self.phones[place].receive(message);
                self.flush(place);
            }
        }
    }

    /// Sends what a phone wants to say.
    fn flush(&mut self, place: usize) {
        for bytes in self.phones[place].take_out() {
            let phone = &self.phones[place];
            let name = phone.card.name.clone();
            let connection = match phone.card.transport {
                Transport::Udp => 0,
                _ => match self.connections.get(&place) {
                    Some(connection) => *connection,
                    None => continue,
                },
            };
            if phone.unplugged {
                continue;
            }
            let title = self.title_of(&bytes);
            let inside = self.phones[place].card.address;
            let from = match self.nats.get_mut(&place).filter(|_| connection == 0) {
                Some(nat) => nat.out(self.now, inside),
                None => self.flow_of(place, connection).remote,
            };
            let parcel = Parcel { way: Way::ToSwitchboard(place), bytes, connection, from };
            let fate = self.network.send(self.now, &mut self.chance, &name, &title, parcel);
            self.ladder.message(self.now, &name, "pbx", &title, fate);
        }
    }

    fn send_to_phone(&mut self, flow: Flow, bytes: Bytes) {
        let title = self.title_of(&bytes);
        let Some(place) = self.phone_at(flow) else {
            self.ladder.message(self.now, "pbx", &flow.remote.to_string(), &title, Fate::Lost);
            return;
        };
        let name = self.phones[place].card.name.clone();
        let open = self.connections.get(&place).copied();
        // Nobody opens a connection to a phone behind a router.
        let is_findable = !self.nats.contains_key(&place);
        let connection = match flow.transport {
            Transport::Udp => 0,
            _ if open.is_some_and(|open| flow.connection == open || (flow.connection == 0 && is_findable)) => {
                open.unwrap_or_default()
            }
            _ => {
                self.ladder.message(self.now, "pbx", &name, &title, Fate::Lost);
                self.echoes.push_back(Input::FlowLost(flow));
                return;
            }
        };
        if self.phones[place].unplugged {
            self.ladder.message(self.now, "pbx", &name, &title, Fate::Lost);
            return;
        }
        let parcel = Parcel { way: Way::ToPhone(place), bytes, connection, from: ADDRESS.parse().expect("an address") };
        let fate = self.network.send(self.now, &mut self.chance, "pbx", &title, parcel);
        self.ladder.message(self.now, "pbx", &name, &title, fate);
    }

    fn give(&mut self, input: Input) {
        let now = self.moment();
        if let Some(switchboard) = &mut self.switchboard {
            switchboard.input(now, input);
            self.drain();
        }
    }

    fn note_sign_in(&mut self, sign_in: SignIn) {
        let now = self.moment();
        let Some(switchboard) = &mut self.switchboard else { return };
        for kept in switchboard.note_sign_in(now, sign_in) {
            self.store.push(self.now, Told::Keep(kept));
        }
    }

    /// Carries out what the engine puts out.
    fn drain(&mut self) {
        while let Some(output) = self.switchboard.as_mut().and_then(Switchboard::take) {
            match output {
                Output::Wire(Wire::Send { flow, bytes }) => self.send_to_phone(flow, bytes),
                Output::Wire(Wire::Close(flow)) => self.network.cut(flow.connection),
                Output::Wire(Wire::Media { worker, order }) => {
                    if let Order::Open { session, .. } = &order {
                        self.last_session = Some((worker, *session));
                    }
                    let brought = self.floor.order(self.now, self.mono(), worker, order);
                    self.take_in(brought);
                }
                Output::Wire(Wire::SignIn(sign_in)) => self.note_sign_in(sign_in),
                Output::Wire(Wire::Ask { ticket, question: Question::Routing { phone, did, .. }, .. }) => {
                    self.ladder.note(self.now, &format!("pbx -> crm  whom does {phone} reach at {did}?"));
                    self.crm.ask(self.now, ticket);
                }
                Output::Wire(Wire::Ask { ticket, question: Question::Addresses { .. }, .. }) => {
                    let answer = engine::Answer::Failed("there are no names in this world".into());
                    self.echoes.push_back(Input::Answer { ticket, answer });
                }
                Output::Wire(Wire::Ask { ticket, tenant, question: Question::Wish { extension, wished } }) => {
                    self.fulfil(ticket, tenant, &extension, &wished);
                }
                Output::Told(told) => self.store.push(self.now, told),
            }
        }
    }

    fn crm_says(&mut self, answer: Input, said: &str) {
        self.ladder.note(self.now, &format!("crm -> pbx  {said}"));
        self.give(answer);
    }

    fn take_in(&mut self, brought: Brought) {
        for (worker, report) in brought.reports {
            self.echoes.push_back(Input::Media { worker, report });
        }
        for (from, to, packet) in brought.packets {
            self.fly(Flight { inward: false, from, to, packet });
        }
    }

    fn commit(&mut self) {
        let committed = self.store.commit(self.now);
        for (ticket, answer) in committed.awaited {
            self.echoes.push_back(Input::Answer { ticket, answer });
        }
        for (tenant, event) in committed.events {
            self.show(tenant, &event);
        }
        for (ticket, reply) in committed.replies {
            assert!(self.unreplied.remove(&ticket), "a reply to no order: {ticket:?} {reply:?}");
            if let Some(client) = self.commands.get(&ticket) {
                let line = format!("pbx -> {client}  {}", verbs::reply_words(&reply));
                self.ladder.note(self.now, &line);
            }
        }
    }

    fn show(&mut self, tenant: TenantId, event: &Event) {
        if self.show_events {
            let record = event.callid.and_then(|call| self.store.tenant(tenant)?.records.get(&call).cloned());
            let line = format!("* {}", story::tell_event(event, record.as_ref()));
            self.ladder.note(self.now, &line);
        }
    }

    /// A message in a few words; nothing where nobody wants to know.
    fn title_of(&self, bytes: &Bytes) -> String {
        if !self.ladder.is_wanted() && !self.network.has_rules() {
            return String::new();
        }
        match sip::parse(bytes.clone(), Framing::Datagram) {
            Ok(message) => ladder::title(&message),
            Err(_) => "something else".into(),
        }
    }

    fn flow_of(&self, place: usize, connection: u64) -> Flow {
        let card = &self.phones[place].card;
        // A connection through a router keeps its port for as long as it lives.
        let outside = self.nats.get(&place).map_or(card.address, |nat| nat.connected(card.address));
        Flow { transport: card.transport, interface: 0, connection, remote: outside }
    }

    /// The phone that a message of ours reaches.
    fn phone_at(&self, flow: Flow) -> Option<usize> {
        let at = |address| self.phones.iter().position(|phone| phone.card.address == address);
        let Some((place, nat)) = self.nats.iter().find(|(_, nat)| nat.is_at(flow.remote.ip())) else {
            return at(flow.remote);
        };
        match flow.transport {
            Transport::Udp => at(nat.inward(self.now, flow.remote.port())?),
            _ => Some(*place),
        }
    }

    fn company(&self, tenant: i64) -> &Company {
        let found = self.companies.iter().find(|company| company.settings.id == TenantId(tenant));
        found.unwrap_or_else(|| panic!("there is no company {tenant}"))
    }

    fn moment(&self) -> Now {
        Now { mono: self.mono(), wall: self.wall() }
    }

    fn mono(&self) -> Instant {
        self.base + self.now
    }

    fn wall(&self) -> Timestamp {
        self.wall_at(self.now)
    }

    fn wall_at(&self, at: Duration) -> Timestamp {
        beginning() + SignedDuration::try_from(at).expect("a world does not last so long")
    }

    fn set_phones(&mut self) {
        for phone in &mut self.phones {
            phone.set_now(self.now);
        }
    }
}

fn beginning() -> Timestamp {
    Timestamp::from_second(BEGINNING).expect("a moment")
}

/// The tone of the phone at this place: far enough from the others', and from those that the switchboard makes.
fn tone_of(place: usize) -> u16 {
    600 + 75 * u16::try_from(place % 40).unwrap_or_default()
}
