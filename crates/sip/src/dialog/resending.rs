//! A 2xx to an INVITE, sent again until its ACK comes (RFC 3261, 13.3.1.4).
//!
//! Also on reliable transports: the ACK travels end to end, and some hop on its way may lose it.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::Flow;
use crate::transaction::{PATIENCE, T1, T2};

/// A 2xx whose ACK is missing.
#[derive(Debug)]
pub(crate) struct Resending {
    /// CSeq of the INVITE, and so of the ACK.
    pub cseq: u32,
    /// Where the INVITE came from.
    pub flow: Flow,
    /// True if it carries an offer, which the ACK answers.
    pub is_offer: bool,
    response: Bytes,
    interval: Duration,
    resend_at: Instant,
    give_up_at: Instant,
}

/// What time brought.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Resent {
    Wait,
    Again(Bytes),
    /// No ACK came in 64 T1.
    GaveUp,
}

impl Resending {
    /// The 2xx has just been sent.
    pub(crate) fn start(now: Instant, cseq: u32, flow: Flow, is_offer: bool, response: Bytes) -> Self {
        Self { cseq, flow, is_offer, response, interval: T1, resend_at: now + T1, give_up_at: now + PATIENCE }
    }

    pub(crate) fn on_timeout(&mut self, now: Instant) -> Resent {
        if self.give_up_at <= now {
            return Resent::GaveUp;
        }
        if self.resend_at > now {
            return Resent::Wait;
        }
        self.interval = (self.interval * 2).min(T2);
        self.resend_at = now + self.interval;
        Resent::Again(self.response.clone())
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.resend_at.min(self.give_up_at)
    }
}
