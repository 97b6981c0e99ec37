//! Client side of an INVITE (RFC 3261, 17.1.1; RFC 6026, 8.4).
//!
//! Leaves the ACK of a 2xx to its owner, who makes one for each fork; keeps it for a 2xx that is sent again.
//!
//!   Calling ──1xx──► Proceeding ──refusal──► Completed ──timer D──► over
//!                         └────────2xx─────► Accepted ──timer M──► over

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{PATIENCE, T1};
use crate::Flow;

/// Forks of one INVITE whose 2xx are acknowledged; further ones are not listened to.
const MAX_FORKS: usize = 8;

/// An INVITE on its way.
#[derive(Debug)]
pub(crate) enum InviteClient {
    /// Nothing came back yet: sent again (timer A) until it is given up (timer B).
    Calling(Calling),
    /// It arrived. Waits as long as its owner does.
    Proceeding {
        reliable: bool,
        /// Set once its owner is in a hurry: by a CANCEL (RFC 3261, 9.1).
        give_up_at: Option<Instant>,
    },
    /// Refused. The ACK is sent again for each refusal that is sent again (timer D).
    Completed { ack: Bytes, forget_at: Instant },
    /// Answered, by one fork or more. Each has its ACK (timer M).
    Accepted { forks: Vec<Fork>, forget_at: Instant },
    /// Over.
    Terminated,
}

#[derive(Debug)]
pub(crate) struct Calling {
    request: Bytes,
    /// Timer A; none on a reliable transport.
    resend_at: Option<Instant>,
    interval: Duration,
    is_reliable: bool,
    /// When its owner goes on without it. It is not sent again then, and listened to until timer B.
    answer_by: Option<Instant>,
    /// Timer B.
    give_up_at: Instant,
}

#[derive(Debug)]
pub(crate) struct Fork {
    tag: Bytes,
    ack: Bytes,
    /// Where the ACK went, and goes again.
    flow: Flow,
}

/// What time brought.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum InviteStep {
    /// Nothing to do.
    Wait,
    /// Send these bytes again.
    Resend(Bytes),
    /// Nothing came back in the time its owner gives it.
    Unanswered,
    /// Nobody answered.
    TimedOut,
    /// It can be forgotten.
    Over,
}

/// What a final response asks for.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Acknowledge {
    /// The first of its kind: its owner makes the ACK and hands it to `keep_refusal_ack` or `keep_fork_ack`.
    Make,
    /// Sent again: here is the ACK, and where it went if that is its own way.
    Repeat(Bytes, Option<Flow>),
    /// Not listened to.
    Ignore,
}

impl InviteClient {
    /// The INVITE has just been sent. Its owner waits for anything to come back as long as `answer_within` says.
    pub(crate) fn start(now: Instant, request: Bytes, is_reliable: bool, answer_within: Option<Duration>) -> Self {
        let resend_at = (!is_reliable).then_some(now + T1);
        let answer_by = answer_within.filter(|within| *within < PATIENCE).map(|within| now + within);
        let give_up_at = now + PATIENCE;
        InviteClient::Calling(Calling { request, resend_at, interval: T1, is_reliable, answer_by, give_up_at })
    }

    /// A provisional response came. True unless it is too late for it.
    pub(crate) fn on_provisional(&mut self) -> bool {
        if let InviteClient::Calling(calling) = self {
            *self = InviteClient::Proceeding { reliable: calling.is_reliable, give_up_at: None };
        }
        matches!(self, InviteClient::Proceeding { .. })
    }

    /// A 2xx came from the fork with this tag.
    pub(crate) fn on_accepted(&self, tag: &[u8]) -> Acknowledge {
        match self {
            InviteClient::Calling(_) | InviteClient::Proceeding { .. } => Acknowledge::Make,
            InviteClient::Accepted { forks, .. } => match forks.iter().find(|fork| fork.tag == tag) {
                Some(fork) => Acknowledge::Repeat(fork.ack.clone(), Some(fork.flow)),
                None if forks.len() < MAX_FORKS => Acknowledge::Make,
                None => Acknowledge::Ignore,
            },
            InviteClient::Completed { .. } | InviteClient::Terminated => Acknowledge::Ignore,
        }
    }

