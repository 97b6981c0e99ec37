//! Requests of ours, as sent.

use std::time::Instant;

use bytes::Bytes;

use super::Endpoint;
use super::draft::Draft;
use super::held::{Held, Stage};
use super::ids::ClientId;
use super::order::Body;
use super::post::refreshes_target;
use super::sign_in::{Challenged, Signature};
use super::transactions::{Asked, Client, ClientMachine, Outside, Purpose};
use crate::dialog::{Dialog, Remote};
use crate::transaction::{InviteClient, PlainClient};
use crate::{Flow, HeaderName, Headers, Method, NameAddr, Response};

impl<K: Copy> Endpoint<K> {
    /// Sends the INVITE of a dialog that is calling, or its re-INVITE; just by `only`, or as its length asks.
    pub(super) fn send_invite(&mut self, now: Instant, held: &mut Held<K>, only: Option<Flow>) {
        let cseq = held.dialog.next_cseq();
        let session = self.session_asked(held);
        let (headers, body, purpose) =
            match (&held.stage, held.changes.as_ref().and_then(|changes| changes.sent.as_ref())) {
                (Stage::Calling(calling), _) => {
                    (&calling.headers, calling.body.as_ref(), Purpose::Invite(held.id, held.key))
                }
                (_, Some(change)) => (&change.headers, change.body.as_ref(), Purpose::Reinvite(held.id)),
                (_, None) => return,
            };
        let dialog = &held.dialog;
        let id = self.new_client_id();
        let draft = Draft::of(&Method::Invite, id.0, cseq, dialog, &dialog.remote);
        let signatures = held
            .sign_in
            .as_mut()
            .map(|sign_in| sign_in.sign(&Method::Invite, &draft.addressed.uri))
            .unwrap_or_default();
        let draft = Draft {
            contact: Some(&dialog.contact),
            signatures: &signatures,
            presents: true,
            session,
            headers: Some(headers),
            body,
            ..draft
        };
        let (flow, bytes) = self.post_request(dialog.flow, only, &draft);
        let is_by_tcp = flow.transport != dialog.flow.transport;
        let answer_within = match &held.stage {
            Stage::Calling(calling) => calling.answer_within,
            _ => None,
        };
        let machine = InviteClient::start(now, bytes, flow.transport.is_reliable(), answer_within);
        let machine = ClientMachine::Invite(machine);
        held.our_invite = Some(id);
        self.transactions.insert_client(id, Client::new(machine, flow, is_by_tcp, purpose), &mut self.post);
    }

    /// Sends the change that is to be on its way.
    pub(super) fn send_change(&mut self, now: Instant, held: &mut Held<K>, only: Option<Flow>) {
        let Some(change) = held.changes.as_ref().and_then(|changes| changes.sent.as_ref()) else { return };
        if change.method == Method::Invite {
            return self.send_invite(now, held, only);
        }
        let cseq = held.dialog.next_cseq();
        let session = self.session_asked(held).filter(|_| matches!(held.stage, Stage::Confirmed));
        let id = self.new_client_id();
        let Some(change) = held.changes.as_ref().and_then(|changes| changes.sent.as_ref()) else { return };
        let dialog = &held.dialog;
        let (remote, way) = held.stage.way(dialog, None);
        let draft = Draft::of(&change.method, id.0, cseq, dialog, remote);
        let signatures =
            held.sign_in.as_mut().map(|sign_in| sign_in.sign(&change.method, &draft.addressed.uri)).unwrap_or_default();
        let draft = Draft {
            contact: Some(&dialog.contact),
            signatures: &signatures,
            presents: true,
            session,
            headers: Some(&change.headers),
            body: change.body.as_ref(),
            ..draft
        };
        let (flow, bytes) = self.post_request(way, only, &draft);
        let is_by_tcp = flow.transport != way.transport;
        let machine = ClientMachine::Plain(PlainClient::start(now, bytes, flow.transport.is_reliable()));
        let client = Client::new(machine, flow, is_by_tcp, Purpose::Update(held.id));
        self.transactions.insert_client(id, client, &mut self.post);
    }

    /// The same request line, Route, From, To and CSeq as the INVITE (RFC 3261, 9.1).
    pub(super) fn send_cancel(&mut self, now: Instant, held: &Held<K>, invite: ClientId, headers: &Headers) {
        let Some(flow) = self.transactions.client(invite).map(|client| client.flow) else { return };
        let dialog = &held.dialog;
        let draft = Draft::of(&Method::Cancel, invite.0, dialog.local_cseq, dialog, &dialog.remote);
        let draft = Draft { headers: Some(headers), ..draft };
        let (_, bytes) = self.post_request(flow, Some(flow), &draft);
        let machine = ClientMachine::Plain(PlainClient::start(now, bytes, flow.transport.is_reliable()));
        let client = Client::new(machine, flow, false, Purpose::Cancel);
        self.transactions.insert_client(invite.cancel(), client, &mut self.post);
        if let Some(mut client) = self.transactions.take_client(invite) {
            if let ClientMachine::Invite(machine) = &mut client.machine {
                machine.hurry(now);
            }
            self.transactions.put_client(now, invite, client, &mut self.post);
        }
    }

