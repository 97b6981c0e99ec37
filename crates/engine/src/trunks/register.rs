//! Our registration at a carrier (RFC 3261, 10.2): made when the settings ask for it, and kept for as long as they do.
//!
//!   Due ──REGISTER──► Asking ──granted──► Due at 85 % of the time
//!    ▲                  └──refused──► Due after 30 s, twice as long each time, 30 min at most
//!    └──────────────────────┘
//!
//! Says what is to be sent and told; the trunk it belongs to sends and tells it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use model::{Text, Timestamp, TrunkEvent, TrunkRegistration};
use sip::{Contacts, Failure, NameAddr, Response};

use crate::edge::Now;

/// What we ask for, in seconds.
const WISH: u32 = 3_600;

/// The least and the most that a carrier may make us ask for (423) or grant, in seconds.
const GRANTS: std::ops::RangeInclusive<u32> = 10..=86_400;

/// How often a carrier may say that we ask for too little before it counts as a refusal.
const TOO_BRIEF: u8 = 2;

/// The first wait after a failure, and the longest with its jitter taken off.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LAST_WAIT: Duration = Duration::from_secs(1_636);

/// The longest time for which a carrier may put us off (Retry-After).
const LONGEST_PUT_OFF: Duration = Duration::from_secs(3_600);

/// The registration of one trunk.
#[derive(Debug)]
pub struct Registration {
    /// The same in the first REGISTER and all that refresh it (RFC 3261, 10.2).
    call_id: Bytes,
    /// What we ask for: more than at first once a carrier has said that it was too little.
    wish: u32,
    phase: Phase,
    /// In a row.
    failures: u32,
    /// How many of the trunk's places have been tried in vain, one after the other.
    pub place: usize,
    standing: Option<Standing>,
    since: Timestamp,
    why: Text,
    retry: Option<Timestamp>,
    service_route: Vec<NameAddr>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Due(Instant),
    Asking {
        /// How often the carrier has said that we asked for too little.
        brief: u8,
    },
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    until: Instant,
    wall: Timestamp,
}

/// What is to be done with a registration.
#[derive(Clone, PartialEq, Debug)]
pub enum Turn {
    /// Nothing.
    Wait,
    /// A REGISTER is to be sent.
    Ask,
    /// This is to be told.
    Tell(TrunkEvent),
    /// This is to be told when the place is known, and nothing is to be sent.
    Registered {
        /// What was granted, in seconds.
        expires: u32,
    },
}

impl Registration {
    /// One that is due at once.
    pub fn new(now: Now, call_id: Bytes) -> Self {
        Self {
            call_id,
            wish: WISH,
            phase: Phase::Due(now.mono),
            failures: 0,
            place: 0,
            standing: None,
            since: now.wall,
            why: Text::default(),
            retry: None,
            service_route: Vec::new(),
        }
    }

    /// How an earlier engine left it: what still stands is no news when it is made anew.
    pub fn take_back(&mut self, now: Now, kept: &TrunkRegistration) {
        let left = kept.expires.and_then(|expires| Duration::try_from(expires.duration_since(now.wall)).ok());
        if let Some((left, wall)) = left.zip(kept.expires).filter(|_| kept.registered) {
            self.standing = Some(Standing { until: now.mono + left, wall });
            self.since = kept.since;
        }
    }

    /// Names all its requests.
    pub fn call_id(&self) -> Bytes {
        self.call_id.clone()
    }

    /// What is asked for, in seconds.
    pub fn wish(&self) -> u32 {
        self.wish
    }

    /// Whether the carrier knows us.
    pub fn stands(&self) -> bool {
        self.standing.is_some()
    }

    /// The way that the carrier wants our requests to take (RFC 3608).
    pub fn service_route(&self) -> &[NameAddr] {
        &self.service_route
    }

    /// It is to be made anew at once: the connection it was made by is gone, or the carrier has moved.
    pub fn renew(&mut self, now: Now) {
        if !matches!(self.phase, Phase::Asking { .. }) {
            self.phase = Phase::Due(now.mono);
        }
    }

    /// Does what is due.
    pub fn on_timeout(&mut self, now: Now) -> Turn {
        let Phase::Due(at) = self.phase else { return Turn::Wait };
        if at > now.mono {
            return Turn::Wait;
        }
        if self.standing.is_some_and(|standing| standing.until <= now.mono) {
            self.standing = None;
            self.since = now.wall;
        }
        self.phase = Phase::Asking { brief: 0 };
        Turn::Ask
    }