    /// The ACK for the fork with this tag has just been sent.
    pub(crate) fn keep_fork_ack(&mut self, now: Instant, tag: Bytes, ack: Bytes, flow: Flow) {
        let fork = Fork { tag, ack, flow };
        match self {
            InviteClient::Accepted { forks, .. } => forks.push(fork),
            _ => *self = InviteClient::Accepted { forks: vec![fork], forget_at: now + PATIENCE },
        }
    }

    /// A refusal came.
    pub(crate) fn on_refused(&self) -> Acknowledge {
        match self {
            InviteClient::Calling(_) | InviteClient::Proceeding { .. } => Acknowledge::Make,
            InviteClient::Completed { ack, .. } => Acknowledge::Repeat(ack.clone(), None),
            InviteClient::Accepted { .. } | InviteClient::Terminated => Acknowledge::Ignore,
        }
    }

    /// The ACK for the refusal has just been sent.
    pub(crate) fn keep_refusal_ack(&mut self, now: Instant, ack: Bytes) {
        let reliable = match self {
            InviteClient::Calling(calling) => calling.is_reliable,
            InviteClient::Proceeding { reliable, .. } => *reliable,
            _ => return,
        };
        *self = match reliable {
            true => InviteClient::Terminated,
            false => InviteClient::Completed { ack, forget_at: now + PATIENCE },
        };
    }

    /// A final response has to come soon: a CANCEL has just been sent, or the dialog is over.
    pub(crate) fn hurry(&mut self, now: Instant) {
        if let InviteClient::Proceeding { give_up_at, .. } = self {
            *give_up_at = Some(now + PATIENCE);
        }
    }

    pub(crate) fn on_timeout(&mut self, now: Instant) -> InviteStep {
        match self {
            InviteClient::Calling(Calling { give_up_at, .. })
            | InviteClient::Proceeding { give_up_at: Some(give_up_at), .. }
                if *give_up_at <= now =>
            {
                *self = InviteClient::Terminated;
                InviteStep::TimedOut
            }
            InviteClient::Calling(calling) if calling.answer_by.is_some_and(|at| at <= now) => {
                calling.answer_by = None;
                calling.resend_at = None;
                InviteStep::Unanswered
            }
            InviteClient::Calling(calling) if calling.resend_at.is_some_and(|at| at <= now) => {
                calling.interval *= 2;
                calling.resend_at = Some(now + calling.interval);
                InviteStep::Resend(calling.request.clone())
            }
            InviteClient::Completed { forget_at, .. } | InviteClient::Accepted { forget_at, .. }
                if *forget_at <= now =>
            {
                *self = InviteClient::Terminated;
                InviteStep::Over
            }
            InviteClient::Terminated => InviteStep::Over,
            _ => InviteStep::Wait,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            InviteClient::Calling(calling) => {
                calling.resend_at.into_iter().chain(calling.answer_by).chain([calling.give_up_at]).min()
            }
            InviteClient::Proceeding { give_up_at, .. } => *give_up_at,
            InviteClient::Completed { forget_at, .. } | InviteClient::Accepted { forget_at, .. } => Some(*forget_at),
            InviteClient::Terminated => None,
        }
    }

    /// True until the first final response, or the news that there will be none.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, InviteClient::Calling(_) | InviteClient::Proceeding { .. })
    }

    /// True once it was refused.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self, InviteClient::Completed { .. })
    }

    /// True once something came back: only then may it be cancelled.
    pub(crate) fn is_proceeding(&self) -> bool {
        matches!(self, InviteClient::Proceeding { .. })
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self, InviteClient::Terminated)
    }
}
