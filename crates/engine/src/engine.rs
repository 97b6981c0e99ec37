//! The whole: finds the machine that an input is for, lends it what it needs for one step, and re-arms its one timer.
//!
//! Holds nothing that a caller could notice; what happens to a call stands in [`crate::call`].

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Quality, RecordingKey, Report, SessionId};
use model::{
    CallId, Command, EngineNumber, ExtensionEvent, Kept, KeptKind, Keyed, Problem, Reason, RecordingEvent, Reply,
    TenantId, TenantSettings, Text, Ticket, Told,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sip::{Endpoint, EndpointConfig, Failure, Flow, Headers, Incoming, Interface, News, SessionTimer, Wheel};

use crate::arrivals::Arrival;
use crate::call::Call;
use crate::closing::Closing;
use crate::commands;
use crate::edge::{Answer, Input, Now, Output, Storage, Whose, Wire};
use crate::ids::Ids;
use crate::key::{Key, LegKey};
use crate::lines::sip::{ALLOW, Gatekeeper, Settled, SipNews, Trunks, ask_phone, keep_bindings, stub};
use crate::lines::{LegNews, Line};
use crate::live::Live;
use crate::locate::Whereabouts;
use crate::registrar::{First, WatchId};
use crate::sounds::Sounds;
use crate::step::Step;
use crate::tenant::Tenant;

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
}

