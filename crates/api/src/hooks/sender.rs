//! Sends for one hook: what is due, a few messages at a time. Messages of one call go one after the other, which the store
//! sees to: only the first of them is ever due.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::Timestamp;
use store::{Delivery, Hook, HookId, Outcome};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::message::{Answered, send};
use super::schedule::pause;
use super::{Backlog, Shared};

/// Requests under way to one hook, and to one at which the last attempt failed: a dead receiver must not take the room
/// of those that live.
const AT_ONCE: usize = 16;
const AT_ONCE_FAILING: usize = 2;
/// Deliveries that are claimed ahead.
const AHEAD: usize = 32;
/// How long a claim holds: longer than anything takes that is done with what was claimed.
const CLAIM: Duration = Duration::from_secs(180);
/// How long a message waits for room among those of all hooks, before its claim is left to run out.
const ROOM_WITHIN: Duration = Duration::from_secs(60);
/// How long to rest when the store fails, and how often what came of a message is offered to it.
const REST: Duration = Duration::from_secs(1);
const OFFERS: u32 = 30;

/// What wakes a sender.
pub(super) struct Post {
    /// The hook as it stands; it ends with its sender.
    pub hook: watch::Receiver<Arc<Hook>>,
    /// Rings when something may be due.
    pub bell: Arc<Notify>,
    pub backlog: Arc<Backlog>,
}

/// What came of a message.
struct Done {
    /// None: it was not sent.
    arrived: Option<bool>,
    ended: bool,
    /// When something is due for its sake: it itself again, or the next of its chain.
    look_at: Option<Instant>,
}

/// Runs until the hook is gone or the server stops; then what is under way is still waited for.
pub(super) async fn run(shared: Arc<Shared>, mut post: Post, mut stopping: watch::Receiver<bool>) {
    let mut failing = post.hook.borrow().failing;
    let mut under_way = FuturesUnordered::new();
    let mut claimed: Vec<Delivery> = Vec::new();
    let mut look_at = Instant::now();
    loop {
        let hook = post.hook.borrow_and_update().clone();
        let is_over = *stopping.borrow_and_update() || !hook.active;
        if is_over {
            claimed.clear();
            if under_way.is_empty() {
                return;
            }
        }
        let room = if failing { AT_ONCE_FAILING } else { AT_ONCE }.saturating_sub(under_way.len());
        if !is_over && room > 0 && claimed.is_empty() && look_at <= Instant::now() {
            let most = if failing { room } else { AHEAD };
            look_at = look(&shared, hook.id, most, &mut claimed).await;
        }
        for delivery in claimed.drain(..room.min(claimed.len())) {
            under_way.push(carry(shared.clone(), hook.clone(), delivery));
        }
        let is_idle = under_way.len() < AT_ONCE && claimed.is_empty() && !is_over;
        tokio::select! {
            Some(done) = under_way.next() => {
                failing = done.arrived.map_or(failing, |arrived| !arrived);
                look_at = done.look_at.map_or(look_at, |at| look_at.min(at));
                if done.ended {
                    let before = post.backlog.add(-1);
                    if before >= shared.app.settings.hooks.backlog {
                        shared.fewer.notify_one();
                    }
                }
            }
            () = post.bell.notified() => look_at = Instant::now(),
            () = sleep_until(look_at), if is_idle && look_at > Instant::now() => {}
            changed = post.hook.changed() => {
                if changed.is_err() && under_way.is_empty() {
                    return;
                }
                if changed.is_err() {
                    while under_way.next().await.is_some() {}
                    return;
                }
                look_at = Instant::now();
            }
            _ = stopping.changed(), if !is_over => {}
        }
    }
}

/// Claims what is due; returns when to look again.
async fn look(shared: &Shared, hook: HookId, most: usize, claimed: &mut Vec<Delivery>) -> Instant {
    let now = Timestamp::now();
    let until = now.saturating_add(jiff_span(CLAIM)).unwrap_or(Timestamp::MAX);
    match shared.app.store.hooks().claim(hook, most, until).await {
        Ok(found) => {
            let full = found.deliveries.len() >= most;
            claimed.extend(found.deliveries);
            let wait = found.next_due.map(|due| from_to(now, due));
            match wait {
                _ if full => Instant::now(),
                // Far away enough: whatever is made rings the bell.
                None => Instant::now() + Duration::from_hours(24),
                Some(wait) => Instant::now() + wait,
            }
        }
        Err(error) => {
            tracing::warn!(%hook, error = &error as &dyn std::error::Error, "what is due for a hook cannot be read");
            Instant::now() + REST
        }
    }
}

/// Sends one message and stores what came of it.
async fn carry(shared: Arc<Shared>, hook: Arc<Hook>, delivery: Delivery) -> Done {
    let untouched = Done { arrived: None, ended: false, look_at: None };
    let Ok(Ok(_room)) = timeout(ROOM_WITHIN, shared.room.acquire()).await else { return untouched };
    let Delivery { place, body, tries, .. } = delivery;
    let name = place.name(hook.id).to_string();
    let private =
        shared.app.directory.borrow().tenants.iter().any(|tenant| tenant.id == hook.tenant && tenant.private_urls);
    let settings = &shared.app.settings.hooks;
    let Answered { attempt, retry_after } =
        send(&shared.app.outward, private, &hook, (&name, &body), settings.timeout).await;
    let arrived = attempt.error.is_none();
    let outcome = if arrived {
        Outcome::Delivered
    } else if attempt.status == Some(410) {
        tracing::warn!(hook = %hook.id, "a hook is switched off: its receiver answered 410");
        Outcome::Gone { url: hook.url.clone() }
    } else {
        match pause(&settings.pauses, tries + 1, &name, retry_after) {
            Some(pause) => Outcome::Again(Timestamp::now().saturating_add(jiff_span(pause)).unwrap_or(Timestamp::MAX)),
            None => Outcome::GivenUp,
        }
    };
    count(&shared, &outcome);
    tracing::debug!(hook = %hook.id, name, status = attempt.status, error = attempt.error, "told a hook");
    for _ in 0..OFFERS {
        match shared.app.store.hooks().settle((hook.id, place), attempt.clone(), outcome.clone()).await {
            Ok(settled) => {
                let look_at = match outcome {
                    Outcome::Again(due) => Instant::now() + from_to(Timestamp::now(), due),
                    _ => Instant::now(),
                };
                return Done { arrived: Some(arrived), ended: settled.ended, look_at: Some(look_at) };
            }
            Err(error) => {
                tracing::warn!(hook = %hook.id, error = &error as &dyn std::error::Error, "what came of a hook's message cannot be stored");
                sleep(REST).await;
            }
        }
    }
    // It is sent again when the claim runs out, under the same name.
    untouched
}

fn count(shared: &Shared, outcome: &Outcome) {
    let metrics = &shared.app.metrics;
    match outcome {
        Outcome::Delivered => metrics.hook_delivered.inc(),
        Outcome::Again(_) => metrics.hook_attempts_failed.inc(),
        Outcome::GivenUp | Outcome::Gone { .. } => {
            metrics.hook_attempts_failed.inc();
            metrics.hook_given_up.inc()
        }
    };
}

/// How long it is until then; a millisecond more, because moments are stored in whole ones.
fn from_to(now: Timestamp, due: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or_default() + Duration::from_millis(1)
}

fn jiff_span(duration: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX)
}
