//! Trunks: how they stand.

use model::Role;
use store::TrunkRow;

use super::{Asker, Refusal};
use crate::App;

/// A trunk of the tenant, or one of the operator's that it shares.
pub(crate) async fn health(app: &App, asker: &Asker, name: &str) -> Result<TrunkRow, Refusal> {
    asker.needs(Role::Reader)?;
    asker.store(app).trunks().get(name).await?.ok_or_else(|| Refusal::not_found(format!("trunk {name}")))
}
