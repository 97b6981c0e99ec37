//! Somebody was given to somebody else: whoever stays hears ringing until the target answers. When nobody does, whoever
//! gave it away is rung back once, if the tenant wants that. A phone that asked for it by itself stays until then, and has
//! the other side back; it may hang up at any moment.
//!
//!   Ringing ──answer──► Talk
//!      ├──failure, the phone is there──► Talk
//!      └──failure──► RingingBack ──answer──► Talk
//!                        └──failure──► Tone ──► Over

use std::time::{Duration, Instant};

use media::Sound;
use model::{CallEvent, Command, EndedBy, Language, Party, Problem, Reason, Reply, TransferMode};

use super::{Stage, Talk};
use crate::call::Call;
use crate::call::hunt::{Heard, Hunt};
use crate::call::orders::{Order, acting, not_now};
use crate::call::pair::Pair;
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews, LegOrder};
use crate::routing::{self, Destination, Lead};
use crate::step::Step;

/// How long whoever stays hears that nobody is there.
const TONE_TIME: Duration = Duration::from_secs(3);

/// Somebody who waits for the target of a transfer.
#[derive(Debug)]
pub struct Transfer {
    /// Who was given away.
    staying: LegIndex,
    /// The leg of whoever gave it away.
    by: LegIndex,
    /// That leg is not over: its phone waits to hear what comes of it.
    is_asking: bool,
    mode: TransferMode,
    /// No call is longer than the tenant allows.
    end_at: Instant,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Ringing(Hunt),
    RingingBack(Hunt),
    Tone { until: Instant, end: End },
}

/// Who gives whom away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Giving {
    /// Who.
    pub(super) by: LegIndex,
    /// Whom.
    pub(super) staying: LegIndex,
}

impl Giving {
    /// Who would give whom away by this order.
    pub(super) fn of(call: &Call, pair: &Pair, transfer: &model::Transfer) -> Result<Self, Problem> {
        let by = acting(call, &pair.legs(), &transfer.leg)?;
        Self::by(call, pair, by)
    }

    /// What it means that this one gives the other away.
    fn by(call: &Call, pair: &Pair, by: LegIndex) -> Result<Self, Problem> {
        if call.leg(by).party.extension().is_none() {
            return Err(not_now(call, "Only an extension can give the other side away: name its leg in `leg`."));
        }
        Ok(Self { by, staying: pair.other(by) })
    }

    /// Whether the target is somebody who could be asked: not one of the two.
    pub(super) fn check(self, call: &Call, to: &Party) -> Result<(), Problem> {
        let is_one_of_them = [self.by, self.staying].into_iter().any(|leg| call.leg(leg).party.number() == to.number());
        if is_one_of_them {
            return Err(not_now(call, "The target takes part in the conversation: name somebody else in `to`."));
        }
        Ok(())
    }
}

/// Why the target cannot be called, as whoever asked reads it.
pub(super) fn refused(to: &str, reason: Reason) -> Problem {
    Problem::refused(reason, format!("{to} cannot be called. {}", reason.sentence(Language::En)))
}

impl Transfer {
    /// Gives the other side away by a client's order. What is known beforehand to be impossible is refused, and nothing
    /// changes.
    pub fn begin(talk: Talk, call: &mut Call, step: &mut Step<'_>, order: Order) -> Stage {
        let Command::Transfer(transfer) = &order.command else { return Stage::Talk(talk) };
        let ring = Giving::of(call, &talk.pair, transfer)
            .and_then(|giving| Ok((giving, Self::ring(giving, call, step, transfer.to.as_str())?)));
        match ring {
            Ok((giving, hunt)) => {
                let id = call.id;
                order.reply(call, Ok(Reply::Transferring { call: id, consultation: None }));
                let transfer = Self::leave(talk, call, step, giving, hunt);
                call.drop_leg(step, giving.by, Reason::Transferred.into());
                Stage::Transfer(Self { is_asking: false, ..transfer })
            }
            Err(problem) => {
                order.reply(call, Err(problem));
                Stage::Talk(talk)
            }
        }
    }

    /// Gives the other side away as a phone asks for it. The phone hears what comes of it, at once where that is known.
    pub fn begin_by_phone(talk: Talk, call: &mut Call, step: &mut Step<'_>, by: LegIndex, to: &str) -> Stage {
        let ring =
            Giving::by(call, &talk.pair, by).and_then(|giving| Ok((giving, Self::ring(giving, call, step, to)?)));
        match ring {
            Ok((giving, hunt)) => Stage::Transfer(Self::leave(talk, call, step, giving, hunt)),
            Err(problem) => {
                let end = match problem {
                    Problem::CallFailed { reason, sip, .. } => End::new(reason, sip.unwrap_or(reason.sip())),
                    _ => Reason::NotAllowed.into(),
                };
                // To be told needs nothing that could fail.
                let _ = call.order(step, by, LegOrder::TransferFailed(end));
                Stage::Talk(talk)
            }
        }
    }

