//! Provision files: applied to the whole server.

use model::Role;
use store::Changes;

use super::settings::Keeper;
use super::{Refusal, need};
use crate::App;

/// Makes the server match a provision file.
pub(crate) async fn apply(app: &App, keeper: &Keeper, yaml: String, prune: bool) -> Result<Changes, Refusal> {
    need(&keeper.actor, Role::Operator)?;
    Ok(app.provisioner.apply(keeper.author.clone(), yaml, prune).await?)
}
