//! The audit log: read by owners and the operator, and written by orders that are no change of a setting.

use model::{Role, TenantId};
use serde_json::Value;
use store::{AuditFilter, AuditNote, AuditRow, Author};

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

/// Writes down an order that was carried out and is no change of a setting: its verb, and what sort of thing it was
/// given for.
pub(crate) async fn note(
    app: &App,
    author: &Author,
    tenant: TenantId,
    (action, noun): (&'static str, &'static str),
    thing: &str,
    detail: Option<Value>,
) {
    let note = AuditNote { tenant, action, noun, thing: thing.to_owned(), name: thing.to_owned(), detail };
    if let Err(error) = app.store.note(author, &note).await {
        // The order is done: whoever gave it must not believe that it is not.
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, action, noun, thing, "an order is not in the audit log");
    }
}

/// An operator who names no tenant sees everybody's.
fn scope(keeper: &Keeper) -> Option<TenantId> {
    keeper.tenant
}
