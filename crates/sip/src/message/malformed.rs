//! What is wrong with bytes that are no good message, header or URI.

use super::{HeaderName, Response};

/// What is wrong with a URI or a header value, as a short clause: "a quoted string does not end".
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SyntaxError(pub &'static str);

/// Why a header could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeaderError {
    /// The message must have it and does not.
    #[error("{0} is missing")]
    Missing(HeaderName),
    /// It may stand once and stands more often.
    #[error("{0} stands more than once")]
    Repeated(HeaderName),
    /// Its value does not follow its grammar.
    #[error("{header} cannot be read: {why}")]
    Malformed {
        /// Which header.
        header: HeaderName,
        /// What is wrong with it.
        why: SyntaxError,
    },
}

/// A message that is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct Malformed {
    /// What is wrong, for the log.
    pub sentence: String,
    /// The answer a request deserves, when there is enough of it to answer: 400, 505 … Never for an ACK or a response.
    ///
    /// It has no To tag of ours; it goes back to where the request came from, without a transaction.
    pub reply: Option<Response>,
}
