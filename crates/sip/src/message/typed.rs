//! Headers read into types when somebody asks.

use bytes::Bytes;

use super::scan::{parse_number, split_list, trim};
use super::{CSeq, Contacts, HeaderError, HeaderName, Headers, NameAddr, SyntaxError, Via, limits};
use crate::digest::{Challenge, Credentials};

impl Headers {
    /// The topmost Via.
    pub fn via(&self) -> Result<Via, HeaderError> {
        let line = self.get(&HeaderName::Via).ok_or(HeaderError::Missing(HeaderName::Via))?;
        first_item(line).and_then(Via::parse).map_err(|why| malformed(&HeaderName::Via, why))
    }

    /// All Via, topmost first.
    pub fn vias(&self) -> Result<Vec<Via>, HeaderError> {
        self.list(&HeaderName::Via, Via::parse)
    }

    /// Puts another Via in the place of the topmost one.
    pub fn set_via(&mut self, via: &Via) {
        let Some(line) = self.first_mut(&HeaderName::Via) else { return self.push_front(HeaderName::Via, via) };
        let rest = match first_item(line) {
            Ok(first) => first.as_ptr() as usize - line.as_ptr() as usize + first.len(),
            Err(_) => line.len(),
        };
        let mut out = Vec::with_capacity(line.len() + 64);
        via.write(&mut out);
        out.extend_from_slice(&line[rest..]);
        *line = out.into();
    }

