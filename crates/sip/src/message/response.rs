//! Responses.

use bytes::Bytes;

use super::scan::write_line;
use super::{HeaderError, HeaderName, Headers, NameAddr};

/// A response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// 100 to 699.
    pub status: u16,
    /// The phrase behind the status; only people read it.
    pub reason: Bytes,
    /// Everything else.
    pub headers: Headers,
    /// Empty when there is none.
    pub body: Bytes,
}

impl Response {
    /// A response without headers, with the usual phrase. To answer a request, ask the request for it.
    pub const fn new(status: u16) -> Self {
        let reason = Bytes::from_static(Self::status_phrase(status).as_bytes());
        Response { status, reason, headers: Headers::new(), body: Bytes::new() }
    }

    /// The same with one more header.
    pub fn with(mut self, name: HeaderName, value: impl Into<Bytes>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The response as it goes on the wire, with its Content-Length.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.headers.size() + self.body.len() + 64);
        out.extend_from_slice(b"SIP/2.0 ");
        out.extend_from_slice(self.status.to_string().as_bytes());
        out.push(b' ');
        write_line(&mut out, &self.reason);
        out.extend_from_slice(b"\r\n");
        self.headers.write(&mut out, &self.body);
        out.into()
    }

    /// Whether it tells of progress only.
    pub fn is_provisional(&self) -> bool {
        self.status < 200
    }

    /// Whether it grants what was asked.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Gives its To a tag, unless it has one.
    pub fn set_to_tag(&mut self, tag: impl Into<Bytes>) -> Result<(), HeaderError> {
        let to: NameAddr = self.headers.to()?;
        if to.tag().is_none() {
            self.headers.set(HeaderName::To, to.with_tag(tag));
        }
        Ok(())
    }

    /// Gives it a body of a type.
    pub fn set_body(&mut self, content_type: impl Into<Bytes>, body: impl Into<Bytes>) {
        self.headers.set(HeaderName::ContentType, content_type);
        self.body = body.into();
    }

    /// The usual phrase of a status.
    pub const fn status_phrase(status: u16) -> &'static str {
        match status {
            100 => "Trying",
            180 => "Ringing",
            181 => "Call Is Being Forwarded",
            182 => "Queued",
            183 => "Session Progress",
            199 => "Early Dialog Terminated",
            200 => "OK",
            202 => "Accepted",
            204 => "No Notification",
            300 => "Multiple Choices",
            301 => "Moved Permanently",
            302 => "Moved Temporarily",
            305 => "Use Proxy",
            380 => "Alternative Service",
            400 => "Bad Request",
            401 => "Unauthorized",
            402 => "Payment Required",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            406 => "Not Acceptable",
            407 => "Proxy Authentication Required",
            408 => "Request Timeout",
            410 => "Gone",
            412 => "Conditional Request Failed",
            413 => "Request Entity Too Large",
            414 => "Request-URI Too Long",
            415 => "Unsupported Media Type",
            416 => "Unsupported URI Scheme",
            420 => "Bad Extension",
            421 => "Extension Required",
            422 => "Session Interval Too Small",
            423 => "Interval Too Brief",
            428 => "Use Identity Header",
            429 => "Provide Referrer Identity",
            430 => "Flow Failed",
            433 => "Anonymity Disallowed",
            436 => "Bad Identity Info",
            437 => "Unsupported Credential",
            438 => "Invalid Identity Header",
            439 => "First Hop Lacks Outbound Support",
            469 => "Bad Info Package",
            480 => "Temporarily Unavailable",
            481 => "Call/Transaction Does Not Exist",
            482 => "Loop Detected",
            483 => "Too Many Hops",
            484 => "Address Incomplete",
            485 => "Ambiguous",
            486 => "Busy Here",
            487 => "Request Terminated",
            488 => "Not Acceptable Here",
            489 => "Bad Event",
            491 => "Request Pending",
            493 => "Undecipherable",
            494 => "Security Agreement Required",
            500 => "Server Internal Error",
            501 => "Not Implemented",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Server Time-out",
            505 => "Version Not Supported",
            513 => "Message Too Large",
            580 => "Precondition Failure",
            600 => "Busy Everywhere",
            603 => "Decline",
            604 => "Does Not Exist Anywhere",
            606 => "Not Acceptable",
            607 => "Unwanted",
            608 => "Rejected",
            _ => match status / 100 {
                1 => "Progress",
                2 => "OK",
                3 => "Redirected",
                4 => "Request Failed",
                5 => "Server Failed",
                _ => "Failed",
            },
        }
    }
}
