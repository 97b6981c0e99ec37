//! Phones that are signed in, as the engine kept them last: nothing is asked of the engine.

use model::{KeptKind, Text, Timestamp};
use serde::Deserialize;

use crate::db::Sql;
use crate::{StoreError, TenantStore};

/// One phone of an extension.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The extension.
    pub extension: String,
    /// Where it sends from: `192.0.2.7:5060`.
    pub address: String,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: String,
    /// What it calls its own address.
    pub contact: String,
    /// What it calls itself; empty: it does not say.
    pub user_agent: Text,
    /// When it signed in. None: an earlier server did not keep it.
    pub since: Option<Timestamp>,
    /// Until when, unless it refreshes; it may have done so since this was kept.
    pub expires: Timestamp,
}

/// A binding as the engine keeps it; what else it holds is the engine's own business.
#[derive(Deserialize)]
struct Kept {
    contact: String,
    flow: KeptFlow,
    #[serde(default)]
    user_agent: Text,
    #[serde(default)]
    since: Option<Timestamp>,
    expires: Timestamp,
}

#[derive(Deserialize)]
struct KeptFlow {
    transport: String,
    remote: String,
}

impl TenantStore {
    /// The phones of up to `limit` extensions, in the order of the extensions' numbers, from behind `after`. With
    /// `extension` those of that one.
    pub async fn registrations(
        &self,
        extension: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<RegistrationPage, StoreError> {
        let now = Timestamp::now();
        let mut sql = Sql::new("SELECT key, value FROM kept WHERE tenant = ").bind(self.id.0);
        sql = sql.push(" AND kind = ").bind(KeptKind::Bindings.name());
        if let Some(extension) = extension {
            sql = sql.push(" AND key = ").bind(extension);
        }
        if let Some(after) = after {
            sql = sql.push(" AND key > ").bind(after);
        }
        // One more tells whether there is a next page.
        sql = sql.push(" ORDER BY key LIMIT ").bind(i64::from(limit) + 1);
        let mut rows: Vec<(String, String)> =
            self.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading registrations"))?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|(extension, _)| extension.clone());
        let mut phones = Vec::with_capacity(rows.len());
        for (extension, value) in rows {
            let kept: Vec<Kept> = serde_json::from_str(&value)
                .map_err(StoreError::unreadable(format!("the phones of extension {extension}")))?;
            let live = kept.into_iter().filter(|kept| kept.expires > now);
            phones.extend(live.map(|kept| Registration {
                extension: extension.clone(),
                address: kept.flow.remote,
                transport: kept.flow.transport,
                contact: kept.contact,
                user_agent: kept.user_agent,
                since: kept.since,
                expires: kept.expires,
            }));
        }
        Ok(RegistrationPage { phones, next })
    }
}

/// Phones of some extensions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrationPage {
    /// The phones.
    pub phones: Vec<Registration>,
    /// The extension behind which the next page begins.
    pub next: Option<String>,
}