    /// Who asks.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        self.single(&HeaderName::From, NameAddr::parse)
    }

    /// Who is asked.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        self.single(&HeaderName::To, NameAddr::parse)
    }

    /// What names the call. Compared byte by byte.
    pub fn call_id(&self) -> Result<&Bytes, HeaderError> {
        let name = HeaderName::CallId;
        let value = self.once(&name)?.ok_or(HeaderError::Missing(name.clone()))?;
        if value.is_empty() || value.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
            return Err(malformed(&name, SyntaxError("it is not one word")));
        }
        Ok(value)
    }

    /// The number and method of the request.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        self.single(&HeaderName::CSeq, CSeq::parse)
    }

    /// Where to reach whoever wrote this.
    pub fn contacts(&self) -> Result<Contacts, HeaderError> {
        let mut lines = self.all(&HeaderName::Contact);
        if lines.next().is_some_and(|line| trim(line) == b"*") {
            return match lines.next() {
                None => Ok(Contacts::Star),
                Some(_) => Err(malformed(&HeaderName::Contact, SyntaxError("a star stands beside other contacts"))),
            };
        }
        self.name_addrs(&HeaderName::Contact).map(Contacts::List)
    }

    /// The one Contact of a message that makes or refreshes a dialog.
    pub fn contact(&self) -> Result<NameAddr, HeaderError> {
        match self.contacts()? {
            Contacts::List(mut contacts) if !contacts.is_empty() => Ok(contacts.swap_remove(0)),
            Contacts::List(_) => Err(HeaderError::Missing(HeaderName::Contact)),
            Contacts::Star => Err(malformed(&HeaderName::Contact, SyntaxError("a star is no address"))),
        }
    }

    /// The way a request still has to go.
    pub fn routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.name_addrs(&HeaderName::Route)
    }

    /// The way later requests of the dialog go.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.name_addrs(&HeaderName::RecordRoute)
    }

    /// The way back through the hops that a REGISTER came by (RFC 3327).
    pub fn paths(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.name_addrs(&HeaderName::Path)
    }

    /// The way a registrar wants our requests to go (RFC 3608).
    pub fn service_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.name_addrs(&HeaderName::ServiceRoute)
    }

    /// Whom to call instead (RFC 3515).
    pub fn refer_to(&self) -> Result<Option<NameAddr>, HeaderError> {
        self.optional(&HeaderName::ReferTo, NameAddr::parse)
    }

    /// Who sent us there (RFC 3892).
    pub fn referred_by(&self) -> Result<Option<NameAddr>, HeaderError> {
        self.optional(&HeaderName::ReferredBy, NameAddr::parse)
    }

    /// All addresses of a list header: Path, P-Asserted-Identity, Diversion …
    pub fn name_addrs(&self, name: &HeaderName) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(name, NameAddr::parse)
    }

    /// How many more hops the request may go.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        let number = self.number(&HeaderName::MaxForwards)?;
        let narrow = |number| u8::try_from(number).map_err(|_| malformed(&HeaderName::MaxForwards, NO_NUMBER));
        number.map(narrow).transpose()
    }

    /// Seconds until something ends. A number beyond 32 bits is an error.
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        self.number(&HeaderName::Expires)
    }

    /// The shortest time a registrar grants (RFC 3261, 20.23).
    pub fn min_expires(&self) -> Result<Option<u32>, HeaderError> {
        self.number(&HeaderName::MinExpires)
    }

    /// Seconds to wait before trying again; comment and parameters are passed over.
    pub fn retry_after(&self) -> Result<Option<u32>, HeaderError> {
        let read = |value: Bytes| {
            let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
            parse_number(&value[..end]).and_then(|seconds| u32::try_from(seconds).ok()).ok_or(NO_NUMBER)
        };
        self.optional(&HeaderName::RetryAfter, read)
    }

    /// The words of a list such as Supported, Require or Allow, in order. Empty parts are passed over.
    pub fn tokens<'a, 'n>(&'a self, name: &'n HeaderName) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.all(name).flat_map(|line| line.split(|byte| *byte == b',')).map(trim).filter(|token| !token.is_empty())
    }

    /// Whether a list has a word, case-blind.
    pub fn has_token(&self, name: &HeaderName, token: &str) -> bool {
        self.tokens(name).any(|word| word.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Whether the body is of a type, such as `application/sdp`; its parameters are passed over.
    pub fn is_content_type(&self, media_type: &str) -> bool {
        self.get(&HeaderName::ContentType).is_some_and(|value| {
            let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
            trim(&value[..end]).eq_ignore_ascii_case(media_type.as_bytes())
        })
    }

    /// Whether whoever sent this takes bodies of a type, such as `application/sdp`, in the answer. Without Accept it
    /// takes session descriptions (RFC 3261, 20.1).
    pub fn accepts(&self, media_type: &str) -> bool {
        let mut lines = self.all(&HeaderName::Accept).peekable();
        if lines.peek().is_none() {
            return media_type.eq_ignore_ascii_case("application/sdp");
        }
        let kind = media_type.split('/').next().unwrap_or_default();
        let mut ranges = lines.flat_map(|line| line.split(|byte| *byte == b','));
        ranges.any(|range| {
            let end = range.iter().position(|byte| *byte == b';').unwrap_or(range.len());
            let range = String::from_utf8_lossy(trim(&range[..end])).to_ascii_lowercase();
            range == "*/*" || range == format!("{kind}/*") || range.eq_ignore_ascii_case(media_type)
        })
    }

    /// The digests that were sent along, Authorization before Proxy-Authorization. Other schemes are passed over.
    pub fn credentials(&self) -> Result<Vec<Credentials>, HeaderError> {
        self.digests([HeaderName::Authorization, HeaderName::ProxyAuthorization], Credentials::parse)
    }

    /// The digests that are asked for, in order. Other schemes are passed over.
    pub fn challenges(&self) -> Result<Vec<Challenge>, HeaderError> {
        self.digests([HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate], Challenge::parse)
    }

    fn digests<T>(
        &self,
        names: [HeaderName; 2],
        read: impl Fn(&Bytes) -> Result<Option<T>, SyntaxError>,
    ) -> Result<Vec<T>, HeaderError> {
        let mut found = Vec::new();
        for name in &names {
            for line in self.all(name) {
                found.extend(read(line).map_err(|why| malformed(name, why))?);
            }
        }
        Ok(found)
    }

    pub(super) fn number(&self, name: &HeaderName) -> Result<Option<u32>, HeaderError> {
        let read = |value: Bytes| parse_number(&value).and_then(|number| u32::try_from(number).ok()).ok_or(NO_NUMBER);
        self.optional(name, read)
    }

    fn single<T>(&self, name: &HeaderName, read: impl Fn(Bytes) -> Result<T, SyntaxError>) -> Result<T, HeaderError> {
        self.optional(name, read)?.ok_or_else(|| HeaderError::Missing(name.clone()))
    }

    pub(super) fn optional<T>(
        &self,
        name: &HeaderName,
        read: impl Fn(Bytes) -> Result<T, SyntaxError>,
    ) -> Result<Option<T>, HeaderError> {
        self.once(name)?.map(|value| read(value.clone()).map_err(|why| malformed(name, why))).transpose()
    }

    fn once(&self, name: &HeaderName) -> Result<Option<&Bytes>, HeaderError> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(HeaderError::Repeated(name.clone())),
        }
    }

    pub(super) fn list<T>(
        &self,
        name: &HeaderName,
        read: impl Fn(Bytes) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, HeaderError> {
        let mut items = Vec::new();
        for line in self.all(name) {
            for item in split_list(line) {
                if items.len() == limits::LIST {
                    return Err(malformed(name, SyntaxError("there are too many values")));
                }
                let item = item.and_then(|item| read(line.slice_ref(item)));
                items.push(item.map_err(|why| malformed(name, why))?);
            }
        }
        Ok(items)
    }
}

