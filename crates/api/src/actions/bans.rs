//! Sources that may not sign in: looked at and let in again by the operator, for the whole server.

use model::{Actor, Ban, Reply, Role, Source, TenantId};

use super::settings::Keeper;
use super::{Refusal, audit, need, unexpected};
use crate::App;

/// The bans that have not ended, from behind a source on.
pub(crate) async fn list(app: &App, actor: &Actor, after: Option<Source>, limit: u32) -> Result<Vec<Ban>, Refusal> {
    need(actor, Role::Operator)?;
    Ok(app.store.bans(after, limit).await?)
}

/// Lets a source sign in again.
pub(crate) async fn lift(app: &App, keeper: &Keeper, source: Source) -> Result<(), Refusal> {
    need(&keeper.actor, Role::Operator)?;
    match app.switchboard.lift_ban(keeper.actor.clone(), source).await? {
        Reply::BanLifted { .. } => {
            audit::note(app, &keeper.author, TenantId::SERVER, ("lift", "ban"), &source.to_string(), None).await;
            Ok(())
        }
        other => Err(unexpected(&other).into()),
    }
}
