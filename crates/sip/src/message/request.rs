//! Requests, and the responses they call for.

use std::net::SocketAddr;

use bytes::Bytes;

use super::{HeaderError, HeaderName, Headers, Method, Response, Uri, Via};

/// A request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// Of whom.
    pub uri: Uri,
    /// Everything else.
    pub headers: Headers,
    /// Empty when there is none.
    pub body: Bytes,
}

impl Request {
    /// A request without headers.
    pub const fn new(method: Method, uri: Uri) -> Self {
        Request { method, uri, headers: Headers::new(), body: Bytes::new() }
    }

    /// The request as it goes on the wire, with its Content-Length.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.headers.size() + self.body.len() + 128);
        out.extend_from_slice(self.method.as_bytes());
        out.push(b' ');
        self.uri.write(&mut out);
        out.extend_from_slice(b" SIP/2.0\r\n");
        self.headers.write(&mut out, &self.body);
        out.into()
    }

    /// An answer to it: every Via, From, To, Call-ID and CSeq as they are here (RFC 3261, 8.2.6.2), the Timestamp in a
    /// 100, and the Record-Routes where the answer makes a dialog (12.1.1). It has no To tag but the one that is here.
    pub fn response(&self, status: u16) -> Response {
        let makes_dialog = matches!(self.method, Method::Invite | Method::Subscribe | Method::Refer | Method::Notify);
        let mut response = Response::new(status);
        for (name, value) in self.headers.iter() {
            let copied = match name {
                HeaderName::Via | HeaderName::From | HeaderName::To | HeaderName::CallId | HeaderName::CSeq => true,
                HeaderName::RecordRoute => makes_dialog && (101..300).contains(&status),
                HeaderName::Timestamp => status == 100,
                _ => false,
            };
            if copied {
                response.headers.push(name.clone(), value.clone());
            }
        }
        response
    }

    /// Writes down in the topmost Via where the request came from (see [`Via::stamp`]).
    pub fn stamp(&mut self, source: SocketAddr) -> Result<Via, HeaderError> {
        let mut via = self.headers.via()?;
        via.stamp(source);
        self.headers.set_via(&via);
        Ok(via)
    }

    /// Gives it a body of a type.
    pub fn set_body(&mut self, content_type: impl Into<Bytes>, body: impl Into<Bytes>) {
        self.headers.set(HeaderName::ContentType, content_type);
        self.body = body.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Framing, Message, parse};

    #[test]
    fn a_response_carries_what_the_request_is_known_by() {
        let request = invite();

        let ringing = request.response(180);
        let busy = request.response(486);

        assert_eq!(ringing.reason, "Ringing");
        assert_eq!(ringing.headers.vias(), request.headers.vias());
        assert_eq!(ringing.headers.cseq(), request.headers.cseq());
        assert_eq!(ringing.headers.record_routes().unwrap().len(), 1);
        assert!(busy.headers.record_routes().unwrap().is_empty());
        assert!(!busy.headers.has(&HeaderName::MaxForwards));
    }

    #[test]
    fn a_to_tag_is_given_once() {
        let mut response = invite().response(200);

        response.set_to_tag("one").unwrap();
        response.set_to_tag("two").unwrap();

        assert_eq!(response.headers.to().unwrap().tag().map(Bytes::as_ref), Some(&b"one"[..]));
    }

    #[test]
    fn a_stamped_request_leads_back_to_its_source() {
        let mut request = invite();

        let via = request.stamp("192.0.2.9:40000".parse().unwrap()).unwrap();

        assert_eq!(via.received(), Some("192.0.2.9".parse().unwrap()));
        assert_eq!(request.headers.via(), Ok(via));
        assert_eq!(request.headers.vias().unwrap().len(), 2);
    }

    fn invite() -> Request {
        let text = "INVITE sip:b@example.com SIP/2.0\r\n\
            Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport, SIP/2.0/TCP 10.0.0.2\r\n\
            Record-Route: <sip:192.0.2.5;lr>\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n\
            Call-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\r\n";
        match parse(Bytes::from_static(text.as_bytes()), Framing::Datagram) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }
}
