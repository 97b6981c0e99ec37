//! How the trunks that a tenant calls by stand: its own, and the operator's. The engine finds out, and keeps it as live facts.

use model::{KeptKind, TenantId, TrunkHealth};

use crate::{StoreError, TenantStore};

/// A tenant's trunks.
#[derive(Clone, Copy, Debug)]
pub struct Trunks<'a> {
    pub(crate) tenant: &'a TenantStore,
}

/// What is known of a trunk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkRow {
    /// Its name.
    pub name: String,
    /// Whether it is the operator's.
    pub shared: bool,
    /// How it stands. None: nobody has asked, and nothing has happened.
    pub health: Option<TrunkHealth>,
}

impl Trunks<'_> {
    /// One trunk; None if neither the tenant nor the operator has one of this name.
    pub async fn get(&self, name: &str) -> Result<Option<TrunkRow>, StoreError> {
        let doing = || StoreError::while_doing("reading a trunk");
        // The operator's comes last; no name is both's.
        let owner: Option<i64> = sqlx::query_scalar(
            "SELECT tenant FROM settings WHERE tenant IN ($1, $2) AND noun = 'trunk' AND name = $3
             ORDER BY tenant DESC LIMIT 1",
        )
        .bind(self.tenant.id.0)
        .bind(TenantId::SERVER.0)
        .bind(name)
        .fetch_optional(&self.tenant.readers)
        .await
        .map_err(doing())?;
        let Some(owner) = owner else { return Ok(None) };
        let kept: Option<String> =
            sqlx::query_scalar("SELECT value FROM kept WHERE tenant = $1 AND kind = $2 AND key = $3")
                .bind(owner)
                .bind(KeptKind::Trunk.name())
                .bind(name)
                .fetch_optional(&self.tenant.readers)
                .await
                .map_err(doing())?;
        let parse = |value: String| {
            serde_json::from_str(&value).map_err(StoreError::unreadable(format!("the health of trunk {name}")))
        };
        let health = kept.map(parse).transpose()?;
        Ok(Some(TrunkRow { name: name.to_owned(), shared: owner == TenantId::SERVER.0, health }))
    }
}
