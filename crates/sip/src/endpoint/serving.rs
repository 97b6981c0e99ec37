//! Answers to requests of theirs, as ordered.

use std::time::Instant;

use bytes::Bytes;

use super::Endpoint;
use super::head::{Answer, Head};
use super::held::{Held, Offered, REMIND, Stage};
use super::ids::{DialogId, ServerId};
use super::news::Overload;
use super::order::{Body, Incoming, Provisional};
use super::transactions::{Server, ServerMachine};
use crate::dialog::{Dialog, NextHop, Remote, Resending, own};
use crate::transaction::{InviteServer, PlainServer};
use crate::{HeaderName, Headers, Method, Response};

/// Seconds to wait before trying again when too much is going on.
pub(super) const RETRY_AFTER: &str = "10";

impl<K: Copy> Endpoint<K> {
    /// Answers a request outside of a dialog once and keeps nothing: a challenge, a refusal. A copy that comes later is
    /// news again.
    pub fn answer_stateless(&mut self, incoming: &Incoming, response: Response) {
        self.answer_at_once(incoming.flow, &incoming.request, &incoming.facts, &Answer::of(&response));
    }

    /// Takes on a request outside of a dialog that is no INVITE; it wants a `respond`.
    pub fn open(&mut self, _now: Instant, incoming: Incoming) -> Result<ServerId, Overload> {
        let Incoming { flow, request, facts } = incoming;
        if self.transactions.is_full() {
            self.refuse_at_once(flow, &request, &facts);
            return Err(Overload);
        }
        let head = Head::of(&request, false);
        let machine = ServerMachine::Plain(PlainServer::start());
        let tag = self.post.identity.fresh();
        let server = Server::new(machine, flow, head, &request.method, facts.cseq, tag);
        self.transactions.insert_server(facts.server, server.with_copies(facts.merged), &mut self.post);
        Ok(facts.server)
    }

    /// Answers a request that was opened, or one in a dialog; finally, or provisionally below 200. To, tags, Via and the
    /// like are those of the request, whatever `response` says; a Contact is added where one is due.
    pub fn respond(&mut self, now: Instant, server: ServerId, response: Response) {
        let Some(dialog) = self.transactions.server(server).map(|server| server.dialog) else { return };
        let Some(mut held) = dialog.and_then(|dialog| self.dialogs.take(dialog)) else {
            self.answer_server(now, server, Answer::of(&response));
            return;
        };
        // The INVITE that makes the dialog is answered by `progress`, `answer` and `refuse`.
        if !matches!(held.stage, Stage::Offered(_)) || held.their_invite != Some(server) {
            self.respond_in(now, server, &mut held, &response);
        }
        self.put(now, held);
    }

    /// Takes on an INVITE: says 100, makes its dialog.
    pub fn accept(
        &mut self,
        now: Instant,
        key: K,
        incoming: Incoming,
        next_hop: NextHop,
    ) -> Result<DialogId, Overload> {
        let Incoming { flow, request, facts } = incoming;
        if self.transactions.is_full() || self.dialogs.is_full() {
            self.refuse_at_once(flow, &request, &facts);
            return Err(Overload);
        }
        let id = self.new_dialog_id();
        let head = Head::of(&request, false);
        let mut timestamp = Headers::new();
        for value in request.headers.all(&HeaderName::Timestamp) {
            timestamp.push(HeaderName::Timestamp, value.clone());
        }
        let trying = self.post.answer(&head, &Answer { headers: Some(&timestamp), ..Answer::new(100) });
        self.post.send(flow, trying.clone());

        let local_tag = self.post.identity.tag(id.0);
        let to = request.headers.get(&HeaderName::To).cloned().unwrap_or_default();
        let local: Bytes = [&to[..], b";tag=", &local_tag[..]].concat().into();
        let contact = match request.headers.to() {
            Ok(to) => self.post.contact(flow, &to),
            Err(_) => Bytes::new(),
        };
        let dialog = Dialog {
            flow,
            next_hop,
            call_id: request.headers.call_id().map(own).unwrap_or_default(),
            local,
            local_tag,
            contact,
            remote: Remote::of_caller(&request.headers, facts.from_tag.as_ref().map(own)),
            local_cseq: 0,
            remote_cseq: Some(facts.cseq),
            is_caller: false,
        };
        let machine = ServerMachine::Invite(InviteServer::start(trying));
        let server = Server::new(machine, flow, head, &Method::Invite, facts.cseq, id.0);
        let server = server.with_copies(facts.merged).in_dialog(id);
        self.transactions.insert_server(facts.server, server, &mut self.post);
        let mut held = Held::new(key, id, dialog, Stage::Offered(Offered::default()));
        held.their_invite = Some(facts.server);
        self.put(now, Box::new(held));
        Ok(id)
    }