    /// Whoever asked the target first has hung up while it rings: it is rung on behalf of the customer from here on.
    pub(super) fn go_on(
        call: &mut Call,
        step: &mut Step<'_>,
        Giving { by, staying }: Giving,
        hunt: Hunt,
        end_at: Instant,
    ) -> Stage {
        call.play(step, staying, Sound::Ringback);
        let (mode, phase) = (TransferMode::Attended, Phase::Ringing(hunt));
        Stage::Transfer(Self { staying, by, is_asking: false, mode, end_at, phase })
    }

    /// A leg tells something.
    pub fn on_news(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        if leg == self.by && self.is_asking {
            return self.on_news_of_giver(call, step, news);
        }
        if leg == self.staying {
            match news {
                LegNews::Gone(gone) => return self.left(call, step, gone),
                LegNews::Held => call.leg_held(step, leg),
                LegNews::Resumed => call.leg_resumed(step, leg),
                LegNews::Key(key) => call.leg_key(step, leg, key),
                _ => {}
            }
            return Stage::Transfer(self);
        }
        let heard = match &mut self.phase {
            Phase::Ringing(hunt) | Phase::RingingBack(hunt) => hunt.on_news(call, step, leg, news),
            Phase::Tone { .. } => Heard::Nothing,
        };
        self.heard(call, step, heard)
    }

    /// Those who are rung for whoever was given away. Whom that one comes back to is nobody else's.
    pub fn ringing(&self) -> Option<&Hunt> {
        match &self.phase {
            Phase::Ringing(hunt) => Some(hunt),
            Phase::RingingBack(_) | Phase::Tone { .. } => None,
        }
    }

    /// Somebody takes the call in the place of one who is rung, and learns who was given away.
    pub fn pick_up(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, from: LegIndex) -> Stage {
        let Phase::Ringing(hunt) = &mut self.phase else {
            call.drop_leg(step, leg, Reason::NothingThere.into());
            return Stage::Transfer(self);
        };
        let staying = self.staying;
        let heard = hunt.picked_up(call, step, leg, from);
        let stage = self.heard(call, step, heard);
        call.identify(step, leg, staying);
        stage
    }

    /// A client orders something.
    pub fn on_order(self, call: &mut Call, step: &mut Step<'_>, order: Order) -> Stage {
        match &order.command {
            Command::Record { action, .. } => {
                let done = call.order_recording(step, *action, None).map_err(|why| not_now(call, why));
                order.done(call, done);
            }
            _ => order.not_now(call, "The call is being transferred: wait until somebody has answered."),
        }
        Stage::Transfer(self)
    }

    /// A time has come that [`Transfer::poll_timeout`] named.
    pub fn on_timeout(mut self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono >= self.end_at {
            let end = End::from(Reason::TooLong);
            self.give_up(call, step, end);
            call.finish(step, end, EndedBy::Switchboard);
            return Stage::Over;
        }
        let heard = match &mut self.phase {
            Phase::Ringing(hunt) | Phase::RingingBack(hunt) => hunt.on_timeout(call, step),
            Phase::Tone { until, end } if step.now.mono >= *until => {
                call.finish(step, end.with_sip(200), EndedBy::Switchboard);
                return Stage::Over;
            }
            Phase::Tone { .. } => Heard::Nothing,
        };
        self.heard(call, step, heard)
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        let next = match &self.phase {
            Phase::Ringing(hunt) | Phase::RingingBack(hunt) => hunt.poll_timeout(),
            Phase::Tone { until, .. } => Some(*until),
        };
        next.map_or(self.end_at, |at| at.min(self.end_at))
    }

    /// The call ends before somebody has answered: nobody is rung any more, and the attempt has failed.
    pub fn give_up(&mut self, call: &mut Call, step: &mut Step<'_>, end: End) {
        match &mut self.phase {
            Phase::Ringing(hunt) => {
                hunt.stop(call, step, end.with_sip(487));
                self.tell_failed(call, step, end.with_sip(487));
            }
            Phase::RingingBack(hunt) => hunt.stop(call, step, end.with_sip(487)),
            Phase::Tone { .. } => {}
        }
    }

    /// Rings the target. Nothing is told of a transfer that cannot even do that.
    fn ring(giving: Giving, call: &mut Call, step: &mut Step<'_>, dialled: &str) -> Result<Hunt, Problem> {
        let settings = call.settings.clone();
        let refused = |reason| refused(dialled, reason);
        let to = routing::lead::inside(&settings, step.now.wall, dialled).and_then(Lead::rung).map_err(refused)?;
        giving.check(call, &to.party())?;
        let before = call.story.clone();
        let leg = call.leg(giving.by);
        let (id, side) = (leg.id, leg.side);
        call.transferred_by = leg.party.extension().map(str::to_owned);
        let transferring =
            CallEvent::Transferring { leg: id, to: to.party(), mode: TransferMode::Blind, consultation: None };
        call.story.tell(step.now.wall, transferring);
        Hunt::start(call, step, giving.staying, side, &to).map_err(|reason| {
            call.story = before;
            refused(reason)
        })
    }