    /// When it wants to be woken.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Due(at) => Some(at),
            Phase::Asking { .. } => None,
        }
    }

    /// The carrier has answered. `contact` is the user part of ours; `draw(most)` gives a random number from 0 to `most`.
    pub fn on_response(&mut self, now: Now, contact: &str, response: &Response, draw: impl FnOnce(u32) -> u32) -> Turn {
        let Phase::Asking { brief } = self.phase else { return Turn::Wait };
        match response.status {
            200..=299 => self.on_granted(now, contact, response),
            423 if brief < TOO_BRIEF => {
                let least = response.headers.min_expires().ok().flatten().unwrap_or_default();
                if least <= self.wish || !GRANTS.contains(&least) {
                    return self.on_refused(now, 423, "it wants a time that we do not ask for", None, draw);
                }
                self.wish = least;
                self.phase = Phase::Asking { brief: brief + 1 };
                Turn::Ask
            }
            status => {
                let put_off = response.headers.retry_after().ok().flatten();
                let put_off = put_off.map(|seconds| Duration::from_secs(seconds.into()).min(LONGEST_PUT_OFF));
                self.on_refused(now, status, plain(status), put_off, draw)
            }
        }
    }

    /// No answer came. `another_place`: the trunk has a place that was not tried since.
    pub fn on_failure(&mut self, now: Now, why: Failure, another_place: bool, draw: impl FnOnce(u32) -> u32) -> Turn {
        if !matches!(self.phase, Phase::Asking { .. }) {
            return Turn::Wait;
        }
        self.place = self.place.wrapping_add(1);
        if another_place {
            return Turn::Ask;
        }
        let why = match why {
            Failure::TimedOut => "it does not answer",
            Failure::FlowLost => "the connection to it failed",
            Failure::Overloaded => "this server has too much to do",
        };
        self.fail(now, None, why, None, draw)
    }

    /// There is no place to send a REGISTER to.
    pub fn on_nowhere(&mut self, now: Now, draw: impl FnOnce(u32) -> u32) -> Turn {
        self.fail(now, None, "its name has no address, or no interface of ours reaches it", None, draw)
    }

    /// How it stands. None: the carrier has not said anything, and its silence has not lasted long enough to say so.
    pub fn kept(&self) -> Option<TrunkRegistration> {
        let is_known = self.standing.is_some() || self.failures > 0;
        is_known.then(|| TrunkRegistration {
            registered: self.standing.is_some(),
            since: self.since,
            expires: self.standing.map(|standing| standing.wall),
            why: self.why.clone(),
            retry: self.retry,
        })
    }

    fn on_granted(&mut self, now: Now, contact: &str, response: &Response) -> Turn {
        let granted = granted(contact, response).unwrap_or(self.wish).clamp(*GRANTS.start(), *GRANTS.end());
        let time = Duration::from_secs(granted.into());
        self.phase = Phase::Due(now.mono + time * 85 / 100);
        self.failures = 0;
        self.why = Text::default();
        self.retry = None;
        self.service_route = response.headers.service_routes().unwrap_or_default();
        let is_news = self.standing.is_none();
        if is_news {
            self.since = now.wall;
        }
        let wall = now.wall.checked_add(time).unwrap_or(now.wall);
        self.standing = Some(Standing { until: now.mono + time, wall });
        if is_news { Turn::Registered { expires: granted } } else { Turn::Wait }
    }

    fn on_refused(
        &mut self,
        now: Now,
        status: u16,
        why: &str,
        put_off: Option<Duration>,
        draw: impl FnOnce(u32) -> u32,
    ) -> Turn {
        if status >= 500 {
            self.place = self.place.wrapping_add(1);
        }
        // What the carrier refuses it does not know any more; what fails on the way may still stand.
        if status < 500 && self.standing.take().is_some() {
            self.since = now.wall;
        }
        self.fail(now, Some(status), why, put_off, draw)
    }

    fn fail(
        &mut self,
        now: Now,
        sip: Option<u16>,
        why: &str,
        put_off: Option<Duration>,
        draw: impl FnOnce(u32) -> u32,
    ) -> Turn {
        if self.standing.is_some_and(|standing| standing.until <= now.mono) {
            self.standing = None;
            self.since = now.wall;
        }
        let doubled = 2_u32.checked_pow(self.failures.min(16)).and_then(|times| FIRST_WAIT.checked_mul(times));
        let wait = doubled.unwrap_or(LAST_WAIT).min(LAST_WAIT);
        let tenth = u32::try_from(wait.as_millis() / 10).unwrap_or_default();
        let wait = (wait + Duration::from_millis(draw(tenth).into())).max(put_off.unwrap_or_default());
        self.failures = self.failures.saturating_add(1);
        self.phase = Phase::Due(now.mono + wait);
        self.why = Text::from(why);
        self.retry = now.wall.checked_add(wait).ok();
        let retry = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
        Turn::Tell(TrunkEvent::RegistrationFailed { why: Text::from(why), sip, retry })
    }
}

/// What was granted for our Contact, in seconds.
fn granted(contact: &str, response: &Response) -> Option<u32> {
    let contacts = match response.headers.contacts() {
        Ok(Contacts::List(contacts)) => contacts,
        _ => Vec::new(),
    };
    let ours = contacts.iter().find(|one| one.uri.user.as_deref() == Some(contact.as_bytes()));
    ours.and_then(NameAddr::expires).or_else(|| response.headers.expires().ok().flatten())
}

