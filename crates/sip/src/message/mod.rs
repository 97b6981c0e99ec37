//! SIP messages as values (RFC 3261, 7 and 25): read from bytes, asked for their parts, printed as bytes.
//!
//! Header values are kept as the bytes that came; they are read into types when asked for. What a message must
//! have at the least is checked while it is parsed, so that a [`Message`] is one that can be answered.
//! Leaves transactions, dialogs and what a message means to others.

mod cseq;
mod diversion;
mod event;
mod framing;
mod headers;
mod history;
mod host;
pub mod limits;
mod malformed;
mod method;
mod name;
mod name_addr;
mod params;
mod parse;
mod party;
mod rack;
mod reason;
mod replaces;
mod request;
mod response;
mod scan;
mod session;
mod typed;
mod uri;
mod via;

pub use cseq::CSeq;
pub use diversion::{Diversion, DiversionReason};
pub use event::Event;
pub use framing::{Frame, Framer, FramingError};
pub use headers::Headers;
pub use history::{HistoryInfo, HistoryKind};
pub use host::Host;
pub use malformed::{HeaderError, Malformed, SyntaxError};
pub use method::Method;
pub use name::HeaderName;
pub use name_addr::{Contacts, NameAddr};
pub use params::{Param, Params};
pub use parse::{Framing, parse};
pub use party::Privacy;
pub use rack::RAck;
pub use reason::Reason;
pub use replaces::Replaces;
pub use request::Request;
pub use response::Response;
pub use session::SessionExpires;
pub use uri::{Scheme, Uri};
pub use via::{Rport, Via};

pub(crate) use scan::{parse_number, quoted_end, skip_space, token_end, trim, unquote, write_line, write_quoted};

use bytes::Bytes;

/// A request or a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// Somebody wants something.
    Request(Request),
    /// How it went.
    Response(Response),
}

impl Message {
    /// The message as it goes on the wire, with its Content-Length.
    pub fn print(&self) -> Bytes {
        match self {
            Message::Request(request) => request.print(),
            Message::Response(response) => response.print(),
        }
    }

    /// The headers of either kind.
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    /// The headers of either kind, to be changed.
    pub fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Message::Request(request) => &mut request.headers,
            Message::Response(response) => &mut response.headers,
        }
    }

    /// The body of either kind; empty when there is none.
    pub fn body(&self) -> &Bytes {
        match self {
            Message::Request(request) => &request.body,
            Message::Response(response) => &response.body,
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Message::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Message::Response(response)
    }
}
