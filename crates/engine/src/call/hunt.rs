//! Whom a call rings: one extension or number, or the members of a group, until one answers or nobody is left.
//!
//! Tells of the legs that ring and of how they end. Whoever waits for the answer (a caller, an agent, somebody who is being
//! transferred) is the stage's business: it hears in [`Heard`] what has become of the hunt.

mod members;

use std::time::Instant;

use model::{CallEvent, Codec, EndedBy, Reason, Side};

use self::members::Members;
use super::Call;
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews};
use crate::ring::{self, Ring};
use crate::routing::Destination;
use crate::step::Step;

/// Legs that are rung on behalf of somebody in the call.
#[derive(Debug)]
pub struct Hunt {
    on_behalf_of: LegIndex,
    side: Side,
    /// Those that are being rung, and until when.
    legs: Vec<(LegIndex, Instant)>,
    /// Who else is rung, and how; none where one party alone is called.
    members: Option<Members>,
    /// The leg whose sound was last given to whoever waits.
    sounds: Option<LegIndex>,
    /// What speaks for those that did not answer.
    best: Option<(End, EndedBy)>,
}

/// What has become of a hunt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Nothing that whoever waits would notice.
    Nothing,
    /// Somebody rings, or another one than before.
    Rings {
        /// Who.
        leg: LegIndex,
        /// The codec of the sound that whoever waits is to hear. None: our own ringing, in place of what was heard before.
        early: Option<Codec>,
    },
    /// Somebody answered. All others are ended; the hunt is over.
    Answered {
        /// Who. Told already.
        leg: LegIndex,
        /// What it speaks.
        codec: Codec,
    },
    /// Nobody is left. All legs are ended; the hunt is over.
    Failed(End, EndedBy),
}

impl Hunt {
    /// Rings `to` for `on_behalf_of`, with its codecs and under its number; the new legs are on `side`.
    pub fn start(
        call: &mut Call,
        step: &mut Step<'_>,
        on_behalf_of: LegIndex,
        side: Side,
        to: &Destination<'_>,
    ) -> Result<Self, Reason> {
        let mut hunt = Self { on_behalf_of, side, legs: Vec::new(), members: None, sounds: None, best: None };
        hunt.ring(call, step, to)?;
        Ok(hunt)
    }

    /// Whether this leg is one that is being rung.
    pub fn owns(&self, leg: LegIndex) -> bool {
        self.legs.iter().any(|(own, _)| *own == leg)
    }

