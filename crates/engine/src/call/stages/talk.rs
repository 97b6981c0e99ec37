//! Two sides are connected. Ends when one of them does, or at the longest time that any call may take; may lead to a
//! transfer.

use std::time::{Duration, Instant};

use model::{Command, EndedBy, Reason, TransferMode};

use super::{Consult, Stage, Transfer};
use crate::call::Call;
use crate::call::orders::Order;
use crate::call::pair::Pair;
use crate::key::LegIndex;
use crate::lines::{End, LegNews};
use crate::step::Step;

/// A conversation of two legs.
#[derive(Debug)]
pub struct Talk {
    /// Who talks.
    pub(super) pair: Pair,
    /// No call is longer than the tenant allows.
    pub(super) end_at: Instant,
}

impl Talk {
    /// The conversation of two legs that are connected already, the first of the call.
    pub fn of(call: &mut Call, step: &mut Step<'_>, a: LegIndex, b: LegIndex) -> Self {
        let longest = Duration::from_secs(call.settings.limits.max_call_seconds.into());
        Self { pair: Pair::of(call, step, a, b), end_at: step.now.mono + longest }
    }

    /// The conversation goes on between two who are connected already; the call's time does too.
    pub fn go_on(call: &mut Call, step: &mut Step<'_>, a: LegIndex, b: LegIndex, end_at: Instant) -> Self {
        Self { pair: Pair::again(call, step, a, b), end_at }
    }

    /// A leg tells something.
    pub fn on_news(mut self, call: &mut Call, step: &mut Step<'_>, leg: LegIndex, news: LegNews) -> Stage {
        match self.pair.on_news(call, step, leg, news) {
            Some(LegNews::Gone(gone)) => {
                let by = if gone.by_party { call.ends_as(leg) } else { EndedBy::Switchboard };
                call.leg_gone(step, leg, gone);
                call.finish(step, gone.end, by);
                Stage::Over
            }
            Some(LegNews::AsksTransfer { to }) => Transfer::begin_by_phone(self, call, step, leg, &to),
            Some(LegNews::Silent) => self.over(call, step, Reason::Silent.into()),
            _ => Stage::Talk(self),
        }
    }

    /// A client orders something.
    pub fn on_order(mut self, call: &mut Call, step: &mut Step<'_>, order: Order) -> Stage {
        let Some(order) = self.pair.on_order(call, step, order) else { return Stage::Talk(self) };
        let Command::Transfer(transfer) = &order.command else {
            order.not_now(call, "The call is a conversation, in which this cannot be done.");
            return Stage::Talk(self);
        };
        match transfer.mode {
            TransferMode::Blind => Transfer::begin(self, call, step, order),
            TransferMode::Attended => Consult::begin(self, call, step, order),
        }
    }

    /// A time has come that [`Talk::poll_timeout`] named.
    pub fn on_timeout(mut self, call: &mut Call, step: &mut Step<'_>) -> Stage {
        if step.now.mono >= self.end_at {
            return self.over(call, step, Reason::TooLong.into());
        }
        self.pair.on_timeout(call, step);
        Stage::Talk(self)
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Instant {
        self.pair.poll_timeout().map_or(self.end_at, |at| at.min(self.end_at))
    }

    fn over(self, call: &mut Call, step: &mut Step<'_>, end: End) -> Stage {
        for leg in self.pair.legs() {
            call.drop_leg(step, leg, end);
        }
        call.finish(step, end.with_sip(200), EndedBy::Switchboard);
        Stage::Over
    }
}
