//! Plays a shape in a world.

use std::time::Duration;

use model::{Extension, Route, TenantSettings, TransferMode};
use sip::Transport;

use super::floor::says;
use super::{Given, Shape, Step, tell_calls};
use crate::world::verbs::reply_words;
use crate::world::{Fate, World};

impl World {
    /// Plays a shape in a fresh world, until everything has come to its end; gives its story.
    pub fn run_shape(shape: &Shape) -> String {
        let mut world = World::new(1);
        for given in &shape.givens {
            world.prepare(given);
        }
        world.run(0.5);
        let start = world.now;
        let mut orders = Vec::new();
        for (at, step) in &shape.steps {
            world.run_until(start + *at);
            world.play(step, &mut orders);
        }
        if shape.givens.contains(&Given::Stalled) {
            world.storage_flows();
        }
        world.settle();
        let replies = orders.iter().filter_map(|ticket| world.reply(*ticket));
        let mut story: String = replies.map(|reply| format!("-> {}\n", reply_words(reply))).collect();
        if !story.is_empty() {
            story.push('\n');
        }
        let calls = world.rows(1).map(|rows| tell_calls(&rows.events)).unwrap_or_default();
        story.push_str(if calls.is_empty() { "= no call\n" } else { &calls });
        world.end();
        story
    }

    fn prepare(&mut self, given: &Given) {
        match given {
            Given::Silent(who) => self.is_silent(who),
            Given::Offline(who) => self.unregisters(who),
            Given::Speaks(who, number, codec) => self.speaks_only(who, &[(*number, codec)]),
            Given::EarlySound(who) => self.phone(who).manner.early_sound = true,
            Given::NeverAcks(who) => self.phone(who).never_acks = true,
            Given::TwoPhones(who) => {
                let second = format!("{who}b");
                self.add_phone(&second, 1, who, Transport::Udp);
                self.registers(&second);
            }
            Given::Recorded(who) => self.extension(who, |extension| extension.record = true),
            Given::Lines(who, lines) => self.extension(who, |extension| extension.lines = *lines),
            Given::Rings(who, seconds) => self.settings(|settings| match settings.groups.get_mut(who) {
                Some(group) => group.ring_seconds = *seconds,
                None => extension(settings, who).ring_seconds = *seconds,
            }),
            Given::Members(group, members) => self.group(group, |group| group.members = members.clone()),
            Given::Strategy(group, strategy) => self.group(group, |group| group.strategy = *strategy),
            Given::NumberReaches(to) => {
                self.number_reaches(route(to));
                if to == "prompt" {
                    self.makes_prompts();
                }
            }
            Given::NumberAsks => self.number_asks_the_crm(),
            Given::CrmRoutes(to) => self.crm_routes_to(to),
            Given::CrmFails => self.crm_fails("connection refused"),
            Given::CrmSilent => self.crm_is_silent(),
            Given::CrmTakes(time) => self.crm_takes(time.as_secs_f64()),
            Given::CallsLast(seconds) => self.settings(|settings| settings.limits.max_call_seconds = *seconds),
            Given::Calls(count) => self.settings(|settings| settings.limits.concurrent_calls = *count),
            Given::Channels(count) => self.settings(|settings: &mut TenantSettings| {
                settings.trunks[0].max_calls = *count;
            }),
            Given::Stalled => self.storage_stalls(),
            Given::CommitsTake(time) => self.commits_take(time.as_secs_f64()),
            Given::Refused => self.storage_refuses(),
            Given::NoRingBack => self.settings(|settings| settings.transfer_ring_back = false),
            Given::NoRinging(who) => self.phone(who).manner.rings_after = None,
            Given::Router(who) => {
                self.behind_a_router(who);
                self.registers(who);
            }
            Given::SecondCarrier(who) => self.add_second_carrier(who),
            Given::Cause(who, cause) => self.phone(who).cause = Some(*cause),
            Given::Silence(seconds) => self.settings(|settings| settings.limits.silence_seconds = *seconds),
            Given::Floor(setup) => self.set_up(setup),
            Given::Queue(setup) => self.set_up_queue(setup),
            Given::Lost(title, who) => self.next_from(who, title, Fate::Lost),
            Given::Late(by, title, who) => self.next_from(who, title, Fate::Late(*by)),
        }
    }

