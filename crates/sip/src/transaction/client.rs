//! Client side of every request but INVITE (RFC 3261, 17.1.2).
//!
//!   Trying ──1xx──► Proceeding ──final──► Completed ──timer K──► over

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{PATIENCE, T1, T2, T4};

/// A request on its way.
#[derive(Debug)]
pub(crate) enum PlainClient {
    /// No final response yet: the request is sent again, less often once a provisional one came.
    Trying(Trying),
    /// Answered. Responses that are sent again end here.
    Completed { forget_at: Instant },
    /// Over.
    Terminated,
}

#[derive(Debug)]
pub(crate) struct Trying {
    request: Bytes,
    /// Timer E; none on a reliable transport.
    resend_at: Option<Instant>,
    interval: Duration,
    /// Timer F.
    give_up_at: Instant,
}

/// What time brought.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum ClientStep {
    /// Nothing to do.
    Wait,
    /// Send these bytes again.
    Resend(Bytes),
    /// Nobody answered.
    TimedOut,
    /// It can be forgotten.
    Over,
}

impl PlainClient {
    /// The request has just been sent.
    pub(crate) fn start(now: Instant, request: Bytes, reliable: bool) -> Self {
        let resend_at = (!reliable).then_some(now + T1);
        PlainClient::Trying(Trying { request, resend_at, interval: T1, give_up_at: now + PATIENCE })
    }

    /// A response came. True if it is the first final one, or a provisional one before it.
    pub(crate) fn on_response(&mut self, now: Instant, status: u16) -> bool {
        let PlainClient::Trying(trying) = self else { return false };
        if status < 200 {
            if trying.interval < T2 {
                trying.interval = T2;
            }
            return true;
        }
        *self = match trying.resend_at {
            Some(_) => PlainClient::Completed { forget_at: now + T4 },
            None => PlainClient::Terminated,
        };
        true
    }

    pub(crate) fn on_timeout(&mut self, now: Instant) -> ClientStep {
        match self {
            PlainClient::Trying(trying) if trying.give_up_at <= now => {
                *self = PlainClient::Terminated;
                ClientStep::TimedOut
            }
            PlainClient::Trying(trying) if trying.resend_at.is_some_and(|at| at <= now) => {
                trying.interval = (trying.interval * 2).min(T2);
                trying.resend_at = Some(now + trying.interval);
                ClientStep::Resend(trying.request.clone())
            }
            PlainClient::Completed { forget_at } if *forget_at <= now => {
                *self = PlainClient::Terminated;
                ClientStep::Over
            }
            PlainClient::Terminated => ClientStep::Over,
            _ => ClientStep::Wait,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            PlainClient::Trying(trying) => {
                Some(trying.resend_at.map_or(trying.give_up_at, |at| at.min(trying.give_up_at)))
            }
            PlainClient::Completed { forget_at } => Some(*forget_at),
            PlainClient::Terminated => None,
        }
    }

    /// True until the final response, or the news that there will be none.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, PlainClient::Trying(_))
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self, PlainClient::Terminated)
    }
}
