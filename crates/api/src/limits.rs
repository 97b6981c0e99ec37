//! How many requests a key may make, and how many wrong keys a source may show.
//!
//! Wrong keys of a source shut out further wrong ones only: behind the same address sit others whose keys are right. But a
//! source that goes on is guessing. From then on it hears nothing of a key that it has not used lately, right or wrong, so
//! that in the long run nobody tries more than a few keys a second.
//!
//! Each face asks here once it knows who asks, and refuses in its own words; a layer round all of them then tells the
//! client how it stands (`RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`) and, where it was refused, answers
//! 429 with `Retry-After`. Sources that the operator named as unlimited are not counted.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::{Clock, DefaultClock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use model::{Source, TrunkAddress};

/// Requests that may come at once, in seconds' worth.
const BURST_SECONDS: NonZeroU32 = NonZeroU32::new(2).expect("some");
/// Wrong keys that a source may show at once before they are refused; before it is taken for one that guesses; and each
/// second from then on.
const WRONG_AT_ONCE: NonZeroU32 = NonZeroU32::new(300).expect("some");
const GUESSES_AT_ONCE: NonZeroU32 = NonZeroU32::new(3_000).expect("some");
/// The least time for which a source that guesses hears of no key that it has not used; each further guess begins it anew.
const SHUT_OUT: Duration = Duration::from_secs(1);
const WRONG_A_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("some");
/// How long it is remembered that a source used a key, and how many of these are remembered.
const REMEMBERED_FOR: Duration = Duration::from_hours(24);
const MOST_REMEMBERED: usize = 100_000;
/// Keys, and sources, that are counted at once. Beyond that all further ones are counted as one.
const MOST_COUNTED: usize = 20_000;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Counts requests.
pub(crate) struct Limits<C: Clock = DefaultClock> {
    /// None: as many as they like.
    keys: Option<Buckets<String, C>>,
    wrong: Buckets<Source, C>,
    guesses: Buckets<Source, C>,
    /// Sources that guess, and until when they are shut out.
    shut_out: Mutex<HashMap<Source, C::Instant>>,
    /// What sources signed in with, and when last.
    used: Mutex<HashMap<(Source, u64), C::Instant>>,
    /// Names what was signed in with in `used`, which need not hold it.
    hasher: RandomState,
    clock: C,
    unlimited_from: Vec<TrunkAddress>,
}

/// Too many requests came; there is room for one after this time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many requests: try again in {} s", seconds(.0))]
pub(crate) struct TooMany(pub Duration);

/// How a key stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Standing {
    /// Requests that may come at once.
    limit: u32,
    remaining: u32,
    /// When as many as at first may come at once.
    reset: Duration,
    /// When the next one may come; None: now.
    retry: Option<Duration>,
}

tokio::task_local! {
    /// How the key of the request that is being answered stands.
    static STANDING: Cell<Option<Standing>>;
}

