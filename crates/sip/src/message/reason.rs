//! Reason: why a call was ended or refused (RFC 3326), with the causes of Q.850 among them.

use bytes::Bytes;

use super::scan::{is_whole_token, parse_number, trim, write_line};
use super::{HeaderError, HeaderName, Headers, Params, SyntaxError};

/// One reason of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// `SIP`, `Q.850` or another.
    pub protocol: Bytes,
    /// A status of SIP, a cause of Q.850.
    pub cause: Option<u16>,
    /// What people may read.
    pub text: Option<Bytes>,
}

impl Reason {
    /// A status of SIP and its words: 200, `Call completed elsewhere`.
    pub fn sip(status: u16, text: &'static str) -> Self {
        let text = Some(Bytes::from_static(text.as_bytes()));
        Reason { protocol: Bytes::from_static(b"SIP"), cause: Some(status), text }
    }

    /// A cause of the telephone network, 1 to 127.
    pub fn q850(cause: u8) -> Self {
        Reason { protocol: Bytes::from_static(b"Q.850"), cause: Some(u16::from(cause)), text: None }
    }

    /// Whether it is of a protocol, such as `SIP`.
    pub fn is_of(&self, protocol: &str) -> bool {
        self.protocol.eq_ignore_ascii_case(protocol.as_bytes())
    }

    /// Reads one reason.
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        let end = source.iter().position(|byte| *byte == b';').unwrap_or(source.len());
        let protocol = trim(&source[..end]);
        if !is_whole_token(protocol) {
            return Err(SyntaxError("it does not begin with a protocol"));
        }
        let params = Params::parse_header(&source, end)?;
        let cause = params.get("cause").and_then(|digits| parse_number(digits));
        Ok(Reason {
            protocol: source.slice_ref(protocol),
            cause: cause.and_then(|cause| u16::try_from(cause).ok()),
            text: params.text("text").map(|text| Bytes::copy_from_slice(&text)),
        })
    }

    /// The value as it stands in the header.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(48);
        write_line(&mut out, &self.protocol);
        let mut params = Params::new();
        if let Some(cause) = self.cause {
            params.set("cause", cause.to_string());
        }
        if let Some(text) = &self.text {
            params.set_quoted("text", text);
        }
        params.write(&mut out);
        out.into()
    }
}

impl Headers {
    /// Why the call ended, one for each protocol.
    pub fn reasons(&self) -> Result<Vec<Reason>, HeaderError> {
        self.list(&HeaderName::Reason, Reason::parse)
    }

    /// The cause of Q.850 among the reasons, when there is one from 1 to 127. Carriers write texts with blanks and no
    /// quotes beside it; whatever else is broken, the cause is found.
    pub fn q850_cause(&self) -> Option<u8> {
        let values = self.all(&HeaderName::Reason).flat_map(|line| line.split(|byte| *byte == b','));
        let causes = values.filter_map(|value| {
            let mut parts = value.split(|byte| *byte == b';').map(trim);
            parts.next().filter(|protocol| protocol.eq_ignore_ascii_case(b"Q.850"))?;
            parts.find_map(|part| {
                let equals = part.iter().position(|byte| *byte == b'=')?;
                let (name, value) = (trim(&part[..equals]), trim(&part[equals + 1..]));
                name.eq_ignore_ascii_case(b"cause").then(|| parse_number(value))?
            })
        });
        causes.filter_map(|cause| u8::try_from(cause).ok()).find(|cause| (1..=127).contains(cause))
    }
}

impl From<&Reason> for Bytes {
    fn from(reason: &Reason) -> Self {
        reason.print()
    }
}

impl From<Reason> for Bytes {
    fn from(reason: Reason) -> Self {
        reason.print()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_reasons_stand_in_one_line_or_in_several() {
        let headers = Headers::new()
            .with(HeaderName::Reason, "SIP ;cause=200 ;text=\"Call completed, elsewhere\", q.850;cause=16")
            .with(HeaderName::Reason, "FreeSWITCH");

        let reasons = headers.reasons().unwrap();

        assert_eq!(reasons[0], Reason::sip(200, "Call completed, elsewhere"));
        assert_eq!((reasons.len(), reasons[2].cause, reasons[2].is_of("freeswitch")), (3, None, true));
        assert_eq!(headers.q850_cause(), Some(16));
    }

    #[test]
    fn a_reason_is_printed_with_its_text_in_quotes() {
        assert_eq!(Reason::q850(34).print(), "Q.850;cause=34");
        assert_eq!(Reason::sip(486, "say \"busy\"").print(), r#"SIP;cause=486;text="say \"busy\"""#);
    }

    #[test]
    fn a_cause_out_of_range_or_of_nothing_says_nothing() {
        for value in ["Q.850;cause=0", "Q.850;cause=128", "Q.850;cause=70000", "Q.850", ";cause=16", "SIP;cause=16", ""]
        {
            assert_eq!(Headers::new().with(HeaderName::Reason, value).q850_cause(), None, "{value}");
        }
    }

    #[test]
    fn a_cause_is_found_beside_a_text_without_quotes() {
        for value in [
            "Q.850 ;cause=16 ;text=\"Normal call clearing\"",
            "Q.850;cause=16;text=Normal call clearing",
            "q.850; text=x; Cause = 16",
            "SIP;cause=486;text=\"busy, gone\",Q.850;cause=16",
            "Q.850;cause=16,",
        ] {
            assert_eq!(Headers::new().with(HeaderName::Reason, value).q850_cause(), Some(16), "{value}");
        }
    }
}
