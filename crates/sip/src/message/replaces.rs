//! Replaces: the dialog in whose place a new one shall stand (RFC 3891).

use bytes::Bytes;

use super::scan::{trim, write_line};
use super::{HeaderError, HeaderName, Headers, Params, SyntaxError};

/// A dialog, as seen by whoever receives the header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaces {
    /// The dialog's Call-ID.
    pub call_id: Bytes,
    /// The receiver's own tag.
    pub to_tag: Bytes,
    /// The other side's tag.
    pub from_tag: Bytes,
    /// Only if it has not been answered yet.
    pub early_only: bool,
}

impl Replaces {
    /// Reads the value; that of a URI has to be unescaped before (`Uri::header`).
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        let end = source.iter().position(|byte| *byte == b';').unwrap_or(source.len());
        let call_id = trim(&source[..end]);
        if call_id.is_empty() || call_id.iter().any(|byte| *byte <= b' ' || matches!(byte, b',' | 0x7f)) {
            return Err(SyntaxError("the Call-ID is not one word"));
        }
        let params = Params::parse_header(&source, end)?;
        let times = |name: &str| params.iter().filter(|it| it.name.eq_ignore_ascii_case(name.as_bytes())).count();
        // RFC 3891, 3: exactly one tag of each.
        if times("to-tag") != 1 || times("from-tag") != 1 {
            return Err(SyntaxError("it needs one to-tag and one from-tag"));
        }
        let tag = |name: &str| params.get(name).filter(|tag| !tag.is_empty()).cloned();
        Ok(Replaces {
            call_id: source.slice_ref(call_id),
            to_tag: tag("to-tag").ok_or(SyntaxError("the to-tag is empty"))?,
            from_tag: tag("from-tag").ok_or(SyntaxError("the from-tag is empty"))?,
            early_only: params.has("early-only"),
        })
    }

    /// The value as it stands in the header.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(96);
        write_line(&mut out, &self.call_id);
        let mut params = Params::new();
        params.set("to-tag", self.to_tag.clone());
        params.set("from-tag", self.from_tag.clone());
        if self.early_only {
            params.set_flag("early-only");
        }
        params.write(&mut out);
        out.into()
    }
}

impl Headers {
    /// The dialog to replace. Two of them are an error (RFC 3891, 3).
    pub fn replaces(&self) -> Result<Option<Replaces>, HeaderError> {
        self.optional(&HeaderName::Replaces, Replaces::parse)
    }
}

impl From<&Replaces> for Bytes {
    fn from(replaces: &Replaces) -> Self {
        replaces.print()
    }
}

impl From<Replaces> for Bytes {
    fn from(replaces: Replaces) -> Self {
        replaces.print()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Uri;

    #[test]
    fn a_dialog_is_named_by_its_three_parts() {
        let headers = Headers::new()
            .with(HeaderName::Replaces, "425928@bobster.example.org;from-tag=7743;to-tag=6472;early-only");

        let replaces = headers.replaces().unwrap().unwrap();

        assert_eq!((replaces.call_id.as_ref(), replaces.early_only), (&b"425928@bobster.example.org"[..], true));
        assert_eq!(replaces.print(), "425928@bobster.example.org;to-tag=6472;from-tag=7743;early-only");
        assert_eq!(Replaces::parse(replaces.print()), Ok(replaces));
    }

    #[test]
    fn it_stands_escaped_in_the_address_of_a_transfer() {
        let uri = Uri::parse("sip:102@example.com?Replaces=9%40h%3Bto-tag%3Da%3Bfrom-tag%3Db&Require=replaces".into());

        let value = uri.unwrap().header("replaces").unwrap().into_owned();

        assert_eq!(Replaces::parse(value.into()).map(|it| it.call_id), Ok(Bytes::from_static(b"9@h")));
    }

    #[test]
    fn half_a_dialog_is_refused() {
        for value in [
            "",
            "a;to-tag=1",
            "a;from-tag=1",
            ";to-tag=1;from-tag=2",
            "a b;to-tag=1;from-tag=2",
            "a;to-tag=1;to-tag=2;from-tag=3",
            "a;to-tag=;from-tag=3",
            "a;to-tag;from-tag=3",
        ] {
            assert!(Headers::new().with(HeaderName::Replaces, value).replaces().is_err(), "{value}");
        }
    }
}
