//! A caller waits for an agent of a queue: hears music and announcements, or its own phone ringing, until an agent answers,
//! it gives up, or the queue has no more time or nobody for it.
//!
//! Whom it is offered to is decided on the floor ([`crate::floor`]), which wakes the call; ringing is done here.

use std::time::{Duration, Instant};

use media::Sound;
use model::{CallEvent, Clip, Codec, EndedBy, Phrase, Queue, Reason, Unqueued};

use super::{Stage, Talk, elsewhere};
use crate::call::Call;
use crate::call::offers::{Offered, Offers};
use crate::call::voice::sound_of;
use crate::call::waiter::Waiter;
use crate::floor::Wake;
use crate::key::LegIndex;
use crate::lines::{End, Gone, LegNews, LegOrder};
use crate::routing::lead;
use crate::step::Step;

/// A caller who has used so many legs is offered to nobody any more: some are left for what comes afterwards.
const MOST_LEGS: usize = 400;

/// So often a caller may come to a queue: queues that overflow to each other come to an end.
const MOST_STAYS: usize = 6;

/// A caller in a queue.
#[derive(Debug)]
pub struct Wait {
    waiter: Waiter,
    /// As it stood when the call began.
    queue: Queue,
    /// Agents who are being rung.
    offers: Offers,
    give_up_at: Instant,
    /// When the caller is told its place or its wait next. None: it is told nothing.
    announce_at: Option<Instant>,
}

impl Wait {
    /// The caller comes to wait.
    pub fn begin(call: &mut Call, step: &mut Step<'_>, caller: LegIndex, queue: &Queue) -> Stage {
        let now = step.now.mono;
        if call.story.record().is_some_and(|record| record.queues.len() >= MOST_STAYS) {
            return Stage::refuse(call, step, caller, Reason::Diverted.into());
        }
        let floor = &mut step.office.floor;
        let is_full = queue.max_waiting.is_some_and(|most| floor.waiting(&queue.number) >= most);
        let is_empty = floor.has_nobody(&step.office.settings, queue);
        let place = floor.enter(now, call.key(), &queue.number);
        call.story.tell(step.now.wall, CallEvent::Queued { queue: queue.number.clone(), place });
        let mut wait = Self {
            waiter: Waiter { leg: caller },
            queue: queue.clone(),
            offers: Offers::of(queue),
            give_up_at: now + Duration::from_secs(queue.max_wait_seconds.into()),
            announce_at: None,
        };
        if is_full {
            return wait.overflow(call, step, Unqueued::Full);
        }
        if is_empty {
            return wait.overflow(call, step, Unqueued::Empty);
        }
        if let Err(reason) = wait.let_wait(call, step) {
            wait.leave(call, step, Unqueued::Ended);
            return Stage::refuse(call, step, caller, reason.into());
        }
        Stage::Wait(wait)
    }

    /// A leg tells something.
    pub fn on_news(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        if leg == self.waiter.leg {
            return match news {
                LegNews::Gone(gone) => self.caller_gone(call, step, gone),
                LegNews::Said => {
                    self.play_music(call, step);
                    Stage::Wait(self)
                }
                _ => Stage::Wait(self),
            };
        }
        match self.offers.on_news(call, step, leg, news) {
            Offered::Nothing => Stage::Wait(self),
            Offered::Rings => {
                self.rings(call, step);
                Stage::Wait(self)
            }
            Offered::Answered { leg, codec, agent } => self.answered(call, step, leg, codec, &agent),
        }
    }

    /// The floor has somebody for it, or knows that nobody is there.
    pub fn on_wake(mut self, call: &mut Call, step: &mut Step<'_>, wake: Wake) -> Stage {
        match wake {
            Wake::Offer { agents } => {
                for agent in agents {
                    if call.legs_begun() >= MOST_LEGS {
                        step.office.floor.exhaust(call.key());
                        step.office.floor.failed(step.now.mono, call.key(), &agent);
                        continue;
                    }
                    self.offers.ring(call, step, self.waiter.leg, &agent);
                }
                Stage::Wait(self)
            }
            Wake::NobodyThere => self.overflow(call, step, Unqueued::Empty),
        }
    }

