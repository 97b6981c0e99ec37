//! The names of header fields: case-blind, with their compact forms (RFC 3261, 7.3.1 and 7.3.3).

use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;

macro_rules! header_names {
    ($($variant:ident = $name:literal $($compact:literal)?,)*) => {
        /// The name of a header field. A name we do not know is kept as it was written and compared case-blind.
        #[derive(Clone, Debug)]
        #[allow(missing_docs, reason = "the names of the RFCs say what they are")]
        pub enum HeaderName {
            $($variant,)*
            /// Any other name, as it was written.
            Other(Bytes),
        }

        impl HeaderName {
            /// The name in its long form.
            pub fn as_bytes(&self) -> &[u8] {
                match self {
                    $(HeaderName::$variant => $name.as_bytes(),)*
                    HeaderName::Other(name) => name,
                }
            }
        }

        /// Long names.
        const LONG: &[(&str, HeaderName)] = &[$(($name, HeaderName::$variant),)*];

        fn from_letter(letter: u8) -> Option<HeaderName> {
            $($(if letter == $compact { return Some(HeaderName::$variant); })?)*
            None
        }
    };
}

header_names! {
    Via = "Via" b'v',
    To = "To" b't',
    From = "From" b'f',
    CSeq = "CSeq",
    CallId = "Call-ID" b'i',
    Contact = "Contact" b'm',
    MaxForwards = "Max-Forwards",
    ContentLength = "Content-Length" b'l',
    ContentType = "Content-Type" b'c',
    Allow = "Allow",
    Supported = "Supported" b'k',
    UserAgent = "User-Agent",
    Route = "Route",
    RecordRoute = "Record-Route",
    Expires = "Expires",
    Authorization = "Authorization",
    ProxyAuthorization = "Proxy-Authorization",
    WwwAuthenticate = "WWW-Authenticate",
    ProxyAuthenticate = "Proxy-Authenticate",
    Server = "Server",
    Require = "Require",
    SessionExpires = "Session-Expires" b'x',
    MinSe = "Min-SE",
    Accept = "Accept",
    PAssertedIdentity = "P-Asserted-Identity",
    Reason = "Reason",
    RSeq = "RSeq",
    RAck = "RAck",
    Event = "Event" b'o',
    AllowEvents = "Allow-Events" b'u',
    SubscriptionState = "Subscription-State",
    ReferTo = "Refer-To" b'r',
    ReferredBy = "Referred-By" b'b',
    Replaces = "Replaces",
    Diversion = "Diversion",
    Privacy = "Privacy",
    Path = "Path",
    Date = "Date",
    Subject = "Subject" b's',
    RetryAfter = "Retry-After",
    Unsupported = "Unsupported",
    Warning = "Warning",
    MinExpires = "Min-Expires",
    ProxyRequire = "Proxy-Require",
    AcceptEncoding = "Accept-Encoding",
    AcceptLanguage = "Accept-Language",
    AcceptContact = "Accept-Contact" b'a',
    AlertInfo = "Alert-Info",
    AuthenticationInfo = "Authentication-Info",
    CallInfo = "Call-Info",
    ContentDisposition = "Content-Disposition",
    ContentEncoding = "Content-Encoding" b'e',
    ContentLanguage = "Content-Language",
    ErrorInfo = "Error-Info",
    FlowTimer = "Flow-Timer",
    HistoryInfo = "History-Info",
    Identity = "Identity" b'y',
    InReplyTo = "In-Reply-To",
    MimeVersion = "MIME-Version",
    Organization = "Organization",
    PCalledPartyId = "P-Called-Party-ID",
    PPreferredIdentity = "P-Preferred-Identity",
    Priority = "Priority",
    RejectContact = "Reject-Contact" b'j',
    RemotePartyId = "Remote-Party-ID",
    RequestDisposition = "Request-Disposition" b'd',
    ServiceRoute = "Service-Route",
    SipETag = "SIP-ETag",
    SipIfMatch = "SIP-If-Match",
    TargetDialog = "Target-Dialog",
    Timestamp = "Timestamp",
}

impl HeaderName {
    /// The header that a name, long or compact, stands for.
    pub fn from_token(token: Bytes) -> Self {
        Self::known(&token).unwrap_or(HeaderName::Other(token))
    }

    /// A name of our own choosing, such as `X-Call`.
    pub fn from_static(name: &'static str) -> Self {
        Self::from_token(Bytes::from_static(name.as_bytes()))
    }

    /// The header that a name stands for, when it is one of ours.
    pub(crate) fn known(token: &[u8]) -> Option<Self> {
        if let [letter] = token {
            return from_letter(letter.to_ascii_lowercase());
        }
        let mut place = place(token);
        while let Some((name, header)) = LONG.get(usize::from(PLACES[place])) {
            if name.as_bytes().eq_ignore_ascii_case(token) {
                return Some(header.clone());
            }
            place = (place + 1) % PLACES.len();
        }
        None
    }
}

/// For each place the name that is looked for there, as its number in `LONG`, or 255; a name whose place is taken
/// stands in the next free one.
const PLACES: [u8; 256] = {
    let mut places = [255; 256];
    let mut number = 0;
    while number < LONG.len() {
        let mut place = place(LONG[number].0.as_bytes());
        while places[place] != 255 {
            place = (place + 1) % places.len();
        }
        places[place] = number as u8;
        number += 1;
    }
    places
};

/// The place of a name: of its length, its first letter and its last two, whatever their case.
const fn place(name: &[u8]) -> usize {
    let [first, .., before, last] = name else { return name.len() };
    let mixed =
        (name.len() * 37) ^ ((*first | 32) as usize * 11) ^ ((*before | 32) as usize * 3) ^ ((*last | 32) as usize);
    mixed % 256
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (HeaderName::Other(ours), HeaderName::Other(theirs)) => ours.eq_ignore_ascii_case(theirs),
            // A known name kept as Other by hand is still that name.
            (HeaderName::Other(_), _) | (_, HeaderName::Other(_)) => {
                self.as_bytes().eq_ignore_ascii_case(other.as_bytes())
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for HeaderName {}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.as_bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}
