//! SIP for a switchboard: messages, session descriptions, digest authentication, transactions and dialogs.
//!
//! Pure: bytes, orders and the time come in, messages and news go out. Sockets, the clock, random numbers and
//! name resolution belong to whoever drives it.
//!
//! What others send is judged in [`parse`] (one message) and [`Framer`] (a stream of them); nothing a peer sends
//! makes this crate panic, or hold more than the limits in [`limits`].

mod dialog;
pub mod digest;
mod endpoint;
mod flow;
mod interface;
mod message;
pub mod sdp;
#[cfg(test)]
mod testing;
mod transaction;
mod wheel;

pub use dialog::{DialogSnapshot, NextHop};
pub use digest::Login;
pub use endpoint::{
    Body, DialogId, Endpoint, EndpointConfig, Failure, Incoming, Invite, Load, News, OutOfDialog, Output, Overload,
    Provisional, ServerId, SessionTimer, mark_of,
};
pub use flow::{Flow, Transport};
pub use interface::{Interface, Reach, Route, Speaks};
pub use wheel::{TimerId, Wheel};

pub use message::{
    CSeq, Contacts, Diversion, DiversionReason, Event, Frame, Framer, Framing, FramingError, HeaderError, HeaderName,
    Headers, HistoryInfo, HistoryKind, Host, Malformed, Message, Method, NameAddr, Param, Params, Privacy, RAck,
    Reason, Replaces, Request, Response, Rport, Scheme, SessionExpires, SyntaxError, Uri, Via, limits, parse,
};
