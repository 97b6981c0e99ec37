//! Server side of an INVITE (RFC 3261, 17.2.1; RFC 6026, 8.5).
//!
//! Sends a refusal again until the ACK comes. A 2xx is sent again by the dialog, since its ACK is another transaction.
//!
//!   Proceeding ──refusal──► Completed ──ACK──► Confirmed ──timer I──► over
//!        └─────────2xx────► Accepted ──timer L──► over

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{PATIENCE, T1, T2, T4};

/// An INVITE being answered.
#[derive(Debug)]
pub(crate) enum InviteServer {
    /// `last` is the provisional answer given most recently; an INVITE that is sent again gets it again.
    Proceeding { last: Bytes },
    /// Refused: sent again (timer G) until the ACK comes or nobody is there (timer H).
    Completed(Completed),
    /// The refusal's ACK came; others are absorbed (timer I).
    Confirmed { forget_at: Instant },
    /// A 2xx was sent; INVITEs that are sent again are absorbed (timer L).
    Accepted { forget_at: Instant },
    /// Over.
    Terminated,
}

#[derive(Debug)]
pub(crate) struct Completed {
    response: Bytes,
    /// None on a reliable transport.
    resend_at: Option<Instant>,
    interval: Duration,
    give_up_at: Instant,
}

impl InviteServer {
    /// This provisional answer has just been sent.
    pub(crate) fn start(trying: Bytes) -> Self {
        InviteServer::Proceeding { last: trying }
    }

    /// The INVITE was sent again. What to say to it.
    pub(crate) fn on_request(&self) -> Option<Bytes> {
        match self {
            InviteServer::Proceeding { last } => Some(last.clone()),
            InviteServer::Completed(completed) => Some(completed.response.clone()),
            _ => None,
        }
    }

    /// This answer has just been sent.
    pub(crate) fn on_answer(&mut self, now: Instant, status: u16, response: Bytes, reliable: bool) {
        *self = match status {
            ..200 => InviteServer::Proceeding { last: response },
            200..300 => InviteServer::Accepted { forget_at: now + PATIENCE },
            _ => InviteServer::Completed(Completed {
                response,
                resend_at: (!reliable).then_some(now + T1),
                interval: T1,
                give_up_at: now + PATIENCE,
            }),
        };
    }

    /// The ACK for a refusal came.
    pub(crate) fn on_ack(&mut self, now: Instant) {
        if let InviteServer::Completed(completed) = self {
            *self = match completed.resend_at {
                Some(_) => InviteServer::Confirmed { forget_at: now + T4 },
                None => InviteServer::Terminated,
            };
        }
    }

    /// What to send again, if it is time.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> Option<Bytes> {
        match self {
            InviteServer::Completed(completed) if completed.give_up_at <= now => *self = InviteServer::Terminated,
            InviteServer::Completed(completed) if completed.resend_at.is_some_and(|at| at <= now) => {
                completed.interval = (completed.interval * 2).min(T2);
                completed.resend_at = Some(now + completed.interval);
                return Some(completed.response.clone());
            }
            InviteServer::Confirmed { forget_at } | InviteServer::Accepted { forget_at } if *forget_at <= now => {
                *self = InviteServer::Terminated;
            }
            _ => {}
        }
        None
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            InviteServer::Completed(completed) => {
                Some(completed.resend_at.map_or(completed.give_up_at, |at| at.min(completed.give_up_at)))
            }
            InviteServer::Confirmed { forget_at } | InviteServer::Accepted { forget_at } => Some(*forget_at),
            InviteServer::Proceeding { .. } | InviteServer::Terminated => None,
        }
    }

    /// True until the final answer.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, InviteServer::Proceeding { .. })
    }

    /// True while an ACK is missing that would end the sending of a refusal.
    pub(crate) fn wants_ack(&self) -> bool {
        matches!(self, InviteServer::Completed(_))
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self, InviteServer::Terminated)
    }
}
