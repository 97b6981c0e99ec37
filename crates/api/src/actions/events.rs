//! The story: read from a position on.

use std::sync::Arc;

use model::{Role, StoredEvent};

use super::{Asker, Refusal};
use crate::App;

/// The position to begin at: the one that was asked for, or, below zero, so many events before the last one.
pub(crate) fn whence(app: &App, asker: &Asker, asked: i64) -> Result<i64, Refusal> {
    asker.needs(Role::Reader)?;
    if asked >= 0 {
        return Ok(asked);
    }
    Ok(app.store.feed().head(asker.tenant).saturating_add(asked).max(0))
}

/// Waits until there is an event after a position.
pub(crate) async fn changed(app: &App, asker: &Asker, position: i64) {
    app.store.feed().changed(asker.tenant, position).await;
}

/// Up to `limit` events after a position, in order.
pub(crate) async fn after(
    app: &App,
    asker: &Asker,
    position: i64,
    limit: usize,
) -> Result<Vec<Arc<StoredEvent>>, Refusal> {
    asker.needs(Role::Reader)?;
    Ok(app.store.feed().after(asker.tenant, position, limit).await?)
}
