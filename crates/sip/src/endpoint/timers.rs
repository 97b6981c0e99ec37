//! What time brings, and what is lost with a connection.

use std::time::Instant;

use super::Endpoint;
use super::head::Answer;
use super::held::{REMIND, Stage};
use super::ids::{ClientId, DialogId, ServerId, Timer};
use super::news::{Failure, News};
use super::transactions::{Client, ClientMachine, Purpose};
use crate::transaction::{ClientStep, InviteStep};
use crate::{Flow, Headers, Method, Response};

impl<K: Copy> Endpoint<K> {
    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.post.wheel.pop_due(now) {
            match timer {
                Timer::Client(id) => self.on_client_timeout(now, id),
                Timer::Server(id) => self.on_server_timeout(now, id),
                Timer::Dialog(id) => self.on_dialog_timeout(now, id),
            }
        }
        self.transactions.tidy();
    }

    /// A connection is gone, or one that was asked for (with connection 0) could not be opened: requests under way on it
    /// fail. Dialogs stay; their next request asks for a connection to the same address.
    pub fn handle_flow_lost(&mut self, now: Instant, flow: Flow) {
        if flow.connection != 0 {
            for id in self.dialogs.on_connection(flow) {
                if let Some(mut held) = self.dialogs.take(id) {
                    held.dialog.flow = flow.unconnected();
                    self.put(now, held);
                }
            }
        }
        for id in self.transactions.on_connection(flow) {
            if let Some(client) = self.transactions.take_client(id) {
                self.on_client_lost(now, *client);
            }
        }
    }

    fn on_client_timeout(&mut self, now: Instant, id: ClientId) {
        let Some(mut client) = self.transactions.take_client(id) else { return };
        let (bytes, timed_out) = match &mut client.machine {
            ClientMachine::Invite(machine) => match machine.on_timeout(now) {
                InviteStep::Resend(bytes) => (Some(bytes), false),
                InviteStep::Unanswered => {
                    let purpose = &client.purpose;
                    let Purpose::Invite(dialog, _) = *purpose else { return };
                    self.transactions.put_client(now, id, client, &mut self.post);
                    return self.on_unanswered(now, dialog);
                }
                step => (None, step == InviteStep::TimedOut),
            },
            ClientMachine::Plain(machine) => match machine.on_timeout(now) {
                ClientStep::Resend(bytes) => (Some(bytes), false),
                step => (None, step == ClientStep::TimedOut),
            },
        };
        if timed_out {
            return self.on_client_failed(now, *client, Failure::TimedOut);
        }
        if let Some(bytes) = bytes {
            self.post.send(client.flow, bytes);
        }
        self.transactions.put_client(now, id, client, &mut self.post);
    }

    /// The asker goes on without it; what comes back yet is cancelled, or acknowledged and ended.
    fn on_unanswered(&mut self, now: Instant, dialog: DialogId) {
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        self.cancel_invite(now, &mut held, Headers::new());
        if let Stage::Calling(calling) = &mut held.stage
            && !std::mem::replace(&mut calling.is_told, true)
        {
            self.post.tell(News::Failed { key: held.key, dialog, why: Failure::TimedOut });
        }
        self.put(now, held);
    }

    fn on_server_timeout(&mut self, now: Instant, id: ServerId) {
        let Some(server) = self.transactions.woken_server(now, id) else { return };
        let was_open = server.machine.is_open();
        let flow = server.flow;
        if let Some(bytes) = server.machine.on_timeout(now) {
            self.post.send(flow, bytes);
        }
        self.transactions.settle_server(id, was_open, &mut self.post);
    }

    fn on_dialog_timeout(&mut self, now: Instant, id: DialogId) {
        let Some(mut held) = self.dialogs.take(id) else { return };
        if held.resend(now, &mut self.post) {
            // RFC 3261 section 13.3.1.4: no ACK came for 64 T1.
            let headers = match &mut held.stage {
                Stage::Hanging { headers } => std::mem::take(headers),
                _ => {
                    self.answer_all_open(now, &held);
                    self.post.tell(News::NeverAcked { key: held.key, dialog: id });
                    Headers::new()
                }
            };
            held.their_invite = None;
            held.their_update = None;
            held.unanswered.clear();
            self.send_bye(now, &mut held, headers);
        }
        if self.resend_reliably(now, &mut held) {
            // RFC 3262 section 3: no PRACK came for 64 T1.
            if let Some(server) = held.their_invite {
                self.answer_server(now, server, Answer::new(504));
            }
            self.close(now, &held);
            return self.post.tell(News::NeverAcked { key: held.key, dialog: id });
        }
        if self.tend_session(now, &mut held) {
            self.expire(now, &mut held);
        }
        if let Stage::Offered(offered) = &mut held.stage
            && offered.remind_at.is_some_and(|at| at <= now)
        {
            offered.remind_at = Some(now + REMIND);
            let server = held.their_invite.and_then(|server| self.transactions.server(server));
            if let (Some(server), Some(bytes)) = (server, &offered.progress) {
                self.post.send(server.flow, bytes.clone());
            }
        }
        if let Some(changes) = &held.changes {
            if changes.is_overdue(now) {
                self.pay_ack(now, &mut held, None);
            }
            self.try_change(now, &mut held);
        }
        self.put(now, held);
    }

    /// The connection is gone under a request. One that was only too long for UDP tries UDP then (RFC 3261, 18.1.1); a
    /// BYE tries a fresh connection.
    fn on_client_lost(&mut self, now: Instant, client: Client<K>) {
        let nothing_came = match &client.machine {
            ClientMachine::Invite(machine) => !machine.is_proceeding(),
            ClientMachine::Plain(_) => true,
        };
        if !client.is_by_tcp || !nothing_came {
            return match client.purpose {
                Purpose::Bye(dialog, asked) if client.flow.connection != 0 => {
                    let Some(mut held) = self.dialogs.take(dialog) else { return };
                    self.send_in_dialog(now, &mut held, asked, None);
                    self.put(now, held);
                }
                _ => self.on_client_failed(now, client, Failure::FlowLost),
            };
        }
        match client.purpose {
            Purpose::Invite(dialog, _) | Purpose::Reinvite(dialog) => {
                let Some(mut held) = self.dialogs.take(dialog) else { return };
                let flow = held.dialog.flow;
                self.send_invite(now, &mut held, Some(flow));
                self.put(now, held);
            }
            Purpose::Bye(dialog, asked) | Purpose::InDialog(dialog, asked) => {
                let Some(mut held) = self.dialogs.take(dialog) else { return };
                let flow = held.dialog.flow;
                self.send_in_dialog(now, &mut held, asked, Some(flow));
                self.put(now, held);
            }
            Purpose::Update(dialog) => {
                let Some(mut held) = self.dialogs.take(dialog) else { return };
                let flow = held.dialog.flow;
                self.send_change(now, &mut held, Some(flow));
                self.put(now, held);
            }
            Purpose::Outside(outside) => {
                let flow = outside.order.flow;
                self.send_outside(now, outside, Some(flow));
            }
            Purpose::Cancel | Purpose::Farewell => {}
        }
    }

    /// A request of ours got no final response, and never will.
    fn on_client_failed(&mut self, now: Instant, client: Client<K>, why: Failure) {
        match client.purpose {
            Purpose::Cancel | Purpose::Farewell => {}
            Purpose::Outside(outside) => {
                self.post.tell(News::RequestFailed { key: outside.key, dialog: None, why });
            }
            Purpose::InDialog(dialog, asked) => {
                let Some(held) = self.dialogs.get(dialog).filter(|held| !held.is_ending()) else { return };
                if asked.method == Method::Prack {
                    return;
                }
                let key = held.key;
                self.post.tell(News::RequestFailed { key, dialog: Some(dialog), why });
            }
            Purpose::Bye(dialog, _) => {
                if let Some(held) = self.dialogs.take(dialog) {
                    self.close(now, &held);
                }
            }
            Purpose::Invite(dialog, _) => {
                let Some(held) = self.dialogs.take(dialog) else { return };
                self.close(now, &held);
                if !held.is_told() {
                    self.post.tell(News::Failed { key: held.key, dialog, why });
                }
            }
            Purpose::Reinvite(dialog) => {
                let Some(mut held) = self.dialogs.take(dialog) else { return };
                held.our_invite = None;
                self.end_change(now, &mut held, Err(Response::new(408)));
                self.put(now, held);
            }
            Purpose::Update(dialog) => {
                let Some(mut held) = self.dialogs.take(dialog) else { return };
                self.end_change(now, &mut held, Err(Response::new(408)));
                self.put(now, held);
            }
        }
    }
}
