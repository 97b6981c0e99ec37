//! The whole: finds the machine that an input is for, lends it what it needs for one step, and re-arms its one timer.
//!
//! Holds nothing that a caller could notice; what happens to a call stands in [`crate::call`].

mod orders;
mod phones;
mod pick_up;
mod reports;
mod settings;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use model::{CallId, EngineNumber, Keyed, Problem, Reason, Reply, TenantId, Ticket, Told};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sip::{Endpoint, EndpointConfig, Failure, Incoming, Interface, News, SessionTimer, Wheel};

use crate::abilities::{ALLOW, EXTENSIONS};
use crate::arrivals::{Arrival, Arrived};
use crate::edge::{Input, Now, Output, Storage, Whose, Wire};
use crate::ids::Ids;
use crate::key::{Key, LegKey};
use crate::lines::Line;
use crate::lines::sip::{Gatekeeper, SipNews};
use crate::live::Live;
use crate::locate::Whereabouts;
use crate::questions::Questions;
use crate::registrar::WatchId;
use crate::sounds::Sounds;
use crate::step::Step;
use crate::tenant::Tenant;
use crate::trunks::Trunks;

/// How long a peer that vanished in a call may stay unnoticed where its silence tells nothing (RFC 4028).
const SESSION: SessionTimer = SessionTimer { expires: Duration::from_secs(1_800), min: Duration::from_secs(90) };

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// This start's number.
    pub number: EngineNumber,
    /// The digest realm.
    pub realm: String,
    /// Shown in User-Agent and Server.
    pub software: String,
    /// SIP interfaces; `Flow::interface` is an index into them.
    pub sip: Vec<Interface>,
    /// Media interfaces; `SoundAddress::interface` is an index into them.
    pub rtp: Vec<Interface>,
    /// The most SIP transactions at a time.
    pub max_transactions: usize,
    /// The most SIP dialogs at a time.
    pub max_dialogs: usize,
    /// How often phones behind NAT are asked whether they are there. None: never.
    pub nat_keepalive: Option<Duration>,
}

/// How much an engine holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct EngineLoad {
    /// Live calls.
    pub calls: usize,
    /// Their legs that are not over.
    pub legs: usize,
    /// Phones signed in.
    pub registrations: usize,
    /// SIP transactions, finished ones that absorb resends included.
    pub transactions: usize,
    /// SIP dialogs.
    pub dialogs: usize,
    /// Media sessions that are open.
    pub sessions: usize,
    /// Recordings that are being closed.
    pub closing: usize,
    /// Lines and trunk channels in use.
    pub in_use: usize,
    /// Registrations with carriers that are being ended.
    pub leaving: usize,
    /// Addresses for sound that are ready.
    pub sounds: usize,
    /// Questions of calls that are open.
    pub questions: usize,
    /// Callers who wait in queues.
    pub waiting: usize,
}

/// One engine: all calls of the tenants it runs.
pub struct Engine {
    tenants: BTreeMap<TenantId, Tenant>,
    endpoint: Endpoint<Key>,
    gate: Gatekeeper,
    sounds: Sounds,
    trunks: Trunks,
    whereabouts: Whereabouts,
    questions: Questions,
    ids: Ids,
    wheel: Wheel<Timer>,
    keyed: Keyed,
    nat_keepalive: Option<Duration>,
    storage: Storage,
    draining: bool,
    /// Tenants whose offices may have become different in this step.
    touched: BTreeSet<TenantId>,
    started: u64,
    out: VecDeque<Output>,
}

/// What is to be looked at when a time has come.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Timer {
    Call(TenantId, CallId),
    Closing(TenantId, CallId),
    Bindings(TenantId, String),
    Trunk(u32),
    KeepAlive(TenantId, WatchId),
    Floor(TenantId),
    Minutes(TenantId),
}

impl Engine {
    /// An engine without tenants. All its random numbers come from `seed`.
    pub fn new(config: EngineConfig, seed: [u8; 32]) -> Self {
        let mut random = ChaCha20Rng::from_seed(seed);
        let mut draw = || {
            let mut bytes = [0; 32];
            random.fill_bytes(&mut bytes);
            bytes
        };
        let keyed = Keyed::new(&draw());
        let mut endpoint = Endpoint::new(
            EndpointConfig {
                software: config.software,
                mark: config.number.0.to_string(),
                interfaces: config.sip,
                allow: ALLOW.to_owned(),
                session: Some(SESSION),
                max_transactions: config.max_transactions,
                max_dialogs: config.max_dialogs,
            },
            draw(),
        );
        endpoint.support(&EXTENSIONS);
        Self {
            tenants: BTreeMap::new(),
            endpoint,
            gate: Gatekeeper::new(config.realm, draw()),
            sounds: Sounds::new(config.rtp, keyed),
            trunks: Trunks::new(draw()),
            whereabouts: Whereabouts::default(),
            questions: Questions::default(),
            ids: Ids::new(config.number, draw()),
            wheel: Wheel::new(),
            keyed,
            nat_keepalive: config.nat_keepalive,
            storage: Storage::Flowing,
            draining: false,
            touched: BTreeSet::new(),
            started: 0,
            out: VecDeque::new(),
        }
    }

