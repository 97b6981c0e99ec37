//! Makes the store match a file, in one transaction that happens whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use model::{TenantId, Timestamp};
use serde_json::Value;

use super::house::{House, read_house};
use super::items::{Confidence, Item, OPERATOR, body, of_operator, of_tenant, whole};
use super::merged::{self, Clash};
use super::noun::Noun;
use super::rows::{
    Row, Rows, TenantRow, execute, insert_row, print_secrets, raise_versions, read_secrets, read_version,
    remember_realm, sealing_place,
};
use super::tell::tell_differences;
use super::{ApplyError, Author, Changes, Settings};
use crate::StoreError;
use crate::db::{Sql, Transaction};
use crate::provision::{Lined, Proof, Provision, TenantDraft};
use crate::secrets::{Secret, hash_password, hook_secret, verify_password};

const DOING: &str = "storing settings";

/// One application on its way.
struct Application<'a> {
    settings: &'a Settings,
    transaction: &'a mut Transaction,
    rows: Rows,
    changes: Changes,
    /// Tenants whose settings are different now; the operator stands for all.
    touched: BTreeSet<TenantId>,
    version: i64,
}

impl Settings {
    /// Makes the store match the file: creates and updates, and with `prune` deletes what the file does not have.
    ///
    /// A file that goes against what is stored changes nothing. Records and events stay, also of a deleted tenant, and
    /// are there again when a tenant of that name comes back.
    pub async fn apply(&self, provision: Provision, prune: bool) -> Result<Changes, ApplyError> {
        self.apply_by(&Author { name: "provision file".into(), address: None }, provision, prune).await
    }

    /// The same, with who does it, for the audit log.
    pub async fn apply_by(&self, author: &Author, provision: Provision, prune: bool) -> Result<Changes, ApplyError> {
        let hashes = self.hash_passwords(&provision).await?;
        let mut transaction = self.db.begin().await.map_err(StoreError::while_doing(DOING))?;
        let changes = self.apply_within(&mut transaction, author, &provision, hashes, prune).await?;
        transaction.commit().await.map_err(StoreError::while_doing(DOING))?;
        Ok(changes)
    }

    async fn apply_within(
        &self,
        transaction: &mut Transaction,
        author: &Author,
        provision: &Provision,
        hashes: Vec<String>,
        prune: bool,
    ) -> Result<Changes, ApplyError> {
        let House { tenants, rows } = read_house(transaction).await?;
        let version = read_version(transaction).await? + 1;
        let mut application = Application {
            settings: self,
            transaction,
            rows,
            changes: Changes::default(),
            touched: BTreeSet::new(),
            version,
        };
        let mut items = of_operator(provision, hashes);
        let mut lines = BTreeMap::new();
        for draft in &provision.tenants {
            let id = application.save_tenant(draft, &tenants).await?;
            lines.insert(id, draft.line);
            items.extend(of_tenant(id, &draft.value, &self.realm));
        }
        for item in &items {
            application.save(item).await?;
        }
        if prune {
            application.prune(&items, &tenants, &lines).await?;
        } else {
            application.put_other_rules_last(&items).await?;
        }
        let Application { changes, touched, rows, .. } = application;
        let after = read_house(transaction).await?;
        merged::check(&after.tenants, &after.rows, &items, &lines).map_err(Clash::in_file)?;
        if items.iter().any(|item| item.noun == Noun::Extension) {
            remember_realm(transaction, &self.realm).await?;
        }
        if changes.any() || !touched.is_empty() {
            raise_versions(transaction, version, &touched).await?;
            tell_differences(transaction, author, &House { tenants, rows }, &after).await?;
        }
        Ok(changes)
    }

