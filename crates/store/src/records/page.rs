//! A page of a list: the keys of its rows out of the indexes, then the rows.

use std::collections::BTreeMap;

use super::conditions::push_range;
use super::cursor::RecordCursor;
use super::plan::{Indexed, Plan, Way};
use super::{RecordPage, RecordRow, parse};
use crate::StoreError;
use crate::db::{Kind, Sql, Transaction};

/// Entries that a source may always look at.
const LEAST: i64 = 200;
/// Most pages are full after a part of what may be looked at.
const FEW: i64 = 10;

/// Where a row stands in the list: its moment and its number.
type Place = (i64, i64);

/// Reads the page of up to `size` rows beside the cursor.
pub(super) async fn read(
    plan: &Plan,
    cursor: Option<RecordCursor>,
    size: u32,
    read: &mut Transaction,
) -> Result<RecordPage, StoreError> {
    let failed = || StoreError::while_doing("reading records");
    let newer = cursor.is_some_and(|cursor| cursor.newer);
    let mut window = Window { plan, cursor, newer, kind: read.kind(), share: FEW };
    let size = size as usize;
    let (mut found, mut reached) = window.look(size, read).await.map_err(failed())?;
    if found.len() <= size && reached.is_some() {
        window.share = 1;
        (found, reached) = window.look(size, read).await.map_err(failed())?;
    }
    let more = found.len() > size || reached.is_some();
    // A page that is full ends with its last row, a short one where the search ended.
    let edge = reached.filter(|_| found.len() <= size);
    found.truncate(size);
    if newer {
        found.reverse();
    }
    found.dedup();

    let (older_exist, newer_exist) = if newer { (cursor.is_some(), more) } else { (more, cursor.is_some()) };
    let last = found.last().copied();
    let first = found.first().copied();
    // Where a page is empty its neighbours begin at the cursor, whose own row belongs to the page it came from.
    let here = cursor.map(|cursor| (cursor.at, if newer { cursor.row + 1 } else { cursor.row - 1 }));
    let next = if newer { last.or(here) } else { edge.or(last) };
    let prev = if newer { edge.or(first) } else { first.or(here) };
    let place = |(at, row): Place, newer| RecordCursor { at, row, newer };
    Ok(RecordPage {
        next: next.filter(|_| older_exist).map(|at| place(at, false)),
        prev: prev.filter(|_| newer_exist).map(|at| place(at, true)),
        rows: rows(&found, read).await?,
    })
}

async fn rows(found: &[Place], read: &mut Transaction) -> Result<Vec<RecordRow>, StoreError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids = found.iter().map(|(_, row)| *row);
    let sql = Sql::new("SELECT id, record FROM records WHERE id IN (").bind_list(ids).push(")");
    let rows: Vec<(i64, String)> = read.fetch_all(sql).await.map_err(StoreError::while_doing("reading records"))?;
    let mut rows: BTreeMap<i64, String> = rows.into_iter().collect();
    found.iter().filter_map(|(_, id)| rows.remove_entry(id)).map(parse).collect()
}

/// What of the list is asked for.
struct Window<'a> {
    plan: &'a Plan,
    cursor: Option<RecordCursor>,
    newer: bool,
    kind: Kind,
    /// Which part of what may be looked at is.
    share: i64,
}

/// One value in one index, or the live calls.
struct Source {
    /// None: the live calls.
    way: Option<Way>,
    /// How many entries may be looked at, where not each one counts.
    budget: Option<i64>,
}

