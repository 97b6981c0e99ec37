//! Answers to requests of theirs, as ordered.

use std::time::Instant;

use bytes::Bytes;

use super::Endpoint;
use super::head::{Answer, Head};
use super::held::reliable::WantsPrack;
use super::held::session::{Grant, Session};
use super::held::{Held, Offered, REMIND, Stage, TheirOffer};
use super::ids::{DialogId, ServerId};
use super::news::Overload;
use super::order::{Body, Incoming, Provisional};
use super::transactions::{ClientMachine, Server, ServerMachine};
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
            Ok(to) => self.post.contact(flow, &to, &request.uri.scheme),
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
        let mut server = server.with_copies(facts.merged).in_dialog(id);
        if let Some(Grant::Session(spoken)) = self.session.map(|session| session.grant(&request.headers, None)) {
            server.session = Some(spoken);
        }
        self.transactions.insert_server(facts.server, server, &mut self.post);
        let wants_prack = if self.supports("100rel") { WantsPrack::of(&request.headers) } else { WantsPrack::Never };
        let stage = Stage::Offered(Offered { wants_prack, ..Offered::default() });
        let mut held = Box::new(Held::new(key, id, dialog, stage));
        held.their_invite = Some(facts.server);
        held.their_offer = if request.body.is_empty() { TheirOffer::Missing } else { TheirOffer::Open };
        held.note_allow(&request.headers);
        self.find_way(&mut held);
        self.put(now, held);
        Ok(id)
    }

    /// Tells the caller how it is going. Callers that insist on it, and those that can if there is a body, have to
    /// acknowledge it (RFC 3262); what follows waits for that.
    pub fn progress(&mut self, now: Instant, dialog: DialogId, provisional: Provisional) {
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        if let (Stage::Offered(offered), Some(server), 101..200) =
            (&mut held.stage, held.their_invite, provisional.status)
        {
            match offered.wants_prack {
                WantsPrack::Always => self.progress_reliably(now, &mut held, provisional),
                WantsPrack::Can if provisional.body.is_some() => self.progress_reliably(now, &mut held, provisional),
                _ => {
                    let contact = &held.dialog.contact[..];
                    let answer =
                        Answer { makes_dialog: true, contact: Some(contact), ..Answer::new(provisional.status) };
                    let answer = answer.with(&provisional.headers, provisional.body.as_ref());
                    offered.progress = self.answer_server(now, server, answer);
                    offered.remind_at = Some(now + REMIND);
                    self.try_change(now, &mut held);
                }
            }
        }
        self.put(now, held);
    }

    /// Answers the call; the 200 is sent again until its ACK comes. It waits for the PRACK of a provisional answer that
    /// described a session.
    pub fn answer(&mut self, now: Instant, dialog: DialogId, headers: Headers, body: Option<Body>) {
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        if matches!(held.stage, Stage::Offered(_))
            && let Some((headers, body)) = self.hold_answer(&mut held, headers, body)
        {
            self.send_answer(now, &mut held, &headers, body.as_ref());
        }
        self.put(now, held);
    }

    pub(super) fn send_answer(&mut self, now: Instant, held: &mut Held<K>, headers: &Headers, body: Option<&Body>) {
        let Some(server) = held.their_invite.take() else { return };
        if held.reliable.as_mut().is_some_and(|reliable| reliable.finish()) {
            held.reliable = None;
        }
        let found = self.transactions.server(server).map(|server| (server.flow, server.cseq, server.session));
        if let Some((flow, cseq, session)) = found {
            let contact = &held.dialog.contact[..];
            let answer =
                Answer { makes_dialog: true, presents: true, contact: Some(contact), session, ..Answer::new(200) };
            let is_offer = held.their_offer == TheirOffer::Missing && body.is_some();
            if let Some(bytes) = self.answer_server(now, server, answer.with(headers, body)) {
                held.resending.push(Resending::start(now, cseq, flow, is_offer, bytes));
            }
            held.session = session.map(|session| Session::of(now, &session));
            held.stage = Stage::Confirmed;
        }
        held.their_offer = TheirOffer::Settled;
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
        self.answer_in(now, held, id, Answer::of(response));
        if !response.is_provisional() {
            self.after_prack(now, held);
            self.try_change(now, held);
        }
    }

    /// Answers a request of theirs in a dialog.
    pub(super) fn answer_in(&mut self, now: Instant, held: &mut Held<K>, id: ServerId, answer: Answer<'_>) {
        let Some(server) = self.transactions.server(id) else { return };
        let (flow, cseq, needs_contact) = (server.flow, server.cseq, server.needs_contact);
        let (status, has_body) = (answer.status, !answer.body.is_empty());
        let is_success = (200..300).contains(&status);
        let session = server.session.filter(|_| is_success && matches!(held.stage, Stage::Confirmed));
        let makes_contact = needs_contact && (101..300).contains(&status);
        let contact = makes_contact.then_some(&held.dialog.contact[..]);
        let presents = needs_contact && is_success;
        let bytes = self.answer_server(now, id, Answer { contact, presents, session, ..answer });
        if status < 200 {
            return;
        }
        if let Some(session) = session {
            held.session = Some(Session::of(now, &session));
        }
        held.unanswered.retain(|unanswered| *unanswered != id);
        held.their_update.take_if(|update| *update == id);
        if held.their_invite == Some(id) {
            held.their_invite = None;
            let is_offer = held.their_offer == TheirOffer::Missing && has_body;
            held.their_offer = TheirOffer::Settled;
            if let (true, Some(bytes)) = (is_success, bytes) {
                held.resending.push(Resending::start(now, cseq, flow, is_offer, bytes));
            }
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

    /// Leaves a dialog that was ended, unless a re-INVITE of ours is open in it: its final response is acknowledged first.
    pub(super) fn linger(&mut self, now: Instant, mut held: Box<Held<K>>) {
        self.answer_all_open(now, &held);
        self.pay_ack(now, &mut held, None);
        let Some(invite) = held.our_invite else { return };
        let Some(mut client) = self.transactions.take_client(invite) else { return };
        if let ClientMachine::Invite(machine) = &mut client.machine {
            machine.hurry(now);
        }
        self.transactions.put_client(now, invite, client, &mut self.post);
        held.stage = Stage::Lingering;
        held.their_invite = None;
        held.their_update = None;
        held.unanswered.clear();
        held.resending.clear();
        held.changes = None;
        self.put(now, held);
    }

    pub(super) fn answer_all_open(&mut self, now: Instant, held: &Held<K>) {
        for server in held.their_invite.iter().chain(&held.unanswered) {
            self.answer_server(now, *server, Answer::new(487));
        }
    }
}
