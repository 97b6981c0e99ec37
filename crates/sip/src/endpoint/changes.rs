//! Re-INVITEs and UPDATEs of ours in a dialog: one at a time, and again after they met one of theirs (RFC 3261, 14.1;
//! RFC 3311, 5).
//!
//! A 2xx that carries an offer waits here for the answer that its ACK has to carry.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Endpoint;
use super::held::changes::{Change, Owed};
use super::held::{Held, Stage};
use super::ids::{ClientId, DialogId, Timer};
use super::news::News;
use super::order::Body;
use super::transactions::ClientMachine;
use crate::{Headers, Method, Response};

/// How often one is tried again because it met one of theirs.
const MAX_TRIES: u8 = 5;
/// The longest time that a Retry-After makes one wait.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);
/// How long an asker may think about the answer to an offer in a 2xx.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

impl<K: Copy> Endpoint<K> {
    /// Offers another session in an answered dialog, or, without a body, asks for an offer. Waits for the dialog to be
    /// answered, and for an INVITE or offer that is open on either side; after a 491, or a 500 that says when, it is
    /// tried again (RFC 3261, 14.1). While one waits, a later one of its kind takes its place; each that is not replaced
    /// ends in `ReinviteDone`.
    pub fn reinvite(&mut self, now: Instant, dialog: DialogId, headers: Headers, body: Option<Body>) {
        self.change(now, dialog, Change::new(Method::Invite, headers, body));
    }

    /// Sends an UPDATE (RFC 3311) in a dialog, early or answered: with a body another session is offered, without one
    /// only the headers tell something. Waits and ends as `reinvite` does.
    pub fn update(&mut self, now: Instant, dialog: DialogId, headers: Headers, body: Option<Body>) {
        self.change(now, dialog, Change::new(Method::Update, headers, body));
    }

    /// Sends the ACK that a `ReinviteDone` with `wants_answer` waits for. After ten seconds it goes without an answer.
    pub fn acknowledge(&mut self, now: Instant, dialog: DialogId, body: Option<Body>) {
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        self.pay_ack(now, &mut held, body.as_ref());
        self.try_change(now, &mut held);
        self.put(now, held);
    }

    fn change(&mut self, now: Instant, dialog: DialogId, change: Change) {
        let Some(mut held) = self.dialogs.take(dialog) else { return };
        if !held.is_ending() {
            held.changes.get_or_insert_default().wait(change);
            self.try_change(now, &mut held);
        }
        self.put(now, held);
    }

    /// Sends the change that waits, if it may go out already.
    pub(super) fn try_change(&mut self, now: Instant, held: &mut Held<K>) {
        let Some(changes) = &mut held.changes else { return };
        changes.retry_at = changes.retry_at.filter(|at| *at > now);
        let is_due = changes.sent.is_none() && changes.retry_at.is_none();
        let Some(changes) = &held.changes else { return };
        if !is_due || !changes.waiting.first().is_some_and(|change| held.may_send(change)) {
            return;
        }
        let Some(changes) = &mut held.changes else { return };
        changes.sent = Some(changes.waiting.remove(0));
        self.send_change(now, held, None);
    }

    /// A final response to the change that is on its way; a 2xx to a re-INVITE has its ACK, unless that is owed.
    pub(super) fn on_change_done(&mut self, now: Instant, held: &mut Held<K>, response: Response) {
        let Some(sent) = held.changes.as_mut().and_then(|changes| changes.sent.as_mut()) else { return };
        let cnonce = self.cnonce();
        if held.sign_in.as_mut().is_some_and(|sign_in| sign_in.take_up(&response, &mut sent.challenged, cnonce)) {
            return self.send_change(now, held, None);
        }
        if self.is_longer_wanted(held, &response) {
            return self.send_change(now, held, None);
        }
        match self.retry_after(held, &response) {
            Some(wait) => {
                if let Some(changes) = &mut held.changes {
                    changes.try_again_at(now + wait);
                }
            }
            None if response.is_success() => {
                held.note_allow(&response.headers);
                if matches!(held.stage, Stage::Confirmed) {
                    self.session_granted(now, held, &response);
                }
                self.end_change(now, held, Ok(response));
            }
            None => self.end_change(now, held, Err(response)),
        }
    }

    /// Tells how the change ended that is on its way, and goes on with what was asked for since.
    pub(super) fn end_change(&mut self, now: Instant, held: &mut Held<K>, result: Result<Response, Response>) {
        let Some(changes) = &mut held.changes else { return };
        let Some(sent) = changes.sent.take() else { return };
        let wants_answer = changes.owed.is_some();
        if held.is_ending() {
            return;
        }
        match result {
            result if sent.is_asked => {
                let (key, dialog) = (held.key, held.id);
                self.post.tell(News::ReinviteDone { key, dialog, method: sent.method, result, wants_answer });
            }
            Ok(_) => {}
            Err(response) => self.on_refresh_failed(now, held, &response),
        }
        self.try_change(now, held);
        if held.changes.as_ref().is_some_and(|changes| changes.is_empty()) {
            held.changes = None;
        }
    }

    /// Keeps the 2xx to our re-INVITE from being acknowledged before our answer is known.
    pub(super) fn owe_ack(&mut self, now: Instant, held: &mut Held<K>, client: ClientId, cseq: u32, tag: Bytes) {
        held.changes.get_or_insert_default().owed = Some(Owed { client, cseq, tag, until: now + ANSWER_WITHIN });
    }

    /// Sends the ACK that is owed, if one is.
    pub(super) fn pay_ack(&mut self, now: Instant, held: &mut Held<K>, body: Option<&Body>) {
        let Some(owed) = held.changes.as_mut().and_then(|changes| changes.owed.take()) else { return };
        held.our_invite = None;
        let (ack_flow, ack) = self.send_ack(&held.dialog, held.signed_invite(), owed.cseq, body);
        let Some(mut client) = self.transactions.take_client(owed.client) else { return };
        if let ClientMachine::Invite(machine) = &mut client.machine {
            machine.keep_fork_ack(now, owed.tag, ack, ack_flow);
        }
        self.transactions.put_client(now, owed.client, client, &mut self.post);
        self.transactions.note_finished(Timer::Client(owed.client));
    }

    /// How long to wait before a refused change is tried again; None: it is refused for good.
    fn retry_after(&mut self, held: &Held<K>, response: &Response) -> Option<Duration> {
        let sent = held.changes.as_ref()?.sent.as_ref()?;
        if sent.tries >= MAX_TRIES {
            return None;
        }
        match response.status {
            // RFC 3261 section 14.1: whoever made the Call-ID waits longer, so that the two do not meet again.
            491 if held.dialog.is_caller => Some(Duration::from_millis(2_100 + 10 * self.post.identity.below(191))),
            491 => Some(Duration::from_millis(10 * self.post.identity.below(201))),
            500 => {
                let seconds = response.headers.retry_after().ok().flatten()?;
                Some(Duration::from_secs(seconds.into()).min(MAX_RETRY_AFTER))
            }
            _ => None,
        }
    }
}
