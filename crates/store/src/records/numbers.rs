//! The numbers that a filter names: where each may stand in a record, and by which index those are found in which all do.
//!
//! A number stands in one column of a record at most (`facts`), so that each record that is meant belongs to one
//! combination of places, and what the combinations find is disjoint. Each goes by the index of its rarest number.

use std::collections::BTreeMap;

use super::conditions::{Alternative, push_range};
use super::facts::{self, Column, DAY, Mask};
use super::filter::RecordFilter;
use super::plan::{Indexed, Plan, Way};
use super::tallied::Tallied;
use crate::TenantStore;
use crate::db::{Sql, Transaction, Value};

/// How many calls of a number are counted to compare it with another: of one that has tallies, which know how many it
/// has, and of one that has none.
const TALLIED: i64 = 1_000;
const UNTALLIED: i64 = 5_000;
/// A row is looked at in the time of so many entries of an index.
const ROW: i64 = 8;

/// The numbers that a filter names, each with where it may stand. A call stands in one of them at most.
pub(super) async fn numbers(
    filter: &RecordFilter,
    tenant: &TenantStore,
    read: &mut Transaction,
) -> Result<Vec<Vec<Alternative>>, sqlx::Error> {
    let asked = [&filter.extension, &filter.customer, &filter.did, &filter.source, &filter.destination, &filter.search];
    if asked.iter().all(|number| number.is_none()) {
        return Ok(Vec::new());
    }
    let country = Sql::new("SELECT country FROM tenants WHERE id = $1").with(tenant.id.0);
    let country: String = read.fetch_scalar(country).await?.unwrap_or_default();
    let forms = |column, number: &str, mask| Alternative {
        column,
        values: match column {
            Column::Extension => vec![number.trim().to_owned()],
            _ => crate::tenant::forms(number, &country),
        },
        mask,
    };
    let any = Mask::default();
    let mut numbers: Vec<Vec<Alternative>> = Vec::new();
    for (number, column) in
        [(&filter.extension, Column::Extension), (&filter.customer, Column::Customer), (&filter.did, Column::Did)]
    {
        numbers.extend(number.as_ref().map(|number| vec![forms(column, number, any)]));
    }
    numbers.extend(filter.source.as_ref().map(|number| {
        vec![
            forms(Column::Extension, number, Mask::set(facts::EXTENSION_CALLED)),
            forms(Column::Customer, number, Mask::set(facts::CUSTOMER_CALLED)),
            forms(Column::Dialler, number, any),
        ]
    }));
    numbers.extend(filter.destination.as_ref().map(|number| {
        vec![
            forms(Column::Extension, number, Mask::set(facts::EXTENSION_WAS_CALLED)),
            forms(Column::Customer, number, Mask::set(facts::CUSTOMER_WAS_CALLED)),
            forms(Column::Did, number, Mask::set(facts::DID_WAS_CALLED)),
            forms(Column::Dialled, number, any),
        ]
    }));
    numbers.extend(filter.search.as_ref().map(|number| {
        vec![
            forms(Column::Extension, number, any),
            forms(Column::Customer, number, Mask::unset(facts::CUSTOMER_REPEATS)),
            forms(Column::Did, number, Mask::unset(facts::DID_REPEATS)),
        ]
    }));
    Ok(numbers)
}

/// The ways to the calls that are over and have all of a plan's numbers. Where the tallies or an index say that there are
/// none, there is no way.
pub(super) async fn ways(plan: &Plan, read: &mut Transaction) -> Result<Vec<Way>, sqlx::Error> {
    let numbers = &plan.conditions.numbers;
    let calls = weigh(plan, read).await?;
    let mut ways = Vec::new();
    for mut combination in combinations(numbers) {
        combination.keep(|column, value| calls.get(&(column, value)).is_some_and(|calls| *calls > 0));
        let weight = |column: Column, values: &[String]| -> i64 {
            values.iter().filter_map(|value| calls.get(&(column, value.as_str()))).sum()
        };
        let Some(indexed) = combination.by_the_rarest(plan, weight) else { continue };
        let is_worth_asking = if indexed.beside.is_empty() {
            indexed.mask.and(plan.conditions.mask).bits != 0
        } else {
            indexed.is_many()
        };
        if is_worth_asking
            && let Some(tallied) = Tallied::of(plan, &indexed, (None, None), read).await?
            && tallied.calls(plan, read).await? == 0
        {
            continue;
        }
        ways.push(Way::Column(indexed));
    }
    Ok(ways)
}

