//! A request of ours, written.

use std::net::SocketAddr;

use bytes::Bytes;

use super::identity::Identity;
use super::order::Body;
use super::sign_in::Signature;
use super::spoken::Spoken;
use super::writing::{Own, write_address, write_header, write_number, write_rest};
use crate::dialog::{Addressed, Dialog, Remote};
use crate::{HeaderName, Headers, Method, Transport};

/// What a request is made of.
pub(crate) struct Draft<'a> {
    pub method: &'a Method,
    pub addressed: Addressed<'a>,
    /// The number in its branch.
    pub branch: u64,
    pub from: &'a [u8],
    pub to: &'a [u8],
    pub call_id: &'a [u8],
    pub cseq: u32,
    pub contact: Option<&'a [u8]>,
    pub signatures: &'a [Signature],
    /// Whether it says what we take.
    pub presents: bool,
    pub session: Option<Spoken>,
    pub headers: Option<&'a Headers>,
    pub body: Option<&'a Body>,
}

impl<'a> Draft<'a> {
    /// A request of a dialog to its other side, or to that of one of its early dialogs. It says nothing besides.
    pub(crate) fn of(method: &'a Method, branch: u64, cseq: u32, dialog: &'a Dialog, remote: &'a Remote) -> Self {
        Self {
            method,
            addressed: remote.addressed(),
            branch,
            from: &dialog.local,
            to: &remote.address,
            call_id: &dialog.call_id,
            cseq,
            contact: None,
            signatures: &[],
            presents: false,
            session: None,
            headers: None,
            body: None,
        }
    }

    pub(crate) fn print(&self, identity: &Identity, own: &Own, transport: Transport, ours: SocketAddr) -> Bytes {
        let body = self.body.map_or(&[][..], |body| &body.bytes);
        let routes: usize = self.addressed.routes.iter().map(|route| route.len() + 10).sum();
        let contact = self.contact.map_or(0, <[u8]>::len)
            + self.signatures.iter().map(|(_, value)| value.len() + 32).sum::<usize>();
        let names =
            self.addressed.uri.len() + self.from.len() + self.to.len() + self.call_id.len() + own.size(self.presents);
        let given = self.headers.map_or(0, Headers::size) + body.len();
        let mut out = Vec::with_capacity(routes + contact + names + given + 320);
        out.extend_from_slice(self.method.as_bytes());
        out.push(b' ');
        out.extend_from_slice(&self.addressed.uri);
        out.extend_from_slice(b" SIP/2.0\r\nVia: SIP/2.0/");
        out.extend_from_slice(transport.via_name().as_bytes());
        out.push(b' ');
        write_address(&mut out, ours);
        out.extend_from_slice(b";rport;branch=");
        identity.write_branch(&mut out, self.branch);
        out.extend_from_slice(b"\r\n");
        let given = |name: &HeaderName| self.headers.is_some_and(|headers| headers.has(name));
        if !given(&HeaderName::MaxForwards) {
            out.extend_from_slice(b"Max-Forwards: 70\r\n");
        }
        for route in self.addressed.routes.iter() {
            write_header(&mut out, &HeaderName::Route, route);
        }
        write_header(&mut out, &HeaderName::From, self.from);
        write_header(&mut out, &HeaderName::To, self.to);
        write_header(&mut out, &HeaderName::CallId, self.call_id);
        out.extend_from_slice(b"CSeq: ");
        write_number(&mut out, self.cseq as usize);
        out.push(b' ');
        out.extend_from_slice(self.method.as_bytes());
        out.extend_from_slice(b"\r\n");
        if let Some(contact) = self.contact
            && !given(&HeaderName::Contact)
        {
            write_header(&mut out, &HeaderName::Contact, contact);
        }
        for (name, value) in self.signatures {
            write_header(&mut out, name, value);
        }
        if !own.software.is_empty() && !given(&HeaderName::UserAgent) {
            write_header(&mut out, &HeaderName::UserAgent, own.software.as_bytes());
        }
        if self.presents {
            own.present(&mut out, given);
        }
        if let Some(session) = &self.session {
            session.write(&mut out, given);
        }
        write_rest(&mut out, self.headers, self.body.map(|body| &body.content_type[..]), body);
        // It is kept for a while: what was reserved in vain goes back.
        out.into_boxed_slice().into()
    }
}
