//! An address with a display name and parameters: From, To, Contact, Route and their like (RFC 3261, 20.10).

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::scan::{parse_number, quoted_end, skip_space, trim, unquote, write_quoted};
use super::{Params, SyntaxError, Uri};

/// `"display" <uri>;params`
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NameAddr {
    /// What people are shown, without quotes and escapes.
    pub display: Option<Bytes>,
    /// Who or where.
    pub uri: Uri,
    /// The parameters behind the brackets: `tag`, `q`, `expires` …
    pub params: Params,
}

impl NameAddr {
    /// `<uri>`
    pub const fn new(uri: Uri) -> Self {
        NameAddr { display: None, uri, params: Params::new() }
    }

    /// The same with a display name; an empty one is none.
    pub fn with_display(mut self, display: impl Into<Bytes>) -> Self {
        self.display = Some(display.into()).filter(|display| !display.is_empty());
        self
    }

    /// The same with a tag.
    pub fn with_tag(mut self, tag: impl Into<Bytes>) -> Self {
        self.params.set("tag", tag);
        self
    }

    /// The same with a parameter.
    pub fn with_param(mut self, name: &'static str, value: impl Into<Bytes>) -> Self {
        self.params.set(name, value);
        self
    }

    /// Reads one address. Without angle brackets, what follows a `;` belongs to the header, not to the URI.
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        let start = skip_space(&source, 0);
        let (display, open) = if source.get(start) == Some(&b'"') {
            let end = quoted_end(&source, start)?;
            let display = match unquote(&source[start..end]) {
                Cow::Borrowed(plain) => source.slice_ref(plain),
                Cow::Owned(plain) => plain.into(),
            };
            let open = skip_space(&source, end);
            if source.get(open) != Some(&b'<') {
                return Err(SyntaxError("no address follows the display name"));
            }
            (Some(display), open)
        } else {
            // A URI without brackets has none of these letters, so the first decides.
            let open = source[start..].iter().position(|byte| matches!(byte, b'<' | b'"'));
            let Some(open) = open.map(|length| start + length) else { return Self::parse_bare(&source, start) };
            let display = trim(&source[start..open]);
            // A parameter with a quoted value behind a URI without brackets.
            if source[open] == b'"' || display.contains(&b';') {
                return Self::parse_bare(&source, start);
            }
            if display.contains(&b',') {
                return Err(SyntaxError("a display name with a comma is not quoted"));
            }
            ((!display.is_empty()).then(|| source.slice_ref(display)), open)
        };
        let close = source[open..].iter().position(|byte| *byte == b'>').map(|length| open + length);
        let close = close.ok_or(SyntaxError("an angle bracket is not closed"))?;
        let uri = Uri::parse(source.slice(open + 1..close))?;
        let params = Params::parse_header(&source, close + 1)?;
        Ok(NameAddr { display, uri, params })
    }

    fn parse_bare(source: &Bytes, start: usize) -> Result<Self, SyntaxError> {
        let end = source[start..].iter().position(|byte| *byte == b';').map_or(source.len(), |length| start + length);
        let uri = source.slice_ref(trim(&source[start..end]));
        if uri.iter().any(|byte| matches!(byte, b'?' | b',')) {
            return Err(SyntaxError("a URI with a question mark or a comma needs angle brackets"));
        }
        Ok(NameAddr { display: None, uri: Uri::parse(uri)?, params: Params::parse_header(source, end)? })
    }

    /// The tag, when there is one that says something.
    pub fn tag(&self) -> Option<&Bytes> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// Whether this hop of a route leaves the request's target alone (RFC 3261, 16.12): its URI has `lr`.
    pub fn is_loose(&self) -> bool {
        self.uri.params.has("lr")
    }

    /// A parameter's value as written.
    pub fn param(&self, name: &str) -> Option<&Bytes> {
        self.params.get(name)
    }

    /// The preference in thousandths, 0 to 1000. A broken one counts as none.
    pub fn q(&self) -> Option<u16> {
        let value = self.params.get("q")?;
        let (whole, fraction) = match value.iter().position(|byte| *byte == b'.') {
            Some(dot) => (&value[..dot], &value[dot + 1..]),
            None => (&value[..], &[][..]),
        };
        let whole = parse_number(whole)?;
        if fraction.len() > 3 || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let thousandths =
            fraction.iter().chain(b"000").take(3).fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        match whole {
            0 => Some(thousandths),
            1 if thousandths == 0 => Some(1000),
            _ => None,
        }
    }

    /// Seconds until a binding ends. A number beyond 32 bits counts as the largest (RFC 3261, 20.19).
    pub fn expires(&self) -> Option<u32> {
        let digits = self.params.get("expires")?;
        let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        all_digits.then(|| parse_number(digits).and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(u32::MAX))
    }

    /// The address as it stands in a header.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(96);
        self.write(&mut out);
        out.into()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if let Some(display) = &self.display {
            write_quoted(out, display);
            out.push(b' ');
        }
        out.push(b'<');
        self.uri.write(out);
        out.push(b'>');
        self.params.write(out);
    }
}