    pub(super) fn send_bye(&mut self, now: Instant, held: &mut Held<K>, headers: Headers) {
        self.pay_ack(now, held, None);
        held.stage = Stage::Ending;
        held.resending.clear();
        held.changes = None;
        held.session = None;
        self.send_in_dialog(
            now,
            held,
            Box::new(Asked { method: Method::Bye, headers, body: None, challenged: Challenged::default(), fork: None }),
            None,
        );
    }

    pub(super) fn send_in_dialog(&mut self, now: Instant, held: &mut Held<K>, asked: Box<Asked>, only: Option<Flow>) {
        let cseq = held.dialog.next_cseq();
        let id = self.new_client_id();
        let dialog = &held.dialog;
        let (remote, way) = held.stage.way(dialog, asked.fork);
        let draft = Draft::of(&asked.method, id.0, cseq, dialog, remote);
        let signatures =
            held.sign_in.as_mut().map(|sign_in| sign_in.sign(&asked.method, &draft.addressed.uri)).unwrap_or_default();
        let draft = Draft {
            contact: refreshes_target(&asked.method).then_some(&dialog.contact),
            signatures: &signatures,
            headers: Some(&asked.headers),
            body: asked.body.as_ref(),
            ..draft
        };
        let (flow, bytes) = self.post_request(way, only, &draft);
        let is_by_tcp = flow.transport != way.transport;
        let purpose = match asked.method {
            Method::Bye => Purpose::Bye(held.id, asked),
            _ => Purpose::InDialog(held.id, asked),
        };
        let machine = ClientMachine::Plain(PlainClient::start(now, bytes, flow.transport.is_reliable()));
        self.transactions.insert_client(id, Client::new(machine, flow, is_by_tcp, purpose), &mut self.post);
    }

    pub(super) fn send_outside(&mut self, now: Instant, mut outside: Box<Outside<K>>, only: Option<Flow>) {
        self.outside_cseq = self.outside_cseq % 0x7fff_ffff + 1;
        let cseq = self.outside_cseq;
        let id = self.new_client_id();
        let Outside { order, call_id, from, sign_in, .. } = &mut *outside;
        let to = order.to.print();
        let routes = order.route.iter().map(NameAddr::print).collect();
        let remote = Remote { address: to, tag: None, target: order.uri.print(), routes };
        let addressed = remote.addressed();
        let signatures =
            sign_in.as_mut().map(|sign_in| sign_in.sign(&order.method, &addressed.uri)).unwrap_or_default();
        let draft = Draft {
            method: &order.method,
            addressed,
            branch: id.0,
            from,
            to: &remote.address,
            call_id,
            cseq,
            contact: None,
            signatures: &signatures,
            presents: false,
            session: None,
            headers: Some(&order.headers),
            body: order.body.as_ref(),
        };
        let (flow, bytes) = self.post_request(order.flow, only, &draft);
        let is_by_tcp = flow.transport != order.flow.transport;
        let machine = ClientMachine::Plain(PlainClient::start(now, bytes, flow.transport.is_reliable()));
        let client = Client::new(machine, flow, is_by_tcp, Purpose::Outside(outside));
        self.transactions.insert_client(id, client, &mut self.post);
    }

    /// The ACK of a 2xx, with its own branch (RFC 3261, 13.2.2.4). Gives where it went.
    pub(super) fn send_ack(
        &mut self,
        dialog: &Dialog,
        signatures: &[Signature],
        cseq: u32,
        body: Option<&Body>,
    ) -> (Flow, Bytes) {
        let draft = Draft::of(&Method::Ack, self.post.identity.fresh(), cseq, dialog, &dialog.remote);
        let draft = Draft { signatures, body, ..draft };
        self.post_request(dialog.flow, None, &draft)
    }

    /// The ACK of a refusal, a part of the INVITE's own transaction (RFC 3261, 17.1.1.3).
    pub(super) fn send_refusal_ack(
        &mut self,
        held: &Held<K>,
        invite: ClientId,
        flow: Flow,
        cseq: u32,
        refusal: &Response,
    ) -> Bytes {
        let dialog = &held.dialog;
        let to = refusal.headers.get(&HeaderName::To).unwrap_or(&dialog.remote.address);
        let draft = Draft { to, ..Draft::of(&Method::Ack, invite.0, cseq, dialog, &dialog.remote) };
        self.post_request(flow, Some(flow), &draft).1
    }

    pub(super) fn is_proceeding(&self, invite: ClientId) -> bool {
        match self.transactions.client(invite).map(|client| &client.machine) {
            Some(ClientMachine::Invite(machine)) => machine.is_proceeding(),
            _ => false,
        }
    }

    fn post_request(&mut self, flow: Flow, only: Option<Flow>, draft: &Draft<'_>) -> (Flow, Bytes) {
        let (flow, bytes) = match only {
            Some(only) => (only, self.post.datagram(only, draft)),
            None => self.post.request(flow, draft),
        };
        self.post.send(flow, bytes.clone());
        (flow, bytes)
    }

    fn new_client_id(&mut self) -> ClientId {
        loop {
            let id = ClientId(self.post.identity.fresh());
            if self.transactions.client(id).is_none() && self.transactions.client(id.cancel()).is_none() {
                return id;
            }
        }
    }
}
