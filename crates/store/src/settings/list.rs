//! Settings are read: one, a page of them.

use super::house::{House, Key};
use super::items::OPERATOR;
use super::noun::Noun;
use super::rows::{Rows, read_rows_of, read_tenants};
use super::{Reach, Settings, Thing, ThingPage};
use crate::StoreError;
use crate::db::Sql;

impl Settings {
    /// A page of a noun's settings within reach: rules in the order in which they are tried, a tenant's trunks before
    /// the operator's, all else by number or name. `after`: what the page before gave as `next`.
    pub async fn list(
        &self,
        reach: Reach,
        noun: Noun,
        after: Option<&str>,
        limit: u32,
    ) -> Result<ThingPage, StoreError> {
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        // Few are shown out of many: the others are not read.
        let by_name = !matches!(noun, Noun::Tenant | Noun::Trunk | Noun::Outbound | Noun::User);
        let house = self.part(reach, noun, by_name.then_some((after, limit + 1))).await?;
        let mut things: Vec<Keyed> = Vec::new();
        if noun == Noun::Tenant {
            for row in house.tenants_within(reach) {
                things.push(((OPERATOR, noun, row.name.clone()), self.show_tenant(row)?));
            }
            things.sort_by(|(one, _), (other, _)| one.cmp(other));
        } else {
            for found in house.within(reach, noun) {
                things.push((found.0.clone(), self.show(&house, found)?));
            }
        }
        Ok(page(things, by_name, after, limit))
    }

    /// The thing within reach that is called so: by its number, its name or its id.
    pub async fn get(&self, reach: Reach, noun: Noun, called: &str) -> Result<Option<Thing>, StoreError> {
        let house = self.part(reach, noun, None).await?;
        if noun == Noun::Tenant {
            return house.tenant_named(reach, called).map(|row| self.show_tenant(row)).transpose();
        }
        house.find(reach, noun, called).map(|found| self.show(&house, found)).transpose()
    }

    /// All that is stored of a noun within reach, or the part of it that follows a name.
    async fn part(&self, reach: Reach, noun: Noun, from: Option<(Option<&str>, usize)>) -> Result<House, StoreError> {
        let doing = || StoreError::while_doing("reading settings");
        let mut read = self.db.read().await.map_err(doing())?;
        let tenants = read_tenants(&mut read).await?;
        let mut rows = Rows::new();
        for owner in reach.owners(noun) {
            let mut sql = Sql::new("SELECT id, tenant, noun, name, place, body, secrets FROM settings WHERE tenant = ")
                .bind(owner.0)
                .push(" AND noun = ")
                .bind(noun.word());
            if let Some((after, most)) = from {
                if let Some(after) = after {
                    sql = sql.push(" AND name > ").bind(after);
                }
                sql = sql.push(" ORDER BY name LIMIT ").bind(i64::try_from(most).unwrap_or(i64::MAX));
            }
            rows.extend(read_rows_of(&mut read, sql).await?);
        }
        read.rollback().await.map_err(doing())?;
        Ok(House { tenants, rows })
    }
}

type Keyed = (Key, Thing);

/// Cuts a page out of things that are in order. `is_cut`: what comes before it is not among them.
fn page(things: Vec<Keyed>, is_cut: bool, after: Option<&str>, limit: usize) -> ThingPage {
    let cursor = |(owner, _, name): &Key| {
        if is_cut { name.clone() } else { format!("{}/{name}", owner.0) }
    };
    // The thing itself may be gone meanwhile; then the list begins anew behind nothing, which repeats and loses nothing.
    let first = match after {
        Some(after) if !is_cut => things.iter().position(|(key, _)| cursor(key) == after).map_or(0, |at| at + 1),
        _ => 0,
    };
    let mut rest: Vec<Keyed> = things.into_iter().skip(first).collect();
    let more = rest.len() > limit;
    rest.truncate(limit);
    let next = if more { rest.last().map(|(key, _)| cursor(key)) } else { None };
    ThingPage { things: rest.into_iter().map(|(_, thing)| thing).collect(), next }
}
