//! A change of one setting on its way: what it may do within its transaction, and everything but tenants.
//!
//! What is given is read by the code that reads a provision file, and what the store would then hold is checked by the
//! code that checks a file against the store.

use std::collections::{BTreeMap, BTreeSet};

use model::TenantId;
use serde_json::{Map, Value};

use super::house::{House, Key};
use super::items::{Item, OPERATOR, of_draft};
use super::noun::Noun;
use super::rows::{Row, execute, insert_row, print_secrets, raise_versions, remember_realm};
use super::{Author, ChangeError, Changed, Reach, Settings, Thing, given, items, merge, merged, named, order};
use crate::StoreError;
use crate::audit::{self, Verb};
use crate::db::{Sql, Transaction};
use crate::provision::{Draft, Printed, Proof, Reference, missing, print, read_one};

pub(super) const DOING: &str = "changing a setting";

/// A change on its way.
pub(super) struct Changing<'a> {
    pub settings: &'a Settings,
    pub transaction: Transaction,
    /// As it is in the transaction.
    pub house: House,
    pub reach: Reach,
    pub noun: Noun,
    pub author: Author,
    pub version: i64,
    /// Whose settings are different; the operator stands for all.
    pub touched: BTreeSet<TenantId>,
    /// The tags that the thing may have.
    pub if_match: Option<Vec<String>>,
    /// Of a user's new password.
    pub hash: Option<String>,
}