pub(super) const NO_NUMBER: SyntaxError = SyntaxError("it is no number in its range");

fn malformed(header: &HeaderName, why: SyntaxError) -> HeaderError {
    HeaderError::Malformed { header: header.clone(), why }
}

fn first_item(line: &Bytes) -> Result<Bytes, SyntaxError> {
    split_list(line).next().unwrap_or(Err(SyntaxError("it is empty"))).map(|item| line.slice_ref(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_over_lines_and_commas() {
        let headers = Headers::new()
            .with(HeaderName::Route, "<sip:a@b;lr>, \"x, y\" <sip:c,d@e>")
            .with(HeaderName::Route, "<sip:f@g>");

        let routes = headers.routes().unwrap();

        let uris: Vec<_> = routes.iter().map(|route| route.uri.to_string()).collect();
        assert_eq!(uris, ["sip:a@b;lr", "sip:c,d@e", "sip:f@g"]);
    }

    #[test]
    fn the_topmost_via_is_replaced_within_its_line() {
        let mut headers = Headers::new().with(HeaderName::Via, "SIP/2.0/UDP a;branch=1 , SIP/2.0/UDP b;branch=2");
        let mut via = headers.via().unwrap();
        via.params.set("received", "192.0.2.1");

        headers.set_via(&via);

        let vias: Vec<_> = headers.vias().unwrap().iter().map(Via::to_string).collect();
        assert_eq!(vias, ["SIP/2.0/UDP a;branch=1;received=192.0.2.1", "SIP/2.0/UDP b;branch=2"]);
    }

    #[test]
    fn what_may_stand_once_is_refused_twice() {
        let headers = Headers::new().with(HeaderName::From, "<sip:a@b>").with(HeaderName::From, "<sip:a@b>");

        assert_eq!(headers.from(), Err(HeaderError::Repeated(HeaderName::From)));
        assert_eq!(headers.to(), Err(HeaderError::Missing(HeaderName::To)));
    }

    #[test]
    fn a_star_stands_alone() {
        let star = Headers::new().with(HeaderName::Contact, "*");

        assert_eq!(star.contacts(), Ok(Contacts::Star));
        assert!(star.clone().with(HeaderName::Contact, "<sip:a@b>").contacts().is_err());
        assert_eq!(Headers::new().contacts(), Ok(Contacts::List(vec![])));
    }

    #[test]
    fn small_headers_are_read() {
        let headers = Headers::new()
            .with(HeaderName::RetryAfter, "120 (in a meeting);duration=3600")
            .with(HeaderName::Supported, "timer, ,100rel")
            .with(HeaderName::ContentType, "Application/SDP ; charset=utf-8");

        assert_eq!(headers.retry_after(), Ok(Some(120)));
        assert!(headers.has_token(&HeaderName::Supported, "100REL"));
        assert_eq!(headers.tokens(&HeaderName::Supported).count(), 2);
        assert!(headers.is_content_type("application/sdp"));
    }

    #[test]
    fn ways_are_read_in_their_order() {
        let headers = Headers::new()
            .with(HeaderName::Path, "<sip:edge.example.com;lr;ob>,<sip:inner.example.com>")
            .with(HeaderName::ServiceRoute, "<sip:orig@scscf.example.com;lr>")
            .with(HeaderName::from_static("r"), "<sip:102@example.com?Replaces=1%3Bto-tag%3Da%3Bfrom-tag%3Db>")
            .with(HeaderName::from_static("b"), "sip:101@example.com");

        let loose: Vec<_> = headers.paths().unwrap().iter().map(NameAddr::is_loose).collect();
        assert_eq!(loose, [true, false]);
        assert_eq!(headers.service_routes().unwrap()[0].uri.to_string(), "sip:orig@scscf.example.com;lr");
        assert!(headers.refer_to().unwrap().unwrap().uri.header("Replaces").is_some());
        assert_eq!(headers.referred_by().unwrap().unwrap().uri.to_string(), "sip:101@example.com");
    }

    #[test]
    fn who_accepts_nothing_we_write_is_known() {
        let accepts = |value: &'static str| Headers::new().with(HeaderName::Accept, value).accepts("application/sdp");

        assert!(Headers::new().accepts("application/sdp") && !Headers::new().accepts("text/plain"));
        assert!(accepts("text/plain, Application/SDP;level=1") && accepts("application/*") && accepts("*/*;q=0.1"));
        assert!(!accepts("text/nobodyKnowsThis") && !accepts(""));
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let many = ["<sip:a@b>"; limits::LIST + 1].join(",");

        assert!(Headers::new().with(HeaderName::Route, many).routes().is_err());
    }
}
