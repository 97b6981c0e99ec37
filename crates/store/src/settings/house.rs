//! Everything that is stored, or the part of it that is asked for, and how it is found and shown.

use std::collections::BTreeMap;

use model::{Number, TenantId};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::items::OPERATOR;
use super::noun::Noun;
use super::rows::{Row, Rows, TenantRow, read_rows, read_tenants, sealing_place};
use super::{Reach, Settings, Thing};
use crate::StoreError;
use crate::db::Transaction;
use crate::provision::{Printed, print};
use crate::secrets::hex;

/// Whose row it is, of which noun, and its name.
pub(super) type Key = (TenantId, Noun, String);

/// Hexadecimal digits of an entity tag.
const TAG: usize = 16;

/// Tenants and rows.
pub(super) struct House {
    pub tenants: Vec<TenantRow>,
    pub rows: Rows,
}

impl Reach {
    /// The owners of rows of a noun that are within reach.
    pub(super) fn owners(self, noun: Noun) -> Vec<TenantId> {
        match noun {
            Noun::User => vec![OPERATOR],
            Noun::Trunk if self.whole_server => self.tenant.into_iter().chain([OPERATOR]).collect(),
            _ => self.tenant.into_iter().collect(),
        }
    }
}

impl House {
    /// A tenant that is there.
    pub fn tenant(&self, id: TenantId) -> Option<&TenantRow> {
        self.tenants.iter().find(|row| row.id == id && !row.deleted)
    }

    /// A tenant that is there and within reach, by its name.
    pub fn tenant_named(&self, reach: Reach, name: &str) -> Option<&TenantRow> {
        self.tenants_within(reach).find(|row| row.name == name)
    }

    /// The tenants that are there and within reach.
    pub fn tenants_within(&self, reach: Reach) -> impl Iterator<Item = &TenantRow> {
        self.tenants.iter().filter(move |row| !row.deleted && (reach.whole_server || reach.tenant == Some(row.id)))
    }

    /// The rows of a noun within reach, in the order in which they are listed.
    pub fn within(&self, reach: Reach, noun: Noun) -> Vec<(&Key, &Row)> {
        let mut found = Vec::new();
        for owner in reach.owners(noun) {
            let mut own = self.of_noun(owner, noun);
            if noun == Noun::User
                && let Some(tenant) = reach.tenant
            {
                let name = self.tenant(tenant).map(|row| row.name.as_str());
                own.retain(|(_, row)| row.body["tenant"].as_str() == name);
            }
            found.extend(own);
        }
        found
    }

    /// One owner's rows of a noun: rules in the order in which they are tried, all else by name.
    pub fn of_noun(&self, owner: TenantId, noun: Noun) -> Vec<(&Key, &Row)> {
        let mut found: Vec<_> = self
            .rows
            .range((owner, noun, String::new())..)
            .take_while(|((of, is, _), _)| *of == owner && *is == noun)
            .collect();
        if noun == Noun::Outbound {
            found.sort_by_key(|(_, row)| (row.place, row.id));
        }
        found
    }

    /// The thing that is called so: by its number or name, else by its id.
    pub fn find(&self, reach: Reach, noun: Noun, called: &str) -> Option<(&Key, &Row)> {
        let within = self.within(reach, noun);
        let country = reach.tenant.and_then(|id| self.tenant(id)).map_or("", country_of);
        let names = names(noun, called, country);
        let by_name = names.iter().find_map(|name| within.iter().find(|((_, _, known), _)| known == name));
        by_name
            .or_else(|| {
                let id = row_id(noun, called)?;
                within.iter().find(|(_, row)| row.id == id)
            })
            .copied()
    }

    /// The country of whoever owns a row.
    pub fn country(&self, owner: TenantId) -> &str {
        self.tenant(owner).map_or("84", country_of)
    }

    /// A thing in the file's keys, without its secrets, and with what else is to be known of it.
    pub fn described(&self, key: &Key, row: &Row) -> Result<Printed, StoreError> {
        let (owner, noun, name) = key;
        let mut body = print(*noun, name, &row.body, self.country(*owner))?;
        match noun {
            Noun::Key => {
                body.insert("name".into(), name.as_str().into());
            }
            Noun::Trunk => {
                body.insert("has_password".into(), row.secrets.contains_key("password").into());
                body.insert("shared".into(), (*owner == OPERATOR).into());
            }
            Noun::Outbound => {
                let rules = self.of_noun(*owner, Noun::Outbound);
                let position = rules.iter().position(|(_, rule)| rule.id == row.id).map_or(1, |place| place + 1);
                body.insert("position".into(), position.into());
            }
            _ => {}
        }
        Ok(body)
    }

