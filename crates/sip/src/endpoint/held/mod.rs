//! A dialog in the endpoint's table: whose it is, how far it has come, and what is open in it.

pub(crate) mod calling;
pub(crate) mod changes;
pub(crate) mod reliable;
pub(crate) mod session;

use std::time::{Duration, Instant};

use bytes::Bytes;

use self::calling::Calling;
use self::changes::{Change, Changes};
use self::reliable::{Reliable, WantsPrack};
use self::session::Session;
use super::ids::{ClientId, DialogId, ServerId, Timer};
use super::post::Post;
use super::sign_in::{SignIn, Signature};
use crate::dialog::{Dialog, NextHop, Remote, Resending, Resent};
use crate::{Flow, HeaderName, Headers, Method};

/// How often a provisional answer is given again, so that proxies keep waiting (RFC 3261, 13.3.1.1).
pub(crate) const REMIND: Duration = Duration::from_secs(60);

/// The wheel forgets no entry of a dialog that is gone; so none waits longer than this.
const LOOK_AGAIN: Duration = Duration::from_secs(64);

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
    /// What has become of the offer in it.
    pub their_offer: TheirOffer,
    /// An UPDATE or PRACK of theirs whose offer has no answer.
    pub their_update: Option<ServerId>,
    /// Other requests of theirs without a final answer.
    pub unanswered: Vec<ServerId>,
    /// 2xx of ours whose ACK is missing.
    pub resending: Vec<Resending>,
    /// Provisional answers of ours that want a PRACK.
    pub reliable: Option<Box<Reliable>>,
    /// When the session has to be refreshed, if it has to be.
    pub session: Option<Box<Session>>,
    /// The least session interval, in seconds, that the other side is known to take.
    pub min_se: u32,
    /// How often it has asked for a longer one.
    pub raised: u8,
    /// Whether the other side says that it takes an UPDATE.
    pub takes_update: bool,
    /// A fingerprint of the name whose address was asked for.
    pub located: u64,
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
    /// They hung up while a re-INVITE of ours was open: its final response is still to be acknowledged.
    Lingering,
}

#[derive(Debug, Default)]
pub(crate) struct Offered {
    /// The provisional answer given last, for reminders.
    pub progress: Option<Bytes>,
    pub remind_at: Option<Instant>,
    pub wants_prack: WantsPrack,
}

/// What has become of the offer in an INVITE of theirs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum TheirOffer {
    /// There was none: what we say first is the offer.
    Missing,
    /// It waits for our answer.
    Open,
    /// It has been answered, or ours has been.
    #[default]
    Settled,
}

/// Whose offer waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    Ours,
    Theirs,
}

