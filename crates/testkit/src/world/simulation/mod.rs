//! Random calls in bad weather, with a crash now and then; in the end everything must be as in every world.
//!
//! Whoever calls gives up in the end, whoever is called does something in the end, and nobody else helps.
//! Here is the course of it; who behaves how is drawn in [`mood`], what goes wrong in [`trouble`], and what must be true
//! all the time stands in [`watch`].

mod clients;
mod mood;
mod queues;
mod trouble;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use model::{
    CallId, ClaimedKey, DialAnswer, Dialled, Group, Menu, NumberRoute, Origin, Originate, Reason, Route, Status,
    Strategy, TenantId, TenantSettings, Ticket,
};
use sip::Transport;
use sip::sdp::Direction;

use self::queues::{QUEUES, add_queues};
use super::company::{Company, trunk};
use super::crm::asking;
use super::phone::{Calling, Manner, State};
use super::prompts::{VOICE, clip};
use super::shape::floor::says;
use super::{Weather, World};

/// The extensions of each company.
const EXTENSIONS: [&str; 8] = ["101", "102", "103", "104", "105", "106", "107", "108"];

/// The longest that somebody goes on who calls, as nearly all do.
const LONGEST: Duration = Duration::from_secs(45);

/// The longest that anybody does: sessions have to be refreshed meanwhile.
const EVER: Duration = Duration::from_secs(200);

/// The groups of each company.
const GROUPS: [&str; 3] = ["600", "601", "602"];

/// The trunks of each company, in the order in which they are tried.
const TRUNKS: [[&str; 2]; 2] = [["carrier", "backup"], ["ocarrier", "obackup"]];

/// Everybody with sound says a word so often.
const MUTTER: f64 = 3.0;

/// A leg of the second company that is silent for so long is ended.
const SILENCE: u32 = 20;

/// By then a message that is sent again and again has come, in any weather.
const HEARD_OF: Duration = Duration::from_secs(20);

/// What was simulated.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Calls that were tried.
    pub tried: u32,
    /// Records there are: tries that were refused before they became calls have none, nor what a crash swallowed.
    pub records: u32,
    /// Records of conversations.
    pub answered: u32,
    /// Transfers that reached somebody.
    pub transferred: u32,
    /// Consultations before a transfer.
    pub asked: u32,
    /// How often the process died.
    pub crashes: u32,
    /// Orders under keys that were given again after that.
    pub repeated: u32,
    /// How often it was listened who hears whom.
    pub listened: u32,
    /// Conversations in which both were found to hear each other.
    pub conversations: u32,
    /// Stays in queues.
    pub queued: u32,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tried, records, answered, transferred, asked, crashes, repeated, listened, conversations, queued } =
            self;
        write!(
            f,
            "{tried} calls tried, {records} records, {answered} answered, {transferred} transferred, {asked} asked, {crashes} crashes, {repeated} orders repeated, listened {listened} times to {conversations} conversations, {queued} stays in queues"
        )
    }
}

/// Simulates so many calls, and judges the world in the end. `aloud`: every message and event is printed.
pub fn run(seed: u64, calls: u32, aloud: bool) -> Tally {
    let mut simulation = Simulation::new(seed);
    simulation.world.ladder.aloud = aloud;
    simulation.world.show_events = aloud;
    for _ in 0..calls {
        simulation.call();
        simulation.now_and_then();
        let pause = simulation.world.chance.within(Duration::from_millis(1_500));
        simulation.pass(pause);
    }
    simulation.end()
}

struct Simulation {
    world: World,
    /// What is going to be done by whoever began something.
    plans: BTreeMap<(Duration, u64), Plan>,
    count: u64,
    tally: Tally,
    /// When the process died last.
    died_at: Duration,
    /// Since when no message has been lost.
    calm_since: Duration,
    /// Calls that were ended for their silence.
    silent: BTreeSet<CallId>,
    /// When a client had something played to a call last.
    played: BTreeMap<CallId, Duration>,
    /// Orders under keys since the process died last.
    keyed: Vec<(i64, Originate, Ticket)>,
    /// When a phone lost its network last, or could not be reached as before.
    lost_at: BTreeMap<usize, Duration>,
}