/// What a refusal means, for whoever has to mend it.
fn plain(status: u16) -> &'static str {
    match status {
        401 | 407 => "it refuses our username or password",
        403 => "it forbids us to register: ask it whether the account is open and our address is allowed",
        404 => "it does not know our username",
        408 | 504 => "it cannot reach its own registrar",
        423 => "it wants a longer time than we ask for",
        300..=399 => "it says that we should register elsewhere: change the trunk's address",
        500..=599 => "it is in trouble itself",
        _ => "it refuses our registration",
    }
}

#[cfg(test)]
mod tests {
    use sip::HeaderName;

    use super::*;
    use crate::fixture;

    fn begin() -> (Now, Registration) {
        let now = Now { mono: fixture::instant(), wall: Timestamp::UNIX_EPOCH };
        let mut registration = Registration::new(now, Bytes::from_static(b"call"));
        assert_eq!(registration.on_timeout(now), Turn::Ask);
        (now, registration)
    }

    fn ok(expires: u32) -> Response {
        let contact = format!("<sip:me@192.0.2.1>;expires={expires}, <sip:other@192.0.2.9>;expires=9");
        Response::new(200).with(HeaderName::Contact, contact)
    }

    fn seconds_until_due(now: Now, registration: &Registration) -> u64 {
        (registration.poll_timeout().expect("it is due some time") - now.mono).as_secs()
    }

    #[test]
    fn it_is_refreshed_at_85_percent_of_what_was_granted() {
        let (now, mut registration) = begin();

        let turn = registration.on_response(now, "me", &ok(1_000), |_| 0);

        assert_eq!(turn, Turn::Registered { expires: 1_000 });
        assert_eq!(seconds_until_due(now, &registration), 850);
        assert!(registration.stands());
    }

    #[test]
    fn a_mere_refresh_is_no_news() {
        let (now, mut registration) = begin();
        registration.on_response(now, "me", &ok(100), |_| 0);
        let later = Now { mono: now.mono + Duration::from_secs(85), ..now };

        assert_eq!(registration.on_timeout(later), Turn::Ask);
        assert_eq!(registration.on_response(later, "me", &ok(100), |_| 0), Turn::Wait);
    }

    #[test]
    fn a_carrier_that_wants_more_time_is_asked_for_more() {
        let (now, mut registration) = begin();
        let brief = Response::new(423).with(HeaderName::MinExpires, "7200");

        assert_eq!(registration.on_response(now, "me", &brief, |_| 0), Turn::Ask);
        assert_eq!(registration.wish(), 7_200);
        assert!(matches!(registration.on_response(now, "me", &brief, |_| 0), Turn::Tell(_)));
    }

    #[test]
    fn each_failure_is_waited_for_twice_as_long_up_to_half_an_hour() {
        let (now, mut registration) = begin();
        let mut waits = Vec::new();

        for _ in 0..9 {
            registration.on_response(now, "me", &Response::new(403), |most| most);
            waits.push(seconds_until_due(now, &registration));
            registration.renew(now);
            registration.on_timeout(now);
        }

        assert_eq!(waits, [33, 66, 132, 264, 528, 1_056, 1_799, 1_799, 1_799]);
    }

    #[test]
    fn a_carrier_that_puts_us_off_is_left_alone_for_so_long() {
        let (now, mut registration) = begin();
        let busy = Response::new(503).with(HeaderName::RetryAfter, "600");

        registration.on_response(now, "me", &busy, |_| 0);

        assert_eq!(seconds_until_due(now, &registration), 600);
    }

    #[test]
    fn a_failure_says_what_to_mend() {
        let (now, mut registration) = begin();

        let turn = registration.on_response(now, "me", &Response::new(401), |_| 0);

        let Turn::Tell(TrunkEvent::RegistrationFailed { why, sip, retry }) = turn else { panic!("{turn:?}") };
        assert_eq!((why.as_str(), sip, retry), ("it refuses our username or password", Some(401), 30));
        assert_eq!(registration.kept().map(|kept| kept.registered), Some(false));
    }

    #[test]
    fn another_place_of_the_carrier_is_tried_before_it_has_failed() {
        let (now, mut registration) = begin();

        assert_eq!(registration.on_failure(now, Failure::TimedOut, true, |_| 0), Turn::Ask);
        assert!(matches!(registration.on_failure(now, Failure::TimedOut, false, |_| 0), Turn::Tell(_)));
    }

    #[test]
    fn an_answer_to_nothing_changes_nothing() {
        let (now, mut registration) = begin();
        registration.on_response(now, "me", &ok(100), |_| 0);

        assert_eq!(registration.on_response(now, "me", &Response::new(403), |_| 0), Turn::Wait);
        assert!(registration.stands());
    }
}