    /// A thing in a sentence: `number 02873088088`.
    pub fn words(&self, owner: TenantId, noun: Noun, name: &str) -> String {
        let what = match noun {
            Noun::Outbound => "the outbound rule with the prefix",
            Noun::Key => "the API key",
            other => other.word(),
        };
        match noun {
            Noun::Number => {
                let country = self.country(owner);
                format!("{what} {}", Number::of_digits(name, country).national(country))
            }
            Noun::Outbound | Noun::Menu | Noun::Hours | Noun::Sound | Noun::Trunk | Noun::Device | Noun::Key => {
                format!("{what} `{name}`")
            }
            _ => format!("{what} {name}"),
        }
    }
}

pub(super) fn country_of(tenant: &TenantRow) -> &str {
    tenant.body["country"].as_str().unwrap_or("84")
}

/// What a thing that is called so may be stored as.
fn names(noun: Noun, called: &str, country: &str) -> Vec<String> {
    match noun {
        Noun::Number => match Number::parse(called, country) {
            Ok(number) => vec![called.to_owned(), number.international().to_owned()],
            Err(_) => vec![called.to_owned()],
        },
        Noun::Key => vec![called.to_owned(), format!("voip24h {called}"), format!("vpbx {called}")],
        Noun::User => vec![called.to_lowercase()],
        _ => vec![called.to_owned()],
    }
}

/// Whether digits alone can be no name, so that they are an id.
fn is_plain(noun: Noun) -> bool {
    matches!(noun, Noun::Hook | Noun::Key | Noun::User)
}

fn row_id(noun: Noun, called: &str) -> Option<i64> {
    let digits = match called.strip_prefix('~') {
        Some(digits) => digits,
        None if is_plain(noun) => called,
        None => return None,
    };
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// The id of a row as it is shown. Numbers and names may be digits; the sign before it is in none of them.
pub(super) fn shown_id(noun: Noun, id: i64) -> String {
    if is_plain(noun) { id.to_string() } else { format!("~{id}") }
}

/// What people call a thing.
pub(super) fn shown_name<'a>(noun: Noun, name: &'a str, shown: &'a Printed) -> &'a str {
    match noun {
        Noun::Number => shown.get("number").and_then(Value::as_str).unwrap_or(name),
        _ => name,
    }
}

/// Everything that is stored.
pub(super) async fn read_house(transaction: &mut Transaction) -> Result<House, StoreError> {
    Ok(House { tenants: read_tenants(transaction).await?, rows: read_rows(transaction).await? })
}

impl Settings {
    /// A thing as it is shown.
    pub(super) fn show(&self, house: &House, (key, row): (&Key, &Row)) -> Result<Thing, StoreError> {
        let (owner, noun, name) = key;
        let mut body = house.described(key, row)?;
        body.insert("id".into(), shown_id(*noun, row.id).into());
        if *noun == Noun::Hook {
            let sealed = row.secrets.get("secret").map(String::as_str).unwrap_or_default();
            let secret = self.key.open(&sealing_place(*owner, *noun, name, "secret"), sealed);
            let secret = secret.ok_or_else(|| StoreError::Sealed { what: format!("webhook {name}") })?;
            body.insert("secret".into(), secret.reveal().into());
        }
        let name = shown_name(*noun, name, &body).to_owned();
        let tag = tag_of(&body, &row.body, &row.secrets);
        Ok(Thing { id: shown_id(*noun, row.id), name, tag, body })
    }

    /// A tenant as it is shown. Its name is its id: it never changes.
    pub(super) fn show_tenant(&self, row: &TenantRow) -> Result<Thing, StoreError> {
        let mut body = print(Noun::Tenant, &row.name, &row.body, country_of(row))?;
        body.insert("id".into(), row.name.as_str().into());
        let tag = tag_of(&body, &row.body, &BTreeMap::new());
        Ok(Thing { id: row.name.clone(), name: row.name.clone(), tag, body })
    }
}

/// Another one after each change, secrets included.
fn tag_of(shown: &Map<String, Value>, body: &Value, secrets: &BTreeMap<String, String>) -> String {
    let whole = format!("{}\n{body}\n{secrets:?}", Value::Object(shown.clone()));
    let mut tag = hex(&Sha256::digest(whole));
    tag.truncate(TAG);
    tag
}
