//! A click-to-call: the agent's phone rings first, then the customer is dialled (readings 7).
//!
//!   RingingAgent ──answer──► RingingCustomer ──answer──► Talk
//!                                   └──refusal──► Tone ──► Over

use std::time::{Duration, Instant};

use media::Sound;
use model::{DialAnswer, EndedBy, Originate, Problem, Reason, Reply, Side, Ticket};

use super::{Stage, Talk};
use crate::call::Call;
use crate::call::hunt::{Heard, Hunt};
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews};
use crate::routing;
use crate::step::Step;

/// A phone that does not respond at all within this time counts as offline.
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);

/// How long the agent hears that the customer is busy or refuses.
const TONE_TIME: Duration = Duration::from_secs(3);

/// A call that an API client ordered.
#[derive(Debug)]
pub struct Click {
    agent: LegIndex,
    order: Originate,
    /// The client waits for the phone's first response; None once it has its reply.
    waiting: Option<Ticket>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    RingingAgent { give_up_at: Instant, responded: bool, respond_by: Instant },
    RingingCustomer(Hunt),
    Tone { until: Instant, end: End, by: EndedBy },
}

impl Click {
    /// Waits for the agent, whose phone is being called.
    pub fn of(
        call: &mut Call,
        step: &Step<'_>,
        agent: LegIndex,
        order: Originate,
        ticket: Ticket,
        patience: Duration,
    ) -> Self {
        let now = step.now.mono;
        let phase =
            Phase::RingingAgent { give_up_at: now + patience, responded: false, respond_by: now + RESPONSE_LIMIT };
        let mut click = Self { agent, order, waiting: Some(ticket), phase };
        if click.order.answer == DialAnswer::WhenAccepted {
            click.reply(call, |call, leg| Ok(Reply::Originated { call, leg }));
        }
        click
    }

    /// A leg tells something.
    pub fn on_news(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        match &mut self.phase {
            Phase::RingingAgent { .. } => self.while_agent_rings(call, step, news),
            Phase::RingingCustomer(_) if leg == self.agent => self.while_agent_waits(call, step, news),
            Phase::RingingCustomer(hunt) => {
                let heard = hunt.on_news(call, step, leg, news);
                self.heard(call, step, heard)
            }
            Phase::Tone { end, by, .. } => {
                let (end, by) = (*end, *by);
                if let LegNews::Gone(own) = news {
                    call.leg_gone(step, leg, own);
                    call.finish(step, end, by);
                    return Stage::Over;
                }
                Stage::Click(self)
            }
        }
    }

    /// The time has come that [`Click::poll_timeout`] named.
    pub fn on_timeout(mut self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        let now = step.now.mono;
        match &mut self.phase {
            Phase::RingingAgent { responded: false, respond_by, .. } if now >= *respond_by => {
                self.end_unanswered(call, step, Reason::Unreachable)
            }
            Phase::RingingAgent { give_up_at, .. } if now >= *give_up_at => {
                self.end_unanswered(call, step, Reason::NoAnswer)
            }
            Phase::RingingCustomer(hunt) => {
                let heard = hunt.on_timeout(call, step);
                self.heard(call, step, heard)
            }
            Phase::Tone { until, end, by } if now >= *until => {
                call.finish(step, *end, *by);
                Stage::Over
            }
            Phase::RingingAgent { .. } | Phase::Tone { .. } => Stage::Click(self),
        }
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.phase {
            Phase::RingingAgent { give_up_at, responded: true, .. } => Some(*give_up_at),
            Phase::RingingAgent { give_up_at, respond_by, .. } => Some(*give_up_at.min(respond_by)),
            Phase::RingingCustomer(hunt) => hunt.poll_timeout(),
            Phase::Tone { until, .. } => Some(*until),
        }
    }

    /// The call is ended from above: whoever waits for a reply hears why.
    pub fn give_up(mut self, call: &mut Call, end: End) {
        self.reply_failed(call, end);
    }

