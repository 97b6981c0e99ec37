//! What comes back for requests of ours.

use std::time::Instant;

use bytes::Bytes;

use super::Endpoint;
use super::held::calling::Cancel;
use super::held::{Held, Stage};
use super::identity;
use super::ids::{ClientId, DialogId, Timer};
use super::news::News;
use super::post::refreshes_target;
use super::transactions::{Asked, Client, ClientMachine, Outside, Purpose};
use crate::dialog::{Dialog, NextHop, Remote, own};
use crate::transaction::Acknowledge;
use crate::{Flow, HeaderName, Headers, Method, Response};

impl<K: Copy> Endpoint<K> {
    pub(super) fn on_response(&mut self, now: Instant, flow: Flow, response: Response) {
        let (Ok(via), Ok(cseq)) = (response.headers.via(), response.headers.cseq()) else { return };
        let Some(branch) = via.branch() else { return };
        let number = identity::number_in(branch).filter(|number| self.post.identity.is_branch(branch, *number));
        let invite = number.map(ClientId);
        let id = if cseq.method == Method::Cancel { invite.map(ClientId::cancel) } else { invite };
        let Some((id, mut client)) = id.and_then(|id| Some((id, self.transactions.take_client(id)?))) else {
            return self.on_stray(now, flow, &response);
        };
        if client.flow.connection == 0 && client.flow.transport == flow.transport {
            // The connection that was opened for the request; on UDP the answer may come from anywhere.
            client.flow.connection = flow.connection;
        }
        let is_invite = matches!(client.machine, ClientMachine::Invite(_));
        if is_invite != (cseq.method == Method::Invite) {
            return self.transactions.put_client(now, id, client, &mut self.post);
        }
        match response.status {
            _ if !is_invite => self.on_plain(now, id, client, flow, response),
            ..200 => self.on_provisional(now, id, client, response),
            200..300 => self.on_accepted(now, id, client, flow, cseq.number, response),
            _ => self.on_refused(now, id, client, cseq.number, response),
        }
    }

    fn on_plain(&mut self, now: Instant, id: ClientId, mut client: Box<Client<K>>, flow: Flow, response: Response) {
        let ClientMachine::Plain(machine) = &mut client.machine else { return };
        let is_news = machine.on_response(now, response.status);
        if !is_news || response.is_provisional() {
            return self.transactions.put_client(now, id, client, &mut self.post);
        }
        let purpose = std::mem::replace(&mut client.purpose, Purpose::Cancel);
        self.transactions.put_client(now, id, client, &mut self.post);
        self.transactions.note_finished(Timer::Client(id));
        match purpose {
            Purpose::Bye(dialog, asked) | Purpose::InDialog(dialog, asked) => {
                self.on_final_in_dialog(now, dialog, asked, flow, response);
            }
            Purpose::Outside(outside) => self.on_final_outside(now, outside, response),
            Purpose::Update(dialog) => self.on_final_update(now, dialog, flow, response),
            Purpose::Invite(..) | Purpose::Reinvite(_) | Purpose::Cancel | Purpose::Farewell => {}
        }
    }

    fn on_final_in_dialog(
        &mut self,
        now: Instant,
        id: DialogId,
        mut asked: Box<Asked>,
        flow: Flow,
        response: Response,
    ) {
        let Some(mut held) = self.dialogs.take(id) else { return };
        held.adopt(flow);
        let cnonce = self.cnonce();
        let sign_in = held.sign_in.as_mut();
        if sign_in.is_some_and(|sign_in| sign_in.take_up(&response, &mut asked.challenged, cnonce)) {
            self.send_in_dialog(now, &mut held, asked, None);
            return self.put(now, held);
        }
        if asked.method == Method::Bye {
            return self.linger(now, held);
        }
        // Nobody has asked for our PRACKs.
        if !held.is_ending() && asked.method != Method::Prack {
            if refreshes_target(&asked.method) && response.is_success() && matches!(held.stage, Stage::Confirmed) {
                held.dialog.refresh_target(&response.headers);
                self.find_way(&mut held);
            }
            self.post.tell(News::Response { key: held.key, dialog: Some(id), response });
        }
        self.put(now, held);
    }

    fn on_final_update(&mut self, now: Instant, id: DialogId, flow: Flow, response: Response) {
        let Some(mut held) = self.dialogs.take(id) else { return };
        held.adopt(flow);
        if response.is_success() && matches!(held.stage, Stage::Confirmed) {
            held.dialog.refresh_target(&response.headers);
            self.find_way(&mut held);
        }
        self.on_change_done(now, &mut held, response);
        self.put(now, held);
    }