    // A password that is already the stored one keeps its hash, so that nothing changes. Hashing takes long: off this thread.
    async fn hash_passwords(&self, provision: &Provision) -> Result<Vec<String>, StoreError> {
        let sql = Sql::new("SELECT name, secrets FROM settings WHERE tenant = $1 AND noun = $2")
            .with(OPERATOR.0)
            .with(Noun::User.word());
        let stored: Vec<(String, String)> =
            self.db.fetch_all(sql).await.map_err(StoreError::while_doing("reading users"))?;
        let mut stored: BTreeMap<String, String> = stored.into_iter().collect();
        let mut work: Vec<(Secret, Option<String>)> = Vec::new();
        for Lined { value: draft, .. } in &provision.users {
            // A file gives every password.
            let Proof::Given(password) = &draft.password else { continue };
            let hash = match stored.remove(&draft.user.email) {
                Some(secrets) => read_secrets(&secrets, &draft.user.email)?.remove("password"),
                None => None,
            };
            work.push((password.clone(), hash));
        }
        let hash = move || {
            work.into_iter().map(|(password, hash)| match hash {
                Some(hash) if verify_password(&password, &hash) => Ok(hash),
                _ => hash_password(&password),
            })
        };
        tokio::task::spawn_blocking(move || hash().collect::<Result<Vec<_>, _>>())
            .await
            .map_err(StoreError::unreadable("the system's random numbers"))?
            .map_err(StoreError::unreadable("the system's random numbers"))
    }
}

/// The body of an extension of which a file left out what phones change: with that as it is stored.
fn with_what_is_left_out(item: &Item, stored: &Value) -> Value {
    let mut body = item.body.clone();
    if let (Noun::Extension, Value::Object(keys), Value::Object(stored)) = (item.noun, &mut body, stored) {
        for (key, value) in stored {
            keys.entry(key).or_insert_with(|| value.clone());
        }
    }
    body
}

impl Application<'_> {
    async fn save_tenant(&mut self, draft: &Lined<TenantDraft>, tenants: &[TenantRow]) -> Result<TenantId, StoreError> {
        let draft = &draft.value;
        let body = body(&draft.body);
        let Some(row) = tenants.iter().find(|row| row.name == draft.name) else {
            let sql =
                Sql::new("INSERT INTO tenants (name, country, version, body) VALUES ($1, $2, $3, $4) RETURNING id")
                    .with(&draft.name)
                    .with(&draft.body.country)
                    .with(self.version)
                    .with(body.to_string());
            let (id,): (i64,) = self.transaction.fetch_one(sql).await.map_err(StoreError::while_doing(DOING))?;
            self.changes.created += 1;
            self.touched.insert(TenantId(id));
            return Ok(TenantId(id));
        };
        if row.body == body && !row.deleted {
            self.changes.unchanged += 1;
            return Ok(row.id);
        }
        let query = Sql::new("UPDATE tenants SET country = $1, body = $2, deleted_ms = NULL WHERE id = $3")
            .with(&draft.body.country)
            .with(body.to_string())
            .with(row.id.0);
        execute(self.transaction, query).await?;
        if row.deleted {
            self.changes.created += 1;
        } else {
            self.changes.updated += 1;
        }
        self.touched.insert(row.id);
        Ok(row.id)
    }

    async fn save(&mut self, item: &Item) -> Result<(), StoreError> {
        let key = (item.tenant, item.noun, item.name.clone());
        let stored = self.rows.get(&key);
        let secrets = self.settings.keep_secrets(item, stored.map(|row| (item.name.as_str(), row)))?;
        let Some(row) = stored else {
            let item = Item {
                body: whole(item.noun, item.body.clone()),
                secrets: Vec::new(),
                name: item.name.clone(),
                ..*item
            };
            insert_row(self.transaction, &item, &secrets).await?;
            self.changes.created += 1;
            self.touched.insert(item.tenant);
            return Ok(());
        };
        let body = with_what_is_left_out(item, &row.body);
        // Order means something only where the first match wins.
        let different =
            row.body != body || row.secrets != secrets || (row.place != item.place && item.noun == Noun::Outbound);
        if different || row.place != item.place {
            let query = Sql::new("UPDATE settings SET place = $1, body = $2, secrets = $3 WHERE id = $4")
                .with(item.place)
                .with(body.to_string())
                .with(print_secrets(&secrets))
                .with(row.id);
            execute(self.transaction, query).await?;
        }
        if different {
            self.changes.updated += 1;
            self.touched.insert(item.tenant);
        } else {
            self.changes.unchanged += 1;
        }
        Ok(())
    }

    // Rules that the file does not have stay, and come after those that it has.
    async fn put_other_rules_last(&mut self, items: &[Item]) -> Result<(), StoreError> {
        let in_file = names_of(items);
        let mut next: BTreeMap<TenantId, i64> = BTreeMap::new();
        for item in items.iter().filter(|item| item.noun == Noun::Outbound) {
            next.insert(item.tenant, item.place + 1);
        }
        let mut others: Vec<(TenantId, i64, i64)> = self
            .rows
            .iter()
            .filter(|((_, noun, _), _)| *noun == Noun::Outbound)
            .filter(|((tenant, noun, name), _)| !in_file.contains(&(*tenant, *noun, name.as_str())))
            .map(|((tenant, _, _), row)| (*tenant, row.place, row.id))
            .collect();
        others.sort();
        for (tenant, place, id) in others {
            let Some(next) = next.get_mut(&tenant) else { continue };
            if place != *next {
                let query = Sql::new("UPDATE settings SET place = $1 WHERE id = $2").with(*next).with(id);
                execute(self.transaction, query).await?;
                self.touched.insert(tenant);
            }
            *next += 1;
        }
        Ok(())
    }

    async fn prune(
        &mut self,
        items: &[Item],
        tenants: &[TenantRow],
        in_file: &BTreeMap<TenantId, u32>,
    ) -> Result<(), StoreError> {
        let names = names_of(items);
        let gone = self
            .rows
            .iter()
            .filter(|((tenant, noun, name), _)| !names.contains(&(*tenant, *noun, name.as_str())))
            .map(|((tenant, _, _), row)| (*tenant, row.id));
        for (tenant, id) in gone {
            execute(self.transaction, Sql::new("DELETE FROM settings WHERE id = $1").with(id)).await?;
            self.changes.deleted += 1;
            self.touched.insert(tenant);
        }
        for row in tenants.iter().filter(|row| !row.deleted && !in_file.contains_key(&row.id)) {
            let query = Sql::new("UPDATE tenants SET deleted_ms = $1 WHERE id = $2")
                .with(Timestamp::now().as_millisecond())
                .with(row.id.0);
            execute(self.transaction, query).await?;
            self.changes.deleted += 1;
            self.touched.insert(row.id);
        }
        Ok(())
    }
}

