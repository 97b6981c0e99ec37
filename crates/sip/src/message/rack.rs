//! RSeq and RAck: the numbers of reliable provisional responses (RFC 3262, 7).

use bytes::Bytes;

use super::scan::{parse_number, skip_space};
use super::{CSeq, HeaderError, HeaderName, Headers, SyntaxError};

/// RAck: which response a PRACK acknowledges.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RAck {
    /// The RSeq of the response.
    pub rseq: u32,
    /// The CSeq of the response.
    pub cseq: CSeq,
}

impl RAck {
    /// Reads `776656 1 INVITE`.
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        let end = source.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(source.len());
        let rseq = parse_number(&source[..end]).and_then(|rseq| u32::try_from(rseq).ok());
        let rseq = rseq.ok_or(SyntaxError("it does not begin with a 32-bit number"))?;
        let start = skip_space(&source, end);
        if start == end {
            return Err(SyntaxError("no CSeq follows the number"));
        }
        Ok(RAck { rseq, cseq: CSeq::parse(source.slice(start..))? })
    }

    /// The value as it stands in the header.
    pub fn print(&self) -> Bytes {
        format!("{} {}", self.rseq, self.cseq).into()
    }
}

impl Headers {
    /// The number of a reliable provisional response. Zero is none (RFC 3262, 3).
    pub fn rseq(&self) -> Result<Option<u32>, HeaderError> {
        match self.number(&HeaderName::RSeq)? {
            Some(0) => {
                let why = SyntaxError("it is zero");
                Err(HeaderError::Malformed { header: HeaderName::RSeq, why })
            }
            number => Ok(number),
        }
    }

    /// Which response a PRACK acknowledges.
    pub fn rack(&self) -> Result<Option<RAck>, HeaderError> {
        self.optional(&HeaderName::RAck, RAck::parse)
    }
}

impl From<&RAck> for Bytes {
    fn from(rack: &RAck) -> Self {
        rack.print()
    }
}

impl From<RAck> for Bytes {
    fn from(rack: RAck) -> Self {
        rack.print()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;

    #[test]
    fn an_acknowledgement_names_its_response() {
        let headers = Headers::new().with(HeaderName::RSeq, "776656").with(HeaderName::RAck, "776656 \t 1   INVITE");

        let rack = headers.rack().unwrap().unwrap();

        assert_eq!(rack, RAck { rseq: 776_656, cseq: CSeq { number: 1, method: Method::Invite } });
        assert_eq!(rack.print(), "776656 1 INVITE");
        assert_eq!(headers.rseq(), Ok(Some(776_656)));
    }

    #[test]
    fn broken_numbers_are_refused() {
        for value in ["", "1", "1 INVITE", "1 2", "x 1 INVITE", "4294967296 1 INVITE", "1 4294967296 INVITE"] {
            assert!(Headers::new().with(HeaderName::RAck, value).rack().is_err(), "{value}");
        }
        for value in ["0", "-1", "4294967296"] {
            assert!(Headers::new().with(HeaderName::RSeq, value).rseq().is_err(), "{value}");
        }
    }
}
