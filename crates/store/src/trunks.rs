//! How the trunks that a tenant calls by stand: its own, and the operator's. The engine finds out, and keeps it as live facts.

use model::{KeptKind, TenantId, TrunkHealth};

use crate::db::Sql;
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
        let sql = Sql::new(
            "SELECT tenant FROM settings WHERE tenant IN ($1, $2) AND noun = 'trunk' AND name = $3
             ORDER BY tenant DESC LIMIT 1",
        )
        .with(self.tenant.id.0)
        .with(TenantId::SERVER.0)
        .with(name);
        let Some(owner) = self.tenant.db.fetch_scalar::<i64>(sql).await.map_err(doing())? else { return Ok(None) };
        let sql = Sql::new("SELECT value FROM kept WHERE tenant = $1 AND kind = $2 AND key = $3")
            .with(owner)
            .with(KeptKind::Trunk.name())
            .with(name);
        let kept: Option<String> = self.tenant.db.fetch_scalar(sql).await.map_err(doing())?;
        let parse = |value: String| {
            serde_json::from_str(&value).map_err(StoreError::unreadable(format!("the health of trunk {name}")))
        };
        let health = kept.map(parse).transpose()?;
        Ok(Some(TrunkRow { name: name.to_owned(), shared: owner == TenantId::SERVER.0, health }))
    }
}