    fn on_final_outside(&mut self, now: Instant, mut outside: Box<Outside<K>>, response: Response) {
        let cnonce = self.cnonce();
        if let Some(sign_in) = &mut outside.sign_in
            && sign_in.take_up(&response, &mut outside.challenged, cnonce)
        {
            return self.send_outside(now, outside, None);
        }
        self.post.tell(News::Response { key: outside.key, dialog: None, response });
    }

    fn on_provisional(&mut self, now: Instant, id: ClientId, mut client: Box<Client<K>>, response: Response) {
        let ClientMachine::Invite(machine) = &mut client.machine else { return };
        let is_news = machine.on_provisional();
        let dialog = match client.purpose {
            Purpose::Invite(dialog, _) => Some(dialog),
            _ => None,
        };
        self.transactions.put_client(now, id, client, &mut self.post);
        let Some(mut held) = dialog.filter(|_| is_news).and_then(|dialog| self.dialogs.take(dialog)) else { return };
        match response.status {
            100 => self.try_cancel(now, &mut held),
            _ => self.on_early(now, &mut held, response),
        }
        self.put(now, held);
    }

    fn on_accepted(
        &mut self,
        now: Instant,
        id: ClientId,
        mut client: Box<Client<K>>,
        flow: Flow,
        cseq: u32,
        response: Response,
    ) {
        let ClientMachine::Invite(machine) = &mut client.machine else { return };
        let tag = to_tag(&response);
        let fork = tag.clone().unwrap_or_default();
        match machine.on_accepted(&fork) {
            Acknowledge::Make => {}
            Acknowledge::Repeat(ack, way) => {
                self.post.send(way.unwrap_or(client.flow), ack);
                return self.transactions.put_client(now, id, client, &mut self.post);
            }
            Acknowledge::Ignore => {
                let was_refused = machine.is_refused();
                self.transactions.put_client(now, id, client, &mut self.post);
                if was_refused {
                    self.on_stray(now, flow, &response);
                }
                return;
            }
        }
        let was_open = machine.is_open();
        let (dialog, key) = match client.purpose {
            Purpose::Invite(dialog, key) => (dialog, Some(key)),
            Purpose::Reinvite(dialog) => (dialog, None),
            _ => return,
        };
        let mut held = match (self.dialogs.take(dialog), key) {
            (Some(held), _) if held.owes_ack(id) => {
                self.transactions.put_client(now, id, client, &mut self.post);
                return self.put(now, held);
            }
            (Some(held), _) if held.our_invite == Some(id) => held,
            // Another fork answered before.
            (other, Some(key)) => {
                let fork = self.new_fork(key, other.as_deref(), client.flow, cseq, tag.clone(), &response);
                if let Some(other) = other {
                    self.put(now, other);
                }
                Box::new(fork)
            }
            (other, None) => {
                if let Some(other) = other {
                    self.put(now, other);
                }
                return;
            }
        };
        held.our_invite = None;
        held.adopt(flow);
        let fork_number = if key.is_some() {
            let number = held.choose_fork(tag.as_ref());
            held.dialog.remote = Remote::of_callee(&response, tag, &held.dialog.remote.target);
            number
        } else {
            held.dialog.refresh_target(&response.headers);
            0
        };
        self.find_way(&mut held);
        if held.wants_offer() && !response.body.is_empty() {
            // Its ACK has to answer the offer it carries.
            machine.on_provisional();
            held.our_invite = Some(id);
            self.owe_ack(now, &mut held, id, cseq, fork);
            self.transactions.put_client(now, id, client, &mut self.post);
            self.on_answered(now, &mut held, 0, response);
            return self.put(now, held);
        }
        let (ack_flow, ack) = self.send_ack(&held.dialog, held.signed_invite(), cseq, None);
        if let ClientMachine::Invite(machine) = &mut client.machine {
            machine.keep_fork_ack(now, fork, ack, ack_flow);
        }
        self.transactions.put_client(now, id, client, &mut self.post);
        if was_open {
            self.transactions.note_finished(Timer::Client(id));
        }
        self.on_answered(now, &mut held, fork_number, response);
        self.put(now, held);
    }