impl Limits {
    /// `per_second` requests for each key, none counted where it is 0.
    pub fn new(per_second: u32, unlimited_from: Vec<TrunkAddress>) -> Self {
        Self::with_clock(per_second, unlimited_from, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Limits<C> {
    fn with_clock(per_second: u32, unlimited_from: Vec<TrunkAddress>, clock: C) -> Self {
        let of_key =
            |per_second: NonZeroU32| Buckets::new(per_second, per_second.saturating_mul(BURST_SECONDS), clock.clone());
        Self {
            keys: NonZeroU32::new(per_second).map(of_key),
            wrong: Buckets::new(WRONG_A_SECOND, WRONG_AT_ONCE, clock.clone()),
            guesses: Buckets::new(WRONG_A_SECOND, GUESSES_AT_ONCE, clock.clone()),
            shut_out: Mutex::default(),
            used: Mutex::default(),
            hasher: RandomState::new(),
            clock,
            unlimited_from,
        }
    }

    /// Counts a request made with a key that is right. `proof`: all that was shown to prove it.
    pub fn admit(&self, key: &str, proof: &str, from: Option<SocketAddr>) -> Result<(), TooMany> {
        self.may_know(key, proof, from)?;
        let Some(keys) = self.keys.as_ref().filter(|_| !self.is_unlimited(from)) else { return Ok(()) };
        let standing = keys.take(key.to_owned(), String::new);
        tell(standing);
        standing.retry.map_or(Ok(()), |wait| Err(TooMany(wait)))
    }

    /// Whether a right key that was shown with this proof may be known to be right: not by a source that guesses.
    pub fn may_know(&self, key: &str, proof: &str, from: Option<SocketAddr>) -> Result<(), TooMany> {
        self.source(from).map_or(Ok(()), |source| self.listen(source, (key, proof)))
    }

    /// Counts a wrong key; whether it may hear that it is one.
    pub fn wrong_key(&self, from: Option<SocketAddr>) -> Result<(), TooMany> {
        let Some(source) = self.source(from) else { return Ok(()) };
        // All sources that find no room of their own share this one.
        let shared = || Source::of(IpAddr::from([0, 0, 0, 0]));
        let guesses = self.guesses.take(source, shared);
        if let Some(wait) = guesses.retry {
            self.shut(source, wait.max(SHUT_OUT));
        }
        let standing = if guesses.retry.is_some() { guesses } else { self.wrong.take(source, shared) };
        let Some(wait) = standing.retry else { return Ok(()) };
        tell(Standing { limit: WRONG_AT_ONCE.get(), ..standing });
        Err(TooMany(wait))
    }

    /// Refuses what a source that guesses has not used before.
    fn listen(&self, source: Source, shown: (&str, &str)) -> Result<(), TooMany> {
        let now = self.clock.now();
        let name = (source, self.hasher.hash_one(shown));
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.get(&name).is_none_or(|at| !is_fresh(*at, now)) {
            self.may_be_new(source, now)?;
            if used.len() >= MOST_REMEMBERED {
                used.retain(|_, at| is_fresh(*at, now));
            }
            if used.len() >= MOST_REMEMBERED {
                return Ok(());
            }
        }
        used.insert(name, now);
        Ok(())
    }

    fn may_be_new(&self, source: Source, now: C::Instant) -> Result<(), TooMany> {
        let mut shut_out = self.shut_out.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = shut_out.get(&source).copied() else { return Ok(()) };
        if until <= now {
            shut_out.remove(&source);
            return Ok(());
        }
        let wait = Duration::from(until.duration_since(now));
        tell(Standing { limit: WRONG_AT_ONCE.get(), remaining: 0, reset: wait, retry: Some(wait) });
        Err(TooMany(wait))
    }

    fn shut(&self, source: Source, wait: Duration) {
        let now = self.clock.now();
        let mut shut_out = self.shut_out.lock().unwrap_or_else(PoisonError::into_inner);
        if shut_out.len() >= MOST_COUNTED {
            shut_out.retain(|_, until| *until > now);
        }
        if shut_out.len() < MOST_COUNTED {
            shut_out.insert(source, now + wait.into());
        }
    }

    fn source(&self, from: Option<SocketAddr>) -> Option<Source> {
        from.filter(|_| !self.is_unlimited(from)).map(|from| Source::of(from.ip()))
    }

    fn is_unlimited(&self, from: Option<SocketAddr>) -> bool {
        from.is_some_and(|from| {
            let from = SocketAddr::new(from.ip().to_canonical(), from.port());
            self.unlimited_from.iter().any(|net| net.contains(from))
        })
    }
}

/// Says how the key stands, and makes a 429 of a refusal in whatever words.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    telling(next.run(request)).await
}

/// The same round one answer, for who makes it in a task of its own.
pub(crate) async fn telling(answer: impl Future<Output = Response>) -> Response {
    let answering = async {
        let response = answer.await;
        (response, STANDING.with(Cell::get))
    };
    let (mut response, standing) = STANDING.scope(Cell::new(None), answering).await;
    let Some(Standing { limit, remaining, reset, retry }) = standing else { return response };
    let headers = response.headers_mut();
    headers.insert(LIMIT, HeaderValue::from(limit));
    headers.insert(REMAINING, HeaderValue::from(remaining));
    headers.insert(RESET, HeaderValue::from(seconds(&reset)));
    if let Some(wait) = retry {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(&wait)));
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    }
    response
}

fn tell(standing: Standing) {
    // Outside of the layer nobody listens.
    let _ = STANDING.try_with(|told| told.set(Some(standing)));
}

