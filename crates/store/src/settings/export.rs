//! All settings as one provision file, without its secrets.

use model::TenantId;
use serde_json::{Map, Value};

use super::house::{House, read_house};
use super::items::OPERATOR;
use super::noun::Noun;
use super::{Reach, Settings};
use crate::StoreError;
use crate::provision::print;

/// The lists of a tenant, as the file has them.
const LISTS: [(Noun, &str); 12] = [
    (Noun::Key, "keys"),
    (Noun::Extension, "extensions"),
    (Noun::Trunk, "trunks"),
    (Noun::Outbound, "outbound"),
    (Noun::Number, "numbers"),
    (Noun::Group, "groups"),
    (Noun::Queue, "queues"),
    (Noun::Menu, "menus"),
    (Noun::Hours, "hours"),
    (Noun::Sound, "sounds"),
    (Noun::Hook, "webhooks"),
    (Noun::Device, "devices"),
];

impl Settings {
    /// What is within reach as a provision file would say it: of the named tenant, or of the whole server with its users
    /// and the operator's trunks. Secrets are left out.
    pub async fn export(&self, reach: Reach) -> Result<Map<String, Value>, StoreError> {
        let doing = || StoreError::while_doing("reading settings");
        let mut read = self.db.read().await.map_err(doing())?;
        let house = read_house(&mut read).await?;
        read.rollback().await.map_err(doing())?;
        let mut tenants = Vec::new();
        for row in house.tenants_within(reach).filter(|row| reach.tenant.is_none_or(|id| id == row.id)) {
            let mut tenant = print(Noun::Tenant, &row.name, &row.body, "")?;
            for (noun, key) in LISTS {
                tenant.insert(key.into(), list(&house, row.id, noun)?);
            }
            tenants.push(Value::Object(tenant));
        }
        let mut file = Map::new();
        if reach.whole_server && reach.tenant.is_none() {
            file.insert("trunks".into(), list(&house, OPERATOR, Noun::Trunk)?);
        }
        file.insert("tenants".into(), tenants.into());
        let users = house.within(reach, Noun::User).into_iter();
        let users = users.map(|((_, noun, name), row)| print(*noun, name, &row.body, "").map(Value::Object));
        file.insert("users".into(), users.collect::<Result<Vec<_>, _>>()?.into());
        Ok(file)
    }
}

fn list(house: &House, owner: TenantId, noun: Noun) -> Result<Value, StoreError> {
    let country = house.country(owner);
    let rows = house.of_noun(owner, noun).into_iter();
    let things = rows.map(|((_, _, name), row)| print(noun, name, &row.body, country).map(Value::Object));
    Ok(things.collect::<Result<Vec<_>, _>>()?.into())
}
