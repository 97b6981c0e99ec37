//! Sources that may not sign in. They belong to the whole server; the door decides, and keeps them as live facts.

use model::{Ban, KeptKind, Source, TenantId, Timestamp};

use crate::db::Sql;
use crate::{Store, StoreError};

impl Store {
    /// The bans that have not ended, in the order of their sources' names, from behind `after`.
    pub async fn bans(&self, after: Option<Source>, limit: u32) -> Result<Vec<Ban>, StoreError> {
        let sql = Sql::new(
            "SELECT key, value FROM kept
             WHERE tenant = $1 AND kind = $2 AND key > $3 AND expires_ms > $4 ORDER BY key LIMIT $5",
        )
        .with(TenantId::SERVER.0)
        .with(KeptKind::Ban.name())
        .with(after.map(|source| source.to_string()).unwrap_or_default())
        .with(Timestamp::now().as_millisecond())
        .with(limit);
        let rows: Vec<(String, String)> =
            self.db().fetch_all(sql).await.map_err(StoreError::while_doing("reading bans"))?;
        let parse = |(key, value): (String, String)| {
            serde_json::from_str(&value).map_err(StoreError::unreadable(format!("the ban of {key}")))
        };
        rows.into_iter().map(parse).collect()
    }
}