impl Settings {
    /// The secrets of an item as they are to be stored: what is stored already, where it is the same secret. `stored`: the
    /// row that it takes the place of, and that row's name.
    pub(super) fn keep_secrets(
        &self,
        item: &Item,
        stored: Option<(&str, &Row)>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let mut secrets = BTreeMap::new();
        for (field, confidence) in &item.secrets {
            let place = sealing_place(item.tenant, item.noun, &item.name, field);
            let stored = stored.and_then(|(name, row)| Some((name, row.secrets.get(*field)?)));
            let known = stored
                .and_then(|(name, sealed)| self.key.open(&sealing_place(item.tenant, item.noun, name, field), sealed));
            // What is sealed for one name opens for no other.
            let sealed = stored.filter(|(name, _)| *name == item.name).map(|(_, sealed)| sealed.clone());
            let kept = match (confidence, known) {
                (Confidence::Hashed(hash), _) => hash.clone(),
                (Confidence::Sealed(secret), known) => match sealed {
                    Some(sealed) if known.as_ref() == Some(secret) => sealed,
                    _ => self.seal(&place, secret)?,
                },
                (Confidence::Stored | Confidence::Made, Some(known)) => match sealed {
                    Some(sealed) => sealed,
                    None => self.seal(&place, &known)?,
                },
                // A hash, which opens nowhere.
                (Confidence::Stored, None) => match stored {
                    Some((_, hash)) => hash.clone(),
                    None => continue,
                },
                (Confidence::Made, None) => {
                    let made = hook_secret().map_err(StoreError::unreadable("the system's random numbers"))?;
                    self.seal(&place, &made)?
                }
            };
            secrets.insert((*field).to_owned(), kept);
        }
        Ok(secrets)
    }

    fn seal(&self, place: &str, secret: &Secret) -> Result<String, StoreError> {
        self.key.seal(place, secret.reveal()).map_err(StoreError::unreadable("the system's random numbers"))
    }
}

fn names_of(items: &[Item]) -> BTreeSet<(TenantId, Noun, &str)> {
    items.iter().map(|item| (item.tenant, item.noun, item.name.as_str())).collect()
}
