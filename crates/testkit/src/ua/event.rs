//! What a user agent tells and asks of whoever drives it.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::Codec;
use sip::{Flow, Headers, Method};

/// One call of a user agent, in the order in which they began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CallNo(pub u64);

impl fmt::Display for CallNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}", self.0)
    }
}

/// What comes out of a user agent.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Send this.
    Send {
        /// Where to. A connection of 0 on a stream transport asks for one to be found or opened.
        flow: Flow,
        /// A whole message.
        bytes: Bytes,
    },
    /// Something happened.
    Event(Event),
    /// How the sound of a call travels from now on. None: it is over.
    Sound {
        /// Which call.
        call: CallNo,
        /// Where, and as what.
        sound: Option<Sound>,
    },
    /// A key was pressed in a call that has sound.
    Press {
        /// Which call.
        call: CallNo,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
}

/// How the sound of a call travels, as agreed by offer and answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sound {
    /// Where we listen, and send from.
    pub local: SocketAddr,
    /// Where the other side listens. None: nowhere.
    pub remote: Option<SocketAddr>,
    /// What we send.
    pub codec: Codec,
    /// The payload type under which we send it.
    pub payload_type: u8,
    /// The payload type under which we send keys.
    pub keys: Option<u8>,
    /// What may come, by payload type.
    pub listening: Vec<(u8, Codec)>,
    /// The payload type under which keys may come.
    pub listening_keys: Option<u8>,
    /// Whether we send.
    pub send: bool,
    /// Whether we listen.
    pub receive: bool,
}

/// What happened to a user agent.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The registrar knows us.
    Registered {
        /// For how long.
        expires: Duration,
    },
    /// The registrar forgot us, as we asked.
    Unregistered,
    /// The registrar refused, or did not answer (None).
    RegistrationFailed {
        /// Its status.
        status: Option<u16>,
    },
    /// Somebody calls us.
    IncomingCall {
        /// Which call.
        call: CallNo,
        /// The caller's number.
        from: String,
        /// The called number.
        called: String,
        /// The INVITE's headers.
        headers: Headers,
    },
    /// Whom we call rings.
    Ringing {
        /// Which call.
        call: CallNo,
    },
    /// Whom we call is heard before the answer.
    EarlyMedia {
        /// Which call.
        call: CallNo,
    },
    /// They answered, or we did.
    Answered {
        /// Which call.
        call: CallNo,
    },
    /// Whom we called refused. Also 487 after our CANCEL. The call is over.
    Refused {
        /// Which call.
        call: CallNo,
        /// Why.
        status: u16,
    },
    /// We refused who called. The call is over.
    Declined {
        /// Which call.
        call: CallNo,
        /// Why.
        status: u16,
    },
    /// The caller gave up before our answer, or our CANCEL crossed an answer. The call is over.
    Cancelled {
        /// Which call.
        call: CallNo,
    },
    /// Whom we called did not answer at all. The call is over.
    Failed {
        /// Which call.
        call: CallNo,
    },
    /// An answered call is over.
    Ended {
        /// Which call.
        call: CallNo,
        /// Whose doing it is.
        by: EndedBy,
        /// The Reason header of their BYE.
        reason: Option<String>,
    },
    /// The other side listens no more.
    HeldBy {
        /// Which call.
        call: CallNo,
    },
    /// The other side listens again.
    ResumedBy {
        /// Which call.
        call: CallNo,
    },
    /// The other side is on hold, as we asked.
    Held {
        /// Which call.
        call: CallNo,
    },
    /// The other side is back, as we asked.
    Resumed {
        /// Which call.
        call: CallNo,
    },
    /// The other side refused to be held or taken back; all is as it was.
    HoldRefused {
        /// Which call.
        call: CallNo,
        /// Why.
        status: u16,
    },
    /// The other side pressed a key.
    Key {
        /// Which call.
        call: CallNo,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
}

impl Event {
    /// The call it is about.
    pub fn call(&self) -> Option<CallNo> {
        match self {
            Event::Registered { .. } | Event::Unregistered | Event::RegistrationFailed { .. } => None,
            Event::IncomingCall { call, .. }
            | Event::Ringing { call }
            | Event::EarlyMedia { call }
            | Event::Answered { call }
            | Event::Refused { call, .. }
            | Event::Declined { call, .. }
            | Event::Cancelled { call }
            | Event::Failed { call }
            | Event::Ended { call, .. }
            | Event::HeldBy { call }
            | Event::ResumedBy { call }
            | Event::Held { call }
            | Event::Resumed { call }
            | Event::HoldRefused { call, .. }
            | Event::Key { call, .. } => Some(*call),
        }
    }

    /// Whether it is the last of its call.
    pub fn is_last(&self) -> bool {
        matches!(
            self,
            Event::Refused { .. }
                | Event::Declined { .. }
                | Event::Cancelled { .. }
                | Event::Failed { .. }
                | Event::Ended { .. }
        )
    }
}

/// Whose doing the end of an answered call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// We hung up.
    Us,
    /// They hung up.
    Them,
    /// The ACK to our answer never came.
    Nobody,
}

/// A request that was received, copies that were sent again included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// By which way.
    pub flow: Flow,
    /// What was asked.
    pub method: Method,
    /// Of whom: the user of the request URI.
    pub user: String,
    /// Of which dialog.
    pub call_id: String,
    /// Which request of the dialog.
    pub cseq: u32,
    /// Its Reason headers, as written.
    pub reasons: Vec<String>,
}

/// Why an order was not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OrderError {
    /// The call is over, or never was.
    #[error("there is no such call")]
    NoSuchCall,
    /// The call is not at a point where this can be done.
    #[error("the call is not at a point where this can be done")]
    NotNow,
    /// All lines are taken.
    #[error("all lines are taken")]
    NoLine,
    /// The target is no SIP address or number.
    #[error("the target is no SIP address or number")]
    BadTarget,
    /// The other side takes no keys, or there is no such key.
    #[error("the other side takes no such key")]
    NoSuchKey,
}
