//! Follows the story for all hooks: what is told of each event is stored together with how far was read. Keeps a sender for
//! each hook that is told anything.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use model::TenantId;
use store::{Hook, HookId, HookKind, Made, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::sender::Post;
use super::{Backlog, Shared, bodies, sender};

/// Events of one step, and deliveries, which one transaction has to take.
const EVENTS: usize = 128;
/// Hooks that read at once.
const AT_ONCE: usize = 32;
/// A cursor that has nothing to tell is stored this seldom: in events, which after a start are read once more, and in
/// time, so that whoever looks at it sees it come level with the story.
const SELDOM: i64 = 1_000;
const LAG: Duration = Duration::from_secs(2);
/// How often hooks are read anew although nobody said that they have changed: an old secret runs out unannounced.
const ANEW_EVERY: Duration = Duration::from_secs(300);
/// How long to rest when the store fails.
const REST: Duration = Duration::from_secs(1);

/// A hook that is told things.
struct Reading {
    hook: watch::Sender<Arc<Hook>>,
    /// Where it stands in the store.
    stored: i64,
    /// How far it was read.
    read: i64,
    /// When it has to be stored, because more was read than it says.
    store_at: Option<Instant>,
    /// The part that is told again.
    again: Option<(i64, i64)>,
    bell: Arc<Notify>,
    backlog: Arc<Backlog>,
}

impl Reading {
    /// Whether the store does not know for too long how far was read.
    fn lags(&self, now: Instant) -> bool {
        self.store_at.is_some_and(|at| at <= now)
    }
}

/// What a step came to.
enum Step {
    /// There was nothing to do.
    Level,
    /// There may be more.
    On,
    /// The hook stands elsewhere: read it anew.
    Lost,
    /// The store failed.
    Failed,
}

/// Runs until the server stops; then the senders are waited for.
pub(super) async fn run(shared: Arc<Shared>, mut stopping: watch::Receiver<bool>) {
    let store = shared.app.store.hooks();
    let mut published = shared.app.store.feed().published();
    let mut directory = shared.app.directory.clone();
    let mut changes = store.changes();
    let mut senders = JoinSet::new();
    let mut readings: HashMap<HookId, Reading> = HashMap::new();
    while let Err(error) = store.release().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "hooks cannot be told anything");
        if timeout(REST, stopping.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
    let (mut anew, mut anew_at) = (true, Instant::now());
    while !*stopping.borrow() {
        if anew || anew_at <= Instant::now() {
            changes.mark_unchanged();
            directory.mark_unchanged();
            anew = false;
            anew_at = Instant::now() + ANEW_EVERY;
            if let Err(error) = read_anew(&shared, &mut readings, &mut senders, &stopping).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "hooks cannot be read");
                anew_at = Instant::now() + REST;
            }
        }
        published.mark_unchanged();
        let fewer = shared.fewer.notified();
        let mut steps = Vec::new();
        let now = Instant::now();
        let mut behind: Vec<&mut Reading> =
            readings.values_mut().filter(|reading| has_more(&shared, reading, now)).collect();
        for some in behind.chunks_mut(AT_ONCE) {
            steps.extend(join_all(some.iter_mut().map(|reading| step(&shared, reading))).await);
        }
        anew |= steps.iter().any(|step| matches!(step, Step::Lost));
        if steps.iter().any(|step| matches!(step, Step::On | Step::Lost)) {
            continue;
        }
        let rests = steps.iter().any(|step| matches!(step, Step::Failed));
        // Who lags and was not looked at has no room: it is looked at once it has.
        let due = readings.values().filter_map(|reading| reading.store_at).filter(|at| *at > now).min();
        let until = if rests { Instant::now() + REST } else { due.map_or(anew_at, |due| due.min(anew_at)) };
        tokio::select! {
            _ = published.changed(), if !rests => {}
            () = fewer => {}
            changed = changes.changed() => anew = changed.is_ok(),
            changed = directory.changed() => anew = changed.is_ok(),
            () = sleep_until(until) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
        while senders.try_join_next().is_some() {}
    }
    while senders.join_next().await.is_some() {}
}

/// Reads which hooks there are, and how they stand.
async fn read_anew(
    shared: &Arc<Shared>,
    readings: &mut HashMap<HookId, Reading>,
    senders: &mut JoinSet<()>,
    stopping: &watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let store = shared.app.store.hooks();
    let mut before = std::mem::take(readings);
    for hook in store.load().await? {
        let (id, hook) = (hook.id, Arc::new(hook));
        let known = before.remove(&id);
        if !hook.active {
            if let Some(known) = known {
                // Its sender sees that it is over.
                known.hook.send_replace(hook);
            }
            continue;
        }
        let waiting = store.waiting(id).await.map_or(0, |waiting| i64::try_from(waiting).unwrap_or(i64::MAX));
        let reading = match known {
            Some(mut known) => {
                // What was read without anything to tell need not be read again, unless it stands elsewhere now.
                if known.stored != hook.position {
                    known.read = hook.position;
                    known.store_at = None;
                }
                known.hook.send_replace(hook.clone());
                known
            }
            None => {
                let (sender, receiver) = watch::channel(hook.clone());
                let (bell, backlog) = (Arc::new(Notify::new()), Arc::new(Backlog::default()));
                let post = Post { hook: receiver, bell: bell.clone(), backlog: backlog.clone() };
                senders.spawn(sender::run(shared.clone(), post, stopping.clone()));
                Reading {
                    hook: sender,
                    stored: hook.position,
                    read: hook.position,
                    store_at: None,
                    again: None,
                    bell,
                    backlog,
                }
            }
        };
        reading.backlog.set(waiting);
        reading.bell.notify_one();
        readings.insert(id, Reading { stored: hook.position, again: hook.replay, ..reading });
    }
    Ok(())
}

