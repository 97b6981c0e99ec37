//! What a provision file changed, for the audit log: a row for each thing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Author;
use super::given::changed_secrets;
use super::house::{House, shown_id, shown_name};
use super::items::OPERATOR;
use super::noun::Noun;
use crate::StoreError;
use crate::audit::{self, OfThing, Verb};
use crate::db::Transaction;
use crate::provision::print;

/// Writes down every difference.
pub(super) async fn tell_differences(
    transaction: &mut Transaction,
    author: &Author,
    before: &House,
    after: &House,
) -> Result<(), StoreError> {
    tell_tenants(transaction, author, before, after).await?;
    let keys: BTreeSet<_> = before.rows.keys().chain(after.rows.keys()).collect();
    for key in keys {
        let (owner, noun, name) = key;
        let (was, is) = (before.rows.get(key), after.rows.get(key));
        let deed = match (was, is) {
            (Some(was), Some(is)) if was.body == is.body && was.secrets == is.secrets => continue,
            (Some(_), Some(_)) => Verb::Update,
            (None, _) => Verb::Create,
            (_, None) => Verb::Delete,
        };
        let shown_before = was.map(|row| before.described(key, row)).transpose()?;
        let shown_after = is.map(|row| after.described(key, row)).transpose()?;
        let secrets = match (was, is) {
            (Some(was), Some(is)) => changed_secrets(was, &is.body, &is.secrets, true),
            _ => Vec::new(),
        };
        let id = is.or(was).map_or_else(String::new, |row| shown_id(*noun, row.id));
        let of_user = shown_after.as_ref().or(shown_before.as_ref()).filter(|_| *noun == Noun::User);
        let tenant = match of_user.and_then(|shown| shown.get("tenant")).and_then(Value::as_str) {
            Some(name) => after.tenants.iter().find(|row| row.name == name).map_or(OPERATOR, |row| row.id),
            None => *owner,
        };
        let name = shown_after
            .as_ref()
            .or(shown_before.as_ref())
            .map_or(name.as_str(), |shown| shown_name(*noun, name, shown));
        let (before, after) = (shown_before.as_ref(), shown_after.as_ref());
        let thing = OfThing { tenant, noun: *noun, id: &id, name, before, after, secrets: &secrets };
        audit::write_thing(transaction, author, deed, &thing).await?;
    }
    Ok(())
}

async fn tell_tenants(
    transaction: &mut Transaction,
    author: &Author,
    before: &House,
    after: &House,
) -> Result<(), StoreError> {
    let printed = |row: &super::rows::TenantRow| print(Noun::Tenant, &row.name, &row.body, "");
    for row in &after.tenants {
        let was = before.tenants.iter().find(|was| was.id == row.id && !was.deleted);
        let deed = match (was, row.deleted) {
            (Some(was), false) if was.body == row.body => continue,
            (Some(_), false) => Verb::Update,
            (Some(_), true) => Verb::Delete,
            (None, false) => Verb::Create,
            (None, true) => continue,
        };
        let shown_before = was.map(printed).transpose()?;
        let shown_after = if row.deleted { None } else { Some(printed(row)?) };
        let (before, after) = (shown_before.as_ref(), shown_after.as_ref());
        let (tenant, noun, name) = (row.id, Noun::Tenant, row.name.as_str());
        let thing = OfThing { tenant, noun, id: name, name, before, after, secrets: &[] };
        audit::write_thing(transaction, author, deed, &thing).await?;
    }
    Ok(())
}
