//! Random calls in bad weather, with a crash now and then; in the end everything must be as in every world.
//!
//! Whoever calls gives up in the end, whoever is called does something in the end, and nobody else helps.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use model::{ClaimedKey, DialAnswer, Dialled, Originate, Reason, Status};
use sip::sdp::Direction;
use sip::{HeaderName, Transport};

use super::company::Company;
use super::phone::{Calling, Manner, State, Then};
use super::{Weather, World};

/// The extensions of each company.
const EXTENSIONS: [&str; 8] = ["101", "102", "103", "104", "105", "106", "107", "108"];

/// The longest that somebody who calls goes on.
const LONGEST: Duration = Duration::from_secs(45);

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
    /// How often the process died.
    pub crashes: u32,
    /// How often it was listened who hears whom.
    pub listened: u32,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tried, records, answered, crashes, listened } = self;
        write!(
            f,
            "{tried} calls tried, {records} records, {answered} answered, {crashes} crashes, listened {listened} times"
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
    /// When a phone lost its network last.
    unplugged_at: BTreeMap<usize, Duration>,
}

#[derive(Clone, Copy, Debug)]
enum Plan {
    HangUp { phone: usize, talk: usize },
    Reoffer { phone: usize, talk: usize, direction: Direction },
    Press { phone: usize, talk: usize },
    EndNewest { tenant: i64 },
    PlugIn { phone: usize },
    Store,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut world = World::empty(seed);
        let at = |last: u8| std::net::SocketAddr::from(([198, 51, 100, last], 5060));
        let (one, other) = (("carrier", at(1)), ("ocarrier", at(2)));
        for company in [
            Company::new(1, "VPBX_DEMO", &EXTENSIONS, "842873088088", one),
            Company::new(2, "VPBX_OTHER", &EXTENSIONS, "842873099099", other),
        ] {
            let mut company = company;
            for (place, extension) in company.settings.extensions.values_mut().enumerate() {
                extension.record = place % 3 == 0;
                extension.ring_seconds = 15;
                extension.lines = 5;
            }
            world.add_company(company);
        }
        world.start();
        for (tenant, sign) in [(1, ""), (2, "o")] {
            for (place, extension) in EXTENSIONS.iter().enumerate() {
                let transport = if place % 4 == 3 { Transport::Tcp } else { Transport::Udp };
                world.add_phone(&format!("{sign}{extension}"), tenant, extension, transport);
            }
            world.add_phone(&format!("{sign}101b"), tenant, "101", Transport::Udp);
        }
        world.add_carrier("carrier", 1, at(1));
        world.add_carrier("ocarrier", 2, at(2));
        for phone in &mut world.phones {
            phone.manner = Manner { hangs_up_after: Some(LONGEST), ..Manner::answers(Duration::from_secs(3)) };
        }
        world.run(1.0);
        let mut simulation = Self {
            world,
            plans: BTreeMap::new(),
            count: 0,
            tally: Tally::default(),
            died_at: Duration::ZERO,
            unplugged_at: BTreeMap::new(),
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
        let (name, number) = if tenant == 1 { ("carrier", "02873088088") } else { ("ocarrier", "02873099099") };
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
        let claim = Some(ClaimedKey { owner: "crm".into(), key: "order".into() });
        let order = Originate { from: from.to_owned(), to, answer, claim };
        self.world.command(tenant, model::Command::Originate(order));
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
            _ => Duration::from_secs(5) + chance.within(LONGEST - Duration::from_secs(5)),
        };
        let (holds, presses) = (chance.per_mille(200), chance.per_mille(100));
        let (begins, ends) = (chance.within(after), chance.within(after));
        if holds {
            self.plan(begins, Plan::Reoffer { phone, talk, direction: Direction::SendOnly });
            self.plan(ends, Plan::Reoffer { phone, talk, direction: Direction::SendRecv });
        }
        if presses {
            self.plan(begins, Plan::Press { phone, talk });
        }
        self.plan(after, Plan::HangUp { phone, talk });
    }

    /// Somebody of the company treats the next calls in another way.
    fn mood(&mut self, tenant: i64) {
        let place = self.one_of(tenant);
        let chance = &mut self.world.chance;
        let rings_after = match chance.below(10) {
            0 => None,
            1 => Some(chance.within(Duration::from_secs(7))),
            _ => Some(chance.within(Duration::from_millis(300))),
        };
        let status = *chance.one_of(&[486, 603, 480, 404, 500, 503, 415]);
        let then = match chance.below(10) {
            0..8 => Then::Answer(chance.within(Duration::from_secs(7))),
            8 => Then::Refuse(status, chance.within(Duration::from_secs(5))),
            // Nobody picks up; the phone itself gives up when nobody else does.
            _ => Then::Refuse(408, Duration::from_secs(200)),
        };
        let manner = Manner {
            rings_after,
            early_sound: chance.per_mille(200),
            then,
            hangs_up_after: Some(chance.within(LONGEST)),
            presses: chance.per_mille(50).then_some('5'),
        };
        let codecs: &[(u8, &str)] = match chance.below(20) {
            0 => &[(18, "G729")],
            1..6 => &[(0, "PCMU")],
            6..11 => &[(8, "PCMA")],
            _ => &[(8, "PCMA"), (0, "PCMU")],
        };
        let phone = &mut self.world.phones[place];
        phone.manner = manner;
        phone.codecs = codecs.iter().map(|(number, name)| (*number, (*name).to_owned())).collect();
        phone.mute_to_invites = self.world.chance.per_mille(30);
        phone.never_acks = self.world.chance.per_mille(20);
    }

    /// Nobody talks in a call that is over: its BYE must have come by now. Phones that ring do not count, because one
    /// that we have not heard of cannot be cancelled; nor do calls from before a crash, of which only answered legs are
    /// known to the next engine.
    fn nobody_is_left_hanging(&self) {
        let world = &self.world;
        let long_ago = |at: Duration| world.now.saturating_sub(at) > 2 * HEARD_OF;
        for (place, phone) in world.phones.iter().enumerate() {
            let was_there = self.unplugged_at.get(&place).is_none_or(|at| !phone.unplugged && long_ago(*at));
            if !was_there || phone.card.transport.is_reliable() {
                continue;
            }
            let called = phone.talks.iter().filter(|talk| !talk.caller);
            let called = called.filter(|talk| talk.began > self.died_at);
            for talk in called.filter(|talk| talk.is_up() && talk.acked) {
                let call = talk.invite.headers.get(&HeaderName::from_static("X-Callid"));
                let call = call.and_then(|call| std::str::from_utf8(call).ok()?.parse().ok());
                let rows = world.store.tenant(phone.card.tenant);
                let record = call.and_then(|call| rows?.records.get(&call));
                // Who hears of a call after its end may still ring when our patience is over.
                let ended = record.and_then(|record| record.ended_at).filter(|at| *at > world.wall_at(talk.began));
                let since = ended.map(|at| world.wall().duration_since(at));
                let left = since.is_some_and(|since| since.unsigned_abs() > HEARD_OF);
                assert!(!left, "{} is left hanging in {call:?}, which ended at {ended:?}", phone.card.name);
            }
        }
    }

    fn now_and_then(&mut self) {
        self.nobody_is_left_hanging();
        if self.world.chance.per_mille(6) {
            self.crash();
        }
        if self.world.chance.per_mille(30) {
            self.listen();
        }
        if self.world.chance.per_mille(50) {
            self.weather();
        }
        if self.world.chance.per_mille(20) {
            let phone = self.one_of(1);
            self.world.phones[phone].unplugged = true;
            self.unplugged_at.insert(phone, self.world.now);
            let after = self.world.chance.within(Duration::from_secs(40));
            self.plan(after, Plan::PlugIn { phone });
        }
        if self.world.chance.per_mille(10) {
            self.cut();
        }
        if self.world.chance.per_mille(10) {
            self.world.storage_stalls();
            let after = self.world.chance.within(Duration::from_secs(4));
            self.plan(after, Plan::Store);
        }
    }

    fn weather(&mut self) {
        let chance = &mut self.world.chance;
        self.world.network.weather = match chance.below(4) {
            0 => Weather { latency: Duration::from_millis(5), ..Weather::default() },
            1 => Weather {
                lost: 150,
                doubled: 50,
                late: 100,
                late_by: Duration::from_secs(2),
                latency: Duration::from_millis(60),
            },
            _ => Weather {
                lost: 20,
                doubled: 20,
                late: 50,
                late_by: Duration::from_millis(800),
                latency: Duration::from_millis(20),
            },
        };
        let slow = chance.per_mille(200);
        self.world.store.commit_takes = Duration::from_millis(if slow { 400 } else { 5 });
    }

    fn crash(&mut self) {
        self.tally.crashes += 1;
        self.world.crash();
        self.died_at = self.world.now;
        let down = self.world.chance.within(Duration::from_secs(3));
        self.pass(down);
        self.world.restart();
        self.sign_in(|transport| transport.is_reliable());
    }

    /// A connection is lost, and opened again a moment later.
    fn cut(&mut self) {
        let connected: Vec<usize> = self.world.connections.keys().copied().collect();
        if connected.is_empty() {
            return;
        }
        let place = *self.world.chance.one_of(&connected);
        let name = self.world.phones[place].card.name.clone();
        self.world.disconnects(&name);
        self.pass(Duration::from_millis(700));
        if self.is_cut_off(place) {
            self.world.connects(&name);
        }
        self.world.stays_registered(&name, 600);
    }

    /// Nobody may hear anybody of another company.
    fn listen(&mut self) {
        self.tally.listened += 1;
        let heard = self.world.who_hears_whom();
        let tenant_of = |world: &World, name: &str| {
            world.phones.iter().find(|phone| phone.card.name == name).map(|phone| phone.card.tenant)
        };
        for (who, whom) in heard {
            let own = tenant_of(&self.world, &who);
            for other in whom {
                let theirs = tenant_of(&self.world, &other);
                assert!(theirs.is_none() || theirs == own, "{who} hears {other} of another company");
            }
        }
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
            Plan::Press { phone, talk } => {
                if self.world.phones[phone].talks[talk].state == State::Up {
                    self.world.phones[phone].press(talk, '7');
                    self.world.flush(phone);
                }
            }
            Plan::PlugIn { phone } => {
                self.world.phones[phone].unplugged = false;
                self.unplugged_at.insert(phone, self.world.now);
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
        self.pass(LONGEST * 2);
        let world = &mut self.world;
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
        }
        self.tally
    }

    fn plan(&mut self, after: Duration, plan: Plan) {
        self.count += 1;
        self.plans.insert((self.world.now + after, self.count), plan);
    }

    fn number(&mut self) -> String {
        match self.world.chance.below(20) {
            0 => "198".into(),
            1 => "600".into(),
            2 => "18001090".into(),
            3 => "02873088088".into(),
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
