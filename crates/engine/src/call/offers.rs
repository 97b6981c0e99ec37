//! Agents who are rung for a caller of a queue, each for so long: until one answers or none is left.
//!
//! An agent's phone that passes the call on does not take it: the queue reaches its agents and nobody else.

use std::time::{Duration, Instant};

use model::{CallEvent, Codec, Reason, Side};

use super::Call;
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews};
use crate::ring;
use crate::step::Step;

/// Legs of agents that ring.
#[derive(Debug)]
pub struct Offers {
    queue: String,
    /// How long each rings.
    each: Duration,
    /// After so many misses an agent is paused.
    most_misses: u32,
    ringing: Vec<Offer>,
}

#[derive(Debug)]
struct Offer {
    leg: LegIndex,
    agent: String,
    until: Instant,
}

/// What has become of the agents who ring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Offered {
    /// Nothing that the caller would notice.
    Nothing,
    /// An agent's phone rings.
    Rings,
    /// An agent answered. Nobody else is rung any more.
    Answered {
        /// Whose leg. Told already.
        leg: LegIndex,
        /// What it speaks.
        codec: Codec,
        /// The extension.
        agent: String,
    },
}

impl Offers {
    /// Nobody rings.
    pub fn of(queue: &model::Queue) -> Self {
        Self {
            queue: queue.number.clone(),
            each: Duration::from_secs(queue.ring_seconds.into()),
            most_misses: queue.misses_before_pause,
            ringing: Vec::new(),
        }
    }

    /// Rings an agent for `caller`. One who cannot be rung is left alone for a while.
    pub fn ring(&mut self, call: &mut Call, step: &mut Step<'_>, caller: LegIndex, agent: &str) {
        let settings = step.office.settings.clone();
        let rung = match settings.extensions.get(agent) {
            Some(extension) if !call.has(agent) => ring::extension(call, step, caller, Side::Agent, extension),
            _ => Err(Reason::Offline),
        };
        let Ok(ring) = rung else {
            step.office.floor.failed(step.now.mono, call.key(), agent);
            return;
        };
        self.ringing.push(Offer { leg: ring.leg, agent: agent.to_owned(), until: step.now.mono + self.each });
        let offered = CallEvent::Offered { queue: self.queue.clone(), leg: call.leg(ring.leg).id };
        call.story.tell(step.now.wall, offered);
    }

    /// A leg tells something. News of others than those that ring changes nothing.
    pub fn on_news(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Offered {
        if !self.ringing.iter().any(|offer| offer.leg == leg) {
            return Offered::Nothing;
        }
        match news {
            LegNews::Ringing { early } => {
                call.leg_rings(step, leg, early.is_some());
                Offered::Rings
            }
            LegNews::Answered { codec } => self.answered(call, step, leg, codec),
            LegNews::Redirected { .. } => {
                let end = End::from(Reason::Redirected);
                call.leg_gone(step, leg, Gone { end, by_party: true });
                self.missed(call, step, leg, Reason::Redirected);
                Offered::Nothing
            }
            LegNews::Gone(gone) => {
                call.leg_gone(step, leg, gone);
                self.missed(call, step, leg, gone.end.reason);
                Offered::Nothing
            }
            _ => Offered::Nothing,
        }
    }

    /// Those who rang long enough are given up.
    pub fn on_timeout(&mut self, call: &mut Call, step: &mut Step<'_>) {
        let now = step.now.mono;
        let late: Vec<LegIndex> =
            self.ringing.iter().filter(|offer| offer.until <= now).map(|offer| offer.leg).collect();
        for leg in late {
            let end = call.unanswered(leg, Reason::NoAnswer);
            call.drop_leg(step, leg, end);
            self.missed(call, step, leg, end.reason);
        }
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.ringing.iter().map(|offer| offer.until).min()
    }

    /// Nobody is rung any more.
    pub fn stop(&mut self, call: &mut Call, step: &mut Step<'_>, end: End) {
        for offer in std::mem::take(&mut self.ringing) {
            call.drop_leg(step, offer.leg, end);
        }
    }

    fn answered(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, codec: Codec) -> Offered {
        call.leg_answered(step, leg);
        let Some(at) = self.ringing.iter().position(|offer| offer.leg == leg) else { return Offered::Nothing };
        let Offer { agent, .. } = self.ringing.remove(at);
        self.stop(call, step, End { elsewhere: true, ..Reason::AnsweredElsewhere.into() });
        Offered::Answered { leg, codec, agent }
    }

    fn missed(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, reason: Reason) {
        for offer in self.ringing.extract_if(.., |offer| offer.leg == leg) {
            step.office.floor.missed(step.now, call.key(), &offer.agent, self.most_misses);
            let missed = CallEvent::OfferMissed { queue: self.queue.clone(), leg: call.leg(leg).id, reason };
            call.story.tell(step.now.wall, missed);
        }
    }
}
