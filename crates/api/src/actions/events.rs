//! The story: read from a position on.

use std::sync::Arc;

use model::{Role, StoredEvent};

use super::{Asker, Refusal};
use crate::App;

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