#[derive(Clone, Copy, Debug)]
enum Plan {
    HangUp {
        phone: usize,
        talk: usize,
    },
    Reoffer {
        phone: usize,
        talk: usize,
        direction: Direction,
    },
    Press {
        phone: usize,
        talk: usize,
    },
    Update {
        phone: usize,
        talk: usize,
    },
    Refer {
        phone: usize,
        talk: usize,
    },
    /// A phone that has moved says so in its calls.
    Return {
        phone: usize,
    },
    EndNewest {
        tenant: i64,
    },
    PlugIn {
        phone: usize,
    },
    Store,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut world = World::empty(seed);
        let at = |last: usize| SocketAddr::from(([198, 51, 100, u8::try_from(last).unwrap_or_default()], 5060));
        for (tenant, name, number) in [(1, "VPBX_DEMO", "842873088088"), (2, "VPBX_OTHER", "842873099099")] {
            let [first, second] = TRUNKS[tenant - 1];
            let carriers = [(first, at(tenant)), (second, at(100 + tenant))];
            let id = i64::try_from(tenant).unwrap_or_default();
            let mut company = Company::new(id, name, &EXTENSIONS, number, carriers[0]);
            let settings = &mut company.settings;
            for (place, extension) in settings.extensions.values_mut().enumerate() {
                extension.record = place % 3 == 0;
                extension.ring_seconds = 15;
                extension.lines = 5;
            }
            add_groups(settings);
            add_queues(settings);
            add_ways_on(settings);
            // One company's number is the CRM's to decide, the other's reaches a group.
            let number = settings.numbers.get_mut(number).expect("a company has its number");
            number.route = match tenant {
                1 => asking(Route::Menu("main".into())),
                _ => Route::Group("601".into()),
            };
            settings.trunks.push(trunk(carriers[1]));
            settings.outbound[0].trunks.push(second.to_owned());
            // The first is full now and then, and both are asked whether they are there.
            settings.trunks[0].max_calls = 3;
            for trunk in &mut settings.trunks {
                trunk.health_seconds = Some(30);
            }
            if tenant == 2 {
                settings.limits.silence_seconds = SILENCE;
            }
            world.add_company(company);
        }
        world.start();
        for (tenant, sign) in [(1, ""), (2, "o")] {
            for (place, extension) in EXTENSIONS.iter().enumerate() {
                let transport = match place {
                    3 | 7 => Transport::Tcp,
                    5 => Transport::Tls,
                    _ => Transport::Udp,
                };
                let name = format!("{sign}{extension}");
                world.add_phone(&name, tenant, extension, transport);
                if world.chance.per_mille(300) {
                    world.behind_a_router(&name);
                }
            }
            world.add_phone(&format!("{sign}101b"), tenant, "101", Transport::Udp);
        }
        for (id, names) in [(1, TRUNKS[0]), (2, TRUNKS[1])] {
            let last = usize::try_from(id).unwrap_or_default();
            world.add_carrier(names[0], id, at(last));
            world.add_carrier(names[1], id, at(100 + last));
        }
        for phone in &mut world.phones {
            phone.manner = Manner { hangs_up_after: Some(LONGEST), ..Manner::answers(Duration::from_secs(3)) };
        }
        world.run(1.0);
        world.mutter_every(MUTTER);
        let mut simulation = Self {
            world,
            plans: BTreeMap::new(),
            count: 0,
            tally: Tally::default(),
            died_at: Duration::ZERO,
            calm_since: Duration::ZERO,
            silent: BTreeSet::new(),
            played: BTreeMap::new(),
            keyed: Vec::new(),
            lost_at: BTreeMap::new(),
        };
        simulation.sign_in(|_| true);
        simulation.world.run(2.0);
        simulation.weather();
        simulation
    }

    /// Somebody calls somebody, somehow.
    fn call(&mut self) {
        self.tally.tried += 1;
        let chance = &mut self.world.chance;
        let tenant = if chance.per_mille(500) { 1 } else { 2 };
        let drawn = chance.below(100);
        self.mood(tenant);
        self.crm_mood();
        match drawn {
            0..40 => self.phone_calls(tenant),
            40..65 => self.carrier_calls(tenant),
            _ => self.client_clicks(tenant),
        }
    }

    fn phone_calls(&mut self, tenant: i64) {
        let phone = self.one_phone_of(tenant);
        let number = self.number();
        let without_offer = self.world.chance.per_mille(50);
        let calling = Calling { without_offer, ..Calling::default() };
        self.begin(phone, &number, &calling);
    }

    fn carrier_calls(&mut self, tenant: i64) {
        let (names, number) = if tenant == 1 { (TRUNKS[0], "02873088088") } else { (TRUNKS[1], "02873099099") };
        let name = *self.world.chance.one_of(&names);
        let phone = self.world.place(name);
        let wrong = self.world.chance.per_mille(50);
        self.begin(phone, if wrong { "02811111111" } else { number }, &Calling::default());
    }

    fn client_clicks(&mut self, tenant: i64) {
        let from = if self.world.chance.per_mille(30) { "199" } else { *self.world.chance.one_of(&EXTENSIONS) };
        let to = self.number();
        let answer =
            if self.world.chance.per_mille(500) { DialAnswer::WhenAccepted } else { DialAnswer::WhenPhoneResponds };
        let to = Dialled::parse(&to).expect("a number that can be dialled");
        let is_keyed = self.world.chance.per_mille(500);
        let claim = is_keyed.then(|| ClaimedKey { owner: "crm".into(), key: format!("order {}", self.tally.tried) });
        self.order_call(tenant, Originate { from: from.to_owned(), to, answer, claim });
        if self.world.chance.per_mille(250) {
            let after = self.world.chance.within(Duration::from_secs(12));
            self.plan(after, Plan::EndNewest { tenant });
        }
    }

    /// A phone calls, may do something meanwhile, and hangs up in the end.
    fn begin(&mut self, phone: usize, number: &str, calling: &Calling) {
        if self.world.phones[phone].unplugged || self.is_cut_off(phone) {
            return;
        }
        let talk = self.world.phones[phone].call(number, calling);
        self.world.flush(phone);
        let chance = &mut self.world.chance;
        // Many give up within a moment, when requests and answers cross.
        let after = match chance.below(10) {
            0 => chance.within(Duration::from_millis(60)),
            1 | 2 => chance.within(Duration::from_secs(3)),
            _ if chance.per_mille(40) => chance.within(EVER),
            _ => Duration::from_secs(5) + chance.within(LONGEST - Duration::from_secs(5)),
        };
        let (holds, presses, updates) = (chance.per_mille(200), chance.per_mille(100), chance.per_mille(100));
        let (begins, ends) = (chance.within(after), chance.within(after));
        if holds {
            self.plan(begins, Plan::Reoffer { phone, talk, direction: Direction::SendOnly });
            self.plan(ends, Plan::Reoffer { phone, talk, direction: Direction::SendRecv });
        }
        if presses {
            self.plan(begins, Plan::Press { phone, talk });
        }
        if updates {
            self.plan(ends, Plan::Update { phone, talk });
        }
        // A caller that is nobody's customer gives away whom it has called.
        if self.world.chance.per_mille(150) {
            self.plan(begins, Plan::Refer { phone, talk });
        }
        self.plan(after, Plan::HangUp { phone, talk });
    }

    fn sign_in(&mut self, is_it: impl Fn(Transport) -> bool) {
        let phones = self.world.phones.iter().filter(|phone| phone.card.login.is_some() && is_it(phone.card.transport));
        for name in phones.map(|phone| phone.card.name.clone()).collect::<Vec<_>>() {
            self.world.stays_registered(&name, 600);
        }
    }

    /// Lets time pass, and does what was planned for it.
    fn pass(&mut self, time: Duration) {
        let until = self.world.now + time;
        while let Some(entry) = self.plans.first_entry().filter(|entry| entry.key().0 <= until) {
            let at = entry.key().0;
            let plan = entry.remove();
            self.world.run_until(at);
            self.carry_out(plan);
        }
        self.world.run_until(until);
    }

    fn carry_out(&mut self, plan: Plan) {
        match plan {
            Plan::HangUp { phone, talk } => {
                self.world.phones[phone].hang_up(talk);
                self.world.flush(phone);
            }
            Plan::Reoffer { phone, talk, direction } => {
                if self.world.phones[phone].talks[talk].state == State::Up {
                    self.world.phones[phone].reoffer(talk, direction);
                    self.world.flush(phone);
                }
            }
            Plan::Refer { phone, talk } => {
                let to = self.number();
                if self.world.phones[phone].talks[talk].state == State::Up {
                    self.world.phones[phone].refer_to(talk, &to);
                    self.world.flush(phone);
                }
            }
            Plan::Press { phone, talk } => {
                if self.world.phones[phone].talks[talk].state == State::Up {
                    self.world.phones[phone].press(talk, '7');
                    self.world.flush(phone);
                }
            }
            Plan::Update { phone, talk } => {
                if self.world.phones[phone].talks[talk].state == State::Up {
                    self.world.phones[phone].update(talk);
                    self.world.flush(phone);
                }
            }
            Plan::Return { phone } => self.come_back(phone),
            Plan::PlugIn { phone } => {
                self.world.phones[phone].unplugged = false;
                self.lost_at.insert(phone, self.world.now);
            }
            Plan::Store => self.world.storage_flows(),
            Plan::EndNewest { tenant } => {
                if let Some(call) = self.world.rows(tenant).and_then(|rows| rows.calls().last()) {
                    self.world.command(tenant, model::Command::HangUp { call });
                }
            }
        }
    }

    fn end(mut self) -> Tally {
        self.pass(EVER + LONGEST);
        let world = &mut self.world;
        // What keeps them reachable would never end.
        world.nats.clear();
        world.air.weather = None;
        world.network.weather = Weather { latency: Duration::from_millis(5), ..Weather::default() };
        world.store.commit_takes = Duration::ZERO;
        for place in 0..world.phones.len() {
            world.phones[place].unplugged = false;
            if world.phones[place].card.login.is_some() {
                world.phones[place].register(3_600, false);
                world.flush(place);
            }
        }
        world.end();
        for (_, rows) in world.store.tenants() {
            let soundless = rows.records.values().find(|record| record.reason == Some(Reason::NoSoundAddress));
            assert_eq!(soundless, None, "there were addresses enough, so an order to a media worker was wrong");
            self.tally.records += u32::try_from(rows.records.len()).unwrap_or(u32::MAX);
            let answered = rows.records.values().filter(|record| record.status == Status::Answered).count();
            self.tally.answered += u32::try_from(answered).unwrap_or(u32::MAX);
            let transfers = rows.records.values().flat_map(|record| &record.transfers);
            let reached = transfers.filter(|transfer| transfer.target.is_some()).count();
            self.tally.transferred += u32::try_from(reached).unwrap_or(u32::MAX);
            let asked = rows.records.values().filter(|record| record.origin == Origin::Consultation).count();
            self.tally.asked += u32::try_from(asked).unwrap_or(u32::MAX);
        }
        self.tally.queued = self.judge_queues();
        self.tally
    }

    fn plan(&mut self, after: Duration, plan: Plan) {
        self.count += 1;
        self.plans.insert((self.world.now + after, self.count), plan);
    }

    fn number(&mut self) -> String {
        match self.world.chance.below(20) {
            0 => "198".into(),
            1 => (*self.world.chance.one_of(&GROUPS)).to_owned(),
            2 => "18001090".into(),
            14 | 15 => (*self.world.chance.one_of(&QUEUES)).to_owned(),
            3 => (*self.world.chance.one_of(&["02873088088", "02873088090"])).to_owned(),
            4..10 => (*self.world.chance.one_of(&EXTENSIONS)).to_owned(),
            _ => format!("09000000{:02}", self.world.chance.below(100)),
        }
    }

    /// A phone or the carrier of a company.
    fn one_of(&mut self, tenant: i64) -> usize {
        let own: Vec<usize> = self.places(|phone| phone.card.tenant.0 == tenant);
        *self.world.chance.one_of(&own)
    }

    fn one_phone_of(&mut self, tenant: i64) -> usize {
        let own: Vec<usize> = self.places(|phone| phone.card.tenant.0 == tenant && phone.card.login.is_some());
        *self.world.chance.one_of(&own)
    }

    fn places(&self, is_it: impl Fn(&super::phone::Phone) -> bool) -> Vec<usize> {
        (0..self.world.phones.len()).filter(|place| is_it(&self.world.phones[*place])).collect()
    }

    fn is_cut_off(&self, place: usize) -> bool {
        self.world.is_connected(place) && !self.world.connections.contains_key(&place)
    }
}

