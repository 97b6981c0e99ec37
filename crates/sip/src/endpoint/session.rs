//! Session timers (RFC 4028): a session that nobody refreshes in time is ended, so that no call goes on alone.
//!
//! Says what is asked for and granted, and when a refresh is due or has failed to come. Sending it is left to `changes`,
//! or to the asker where the other side takes no UPDATE.

use std::time::{Duration, Instant};

use super::Endpoint;
use super::changes::Change;
use super::head::{write_header, write_number};
use super::held::{Held, Stage};
use super::news::News;
use super::order::SessionTimer;
use crate::{HeaderName, Headers, Response};

/// The least interval there is, in seconds (RFC 4028, 5).
const LEAST: u32 = 90;
/// The longest that is agreed to when the other side asks for a longer one.
const LONGEST: u32 = 86_400;
/// How often a call follows the other side's wish for a longer interval.
const MAX_RAISED: u8 = 3;

/// What two sides have agreed.
#[derive(Debug)]
pub(crate) struct Session {
    /// The interval, as it was agreed.
    seconds: u32,
    we_refresh: bool,
    /// When our refresh is due; None if it is theirs, or under way.
    refresh_at: Option<Instant>,
    /// When it is over: a little before the other side thinks so (RFC 4028, 10).
    ends_at: Instant,
}

/// Session-Expires, Min-SE and Require as one message says them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spoken {
    seconds: u32,
    refresher: Option<Role>,
    /// In requests only.
    min: Option<u32>,
    /// In answers to those who know what it means.
    is_required: bool,
}

/// Who refreshes, seen from the transaction that says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    Uac,
    Uas,
}

/// What a request of theirs gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Grant {
    Nothing,
    Session(Spoken),
    /// 422, with this as Min-SE.
    TooBrief(u32),
}

impl SessionTimer {
    fn least(self) -> u32 {
        seconds(self.min).max(LEAST)
    }

    fn wished(self) -> u32 {
        seconds(self.expires).max(self.least())
    }

    /// What a request of theirs gets that begins or refreshes a session. `current`: whether we refresh the one there is.
    pub(crate) fn grant(self, headers: &Headers, current: Option<bool>) -> Grant {
        let is_known =
            headers.has_token(&HeaderName::Supported, "timer") || headers.has_token(&HeaderName::Require, "timer");
        let theirs = headers.session_expires().ok().flatten();
        // A session that is refreshed stays so, by us if the other side does not speak of it any more.
        if theirs.is_none() && !is_known && current.is_none() {
            return Grant::Nothing;
        }
        let wished = theirs.as_ref().map_or(u32::MAX, |theirs| theirs.seconds);
        // A proxy may have asked for it: a caller that knows nothing of timers cannot ask for a longer one.
        if wished < self.least() && is_known {
            return Grant::TooBrief(self.least());
        }
        let least = headers.min_se().ok().flatten().unwrap_or(LEAST).clamp(LEAST, LONGEST);
        let refresher = match &theirs {
            _ if !is_known => Role::Uas,
            Some(theirs) if theirs.is_uas() => Role::Uas,
            Some(theirs) if theirs.is_uac() => Role::Uac,
            _ if current == Some(true) => Role::Uas,
            _ => Role::Uac,
        };
        let seconds = wished.min(self.wished()).max(least);
        Grant::Session(Spoken { seconds, refresher: Some(refresher), min: None, is_required: is_known })
    }
}

impl Spoken {
    pub(crate) fn write(&self, out: &mut Vec<u8>, given: impl Fn(&HeaderName) -> bool) {
        if !given(&HeaderName::SessionExpires) {
            out.extend_from_slice(b"Session-Expires: ");
            write_number(out, self.seconds as usize);
            out.extend_from_slice(match self.refresher {
                Some(Role::Uac) => b";refresher=uac",
                Some(Role::Uas) => b";refresher=uas",
                None => b"",
            });
            out.extend_from_slice(b"\r\n");
        }
        if let Some(min) = self.min
            && !given(&HeaderName::MinSe)
        {
            out.extend_from_slice(b"Min-SE: ");
            write_number(out, min as usize);
            out.extend_from_slice(b"\r\n");
        }
        if self.is_required {
            write_header(out, &HeaderName::Require, b"timer");
        }
    }

    /// The session that begins when this is said in a 2xx of ours.
    pub(crate) fn begin(&self, now: Instant) -> Box<Session> {
        Box::new(Session::new(now, self.seconds, self.refresher == Some(Role::Uas)))
    }
}

impl Session {
    fn new(now: Instant, seconds: u32, we_refresh: bool) -> Self {
        let interval = Duration::from_secs(seconds.clamp(1, LONGEST).into());
        let margin = Duration::from_secs(32).min(interval / 3);
        Self {
            seconds,
            we_refresh,
            refresh_at: we_refresh.then(|| now + interval / 2),
            ends_at: now + interval - margin,
        }
    }

    pub(crate) fn we_refresh(&self) -> bool {
        self.we_refresh
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.refresh_at.map_or(self.ends_at, |at| at.min(self.ends_at))
    }
}

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

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(LONGEST).min(LONGEST)
}
