//! What the endpoint tells, and the names of what it keeps.

use bytes::Bytes;

use super::ids::{DialogId, ServerId};
use super::order::Incoming;
use crate::{Flow, Method, Request, Response, Uri};

/// What comes out of the endpoint.
#[derive(Debug)]
pub enum Output<K> {
    /// Send this.
    Send {
        /// Where to. A connection of 0 on a stream transport asks for one to be found or opened.
        flow: Flow,
        /// A whole message.
        bytes: Bytes,
    },
    /// Something an asker should know.
    News(News<K>),
}

/// What happened. `key` is the asker's own.
///
/// Each `invite` ends in exactly one of `Answered`, `Refused`, `Failed`, `Cancelled`; an answered dialog in one of `Bye`,
/// `NeverAcked` and `Expired`, unless the asker itself said `bye`: then nothing more is told of it.
#[derive(Debug)]
pub enum News<K> {
    /// A request outside of a dialog that needs an answer; never ACK or CANCEL.
    Incoming(Incoming),
    /// 101 to 199 to our INVITE. One that wants to be acknowledged (RFC 3262) has its PRACK; copies are not told.
    Progress {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// Which of its early dialogs: 0, 1, 2 … as they were first heard of.
        fork: u64,
        /// What came.
        response: Response,
    },
    /// A 2xx to our INVITE. It has its ACK. 2xx of further forks are acknowledged and ended inside.
    Answered {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// Which of its early dialogs answered; a fresh number if it was not heard of before.
        fork: u64,
        /// What came.
        response: Response,
    },
    /// Our INVITE was refused; the dialog is gone.
    Refused {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// What came.
        response: Response,
    },
    /// Our INVITE got no final response; the dialog is gone.
    Failed {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// Why.
        why: Failure,
    },
    /// The INVITE was cancelled: theirs by them (200 and 487 are sent), or ours by us when a 2xx crossed the CANCEL
    /// (ACK and BYE are sent). The dialog is gone.
    Cancelled {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// Their CANCEL, which may say why; none of ours.
        request: Option<Request>,
    },
    /// The first ACK for a 2xx of ours; or the PRACK that answers an offer of ours in a provisional answer.
    Acked {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// The ACK; it may carry an answer.
        request: Request,
    },
    /// No ACK came for a 2xx of ours and BYE is sent, or no PRACK for a provisional answer and 504 is sent; the dialog is
    /// gone.
    NeverAcked {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
    },
    /// They hung up. 200 is sent; the dialog is gone.
    Bye {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// The BYE; it may say why.
        request: Request,
    },
    /// A request in a dialog that needs an answer: re-INVITE, UPDATE, a PRACK with an offer, INFO, REFER … One that meets
    /// an offer which is still open is refused inside (491, or 500 with Retry-After).
    Request {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// Which of its early dialogs, for a call of ours that is not answered yet; otherwise 0.
        fork: u64,
        /// What to answer it by.
        server: ServerId,
        /// What came.
        request: Request,
    },
    /// How our re-INVITE or UPDATE ended. Without any final response: a 408 made here, as RFC 3261, 8.1.3.1 has it.
    ReinviteDone {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// INVITE or UPDATE.
        method: Method,
        /// The 2xx, or what came in its place.
        result: Result<Response, Response>,
        /// True if the 2xx carries an offer, as ours did not: its ACK waits for `acknowledge` with our answer.
        wants_answer: bool,
    },
    /// Requests of the dialog have to go to a host by name. Until `set_flow` says where that is, they go down the flow.
    Locate {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
        /// The topmost Route, or the remote target.
        uri: Uri,
    },
    /// The session has to be refreshed, and the peer does not take an UPDATE: a `reinvite` with the present session
    /// description is due (RFC 4028, 7.4).
    Refresh {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
    },
    /// The session was not refreshed in time. BYE is sent; the dialog is gone.
    Expired {
        /// The asker's key.
        key: K,
        /// Which call.
        dialog: DialogId,
    },
    /// The final response to a request of ours.
    Response {
        /// The asker's key.
        key: K,
        /// None for a request outside of a dialog.
        dialog: Option<DialogId>,
        /// What came.
        response: Response,
    },
    /// A request of ours got no final response.
    RequestFailed {
        /// The asker's key.
        key: K,
        /// None for a request outside of a dialog.
        dialog: Option<DialogId>,
        /// Why.
        why: Failure,
    },
}

/// Why a request got no final response.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody answered in time.
    #[error("nobody answered in time")]
    TimedOut,
    /// The connection it was sent on is gone, or could not be opened.
    #[error("the connection is gone")]
    FlowLost,
    /// It was not sent: too much is going on.
    #[error("too many requests are under way")]
    Overloaded,
}

/// A limit is reached. For a request of theirs, 503 with Retry-After has been sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many calls or requests are under way")]
pub struct Overload;

/// What an endpoint keeps.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Load {
    /// Transactions, those included that only absorb what is sent again.
    pub transactions: usize,
    /// Dialogs, early and ending ones included.
    pub dialogs: usize,
}