    /// Tells the caller how it is going.
    pub fn progress(&mut self, now: Instant, dialog: DialogId, provisional: Provisional) {
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        if let (Stage::Offered(offered), Some(server), 101..200) =
            (&mut held.stage, held.their_invite, provisional.status)
        {
            let contact = &held.dialog.contact[..];
            let answer = Answer { makes_dialog: true, contact: Some(contact), ..Answer::new(provisional.status) };
            let answer = answer.with(&provisional.headers, provisional.body.as_ref());
            offered.progress = self.answer_server(now, server, answer);
            offered.remind_at = Some(now + REMIND);
        }
        self.put(now, held);
    }

    /// Answers the call; the 200 is sent again until its ACK comes.
    pub fn answer(&mut self, now: Instant, dialog: DialogId, headers: Headers, body: Option<Body>) {
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        if matches!(held.stage, Stage::Offered(_))
            && let Some(server) = held.their_invite.take()
        {
            let (flow, cseq) = (held.dialog.flow, held.dialog.remote_cseq.unwrap_or_default());
            let (flow, cseq) = self.transactions.server(server).map_or((flow, cseq), |it| (it.flow, it.cseq));
            let contact = &held.dialog.contact[..];
            let answer = Answer { makes_dialog: true, contact: Some(contact), ..Answer::new(200) };
            if let Some(bytes) = self.answer_server(now, server, answer.with(&headers, body.as_ref())) {
                held.resending.push(Resending::start(now, cseq, flow, bytes));
            }
            held.stage = Stage::Confirmed;
        }
        self.put(now, held);
    }

    /// Refuses the call with a status of 300 or more; the dialog is gone.
    pub fn refuse(&mut self, now: Instant, dialog: DialogId, status: u16, headers: Headers) {
        let Some(held) = self.dialogs.take(dialog) else { return };
        let (Stage::Offered(_), Some(server)) = (&held.stage, held.their_invite) else { return self.put(now, held) };
        let answer = Answer { headers: Some(&headers), ..Answer::new(status.clamp(300, 699)) };
        self.answer_server(now, server, answer);
        self.close(now, &held);
    }

    fn respond_in(&mut self, now: Instant, id: ServerId, held: &mut Held<K>, response: &Response) {
        let Some(server) = self.transactions.server(id) else { return };
        let (flow, cseq) = (server.flow, server.cseq);
        let needs_contact = server.needs_contact && (101..300).contains(&response.status);
        let contact = needs_contact.then_some(&held.dialog.contact[..]);
        let bytes = self.answer_server(now, id, Answer { contact, ..Answer::of(response) });
        if response.is_provisional() {
            return;
        }
        held.unanswered.retain(|unanswered| *unanswered != id);
        if held.their_invite == Some(id) {
            held.their_invite = None;
            if let (true, Some(bytes)) = (response.is_success(), bytes) {
                held.resending.push(Resending::start(now, cseq, flow, bytes));
            }
            self.try_change(now, held);
        }
    }

    /// Answers an open request of theirs. Gives what was sent, if it was.
    pub(super) fn answer_server(&mut self, now: Instant, id: ServerId, answer: Answer<'_>) -> Option<Bytes> {
        let server = self.transactions.server(id)?;
        let head = server.head.as_ref().filter(|_| server.machine.is_open())?;
        let bytes = self.post.answer(head, &Answer { tag: Some(server.tag), ..answer });
        self.post.send(server.flow, bytes.clone());
        let reliable = server.flow.transport.is_reliable();
        server.machine.on_answer(now, answer.status, bytes.clone(), reliable);
        self.transactions.settle_server(id, true, &mut self.post);
        Some(bytes)
    }

    /// Leaves nothing of a dialog that was taken out: what they asked in it is answered (RFC 3261, 15.1.2), an INVITE of
    /// ours is forgotten.
    pub(super) fn close(&mut self, now: Instant, held: &Held<K>) {
        self.answer_all_open(now, held);
        if let Some(client) = held.our_invite {
            self.transactions.take_client(client);
        }
    }

    pub(super) fn answer_all_open(&mut self, now: Instant, held: &Held<K>) {
        for server in held.their_invite.iter().chain(&held.unanswered) {
            self.answer_server(now, *server, Answer::new(487));
        }
    }
}