    /// Takes in one thing.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        // What an earlier engine kept is one picture: it is looked at when all of it is there, before anything else comes.
        let is_kept = matches!(input, Input::Kept(_));
        if !is_kept {
            self.settle_offices(now);
        }
        match input {
            Input::Message { flow, whose, message } => {
                self.endpoint.handle_message(now.mono, flow, message);
                self.drain_endpoint(now, &whose);
            }
            Input::FlowLost(flow) => self.flow_lost(now, flow),
            Input::Command { ticket, tenant, command, .. } => self.command(now, ticket, tenant, command),
            Input::Answer { ticket, answer } => self.answered(now, ticket, answer),
            Input::Media { report, .. } => self.report(now, report),
            Input::Settings { ticket, settings } => self.settings(now, ticket, settings),
            Input::Interfaces { sip, rtp } => {
                self.endpoint.set_interfaces(sip);
                self.sounds.set_interfaces(rtp);
            }
            Input::Kept(kept) => self.kept(now, kept),
            Input::Storage(storage) => self.storage = storage,
            Input::Drain => {
                self.draining = true;
                self.trunks.drain(now, &mut self.endpoint);
            }
            Input::EndAll => self.end_all(now),
        }
        self.drain_endpoint(now, &Whose::Ours);
        if !is_kept {
            self.settle_offices(now);
        }
        self.settle_trunks(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        self.endpoint.handle_timeout(now.mono);
        self.drain_endpoint(now, &Whose::Ours);
        while let Some(timer) = self.wheel.pop_due(now.mono) {
            match timer {
                Timer::Call(tenant, call) => {
                    self.with_call(now, tenant, call, |live, step| {
                        live.armed = None;
                        live.on_timeout(step);
                    });
                }
                Timer::Closing(tenant, call) => self.closing_timeout(now, tenant, call),
                Timer::Bindings(tenant, extension) => self.expire_bindings(now, tenant, &extension),
                Timer::Trunk(number) => self.trunks.on_timeout(now, &mut self.endpoint, number),
                Timer::KeepAlive(tenant, watch) => self.ask_phone(now, tenant, watch),
                Timer::Minutes(tenant) => self.settle_minutes(now, tenant),
                Timer::Floor(tenant) => drop(self.touched.insert(tenant)),
            }
            self.drain_endpoint(now, &Whose::Ours);
            self.settle_offices(now);
        }
        self.settle_offices(now);
        self.settle_trunks(now);
    }

