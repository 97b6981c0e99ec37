//! A call and the stage it is at: what the engine's table holds.

use std::time::Instant;

use model::{CallId, Command, EndedBy, Party, Reason, Reply};

use sip::TimerId;

use crate::arrivals::PickUp;
use crate::call::orders::Order;
use crate::call::stages::Stage;
use crate::call::{Call, NewLeg};
use crate::edge::Answer;
use crate::floor::Wake;
use crate::key::LegIndex;
use crate::lines::sip::{Peer, SipLine};
use crate::lines::{End, LegNews, Line};
use crate::step::Step;

/// One live call.
#[derive(Debug)]
pub struct Live {
    /// Legs and story.
    pub call: Call,
    /// What it does.
    stage: Stage,
    /// The entry in the engine's timers, and when it is due.
    pub armed: Option<(Instant, TimerId)>,
    /// The name besides its key under which the engine's table finds it.
    pub listed_as: Option<CallId>,
}

impl Live {
    /// A call at its first stage.
    pub fn new(call: Call, stage: Stage) -> Self {
        Self { call, stage, armed: None, listed_as: None }
    }

    /// A leg tells something. News of legs that are over changes nothing.
    pub fn on_news(&mut self, step: &mut Step<'_>, leg: LegIndex, news: LegNews) {
        if self.call.is_live(leg) {
            self.advance(|stage, call| stage.on_news(call, step, leg, news));
        }
    }

    /// A client orders something of the call, or of its consultation. Gets exactly one reply.
    pub fn on_order(&mut self, step: &mut Step<'_>, order: Order) {
        if let Command::HangUp { call } = order.command
            && call == self.call.id
        {
            order.reply(&mut self.call, Ok(Reply::HungUp { call }));
            return self.end(step, Reason::Commanded);
        }
        self.advance(|stage, call| stage.on_order(call, step, order));
    }

    /// Whether clients know it by this id.
    pub fn is_named(&self, id: CallId) -> bool {
        self.call.id == id || self.call.consultation() == Some(id)
    }

    /// The id other than its key by which clients know it too.
    pub fn other_name(&self) -> Option<CallId> {
        self.call.consultation().or((self.call.id != self.call.key()).then_some(self.call.id))
    }

    /// Its time has come.
    pub fn on_timeout(&mut self, step: &mut Step<'_>) {
        if self.poll_timeout().is_some_and(|at| at <= step.now.mono) {
            self.advance(|stage, call| stage.on_timeout(call, step));
        }
    }

    /// A leg that rings at an extension of which this is so, and that somebody else may take.
    pub fn rings(&self, is_it: impl Fn(&str) -> bool) -> Option<LegIndex> {
        let mut rung = self.stage.ringing()?.rung();
        rung.find(|leg| self.call.leg(*leg).party.extension().is_some_and(&is_it))
    }

    /// Somebody takes the call in the place of one whom it rings. One who cannot be connected is refused, and the others
    /// ring on.
    pub fn pick_up(&mut self, step: &mut Step<'_>, from: LegIndex, pick_up: PickUp) {
        let PickUp { extension, uses, incoming, .. } = pick_up;
        let key = match self.call.next_leg() {
            Ok(key) => key,
            Err(reason) => {
                step.free(&uses);
                let response = incoming.request.response(reason.sip());
                return step.endpoint.answer_stateless(&incoming, response);
            }
        };
        let peer = Peer::phone(incoming.flow.remote.ip());
        let Ok((line, trouble)) = SipLine::accept(step, key, self.call.worker(), incoming, peer) else {
            return step.free(&uses);
        };
        let (side, line) = (self.call.leg(from).side, Line::Sip(line));
        let party = Party::Extension { number: extension };
        let leg = self.call.begin_leg(step, NewLeg { side, party, caller: true, uses, line });
        match trouble.map_or_else(|| self.call.answer_caller(step, leg).map_err(End::from), Err) {
            Ok(()) => self.advance(|stage, call| stage.pick_up(call, step, leg, from)),
            Err(end) => self.call.refuse_leg(step, leg, end),
        }
    }

    /// The answer to a question that it asked.
    pub fn on_answer(&mut self, step: &mut Step<'_>, answer: Answer) {
        self.advance(|stage, call| stage.on_answer(call, step, answer));
    }

    /// Another call, or what the tenant's calls share, has something for it.
    pub fn on_wake(&mut self, step: &mut Step<'_>, wake: Wake) {
        self.advance(|stage, call| stage.on_wake(call, step, wake));
    }

    /// Somebody above ends it.
    pub fn end(&mut self, step: &mut Step<'_>, reason: Reason) {
        self.advance(|stage, call| stage.end(call, step, reason));
    }

    /// A bug of ours stopped a step half-way: every leg is ended, and the last event says so.
    pub fn abandon(&mut self, step: &mut Step<'_>) {
        self.stage = Stage::Over;
        self.call.finish(step, Reason::Internal.into(), EndedBy::Switchboard);
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.stage.poll_timeout()
    }

    fn advance(&mut self, step: impl FnOnce(Stage, &mut Call) -> Stage) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        self.stage = step(stage, &mut self.call);
    }
}
