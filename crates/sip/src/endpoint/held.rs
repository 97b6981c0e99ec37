//! A dialog in the endpoint's table: whose it is, how far it has come, and what is open in it.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::changes::{Change, Changes};
use super::ids::{DialogId, ServerId};
use super::order::Body;
use super::post::{ClientId, Post, Timer};
use super::sign_in::SignIn;
use crate::dialog::{Dialog, Remote, Resending, Resent};
use crate::{Flow, Headers};

/// How often a provisional answer is given again, so that proxies keep waiting (RFC 3261, 13.3.1.1).
pub(crate) const REMIND: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Held<K> {
    pub key: K,
    pub id: DialogId,
    pub dialog: Dialog,
    pub stage: Stage,
    pub sign_in: Option<Box<SignIn>>,
    /// Our INVITE or re-INVITE that has no final response.
    pub our_invite: Option<ClientId>,
    /// Re-INVITEs and UPDATEs of ours: waiting, or sent.
    pub changes: Option<Box<Changes>>,
    /// Their INVITE or re-INVITE that has no final answer.
    pub their_invite: Option<ServerId>,
    /// Other requests of theirs without a final answer.
    pub unanswered: Vec<ServerId>,
    /// 2xx of ours whose ACK is missing.
    pub resending: Vec<Resending>,
    /// The earliest moment at which the wheel wakes it.
    pub armed: Option<Instant>,
}

/// How far a dialog has come.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Our INVITE is on its way.
    Calling(Box<Calling>),
    /// Their INVITE waits for an answer.
    Offered(Offered),
    /// A 2xx of a fork came after that of another one: it gets its ACK and its BYE.
    Forked,
    /// A 2xx was sent or came.
    Confirmed,
    /// The asker hung up before the ACK of our 2xx came; the BYE waits for it (RFC 3261, 15).
    Hanging { headers: Headers },
    /// Our BYE is on its way. The asker hears nothing more.
    Ending,
}

#[derive(Debug)]
pub(crate) struct Calling {
    pub headers: Headers,
    pub body: Option<Body>,
    /// The fork that was heard of last.
    pub early: Option<Remote>,
    /// How often the INVITE has been challenged.
    pub challenged: u8,
    pub cancel: Cancel,
    /// How long anything may take to come back.
    pub answer_within: Option<Duration>,
    /// True once the asker has heard how it ended: what comes back is dealt with in silence.
    pub is_told: bool,
}

/// What became of the asker's wish to cancel.
#[derive(Debug)]
pub(crate) enum Cancel {
    NotAsked,
    /// Nothing has come back yet: the CANCEL has to wait (RFC 3261, 9.1).
    Asked(Headers),
    Sent,
}

#[derive(Debug, Default)]
pub(crate) struct Offered {
    /// The provisional answer given last, for reminders.
    pub progress: Option<Bytes>,
    pub remind_at: Option<Instant>,
}

impl Stage {
    /// The other side as requests of ours see it now.
    pub(crate) fn remote<'a>(&'a self, dialog: &'a Dialog) -> &'a Remote {
        match self {
            Stage::Calling(calling) => calling.early.as_ref().unwrap_or(&dialog.remote),
            _ => &dialog.remote,
        }
    }
}

impl<K> Held<K> {
    pub(crate) fn new(key: K, id: DialogId, dialog: Dialog, stage: Stage) -> Self {
        Self {
            key,
            id,
            dialog,
            stage,
            sign_in: None,
            our_invite: None,
            changes: None,
            their_invite: None,
            unanswered: Vec::new(),
            resending: Vec::new(),
            armed: None,
        }
    }

    /// The other side as requests of ours see it now.
    pub(crate) fn remote(&self) -> &Remote {
        self.stage.remote(&self.dialog)
    }

    /// Whether a request with these names belongs to it.
    pub(crate) fn is_addressed(&self, call_id: &[u8], to_tag: &[u8], from_tag: Option<&Bytes>) -> bool {
        self.dialog.local_tag == to_tag && self.dialog.call_id == call_id && self.remote().tag.as_ref() == from_tag
    }

    /// Whether the asker has heard the end of a call of ours that nobody has answered or refused.
    pub(crate) fn is_told(&self) -> bool {
        matches!(&self.stage, Stage::Calling(calling) if calling.is_told)
    }

    /// Nothing more may be told of it.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_told() || matches!(self.stage, Stage::Forked | Stage::Hanging { .. } | Stage::Ending)
    }

    /// Whether a change of ours may be sent: no INVITE is open on either side, and no 2xx of ours lacks its ACK.
    pub(crate) fn may_send(&self, _change: &Change) -> bool {
        matches!(self.stage, Stage::Confirmed)
            && self.our_invite.is_none()
            && self.their_invite.is_none()
            && self.resending.is_empty()
    }

    /// Whether our INVITE that is on its way asks for an offer.
    pub(crate) fn wants_offer(&self) -> bool {
        let sent = self.changes.as_ref().and_then(|changes| changes.sent.as_ref());
        matches!(self.stage, Stage::Confirmed) && sent.is_some_and(|change| change.body.is_none())
    }

    /// Whether the answer to the offer in the 2xx of this INVITE is being waited for.
    pub(crate) fn owes_ack(&self, invite: ClientId) -> bool {
        let owed = self.changes.as_ref().and_then(|changes| changes.owed.as_ref());
        owed.is_some_and(|owed| owed.client == invite)
    }

    /// Follows the peer to where it now sends from. A request that was too long for UDP is no reason to leave UDP.
    pub(crate) fn follow(&mut self, flow: Flow) {
        let current = self.dialog.flow;
        if current.transport.is_reliable() || !flow.transport.is_reliable() {
            self.dialog.flow = flow;
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let resending = self.resending.iter().map(Resending::deadline);
        let changes = self.changes.iter().filter_map(|changes| changes.deadline());
        let remind = match &self.stage {
            Stage::Offered(offered) => offered.remind_at,
            _ => None,
        };
        resending.chain(changes).chain(remind).min()
    }

    pub(crate) fn arm(&mut self, post: &mut Post<K>) {
        let deadline = self.deadline();
        post.arm(&mut self.armed, deadline, Timer::Dialog(self.id));
    }

    /// Sends what is due again. True if the ACK of some 2xx will never come.
    pub(crate) fn resend(&mut self, now: Instant, post: &mut Post<K>) -> bool {
        for resending in &mut self.resending {
            match resending.on_timeout(now) {
                Resent::Wait => {}
                Resent::Again(bytes) => post.send(resending.flow, bytes),
                Resent::GaveUp => return true,
            }
        }
        false
    }
}
