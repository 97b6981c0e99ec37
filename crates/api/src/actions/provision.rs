//! Provision files: applied to the whole server, and written from it.

use model::Role;
use serde_json::{Map, Value};
use store::{Changes, Reach};

use super::settings::Keeper;
use super::{Refusal, need};
use crate::App;

/// Makes the server match a provision file.
pub(crate) async fn apply(app: &App, keeper: &Keeper, yaml: String, prune: bool) -> Result<Changes, Refusal> {
    need(&keeper.actor, Role::Operator)?;
    Ok(app.provisioner.apply(keeper.author.clone(), yaml, prune).await?)
}

/// All settings as one file without secrets: of the owner's tenant; the operator's of the tenant that is named, or of all.
pub(crate) async fn export(app: &App, keeper: &Keeper) -> Result<Map<String, Value>, Refusal> {
    need(&keeper.actor, Role::Owner)?;
    let reach = Reach { tenant: keeper.tenant, whole_server: keeper.actor.role == Role::Operator };
    Ok(app.store.settings().export(reach).await?)
}
