//! What the tallies know of a way: how many calls it leads to, whole days or weeks at a time.

use super::conditions::{push_mask, push_range};
use super::facts::{self, Column, DAY, Mask, WEEK};
use super::plan::{Indexed, Plan};
use crate::db::{Sql, Transaction, Value};

/// More weeks than these are not asked for one by one.
const MOST_WEEKS: i64 = 1_040;

/// A range of days: from one, and up to another.
pub(super) type Days = (Option<i64>, Option<i64>);

/// Tallies that say how many calls a way leads to.
pub(super) struct Tallied {
    keys: Vec<String>,
    mask: Mask,
    days: Days,
}

impl Tallied {
    /// The days that the tallies of a way are kept by; None if there are none for all that is asked.
    pub fn unit(plan: &Plan, way: &Indexed) -> Option<i64> {
        if !plan.left_of(way).asks_only_facts() {
            return None;
        }
        match way.beside.as_slice() {
            [] if way.column == Column::Kind => Some(1),
            [] => way.numbers().all(|number| way.column.tally(number).is_some()).then_some(1),
            [(other, also)] => {
                let is_tallied = way.numbers().all(|number| way.column.tally(number).is_some())
                    && also.iter().all(|number| other.tally(number).is_some());
                is_tallied.then_some(WEEK / DAY)
            }
            // Of three numbers at once nothing is tallied.
            _ => None,
        }
    }

    /// The tallies of a way in a range of days, which begins and ends with their unit.
    pub async fn of(
        plan: &Plan,
        way: &Indexed,
        days: Days,
        read: &mut Transaction,
    ) -> Result<Option<Self>, sqlx::Error> {
        if Self::unit(plan, way).is_none() {
            return Ok(None);
        }
        let mask = way.mask.and(plan.left_of(way).mask);
        let [(other, also)] = way.beside.as_slice() else {
            if way.column == Column::Kind {
                let mask = mask.and(plan.conditions.mask);
                return Ok(Some(Self { keys: vec![facts::EVERY.to_owned()], mask, days }));
            }
            let keys = way.numbers().filter_map(|number| way.column.tally(number)).collect();
            return Ok(Some(Self { keys, mask, days }));
        };
        let Some((first, last)) = weeks(plan.tenant, days, read).await? else { return Ok(None) };
        let mut keys = Vec::new();
        for week in first..=last {
            for number in way.numbers() {
                let pairs = also.iter().filter_map(|also| facts::pair(week, (way.column, number), (*other, also)));
                keys.extend(pairs);
            }
        }
        Ok((!keys.is_empty()).then_some(Self { keys, mask, days }))
    }

    /// How many calls they say there are.
    pub async fn calls(&self, plan: &Plan, read: &mut Transaction) -> Result<i64, sqlx::Error> {
        let sql =
            Sql::new("SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT) FROM tallies WHERE tenant = ").bind(plan.tenant);
        let sql = sql.push(" AND key IN (").bind_list(self.keys.iter()).push(")");
        let sql = push_mask(push_range(sql, "day", self.days.0, self.days.1), self.mask);
        Ok(read.fetch_scalar(sql).await?.unwrap_or_default())
    }
}

impl Indexed {
    fn numbers(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(|value| match value {
            Value::Text(number) => number.as_deref(),
            Value::Int(_) => None,
        })
    }
}

/// The first and the last week of a range of days in which a tenant has calls; None if there are none, or too many.
async fn weeks(tenant: i64, (since, before): Days, read: &mut Transaction) -> Result<Option<(i64, i64)>, sqlx::Error> {
    let sql = Sql::new(
        "SELECT (SELECT MIN(day) FROM tallies WHERE tenant = $1 AND key = $2), \
         (SELECT MAX(day) FROM tallies WHERE tenant = $1 AND key = $2)",
    );
    let (Some(first), Some(last)): (Option<i64>, Option<i64>) =
        read.fetch_one(sql.with(tenant).with(facts::EVERY)).await?
    else {
        return Ok(None);
    };
    let week = |day: i64| day.div_euclid(WEEK / DAY);
    let first = week(since.map_or(first, |since| since.max(first)));
    let last = week(before.map_or(last, |before| last.min(before - 1)));
    Ok(Some((first, last)).filter(|_| last - first < MOST_WEEKS))
}