    fn while_agent_rings(mut self, call: &mut Call, step: &mut Step<'_>, news: LegNews) -> Stage {
        match news {
            LegNews::Ringing { early } => {
                call.leg_rings(step, self.agent, early.is_some());
                if let Phase::RingingAgent { responded, .. } = &mut self.phase {
                    *responded = true;
                }
                self.reply(call, |call, leg| Ok(Reply::Originated { call, leg }));
                Stage::Click(self)
            }
            // Whoever ordered the call wants to talk at this phone, and at no other.
            LegNews::Redirected { .. } => {
                let gone = Gone { end: Reason::Redirected.into(), by_party: true };
                self.while_agent_rings(call, step, LegNews::Gone(gone))
            }
            LegNews::Answered { .. } => {
                call.leg_answered(step, self.agent);
                self.reply(call, |call, leg| Ok(Reply::Originated { call, leg }));
                self.dial_customer(call, step)
            }
            LegNews::Gone(gone) => {
                let by = if gone.by_party { EndedBy::Agent } else { EndedBy::Switchboard };
                self.reply_failed(call, gone.end);
                call.leg_gone(step, self.agent, gone);
                call.finish(step, gone.end, by);
                Stage::Over
            }
            LegNews::Held
            | LegNews::Resumed
            | LegNews::Key(_)
            | LegNews::Speaks(_)
            | LegNews::Said
            | LegNews::Silent
            | LegNews::AsksTransfer { .. }
            | LegNews::Rerouted { .. } => Stage::Click(self),
        }
    }

    fn while_agent_waits(mut self, call: &mut Call, step: &mut Step<'_>, news: LegNews) -> Stage {
        match news {
            LegNews::Gone(gone) => {
                call.leg_gone(step, self.agent, gone);
                let end = End { cause: gone.end.cause, ..Reason::Cancelled.into() };
                if let Phase::RingingCustomer(hunt) = &mut self.phase {
                    hunt.stop(call, step, end);
                }
                call.finish(step, end, EndedBy::Agent);
                return Stage::Over;
            }
            // Whoever ordered the call is not there to have it.
            LegNews::Silent => {
                call.finish(step, Reason::Silent.into(), EndedBy::Switchboard);
                return Stage::Over;
            }
            // The agent may put the ringing aside; what it then takes back is told too.
            LegNews::Held => call.leg_held(step, self.agent),
            LegNews::Resumed => call.leg_resumed(step, self.agent),
            LegNews::Ringing { .. }
            | LegNews::Answered { .. }
            | LegNews::Key(_)
            | LegNews::Speaks(_)
            | LegNews::Said
            | LegNews::Redirected { .. }
            | LegNews::AsksTransfer { .. }
            | LegNews::Rerouted { .. } => {}
        }
        Stage::Click(self)
    }

    fn heard(mut self, call: &mut Call, step: &mut Step<'_>, heard: Heard) -> Stage {
        match heard {
            Heard::Nothing => {}
            Heard::Rings { leg, early } => call.let_hear(step, self.agent, leg, early),
            Heard::Answered { leg, .. } => {
                call.stop_playing(step, self.agent);
                call.connect(step, self.agent, leg);
                return Stage::Talk(Talk::of(call, step, self.agent, leg));
            }
            Heard::Failed(end, by) => self.play_tone(call, step, end, by),
        }
        Stage::Click(self)
    }

    fn dial_customer(mut self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        let settings = call.settings.clone();
        let hunt = routing::lead::inside(&settings, step.now.wall, self.order.to.as_str())
            .and_then(routing::Lead::rung)
            .and_then(|to| Hunt::start(call, step, self.agent, Side::Customer, &to));
        match hunt {
            Ok(hunt) => {
                call.play(step, self.agent, Sound::Ringback);
                self.phase = Phase::RingingCustomer(hunt);
            }
            Err(reason) => self.play_tone(call, step, reason.into(), EndedBy::Switchboard),
        }
        Stage::Click(self)
    }

    fn play_tone(&mut self, call: &mut Call, step: &mut Step<'_>, end: End, by: EndedBy) {
        call.play(step, self.agent, Sound::Busy);
        self.phase = Phase::Tone { until: step.now.mono + TONE_TIME, end, by };
    }

    fn end_unanswered(mut self, call: &mut Call, step: &mut Step<'_>, silence: Reason) -> Stage {
        let end = call.unanswered(self.agent, silence);
        self.reply_failed(call, end);
        call.drop_leg(step, self.agent, end);
        call.finish(step, end, EndedBy::Switchboard);
        Stage::Over
    }

    fn reply_failed(&mut self, call: &mut Call, End { reason, sip, .. }: End) {
        let extension = self.order.from.clone();
        self.reply(call, |call, _| {
            let sentence = reason.sentence(model::Language::En);
            let detail = format!("Extension {extension} was not reached. {sentence}");
            Err(Problem::CallFailed { reason, sip: Some(sip), call: Some(call), detail })
        });
    }

    fn reply(&mut self, call: &mut Call, reply: impl FnOnce(model::CallId, model::LegId) -> Result<Reply, Problem>) {
        if let Some(ticket) = self.waiting.take() {
            let leg = call.leg(self.agent).id;
            let reply = reply(call.id, leg);
            call.story.reply(ticket, reply);
        }
    }
}
