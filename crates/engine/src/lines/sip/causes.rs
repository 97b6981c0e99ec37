//! Why a dialog ends, as headers say it (RFC 3326): the SIP status, and the Q.850 cause that a telephone network gave,
//! which passes between legs as it is (RFC 6432).

use bytes::Bytes;
use model::Language;
use sip::{HeaderName, Headers};

use crate::lines::End;

/// What a loser of several phones that rang is told.
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// Why a dialog is ended, for the other side.
pub(super) fn because(end: End) -> Headers {
    let mut headers = if end.elsewhere { elsewhere() } else { ours(end) };
    if let Some(cause) = end.cause {
        headers.push(HeaderName::Reason, Bytes::from(format!("Q.850;cause={cause}")));
    }
    headers
}

fn ours(end: End) -> Headers {
    let sip = format!("SIP;cause={};text=\"{}\"", end.reason.sip(), end.reason.sentence(Language::En));
    Headers::new().with(HeaderName::Reason, Bytes::from(sip))
}

/// Another phone has the call.
pub(super) fn elsewhere() -> Headers {
    Headers::new().with(HeaderName::Reason, ELSEWHERE)
}

/// Whether whoever ends a call says that somebody else took it.
pub(super) fn is_elsewhere(headers: &Headers) -> bool {
    let reasons = headers.reasons().unwrap_or_default();
    reasons.iter().any(|reason| reason.is_of("SIP") && reason.cause == Some(200))
}

#[cfg(test)]
mod tests {
    use model::Reason;

    use super::*;

    #[test]
    fn a_cause_that_came_is_said_again() {
        let end = End { cause: Some(17), ..End::new(Reason::Busy, 486) };

        assert_eq!(because(end).q850_cause(), Some(17));
        assert_eq!(because(Reason::Busy.into()).q850_cause(), None);
    }
}
