//! Provision files: applied to the whole server.

use model::{Actor, Role};
use store::Changes;

use super::{Refusal, need};
use crate::App;

/// Makes the server match a provision file.
pub(crate) async fn apply(app: &App, actor: &Actor, yaml: String, prune: bool) -> Result<Changes, Refusal> {
    need(actor, Role::Operator)?;
    Ok(app.provisioner.apply(yaml, prune).await?)
}