/// A menu on a number of its own, an overflow, and calls that are forwarded.
fn add_ways_on(settings: &mut TenantSettings) {
    let keys =
        [("5", Route::Extension("103".into())), ("7", Route::Group("600".into())), ("9", Route::Menu("main".into()))];
    let menu = Menu {
        name: "main".into(),
        prompt: says("the menu"),
        keys: keys.map(|(key, route)| (key.to_owned(), route)).into(),
        timeout_seconds: 2,
        tries: 2,
        default: Some(Route::Extension("101".into())),
    };
    settings.menus.insert("main".into(), menu);
    if settings.id == TenantId(1) {
        let number = NumberRoute { number: "842873088090".into(), route: Route::Menu("main".into()) };
        settings.numbers.insert(number.number.clone(), number);
    }
    settings.groups.get_mut("602").expect("a group").overflow = Some(Route::Play(says("nobody is there")));
    for (number, extension) in &mut settings.extensions {
        let forward = &mut extension.forward;
        match number.as_str() {
            "104" => forward.no_answer = Some("105".into()),
            "105" => forward.busy = Some("104".into()),
            "106" => forward.unreachable = Some("0900000050".into()),
            "107" => forward.busy = Some("600".into()),
            _ => {}
        }
    }
    let clip = clip(VOICE, 2);
    settings.clips.words = settings.words().into_iter().map(|words| (words, clip.clone())).collect();
}

/// Members that ring at once, one after the other, and whoever was rung longest ago first.
fn add_groups(settings: &mut TenantSettings) {
    let strategies = [Strategy::RingAll, Strategy::InOrder, Strategy::LeastRecent];
    for (at, (number, strategy)) in GROUPS.into_iter().zip(strategies).enumerate() {
        let members = EXTENSIONS[at..at + 4].iter().map(|member| (*member).to_owned()).collect();
        let group = Group {
            number: number.into(),
            name: format!("Group {number}"),
            strategy,
            members,
            ring_seconds: 6,
            overflow: None,
        };
        settings.groups.insert(number.into(), group);
    }
}
