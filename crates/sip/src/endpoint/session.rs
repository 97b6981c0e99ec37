//! Session timers (RFC 4028): a session that nobody refreshes in time is ended, so that no call goes on alone.
//!
//! Says what is asked for and granted, and when a refresh is due or has failed to come. Sending it is left to `changes`,
//! or to the asker where the other side takes no UPDATE.

use std::time::Instant;

use super::Endpoint;
use super::held::changes::Change;
use super::held::session::{LONGEST, Session};
use super::held::{Held, Stage};
use super::news::News;
use super::spoken::{Role, Spoken};
use crate::{HeaderName, Headers, Response};

/// How often a call follows the other side's wish for a longer interval.
const MAX_RAISED: u8 = 3;

impl<K: Copy> Endpoint<K> {
    /// What a request of ours that begins or refreshes a session asks for.
    pub(super) fn session_asked(&self, held: &Held<K>) -> Option<Spoken> {
        let timer = self.session?;
        let refresher = held.session.as_ref().map(|session| if session.we_refresh { Role::Uac } else { Role::Uas });
        let is_begun = matches!(held.stage, Stage::Calling(_) | Stage::Confirmed);
        is_begun.then(|| Spoken {
            // RFC 4028 section 7.4: a refresh keeps the interval there is.
            seconds: held.session.as_ref().map_or(timer.wished(), |session| session.seconds).max(held.min_se),
            refresher,
            min: Some(timer.least().max(held.min_se)),
            is_required: false,
        })
    }

    /// Takes in what a 2xx to such a request grants.
    pub(super) fn session_granted(&mut self, now: Instant, held: &mut Held<K>, response: &Response) {
        let Some(timer) = self.session else { return };
        held.session = match response.headers.session_expires().ok().flatten() {
            Some(granted) => Some(Box::new(Session::new(now, granted.seconds, !granted.is_uas()))),
            // Who grants nothing to a caller wants no timer; who forgets it later is refreshed as before.
            None => {
                let goes_on = held.session.as_ref().is_some_and(|session| session.we_refresh);
                goes_on.then(|| Box::new(Session::new(now, timer.wished().max(held.min_se), true)))
            }
        };
    }

    /// Takes in a 422 to such a request. True if it should be sent once more.
    pub(super) fn is_longer_wanted(&mut self, held: &mut Held<K>, response: &Response) -> bool {
        let Some(timer) = self.session.filter(|_| response.status == 422) else { return false };
        let wanted = response.headers.min_se().ok().flatten().unwrap_or(0);
        let is_met = wanted > timer.wished().max(held.min_se) || wanted > timer.least().max(held.min_se);
        if !is_met || wanted > LONGEST || held.raised == MAX_RAISED {
            return false;
        }
        held.min_se = wanted;
        held.raised += 1;
        true
    }

    /// Time has passed for a session: refreshes it, or ends it. True if it is over.
    pub(super) fn tend_session(&mut self, now: Instant, held: &mut Held<K>) -> bool {
        let Some(session) = held.session.as_mut().filter(|_| matches!(held.stage, Stage::Confirmed)) else {
            return false;
        };
        if session.ends_at <= now {
            return true;
        }
        if session.refresh_at.take_if(|at| *at <= now).is_some() {
            // What is under way refreshes it as well.
            let is_busy = held.changes.as_ref().is_some_and(|changes| changes.is_busy());
            if !is_busy && held.takes_update {
                held.changes.get_or_insert_default().waiting.push(Change::refresh());
                self.try_change(now, held);
            } else if !is_busy {
                self.post.tell(News::Refresh { key: held.key, dialog: held.id });
            }
        }
        false
    }

    /// A refresh of our own ended without success.
    pub(super) fn on_refresh_failed(&mut self, now: Instant, held: &mut Held<K>, response: &Response) {
        match response.status {
            // RFC 4028 section 10: the other side knows nothing of the call, or is gone.
            408 | 481 => self.expire(now, held),
            _ => {
                held.takes_update &= !matches!(response.status, 405 | 420 | 501);
                self.post.tell(News::Refresh { key: held.key, dialog: held.id });
            }
        }
    }

    /// Ends a dialog whose session was not refreshed.
    pub(super) fn expire(&mut self, now: Instant, held: &mut Held<K>) {
        self.answer_all_open(now, held);
        held.their_invite = None;
        held.their_update = None;
        held.unanswered.clear();
        self.post.tell(News::Expired { key: held.key, dialog: held.id });
        let headers = Headers::new().with(HeaderName::Reason, "SIP;cause=408;text=\"Session expired\"");
        self.send_bye(now, held, headers);
    }
}
