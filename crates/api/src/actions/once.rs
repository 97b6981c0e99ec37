//! Orders that carry a key of the client's: carried out once, however often they come (readings 7, 18).
//!
//! The key is claimed in the store before the order is given. A call answers its claim by itself, with its first batch;
//! here refusals are stored, and whoever comes while the first order is under way waits for what comes of it.

use std::future::Future;
use std::time::Duration;

use model::{CallId, ClaimedKey, LegId, Problem, Reason};
use sha2::{Digest, Sha256};
use store::{Claim, ClaimAnswer, Claims};
use tokio::time::{Instant, timeout_at};

use super::Refusal;

/// How long an order waits for the same one that came before: as long as that one may take, and its commit.
const WAIT_LIMIT: Duration = Duration::from_secs(12);

/// What came of an order.
pub(crate) enum Carried<T> {
    /// It was given, and this came of it.
    Now(T),
    /// It was given before, and began this call.
    Before { call: CallId, leg: LegId },
}

/// What tells one order from another: SHA-256 of its parts, in hex.
pub(crate) fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // With its length before it, no part runs into the next.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Gives the order if the key is free, and else says what came of it before.
pub(crate) async fn carry_out<T: Send + 'static>(
    claims: Claims,
    key: ClaimedKey,
    request: String,
    order: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<Carried<T>, Refusal> {
    let wait_until = Instant::now() + WAIT_LIMIT;
    let mut changes = claims.changes();
    loop {
        match claims.claim(&key, &request).await? {
            Claim::Made => return Ok(Carried::Now(give(claims, key, order).await?)),
            Claim::Answered(ClaimAnswer::Call { call, leg }) => return Ok(Carried::Before { call, leg }),
            Claim::Answered(ClaimAnswer::Refused(problem)) => return Err(problem.into()),
            Claim::Answered(ClaimAnswer::Http { .. }) | Claim::Taken => return Err(Refusal::KeyTaken),
            Claim::Pending => {}
        }
        match timeout_at(wait_until, changes.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Problem::Unavailable.into()),
            Err(_) => return Err(Problem::TimedOut.into()),
        }
    }
}

/// Gives the order and sees to its claim, also if the client goes away meanwhile.
async fn give<T: Send + 'static>(
    claims: Claims,
    key: ClaimedKey,
    order: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Refusal> {
    let given = tokio::spawn(async move {
        let outcome = order.await;
        let settled = match &outcome {
            // The call answers the claim, now or when it gets that far.
            Ok(_) | Err(Problem::TimedOut) => Ok(()),
            Err(problem) if is_passing(problem) => claims.release(&key).await,
            Err(problem) => claims.refuse(&key, problem).await,
        };
        if let Err(error) = settled {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "what came of an order is not stored: its key is taken until the next start");
        }
        outcome
    });
    match given.await {
        Ok(outcome) => Ok(outcome?),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "an order was not carried to its end");
            Err(Problem::Unavailable.into())
        }
    }
}

/// Whether the client is asked to come again with the same order (503): then nothing was done, and nothing is kept.
fn is_passing(problem: &Problem) -> bool {
    match problem {
        Problem::Unavailable => true,
        Problem::CallFailed { reason, call: None, .. } => {
            matches!(reason, Reason::Limit | Reason::NoSoundAddress | Reason::Drained | Reason::StorageStalled)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_differ_in_each_of_their_parts() {
        let order = hash(&["click_to_call", "101", "0900000001"]);

        assert_eq!(order, hash(&["click_to_call", "101", "0900000001"]));
        assert_ne!(order, hash(&["click_to_call", "1010", "900000001"]));
        assert_eq!(order.len(), 64);
    }
}