/// Whether there is something to read for a hook, and room for what it is told of it.
fn has_more(shared: &Shared, reading: &Reading, now: Instant) -> bool {
    let hook = reading.hook.borrow();
    tells(hook.kind)
        && reading.backlog.waiting() < shared.app.settings.hooks.backlog
        && (reading.again.is_some() || reading.lags(now) || shared.app.store.feed().head(hook.tenant) > reading.read)
}

/// Reads a piece of the story for one hook.
async fn step(shared: &Shared, reading: &mut Reading) -> Step {
    let hook = reading.hook.borrow().clone();
    let done = match reading.again {
        Some((after, to)) => tell_again(shared, reading, &hook, after, to).await,
        None => tell_on(shared, reading, &hook).await,
    };
    done.unwrap_or_else(|error| {
        tracing::warn!(hook = %hook.id, error = &error as &dyn std::error::Error, "a hook cannot be told what happened");
        Step::Failed
    })
}

async fn tell_on(shared: &Shared, reading: &mut Reading, hook: &Hook) -> Result<Step, StoreError> {
    let piece = piece(shared, hook, reading.read, EVENTS).await?;
    let (upto, drafts) = piece.map_or((reading.read, Vec::new()), |piece| (piece.upto, piece.drafts));
    let step = if upto > reading.read { Step::On } else { Step::Level };
    reading.read = upto;
    if drafts.is_empty() && reading.read - reading.stored < SELDOM && !reading.lags(Instant::now()) {
        if reading.read > reading.stored {
            reading.store_at.get_or_insert_with(|| Instant::now() + LAG);
        }
        return Ok(step);
    }
    let made = Made { hook: hook.id, after: reading.stored, upto, again_to: None, drafts };
    let told = i64::try_from(made.drafts.len()).unwrap_or(i64::MAX);
    if !shared.app.store.hooks().make(made).await? {
        return Ok(Step::Lost);
    }
    reading.stored = reading.read;
    reading.store_at = None;
    reading.backlog.add(told);
    reading.bell.notify_one();
    Ok(Step::On)
}

async fn tell_again(
    shared: &Shared,
    reading: &mut Reading,
    hook: &Hook,
    after: i64,
    to: i64,
) -> Result<Step, StoreError> {
    let room = usize::try_from(to - after).unwrap_or(EVENTS).min(EVENTS);
    let piece = piece(shared, hook, after, room).await?;
    // Where the story begins later than that, or has gaps, the part ends all the same.
    let (upto, drafts) = match piece {
        Some(piece) if piece.upto <= to => (piece.upto, piece.drafts),
        Some(piece) => {
            let within = piece.drafts.into_iter().filter(|draft| draft.place.position().is_some_and(|at| at <= to));
            (to, within.collect())
        }
        None => (to, Vec::new()),
    };
    let told = i64::try_from(drafts.len()).unwrap_or(i64::MAX);
    let made = Made { hook: hook.id, after, upto, again_to: Some(to), drafts };
    if !shared.app.store.hooks().make(made).await? {
        return Ok(Step::Lost);
    }
    reading.again = (upto < to).then_some((upto, to));
    reading.backlog.add(told);
    reading.bell.notify_one();
    Ok(Step::On)
}

/// What a hook is told of the events after a position; None if there are none.
async fn piece(shared: &Shared, hook: &Hook, after: i64, events: usize) -> Result<Option<Made>, StoreError> {
    let events = shared.app.store.feed().after(hook.tenant, after, events).await?;
    let Some(last) = events.last().map(|event| event.position) else { return Ok(None) };
    let Some(tenant) = tenant(shared, hook.tenant) else { return Ok(None) };
    let drafts = events.iter().flat_map(|event| bodies::drafts(hook.kind, event, &tenant)).collect();
    Ok(Some(Made { hook: hook.id, after, upto: last, again_to: None, drafts }))
}

fn tenant(shared: &Shared, id: TenantId) -> Option<model::TenantEntry> {
    shared.app.directory.borrow().tenants.iter().find(|tenant| tenant.id == id).cloned()
}

/// Whether a hook of this kind is told of events.
fn tells(kind: HookKind) -> bool {
    match kind {
        HookKind::Events | HookKind::Missed | HookKind::Native => true,
        HookKind::Autocall | HookKind::Feedback => false,
    }
}