impl Changing<'_> {
    pub async fn create(&mut self, mut given: Map<String, Value>) -> Result<Changed, ChangeError> {
        let noun = self.noun;
        let extras = given::take_extras(noun, &mut given)?;
        let owner = self.owner_of_new(extras.shared)?;
        if noun == Noun::User {
            self.place_user(&mut given);
        }
        let made = given::make_secrets(noun, &mut given)?;
        let (item, _) = self.read(owner, &given, &BTreeMap::new(), None)?;
        let key = (owner, noun, item.name.clone());
        if self.house.rows.contains_key(&key) {
            return Err(self.taken(&key));
        }
        let secrets = self.settings.keep_secrets(&item, None)?;
        let place = self.house.of_noun(owner, noun).iter().map(|(_, row)| row.place + 1).max().unwrap_or(0);
        let item = Item { place, body: items::whole(noun, item.body), ..item };
        let id = insert_row(&mut self.transaction, &item, &secrets).await?;
        self.house.rows.insert(key.clone(), Row { id, place, body: item.body, secrets });
        self.after(&key, extras.position).await?;
        let mut thing = self.shown(&key)?;
        self.tell(owner, Verb::Create, &thing.id, &thing.name, None, Some(&thing.body), &[]).await?;
        thing.body.extend(made);
        Ok(Changed { thing, different: true })
    }

    pub async fn update(&mut self, called: &str, mut patch: Map<String, Value>) -> Result<Changed, ChangeError> {
        let noun = self.noun;
        let extras = given::take_extras(noun, &mut patch)?;
        let (key, before) = self.found(called)?;
        if extras.shared.is_some_and(|shared| shared != (key.0 == OPERATOR)) {
            return Err(ChangeError::wrong("shared", "a trunk stays whose it is: make another one"));
        }
        let row = &self.house.rows[&key];
        let mut given = print(noun, &key.2, &row.body, self.house.country(key.0))?;
        follow_number(noun, &mut given, &patch);
        merge::merge(&mut given, patch);
        let stored = given::stored_secrets(noun, row, &given);
        let (item, password_stays) = self.read(key.0, &given, &stored, Some(row))?;
        let renamed = (key.0, noun, item.name.clone());
        if renamed != key {
            if self.house.rows.contains_key(&renamed) {
                return Err(self.taken(&renamed));
            }
            if noun == Noun::Extension && password_stays {
                let sentence = "phones prove their password together with their number: give `password` again with another `number`";
                return Err(ChangeError::wrong("password", sentence));
            }
        }
        let lost = named::names_of(noun, &key.2, &row.body)
            .into_iter()
            .filter(|name| !named::names_of(noun, &item.name, &item.body).contains(name))
            .collect::<Vec<_>>();
        self.nobody_names(&key, &lost)?;
        let secrets = self.settings.keep_secrets(&item, Some((&key.2, row)))?;
        let changed_secrets = given::changed_secrets(row, &item.body, &secrets, renamed == key);
        let (id, place) = (row.id, row.place);
        let same = renamed == key && row.body == item.body && row.secrets == secrets;
        if !same {
            let sql = Sql::new("UPDATE settings SET name = $1, body = $2, secrets = $3 WHERE id = $4")
                .with(&item.name)
                .with(item.body.to_string())
                .with(print_secrets(&secrets))
                .with(id);
            execute(&mut self.transaction, sql).await?;
            self.house.rows.remove(&key);
            self.house.rows.insert(renamed.clone(), Row { id, place, body: item.body, secrets });
        }
        let moved = self.after(&renamed, extras.position).await?;
        let thing = self.shown(&renamed)?;
        if same && !moved {
            return Ok(Changed { thing, different: false });
        }
        let (owner, after) = (key.0, Some(&thing.body));
        self.tell(owner, Verb::Update, &thing.id, &thing.name, Some(&before.body), after, &changed_secrets).await?;
        Ok(Changed { thing, different: true })
    }

    pub async fn delete(&mut self, called: &str) -> Result<Changed, ChangeError> {
        let (key, thing) = self.found(called)?;
        let row = &self.house.rows[&key];
        let lost = named::names_of(self.noun, &key.2, &row.body);
        self.nobody_names(&key, &lost)?;
        execute(&mut self.transaction, Sql::new("DELETE FROM settings WHERE id = $1").with(row.id)).await?;
        self.house.rows.remove(&key);
        self.touch(key.0);
        self.tell(key.0, Verb::Delete, &thing.id, &thing.name, Some(&thing.body), None, &[]).await?;
        Ok(Changed { thing, different: true })
    }

    /// What is checked and put in order once a row stands as it will be; whether the order is another one.
    async fn after(&mut self, key: &Key, position: Option<usize>) -> Result<bool, ChangeError> {
        self.touch(key.0);
        self.check_whole()?;
        if self.noun == Noun::Extension {
            remember_realm(&mut self.transaction, &self.settings.realm).await?;
        }
        let Some(position) = position else { return Ok(false) };
        let moves = order::moves(&self.house, key, position);
        for (key, place) in &moves {
            let Some(row) = self.house.rows.get_mut(key) else { continue };
            row.place = *place;
            let sql = Sql::new("UPDATE settings SET place = $1 WHERE id = $2").with(*place).with(row.id);
            execute(&mut self.transaction, sql).await?;
        }
        Ok(!moves.is_empty())
    }

    /// What no two tenants, or no two things of one, may have.
    pub fn check_whole(&self) -> Result<(), ChangeError> {
        let clash = merged::check(&self.house.tenants, &self.house.rows, &[], &BTreeMap::new());
        clash.map_err(|clash| {
            let sees = |id: TenantId| self.reach.whole_server || self.reach.tenant == Some(id);
            ChangeError::Taken { sentence: clash.of_one(sees) }
        })
    }

    pub async fn finish(mut self) -> Result<(), StoreError> {
        raise_versions(&mut self.transaction, self.version, &self.touched).await?;
        self.transaction.commit().await.map_err(StoreError::while_doing(DOING))
    }

    fn owner_of_new(&self, shared: Option<bool>) -> Result<TenantId, ChangeError> {
        if self.noun == Noun::User {
            return Ok(OPERATOR);
        }
        if shared == Some(true) {
            if self.reach.whole_server {
                return Ok(OPERATOR);
            }
            return Err(ChangeError::wrong("shared", "a shared trunk is the operator's: leave `shared` out"));
        }
        let tenant = self.reach.tenant.filter(|id| self.house.tenant(*id).is_some());
        tenant.ok_or_else(|| ChangeError::NotFound { what: "the tenant".into() })
    }

    /// A new user is the tenant's that whoever makes it speaks for.
    fn place_user(&self, given: &mut Map<String, Value>) {
        let is_operator = given.get("role").and_then(Value::as_str) == Some("operator");
        if let Some(tenant) = self.reach.tenant.and_then(|id| self.house.tenant(id))
            && !is_operator
            && given.get("tenant").is_none_or(Value::is_null)
        {
            given.insert("tenant".into(), tenant.name.as_str().into());
        }
    }

    /// The row that a thing comes to, and whether its password stays the stored one.
    fn read(
        &self,
        owner: TenantId,
        given: &Printed,
        stored: &BTreeMap<&'static str, String>,
        row: Option<&Row>,
    ) -> Result<(Item, bool), ChangeError> {
        let wrong = |field, sentence| ChangeError::Wrong { field, sentence };
        let mut one = read_one(self.noun, given, stored, self.house.country(owner))
            .map_err(|error| wrong(error.field, error.sentence))?;
        let names = named::names_in(&self.house.rows, owner);
        for (reference, field) in &one.references {
            // A menu may lead to itself, also while it is made.
            let itself = matches!((&one.draft, reference),
                (Draft::Menu(menu), Reference::Menu(name)) if menu.name == *name);
            if !itself && !names.have(reference) {
                return Err(wrong(field.clone(), missing(reference)));
            }
        }
        let mut password_stays = false;
        match &mut one.draft {
            Draft::Extension(draft) if draft.password == Proof::Stored => {
                password_stays = true;
                if let Some(digests) = row.and_then(|row| serde_json::from_value(row.body["digests"].clone()).ok()) {
                    draft.extension.digests = digests;
                }
            }
            Draft::User(draft) => self.check_user(draft.user.tenant.as_deref())?,
            _ => {}
        }
        let tenant = self.house.tenant(owner).map_or("", |row| row.name.as_str());
        let Some((name, body, secrets)) = of_draft(&one.draft, tenant, &self.settings.realm, self.hash.clone()) else {
            return Err(ChangeError::NotFound { what: self.noun.word().into() });
        };
        let item = Item { tenant: owner, noun: self.noun, name, place: 0, line: 0, body, secrets };
        Ok((item, password_stays))
    }

    fn check_user(&self, tenant: Option<&str>) -> Result<(), ChangeError> {
        match tenant {
            None if self.reach.whole_server => Ok(()),
            None => Err(ChangeError::wrong(
                "role",
                "operators are the operator's: write owner, supervisor, agent or reader",
            )),
            Some(name) if self.house.tenant_named(self.reach, name).is_some() => Ok(()),
            Some(_) => Err(ChangeError::wrong("tenant", "there is no such tenant: name another")),
        }
    }

    fn found(&self, called: &str) -> Result<(Key, Thing), ChangeError> {
        let what = || format!("{} {}", self.noun.word(), called.chars().take(64).collect::<String>());
        let Some(found) = self.house.find(self.reach, self.noun, called) else {
            return Err(ChangeError::NotFound { what: what() });
        };
        let thing = self.settings.show(&self.house, found)?;
        if self.if_match.as_ref().is_some_and(|tags| !tags.contains(&thing.tag)) {
            return Err(ChangeError::Stale { what: what() });
        }
        Ok((found.0.clone(), thing))
    }

    fn shown(&self, key: &Key) -> Result<Thing, ChangeError> {
        Ok(self.settings.show(&self.house, (key, &self.house.rows[key]))?)
    }

    fn nobody_names(&self, key: &Key, lost: &[Reference]) -> Result<(), ChangeError> {
        let (owner, noun, name) = key;
        let rows = &self.house.rows;
        let words = |tenant: TenantId, noun: Noun, name: &str| {
            let words = self.house.words(tenant, noun, name);
            match self.house.tenant(tenant) {
                Some(row) if *owner == OPERATOR => format!("{words} of {}", row.name),
                _ => words,
            }
        };
        let itself = self.house.tenant(*owner).map(|row| (row.name.clone(), row.body.clone()));
        let by_tenant = match itself {
            Some((name, body)) if named::named_by(Noun::Tenant, &name, &body)?.iter().any(|one| lost.contains(one)) => {
                Some(format!("tenant {name}"))
            }
            _ => None,
        };
        match named::who_names(rows, key, lost, words)?.or(by_tenant) {
            None => Ok(()),
            Some(who) => {
                let thing = self.house.words(*owner, *noun, name);
                Err(ChangeError::InUse { sentence: format!("{thing} is named by {who}: take it out there first") })
            }
        }
    }

    fn taken(&self, (owner, noun, name): &Key) -> ChangeError {
        let thing = self.house.words(*owner, *noun, name);
        ChangeError::Taken { sentence: format!("{thing} is there already: change it, or choose another") }
    }

    pub fn touch(&mut self, owner: TenantId) {
        // Nobody runs users.
        if self.noun != Noun::User {
            self.touched.insert(owner);
        }
    }

    /// Writes into the audit log.
    #[allow(clippy::too_many_arguments, reason = "the columns of one row")]
    pub async fn tell(
        &mut self,
        owner: TenantId,
        deed: Verb,
        id: &str,
        name: &str,
        before: Option<&Printed>,
        after: Option<&Printed>,
        secrets: &[&str],
    ) -> Result<(), StoreError> {
        let owner = self.audited(owner, before.or(after));
        let thing = audit::OfThing { tenant: owner, noun: self.noun, id, name, before, after, secrets };
        audit::write_thing(&mut self.transaction, &self.author, deed, &thing).await
    }

    /// Whose audit log it stands in: a user's tenant's, although the row is the operator's.
    fn audited(&self, owner: TenantId, thing: Option<&Printed>) -> TenantId {
        let name = thing.and_then(|thing| thing.get("tenant")).and_then(Value::as_str);
        match name.filter(|_| self.noun == Noun::User) {
            Some(name) => self.house.tenants.iter().find(|row| row.name == name).map_or(owner, |row| row.id),
            None => owner,
        }
    }
}

/// A name that was never given is the number, also when that becomes another one.
fn follow_number(noun: Noun, given: &mut Printed, patch: &Map<String, Value>) {
    let is_numbered = matches!(noun, Noun::Extension | Noun::Group | Noun::Queue);
    if is_numbered && given.get("name") == given.get("number") && !patch.contains_key("name") {
        given.remove("name");
    }
}
