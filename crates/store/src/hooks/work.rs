//! What readers and senders write: deliveries made, claimed, settled. Whatever has queued is one transaction, and everybody
//! is answered after its commit; there is no timer.

use model::Timestamp;
use sqlx::Error;
use tokio::sync::{mpsc, oneshot};

use super::{CANCEL, DeliveryState, HookId, Place};
use crate::StoreError;
use crate::db::{Db, Sql, Transaction};

/// The most that one transaction does: the writer of events waits for it.
const AT_ONCE: usize = 64;
/// What queues at most; who comes then waits.
const QUEUE: usize = 4_096;
/// A hook that is told something after so long is told at once whatever else waits.
const LONG_SPELL_MS: i64 = 5 * 60 * 1_000;

/// A body that a hook is to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// Its place.
    pub place: Place,
    /// What keeps its order: what is told of one call, or of another subject, is told in order.
    pub chain: String,
    /// `call.ended`
    pub event: String,
    /// The bytes, the same at every attempt.
    pub body: String,
}

/// What came of reading a piece of the story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// The hook.
    pub hook: HookId,
    /// Where it stood.
    pub after: i64,
    /// Where it stands then.
    pub upto: i64,
    /// Whether this part of the story is told again, up to this position.
    pub again_to: Option<i64>,
    /// In order.
    pub drafts: Vec<Draft>,
}

/// A delivery that is to be sent now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// The hook.
    pub hook: HookId,
    /// Its place; the name of the message comes from it.
    pub place: Place,
    /// The bytes.
    pub body: String,
    /// Attempts that were made since it was made or asked for again.
    pub tries: u32,
}

/// What a sender got.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Claimed {
    /// To be sent, in order of their places.
    pub deliveries: Vec<Delivery>,
    /// When the next one is due.
    pub next_due: Option<Timestamp>,
}

/// One attempt, for the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// When it was begun.
    pub at: Timestamp,
    /// Line and headers as they were sent.
    pub request: String,
    /// The answer's status; None: there was no answer.
    pub status: Option<u16>,
    /// The answer's headers, one a line.
    pub headers: String,
    /// The beginning of the answer's body.
    pub answer: String,
    /// How long it took.
    pub milliseconds: i64,
    /// Why it failed, where it did.
    pub error: Option<String>,
}

/// What follows from an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It is sent again.
    Again(Timestamp),
    /// It is not.
    GivenUp,
    /// Nothing more is wanted at this URL: the hook is switched off.
    Gone {
        /// Where.
        url: String,
    },
}

/// What changed with an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Settled {
    /// Whether it has come to its end.
    pub ended: bool,
    /// Whether the hook was switched off.
    pub off: bool,
}

/// The task that writes for all hooks. Cheap to clone; it ends with its last clone.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    queue: mpsc::Sender<Work>,
}

#[derive(Debug)]
enum Work {
    Make(Made, Answer<bool>),
    Claim { hook: HookId, most: usize, until: Timestamp, answer: Answer<Claimed> },
    Settle(Box<Settling>, Answer<Settled>),
}

#[derive(Debug)]
struct Settling {
    hook: HookId,
    place: Place,
    attempt: Attempt,
    outcome: Outcome,
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What a piece of work came to; given to who asked after the commit.
enum Done {
    Made(bool),
    Claimed(Claimed),
    Settled(Settled),
}

impl super::Hooks {
    /// Moves the cursor and stores the deliveries, both or neither. False: the hook does not stand there any more, and
    /// nothing was done.
    pub async fn make(&self, made: Made) -> Result<bool, StoreError> {
        self.worker.ask(|answer| Work::Make(made, answer)).await
    }

    /// Takes up to `most` deliveries that are due. Nobody else gets them before `until`.
    pub async fn claim(&self, hook: HookId, most: usize, until: Timestamp) -> Result<Claimed, StoreError> {
        self.worker.ask(|answer| Work::Claim { hook, most, until, answer }).await
    }