type Weights<'a> = BTreeMap<(Column, &'a str), i64>;

/// How many calls there are of each number where it may stand, as far as that matters.
async fn weigh<'a>(plan: &'a Plan, read: &mut Transaction) -> Result<Weights<'a>, sqlx::Error> {
    let numbers = &plan.conditions.numbers;
    let alternatives = numbers.iter().flatten();
    let mut calls: Weights<'_> =
        alternatives.flat_map(|one| one.values.iter().map(|value| ((one.column, value.as_str()), 0))).collect();
    let enough = |column: Column, value: &str| match column.tally(value) {
        _ if numbers.len() == 1 => 1,
        Some(_) => TALLIED,
        None => UNTALLIED,
    };
    let mut sql = Sql::new("");
    for (nth, (column, value)) in calls.keys().enumerate() {
        sql = sql.push(if nth > 0 { " UNION ALL SELECT " } else { "SELECT " });
        sql = sql.push(&format!("CAST({nth} AS BIGINT), COUNT(*) FROM (SELECT 1 AS one"));
        let alone = Way::Column(Indexed::of(*column, vec![(*value).into()], Mask::default()));
        sql = plan.in_range(plan.through(sql, &alone, read.kind()));
        sql = sql.push(" LIMIT ").bind(enough(*column, value)).push(&format!(") AS n{nth}"));
    }
    let mut counted: Vec<(i64, i64)> = read.fetch_all(sql).await?;
    counted.sort_unstable();
    for (((column, value), calls), (_, counted)) in calls.iter_mut().zip(counted) {
        *calls = counted;
        if numbers.len() > 1
            && counted == enough(*column, value)
            && let Some(key) = column.tally(value)
        {
            let sql = Sql::new("SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT) FROM tallies WHERE tenant = ");
            let sql = sql.bind(plan.tenant).push(" AND key = ").bind(key);
            let day = |moment: i64| moment.div_euclid(DAY);
            let sql = push_range(sql, "day", plan.since.map(day), plan.before.map(|before| day(before) + 1));
            *calls = read.fetch_scalar(sql).await?.unwrap_or(counted);
        }
    }
    Ok(calls)
}

/// Several numbers at once, each at one of its places.
#[derive(Clone, Default, Debug)]
struct Combination {
    places: BTreeMap<Column, Vec<String>>,
    mask: Mask,
}

fn combinations(numbers: &[Vec<Alternative>]) -> Vec<Combination> {
    numbers.iter().fold(vec![Combination::default()], |all, number| {
        all.iter().flat_map(|one| number.iter().filter_map(|alternative| one.with(alternative))).collect()
    })
}

impl Combination {
    /// With one more number; None if another stands there.
    fn with(&self, Alternative { column, values, mask }: &Alternative) -> Option<Self> {
        let mut with = self.clone();
        with.mask = with.mask.and(*mask);
        let place = with.places.entry(*column).or_insert_with(|| values.clone());
        place.retain(|value| values.contains(value));
        (!place.is_empty()).then_some(with)
    }

    fn keep(&mut self, is_kept: impl Fn(Column, &str) -> bool) {
        for (column, values) in &mut self.places {
            values.retain(|value| is_kept(*column, value));
        }
    }

    /// By the index in which the least has to be looked at; None if one of its numbers has no value left.
    fn by_the_rarest(self, plan: &Plan, weight: impl Fn(Column, &[String]) -> i64) -> Option<Indexed> {
        if self.places.values().any(Vec::is_empty) {
            return None;
        }
        let ways = self.places.iter().map(|(column, values)| Indexed {
            beside: self.places.iter().filter(|(other, _)| *other != column).map(|(c, v)| (*c, v.clone())).collect(),
            calls: weight(*column, values),
            ..Indexed::of(*column, values.iter().map(Value::from).collect(), self.mask)
        });
        ways.min_by_key(|way| if plan.is_covered(way) { way.calls } else { way.calls.saturating_mul(ROW) })
    }
}