/// What the Contact headers of a message say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Contacts {
    /// `*`: all bindings are meant.
    Star,
    /// These; perhaps none.
    List(Vec<NameAddr>),
}

impl From<&NameAddr> for Bytes {
    fn from(address: &NameAddr) -> Self {
        address.print()
    }
}

impl From<NameAddr> for Bytes {
    fn from(address: NameAddr) -> Self {
        address.print()
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.print()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_name_loses_its_quotes_and_gets_them_back() {
        let address = parse(r#""J Rosenberg \\\"" <sip:jdrosen@example.com> ; tag = 98asjd8"#);

        assert_eq!(address.display.as_deref(), Some(&br#"J Rosenberg \""#[..]));
        assert_eq!(address.tag().map(Bytes::as_ref), Some(&b"98asjd8"[..]));
        assert_eq!(address.print(), r#""J Rosenberg \\\"" <sip:jdrosen@example.com>;tag=98asjd8"#);
    }

    #[test]
    fn words_before_the_bracket_are_a_display_name_too() {
        assert_eq!(parse("A. Bell <sip:a@b>").display.as_deref(), Some(&b"A. Bell"[..]));
        assert_eq!(parse("caller<sip:a@b>").display.as_deref(), Some(&b"caller"[..]));
        assert_eq!(parse("Nguyễn <sip:a@b>").display.as_deref(), Some("Nguyễn".as_bytes()));
        assert_eq!(parse("<sip:a@b>").display, None);
    }

    #[test]
    fn without_brackets_parameters_belong_to_the_header() {
        let bare = parse("sip:a@b;unknown;tag=1");
        let bracketed = parse("<sip:a@b;unknown>;tag=1");

        assert!(bare.uri.params.is_empty());
        assert!(bare.params.has("unknown"));
        assert!(bracketed.uri.params.has("unknown"));
        assert_eq!(bracketed.tag(), bare.tag());
    }

    #[test]
    fn an_empty_tag_is_none() {
        assert_eq!(parse("<sip:a@b>;tag=").tag(), None);
    }

    #[test]
    fn preferences_are_thousandths() {
        let q = |value: &str| parse(&format!("<sip:a@b>;q={value}")).q();

        assert_eq!(
            [q("0.33"), q("1"), q("1.000"), q("0"), q(".5")],
            [Some(330), Some(1000), Some(1000), Some(0), None]
        );
        assert_eq!([q("1.001"), q("0.3333"), q("2"), q("x")], [None; 4]);
    }

    #[test]
    fn an_expiry_beyond_32_bits_is_the_largest() {
        assert_eq!(parse("<sip:a@b>;expires=280297596632815").expires(), Some(u32::MAX));
        assert_eq!(parse("<sip:a@b>;expires=soon").expires(), None);
    }

    #[test]
    fn a_name_with_line_ends_opens_no_header() {
        let address = NameAddr::new(Uri::parse(Bytes::from_static(b"sip:a@b")).unwrap()).with_display("x\r\nVia: y");

        assert_eq!(address.print(), r#""x  Via: y" <sip:a@b>"#);
    }

    #[test]
    fn sixty_five_parameters_are_too_many() {
        let many = format!("<sip:a@b>{}", ";x".repeat(65));

        assert_eq!(NameAddr::parse(many.into()), Err(SyntaxError("there are too many parameters")));
    }

    fn parse(text: &str) -> NameAddr {
        NameAddr::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }
}
