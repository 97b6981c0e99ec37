//! Settings and tenants as rows: how they are read and written.

use std::collections::{BTreeMap, BTreeSet};

use model::TenantId;
use serde_json::Value;

use super::items::{Item, OPERATOR};
use super::noun::Noun;
use crate::StoreError;
use crate::db::{Sql, Transaction};

const DOING: &str = "storing settings";

/// A row of the table of settings.
pub(super) struct Row {
    pub id: i64,
    pub place: i64,
    pub body: Value,
    pub secrets: BTreeMap<String, String>,
}

/// A row of the table of tenants.
pub(super) struct TenantRow {
    pub id: TenantId,
    pub name: String,
    pub deleted: bool,
    pub body: Value,
}

pub(super) type Rows = BTreeMap<(TenantId, Noun, String), Row>;

/// Where a secret belongs; it opens nowhere else.
pub(super) fn sealing_place(tenant: TenantId, noun: Noun, name: &str, field: &str) -> String {
    format!("{}/{}/{name}/{field}", tenant.0, noun.word())
}

pub(super) async fn read_tenants(transaction: &mut Transaction) -> Result<Vec<TenantRow>, StoreError> {
    let rows: Vec<(i64, String, Option<i64>, String)> = transaction
        .fetch_all(Sql::new("SELECT id, name, deleted_ms, body FROM tenants ORDER BY id"))
        .await
        .map_err(StoreError::while_doing("reading tenants"))?;
    rows.into_iter()
        .map(|(id, name, deleted_ms, body)| {
            let body = serde_json::from_str(&body).map_err(StoreError::unreadable(format!("tenant {name}")))?;
            Ok(TenantRow { id: TenantId(id), name, deleted: deleted_ms.is_some(), body })
        })
        .collect()
}

pub(super) async fn read_rows(transaction: &mut Transaction) -> Result<Rows, StoreError> {
    read_rows_of(transaction, Sql::new("SELECT id, tenant, noun, name, place, body, secrets FROM settings")).await
}

/// The rows that a statement with these columns gives.
pub(super) async fn read_rows_of(transaction: &mut Transaction, sql: Sql) -> Result<Rows, StoreError> {
    let rows: Vec<(i64, i64, String, String, i64, String, String)> =
        transaction.fetch_all(sql).await.map_err(StoreError::while_doing("reading settings"))?;
    rows.into_iter()
        .map(|(id, tenant, noun, name, place, body, secrets)| {
            let what = format!("{noun} {name}");
            let noun = Noun::parse(&noun).ok_or("unknown noun").map_err(StoreError::unreadable(what.as_str()))?;
            let body = serde_json::from_str(&body).map_err(StoreError::unreadable(what.as_str()))?;
            let secrets = read_secrets(&secrets, &what)?;
            Ok(((TenantId(tenant), noun, name), Row { id, place, body, secrets }))
        })
        .collect()
}

pub(super) async fn read_version(transaction: &mut Transaction) -> Result<i64, StoreError> {
    let sql = Sql::new("SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'settings_version'");
    let version: Option<i64> =
        transaction.fetch_scalar(sql).await.map_err(StoreError::while_doing("reading the version of settings"))?;
    Ok(version.unwrap_or(0))
}

/// Stores a row that is not there; its id.
pub(super) async fn insert_row(
    transaction: &mut Transaction,
    item: &Item,
    secrets: &BTreeMap<String, String>,
) -> Result<i64, StoreError> {
    let sql = Sql::new(
        "INSERT INTO settings (tenant, noun, name, place, body, secrets) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
    )
    .with(item.tenant.0)
    .with(item.noun.word())
    .with(&item.name)
    .with(item.place)
    .with(item.body.to_string())
    .with(print_secrets(secrets));
    let (id,): (i64,) = transaction.fetch_one(sql).await.map_err(StoreError::while_doing(DOING))?;
    Ok(id)
}

/// From the first password on the realm is fixed.
pub(super) async fn remember_realm(transaction: &mut Transaction, realm: &str) -> Result<(), StoreError> {
    let sql = Sql::new("INSERT INTO meta (name, value) VALUES ('realm', $1) ON CONFLICT (name) DO NOTHING");
    execute(transaction, sql.with(realm)).await
}

/// Tells everybody that something is different, and whose settings are.
pub(super) async fn raise_versions(
    transaction: &mut Transaction,
    version: i64,
    touched: &BTreeSet<TenantId>,
) -> Result<(), StoreError> {
    let query = Sql::new(
        "INSERT INTO meta (name, value) VALUES ('settings_version', $1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .with(version.to_string());
    execute(transaction, query).await?;
    // What is the operator's is in every tenant's settings.
    if touched.contains(&OPERATOR) {
        return execute(transaction, Sql::new("UPDATE tenants SET version = $1").with(version)).await;
    }
    for tenant in touched {
        let query = Sql::new("UPDATE tenants SET version = $1 WHERE id = $2").with(version).with(tenant.0);
        execute(transaction, query).await?;
    }
    Ok(())
}

pub(super) async fn execute(transaction: &mut Transaction, sql: Sql) -> Result<(), StoreError> {
    transaction.execute(sql).await.map_err(StoreError::while_doing(DOING))?;
    Ok(())
}

pub(super) fn read_secrets(text: &str, what: &str) -> Result<BTreeMap<String, String>, StoreError> {
    serde_json::from_str(text).map_err(StoreError::unreadable(format!("the secrets of {what}")))
}

pub(super) fn print_secrets(secrets: &BTreeMap<String, String>) -> String {
    serde_json::to_string(secrets).expect("a map of text prints")
}