impl Window<'_> {
    /// The next places in the list, one more than a page has, as far as every source has been looked through; and how far
    /// that is, unless they all have been to their end.
    async fn look(&self, size: usize, read: &mut Transaction) -> Result<(Vec<Place>, Option<Place>), sqlx::Error> {
        let sources = self.sources();
        let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
        let Some(sql) = self.search(&sources, limit) else { return Ok((Vec::new(), None)) };
        let mut found: Vec<Place> = read.fetch_all(sql).await?;
        // One source alone gives its first rows, wherever it was left.
        if sources.len() == 1 && found.len() > size {
            return Ok((found, None));
        }
        let reached = self.reached(&sources, read).await?;
        if let Some(reached) = reached {
            found.retain(|place| if self.newer { *place <= reached } else { *place >= reached });
        }
        Ok((found, reached))
    }

    /// Every value gets a source of its own, so that each is read in the list's order.
    fn sources(&self) -> Vec<Source> {
        let mut sources = Vec::new();
        for way in &self.plan.ways {
            let budget = self.plan.budget(way);
            match way {
                Way::Column(indexed) => sources.extend(indexed.values.iter().map(|value| {
                    let way = Way::Column(Indexed { values: vec![value.clone()], ..indexed.clone() });
                    Source { way: Some(way), budget }
                })),
                way => sources.push(Source { way: Some(way.clone()), budget }),
            }
        }
        // All of them together may look at so much.
        let share = i64::try_from(sources.len()).unwrap_or(1).max(1) * self.share;
        for source in &mut sources {
            source.budget = source.budget.map(|budget| (budget / share).max(LEAST));
        }
        if self.plan.live {
            sources.push(Source { way: None, budget: None });
        }
        sources
    }

    /// The first places of all sources; None without a source.
    fn search(&self, sources: &[Source], limit: i64) -> Option<Sql> {
        let order = self.order();
        if let [source] = sources {
            return Some(self.one(Sql::new(""), source, limit));
        }
        let mut sql = Sql::new("SELECT at, id FROM (");
        for (nth, source) in sources.iter().enumerate() {
            sql = sql.push(if nth > 0 { " UNION ALL SELECT at, id FROM (" } else { "SELECT at, id FROM (" });
            sql = self.one(sql, source, limit).push(&format!(") AS s{nth}"));
        }
        let sql = sql.push(&format!(") AS every ORDER BY at {order}, id {order} LIMIT ")).bind(limit);
        (!sources.is_empty()).then_some(sql)
    }

    fn one(&self, sql: Sql, source: &Source, limit: i64) -> Sql {
        let (at, order) = (self.plan.at(), self.order());
        let by = format!(" ORDER BY {at} {order}, id {order} LIMIT ");
        let Some(way) = &source.way else {
            let sql = self.plan.through_live(sql.push(&format!("SELECT {at} AS at, id")), self.kind);
            return self.plan.conditions.push(self.within(sql)).push(&by).bind(limit);
        };
        let left = self.plan.left(way);
        let Some(budget) = source.budget else {
            let sql = self.plan.through(sql.push(&format!("SELECT {at} AS at, id")), way, self.kind);
            return left.push(self.within(sql)).push(&by).bind(limit);
        };
        let sql = sql.push(&format!("SELECT at, id FROM (SELECT {at} AS at, id{}", left.columns()));
        let sql = self.within(self.plan.through(sql, way, self.kind)).push(&by).bind(budget);
        let sql = left.push(sql.push(") AS seen WHERE 1 = 1"));
        sql.push(&format!(" ORDER BY at {order}, id {order} LIMIT ")).bind(limit)
    }

    /// How far every source has been looked through; None: to its end.
    async fn reached(&self, sources: &[Source], read: &mut Transaction) -> Result<Option<Place>, sqlx::Error> {
        let (at, order) = (self.plan.at(), self.order());
        let mut reached: Option<Place> = None;
        for source in sources {
            let (Some(way), Some(budget)) = (&source.way, source.budget) else { continue };
            let sql = self.plan.through(Sql::new("SELECT ").push(at).push(", id"), way, self.kind);
            let sql = self.within(sql).push(&format!(" ORDER BY {at} {order}, id {order} LIMIT 1 OFFSET "));
            let Some(place) = read.fetch_optional::<Place>(sql.bind(budget - 1)).await? else { continue };
            let nearer = if self.newer { std::cmp::min } else { std::cmp::max };
            reached = Some(reached.map_or(place, |other| nearer(other, place)));
        }
        Ok(reached)
    }

    /// The range of moments, or what the cursor leaves of it: an index takes one bound on each side.
    fn within(&self, sql: Sql) -> Sql {
        let (at, plan) = (self.plan.at(), self.plan);
        let Some(cursor) = self.cursor else { return plan.in_range(sql) };
        let place = |sql: Sql, than: &str| {
            let sql = sql.push(&format!(" AND ({at}, id) {than} (")).bind(cursor.at).push(", ").bind(cursor.row);
            sql.push(")")
        };
        if cursor.newer {
            let cursor_counts = plan.since.is_none_or(|since| cursor.at >= since);
            let sql = push_range(sql, at, plan.since.filter(|_| !cursor_counts), plan.before);
            if cursor_counts { place(sql, ">") } else { sql }
        } else {
            let cursor_counts = plan.before.is_none_or(|before| cursor.at < before);
            let sql = push_range(sql, at, plan.since, plan.before.filter(|_| !cursor_counts));
            if cursor_counts { place(sql, "<") } else { sql }
        }
    }

    fn order(&self) -> &'static str {
        if self.newer { "ASC" } else { "DESC" }
    }
}
