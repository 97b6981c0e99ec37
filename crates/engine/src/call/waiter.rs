//! Whoever waits in a call until somebody is reached: what it hears meanwhile, and how it is connected.
//!
//! A caller who was not answered hears its own phone ring, and is answered with whoever is reached; one who was answered
//! hears ringing that we make.

use std::time::Duration;

use media::Sound;
use model::{Codec, Reason};

use super::Call;
use super::leg::LegState;
use crate::key::LegIndex;
use crate::lines::LegOrder;
use crate::step::Step;

/// A leg that waits.
#[derive(Clone, Copy, Debug)]
pub struct Waiter {
    /// Which.
    pub leg: LegIndex,
}

impl Waiter {
    /// A leg that is to wait. One that was answered hears ringing from now on.
    pub fn of(call: &mut Call, step: &mut Step<'_>, leg: LegIndex) -> Self {
        let waiter = Self { leg };
        if waiter.is_answered(call) {
            call.play(step, leg, Sound::Ringback);
        }
        waiter
    }

    /// Somebody rings, is heard before an answer, or is not heard any more because somebody else rings.
    pub fn ring(self, call: &mut Call, step: &mut Step<'_>, callee: LegIndex, early: Option<Codec>) {
        if call.leg(self.leg).voice.early || self.is_answered(call) {
            return call.let_hear(step, self.leg, callee, early);
        }
        match call.order(step, self.leg, LegOrder::Ring { early }) {
            Ok(()) if early.is_some() => {
                call.leg_mut(self.leg).voice.early = true;
                call.join(step, self.leg, callee);
            }
            Ok(()) => {}
            // A caller that cannot hear the early sound still hears its own phone ring.
            Err(_) => drop(call.order(step, self.leg, LegOrder::Ring { early: None })),
        }
    }

    /// Somebody was reached: the two talk. An error says why the caller could not be answered.
    pub fn connect(self, call: &mut Call, step: &mut Step<'_>, callee: LegIndex, codec: Codec) -> Result<(), Reason> {
        if !self.is_answered(call) {
            call.order(step, self.leg, LegOrder::Answer { codec: Some(codec) })?;
            call.leg_answered(step, self.leg);
        }
        call.stop_playing(step, self.leg);
        call.connect(step, self.leg, callee);
        Ok(())
    }

    /// Whether it has been answered already.
    pub fn is_answered(self, call: &Call) -> bool {
        call.leg(self.leg).state == LegState::Answered
    }
}

impl Call {
    /// Answers a caller for what the switchboard itself says; one who was answered stays so. An error says why it could not be.
    pub fn answer_caller(&mut self, step: &mut Step<'_>, caller: LegIndex) -> Result<(), Reason> {
        if self.leg(caller).state == LegState::Answered {
            return Ok(());
        }
        self.order(step, caller, LegOrder::Answer { codec: None })?;
        self.leg_answered(step, caller);
        let longest = Duration::from_secs(self.settings.limits.max_call_seconds.into());
        self.brought_by.get_or_insert(step.now.mono + longest);
        Ok(())
    }
}
