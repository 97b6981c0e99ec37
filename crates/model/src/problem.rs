//! Why a command was not carried out: the one kind of failure that crosses layers.
//!
//! Each face translates it once: to an HTTP status, to a SIP status, to a vendor's code.

use serde::{Deserialize, Serialize};

use crate::{CallId, LegId, Reason, Source};

/// Why a command was not carried out, in a sentence for the person who asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "problem")]
pub enum Problem {
    /// The tenant has no such extension.
    #[error("extension {extension} does not exist: use a number from `extensions`")]
    NoSuchExtension {
        /// As it was asked for.
        extension: String,
    },
    /// Text that is no number.
    #[error("{detail}")]
    BadNumber {
        /// What is wrong with it.
        detail: String,
    },
    /// The tenant has no such call, or it is over.
    #[error("call {call} is not a live call of this tenant")]
    NoSuchCall {
        /// As it was asked for.
        call: CallId,
    },
    /// The call has no such live leg.
    #[error("call {call} has no live leg {leg}: use one of its `legs`, or an extension that talks in it")]
    NoSuchLeg {
        /// The call.
        call: CallId,
        /// As it was asked for.
        leg: String,
    },
    /// Several extensions talk in the call, and the order does not say which one acts; or none does.
    #[error("call {call} has no single extension that could act: name one of its legs in `leg`")]
    WhichLeg {
        /// The call.
        call: CallId,
        /// The live legs of extensions.
        candidates: Vec<LegId>,
    },
    /// The call is not at a point where this can be done.
    #[error("{detail}")]
    NotNow {
        /// The call.
        call: CallId,
        /// One sentence: what it is doing, and when the order makes sense.
        detail: String,
    },
    /// The extension is a member of no queue.
    #[error("extension {extension} is a member of no queue: add it to the members of one")]
    NoSuchAgent {
        /// As it was asked for.
        extension: String,
    },
    /// The source is not banned.
    #[error("{of} is not banned")]
    NoSuchBan {
        /// As it was asked for.
        of: Source,
    },
    /// The call was refused, or failed before the order was fulfilled.
    #[error("{detail}")]
    CallFailed {
        /// What the record says.
        reason: Reason,
        /// The SIP status of the phone or carrier, where one spoke.
        sip: Option<u16>,
        /// The call, where one was begun.
        call: Option<CallId>,
        /// One sentence: what happened and what to do.
        detail: String,
    },
    /// Nobody runs this tenant's calls at the moment.
    #[error("the switchboard is starting or stopping: try again in a few seconds")]
    Unavailable,
    /// The order got no reply in time; it may have been carried out.
    #[error("no reply within the time limit: look at the call's state before trying again")]
    TimedOut,
}

impl Problem {
    /// A call that was refused before it began.
    pub fn refused(reason: Reason, detail: impl Into<String>) -> Self {
        Self::CallFailed { reason, sip: None, call: None, detail: detail.into() }
    }
}
