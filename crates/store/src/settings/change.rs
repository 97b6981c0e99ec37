//! One setting is changed, whole or not at all, and the audit log says by whom.

use std::collections::BTreeSet;

use serde_json::Value;

use super::changing::{Changing, DOING};
use super::house::read_house;
use super::noun::Noun;
use super::rows::read_version;
use super::{Change, ChangeError, Changed, Deed, Settings, tenants};
use crate::StoreError;
use crate::secrets::{Secret, hash_password};

impl Settings {
    /// Carries out a change, whole or not at all.
    pub async fn change(&self, change: Change) -> Result<Changed, ChangeError> {
        let Change { reach, noun, deed, if_match, author } = change;
        let hash = self.hash_of_new_password(noun, &deed).await?;
        let doing = || StoreError::while_doing(DOING);
        let mut transaction = self.db.begin().await.map_err(doing())?;
        let house = read_house(&mut transaction).await?;
        let version = read_version(&mut transaction).await? + 1;
        let touched = BTreeSet::new();
        let mut changing =
            Changing { settings: self, transaction, house, reach, noun, author, version, touched, if_match, hash };
        let changed = match (noun, deed) {
            (Noun::Tenant, deed) => tenants::carry_out(&mut changing, deed).await?,
            (_, Deed::Create(given)) => changing.create(given).await?,
            (_, Deed::Update { called, patch }) => changing.update(&called, patch).await?,
            (_, Deed::Delete { called }) => changing.delete(&called).await?,
        };
        if changed.different {
            changing.finish().await?;
        }
        Ok(changed)
    }

    // Hashing takes tens of milliseconds: before the transaction, and off this thread.
    async fn hash_of_new_password(&self, noun: Noun, deed: &Deed) -> Result<Option<String>, StoreError> {
        let given = match deed {
            Deed::Create(given) | Deed::Update { patch: given, .. } if noun == Noun::User => given,
            _ => return Ok(None),
        };
        let Some(password) = given.get("password").and_then(Value::as_str) else { return Ok(None) };
        let password = Secret::new(password);
        let hashed = tokio::task::spawn_blocking(move || hash_password(&password)).await;
        hashed
            .map_err(StoreError::unreadable("the system's random numbers"))?
            .map(Some)
            .map_err(StoreError::unreadable("the system's random numbers"))
    }
}
