//! An attended transfer: the customer hears music while whoever transfers asks the target, in a call of its own.
//!
//!   Ringing ──answer──► Talking ──the agent hangs up──► Talk of customer and target
//!      │                   └──the customer hangs up──► Talk of agent and target
//!      ├──the agent hangs up──► Transfer
//!      └──failure, or the target hangs up──► Talk of agent and customer

use std::time::Instant;

use media::Sound;
use model::{CallEvent, Command, Direction, EndedBy, Party, Problem, Reason, Reply, Text, TransferMode};

use super::transfer::{Giving, Transfer, refused};
use super::{Stage, Talk};
use crate::call::Call;
use crate::call::hunt::{Heard, Hunt};
use crate::call::orders::{Order, acting, not_now};
use crate::call::pair::Pair;
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews};
use crate::ring;
use crate::routing::{self, Lead};
use crate::step::Step;

/// A customer who waits while somebody else is asked.
#[derive(Debug)]
pub struct Consult {
    customer: LegIndex,
    /// Who transfers.
    agent: LegIndex,
    /// No call is longer than the tenant allows.
    end_at: Instant,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Ringing(Hunt),
    Talking(Pair),
}

impl Consult {
    /// Asks the target by a client's order. What is known beforehand to be impossible is refused, and nothing changes.
    pub fn begin(mut talk: Talk, call: &mut Call, step: &mut Step<'_>, order: Order) -> Stage {
        let Command::Transfer(transfer) = &order.command else { return Stage::Talk(talk) };
        match Self::ring(&talk.pair, call, step, transfer) {
            Ok((giving, hunt)) => {
                let reply = Reply::Transferring { call: call.id, consultation: call.consultation() };
                order.reply(call, Ok(reply));
                let Giving { by: agent, staying: customer } = giving;
                call.part(step, agent);
                talk.pair.leave(call, step);
                call.set_recording_aside(step, true);
                call.play(step, customer, Sound::Music);
                call.play(step, agent, Sound::Ringback);
                Stage::Consult(Self { customer, agent, end_at: talk.end_at, phase: Phase::Ringing(hunt) })
            }
            Err(problem) => {
                order.reply(call, Err(problem));
                Stage::Talk(talk)
            }
        }
    }

    /// A leg tells something.
    pub fn on_news(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        if leg == self.customer {
            return match news {
                LegNews::Gone(gone) => self.customer_left(call, step, gone),
                news => {
                    note(call, step, leg, &news);
                    Stage::Consult(self)
                }
            };
        }
        match &mut self.phase {
            Phase::Ringing(_) if leg == self.agent => match news {
                LegNews::Gone(gone) => self.agent_left(call, step, gone),
                news => {
                    note(call, step, leg, &news);
                    Stage::Consult(self)
                }
            },
            Phase::Ringing(hunt) => {
                let heard = hunt.on_news(call, step, leg, news);
                self.heard(call, step, heard)
            }
            Phase::Talking(pair) => match pair.on_news(call, step, leg, news) {
                Some(LegNews::Gone(gone)) if leg == self.agent => self.agent_left(call, step, gone),
                Some(LegNews::Gone(gone)) => {
                    let by = if gone.by_party { call.ends_as(leg) } else { EndedBy::Switchboard };
                    call.leg_gone(step, leg, gone);
                    self.back(call, step, gone.end, by)
                }
                Some(LegNews::Silent) if leg == self.agent => {
                    call.drop_leg(step, leg, Reason::Silent.into());
                    self.complete(call, step, EndedBy::Switchboard)
                }
                Some(LegNews::Silent) => self.back(call, step, Reason::Silent.into(), EndedBy::Switchboard),
                _ => Stage::Consult(self),
            },
        }
    }