/// One engine: all calls of the tenants it runs.
pub struct Engine {
    tenants: BTreeMap<TenantId, Tenant>,
    endpoint: Endpoint<Key>,
    gate: Gatekeeper,
    sounds: Sounds,
    trunks: Trunks,
    whereabouts: Whereabouts,
    ids: Ids,
    wheel: Wheel<Timer>,
    keyed: Keyed,
    nat_keepalive: Option<Duration>,
    storage: Storage,
    draining: bool,
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
        endpoint.support(&["100rel", "timer", "path", "outbound"]);
        Self {
            tenants: BTreeMap::new(),
            endpoint,
            gate: Gatekeeper::new(config.realm, draw()),
            sounds: Sounds::new(config.rtp, keyed),
            trunks: Trunks::new(draw()),
            whereabouts: Whereabouts::default(),
            ids: Ids::new(config.number, draw()),
            wheel: Wheel::new(),
            keyed,
            nat_keepalive: config.nat_keepalive,
            storage: Storage::Flowing,
            draining: false,
            started: 0,
            out: VecDeque::new(),
        }
    }

    /// Takes in one thing.
    pub fn handle_input(&mut self, now: Now, input: Input) {
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
            }
            self.drain_endpoint(now, &Whose::Ours);
        }
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
                    self.out.extend(self.whereabouts.ask(tenant, dialog, &uri).map(Output::Wire));
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
            ids: &mut self.ids,
            out: &mut self.out,
        };
        let live = Arrival { step: &mut step, gate: &mut self.gate, closed }.take(whose, incoming);
        let id = tenant.office.settings.id;
        if let Some(live) = live {
            self.begin(now, id, live);
        }
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

    fn command(&mut self, now: Now, ticket: Ticket, tenant: TenantId, command: Command) {
        let closed = self.closed();
        match command {
            Command::Originate(order) => {
                let live = match self.step(now, tenant) {
                    Some(mut step) => commands::originate(&mut step, closed, order, ticket),
                    None => Err(Problem::Unavailable),
                };
                match live {
                    Ok(live) => self.begin(now, tenant, live),
                    Err(problem) => self.reply(ticket, Err(problem)),
                }
            }
            Command::HangUp { call } => {
                let done = self.with_call(now, tenant, call, |live, step| {
                    live.call.story.reply(ticket, Ok(Reply::HungUp { call }));
                    live.end(step, Reason::Commanded);
                });
                if !done {
                    self.reply(ticket, Err(Problem::NoSuchCall { call }));
                }
            }
        }
    }

    fn report(&mut self, now: Now, report: Report) {
        match report {
            Report::Addresses(addresses) => self.sounds.put(addresses),
            Report::Key { session, key } => self.key_heard(now, session, key),
            Report::RecordingClosed { recording, milliseconds, gap_milliseconds, bytes, sha256 } => {
                let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
                let what = RecordingEvent::Closed { milliseconds, gap_milliseconds, bytes, sha256 };
                self.recording_done(now, recording, what);
            }
            Report::RecordingFailed { recording, why } => {
                let what = RecordingEvent::Failed { why: Text::from(why.to_string()) };
                self.recording_done(now, recording, what);
            }
            Report::Failed { session, .. } => {
                if let Some(key) = self.sounds.leg_of(session) {
                    self.with_call(now, key.tenant, key.call, |live, step| live.end(step, Reason::NoSoundAddress));
                }
            }
            Report::Silent { session } => self.session_news(now, session, LegNews::Silent),
            Report::Quality { session, quality } => self.measured(now, session, &quality),
            Report::FirstPacket { .. } => {}
        }
    }

    fn key_heard(&mut self, now: Now, session: SessionId, pressed: char) {
        let Some(key) = self.sounds.leg_of(session) else { return };
        self.with_call(now, key.tenant, key.call, |live, step| {
            if let Some(news) = live.call.leg_mut(key.leg).line.on_key(step, pressed) {
                live.on_news(step, key.leg, news);
            }
        });
    }

    fn session_news(&mut self, now: Now, session: SessionId, news: LegNews) {
        if let Some(key) = self.sounds.leg_of(session) {
            self.with_call(now, key.tenant, key.call, |live, step| live.on_news(step, key.leg, news));
        }
    }

    /// The last event of a recording: of a live call, or of one that is over.
    fn recording_done(&mut self, now: Now, recording: RecordingKey, what: RecordingEvent) {
        let Some((tenant, call)) = self.sounds.recording_done(recording) else { return };
        let id = call.first_recording();
        let Some(owner) = self.tenants.get_mut(&tenant) else { return };
        if let Some(closing) = owner.closing.get_mut(&call) {
            closing.tell_recording(now, tenant, id, what, &mut self.out);
            self.end_closing(tenant, call);
            return;
        }
        self.with_call(now, tenant, call, |live, _| live.call.recording_done(now, id, what));
    }

    /// How well the sound of a leg travelled: of a live call, or of one that is over.
    fn measured(&mut self, now: Now, session: SessionId, quality: &Quality) {
        let Some(LegKey { tenant, call, leg }) = self.sounds.measured(session) else { return };
        let Some(owner) = self.tenants.get_mut(&tenant) else { return };
        if let Some(live) = owner.calls.get_mut(&call) {
            live.call.measure(leg, quality);
        } else if let Some(closing) = owner.closing.get_mut(&call) {
            closing.measure(leg, quality);
            if self.sounds.unmeasured(tenant, call) == 0 {
                closing.tell_sound(now, tenant, &mut self.out);
                self.sounds.forget(tenant, call);
                self.end_closing(tenant, call);
            }
        }
    }

    /// The media workers had time enough to tell of a call that is over.
    fn closing_timeout(&mut self, now: Now, tenant: TenantId, call: CallId) {
        let Some(owner) = self.tenants.get_mut(&tenant) else { return };
        if let Some(closing) = owner.closing.get_mut(&call).filter(|closing| closing.give_up_at <= now.mono) {
            closing.tell_sound(now, tenant, &mut self.out);
            self.sounds.forget(tenant, call);
            self.end_closing(tenant, call);
        }
    }

    fn end_closing(&mut self, tenant: TenantId, call: CallId) {
        let Some(owner) = self.tenants.get_mut(&tenant) else { return };
        if owner.closing.get(&call).is_some_and(Closing::is_done) {
            owner.closing.remove(&call);
        }
    }

    fn settings(&mut self, now: Now, ticket: Ticket, settings: Arc<TenantSettings>) {
        let version = settings.version;
        self.trunks.take_settings(now, &mut self.endpoint, &settings);
        match self.tenants.get_mut(&settings.id) {
            Some(tenant) => tenant.office.settings = settings,
            None => {
                let _ = self.tenants.insert(settings.id, Tenant::new(settings, self.keyed));
            }
        }
        self.reply(ticket, Ok(Reply::SettingsTaken { version }));
    }

    /// A host that a dialog names is there.
    fn answered(&mut self, now: Now, ticket: Ticket, answer: Answer) {
        let interfaces = self.endpoint.interfaces();
        let found = self.whereabouts.answered(ticket, answer, interfaces, &mut self.trunks);
        if let Some((dialog, flow)) = found {
            self.endpoint.located(now.mono, dialog, flow);
        }
    }

    /// Tells and keeps what has become different of trunks, and sets their timers.
    fn settle_trunks(&mut self, now: Now) {
        let Settled { told, keep, wake } = self.trunks.settle(now);
        for (tenant, trunk, what) in told {
            if let Some(tenant) = self.tenants.get_mut(&tenant) {
                tenant.office.tell_trunk(now, &trunk, what, &mut self.out);
            }
        }
        self.out.extend(keep.into_iter().map(|kept| Output::Told(Told::Keep(kept))));
        for (trunk, at) in wake {
            self.wheel.set(at, Timer::Trunk(trunk));
        }
    }

    fn kept(&mut self, now: Now, kept: Kept) {
        if kept.kind == KeptKind::Trunk {
            return self.trunks.take_back(now, &kept);
        }
        let Kept { tenant, kind, key, value: Some(value), .. } = kept else { return };
        match kind {
            KeptKind::Bindings => {
                if let Some(tenant) = self.tenants.get_mut(&tenant) {
                    tenant.office.registrar.take_back(now, &key, &value);
                }
                self.arm_bindings(tenant);
                self.arm_watches(now, tenant);
            }
            KeptKind::Seq => {
                if let Some(tenant) = self.tenants.get_mut(&tenant) {
                    tenant.office.take_seq(&key, &value);
                }
            }
            // The door's facts, and those that have gone to the trunks.
            KeptKind::Ban | KeptKind::Trunk => {}
            KeptKind::Dialog => {
                self.end_orphan(now, &value);
                let over = Kept { tenant, kind, key, value: None, expires: None };
                self.out.push_back(Output::Told(Told::Keep(over)));
            }
        }
    }

    /// Ends a dialog that a dead engine left behind, so that no carrier goes on billing.
    fn end_orphan(&mut self, now: Now, snapshot: &str) {
        let Some((snapshot, login)) = stub::read(snapshot, &self.trunks) else { return };
        let dialog = self.endpoint.restore(now.mono, Key::Orphan, snapshot);
        if let Some(login) = login {
            self.endpoint.set_login(dialog, login);
        }
        let reason = Headers::new().with(sip::HeaderName::Reason, "SIP;cause=500;text=\"The server was restarted\"");
        self.endpoint.bye(now.mono, dialog, reason);
    }

    fn flow_lost(&mut self, now: Now, flow: Flow) {
        self.endpoint.handle_flow_lost(now.mono, flow);
        self.drain_endpoint(now, &Whose::Ours);
        self.trunks.flow_lost(now, flow);
        let tenants: Vec<TenantId> = self.tenants.keys().copied().collect();
        for id in tenants {
            let Some(mut step) = self.step(now, id) else { continue };
            for (extension, binding) in step.office.registrar.flow_lost(flow) {
                let what =
                    ExtensionEvent::Unregistered { address: binding.address(), why: Text::from("connection_lost") };
                step.office.tell_extension(now, &extension, what, step.out);
                keep_bindings(&mut step, &extension, false);
            }
        }
    }

    fn expire_bindings(&mut self, now: Now, tenant: TenantId, extension: &str) {
        let Some(mut step) = self.step(now, tenant) else { return };
        let expired = step.office.registrar.expire(now.mono, extension);
        for binding in &expired {
            let what = ExtensionEvent::Unregistered { address: binding.address(), why: Text::from("expired") };
            step.office.tell_extension(now, extension, what, step.out);
        }
        if !expired.is_empty() {
            keep_bindings(&mut step, extension, false);
        }
        self.arm_bindings(tenant);
    }

    fn arm_bindings(&mut self, id: TenantId) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        for (extension, at) in tenant.office.registrar.take_unarmed() {
            self.wheel.set(at, Timer::Bindings(id, extension));
        }
    }

    /// It is the turn of a phone behind NAT.
    fn ask_phone(&mut self, now: Now, id: TenantId, watch: WatchId) {
        let (Some(every), Some(mut step)) = (self.nat_keepalive, self.step(now, id)) else { return };
        if ask_phone(&mut step, watch) {
            self.wheel.set(now.mono + every, Timer::KeepAlive(id, watch));
        }
        self.arm_bindings(id);
    }

    fn arm_watches(&mut self, now: Now, id: TenantId) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        let fresh = tenant.office.registrar.take_unwatched();
        let Some(every) = self.nat_keepalive else { return };
        for First { watch, part } in fresh {
            self.wheel.set(now.mono + every.mul_f64(part), Timer::KeepAlive(id, watch));
        }
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
        Some(Step {
            now,
            office: &mut self.tenants.get_mut(&tenant)?.office,
            endpoint: &mut self.endpoint,
            sounds: &mut self.sounds,
            trunks: &mut self.trunks,
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
        live.call.story.flush(id, &mut self.out);
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        if live.call.is_over() {
            if let Some((_, timer)) = live.armed {
                self.wheel.cancel(timer);
            }
            self.close(now, id, live.call);
            return;
        }
        let call = live.call.id;
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
    }

    /// Keeps of a call that is over what there is still to tell.
    fn close(&mut self, now: Now, id: TenantId, call: Call) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        let name = call.id;
        let mut closing = Closing::new(now, call);
        if self.sounds.unmeasured(id, name) == 0 {
            closing.tell_sound(now, id, &mut self.out);
            self.sounds.forget(id, name);
        } else {
            self.wheel.set(closing.give_up_at, Timer::Closing(id, name));
        }
        if !closing.is_done() {
            tenant.closing.insert(name, closing);
        }
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