    /// Those that are being rung.
    pub fn rung(&self) -> impl Iterator<Item = LegIndex> + '_ {
        self.legs.iter().map(|(leg, _)| *leg)
    }

    /// Somebody who was not rung has answered in the place of one who was: all who ring are ended, and the hunt is over.
    pub fn picked_up(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, from: LegIndex) -> Heard {
        let picked_up = CallEvent::PickedUp { leg: call.leg(leg).id, from: call.leg(from).id };
        call.story.tell(step.now.wall, picked_up);
        self.stop(call, step, End { elsewhere: true, ..Reason::AnsweredElsewhere.into() });
        let speaks = call.leg(leg).line.speaks();
        Heard::Answered { leg, codec: speaks.codecs.first().copied().unwrap_or(Codec::Pcma) }
    }

    /// A leg tells something. News of others than its own changes nothing.
    pub fn on_news(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Heard {
        if !self.owns(leg) {
            return Heard::Nothing;
        }
        match news {
            LegNews::Ringing { early } => self.rings(call, step, leg, early),
            LegNews::Answered { codec } => self.answered(call, step, leg, codec),
            LegNews::Redirected { to } => self.redirected(call, step, leg, &to),
            LegNews::Rerouted { trunk, end } => {
                call.leg_rerouted(step, leg, trunk, end);
                Heard::Nothing
            }
            LegNews::Gone(gone) => {
                let by = if gone.by_party { call.ends_as(leg) } else { EndedBy::Switchboard };
                call.leg_gone(step, leg, gone);
                self.lost(call, step, leg, gone.end, by)
            }
            LegNews::Held
            | LegNews::Resumed
            | LegNews::Key(_)
            | LegNews::Speaks(_)
            | LegNews::Said
            | LegNews::AsksTransfer { .. }
            | LegNews::Silent => Heard::Nothing,
        }
    }

    /// The time that [`Hunt::poll_timeout`] named has come: whoever rang long enough is given up.
    pub fn on_timeout(&mut self, call: &mut Call, step: &mut Step<'_>) -> Heard {
        let now = step.now.mono;
        let late: Vec<LegIndex> = self.legs.iter().filter(|(_, until)| *until <= now).map(|(leg, _)| *leg).collect();
        let mut heard = Heard::Nothing;
        for leg in late {
            let end = call.unanswered(leg, Reason::NoAnswer);
            call.drop_leg(step, leg, end);
            heard = self.lost(call, step, leg, end, EndedBy::Switchboard);
        }
        heard
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.legs.iter().map(|(_, until)| *until).min()
    }

    /// Ends whatever rings, and rings nobody else.
    pub fn stop(&mut self, call: &mut Call, step: &mut Step<'_>, end: End) {
        self.members = None;
        for (leg, _) in std::mem::take(&mut self.legs) {
            call.drop_leg(step, leg, end);
        }
    }

    /// Begins with somebody, in place of whoever was rung before.
    fn ring(&mut self, call: &mut Call, step: &mut Step<'_>, to: &Destination<'_>) -> Result<(), Reason> {
        let rung = match to {
            Destination::Extension(extension) => {
                ring::extension(call, step, self.on_behalf_of, self.side, extension).map(|ring| vec![ring])
            }
            Destination::Outside(outside) => {
                ring::outside(call, step, self.on_behalf_of, self.side, outside).map(|ring| vec![ring])
            }
            Destination::Group(group) => {
                let mut members = Members::of(step, group);
                let rung = members.begin(call, step, self.on_behalf_of, self.side);
                self.members = Some(members);
                rung
            }
        }?;
        self.add(step, rung);
        Ok(())
    }

    fn add(&mut self, step: &Step<'_>, rung: Vec<Ring>) {
        let now = step.now.mono;
        self.legs.extend(rung.into_iter().map(|Ring { leg, patience }| (leg, now + patience)));
    }

    /// Sound of one among several is nobody's: who could say whose it should be?
    fn rings(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, early: Option<Codec>) -> Heard {
        call.leg_rings(step, leg, early.is_some());
        let early = early.filter(|_| self.members.as_ref().is_none_or(Members::is_one_after_the_other));
        self.sounds = early.map(|_| leg);
        Heard::Rings { leg, early }
    }

    fn answered(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, codec: Codec) -> Heard {
        call.leg_answered(step, leg);
        self.legs.retain(|(own, _)| *own != leg);
        self.stop(call, step, End { elsewhere: true, ..Reason::AnsweredElsewhere.into() });
        Heard::Answered { leg, codec }
    }

    /// A party that is called alone is left for whom it names. A member of a group is one who does not take the call:
    /// the group reaches its members and nobody else, least of all somebody's voicemail.
    fn redirected(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, to: &str) -> Heard {
        let end = End::from(Reason::Redirected);
        let by = call.ends_as(leg);
        call.leg_gone(step, leg, Gone { end, by_party: true });
        if self.members.is_some() {
            return self.lost(call, step, leg, end, by);
        }
        self.legs.clear();
        let settings = call.settings.clone();
        let followed =
            ring::redirected(call, &settings, step.now.wall, leg, to).and_then(|to| self.ring(call, step, &to));
        followed.map_or_else(|reason| Heard::Failed(reason.into(), EndedBy::Switchboard), |()| Heard::Nothing)
    }

    /// A leg is over without an answer: others go on ringing, or the next one is rung, or that was all.
    fn lost(&mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, end: End, by: EndedBy) -> Heard {
        self.legs.retain(|(own, _)| *own != leg);
        if self.best.is_none_or(|(best, _)| says_more(end, best)) {
            self.best = Some((end, by));
        }
        if self.legs.is_empty() {
            let next = self.members.as_mut().and_then(|members| members.next(call, step, self.on_behalf_of, self.side));
            self.add(step, next.into_iter().collect());
        }
        match self.legs.first() {
            // Whoever heard the one that is gone would hear nothing at all until the next one rings.
            Some((next, _)) if self.sounds.take_if(|heard| *heard == leg).is_some() => {
                Heard::Rings { leg: *next, early: None }
            }
            Some(_) => Heard::Nothing,
            None => {
                let (end, by) = self.best.unwrap_or((end, by));
                Heard::Failed(end, by)
            }
        }
    }
}

/// Whether the end of one speaks for all rather than that of another: whoever was rung in vain, since the caller has heard
/// it ring; else the refusal that says most.
fn says_more(one: End, other: End) -> bool {
    let rank = |end: End| (end.reason != Reason::NoAnswer, end.rank());
    rank(one) < rank(other)
}
