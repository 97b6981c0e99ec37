//! How many records a filter meets, without looking at each.
//!
//! Whole days come from the tallies, which the writer keeps in the transaction that stores a call's end; what is left of
//! the first and the last day, and numbers that have no tallies, are counted in their index. What even an index cannot
//! tell is counted up to a bound.

use super::facts::{self, Column, DAY, Mask};
use super::filter::RecordOrder;
use super::plan::{Plan, Way, push_mask, push_range};
use crate::StoreError;
use crate::db::{Sql, Transaction, Value};

/// Entries of an index that one count counts, entries that it looks at, and rows, at most.
const ENTRIES: i64 = 200_000;
const LOOKED_AT: i64 = 60_000;
const ROWS: i64 = 8_000;

/// How many records a filter meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordCount {
    /// So many.
    pub records: u64,
    /// Whether there are no more.
    pub exact: bool,
}

pub(super) async fn count(plan: &Plan, read: &mut Transaction) -> Result<RecordCount, StoreError> {
    let mut total = Total { records: 0, exact: true };
    for way in &plan.ways {
        let tallied = match way {
            Way::Column { column, values, mask }
                if plan.by == RecordOrder::Started && plan.left(way).is_few_valued() =>
            {
                tallied(plan, *column, values, mask.and(plan.left(way).mask))
            }
            _ => None,
        };
        match tallied {
            Some(tallied) => tallied.count(plan, way, read, &mut total).await,
            None => in_index(plan, way, (plan.since, plan.before), read, &mut total).await,
        }
        .map_err(StoreError::while_doing("counting records"))?;
    }
    if plan.live {
        let sql = plan.in_range(plan.through_live(Sql::new("SELECT COUNT(*)"), read.kind()));
        let live = read.fetch_one::<(i64,)>(plan.conditions.push(sql)).await;
        total.records += live.map_err(StoreError::while_doing("counting live calls"))?.0;
    }
    Ok(RecordCount { records: total.records.unsigned_abs(), exact: total.exact })
}

struct Total {
    records: i64,
    exact: bool,
}

/// A way whose whole days are in the tallies.
struct Tallied {
    keys: Vec<String>,
    mask: Mask,
}

fn tallied(plan: &Plan, column: Column, values: &[Value], mask: Mask) -> Option<Tallied> {
    if column == Column::Kind {
        let mask = mask.and(plan.conditions.mask);
        return Some(Tallied { keys: vec![facts::EVERY.to_owned()], mask });
    }
    let keys = values.iter().map(|value| match value {
        Value::Text(Some(number)) => column.tally(number),
        _ => None,
    });
    Some(Tallied { keys: keys.collect::<Option<_>>()?, mask })
}

impl Tallied {
    async fn count(
        &self,
        plan: &Plan,
        way: &Way,
        read: &mut Transaction,
        total: &mut Total,
    ) -> Result<(), sqlx::Error> {
        let first = plan.since.map(|since| since.div_euclid(DAY) + i64::from(since.rem_euclid(DAY) != 0));
        let end = plan.before.map(|before| before.div_euclid(DAY));
        if let (Some(first), Some(end)) = (first, end)
            && first >= end
        {
            return in_index(plan, way, (plan.since, plan.before), read, total).await;
        }
        let sql =
            Sql::new("SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT) FROM tallies WHERE tenant = ").bind(plan.tenant);
        let sql = sql.push(" AND key IN (").bind_list(self.keys.iter()).push(")");
        let sql = push_mask(push_range(sql, "day", first, end), self.mask);
        total.records += read.fetch_one::<(i64,)>(sql).await?.0;
        for (from, to) in [(plan.since, first.map(|day| day * DAY)), (end.map(|day| day * DAY), plan.before)] {
            if let (Some(from), Some(to)) = (from, to)
                && from < to
            {
                in_index(plan, way, (Some(from), Some(to)), read, total).await?;
            }
        }
        Ok(())
    }
}

async fn in_index(
    plan: &Plan,
    way: &Way,
    range: (Option<i64>, Option<i64>),
    read: &mut Transaction,
    total: &mut Total,
) -> Result<(), sqlx::Error> {
    let left = plan.left(way);
    let most = match plan.budget(way) {
        Some(budget) if budget < super::plan::ENTRIES => ROWS,
        Some(_) if !left.is_few_valued() => LOOKED_AT,
        _ => ENTRIES,
    };
    let sql = Sql::new("SELECT COUNT(*), CAST(COALESCE(SUM(meets), 0) AS BIGINT) FROM (SELECT CASE WHEN 1 = 1");
    let sql = left.push(sql).push(" THEN 1 ELSE 0 END AS meets");
    let sql = plan.through(sql, way, read.kind());
    let sql = push_range(sql, plan.at(), range.0, range.1).push(" LIMIT ").bind(most).push(") AS seen");
    let (seen, meet): (i64, i64) = read.fetch_one(sql).await?;
    total.records += meet;
    total.exact &= seen < most;
    Ok(())
}
