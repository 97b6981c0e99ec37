//! What an asker orders of the endpoint.

use std::time::Duration;

use bytes::Bytes;

use super::facts::Facts;
use crate::dialog::NextHop;
use crate::digest::Login;
use crate::{Flow, HeaderName, Headers, Interface, Method, NameAddr, Request, Uri};

/// How an endpoint is set up.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Shown in User-Agent and Server; empty for neither.
    pub software: String,
    /// Stands, followed by a dot, at the beginning of every Call-ID, tag and (behind the cookie) branch made here, so
    /// that whoever shares out messages knows whose they are: `12`. See [`mark_of`](crate::mark_of).
    pub mark: String,
    /// Our SIP interfaces; `Flow::interface` is an index into them.
    pub interfaces: Vec<Interface>,
    /// Stands as Allow in INVITE, UPDATE and what answers them, unless an asker gives another; empty for none.
    pub allow: String,
    /// Whether sessions are refreshed (RFC 4028), and how often. None: neither asked for nor granted.
    pub session: Option<SessionTimer>,
    /// How many transactions may be open at a time, ours and theirs. Those that are done and only absorb what is sent
    /// again are kept up to the same number.
    pub max_transactions: usize,
    /// How many dialogs may exist at a time, early ones included.
    pub max_dialogs: usize,
}

/// How long a session lasts without a refresh (RFC 4028). Whole seconds count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionTimer {
    /// What is asked for, and the most that is granted.
    pub expires: Duration,
    /// The least that is granted (Min-SE); never under 90 s. Whoever asks for less gets 422.
    pub min: Duration,
}

/// A body and what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    /// Its Content-Type, such as `application/sdp`.
    pub content_type: Bytes,
    /// Itself.
    pub bytes: Bytes,
}

impl Body {
    /// A session description.
    pub fn sdp(bytes: impl Into<Bytes>) -> Self {
        Self { content_type: Bytes::from_static(b"application/sdp"), bytes: bytes.into() }
    }
}

/// An INVITE to be sent that begins a dialog.
///
/// Via, Max-Forwards (70), tags, Call-ID, CSeq, Contact, User-Agent, Allow, Supported, Session-Expires, Min-SE and
/// Content-Type are added; those that are no numbers of the endpoint win over ours when they stand among `headers`.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Where it is sent.
    pub flow: Flow,
    /// The request URI.
    pub uri: Uri,
    /// Who calls; its tag is replaced.
    pub from: NameAddr,
    /// Who is called.
    pub to: NameAddr,
    /// Routes that are known beforehand: a Path, an outbound proxy.
    pub route: Vec<NameAddr>,
    /// Everything else it should say.
    pub headers: Headers,
    /// Usually an offer.
    pub body: Option<Body>,
    /// For challenges, in the whole dialog.
    pub credentials: Option<Login>,
    /// If no response of any kind, not even 100, comes within this time, it ends in `Failed` as timed out. Whatever comes
    /// later is dealt with inside: a CANCEL, or ACK and BYE. None: 64 T1.
    pub answer_within: Option<Duration>,
    /// Where later requests of the dialog go; the INVITE goes to `flow`.
    pub next_hop: NextHop,
}

/// A request outside of a dialog: REGISTER, OPTIONS, MESSAGE …
///
/// Its CSeq is higher than that of any such request before it, so a REGISTER that keeps its Call-ID is a refresh.
#[derive(Clone, Debug)]
pub struct OutOfDialog {
    /// Not INVITE, ACK, BYE or CANCEL.
    pub method: Method,
    /// Where it is sent.
    pub flow: Flow,
    /// The request URI.
    pub uri: Uri,
    /// Who asks; its tag is replaced.
    pub from: NameAddr,
    /// Whom it is about.
    pub to: NameAddr,
    /// Routes that are known beforehand.
    pub route: Vec<NameAddr>,
    /// Everything else it should say. A Contact is added only if it is here.
    pub headers: Headers,
    /// If there is one.
    pub body: Option<Body>,
    /// For a challenge.
    pub credentials: Option<Login>,
    /// The Call-ID of an earlier one that this one refreshes; a fresh one otherwise. See `Endpoint::new_call_id`.
    pub call_id: Option<Bytes>,
}

/// A response between 101 and 199.
#[derive(Clone, Debug)]
pub struct Provisional {
    /// 101 to 199.
    pub status: u16,
    /// What it should say besides To tag and Contact.
    pub headers: Headers,
    /// Early sound.
    pub body: Option<Body>,
}

impl Provisional {
    /// One without anything besides its status: 180.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Headers::new(), body: None }
    }
}

/// A request outside of a dialog that waits for an answer.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// What it came by.
    pub flow: Flow,
    /// Itself; its topmost Via tells where it came from (RFC 3581).
    pub request: Request,
    pub(crate) facts: Facts,
}

/// Headers that the endpoint writes; given by an asker they are passed over.
pub(crate) fn is_ours(name: &HeaderName) -> bool {
    matches!(
        name,
        HeaderName::Via
            | HeaderName::From
            | HeaderName::To
            | HeaderName::CallId
            | HeaderName::CSeq
            | HeaderName::Route
            | HeaderName::ContentLength
    )
}