    /// The next thing that comes out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.endpoint.poll_timeout(), self.wheel.poll_timeout()].into_iter().flatten().min()
    }

    /// How many calls it has begun.
    pub fn started(&self) -> u64 {
        self.started
    }

    /// How much it holds.
    pub fn load(&self) -> EngineLoad {
        let sip = self.endpoint.load();
        let tenants = || self.tenants.values();
        EngineLoad {
            calls: tenants().map(|tenant| tenant.calls.len()).sum(),
            legs: tenants().flat_map(|tenant| tenant.calls.values()).map(|live| live.call.live_legs()).sum(),
            registrations: tenants().map(|tenant| tenant.office.registrar.len()).sum(),
            transactions: sip.transactions,
            dialogs: sip.dialogs,
            sessions: self.sounds.sessions(),
            closing: tenants().map(|tenant| tenant.closing.len()).sum(),
            in_use: tenants().map(|tenant| tenant.office.limits.in_use()).sum::<usize>() + self.trunks.in_use(),
            leaving: self.trunks.leaving(),
            sounds: self.sounds.len(),
            questions: self.questions.len(),
            waiting: tenants().map(|tenant| tenant.office.floor.total_waiting()).sum(),
        }
    }

    /// Looks after what calls share, and wakes those that are to hear of it, until nobody is woken any more.
    fn settle_offices(&mut self, now: Now) {
        while let Some(id) = self.touched.pop_first() {
            let Some(tenant) = self.tenants.get_mut(&id) else { continue };
            let wake_at = tenant.office.settle_floor(now, &mut self.out);
            let wakes = std::mem::take(&mut tenant.office.wakes);
            if let Some(at) = wake_at {
                self.wheel.set(at, Timer::Floor(id));
            }
            for (call, wake) in wakes {
                self.with_call(now, id, call, |live, step| live.on_wake(step, wake));
                self.drain_endpoint(now, &Whose::Ours);
            }
        }
    }

    fn closed(&self) -> Option<Reason> {
        if self.draining {
            return Some(Reason::Drained);
        }
        (self.storage == Storage::Stalled).then_some(Reason::StorageStalled)
    }

    /// Takes what the SIP machine put out, until there is nothing left: news may make it put out more.
    fn drain_endpoint(&mut self, now: Now, whose: &Whose) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                sip::Output::Send { flow, bytes } => self.out.push_back(Output::Wire(Wire::Send { flow, bytes })),
                sip::Output::News(News::Incoming(incoming)) => self.arrive(now, whose, incoming),
                sip::Output::News(News::Response { key: Key::Trunk(trunk, ask), response, .. }) => {
                    self.trunks.on_response(now, &mut self.endpoint, trunk, ask, &response);
                }
                sip::Output::News(News::RequestFailed { key: Key::Trunk(trunk, ask), why, .. }) => {
                    self.trunks.on_failure(now, &mut self.endpoint, trunk, ask, why);
                }
                sip::Output::News(News::Locate { key, dialog, uri }) => {
                    let tenant = if let Key::Leg(leg, _) = key { leg.tenant } else { TenantId::SERVER };
                    self.out.extend(self.whereabouts.ask(self.ids.ticket(), tenant, dialog, &uri).map(Output::Wire));
                }
                // Whatever a phone answers, it is there. What was not sent says nothing of it.
                sip::Output::News(
                    News::Response { key: Key::Phone(tenant, watch), .. }
                    | News::RequestFailed { key: Key::Phone(tenant, watch), why: Failure::Overloaded, .. },
                ) => {
                    if let Some(tenant) = self.tenants.get_mut(&tenant) {
                        tenant.office.registrar.heard(watch);
                    }
                }
                sip::Output::News(news) => {
                    if let Some((Key::Leg(key, branch), news)) = for_leg(news) {
                        self.leg_news(now, key, branch, news);
                    }
                }
            }
        }
    }

    fn arrive(&mut self, now: Now, whose: &Whose, incoming: Incoming) {
        let tenant = match whose {
            Whose::Phone(tenant) | Whose::Trunk { tenant, .. } => *tenant,
            // It carries a number of ours and belongs to nothing that we know.
            Whose::Ours => {
                let response = incoming.request.response(481);
                self.endpoint.answer_stateless(&incoming, response);
                return;
            }
        };
        let closed = self.closed();
        let Some(tenant) = self.tenants.get_mut(&tenant) else {
            let response = incoming.request.response(503).with(sip::HeaderName::RetryAfter, "10");
            self.endpoint.answer_stateless(&incoming, response);
            return;
        };
        let mut step = Step {
            now,
            office: &mut tenant.office,
            endpoint: &mut self.endpoint,
            sounds: &mut self.sounds,
            trunks: &mut self.trunks,
            questions: &mut self.questions,
            ids: &mut self.ids,
            out: &mut self.out,
        };
        let arrived = Arrival { step: &mut step, gate: &mut self.gate, closed }.take(whose, incoming);
        let id = tenant.office.settings.id;
        self.touched.insert(id);
        match arrived {
            Some(Arrived::Call(live)) => self.begin(now, id, live),
            Some(Arrived::PickUp(pick_up)) => self.pick_up(now, id, pick_up),
            None => {}
        }
        self.reconnect(now, id);
        self.arm_bindings(id);
        self.arm_watches(now, id);
    }

    fn leg_news(&mut self, now: Now, key: LegKey, branch: u8, news: SipNews) {
        self.with_call(now, key.tenant, key.call, |live, step| {
            if !live.call.is_live(key.leg) {
                return;
            }
            let told = match &mut live.call.leg_mut(key.leg).line {
                Line::Sip(line) => line.on_news(step, branch, news),
            };
            if let Some(told) = told {
                live.on_news(step, key.leg, told);
            }
        });
    }

    fn end_all(&mut self, now: Now) {
        self.draining = true;
        let calls: Vec<(TenantId, CallId)> = self
            .tenants
            .iter()
            .flat_map(|(id, tenant)| tenant.calls.keys().map(move |call| (*id, *call)))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        for (tenant, call) in calls {
            self.with_call(now, tenant, call, |live, step| live.end(step, Reason::Drained));
        }
    }

    fn step(&mut self, now: Now, tenant: TenantId) -> Option<Step<'_>> {
        self.touched.insert(tenant);
        Some(Step {
            now,
            office: &mut self.tenants.get_mut(&tenant)?.office,
            endpoint: &mut self.endpoint,
            sounds: &mut self.sounds,
            trunks: &mut self.trunks,
            questions: &mut self.questions,
            ids: &mut self.ids,
            out: &mut self.out,
        })
    }

    /// Takes a call out of its table for one step. A panic inside costs this one call, not the house.
    fn with_call(
        &mut self,
        now: Now,
        tenant: TenantId,
        call: CallId,
        act: impl FnOnce(&mut Live, &mut Step<'_>),
    ) -> bool {
        let Some(owner) = self.tenants.get_mut(&tenant) else { return false };
        let Some(mut live) = owner.calls.remove(&call) else { return false };
        let mut step = Step {
            now,
            office: &mut owner.office,
            endpoint: &mut self.endpoint,
            sounds: &mut self.sounds,
            trunks: &mut self.trunks,
            questions: &mut self.questions,
            ids: &mut self.ids,
            out: &mut self.out,
        };
        if catch_unwind(AssertUnwindSafe(|| act(&mut live, &mut step))).is_err() {
            tracing::error!(%call, "a bug ended this call");
            let ended = catch_unwind(AssertUnwindSafe(|| live.abandon(&mut step)));
            if ended.is_err() {
                tracing::error!(%call, "and its legs could not be ended");
            }
        }
        self.put_back(now, tenant, live);
        true
    }

    fn begin(&mut self, now: Now, tenant: TenantId, live: Live) {
        self.started += 1;
        self.put_back(now, tenant, live);
    }

    /// Puts out what the step told, and keeps the call unless it is over.
    fn put_back(&mut self, now: Now, id: TenantId, mut live: Live) {
        live.call.flush(id, &mut self.out);
        for past in live.call.take_past() {
            self.close_past(now, id, past);
        }
        self.touched.insert(id);
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        let other = live.other_name().filter(|_| !live.call.is_over());
        if other != live.listed_as {
            if let Some(before) = live.listed_as {
                tenant.names.remove(&before);
            }
            if let Some(name) = other {
                tenant.names.insert(name, live.call.key());
            }
            live.listed_as = other;
        }
        if live.call.is_over() {
            tenant.office.floor.leave(live.call.key());
            if let Some((_, timer)) = live.armed {
                self.wheel.cancel(timer);
            }
            self.questions.forget(id, live.call.key());
            self.close(now, id, live.call);
            self.settle_minutes(now, id);
            return;
        }
        let call = live.call.key();
        // An entry that is due too early costs one look; one that is due too late is replaced.
        if let Some(at) = live.poll_timeout()
            && live.armed.is_none_or(|(armed, _)| at < armed)
        {
            if let Some((_, timer)) = live.armed {
                self.wheel.cancel(timer);
            }
            live.armed = Some((at, self.wheel.set(at, Timer::Call(id, call))));
        }
        tenant.calls.insert(call, live);
        self.settle_minutes(now, id);
    }

    fn reply(&mut self, ticket: Ticket, reply: Result<Reply, Problem>) {
        self.out.push_back(Output::Told(Told::Reply { ticket, reply }));
    }
}

/// What of the SIP machine's news a leg has to hear.
fn for_leg(news: News<Key>) -> Option<(Key, SipNews)> {
    Some(match news {
        News::Progress { key, fork, response, .. } => (key, SipNews::Progress(fork, response)),
        News::Answered { key, fork, response, .. } => (key, SipNews::Answered(fork, response)),
        News::Refused { key, response, .. } => (key, SipNews::Refused(response)),
        News::Failed { key, .. } => (key, SipNews::Failed),
        News::Cancelled { key, request, .. } => (key, SipNews::Cancelled(request)),
        News::Acked { key, request, .. } => (key, SipNews::Acked(request)),
        News::NeverAcked { key, .. } => (key, SipNews::NeverAcked),
        News::Expired { key, .. } => (key, SipNews::Expired),
        News::Refresh { key, .. } => (key, SipNews::Refresh),
        News::Bye { key, request, .. } => (key, SipNews::Bye(request)),
        News::Request { key, fork, server, request, .. } => (key, SipNews::Request(fork, server, request)),
        News::ReinviteDone { key, result, .. } => (key, SipNews::Changed(result)),
        News::Incoming(_) | News::Response { .. } | News::RequestFailed { .. } | News::Locate { .. } => return None,
    })
}