    /// A time has come that [`Wait::poll_timeout`] named.
    pub fn on_timeout(mut self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        let now = step.now.mono;
        if self.give_up_at <= now {
            return self.overflow(call, step, Unqueued::TooLong);
        }
        self.offers.on_timeout(call, step);
        if self.announce_at.take_if(|at| *at <= now).is_some() {
            self.announce(call, step, Vec::new());
        }
        Stage::Wait(self)
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.offers.poll_timeout(), Some(self.give_up_at), self.announce_at].into_iter().flatten().min()
    }

    /// Somebody above ends the call.
    pub fn give_up(mut self, call: &mut Call, step: &mut Step<'_>, end: End) {
        self.offers.stop(call, step, end);
        self.leave(call, step, Unqueued::Ended);
    }

    /// What the caller hears from here on. An error says why it cannot be answered.
    fn let_wait(&mut self, call: &mut Call, step: &mut Step<'_>) -> Result<(), Reason> {
        if self.queue.answer_at_once {
            call.answer_caller(step, self.waiter.leg)?;
            let greeting = self.queue.greeting.as_ref().and_then(|greeting| call.settings.clip(greeting)).cloned();
            self.announce(call, step, greeting.into_iter().collect());
        } else if self.waiter.is_answered(call) {
            call.play(step, self.waiter.leg, Sound::Ringback);
        }
        Ok(())
    }

    /// A caller who was not answered hears its own phone ring as soon as an agent's does.
    fn rings(&self, call: &mut Call, step: &mut Step<'_>) {
        if !self.waiter.is_answered(call) {
            // A line that has said so already says nothing more.
            let _ = call.order(step, self.waiter.leg, LegOrder::Ring { early: None });
        }
    }

    /// Says something to a caller who was answered at once, and where it stands; then there is music.
    fn announce(&mut self, call: &mut Call, step: &mut Step<'_>, mut clips: Vec<Clip>) {
        let now = step.now.mono;
        let floor = &step.office.floor;
        if self.queue.announce_position {
            let place = floor.place(call.key()).and_then(|place| call.settings.phrase(Phrase::Place(most(place))));
            clips.extend(place.cloned());
        }
        if self.queue.announce_wait
            && let Some(wait) = floor.expected_wait(now, call.key())
        {
            let minutes = u32::try_from(wait.as_secs().div_ceil(60)).unwrap_or(u32::MAX);
            clips.extend(call.settings.phrase(Phrase::Wait(most(minutes.max(1)))).cloned());
        }
        if self.queue.announce_position || self.queue.announce_wait {
            self.announce_at = Some(now + Duration::from_secs(self.queue.announce_seconds.into()));
        }
        if clips.is_empty() { self.play_music(call, step) } else { call.say(step, self.waiter.leg, clips) }
    }

    /// The queue's own music, or else the tenant's, or else ours.
    fn play_music(&self, call: &mut Call, step: &mut Step<'_>) {
        let own = self.queue.music.as_ref().and_then(|music| call.settings.sound(music)).map(sound_of);
        call.play(step, self.waiter.leg, own.unwrap_or(Sound::Music));
    }

    fn answered(self, call: &mut Call, step: &mut Step<'_>, callee: LegIndex, codec: Codec, agent: &str) -> Stage {
        let caller = self.waiter.leg;
        if let Err(reason) = self.waiter.connect(call, step, callee, codec) {
            call.drop_leg(step, callee, reason.into());
            self.leave(call, step, Unqueued::Ended);
            return Stage::refuse(call, step, caller, reason.into());
        }
        step.office.floor.answered(step.now.mono, call.key(), agent, self.queue.wrap_up_seconds);
        self.leave(call, step, Unqueued::Answered);
        let longest = Duration::from_secs(call.settings.limits.max_call_seconds.into());
        Stage::Talk(Talk::go_on(call, step, caller, callee, step.now.mono + longest))
    }

    /// The caller cannot wait, or not any longer: it goes where the queue says, or nowhere.
    fn overflow(mut self, call: &mut Call, step: &mut Step<'_>, why: Unqueued) -> Stage {
        let caller = self.waiter.leg;
        let end = End::from(match why {
            Unqueued::Full => Reason::QueueFull,
            Unqueued::Empty => Reason::NoAgents,
            _ => Reason::WaitedTooLong,
        });
        self.offers.stop(call, step, end.with_sip(487));
        self.leave(call, step, why);
        let settings = call.settings.clone();
        let route = self.queue.overflow.as_ref();
        match route.and_then(|route| lead::settled(&settings, step.now.wall, route).ok()) {
            Some(lead) => {
                call.stop_playing(step, caller);
                elsewhere::overflow_to(call, step, caller, lead)
            }
            None => Stage::refuse(call, step, caller, end),
        }
    }

    fn caller_gone(mut self, call: &mut Call, step: &mut Step<'_>, gone: Gone) -> Stage {
        let by = if gone.by_party { call.leg(self.waiter.leg).ends_as() } else { EndedBy::Switchboard };
        call.leg_gone(step, self.waiter.leg, gone);
        self.offers.stop(call, step, gone.end.with_sip(487));
        self.leave(call, step, Unqueued::Abandoned);
        let mut end = gone.end;
        // Whoever hangs up before anyone answered has given up, though the switchboard had answered.
        if gone.by_party && end.reason == Reason::HungUp {
            end.reason = Reason::Cancelled;
        }
        call.finish(step, end, by);
        Stage::Over
    }

    /// The caller waits no more.
    fn leave(&self, call: &mut Call, step: &mut Step<'_>, why: Unqueued) {
        step.office.floor.leave(call.key());
        call.story.tell(step.now.wall, CallEvent::Unqueued { queue: self.queue.number.clone(), why });
    }
}

/// More than can be told as a number is told as more than that.
fn most(number: u32) -> u32 {
    number.min(Phrase::MOST + 1)
}
