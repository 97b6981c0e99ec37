//! What a tenant's documents page tells whoever has one of its keys.

use model::TenantId;
use serde_json::{Map, Value};
use store::{Noun, Reach};

use super::Refusal;
use crate::App;

/// Hooks that are shown.
const MOST_HOOKS: u32 = 100;

/// A tenant as its documents show it.
#[derive(Debug)]
pub(crate) struct Described {
    /// In the provision file's keys.
    pub tenant: Map<String, Value>,
    /// In the provision file's keys; signing secrets are among them and stay inside.
    pub hooks: Vec<Map<String, Value>>,
    /// The first of its extensions.
    pub extension: Option<String>,
}

/// What there is to show of a tenant whose public key was named.
pub(crate) async fn describe(app: &App, tenant: TenantId, name: &str) -> Result<Described, Refusal> {
    let (settings, reach) = (app.store.settings(), Reach { tenant: Some(tenant), whole_server: false });
    let own = settings.get(reach, Noun::Tenant, name).await?;
    let hooks = settings.list(reach, Noun::Hook, None, MOST_HOOKS).await?;
    let extensions = settings.list(reach, Noun::Extension, None, 1).await?;
    Ok(Described {
        tenant: own.map(|own| own.body).unwrap_or_default(),
        hooks: hooks.things.into_iter().map(|hook| hook.body).collect(),
        extension: extensions.things.into_iter().next().map(|extension| extension.name),
    })
}
