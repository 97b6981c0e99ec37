//! Server side of every request but INVITE (RFC 3261, 17.2.2).
//!
//!   Trying ──1xx──► Proceeding ──final──► Completed ──timer J──► over

use std::time::Instant;

use bytes::Bytes;

use super::PATIENCE;

/// A request being answered.
#[derive(Debug)]
pub(crate) enum PlainServer {
    /// No final answer yet. `last` is the provisional one, if there was one.
    Trying { last: Option<Bytes> },
    /// Answered; the answer is given again to a request that is sent again.
    Completed { response: Bytes, forget_at: Instant },
    /// Over.
    Terminated,
}

impl PlainServer {
    pub(crate) fn start() -> Self {
        PlainServer::Trying { last: None }
    }

    /// The request was sent again. What to say to it, if anything has been said.
    pub(crate) fn on_request(&self) -> Option<Bytes> {
        match self {
            PlainServer::Trying { last } => last.clone(),
            PlainServer::Completed { response, .. } => Some(response.clone()),
            PlainServer::Terminated => None,
        }
    }

    /// This answer has just been sent.
    pub(crate) fn on_answer(&mut self, now: Instant, status: u16, response: Bytes, reliable: bool) {
        *self = match (status, reliable) {
            (..200, _) => PlainServer::Trying { last: Some(response) },
            (_, true) => PlainServer::Terminated,
            (_, false) => PlainServer::Completed { response, forget_at: now + PATIENCE },
        };
    }

    pub(crate) fn on_timeout(&mut self, now: Instant) {
        if let PlainServer::Completed { forget_at, .. } = self
            && *forget_at <= now
        {
            *self = PlainServer::Terminated;
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            PlainServer::Completed { forget_at, .. } => Some(*forget_at),
            _ => None,
        }
    }

    /// True until the final answer.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, PlainServer::Trying { .. })
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self, PlainServer::Terminated)
    }
}
