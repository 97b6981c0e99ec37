//! The audit log: read by owners and the operator, and written by orders that are no change of a setting.

use model::{Role, TenantId};
use store::{AuditFilter, AuditRow};

use super::settings::Keeper;
use super::{Refusal, need};
use crate::App;

/// A page, newest first.
pub(crate) async fn list(
    app: &App,
    keeper: &Keeper,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<AuditRow>, Refusal> {
    need(&keeper.actor, Role::Owner)?;
    Ok(app.store.audit(scope(keeper)).list(filter, before, limit).await?)
}

/// An operator who names no tenant sees everybody's.
fn scope(keeper: &Keeper) -> Option<TenantId> {
    keeper.tenant
}
