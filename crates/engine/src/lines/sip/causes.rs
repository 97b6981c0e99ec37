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
    let sip = format!("SIP;cause={};text=\"{}\"", end.reason.sip(), end.reason.sentence(Language::En));
    let mut headers = Headers::new().with(HeaderName::Reason, Bytes::from(sip));
    if let Some(cause) = end.cause {
        headers.push(HeaderName::Reason, Bytes::from(format!("Q.850;cause={cause}")));
    }
    headers
}

/// Another phone has the call.
pub(super) fn elsewhere() -> Headers {
    Headers::new().with(HeaderName::Reason, ELSEWHERE)
}

/// The Q.850 cause that a message gives.
pub(super) fn cause_in(headers: &Headers) -> Option<u8> {
    headers.all(&HeaderName::Reason).flat_map(|value| value.split(|byte| *byte == b',')).find_map(read_cause)
}

/// `Q.850 ;cause=16 ;text="Normal call clearing"`
fn read_cause(value: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(value).ok()?;
    let (protocol, parameters) = text.split_once(';')?;
    if !protocol.trim().eq_ignore_ascii_case("Q.850") {
        return None;
    }
    let cause = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("cause").then(|| value.trim())
    })?;
    cause.parse().ok().filter(|cause| (1..=127).contains(cause))
}

#[cfg(test)]
mod tests {
    use model::Reason;

    use super::*;

    #[test]
    fn a_cause_is_found_beside_other_reasons() {
        let beside = "SIP;cause=200;text=\"Call, completed\", q.850 ;cause=17 ; text=\"User busy\"";

        assert_eq!(cause_in(&Headers::new().with(HeaderName::Reason, beside)), Some(17));
        assert_eq!(cause_in(&Headers::new().with(HeaderName::Reason, ELSEWHERE)), None);
        assert_eq!(cause_in(&Headers::new().with(HeaderName::Reason, "Q.850;cause=0")), None);
        assert_eq!(cause_in(&Headers::new().with(HeaderName::Reason, "Q.850;cause=999")), None);
        assert_eq!(cause_in(&Headers::new()), None);
    }

    #[test]
    fn a_cause_that_came_is_said_again() {
        let end = End { cause: Some(17), ..End::new(Reason::Busy, 486) };

        assert_eq!(cause_in(&because(end)), Some(17));
        assert_eq!(cause_in(&because(Reason::Busy.into())), None);
    }
}