    fn play(&mut self, step: &Step, orders: &mut Vec<model::Ticket>) {
        match step {
            Step::Calls(who, number) => self.calls(who, number),
            Step::CallsAs(who, number, user) => self.calls_as(who, user, number),
            Step::Answers(who) => self.answers(who),
            Step::Refuses(who, status) => self.refuses(who, *status),
            Step::HangsUp(who) => self.hangs_up(who),
            Step::Holds(who) => self.holds(who),
            Step::Resumes(who) => self.resumes(who),
            Step::Presses(who, key) => self.presses(who, *key),
            Step::Redirects(who, whom) => self.redirects(who, whom),
            Step::Refers(who, whom) => self.refers(who, whom),
            Step::Moves(who) => {
                self.moves(who);
                self.registers(who);
                self.resumes(who);
            }
            Step::RouterRestarts(who) => self.restarts_router(who),
            Step::Vanishes(who) => self.unplug(who),
            Step::Returns(who) => self.plug_in(who),
            Step::Dials(extension, number) => orders.push(self.clicks(extension, number)),
            Step::Orders(extension, number, key) => orders.push(self.orders_once(extension, number, key)),
            Step::CrmRoutes(to) => self.crm_routes_to(to),
            Step::CrmAnswers(to) => self.crm_answers(to),
            Step::NumberReaches(to) => self.number_reaches(route(to)),
            Step::SignsOut(who) => self.unregisters(who),
            Step::SignsIn(who) => self.registers(who),
            Step::ClientHangsUp => orders.push(self.orders_hang_up()),
            Step::EndsConsultation => orders.push(self.hangs_up_consultation()),
            Step::Transfers(who, to, TransferMode::Blind) => orders.push(self.transfers(who.as_deref(), to)),
            Step::Transfers(who, to, TransferMode::Attended) => {
                orders.push(self.transfers_attended(who.as_deref(), to));
            }
            Step::OrdersHold(who) => orders.push(self.orders_hold(who.as_deref())),
            Step::OrdersResume(who) => orders.push(self.orders_resume(who.as_deref())),
            Step::OrdersMute(who, muted) => orders.push(self.orders_mute(who.as_deref(), *muted)),
            Step::OrdersKeys(who, keys) => orders.push(self.orders_keys(Some(who), keys)),
            Step::OrdersSound(who, sound, seconds) => {
                orders.push(self.orders_sound(who.as_deref(), *sound, *seconds));
            }
            Step::OrdersRecording(action) => orders.push(self.orders_recording(*action)),
            Step::Agent(agent, action) => orders.push(self.orders_agent(agent, action)),
            Step::Drains => self.drain_calls(),
            Step::EndsAll => self.end_all(),
            Step::Dies => self.crash(),
            Step::Starts => self.restart(),
        }
        // What it sets off at once happens before the next step of the same moment.
        self.run_until(self.now + Duration::from_millis(1));
    }

    fn extension(&mut self, number: &str, change: impl FnOnce(&mut Extension)) {
        self.settings(|settings| change(extension(settings, number)));
    }

    fn group(&mut self, number: &str, change: impl FnOnce(&mut model::Group)) {
        self.settings(|settings| {
            let group = settings.groups.get_mut(number);
            change(group.unwrap_or_else(|| panic!("there is no group {number}")));
        });
    }
}

pub(super) fn extension<'a>(settings: &'a mut TenantSettings, number: &str) -> &'a mut Extension {
    settings.extensions.get_mut(number).unwrap_or_else(|| panic!("there is no extension {number}"))
}

/// Where a number leads that shapes write like this: 6… is a group, 7… a queue, 0… a public number, `mailbox-102` a
/// mailbox, `prompt` a prompt, and any other word a menu.
pub(super) fn route(to: &str) -> Route {
    if let Some(extension) = to.strip_prefix("mailbox-") {
        return Route::Voicemail(extension.into());
    }
    match to.chars().next() {
        Some('6') => Route::Group(to.into()),
        Some('7') => Route::Queue(to.into()),
        Some('0') => Route::Outside(to.into()),
        Some('1'..='9') => Route::Extension(to.into()),
        _ if to == "prompt" => Route::Play(says("a prompt")),
        _ => Route::Menu(to.into()),
    }
}