    /// Whoever gives the other side away is out of the conversation.
    fn leave(
        Talk { mut pair, end_at }: Talk,
        call: &mut Call,
        step: &mut Step<'_>,
        Giving { by, staying }: Giving,
        hunt: Hunt,
    ) -> Self {
        call.part(step, staying);
        pair.leave(call, step);
        call.play(step, staying, Sound::Ringback);
        Self { staying, by, is_asking: true, mode: TransferMode::Blind, end_at, phase: Phase::Ringing(hunt) }
    }

    /// The phone that gives the other side away may hang up before it hears what came of it.
    fn on_news_of_giver(mut self, call: &mut Call, step: &mut Step<'_>, news: LegNews) -> Stage {
        match news {
            LegNews::Gone(gone) => {
                self.is_asking = false;
                call.leg_gone(step, self.by, gone);
            }
            LegNews::Held => call.leg_held(step, self.by),
            LegNews::Resumed => call.leg_resumed(step, self.by),
            _ => {}
        }
        Stage::Transfer(self)
    }

    fn heard(self, call: &mut Call, step: &mut Step<'_>, heard: Heard) -> Stage {
        match heard {
            Heard::Nothing => {}
            Heard::Rings { leg, early } => call.let_hear(step, self.staying, leg, early),
            Heard::Answered { leg, .. } => return self.answered(call, step, leg),
            Heard::Failed(end, _) => return self.failed(call, step, end),
        }
        Stage::Transfer(self)
    }

    fn answered(self, call: &mut Call, step: &mut Step<'_>, target: LegIndex) -> Stage {
        call.stop_playing(step, self.staying);
        call.connect(step, self.staying, target);
        if let Phase::Ringing(_) = self.phase {
            self.tell_done(call, step, target);
            // One that has hung up is not live any more.
            call.drop_leg(step, self.by, Reason::Transferred.into());
            call.identify(step, self.staying, target);
            if self.mode == TransferMode::Attended {
                // Its phone has shown whoever asked.
                call.identify(step, target, self.staying);
            }
        }
        Stage::Talk(Talk::go_on(call, step, self.staying, target, self.end_at))
    }

    /// Nobody answered. Whoever gave the other side away may take it back; else it hears that nobody is there.
    fn failed(mut self, call: &mut Call, step: &mut Step<'_>, end: End) -> Stage {
        call.part(step, self.staying);
        if let Phase::Ringing(_) = self.phase {
            self.tell_failed(call, step, end);
            if self.is_asking {
                // To be told needs nothing that could fail.
                let _ = call.order(step, self.by, LegOrder::TransferFailed(end));
                call.stop_playing(step, self.staying);
                call.join(step, self.by, self.staying);
                return Stage::Talk(Talk::go_on(call, step, self.by, self.staying, self.end_at));
            }
            if let Some(hunt) = self.ring_back(call, step) {
                call.play(step, self.staying, Sound::Ringback);
                return Stage::Transfer(Self { phase: Phase::RingingBack(hunt), ..self });
            }
        }
        call.play(step, self.staying, Sound::Busy);
        self.phase = Phase::Tone { until: step.now.mono + TONE_TIME, end };
        Stage::Transfer(self)
    }

    fn ring_back(&self, call: &mut Call, step: &mut Step<'_>) -> Option<Hunt> {
        let settings = call.settings.clone();
        let by = call.leg(self.by);
        let side = by.side;
        let extension = settings.extensions.get(by.party.extension()?).filter(|_| settings.transfer_ring_back)?;
        // Whoever cannot be rung back is not there any more; the customer hears so.
        Hunt::start(call, step, self.staying, side, &Destination::Extension(extension)).ok()
    }

    /// Whoever was given away has left.
    fn left(mut self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { call.ends_as(self.staying) } else { EndedBy::Switchboard };
        call.leg_gone(step, self.staying, gone);
        self.give_up(call, step, Reason::Cancelled.into());
        call.finish(step, gone.end, by);
        Stage::Over
    }

    fn tell_done(&self, call: &mut Call, step: &Step<'_>, target: LegIndex) {
        let (leg, target) = (call.leg(self.by).id, call.leg(target).id);
        call.story.tell(step.now.wall, CallEvent::Transferred { leg, target, mode: self.mode });
    }

    fn tell_failed(&self, call: &mut Call, step: &Step<'_>, End { reason, sip, .. }: End) {
        let leg = call.leg(self.by).id;
        call.story.tell(step.now.wall, CallEvent::TransferFailed { leg, reason, sip });
    }
}
