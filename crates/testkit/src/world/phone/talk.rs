//! One call as a phone sees it.

use std::time::Duration;

use bytes::Bytes;
use model::CallId;
use sip::{HeaderName, NameAddr, Request, Uri};

use super::manner::Manner;
use super::sound::Sound;

/// A call of a phone.
#[derive(Debug)]
pub struct Talk {
    /// Names the dialog, with the tags.
    pub call_id: String,
    /// Whether the phone itself called.
    pub caller: bool,
    /// The number that was called.
    pub called: String,
    /// Who is calling, as the phone shows it: name and number.
    pub shown: String,
    /// Through how many switchboards the call could still go when it came in.
    pub hops: Option<u8>,
    /// How far it is.
    pub state: State,
    /// Its sound.
    pub sound: Sound,
    /// The INVITE that began it, ours or theirs.
    pub invite: Request,
    pub(super) local: NameAddr,
    pub(super) remote: NameAddr,
    pub(super) target: Uri,
    pub(super) cseq: u32,
    pub(super) manner: Manner,
    /// When the phone heard of it first.
    pub began: Duration,
    /// The phone has said that it rings.
    pub rang: bool,
    /// The last reliable provisional response that the phone has acknowledged.
    pub(super) pracked: u32,
    /// The phone has hung up while its call could not be cancelled yet.
    pub(super) give_up: bool,
    /// Their ACK to our answer has come.
    pub acked: bool,
    /// The provisional response that has not been acknowledged.
    pub(super) unheard: Option<Unheard>,
    /// One was acknowledged.
    pub(super) heard_of: bool,
    /// The phone has answered, and first a provisional response has to be acknowledged.
    pub(super) answer_waits: bool,
    /// The session as agreed, and how often it was.
    pub(super) session: Option<(Session, u32)>,
    /// The BYE to be sent once their ACK has come.
    pub(super) bye_waits: bool,
}

/// How far a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The phone calls. Whether anything has come back.
    Calling {
        /// A provisional response has come.
        proceeding: bool,
    },
    /// The phone is called.
    Called,
    /// Somebody answered.
    Up,
    /// Over.
    Gone(End),
}

/// How a call ended for a phone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The phone called and was refused with this status.
    Refused(u16),
    /// The phone called and heard nothing.
    Unheard,
    /// The phone refused.
    RefusedIt(u16),
    /// The caller gave up.
    Cancelled,
    /// The phone hung up.
    HungUp,
    /// The other side hung up.
    ByOther,
    /// Nobody refreshed the session.
    Expired,
    /// The phone answered, and its answer was never acknowledged.
    NeverAcked,
}

/// A session that ends unless it is refreshed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// It lives so long.
    pub seconds: u32,
    /// The phone itself refreshes it.
    pub by_phone: bool,
}

/// A provisional response that waits for its PRACK.
#[derive(Debug)]
pub(super) struct Unheard {
    pub(super) rseq: u32,
    pub(super) bytes: Bytes,
    pub(super) every: Duration,
    pub(super) until: Duration,
    /// An answer has to wait for the PRACK (RFC 3262, 3).
    pub(super) described: bool,
}

impl Talk {
    /// The call as the switchboard names it to its phones.
    pub fn named(&self) -> Option<CallId> {
        let call = self.invite.headers.get(&HeaderName::from_static("X-Callid"))?;
        std::str::from_utf8(call).ok()?.parse().ok()
    }

    /// Whether it is not over.
    pub fn is_live(&self) -> bool {
        !matches!(self.state, State::Gone(_))
    }

    /// Whether there may be sound.
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }
}
