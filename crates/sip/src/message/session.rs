//! Session-Expires and Min-SE: how long a session lives without a refresh (RFC 4028).

use std::fmt;

use bytes::Bytes;

use super::scan::{parse_number, trim};
use super::typed::NO_NUMBER;
use super::{HeaderError, HeaderName, Headers, Params, SyntaxError};

/// Session-Expires (RFC 4028, 4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionExpires {
    /// Seconds without a refresh after which the session ends.
    pub seconds: u32,
    /// `refresher`, `uac` or `uas`, when one is named.
    pub refresher: Option<Bytes>,
}

impl SessionExpires {
    /// Whether whoever sent the request refreshes.
    pub fn is_uac(&self) -> bool {
        self.refresher.as_ref().is_some_and(|role| role.eq_ignore_ascii_case(b"uac"))
    }

    /// Whether whoever answers the request refreshes.
    pub fn is_uas(&self) -> bool {
        self.refresher.as_ref().is_some_and(|role| role.eq_ignore_ascii_case(b"uas"))
    }

    /// The value as it stands in the header.
    pub fn print(&self) -> Bytes {
        self.to_string().into()
    }
}

impl Headers {
    /// When the session ends unless it is refreshed.
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, HeaderError> {
        let read = |value: Bytes| {
            let (seconds, params) = read_seconds(&value)?;
            Ok(SessionExpires { seconds, refresher: params.get("refresher").cloned() })
        };
        self.optional(&HeaderName::SessionExpires, read)
    }

    /// The shortest session interval a peer takes (RFC 4028, 5).
    pub fn min_se(&self) -> Result<Option<u32>, HeaderError> {
        let read = |value: Bytes| read_seconds(&value).map(|(seconds, _)| seconds);
        self.optional(&HeaderName::MinSe, read)
    }
}

fn read_seconds(value: &Bytes) -> Result<(u32, Params), SyntaxError> {
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let seconds = parse_number(trim(&value[..end])).and_then(|seconds| u32::try_from(seconds).ok());
    Ok((seconds.ok_or(NO_NUMBER)?, Params::parse_header(value, end)?))
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match &self.refresher {
            Some(role) => write!(f, ";refresher={}", String::from_utf8_lossy(role)),
            None => Ok(()),
        }
    }
}

impl From<&SessionExpires> for Bytes {
    fn from(session: &SessionExpires) -> Self {
        session.print()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_and_its_refresher_are_read() {
        let headers = Headers::new()
            .with(HeaderName::from_static("x"), "1800 ; refresher=UAS")
            .with(HeaderName::MinSe, "90;strange=1");

        let session = headers.session_expires().unwrap().unwrap();

        assert_eq!((session.seconds, session.is_uas(), session.is_uac()), (1800, true, false));
        assert_eq!(session.print(), "1800;refresher=UAS");
        assert_eq!(headers.min_se(), Ok(Some(90)));
    }

    #[test]
    fn an_interval_that_is_no_number_is_refused() {
        for value in ["", "soon", "4294967296", "90 s", "-1"] {
            assert!(Headers::new().with(HeaderName::SessionExpires, value).session_expires().is_err(), "{value}");
        }
    }
}
