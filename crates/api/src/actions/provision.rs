//! Provision files: applied to the whole server.

use model::{Actor, Role};

use super::{Refusal, need};
use crate::{App, Applied};

/// Makes the server match a provision file.
pub(crate) async fn apply(app: &App, actor: &Actor, yaml: String, prune: bool) -> Result<Applied, Refusal> {
    need(actor, Role::Operator)?;
    Ok(app.provisioner.apply(yaml, prune).await?)
}
