//! How many records a filter meets, without looking at each.
//!
//! Whole days come from the tallies, and whole weeks where two numbers are asked for; the writer keeps them in the
//! transaction that stores a call's end. What is left at the two ends, and numbers that have no tallies, are counted in
//! their index. What even an index cannot tell is counted up to a bound.

use super::conditions::push_range;
use super::facts::DAY;
use super::filter::RecordOrder;
use super::plan::{Indexed, Plan, Way};
use super::tallied::{Days, Tallied};
use crate::StoreError;
use crate::db::{Sql, Transaction};

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
        let whole = match way {
            Way::Column(indexed) => whole(plan, indexed).map(|(days, edges)| (indexed, days, edges)),
            Way::End | Way::Call(_) => None,
        };
        match whole {
            Some((indexed, days, edges)) => in_tallies(plan, (way, indexed), days, edges, read, &mut total).await,
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

type Moments = (Option<i64>, Option<i64>);

/// The days of a way that lie within the range whole, by the unit of its tallies, and the moments before and after them.
/// None if the tallies do not help.
fn whole(plan: &Plan, way: &Indexed) -> Option<(Days, [Moments; 2])> {
    // Few calls of two numbers are counted sooner in the index than week by week.
    if plan.by != RecordOrder::Started || (!way.beside.is_empty() && !way.is_many()) {
        return None;
    }
    let days = Tallied::unit(plan, way)?;
    let unit = days * DAY;
    let first = plan.since.map(|since| since.div_euclid(unit) + i64::from(since.rem_euclid(unit) != 0));
    let end = plan.before.map(|before| before.div_euclid(unit));
    if let (Some(first), Some(end)) = (first, end)
        && first >= end
    {
        return None;
    }
    let edges = [(plan.since, first.map(|first| first * unit)), (end.map(|end| end * unit), plan.before)];
    Some(((first.map(|first| first * days), end.map(|end| end * days)), edges))
}

async fn in_tallies(
    plan: &Plan,
    (way, indexed): (&Way, &Indexed),
    days: Days,
    edges: [Moments; 2],
    read: &mut Transaction,
    total: &mut Total,
) -> Result<(), sqlx::Error> {
    let Some(tallied) = Tallied::of(plan, indexed, days, read).await? else {
        return in_index(plan, way, (plan.since, plan.before), read, total).await;
    };
    total.records += tallied.calls(plan, read).await?;
    for (from, to) in edges {
        if let (Some(from), Some(to)) = (from, to)
            && from < to
        {
            in_index(plan, way, (Some(from), Some(to)), read, total).await?;
        }
    }
    Ok(())
}

async fn in_index(
    plan: &Plan,
    way: &Way,
    range: Moments,
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