    /// A dialog whose INVITE or re-INVITE was granted, and acknowledged.
    fn on_answered(&mut self, now: Instant, held: &mut Held<K>, fork: u64, response: Response) {
        let (key, dialog) = (held.key, held.id);
        match &mut held.stage {
            Stage::Calling(calling) => match std::mem::replace(&mut calling.cancel, Cancel::NotAsked) {
                Cancel::NotAsked => {
                    held.stage = Stage::Confirmed;
                    held.note_allow(&response.headers);
                    self.session_granted(now, held, &response);
                    self.post.tell(News::Answered { key, dialog, fork, response });
                    self.try_change(now, held);
                }
                Cancel::Asked(headers) | Cancel::Sent(headers) => {
                    let is_told = calling.is_told;
                    self.send_bye(now, held, headers);
                    if !is_told {
                        self.post.tell(News::Cancelled { key, dialog, request: None });
                    }
                }
            },
            Stage::Confirmed => self.on_change_done(now, held, response),
            Stage::Forked => self.send_bye(now, held, Headers::new()),
            Stage::Offered(_) | Stage::Hanging { .. } | Stage::Ending | Stage::Lingering => {}
        }
    }

    fn on_refused(&mut self, now: Instant, id: ClientId, mut client: Box<Client<K>>, cseq: u32, response: Response) {
        let ClientMachine::Invite(machine) = &mut client.machine else { return };
        match machine.on_refused() {
            Acknowledge::Make => {}
            Acknowledge::Repeat(ack, _) => {
                self.post.send(client.flow, ack);
                return self.transactions.put_client(now, id, client, &mut self.post);
            }
            Acknowledge::Ignore => return self.transactions.put_client(now, id, client, &mut self.post),
        }
        let (Purpose::Invite(dialog, _) | Purpose::Reinvite(dialog)) = client.purpose else { return };
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        let ack = self.send_refusal_ack(&held, id, client.flow, cseq, &response);
        if let ClientMachine::Invite(machine) = &mut client.machine {
            machine.keep_refusal_ack(now, ack);
        }
        self.transactions.put_client(now, id, client, &mut self.post);
        self.transactions.note_finished(Timer::Client(id));
        held.our_invite = None;
        if let Stage::Calling(calling) = &mut held.stage {
            let cnonce = self.cnonce();
            let is_wanted = calling.is_wanted();
            let sign_in = held.sign_in.as_mut().filter(|_| is_wanted);
            if sign_in.is_some_and(|sign_in| sign_in.take_up(&response, &mut calling.challenged, cnonce)) {
                calling.forks.clear();
                self.send_invite(now, &mut held, None);
                return self.put(now, held);
            }
            if is_wanted && self.is_longer_wanted(&mut held, &response) {
                self.send_invite(now, &mut held, None);
                return self.put(now, held);
            }
            self.close(now, &held);
            if !held.is_told() {
                self.post.tell(News::Refused { key: held.key, dialog, response });
            }
            return;
        }
        self.on_change_done(now, &mut held, response);
        self.put(now, held);
    }

    /// A dialog with a fork that answered after another one, as its response tells it.
    fn new_fork(
        &mut self,
        key: K,
        first: Option<&Held<K>>,
        flow: Flow,
        cseq: u32,
        tag: Option<Bytes>,
        response: &Response,
    ) -> Held<K> {
        let header = |name| response.headers.get(&name).map(own).unwrap_or_default();
        // Where its BYE goes if the response has no Contact; the INVITE's own URI may be forgotten by now.
        let called = response.headers.to().map(|to| to.uri.print()).unwrap_or_default();
        let dialog = Dialog {
            flow: first.map_or(flow, |first| first.dialog.flow),
            next_hop: first.map_or(NextHop::Flow, |first| first.dialog.next_hop),
            call_id: header(HeaderName::CallId),
            local: header(HeaderName::From),
            local_tag: Bytes::new(),
            contact: Bytes::new(),
            remote: Remote::of_callee(response, tag, &called),
            local_cseq: cseq,
            remote_cseq: None,
            is_caller: true,
        };
        // The tag it shares with the first dialog does not name it, so no request reaches it; it is there for its BYE.
        let id = self.new_dialog_id();
        Held::new(key, id, dialog, Stage::Forked)
    }

    pub(super) fn cnonce(&mut self) -> Bytes {
        let number = self.post.identity.fresh();
        self.post.identity.tag(number)
    }
}

impl<K> Held<K> {
    /// Goes on with the fork that has answered. Its number, a fresh one if nothing was heard of it before.
    fn choose_fork(&mut self, tag: Option<&Bytes>) -> u64 {
        let Stage::Calling(calling) = &mut self.stage else { return 0 };
        let found = calling.forks.iter().position(|early| early.remote.tag.as_ref() == tag);
        if let Some(early) = found.and_then(|fork| calling.forks.get(fork)) {
            self.dialog.remote_cseq = early.remote_cseq;
            self.takes_update = early.takes_update;
        }
        found.unwrap_or(calling.forks.len()) as u64
    }
}

fn to_tag(response: &Response) -> Option<Bytes> {
    response.headers.to().ok()?.tag().map(own)
}
