//! CSeq: the order of requests in a dialog (RFC 3261, 20.16).

use std::fmt;

use bytes::Bytes;

use super::scan::{is_whole_token, parse_number, skip_space};
use super::{Method, SyntaxError};

/// A request's number and method.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CSeq {
    /// Any 32-bit number is read. We begin below 2^31, as RFC 3261, 8.1.1.5 asks.
    pub number: u32,
    /// The request's method, also in its responses.
    pub method: Method,
}

impl CSeq {
    /// Reads `314159 INVITE`.
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        let end = source.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(source.len());
        let number = parse_number(&source[..end]).and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or(SyntaxError("it does not begin with a 32-bit number"))?;
        let start = skip_space(&source, end);
        if start == end || !is_whole_token(&source[start..]) {
            return Err(SyntaxError("no method follows the number"));
        }
        Ok(CSeq { number, method: Method::from_token(source.slice(start..)) })
    }

    /// The value as it stands in the header.
    pub fn print(&self) -> Bytes {
        let mut out = self.number.to_string().into_bytes();
        out.push(b' ');
        out.extend_from_slice(self.method.as_bytes());
        out.into()
    }
}

impl From<&CSeq> for Bytes {
    fn from(cseq: &CSeq) -> Self {
        cseq.print()
    }
}

impl From<CSeq> for Bytes {
    fn from(cseq: CSeq) -> Self {
        cseq.print()
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