    /// Notes an attempt and what follows from it.
    pub async fn settle(
        &self,
        (hook, place): (HookId, Place),
        attempt: Attempt,
        outcome: Outcome,
    ) -> Result<Settled, StoreError> {
        let settling = Settling { hook, place, attempt, outcome };
        let settled = self.worker.ask(|answer| Work::Settle(Box::new(settling), answer)).await?;
        if settled.off {
            self.changes.send_replace(());
        }
        Ok(settled)
    }
}

impl Worker {
    pub fn start(db: Db) -> Self {
        let (queue, works) = mpsc::channel(QUEUE);
        tokio::spawn(run(db, works));
        Self { queue }
    }

    async fn ask<T>(&self, work: impl FnOnce(Answer<T>) -> Work) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let closed = || StoreError::Database { doing: super::DOING, source: Error::PoolClosed };
        self.queue.send(work(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

async fn run(db: Db, mut works: mpsc::Receiver<Work>) {
    let mut group = Vec::with_capacity(AT_ONCE);
    while works.recv_many(&mut group, AT_ONCE).await > 0 {
        match carry_out(&db, &group).await {
            Ok(done) => group.drain(..).zip(done).for_each(|(work, done)| work.answer(done)),
            // One of them may be to blame: the others must not suffer for it.
            Err(error) if group.len() > 1 => {
                tracing::debug!(%error, "what hooks write is tried one by one");
                for work in group.drain(..) {
                    let done = carry_out(&db, std::slice::from_ref(&work)).await;
                    match done.map(|mut done| done.pop()) {
                        Ok(Some(done)) => work.answer(done),
                        Ok(None) => {}
                        Err(error) => work.fail(error),
                    }
                }
            }
            Err(error) => {
                if let Some(work) = group.pop() {
                    work.fail(error);
                }
            }
        }
    }
}

async fn carry_out(db: &Db, group: &[Work]) -> Result<Vec<Done>, Error> {
    let now = Timestamp::now().as_millisecond();
    let mut transaction = db.begin().await?;
    let mut done = Vec::with_capacity(group.len());
    for work in group {
        done.push(match work {
            Work::Make(made, _) => Done::Made(make(&mut transaction, made, now).await?),
            Work::Claim { hook, most, until, .. } => {
                Done::Claimed(claim(&mut transaction, *hook, *most, *until, now).await?)
            }
            Work::Settle(settling, _) => Done::Settled(settle(&mut transaction, settling, now).await?),
        });
    }
    transaction.commit().await?;
    Ok(done)
}

impl Work {
    fn answer(self, done: Done) {
        // Whoever asked may have gone; what was done stays done.
        match (self, done) {
            (Self::Make(_, answer), Done::Made(done)) => drop(answer.send(Ok(done))),
            (Self::Claim { answer, .. }, Done::Claimed(done)) => drop(answer.send(Ok(done))),
            (Self::Settle(_, answer), Done::Settled(done)) => drop(answer.send(Ok(done))),
            _ => {}
        }
    }

    fn fail(self, error: Error) {
        let error = StoreError::while_doing(super::DOING)(error);
        match self {
            Self::Make(_, answer) => drop(answer.send(Err(error))),
            Self::Claim { answer, .. } => drop(answer.send(Err(error))),
            Self::Settle(_, answer) => drop(answer.send(Err(error))),
        }
    }
}

async fn make(transaction: &mut Transaction, made: &Made, now: i64) -> Result<bool, Error> {
    let hook = made.hook.0;
    let moved = match made.again_to {
        None => Sql::new(MOVE).with(made.upto).with(hook).with(made.after),
        Some(to) if made.upto >= to => Sql::new(END_REPLAY).with(hook).with(made.after),
        Some(_) => Sql::new(MOVE_REPLAY).with(made.upto).with(hook).with(made.after),
    };
    if transaction.execute(moved).await? == 0 {
        return Ok(false);
    }
    let insert = if made.again_to.is_some() { MAKE_AGAIN } else { MAKE };
    for draft in &made.drafts {
        let sql = Sql::new(insert)
            .with(hook)
            .with(draft.place.0)
            .with(draft.chain.as_str())
            .with(draft.event.as_str())
            .with(draft.body.as_str())
            .with(now);
        transaction.execute(sql).await?;
    }
    Ok(true)
}

async fn claim(
    transaction: &mut Transaction,
    hook: HookId,
    most: usize,
    until: Timestamp,
    now: i64,
) -> Result<Claimed, Error> {
    let most_rows = i64::try_from(most).unwrap_or(i64::MAX);
    let sql = Sql::new(CLAIM).with(until.as_millisecond()).with(hook.0).with(now).with(most_rows);
    let mut rows: Vec<(i64, String, i64)> = transaction.fetch_all(sql).await?;
    rows.sort_by_key(|(place, ..)| *place);
    let deliveries = rows.into_iter().map(|(place, body, tries)| Delivery {
        hook,
        place: Place(place),
        body,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
    });
    let deliveries: Vec<Delivery> = deliveries.collect();
    let next: Option<Option<i64>> = transaction.fetch_scalar(Sql::new(NEXT_DUE).with(hook.0)).await?;
    let next_due = next.flatten().map(|due| Timestamp::from_millisecond(due).unwrap_or(Timestamp::MAX));
    Ok(Claimed { deliveries, next_due })
}

async fn settle(transaction: &mut Transaction, settling: &Settling, now: i64) -> Result<Settled, Error> {
    let Settling { hook, place, attempt, outcome } = settling;
    let (state, due) = match outcome {
        Outcome::Delivered => (DeliveryState::Delivered, None),
        Outcome::Again(due) => (DeliveryState::Pending, Some(due.as_millisecond())),
        Outcome::GivenUp | Outcome::Gone { .. } => (DeliveryState::Failed, None),
    };
    let ended = due.is_none();
    let sql = Sql::new(SETTLE).with(state.word()).with(due).with(ended.then_some(now)).with(hook.0).with(place.0);
    // Nothing is there any more of a hook that was deleted meanwhile.
    let Some((number, chain)) = transaction.fetch_optional::<(i64, String)>(sql).await? else {
        return Ok(Settled { ended: true, off: false });
    };
    let sql = Sql::new(NOTE)
        .with(hook.0)
        .with(place.0)
        .with(number)
        .with(attempt.at.as_millisecond())
        .with(attempt.request.as_str())
        .with(attempt.status.map(i64::from))
        .with(attempt.headers.as_str())
        .with(attempt.answer.as_str())
        .with(attempt.milliseconds)
        .with(attempt.error.as_deref());
    transaction.execute(sql).await?;
    match outcome {
        Outcome::Delivered => recover(transaction, *hook, now).await?,
        _ => {
            let error = attempt.error.as_deref().unwrap_or_default();
            transaction.execute(Sql::new(FAILS).with(now).with(error).with(hook.0)).await?;
        }
    }
    if let Outcome::Gone { url } = outcome {
        let why = "the receiver answered 410: nothing more is wanted there";
        transaction.execute(Sql::new(SWITCH_OFF).with(now).with(why).with(url.as_str()).with(hook.0)).await?;
        transaction.execute(Sql::new(CANCEL).with(now).with(hook.0)).await?;
        return Ok(Settled { ended, off: true });
    }
    if ended {
        transaction.execute(Sql::new(NEXT_OF_CHAIN).with(now).with(hook.0).with(chain)).await?;
    }
    Ok(Settled { ended, off: false })
}

async fn recover(transaction: &mut Transaction, hook: HookId, now: i64) -> Result<(), Error> {
    let since: Option<Option<i64>> = transaction.fetch_scalar(Sql::new(FAILING_SINCE).with(hook.0)).await?;
    let Some(since) = since.flatten() else { return Ok(()) };
    transaction.execute(Sql::new(WORKS).with(hook.0)).await?;
    // The receiver is back: what waits for its next attempt, perhaps for hours, need not wait.
    if now - since >= LONG_SPELL_MS {
        transaction.execute(Sql::new(HURRY).with(now).with(hook.0)).await?;
    }
    Ok(())
}

const MOVE: &str = "UPDATE hook_states SET position = $1 WHERE hook = $2 AND position = $3 AND active = 1";

const MOVE_REPLAY: &str =
    "UPDATE hook_states SET replay_after = $1 WHERE hook = $2 AND replay_after = $3 AND active = 1";

const END_REPLAY: &str = "UPDATE hook_states SET replay_after = NULL, replay_to = NULL
     WHERE hook = $1 AND replay_after = $2 AND active = 1";

// It waits while one before it in its chain does.
const MAKE: &str = "INSERT INTO hook_deliveries
        (hook, place, chain, event, body, made_ms, state, due_ms, claimed, attempts, tries)
     SELECT $1, $2, $3, $4, $5, $6, 'pending',
        CASE WHEN EXISTS (SELECT 1 FROM hook_deliveries AS before
            WHERE before.hook = $1 AND before.chain = $3 AND before.state = 'pending' AND before.place < $2)
        THEN NULL ELSE $6 END, 0, 0, 0
     WHERE 1 = 1
     ON CONFLICT (hook, place) DO NOTHING";

// What was told before is told again in the same bytes.
const MAKE_AGAIN: &str = "INSERT INTO hook_deliveries
        (hook, place, chain, event, body, made_ms, state, due_ms, claimed, attempts, tries)
     SELECT $1, $2, $3, $4, $5, $6, 'pending',
        CASE WHEN EXISTS (SELECT 1 FROM hook_deliveries AS before
            WHERE before.hook = $1 AND before.chain = $3 AND before.state = 'pending' AND before.place < $2)
        THEN NULL ELSE $6 END, 0, 0, 0
     WHERE 1 = 1
     ON CONFLICT (hook, place) DO UPDATE
     SET state = 'pending', due_ms = excluded.due_ms, claimed = 0, tries = 0, ended_ms = NULL
     WHERE hook_deliveries.state <> 'pending'";

const CLAIM: &str = "UPDATE hook_deliveries SET due_ms = $1, claimed = 1
     WHERE hook = $2 AND place IN (SELECT place FROM hook_deliveries
        WHERE hook = $2 AND due_ms IS NOT NULL AND due_ms <= $3 ORDER BY due_ms, place LIMIT $4)
     RETURNING place, body, tries";

const NEXT_DUE: &str = "SELECT MIN(due_ms) FROM hook_deliveries WHERE hook = $1 AND due_ms IS NOT NULL";

// One that was cancelled while it was sent may still have arrived, but is not sent again.
const SETTLE: &str = "UPDATE hook_deliveries SET attempts = attempts + 1, tries = tries + 1, claimed = 0,
        state = CASE WHEN state = 'pending' OR $1 = 'delivered' THEN $1 ELSE state END,
        due_ms = CASE WHEN state = 'pending' THEN $2 ELSE NULL END,
        ended_ms = CASE WHEN state = 'pending' THEN $3 ELSE ended_ms END
     WHERE hook = $4 AND place = $5 RETURNING attempts, chain";

const NOTE: &str = "INSERT INTO hook_attempts
        (hook, place, attempt, at_ms, request, status, headers, answer, milliseconds, error)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (hook, place, attempt) DO NOTHING";

const FAILS: &str =
    "UPDATE hook_states SET failing_since_ms = COALESCE(failing_since_ms, $1), error = $2, error_ms = $1
     WHERE hook = $3";

const FAILING_SINCE: &str = "SELECT failing_since_ms FROM hook_states WHERE hook = $1";

const WORKS: &str = "UPDATE hook_states SET failing_since_ms = NULL WHERE hook = $1";

const HURRY: &str =
    "UPDATE hook_deliveries SET due_ms = $1 WHERE hook = $2 AND due_ms IS NOT NULL AND due_ms > $1 AND claimed = 0";

const SWITCH_OFF: &str = "UPDATE hook_states SET active = 0, off_ms = $1, off_why = $2, off_url = $3,
        replay_after = NULL, replay_to = NULL, failing_since_ms = NULL, warned_ms = NULL WHERE hook = $4";

const NEXT_OF_CHAIN: &str = "UPDATE hook_deliveries SET due_ms = $1 WHERE hook = $2 AND due_ms IS NULL AND place =
        (SELECT MIN(place) FROM hook_deliveries WHERE hook = $2 AND chain = $3 AND state = 'pending')";
