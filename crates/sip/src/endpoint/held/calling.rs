//! A call of ours before it is answered: its early dialogs, one for each fork.

use std::time::Duration;

use crate::dialog::Remote;
use crate::endpoint::order::Body;
use crate::endpoint::sign_in::Challenged;
use crate::{Flow, Headers};

#[derive(Debug)]
pub(crate) struct Calling {
    pub headers: Headers,
    pub body: Option<Body>,
    /// The early dialogs, in the order in which they were heard of.
    pub forks: Vec<Early>,
    /// Which of them was heard of last.
    pub latest: usize,
    /// How often the INVITE has been challenged.
    pub challenged: Challenged,
    pub cancel: Cancel,
    /// How long anything may take to come back.
    pub answer_within: Option<Duration>,
    /// True once the asker has heard how it ended: what comes back is dealt with in silence.
    pub is_told: bool,
}

/// One early dialog.
#[derive(Debug)]
pub(crate) struct Early {
    pub remote: Remote,
    /// Where its requests go, if not where those of the call go.
    pub flow: Option<Flow>,
    /// RSeq of the latest response that was acknowledged.
    pub rseq: Option<u32>,
    /// CSeq of their latest request.
    pub remote_cseq: Option<u32>,
    /// True once a reliable response has answered our offer.
    pub is_answered: bool,
    pub takes_update: bool,
}

/// What became of the asker's wish to cancel.
#[derive(Debug)]
pub(crate) enum Cancel {
    NotAsked,
    /// Nothing has come back yet: the CANCEL has to wait (RFC 3261, 9.1).
    Asked(Headers),
    /// A 2xx that crosses it gets a BYE that says the same.
    Sent(Headers),
}

impl Calling {
    /// Whether the asker still wants the call.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self.cancel, Cancel::NotAsked)
    }

    /// Whether our offer waits for the answer of a fork.
    pub(crate) fn is_open(&self, fork: usize) -> bool {
        self.body.is_some() && !self.forks.get(fork).is_some_and(|early| early.is_answered)
    }
}

impl Early {
    pub(crate) fn new(remote: Remote) -> Self {
        Self { remote, flow: None, rseq: None, remote_cseq: None, is_answered: false, takes_update: false }
    }
}
