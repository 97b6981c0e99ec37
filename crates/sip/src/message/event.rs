//! Event: which events a subscription is about (RFC 6665, 8.2.1).

use bytes::Bytes;

use super::scan::{is_whole_token, trim, write_line};
use super::{HeaderError, HeaderName, Headers, Params, SyntaxError};

/// An event package and which subscription to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// `message-summary`, `dialog`, `refer` …, with its templates: `presence.winfo`.
    pub package: Bytes,
    /// `id` and others.
    pub params: Params,
}

impl Event {
    /// A package without an id.
    pub const fn of(package: &'static str) -> Self {
        Event { package: Bytes::from_static(package.as_bytes()), params: Params::new() }
    }

    /// The same with an id: the CSeq of a REFER, for one (RFC 3515, 2.4.6).
    pub fn with_id(mut self, id: impl Into<Bytes>) -> Self {
        self.params.set("id", id);
        self
    }

    /// Reads the value.
    pub fn parse(source: Bytes) -> Result<Self, SyntaxError> {
        let end = source.iter().position(|byte| *byte == b';').unwrap_or(source.len());
        let package = trim(&source[..end]);
        if !is_whole_token(package) {
            return Err(SyntaxError("it does not begin with an event package"));
        }
        Ok(Event { package: source.slice_ref(package), params: Params::parse_header(&source, end)? })
    }

    /// Whether it is a package by that name. Packages are compared with their case (RFC 6665, 8.2.1).
    pub fn is(&self, package: &str) -> bool {
        self.package == package.as_bytes()
    }

    /// What tells subscriptions within one dialog apart.
    pub fn id(&self) -> Option<&Bytes> {
        self.params.get("id")
    }

    /// The value as it stands in the header.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(32);
        write_line(&mut out, &self.package);
        self.params.write(&mut out);
        out.into()
    }
}

impl Headers {
    /// Which events are meant.
    pub fn event(&self) -> Result<Option<Event>, HeaderError> {
        self.optional(&HeaderName::Event, Event::parse)
    }
}

impl From<&Event> for Bytes {
    fn from(event: &Event) -> Self {
        event.print()
    }
}

impl From<Event> for Bytes {
    fn from(event: Event) -> Self {
        event.print()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_an_id_and_a_short_form() {
        let headers = Headers::new().with(HeaderName::from_static("o"), "refer ; id=93809823");

        let event = headers.event().unwrap().unwrap();

        assert!(event.is("refer") && !event.is("REFER"));
        assert_eq!(event, Event::of("refer").with_id("93809823"));
        assert_eq!(event.print(), "refer;id=93809823");
    }

    #[test]
    fn a_value_without_a_package_is_refused() {
        for value in ["", ";id=1", "two words", "refer;"] {
            assert!(Headers::new().with(HeaderName::Event, value).event().is_err(), "{value}");
        }
    }
}
