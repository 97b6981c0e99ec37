//! A dialog in the endpoint's table: whose it is, how far it has come, and what is open in it.

use std::time::{Duration, Instant};

use bytes::Bytes;

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
    /// A re-INVITE of ours: waiting, or sent.
    pub reinvite: Option<Box<Reinvite>>,
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

#[derive(Debug)]
pub(crate) struct Reinvite {
    pub body: Body,
    /// What the asker wants since it was sent.
    pub next: Option<Body>,
    pub challenged: u8,
    /// When it is tried again after a 491; None while it waits for something else, or is sent.
    pub retry_at: Option<Instant>,
    pub is_sent: bool,
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
            reinvite: None,
            their_invite: None,
            unanswered: Vec::new(),
            resending: Vec::new(),
            armed: None,
        }
    }

    /// The other side as requests of ours see it now.
    pub(crate) fn remote(&self) -> &Remote {
        match &self.stage {
            Stage::Calling(calling) => calling.early.as_ref().unwrap_or(&self.dialog.remote),
            _ => &self.dialog.remote,
        }
    }

    /// Whether a request with these names belongs to it.
    pub(crate) fn is_addressed(&self, call_id: &[u8], to_tag: &[u8], from_tag: Option<&Bytes>) -> bool {
        self.dialog.local_tag == to_tag && self.dialog.call_id == call_id && self.remote().tag.as_ref() == from_tag
    }

    /// Nothing more may be told of it.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.stage, Stage::Forked | Stage::Hanging { .. } | Stage::Ending)
    }

    /// Whether a re-INVITE of ours may be sent: none is open on either side, and none of ours lacks its ACK.
    pub(crate) fn may_reinvite(&self) -> bool {
        matches!(self.stage, Stage::Confirmed)
            && self.our_invite.is_none()
            && self.their_invite.is_none()
            && self.resending.is_empty()
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
        let reinvite = self.reinvite.iter().filter_map(|reinvite| reinvite.retry_at);
        let remind = match &self.stage {
            Stage::Offered(offered) => offered.remind_at,
            _ => None,
        };
        resending.chain(reinvite).chain(remind).min()
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
