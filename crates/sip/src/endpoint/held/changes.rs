//! Re-INVITEs and UPDATEs of ours in one dialog: the one on its way, those that wait, and the ACK that is owed.

use std::time::Instant;

use bytes::Bytes;

use crate::endpoint::ids::ClientId;
use crate::endpoint::order::Body;
use crate::endpoint::sign_in::Challenged;
use crate::{Headers, Method};

/// What is asked for, sent and owed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The one that is on its way.
    pub sent: Option<Change>,
    /// Those that follow, in order; one of a kind at the most.
    pub waiting: Vec<Change>,
    /// When the first of them may be tried again.
    pub retry_at: Option<Instant>,
    /// An ACK that waits for our answer.
    pub owed: Option<Owed>,
}

/// One re-INVITE or UPDATE.
#[derive(Debug)]
pub(crate) struct Change {
    /// INVITE or UPDATE.
    pub method: Method,
    pub headers: Headers,
    pub body: Option<Body>,
    pub challenged: Challenged,
    pub tries: u8,
    /// False for a refresh of the endpoint's own.
    pub is_asked: bool,
}

/// A 2xx with an offer.
#[derive(Debug)]
pub(crate) struct Owed {
    pub client: ClientId,
    pub cseq: u32,
    pub tag: Bytes,
    pub until: Instant,
}

impl Changes {
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let owed = self.owed.as_ref().map(|owed| owed.until);
        self.retry_at.into_iter().chain(owed).min()
    }

    /// Whether an ACK has been owed for too long.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        self.owed.as_ref().is_some_and(|owed| owed.until <= now)
    }

    /// Comes after what waits already, or in the place of what it replaces.
    pub(crate) fn wait(&mut self, change: Change) {
        match self.waiting.iter_mut().find(|waiting| waiting.is_like(&change)) {
            Some(waiting) => *waiting = change,
            None => self.waiting.push(change),
        }
    }

    /// What was refused for now goes back to the head of the queue, unless something later has taken its place.
    pub(crate) fn try_again_at(&mut self, at: Instant) {
        let Some(mut sent) = self.sent.take() else { return };
        sent.tries += 1;
        sent.challenged = Challenged::default();
        if !self.waiting.iter().any(|waiting| waiting.is_like(&sent)) {
            self.waiting.insert(0, sent);
        }
        self.retry_at = Some(at);
    }

    /// Whether something is on its way that refreshes the session, or is about to be.
    pub(crate) fn is_busy(&self) -> bool {
        self.sent.is_some() || !self.waiting.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sent.is_none() && self.waiting.is_empty() && self.owed.is_none()
    }
}

impl Change {
    pub(crate) fn new(method: Method, headers: Headers, body: Option<Body>) -> Self {
        Self { method, headers, body, challenged: Challenged::default(), tries: 0, is_asked: true }
    }

    /// An UPDATE that only says that we are there.
    pub(crate) fn refresh() -> Self {
        Self { is_asked: false, ..Self::new(Method::Update, Headers::new(), None) }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.method == other.method && self.body.is_some() == other.body.is_some() && self.is_asked == other.is_asked
    }
}
