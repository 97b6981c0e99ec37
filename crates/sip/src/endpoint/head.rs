//! Answers to a request, written from the headers they copy of it (RFC 3261, 8.2.6.2).

use bytes::Bytes;

use super::identity::Identity;
use super::order::Body;
use super::spoken::Spoken;
use super::writing::{Own, write_header, write_number, write_rest};
use crate::message::write_line;
use crate::{HeaderName, Headers, Request, Response};

/// What every answer to one request begins with, ready to be written.
#[derive(Debug)]
pub(crate) struct Head {
    /// Via, From, Call-ID, CSeq and, without its line end, To.
    lines: Vec<u8>,
    /// For the answers that make a dialog.
    record_routes: Vec<u8>,
    /// True if the To came with a tag.
    is_tagged: bool,
}

/// One answer.
#[derive(Default)]
pub(crate) struct Answer<'a> {
    pub status: u16,
    /// The phrase; empty for the usual one.
    pub reason: &'a [u8],
    /// Goes into a To that has none.
    pub tag: Option<u64>,
    /// True for answers that make a dialog.
    pub makes_dialog: bool,
    pub contact: Option<&'a [u8]>,
    /// True for answers that say what we take.
    pub presents: bool,
    /// The number of a provisional answer that wants a PRACK.
    pub rseq: Option<u32>,
    pub session: Option<Spoken>,
    pub headers: Option<&'a Headers>,
    /// In place of a Content-Type among the headers.
    pub content_type: Option<&'a [u8]>,
    pub body: &'a [u8],
}

impl Head {
    pub(crate) fn of(request: &Request, is_tagged: bool) -> Self {
        let mut head = Self { lines: Vec::with_capacity(320), record_routes: Vec::new(), is_tagged };
        let mut to = None;
        for (name, value) in request.headers.iter() {
            match name {
                HeaderName::Via | HeaderName::From | HeaderName::CallId | HeaderName::CSeq => {
                    write_header(&mut head.lines, name, value);
                }
                HeaderName::To => to = Some(value),
                HeaderName::RecordRoute => write_header(&mut head.record_routes, name, value),
                _ => {}
            }
        }
        head.lines.extend_from_slice(b"To: ");
        write_line(&mut head.lines, to.map(|to| &to[..]).unwrap_or_default());
        head
    }

    pub(crate) fn print(&self, identity: &Identity, own: &Own, answer: &Answer<'_>) -> Bytes {
        let given = self.lines.len() + self.record_routes.len() + answer.headers.map_or(0, Headers::size);
        let ours = own.size(answer.presents)
            + answer.contact.map_or(0, <[u8]>::len)
            + answer.content_type.map_or(0, <[u8]>::len);
        let mut out = Vec::with_capacity(given + ours + answer.body.len() + 160);
        out.extend_from_slice(b"SIP/2.0 ");
        write_number(&mut out, usize::from(answer.status));
        out.push(b' ');
        match answer.reason {
            [] => out.extend_from_slice(Response::status_phrase(answer.status).as_bytes()),
            reason => write_line(&mut out, reason),
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.lines);
        if let Some(tag) = answer.tag
            && !self.is_tagged
        {
            out.extend_from_slice(b";tag=");
            identity.write_tag(&mut out, tag);
        }
        out.extend_from_slice(b"\r\n");
        if answer.makes_dialog {
            out.extend_from_slice(&self.record_routes);
        }
        let headers = answer.headers;
        let given = |name: &HeaderName| headers.is_some_and(|headers| headers.has(name));
        if let Some(contact) = answer.contact
            && !given(&HeaderName::Contact)
        {
            write_header(&mut out, &HeaderName::Contact, contact);
        }
        if !own.software.is_empty() && !given(&HeaderName::Server) {
            write_header(&mut out, &HeaderName::Server, own.software.as_bytes());
        }
        if answer.presents {
            own.present(&mut out, given);
        }
        if let Some(rseq) = answer.rseq {
            out.extend_from_slice(b"Require: 100rel\r\nRSeq: ");
            write_number(&mut out, rseq as usize);
            out.extend_from_slice(b"\r\n");
        }
        if let Some(session) = &answer.session {
            session.write(&mut out, given);
        }
        write_rest(&mut out, headers, answer.content_type, answer.body);
        // It is kept for a while: what was reserved in vain goes back.
        out.into_boxed_slice().into()
    }
}

impl<'a> Answer<'a> {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn of(response: &'a Response) -> Self {
        let Response { status, reason, headers, body } = response;
        Self { status: *status, reason, headers: Some(headers), body, ..Self::default() }
    }

    pub(crate) fn with(self, headers: &'a Headers, body: Option<&'a Body>) -> Self {
        let content_type = body.map(|body| &body.content_type[..]);
        Self { headers: Some(headers), content_type, body: body.map_or(&[], |body| &body.bytes), ..self }
    }
}
