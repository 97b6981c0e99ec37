//! Requests of ours, as ordered.

use std::time::Instant;

use bytes::Bytes;

use super::Endpoint;
use super::held::calling::{Calling, Cancel};
use super::held::{Held, Stage};
use super::ids::DialogId;
use super::news::{Failure, News, Overload};
use super::order::{Body, Invite, OutOfDialog};
use super::sign_in::{Challenged, SignIn};
use super::transactions::{Asked, Outside};
use crate::dialog::{Dialog, Remote};
use crate::{Headers, Method, NameAddr};

impl<K: Copy> Endpoint<K> {
    /// Calls somebody.
    pub fn invite(&mut self, now: Instant, key: K, order: Invite) -> Result<DialogId, Overload> {
        if self.transactions.is_full() || self.dialogs.is_full() {
            return Err(Overload);
        }
        let id = self.new_dialog_id();
        let Invite { flow, uri, from, to, route, headers, body, credentials, answer_within, next_hop } = order;
        let local_tag = self.post.identity.tag(id.0);
        let dialog = Dialog {
            flow,
            next_hop,
            call_id: self.post.identity.call_id(),
            contact: self.post.contact(flow, &from, &uri.scheme),
            local: from.with_tag(local_tag.clone()).print(),
            local_tag,
            remote: Remote {
                address: to.print(),
                tag: None,
                target: uri.print(),
                routes: route.iter().map(NameAddr::print).collect(),
            },
            local_cseq: 0,
            remote_cseq: None,
            is_caller: true,
        };
        let calling = Calling {
            headers,
            body,
            forks: Vec::new(),
            latest: 0,
            challenged: Challenged::default(),
            cancel: Cancel::NotAsked,
            answer_within,
            is_told: false,
        };
        let mut held = Box::new(Held::new(key, id, dialog, Stage::Calling(Box::new(calling))));
        held.sign_in = credentials.map(|login| Box::new(SignIn::new(login)));
        self.send_invite(now, &mut held, None);
        self.put(now, held);
        Ok(id)
    }

    /// Takes an INVITE of ours back. The CANCEL goes out as soon as something has come back (RFC 3261, 9.1). Ends in one
    /// of `Refused` (mostly 487), `Failed` and, if a 2xx crosses it, `Cancelled`. An answered dialog gets a BYE.
    pub fn cancel(&mut self, now: Instant, dialog: DialogId, headers: Headers) {
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        if !matches!(held.stage, Stage::Calling(_)) {
            self.put(now, held);
            return self.bye(now, dialog, headers);
        }
        self.cancel_invite(now, &mut held, headers);
        self.put(now, held);
    }

    /// Hangs up; nothing more is told of the dialog. A BYE for an answer of ours whose ACK is missing waits for the ACK,
    /// or for the end of all waiting (RFC 3261, 15). Before the answer it is a `cancel`, or a refusal with 480.
    pub fn bye(&mut self, now: Instant, dialog: DialogId, headers: Headers) {
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        match held.stage {
            Stage::Calling(_) => self.cancel_invite(now, &mut held, headers),
            Stage::Offered(_) => {
                self.put(now, held);
                return self.refuse(now, dialog, 480, headers);
            }
            Stage::Confirmed => {
                self.pay_ack(now, &mut held, None);
                self.answer_all_open(now, &held);
                held.their_invite = None;
                held.their_update = None;
                held.unanswered.clear();
                held.session = None;
                if held.resending.is_empty() {
                    self.send_bye(now, &mut held, headers);
                } else {
                    held.stage = Stage::Hanging { headers };
                }
            }
            Stage::Forked | Stage::Hanging { .. } | Stage::Ending | Stage::Lingering => {}
        }
        self.put(now, held);
    }

    /// Sends another request in a dialog, early or answered. INVITE, UPDATE, BYE and CANCEL have their own orders.
    pub fn request_in(&mut self, now: Instant, dialog: DialogId, method: Method, headers: Headers, body: Option<Body>) {
        match method {
            Method::Bye => return self.bye(now, dialog, headers),
            Method::Cancel => return self.cancel(now, dialog, headers),
            Method::Invite | Method::Ack => return,
            _ => {}
        }
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        if self.transactions.is_overfull() {
            let why = Failure::Overloaded;
            self.post.tell(News::RequestFailed { key: held.key, dialog: Some(dialog), why });
        } else if !held.is_ending() {
            self.send_in_dialog(
                now,
                &mut held,
                Box::new(Asked { method, headers, body, challenged: Challenged::default(), fork: None }),
                None,
            );
        }
        self.put(now, held);
    }

    /// Sends a request outside of a dialog.
    pub fn request(&mut self, now: Instant, key: K, mut order: OutOfDialog) {
        if self.transactions.is_full() {
            return self.post.tell(News::RequestFailed { key, dialog: None, why: Failure::Overloaded });
        }
        let call_id = order.call_id.take().unwrap_or_else(|| self.post.identity.call_id());
        let number = self.post.identity.fresh();
        let tag = self.post.identity.tag(number);
        let from: Bytes = order.from.clone().with_tag(tag).print();
        let sign_in = order.credentials.take().map(SignIn::new);
        let outside = Outside { key, order, call_id, from, sign_in, challenged: Challenged::default() };
        self.send_outside(now, Box::new(outside), None);
    }

    pub(super) fn cancel_invite(&mut self, now: Instant, held: &mut Held<K>, headers: Headers) {
        let Stage::Calling(calling) = &mut held.stage else { return };
        if !matches!(calling.cancel, Cancel::NotAsked) {
            return;
        }
        calling.cancel = Cancel::Asked(headers);
        self.try_cancel(now, held);
    }

    /// Sends the CANCEL that is asked for, if it may go out already.
    pub(super) fn try_cancel(&mut self, now: Instant, held: &mut Held<K>) {
        let Stage::Calling(calling) = &mut held.stage else { return };
        let Some(invite) = held.our_invite else { return };
        if !matches!(calling.cancel, Cancel::Asked(_)) || !self.is_proceeding(invite) {
            return;
        }
        if let Cancel::Asked(headers) = std::mem::replace(&mut calling.cancel, Cancel::NotAsked) {
            self.send_cancel(now, held, invite, &headers);
            if let Stage::Calling(calling) = &mut held.stage {
                calling.cancel = Cancel::Sent(headers);
            }
        }
    }
}
