//! A tenant by itself is made, changed or taken away.

use std::collections::BTreeMap;

use model::{TenantId, Timestamp};
use serde_json::{Map, Value};

use super::changing::{Changing, DOING};
use super::items::{OPERATOR, body};
use super::merge::merge;
use super::noun::Noun;
use super::rows::{TenantRow, execute};
use super::{ChangeError, Changed, Deed, Thing};
use crate::StoreError;
use crate::audit::Verb;
use crate::db::Sql;
use crate::provision::{Draft, print, read_one};

/// Does what is asked for.
pub(super) async fn carry_out(changing: &mut Changing<'_>, deed: Deed) -> Result<Changed, ChangeError> {
    match deed {
        Deed::Create(given) => create(changing, given).await,
        Deed::Update { called, patch } => update(changing, &called, patch).await,
        Deed::Delete { called } => delete(changing, &called).await,
    }
}

async fn create(changing: &mut Changing<'_>, given: Map<String, Value>) -> Result<Changed, ChangeError> {
    let (name, body) = read(given)?;
    let known = changing.house.tenants.iter().find(|row| row.name == name);
    if known.is_some_and(|row| !row.deleted) {
        return Err(ChangeError::Taken { sentence: format!("tenant {name} is there already: choose another name") });
    }
    // What a tenant of that name left behind is there again, as with a provision file.
    let id = match known.map(|row| row.id) {
        Some(id) => {
            save(changing, id, &body).await?;
            id
        }
        None => {
            let sql =
                Sql::new("INSERT INTO tenants (name, country, version, body) VALUES ($1, $2, $3, $4) RETURNING id")
                    .with(&name)
                    .with(body["country"].as_str())
                    .with(changing.version)
                    .with(body.to_string());
            let (id,): (i64,) = changing.transaction.fetch_one(sql).await.map_err(StoreError::while_doing(DOING))?;
            TenantId(id)
        }
    };
    changing.house.tenants.retain(|row| row.id != id);
    changing.house.tenants.push(TenantRow { id, name, deleted: false, body });
    finish(changing, id, Verb::Create, None).await
}

async fn update(changing: &mut Changing<'_>, called: &str, patch: Map<String, Value>) -> Result<Changed, ChangeError> {
    let (id, before) = found(changing, called)?;
    let row = changing.house.tenant(id).expect("a tenant that was found");
    let mut given = print(Noun::Tenant, &row.name, &row.body, "")?;
    merge(&mut given, patch);
    let (name, body) = read(given)?;
    if name != row.name {
        let sentence = "a tenant keeps its name, which its phones sign in with: make another tenant";
        return Err(ChangeError::wrong("name", sentence));
    }
    if body == row.body {
        return Ok(Changed { thing: before, different: false });
    }
    save(changing, id, &body).await?;
    if let Some(row) = changing.house.tenants.iter_mut().find(|row| row.id == id) {
        row.body = body;
    }
    finish(changing, id, Verb::Update, Some(before)).await
}

// Everything that is the tenant's goes with it, its users too. Records and events stay.
async fn delete(changing: &mut Changing<'_>, called: &str) -> Result<Changed, ChangeError> {
    let (id, before) = found(changing, called)?;
    let users = changing.house.of_noun(OPERATOR, Noun::User).into_iter();
    let users: Vec<i64> =
        users.filter(|(_, row)| row.body["tenant"] == before.name.as_str()).map(|(_, row)| row.id).collect();
    for user in users {
        execute(&mut changing.transaction, Sql::new("DELETE FROM settings WHERE id = $1").with(user)).await?;
    }
    execute(&mut changing.transaction, Sql::new("DELETE FROM settings WHERE tenant = $1").with(id.0)).await?;
    let now = Timestamp::now().as_millisecond();
    let sql = Sql::new("UPDATE tenants SET deleted_ms = $1 WHERE id = $2").with(now).with(id.0);
    execute(&mut changing.transaction, sql).await?;
    changing.touch(id);
    changing.tell(id, Verb::Delete, &before.id, &before.name, Some(&before.body), None, &[]).await?;
    Ok(Changed { thing: before, different: true })
}

async fn finish(
    changing: &mut Changing<'_>,
    id: TenantId,
    deed: Verb,
    before: Option<Thing>,
) -> Result<Changed, ChangeError> {
    changing.touch(id);
    changing.check_whole()?;
    let row = changing.house.tenant(id).expect("a tenant that was stored");
    let thing = changing.settings.show_tenant(row)?;
    let before = before.as_ref().map(|thing| &thing.body);
    changing.tell(id, deed, &thing.id, &thing.name, before, Some(&thing.body), &[]).await?;
    Ok(Changed { thing, different: true })
}

async fn save(changing: &mut Changing<'_>, id: TenantId, body: &Value) -> Result<(), StoreError> {
    let sql = Sql::new("UPDATE tenants SET country = $1, body = $2, deleted_ms = NULL WHERE id = $3")
        .with(body["country"].as_str())
        .with(body.to_string())
        .with(id.0);
    execute(&mut changing.transaction, sql).await
}

fn read(mut given: Map<String, Value>) -> Result<(String, Value), ChangeError> {
    given.remove("id");
    let one = read_one(Noun::Tenant, &given, &BTreeMap::new(), "")
        .map_err(|error| ChangeError::Wrong { field: error.field, sentence: error.sentence })?;
    match one.draft {
        Draft::Tenant { name, body: own } => Ok((name, body(&own))),
        _ => Err(ChangeError::NotFound { what: "the tenant".into() }),
    }
}

fn found(changing: &Changing<'_>, called: &str) -> Result<(TenantId, Thing), ChangeError> {
    let what = || format!("tenant {}", called.chars().take(64).collect::<String>());
    let row = changing.house.tenant_named(changing.reach, called);
    let row = row.ok_or_else(|| ChangeError::NotFound { what: what() })?;
    let thing = changing.settings.show_tenant(row)?;
    if changing.if_match.as_ref().is_some_and(|tags| !tags.contains(&thing.tag)) {
        return Err(ChangeError::Stale { what: what() });
    }
    Ok((row.id, thing))
}
