//! A session that has to be refreshed (RFC 4028): what is granted to theirs, and when it is over.

use std::time::{Duration, Instant};

use crate::endpoint::order::SessionTimer;
use crate::endpoint::spoken::{Role, Spoken};
use crate::{HeaderName, Headers};

/// The least interval there is, in seconds (RFC 4028, 5).
const LEAST: u32 = 90;
/// The longest that is agreed to when the other side asks for a longer one.
pub(crate) const LONGEST: u32 = 86_400;

/// What two sides have agreed.
#[derive(Debug)]
pub(crate) struct Session {
    /// The interval, as it was agreed.
    pub seconds: u32,
    pub we_refresh: bool,
    /// When our refresh is due; None if it is theirs, or under way.
    pub refresh_at: Option<Instant>,
    /// When it is over: a little before the other side thinks so (RFC 4028, 10).
    pub ends_at: Instant,
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
    /// The least that is granted, in seconds.
    pub(crate) fn least(self) -> u32 {
        seconds(self.min).max(LEAST)
    }

    /// What is asked for, in seconds.
    pub(crate) fn wished(self) -> u32 {
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

impl Session {
    pub(crate) fn new(now: Instant, seconds: u32, we_refresh: bool) -> Self {
        let interval = Duration::from_secs(seconds.clamp(1, LONGEST).into());
        let margin = Duration::from_secs(32).min(interval / 3);
        Self {
            seconds,
            we_refresh,
            refresh_at: we_refresh.then(|| now + interval / 2),
            ends_at: now + interval - margin,
        }
    }

    /// The session that begins when this is said in a 2xx of ours.
    pub(crate) fn of(now: Instant, spoken: &Spoken) -> Box<Self> {
        Box::new(Self::new(now, spoken.seconds, spoken.refresher == Some(Role::Uas)))
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.refresh_at.map_or(self.ends_at, |at| at.min(self.ends_at))
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(LONGEST).min(LONGEST)
}