impl Stage {
    /// The other side and the way to it, as requests of ours see it: of one early dialog, or of that heard of last.
    pub(crate) fn way<'a>(&'a self, dialog: &'a Dialog, fork: Option<usize>) -> (&'a Remote, Flow) {
        let early = match self {
            Stage::Calling(calling) => calling.forks.get(fork.unwrap_or(calling.latest)),
            _ => None,
        };
        match early {
            Some(early) => (&early.remote, early.flow.unwrap_or(dialog.flow)),
            None => (&dialog.remote, dialog.flow),
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
            their_offer: TheirOffer::Settled,
            their_update: None,
            unanswered: Vec::new(),
            resending: Vec::new(),
            reliable: None,
            session: None,
            min_se: 0,
            raised: 0,
            takes_update: false,
            located: 0,
            armed: None,
        }
    }

    /// The early dialog that a request with these names belongs to; 0 where there is but one.
    pub(crate) fn is_addressed(&self, call_id: &[u8], to_tag: &[u8], from_tag: Option<&Bytes>) -> Option<usize> {
        if self.dialog.local_tag != to_tag || self.dialog.call_id != call_id {
            return None;
        }
        match &self.stage {
            Stage::Calling(calling) => calling.forks.iter().position(|early| early.remote.tag.as_ref() == from_tag),
            _ => (self.dialog.remote.tag.as_ref() == from_tag).then_some(0),
        }
    }

    /// CSeq of their latest request, in one early dialog or in the one there is.
    pub(crate) fn remote_cseq(&mut self, fork: usize) -> &mut Option<u32> {
        match &mut self.stage {
            Stage::Calling(calling) if calling.forks.len() > fork => &mut calling.forks[fork].remote_cseq,
            _ => &mut self.dialog.remote_cseq,
        }
    }

    /// Whether the asker has heard the end of a call of ours that nobody has answered or refused.
    pub(crate) fn is_told(&self) -> bool {
        matches!(&self.stage, Stage::Calling(calling) if calling.is_told)
    }

    /// Nothing more may be told of it.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_told() || matches!(self.stage, Stage::Forked | Stage::Hanging { .. } | Stage::Ending | Stage::Lingering)
    }

    /// Whose offer is open, seen from one early dialog (RFC 6337, 2.2). There is never one of each side.
    pub(crate) fn open_offer(&self, fork: usize) -> Option<Whose> {
        let reliable = self.reliable.as_ref();
        if self.their_invite.is_some() && self.their_offer == TheirOffer::Open
            || self.their_update.is_some()
            || self.changes.as_ref().is_some_and(|changes| changes.owed.is_some())
        {
            return Some(Whose::Theirs);
        }
        let is_ours = match &self.stage {
            Stage::Calling(calling) if calling.is_open(fork) => true,
            _ => {
                self.sent_change().is_some_and(|change| change.body.is_some())
                    || self.resending.iter().any(|resending| resending.is_offer)
                    || reliable.is_some_and(|reliable| reliable.is_offer_open())
            }
        };
        is_ours.then_some(Whose::Ours)
    }

    /// Whether a change of ours may be sent.
    pub(crate) fn may_send(&self, change: &Change) -> bool {
        let is_update = change.method == Method::Update;
        let is_reached = match &self.stage {
            Stage::Confirmed => true,
            Stage::Offered(offered) => is_update && offered.progress.is_some(),
            Stage::Calling(calling) => is_update && !calling.forks.is_empty() && calling.is_wanted(),
            _ => false,
        };
        let latest = match &self.stage {
            Stage::Calling(calling) => calling.latest,
            _ => 0,
        };
        match is_update {
            // One that offers nothing meets nothing.
            true if change.body.is_none() => is_reached,
            true if matches!(self.stage, Stage::Confirmed) => self.is_calm(),
            true => is_reached && self.open_offer(latest).is_none(),
            false => is_reached && self.is_calm(),
        }
    }

    /// Whether no INVITE is open on either side, no 2xx of ours lacks its ACK, and no offer its answer.
    fn is_calm(&self) -> bool {
        self.our_invite.is_none()
            && self.their_invite.is_none()
            && self.resending.is_empty()
            && self.open_offer(0).is_none()
    }

    /// The change of ours that is on its way.
    pub(crate) fn sent_change(&self) -> Option<&Change> {
        self.changes.as_ref().and_then(|changes| changes.sent.as_ref())
    }

    /// Whether our INVITE that is on its way asks for an offer.
    pub(crate) fn wants_offer(&self) -> bool {
        let asks = |change: &Change| change.method == Method::Invite && change.body.is_none();
        matches!(self.stage, Stage::Confirmed) && self.sent_change().is_some_and(asks)
    }

    /// Whether the answer to the offer in the 2xx of this INVITE is being waited for.
    pub(crate) fn owes_ack(&self, invite: ClientId) -> bool {
        let owed = self.changes.as_ref().and_then(|changes| changes.owed.as_ref());
        owed.is_some_and(|owed| owed.client == invite)
    }

    /// What our latest INVITE was signed with, and its ACK is.
    pub(crate) fn signed_invite(&self) -> &[Signature] {
        self.sign_in.as_ref().map(|sign_in| sign_in.of_invite()).unwrap_or_default()
    }

    /// Follows the peer to where it now sends from. A request that was too long for UDP is no reason to leave UDP.
    /// Where routes decide, only a connection that was lost is replaced.
    pub(crate) fn follow(&mut self, flow: Flow) {
        let current = self.dialog.flow;
        let follows = match self.dialog.next_hop {
            NextHop::Flow => current.transport.is_reliable() || !flow.transport.is_reliable(),
            NextHop::Route => {
                let is_lost = current.transport.is_reliable() && current.connection == 0;
                is_lost && current.transport == flow.transport && current.remote.ip() == flow.remote.ip()
            }
        };
        if follows {
            self.dialog.flow = flow;
        }
    }

    /// Stays on the connection that was opened for a request of ours.
    pub(crate) fn adopt(&mut self, flow: Flow) {
        let ours = &mut self.dialog.flow;
        let is_same = ours.transport == flow.transport && ours.remote == flow.remote;
        if ours.connection == 0 && is_same && ours.transport.is_reliable() {
            *ours = flow;
        }
    }

    /// Notes what a message of theirs says about UPDATE, if it says anything.
    pub(crate) fn note_allow(&mut self, headers: &Headers) {
        if let Some(takes) = takes_update(headers) {
            self.takes_update = takes;
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let resending = self.resending.iter().map(Resending::deadline);
        let changes = self.changes.iter().filter_map(|changes| changes.deadline());
        let (remind, reliable, session) = match &self.stage {
            Stage::Offered(offered) => {
                (offered.remind_at, self.reliable.as_ref().and_then(|reliable| reliable.deadline()), None)
            }
            Stage::Confirmed => (None, None, self.session.as_ref().map(|session| session.deadline())),
            _ => (None, None, None),
        };
        resending.chain(changes).chain(remind).chain(reliable).chain(session).min()
    }

    pub(crate) fn arm(&mut self, now: Instant, post: &mut Post<K>) {
        let deadline = self.deadline().map(|at| at.min(now + LOOK_AGAIN));
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

/// Whether an Allow has UPDATE; None without an Allow.
pub(crate) fn takes_update(headers: &Headers) -> Option<bool> {
    headers.has(&HeaderName::Allow).then(|| headers.has_token(&HeaderName::Allow, "UPDATE"))
}
