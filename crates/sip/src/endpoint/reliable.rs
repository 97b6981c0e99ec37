//! Provisional answers that are sent again until their PRACK comes (RFC 3262, 3).
//!
//! One at a time: what follows waits for the PRACK, and so does a 2xx if the answer before it described a session.

use std::time::Instant;

use super::Endpoint;
use super::head::Answer;
use super::held::reliable::{Describes, Reliable, Unacknowledged};
use super::held::{Held, REMIND, Stage, TheirOffer};
use super::ids::ServerId;
use super::news::News;
use super::order::{Body, Provisional};
use crate::transaction::{PATIENCE, T1};
use crate::{Headers, Request};

/// Provisional answers that may wait for a PRACK.
const MAX_WAITING: usize = 8;

impl<K: Copy> Endpoint<K> {
    /// Gives a provisional answer that wants a PRACK, now or in its turn.
    pub(super) fn progress_reliably(&mut self, now: Instant, held: &mut Held<K>, provisional: Provisional) {
        let Some(server) = held.their_invite else { return };
        let Some(cseq) = self.transactions.server(server).map(|server| server.cseq) else { return };
        // RFC 3262 section 3: the first number is between 1 and 2^31 - 1.
        let first = self.post.identity.below(0x7fff_0000) as u32;
        let reliable = held.reliable.get_or_insert_with(|| Box::new(Reliable::new(cseq, first)));
        if reliable.answer.is_some() {
            return;
        }
        if reliable.unacknowledged.is_none() {
            return self.send_reliably(now, held, server, &provisional);
        }
        if reliable.waiting.len() < MAX_WAITING {
            reliable.waiting.push_back(provisional);
        }
    }

    /// Keeps a 2xx back until the PRACK it has to wait for has come. Gives it back if it has not to wait.
    pub(super) fn hold_answer(
        &mut self,
        held: &mut Held<K>,
        headers: Headers,
        body: Option<Body>,
    ) -> Option<(Headers, Option<Body>)> {
        let is_early_offer_open = held.their_update.is_some();
        let Some(reliable) = &mut held.reliable else { return Some((headers, body)) };
        let describes = reliable.unacknowledged.as_ref().map(|unacknowledged| unacknowledged.describes);
        if describes.is_none_or(|describes| describes == Describes::Nothing) && !is_early_offer_open {
            return Some((headers, body));
        }
        reliable.answer = Some((headers, body));
        None
    }

    /// A PRACK came; its transaction is open. Gives it back if its offer needs an answer of the asker.
    pub(super) fn on_prack(
        &mut self,
        now: Instant,
        held: &mut Held<K>,
        server: ServerId,
        request: Request,
    ) -> Option<Request> {
        let acknowledged = held.reliable.as_mut().and_then(|reliable| reliable.acknowledge(&request.headers));
        let Some(describes) = acknowledged else {
            self.answer_in(now, held, server, Answer::new(481));
            return None;
        };
        let has_body = !request.body.is_empty();
        if describes == Describes::Offer {
            held.their_offer = TheirOffer::Settled;
        }
        let request = match (has_body, describes) {
            (false, _) => {
                self.answer_in(now, held, server, Answer::new(200));
                None
            }
            (true, Describes::Offer) => {
                self.answer_in(now, held, server, Answer::new(200));
                self.post.tell(News::Acked { key: held.key, dialog: held.id, request });
                None
            }
            (true, _) => {
                held.their_update = Some(server);
                Some(request)
            }
        };
        self.after_prack(now, held);
        request
    }

    /// Sends what has waited: the 2xx, or the next provisional answer.
    pub(super) fn after_prack(&mut self, now: Instant, held: &mut Held<K>) {
        let (Stage::Offered(_), Some(server), None) = (&held.stage, held.their_invite, held.their_update) else {
            return;
        };
        let Some(reliable) = held.reliable.as_mut().filter(|reliable| reliable.unacknowledged.is_none()) else {
            return;
        };
        if let Some((headers, body)) = reliable.answer.take() {
            return self.send_answer(now, held, &headers, body.as_ref());
        }
        if let Some(provisional) = reliable.waiting.pop_front() {
            self.send_reliably(now, held, server, &provisional);
        }
        self.try_change(now, held);
    }

    /// Time has passed. True if a PRACK will never come.
    pub(super) fn resend_reliably(&mut self, now: Instant, held: &mut Held<K>) -> bool {
        let Some(unacknowledged) = held.reliable.as_mut().and_then(|reliable| reliable.unacknowledged.as_mut()) else {
            return false;
        };
        let Some(resend_at) = unacknowledged.resend_at else { return false };
        if unacknowledged.give_up_at <= now {
            return true;
        }
        if resend_at <= now {
            unacknowledged.interval *= 2;
            unacknowledged.resend_at = Some(now + unacknowledged.interval);
            self.post.send(unacknowledged.flow, unacknowledged.response.clone());
        }
        false
    }

    fn send_reliably(&mut self, now: Instant, held: &mut Held<K>, server: ServerId, provisional: &Provisional) {
        let (Stage::Offered(offered), Some(reliable)) = (&mut held.stage, &mut held.reliable) else { return };
        let Some(flow) = self.transactions.server(server).map(|server| server.flow) else { return };
        reliable.rseq += 1;
        let describes = match (&provisional.body, held.their_offer) {
            (None, _) => Describes::Nothing,
            (Some(_), TheirOffer::Missing) => Describes::Offer,
            (Some(_), TheirOffer::Open | TheirOffer::Settled) => {
                held.their_offer = TheirOffer::Settled;
                Describes::Answer
            }
        };
        let contact = &held.dialog.contact[..];
        let answer = Answer {
            makes_dialog: true,
            presents: true,
            contact: Some(contact),
            rseq: Some(reliable.rseq),
            ..Answer::new(provisional.status)
        };
        let answer = answer.with(&provisional.headers, provisional.body.as_ref());
        let Some(response) = self.answer_server(now, server, answer) else { return };
        offered.progress = Some(response.clone());
        offered.remind_at = Some(now + REMIND);
        reliable.unacknowledged = Some(Unacknowledged {
            response,
            flow,
            describes,
            interval: T1,
            resend_at: Some(now + T1),
            give_up_at: now + PATIENCE,
        });
    }
}
