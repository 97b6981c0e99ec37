//! Answers to INVITEs of ours that nobody knows any more: given up, refused by another fork, or sent before a restart.
//!
//! Whoever answered believes in a call; it gets its ACK and a BYE. What shows that the INVITE was ours is the mark in
//! branch, tag and Call-ID. Both go back where the answer came from, never to an address that it names.

use std::time::Instant;

use bytes::Bytes;

use super::draft::Draft;
use super::ids::ClientId;
use super::transactions::{Client, ClientMachine, Purpose};
use super::{Endpoint, identity};
use crate::dialog::{Dialog, NextHop, Remote, own};
use crate::transaction::{PATIENCE, PlainClient};
use crate::{Flow, HeaderName, Method, Response};

/// How far the number of the BYE is above that of the INVITE: requests may have been sent in the early dialog.
const JUMP: u32 = 1_000;
/// How many are ended in 64 T1. Whoever writes a false sender could otherwise have us send a BYE again and again to
/// somebody who has asked for nothing.
const MAX_STRAYS: u32 = 512;

/// How many were ended lately.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    since: Option<Instant>,
    count: u32,
}

impl Strays {
    /// Counts one more, if there may be one more.
    fn admit(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| since + PATIENCE <= now) {
            *self = Self { since: Some(now), count: 0 };
        }
        self.count += 1;
        self.count <= MAX_STRAYS
    }
}

impl<K: Copy> Endpoint<K> {
    /// A response that belongs to nothing here.
    pub(super) fn on_stray(&mut self, now: Instant, flow: Flow, response: &Response) {
        let Some((dialog, cseq)) = dialog_of(flow, response) else { return };
        if !self.strays.admit(now) {
            return;
        }
        self.send_ack(&dialog, &[], cseq, None);
        let tag = dialog.remote.tag.as_deref().unwrap_or_default();
        let number = cseq.to_be_bytes();
        let bye = ClientId(self.post.identity.fingerprint([&dialog.call_id[..], &dialog.local_tag, tag, &number]));
        // Its 2xx was sent again because an ACK was lost; the BYE is on its way already.
        if self.transactions.client(bye).is_some() || self.transactions.is_full() {
            return;
        }
        let cseq = cseq.saturating_add(JUMP) & 0x7fff_ffff;
        let draft = Draft::of(&Method::Bye, bye.0, cseq, &dialog, &dialog.remote);
        let bytes = self.post.datagram(flow, &draft);
        self.post.send(flow, bytes.clone());
        let machine = ClientMachine::Plain(PlainClient::start(now, bytes, flow.transport.is_reliable()));
        self.transactions.insert_client(bye, Client::new(machine, flow, false, Purpose::Farewell), &mut self.post);
    }
}

/// The dialog that a 2xx to an INVITE with our mark believes to have made, and the number of that INVITE.
fn dialog_of(flow: Flow, response: &Response) -> Option<(Dialog, u32)> {
    let headers = &response.headers;
    let cseq = headers.cseq().ok().filter(|cseq| cseq.method == Method::Invite)?;
    if !response.is_success() {
        return None;
    }
    let (via, from, to) = (headers.via().ok()?, headers.from().ok()?, headers.to().ok()?);
    let (branch, local_tag, call_id) = (via.branch()?, from.tag()?, headers.call_id().ok()?);
    let mark = identity::mark_of(branch)?;
    if mark.is_empty() || identity::mark_of(local_tag) != Some(mark) || identity::mark_of(call_id) != Some(mark) {
        return None;
    }
    let dialog = Dialog {
        flow,
        next_hop: NextHop::Flow,
        call_id: own(call_id),
        local: headers.get(&HeaderName::From).map(own)?,
        local_tag: own(local_tag),
        contact: Bytes::new(),
        remote: Remote::of_callee(response, to.tag().map(own), &to.uri.print()),
        local_cseq: cseq.number,
        remote_cseq: None,
        is_caller: true,
    };
    Some((dialog, cseq.number))
}