    /// A client orders something: of the customer's call, or of the consultation.
    pub fn on_order(mut self, call: &mut Call, step: &mut Step<'_>, order: Order) -> Stage {
        let is_of_consultation = order.call() == call.consultation();
        match (&order.command, &mut self.phase) {
            (Command::HangUp { call: id }, _) => {
                let reply = Reply::HungUp { call: *id };
                order.reply(call, Ok(reply));
                self.back(call, step, Reason::Commanded.into(), EndedBy::Switchboard)
            }
            (Command::Resume { leg, .. }, _) => {
                // Only whoever transfers has somebody to take back.
                let taken = acting(call, &[self.agent], leg).map(drop);
                let is_back = taken.is_ok();
                order.done(call, taken);
                if !is_back {
                    return Stage::Consult(self);
                }
                self.back(call, step, Reason::Commanded.into(), EndedBy::Switchboard)
            }
            (Command::Record { action, .. }, _) => {
                let done = call.order_recording(step, *action, None).map_err(|why| not_now(call, why));
                order.done(call, done);
                Stage::Consult(self)
            }
            (Command::Mute { .. } | Command::PressKeys { .. } | Command::Play { .. }, Phase::Talking(pair))
                if is_of_consultation =>
            {
                if let Some(order) = pair.on_order(call, step, order) {
                    order.not_now(call, BUSY);
                }
                Stage::Consult(self)
            }
            _ => {
                order.not_now(call, BUSY);
                Stage::Consult(self)
            }
        }
    }

    /// A time has come that [`Consult::poll_timeout`] named.
    pub fn on_timeout(mut self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono >= self.end_at {
            let end = End::from(Reason::TooLong);
            self.give_up(call, step, end);
            call.finish(step, end, EndedBy::Switchboard);
            return Stage::Over;
        }
        match &mut self.phase {
            Phase::Ringing(hunt) => {
                let heard = hunt.on_timeout(call, step);
                self.heard(call, step, heard)
            }
            Phase::Talking(pair) => {
                pair.on_timeout(call, step);
                Stage::Consult(self)
            }
        }
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        let next = match &self.phase {
            Phase::Ringing(hunt) => hunt.poll_timeout(),
            Phase::Talking(pair) => pair.poll_timeout(),
        };
        next.map_or(self.end_at, |at| at.min(self.end_at))
    }

    /// The call ends before the customer was given away: the consultation does too, and the attempt has failed.
    pub fn give_up(&mut self, call: &mut Call, step: &mut Step<'_>, end: End) {
        let sip = self.stop(call, step, end);
        call.end_consultation(step, end.with_sip(sip), EndedBy::Switchboard);
        self.tell_failed(call, step, end.with_sip(sip));
    }

    /// Rings the target on behalf of whoever transfers. Nothing is told of a consultation that cannot even do that.
    fn ring(
        pair: &Pair,
        call: &mut Call,
        step: &mut Step<'_>,
        transfer: &model::Transfer,
    ) -> Result<(Giving, Hunt), Problem> {
        let giving = Giving::of(call, pair, transfer)?;
        let settings = call.settings.clone();
        let dialled = transfer.to.as_str();
        let refused = |reason| refused(dialled, reason);
        let to = routing::lead::inside(&settings, step.now.wall, dialled).and_then(Lead::rung).map_err(refused)?;
        giving.check(call, &to.party())?;
        let urgency = routing::urgency(&settings, dialled);
        step.office.limits.start_call(step.now.mono, &settings, urgency).map_err(refused)?;
        let leg = call.leg(giving.by);
        let (id, side) = (leg.id, leg.side);
        let (direction, did) = match to.party() {
            Party::Outside { .. } => {
                let number = ring::caller_id(&settings, leg.party.extension());
                (Direction::Outbound, number.map(|number| Text::from(number.international())))
            }
            _ => (Direction::Local, None),
        };
        let consultation = call.begin_consultation(step, giving.by, direction, to.party(), did);
        let hunt = Hunt::start(call, step, giving.by, side, &to).map_err(|reason| {
            call.forget_consultation(step);
            refused(reason)
        })?;
        let mode = TransferMode::Attended;
        let transferring = CallEvent::Transferring { leg: id, to: to.party(), mode, consultation: Some(consultation) };
        call.story.tell(step.now.wall, transferring);
        Ok((giving, hunt))
    }

    fn heard(mut self, call: &mut Call, step: &mut Step<'_>, heard: Heard) -> Stage {
        match heard {
            Heard::Nothing => {}
            Heard::Rings { leg, early } => call.let_hear(step, self.agent, leg, early),
            Heard::Answered { leg, .. } => {
                call.stop_playing(step, self.agent);
                call.consultation_connected(step, self.agent, leg);
                self.phase = Phase::Talking(Pair::again(call, step, self.agent, leg));
            }
            Heard::Failed(end, by) => return self.back(call, step, end, by),
        }
        Stage::Consult(self)
    }

