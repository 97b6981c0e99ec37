//! How many requests a key may make, and how many wrong keys a source may show.
//!
//! Each face asks here once it knows who asks, and refuses in its own words; a layer round all of them then tells the
//! client how it stands (`RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`) and, where it was refused, answers
//! 429 with `Retry-After`. Sources that the operator named as unlimited are not counted.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::Hash;
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
/// Wrong keys that a source may show at once, and each second from then on.
const WRONG_AT_ONCE: NonZeroU32 = NonZeroU32::new(300).expect("some");
const WRONG_A_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("some");
/// Keys, and sources, that are counted at once. Beyond that all further ones are counted as one.
const MOST_COUNTED: usize = 20_000;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Counts requests.
pub(crate) struct Limits {
    /// None: as many as they like.
    keys: Option<Buckets<String>>,
    wrong: Buckets<Source>,
    /// Sources that showed too many wrong keys, and until when they wait.
    waiting: Mutex<HashMap<Source, <DefaultClock as Clock>::Instant>>,
    clock: DefaultClock,
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
        Self {
            keys: NonZeroU32::new(per_second)
                .map(|per_second| Buckets::new(per_second, per_second.saturating_mul(BURST_SECONDS))),
            wrong: Buckets::new(WRONG_A_SECOND, WRONG_AT_ONCE),
            waiting: Mutex::default(),
            clock: DefaultClock::default(),
            unlimited_from,
        }
    }

    /// Counts a request made with a key that is right.
    pub fn admit(&self, key: &str, from: Option<SocketAddr>) -> Result<(), TooMany> {
        let Some(keys) = self.keys.as_ref().filter(|_| !self.is_unlimited(from)) else { return Ok(()) };
        let standing = keys.take(key.to_owned(), String::new);
        tell(standing);
        standing.retry.map_or(Ok(()), |wait| Err(TooMany(wait)))
    }

    /// Whether a source may show a key at all.
    pub fn may_sign_in(&self, from: Option<SocketAddr>) -> Result<(), TooMany> {
        let Some(source) = self.source(from) else { return Ok(()) };
        let now = self.clock.now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = waiting.get(&source).copied() else { return Ok(()) };
        if until <= now {
            waiting.remove(&source);
            return Ok(());
        }
        let wait = Duration::from(until.duration_since(now));
        tell(Standing { limit: WRONG_AT_ONCE.get(), remaining: 0, reset: wait, retry: Some(wait) });
        Err(TooMany(wait))
    }

    /// Counts a wrong key.
    pub fn wrong_key(&self, from: Option<SocketAddr>) {
        let Some(source) = self.source(from) else { return };
        // All sources that find no room of their own share this one.
        let standing = self.wrong.take(source, || Source::of(IpAddr::from([0, 0, 0, 0])));
        let Some(wait) = standing.retry else { return };
        let now = self.clock.now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_COUNTED {
            waiting.retain(|_, until| *until > now);
        }
        if waiting.len() < MOST_COUNTED {
            waiting.insert(source, now + wait.into());
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

type Limiter<K, C> = RateLimiter<K, HashMapStateStore<K>, C, StateInformationMiddleware>;

/// A bucket for each key.
struct Buckets<K: Clone + Eq + Hash, C: Clock = DefaultClock> {
    limiter: Limiter<K, C>,
    clock: C,
    burst: NonZeroU32,
    refill: Duration,
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self::with_clock(per_second, burst, DefaultClock::default())
    }
}

impl<K: Clone + Eq + Hash, C: Clock + Clone> Buckets<K, C> {
    fn with_clock(per_second: NonZeroU32, burst: NonZeroU32, clock: C) -> Self {
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
        let buckets = Buckets::with_clock(some(10), some(20), clock.clone());
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
        let buckets = Buckets::with_clock(some(1), some(1), FakeRelativeClock::default());

        for key in 0..MOST_COUNTED as u32 + 100 {
            buckets.take(key, || u32::MAX);
        }

        assert!(buckets.limiter.len() <= MOST_COUNTED + 1);
        assert!(buckets.take(u32::MAX - 1, || u32::MAX).retry.is_some(), "those beyond are counted as one");
    }

    #[test]
    fn a_source_of_wrong_keys_waits_and_others_do_not() {
        let limits = Limits::new(100, Vec::new());
        for _ in 0..WRONG_AT_ONCE.get() {
            limits.wrong_key(from("192.0.2.1:5"));
        }
        assert_eq!(limits.may_sign_in(from("192.0.2.1:6")), Ok(()));

        limits.wrong_key(from("192.0.2.1:7"));

        assert!(limits.may_sign_in(from("192.0.2.1:8")).is_err());
        assert!(limits.may_sign_in(from("[::ffff:192.0.2.1]:8")).is_err(), "the same in its other form");
        assert_eq!(limits.may_sign_in(from("192.0.2.2:8")), Ok(()));
    }

    #[test]
    fn what_the_operator_named_is_not_counted() {
        let office = TrunkAddress { address: [192, 0, 2, 0].into(), prefix: 24, port: None };
        let limits = Limits::new(1, vec![office]);

        for _ in 0..WRONG_AT_ONCE.get() + 10 {
            limits.wrong_key(from("192.0.2.7:5"));
            assert_eq!(limits.admit("key", from("192.0.2.7:5")), Ok(()));
        }

        assert_eq!(limits.may_sign_in(from("192.0.2.7:5")), Ok(()));
        assert_eq!(limits.admit("key", from("198.51.100.1:5")), Ok(()));
        assert_eq!(limits.admit("key", from("198.51.100.1:5")), Ok(()));
        assert!(limits.admit("key", from("198.51.100.1:5")).is_err());
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let limits = Limits::new(0, Vec::new());

        assert!((0..1_000).all(|_| limits.admit("key", None).is_ok()));
    }
}
