//! Provisional answers of ours that want a PRACK: the one that waits for it, and what waits behind it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::endpoint::order::{Body, Provisional};
use crate::{Flow, HeaderName, Headers, Method};

/// Whether the caller takes provisional answers reliably.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum WantsPrack {
    #[default]
    Never,
    /// It can: those that carry a session description are.
    Can,
    /// It insists: all are.
    Always,
}

/// Those of one INVITE.
#[derive(Debug)]
pub(crate) struct Reliable {
    /// CSeq of the INVITE.
    pub cseq: u32,
    /// RSeq of the latest one.
    pub rseq: u32,
    pub unacknowledged: Option<Unacknowledged>,
    pub waiting: VecDeque<Provisional>,
    /// The 2xx that waits.
    pub answer: Option<(Headers, Option<Body>)>,
}

/// The one that is sent again.
#[derive(Debug)]
pub(crate) struct Unacknowledged {
    pub response: Bytes,
    pub flow: Flow,
    pub describes: Describes,
    pub interval: Duration,
    /// None once the final answer has been sent: it is listened for, and not sent again.
    pub resend_at: Option<Instant>,
    pub give_up_at: Instant,
}

/// What a body says in the exchange of offer and answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Describes {
    Nothing,
    Offer,
    Answer,
}

impl WantsPrack {
    pub(crate) fn of(headers: &Headers) -> Self {
        if headers.has_token(&HeaderName::Require, "100rel") {
            WantsPrack::Always
        } else if headers.has_token(&HeaderName::Supported, "100rel") {
            WantsPrack::Can
        } else {
            WantsPrack::Never
        }
    }
}

impl Reliable {
    pub(crate) fn new(cseq: u32, rseq: u32) -> Self {
        Self { cseq, rseq, unacknowledged: None, waiting: VecDeque::new(), answer: None }
    }

    /// The final answer is sent: what was not acknowledged is not sent again, and its PRACK is still welcome. True if
    /// there is nothing to wait for.
    pub(crate) fn finish(&mut self) -> bool {
        self.waiting = VecDeque::new();
        if let Some(unacknowledged) = &mut self.unacknowledged {
            unacknowledged.resend_at = None;
            unacknowledged.response = Bytes::new();
        }
        self.unacknowledged.is_none()
    }

    /// Whether a 2xx waits.
    pub(crate) fn has_answer(&self) -> bool {
        self.answer.is_some()
    }

    /// Whether an offer of ours waits for the PRACK that answers it.
    pub(crate) fn is_offer_open(&self) -> bool {
        self.unacknowledged.as_ref().is_some_and(|unacknowledged| unacknowledged.describes == Describes::Offer)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let unacknowledged = self.unacknowledged.as_ref()?;
        Some(unacknowledged.resend_at?.min(unacknowledged.give_up_at))
    }

    /// Takes in the RAck of a PRACK. What the acknowledged response said; None if it names none that waits.
    pub(crate) fn acknowledge(&mut self, headers: &Headers) -> Option<Describes> {
        let rack = headers.rack().ok().flatten()?;
        let is_latest = rack.rseq == self.rseq && rack.cseq.number == self.cseq && rack.cseq.method == Method::Invite;
        let unacknowledged = self.unacknowledged.take_if(|_| is_latest)?;
        Some(unacknowledged.describes)
    }
}