/// Whole seconds, none of them cut off; never 0, because that would mean now.
fn seconds(time: &Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

fn is_fresh<I: Reference>(used: I, now: I) -> bool {
    Duration::from(now.duration_since(used)) < REMEMBERED_FOR
}

type Limiter<K, C> = RateLimiter<K, HashMapStateStore<K>, C, StateInformationMiddleware>;

/// A bucket for each key.
struct Buckets<K: Clone + Eq + Hash, C: Clock> {
    limiter: Limiter<K, C>,
    clock: C,
    burst: NonZeroU32,
    refill: Duration,
}

impl<K: Clone + Eq + Hash, C: Clock + Clone> Buckets<K, C> {
    fn new(per_second: NonZeroU32, burst: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let limiter = RateLimiter::hashmap_with_clock(quota, clock.clone()).with_middleware();
        Self { limiter, clock, burst, refill: quota.replenish_interval() }
    }

    /// Takes one out of a key's bucket; where there is no room for a further key, out of the one that `shared` names.
    fn take(&self, key: K, shared: impl FnOnce() -> K) -> Standing {
        if self.limiter.len() >= MOST_COUNTED {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let key = if self.limiter.len() >= MOST_COUNTED { shared() } else { key };
        let (remaining, retry) = match self.limiter.check_key(&key) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(until.wait_time_from(self.clock.now()))),
        };
        let reset = self.refill.saturating_mul(self.burst.get() - remaining.min(self.burst.get()));
        Standing { limit: self.burst.get(), remaining, reset, retry }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn some(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).expect("more than none")
    }

    fn from(text: &str) -> Option<SocketAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let clock = FakeRelativeClock::default();
        let buckets = Buckets::new(some(10), some(20), clock.clone());
        let take = |key: &str| buckets.take(key.to_owned(), String::new);

        let first = take("a");
        for _ in 0..19 {
            assert_eq!(take("a").retry, None);
        }
        let refused = take("a");

        assert_eq!((first.limit, first.remaining, first.reset), (20, 19, Duration::from_millis(100)));
        assert_eq!((refused.remaining, refused.retry), (0, Some(Duration::from_millis(100))));
        assert_eq!(take("b").retry, None, "another key has its own");
        clock.advance(Duration::from_millis(100));
        assert_eq!(take("a").retry, None);
        assert!(take("a").retry.is_some());
    }

    #[test]
    fn what_is_counted_has_a_bound() {
        let buckets = Buckets::new(some(1), some(1), FakeRelativeClock::default());

        for key in 0..MOST_COUNTED as u32 + 100 {
            buckets.take(key, || u32::MAX);
        }

        assert!(buckets.limiter.len() <= MOST_COUNTED + 1);
        assert!(buckets.take(u32::MAX - 1, || u32::MAX).retry.is_some(), "those beyond are counted as one");
    }

    #[test]
    fn a_source_of_wrong_keys_shuts_out_further_wrong_ones_and_no_right_one() {
        let limits = Limits::new(100, Vec::new());
        for _ in 0..WRONG_AT_ONCE.get() {
            assert_eq!(limits.wrong_key(from("192.0.2.1:5")), Ok(()));
        }

        assert!(limits.wrong_key(from("192.0.2.1:7")).is_err());

        assert!(limits.wrong_key(from("[::ffff:192.0.2.1]:8")).is_err(), "the same in its other form");
        assert_eq!(limits.wrong_key(from("192.0.2.2:8")), Ok(()));
        assert_eq!(limits.admit("right", "secret", from("192.0.2.1:8")), Ok(()), "and it was never used from there");
    }

    #[test]
    fn whoever_guesses_hears_only_of_keys_that_it_has_used() {
        let clock = FakeRelativeClock::default();
        let limits = Limits::with_clock(0, Vec::new(), clock.clone());
        assert_eq!(limits.admit("neighbour", "its secret", from("192.0.2.1:5")), Ok(()));
        let heard = (0..=GUESSES_AT_ONCE.get()).filter(|_| limits.wrong_key(from("192.0.2.1:5")).is_ok()).count();

        assert_eq!(limits.admit("neighbour", "its secret", from("192.0.2.1:6")), Ok(()));
        for (key, proof) in [("right", "guessed"), ("neighbour", "its other secret"), ("neighbour", "")] {
            assert!(limits.admit(key, proof, from("192.0.2.1:6")).is_err(), "{key} {proof}");
        }
        assert_eq!(limits.admit("right", "guessed", from("192.0.2.2:6")), Ok(()), "from elsewhere");
        assert_eq!(heard, WRONG_AT_ONCE.get() as usize);
        clock.advance(Duration::from_secs(1));
        assert_eq!(limits.admit("right", "guessed", from("192.0.2.1:6")), Ok(()), "once it rests");
    }

    #[test]
    fn what_the_operator_named_is_not_counted() {
        let office = TrunkAddress { address: [192, 0, 2, 0].into(), prefix: 24, port: None };
        let limits = Limits::new(1, vec![office]);

        for _ in 0..GUESSES_AT_ONCE.get() + 10 {
            assert_eq!(limits.wrong_key(from("192.0.2.7:5")), Ok(()));
            assert_eq!(limits.admit("key", "", from("192.0.2.7:5")), Ok(()));
        }

        assert_eq!(limits.admit("key", "", from("198.51.100.1:5")), Ok(()));
        assert_eq!(limits.admit("key", "", from("198.51.100.1:5")), Ok(()));
        assert!(limits.admit("key", "", from("198.51.100.1:5")).is_err());
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let limits = Limits::new(0, Vec::new());

        assert!((0..1_000).all(|_| limits.admit("key", "", None).is_ok()));
    }
}
