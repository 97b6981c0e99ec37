//! A click-to-call whose order has a key (readings 18): the agent's phone is rung once the call is stored, and with it that
//! the key has had its call. A crash before that leaves a key that is free and a phone that has not rung; a crash after it a
//! key that is answered. So however often the order comes, no phone rings twice for it.
//!
//!   Claimed ──stored──► Click
//!      └──refused, late, ended──► Over

use std::time::{Duration, Instant};

use model::{ClaimedKey, DialAnswer, EndedBy, Language, Originate, Problem, Reason, Reply, Ticket};

use super::{Click, Stage};
use crate::call::Call;
use crate::edge::Answer;
use crate::limits::Uses;
use crate::lines::End;
use crate::questions::Full;
use crate::ring;
use crate::step::Step;

/// How long the phone waits for the store. One that takes longer than two seconds has no new calls ordered of it.
const STORED_WITHIN: Duration = Duration::from_secs(3);

/// A call that is told, and of which nobody knows whether it is stored.
#[derive(Debug)]
pub struct Claimed {
    order: Originate,
    /// The client waits for its reply.
    ticket: Ticket,
    /// Then the call is given up.
    stored_by: Instant,
}

impl Claimed {
    /// Waits for the batch that begins the call. The agent's line is taken meanwhile.
    pub fn wait(
        call: &mut Call,
        step: &mut Step<'_>,
        claim: ClaimedKey,
        order: Originate,
        ticket: Ticket,
    ) -> Result<Self, Reason> {
        call.reserve(step, Uses::Line(order.from.clone()))?;
        let awaited = step.ids.ticket();
        if let Err(Full) = step.questions.open(awaited, call.settings.id, call.key()) {
            call.release(step);
            return Err(Reason::Limit);
        }
        call.story.answers(claim, awaited);
        Ok(Self { order, ticket, stored_by: step.now.mono + STORED_WITHIN })
    }

    /// The store has taken the call, or has refused it.
    pub fn on_answer(self, call: &mut Call, step: &mut Step<'_>, answer: Answer) -> Stage {
        if answer == Answer::Stored {
            return self.ring(call, step);
        }
        let reason = Reason::Internal;
        let detail = format!("The order cannot be stored, and no phone rang. {}", reason.sentence(Language::En));
        call.story.reply(self.ticket, Err(Problem::refused(reason, detail)));
        call.finish(step, reason.into(), EndedBy::Switchboard);
        Stage::Over
    }

    /// The store is late: nobody knows whether it will have the call, so the phone must not ring.
    pub fn on_timeout(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono < self.stored_by {
            return Stage::Claimed(self);
        }
        step.questions.forget(call.settings.id, call.key());
        self.fail(call, step, Reason::StorageStalled)
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        self.stored_by
    }

    /// The call is ended from above: whoever waits for a reply gets it.
    pub fn give_up(self, call: &mut Call, End { reason, sip, .. }: End) {
        let reply = match self.order.answer {
            // It reaches the client once the call is stored: then the call was accepted, and so is every repetition.
            DialAnswer::WhenAccepted => Ok(Reply::Originated { call: call.id, leg: call.id.first_leg() }),
            DialAnswer::WhenPhoneResponds => {
                let sentence = reason.sentence(Language::En);
                let detail = format!("Extension {} was not called. {sentence}", self.order.from);
                Err(Problem::CallFailed { reason, sip: Some(sip), call: Some(call.id), detail })
            }
        };
        call.story.reply(self.ticket, reply);
    }

    fn ring(self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        call.release(step);
        let settings = call.settings.clone();
        let extension = settings.extensions.get(&self.order.from).ok_or(Reason::Offline);
        match extension.and_then(|extension| ring::agent_of_click(call, step, extension, &self.order)) {
            Ok(rung) => Stage::Click(Click::of(call, step, rung.leg, self.order, self.ticket, rung.patience)),
            Err(reason) => self.fail(call, step, reason),
        }
    }

    fn fail(self, call: &mut Call, step: &mut Step<'_>, reason: Reason) -> Stage {
        self.give_up(call, reason.into());
        call.finish(step, reason.into(), EndedBy::Switchboard);
        Stage::Over
    }
}