    /// Whoever transfers has hung up: that gives the customer away, to whoever has answered or still rings.
    fn agent_left(self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { EndedBy::Agent } else { EndedBy::Switchboard };
        call.leg_gone(step, self.agent, gone);
        self.complete(call, step, by)
    }

    fn complete(self, call: &mut Call, step: &mut Step<'_>, by: EndedBy) -> Stage {
        let giving = Giving { by: self.agent, staying: self.customer };
        call.transferred_by = call.leg(self.agent).party.extension().map(str::to_owned);
        match self.phase {
            Phase::Ringing(hunt) => {
                call.merge_consultation(step, by);
                call.set_recording_aside(step, false);
                Transfer::go_on(call, step, giving, hunt, self.end_at)
            }
            Phase::Talking(mut pair) => {
                let target = pair.other(self.agent);
                pair.leave(call, step);
                call.merge_consultation(step, by);
                call.stop_playing(step, self.customer);
                call.connect(step, self.customer, target);
                call.set_recording_aside(step, false);
                let (leg, target_leg) = (call.leg(self.agent).id, call.leg(target).id);
                let done = CallEvent::Transferred { leg, target: target_leg, mode: TransferMode::Attended };
                call.story.tell(step.now.wall, done);
                call.identify(step, self.customer, target);
                call.identify(step, target, self.customer);
                Stage::Talk(Talk::go_on(call, step, self.customer, target, self.end_at))
            }
        }
    }

    /// The target is not to be had, or is not wanted any more: whoever transfers has the customer back.
    fn back(mut self, call: &mut Call, step: &mut Step<'_>, end: End, by: EndedBy) -> Stage {
        let sip = self.stop(call, step, end);
        call.end_consultation(step, end.with_sip(sip), by);
        self.tell_failed(call, step, end.with_sip(sip));
        call.stop_playing(step, self.agent);
        call.stop_playing(step, self.customer);
        call.join(step, self.agent, self.customer);
        call.set_recording_aside(step, false);
        Stage::Talk(Talk::go_on(call, step, self.agent, self.customer, self.end_at))
    }

    /// The customer has hung up. Those who talk go on; where nobody has answered, there is nothing more to ask.
    fn customer_left(mut self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { call.ends_as(self.customer) } else { EndedBy::Switchboard };
        call.leg_gone(step, self.customer, gone);
        match self.phase {
            Phase::Ringing(_) => {
                self.give_up(call, step, Reason::Cancelled.into());
                call.finish(step, gone.end, by);
                Stage::Over
            }
            Phase::Talking(pair) => {
                let leg = call.leg(self.agent).id;
                let End { reason, sip, .. } = End::from(Reason::Cancelled);
                call.story.tell(step.now.wall, CallEvent::TransferFailed { leg, reason, sip });
                call.go_on_as_consultation(step, gone.end, by);
                Stage::Talk(Talk { pair, end_at: self.end_at })
            }
        }
    }

    /// Nobody is rung any more, and nobody is talked with. Gives the status that says how the consultation ended.
    fn stop(&mut self, call: &mut Call, step: &mut Step<'_>, end: End) -> u16 {
        match &mut self.phase {
            Phase::Ringing(hunt) => {
                let sip = if end.sip < 300 { 487 } else { end.sip };
                hunt.stop(call, step, end.with_sip(sip));
                sip
            }
            Phase::Talking(pair) => {
                pair.leave(call, step);
                200
            }
        }
    }

    fn tell_failed(&self, call: &mut Call, step: &Step<'_>, End { reason, sip, .. }: End) {
        let leg = call.leg(self.agent).id;
        call.story.tell(step.now.wall, CallEvent::TransferFailed { leg, reason, sip });
    }
}

/// Why most orders have to wait.
const BUSY: &str =
    "Somebody is being asked before the customer is transferred: resume, hang up the consultation, or wait.";

/// What a leg that waits does is told, and changes nothing.
fn note(call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: &LegNews) {
    match news {
        LegNews::Held => call.leg_held(step, leg),
        LegNews::Resumed => call.leg_resumed(step, leg),
        LegNews::Key(key) => call.leg_key(step, leg, *key),
        _ => {}
    }
}
